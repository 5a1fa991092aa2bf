//! Data sets are kept apart.

use cutshort_packet::{Flags, Packet, SynOptions};
use cutshort_store::{Added, Provenance, Segment, SegmentSource, StoreError};
use cutshort_verdict::{DataSet, Exclusion};

use super::{Backend, WINDOW, packet};

const COVERS: (i64, i64) = (0, WINDOW);

fn segment(data_set: DataSet, flags: Flags) -> Segment {
    let mut packet = Packet { flags, ..packet(1, 5) };
    if !packet.is_syn() {
        packet.syn = SynOptions::NONE;
    }
    let packets = vec![packet];
    let source = SegmentSource { data_set, node: "edge", origin: Provenance::File, covers: COVERS };
    Segment::encode(packets, &source, None).unwrap()
}

/// Segments of a data set are found in its own store, also by a reader and after an earlier look, and nowhere else.
pub(crate) fn each_data_set_has_its_own_segments<B: Backend>() {
    let (backend, received) = (B::new(), Flags::RECEIVED | Flags::ACK);
    let (store, reader) = (backend.store(), backend.reader());
    assert_eq!(store.data_set(), DataSet::Tcp);
    let (tcp, origin) = (segment(DataSet::Tcp, Flags::SYN), segment(DataSet::Origin, received));
    assert_ne!(tcp.info().id, origin.info().id);
    assert!(reader.find(DataSet::Origin).unwrap().is_none_or(|store| store.status().unwrap().segments == 0));

    assert_eq!(store.append(&tcp).unwrap(), Added::New);
    let other = store.of(DataSet::Origin).unwrap();
    assert_eq!(other.data_set(), DataSet::Origin);
    assert_eq!(other.append(&origin).unwrap(), Added::New);
    assert_eq!(other.append(&origin).unwrap(), Added::Known);
    for reader in [&*reader, store] {
        for (data_set, id) in [(DataSet::Tcp, tcp.info().id), (DataSet::Origin, origin.info().id)] {
            let found = reader.find(data_set).unwrap().unwrap();
            let known = found.known_segments().unwrap();
            let known: Vec<_> = known.iter().map(|known| (known.info.id, known.info.data_set)).collect();
            assert_eq!(known, [(id, data_set)]);
        }
    }
    let mut part = other.read_window(cutshort_model::Window::containing(5), 1).unwrap().parts.remove(0);
    let mut rows = Vec::new();
    assert!(part.next_group(&mut rows).unwrap().is_some());
    assert_eq!(rows[0].row.flags, received);
}

/// A segment in the wrong store would be counted among connections of another kind.
pub(crate) fn segments_of_other_data_sets_are_refused<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    for (store, segment) in [
        (store, segment(DataSet::Origin, Flags::SYN)),
        (store.of(DataSet::Origin).unwrap(), segment(DataSet::Tcp, Flags::SYN)),
    ] {
        let error = store.append(&segment).unwrap_err();
        assert!(matches!(&error, StoreError::Refused(why) if why.contains("data set")), "{error}");
        assert_eq!(store.status().unwrap().segments, 0);
    }
}

/// The rules of `origin` depend on the order of arrival, also of rows at the same time: in a window and in a segment that is
/// moved. More rows than are inserted at a time.
pub(crate) fn rows_of_equal_time_keep_their_order<B: Backend>() {
    const ROWS: u32 = 150_000;
    let backend = B::new();
    let store = backend.movable().movable_of(DataSet::Origin).unwrap();
    let at = |number: u32| Packet {
        flags: Flags::ACK,
        syn: SynOptions::NONE,
        seq: number.wrapping_mul(2_654_435_761),
        ttl: number as u8,
        ..packet((number % 3) as u8, 5 + i64::from(number / 10_000))
    };
    let source =
        SegmentSource { data_set: DataSet::Origin, node: "", origin: Provenance::File, covers: (0, WINDOW) };
    let packets: Vec<Packet> = (0..ROWS).map(at).collect();
    let segment = Segment::encode(packets.clone(), &source, None).unwrap();
    store.append(&segment).unwrap();
    let found = super::groups(store, 5, 2);
    assert_eq!(found.len(), 3);
    for (five_tuple, rows) in found {
        let expected =
            packets.iter().filter(|packet| packet.five_tuple == five_tuple).map(|packet| packet.seq);
        assert!(rows.iter().map(|(_, row)| row.row.seq).eq(expected), "{five_tuple}");
    }
    let read = store.read_segment(segment.info().id).unwrap();
    assert!(read.protected().unwrap() == segment.protected().unwrap());
}

/// Every data set's store has the annotations of all, which say what they are about.
pub(crate) fn annotations_are_shared<B: Backend>() {
    use cutshort_store::{AnnotationKind, NewAnnotation};
    let backend = B::new();
    let store = backend.store();
    let annotation = NewAnnotation {
        data_set: None,
        kind: AnnotationKind::General,
        start: 0,
        end: None,
        description: "changed firewall".to_owned(),
        linked_url: None,
        scope: None,
        locations: Vec::new(),
        asns: Vec::new(),
        outage: None,
    };
    let of = |data_set| NewAnnotation { data_set: Some(data_set), start: 1, ..annotation.clone() };
    store.annotate(&annotation).unwrap();
    let other = store.of(DataSet::Origin).unwrap();
    let mut expected = vec![annotation.clone()];
    expected.extend(DataSet::ALL.map(of));
    for annotation in &expected[1..] {
        other.annotate(annotation).unwrap();
    }
    for store in [store, other, backend.reader().as_ref()] {
        let found = store.annotations(0..WINDOW).unwrap();
        assert!(found.iter().map(|found| &found.content).eq(&expected), "{found:?}");
    }
    let about = |data_set| expected.iter().filter(|one| one.concerns(data_set)).count();
    assert_eq!(DataSet::ALL.map(about), [2, 2, 2]);
    let quic = other.annotations(0..WINDOW).unwrap().pop().unwrap();
    assert!(store.remove_annotation(quic.id).unwrap());
    assert_eq!(other.annotations(0..WINDOW).unwrap().len(), expected.len() - 1);
}

/// Results keep the terms and numbers that only their data set has.
pub(crate) fn results_have_the_terms_of_their_data_set<B: Backend>() {
    use cutshort_model::{Dimension, Value, Window};
    use cutshort_store::cell::{CellKey, CellOutcome, Cells};
    use cutshort_store::{RollupQuery, Selection, WindowCounts};
    use cutshort_verdict::{Signature, Stage, Tag, Termination};

    let backend = B::new();
    let store = backend.store().of(DataSet::Origin).unwrap();
    store.append(&segment(DataSet::Origin, Flags::SYN)).unwrap();
    let signature = Signature::from_id(201);
    let mut made = super::made(1, 5);
    made.verdict.data_set = DataSet::Origin;
    made.verdict.stage = Stage::PostSyn;
    made.verdict.termination = Termination::GaveUp;
    made.verdict.tags = [Tag::GaveUp, Tag::SynAckLate].into_iter().collect();
    made.verdict.signature = signature;
    made.verdict.handshake = Some(1_234_567);

    let replacement = store.replace(Window::containing(5)).unwrap();
    let mut sink = replacement.sink().unwrap();
    sink.write(&made.connection()).unwrap();
    sink.finish().unwrap();
    let mut cells = Cells::default();
    let outcomes = [
        CellOutcome::Connection {
            stage: Stage::PostSyn,
            termination: Termination::GaveUp,
            completed: false,
            signature,
            tags: made.verdict.tags,
        },
        CellOutcome::Excluded(Exclusion::SelfConnected),
    ];
    for outcome in outcomes {
        let (location, network) = (made.place.country, cutshort_model::Network::As(64_496));
        let port = cutshort_model::Port::Number(443);
        let node = cells.node("");
        cells.add(CellKey { location, network, ip_version: 4, port, node, outcome }, 7);
    }
    let mut counts = WindowCounts { connections: 1, packets: 1, ..WindowCounts::default() };
    counts.excluded[Exclusion::SelfConnected as usize] = 3;
    replacement.commit(super::inputs(store, 5), counts, &cells).unwrap();

    let reader = backend.reader();
    let reader = reader.find(DataSet::Origin).unwrap().unwrap();
    let found = reader.connections(&super::connections::everything()).unwrap();
    let found = found.iter().map(|record| {
        (record.data_set, record.termination, record.tags, record.signature, record.handshake_us)
    });
    let expected = (DataSet::Origin, Termination::GaveUp, made.verdict.tags, signature, Some(1_234));
    assert_eq!(found.collect::<Vec<_>>(), [expected]);
    assert_eq!(reader.status().unwrap().counts.excluded, counts.excluded);

    let values = |by| {
        let selection = Selection::default();
        let query = RollupQuery { range: 0..WINDOW, bucket: None, selection, by: Some(by) };
        let rows = reader.rollups(&query).unwrap().rows;
        let mut values: Vec<String> =
            rows.iter().map(|row| format!("{:?} {}", row.value, row.total().weight)).collect();
        values.sort();
        values
    };
    let shown = |value: Value| format!("{value:?} 7");
    assert_eq!(values(Dimension::Termination), [shown(Value::Termination(Termination::GaveUp))]);
    assert_eq!(values(Dimension::Signature), [shown(Value::Signature(signature))]);
    assert_eq!(values(Dimension::Tag), [shown(Value::Tag(Tag::GaveUp)), shown(Value::Tag(Tag::SynAckLate))]);
    let query = RollupQuery { range: 0..WINDOW, bucket: None, selection: Selection::default(), by: None };
    let excluded = reader.rollups(&query).unwrap().rows[0].excluded;
    assert_eq!(excluded[Exclusion::SelfConnected as usize].weight, 7);
}
