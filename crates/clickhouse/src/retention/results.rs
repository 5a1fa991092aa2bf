//! Records connections and counts as deleted. Their rows are deleted with other generations that are not valid.

use cutshort_model::Window;
use cutshort_store::Result;

use crate::results::{self, Level, ResultRow};
use crate::roll;
use crate::rollups::Results;
use crate::server::Server;

/// Deletes connections of windows that ended and were computed before a time.
pub(super) fn forget_connections(server: &Server, before: i64) -> Result<u64> {
    let results = results::within(server, &(i64::MIN..before.saturating_sub(Window::LENGTH)))?;
    let is_old = |result: &ResultRow| {
        result.level == Level::FifteenMinutes as u8 && result.has_connections && result.updated < before
    };
    let old: Vec<ResultRow> = results.into_iter().filter(is_old).collect();
    let without = |old: &ResultRow| {
        let new =
            ResultRow { has_connections: false, connection_generations: Vec::new(), bytes: 0, ..old.clone() };
        new.next(old)
    };
    server.insert_all("result", old.iter().map(without))?;
    Ok(old.len() as u64)
}

/// Deletes counts of whole days before a time, up to the first window that was computed since. Finer counts are only
/// deleted if the coarser ones include them; their windows cannot be computed again from then on.
pub(super) fn forget_cells(server: &Server, level: Level, before: i64) -> Result<()> {
    let results = Results::read(server, &(i64::MIN..i64::MAX))?;
    let windows = results.of(Level::FifteenMinutes).iter();
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
    if still_holds(server, level, before)? {
        return Ok(());
    }
    // A window was replaced meanwhile: what is coarser does not have it yet.
    let with = without.iter().zip(&old).map(|(row, old)| (*old).clone().next(row));
    server.insert_all("result", with.collect::<Vec<_>>())
}

/// Whether all results of a level before a time are as recorded, and coarser ones include them.
fn still_holds(server: &Server, level: Level, before: i64) -> Result<bool> {
    let results = Results::read(server, &(i64::MIN..i64::MAX))?;
    Ok(results.of_time(level, &(i64::MIN..before)).iter().all(|row| !row.has_cells)
        && coarser_are_rolled(&results, level, before))
}

/// Whether hours and days include everything that a finer level has before a time.
fn coarser_are_rolled(results: &Results, level: Level, before: i64) -> bool {
    let mut coarser = [Level::Hour, Level::Day].into_iter().filter(|coarser| *coarser > level);
    coarser.all(|coarser| roll::is_rolled(results, coarser, before))
}
