use std::collections::BTreeMap;

use cutshort_packet::quic::Datagram;
use cutshort_packet::{FiveTuple, Frame, LinkType, Packet, Refusal, Unreachable};

use crate::clock::{Clock, ReaderClock};
use crate::table::{BATCH, Seeds, Table};
use crate::{ConnectionContext, DataSet, Findings, Outcome, Row, Rules, origin, quic};

/// The number of packets of a window that are kept in a list before its table is made.
const FEW: usize = 32;

/// The connections of a window, by the rules of a data set.
enum Tables {
    Tcp(Box<Table>),
    Origin(origin::Table),
    Quic(quic::Table),
}

impl Tables {
    fn add_all(&mut self, packets: &[Packet]) {
        match self {
            Self::Tcp(table) => table.add_all(packets),
            Self::Origin(table) => table.add_all(packets),
            Self::Quic(_) => {}
        }
    }

    const fn late(&self) -> u64 {
        match self {
            Self::Tcp(table) => table.late(),
            Self::Origin(_) | Self::Quic(_) => 0,
        }
    }
}

/// A window to which packets may still be added. A table takes 200 KB at least, and a capture that is spread over years
/// has thousands of windows with a few packets open at a time.
enum Open {
    Few(Vec<Packet>),
    Many(Tables),
}

impl Open {
    /// Adds packets, and returns how many of them came too late.
    fn add_all(&mut self, packets: &[Packet], new: impl FnOnce() -> Tables) -> u64 {
        match self {
            Self::Few(few) if few.len() + packets.len() <= FEW => {
                few.extend_from_slice(packets);
                0
            }
            Self::Few(few) => {
                let mut table = new();
                table.add_all(few);
                table.add_all(packets);
                let late = table.late();
                *self = Self::Many(table);
                late
            }
            Self::Many(table) => {
                let late = table.late();
                table.add_all(packets);
                table.late() - late
            }
        }
    }

    fn into_table(self, new: impl FnOnce() -> Tables) -> Tables {
        match self {
            Self::Few(few) => {
                let mut table = new();
                table.add_all(&few);
                table
            }
            Self::Many(table) => table,
        }
    }
}

/// Rebuilds connections from packets in reading order, window by window.
///
/// Memory is bounded by the 5-tuples of the windows that are open. A window is closed once 10,000 records in a row were
/// later than its end + 5 minutes (docs/spec.md#late).
///
/// ```
/// use cutshort_packet::{FiveTuple, Flags, Packet};
/// use cutshort_verdict::{ClosedWindow, Rules, Stage, Tracker};
///
/// const MINUTE: i64 = 60_000_000_000;
/// // One connection attempt per minute over an hour, never answered.
/// let attempts = (0..60_u16).map(|minute| Packet {
///     ts: i64::from(minute) * MINUTE,
///     five_tuple: FiveTuple::new([198, 51, 100, 7].into(), 40_000 + minute, [203, 0, 113, 5].into(), 443),
///     flags: Flags::SYN,
///     seq: 1000,
///     ttl: 52,
///     sample_rate: 1,
///     ..Packet::ZERO
/// });
///
/// let mut post_syn = 0;
/// let mut judge = |window: &ClosedWindow| {
///     window.for_each(|_five_tuple, outcome, _rows| {
///         post_syn += u32::from(outcome.is_ok_and(|verdict| verdict.stage == Stage::PostSyn));
///     })
/// };
/// let mut tracker = Tracker::new(Rules::default());
/// for packet in attempts {
///     if tracker.record(packet.ts, Some(&packet)) {
///         while let Some(window) = tracker.next_closed() {
///             judge(&window);
///         }
///     }
/// }
/// let mut rows = 0;
/// for window in tracker.finish() {
///     rows += judge(&window).taken;
/// }
/// // The last attempt came when the input ended: too late to be a timeout.
/// assert_eq!((rows, post_syn), (60, 59));
/// ```
pub struct Tracker {
    rules: Rules,
    keep_rows: bool,
    clock: Clock,
    seeds: Seeds,
    open: BTreeMap<i64, Open>,
    /// The window of the packet before, and packets that are still to be added to it.
    current: i64,
    /// Its times: most packets need no division to find their window.
    span: std::ops::Range<i64>,
    batch: Box<[Packet; BATCH]>,
    waiting: usize,
    late: u64,
}

impl Tracker {
    /// Creates a tracker that keeps only what the rules need of complete connections.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            keep_rows: false,
            clock: Clock::new(&rules),
            seeds: Seeds::random(),
            open: BTreeMap::new(),
            current: i64::MIN,
            span: 0..0,
            batch: Box::new([Packet::ZERO; BATCH]),
            waiting: 0,
            late: 0,
        }
    }

    /// Keeps all rows until their window is closed, for outputs that show them. This takes several times the memory.
    ///
    /// ```
    /// use cutshort_packet::{FiveTuple, Flags, Packet};
    /// use cutshort_verdict::{Rules, Tracker};
    ///
    /// let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
    /// let syn = Packet { five_tuple, flags: Flags::SYN, seq: 1000, sample_rate: 1, ..Packet::ZERO };
    /// let refusal = Packet { ts: 1, five_tuple: five_tuple.reversed(), flags: Flags::RST | Flags::ACK, ..syn };
    ///
    /// let mut tracker = Tracker::new(Rules::default()).keep_rows();
    /// let closed = tracker.record(syn.ts, Some(&syn)) | tracker.record(refusal.ts, Some(&refusal));
    /// assert!(!closed);
    /// let window = tracker.finish().next().unwrap();
    /// let (rows, other_rsts) = window.rows(&five_tuple).unwrap();
    /// assert_eq!((rows.len(), rows[0].seq, other_rsts), (1, 1000, vec![1]));
    /// ```
    #[must_use]
    pub const fn keep_rows(mut self) -> Self {
        self.keep_rows = true;
        self
    }

    /// Sets the clock by which records lie in the future (docs/spec.md#future); without one, none does.
    #[must_use]
    pub const fn read_at(mut self, reader: ReaderClock) -> Self {
        self.clock.set_reader(reader);
        self
    }

    /// Takes the next record of the input, of any protocol, at `ts` (nanoseconds since the Unix
    /// epoch), with its TCP packet if it has one.
    ///
    /// Returns true if windows were closed: take them with [`next_closed`](Self::next_closed), or memory grows.
    #[must_use = "closed windows stay in memory until `next_closed` takes them"]
    #[inline]
    pub fn record(&mut self, ts: i64, packet: Option<&Packet>) -> bool {
        let closed = self.clock.tick(ts);
        if closed {
            self.flush();
        }
        if let Some(packet) = packet {
            self.add(packet);
        }
        closed
    }

    #[inline(always)]
    fn add(&mut self, packet: &Packet) {
        self.make_room(packet.ts);
        self.batch[self.waiting] = *packet;
        self.count();
    }

    /// Parses a frame and takes its packet, after its record was [taken](Self::record) without one.
    ///
    /// The result is that of parsing the frame first and passing the packet to [`record`](Self::record), but faster.
    ///
    /// ```
    /// use cutshort_packet::{Frame, LinkType, Refusal};
    /// use cutshort_verdict::{Rules, Tracker};
    ///
    /// let mut tracker = Tracker::new(Rules::default());
    /// let frame = Frame { ts: 7, wire_len: 42, bytes: &[0x08, 0x06].repeat(21) }; // ARP
    /// assert!(!tracker.record(frame.ts, None), "no window is closed");
    /// assert_eq!(tracker.parse(LinkType::Ethernet, frame), Err(Refusal::NotIp));
    /// assert_eq!(tracker.finish().count(), 0);
    /// ```
    ///
    /// # Errors
    /// Returns the [`Refusal`] of [`Packet::parse`] if the frame is not a usable TCP packet; nothing is taken then.
    #[inline(always)]
    pub fn parse(&mut self, link: LinkType, frame: Frame<'_>) -> Result<(), Refusal> {
        self.make_room(frame.ts);
        if let Err(refusal) = self.batch[self.waiting].parse_in_place(link, frame) {
            if self.rules.data_set == DataSet::Origin && refusal == Refusal::NotTcp {
                Unreachable::parse(link, frame).iter().for_each(|found| self.add_unreachable(found));
            }
            return Err(refusal);
        }
        self.count();
        Ok(())
    }

    /// Takes an ICMP error, after its record was [taken](Self::record) without a packet. Only the data set `origin` uses it.
    pub fn add_unreachable(&mut self, unreachable: &Unreachable) {
        self.make_room(unreachable.ts);
        self.flush();
        if self.clock.is_closed(self.current) {
            self.late += 1;
            return;
        }
        let Some(open) = self.open.remove(&self.current) else { return };
        let mut tables = open.into_table(|| new_table(&self.rules, self.current, self.seeds, self.keep_rows));
        if let Tables::Origin(table) = &mut tables {
            table.add_icmp(&unreachable.five_tuple, &Row::from(unreachable));
        }
        self.open.insert(self.current, Open::Many(tables));
    }

    /// Takes a datagram or an ICMP error of the latest record, which was [taken](Self::record) without a packet. Only the
    /// data set `quic` uses it; [`quic`] has an example.
    ///
    /// An ICMP error that quotes a datagram is a row of both 5-tuples: both must be added (docs/quic.md#icmp).
    pub fn add_datagram(&mut self, datagram: &Datagram) {
        if self.rules.data_set != DataSet::Quic {
            return;
        }
        let window = self.rules.window_of(datagram.ts);
        if self.clock.is_closed(window) {
            self.late += u64::from(quic::is_late(datagram));
            return;
        }
        let new = || Open::Many(Tables::Quic(quic::Table::new(&self.rules)));
        if let Open::Many(Tables::Quic(table)) = self.open.entry(window).or_insert_with(new) {
            table.add(datagram);
        }
    }

    /// Makes room in the batch for a packet of this time.
    #[inline(always)]
    fn make_room(&mut self, ts: i64) {
        if !self.span.contains(&ts) {
            self.switch(ts);
        } else if self.waiting == BATCH {
            self.flush();
        }
    }

    /// Counts the packet that was written behind those that wait.
    #[inline(always)]
    fn count(&mut self) {
        if self.clock.is_closed(self.current) {
            self.late += 1;
        } else {
            self.waiting += 1;
        }
    }

    /// Turns to the window that holds a time.
    #[cold]
    fn switch(&mut self, ts: i64) {
        self.flush();
        self.current = self.rules.window_of(ts);
        let start = self.rules.window_start(self.current);
        self.span = start..start.saturating_add(self.rules.window);
    }

    /// Adds the packets that wait to their window.
    #[inline(never)]
    fn flush(&mut self) {
        // The data set `quic` has no use for TCP packets.
        if self.waiting == 0 || self.rules.data_set == DataSet::Quic {
            self.waiting = 0;
            return;
        }
        let new = || new_table(&self.rules, self.current, self.seeds, self.keep_rows);
        let open = self.open.entry(self.current).or_insert_with(|| Open::Few(Vec::new()));
        self.late += open.add_all(&self.batch[..self.waiting], new);
        self.waiting = 0;
    }

    /// Returns the earliest window that is closed and was not yet taken; `None` if there is no such window.
    pub fn next_closed(&mut self) -> Option<ClosedWindow> {
        let number = self.clock.first_closed(&self.open)?;
        let new = || new_table(&self.rules, number, self.seeds, self.keep_rows);
        let table = self.open.remove(&number)?.into_table(new);
        Some(ClosedWindow::new(&self.rules, number, table, self.clock.latest()))
    }

    /// Ends the input and returns the windows that are still open, in the order of time.
    pub fn finish(mut self) -> impl Iterator<Item = ClosedWindow> {
        self.flush();
        let (rules, latest) = (self.rules, self.clock.latest());
        let (seeds, keep_rows) = (self.seeds, self.keep_rows);
        self.open.into_iter().map(move |(number, open)| {
            let table = open.into_table(|| new_table(&rules, number, seeds, keep_rows));
            ClosedWindow::new(&rules, number, table, latest)
        })
    }

    /// Returns how many packets came too late: for a window that was closed already, or for a complete connection that had
    /// long been followed by another on its ports (docs/spec.md#late).
    #[must_use]
    pub fn late(&mut self) -> u64 {
        self.flush();
        self.late
    }
}

fn new_table(rules: &Rules, number: i64, seeds: Seeds, keep_rows: bool) -> Tables {
    match rules.data_set {
        DataSet::Origin => Tables::Origin(origin::Table::new(rules, seeds)),
        DataSet::Quic => Tables::Quic(quic::Table::new(rules)),
        DataSet::Tcp => Tables::Tcp(Box::new(Table::new(rules, number, seeds, keep_rows))),
    }
}

/// All connections of a window that is closed: nothing will be added to it.
pub struct ClosedWindow {
    rules: Rules,
    number: i64,
    cutoff: i64,
    table: Tables,
}

/// The number of rows of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowCount {
    /// Number of rows that were taken.
    pub taken: u64,
    /// Number of rows that equal another of their 5-tuple in all fields but time and TTL (docs/spec.md#copies).
    pub duplicates: u64,
    /// Number of rows before the first SYN packet on their ports, the tails of older connections (docs/spec.md#tail).
    pub tail: u64,
}

impl RowCount {
    /// Adds the numbers of `others`.
    pub const fn add(&mut self, others: Self) {
        self.taken += others.taken;
        self.duplicates += others.duplicates;
        self.tail += others.tail;
    }
}

impl ClosedWindow {
    fn new(rules: &Rules, number: i64, table: Tables, latest: i64) -> Self {
        let cutoff = rules.window_start(number).saturating_add(rules.window).min(latest);
        Self { rules: *rules, number, cutoff, table }
    }

    /// Returns the beginning of the window, in nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn start(&self) -> i64 {
        self.rules.window_start(self.number)
    }

    /// Returns the end of the window, or the time of the input's latest record if that is earlier, in nanoseconds since the
    /// Unix epoch (docs/spec.md#cutoff).
    #[must_use]
    pub const fn cutoff(&self) -> i64 {
        self.cutoff
    }

    /// Of the data set `origin`: the number of rows that came from servers, with those beyond the limit.
    #[must_use]
    pub const fn received(&self) -> u64 {
        match &self.table {
            Tables::Tcp(_) | Tables::Quic(_) => 0,
            Tables::Origin(table) => table.received(),
        }
    }

    /// Of the data set `origin`: the number of rows that we only send after a SYN+ACK. If an input has some, but no
    /// [received](Self::received) rows, the other direction was not captured, and the verdicts mean nothing
    /// (docs/origin.md#one-direction).
    #[must_use]
    pub const fn sent_acks(&self) -> u64 {
        match &self.table {
            Tables::Tcp(_) | Tables::Quic(_) => 0,
            Tables::Origin(table) => table.sent_acks(),
        }
    }

    /// Judges every connection, and every 5-tuple without a SYN packet, and calls `each` with its 5-tuple, outcome and rows.
    ///
    /// The connections of one 5-tuple follow each other in the order of time. The rows are empty unless
    /// [`keep_rows`](Tracker::keep_rows) was set, and in the data set `quic`, whose rows are
    /// [datagrams](Self::for_each_quic).
    pub fn for_each(&self, mut each: impl FnMut(&FiveTuple, &Outcome, &[Row])) -> RowCount {
        let judge =
            |five_tuple: &FiveTuple, findings: &Findings, around: &ConnectionContext, rows: &[Row]| {
                each(five_tuple, &findings.judge(&self.rules, around), rows);
            };
        match &self.table {
            Tables::Tcp(table) => table.for_each(self.cutoff, judge),
            Tables::Origin(table) => table.for_each(self.cutoff, judge),
            Tables::Quic(table) => {
                table.for_each(self.cutoff, |five_tuple, outcome, _| each(five_tuple, outcome, &[]))
            }
        }
    }

    /// Of the data set `quic`: as [`for_each`](Self::for_each), with the datagrams and ICMP errors that were taken.
    pub fn for_each_quic(&self, each: impl FnMut(&FiveTuple, &Outcome, &[Datagram])) -> RowCount {
        match &self.table {
            Tables::Quic(table) => table.for_each(self.cutoff, each),
            Tables::Tcp(_) | Tables::Origin(_) => RowCount::default(),
        }
    }

    /// Of the data set `quic`: explains the outcome of a 5-tuple; `None` if no datagram of it is in the window.
    #[must_use]
    pub fn quic_trace(&self, five_tuple: &FiveTuple) -> Option<quic::Trace> {
        match &self.table {
            Tables::Quic(table) => table.trace(five_tuple, self.cutoff),
            Tables::Tcp(_) | Tables::Origin(_) => None,
        }
    }

    /// Returns each 5-tuple once, in the order of [`for_each`](Self::for_each).
    pub fn five_tuples(&self) -> impl Iterator<Item = FiveTuple> + Clone {
        let (tcp, origin, quic) = match &self.table {
            Tables::Tcp(table) => (Some(table.five_tuples().copied()), None, None),
            Tables::Origin(table) => (None, Some(table.five_tuples()), None),
            Tables::Quic(table) => (None, None, Some(table.five_tuples())),
        };
        let tcp_or_origin = tcp.into_iter().flatten().chain(origin.into_iter().flatten());
        tcp_or_origin.chain(quic.into_iter().flatten())
    }

    /// Returns the rows of a 5-tuple, and the times of the other direction's rows with the RST bit in nanoseconds since the
    /// Unix epoch; `None` if the 5-tuple is not in the window.
    ///
    /// The rows are empty unless [`keep_rows`](Tracker::keep_rows) was set. In the data set `quic` there are none.
    #[must_use]
    pub fn rows(&self, five_tuple: &FiveTuple) -> Option<(&[Row], Vec<i64>)> {
        match &self.table {
            Tables::Tcp(table) => table.rows(five_tuple),
            Tables::Origin(table) => Some((table.rows(five_tuple)?, Vec::new())),
            Tables::Quic(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A SYN packet without a link layer.
    const SYN: [u8; 40] = [
        0x45, 0, 0, 40, 1, 2, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0x9c, 0x40, 1, 0xbb, 0, 0, 3,
        0xe8, 0, 0, 0, 0, 0x50, 0x02, 0xfa, 0xf0, 0, 0, 0, 0,
    ];

    #[test]
    fn a_frame_is_taken_as_its_packet_is() {
        let frames = [(5, &SYN[..]), (7, &SYN[..10]), (9, &SYN[..39])].map(|(ts, bytes)| Frame {
            ts,
            wire_len: 40,
            bytes,
        });
        let mut by_packet = Tracker::new(Rules::default());
        let mut by_frame = Tracker::new(Rules::default());
        for frame in frames {
            let packet = Packet::parse(LinkType::Raw, frame);
            assert!(!by_packet.record(frame.ts, packet.as_ref().ok()));
            assert!(!by_frame.record(frame.ts, None));
            assert_eq!(by_frame.parse(LinkType::Raw, frame), packet.map(drop));
        }
        let judged = |tracker: Tracker| {
            let mut judged = Vec::new();
            for window in tracker.finish() {
                let rows = window.for_each(|five_tuple, outcome, _| judged.push((*five_tuple, *outcome)));
                assert_eq!((rows.taken, window.cutoff()), (1, 9));
            }
            judged
        };
        let expected = judged(by_packet);
        assert_eq!((expected.len(), judged(by_frame)), (1, expected));
    }

    /// Windows with few packets take little memory, however many are open.
    #[test]
    fn windows_with_few_packets_have_no_table() {
        let rules = Rules::default();
        let mut tracker = Tracker::new(rules);
        let frame = Frame { ts: 0, wire_len: 40, bytes: &SYN };
        let packet = Packet::parse(LinkType::Raw, frame).unwrap();
        for window in 0..3000 {
            let packet = Packet { ts: rules.window_start(window), ..packet };
            assert!(!tracker.record(packet.ts, Some(&packet)));
        }
        tracker.flush();
        assert!(tracker.open.values().all(|open| matches!(open, Open::Few(_))));
        assert_eq!(tracker.finish().map(|window| window.for_each(|_, _, _| ()).taken).sum::<u64>(), 3000);
    }
}
