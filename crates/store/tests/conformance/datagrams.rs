//! The data set `quic`, whose rows are datagrams, where a store keeps it.

use cutshort_model::{Dimension, Network, Port, Value, Window};
use cutshort_packet::quic::{Datagram, Kinds, Version};
use cutshort_store::cell::{CellKey, CellOutcome, Cells};
use cutshort_store::{
    Added, KeptDatagram, Provenance, RollupQuery, Segment, SegmentSource, Selection, StoreError, WindowCounts,
};
use cutshort_verdict::{DataSet, Exclusion, Progress, Signature, Stage, Tag, Termination};

use super::{Backend, WINDOW, packet};

fn row(ts: i64, dcid: u64) -> Datagram {
    Datagram {
        ts,
        five_tuple: packet(1, 5).five_tuple,
        kinds: Kinds::INITIAL,
        version: 1,
        len: 1200,
        dcid: Some(dcid),
        dcid_len: 8,
        token: Some(Datagram::NO_TOKEN),
        sample_rate: 1,
        ..Datagram::ZERO
    }
}

fn segment(rows: &[Datagram]) -> Segment {
    let source = SegmentSource {
        data_set: DataSet::Quic,
        node: "edge",
        origin: Provenance::File,
        covers: (0, WINDOW),
    };
    Segment::encode(rows.iter().map(KeptDatagram::from).collect(), &source, None).unwrap()
}

/// A store keeps datagrams with all their fields, or says that it does not.
pub(crate) fn datagrams_are_kept_or_refused<B: Backend>() {
    let backend = B::new();
    let store = match backend.store().of(DataSet::Quic) {
        Ok(store) => store,
        Err(StoreError::Refused(why)) => {
            assert!(why.contains("quic"), "{why}");
            assert!(backend.reader().find(DataSet::Quic).unwrap().is_none());
            return;
        }
        Err(other) => panic!("{other}"),
    };
    let rows = [row(5, 7), row(5, 8), row(6, 7)];
    let (first, later) = (segment(&rows), segment(&[row(7, 9)]));
    assert_eq!(store.append(&first).unwrap(), Added::New);
    assert_eq!(store.append(&first).unwrap(), Added::Known);
    assert_eq!(store.append(&later).unwrap(), Added::New);
    let mut packets = store.read_window(Window::containing(5), 1).unwrap();
    let mut found = Vec::new();
    let key = packets.parts[0].next_datagrams(&mut found).unwrap().unwrap();
    assert_eq!(key.five_tuple, rows[0].five_tuple);
    let found: Vec<Datagram> = found.iter().map(|stored| stored.row).collect();
    assert_eq!(found, [rows[0], rows[1], rows[2], row(7, 9)]);
    assert!(packets.parts[0].next_datagrams(&mut Vec::new()).unwrap().is_none());
    let error = backend.store().append(&first).unwrap_err();
    assert!(matches!(&error, StoreError::Refused(why) if why.contains("data set")), "{error}");
}

/// Results keep version and error code, and counts the terms of the data set.
pub(crate) fn results_have_the_terms_of_quic<B: Backend>() {
    let backend = B::new();
    let Ok(store) = backend.store().of(DataSet::Quic) else { return };
    store.append(&segment(&[row(5, 7)])).unwrap();
    let signature = Signature::from_id(115);
    let mut made = super::made(1, 5);
    made.verdict.data_set = DataSet::Quic;
    (made.verdict.stage, made.verdict.progress) = (Stage::PostAck, Progress::PostAck);
    made.verdict.termination = Termination::Close;
    made.verdict.tags = [Tag::QuicClose, Tag::QuicAnswered, Tag::ServerRefused].into_iter().collect();
    made.verdict.signature = signature;
    (made.verdict.version, made.verdict.close_code) = (Version::V2.number(), Some(0x12a));

    let replacement = store.replace(Window::containing(5)).unwrap();
    let mut sink = replacement.sink().unwrap();
    sink.write(&made.connection()).unwrap();
    sink.finish().unwrap();
    let mut cells = Cells::default();
    let connection = CellOutcome::Connection {
        stage: Stage::PostAck,
        termination: Termination::Close,
        completed: true,
        signature,
        tags: made.verdict.tags,
    };
    for outcome in [connection, CellOutcome::Excluded(Exclusion::MultipleConnections)] {
        let (location, network, port) = (made.place.country, Network::As(64_496), Port::Number(443));
        let node = cells.node("");
        cells.add(CellKey { location, network, ip_version: 4, port, node, outcome }, 7);
    }
    let mut counts = WindowCounts { connections: 1, packets: 1, ..WindowCounts::default() };
    counts.excluded[Exclusion::MultipleConnections as usize] = 3;
    replacement.commit(super::inputs(store, 5), counts, &cells).unwrap();

    let reader = backend.reader();
    let reader = reader.find(DataSet::Quic).unwrap().unwrap();
    let found = reader.connections(&super::connections::everything()).unwrap();
    let found =
        found.iter().map(|record| (record.termination, record.tags, record.version, record.close_code));
    let expected = (Termination::Close, made.verdict.tags, Some(Version::V2), Some(0x12a));
    assert_eq!(found.collect::<Vec<_>>(), [expected]);
    assert_eq!(reader.status().unwrap().counts.excluded, counts.excluded);

    let rows = |by, selection| {
        let query = RollupQuery { range: 0..WINDOW, bucket: None, selection, by };
        reader.rollups(&query).unwrap().rows
    };
    let values = |by| -> Vec<Value> {
        rows(Some(by), Selection::default()).into_iter().map(|row| row.value).collect()
    };
    assert_eq!(values(Dimension::Termination), [Value::Termination(Termination::Close)]);
    assert_eq!(values(Dimension::Signature), [Value::Signature(signature)]);
    let mut tags = values(Dimension::Tag);
    tags.sort_by_key(|value| if let Value::Tag(tag) = value { tag.number() } else { 255 });
    assert_eq!(tags, [Tag::QuicClose, Tag::QuicAnswered, Tag::ServerRefused].map(Value::Tag));
    let all = rows(None, Selection::default());
    assert_eq!(all[0].stages[Stage::PostAck as usize].weight, 7);
    assert_eq!(all[0].excluded[Exclusion::MultipleConnections as usize].weight, 7);
}
