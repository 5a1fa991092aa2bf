//! What is past its time is deleted: first it is noted that something does not count any more, then its rows go, and go
//! again in each turn until nothing is left of them. So a deletion that failed is made up for.

mod collapse;
mod generations;
mod packets;
mod results;
mod segments;

use std::time::Duration;

use cutshort_store::{Result, Retention, StoreError};

use crate::results::Level;
use crate::server::Server;

/// The most ids that go into one statement: less than half of the 128 KiB that ClickHouse takes as a parameter.
const IDS: usize = 2_000;

/// Each step is taken, whatever became of those before.
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

/// What came of the steps until now.
#[derive(Default)]
struct Turn {
    deleted: u64,
    /// The first.
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
