//! What the rules take from the packets of one part of a window.

use std::collections::HashMap;

use cutshort_geo::Place;
use cutshort_packet::FiveTuple;
use cutshort_store::{FlowKey, Grouped, Result, StoredRow};
use cutshort_verdict::{Findings, Row, Rules, copies};
use foldhash::fast::RandomState;

/// The position of the node of files.
const FILES: u16 = 0;
/// Flows of a piece of the list: a list in pieces is never copied while it grows.
const PIECE: usize = 1 << 14;

/// A flow and what is known of it on its own.
pub(crate) struct Flow {
    pub(crate) five_tuple: FiveTuple,
    pub(crate) findings: Findings,
    /// For how many it stands if it is excluded: the sample rate of its earliest row.
    pub(crate) sample_rate: u32,
    /// Which server saw its SYN, or its earliest row if there is none.
    pub(crate) node: u16,
    /// None where addresses are full, which is no reason to be larger.
    hidden: Option<Box<Hidden>>,
}

/// What is known of a flow whose addresses are not full.
struct Hidden {
    key: FlowKey,
    place: Place,
}

impl Flow {
    /// What tells it from others.
    pub(crate) fn key(&self) -> FlowKey {
        self.hidden.as_ref().map_or_else(|| self.five_tuple.into(), |hidden| hidden.key)
    }

    /// Where its client is, if that came with its packets.
    pub(crate) fn place(&self) -> Option<Place> {
        self.hidden.as_ref().map(|hidden| hidden.place)
    }
}

/// The flows of a part.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) flows: Vec<Vec<Flow>>,
    /// By the flow of the other direction: the latest RST bit.
    pub(crate) other_rsts: HashMap<FlowKey, i64, RandomState>,
    /// Rows that count.
    pub(crate) packets: u64,
    /// Of these, rows that equal another.
    pub(crate) copies: u64,
}

impl Gathered {
    /// Reads a part to its end.
    pub(crate) fn read(part: &mut dyn Grouped, rules: &Rules) -> Result<Self> {
        let mut gathered = Self::default();
        let (mut stored, mut rows) = (Vec::new(), Vec::new());
        while let Some(key) = part.next_group(&mut stored)? {
            counted(&mut stored, rules, &mut rows);
            gathered.add(key, &stored, &rows);
        }
        Ok(gathered)
    }

    fn add(&mut self, key: FlowKey, stored: &[StoredRow], rows: &[Row]) {
        let Some((first, node)) = origin(stored) else { return };
        self.packets += rows.len() as u64;
        self.copies += copies(rows);
        let findings = Findings::of(rows);
        if let Some(ts) = findings.latest_rst_ts() {
            self.other_rsts.insert(key.reversed(), ts);
        }
        if self.flows.last().is_none_or(|piece| piece.len() == PIECE) {
            self.flows.push(Vec::with_capacity(PIECE));
        }
        if let Some(piece) = self.flows.last_mut() {
            let hidden = first.place.map(|place| Box::new(Hidden { key, place }));
            let (five_tuple, sample_rate) = (key.five_tuple, first.row.sample_rate);
            piece.push(Flow { five_tuple, findings, sample_rate, node, hidden });
        }
    }
}

/// Leaves the stored rows that count, and puts them into `rows`.
pub(crate) fn counted(stored: &mut Vec<StoredRow>, rules: &Rules, rows: &mut Vec<Row>) {
    merge_files(stored);
    cap_files(stored, rules.packet_limit as usize);
    rows.clear();
    rows.extend(stored.iter().map(|stored| stored.row));
}

/// A packet that several captures have is one: captures may overlap, or have grown since they were imported
/// before. It counts as often as in the segment that has it most often.
fn merge_files(rows: &mut Vec<StoredRow>) {
    let is_of_file = |row: &&StoredRow| row.node == FILES;
    let mut segments = rows.iter().filter(is_of_file).map(|row| row.segment);
    let first = segments.next();
    if segments.all(|segment| Some(segment) == first) {
        return;
    }
    rows.sort_unstable_by_key(|row| (row.node, row.row, row.segment));
    let mut merged = Vec::with_capacity(rows.len());
    for same in rows.chunk_by(|a, b| a.node == FILES && b.node == FILES && a.row == b.row) {
        let of_segments = same.chunk_by(|a, b| a.segment == b.segment);
        merged.extend_from_slice(of_segments.max_by_key(|rows| rows.len()).unwrap_or_default());
    }
    *rows = merged;
}

/// Of the rows of files the first by time stay: each file has brought its own first ones.
fn cap_files(rows: &mut Vec<StoredRow>, limit: usize) {
    if rows.len() <= limit || rows.iter().filter(|row| row.node == FILES).count() <= limit {
        return;
    }
    // Of rows at the same time the same ones stay, in whatever order they came.
    rows.sort_unstable_by_key(|row| (row.node, row.row));
    let mut files = 0;
    rows.retain(|row| {
        files += usize::from(row.node == FILES);
        row.node != FILES || files <= limit
    });
}

/// The earliest row, and the node of the SYN.
fn origin(rows: &[StoredRow]) -> Option<(&StoredRow, u16)> {
    let first = rows.iter().min_by_key(|row| (row.row.ts, row.row.sample_rate, row.node))?;
    if rows.iter().all(|row| row.node == first.node) {
        return Some((first, first.node));
    }
    let syns = rows.iter().filter(|row| row.row.is_syn());
    let node = syns.min_by_key(|syn| (syn_order(&syn.row), syn.node)).unwrap_or(first).node;
    Some((first, node))
}

/// As the rules choose the SYN packet whose fields count.
const fn syn_order(row: &Row) -> (i64, u16, u8, u16, u32) {
    (row.ts, row.ip_id, row.ttl, row.window, row.sample_rate)
}

#[cfg(test)]
mod tests {
    use cutshort_packet::Flags;

    use super::*;

    fn row(node: u16, ts: i64, flags: Flags) -> StoredRow {
        let row = Row { ts, flags, sample_rate: ts as u32, ..Row::default() };
        StoredRow { node, segment: 0, row, place: None }
    }

    #[test]
    fn rows_of_files_are_capped_and_live_ones_are_not() {
        let mut rows: Vec<_> =
            (0..8).flat_map(|ts| [row(0, ts, Flags::ACK), row(1, ts, Flags::ACK)]).collect();
        rows.reverse();
        cap_files(&mut rows, 3);
        let times =
            |node| rows.iter().filter(|row| row.node == node).map(|row| row.row.ts).collect::<Vec<_>>();
        assert_eq!((times(0), times(1)), (vec![0, 1, 2], (0..8).collect()));
    }

    #[test]
    fn a_packet_of_several_captures_is_one() {
        let of = |segment: u32, node: u16, ts: i64| StoredRow { segment, ..row(node, ts, Flags::ACK) };
        let mut rows = vec![of(2, 0, 1), of(1, 0, 1), of(2, 0, 1), of(1, 0, 2), of(3, 1, 1), of(4, 1, 1)];
        merge_files(&mut rows);
        let mut times: Vec<_> = rows.iter().map(|row| (row.node, row.row.ts)).collect();
        times.sort_unstable();
        assert_eq!(times, [(0, 1), (0, 1), (0, 2), (1, 1), (1, 1)], "twice in one capture is twice");
        let before = rows.clone();
        merge_files(&mut rows);
        assert_eq!(rows, before);
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
