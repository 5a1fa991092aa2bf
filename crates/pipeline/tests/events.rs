//! Events are found once, whatever happens between runs and whatever is replaced.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::ops::{ControlFlow, Range};

use cutshort_detect::{Channel, Event, EventState, SeriesPlace};
use cutshort_embedded::{Embedded, Options};
use cutshort_geo::Country;
use cutshort_model::{Network, Port, Window};
use cutshort_packet::Packet;
use cutshort_pipeline::{EventJob, EventReport};
use cutshort_store::cell::{CellKey, CellOutcome, Cells};
use cutshort_store::{
    EventQuery, Inputs, KeptEvent, Provenance, Segment, SegmentSource, Store, WindowCounts,
};
use cutshort_verdict::{Stage, Tags, Termination, WeightedCount};
use tempfile::TempDir;

const DAY: i64 = 96;
/// A Monday.
const START: i64 = 2_919 * 672 + 4 * DAY;
const WEEKS: i64 = 5;
/// A day after four weeks, when the networks of Iraq go.
const GONE: Range<i64> = 30 * DAY + 40..30 * DAY + 60;
const NODES: [&str; 2] = ["a", "b"];
const COUNTRIES: [&str; 4] = ["IQ", "PE", "FR", "KE"];

fn open() -> (TempDir, Embedded) {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), Options { durable: false }).unwrap();
    (folder, store)
}

/// That a node observed windows, counted from the start.
fn cover(store: &dyn Store, node: &str, windows: Range<i64>) {
    let time = |t: i64| Window::from_number(START + t).start();
    let source = SegmentSource::tcp(node, Provenance::Live, (time(windows.start), time(windows.end) - 1));
    store.append(&Segment::encode(Vec::<Packet>::new(), &source, None).unwrap()).unwrap();
}

/// A number from 0 to 1 that depends on nothing but its arguments.
fn noise(a: i64, b: u32) -> f64 {
    let mut z =
        (a as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(b).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 30)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

/// The counts of a window: three networks in each of four countries, at the nodes given. `iraq` is what is left of one of them.
fn cells(t: i64, nodes: &[&str], iraq: f64) -> Cells {
    let mut cells = Cells::default();
    for network in 1..=12_u32 {
        let country = COUNTRIES[network as usize % 4];
        for node in nodes {
            let part = if country == "IQ" { iraq } else { 1.0 };
            let salt = network * 2 + u32::from(*node == "a");
            let all = (50.0 * part * (0.9 + 0.2 * noise(t, salt))).round() as u64;
            let cut_short = all / 20;
            for (stage, sampled) in [(Stage::PostAck, cut_short), (Stage::None, all - cut_short)] {
                let key = CellKey {
                    location: Country::from_alpha2(country),
                    network: Network::As(network),
                    ip_version: 4,
                    port: Port::Number(443),
                    node: cells.node(node),
                    outcome: CellOutcome::Connection {
                        stage,
                        termination: Termination::Fin,
                        completed: true,
                        signature: None,
                        tags: Tags::default(),
                    },
                };
                let count =
                    WeightedCount { sampled, weight: 20 * sampled, squares: 400 * u128::from(sampled) };
                cells.add_count(key, &count);
            }
        }
    }
    cells
}

/// Replaces the results of windows.
fn compute(store: &dyn Store, windows: Range<i64>, cells: impl Fn(i64) -> Cells) {
    let batch = store.batch().unwrap();
    for t in windows {
        let replacement = batch.replace(Window::from_number(START + t)).unwrap();
        replacement.commit(Inputs::default(), WindowCounts::default(), &cells(t)).unwrap();
    }
    batch.finish().unwrap();
}

fn left(t: i64) -> f64 {
    if GONE.contains(&t) { 0.02 } else { 1.0 }
}

/// Five weeks at two nodes, with a day on which Iraq is gone.
fn fill(store: &dyn Store) {
    NODES.iter().for_each(|node| cover(store, node, 0..WEEKS * 7 * DAY));
    compute(store, 0..WEEKS * 7 * DAY, |t| cells(t, &NODES, left(t)));
}

/// Runs a job as of a window, to the end.
fn run_at(job: &mut EventJob, store: &dyn Store, t: i64) -> EventReport {
    let now = Window::from_number(START + t).start() + 1;
    job.run(store, now, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn run(store: &dyn Store) -> EventReport {
    run_at(&mut EventJob::default(), store, WEEKS * 7 * DAY + 3)
}

fn kept(store: &dyn Store) -> Vec<KeptEvent> {
    store.events().unwrap().list(&EventQuery::default()).unwrap()
}

fn events(store: &dyn Store) -> Vec<Event> {
    kept(store).into_iter().map(|kept| kept.event).collect()
}

/// Place, channel, onset and end of each event, and its state.
fn told(store: &dyn Store) -> Vec<(String, Channel, i64, Option<i64>, &'static str)> {
    let mut told: Vec<_> = events(store)
        .into_iter()
        .map(|event| {
            let end = event.end.map(|end| end - START);
            (event.place.to_string(), event.channel, event.onset - START, end, event.state.name())
        })
        .collect();
    told.sort();
    told
}

#[test]
fn an_outage_is_found_with_its_beginning_and_end() {
    let (_folder, store) = open();
    fill(&store);
    let report = run(&store);
    assert_eq!((report.windows, report.more), (5 * 672, false));
    let of_iraq = |place: &str| (place.to_owned(), Channel::Traffic, GONE.start, Some(GONE.end), "closed");
    assert_eq!(told(&store), [of_iraq("as:12"), of_iraq("as:4"), of_iraq("as:8"), of_iraq("country:IQ")]);
    let events = events(&store);
    let country = events.iter().find(|event| event.place == SeriesPlace::Country(*b"IQ")).unwrap();
    assert!(country.alarm.is_some() && country.size > 0.9);
    let parts: Vec<_> = events.iter().filter(|event| event.part_of == Some(country.id)).collect();
    assert_eq!(parts.len(), 3, "{events:#?}");
    // There is nothing to do any more.
    assert_eq!(run(&store), EventReport::default());
    let mut job = EventJob::default();
    assert_eq!(run_at(&mut job, &store, WEEKS * 7 * DAY + 3), EventReport::default());
}

/// A run that ends at any time, as by a kill, leaves either what was before or what is after.
#[test]
fn runs_that_end_early_lose_and_double_nothing() {
    let (_folder, whole) = open();
    fill(&whole);
    run(&whole);
    let (folder, pieces) = open();
    fill(&pieces);
    let mut runs = 0;
    for (number, length) in (0..).zip([1, 700, 95, 2_100, 3, 250].into_iter().cycle()) {
        // Each time another process, which knows nothing but what is stored.
        let mut job = EventJob::default();
        let now = Window::from_number(START + WEEKS * 7 * DAY + 3).start();
        let mut past = 0;
        let report = job.run(&pieces, now, &mut |_| {
            past += 1;
            if past >= length { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        runs = number + 1;
        if !report.unwrap().more {
            break;
        }
    }
    assert!(runs > 3, "{runs}");
    assert_eq!(events(&pieces), events(&whole));
    drop(pieces);
    let reader = Embedded::open_reader(folder.path()).unwrap();
    assert_eq!(events(&reader), events(&whole));
}

#[test]
fn one_window_after_the_other_gives_the_same_as_all_at_once() {
    let (_folder, whole) = open();
    fill(&whole);
    run(&whole);
    let (_folder, store) = open();
    let before = GONE.start - 4;
    NODES.iter().for_each(|node| cover(&store, node, 0..before));
    compute(&store, 0..before, |t| cells(t, &NODES, left(t)));
    let mut job = EventJob::default();
    run_at(&mut job, &store, before);
    assert_eq!(told(&store), []);
    for t in before..GONE.end + 20 {
        NODES.iter().for_each(|node| cover(&store, node, t..t + 1));
        compute(&store, t..t + 1, |t| cells(t, &NODES, left(t)));
        let report = run_at(&mut job, &store, t + 1);
        assert_eq!(report.windows, 1);
        if t == GONE.start + 6 {
            let open = told(&store).into_iter().filter(|event| event.4 == "open").count();
            assert_eq!(open, 4, "{:#?}", told(&store));
        }
    }
    assert_eq!(told(&store), told(&whole));
    let ids = |store: &dyn Store| events(store).into_iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(ids(&store), ids(&whole));
}

#[test]
fn windows_that_are_replaced_are_read_again() {
    let (_folder, store) = open();
    fill(&store);
    run(&store);
    let first = events(&store);
    // The packets were there, only late.
    compute(&store, GONE, |t| cells(t, &NODES, 1.0));
    let report = run(&store);
    assert!(report.windows > 0 && report.windows < 14 * 96, "{}", report.windows);
    let states: Vec<_> = events(&store).into_iter().map(|event| (event.id, event.state)).collect();
    assert_eq!(states, first.iter().map(|event| (event.id, EventState::Retracted)).collect::<Vec<_>>());
    // They are gone after all, some windows later: the ids stay.
    compute(&store, GONE.start + 2..GONE.end, |t| cells(t, &NODES, 0.02));
    run(&store);
    for (again, before) in events(&store).iter().zip(&first) {
        assert_eq!((again.id, again.state, again.end), (before.id, EventState::Closed, before.end));
        assert_eq!((again.onset, again.alarm), (before.onset + 2, before.alarm));
        assert_eq!(again.revision, before.revision + 2);
    }
    assert_eq!(run(&store), EventReport::default());
}

#[test]
fn what_we_did_not_see_is_ours() {
    let (_folder, store) = open();
    cover(&store, "a", 0..WEEKS * 7 * DAY);
    cover(&store, "b", 0..GONE.start);
    cover(&store, "b", GONE.end..WEEKS * 7 * DAY);
    let nodes = |t: i64| if GONE.contains(&t) { &NODES[..1] } else { &NODES[..] };
    compute(&store, 0..WEEKS * 7 * DAY, |t| cells(t, nodes(t), 1.0));
    run(&store);
    let ours = ("node:b".to_owned(), Channel::Observer, GONE.start, Some(GONE.end), "closed");
    assert_eq!(told(&store), std::slice::from_ref(&ours));
    // What it had seen in half of that time comes later.
    let half = GONE.start..GONE.start + 10;
    cover(&store, "b", half.clone());
    compute(&store, half.clone(), |t| cells(t, &NODES, 1.0));
    run(&store);
    assert_eq!(told(&store), [(ours.0, ours.1, half.end, ours.3, ours.4)]);
}

#[test]
fn a_reader_finds_nothing_where_nothing_was_looked_for() {
    let (folder, store) = open();
    fill(&store);
    let reader = Embedded::open_reader(folder.path()).unwrap();
    assert_eq!(events(&reader), []);
    run(&store);
    assert_eq!(events(&reader).len(), 4);
    let query = EventQuery { channels: vec![Channel::PostAck], ..EventQuery::default() };
    assert_eq!(reader.events().unwrap().list(&query).unwrap(), []);
    let query = |windows: Range<i64>| EventQuery::touching(START + windows.start..START + windows.end);
    assert_eq!(reader.events().unwrap().list(&query(0..GONE.start)).unwrap(), []);
    assert_eq!(reader.events().unwrap().list(&query(GONE.end - 1..GONE.end)).unwrap().len(), 4);
    assert_eq!(reader.events().unwrap().list(&query(GONE.end..i64::MAX - START)).unwrap(), []);
    let place = EventQuery { places: vec![SeriesPlace::Country(*b"IQ")], ..EventQuery::default() };
    assert_eq!(reader.events().unwrap().list(&place).unwrap().len(), 1);
}

/// What receivers of alarms would be told, in order.
fn alerts(store: &dyn Store) -> Vec<(String, &'static str)> {
    let queued = store.events().unwrap().outbox().unwrap().after(0, 100).unwrap();
    queued.iter().map(|queued| (queued.alert.event.place.to_string(), queued.alert.kind.name())).collect()
}

#[test]
fn recent_changes_of_alarms_are_told_and_old_ones_are_not() {
    let of_iraq = |kind| ("country:IQ".to_owned(), kind);
    // Read as of long after, nothing is told.
    let (_folder, store) = open();
    fill(&store);
    run(&store);
    assert_eq!(alerts(&store), []);
    // Read as of the time of the outage, then of its end, and then once more.
    let (_folder, store) = open();
    NODES.iter().for_each(|node| cover(&store, node, 0..GONE.start + 6));
    compute(&store, 0..GONE.start + 6, |t| cells(t, &NODES, left(t)));
    let mut job = EventJob::default();
    run_at(&mut job, &store, GONE.start + 6);
    assert_eq!(alerts(&store), [of_iraq("opened")]);
    NODES.iter().for_each(|node| cover(&store, node, GONE.start + 6..GONE.end + 6));
    compute(&store, GONE.start + 6..GONE.end + 6, |t| cells(t, &NODES, left(t)));
    run_at(&mut job, &store, GONE.end + 6);
    assert_eq!(alerts(&store), [of_iraq("opened"), of_iraq("ended")]);
    run_at(&mut EventJob::default(), &store, GONE.end + 7);
    assert_eq!(alerts(&store).len(), 2);
    // What is gone since results were replaced is retracted.
    compute(&store, GONE, |t| cells(t, &NODES, 1.0));
    run_at(&mut EventJob::default(), &store, GONE.end + 7);
    assert_eq!(alerts(&store)[2..], [of_iraq("retracted")]);
}
