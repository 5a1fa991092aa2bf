//! A file's packets, some at a time.

use cutshort_packet::Flags;
use cutshort_verdict::Row;
use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader};

use super::Key;
use super::schema::{DST_IP, INTS, Int, SRC_IP, TS};

/// Rows a batch.
const BATCH: usize = 1 << 13;

/// Some rows of a segment.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) keys: Vec<Key>,
    pub(crate) rows: Vec<Row>,
}

impl Batch {
    pub(crate) fn clear(&mut self) {
        self.truncate(0);
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.keys.truncate(len);
        self.rows.truncate(len);
    }

    /// Leaves out rows.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&Row) -> bool) {
        let mut kept = 0;
        for at in 0..self.rows.len() {
            if wanted(&self.rows[at]) {
                self.keys[kept] = self.keys[at];
                self.rows[kept] = self.rows[at];
                kept += 1;
            }
        }
        self.truncate(kept);
    }
}

/// The columns of a batch as they come out of a file. One serves many files.
#[derive(Default)]
pub(crate) struct Scratch {
    ts: Vec<i64>,
    src_ip: Vec<FixedLenByteArray>,
    dst_ip: Vec<FixedLenByteArray>,
    ints: [Vec<i32>; Int::COUNT],
}

/// The rows of some row groups of a file, batch by batch.
pub(crate) struct Batches<F> {
    file: F,
    groups: std::vec::IntoIter<usize>,
    group: usize,
    columns: Option<Columns>,
}

impl<F: FileReader> Batches<F> {
    pub(crate) fn new(file: F, groups: Vec<usize>) -> Self {
        Self { file, groups: groups.into_iter(), group: 0, columns: None }
    }

    /// Appends the next rows; false at the end.
    pub(crate) fn next(&mut self, scratch: &mut Scratch, batch: &mut Batch) -> Result<bool, ParquetError> {
        loop {
            if let Some(columns) = &mut self.columns {
                if columns.read(scratch)? {
                    scratch.transpose(batch);
                    return Ok(true);
                }
                self.columns = None;
            }
            let Some(group) = self.groups.next() else { return Ok(false) };
            self.group = group;
            self.columns = Some(Columns::open(&*self.file.get_row_group(group)?)?);
        }
    }

    /// The row group of the rows that came last.
    pub(super) const fn group(&self) -> usize {
        self.group
    }
}

/// The columns of a row group.
struct Columns {
    left: usize,
    ts: ColumnReaderImpl<Int64Type>,
    src_ip: ColumnReaderImpl<FixedLenByteArrayType>,
    dst_ip: ColumnReaderImpl<FixedLenByteArrayType>,
    ints: Vec<ColumnReaderImpl<Int32Type>>,
}

impl Columns {
    fn open(group: &dyn RowGroupReader) -> Result<Self, ParquetError> {
        let ints = INTS..INTS + Int::COUNT;
        Ok(Self {
            left: usize::try_from(group.metadata().num_rows())?,
            ts: get_typed_column_reader(group.get_column_reader(TS)?),
            src_ip: get_typed_column_reader(group.get_column_reader(SRC_IP)?),
            dst_ip: get_typed_column_reader(group.get_column_reader(DST_IP)?),
            ints: ints
                .map(|at| Ok(get_typed_column_reader(group.get_column_reader(at)?)))
                .collect::<Result<_, ParquetError>>()?,
        })
    }

    /// Replaces what is in the scratch; false at the end.
    fn read(&mut self, scratch: &mut Scratch) -> Result<bool, ParquetError> {
        let rows = self.left.min(BATCH);
        read(&mut self.ts, rows, &mut scratch.ts)?;
        read(&mut self.src_ip, rows, &mut scratch.src_ip)?;
        read(&mut self.dst_ip, rows, &mut scratch.dst_ip)?;
        for (column, values) in self.ints.iter_mut().zip(&mut scratch.ints) {
            read(column, rows, values)?;
        }
        self.left -= rows;
        Ok(rows > 0)
    }
}

fn read<T: DataType>(
    column: &mut ColumnReaderImpl<T>,
    rows: usize,
    values: &mut Vec<T::T>,
) -> Result<(), ParquetError> {
    values.clear();
    let (read, ..) = column.read_records(rows, None, None, values)?;
    if read == rows && values.len() == rows {
        return Ok(());
    }
    Err(ParquetError::EOF(format!("a column ends after {read} of {rows} rows")))
}

impl Scratch {
    /// The first column of 32 bits with a value above its bound.
    pub(super) fn out_of_bounds(&self) -> Option<&'static str> {
        let above = |values: &[i32], bound| values.iter().any(|value| value.cast_unsigned() > bound);
        let columns = self.ints.iter().zip(Int::BOUNDS);
        columns.filter(|(values, (_, bound))| above(values, *bound)).map(|(_, (name, _))| name).next()
    }

    fn transpose(&self, batch: &mut Batch) {
        let int = |column: Int, at: usize| self.ints[column as usize][at].cast_unsigned();
        batch.keys.extend((0..self.ts.len()).map(|at| Key {
            src_ip: address(&self.src_ip[at]),
            src_port: int(Int::SrcPort, at) as u16,
            dst_ip: address(&self.dst_ip[at]),
            dst_port: int(Int::DstPort, at) as u16,
        }));
        batch.rows.extend((0..self.ts.len()).map(|at| Row {
            ts: self.ts[at],
            flags: Flags::from_bits(int(Int::Flags, at) as u16),
            ip_id: int(Int::IpId, at) as u16,
            seq: int(Int::Seq, at),
            ack: int(Int::Ack, at),
            payload_len: int(Int::PayloadLen, at),
            sample_rate: int(Int::SampleRate, at),
            window: int(Int::Window, at) as u16,
            ttl: int(Int::Ttl, at) as u8,
            options_len: int(Int::OptionsLen, at) as u8,
        }));
    }
}

fn address(bytes: &FixedLenByteArray) -> u128 {
    bytes.data().try_into().map_or(0, u128::from_be_bytes)
}
