//! `cutshort export`: what a store has, in formats for programs.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use cutshort_api::question::parse_bucket;
use cutshort_console::Output;
use cutshort_model::{Bucket, Dimension, Window, quantity};
use cutshort_report::{ExportError, connection, counts, export_connections, export_rollups, extent};
use cutshort_settings::values::moment;
use jiff::Timestamp;

use crate::error::{Done, Error};
use crate::options::time::no_time;
use crate::options::{Data, DataSetOption};
use crate::terminal::{self, message};

/// Export connections or counts of a store
///
/// Connections have one line or row each, as 'classify' writes them. Rollups are counts by time and
/// optionally by country, network and so on: the estimated number of connections of each stage, and
/// how many were sampled.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Export {
    /// What to export
    #[arg(value_enum)]
    what: What,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    data_set: DataSetOption,
    /// Start: 2026-01-05T10:00:00Z, 2026-01-05, -7d [default: all]
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    from: Option<Timestamp>,
    /// End [default: all]
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    to: Option<Timestamp>,
    /// Output format
    #[arg(long, short, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Rollups: dimension to group by; may be repeated for several groupings
    #[arg(long, value_enum, value_name = "DIMENSION")]
    by: Vec<By>,
    /// Rollups: bucket length
    #[arg(long, value_name = "LENGTH", default_value = Bucket::Hour.name())]
    #[arg(value_parser = Bucket::ALL.map(Bucket::name))]
    every: String,
}

const EXAMPLES: &str = "Examples:
  cutshort export connections --data store --from -1d -f parquet -o day.parquet
  cutshort export connections --data store --origin -f jsonl > upstreams.jsonl
  cutshort export rollups --data store --by location --every 1d > counts.csv";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Single connections
    Connections,
    /// Counts by time
    Rollups,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Apache Parquet file
    Parquet,
    /// Comma-separated values with a header
    Csv,
    /// One JSON object per line
    Jsonl,
    /// Zeek log, one line per connection; without the history of packets, which a store does not keep
    Zeek,
}

/// A dimension as a value of the command line.
#[derive(Clone, Copy)]
struct By(Dimension);

impl ValueEnum for By {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<By>> = LazyLock::new(|| Dimension::ALL.map(By).to_vec());
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self.0 {
            Dimension::Tag => "A connection counts under each of its tags",
            Dimension::Location => "Country of the client",
            Dimension::As => "Network of the client",
            Dimension::Port => "Port of the server",
            Dimension::Node => "Server that saw it",
            _ => return Some(PossibleValue::new(self.0.name())),
        };
        Some(PossibleValue::new(self.0.name()).help(help))
    }
}

pub(crate) fn run(arguments: &Export) -> Result<Done, Error> {
    let Export { what, format, output, .. } = arguments;
    if *format == Format::Parquet && output.is_none() && terminal::is_terminal() {
        return Err(Error::Usage(
            "Parquet is not for terminals: name a file with --output, or pipe it on".to_owned(),
        ));
    }
    let store = arguments.data.open_reader()?;
    let store = arguments.data_set.find(store.as_ref())?;
    let Some(range) = range(arguments, extent(store)?)? else {
        return Err(Error::Failed(
            "the store has no results yet: 'cutshort import' puts captures into it".to_owned(),
        ));
    };
    let mut output = Output::create(output.as_deref())?;
    let mut missing = Vec::new();
    let (written, what) = match what {
        What::Connections => {
            let protected = !store.status()?.protected.is_empty();
            let writer = connection_format(*format).writer_of(&mut output, store.data_set(), protected)?;
            let exported = export_connections(store, range, writer)?;
            missing = exported.missing;
            (exported.connections, "connection")
        }
        What::Rollups => {
            let by: Vec<_> = arguments.by.iter().map(|by| by.0).collect();
            let writer = counts_format(*format)?.writer_of(&mut output, store.data_set())?;
            let every = parse_bucket(&arguments.every).map_err(Error::Usage)?;
            let (rows, folded) = export_rollups(store, range, every, &by, writer)?;
            if folded {
                message(
                    &"networks or ports with few connections in a window are counted together as 'other'",
                );
            }
            (rows, "row")
        }
    };
    output.finish()?;
    if let Some(path) = &arguments.output {
        message(&format!("{} written to {}", quantity(written, what), path.display()));
    }
    Ok(report_missing(&missing, &arguments.data.flag()))
}

/// Says whose connections could not be written.
fn report_missing(windows: &[Window], data: &str) -> Done {
    let Some(names) = Window::first_of(windows) else { return Done::Whole };
    message(&format!(
        "the connections of {} are missing, as their files are damaged ({names}). 'cutshort recompute {data}' for that \
         time makes them again if the packets are kept; 'cutshort store verify {data}' names the files",
        quantity(windows.len() as u64, "window"),
    ));
    Done::InPart
}

/// What was asked for of what is there.
fn range(arguments: &Export, extent: Option<Range<i64>>) -> Result<Option<Range<i64>>, Error> {
    let Some(extent) = extent else { return Ok(None) };
    let bound = |ts: i64| Timestamp::from_nanosecond(i128::from(ts)).unwrap_or(Timestamp::MAX);
    let from = arguments.from.unwrap_or_else(|| bound(extent.start));
    let to = arguments.to.unwrap_or_else(|| bound(extent.end));
    let asked = Window::between(from, to).ok_or_else(no_time)?;
    let within = |ts: i64| ts.clamp(extent.start, extent.end);
    Ok(Some(within(asked.start)..within(asked.end)))
}

const fn connection_format(format: Format) -> connection::Format {
    match format {
        Format::Parquet => connection::Format::Parquet,
        Format::Csv => connection::Format::Csv,
        Format::Jsonl => connection::Format::Jsonl,
        Format::Zeek => connection::Format::Zeek,
    }
}

fn counts_format(format: Format) -> Result<counts::Format, Error> {
    match format {
        Format::Parquet => Ok(counts::Format::Parquet),
        Format::Csv => Ok(counts::Format::Csv),
        Format::Jsonl => Ok(counts::Format::Jsonl),
        Format::Zeek => Err(Error::Usage("a Zeek log has connections, not counts".to_owned())),
    }
}

impl From<ExportError> for Error {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Store(error) => error.into(),
            ExportError::Output(error) => error.into(),
        }
    }
}
