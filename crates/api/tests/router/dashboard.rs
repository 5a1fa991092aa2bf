//! The dashboard's files.

use axum::body::Body;
use axum::http::Request;
use cutshort_api::Options;

use cutshort_verdict::Stage;

use crate::client::{DAY, END, Server};
use crate::memory::{Memory, connection};

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

#[test]
fn other_files_are_not_there() {
    for path in ["/assets/other.js", "/assets/..%2Ffiles.rs", "/embed", "/embed/a/b", "/index.html"] {
        assert_eq!(server().get(path).problem().0, 404, "{path}");
    }
    let got = server().send(Request::post("/").body(Body::empty()).unwrap());
    assert_eq!((got.problem().0, got.header("allow")), (405, "GET, HEAD, OPTIONS"));
}

/// A page for people who follow a wrong link; programs get what they can read.
#[test]
fn people_get_a_page_that_says_that_there_is_nothing() {
    let ask = |path: &str, accept: &str| {
        server().send(Request::get(path).header("accept", accept).body(Body::empty()).unwrap())
    };
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for path in ["/nosuch<page>", "/assets/other.js", "/embed"] {
        let path = path.replace('<', "%3C").replace('>', "%3E");
        let got = ask(&path, browser);
        assert_eq!(
            (got.status.as_u16(), got.header("content-type")),
            (404, "text/html; charset=utf-8"),
            "{path}"
        );
        assert!(got.text.contains("Page not found") && got.text.contains("href=\"/\""), "{}", got.text);
        assert!(!got.text.contains("<page>") && !got.text.contains("<script"), "{}", got.text);
        assert_eq!(ask(&path, "application/json").problem().1, 7003);
    }
    assert_eq!(ask("/client/v4/radar/nosuch", browser).problem().1, 7003, "an answer of the API");
}

#[test]
fn the_documentation_is_a_page_with_a_way_back() {
    let page = server().get("/docs/api-reference").text;
    assert!(page.contains("<main>") && page.contains("<a href=\"/\">Dashboard</a>"), "{page}");
    for group in ["#group-radar", "#group-beyond-radar", "#group-operation"] {
        assert!(
            page.contains(&format!("href=\"{group}\"")) && page.contains(&format!("id=\"{}\"", &group[1..])),
            "{group}"
        );
    }
}

/// Colours that are read on each other, as WCAG 2 measures them.
/// It is served without the dashboard's styles, and must not drift away from them.
#[test]
fn the_documentation_has_the_colours_of_the_dashboard() {
    let tokens = include_str!("../../../../web/src/styles/tokens.css");
    let css = server().get("/docs/style.css").text;
    let colours = css.lines().map(str::trim).filter(|line| line.starts_with("--"));
    assert!(colours.clone().count() >= 14);
    colours.for_each(|colour| assert!(tokens.contains(colour), "{colour}"));
}

#[test]
fn the_documentation_has_enough_contrast() {
    let css = server().get("/docs/style.css").text;
    let themes: Vec<&str> = css.split("  color-scheme:").skip(1).collect();
    assert_eq!(themes.len(), 2);
    for theme in themes {
        let luminance = |name: &str| {
            let text = theme.split(&format!("--{name}: #")).nth(1).unwrap();
            let channel = |at: usize| {
                let value = f64::from(u8::from_str_radix(&text[at..at + 2], 16).unwrap()) / 255.0;
                if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
        };
        for below in ["paper", "surface", "sunken"] {
            for above in ["ink", "muted", "accent"] {
                let (a, b) = (luminance(above), luminance(below));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{above} on {below}: {contrast:.2} in {theme}");
            }
        }
    }
}

fn with_data() -> Memory {
    Memory::of(vec![
        connection(END - DAY, "PT", 3243, Stage::None, 80),
        connection(END - DAY, "PT", 3243, Stage::PostAck, 15),
        connection(END - DAY, "CI", 29571, Stage::PostSyn, 5),
    ])
}

/// The content of an element of the head.
fn tag(html: &str, property: &str) -> Option<String> {
    let rest = html.split(&format!("<meta property=\"og:{property}\" content=\"")).nth(1)?;
    rest.split('"').next().map(str::to_owned)
}

#[test]
fn pasted_links_show_the_number_of_their_page() {
    let server = Server::with(with_data(), crate::client::open());
    let ask = |path: &str| {
        server.send(Request::get(path).header("host", "radar.example.org").body(Body::empty()).unwrap()).text
    };
    let world = ask("/");
    assert_eq!(tag(&world, "title").unwrap(), "World: 20.0 % of TCP connections cut short");
    assert_eq!(
        tag(&world, "description").unwrap(),
        "2026-01-07 12:00 to 2026-01-14 12:00 UTC. Post-SYN 5.0 %, Post-ACK 15.0 %, Post-PSH 0.0 %, Later 0.0 %. 100 sampled connections."
    );
    assert_eq!(tag(&world, "image").unwrap(), "http://radar.example.org/preview.png");
    let title = |query: &str| tag(&ask(&format!("/?{query}")), "title").unwrap();
    let country = cutshort_geo::Country::from_alpha2("CI").unwrap().name();
    assert_eq!(
        title("place=CI&view=where"),
        format!("{country}, countries: 100.0 % of TCP connections cut short")
    );
    assert!(title("place=AS3243").starts_with("AS3243 ") && title("place=AS3243").contains(": 15.8 % of"));
    assert_eq!(title("place=continent-EU"), "Europe: 15.8 % of TCP connections cut short");
    assert_eq!(title("stage=post_syn"), "World: 5.0 % of TCP connections cut short at Post-SYN");
    assert_eq!(title("handshake=completed"), "World: 15.8 % of TCP connections cut short");
    assert_eq!(
        title("from=2026-01-13T12:00Z&to=2026-01-13T12:15Z"),
        "World: 20.0 % of TCP connections cut short"
    );
    assert!(title("f.port=443").starts_with("World: "));
    assert_eq!(title("f.port=8443"), "cutshort", "no data");
    let filtered = tag(&ask("/?f.ipVersion=IPv4"), "description").unwrap();
    assert!(filtered.ends_with("sampled connections, IPv4."), "{filtered}");
    let filtered = tag(&ask("/?f.port=443"), "description").unwrap();
    assert!(filtered.ends_with("sampled connections, port 443."), "{filtered}");
    assert_eq!(
        title("f.tag=reset"),
        "World: TCP connections with the tag reset",
        "all of them are cut short"
    );
    assert_eq!(
        title("place=PT&f.signature=5&view=how"),
        "Portugal, signatures: TCP connections with the signature SYN; ACK → ∅"
    );
    assert_eq!([title("view=status"), title("view=method")], ["Status · cutshort", "Method · cutshort"]);
    let views = [
        "events",
        "compare",
        "where",
        "networks",
        "servers",
        "how",
        "connections",
        "status",
        "method",
        "overview",
    ];
    let titles: std::collections::HashSet<_> = views.map(|view| title(&format!("view={view}"))).into();
    assert_eq!(titles.len(), views.len(), "{titles:?}");
    assert_eq!(title("view=networks&place=Portugal"), "Networks · cutshort");
    assert_eq!(title("data=quic"), "cutshort", "no such data");
    let image = tag(&ask("/?place=PT&range=4w"), "image").unwrap();
    assert_eq!(image, "http://radar.example.org/preview.png?place=PT&amp;range=4w");
    // What cannot be read, or has no data, has no number; neither has a page that needs a token.
    for query in ["place=Portugal", "place=%22%3E%3Cscript%3E", "range=1x", "from=2020-01-01&to=2020-01-02"] {
        assert_eq!(title(query), "cutshort", "{query}");
    }
    let closed = Server::with(with_data(), Options::default()).get("/").text;
    assert_eq!(tag(&closed, "title").unwrap(), "cutshort");
    assert!(tag(&closed, "image").is_none(), "nobody said where this server is");
}

#[test]
fn the_picture_of_a_link_is_a_png() {
    let server = Server::with(with_data(), crate::client::open());
    let bytes = |query: &str| server.get(&format!("/preview.png{query}")).bytes;
    let world = bytes("");
    assert_eq!(&world[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(world[at..at + 4].try_into().unwrap());
    assert_eq!((number(16), number(20)), (1200, 630));
    assert!(world.len() < 100_000, "{}", world.len());
    assert_ne!(world, bytes("?place=PT"));
    assert_eq!(server.get("/preview.png?place=nowhere").header("content-type"), "image/png");
}
