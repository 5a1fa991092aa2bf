//! Annotations and segments.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use cutshort_api::{Options, Scope, TokenFile};
use cutshort_store::{Provenance, Segment, SegmentSource};
use cutshort_verdict::{DataSet, Stage};
use serde_json::{Value, json};

use crate::client::{DAY, END, Got, NOW, Server, open};
use crate::memory::{Memory, connection};

const OUTAGES: &str = "/client/v4/radar/annotations/outages";
const SEGMENTS: &str = "/ingest/v1/segments";

struct Writer {
    server: Server,
    token: String,
    _folder: tempfile::TempDir,
}

fn token(path: &Path) -> String {
    let mut file = TokenFile::default();
    let token = file.create("all", &Scope::ALL, None, "2026-01-14T12:00:00Z").unwrap();
    file.write(path).unwrap();
    token
}

impl Writer {
    fn new(options: Options) -> Self {
        let places = ["US", "PT"].map(|place| connection(END - DAY, place, 174, Stage::None, 1000));
        Self::of(Memory::of(places.to_vec()), options)
    }

    fn of(store: Memory, options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = TokenFile::path(folder.path());
        let token = token(&path);
        Self { server: Server::with_parts(Arc::new(store), options, Some(path)), token, _folder: folder }
    }

    fn send(&self, method: &str, path: &str, body: impl Into<Body>) -> Got {
        let builder = Request::builder().method(method).uri(path);
        let builder = builder.header("authorization", format!("bearer {}", self.token));
        self.server.send(builder.body(body.into()).unwrap())
    }

    /// Delivers that a server has received nothing for a minute, as its agent does.
    fn deliver(&self, node: &str, counts: &str) {
        let covers = (NOW - 130_000_000_000, NOW - 70_000_000_000);
        let segment = Segment::encode(
            Vec::<cutshort_packet::Packet>::new(),
            &SegmentSource::tcp(node, Provenance::Live, covers),
            None,
        )
        .unwrap();
        let builder = Request::builder().method("POST").uri(SEGMENTS).header("cutshort-agent", counts);
        let builder = builder.header("authorization", format!("bearer {}", self.token));
        let got = self.server.send(builder.body(segment.bytes().to_vec().into()).unwrap());
        assert_eq!(got.status, 201, "{}", got.text);
    }

    fn note(&self, note: &Value) -> Got {
        self.send("POST", OUTAGES, note.to_string())
    }
}

#[test]
fn a_token_that_is_bound_to_a_node_sends_packets_of_this_node_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = TokenFile::path(folder.path());
    let mut file = TokenFile::default();
    let token = file.create("edge", &[Scope::Ingest], Some("edge"), "2026-01-14T12:00:00Z").unwrap();
    file.write(&path).unwrap();
    let server = Server::with_parts(Arc::new(Memory::of(Vec::new())), open(), Some(path));
    let send = |node: &str| {
        let covers = (NOW - 130_000_000_000, NOW - 70_000_000_000);
        let segment = Segment::encode(
            Vec::<cutshort_packet::Packet>::new(),
            &SegmentSource::tcp(node, Provenance::Live, covers),
            None,
        )
        .unwrap();
        let builder = Request::builder().method("POST").uri(SEGMENTS);
        let builder = builder.header("authorization", format!("Bearer {token}"));
        server.send(builder.body(segment.bytes().to_vec().into()).unwrap())
    };
    assert_eq!(send("edge").status, 201);
    let (status, code, message) = send("other").problem();
    assert_eq!((status, code), (403, 9109));
    assert_eq!(message, "this token is bound to the node \"edge\", and the segment is of the node \"other\"");
}

fn outage() -> Value {
    json!({
        "description": "A cable was cut", "startDate": "2026-01-13T06:00:00Z", "endDate": "2026-01-13T18:00:00Z",
        "linkedUrl": "https://example.org/cable", "scope": "Lisbon", "locations": ["pt"], "asns": [3243],
        "outage": {"outageCause": "CABLE_CUT", "outageType": "REGIONAL"}
    })
}

#[test]
fn what_is_noted_is_listed_as_in_radar() {
    let writer = Writer::new(open());
    let got = writer.note(&outage());
    assert_eq!(got.status, 201, "{}", got.text);
    assert_eq!(got.json()["result"]["annotation"]["id"], "1");
    let listed = writer.server.get(OUTAGES).result()["annotations"][0].clone();
    let expected = json!({
        "id": "1", "dataSource": "CONNECTION_ANOMALY", "description": "A cable was cut", "scope": "Lisbon",
        "startDate": "2026-01-13T06:00:00Z", "endDate": "2026-01-13T18:00:00Z", "eventType": "OUTAGE",
        "linkedUrl": "https://example.org/cable", "asns": [3243],
        "asnsDetails": [{
            "asn": "3243", "name": listed["asnsDetails"][0]["name"], "location": {"code": "PT", "name": "Portugal"}
        }],
        "locations": ["PT"], "locationsDetails": [{"code": "PT", "name": "Portugal"}],
        "outage": {"outageCause": "CABLE_CUT", "outageType": "REGIONAL"},
        "entities": [], "geoIds": [], "origins": [], "originsDetails": [], "tags": []
    });
    assert_eq!(listed, expected);
    let csv = writer.server.get(&format!("{OUTAGES}?format=csv")).text;
    assert!(
        csv.contains("1,OUTAGE,2026-01-13T06:00:00Z,2026-01-13T18:00:00Z,A cable was cut,Lisbon,"),
        "{csv}"
    );
}

#[test]
fn notes_are_part_of_the_answers_that_they_concern() {
    let writer = Writer::new(open());
    let notes = |query: &str| {
        let meta =
            writer.server.get(&format!("/client/v4/radar/tcp_resets_timeouts/summary?{query}")).result();
        let notes = meta["meta"]["confidenceInfo"]["annotations"].as_array().unwrap().clone();
        notes.into_iter().map(|note| note["description"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(notes(""), [""; 0]);
    writer.note(&outage());
    writer.note(&json!({"description": "New servers", "eventType": "event", "startDate": "2026-01-12"}));
    assert_eq!(notes(""), ["New servers"], "a part of the world is not the world");
    assert_eq!(notes("location=PT"), ["New servers", "A cable was cut"]);
    assert_eq!(notes("continent=EU"), ["New servers", "A cable was cut"]);
    assert_eq!(notes("location=US"), ["New servers"]);
    assert_eq!(notes("location=PT&dateRange=1d"), ["New servers", "A cable was cut"]);
    let found = |query: &str| {
        writer.server.get(&format!("{OUTAGES}?{query}")).result()["annotations"].as_array().unwrap().len()
    };
    assert_eq!(
        [
            found(""),
            found("location=PT"),
            found("asn=3243"),
            found("eventType=GENERAL"),
            found("limit=1"),
            found("offset=2")
        ],
        [2, 1, 1, 1, 1, 0]
    );
    assert_eq!(
        [
            found("dateRange=7dcontrol"),
            found("dateRange=1d"),
            found("dateStart=2026-01-01&dateEnd=2026-01-12T12:00")
        ],
        [0, 2, 1]
    );
    let removed = writer.send("DELETE", &format!("{OUTAGES}/1"), Body::empty());
    assert_eq!(removed.result(), json!({"id": "1"}));
    assert_eq!(notes("location=PT"), ["New servers"]);
    assert_eq!(writer.send("DELETE", &format!("{OUTAGES}/1"), Body::empty()).problem().0, 404);
    assert_eq!(writer.send("DELETE", &format!("{OUTAGES}/x"), Body::empty()).problem().0, 400);
}

/// A note without a data set, as they were before there were any, is about all.
#[test]
fn notes_are_part_of_their_data_set() {
    let of = |data_set| Memory {
        data_set,
        ..Memory::of(vec![connection(END - DAY, "US", 174, Stage::None, 1000)])
    };
    let tcp = of(DataSet::Tcp);
    let quic = Memory { annotations: Arc::clone(&tcp.annotations), ..of(DataSet::Quic) };
    let writer = Writer::of(Memory { origin: Some(Box::new(quic)), ..tcp }, open());
    let note = |description: &str, data_set: Option<&str>| {
        let got = writer.note(&json!({
            "description": description, "eventType": "GENERAL", "startDate": "2026-01-12", "dataSet": data_set
        }));
        assert_eq!(got.status, 201, "{}", got.text);
        got.json()["result"]["annotation"]["tags"].clone()
    };
    assert_eq!(note("Of all", None), json!([]));
    assert_eq!(note("Of clients", Some("tcp")), json!(["tcp"]));
    assert_eq!(note("Of datagrams", Some("QUIC")), json!(["quic"]));
    let texts = |notes: &Value| -> Vec<String> {
        let notes = notes.as_array().unwrap().iter();
        notes.map(|note| note["description"].as_str().unwrap().to_owned()).collect()
    };
    let shown = |directory: &str| {
        let path = format!("/client/v4/radar/{directory}/timeseries_groups/stage?dateRange=7d");
        texts(&writer.server.get(&path).result()["meta"]["confidenceInfo"]["annotations"])
    };
    assert_eq!(shown("tcp_resets_timeouts"), ["Of all", "Of clients"]);
    assert_eq!(shown("quic_closes_timeouts"), ["Of all", "Of datagrams"]);
    let listed =
        |query: &str| texts(&writer.server.get(&format!("{OUTAGES}?{query}")).result()["annotations"]);
    assert_eq!(listed(""), ["Of datagrams", "Of clients", "Of all"]);
    assert_eq!(listed("dataSet=quic"), ["Of datagrams", "Of all"]);
    assert_eq!(listed("dataSet=origin"), ["Of all"]);
    assert_eq!(listed("dataSet=-tcp"), ["Of datagrams", "Of all"]);
    let csv = writer.server.get(&format!("{OUTAGES}?format=csv")).text;
    assert!(csv.lines().next().unwrap().ends_with(",asns,dataSet"), "{csv}");
    assert!(csv.lines().any(|line| line.contains(",Of clients,") && line.ends_with(",tcp")), "{csv}");
    assert!(writer.server.get(&format!("{OUTAGES}?dataSet=udp")).problem().2.contains("dataSet: 'udp'"));
}

#[test]
fn what_nobody_could_read_is_not_noted() {
    let writer = Writer::new(open());
    let wrong = |key: &str, value: Value, why: &str| {
        let mut note = outage();
        note[key] = value;
        let (status, code, message) = writer.note(&note).problem();
        assert_eq!((status, code), (400, 2001), "{message}");
        assert!(message.contains(why), "{key}: {message}");
    };
    wrong("description", json!(" "), "the description is empty");
    wrong("startDate", json!("today"), "startDate: 'today'");
    wrong("endDate", json!("2026-01-01"), "it ends before it starts");
    wrong("eventType", json!("PARTY"), "eventType: 'PARTY'");
    wrong("linkedUrl", json!("javascript:alert(1)"), "http:// or https://");
    wrong("locations", json!(["XX"]), "locations: 'XX'");
    wrong("dataSet", json!("udp"), "dataSet: 'udp' is not one of tcp, origin, quic");
    wrong("colour", json!("red"), "colour");
    assert_eq!(writer.send("POST", OUTAGES, "{").problem().0, 400);
    assert_eq!(writer.send("POST", OUTAGES, "x".repeat(100_000)).problem().0, 413);
}

#[test]
fn events_are_confirmed_and_dismissed() {
    let writer = Writer::of(crate::events::store(), open());
    let events = || writer.server.get("/client/v4/cutshort/events?location=PT").result()["events"].clone();
    let id = events()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/client/v4/cutshort/events/{id}/review");
    let decide = |decision: &str| {
        let body = json!({"decision": decision, "note": " a cable "}).to_string();
        writer.send("POST", &path, body).result()["event"]["review"].clone()
    };
    let anomalies = |status: &str| {
        let path = format!("/client/v4/radar/traffic_anomalies?location=PT&status={status}");
        writer.server.get(&path).result()["trafficAnomalies"].as_array().unwrap().len()
    };
    let annotations = || {
        let all = writer.server.get("/client/v4/radar/annotations?location=PT").result();
        all["annotations"].as_array().unwrap().len()
    };
    assert_eq!((anomalies("VERIFIED"), anomalies("UNVERIFIED"), annotations()), (0, 1, 1));
    let confirmed = json!({"decision": "confirmed", "note": "a cable", "at": "2026-01-14T12:10:00Z"});
    assert_eq!(decide("confirmed"), confirmed);
    assert_eq!((anomalies("VERIFIED"), anomalies("UNVERIFIED"), annotations()), (1, 0, 1));
    assert_eq!(decide("dismissed")["decision"], "dismissed");
    assert_eq!((anomalies("VERIFIED"), anomalies("UNVERIFIED"), annotations()), (0, 1, 0));
    assert_eq!(events()[0]["review"]["decision"], "dismissed", "it is still listed");
    assert_eq!(events()[1]["review"], Value::Null);
    let number = |review: &str| {
        let path = format!("/client/v4/cutshort/events?review={review}");
        writer.server.get(&path).result()["events"].as_array().unwrap().len()
    };
    assert_eq!((number("dismissed"), number("-dismissed"), number("confirmed")), (1, 5, 0));
    let feed = writer.server.get("/client/v4/cutshort/events.atom?location=PT").text;
    assert!(feed.contains("Dismissed by the operator.</summary>"), "{feed}");
    assert!(feed.contains("<updated>2026-01-14T12:10:00Z</updated>"), "{feed}");
    let withdrawn = writer.send("DELETE", &path, Body::empty()).result();
    assert_eq!(withdrawn["event"]["review"], Value::Null);
    assert_eq!(number("dismissed"), 0);
    let problem = |path: &str, body: &str| writer.send("POST", path, body.to_owned()).problem();
    assert_eq!(problem(&path, "{\"decision\":\"perhaps\"}").0, 400);
    let long = json!({"decision": "confirmed", "note": "x".repeat(2001)}).to_string();
    assert!(problem(&path, &long).2.contains("at most 2000 characters"));
    let other = "/client/v4/cutshort/events/0000000000000000/review";
    assert_eq!(problem(other, "{\"decision\":\"confirmed\"}").0, 404);
    let without = Request::post(&path).body("{\"decision\":\"confirmed\"}".into()).unwrap();
    assert_eq!(writer.server.send(without).status, 401);
}

#[test]
fn what_is_no_segment_is_refused_with_the_reason() {
    let writer = Writer::new(Options { segment: 1000, ..open() });
    let got = writer.send("POST", SEGMENTS, "PAR1");
    assert_eq!((got.problem().0, got.problem().1), (400, 2001), "{}", got.text);
    let (status, code, message) = writer.send("POST", SEGMENTS, vec![0; 1001]).problem();
    assert_eq!((status, code), (413, 2005));
    assert!(message.contains("1000 bytes"), "{message}");
}

#[test]
fn what_agents_say_of_themselves_is_shown() {
    let writer = Writer::new(open());
    writer.deliver("edge", "received=1, lost=1");
    writer.deliver("edge", "received=90, lost=10, unwritten=2, dropped=3, waiting=4, later=5");
    writer.deliver("other", "nonsense");
    let line = |name: &str, node: &str, value: &str| {
        let (line, text) =
            (format!("cutshort_node_{name}{{node=\"{node}\"}} {value}"), writer.server.get("/metrics").text);
        assert!(text.lines().any(|own| own == line), "{line} in\n{text}");
    };
    line("lag_seconds", "edge", "70.0");
    line("heard_timestamp_seconds", "edge", "1768392600.0");
    for (name, value) in [("received", 90), ("lost", 10), ("unwritten", 2), ("dropped", 3), ("waiting", 4)] {
        // What waits may become less; the others are counters.
        let (suffix, decimals) = if name == "waiting" { ("", ".0") } else { ("_total", "") };
        line(&format!("{name}_packets{suffix}"), "edge", &format!("{value}{decimals}"));
        line(&format!("{name}_packets{suffix}"), "other", &format!("0{decimals}"));
    }
    let status = writer.server.get("/client/v4/radar/status").result();
    let hints = status["hints"].to_string();
    assert!(hints.contains("edge delivers, but no packet has come from it"), "{hints}");
    assert!(status["nodes"][0].get("live").is_none(), "{status}");
    let edge = status["nodes"].as_array().unwrap().iter().find(|node| node["name"] == "edge").unwrap();
    let live = json!({
        "heard": "2026-01-14T12:10:00Z", "coveredTo": "2026-01-14T12:08:50Z", "lagSeconds": 70,
        "received": 90, "lost": 10, "unwritten": 2, "dropped": 3, "waiting": 4, "loss": "15",
        "leftOut": 0, "leftOutFrom": null, "leftOutTo": null
    });
    assert_eq!(*edge, json!({"name": "edge", "latestPacket": null, "secondsAgo": null, "live": live}));
}

/// NOW is 2026-01-14T12:10:00Z.
#[test]
fn agents_that_left_out_connections_are_named() {
    let writer = Writer::new(open());
    let ago = |seconds: i64| NOW - seconds * 1_000_000_000;
    let times = |from, to| format!("left_out=382732, left_out_from={}, left_out_to={}", ago(from), ago(to));
    writer.deliver("edge", &format!("received=90, {}", times(130, 100)));
    writer.deliver("long-ago", &times(86_500, 86_400));
    let status = writer.server.get("/client/v4/radar/status").result();
    let live = |name: &str| {
        let node = status["nodes"].as_array().unwrap().iter().find(|node| node["name"] == name).unwrap();
        node["live"].clone()
    };
    let edge = live("edge");
    assert_eq!((&edge["leftOut"], &edge["loss"]), (&json!(382_732), &json!("0")));
    assert_eq!(edge["leftOutFrom"], "2026-01-14T12:07:50Z");
    assert_eq!(edge["leftOutTo"], "2026-01-14T12:08:20Z");
    assert_eq!(live("long-ago")["leftOutTo"], "2026-01-13T12:10:00Z");
    let hints: Vec<&str> = status["hints"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let of_sampling: Vec<_> = hints.iter().filter(|hint| hint.starts_with("Sampling at")).collect();
    let text = "Sampling at edge was incomplete from 2026-01-14T12:07:50Z to 2026-01-14T12:08:20Z: it chose connections \
                and left them out, at least 382,732 since it began";
    assert!(of_sampling.len() == 1 && of_sampling[0].starts_with(text), "{hints:?}");
    let metrics = writer.server.get("/metrics").text;
    assert!(
        metrics.contains("cutshort_node_left_out_connections_total{node=\"edge\"} 382732\n"),
        "{metrics}"
    );
}

/// What is heard of a server is forgotten with the process; that its numbers are incomplete is not.
#[test]
fn answers_say_that_sampling_was_incomplete() {
    let writer = Writer::new(open());
    let deliver = |from: i64, to: i64| {
        let ago = |minutes: i64| NOW - minutes * 60_000_000_000;
        writer.deliver("edge", &format!("left_out=7, left_out_from={}, left_out_to={}", ago(from), ago(to)));
    };
    let annotations = || {
        let result = writer.server.radar("/summary?dateRange=1d").result();
        result["meta"]["confidenceInfo"]["annotations"].clone()
    };
    assert_eq!(annotations(), json!([]));
    deliver(200, 190);
    deliver(200, 180);
    let note = &annotations()[0];
    assert_eq!((&note["eventType"], annotations().as_array().unwrap().len()), (&json!("PIPELINE"), 1));
    assert_eq!(
        (&note["startDate"], &note["endDate"]),
        (&json!("2026-01-14T08:50:00Z"), &json!("2026-01-14T09:10:00Z"))
    );
    let text = "Sampling at edge was incomplete: connections that were chosen were left out";
    assert!(note["description"].as_str().unwrap().starts_with(text), "{note}");
    deliver(100, 90);
    assert_eq!(annotations().as_array().unwrap().len(), 2);
}

/// Names can be chosen by whoever may send: not all are remembered for ever.
#[test]
fn many_agents_take_no_more_room() {
    let writer = Writer::new(open());
    for number in 0..1010 {
        writer.deliver(&format!("n{number}"), "lost=1");
    }
    let text = writer.server.get("/metrics").text;
    assert_eq!(text.matches("cutshort_node_lost_packets_total{").count(), 1000);
    assert!(text.contains("cutshort_node_lost_packets_total{node=\"n1009\"} 1\n"));
}

/// With nothing, an agent finds out whether its token is right.
#[test]
fn nothing_is_refused_and_not_counted() {
    let writer = Writer::new(open());
    let (status, code, message) = writer.send("POST", SEGMENTS, "").problem();
    assert_eq!((status, code, message.as_str()), (400, 2001, "the body is empty: a segment is expected"));
    let without = Request::builder().method("POST").uri(SEGMENTS).body(Body::empty()).unwrap();
    assert_eq!(writer.server.send(without).status, 401);
    assert!(
        writer.server.get("/metrics").text.contains("cutshort_ingest_segments_total{answer=\"refused\"} 0\n")
    );
}
