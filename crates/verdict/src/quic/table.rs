//! The rows of one open window.

use std::collections::HashMap;

use cutshort_packet::FiveTuple;
use cutshort_packet::quic::Datagram;

use super::findings::errors;
use super::limiter::Taken;
use super::{Context, Findings, Trace};
use crate::{Outcome, RowCount, Rules};

/// 5-tuples in the order in which they were first seen.
pub(crate) struct Table {
    rules: Rules,
    index: HashMap<FiveTuple, usize>,
    flows: Vec<Flow>,
}

/// What was taken of a 5-tuple, in the order of arrival.
#[derive(Default)]
struct Flow {
    taken: Taken,
    rows: Vec<Datagram>,
}

impl Flow {
    /// The rows without ICMP errors that turned out not to count (docs/quic.md#connection).
    fn rows(&self) -> Vec<Datagram> {
        let mut rows: Vec<Datagram> = self.rows.iter().filter(|row| !row.is_icmp()).copied().collect();
        let Some(since) = Findings::of(&rows).and_then(|findings| findings.first_initial()) else {
            return rows;
        };
        let mut counts = [0; 4];
        for row in errors(&self.rows, since) {
            let count = &mut counts[row.icmp.map_or(0, |icmp| usize::from(icmp.number()))];
            *count += 1;
            if *count <= Rules::ICMP_LIMIT {
                rows.push(*row);
            }
        }
        rows
    }
}

impl Table {
    pub(crate) fn new(rules: &Rules) -> Self {
        Self { rules: *rules, index: HashMap::new(), flows: Vec::new() }
    }

    pub(crate) fn add(&mut self, row: &Datagram) {
        let at = *self.index.entry(row.five_tuple).or_insert_with(|| {
            self.flows.push(Flow::default());
            self.flows.len() - 1
        });
        let Flow { taken, rows } = &mut self.flows[at];
        if taken.takes(row, &self.rules) {
            rows.push(*row);
        }
    }

    /// Calls `each` with every 5-tuple that counts, its outcome and its rows.
    pub(crate) fn for_each(
        &self,
        cutoff: i64,
        mut each: impl FnMut(&FiveTuple, &Outcome, &[Datagram]),
    ) -> RowCount {
        let mut count = RowCount::default();
        for flow in &self.flows {
            let rows = flow.rows();
            let Some(findings) = Findings::of(&rows) else { continue };
            count.taken += u64::from(findings.packets);
            let around = self.around(&findings, cutoff);
            if !findings.counts_with_other(&self.rules, around.other.as_ref()) {
                each(&findings.five_tuple, &findings.judge(&self.rules, &around), &rows);
            }
        }
        count
    }

    /// Each 5-tuple once, in the order of [`for_each`](Self::for_each).
    pub(crate) fn five_tuples(&self) -> impl Iterator<Item = FiveTuple> + Clone {
        self.flows.iter().filter_map(|flow| {
            let findings = Findings::of(&flow.rows)?;
            let other = self.around(&findings, 0).other;
            (!findings.counts_with_other(&self.rules, other.as_ref())).then_some(findings.five_tuple)
        })
    }

    /// What is around the rows of a 5-tuple.
    fn around(&self, findings: &Findings, cutoff: i64) -> Context {
        let other = self.flow(&findings.five_tuple.reversed()).and_then(|flow| Findings::of(&flow.rows));
        Context { cutoff, other: other.map(|other| other.as_other()) }
    }

    fn flow(&self, five_tuple: &FiveTuple) -> Option<&Flow> {
        Some(&self.flows[*self.index.get(five_tuple)?])
    }

    /// Explains the outcome of a 5-tuple; `None` if no datagram of it is in the window.
    pub(crate) fn trace(&self, five_tuple: &FiveTuple, cutoff: i64) -> Option<Trace> {
        let rows = self.flow(five_tuple)?.rows();
        let around = self.around(&Findings::of(&rows)?, cutoff);
        Trace::of(&rows, &self.rules, &around)
    }
}
