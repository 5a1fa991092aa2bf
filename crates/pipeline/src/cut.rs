//! Where the packets of a capture are cut into segments.

use cutshort_packet::Packet;
use cutshort_store::{Origin, window_of};
use cutshort_verdict::{Capper, Rules};

use crate::Arrival;

/// Packets of a segment at most, for the sake of memory.
const MOST: usize = 1 << 20;
/// So many are enough for a segment ...
const ENOUGH: usize = 1 << 16;
/// ... when they are from so many nanoseconds or more.
const LENGTH: i64 = 60_000_000_000;

/// The packets of a segment and the time that it covers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) packets: Vec<Packet>,
    pub(crate) origin: Origin,
    pub(crate) covers: (i64, i64),
}

/// Takes the records of one capture and gives pieces, which depend on nothing else. Together they
/// cover the time from the earliest to the latest record without a gap.
pub(crate) struct Cutter {
    capper: Capper,
    packets: Vec<Packet>,
    simulated: bool,
    /// Time of the latest record when this piece began.
    since: Option<i64>,
    /// The earliest record of this piece.
    earliest: i64,
    /// Until when pieces cover that were given.
    covered: Option<i64>,
}

impl Cutter {
    pub(crate) const fn new(rules: Rules) -> Self {
        Self {
            capper: Capper::new(rules),
            packets: Vec::new(),
            simulated: false,
            since: None,
            earliest: i64::MAX,
            covered: None,
        }
    }

    /// Takes the next record; gives the piece before it if that is complete.
    pub(crate) fn record(&mut self, arrival: &Arrival) -> Option<Piece> {
        let piece = if self.ends_before(arrival) { self.cut() } else { None };
        self.since.get_or_insert(self.capper.latest().max(arrival.ts));
        self.earliest = self.earliest.min(arrival.ts);
        if self.capper.record(arrival.ts, arrival.packet.as_ref()) {
            self.simulated = arrival.simulated;
            self.packets.extend(arrival.packet);
        }
        piece
    }

    /// A piece ends when it is large, when it is long and large enough, when the time of the records
    /// enters another window, and where made-up packets begin or end.
    fn ends_before(&self, arrival: &Arrival) -> bool {
        let Some(since) = self.since.filter(|_| !self.packets.is_empty()) else { return false };
        let rows = self.packets.len();
        let latest = self.capper.latest().max(arrival.ts);
        rows >= MOST
            || rows >= ENOUGH && latest.saturating_sub(since) >= LENGTH
            || window_of(latest) > window_of(since)
            || arrival.simulated != self.simulated
    }

    fn cut(&mut self) -> Option<Piece> {
        let latest = self.capper.latest();
        if self.packets.is_empty() && self.covered.is_some_and(|covered| covered >= latest) {
            return None;
        }
        let covers = (self.covered.map_or(self.earliest, |covered| covered.min(self.earliest)), latest);
        self.covered = Some(latest);
        self.since = None;
        self.earliest = i64::MAX;
        let origin = if self.simulated { Origin::Simulated } else { Origin::File };
        Some(Piece { packets: std::mem::take(&mut self.packets), origin, covers })
    }

    /// Ends the capture: the last piece, if something is left.
    pub(crate) fn finish(&mut self) -> Option<Piece> {
        if self.capper.latest() == i64::MIN { None } else { self.cut() }
    }

    /// Packets that came after their window was closed.
    pub(crate) const fn late(&self) -> u64 {
        self.capper.late()
    }
}
