//! Finds the rows that cover a range of time.

use std::collections::HashSet;
use std::ops::Range;

use super::level::Level;

/// Hours and days that must not be read, by their first window.
#[derive(Debug, Default)]
pub(super) struct Stale {
    /// The stale rows, by level and first window.
    pub(super) rows: HashSet<(Level, i64)>,
    /// The rests of these rows, by the level of the rest.
    pub(super) rests: HashSet<(Level, i64)>,
}

/// Consecutive rows of one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) level: Level,
    /// The windows that they cover, from and to.
    pub(super) windows: Range<i64>,
}

/// The rows that make up a range of windows, as coarse as possible up to `level`.
pub(super) fn spans(range: &Range<i64>, level: Level, stale: &Stale) -> Vec<Span> {
    let mut spans = Vec::new();
    cover(range, level, stale, &mut spans);
    spans
}

fn cover(range: &Range<i64>, level: Level, stale: &Stale, spans: &mut Vec<Span>) {
    let Some(finer) = level.finer() else { return push(spans, level, range.clone()) };
    let mut start = level.start(range.start);
    while start < range.end {
        let row = start..start + level.windows();
        let within = row.start.max(range.start)..row.end.min(range.end);
        if within == row && !stale.rows.contains(&(level, start)) {
            push(spans, level, row);
        } else {
            let rest = level.rest().filter(|rest| within == row && stale.rests.contains(&(*rest, start)));
            if let Some(rest) = rest {
                push(spans, rest, row);
            }
            cover(&within, finer, stale, spans);
        }
        start += level.windows();
    }
}

fn push(spans: &mut Vec<Span>, level: Level, windows: Range<i64>) {
    match spans.last_mut() {
        Some(last) if last.level == level && last.windows.end == windows.start => {
            last.windows.end = windows.end;
        }
        _ => spans.push(Span { level, windows }),
    }
}
