//! Answers in JSON.

use cutshort_verdict::WeightedCount;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::groups::{Column, Groups};
use super::shares::{Share, shares};
use super::{Answer, Answered, Meta, OwnMeta};
use crate::question::iso;

impl Groups {
    /// The shares of each group, one for each interval.
    #[must_use]
    pub fn shares(&self, add_up: bool) -> Vec<Vec<Share>> {
        let mut columns = vec![Vec::with_capacity(self.times.len()); self.groups.len()];
        for (at, total) in self.totals.iter().enumerate() {
            let parts: Vec<u64> = self.groups.iter().map(|group| group.counts[at].weight).collect();
            let row = match add_up {
                true => shares(&parts),
                false => parts.iter().map(|part| Share::part(*part, total.weight)).collect(),
            };
            columns.iter_mut().zip(row).for_each(|(column, share)| column.push(share));
        }
        columns
    }
}

impl Answer {
    /// Clients of Radar need all shares of a summary, or none.
    fn leaves_out(&self, series: &Answered) -> bool {
        self.own.is_none() && self.bucket.is_none() && series.groups.is_empty()
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("meta", &WholeMeta { meta: &self.meta, own: self.own.as_ref() })?;
        for series in self.series.iter().filter(|series| !self.leaves_out(series)) {
            map.serialize_entry(&series.name, &Shares { answer: self, groups: &series.groups })?;
        }
        if self.counts {
            map.serialize_entry("counts", &AllCounts(self))?;
        }
        map.end()
    }
}

/// The information about an answer, with that of our own endpoints.
#[derive(Serialize)]
pub(super) struct WholeMeta<'a> {
    #[serde(flatten)]
    pub(super) meta: &'a Meta,
    #[serde(flatten)]
    pub(super) own: Option<&'a OwnMeta>,
}

/// The shares of one series.
struct Shares<'a> {
    answer: &'a Answer,
    groups: &'a Groups,
}

impl Serialize for Shares<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { answer, groups } = self;
        let in_time = answer.bucket.is_some();
        let mut map = serializer.serialize_map(None)?;
        if in_time {
            let times: Vec<String> = groups.times.iter().map(|time| iso(*time)).collect();
            map.serialize_entry("timestamps", &times)?;
        }
        for (group, column) in groups.groups.iter().zip(groups.shares(answer.by.adds_up())) {
            match column.first() {
                _ if in_time => map.serialize_entry(&group.name, &column)?,
                Some(share) => map.serialize_entry(&group.name, share)?,
                None => {}
            }
        }
        map.end()
    }
}

/// The counts of all series.
struct AllCounts<'a>(&'a Answer);

impl Serialize for AllCounts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let series = self.0.series.iter();
        serializer.collect_map(
            series
                .map(|series| (&series.name, CountOfSeries::new(&series.groups, self.0.by.has_cut_short()))),
        )
    }
}

/// The counts of one series.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CountOfSeries {
    /// The counts of all connections.
    pub total: Counts,
    /// The counts of each group.
    #[schema(value_type = std::collections::BTreeMap<String, CountColumns>)]
    pub groups: serde_json::Map<String, serde_json::Value>,
}

/// Numbers of connections, one for each interval.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Counts {
    /// The number of sampled connections.
    pub sampled: Vec<u64>,
    /// The number of connections that they stand for.
    pub weight: Vec<u64>,
}

/// The counts of a group, one number for each interval.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CountColumns {
    /// The numbers of its connections.
    #[serde(flatten)]
    pub counts: Counts,
    /// The lower bound of the share's 95 % interval (Wilson), in percent.
    #[schema(value_type = Vec<String>)]
    pub low: Vec<Share>,
    /// The upper bound of the share's 95 % interval, in percent.
    #[schema(value_type = Vec<String>)]
    pub high: Vec<Share>,
    /// How many of them were cut short. Not of stages and exclusions.
    #[serde(rename = "cutShort", skip_serializing_if = "Option::is_none")]
    pub cut_short: Option<CutShort>,
}

/// The connections of a group that were cut short, one number per interval.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CutShort {
    /// How many there are.
    #[serde(flatten)]
    pub counts: Counts,
    /// Their share of the group's connections, in percent.
    #[schema(value_type = Vec<String>)]
    pub value: Vec<Share>,
    /// Lower end of its 95 % interval (Wilson).
    #[schema(value_type = Vec<String>)]
    pub low: Vec<Share>,
    /// The upper bound of the share's 95 % interval, in percent.
    #[schema(value_type = Vec<String>)]
    pub high: Vec<Share>,
}

impl CountOfSeries {
    fn new(groups: &Groups, with_cut_short: bool) -> Self {
        let column = |group: &Column| {
            let cut_short = with_cut_short.then(|| CutShort::new(&group.cut_short, &group.counts));
            let columns = CountColumns { cut_short, ..CountColumns::new(&group.counts, &groups.totals) };
            let columns = serde_json::to_value(columns);
            (group.name.clone(), columns.unwrap_or_default())
        };
        Self { total: Counts::new(&groups.totals), groups: groups.groups.iter().map(column).collect() }
    }
}

impl Counts {
    fn new(counts: &[WeightedCount]) -> Self {
        Self {
            sampled: counts.iter().map(|count| count.sampled).collect(),
            weight: counts.iter().map(|count| count.weight).collect(),
        }
    }
}

impl CountColumns {
    fn new(counts: &[WeightedCount], totals: &[WeightedCount]) -> Self {
        let (low, high) = intervals(counts, totals);
        Self { counts: Counts::new(counts), low, high, cut_short: None }
    }
}

impl CutShort {
    fn new(counts: &[WeightedCount], totals: &[WeightedCount]) -> Self {
        let (low, high) = intervals(counts, totals);
        let value = counts.iter().zip(totals).map(|(count, total)| Share::part(count.weight, total.weight));
        Self { counts: Counts::new(counts), value: value.collect(), low, high }
    }
}

/// The 95 % intervals of the shares of counts in totals.
fn intervals(counts: &[WeightedCount], totals: &[WeightedCount]) -> (Vec<Share>, Vec<Share>) {
    let intervals = counts.iter().zip(totals).map(|(count, total)| count.interval_of(total));
    intervals.map(|(low, high)| (Share::of(low), Share::of(high))).unzip()
}
