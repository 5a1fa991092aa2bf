//! Events, as lists, as a feed, and as Radar's anomalies and annotations.

use cutshort_detect::{Channel, Event, EventState, SeriesPlace, Severity};
use cutshort_geo::Country;
use cutshort_model::Window;
use cutshort_store::{Annotation, AnnotationKind, KeptEvent, NewAnnotation};
use cutshort_verdict::{DataSet, Stage};
use serde_json::{Value, json};

use crate::client::{DAY, END, NOW, Server, WINDOW, with_all};
use crate::memory::{KnownEvents, Memory, connection};

const EVENTS: &str = "/client/v4/cutshort/events";
const ANOMALIES: &str = "/client/v4/radar/traffic_anomalies";
const ANNOTATIONS: &str = "/client/v4/radar/annotations";
/// 2026-01-14T12:00:00Z.
const NOON: i64 = END / WINDOW;

/// An event that began so many windows before noon.
pub(crate) fn event(place: &str, channel: Channel, before: i64, length: Option<i64>, size: f64) -> KeptEvent {
    let place: SeriesPlace = place.parse().unwrap();
    let onset = NOON - before;
    let end = length.map(|length| onset + length);
    let event = Event {
        opened: onset + 1,
        end,
        closed: end.map(|end| end + 1),
        state: if end.is_some() { EventState::Closed } else { EventState::Open },
        severity: Severity::of(channel, size),
        size,
        excess: 1234.4,
        evidence: 25.04,
        alarm: Some(onset + 1),
        ..Event::new(place, channel, onset)
    };
    KeptEvent { found: event.id, event, updated: NOW - DAY }
}

/// Portugal lost its connections for five hours two days ago, with a network there; some are cut short in the United States and one
/// of their networks; a server was away; and something is gone that was published.
pub(crate) fn store() -> Memory {
    let portugal = event("country:PT", Channel::Traffic, 192, Some(20), 0.95);
    let mut part = event("as:3243", Channel::Traffic, 192, Some(20), 0.97);
    part.event.part_of = Some(portugal.event.id);
    part.event.alarm = None;
    let states = event("country:US", Channel::PostAck, 10, None, 0.123);
    let network = event("as:7922", Channel::PostPsh, 40, Some(8), 0.2);
    let away = event("node:edge1", Channel::Observer, 400, Some(12), 1.0);
    let mut gone = event("country:FR", Channel::Later, 90, Some(8), 0.05);
    gone.event.state = EventState::Retracted;
    let kept = vec![portugal, part, states, network, away, gone];
    let cells = ["US", "PT"].map(|place| connection(END - DAY, place, 174, Stage::None, 1000));
    Memory { events: KnownEvents::of(kept), ..Memory::of(cells.to_vec()) }
}

fn with_origin() -> Memory {
    let mut store = store().with_origin();
    let origin = store.origin.as_mut().unwrap();
    origin.events = KnownEvents::of(vec![
        event("as:15169", Channel::Traffic, 5, None, 0.6),
        event("server:api", Channel::PostSyn, 300, Some(8), 0.9),
        event("server:203.0.113.9:443", Channel::PostSyn, 301, Some(8), 0.9),
    ]);
    store
}

fn places(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|event| event["place"].as_str().unwrap()).collect()
}

#[test]
fn events_have_everything_that_is_known_of_them() {
    let server = Server::of(store());
    let events = server.get(EVENTS).result()["events"].clone();
    assert_eq!(
        places(&events),
        ["country:US", "as:7922", "country:FR", "country:PT", "as:3243", "node:edge1"]
    );
    let portugal = &events[3];
    let expected = json!({
        "id": portugal["id"], "dataSet": "tcp", "place": "country:PT", "location": {"code": "PT", "name": "Portugal"},
        "asn": null, "node": null, "server": null, "channel": "traffic", "direction": "less",
        "summary": "Portugal: 95 % fewer connections than usual", "state": "closed", "severity": "severe",
        "onset": "2026-01-12T12:00:00Z", "end": "2026-01-12T17:00:00Z", "opened": "2026-01-12T12:30:00Z",
        "closed": "2026-01-12T17:30:00Z", "depth": 0.95, "points": null, "excess": 1234.0, "evidence": 25.0,
        "partOf": null, "parts": [events[4]["id"]], "episode": portugal["id"], "alarm": "2026-01-12T12:30:00Z",
        "revision": 0, "updated": "2026-01-13T12:10:00Z", "review": null, "corroboration": [], "links": portugal["links"]
    });
    assert_eq!(portugal, &expected);
    assert!(portugal["links"][0]["url"].as_str().unwrap().contains("/country/PT?"), "{portugal}");
    let states = &events[0];
    assert_eq!(
        (&states["points"], &states["depth"], &states["end"]),
        (&json!(12.3), &Value::Null, &Value::Null)
    );
    assert_eq!(events[4]["partOf"], portugal["id"]);
    assert_eq!(events[1]["asn"]["location"]["code"], "US");
    assert_eq!(events[5]["node"], "edge1");
    let id = portugal["id"].as_str().unwrap();
    assert_eq!(server.get(&format!("{EVENTS}/{id}")).result()["event"], expected);
    assert_eq!(server.get(&format!("{EVENTS}/0000000000000000")).status, 404);
    assert_eq!(server.get(&format!("{EVENTS}/portugal")).status, 400);
}

#[test]
fn events_are_selected() {
    let server = Server::of(with_origin());
    let ask = |question: &str| {
        let result = server.get(&format!("{EVENTS}?{question}")).result();
        places(&result["events"]).join(" ")
    };
    assert_eq!(ask("location=pt"), "country:PT as:3243", "and networks there");
    assert_eq!(ask("continent=NA&dataSet=tcp"), "country:US as:7922");
    assert_eq!(ask("asn=AS7922"), "as:7922");
    assert_eq!(ask("node=edge1"), "node:edge1");
    assert_eq!(ask("channel=traffic,post-ack&dataSet=tcp"), "country:US country:PT as:3243");
    assert_eq!(ask("channel=-traffic"), "country:US as:7922 country:FR server:api node:edge1");
    assert_eq!(ask("state=open"), "as:15169 country:US");
    assert_eq!(ask("dataSet=origin"), "as:15169 server:api", "without addresses");
    assert_eq!(ask("server=api"), "server:api");
    assert_eq!(ask("dataSet=origin&server=-api"), "as:15169");
    assert_eq!(ask("server=203.0.113.9:443"), "");
    assert_eq!(ask("severity=severe"), "country:PT as:3243 server:api node:edge1");
    assert_eq!(ask("alarm=false"), "as:3243");
    assert_eq!(ask("limit=1&offset=2"), "as:7922");
    assert_eq!(ask("dateRange=1d"), "as:15169 country:US as:7922 country:FR", "those that touch the time");
    assert_eq!(ask("dateStart=2026-01-12T16:45:00Z&dateEnd=2026-01-12T18:00:00Z"), "country:PT as:3243");
    assert_eq!(ask("dateStart=2026-01-12T17:00:00Z&dateEnd=2026-01-12T18:00:00Z"), "");
    for wrong in
        ["channel=volume", "state=over", "severity=bad", "dataSet=quic2", "alarm=perhaps", "kind=traffic"]
    {
        let (status, _, message) = server.get(&format!("{EVENTS}?{wrong}")).problem();
        assert_eq!(status, 400, "{message}");
    }
    let table = server.get(&format!("{EVENTS}?state=open&format=csv")).text;
    assert!(table.starts_with("id,dataSet,place,channel,state,"), "{table}");
    assert_eq!(table.lines().count(), 3, "{table}");
}

#[test]
fn servers_without_a_name_are_listed_where_addresses_are_shown() {
    let server = Server::with(with_origin(), with_all());
    let found = server.get(&format!("{EVENTS}?server=203.0.113.9:443,api")).result()["events"].clone();
    assert_eq!(places(&found), ["server:api", "server:203.0.113.9:443"]);
    assert_eq!((&found[0]["server"], &found[1]["server"]), (&json!("api"), &json!("203.0.113.9:443")));
    assert_eq!(
        found[0]["summary"],
        "Upstream api: share of connections cut short at Post-SYN 90.0 points above usual"
    );
    let hidden = format!("{EVENTS}/{}", found[1]["id"].as_str().unwrap());
    assert_eq!(server.get(&hidden).status, 200);
    assert_eq!(Server::of(with_origin()).get(&hidden).status, 404);
    let feed = Server::of(with_origin()).get(&format!("{EVENTS}.atom?dataSet=origin")).text;
    assert!(feed.contains("Upstream api") && !feed.contains("203.0.113.9"), "{feed}");
}

#[test]
fn a_feed_has_an_entry_for_each_alarm() {
    let server = Server::of(store());
    let got = server.get(&format!("{EVENTS}.atom?location=PT"));
    assert_eq!(got.header("content-type"), "application/atom+xml");
    assert_eq!(got.text.matches("<entry>").count(), 1, "{}", got.text);
    for part in [
        "<title>Events: location=PT</title>",
        "<title>Portugal: 95 % fewer connections than usual</title>",
        "<updated>2026-01-13T12:10:00Z</updated>",
        "<published>2026-01-12T12:30:00Z</published>",
        "<summary>2026-01-12T12:00:00Z to 2026-01-12T17:00:00Z</summary>",
    ] {
        assert!(got.text.contains(part), "{part}: {}", got.text);
    }
    let all = server.get(&format!("{EVENTS}.atom")).text;
    assert_eq!(all.matches("<entry>").count(), 5);
    assert!(all.contains("Since 2026-01-14T09:30:00Z.") && all.contains("Retracted: "), "{all}");
    let empty = server.get(&format!("{EVENTS}.atom?asn=1")).text;
    assert!(empty.contains("<feed") && !empty.contains("<entry>"));
}

#[test]
fn anomalies_are_as_in_radar() {
    let store = store();
    let note = |kind, asns: Vec<u32>, place: &str| NewAnnotation {
        data_set: None,
        kind,
        start: END - 2 * DAY,
        end: Some(END - DAY),
        description: "A cable was cut".to_owned(),
        linked_url: None,
        scope: None,
        locations: Country::from_alpha2(place).into_iter().collect(),
        asns,
        outage: None,
    };
    let notes =
        [note(AnnotationKind::Outage, Vec::new(), "PT"), note(AnnotationKind::General, vec![7922], "")];
    let elsewhere =
        NewAnnotation { data_set: Some(DataSet::Quic), ..note(AnnotationKind::Outage, vec![7922], "") };
    let notes = (1..).zip(notes.into_iter().chain([elsewhere]));
    let notes = notes.map(|(id, content)| Annotation { id, content }).collect();
    *store.annotations.lock().unwrap() = notes;
    let server = Server::of(store);
    let all = server.get(ANOMALIES).result()["trafficAnomalies"].clone();
    let kinds: Vec<_> = all.as_array().unwrap().iter().map(|one| (&one["type"], &one["status"])).collect();
    let [location, asn, unverified] = ["LOCATION", "AS", "UNVERIFIED"].map(Value::from);
    assert_eq!(kinds, [(&location, &unverified), (&asn, &unverified), (&location, &json!("VERIFIED"))]);
    let expected = json!({
        "uuid": all[2]["uuid"], "type": "LOCATION", "status": "VERIFIED", "startDate": "2026-01-12T12:00:00Z",
        "endDate": "2026-01-12T17:00:00Z", "asnDetails": null, "locationDetails": {"code": "PT", "name": "Portugal"},
        "originDetails": null, "visibleInDataSources": ["CONNECTION_ANOMALY"]
    });
    assert_eq!(all[2], expected);
    assert_eq!(all[1]["asnDetails"]["asn"], "7922");
    let count = |question: &str| {
        let result = server.get(&format!("{ANOMALIES}?{question}")).result();
        result["trafficAnomalies"].as_array().unwrap().len()
    };
    let questions =
        ["type=AS", "type=AS&type=LOCATION", "status=verified", "location=US", "asn=7922", "dataSource=BGP"];
    assert_eq!(questions.map(count), [1, 3, 1, 2, 1, 0]);
    assert_eq!(["origin=x", "dateRange=1d", "limit=2", "type=ORIGIN"].map(count), [0, 2, 2, 0]);
    assert_eq!(server.get(&format!("{ANOMALIES}?status=sure")).status, 400);
    let counts = server.get(&format!("{ANOMALIES}/locations")).result()["trafficAnomalies"].clone();
    let expected = json!([
        {"clientCountryAlpha2": "US", "clientCountryName": "United States", "value": "2"},
        {"clientCountryAlpha2": "PT", "clientCountryName": "Portugal", "value": "1"}
    ]);
    assert_eq!(counts[0]["value"], expected[0]["value"]);
    assert_eq!(counts[1], expected[1]);
    let counts = server.get(&format!("{ANNOTATIONS}/outages/locations")).result()["annotations"].clone();
    assert_eq!(counts, json!([expected[1]]));
}

#[test]
fn notes_and_events_are_one_list() {
    let store = store();
    let content = NewAnnotation {
        data_set: Some(DataSet::Quic),
        kind: AnnotationKind::Outage,
        start: (NOON - 190) * WINDOW,
        end: None,
        description: "A cable was cut".to_owned(),
        linked_url: None,
        scope: None,
        locations: vec![Country::from_alpha2("PT").unwrap()],
        asns: Vec::new(),
        outage: Some(("CABLE_CUT".to_owned(), "NATIONWIDE".to_owned())),
    };
    *store.annotations.lock().unwrap() = vec![Annotation { id: 1, content }];
    let server = Server::of(store);
    let ask = |question: &str| -> Vec<String> {
        let result = server.get(&format!("{ANNOTATIONS}?{question}")).result();
        let all = result["annotations"].as_array().unwrap().clone();
        all.iter().map(|one| one["description"].as_str().unwrap().to_owned()).collect()
    };
    let portugal = "Portugal: 95 % fewer connections than usual";
    assert_eq!(ask("location=PT"), ["A cable was cut", portugal]);
    assert_eq!(ask("").len(), 5, "no parts of others, and nothing retracted");
    assert_eq!(ask("eventType=OUTAGE"), ["A cable was cut"]);
    assert_eq!(ask("outageCause=cable_cut"), ["A cable was cut"]);
    assert_eq!(ask("outageType=REGIONAL"), [""; 0]);
    assert_eq!(ask("eventType=PIPELINE"), ["Server edge1: no packets were collected"]);
    assert_eq!(ask("query=fewer"), [portugal]);
    assert_eq!(ask("location=PT&dataSet=tcp"), [portugal]);
    assert_eq!(ask("location=PT&dataSet=quic"), ["A cable was cut"]);
    assert_eq!(ask("dataSource=BGP"), [""; 0]);
    let listed = server.get(&format!("{ANNOTATIONS}?query=fewer")).result()["annotations"][0].clone();
    assert_eq!((&listed["eventType"], &listed["locations"]), (&json!("TRAFFIC_ANOMALY"), &json!(["PT"])));
    assert_eq!(listed["tags"], json!(["tcp"]));
    // What operators note is listed where it was, without events.
    assert_eq!(
        server.get(&format!("{ANNOTATIONS}/outages")).result()["annotations"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn networks_that_stick_out_are_listed_with_what_differs() {
    let mut cells = Vec::new();
    // Networks of the United States, as the shipped data has them.
    let networks = [174, 701, 7018, 7922, 20115, 22773, 3356, 5650];
    for asn in networks {
        cells.push(connection(END - 2 * DAY, "US", asn, Stage::None, 1000));
        cells.push(connection(END - 2 * DAY, "US", asn, Stage::PostAck, if asn == 7922 { 500 } else { 20 }));
    }
    let server = Server::of(Memory::of(cells).with_origin());
    let result = server.get("/client/v4/cutshort/outliers").result();
    let found = result["outliers"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{result}");
    assert_eq!((&found[0]["asn"]["asn"], &found[0]["stage"]), (&json!("7922"), &json!("post_ack")));
    assert_eq!((&found[0]["share"], &found[0]["usual"]), (&json!(33.3), &json!(2.0)));
    let signature =
        DataSet::Tcp.signatures().iter().find(|signature| signature.stage() == Stage::PostAck).unwrap();
    assert_eq!(found[0]["signatures"][0]["name"], signature.name());
    assert_eq!(found[0]["signatures"][0]["part"], 100.0);
    assert!(found[0]["summary"].as_str().unwrap().starts_with("AS7922: 33.3 % at Post-ACK"), "{result}");
    assert_eq!(result["dateRange"]["endTime"], "2026-01-14T12:00:00Z");
    let none = |question: &str| {
        let result = server.get(&format!("/client/v4/cutshort/outliers?{question}")).result();
        result["outliers"].as_array().unwrap().is_empty()
    };
    assert!(none("location=PT") && none("dataSet=origin") && none("dateRange=1d"));
    assert_eq!(Window::containing(NOW).start(), END);
}
