//! Connections one by one, in formats for programs (SPEC 10).

mod addresses;
mod csv;
mod jsonl;
mod parquet;
pub mod read;
mod record;
mod zeek;

use std::io::{self, Write};

use cutshort_geo::Place;
use cutshort_packet::FiveTuple;
use cutshort_verdict::{Row, Verdict};

pub use addresses::Addresses;
pub(crate) use csv::io_error as csv_error;
pub(crate) use parquet::io_error as parquet_error;
pub use parquet::{concatenate, stored};
pub use record::{ADDRESSES, FIELDS, Record};

/// A connection and everything that is said of it.
#[derive(Clone, Copy, Debug)]
pub struct Connection<'a> {
    /// Addresses and ports, client first.
    pub five_tuple: &'a FiveTuple,
    /// What of its addresses is in there.
    pub addresses: Addresses,
    /// What was found.
    pub verdict: &'a Verdict,
    /// Which server saw its SYN; empty for a file.
    pub node: &'a str,
    /// Where the client is.
    pub place: Place,
    /// The name of the client's network.
    pub as_name: Option<&'a str>,
}

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
    ///
    /// # Errors
    /// What writing the header gives.
    pub fn writer<'a>(self, output: impl Write + Send + 'a) -> io::Result<Box<dyn Writer + 'a>> {
        self.writer_of(output, false)
    }

    /// A writer of this format onto `output`. With `addresses` CSV and Parquet have a column more that says what of
    /// its addresses a connection has; JSON says it anyway, where they are not the real ones.
    ///
    /// # Errors
    /// What writing the header gives.
    pub fn writer_of<'a>(
        self,
        output: impl Write + Send + 'a,
        addresses: bool,
    ) -> io::Result<Box<dyn Writer + 'a>> {
        let extra = parquet::Extra { addresses, ..parquet::Extra::default() };
        Ok(match self {
            Self::Jsonl => Box::new(jsonl::Jsonl::new(output)),
            Self::Csv => Box::new(csv::Csv::new(output, addresses)?),
            Self::Parquet => Box::new(parquet::Parquet::new(output, extra)?),
            Self::Zeek => Box::new(zeek::Zeek::new(output)?),
        })
    }
}

/// Writes connections.
pub trait Writer {
    /// Writes one. `rows` may be empty unless the [format needs them](Format::needs_rows).
    ///
    /// # Errors
    /// What the output gives.
    fn write(&mut self, connection: &Connection<'_>, rows: &[Row]) -> io::Result<()> {
        self.write_record(&connection.into(), rows)
    }

    /// Writes one that was made before, such as one that was [kept](mod@read).
    ///
    /// # Errors
    /// What the output gives.
    fn write_record(&mut self, record: &Record<'_>, rows: &[Row]) -> io::Result<()>;

    /// Ends the output. Without it a file is not complete.
    ///
    /// # Errors
    /// What the output gives.
    fn finish(self: Box<Self>) -> io::Result<()>;
}
