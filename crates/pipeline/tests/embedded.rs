//! The whole way on the real store.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod memory;
mod simulated;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::SystemTime;

use cutshort_embedded::{Embedded, Options};
use cutshort_geo::Geo;
use cutshort_model::{Bucket, ConnectionRecord, Dimension, Window, nanoseconds};
use cutshort_pipeline::demo::Demo;
use cutshort_pipeline::live::{AgentCounts, IncompleteNotes};
use cutshort_pipeline::{Due, Share, WindowJob};
use cutshort_report::{connection, counts, export_connections, export_rollups, extent};
use cutshort_simulate::World;
use cutshort_simulate::quic::Clients;
use cutshort_store::{RollupAnswer, RollupQuery, Selection, Store};
use cutshort_verdict::{DataSet, Exclusion};
use memory::Memory;
use simulated::{END, do_all, packets, take_in};
use tempfile::TempDir;

const WINDOW: i64 = Window::LENGTH;

fn open() -> (TempDir, Embedded) {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), Options { durable: false }).unwrap();
    (folder, store)
}

fn connections(store: &dyn Store) -> Vec<ConnectionRecord<'static>> {
    let mut all = Vec::new();
    store
        .each_connection(i64::MIN..i64::MAX, &mut |record| {
            all.push(record);
            true
        })
        .unwrap();
    all.sort_by_key(|record| (Window::containing(record.first_us * 1000), record.five_tuple));
    all
}

/// All counts, told apart by everything.
fn rollups(store: &dyn Store, from: i64, to: i64) -> Vec<RollupAnswer> {
    let query = |by, bucket| RollupQuery { range: from..to, bucket, selection: Selection::default(), by };
    let by = std::iter::once(None).chain(Dimension::ALL.map(Some));
    let queries = by.flat_map(|by| {
        [query(by, None), query(by, Some(Bucket::FifteenMinutes)), query(by, Some(Bucket::Hour))]
    });
    queries
        .map(|query| {
            let mut answer = store.rollups(&query).unwrap();
            answer.rows.sort_by_key(|row| (row.from, format!("{:?}", row.value)));
            answer
        })
        .collect()
}

#[test]
fn the_real_store_gives_what_the_one_in_memory_gives() {
    let all = packets(5, 0.7, 8);
    let geo = Geo::builtin();
    let memory = Memory::default();
    take_in(&memory, &all);
    do_all(&memory, &geo);
    let (_folder, store) = open();
    let third = all.len() / 3;
    for piece in [&all[third..], &all[..third], &all[third..]] {
        take_in(&store, piece);
        do_all(&store, &geo);
    }
    assert!(connections(&store) == connections(&memory));
    let (_folder, whole) = open();
    take_in(&whole, &all);
    do_all(&whole, &geo);
    assert_eq!(rollups(&store, END - 5 * WINDOW, END), rollups(&whole, END - 5 * WINDOW, END));
    assert_eq!(whole.status().unwrap().counts, store.status().unwrap().counts);
}

fn demo(store: &dyn Store, until: SystemTime, folder: &TempDir) -> Geo {
    let demo = Demo::of(until, 3 * 96, 60_000);
    let networks = folder.path().join("networks.csv");
    std::fs::write(&networks, demo.geo_csv()).unwrap();
    let geo = Geo::with_files(&[networks]).unwrap();
    demo.fill(store, &geo, &|_| ControlFlow::Continue(())).unwrap();
    geo
}

/// Connections of the data set `quic` by the names of stage and termination, or of the reason why they are left out.
type QuicCounts = BTreeMap<(&'static str, &'static str), u64>;

/// What is in the store.
fn quic_counts(store: &dyn Store) -> QuicCounts {
    let store = store.find(DataSet::Quic).unwrap().unwrap();
    let mut counts = QuicCounts::new();
    let each = &mut |record: ConnectionRecord<'static>| {
        let stage = DataSet::Quic.stage_name(record.stage);
        *counts.entry((stage, record.termination.name())).or_default() += 1;
        true
    };
    store.each_connection(i64::MIN..i64::MAX, each).unwrap();
    let excluded = store.status().unwrap().counts.excluded;
    for (exclusion, count) in Exclusion::ALL.into_iter().zip(excluded).filter(|(_, count)| *count > 0) {
        counts.insert(("", exclusion.name()), count);
    }
    counts
}

/// What is true of the demo's connections.
fn quic_truth(from: i64, to: i64) -> QuicCounts {
    let clients = Clients::new(&World::standard(), from, to, 120, 1);
    let mut counts = QuicCounts::new();
    for connection in clients.windows().flat_map(|window| clients.connections(window)) {
        let told = connection.story.truth().unwrap_or_else(|reason| ("", reason));
        *counts.entry(told).or_default() += 1;
    }
    counts
}

#[test]
fn the_demo_is_whole_and_says_what_it_is() {
    let (until, networks) = (SystemTime::now(), tempfile::tempdir().unwrap());
    let (_folder, store) = open();
    let geo = demo(&store, until, &networks);
    let end = Window::containing(nanoseconds(until)).start();
    let status = store.status().unwrap();
    assert!(status.simulated);
    let (first, last) = (Window::containing(end - 3 * 96 * WINDOW), Window::containing(end - WINDOW));
    assert_eq!((status.windows, status.window_range), (3 * 96, Some((first, last))));
    assert!((50_000..80_000).contains(&status.counts.connections), "{:?}", status.counts);
    assert_eq!(status.covered.map(|covered| covered.1), Some(end));
    // The windows with packets and those without are judged alike, and neither is due.
    assert!(WindowJob::default().due(&store, Due::All).unwrap().is_empty());
    let again =
        WindowJob::default().recompute(&store, &geo, end - 16 * WINDOW..end, Share::default(), &mut |_| {
            ControlFlow::Continue(())
        });
    let again = again.unwrap();
    assert_eq!((again.done, again.kept), (24, 24), "of three data sets");
    assert_eq!(store.status().unwrap().counts, status.counts);
    let origin = store.find(DataSet::Origin).unwrap().unwrap().status().unwrap();
    assert_eq!(
        (origin.counts.connections, origin.counts.excluded),
        (3 * 96 * 120, [0; Exclusion::ALL.len()])
    );
    assert_eq!(quic_counts(&store), quic_truth(end - 3 * 96 * WINDOW, end));
    let annotations = store.annotations(i64::MIN..i64::MAX).unwrap();
    assert!(annotations.iter().all(|annotation| annotation.content.description.starts_with("SIMULATED ")));
    assert!(annotations.iter().all(|annotation| annotation.content.data_set == Some(DataSet::Tcp)));
    assert!(!annotations.is_empty());
    let query = RollupQuery {
        range: end - 3 * 96 * WINDOW..end,
        bucket: None,
        selection: Selection::default(),
        by: Some(Dimension::Location),
    };
    let answer = store.rollups(&query).unwrap();
    assert!(answer.rows.len() >= 30, "{} countries", answer.rows.len());
    let total: u64 = answer.rows.iter().map(|row| row.total().sampled).sum();
    assert_eq!(total, status.counts.connections);
}

#[test]
fn exports_have_everything_once() {
    let (until, networks) = (SystemTime::now(), tempfile::tempdir().unwrap());
    let (_folder, store) = open();
    demo(&store, until, &networks);
    let status = store.status().unwrap();
    let range = extent(&store).unwrap().unwrap();
    let mut lines = Vec::new();
    let writer = connection::Format::Jsonl.writer(&mut lines).unwrap();
    let exported = export_connections(&store, range.clone(), writer).unwrap();
    assert!(exported.missing.is_empty());
    let count = exported.connections;
    assert_eq!(
        (count, lines.iter().filter(|byte| **byte == b'\n').count() as u64),
        (count, status.counts.connections)
    );
    for bucket in [Bucket::FifteenMinutes, Bucket::Hour, Bucket::Day, Bucket::Week] {
        let mut csv = Vec::new();
        let writer = counts::Format::Csv.writer(&mut csv).unwrap();
        let by = [Dimension::As, Dimension::Node];
        let (rows, folded) = export_rollups(&store, range.clone(), bucket, &by, writer).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        assert_eq!((csv.lines().count() as u64, folded), (rows + 1, false));
        let sampled = |line: &str| line.split(',').nth(4).unwrap().parse::<u64>().unwrap();
        let sum: u64 = csv.lines().filter(|line| line.contains(",node,")).map(sampled).sum();
        assert_eq!(sum, status.counts.connections, "{bucket:?}");
    }
}

#[test]
fn incomplete_sampling_is_annotated_once() {
    let (_folder, store) = open();
    let minute = |minute: i64| END + minute * 60_000_000_000;
    let counts = |from, to| AgentCounts { left_out_times: Some((from, to)), ..AgentCounts::default() };
    let kept = || -> Vec<(String, i64, Option<i64>)> {
        let all = store.annotations(i64::MIN..i64::MAX).unwrap();
        all.into_iter().map(|one| (one.content.description, one.content.start, one.content.end)).collect()
    };
    let text = |node: &str| {
        format!(
            "Sampling at {node} was incomplete: connections that were chosen were left out, as no more could be remembered."
        )
    };
    let notes = IncompleteNotes::default();
    let note = |notes: &IncompleteNotes, node: &str, counts: &AgentCounts, now| {
        notes.note(&store, node, counts, minute(now)).unwrap()
    };
    assert!(!note(&notes, "edge", &AgentCounts::default(), 10));
    assert!(note(&notes, "edge", &counts(minute(1), minute(2)), 10));
    assert!(!note(&notes, "edge", &counts(minute(1), minute(2)), 11));
    // It goes on, and so it does for a process that knows of nothing; less than a window later is the same.
    assert!(note(&notes, "edge", &counts(minute(1), minute(4)), 12));
    let later = IncompleteNotes::default();
    assert!(!note(&later, "edge", &counts(minute(1), minute(4)), 13));
    assert!(note(&later, "edge", &counts(minute(18), minute(20)), 25));
    assert_eq!(kept(), [(text("edge"), minute(1), Some(minute(20)))]);
    // Another server, and another time.
    assert!(note(&later, "other", &counts(minute(3), minute(3)), 25));
    assert!(note(&later, "edge", &counts(minute(40), minute(41)), 45));
    let all = [
        (text("edge"), minute(1), Some(minute(20))),
        (text("other"), minute(3), Some(minute(3))),
        (text("edge"), minute(40), Some(minute(41))),
    ];
    assert_eq!(kept(), all);
    // The same server, by what it samples.
    let of_quic = AgentCounts { left_out_of: Some(DataSet::Quic), ..counts(minute(40), minute(41)) };
    assert!(note(&later, "edge", &of_quic, 45) && !note(&later, "edge", &of_quic, 46));
    assert!(note(&later, "edge", &counts(minute(40), minute(42)), 46));
    assert!(!note(&later, "edge", &of_quic, 47), "it is found in the store");
    let about = store.annotations(minute(40)..minute(50)).unwrap();
    let about: Vec<_> = about.iter().map(|one| (one.content.data_set, one.content.end)).collect();
    assert_eq!(about, [(Some(DataSet::Quic), Some(minute(41))), (None, Some(minute(42)))]);
    let all = kept();
    // Nobody has been there.
    for times in [(minute(-20_000), minute(1)), (minute(45), minute(70))] {
        assert!(!note(&later, "edge", &counts(times.0, times.1), 45));
    }
    assert_eq!(kept(), all);
}
