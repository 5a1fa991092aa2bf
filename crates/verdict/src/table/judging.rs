//! What the flows of a table are.

use cutshort_packet::FiveTuple;

use super::flow::Flow;
use super::pool;
use super::reused::{Reused, Sealed, rsts};
use super::{AHEAD, Table, near};
use crate::findings::Outline;
use crate::row::duplicates;
use crate::{ConnectionContext, DataSet, Findings, FlowContext, Row, RowCount, Split};

/// Takes what was found in rows, when the next connection on their ports begins, and the rows themselves.
trait Each: FnMut(&Findings, Option<i64>, &[Row]) {}
impl<F: FnMut(&Findings, Option<i64>, &[Row])> Each for F {}

impl Table {
    /// Calls `each` with every connection, and every 5-tuple without a SYN packet: what was found in its rows, what
    /// is around it, and the rows where they are kept.
    pub(crate) fn for_each(
        &self,
        cutoff: i64,
        mut each: impl FnMut(&FiveTuple, &Findings, &ConnectionContext, &[Row]),
    ) -> RowCount {
        let all_rsts = self.other_rsts();
        let mut all_rsts = all_rsts.chunk_by(|a, b| a.0 == b.0).peekable();
        let mut count = RowCount { duplicates: self.duplicates, ..RowCount::default() };
        let (mut rows, mut other_rsts) = (Vec::new(), Vec::new());
        for (at, flow) in self.flows.iter().enumerate() {
            if at.is_multiple_of(AHEAD) {
                near(self.flows.together(at, AHEAD).iter().map(|flow| self.touch_kept(flow)));
            }
            other_rsts.clear();
            if let Some(rsts) = all_rsts.next_if(|rsts| rsts[0].0 == at) {
                other_rsts.extend(rsts.iter().map(|(_, ts)| *ts));
            }
            let around = FlowContext { cutoff, other_rsts: &other_rsts };
            let found = |findings: &Findings, next, rows: &[Row]| {
                each(&flow.five_tuple, findings, &around.around(next), rows);
            };
            count.add(self.judge(flow, &mut rows, found));
        }
        count
    }

    fn judge(&self, flow: &Flow, rows: &mut Vec<Row>, mut each: impl Each) -> RowCount {
        let taken = u64::from(flow.len);
        match (flow.is_ordinary(), flow.is_sealed()) {
            (true, true) => {
                each(&flow.findings(flow.outline(), self.start), None, &[]);
                RowCount { taken, ..RowCount::default() }
            }
            (true, false) => {
                let others = self.narrow.rows(flow.place(), usize::from(flow.len - 1));
                flow.lay_out(others, self.start, rows);
                each(&flow.findings(Outline::of(&rows[0], rows), self.start), None, &[]);
                RowCount { taken, duplicates: duplicates(rows), ..RowCount::default() }
            }
            (false, true) => {
                each(&self.sealed[flow.place() as usize], None, &[]);
                let tail = self.notes.get(&flow.place()).map_or(0, |note| u64::from(note.tail));
                RowCount { taken, tail, ..RowCount::default() }
            }
            (false, false) if flow.is_reused() => {
                self.judge_reused(&self.reused[flow.place() as usize], rows, each)
            }
            (false, false) => {
                rows.clear();
                rows.extend_from_slice(self.wide.rows(flow.block(), flow.len));
                let duplicates = duplicates(rows);
                let tail = self.judge_parts(&Split::of(rows, DataSet::Tcp), each);
                RowCount { taken, duplicates, tail, ..RowCount::default() }
            }
        }
    }

    /// Gives how many rows are the tail of an older connection.
    fn judge_parts(&self, split: &Split<'_>, mut each: impl Each) -> u64 {
        for part in split.parts() {
            each(&Findings::of_tcp(part.rows), part.next, if self.keep_rows { part.rows } else { &[] });
        }
        split.tail().len() as u64
    }

    fn judge_reused(&self, reused: &Reused, rows: &mut Vec<Row>, mut each: impl Each) -> RowCount {
        rows.clear();
        rows.extend_from_slice(&reused.rows);
        let (taken, duplicates) = (reused.taken(), duplicates(rows));
        let split = Split::of(rows, DataSet::Tcp);
        let Some(Sealed { findings, tail, .. }) = reused.earlier.as_deref() else {
            return RowCount {
                taken,
                duplicates,
                tail: self.judge_parts(&split, each),
                ..RowCount::default()
            };
        };
        let mut tail = u64::from(*tail);
        if findings.has_syn() {
            each(findings, split.parts().next().map(|part| part.rows[0].ts), &[]);
        } else if reused.has_syn() {
            tail += u64::from(findings.packets);
        } else {
            let later = split.parts().next().map(|part| Findings::of_tcp(part.rows));
            each(&later.map_or(*findings, |later| findings.without_syn(&later)), None, &[]);
            return RowCount { taken, duplicates, tail, ..RowCount::default() };
        }
        RowCount { taken, duplicates, tail: tail + self.judge_parts(&split, each), ..RowCount::default() }
    }

    pub(crate) fn five_tuples(&self) -> impl Iterator<Item = &FiveTuple> + Clone {
        self.flows.iter().map(|flow| &flow.five_tuple)
    }

    /// The kept rows of a 5-tuple, and the times of the other direction's RST bits.
    pub(crate) fn rows(&self, five_tuple: &FiveTuple) -> Option<(&[Row], Vec<i64>)> {
        let get = |five_tuple| Some(&self.flows[self.find(self.seeds.hash(&five_tuple), &five_tuple)?]);
        let flow = get(*five_tuple)?;
        let other_rsts = get(five_tuple.reversed()).map(|other| self.rsts(other)).unwrap_or_default();
        let rows = match () {
            () if !self.keep_rows => &[],
            () if flow.is_reused() => &self.reused[flow.place() as usize].rows[..],
            () => self.wide.rows(flow.block(), flow.len),
        };
        Some((rows, other_rsts))
    }

    /// Times of a flow's rows with the RST bit.
    fn rsts(&self, flow: &Flow) -> Vec<i64> {
        match () {
            () if !flow.has_rst() => Vec::new(),
            () if flow.is_reused() => self.reused[flow.place() as usize].rsts().collect(),
            () if !flow.is_sealed() => rsts(self.wide.rows(flow.block(), flow.len)).collect(),
            () => match self.notes.get(&flow.place()) {
                Some(note) => note.rsts.clone(),
                None => self.sealed[flow.place() as usize].latest_rst_ts().into_iter().collect(),
            },
        }
    }

    /// The flows whose other direction has RST bits, and when, in the order of the flows. Few
    /// have one, so these look for their other direction rather than everybody for theirs.
    fn other_rsts(&self) -> Vec<(usize, i64)> {
        let mut found = Vec::new();
        for flow in self.flows.iter().filter(|flow| flow.has_rst()) {
            let other = flow.five_tuple.reversed();
            if let Some(other) = self.find(self.seeds.hash(&other), &other) {
                found.extend(self.rsts(flow).into_iter().map(|ts| (other, ts)));
            }
        }
        found.sort_unstable();
        found
    }

    /// Reads from what is kept of a flow, so that it is near when it is judged.
    pub(super) fn touch_kept(&self, flow: &Flow) -> u64 {
        match (flow.is_ordinary(), flow.is_sealed()) {
            (true, true) => 0,
            (true, false) => self.narrow.touch_all(flow.place(), usize::from(flow.len - 1)),
            (false, true) => u64::from(self.sealed[flow.place() as usize].packets),
            (false, false) if flow.is_reused() => 0,
            (false, false) => pool::touch_all(self.wide.rows(flow.block(), flow.len)),
        }
    }
}
