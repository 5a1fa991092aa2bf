//! Which packets are rows, and of which connection (docs/origin.md#rows, docs/origin.md#connection).

use cutshort_packet::{FiveTuple, Flags, Packet};

use crate::{Row, Rules};

/// Both directions between two sockets in one window. Packets must come in the order of arrival.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    /// The direction that was seen first.
    pub(crate) five_tuple: FiveTuple,
    /// The earliest packet, for which the pair stands if it has no SYN packet.
    pub(crate) first: Row,
    pub(crate) packets: u64,
    /// Packets before the first SYN packet in either direction.
    pub(crate) tail: u64,
    /// What was opened in this direction, and in the other.
    openers: [Opener; 2],
}

/// What became of a packet: up to two rows, since both ends may have opened connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Added {
    /// The side of its sender, 0 for that of [`Pair::five_tuple`], and the side of the other end.
    pub(crate) sides: [usize; 2],
    /// The row of either side.
    pub(crate) rows: [Option<Row>; 2],
    /// It came from the server of a connection.
    pub(crate) is_received: bool,
    /// Only who got a SYN+ACK sends it.
    pub(crate) shows_answer: bool,
}

impl Pair {
    /// What identifies the pair of a 5-tuple and its reverse.
    pub(crate) fn key(five_tuple: &FiveTuple) -> FiveTuple {
        (*five_tuple).min(five_tuple.reversed())
    }

    pub(crate) fn new(packet: &Packet) -> Self {
        Self {
            five_tuple: packet.five_tuple,
            first: packet.into(),
            packets: 0,
            tail: 0,
            openers: Default::default(),
        }
    }

    /// Whether source and destination are the same.
    pub(crate) fn is_self(&self) -> bool {
        self.five_tuple == self.five_tuple.reversed()
    }

    /// Takes a packet of one of the directions.
    pub(crate) fn add(&mut self, packet: &Packet, rules: &Rules) -> Added {
        self.packets += 1;
        if (packet.ts, packet.sample_rate) < (self.first.ts, self.first.sample_rate) {
            self.first = packet.into();
        }
        let own = usize::from(packet.five_tuple != self.five_tuple);
        let sides = [own, 1 - own];
        if self.is_self() {
            return Added { sides, rows: [None; 2], is_received: false, shows_answer: false };
        }
        let row = Row::from(packet);
        let sent = self.openers[own].sent(packet, rules);
        self.tail += u64::from(!self.has_opened(0) && !self.has_opened(1));
        let received = self.openers[1 - own].received(rules);
        let has_ack = packet.flags.intersects(Flags::ACK) && !packet.flags.intersects(Flags::RST);
        Added {
            sides,
            rows: [
                sent.is_taken().then_some(row),
                received.is_taken().then(|| Row::from(&packet.received_row())),
            ],
            is_received: received != Belongs::Nowhere,
            shows_answer: sent != Belongs::Nowhere && has_ack,
        }
    }

    /// Takes an ICMP error that quotes a SYN packet of a 5-tuple: the side whose row it is.
    pub(crate) fn add_icmp(&mut self, five_tuple: &FiveTuple, seq: u32) -> Option<usize> {
        let side = usize::from(*five_tuple != self.five_tuple);
        self.openers[side].icmp(seq).is_taken().then_some(side)
    }

    /// Whether a side has opened connections.
    pub(crate) const fn has_opened(&self, side: usize) -> bool {
        self.openers[side].isn.is_some()
    }

    /// The 5-tuple of a side as opener.
    pub(crate) fn opener(&self, side: usize) -> FiveTuple {
        if side == 0 { self.five_tuple } else { self.five_tuple.reversed() }
    }

    /// The sides that opened connections; the first one if none did.
    pub(crate) fn sides(&self) -> impl Iterator<Item = usize> + Clone {
        let first = self.has_opened(0) || !self.has_opened(1);
        first.then_some(0).into_iter().chain(self.has_opened(1).then_some(1))
    }
}

/// The latest connection of a 5-tuple in one window, and how many of its rows were taken. Packets must come in the order of
/// arrival.
#[derive(Clone, Copy, Debug, Default)]
struct Opener {
    /// Sequence number of its SYN packet.
    isn: Option<u32>,
    rows: u32,
    icmp: u32,
}

/// Where a row belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Belongs {
    /// It begins a connection.
    Begins,
    /// It belongs to the connection that began last.
    Continues,
    /// It belongs to it, but enough of its rows were taken.
    Beyond,
    /// It is no row of a connection.
    Nowhere,
}

impl Belongs {
    const fn is_taken(self) -> bool {
        matches!(self, Self::Begins | Self::Continues)
    }
}

impl Opener {
    /// Takes a packet of the opener.
    fn sent(&mut self, packet: &Packet, rules: &Rules) -> Belongs {
        if packet.is_syn() && self.isn != Some(packet.seq) {
            *self = Self { isn: Some(packet.seq), rows: 1, icmp: 0 };
            return Belongs::Begins;
        }
        if packet.flags.is_sent_row() { self.count(rules) } else { Belongs::Nowhere }
    }

    /// Takes a packet of the server.
    fn received(&mut self, rules: &Rules) -> Belongs {
        self.count(rules)
    }

    /// Takes an ICMP error that quotes a SYN packet with this sequence number.
    fn icmp(&mut self, seq: u32) -> Belongs {
        match () {
            () if self.isn != Some(seq) => Belongs::Nowhere,
            () if self.icmp == Rules::ICMP_LIMIT => Belongs::Beyond,
            () => {
                self.icmp += 1;
                Belongs::Continues
            }
        }
    }

    fn count(&mut self, rules: &Rules) -> Belongs {
        match () {
            () if self.isn.is_none() => Belongs::Nowhere,
            () if self.rows >= rules.row_limit() => Belongs::Beyond,
            () => {
                self.rows += 1;
                Belongs::Continues
            }
        }
    }
}
