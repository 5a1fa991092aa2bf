//! What cannot be opened, is no capture, or is cut off.

use std::fs;
use std::path::Path;

use cutshort_capture::CaptureError;

use crate::write::{Compression, ETHERNET, Order, Pcap, Pcapng, pcap};
use crate::{Temporary, read, read_path, some_records};

#[test]
fn empty_file() {
    assert!(matches!(read(b"").error, Some(CaptureError::Empty)));
}

#[test]
fn no_captures() {
    let long = "2024-01-01 00:00:00 all is well\n".repeat(10_000);
    let zeros = [0; 4096];
    for bytes in [&b"x"[..], b"hello\n", long.as_bytes(), b"PK\x03\x04", &zeros, &[0xff; 24]] {
        assert!(matches!(read(bytes).error, Some(CaptureError::NotACapture)), "{:?}", read(bytes).error);
    }
}

#[test]
fn header_cut() {
    for order in Order::BOTH {
        for kind in [Pcap::Microseconds, Pcap::Nanoseconds] {
            let header = kind.header(order, ETHERNET);
            for len in 4..header.len() {
                let error = read(&header[..len]).error;
                assert!(matches!(error, Some(CaptureError::HeaderCut)), "{kind:?}, {len}: {error:?}");
            }
        }
        let section = Pcapng(order).section(&[(1, b"a comment")]);
        for len in 4..section.len() {
            let error = read(&section[..len]).error;
            assert!(matches!(error, Some(CaptureError::HeaderCut)), "{order:?}, {len}: {error:?}");
        }
    }
}

/// Asserts what the first bytes of `whole` are read as, for every number of bytes. `ends` are
/// where the header and each record end.
fn assert_cuts(whole: &[u8], ends: &[usize]) {
    for len in ends[0]..=whole.len() {
        let outcome = read(&whole[..len]);
        let count = ends.iter().filter(|end| **end <= len).count() - 1;
        assert_eq!(outcome.records, some_records()[..count], "{len}");
        match outcome.error {
            None => assert!(ends.contains(&len), "{len}"),
            Some(CaptureError::Cut { records }) => {
                assert!(!ends.contains(&len), "{len}");
                assert_eq!(records, count as u64, "{len}");
            }
            error => panic!("{len}: {error:?}"),
        }
    }
}

#[test]
fn record_cut() {
    for order in Order::BOTH {
        for kind in [Pcap::Microseconds, Pcap::Nanoseconds, Pcap::Modified] {
            if kind == Pcap::Modified && order == Order::Big {
                continue;
            }
            let end = |count| kind.file(order, ETHERNET, &some_records()[..count]).len();
            assert_cuts(&kind.file(order, ETHERNET, &some_records()), &[0, 1, 2, 3, 4, 5, 6].map(end));
        }
        let ng = Pcapng(order);
        let end = |count| ng.file(&some_records()[..count]).len();
        assert_cuts(&ng.file(&some_records()), &[0, 1, 2, 3, 4, 5, 6].map(end));
    }
}

#[test]
fn directory() {
    let error = read_path(Path::new(env!("CARGO_TARGET_TMPDIR"))).error;
    assert!(matches!(error, Some(CaptureError::Directory)), "{error:?}");
}

#[test]
fn missing_file() {
    let error = read_path(&Temporary::path(".pcap").0).error;
    let Some(CaptureError::Io(error)) = error else { panic!("{error:?}") };
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[cfg(unix)]
#[test]
#[expect(clippy::print_stderr, reason = "says that it tested nothing")]
fn file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;

    let file = Temporary::file(&pcap(&some_records()));
    fs::set_permissions(&file.0, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&file.0).is_ok() {
        eprintln!("skipped: this user may read any file");
        return;
    }
    let error = read_path(&file.0).error;
    let Some(CaptureError::Io(error)) = error else { panic!("{error:?}") };
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
}

#[test]
fn every_error_is_told_in_words() {
    let cut = read(&pcap(&some_records())[..150]).error.unwrap();
    assert!(cut.to_string().contains("after 1 whole records"), "{cut}");
    let empty = read(&Compression::Gzip.compress(b"")).error.unwrap();
    assert!(empty.to_string().contains("empty"), "{empty}");
    let directory = read_path(Path::new(env!("CARGO_TARGET_TMPDIR"))).error.unwrap();
    assert!(directory.to_string().contains("directory"), "{directory}");
}
