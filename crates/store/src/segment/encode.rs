//! Encodes packets as a file.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use cutshort_model::{Addresses, Window};
use cutshort_packet::{Packet, SynOptions};
use cutshort_verdict::{DataSet, Row};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;

use super::protected::{self, country_code, key};
use super::schema::{self, BATCH, ContentId, FULL_COUNTRY, MAX_NODE, ROW_GROUP, SchemaVersion, flag_bits};
use super::{Ids, Keepable, Provenance, Segment, SegmentId, SegmentInfo, SegmentSource, protection_to_bytes};
use crate::{Reason, Result, StoreError};

pub(super) fn encode<P: Keepable>(
    mut packets: Vec<P>,
    source: &SegmentSource<'_>,
    id: Option<SegmentId>,
) -> Result<Segment> {
    match source.data_set {
        // Its rules depend on the order of arrival, also of packets at the same time.
        DataSet::Origin => packets.sort_by_key(|packet| (key(packet), packet.packet().ts)),
        _ => packets.sort_unstable_by(order),
    }
    let addresses = packets.first().map_or(Addresses::Full, |packet| packet.protection().addresses);
    check(&packets, source).map_err(StoreError::Refused)?;
    let id = match id {
        Some(id) if source.origin != Provenance::File => id,
        _ => content_id(&packets, source, addresses),
    };
    let times = packets.iter().map(|packet| packet.packet().ts);
    let times = times.clone().min().zip(times.max());
    let SegmentSource { data_set, node, origin, covers } = *source;
    let (node, rows) = (node.to_owned(), packets.len() as u64);
    let info = SegmentInfo { id, data_set, node, origin, covers, rows, times, addresses };
    let bytes = write(&packets, &info)
        .map_err(|error| StoreError::Failed(Reason::caused_by("packets cannot be encoded", error)))?;
    Ok(Segment {
        info,
        windows: windows(packets.iter().map(|packet| packet.packet().ts)),
        bytes: bytes.into(),
    })
}

/// The order of packets: by 5-tuple and time, then by all other fields, so that the same packets always yield the
/// same order and ID.
fn order<P: Keepable>(one: &P, other: &P) -> Ordering {
    let src_ip = |packet: &P| packet.packet().five_tuple.src_ip.to_bits();
    let key = |packet: &P| (key(packet), packet.packet().ts);
    let rest = |kept: &P| {
        let packet = kept.packet();
        let protection = protection_to_bytes(kept.protection());
        (Row::from(packet), protection, packet.df, packet.syn, kept.ids().copied())
    };
    // Most 5-tuples differ in the source, and most packets of one in time.
    src_ip(one)
        .cmp(&src_ip(other))
        .then_with(|| key(one).cmp(&key(other)))
        .then_with(|| rest(one).cmp(&rest(other)))
}

/// The number of packets per window.
pub(super) fn windows(times: impl Iterator<Item = i64>) -> BTreeMap<Window, u64> {
    let mut windows = BTreeMap::new();
    let (mut window, mut rows) = (Window::containing(i64::MIN), 0);
    for ts in times {
        // Mostly the window is that of the packet before.
        if Window::containing(ts) != window {
            *windows.entry(window).or_default() += rows;
            (window, rows) = (Window::containing(ts), 0);
        }
        rows += 1;
    }
    *windows.entry(window).or_default() += rows;
    windows.retain(|_, rows| *rows > 0);
    windows
}

/// Returns what is wrong with the packets, if anything. Their types guarantee all other bounds.
fn check<P: Keepable>(packets: &[P], source: &SegmentSource<'_>) -> std::result::Result<(), String> {
    let SegmentSource { data_set, node, covers, .. } = *source;
    if packets.len() as u64 > Segment::MAX_ROWS {
        return Err(format!("{} packets are too many for a segment", packets.len()));
    }
    if node.len() > MAX_NODE {
        return Err(format!("a node's name of {} bytes is too long: {MAX_NODE} are allowed", node.len()));
    }
    if covers.0 > covers.1 {
        return Err("the time that a segment covers ends before it begins".to_owned());
    }
    let addresses = |packet: &P| packet.protection().addresses;
    if packets.windows(2).any(|pair| addresses(&pair[0]) != addresses(&pair[1])) {
        return Err("packets with full and other addresses cannot be in one segment".to_owned());
    }
    packets.iter().try_for_each(|packet| check_packet(packet, data_set, covers))
}

/// Returns what is wrong with a packet of a data set, if anything.
pub fn check_packet<P: Keepable>(
    kept: &P,
    data_set: DataSet,
    covers: (i64, i64),
) -> std::result::Result<(), String> {
    let packet = kept.packet();
    let tuple = &packet.five_tuple;
    let protection = protected::check(kept);
    let wrong = match () {
        () if tuple.is_ipv4() != tuple.reversed().is_ipv4() => "has addresses of both families",
        () if !(covers.0..=covers.1).contains(&packet.ts) => "is outside the time that its segment covers",
        () if packet.sample_rate == 0 => "stands for no connection: its sample_rate is 0",
        () if u32::from(packet.flags.bits()) > flag_bits(data_set) => {
            "has flags that its data set does not know"
        }
        () if packet.options_len > 40 => "has more than 40 bytes of options",
        () if packet.df && !tuple.is_ipv4() => "has 'don't fragment', which IPv6 has not",
        () if !packet.is_syn() && packet.syn != SynOptions::NONE => "has options and is no SYN packet",
        () if (data_set == DataSet::Quic) != kept.ids().is_some() => "is not of the data set of its segment",
        () => match protection {
            Ok(()) => return Ok(()),
            Err(wrong) => wrong,
        },
    };
    Err(format!("the packet {tuple} at {} {wrong}", packet.ts))
}

fn content_id<P: Keepable>(packets: &[P], source: &SegmentSource<'_>, addresses: Addresses) -> SegmentId {
    let mut id = ContentId::new(source, addresses);
    packets.iter().for_each(|packet| id.add(packet));
    id.finish()
}

fn write<P: Keepable>(packets: &[P], info: &SegmentInfo) -> std::result::Result<Vec<u8>, ParquetError> {
    let version = SchemaVersion::of(info.data_set);
    let schema = Arc::new(schema::schema(version)?);
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties(info)))?;
    let node = ByteArray::from(info.node.as_str());
    let mut scratch = Scratch::default();
    for packets in packets.chunks(ROW_GROUP) {
        let mut group = file.next_row_group()?;
        scratch.write(&mut group, packets, &node)?;
        scratch.write_protection(&mut group, packets)?;
        match version {
            SchemaVersion::Datagrams => scratch.write_ids(&mut group, packets)?,
            _ => scratch.write_options(&mut group, packets)?,
        }
        group.close()?;
    }
    file.into_inner()
}

/// Plain values and zstd: 13 to 15 bytes per row, and simple to read.
fn properties(info: &SegmentInfo) -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_data_page_row_count_limit(BATCH)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from("src_ip"), EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_created_by(concat!("cutshort version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(schema::to_metadata(info)))
        .build()
}

/// Buffers for the columns of a row group, reused for the next.
#[derive(Default)]
struct Scratch {
    longs: Vec<i64>,
    ints: Vec<i32>,
    addresses: Vec<FixedLenByteArray>,
}

type RowGroupWriter<'a> = SerializedRowGroupWriter<'a, Vec<u8>>;

impl Scratch {
    fn write<P: Keepable>(
        &mut self,
        group: &mut RowGroupWriter<'_>,
        packets: &[P],
        node: &ByteArray,
    ) -> std::result::Result<(), ParquetError> {
        self.longs.clear();
        self.longs.extend(packets.iter().map(|packet| packet.packet().ts));
        column::<Int64Type>(group, &self.longs)?;
        column::<ByteArrayType>(group, &vec![node.clone(); packets.len()])?;
        self.addresses(group, packets, |packet| packet.five_tuple.src_ip.octets())?;
        self.addresses(group, packets, |packet| packet.five_tuple.dst_ip.octets())?;
        self.ints(group, packets, |packet| packet.five_tuple.src_port.into())?;
        self.ints(group, packets, |packet| packet.five_tuple.dst_port.into())?;
        self.ints(group, packets, |packet| packet.ip_id.into())?;
        self.ints(group, packets, |packet| packet.ttl.into())?;
        self.ints(group, packets, |packet| packet.flags.bits().into())?;
        self.ints(group, packets, |packet| packet.seq)?;
        self.ints(group, packets, |packet| packet.ack)?;
        self.ints(group, packets, |packet| packet.tcp_window.into())?;
        self.ints(group, packets, |packet| packet.options_len.into())?;
        self.ints(group, packets, |packet| packet.payload_len)?;
        self.ints(group, packets, |packet| packet.sample_rate)
    }

    fn write_protection<P: Keepable>(
        &mut self,
        group: &mut RowGroupWriter<'_>,
        packets: &[P],
    ) -> std::result::Result<(), ParquetError> {
        let place = |packet: &P| packet.protection().place;
        let country = |packet: &P| match packet.protection().addresses {
            Addresses::Full => ByteArray::from(FULL_COUNTRY),
            Addresses::Truncated | Addresses::Encrypted => {
                ByteArray::from(country_code(place(packet).country))
            }
        };
        column::<ByteArrayType>(group, &packets.iter().map(country).collect::<Vec<_>>())?;
        self.ints.clear();
        self.ints.extend(packets.iter().map(|packet| place(packet).asn.unwrap_or(0).cast_signed()));
        column::<Int32Type>(group, &self.ints)?;
        self.longs.clear();
        self.longs.extend(packets.iter().map(|packet| packet.protection().flow.cast_signed()));
        column::<Int64Type>(group, &self.longs)
    }

    fn write_options<P: Keepable>(
        &mut self,
        group: &mut RowGroupWriter<'_>,
        packets: &[P],
    ) -> std::result::Result<(), ParquetError> {
        self.ints(group, packets, |packet| packet.df.into())?;
        self.longs.clear();
        self.longs.extend(packets.iter().map(|packet| packet.packet().syn.kinds.cast_signed()));
        column::<Int64Type>(group, &self.longs)?;
        self.ints(group, packets, |packet| packet.syn.mss.into())?;
        self.ints(group, packets, |packet| packet.syn.wscale.into())
    }

    fn write_ids<P: Keepable>(
        &mut self,
        group: &mut RowGroupWriter<'_>,
        packets: &[P],
    ) -> std::result::Result<(), ParquetError> {
        let ids: Vec<Ids> = packets.iter().map(|packet| packet.ids().copied().unwrap_or_default()).collect();
        for number in [Ids::icmp_number, Ids::present] {
            self.ints.clear();
            self.ints.extend(ids.iter().map(|ids| number(ids).cast_signed()));
            column::<Int32Type>(group, &self.ints)?;
        }
        for at in 0..4 {
            self.longs.clear();
            self.longs.extend(ids.iter().map(|ids| ids.numbers()[at].unwrap_or(0).cast_signed()));
            column::<Int64Type>(group, &self.longs)?;
        }
        Ok(())
    }

    fn ints<P: Keepable>(
        &mut self,
        group: &mut RowGroupWriter<'_>,
        packets: &[P],
        value: impl Fn(&Packet) -> u32,
    ) -> std::result::Result<(), ParquetError> {
        self.ints.clear();
        self.ints.extend(packets.iter().map(|packet| value(packet.packet()).cast_signed()));
        column::<Int32Type>(group, &self.ints)
    }

    /// All addresses of a column are slices of one allocation.
    fn addresses<P: Keepable>(
        &mut self,
        group: &mut RowGroupWriter<'_>,
        packets: &[P],
        value: impl Fn(&Packet) -> [u8; 16],
    ) -> std::result::Result<(), ParquetError> {
        let all: Vec<u8> = packets.iter().flat_map(|packet| value(packet.packet())).collect();
        let all = ByteArray::from(all);
        self.addresses.clear();
        self.addresses.extend((0..packets.len()).map(|at| all.slice(at * 16, 16).into()));
        column::<FixedLenByteArrayType>(group, &self.addresses)
    }
}

fn column<T: DataType>(
    group: &mut RowGroupWriter<'_>,
    values: &[T::T],
) -> std::result::Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}
