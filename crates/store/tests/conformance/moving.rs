//! Everything can be taken elsewhere as it is.

use std::net::Ipv6Addr;
use std::time::{Duration, SystemTime};

use cutshort_geo::{Country, Place};
use cutshort_model::{Addresses, Bucket, ConnectionRecord, Dimension, Network, Port, Window};
use cutshort_store::cell::{CellKey, CellOutcome, Cells};
use cutshort_store::{
    Added, Inputs, Movable, Protected, Protection, Provenance, Retention, RollupQuery, RollupRow, Segment,
    SegmentSource, Selection, WindowCounts, WindowResults, truncation,
};
use cutshort_verdict::{Exclusion, Signature, Stage, Tags, Termination};

use super::{Backend, MINUTE, SECOND, START, WINDOW, file, live, made, packet};

const DAY: i64 = 96 * WINDOW;

fn forever() -> Retention {
    Retention { packets: None, connections: None, fifteen_minutes: None, hours: None, days: None }
}

fn at(t: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(t.unsigned_abs())
}

fn protected() -> Segment {
    let protection = Protection {
        addresses: Addresses::Truncated,
        place: Place { country: Country::from_alpha2("PE"), asn: Some(64_496) },
        flow: 7,
    };
    let mut packet = packet(0, START + SECOND);
    let network = |address: Ipv6Addr| Ipv6Addr::from_bits(address.to_bits() & truncation(true));
    packet.five_tuple.src_ip = network(packet.five_tuple.src_ip);
    packet.five_tuple.dst_ip = network(packet.five_tuple.dst_ip);
    let packets = vec![Protected { packet, protection }];
    Segment::encode(packets, &SegmentSource::tcp("c", Provenance::Live, (START, START + MINUTE)), None)
        .unwrap()
}

pub(crate) fn segments_are_read_as_they_came<B: Backend>() {
    let (backend, other) = (B::new(), B::new());
    let all = [
        file((0..50).map(|client| packet(client, START + i64::from(client % 7) * 20 * MINUTE)).collect()),
        live("a", vec![packet(1, START), packet(1, START)], (START, START + MINUTE)),
        live("b", Vec::new(), (START, START + 9 * WINDOW)),
        protected(),
    ];
    all.iter().for_each(|segment| assert_eq!(backend.store().append(segment).unwrap(), Added::New));
    let store = backend.movable();
    assert_eq!(store.segments().unwrap().len(), all.len());
    for segment in &all {
        let read = store.read_segment(segment.info().id).unwrap();
        assert_eq!(read.info(), segment.info());
        assert_eq!(read.protected().unwrap(), segment.protected().unwrap());
        assert_eq!(read.windows(), segment.windows());
    }
    // What was deleted is known elsewhere, too, and so is what it covered.
    for state in store.windows(i64::MIN..i64::MAX).unwrap() {
        super::replace(backend.store(), state.window.start(), &[]);
    }
    let retention = Retention { packets: Some(Duration::ZERO), ..forever() };
    let later = SystemTime::now() + Duration::from_secs(60);
    assert_eq!(store.retain(later.max(at(START + 10 * WINDOW)), &retention).unwrap(), all.len() as u64);
    assert!(store.segments().unwrap().is_empty() && store.read_segment(all[0].info().id).is_err());
    let deleted = store.deleted_segments().unwrap();
    assert_eq!(deleted.len(), all.len());
    let target = other.movable();
    target.append(&all[1]).unwrap();
    for _ in 0..2 {
        target.note_deleted(&deleted).unwrap();
    }
    assert_eq!(target.segments().unwrap(), [all[1].info().id], "that one was there");
    assert!(all.iter().all(|segment| target.append(segment).unwrap() == Added::Known));
    let (from, to) = (store.status().unwrap(), target.status().unwrap());
    assert_eq!((from.covered, from.nodes, from.protected), (to.covered, to.nodes, to.protected));
}

/// Counts of one kind and its exclusions.
fn cells(asn: u32, node: &str, times: u32) -> Cells {
    let mut cells = Cells::default();
    let outcome = CellOutcome::Connection {
        stage: Stage::PostAck,
        termination: Termination::ALL[1],
        completed: true,
        signature: Signature::from_id(3),
        tags: Tags::default(),
    };
    let key = CellKey {
        location: Country::from_alpha2("PE"),
        network: Network::As(asn),
        ip_version: 6,
        port: Port::Number(443),
        node: cells.node(node),
        outcome,
    };
    (0..times).for_each(|_| cells.add(key, 3));
    let folded = CellKey { network: Network::Other, port: Port::Other, location: None, ..key };
    cells.add(folded, 1);
    cells.add(
        CellKey { network: Network::Unknown, outcome: CellOutcome::Excluded(Exclusion::NoSyn), ..folded },
        2,
    );
    cells
}

/// What they are, whatever their order.
fn listed(cells: Option<&Cells>) -> Option<Vec<String>> {
    let text = |cells: &Cells| {
        let text = |(key, count): (CellKey, cutshort_verdict::WeightedCount)| {
            let node = &cells.nodes()[usize::from(key.node)];
            format!("{:?} {node} {count:?}", CellKey { node: 0, ..key })
        };
        let mut texts: Vec<String> = cells.iter().map(text).collect();
        texts.sort();
        texts
    };
    cells.map(text)
}

fn read(store: &dyn Movable, window: Window) -> (WindowResults, Vec<ConnectionRecord<'static>>) {
    let mut records = Vec::new();
    let results = store.read_results(window, &mut |record| {
        records.push(record.clone().into_owned());
        Ok(())
    });
    (results.unwrap().expect("results"), records)
}

fn restore(
    store: &dyn Movable,
    window: Window,
    (results, records): &(WindowResults, Vec<ConnectionRecord<'static>>),
) {
    let mut restoration = store.restore(window).unwrap();
    records.iter().for_each(|record| restoration.write(record).unwrap());
    restoration.finish(results).unwrap();
}

fn write(store: &dyn Movable, window: Window, cells: &Cells, clients: u8) {
    let replacement = store.replace(window).unwrap();
    let mut sink = replacement.sink().unwrap();
    (0..clients).for_each(|client| sink.write(&made(client, window.start()).connection()).unwrap());
    sink.finish().unwrap();
    let inputs = Inputs { segments: u64::MAX - 3, cutoff: window.end(), rules: u64::MAX };
    let counts = WindowCounts {
        packets: 9,
        duplicates: 8,
        tail: 7,
        connections: u64::from(clients),
        excluded: [1, 2, 3, 0, 5, 0, 7, 8],
    };
    replacement.commit(inputs, counts, cells).unwrap();
}

pub(crate) fn results_are_restored_as_they_were<B: Backend>() {
    let (backend, other) = (B::new(), B::new());
    let (store, target) = (backend.movable(), other.movable());
    let first = Window::containing(START);
    assert!(store.read_results(first, &mut |_| Ok(())).unwrap().is_none());
    write(store, first, &cells(1, "a", 2), 3);
    write(store, first.next(), &Cells::default(), 0);
    // There they were something else before.
    write(target, first, &cells(9, "z", 1), 1);
    let dropped = target.restore(first).unwrap();
    drop(dropped);
    assert_eq!(read(target, first).1.len(), 1);
    for (window, frozen) in [(first, true), (first.next(), false)] {
        let (results, records) = read(store, window);
        restore(target, window, &(WindowResults { frozen, ..results.clone() }, records.clone()));
        let (there, records_there) = read(target, window);
        assert_eq!((there.inputs, there.counts), (results.inputs, results.counts));
        assert_eq!((there.frozen, there.has_connections), (frozen, true));
        assert_eq!(listed(there.cells.as_ref()), listed(results.cells.as_ref()));
        assert_eq!(records_there, records);
        let state = &target.windows(window.range()).unwrap()[0];
        assert_eq!((state.done, state.frozen), (Some(results.inputs), frozen));
    }
    assert_eq!(read(target, first).1.len(), 3);
    let (results, _) = read(store, first);
    restore(target, first, &(WindowResults { has_connections: false, ..results }, Vec::new()));
    assert!(!read(target, first).0.has_connections);
}

/// All counts by hours and coarser.
fn answers(store: &dyn Movable, midnight: i64, buckets: &[Bucket]) -> Vec<Vec<RollupRow>> {
    let ask = |(bucket, by): (Bucket, Option<Dimension>)| {
        let range = midnight..midnight + 4 * DAY;
        let query = RollupQuery { range, bucket: Some(bucket), selection: Selection::default(), by };
        let answer = store.rollups(&query).unwrap();
        assert!(answer.networks_folded && answer.ports_folded);
        let mut rows = answer.rows;
        rows.sort_by_key(|row| (row.from, format!("{:?}", row.value)));
        rows
    };
    let by = [None, Some(Dimension::As), Some(Dimension::Node), Some(Dimension::Location)];
    buckets.iter().flat_map(|bucket| by.map(|by| (*bucket, by))).map(ask).collect()
}

fn move_all(store: &dyn Movable, target: &dyn Movable) {
    for state in store.windows(i64::MIN..i64::MAX).unwrap() {
        restore(target, state.window, &read(store, state.window));
    }
    for rest in store.rests().unwrap() {
        target.restore_rest(rest, &store.read_rest(rest).unwrap()).unwrap();
    }
    target.roll().unwrap();
    for rest in store.rests().unwrap() {
        let (from, to) = (store.read_rest(rest).unwrap(), target.read_rest(rest).unwrap());
        assert_eq!(listed(Some(&from)), listed(Some(&to)), "{rest:?}");
    }
}

/// Windows whose own counts are gone count in hours and days elsewhere, too.
pub(crate) fn hours_and_days_are_restored_as_they_were<B: Backend>() {
    let (backend, other, last) = (B::new(), B::new(), B::new());
    let (store, target) = (backend.movable(), other.movable());
    // What is deleted must be older than when it was made: days to come.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as i64;
    let midnight = (now.div_euclid(DAY) + 10) * DAY;
    let ask = |store, buckets: &[Bucket]| answers(store, midnight, buckets);
    for at in [0, 1, 5, 95, 96, 130, 193, 230, 300] {
        write(
            store,
            Window::containing(midnight + at * WINDOW),
            &cells(at as u32 % 3 + 1, "a", at as u32 % 5),
            1,
        );
    }
    store.roll().unwrap();
    let before = ask(store, &[Bucket::Hour, Bucket::Day]);
    let keep = Duration::from_secs(3600);
    let until = |days: i64| at(midnight + days * DAY / 2) + keep;
    store.retain(until(5), &Retention { fifteen_minutes: Some(keep), ..forever() }).unwrap();
    let rests = store.rests().unwrap();
    assert!(!rests.is_empty() && rests.iter().all(|rest| rest.bucket == Bucket::Hour), "{rests:?}");
    assert_eq!(ask(store, &[Bucket::Hour, Bucket::Day]), before);
    for _ in 0..2 {
        move_all(store, target);
        assert_eq!(ask(target, &[Bucket::Hour, Bucket::Day]), before);
        assert_eq!(ask(target, &[Bucket::FifteenMinutes]), ask(store, &[Bucket::FifteenMinutes]));
    }
    // Then hours go, too.
    target
        .retain(until(6), &Retention { fifteen_minutes: Some(keep), hours: Some(keep), ..forever() })
        .unwrap();
    let rests = target.rests().unwrap();
    assert!(rests.iter().any(|rest| rest.bucket == Bucket::Day), "{rests:?}");
    assert_eq!(ask(target, &[Bucket::Day]), ask(store, &[Bucket::Day]));
    move_all(target, last.movable());
    assert_eq!(ask(last.movable(), &[Bucket::Day]), ask(store, &[Bucket::Day]));
}
