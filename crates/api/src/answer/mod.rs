//! Answers questions: shares that add up, and notes about them.

mod confidence;
mod corroboration;
mod coverage;
mod csv;
mod events;
mod facts;
mod groups;
mod meta;
mod origins;
mod outliers;
mod resets;
mod servers;
mod shape;
mod shares;
mod top;
mod top_shape;

use cutshort_model::Bucket;
use cutshort_store::Store;

pub use confidence::{LEAST_EFFECT, LEAST_POINT, LEAST_SAMPLE, MOST_GAPS};
pub use corroboration::{FoundCorroboration, SourceLink, Sources};
pub use coverage::{Coverage, CoveredIntervals, CoveredNode, Gap};
pub use events::{
    EventList, FoundEvent, NetworkName, PlaceName, SelectedEvent, home, latest_detector, select,
};
pub use facts::Facts;
pub use groups::{By, Column, Groups, OTHER, sum, value_name};
pub use meta::{ConfidenceInfo, DateRange, Meta, Note, OwnMeta, Unit};
pub use origins::{
    Metric, OriginList, OriginOne, OriginSeries, OriginsAnswer, OriginsBy, OriginsQuery, metric, origin,
    origins,
};
pub use outliers::{DifferentSignature, FoundOutlier};
pub use servers::{Servers, ServersQuery, count_servers, servers};
pub use shape::{CountColumns, CountOfSeries, Counts, CutShort};
pub use shares::{Share, shares};
pub use top::{AskedTop, Completed, Excluded, Numbers, Order, Ranked, RankedOf, StageShares, Top, Who, top};
pub use top_shape::{RankedAs, RankedLocation, RankedValue};

pub(crate) use csv::text as csv_text;
pub(crate) use events::{begin as begin_of_window, is_of_a_place, location as place_of_event};
pub(crate) use meta::{DATA_SOURCE, bucket_name};
pub(crate) use outliers::outliers;

use crate::problem::Problem;
use crate::question::{Series, iso};

/// A question to a store, for one or several series.
#[derive(Clone, Copy, Debug)]
pub struct SeriesQuery<'a> {
    /// The series, which are answered together.
    pub series: &'a [Series],
    /// The intervals into which time is divided, if any.
    pub bucket: Option<Bucket>,
    /// The property by which connections are grouped.
    pub by: By,
    /// The maximum number of groups with a name; the rest is `other`.
    pub limit: usize,
    /// Whether to return counts along with shares.
    pub counts: bool,
    /// Whether this is one of our own endpoints, and not one of Radar's.
    pub own: bool,
}

/// An answer: for each series the shares of groups, of the whole range or of intervals.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Information about the answer.
    pub meta: Meta,
    /// Additional information on our own endpoints.
    pub own: Option<OwnMeta>,
    /// The counts of each series.
    pub series: Vec<Answered>,
    /// The property by which connections are grouped.
    pub by: By,
    /// The intervals into which time is divided.
    pub bucket: Option<Bucket>,
    /// Whether counts are returned along with shares.
    pub counts: bool,
    /// In a summary, a sentence for each series without connections, which has no shares.
    pub empty: Vec<String>,
}

/// The counts of one series.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The key of the series in the result.
    pub name: String,
    /// The start of its range, in nanoseconds since the Unix epoch.
    pub start: i64,
    /// The counts of its groups.
    pub groups: Groups,
}

/// Answers a question. In a summary, series without connections have no shares.
///
/// # Errors
/// A [`Problem`] for the store's error; on Radar's endpoint also if the first series of a summary has no connections.
pub fn answer(store: &dyn Store, facts: &Facts, asked: &SeriesQuery<'_>) -> Result<Answer, Problem> {
    let count = |series| groups::count(store, series, asked.bucket, asked.by, asked.limit);
    let counted: Vec<Groups> = asked.series.iter().map(count).collect::<Result<_, _>>()?;
    let empty = if asked.bucket.is_none() { empty(asked.series, &counted) } else { Vec::new() };
    // Clients of Radar need the first series. Shares of nothing cannot add up to 100, and zeros would be made up.
    if !empty.is_empty() && !asked.own && counted[0].is_empty() {
        return Err(Problem::no_data(format!("{}; {}", empty.join("; "), results(facts))));
    }
    let answered = |(series, groups): (&Series, Groups)| Answered {
        name: series.name.clone(),
        start: series.range.start,
        groups,
    };
    let coverage = facts.coverage_of(asked);
    Ok(Answer {
        meta: Meta::new(asked, facts, &counted, &coverage),
        own: asked.own.then(|| OwnMeta::new(asked, facts, &counted, coverage)),
        series: asked.series.iter().zip(counted).map(answered).collect(),
        by: asked.by,
        bucket: asked.bucket,
        counts: asked.counts,
        empty,
    })
}

/// A sentence for each series without connections.
fn empty(series: &[Series], counted: &[Groups]) -> Vec<String> {
    let empty = series.iter().zip(counted).filter(|(_, groups)| groups.is_empty());
    let sentence = |(Series { name, range, .. }, _): (&Series, &Groups)| {
        let (start, end) = (iso(range.start), iso(range.end));
        format!("{name}: no connection from {start} to {end} is in the selection")
    };
    empty.map(sentence).collect()
}

/// Describes the time for which there are results.
fn results(facts: &Facts) -> String {
    match facts.status.window_range {
        Some((first, last)) => {
            format!("there are results from {} to {}", iso(first.start()), iso(last.end()))
        }
        None => "there are no results at all yet: import captures, or let packets come in".to_owned(),
    }
}
