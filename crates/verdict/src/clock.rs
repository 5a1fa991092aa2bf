//! Which windows are over, told from the times of the records in reading order.

use std::collections::VecDeque;

use crate::Rules;
use crate::verdict::SECOND;

/// How far later than a window's end records must be, in nanoseconds, to speak for its closing.
const REORDER: i64 = 300 * SECOND;
/// How many of them must come in a row.
const RECORDS: u64 = 10_000;

/// Closes windows (SPEC 2): one, also one not yet seen, is closed for good once 10,000 records in
/// a row were later than its end + 5 minutes.
///
/// The *verge* of a record is the first window that it does not help to close. All windows before
/// the smallest verge of the last 10,000 records are closed: a sliding minimum, kept as the
/// rising sequence of its candidates.
#[derive(Debug)]
pub(crate) struct Clock {
    window: i64,
    /// Verges, each with the number of the latest record that has it, both rising; but the last
    /// is that of the latest record, whatever its number says.
    candidates: VecDeque<(i64, u64)>,
    records: u64,
    /// Until that many records came, no window can be closed.
    closes_at: u64,
    latest: i64,
    closed_before: i64,
    /// The times that share the verge of the latest record, looked at first.
    same_verge: (i64, i64),
}

impl Clock {
    pub(crate) const fn new(rules: &Rules) -> Self {
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

    /// Time of the latest record, in nanoseconds.
    pub(crate) const fn latest(&self) -> i64 {
        self.latest
    }

    /// Windows with a smaller number are closed.
    pub(crate) const fn closed_before(&self) -> i64 {
        self.closed_before
    }

    /// Counts a record; tells whether windows were closed by it.
    #[inline]
    pub(crate) fn tick(&mut self, ts: i64) -> bool {
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

    const RULES: Rules = Rules { window: 900 * SECOND, guard: 0, packet_limit: 10 };
    const END: i64 = 900 * SECOND;

    fn closed(clock: &mut Clock, ts: i64, times: u64) -> i64 {
        (0..times).for_each(|_| {
            clock.tick(ts);
        });
        clock.closed_before()
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
            prop_assert_eq!(clock.closed_before(), closed_by_definition(&times, 100));
        }
    }
}
