//! Cells in SQLite: the packed rows of `cutshort-counts` by level, place and time, and queries of them.
//!
//! * A window's cells are stored three times: for the world, for each country, and for each bucket of networks. A
//!   query reads only the places that it needs, and of each row only totals if these are enough.
//! * Hours and days are sums of finer rows, computed by `roll`. Those listed as stale are not read until then.
//! * Counts by server, which only the data set `origin` has, are of windows only.
//! * Stored times are numbers of windows since the Unix epoch.

use std::collections::HashMap;

use cutshort_counts::bytes::Broken;
use cutshort_counts::{self as counts, NodeNumbers, PackedRow, RowPlace};
use cutshort_model::Window;
use cutshort_store::cell::{Cells, LAST_NODE, LAST_NODE_NAME};
use rusqlite::{Connection, Transaction, params};

use crate::error::{Error, Result, of_database};

mod check;
mod level;
mod moving;
mod packed_servers;
mod query;
mod retention;
mod roll;
mod salvage;
mod servers;
mod span;

pub use check::{check, connections};
pub use moving::{cells, read_rest, restore_rest, rests, set_gone};
pub use query::query;
pub use retention::{delete_before, gone, is_gone};
pub use roll::{is_stale, roll};
pub use salvage::{Salvaged, salvage};
pub use servers::{delete_servers, servers};

use level::Level;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS rollup (
    level INTEGER NOT NULL, place INTEGER NOT NULL, t INTEGER NOT NULL, cells BLOB NOT NULL,
    PRIMARY KEY (level, place, t)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS rollup_total (
    level INTEGER NOT NULL, place INTEGER NOT NULL, t INTEGER NOT NULL, totals BLOB NOT NULL,
    PRIMARY KEY (level, place, t)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS rollup_stale (
    level INTEGER NOT NULL, t INTEGER NOT NULL, PRIMARY KEY (level, t)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS rollup_closed (
    level INTEGER NOT NULL, t INTEGER NOT NULL, PRIMARY KEY (level, t)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS rollup_gone (t INTEGER PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS rollup_node (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE
) STRICT;
";

/// Creates the tables that are missing.
pub fn create(connection: &Connection) -> Result<()> {
    connection.execute_batch(SCHEMA)?;
    Ok(connection.execute_batch(servers::SCHEMA)?)
}

/// Replaces the cells of a window.
///
/// # Errors
/// [`StoreError::Refused`](cutshort_store::StoreError::Refused) if its cells were deleted by [`delete_before`] and
/// are part of an hour or a day for good. The transaction must be rolled back then.
pub fn replace_window(transaction: &Transaction<'_>, window: Window, cells: &Cells) -> Result<()> {
    retention::open_again(transaction, window)?;
    delete_rows(transaction, Level::FifteenMinutes, window.number())?;
    let numbers = node_numbers(transaction, cells)?;
    for (place, row) in counts::rows(numbers.apply(cells)) {
        write_row(transaction, Level::FifteenMinutes, place.number(), window.number(), &row)?;
    }
    servers::write(transaction, window, cells, &numbers)?;
    mark_stale(transaction, window)
}

/// Deletes the cells of a window as if there had never been any.
///
/// # Errors
/// The same as those of [`replace_window`].
pub fn delete_window(transaction: &Transaction<'_>, window: Window) -> Result<()> {
    replace_window(transaction, window, &Cells::default())
}

/// Computes all rows of a window again from those of networks.
///
/// # Errors
/// The same as those of [`replace_window`] and [`cells`].
pub fn rewrite_window(transaction: &Transaction<'_>, window: Window) -> Result<()> {
    let Some(cells) = cells(transaction, window)? else { return Ok(()) };
    replace_window(transaction, window, &cells)
}

/// Deletes the rows of a window whose results must be computed again, and marks hours and days that count it as
/// stale.
pub fn forget_window(transaction: &Transaction<'_>, window: Window) -> Result<()> {
    delete_rows(transaction, Level::FifteenMinutes, window.number())
}

/// The bytes of the database that are in use. Almost all of them are counts; adding up the size of counts alone would
/// take seconds.
pub fn bytes(connection: &Connection) -> Result<u64> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok((pages * pragma("page_size")?).unsigned_abs())
}

fn node_numbers(transaction: &Transaction<'_>, cells: &Cells) -> Result<NodeNumbers> {
    let numbers = cells.nodes().iter().map(|name| node_number(transaction, name));
    Ok(NodeNumbers(numbers.collect::<Result<_>>()?))
}

fn node_number(transaction: &Transaction<'_>, name: &str) -> Result<u16> {
    let insert = "INSERT INTO rollup_node (id, name) SELECT coalesce(max(id) + 1, 0), ?1 FROM rollup_node
                  WHERE true ON CONFLICT (name) DO NOTHING";
    transaction.prepare_cached(insert)?.execute([name])?;
    let mut find = transaction.prepare_cached("SELECT id FROM rollup_node WHERE name = ?1")?;
    let id: i64 = find.query_row([name], |row| row.get(0))?;
    Ok(u16::try_from(id).unwrap_or(LAST_NODE))
}

/// The names of nodes by their numbers in the store.
fn node_names(connection: &Connection) -> Result<HashMap<u16, String>> {
    let mut statement = connection.prepare_cached("SELECT id, name FROM rollup_node WHERE id < ?1")?;
    let rows = statement.query_map([LAST_NODE], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let last = (LAST_NODE, LAST_NODE_NAME.to_owned());
    Ok(rows.chain(std::iter::once(Ok(last))).collect::<rusqlite::Result<_>>()?)
}

fn write_row(transaction: &Transaction<'_>, level: Level, place: i64, t: i64, row: &PackedRow) -> Result<()> {
    transaction
        .prepare_cached("INSERT INTO rollup (level, place, t, cells) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![level.number(), place, t, row.cells])?;
    transaction
        .prepare_cached("INSERT INTO rollup_total (level, place, t, totals) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![level.number(), place, t, row.totals])?;
    Ok(())
}

/// Deletes the rows of all places at a time.
fn delete_rows(transaction: &Transaction<'_>, level: Level, t: i64) -> Result<()> {
    for table in ["rollup", "rollup_total"] {
        let sql = format!("DELETE FROM {table} WHERE level = ?1 AND place = ?2 AND t = ?3");
        let mut statement = transaction.prepare_cached(&sql)?;
        for place in places(transaction, level)? {
            statement.execute([level.number(), place, t])?;
        }
    }
    if level == Level::FifteenMinutes {
        delete_servers(transaction, Window::from_number(t))?;
    }
    Ok(())
}

/// The places of a level, each found by skipping the rows of the previous one.
fn places(connection: &Connection, level: Level) -> Result<Vec<i64>> {
    let next = "SELECT min(place) FROM rollup_total WHERE level = ?1 AND place > ?2";
    let mut statement = connection.prepare_cached(next)?;
    let mut places = Vec::new();
    let mut last = -1_i64;
    while let Some(place) = statement.query_row([level.number(), last], |row| row.get::<_, Option<i64>>(0))? {
        places.push(place);
        last = place;
    }
    Ok(places)
}

fn mark_stale(transaction: &Transaction<'_>, window: Window) -> Result<()> {
    let mut statement =
        transaction.prepare_cached("INSERT OR IGNORE INTO rollup_stale (level, t) VALUES (?1, ?2)")?;
    for level in [Level::Hour, Level::Day] {
        statement.execute([level.number(), level.start(window.number())])?;
    }
    Ok(())
}

/// The error for a damaged row.
fn damaged(level: Level, place: i64, t: i64, why: Broken) -> Error {
    let when = Window::from_number(t);
    of_database(&format!(
        "the counts of {} for the {} of {when} UTC cannot be read: {}",
        RowPlace::name(place),
        level.name(),
        why.0
    ))
}

#[cfg(test)]
mod tests;
