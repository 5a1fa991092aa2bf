//! Extracts from the packets of one part of a window what the rules need.

use std::collections::HashMap;

use cutshort_geo::Place;
use cutshort_packet::FiveTuple;
use cutshort_store::{FlowKey, Grouped, Result, StoredRow};
use cutshort_verdict::{DataSet, Findings, Part, Row, Rules, Split, duplicates};
use foldhash::fast::RandomState;

use crate::cap;
use crate::datagrams::Datagrams;

/// The number of flows in a piece of a list. A list in pieces is never copied while it grows.
const PIECE: usize = 1 << 14;

/// A connection, or the rows of a 5-tuple without a SYN packet, and what follows from these alone.
pub(crate) struct GatheredFlow {
    pub(crate) five_tuple: FiveTuple,
    pub(crate) findings: Findings,
    /// When the next connection on the same ports begins; [`i64::MAX`] if none does.
    next: i64,
    /// How many connections it stands for if it is excluded: the sample rate of its earliest row.
    pub(crate) sample_rate: u32,
    /// The node that captured its SYN packet, or its earliest row if there is none.
    pub(crate) node: u16,
    /// None if addresses are full; boxed so that most flows are smaller.
    hidden: Option<Box<Hidden>>,
}

/// Additional facts about a flow whose addresses are not full.
struct Hidden {
    key: FlowKey,
    place: Place,
}

impl GatheredFlow {
    /// When the next connection on the same ports begins.
    pub(crate) fn next(&self) -> Option<i64> {
        (self.next != i64::MAX).then_some(self.next)
    }

    /// The key of its 5-tuple.
    pub(crate) fn key(&self) -> FlowKey {
        self.hidden.as_ref().map_or_else(|| self.five_tuple.into(), |hidden| hidden.key)
    }

    /// Country and network of its client, if they came with its packets.
    pub(crate) fn place(&self) -> Option<Place> {
        self.hidden.as_ref().map(|hidden| hidden.place)
    }
}

/// The flows of a part of a window.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) flows: Vec<Vec<GatheredFlow>>,
    /// The times of RST bits, by the key of the other direction.
    pub(crate) other_rsts: HashMap<FlowKey, Vec<i64>, RandomState>,
    /// The number of rows that count.
    pub(crate) packets: u64,
    /// The number of rows that equal another.
    pub(crate) duplicates: u64,
    /// The number of rows before the first SYN packet of their 5-tuple.
    pub(crate) tail: u64,
    /// Groups with more packets than one capture can have: the limit must be applied to them.
    pub(crate) uncapped: Vec<(FlowKey, Vec<StoredRow>)>,
    /// Of the data set `quic`, which has no flows.
    pub(crate) datagrams: Datagrams,
    rows: Vec<Row>,
}

impl Gathered {
    /// Reads a part completely.
    pub(crate) fn read(part: &mut dyn Grouped, rules: &Rules) -> Result<Self> {
        let mut gathered = Self::default();
        if rules.data_set == DataSet::Quic {
            gathered.datagrams = Datagrams::read(part, rules)?;
            gathered.packets = gathered.datagrams.packets;
            return Ok(gathered);
        }
        let mut stored = Vec::new();
        while let Some(key) = part.next_group(&mut stored)? {
            cap::merge_files(&mut stored, rules);
            if cap::is_over(&stored, rules) {
                gathered.uncapped.push((key, std::mem::take(&mut stored)));
            } else {
                gathered.add(key, &mut stored, rules);
            }
        }
        Ok(gathered)
    }

    /// Adds the rows of a 5-tuple, after the limit.
    pub(crate) fn add(&mut self, key: FlowKey, stored: &mut [StoredRow], rules: &Rules) {
        self.lay_out(stored);
        self.packets += stored.len() as u64;
        self.duplicates += duplicates(&self.rows);
        if self.rows.iter().any(Row::has_rst) {
            let rsts = self.rows.iter().filter(|row| row.has_rst()).map(|row| row.ts);
            self.other_rsts.insert(key.reversed(), rsts.collect());
        }
        let split = Split::of(stored, rules.data_set);
        self.tail += split.tail().len() as u64;
        split.parts().for_each(|part| self.add_part(key, &part, rules));
    }

    fn add_part(&mut self, key: FlowKey, part: &Part<'_, StoredRow>, rules: &Rules) {
        let Some((first, node)) = origin(part.rows) else { return };
        self.lay_out(part.rows);
        let mut findings = Findings::of(&self.rows, rules.data_set);
        if rules.data_set == DataSet::Origin && key.five_tuple == key.five_tuple.reversed() {
            findings = findings.of_itself();
        }
        if self.flows.last().is_none_or(|piece| piece.len() == PIECE) {
            self.flows.push(Vec::with_capacity(PIECE));
        }
        if let Some(piece) = self.flows.last_mut() {
            let hidden = first.place.map(|place| Box::new(Hidden { key, place }));
            let (five_tuple, sample_rate) = (key.five_tuple, first.row.sample_rate);
            let next = part.next.unwrap_or(i64::MAX);
            piece.push(GatheredFlow { five_tuple, findings, next, sample_rate, node, hidden });
        }
    }

    fn lay_out(&mut self, stored: &[StoredRow]) {
        self.rows.clear();
        self.rows.extend(stored.iter().map(|stored| stored.row));
    }
}

/// The earliest row, and the node of the SYN packet.
fn origin(rows: &[StoredRow]) -> Option<(&StoredRow, u16)> {
    let first = rows.iter().min_by_key(|row| (row.row.ts, row.row.sample_rate, row.node))?;
    if rows.iter().all(|row| row.node == first.node) {
        return Some((first, first.node));
    }
    let syns = rows.iter().filter(|row| row.row.is_syn());
    let node = syns.min_by_key(|syn| (syn.row.syn_order(), syn.node)).unwrap_or(first).node;
    Some((first, node))
}

#[cfg(test)]
mod tests {
    use cutshort_packet::{Flags, SynOptions};

    use super::*;

    fn row(node: u16, ts: i64, flags: Flags) -> StoredRow {
        let row = Row { ts, flags, sample_rate: ts as u32, ..Row::default() };
        StoredRow { node, segment: 0, row, place: None, df: true, syn: SynOptions::of_earlier(flags) }
    }

    #[test]
    fn the_node_is_that_of_the_syn() {
        let rows = [row(0, 1, Flags::ACK), row(2, 3, Flags::SYN), row(1, 2, Flags::SYN)];
        let found = |rows: &[StoredRow]| origin(rows).map(|(first, node)| (first.row.sample_rate, node));
        assert_eq!(found(&rows), Some((1, 1)), "the earliest SYN's; the weight is the earliest row's");
        assert_eq!(found(&[row(3, 5, Flags::ACK), row(1, 9, Flags::ACK)]), Some((5, 3)));
        assert_eq!(found(&[]), None);
    }
}
