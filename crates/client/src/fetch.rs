//! Reading a file that somebody else publishes.

use std::sync::Arc;
use std::time::Duration;

use ureq::Proxy;
use ureq::http::{Response, Uri};

use crate::{ClientSettings, Trust, agent, describe, peer};

const TIMEOUT: Duration = Duration::from_mins(5);
/// How long a server may compute its answer.
const ANSWER: Duration = Duration::from_mins(2);

/// The text at a URL (`http` or `https`), of at most `limit` bytes. No secrets are sent, so the environment's proxy
/// (`HTTPS_PROXY`, `ALL_PROXY`) is used.
///
/// # Errors
/// A text for the operator: what is wrong with the URL, or with the answer.
pub fn fetch(url: &str, limit: u64) -> Result<String, String> {
    let uri: Uri = url.parse().map_err(|error| format!("not a URL: {error}"))?;
    let (host, _, is_encrypted) = peer(&uri);
    let trust = is_encrypted.then(|| Trust::new(None).map(Arc::new)).transpose()?;
    let settings = ClientSettings { proxy: Proxy::try_from_env(), trust, timeout: TIMEOUT, answer: ANSWER };
    let mut answer = agent(settings).get(url).call().map_err(|error| describe(&host, &error))?;
    check(&host, &answer)?;
    let bytes = answer.body_mut().with_config().limit(limit).read_to_vec();
    let bytes = bytes.map_err(|error| match error {
        ureq::Error::BodyExceedsLimit(_) => format!("more than {} MB", limit / 1_000_000),
        error => describe(&host, &error),
    })?;
    String::from_utf8(bytes).map_err(|_| "not UTF-8 text".to_owned())
}

fn check<T>(host: &str, answer: &Response<T>) -> Result<(), String> {
    let status = answer.status();
    if status.is_redirection() {
        let location =
            answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
        return Err(format!("{host} redirects to {location}: use that URL"));
    }
    match status.is_success() {
        true => Ok(()),
        false => Err(format!("{host} answers with status {status}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    use super::*;

    /// Fetches what a server on a loopback address answers.
    fn fetched(answer: &'static str) -> Result<String, String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/a?b=c", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            while !lines.next().unwrap().unwrap().is_empty() {}
            stream.write_all(answer.as_bytes()).unwrap();
            first
        });
        let got = fetch(&url, 10);
        assert_eq!(server.join().unwrap(), "GET /a?b=c HTTP/1.1");
        got
    }

    #[test]
    fn what_is_not_the_whole_text_is_an_error() {
        assert_eq!(fetched("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]").unwrap(), "[]");
        let error = |answer| fetched(answer).unwrap_err();
        let moved = error("HTTP/1.1 302 Found\r\nlocation: https://b.example/\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(moved, "127.0.0.1 redirects to https://b.example/: use that URL");
        let missing = error("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(missing, "127.0.0.1 answers with status 404 Not Found");
        let long = error("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n12345678901");
        assert_eq!(long, "more than 0 MB");
        let cut = error("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1234");
        assert!(cut.starts_with("127.0.0.1: "), "{cut}");
    }

    #[test]
    fn servers_that_are_not_there_are_named() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let error = fetch(&format!("http://127.0.0.1:{port}/"), 10).unwrap_err();
        assert!(error.starts_with("127.0.0.1: ") && error.contains("refused"), "{error}");
        assert!(fetch("http://", 10).is_err());
    }
}
