//! Random rows of a pair of sockets, from ranges so small that repeats, ties and edges are frequent.

use cutshort_packet::FiveTuple;
use cutshort_packet::quic::{Datagram, Frames, Icmp, Kinds, Opened, ServerPorts};
use cutshort_verdict::{DataSet, Rules};

pub(crate) use crate::splitmix::Random;

pub(crate) const SECOND: i64 = 1_000_000_000;

impl Random {
    fn one_in(&mut self, number: u64) -> bool {
        self.below(number) == 0
    }
}

/// What a capture has of one pair of sockets in one window, in order of arrival.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) rows: Vec<Datagram>,
    pub(crate) cutoff: i64,
    pub(crate) rules: Rules,
}

/// How the rows of a case tend to be: otherwise some outcomes are too rare.
struct Style {
    five_tuple: FiveTuple,
    both_directions: bool,
    opens: bool,
    /// Kinds of the first rows, and of later ones.
    kinds: &'static [u8],
    ids: u64,
    scids: u64,
    tokens: u64,
    versions: &'static [u32],
    steps: &'static [i64],
}

const STEPS: &[&[i64]] = &[
    &[0, 0, 1, 20, 149, 150, 151, 300, 600],
    &[0, 0, 1, 2, 5],
    &[0, 20, 150, 1000, 2000, 4000, 9999, 10_000, 10_001],
];
const KINDS: &[&[u8]] = &[
    &[1],
    &[1, 1, 1, 1, 2, 3, 64 | 1],
    &[1, 1, 5, 4, 4, 4, 12],
    &[1, 5, 4, 12, 8, 8, 8],
    &[1, 1, 4, 12, 12, 13, 8],
    &[1, 1, 2, 4, 8, 16, 32, 64, 5, 17],
    &[8, 8, 32, 16, 4, 2],
];
const VERSIONS: &[&[u32]] = &[&[1], &[1], &[1], &[1, 0x6b33_43cf], &[0xff00_001d], &[1, 0xff00_0022]];

pub(crate) fn case(random: &mut Random) -> Case {
    let (client, server) =
        (random.one_of(&[40112, 40112, 443, 8443]), random.one_of(&[443, 443, 443, 40112]));
    let host = if random.one_in(50) { 7 } else { 5 };
    let style = Style {
        five_tuple: FiveTuple::new([198, 51, 100, 7].into(), client, [198, 51, 100, host].into(), server),
        both_directions: random.one_in(3),
        opens: random.one_in(2),
        kinds: random.one_of(KINDS),
        ids: 1 + random.below(3),
        scids: if random.one_in(12) { 2 } else { 1 },
        tokens: 1 + random.below(3),
        versions: random.one_of(VERSIONS),
        steps: random.one_of(STEPS),
    };
    let (mut rows, mut now) = (Vec::new(), 0);
    let most = random.one_of(&[3, 6, 6, 12, 40]);
    for at in 0..=random.below(most) {
        now += random.one_of(style.steps) * (SECOND / 1000) + random.one_of(&[0, 0, 0, 0, 1]);
        let ts = if random.one_in(10) { (now - SECOND / 5).max(0) } else { now };
        rows.extend(row(random, &style, ts, at == 0));
    }
    if random.one_in(5) {
        let gap = random.one_of(&[0, 1, 1000, 1_999_999_999, 2_000_000_000, 2_000_000_001]);
        rows.push(icmp(random, &style, now + gap));
    }
    let latest = rows.iter().map(|row| row.ts).max().unwrap_or(0);
    let ports = [ServerPorts::default(), ServerPorts::ANY, ServerPorts::new(&[443, 8443]).unwrap()];
    let rules = Rules {
        packet_limit: random.one_of(&[24, 24, 24, 1, 2, 4]),
        guard: random.one_of(&[0, 5, 10]) * SECOND,
        server_ports: random.one_of(&ports),
        ..Rules::of(DataSet::Quic)
    };
    let cutoff = latest + random.one_of(&[0, 1, 5, 10, 10, 11, 60]) * SECOND + random.one_of(&[0, 0, 1]);
    Case { rows, cutoff, rules }
}

fn row(random: &mut Random, style: &Style, ts: i64, is_first: bool) -> Vec<Datagram> {
    if random.one_in(12) {
        return vec![icmp(random, style, ts)];
    }
    let mut row = Datagram {
        ts,
        five_tuple: direction(random, style),
        ttl: random.one_of(&[52, 64]),
        sample_rate: random.one_of(&[1, 1, 10]),
        len: random.one_of(&[1200, 1200, 1250, 1199, 100]),
        kinds: Kinds::from_bits(if is_first && !random.one_in(10) { 1 } else { random.one_of(style.kinds) }),
        ..Datagram::ZERO
    };
    let has = |row: &Datagram, kinds| row.kinds.intersects(kinds);
    if has(&row, Kinds::VERSIONED) {
        row.version = if has(&row, Kinds::LONG) { random.one_of(style.versions) } else { 0x1a1a_1a1a };
    }
    if has(&row, Kinds::LONG) && !random.one_in(25) {
        row.dcid = Some(random.below(style.ids));
        row.scid = Some(100 + random.below(style.scids));
        row.dcid_len = random.one_of(&[7, 7, 8, 20]);
    }
    if has(&row, Kinds::INITIAL) {
        row.token = if random.one_in(20) { None } else { Some(random.below(style.tokens)) };
        if style.opens {
            row.opened = random.one_of(&[
                Opened::OwnId,
                Opened::OwnId,
                Opened::OwnId,
                Opened::OwnId,
                Opened::Failed,
                Opened::No,
                Opened::EarlierId,
            ]);
        }
        if matches!(row.opened, Opened::OwnId | Opened::EarlierId) {
            row.frames = Frames::from_bits(random.one_of(&[0, 0, 0, 0, 0, 1, 2, 3]));
        }
        if row.frames.intersects(Frames::CLOSE) && !random.one_in(4) {
            row.close_code = Some(random.one_of(&[0, 0x12a, 1]));
        }
    }
    vec![row]
}

fn direction(random: &mut Random, style: &Style) -> FiveTuple {
    let reversed = style.both_directions && random.one_in(2);
    if reversed { style.five_tuple.reversed() } else { style.five_tuple }
}

fn icmp(random: &mut Random, style: &Style, ts: i64) -> Datagram {
    let icmp = random.one_of(&[Icmp::Port, Icmp::Port, Icmp::Port, Icmp::Other, Icmp::Server]);
    let five_tuple = direction(random, style);
    Datagram { ts, five_tuple, kinds: Kinds::ICMP, icmp: Some(icmp), sample_rate: 1, ..Datagram::ZERO }
}
