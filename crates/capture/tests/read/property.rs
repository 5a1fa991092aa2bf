//! Properties of any records in any format and compression.

use cutshort_capture::CaptureError;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::many::merged;
use crate::write::{Compression, ETHERNET, IF_TSOFFSET, IF_TSRESOL, Order, Pcap, Pcapng, Record, pcap};
use crate::{Temporary, read};

/// How records are written.
#[derive(Clone, Copy, Debug)]
enum Format {
    Pcap(Pcap, Order),
    /// With the option `if_tsresol`, and seconds of `if_tsoffset`.
    Pcapng(Order, u8, i64),
}

impl Format {
    /// Where the header and each record end, behind the bytes.
    fn write(self, records: &[Record]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = match self {
            Self::Pcap(kind, order) => kind.header(order, ETHERNET),
            Self::Pcapng(order, resolution, offset) => {
                let options = [(IF_TSRESOL, &[resolution][..]), (IF_TSOFFSET, &order.i64(offset))];
                [Pcapng(order).section(&[]), Pcapng(order).interface(1, 0, &options)].concat()
            }
        };
        let mut ends = vec![bytes.len()];
        for record in records {
            bytes.extend(match self {
                Self::Pcap(kind, order) => kind.record(order, record),
                Self::Pcapng(order, resolution, offset) => {
                    let ts = units(record.ts - offset * 1_000_000_000, resolution);
                    Pcapng(order).enhanced(0, &Record { ts, ..record.clone() }, &[])
                }
            });
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    /// What becomes of a time that is written and read.
    fn kept(self, ts: i64) -> i64 {
        match self {
            Self::Pcap(kind, _) => ts - ts % kind.unit(),
            Self::Pcapng(_, resolution, offset) => {
                let offset = offset * 1_000_000_000;
                offset + nanoseconds(units(ts - offset, resolution), resolution)
            }
        }
    }

    fn kept_records(self, records: &[Record]) -> Vec<Record> {
        records.iter().map(|record| Record { ts: self.kept(record.ts), ..record.clone() }).collect()
    }
}

/// Units per second.
fn per_second(resolution: u8) -> i128 {
    if resolution & 0x80 == 0 { 10_i128.pow(resolution.into()) } else { 1 << (resolution & 0x7f) }
}

fn units(ts: i64, resolution: u8) -> i64 {
    i64::try_from(i128::from(ts) * per_second(resolution) / 1_000_000_000).unwrap()
}

fn nanoseconds(units: i64, resolution: u8) -> i64 {
    i64::try_from(i128::from(units) * 1_000_000_000 / per_second(resolution)).unwrap()
}

fn order() -> impl Strategy<Value = Order> {
    select(&Order::BOTH[..])
}

fn format() -> impl Strategy<Value = Format> {
    let resolution = select(&[0, 3, 6, 7, 9, 0x80, 0x80 | 10, 0x80 | 20, 0x80 | 30][..]);
    prop_oneof![
        2 => (select(&[Pcap::Microseconds, Pcap::Nanoseconds][..]), order())
            .prop_map(|(kind, order)| Format::Pcap(kind, order)),
        1 => order().prop_map(|order| Format::Pcap(Pcap::Modified, order)),
        3 => (order(), resolution, -1_000_000_000..1_i64)
            .prop_map(|(order, resolution, offset)| Format::Pcapng(order, resolution, offset)),
    ]
}

fn compression() -> impl Strategy<Value = Compression> {
    select(&Compression::ALL[..])
}

/// A record at any time that all formats can write.
fn record() -> impl Strategy<Value = Record> {
    // Not the first second of 1970: a record of nothing there is no record, but zeros.
    let ts = 1_000_000_000..i64::from(u32::MAX) * 1_000_000_000;
    (ts, any::<u32>(), vec(any::<u8>(), 0..200)).prop_map(|(ts, wire_len, bytes)| Record {
        ts,
        wire_len,
        bytes,
    })
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    vec(record(), 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_was_written_is_read(format in format(), compression in compression(), records in records()) {
        let (bytes, _) = format.write(&records);
        let outcome = read(&compression.compress(&bytes));
        prop_assert!(outcome.error.is_none(), "{:?}", outcome.error);
        prop_assert_eq!(outcome.records, format.kept_records(&records));
    }

    #[test]
    fn truncated_anywhere(format in format(), records in records(), cut: prop::sample::Index) {
        let (bytes, ends) = format.write(&records);
        let cut = cut.index(bytes.len() + 1);
        let outcome = read(&bytes[..cut]);
        let whole = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
        prop_assert_eq!(outcome.records, format.kept_records(&records[..whole]));
        // A section needs no interface.
        let no_interface = cut < ends[0] && cut == 28 && matches!(format, Format::Pcapng(..));
        match outcome.error {
            None => prop_assert!(ends.contains(&cut) || no_interface),
            Some(CaptureError::Cut { records }) => prop_assert_eq!(records, whole as u64),
            Some(CaptureError::Empty) => prop_assert_eq!(cut, 0),
            Some(CaptureError::NotACapture) => prop_assert!(cut < 4),
            Some(CaptureError::HeaderCut) => prop_assert!(cut < ends[0]),
            Some(error) => prop_assert!(false, "{:?}", error),
        }
    }

    #[test]
    fn truncated_anywhere_while_compressed(
        format in format(),
        compression in select(&Compression::COMPRESSED[..]),
        records in records(),
        cut: prop::sample::Index,
    ) {
        let stored = compression.compress(&format.write(&records).0);
        let outcome = read(&stored[..cut.index(stored.len())]);
        let kept = format.kept_records(&records);
        prop_assert!(outcome.records.len() <= kept.len());
        prop_assert_eq!(&outcome.records[..], &kept[..outcome.records.len()]);
        match outcome.error {
            Some(CaptureError::Cut { records }) => prop_assert_eq!(records, outcome.records.len() as u64),
            error => prop_assert!(error.is_some() && outcome.records.is_empty(), "{:?}", error),
        }
    }

    #[test]
    fn changed_anywhere(
        format in format(),
        compression in prop_oneof![4 => Just(Compression::None), 1 => compression()],
        records in records(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let mut stored = compression.compress(&format.write(&records).0);
        for (at, value) in changes {
            let at = at.index(stored.len());
            stored[at] = value;
        }
        // It may be read or refused; it does not panic, and counts what it delivered.
        let outcome = read(&stored);
        if let Some(CaptureError::Cut { records } | CaptureError::Damaged { records, .. }) = outcome.error {
            prop_assert_eq!(records, outcome.records.len() as u64);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn files_are_merged_by_time(mut files in vec(vec(record(), 0..12), 0..5), seed: u64) {
        // Times near each other, so that some are equal.
        for (at, records) in files.iter_mut().enumerate() {
            for record in records.iter_mut() {
                record.ts = record.ts.wrapping_add(seed as i64).rem_euclid(40) * 1_000_000_000;
                record.bytes.insert(0, at as u8);
            }
            records.sort_by_key(|record| record.ts);
        }
        let written: Vec<_> = files.iter().map(|records| Temporary::file(&pcap(records))).collect();
        let merged = merged(&written.iter().map(|file| file.0.as_path()).collect::<Vec<_>>());
        prop_assert!(merged.is_sorted_by_key(|record| record.ts));
        for (at, records) in files.iter().enumerate() {
            let of_file = merged.iter().filter(|record| usize::from(record.bytes[0]) == at);
            prop_assert!(of_file.eq(records), "file {}", at);
        }
        prop_assert_eq!(merged.len(), files.iter().map(Vec::len).sum::<usize>());
    }
}
