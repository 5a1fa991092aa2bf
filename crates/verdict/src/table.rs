//! The 5-tuples of one window and their rows.

use cutshort_packet::{FiveTuple, Packet};

use crate::chunks::Chunks;
use crate::findings::Outline;
use crate::flow::Flow;
use crate::hash::Seeds;
use crate::index::Index;
use crate::narrow::{Blocks, Narrow, ROOM};
use crate::pool::{self, Pool};
use crate::row::copies;
use crate::{Findings, Row, Rules};

/// Rows by 5-tuple, in the order in which the 5-tuples were first seen.
pub(crate) struct Table {
    limit: u16,
    /// When the window begins.
    start: i64,
    keep_rows: bool,
    seeds: Seeds,
    /// Positions in `flows`.
    index: Index,
    flows: Chunks<Flow>,
    /// The rows of ordinary flows but the first, and those of all others.
    narrow: Blocks,
    wide: Pool,
    sealed: Vec<Findings>,
    /// Copies among the rows of sealed flows.
    copies: u64,
    /// Rows of a flow that are looked at.
    rows: Vec<Row>,
}

/// How many packets are looked up at once.
pub(crate) const BATCH: usize = 256;
/// A position that is not known.
const UNKNOWN: u32 = u32::MAX;
/// How many flows are read ahead when they are judged.
const AHEAD: usize = 64;

impl Table {
    pub(crate) fn new(rules: &Rules, number: i64, seeds: Seeds, keep_rows: bool) -> Self {
        let limit = u16::try_from(rules.packet_limit).unwrap_or(u16::MAX);
        Self {
            limit,
            start: rules.window_start(number),
            keep_rows,
            seeds,
            index: Index::new(),
            flows: Chunks::new(Flow::NONE),
            narrow: Blocks::new(),
            wide: Pool::new(limit),
            sealed: Vec::new(),
            copies: 0,
            rows: Vec::new(),
        }
    }

    /// Whether flows are ordinary as long as they can be. Of an ordinary flow the first row has its place
    /// in the flow, and the last one is not kept.
    fn has_ordinary(&self) -> bool {
        !self.keep_rows && 1 < self.limit && usize::from(self.limit) <= ROOM + 2
    }

    /// Adds packets, unless the packet limit of their 5-tuple is reached.
    ///
    /// Each packet's flow and rows lie somewhere in hundreds of megabytes. Looking all of them up
    /// before any is changed lets the processor wait for many of them at once.
    pub(crate) fn add_all(&mut self, packets: &[Packet]) {
        let (mut hashes, mut flows) = ([0; BATCH], [UNKNOWN; BATCH]);
        for batch in packets.chunks(BATCH) {
            let (hashes, flows) = (&mut hashes[..batch.len()], &mut flows[..batch.len()]);
            self.look_up(batch, hashes, flows);
            near(flows.iter().filter(|at| **at != UNKNOWN).map(|at| self.touch(*at as usize)));
            for ((packet, hash), at) in batch.iter().zip(&*hashes).zip(&*flows) {
                let known = *at != UNKNOWN;
                let at = if known { *at as usize } else { self.find_or_insert(*hash, &packet.five_tuple) };
                self.add(at, packet);
            }
        }
    }

    /// Finds the flows that had packets lately, and reads from where the index will be searched for the others.
    fn look_up(&self, batch: &[Packet], hashes: &mut [u32], flows: &mut [u32]) {
        for (packet, hash) in batch.iter().zip(&mut *hashes) {
            *hash = self.seeds.hash(&packet.five_tuple);
        }
        // As a list, which is read from in so few steps that the processor waits for all of it at once.
        let (mut others, mut count) = ([0; BATCH], 0);
        for ((packet, hash), flow) in batch.iter().zip(hashes).zip(flows) {
            let is = |at: usize| self.flows[at].five_tuple == packet.five_tuple;
            *flow = self.index.find_recent(*hash, is).map_or(UNKNOWN, |at| at as u32);
            others[count] = *hash;
            count += usize::from(*flow == UNKNOWN);
        }
        near(others[..count].iter().map(|hash| self.index.touch(*hash)));
    }

    /// Reads from where the flow's next row will be, so that it is near when it is written.
    #[inline]
    fn touch(&self, at: usize) -> u64 {
        let flow = &self.flows[at];
        let narrow = usize::from(flow.len - 1);
        match flow.is_ordinary() {
            _ if flow.len == self.limit => 0,
            true if flow.len + 1 == self.limit => self.narrow.touch_all(flow.place(), narrow),
            true => self.narrow.touch(flow.place(), narrow),
            false => self.wide.touch(flow.block(), flow.len),
        }
    }

    #[inline]
    fn add(&mut self, at: usize, packet: &Packet) {
        let flow = &self.flows[at];
        if flow.len == self.limit || flow.is_ordinary() && self.add_ordinary(at, &Row::from(packet)) {
            return;
        }
        self.add_wide(at, Row::from(packet));
    }

    /// False if the flow is no longer ordinary with this row.
    #[inline]
    fn add_ordinary(&mut self, at: usize, row: &Row) -> bool {
        let has_ordinary = self.has_ordinary();
        let flow = &mut self.flows[at];
        if flow.len == 0 {
            return has_ordinary && flow.begin(row, self.start);
        }
        let Some(narrow) = Narrow::of(row) else { return false };
        if !flow.lasts_to(row.ts, self.start) {
            return false;
        }
        if flow.len + 1 == self.limit {
            self.seal_ordinary(at, &narrow);
        } else {
            flow.add_narrow(self.narrow.push(flow.place(), usize::from(flow.len - 1), narrow));
        }
        true
    }

    #[inline(never)]
    fn add_wide(&mut self, at: usize, row: Row) {
        let flow = &mut self.flows[at];
        if flow.is_ordinary() {
            let narrow = self.narrow.rows(flow.place(), usize::from(flow.len.saturating_sub(1)));
            flow.lay_out(narrow.iter(), self.start, &mut self.rows);
            if !narrow.is_empty() {
                self.narrow.free(flow.place());
            }
            flow.widen(self.wide.store(&self.rows[..usize::from(flow.len)]));
        }
        flow.set_block(self.wide.push(flow.block(), flow.len, row));
        flow.add_wide(&row);
        if flow.len == self.limit && !self.keep_rows {
            self.seal_wide(at);
        }
    }

    fn find_or_insert(&mut self, hash: u32, five_tuple: &FiveTuple) -> usize {
        let at = self.find(hash, five_tuple).unwrap_or_else(|| {
            self.index.insert(hash, self.flows.len());
            self.flows.push(Flow::new(five_tuple));
            self.flows.len() - 1
        });
        self.index.note(hash, at);
        at
    }

    #[inline]
    fn find(&self, hash: u32, five_tuple: &FiveTuple) -> Option<usize> {
        self.index.find(hash, |at| self.flows[at].five_tuple == *five_tuple)
    }

    /// Seals an ordinary flow with its last row.
    fn seal_ordinary(&mut self, at: usize, last: &Narrow) {
        let flow = &mut self.flows[at];
        let others = self.narrow.rows(flow.place(), usize::from(flow.len - 1));
        flow.lay_out(others.iter().chain([last]), self.start, &mut self.rows);
        if !others.is_empty() {
            self.narrow.free(flow.place());
        }
        flow.len += 1;
        self.copies += copies(&self.rows);
        flow.seal(Outline::of(&self.rows[0], &self.rows).bits());
    }

    fn seal_wide(&mut self, at: usize) {
        let flow = &mut self.flows[at];
        let rows = self.wide.rows(flow.block(), flow.len);
        self.copies += copies(rows);
        self.sealed.push(Findings::of(rows));
        self.wide.free(flow.block());
        flow.seal(self.sealed.len() as u32 - 1);
    }

    /// The flow's rows, of which there are none unless all are kept.
    fn kept(&self, flow: &Flow) -> &[Row] {
        if self.keep_rows { self.wide.rows(flow.block(), flow.len) } else { &[] }
    }

    /// Reads from what is kept of a flow, so that it is near when it is judged.
    fn touch_kept(&self, flow: &Flow) -> u64 {
        match (flow.is_ordinary(), flow.is_sealed()) {
            (true, true) => 0,
            (true, false) => self.narrow.touch_all(flow.place(), usize::from(flow.len - 1)),
            (false, true) => u64::from(self.sealed[flow.place() as usize].packets),
            (false, false) => pool::touch_all(self.wide.rows(flow.block(), flow.len)),
        }
    }

    /// What is found in a flow's rows, and how many are copies if these were not counted yet.
    fn findings(&self, flow: &Flow, rows: &mut Vec<Row>) -> (Findings, u64) {
        match (flow.is_ordinary(), flow.is_sealed()) {
            (true, true) => (flow.findings(flow.outline(), self.start), 0),
            (true, false) => {
                let others = self.narrow.rows(flow.place(), usize::from(flow.len - 1));
                flow.lay_out(others.iter(), self.start, rows);
                (flow.findings(Outline::of(&rows[0], rows), self.start), copies(rows))
            }
            (false, true) => (self.sealed[flow.place() as usize], 0),
            (false, false) => {
                let rows = self.wide.rows(flow.block(), flow.len);
                (Findings::of(rows), copies(rows))
            }
        }
    }

    /// Calls `each` with every 5-tuple, what was found in its rows, the time of the other
    /// direction's latest RST bit, and the rows where they are kept. Returns how many rows there
    /// are, and how many are a copy of another.
    pub(crate) fn for_each(
        &self,
        mut each: impl FnMut(&FiveTuple, &Findings, Option<i64>, &[Row]),
    ) -> (u64, u64) {
        let mut other_rsts = self.other_rsts().into_iter().peekable();
        let (mut taken, mut copied) = (0, self.copies);
        let mut rows = Vec::new();
        for (at, flow) in self.flows.iter().enumerate() {
            if at.is_multiple_of(AHEAD) {
                near(self.flows.together(at, AHEAD).iter().map(|flow| self.touch_kept(flow)));
            }
            let (findings, copies) = self.findings(flow, &mut rows);
            taken += u64::from(flow.len);
            copied += copies;
            let other_rst = other_rsts.next_if(|(of, _)| *of == at);
            each(&flow.five_tuple, &findings, other_rst.map(|(_, ts)| ts), self.kept(flow));
        }
        (taken, copied)
    }

    pub(crate) fn five_tuples(&self) -> impl Iterator<Item = &FiveTuple> + Clone {
        self.flows.iter().map(|flow| &flow.five_tuple)
    }

    /// The kept rows of a 5-tuple, and the time of the other direction's latest RST bit.
    pub(crate) fn connection(&self, five_tuple: &FiveTuple) -> Option<(&[Row], Option<i64>)> {
        let get = |five_tuple| Some(&self.flows[self.find(self.seeds.hash(&five_tuple), &five_tuple)?]);
        let flow = get(*five_tuple)?;
        let latest_rst_ts = |flow| self.findings(flow, &mut Vec::new()).0.latest_rst_ts();
        let other_rst_ts = get(five_tuple.reversed()).and_then(latest_rst_ts);
        Some((self.kept(flow), other_rst_ts))
    }

    /// The flows whose other direction has a RST bit, and when, in the order of the flows. Few
    /// have one, so these look for their other direction rather than everybody for theirs.
    fn other_rsts(&self) -> Vec<(usize, i64)> {
        let with_rst = self.flows.iter().filter(|flow| flow.has_rst());
        let mut found: Vec<_> = with_rst
            .filter_map(|flow| {
                let other = flow.five_tuple.reversed();
                let other = self.find(self.seeds.hash(&other), &other)?;
                Some((other, self.findings(flow, &mut Vec::new()).0.latest_rst_ts()?))
            })
            .collect();
        found.sort_unstable();
        found
    }
}

/// Reads from memory whose content is not needed yet.
#[inline]
fn near(words: impl Iterator<Item = u64>) {
    std::hint::black_box(words.fold(0, u64::wrapping_add));
}
