//! HTTP requests to servers that the operator has named: who is trusted, what a sandbox must leave, and errors in words.
//!
//! Redirects are not followed, and what is sent ignores the environment's proxies: it is for the server that was named.

mod fetch;
mod needs;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, TcpConnector};
use ureq::{Agent, Error, Proxy};

use tls::Encryption;

pub use fetch::fetch;
pub use needs::{CERTIFICATES, reaching};
pub use tls::{Trust, Verifier, read_certificates, trusted_certificates};

const CONNECT: Duration = Duration::from_secs(10);

/// How requests are made.
pub struct ClientSettings {
    /// The proxy to connect through.
    pub proxy: Option<Proxy>,
    /// Who is trusted; none if nothing is encrypted.
    pub trust: Option<Arc<Trust>>,
    /// The time limit of a request with its answer.
    pub timeout: Duration,
    /// How long a server may be silent that has got all of a request.
    pub answer: Duration,
}

/// Makes what sends requests. Answers with an error status are answers.
#[must_use]
pub fn agent(settings: ClientSettings) -> Agent {
    let ClientSettings { proxy, trust, timeout, answer } = settings;
    let config = Agent::config_builder()
        // A secret is for the server that was named, by the way that was named, not by the environment's.
        .proxy(proxy)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(timeout))
        .timeout_recv_response(Some(answer.min(timeout)))
        .timeout_connect(Some(CONNECT.min(timeout)))
        .user_agent(concat!("cutshort/", env!("CARGO_PKG_VERSION")))
        .build();
    let connector =
        ().chain(ConnectProxyConnector::default()).chain(TcpConnector::default()).chain(Encryption(trust));
    Agent::with_parts(config, connector, DefaultResolver::default())
}

/// The host and port of a URL, and whether connections there are encrypted. IPv6 addresses are without brackets.
#[must_use]
pub fn peer(url: &Uri) -> (String, u16, bool) {
    let is_https = url.scheme_str() == Some("https");
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    (host.to_owned(), url.port_u16().unwrap_or(if is_https { 443 } else { 80 }), is_https)
}

/// Says why there was no answer from `server`, and what to do about it.
#[must_use]
pub fn describe(server: &str, error: &Error) -> String {
    match error {
        Error::Timeout(_) => format!("{server} does not answer in time"),
        Error::HostNotFound => format!("{server}: the name is not known"),
        Error::ConnectProxyFailed(why) => format!("{server}: the proxy does not connect: {why}"),
        error => {
            let text = error.to_string();
            let cure = tls::cure(&text).map(|cure| format!(": {cure}")).unwrap_or_default();
            format!("{server}: {text}{cure}")
        }
    }
}
