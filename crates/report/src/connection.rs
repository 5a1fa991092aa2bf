//! Formats of single connections, for programs (docs/spec.md#json).

mod csv;
mod jsonl;
mod parquet;
mod zeek;

use std::io::{self, Write};

use cutshort_model::{ConnectionRecord, JudgedConnection};
use cutshort_verdict::{DataSet, Row};

pub(crate) use csv::io_error as csv_error;

/// Formats of single connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
    /// An Apache Parquet file, compressed with zstd.
    Parquet,
    /// A tab-separated log with Zeek's header.
    Zeek,
}

impl Format {
    /// Whether [`Writer::write`] needs the rows. Stored connections have none.
    #[must_use]
    pub const fn needs_rows(self) -> bool {
        matches!(self, Self::Zeek)
    }

    /// Whether connections of a data set can be written in this format: a log of Zeek shows the flags of TCP packets.
    #[must_use]
    pub const fn has(self, data_set: DataSet) -> bool {
        !matches!((self, data_set), (Self::Zeek, DataSet::Quic))
    }

    /// Begins to write in this format to `output`.
    pub fn writer<'a>(self, output: impl Write + Send + 'a) -> io::Result<Box<dyn Writer + 'a>> {
        self.writer_of(output, DataSet::Tcp, false)
    }

    /// Begins to write connections of a data set in this format to `output`. With `addresses`, CSV and Parquet have an
    /// additional column for how addresses are kept; JSON has such a field whenever they are not the full ones.
    ///
    /// # Errors
    /// The error of `output`, or that the format does not [have](Self::has) this data set.
    pub fn writer_of<'a>(
        self,
        output: impl Write + Send + 'a,
        data_set: DataSet,
        addresses: bool,
    ) -> io::Result<Box<dyn Writer + 'a>> {
        if !self.has(data_set) {
            return Err(io::Error::other(format!(
                "the format zeek has no connections of the data set {data_set}"
            )));
        }
        Ok(match self {
            Self::Jsonl => Box::new(jsonl::Jsonl::new(output)),
            Self::Csv => Box::new(csv::Csv::new(output, data_set, addresses)?),
            Self::Parquet => Box::new(parquet::Parquet::new(output, data_set, addresses)?),
            Self::Zeek => Box::new(zeek::Zeek::new(output)?),
        })
    }
}

/// Writes connections, one at a time, to an output.
pub trait Writer: Send {
    /// Writes a connection. `rows` may be empty unless the [format needs them](Format::needs_rows).
    fn write(&mut self, connection: &JudgedConnection<'_>, rows: &[Row]) -> io::Result<()> {
        self.write_record(&connection.into(), rows)
    }

    /// Writes a connection that was recorded before, for example a stored one.
    fn write_record(&mut self, record: &ConnectionRecord<'_>, rows: &[Row]) -> io::Result<()>;

    /// Completes the output. Without this, a file is incomplete.
    fn finish(self: Box<Self>) -> io::Result<()>;
}
