//! Random rows from ranges so small that repeats, tails, ties and edges are frequent.
use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions};
use cutshort_verdict::{FlowContext, Row, Rules, ZMAP4_OPTIONS};
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) const SECOND: i64 = 1_000_000_000;

fn letters(of: &'static [&'static str]) -> impl Strategy<Value = Flags> {
    select(of).prop_map(|letters| Flags::from_letters(letters).unwrap())
}

/// Flags, `rel`, acknowledgement number and payload length, which make the meaning of a row. Of 360
/// rows `other_syns` are SYN packets with another sequence number.
fn meaning(other_syns: u32) -> impl Strategy<Value = (Flags, u32, u32, u32)> {
    const TAIL: u32 = 1 << 31;
    let syn = (letters(&["S", "S", "S", "SEW", "SPU"]), select(&[0; 40][..]), select(&[0, 7][..]), 0..2_u32);
    let other_syn = (letters(&["S"]), select(&[1, 1, TAIL, u32::MAX][..]), 0..1_u32, 0..1_u32);
    let ack = (letters(&["A", "A", "AE"]), 0..2_u32, select(&[5001, 5001, 6001][..]), 0..2_u32);
    let data = (
        letters(&["A", "PA", "PA", "P", "-", "FPA"]),
        select(&[0, 1, 1, 2, 101][..]),
        select(&[5001, 5001, 5001, 6001][..]),
        select(&[1, 100, 100, 101][..]),
    );
    let fin = (letters(&["F", "FA", "FPA"]), select(&[1, 101][..]), select(&[5001, 6001][..]), 0..2_u32);
    let rst = (
        letters(&["R", "R", "RA", "RA", "RP", "FR", "SR", "SRA"]),
        select(&[0, 1, 101, TAIL][..]),
        select(&[0, 0, 5001, 6001][..]),
        select(&[0, 0, 9][..]),
    );
    let odd = (letters(&["SA", "SF", "SPA", "SFA"]), 0..2_u32, select(&[0, 9001][..]), 0..3_u32);
    let tail = (
        letters(&["A", "PA", "FA", "P", "R"]),
        select(&[TAIL - 1, TAIL, TAIL + 1, u32::MAX][..]),
        select(&[5001, 9001][..]),
        select(&[0, 0, 1, 100, u32::MAX][..]),
    );
    let anything = (
        (0..0x200_u16).prop_map(Flags::from_bits),
        select(&[0, 1, TAIL][..]),
        select(&[0, 5001][..]),
        0..2_u32,
    );
    prop_oneof![
        80 => syn, other_syns => other_syn, 80 => ack, 120 => data, 10 => fin, 30 => rst, 15 => odd, 25 => tail, 10 => anything
    ]
}

/// What a row says besides its meaning. Only SYN packets have marks.
type Circumstances = (i64, u16, u8, u16, u8, u32, Flags);

fn circumstances() -> impl Strategy<Value = Circumstances> {
    let marks =
        [Flags::default(), Flags::default(), Flags::ZMAP4, Flags::MASSCAN, Flags::MIRAI, Flags::SCANNERS];
    (
        ticks(16),
        select(&[0, 0, 1, 2, 300, 32769, 54321, 54321, 65535][..]),
        select(&[0, 50, 52, 53, 64, 78, 200, 201, 255][..]),
        select(&[0, 64240, 65535, 65535][..]),
        select(&[0, 20][..]),
        select(&[1, 10][..]),
        select(marks.to_vec()),
    )
}

fn at(row: Row, (ts, ip_id, ttl, tcp_window, options_len, sample_rate, marks): Circumstances) -> Row {
    let header = row.flags.without_scanners();
    let flags = if header.is_syn() { header | marks } else { header };
    Row { ts, flags, ip_id, ttl, tcp_window, options_len, sample_rate, ..row }
}

/// Half seconds, at times one nanosecond more.
fn ticks(up_to: i64) -> impl Strategy<Value = i64> {
    (0..up_to, select(&[0, 0, 0, 1][..])).prop_map(|(half_seconds, more)| half_seconds * SECOND / 2 + more)
}

/// A row with its `rel` for a sequence number; `other_syns` as in [`meaning`].
pub(crate) fn row(other_syns: u32) -> impl Strategy<Value = Row> {
    (meaning(other_syns), circumstances()).prop_map(|(meaning, circumstances)| {
        let (flags, seq, ack, payload_len) = meaning;
        at(Row { flags, seq, ack, payload_len, ..Row::default() }, circumstances)
    })
}

/// The rows of about one connection, at least one: some different ones, and repetitions of these at
/// other times.
fn connection(other_syns: u32) -> impl Strategy<Value = Vec<Row>> {
    let repetitions = prop::collection::vec((any::<prop::sample::Index>(), circumstances()), 0..10);
    let isn = select(&[0, 1000, u32::MAX, u32::MAX - 100, 1 << 31][..]);
    let syn = prop::option::weighted(0.9, circumstances());
    (prop::collection::vec(row(other_syns), 1..9), syn, repetitions, isn).prop_map(
        |(mut rows, syn, again, isn)| {
            rows.extend(syn.map(|when| at(Row { flags: Flags::SYN, ..Row::default() }, when)));
            let different = rows.clone();
            rows.extend(again.into_iter().map(|(index, when)| at(*index.get(&different), when)));
            shift_seq(&rows, isn)
        },
    )
}

/// At most so many rows have a 5-tuple.
pub(crate) const MOST: usize = 4 * 18;

/// The rows of one 5-tuple, at least one: of one connection, of one with SYN packets of other
/// sequence numbers among its rows, or of several that overlap or follow each other.
pub(crate) fn rows() -> impl Strategy<Value = Vec<Row>> {
    let several = prop::collection::vec((connection(1), ticks(60)), 2..=4).prop_map(|connections| {
        let later = |(rows, by): (Vec<Row>, i64)| {
            rows.into_iter().map(move |row| Row { ts: row.ts + by, ..row }).collect::<Vec<_>>()
        };
        connections.into_iter().flat_map(later).collect()
    });
    prop_oneof![connection(1), connection(60), several]
}

pub(crate) fn shift_seq(rows: &[Row], by: u32) -> Vec<Row> {
    rows.iter().map(|row| Row { seq: row.seq.wrapping_add(by), ..*row }).collect()
}

pub(crate) fn rules() -> impl Strategy<Value = Rules> {
    let limit = prop_oneof![Just(10), 1..14_u32];
    (limit, select(&[0, 5, 10][..])).prop_map(|(packet_limit, guard)| Rules {
        packet_limit,
        guard: guard * SECOND,
        ..Rules::default()
    })
}

/// The rows of a 5-tuple, and what may be around them: the window's cutoff, not before any of the
/// rows, the times of the other direction's rows with the RST bit, and the rules.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) rows: Vec<Row>,
    pub(crate) cutoff: i64,
    pub(crate) other_rsts: Vec<i64>,
    pub(crate) rules: Rules,
}

impl Case {
    pub(crate) fn around(&self) -> FlowContext<'_> {
        FlowContext { cutoff: self.cutoff, other_rsts: &self.other_rsts }
    }

    /// The other direction's rows that have the RST bit.
    pub(crate) fn other(&self) -> Vec<Row> {
        let rst = |ts: &i64| Row { ts: *ts, flags: Flags::RST, ..Row::default() };
        self.other_rsts.iter().map(rst).collect()
    }

    /// The same, everything later.
    pub(crate) fn later(&self, by: i64) -> Self {
        Self {
            rows: self.rows.iter().map(|row| Row { ts: row.ts + by, ..*row }).collect(),
            cutoff: self.cutoff + by,
            other_rsts: self.other_rsts.iter().map(|ts| ts + by).collect(),
            rules: self.rules,
        }
    }
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let other_rsts = prop_oneof![2 => 0..1_usize, 1 => 1..6_usize]
        .prop_flat_map(|count| prop::collection::vec(ticks(70), count));
    (rows(), rules(), ticks(100), other_rsts).prop_map(|(rows, rules, cutoff, other_rsts)| {
        let cutoff = rows.iter().map(|row| row.ts).fold(cutoff, i64::max);
        Case { rows, cutoff, other_rsts, rules }
    })
}

/// A packet of a row, changed so that it has the row's marks, if it can have them.
pub(crate) fn packet(row: &Row, five_tuple: FiveTuple) -> Packet {
    let mut packet = row.packet(five_tuple);
    if !row.is_syn() {
        return packet;
    }
    let has = |mark| row.flags.intersects(mark);
    let target = u32::from(five_tuple.dst_ip.to_ipv4_mapped().unwrap());
    if has(Flags::MIRAI) {
        packet.seq = target;
    }
    if has(Flags::MASSCAN) {
        packet.ip_id = target as u16 ^ five_tuple.dst_port ^ packet.seq as u16;
    }
    packet.df = !has(Flags::ZMAP4);
    packet.syn = match row.ttl {
        50 => ZMAP4_OPTIONS[0],
        52 => ZMAP4_OPTIONS[1],
        53 => ZMAP4_OPTIONS[2],
        64 => SynOptions::UNKNOWN,
        _ => SynOptions { mss: 1400, ..ZMAP4_OPTIONS[0] },
    };
    packet
}
