use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use super::*;

mod ways;

const ID: &str = "0000000000000000000000000000000a";

fn kept(id: &str) -> String {
    format!("{{\"success\":true,\"errors\":[],\"result\":{{\"id\":\"{id}\",\"packets\":3}}}}")
}

fn problem(message: &str) -> String {
    format!(
        "{{\"success\":false,\"errors\":[{{\"code\":2001,\"message\":\"{message}\"}}],\"messages\":[],\"result\":{{}}}}"
    )
}

#[test]
fn only_the_words_of_a_collector_count() {
    let html = "<html>Welcome to the hotel's network</html>";
    let cases = [
        (201, kept(ID), "kept"),
        (200, kept(ID), "kept"),
        (200, kept("b"), "later"),
        (200, html.to_owned(), "later"),
        (204, String::new(), "later"),
        (302, html.to_owned(), "blocked"),
        (400, problem("bad order"), "refused"),
        (400, html.to_owned(), "later"),
        (401, problem("no token"), "blocked"),
        (401, html.to_owned(), "blocked"),
        (403, problem("not for this"), "blocked"),
        (404, html.to_owned(), "blocked"),
        (413, problem("too long"), "refused"),
        (413, html.to_owned(), "blocked"),
        (429, problem("too many"), "later"),
        (500, html.to_owned(), "later"),
        (503, problem("busy"), "later"),
        (507, problem("full"), "later"),
        (999, "\u{0}".to_owned(), "later"),
    ];
    for (status, body, expected) in cases {
        let delivered = judge("http://c", ID, status, &body);
        let name = match &delivered {
            Delivered::Kept => "kept",
            Delivered::Refused(_) => "refused",
            Delivered::Later(_) => "later",
            Delivered::Blocked(_) => "blocked",
        };
        assert_eq!(name, expected, "{status} {body}: {delivered:?}");
    }
}

/// A server that gives each connection the next of these answers, and what it was sent.
fn server(answers: Vec<Vec<u8>>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let answer = |answer: Vec<u8>| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !request.ends_with(b"the segment") {
                let len = stream.read(&mut buffer).unwrap();
                assert!(len > 0, "{}", String::from_utf8_lossy(&request));
                request.extend_from_slice(&buffer[..len]);
            }
            let _ = stream.write_all(&answer);
            if answer.is_empty() {
                // Silence, until the client has gone.
                let _ = stream.read(&mut buffer);
            }
            String::from_utf8_lossy(&request).to_lowercase()
        };
        answers.into_iter().map(answer).collect()
    });
    (url, asked)
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

fn collector(url: &str, token: Token) -> HttpCollector {
    let timeout = Duration::from_secs(1);
    HttpCollector::new(&HttpSettings { url: url.to_owned(), token, ca_file: None, proxy: None, timeout })
        .unwrap()
}

fn deliver(collector: &mut HttpCollector) -> Delivered {
    collector.deliver(ID, b"the segment".to_vec())
}

#[test]
fn segments_are_posted_with_the_token() {
    let garbage = b"\x00\xff\x01 nonsense \r\n\r\n".to_vec();
    let cut = b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{\"resu".to_vec();
    let endless = format!("HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n{}", "x".repeat(900_000));
    let answers = vec![answer("201 Created", &kept(ID)), garbage, cut, endless.into_bytes(), Vec::new()];
    let (url, asked) = server(answers);
    let counts = AgentCounts { received: 7, ..AgentCounts::default() };
    let collector = collector(&url, Token::Text("secret".to_owned()));
    let mut collector = collector.with_counts(Arc::new(Mutex::new(counts)));
    assert_eq!(deliver(&mut collector), Delivered::Kept);
    for what in ["garbage", "cut off", "endless", "silence"] {
        let delivered = deliver(&mut collector);
        assert!(matches!(delivered, Delivered::Later(_)), "{what}: {delivered:?}");
    }
    for request in asked.join().unwrap() {
        assert!(request.starts_with("post /ingest/v1/segments http/1.1\r\n"), "{request}");
        assert!(request.contains("authorization: bearer secret\r\n"), "{request}");
        assert!(request.contains("content-length: 11\r\n"), "{request}");
        assert!(request.contains(&format!("cutshort-agent: {counts}\r\n")), "{request}");
    }
    let delivered = deliver(&mut collector);
    assert!(matches!(&delivered, Delivered::Later(why) if why.contains("refused")), "{delivered:?}");
}

#[test]
fn a_token_that_was_mended_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "old\n").unwrap();
    let wrong = answer("401 Unauthorized", &problem("no such token"));
    let (url, asked) = server(vec![wrong.clone(), wrong, answer("200 OK", &kept(ID))]);
    let mut collector = collector(&url, Token::read(&path).unwrap());
    let delivered = deliver(&mut collector);
    assert!(matches!(&delivered, Delivered::Blocked(why) if why.contains("token create")), "{delivered:?}");
    std::fs::write(&path, "new\n").unwrap();
    assert_eq!(deliver(&mut collector), Delivered::Kept);
    let asked = asked.join().unwrap();
    assert!(asked[1].contains("bearer old") && asked[2].contains("bearer new"));
}

#[test]
fn settings_that_cannot_be_are_refused_with_what_to_do() {
    for (url, is_https) in [("http://a", false), ("https://a:8443/b/", true), ("http://[::1]:80", false)] {
        assert_eq!(check_url(url), Ok(is_https));
    }
    for url in ["", "a:80", "ftp://a", "http://", "http:///x", "http://me:pw@a", "http://a?b", "http://a b"] {
        assert!(check_url(url).is_err(), "{url}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    assert!(Token::read(&path).is_err());
    for text in ["", "\n", "two words"] {
        std::fs::write(&path, text).unwrap();
        assert!(Token::read(&path).is_err(), "{text}");
        assert!(cutshort_client::read_certificates(&path).unwrap_err().contains("no certificate"));
    }
    assert!(!format!("{:?}", Token::Text("secret".to_owned())).contains("secret"));
}

#[test]
fn a_collector_is_probed_with_nothing() {
    let refused = problem("the body is empty: a segment is expected");
    let answers = [("400 Bad Request", refused), ("401 Unauthorized", problem("no such token"))];
    let probes = answers.map(|(status, body)| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let date = "Date: Sun, 22 Nov 2026 05:00:00 GMT";
        let answer = format!("HTTP/1.1 {status}\r\n{date}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let probe = collector(&url, Token::Text("secret".to_owned())).probe();
        thread.join().unwrap();
        assert_eq!(probe.date.as_deref(), Some("Sun, 22 Nov 2026 05:00:00 GMT"));
        probe
    });
    assert!(matches!(probes[0].delivered, Delivered::Refused(_)) && probes[0].status == Some(400));
    assert!(matches!(probes[1].delivered, Delivered::Blocked(_)) && probes[1].status == Some(401));
}
