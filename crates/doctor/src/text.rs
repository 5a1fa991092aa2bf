//! Numbers and times in words.

use cutshort_agent::Report;
use jiff::{SignedDuration, SpanRound, Unit};

/// Writes a number of bytes with a unit: `12.3 GB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut unit = 0;
    let mut value = count as f64;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// How long ago a time was: `2h 5m`, `12s`.
pub(crate) fn ago(now: i64, then: i64) -> String {
    let seconds = (now.saturating_sub(then) / 1_000_000_000).max(0);
    let smallest = if seconds >= 86_400 {
        Unit::Hour
    } else if seconds >= 3600 {
        Unit::Minute
    } else {
        Unit::Second
    };
    let round = SpanRound::new().largest(Unit::Day).smallest(smallest).days_are_24_hours();
    let span = jiff::Span::new().seconds(seconds).round(round);
    span.map_or_else(|_| format!("{seconds} s"), |span| format!("{span:#}"))
}

/// Whether a station that has written this must be taken for gone.
pub(crate) fn is_old(now: i64, report: &Report) -> bool {
    let silence = SignedDuration::from_nanos(now.saturating_sub(report.time));
    silence > SignedDuration::from_secs(30)
}
