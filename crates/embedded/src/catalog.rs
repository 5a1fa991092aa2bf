//! The tables of segments and windows.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use cutshort_model::{Addresses, Window, now};
use cutshort_store::{
    CoverageBuilder, Inputs, NodeCoverage, SegmentId, SegmentInfo, StoreError, WindowCounts, WindowState,
};
use cutshort_verdict::{Exclusion, ReaderClock};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};

use super::{damage, rollup};
use crate::error::{Error, Result};

/// Marks the database as that of a store: "cuts".
const APPLICATION: i64 = 0x6375_7473;
/// The version of the tables.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE segment (
  key INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  path TEXT NOT NULL,
  node TEXT NOT NULL,
  origin TEXT NOT NULL,
  covers_from INTEGER NOT NULL,
  covers_to INTEGER NOT NULL,
  first INTEGER,
  last INTEGER,
  rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  arrived INTEGER NOT NULL,
  state INTEGER NOT NULL
);
CREATE INDEX segment_state ON segment (state, covers_to);
CREATE TABLE segment_window (
  window INTEGER NOT NULL,
  segment INTEGER NOT NULL,
  PRIMARY KEY (window, segment)
) WITHOUT ROWID;
CREATE INDEX segment_window_segment ON segment_window (segment);
CREATE TABLE window (
  start INTEGER PRIMARY KEY,
  generation INTEGER NOT NULL,
  path TEXT,
  bytes INTEGER NOT NULL,
  segments INTEGER NOT NULL,
  cutoff INTEGER NOT NULL,
  rules INTEGER NOT NULL,
  packets INTEGER NOT NULL,
  copies INTEGER NOT NULL,
  tail INTEGER NOT NULL DEFAULT 0,
  connections INTEGER NOT NULL,
  no_syn INTEGER NOT NULL,
  multiple_syn INTEGER NOT NULL,
  incomplete INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  frozen INTEGER NOT NULL
);
CREATE TABLE damaged (
  name TEXT PRIMARY KEY,
  why TEXT NOT NULL,
  segment BLOB
);
";

/// How the addresses of packets ever stored were protected. Stores from before addresses could be protected get this
/// table when they are opened for writing.
const PROTECTED: &str = "CREATE TABLE IF NOT EXISTS protected (addresses TEXT PRIMARY KEY) WITHOUT ROWID";

/// What happened to a segment's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileState {
    Kept = 0,
    /// Deleted by retention. Its ID stays known, and what it covered is still covered.
    Deleted = 1,
    /// Set aside. The segment can be stored again.
    Damaged = 2,
    /// Missing, but not deleted by the store. The segment can be stored again.
    Missing = 3,
}

/// The file of a segment.
pub(super) struct SegmentFile {
    pub(super) key: i64,
    pub(super) id: SegmentId,
    pub(super) path: String,
    pub(super) node: String,
    pub(super) times: (i64, i64),
    pub(super) crc: u32,
}

/// Creates the tables, or checks that their version is known.
pub(super) fn create(sql: &mut Connection) -> Result<()> {
    if is_new(sql)? {
        let transaction = sql.transaction()?;
        transaction.execute_batch(TABLES)?;
        rollup::create(&transaction)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
    }
    check(sql)?;
    if !has_tail(sql)? {
        sql.execute_batch(ADD_TAIL)?;
    }
    add_excluded(sql)?;
    // Earlier stores lack the table of servers.
    rollup::create(sql)?;
    damage::create(sql)?;
    sql.execute_batch(COVERAGE)?;
    Ok(sql.execute_batch(PROTECTED)?)
}

/// What segments cover is read in this order. Earlier stores get the index when they are opened for writing.
const COVERAGE: &str =
    "CREATE INDEX IF NOT EXISTS segment_coverage ON segment (node, covers_from, covers_to, state)";

/// Whether the table of windows has a column for rows that are the tail of an earlier connection. Earlier stores get
/// it when they are opened for writing.
fn has_tail(sql: &Connection) -> Result<bool> {
    let select = "SELECT count(*) FROM pragma_table_info('window') WHERE name = 'tail'";
    Ok(sql.query_row(select, [], |row| row.get::<_, i64>(0))? > 0)
}

const ADD_TAIL: &str = "ALTER TABLE window ADD COLUMN tail INTEGER NOT NULL DEFAULT 0";

/// The SQL expression for that number.
pub(super) fn tail(sql: &Connection) -> Result<&'static str> {
    Ok(if has_tail(sql)? { "tail" } else { "0" })
}

/// The column of the table of windows that counts a reason for exclusion.
fn excluded_column(reason: Exclusion) -> String {
    format!("\"{}\"", reason.name())
}

fn has_excluded(sql: &Connection, reason: Exclusion) -> Result<bool> {
    let select = "SELECT count(*) > 0 FROM pragma_table_info('window') WHERE name = ?";
    Ok(sql.prepare_cached(select)?.query_row([reason.name()], |row| row.get(0))?)
}

/// Earlier stores get columns for new reasons when they are opened for writing.
fn add_excluded(sql: &Connection) -> Result<()> {
    for reason in Exclusion::ALL {
        if !has_excluded(sql, reason)? {
            let column = excluded_column(reason);
            sql.execute(&format!("ALTER TABLE window ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0"), [])?;
        }
    }
    Ok(())
}

/// The numbers of exclusions in SQL, in the order of [`Exclusion::ALL`].
pub(super) fn excluded(sql: &Connection) -> Result<[String; Exclusion::ALL.len()]> {
    let mut columns = Exclusion::ALL.map(excluded_column);
    for (column, reason) in columns.iter_mut().zip(Exclusion::ALL) {
        if !has_excluded(sql, reason)? {
            "0".clone_into(column);
        }
    }
    Ok(columns)
}

/// The numbers of exclusions in the columns of a row from `first` on.
pub(super) fn excluded_of(row: &Row<'_>, first: usize) -> rusqlite::Result<[u64; Exclusion::ALL.len()]> {
    let mut excluded = [0; Exclusion::ALL.len()];
    for (at, number) in excluded.iter_mut().enumerate() {
        *number = row.get::<_, i64>(first + at)?.cast_unsigned();
    }
    Ok(excluded)
}

fn is_new(sql: &Connection) -> Result<bool> {
    Ok(sql.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?)
}

/// Whether the database is marked as that of a store.
pub(super) fn is_of_store(sql: &Connection) -> Result<bool> {
    let application = sql.pragma_query_value(None, "application_id", |row| row.get::<_, i64>(0))?;
    Ok(application == APPLICATION)
}

/// Checks that the database is that of a store, of a known version.
pub(super) fn check(sql: &Connection) -> Result<()> {
    let get = |name| sql.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if !is_of_store(sql)? {
        return Err(Error(StoreError::Refused("its database is not that of a store".to_owned())));
    }
    match get("user_version")? {
        VERSION => Ok(()),
        other => Err(Error(StoreError::Refused(format!(
            "the store has version {other}, and this program knows version {VERSION}: use the program that wrote it, or a newer one"
        )))),
    }
}

pub(super) fn id_bytes(id: SegmentId) -> [u8; 16] {
    id.0.to_be_bytes()
}

pub(super) fn id_of(row: &Row<'_>, column: usize) -> rusqlite::Result<SegmentId> {
    row.get::<_, [u8; 16]>(column).map(|bytes| SegmentId(u128::from_be_bytes(bytes)))
}

/// Whether a segment is known, so that storing it changes nothing.
pub(super) fn is_known(sql: &Connection, id: SegmentId) -> Result<bool> {
    let state = sql
        .prepare_cached("SELECT state FROM segment WHERE id = ?")?
        .query_row([id_bytes(id)], |row| row.get::<_, i64>(0))
        .optional()?;
    Ok(state.is_some_and(|state| state == FileState::Kept as i64 || state == FileState::Deleted as i64))
}

/// Records a segment whose file exists; returns its key.
pub(super) fn add_segment(
    sql: &Transaction<'_>,
    info: &SegmentInfo,
    windows: impl Iterator<Item = Window>,
    file: (&str, u64, u32),
    arrived: i64,
) -> Result<i64> {
    let (path, bytes, crc) = file;
    let id = id_bytes(info.id);
    damage::note_segment(sql, info.id)?;
    sql.execute("DELETE FROM segment_window WHERE segment = (SELECT key FROM segment WHERE id = ?)", [id])?;
    sql.execute("DELETE FROM segment WHERE id = ?", [id])?;
    sql.prepare_cached(
        "INSERT INTO segment (id, path, node, origin, covers_from, covers_to, first, last, rows, bytes, crc, arrived, state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
    )?
    .execute(params![
        id,
        path,
        info.node,
        info.origin.name(),
        info.covers.0,
        info.covers.1,
        info.times.map(|times| times.0),
        info.times.map(|times| times.1),
        info.rows.cast_signed(),
        bytes.cast_signed(),
        crc,
        arrived,
    ])?;
    let key = sql.last_insert_rowid();
    if info.addresses != Addresses::Full {
        sql.execute("INSERT OR IGNORE INTO protected VALUES (?)", [info.addresses.name()])?;
    }
    let mut insert = sql.prepare_cached("INSERT INTO segment_window (window, segment) VALUES (?, ?)")?;
    for window in windows {
        insert.execute([window.start(), key])?;
    }
    Ok(key)
}

/// How the addresses of packets ever stored were protected.
pub(super) fn protected(sql: &Connection) -> Result<Vec<Addresses>> {
    let is_there = "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'protected'";
    if !sql.query_row(is_there, [], |row| row.get::<_, bool>(0))? {
        return Ok(Vec::new());
    }
    let mut select = sql.prepare("SELECT addresses FROM protected")?;
    let names: Vec<String> = select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(Addresses::ALL
        .into_iter()
        .filter(|addresses| names.iter().any(|name| name == addresses.name()))
        .collect())
}

/// Paths of all segments, with the state of their files.
pub(super) fn paths(sql: &Connection) -> Result<BTreeMap<String, (i64, FileState)>> {
    let mut select = sql.prepare("SELECT path, key, state FROM segment")?;
    let rows = select.query_map([], |row| {
        let state = match row.get::<_, i64>(2)? {
            0 => FileState::Kept,
            1 => FileState::Deleted,
            2 => FileState::Damaged,
            _ => FileState::Missing,
        };
        Ok((row.get(0)?, (row.get(1)?, state)))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn id(sql: &Connection, key: i64) -> Result<SegmentId> {
    Ok(sql.query_row("SELECT id FROM segment WHERE key = ?", [key], |row| id_of(row, 0))?)
}

pub(super) fn set_state(sql: &Connection, key: i64, state: FileState) -> Result<()> {
    sql.prepare_cached("UPDATE segment SET state = ? WHERE key = ?")?.execute([state as i64, key])?;
    Ok(())
}

/// Records a file that was set aside, and the segment it belongs to.
pub(super) fn add_damaged(sql: &Connection, name: &str, why: &str, id: Option<SegmentId>) -> Result<()> {
    sql.execute(
        "INSERT OR REPLACE INTO damaged (name, why, segment) VALUES (?, ?, ?)",
        params![name, why, id.map(id_bytes)],
    )?;
    Ok(())
}

const SEGMENT_FILE: &str = "SELECT s.key, s.id, s.path, s.node, s.first, s.last, s.crc FROM segment s";

impl SegmentFile {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        // Those without packets have no times.
        let time =
            |column, none| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.unwrap_or(none));
        Ok(Self {
            key: row.get(0)?,
            id: id_of(row, 1)?,
            path: row.get(2)?,
            node: row.get(3)?,
            times: (time(4, i64::MAX)?, time(5, i64::MIN)?),
            // One that is damaged is that of no file.
            crc: row.get::<_, i64>(6)? as u32,
        })
    }
}

/// The stored segments that have packets of a window.
pub(super) fn segments_of(sql: &Connection, window: Window) -> Result<Vec<SegmentFile>> {
    let select = format!(
        "{SEGMENT_FILE} JOIN segment_window w ON w.segment = s.key WHERE w.window = ? AND s.state = ? ORDER BY s.id"
    );
    let mut select = sql.prepare_cached(&select)?;
    let rows = select.query_map([window.start(), FileState::Kept as i64], SegmentFile::of)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The file of a stored segment.
pub(super) fn segment_of(sql: &Connection, id: SegmentId) -> Result<Option<SegmentFile>> {
    let mut select = sql.prepare_cached(&format!("{SEGMENT_FILE} WHERE s.id = ? AND s.state = ?"))?;
    Ok(select.query_row((id_bytes(id), FileState::Kept as i64), SegmentFile::of).optional()?)
}

/// The end of the time that all segments cover. Times in the future, which come from a wrong clock, do not count
/// unless there is nothing else (docs/spec.md#connection).
pub(super) fn covered_to(sql: &Connection) -> Result<Option<i64>> {
    match covered_until(sql, ReaderClock::limit(now()))? {
        None => covered_until(sql, i64::MAX),
        present => Ok(present),
    }
}

/// The latest end of what a segment covers, up to a time.
fn covered_until(sql: &Connection, limit: i64) -> Result<Option<i64>> {
    let mut select =
        sql.prepare_cached("SELECT max(covers_to) FROM segment WHERE state = ? AND covers_to <= ?")?;
    let mut latest = |state| select.query_row([state as i64, limit], |row| row.get::<_, Option<i64>>(0));
    Ok(latest(FileState::Kept)?.max(latest(FileState::Deleted)?))
}

/// The time that the segments of each node cover.
pub(super) fn coverage(sql: &Connection) -> Result<Vec<NodeCoverage>> {
    let mut coverage = CoverageBuilder::default();
    let mut select = sql.prepare_cached(
        // Only the index `segment_coverage` is read: the signs keep the others away.
        "SELECT node, covers_from, covers_to FROM segment WHERE +state IN (0, 1) AND +covers_to <= ?
         ORDER BY node, covers_from",
    )?;
    let mut rows = select.query([covered_to(sql)?])?;
    while let Some(row) = rows.next()? {
        let node = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        coverage.add(node, (row.get(1)?, row.get(2)?));
    }
    let mut select = sql.prepare_cached("SELECT start FROM window ORDER BY start")?;
    let windows = select.query_map([], |row| window_at(row, 0))?;
    Ok(coverage.finish(windows.collect::<rusqlite::Result<Vec<_>>>()?))
}

/// The number of segments that cover time in the future, which does not count.
pub(super) fn covers_future(sql: &Connection) -> Result<u64> {
    let mut select = sql.prepare_cached(
        "SELECT count(*) FROM segment WHERE state IN (0, 1) AND covers_to > ?1
         AND EXISTS (SELECT 1 FROM segment WHERE state IN (0, 1) AND covers_to <= ?1)",
    )?;
    Ok(select.query_row([ReaderClock::limit(now())], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

/// The inputs from which a window's results would be computed now.
pub(super) fn inputs(sql: &Connection, window: Window, segments: &[SegmentFile]) -> Result<Inputs> {
    let mut ids: Vec<_> = segments.iter().map(|segment| segment.id).collect();
    Ok(Inputs::of(window, &mut ids, covered_to(sql)?.unwrap_or(i64::MIN)))
}

/// The state of a window while it is collected.
#[derive(Default)]
struct CollectedState {
    ids: Vec<SegmentId>,
    bytes: u64,
    set_aside: bool,
    lost_connections: bool,
    done: Option<Inputs>,
    frozen: bool,
}

/// The window whose start is in a column.
pub(super) fn window_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Window> {
    Ok(Window::containing(row.get(column)?))
}

pub(super) fn windows(sql: &Connection, range: &Range<i64>) -> Result<Vec<WindowState>> {
    let mut found: BTreeMap<Window, CollectedState> = BTreeMap::new();
    let mut select = sql.prepare_cached(
        "SELECT w.window, s.id, s.bytes, s.state FROM segment_window w
         JOIN segment s ON s.key = w.segment WHERE w.window >= ? AND w.window < ?",
    )?;
    let mut rows = select.query([range.start, range.end])?;
    while let Some(row) = rows.next()? {
        let window = found.entry(window_at(row, 0)?).or_default();
        if row.get::<_, i64>(3)? == FileState::Kept as i64 {
            window.ids.push(id_of(row, 1)?);
            window.bytes += row.get::<_, i64>(2)?.cast_unsigned();
        } else {
            window.set_aside = true;
        }
    }
    let mut select = sql.prepare_cached(
        "SELECT start, segments, cutoff, rules, frozen FROM window WHERE start >= ? AND start < ?",
    )?;
    let mut rows = select.query([range.start, range.end])?;
    while let Some(row) = rows.next()? {
        let window = found.entry(window_at(row, 0)?).or_default();
        window.done = Some(Inputs {
            segments: row.get::<_, i64>(1)?.cast_unsigned(),
            cutoff: row.get(2)?,
            rules: row.get::<_, i64>(3)?.cast_unsigned(),
        });
        window.frozen = row.get(4)?;
    }
    for window in damage::lost_connections(sql, range)? {
        found.entry(window).or_default().lost_connections = true;
    }
    // Counts that are part of hours and days for good cannot be replaced any more.
    for window in rollup::gone(sql, range)? {
        if let Some(found) = found.get_mut(&window).filter(|found| !found.ids.is_empty()) {
            found.frozen = true;
        }
    }
    let covered_to = covered_to(sql)?.unwrap_or(i64::MIN);
    let there = found.into_iter().filter(|(_, window)| !window.ids.is_empty() || window.done.is_some());
    Ok(there.map(|(window, found)| found.state(window, covered_to)).collect())
}

/// The generation of each window's results, in order.
pub(super) fn generations(sql: &Connection, range: &Range<i64>) -> Result<Vec<(Window, u64)>> {
    let mut select = sql.prepare_cached(
        "SELECT start, generation FROM window WHERE start >= ? AND start < ? ORDER BY start",
    )?;
    let rows = select.query_map([range.start, range.end], |row| {
        Ok((window_at(row, 0)?, row.get::<_, i64>(1)?.cast_unsigned()))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

impl CollectedState {
    fn state(mut self, window: Window, covered_to: i64) -> WindowState {
        let frozen = self.frozen || (self.set_aside && self.done.is_some());
        // Connections that are lost are made again, where that is possible.
        let is_to_be_made = self.lost_connections && !frozen && !self.ids.is_empty();
        WindowState {
            window,
            inputs: Inputs::of(window, &mut self.ids, covered_to),
            done: self.done.filter(|_| !is_to_be_made),
            frozen,
            bytes: self.bytes,
        }
    }
}

/// The file of a window's connections.
pub(super) struct ConnectionsFile {
    pub(super) generation: i64,
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) crc: u32,
}

/// Columns of the table of windows, besides those of exclusions.
const WINDOW_COLUMNS: [&str; 13] = [
    "start",
    "generation",
    "path",
    "bytes",
    "segments",
    "cutoff",
    "rules",
    "packets",
    "copies",
    "connections",
    "tail",
    "updated",
    "frozen",
];

/// Whether results are frozen does not change.
static REPLACE_WINDOW: LazyLock<String> = LazyLock::new(|| {
    let excluded = Exclusion::ALL.map(excluded_column);
    let columns: Vec<&str> = WINDOW_COLUMNS.into_iter().chain(excluded.iter().map(String::as_str)).collect();
    let replaced = columns.iter().filter(|column| !["start", "frozen"].contains(*column));
    let replaced = replaced.map(|column| format!("{column} = excluded.{column}"));
    format!(
        "INSERT INTO window ({}) VALUES ({}) ON CONFLICT (start) DO UPDATE SET {}",
        columns.join(", "),
        vec!["?"; columns.len()].join(", "),
        replaced.collect::<Vec<_>>().join(", "),
    )
});

/// Records a window's new results; returns the path of the previous connections.
pub(super) fn replace_window(
    sql: &Transaction<'_>,
    window: Window,
    file: &ConnectionsFile,
    inputs: Inputs,
    counts: &WindowCounts,
    now: i64,
) -> Result<Option<String>> {
    let before = window_path(sql, window)?.flatten();
    let values: [Value; WINDOW_COLUMNS.len()] = [
        window.start().into(),
        file.generation.into(),
        file.path.clone().into(),
        file.bytes.cast_signed().into(),
        inputs.segments.cast_signed().into(),
        inputs.cutoff.into(),
        inputs.rules.cast_signed().into(),
        counts.packets.cast_signed().into(),
        counts.duplicates.cast_signed().into(),
        counts.connections.cast_signed().into(),
        counts.tail.cast_signed().into(),
        now.into(),
        0.into(),
    ];
    let excluded = counts.excluded.iter().map(|number| Value::from(number.cast_signed()));
    sql.prepare_cached(&REPLACE_WINDOW)?.execute(params_from_iter(values.into_iter().chain(excluded)))?;
    if let Some(before) = &before {
        damage::forget_crc(sql, before)?;
    }
    damage::note_results(sql, window, inputs, file)?;
    Ok(before)
}

/// The path of a window's connections: the outer none without results, the inner one if they were deleted.
pub(super) fn window_path(sql: &Connection, window: Window) -> Result<Option<Option<String>>> {
    let mut select = sql.prepare_cached("SELECT path FROM window WHERE start = ?")?;
    Ok(select.query_row([window.start()], |row| row.get(0)).optional()?)
}

/// The windows of a range whose connections are stored, with their paths.
pub(super) fn connection_paths(sql: &Connection, range: &Range<i64>) -> Result<Vec<(Window, String)>> {
    let mut select = sql.prepare_cached(
        "SELECT start, path FROM window WHERE path IS NOT NULL AND start >= ? AND start < ? ORDER BY start",
    )?;
    let rows = select.query_map([range.start, range.end], |row| Ok((window_at(row, 0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The number of connections of a window.
pub(super) fn connection_count(sql: &Connection, window: Window) -> Result<Option<u64>> {
    let mut select = sql.prepare_cached("SELECT connections FROM window WHERE start = ?")?;
    Ok(select.query_row([window.start()], |row| row.get::<_, i64>(0)).optional()?.map(i64::cast_unsigned))
}

/// Path, checksum and number of rows of a stored segment.
pub(super) fn segment_file(sql: &Connection, id: SegmentId) -> Result<Option<(String, u32, u64)>> {
    let mut select = sql.prepare_cached("SELECT path, crc, rows FROM segment WHERE id = ? AND state = ?")?;
    let row = select.query_row((id_bytes(id), FileState::Kept as i64), |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)? as u32, row.get::<_, i64>(2)?.cast_unsigned()))
    });
    Ok(row.optional()?)
}

/// Records that a window's connections no longer exist, and deletes its counts by server, which have addresses, too.
pub(super) fn forget_connections(sql: &Connection, window: Window) -> Result<()> {
    if let Some(path) = window_path(sql, window)?.flatten() {
        damage::forget_crc(sql, &path)?;
    }
    sql.execute("UPDATE window SET path = NULL, bytes = 0 WHERE start = ?", [window.start()])?;
    rollup::delete_servers(sql, window)
}

pub(super) fn latest_generation(sql: &Connection) -> Result<i64> {
    Ok(sql.query_row("SELECT ifnull(max(generation), 0) FROM window", [], |row| row.get(0))?)
}

/// Records that a segment no longer exists, and that the results of its windows must be kept.
pub(super) fn forget_segment(sql: &Transaction<'_>, key: i64, windows: &[Window]) -> Result<()> {
    set_state(sql, key, FileState::Deleted)?;
    let mut freeze = sql.prepare_cached("UPDATE window SET frozen = 1 WHERE start = ?")?;
    for window in windows {
        freeze.execute([window.start()])?;
    }
    sql.prepare_cached("DELETE FROM segment_window WHERE segment = ?")?.execute([key])?;
    Ok(())
}

pub(super) fn set_frozen(sql: &Connection, window: Window, frozen: bool) -> Result<()> {
    sql.prepare_cached("UPDATE window SET frozen = ? WHERE start = ?")?
        .execute(params![frozen, window.start()])?;
    Ok(())
}
