//! Extracts from the datagrams of one part of a window what the rules need.

use std::collections::HashMap;

use cutshort_geo::Place;
use cutshort_packet::quic::{Datagram, Kinds};
use cutshort_store::{FlowKey, Grouped, Result, StoredDatagram};
use cutshort_verdict::Rules;
use cutshort_verdict::quic::{Findings, Other};
use foldhash::fast::RandomState;

/// The index of the node that stands for capture files.
const FILES: u16 = 0;

/// A 5-tuple of the data set `quic`, and what follows from its rows alone.
pub(crate) struct GatheredDatagrams {
    pub(crate) key: FlowKey,
    pub(crate) findings: Findings,
    /// How many connections it stands for if it is excluded: the sample rate of its earliest datagram.
    pub(crate) sample_rate: u32,
    /// The node that captured its earliest Initial row, or its earliest datagram if there is none.
    pub(crate) node: u16,
    /// Country and network of its client, if they came with its rows.
    pub(crate) place: Option<Place>,
}

/// The 5-tuples of a part of a window.
#[derive(Default)]
pub(crate) struct Datagrams {
    pub(crate) flows: Vec<GatheredDatagrams>,
    /// What the other directions take from each.
    pub(crate) others: HashMap<FlowKey, Other, RandomState>,
    /// The number of datagrams that count.
    pub(crate) packets: u64,
}

impl Datagrams {
    /// Reads a part completely.
    pub(crate) fn read(part: &mut dyn Grouped, rules: &Rules) -> Result<Self> {
        let mut gathered = Self::default();
        let mut stored = Vec::new();
        while let Some(key) = part.next_datagrams(&mut stored)? {
            limit_files(&mut stored, rules);
            gathered.add(key, &stored);
        }
        Ok(gathered)
    }

    fn add(&mut self, key: FlowKey, stored: &[StoredDatagram]) {
        let rows: Vec<Datagram> = stored.iter().map(|stored| stored.row).collect();
        let (Some(findings), Some(first)) = (Findings::of(&rows), earliest(stored, |_| true)) else { return };
        let initial = earliest(stored, |row| row.kinds.intersects(Kinds::INITIAL));
        self.packets += u64::from(findings.packets);
        self.others.insert(key, findings.as_other());
        self.flows.push(GatheredDatagrams {
            key,
            findings,
            sample_rate: first.row.sample_rate,
            node: initial.unwrap_or(first).node,
            place: first.place,
        });
    }
}

/// The earliest datagram of those that are meant.
fn earliest(stored: &[StoredDatagram], is_meant: impl Fn(&Datagram) -> bool) -> Option<&StoredDatagram> {
    let datagrams = stored.iter().filter(|stored| !stored.row.is_icmp() && is_meant(&stored.row));
    datagrams.min_by_key(|stored| (stored.row.ts, stored.row.sample_rate, stored.node))
}

/// Applies to files what one capture of all of them would have: rows that several have count as often as in the one that
/// has them most often, and the first ones count. Rows must be in the order of time.
pub(crate) fn limit_files(stored: &mut Vec<StoredDatagram>, rules: &Rules) {
    let mut segments = stored.iter().filter(|stored| stored.node == FILES).map(|stored| stored.segment);
    let first = segments.next();
    if segments.all(|segment| Some(segment) == first) {
        return;
    }
    stored.sort_unstable_by_key(|stored| (stored.node, stored.row.ts, stored.row, stored.segment));
    let mut merged = Vec::with_capacity(stored.len());
    for same in stored.chunk_by(|a, b| a.node == FILES && b.node == FILES && a.row == b.row) {
        let of_segments = same.chunk_by(|a, b| a.segment == b.segment);
        merged.extend_from_slice(of_segments.max_by_key(|rows| rows.len()).unwrap_or_default());
    }
    let initials = merged.iter().filter(|stored| stored.row.kinds.intersects(Kinds::INITIAL));
    let since = initials.map(|stored| stored.row.ts).min().unwrap_or(i64::MAX);
    let (mut datagrams, mut errors) = (0, [0; 4]);
    merged.retain(|StoredDatagram { node, row, .. }| {
        if *node != FILES {
            return true;
        }
        let (taken, limit) = match row.icmp {
            Some(_) if row.ts < since => return false,
            Some(icmp) => (&mut errors[usize::from(icmp.number())], Rules::ICMP_LIMIT),
            None => (&mut datagrams, rules.row_limit()),
        };
        *taken += 1;
        *taken <= limit
    });
    *stored = merged;
}

#[cfg(test)]
mod tests {
    use cutshort_packet::quic::Icmp;
    use cutshort_verdict::DataSet;

    use super::*;

    fn row(node: u16, segment: u32, ts: i64) -> StoredDatagram {
        let row = Datagram { ts, kinds: Kinds::INITIAL, sample_rate: 1, ..Datagram::ZERO };
        StoredDatagram { node, segment, row, place: None }
    }

    #[test]
    fn datagrams_of_several_captures_count_once_and_are_limited_together() {
        let rules = Rules { packet_limit: 2, ..Rules::of(DataSet::Quic) };
        let icmp = |segment, ts| {
            let mut row = row(0, segment, ts);
            (row.row.icmp, row.row.kinds) = (Some(Icmp::Port), Kinds::ICMP);
            row
        };
        let mut rows = vec![row(0, 1, 5), row(0, 2, 5), row(0, 2, 6), row(0, 2, 7), row(1, 3, 9), icmp(1, 4)];
        rows.extend((8..13).map(|ts| icmp(2, ts)));
        limit_files(&mut rows, &rules);
        let times: Vec<_> = rows.iter().map(|row| (row.node, row.row.ts)).collect();
        assert_eq!(times, [(0, 5), (0, 6), (0, 8), (0, 9), (0, 10), (1, 9)]);
    }
}
