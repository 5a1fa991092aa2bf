//! Rankings of networks, countries, servers, ports, IP versions and signatures.

use std::collections::HashMap;

use cutshort_geo::Geo;
use cutshort_model::{Dimension, Network, Port, Value};
use cutshort_report::least_sample;
use cutshort_store::{RollupAnswer, RollupQuery, RollupRow, Selection, Store};
use cutshort_verdict::{Exclusion, Stage, WeightedCount};
use serde::Serialize;
use utoipa::ToSchema;

use super::groups::{By, value_name};
use super::resets;
use super::shares::shares;
use super::{Facts, Groups, Meta, OwnMeta, SeriesQuery, Share};
use crate::problem::Problem;
use crate::question::Series;

/// Who is ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Networks.
    Ases,
    /// Countries.
    Locations,
    /// Servers.
    Nodes,
    /// Ports of servers.
    Ports,
    /// IPv4 and IPv6.
    IpVersions,
    /// Signatures, each by its share of all connections in the selection.
    Signatures,
}

/// By what is ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The lower end of the interval of the share, so that few connections do not put anybody on top.
    Low,
    /// The share.
    Value,
    /// The number of connections at the stages.
    Count,
}

/// A ranking that is asked for. The stages of the series are those whose share is ranked.
#[derive(Clone, Copy, Debug)]
pub struct AskedTop<'a> {
    /// The series, side by side.
    pub series: &'a [Series],
    /// Who is ranked.
    pub who: Who,
    /// By what.
    pub order: Order,
    /// How many.
    pub limit: usize,
    /// Only those with so many sampled connections; none chooses by how many there are.
    pub least: Option<u64>,
}

/// A ranking.
#[derive(Clone, Debug)]
pub struct Top {
    /// What it says about itself.
    pub meta: Meta,
    /// What it says besides.
    pub own: OwnMeta,
    /// The ranked of each series.
    pub series: Vec<(String, Vec<Ranked>)>,
}

/// A network, country or other value in a ranking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Which one.
    pub value: Value,
    /// The name of a network or country; empty for others, and if it is not known.
    pub name: String,
    /// Its numbers.
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
}

/// What a ranking says of each. Shares are in percent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Numbers {
    /// The share of connections at the stages that are asked for.
    #[schema(value_type = String)]
    pub value: Share,
    /// Lower end of its 95 % interval (Wilson).
    #[schema(value_type = String)]
    pub low: Share,
    /// Upper end.
    #[schema(value_type = String)]
    pub high: Share,
    /// Sampled connections at the stages.
    pub matching: u64,
    /// All sampled connections.
    pub connections: u64,
    /// For how many connections all of them stand.
    pub weight: u64,
    /// The shares of all stages, which add up to 100. Of a signature: among connections with it.
    pub stages: StageShares,
    /// The same over connections that completed the handshake: addresses of others may be spoofed.
    pub completed: Completed,
    /// Shares of connections that are in no total, by reason, among all of the network or country.
    pub excluded: Excluded,
}

/// The share of each stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StageShares {
    /// Post-SYN.
    #[schema(value_type = String)]
    pub post_syn: Share,
    /// Post-ACK.
    #[schema(value_type = String)]
    pub post_ack: Share,
    /// Post-PSH.
    #[schema(value_type = String)]
    pub post_psh: Share,
    /// Later.
    #[schema(value_type = String)]
    pub later_in_flow: Share,
    /// Not cut short.
    #[schema(value_type = String)]
    pub no_match: Share,
}

/// Over connections that completed the handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Completed {
    /// The share of those at the stages.
    #[schema(value_type = String)]
    pub value: Share,
    /// Lower end of its 95 % interval (Wilson).
    #[schema(value_type = String)]
    pub low: Share,
    /// Upper end.
    #[schema(value_type = String)]
    pub high: Share,
    /// Sampled connections at the stages.
    pub matching: u64,
    /// All sampled connections.
    pub connections: u64,
}

/// Connections that are in no total.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Excluded {
    /// Without a SYN.
    #[schema(value_type = String)]
    pub no_syn: Share,
    /// With several SYNs.
    #[schema(value_type = String)]
    pub multiple_syn: Share,
    /// Cut by the end of what was seen.
    #[schema(value_type = String)]
    pub incomplete: Share,
}

/// Ranks.
///
/// # Errors
/// What the store gives.
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

/// What is counted of one.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    all: WeightedCount,
    matching: WeightedCount,
    completed: WeightedCount,
    completed_matching: WeightedCount,
    excluded: [WeightedCount; Exclusion::ALL.len()],
    stages: [WeightedCount; Stage::ALL.len()],
}

/// What is counted of one series.
struct Ranking {
    counted: HashMap<Value, Counted>,
    total: WeightedCount,
    completed_total: WeightedCount,
    /// What has no value, and what the store counts together.
    unknown: u64,
    other: u64,
    start: i64,
    networks_folded: bool,
    ports_folded: bool,
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
            counted: HashMap::new(),
            total: WeightedCount::default(),
            completed_total: WeightedCount::default(),
            unknown: 0,
            other: 0,
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
        parts: fn(&mut Counted) -> (&mut WeightedCount, &mut WeightedCount),
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

    /// All connections, also of those who are not ranked.
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
        if asked.who == Who::Signatures {
            self.share_of_all();
        }
        let is_enough = |counted: &Counted| counted.all.sampled >= least.max(1);
        let (mut ranked, small): (Vec<_>, Vec<_>) =
            self.counted.into_iter().partition(|(_, counted)| is_enough(counted));
        let of = RankedOf {
            min_sample: least,
            ranked: ranked.len(),
            too_small: small.iter().filter(|(_, counted)| counted.all.sampled > 0).count(),
            too_small_connections: small.iter().map(|(_, counted)| counted.all.sampled).sum(),
            unknown_connections: self.unknown,
            other_connections: self.other,
        };
        ranked.sort_by(|(a, first), (b, second)| {
            let by_key = second.key(asked.order).total_cmp(&first.key(asked.order));
            by_key.then_with(|| position(a).cmp(&position(b)))
        });
        ranked.truncate(asked.limit);
        let one = |(value, counted): (Value, Counted)| Ranked {
            name: name(&value, geo),
            value,
            numbers: counted.numbers(),
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

impl Counted {
    fn key(&self, order: Order) -> f64 {
        match order {
            // Nothing at all ranks below anything.
            Order::Low if self.matching.sampled == 0 => -1.0,
            Order::Low => self.matching.interval_of(&self.all).0,
            Order::Value => self.matching.share_of(&self.all),
            Order::Count => self.matching.weight as f64,
        }
    }

    fn numbers(&self) -> Numbers {
        let interval = |(low, high): (f64, f64)| (Share::of(low), Share::of(high));
        let (low, high) = interval(self.matching.interval_of(&self.all));
        let (completed_low, completed_high) = interval(self.completed_matching.interval_of(&self.completed));
        let everything = self.excluded.iter().map(|count| count.weight).sum::<u64>() + self.all.weight;
        let [no_syn, multiple_syn, incomplete, _] =
            self.excluded.map(|count| Share::part(count.weight, everything));
        Numbers {
            value: Share::part(self.matching.weight, self.all.weight),
            low,
            high,
            matching: self.matching.sampled,
            connections: self.all.sampled,
            weight: self.all.weight,
            stages: StageShares::new(&self.stages),
            completed: Completed {
                value: Share::part(self.completed_matching.weight, self.completed.weight),
                low: completed_low,
                high: completed_high,
                matching: self.completed_matching.sampled,
                connections: self.completed.sampled,
            },
            excluded: Excluded { no_syn, multiple_syn, incomplete },
        }
    }
}

impl StageShares {
    fn new(stages: &[WeightedCount; Stage::ALL.len()]) -> Self {
        let shares = shares(&stages.map(|count| count.weight));
        let of = |stage: Stage| shares[stage as usize];
        Self {
            post_syn: of(Stage::PostSyn),
            post_ack: of(Stage::PostAck),
            post_psh: of(Stage::PostPsh),
            later_in_flow: of(Stage::Later),
            no_match: of(Stage::None),
        }
    }
}
