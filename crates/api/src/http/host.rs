//! What a server may be called that listens on this machine only.
//!
//! A web page of anywhere can have its own name resolve to 127.0.0.1, and then ask as if it was asked by its own server
//! (DNS rebinding). Such requests carry the page's name.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, header};
use axum::middleware::Next;

use super::app::App;
use super::reply::problem;
use crate::problem::Problem;

/// Answers requests to this machine's own names, and to those of the settings.
pub(super) async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response<Body> {
    match app.options.hosts.as_deref().and_then(|names| stranger(&request, names)) {
        Some(host) => problem(&Problem::other_host(&host)),
        None => next.run(request).await,
    }
}

/// The name that a request is for, if it is none of these.
fn stranger(request: &Request, names: &[String]) -> Option<String> {
    let header = request.headers().get_all(header::HOST).iter();
    let header = header.map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    let authority = request.uri().authority().map(ToString::to_string);
    header.chain(authority).find(|host| !is_own(host, names))
}

fn is_own(host: &str, names: &[String]) -> bool {
    let host = name(host);
    let is_local = match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    };
    is_local || names.iter().any(|own| own == "*" || name(own) == host)
}

/// The name without a port, and without the brackets of IPv6.
fn name(host: &str) -> String {
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default(),
        None => host,
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_port_and_case() {
        let names = ["Cutshort.example.org".to_owned(), "2001:db8::1".to_owned()];
        for own in [
            "localhost",
            "LOCALHOST.:8080",
            "a.localhost",
            "127.0.0.1:8080",
            "127.9.9.9",
            "[::1]:8080",
            "[::ffff:127.0.0.1]",
            "cutshort.example.org:443",
            "[2001:db8::1]:80",
        ] {
            assert!(is_own(own, &names), "{own}");
        }
        for other in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8080",
            "192.0.2.1",
            "",
            "[::2]",
        ] {
            assert!(!is_own(other, &names), "{other}");
        }
        assert!(is_own("evil.example", &["*".to_owned()]));
    }
}
