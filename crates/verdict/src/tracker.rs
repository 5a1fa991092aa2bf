use std::collections::BTreeMap;

use cutshort_packet::{FiveTuple, Packet};

use crate::clock::Clock;
use crate::table::{Arrival, BATCH, Table};
use crate::{Outcome, Row, Rules, Surroundings};

/// Rebuilds connections from packets in reading order, window by window.
///
/// Memory is bounded by the 5-tuples of the windows that are open: a window is closed once
/// 10,000 records in a row were later than its end + 5 minutes (SPEC 2).
///
/// ```
/// use cutshort_verdict::{Rules, Tracker};
///
/// let mut tracker = Tracker::new(Rules::default());
/// // For each record of the input: tracker.record(ts, packet.as_ref()), and then
/// while let Some(window) = tracker.next_closed() {
///     window.for_each(|five_tuple, outcome, _| println!("{five_tuple}: {outcome:?}"));
/// }
/// // At the end of the input: the windows that are still open.
/// for window in tracker.finish() { /* as above */ }
/// ```
pub struct Tracker {
    rules: Rules,
    keep_rows: bool,
    clock: Clock,
    open: BTreeMap<i64, Table>,
    /// The window of the packet before, and packets that are still to be added to it.
    current: i64,
    /// Its times: most packets need no division to find their window.
    span: std::ops::Range<i64>,
    batch: Vec<Arrival>,
    late: u64,
}

impl Tracker {
    /// A tracker that keeps of complete connections only what the rules need.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            keep_rows: false,
            clock: Clock::new(&rules),
            open: BTreeMap::new(),
            current: i64::MIN,
            span: 0..0,
            batch: Vec::with_capacity(BATCH),
            late: 0,
        }
    }

    /// Keeps all rows until their window is closed, for outputs that show them. Takes up to four
    /// times the memory.
    #[must_use]
    pub const fn keep_rows(mut self) -> Self {
        self.keep_rows = true;
        self
    }

    /// Takes the next record of the input, of any protocol, at `ts` (nanoseconds since the Unix
    /// epoch), with its TCP packet if it is one. Call [`next_closed`](Self::next_closed) when it
    /// returns true.
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

    #[inline]
    fn add(&mut self, packet: &Packet) {
        if !self.span.contains(&packet.ts) {
            self.switch(packet.ts);
        } else if self.batch.len() == BATCH {
            self.flush();
        }
        if self.current < self.clock.closed_before() {
            self.late += 1;
        } else {
            self.batch.push(Arrival { five_tuple: packet.five_tuple, row: Row::from(packet) });
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
    fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let new = || Table::new(self.rules.packet_limit, self.keep_rows);
        self.open.entry(self.current).or_insert_with(new).add_all(&self.batch);
        self.batch.clear();
    }

    /// The earliest window that is closed by now and was not yet taken.
    pub fn next_closed(&mut self) -> Option<ClosedWindow> {
        let before = self.clock.closed_before();
        let entry = self.open.first_entry().filter(|entry| *entry.key() < before)?;
        let (number, table) = entry.remove_entry();
        Some(ClosedWindow::new(&self.rules, number, table, self.clock.latest()))
    }

    /// Ends the input: the windows that are still open, in the order of time.
    pub fn finish(mut self) -> impl Iterator<Item = ClosedWindow> {
        self.flush();
        let (rules, latest) = (self.rules, self.clock.latest());
        self.open.into_iter().map(move |(number, table)| ClosedWindow::new(&rules, number, table, latest))
    }

    /// How many packets came for a window that was closed already.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }
}

/// All connections of a window to which nothing will be added.
pub struct ClosedWindow {
    rules: Rules,
    number: i64,
    cutoff: i64,
    table: Table,
}

/// How many rows a window has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCount {
    /// Rows taken.
    pub taken: u64,
    /// Of these, rows that equal another of their 5-tuple in every field but time and TTL.
    pub copies: u64,
}

impl ClosedWindow {
    fn new(rules: &Rules, number: i64, table: Table, latest: i64) -> Self {
        let cutoff = rules.window_start(number).saturating_add(rules.window).min(latest);
        Self { rules: *rules, number, cutoff, table }
    }

    /// When it begins, in nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn start(&self) -> i64 {
        self.rules.window_start(self.number)
    }

    /// Its end, or the time of the input's latest record if that is earlier.
    #[must_use]
    pub const fn cutoff(&self) -> i64 {
        self.cutoff
    }

    /// Calls `each` with every 5-tuple and what it was judged to be. The rows are empty unless
    /// [`keep_rows`](Tracker::keep_rows) was asked for.
    pub fn for_each(&self, mut each: impl FnMut(&FiveTuple, &Outcome, &[Row])) -> RowCount {
        let (taken, copies) = self.table.for_each(|five_tuple, findings, other_rst_ts, rows| {
            let around = Surroundings { cutoff: self.cutoff, other_rst_ts };
            each(five_tuple, &findings.judge(&self.rules, &around), rows);
        });
        RowCount { taken, copies }
    }

    /// All 5-tuples, in the order in which [`for_each`](Self::for_each) calls with them.
    pub fn five_tuples(&self) -> impl Iterator<Item = &FiveTuple> + Clone {
        self.table.five_tuples()
    }

    /// The rows of one 5-tuple and what is around them; `None` if it is not in the window. The
    /// rows are empty unless [`keep_rows`](Tracker::keep_rows) was asked for.
    #[must_use]
    pub fn connection(&self, five_tuple: &FiveTuple) -> Option<(&[Row], Surroundings)> {
        let (rows, other_rst_ts) = self.table.connection(five_tuple)?;
        Some((rows, Surroundings { cutoff: self.cutoff, other_rst_ts }))
    }
}
