//! Adds up rows.

use std::collections::HashMap;

use cutshort_model::{Dimension, Value, Window};
use cutshort_store::cell::CellOutcome;
use cutshort_store::cell::packed::{Context, Group, PackedOutcome, location_of};
use cutshort_store::{RollupQuery, RollupRow};
use cutshort_verdict::{DataSet, Exclusion, Signature, Stage, Tag, Termination, WeightedCount};
use foldhash::fast::FixedState;

use crate::bytes::{Broken, Unpacked};
use crate::packed_cells::PackedCells;
use crate::place::RowPlace;
use crate::scan::Scan;
use crate::totals::{Folded, Totals};

const STAGES: usize = Stage::ALL.len();
type ValueCounts = [WeightedCount; STAGES + Exclusion::ALL.len()];

/// The answer to a query while it is added up.
#[derive(Debug)]
pub struct AnswerSum<'a> {
    data_set: DataSet,
    query: &'a RollupQuery,
    nodes: &'a HashMap<u16, String>,
    folded: Option<Folded>,
    /// The index of each row of the answer, by time and value.
    index: HashMap<(i64, u64), usize, FixedState>,
    counts: Vec<ValueCounts>,
}

/// What the outcomes of a packed row are counted as.
enum Use {
    Nothing,
    /// An index into [`ValueCounts`], and the rows that get the count if the outcome determines these.
    At(usize, Vec<usize>),
}

impl<'a> AnswerSum<'a> {
    /// An answer to a query without any rows yet; `nodes` are the names of nodes by their numbers in the rows.
    #[must_use]
    pub fn new(data_set: DataSet, query: &'a RollupQuery, nodes: &'a HashMap<u16, String>) -> Self {
        Self { data_set, query, nodes, folded: None, index: HashMap::default(), counts: Vec::new() }
    }

    /// Whether the query needs more than totals.
    #[must_use]
    pub fn needs_cells(&self) -> bool {
        let by_more = !matches!(self.query.by, None | Some(Dimension::Location | Dimension::As));
        by_more || self.query.selection.is_about_more_than_place()
    }

    /// What is counted as `other`, if the rows say so.
    #[must_use]
    pub const fn folded(&self) -> Option<Folded> {
        self.folded
    }

    /// Adds a row of a window, or of an hour or a day that begins with the window `t`: its cells if the query
    /// [needs](Self::needs_cells) them, otherwise its totals.
    ///
    /// # Errors
    /// [`Broken`] if the row cannot be decoded.
    pub fn add(&mut self, scan: &Scan<'_>, t: i64, bytes: &[u8]) -> Unpacked<()> {
        if self.needs_cells() { self.add_cells(scan, t, bytes) } else { self.add_totals(scan, t, bytes) }
    }

    fn add_totals(&mut self, scan: &Scan<'_>, t: i64, bytes: &[u8]) -> Unpacked<()> {
        let totals = Totals::parse(bytes)?;
        if scan.place == RowPlace::World {
            self.folded = Some(self.folded.unwrap_or_default().or(totals.folded));
        }
        let from = self.from(t);
        let mut current = None;
        let mut broken = Ok(());
        totals.each(|group, slot, count| {
            if current.is_none_or(|(last, _)| last != group) {
                let row = scan
                    .takes(group)
                    .map(|takes| takes.then(|| self.row(from, self.group_value(scan.place, group))));
                current = Some((
                    group,
                    row.unwrap_or_else(|why| {
                        broken = Err(why);
                        None
                    }),
                ));
            }
            if let (Some((_, Some(row))), Some(at)) = (current, self.place_of_slot(slot)) {
                merge(&mut self.counts[row][at], &count, scan.minus);
            }
        })?;
        broken
    }

    /// The index into [`ValueCounts`] for a slot of totals.
    const fn place_of_slot(&self, slot: usize) -> Option<usize> {
        match slot.checked_sub(2 * STAGES) {
            Some(exclusion) => Some(STAGES + exclusion),
            None if self.query.selection.completed && slot.is_multiple_of(2) => None,
            None => Some(slot / 2),
        }
    }

    fn add_cells(&mut self, scan: &Scan<'_>, t: i64, bytes: &[u8]) -> Unpacked<()> {
        let cells = PackedCells::parse(bytes)?;
        let from = self.from(t);
        let contexts = self.contexts(from, &cells.contexts);
        let outcomes = self.outcomes(from, &cells.outcomes)?;
        cells.each_group(|group, block| {
            if !scan.takes(group)? {
                return Ok(());
            }
            let row = self.row(from, self.group_value(scan.place, group));
            let counts = &mut self.counts;
            block.each(|context, outcome, count| {
                let (Some(of_context), Use::At(at, rows)) = (&contexts[context], &outcomes[outcome]) else {
                    return;
                };
                match rows.as_slice() {
                    [] => merge(&mut counts[of_context.unwrap_or(row)][*at], &count, scan.minus),
                    rows => rows.iter().for_each(|row| merge(&mut counts[*row][*at], &count, scan.minus)),
                }
            })
        })
    }

    /// For each context: none if it is not selected, otherwise the row that it determines, if it does.
    fn contexts(&mut self, from: i64, contexts: &[Context]) -> Vec<Option<Option<usize>>> {
        let row = |context: &Context| {
            let node = self.nodes.get(&context.node());
            let selection = &self.query.selection;
            if !(selection.has_context(context.ip_version(), context.port()) && selection.nodes.has(node)) {
                return None;
            }
            let value = match self.query.by {
                Some(Dimension::IpVersion) => u64::from(context.ip_version()),
                Some(Dimension::Port) => context.port_code(),
                Some(Dimension::Node) => u64::from(context.node()),
                _ => return Some(None),
            };
            Some(Some(self.row(from, value)))
        };
        contexts.iter().map(row).collect()
    }

    fn outcomes(&mut self, from: i64, outcomes: &[PackedOutcome]) -> Unpacked<Vec<Use>> {
        let unknown = Broken("it counts what is unknown");
        outcomes.iter().map(|packed| Ok(self.use_of(from, &packed.get().ok_or(unknown)?))).collect()
    }

    fn use_of(&mut self, from: i64, outcome: &CellOutcome) -> Use {
        let by = self.query.by;
        match *outcome {
            CellOutcome::Excluded(_) if by.is_some_and(Dimension::is_of_verdict) => Use::Nothing,
            CellOutcome::Excluded(reason) => Use::At(STAGES + reason as usize, Vec::new()),
            CellOutcome::Connection { stage, termination, completed, signature, tags } => {
                if !self.query.selection.has_verdict(completed, signature, tags) {
                    return Use::Nothing;
                }
                let values: Vec<u64> = match by {
                    Some(Dimension::Tag) => tags.iter(self.data_set).map(|tag| tag.number().into()).collect(),
                    Some(Dimension::Signature) => vec![signature.map_or(0, |found| u64::from(found.id()))],
                    Some(Dimension::Termination) => vec![termination as u64],
                    _ => return Use::At(stage as usize, Vec::new()),
                };
                let rows: Vec<usize> = values.into_iter().map(|value| self.row(from, value)).collect();
                if rows.is_empty() { Use::Nothing } else { Use::At(stage as usize, rows) }
            }
        }
    }

    /// The start of the interval that contains a window.
    fn from(&self, t: i64) -> i64 {
        let start = self.query.range.start;
        self.query.bucket.map_or(start, |bucket| bucket.start(Window::from_number(t).start()).max(start))
    }

    fn row(&mut self, from: i64, value: u64) -> usize {
        *self.index.entry((from, value)).or_insert_with(|| {
            self.counts.push(ValueCounts::default());
            self.counts.len() - 1
        })
    }

    fn group_value(&self, place: RowPlace, group: Group) -> u64 {
        match (self.query.by, place) {
            (Some(Dimension::Location), RowPlace::Location(code)) => u64::from(code),
            (Some(Dimension::Location), _) => u64::from(group.location_code()),
            (Some(Dimension::As), _) => group.network_code(),
            _ => 0,
        }
    }

    /// The rows of the answer that count something.
    #[must_use]
    pub fn rows(mut self) -> Vec<RollupRow> {
        let mut order: Vec<((i64, u64), usize)> = self.index.drain().collect();
        order.sort_unstable();
        let rows = order.into_iter().filter_map(|((from, value), row)| {
            let counts = self.counts[row];
            let (stages, excluded) = counts.split_first_chunk()?;
            let excluded = *excluded.first_chunk()?;
            let something = counts.iter().any(|count| count.sampled != 0);
            something.then(|| RollupRow { from, value: self.value(value), stages: *stages, excluded })
        });
        rows.collect()
    }

    fn value(&self, code: u64) -> Value {
        let small = code as u8;
        match self.query.by {
            None => Value::All,
            Some(Dimension::Tag) => Value::Tag(self.tag_of(small)),
            Some(Dimension::Signature) => Value::Signature(Signature::from_id(small)),
            Some(Dimension::Termination) => {
                Value::Termination(Termination::ALL[usize::from(small) % Termination::ALL.len()])
            }
            Some(Dimension::IpVersion) => Value::IpVersion(small),
            Some(Dimension::Location) => Value::Location(location_of(code as u16).flatten()),
            Some(Dimension::As) => Value::As(Group::of_network_code(code).network()),
            Some(Dimension::Port) => Value::Port(Context::of_port_code(code).port()),
            Some(Dimension::Node) => Value::Node(self.nodes.get(&(code as u16)).cloned().unwrap_or_default()),
        }
    }

    /// The tag with a number; the first one if there is none.
    fn tag_of(&self, number: u8) -> Tag {
        let tags = self.data_set.tags();
        *tags.iter().find(|tag| tag.number() == number).unwrap_or(&tags[0])
    }
}

/// Adds or subtracts, wrapping around: rows that do not agree must not end the program.
fn merge(sum: &mut WeightedCount, count: &WeightedCount, minus: bool) {
    *sum = if minus {
        WeightedCount {
            sampled: sum.sampled.wrapping_sub(count.sampled),
            weight: sum.weight.wrapping_sub(count.weight),
            squares: sum.squares.wrapping_sub(count.squares),
        }
    } else {
        WeightedCount {
            sampled: sum.sampled.wrapping_add(count.sampled),
            weight: sum.weight.wrapping_add(count.weight),
            squares: sum.squares.wrapping_add(count.squares),
        }
    };
}
