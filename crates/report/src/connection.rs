//! Connections one by one, in formats for programs (docs/spec.md#json).

mod csv;
mod jsonl;
mod parquet;
mod zeek;

use std::io::{self, Write};

use cutshort_model::{ConnectionRecord, JudgedConnection};
use cutshort_verdict::Row;

pub(crate) use csv::io_error as csv_error;

/// Formats of single connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
    /// An Apache Parquet file, compressed with zstd.
    Parquet,
    /// A tab-separated log with Zeek's header.
    Zeek,
}

impl Format {
    /// Whether [`Writer::write`] looks at the rows. Connections that were kept have none.
    #[must_use]
    pub const fn needs_rows(self) -> bool {
        matches!(self, Self::Zeek)
    }

    /// A writer of this format onto `output`.
    pub fn writer<'a>(self, output: impl Write + Send + 'a) -> io::Result<Box<dyn Writer + 'a>> {
        self.writer_of(output, false)
    }

    /// A writer of this format onto `output`. With `addresses` CSV and Parquet have a column more that says what of
    /// its addresses a connection has; JSON says it anyway, where they are not the real ones.
    pub fn writer_of<'a>(
        self,
        output: impl Write + Send + 'a,
        addresses: bool,
    ) -> io::Result<Box<dyn Writer + 'a>> {
        Ok(match self {
            Self::Jsonl => Box::new(jsonl::Jsonl::new(output)),
            Self::Csv => Box::new(csv::Csv::new(output, addresses)?),
            Self::Parquet => Box::new(parquet::Parquet::new(output, addresses)?),
            Self::Zeek => Box::new(zeek::Zeek::new(output)?),
        })
    }
}

/// Writes connections, one at a time, to an output.
pub trait Writer {
    /// Writes one. `rows` may be empty unless the [format needs them](Format::needs_rows).
    fn write(&mut self, connection: &JudgedConnection<'_>, rows: &[Row]) -> io::Result<()> {
        self.write_record(&connection.into(), rows)
    }

    /// Writes one that was made before, such as one that a store kept.
    fn write_record(&mut self, record: &ConnectionRecord<'_>, rows: &[Row]) -> io::Result<()>;

    /// Ends the output. Without it a file is not complete.
    fn finish(self: Box<Self>) -> io::Result<()>;
}
