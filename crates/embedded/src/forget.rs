//! Removes segments as if they had never arrived.

use std::collections::BTreeSet;

use cutshort_model::{Addresses, Window};
use cutshort_store::{Forgotten, KnownSegment, Provenance, SegmentId, SegmentInfo};
use cutshort_verdict::DataSet;
use rusqlite::{Connection, OptionalExtension, Transaction};

use super::catalog::{self, FileState};
use super::{Embedded, damage, retention, rollup};
use crate::error::Result;

/// All segments, in the order in which they arrived.
pub(super) fn known(sql: &Connection, data_set: DataSet) -> Result<Vec<KnownSegment>> {
    let addresses = catalog::protected(sql)?.first().copied().unwrap_or_default();
    let mut select = sql.prepare(
        "SELECT id, node, origin, covers_from, covers_to, first, last, rows, arrived, state FROM segment
         ORDER BY arrived, key",
    )?;
    let rows = select.query_map([], |row| {
        let info = segment_info(row, data_set, addresses)?;
        let is_kept = row.get::<_, i64>(9)? == FileState::Kept as i64;
        Ok(KnownSegment { info, arrived: row.get(8)?, is_kept })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Reads a row that begins with ID, node, origin, coverage, times and rows. How the addresses of one segment are kept
/// is not recorded.
pub(super) fn segment_info(
    row: &rusqlite::Row<'_>,
    data_set: DataSet,
    addresses: Addresses,
) -> rusqlite::Result<SegmentInfo> {
    let (first, last): (Option<i64>, Option<i64>) = (row.get(5)?, row.get(6)?);
    let origin: String = row.get(2)?;
    Ok(SegmentInfo {
        id: catalog::id_of(row, 0)?,
        data_set,
        node: row.get(1)?,
        origin: Provenance::from_name(&origin).unwrap_or(Provenance::File),
        covers: (row.get(3)?, row.get(4)?),
        rows: row.get::<_, i64>(7)?.cast_unsigned(),
        times: first.zip(last),
        addresses,
    })
}

/// A segment to remove.
struct Unwanted {
    key: i64,
    path: String,
    state: i64,
    rows: u64,
}

impl Embedded {
    /// First the segments are recorded as deleted, then their files are removed, then what they cover. A crash in
    /// between is handled when the store is opened, and the call can be repeated.
    pub(super) fn forget_segments(&self, ids: &[SegmentId]) -> Result<Forgotten> {
        let (forgotten, unwanted, paths) = self.database.write(|sql| {
            let transaction = sql.transaction()?;
            let unwanted = unwanted(&transaction, ids)?;
            let (forgotten, mut paths) = forget(&transaction, &unwanted)?;
            paths.extend(unwanted.iter().map(|segment| segment.path.clone()));
            transaction.commit()?;
            Ok((forgotten, unwanted, paths))
        })?;
        paths.iter().filter(|path| self.folder.has(path)).try_for_each(|path| self.folder.remove(path))?;
        self.database.write(|sql| {
            let transaction = sql.transaction()?;
            for segment in &unwanted {
                transaction.execute("DELETE FROM segment WHERE key = ?", [segment.key])?;
            }
            Ok(transaction.commit()?)
        })?;
        Ok(forgotten)
    }
}

fn unwanted(sql: &Connection, ids: &[SegmentId]) -> Result<Vec<Unwanted>> {
    let mut select = sql.prepare_cached("SELECT key, path, state, rows FROM segment WHERE id = ?")?;
    let mut one = |id: &SegmentId| {
        let found = select.query_row([catalog::id_bytes(*id)], |row| {
            let rows = row.get::<_, i64>(3)?.cast_unsigned();
            Ok(Unwanted { key: row.get(0)?, path: row.get(1)?, state: row.get(2)?, rows })
        });
        found.optional()
    };
    let ids: BTreeSet<&SegmentId> = ids.iter().collect();
    let found = ids.into_iter().filter_map(|id| one(id).transpose());
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Records that segments are deleted. Returns the effect, and the files of connections that are no longer needed.
fn forget(transaction: &Transaction<'_>, unwanted: &[Unwanted]) -> Result<(Forgotten, Vec<String>)> {
    let kept = unwanted.iter().filter(|segment| segment.state == FileState::Kept as i64);
    let packets = kept.map(|segment| segment.rows).sum();
    let mut forgotten = Forgotten { segments: unwanted.len() as u64, packets, ..Forgotten::default() };
    let mut windows = BTreeSet::new();
    for segment in unwanted {
        windows.extend(retention::windows_of(transaction, segment.key)?);
        catalog::set_state(transaction, segment.key, FileState::Deleted)?;
        transaction.execute("DELETE FROM segment_window WHERE segment = ?", [segment.key])?;
        // Nothing is missing any more where it was damaged.
        damage::note_segment(transaction, catalog::id(transaction, segment.key)?)?;
    }
    let mut paths = Vec::new();
    for window in windows {
        let is_left = !catalog::segments_of(transaction, window)?.is_empty();
        if keeps_results(transaction, window)? {
            forgotten.frozen.push(window);
        } else if is_left {
            forgotten.left.push(window);
        } else {
            paths.extend(remove_results(transaction, window)?);
            forgotten.removed.push(window);
        }
    }
    Ok((forgotten, paths))
}

/// Whether a window's results cannot be computed again.
fn keeps_results(sql: &Connection, window: Window) -> Result<bool> {
    let mut select = sql.prepare_cached("SELECT frozen FROM window WHERE start = ?")?;
    let frozen = select.query_row([window.start()], |row| row.get::<_, bool>(0)).optional()?;
    Ok(frozen.unwrap_or(false) || rollup::is_gone(sql, window)?)
}

/// Removes the results of a window; returns the file of its connections.
fn remove_results(transaction: &Transaction<'_>, window: Window) -> Result<Option<String>> {
    let path = catalog::window_path(transaction, window)?;
    if path.is_some() {
        catalog::forget_connections(transaction, window)?;
        damage::found_connections(transaction, window)?;
        rollup::delete_window(transaction, window)?;
        transaction.execute("DELETE FROM window WHERE start = ?", [window.start()])?;
    }
    Ok(path.flatten())
}
