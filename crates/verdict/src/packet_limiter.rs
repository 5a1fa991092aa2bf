use std::collections::{BTreeMap, HashMap};

use cutshort_packet::{FiveTuple, Packet};

use crate::Rules;
use crate::clock::{Clock, ReaderClock};

/// Picks the packets that count: the first [`packet_limit`](Rules::packet_limit) of each connection in order of arrival,
/// unless their window is closed already (docs/spec.md#cap).
///
/// Counting starts again, for the 5-tuple and for its reverse, at the beginning of a window and with each SYN packet that
/// is the first on its 5-tuple or has another sequence number than the SYN packet before it.
///
/// A [`Tracker`](crate::Tracker) takes the same packets and keeps them; a capper only counts, for programs that keep
/// packets elsewhere. Memory is bounded by the 5-tuples of the windows that are open.
///
/// ```
/// use cutshort_packet::{FiveTuple, Flags, Packet};
/// use cutshort_verdict::{PacketLimiter, Rules};
///
/// let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
/// let syn = Packet { five_tuple, flags: Flags::SYN, seq: 1000, ..Packet::ZERO };
/// let ack = Packet { flags: Flags::ACK, seq: 1001, ..syn };
///
/// let mut capper = PacketLimiter::new(Rules { packet_limit: 2, ..Rules::default() });
/// let mut counts = |ts, packet: Packet| capper.record(ts, Some(&Packet { ts, ..packet }));
/// assert!(counts(0, syn) && counts(1, ack));
/// assert!(!counts(2, ack), "the limit is reached");
/// assert!(!counts(3, syn), "the same SYN again");
/// assert!(counts(4, Packet { seq: 7000, ..syn }), "another connection on the same ports");
/// ```
#[derive(Debug)]
pub struct PacketLimiter {
    rules: Rules,
    clock: Clock,
    open: BTreeMap<i64, HashMap<FiveTuple, Taken>>,
    late: u64,
}

/// The packets that were taken of a 5-tuple.
#[derive(Debug, Default)]
struct Taken {
    /// The sequence number of the latest SYN packet.
    syn: Option<u32>,
    /// Packets since they were last counted anew.
    packets: u32,
}

impl PacketLimiter {
    /// Creates a capper that has seen no records yet.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self { rules, clock: Clock::new(&rules), open: BTreeMap::new(), late: 0 }
    }

    /// Sets the clock by which records lie in the future (docs/spec.md#future); without one, none does.
    #[must_use]
    pub const fn read_at(mut self, reader: ReaderClock) -> Self {
        self.clock.set_reader(reader);
        self
    }

    /// Takes the next record of the input, of any protocol, at `ts` (nanoseconds since the Unix
    /// epoch), with its TCP packet if it has one. Returns true if the packet counts.
    #[must_use = "only the packets for which it returns true count"]
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

    /// Returns the time of the latest record that does not lie in the future, or of the latest of all if all do, in
    /// nanoseconds since the Unix epoch; [`i64::MIN`] before the first.
    #[must_use]
    pub const fn latest(&self) -> i64 {
        self.clock.latest()
    }

    /// Returns how many packets came for a window that was closed already (docs/spec.md#late).
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
