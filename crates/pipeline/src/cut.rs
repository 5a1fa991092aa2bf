//! Divides the packets of a capture into segments.

use std::collections::BTreeSet;

use cutshort_model::Window;
use cutshort_packet::quic::Datagram;
use cutshort_packet::{FiveTuple, Packet};
use cutshort_store::Provenance;
use cutshort_verdict::{DataSet, OriginLimiter, PacketLimiter, ReaderClock, Row, quic};

use crate::import::{DatagramArrival, Importing, Meant, Recorded};
use crate::{Arrival, Ingest};

/// The maximum number of packets in a segment, to limit memory.
const MOST: usize = 1 << 20;
/// This many packets are enough for a segment ...
const ENOUGH: usize = 1 << 16;
/// ... if they extend over this many nanoseconds or more.
const LENGTH: i64 = 60_000_000_000;

/// The packets of a segment and the time that it covers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece<R = Packet> {
    pub(crate) packets: Vec<R>,
    pub(crate) origin: Provenance,
    pub(crate) covers: (i64, i64),
}

/// Takes the records of one input and returns pieces. These depend only on the records, and on which of them are in
/// the future. Together they cover the time from the earliest to the latest record without a gap.
pub(crate) struct Cutter<P: Picks> {
    limiter: P,
    reader: ReaderClock,
    present: Pile<P::Row>,
    /// Records in the future, which do not extend the time that the others cover.
    future: Pile<P::Row>,
}

/// Decides which rows of a capture are kept.
pub trait Picks {
    /// The records of the capture.
    type Arrival: Recorded;
    /// What is kept of them.
    type Row: crate::Row;

    /// The rows to be kept of a record.
    fn record(&mut self, arrival: &Self::Arrival) -> [Option<Self::Row>; 2];

    /// The rows that stand for something in windows that were closed by the latest record.
    fn take_closed(&mut self) -> Vec<Self::Row> {
        Vec::new()
    }

    /// The same of all other windows.
    fn finish(&mut self) -> Vec<Self::Row> {
        Vec::new()
    }

    /// The number of rows that came after their window was closed.
    fn late(&self) -> u64;

    /// Whether both directions are known to be in the capture, where that matters.
    fn has_received(&self) -> bool {
        true
    }

    /// Whether the capture has only what one side sent, where that matters.
    fn has_one_direction(&self) -> bool {
        false
    }
}

/// Makes one that picks as an import says.
pub trait Picker<'a>: Picks {
    /// Makes it.
    fn new(importing: &Importing<'a>) -> Self;
}

impl<P: Picks> Cutter<P> {
    pub(crate) fn new<'a>(importing: &Importing<'a>) -> Self
    where
        P: Picker<'a>,
    {
        let reader = importing.reader;
        Self { limiter: P::new(importing), reader, present: Pile::new(), future: Pile::new() }
    }

    /// Adds a record, and returns the piece before it if that is complete.
    pub(crate) fn record(&mut self, arrival: &P::Arrival) -> Option<Piece<P::Row>> {
        let kept = self.limiter.record(arrival);
        let piece = self.pile(arrival.ts()).record(arrival);
        for row in kept.into_iter().flatten() {
            self.pile(arrival.ts()).keep(row, arrival.simulated());
        }
        for row in self.limiter.take_closed() {
            self.pile(crate::Row::ts(&row)).keep(row, arrival.simulated());
        }
        piece
    }

    fn pile(&mut self, ts: i64) -> &mut Pile<P::Row> {
        if self.reader.is_future(ts) { &mut self.future } else { &mut self.present }
    }

    /// Ends the capture and returns the last pieces, if anything is left. Of records in the future only packets are
    /// kept, unless all records are in the future.
    pub(crate) fn finish(&mut self) -> Vec<Piece<P::Row>> {
        for row in self.limiter.finish() {
            let pile = self.pile(crate::Row::ts(&row));
            let simulated = pile.simulated;
            pile.keep(row, simulated);
        }
        let (present, mut future) = (self.present.finish(), self.future.finish());
        if !self.present.is_empty() {
            future = future.filter(|piece| !piece.packets.is_empty());
        }
        present.into_iter().chain(future).collect()
    }

    /// The number of packets that came after their window was closed.
    pub(crate) fn late(&self) -> u64 {
        self.limiter.late()
    }

    /// Whether both directions are known to be in the capture; of the data sets `tcp` and `quic` always.
    pub(crate) fn has_received(&self) -> bool {
        self.limiter.has_received()
    }

    /// Whether the capture has only what one side sent, of connections that the other side accepted
    /// (docs/origin.md#one-direction).
    pub(crate) fn has_one_direction(&self) -> bool {
        self.limiter.has_one_direction()
    }
}

/// Decides which packets of a capture are kept, and as which rows.
pub enum PacketPicker<'a> {
    Tcp(PacketLimiter, &'a Meant<'a>),
    Origin(OriginLimiter, &'a Meant<'a>),
}

impl<'a> Picker<'a> for PacketPicker<'a> {
    fn new(importing: &Importing<'a>) -> Self {
        let Importing { rules, reader, meant } = *importing;
        match rules.data_set {
            DataSet::Origin => Self::Origin(OriginLimiter::new(rules).read_at(reader), meant),
            _ => Self::Tcp(PacketLimiter::new(rules).read_at(reader), meant),
        }
    }
}

impl Picks for PacketPicker<'_> {
    type Arrival = Arrival;
    type Row = Packet;

    fn late(&self) -> u64 {
        match self {
            Self::Tcp(limiter, _) => limiter.late(),
            Self::Origin(limiter, _) => limiter.late(),
        }
    }

    fn has_received(&self) -> bool {
        match self {
            Self::Tcp(..) => true,
            Self::Origin(limiter, _) => limiter.received() > 0,
        }
    }

    fn has_one_direction(&self) -> bool {
        match self {
            Self::Tcp(..) => false,
            Self::Origin(limiter, _) => limiter.received() == 0 && limiter.sent_acks() > 0,
        }
    }

    /// The packets to be kept of a record: up to two if both ends have opened connections on these ports.
    fn record(&mut self, arrival: &Arrival) -> [Option<Packet>; 2] {
        let Arrival { ts, packet, unreachable, .. } = arrival;
        match self {
            Self::Tcp(limiter, meant) => {
                let counts = limiter.record(*ts, packet.as_ref());
                [packet.filter(|packet| counts && meant(&packet.five_tuple)), None]
            }
            Self::Origin(limiter, meant) => {
                let kept =
                    |(five_tuple, row): (FiveTuple, Row)| meant(&five_tuple).then(|| row.packet(five_tuple));
                let mut rows = limiter.record(*ts, packet.as_ref());
                let [one, other] = [rows.next(), rows.next()];
                let error = unreachable.and_then(|unreachable| limiter.unreachable(&unreachable));
                [one.or(error).and_then(kept), other.and_then(kept)]
            }
        }
    }

    /// What stands for pairs of 5-tuples without a SYN packet, of windows that were closed by the latest record.
    fn take_closed(&mut self) -> Vec<Packet> {
        match self {
            Self::Tcp(..) => Vec::new(),
            Self::Origin(limiter, meant) => unopened(limiter.take_unopened(), meant),
        }
    }

    /// The same of all other windows.
    fn finish(&mut self) -> Vec<Packet> {
        match self {
            Self::Tcp(..) => Vec::new(),
            Self::Origin(limiter, meant) => unopened(limiter.take_all_unopened(), meant),
        }
    }
}

/// Picks datagrams, of both directions: that of the server says who is the client, and what it answered.
pub struct DatagramPicker<'a> {
    limiter: quic::Limiter,
    meant: &'a Meant<'a>,
}

impl<'a> Picker<'a> for DatagramPicker<'a> {
    fn new(importing: &Importing<'a>) -> Self {
        let Importing { rules, reader, meant } = *importing;
        Self { limiter: quic::Limiter::new(rules).read_at(reader), meant }
    }
}

impl Picks for DatagramPicker<'_> {
    type Arrival = DatagramArrival;
    type Row = Datagram;

    fn record(&mut self, arrival: &DatagramArrival) -> [Option<Datagram>; 2] {
        let Self { limiter, meant } = self;
        limiter.record(arrival.ts);
        let is_meant = |five_tuple: &FiveTuple| meant(five_tuple) || meant(&five_tuple.reversed());
        arrival.rows.map(|row| row.filter(|row| limiter.takes(row) && is_meant(&row.five_tuple)))
    }

    fn late(&self) -> u64 {
        self.limiter.late()
    }
}

/// Nobody knows who has opened these connections, so either end may be meant.
fn unopened(rows: Vec<(FiveTuple, Row)>, meant: &Meant<'_>) -> Vec<Packet> {
    let is_meant = |five_tuple: &FiveTuple| meant(five_tuple) || meant(&five_tuple.reversed());
    let rows = rows.into_iter().filter(|(five_tuple, _)| is_meant(five_tuple));
    rows.map(|(five_tuple, row)| row.packet(five_tuple)).collect()
}

/// The records of the next piece.
struct Pile<R> {
    packets: Vec<R>,
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

impl<R: crate::Row> Pile<R> {
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

    /// Takes the time of a record; returns the piece before it if that is complete.
    fn record(&mut self, arrival: &impl Recorded) -> Option<Piece<R>> {
        let piece = if self.ends_before(arrival) { self.cut() } else { None };
        self.latest = self.latest.max(arrival.ts());
        self.since.get_or_insert(self.latest);
        self.earliest = self.earliest.min(arrival.ts());
        piece
    }

    /// Keeps a packet, of this record or an earlier one.
    fn keep(&mut self, packet: R, simulated: bool) {
        self.simulated = simulated;
        self.earliest = self.earliest.min(packet.ts());
        self.latest = self.latest.max(packet.ts());
        self.windows.insert(Window::containing(packet.ts()));
        self.packets.push(packet);
    }

    /// Whether a piece ends before a record: when it is large, when it is long and large enough, when the records
    /// reach another window, when it has packets of too many windows, and where simulated packets begin or end.
    fn ends_before(&self, arrival: &impl Recorded) -> bool {
        let Some(since) = self.since.filter(|_| !self.packets.is_empty()) else { return false };
        let rows = self.packets.len();
        let latest = self.latest.max(arrival.ts());
        rows >= MOST
            || rows >= ENOUGH && latest.saturating_sub(since) >= LENGTH
            || Window::containing(latest) > Window::containing(since)
            || self.windows.len() >= Ingest::MOST_WINDOWS
            || arrival.simulated() != self.simulated
    }

    fn cut(&mut self) -> Option<Piece<R>> {
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
    fn finish(&mut self) -> Option<Piece<R>> {
        if self.is_empty() { None } else { self.cut() }
    }
}
