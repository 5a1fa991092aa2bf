//! Points in time on the command line.

use std::ops::Range;

use clap::Args;
use cutshort_model::Window;
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

/// A point in time: absolute (UTC unless it says otherwise), or counted back from now.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let now = Timestamp::now();
    match text.strip_prefix('-') {
        _ if text.eq_ignore_ascii_case("now") => Ok(now),
        Some(before) => length(before)
            .and_then(|ago| now.checked_sub(ago).ok())
            .ok_or_else(|| "write how long ago with its unit, such as -15m, -36h, -7d or -4w".to_owned()),
        None => absolute(text).ok_or_else(|| {
            "write a time in UTC, such as 2026-01-05T00:00:00Z, a day, such as 2026-01-05, \
             how long ago, such as -7d, or now"
                .to_owned()
        }),
    }
}

/// A time as RFC 3339 has it, or the beginning of a day.
pub(crate) fn absolute(text: &str) -> Option<Timestamp> {
    let utc = || format!("{text}Z").parse();
    let day = || format!("{text}T00:00:00Z").parse();
    text.parse().or_else(|_: jiff::Error| utc()).or_else(|_| day()).ok()
}

/// A length of time with its unit: `30s`, `15m`, `36h`, `7d`, `4w`.
pub(crate) fn length(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok().filter(|number| *number >= 0)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    Some(SignedDuration::from_secs(number.checked_mul(seconds)?))
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
    fn absolute_times_have_many_forms() {
        for text in ["2026-01-05", "2026-01-05T00:00:00Z", "2026-01-05T01:00:00+01:00", "2026-01-05 00:00"] {
            assert_eq!(moment(text).unwrap().to_string(), "2026-01-05T00:00:00Z", "{text}");
        }
    }

    #[test]
    fn relative_times_count_from_now() {
        let hours = |text: &str| {
            let then = moment(text).unwrap();
            (Timestamp::now() - then).get_seconds() / 3600
        };
        assert_eq!([hours("now"), hours("-36h"), hours("-7d"), hours("-1w")], [0, 36, 168, 168]);
        for text in ["-", "-7", "-d", "--7d", "-7y", "7d", "tomorrow", "", "-é"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ranges_are_widened_to_whole_windows() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        assert_eq!(windows(at(901), at(902)), Some(Window::from_number(1).range()));
        assert_eq!(windows(at(900), at(1800)), Some(Window::from_number(1).range()));
        assert_eq!(windows(at(900), at(900)), None);
    }
}
