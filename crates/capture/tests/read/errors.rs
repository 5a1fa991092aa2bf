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
    for bytes in [&b"x"[..], b"hello\n", long.as_bytes(), &zeros, &[0xff; 24]] {
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

/// Whether a file that begins so is called by its name, and what helps is told.
#[track_caller]
fn is_named(bytes: &[u8], name: &str, remedy: &str) {
    let compressed = Compression::ALL.map(|compression| compression.compress(bytes));
    for stored in compressed {
        let Some(CaptureError::Foreign(foreign)) = read(&stored).error else {
            panic!("{name}: {:?}", read(&stored).error)
        };
        let text = foreign.to_string();
        assert!(text.contains(name) && text.contains(remedy), "{text}");
    }
}

#[test]
fn other_kinds_of_captures_and_archives() {
    let editcap = "editcap -F pcap";
    is_named(b"snoop\0\0\0\0\0\0\x02\0\0\0\x04", "Solaris snoop", editcap);
    is_named(b"GMBU\x02\0rest", "Network Monitor", editcap);
    is_named(&[0x1c, 0, 1, 0xac, 0, 2, 0, 4], "IXIA", editcap);
    is_named(b"PK\x03\x04", "zip", "unzip");
    is_named(b"BZh91AY&SY", "bzip2", "bzip2 -dc");
    is_named(&[4, 0x22, 0x4d, 0x18, 0x64], "lz4", "lz4 -dc");
    is_named(b"7z\xbc\xaf\x27\x1c\0", "7-Zip", "7z x");
    let mut tar = b"captures/a.pcap".to_vec();
    tar.resize(257, 0);
    tar.extend(b"ustar\x0000");
    tar.resize(1024, 0);
    is_named(&tar, "tar", "tar xf");
    for compression in Compression::COMPRESSED {
        let twice = Compression::Zstd.compress(&compression.compress(&pcap(&some_records())));
        assert!(read(&twice).error.unwrap().to_string().contains("is compressed twice"));
    }
    let mut trace = [&0x1_0000_u32.to_le_bytes()[..], &0x200_u32.to_le_bytes()].concat();
    trace.resize(72, 0);
    trace.extend([2, 0, 2, 0xc0]);
    trace.resize(1024, 0);
    is_named(&trace, "Windows event trace", "etl2pcapng");
    let erf = |seconds: u32, len: u16| {
        let mut record = [&[0; 4], &seconds.to_le_bytes()[..], &[2, 4], &len.to_be_bytes(), &[0; 4]].concat();
        record.resize(len.into(), 1);
        record
    };
    is_named(&[erf(1_700_000_000, 80), erf(1_700_000_001, 64)].concat(), "ERF", editcap);
}
