//! Counts pairs of 5-tuples once in which this host opened no connection.
//!
//! Each capture has one row for such a pair (docs/origin.md#no-syn), with either of its 5-tuples. Several captures may have
//! both, or one of them may have the SYN packet that another one lacks.

use std::collections::{HashMap, HashSet};

use cutshort_store::FlowKey;
use cutshort_verdict::{DataSet, Rules};
use foldhash::fast::RandomState;

use crate::gather::Gathered;

/// Removes what stands for a pair of 5-tuples a second time.
pub(crate) fn settle(parts: &mut [Gathered], rules: &Rules) {
    if rules.data_set != DataSet::Origin {
        return;
    }
    let flows = || parts.iter().flat_map(|part| part.flows.iter().flatten());
    let unopened = flows().filter(|flow| !flow.findings.has_syn());
    let mut unopened: HashMap<FlowKey, bool, RandomState> =
        unopened.map(|flow| (flow.key(), false)).collect();
    if unopened.is_empty() {
        return;
    }
    for flow in flows() {
        let (key, other) = (flow.key(), flow.key().reversed());
        if let Some(is_extra) = unopened.get_mut(&other).filter(|_| key != other) {
            *is_extra |= flow.findings.has_syn() || key < other;
        }
    }
    let extra: HashSet<FlowKey, RandomState> =
        unopened.into_iter().filter_map(|(key, is_extra)| is_extra.then_some(key)).collect();
    if !extra.is_empty() {
        let pieces = parts.iter_mut().flat_map(|part| &mut part.flows);
        pieces.for_each(|piece| piece.retain(|flow| !extra.contains(&flow.key())));
    }
}
