//! Counts by server, one row for each window that has any. They have addresses, so they are kept only as long as the
//! window's connections.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;

use cutshort_counts::NodeNumbers;
use cutshort_counts::bytes::Broken;
use cutshort_model::Window;
use cutshort_store::ServerTotals;
use cutshort_store::cell::{Cells, LAST_NODE_NAME, ServerCell, ServerKey};
use rusqlite::{Connection, Transaction, params};

use super::level::window_from;
use super::{node_names, packed_servers};
use crate::error::{Error, Result, of_database};

/// The bytes of counts that one answer adds up, at most: some 4 million servers in a window, which take seconds.
const MOST_BYTES: i64 = 128 << 20;

/// Earlier stores get this table when they are opened for writing.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS rollup_server (t INTEGER PRIMARY KEY, servers BLOB NOT NULL) STRICT;
";

/// Writes the servers of a window.
pub(super) fn write(
    transaction: &Transaction<'_>,
    window: Window,
    cells: &Cells,
    numbers: &NodeNumbers,
) -> Result<()> {
    if cells.servers().len() == 0 {
        return Ok(());
    }
    let servers =
        cells.servers().map(|(key, cell)| (ServerKey { node: numbers.get(key.node), ..*key }, cell));
    let row = params![window.number(), packed_servers::pack(servers.collect())];
    transaction.prepare_cached("INSERT INTO rollup_server (t, servers) VALUES (?1, ?2)")?.execute(row)?;
    Ok(())
}

/// Deletes the counts of a window by server.
pub fn delete_servers(sql: &Connection, window: Window) -> Result<()> {
    sql.prepare_cached("DELETE FROM rollup_server WHERE t = ?1")?.execute([window.number()])?;
    Ok(())
}

pub(super) fn delete_before(transaction: &Transaction<'_>, t: i64) -> Result<()> {
    transaction.prepare_cached("DELETE FROM rollup_server WHERE t < ?1")?.execute([t])?;
    Ok(())
}

/// Calls `each` with the servers of a window, whose nodes are numbers in the store.
pub(super) fn read(
    connection: &Connection,
    t: i64,
    mut each: impl FnMut(ServerKey, ServerCell),
) -> Result<()> {
    if !exists(connection)? {
        return Ok(());
    }
    let mut select = connection.prepare_cached("SELECT servers FROM rollup_server WHERE t = ?1")?;
    let mut rows = select.query([t])?;
    let Some(row) = rows.next()? else { return Ok(()) };
    let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    packed_servers::each(bytes, &mut each).map_err(|why| damaged(t, why))
}

pub(super) fn exists(connection: &Connection) -> Result<bool> {
    let find = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'rollup_server'";
    Ok(connection.prepare_cached(find)?.exists([])?)
}

/// The connections of a range by server and node; none if a window that has connections does not count them so, or if there
/// are too many counts to add up.
///
/// # Errors
/// [`StoreError::Damaged`](cutshort_store::StoreError::Damaged) names a row that cannot be decoded.
pub fn servers(connection: &Connection, range: &Range<i64>) -> Result<Option<Vec<ServerTotals>>> {
    if !connection.is_autocommit() {
        return totals(connection, range);
    }
    // All rows are read as of one moment.
    totals(&*connection.unchecked_transaction()?, range)
}

fn totals(connection: &Connection, range: &Range<i64>) -> Result<Option<Vec<ServerTotals>>> {
    let windows = [window_from(range.start), window_from(range.end)];
    if !exists(connection)? || lacks_any(connection, windows)? || are_too_many(connection, windows)? {
        return Ok(None);
    }
    let names = node_names(connection)?;
    let mut all: HashMap<(Option<(IpAddr, u16)>, u16), ServerTotals> = HashMap::new();
    let mut select = connection
        .prepare_cached("SELECT t, servers FROM rollup_server WHERE t >= ?1 AND t < ?2 ORDER BY t")?;
    let mut rows = select.query(windows)?;
    while let Some(row) = rows.next()? {
        let t: i64 = row.get(0)?;
        let start = Window::from_number(t).start();
        let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let read = packed_servers::each(bytes, |key, cell| {
            all.entry((key.address(), key.node)).or_default().add(start, &cell);
        });
        read.map_err(|why| damaged(t, why))?;
    }
    let named = |((server, node), totals)| {
        let node = names.get(&node).map_or(LAST_NODE_NAME, String::as_str).to_owned();
        ServerTotals { server, node, ..totals }
    };
    Ok(Some(all.into_iter().map(named).collect()))
}

fn are_too_many(connection: &Connection, windows: [i64; 2]) -> Result<bool> {
    let bytes = "SELECT ifnull(sum(length(servers)), 0) > ?3 FROM rollup_server WHERE t >= ?1 AND t < ?2";
    let [from, to] = windows;
    Ok(connection.prepare_cached(bytes)?.query_row([from, to, MOST_BYTES], |row| row.get(0))?)
}

/// Whether a window that counts connections does not count them by server.
fn lacks_any(connection: &Connection, windows: [i64; 2]) -> Result<bool> {
    let [from, to] = windows.map(|t| Window::from_number(t).start());
    let computed =
        "SELECT start FROM window WHERE connections > 0 AND path IS NOT NULL AND start >= ?1 AND start < ?2";
    let mut starts = connection.prepare_cached(computed)?;
    let mut is_there = connection.prepare_cached("SELECT 1 FROM rollup_server WHERE t = ?1")?;
    for start in starts.query_map([from, to], |row| row.get::<_, i64>(0))? {
        let window = Window::containing(start?);
        if !is_there.exists([window.number()])? && !super::is_gone(connection, window)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads every row and returns what is wrong.
pub(super) fn check(connection: &Connection) -> Result<Vec<Error>> {
    if !exists(connection)? {
        return Ok(Vec::new());
    }
    let mut wrong = Vec::new();
    let mut select = connection.prepare("SELECT t, servers FROM rollup_server")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let t = row.get(0)?;
        wrong.extend(packed_servers::each(bytes, |_, _| ()).err().map(|why| damaged(t, why)));
    }
    Ok(wrong)
}

/// Whether bytes can be decoded.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    packed_servers::each(bytes, |_, _| ()).is_ok()
}

fn damaged(t: i64, why: Broken) -> Error {
    let when = Window::from_number(t);
    of_database(&format!("the counts of servers for the 15 minutes of {when} UTC cannot be read: {}", why.0))
}
