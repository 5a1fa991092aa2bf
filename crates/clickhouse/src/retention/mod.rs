//! Deletes data that has been kept long enough. First it is recorded that something no longer counts, then its rows
//! are deleted, in each turn until there are none. Failed deletions are therefore repeated.

mod collapse;
mod generations;
mod packets;
mod results;
mod segments;

use std::time::Duration;

use cutshort_store::{Result, Retention, StoreError};

use crate::results::Level;
use crate::server::Server;

/// The maximum number of IDs in one statement: less than half of the 128 KiB that ClickHouse accepts as a parameter.
const IDS: usize = 2_000;

/// Runs all steps, even if earlier ones fail.
pub(crate) fn retain(server: &Server, now: i64, retention: &Retention) -> Result<u64> {
    let before = |keep: Option<Duration>| keep.map(|keep| earlier(now, keep));
    let mut turn = Turn::default();
    if let Some(before) = before(retention.packets) {
        turn.count(segments::forget(server, before));
        turn.step(packets::delete(server, before));
        turn.step(collapse::collapse(server, before));
    }
    if let Some(before) = before(retention.connections) {
        turn.count(results::forget_connections(server, before));
    }
    let levels = [
        (retention.fifteen_minutes, Level::FifteenMinutes),
        (retention.hours, Level::Hour),
        (retention.days, Level::Day),
    ];
    for (keep, level) in levels {
        if let Some(before) = before(keep) {
            turn.step(results::forget_cells(server, level, before));
        }
    }
    turn.step(generations::delete_superseded(server));
    turn.end()
}

fn earlier(now: i64, keep: Duration) -> i64 {
    now.saturating_sub(i64::try_from(keep.as_nanos()).unwrap_or(i64::MAX))
}

/// The result of the steps so far.
#[derive(Default)]
struct Turn {
    deleted: u64,
    /// The error of the first step that failed.
    error: Option<StoreError>,
}

impl Turn {
    fn count(&mut self, step: Result<u64>) {
        let step = step.map(|deleted| self.deleted += deleted);
        self.step(step);
    }

    fn step(&mut self, step: Result<()>) {
        if let (Err(error), None) = (step, &self.error) {
            self.error = Some(error);
        }
    }

    fn end(self) -> Result<u64> {
        self.error.map_or(Ok(self.deleted), Err)
    }
}
