//! Classic pcap.

use cutshort_packet::LinkType;

use crate::write::{ETHERNET, Order, Pcap, Record};
use crate::{read, some_records};

#[test]
fn every_kind_in_both_byte_orders() {
    for kind in [Pcap::Microseconds, Pcap::Nanoseconds] {
        for order in Order::BOTH {
            let outcome = read(&kind.file(order, ETHERNET, &some_records())).whole();
            assert_eq!(outcome.records, some_records(), "{kind:?}, {order:?}");
            assert!(outcome.links.iter().all(|link| *link == Ok(LinkType::Ethernet)));
            assert_eq!((outcome.application, outcome.without_time), (None, 0));
        }
    }
}

#[test]
fn nanoseconds_are_kept() {
    let record = Record { ts: 1_700_000_000_123_456_789, wire_len: 60, bytes: vec![1; 60] };
    for order in Order::BOTH {
        let bytes = Pcap::Nanoseconds.file(order, ETHERNET, std::slice::from_ref(&record));
        assert_eq!(read(&bytes).whole().records, std::slice::from_ref(&record));
    }
}

#[test]
fn times_after_2038() {
    let record = Record { ts: 4_294_967_295_999_999_000, wire_len: 60, bytes: vec![1; 60] };
    for kind in [Pcap::Microseconds, Pcap::Nanoseconds] {
        let bytes = kind.file(Order::Big, ETHERNET, std::slice::from_ref(&record));
        assert_eq!(read(&bytes).whole().records, std::slice::from_ref(&record), "{kind:?}");
    }
}

#[test]
fn modified() {
    let outcome = read(&Pcap::Modified.file(Order::Little, ETHERNET, &some_records())).whole();
    assert_eq!(outcome.records, some_records());
}

/// As big-endian MIPS routers write it.
#[test]
fn modified_in_big_endian() {
    let outcome = read(&Pcap::Modified.file(Order::Big, ETHERNET, &some_records())).whole();
    assert_eq!(outcome.records, some_records());
}

/// AIX writes version 2.2, nanoseconds, and the link type of the interface (RFC 1573).
#[test]
fn of_aix() {
    const ETHERNET_INTERFACE: u32 = 6;
    for order in Order::BOTH {
        let mut records = some_records();
        records.iter_mut().for_each(|record| record.ts += 1);
        let mut bytes = Pcap::Nanoseconds.file(order, ETHERNET_INTERFACE, &records);
        bytes[..4].copy_from_slice(&order.u32(0xa1b2_c3d4));
        bytes[6..8].copy_from_slice(&order.u16(2));
        let outcome = read(&bytes).whole();
        assert_eq!((outcome.records, outcome.links[0]), (records, Ok(LinkType::Ethernet)));
    }
}

#[test]
fn frame_check_sequence_bits_are_no_part_of_the_link_type() {
    const FOUR_BYTES_OF_IT: u32 = 0x4400_0000;
    for order in Order::BOTH {
        for network in [FOUR_BYTES_OF_IT, 0xfc00_0000, 0x0001_0000] {
            let bytes = Pcap::Microseconds.file(order, network | ETHERNET, &some_records());
            let outcome = read(&bytes).whole();
            assert!(outcome.links.iter().all(|link| *link == Ok(LinkType::Ethernet)), "{network:#x}");
        }
    }
}

#[test]
fn every_link_type() {
    for (number, link) in [(0, LinkType::Null), (113, LinkType::LinuxSll), (276, LinkType::LinuxSll2)] {
        let outcome = read(&Pcap::Nanoseconds.file(Order::Big, number, &some_records())).whole();
        assert_eq!(outcome.links, [Ok(link); 6]);
    }
}

#[test]
fn link_type_that_is_not_supported_is_told_with_every_record() {
    const IEEE802_11_PRISM: u32 = 119;
    let outcome = read(&Pcap::Microseconds.file(Order::Little, IEEE802_11_PRISM, &some_records())).whole();
    assert_eq!(outcome.links, [Err(IEEE802_11_PRISM); 6]);
    assert_eq!(outcome.records, some_records());
}

#[test]
fn no_records() {
    for kind in [Pcap::Microseconds, Pcap::Nanoseconds, Pcap::Modified] {
        assert_eq!(read(&kind.header(Order::Little, ETHERNET)).whole().records, []);
    }
}

#[test]
fn records_of_any_size() {
    // The second is as large as any can be, and the last has nothing.
    let records = [60, 262_144, 65_535, 1, 0].map(|len| Record {
        ts: 1_700_000_000_000_000_000,
        wire_len: len,
        bytes: vec![len as u8 | 1; len as usize],
    });
    for kind in [Pcap::Microseconds, Pcap::Nanoseconds, Pcap::Modified] {
        assert_eq!(read(&kind.file(Order::Little, ETHERNET, &records)).whole().records, records);
    }
}

#[test]
fn many_records() {
    let records: Vec<_> = (0..50_000_u32)
        .map(|n| Record { ts: i64::from(n + 1) * 1000, wire_len: n, bytes: vec![n as u8; n as usize % 100] })
        .collect();
    let bytes = Pcap::Microseconds.file(Order::Little, ETHERNET, &records);
    let outcome = read(&bytes).whole();
    assert!(outcome.records == records);
    assert_eq!(outcome.bytes, bytes.len() as u64);
}
