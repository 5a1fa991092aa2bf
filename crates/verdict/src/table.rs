//! The 5-tuples of one window and their rows.

use std::hash::BuildHasher;

use cutshort_packet::{FiveTuple, Packet};
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::findings::count_repeats;
use crate::pool::{Block, Pool};
use crate::{Findings, Row};

/// Rows by 5-tuple, in the order in which the 5-tuples were first seen.
///
/// A flow whose rows are complete is *sealed*: what the rules take from the rows replaces them,
/// which takes a quarter of the space.
pub(crate) struct Table {
    limit: u16,
    keep_rows: bool,
    hasher: DefaultHashBuilder,
    /// Positions in `flows`.
    index: HashTable<u32>,
    flows: Vec<Flow>,
    pool: Pool,
    sealed: Vec<Findings>,
    rows: u64,
    copies: u64,
}

struct Flow {
    five_tuple: FiveTuple,
    block: Block,
    len: u16,
    has_rst: bool,
    sealed: bool,
}

impl Table {
    pub(crate) fn new(packet_limit: u32, keep_rows: bool) -> Self {
        let limit = u16::try_from(packet_limit).unwrap_or(u16::MAX);
        Self {
            limit,
            keep_rows,
            hasher: DefaultHashBuilder::default(),
            index: HashTable::new(),
            flows: Vec::new(),
            pool: Pool::new(limit),
            sealed: Vec::new(),
            rows: 0,
            copies: 0,
        }
    }

    /// Adds a packet, unless the packet limit of its 5-tuple is reached.
    #[inline]
    pub(crate) fn add(&mut self, packet: &Packet) {
        let at = self.find_or_insert(&packet.five_tuple);
        let flow = &mut self.flows[at];
        if flow.len == self.limit {
            return;
        }
        let row = Row::from(packet);
        flow.block = self.pool.push(flow.block, flow.len, row);
        flow.len += 1;
        flow.has_rst |= row.has_rst();
        if flow.len == self.limit && !self.keep_rows {
            self.seal(at);
        }
    }

    #[inline]
    fn find_or_insert(&mut self, five_tuple: &FiveTuple) -> usize {
        let hash = self.hasher.hash_one(five_tuple);
        let flows = &self.flows;
        let same = |at: &u32| flows[*at as usize].five_tuple == *five_tuple;
        if let Some(at) = self.index.find(hash, same) {
            return *at as usize;
        }
        let hash_of = |at: &u32| self.hasher.hash_one(flows[*at as usize].five_tuple);
        self.index.insert_unique(hash, flows.len() as u32, hash_of);
        self.flows.push(Flow {
            five_tuple: *five_tuple,
            block: Block::default(),
            len: 0,
            has_rst: false,
            sealed: false,
        });
        self.flows.len() - 1
    }

    fn find(&self, five_tuple: &FiveTuple) -> Option<usize> {
        let same = |at: &u32| self.flows[*at as usize].five_tuple == *five_tuple;
        self.index.find(self.hasher.hash_one(five_tuple), same).map(|at| *at as usize)
    }

    fn seal(&mut self, at: usize) {
        let flow = &mut self.flows[at];
        let rows = self.pool.rows(flow.block, flow.len);
        self.rows += rows.len() as u64;
        self.copies += copies(rows);
        self.sealed.push(Findings::of(rows));
        self.pool.free(flow.block);
        flow.block = Block::at(self.sealed.len() - 1);
        flow.sealed = true;
    }

    fn findings(&self, flow: &Flow) -> Findings {
        if flow.sealed {
            self.sealed[flow.block.position()]
        } else {
            Findings::of(self.pool.rows(flow.block, flow.len))
        }
    }

    /// Calls `each` with every 5-tuple, what was found in its rows, the time of the other
    /// direction's latest RST bit, and the rows where they are kept. Returns how many rows there
    /// are, and how many are a copy of another.
    pub(crate) fn for_each(
        &self,
        mut each: impl FnMut(&FiveTuple, &Findings, Option<i64>, &[Row]),
    ) -> (u64, u64) {
        let mut other_rst = self.other_rsts().into_iter().peekable();
        let (mut all, mut copied) = (self.rows, self.copies);
        for (at, flow) in self.flows.iter().enumerate() {
            let findings = self.findings(flow);
            let rows = if flow.sealed { &[] } else { self.pool.rows(flow.block, flow.len) };
            all += rows.len() as u64;
            copied += copies(rows);
            let rst_ts = other_rst.next_if(|(of, _)| *of == at).map(|(_, ts)| ts);
            each(&flow.five_tuple, &findings, rst_ts, rows);
        }
        (all, copied)
    }

    /// The flows whose other direction has a RST bit, and when, in the order of the flows. Few
    /// have one, so these look for their other direction rather than everybody for theirs.
    fn other_rsts(&self) -> Vec<(usize, i64)> {
        let with_rst = self.flows.iter().filter(|flow| flow.has_rst);
        let mut found: Vec<_> = with_rst
            .filter_map(|flow| {
                let other = self.find(&flow.five_tuple.reversed())?;
                Some((other, self.findings(flow).latest_rst_ts?))
            })
            .collect();
        found.sort_unstable();
        found
    }
}

fn copies(rows: &[Row]) -> u64 {
    u64::from(count_repeats(rows, |_| true, Row::is_copy_of))
}
