//! Segments of the data set `quic`.

use cutshort_model::Addresses;
use cutshort_packet::quic::{Datagram, Frames, Icmp, Kinds, Opened};
use cutshort_store::{KeptDatagram, Protected, Protection, Provenance, Segment, SegmentSource, truncation};
use cutshort_verdict::DataSet;
use proptest::option;
use proptest::prelude::*;

use crate::{COVERS, any_packet, packet};

fn source() -> SegmentSource<'static> {
    SegmentSource { data_set: DataSet::Quic, ..SegmentSource::tcp("", Provenance::File, COVERS) }
}

fn any_datagram() -> impl Strategy<Value = Datagram> {
    let ids = (option::of(any::<u64>()), option::of(any::<u64>()), option::of(any::<u64>()));
    let bits = (any::<u8>(), 0..4_u8, 0..4_u8, 0..4_u8, 0..=20_u8);
    (any_packet(), any::<(u16, u32)>(), ids, option::of(0..1_u64 << 62), bits).prop_map(
        |(
            packet,
            (len, version),
            (dcid, scid, token),
            close_code,
            (kinds, opened, frames, icmp, dcid_len),
        )| {
            Datagram {
                ts: packet.ts,
                five_tuple: packet.five_tuple,
                ip_id: packet.ip_id,
                ttl: packet.ttl,
                sample_rate: packet.sample_rate,
                len,
                kinds: Kinds::from_bits(kinds),
                version,
                dcid,
                scid,
                dcid_len,
                token,
                opened: Opened::from_number(opened).unwrap(),
                frames: Frames::from_bits(frames),
                close_code,
                icmp: Icmp::from_number(icmp),
            }
        },
    )
}

fn kept(rows: &[Datagram]) -> Vec<KeptDatagram> {
    rows.iter().map(KeptDatagram::from).collect()
}

fn sorted(mut rows: Vec<Datagram>) -> Vec<Datagram> {
    rows.sort_unstable();
    rows
}

proptest! {
    #[test]
    fn datagrams_are_read_back(rows in prop::collection::vec(any_datagram(), 0..50)) {
        let segment = Segment::encode(kept(&rows), &source(), None).unwrap();
        prop_assert_eq!(sorted(segment.datagrams().unwrap()), sorted(rows.clone()));
        let parsed = Segment::parse(segment.bytes().to_vec()).unwrap();
        prop_assert_eq!(parsed.info(), segment.info());
        prop_assert_eq!(parsed.info().data_set, DataSet::Quic);
        prop_assert_eq!(sorted(parsed.datagrams().unwrap()), sorted(rows.clone()));
        let reversed: Vec<Datagram> = rows.into_iter().rev().collect();
        let again = Segment::encode(kept(&reversed), &source(), None).unwrap();
        prop_assert_eq!(again.info().id, segment.info().id);
    }

    #[test]
    fn ids_are_a_part_of_the_content(row in any_datagram()) {
        let id = |row: &Datagram| Segment::encode(kept(&[*row]), &source(), None).unwrap().info().id;
        let other = Datagram { token: Some(row.token.map_or(0, |token| !token)), ..row };
        prop_assert_ne!(id(&row), id(&other));
    }
}

#[test]
fn addresses_of_datagrams_are_protected() {
    let row = Datagram { sample_rate: 1, dcid: Some(7), ..Datagram::ZERO };
    let row = Datagram { five_tuple: packet(9, 5).five_tuple, ts: 5, ..row };
    let mask = |ip: std::net::Ipv6Addr| std::net::Ipv6Addr::from_bits(ip.to_bits() & truncation(true));
    let mut by = Protected::from(cutshort_packet::Packet { five_tuple: row.five_tuple, ..packet(9, 5) });
    by.packet = *cutshort_store::Keepable::packet(&KeptDatagram::from(&row));
    by.packet.five_tuple.src_ip = mask(row.five_tuple.src_ip);
    by.packet.five_tuple.dst_ip = mask(row.five_tuple.dst_ip);
    by.protection = Protection { addresses: Addresses::Truncated, flow: 3, ..Protection::NONE };
    let segment = Segment::encode(vec![KeptDatagram::from(&row).protected(by)], &source(), None).unwrap();
    let parsed = Segment::parse(segment.bytes().to_vec()).unwrap();
    assert_eq!(parsed.info().addresses, Addresses::Truncated);
    let back = parsed.datagrams().unwrap()[0];
    assert_eq!((back.dcid, back.five_tuple), (Some(7), by.packet.five_tuple));
}

#[test]
fn packets_and_datagrams_are_never_in_one_data_set() {
    let refused = |result: cutshort_store::Result<Segment>| result.unwrap_err().to_string();
    let packets = Segment::encode(vec![packet(1, 5)], &source(), None);
    assert!(refused(packets).contains("is not of the data set of its segment"));
    let row = Datagram { five_tuple: packet(1, 5).five_tuple, sample_rate: 1, ..Datagram::ZERO };
    let tcp = SegmentSource::tcp("", Provenance::File, COVERS);
    assert!(refused(Segment::encode(kept(&[row]), &tcp, None)).contains("is not of the data set"));
}
