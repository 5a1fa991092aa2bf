//! The 5-tuples of one window and their rows.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use cutshort_packet::FiveTuple;

use crate::index::Index;
use crate::pool::{self, Block, Pool};
use crate::row::copies;
use crate::{Findings, Row};

/// Rows by 5-tuple, in the order in which the 5-tuples were first seen.
///
/// A flow whose rows are complete is *sealed*: what the rules take from the rows replaces them,
/// which takes a quarter of the space.
pub(crate) struct Table {
    limit: u16,
    keep_rows: bool,
    /// Random, so that nobody can choose addresses and ports that collide.
    seeds: [u64; 4],
    /// Positions in `flows`.
    index: Index,
    flows: Vec<Flow>,
    pool: Pool,
    sealed: Vec<Findings>,
    rows: u64,
    copies: u64,
}

/// How many packets are looked up at once.
pub(crate) const BATCH: usize = 256;
/// How many flows are read ahead when they are judged.
const AHEAD: usize = 64;

/// A packet that is to be added.
pub(crate) struct Arrival {
    pub(crate) five_tuple: FiveTuple,
    pub(crate) row: Row,
}

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
            seeds: std::array::from_fn(|_| RandomState::new().build_hasher().finish()),
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
    pub(crate) fn add_all(&mut self, arrivals: &[Arrival]) {
        let mut hashes = [0; BATCH];
        let mut flows = [None; BATCH];
        for batch in arrivals.chunks(BATCH) {
            let (hashes, flows) = (&mut hashes[..batch.len()], &mut flows[..batch.len()]);
            self.look_up(batch, hashes, flows);
            near(flows.iter().flatten().map(|at| self.touch(*at)));
            for ((arrival, hash), at) in batch.iter().zip(&*hashes).zip(&*flows) {
                let at = at.unwrap_or_else(|| self.find_or_insert(*hash, &arrival.five_tuple));
                self.add(at, arrival.row);
            }
        }
    }

    /// Finds the flows that had packets lately, and reads from where the index will be searched for the others.
    fn look_up(&self, batch: &[Arrival], hashes: &mut [u32], flows: &mut [Option<usize>]) {
        for (arrival, hash) in batch.iter().zip(&mut *hashes) {
            *hash = self.hash(&arrival.five_tuple);
        }
        // As a list, which is read from in so few steps that the processor waits for all of it at once.
        let (mut others, mut count) = ([0; BATCH], 0);
        for ((arrival, hash), flow) in batch.iter().zip(hashes).zip(flows) {
            *flow = self.index.find_recent(*hash, |at| self.flows[at].five_tuple == arrival.five_tuple);
            others[count] = *hash;
            count += usize::from(flow.is_none());
        }
        near(others[..count].iter().map(|hash| self.index.touch(*hash)));
    }

    /// Folded multiplication, as in wyhash and its kin.
    #[inline]
    fn hash(&self, five_tuple: &FiveTuple) -> u32 {
        let fold = |a: u64, b: u64| {
            let product = u128::from(a) * u128::from(b);
            product as u64 ^ (product >> 64) as u64
        };
        let halves = |addr: std::net::Ipv6Addr| (addr.to_bits() as u64, (addr.to_bits() >> 64) as u64);
        let (src_low, src_high) = halves(five_tuple.src_ip);
        let (dst_low, dst_high) = halves(five_tuple.dst_ip);
        let ports = u64::from(five_tuple.src_port) << 16 | u64::from(five_tuple.dst_port);
        let src = fold(src_low ^ self.seeds[0], src_high ^ self.seeds[1]);
        let dst = fold(dst_low ^ self.seeds[2], dst_high ^ self.seeds[3]);
        (fold(src ^ ports, dst ^ self.seeds[0]) >> 32) as u32
    }

    /// Reads from where the flow's next row will be, so that it is near when it is written.
    #[inline]
    fn touch(&self, at: usize) -> u64 {
        let flow = &self.flows[at];
        if flow.sealed || flow.len == self.limit { 0 } else { self.pool.touch(flow.block, flow.len) }
    }

    #[inline]
    fn add(&mut self, at: usize, row: Row) {
        let flow = &mut self.flows[at];
        if flow.len == self.limit {
            return;
        }
        flow.block = self.pool.push(flow.block, flow.len, row);
        flow.len += 1;
        flow.has_rst |= row.has_rst();
        if flow.len == self.limit && !self.keep_rows {
            self.seal(at);
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

    /// The flow's rows, of which a sealed one has none.
    fn kept(&self, flow: &Flow) -> &[Row] {
        if flow.sealed { &[] } else { self.pool.rows(flow.block, flow.len) }
    }

    /// Reads from what is kept of a flow, so that it is near when it is judged.
    fn touch_kept(&self, flow: &Flow) -> u64 {
        match self.sealed.get(flow.block.position()) {
            Some(findings) if flow.sealed => u64::from(findings.packets) ^ findings.last_ts as u64,
            _ => pool::touch_all(self.kept(flow)),
        }
    }

    fn findings(&self, flow: &Flow) -> Findings {
        if flow.sealed { self.sealed[flow.block.position()] } else { Findings::of(self.kept(flow)) }
    }

    /// Calls `each` with every 5-tuple, what was found in its rows, the time of the other
    /// direction's latest RST bit, and the rows where they are kept. Returns how many rows there
    /// are, and how many are a copy of another.
    pub(crate) fn for_each(
        &self,
        mut each: impl FnMut(&FiveTuple, &Findings, Option<i64>, &[Row]),
    ) -> (u64, u64) {
        let mut other_rsts = self.other_rsts().into_iter().peekable();
        let (mut all, mut copied) = (self.rows, self.copies);
        for (at, flow) in self.flows.iter().enumerate() {
            if at.is_multiple_of(AHEAD) {
                near(self.flows[at..].iter().take(AHEAD).map(|flow| self.touch_kept(flow)));
            }
            let findings = self.findings(flow);
            let rows = self.kept(flow);
            all += rows.len() as u64;
            copied += copies(rows);
            let other_rst = other_rsts.next_if(|(of, _)| *of == at);
            each(&flow.five_tuple, &findings, other_rst.map(|(_, ts)| ts), rows);
        }
        (all, copied)
    }

    pub(crate) fn five_tuples(&self) -> impl Iterator<Item = &FiveTuple> + Clone {
        self.flows.iter().map(|flow| &flow.five_tuple)
    }

    /// The kept rows of a 5-tuple, and the time of the other direction's latest RST bit.
    pub(crate) fn connection(&self, five_tuple: &FiveTuple) -> Option<(&[Row], Option<i64>)> {
        let get = |five_tuple| Some(&self.flows[self.find(self.hash(&five_tuple), &five_tuple)?]);
        let flow = get(*five_tuple)?;
        let other_rst_ts = get(five_tuple.reversed()).and_then(|flow| self.findings(flow).latest_rst_ts());
        Some((self.kept(flow), other_rst_ts))
    }

    /// The flows whose other direction has a RST bit, and when, in the order of the flows. Few
    /// have one, so these look for their other direction rather than everybody for theirs.
    fn other_rsts(&self) -> Vec<(usize, i64)> {
        let with_rst = self.flows.iter().filter(|flow| flow.has_rst);
        let mut found: Vec<_> = with_rst
            .filter_map(|flow| {
                let other = flow.five_tuple.reversed();
                let other = self.find(self.hash(&other), &other)?;
                Some((other, self.findings(flow).latest_rst_ts()?))
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
