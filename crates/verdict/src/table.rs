//! The 5-tuples of one window and their rows.

use std::hash::BuildHasher;

use cutshort_packet::{FiveTuple, Packet};
use foldhash::fast::RandomState;

use crate::index::Index;
use crate::pool::{Block, Pool};
use crate::{Findings, Row};

/// Rows by 5-tuple, in the order in which the 5-tuples were first seen.
///
/// A flow whose rows are complete is *sealed*: what the rules take from the rows replaces them,
/// which takes a quarter of the space.
pub(crate) struct Table {
    limit: u16,
    keep_rows: bool,
    /// Random, so that nobody can choose addresses and ports that collide.
    hasher: RandomState,
    /// Positions in `flows`.
    index: Index,
    flows: Vec<Flow>,
    pool: Pool,
    sealed: Vec<Findings>,
    rows: u64,
    copies: u64,
}

/// How many packets are looked up at once.
pub(crate) const BATCH: usize = 64;

struct Flow {
    five_tuple: FiveTuple,
    block: Block,
    len: u16,
    has_rst: bool,
    sealed: bool,
}

impl Flow {
    const fn new(five_tuple: &FiveTuple) -> Self {
        Self { five_tuple: *five_tuple, block: Block::NONE, len: 0, has_rst: false, sealed: false }
    }
}

impl Table {
    pub(crate) fn new(packet_limit: u32, keep_rows: bool) -> Self {
        let limit = u16::try_from(packet_limit).unwrap_or(u16::MAX);
        Self {
            limit,
            keep_rows,
            hasher: RandomState::default(),
            index: Index::new(),
            flows: Vec::new(),
            pool: Pool::new(limit),
            sealed: Vec::new(),
            rows: 0,
            copies: 0,
        }
    }

    /// Adds packets, unless the packet limit of their 5-tuple is reached.
    ///
    /// Each packet's flow and rows lie somewhere in hundreds of megabytes. Looking all of them up
    /// before any is changed lets the processor wait for many of them at once.
    pub(crate) fn add_all(&mut self, packets: &[Packet]) {
        let mut hashes = [0; BATCH];
        let mut found = [None; BATCH];
        for batch in packets.chunks(BATCH) {
            let all = || batch.iter().zip(0..);
            all().for_each(|(packet, at): (_, usize)| hashes[at] = self.hash(&packet.five_tuple));
            near(all().map(|(_, at)| self.index.touch(hashes[at])));
            near(all().map(|(_, at)| self.touch_flow(hashes[at])));
            all().for_each(|(packet, at)| found[at] = self.find(hashes[at], &packet.five_tuple));
            near(all().map(|(_, at)| found[at].map_or(0, |flow| self.touch_row(flow))));
            for (packet, at) in all() {
                let flow = found[at].unwrap_or_else(|| self.find_or_insert(hashes[at], &packet.five_tuple));
                self.add(flow, packet);
            }
        }
    }

    #[inline]
    fn hash(&self, five_tuple: &FiveTuple) -> u32 {
        (self.hasher.hash_one(five_tuple) >> 32) as u32
    }

    /// Reads from the flow that the hash most likely belongs to.
    #[inline]
    fn touch_flow(&self, hash: u32) -> u64 {
        self.index.find(hash, |_| true).map_or(0, |at| u64::from(self.flows[at].len))
    }

    /// Reads from where the flow's next row will be, so that it is near when it is written.
    #[inline]
    fn touch_row(&self, at: usize) -> u64 {
        let flow = &self.flows[at];
        if flow.sealed { 0 } else { self.pool.touch(flow.block, flow.len) }
    }

    #[inline]
    fn add(&mut self, at: usize, packet: &Packet) {
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

    fn find_or_insert(&mut self, hash: u32, five_tuple: &FiveTuple) -> usize {
        self.find(hash, five_tuple).unwrap_or_else(|| {
            self.index.insert(hash, self.flows.len());
            self.flows.push(Flow::new(five_tuple));
            self.flows.len() - 1
        })
    }

    #[inline]
    fn find(&self, hash: u32, five_tuple: &FiveTuple) -> Option<usize> {
        self.index.find(hash, |at| self.flows[at].five_tuple == *five_tuple)
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

    /// The kept rows of a 5-tuple, and the time of the other direction's latest RST bit.
    pub(crate) fn connection(&self, five_tuple: &FiveTuple) -> Option<(&[Row], Option<i64>)> {
        let get = |five_tuple| Some(&self.flows[self.find(self.hash(&five_tuple), &five_tuple)?]);
        let flow = get(*five_tuple)?;
        let other_rst_ts = get(five_tuple.reversed()).and_then(|flow| self.findings(flow).latest_rst_ts);
        let rows = if flow.sealed { &[] } else { self.pool.rows(flow.block, flow.len) };
        Some((rows, other_rst_ts))
    }

    /// The flows whose other direction has a RST bit, and when, in the order of the flows. Few
    /// have one, so these look for their other direction rather than everybody for theirs.
    fn other_rsts(&self) -> Vec<(usize, i64)> {
        let with_rst = self.flows.iter().filter(|flow| flow.has_rst);
        let mut found: Vec<_> = with_rst
            .filter_map(|flow| {
                let other = flow.five_tuple.reversed();
                let other = self.find(self.hash(&other), &other)?;
                Some((other, self.findings(flow).latest_rst_ts?))
            })
            .collect();
        found.sort_unstable();
        found
    }
}

/// How many rows equal another one in every field but time and TTL.
fn copies(rows: &[Row]) -> u64 {
    let has_copy = |(at, row): &(usize, &Row)| {
        let mut others = rows[..*at].iter().chain(&rows[*at + 1..]);
        others.any(|other| row.is_copy_of(other))
    };
    rows.iter().enumerate().filter(has_copy).count() as u64
}

/// Reads from memory whose content is not needed yet.
#[inline]
fn near(words: impl Iterator<Item = u64>) {
    std::hint::black_box(words.fold(0, u64::wrapping_add));
}
