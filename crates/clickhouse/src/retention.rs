//! What is past its time is deleted.

use std::collections::BTreeSet;
use std::time::Duration;

use clickhouse::query::Query;
use cutshort_store::{Result, Retention, WINDOW, WindowState};

use crate::connection::Connection;
use crate::results::{self, GenerationRow, Level, ResultRow};
use crate::rollups::Results;
use crate::segments::{self, DELETED, SegmentRow};
use crate::{now, roll};

/// How long what does not hold any more is left for those who read it, in nanoseconds.
const GRACE: i64 = 3_600_000_000_000;
/// Generations that are deleted at once.
const MOST: usize = 10_000;

/// First it is noted that something does not hold any more, then its rows are deleted.
pub(crate) fn retain(server: &Connection, now: i64, retention: &Retention) -> Result<u64> {
    let before = |keep: Option<Duration>| keep.map(|keep| earlier(now, keep));
    let mut deleted = 0;
    if let Some(before) = before(retention.packets) {
        deleted += forget_segments(server, before)?;
    }
    if let Some(before) = before(retention.connections) {
        deleted += forget_connections(server, before)?;
    }
    let levels =
        [(retention.quarters, Level::Quarter), (retention.hours, Level::Hour), (retention.days, Level::Day)];
    for (keep, level) in levels {
        if let Some(before) = before(keep) {
            forget_cells(server, level, before)?;
        }
    }
    delete_superseded(server)?;
    Ok(deleted)
}

fn earlier(now: i64, keep: Duration) -> i64 {
    now.saturating_sub(i64::try_from(keep.as_nanos()).unwrap_or(i64::MAX))
}

/// Segments that ended and came before. Their windows keep the results that they have; those that still wait
/// for results keep their packets.
fn forget_segments(server: &Connection, before: i64) -> Result<u64> {
    let old = segments::in_state(server, segments::KEPT)?;
    let old = old.into_iter().filter(|segment| segment.covers_to < before && segment.arrived < before);
    let waiting = results::windows(server, &(i64::MIN..i64::MAX))?;
    let waiting: BTreeSet<i64> =
        waiting.into_iter().filter(WindowState::is_due).map(|window| window.start).collect();
    let waits = |segment: &SegmentRow| segment.windows.iter().any(|(window, _)| waiting.contains(window));
    let old: Vec<SegmentRow> = old.filter(|segment| !waits(segment)).collect();
    if old.is_empty() {
        return Ok(0);
    }
    let windows: BTreeSet<i64> =
        old.iter().flat_map(|segment| segment.windows.iter().map(|(window, _)| *window)).collect();
    results::freeze(server, windows.iter())?;
    let deleted = |segment: &SegmentRow| SegmentRow { windows: Vec::new(), ..segment.in_state(DELETED) };
    server.insert_all("segment", old.iter().map(deleted))?;
    let ids: Vec<&str> = old.iter().map(|segment| segment.id.as_str()).collect();
    let days: Vec<i64> = windows.iter().copied().collect();
    let delete = delete(
        server,
        "packet",
        "segment IN {ids:Array(String)} AND toUnixTimestamp64Nano(window_start) IN {windows:Array(Int64)}",
    );
    server.execute(delete.param("ids", ids).param("windows", days))?;
    Ok(old.len() as u64)
}

/// Deletes rows in the background.
fn delete(server: &Connection, table: &str, condition: &str) -> Query {
    server.query(&format!("ALTER TABLE {} DELETE WHERE {condition}", server.local(table)))
}

fn delete_generations(server: &Connection, table: &str, generations: &[u64]) -> Result<()> {
    let column = if table == "generation" { "id" } else { "generation" };
    for some in generations.chunks(MOST) {
        // Names of tables that are whole on every server are not those of shards.
        let table = if table == "generation" { table.to_owned() } else { server.local(table) };
        let sql = format!("ALTER TABLE {table} DELETE WHERE {column} IN {{generations:Array(UInt64)}}");
        server.execute(server.query(&sql).param("generations", some))?;
    }
    Ok(())
}

/// Connections of windows that ended and were made before.
fn forget_connections(server: &Connection, before: i64) -> Result<u64> {
    let results = results::within(server, &(i64::MIN..before.saturating_sub(WINDOW)))?;
    let is_old = |result: &ResultRow| {
        result.level == Level::Quarter as u8 && result.has_connections && result.updated < before
    };
    let old: Vec<ResultRow> = results.into_iter().filter(is_old).collect();
    let without = |old: &ResultRow| {
        let new =
            ResultRow { has_connections: false, connection_generations: Vec::new(), bytes: 0, ..old.clone() };
        new.next(old)
    };
    server.insert_all("result", old.iter().map(without))?;
    let generations: Vec<u64> =
        old.iter().flat_map(|old| old.connection_generations.iter().copied()).collect();
    delete_generations(server, "connection", &generations)?;
    Ok(old.len() as u64)
}

/// Counts of whole days before a time, up to the first window that was made since. Finer ones are only deleted where the
/// coarser ones were made of them; their windows cannot be computed again from then on.
fn forget_cells(server: &Connection, level: Level, before: i64) -> Result<()> {
    let results = Results::read(server, &(i64::MIN..i64::MAX))?;
    let windows = results.of(Level::Quarter).iter();
    let first_new = windows.filter(|window| window.updated >= before).map(|window| window.t).min();
    let before = Level::Day.start(before.min(first_new.unwrap_or(i64::MAX)));
    if results.of_time(level, &(i64::MIN..before)).iter().all(|row| !row.has_cells) {
        return Ok(());
    }
    roll::roll(server, Some(before))?;
    let results = Results::read(server, &(i64::MIN..i64::MAX))?;
    if !coarser_are_rolled(&results, level, before) {
        return Ok(());
    }
    let all = results.of_time(level, &(i64::MIN..before));
    let old: Vec<&ResultRow> = all.iter().filter(|row| row.has_cells).collect();
    let without: Vec<ResultRow> =
        old.iter().map(|old| ResultRow { has_cells: false, ..(*old).clone() }.next(old)).collect();
    server.insert_all("result", without.clone())?;
    if !still_holds(server, level, before)? {
        // A window was replaced meanwhile: what is coarser does not have it yet.
        let with = without.iter().zip(&old).map(|(row, old)| (*old).clone().next(row));
        return server.insert_all("result", with.collect::<Vec<_>>());
    }
    let generations: Vec<u64> = old.iter().map(|old| old.generation).collect();
    delete_generations(server, "cell", &generations)
}

/// Whether all of a level before a time is as it was noted, and coarser ones have it all.
fn still_holds(server: &Connection, level: Level, before: i64) -> Result<bool> {
    let results = Results::read(server, &(i64::MIN..i64::MAX))?;
    Ok(results.of_time(level, &(i64::MIN..before)).iter().all(|row| !row.has_cells)
        && coarser_are_rolled(&results, level, before))
}

/// Whether hours and days have all that a finer level has before a time.
fn coarser_are_rolled(results: &Results, level: Level, before: i64) -> bool {
    let mut coarser = [Level::Hour, Level::Day].into_iter().filter(|coarser| *coarser > level);
    coarser.all(|coarser| roll::is_rolled(results, coarser, before))
}

/// What was replaced, or never held, a while ago.
fn delete_superseded(server: &Connection) -> Result<()> {
    let before = now().saturating_sub(GRACE);
    let results = results::within(server, &(i64::MIN..i64::MAX))?;
    let with_cells = results.iter().filter(|result| result.has_cells);
    let mut holds: BTreeSet<u64> = with_cells.map(|result| result.generation).collect();
    holds.extend(results.iter().flat_map(|result| result.connection_generations.iter().copied()));
    // What these replaced may still be read.
    let new: BTreeSet<(u8, i64)> = results
        .iter()
        .filter(|result| result.updated >= before)
        .map(|result| (result.level, result.t))
        .collect();
    let sql = "SELECT id, level, t, since FROM generation FINAL WHERE toUnixTimestamp64Nano(since) < {before:Int64}";
    let begun: Vec<GenerationRow> = server.all(server.query(sql).param("before", before))?;
    let is_gone =
        |begun: &GenerationRow| !holds.contains(&begun.id) && !new.contains(&(begun.level, begun.t));
    let gone: Vec<u64> = begun.iter().filter(|begun| is_gone(begun)).map(|begun| begun.id).collect();
    for table in ["connection", "cell", "generation"] {
        delete_generations(server, table, &gone)?;
    }
    Ok(())
}
