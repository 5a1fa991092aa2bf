//! The flow table: the 5-tuples of one open window and their rows.
//!
//! ```text
//! packets, in batches of 256
//!   │ hash of the 5-tuple (Seeds)
//!   ▼
//! Index          hash and position in one word per slot; the slots used last once more, in a small table
//!   │ position
//!   ▼
//! Chunks<Flow>   one cache line per 5-tuple, in the order in which the 5-tuples were first seen
//!   │ place
//!   ├──► Blocks         ordinary: a SYN packet, kept in the flow, then no SYN and no RST; 21 bytes a row (Narrow)
//!   ├──► Pool           wide: anything else; 32 bytes a row (Row), in blocks of 2, 4, 8, ... rows
//!   ├──► Vec<Findings>  sealed: complete, as were 1,024 flows since; an ordinary flow keeps an Outline instead
//!   └──► Vec<Reused>    reused: a SYN packet began another connection; the flow has a list of rows of its own
//!
//! ordinary ──► wide ──► sealed ──► reused      a flow moves to the right only, and may skip states
//! ```
//!
//! At the window's end [`Table::for_each`] visits the flows in order and passes on the findings of each connection. A
//! state only says where rows are: the findings are the same in all of them.
//!
//! The index, the flows and the rows of a busy window take hundreds of megabytes, so almost every look-up waits for
//! memory. This is why packets are looked up in batches ([`Table::add_all`]), why hash and position share a word, why a
//! flow is as long as a cache line, and why growing moves nothing ([`Chunks`]).

mod chunks;
mod flow;
mod hash;
mod index;
mod judging;
mod narrow;
mod pool;
mod reused;
mod sealing;

use std::collections::{HashMap, VecDeque};

use cutshort_packet::{FiveTuple, Packet};

use chunks::Chunks;
use flow::Flow;
pub(crate) use hash::Seeds;
pub(crate) use index::Index;
use narrow::{Blocks, Narrow, ROOM};
use pool::Pool;
use reused::Reused;

use crate::{Findings, Row, Rules};

/// Rows by 5-tuple, in the order in which the 5-tuples were first seen.
pub(crate) struct Table {
    limit: u16,
    /// Beginning of the window, in nanoseconds since the Unix epoch.
    start: i64,
    keep_rows: bool,
    seeds: Seeds,
    /// Positions in `flows` by the hash of the 5-tuple.
    index: Index,
    flows: Chunks<Flow>,
    /// The rows of ordinary flows but the first, and those of all others.
    narrow: Blocks,
    wide: Pool,
    sealed: Vec<Findings>,
    /// Notes on the few sealed flows of which the findings do not say everything.
    notes: HashMap<u32, Note>,
    reused: Vec<Reused>,
    /// Flows whose rows are complete, until they are sealed.
    complete: VecDeque<u32>,
    /// Packets of connections whose rows were sealed when their ports were used again.
    late: u64,
    /// Copies among the rows of sealed flows.
    duplicates: u64,
    /// Rows of a flow that are looked at.
    rows: Vec<Row>,
}

/// Facts about a sealed flow that its findings do not have.
#[derive(Clone, Default)]
struct Note {
    /// Rows before the SYN packet.
    tail: u32,
    /// Times of the rows with the RST bit.
    rsts: Vec<i64>,
}

/// Number of packets that are looked up at once.
pub(crate) const BATCH: usize = 256;
/// A position that is not known.
const UNKNOWN: u32 = u32::MAX;
/// Number of flows that are read ahead when they are judged.
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
            notes: HashMap::new(),
            reused: Vec::new(),
            complete: VecDeque::new(),
            late: 0,
            duplicates: 0,
            rows: Vec::new(),
        }
    }

    /// Returns true if flows may be ordinary, that is, if whole rows need not be kept. Of an ordinary flow the first row has its place
    /// in the flow.
    fn has_ordinary(&self) -> bool {
        !self.keep_rows && usize::from(self.limit) <= ROOM + 1
    }

    /// Returns how many packets came for connections that were sealed and whose ports had been reused.
    pub(crate) const fn late(&self) -> u64 {
        self.late
    }

    /// Adds packets, unless the packet limit of their connection is reached.
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
        // Of a SYN packet the other direction will be searched for as well.
        let (mut others, mut count) = ([0; 2 * BATCH], 0);
        for ((packet, hash), flow) in batch.iter().zip(hashes).zip(flows) {
            let is = |at: usize| self.flows[at].five_tuple == packet.five_tuple;
            *flow = self.index.find_recent(*hash, is).map_or(UNKNOWN, |at| at as u32);
            others[count] = *hash;
            count += usize::from(*flow == UNKNOWN);
            if packet.is_syn() {
                others[count] = self.seeds.hash(&packet.five_tuple.reversed());
                count += 1;
            }
        }
        near(others[..count].iter().map(|hash| self.index.touch(*hash)));
    }

    /// Reads from where the flow's next row will be, so that it is near when it is written.
    #[inline]
    fn touch(&self, at: usize) -> u64 {
        let flow = &self.flows[at];
        match flow.is_ordinary() {
            _ if flow.len == self.limit || flow.is_reused() => 0,
            true => self.narrow.touch(flow.place(), usize::from(flow.len - 1)),
            false => self.wide.touch(flow.block(), flow.len),
        }
    }

    #[inline]
    fn add(&mut self, at: usize, packet: &Packet) {
        if packet.is_syn() && self.flows[at].begins_with(packet.seq) {
            self.begin(at, packet);
        }
        let flow = &self.flows[at];
        if flow.len == self.limit || flow.is_ordinary() && self.add_ordinary(at, &Row::from(packet)) {
            return;
        }
        self.add_wide(at, Row::from(packet));
    }

    /// Counts the rows of a flow and of the other direction anew, as a SYN packet begins a connection.
    #[inline]
    fn begin(&mut self, at: usize, syn: &Packet) {
        let other = syn.five_tuple.reversed();
        if let Some(other) = self.find(self.seeds.hash(&other), &other) {
            self.count_anew(other);
        }
        self.count_anew(at);
        self.flows[at].set_syn(syn.seq);
    }

    /// False if the flow is no longer ordinary with this row.
    #[inline]
    fn add_ordinary(&mut self, at: usize, row: &Row) -> bool {
        let has_ordinary = self.has_ordinary();
        let flow = &mut self.flows[at];
        if flow.len == 0 {
            return has_ordinary && flow.begin(row, self.start);
        }
        let first_ts = flow.first_ts(self.start);
        let Some(narrow) = Narrow::of(row, first_ts) else { return false };
        flow.lasts_to(row.ts, first_ts);
        flow.add_narrow(self.narrow.push(flow.place(), usize::from(flow.len - 1), narrow));
        if flow.len == self.limit {
            self.hold(at);
        }
        true
    }

    #[inline(never)]
    fn add_wide(&mut self, at: usize, row: Row) {
        if self.flows[at].is_reused() {
            return self.add_reused(at, row);
        }
        if self.flows[at].is_ordinary() {
            self.take_rows(at);
            let block = self.wide.store(&self.rows);
            self.flows[at].widen(block);
        }
        let flow = &mut self.flows[at];
        flow.set_block(self.wide.push(flow.block(), flow.len, row));
        flow.add_wide(&row);
        if flow.len == self.limit && !self.keep_rows {
            self.hold(at);
        }
    }

    fn add_reused(&mut self, at: usize, row: Row) {
        let flow = &mut self.flows[at];
        if self.reused[flow.place() as usize].push(row) {
            flow.add_wide(&row);
        } else {
            self.late += 1;
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
}

/// Reads from memory whose content is not needed yet.
#[inline]
pub(crate) fn near(words: impl Iterator<Item = u64>) {
    std::hint::black_box(words.fold(0, u64::wrapping_add));
}
