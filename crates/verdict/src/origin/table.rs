//! The connections of one open window, with their rows.

use std::collections::HashMap;

use cutshort_packet::{FiveTuple, Packet};

use super::opener::Pair;
use super::shape::findings;
use crate::row::duplicates;
use crate::{ConnectionContext, DataSet, Findings, FlowContext, Row, RowCount, Rules, Split};

/// Pairs of a 5-tuple and its reverse, in the order in which they were first seen.
pub(crate) struct Table {
    rules: Rules,
    index: HashMap<FiveTuple, usize>,
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

impl Kept {
    fn findings(&self) -> Findings {
        let findings = findings(&[self.pair.first]);
        if self.pair.is_self() { findings.of_itself() } else { findings }
    }
}

impl Table {
    pub(crate) fn new(rules: &Rules) -> Self {
        Self { rules: *rules, index: HashMap::new(), pairs: Vec::new(), received: 0, sent_acks: 0 }
    }

    pub(crate) fn add_all(&mut self, packets: &[Packet]) {
        packets.iter().for_each(|packet| self.add(packet));
    }

    fn add(&mut self, packet: &Packet) {
        let at = self.find(&packet.five_tuple).unwrap_or_else(|| self.insert(packet));
        let Kept { pair, rows } = &mut self.pairs[at];
        let added = pair.add(packet, &self.rules);
        for (side, row) in added.sides.into_iter().zip(added.rows) {
            rows[side].extend(row);
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

    fn find(&self, five_tuple: &FiveTuple) -> Option<usize> {
        self.index.get(&Pair::key(five_tuple)).copied()
    }

    fn insert(&mut self, packet: &Packet) -> usize {
        self.index.insert(Pair::key(&packet.five_tuple), self.pairs.len());
        self.pairs.push(Kept { pair: Pair::new(packet), rows: Default::default() });
        self.pairs.len() - 1
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
        let mut count = RowCount::default();
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
                let mut rows = rows[side].clone();
                count.taken += rows.len() as u64;
                count.duplicates += duplicates(&rows);
                for part in Split::of(&mut rows, DataSet::Origin).parts() {
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
