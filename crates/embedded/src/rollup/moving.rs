//! Reads and writes counts unchanged, for copying between stores.

use std::collections::HashMap;

use cutshort_counts::packed_cells::PackedCells;
use cutshort_counts::{self as counts, RowPlace};
use cutshort_model::{Bucket, Window};
use cutshort_store::Rest;
use cutshort_store::cell::{Cells, LAST_NODE_NAME, ServerKey};
use rusqlite::{Connection, Transaction};

use super::level::Level;
use super::query::{CELLS, each_row};
use super::retention::{is_gone, is_listed};
use super::span::Span;
use super::{delete_rows, mark_stale, node_names, node_numbers, servers, write_row};
use crate::error::Result;

/// Reads the cells of a window; none if they were deleted and are part of an hour or a day.
///
/// # Errors
/// [`StoreError::Damaged`](cutshort_store::StoreError::Damaged) names a row that cannot be decoded.
pub fn cells(connection: &Connection, window: Window) -> Result<Option<Cells>> {
    if is_gone(connection, window)? {
        return Ok(None);
    }
    read(connection, Level::FifteenMinutes, window.number()).map(Some)
}

/// Reads the rows of networks, the only ones with complete cells.
fn read(connection: &Connection, level: Level, t: i64) -> Result<Cells> {
    let names = node_names(connection)?;
    let (mut cells, mut positions) = (Cells::default(), HashMap::new());
    let mut position = |cells: &mut Cells, node: u16| {
        let name = names.get(&node).map_or(LAST_NODE_NAME, String::as_str);
        *positions.entry(node).or_insert_with(|| cells.node(name))
    };
    let span = [Span { level, windows: t..t + 1 }];
    for place in RowPlace::all_networks() {
        each_row(connection, CELLS, place.number(), &span, |_, _, bytes| {
            PackedCells::parse(bytes)?.each(|packed, count| {
                let node = position(&mut cells, packed.node());
                cells.add_count(packed.with_node(node).key(), &count);
            })
        })?;
    }
    if level == Level::FifteenMinutes {
        servers::read(connection, t, |key, cell| {
            let key = ServerKey { node: position(&mut cells, key.node), ..key };
            cells.server(key).merge(&cell);
        })?;
    }
    Ok(cells)
}

/// Records that an hour or a day counts a window that has no counts of its own.
pub fn set_gone(transaction: &Transaction<'_>, window: Window) -> Result<()> {
    delete_rows(transaction, Level::FifteenMinutes, window.number())?;
    mark_stale(transaction, window)?;
    let note = "INSERT OR IGNORE INTO rollup_gone (t) VALUES (?1)";
    transaction.prepare_cached(note)?.execute([window.number()])?;
    Ok(())
}

/// Hours and days that count windows without counts of their own.
pub fn rests(connection: &Connection) -> Result<Vec<Rest>> {
    let mut all = Vec::new();
    let mut closed = connection.prepare_cached("SELECT t FROM rollup_closed WHERE level = ?1 ORDER BY t")?;
    for bucket in [Bucket::Hour, Bucket::Day] {
        for t in closed.query_map([Level::of(bucket).number()], |row| row.get::<_, i64>(0))? {
            all.push(Rest { bucket, start: Window::from_number(t?).start() });
        }
    }
    Ok(all)
}

/// Reads what an hour or a day counts of windows without counts of their own. As long as no other window was added,
/// this is everything it counts.
///
/// # Errors
/// The same as those of [`cells`].
pub fn read_rest(connection: &Connection, rest: Rest) -> Result<Cells> {
    let (level, t) = place_of(rest);
    let closed = "SELECT 1 FROM rollup_closed WHERE level = ?1 AND t = ?2";
    if !is_listed(connection, closed, &[level.number(), t])? {
        return Ok(Cells::default());
    }
    match level.rest() {
        Some(apart) if has_rows(connection, apart, t..t + 1)? => read(connection, apart, t),
        _ => read(connection, level, t),
    }
}

const fn place_of(rest: Rest) -> (Level, i64) {
    let level = Level::of(rest.bucket);
    (level, level.start(Window::containing(rest.start).number()))
}

fn has_rows(connection: &Connection, level: Level, range: std::ops::Range<i64>) -> Result<bool> {
    let world = [level.number(), RowPlace::World.number(), range.start, range.end];
    let exists = "SELECT 1 FROM rollup_total WHERE level = ?1 AND place = ?2 AND t >= ?3 AND t < ?4";
    is_listed(connection, exists, &world)
}

/// Replaces what an hour or a day counts of windows without counts of their own. If it fails, the transaction must be
/// rolled back.
pub fn restore_rest(transaction: &Transaction<'_>, rest: Rest, cells: &Cells) -> Result<()> {
    let (level, t) = place_of(rest);
    let Some(apart) = level.rest() else { return Ok(()) };
    let within = t..t + level.windows();
    let is_part = has_rows(transaction, Level::FifteenMinutes, within.clone())?
        || level == Level::Day && has_rows(transaction, Level::Hour, within)?;
    delete_rows(transaction, apart, t)?;
    delete_rows(transaction, level, t)?;
    let numbered = node_numbers(transaction, cells)?.apply(cells);
    for (place, row) in counts::rows(numbered) {
        write_row(transaction, if is_part { apart } else { level }, place.number(), t, &row)?;
    }
    // A whole that has other parts is made of all of them; what is coarser, too.
    let mark = "INSERT OR IGNORE INTO rollup_stale (level, t) VALUES (?1, ?2)";
    for stale in [Level::Hour, Level::Day].into_iter().filter(|stale| *stale >= level) {
        transaction.prepare_cached(mark)?.execute([stale.number(), stale.start(t)])?;
    }
    let at = [level.number(), t];
    if !is_part {
        let fresh = "DELETE FROM rollup_stale WHERE level = ?1 AND t = ?2";
        transaction.prepare_cached(fresh)?.execute(at)?;
    }
    let close = "INSERT OR IGNORE INTO rollup_closed (level, t) VALUES (?1, ?2)";
    transaction.prepare_cached(close)?.execute(at)?;
    Ok(())
}
