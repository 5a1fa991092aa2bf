use std::collections::{BTreeMap, HashMap};

use cutshort_packet::{FiveTuple, Packet};

use crate::Rules;
use crate::clock::{Clock, ReaderClock};

/// Takes of a capture the packets that count: of each connection the first
/// [`packet_limit`](Rules::packet_limit) in order of arrival, unless their window is closed by then.
///
/// Packets are counted anew, for the 5-tuple and for its reverse, at a window's beginning and whenever a SYN packet
/// arrives that is the first on the 5-tuple or whose sequence number differs from that of the one before (SPEC 1).
///
/// A [`Tracker`](crate::Tracker) takes the same ones and keeps them; this one only counts, so that
/// they can be kept elsewhere. Memory is bounded by the 5-tuples of the windows that are open.
#[derive(Debug)]
pub struct Capper {
    rules: Rules,
    clock: Clock,
    open: BTreeMap<i64, HashMap<FiveTuple, Taken>>,
    late: u64,
}

/// What was taken of a 5-tuple.
#[derive(Debug, Default)]
struct Taken {
    /// The sequence number of the latest SYN packet.
    syn: Option<u32>,
    /// Packets since they were last counted anew.
    packets: u32,
}

impl Capper {
    /// A capper that has seen nothing yet.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self { rules, clock: Clock::new(&rules), open: BTreeMap::new(), late: 0 }
    }

    /// Tells the reader's clock, without which no record lies in the future.
    #[must_use]
    pub const fn read_at(mut self, reader: ReaderClock) -> Self {
        self.clock.set_reader(reader);
        self
    }

    /// Takes the next record of the input, of any protocol, at `ts` (nanoseconds since the Unix
    /// epoch), with its TCP packet if it is one. True if the packet counts.
    #[inline]
    pub fn record(&mut self, ts: i64, packet: Option<&Packet>) -> bool {
        if self.clock.tick(ts) {
            self.clock.remove_closed(&mut self.open);
        }
        packet.is_some_and(|packet| self.takes(packet))
    }

    #[inline]
    fn takes(&mut self, packet: &Packet) -> bool {
        let window = self.rules.window_of(packet.ts);
        if self.clock.is_closed(window) {
            self.late += 1;
            return false;
        }
        let open = self.open.entry(window).or_default();
        if packet.is_syn() {
            count_anew(open, packet);
        }
        let taken = open.entry(packet.five_tuple).or_default();
        let takes = taken.packets < self.rules.packet_limit;
        taken.packets += u32::from(takes);
        takes
    }

    /// Time of the latest record that does not lie in the future, or of the latest if all do, in
    /// nanoseconds; [`i64::MIN`] before the first.
    #[must_use]
    pub const fn latest(&self) -> i64 {
        self.clock.latest()
    }

    /// How many packets came for a window that was closed already.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }
}

/// Counts anew if a SYN packet begins a connection.
fn count_anew(open: &mut HashMap<FiveTuple, Taken>, syn: &Packet) {
    let taken = open.entry(syn.five_tuple).or_default();
    if taken.syn == Some(syn.seq) {
        return;
    }
    *taken = Taken { syn: Some(syn.seq), packets: 0 };
    if let Some(other) = open.get_mut(&syn.five_tuple.reversed()) {
        other.packets = 0;
    }
}
