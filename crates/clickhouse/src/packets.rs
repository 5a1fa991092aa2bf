//! A window's packets, grouped by flow by the server.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use clickhouse::Row as ClickHouseRow;
use clickhouse::query::RowCursor;
use cutshort_geo::{Country, Place};
use cutshort_packet::{FiveTuple, Flags};
use cutshort_store::{
    Addresses, FlowKey, Grouped, Inputs, Result, SegmentId, StoreError, StoredRow, WindowPackets,
};
use cutshort_verdict::Row;
use serde::Deserialize;

use crate::connection::{Connection, time};
use crate::results;
use crate::segments::SegmentRow;

/// One group is one row: the lists are put together in any order, and the few packets are sorted here. Numbers are put
/// together in few lists, which is quicker on both sides.
const SELECT: &str = "SELECT src_ip, src_port, dst_ip, dst_port, flow,
    toUInt8(transform(segment, {ids:Array(String)}, {addresses:Array(UInt8)}, 0)) AS addresses,
    groupArray(toUnixTimestamp64Nano(ts)) AS times,
    groupArray(bitOr(bitShiftLeft(toUInt64(seq), 32), toUInt64(ack))) AS numbers,
    groupArray(bitOr(bitShiftLeft(toUInt64(payload_len), 32), toUInt64(sample_rate))) AS lengths,
    groupArray(bitOr(bitOr(bitOr(bitShiftLeft(toUInt64(ip_id), 48), bitShiftLeft(toUInt64(window), 32)),
        bitOr(bitShiftLeft(toUInt64(flags), 16), bitShiftLeft(toUInt64(ttl), 8))), toUInt64(options_len))) AS fields,
    groupArray(toUInt32(transform(segment, {ids:Array(String)}, {positions:Array(UInt32)}, 0))) AS segments,
    groupArrayIf(bitOr(bitShiftLeft(toUInt64(asn), 16), toUInt64(reinterpretAsUInt16(toString(country)))), addresses != 0)
        AS places
    FROM packet";

/// What the server gives of one flow.
#[derive(ClickHouseRow, Deserialize)]
struct Group {
    src_ip: Ipv6Addr,
    src_port: u16,
    dst_ip: Ipv6Addr,
    dst_port: u16,
    flow: u64,
    addresses: u8,
    times: Vec<i64>,
    numbers: Vec<u64>,
    lengths: Vec<u64>,
    fields: Vec<u64>,
    segments: Vec<u32>,
    /// Where clients are whose addresses do not tell it any more; none of full addresses.
    places: Vec<u64>,
}

impl Group {
    fn flow_key(&self) -> FlowKey {
        let Self { src_ip, src_port, dst_ip, dst_port, flow, .. } = *self;
        let addresses = Addresses::ALL.into_iter().find(|addresses| *addresses as u8 == self.addresses);
        FlowKey {
            five_tuple: FiveTuple { src_ip, src_port, dst_ip, dst_port },
            addresses: addresses.unwrap_or_default(),
            flow,
        }
    }

    fn rows<'a>(&'a self, nodes: &'a [u16]) -> impl Iterator<Item = StoredRow> + 'a {
        let lists =
            self.times.iter().zip(&self.numbers).zip(&self.lengths).zip(&self.fields).zip(&self.segments);
        let places = self.places.iter().map(|place| Some(*place)).chain(std::iter::repeat(None));
        lists.zip(places).map(|(((((ts, numbers), lengths), fields), segment), placed)| StoredRow {
            node: nodes.get(*segment as usize).copied().unwrap_or_default(),
            segment: *segment,
            row: Row {
                ts: *ts,
                flags: Flags::from_bits((fields >> 16) as u16),
                ip_id: (fields >> 48) as u16,
                seq: (numbers >> 32) as u32,
                ack: *numbers as u32,
                payload_len: (lengths >> 32) as u32,
                sample_rate: *lengths as u32,
                window: (fields >> 32) as u16,
                ttl: (fields >> 8) as u8,
                options_len: *fields as u8,
            },
            place: placed.map(place),
        })
    }
}

/// A number whose low bytes are the letters of the country, and the AS number above them.
fn place(packed: u64) -> Place {
    let letters = (packed as u16).to_le_bytes();
    let asn = (packed >> 16) as u32;
    Place {
        country: std::str::from_utf8(&letters).ok().and_then(Country::from_alpha2),
        asn: (asn > 0).then_some(asn),
    }
}

/// What is known of a window before its packets are read.
pub(crate) struct Window {
    pub(crate) start: i64,
    pub(crate) segments: Vec<SegmentRow>,
    pub(crate) inputs: Inputs,
    /// Names of servers, in their order; the first is that of files.
    pub(crate) nodes: Vec<String>,
}

impl Window {
    pub(crate) fn of(server: &Connection, start: i64) -> Result<Self> {
        let segments = results::segments_of(server, &(start..start.saturating_add(1)))?;
        let mut ids = segments.iter().map(SegmentRow::id).collect::<Result<Vec<SegmentId>>>()?;
        let inputs = Inputs::of(start, &mut ids, results::covered_to(server)?);
        let names = segments.iter().map(|segment| segment.node.as_str());
        let nodes: BTreeSet<&str> = [""].into_iter().chain(names).collect();
        let nodes = nodes.into_iter().map(str::to_owned).collect();
        Ok(Self { start, segments, inputs, nodes })
    }

    pub(crate) fn shared(&self, parts: usize) -> Shared {
        let node = |segment: &SegmentRow| self.nodes.binary_search(&segment.node).unwrap_or_default() as u16;
        Shared {
            nodes: self.segments.iter().map(node).collect(),
            missing: AtomicI64::new(rows_of(&self.segments, self.start).cast_signed()),
            open: AtomicUsize::new(parts),
        }
    }
}

pub(crate) fn read_window(
    server: &Arc<Connection>,
    window: i64,
    parts: usize,
) -> Result<WindowPackets<'static>> {
    let window = Window::of(server, window)?;
    let count = if window.segments.is_empty() { 0 } else { parts.max(1) };
    let shared = Arc::new(window.shared(count));
    let part = |number| {
        let part = Part::open(server, &window.segments, window.start, (number, count), &shared)?;
        Ok(Box::new(part) as Box<dyn Grouped + Send>)
    };
    let parts = (0..count).map(part).collect::<Result<_>>()?;
    Ok(WindowPackets { inputs: window.inputs, nodes: window.nodes, parts })
}

fn rows_of(segments: &[SegmentRow], window: i64) -> u64 {
    let windows = segments.iter().flat_map(|segment| &segment.windows);
    windows.filter(|(start, _)| *start == window).map(|(_, rows)| rows).sum()
}

/// What the parts of a window have in common.
pub(crate) struct Shared {
    /// The nodes of segments.
    pub(crate) nodes: Vec<u16>,
    /// Packets that did not come yet.
    missing: AtomicI64,
    /// Parts that are not at their end.
    open: AtomicUsize,
}

impl Shared {
    /// Packets came.
    pub(crate) fn came(&self, packets: u64) {
        self.missing.fetch_sub(packets.cast_signed(), Ordering::AcqRel);
    }

    /// A part is at its end. The last one looks whether all packets came. A replica may not have them yet; and somebody
    /// may have deleted some.
    pub(crate) fn end(&self, ended: &mut bool) -> Result<()> {
        if std::mem::replace(ended, true) {
            return Ok(());
        }
        let is_last = self.open.fetch_sub(1, Ordering::AcqRel) == 1;
        match self.missing.load(Ordering::Acquire) {
            0 => Ok(()),
            _ if !is_last => Ok(()),
            missing => Err(StoreError::Unavailable(format!(
                "ClickHouse gives {} packets {} than the window's segments have: a replica lags behind, or packets \
                 were deleted by hand",
                missing.unsigned_abs(),
                if missing > 0 { "less" } else { "more" }
            ))),
        }
    }
}

/// The flows of some source addresses.
struct Part {
    server: Arc<Connection>,
    cursor: RowCursor<Group>,
    batch: std::vec::IntoIter<Group>,
    shared: Arc<Shared>,
    ended: bool,
}

impl Part {
    /// Asks at once: what the server gives is what is there now.
    fn open(
        server: &Arc<Connection>,
        segments: &[SegmentRow],
        window: i64,
        (number, parts): (usize, usize),
        shared: &Arc<Shared>,
    ) -> Result<Self> {
        let ids: Vec<&str> = segments.iter().map(|segment| segment.id.as_str()).collect();
        let addresses = segments.iter().map(|segment| Ok(segment.addresses()? as u8));
        let addresses: Vec<u8> = addresses.collect::<Result<_>>()?;
        let positions: Vec<u32> = (0..).take(ids.len()).collect();
        let sql = format!(
            "{SELECT} WHERE window_start = {} AND segment IN {{ids:Array(String)}}
             AND cityHash64(src_ip) % {{parts:UInt64}} = {{part:UInt64}}
             GROUP BY src_ip, src_port, dst_ip, dst_port, flow, addresses",
            time("window")
        );
        let query = server
            .query(&sql)
            .param("ids", ids)
            .param("positions", positions)
            .param("addresses", addresses)
            .param("window", window)
            .param("parts", parts as u64)
            .param("part", number as u64)
            // A 5-tuple is on one shard, so groups need not be merged.
            .with_setting("optimize_distributed_group_by_sharding_key", "1");
        let mut cursor = server.wait(async { query.fetch::<Group>() })?;
        let batch = server.batch(&mut cursor)?.into_iter();
        Ok(Self { server: Arc::clone(server), cursor, batch, shared: Arc::clone(shared), ended: false })
    }
}

impl Grouped for Part {
    fn next_group(&mut self, rows: &mut Vec<StoredRow>) -> Result<Option<FlowKey>> {
        rows.clear();
        if self.batch.len() == 0 && !self.ended {
            self.batch = self.server.batch(&mut self.cursor)?.into_iter();
        }
        let Some(group) = self.batch.next() else {
            self.shared.end(&mut self.ended)?;
            return Ok(None);
        };
        rows.extend(group.rows(&self.shared.nodes));
        rows.sort_unstable_by_key(|row| (row.row, row.node));
        self.shared.came(rows.len() as u64);
        Ok(Some(group.flow_key()))
    }
}
