//! The time that a question is about if its ends need not be given.

use std::ops::Range;

use cutshort_model::Window;
use jiff::{SignedDuration, Timestamp};

/// The length of a range if only its end is given, or neither end.
const LENGTH: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The windows between two times. By default, the range ends now and begins 7 days before its end. It leaves out a window
/// that is not over, unless it has no other window or ends later than `now`. None if the end is not after the start.
#[must_use]
pub fn recent_windows(from: Option<Timestamp>, to: Option<Timestamp>, now: Timestamp) -> Option<Range<i64>> {
    let to = to.unwrap_or(now);
    let from = from.or_else(|| to.checked_sub(LENGTH).ok()).unwrap_or(Timestamp::MIN);
    let range = Window::between(from, to)?;
    let is_over = i64::try_from(now.as_nanosecond()).is_ok_and(|now| range.end <= now);
    let last = Window::containing(range.end - 1).start();
    Some(if !is_over && to <= now && last > range.start { range.start..last } else { range })
}

/// The last 7 days with results, of windows from the first to the last with any; none if there are results in a range.
#[must_use]
pub fn latest_results(range: &Range<i64>, results: Option<(Window, Window)>) -> Option<Range<i64>> {
    let (first, last) = results?;
    let has_results = first.start() < range.end && last.end() > range.start;
    let length = i64::try_from(LENGTH.as_nanos()).unwrap_or(i64::MAX);
    (!has_results).then(|| last.end().saturating_sub(length)..last.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_ranges_end_with_the_last_window_that_is_over() {
        let at = |minutes: i64| Timestamp::from_second(86_400 * 20_000 + minutes * 60).unwrap();
        let range = |from: Option<i64>, to: Option<i64>| {
            let range = recent_windows(from.map(at), to.map(at), at(68)).unwrap();
            let minute = |time: i64| (time / 1_000_000_000 - 86_400 * 20_000) / 60;
            (minute(range.start), minute(range.end))
        };
        assert_eq!(range(None, None), (60 - 7 * 1440, 60));
        assert_eq!(range(Some(68 - 1440), Some(68)), (60 - 1440, 60), "a day is a day");
        assert_eq!(range(None, Some(30)), (30 - 7 * 1440, 30));
        assert_eq!(range(Some(61), None), (60, 75), "there is no window that is over");
        assert_eq!(range(Some(0), Some(200)), (0, 210), "the future was asked for");
    }

    #[test]
    fn without_results_the_latest_ones_are_shown() {
        let window = Window::from_number;
        let latest = |number: i64, results| latest_results(&window(number).range(), results);
        assert_eq!(latest(1000, None), None);
        assert_eq!(latest(1000, Some((window(0), window(1000)))), None);
        let week = 7 * 24 * 4;
        let expected = window(998 - week + 1).start()..window(998).end();
        assert_eq!(latest(1000, Some((window(0), window(998)))), Some(expected));
    }
}
