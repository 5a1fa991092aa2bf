//! Finds the rows that a query needs, and reads them.

use std::ops::Range;

use cutshort_counts::bytes::Unpacked;
use cutshort_counts::totals::{Folded, Totals};
use cutshort_counts::{AnswerSum, RowPlace, Scan, scans};
use cutshort_store::{RollupAnswer, RollupQuery};
use cutshort_verdict::DataSet;
use rusqlite::{Connection, OptionalExtension};

use super::level::{Level, window_from};
use super::span::{Span, Stale, spans};
use super::{damaged, node_names};
use crate::error::Result;

/// Answers a query for counts.
///
/// # Errors
/// [`StoreError::Damaged`](cutshort_store::StoreError::Damaged) names a row that cannot be decoded.
pub fn query(connection: &Connection, data_set: DataSet, query: &RollupQuery) -> Result<RollupAnswer> {
    if !connection.is_autocommit() {
        return answer(connection, data_set, query);
    }
    // All rows are read as of one moment.
    let snapshot = connection.unchecked_transaction()?;
    answer(&snapshot, data_set, query)
}

fn answer(connection: &Connection, data_set: DataSet, query: &RollupQuery) -> Result<RollupAnswer> {
    let Some(range) = windows_within(connection, &query.range)? else { return Ok(RollupAnswer::default()) };
    let stale = stale_rows(connection, &range)?;
    let spans = spans(&range, Level::within(query.bucket), &stale);
    let nodes = node_names(connection)?;
    let mut tally = AnswerSum::new(data_set, query, &nodes);
    let scans = scans(query);
    for scan in &scans {
        read(connection, scan, &spans, &mut tally)?;
    }
    let folded = match tally.folded() {
        Some(folded) => folded,
        None => folded_within(connection, &spans)?,
    };
    Ok(RollupAnswer { rows: tally.rows(), networks_folded: folded.networks, ports_folded: folded.ports })
}

/// The part of a range in which there may be rows, in windows.
fn windows_within(connection: &Connection, range: &Range<i64>) -> Result<Option<Range<i64>>> {
    let (mut from, mut to) = (i64::MAX, i64::MIN);
    for level in Level::ALL {
        for order in ["ASC", "DESC"] {
            let sql = format!(
                "SELECT t FROM rollup_total WHERE level = ?1 AND place = ?2 ORDER BY t {order} LIMIT 1"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let of = [level.number(), RowPlace::World.number()];
            if let Some(t) = statement.query_row(of, |row| row.get::<_, i64>(0)).optional()? {
                from = from.min(t);
                to = to.max(t.saturating_add(level.windows()));
            }
        }
    }
    let windows = from.max(window_from(range.start))..to.min(window_from(range.end));
    Ok((!windows.is_empty()).then_some(windows))
}

fn stale_rows(connection: &Connection, range: &Range<i64>) -> Result<Stale> {
    let mut stale = Stale::default();
    let marks = "SELECT t FROM rollup_stale WHERE level = ?1 AND t >= ?2 AND t < ?3";
    let mut marks = connection.prepare_cached(marks)?;
    let rests = "SELECT t FROM rollup_total WHERE level = ?1 AND place = 0 AND t >= ?2 AND t < ?3";
    let mut rests = connection.prepare_cached(rests)?;
    for level in [Level::Hour, Level::Day] {
        let of = |level: Level| [level.number(), level.start(range.start), range.end];
        for t in marks.query_map(of(level), |row| row.get(0))? {
            stale.rows.insert((level, t?));
        }
        let Some(rest) = level.rest() else { continue };
        for t in rests.query_map(of(rest), |row| row.get(0))? {
            stale.rests.insert((rest, t?));
        }
    }
    Ok(stale)
}

fn read(connection: &Connection, scan: &Scan<'_>, spans: &[Span], tally: &mut AnswerSum<'_>) -> Result<()> {
    let sql = if tally.needs_cells() { CELLS } else { TOTALS };
    each_row(connection, sql, scan.place.number(), spans, |_, t, bytes| tally.add(scan, t, bytes))
}

pub(super) fn folded_within(connection: &Connection, spans: &[Span]) -> Result<Folded> {
    let mut folded = Folded::default();
    each_row(connection, TOTALS, RowPlace::World.number(), spans, |_, _, bytes| {
        folded = folded.or(Totals::parse(bytes)?.folded);
        Ok(())
    })?;
    Ok(folded)
}

pub(super) const CELLS: &str =
    "SELECT t, cells FROM rollup WHERE level = ?1 AND place = ?2 AND t >= ?3 AND t < ?4";
const TOTALS: &str =
    "SELECT t, totals FROM rollup_total WHERE level = ?1 AND place = ?2 AND t >= ?3 AND t < ?4";

/// Calls `each` with level, time and content of every row of a place.
pub(super) fn each_row(
    connection: &Connection,
    sql: &str,
    place: i64,
    spans: &[Span],
    mut each: impl FnMut(Level, i64, &[u8]) -> Unpacked<()>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    for Span { level, windows } in spans {
        let mut rows = statement.query([level.number(), place, windows.start, windows.end])?;
        while let Some(row) = rows.next()? {
            let t = row.get(0)?;
            let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            each(*level, t, bytes).map_err(|why| damaged(*level, place, t, why))?;
        }
    }
    Ok(())
}
