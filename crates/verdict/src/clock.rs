//! Which windows are over, told from the times of the records in reading order.

use std::collections::{BTreeMap, VecDeque};

use crate::Rules;
use crate::verdict::SECOND;

/// Time after a window's end, in nanoseconds, from which records count towards closing it.
const REORDER: i64 = 300 * SECOND;
/// Number of such records in a row that close a window.
const RECORDS: u64 = 10_000;

/// The clock of the machine that reads the records.
///
/// A record whose time is more than a day ahead of it lies in the future. Such a record comes from a machine with a wrong
/// clock, or is damaged, and does not count as the end of the input (docs/spec.md#future).
///
/// ```
/// use cutshort_verdict::ReaderClock;
///
/// const HOUR: i64 = 3_600_000_000_000;
/// let now = || 1_000 * HOUR;
/// let mut clock = ReaderClock::new(now);
/// assert!(!clock.is_future(1_024 * HOUR) && clock.is_future(1_025 * HOUR));
/// assert!(!ReaderClock::default().is_future(i64::MAX), "without a clock, nothing lies in the future");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ReaderClock {
    now: Option<fn() -> i64>,
    /// Times up to here are known not to lie in the future.
    limit: i64,
}

impl ReaderClock {
    /// The time in nanoseconds that a record may be ahead of the clock: one day.
    pub const TOLERANCE: i64 = 86_400 * SECOND;

    /// Creates a clock from a function that returns nanoseconds since the Unix epoch.
    ///
    /// The function is called only when a record is later than everything that the clock has allowed so far.
    #[must_use]
    pub const fn new(now: fn() -> i64) -> Self {
        Self { now: Some(now), limit: i64::MIN }
    }

    /// Returns the latest time that does not lie in the future at `now`; both in nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn limit(now: i64) -> i64 {
        now.saturating_add(Self::TOLERANCE)
    }

    /// Returns true if a time, in nanoseconds since the Unix epoch, lies in the future.
    #[inline]
    pub fn is_future(&mut self, ts: i64) -> bool {
        ts > self.limit && self.is_future_now(ts)
    }

    #[cold]
    fn is_future_now(&mut self, ts: i64) -> bool {
        self.limit = self.limit.max(self.now.map_or(i64::MAX, |now| Self::limit(now())));
        ts > self.limit
    }
}

/// Creates no clock: nothing lies in the future.
impl Default for ReaderClock {
    fn default() -> Self {
        Self { now: None, limit: i64::MAX }
    }
}

/// Decides which windows are closed (docs/spec.md#late).
///
/// Records of the future form a sequence of their own, which closes only windows that lie in the future
/// as a whole. So they do not close the windows of all others, and an input that lies in the future as a
/// whole still needs memory for its open windows only.
#[derive(Debug)]
pub(crate) struct Clock {
    reader: ReaderClock,
    present: Sequence,
    future: Sequence,
}

impl Clock {
    pub(crate) const fn new(rules: &Rules) -> Self {
        let reader = ReaderClock { now: None, limit: i64::MAX };
        Self { reader, present: Sequence::new(rules), future: Sequence::new(rules) }
    }

    /// Sets the clock that tells what lies in the future.
    pub(crate) const fn set_reader(&mut self, reader: ReaderClock) {
        self.reader = reader;
    }

    /// Time of the latest record that does not lie in the future, or of the latest if all do, in
    /// nanoseconds; [`i64::MIN`] before the first.
    pub(crate) const fn latest(&self) -> i64 {
        if self.present.records > 0 { self.present.latest } else { self.future.latest }
    }

    /// Returns true if a window is closed for good.
    #[inline]
    pub(crate) const fn is_closed(&self, window: i64) -> bool {
        window < self.present.closed_before
            || (window < self.future.closed_before && window >= self.first_future())
    }

    /// The first window that lies in the future as a whole.
    const fn first_future(&self) -> i64 {
        self.reader.limit.div_euclid(self.present.window).saturating_add(1)
    }

    /// The earliest window that is closed, among those that were not taken yet.
    pub(crate) fn first_closed<T>(&self, open: &BTreeMap<i64, T>) -> Option<i64> {
        let (first, ahead) = (open.keys().next(), open.range(self.first_future()..).next());
        first
            .into_iter()
            .chain(ahead.map(|(window, _)| window))
            .copied()
            .find(|window| self.is_closed(*window))
    }

    /// Removes all windows that are closed.
    pub(crate) fn remove_closed<T>(&self, open: &mut BTreeMap<i64, T>) {
        let mut ahead = open.split_off(&self.first_future());
        *open = open.split_off(&self.present.closed_before);
        open.append(&mut ahead.split_off(&self.future.closed_before));
    }

    /// Counts a record; tells whether windows were closed by it.
    #[inline]
    pub(crate) fn tick(&mut self, ts: i64) -> bool {
        if self.reader.is_future(ts) { self.future.tick(ts) } else { self.present.tick(ts) }
    }
}

/// Records in reading order: a window, also one not yet seen, is closed for good once 10,000 records in
/// a row were later than its end + 5 minutes.
///
/// The *verge* of a record is the first window that it does not help to close. All windows before
/// the smallest verge of the last 10,000 records are closed: a sliding minimum, kept as the
/// rising sequence of its candidates.
#[derive(Debug)]
struct Sequence {
    window: i64,
    /// Verges, each with the number of the latest record that has it, both rising; but the last
    /// is that of the latest record, whatever its number says.
    candidates: VecDeque<(i64, u64)>,
    records: u64,
    /// Until that many records came, no window can be closed.
    closes_at: u64,
    latest: i64,
    /// Windows with a smaller number are closed.
    closed_before: i64,
    /// The times that share the verge of the latest record, looked at first.
    same_verge: (i64, i64),
}

impl Sequence {
    const fn new(rules: &Rules) -> Self {
        Self {
            window: rules.window,
            candidates: VecDeque::new(),
            records: 0,
            closes_at: RECORDS,
            latest: i64::MIN,
            closed_before: i64::MIN,
            same_verge: (0, 0),
        }
    }

    /// Counts a record; tells whether windows were closed by it.
    #[inline]
    fn tick(&mut self, ts: i64) -> bool {
        self.latest = self.latest.max(ts);
        if !(self.same_verge.0 < ts && ts <= self.same_verge.1) {
            self.turn(ts);
        }
        self.records += 1;
        self.records >= self.closes_at && self.close()
    }

    /// Takes in a record whose verge is not that of the one before.
    #[cold]
    fn turn(&mut self, ts: i64) {
        if let Some(before) = self.candidates.back_mut() {
            before.1 = self.records;
        }
        // The record is later than the end + REORDER of all windows before this one: later, not
        // equal, hence the 1.
        let verge = ts.saturating_sub(REORDER).saturating_sub(1).div_euclid(self.window);
        let from = verge.saturating_mul(self.window).saturating_add(REORDER);
        self.same_verge = (from, from.saturating_add(self.window));
        while self.candidates.back().is_some_and(|(later, _)| *later >= verge) {
            self.candidates.pop_back();
        }
        self.candidates.push_back((verge, self.records + 1));
        self.closes_at = RECORDS;
    }

    #[cold]
    fn close(&mut self) -> bool {
        let beyond = self.records - RECORDS;
        while self.candidates.len() > 1
            && self.candidates.front().is_some_and(|(_, record)| *record <= beyond)
        {
            self.candidates.pop_front();
        }
        let Some((verge, record)) = self.candidates.front() else { return false };
        self.closes_at = if self.candidates.len() > 1 { record + RECORDS } else { u64::MAX };
        let closes = *verge > self.closed_before;
        self.closed_before = self.closed_before.max(*verge);
        closes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: Rules = Rules {
        data_set: crate::DataSet::Tcp,
        window: 900 * SECOND,
        guard: 0,
        packet_limit: 10,
        server_ports: cutshort_packet::quic::ServerPorts::ANY,
    };
    const END: i64 = 900 * SECOND;

    fn closed(clock: &mut Clock, ts: i64, times: u64) -> i64 {
        (0..times).for_each(|_| {
            clock.tick(ts);
        });
        clock.present.closed_before
    }

    #[test]
    fn ten_thousand_records_later_than_five_minutes_close_a_window() {
        let mut clock = Clock::new(&RULES);
        assert_eq!(closed(&mut clock, END + REORDER + 1, 9_999), i64::MIN);
        assert_eq!(closed(&mut clock, END + REORDER + 1, 1), 1, "windows 0 and before");
    }

    #[test]
    fn exactly_five_minutes_are_not_later() {
        let mut clock = Clock::new(&RULES);
        assert_eq!(closed(&mut clock, END + REORDER, 20_000), 0, "windows before 0 only");
    }

    #[test]
    fn a_record_in_between_starts_the_row_anew() {
        let mut clock = Clock::new(&RULES);
        closed(&mut clock, END + REORDER + 1, 9_999);
        closed(&mut clock, END + REORDER, 1);
        assert!(closed(&mut clock, END + REORDER + 1, 9_999) < 1);
        assert_eq!(closed(&mut clock, END + REORDER + 1, 1), 1);
    }

    #[test]
    fn closed_is_closed_for_good() {
        let mut clock = Clock::new(&RULES);
        closed(&mut clock, END + REORDER + 1, 10_000);
        assert_eq!(closed(&mut clock, 0, 30_000), 1);
    }

    #[test]
    fn times_at_the_ends_of_the_range_do_no_harm() {
        let mut clock = Clock::new(&RULES);
        for ts in [i64::MIN, i64::MAX, 0, i64::MIN, -1, i64::MAX] {
            closed(&mut clock, ts, 3);
        }
        assert_eq!(clock.latest(), i64::MAX);
    }

    /// A day and a second later than it is for the reader.
    const AHEAD: i64 = ReaderClock::TOLERANCE + SECOND;

    fn at_zero() -> Clock {
        let mut clock = Clock::new(&RULES);
        clock.set_reader(ReaderClock::new(|| 0));
        clock
    }

    #[test]
    fn records_of_the_future_are_not_the_latest_unless_all_are() {
        let mut clock = at_zero();
        clock.tick(AHEAD);
        assert_eq!(clock.latest(), AHEAD);
        for ts in [-5, 2 * AHEAD, -7] {
            clock.tick(ts);
        }
        assert_eq!(clock.latest(), -5);
        clock.tick(ReaderClock::TOLERANCE);
        assert_eq!(clock.latest(), ReaderClock::TOLERANCE, "exactly a day ahead is allowed");
    }

    #[test]
    fn records_of_the_future_close_windows_of_the_future_only() {
        let mut clock = at_zero();
        assert_eq!(closed(&mut clock, 2 * AHEAD, 20_000), i64::MIN);
        let (ahead, window) = (RULES.window_of(AHEAD), RULES.window_of(2 * AHEAD));
        assert!(clock.is_closed(ahead + 1) && !clock.is_closed(0) && !clock.is_closed(window));
        let mut open = BTreeMap::from([(0, ()), (ahead + 1, ()), (window, ())]);
        assert_eq!(clock.first_closed(&open), Some(ahead + 1));
        clock.remove_closed(&mut open);
        assert_eq!(open.into_keys().collect::<Vec<_>>(), [0, window]);
        closed(&mut clock, END + REORDER + 1, 10_000);
        assert!(clock.is_closed(0) && !clock.is_closed(1));
    }

    #[test]
    fn the_readers_clock_moves_on() {
        use std::sync::atomic::{AtomicI64, Ordering};
        static NOW: AtomicI64 = AtomicI64::new(0);
        let mut reader = ReaderClock::new(|| NOW.load(Ordering::Relaxed));
        assert!(reader.is_future(AHEAD));
        NOW.store(SECOND, Ordering::Relaxed);
        assert!(!reader.is_future(AHEAD) && reader.is_future(AHEAD + 1));
        assert!(!ReaderClock::default().is_future(i64::MAX));
    }

    /// The definition, word by word.
    fn closed_by_definition(times: &[i64], row: usize) -> i64 {
        let later = |times: &[i64]| {
            let earliest = times.iter().min().copied().unwrap_or(i64::MIN);
            (-10..10).rev().find(|window| earliest > (window + 1) * END + REORDER)
        };
        times.windows(row).filter_map(later).max().map_or(i64::MIN, |window| window + 1)
    }

    proptest! {
        #[test]
        fn it_is_a_sliding_minimum(minutes in prop::collection::vec(0..60_i64, 0..200)) {
            // Each time stands for 100 records, so that 10,000 records are 100 times.
            let times: Vec<i64> = minutes.iter().map(|minute| minute * 60 * SECOND).collect();
            let mut clock = Clock::new(&RULES);
            for ts in &times {
                closed(&mut clock, *ts, 100);
            }
            prop_assert_eq!(clock.present.closed_before, closed_by_definition(&times, 100));
        }
    }
}
