//! Positions of the parts of a segment's file.

use std::io::Cursor;
use std::ops::Range;

use crate::footer::{self, Footer};
use bytes::Bytes;
use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::schema::{self, ROW_GROUP, SRC_IP, SchemaVersion};
use super::{Segment, SegmentInfo};

/// The layout of a segment's file.
#[derive(Clone)]
pub struct Layout {
    /// The complete file.
    pub bytes: Bytes,
    pub(super) info: SegmentInfo,
    pub(super) version: SchemaVersion,
    /// The row groups, in order.
    pub groups: Vec<RowGroup>,
}

/// The layout of a row group.
#[derive(Clone)]
pub struct RowGroup {
    pub rows: usize,
    /// The first and the last source address.
    pub sources: (u128, u128),
    /// The bytes of each column, as positions in the file.
    pub(super) columns: Vec<Range<usize>>,
}

impl Layout {
    /// Reads the end of a file, or returns what is wrong with it.
    pub fn read(bytes: Bytes) -> Result<Self, String> {
        check_footer(&bytes)?;
        let file = SerializedFileReader::new(bytes.clone()).map_err(|error| error.to_string())?;
        let metadata = file.metadata();
        let own = SchemaVersion::ALL.into_iter().find(|version| has_schema(metadata, *version));
        let own = own.ok_or(OTHER_COLUMNS)?;
        let (info, version) = schema::from_metadata(metadata.file_metadata())?;
        if own != version {
            return Err("its columns are not those of the version that it says".to_owned());
        }
        let groups = metadata.row_groups().iter().map(|group| RowGroup::read(group, bytes.len()));
        let groups: Vec<RowGroup> = groups.collect::<Result<_, _>>()?;
        let rows: u64 = groups.iter().map(|group| group.rows as u64).sum();
        if rows != info.rows {
            return Err(format!("it has {rows} rows, and says that it has {}", info.rows));
        }
        Ok(Self { bytes, info, version, groups })
    }

    /// The bytes of a column.
    pub(super) fn column(&self, group: usize, column: usize) -> &[u8] {
        &self.bytes[self.groups[group].columns[column].clone()]
    }
}

const OTHER_COLUMNS: &str = "its columns are not those of a segment";

/// The maximum number of row groups: twice as many as the largest segment needs.
const MOST_GROUPS: usize = 2 * Segment::MAX_ROWS as usize / ROW_GROUP;

/// Refuses a file with other columns before the `parquet` crate reads its schema, and a file with too many row groups
/// before any of them is read.
fn check_footer(bytes: &[u8]) -> Result<(), String> {
    let Footer { elements, row_groups } = footer::read(Cursor::new(bytes))?;
    if row_groups > MOST_GROUPS {
        return Err(format!("it has {row_groups} row groups, and {MOST_GROUPS} are the most"));
    }
    let own = |version| schema::schema(version).is_ok_and(|own| footer::elements(&own) == elements);
    if SchemaVersion::ALL.into_iter().any(own) { Ok(()) } else { Err(OTHER_COLUMNS.to_owned()) }
}

fn has_schema(metadata: &ParquetMetaData, version: SchemaVersion) -> bool {
    let own = schema::schema(version);
    own.is_ok_and(|own| metadata.file_metadata().schema_descr().root_schema() == &own)
}

impl RowGroup {
    fn read(group: &RowGroupMetaData, file: usize) -> Result<Self, String> {
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        if !(1..=ROW_GROUP).contains(&rows) {
            return Err(format!("row groups have 1 to {ROW_GROUP} rows, and one has {}", group.num_rows()));
        }
        let columns: Vec<_> =
            group.columns().iter().map(|column| place(column, file)).collect::<Result<_, _>>()?;
        if columns.len() != group.schema_descr().num_columns() {
            return Err("a row group has not all columns".to_owned());
        }
        let sources = sources(group).ok_or("the statistics of its column src_ip are missing")?;
        Ok(Self { rows, sources, columns })
    }
}

/// The position of a column of a row group in a file with a length of `file` bytes.
fn place(column: &ColumnChunkMetaData, file: usize) -> Result<Range<usize>, String> {
    if !matches!(column.compression(), Compression::ZSTD(_)) {
        return Err(format!("it is compressed with {}, and not with zstd", column.compression()));
    }
    let outside = || "a column is outside the file".to_owned();
    let start = usize::try_from(column.data_page_offset()).map_err(|_| outside())?;
    let len = usize::try_from(column.compressed_size()).map_err(|_| outside())?;
    let end = start.checked_add(len).filter(|end| *end <= file).ok_or_else(outside)?;
    Ok(start..end)
}

fn sources(group: &RowGroupMetaData) -> Option<(u128, u128)> {
    let statistics = group.column(SRC_IP).statistics()?;
    let address = |bytes: &[u8]| bytes.try_into().ok().map(u128::from_be_bytes);
    Some((address(statistics.min_bytes_opt()?)?, address(statistics.max_bytes_opt()?)?))
}
