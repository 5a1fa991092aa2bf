//! Ranks networks, countries, servers, ports, IP versions and signatures.

use std::collections::HashMap;

use cutshort_geo::Geo;
use cutshort_model::{Dimension, Network, Port, Value};
use cutshort_report::least_sample;
use cutshort_store::{RollupAnswer, RollupQuery, RollupRow, Selection, Store};
use cutshort_verdict::{DataSet, Exclusion, Stage, WeightedCount};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::groups::{By, value_name};
use super::resets;
use super::shares::shares;
use super::{Facts, Groups, Meta, OwnMeta, SeriesQuery, Share};
use crate::problem::Problem;
use crate::question::{Series, stage_names};

/// The things that are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The clients' networks.
    Ases,
    /// The clients' countries.
    Locations,
    /// The nodes that captured connections.
    Nodes,
    /// The servers' ports.
    Ports,
    /// The IP versions, 4 and 6.
    IpVersions,
    /// Signatures, each by its share of all connections in the selection.
    Signatures,
}

/// The value by which they are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The lower bound of the share's confidence interval, so that few connections do not lead to a high rank.
    Low,
    /// The share of connections at the stages.
    Value,
    /// The number of connections at the stages.
    Count,
}

/// A request for a ranking: of the share of connections at the series' stages.
#[derive(Clone, Copy, Debug)]
pub struct AskedTop<'a> {
    /// The series, which are ranked separately.
    pub series: &'a [Series],
    /// The things that are ranked.
    pub who: Who,
    /// The value by which they are ranked.
    pub order: Order,
    /// The maximum number of entries.
    pub limit: usize,
    /// The minimum number of sampled connections of an entry; none chooses it by the number of connections.
    pub least: Option<u64>,
}

/// A ranking for each series.
#[derive(Clone, Debug)]
pub struct Top {
    /// Information about the ranking.
    pub meta: Meta,
    /// Additional information about the ranking.
    pub own: OwnMeta,
    /// The name of each series, and its entries.
    pub series: Vec<(String, Vec<Ranked>)>,
}

/// A network, country or other value in a ranking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// The value that is ranked.
    pub value: Value,
    /// The name of a network or country; empty for others, and if it is not known.
    pub name: String,
    /// Its counts and shares.
    pub numbers: Numbers,
}

/// How many values one series ranks, and what it leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RankedOf {
    /// Values with fewer sampled connections are not ranked.
    pub min_sample: u64,
    /// Values that are ranked, with those beyond the limit.
    pub ranked: usize,
    /// Values that have fewer connections than that.
    pub too_small: usize,
    /// Sampled connections of these values.
    pub too_small_connections: u64,
    /// Sampled connections without a value: of an unknown network or country, or without a signature.
    pub unknown_connections: u64,
    /// Sampled connections of networks or ports that the store counts together, as `other`.
    pub other_connections: u64,
    /// Sampled connections of known scanners that the filter `scanner=false` leaves out; 0 without it.
    pub scanner_connections: u64,
}

/// The numbers of one entry of a ranking. Shares are in percent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Numbers {
    /// The share of connections at the requested stages.
    #[schema(value_type = String)]
    pub value: Share,
    /// The lower bound of its 95 % interval (Wilson).
    #[schema(value_type = String)]
    pub low: Share,
    /// The upper bound of its 95 % interval.
    #[schema(value_type = String)]
    pub high: Share,
    /// Sampled connections at the requested stages.
    pub matching: u64,
    /// All sampled connections.
    pub connections: u64,
    /// The number of connections that these stand for.
    pub weight: u64,
    /// The shares of all stages, which add up to 100. Of a signature: among connections with it.
    #[schema(value_type = DescribedStages)]
    pub stages: StageShares,
    /// The same numbers for connections that completed the handshake; addresses of others may be spoofed.
    pub completed: Completed,
    /// Shares of excluded connections, by reason, in all connections of the network or country.
    #[schema(value_type = DescribedExclusions)]
    pub excluded: Excluded,
}

/// The share of each stage of a data set, by its name in the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageShares(Vec<(&'static str, Share)>);

impl Serialize for StageShares {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, share)| (name, share)))
    }
}

impl StageShares {
    /// The shares in the order of the stages.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Share> {
        self.0.iter().map(|(_, share)| share)
    }
}

/// How [`StageShares`] are described; the data set `quic` has other names.
#[derive(ToSchema)]
#[schema(as = StageShares)]
#[allow(dead_code)]
pub(super) struct DescribedStages {
    /// The share of Post-SYN.
    #[schema(value_type = String)]
    pub post_syn: Share,
    /// The share of Post-ACK.
    #[schema(value_type = String)]
    pub post_ack: Share,
    /// The share of Post-PSH.
    #[schema(value_type = String)]
    pub post_psh: Share,
    /// The share of Later.
    #[schema(value_type = String)]
    pub later_in_flow: Share,
    /// The share of connections that were not cut short.
    #[schema(value_type = String)]
    pub no_match: Share,
}

/// Numbers for connections that completed the handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Completed {
    /// The share of connections at the requested stages.
    #[schema(value_type = String)]
    pub value: Share,
    /// The lower bound of its 95 % interval (Wilson).
    #[schema(value_type = String)]
    pub low: Share,
    /// The upper bound of its 95 % interval.
    #[schema(value_type = String)]
    pub high: Share,
    /// Sampled connections at the requested stages.
    pub matching: u64,
    /// All sampled connections.
    pub connections: u64,
}

/// Shares of connections that are in no total, by reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded(Vec<(&'static str, Share)>);

impl Serialize for Excluded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, share)| (name, share)))
    }
}

/// The reasons that rankings have; those of a socket that is connected to itself are left out.
fn ranked_exclusions(set: DataSet) -> impl Iterator<Item = &'static Exclusion> {
    set.exclusions().iter().filter(|reason| **reason != Exclusion::SelfConnected)
}

/// How [`Excluded`] is described; the data set `quic` has other reasons.
#[derive(ToSchema)]
#[schema(as = Excluded)]
#[allow(dead_code)]
pub(super) struct DescribedExclusions {
    /// Without a SYN packet.
    #[schema(value_type = String)]
    pub no_syn: Share,
    /// With SYN packets of several connections.
    #[schema(value_type = String)]
    pub multiple_syn: Share,
    /// Cut off by the end of the captured time.
    #[schema(value_type = String)]
    pub incomplete: Share,
}

/// Computes a ranking.
///
/// # Errors
/// A [`Problem`] for the store's error.
pub fn top(store: &dyn Store, facts: &Facts, geo: &Geo, asked: &AskedTop<'_>) -> Result<Top, Problem> {
    let ranked = |series: &Series| Ranking::read(store, series, asked.who);
    let rankings: Vec<Ranking> = asked.series.iter().map(ranked).collect::<Result<_, _>>()?;
    let all: Vec<Groups> = rankings.iter().map(Ranking::groups).collect();
    let question = SeriesQuery {
        series: asked.series,
        bucket: None,
        by: By::Dimension(asked.who.dimension()),
        limit: asked.limit,
        counts: true,
        own: true,
    };
    let least = |groups: &Groups| asked.least.unwrap_or_else(|| least_sample(groups.total().sampled));
    let coverage = facts.coverage_of(&question);
    let meta = Meta::new(&question, facts, &all, &coverage);
    let lists =
        rankings.into_iter().zip(&all).map(|(ranking, groups)| ranking.ranked(asked, geo, least(groups)));
    let (lists, ranked): (Vec<Vec<Ranked>>, Vec<RankedOf>) = lists.unzip();
    let own = OwnMeta {
        min_sample: ranked.iter().map(|of| of.min_sample).min(),
        ranked: Some(ranked),
        ..OwnMeta::new(&question, facts, &all, coverage)
    };
    Ok(Top { meta, own, series: asked.series.iter().map(|series| series.name.clone()).zip(lists).collect() })
}

impl Who {
    /// All that can be ranked.
    pub const ALL: [Self; 6] =
        [Self::Ases, Self::Locations, Self::Nodes, Self::Ports, Self::IpVersions, Self::Signatures];

    /// The dimension whose values are ranked.
    #[must_use]
    pub const fn dimension(self) -> Dimension {
        match self {
            Self::Ases => Dimension::As,
            Self::Locations => Dimension::Location,
            Self::Nodes => Dimension::Node,
            Self::Ports => Dimension::Port,
            Self::IpVersions => Dimension::IpVersion,
            Self::Signatures => Dimension::Signature,
        }
    }

    /// The one whose dimension has a name; case does not matter.
    ///
    /// # Errors
    /// The names of those that can be ranked.
    pub fn from_name(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|who| who.dimension().name().eq_ignore_ascii_case(name));
        let names = || Self::ALL.map(|who| who.dimension().name()).join(", ");
        found.ok_or_else(|| format!("'{name}' cannot be ranked: use one of {}", names()))
    }
}

/// The counts of one network or country.
#[derive(Clone, Copy, Debug, Default)]
struct RankedCounts {
    all: WeightedCount,
    matching: WeightedCount,
    completed: WeightedCount,
    completed_matching: WeightedCount,
    excluded: [WeightedCount; Exclusion::ALL.len()],
    stages: [WeightedCount; Stage::ALL.len()],
}

/// What is counted of one series.
struct Ranking {
    set: DataSet,
    counted: HashMap<Value, RankedCounts>,
    total: WeightedCount,
    completed_total: WeightedCount,
    /// What has no value, and what the store counts together.
    unknown: u64,
    other: u64,
    /// Connections of known scanners that were left out.
    scanners: u64,
    start: i64,
    networks_folded: bool,
    ports_folded: bool,
}

/// Counts the sampled connections of known scanners that a series leaves out.
fn scanners_left_out(store: &dyn Store, series: &Series) -> Result<u64, Problem> {
    let Some(selection) = series.selection.scanners_left_out() else { return Ok(0) };
    let query = RollupQuery { range: series.range.clone(), bucket: None, selection, by: None };
    let answer = resets::rollups(store, series, &query)?;
    Ok(answer.rows.iter().map(|row| row.total().sampled).sum())
}

impl Ranking {
    fn read(store: &dyn Store, series: &Series, who: Who) -> Result<Self, Problem> {
        let query = |completed| RollupQuery {
            range: series.range.clone(),
            bucket: None,
            selection: Selection { completed, ..series.selection.clone() },
            by: Some(who.dimension()),
        };
        let all = resets::rollups(store, series, &query(series.selection.completed))?;
        let mut ranking = Self {
            set: store.data_set(),
            counted: HashMap::new(),
            total: WeightedCount::default(),
            completed_total: WeightedCount::default(),
            unknown: 0,
            other: 0,
            scanners: scanners_left_out(store, series)?,
            start: series.range.start,
            networks_folded: all.networks_folded,
            ports_folded: all.ports_folded,
        };
        ranking.add(&all, series, |counted| (&mut counted.all, &mut counted.matching));
        all.rows.iter().for_each(|row| ranking.row(row));
        let handshakes =
            if series.selection.completed { all } else { resets::rollups(store, series, &query(true))? };
        handshakes.rows.iter().for_each(|row| ranking.completed_total.merge(&row.total()));
        ranking.add(&handshakes, series, |counted| (&mut counted.completed, &mut counted.completed_matching));
        Ok(ranking)
    }

    fn add(
        &mut self,
        answer: &RollupAnswer,
        series: &Series,
        parts: fn(&mut RankedCounts) -> (&mut WeightedCount, &mut WeightedCount),
    ) {
        for row in &answer.rows {
            if !is_ranked(&row.value) {
                continue;
            }
            let (all, matching) = parts(self.counted.entry(row.value.clone()).or_default());
            all.merge(&row.total());
            for (stage, count) in Stage::ALL.into_iter().zip(&row.stages) {
                if series.stages.has(Some(&stage)) {
                    matching.merge(count);
                }
            }
        }
    }

    fn row(&mut self, row: &RollupRow) {
        self.total.merge(&row.total());
        match &row.value {
            Value::As(Network::Other) | Value::Port(Port::Other) => self.other += row.total().sampled,
            value if !is_ranked(value) => self.unknown += row.total().sampled,
            value => {
                let counted = self.counted.entry(value.clone()).or_default();
                counted.excluded.iter_mut().zip(&row.excluded).for_each(|(count, more)| count.merge(more));
                counted.stages.iter_mut().zip(&row.stages).for_each(|(count, more)| count.merge(more));
            }
        }
    }

    /// All connections, including those of networks and countries without a rank.
    fn groups(&self) -> Groups {
        let some = self.total.sampled > 0;
        Groups {
            times: some.then_some(self.start).into_iter().collect(),
            totals: some.then_some(self.total).into_iter().collect(),
            groups: Vec::new(),
            networks_folded: self.networks_folded,
            ports_folded: self.ports_folded,
        }
    }

    fn ranked(mut self, asked: &AskedTop<'_>, geo: &Geo, least: u64) -> (Vec<Ranked>, RankedOf) {
        let set = self.set;
        if asked.who == Who::Signatures {
            self.share_of_all();
        }
        let is_enough = |counted: &RankedCounts| counted.all.sampled >= least.max(1);
        let (mut ranked, small): (Vec<_>, Vec<_>) =
            self.counted.into_iter().partition(|(_, counted)| is_enough(counted));
        let of = RankedOf {
            min_sample: least,
            ranked: ranked.len(),
            too_small: small.iter().filter(|(_, counted)| counted.all.sampled > 0).count(),
            too_small_connections: small.iter().map(|(_, counted)| counted.all.sampled).sum(),
            unknown_connections: self.unknown,
            other_connections: self.other,
            scanner_connections: self.scanners,
        };
        ranked.sort_by(|(a, first), (b, second)| {
            let by_key = second.key(asked.order).total_cmp(&first.key(asked.order));
            by_key.then_with(|| position(a).cmp(&position(b)))
        });
        ranked.truncate(asked.limit);
        let one = |(value, counted): (Value, RankedCounts)| Ranked {
            name: name(&value, geo),
            value,
            numbers: counted.numbers(set),
        };
        (ranked.into_iter().map(one).collect(), of)
    }

    /// Connections with a signature are all cut short: what ranks them is their share of all connections.
    fn share_of_all(&mut self) {
        for counted in self.counted.values_mut() {
            (counted.all, counted.completed) = (self.total, self.completed_total);
        }
    }
}

/// Whether a value is one of its own, rather than unknown or several together.
const fn is_ranked(value: &Value) -> bool {
    match value {
        Value::As(network) => matches!(network, Network::As(_)),
        Value::Port(port) => matches!(port, Port::Number(_)),
        Value::Location(location) => location.is_some(),
        Value::Signature(signature) => signature.is_some(),
        Value::Node(_) | Value::IpVersion(_) => true,
        Value::All | Value::Tag(_) | Value::Termination(_) => false,
    }
}

/// Where a value stands among others with the same numbers.
fn position(value: &Value) -> (u32, String) {
    match value {
        Value::As(Network::As(number)) => (*number, String::new()),
        Value::Port(Port::Number(number)) => (u32::from(*number), String::new()),
        Value::Signature(Some(signature)) => (u32::from(signature.id()), String::new()),
        other => (0, value_name(other)),
    }
}

fn name(value: &Value, geo: &Geo) -> String {
    match value {
        Value::As(Network::As(number)) => geo.as_name(*number).unwrap_or_default().to_owned(),
        Value::Location(Some(country)) => country.name().to_owned(),
        _ => String::new(),
    }
}

impl RankedCounts {
    fn key(&self, order: Order) -> f64 {
        match order {
            // Nothing at all ranks below anything.
            Order::Low if self.matching.sampled == 0 => -1.0,
            Order::Low => self.matching.interval_of(&self.all).0,
            Order::Value => self.matching.share_of(&self.all),
            Order::Count => self.matching.weight as f64,
        }
    }

    fn numbers(&self, set: DataSet) -> Numbers {
        let interval = |(low, high): (f64, f64)| (Share::of(low), Share::of(high));
        let (low, high) = interval(self.matching.interval_of(&self.all));
        let (completed_low, completed_high) = interval(self.completed_matching.interval_of(&self.completed));
        let everything = self.excluded.iter().map(|count| count.weight).sum::<u64>() + self.all.weight;
        let excluded = |reason: Exclusion| Share::part(self.excluded[reason as usize].weight, everything);
        Numbers {
            value: Share::part(self.matching.weight, self.all.weight),
            low,
            high,
            matching: self.matching.sampled,
            connections: self.all.sampled,
            weight: self.all.weight,
            stages: StageShares::new(set, &self.stages),
            completed: Completed {
                value: Share::part(self.completed_matching.weight, self.completed.weight),
                low: completed_low,
                high: completed_high,
                matching: self.completed_matching.sampled,
                connections: self.completed.sampled,
            },
            excluded: Excluded(
                ranked_exclusions(set).map(|reason| (reason.name(), excluded(*reason))).collect(),
            ),
        }
    }
}

impl StageShares {
    pub(super) fn new(set: DataSet, stages: &[WeightedCount; Stage::ALL.len()]) -> Self {
        let parts: Vec<u64> = set.stages().iter().map(|stage| stages[*stage as usize].weight).collect();
        Self(stage_names(set).zip(shares(&parts)).collect())
    }
}
