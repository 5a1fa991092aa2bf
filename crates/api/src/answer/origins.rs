//! Radar's metrics of origins (`/radar/origins`; docs/api.md), from single connections to servers with a name.

use std::collections::BTreeMap;

use cutshort_geo::{Country, Geo};
use cutshort_model::{Bucket, ConnectionRecord, ServerName, TimeHistogram};
use cutshort_store::Store;
use cutshort_verdict::{Stage, Tag, Termination};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::csv::{capitalized, text};
use super::{Facts, LEAST_SAMPLE, Meta, OTHER, Share};
use crate::problem::Problem;
use crate::question::{Series, iso};

/// A metric of Radar's that follows from packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Connections that failed before an answer: refused, unreachable, timed out in the handshake, or reset.
    Failures,
    /// Connections. Requests on one connection cannot be counted.
    Connections,
    /// From the SYN to the SYN+ACK, in milliseconds.
    Handshake,
}

/// What a metric is grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginsBy {
    /// The country of the server.
    Region,
    /// Percentiles of a time.
    Percentile,
}

/// One series of a question about origins.
#[derive(Clone, Debug)]
pub struct OriginSeries {
    /// The name, the range, and notes about it.
    pub series: Series,
    /// The names of servers whose connections count.
    pub origins: Vec<String>,
    /// Only servers in these countries; all if empty.
    pub regions: Vec<Country>,
}

/// A question about origins.
#[derive(Clone, Copy, Debug)]
pub struct OriginsQuery<'a> {
    /// The series, which are answered together.
    pub series: &'a [OriginSeries],
    /// The names of servers; the first that fits is used.
    pub names: &'a [ServerName],
    /// What is measured.
    pub metric: Metric,
    /// What it is grouped by; one value if nothing.
    pub by: Option<OriginsBy>,
    /// The intervals into which time is divided, if any.
    pub bucket: Option<Bucket>,
}

/// A metric of origins: for each series values by group, or arrays over time.
#[derive(Debug, Serialize)]
pub struct OriginsAnswer {
    /// Information about the answer.
    pub meta: Meta,
    #[serde(flatten)]
    series: Map<String, Value>,
}

/// Names that the operator has given to servers.
#[derive(Debug, Serialize, ToSchema)]
pub struct OriginList {
    origins: Vec<Origin>,
}

/// A name that the operator has given to servers.
#[derive(Debug, Serialize, ToSchema)]
pub struct OriginOne {
    origin: Origin,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Origin {
    /// The name.
    slug: String,
    /// Where its servers are, by the geo data; empty if that is unknown.
    regions: Vec<Region>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
struct Region {
    /// The two letters of a country.
    region: &'static str,
}

/// Lists the names of servers, each once, in the order in which they are set.
#[must_use]
pub fn origins(names: &[ServerName], geo: &Geo, offset: usize, limit: usize) -> OriginList {
    let mut slugs: Vec<&str> = Vec::new();
    for name in names.iter().map(ServerName::name) {
        if !slugs.contains(&name) {
            slugs.push(name);
        }
    }
    let listed = slugs.into_iter().skip(offset).take(limit);
    OriginList { origins: listed.map(|slug| one(names, geo, slug)).collect() }
}

/// Describes the servers with a name; `None` if there are none.
#[must_use]
pub fn origin(names: &[ServerName], geo: &Geo, slug: &str) -> Option<OriginOne> {
    names.iter().any(|name| name.name() == slug).then(|| OriginOne { origin: one(names, geo, slug) })
}

fn one(names: &[ServerName], geo: &Geo, slug: &str) -> Origin {
    let own = names.iter().filter(|name| name.name() == slug);
    let countries = own.filter_map(|name| geo.lookup(name.first_address()).country);
    let mut regions: Vec<Region> = countries.map(|country| Region { region: country.alpha2() }).collect();
    regions.sort_unstable();
    regions.dedup();
    Origin { slug: slug.to_owned(), regions }
}

/// Answers a question about origins.
///
/// # Errors
/// A [`Problem`] for the store's error.
pub fn metric(store: &dyn Store, facts: &Facts, asked: &OriginsQuery<'_>) -> Result<OriginsAnswer, Problem> {
    let mut least = u64::MAX;
    let mut answer = Map::new();
    for series in asked.series {
        let counted = asked.count(store, series)?;
        least = least.min(counted.sampled);
        answer.insert(series.series.name.clone(), asked.shaped(&series.series, &counted));
    }
    let series: Vec<&Series> = asked.series.iter().map(|series| &series.series).collect();
    let (normalization, unit) = asked.unit();
    let mut meta = Meta::of_connections(&series, facts, asked.bucket, normalization, unit);
    meta.confidence_info.level = if least < LEAST_SAMPLE { 2 } else { 5 };
    Ok(OriginsAnswer { meta, series: answer })
}

/// The percentiles that are returned: those of Radar's other data sets, and the 95th.
const PERCENTILES: [(&str, f64); 4] = [("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95)];

/// What is counted of connections in one interval, of one region.
#[derive(Default)]
struct Counts {
    all: u64,
    failed: u64,
    handshakes: TimeHistogram,
}

/// Counts by the start of intervals and by region.
#[derive(Default)]
struct Counted {
    cells: BTreeMap<i64, BTreeMap<String, Counts>>,
    sampled: u64,
}

impl OriginsQuery<'_> {
    fn count(&self, store: &dyn Store, asked: &OriginSeries) -> Result<Counted, Problem> {
        let mut counted = Counted::default();
        store.each_connection(asked.series.range.clone(), &mut |record| {
            if self.wants(asked, &record) {
                counted.sampled += 1;
                let time = record.first_us.saturating_mul(1000);
                let from = self.bucket.map_or(asked.series.range.start, |bucket| bucket.start(time));
                let region = match self.by {
                    Some(OriginsBy::Region) => record
                        .location
                        .map_or_else(|| OTHER.to_owned(), |country| country.alpha2().to_owned()),
                    _ => String::new(),
                };
                counted.cells.entry(from).or_default().entry(region).or_default().add(&record);
            }
            true
        })?;
        Ok(counted)
    }

    fn wants(&self, asked: &OriginSeries, record: &ConnectionRecord<'_>) -> bool {
        let (ip, port) = (record.five_tuple.dst(), record.five_tuple.dst_port);
        let name = ServerName::find(self.names, ip, port);
        name.is_some_and(|name| asked.origins.iter().any(|origin| origin == name))
            && (asked.regions.is_empty()
                || record.location.is_some_and(|country| asked.regions.contains(&country)))
    }

    /// How values are normalised, and what they count.
    fn unit(&self) -> (&'static str, &'static str) {
        match (self.metric, self.by) {
            (Metric::Handshake, _) => ("RAW_VALUES", "milliseconds"),
            (Metric::Connections, None) => ("RAW_VALUES", "connections"),
            (Metric::Connections | Metric::Failures, _) => ("PERCENTAGE", "connections"),
        }
    }

    fn shaped(&self, series: &Series, counted: &Counted) -> Value {
        if self.bucket.is_none() {
            let cells = counted.cells.values().next();
            let values = self
                .groups(counted)
                .into_iter()
                .filter_map(|group| Some((group.clone(), json!(self.value(cells?, &group)?))));
            return Value::Object(values.collect());
        }
        let times = counted.cells.keys();
        let starts: Vec<String> = times.map(|from| iso((*from).max(series.range.start))).collect();
        let mut shaped = Map::from_iter([("timestamps".to_owned(), json!(starts))]);
        for group in self.groups(counted) {
            let values: Vec<Option<String>> =
                counted.cells.values().map(|cells| self.value(cells, &group)).collect();
            shaped.insert(if group.is_empty() { "values".to_owned() } else { group }, json!(values));
        }
        Value::Object(shaped)
    }

    /// The groups that occur.
    fn groups(&self, counted: &Counted) -> Vec<String> {
        match self.by {
            None => vec![String::new()],
            Some(OriginsBy::Percentile) => PERCENTILES.map(|(name, _)| name.to_owned()).into(),
            Some(OriginsBy::Region) => {
                let mut regions: Vec<String> =
                    counted.cells.values().flat_map(BTreeMap::keys).cloned().collect();
                regions.sort_unstable();
                regions.dedup();
                regions
            }
        }
    }

    /// The value of a group in an interval; `None` where it has none, such as the median of no times.
    fn value(&self, cells: &BTreeMap<String, Counts>, group: &str) -> Option<String> {
        let region = if self.by == Some(OriginsBy::Region) { group } else { "" };
        let own = cells.get(region);
        let sum = |count: fn(&Counts) -> u64| cells.values().map(count).sum::<u64>();
        let of = |count: fn(&Counts) -> u64| own.map_or(0, count);
        match (self.metric, self.by) {
            (Metric::Handshake, _) => {
                let share =
                    PERCENTILES.iter().find(|(name, _)| *name == group).map_or(0.5, |(_, share)| *share);
                own?.handshakes.quantile(share).map(|microseconds| (microseconds as f64 / 1000.0).to_string())
            }
            (Metric::Connections, None) => Some(of(|counts| counts.all).to_string()),
            (Metric::Failures, None) => {
                Some(Share::part(of(|counts| counts.failed), of(|counts| counts.all)).to_string())
            }
            (Metric::Connections, _) => {
                Some(Share::part(of(|counts| counts.all), sum(|counts| counts.all)).to_string())
            }
            (Metric::Failures, _) => {
                Some(Share::part(of(|counts| counts.failed), sum(|counts| counts.failed)).to_string())
            }
        }
    }
}

impl Counts {
    fn add(&mut self, record: &ConnectionRecord<'_>) {
        let weight = u64::from(record.sample_rate);
        self.all += weight;
        if failed(record) {
            self.failed += weight;
        }
        if let Some(handshake) = record.handshake_us {
            self.handshakes.add(handshake, record.sample_rate);
        }
    }
}

/// Whether a connection failed before an answer.
fn failed(record: &ConnectionRecord<'_>) -> bool {
    match record.termination {
        Termination::Unreachable => true,
        Termination::Timeout => record.stage == Stage::PostSyn,
        Termination::Reset => !record.tags.contains(Tag::Answered),
        _ => false,
    }
}

impl OriginsAnswer {
    /// Writes the answer as comma-separated values, with columns of each series side by side.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut columns: Vec<(String, Vec<String>)> = Vec::new();
        for (name, groups) in &self.series {
            for (group, values) in groups.as_object().into_iter().flatten() {
                let fields = values
                    .as_array()
                    .map_or_else(|| vec![field(values)], |all| all.iter().map(field).collect());
                columns.push((format!("{} {group}", capitalized(name)), fields));
            }
        }
        let length = columns.iter().map(|(_, fields)| fields.len()).max().unwrap_or(0);
        let line = |at: usize| {
            columns.iter().map(|(_, fields)| fields.get(at).cloned().unwrap_or_default()).collect()
        };
        let head = columns.iter().map(|(name, _)| name.clone()).collect();
        text(&std::iter::once(head).chain((0..length).map(line)).collect::<Vec<_>>())
    }
}

fn field(value: &Value) -> String {
    value.as_str().map(str::to_owned).unwrap_or_default()
}
