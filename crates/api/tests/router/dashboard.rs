//! The dashboard's files.

use axum::body::Body;
use axum::http::Request;
use cutshort_api::Options;

use crate::client::Server;
use crate::memory::Memory;

/// A server of which nothing can be read without a token: its page is there all the same.
fn server() -> Server {
    Server::with(Memory::default(), Options::default())
}

/// The addresses of scripts and styles in a page.
fn assets(html: &str) -> Vec<String> {
    let addresses = html.split('"').filter(|part| part.contains("assets/"));
    addresses.map(|address| format!("/{}", address.trim_start_matches(['.', '/']))).collect()
}

#[test]
fn the_page_and_all_that_it_needs_are_there() {
    for page in ["/", "/?view=where&place=PT", "/embed/stages?place=PT"] {
        let got = server().get(page);
        assert_eq!(got.status, 200, "{page}");
        assert_eq!(got.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(got.header("cache-control"), "no-cache");
        let assets = assets(&got.text);
        assert!(assets.len() >= 2, "{}", got.text);
        for asset in assets {
            let got = server().get(&asset);
            assert_eq!(got.status, 200, "{asset}");
            assert_eq!(got.header("cache-control"), "public, max-age=31536000, immutable");
        }
    }
    assert_eq!(server().get("/favicon.svg").header("content-type"), "image/svg+xml");
    assert!(
        server().get("/licences.txt").text.contains("d3-geo"),
        "what is built in is named with its licence"
    );
}

#[test]
fn nothing_comes_from_elsewhere_and_nothing_stands_inline() {
    for (page, frames) in [("/", "frame-ancestors 'self'"), ("/embed/stages", "frame-ancestors *")] {
        let got = server().get(page);
        let policy = got.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self';") && policy.ends_with(frames), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!got.text.contains("<style") && !got.text.contains("http"), "{}", got.text);
        let scripts = got.text.matches("<script").count();
        assert_eq!(
            scripts,
            got.text.matches("<script type=\"module\" crossorigin src=\".").count(),
            "{}",
            got.text
        );
    }
}

#[test]
fn a_page_that_has_not_changed_is_not_sent_again() {
    let tag = server().get("/").header("etag").to_owned();
    let request = Request::get("/").header("if-none-match", &tag).body(Body::empty()).unwrap();
    let got = server().send(request);
    assert_eq!((got.status.as_u16(), got.text.len()), (304, 0));
}

/// People get a page, programs the API's error.
#[test]
fn an_address_that_does_not_exist_is_explained() {
    let ask = |path: &str, accept: &str| {
        server().send(Request::get(path).header("accept", accept).body(Body::empty()).unwrap())
    };
    let got = ask("/nosuchpage", "text/html,application/xhtml+xml,*/*;q=0.8");
    assert_eq!((got.status.as_u16(), got.header("content-type")), (404, "text/html; charset=utf-8"));
    assert!(got.text.contains("There is no such page"), "{}", got.text);
    assert_eq!(ask("/nosuchpage", "*/*").problem().0, 404);
    assert_eq!(ask("/client/v4/radar/nosuch", "text/html").problem().0, 404);
}

#[test]
fn other_files_are_not_there() {
    for path in ["/assets/other.js", "/assets/..%2Ffiles.rs", "/embed", "/embed/a/b", "/index.html"] {
        assert_eq!(server().get(path).problem().0, 404, "{path}");
    }
    let got = server().send(Request::post("/").body(Body::empty()).unwrap());
    assert_eq!((got.problem().0, got.header("allow")), (405, "GET, HEAD, OPTIONS"));
}
