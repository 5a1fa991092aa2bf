//! Events of the servers to which connections are opened.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::ops::{ControlFlow, Range};
use std::time::Duration;

use cutshort_detect::{Channel, Event, EventState, SeriesPlace};
use cutshort_embedded::{Embedded, Options};
use cutshort_geo::{Country, Place};
use cutshort_model::{Addresses, JudgedConnection, Network, Port, ServerName, Window};
use cutshort_packet::{FiveTuple, Packet};
use cutshort_pipeline::EventJob;
use cutshort_store::cell::{CellKey, CellOutcome, Cells};
use cutshort_store::{
    EventQuery, Inputs, Provenance, Retention, Segment, SegmentSource, Store, WindowCounts,
};
use cutshort_verdict::{DataSet, Progress, Stage, Tags, Termination, Verdict};
use tempfile::TempDir;

const DAY: i64 = 96;
/// A Monday.
const START: i64 = 2_919 * 672 + 4 * DAY;
/// After eight days, a server no longer answers for three hours.
const DEAD: Range<i64> = 8 * DAY + 40..8 * DAY + 52;
const END: i64 = 8 * DAY + 70;
/// Servers with their networks; the last one has none.
const SERVERS: [(&str, Option<u32>); 4] = [
    ("203.0.113.5", Some(64_500)),
    ("203.0.113.6", Some(64_501)),
    ("203.0.113.7", Some(64_501)),
    ("192.168.0.9", None),
];

fn open() -> (TempDir, Embedded) {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), Options { durable: false }).unwrap();
    (folder, store)
}

fn verdict(t: i64, is_answered: bool) -> Verdict {
    let first_ts = Window::from_number(START + t).start() + 1_000;
    let (progress, stage, termination) = match is_answered {
        true => (Progress::Later, Stage::None, Termination::Fin),
        false => (Progress::PostSyn, Stage::PostSyn, Termination::Timeout),
    };
    Verdict {
        data_set: DataSet::Origin,
        progress,
        termination,
        stage,
        tags: Tags::default(),
        signature: None,
        rst_ttl_delta: None,
        rst_ip_id_delta: None,
        syn_ttl: 64,
        sample_rate: 10,
        packets: 4,
        first_ts,
        last_ts: first_ts,
        silent: 0,
        handshake: None,
        first_byte: None,
        version: 0,
        close_code: None,
    }
}

/// The results of windows: 20 to 24 connections to each server, which the first one does not answer in some of them.
fn compute(store: &dyn Store, windows: Range<i64>) {
    let time = |t: i64| Window::from_number(START + t).start();
    let covers = (time(windows.start), time(windows.end) - 1);
    let source = SegmentSource { data_set: DataSet::Origin, node: "proxy", origin: Provenance::Live, covers };
    store.append(&Segment::encode(Vec::<Packet>::new(), &source, None).unwrap()).unwrap();
    for t in windows {
        let replacement = store.replace(Window::from_number(START + t)).unwrap();
        let (mut sink, mut cells) = (replacement.sink().unwrap(), Cells::default());
        for (at, (server, asn)) in SERVERS.into_iter().enumerate() {
            let verdict = verdict(t, at > 0 || !DEAD.contains(&t));
            let country = asn.and_then(|_| Country::from_alpha2("FR"));
            let key = CellKey {
                location: country,
                network: asn.map_or(Network::Unknown, Network::As),
                ip_version: 4,
                port: Port::Number(443),
                node: cells.node("proxy"),
                outcome: CellOutcome::Connection {
                    stage: verdict.stage,
                    termination: verdict.termination,
                    completed: verdict.completed_handshake(),
                    signature: None,
                    tags: Tags::default(),
                },
            };
            for port in 0..20 + ((t * 7 + at as i64 * 3) % 5) as u16 {
                let source = "198.51.100.1".parse().unwrap();
                let five_tuple = FiveTuple::new(source, 40_000 + port, server.parse().unwrap(), 443);
                cells.add(key, verdict.sample_rate);
                let connection = JudgedConnection {
                    five_tuple: &five_tuple,
                    addresses: Addresses::Full,
                    verdict: &verdict,
                    node: "proxy",
                    place: Place { country, asn },
                    as_name: None,
                };
                sink.write(&connection).unwrap();
            }
        }
        sink.finish().unwrap();
        replacement.commit(Inputs::default(), WindowCounts::default(), &cells).unwrap();
    }
}

fn with_names(names: &[&str]) -> EventJob {
    EventJob::default().with_server_names(names.iter().map(|name| name.parse().unwrap()).collect())
}

/// Runs a job as of a window.
fn run(job: &mut EventJob, store: &dyn Store, t: i64) {
    let now = Window::from_number(START + t).start() + 1;
    job.run(store, now, &mut |_| ControlFlow::Continue(())).unwrap();
}

fn events(store: &dyn Store) -> Vec<Event> {
    let kept = store.events().unwrap().list(&EventQuery::default()).unwrap();
    kept.into_iter().map(|kept| kept.event).collect()
}

/// Place, channel and state of the events of servers.
fn of_servers(store: &dyn Store) -> Vec<(String, Channel, EventState)> {
    let is_server = |event: &Event| matches!(event.place, SeriesPlace::Server(_));
    let of_servers = events(store).into_iter().filter(is_server);
    let mut told: Vec<_> =
        of_servers.map(|event| (event.place.to_string(), event.channel, event.state)).collect();
    told.sort();
    told
}

#[test]
fn a_server_that_stops_answering_has_an_event_and_the_others_have_none() {
    let (_folder, whole) = open();
    let store = whole.of(DataSet::Origin).unwrap();
    compute(store, 0..END);
    let mut job = with_names(&["api=203.0.113.5:443"]);
    run(&mut job, store, END + 3);
    let api = |channel| ("server:api".to_owned(), channel, EventState::Closed);
    assert_eq!(of_servers(store), [api(Channel::Traffic), api(Channel::PostSyn)]);
    for event in events(store) {
        let is_of_api = event.place == SeriesPlace::Server("api".to_owned());
        assert_eq!(
            event.alarm.is_some(),
            is_of_api,
            "its network and country are explained by it: {event:?}"
        );
        assert_eq!((event.onset - START, event.end.map(|end| end - START)), (DEAD.start, Some(DEAD.end)));
    }
    let watched: Vec<String> =
        job.detector(DataSet::Origin).unwrap().watched().map(ToString::to_string).collect();
    let servers =
        ["server:192.168.0.9:443", "server:203.0.113.6:443", "server:203.0.113.7:443", "server:api"];
    assert_eq!(watched, [&["world", "country:FR", "as:64500", "as:64501"][..], &servers].concat());
}

#[test]
fn one_window_after_the_other_gives_the_same_as_all_at_once() {
    let (_folder, whole) = open();
    let store = whole.of(DataSet::Origin).unwrap();
    let names = ["api=203.0.113.5:443"];
    compute(store, 0..DEAD.start);
    let mut job = with_names(&names);
    run(&mut job, store, DEAD.start);
    assert_eq!(events(store), []);
    for t in DEAD.start..DEAD.start + 8 {
        compute(store, t..t + 1);
        run(&mut job, store, t + 1);
    }
    let open = of_servers(store);
    assert!(open.iter().any(|event| event.2 == EventState::Open), "{open:?}");
    // Another process, which knows nothing but what is stored.
    compute(store, DEAD.start + 8..END);
    run(&mut with_names(&names), store, END + 3);
    let (_folder, other) = self::open();
    let other = other.of(DataSet::Origin).unwrap();
    compute(other, 0..END);
    run(&mut with_names(&names), other, END + 3);
    let ids = |store: &dyn Store| {
        events(store).into_iter().map(|event| (event.id, event.onset, event.end)).collect::<Vec<_>>()
    };
    assert_eq!(ids(store), ids(other));
}

#[test]
fn servers_with_another_name_are_watched_anew() {
    let (_folder, whole) = open();
    let store = whole.of(DataSet::Origin).unwrap();
    compute(store, 0..DEAD.end - 4);
    run(&mut EventJob::default(), store, DEAD.end - 4);
    let address = |channel, state| ("server:203.0.113.5:443".to_owned(), channel, state);
    let all = |state| [address(Channel::Traffic, state), address(Channel::PostSyn, state)];
    assert_eq!(of_servers(store), all(EventState::Open));
    // It gets a name.
    compute(store, DEAD.end - 4..END);
    let mut job = with_names(&["api=203.0.113.5:443"]);
    run(&mut job, store, END);
    assert_eq!(of_servers(store), all(EventState::Retracted));
    let watches = |job: &EventJob, name: &str| {
        job.detector(DataSet::Origin).unwrap().watches(&SeriesPlace::Server(name.to_owned()))
    };
    assert!(watches(&job, "api") && !watches(&job, "203.0.113.5:443"));
    assert!(watches(&job, "203.0.113.6:443"));
    // Whoever does not know the names leaves out all servers.
    compute(store, END..END + DAY);
    run(&mut job, store, END + DAY);
    compute(store, END + DAY..END + DAY + 20);
    let mut job = EventJob::default();
    run(&mut job, store, END + DAY + 23);
    assert!(watches(&job, "api") && !watches(&job, "203.0.113.5:443"));
    assert_eq!(of_servers(store), all(EventState::Retracted), "nothing is missing");
}

#[test]
fn events_stay_when_connections_are_deleted() {
    let (_folder, whole) = open();
    let store = whole.of(DataSet::Origin).unwrap();
    compute(store, 0..END);
    let names = ["api=203.0.113.5:443"];
    run(&mut with_names(&names), store, END + 3);
    let before = of_servers(store);
    assert_eq!(before.len(), 2);
    let retention = Retention { connections: Some(Duration::ZERO), ..Retention::default() };
    store.retain(std::time::SystemTime::now(), &retention).unwrap();
    let mut left = 0;
    store
        .each_connection(i64::MIN..i64::MAX, &mut |_| {
            left += 1;
            true
        })
        .unwrap();
    assert_eq!(left, 0);
    // A window is computed again, so that all since the last state are read again.
    let t = DEAD.start - 2;
    compute(store, t..t + 1);
    run(&mut with_names(&names), store, END + 3);
    assert_eq!(of_servers(store), before);
}

#[test]
fn names_hold_in_their_order() {
    let names: Vec<ServerName> =
        ["api=203.0.113.5:443", "all=203.0.113.0/24"].map(|name| name.parse().unwrap()).into();
    let find = |ip: &str, port| ServerName::find(&names, ip.parse().unwrap(), port);
    assert_eq!(find("203.0.113.5", 443), Some("api"));
    assert_eq!(find("203.0.113.5", 80), Some("all"));
    assert_eq!(find("198.51.100.1", 80), None);
}
