//! Segments that were deleted long ago are remembered together, or their rows would be more each year.

use clickhouse::Row;
use cutshort_store::Result;
use serde::Deserialize;

use crate::results::Level;
use crate::server::{Server, time};

/// How long a live segment is remembered by itself after its packets were past their time, in days. Who delivers one
/// later finds its windows frozen.
const REMEMBERED: i64 = 30;

/// Live segments of before, by servers' clocks.
const OLD: &str = "origin = 'live' AND covers_to < @before AND arrived < @before";
/// The id of the row that stands for those of a node.
const ID: &str = "lower(hex(sipHash128(toString(node), toString(addresses))))";

#[derive(Row, Deserialize)]
struct Found {
    deleted: u64,
    others: u64,
}

/// Puts one row for each node in the place of those of its deleted segments: it covers what they covered. Only when
/// none of that time is kept, so that which rows go does not depend on rows that go as well, and once a day.
pub(super) fn collapse(server: &Server, before: i64) -> Result<()> {
    let before = Level::Day.start(before.saturating_sub(REMEMBERED * Level::Day.nanoseconds()));
    let old = OLD.replace("@before", &time("before"));
    let query = |sql: &str| server.query(sql).param("before", before);
    let found = format!(
        "SELECT countIf(state = 'deleted') AS deleted, countIf(state != 'deleted') AS others
         FROM segment FINAL WHERE {old} AND id != {ID}"
    );
    let found: Found = server.one(query(&found))?;
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
