use cutshort_packet::Packet;

use crate::{Findings, Outcome, Row, Rules, Split, Surroundings};

/// The packets of one 5-tuple in one window: one connection, or several where its ports were used again.
///
/// Adding packets one by one and merging parts of the same 5-tuple (of two nodes, shards or
/// segments) give the same verdicts in any order and grouping. The caller keeps the cap: of each
/// connection the first [`packet_limit`](Rules::packet_limit) packets, as a [`Capper`](crate::Capper) does.
///
/// ```
/// use cutshort_packet::{FiveTuple, Flags, Packet};
/// use cutshort_verdict::{Connections, Rules, Stage, Surroundings};
///
/// let syn = Packet {
///     ts: 0,
///     five_tuple: FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443),
///     ip_id: 1,
///     ttl: 52,
///     flags: Flags::SYN,
///     seq: 1000,
///     ack: 0,
///     window: 64240,
///     options_len: 20,
///     payload_len: 0,
///     sample_rate: 1,
/// };
/// let rst = Packet { ts: 1, flags: Flags::RST, seq: 1001, ..syn };
///
/// let mut connections = Connections::default();
/// connections.push(&rst);
/// connections.push(&syn);
/// let around = Surroundings { cutoff: 900_000_000_000, other_rsts: &[] };
/// let judged = connections.judge(&Rules::default(), &around);
/// let verdict = judged.outcomes[0]?;
/// assert_eq!(verdict.stage, Stage::PostSyn);
/// assert_eq!(verdict.signature.unwrap().name(), "SYN → RST");
/// # Ok::<(), cutshort_verdict::Exclusion>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    rows: Vec<Row>,
}

/// What the rows of a 5-tuple and window were judged to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Judged {
    /// How many rows before the first SYN packet were left to an older connection.
    pub tail: u32,
    /// The connections in the order of time.
    pub outcomes: Vec<Outcome>,
}

impl Connections {
    /// Adds a packet.
    pub fn push(&mut self, packet: &Packet) {
        self.rows.push(Row::from(packet));
    }

    /// Adds what another part of the same 5-tuple has seen.
    pub fn merge(&mut self, other: &Self) {
        self.rows.extend_from_slice(&other.rows);
    }

    /// The rows, in the order in which they came.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The verdicts, as far as they are known now.
    #[must_use]
    pub fn judge(&self, rules: &Rules, around: &Surroundings<'_>) -> Judged {
        let mut rows = self.rows.clone();
        let split = Split::of(&mut rows);
        let outcomes =
            split.parts().map(|part| Findings::of(part.rows).judge(rules, &around.around(part.next)));
        Judged { tail: split.tail().len() as u32, outcomes: outcomes.collect() }
    }
}

impl From<Vec<Row>> for Connections {
    fn from(rows: Vec<Row>) -> Self {
        Self { rows }
    }
}
