//! Deletes data that has been kept long enough.

use std::collections::BTreeSet;
use std::time::Duration;

use cutshort_model::{Bucket, Window};
use cutshort_store::{Retention, WindowState};
use rusqlite::{Connection, Transaction};

use super::catalog::FileState;
use super::{Embedded, catalog, damage, rollup};
use crate::error::Result;

impl Embedded {
    /// First the deletion is recorded, then the file is removed: a crash in between is handled when the store is
    /// opened.
    pub(super) fn delete_old(&self, now: i64, retention: &Retention) -> Result<u64> {
        let before = |keep: Option<Duration>| keep.map(|keep| earlier(now, keep));
        let mut paths = Vec::new();
        if let Some(before) = before(retention.packets) {
            paths.extend(self.database.write(|sql| forget_segments(sql, before))?);
        }
        if let Some(before) = before(retention.connections) {
            paths.extend(self.database.write(|sql| forget_connections(sql, before))?);
        }
        let levels = [
            (Bucket::FifteenMinutes, retention.fifteen_minutes),
            (Bucket::Hour, retention.hours),
            (Bucket::Day, retention.days),
        ];
        for (level, before) in levels.map(|(level, keep)| (level, before(keep))) {
            let Some(before) = before else { continue };
            self.database.write(|sql| forget_cells(sql, level, before))?;
        }
        paths.iter().try_for_each(|path| self.folder.remove(path))?;
        Ok(paths.len() as u64)
    }
}

fn earlier(now: i64, by: Duration) -> i64 {
    now.saturating_sub(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX))
}

/// Deletes segments that ended and arrived before a time. Their windows keep their results; segments with packets of
/// windows that have none are kept.
fn forget_segments(sql: &mut Connection, before: i64) -> Result<Vec<String>> {
    let waiting = catalog::windows(sql, &(i64::MIN..i64::MAX))?;
    let waiting: BTreeSet<Window> =
        waiting.into_iter().filter(WindowState::is_due).map(|state| state.window).collect();
    let transaction = sql.transaction()?;
    let mut paths = Vec::new();
    for (key, path) in old_segments(&transaction, before)? {
        let windows = windows_of(&transaction, key)?;
        if windows.iter().any(|window| waiting.contains(window)) {
            continue;
        }
        catalog::forget_segment(&transaction, key, &windows)?;
        paths.push(path);
    }
    transaction.commit()?;
    Ok(paths)
}

fn old_segments(sql: &Connection, before: i64) -> Result<Vec<(i64, String)>> {
    let mut select = sql.prepare_cached(
        "SELECT key, path FROM segment WHERE state = ?2 AND covers_to < ?1 AND arrived < ?1",
    )?;
    let rows = select.query_map([before, FileState::Kept as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn windows_of(sql: &Connection, segment: i64) -> Result<Vec<Window>> {
    let mut select = sql.prepare_cached("SELECT window FROM segment_window WHERE segment = ?")?;
    let rows = select.query_map([segment], |row| catalog::window_at(row, 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Deletes connections of windows that ended and were computed before a time.
fn forget_connections(sql: &mut Connection, before: i64) -> Result<Vec<String>> {
    let transaction = sql.transaction()?;
    let old: Vec<(Window, String)> = {
        let mut select = transaction.prepare(
            "SELECT start, path FROM window WHERE path IS NOT NULL AND start < ?1 AND updated < ?2",
        )?;
        let rows = select.query_map([before.saturating_sub(Window::LENGTH), before], |row| {
            Ok((catalog::window_at(row, 0)?, row.get(1)?))
        })?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for (window, _) in &old {
        catalog::forget_connections(&transaction, *window)?;
    }
    for window in damage::lost_connections(&transaction, &(i64::MIN..before.saturating_sub(Window::LENGTH)))?
    {
        damage::found_connections(&transaction, window)?;
    }
    transaction.commit()?;
    Ok(old.into_iter().map(|(_, path)| path).collect())
}

/// Deletes counts before a time, up to the first window that was computed since.
fn forget_cells(sql: &mut Connection, level: Bucket, before: i64) -> Result<()> {
    let transaction = sql.transaction()?;
    rollup::delete_before(&transaction, level, before.min(first_made_since(&transaction, before)?))?;
    Ok(transaction.commit()?)
}

fn first_made_since(sql: &Transaction<'_>, since: i64) -> Result<i64> {
    let first = sql.query_row("SELECT min(start) FROM window WHERE updated >= ?", [since], |row| {
        row.get::<_, Option<i64>>(0)
    })?;
    Ok(first.unwrap_or(i64::MAX))
}
