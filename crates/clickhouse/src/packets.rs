//! A window's packets, grouped by flow by the server.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use clickhouse::Row as ClickHouseRow;
use clickhouse::query::RowCursor;
use cutshort_geo::{Country, Place};
use cutshort_model::{Addresses, Window};
use cutshort_packet::quic::Icmp;
use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions};
use cutshort_store::{
    FlowKey, Grouped, Ids, Inputs, KeptDatagram, Result, SegmentId, StoreError, StoredDatagram, StoredRow,
    WindowPackets,
};
use cutshort_verdict::Row;
use serde::Deserialize;

use crate::rows::{RowColumns, RowPlaces};
use crate::server::{Server, time};
use crate::{results, segments, windows};

/// One row per group: lists are combined in any order, and the few packets of a group are sorted here. Several values
/// are packed into one number, which is faster on both sides. Segments are identified by a hash, because a list of
/// them would grow with their number, and the server accepts no parameter larger than 128 KiB. What rows do not have is in
/// empty lists.
fn select(columns: &RowColumns) -> String {
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
    let (has_ordinal, has_ids) = (columns.has_ordinal, columns.has_ids);
    format!(
        "SELECT src_ip, src_port, dst_ip, dst_port, flow,
    groupArray(toUnixTimestamp64Nano(ts)) AS times,
    groupArray(bitOr(bitShiftLeft(toUInt64({seq}), 32), toUInt64({ack}))) AS numbers,
    groupArray(bitOr(bitShiftLeft(toUInt64({payload_len}), 32), toUInt64(sample_rate))) AS lengths,
    groupArray(bitOr(bitOr(bitOr(bitShiftLeft(toUInt64(ip_id), 48), bitShiftLeft(toUInt64({window}), 32)),
        bitOr(bitShiftLeft(toUInt64({flags}), 16), bitShiftLeft(toUInt64(ttl), 8))), toUInt64({options_len}))) AS fields,
    groupArray({options}) AS syn_options,
    groupArray(bitOr(bitOr(bitShiftLeft(toUInt32({mss}), 16), bitShiftLeft(toUInt32({wscale}), 8)), toUInt32({df}))) AS rest,
    groupArray(sipHash64Keyed(({{key_a:UInt64}}, {{key_b:UInt64}}), segment)) AS segments,
    groupArrayIf(bitOr(bitShiftLeft(toUInt64(asn), 16), toUInt64(reinterpretAsUInt16(toString(country)))),
        {{placed:Bool}}) AS places,
    groupArrayIf({ordinal}, {has_ordinal}) AS ordinals,
    groupArrayIf({ids}, {has_ids}) AS ids
    FROM packet"
    )
}

/// A row of the answer: one flow.
#[derive(ClickHouseRow, Deserialize)]
struct FlowRow {
    src_ip: Ipv6Addr,
    src_port: u16,
    dst_ip: Ipv6Addr,
    dst_port: u16,
    flow: u64,
    times: Vec<i64>,
    numbers: Vec<u64>,
    lengths: Vec<u64>,
    fields: Vec<u64>,
    /// The kinds of SYN packets' options; their values, and "don't fragment" of all rows.
    syn_options: Vec<u64>,
    rest: Vec<u32>,
    /// Hashes of the IDs of the rows' segments.
    segments: Vec<u64>,
    /// Country and network of clients whose addresses no longer show them; empty if all addresses of the window are
    /// full.
    places: Vec<u64>,
    /// The rows' places in their segments; empty where the order of arrival does not matter.
    ordinals: Vec<u32>,
    /// What only datagrams have; empty for packets.
    ids: Vec<IdColumns>,
}

/// The number of the ICMP error, then the numbers that may be missing.
pub(crate) type IdColumns = (u8, Option<u64>, Option<u64>, Option<u64>, Option<u64>);

/// The ids of a datagram.
pub(crate) fn ids((icmp, dcid, scid, token, close_code): IdColumns) -> Ids {
    Ids { icmp: Icmp::from_number(icmp), dcid, scid, token, close_code }
}

/// A row as the server gives it.
struct RawRow<'a> {
    packet: Packet,
    ids: Option<&'a IdColumns>,
    addresses: Addresses,
    node: u16,
    segment: u32,
    place: Option<Place>,
}

/// What a row becomes.
trait FromRaw: Sized {
    /// `None` of a row of another kind.
    fn of(raw: &RawRow<'_>) -> Option<Self>;
}

impl FromRaw for StoredRow {
    fn of(raw: &RawRow<'_>) -> Option<Self> {
        let RawRow { packet, node, segment, place, .. } = *raw;
        if raw.ids.is_some() {
            return None;
        }
        let row = match raw.addresses {
            Addresses::Full => Row::from(&packet),
            Addresses::Truncated | Addresses::Encrypted => Row::of_protected(&packet),
        };
        Some(Self { node, segment, row, place, df: packet.df, syn: packet.syn })
    }
}

impl FromRaw for StoredDatagram {
    fn of(raw: &RawRow<'_>) -> Option<Self> {
        let kept = KeptDatagram::new(raw.packet.into(), ids(*raw.ids?));
        Some(Self { node: raw.node, segment: raw.segment, row: kept.datagram(), place: raw.place })
    }
}

impl FlowRow {
    fn flow_key(&self, addresses: Addresses) -> FlowKey {
        let Self { src_ip, src_port, dst_ip, dst_port, flow, .. } = *self;
        FlowKey { five_tuple: FiveTuple { src_ip, src_port, dst_ip, dst_port }, addresses, flow }
    }

    /// The rows of segments that keep addresses in one way, with their places in their segments. Segments that arrived in
    /// the meantime are left out.
    fn rows<'a, R: FromRaw>(
        &'a self,
        shared: &'a SharedWindow,
        kind: Addresses,
    ) -> impl Iterator<Item = (u32, R)> + 'a {
        let places = self.places.iter().map(|place| Some(*place)).chain(std::iter::repeat(None));
        self.segments.iter().zip(places).enumerate().filter_map(move |(at, (hash, placed))| {
            let (segment, addresses) = *shared.positions.get(hash)?;
            if addresses != kind {
                return None;
            }
            let row = R::of(&RawRow {
                packet: self.packet(at)?,
                ids: self.ids.get(at),
                addresses,
                node: shared.nodes.get(segment as usize).copied().unwrap_or_default(),
                segment,
                place: placed.filter(|_| addresses != Addresses::Full).map(place),
            })?;
            Some((self.ordinals.get(at).copied().unwrap_or_default(), row))
        })
    }

    /// A packet; none if a list is shorter than the others.
    fn packet(&self, at: usize) -> Option<Packet> {
        let Self { src_ip, src_port, dst_ip, dst_port, .. } = *self;
        let [numbers, lengths, fields] =
            [&self.numbers, &self.lengths, &self.fields].map(|list| list.get(at));
        let (numbers, lengths, fields) = (numbers?, lengths?, fields?);
        let rest = *self.rest.get(at)?;
        Some(Packet {
            ts: *self.times.get(at)?,
            five_tuple: FiveTuple { src_ip, src_port, dst_ip, dst_port },
            flags: Flags::from_marked_bits((fields >> 16) as u16),
            ip_id: (fields >> 48) as u16,
            seq: (numbers >> 32) as u32,
            ack: *numbers as u32,
            payload_len: (lengths >> 32) as u32,
            sample_rate: *lengths as u32,
            tcp_window: (fields >> 32) as u16,
            ttl: (fields >> 8) as u8,
            options_len: *fields as u8,
            df: rest & 1 != 0,
            syn: SynOptions {
                kinds: *self.syn_options.get(at)?,
                mss: (rest >> 16) as u16,
                wscale: (rest >> 8) as u8,
            },
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

/// A stored segment that has packets of a window.
#[derive(ClickHouseRow, Deserialize)]
pub(crate) struct SegmentOfWindow {
    id: String,
    /// The hash that identifies it in rows.
    hash: u64,
    pub(crate) node: String,
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
    /// The number of its packets in the window.
    rows: u64,
    addresses: String,
    /// The time up to which all segments cover.
    covered_to: i64,
}

impl SegmentOfWindow {
    #[cfg(test)]
    pub(crate) fn new(node: &str, times: Option<(i64, i64)>) -> Self {
        let (first, last) = times.unzip();
        let (id, addresses) = (String::new(), String::new());
        Self { id, hash: 0, node: node.to_owned(), first, last, rows: 0, addresses, covered_to: 0 }
    }

    pub(crate) fn addresses(&self) -> Result<Addresses> {
        segments::addresses(&self.addresses)
    }
}

/// What is known about a window before its packets are read.
pub(crate) struct WindowSegments {
    pub(crate) start: i64,
    pub(crate) segments: Vec<SegmentOfWindow>,
    pub(crate) inputs: Inputs,
    /// The names of the nodes, in order; the first is that of capture files.
    pub(crate) nodes: Vec<String>,
    /// The key of the hashes.
    key: (u64, u64),
}

impl WindowSegments {
    pub(crate) fn of(server: &Server, start: i64) -> Result<Self> {
        let hasher = RandomState::new();
        let key = (hasher.hash_one(0), hasher.hash_one(1));
        let sql = format!(
            "SELECT id, sipHash64Keyed(({{key_a:UInt64}}, {{key_b:UInt64}}), id) AS hash, node, first, last,
               arraySum(w -> if(w.1 = {}, w.2, 0), windows) AS rows, addresses, assumeNotNull(({})) AS covered_to
             FROM ({}) ORDER BY id",
            time("window"),
            results::covered_to_sql(),
            windows::of_window(
                "any(node) AS node, any(first) AS first, any(last) AS last, any(addresses) AS addresses"
            )
        );
        let query = server.query(&sql).param("key_a", key.0).param("key_b", key.1);
        let segments: Vec<SegmentOfWindow> = server.all(query.param("window", start))?;
        let ids = segments.iter().map(|segment| segments::id(&segment.id));
        let mut ids = ids.collect::<Result<Vec<SegmentId>>>()?;
        let covered_to = match segments.first() {
            Some(segment) => segment.covered_to,
            None => results::covered_to(server)?,
        };
        let inputs = Inputs::of(Window::containing(start), &mut ids, covered_to);
        let names = segments.iter().map(|segment| segment.node.as_str());
        let nodes: BTreeSet<&str> = [""].into_iter().chain(names).collect();
        let nodes = nodes.into_iter().map(str::to_owned).collect();
        Ok(Self { start, segments, inputs, nodes, key })
    }

    pub(crate) fn shared(&self, parts: usize) -> Result<SharedWindow> {
        let node =
            |segment: &SegmentOfWindow| self.nodes.binary_search(&segment.node).unwrap_or_default() as u16;
        let numbered = (0..).zip(&self.segments);
        let positions = numbered.map(|(number, segment)| Ok((segment.hash, (number, segment.addresses()?))));
        let positions = positions.collect::<Result<HashMap<u64, (u32, Addresses)>>>()?;
        if positions.len() != self.segments.len() {
            return Err(StoreError::Unavailable("two segments have the same hash; try again".into()));
        }
        let of_kind = |kind: &Addresses| positions.values().any(|(_, addresses)| addresses == kind);
        Ok(SharedWindow {
            nodes: self.segments.iter().map(node).collect(),
            kinds: Addresses::ALL.into_iter().filter(of_kind).collect(),
            positions,
            missing: AtomicI64::new(self.segments.iter().map(|segment| segment.rows.cast_signed()).sum()),
            open: AtomicUsize::new(parts),
        })
    }
}

pub(crate) fn read_window(server: &Arc<Server>, window: i64, parts: usize) -> Result<WindowPackets<'static>> {
    let window = WindowSegments::of(server, window)?;
    let count = if window.segments.is_empty() { 0 } else { parts.max(1) };
    let shared = Arc::new(window.shared(count)?);
    let part = |number| {
        let part = FlowReader::open(server, &window, (number, count), &shared)?;
        Ok(Box::new(part) as Box<dyn Grouped + Send>)
    };
    let parts = (0..count).map(part).collect::<Result<_>>()?;
    Ok(WindowPackets { inputs: window.inputs, nodes: window.nodes, parts })
}

/// What the parts of a window share.
pub(crate) struct SharedWindow {
    /// The indexes of the segments' nodes.
    nodes: Vec<u16>,
    /// Index of each segment and how it keeps addresses, by hash.
    positions: HashMap<u64, (u32, Addresses)>,
    /// All ways in which the segments keep addresses.
    kinds: Vec<Addresses>,
    /// The number of packets that have not been received yet.
    missing: AtomicI64,
    /// The number of parts that are not at their end.
    open: AtomicUsize,
}

impl SharedWindow {
    /// Records that packets were received.
    pub(crate) fn came(&self, packets: u64) {
        self.missing.fetch_sub(packets.cast_signed(), Ordering::AcqRel);
    }

    /// Records that a part is at its end. At the last one, checks that all packets were received: a replica may lag
    /// behind, or packets may have been deleted.
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
            ).into())),
        }
    }
}

/// Reads the flows of a range of source addresses.
struct FlowReader {
    server: Arc<Server>,
    cursor: RowCursor<FlowRow>,
    batch: std::vec::IntoIter<FlowRow>,
    /// The group that was read last, and the next way of keeping addresses to look at.
    group: Option<(FlowRow, usize)>,
    shared: Arc<SharedWindow>,
    ended: bool,
}

impl FlowReader {
    /// Sends the query at once, so that the answer is the present state.
    fn open(
        server: &Arc<Server>,
        window: &WindowSegments,
        (number, parts): (usize, usize),
        shared: &Arc<SharedWindow>,
    ) -> Result<Self> {
        let select = select(RowColumns::of(server.data_set));
        let sql = format!(
            "{select} WHERE window_start = {} AND segment GLOBAL IN (SELECT id FROM ({}))
             AND cityHash64(src_ip) % {{parts:UInt64}} = {{part:UInt64}}
             GROUP BY src_ip, src_port, dst_ip, dst_port, flow",
            time("window"),
            windows::of_window("")
        );
        let query = server
            .query(&sql)
            .param("key_a", window.key.0)
            .param("key_b", window.key.1)
            .param("placed", shared.kinds != [Addresses::Full])
            .param("window", window.start)
            .param("parts", parts as u64)
            .param("part", number as u64)
            // A 5-tuple is on one shard, so groups need not be merged.
            .with_setting("optimize_distributed_group_by_sharding_key", "1");
        let mut cursor = server.wait(async { query.fetch::<FlowRow>() })?;
        let batch = server.batch(&mut cursor)?.into_iter();
        let (server, shared) = (Arc::clone(server), Arc::clone(shared));
        Ok(Self { server, cursor, batch, group: None, shared, ended: false })
    }

    /// The next group, and a way in which its segments may keep addresses.
    fn next(&mut self) -> Result<Option<(&FlowRow, Addresses)>> {
        let kinds = &self.shared.kinds;
        let next = match self.group.take() {
            Some((group, kind)) if kind + 1 < kinds.len() => Some((group, kind + 1)),
            _ => {
                if self.batch.len() == 0 && !self.ended {
                    self.batch = self.server.batch(&mut self.cursor)?.into_iter();
                }
                self.batch.next().map(|group| (group, 0))
            }
        };
        let Some((group, kind)) = next else { return Ok(None) };
        let addresses = kinds.get(kind).copied().unwrap_or_default();
        Ok(Some((&self.group.insert((group, kind)).0, addresses)))
    }
}

/// Rows with their places in their segments.
type Found<'a, R> = &'a mut dyn Iterator<Item = (u32, R)>;

impl FlowReader {
    /// Passes the rows of the next flow, in any order, to `take`, which returns their number.
    fn next_of<R: FromRaw>(
        &mut self,
        take: &mut dyn FnMut(Found<'_, R>) -> usize,
    ) -> Result<Option<FlowKey>> {
        let shared = Arc::clone(&self.shared);
        while let Some((group, addresses)) = self.next()? {
            let count = take(&mut group.rows(&shared, addresses));
            if count > 0 {
                shared.came(count as u64);
                return Ok(Some(group.flow_key(addresses)));
            }
        }
        shared.end(&mut self.ended)?;
        Ok(None)
    }
}

impl Grouped for FlowReader {
    fn next_group(&mut self, rows: &mut Vec<StoredRow>) -> Result<Option<FlowKey>> {
        let has_ordinal = RowColumns::of(self.server.data_set).has_ordinal;
        self.next_of(&mut |found: Found<'_, StoredRow>| {
            rows.clear();
            if has_ordinal {
                rows.extend(in_order_of_arrival(found.collect()));
            } else {
                rows.extend(found.map(|(_, row)| row));
                rows.sort_unstable_by_key(|row| (row.row, row.node));
            }
            rows.len()
        })
    }

    fn next_datagrams(&mut self, rows: &mut Vec<StoredDatagram>) -> Result<Option<FlowKey>> {
        self.next_of(&mut |found: Found<'_, StoredDatagram>| {
            rows.clear();
            rows.extend(found.map(|(_, row)| row));
            rows.sort_unstable_by_key(|row| (row.row.ts, row.row, row.node));
            rows.len()
        })
    }
}

/// The order of time; of equal times that of segments, and in a segment that in which the rows came. Rows that an earlier
/// version inserted have no place in their segment, and at least the same order each time.
fn in_order_of_arrival(mut rows: Vec<(u32, StoredRow)>) -> impl Iterator<Item = StoredRow> {
    rows.sort_unstable_by_key(|(ordinal, row)| (row.row.ts, row.segment, *ordinal, row.row));
    rows.into_iter().map(|(_, row)| row)
}
