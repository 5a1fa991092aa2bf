//! Records segments as deleted.

use std::collections::BTreeSet;

use cutshort_store::{Result, WindowState};

use crate::results;
use crate::segments::{self, DELETED, SegmentRow};
use crate::server::{Server, time};
use crate::windows;

/// The number of segments that are checked at a time.
const MOST: u64 = 20_000;

/// Deletes segments that ended and arrived before a time. Their windows keep their results; segments with packets of
/// windows that have none are kept.
pub(super) fn forget(server: &Server, before: i64) -> Result<u64> {
    let mut after = (i64::MIN, String::new());
    let mut old = old(server, before, &after)?;
    if old.is_empty() {
        return Ok(0);
    }
    let all = windows::within(server, &(i64::MIN..i64::MAX))?;
    let waiting: BTreeSet<i64> =
        all.into_iter().filter(WindowState::is_due).map(|state| state.window.start()).collect();
    let mut forgotten = 0;
    while let Some(last) = old.last() {
        after = (last.covers_to, last.id.clone());
        let waits = |segment: &SegmentRow| segment.windows.iter().any(|(t, _)| waiting.contains(t));
        old.retain(|segment| !waits(segment));
        note(server, &old)?;
        forgotten += old.len() as u64;
        old = self::old(server, before, &after)?;
    }
    Ok(forgotten)
}

/// The next segments after a time and an ID.
fn old(server: &Server, before: i64, after: &(i64, String)) -> Result<Vec<SegmentRow>> {
    let (covers_to, before_sql) = (time("covers_to"), time("before"));
    let sql = format!(
        "SELECT {} FROM segment FINAL WHERE state = 'kept' AND covers_to < {before_sql} AND arrived < {before_sql}
         AND (covers_to > {covers_to} OR covers_to = {covers_to} AND id > {{id:String}})
         ORDER BY covers_to, id LIMIT {MOST}",
        segments::COLUMNS
    );
    let query = server.query(&sql).param("before", before).param("covers_to", after.0).param("id", &after.1);
    server.all_of_much(query)
}

fn note(server: &Server, old: &[SegmentRow]) -> Result<()> {
    let windows: BTreeSet<i64> =
        old.iter().flat_map(|segment| segment.windows.iter().map(|(window, _)| *window)).collect();
    results::freeze(server, windows.iter())?;
    let deleted = |segment: &SegmentRow| SegmentRow { windows: Vec::new(), ..segment.in_state(DELETED) };
    server.insert_all("segment", old.iter().map(deleted))
}
