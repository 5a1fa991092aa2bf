//! Segments over HTTP to a collector, which is `cutshort serve` somewhere.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cutshort_client::{ClientSettings, Trust, describe};
use cutshort_pipeline::live::{AgentCounts, Collector, Delivered};
use serde::Deserialize;
use ureq::http::{Response, Uri};
use ureq::{Agent, Body, Error, Proxy, ProxyProtocol};

/// How a collector is reached.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The collector's address, such as `https://collector.example.org`.
    pub url: String,
    /// The token that allows sending packets there.
    pub token: Token,
    /// A file of trusted certificates (PEM): authorities, or the collector's own. Without one, the system's are trusted.
    /// The file may change while the program runs.
    pub ca_file: Option<PathBuf>,
    /// The HTTP proxy to connect through, such as `http://proxy.example.org:3128`. Proxies of the environment are
    /// ignored.
    pub proxy: Option<String>,
    /// The time limit of a delivery.
    pub timeout: Duration,
}

/// A token, or the file that contains it, which may change while the program runs.
#[derive(Clone)]
pub enum Token {
    /// The token itself.
    Text(String),
    /// The file, and the token that was read from it last.
    File(PathBuf, String),
}

impl Token {
    /// Reads a token from a file, which contains nothing else.
    ///
    /// # Errors
    /// A text that names the file, if it cannot be read, is empty, or contains more than one word.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        match text.trim() {
            "" => Err(format!("{}: there is no token in it", path.display())),
            token if token.contains(char::is_whitespace) => {
                Err(format!("{}: there is more than a token in it", path.display()))
            }
            token => Ok(Self::File(path.to_owned(), token.to_owned())),
        }
    }

    /// The file from which the token is read again when it is refused.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Text(_) => None,
            Self::File(path, _) => Some(path),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::File(_, text) => text,
        }
    }

    /// Looks at the file again; false if there is nothing new.
    fn refresh(&mut self) -> bool {
        let Self::File(path, text) = self else { return false };
        match Self::read(path) {
            Ok(Self::File(_, new)) if new != *text => {
                *text = new;
                true
            }
            _ => false,
        }
    }
}

/// It is a secret.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Token"),
            Self::File(path, _) => write!(f, "Token({})", path.display()),
        }
    }
}

/// A collector that is reached over HTTP or HTTPS.
pub struct HttpCollector {
    agent: Agent,
    url: String,
    token: Token,
    /// None without encryption.
    trust: Option<Arc<Trust>>,
    counts: Option<Arc<Mutex<AgentCounts>>>,
}

/// Longer answers are none of a collector.
const LONGEST: u64 = 64 << 10;
/// How long a collector may be silent that has got all of a segment.
const ANSWER: Duration = Duration::from_mins(2);
/// Where segments are taken.
const PATH: &str = "/ingest/v1/segments";

impl HttpCollector {
    /// Reads the certificates. Does not connect yet.
    ///
    /// # Errors
    /// A text that says what to change, if the address, the proxy or the file of certificates cannot be used.
    pub fn new(settings: &HttpSettings) -> Result<Self, String> {
        let is_https = check_url(&settings.url)?;
        let proxy = settings.proxy.as_deref().map(read_proxy).transpose()?;
        let is_encrypted =
            is_https || proxy.as_ref().is_some_and(|proxy| proxy.protocol() == ProxyProtocol::Https);
        let trust =
            is_encrypted.then(|| Trust::new(settings.ca_file.as_deref()).map(Arc::new)).transpose()?;
        let url = format!("{}{PATH}", settings.url.trim_end_matches('/'));
        url.parse::<Uri>().map_err(|error| format!("'{}': {error}", settings.url))?;
        let timeout = settings.timeout;
        let agent =
            cutshort_client::agent(ClientSettings { proxy, trust: trust.clone(), timeout, answer: ANSWER });
        Ok(Self { agent, url, token: settings.token.clone(), trust, counts: None })
    }

    /// Sends the current value of these counts with each segment.
    #[must_use]
    pub fn with_counts(self, counts: Arc<Mutex<AgentCounts>>) -> Self {
        Self { counts: Some(counts), ..self }
    }

    /// The collector's host and port, and whether the connection is encrypted. IPv6 addresses are without brackets.
    #[must_use]
    pub fn peer(&self) -> (String, u16, bool) {
        cutshort_client::peer(&self.url.parse().unwrap_or_default())
    }

    /// The host and port of the proxy, if there is one. IPv6 addresses are without brackets.
    #[must_use]
    pub fn proxy(&self) -> Option<(String, u16)> {
        let proxy = self.agent.config().proxy()?;
        let host = proxy.host().trim_start_matches('[').trim_end_matches(']');
        Some((host.to_owned(), proxy.port()))
    }

    fn send(&self, segment: &[u8]) -> Result<Got, Error> {
        let request = self.agent.post(&self.url);
        let mut request = request
            .header("authorization", format!("Bearer {}", self.token.text()))
            .content_type("application/octet-stream");
        if let Some(counts) = &self.counts {
            let counts = *counts.lock().unwrap_or_else(PoisonError::into_inner);
            request = request.header(AgentCounts::HEADER, counts.to_string());
        }
        Got::read(request.send(segment)?)
    }

    /// Looks at the files again that say who is trusted, and whom to be; false if there is nothing new.
    fn refresh(&mut self) -> bool {
        let has_new_certificates = self.trust.as_ref().is_some_and(|trust| trust.refresh());
        self.token.refresh() || has_new_certificates
    }

    fn attempt(&self, id: &str, segment: &[u8]) -> Delivered {
        match self.send(segment) {
            Ok(got) => judge(&self.url, id, got.status, &got.body),
            Err(error) => failed(&self.url, &error),
        }
    }

    /// Sends an empty segment. A collector that accepts the token refuses it.
    #[must_use]
    pub fn probe(&self) -> Probe {
        let begin = Instant::now();
        match self.send(&[]) {
            Ok(got) => Probe {
                delivered: judge(&self.url, "", got.status, &got.body),
                status: Some(got.status),
                date: got.date,
                took: begin.elapsed(),
            },
            Err(error) => Probe {
                delivered: failed(&self.url, &error),
                status: None,
                date: None,
                took: begin.elapsed(),
            },
        }
    }

    /// Asks whether a server is ready: the status and the body of its answer to `/readyz`.
    ///
    /// # Errors
    /// A text that says why there is no answer.
    pub fn ready(&self) -> Result<(u16, String), String> {
        let url = self.url.replace(PATH, "/readyz");
        let got = self.agent.get(&url).call().and_then(Got::read);
        got.map(|got| (got.status, got.body)).map_err(|error| describe(&url, &error))
    }
}

/// What was answered.
struct Got {
    status: u16,
    date: Option<String>,
    body: String,
}

impl Got {
    fn read(mut answer: Response<Body>) -> Result<Self, Error> {
        let body = answer.body_mut().with_config().limit(LONGEST).read_to_vec()?;
        let date = answer.headers().get("date").and_then(|date| date.to_str().ok()).map(str::to_owned);
        Ok(Self { status: answer.status().as_u16(), date, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

/// The answer of a collector to an empty segment.
#[derive(Clone, Debug)]
pub struct Probe {
    /// [`Delivered::Refused`] from a collector that accepts the token; otherwise what is wrong.
    pub delivered: Delivered,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The collector's time, in the format of HTTP.
    pub date: Option<String>,
    /// The time until the answer or the error.
    pub took: Duration,
}

impl Collector for HttpCollector {
    fn deliver(&mut self, id: &str, segment: Vec<u8>) -> Delivered {
        match self.attempt(id, &segment) {
            Delivered::Blocked(_) if self.refresh() => self.attempt(id, &segment),
            delivered => delivered,
        }
    }
}

/// Whether it is one of https.
fn check_url(url: &str) -> Result<bool, String> {
    let rest =
        |scheme| url.strip_prefix(scheme).filter(|rest: &&str| !rest.is_empty() && !rest.starts_with('/'));
    match (rest("https://"), rest("http://")) {
        _ if url.contains(['?', '#', '@']) || url.contains(char::is_whitespace) => {
            Err(format!("'{url}' has more than a collector's address needs: host, port and perhaps a path"))
        }
        (Some(_), _) => Ok(true),
        (_, Some(_)) => Ok(false),
        _ => Err(format!("'{url}' is no collector's address, such as https://collector.example.org")),
    }
}

/// Messages do not repeat it: it may have a password.
fn read_proxy(url: &str) -> Result<Proxy, String> {
    const WRONG: &str = "proxy: that is no proxy's address, such as http://proxy.example.org:3128";
    let is_http = url.starts_with("http://") || url.starts_with("https://");
    let proxy = Proxy::new(url).ok().filter(|proxy| is_http && !proxy.host().is_empty());
    proxy.ok_or_else(|| WRONG.to_owned())
}

/// What a collector answers.
#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default)]
    result: Option<Kept>,
    #[serde(default)]
    errors: Vec<Problem>,
}

/// Empty beside errors.
#[derive(Deserialize)]
struct Kept {
    #[serde(default)]
    id: String,
}

#[derive(Deserialize)]
struct Problem {
    message: String,
}

/// What an answer means. Only a collector's own words count: anything may stand in between.
fn judge(url: &str, id: &str, status: u16, body: &str) -> Delivered {
    let answer: Option<Answer> = serde_json::from_str(body).ok();
    let kept = answer.as_ref().and_then(|answer| answer.result.as_ref());
    let is_kept = kept.is_some_and(|kept| !id.is_empty() && kept.id == id);
    let own = answer.and_then(|answer| answer.errors.into_iter().next()).map(|problem| problem.message);
    let said =
        own.as_ref().map_or_else(|| format!("status {status}"), |message| format!("{status}, {message}"));
    match status {
        200 | 201 if is_kept => Delivered::Kept,
        200..=299 => Delivered::Later(format!("{url} does not answer as a collector")),
        300..=399 => {
            Delivered::Blocked(format!("{url} is somewhere else (status {status}): name that address"))
        }
        400 | 413 | 422 if own.is_some() => Delivered::Refused(said),
        400 | 426 | 497 if url.starts_with("http://") && wants_tls(body) => {
            Delivered::Blocked(format!("{url} is a port with TLS ({said}): name https://"))
        }
        401 => Delivered::Blocked(format!(
            "the collector does not know the token ({said}): 'cutshort token create --scope ingest' makes one there"
        )),
        403 => Delivered::Blocked(format!("the token does not allow sending packets ({said})")),
        404 | 405 => Delivered::Blocked(format!("there is no collector at {url} ({said})")),
        413 => Delivered::Blocked(format!(
            "something before the collector takes no request of this size ({said}): raise its limit, such as nginx's \
             client_max_body_size"
        )),
        _ => Delivered::Later(format!("the collector cannot take it now ({said})")),
    }
}

/// What web servers say of plain HTTP at a port with TLS.
fn wants_tls(body: &str) -> bool {
    let body = body.to_ascii_lowercase();
    ["https port", "https server", "ssl-enabled", "https scheme"].iter().any(|words| body.contains(words))
}

/// Answers of a proxy that retrying does not change: its rules or the address have to be corrected.
const REFUSALS: [&str; 4] = ["400", "403", "405", "407"];

fn failed(url: &str, error: &Error) -> Delivered {
    let text = describe(url, error);
    match error {
        Error::Tls(_) | Error::Rustls(_) | Error::BadUri(_) => Delivered::Blocked(text),
        // Certificates are checked while connecting.
        Error::Io(error) if is_of_tls(&error.to_string()) => Delivered::Blocked(text),
        Error::ConnectProxyFailed(why) if REFUSALS.iter().any(|status| why.ends_with(status)) => {
            Delivered::Blocked(text)
        }
        _ => Delivered::Later(text),
    }
}

/// Whether it is about certificates, or about something that is no TLS.
fn is_of_tls(error: &str) -> bool {
    error.contains("certificate") || error.contains("corrupt message")
}

#[cfg(test)]
mod tests;
