//! Captures of connections that this host opens: imported, they are judged as `classify` judges them.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use cutshort_embedded::{Embedded, Options};
use cutshort_geo::{Geo, Place};
use cutshort_model::{Addresses, ConnectionRecord, JudgedConnection, ServerCounts, Window};
use cutshort_packet::{FiveTuple, Flags, Packet, Unreachable};
use cutshort_pipeline::{
    AddressKey, Arrival, Due, GeoData, Imported, Importing, Privacy, WindowJob, import_as,
};
use cutshort_store::{Store, WindowCounts};
use cutshort_verdict::{ClosedWindow, DataSet, Rules, Tracker};
use tempfile::TempDir;

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_980_000 * Window::LENGTH;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// Records of both directions between a few sockets over three windows, whose ports are used again often.
fn records(seed: u64, count: u64) -> Vec<Arrival> {
    let random = &mut Random(seed);
    let mut now = START;
    let record = |_| {
        now += random.one_of(&[0, 1, 40, 400, 4_000, 20_000]) * SECOND / 1_000;
        let port = random.one_of(&[40_001, 40_002, 40_003, 443]);
        let (us, server) = ([141, 1, 1, 1].into(), [8, 8, 8, if port == 443 { 9 } else { 8 }].into());
        let opener = FiveTuple::new(us, port, server, 443);
        let isn = random.one_of(&[1_000, 1_000, 5_000]);
        if random.below(12) == 0 {
            let error = Unreachable { ts: now, five_tuple: opener, seq: isn, ip_id: 7, ttl: 60 };
            return Arrival { ts: now, packet: None, unreachable: Some(error), simulated: false };
        }
        let is_sent = random.below(2) == 0;
        let rel = random.one_of(&[1, 1, 101]);
        let flags = random.one_of(&["S", "S", "A", "PA", "FA", "R", "RA", "SA"]);
        let is_syn = flags == "S";
        let packet = Packet {
            ts: now,
            five_tuple: if is_sent { opener } else { opener.reversed() },
            flags: Flags::from_letters(flags).unwrap(),
            seq: if is_syn { isn } else { isn + rel },
            ack: if is_syn { 0 } else { isn + rel },
            payload_len: if flags == "PA" { 100 } else { 0 },
            ttl: 60,
            sample_rate: 1,
            ..Packet::ZERO
        };
        Arrival { ts: now, packet: Some(packet), unreachable: None, simulated: false }
    };
    (0..count).map(record).collect()
}

/// What `classify` says, window by window.
fn classified(records: &[Arrival], geo: &Geo) -> (Vec<ConnectionRecord<'static>>, WindowCounts) {
    let mut tracker = Tracker::new(Rules::of(DataSet::Origin));
    for Arrival { ts, packet, unreachable, .. } in records {
        let _ = tracker.record(*ts, packet.as_ref());
        unreachable.iter().for_each(|error| tracker.add_unreachable(error));
    }
    let (mut connections, mut counts) = (Vec::new(), WindowCounts::default());
    tracker.finish().for_each(|window| judged(&window, geo, &mut connections, &mut counts));
    (sorted(connections), counts)
}

fn judged(
    window: &ClosedWindow,
    geo: &Geo,
    connections: &mut Vec<ConnectionRecord<'static>>,
    counts: &mut WindowCounts,
) {
    window.for_each(|five_tuple, outcome, _| match outcome {
        Ok(verdict) => {
            counts.connections += 1;
            let place = geo.lookup(DataSet::Origin.other_end(five_tuple).to_canonical());
            let as_name = place.asn.and_then(|asn| geo.as_name(asn));
            let addresses = Addresses::Full;
            let connection = JudgedConnection { five_tuple, addresses, verdict, node: "", place, as_name };
            connections.push(ConnectionRecord::from(&connection).into_owned());
        }
        Err(exclusion) => counts.excluded[*exclusion as usize] += 1,
    });
}

fn sorted(mut connections: Vec<ConnectionRecord<'static>>) -> Vec<ConnectionRecord<'static>> {
    connections.sort_by_cached_key(|record| (record.first_us, format!("{record:?}")));
    connections
}

#[track_caller]
fn assert_same(found: &[ConnectionRecord<'static>], expected: &[ConnectionRecord<'static>]) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
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
        self.store.of(DataSet::Origin).unwrap()
    }

    fn take(&self, records: &[Arrival], privacy: &Privacy) -> Imported {
        let importing = Importing::all(DataSet::Origin);
        import_as(self.store(), &importing, privacy, records.iter().copied(), || true).unwrap()
    }

    fn import(&self, records: &[Arrival]) -> Imported {
        self.take(records, &Privacy::full())
    }

    fn results(&self) -> (Vec<ConnectionRecord<'static>>, WindowCounts) {
        let job = WindowJob { threads: 3, small: 0, ..WindowJob::default() };
        let each = &mut |_: &_| ControlFlow::Continue(());
        let report = job.run_due(self.store(), &self.geo.current(), Due::All, each).unwrap();
        assert!(report.failed.is_empty());
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
    for seed in 0..40 {
        let (records, imports) = (records(seed, 300), Imports::new());
        imports.import(&records);
        let (connections, counts) = imports.results();
        let (expected, expected_counts) = classified(&records, &imports.geo.current());
        assert_same(&connections, &expected);
        assert_eq!(counts.excluded, expected_counts.excluded, "seed {seed}");
    }
}

/// Of each server, windows count what single connections add up to.
#[test]
fn servers_are_counted_as_their_connections() {
    for seed in 0..20 {
        let imports = Imports::new();
        imports.import(&records(seed, 600));
        let (connections, _) = imports.results();
        let mut expected: BTreeMap<_, (Place, ServerCounts)> = BTreeMap::new();
        for record in &connections {
            let server = (record.five_tuple.dst(), record.five_tuple.dst_port);
            let (place, counts) = expected.entry(server).or_default();
            *place = Place { country: record.location, asn: record.asn };
            counts.add(record);
        }
        let totals = imports.store().servers(&(i64::MIN..i64::MAX)).unwrap().unwrap();
        let cells = totals.into_iter().map(|totals| (totals.server.unwrap(), totals.cell));
        let found: BTreeMap<_, (Place, ServerCounts)> =
            cells.map(|(server, cell)| (server, (cell.place, cell.counts))).collect();
        assert_eq!(found, expected, "seed {seed}");
        assert!(found.len() >= 2);
    }
}

/// One capture is a part of the other, so that both have its first packets: each packet counts once, and each
/// connection keeps its limit.
#[test]
fn captures_that_overlap_are_one() {
    for seed in 0..20 {
        let (records, imports) = (records(seed, 300), Imports::new());
        for part in [&records[..200], &records[..], &records[..200]] {
            imports.import(part);
        }
        let (connections, counts) = imports.results();
        let (expected, expected_counts) = classified(&records, &imports.geo.current());
        assert_same(&connections, &expected);
        assert_eq!(counts.excluded, expected_counts.excluded, "seed {seed}");
    }
}

/// A second capture begins between two SYN packets of a connection, and so has later packets of it.
#[test]
fn the_limit_is_that_of_all_captures() {
    let all = records(1, 1);
    let syn = Packet { flags: Flags::SYN, seq: 1_000, ack: 0, payload_len: 0, ..all[0].packet.unwrap() };
    let at = |ms: i64, packet: Packet| {
        let ts = START + ms * SECOND / 1_000;
        Arrival { ts, packet: Some(Packet { ts, ..packet }), unreachable: None, simulated: false }
    };
    let answer = |ms: i64| {
        let flags = Flags::ACK | Flags::PSH;
        let (five_tuple, seq) = (syn.five_tuple.reversed(), 9_000 + ms as u32);
        at(ms, Packet { five_tuple, flags, seq, ack: 1_001, payload_len: 1, ..syn })
    };
    let mut records = vec![at(0, syn), at(1, syn)];
    records.extend((2..30).map(answer));
    let imports = Imports::new();
    imports.import(&records);
    imports.import(&records[1..]);
    assert_eq!(imports.results().0[0].packets, 16);
}

/// Of one capture the SYN packet is not known, so that it could be either's connection.
#[test]
fn a_pair_without_a_syn_counts_once() {
    let records: Vec<Arrival> = records(3, 400)
        .into_iter()
        .filter(|record| record.packet.is_some_and(|packet| !packet.is_syn()))
        .take(40)
        .collect();
    let (sent, received): (Vec<Arrival>, Vec<Arrival>) =
        records.into_iter().partition(|record| record.packet.unwrap().five_tuple.dst_port == 443);
    let imports = Imports::new();
    imports.import(&sent);
    imports.import(&received);
    let counts = imports.results().1;
    let of_one = {
        let imports = Imports::new();
        imports.import(&sent);
        imports.results().1
    };
    assert!(of_one.excluded.iter().sum::<u64>() > 0);
    assert_eq!(counts.excluded, of_one.excluded);
}

/// An ACK of ours shows that the server has answered, and nothing of that is there.
#[test]
fn one_direction_is_not_kept() {
    let mut records = records(5, 200);
    records.retain(|record| {
        let sent = |packet: &Packet| packet.five_tuple.dst_port == 443 && packet.five_tuple.src_port != 443;
        record.packet.as_ref().is_some_and(sent)
    });
    let imports = Imports::new();
    let imported = imports.import(&records);
    assert_eq!((imported.one_direction, imported.packets), (1, 0));
    assert_eq!(imports.results().1, WindowCounts::default());
}

/// The place is that of the server, and neither its address nor ours is kept.
#[test]
fn servers_are_protected_as_clients_are() {
    let records = records(7, 300);
    for addresses in [Addresses::Truncated, Addresses::Encrypted] {
        let (imports, key) = (Imports::new(), AddressKey::new(std::array::from_fn(|at| at as u8)).unwrap());
        let privacy = Privacy::new(addresses, &key, Arc::clone(&imports.geo));
        imports.take(&records, &privacy);
        let (connections, counts) = imports.results();
        let (expected, expected_counts) = classified(&records, &imports.geo.current());
        assert_eq!(counts.excluded, expected_counts.excluded);
        assert_eq!(connections.len(), expected.len());
        for record in &connections {
            assert_eq!(record.addresses, addresses);
            let ends = [record.five_tuple.src().to_string(), record.five_tuple.dst().to_string()];
            assert!(!ends.iter().any(|end| end == "8.8.8.8" || end == "141.1.1.1"), "{ends:?}");
        }
        let places = |all: &[ConnectionRecord<'static>]| {
            let mut places: Vec<_> = all.iter().map(|record| (record.location, record.asn)).collect();
            places.sort();
            places
        };
        assert_eq!(places(&connections), places(&expected));
    }
}
