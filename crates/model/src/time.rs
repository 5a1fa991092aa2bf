//! Times in nanoseconds since the Unix epoch, and how they are written.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Converts a system time to nanoseconds since the Unix epoch; times before the epoch become 0.
#[must_use]
pub fn nanoseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// The present time in nanoseconds since the Unix epoch.
#[must_use]
pub fn now() -> i64 {
    nanoseconds(SystemTime::now())
}

/// How long the rest takes if it goes on as it went so far, in words; empty if nothing is done yet. This is steadier than
/// what the last moments suggest.
///
/// ```
/// use std::time::Duration;
/// use cutshort_model::time_left;
/// let after = |seconds, done| time_left(Duration::from_secs(seconds), done, 100);
/// assert_eq!([after(10, 50), after(10, 10), after(9, 100)], ["10 s left", "1 min 30 s left", "0 s left"]);
/// assert_eq!([after(3600, 50), after(5, 0)], ["1 h 00 min left", ""]);
/// ```
#[must_use]
pub fn time_left(elapsed: Duration, done: u64, all: u64) -> String {
    if done == 0 {
        return String::new();
    }
    let seconds = (elapsed.as_secs_f64() * all.saturating_sub(done) as f64 / done as f64).ceil() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s left"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s left"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min left"),
    }
}

/// Converts nanoseconds to microseconds, rounded down.
#[must_use]
pub const fn micros(ts: i64) -> i64 {
    ts.div_euclid(1000)
}

/// Writes a time (nanoseconds since the Unix epoch) in UTC as `2026-11-21 09:30:00`.
#[must_use]
pub fn date_time(ts: i64) -> String {
    match Timestamp::from_nanosecond(i128::from(ts)) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => format!("{ts} ns"),
    }
}

/// Writes a time (nanoseconds since the Unix epoch) as RFC 3339 has it: `2026-11-21T09:30:00Z`.
#[must_use]
pub fn rfc3339(ts: i64) -> String {
    Timestamp::from_nanosecond(i128::from(ts)).map_or_else(|_| ts.to_string(), |time| time.to_string())
}

/// Reads a time as RFC 3339 has it, in nanoseconds since the Unix epoch: `2026-11-21T09:30:00Z`, `2026-11-21T10:30+01:00`.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().and_then(|time| i64::try_from(time.as_nanosecond()).ok())
}

/// Writes the end of a range of times: `09:30:00` if it is on the same day as `since`, otherwise with the date.
#[must_use]
pub fn until(since: i64, ts: i64) -> String {
    let (from, to) = (date_time(since), date_time(ts));
    match (from.split_once(' '), to.split_once(' ')) {
        (Some((day, _)), Some((same, time))) if day == same => time.to_owned(),
        _ => to,
    }
}

/// Writes the date of a time (nanoseconds since the Unix epoch) in UTC: `2026-11-21`.
#[must_use]
pub fn date(ts: i64) -> String {
    date_time(ts).split(' ').next().unwrap_or_default().to_owned()
}

/// Writes a time (nanoseconds since the Unix epoch) in UTC for use in file names: `20261121T093000Z`.
#[must_use]
pub fn compact(ts: i64) -> String {
    let digits: String = date_time(ts).chars().filter(char::is_ascii_digit).collect();
    let (date, time) = digits.split_at(8.min(digits.len()));
    format!("{date}T{time}Z")
}
