//! Finds the rows that a query needs, and reads them.

use std::ops::Range;

use cutshort_model::{Dimension, Network};
use cutshort_store::cell::packed::Group;
use cutshort_store::{RollupAnswer, RollupQuery, Selection};
use cutshort_verdict::DataSet;
use rusqlite::{Connection, OptionalExtension};

use super::bytes::{Broken, Unpacked};
use super::level::{Level, window_from};
use super::place::RowPlace;
use super::span::{Span, Stale, spans};
use super::tally::AnswerSum;
use super::totals::{Folded, Totals};
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

/// Rows of one place, to be added or subtracted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan<'a> {
    pub(super) place: RowPlace,
    pub(super) minus: bool,
    /// For buckets of networks, the selection: groups that it selects are added, or those that it does not select are
    /// subtracted.
    within: Option<&'a Selection>,
}

impl Scan<'_> {
    pub(super) fn takes(&self, group: Group) -> Unpacked<bool> {
        let Some(selection) = self.within else { return Ok(true) };
        let location = group.location().ok_or(Broken("its location is unknown"))?;
        Ok(selection.has_network(group.network()) != self.minus && selection.has_location(location))
    }
}

fn scans(query: &RollupQuery) -> Vec<Scan<'_>> {
    let selection = &query.selection;
    let scan = |minus| move |place| Scan { place, minus, within: Some(selection) };
    if !selection.asns.include.is_empty() {
        return buckets(&selection.asns.include).into_iter().map(scan(false)).collect();
    }
    if query.by == Some(Dimension::As) {
        return RowPlace::all_networks().map(scan(false)).collect();
    }
    let mut scans = location_scans(query);
    scans.extend(buckets(&selection.asns.exclude).into_iter().map(scan(true)));
    scans
}

fn buckets(networks: &[u32]) -> Vec<RowPlace> {
    let mut places: Vec<RowPlace> =
        networks.iter().map(|number| RowPlace::of_network(Network::As(*number))).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// The selected countries, or the world without the others if these are fewer.
fn location_scans(query: &RollupQuery) -> Vec<Scan<'_>> {
    let scan = |place, minus| Scan { place, minus, within: None };
    let of = |locations: Vec<_>, minus| {
        locations.into_iter().map(move |location| scan(RowPlace::of_location(location), minus))
    };
    let (selected, others): (Vec<_>, Vec<_>) =
        RowPlace::all_locations().partition(|location| query.selection.has_location(*location));
    if query.by == Some(Dimension::Location) || selected.len() <= others.len() {
        return of(selected, false).collect();
    }
    std::iter::once(scan(RowPlace::World, false)).chain(of(others, true)).collect()
}

fn read(connection: &Connection, scan: &Scan<'_>, spans: &[Span], tally: &mut AnswerSum<'_>) -> Result<()> {
    let cells = tally.needs_cells();
    let sql = if cells { CELLS } else { TOTALS };
    each_row(connection, sql, scan.place.number(), spans, |_, t, bytes| {
        if cells { tally.add_cells(scan, t, bytes) } else { tally.add_totals(scan, t, bytes) }
    })
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
