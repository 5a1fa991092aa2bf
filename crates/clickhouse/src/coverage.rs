//! Which time segments cover. The server puts those together that touch, so that few rows come.

use clickhouse::Row;
use cutshort_model::Window;
use cutshort_store::{CoverageBuilder, NodeCoverage, Result};
use serde::Deserialize;

use crate::results;
use crate::server::Server;

/// A time that segments of a node cover without a gap.
#[derive(Row, Deserialize)]
struct Span {
    node: String,
    from: i64,
    to: i64,
}

/// The beginning of a window with results.
#[derive(Row, Deserialize)]
struct Start {
    start: i64,
}

pub(crate) fn coverage(server: &Server) -> Result<Vec<NodeCoverage>> {
    let covered_to = results::covered_to(server)?;
    let mut coverage = CoverageBuilder::default();
    let spans: Vec<Span> = server.all(server.query(SPANS).param("limit", covered_to))?;
    spans.iter().for_each(|span| coverage.add(&span.node, (span.from, span.to)));
    let windows: Vec<Start> = server.all(server.query(WINDOWS))?;
    Ok(coverage.finish(windows.iter().map(|window| Window::containing(window.start))))
}

/// Each span that begins after all before it have ended begins an island; the others are part of the island before.
const SPANS: &str = "
    SELECT node, min(f) AS from, max(t) AS to FROM (
      SELECT node, f, t, sum(begins) OVER (PARTITION BY node ORDER BY f, t ROWS UNBOUNDED PRECEDING) AS island FROM (
        SELECT node, f, t, f > max(t) OVER (PARTITION BY node ORDER BY f, t
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS begins FROM (
          SELECT toString(s.node) AS node, toUnixTimestamp64Nano(s.covers_from) AS f,
            toUnixTimestamp64Nano(s.covers_to) AS t
          FROM segment AS s FINAL WHERE s.state IN ('kept', 'deleted') AND t <= {limit:Int64})))
    GROUP BY node, island ORDER BY node, from";

const WINDOWS: &str = "SELECT DISTINCT toUnixTimestamp64Nano(r.t) AS start FROM result AS r FINAL WHERE r.level = 0 ORDER BY start";
