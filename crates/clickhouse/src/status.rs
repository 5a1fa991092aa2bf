//! Counts the contents of a store.

use clickhouse::Row;
use cutshort_model::Window;
use cutshort_store::{Result, Status, StoreError, WindowCounts};
use cutshort_verdict::Exclusion;
use serde::Deserialize;

use crate::segments;
use crate::server::Server;

pub(crate) fn status(server: &Server) -> Result<Status> {
    let mut status = Status { rollup_bytes: rollup_bytes(server)?, ..Status::default() };
    of_segments(server, &mut status)?;
    windows(server, &mut status)?;
    status.nodes = nodes(server)?;
    Ok(status)
}

#[derive(Row, Deserialize)]
struct SegmentTotals {
    segments: u64,
    packets: u64,
    arriving: u64,
    packet_bytes: u64,
    latest: Option<i64>,
    covers_from: Option<i64>,
    covers_to: Option<i64>,
    simulated: bool,
    protected: Vec<String>,
}

/// Counts stored segments; what deleted segments covered is still covered.
fn of_segments(server: &Server, status: &mut Status) -> Result<()> {
    // Looked at before the segments, so that those that come meanwhile do not count as left over.
    let stored = server.count(server.query("SELECT count() FROM packet"))?;
    let sql = "SELECT countIf(state = 'kept') AS segments, sumIf(rows, state = 'kept') AS packets,
               sumIf(rows, state = 'arriving') AS arriving,
               sumIf(bytes, state = 'kept') AS packet_bytes, maxIf(last, state != 'arriving') AS latest,
               ifNull(maxOrNullIf(covers_to, state != 'arriving' AND covers_to <= now64(9) + INTERVAL 1 DAY),
                 maxOrNullIf(covers_to, state != 'arriving')) AS covers_to,
               minOrNullIf(covers_from, state != 'arriving') AS covers_from,
               countIf(origin = 'simulated' AND state != 'arriving') > 0 AS simulated,
               groupUniqArrayIf(toString(addresses), addresses != 'full' AND state != 'arriving') AS protected
               FROM segment FINAL WHERE state IN ('arriving', 'kept', 'deleted')";
    let sql = format!(
        "SELECT segments, packets, arriving, packet_bytes, toUnixTimestamp64Nano(latest) AS latest,
         toUnixTimestamp64Nano(covers_from) AS covers_from, toUnixTimestamp64Nano(covers_to) AS covers_to,
         toBool(simulated) AS simulated, protected FROM ({sql})"
    );
    let found: SegmentTotals = server.one(server.query(&sql))?;
    status.segments = found.segments;
    status.packets = found.packets;
    status.packet_bytes = found.packet_bytes;
    status.undeleted_packets = stored.saturating_sub(found.packets.saturating_add(found.arriving));
    status.latest_packet = found.latest;
    status.covered = found.covers_from.zip(found.covers_to);
    status.simulated = found.simulated;
    status.protected =
        found.protected.iter().map(|name| segments::addresses(name)).collect::<Result<Vec<_>>>()?;
    status.protected.sort_unstable();
    Ok(())
}

#[derive(Row, Deserialize)]
struct Windows {
    windows: u64,
    first: Option<i64>,
    last: Option<i64>,
    updated: Option<i64>,
    bytes: u64,
    packets: u64,
    copies: u64,
    tail: u64,
    connections: u64,
    excluded: Vec<u64>,
}

fn windows(server: &Server, status: &mut Status) -> Result<()> {
    let sql = "SELECT count() AS windows, toUnixTimestamp64Nano(minOrNull(t)) AS first,
               toUnixTimestamp64Nano(maxOrNull(t)) AS last, toUnixTimestamp64Nano(maxOrNull(r.updated)) AS updated,
               sum(r.bytes) AS bytes, sum(r.packets) AS packets, sum(r.copies) AS copies, sum(r.tail) AS tail,
               sum(r.connections) AS connections, sumForEach(r.excluded) AS excluded
               FROM result AS r FINAL WHERE level = 0";
    let found: Windows = server.one(server.query(sql))?;
    status.windows = found.windows;
    status.window_range = found.first.map(Window::containing).zip(found.last.map(Window::containing));
    status.updated = found.updated;
    status.connection_bytes = found.bytes;
    let mut excluded = [0; Exclusion::ALL.len()];
    excluded.iter_mut().zip(&found.excluded).for_each(|(sum, found)| *sum = *found);
    status.counts = WindowCounts {
        packets: found.packets,
        duplicates: found.copies,
        tail: found.tail,
        connections: found.connections,
        excluded,
    };
    Ok(())
}

#[derive(Row, Deserialize)]
struct Node {
    node: String,
    latest: Option<i64>,
}

fn nodes(server: &Server) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT toString(s.node) AS node, toUnixTimestamp64Nano(max(s.last)) AS latest FROM segment AS s FINAL
               WHERE s.state IN ('kept', 'deleted') AND s.node != '' GROUP BY s.node ORDER BY s.node";
    let found: Vec<Node> = server.all(server.query(sql))?;
    Ok(found.into_iter().filter_map(|found| Some((found.node, found.latest?))).collect())
}

#[derive(Row, Deserialize)]
struct Bytes {
    bytes: u64,
}

/// The size of the counts on this server's disk in bytes; 0 if the user has no permission to read it.
fn rollup_bytes(server: &Server) -> Result<u64> {
    let sql = "SELECT sum(bytes_on_disk) AS bytes FROM system.parts
               WHERE active AND database = currentDatabase() AND table IN ('cell', 'cell_local')";
    match server.one::<Bytes>(server.query(sql)) {
        Ok(found) => Ok(found.bytes),
        Err(StoreError::Refused(_)) => Ok(0),
        Err(error) => Err(error),
    }
}
