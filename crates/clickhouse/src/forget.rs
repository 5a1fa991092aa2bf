//! Removes segments as if they had never arrived.

use std::collections::BTreeSet;

use cutshort_model::Window;
use cutshort_store::{Forgotten, KnownSegment, Result, SegmentId};

use crate::moving;
use crate::results;
use crate::segments::{self, ARRIVING, COLUMNS, DELETED, KEPT, SegmentRow};
use crate::server::{Server, time};

/// The number of segments that are removed together: their IDs are one parameter.
const BATCH: usize = 500;

/// All segments, in the order in which they arrived.
pub(crate) fn known(server: &Server) -> Result<Vec<KnownSegment>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM segment FINAL WHERE state IN ('{}', '{}') ORDER BY arrived, id",
        KEPT.1, DELETED.1
    );
    let rows: Vec<SegmentRow> = server.all_of_much(server.query(&sql))?;
    let known = |row: &SegmentRow| {
        Ok(KnownSegment {
            info: moving::info(server.data_set, row)?,
            arrived: row.arrived,
            is_kept: row.state == KEPT.1,
        })
    };
    rows.iter().map(known).collect()
}

/// First the segments are recorded as deleted, then their packets are deleted, then what they cover. If this is
/// interrupted, it can be repeated.
pub(crate) fn forget(server: &Server, ids: &[SegmentId]) -> Result<Forgotten> {
    let ids: BTreeSet<&SegmentId> = ids.iter().collect();
    let rows = ids.into_iter().map(|id| segments::by_id(server, *id));
    let mut rows: Vec<SegmentRow> = rows.filter_map(Result::transpose).collect::<Result<_>>()?;
    rows.retain(|row| row.state == KEPT.1 || row.state == DELETED.1);
    let kept = rows.iter().filter(|row| row.state == KEPT.1);
    let packets = kept.map(|row| row.rows).sum();
    let mut forgotten = Forgotten { segments: rows.len() as u64, packets, ..Forgotten::default() };
    let windows: BTreeSet<i64> =
        rows.iter().flat_map(|row| &row.windows).map(|(window, _)| *window).collect();
    rows.chunks(BATCH).try_for_each(|rows| remove(server, rows))?;
    for window in windows {
        if results::is_frozen(server, window)? && results::of_window(server, window)?.is_some() {
            forgotten.frozen.push(Window::containing(window));
        } else if has_packets(server, window)? {
            forgotten.left.push(Window::containing(window));
        } else {
            remove_results(server, window)?;
            forgotten.removed.push(Window::containing(window));
        }
    }
    Ok(forgotten)
}

fn remove(server: &Server, rows: &[SegmentRow]) -> Result<()> {
    let deleted = |row: &SegmentRow| SegmentRow { windows: Vec::new(), ..row.in_state(DELETED) };
    server.insert_all("segment", rows.iter().map(deleted).collect::<Vec<_>>())?;
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    for (table, id) in [("packet", "segment"), ("segment", "id")] {
        let table = server.local(table);
        let sql = format!("ALTER TABLE {table} DELETE WHERE {id} IN {{ids:Array(String)}}");
        server.execute(server.query(&sql).param("ids", &ids).with_setting("mutations_sync", "2"))?;
    }
    // Should one come in again, the server may still know the token of its packets and leave them out: as a delivery
    // that was begun long ago it gets another one.
    let begun = |row: &SegmentRow| SegmentRow {
        windows: Vec::new(),
        rows: 0,
        bytes: 0,
        arrived: 0,
        ..row.in_state(ARRIVING)
    };
    server.insert_all("segment", rows.iter().map(begun).collect::<Vec<_>>())
}

/// Whether other segments have packets of a window.
fn has_packets(server: &Server, window: i64) -> Result<bool> {
    let sql = format!(
        "SELECT count() FROM segment FINAL
         WHERE state = '{}' AND has(arrayMap(w -> w.1, windows), {})",
        KEPT.1,
        time("window")
    );
    Ok(server.count(server.query(&sql).param("window", window))? > 0)
}

/// Removes the results of a window. Hours and days are computed from windows, so they no longer count it.
fn remove_results(server: &Server, window: i64) -> Result<()> {
    debug_assert_eq!(Window::containing(window).start(), window);
    let table = server.local("result");
    let sql = format!("ALTER TABLE {table} DELETE WHERE level = 0 AND t = {}", time("window"));
    server.execute(server.query(&sql).param("window", window).with_setting("mutations_sync", "2"))
}
