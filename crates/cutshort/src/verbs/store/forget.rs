//! `cutshort store segments` and `cutshort store forget`: what has come in, and removing it.

use std::io::Write;

use clap::{Args, ColorChoice};
use cutshort_capture::Reading;
use cutshort_model::{grouped, rfc3339};
use cutshort_pipeline::{SegmentName, SegmentNameError, Unwanted, known_segments};
use cutshort_settings::values::absolute;
use cutshort_store::KnownSegment;

use crate::error::{Done, Error};
use crate::options::{Data, GeoFiles};
use crate::stopping::stop_on_signals;
use crate::terminal::{self, message};
use crate::windows;

/// List the segments of a store
///
/// One line per segment, in order of arrival: id, time of arrival, origin, server, packets, and the time
/// that it covers. Segments whose packets were deleted or set aside are listed, too, because the time
/// that they cover still counts.
#[derive(Args)]
pub(crate) struct Segments {
    #[command(flatten)]
    data: Data,
}

/// Remove segments and their results from a store
///
/// Removes their packets, the time that they cover, and their results: windows with other packets are
/// recomputed, results of windows without any are removed. Use it to undo an import, such as that of a
/// capture with a wrong clock. What is removed can be imported again.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Forget {
    /// Segment ids or their first digits; or imports, by their start and end times as 'cutshort import'
    /// prints them
    #[arg(value_name = "SEGMENT|IMPORT", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    data: Data,
    /// Show what would be removed without removing it
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    geo: GeoFiles,
}

const EXAMPLES: &str = "Examples:
  cutshort store segments --data store
  cutshort store forget --data store --dry-run 6f1c0a
  cutshort store forget --data store 2026-11-29T01:13:20.120Z/2026-11-29T01:13:27.004Z";

pub(crate) fn list(arguments: &Segments, color: ColorChoice) -> Result<Done, Error> {
    let segments = known_segments(arguments.data.open_reader()?.as_ref())?;
    terminal::print(color, |text| {
        for segment in &segments {
            let KnownSegment { info, arrived, is_kept } = segment;
            let (origin, node) = (info.origin.name(), if info.node.is_empty() { "-" } else { &info.node });
            let packets = if *is_kept { info.rows.to_string() } else { "deleted".to_owned() };
            let (from, to) = (rfc3339(info.covers.0), rfc3339(info.covers.1));
            let arrived = rfc3339(*arrived);
            writeln!(text, "{}  {arrived}  {origin:9}  {node}  {packets}  {from}/{to}", info.id)?;
        }
        Ok(())
    })?;
    Ok(Done::Whole)
}

pub(crate) fn run(arguments: &Forget, color: ColorChoice) -> Result<Done, Error> {
    let known = known_segments(arguments.data.open_reader()?.as_ref())?;
    let mut unwanted = Unwanted::default();
    for text in &arguments.names {
        unwanted.add(&name(text)?, &known).map_err(|error| not_one(text, error))?;
    }
    if arguments.dry_run {
        terminal::print(color, |text| Ok(writeln!(text, "would remove {unwanted}")?))?;
        return Ok(Done::Whole);
    }
    let geo = arguments.geo.open()?;
    let store = arguments.data.open_existing()?;
    let reading = Reading::default();
    stop_on_signals(&reading)?;
    message(&format!("removing {unwanted}"));
    let removed = windows::compute(&reading, |each| unwanted.forget(store.as_ref(), &geo, each))?;
    let done = windows::report_problems(&removed.report);
    windows::find_events(&reading, store.as_ref())?;
    terminal::print(color, |text| Ok(write!(text, "{removed}")?))?;
    Ok(done)
}

fn name(text: &str) -> Result<SegmentName, Error> {
    let moment = |text: &str| i64::try_from(absolute(text)?.as_nanosecond()).ok();
    let Some((from, to)) = text.split_once('/') else { return Ok(SegmentName::Id(text.to_owned())) };
    let times = moment(from).zip(moment(to)).ok_or_else(|| {
        Error::Usage(format!("'{text}': write an import as its start and end times: FROM/TO"))
    })?;
    Ok(SegmentName::Import(times.0, times.1))
}

fn not_one(name: &str, error: SegmentNameError) -> Error {
    Error::Failed(match error {
        SegmentNameError::Unknown => {
            format!("no segment of the store is meant by '{name}': 'cutshort store segments' lists them")
        }
        SegmentNameError::Ambiguous(several) => format!(
            "{} segments have an id that begins with '{name}': write more of it",
            grouped(several as u64)
        ),
    })
}
