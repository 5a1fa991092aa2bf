//! Divides the packets of a capture into segments.

use std::collections::BTreeSet;

use cutshort_model::Window;
use cutshort_packet::Packet;
use cutshort_store::Provenance;
use cutshort_verdict::{PacketLimiter, ReaderClock, Rules};

use crate::{Arrival, Ingest};

/// The maximum number of packets in a segment, to limit memory.
const MOST: usize = 1 << 20;
/// This many packets are enough for a segment ...
const ENOUGH: usize = 1 << 16;
/// ... if they extend over this many nanoseconds or more.
const LENGTH: i64 = 60_000_000_000;

/// The packets of a segment and the time that it covers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) packets: Vec<Packet>,
    pub(crate) origin: Provenance,
    pub(crate) covers: (i64, i64),
}

/// Takes the records of one capture and returns pieces. These depend only on the records, and on which of them are in
/// the future. Together they cover the time from the earliest to the latest record without a gap.
pub(crate) struct Cutter {
    capper: PacketLimiter,
    reader: ReaderClock,
    present: Pile,
    /// Records in the future, which do not extend the time that the others cover.
    future: Pile,
}

impl Cutter {
    pub(crate) const fn new(rules: Rules, reader: ReaderClock) -> Self {
        let capper = PacketLimiter::new(rules).read_at(reader);
        Self { capper, reader, present: Pile::new(), future: Pile::new() }
    }

    /// Adds a record, and returns the piece before it if that is complete.
    pub(crate) fn record(&mut self, arrival: &Arrival) -> Option<Piece> {
        let counts = self.capper.record(arrival.ts, arrival.packet.as_ref());
        let is_future = self.reader.is_future(arrival.ts);
        let pile = if is_future { &mut self.future } else { &mut self.present };
        pile.record(arrival, counts)
    }

    /// Ends the capture and returns the last pieces, if anything is left. Of records in the future only packets are
    /// kept, unless all records are in the future.
    pub(crate) fn finish(&mut self) -> Vec<Piece> {
        let (present, mut future) = (self.present.finish(), self.future.finish());
        if !self.present.is_empty() {
            future = future.filter(|piece| !piece.packets.is_empty());
        }
        present.into_iter().chain(future).collect()
    }

    /// The number of packets that came after their window was closed.
    pub(crate) const fn late(&self) -> u64 {
        self.capper.late()
    }
}

/// The records of which the next piece will consist.
struct Pile {
    packets: Vec<Packet>,
    /// The windows of the packets.
    windows: BTreeSet<Window>,
    simulated: bool,
    /// Time of the latest record when this piece was begun.
    since: Option<i64>,
    /// The earliest record of this piece, and the latest of all.
    earliest: i64,
    latest: i64,
    /// The time up to which the returned pieces cover.
    covered: Option<i64>,
}

impl Pile {
    const fn new() -> Self {
        Self {
            packets: Vec::new(),
            windows: BTreeSet::new(),
            simulated: false,
            since: None,
            earliest: i64::MAX,
            latest: i64::MIN,
            covered: None,
        }
    }

    const fn is_empty(&self) -> bool {
        self.latest == i64::MIN
    }

    fn record(&mut self, arrival: &Arrival, counts: bool) -> Option<Piece> {
        let piece = if self.ends_before(arrival) { self.cut() } else { None };
        self.latest = self.latest.max(arrival.ts);
        self.since.get_or_insert(self.latest);
        self.earliest = self.earliest.min(arrival.ts);
        if let Some(packet) = arrival.packet.filter(|_| counts) {
            self.simulated = arrival.simulated;
            self.windows.insert(Window::containing(packet.ts));
            self.packets.push(packet);
        }
        piece
    }

    /// Whether a piece ends before a record: when it is large, when it is long and large enough, when the records
    /// reach another window, when it has packets of too many windows, and where simulated packets begin or end.
    fn ends_before(&self, arrival: &Arrival) -> bool {
        let Some(since) = self.since.filter(|_| !self.packets.is_empty()) else { return false };
        let rows = self.packets.len();
        let latest = self.latest.max(arrival.ts);
        rows >= MOST
            || rows >= ENOUGH && latest.saturating_sub(since) >= LENGTH
            || Window::containing(latest) > Window::containing(since)
            || self.windows.len() >= Ingest::MOST_WINDOWS
            || arrival.simulated != self.simulated
    }

    fn cut(&mut self) -> Option<Piece> {
        if self.packets.is_empty() && self.covered.is_some_and(|covered| covered >= self.latest) {
            return None;
        }
        let from = self.covered.map_or(self.earliest, |covered| covered.min(self.earliest));
        self.covered = Some(self.latest);
        self.since = None;
        self.earliest = i64::MAX;
        self.windows.clear();
        let origin = if self.simulated { Provenance::Simulated } else { Provenance::File };
        Some(Piece { packets: std::mem::take(&mut self.packets), origin, covers: (from, self.latest) })
    }

    /// The last piece, if anything is left.
    fn finish(&mut self) -> Option<Piece> {
        if self.is_empty() { None } else { self.cut() }
    }
}
