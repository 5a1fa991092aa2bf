//! Counts of a store, as a series takes resets: all of them, or only those before any answer.

use std::collections::HashMap;

use cutshort_model::{Dimension, Value};
use cutshort_store::{RollupAnswer, RollupQuery, RollupRow, Selection, Store};
use cutshort_verdict::{Stage, WeightedCount};

use crate::problem::Problem;
use crate::question::Series;

/// The counts of a query. Where a series takes only resets before any answer, the others are counted as not
/// cut short: they are in the total still, and match no signature.
pub(super) fn rollups(
    store: &dyn Store,
    series: &Series,
    query: &RollupQuery,
) -> Result<RollupAnswer, Problem> {
    let mut answer = store.rollups(query)?;
    if series.unanswered && query.selection.answered != Some(false) {
        let selection = Selection { answered: Some(true), ..query.selection.clone() };
        let answered = store.rollups(&RollupQuery { selection, ..query.clone() })?;
        forgive(&mut answer.rows, &answered.rows, query.by);
    }
    Ok(answer)
}

/// Moves the counts of `answered` from their stages to none.
fn forgive(rows: &mut Vec<RollupRow>, answered: &[RollupRow], by: Option<Dimension>) {
    let places = rows.iter().enumerate().map(|(at, row)| ((row.from, row.value.clone()), at));
    let mut places: HashMap<(i64, Value), usize> = places.collect();
    for row in answered {
        let Some(own) = places.get(&(row.from, row.value.clone())) else { continue };
        let moved = take(&mut rows[*own], row);
        let value = if by == Some(Dimension::Signature) { Value::Signature(None) } else { row.value.clone() };
        let to = *places.entry((row.from, value.clone())).or_insert_with(|| {
            rows.push(RollupRow {
                from: row.from,
                value,
                stages: Default::default(),
                excluded: Default::default(),
            });
            rows.len() - 1
        });
        rows[to].stages[Stage::None as usize].merge(&moved);
    }
}

/// Takes the anomalous of `answered` out of a row.
fn take(row: &mut RollupRow, answered: &RollupRow) -> WeightedCount {
    let mut moved = WeightedCount::default();
    for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::None) {
        let part = &answered.stages[stage as usize];
        row.stages[stage as usize] = less(&row.stages[stage as usize], part);
        moved.merge(part);
    }
    moved
}

const fn less(count: &WeightedCount, part: &WeightedCount) -> WeightedCount {
    WeightedCount {
        sampled: count.sampled.saturating_sub(part.sampled),
        weight: count.weight.saturating_sub(part.weight),
        squares: count.squares.saturating_sub(part.squares),
    }
}
