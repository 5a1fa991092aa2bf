//! Counts the contents of a store.

use cutshort_model::Window;
use cutshort_store::{Damaged, Status, WindowCounts};
use rusqlite::{Connection, Row};

use super::catalog::FileState;
use super::{catalog, damage, rollup};
use crate::error::Result;

pub(super) fn status(sql: &Connection) -> Result<Status> {
    let mut status = Status { rollup_bytes: rollup::bytes(sql)?, ..Status::default() };
    segments(sql, &mut status)?;
    windows(sql, &mut status)?;
    status.nodes = nodes(sql)?;
    status.damaged = damaged(sql)?;
    status.impaired = damage::impaired(sql)?;
    status.protected = catalog::protected(sql)?;
    Ok(status)
}

/// Counts stored segments; what deleted segments covered is still covered.
fn segments(sql: &Connection, status: &mut Status) -> Result<()> {
    let covered_to = catalog::covered_to(sql)?;
    sql.query_row(
        "SELECT count(*), ifnull(sum(rows), 0), ifnull(sum(bytes), 0) FROM segment WHERE state = ?",
        [FileState::Kept as i64],
        |row| {
            status.segments = count(row, 0)?;
            status.packets = count(row, 1)?;
            status.packet_bytes = count(row, 2)?;
            Ok(())
        },
    )?;
    sql.query_row(
        "SELECT max(last), max(last) FILTER (WHERE covers_to <= ?1), min(covers_from),
         ifnull(max(origin = 'simulated'), 0) FROM segment WHERE state IN (0, 1)",
        [covered_to],
        |row| {
            status.latest_packet = row.get::<_, Option<i64>>(1)?.or(row.get(0)?);
            status.covered = row.get::<_, Option<i64>>(2)?.zip(covered_to);
            status.simulated = row.get(3)?;
            Ok(())
        },
    )?;
    status.future_segments = catalog::covers_future(sql)?;
    Ok(())
}

fn windows(sql: &Connection, status: &mut Status) -> Result<()> {
    let tail = catalog::tail(sql)?;
    let excluded = catalog::excluded(sql)?.map(|column| format!("ifnull(sum({column}), 0)")).join(", ");
    sql.query_row(
        &format!(
            "SELECT count(*), min(start), max(start), max(updated), ifnull(sum(bytes), 0),
             ifnull(sum(packets), 0), ifnull(sum(copies), 0), ifnull(sum(connections), 0),
             ifnull(sum({tail}), 0), {excluded} FROM window"
        ),
        [],
        |row| {
            status.windows = count(row, 0)?;
            let starts = row.get::<_, Option<i64>>(1)?.zip(row.get(2)?);
            status.window_range =
                starts.map(|(first, last)| (Window::containing(first), Window::containing(last)));
            status.updated = row.get(3)?;
            status.connection_bytes = count(row, 4)?;
            status.counts = WindowCounts {
                packets: count(row, 5)?,
                duplicates: count(row, 6)?,
                tail: count(row, 8)?,
                connections: count(row, 7)?,
                excluded: catalog::excluded_of(row, 9)?,
            };
            Ok(())
        },
    )?;
    Ok(())
}

fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

fn nodes(sql: &Connection) -> Result<Vec<(String, i64)>> {
    let mut select = sql.prepare(
        "SELECT node, max(last) FROM segment
         WHERE state IN (0, 1) AND node != '' AND last IS NOT NULL GROUP BY node ORDER BY node",
    )?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn damaged(sql: &Connection) -> Result<Vec<Damaged>> {
    let mut select = sql.prepare("SELECT name, why FROM damaged ORDER BY name")?;
    let rows = select.query_map([], |row| Ok(Damaged { name: row.get(0)?, why: row.get(1)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
