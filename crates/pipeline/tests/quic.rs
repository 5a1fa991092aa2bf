//! Captures of QUIC: imported, they are judged as `classify` judges them.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
#[allow(dead_code)]
#[path = "../../verdict/tests/quic/random.rs"]
mod random;
#[allow(dead_code)]
#[path = "../../verdict/tests/splitmix/mod.rs"]
mod splitmix;

use std::ops::ControlFlow;
use std::sync::Arc;

use cutshort_embedded::{Embedded, Options};
use cutshort_geo::Geo;
use cutshort_model::{Addresses, ConnectionRecord, JudgedConnection, Window};
use cutshort_packet::quic::Datagram;
use cutshort_pipeline::{
    AddressKey, DatagramArrival, Due, GeoData, Imported, Importing, Privacy, WindowJob, import_datagrams,
    trace_datagrams,
};
use cutshort_store::{Store, WindowCounts};
use cutshort_verdict::{DataSet, Rules, Tracker};
use random::Random;
use tempfile::TempDir;

const START: i64 = 1_980_000 * Window::LENGTH;

/// Records of many clients over two windows, in the order of time.
fn records(seed: u64) -> Vec<DatagramArrival> {
    let mut rows: Vec<Datagram> = Vec::new();
    for client in 0..40_u8 {
        let case = random::case(&mut Random(seed * 1000 + u64::from(client)));
        let address = std::net::Ipv4Addr::new(141, 1, 1, client).to_ipv6_mapped();
        let begin = START + i64::from(client) * 30_000_000_000;
        rows.extend(case.rows.into_iter().map(|mut row| {
            row.ts += begin;
            let is_source = row.five_tuple.src_ip == case_client();
            *(if is_source { &mut row.five_tuple.src_ip } else { &mut row.five_tuple.dst_ip }) = address;
            row
        }));
    }
    rows.sort_by_key(|row| row.ts);
    let arrival = |row: Datagram| DatagramArrival { ts: row.ts, rows: [Some(row), None], simulated: false };
    rows.into_iter().map(arrival).collect()
}

/// The address of all clients in random cases.
fn case_client() -> std::net::Ipv6Addr {
    std::net::Ipv4Addr::new(198, 51, 100, 7).to_ipv6_mapped()
}

/// What a tracker says of the records.
fn classified(records: &[DatagramArrival], geo: &Geo) -> (Vec<ConnectionRecord<'static>>, WindowCounts) {
    let mut tracker = Tracker::new(Rules::of(DataSet::Quic));
    for record in records {
        let closed = tracker.record(record.ts, None);
        assert!(!closed, "no window is closed");
        record.rows.iter().flatten().for_each(|row| tracker.add_datagram(row));
    }
    let (mut connections, mut counts) = (Vec::new(), WindowCounts::default());
    for window in tracker.finish() {
        window.for_each(|five_tuple, outcome, _| match outcome {
            Ok(verdict) => {
                let place = geo.lookup(five_tuple.src());
                let as_name = place.asn.and_then(|asn| geo.as_name(asn));
                let addresses = Addresses::Full;
                let connection =
                    JudgedConnection { five_tuple, addresses, verdict, node: "", place, as_name };
                connections.push(ConnectionRecord::from(&connection).into_owned());
            }
            Err(exclusion) => counts.excluded[*exclusion as usize] += 1,
        });
    }
    (sorted(connections), counts)
}

fn sorted(mut connections: Vec<ConnectionRecord<'static>>) -> Vec<ConnectionRecord<'static>> {
    connections.sort_by_cached_key(|record| (record.first_us, format!("{record:?}")));
    connections
}

struct Imports {
    _folder: TempDir,
    store: Embedded,
    geo: Arc<GeoData>,
}

impl Imports {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Embedded::open(folder.path(), Options { durable: false }).unwrap();
        Self { _folder: folder, store, geo: Arc::new(GeoData::from(Geo::builtin())) }
    }

    fn store(&self) -> &dyn Store {
        self.store.of(DataSet::Quic).unwrap()
    }

    fn take(&self, records: &[DatagramArrival], privacy: &Privacy) -> Imported {
        let importing = Importing::all(DataSet::Quic);
        import_datagrams(self.store(), &importing, privacy, records.iter().copied(), || true).unwrap()
    }

    fn import(&self, records: &[DatagramArrival]) -> Imported {
        self.take(records, &Privacy::full())
    }

    fn results(&self) -> (Vec<ConnectionRecord<'static>>, WindowCounts) {
        let job = WindowJob { threads: 3, small: 0, ..WindowJob::default() };
        let each = &mut |_: &_| ControlFlow::Continue(());
        let report = job.run_due(self.store(), &self.geo.current(), Due::All, each).unwrap();
        assert!(report.failed.is_empty(), "{:?}", report.failed);
        let mut connections = Vec::new();
        let each = &mut |record| {
            connections.push(record);
            true
        };
        self.store().each_connection(i64::MIN..i64::MAX, each).unwrap();
        (sorted(connections), self.store().status().unwrap().counts)
    }
}

#[test]
fn an_import_is_judged_as_classify_judges() {
    for seed in 0..30 {
        let (records, imports) = (records(seed), Imports::new());
        imports.import(&records);
        let (connections, counts) = imports.results();
        let (expected, expected_counts) = classified(&records, &imports.geo.current());
        assert!(expected.len() > 10, "{}", expected.len());
        assert_eq!(connections, expected, "seed {seed}");
        assert_eq!(counts.excluded, expected_counts.excluded, "seed {seed}");
    }
}

#[test]
fn a_connection_is_shown_with_the_verdict_that_it_has() {
    let (records, imports) = (records(7), Imports::new());
    let half = records.len() / 2;
    imports.import(&records);
    imports.import(&records[half..]);
    let (connections, _) = imports.results();
    assert!(connections.len() > 10);
    let mut with_server = 0;
    for record in &connections {
        let time = record.first_us * 1000;
        let traced = trace_datagrams(imports.store(), &Rules::of(DataSet::Quic), &record.five_tuple, time);
        let traced = traced.unwrap().unwrap();
        let verdict = traced.trace.outcome.unwrap().unwrap();
        assert_eq!((verdict.termination, verdict.stage), (record.termination, record.stage));
        assert_eq!((verdict.tags, verdict.signature), (record.tags, record.signature));
        let steps = &traced.trace.steps;
        assert_eq!(steps.iter().filter(|step| !step.row.is_icmp()).count(), record.packets as usize);
        let reversed = record.five_tuple.reversed();
        assert!(traced.other.iter().all(|step| step.row.five_tuple == reversed && !step.row.is_icmp()));
        with_server += u32::from(!traced.other.is_empty());
        let elsewhere = imports.store();
        let later = trace_datagrams(
            elsewhere,
            &Rules::of(DataSet::Quic),
            &record.five_tuple,
            time + Window::LENGTH * 9,
        );
        assert!(later.unwrap().is_none());
    }
    assert!(with_server > 0);
}

#[test]
fn captures_that_overlap_are_one() {
    for seed in 0..10 {
        let (records, imports) = (records(seed), Imports::new());
        let half = records.len() / 2;
        for part in [&records[..half], &records[..], &records[..half]] {
            imports.import(part);
        }
        let (connections, counts) = imports.results();
        let (expected, expected_counts) = classified(&records, &imports.geo.current());
        assert_eq!(connections, expected, "seed {seed}");
        assert_eq!(counts.excluded, expected_counts.excluded, "seed {seed}");
    }
}

#[test]
fn importing_a_capture_twice_changes_nothing() {
    let (records, imports) = (records(3), Imports::new());
    let first = imports.import(&records);
    let second = imports.import(&records);
    assert!(first.new > 0 && second.new == 0 && second.known == first.new, "{second:?}");
}

/// Ids are compared inside one connection only, so verdicts do not depend on addresses; but of Initial packets of both
/// directions at the same time, and between equal ports, the smaller address would be that of the server.
#[test]
fn protected_addresses_change_no_verdict() {
    let key = AddressKey::new(std::array::from_fn(|at| at as u8)).unwrap();
    let mut records = records(5);
    for record in &mut records {
        for row in record
            .rows
            .iter_mut()
            .flatten()
            .filter(|row| row.five_tuple.dst().to_string().starts_with("141."))
        {
            row.ts += 7;
            record.ts = row.ts;
        }
    }
    records.sort_by_key(|record| record.ts);
    let verdicts = |connections: &[ConnectionRecord<'static>]| {
        let of = |record: &ConnectionRecord<'_>| {
            (record.first_us, record.termination, record.stage, record.tags, record.packets, record.asn)
        };
        let mut all: Vec<_> = connections.iter().map(of).collect();
        all.sort_unstable();
        all
    };
    let plain = Imports::new();
    plain.import(&records);
    let (expected, _) = plain.results();
    for addresses in [Addresses::Truncated, Addresses::Encrypted] {
        let imports = Imports::new();
        imports.take(&records, &Privacy::new(addresses, &key, Arc::clone(&imports.geo)));
        let (connections, _) = imports.results();
        assert_eq!(verdicts(&connections), verdicts(&expected), "{addresses:?}");
    }
}
