//! `cutshort store segments` and `cutshort store forget`: what has come in, and removing it.

use std::collections::BTreeMap;
use std::io::Write;

use clap::{Args, ColorChoice};
use cutshort_capture::Reading;
use cutshort_model::{date_time, grouped, quantity, rfc3339, until};
use cutshort_pipeline::{Due, Report, WindowJob};
use cutshort_store::{Forgotten, KnownSegment, Provenance, SegmentId};

use crate::error::{Done, Error};
use crate::options::time::absolute;
use crate::options::{Data, DataSetOption, GeoFiles};
use crate::progress::Steps;
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
    #[command(flatten)]
    data_set: DataSetOption,
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
    #[command(flatten)]
    data_set: DataSetOption,
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
    let store = arguments.data.open_reader()?;
    let segments = arguments.data_set.find(store.as_ref())?.known_segments()?;
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
    let known = arguments.data_set.find(arguments.data.open_reader()?.as_ref())?.known_segments()?;
    let mut unwanted = BTreeMap::new();
    for name in &arguments.names {
        unwanted.extend(named(name, &known)?.into_iter().map(|segment| (segment.info.id, segment)));
    }
    let plan = plan(unwanted.values().copied());
    if arguments.dry_run {
        terminal::print(color, |text| Ok(writeln!(text, "would remove {plan}")?))?;
        return Ok(Done::Whole);
    }
    let geo = arguments.geo.open()?;
    let store = arguments.data.open_existing()?;
    let store = arguments.data_set.find(store.as_ref())?;
    let reading = Reading::default();
    stop_on_signals(&reading)?;
    message(&format!("removing {plan}"));
    let ids: Vec<SegmentId> = unwanted.into_keys().collect();
    let forgotten = store.forget(&ids)?;
    store.roll()?;
    let mut steps = Steps::new("windows");
    let report =
        WindowJob::default().run_due(store, &geo, Due::All, &mut windows::show(&mut steps, &reading))?;
    steps.finish();
    let done = windows::report_problems(&report);
    terminal::print(color, |text| write(text, &forgotten, &report))?;
    Ok(done)
}

/// The segments that a name means.
fn named<'a>(name: &str, known: &'a [KnownSegment]) -> Result<Vec<&'a KnownSegment>, Error> {
    if let Some((from, to)) = name.split_once('/') {
        let times = moment(from).zip(moment(to)).ok_or_else(|| {
            Error::Usage(format!("'{name}': write an import as its start and end times: FROM/TO"))
        })?;
        let came = |segment: &&KnownSegment| {
            (times.0..=times.1).contains(&segment.arrived) && segment.info.origin != Provenance::Live
        };
        let found: Vec<_> = known.iter().filter(came).collect();
        return if found.is_empty() { Err(unknown(name)) } else { Ok(found) };
    }
    let start = name.to_ascii_lowercase();
    let found: Vec<_> =
        known.iter().filter(|segment| segment.info.id.to_string().starts_with(&start)).collect();
    match found.len() {
        0 => Err(unknown(name)),
        1 => Ok(found),
        several => Err(Error::Failed(format!(
            "{} segments have an id that begins with '{name}': write more of it",
            grouped(several as u64)
        ))),
    }
}

fn moment(text: &str) -> Option<i64> {
    i64::try_from(absolute(text)?.as_nanosecond()).ok()
}

fn unknown(name: &str) -> Error {
    Error::Failed(format!(
        "no segment of the store is meant by '{name}': 'cutshort store segments' lists them"
    ))
}

/// What is to be removed, in words.
fn plan<'a>(segments: impl Iterator<Item = &'a KnownSegment> + Clone) -> String {
    let kept = segments.clone().filter(|segment| segment.is_kept);
    let packets = quantity(kept.map(|segment| segment.info.rows).sum(), "packet");
    let (from, to) = (
        segments.clone().map(|segment| segment.info.covers.0).min().unwrap_or_default(),
        segments.clone().map(|segment| segment.info.covers.1).max().unwrap_or_default(),
    );
    let number = quantity(segments.count() as u64, "segment");
    format!("{number} with {packets}, of {} to {} UTC", date_time(from), until(from, to))
}

fn write(text: &mut Vec<u8>, forgotten: &Forgotten, report: &Report) -> Result<(), Error> {
    let (segments, packets) =
        (quantity(forgotten.segments, "segment"), quantity(forgotten.packets, "packet"));
    writeln!(text, "{segments} with {packets} removed")?;
    writeln!(text, "{} removed with all results", quantity(forgotten.removed.len() as u64, "window"))?;
    writeln!(text, "{} computed again", quantity(report.done, "window"))?;
    if !forgotten.frozen.is_empty() {
        let frozen = quantity(forgotten.frozen.len() as u64, "window");
        writeln!(
            text,
            "{frozen} left as before, with what came of these segments: other packets are gone, so it cannot be \
             computed again"
        )?;
    }
    Ok(())
}

/// The name of an import that ran from one time to another.
pub(crate) fn import_name(from: i64, to: i64) -> String {
    const MILLISECOND: i64 = 1_000_000;
    let whole = |time: i64| rfc3339(time.div_euclid(MILLISECOND) * MILLISECOND);
    format!("{}/{}", whole(from), whole(to + MILLISECOND - 1))
}
