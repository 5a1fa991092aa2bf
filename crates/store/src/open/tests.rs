use cutshort_geo::{Country, Place};
use cutshort_packet::{FiveTuple, Packet};
use cutshort_simulate::syn_packet;
use proptest::prelude::*;

use super::*;
use crate::Protection;

fn packet(at: u32) -> Packet {
    Packet { seq: at, sample_rate: 3, ..syn_packet(i64::from(at) * 1000, at as u16) }
}

/// Batches of so many packets, the file that they make, and where its frames end.
fn written(batches: &[u32]) -> (Vec<Vec<Packet>>, Vec<u8>, Vec<usize>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("open");
    let mut open = OpenSegment::<Protected>::create(
        &path,
        SegmentId(7),
        &SegmentSource::tcp("edge", Provenance::Live, (0, 0)),
        SyncPolicy::Never,
    )
    .unwrap();
    let mut ends = vec![fs::read(&path).unwrap().len()];
    let mut next = 0;
    let mut all = Vec::new();
    for batch in batches {
        let packets: Vec<Packet> = (next..next + batch).map(packet).collect();
        next += batch;
        open.append(&packets, i64::from(next) * 1000).unwrap();
        ends.push(fs::read(&path).unwrap().len());
        all.push(packets);
    }
    (all, fs::read(&path).unwrap(), ends)
}

/// What is found in bytes is what the first so many batches had.
#[track_caller]
fn assert_recovered(bytes: &[u8], batches: &[Vec<Packet>], whole: usize) {
    let mut rest = bytes;
    let head = head(&mut rest);
    let found =
        head.and_then(|(head, version)| Some((super::batches::<Protected>(&head, version, rest)?, head)));
    if whole == 0 {
        assert!(found.is_none());
        return;
    }
    let (content, head) = found.unwrap();
    let expected: Vec<Packet> = batches[..whole].concat();
    let found: Vec<Packet> = content.packets.iter().map(|packet| packet.packet).collect();
    assert_eq!((head.id, head.node.as_str(), head.origin), (SegmentId(7), "edge", Provenance::Live));
    assert_eq!(content.covers, (0, expected.len() as i64 * 1000));
    assert_eq!(found, expected);
}

#[test]
fn a_crash_at_any_byte_loses_only_what_was_not_written() {
    let (batches, bytes, ends) = written(&[3, 0, 1, 5]);
    for len in 0..=bytes.len() {
        let whole = ends.iter().filter(|end| **end <= len).count().saturating_sub(1);
        assert_recovered(&bytes[..len], &batches, whole);
    }
}

#[test]
fn a_damaged_byte_ends_what_is_recovered() {
    let (batches, bytes, ends) = written(&[2, 1, 2]);
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x40;
        let whole = ends.iter().filter(|end| **end <= at).count().saturating_sub(1);
        assert_recovered(&bytes, &batches, whole);
    }
}

proptest! {
    #[test]
    fn garbage_behind_the_end_adds_nothing(
        batches in prop::collection::vec(0..6_u32, 1..5),
        garbage in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let (packets, mut bytes, _) = written(&batches);
        bytes.extend(garbage);
        assert_recovered(&bytes, &packets, packets.len());
    }
}

#[test]
fn sealed_and_replayed_segments_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("open");
    let mut open = OpenSegment::<Protected>::create(
        &path,
        SegmentId(9),
        &SegmentSource::tcp("edge", Provenance::Live, (500, 500)),
        SyncPolicy::Always,
    )
    .unwrap();
    assert!(replay(&path).unwrap().is_none(), "nothing was appended");
    open.append(&[packet(3), packet(1)], 2000).unwrap();
    assert_eq!((open.rows(), open.covers()), (2, (500, 3000)));
    let sealed = open.seal().unwrap();
    let replayed = replay(&path).unwrap().unwrap();
    assert_eq!((sealed.info(), sealed.bytes()), (replayed.info(), replayed.bytes()));
    open.remove().unwrap();
    assert!(!path.exists());
}

/// A packet with truncated addresses.
fn truncated(at: u32) -> Protected {
    let five_tuple = FiveTuple::new([198, 51, 100, 0].into(), at as u16, [203, 0, 113, 0].into(), 443);
    let place = Place { country: Country::from_alpha2("PE"), asn: Some(64_500 + at) };
    let protection = Protection { addresses: Addresses::Truncated, flow: u64::from(at) << 40, place };
    Protected { packet: Packet { five_tuple, ..packet(at) }, protection }
}

#[test]
fn what_stands_beside_packets_survives_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("open");
    let mut open = OpenSegment::<Protected>::create(
        &path,
        SegmentId(9),
        &SegmentSource::tcp("edge", Provenance::Live, (0, 0)),
        SyncPolicy::Never,
    )
    .unwrap();
    let none: [Protected; 0] = [];
    open.append(&none, 1).unwrap();
    open.append(&[truncated(3), truncated(1)], 9000).unwrap();
    open.append(&none, 10_000).unwrap();
    let other = open.append(&[packet(2)], 10_000).unwrap_err();
    assert!(other.to_string().contains("full and other addresses"), "{other}");
    let replayed = replay(&path).unwrap().unwrap();
    assert_eq!(replayed.info().addresses, Addresses::Truncated);
    assert_eq!(replayed.protected().unwrap(), [truncated(1), truncated(3)]);
    assert_eq!(replayed.bytes(), open.seal().unwrap().bytes());
}

#[test]
fn datagrams_survive_a_crash_with_their_ids() {
    use cutshort_packet::quic::{Datagram, Icmp, Kinds};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("open");
    let source =
        SegmentSource { data_set: DataSet::Quic, ..SegmentSource::tcp("edge", Provenance::Live, (0, 0)) };
    let mut open =
        OpenSegment::<KeptDatagram>::create(&path, SegmentId(9), &source, SyncPolicy::Never).unwrap();
    let datagram = |ts: i64, dcid| Datagram {
        ts,
        five_tuple: packet(1).five_tuple,
        sample_rate: 7,
        len: 1200,
        kinds: Kinds::INITIAL | Kinds::ZERO_RTT,
        version: 1,
        dcid,
        dcid_len: 8,
        token: Some(0),
        close_code: dcid.map(|_| u64::MAX),
        ..Datagram::ZERO
    };
    let icmp = Datagram { icmp: Some(Icmp::Port), kinds: Kinds::ICMP, ..datagram(5, None) };
    let rows = [datagram(3, Some(u64::MAX)), datagram(4, None), icmp];
    let kept = |rows: &[Datagram]| rows.iter().map(KeptDatagram::from).collect::<Vec<_>>();
    open.append(&kept(&rows[..2]), 9000).unwrap();
    open.append(&kept(&rows[2..]), 10_000).unwrap();
    let replayed = replay(&path).unwrap().unwrap();
    assert_eq!(replayed.bytes(), open.seal().unwrap().bytes());
    assert_eq!((replayed.info().data_set, replayed.info().rows), (DataSet::Quic, 3));
    let expected =
        Segment::encode(kept(&rows), &SegmentSource { covers: (0, 10_000), ..source }, Some(SegmentId(9)));
    assert_eq!(replayed.bytes(), expected.unwrap().bytes());
}

#[test]
fn packets_that_no_segment_may_hold_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("open");
    let mut open = OpenSegment::<Protected>::create(
        &path,
        SegmentId(9),
        &SegmentSource::tcp("edge", Provenance::Live, (0, 0)),
        SyncPolicy::Never,
    )
    .unwrap();
    let wrong = Packet { sample_rate: 0, ..packet(1) };
    assert!(matches!(open.append(&[packet(1), wrong], 9), Err(StoreError::Refused(_))));
    assert_eq!(open.rows(), 0);
    assert!(replay(&path).unwrap().is_none());
}
