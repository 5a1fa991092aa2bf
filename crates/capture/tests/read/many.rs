//! Many captures read as one.

use std::path::{Path, PathBuf};

use cutshort_capture::{CaptureError, Captures, Reading, Visitor};

use crate::Temporary;
use crate::write::{Compression, Order, Pcapng, Record, SHB_USERAPPL, pcap};

/// Records at these seconds, with a number in their bytes that tells them apart.
pub(crate) fn records(number: u8, seconds: &[i64]) -> Vec<Record> {
    let record = |(at, second): (usize, &i64)| Record {
        ts: second * 1_000_000_000,
        wire_len: 60,
        bytes: vec![number, at as u8],
    };
    seconds.iter().enumerate().map(record).collect()
}

pub(crate) fn collect(captures: &mut Captures) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some(record) = captures.record() {
        records.push(Record::of(record.frame));
        captures.advance();
    }
    records
}

/// Keeps what it is shown, and has every third record wait.
#[derive(Default)]
struct Keeping(Vec<Record>);

impl Visitor for Keeping {
    fn record(&mut self, record: cutshort_capture::Record<'_>) -> bool {
        self.0.push(Record::of(record.frame));
        !self.0.len().is_multiple_of(3)
    }
}

/// What the files yield, shown, and record by record where they can be read twice.
fn read(paths: &[&Path]) -> (Captures, Vec<Record>) {
    let mut captures = Captures::open(paths, &Reading::default());
    let mut kept = Keeping::default();
    while captures.show(&mut kept) {}
    if !paths.iter().all(|path| path.is_file()) {
        return (captures, kept.0);
    }
    let mut again = Captures::open(paths, &Reading::default());
    assert_eq!(collect(&mut again), kept.0);
    let problems =
        |captures: &Captures| captures.problems().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(problems(&again), problems(&captures));
    (captures, kept.0)
}

/// What the files yield, without a problem.
pub(crate) fn merged(paths: &[&Path]) -> Vec<Record> {
    let (captures, records) = read(paths);
    assert!(captures.problems().is_empty(), "{:?}", captures.problems());
    records
}

#[test]
fn that_are_cut_or_have_long_records() {
    let mut long = records(1, &[1, 2, 3, 4, 5]);
    // Longer together than what is read at once.
    long.iter_mut().for_each(|record| record.bytes.resize(100_000, 7));
    for bytes in [pcap(&long), Pcapng(Order::Little).file(&long)] {
        let cut = Temporary::file(&bytes[..bytes.len() - 50]);
        let (captures, read) = read(&[&cut.0]);
        assert_eq!(read, long[..4]);
        assert!(
            matches!(captures.problems(), [one] if matches!(one.error, CaptureError::Cut { records: 4 }))
        );
    }
}

fn files(all: &[Vec<Record>]) -> Vec<Temporary> {
    // Every other one is compressed, and every third a pcapng.
    let file = |(at, records): (usize, &Vec<Record>)| {
        let bytes = if at % 3 == 2 { Pcapng(Order::Big).file(records) } else { pcap(records) };
        Temporary::file(&if at % 2 == 1 { Compression::Zstd.compress(&bytes) } else { bytes })
    };
    all.iter().enumerate().map(file).collect()
}

/// All orders of three.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

fn assert_merged_in_any_order(seconds: [&[i64]; 3]) {
    let all: Vec<_> = (0..).zip(seconds).map(|(number, seconds)| records(number, seconds)).collect();
    let files = files(&all);
    let mut expected = all.concat();
    expected.sort_by_key(|record| record.ts);
    for order in ORDERS {
        assert_eq!(merged(&order.map(|at| files[at].0.as_path())), expected, "{order:?}");
    }
}

#[test]
fn that_overlap() {
    assert_merged_in_any_order([&[1, 4, 7, 10, 20], &[2, 3, 8, 9], &[0, 5, 6, 11, 30]]);
}

#[test]
fn that_contain_one_another() {
    assert_merged_in_any_order([&[1, 100], &[2, 99], &[3, 50]]);
}

#[test]
fn that_do_not_overlap() {
    assert_merged_in_any_order([&[1, 2, 3], &[10, 11, 12], &[20, 21]]);
}

#[test]
fn of_which_some_have_no_records() {
    assert_merged_in_any_order([&[], &[1, 2], &[]]);
    assert_merged_in_any_order([&[], &[], &[]]);
}

#[test]
fn of_equal_times() {
    let all = [records(0, &[1, 1, 2, 3]), records(1, &[1, 2, 2, 3]), records(2, &[1, 1, 1, 3])];
    let files = files(&all);
    for order in ORDERS {
        let merged = merged(&order.map(|at| files[at].0.as_path()));
        assert_eq!(merged.len(), 12);
        assert!(merged.is_sorted_by_key(|record| record.ts), "{order:?}");
        for (number, records) in (0..).zip(&all) {
            let of_file: Vec<_> = merged.iter().filter(|record| record.bytes[0] == number).cloned().collect();
            assert_eq!(&of_file, records, "{order:?}");
        }
    }
}

/// What a file has late stays where it is, and holds nothing else up.
#[test]
fn order_within_a_file_stays() {
    let all = [records(0, &[1, 5, 3, 6]), records(1, &[2, 4])];
    let files = files(&all);
    for order in [[0, 1], [1, 0]] {
        let merged = merged(&order.map(|at| files[at].0.as_path()));
        let seconds: Vec<_> = merged.iter().map(|record| record.ts / 1_000_000_000).collect();
        assert_eq!(seconds, [1, 2, 4, 5, 3, 6]);
    }
}

#[test]
fn the_same_one_twice() {
    let file = Temporary::file(&pcap(&records(0, &[1, 2])));
    let seconds: Vec<_> =
        merged(&[&file.0, &file.0]).iter().map(|record| record.ts / 1_000_000_000).collect();
    assert_eq!(seconds, [1, 1, 2, 2]);
}

#[test]
fn none() {
    assert_eq!(merged(&[]), []);
}

#[test]
fn problems_do_not_keep_the_others_from_being_read() {
    let good = records(0, &[1, 2, 30]);
    let good_file = Temporary::file(&pcap(&good));
    let cut_file = Temporary::file(&{
        let bytes = pcap(&records(1, &[3, 4, 5]));
        bytes[..bytes.len() - 1].to_vec()
    });
    // Cut before its first record ends, so that it does not even begin.
    let cut_early = Temporary::file(&pcap(&records(1, &[3]))[..30]);
    let (missing, empty) = (Temporary::path(".pcap"), Temporary::file(b""));
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let paths = [&missing.0, &cut_file.0, &empty.0, &directory, &good_file.0, &cut_early.0];

    let mut captures = Captures::open(&paths, &Reading::default());
    let seconds: Vec<_> = collect(&mut captures).iter().map(|record| record.ts / 1_000_000_000).collect();
    assert_eq!(seconds, [1, 2, 3, 4, 30]);

    assert_eq!(captures.problems().len(), 5);
    let problem = |path: &Path| {
        let problem = captures.problems().iter().find(|problem| problem.path == path).unwrap();
        assert!(problem.to_string().starts_with(&format!("{}: ", path.display())), "{problem}");
        &problem.error
    };
    assert!(matches!(problem(&missing.0), CaptureError::Io(_)));
    assert!(matches!(problem(&empty.0), CaptureError::Empty));
    assert!(matches!(problem(&directory), CaptureError::Directory));
    assert!(matches!(problem(&cut_file.0), CaptureError::Cut { records: 2 }));
    assert!(matches!(problem(&cut_early.0), CaptureError::Cut { records: 0 }));
}

#[test]
fn bytes_are_counted_once() {
    let files = files(&[records(0, &[1, 2]), records(1, &[1, 3]), records(2, &[10])]);
    let stored: u64 = files.iter().map(|file| std::fs::metadata(&file.0).unwrap().len()).sum();
    let reading = Reading::default();
    let paths: Vec<_> = files.iter().map(|file| &file.0).collect();
    let mut captures = Captures::open(&paths, &reading);
    collect(&mut captures);
    assert_eq!(reading.bytes(), stored);
}

#[test]
fn what_wrote_them_and_what_has_no_time() {
    let capture = |application: &str, simple: usize| {
        let ng = Pcapng(Order::Little);
        let start = [ng.section(&[(SHB_USERAPPL, application.as_bytes())]), ng.interface(1, 0, &[])].concat();
        let simple = ng.simple(&records(0, &[0])[0]).repeat(simple);
        Temporary::file(&[start, simple].concat())
    };
    let files = [capture("dumpcap", 2), capture("tcpdump", 0), capture("dumpcap", 3)];
    let mut captures = Captures::open(&files.each_ref().map(|file| &file.0), &Reading::default());
    assert_eq!(collect(&mut captures).len(), 5);
    let mut applications = captures.applications().to_vec();
    applications.sort();
    assert_eq!(applications, ["dumpcap", "tcpdump"]);
    assert_eq!(captures.without_time(), 5);
}

#[test]
fn stopped_before_their_end() {
    let all: Vec<_> = (0..3).map(|number| records(number, &(0..40).collect::<Vec<_>>())).collect();
    let files = files(&all);
    let reading = Reading::default();
    let paths: Vec<_> = files.iter().map(|file| &file.0).collect();
    let mut captures = Captures::open(&paths, &reading);
    captures.advance();
    reading.stop();
    // What is already in memory may still come; nothing is wrong.
    assert!(collect(&mut captures).len() < 120);
    assert!(captures.record().is_none());
    assert!(captures.problems().is_empty());
}
