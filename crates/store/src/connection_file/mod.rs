//! Parquet files of connections, both stored and exported ones.

mod columns;
mod read;
mod texts;

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use cutshort_model::ConnectionRecord;
use cutshort_verdict::DataSet;
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, Type};

use columns::Columns;

pub use read::{Records, read};

/// The fields of the JSON lines under the same names, with times as timestamps and tags as a list.
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
";
/// Fields that the data set `quic` does not have.
const RSTS: &str = "  optional int32 rst_ttl_delta (INTEGER(16,true));
  optional int32 rst_ip_id_delta (INTEGER(16,false));
";
const REST: &str = "  required int64 silent_us;
  required int32 sample_rate (INTEGER(32,false));
";

/// Fields that docs/spec.md#json does not have.
const PROGRESS: &str = "  required int32 progress (INTEGER(8,false));\n";
const HANDSHAKE: &str = "  optional int64 handshake_us;\n  optional int64 first_byte_us;\n";
const CLOSES: &str = "  optional binary version (UTF8);\n  optional int64 close_code (INTEGER(64,false));\n";
const ADDRESSES: &str = "  required binary addresses (UTF8);\n";

/// Columns in addition to those of docs/spec.md#json.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// The data set of the connections: `origin` has columns for the times of the handshake and of the first byte, `quic`
    /// for version and error code instead of those about RSTs.
    pub data_set: DataSet,
    /// Whether there is a column for how far the connection got.
    pub progress: bool,
    /// Whether there is a column for how its addresses are kept, see [`Addresses`](cutshort_model::Addresses).
    pub addresses: bool,
}

impl Extra {
    /// The additional columns of stored connections.
    const fn stored(data_set: DataSet) -> Self {
        Self { data_set, progress: true, addresses: true }
    }
}

/// Columns whose values are rarely repeated: a dictionary would only take time.
const DISTINCT: [&str; 6] = ["first_us", "last_us", "src_ip", "src_port", "rst_ip_id_delta", "silent_us"];

/// The number of connections in a row group, which is held in memory until it is written.
const ROW_GROUP: usize = 1 << 15;

/// Writes connections to a Parquet file, compressed with zstd. Without [`finish`](Self::finish) the file is not complete.
pub struct ConnectionFile<W: Write + Send> {
    file: SerializedFileWriter<W>,
    columns: Columns,
}

/// Writes connections that can be [`read`] back: a Parquet file with two additional columns, the progress and how
/// addresses are kept.
///
/// # Errors
/// The error of `output` when the header is written.
pub fn stored<W: Write + Send>(output: W, data_set: DataSet) -> io::Result<ConnectionFile<W>> {
    ConnectionFile::new(output, Extra::stored(data_set))
}

/// Concatenates files of [stored connections](stored) without decoding them.
///
/// # Errors
/// A file cannot be read or is not a Parquet file, or `output` cannot be written.
pub fn concatenate<W: Write + Send>(files: &[File], output: W, data_set: DataSet) -> io::Result<W> {
    let mut writer = file_writer(output, Extra::stored(data_set))?;
    for file in files {
        append(file, &mut writer).map_err(io_error)?;
    }
    writer.into_inner().map_err(io_error)
}

fn append<W: Write + Send>(file: &File, writer: &mut SerializedFileWriter<W>) -> Result<(), ParquetError> {
    let reader = SerializedFileReader::new(file.try_clone()?)?;
    for group in reader.metadata().row_groups() {
        let mut target = writer.next_row_group()?;
        for column in group.columns() {
            let close = ColumnCloseResult {
                bytes_written: column.compressed_size() as u64,
                rows_written: group.num_rows() as u64,
                metadata: column.clone(),
                bloom_filter: None,
                column_index: None,
                offset_index: None,
            };
            target.append_column(file, close)?;
        }
        target.close()?;
    }
    Ok(())
}

impl<W: Write + Send> ConnectionFile<W> {
    /// Begins a file on `output`.
    ///
    /// # Errors
    /// The error of `output` when the header is written.
    pub fn new(output: W, extra: Extra) -> io::Result<Self> {
        Ok(Self { file: file_writer(output, extra)?, columns: Columns::new(extra) })
    }

    fn write_row_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.file.next_row_group()?;
        self.columns.write(&mut group)?;
        group.close()?;
        Ok(())
    }
}

impl<W: Write + Send> ConnectionFile<W> {
    /// Writes a connection.
    ///
    /// # Errors
    /// The error of the output. The file is incomplete then.
    pub fn write(&mut self, record: &ConnectionRecord<'_>) -> io::Result<()> {
        self.columns.push(record);
        if self.columns.len() == ROW_GROUP { self.write_row_group().map_err(io_error) } else { Ok(()) }
    }

    /// Writes the rest and the footer.
    ///
    /// # Errors
    /// The error of the output. The file is incomplete then.
    pub fn finish(mut self) -> io::Result<()> {
        if self.columns.len() > 0 {
            self.write_row_group().map_err(io_error)?;
        }
        self.file.close().map(drop).map_err(io_error)
    }
}

fn schema(extra: Extra) -> Result<Type, ParquetError> {
    let progress = if extra.progress { PROGRESS } else { "" };
    let addresses = if extra.addresses { ADDRESSES } else { "" };
    let (rsts, own) = match extra.data_set {
        DataSet::Origin => (RSTS, HANDSHAKE),
        DataSet::Quic => ("", CLOSES),
        _ => (RSTS, ""),
    };
    parse_message_type(&format!("{SCHEMA}{rsts}{REST}{own}{progress}{addresses}}}"))
}

/// The schemas of [stored connections](stored). Earlier files, from before addresses could be protected, have one
/// column less.
fn stored_schemas() -> Result<Vec<(DataSet, Type)>, ParquetError> {
    let stored = DataSet::ALL.map(Extra::stored);
    let before = Extra { addresses: false, ..Extra::stored(DataSet::Tcp) };
    stored.into_iter().chain([before]).map(|extra| Ok((extra.data_set, schema(extra)?))).collect()
}

fn file_writer<W: Write + Send>(output: W, extra: Extra) -> io::Result<SerializedFileWriter<W>> {
    let schema = Arc::new(schema(extra).map_err(io_error)?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_created_by(concat!("cutshort version ", env!("CARGO_PKG_VERSION")).to_owned());
    let properties = DISTINCT.iter().fold(properties, |properties, name| {
        properties.set_column_dictionary_enabled(ColumnPath::from(*name), false)
    });
    SerializedFileWriter::new(output, schema, Arc::new(properties.build())).map_err(io_error)
}

/// Returns the error of the output if there is one inside.
pub fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        error => io::Error::other(error),
    }
}
