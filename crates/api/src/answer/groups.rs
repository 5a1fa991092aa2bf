//! Groups counts by name and time.

use std::collections::{BTreeMap, HashMap};

use cutshort_model::{Bucket, Dimension, Network, Port, Value};
use cutshort_store::{FILE_NODE, RollupAnswer, RollupQuery, RollupRow, Store};
use cutshort_verdict::{DataSet, Stage, WeightedCount};

use super::resets;
use crate::problem::Problem;
use crate::question::{Series, stage_name, stage_names};

/// The property by which an answer groups connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// The stage at which they were cut short.
    Stage,
    /// A dimension of the store's counts.
    Dimension(Dimension),
    /// Connections that are in no total, by reason.
    Exclusion,
}

/// The name of the group of all values beyond the limit.
pub const OTHER: &str = "other";
/// The name if the country or network is unknown.
const UNKNOWN: &str = "unknown";
/// The name of connections without a signature, and of those without an exclusion.
const NO_SIGNATURE: &str = "none";
const CONNECTION: &str = "connection";

impl By {
    /// All properties, in the order in which they are listed to users.
    pub const ALL: [Self; 10] = [
        Self::Stage,
        Self::Dimension(Dimension::Tag),
        Self::Dimension(Dimension::Signature),
        Self::Dimension(Dimension::Termination),
        Self::Dimension(Dimension::IpVersion),
        Self::Dimension(Dimension::Location),
        Self::Dimension(Dimension::As),
        Self::Dimension(Dimension::Port),
        Self::Dimension(Dimension::Node),
        Self::Exclusion,
    ];

    /// The names of all properties, in the same order.
    pub const NAMES: [&'static str; Self::ALL.len()] = {
        let (mut names, mut at) = ([""; Self::ALL.len()], 0);
        while at < names.len() {
            names[at] = Self::ALL[at].name();
            at += 1;
        }
        names
    };

    /// Finds the property with a name; case is ignored.
    ///
    /// # Errors
    /// A text that lists the known names.
    pub fn from_name(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|by| by.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| format!("unknown dimension '{name}': use one of {}", Self::NAMES.join(", ")))
    }

    /// The name in parameters and paths.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Exclusion => "exclusion",
            Self::Dimension(dimension) => dimension.name(),
        }
    }

    /// Whether the shares of all groups add up to 100 %. Those of tags do not, because a connection may have several.
    #[must_use]
    pub fn adds_up(self) -> bool {
        self != Self::Dimension(Dimension::Tag)
    }

    /// Whether its groups consist of connections that are cut short and others.
    #[must_use]
    pub const fn has_cut_short(self) -> bool {
        matches!(self, Self::Dimension(_))
    }

    const fn dimension(self) -> Option<Dimension> {
        match self {
            Self::Dimension(dimension) => Some(dimension),
            Self::Stage | Self::Exclusion => None,
        }
    }

    /// The groups that are listed even if they are empty.
    fn always(self, set: DataSet) -> Vec<String> {
        match self {
            Self::Stage => stage_names(set).map(str::to_owned).collect(),
            Self::Exclusion => exclusion_names(set).map(str::to_owned).collect(),
            Self::Dimension(_) => Vec::new(),
        }
    }

    /// The fixed position of a group; groups of open sets are sorted by their counts.
    fn order(self, set: DataSet, name: &str) -> usize {
        let position = |mut names: Box<dyn Iterator<Item = &'static str>>| names.position(|own| own == name);
        let found = match self {
            Self::Stage => position(Box::new(stage_names(set))),
            Self::Exclusion => position(Box::new(exclusion_names(set))),
            Self::Dimension(Dimension::Tag) => position(Box::new(set.tags().iter().map(|tag| tag.name()))),
            Self::Dimension(Dimension::Signature) => {
                position(Box::new(set.signatures().iter().map(|signature| signature.name())))
            }
            Self::Dimension(Dimension::Termination) => {
                position(Box::new(set.terminations().iter().map(|end| end.name())))
            }
            Self::Dimension(_) => None,
        };
        found.unwrap_or(usize::MAX)
    }
}

fn exclusion_names(set: DataSet) -> impl Iterator<Item = &'static str> {
    [CONNECTION].into_iter().chain(set.exclusions().iter().map(|reason| reason.name()))
}

/// One value of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name in answers.
    pub name: String,
    /// The counts, one for each of [`Groups::times`].
    pub counts: Vec<WeightedCount>,
    /// How many of these were cut short. Of stages and exclusions there are none.
    pub cut_short: Vec<WeightedCount>,
}

/// The counts of one series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// The start of each interval that has connections, in nanoseconds since the Unix epoch, ascending. Without
    /// intervals, the start of the range.
    pub times: Vec<i64>,
    /// The counts of all groups together, one for each of `times`.
    pub totals: Vec<WeightedCount>,
    /// The groups, each with its counts.
    pub groups: Vec<Column>,
    /// Whether the store counts networks as `other`.
    pub networks_folded: bool,
    /// Whether the store counts ports as `other`.
    pub ports_folded: bool,
}

impl Groups {
    /// The count of all intervals together.
    #[must_use]
    pub fn total(&self) -> WeightedCount {
        sum(&self.totals)
    }

    /// Whether there are no connections.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.times.is_empty()
    }
}

/// Adds up counts.
#[must_use]
pub fn sum(counts: &[WeightedCount]) -> WeightedCount {
    let mut total = WeightedCount::default();
    counts.iter().for_each(|count| total.merge(count));
    total
}

/// Counts the connections of a series.
///
/// # Errors
/// A [`Problem`] for the store's error.
pub(super) fn count(
    store: &dyn Store,
    series: &Series,
    bucket: Option<Bucket>,
    by: By,
    limit: usize,
) -> Result<Groups, Problem> {
    let query =
        |by| RollupQuery { range: series.range.clone(), bucket, selection: series.selection.clone(), by };
    let answer = resets::rollups(store, series, &query(by.dimension()))?;
    // Groups that overlap do not tell how many there are.
    let all = if by.adds_up() { None } else { Some(resets::rollups(store, series, &query(None))?) };
    Ok(Counting::new(store.data_set(), series, by).answer(&answer, all.as_ref(), limit))
}

/// The connections of a group in one interval.
#[derive(Clone, Copy, Default)]
struct Counted {
    all: WeightedCount,
    cut_short: WeightedCount,
}

struct Counting<'a> {
    set: DataSet,
    series: &'a Series,
    by: By,
    totals: BTreeMap<i64, WeightedCount>,
    groups: HashMap<String, BTreeMap<i64, Counted>>,
}

impl<'a> Counting<'a> {
    fn new(set: DataSet, series: &'a Series, by: By) -> Self {
        Self { set, series, by, totals: BTreeMap::new(), groups: HashMap::new() }
    }

    fn answer(mut self, answer: &RollupAnswer, all: Option<&RollupAnswer>, limit: usize) -> Groups {
        answer.rows.iter().for_each(|row| self.row(row));
        if let Some(all) = all {
            self.totals.clear();
            for row in &all.rows {
                let count = self.of_stages(row, |_| true);
                self.totals.entry(row.from).or_default().merge(&count);
            }
        }
        self.totals.retain(|_, count| count.weight > 0);
        let times: Vec<i64> = self.totals.keys().copied().collect();
        let (set, by) = (self.set, self.by);
        for name in by.always(set) {
            self.groups.entry(name).or_default();
        }
        let column = |(name, counted): (String, BTreeMap<i64, Counted>)| {
            let each = times.iter().map(|time| counted.get(time).copied().unwrap_or_default());
            Column {
                name,
                counts: each.clone().map(|counted| counted.all).collect(),
                cut_short: each.map(|counted| counted.cut_short).collect(),
            }
        };
        let groups = sorted(set, by, self.groups.into_iter().map(column).collect());
        Groups {
            totals: self.totals.into_values().collect(),
            groups: limited(groups, limit, by.adds_up()),
            times,
            networks_folded: answer.networks_folded,
            ports_folded: answer.ports_folded,
        }
    }

    fn row(&mut self, row: &RollupRow) {
        match self.by {
            By::Stage => {
                for stage in self.set.stages() {
                    if self.series.stages.has(Some(stage)) {
                        let (name, count) = (stage_name(self.set, *stage), &row.stages[*stage as usize]);
                        self.add(name, row.from, count, &WeightedCount::default());
                    }
                }
            }
            By::Exclusion => {
                self.add(CONNECTION, row.from, &row.total(), &WeightedCount::default());
                for reason in self.set.exclusions() {
                    let count = &row.excluded[*reason as usize];
                    self.add(reason.name(), row.from, count, &WeightedCount::default());
                }
            }
            By::Dimension(_) => {
                let count = self.of_stages(row, |_| true);
                let cut_short = self.of_stages(row, |stage| stage != Stage::None);
                self.add(&value_name(&row.value), row.from, &count, &cut_short);
            }
        }
    }

    fn add(&mut self, name: &str, from: i64, count: &WeightedCount, cut_short: &WeightedCount) {
        self.totals.entry(from).or_default().merge(count);
        if count.sampled > 0 {
            let counted = self.groups.entry(name.to_owned()).or_default().entry(from).or_default();
            counted.all.merge(count);
            counted.cut_short.merge(cut_short);
        }
    }

    /// The connections at those of the selected stages for which `is_meant` holds.
    fn of_stages(&self, row: &RollupRow, is_meant: fn(Stage) -> bool) -> WeightedCount {
        let stages = Stage::ALL.into_iter().zip(&row.stages);
        let mut total = WeightedCount::default();
        stages
            .filter(|(stage, _)| self.series.stages.has(Some(stage)) && is_meant(*stage))
            .for_each(|(_, count)| total.merge(count));
        total
    }
}

/// The name of a value in answers.
#[must_use]
pub fn value_name(value: &Value) -> String {
    match value {
        Value::All => String::new(),
        Value::Tag(tag) => tag.name().to_owned(),
        Value::Signature(signature) => signature.map_or(NO_SIGNATURE, |found| found.name()).to_owned(),
        Value::Termination(termination) => termination.name().to_owned(),
        Value::IpVersion(version) => format!("IPv{version}"),
        Value::Location(country) => country.map_or(UNKNOWN, |country| country.alpha2()).to_owned(),
        Value::As(Network::As(asn)) => asn.to_string(),
        Value::As(Network::Unknown) => UNKNOWN.to_owned(),
        Value::Port(Port::Number(port)) => port.to_string(),
        Value::As(Network::Other) | Value::Port(Port::Other) => OTHER.to_owned(),
        Value::Node(name) if name.is_empty() => FILE_NODE.to_owned(),
        Value::Node(name) => name.clone(),
    }
}

fn sorted(set: DataSet, by: By, mut groups: Vec<Column>) -> Vec<Column> {
    groups.sort_by_cached_key(|group| {
        let last = group.name == OTHER;
        (last, by.order(set, &group.name), std::cmp::Reverse(sum(&group.counts).weight), group.name.clone())
    });
    groups
}

/// The first groups by their counts, and the others as one group. If groups overlap, the others are left out.
fn limited(groups: Vec<Column>, limit: usize, together: bool) -> Vec<Column> {
    let named = groups.iter().filter(|group| group.name != OTHER).count();
    if named <= limit {
        return groups;
    }
    let mut by_count: Vec<usize> = (0..groups.len()).filter(|at| groups[*at].name != OTHER).collect();
    by_count.sort_by_key(|at| (std::cmp::Reverse(sum(&groups[*at].counts).weight), *at));
    let mut is_kept = vec![false; groups.len()];
    by_count.into_iter().take(limit).for_each(|at| is_kept[at] = true);
    let (kept, rest): (Vec<_>, Vec<_>) = groups.into_iter().enumerate().partition(|(at, _)| is_kept[*at]);
    let mut kept: Vec<Column> = kept.into_iter().map(|(_, group)| group).collect();
    if together {
        kept.extend(together_as_other(rest.into_iter().map(|(_, group)| group)));
    }
    kept
}

fn together_as_other(groups: impl Iterator<Item = Column>) -> Option<Column> {
    groups
        .reduce(|mut all, group| {
            all.counts.iter_mut().zip(&group.counts).for_each(|(count, more)| count.merge(more));
            all.cut_short.iter_mut().zip(&group.cut_short).for_each(|(count, more)| count.merge(more));
            all
        })
        .map(|all| Column { name: OTHER.to_owned(), ..all })
}
