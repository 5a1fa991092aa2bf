//! Decodes the packets of a file in batches.

use std::sync::Arc;

use cutshort_geo::{Country, Place};
use cutshort_model::Addresses;
use cutshort_packet::quic::Datagram;
use cutshort_packet::{Flags, Packet, SynOptions};
use cutshort_verdict::{DataSet, Row};
use zstd::bulk::Decompressor;

use super::datagram::datagram;
use super::layout::Layout;
use super::packed::asn_of;
use super::pages::Pages;
use super::protected::country_of;
use super::schema::{
    ASN, BATCH, COUNTRY, DF, DST_IP, FLOW, ICMP, INTS, Int, MOST_COLUMNS, MSS, NUMBERS, OPTIONS, PRESENT,
    SRC_IP, SchemaVersion, TS, WSCALE,
};
use super::{Ids, SortKey};

/// A part of the rows of a segment.
#[derive(Default)]
pub struct RowBatch {
    /// The flow of each row.
    pub keys: Vec<SortKey>,
    /// The packets without their flows.
    pub rows: Vec<Row>,
    /// What rows do not have: "don't fragment" and options.
    rest: Vec<(bool, SynOptions)>,
    /// Country and network of the sources; empty if addresses are full.
    places: Vec<Place>,
    /// What only datagrams have; empty for packets.
    ids: Vec<Ids>,
}

impl RowBatch {
    /// Removes all rows.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Keeps the first `len` rows.
    pub fn truncate(&mut self, len: usize) {
        self.keys.truncate(len);
        self.rows.truncate(len);
        self.rest.truncate(len);
        self.places.truncate(len);
        self.ids.truncate(len);
    }

    /// What only datagrams have.
    pub fn ids(&self, at: usize) -> Option<&Ids> {
        self.ids.get(at)
    }

    /// A row as a datagram of the data set `quic`; `None` if it is a packet.
    pub fn datagram(&self, at: usize) -> Option<Datagram> {
        Some(datagram(&self.packet(at), self.ids.get(at)?))
    }

    /// The packet of a row.
    pub fn packet(&self, at: usize) -> Packet {
        let (df, syn) = self.rest[at];
        Packet { df, syn, ..self.rows[at].packet(self.keys[at].five_tuple()) }
    }

    /// "Don't fragment" and the options of a row.
    pub fn rest(&self, at: usize) -> (bool, SynOptions) {
        self.rest[at]
    }

    /// Country and network of a row's source, if it cannot be derived from its address.
    pub fn place(&self, at: usize) -> Option<Place> {
        self.places.get(at).copied()
    }

    /// Removes the rows that are not wanted.
    pub fn retain(&mut self, wanted: impl Fn(&Row) -> bool) {
        let mut kept = 0;
        for at in 0..self.rows.len() {
            if wanted(&self.rows[at]) {
                self.keys[kept] = self.keys[at];
                self.rows[kept] = self.rows[at];
                self.rest[kept] = self.rest[at];
                if let Some(place) = self.place(at) {
                    self.places[kept] = place;
                }
                if let Some(ids) = self.ids.get(at).copied() {
                    self.ids[kept] = ids;
                }
                kept += 1;
            }
        }
        self.truncate(kept);
    }
}

/// Buffers for decoding. They can be used for any number of files, one after the other.
pub struct Scratch {
    unpacker: Decompressor<'static>,
    page: Vec<u8>,
    ts: Vec<i64>,
    src_ip: Vec<u128>,
    dst_ip: Vec<u128>,
    ints: [Vec<u32>; Int::COUNT],
    addresses: Addresses,
    /// Each with its length in front, as Parquet stores texts.
    countries: Vec<[u8; 6]>,
    asns: Vec<u32>,
    flows: Vec<u64>,
    version: SchemaVersion,
    dfs: Vec<u32>,
    kinds: Vec<u64>,
    segment_sizes: Vec<u32>,
    window_scales: Vec<u32>,
    ids: IdColumns,
}

/// The columns that only datagrams have; empty for packets.
#[derive(Default)]
struct IdColumns {
    icmp: Vec<u32>,
    present: Vec<u32>,
    numbers: [Vec<u64>; 4],
}

impl Scratch {
    /// Allocates buffers for one reader.
    ///
    /// # Errors
    /// The text of the error, if the decompressor cannot be allocated.
    pub fn new() -> Result<Self, String> {
        Ok(Self {
            unpacker: Decompressor::new().map_err(|error| error.to_string())?,
            page: Vec::new(),
            ts: Vec::new(),
            src_ip: Vec::new(),
            dst_ip: Vec::new(),
            ints: Default::default(),
            addresses: Addresses::Full,
            countries: Vec::new(),
            asns: Vec::new(),
            flows: Vec::new(),
            version: SchemaVersion::Third,
            dfs: Vec::new(),
            kinds: Vec::new(),
            segment_sizes: Vec::new(),
            window_scales: Vec::new(),
            ids: IdColumns::default(),
        })
    }
}

/// Reads the rows of some row groups of a file, batch by batch.
pub struct Batches {
    layout: Arc<Layout>,
    groups: std::vec::IntoIter<usize>,
    group: Option<OpenGroup>,
}

/// A row group that has been read in part.
struct OpenGroup {
    number: usize,
    left: usize,
    columns: [Column; MOST_COLUMNS],
}

impl Batches {
    /// Prepares to read these row groups of a segment.
    pub fn new(layout: Arc<Layout>, groups: Vec<usize>) -> Self {
        Self { layout, groups: groups.into_iter(), group: None }
    }

    /// Appends the next rows; false at the end.
    pub fn next(&mut self, scratch: &mut Scratch, batch: &mut RowBatch) -> Result<bool, String> {
        if self.group.as_ref().is_none_or(|group| group.left == 0) {
            let Some(number) = self.groups.next() else {
                self.group = None;
                return Ok(false);
            };
            let columns = std::array::from_fn(|_| Column::default());
            self.group = Some(OpenGroup { number, left: self.layout.groups[number].rows, columns });
        }
        if let Some(group) = &mut self.group {
            group.read(&self.layout, scratch)?;
            scratch.transpose(batch);
        }
        Ok(true)
    }

    /// The row group of the rows that were read last.
    pub(super) fn group(&self) -> usize {
        self.group.as_ref().map_or(0, |group| group.number)
    }
}

impl OpenGroup {
    /// Replaces the contents of the buffers by the next rows.
    fn read(&mut self, layout: &Layout, scratch: &mut Scratch) -> Result<(), String> {
        let rows = self.left.min(BATCH);
        self.left -= rows;
        scratch.addresses = layout.info.addresses;
        scratch.version = layout.version;
        let Scratch { unpacker, page, ts, src_ip, dst_ip, ints, addresses, countries, asns, flows, .. } =
            scratch;
        let mut reader = ColumnReader { group: self, layout, rows, unpacker, page };
        reader.read(TS, ts, i64::from_le_bytes)?;
        reader.read(SRC_IP, src_ip, u128::from_be_bytes)?;
        reader.read(DST_IP, dst_ip, u128::from_be_bytes)?;
        ints.iter_mut()
            .enumerate()
            .try_for_each(|(at, ints)| reader.read(INTS + at, ints, u32::from_le_bytes))?;
        if *addresses != Addresses::Full {
            reader.read(COUNTRY, countries, |bytes| bytes)?;
            reader.read(ASN, asns, u32::from_le_bytes)?;
            reader.read(FLOW, flows, u64::from_le_bytes)?;
        }
        if layout.version == SchemaVersion::Third {
            reader.read(DF, &mut scratch.dfs, u32::from_le_bytes)?;
            reader.read(OPTIONS, &mut scratch.kinds, u64::from_le_bytes)?;
            reader.read(MSS, &mut scratch.segment_sizes, u32::from_le_bytes)?;
            reader.read(WSCALE, &mut scratch.window_scales, u32::from_le_bytes)?;
        }
        if layout.version == SchemaVersion::Datagrams {
            let ids = &mut scratch.ids;
            reader.read(ICMP, &mut ids.icmp, u32::from_le_bytes)?;
            reader.read(PRESENT, &mut ids.present, u32::from_le_bytes)?;
            for (at, numbers) in ids.numbers.iter_mut().enumerate() {
                reader.read(NUMBERS + at, numbers, u64::from_le_bytes)?;
            }
        } else {
            scratch.ids.icmp.clear();
        }
        Ok(())
    }
}

/// How far a column has been read. The rest of a page is kept unpacked; files written by this program leave no rest.
#[derive(Default)]
struct Column {
    /// The number of bytes of the column that have been read.
    at: usize,
    left: Vec<u8>,
}

/// Reads the same number of rows from each column.
struct ColumnReader<'a> {
    group: &'a mut OpenGroup,
    layout: &'a Layout,
    rows: usize,
    unpacker: &'a mut Decompressor<'static>,
    page: &'a mut Vec<u8>,
}

impl ColumnReader<'_> {
    /// Replaces `values` by the next ones of a column, each of `N` bytes.
    fn read<T, const N: usize>(
        &mut self,
        column: usize,
        values: &mut Vec<T>,
        value: impl Fn([u8; N]) -> T,
    ) -> Result<(), String> {
        values.clear();
        let bytes = self.layout.column(self.group.number, column);
        let column = &mut self.group.columns[column];
        let mut pages = Pages::new(bytes.get(column.at..).unwrap_or_default());
        // Takes what is wanted and returns what is left.
        let take = |bytes: &[u8], values: &mut Vec<T>| {
            let (found, _) = bytes.as_chunks::<N>();
            let taken = found.len().min(self.rows - values.len());
            values.extend(found[..taken].iter().map(|bytes| value(*bytes)));
            bytes[taken * N..].to_vec()
        };
        column.left = take(&column.left, values);
        while values.len() < self.rows {
            let page = pages.next()?.ok_or("a column has not as many values as its row group has rows")?;
            page.unpack(N, self.unpacker, self.page)?;
            column.left = take(self.page, values);
        }
        column.at = bytes.len() - pages.len();
        Ok(())
    }
}

impl Scratch {
    /// The first column of 32 bits with a value above its bound.
    pub(super) fn out_of_bounds(&self, data_set: DataSet) -> Option<&'static str> {
        let above = |values: &[u32], bound| values.iter().any(|value| *value > bound);
        let later = [
            (&self.dfs, ("df", 1)),
            (&self.segment_sizes, ("mss", u32::from(u16::MAX))),
            (&self.window_scales, ("wscale", u32::from(u8::MAX))),
        ];
        let has_later = self.version == SchemaVersion::Third;
        let later = later.into_iter().filter(|_| has_later);
        let ids = [(&self.ids.icmp, ("icmp", 3)), (&self.ids.present, ("present", 15))];
        let ids = ids.into_iter().filter(|_| data_set == DataSet::Quic);
        let mut columns = self.ints.iter().zip(*Int::bounds(data_set)).chain(later).chain(ids);
        columns.find(|(values, (_, bound))| above(values, *bound)).map(|(_, (name, _))| name)
    }

    /// Whether all country codes are valid.
    pub(super) fn has_countries(&self) -> bool {
        self.addresses == Addresses::Full || self.countries.iter().all(|bytes| country(bytes).is_some())
    }

    fn transpose(&self, batch: &mut RowBatch) {
        let int = |column: Int, at: usize| self.ints[column as usize][at];
        let is_full = self.addresses == Addresses::Full;
        let before = batch.keys.len();
        batch.keys.extend((0..self.ts.len()).map(|at| SortKey {
            src_ip: self.src_ip[at],
            src_port: int(Int::SrcPort, at) as u16,
            dst_ip: self.dst_ip[at],
            dst_port: int(Int::DstPort, at) as u16,
            flow: if is_full { 0 } else { self.flows[at] },
            addresses: self.addresses,
        }));
        if !is_full {
            let countries = self.countries.iter().map(|bytes| country(bytes).flatten());
            let places = countries.zip(&self.asns).map(|(country, asn)| Place { country, asn: asn_of(*asn) });
            batch.places.extend(places);
        }
        let ids = self.ids.icmp.iter().zip(&self.ids.present).enumerate();
        batch.ids.extend(ids.map(|(at, (icmp, present))| {
            Ids::of(*icmp, *present, std::array::from_fn(|number| self.ids.numbers[number][at]))
        }));
        for at in 0..self.ts.len() {
            let row = Row {
                ts: self.ts[at],
                flags: Flags::from_marked_bits(int(Int::Flags, at) as u16),
                ip_id: int(Int::IpId, at) as u16,
                seq: int(Int::Seq, at),
                ack: int(Int::Ack, at),
                payload_len: int(Int::PayloadLen, at),
                sample_rate: int(Int::SampleRate, at),
                tcp_window: int(Int::Window, at) as u16,
                ttl: int(Int::Ttl, at) as u8,
                options_len: int(Int::OptionsLen, at) as u8,
            };
            let rest = self.rest(at, row.flags);
            batch.rest.push(rest);
            batch.rows.push(if row.is_syn() && self.version != SchemaVersion::Datagrams {
                self.marked(&row, rest, &batch.keys[before + at])
            } else {
                row
            });
        }
    }

    /// "Don't fragment" and options of a row.
    fn rest(&self, at: usize, flags: Flags) -> (bool, SynOptions) {
        match self.version {
            SchemaVersion::Third => {}
            SchemaVersion::Datagrams => return (false, SynOptions::NONE),
            SchemaVersion::First | SchemaVersion::Second => return (false, SynOptions::of_earlier(flags)),
        }
        let (mss, wscale) = (self.segment_sizes[at] as u16, self.window_scales[at] as u8);
        (self.dfs[at] != 0, SynOptions { kinds: self.kinds[at], mss, wscale })
    }

    /// The row of a SYN packet with its marks.
    fn marked(&self, row: &Row, (df, syn): (bool, SynOptions), key: &SortKey) -> Row {
        let packet = Packet { df, syn, ..row.packet(key.five_tuple()) };
        match self.addresses {
            Addresses::Full => Row::from(&packet),
            Addresses::Truncated | Addresses::Encrypted => Row::of_protected(&packet),
        }
    }
}

/// Parses a text of two letters that has its length in front.
fn country(bytes: &[u8; 6]) -> Option<Option<Country>> {
    let code = bytes.strip_prefix(&2_u32.to_le_bytes())?;
    country_of(std::str::from_utf8(code).ok()?)
}

/// Whether all rows of a column have this text.
pub(super) fn is_same_text(bytes: &[u8], rows: usize, text: &str) -> Result<bool, String> {
    let mut value = (text.len() as u32).to_le_bytes().to_vec();
    value.extend_from_slice(text.as_bytes());
    is_same(bytes, rows, &value)
}

/// Whether all rows of a column have this value, encoded as in pages.
pub(super) fn is_same(bytes: &[u8], rows: usize, value: &[u8]) -> Result<bool, String> {
    let (mut pages, mut left) = (Pages::new(bytes), rows);
    let mut scratch = Scratch::new()?;
    while let Some(page) = pages.next()? {
        page.unpack(value.len(), &mut scratch.unpacker, &mut scratch.page)?;
        if scratch.page.chunks(value.len()).any(|found| found != value) || page.values > left {
            return Ok(false);
        }
        left -= page.values;
    }
    Ok(left == 0)
}
