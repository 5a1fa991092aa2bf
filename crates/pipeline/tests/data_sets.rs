//! Segments of every data set become results in the store of that data set.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutshort_embedded::{Embedded, Options};
use cutshort_geo::Geo;
use cutshort_model::{ConnectionRecord, now};
use cutshort_packet::{FiveTuple, Flags, Packet};
use cutshort_pipeline::{
    Due, GeoData, Ingest, IngestAnswer, Report, RunProgress, SegmentName, SegmentNameError, Service,
    Settings, Share, Unwanted, WindowJob, known_segments, stores,
};
use cutshort_store::{Provenance, Segment, SegmentId, SegmentSource, Store};
use cutshort_verdict::{DataSet, Tag, Termination};

const MILLISECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600_000 * MILLISECOND;

/// A proxy in Germany opens a connection to a server in the USA, which refuses it.
fn refused(at: i64) -> Vec<Packet> {
    let syn = Packet {
        ts: at,
        five_tuple: FiveTuple::new([141, 1, 1, 1].into(), 40_112, [8, 8, 8, 8].into(), 443),
        flags: Flags::SYN,
        seq: 1000,
        ttl: 64,
        sample_rate: 1,
        ..Packet::ZERO
    };
    let flags = Flags::RST | Flags::ACK | Flags::RECEIVED;
    let rst = Packet { ts: at + 20 * MILLISECOND, flags, seq: 0, ack: 1001, ttl: 55, ..syn };
    vec![syn, rst]
}

fn connections(store: &dyn Store) -> Vec<ConnectionRecord<'static>> {
    let mut all = Vec::new();
    let each = &mut |record| {
        all.push(record);
        true
    };
    store.each_connection(i64::MIN..i64::MAX, each).unwrap();
    all
}

/// A store with the same packets in both data sets: of `tcp`, only those that were sent.
fn with_both(folder: &Path, at: i64) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(Embedded::open(folder, Options { durable: false }).unwrap());
    let ingest = Ingest::default();
    for data_set in [DataSet::Tcp, DataSet::Origin] {
        let covers = (at - MILLISECOND, at + HOUR / 2);
        let source = SegmentSource { data_set, node: "proxy", origin: Provenance::Live, covers };
        let mut packets = refused(at);
        if data_set == DataSet::Tcp {
            packets.truncate(1);
        }
        let id = SegmentId(7 + data_set as u128);
        let segment = Segment::encode(packets, &source, Some(id)).unwrap();
        let answer = ingest.take(store.as_ref(), segment.bytes().to_vec());
        assert!(matches!(answer, IngestAnswer::New(_)), "{answer:?}");
    }
    store
}

/// Computes what is due, and returns how far it said that it had come.
fn compute(store: &dyn Store) -> (Report, Vec<(usize, usize)>) {
    let mut steps = Vec::new();
    let each = &mut |progress: &RunProgress| {
        steps.push((progress.past, progress.all));
        ControlFlow::Continue(())
    };
    let report = WindowJob::default().run_due(store, &Geo::builtin(), Due::All, each).unwrap();
    (report, steps)
}

#[test]
fn windows_of_all_data_sets_are_computed_and_computed_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_both(folder.path(), now() - HOUR);
    let (report, steps) = compute(store.as_ref());
    assert_eq!((report.done, steps), (2, vec![(0, 2), (1, 2), (1, 2), (2, 2)]));
    assert_eq!(
        stores(store.as_ref()).unwrap().iter().map(|store| connections(*store).len()).sum::<usize>(),
        2
    );
    assert_eq!(compute(store.as_ref()).0.done, 0, "nothing is due");
    let (job, go_on) = (WindowJob::default(), &mut |_: &RunProgress| ControlFlow::Continue(()));
    let all = i64::MIN..i64::MAX;
    let report =
        job.recompute(store.as_ref(), &Geo::builtin(), all.clone(), Share::default(), go_on).unwrap();
    assert_eq!((report.done, report.left, report.is_whole()), (2, 0, true));
    // Whoever ends it ends it for all of them.
    let mut calls = 0;
    let end = &mut |_: &RunProgress| {
        calls += 1;
        ControlFlow::Break(())
    };
    let report = job.recompute(store.as_ref(), &Geo::builtin(), all, Share::default(), end).unwrap();
    assert_eq!((report.done, report.left, calls), (0, 2, 1));
    assert_eq!(report.problems(), ["interrupted: 2 windows not yet computed; run this again to continue"]);
}

#[test]
fn segments_of_all_data_sets_are_listed_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_both(folder.path(), now() - HOUR);
    compute(store.as_ref());
    let known = known_segments(store.as_ref()).unwrap();
    let data_sets: Vec<DataSet> = known.iter().map(|segment| segment.info.data_set).collect();
    assert_eq!(data_sets, [DataSet::Tcp, DataSet::Origin]);
    let name = |text: &str| SegmentName::Id(text.to_owned());
    let mut unwanted = Unwanted::default();
    assert_eq!(unwanted.add(&name("0"), &known), Err(SegmentNameError::Ambiguous(2)));
    let live = SegmentName::Import(i64::MIN, i64::MAX);
    assert_eq!(unwanted.add(&live, &known), Err(SegmentNameError::Unknown), "nothing was imported");
    unwanted.add(&name(&known[1].info.id.to_string()), &known).unwrap();
    assert!(unwanted.to_string().starts_with("1 segment with 2 packets, of "), "{unwanted}");
    let go_on = &mut |_: &RunProgress| ControlFlow::Continue(());
    let removed = unwanted.forget(store.as_ref(), &Geo::builtin(), go_on).unwrap();
    assert_eq!((removed.forgotten.segments, removed.forgotten.removed.len()), (1, 1));
    assert!(
        removed.to_string().starts_with("1 segment with 2 packets removed\n1 window removed"),
        "{removed}"
    );
    let origin = store.find(DataSet::Origin).unwrap().unwrap();
    assert_eq!((connections(store.as_ref()).len(), connections(origin).len()), (1, 0));
}

#[test]
fn a_service_computes_the_windows_of_all_data_sets() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_both(folder.path(), now() - HOUR);
    let geo = Arc::new(GeoData::from(Geo::builtin()));
    let settings = Settings { every: Duration::from_millis(20), ..Settings::default() };
    let service = Service::start(Arc::clone(&store), geo, settings);
    let until = Instant::now() + Duration::from_secs(60);
    while service.state().windows < 2 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(service.state().due, 0);
    service.stop();

    let of_tcp = connections(store.as_ref());
    assert_eq!(of_tcp.len(), 1);
    assert_eq!((of_tcp[0].data_set, of_tcp[0].termination), (DataSet::Tcp, Termination::Timeout));
    let of_origin = connections(store.find(DataSet::Origin).unwrap().unwrap());
    assert_eq!(of_origin.len(), 1);
    let record = &of_origin[0];
    assert_eq!((record.data_set, record.termination), (DataSet::Origin, Termination::Reset));
    assert!(record.tags.contains(Tag::Refused));
    let country = |record: &ConnectionRecord<'_>| record.location.map(cutshort_geo::Country::alpha2);
    assert_eq!((country(&of_tcp[0]), country(record)), (Some("DE"), Some("US")), "of the other end");
}
