//! Damaged and missing files: they are set aside and recorded, and results computed from them are kept.

use std::collections::BTreeSet;

use cutshort_model::Window;
use cutshort_store::{Damaged, Impaired, Impairment, Inputs, SegmentId, Status, StoreError};
use rusqlite::{Connection, Transaction, params};

use super::Embedded;
use super::catalog::{self, FileState, SegmentFile};
use super::connections::StoredFile;
use crate::error::Result;

/// * `made_without`: results that were computed while a segment with packets of their window was damaged.
/// * `lost_connections`: windows whose connections are damaged or missing, with the name of the file that was set
///   aside.
/// * `lost_counts`: counts that could not be recovered completely when the database was repaired.
/// * `connections_crc`: checksums of files of connections. Files of earlier versions have none.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS made_without (
  window INTEGER NOT NULL, segment BLOB NOT NULL, PRIMARY KEY (window, segment)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lost_connections (window INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lost_counts (
  level INTEGER NOT NULL, t INTEGER NOT NULL, PRIMARY KEY (level, t)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS connections_crc (path TEXT PRIMARY KEY, crc INTEGER NOT NULL) WITHOUT ROWID;
";

/// Segments of a window that are damaged or missing.
const LOST: &str = "SELECT s.id FROM segment_window w JOIN segment s ON s.key = w.segment
                    WHERE w.window = ? AND s.state IN (2, 3)";

/// Creates the tables if they are missing, as they are in earlier stores.
pub(super) fn create(sql: &Connection) -> Result<()> {
    Ok(sql.execute_batch(TABLES)?)
}

/// Whether a table exists: readers may open an earlier store.
fn has(sql: &Connection, table: &str) -> Result<bool> {
    Ok(sql.table_exists(None, table)?)
}

fn exists(sql: &Connection, select: &str, window: Window) -> Result<bool> {
    Ok(sql.prepare_cached(select)?.exists([window.start()])?)
}

/// How damage affects the results of a window, present ones or those that would be computed now.
pub(super) fn impairment(sql: &Connection, window: Window) -> Result<Option<Impairment>> {
    let has_results = exists(sql, "SELECT 1 FROM window WHERE start = ?", window)?;
    if exists(sql, LOST, window)? {
        return Ok(Some(if has_results { Impairment::Kept } else { Impairment::Incomplete }));
    }
    let without = "SELECT 1 FROM made_without WHERE window = ?";
    let is_incomplete = has(sql, "made_without")? && exists(sql, without, window)?;
    Ok(is_incomplete.then_some(Impairment::Incomplete))
}

/// All windows that are affected by damage.
pub(super) fn impaired(sql: &Connection) -> Result<Vec<Impaired>> {
    use Impairment::{Incomplete, Kept, WithoutConnections, WithoutCounts};
    let lost = |comparison| {
        format!(
            "SELECT DISTINCT w.window FROM segment s JOIN segment_window w ON w.segment = s.key
             WHERE s.state IN (2, 3) AND {comparison} (SELECT 1 FROM window WHERE start = w.window)"
        )
    };
    let mut selects = vec![(Kept, lost("EXISTS")), (Incomplete, lost("NOT EXISTS"))];
    if has(sql, "made_without")? {
        selects.push((Incomplete, "SELECT DISTINCT window FROM made_without".to_owned()));
        selects.push((WithoutConnections, "SELECT window FROM lost_connections".to_owned()));
        let counts = format!("SELECT t * {} FROM lost_counts WHERE level = 0", Window::LENGTH);
        selects.push((WithoutCounts, counts));
    }
    let mut all = Vec::new();
    for (how, select) in selects {
        let mut select = sql.prepare_cached(&select)?;
        for window in select.query_map([], |row| catalog::window_at(row, 0))? {
            all.push(Impaired { window: window?, how });
        }
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// Windows whose connections are damaged or missing, so that they must be computed again.
pub(super) fn lost_connections(sql: &Connection, range: &std::ops::Range<i64>) -> Result<Vec<Window>> {
    if !has(sql, "lost_connections")? {
        return Ok(Vec::new());
    }
    let mut select =
        sql.prepare_cached("SELECT window FROM lost_connections WHERE window >= ? AND window < ?")?;
    let rows = select.query_map([range.start, range.end], |row| catalog::window_at(row, 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Records that a segment exists again.
pub(super) fn note_segment(sql: &Transaction<'_>, id: SegmentId) -> Result<()> {
    let id = catalog::id_bytes(id);
    sql.execute("DELETE FROM damaged WHERE segment = ?", [id])?;
    sql.execute("DELETE FROM made_without WHERE segment = ?", [id])?;
    Ok(())
}

/// Records a window's new results: which segments they lack, and that its connections are complete.
pub(super) fn note_results(
    sql: &Transaction<'_>,
    window: Window,
    inputs: Inputs,
    file: &catalog::ConnectionsFile,
) -> Result<()> {
    let mut select = sql.prepare_cached(LOST)?;
    let lost: Vec<SegmentId> =
        select.query_map([window.start()], |row| catalog::id_of(row, 0))?.collect::<rusqlite::Result<_>>()?;
    if !lost.is_empty() {
        let kept = catalog::segments_of(sql, window)?;
        let mut ids: Vec<_> = kept.iter().map(|segment| segment.id).chain(lost.iter().copied()).collect();
        // One that was found to be damaged after it was read is no loss to these results.
        if Inputs::of(window, &mut ids, inputs.cutoff).segments != inputs.segments {
            note_without(sql, window, &lost)?;
        }
    }
    found_connections(sql, window)?;
    let counted = "DELETE FROM lost_counts WHERE level = 0 AND t = ?";
    sql.prepare_cached(counted)?.execute([window.number()])?;
    let insert = "INSERT OR REPLACE INTO connections_crc (path, crc) VALUES (?, ?)";
    sql.prepare_cached(insert)?.execute(params![file.path, file.crc])?;
    Ok(())
}

/// Detaches segments from a window until they are stored again.
fn note_without(sql: &Transaction<'_>, window: Window, lost: &[SegmentId]) -> Result<()> {
    let mut note =
        sql.prepare_cached("INSERT OR IGNORE INTO made_without (window, segment) VALUES (?, ?)")?;
    let unlink =
        "DELETE FROM segment_window WHERE window = ? AND segment = (SELECT key FROM segment WHERE id = ?)";
    let mut unlink = sql.prepare_cached(unlink)?;
    for id in lost {
        note.execute(params![window.start(), catalog::id_bytes(*id)])?;
        unlink.execute(params![window.start(), catalog::id_bytes(*id)])?;
    }
    Ok(())
}

/// Records that a window's connections exist again, or have been kept long enough.
pub(super) fn found_connections(sql: &Connection, window: Window) -> Result<()> {
    let named = "DELETE FROM damaged WHERE name = (SELECT name FROM lost_connections WHERE window = ?)";
    sql.prepare_cached(named)?.execute([window.start()])?;
    sql.prepare_cached("DELETE FROM lost_connections WHERE window = ?")?.execute([window.start()])?;
    Ok(())
}

/// Counts that are known to be incomplete, by level and time.
pub(super) fn lost_counts(sql: &Connection) -> Result<BTreeSet<(i64, i64)>> {
    if !has(sql, "lost_counts")? {
        return Ok(BTreeSet::new());
    }
    let mut select = sql.prepare_cached("SELECT level, t FROM lost_counts")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The checksum of a file of connections, if it is known.
pub(super) fn connections_crc(sql: &Connection, path: &str) -> Result<Option<u32>> {
    if !has(sql, "connections_crc")? {
        return Ok(None);
    }
    let mut select = sql.prepare_cached("SELECT crc FROM connections_crc WHERE path = ?")?;
    let mut rows = select.query([path])?;
    Ok(rows.next()?.map(|row| row.get::<_, i64>(0)).transpose()?.map(|crc| crc as u32))
}

pub(super) fn forget_crc(sql: &Connection, path: &str) -> Result<()> {
    sql.prepare_cached("DELETE FROM connections_crc WHERE path = ?")?.execute([path])?;
    Ok(())
}

/// Records a segment that can no longer be used.
pub(super) fn lose_segment(
    sql: &Transaction<'_>,
    key: i64,
    state: FileState,
    name: &str,
    why: &str,
) -> Result<()> {
    catalog::set_state(sql, key, state)?;
    catalog::add_damaged(sql, name, why, Some(catalog::id(sql, key)?))
}

/// Records that the connections of a window can no longer be used.
pub(super) fn lose_connections(sql: &Transaction<'_>, window: Window, name: &str, why: &str) -> Result<()> {
    catalog::forget_connections(sql, window)?;
    catalog::add_damaged(sql, name, why, None)?;
    sql.execute(
        "INSERT OR REPLACE INTO lost_connections (window, name) VALUES (?, ?)",
        params![window.start(), name],
    )?;
    Ok(())
}

impl Embedded {
    /// Sets aside a segment that cannot be used. Several threads may find this at the same time.
    pub(super) fn set_segment_aside(&self, segment: &SegmentFile, why: &str) -> Result<()> {
        self.check_writer().map_err(|_| StoreError::Damaged(format!("{}: {why}", segment.path).into()))?;
        self.database.write(|sql| {
            let transaction = sql.transaction()?;
            if !catalog::is_known(&transaction, segment.id)? {
                return Ok(());
            }
            let (state, name) = if self.folder.has(&segment.path) {
                (FileState::Damaged, self.folder.set_aside(&segment.path)?)
            } else {
                (FileState::Missing, segment.path.clone())
            };
            lose_segment(&transaction, segment.key, state, &name, why)?;
            Ok(transaction.commit()?)
        })
    }

    /// Sets aside the connections of a window if they cannot be used. A reader only remembers this.
    pub(super) fn set_connections_aside(&self, file: &StoredFile, why: &str) -> Result<()> {
        let StoredFile { window, path, .. } = file;
        if self.lock.is_none() {
            let found = Damaged { name: path.clone(), why: why.to_owned() };
            super::guard(&self.unreadable).insert(*window, found);
            return Ok(());
        }
        self.database.write(|sql| {
            let transaction = sql.transaction()?;
            let is_current = catalog::window_path(&transaction, *window)?.flatten().as_ref() == Some(path);
            if !is_current {
                return Ok(());
            }
            let name = if self.folder.has(path) { self.folder.set_aside(path)? } else { path.clone() };
            lose_connections(&transaction, *window, &name, why)?;
            Ok(transaction.commit()?)
        })
    }

    /// Adds what this reader has found and the writer does not know yet.
    pub(super) fn add_unreadable(&self, status: &mut Status) {
        for (window, found) in &*super::guard(&self.unreadable) {
            status.damaged.push(found.clone());
            status.impaired.push(Impaired { window: *window, how: Impairment::WithoutConnections });
        }
        status.impaired.sort_unstable();
        status.impaired.dedup();
    }
}
