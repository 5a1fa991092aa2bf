//! Receivers that get HTTP requests.

mod alertmanager;
mod webhook;

use std::path::PathBuf;
use std::sync::Arc;

use cutshort_client::{CERTIFICATES, ClientSettings, Trust, describe, peer, reaching};
use cutshort_sandbox::Needs;
use ureq::Agent;
use ureq::http::Uri;

use crate::config::{Endpoint, Secret};
use crate::sender::Failure;

pub(crate) use alertmanager::Alertmanager;
pub(crate) use webhook::Webhook;

/// A server that gets POST requests with JSON.
pub(crate) struct Server {
    agent: Agent,
    url: String,
    /// Scheme, host and port: the rest may be secret.
    shown: String,
    authorization: Option<String>,
}

impl Server {
    /// Reads certificates and secrets. `path` is added to the URL.
    pub(crate) fn open(endpoint: &Endpoint, path: &str) -> Result<Self, String> {
        let url = format!("{}{path}", endpoint.url);
        let uri = read_url(&endpoint.url)?;
        let (host, port, is_encrypted) = peer(&uri);
        let trust =
            is_encrypted.then(|| Trust::new(endpoint.ca_file.as_deref()).map(Arc::new)).transpose()?;
        let timeout = endpoint.timeout;
        let agent = cutshort_client::agent(ClientSettings { proxy: None, trust, timeout, answer: timeout });
        let authorization = endpoint.authorization.as_ref().map(Secret::read).transpose()?;
        let scheme = if is_encrypted { "https" } else { "http" };
        Ok(Self { agent, url, shown: format!("{scheme}://{host}:{port}"), authorization })
    }

    /// What a sandbox must leave for it.
    pub(crate) fn needs(&self) -> Needs {
        let (host, port, is_encrypted) = peer(&self.url.parse().unwrap_or_default());
        let mut needs = reaching(&host, port, None);
        if is_encrypted {
            needs.read.extend(CERTIFICATES.map(PathBuf::from));
        }
        needs
    }

    /// Sends a request; a status of 2xx is success.
    pub(crate) fn post(&self, headers: &[(&str, &str)], body: &str) -> Result<(), Failure> {
        let mut request = self.agent.post(&self.url).content_type("application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send(body).map_err(|error| Failure::Later(describe(&self.shown, &error)))?;
        judge(&self.shown, answer.status().as_u16())
    }
}

/// Checks the address of a server.
///
/// # Errors
/// What an address needs.
pub fn check_url(url: &str) -> Result<(), String> {
    read_url(url).map(|_| ())
}

/// Reads the address of a server.
fn read_url(url: &str) -> Result<Uri, String> {
    let uri: Result<Uri, _> = url.parse();
    let is_web = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    match uri.ok().filter(is_web) {
        Some(uri) if uri.authority().is_none_or(|authority| !authority.as_str().contains('@')) => Ok(uri),
        Some(_) => {
            Err("url: put the user and password into 'authorization' or 'authorization_file'".to_owned())
        }
        None => Err("url: write an address such as https://alerts.example.org/hook".to_owned()),
    }
}

/// What a status means.
fn judge(server: &str, status: u16) -> Result<(), Failure> {
    match status {
        200..=299 => Ok(()),
        300..=399 => Err(Failure::Later(format!(
            "{server} redirects (status {status}), which is not followed: name the new address"
        ))),
        400 | 413 | 422 => Err(Failure::Refused(format!("{server} refuses it (status {status})"))),
        _ => Err(Failure::Later(format!("{server} does not accept it (status {status})"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_the_web_and_have_no_password() {
        assert!(read_url("https://a.example/b?c").is_ok() && read_url("http://[::1]:9093").is_ok());
        for wrong in ["a.example", "ftp://a", "http://", "https://me:pw@a.example/"] {
            let error = read_url(wrong).unwrap_err();
            assert!(error.starts_with("url: ") && !error.contains("pw"), "{error}");
        }
    }

    #[test]
    fn only_what_cannot_be_accepted_is_refused() {
        assert!(judge("s", 204).is_ok());
        assert!(matches!(judge("s", 422), Err(Failure::Refused(_))));
        for status in [302, 401, 404, 429, 500, 503] {
            assert!(matches!(judge("s", status), Err(Failure::Later(_))), "{status}");
        }
    }
}
