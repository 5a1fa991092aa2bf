//! Bytes from anywhere to a segment.

use bytes::Bytes;
use cutshort_packet::Packet;
use cutshort_verdict::Row;
use parquet::basic::Compression;
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::ByteArrayType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use super::encode::{check_packet, windows};
use super::schema::{self, ContentId, MAX_NODE, NODE, ROW_GROUP, SRC_IP};
use super::{Batch, Batches, Key, Origin, Scratch, Segment, SegmentInfo, pages};
use crate::{Result, StoreError};

type Checked<T> = std::result::Result<T, String>;

pub(super) fn parse(bytes: Bytes) -> Result<Segment> {
    let refused = |why| StoreError::Refused(format!("it is no segment that can be kept: {why}"));
    let (info, times) = check(&bytes).map_err(refused)?;
    Ok(Segment { info, windows: windows(times.into_iter()), bytes })
}

pub(super) fn packets(bytes: &Bytes) -> Result<Vec<Packet>> {
    let damaged = |error: ParquetError| StoreError::Damaged(error.to_string());
    let file = SerializedFileReader::new(bytes.clone()).map_err(damaged)?;
    let groups = (0..file.num_row_groups()).collect();
    let (mut batches, mut scratch, mut batch) =
        (Batches::new(file, groups), Scratch::default(), Batch::default());
    while batches.next(&mut scratch, &mut batch).map_err(damaged)? {}
    Ok(batch.keys.iter().zip(&batch.rows).map(|(key, row)| packet(key, row)).collect())
}

fn packet(key: &Key, row: &Row) -> Packet {
    Packet {
        ts: row.ts,
        five_tuple: key.five_tuple(),
        ip_id: row.ip_id,
        ttl: row.ttl,
        flags: row.flags,
        seq: row.seq,
        ack: row.ack,
        window: row.window,
        options_len: row.options_len,
        payload_len: row.payload_len,
        sample_rate: row.sample_rate,
    }
}

/// What a file is, and the times of its packets, if nothing is wrong with it.
fn check(bytes: &Bytes) -> Checked<(SegmentInfo, Vec<i64>)> {
    if bytes.len() as u64 > Segment::MAX_BYTES {
        return Err(format!("{} bytes are too many", bytes.len()));
    }
    let file = SerializedFileReader::new(bytes.clone()).map_err(|error| error.to_string())?;
    let info = schema::from_metadata(file.metadata().file_metadata())?;
    check_head(file.metadata(), &info)?;
    file.metadata().row_groups().iter().try_for_each(|group| check_layout(group, bytes))?;
    for at in 0..file.num_row_groups() {
        let group = file.get_row_group(at).map_err(|error| error.to_string())?;
        check_node(&*group, &info.node)?;
    }
    let times = check_rows(file, &info)?;
    Ok((info, times))
}

fn check_head(metadata: &ParquetMetaData, info: &SegmentInfo) -> Checked<()> {
    let own = schema::schema().map_err(|error| error.to_string())?;
    if metadata.file_metadata().schema_descr().root_schema() != &own {
        return Err("its columns are not those of a segment".to_owned());
    }
    if info.node.len() > MAX_NODE {
        return Err("its node's name is too long".to_owned());
    }
    let rows = metadata.row_groups().iter().map(RowGroupMetaData::num_rows);
    if rows.clone().any(|rows| !(1..=ROW_GROUP as i64).contains(&rows)) {
        return Err(format!("row groups are to have 1 to {ROW_GROUP} rows"));
    }
    if info.rows > Segment::MAX_ROWS || rows.sum::<i64>().cast_unsigned() != info.rows {
        return Err(format!("{} rows are too many, or not what its row groups have", info.rows));
    }
    Ok(())
}

/// Columns lie within the file, and their pages are not larger than they have to be.
fn check_layout(group: &RowGroupMetaData, bytes: &Bytes) -> Checked<()> {
    for column in group.columns() {
        if !matches!(column.compression(), Compression::ZSTD(_) | Compression::UNCOMPRESSED) {
            return Err(format!("it is compressed with {}, not zstd", column.compression()));
        }
        if column.num_values() != group.num_rows() {
            return Err("a column has not as many values as its row group has rows".to_owned());
        }
        let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
        let start = usize::try_from(start).map_err(|_| "a column is outside the file")?;
        let len = usize::try_from(column.compressed_size()).map_err(|_| "a column has no size")?;
        let chunk = start.checked_add(len).and_then(|end| bytes.get(start..end));
        pages::check(chunk.ok_or("a column is outside the file")?)?;
    }
    Ok(())
}

/// The column of the node says what the metadata says.
fn check_node(group: &dyn RowGroupReader, node: &str) -> Checked<()> {
    let mut values = Vec::new();
    let rows = group.metadata().num_rows() as usize;
    let column = group.get_column_reader(NODE).map_err(|error| error.to_string())?;
    get_typed_column_reader::<ByteArrayType>(column)
        .read_records(rows, None, None, &mut values)
        .map_err(|error| error.to_string())?;
    let same = values.len() == rows && values.iter().all(|value| value.data() == node.as_bytes());
    if same { Ok(()) } else { Err("its column node differs from the node in its metadata".to_owned()) }
}

/// The first and the last source address of a row group, by its statistics.
pub(crate) fn sources(group: &RowGroupMetaData) -> Option<(u128, u128)> {
    let statistics = group.column(SRC_IP).statistics()?;
    let address = |bytes: &[u8]| bytes.try_into().ok().map(u128::from_be_bytes);
    Some((address(statistics.min_bytes_opt()?)?, address(statistics.max_bytes_opt()?)?))
}

/// Checks all rows, and what is said about them, and returns their times.
fn check_rows(file: SerializedFileReader<Bytes>, info: &SegmentInfo) -> Checked<Vec<i64>> {
    let sources = file.metadata().row_groups().iter().map(sources).collect();
    let groups = (0..file.num_row_groups()).collect();
    let mut batches = Batches::new(file, groups);
    let (mut scratch, mut batch) = (Scratch::default(), Batch::default());
    let mut rows = Rows::new(info, sources);
    while batches.next(&mut scratch, &mut batch).map_err(|error| error.to_string())? {
        if let Some(column) = scratch.out_of_bounds() {
            return Err(format!("the column {column} has values that are too large"));
        }
        rows.check(&batch, batches.group())?;
        batch.clear();
    }
    rows.finish()
}

/// What rows have to be, and what was seen of them.
struct Rows<'a> {
    info: &'a SegmentInfo,
    /// First and last source address of each row group: as was said, and as was seen.
    said: Vec<Option<(u128, u128)>>,
    seen: Vec<Option<(u128, u128)>>,
    last: Option<(Key, i64)>,
    times: Vec<i64>,
    id: ContentId,
}

impl<'a> Rows<'a> {
    fn new(info: &'a SegmentInfo, said: Vec<Option<(u128, u128)>>) -> Self {
        let id = ContentId::new(&info.node, info.origin, info.covers);
        Self { info, seen: vec![None; said.len()], said, last: None, times: Vec::new(), id }
    }

    fn check(&mut self, batch: &Batch, group: usize) -> Checked<()> {
        for (key, row) in batch.keys.iter().zip(&batch.rows) {
            let packet = packet(key, row);
            check_packet(&packet, self.info.covers)?;
            if self.last.is_some_and(|last| last > (*key, row.ts)) {
                return Err(format!("its packets are not sorted: {} comes too late", key.five_tuple()));
            }
            self.last = Some((*key, row.ts));
            self.id.add(&packet);
            self.times.push(row.ts);
        }
        if let (Some(first), Some(last)) = (batch.keys.first(), batch.keys.last()) {
            let seen = &mut self.seen[group];
            *seen = Some((seen.map_or(first.src_ip, |(first, _)| first), last.src_ip));
        }
        Ok(())
    }

    fn finish(self) -> Checked<Vec<i64>> {
        if self.said != self.seen {
            return Err("the statistics of its column src_ip are missing or wrong".to_owned());
        }
        let times = self.times.iter().copied();
        if self.info.times != times.clone().min().zip(times.max()) {
            return Err("the times in its metadata are not those of its packets".to_owned());
        }
        if self.info.origin == Origin::File && self.id.finish() != self.info.id {
            return Err("its id is not that of its content".to_owned());
        }
        Ok(self.times)
    }
}
