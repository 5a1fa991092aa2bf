//! Segments read back what was put into them, and nothing that is no segment is taken for one.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod damaged;
mod datagrams;
mod footer;
mod protected;
mod stranger;

use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions};
use cutshort_simulate::syn_packet;
use cutshort_store::{Provenance, Segment, SegmentId, SegmentSource, StoreError};
use proptest::prelude::*;

const COVERS: (i64, i64) = (-1_000_000, 1_000_000);

fn packet(client: u8, ts: i64) -> Packet {
    Packet {
        five_tuple: FiveTuple::new([198, 51, 100, client].into(), 40_000, [203, 0, 113, 5].into(), 443),
        ..syn_packet(ts, 40_000)
    }
}

fn any_packet() -> impl Strategy<Value = Packet> {
    let addresses = prop_oneof![
        any::<([u8; 4], [u8; 4])>().prop_map(|(src, dst)| (src.into(), dst.into())),
        any::<(u64, u64)>().prop_map(|(src, dst)| {
            let address = |low| std::net::Ipv6Addr::from_bits(0x3fff << 112 | u128::from(low)).into();
            (address(src), address(dst))
        }),
    ];
    let tuple = (addresses, any::<(u16, u16)>())
        .prop_map(|((src, dst), ports)| FiveTuple::new(src, ports.0, dst, ports.1));
    let numbers = any::<(u16, u8, u16, u32, u32, u16)>();
    (COVERS.0..=COVERS.1, tuple, numbers, 0..=40_u8, any::<u32>(), 1..=u32::MAX)
        .prop_map(
            |(
                ts,
                five_tuple,
                (ip_id, ttl, flags, seq, ack, window),
                options_len,
                payload_len,
                sample_rate,
            )| {
                let flags = Flags::from_bits(flags);
                Packet {
                    ts,
                    five_tuple,
                    ip_id,
                    ttl,
                    flags,
                    seq,
                    ack,
                    tcp_window: window,
                    options_len,
                    payload_len,
                    sample_rate,
                    ..Packet::ZERO
                }
            },
        )
        .prop_flat_map(with_options)
}

/// The same packet with any "don't fragment" and, for SYN packets, any options.
fn with_options(packet: Packet) -> impl Strategy<Value = Packet> {
    (any::<bool>(), any::<(u64, u16, u8)>()).prop_map(move |(df, (kinds, mss, wscale))| {
        let syn = if packet.is_syn() { SynOptions { kinds, mss, wscale } } else { SynOptions::NONE };
        Packet { df: df && packet.five_tuple.is_ipv4(), syn, ..packet }
    })
}

fn sorted(mut packets: Vec<Packet>) -> Vec<Packet> {
    packets.sort_by_key(|packet| {
        (packet.five_tuple, packet.ts, cutshort_verdict::Row::from(packet), packet.df, packet.syn)
    });
    packets
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn segments_read_back_what_was_put_in(packets in prop::collection::vec(any_packet(), 0..200), id: u128) {
        let segment =
            Segment::encode(packets.clone(), &SegmentSource::tcp("edge", Provenance::Live, COVERS), Some(SegmentId(id))).unwrap();
        let times = packets.iter().map(|packet| packet.ts);
        let info = segment.info();
        prop_assert_eq!((info.id, info.rows), (SegmentId(id), packets.len() as u64));
        prop_assert_eq!((info.node.as_str(), info.origin, info.covers), ("edge", Provenance::Live, COVERS));
        prop_assert_eq!(info.times, times.clone().min().zip(times.max()));
        prop_assert_eq!(segment.packets().unwrap(), sorted(packets));
        let parsed = Segment::parse(segment.bytes().to_vec()).unwrap();
        prop_assert_eq!(parsed.info(), segment.info());
    }

    #[test]
    fn the_order_of_packets_does_not_matter(packets in prop::collection::vec(any_packet(), 0..50)) {
        let encode = |packets| Segment::encode(packets, &SegmentSource::tcp("", Provenance::File, COVERS), None).unwrap();
        let reversed = encode(packets.iter().rev().copied().collect());
        let straight = encode(packets);
        prop_assert_eq!(straight.bytes(), reversed.bytes());
    }
}

/// More rows than a row group and a batch have.
#[test]
fn large_segments_read_back_what_was_put_in() {
    let packets: Vec<Packet> =
        (0..70_000).map(|at| Packet { seq: at, ..packet((at % 250) as u8, i64::from(at)) }).collect();
    let segment =
        Segment::encode(packets.clone(), &SegmentSource::tcp("", Provenance::File, COVERS), None).unwrap();
    assert_eq!(segment.packets().unwrap(), sorted(packets));
    assert_eq!(Segment::parse(segment.bytes().to_vec()).unwrap().info(), segment.info());
}

#[test]
fn ids_are_those_of_the_content() {
    let id = |packets: &[Packet], node, origin, covers| {
        Segment::encode(packets.to_vec(), &SegmentSource::tcp(node, origin, covers), None).unwrap().info().id
    };
    let one = [packet(1, 5)];
    let ids = [
        id(&one, "", Provenance::File, COVERS),
        id(&one, "", Provenance::Live, COVERS),
        id(&one, "a", Provenance::File, COVERS),
        id(&one, "", Provenance::File, (COVERS.0, COVERS.1 + 1)),
        id(&[packet(1, 6)], "", Provenance::File, COVERS),
        id(&[packet(1, 5), packet(1, 5)], "", Provenance::File, COVERS),
        id(&[], "", Provenance::File, COVERS),
    ];
    let different: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(different.len(), ids.len());
    let given =
        Segment::encode(one.to_vec(), &SegmentSource::tcp("", Provenance::File, COVERS), Some(SegmentId(1)))
            .unwrap();
    assert_eq!(given.info().id, ids[0], "a file's id is always that of its content");
}

#[test]
fn what_no_segment_may_hold_is_refused() {
    let refused = |packet, node: &str, covers| match Segment::encode(
        vec![packet],
        &SegmentSource::tcp(node, Provenance::Live, covers),
        None,
    ) {
        Err(StoreError::Refused(why)) => why,
        other => panic!("{other:?}"),
    };
    let one = packet(1, 5);
    let mixed = FiveTuple { dst_ip: "3fff::1".parse().unwrap(), ..one.five_tuple };
    assert!(refused(Packet { sample_rate: 0, ..one }, "", COVERS).contains("sample_rate"));
    assert!(refused(Packet { options_len: 41, ..one }, "", COVERS).contains("options"));
    assert!(refused(Packet { five_tuple: mixed, ..one }, "", COVERS).contains("families"));
    assert!(refused(one, "", (6, 9)).contains("outside the time"));
    assert!(refused(one, "", (9, 6)).contains("before it begins"));
    assert!(refused(one, &"n".repeat(300), COVERS).contains("300 bytes"));
}
