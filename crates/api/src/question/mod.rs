//! Parses parameters into questions, as Radar's API does.
//!
//! A key may occur several times; its position says which series it belongs to. A value is a comma-separated list, in
//! which `-` in front of a value excludes it. An empty value is the same as a missing one.

mod events;
mod filter;
mod interval;
mod names;
mod parameters;
pub(crate) mod pattern;
mod recent;
mod time;

use std::ops::Range;

use cutshort_model::Bucket;
use cutshort_store::{Choice, Selection};
use cutshort_verdict::{DataSet, Stage};

pub use events::EventFilter;
pub(crate) use events::time_range;
pub use filter::{Numbers, Stages, stage_from_name};
pub(crate) use filter::{
    asn, asn_pattern, continent, country, data_set, digits, ip_version_pattern, list, port_pattern,
};
pub use interval::{default_bucket, parse_bucket};
pub use names::{stage_name, stage_names};
pub use parameters::Parameters;
pub use recent::{latest_results, recent_windows};
pub(crate) use time::date_range_pattern;
pub use time::{floor, iso, parse_time};

use crate::problem::Problem;

/// The maximum number of series in a request.
pub const MAX_SERIES: usize = 20;
/// The maximum number of points in a series.
pub const MAX_POINTS: i64 = 10_000;
/// The maximum length of a series' name.
const MAX_NAME: usize = 100;
/// Keys of a result that are not series.
const RESERVED: [&str; 2] = ["meta", "counts"];

/// One series of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The key in the result.
    pub name: String,
    /// From and to, in nanoseconds since the Unix epoch; whole windows.
    pub range: Range<i64>,
    /// The connections that it selects.
    pub selection: Selection,
    /// Only connections at these stages are counted; all of them if empty.
    pub stages: Choice<Stage>,
    /// Whether resets after an answer do not count as cut short.
    pub unanswered: bool,
}

/// The format of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// JSON, in Radar's envelope.
    #[default]
    Json,
    /// Comma-separated values with a header.
    Csv,
}

/// The filters that a series may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filters {
    /// Radar's filters: `asn`, `location`, `continent`.
    Radar,
    /// All filters, including our own, with the terms of a data set.
    Extended(DataSet),
}

/// The keys that have one value per series.
pub const RADAR_ARRAYS: [&str; 7] =
    ["name", "dateRange", "dateStart", "dateEnd", "asn", "location", "continent"];
/// The keys of our own endpoints that have one value per series.
pub const OWN_ARRAYS: [&str; 10] =
    ["tag", "signature", "answered", "scanner", "ipVersion", "port", "node", "handshake", "stage", "resets"];

/// Parses the series of a request. `default` is the name of series without one, followed by their position; `now` is
/// the end of relative ranges.
///
/// # Errors
/// A [`Problem`] that names the invalid parameter and what is allowed.
pub fn series(
    parameters: &Parameters,
    default: &str,
    filters: Filters,
    now: i64,
) -> Result<Vec<Series>, Problem> {
    let own: &[&str] = if filters == Filters::Radar { &[] } else { &OWN_ARRAYS };
    let count = RADAR_ARRAYS.iter().chain(own).map(|key| parameters.count(key)).max().unwrap_or(0).max(1);
    if count > MAX_SERIES {
        return Err(Problem::bad_input(format!(
            "{count} series were asked for; at most {MAX_SERIES} are answered at once"
        )));
    }
    let ranges = time::ranges(parameters, count, now)?;
    let names = names::names(parameters, count, default)?;
    let one = |(at, (name, range))| {
        let stages = filter::stages(&parameters.at("stage", at).filter(|_| !own.is_empty()), filters)?;
        let unanswered =
            filter::unanswered(parameters.at("resets", at).filter(|_| !own.is_empty()), filters)?;
        let selection = filter::selection(parameters, at, filters)?;
        Ok(Series { name, range, selection, stages, unanswered })
    };
    names.into_iter().zip(ranges).enumerate().map(one).collect()
}

/// Parses `format`.
///
/// # Errors
/// A [`Problem`] if it is neither JSON nor CSV.
pub fn format(parameters: &Parameters) -> Result<Format, Problem> {
    match parameters.one("format")?.map(str::to_ascii_uppercase).as_deref() {
        None | Some("JSON") => Ok(Format::Json),
        Some("CSV") => Ok(Format::Csv),
        Some(other) => Err(Problem::bad_input(format!("format: '{other}' is neither JSON nor CSV"))),
    }
}

/// Parses `aggInterval`, or chooses an interval by the length of the series.
///
/// # Errors
/// A [`Problem`] if there is no such interval, or if it is too short for the range.
pub fn bucket(parameters: &Parameters, series: &[Series]) -> Result<Bucket, Problem> {
    let length = series.first().map_or(0, |series| series.range.end - series.range.start);
    match parameters.one("aggInterval")? {
        Some(text) => interval::checked(parse_bucket(text).map_err(Problem::bad_input)?, length),
        None => Ok(default_bucket(length)),
    }
}

/// Parses a whole number within bounds.
///
/// # Errors
/// A [`Problem`] that names the bounds.
pub fn number(
    parameters: &Parameters,
    key: &str,
    default: usize,
    bounds: std::ops::RangeInclusive<usize>,
) -> Result<usize, Problem> {
    let Some(text) = parameters.one(key)? else { return Ok(default) };
    text.parse().ok().filter(|number| bounds.contains(number)).ok_or_else(|| {
        let (least, most) = (bounds.start(), bounds.end());
        Problem::bad_input(format!("{key}: '{text}' is not a whole number from {least} to {most}"))
    })
}

/// Parses a switch.
///
/// # Errors
/// A [`Problem`] if it is neither `true` nor `false`.
pub fn flag(parameters: &Parameters, key: &str) -> Result<bool, Problem> {
    Ok(filter::boolean(key, parameters.one(key)?)?.unwrap_or(false))
}
