//! Answers queries for counts.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use clickhouse::Row;
use cutshort_geo::Country;
use cutshort_model::{Bucket, Dimension, Network, Port, Value};
use cutshort_store::{Result, RollupAnswer, RollupQuery, RollupRow};
use cutshort_verdict::{DataSet, Exclusion, Signature, Stage, Termination, WeightedCount};
use serde::Deserialize;

use crate::cells::{NETWORK, OTHER_NETWORKS, UNKNOWN_NETWORK, unknown};
use crate::filter::{Filter, GENERATIONS};
use crate::memory::Memory;
use crate::results::{self, Level, ResultRow, digest};
use crate::server::Server;

pub(crate) fn answer(server: &Arc<Server>, memory: &Memory, query: &RollupQuery) -> Result<RollupAnswer> {
    let results = memory.results(server, &query.range)?;
    let coarsest = match query.bucket {
        None | Some(Bucket::Day | Bucket::Week) => Level::Day,
        Some(Bucket::Hour) => Level::Hour,
        Some(Bucket::FifteenMinutes) => Level::FifteenMinutes,
    };
    let parts = results.cover(&query.range, coarsest);
    let mut tally = AnswerSum { data_set: server.data_set, query, rows: HashMap::new() };
    let kept = memory.take(server, &parts);
    kept.answer(server.data_set, query)?.iter().for_each(|row| tally.add_row(row));
    for level in [Level::FifteenMinutes, Level::Hour, Level::Day] {
        let of_level: Vec<&ResultRow> =
            kept.missing.iter().copied().filter(|part| part.level == level as u8).collect();
        of_level.chunks(GENERATIONS).try_for_each(|some| tally.read(server, level, some))?;
    }
    Ok(RollupAnswer {
        rows: tally.rows(),
        networks_folded: parts.iter().any(|part| part.networks_folded),
        ports_folded: parts.iter().any(|part| part.ports_folded),
    })
}

/// The results of whole days at one moment.
pub(crate) struct Results {
    rows: Vec<ResultRow>,
}

impl Results {
    pub(crate) fn read(server: &Server, range: &Range<i64>) -> Result<Self> {
        Ok(Self { rows: results::within(server, &results::whole_days(range))? })
    }

    /// The same results with others in a range of time.
    pub(crate) fn with(&self, range: Range<i64>, others: Vec<ResultRow>) -> Self {
        let mut rows: Vec<ResultRow> =
            self.rows.iter().filter(|row| !range.contains(&row.t)).cloned().collect();
        rows.extend(others);
        rows.sort_by_key(|row| (row.level, row.t));
        Self { rows }
    }

    pub(crate) fn of(&self, level: Level) -> &[ResultRow] {
        let from = self.rows.partition_point(|row| row.level < level as u8);
        let to = self.rows.partition_point(|row| row.level <= level as u8);
        &self.rows[from..to]
    }

    pub(crate) fn of_time(&self, level: Level, range: &Range<i64>) -> &[ResultRow] {
        let rows = self.of(level);
        let from = rows.partition_point(|row| row.t < range.start);
        let to = rows.partition_point(|row| row.t < range.end);
        &rows[from..to]
    }

    /// The hour or the day of some windows, if it was computed from exactly these.
    pub(crate) fn whole(&self, level: Level, windows: &[ResultRow]) -> Option<&ResultRow> {
        let start = level.start(windows.first()?.t);
        let row = self.of_time(level, &(start..start.saturating_add(1))).first()?;
        (row.parts == digest(windows.iter())).then_some(row)
    }

    /// The results that make up a range, as coarse as possible. Those that are out of date are skipped.
    pub(crate) fn cover(&self, range: &Range<i64>, coarsest: Level) -> Vec<&ResultRow> {
        let mut parts = Vec::new();
        self.cover_with(range, coarsest, &mut parts);
        parts
    }

    fn cover_with<'a>(&'a self, range: &Range<i64>, level: Level, parts: &mut Vec<&'a ResultRow>) {
        let windows = self.of_time(Level::FifteenMinutes, range);
        let finer = match level {
            // What was deleted may still be there for a while.
            Level::FifteenMinutes => return parts.extend(windows.iter().filter(|window| window.has_cells)),
            Level::Hour => Level::FifteenMinutes,
            Level::Day => Level::Hour,
        };
        for some in windows.chunk_by(|a, b| level.start(a.t) == level.start(b.t)) {
            let start = level.start(some[0].t);
            let time = start..start.saturating_add(level.nanoseconds());
            let all = self.of_time(Level::FifteenMinutes, &time);
            let whole = if all.len() == some.len() { self.whole(level, all) } else { None };
            match whole.filter(|whole| whole.has_cells) {
                Some(whole) => parts.push(whole),
                None => {
                    self.cover_with(&(time.start.max(range.start)..time.end.min(range.end)), finer, parts);
                }
            }
        }
    }
}

/// Counts of one value and outcome.
#[derive(Row, Deserialize)]
struct Summed {
    label: i64,
    code: i64,
    name: String,
    stage: String,
    excluded: String,
    sampled: u64,
    weight: u64,
    squares: u128,
}

/// The answer while it is added up.
struct AnswerSum<'a> {
    data_set: DataSet,
    query: &'a RollupQuery,
    rows: HashMap<(i64, Value), RollupRow>,
}

impl AnswerSum<'_> {
    fn read(&mut self, server: &Server, level: Level, parts: &[&ResultRow]) -> Result<()> {
        let mut filter = self.filter(level, parts);
        let label = self.label(&mut filter);
        let (code, name, join) = columns(self.query.by);
        let sql = format!(
            "SELECT {label} AS label, toInt64({code}) AS code, toString({name}) AS name, toString(stage) AS stage,
               toString(excluded) AS excluded, sum(c.sampled) AS sampled, sum(c.weight) AS weight,
               sum(c.squares) AS squares
             FROM cell AS c {join}
             WHERE {}
             GROUP BY label, code, name, c.stage, c.excluded",
            filter.sql()
        );
        server
            .all::<Summed>(filter.bind(server.question(&sql)))?
            .into_iter()
            .try_for_each(|row| self.add(&row))
    }

    /// The start of the interval that contains a row.
    fn label(&self, filter: &mut Filter) -> String {
        let start = filter.number(self.query.range.start);
        let Some(bucket) = self.query.bucket else { return start };
        // Weeks begin on Monday, and the epoch on a Thursday.
        let shift = if bucket == Bucket::Week { 3 * Bucket::Day.nanoseconds() } else { 0 };
        let (length, shift) = (filter.number(bucket.nanoseconds()), filter.number(shift));
        let t = "toUnixTimestamp64Nano(t)";
        format!("greatest({start}, {t} - positiveModulo({t} + {shift}, {length}))")
    }

    fn filter(&self, level: Level, parts: &[&ResultRow]) -> Filter {
        let selection = &self.query.selection;
        let by_network = self.query.by == Some(Dimension::As) || !selection.asns.is_all();
        let mut filter = Filter::default();
        filter.add(format!("level = {} AND networks = {}", level as u8, u8::from(by_network)));
        let times = (parts.first().map_or(0, |part| part.t), parts.last().map_or(0, |part| part.t));
        filter.generations("t", times, parts.iter().map(|part| part.generation).collect());
        filter.locations(selection);
        if by_network {
            networks(&mut filter, &selection.asns.include, &selection.asns.exclude);
        }
        filter.numbered("ip_version", &selection.ip_versions);
        filter.numbered("port", &selection.ports);
        filter.nodes(&selection.nodes);
        if self.query.by.is_some_and(Dimension::is_of_verdict) {
            filter.add("excluded = ''");
        }
        // Of what is excluded only what can be known of it is asked.
        filter.any("excluded != ''", |filter| filter.verdict(selection, "completed"));
        filter
    }

    fn add(&mut self, row: &Summed) -> Result<()> {
        let value = value(self.data_set, self.query.by, row)?;
        let (from, stages, excluded) = (row.label, Default::default(), Default::default());
        let counts =
            self.rows.entry((from, value.clone())).or_insert(RollupRow { from, value, stages, excluded });
        let slot = if row.excluded.is_empty() {
            let at = Stage::ALL.iter().position(|stage| stage.name() == row.stage);
            at.map(|at| &mut counts.stages[at])
        } else {
            let at = Exclusion::ALL.iter().position(|reason| reason.name() == row.excluded);
            at.map(|at| &mut counts.excluded[at])
        };
        let unknown = || unknown("outcome", &format!("{}{}", row.stage, row.excluded));
        let slot = slot.ok_or_else(unknown)?;
        slot.merge(&WeightedCount { sampled: row.sampled, weight: row.weight, squares: row.squares });
        Ok(())
    }

    /// Adds a part of the answer that was added up elsewhere.
    fn add_row(&mut self, row: &RollupRow) {
        let (from, stages, excluded) = (row.from, Default::default(), Default::default());
        let sum = self.rows.entry((from, row.value.clone())).or_insert_with(|| RollupRow {
            from,
            value: row.value.clone(),
            stages,
            excluded,
        });
        sum.stages.iter_mut().zip(&row.stages).for_each(|(sum, count)| sum.merge(count));
        sum.excluded.iter_mut().zip(&row.excluded).for_each(|(sum, count)| sum.merge(count));
    }

    /// The rows of the answer, in order of time.
    fn rows(self) -> Vec<RollupRow> {
        let mut rows: Vec<RollupRow> = self.rows.into_values().collect();
        let something = |count: &WeightedCount| count.sampled != 0;
        rows.retain(|row| row.stages.iter().any(something) || row.excluded.iter().any(something));
        rows.sort_by_key(|row| row.from);
        rows
    }
}

fn networks(filter: &mut Filter, include: &[u32], exclude: &[u32]) {
    for (word, list) in [("", include), ("NOT ", exclude)] {
        if !list.is_empty() {
            let list = filter.numbers(list.iter().map(|number| u64::from(*number)).collect());
            filter.add(format!("{word}(network = '{NETWORK}' AND asn IN {list})"));
        }
    }
}

/// For a dimension: the columns with number and name of its values, and the join that they need.
const fn columns(by: Option<Dimension>) -> (&'static str, &'static str, &'static str) {
    match by {
        None => ("0", "''", ""),
        Some(Dimension::Tag) => ("tag", "''", "ARRAY JOIN bitPositionsToArray(tags) AS tag"),
        Some(Dimension::Signature) => ("signature_id", "''", ""),
        Some(Dimension::Termination) => ("0", "termination", ""),
        Some(Dimension::IpVersion) => ("ip_version", "''", ""),
        Some(Dimension::Location) => ("0", "location", ""),
        Some(Dimension::As) => ("asn", "network", ""),
        Some(Dimension::Port) => ("port", "''", ""),
        Some(Dimension::Node) => ("0", "node", ""),
    }
}

fn value(data_set: DataSet, by: Option<Dimension>, row: &Summed) -> Result<Value> {
    let (code, name) = (row.code, row.name.as_str());
    Ok(match by {
        None => Value::All,
        Some(Dimension::Tag) => {
            let tag = data_set.tags().iter().find(|tag| i64::from(tag.number()) == code);
            Value::Tag(*tag.ok_or_else(|| unknown("tag", &code.to_string()))?)
        }
        Some(Dimension::Signature) => Value::Signature(Signature::from_id(code as u8)),
        Some(Dimension::Termination) => {
            let found = Termination::ALL.into_iter().find(|ending| ending.name() == name);
            Value::Termination(found.ok_or_else(|| unknown("termination", name))?)
        }
        Some(Dimension::IpVersion) => Value::IpVersion(code as u8),
        Some(Dimension::Location) if name.is_empty() => Value::Location(None),
        Some(Dimension::Location) => {
            Value::Location(Some(Country::from_alpha2(name).ok_or_else(|| unknown("location", name))?))
        }
        Some(Dimension::As) => Value::As(match name {
            UNKNOWN_NETWORK => Network::Unknown,
            OTHER_NETWORKS => Network::Other,
            _ => Network::As(code as u32),
        }),
        Some(Dimension::Port) => Value::Port(u16::try_from(code).map_or(Port::Other, Port::Number)),
        Some(Dimension::Node) => Value::Node(name.to_owned()),
    })
}
