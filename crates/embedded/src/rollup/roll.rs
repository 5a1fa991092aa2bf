//! Computes hours from windows, and days from hours.

use cutshort_counts::packed_cells::PackedCells;
use cutshort_counts::totals::Folded;
use cutshort_counts::{PackedRow, RowPlace, merge_alike};
use cutshort_model::Window;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::level::Level;
use super::query::{CELLS, each_row, folded_within};
use super::span::Span;
use super::{delete_rows, places, write_row};
use crate::error::Result;

/// Computes stale hours and days, each in a transaction of its own. The latest hour and the latest day are left for
/// later: they will change again, and their finer rows are few.
///
/// # Errors
/// [`StoreError::Damaged`](cutshort_store::StoreError::Damaged) names a row that cannot be decoded.
pub fn roll(connection: &mut Connection) -> Result<()> {
    for level in [Level::Hour, Level::Day] {
        let Some(before) = latest_window(connection)?.map(|latest| level.start(latest)) else {
            return Ok(());
        };
        loop {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let more = roll_first(&transaction, level, before)?;
            transaction.commit()?;
            if !more {
                break;
            }
        }
    }
    Ok(())
}

/// Computes stale rows before a time within a larger transaction: hours, and also days if requested.
pub(super) fn roll_before(transaction: &Transaction<'_>, coarsest: Level, before: i64) -> Result<()> {
    for level in [Level::Hour, Level::Day].into_iter().filter(|level| *level <= coarsest) {
        while roll_first(transaction, level, before)? {}
    }
    Ok(())
}

/// Whether an hour or a day that begins at a time must be computed again.
pub fn is_stale(connection: &Connection, level: i64, start: i64) -> Result<bool> {
    let stale = "SELECT 1 FROM rollup_stale WHERE level = ?1 AND t = ?2";
    super::retention::is_listed(connection, stale, &[level, Window::containing(start).number()])
}

fn latest_window(connection: &Connection) -> Result<Option<i64>> {
    let latest = "SELECT max(t) FROM rollup_total WHERE level = ?1 AND place = ?2";
    let of = [Level::FifteenMinutes.number(), RowPlace::World.number()];
    Ok(connection.prepare_cached(latest)?.query_row(of, |row| row.get(0))?)
}

/// Computes the first stale row; false if there is none.
fn roll_first(transaction: &Transaction<'_>, level: Level, before: i64) -> Result<bool> {
    let first = "SELECT t FROM rollup_stale WHERE level = ?1 AND t < ?2 ORDER BY t LIMIT 1";
    let mut first = transaction.prepare_cached(first)?;
    let Some(t) = first.query_row([level.number(), before], |row| row.get(0)).optional()? else {
        return Ok(false);
    };
    make(transaction, level, t)?;
    let done = "DELETE FROM rollup_stale WHERE level = ?1 AND t = ?2";
    transaction.prepare_cached(done)?.execute([level.number(), t])?;
    Ok(true)
}

/// Replaces a row by the sum of its parts.
fn make(transaction: &Transaction<'_>, level: Level, t: i64) -> Result<()> {
    delete_rows(transaction, level, t)?;
    let parts: Vec<Span> = [level.finer(), level.rest()]
        .into_iter()
        .flatten()
        .map(|part| Span { level: part, windows: t..t + level.windows() })
        .collect();
    let mut all = Vec::new();
    for part in &parts {
        all.extend(places(transaction, part.level)?);
    }
    all.sort_unstable();
    all.dedup();
    for place in all {
        make_place(transaction, level, t, place, &parts)?;
    }
    Ok(())
}

fn make_place(transaction: &Transaction<'_>, level: Level, t: i64, place: i64, parts: &[Span]) -> Result<()> {
    let mut cells = Vec::new();
    each_row(transaction, CELLS, place, parts, |_, _, bytes| {
        PackedCells::parse(bytes)?.each(|packed, count| cells.push((packed, count)))
    })?;
    if cells.is_empty() {
        return Ok(());
    }
    // Questions ask only the world's rows what was folded.
    let world = place == RowPlace::World.number();
    let folded = if world { folded_within(transaction, parts)? } else { Folded::default() };
    write_row(transaction, level, place, t, &PackedRow::new(&merge_alike(cells), folded))
}
