//! Points in time on the command line.

use std::ops::Range;

use clap::Args;
use cutshort_model::Window;
use cutshort_settings::values::moment;
use jiff::{SignedDuration, Timestamp};

use crate::error::Error;

/// The time that a question is about.
#[derive(Args)]
pub(crate) struct TimeRange {
    /// Start: 2026-01-05T10:00:00Z, 2026-01-05, -7d
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    from: Timestamp,
    /// End
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    to: Timestamp,
}

impl TimeRange {
    /// The windows in it, as the beginning of the first and the end of the last, in nanoseconds since the Unix epoch.
    pub(crate) fn windows(&self) -> Result<Range<i64>, Error> {
        windows(self.from, self.to).ok_or_else(no_time)
    }
}

/// The time that a question is about, which need not be given.
#[derive(Args)]
pub(crate) struct RecentRange {
    /// Start: 2026-01-05T10:00:00Z, 2026-01-05, -7d [default: 7 days before the end]
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    from: Option<Timestamp>,
    /// End [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    to: Option<Timestamp>,
}

/// How long a range is of which one end is given, or none.
pub(crate) const DEFAULT_LENGTH: SignedDuration = SignedDuration::from_hours(7 * 24);

impl RecentRange {
    /// Whether no time is given.
    pub(crate) const fn is_default(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// The windows in it, as [`TimeRange::windows`] gives them, but none that is not over, unless there is no other or a
    /// time later than `now` is asked for.
    pub(crate) fn windows(&self, now: Timestamp) -> Result<Range<i64>, Error> {
        let to = self.to.unwrap_or(now);
        let from = self.from.or_else(|| to.checked_sub(DEFAULT_LENGTH).ok()).unwrap_or(Timestamp::MIN);
        let range = windows(from, to).ok_or_else(no_time)?;
        let is_over = i64::try_from(now.as_nanosecond()).is_ok_and(|now| range.end <= now);
        let last = Window::containing(range.end - 1).start();
        Ok(if !is_over && to <= now && last > range.start { range.start..last } else { range })
    }
}

/// The windows that have something of the time between two points, as the beginning of the first and
/// the end of the last; none if the second is not after the first.
pub(crate) fn windows(from: Timestamp, to: Timestamp) -> Option<Range<i64>> {
    let (from, to) = (i64::try_from(from.as_nanosecond()).ok()?, i64::try_from(to.as_nanosecond()).ok()?);
    (to > from).then(|| Window::containing(from).start()..Window::containing(to - 1).end())
}

/// What is said of such a range.
pub(crate) fn no_time() -> Error {
    Error::Usage("--to must be later than --from".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_ranges_end_with_the_last_window_that_is_over() {
        let at = |minutes: i64| Timestamp::from_second(86_400 * 20_000 + minutes * 60).unwrap();
        let range = |from: Option<i64>, to: Option<i64>| {
            let range = RecentRange { from: from.map(at), to: to.map(at) }.windows(at(68)).unwrap();
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
    fn ranges_are_widened_to_whole_windows() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        assert_eq!(windows(at(901), at(902)), Some(Window::from_number(1).range()));
        assert_eq!(windows(at(900), at(1800)), Some(Window::from_number(1).range()));
        assert_eq!(windows(at(900), at(900)), None);
    }
}
