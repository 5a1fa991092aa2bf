//! Answers that may be kept, compressed answers, and answers that do not come in time.

use axum::body::Body;
use axum::http::Request;
use cutshort_store::StoreError;
use cutshort_verdict::Stage;

use crate::client::{DAY, END, Got, RADAR, Server, WINDOW, open};
use crate::memory::{Memory, connection};

fn store() -> Memory {
    Memory::of(vec![
        connection(END - DAY, "US", 174, Stage::None, 10),
        connection(END - 3 * DAY, "US", 174, Stage::None, 10),
    ])
}

fn with(server: &Server, path: &str, header: &str, value: &str) -> Got {
    let builder = Request::get(format!("{RADAR}{path}")).header(header, value);
    server.send(builder.body(Body::empty()).unwrap())
}

#[test]
fn answers_of_closed_windows_may_be_kept() {
    let server = Server::of(store());
    let got = server.radar("/summary");
    let tag = got.header("etag").to_owned();
    assert!(tag.starts_with("W/\"") && got.header("cache-control").contains("max-age=60"));
    assert_eq!(got.header("last-modified"), "Tue, 13 Jan 2026 12:15:30 GMT");
    let again = with(&server, "/summary", "if-none-match", &tag);
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    assert_eq!(again.header("etag"), tag);
    assert_eq!(with(&server, "/summary", "if-none-match", "\"other\"").status, 200);
    assert_eq!(with(&server, "/summary", "if-none-match", &format!("\"x\", {tag}")).status, 304);
    assert_eq!(with(&server, "/summary?dateRange=2d", "if-none-match", &tag).status, 200);
    assert_eq!(with(&server, "/summary", "if-modified-since", "Tue, 13 Jan 2026 12:15:30 GMT").status, 304);
    assert_eq!(with(&server, "/summary", "if-modified-since", "Tue, 13 Jan 2026 12:15:29 GMT").status, 200);
}

#[test]
fn answers_to_which_more_comes_may_not() {
    let pending = Server::of(Memory { pending: vec![END - WINDOW], ..store() });
    for (server, query) in
        [(&pending, ""), (&Server::of(store()), "?dateStart=2026-01-13&dateEnd=2026-01-15")]
    {
        let got = server.radar(&format!("/summary{query}"));
        assert_eq!(got.header("cache-control"), "no-store");
        assert!(!got.headers.contains_key("etag"));
    }
    let closed = pending.radar("/summary?dateStart=2026-01-10&dateEnd=2026-01-12");
    assert_eq!(closed.status, 200);
    assert!(closed.headers.contains_key("etag"), "what is pending lies outside");
}

#[test]
fn the_same_question_is_answered_from_memory_until_something_changes() {
    let store = std::sync::Arc::new(store());
    let server = Server::with_parts(store.clone(), open(), None);
    let first = server.radar("/summary").text;
    let count = |server: &Server| {
        let text = server.get("/metrics").text;
        text.lines()
            .find_map(|line| line.strip_prefix("cutshort_http_cache_hits_total ")?.parse::<u64>().ok())
            .unwrap()
    };
    let before = count(&server);
    assert_eq!(server.radar("/summary").text, first);
    assert_eq!(count(&server), before + 1);
    server.radar("/summary?dateRange=2d");
    assert_eq!(count(&server), before + 1);
}

#[test]
fn large_answers_are_compressed_for_those_who_can_read_it() {
    let server = Server::of(store());
    for encoding in ["gzip", "zstd"] {
        let got = with(&server, "/terms", "accept-encoding", encoding);
        assert_eq!(got.header("content-encoding"), encoding);
        assert!(got.header("vary").to_ascii_lowercase().contains("accept-encoding"));
    }
    assert!(!server.radar("/terms").headers.contains_key("content-encoding"));
}

#[test]
fn a_store_that_fails_is_no_reason_to_fall() {
    type Case = (fn() -> StoreError, u16, u64);
    let cases: [Case; 4] = [
        (|| StoreError::Failed("broken".into()), 500, 2000),
        (|| StoreError::Damaged("rollup.sqlite".into()), 500, 2000),
        (|| StoreError::Unavailable("busy".into()), 503, 2003),
        (|| StoreError::Full("no room".into()), 507, 2003),
    ];
    for (error, status, code) in cases {
        let broken = store();
        *broken.broken.lock().unwrap() = Some(error);
        let server = Server::of(broken);
        let got = server.radar("/summary").problem();
        assert_eq!((got.0, got.1), (status, code));
        assert_eq!(server.get("/readyz").status, 503);
        assert_eq!(server.get("/healthz").status, 200);
        assert_eq!(server.get("/metrics").status, 200);
    }
}

#[test]
fn a_panic_is_an_answer_too() {
    let broken = store();
    *broken.broken.lock().unwrap() = Some(|| panic!("on purpose, as a test"));
    let got = Server::of(broken).radar("/summary").problem();
    assert_eq!((got.0, got.1), (500, 2000));
}

#[test]
fn what_takes_too_long_is_given_up() {
    let slow = store();
    *slow.broken.lock().unwrap() = Some(|| {
        std::thread::sleep(std::time::Duration::from_millis(400));
        StoreError::Failed("too late".into())
    });
    let timeout = std::time::Duration::from_millis(50);
    let got = Server::with(slow, cutshort_api::Options { timeout, ..open() }).radar("/summary");
    assert_eq!((got.problem().0, got.problem().1), (503, 2003));
    assert!(got.headers.contains_key("retry-after"));
}

#[test]
fn what_does_not_need_the_store_never_asks_it() {
    let broken = store();
    *broken.broken.lock().unwrap() = Some(|| panic!("the store was asked"));
    let server = Server::of(broken);
    let radar = "/client/v4/radar";
    for path in [
        "/healthz",
        "/docs",
        "/docs/live",
        "/docs/api-reference",
        "/docs/style.css",
        "/openapi.json",
        &format!("{radar}/tcp_resets_timeouts/terms"),
        &format!("{radar}/entities/locations/DE"),
        &format!("{radar}/search/global?query=germany"),
    ] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    assert_eq!(server.get(&format!("{radar}/status")).status, 500);
}
