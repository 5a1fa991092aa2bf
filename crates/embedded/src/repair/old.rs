//! Reads segments and windows from a damaged database.

use std::collections::{BTreeMap, BTreeSet};

use cutshort_model::Window;
use cutshort_store::{Segment, SegmentId};
use cutshort_verdict::Exclusion;
use rusqlite::{Connection, Row, params};

use crate::catalog::{self, FileState};
use crate::error::Result;
use crate::rescue::{Scan, scan};

/// A row of the table of segments.
#[derive(Clone, Debug)]
pub(super) struct OldSegment {
    pub(super) id: SegmentId,
    pub(super) path: String,
    node: String,
    origin: String,
    covers: (i64, i64),
    pub(super) times: Option<(i64, i64)>,
    rows: i64,
    bytes: i64,
    pub(super) crc: u32,
    arrived: i64,
    state: i64,
    windows: BTreeSet<Window>,
}

impl OldSegment {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (first, last): (Option<i64>, Option<i64>) = (row.get("first")?, row.get("last")?);
        Ok(Self {
            id: row.get::<_, [u8; 16]>("id").map(|bytes| SegmentId(u128::from_be_bytes(bytes)))?,
            path: row.get("path")?,
            node: row.get("node")?,
            origin: row.get("origin")?,
            covers: (row.get("covers_from")?, row.get("covers_to")?),
            times: first.zip(last),
            rows: row.get("rows")?,
            bytes: row.get("bytes")?,
            crc: row.get("crc")?,
            arrived: row.get("arrived")?,
            state: row.get("state")?,
            windows: BTreeSet::new(),
        })
    }

    /// Whether it agrees with the segment's file.
    pub(super) fn is_of(&self, segment: &Segment, path: &str) -> bool {
        let info = segment.info();
        let numbers = (info.rows.cast_signed(), segment.bytes().len() as i64);
        self.path == path && self.node == info.node && (self.rows, self.bytes) == numbers
    }

    pub(super) const fn is_deleted(&self) -> bool {
        self.state == FileState::Deleted as i64
    }

    /// Inserts the row unchanged.
    pub(super) fn insert(&self, new: &Connection) -> Result<()> {
        new.execute(
            "INSERT INTO segment (id, path, node, origin, covers_from, covers_to, first, last, rows, bytes, crc, arrived, state)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                catalog::id_bytes(self.id),
                self.path,
                self.node,
                self.origin,
                self.covers.0,
                self.covers.1,
                self.times.map(|times| times.0),
                self.times.map(|times| times.1),
                self.rows,
                self.bytes,
                self.crc,
                self.arrived,
                self.state,
            ],
        )?;
        let key = new.last_insert_rowid();
        let mut insert =
            new.prepare_cached("INSERT OR IGNORE INTO segment_window (window, segment) VALUES (?, ?)")?;
        for window in &self.windows {
            insert.execute([window.start(), key])?;
        }
        Ok(())
    }
}

/// A row of the table of windows.
#[derive(Clone, Debug)]
pub(super) struct OldWindow {
    pub(super) window: Window,
    pub(super) path: Option<String>,
    pub(super) frozen: bool,
    numbers: [i64; COLUMNS],
}

/// Those, and one for each reason for exclusion.
const COLUMNS: usize = NUMBERS.len() + Exclusion::ALL.len();

fn columns() -> impl Iterator<Item = &'static str> {
    NUMBERS.into_iter().chain(Exclusion::ALL.map(Exclusion::name))
}

/// The columns that have numbers, and never NULL.
const NUMBERS: [&str; 9] =
    ["generation", "bytes", "segments", "cutoff", "rules", "packets", "copies", "tail", "connections"];
const GENERATION: usize = 0;
const BYTES: usize = 1;
const CUTOFF: usize = 3;
const CONNECTIONS: usize = 8;

impl OldWindow {
    fn of(row: &Row<'_>) -> rusqlite::Result<(Self, i64)> {
        let mut numbers = [0; COLUMNS];
        for (number, column) in numbers.iter_mut().zip(columns()) {
            *number = match row.get(column) {
                // Older stores do not have it.
                Err(rusqlite::Error::InvalidColumnName(_))
                    if !NUMBERS.contains(&column) || column == "tail" =>
                {
                    0
                }
                found => found?,
            };
        }
        let window = Window::containing(row.get("start")?);
        let (path, frozen) = (row.get("path")?, row.get("frozen")?);
        Ok((Self { window, path, frozen, numbers }, row.get("updated")?))
    }

    /// A window of which only the connections are known.
    pub(super) fn of_connections(
        window: Window,
        generation: i64,
        path: &str,
        bytes: i64,
        count: i64,
    ) -> Self {
        let mut numbers = [0; COLUMNS];
        numbers[GENERATION] = generation;
        numbers[BYTES] = bytes;
        numbers[CUTOFF] = window.end();
        numbers[CONNECTIONS] = count;
        Self { window, path: Some(path.to_owned()), frozen: true, numbers }
    }

    pub(super) const fn generation(&self) -> i64 {
        self.numbers[GENERATION]
    }

    /// The number of connections and exclusions.
    pub(super) fn counted(&self) -> u64 {
        self.numbers[CONNECTIONS..].iter().map(|number| number.unsigned_abs()).sum()
    }

    pub(super) fn insert(&self, new: &Connection, updated: i64) -> Result<()> {
        let columns: Vec<String> = columns().map(|column| format!("\"{column}\"")).collect();
        let (columns, places) = (columns.join(", "), ", ?".repeat(COLUMNS));
        let insert = format!(
            "INSERT OR IGNORE INTO window (start, path, frozen, updated, {columns}) VALUES (?, ?, ?, ?{places})"
        );
        let start = self.window.start();
        let first: [&dyn rusqlite::ToSql; 4] = [&start, &self.path, &self.frozen, &updated];
        let numbers = self.numbers.iter().map(|number| number as &dyn rusqlite::ToSql);
        let values: Vec<&dyn rusqlite::ToSql> = first.into_iter().chain(numbers).collect();
        new.prepare_cached(&insert)?.execute(&*values)?;
        Ok(())
    }
}

/// Everything that can be read.
#[derive(Debug, Default)]
pub(super) struct Old {
    pub(super) segments: BTreeMap<SegmentId, OldSegment>,
    /// The windows, each with the time of its results.
    pub(super) windows: BTreeMap<Window, (OldWindow, i64)>,
    /// Whether all rows could be read.
    pub(super) whole: bool,
}

pub(super) fn read(sql: &Connection) -> Old {
    let (mut by_key, mut windows) = (BTreeMap::new(), BTreeMap::new());
    let of_segments = scan(sql, "SELECT * FROM segment NOT INDEXED", &["key"], [], |row| {
        by_key.insert(row.get::<_, i64>("key")?, OldSegment::of(row)?);
        Ok(())
    });
    let links = "SELECT window, segment FROM segment_window";
    let of_links = scan(sql, links, &["window", "segment"], [], |row| {
        if let Some(segment) = by_key.get_mut(&row.get::<_, i64>(1)?) {
            segment.windows.insert(catalog::window_at(row, 0)?);
        }
        Ok(())
    });
    let of_windows = scan(sql, "SELECT * FROM window NOT INDEXED", &["start"], [], |row| {
        let window = OldWindow::of(row)?;
        windows.insert(window.0.window, window);
        Ok(())
    });
    let segments = by_key.into_values().map(|segment| (segment.id, segment)).collect();
    Old { segments, windows, whole: [of_segments, of_links, of_windows] == [Scan::Whole; 3] }
}

/// Copies the small tables unchanged.
pub(super) fn copy_notes(old: &Connection, new: &Connection) -> Result<()> {
    let tables: [(&str, &[&str], &[&str]); 6] = [
        ("damaged", &["name", "why", "segment"], &["rowid"]),
        ("protected", &["addresses"], &["addresses"]),
        ("made_without", &["window", "segment"], &["window", "segment"]),
        ("lost_connections", &["window", "name"], &["window"]),
        ("connections_crc", &["path", "crc"], &["path"]),
        ("lost_counts", &["level", "t"], &["level", "t"]),
    ];
    for (table, columns, key) in tables {
        let (names, places) = (columns.join(", "), vec!["?"; columns.len()].join(", "));
        let mut insert =
            new.prepare(&format!("INSERT OR IGNORE INTO {table} ({names}) VALUES ({places})"))?;
        // Older stores do not have all of them, and nothing else is known of what cannot be read.
        let _ = scan(old, &format!("SELECT {names} FROM {table}"), key, [], |row| {
            let values: rusqlite::Result<Vec<rusqlite::types::Value>> =
                (0..columns.len()).map(|at| row.get(at)).collect();
            insert.execute(rusqlite::params_from_iter(values?)).map(drop)
        });
    }
    Ok(())
}
