//! Captures that come through a pipe.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cutshort_capture::{Capture, CaptureError, Captures, Input, Reading};

use crate::many::{collect, merged, records};
use crate::write::{Compression, Order, Pcapng, pcap};
use crate::{Temporary, read_path, some_records};

fn fifo() -> Temporary {
    let fifo = Temporary::path(".fifo");
    assert!(Command::new("mkfifo").arg(&fifo.0).status().unwrap().success());
    fifo
}

/// Writes to a pipe in pieces, once somebody reads.
fn write_to(path: &Path, bytes: &[u8], piece: usize) -> JoinHandle<()> {
    let (path, bytes) = (path.to_owned(), bytes.to_vec());
    thread::spawn(move || {
        let mut pipe = OpenOptions::new().write(true).open(path).unwrap();
        for piece in bytes.chunks(piece) {
            pipe.write_all(piece).unwrap();
        }
    })
}

#[test]
fn read_like_files() {
    for compression in Compression::ALL {
        for bytes in [pcap(&some_records()), Pcapng(Order::Big).file(&some_records())] {
            let stored = compression.compress(&bytes);
            for piece in [1, 7, 1 << 20] {
                let fifo = fifo();
                let writer = write_to(&fifo.0, &stored, piece);
                let outcome = read_path(&fifo.0).whole();
                writer.join().unwrap();
                assert_eq!(outcome.records, some_records(), "{compression:?}, {piece}");
                assert_eq!(outcome.bytes, stored.len() as u64);
            }
        }
    }
}

#[test]
fn cut_like_files() {
    let fifo = fifo();
    let writer = write_to(&fifo.0, &pcap(&some_records())[..150], 10);
    let outcome = read_path(&fifo.0);
    writer.join().unwrap();
    assert_eq!(outcome.records, some_records()[..1]);
    assert!(matches!(outcome.error, Some(CaptureError::Cut { records: 1 })));
}

#[test]
fn empty_like_files() {
    let fifo = fifo();
    let writer = write_to(&fifo.0, &[], 1);
    assert!(matches!(read_path(&fifo.0).error, Some(CaptureError::Empty)));
    writer.join().unwrap();
}

#[test]
fn merged_with_files() {
    let fifo = fifo();
    let file = Temporary::file(&pcap(&records(0, &[1, 4, 5])));
    for order in [[0, 1], [1, 0]] {
        let writer = write_to(&fifo.0, &pcap(&records(1, &[2, 3, 6])), 50);
        let merged = merged(&order.map(|at| [file.0.as_path(), &fifo.0][at]));
        writer.join().unwrap();
        let seconds: Vec<_> = merged.iter().map(|record| record.ts / 1_000_000_000).collect();
        assert_eq!(seconds, [1, 2, 3, 4, 5, 6]);
    }
}

/// A pipe into which some bytes went, and that stays open until this is dropped.
struct Waiting {
    fifo: Temporary,
    close: Option<Sender<()>>,
    writer: Option<JoinHandle<()>>,
}

impl Waiting {
    fn after(bytes: &[u8]) -> Self {
        let fifo = fifo();
        let (close, closed) = channel::<()>();
        let (path, bytes) = (fifo.0.clone(), bytes.to_vec());
        let writer = thread::spawn(move || {
            let mut pipe: File = OpenOptions::new().write(true).open(path).unwrap();
            pipe.write_all(&bytes).unwrap();
            let _ = closed.recv();
        });
        Self { fifo, close: Some(close), writer: Some(writer) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.close.take();
        let _ = self.writer.take().map(JoinHandle::join);
    }
}

/// Calls `stop` a moment later; returns how long after it `wait` ended, and its result.
fn stopped<T>(reading: &Reading, wait: impl FnOnce() -> T) -> (Duration, T) {
    let reading = reading.clone();
    let stop = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        reading.stop();
        Instant::now()
    });
    let result = wait();
    let ended = Instant::now();
    let stopped = stop.join().unwrap();
    assert!(ended >= stopped, "it did not even wait");
    (ended - stopped, result)
}

const SOON: Duration = Duration::from_secs(1);

#[test]
fn stop_ends_waiting_for_a_record() {
    let whole = pcap(&some_records());
    let two = pcap(&some_records()[..2]).len();
    // Between two records, in the header of one, in its data.
    for len in [two, two + 5, two + 30] {
        let waiting = Waiting::after(&whole[..len]);
        let reading = Reading::default();
        let input = Input::open(&waiting.fifo.0, &reading).unwrap();
        let mut capture = Capture::open(input, &reading).unwrap();
        assert!(capture.advance().unwrap() && capture.advance().unwrap());
        let (after, advanced) = stopped(&reading, || capture.advance());
        assert!(!advanced.unwrap(), "{len}");
        assert!(after < SOON, "{len}: {after:?}");
    }
}

#[test]
fn stop_ends_waiting_for_compressed_records() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&pcap(&some_records())).unwrap();
    gzip.flush().unwrap();
    // The decompressor notices the stop as well, as an end within its stream: whether before or
    // after the reader is chance.
    for _ in 0..8 {
        let waiting = Waiting::after(gzip.get_ref());
        let reading = Reading::default();
        let input = Input::open(&waiting.fifo.0, &reading).unwrap();
        let mut capture = Capture::open(input, &reading).unwrap();
        for record in some_records() {
            assert!(capture.advance().unwrap());
            assert_eq!(capture.record().unwrap().frame.bytes, record.bytes);
        }
        let (after, advanced) = stopped(&reading, || capture.advance());
        assert!(!advanced.unwrap());
        assert!(after < SOON, "{after:?}");
    }
}

#[test]
fn stop_ends_waiting_for_the_header() {
    for len in [0, 3, 10] {
        let waiting = Waiting::after(&pcap(&[])[..len]);
        let reading = Reading::default();
        let input = Input::open(&waiting.fifo.0, &reading).unwrap();
        let (after, opened) = stopped(&reading, || Capture::open(input, &reading).map(|_| ()));
        assert!(opened.is_err(), "{len}");
        assert!(after < SOON, "{len}: {after:?}");
    }
}

#[test]
fn stop_ends_waiting_for_one_of_many() {
    let waiting = Waiting::after(&pcap(&records(0, &[1, 2])));
    let file = Temporary::file(&pcap(&records(1, &[1, 2, 3, 4])));
    let reading = Reading::default();
    let mut captures = Captures::open(&[&file.0, &waiting.fifo.0], &reading);
    let (after, records) = stopped(&reading, || collect(&mut captures));
    assert!(after < SOON, "{after:?}");
    assert!(records.len() >= 4, "{records:?}");
    assert!(captures.record().is_none());
    assert!(captures.problems().is_empty(), "{:?}", captures.problems());
}
