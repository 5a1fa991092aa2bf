//! How the server is, and its documentation.

use axum::body::Body;
use axum::http::Request;
use cutshort_detect::EventId;
use cutshort_model::Window;
use cutshort_store::{Impaired, Impairment, KeptEvent};
use cutshort_verdict::{DataSet, Exclusion, Stage};
use serde_json::json;

use crate::client::{DAY, END, Server, WINDOW};
use crate::memory::{Memory, connection, excluded};

fn store() -> Memory {
    let cells = vec![
        connection(END - DAY, "US", 174, Stage::None, 30),
        excluded(END - DAY, "US", 174, Exclusion::NoSyn, 10),
    ];
    Memory { pending: vec![END - WINDOW], ..Memory::of(cells) }
}

#[test]
fn status_says_what_there_is_and_what_is_missing() {
    let status = Server::of(store()).get("/client/v4/radar/status").result();
    assert_eq!(
        status["exclusions"][0],
        json!({"name": "no_syn", "title": Exclusion::NoSyn.title(), "about": Exclusion::NoSyn.about(), "count": 10, "share": "25"})
    );
    assert_eq!(status["windows"]["pending"], 1);
    assert_eq!(status["windows"]["oldestPending"], "2026-01-14T11:45:00Z");
    assert_eq!(status["nodes"][0]["name"], "file");
    assert!(status["geo"][0]["date"].as_str().unwrap().len() >= 7);
    assert_eq!(status["hints"], json!([]));
    let empty = Server::of(Memory::default()).get("/client/v4/radar/status").result();
    let hint = empty["hints"][0].as_str().unwrap();
    for way in ["cutshort agent", "cutshort serve --capture", "cutshort doctor", "cutshort import"] {
        assert!(hint.contains(way), "{way} is not in {hint}");
    }
}

#[test]
fn health_and_readiness() {
    let server = Server::of(store());
    assert_eq!(server.get("/healthz").json(), json!({"status": "ok"}));
    assert_eq!(server.get("/readyz").json(), json!({"ready": true, "reasons": []}));
}

#[test]
fn damage_is_said_everywhere() {
    let impaired =
        Impairment::ALL.map(|how| Impaired { window: Window::containing(END - DAY), how }).to_vec();
    let options = crate::client::with_all();
    let server = Server::with(Memory { impaired, ..store() }, options);
    let status = server.get("/client/v4/radar/status").result();
    assert_eq!(
        status["store"]["impaired"][0],
        json!({"window": "2026-01-13T12:00:00Z", "how": "kept", "about": Impairment::Kept.about()})
    );
    assert_eq!(status["hints"].as_array().unwrap().len(), 4);
    let ready = server.get("/readyz").json();
    assert_eq!((&ready["ready"], ready["reasons"].as_array().unwrap().len()), (&json!(true), 4));
    let metrics = server.get("/metrics").text;
    for how in ["kept", "incomplete", "without_connections", "without_counts"] {
        let line = format!("cutshort_windows_impaired{{how=\"{how}\"}} 1.0");
        assert!(metrics.lines().any(|own| own == line), "{line} in\n{metrics}");
    }
    let path = "/client/v4/radar/tcp_resets_timeouts/connections?dateRange=7d";
    let message = &server.get(path).json()["messages"][0];
    assert_eq!(message["code"], 1002);
    assert!(message["message"].as_str().unwrap().contains("2026-01-13T12:00:00Z"), "{message}");
    let csv = server.get(&format!("{path}&format=CSV"));
    assert_eq!(csv.header("cutshort-missing-windows"), "2026-01-13T12:00:00Z");
}

#[test]
fn metrics_are_for_prometheus() {
    let server = Server::of(store());
    server.radar("/summary");
    server.radar("/summary?dateRange=x");
    let got = server.get("/metrics");
    assert_eq!(got.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        "cutshort_http_requests_total{endpoint=\"summary\",status=\"200\"} 1",
        "cutshort_http_requests_total{endpoint=\"summary\",status=\"400\"} 1",
        "cutshort_http_request_seconds_count{endpoint=\"summary\"} 2",
        "cutshort_windows_pending 1.0",
        "cutshort_connections 30.0",
        "cutshort_excluded{reason=\"no_syn\"} 10.0",
        "cutshort_ingest_segments_total{answer=\"new\"} 0",
    ] {
        assert!(got.text.lines().any(|own| own == line), "{line} in\n{}", got.text);
    }
    assert!(!got.text.contains("# EOF"));
}

#[test]
fn open_metrics_are_for_those_who_accept_them() {
    let server = Server::of(store());
    server.radar("/summary");
    // As Prometheus sends it.
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let request = Request::get("/metrics").header("accept", accept).body(Body::empty()).unwrap();
    let got = server.send(request);
    assert_eq!(got.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let described = "# TYPE cutshort_http_requests counter\ncutshort_http_requests_total{";
    assert!(got.text.contains(described), "{}", got.text);
    assert!(got.text.ends_with("# EOF\n"));
}

#[test]
fn the_description_is_as_it_was_read() {
    let text = Server::of(Memory::default()).get("/openapi.json").text;
    let version = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
    let text = text.replace(version, "\"version\": \"[VERSION]\"");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi.json");
    if std::env::var_os("OPENAPI").is_some_and(|value| value == "overwrite") {
        std::fs::write(&path, format!("{text}\n")).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        kept.trim_end() == text,
        "the description has changed: OPENAPI=overwrite cargo test -p cutshort-api takes it over, after reading it"
    );
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let got = Server::of(Memory::default()).get("/docs/api-reference");
    assert!(got.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(
        !got.text.contains("src=") && !got.text.contains("http://"),
        "no scripts, no pictures, no other hosts"
    );
    let outside: Vec<&str> =
        got.text.split("https://").skip(1).filter(|rest| !rest.starts_with("example.org")).collect();
    assert!(outside.is_empty(), "{outside:?}");
    for path in ["/client/v4/radar/tcp_resets_timeouts/summary", "dateRange"] {
        assert!(got.text.contains(path), "{path}");
    }
    assert!(
        Server::of(Memory::default()).get("/docs/style.css").header("content-type").starts_with("text/css")
    );
}

/// Every example of the documentation is answered.
#[test]
fn every_example_works() {
    let quic = Memory { data_set: DataSet::Quic, ..store() };
    let origin = Memory { data_set: DataSet::Origin, origin: Some(Box::new(quic)), ..store() };
    let mut found = crate::watched::store();
    let country = |kept: &&mut KeptEvent| kept.event.place.to_string() == "country:IQ";
    let known = found.events.0.iter_mut().find(country).unwrap();
    // The example of the documentation has this id.
    known.event.id = EventId(255);
    let store = Memory { origin: Some(Box::new(origin)), events: found.events, ..store() };
    let server = Server::with(store, crate::client::with_all());
    let page = server.get("/docs/api-reference").text;
    let links: Vec<&str> =
        page.split("<a href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let (within, links): (Vec<&str>, Vec<&str>) = links.into_iter().partition(|link| link.starts_with('#'));
    for link in within {
        assert!(page.contains(&format!("id=\"{}\"", &link[1..])), "{link}");
    }
    assert!(links.len() > 15);
    for link in links {
        let got = server.get(&link.replace("&amp;", "&"));
        assert_eq!(got.status, 200, "{link}: {}", got.text);
    }
}

#[test]
fn shares_of_the_last_hour_are_metrics_of_chosen_places() {
    let window = END - WINDOW;
    let connections = vec![
        connection(window, "US", 174, Stage::PostAck, 10),
        connection(window, "US", 174, Stage::None, 30),
        connection(window, "PT", 3243, Stage::None, 60),
        // Longer ago.
        connection(END - 8 * WINDOW, "US", 174, Stage::PostSyn, 1000),
    ];
    let places = ["world", "country:US", "as:3243", "country:FR"].map(|place| place.parse().unwrap());
    let options = cutshort_api::Options { metric_places: places.to_vec(), ..crate::client::with_all() };
    let metrics = Server::with(Memory::of(connections), options).get("/metrics").text;
    for line in [
        "cutshort_stage_share_ratio{data_set=\"tcp\",place=\"world\",stage=\"post_ack\"} 0.1",
        "cutshort_stage_share_ratio{data_set=\"tcp\",place=\"world\",stage=\"post_syn\"} 0.0",
        "cutshort_stage_share_ratio{data_set=\"tcp\",place=\"country:US\",stage=\"post_ack\"} 0.25",
        "cutshort_stage_share_ratio{data_set=\"tcp\",place=\"as:3243\",stage=\"no_match\"} 1.0",
        "cutshort_last_hour_connections{data_set=\"tcp\",place=\"country:FR\"} 0.0",
    ] {
        assert!(metrics.lines().any(|own| own == line), "{line} in\n{metrics}");
    }
    assert!(!metrics.contains("place=\"country:FR\",stage"), "{metrics}");
}
