//! Hours and days, which the server makes of the counts of windows.

use cutshort_store::Result;

use crate::connection::Connection;
use crate::filter::Filter;
use crate::now;
use crate::results::{self, Level, ResultRow, digest, new_generation};
use crate::rollups::Results;

/// Makes the hours and days before a time that are missing or out of date. Without a time the latest hour and the
/// latest day are left for later: they still fill up. Two may do it at once: each writes under a generation of its own.
pub(crate) fn roll(server: &Connection, before: Option<i64>) -> Result<()> {
    for level in [Level::Hour, Level::Day] {
        let results = Results::read(server, &(i64::MIN..i64::MAX))?;
        let windows = results.of(Level::Quarter);
        let Some(latest) = windows.last().map(|last| level.start(last.t)) else { return Ok(()) };
        for parts in windows.chunk_by(|a, b| level.start(a.t) == level.start(b.t)) {
            let start = level.start(parts[0].t);
            let can_be_made = start < before.unwrap_or(latest) && parts.iter().all(|part| part.has_cells);
            if can_be_made && results.whole(level, parts).is_none() {
                make(server, level, start, parts, &results)?;
            }
        }
    }
    Ok(())
}

/// Whether the hours or days of all windows before a time are there, so that these may be deleted.
pub(crate) fn is_rolled(results: &Results, level: Level, before: i64) -> bool {
    let windows = results.of_time(Level::Quarter, &(i64::MIN..before));
    let mut wholes = windows.chunk_by(|a, b| level.start(a.t) == level.start(b.t));
    wholes.all(|parts| results.whole(level, parts).is_some())
}

const KEYS: &str = "location, network, asn, ip_version, port, node, excluded, stage, termination, completed, signature_id, tags";

fn make(
    server: &Connection,
    level: Level,
    start: i64,
    windows: &[ResultRow],
    results: &Results,
) -> Result<()> {
    let generation = new_generation();
    results::begin(server, level, start, &[generation])?;
    let finer = if level == Level::Day { Level::Hour } else { Level::Quarter };
    let end = start.saturating_add(level.nanoseconds());
    let parts = results.cover(&(start..end), finer);
    let mut filter = Filter::default();
    filter.generations("t", (start, end - 1), parts.iter().map(|part| part.generation).collect());
    filter.add(format!("level < {}", level as u8));
    let (t, number) = (filter.time(start), filter.numbers(vec![generation]));
    let sql = format!(
        "INSERT INTO cell (level, networks, t, generation, {KEYS}, sampled, weight, squares)
         SELECT {}, c.networks, {t}, {number}[1], {KEYS}, sum(c.sampled), sum(c.weight), sum(c.squares)
         FROM cell AS c WHERE {} GROUP BY c.networks, {KEYS}",
        level as u8,
        filter.sql().replace("t >=", "c.t >=").replace("t <=", "c.t <=").replace("level <", "c.level <")
    );
    server.execute(filter.bind(server.query(&sql)))?;
    let before = results.of_time(level, &(start..start.saturating_add(1)));
    let row = ResultRow {
        level: level as u8,
        t: start,
        generation,
        parts: digest(windows.iter()),
        updated: now(),
        has_connections: false,
        has_cells: true,
        networks_folded: windows.iter().any(|window| window.networks_folded),
        ports_folded: windows.iter().any(|window| window.ports_folded),
        bytes: 0,
        connection_generations: Vec::new(),
        ..windows[0].clone()
    };
    server.insert_all("result", [row.later(before.first())])
}
