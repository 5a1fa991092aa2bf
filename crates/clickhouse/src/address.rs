//! The address of a ClickHouse server, with user and settings.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use clickhouse::Client;

use cutshort_store::{Result, StoreError};
use cutshort_verdict::DataSet;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;

/// Who classifies the packets of windows. Both methods yield the same results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Classify {
    /// The window job, from packets grouped by flow.
    #[default]
    Rust,
    /// The server, with a query; the window job if the server cannot.
    Sql,
}

/// The options after `?`.
#[derive(Clone, Copy)]
struct UrlOptions {
    secure: bool,
    classify: Classify,
    memory: usize,
}

/// Bytes of counts that are kept in memory unless the address says otherwise.
const MEMORY: usize = 256 << 20;

impl UrlOptions {
    fn with(self, option: &str) -> Result<Self> {
        Ok(match option {
            "" => self,
            "secure=1" | "secure=true" => Self { secure: true, ..self },
            "secure=0" | "secure=false" => Self { secure: false, ..self },
            "classify=rust" => Self { classify: Classify::Rust, ..self },
            "classify=sql" => Self { classify: Classify::Sql, ..self },
            _ => match option.strip_prefix("memory=").map(str::parse::<u16>) {
                Some(Ok(mebibytes)) => Self { memory: usize::from(mebibytes) << 20, ..self },
                Some(Err(_)) => return refuse("memory= needs a number of MiB from 0 to 65535"),
                None => {
                    return refuse(
                        "the only options after '?' are secure=1, classify=rust or classify=sql, and memory=MIB",
                    );
                }
            },
        })
    }
}

/// The address of a store, as in `clickhouse://user:password@host:8123/database`.
///
/// `clickhouses://` or `?secure=1` encrypts; `?classify=` chooses who [classifies](Classify), and `?memory=` how many MiB
/// of counts are kept in memory. The password may also come from elsewhere; it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
    secure: bool,
    classify: Classify,
    memory: usize,
    user: String,
    password: Option<String>,
    database: String,
}

const PLAIN: &str = "clickhouse://";
const SECURE: &str = "clickhouses://";
/// ClickHouse's ports for HTTP and HTTPS.
const PORTS: [u16; 2] = [8123, 8443];

impl Address {
    /// Whether a text is the address of a ClickHouse server, and not the path of a directory.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(PLAIN) || text.starts_with(SECURE)
    }

    /// Parses an address.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with what is wrong with it. The message does not show the password.
    pub fn parse(text: &str) -> Result<Self> {
        let (rest, secure) = match (text.strip_prefix(PLAIN), text.strip_prefix(SECURE)) {
            (Some(rest), _) => (rest, false),
            (_, Some(rest)) => (rest, true),
            _ => return refuse("it does not begin with clickhouse:// or clickhouses://"),
        };
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        let options = options.split('&').try_fold(
            UrlOptions { secure, classify: Classify::default(), memory: MEMORY },
            UrlOptions::with,
        )?;
        let UrlOptions { secure, classify, memory } = options;
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (login, None),
        };
        let (host, port) = host_and_port(place, secure)?;
        let or_default = |text: String| if text.is_empty() { "default".to_owned() } else { text };
        Ok(Self {
            host,
            port,
            secure,
            classify,
            memory,
            user: or_default(decode(user)?),
            password: password.map(decode).transpose()?,
            database: or_default(decode(database)?),
        })
    }

    /// Takes the password from a file, or else from the environment, unless the address has one.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the file cannot be read.
    pub fn with_secret(mut self, file: Option<&Path>, environment: Option<String>) -> Result<Self> {
        if self.password.is_some() {
            return Ok(self);
        }
        self.password = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    StoreError::Refused(format!("cannot read the password file {}: {error}", path.display()))
                })?;
                Some(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            None => environment,
        };
        Ok(self)
    }

    /// The database of the store.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Whether both addresses name the same database, whatever the user.
    #[must_use]
    pub fn is_same_database(&self, other: &Self) -> bool {
        (&self.host, self.port, &self.database) == (&other.host, other.port, &other.database)
    }

    /// Who classifies the packets of windows.
    #[must_use]
    pub const fn classify(&self) -> Classify {
        self.classify
    }

    /// The bytes of counts that are kept in memory.
    #[must_use]
    pub const fn memory(&self) -> usize {
        self.memory
    }

    /// The server's name or IP address, the latter without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The server's port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The same server with another database.
    #[must_use]
    pub fn with_database(mut self, database: &str) -> Self {
        database.clone_into(&mut self.database);
        self
    }

    /// The same server with the database of a data set, which has its name behind that of the database of `tcp`.
    #[must_use]
    pub fn of_data_set(&self, data_set: DataSet) -> Self {
        let database = match data_set {
            DataSet::Tcp => self.database.clone(),
            data_set => format!("{}_{data_set}", self.database),
        };
        self.clone().with_database(&database)
    }

    pub(crate) fn client(&self) -> Result<Client> {
        let (scheme, client) = match self.secure {
            true => ("https", encrypted()?),
            false => ("http", over(connector())),
        };
        let client = client.with_url(format!("{scheme}://{}:{}", self.host, self.port)).with_user(&self.user);
        Ok(match &self.password {
            Some(password) => client.with_password(password),
            None => client,
        })
    }

    /// Host and port, for messages.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

fn encrypted() -> Result<Client> {
    let mut connector = connector();
    connector.enforce_http(false);
    let provider = rustls::crypto::ring::default_provider();
    let secured = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider).map_err(|error| {
        StoreError::Refused(format!(
            "the system has no certificates to know servers by: apt-get install ca-certificates ({error})"
        ))
    })?;
    Ok(over(secured.https_only().enable_http1().wrap_connector(connector)))
}

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    // A connection that died without a word is given up before those who wait for it lose patience.
    connector.set_connect_timeout(Some(Duration::from_secs(5)));
    #[cfg(target_os = "linux")]
    connector.set_tcp_user_timeout(Some(Duration::from_secs(10)));
    connector.set_keepalive(Some(Duration::from_secs(10)));
    connector.set_keepalive_interval(Some(Duration::from_secs(5)));
    connector.set_keepalive_retries(Some(2));
    // The rows of an insert follow its head: without this they wait 40 ms for the server's acknowledgement.
    connector.set_nodelay(true);
    connector
}

/// Builds a client. (Servers close connections that are idle for 3 seconds.)
fn over<C: Connect + Clone + Send + Sync + 'static>(connector: C) -> Client {
    let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(Duration::from_secs(2))
        .build(connector);
    Client::with_http_client(client)
}

fn refuse<T>(why: &str) -> Result<T> {
    Err(StoreError::Refused(format!(
        "the address of the store cannot be used: {why}; it looks like clickhouse://user:password@host:8123/database"
    )))
}

fn host_and_port(place: &str, secure: bool) -> Result<(String, u16)> {
    let usual = PORTS[usize::from(secure)];
    // Not the colons within an IPv6 address.
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (place, None),
    };
    let is_v6 = host.starts_with('[') && host.ends_with(']');
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    if host.is_empty() || !(is_v6 || host.chars().all(is_name)) {
        return refuse("its host is none");
    }
    match port.map(str::parse::<u16>) {
        None => Ok((host.to_owned(), usual)),
        Some(Ok(port)) if port > 0 => Ok((host.to_owned(), port)),
        Some(_) => refuse("its port is none"),
    }
}

/// Decodes `%41` as A, for characters that have a meaning in addresses.
fn decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let code = rest.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) else {
            return refuse("a '%' in it is not followed by two hexadecimal digits (%25 is a '%')");
        };
        bytes.push(byte);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).or_else(|_| refuse("it is not UTF-8"))
}

/// Does not show the password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { SECURE } else { PLAIN };
        write!(f, "{scheme}{}@{}:{}/{}", self.user, self.host, self.port, self.database)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_without_the_password() {
        let shown = |text: &str| Address::parse(text).unwrap().to_string();
        assert_eq!(shown("clickhouse://u:p%40ss@db:9000/cuts"), "clickhouse://u@db:9000/cuts");
        assert_eq!(shown("clickhouse://db"), "clickhouse://default@db:8123/default");
        assert_eq!(shown("clickhouses://[::1]/x"), "clickhouses://default@[::1]:8443/x");
        assert_eq!(shown("clickhouse://a@h/x?secure=1"), "clickhouses://a@h:8443/x");
        let classify = |text: &str| Address::parse(text).map(|address| address.classify()).ok();
        assert_eq!(classify("clickhouse://h/x"), Some(Classify::Rust));
        assert_eq!(classify("clickhouse://h/x?secure=1&classify=sql"), Some(Classify::Sql));
        assert_eq!(classify("clickhouse://h/x?classify=by-hand"), None);
        let memory = |text: &str| Address::parse(text).map(|address| address.memory()).ok();
        assert_eq!(memory("clickhouse://h/x"), Some(256 << 20));
        assert_eq!(memory("clickhouse://h/x?memory=0"), Some(0));
        assert_eq!(memory("clickhouse://h/x?memory=1024"), Some(1 << 30));
        assert_eq!(memory("clickhouse://h/x?memory=much"), None);
        let address = Address::parse("clickhouse://u:p%40s@db").unwrap();
        assert_eq!(address.password.as_deref(), Some("p@s"));
        assert!(!format!("{address:?}").contains("p@s"));
    }

    #[test]
    fn what_is_no_address_is_refused_without_the_password() {
        for text in [
            "clickhouse://u:secret@",
            "clickhouse://u:secret@h:x",
            "clickhouse://u:secret%zz@h",
            "http://u:secret@h",
            "clickhouse://u:secret@h?x=1",
            "clickhouse://u:secret@h:0/",
            "clickhouse://u:secret@a b",
        ] {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn passwords_come_from_a_file_or_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "from file\n").unwrap();
        let of = |text: &str, file: Option<&Path>| {
            let address = Address::parse(text).unwrap();
            address.with_secret(file, Some("environment".to_owned())).unwrap().password.unwrap()
        };
        assert_eq!(of("clickhouse://h", Some(&file)), "from file");
        assert_eq!(of("clickhouse://h", None), "environment");
        assert_eq!(of("clickhouse://u:own@h", Some(&file)), "own");
        let missing =
            Address::parse("clickhouse://h").unwrap().with_secret(Some(&folder.path().join("no")), None);
        assert!(missing.is_err());
    }
}
