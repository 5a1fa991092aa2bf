//! Results as metrics: the shares of stages in the last hour with results, for the places that the operator watches.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use cutshort_geo::Country;
use cutshort_metrics::Exposition;
use cutshort_model::Bucket;
use cutshort_store::{RollupQuery, Selection, Store};
use cutshort_verdict::{DataSet, Stage, WeightedCount};

use crate::answer::Facts;
use crate::problem::Problem;
use crate::question::stage_name;

/// A place whose shares are metrics: `world`, `country:IQ` or `as:64500`, as events write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricPlace {
    /// All connections.
    World,
    /// Those of clients in a country.
    Country(Country),
    /// Those of clients in a network.
    Network(u32),
}

impl FromStr for MetricPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = match text.split_once(':') {
            None if text == "world" => Some(Self::World),
            Some(("country", code)) => Country::from_alpha2(code).map(Self::Country),
            Some(("as", number)) => number.parse().ok().map(Self::Network),
            _ => None,
        };
        place.ok_or_else(|| "write a place as world, country:IQ or as:64500".to_owned())
    }
}

impl fmt::Display for MetricPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::World => f.write_str("world"),
            Self::Country(country) => write!(f, "country:{country}"),
            Self::Network(number) => write!(f, "as:{number}"),
        }
    }
}

impl MetricPlace {
    fn selection(self) -> Selection {
        let mut selection = Selection::default();
        match self {
            Self::World => {}
            Self::Country(country) => selection.locations.include.push(country),
            Self::Network(number) => selection.asns.include.push(number),
        }
        selection
    }
}

/// The connections of a place by stage, in the order of [`Stage::ALL`].
type Counts = [WeightedCount; Stage::ALL.len()];

/// The counts of a data set in the last hour with results, for each place.
pub(super) struct Latest {
    data_set: DataSet,
    /// When the results were last computed.
    updated: Option<i64>,
    counts: Vec<Counts>,
}

/// What was read of each data set, until its results change.
#[derive(Default)]
pub(super) struct LatestResults(Mutex<Vec<Arc<Latest>>>);

impl LatestResults {
    /// Reads the counts of the places, unless the results are those that were read before.
    pub(super) fn read(
        &self,
        store: &dyn Store,
        facts: &Facts,
        places: &[MetricPlace],
    ) -> Result<Arc<Latest>, Problem> {
        let (data_set, updated) = (store.data_set(), facts.status.updated);
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = read.iter().find(|one| one.data_set == data_set && one.updated == updated) {
            return Ok(Arc::clone(same));
        }
        let counts: Result<_, Problem> = places.iter().map(|place| latest(store, *place, facts)).collect();
        let latest = Arc::new(Latest { data_set, updated, counts: counts? });
        read.retain(|one| one.data_set != data_set);
        read.push(Arc::clone(&latest));
        Ok(latest)
    }
}

/// The counts of the last hour with results.
fn latest(store: &dyn Store, place: MetricPlace, facts: &Facts) -> Result<Counts, Problem> {
    let mut counts = Counts::default();
    let Some((_, last)) = facts.status.window_range else { return Ok(counts) };
    let range = last.end() - Bucket::Hour.nanoseconds()..last.end();
    let query = RollupQuery { range, bucket: None, selection: place.selection(), by: None };
    for row in store.rollups(&query)?.rows {
        counts.iter_mut().zip(&row.stages).for_each(|(sum, stage)| sum.merge(stage));
    }
    Ok(counts)
}

/// Writes the shares of stages, and on how many connections they rest. A place without connections has none.
pub(super) fn write(exposition: &mut Exposition, places: &[MetricPlace], read: &[Arc<Latest>]) {
    let help = "Share of connections by stage in the last hour with results, 0 to 1, by data set and place";
    let mut shares = exposition.gauges("stage_share_ratio", help);
    for (data_set, place, counts) in each(places, read) {
        let all: u64 = counts.iter().map(|count| count.weight).sum();
        for stage in data_set.stages().iter().filter(|_| all > 0) {
            let name = stage_name(data_set, *stage);
            let share = counts[*stage as usize].weight as f64 / all as f64;
            shares.sample(&[("data_set", data_set.name()), ("place", &place), ("stage", name)], share);
        }
    }
    let help = "Connections sampled in the last hour with results, by data set and place";
    let mut sampled = exposition.gauges("last_hour_connections", help);
    for (data_set, place, counts) in each(places, read) {
        let all: u64 = counts.iter().map(|count| count.sampled).sum();
        sampled.sample(&[("data_set", data_set.name()), ("place", &place)], all as f64);
    }
}

fn each<'a>(
    places: &'a [MetricPlace],
    read: &'a [Arc<Latest>],
) -> impl Iterator<Item = (DataSet, String, &'a Counts)> {
    read.iter().flat_map(move |latest| {
        let places = places.iter().zip(&latest.counts);
        places.map(|(place, counts)| (latest.data_set, place.to_string(), counts))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_events_write_them() {
        for text in ["world", "country:IQ", "as:64500"] {
            assert_eq!(text.parse::<MetricPlace>().unwrap().to_string(), text);
        }
        for wrong in ["", "IQ", "country:Iraq", "as:x", "node:edge1"] {
            assert!(wrong.parse::<MetricPlace>().unwrap_err().contains("country:IQ"), "{wrong}");
        }
    }
}
