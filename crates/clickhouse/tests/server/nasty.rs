//! Random flows, from ranges so small that repeats, tails, ties and edges are frequent.

use std::net::{IpAddr, Ipv6Addr};

use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions};
use cutshort_verdict::{Rules, ZMAP4_OPTIONS};

use super::conformance::WINDOW;

/// Names of servers; the first is that of files.
pub(crate) const NODES: [&str; 4] = ["", "ams1", "edge 'x'", "zrh"];

/// SplitMix64: the same flows each time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    pub(crate) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

const TAIL: u32 = 1 << 31;
const SECOND: i64 = 1_000_000_000;

/// What a row is about: flags, distances from the initial sequence number, acknowledgements, lengths of payload; and
/// how often it comes.
type Kind = (u64, &'static [&'static str], &'static [u32], &'static [u32], &'static [u32]);

const KINDS: [Kind; 9] = [
    // SYN packets, with and without payload.
    (22, &["S", "S", "S", "SEW", "SPU"], &[0], &[0, 7], &[0, 0, 0, 0, 0, 1, 20]),
    (1, &["S"], &[0, 0, 0, 1, TAIL, u32::MAX], &[0], &[0]),
    // Acknowledgements, and keep-alives.
    (25, &["A", "A", "AE"], &[0, 1, 101], &[5001, 5001, 6001], &[0, 0, 1]),
    // Data: a split first message, repeats, and more.
    (
        30,
        &["A", "PA", "PA", "P", "-", "FPA"],
        &[0, 1, 1, 2, 101],
        &[5001, 5001, 5001, 6001],
        &[1, 100, 100, 101],
    ),
    (4, &["F", "FA", "FPA"], &[1, 101], &[5001, 6001], &[0, 1]),
    (
        12,
        &["R", "R", "RA", "RA", "RP", "FR", "SR", "SRA"],
        &[0, 1, 101, TAIL],
        &[0, 0, 5001, 6001],
        &[0, 0, 9],
    ),
    (3, &["SA", "SF", "SPA", "SFA"], &[0, 1], &[0, 9001], &[0, 1, 2]),
    (
        5,
        &["A", "PA", "FA", "P", "R"],
        &[TAIL - 1, TAIL, TAIL + 1, u32::MAX],
        &[5001, 9001],
        &[0, 0, 1, 100, u32::MAX],
    ),
    (1, &["FSRPAUEWN", "SRA", "U"], &[0, 1, TAIL], &[0, 5001, u32::MAX], &[0, 1]),
];

fn kind(random: &mut Random) -> &'static Kind {
    let mut at = random.below(KINDS.iter().map(|kind| kind.0).sum());
    for kind in &KINDS {
        match at.checked_sub(kind.0) {
            Some(rest) => at = rest,
            None => return kind,
        }
    }
    &KINDS[0]
}

/// Half seconds, at times a nanosecond more; the edges of the window, of the guard before its end, and of the time
/// that only one bit of 40 tells from another.
fn time(random: &mut Random) -> i64 {
    let guard = WINDOW - Rules::default().guard;
    match random.below(40) {
        0 => random.of(&[0, 1, WINDOW - 1, 1 << 39, (1 << 39) - 1]),
        1 => guard + random.of(&[-1, 0, 1]),
        _ => random.below(16) as i64 * SECOND / 2 + random.of(&[0, 0, 0, 1]),
    }
}

/// The packets of one flow with the positions of the servers that saw them.
pub(crate) fn packets(random: &mut Random, five_tuple: FiveTuple, window: i64) -> Vec<(Packet, usize)> {
    let isns = isns(random);
    let one_node = random.of(&[Some(0), Some(0), Some(1), Some(2), None]);
    let count = random.of(&[1, 1, 2, 3, 3, 4, 5, 6, 8, 9, 10, 10, 11, 14]) * isns.len();
    let mut packets: Vec<(Packet, usize)> = Vec::new();
    for at in 0..count {
        let ts = window + time(random);
        let node = one_node.unwrap_or_else(|| random.below(NODES.len() as u64) as usize);
        if at > 0 && random.one_in(5) {
            // A repeat, equal in all but time, or also in that, or in less.
            let (before, _) = random.of(&packets);
            let ttl = random.of(&[before.ttl, before.ttl, 64]);
            let ip_id = random.of(&[before.ip_id, before.ip_id, 9]);
            let ts = random.of(&[ts, ts, before.ts]);
            packets.push((Packet { ts, ttl, ip_id, ..before }, node));
            continue;
        }
        let (_, flags, rels, acks, lengths) =
            if at == 0 && !random.one_in(12) { &KINDS[0] } else { kind(random) };
        let is_ipv4 = five_tuple.is_ipv4();
        let packet = Packet {
            ts,
            five_tuple,
            ip_id: if is_ipv4 { random.of(&[0, 0, 1, 2, 300, 32769, 54321, 54321, 65535]) } else { 0 },
            ttl: random.of(&[0, 50, 52, 53, 64, 78, 200, 201, 255]),
            flags: Flags::from_letters(random.of(flags)).unwrap(),
            seq: random.of(&isns).wrapping_add(random.of(rels)),
            ack: random.of(acks),
            tcp_window: random.of(&[0, 64240, 65535, 65535]),
            options_len: random.of(&[0, 20]),
            payload_len: random.of(lengths),
            sample_rate: random.of(&[1, 1, 10, u32::MAX]),
            df: is_ipv4 && random.one_in(2),
            syn: SynOptions::NONE,
        };
        packets.push((as_scanners_send(random, packet), node));
    }
    if isns.len() == 1 {
        cap_files(&mut packets);
    }
    // They come in any order.
    for at in 1..packets.len() {
        packets.swap(at, random.below(at as u64 + 1) as usize);
    }
    packets
}

/// A SYN packet with options, at times with the numbers of a scanner.
fn as_scanners_send(random: &mut Random, packet: Packet) -> Packet {
    if !packet.is_syn() {
        return packet;
    }
    let [windows, linux, bsd] = ZMAP4_OPTIONS;
    let other = SynOptions { wscale: 9, ..windows };
    let syn = random.of(&[windows, linux, bsd, other, SynOptions::UNKNOWN, SynOptions::NONE]);
    let server = packet.five_tuple.dst_ip.to_bits() as u32;
    let seq = if random.one_in(10) { server } else { packet.seq };
    let masscan = server as u16 ^ packet.five_tuple.dst_port ^ seq as u16;
    let ip_id = if packet.five_tuple.is_ipv4() && random.one_in(4) { masscan } else { packet.ip_id };
    Packet { syn, seq, ip_id, ..packet }
}

/// The initial sequence numbers of those who use the ports: mostly one.
fn isns(random: &mut Random) -> Vec<u32> {
    let count = random.of(&[1, 1, 1, 1, 2, 2, 3]);
    (0..count).map(|_| random.of(&[0, 1000, 1001, u32::MAX, u32::MAX - 100, TAIL])).collect()
}

/// Of a capture no more than the packet limit is taken.
fn cap_files(packets: &mut Vec<(Packet, usize)>) {
    let mut files = 0;
    packets.retain(|(_, node)| {
        files += u32::from(*node == 0);
        *node != 0 || files <= Rules::default().packet_limit
    });
}

/// A 5-tuple that only `number` has, or its other direction.
pub(crate) fn five_tuple(random: &mut Random, number: u32) -> FiveTuple {
    let address = number.to_be_bytes();
    let (src, dst): (IpAddr, IpAddr) = if number.is_multiple_of(3) {
        let address =
            |last: u16| Ipv6Addr::from([0x2001, 0xdb8, (number >> 16) as u16, number as u16, 0, 0, 0, last]);
        (address(1).into(), address(2).into())
    } else {
        (address.into(), [192, 0, 2, random.below(4) as u8].into())
    };
    let same = number.is_multiple_of(97);
    // Its own other direction.
    if same { FiveTuple::new(src, 443, src, 443) } else { FiveTuple::new(src, 40_000, dst, 443) }
}
