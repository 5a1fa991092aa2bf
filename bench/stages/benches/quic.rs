//! Datagrams of the data set `quic`, beside a bare loop over the same frames: the ratio of the two is what counts.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use cutshort_initials::Opener;
use cutshort_packet::quic::{Datagram, Found, HashKey, Opened, ServerPorts};
use cutshort_packet::{Frame, LinkType};

/// Enough for several times the cache of a core.
const DATAGRAMS: u32 = 20_000;
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

/// What reading costs at least: addresses, ports, length and first byte.
fn bare(frames: &[Vec<u8>]) -> u64 {
    let sum = |bytes: &Vec<u8>| {
        let word =
            |at: usize| bytes.get(at..at + 4).map_or(0, |word| u64::from(word[0]) + u64::from(word[3]));
        let is_udp = bytes.get(12..14) == Some(&[8, 0]) && bytes.get(23) == Some(&17);
        u64::from(is_udp) * (word(26) + word(30) + word(34) + word(38) + word(42))
    };
    frames.iter().map(sum).sum()
}

fn row(bytes: &[u8], ports: &ServerPorts, opener: Option<&mut Opener>) -> Option<Datagram> {
    let frame = Frame { ts: 0, wire_len: bytes.len() as u32, bytes };
    let Ok(Found::Udp(udp)) = Found::parse(LinkType::Ethernet, frame, ports) else { return None };
    let mut row = udp.row(&KEY);
    if let Some(opener) = opener {
        opener.open(&udp, &mut row);
    }
    Some(row)
}

fn walk(frames: &[Vec<u8>], mut opener: Option<Opener>) -> u64 {
    let ports = ServerPorts::default();
    let rows = frames.iter().filter_map(|bytes| row(bytes, &ports, opener.as_mut()));
    rows.map(|row| row.dcid.unwrap_or_default() ^ u64::from(row.kinds.bits())).fold(0, u64::wrapping_add)
}

fn quic(criterion: &mut Criterion) {
    let frames: Vec<Vec<u8>> = (0..DATAGRAMS).map(|number| frame(number / 5, &datagram(number))).collect();
    let mut group = criterion.benchmark_group("quic");
    group.sample_size(10).throughput(Throughput::Elements(frames.len() as u64));
    group.bench_function("bare loop", |bench| bench.iter(|| bare(black_box(&frames))));
    group.bench_function("datagrams to rows", |bench| bench.iter(|| walk(black_box(&frames), None)));
    group.bench_function("the same, opening Initial packets", |bench| {
        bench.iter(|| walk(black_box(&frames), Some(Opener::default())));
    });
    group.finish();
    initials(criterion);
}

/// Initial packets only, each of another client.
fn initials(criterion: &mut Criterion) {
    let frames: Vec<Vec<u8>> = (0..DATAGRAMS / 4).map(|client| frame(client, INITIAL)).collect();
    let opened =
        |bytes| row(bytes, &ServerPorts::default(), Some(&mut Opener::default())).map(|row| row.opened);
    assert!(frames.iter().all(|bytes| opened(bytes) == Some(Opened::OwnId)), "they can be opened");
    let mut group = criterion.benchmark_group("Initial packets");
    group.sample_size(10).throughput(Throughput::Elements(frames.len() as u64));
    group.bench_function("to rows", |bench| bench.iter(|| walk(black_box(&frames), None)));
    group.bench_function("opened", |bench| {
        bench.iter(|| walk(black_box(&frames), Some(Opener::default())));
    });
    group.finish();
}

criterion_group!(benches, quic);
criterion_main!(benches);
