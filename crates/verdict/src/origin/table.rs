//! The connections of one open window, with their rows.

use cutshort_packet::{FiveTuple, Packet};

use super::opener::Pair;
use super::shape::findings;
use crate::row::duplicates;
use crate::table::{BATCH, Index, Seeds, near};
use crate::{ConnectionContext, DataSet, Findings, FlowContext, Row, RowCount, Rules, Split};

/// Pairs of a 5-tuple and its reverse, in the order in which they were first seen.
pub(crate) struct Table {
    rules: Rules,
    seeds: Seeds,
    /// Positions in `pairs` by the hash of what identifies them.
    index: Index,
    pairs: Vec<Kept>,
    /// Numbers of rows of the server, and of packets of the opener that show that the server must have answered.
    received: u64,
    sent_acks: u64,
}

/// A pair, and for each side the rows of the connections that it opened, in the order of arrival.
struct Kept {
    pair: Pair,
    rows: [Vec<Row>; 2],
}

/// As many rows as a vector of them has room for at first.
const FIRST_ROWS: usize = 4;

impl Kept {
    /// Whether it is the pair of a 5-tuple.
    fn is_of(&self, five_tuple: &FiveTuple) -> bool {
        self.pair.five_tuple == *five_tuple || self.pair.five_tuple == five_tuple.reversed()
    }

    /// Reads from where the next row will be, so that it is near when it is written.
    fn touch(&self) -> u64 {
        let latest = self.rows.iter().filter_map(|rows| rows.last());
        latest.map(|row| row.ts as u64).fold(self.pair.packets, u64::wrapping_add)
    }

    fn findings(&self) -> Findings {
        let findings = findings(&[self.pair.first]);
        if self.pair.is_self() { findings.of_itself() } else { findings }
    }
}

impl Table {
    pub(crate) fn new(rules: &Rules, seeds: Seeds) -> Self {
        Self { rules: *rules, seeds, index: Index::new(), pairs: Vec::new(), received: 0, sent_acks: 0 }
    }

    /// Adds packets in the order of arrival. They are looked up in batches, as in the table of `tcp`: what a pair has lies
    /// somewhere in hundreds of megabytes.
    pub(crate) fn add_all(&mut self, packets: &[Packet]) {
        let (mut hashes, mut places) = ([0; BATCH], [None; BATCH]);
        for batch in packets.chunks(BATCH) {
            self.look_up(batch, &mut hashes, &mut places);
            near(places[..batch.len()].iter().flatten().map(|at| self.pairs[*at].touch()));
            for ((packet, hash), at) in batch.iter().zip(hashes).zip(places) {
                let at = at.unwrap_or_else(|| self.find_or_insert(hash, packet));
                self.add(at, packet);
            }
        }
    }

    /// Finds the pairs that had packets lately, and reads from where the index will be searched for the others.
    fn look_up(&self, batch: &[Packet], hashes: &mut [u32; BATCH], places: &mut [Option<usize>; BATCH]) {
        for ((packet, hash), at) in batch.iter().zip(&mut *hashes).zip(&mut *places) {
            *hash = self.hash(&packet.five_tuple);
            *at = self.index.find_recent(*hash, |at| self.pairs[at].is_of(&packet.five_tuple));
        }
        let others = hashes[..batch.len()].iter().zip(&*places).filter(|(_, at)| at.is_none());
        near(others.map(|(hash, _)| self.index.touch(*hash)));
    }

    fn add(&mut self, at: usize, packet: &Packet) {
        let Kept { pair, rows } = &mut self.pairs[at];
        let added = pair.add(packet, &self.rules);
        for (side, row) in added.sides.into_iter().zip(added.rows) {
            let rows = &mut rows[side];
            // Most connections end with their first rows, or have as many as are taken.
            if rows.len() == FIRST_ROWS {
                rows.reserve_exact((self.rules.row_limit() as usize).saturating_sub(FIRST_ROWS));
            }
            rows.extend(row);
        }
        self.received += u64::from(added.is_received);
        self.sent_acks += u64::from(added.shows_answer);
    }

    /// Adds an ICMP error that quotes a SYN packet of the 5-tuple.
    pub(crate) fn add_icmp(&mut self, five_tuple: &FiveTuple, row: &Row) {
        let Some(at) = self.find(five_tuple) else { return };
        let Kept { pair, rows } = &mut self.pairs[at];
        if let Some(side) = pair.add_icmp(five_tuple, row.seq) {
            rows[side].push(*row);
            self.received += 1;
        }
    }

    fn hash(&self, five_tuple: &FiveTuple) -> u32 {
        self.seeds.hash(&Pair::key(five_tuple))
    }

    fn find(&self, five_tuple: &FiveTuple) -> Option<usize> {
        self.find_with(self.hash(five_tuple), five_tuple)
    }

    fn find_with(&self, hash: u32, five_tuple: &FiveTuple) -> Option<usize> {
        self.index.find(hash, |at| self.pairs[at].is_of(five_tuple))
    }

    fn find_or_insert(&mut self, hash: u32, packet: &Packet) -> usize {
        let at = self.find_with(hash, &packet.five_tuple).unwrap_or_else(|| {
            self.index.insert(hash, self.pairs.len());
            self.pairs.push(Kept { pair: Pair::new(packet), rows: Default::default() });
            self.pairs.len() - 1
        });
        self.index.note(hash, at);
        at
    }

    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    pub(crate) const fn sent_acks(&self) -> u64 {
        self.sent_acks
    }

    /// Calls `each` with every connection, and once with every pair that has none: what was found in its rows, what is around
    /// it, and the rows.
    pub(crate) fn for_each(
        &self,
        cutoff: i64,
        mut each: impl FnMut(&FiveTuple, &Findings, &ConnectionContext, &[Row]),
    ) -> RowCount {
        let around = FlowContext { cutoff, other_rsts: &[] };
        let (mut count, mut sorted) = (RowCount::default(), Vec::new());
        for kept in &self.pairs {
            let Kept { pair, rows } = kept;
            let has_opener = rows.iter().any(|rows| !rows.is_empty());
            if !has_opener {
                each(&pair.five_tuple, &kept.findings(), &around.around(None), &[pair.first]);
                count.taken += pair.packets;
                continue;
            }
            count.tail += pair.tail;
            for side in pair.sides() {
                let rows = &rows[side];
                count.taken += rows.len() as u64;
                count.duplicates += duplicates(rows);
                sorted.clone_from(rows);
                for part in Split::of(&mut sorted, DataSet::Origin).parts() {
                    each(&pair.opener(side), &findings(part.rows), &around.around(part.next), part.rows);
                }
            }
        }
        count
    }

    /// Each 5-tuple once, in the order of [`for_each`](Self::for_each).
    pub(crate) fn five_tuples(&self) -> impl Iterator<Item = FiveTuple> + Clone {
        self.pairs.iter().flat_map(|Kept { pair, .. }| pair.sides().map(|side| pair.opener(side)))
    }

    /// The rows of the connections that a 5-tuple has opened.
    pub(crate) fn rows(&self, five_tuple: &FiveTuple) -> Option<&[Row]> {
        let Kept { pair, rows } = &self.pairs[self.find(five_tuple)?];
        let side = usize::from(*five_tuple != pair.five_tuple);
        pair.has_opened(side).then_some(&rows[side][..])
    }
}
