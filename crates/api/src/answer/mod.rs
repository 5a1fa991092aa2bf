//! Questions into answers: shares that add up, and what is to be said beside them.

mod confidence;
mod coverage;
mod csv;
mod facts;
mod groups;
mod meta;
mod resets;
mod shape;
mod shares;
mod top;
mod top_shape;

use cutshort_model::Bucket;
use cutshort_store::Store;

pub use confidence::{LEAST_EFFECT, LEAST_POINT, LEAST_SAMPLE, MOST_GAPS};
pub use coverage::{Coverage, CoveredIntervals, CoveredNode, Gap};
pub use facts::Facts;
pub use groups::{By, Column, Groups, OTHER, sum, value_name};
pub use meta::{ConfidenceInfo, DateRange, Meta, Note, OwnMeta, Unit};
pub use shape::{CountColumns, CountOfSeries, Counts, CutShort};
pub use shares::{Share, shares};
pub use top::{AskedTop, Completed, Excluded, Numbers, Order, Ranked, RankedOf, StageShares, Top, Who, top};
pub use top_shape::{RankedAs, RankedLocation, RankedValue};

pub(crate) use csv::text as csv_text;
pub(crate) use meta::{DATA_SOURCE, bucket_name};

use crate::problem::Problem;
use crate::question::{Series, iso};

/// What is asked of a store.
#[derive(Clone, Copy, Debug)]
pub struct SeriesQuery<'a> {
    /// The series, side by side.
    pub series: &'a [Series],
    /// Time is cut into these, if at all.
    pub bucket: Option<Bucket>,
    /// Told apart by this.
    pub by: By,
    /// How many groups have a name; the rest is `other`.
    pub limit: usize,
    /// Whether counts stand beside shares.
    pub counts: bool,
    /// Whether this is an endpoint of our own, not one of Radar's.
    pub own: bool,
}

/// An answer: shares of groups, of one piece of time or many, for each series.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What it says about itself.
    pub meta: Meta,
    /// What it says besides on endpoints of our own.
    pub own: Option<OwnMeta>,
    /// The counts of each series.
    pub series: Vec<Answered>,
    /// What groups are.
    pub by: By,
    /// How time is cut.
    pub bucket: Option<Bucket>,
    /// Whether counts stand beside shares.
    pub counts: bool,
    /// Of a summary: a sentence for each series without a connection, which has no shares.
    pub empty: Vec<String>,
}

/// The counts of one series.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Its key in the result.
    pub name: String,
    /// When its range begins.
    pub start: i64,
    /// Its counts.
    pub groups: Groups,
}

/// Answers a question. In a summary, series without a connection have no shares.
///
/// # Errors
/// What the store gives; and on Radar's endpoint, that the first series of a summary has no connection.
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

/// A sentence for each series without a connection.
fn empty(series: &[Series], counted: &[Groups]) -> Vec<String> {
    let empty = series.iter().zip(counted).filter(|(_, groups)| groups.is_empty());
    let sentence = |(Series { name, range, .. }, _): (&Series, &Groups)| {
        let (start, end) = (iso(range.start), iso(range.end));
        format!("{name}: no connection from {start} to {end} is in the selection")
    };
    empty.map(sentence).collect()
}

/// The time for which there are results.
fn results(facts: &Facts) -> String {
    match facts.status.window_range {
        Some((first, last)) => {
            format!("there are results from {} to {}", iso(first.start()), iso(last.end()))
        }
        None => "there are no results at all yet: import captures, or let packets come in".to_owned(),
    }
}
