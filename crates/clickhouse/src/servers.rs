//! Counts by server as rows of a table, of the data set `origin`.
//!
//! They have addresses, so they are kept as long as connections are: under the first of a window's generations of
//! connections.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use clickhouse::Row;
use cutshort_geo::{Country, Place};
use cutshort_model::{ServerCounts, TimeHistogram};
use cutshort_store::cell::{Cells, ServerCell, ServerKey};
use cutshort_store::{Result, ServerTotals, StoreError};
use cutshort_verdict::{DataSet, Stage, WeightedCount};
use serde::{Deserialize, Serialize};

use crate::cells::unknown;
use crate::filter::{Filter, GENERATIONS};
use crate::results::{self, Level, ResultRow};
use crate::server::Server;

/// A row of the table `server`.
#[derive(Row, Serialize)]
pub(crate) struct ServerRow {
    t: i64,
    generation: u64,
    /// Address and port, or `::` and 0 for all servers beyond the limit.
    address: Ipv6Addr,
    port: u16,
    is_other: bool,
    node: String,
    location: &'static str,
    asn: Option<u32>,
    as_name: Option<String>,
    /// The counts of [`ServerCounts::STORED`].
    sampled: Vec<u64>,
    weight: Vec<u64>,
    squares: Vec<u128>,
    /// Buckets of handshake times and their weights.
    handshakes: Vec<(i32, u64)>,
}

/// The rows of a window's servers.
pub(crate) fn rows(cells: &Cells, t: i64, generation: u64) -> Vec<ServerRow> {
    let row = |(key, cell): (&ServerKey, &ServerCell)| {
        let (address, port) = key.server.unwrap_or((Ipv6Addr::UNSPECIFIED, 0));
        let counts = cell.counts.stored();
        ServerRow {
            t,
            generation,
            address,
            port,
            is_other: key.server.is_none(),
            node: cells.nodes().get(usize::from(key.node)).map_or("other", String::as_str).to_owned(),
            location: cell.place.country.map_or("", |country| country.alpha2()),
            asn: cell.place.asn,
            as_name: cell.as_name.clone(),
            sampled: counts.iter().map(|count| count.sampled).collect(),
            weight: counts.iter().map(|count| count.weight).collect(),
            squares: counts.iter().map(|count| count.squares).collect(),
            handshakes: cell.counts.handshakes.buckets().collect(),
        }
    };
    cells.servers().map(row).collect()
}

/// The sums of the rows of a server and node.
#[derive(Row, Deserialize)]
struct SummedRow {
    address: Ipv6Addr,
    port: u16,
    is_other: bool,
    node: String,
    location: String,
    asn: Option<u32>,
    as_name: Option<String>,
    sampled: Vec<u64>,
    weight: Vec<u64>,
    squares: Vec<u128>,
    buckets: Vec<i32>,
    weights: Vec<u64>,
    /// The start of windows; none is 0.
    first_failure: i64,
    last_success: i64,
}

impl SummedRow {
    fn server(&self) -> Option<(Ipv6Addr, u16)> {
        (!self.is_other).then_some((self.address, self.port))
    }

    fn cell(&self) -> Result<ServerCell> {
        let wrong =
            || StoreError::Damaged("the counts of a server in ClickHouse have an unknown number".into());
        let counts: Vec<WeightedCount> = (self.sampled.iter().zip(&self.weight).zip(&self.squares))
            .map(|((&sampled, &weight), &squares)| WeightedCount { sampled, weight, squares })
            .collect();
        let counts: [WeightedCount; ServerCounts::STORED.len()] = counts.try_into().map_err(|_| wrong())?;
        let mut handshakes = TimeHistogram::default();
        let buckets = self.buckets.iter().zip(&self.weights);
        buckets.for_each(|(bucket, weight)| handshakes.add_bucket(*bucket, *weight));
        let country = match self.location.as_str() {
            "" => None,
            code => Some(Country::from_alpha2(code).ok_or_else(|| unknown("location", code))?),
        };
        Ok(ServerCell {
            place: Place { country, asn: self.asn },
            as_name: self.as_name.clone(),
            counts: ServerCounts::from_stored(&counts, handshakes),
        })
    }

    fn totals(&self) -> Result<ServerTotals> {
        let time = |t: i64| (t != 0).then_some(t);
        Ok(ServerTotals {
            server: self.server().map(|(address, port)| (address.to_canonical(), port)),
            node: self.node.clone(),
            cell: self.cell()?,
            first_failure: time(self.first_failure),
            last_success: time(self.last_success),
        })
    }
}

/// The generation of a window's servers; none if its connections were deleted.
fn generation(window: &ResultRow) -> Option<u64> {
    window.connection_generations.first().copied()
}

/// Adds the servers of a window to its cells.
pub(crate) fn add_to(server: &Server, cells: &mut Cells, window: &ResultRow) -> Result<()> {
    for row in summed(server, &[window])? {
        let key = ServerKey { server: row.server(), node: cells.node(&row.node) };
        cells.server(key).merge(&row.cell()?);
    }
    Ok(())
}

/// The connections of a range by server and node; none if a window that has connections does not count them so.
pub(crate) fn within(server: &Server, range: &Range<i64>) -> Result<Option<Vec<ServerTotals>>> {
    if server.data_set != DataSet::Origin {
        return Ok(None);
    }
    let mut windows = results::within(server, range)?;
    windows.retain(|row| {
        row.level == Level::FifteenMinutes as u8
            && row.has_cells
            && row.has_connections
            && row.connections > 0
    });
    let windows: Vec<&ResultRow> = windows.iter().collect();
    let mut all: HashMap<(Option<(IpAddr, u16)>, String), ServerTotals> = HashMap::new();
    for some in windows.chunks(GENERATIONS) {
        if !are_counted(server, some)? {
            return Ok(None);
        }
        for row in summed(server, some)? {
            let totals = row.totals()?;
            let sum = all.entry((totals.server, totals.node.clone())).or_insert_with(|| ServerTotals {
                server: totals.server,
                node: totals.node.clone(),
                ..ServerTotals::default()
            });
            sum.merge(&totals);
        }
    }
    Ok(Some(all.into_values().collect()))
}

#[derive(Row, Deserialize)]
struct Generation {
    generation: u64,
}

/// Whether all of the windows count their connections by server.
fn are_counted(server: &Server, windows: &[&ResultRow]) -> Result<bool> {
    let filter = of(windows);
    let sql = format!("SELECT DISTINCT generation FROM server WHERE {}", filter.sql());
    let found: Vec<Generation> = server.all(filter.bind(server.query(&sql)))?;
    let found: HashSet<u64> = found.into_iter().map(|row| row.generation).collect();
    Ok(windows.iter().filter_map(|window| generation(window)).all(|generation| found.contains(&generation)))
}

fn of(windows: &[&ResultRow]) -> Filter {
    let times: BTreeMap<i64, u64> =
        windows.iter().filter_map(|window| Some((window.t, generation(window)?))).collect();
    let first = times.first_key_value().map_or(0, |(t, _)| *t);
    let last = times.last_key_value().map_or(0, |(t, _)| *t);
    let mut filter = Filter::default();
    filter.generations("t", (first, last), times.into_values().collect());
    filter
}

/// The places of counts in arrays: the stages at which connections are cut short come first, then the last stage, and empty
/// answers at the end.
const CUT_SHORT: usize = Stage::ALL.len() - 1;
const STAGES: usize = Stage::ALL.len();
const EMPTY: usize = ServerCounts::STORED.len();

/// The sums over windows, at most [`GENERATIONS`].
fn summed(server: &Server, windows: &[&ResultRow]) -> Result<Vec<SummedRow>> {
    let filter = of(windows);
    let sql = format!(
        "SELECT s.address AS address, s.port AS port, s.is_other AS is_other, toString(s.node) AS node,
           argMax(toString(s.location), s.t) AS location, argMax(tuple(s.asn), s.t).1 AS asn,
           argMax(tuple(toNullable(toString(s.as_name))), s.t).1 AS as_name, sumForEach(s.sampled) AS sampled,
           sumForEach(s.weight) AS weight, sumForEach(s.squares) AS squares,
           sumMap(s.handshakes.1, s.handshakes.2).1 AS buckets, sumMap(s.handshakes.1, s.handshakes.2).2 AS weights,
           toUnixTimestamp64Nano(minIf(s.t, s.failed > 0)) AS first_failure,
           toUnixTimestamp64Nano(maxIf(s.t, s.every > s.failed)) AS last_success
         FROM (SELECT *, arraySum(arraySlice(weight, 1, {CUT_SHORT})) + weight[{EMPTY}] AS failed,
             arraySum(arraySlice(weight, 1, {STAGES})) AS every FROM server WHERE {}) AS s
         GROUP BY address, port, is_other, node",
        filter.sql()
    );
    server.all_of_much(filter.bind(server.query(&sql)))
}
