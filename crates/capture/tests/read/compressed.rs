//! Captures compressed with gzip, zstd and xz: whole, cut and corrupted.

use cutshort_capture::CaptureError;

use crate::write::{Compression, Order, Pcapng, Record, pcap};
use crate::{Outcome, read, some_records};

/// Two megabytes that hardly compress, so that half of the compressed bytes hold about half of
/// the records.
fn large() -> Vec<Record> {
    let mut state = 1_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..2000)
        .map(|n| Record { ts: n * 1_000_000, wire_len: 1500, bytes: (0..1000).map(|_| byte()).collect() })
        .collect()
}

#[test]
fn read_like_plain_ones() {
    for compression in Compression::ALL {
        for bytes in [pcap(&some_records()), Pcapng(Order::Big).file(&some_records())] {
            let stored = compression.compress(&bytes);
            let outcome = read(&stored).whole();
            assert_eq!(outcome.records, some_records(), "{compression:?}");
            assert_eq!(outcome.bytes, stored.len() as u64, "{compression:?}");
        }
    }
}

#[test]
fn large_ones() {
    let (records, bytes) = (large(), pcap(&large()));
    for compression in Compression::ALL {
        let outcome = read(&compression.compress(&bytes)).whole();
        assert!(outcome.records == records, "{compression:?}");
    }
}

/// As `pigz`, `pzstd` and `cat` make them.
#[test]
fn of_several_members() {
    let bytes = pcap(&some_records());
    for compression in Compression::COMPRESSED {
        // Members end anywhere, also within the header and records; one has nothing.
        for at in [0, 1, 24, 40, 41, bytes.len()] {
            let (first, rest) = bytes.split_at(at);
            let (second, third) = rest.split_at(rest.len() / 2);
            let stored = [first, second, third].map(|part| compression.compress(part)).concat();
            assert_eq!(read(&stored).whole().records, some_records(), "{compression:?}, {at}");
        }
    }
}

#[test]
fn half_downloaded() {
    let (records, bytes) = (large(), pcap(&large()));
    for compression in Compression::COMPRESSED {
        let stored = compression.compress(&bytes);
        for (part, at_least) in [(stored.len() / 2, 800), (stored.len() - 1, 1800)] {
            let outcome = read(&stored[..part]);
            let read = outcome.records.len();
            assert!(read >= at_least, "{compression:?}: {read} of the first {part} bytes");
            assert!(outcome.records == records[..read]);
            match outcome.error {
                Some(CaptureError::Cut { records }) => assert_eq!(records, read as u64),
                error => panic!("{compression:?}: {error:?}"),
            }
        }
    }
}

/// So early that not even the capture's header came.
#[test]
fn hardly_downloaded() {
    for compression in Compression::COMPRESSED {
        let stored = compression.compress(&pcap(&large()));
        for len in [6, 8, 12, 20] {
            let outcome = read(&stored[..len]);
            assert!(matches!(outcome.error, Some(CaptureError::HeaderCut)), "{compression:?}: {outcome:?}");
        }
    }
}

#[test]
fn member_that_was_half_downloaded() {
    let bytes = pcap(&some_records());
    for compression in Compression::COMPRESSED {
        let (first, second) = bytes.split_at(24 + 16 + 60);
        let second = compression.compress(second);
        let stored = [&compression.compress(first)[..], &second[..second.len() / 2]].concat();
        let outcome = read(&stored);
        assert_eq!(outcome.records[..1], some_records()[..1], "{compression:?}");
        assert!(outcome.error.is_some(), "{compression:?}");
    }
}

/// Asserts that what came before the corruption was delivered, and that it is told.
fn assert_corrupted(outcome: &Outcome, records: &[Record], at_least: usize) {
    assert!(outcome.records.len() >= at_least, "{} records", outcome.records.len());
    assert!(outcome.records[..at_least] == records[..at_least]);
    assert!(outcome.error.is_some());
}

#[test]
fn corrupted_checksum() {
    let (records, bytes) = (large(), pcap(&large()));
    // The checksum and the length are the last eight bytes of gzip, and zstd has none here.
    let mut stored = Compression::Gzip.compress(&bytes);
    let at = stored.len() - 8;
    stored[at] ^= 1;
    assert_corrupted(&read(&stored), &records, 1800);
}

#[test]
fn corrupted_data() {
    let (records, bytes) = (large(), pcap(&large()));
    for compression in Compression::COMPRESSED {
        let mut stored = compression.compress(&bytes);
        let middle = stored.len() / 2;
        stored[middle..middle + 64].fill(0xff);
        let outcome = read(&stored);
        if compression == Compression::Zstd {
            // Without a checksum only what came before is sure.
            assert!(outcome.records[..700] == records[..700]);
        } else {
            assert_corrupted(&outcome, &records, 700);
        }
    }
}

#[test]
fn something_else_compressed() {
    for compression in Compression::COMPRESSED {
        let text = read(&compression.compress(b"ts,src_ip,dst_ip\n1,192.0.2.1,192.0.2.2\n"));
        assert!(matches!(text.error, Some(CaptureError::NotACapture)), "{compression:?}");
        let nothing = read(&compression.compress(b""));
        assert!(matches!(nothing.error, Some(CaptureError::Empty)), "{compression:?}");
    }
}
