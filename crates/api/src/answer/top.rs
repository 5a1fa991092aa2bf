//! Ranks networks and countries.

use std::collections::HashMap;

use cutshort_geo::Geo;
use cutshort_model::{Dimension, Network, Value};
use cutshort_report::least_sample;
use cutshort_store::{RollupAnswer, RollupQuery, RollupRow, Selection, Store};
use cutshort_verdict::{Exclusion, Stage, WeightedCount};
use serde::Serialize;
use utoipa::ToSchema;

use super::groups::By;
use super::resets;
use super::{Facts, Groups, Meta, OwnMeta, SeriesQuery, Share};
use crate::problem::Problem;
use crate::question::Series;

/// The things that are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The clients' networks.
    Ases,
    /// The clients' countries.
    Locations,
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

/// A network or country in a ranking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// The AS number or country code.
    pub code: Code,
    /// Its name; empty if unknown.
    pub name: String,
    /// Its counts and shares.
    pub numbers: Numbers,
}

/// The identity of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A network, by its AS number.
    As(u32),
    /// A country, by its code.
    Location(cutshort_geo::Country),
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
    /// The same numbers for connections that completed the handshake; addresses of others may be spoofed.
    pub completed: Completed,
    /// Shares of excluded connections, by reason, in all connections of the network or country.
    pub excluded: Excluded,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Excluded {
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
    let own =
        OwnMeta { min_sample: all.iter().map(least).min(), ..OwnMeta::new(&question, facts, &all, coverage) };
    let lists =
        rankings.into_iter().zip(&all).map(|(ranking, groups)| ranking.ranked(asked, geo, least(groups)));
    Ok(Top { meta, own, series: asked.series.iter().map(|series| series.name.clone()).zip(lists).collect() })
}

impl Who {
    pub(crate) const fn dimension(self) -> Dimension {
        match self {
            Self::Ases => Dimension::As,
            Self::Locations => Dimension::Location,
        }
    }
}

/// The counts of one network or country.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    all: WeightedCount,
    matching: WeightedCount,
    completed: WeightedCount,
    completed_matching: WeightedCount,
    excluded: [WeightedCount; Exclusion::ALL.len()],
}

struct Ranking {
    counted: HashMap<Code, Counted>,
    total: WeightedCount,
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
            start: series.range.start,
            networks_folded: all.networks_folded,
            ports_folded: all.ports_folded,
        };
        ranking.add(&all, series, |counted| (&mut counted.all, &mut counted.matching));
        all.rows.iter().for_each(|row| ranking.exclude(row));
        let handshakes =
            if series.selection.completed { all } else { resets::rollups(store, series, &query(true))? };
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
            let Some(code) = code(&row.value) else { continue };
            let (all, matching) = parts(self.counted.entry(code).or_default());
            all.merge(&row.total());
            for (stage, count) in Stage::ALL.into_iter().zip(&row.stages) {
                if series.stages.has(Some(&stage)) {
                    matching.merge(count);
                }
            }
        }
    }

    fn exclude(&mut self, row: &RollupRow) {
        self.total.merge(&row.total());
        let Some(code) = code(&row.value) else { return };
        let excluded = &mut self.counted.entry(code).or_default().excluded;
        excluded.iter_mut().zip(&row.excluded).for_each(|(count, more)| count.merge(more));
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

    fn ranked(self, asked: &AskedTop<'_>, geo: &Geo, least: u64) -> Vec<Ranked> {
        let mut ranked: Vec<(Code, Counted)> =
            self.counted.into_iter().filter(|(_, counted)| counted.all.sampled >= least.max(1)).collect();
        ranked.sort_by(|(a, first), (b, second)| {
            second.key(asked.order).total_cmp(&first.key(asked.order)).then_with(|| a.cmp(b))
        });
        ranked.truncate(asked.limit);
        let one = |(code, counted): (Code, Counted)| Ranked {
            code,
            name: name(code, geo),
            numbers: counted.numbers(),
        };
        ranked.into_iter().map(one).collect()
    }
}

fn code(value: &Value) -> Option<Code> {
    match value {
        Value::As(Network::As(number)) => Some(Code::As(*number)),
        Value::Location(Some(country)) => Some(Code::Location(*country)),
        _ => None,
    }
}

fn name(code: Code, geo: &Geo) -> String {
    match code {
        Code::As(number) => geo.as_name(number).unwrap_or_default().to_owned(),
        Code::Location(country) => country.name().to_owned(),
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
