//! Reads and writes everything unchanged, for copying between stores.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::ops::Range;

use clickhouse::Row;
use cutshort_geo::{Country, Place};
use cutshort_model::{Addresses, Bucket, ConnectionRecord, Window};
use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions};
use cutshort_store::cell::Cells;
use cutshort_store::{
    Inputs, Keepable, KeptDatagram, Movable, Protected, Protection, Provenance, Rest, Restoration, Result,
    Segment, SegmentId, SegmentInfo, StoreError, WindowCounts, WindowResults,
};
use cutshort_verdict::{DataSet, Exclusion};
use serde::Deserialize;

use crate::cells::SummedRow;
use crate::filter::Filter;
use crate::packets::{self, IdColumns};
use crate::results::{self, Level, ResultRow};
use crate::rollups::Results;
use crate::rows::{RowColumns, RowPlaces};
use crate::segments::{self, SegmentRow};
use crate::server::Server;
use crate::{ClickHouse, connections, replacement, roll, servers};

impl Movable for ClickHouse {
    fn find_movable(&self, data_set: DataSet) -> Result<Option<&dyn Movable>> {
        Ok(self.find_store(data_set)?.map(|store| store as &dyn Movable))
    }

    fn movable_of(&self, data_set: DataSet) -> Result<&dyn Movable> {
        Ok(self.create_store(data_set)?)
    }

    fn segments(&self) -> Result<Vec<SegmentId>> {
        segments::in_state(&self.server, segments::KEPT)?.iter().map(SegmentRow::id).collect()
    }

    fn read_segment(&self, id: SegmentId) -> Result<Segment> {
        let row = segments::by_id(&self.server, id)?.filter(|row| row.state == segments::KEPT.1);
        let row = row.ok_or_else(|| StoreError::Refused(format!("segment {id} is not kept")))?;
        segment(&self.server, &row)
    }

    fn deleted_segments(&self) -> Result<Vec<SegmentInfo>> {
        segments::in_state(&self.server, segments::DELETED)?
            .iter()
            .map(|row| info(self.server.data_set, row))
            .collect()
    }

    fn note_deleted(&self, segments: &[SegmentInfo]) -> Result<()> {
        let mut known = BTreeSet::new();
        for state in [segments::KEPT, segments::DELETED] {
            known.extend(segments::in_state(&self.server, state)?.into_iter().map(|row| row.id));
        }
        let new = segments.iter().map(SegmentRow::new).filter(|row| !known.contains(&row.id));
        self.server.insert_all("segment", new.map(|row| row.in_state(segments::DELETED)).collect::<Vec<_>>())
    }

    fn read_results(
        &self,
        window: Window,
        each: &mut dyn FnMut(&ConnectionRecord<'_>) -> Result<()>,
    ) -> Result<Option<WindowResults>> {
        let Some(row) = results::of_window(&self.server, window.start())? else { return Ok(None) };
        let mut excluded = [0; Exclusion::ALL.len()];
        excluded.iter_mut().zip(&row.excluded).for_each(|(to, from)| *to = *from);
        let cells = if row.has_cells { Some(of_result(&self.server, &row)?) } else { None };
        connections::of_window(&self.server, &row, &mut |record| each(&record).map(|()| true))?;
        Ok(Some(WindowResults {
            inputs: Inputs { segments: row.parts, cutoff: row.cutoff, rules: row.rules },
            counts: WindowCounts {
                packets: row.packets,
                duplicates: row.copies,
                tail: row.tail,
                connections: row.connections,
                excluded,
            },
            frozen: results::is_frozen(&self.server, window.start())?,
            has_connections: row.has_connections,
            cells,
        }))
    }

    fn restore(&self, window: Window) -> Result<Box<dyn Restoration + '_>> {
        Ok(Box::new(replacement::Restored::begin(&self.server, window.start())))
    }

    fn rests(&self) -> Result<Vec<Rest>> {
        let all = Results::read(&self.server, &(i64::MIN..i64::MAX))?;
        let of = |level, bucket| {
            let windows = all.of(Level::FifteenMinutes);
            let starts =
                windows.iter().filter(|window| !window.has_cells).map(move |lost| level_start(level, lost));
            let starts: BTreeSet<i64> = starts.collect();
            starts.into_iter().map(move |start| Rest { bucket, start })
        };
        let rests = of(Level::Hour, Bucket::Hour).chain(of(Level::Day, Bucket::Day));
        Ok(rests.filter(|rest| RestParts::of(&all, *rest).is_some()).collect())
    }

    fn read_rest(&self, rest: Rest) -> Result<Cells> {
        let all = Results::read(&self.server, &time_of(rest))?;
        match RestParts::of(&all, rest) {
            Some(RestParts { whole, others }) => read_cells(&self.server, whole, &others),
            None => Ok(Cells::default()),
        }
    }

    fn restore_rest(&self, rest: Rest, cells: &Cells) -> Result<()> {
        roll::restore(&self.server, level_of(rest), rest.start, cells)
    }
}

const fn level_of(rest: Rest) -> Level {
    match rest.bucket {
        Bucket::FifteenMinutes => Level::FifteenMinutes,
        Bucket::Hour => Level::Hour,
        Bucket::Day | Bucket::Week => Level::Day,
    }
}

const fn level_start(level: Level, row: &ResultRow) -> i64 {
    level.start(row.t)
}

const fn time_of(rest: Rest) -> Range<i64> {
    rest.start..rest.start.saturating_add(level_of(rest).nanoseconds())
}

/// An hour or a day that counts windows without counts of their own, and the parts that have their own.
struct RestParts<'a> {
    whole: &'a ResultRow,
    others: Vec<&'a ResultRow>,
}

impl<'a> RestParts<'a> {
    /// None if the hour or day counts nothing that its parts do not.
    fn of(all: &'a Results, rest: Rest) -> Option<Self> {
        let (level, time) = (level_of(rest), time_of(rest));
        let whole = all.of_time(level, &(time.start..time.start + 1)).first().filter(|row| row.has_cells)?;
        let hours = if level == Level::Day { all.of_time(Level::Hour, &time) } else { &[] };
        let hours: Vec<&ResultRow> = hours.iter().filter(|hour| hour.has_cells).collect();
        let is_in_hour = |window: &&ResultRow| hours.iter().any(|hour| hour.t == Level::Hour.start(window.t));
        let (others, lost): (Vec<&ResultRow>, Vec<&ResultRow>) = all
            .of_time(Level::FifteenMinutes, &time)
            .iter()
            .filter(|window| !is_in_hour(window))
            .partition(|window| window.has_cells);
        (!lost.is_empty()).then(|| Self { whole, others: hours.iter().copied().chain(others).collect() })
    }
}

/// The cells of a window that has some.
pub(crate) fn cells(server: &Server, window: Window) -> Result<Option<Cells>> {
    let row = results::of_window(server, window.start())?.filter(|row| row.has_cells);
    row.map(|row| of_result(server, &row)).transpose()
}

fn of_result(server: &Server, window: &ResultRow) -> Result<Cells> {
    let mut cells = read_cells(server, window, &[])?;
    if server.data_set == DataSet::Origin {
        servers::add_to(server, &mut cells, window)?;
    }
    Ok(cells)
}

/// The cells of the windows of a range that have some, in order, without their servers.
pub(crate) fn cells_within(server: &Server, range: &Range<i64>) -> Result<Vec<(Window, Cells)>> {
    let rows = results::within(server, range)?;
    let rows: Vec<ResultRow> =
        rows.into_iter().filter(|row| row.level == Level::FifteenMinutes as u8 && row.has_cells).collect();
    let mut found = cells_of(server, &rows.iter().collect::<Vec<_>>())?;
    let of = |row: &ResultRow| Some((Window::containing(row.t), found.remove(&row.generation)?));
    Ok(rows.iter().filter_map(of).collect())
}

/// The cells of results of one level, in order of time, by generation; without servers.
pub(crate) fn cells_of(server: &Server, rows: &[&ResultRow]) -> Result<BTreeMap<u64, Cells>> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(BTreeMap::new()) };
    let mut filter = Filter::default();
    filter.generations("t", (first.t, last.t), rows.iter().map(|row| row.generation).collect());
    filter.add("networks = 1");
    let mut found: BTreeMap<u64, Cells> = rows.iter().map(|row| (row.generation, Cells::default())).collect();
    let sums = ["sampled", "weight", "squares"].map(|column| format!("sum(c.{column})"));
    each_sum(server, &filter, sums, &format!("generation, {}", roll::KEYS), &mut |row| {
        found.get_mut(&row.of_result).map_or(Ok(()), |cells| row.add_to(cells))
    })?;
    Ok(found)
}

/// Reads sums of the counts that pass a filter.
fn each_sum(
    server: &Server,
    filter: &Filter,
    [sampled, weight, squares]: [String; 3],
    keys: &str,
    each: &mut dyn FnMut(&SummedRow) -> Result<()>,
) -> Result<()> {
    let sql = format!(
        "SELECT max(generation) AS of_result, toString(location) AS location, toString(network) AS network, asn, ip_version, port,
           toString(node) AS node, toString(excluded) AS excluded, toString(stage) AS stage,
           toString(termination) AS termination, completed, signature_id, tags,
           toUInt64({sampled}) AS sampled, toUInt64({weight}) AS weight, toUInt128({squares}) AS squares
         FROM cell AS c WHERE {} GROUP BY {keys} HAVING sampled != 0",
        filter.sql(),
    );
    let query = filter.bind(server.query(&sql));
    let mut cursor = server.wait(async { query.fetch::<SummedRow>() })?;
    loop {
        let rows = server.batch(&mut cursor)?;
        if rows.is_empty() {
            return Ok(());
        }
        rows.iter().try_for_each(&mut *each)?;
    }
}

/// The cells of a result, minus those of other results that it includes.
fn read_cells(server: &Server, whole: &ResultRow, others: &[&ResultRow]) -> Result<Cells> {
    let mut filter = Filter::default();
    let generations = others.iter().map(|other| other.generation).chain([whole.generation]).collect();
    let last = others.iter().map(|other| other.t).max().unwrap_or(whole.t).max(whole.t);
    filter.generations("t", (whole.t, last), generations);
    filter.add("networks = 1");
    let own = filter.numbers(vec![whole.generation]);
    let sum = |column| {
        format!("sumIf(c.{column}, generation IN {own}) - sumIf(c.{column}, generation NOT IN {own})")
    };
    let sums = ["sampled", "weight", "squares"].map(sum);
    let mut cells = Cells::default();
    each_sum(server, &filter, sums, roll::KEYS, &mut |row| row.add_to(&mut cells))?;
    Ok(cells)
}

pub(crate) fn info(data_set: DataSet, row: &SegmentRow) -> Result<SegmentInfo> {
    let unknown = || StoreError::Damaged(format!("'{}' is no origin of a segment", row.origin).into());
    Ok(SegmentInfo {
        data_set,
        id: row.id()?,
        node: row.node.clone(),
        origin: Provenance::from_name(&row.origin).ok_or_else(unknown)?,
        covers: (row.covers_from, row.covers_to),
        rows: row.rows,
        times: row.first.zip(row.last),
        addresses: row.addresses()?,
    })
}

/// A row of the table `packet`.
#[derive(Row, Deserialize)]
struct PacketRow {
    ts: i64,
    src_ip: Ipv6Addr,
    src_port: u16,
    dst_ip: Ipv6Addr,
    dst_port: u16,
    ip_id: u16,
    ttl: u8,
    flags: u16,
    seq: u32,
    ack: u32,
    window: u16,
    options_len: u8,
    payload_len: u32,
    sample_rate: u32,
    country: String,
    asn: u32,
    flow: u64,
    df: u8,
    options: u64,
    mss: u16,
    wscale: u8,
    ids: IdColumns,
}

impl PacketRow {
    fn protected(self, addresses: Addresses) -> Protected {
        let Self { src_ip, src_port, dst_ip, dst_port, .. } = self;
        let packet = Packet {
            ts: self.ts,
            five_tuple: FiveTuple { src_ip, src_port, dst_ip, dst_port },
            ip_id: self.ip_id,
            ttl: self.ttl,
            flags: Flags::from_marked_bits(self.flags),
            seq: self.seq,
            ack: self.ack,
            tcp_window: self.window,
            options_len: self.options_len,
            payload_len: self.payload_len,
            sample_rate: self.sample_rate,
            df: self.df != 0,
            syn: SynOptions { kinds: self.options, mss: self.mss, wscale: self.wscale },
        };
        if addresses == Addresses::Full {
            return Protected::from(packet);
        }
        let place =
            Place { country: Country::from_alpha2(&self.country), asn: (self.asn > 0).then_some(self.asn) };
        Protected { packet, protection: Protection { addresses, place, flow: self.flow } }
    }
}

/// Rebuilds a segment from its packets: the same content yields the same file.
fn segment(server: &Server, row: &SegmentRow) -> Result<Segment> {
    let info = info(server.data_set, row)?;
    let columns = RowColumns::of(server.data_set);
    let rows = packets_of(server, row, columns)?;
    if rows.len() as u64 != info.rows {
        return Err(StoreError::Unavailable(format!(
            "ClickHouse gives {} of the {} packets of segment {}: a replica lags behind, or packets were deleted by hand",
            rows.len(),
            info.rows,
            info.id
        ).into()));
    }
    let made = match columns.has_ids {
        false => encoded(rows, &info, |row| row.protected(info.addresses)),
        true => encoded(rows, &info, |row| {
            let ids = packets::ids(row.ids);
            KeptDatagram::new(row.protected(info.addresses), ids)
        }),
    }?;
    if made.info().id == info.id {
        return Ok(made);
    }
    Err(StoreError::Damaged(
        format!("the packets of segment {} are not those that it came with", info.id).into(),
    ))
}

/// The packets of a segment, in order.
fn packets_of(server: &Server, row: &SegmentRow, columns: &RowColumns) -> Result<Vec<PacketRow>> {
    let query = row.bind(server.query(&select_packets(columns)));
    let mut cursor = server.wait(async { query.fetch::<PacketRow>() })?;
    let mut rows = Vec::new();
    loop {
        let some = server.batch(&mut cursor)?;
        if some.is_empty() {
            return Ok(rows);
        }
        rows.extend(some);
    }
}

fn select_packets(columns: &RowColumns) -> String {
    let RowPlaces {
        flags,
        seq,
        ack,
        window,
        options_len,
        payload_len,
        df,
        options,
        mss,
        wscale,
        ordinal,
        ids,
    } = &columns.places;
    let order = if columns.has_ordinal { format!("ORDER BY {ordinal}") } else { String::new() };
    format!(
        "SELECT toUnixTimestamp64Nano(ts) AS ts, src_ip, src_port, dst_ip, dst_port, ip_id, ttl,
           toUInt16({flags}) AS flags, toUInt32({seq}) AS seq, toUInt32({ack}) AS ack, {window} AS window,
           {options_len} AS options_len, toUInt32({payload_len}) AS payload_len, sample_rate,
           toString(country) AS country, asn, flow, {df} AS df, {options} AS options, {mss} AS mss, {wscale} AS wscale,
           {ids} AS ids
         FROM packet WHERE {} {order}",
        segments::OF_SEGMENT
    )
}

fn encoded<P: Keepable>(
    rows: Vec<PacketRow>,
    info: &SegmentInfo,
    kept: impl FnMut(PacketRow) -> P,
) -> Result<Segment> {
    Segment::encode(rows.into_iter().map(kept).collect(), &info.source(), Some(info.id))
}
