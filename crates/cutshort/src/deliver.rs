//! Where an agent delivers to: a collector, or straight into a store.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use cutshort_agent::{HttpCollector, HttpSettings, StoreCollector, Token};
use cutshort_clickhouse::Address;
use cutshort_pipeline::live::{AgentCounts, Collector};
use cutshort_sandbox::Needs;
use cutshort_store::StoreError;

use crate::backends::{self, PASSWORD_FILE, warn_of_plain};
use crate::error::Error;
use crate::settings::Settings;
use crate::terminal::message;

/// Of name lookups that do not fit into a datagram.
const DNS: u16 = 53;
/// What is read where names are looked up.
const NAME_FILES: [&str; 5] = ["/etc", "/run/systemd/resolve", "/lib", "/usr/lib", "/lib64"];

/// Where the system's certificates are, and what they are links to.
const CERTIFICATES: [&str; 2] = ["/etc", "/usr/share/ca-certificates"];

/// Where an agent delivers to.
pub(crate) struct Destination {
    pub(crate) collector: Box<dyn Collector>,
    /// Without anything secret.
    pub(crate) name: String,
    /// What delivering needs.
    pub(crate) needs: Needs,
}

/// The one that the settings name. A collector is told with each segment what `counts` are then.
pub(crate) fn destination(
    settings: &Settings,
    counts: &Arc<Mutex<AgentCounts>>,
) -> Result<Destination, Error> {
    match (&settings.collector, &settings.deliver) {
        (Some(url), None) => collector(settings, url, counts),
        (None, Some(url)) => straight(url),
        (Some(_), Some(_)) => Err(Error::Usage("name either a collector or deliver, not both".to_owned())),
        (None, None) => Err(Error::Usage(
            "name the collector: --collector URL; or the store to deliver to: --deliver clickhouse://..."
                .to_owned(),
        )),
    }
}

fn collector(settings: &Settings, url: &str, counts: &Arc<Mutex<AgentCounts>>) -> Result<Destination, Error> {
    let http = HttpCollector::new(&HttpSettings {
        url: url.to_owned(),
        token: token(settings)?,
        ca_file: settings.ca_file.clone(),
        proxy: settings.proxy.clone(),
        timeout: settings.upload_timeout,
    });
    let http = http.map_err(Error::Usage)?.with_counts(Arc::clone(counts));
    let (host, port, is_encrypted) = http.peer();
    warn_of_plain(url, &host, is_encrypted, "token and packets");
    let proxy = http.proxy();
    if proxy.is_none() {
        remark_on_environment();
    }
    let (name, port) = proxy.clone().unwrap_or((host, port));
    let mut needs = reaching(&name, port, settings.token_file.as_deref());
    needs.read_again(settings.ca_file.as_deref());
    let through = proxy.map(|(name, port)| format!(" through the proxy {name}:{port}")).unwrap_or_default();
    Ok(Destination { collector: Box::new(http), name: format!("{url}{through}"), needs })
}

fn straight(url: &str) -> Result<Destination, Error> {
    let address = backends::address(url)?;
    let name = address.to_string();
    warn_of_plain(&name, address.host(), address.is_secure(), "password and packets");
    let needs = reaching_store(&address);
    let url = url.to_owned();
    // The file with the password is read each time.
    let open = move || {
        let address = backends::address(&url).map_err(|error| StoreError::Refused(error.to_string()))?;
        backends::connect(&address)
    };
    Ok(Destination { collector: Box::new(StoreCollector::new(open)), name, needs })
}

/// From the file that is named, or from the environment; never from the command line, which everybody sees.
pub(crate) fn token(settings: &Settings) -> Result<Token, Error> {
    match (&settings.token_file, std::env::var("CUTSHORT_TOKEN")) {
        (Some(file), _) => Token::read(file).map_err(Error::Usage),
        (None, Ok(token)) if !token.trim().is_empty() => Ok(Token::Text(token.trim().to_owned())),
        _ => Err(Error::Usage(
            "the collector needs a token: make one there with 'cutshort token create --scope ingest NAME', and name \
             the file that it is in with --token-file"
                .to_owned(),
        )),
    }
}

/// A proxy that others use is not used here, as it would get to know the collector, and without TLS the token.
fn remark_on_environment() {
    let variables = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    if let Some(name) = variables.into_iter().find(|name| std::env::var_os(name).is_some()) {
        message(&format!(
            "{name} in the environment is not used; --proxy URL names a proxy for the collector"
        ));
    }
}

/// A store is connected to again and again, and its name looked up, and the system's certificates read.
pub(crate) fn reaching_store(address: &Address) -> Needs {
    let secret = std::env::var_os(PASSWORD_FILE).map(PathBuf::from);
    let mut needs = reaching(address.host(), address.port(), secret.as_deref());
    if address.is_secure() {
        needs.read.extend(CERTIFICATES.map(PathBuf::from));
    }
    needs
}

/// Where names are looked up, the system's files must be read again whenever they change, even if they are
/// replaced; so must the file with the secret.
fn reaching(host: &str, port: u16, secret: Option<&Path>) -> Needs {
    let mut needs = Needs { network: true, ports: vec![port], ..Needs::default() };
    needs.read_again(secret);
    if host.parse::<IpAddr>().is_err() {
        needs.read.extend(NAME_FILES.map(PathBuf::from));
        needs.ports.push(DNS);
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_follows_from_the_address() {
        let of = |settings: Settings| destination(&settings, &Arc::default()).unwrap().needs;
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        std::fs::write(&token, "abc").unwrap();
        let collector = |url: &str| {
            let (collector, token_file) = (Some(url.to_owned()), Some(token.clone()));
            of(Settings { collector, token_file, ..Settings::default() })
        };
        let ports = |url: &str| collector(url).ports;
        assert_eq!(ports("https://a.example/b:1"), [443, 53]);
        assert_eq!(ports("http://a.example:81"), [81, 53]);
        assert_eq!(ports("http://[::1]"), [80]);
        assert_eq!(ports("https://[2001:db8::1]:8443/x"), [8443]);
        let read = |url: &str| collector(url).read.len();
        assert_eq!((read("https://192.0.2.1"), read("https://a")), (1, 6));
        let through = |proxy: &str| {
            let (collector, proxy) = (Some("https://a.example".to_owned()), Some(proxy.to_owned()));
            let found =
                of(Settings { collector, token_file: Some(token.clone()), proxy, ..Settings::default() });
            (found.ports, found.read.len())
        };
        assert_eq!(through("http://p.example:3128"), (vec![3128, 53], 6));
        assert_eq!(through("http://me:pw@[2001:db8::1]:3128"), (vec![3128], 1));
        let store = |url: &str| of(Settings { deliver: Some(url.to_owned()), ..Settings::default() }).ports;
        assert_eq!(store("clickhouse://u@[::1]/cuts"), [8123]);
        assert_eq!(store("clickhouses://db.example"), [8443, 53]);
    }

    #[test]
    fn one_of_the_two_is_needed() {
        let of = |collector: Option<&str>, deliver: Option<&str>| {
            let (collector, deliver) = (collector.map(str::to_owned), deliver.map(str::to_owned));
            let settings = Settings { collector, deliver, ..Settings::default() };
            destination(&settings, &Arc::default()).err().unwrap().to_string()
        };
        assert!(of(None, None).contains("--collector"));
        assert!(of(Some("https://a"), Some("clickhouse://a")).contains("not both"));
        assert!(of(None, Some("http://a")).contains("clickhouse://"));
    }
}
