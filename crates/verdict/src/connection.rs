use cutshort_packet::Packet;

use crate::{Findings, Outcome, Row, Rules, Surroundings};

/// The packets of one 5-tuple in one window.
///
/// Adding packets one by one and merging parts of the same connection (of two nodes, shards or
/// segments) give the same verdict in any order and grouping. The caller keeps the cap: of each
/// 5-tuple and window the first [`packet_limit`](Rules::packet_limit) packets.
///
/// ```
/// use cutshort_packet::{FiveTuple, Flags, Packet};
/// use cutshort_verdict::{Connection, Rules, Stage, Surroundings};
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
/// let mut connection = Connection::default();
/// connection.push(&rst);
/// connection.push(&syn);
/// let around = Surroundings { cutoff: 900_000_000_000, other_rst_ts: None };
/// let verdict = connection.judge(&Rules::default(), &around)?;
/// assert_eq!(verdict.stage, Stage::PostSyn);
/// assert_eq!(verdict.signature.unwrap().name(), "SYN → RST");
/// # Ok::<(), cutshort_verdict::Exclusion>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    rows: Vec<Row>,
}

impl Connection {
    /// Adds a packet.
    pub fn push(&mut self, packet: &Packet) {
        self.rows.push(Row::from(packet));
    }

    /// Adds what another part of the same connection has seen.
    pub fn merge(&mut self, other: &Self) {
        self.rows.extend_from_slice(&other.rows);
    }

    /// The rows, in the order in which they came.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The verdict, as far as it is known now.
    ///
    /// # Errors
    /// Why the connection is in no total.
    pub fn judge(&self, rules: &Rules, around: &Surroundings) -> Outcome {
        Findings::of(&self.rows).judge(rules, around)
    }
}

impl From<Vec<Row>> for Connection {
    fn from(rows: Vec<Row>) -> Self {
        Self { rows }
    }
}
