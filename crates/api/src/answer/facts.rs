//! Facts that an answer needs in addition to counts.

use std::ops::Range;

use cutshort_geo::Country;
use cutshort_model::Window;
use cutshort_store::{Annotation, Choice, NodeCoverage, Selection, Status, Store};

use super::{Coverage, SeriesQuery};
use crate::problem::Problem;
use crate::question::Series;

/// The state of the store and the annotations, as answers need them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The contents of the store.
    pub status: Status,
    /// Windows that are over and whose results are missing or out of date, in ascending order.
    pub pending: Vec<Window>,
    /// The time that each node covers.
    pub coverage: Vec<NodeCoverage>,
    /// All annotations in the store that are about its data set.
    pub annotations: Vec<Annotation>,
}

impl Facts {
    /// Reads the facts from a store.
    ///
    /// # Errors
    /// A [`Problem`] for the store's error.
    pub fn read(store: &dyn Store, now: i64) -> Result<Self, Problem> {
        let due = store.due()?;
        let mut annotations = store.annotations(i64::MIN..i64::MAX)?;
        annotations.retain(|annotation| annotation.content.concerns(store.data_set()));
        let pending = due.iter().map(|state| state.window).filter(|window| window.end() <= now);
        Ok(Self {
            status: store.status()?,
            pending: pending.collect(),
            coverage: store.coverage()?,
            annotations,
        })
    }

    /// The number of windows in a range that have no up-to-date results.
    #[must_use]
    pub fn pending_in(&self, range: &Range<i64>) -> usize {
        let before = |time: i64| self.pending.partition_point(|window| window.start() < time);
        before(range.end) - before(range.start)
    }

    /// Whether all windows of a range are over and have results.
    #[must_use]
    pub fn is_closed(&self, range: &Range<i64>, now: i64) -> bool {
        range.end <= now && self.pending_in(range) == 0
    }

    /// The coverage of each series, and of each bucket if there are any.
    pub(super) fn coverage_of(&self, asked: &SeriesQuery<'_>) -> Vec<Coverage> {
        asked.series.iter().map(|series| Coverage::of(&self.coverage, series, asked.bucket)).collect()
    }

    /// The annotations that apply to a series: those of its time that apply to everybody or to a place it selects.
    pub(super) fn annotations_of<'a>(&'a self, series: &'a Series) -> impl Iterator<Item = &'a Annotation> {
        let concerns = |annotation: &&Annotation| {
            annotation.content.touches(&series.range) && is_meant(annotation, &series.selection)
        };
        self.annotations.iter().filter(concerns)
    }
}

fn is_meant(annotation: &Annotation, selection: &Selection) -> bool {
    let content = &annotation.content;
    let everybody = content.locations.is_empty() && content.asns.is_empty();
    let of_continent = |country: &Country| {
        asks_for(&selection.continents, &country.continent()) && selection.locations.has(Some(country))
    };
    everybody
        || content.asns.iter().any(|asn| asks_for(&selection.asns, asn))
        || content
            .locations
            .iter()
            .any(|country| asks_for(&selection.locations, country) || of_continent(country))
}

/// Whether a value is selected by name.
fn asks_for<T: PartialEq>(choice: &Choice<T>, value: &T) -> bool {
    choice.include.contains(value) && choice.has(Some(value))
}
