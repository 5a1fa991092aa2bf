//! The metadata of an answer.

use std::ops::Range;

use serde::Serialize;
use utoipa::ToSchema;

use super::SeriesQuery;
use super::confidence;
use super::coverage::Coverage;
use super::facts::Facts;
use super::groups::{By, Groups};
use super::top::RankedOf;
use crate::question::{Series, iso};
use cutshort_model::{Bucket, Dimension, Window};

/// The metadata of an answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// How reliable the answer is.
    pub confidence_info: ConfidenceInfo,
    /// The range of each series.
    pub date_range: Vec<DateRange>,
    /// The time when results were last computed.
    #[schema(format = DateTime)]
    pub last_updated: String,
    /// The unit of the numbers.
    pub normalization: &'static str,
    /// What the numbers count.
    pub units: Vec<Unit>,
    /// The size of the intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agg_interval: Option<&'static str>,
}

/// Additional metadata on our own endpoints.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnMeta {
    /// The number of windows of 15 minutes in the range whose results are missing or out of date.
    pub pending_windows: usize,
    /// Whether small networks are counted as `other` in a part of the range.
    pub networks_folded: bool,
    /// Whether rare ports are counted as `other` in a part of the range.
    pub ports_folded: bool,
    /// How much of each series' range was collected, in the order of `dateRange`. What was not collected is not zero.
    pub coverage: Vec<Coverage>,
    /// Whether some of the data is simulated.
    pub simulated: bool,
    /// The minimum number of sampled connections of an entry, in rankings; of several series, the lowest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_sample: Option<u64>,
    /// Rankings: how many values each series ranks, and what it leaves out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranked: Option<Vec<RankedOf>>,
}

/// How reliable an answer is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConfidenceInfo {
    /// Known facts about the time that may affect the numbers.
    pub annotations: Vec<Note>,
    /// 1: too little and erratic data, 2: too little data, 3: erratic data, 5: no known issue.
    #[schema(minimum = 1, maximum = 5)]
    pub level: u8,
}

/// A fact about a time that may affect the numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// The data set that is affected.
    pub data_source: &'static str,
    /// The fact, in words.
    pub description: String,
    /// The kind of event.
    #[schema(pattern = "^(GENERAL|OUTAGE|PARTIAL_PROJECTION|PIPELINE|TRAFFIC_ANOMALY)$")]
    pub event_type: &'static str,
    /// The start of the time.
    #[schema(format = DateTime)]
    pub start_date: String,
    /// The end of the time; the end of the range if the event is ongoing.
    #[schema(format = DateTime)]
    pub end_date: String,
    /// Whether it is an instant.
    pub is_instantaneous: bool,
    /// A link to details; empty without one.
    pub linked_url: String,
}

/// A range of time.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DateRange {
    /// The start of the range.
    #[schema(format = DateTime)]
    pub start_time: String,
    /// The end of the range, exclusive.
    #[schema(format = DateTime)]
    pub end_time: String,
}

/// What a number counts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Unit {
    /// The values that it applies to; `*` for all.
    pub name: &'static str,
    /// The name of the unit.
    pub value: &'static str,
}

/// The data set of all answers.
pub(crate) const DATA_SOURCE: &str = "CONNECTION_ANOMALY";

impl Meta {
    pub(super) fn new(
        asked: &SeriesQuery<'_>,
        facts: &Facts,
        counted: &[Groups],
        coverage: &[Coverage],
    ) -> Self {
        let series = asked.series;
        let points = |series: &Series| asked.bucket.map_or(1, |bucket| buckets(&series.range, bucket));
        let level = |((series, groups), coverage): ((&Series, &Groups), &Coverage)| {
            confidence::level(groups, points(series), coverage.without())
        };
        let levels = series.iter().zip(counted).zip(coverage).map(level);
        let updated = facts.status.updated.unwrap_or(0);
        Self {
            confidence_info: ConfidenceInfo {
                annotations: notes(asked, facts, counted, coverage),
                level: levels.min().unwrap_or(1),
            },
            date_range: series.iter().map(|series| DateRange::new(&series.range)).collect(),
            last_updated: iso(updated),
            normalization: "PERCENTAGE",
            units: vec![Unit { name: "*", value: "connections" }],
            agg_interval: asked.bucket.map(bucket_name),
        }
    }
}

impl Meta {
    /// The metadata of numbers that come from single connections.
    pub(super) fn of_connections(
        series: &[&Series],
        facts: &Facts,
        bucket: Option<Bucket>,
        normalization: &'static str,
        unit: &'static str,
    ) -> Self {
        let notes = |series: &&Series| {
            let noted = facts.annotations_of(series);
            noted.map(|annotation| operators(annotation, series)).collect::<Vec<_>>()
        };
        Self {
            confidence_info: ConfidenceInfo {
                annotations: series.iter().flat_map(notes).collect(),
                level: 5,
            },
            date_range: series.iter().map(|series| DateRange::new(&series.range)).collect(),
            last_updated: iso(facts.status.updated.unwrap_or(0)),
            normalization,
            units: vec![Unit { name: "*", value: unit }],
            agg_interval: bucket.map(bucket_name),
        }
    }
}

impl OwnMeta {
    pub(super) fn new(
        asked: &SeriesQuery<'_>,
        facts: &Facts,
        counted: &[Groups],
        coverage: Vec<Coverage>,
    ) -> Self {
        Self {
            pending_windows: asked.series.iter().map(|series| facts.pending_in(&series.range)).sum(),
            networks_folded: counted.iter().any(|groups| groups.networks_folded),
            ports_folded: counted.iter().any(|groups| groups.ports_folded),
            coverage,
            simulated: facts.status.simulated,
            min_sample: None,
            ranked: None,
        }
    }
}

impl Note {
    /// A note about the data of a time.
    fn of_data(event_type: &'static str, range: &Range<i64>, description: String) -> Self {
        Self {
            data_source: DATA_SOURCE,
            description,
            event_type,
            start_date: iso(range.start),
            end_date: iso(range.end),
            is_instantaneous: false,
            linked_url: String::new(),
        }
    }
}

impl DateRange {
    pub(crate) fn new(range: &Range<i64>) -> Self {
        Self { start_time: iso(range.start), end_time: iso(range.end) }
    }
}

/// The number of intervals of a range, partial ones included.
fn buckets(range: &Range<i64>, bucket: Bucket) -> usize {
    let length = bucket.nanoseconds();
    let whole = bucket.start(range.end + length - 1) - bucket.start(range.start);
    usize::try_from(whole / length).unwrap_or(0)
}

/// The name of an interval's size in `meta`.
pub(crate) const fn bucket_name(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::FifteenMinutes => "FIFTEEN_MINUTES",
        Bucket::Hour => "ONE_HOUR",
        Bucket::Day => "ONE_DAY",
        Bucket::Week => "ONE_WEEK",
    }
}

/// The annotations by operators, and notes about the data; each once.
fn notes(asked: &SeriesQuery<'_>, facts: &Facts, counted: &[Groups], coverage: &[Coverage]) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    let mut add = |note: Note| {
        if !notes.contains(&note) {
            notes.push(note);
        }
    };
    for ((series, groups), coverage) in asked.series.iter().zip(counted).zip(coverage) {
        facts.annotations_of(series).for_each(|annotation| add(operators(annotation, series)));
        coverage.told().for_each(|(range, text)| add(Note::of_data("PIPELINE", &range, text)));
        of_data(asked, facts, series, groups).into_iter().for_each(&mut add);
    }
    notes
}

fn operators(annotation: &cutshort_store::Annotation, series: &Series) -> Note {
    let content = &annotation.content;
    Note {
        data_source: DATA_SOURCE,
        description: content.description.clone(),
        event_type: content.kind.name(),
        start_date: iso(content.start),
        end_date: iso(content.end.unwrap_or(series.range.end)),
        is_instantaneous: content.end == Some(content.start),
        linked_url: content.linked_url.clone().unwrap_or_default(),
    }
}

/// Notes about the data of a series.
fn of_data(asked: &SeriesQuery<'_>, facts: &Facts, series: &Series, groups: &Groups) -> Vec<Note> {
    let pending = facts.pending_in(&series.range);
    let first = facts.pending.partition_point(|window| window.start() < series.range.start);
    let waiting = &facts.pending[first..first + pending];
    let span =
        |windows: &[Window]| Some(windows.first()?.start().max(series.range.start)..windows.last()?.end());
    let asks_networks = !series.selection.asns.is_all() || asked.by == By::Dimension(Dimension::As);
    let asks_ports = !series.selection.ports.is_all() || asked.by == By::Dimension(Dimension::Port);
    let whole = || Some(series.range.clone());
    let said = [
        (pending > 0, "PIPELINE", span(waiting), format!("Results of {pending} windows of 15 minutes are missing or out of date here, and are being computed.")),
        (asks_networks && groups.networks_folded, "GENERAL", whole(), "Networks with few connections were counted as 'other' in some windows, and are not found there by number.".to_owned()),
        (asks_ports && groups.ports_folded, "GENERAL", whole(), "Ports with few connections were counted as 'other' in some windows, and are not found there by number.".to_owned()),
        (facts.status.simulated, "GENERAL", whole(), "SIMULATED: some of the data is made up.".to_owned()),
    ];
    let note = |(holds, kind, range, text): (bool, _, Option<Range<i64>>, _)| {
        range.filter(|_| holds).map(|range| Note::of_data(kind, &range, text))
    };
    said.into_iter().filter_map(note).collect()
}
