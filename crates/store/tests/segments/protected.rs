//! Packets whose addresses are not kept as they were.

use cutshort_geo::{Country, Place};
use cutshort_packet::{FiveTuple, Packet};
use cutshort_store::{Addresses, Origin, Protected, Protection, Segment, SegmentId, StoreError, truncation};
use proptest::prelude::*;

use super::{COVERS, any_packet, packet};

/// Packets that are all protected in the same way.
fn any_protected() -> impl Strategy<Value = (Addresses, Vec<Protected>)> {
    let place = (0..=Country::COUNT, 0..3_u32).prop_map(|(country, asn)| Place {
        country: Country::from_index(country),
        asn: (asn > 0).then_some(asn * 1_000_000_000),
    });
    let packets = prop::collection::vec((any_packet(), any::<u64>(), place), 1..100);
    (any::<bool>(), packets).prop_map(|(truncated, packets)| {
        let addresses = if truncated { Addresses::Truncated } else { Addresses::Encrypted };
        let protect = |(packet, flow, place): (Packet, u64, Place)| match addresses {
            Addresses::Truncated => {
                let five_tuple = truncate(packet.five_tuple);
                let protection = Protection { addresses, flow, place };
                Protected { packet: Packet { five_tuple, ..packet }, protection }
            }
            _ => Protected { packet, protection: Protection { addresses, flow: 0, place } },
        };
        (addresses, packets.into_iter().map(protect).collect())
    })
}

fn truncate(tuple: FiveTuple) -> FiveTuple {
    let mask = truncation(tuple.is_ipv4());
    let cut = |address: std::net::Ipv6Addr| std::net::Ipv6Addr::from_bits(address.to_bits() & mask);
    FiveTuple { src_ip: cut(tuple.src_ip), dst_ip: cut(tuple.dst_ip), ..tuple }
}

fn sorted(mut packets: Vec<Protected>) -> Vec<Protected> {
    packets.sort_by_key(|Protected { packet, protection }| {
        let place = (protection.place.asn, protection.place.country.map_or("ZZ", Country::alpha2));
        (packet.five_tuple, protection.flow, packet.ts, cutshort_verdict::Row::from(packet), place)
    });
    packets
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn protected_segments_read_back_what_was_put_in((addresses, packets) in any_protected()) {
        let segment =
            Segment::encode(packets.clone(), "edge", Origin::Live, COVERS, Some(SegmentId(3))).unwrap();
        prop_assert_eq!(segment.info().addresses, addresses);
        let (found, packets) = (segment.protected().unwrap(), sorted(packets));
        // Packets that differ in their place only have no order of their own.
        prop_assert_eq!(sorted(found), packets);
        let parsed = Segment::parse(segment.bytes().to_vec()).unwrap();
        prop_assert_eq!(parsed.info(), segment.info());
    }

    #[test]
    fn ids_of_files_are_those_of_the_protected_content((_, packets) in any_protected()) {
        let encode = |packets| Segment::encode(packets, "", Origin::File, COVERS, None).unwrap();
        let reversed = encode(packets.iter().rev().copied().collect());
        let straight = encode(packets.clone());
        prop_assert_eq!(straight.bytes(), reversed.bytes());
        prop_assert!(Segment::parse(straight.bytes().to_vec()).is_ok());
        let mut other = packets;
        other[0].protection.place.asn = Some(5);
        prop_assert_ne!(encode(other).info().id, straight.info().id);
    }
}

/// A segment from before there was a choice is what one with full addresses is now.
#[test]
fn full_addresses_are_kept_as_before() {
    let segment = Segment::encode(vec![packet(1, 5)], "", Origin::File, COVERS, None).unwrap();
    assert_eq!(segment.info().addresses, Addresses::Full);
    assert_eq!(segment.info().id.to_string(), "67c4731d577e156485a887ddf31946f4");
    let protected = Segment::encode(vec![Protected::from(packet(1, 5))], "", Origin::File, COVERS, None);
    assert_eq!(protected.unwrap().bytes(), segment.bytes());
    let text = String::from_utf8_lossy(segment.bytes()).into_owned();
    assert!(!text.contains("cutshort.addresses") && !text.contains("country"));
}

#[test]
fn what_contradicts_its_protection_is_refused() {
    let refused = |packets: Vec<Protected>| match Segment::encode(packets, "", Origin::Live, COVERS, None) {
        Err(StoreError::Refused(why)) => why,
        other => panic!("{other:?}"),
    };
    let of = |addresses, flow| Protected {
        packet: packet(1, 5),
        protection: Protection { addresses, flow, ..Protection::NONE },
    };
    assert!(refused(vec![of(Addresses::Truncated, 1)]).contains("more of its addresses than their networks"));
    assert!(refused(vec![of(Addresses::Encrypted, 1)]).contains("has a flow"));
    assert!(refused(vec![of(Addresses::Full, 1)]).contains("flow or place besides"));
    let both = vec![of(Addresses::Full, 0), of(Addresses::Encrypted, 0)];
    assert!(refused(both).contains("cannot be in one segment"));
}
