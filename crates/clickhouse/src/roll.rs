//! Hours and days, which the server computes from the counts of windows.

use std::collections::HashSet;

use cutshort_model::now;
use cutshort_store::cell::Cells;
use cutshort_store::{Result, StoreError};

use crate::cells;
use crate::filter::Filter;
use crate::results::{self, Level, ResultRow, digest, new_generation};
use crate::rollups::Results;
use crate::server::Server;

/// Computes hours and days before a time that are missing or out of date. Without a time, the latest hour and the
/// latest day are left for later, because they will change again. Two processes may do this at the same time: each
/// writes under its own generation.
pub(crate) fn roll(server: &Server, before: Option<i64>) -> Result<()> {
    for level in [Level::Hour, Level::Day] {
        let results = Results::read(server, &(i64::MIN..i64::MAX))?;
        let windows = results.of(Level::FifteenMinutes);
        let Some(latest) = windows.last().map(|last| level.start(last.t)) else { return Ok(()) };
        let wholes = windows.chunk_by(|a, b| level.start(a.t) == level.start(b.t));
        let missing = wholes.filter(|windows| {
            level.start(windows[0].t) < before.unwrap_or(latest)
                && results.whole(level, windows).is_none()
                && can_be_made(&results, level, windows)
        });
        let missing: Vec<Whole<'_>> = missing.map(|windows| Whole::new(level, windows, &results)).collect();
        missing.chunks(TOGETHER).try_for_each(|some| make(server, level, some, &results, None))?;
    }
    Ok(())
}

/// The number of hours or days that are computed together: each statement takes longer than adding up a few counts.
const TOGETHER: usize = 24;

/// An hour or a day that is being computed.
struct Whole<'a> {
    start: i64,
    generation: u64,
    windows: &'a [ResultRow],
    /// Its parts: hours consist of windows, days of hours as far as these exist.
    parts: Vec<&'a ResultRow>,
}

impl<'a> Whole<'a> {
    fn new(level: Level, windows: &'a [ResultRow], results: &'a Results) -> Self {
        let start = level.start(windows[0].t);
        let finer = if level == Level::Day { Level::Hour } else { Level::FifteenMinutes };
        let parts = results.cover(&(start..start.saturating_add(level.nanoseconds())), finer);
        Self { start, generation: new_generation(), windows, parts }
    }

    /// Whether its parts are still valid, so that their counts exist: these are only deleted after a row says so.
    fn is_unchanged(&self, now: &HashSet<(u8, i64, u64)>) -> bool {
        self.parts.iter().all(|part| now.contains(&(part.level, part.t, part.generation)))
    }

    /// The row of `result` that names it.
    fn row(&self, level: Level, results: &Results, folded: (bool, bool)) -> ResultRow {
        let before = results.of_time(level, &(self.start..self.start.saturating_add(1)));
        let row = ResultRow {
            level: level as u8,
            t: self.start,
            generation: self.generation,
            parts: digest(self.windows.iter()),
            updated: now(),
            has_connections: false,
            has_cells: true,
            networks_folded: folded.0 || self.windows.iter().any(|window| window.networks_folded),
            ports_folded: folded.1 || self.windows.iter().any(|window| window.ports_folded),
            bytes: 0,
            connection_generations: Vec::new(),
            ..self.windows[0].clone()
        };
        row.later(before.first().map(|before| before.version))
    }
}

/// Level, time and generation of the results that are valid now, for the time of all parts.
fn holding(server: &Server, wholes: &[Whole<'_>]) -> Result<HashSet<(u8, i64, u64)>> {
    let times = || wholes.iter().flat_map(|whole| &whole.parts).map(|part| part.t);
    let (first, last) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
    let now = results::within(server, &(first..last.saturating_add(1)))?;
    Ok(now.iter().filter(|row| row.has_cells).map(|row| (row.level, row.t, row.generation)).collect())
}

/// Whether the hours or days of all windows before a time exist, so that the windows may be deleted.
pub(crate) fn is_rolled(results: &Results, level: Level, before: i64) -> bool {
    let windows = results.of_time(Level::FifteenMinutes, &(i64::MIN..before));
    let mut wholes = windows.chunk_by(|a, b| level.start(a.t) == level.start(b.t));
    wholes.all(|parts| results.whole(level, parts).is_some())
}

pub(crate) const KEYS: &str = "location, network, asn, ip_version, port, node, excluded, stage, termination, completed, signature_id, tags";

/// Whether all of the windows have counts of their own, or are in an hour that does, from which a day can be
/// computed.
fn can_be_made(results: &Results, level: Level, windows: &[ResultRow]) -> bool {
    windows.chunk_by(|a, b| Level::Hour.start(a.t) == Level::Hour.start(b.t)).all(|some| {
        some.iter().all(|window| window.has_cells)
            || level == Level::Day && results.whole(Level::Hour, some).is_some_and(|hour| hour.has_cells)
    })
}

/// Computes an hour or a day from its parts and from cells that were copied from another store.
pub(crate) fn restore(server: &Server, level: Level, start: i64, rest: &Cells) -> Result<()> {
    let results = Results::read(server, &(start..start.saturating_add(level.nanoseconds())))?;
    match results.of_time(Level::FifteenMinutes, &(start..start.saturating_add(level.nanoseconds()))) {
        [] => Err(StoreError::Refused("there are no results of the windows of an hour or a day".to_owned())),
        windows => make(server, level, &[Whole::new(level, windows, &results)], &results, Some(rest)),
    }
}

fn make(
    server: &Server,
    level: Level,
    wholes: &[Whole<'_>],
    results: &Results,
    rest: Option<&Cells>,
) -> Result<()> {
    results::begin(server, level, wholes.iter().map(|whole| (whole.start, whole.generation)))?;
    for whole in wholes {
        if let Some(rest) = rest {
            server.insert_all("cell", cells::rows(rest, level, whole.start, whole.generation))?;
        }
        if !whole.parts.is_empty() {
            add_up(server, level, whole)?;
        }
    }
    let now = holding(server, wholes)?;
    let folded = rest.map(cells::folded).unwrap_or_default();
    // Where somebody replaced or deleted parts while they were added up, it is made when it is looked for again.
    let unchanged = wholes.iter().filter(|whole| whole.is_unchanged(&now));
    server.insert_all("result", unchanged.map(|whole| whole.row(level, results, folded)).collect::<Vec<_>>())
}

/// Makes the server add up the counts of the parts.
fn add_up(server: &Server, level: Level, whole: &Whole<'_>) -> Result<()> {
    let (start, generation) = (whole.start, whole.generation);
    let end = start.saturating_add(level.nanoseconds());
    let mut filter = Filter::default();
    filter.generations("t", (start, end - 1), whole.parts.iter().map(|part| part.generation).collect());
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
