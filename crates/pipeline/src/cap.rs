//! Applies the packet limit to connections that several captures have.
//!
//! Each capture has the first packets of each connection. Where several captures have the same 5-tuple, the limit is
//! applied to all of them together, as if they had been read as one.

use std::cmp::Reverse;
use std::collections::HashMap;

use cutshort_packet::Flags;
use cutshort_store::{FlowKey, StoredRow};
use cutshort_verdict::{DataSet, Row, Rules, Split};

use crate::gather::Gathered;

/// The index of the node that stands for capture files.
const FILES: u16 = 0;

/// Removes packets that several captures have: captures may overlap, or have grown since they were imported. A packet
/// counts as often as in the segment that has it most often.
pub(crate) fn merge_files(rows: &mut Vec<StoredRow>, rules: &Rules) {
    if is_of_one_segment(rows) {
        return;
    }
    if rules.data_set == DataSet::Origin {
        return merge_arrivals(rows);
    }
    // Segments of earlier versions kept less of a packet, so marks may differ.
    let header = |row: &StoredRow| row.row.without_marks();
    rows.sort_unstable_by_key(|row| (row.node, header(row), row.segment));
    let mut merged = Vec::with_capacity(rows.len());
    for same in rows.chunk_by(|a, b| a.node == FILES && b.node == FILES && header(a) == header(b)) {
        let of_segments = same.chunk_by(|a, b| a.segment == b.segment);
        let kept = of_segments.max_by_key(|rows| rows.len()).unwrap_or_default();
        let flags = same.iter().fold(Flags::default(), |flags, row| flags | row.row.flags);
        let marked = |row: &StoredRow| match row.node {
            FILES => StoredRow { row: Row { flags, ..row.row }, ..*row },
            _ => *row,
        };
        merged.extend(kept.iter().map(marked));
    }
    *rows = merged;
}

/// The same for rules that depend on the order of arrival: packets at the same time keep that of the capture that has most
/// of them.
fn merge_arrivals(rows: &mut Vec<StoredRow>) {
    rows.sort_by_key(|row| row.row.ts);
    let mut merged = Vec::with_capacity(rows.len());
    for at_once in rows.chunk_by(|a, b| a.row.ts == b.row.ts) {
        let (files, live): (Vec<StoredRow>, Vec<StoredRow>) =
            at_once.iter().partition(|row| row.node == FILES);
        let mut of_segments: Vec<&[StoredRow]> = files.chunk_by(|a, b| a.segment == b.segment).collect();
        of_segments.sort_by_key(|rows| Reverse(rows.len()));
        let mut kept: Vec<StoredRow> = Vec::new();
        for segment in of_segments {
            let before = kept.len();
            for (at, row) in segment.iter().enumerate() {
                let same = |rows: &[StoredRow]| rows.iter().filter(|other| other.row == row.row).count();
                if same(&segment[..=at]) > same(&kept[..before]) {
                    kept.push(*row);
                }
            }
        }
        merged.extend(kept.into_iter().chain(live));
    }
    *rows = merged;
}

/// Whether rows must be limited, which only those of several captures may need.
pub(crate) fn is_over(rows: &[StoredRow], rules: &Rules) -> bool {
    let errors = of_files(rows).filter(|row| row.row.is_icmp()).count();
    let packets = of_files(rows).count() - errors;
    (packets > rules.row_limit() as usize || errors > Rules::ICMP_LIMIT as usize) && !is_of_one_segment(rows)
}

fn of_files(rows: &[StoredRow]) -> impl Iterator<Item = &StoredRow> {
    rows.iter().filter(|row| row.node == FILES)
}

fn is_of_one_segment(rows: &[StoredRow]) -> bool {
    let mut segments = of_files(rows).map(|row| row.segment);
    let first = segments.next();
    segments.all(|segment| Some(segment) == first)
}

/// Sorts rows by time and returns when connections begin.
pub(crate) fn begins(rows: &mut [StoredRow]) -> Vec<i64> {
    let starts = Split::of(rows, DataSet::Tcp).parts().filter_map(|part| part.rows.first().copied());
    starts.filter(|first| first.row.is_syn()).map(|first| first.row.ts).collect()
}

/// Keeps the first rows of files of each connection that this host opens, by time (docs/origin.md#cap).
pub(crate) fn cap_opened(rows: &mut Vec<StoredRow>, rules: &Rules) {
    let (mut isn, mut packets, mut errors) = (None, 0, 0);
    rows.retain(|StoredRow { node, row, .. }| {
        if row.is_syn() && isn != Some(row.seq) {
            (isn, packets, errors) = (Some(row.seq), 0, 0);
        }
        if *node != FILES {
            return true;
        }
        let (taken, limit) = match row.is_icmp() {
            true => (&mut errors, Rules::ICMP_LIMIT),
            false => (&mut packets, rules.row_limit()),
        };
        *taken += 1;
        *taken <= limit
    });
}

/// Keeps the first rows of files, by time. Counting starts again where a connection begins, in either direction.
pub(crate) fn cap_files(rows: &mut Vec<StoredRow>, others_begin: &[i64], rules: &Rules) {
    // Of rows at the same time the SYN packets come first, and the same ones stay in whatever order they came.
    rows.sort_unstable_by_key(|row| (row.node, row.row));
    let mut begins = begins(rows);
    begins.extend(others_begin);
    begins.sort_unstable();
    let mut begins = begins.into_iter().peekable();
    let mut taken = 0;
    rows.retain(|row| {
        if row.node != FILES {
            return true;
        }
        while begins.next_if(|begin| *begin <= row.row.ts).is_some() {
            taken = 0;
        }
        taken += 1;
        taken <= rules.packet_limit
    });
}

/// Limits the groups that were set aside for it, and adds them.
pub(crate) fn settle(parts: &mut [Gathered], rules: &Rules) {
    if rules.data_set == DataSet::Origin {
        return parts.iter_mut().for_each(|part| settle_opened(part, rules));
    }
    let uncapped: Vec<_> = parts.iter_mut().map(|part| std::mem::take(&mut part.uncapped)).collect();
    if uncapped.iter().all(Vec::is_empty) {
        return;
    }
    let begins = all_begins(parts, &uncapped);
    for (part, groups) in parts.iter_mut().zip(uncapped) {
        for (key, mut rows) in groups {
            cap_files(&mut rows, begins.get(&key.reversed()).map_or(&[], Vec::as_slice), rules);
            part.add(key, &mut rows, rules);
        }
    }
}

/// The same of connections that this host opens, whose rows of both directions are in one group.
fn settle_opened(part: &mut Gathered, rules: &Rules) {
    for (key, mut rows) in std::mem::take(&mut part.uncapped) {
        cap_opened(&mut rows, rules);
        part.add(key, &mut rows, rules);
    }
}

/// When connections begin in the other direction of the groups to be limited.
fn all_begins(parts: &[Gathered], uncapped: &[Vec<(FlowKey, Vec<StoredRow>)>]) -> HashMap<FlowKey, Vec<i64>> {
    let groups = || uncapped.iter().flatten();
    let mut all: HashMap<FlowKey, Vec<i64>> = groups().map(|(key, _)| (key.reversed(), Vec::new())).collect();
    for flow in parts.iter().flat_map(|part| part.flows.iter().flatten()) {
        if flow.findings.has_syn()
            && let Some(times) = all.get_mut(&flow.key())
        {
            times.push(flow.findings.first_ts);
        }
    }
    for (key, rows) in groups() {
        if let Some(times) = all.get_mut(key) {
            times.extend(begins(&mut rows.clone()));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use cutshort_packet::SynOptions;

    use super::*;

    fn row(node: u16, ts: i64, flags: Flags) -> StoredRow {
        let row = Row { ts, flags, seq: ts as u32, sample_rate: ts as u32, ..Row::default() };
        StoredRow { node, segment: 0, row, place: None, df: true, syn: SynOptions::of_earlier(flags) }
    }

    fn times(rows: &[StoredRow], node: u16) -> Vec<i64> {
        rows.iter().filter(|row| row.node == node).map(|row| row.row.ts).collect()
    }

    fn capped(mut rows: Vec<StoredRow>, others_begin: &[i64]) -> Vec<StoredRow> {
        cap_files(&mut rows, others_begin, &Rules { packet_limit: 3, ..Rules::default() });
        rows
    }

    #[test]
    fn rows_of_files_are_capped_and_live_ones_are_not() {
        let both = (0..8).flat_map(|ts| [row(0, ts, Flags::ACK), row(1, ts, Flags::ACK)]);
        let rows = capped(both.rev().collect(), &[]);
        assert_eq!((times(&rows, 0), times(&rows, 1)), (vec![0, 1, 2], (0..8).collect()));
    }

    #[test]
    fn they_are_counted_anew_where_a_connection_begins() {
        let rows = || (0..12).map(|ts| row(0, ts, if ts == 6 { Flags::SYN } else { Flags::ACK })).collect();
        assert_eq!(times(&capped(rows(), &[]), 0), [0, 1, 2, 6, 7, 8]);
        assert_eq!(times(&capped(rows(), &[4]), 0), [0, 1, 2, 4, 5, 6, 7, 8], "in either direction");
    }

    #[test]
    fn rows_of_each_opened_connection_are_capped() {
        let rules = Rules { packet_limit: 1, ..Rules::of(DataSet::Origin) };
        let icmp = Flags::RECEIVED | Flags::ICMP;
        let flags = |ts: i64| match ts % 13 {
            0 => Flags::SYN,
            1..=4 => icmp,
            _ => Flags::PSH | Flags::ACK,
        };
        let mut rows: Vec<_> = (0..26).map(|ts| row(0, ts, flags(ts))).collect();
        rows.push(row(1, 26, Flags::ACK));
        assert!(is_over(&[rows.clone(), vec![StoredRow { segment: 2, ..rows[0] }]].concat(), &rules));
        cap_opened(&mut rows, &rules);
        let kept = [0, 1, 2, 3, 5, 6, 7, 8, 9, 10];
        let expected: Vec<i64> = kept.into_iter().chain(kept.map(|ts| ts + 13)).collect();
        assert_eq!((times(&rows, 0), times(&rows, 1)), (expected, vec![26]));
    }

    #[test]
    fn a_packet_of_several_captures_is_one() {
        let of = |segment: u32, node: u16, ts: i64| StoredRow { segment, ..row(node, ts, Flags::ACK) };
        let mut rows = vec![of(2, 0, 1), of(1, 0, 1), of(2, 0, 1), of(1, 0, 2), of(3, 1, 1), of(4, 1, 1)];
        merge_files(&mut rows, &Rules::default());
        let mut times: Vec<_> = rows.iter().map(|row| (row.node, row.row.ts)).collect();
        times.sort_unstable();
        assert_eq!(times, [(0, 1), (0, 1), (0, 2), (1, 1), (1, 1)], "twice in one capture is twice");
        let before = rows.clone();
        merge_files(&mut rows, &Rules::default());
        assert_eq!(rows, before);
    }
}
