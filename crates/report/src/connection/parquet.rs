use std::io::{self, Write};
use std::sync::Arc;

use cutshort_verdict::Row;
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::record::Record;
use super::{Connection, Writer};

/// The fields of the JSON lines under the same names; times are timestamps, tags a list.
const SCHEMA: &str = "message connection {
  required int64 first_us (TIMESTAMP(MICROS,true));
  required int64 last_us (TIMESTAMP(MICROS,true));
  required binary node (UTF8);
  required binary src_ip (UTF8);
  required int32 src_port (INTEGER(16,false));
  required binary dst_ip (UTF8);
  required int32 dst_port (INTEGER(16,false));
  required int32 ip_version (INTEGER(8,false));
  required int32 packets (INTEGER(32,false));
  required binary stage (UTF8);
  required binary termination (UTF8);
  required group tags (LIST) { repeated group list { required binary element (UTF8); } }
  optional binary signature (UTF8);
  optional int32 signature_id (INTEGER(8,false));
  optional binary location (UTF8);
  optional int32 asn (INTEGER(32,false));
  optional binary as_name (UTF8);
  optional int32 rst_ttl_delta (INTEGER(16,true));
  optional int32 rst_ip_id_delta (INTEGER(16,false));
  required int64 silent_us;
  required int32 sample_rate (INTEGER(32,false));
}";

/// Connections a row group: what is held in memory until it is written.
const ROW_GROUP: usize = 100_000;

pub(super) struct Parquet<W: Write + Send> {
    file: SerializedFileWriter<W>,
    columns: Vec<Column>,
    rows: usize,
}

impl<W: Write + Send> Parquet<W> {
    pub(super) fn new(output: W) -> io::Result<Self> {
        let schema = Arc::new(parse_message_type(SCHEMA).map_err(io_error)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("cutshort version ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = SerializedFileWriter::new(output, schema, Arc::new(properties)).map_err(io_error)?;
        Ok(Self { file, columns: Vec::new(), rows: 0 })
    }

    fn write_row_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.file.next_row_group()?;
        for column in self.columns.drain(..) {
            column.write(&mut group)?;
        }
        self.rows = 0;
        group.close()?;
        Ok(())
    }
}

impl<W: Write + Send> Writer for Parquet<W> {
    fn write(&mut self, connection: &Connection<'_>, _rows: &[Row]) -> io::Result<()> {
        let values = values(&Record::from(connection));
        if self.columns.is_empty() {
            self.columns = values.iter().map(Column::like).collect();
        }
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
        self.rows += 1;
        if self.rows == ROW_GROUP { self.write_row_group().map_err(io_error) } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.rows > 0 {
            self.write_row_group().map_err(io_error)?;
        }
        self.file.close().map(drop).map_err(io_error)
    }
}

fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        error => io::Error::other(error),
    }
}

/// One field of one connection.
enum Value {
    Long(i64),
    Int(Option<i32>),
    Text(Option<ByteArray>),
    List(Vec<ByteArray>),
}

/// The fields in the order of the schema. Unsigned ones are stored by their bits.
fn values(record: &Record<'_>) -> Vec<Value> {
    let text = |text: &str| Value::Text(Some(ByteArray::from(text)));
    let maybe_text = |text: Option<&str>| Value::Text(text.map(ByteArray::from));
    let int = |int: u32| Value::Int(Some(int.cast_signed()));
    vec![
        Value::Long(record.first_us),
        Value::Long(record.last_us),
        text(&record.node),
        text(&record.src_ip),
        int(record.src_port.into()),
        text(&record.dst_ip),
        int(record.dst_port.into()),
        int(record.ip_version.into()),
        int(record.packets),
        text(record.stage),
        text(record.termination),
        Value::List(record.tags.iter().map(|tag| ByteArray::from(tag.name())).collect()),
        maybe_text(record.signature),
        Value::Int(record.signature_id.map(i32::from)),
        maybe_text(record.location),
        Value::Int(record.asn.map(u32::cast_signed)),
        maybe_text(record.as_name.as_deref()),
        Value::Int(record.rst_ttl_delta.map(i32::from)),
        Value::Int(record.rst_ip_id_delta.map(i32::from)),
        Value::Long(record.silent_us),
        int(record.sample_rate),
    ]
}

/// One field of all connections of a row group.
enum Column {
    Longs(Vec<i64>),
    Ints(Vec<Option<i32>>),
    Texts(Vec<Option<ByteArray>>),
    Lists(Vec<Vec<ByteArray>>),
}

impl Column {
    fn like(value: &Value) -> Self {
        match value {
            Value::Long(_) => Self::Longs(Vec::new()),
            Value::Int(_) => Self::Ints(Vec::new()),
            Value::Text(_) => Self::Texts(Vec::new()),
            Value::List(_) => Self::Lists(Vec::new()),
        }
    }

    fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Longs(column), Value::Long(value)) => column.push(value),
            (Self::Ints(column), Value::Int(value)) => column.push(value),
            (Self::Texts(column), Value::Text(value)) => column.push(value),
            (Self::Lists(column), Value::List(value)) => column.push(value),
            _ => unreachable!("columns are made like the values"),
        }
    }

    fn write<W: Write + Send>(self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<(), ParquetError> {
        let Some(mut column) = group.next_column()? else { return Ok(()) };
        match (column.untyped(), self) {
            (ColumnWriter::Int64ColumnWriter(writer), Self::Longs(values)) => {
                writer.write_batch(&values, None, None)?;
            }
            (ColumnWriter::Int32ColumnWriter(writer), Self::Ints(values)) => {
                let (values, levels) = optional(values);
                writer.write_batch(&values, Some(&levels), None)?;
            }
            (ColumnWriter::ByteArrayColumnWriter(writer), Self::Texts(values)) => {
                let (values, levels) = optional(values);
                writer.write_batch(&values, Some(&levels), None)?;
            }
            (ColumnWriter::ByteArrayColumnWriter(writer), Self::Lists(lists)) => {
                let (values, definitions, repetitions) = repeated(lists);
                writer.write_batch(&values, Some(&definitions), Some(&repetitions))?;
            }
            _ => unreachable!("columns are in the order of the schema"),
        }
        column.close()
    }
}

/// Values and definition levels: 1 where there is a value. Required columns ignore the levels.
fn optional<T>(column: Vec<Option<T>>) -> (Vec<T>, Vec<i16>) {
    let levels = column.iter().map(|value| i16::from(value.is_some())).collect();
    (column.into_iter().flatten().collect(), levels)
}

/// Values, definition levels (0 for an empty list) and repetition levels (0 where a list begins).
fn repeated<T>(lists: Vec<Vec<T>>) -> (Vec<T>, Vec<i16>, Vec<i16>) {
    let lens: Vec<usize> = lists.iter().map(Vec::len).collect();
    let definitions = lens.iter().flat_map(|len| vec![i16::from(*len > 0); (*len).max(1)]).collect();
    let repetitions = lens.iter().flat_map(|len| (0..(*len).max(1)).map(|at| i16::from(at > 0))).collect();
    (lists.into_iter().flatten().collect(), definitions, repetitions)
}
