//! Captures that contradict themselves: what comes before the damage is delivered.

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

/// Asserts that the first three records came, and that the damage behind them is told.
fn assert_damaged(ng: Pcapng, damage: &[u8]) {
    let outcome = read(&around(ng, damage));
    assert!(outcome.records == some_records()[..3], "{} records, not 3", outcome.records.len());
    let at = ng.file(&some_records()[..3]).len() as u64;
    match outcome.error {
        Some(CaptureError::Damaged { records: 3, offset }) => assert_eq!(offset, at),
        error => panic!("{error:?}"),
    }
}

fn with(order: Order, mut block: Vec<u8>, at: usize, value: u32) -> Vec<u8> {
    block[at..at + 4].copy_from_slice(&order.u32(value));
    block
}

fn assert_length_fields_must_agree(block: impl Fn(Pcapng) -> Vec<u8>) {
    for order in Order::BOTH {
        let block = block(Pcapng(order));
        let len = block.len() as u32;
        for wrong in [0, len - 4, len + 4, u32::MAX] {
            let block = with(order, block.clone(), block.len() - 4, wrong);
            assert_damaged(Pcapng(order), &block);
        }
    }
}

#[test]
fn lengths_of_an_enhanced_packet_differ() {
    assert_length_fields_must_agree(|ng| ng.enhanced(0, &some_records()[0], &[]));
}

#[test]
fn lengths_of_a_simple_packet_differ() {
    assert_length_fields_must_agree(|ng| ng.simple(&some_records()[0]));
}

#[test]
fn lengths_of_an_obsolete_packet_differ() {
    assert_length_fields_must_agree(|ng| ng.obsolete(0, &some_records()[0]));
}

#[test]
fn lengths_of_an_interface_differ() {
    assert_length_fields_must_agree(|ng| ng.interface(1, 0, &[]));
}

#[test]
fn lengths_of_an_unknown_block_differ() {
    assert_length_fields_must_agree(|ng| ng.block(0x1234_5678, &[1; 40]));
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

/// A record that is longer than any can be is not waited for until memory is full.
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
        Some(CaptureError::Damaged { records: 6, offset }) => assert_eq!(offset, whole.len() as u64),
        error => panic!("{error:?}"),
    }
    assert!(outcome.bytes < 300 << 20, "{} bytes were read", outcome.bytes);
}

#[test]
fn garbage_behind_the_records() {
    let ng = Pcapng(Order::Little);
    let record = Record { ts: 0, wire_len: 60, bytes: vec![0; 60] };
    let outcome = read(&[ng.file(&[record]), vec![0; 100]].concat());
    assert!(matches!(outcome.error, Some(CaptureError::Damaged { records: 1, .. })), "{:?}", outcome.error);
}
