//! Rows that are replaced by what was found in them, and flows whose ports are used again.

use super::reused::{Reused, Sealed, rsts};
use super::{Note, Table, near};
use crate::findings::Outline;
use crate::row::duplicates;
use crate::{DataSet, Findings, Row, Split};

/// Number of complete flows that wait to be sealed. One whose ports are used again before that is split
/// as if all rows were at hand, in whatever order they arrive: 1,024 connections of ten packets are more than the 10,000
/// records after which a window is closed.
const HELD: usize = 1024;
/// Number of flows that are read ahead when they are sealed.
const AHEAD: usize = 8;

impl Table {
    /// Has a flow whose rows are complete sealed in its turn.
    #[inline]
    pub(super) fn hold(&mut self, at: usize) {
        self.complete.push_back(at as u32);
        if self.complete.len() > HELD
            && let Some(at) = self.complete.pop_front()
        {
            let next = self.complete.get(AHEAD).map(|at| self.touch_kept(&self.flows[*at as usize]));
            near(next.into_iter());
            self.seal(at as usize);
        }
    }

    fn seal(&mut self, at: usize) {
        let flow = &self.flows[at];
        if flow.is_reused() {
            return;
        }
        let is_ordinary = flow.is_ordinary();
        self.take_rows(at);
        self.duplicates += duplicates(&self.rows);
        let place =
            if is_ordinary { Outline::of(&self.rows[0], &self.rows).bits() } else { self.seal_rows() };
        self.flows[at].seal(place);
    }

    /// Keeps what is found in `rows`; gives where.
    fn seal_rows(&mut self) -> u32 {
        let Sealed { findings, tail, rsts } = Sealed::of(&mut self.rows);
        let place = self.sealed.len() as u32;
        self.sealed.push(findings);
        if tail > 0 || rsts.len() > 1 {
            self.notes.insert(place, Note { tail, rsts });
        }
        place
    }

    /// Puts the rows of a flow that is neither sealed nor reused into `rows` and frees their block.
    pub(super) fn take_rows(&mut self, at: usize) {
        let flow = &self.flows[at];
        self.rows.clear();
        if !flow.is_ordinary() {
            self.rows.extend_from_slice(self.wide.rows(flow.block(), flow.len));
            self.wide.free(flow.block());
        } else if flow.len > 0 {
            let others = self.narrow.rows(flow.place(), usize::from(flow.len - 1));
            flow.lay_out(others, self.start, &mut self.rows);
            if !others.is_empty() {
                self.narrow.free(flow.place());
            }
        }
    }

    /// Counts the rows of a flow anew, if it has any.
    pub(super) fn count_anew(&mut self, at: usize) {
        let flow = &self.flows[at];
        if flow.is_reused() {
            self.flows[at].len = 0;
            return;
        }
        if flow.len == 0 {
            return;
        }
        let reused = if flow.is_sealed() {
            Reused::after(self.sealed_of(at))
        } else {
            self.take_rows(at);
            Reused::new(self.rows.clone())
        };
        self.flows[at].reuse(self.reused.len() as u32);
        self.reused.push(reused);
    }

    fn sealed_of(&self, at: usize) -> Sealed {
        let flow = &self.flows[at];
        if flow.is_ordinary() {
            return Sealed { findings: flow.findings(flow.outline(), self.start), tail: 0, rsts: Vec::new() };
        }
        let findings = self.sealed[flow.place() as usize];
        let note = self
            .notes
            .get(&flow.place())
            .cloned()
            .unwrap_or_else(|| Note { tail: 0, rsts: findings.latest_rst_ts().into_iter().collect() });
        Sealed { findings, tail: note.tail, rsts: note.rsts }
    }
}

impl Sealed {
    /// Seals the rows of a 5-tuple whose ports were not reused.
    fn of(rows: &mut [Row]) -> Self {
        let rsts = rsts(rows).collect();
        let split = Split::of(rows, DataSet::Tcp);
        let rows = split.parts().next().map_or(&[][..], |part| part.rows);
        Self { findings: Findings::of_tcp(rows), tail: split.tail().len() as u32, rsts }
    }
}
