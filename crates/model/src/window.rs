use std::fmt;
use std::ops::Range;

use jiff::Timestamp;

/// A window of 15 minutes, aligned to the Unix epoch: connections are judged and counted, and results replaced, one
/// window at a time.
///
/// Times are nanoseconds since the Unix epoch. The first and the last window that an `i64` can express are cut off at
/// its limits.
///
/// ```
/// use cutshort_model::Window;
/// let window = Window::containing(1_767_571_200_000_000_001);
/// assert_eq!(window.to_string(), "2026-01-05 00:00:00");
/// assert_eq!(window.end() - window.start(), Window::LENGTH);
/// assert_eq!(window.next().start(), window.end());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window(i64);

impl Window {
    /// The length of a window in nanoseconds.
    pub const LENGTH: i64 = 900_000_000_000;

    /// The window with this number; number 0 begins at the Unix epoch.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// The window that contains a time.
    #[must_use]
    pub const fn containing(ts: i64) -> Self {
        Self(ts.div_euclid(Self::LENGTH))
    }

    /// The number of windows from the Unix epoch to this one; negative before the epoch.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The first nanosecond of the window.
    #[must_use]
    pub const fn start(self) -> i64 {
        self.0.saturating_mul(Self::LENGTH)
    }

    /// The first nanosecond after the window.
    #[must_use]
    pub const fn end(self) -> i64 {
        self.next().start()
    }

    /// The times in the window, from its first nanosecond to the first one after it.
    #[must_use]
    pub const fn range(self) -> Range<i64> {
        self.start()..self.end()
    }

    /// The window that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The windows that contain a part of the time between two points, from the start of the first to the end of the last;
    /// none if the second is not after the first.
    ///
    /// ```
    /// use cutshort_model::Window;
    /// use jiff::Timestamp;
    /// let between = |from, to| Window::between(Timestamp::from_second(from).ok()?, Timestamp::from_second(to).ok()?);
    /// assert_eq!(between(901, 902), Some(Window::from_number(1).range()));
    /// assert_eq!(between(900, 1800), Some(Window::from_number(1).range()));
    /// assert_eq!(between(900, 900), None);
    /// ```
    #[must_use]
    pub fn between(from: Timestamp, to: Timestamp) -> Option<Range<i64>> {
        let nanoseconds = |time: Timestamp| i64::try_from(time.as_nanosecond()).ok();
        let (from, to) = (nanoseconds(from)?, nanoseconds(to)?);
        (to > from).then(|| Self::containing(from).start()..Self::containing(to - 1).end())
    }

    /// The starts of the first windows of a list, in words; none of an empty list.
    ///
    /// ```
    /// use cutshort_model::Window;
    /// let windows: Vec<Window> = (0..7).map(Window::from_number).collect();
    /// assert_eq!(Window::first_of(&windows[..2]).unwrap(), "1970-01-01T00:00:00Z, 1970-01-01T00:15:00Z");
    /// assert!(Window::first_of(&windows).unwrap().ends_with("1970-01-01T01:00:00Z and 2 more"));
    /// ```
    #[must_use]
    pub fn first_of(windows: &[Self]) -> Option<String> {
        /// How many windows are named.
        const NAMED: usize = 5;
        let first: Vec<String> =
            windows.iter().take(NAMED).map(|window| crate::rfc3339(window.start())).collect();
        let more = windows.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!first.is_empty()).then(|| format!("{}{more}", first.join(", ")))
    }
}

impl fmt::Display for Window {
    /// Writes the start, as [`date_time`](crate::date_time) does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::date_time(self.start()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LENGTH: i64 = Window::LENGTH;

    /// Any time, often near the edge of a window or the limits of an `i64`.
    fn times() -> impl Strategy<Value = i64> {
        prop_oneof![
            any::<i64>(),
            (-3..4_i64, -2..3_i64).prop_map(|(window, after)| window * LENGTH + after),
            (0..2 * LENGTH).prop_map(|after| i64::MIN + after),
            (0..2 * LENGTH).prop_map(|before| i64::MAX - before),
            prop::sample::select(vec![i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX]),
        ]
    }

    proptest! {
        #[test]
        fn a_window_holds_the_times_from_its_start_to_its_end(ts in times()) {
            let window = Window::containing(ts);
            let (start, end) = (window.start(), window.end());
            prop_assert!(start <= ts && (ts < end || end == i64::MAX), "{ts} in {start}..{end}");
            prop_assert_eq!(window.range(), start..end);
            prop_assert_eq!(Window::containing(start), window);
            prop_assert_eq!(Window::containing(end - 1), window);
            prop_assert_eq!(Window::from_number(window.number()), window);
            if start > i64::MIN && end < i64::MAX {
                prop_assert_eq!((end - start, start.rem_euclid(LENGTH)), (LENGTH, 0));
            }
        }

        #[test]
        fn windows_follow_each_other_without_a_gap(ts in times()) {
            let window = Window::containing(ts);
            let next = window.next();
            prop_assert!(window < next);
            prop_assert_eq!(next.start(), window.end());
            prop_assert_eq!(next.number() - window.number(), 1);
            if window.end() < i64::MAX {
                prop_assert_eq!(Window::containing(window.end()), next);
            }
        }

        #[test]
        fn windows_are_ordered_as_their_times_are(one in times(), other in times()) {
            let (earlier, later) = (one.min(other), one.max(other));
            prop_assert!(Window::containing(earlier) <= Window::containing(later));
            if Window::containing(earlier) != Window::containing(later) {
                prop_assert!(Window::containing(earlier).end() <= later);
            }
        }
    }
}
