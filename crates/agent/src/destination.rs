//! Where an agent delivers to, and what delivering needs inside the sandbox.

use std::path::PathBuf;

use cutshort_client::{CERTIFICATES, reaching};
use cutshort_pipeline::live::Collector;
use cutshort_sandbox::Needs;
use cutshort_store::{Result, Store};

use crate::collector::{HttpCollector, HttpSettings};
use crate::straight::StoreCollector;

/// Where an agent delivers to.
pub struct Destination {
    /// The collector that takes the segments.
    pub collector: Box<dyn Collector>,
    /// The destination in words, without anything secret.
    pub name: String,
    /// The needs of delivering inside the sandbox.
    pub needs: Needs,
}

/// A server with a store, on another host.
#[derive(Clone, Debug)]
pub struct StoreServer {
    /// The name or address of its host. IPv6 addresses are without brackets.
    pub host: String,
    /// The TCP port of the store.
    pub port: u16,
    /// Whether connections to it are encrypted.
    pub is_secure: bool,
    /// The file with the password, which may change while the program runs.
    pub password_file: Option<PathBuf>,
}

impl Destination {
    /// Delivers to a collector, which was made with these settings.
    #[must_use]
    pub fn collector(collector: HttpCollector, settings: &HttpSettings) -> Self {
        let proxy = collector.proxy();
        let through = proxy
            .as_ref()
            .map(|(name, port)| format!(" through the proxy {name}:{port}"))
            .unwrap_or_default();
        let (host, port) = proxy.unwrap_or_else(|| {
            let (host, port, _) = collector.peer();
            (host, port)
        });
        let mut needs = reaching(&host, port, settings.token.file());
        needs.read_again(settings.ca_file.as_deref());
        Self { collector: Box::new(collector), name: format!("{}{through}", settings.url), needs }
    }

    /// Delivers to a store with this name, without a collector in between. `open` is called again after errors, and must
    /// read the password again.
    #[must_use]
    pub fn store(
        name: String,
        server: &StoreServer,
        open: impl Fn() -> Result<Box<dyn Store>> + Send + 'static,
    ) -> Self {
        Self { collector: Box::new(StoreCollector::new(open)), name, needs: server.needs() }
    }
}

impl StoreServer {
    /// The needs of connecting: the port, name resolution, and the system's certificates.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let mut needs = reaching(&self.host, self.port, self.password_file.as_deref());
        if self.is_secure {
            needs.read.extend(CERTIFICATES.map(PathBuf::from));
        }
        needs
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::collector::Token;

    #[test]
    fn what_is_needed_follows_from_the_address() {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        std::fs::write(&token, "abc").unwrap();
        let needs = |url: &str, proxy: Option<&str>| {
            let settings = HttpSettings {
                url: url.to_owned(),
                token: Token::read(&token).unwrap(),
                ca_file: None,
                proxy: proxy.map(str::to_owned),
                timeout: Duration::from_secs(1),
            };
            Destination::collector(HttpCollector::new(&settings).unwrap(), &settings).needs
        };
        let ports = |url: &str| needs(url, None).ports;
        assert_eq!(ports("https://a.example/b:1"), [443, 53]);
        assert_eq!(ports("http://a.example:81"), [81, 53]);
        assert_eq!(ports("http://[::1]"), [80]);
        assert_eq!(ports("https://[2001:db8::1]:8443/x"), [8443]);
        let read = |url: &str| needs(url, None).read.len();
        assert_eq!((read("https://192.0.2.1"), read("https://a")), (1, 6));
        let through = |proxy: &str| {
            let needs = needs("https://a.example", Some(proxy));
            (needs.ports, needs.read.len())
        };
        assert_eq!(through("http://p.example:3128"), (vec![3128, 53], 6));
        assert_eq!(through("http://me:pw@[2001:db8::1]:3128"), (vec![3128], 1));
    }

    #[test]
    fn a_store_elsewhere_needs_its_port_and_where_names_are() {
        let server = |host: &str, port, is_secure| {
            StoreServer { host: host.to_owned(), port, is_secure, password_file: None }.needs()
        };
        assert_eq!(server("::1", 8123, false).ports, [8123]);
        let secure = server("db.example", 8443, true);
        assert_eq!((secure.ports, secure.read.len()), (vec![8443, 53], 7));
    }
}
