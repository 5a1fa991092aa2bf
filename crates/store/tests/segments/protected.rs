//! Packets whose addresses are not kept as they were.

use cutshort_geo::{Country, Place};
use cutshort_model::Addresses;
use cutshort_packet::{FiveTuple, Packet};
use cutshort_store::{
    Protected, Protection, Provenance, Segment, SegmentId, SegmentSource, StoreError, truncation,
};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::reader::{FileReader, SerializedFileReader};
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
            Segment::encode(packets.clone(), &SegmentSource::tcp("edge", Provenance::Live, COVERS), Some(SegmentId(3))).unwrap();
        prop_assert_eq!(segment.info().addresses, addresses);
        let (found, packets) = (segment.protected().unwrap(), sorted(packets));
        // Packets that differ in their place only have no order of their own.
        prop_assert_eq!(sorted(found), packets);
        let parsed = Segment::parse(segment.bytes().to_vec()).unwrap();
        prop_assert_eq!(parsed.info(), segment.info());
    }

    #[test]
    fn ids_of_files_are_those_of_the_protected_content((_, packets) in any_protected()) {
        let encode = |packets| Segment::encode(packets, &SegmentSource::tcp("", Provenance::File, COVERS), None).unwrap();
        let reversed = encode(packets.iter().rev().copied().collect());
        let straight = encode(packets.clone());
        prop_assert_eq!(straight.bytes(), reversed.bytes());
        prop_assert!(Segment::parse(straight.bytes().to_vec()).is_ok());
        let mut other = packets;
        other[0].protection.place.asn = Some(5);
        prop_assert_ne!(encode(other).info().id, straight.info().id);
    }
}

/// A capture that was imported before there was a choice has the same id now.
#[test]
fn full_addresses_are_kept_as_before() {
    let segment =
        Segment::encode(vec![packet(1, 5)], &SegmentSource::tcp("", Provenance::File, COVERS), None).unwrap();
    assert_eq!(segment.info().addresses, Addresses::Full);
    assert_eq!(segment.info().id.to_string(), "67c4731d577e156485a887ddf31946f4");
    let protected = Segment::encode(
        vec![Protected::from(packet(1, 5))],
        &SegmentSource::tcp("", Provenance::File, COVERS),
        None,
    );
    assert_eq!(protected.unwrap().bytes(), segment.bytes());
}

#[test]
fn what_contradicts_its_protection_is_refused() {
    let refused = |packets: Vec<Protected>| match Segment::encode(
        packets,
        &SegmentSource::tcp("", Provenance::Live, COVERS),
        None,
    ) {
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

/// Readers of many files find one schema, and what it has for protected addresses takes next to nothing in others.
#[test]
fn all_segments_have_the_same_columns() {
    let packets: Vec<Packet> = (0..40_000).map(|at| packet(at as u8, i64::from(at))).collect();
    let full =
        Segment::encode(packets.clone(), &SegmentSource::tcp("", Provenance::File, COVERS), None).unwrap();
    let encrypted = |packet| Protected {
        packet,
        protection: Protection { addresses: Addresses::Encrypted, flow: 0, place: Place::default() },
    };
    let protected = packets.into_iter().map(encrypted).collect();
    let protected =
        Segment::encode(protected, &SegmentSource::tcp("", Provenance::File, COVERS), None).unwrap();
    let [full, protected] = [full, protected].map(|segment| {
        SerializedFileReader::new(bytes::Bytes::copy_from_slice(segment.bytes())).unwrap().metadata().clone()
    });
    let schema = |file: &ParquetMetaData| file.file_metadata().schema_descr().root_schema().clone();
    assert_eq!(schema(&full), schema(&protected));
    assert_eq!(full.file_metadata().schema_descr().num_columns(), 22);
    let more = full.row_groups().iter().flat_map(|group| &group.columns()[19..]);
    let bytes: i64 = more.map(ColumnChunkMetaData::compressed_size).sum();
    assert!(bytes < 2_000, "{bytes} bytes for 40,000 rows");
}
