//! Captures that contradict themselves: what comes before and behind the damage is delivered.

use std::fs::File;
use std::io::Write;

use cutshort_capture::CaptureError;

use crate::write::{ETHERNET, Order, Pcap, Pcapng, Record, pcap};
use crate::{Outcome, Temporary, read, read_path, some_records};

/// Where lengths are in a block, and in an enhanced packet block.
const BLOCK_LEN: usize = 4;
const CAPTURED_LEN: usize = 20;

/// A capture of three records, then `damage`, then three more.
fn around(ng: Pcapng, damage: &[u8]) -> Vec<u8> {
    let rest: Vec<u8> = some_records()[3..].iter().flat_map(|record| ng.enhanced(0, record, &[])).collect();
    [&ng.file(&some_records()[..3])[..], damage, &rest].concat()
}

/// Asserts that the records before and behind the damage came, and that it is told.
fn assert_damaged(ng: Pcapng, damage: &[u8]) {
    assert_damaged_after(ng, damage, 6);
}

/// Asserts that so many records came, and that the damage behind the third is told.
fn assert_damaged_after(ng: Pcapng, damage: &[u8], count: usize) {
    let file = around(ng, damage);
    let outcome = read(&file);
    assert!(outcome.records == some_records()[..count], "{} records, not {count}", outcome.records.len());
    let at = ng.file(&some_records()[..3]).len();
    let lost = if count == 6 { damage.len() } else { file.len() - at };
    match outcome.error {
        Some(CaptureError::Damaged { records, offset, places: 1, unread, total, zeros: false }) => {
            assert_eq!((records, offset, unread), (count as u64, at as u64, lost as u64));
            assert_eq!(total, Some(file.len() as u64));
        }
        error => panic!("{error:?}"),
    }
}

fn with(order: Order, mut block: Vec<u8>, at: usize, value: u32) -> Vec<u8> {
    block[at..at + 4].copy_from_slice(&order.u32(value));
    block
}

fn assert_length_fields_must_agree(block: impl Fn(Pcapng) -> Vec<u8>, count: usize) {
    for order in Order::BOTH {
        let block = block(Pcapng(order));
        let len = block.len() as u32;
        for wrong in [0, len - 4, len + 4, u32::MAX] {
            let block = with(order, block.clone(), block.len() - 4, wrong);
            assert_damaged_after(Pcapng(order), &block, count);
        }
    }
}

#[test]
fn lengths_of_an_enhanced_packet_differ() {
    assert_length_fields_must_agree(|ng| ng.enhanced(0, &some_records()[0], &[]), 6);
}

#[test]
fn lengths_of_a_simple_packet_differ() {
    assert_length_fields_must_agree(|ng| ng.simple(&some_records()[0]), 6);
}

#[test]
fn lengths_of_an_obsolete_packet_differ() {
    assert_length_fields_must_agree(|ng| ng.obsolete(0, &some_records()[0]), 6);
}

/// The numbers of interfaces behind it are not known then, until another section begins.
#[test]
fn lengths_of_an_interface_differ() {
    assert_length_fields_must_agree(|ng| ng.interface(1, 0, &[]), 3);
}

#[test]
fn lengths_of_an_unknown_block_differ() {
    assert_length_fields_must_agree(|ng| ng.block(0x1234_5678, &[1; 40]), 6);
}

#[test]
fn block_shorter_than_a_block_can_be() {
    for order in Order::BOTH {
        let ng = Pcapng(order);
        for len in [0, 1, 8, 11] {
            assert_damaged(ng, &with(order, ng.block(0x1234_5678, &[1; 40]), BLOCK_LEN, len));
            assert_damaged(ng, &with(order, ng.enhanced(0, &some_records()[0], &[]), BLOCK_LEN, len));
        }
    }
}

#[test]
fn captured_length_beyond_the_block() {
    for order in Order::BOTH {
        let ng = Pcapng(order);
        let packet = ng.enhanced(0, &some_records()[0], &[]);
        for len in [61, 64, 1000, 1 << 24, u32::MAX - 5, u32::MAX] {
            assert_damaged(ng, &with(order, packet.clone(), CAPTURED_LEN, len));
            assert_damaged(ng, &with(order, ng.obsolete(0, &some_records()[0]), CAPTURED_LEN, len.max(1000)));
        }
    }
}

#[test]
fn interface_that_was_not_described() {
    for order in Order::BOTH {
        let ng = Pcapng(order);
        assert_damaged(ng, &ng.enhanced(1, &some_records()[0], &[]));
        assert_damaged(ng, &ng.enhanced(u32::MAX, &some_records()[0], &[]));
        assert_damaged(ng, &ng.obsolete(1, &some_records()[0]));
        // The section before had one.
        let section = ng.section(&[]);
        let outcome = read(&around(ng, &section));
        // So none of its packets can be read.
        assert!(matches!(outcome.error, Some(CaptureError::Damaged { records: 3, .. })), "{order:?}");
    }
}

#[test]
fn simple_packet_without_an_interface() {
    let ng = Pcapng(Order::Little);
    let outcome = read(&[ng.section(&[]), ng.simple(&some_records()[0])].concat());
    assert!(matches!(outcome.error, Some(CaptureError::Damaged { records: 0, .. })));
}

#[test]
fn later_section_of_no_byte_order() {
    for order in Order::BOTH {
        let ng = Pcapng(order);
        assert_damaged(ng, &with(order, ng.section(&[]), 8, 0x1122_3344));
    }
}

#[test]
fn first_section_of_no_byte_order_is_no_capture() {
    let section = with(Order::Little, Pcapng(Order::Little).section(&[]), 8, 0x1122_3344);
    assert!(matches!(read(&section).error, Some(CaptureError::NotACapture)));
}

/// Asserts that records were counted right; the file may be called cut or damaged.
fn assert_ends_after(outcome: &Outcome, count: usize) {
    assert_eq!(outcome.records, some_records()[..count]);
    match outcome.error {
        Some(CaptureError::Cut { records } | CaptureError::Damaged { records, .. }) => {
            assert_eq!(records, count as u64);
        }
        ref error => panic!("{error:?}"),
    }
}

#[test]
fn absurd_length() {
    for order in Order::BOTH {
        for len in [1 << 28, 1 << 31, u32::MAX - 3, u32::MAX] {
            for kind in [Pcap::Microseconds, Pcap::Nanoseconds] {
                let header = order.u32(len).repeat(4);
                let bytes = [kind.file(order, ETHERNET, &some_records()[..2]), header, vec![0; 1000]];
                assert_ends_after(&read(&bytes.concat()), 2);
            }
            let ng = Pcapng(order);
            let block = [order.u32(6), order.u32(len)].concat();
            let bytes = [ng.file(&some_records()[..2]), block, vec![0; 1000]];
            assert_ends_after(&read(&bytes.concat()), 2);
        }
    }
}

/// A record that is longer than any can be is not waited for until memory is full: it is searched through.
#[test]
fn absurd_length_in_a_large_file() {
    let sparse = Temporary::path(".pcap");
    let mut file = File::create(&sparse.0).unwrap();
    let whole = pcap(&some_records());
    file.write_all(&whole).unwrap();
    file.write_all(&Order::Little.u32(0x7fff_ffff).repeat(4)).unwrap();
    file.set_len(400 << 20).unwrap();
    let outcome = read_path(&sparse.0);
    assert_eq!(outcome.records, some_records());
    match outcome.error {
        Some(CaptureError::Damaged { records: 6, offset, unread, total: Some(total), .. }) => {
            assert_eq!((offset, offset + unread, total), (whole.len() as u64, 400 << 20, 400 << 20));
        }
        error => panic!("{error:?}"),
    }
}

#[test]
fn garbage_behind_the_records() {
    let ng = Pcapng(Order::Little);
    let record = Record { ts: 0, wire_len: 60, bytes: vec![0; 60] };
    let outcome = read(&[ng.file(&[record]), vec![0; 100]].concat());
    assert!(matches!(outcome.error, Some(CaptureError::Damaged { records: 1, .. })), "{:?}", outcome.error);
}

/// A pcap with a record whose captured length is `len`, and what is read from it.
fn with_captured_len(kind: Pcap, order: Order, at: usize, len: u32) -> (Vec<u8>, Outcome) {
    let before = kind.file(order, ETHERNET, &some_records()[..at]).len();
    let bytes = with(order, kind.file(order, ETHERNET, &some_records()), before + 8, len);
    let outcome = read(&bytes);
    (bytes, outcome)
}

#[test]
fn captured_length_that_no_record_can_have() {
    for (kind, order) in [Pcap::Microseconds, Pcap::Nanoseconds, Pcap::Modified]
        .into_iter()
        .zip([Order::Little, Order::Big].repeat(2))
    {
        for at in 0..some_records().len() {
            for len in [262_145, 300_000, 20_000_000, u32::MAX] {
                let (bytes, outcome) = with_captured_len(kind, order, at, len);
                let mut others = some_records();
                others.remove(at);
                assert_eq!(outcome.records, others, "{kind:?}, record {at}, {len}");
                let ends =
                    [at, at + 1].map(|at| kind.file(order, ETHERNET, &some_records()[..at]).len() as u64);
                match outcome.error {
                    Some(CaptureError::Damaged {
                        records: 5,
                        offset,
                        places: 1,
                        unread,
                        total,
                        zeros: false,
                    }) => {
                        assert_eq!((offset, offset + unread), (ends[0], ends[1]));
                        assert_eq!(total, Some(bytes.len() as u64));
                    }
                    error => panic!("{error:?}"),
                }
            }
        }
    }
}

/// A length that a record can have is believed, unless there is not so much, but other records.
#[test]
fn captured_length_beyond_the_end() {
    let (_, outcome) = with_captured_len(Pcap::Microseconds, Order::Little, 2, 100_000);
    let mut others = some_records();
    others.remove(2);
    assert_eq!(outcome.records, others);
    assert!(matches!(outcome.error, Some(CaptureError::Damaged { records: 5, .. })), "{:?}", outcome.error);
    // Of the last record nobody can say that it is not cut off.
    let (_, outcome) = with_captured_len(Pcap::Microseconds, Order::Little, 5, 100_000);
    assert!(matches!(outcome.error, Some(CaptureError::Cut { records: 5 })), "{:?}", outcome.error);
}

#[test]
fn a_file_header_may_allow_longer_records() {
    let record = Record { ts: 1_700_000_000_000_000_000, wire_len: 300_000, bytes: vec![7; 300_000] };
    let file = Pcap::Microseconds.file(Order::Little, ETHERNET, std::slice::from_ref(&record));
    assert!(matches!(read(&file).error, Some(CaptureError::Damaged { records: 0, .. })));
    let file = with(Order::Little, file, 16, 400_000);
    assert_eq!(read(&file).whole().records, [record]);
}

#[test]
fn damage_in_several_places_and_a_cut_end() {
    let many: Vec<_> = (0..1000_u32)
        .map(|n| Record {
            ts: 1_700_000_000_000_000_000 + i64::from(n) * 1000,
            wire_len: 1000,
            bytes: vec![n as u8; 1000],
        })
        .collect();
    let mut bytes = pcap(&many);
    for at in [100, 500, 501, 900] {
        bytes[24 + at * 1016..][..16].fill(0xff);
    }
    bytes.truncate(bytes.len() - 10);
    let outcome = read(&bytes);
    assert_eq!(outcome.records.len(), 995);
    match outcome.error {
        Some(CaptureError::Damaged { records: 995, offset, places: 3, unread, total, zeros: false }) => {
            assert_eq!((offset, unread), (24 + 100 * 1016, 5 * 1016 - 10));
            assert_eq!(total, Some(bytes.len() as u64));
        }
        ref error => panic!("{error:?}"),
    }
    let text = outcome.error.unwrap().to_string();
    assert!(text.contains("3 places") && text.contains("5070 of 1016014 bytes were not read"), "{text}");
}

/// What a file system leaves behind that lost power while the file grew.
#[test]
fn zeros_at_the_end() {
    for file in [pcap(&some_records()), Pcapng(Order::Big).file(&some_records())] {
        for zeros in [16, 640, 1 << 20] {
            let outcome = read(&[file.clone(), vec![0; zeros]].concat());
            assert_eq!(outcome.records, some_records(), "{zeros}");
            let error = outcome.error.unwrap();
            assert!(matches!(error, CaptureError::Damaged { records: 6, zeros: true, .. }), "{error:?}");
            assert!(error.to_string().starts_with(&format!("ends with {zeros} zero bytes")), "{error}");
        }
    }
}

#[test]
fn zeros_in_the_middle() {
    for zeros in [16, 17, 700, 1 << 20] {
        let rest = &pcap(&some_records()[3..])[24..];
        let outcome = read(&[&pcap(&some_records()[..3])[..], &vec![0; zeros], rest].concat());
        assert_eq!(outcome.records, some_records(), "{zeros}");
        let error = outcome.error.unwrap();
        assert!(
            matches!(error, CaptureError::Damaged { records: 6, unread, .. } if unread == zeros as u64),
            "{error:?}"
        );
        assert!(error.to_string().starts_with("is damaged at byte"), "{error}");
    }
}

/// Nothing that follows the last block is called a cut record.
#[test]
fn what_follows_the_last_block_is_no_block() {
    for order in Order::BOTH {
        let file = Pcapng(order).file(&some_records());
        for tail in [&b"0123456789abcdef"[..], &[0xff; 16], &[7; 40]] {
            let outcome = read(&[&file[..], tail].concat());
            assert_eq!(outcome.records, some_records());
            match outcome.error {
                Some(CaptureError::Damaged { records: 6, offset, unread, .. }) => {
                    assert_eq!((offset, unread), (file.len() as u64, tail.len() as u64));
                }
                error => panic!("{error:?}"),
            }
        }
    }
}

/// A block without a packet is stepped over, whatever is in it.
#[test]
fn block_without_a_packet_that_cannot_be_understood() {
    for order in Order::BOTH {
        let ng = Pcapng(order);
        // Names without an end, statistics of nothing, secrets that are longer than the block.
        for (kind, body) in
            [(4, vec![1, 0, 0xff, 0xff]), (5, vec![9; 3]), (10, vec![0xff; 8]), (0x0bad, vec![])]
        {
            let outcome = read(&around(ng, &ng.block(kind, &body))).whole();
            assert_eq!(outcome.records, some_records(), "{kind}");
        }
    }
}
