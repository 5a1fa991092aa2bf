//! Which packets are rows, and of which connection (docs/origin.md#rows, docs/origin.md#connection).

use cutshort_packet::{Flags, Packet};

use super::judge::MORE;
use crate::Rules;

/// The number of ICMP errors that are taken of a connection besides its packets.
const ICMP: u8 = 3;

/// The latest connection of a 5-tuple in one window, and how many of its rows were taken. Packets must come in the order of
/// arrival.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Opener {
    /// Sequence number of its SYN packet.
    isn: Option<u32>,
    rows: u32,
    icmp: u8,
}

/// Where a row belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// It begins a connection.
    Begins,
    /// It belongs to the connection that began last.
    Continues,
    /// It belongs to it, but enough of its rows were taken.
    Beyond,
    /// It is no row of a connection.
    Nowhere,
}

impl Opener {
    /// Takes a packet of the opener.
    pub(crate) fn sent(&mut self, packet: &Packet, rules: &Rules) -> Belongs {
        if packet.is_syn() && self.isn != Some(packet.seq) {
            *self = Self { isn: Some(packet.seq), rows: 1, icmp: 0 };
            return Belongs::Begins;
        }
        if is_sent_row(packet.flags) { self.count(rules) } else { Belongs::Nowhere }
    }

    /// Takes a packet of the server.
    pub(crate) fn received(&mut self, rules: &Rules) -> Belongs {
        self.count(rules)
    }

    /// Takes an ICMP error that quotes a SYN packet with this sequence number.
    pub(crate) fn icmp(&mut self, seq: u32) -> Belongs {
        match () {
            () if self.isn != Some(seq) => Belongs::Nowhere,
            () if self.icmp == ICMP => Belongs::Beyond,
            () => {
                self.icmp += 1;
                Belongs::Continues
            }
        }
    }

    fn count(&mut self, rules: &Rules) -> Belongs {
        match () {
            () if self.isn.is_none() => Belongs::Nowhere,
            () if self.rows >= rules.packet_limit.saturating_add(MORE) => Belongs::Beyond,
            () => {
                self.rows += 1;
                Belongs::Continues
            }
        }
    }
}

/// Of what we send, only what the firewall rules log as well: SYN packets, and packets with data to pass on, FIN or RST.
pub(crate) const fn is_sent_row(flags: Flags) -> bool {
    let closes = flags.intersects(Flags::FIN) || flags.intersects(Flags::RST);
    flags.is_syn() || (!flags.intersects(Flags::SYN) && (closes || flags.intersects(Flags::PSH)))
}
