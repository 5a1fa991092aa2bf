//! The data set `quic`, whose rows are datagrams.

use std::net::Ipv6Addr;
use std::time::{Duration, SystemTime};

use cutshort_geo::{Country, Place};
use cutshort_model::{Addresses, Dimension, Network, Port, Value, Window};
use cutshort_packet::FiveTuple;
use cutshort_packet::quic::{Datagram, Frames, Icmp, Kinds, Opened, Version};
use cutshort_store::cell::{CellKey, CellOutcome, Cells};
use cutshort_store::{
    Added, FlowKey, Keepable, KeptDatagram, Protected, Protection, Provenance, Retention, RollupQuery,
    Segment, SegmentSource, Selection, Store, StoreError, StoredDatagram, WindowCounts, truncation,
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

const SOURCE: SegmentSource<'static> = SegmentSource {
    data_set: DataSet::Quic,
    node: "edge",
    origin: Provenance::File,
    covers: (0, 100 * WINDOW),
};

fn segment(rows: &[Datagram]) -> Segment {
    Segment::encode(rows.iter().map(KeptDatagram::from).collect(), &SOURCE, None).unwrap()
}

/// A datagram of each kind, and each ICMP error: with and without the numbers that may be missing.
fn all_kinds() -> Vec<Datagram> {
    let datagram = |at: u8| {
        let some = |bit: u8, number: u64| (at & bit == 0).then_some(number);
        Datagram {
            ts: 100 + i64::from(at),
            ip_id: 0xfff0 | u16::from(at),
            ttl: 255 - at,
            sample_rate: u32::MAX - u32::from(at),
            len: 0xff00 | u16::from(at),
            kinds: Kinds::from_bits(at),
            version: 0xffff_ff00 | u32::from(at),
            dcid: some(1, u64::MAX - u64::from(at)),
            scid: some(2, u64::from(at)),
            dcid_len: at % 21,
            token: some(4, 0),
            opened: Opened::from_number(at % 4).unwrap(),
            frames: Frames::from_bits(at % 3),
            close_code: some(8, (1 << 62) - 1),
            ..row(5, 7)
        }
    };
    let errors = [Icmp::Port, Icmp::Other, Icmp::Server].into_iter().zip(400..);
    let error = |(icmp, ts)| Datagram { kinds: Kinds::ICMP, icmp: Some(icmp), ..row(ts, 7) };
    (0..128).map(datagram).chain(errors.map(error)).collect()
}

/// The datagrams of each flow of the window that holds a time.
fn flows(store: &dyn Store, at: i64, parts: usize) -> Vec<(FlowKey, Vec<StoredDatagram>)> {
    let (mut all, mut rows) = (Vec::new(), Vec::new());
    for mut part in store.read_window(Window::containing(at), parts).unwrap().parts {
        while let Some(key) = part.next_datagrams(&mut rows).unwrap() {
            all.push((key, std::mem::take(&mut rows)));
        }
    }
    all.sort_by_key(|(key, _)| *key);
    all
}

/// A store keeps datagrams with all their fields.
pub(crate) fn datagrams_are_kept<B: Backend>() {
    let backend = B::new();
    let store = backend.store().of(DataSet::Quic).unwrap();
    let rows = [row(5, 7), row(5, 8), row(6, 7)];
    let (first, later) = (segment(&rows), segment(&[row(7, 9)]));
    assert_eq!(store.append(&first).unwrap(), Added::New);
    assert_eq!(store.append(&first).unwrap(), Added::Known);
    assert_eq!(store.append(&later).unwrap(), Added::New);
    store.append(&segment(&all_kinds())).unwrap();
    let six = FiveTuple::new(
        [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(),
        1,
        [0xfe80, 0, 0, 0, 0, 0, 0, 2].into(),
        443,
    );
    store.append(&segment(&[Datagram { five_tuple: six, ..row(9, 1) }])).unwrap();
    for parts in [1, 3] {
        let found = flows(store, 5, parts);
        let found: Vec<(FiveTuple, Vec<Datagram>)> = found
            .iter()
            .map(|(key, rows)| (key.five_tuple, rows.iter().map(|stored| stored.row).collect()))
            .collect();
        let mut expected = vec![rows[0], rows[1], rows[2], row(7, 9)];
        expected.extend(all_kinds());
        let six = (six, vec![Datagram { five_tuple: six, ..row(9, 1) }]);
        assert_eq!(found, [(rows[0].five_tuple, expected), six]);
    }
    let error = backend.store().append(&first).unwrap_err();
    assert!(matches!(&error, StoreError::Refused(why) if why.contains("data set")), "{error}");
}

/// Datagrams with truncated addresses.
fn truncated(flow: u64, rows: &[Datagram]) -> Segment {
    let protected = |row: &Datagram| {
        let kept = KeptDatagram::from(row);
        let mut packet = *kept.packet();
        let network = |address: Ipv6Addr| Ipv6Addr::from_bits(address.to_bits() & truncation(true));
        packet.five_tuple.src_ip = network(packet.five_tuple.src_ip);
        packet.five_tuple.dst_ip = network(packet.five_tuple.dst_ip);
        let place = Place { country: Country::from_alpha2("PE"), asn: Some(64_496) };
        let protection = Protection { addresses: Addresses::Truncated, place, flow };
        kept.protected(Protected { packet, protection })
    };
    Segment::encode(rows.iter().map(protected).collect(), &SOURCE, None).unwrap()
}

/// Addresses that became equal do not join connections, and country and network come with them.
pub(crate) fn datagrams_of_one_network_stay_apart<B: Backend>() {
    let backend = B::new();
    let store = backend.store().of(DataSet::Quic).unwrap();
    store.append(&truncated(3, &[row(5, 7), row(6, 7)])).unwrap();
    store.append(&truncated(4, &[row(5, 7)])).unwrap();
    let found = flows(store, 5, 2);
    let found: Vec<_> = found
        .iter()
        .map(|(key, rows)| (key.addresses, key.flow, rows.len(), rows[0].place.and_then(|place| place.asn)))
        .collect();
    assert_eq!(
        found,
        [(Addresses::Truncated, 3, 2, Some(64_496)), (Addresses::Truncated, 4, 1, Some(64_496))]
    );
}

pub(crate) fn segments_of_datagrams_can_be_moved_forgotten_and_deleted<B: Backend>() {
    let backend = B::new();
    let store = backend.movable().movable_of(DataSet::Quic).unwrap();
    let at = 90 * WINDOW;
    let late = all_kinds().iter().map(|row| Datagram { ts: row.ts + at, ..*row }).collect::<Vec<_>>();
    let all = [segment(&all_kinds()), truncated(5, &all_kinds()[..9]), segment(&late)];
    for segment in &all {
        assert_eq!(store.append(segment).unwrap(), Added::New);
    }
    for segment in &all {
        let read = store.read_segment(segment.info().id).unwrap();
        assert_eq!((read.info(), read.windows()), (segment.info(), segment.windows()));
        assert_eq!(read.datagrams().unwrap(), segment.datagrams().unwrap());
        assert_eq!(read.protected().unwrap(), segment.protected().unwrap());
    }
    let forgotten = store.forget(&[all[0].info().id, all[1].info().id]).unwrap();
    assert_eq!((forgotten.segments, forgotten.packets), (2, all_kinds().len() as u64 + 9));
    assert!(flows(store, 5, 1).is_empty());
    super::replace(store, at, &[super::made(1, at)]);
    let day = Duration::from_secs(86_400);
    let retention =
        Retention { packets: Some(day), connections: None, fifteen_minutes: None, hours: None, days: None };
    assert_eq!(store.retain(SystemTime::now() + 2 * day, &retention).unwrap(), 1);
    assert!(flows(store, at, 1).is_empty());
    assert_eq!(store.append(&all[0]).unwrap(), Added::New, "it was forgotten");
    assert_eq!(store.append(&all[2]).unwrap(), Added::Known);
}

/// Results keep version and error code, and counts the terms of the data set.
pub(crate) fn results_have_the_terms_of_quic<B: Backend>() {
    let backend = B::new();
    let store = backend.store().of(DataSet::Quic).unwrap();
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
