//! Random records of one pair of sockets, from ranges so small that repeats, ties and edges are frequent.

use cutshort_packet::{FiveTuple, Flags, Packet, Unreachable};
use cutshort_verdict::{DataSet, Rules};

use crate::oracle::Record;

pub(crate) use crate::splitmix::Random;

pub(crate) const SECOND: i64 = 1_000_000_000;

impl Random {
    fn flags(&mut self, all: &[&str]) -> Flags {
        Flags::from_letters(self.one_of(all)).unwrap()
    }
}

/// What a capture has of one pair of sockets in one window.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) five_tuple: FiveTuple,
    pub(crate) records: Vec<Record>,
    pub(crate) cutoff: i64,
    pub(crate) rules: Rules,
}

pub(crate) fn case(random: &mut Random) -> Case {
    let server = if random.below(200) == 0 { 40112 } else { 443 };
    let address = if server == 443 { [203, 0, 113, 5] } else { [198, 51, 100, 7] };
    let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 40112, address.into(), server);
    let mut isn = random.one_of(&[1000, 1000, u32::MAX, 0x7fff_ffff, 0x8000_0000]);
    let (first_isn, mut records, mut now) = (isn, Vec::new(), 0);
    let most = if random.below(4) == 0 { 30 } else { 9 };
    let count = 1 + random.below(most);
    for at in 0..count {
        now += random.one_of(&[0, 0, 1, 1000, 1, 20, 20, 51, 100, 300, 500, 1000, 4000]) * (SECOND / 1000)
            + random.one_of(&[0, 0, 0, 1, 999]);
        let ts = if random.below(12) == 0 { (now - SECOND / 10).max(0) } else { now };
        let begins = at == 0 && random.below(10) > 0;
        let kind = if begins { 0 } else { random.below(100) };
        if kind < 8 {
            isn = match random.below(if begins { 1 } else { 8 }) {
                0..=5 => isn,
                6 => isn.wrapping_add(1),
                _ => first_isn,
            };
        }
        records.push(record(random, kind, ts, five_tuple, isn));
    }
    let last = records.iter().map(Record::ts).max().unwrap_or_default();
    let cutoff = last + random.one_of(&[0, 1, 5, 10, 10, 11, 60]) * SECOND + random.one_of(&[0, 0, 1]);
    let rules = Rules {
        packet_limit: random.one_of(&[10, 10, 1, 2, 3, 4]),
        guard: random.one_of(&[0, 5, 10]) * SECOND,
        ..Rules::of(DataSet::Origin)
    };
    Case { five_tuple, records, cutoff, rules }
}

fn record(random: &mut Random, kind: u64, ts: i64, five_tuple: FiveTuple, isn: u32) -> Record {
    let old = random.one_of(&[u32::MAX, 1 << 31, (1 << 31) - 1]);
    let rel = |random: &mut Random| {
        let rel = random.one_of(&[0, 0, 0, 1, 100, 100, 101, 200]);
        let rel = if random.below(20) == 0 { old } else { rel };
        isn.wrapping_add(1).wrapping_add(rel)
    };
    let mut packet = Packet {
        ts,
        five_tuple,
        ip_id: random.one_of(&[0, 1, 2, 300, 32_769, 65_535]),
        ttl: random.one_of(&[0, 50, 64, 64, 78, 255]),
        sample_rate: random.one_of(&[1, 1, 10]),
        tcp_window: random.one_of(&[64_240, 65_535]),
        ..Packet::ZERO
    };
    let numbers = [0, 7, 9001];
    match kind {
        0..8 => {
            packet.flags = random.flags(&["S", "S", "S", "SEW", "SPU"]);
            packet.seq = isn;
            packet.payload_len = random.one_of(&[0, 0, 0, 0, 9]);
        }
        8..24 => {
            packet.flags = random.flags(&["PA", "PA", "P", "A", "PAU"]);
            (packet.seq, packet.ack) = (rel(random), random.one_of(&numbers));
            packet.payload_len = random.one_of(&[0, 100, 100, 1]);
        }
        24..30 => {
            packet.flags = random.flags(&["FA", "FA", "F", "FPA"]);
            (packet.seq, packet.ack) = (rel(random), random.one_of(&numbers));
            packet.payload_len = random.one_of(&[0, 0, 100]);
        }
        30..40 => {
            packet.flags = random.flags(&["R", "R", "RA", "FR", "FRA", "SR"]);
            (packet.seq, packet.ack) = (rel(random), random.one_of(&numbers));
        }
        40..42 => {
            packet.flags = Flags::from_bits(random.next() as u16);
            packet.seq = random.one_of(&[isn, isn.wrapping_add(1)]);
        }
        42..47 => {
            let five_tuple = if random.below(5) == 0 { five_tuple.reversed() } else { five_tuple };
            let seq = if random.below(5) == 0 { isn.wrapping_add(1) } else { isn };
            return Record::Icmp(Unreachable { ts, five_tuple, seq, ip_id: 5, ttl: 61 });
        }
        _ => {
            packet.five_tuple = five_tuple.reversed();
            let ack = rel(random);
            received(random, kind, &mut packet, ack, isn);
        }
    }
    Record::Packet(packet)
}

fn received(random: &mut Random, kind: u64, packet: &mut Packet, ack: u32, isn: u32) {
    packet.ack = ack;
    packet.seq = random.one_of(&[5000, 5000, 5001, 0]);
    match kind {
        47..60 => {
            packet.flags = random.flags(&["SA", "SA", "SA", "SAE"]);
            packet.seq = 5000;
            packet.ack = if random.below(4) == 0 { ack } else { isn.wrapping_add(1) };
            packet.payload_len = random.one_of(&[0, 0, 0, 0, 0, 10]);
        }
        60..72 => packet.flags = random.flags(&["A", "A", "PA"]),
        72..80 => {
            packet.flags = random.flags(&["A", "PA", "PA"]);
            packet.payload_len = random.one_of(&[10, 10, 20]);
        }
        80..85 => {
            packet.flags = random.flags(&["FA", "FA", "FPA", "F"]);
            packet.payload_len = random.one_of(&[0, 0, 10]);
        }
        85..94 => {
            packet.flags = random.flags(&["R", "RA", "RA", "RPA", "SR"]);
            packet.ack = random.one_of(&[0, 0, ack, ack, isn.wrapping_add(10), 77]);
            packet.seq = random.one_of(&[0, 0, 5001]);
        }
        94..96 => {
            packet.flags = Flags::SYN;
            packet.seq = random.one_of(&[5000, 5000, isn]);
        }
        _ => packet.flags = Flags::from_bits(random.next() as u16),
    }
}
