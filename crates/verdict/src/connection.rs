use cutshort_packet::Packet;

use crate::{Findings, FlowContext, Outcome, Row, Rules, Split};

/// The packets of one 5-tuple in one window: one connection, or several if its ports were reused.
///
/// Adding packets and merging parts of the same 5-tuple (of two servers, shards or files) give the same verdicts in any
/// order and grouping (docs/spec.md#merge). The caller applies the packet limit: the first
/// [`packet_limit`](Rules::packet_limit) packets of each connection, as picked by a [`PacketLimiter`](crate::PacketLimiter).
///
/// ```
/// use cutshort_packet::{FiveTuple, Flags, Packet};
/// use cutshort_verdict::{Connections, Rules, Stage, FlowContext};
///
/// let syn = Packet {
///     ts: 0,
///     five_tuple: FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443),
///     ip_id: 1,
///     ttl: 52,
///     flags: Flags::SYN,
///     seq: 1000,
///     ack: 0,
///     tcp_window: 64_240,
///     options_len: 20,
///     payload_len: 0,
///     sample_rate: 1,
///     ..Packet::ZERO
/// };
/// let rst = Packet { ts: 1, flags: Flags::RST, seq: 1001, ..syn };
///
/// // One server has seen the SYN, another one the RST.
/// let (mut connections, mut other) = (Connections::default(), Connections::default());
/// connections.push(&syn);
/// other.push(&rst);
/// connections.merge(&other);
///
/// let around = FlowContext { cutoff: 900_000_000_000, other_rsts: &[] };
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

/// The outcomes of one 5-tuple and window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Judged {
    /// Number of rows before the first SYN packet, which belong to an older connection (docs/spec.md#tail).
    pub tail: u32,
    /// One outcome per connection, in the order of time.
    pub outcomes: Vec<Outcome>,
}

impl Connections {
    /// Adds a packet; its 5-tuple must be that of the others.
    pub fn push(&mut self, packet: &Packet) {
        self.rows.push(Row::from(packet));
    }

    /// Adds the packets that another part of the same 5-tuple has seen.
    pub fn merge(&mut self, other: &Self) {
        self.rows.extend_from_slice(&other.rows);
    }

    /// Returns the rows in the order in which they were added.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Judges the connections by the rows that were added so far.
    #[must_use]
    pub fn judge(&self, rules: &Rules, around: &FlowContext<'_>) -> Judged {
        let mut rows = self.rows.clone();
        let set = rules.data_set;
        let split = Split::of(&mut rows, set);
        let outcomes =
            split.parts().map(|part| Findings::of(part.rows, set).judge(rules, &around.around(part.next)));
        Judged { tail: split.tail().len() as u32, outcomes: outcomes.collect() }
    }
}

impl From<Vec<Row>> for Connections {
    fn from(rows: Vec<Row>) -> Self {
        Self { rows }
    }
}
