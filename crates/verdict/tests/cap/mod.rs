//! The packet limit as defined in docs/spec.md#cap: which packets of one window are taken, in order of arrival.
use std::collections::BTreeMap;

use cutshort_packet::{FiveTuple, Flags, Packet};

#[derive(Default)]
pub(crate) struct Cap {
    taken: BTreeMap<FiveTuple, u32>,
    /// Sequence number of the SYN packet that arrived last.
    syn_seq: BTreeMap<FiveTuple, u32>,
}

impl Cap {
    /// Whether the packet that arrives next is taken.
    pub(crate) fn takes(&mut self, packet: &Packet, packet_limit: u32) -> bool {
        let (here, there) = (packet.five_tuple, packet.five_tuple.reversed());
        let has = |flag| packet.flags.intersects(flag);
        let is_syn = has(Flags::SYN) && !has(Flags::ACK) && !has(Flags::RST) && !has(Flags::FIN);
        if is_syn && self.syn_seq.insert(here, packet.seq) != Some(packet.seq) {
            self.taken.remove(&here);
            self.taken.remove(&there);
        }
        let taken = self.taken.entry(here).or_default();
        let takes = *taken < packet_limit;
        *taken += u32::from(takes);
        takes
    }
}
