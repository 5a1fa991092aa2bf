//! Single connections, read back.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

use cutshort_geo::Country;
use cutshort_model::ConnectionRecord;
use cutshort_packet::FiveTuple;
use cutshort_packet::quic::Version;
use cutshort_store::{ConnectionQuery, First, Order, OrderBy, Result, StoreError};
use cutshort_verdict::{DataSet, Progress, Signature, Stage, Tags, Termination};
use ipnet::IpNet;

use crate::filter::{Filter, GENERATIONS};
use crate::replacement::ConnectionRow;
use crate::results::{self, Level, ResultRow};
use crate::segments;
use crate::server::Server;

const COLUMNS: &str = "window_start, generation, number, first_us, last_us, node, src_ip, src_port, dst_ip, dst_port, packets, progress, stage, termination, tags, signature_id, location, asn, as_name, rst_ttl_delta, rst_ip_id_delta, silent_us, sample_rate, addresses, handshake_us, first_byte_us, version, close_code";

/// The order of a window's connections: that of the folder's files.
const ORDER: &str = "src_ip, src_port, dst_ip, dst_port, first_us, last_us, number";

/// The order of connections that are equal in everything that is asked for.
const TUPLE: &str = "src_ip, src_port, dst_ip, dst_port, last_us, number";

/// Windows whose connections are asked for at once, at first; then more.
const WINDOWS: usize = 4;

/// The connections of a query in its order. In order of time, the first windows are mostly enough; in any other order,
/// the connections that come first are selected from those of all windows.
pub(crate) fn select(server: &Server, query: &ConnectionQuery) -> Result<Vec<ConnectionRecord<'static>>> {
    let mut windows = with_connections(server, &query.range)?;
    if query.order.descending {
        windows.reverse();
    }
    if query.order.by == OrderBy::Time {
        by_time(server, query, &windows)
    } else {
        by_value(server, query, &windows)
    }
}

fn by_time(
    server: &Server,
    query: &ConnectionQuery,
    windows: &[ResultRow],
) -> Result<Vec<ConnectionRecord<'static>>> {
    let (mut found, mut offset, mut size) = (Vec::new(), query.offset, WINDOWS);
    let mut rest = windows;
    while !rest.is_empty() && found.len() < query.limit {
        let (some, behind) = rest.split_at(few(rest, size));
        let filter = filter(query, some);
        let rows = page(server, &filter, query.order, offset, query.limit - found.len())?;
        if rows.is_empty() && !behind.is_empty() {
            offset = offset.saturating_sub(count(server, &filter)?);
        } else if !rows.is_empty() {
            offset = 0;
        }
        found.extend(rows.into_iter().map(|row| record(server.data_set, row)).collect::<Result<Vec<_>>>()?);
        rest = behind;
        size *= 4;
    }
    Ok(found)
}

fn by_value(
    server: &Server,
    query: &ConnectionQuery,
    windows: &[ResultRow],
) -> Result<Vec<ConnectionRecord<'static>>> {
    let most = query.offset.saturating_add(query.limit);
    let (mut first, mut rest) = (First::new(query.order, most), windows);
    while !rest.is_empty() {
        let (some, behind) = rest.split_at(few(rest, rest.len()));
        for row in page(server, &filter(query, some), query.order, 0, most)? {
            first.offer(&record(server.data_set, row)?);
        }
        rest = behind;
    }
    Ok(first.into_records(query.offset).collect())
}

/// How many of the first windows are asked for at once: so many, unless they have too many generations for a question.
fn few(windows: &[ResultRow], size: usize) -> usize {
    let mut generations = 0;
    let fits = |window: &&ResultRow| {
        generations += window.connection_generations.len();
        generations <= GENERATIONS
    };
    windows.iter().take(size).take_while(fits).count().max(1).min(windows.len())
}

/// The results of windows whose connections are kept, in order.
fn with_connections(server: &Server, range: &Range<i64>) -> Result<Vec<ResultRow>> {
    let results = results::within(server, range)?;
    Ok(results
        .into_iter()
        .filter(|result| result.level == Level::FifteenMinutes as u8 && result.has_connections)
        .collect())
}

fn page(
    server: &Server,
    filter: &Filter,
    order: Order,
    offset: usize,
    limit: usize,
) -> Result<Vec<ConnectionRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM connection WHERE {} ORDER BY {}
         LIMIT {{limit:UInt64}} OFFSET {{offset:UInt64}}",
        filter.sql(),
        order_by(order)
    );
    let query = filter.bind(server.question(&sql));
    server.all(query.param("limit", limit as u64).param("offset", offset as u64))
}

/// The columns of an order. The same as that of [`First`].
fn order_by(order: Order) -> String {
    let direction = if order.descending { "DESC" } else { "ASC" };
    let columns = match order.by {
        OrderBy::Time => return format!("window_start {direction}, first_us {direction}, {TUPLE}"),
        OrderBy::Packets => format!("packets {direction}"),
        OrderBy::Stage => format!("indexOf([{}], stage) {direction}", stages()),
        OrderBy::Signature => format!("signature_id = 0, signature_id {direction}"),
        OrderBy::Location => {
            format!("location = '', location {direction}, ifNull(asn, {}) {direction}", u32::MAX)
        }
        OrderBy::Client => format!("src_ip {direction}, src_port {direction}"),
        OrderBy::Server => format!("dst_ip {direction}, dst_port {direction}"),
    };
    format!("{columns}, first_us DESC, {TUPLE}")
}

fn stages() -> String {
    Stage::ALL.map(|stage| format!("'{}'", stage.name())).join(", ")
}

fn count(server: &Server, filter: &Filter) -> Result<usize> {
    let sql = format!("SELECT count() FROM connection WHERE {}", filter.sql());
    Ok(server.count(filter.bind(server.question(&sql)))? as usize)
}

/// One window after the other, as long as more are wanted.
pub(crate) fn visit(
    server: &Server,
    range: &Range<i64>,
    each: &mut dyn FnMut(ConnectionRecord<'static>) -> bool,
) -> Result<()> {
    for window in with_connections(server, range)? {
        if !of_window(server, &window, &mut |record| Ok(each(record)))? {
            break;
        }
    }
    Ok(())
}

/// Calls `each` with the connections of a window until it returns false, or an error; tells whether it did neither.
pub(crate) fn of_window(
    server: &Server,
    window: &ResultRow,
    each: &mut dyn FnMut(ConnectionRecord<'static>) -> Result<bool>,
) -> Result<bool> {
    let mut filter = Filter::default();
    generations(&mut filter, std::slice::from_ref(window));
    let sql = format!("SELECT {COLUMNS} FROM connection WHERE {} ORDER BY {ORDER}", filter.sql());
    let query = filter.bind(server.query(&sql));
    let mut cursor = server.wait(async { query.fetch::<ConnectionRow>() })?;
    loop {
        let rows = server.batch(&mut cursor)?;
        if rows.is_empty() {
            return Ok(true);
        }
        for row in rows {
            if !each(record(server.data_set, row)?)? {
                return Ok(false);
            }
        }
    }
}

fn generations(filter: &mut Filter, windows: &[ResultRow]) {
    let first = windows.iter().map(|window| window.t).min().unwrap_or_default();
    let last = windows.iter().map(|window| window.t).max().unwrap_or_default();
    let all = windows.iter().flat_map(|window| window.connection_generations.iter().copied()).collect();
    filter.generations("window_start", (first, last), all);
}

fn filter(query: &ConnectionQuery, windows: &[ResultRow]) -> Filter {
    let mut filter = Filter::default();
    generations(&mut filter, windows);
    let selection = &query.selection;
    filter.locations(selection);
    if !selection.asns.include.is_empty() {
        let list = filter.numbers(selection.asns.include.iter().map(|asn| u64::from(*asn)).collect());
        filter.add(format!("ifNull(asn IN {list}, false)"));
    }
    if !selection.asns.exclude.is_empty() {
        let list = filter.numbers(selection.asns.exclude.iter().map(|asn| u64::from(*asn)).collect());
        filter.add(format!("ifNull(asn NOT IN {list}, true)"));
    }
    filter.verdict(selection, "progress > 0");
    filter.numbered(IP_VERSION, &selection.ip_versions);
    filter.numbered("dst_port", &selection.ports);
    filter.nodes(&selection.nodes);
    if !query.stages.is_empty() {
        let names = filter.texts(query.stages.iter().map(|stage| stage.name().to_owned()).collect());
        filter.add(format!("stage IN {names}"));
    }
    if !query.terminations.is_empty() {
        let names = filter.texts(query.terminations.iter().map(|ending| ending.name().to_owned()).collect());
        filter.add(format!("termination IN {names}"));
    }
    addresses(&mut filter, "src_ip", query.clients.iter().map(bounds));
    let servers = query.servers.iter().map(|server| (mapped(*server), mapped(*server)));
    addresses(&mut filter, "dst_ip", servers);
    filter
}

const IP_VERSION: &str =
    "if(src_ip >= toIPv6('::ffff:0.0.0.0') AND src_ip <= toIPv6('::ffff:255.255.255.255'), 4, 6)";

/// Any of the ranges; all if there is none.
fn addresses(filter: &mut Filter, column: &str, ranges: impl Iterator<Item = (Ipv6Addr, Ipv6Addr)>) {
    let mut any = Vec::new();
    for (first, last) in ranges {
        let (first, last) = (filter.address(first), filter.address(last));
        any.push(format!("({column} >= {first} AND {column} <= {last})"));
    }
    if !any.is_empty() {
        filter.add(format!("({})", any.join(" OR ")));
    }
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

fn bounds(net: &IpNet) -> (Ipv6Addr, Ipv6Addr) {
    (mapped(net.network()), mapped(net.broadcast()))
}

fn record(data_set: DataSet, row: ConnectionRow) -> Result<ConnectionRecord<'static>> {
    let unknown = |what: &str, name: &str| {
        StoreError::Damaged(
            format!("a connection in ClickHouse has the {what} '{name}', which is not known").into(),
        )
    };
    let stage = Stage::ALL.into_iter().find(|stage| stage.name() == row.stage);
    let termination = Termination::ALL.into_iter().find(|ending| ending.name() == row.termination);
    let version = row.version.as_deref().map(|name| {
        let known = Version::ALL.into_iter().find(|version| version.name() == name);
        known.ok_or_else(|| unknown("version", name))
    });
    let location = match row.location.as_str() {
        "" => None,
        code => Some(Country::from_alpha2(code).ok_or_else(|| unknown("location", code))?),
    };
    Ok(ConnectionRecord {
        data_set,
        handshake_us: row.handshake_us,
        first_byte_us: row.first_byte_us,
        version: version.transpose()?,
        close_code: row.close_code,
        five_tuple: FiveTuple {
            src_ip: row.src_ip,
            src_port: row.src_port,
            dst_ip: row.dst_ip,
            dst_port: row.dst_port,
        },
        addresses: segments::addresses(&row.addresses)?,
        first_us: row.first_us,
        last_us: row.last_us,
        packets: row.packets,
        progress: Progress::ALL.get(usize::from(row.progress)).copied().unwrap_or(Progress::Later),
        stage: stage.ok_or_else(|| unknown("stage", &row.stage))?,
        termination: termination.ok_or_else(|| unknown("termination", &row.termination))?,
        tags: Tags::from_bits(row.tags),
        signature: Signature::from_id(row.signature_id),
        location,
        asn: row.asn,
        as_name: row.as_name.map(Cow::Owned),
        rst_ttl_delta: row.rst_ttl_delta,
        rst_ip_id_delta: row.rst_ip_id_delta,
        silent_us: row.silent_us,
        sample_rate: row.sample_rate,
        node: Cow::Owned(row.node),
    })
}
