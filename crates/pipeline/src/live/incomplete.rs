//! Records times of incomplete sampling as annotations in the store, so that answers about these times show it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use cutshort_model::Window;
use cutshort_store::{Annotation, AnnotationKind, NewAnnotation, Result, SegmentInfo, Store};
use cutshort_verdict::DataSet;

use super::AgentCounts;

/// The latest such annotation of each node, as far as it is known.
#[derive(Debug, Default)]
pub struct IncompleteNotes(Mutex<BTreeMap<String, StoredNote>>);

#[derive(Clone, Copy, Debug)]
struct StoredNote {
    id: u64,
    data_set: Option<DataSet>,
    from: i64,
    to: i64,
}

/// The maximum number of nodes that are remembered, because any sender can choose names; others are looked up in the
/// store.
const MOST: usize = 1000;
/// Times that are further away than this many nanoseconds are ignored.
const FURTHEST: i64 = 7 * 24 * 3_600_000_000_000;

impl IncompleteNotes {
    /// Stores when a node has left out connections, according to counts that it sent at `now` (nanoseconds since the
    /// Unix epoch). Times that are at most a window apart become one annotation. Returns whether anything has
    /// changed.
    pub fn note(&self, store: &dyn Store, node: &str, counts: &AgentCounts, now: i64) -> Result<bool> {
        let is_credible = |(from, to): &(i64, i64)| {
            *from >= now.saturating_sub(FURTHEST) && *to <= now.saturating_add(SegmentInfo::MOST_AHEAD)
        };
        let Some((from, to)) = counts.left_out_times.filter(is_credible) else { return Ok(false) };
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = (node, counts.left_out_of);
        let is_same = |kept: &StoredNote| {
            kept.data_set == of.1 && from <= kept.to.saturating_add(Window::LENGTH) && to >= kept.from
        };
        let known = match notes.get(node).copied().filter(is_same) {
            Some(kept) => Some(kept),
            None => find(store, of, (from, to))?.filter(is_same),
        };
        let (from, to) = known.map_or((from, to), |kept| (from.min(kept.from), to.max(kept.to)));
        let is_new = known.is_none_or(|kept| (kept.from, kept.to) != (from, to));
        let id = match known {
            Some(kept) if !is_new => kept.id,
            _ => store.annotate(&annotation(of, from, to))?.id,
        };
        if notes.len() >= MOST {
            notes.clear();
        }
        notes.insert(node.to_owned(), StoredNote { id, data_set: of.1, from, to });
        // The new one is there before the old one goes.
        if let Some(kept) = known.filter(|_| is_new) {
            store.remove_annotation(kept.id)?;
        }
        Ok(is_new)
    }
}

/// What is sampled: a node, and the data set if it is known.
type Sampled<'a> = (&'a str, Option<DataSet>);

/// Finds what an earlier process has stored about a time.
fn find(store: &dyn Store, of: Sampled<'_>, (from, to): (i64, i64)) -> Result<Option<StoredNote>> {
    let range = from.saturating_sub(Window::LENGTH)..to.saturating_add(1);
    let kept = |annotation: &Annotation| {
        let Annotation { id, content: NewAnnotation { start, end: Some(end), .. } } = *annotation else {
            return None;
        };
        let is_own = annotation.content == self::annotation(of, start, end);
        is_own.then_some(StoredNote { id, data_set: of.1, from: start, to: end })
    };
    Ok(store.annotations(range)?.iter().filter_map(kept).max_by_key(|kept| kept.to))
}

fn annotation((node, data_set): Sampled<'_>, from: i64, to: i64) -> NewAnnotation {
    NewAnnotation {
        data_set,
        kind: AnnotationKind::Pipeline,
        start: from,
        end: Some(to),
        description: format!(
            "Sampling at {node} was incomplete: connections that were chosen were left out, as no more could be \
             remembered."
        ),
        linked_url: None,
        scope: None,
        locations: Vec::new(),
        asns: Vec::new(),
        outage: None,
    }
}
