use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::Parameters;
use super::pattern::any_case;
use crate::problem::Problem;
use cutshort_model::{Bucket, Window};

const DAY: i64 = Bucket::Day.nanoseconds();
const WEEK: i64 = Bucket::Week.nanoseconds();
/// The default range.
const DEFAULT: AskedRange = AskedRange::Relative { length: 7 * DAY, control: false };

/// A range as it is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AskedRange {
    /// The time before now, or the same time before that, to compare with.
    Relative { length: i64, control: bool },
    /// From one time to another, in nanoseconds since the Unix epoch.
    Fixed { start: i64, end: i64 },
}

/// The ranges of all series, which must have the same length.
pub(super) fn ranges(parameters: &Parameters, count: usize, now: i64) -> Result<Vec<Range<i64>>, Problem> {
    let given = ["dateRange", "dateStart", "dateEnd"].map(|key| parameters.count(key));
    let given = given.into_iter().max().unwrap_or(0);
    let mut asked: Vec<AskedRange> = Vec::with_capacity(count);
    for at in 0..count {
        let own = asked_at(parameters, at)?;
        // A range that is given once is meant for all series, which must be equally long anyway.
        let common = asked.first().filter(|_| given == 1 && at > 0).copied().map(AskedRange::without_control);
        asked.push(own.or(common).unwrap_or(DEFAULT));
    }
    let ranges: Vec<_> = asked.into_iter().map(|asked| asked.range(now)).collect();
    same_length(&ranges)?;
    Ok(ranges)
}

fn same_length(ranges: &[Range<i64>]) -> Result<(), Problem> {
    let length = |range: &Range<i64>| range.end - range.start;
    let Some(first) = ranges.first().map(length) else { return Ok(()) };
    match ranges.iter().position(|range| length(range) != first) {
        None => Ok(()),
        Some(at) => Err(Problem::bad_input(format!(
            "dateRange, dateStart, dateEnd: all series must be equally long; the first lasts {}, the one at position {at} {}",
            duration(first),
            duration(length(&ranges[at])),
        ))),
    }
}

/// Writes a duration, such as `7d` or `1d 2h 15m`.
fn duration(nanoseconds: i64) -> String {
    let minutes = nanoseconds / 60_000_000_000;
    let parts = [(minutes / 1440, 'd'), (minutes / 60 % 24, 'h'), (minutes % 60, 'm')];
    let parts: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    parts.join(" ")
}

fn asked_at(parameters: &Parameters, at: usize) -> Result<Option<AskedRange>, Problem> {
    let [range, start, end] = ["dateRange", "dateStart", "dateEnd"].map(|key| parameters.at(key, at));
    match (range, start, end) {
        (None, None, None) => Ok(None),
        (Some(range), None, None) => relative(range).map(Some),
        (None, Some(start), Some(end)) => fixed(start, end).map(Some),
        (Some(_), ..) => Err(Problem::bad_input(
            "dateRange: give either it, or dateStart and dateEnd, but not both for one series",
        )),
        (None, Some(_), None) => Err(Problem::bad_input("dateEnd: missing; it goes together with dateStart")),
        (None, None, Some(_)) => Err(Problem::bad_input("dateStart: missing; it goes together with dateEnd")),
    }
}

impl AskedRange {
    const fn without_control(self) -> Self {
        match self {
            Self::Relative { length, .. } => Self::Relative { length, control: false },
            Self::Fixed { .. } => self,
        }
    }

    const fn range(self, now: i64) -> Range<i64> {
        match self {
            Self::Fixed { start, end } => start..end,
            Self::Relative { length, control } => {
                // Whole weeks, so that weekdays are compared with the same ones.
                let shift = if control { (length + WEEK - 1) / WEEK * WEEK } else { 0 };
                let end = floor(now) - shift;
                end - length..end
            }
        }
    }
}

/// Parses `7d`, `4w` or `7dcontrol`.
fn relative(text: &str) -> Result<AskedRange, Problem> {
    let wrong = || {
        Problem::bad_input(format!(
            "dateRange: '{text}' is neither 1d to 364d nor 1w to 52w, followed by 'control' for the period before"
        ))
    };
    let lower = text.to_ascii_lowercase();
    let (span, control) = lower.strip_suffix("control").map_or((&*lower, false), |span| (span, true));
    let (number, most, unit) = match (span.strip_suffix('d'), span.strip_suffix('w')) {
        (Some(days), _) => (days, 364, DAY),
        (_, Some(weeks)) => (weeks, 52, WEEK),
        _ => return Err(wrong()),
    };
    let plain = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse::<i64>().ok().filter(|number| plain && (1..=most).contains(number));
    Ok(AskedRange::Relative { length: number.ok_or_else(wrong)? * unit, control })
}

/// The pattern of what [`relative`] accepts.
pub(crate) fn date_range_pattern() -> String {
    let days = "[1-9]|[1-9][0-9]|[1-2][0-9][0-9]|3[0-5][0-9]|36[0-4]";
    format!("^((({days})[dD])|(([1-9]|[1-4][0-9]|5[0-2])[wW]))({})?$", any_case("control"))
}

fn fixed(start: &str, end: &str) -> Result<AskedRange, Problem> {
    let time = |key: &str, text: &str| {
        parse_time(text).map_err(|why| Problem::bad_input(format!("{key}: '{text}' {why}")))
    };
    let (start, end) = (floor(time("dateStart", start)?), floor(time("dateEnd", end)?));
    if start < end {
        return Ok(AskedRange::Fixed { start, end });
    }
    Err(Problem::bad_input(
        "dateEnd: not after dateStart; both are rounded down to 15 minutes, and a range has at least as many",
    ))
}

/// Parses a time in ISO 8601, with an offset or else in UTC. A date alone means midnight.
///
/// # Errors
/// What is wrong with it, to be appended to the text.
pub fn parse_time(text: &str) -> Result<i64, String> {
    let time = parse_timestamp(text)
        // In an address '+' means a space, which clients forget.
        .or_else(|| parse_timestamp(&plus_for_space(text)?))
        .ok_or("is not an ISO 8601 time, such as 2026-01-05T00:00:00Z")?;
    let nanoseconds = i64::try_from(time.as_nanosecond()).map_err(|_| "is too far away".to_owned())?;
    let years = -2_208_988_800_000_000_000..=7_258_118_400_000_000_000;
    years
        .contains(&nanoseconds)
        .then_some(nanoseconds)
        .ok_or("is not within the years 1900 to 2199".to_owned())
}

fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let in_utc = |time: DateTime| time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let with_offset = || text.parse::<Timestamp>().ok();
    let civil = || text.parse::<DateTime>().ok().and_then(in_utc);
    let day =
        || text.parse::<Date>().ok().and_then(|day| in_utc(day.to_datetime(jiff::civil::Time::midnight())));
    // A civil time is also read from a text with an offset, which must not be lost.
    with_offset().or_else(|| if text.len() <= 10 { day() } else { civil().filter(|_| !has_offset(text)) })
}

/// Whether there is an offset after the time.
fn has_offset(text: &str) -> bool {
    let time = text.get(10..).unwrap_or_default();
    time.contains(['+', '-', 'Z', 'z', '['])
}

fn plus_for_space(text: &str) -> Option<String> {
    let (time, offset) = text.rsplit_once(' ')?;
    time.contains(':').then(|| format!("{time}+{offset}"))
}

/// Rounds down to 15 minutes.
#[must_use]
pub const fn floor(time: i64) -> i64 {
    Window::containing(time).start()
}

/// Writes a time for answers: `2026-01-05T00:00:00Z`.
#[must_use]
pub fn iso(time: i64) -> String {
    const SECOND: i64 = 1_000_000_000;
    cutshort_model::rfc3339(time.div_euclid(SECOND).saturating_mul(SECOND))
}
