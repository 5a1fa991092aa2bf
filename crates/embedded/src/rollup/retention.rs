//! Deletes finer rows, while coarser ones continue to count them.
//!
//! An hour whose windows were deleted is *closed*: it can no longer be computed from windows. If another window is
//! added to it later, what the hour has counted so far is kept as its *rest*, and the hour is computed from the rest
//! and the windows that exist. The same applies to days and hours.

use std::ops::Range;

use cutshort_counts::RowPlace;
use cutshort_model::{Bucket, Window};
use cutshort_store::StoreError;
use rusqlite::{Connection, Transaction};

use super::level::Level;
use super::roll::roll_before;
use super::{places, servers};
use crate::error::{Error, Result};

const TABLES: [&str; 2] = ["rollup", "rollup_total"];

/// Deletes the rows of a level, and finer ones, that end before a time (nanoseconds since the Unix epoch). To keep
/// hours and days complete, windows are deleted by whole hours and hours by whole days. If it fails, the transaction
/// must be rolled back.
pub fn delete_before(transaction: &Transaction<'_>, level: Bucket, t: i64) -> Result<()> {
    let level = Level::of(level);
    let coarser = level.coarser().unwrap_or(level);
    let before = coarser.start(Window::containing(t).number());
    roll_before(transaction, coarser, before)?;
    note_gone(transaction, before)?;
    for level in Level::ALL.into_iter().filter(|finer| *finer <= level) {
        if let Some(coarser) = level.coarser() {
            close(transaction, level, coarser, before)?;
        }
        forget(transaction, level, before)?;
    }
    if level == Level::Day {
        // Nothing counts these windows any more: they may come again.
        transaction.prepare_cached("DELETE FROM rollup_gone WHERE t < ?1")?.execute([before])?;
    }
    Ok(())
}

/// Whether a window's cells were deleted, so that it can no longer be replaced.
pub fn is_gone(connection: &Connection, window: Window) -> Result<bool> {
    is_listed(connection, "SELECT 1 FROM rollup_gone WHERE t = ?1", &[window.number()])
}

/// The windows of a range whose cells were deleted.
pub fn gone(connection: &Connection, range: &Range<i64>) -> Result<Vec<Window>> {
    let mut select = connection.prepare_cached("SELECT t FROM rollup_gone WHERE t >= ?1 AND t <= ?2")?;
    let [first, last] =
        [range.start, range.end.saturating_sub(1)].map(|time| Window::containing(time).number());
    let rows = select.query_map([first, last], |row| row.get::<_, i64>(0))?;
    let gone = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(gone.into_iter().map(Window::from_number).collect())
}

pub(super) fn is_listed(connection: &Connection, sql: &str, of: &[i64]) -> Result<bool> {
    Ok(connection.prepare_cached(sql)?.exists(rusqlite::params_from_iter(of))?)
}

/// Prepares for new cells of a window whose hour or day is closed.
pub(super) fn open_again(transaction: &Transaction<'_>, window: Window) -> Result<()> {
    if is_gone(transaction, window)? {
        return Err(Error(StoreError::Refused(format!(
            "the window of {window} UTC cannot be computed again: of its counts only hours or days were kept"
        ))));
    }
    for level in [Level::Hour, Level::Day] {
        let of = [level.number(), level.start(window.number())];
        if is_listed(transaction, "SELECT 1 FROM rollup_closed WHERE level = ?1 AND t = ?2", &of)? {
            keep_rest(transaction, level, level.start(window.number()))?;
        }
    }
    Ok(())
}

/// Makes what a closed row has counted so far its rest, which does not change from then on.
fn keep_rest(transaction: &Transaction<'_>, level: Level, t: i64) -> Result<()> {
    let Some(rest) = level.rest() else { return Ok(()) };
    let world = [rest.number(), RowPlace::World.number(), t];
    let exists = "SELECT 1 FROM rollup_total WHERE level = ?1 AND place = ?2 AND t = ?3";
    if is_listed(transaction, exists, &world)? {
        return Ok(());
    }
    for (table, content) in [("rollup", "cells"), ("rollup_total", "totals")] {
        let copy = format!(
            "INSERT INTO {table} (level, place, t, {content})
             SELECT ?1, place, t, {content} FROM {table} WHERE level = ?2 AND place = ?3 AND t = ?4"
        );
        let mut copy = transaction.prepare_cached(&copy)?;
        for place in places(transaction, level)? {
            copy.execute([rest.number(), level.number(), place, t])?;
        }
    }
    Ok(())
}

/// Lists the windows that are about to be deleted.
fn note_gone(transaction: &Transaction<'_>, before: i64) -> Result<()> {
    let note = "INSERT OR IGNORE INTO rollup_gone (t)
                SELECT t FROM rollup_total WHERE level = ?1 AND place = ?2 AND t < ?3";
    let of = [Level::FifteenMinutes.number(), RowPlace::World.number(), before];
    transaction.prepare_cached(note)?.execute(of)?;
    Ok(())
}

/// Closes the rows that are computed from those about to be deleted. They are up to date, including rests.
fn close(transaction: &Transaction<'_>, level: Level, coarser: Level, before: i64) -> Result<()> {
    let close = "INSERT OR IGNORE INTO rollup_closed (level, t)
                 SELECT ?1, t - ((t % ?2) + ?2) % ?2 FROM rollup_total WHERE level = ?3 AND place = ?4 AND t < ?5";
    let of = [coarser.number(), coarser.windows(), level.number(), RowPlace::World.number(), before];
    transaction.prepare_cached(close)?.execute(of)?;
    let Some(rest) = coarser.rest() else { return Ok(()) };
    delete(transaction, rest, before)
}

/// Deletes the rows of a level with everything that is recorded about them.
fn forget(transaction: &Transaction<'_>, level: Level, before: i64) -> Result<()> {
    delete(transaction, level, before)?;
    for table in ["rollup_closed", "rollup_stale"] {
        let sql = format!("DELETE FROM {table} WHERE level = ?1 AND t < ?2");
        transaction.prepare_cached(&sql)?.execute([level.number(), before])?;
    }
    Ok(())
}

fn delete(transaction: &Transaction<'_>, level: Level, before: i64) -> Result<()> {
    if level == Level::FifteenMinutes {
        servers::delete_before(transaction, before)?;
    }
    let places = places(transaction, level)?;
    for table in TABLES {
        let sql = format!("DELETE FROM {table} WHERE level = ?1 AND place = ?2 AND t < ?3");
        let mut statement = transaction.prepare_cached(&sql)?;
        for place in &places {
            statement.execute([level.number(), *place, before])?;
        }
    }
    Ok(())
}
