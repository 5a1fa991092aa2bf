//! Combines the rows of segments that were deleted long ago, whose number would grow without limit.

use clickhouse::Row;
use cutshort_store::Result;
use serde::Deserialize;

use crate::results::Level;
use crate::server::{Server, time};

/// How many days a live segment has a row of its own after its packets were kept long enough. If it is delivered
/// again later, its windows are frozen.
const REMEMBERED: i64 = 30;

/// Live segments before a time, by the nodes' clocks.
const OLD: &str = "origin = 'live' AND covers_to < @before AND arrived < @before";
/// The ID of the row that stands for all segments of a node.
const ID: &str = "lower(hex(sipHash128(toString(node), toString(addresses))))";

#[derive(Row, Deserialize)]
struct SegmentCounts {
    deleted: u64,
    others: u64,
}

/// Replaces the rows of deleted segments of each node by one, which covers what they covered. This is done once a
/// day, and only if no segment of that time is kept, so that the choice of rows does not depend on rows that are
/// removed as well.
pub(super) fn collapse(server: &Server, before: i64) -> Result<()> {
    let before = Level::Day.start(before.saturating_sub(REMEMBERED * Level::Day.nanoseconds()));
    let old = OLD.replace("@before", &time("before"));
    let query = |sql: &str| server.query(sql).param("before", before);
    let found = format!(
        "SELECT countIf(state = 'deleted') AS deleted, countIf(state != 'deleted') AS others
         FROM segment FINAL WHERE {old} AND id != {ID}"
    );
    let found: SegmentCounts = server.one(query(&found))?;
    if found.deleted == 0 || found.others > 0 {
        return Ok(());
    }
    server.execute(query(&format!(
        "INSERT INTO segment (id, version, state, node, origin, covers_from, covers_to, first, last, rows, bytes,
           arrived, windows, addresses)
         SELECT {ID} AS one, 3, 'deleted', s.node, 'live', min(s.covers_from), max(s.covers_to), min(s.first),
           max(s.last), 0, 0, now64(9), [], s.addresses
         FROM segment AS s FINAL WHERE s.state = 'deleted' AND ({old} OR id = {ID}) GROUP BY s.node, s.addresses"
    )))?;
    // The table is whole on every server: any of them deletes from all.
    server.execute(query(&format!("ALTER TABLE segment DELETE WHERE {old} AND id != {ID}")))
}
