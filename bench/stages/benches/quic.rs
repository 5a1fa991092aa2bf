//! Datagrams of the data set `quic` in a capture, beside a bare loop over the same file: the ratio of the two is what counts.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use cutshort_capture::{Captures, Reading, Record, Visitor};
use cutshort_initials::Opener;
use cutshort_packet::LinkType;
use cutshort_packet::quic::{Datagram, Found, HashKey, Opened, ServerPorts};

/// A capture of 50 MB, several times the cache of a core.
const DATAGRAMS: u32 = 100_000;
const KEY: HashKey = HashKey::new([7; 16]);

/// A packet of version 1 with a long header, ids of 8 bytes and a Length of two.
fn long(first: u8, id: u32, body: usize) -> Vec<u8> {
    let mut bytes = vec![first, 0, 0, 0, 1, 8];
    bytes.extend([id.to_be_bytes(), [9; 4]].concat());
    bytes.extend([8, 1, 2, 3, 4, 5, 6, 7, 8]);
    if first & 0x30 == 0 {
        bytes.push(0);
    }
    bytes.extend((0x4000 | body as u16).to_be_bytes());
    bytes.resize(bytes.len() + body, 0xa5);
    bytes
}

/// The Initial packet of RFC 9001, A.2, which fills a datagram of 1,200 bytes.
const INITIAL: &[u8] = include_bytes!("initial.bin");

/// What a client sends in a connection that is completed, by turns: Initial; Initial, Handshake and 1-RTT; 1-RTT three times.
fn datagram(number: u32) -> Vec<u8> {
    let id = number / 5;
    let short = |len: usize| [vec![0x41], id.to_be_bytes().to_vec(), vec![0x5a; len]].concat();
    match number % 5 {
        0 => long(0xc3, id, 1170),
        1 => [long(0xc1, !id, 30), long(0xe1, !id, 80), short(1000)].concat(),
        2 => short(300),
        _ => short(40),
    }
}

/// Ethernet, IPv4 and UDP around a datagram of a client.
fn frame(client: u32, payload: &[u8]) -> Vec<u8> {
    let len = |header: usize| (header + payload.len()) as u16;
    let mut bytes = vec![2; 12];
    bytes.extend([0x08, 0x00, 0x45, 0]);
    bytes.extend(len(28).to_be_bytes());
    bytes.extend([0, 1, 0x40, 0, 57, 17, 0, 0]);
    bytes.extend((0xc633_0000 | client).to_be_bytes());
    bytes.extend([203, 0, 113, 5, 0x9c, 0xb0, 1, 0xbb]);
    bytes.extend(len(8).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    bytes
}

/// A pcap of Ethernet frames.
fn capture(frames: impl Iterator<Item = Vec<u8>>) -> tempfile::NamedTempFile {
    let mut bytes: Vec<u8> = [0xa1b2_c3d4, 2 | 4 << 16, 0, 0, 0x4_0000, 1].map(u32::to_le_bytes).concat();
    for (ts, frame) in (1_700_000_000..).zip(frames) {
        let len = frame.len() as u32;
        bytes.extend([ts, 0, len, len].map(u32::to_le_bytes).concat());
        bytes.extend(frame);
    }
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(&bytes).expect("a temporary file");
    file
}

/// What reading costs at least: record by record, and of each frame addresses, ports, length and first byte.
fn bare(path: &Path) -> u64 {
    let mut file = BufReader::with_capacity(1 << 18, File::open(path).expect("the capture"));
    let (mut record, mut frame, mut sum) = ([0; 16], [0; 2048], 0);
    file.read_exact(&mut [0; 24]).expect("its header");
    while file.read_exact(&mut record).is_ok() {
        let [.., a, b, c, d] = record;
        let frame = &mut frame[..u32::from_le_bytes([a, b, c, d]) as usize];
        file.read_exact(frame).expect("a whole frame");
        let word =
            |at: usize| frame.get(at..at + 4).map_or(0, |word| u64::from(word[0]) + u64::from(word[3]));
        let is_udp = frame.get(12..14) == Some(&[8, 0]) && frame.get(23) == Some(&17);
        sum += u64::from(is_udp) * (word(26) + word(30) + word(34) + word(38) + word(42));
    }
    sum
}

/// Reads rows, and adds them up.
struct Rows {
    ports: ServerPorts,
    opener: Option<Opener>,
    opened: u32,
    sum: u64,
}

impl Rows {
    fn add(&mut self, row: &Datagram) {
        self.opened += u32::from(row.opened == Opened::OwnId);
        self.sum = self.sum.wrapping_add(row.dcid.unwrap_or_default() ^ u64::from(row.kinds.bits()));
    }
}

impl Visitor for Rows {
    fn record(&mut self, record: Record<'_>) -> bool {
        if let Ok(Found::Udp(udp)) = Found::parse(LinkType::Ethernet, record.frame, &self.ports) {
            let mut row = udp.row(&KEY);
            if let Some(opener) = &mut self.opener {
                opener.open(&udp, &mut row);
            }
            self.add(&row);
        }
        true
    }
}

fn rows(path: &Path, opener: Option<Opener>) -> Rows {
    let mut rows = Rows { ports: ServerPorts::default(), opener, opened: 0, sum: 0 };
    let mut captures = Captures::open(&[path], &Reading::default());
    while captures.show(&mut rows) {}
    rows
}

fn quic(criterion: &mut Criterion) {
    compare(
        criterion,
        "quic",
        &capture((0..DATAGRAMS).map(|number| frame(number / 5, &datagram(number)))),
        DATAGRAMS,
    );
    // Each of another client.
    let initials = capture((0..DATAGRAMS / 2).map(|client| frame(client, INITIAL)));
    let opened = rows(initials.path(), Some(Opener::default())).opened;
    assert_eq!(opened, DATAGRAMS / 2, "they can be opened");
    compare(criterion, "Initial packets", &initials, DATAGRAMS / 2);
}

fn compare(criterion: &mut Criterion, name: &str, capture: &tempfile::NamedTempFile, datagrams: u32) {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).throughput(Throughput::Elements(datagrams.into()));
    group.bench_function("bare loop", |bench| bench.iter(|| bare(capture.path())));
    group.bench_function("to rows", |bench| bench.iter(|| rows(capture.path(), None).sum));
    group.bench_function("to rows, opening Initial packets", |bench| {
        bench.iter(|| rows(capture.path(), Some(Opener::default())).sum);
    });
    group.finish();
}

criterion_group!(benches, quic);
criterion_main!(benches);
