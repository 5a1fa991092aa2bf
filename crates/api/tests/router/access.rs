//! Who may do what, how often, and from which pages.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use cutshort_api::{Options, Rate, Scope, TokenFile};
use cutshort_verdict::Stage;

use crate::client::{DAY, END, Got, RADAR, Server, open};
use crate::memory::{Memory, connection};

fn store() -> Memory {
    Memory::of(vec![connection(END - DAY, "US", 174, Stage::None, 10)])
}

fn token(path: &Path, name: &str, scopes: &[Scope]) -> String {
    let mut file = TokenFile::read(path).unwrap();
    let token = file.create(name, scopes, None, "2026-01-14T12:00:00Z").unwrap();
    file.write(path).unwrap();
    token
}

fn request(method: &str, path: &str, token: &str) -> Request<Body> {
    let builder = Request::builder().method(method).uri(path);
    builder.header("authorization", format!("Bearer {token}")).body(Body::from("{}")).unwrap()
}

fn closed(folder: &Path) -> Server {
    let options = Options { open_read: false, ..open() };
    Server::with_parts(Arc::new(store()), options, Some(TokenFile::path(folder)))
}

#[test]
fn reading_needs_a_token_where_it_is_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let (server, summary) = (closed(folder.path()), format!("{RADAR}/summary"));
    let got = server.get(&summary);
    assert_eq!(got.problem().0, 401);
    assert_eq!(got.problem().1, 10000);
    assert_eq!(got.header("www-authenticate"), "Bearer realm=\"cutshort\"");
    assert!(got.problem().2.contains("cutshort token create --scope read"));
    assert_eq!(server.send(request("GET", &summary, "x")).problem().0, 401);
    // Made while the server runs.
    let reader = token(&TokenFile::path(folder.path()), "reader", &[Scope::Read]);
    let got = server.send(request("GET", &summary, &reader));
    assert_eq!(got.status, 200);
    assert!(got.header("cache-control").starts_with("private"), "{}", got.header("cache-control"));
    assert_eq!(server.send(request("GET", &summary, &format!("{reader}0"))).problem().0, 401);
    for path in ["/healthz", "/readyz", "/openapi.json", "/docs", "/docs/live"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    assert_eq!(server.get("/metrics").status, 401);
}

#[test]
fn clients_of_radar_send_tokens_that_are_none_and_may_read_where_it_is_open() {
    let got =
        Server::of(store()).send(request("GET", &format!("{RADAR}/summary"), "any-token-of-cloudflare"));
    assert_eq!(got.status, 200);
    assert!(got.header("cache-control").starts_with("public"));
}

#[test]
fn writing_always_needs_a_token_of_its_scope() {
    let folder = tempfile::tempdir().unwrap();
    let path = TokenFile::path(folder.path());
    let server = Server::with_parts(Arc::new(store()), open(), Some(path.clone()));
    let outages = "/client/v4/radar/annotations/outages";
    let (reader, writer) =
        (token(&path, "r", &[Scope::Read]), token(&path, "w", &[Scope::Write, Scope::Ingest]));
    let writes = [
        ("POST", outages),
        ("DELETE", "/client/v4/radar/annotations/outages/1"),
        ("POST", "/ingest/v1/segments"),
    ];
    for (method, path) in writes {
        let bare = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        assert_eq!(server.send(bare).problem().0, 401, "{method} {path}");
        let got = server.send(request(method, path, &reader)).problem();
        assert_eq!((got.0, got.1), (403, 9109), "{method} {path}");
        let status = server.send(request(method, path, &writer)).status.as_u16();
        assert!(
            [400, 404].contains(&status),
            "{method} {path}: allowed, but there is nothing to be done: {status}"
        );
    }
}

#[test]
fn revoked_tokens_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = TokenFile::path(folder.path());
    let server = closed(folder.path());
    let reader = token(&path, "r", &[Scope::Read]);
    let ask = || server.send(request("GET", &format!("{RADAR}/summary"), &reader)).status.as_u16();
    assert_eq!(ask(), 200);
    let mut file = TokenFile::read(&path).unwrap();
    assert!(file.revoke("r") && !file.revoke("r"));
    file.write(&path).unwrap();
    assert_eq!(ask(), 401);
}

/// Nobody knows then which tokens were revoked.
#[test]
fn no_token_is_accepted_while_their_file_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = TokenFile::path(folder.path());
    let server = closed(folder.path());
    let reader = token(&path, "r", &[Scope::Read]);
    let ask = || server.send(request("GET", &format!("{RADAR}/summary"), &reader));
    let good = std::fs::read(&path).unwrap();
    assert_eq!(ask().status, 200);
    let damage: [&dyn Fn(); 2] = [&|| std::fs::write(&path, "[[tokens").unwrap(), &|| {
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
    }];
    for damage in damage {
        damage();
        let (status, _, message) = ask().problem();
        assert!(status == 503 && message.contains("cannot read its tokens"), "{message}");
        let got = server.get("/readyz");
        assert!(got.status == 503 && got.text.contains("tokens"), "{}", got.text);
        let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir(&path));
        std::fs::write(&path, &good).unwrap();
        assert_eq!((ask().status.as_u16(), server.get("/readyz").status.as_u16()), (200, 200));
    }
}

#[cfg(unix)]
#[test]
fn the_file_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = TokenFile::path(folder.path());
    token(&path, "a", &[Scope::Read]);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    token(&path, "b", &[Scope::Read]);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

/// Needs to be root, as whoever gives files away does.
#[cfg(unix)]
#[test]
fn the_file_stays_its_owner_s() {
    use std::os::unix::fs::{MetadataExt, chown};
    let folder = tempfile::tempdir().unwrap();
    if chown(folder.path(), Some(65_534), Some(65_533)).is_err() {
        return;
    }
    let path = TokenFile::path(folder.path());
    let owner = || std::fs::metadata(&path).map(|file| (file.uid(), file.gid())).unwrap();
    token(&path, "a", &[Scope::Read]);
    assert_eq!(owner(), (65_534, 65_533), "that of the folder");
    chown(&path, Some(1234), Some(1235)).unwrap();
    let mut file = TokenFile::read(&path).unwrap();
    assert!(file.revoke("a"));
    file.write(&path).unwrap();
    assert_eq!(owner(), (1234, 1235));
}

#[test]
fn only_hashes_are_kept_and_only_for_their_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = TokenFile::path(folder.path());
    let secret = token(&path, "agent", &[Scope::Ingest]);
    assert!(secret.starts_with("cutshort_") && secret.len() == 9 + 64);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&secret[9..]) && text.contains("agent") && text.contains("\"ingest\""), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
    }
    let mut file = TokenFile::read(&path).unwrap();
    assert!(file.create("agent", &[Scope::Read], None, "").unwrap_err().contains("already"));
    std::fs::write(&path, "[[tokens]]").unwrap();
    assert!(TokenFile::read(&path).unwrap_err().to_string().contains("tokens.toml"));
}

fn from(server: &Server, client: &str) -> Got {
    let mut request = Request::get(format!("{RADAR}/summary")).body(Body::empty()).unwrap();
    let address: std::net::SocketAddr = client.parse().unwrap();
    request.extensions_mut().insert(axum::extract::ConnectInfo(address));
    server.send(request)
}

#[test]
fn a_client_that_asks_too_often_is_told_when_to_come_back() {
    let rate = Some(Rate { per_second: 0.1, burst: 3.0 });
    let server = Server::with(store(), Options { rate, ..open() });
    for _ in 0..3 {
        assert_eq!(from(&server, "192.0.2.1:1").status, 200);
    }
    let got = from(&server, "192.0.2.1:2");
    assert_eq!((got.problem().0, got.problem().1), (429, 1015));
    let seconds: u32 = got.header("retry-after").parse().unwrap();
    assert!((9..=10).contains(&seconds));
    assert_eq!(from(&server, "192.0.2.2:1").status, 200, "others are not concerned");
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn names_of_others_are_refused_where_names_are_checked() {
    let ask = |hosts: Option<&[&str]>, path: &str, host: &str| {
        let hosts = hosts.map(|hosts| hosts.iter().map(ToString::to_string).collect());
        let server = Server::with(store(), Options { hosts, ..open() });
        server.send(Request::get(path).header("host", host).body(Body::empty()).unwrap())
    };
    let summary = &format!("{RADAR}/summary");
    for path in [summary, "/", "/healthz", "/metrics", "/nothing"] {
        let (status, code, message) = ask(Some(&[]), path, "evil.example:8080").problem();
        assert_eq!((status, code), (421, 2006), "{path}");
        assert!(message.contains("'evil.example:8080'") && message.contains("'hosts'"), "{message}");
        assert_ne!(ask(Some(&[]), path, "localhost:8080").status, 421, "{path}");
    }
    assert_eq!(ask(Some(&["cutshort.example.org"]), summary, "cutshort.example.org").status, 200);
    assert_eq!(ask(None, summary, "evil.example").status, 200, "not checked on other addresses");
    let server = Server::with(store(), Options { hosts: Some(Vec::new()), ..open() });
    let absolute = |host: &str| server.get(&format!("http://{host}{summary}")).status.as_u16();
    assert_eq!([absolute("evil.example"), absolute("[::1]:80")], [421, 200], "as HTTP/2 has it");
    assert_eq!(server.get(summary).status, 200, "HTTP/1.0 has no names");
}

#[test]
fn behind_a_proxy_clients_are_told_apart_by_what_it_says() {
    let rate = Some(Rate { per_second: 0.001, burst: 1.0 });
    let ask = |server: &Server, forwarded: &str| {
        let builder = Request::get(format!("{RADAR}/summary")).header("x-forwarded-for", forwarded);
        server.send(builder.body(Body::empty()).unwrap()).status.as_u16()
    };
    let server = Server::with(store(), Options { rate, forwarded: true, ..open() });
    assert_eq!(
        [ask(&server, "203.0.113.1"), ask(&server, "198.51.100.9, 203.0.113.1"), ask(&server, "203.0.113.2")],
        [200, 429, 200]
    );
    let server = Server::with(store(), Options { rate, ..open() });
    assert_eq!(
        [ask(&server, "203.0.113.1"), ask(&server, "203.0.113.2")],
        [200, 429],
        "else anybody could say anything"
    );
}

#[test]
fn pages_of_other_origins_may_read_where_the_operator_wants_it() {
    let ask = |server: &Server, method: &str, origin: &str| {
        let builder =
            Request::builder().method(method).uri(format!("{RADAR}/summary")).header("origin", origin);
        server.send(builder.header("access-control-request-method", "GET").body(Body::empty()).unwrap())
    };
    let closed = Server::of(store());
    assert!(!ask(&closed, "GET", "https://example.org").headers.contains_key("access-control-allow-origin"));
    let some = Server::with(store(), Options { origins: vec!["https://example.org".to_owned()], ..open() });
    assert_eq!(
        ask(&some, "GET", "https://example.org").header("access-control-allow-origin"),
        "https://example.org"
    );
    assert!(!ask(&some, "GET", "https://example.com").headers.contains_key("access-control-allow-origin"));
    let all = Server::with(store(), Options { origins: vec!["*".to_owned()], ..open() });
    let preflight = ask(&all, "OPTIONS", "https://example.com");
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert!(!preflight.header("access-control-allow-methods").contains("POST"));
}

#[test]
fn packets_of_a_connection_are_shown_where_connections_are() {
    let query = "/connections/trace?client=198.51.100.7&clientPort=40112&server=203.0.113.5&serverPort=443&time=2026-01-14T11:50:00Z";
    assert_eq!(Server::of(store()).radar(query).problem().0, 403);
    let server = Server::with(store(), Options { connections: true, ..open() });
    let wrong = |query: &str| server.radar(&format!("/connections/trace?{query}")).problem();
    let (status, _, message) =
        wrong("client=198.51.100.7&clientPort=70000&server=::1&serverPort=443&time=2026-01-14");
    assert!(status == 400 && message.starts_with("clientPort:"), "{message}");
    assert!(
        wrong("client=x&clientPort=1&server=::1&serverPort=443&time=2026-01-14").2.starts_with("client:")
    );
    assert!(wrong("client=::1&clientPort=1&server=::1&serverPort=443").2.starts_with("time:"));
    assert_eq!(wrong("client=::1&clientPort=1&server=::1&serverPort=443&time=2026-01-14").0, 404);
    let found = server.radar(query).result();
    let meanings: Vec<_> =
        found["packets"].as_array().unwrap().iter().map(|packet| &packet["meaning"]).collect();
    assert_eq!(meanings, ["SYN", "RST"]);
    assert_eq!((&found["packets"][1]["seconds"], &found["packets"][1]["seq"]), (&1.0.into(), &1.into()));
    assert!(found["reasons"].to_string().contains("SYN → RST"), "{found}");
}

#[test]
fn a_window_with_very_many_packets_is_not_searched_for_one_connection() {
    let ask = |bytes| {
        let cells = vec![connection(END, "US", 174, Stage::None, 10)];
        let server =
            Server::with(Memory { cells, bytes, ..store() }, Options { connections: true, ..open() });
        server.radar("/connections/trace?client=198.51.100.7&clientPort=40112&server=203.0.113.5&serverPort=443&time=2026-01-14T12:00:00Z")
    };
    assert_eq!(ask(64 << 20).status, 200);
    let (status, _, message) = ask(65 << 20).problem();
    assert!(status == 422 && message.contains("65 MB"), "{message}");
}

#[test]
fn a_connection_whose_packets_are_gone_is_said_to_be_so() {
    let server = Server::with(store(), Options { connections: true, ..open() });
    let (status, code, message) = server.radar("/connections/trace?client=198.51.100.8&clientPort=40112&server=203.0.113.5&serverPort=443&time=2026-01-14T12:00:00Z").problem();
    assert_eq!((status, code), (404, 2004));
    assert!(message.contains("shorter time"), "{message}");
}
