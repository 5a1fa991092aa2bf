//! Hours and days, which the server makes of the counts of windows.

use cutshort_model::now;
use cutshort_store::cell::Cells;
use cutshort_store::{Result, StoreError};

use crate::cells;
use crate::connection::Connection;
use crate::filter::Filter;
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
            if start >= before.unwrap_or(latest) || results.whole(level, parts).is_some() {
                continue;
            }
            if can_be_made(&results, level, parts) {
                make(server, level, (start, parts), &results, &made_of(&results, level, start), None)?;
            }
        }
    }
    Ok(())
}

/// Whether results still hold, with their counts: these are deleted only after a row says so.
fn are_unchanged(server: &Connection, parts: &[&ResultRow]) -> Result<bool> {
    let first = parts.iter().map(|part| part.t).min().unwrap_or_default();
    let last = parts.iter().map(|part| part.t).max().unwrap_or_default();
    let now = results::within(server, &(first..last.saturating_add(1)))?;
    let holds = |part: &&ResultRow| {
        now.iter().any(|row| {
            (row.level, row.t, row.generation, row.has_cells) == (part.level, part.t, part.generation, true)
        })
    };
    Ok(parts.iter().all(holds))
}

/// Whether the hours or days of all windows before a time are there, so that these may be deleted.
pub(crate) fn is_rolled(results: &Results, level: Level, before: i64) -> bool {
    let windows = results.of_time(Level::Quarter, &(i64::MIN..before));
    let mut wholes = windows.chunk_by(|a, b| level.start(a.t) == level.start(b.t));
    wholes.all(|parts| results.whole(level, parts).is_some())
}

pub(crate) const KEYS: &str = "location, network, asn, ip_version, port, node, excluded, stage, termination, completed, signature_id, tags";

/// Whether all of the windows have counts of their own, or are in an hour that has theirs, of which a day is made.
fn can_be_made(results: &Results, level: Level, windows: &[ResultRow]) -> bool {
    windows.chunk_by(|a, b| Level::Hour.start(a.t) == Level::Hour.start(b.t)).all(|some| {
        some.iter().all(|window| window.has_cells)
            || level == Level::Day && results.whole(Level::Hour, some).is_some_and(|hour| hour.has_cells)
    })
}

/// Hours are made of windows, days of hours as far as there are.
fn made_of(results: &Results, level: Level, start: i64) -> Vec<&ResultRow> {
    let finer = if level == Level::Day { Level::Hour } else { Level::Quarter };
    results.cover(&(start..start.saturating_add(level.nanoseconds())), finer)
}

/// Makes an hour or a day of what there is of it and of cells that came from elsewhere.
pub(crate) fn restore(server: &Connection, level: Level, start: i64, rest: &Cells) -> Result<()> {
    let results = Results::read(server, &(start..start.saturating_add(level.nanoseconds())))?;
    let windows = results.of_time(Level::Quarter, &(start..start.saturating_add(level.nanoseconds())));
    let made_of = made_of(&results, level, start);
    match windows {
        [] => Err(StoreError::Refused("there are no results of the windows of an hour or a day".to_owned())),
        windows => make(server, level, (start, windows), &results, &made_of, Some(rest)),
    }
}

fn make(
    server: &Connection,
    level: Level,
    (start, windows): (i64, &[ResultRow]),
    results: &Results,
    parts: &[&ResultRow],
    rest: Option<&Cells>,
) -> Result<()> {
    let generation = new_generation();
    results::begin(server, level, start, &[generation])?;
    if let Some(rest) = rest {
        server.insert_all("cell", cells::rows(rest, level, start, generation))?;
    }
    if !parts.is_empty() {
        add_up(server, level, start, generation, parts)?;
    }
    if !are_unchanged(server, parts)? {
        // Somebody replaced or deleted some while they were added up. It is made when it is looked for again.
        return Ok(());
    }
    let (networks_folded, ports_folded) = rest.map(cells::folded).unwrap_or_default();
    let before = results.of_time(level, &(start..start.saturating_add(1)));
    let row = ResultRow {
        level: level as u8,
        t: start,
        generation,
        parts: digest(windows.iter()),
        updated: now(),
        has_connections: false,
        has_cells: true,
        networks_folded: networks_folded || windows.iter().any(|window| window.networks_folded),
        ports_folded: ports_folded || windows.iter().any(|window| window.ports_folded),
        bytes: 0,
        connection_generations: Vec::new(),
        ..windows[0].clone()
    };
    server.insert_all("result", [row.later(before.first())])
}

/// Lets the server add up counts of a level's parts.
fn add_up(
    server: &Connection,
    level: Level,
    start: i64,
    generation: u64,
    parts: &[&ResultRow],
) -> Result<()> {
    let end = start.saturating_add(level.nanoseconds());
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
    server.execute(filter.bind(server.query(&sql)))
}
