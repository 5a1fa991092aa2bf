//! Captures that the tests write byte by byte, read back: every format, from files and pipes,
//! whole, cut and damaged.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod compressed;
mod damaged;
mod errors;
mod joined;
mod many;
mod pcap;
mod pcapng;
#[cfg(unix)]
mod pipes;
mod property;
mod write;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use cutshort_capture::{Capture, CaptureError, Drops, Input, Reading};
use cutshort_packet::LinkType;

use write::Record;

/// A path in the tests' own folder, removed when it goes out of scope.
struct Temporary(PathBuf);

impl Temporary {
    fn path(ending: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{count}{ending}", std::process::id());
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    fn file(bytes: &[u8]) -> Self {
        let file = Self::path(".pcap");
        fs::write(&file.0, bytes).unwrap();
        file
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// All that a capture yields.
#[derive(Debug, Default)]
struct Outcome {
    records: Vec<Record>,
    links: Vec<Result<LinkType, u32>>,
    application: Option<String>,
    applications: Vec<String>,
    without_time: u64,
    drops: Drops,
    error: Option<CaptureError>,
    /// Bytes read, as stored.
    bytes: u64,
}

impl Outcome {
    /// Asserts that the capture was read to its end.
    fn whole(self) -> Self {
        assert!(self.error.is_none(), "{:?}", self.error);
        self
    }
}

fn read_path(path: &Path) -> Outcome {
    let reading = Reading::default();
    let mut outcome = Outcome::default();
    outcome.error = match Input::open(path, &reading).and_then(|input| Capture::open(input, &reading)) {
        Ok(capture) => read_all(capture, &mut outcome),
        Err(error) => Some(error),
    };
    outcome.bytes = reading.bytes();
    outcome
}

fn read_all(mut capture: Capture, outcome: &mut Outcome) -> Option<CaptureError> {
    let error = loop {
        match capture.advance() {
            Ok(true) => {
                let record = capture.record().unwrap();
                outcome.links.push(record.link);
                outcome.records.push(Record::of(record.frame));
            }
            Ok(false) => break None,
            Err(error) => break Some(error),
        }
    };
    outcome.application = capture.application().map(str::to_owned);
    outcome.applications = capture.applications();
    outcome.without_time = capture.without_time();
    outcome.drops = capture.drops();
    error
}

/// Reads a file of these bytes.
fn read(bytes: &[u8]) -> Outcome {
    read_path(&Temporary::file(bytes).0)
}

/// Records of several lengths, some of them snapped, a second and a bit apart.
fn some_records() -> Vec<Record> {
    (0..6_u8)
        .map(|n| Record {
            ts: 1_700_000_000_000_000_000 + i64::from(n) * 1_000_001_000,
            wire_len: u32::from(n) * 700 + 60,
            bytes: vec![n; 60 + usize::from(n)],
        })
        .collect()
}
