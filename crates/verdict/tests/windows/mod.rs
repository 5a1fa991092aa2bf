//! Random inputs of several 5-tuples and windows, and what a tracker has to say of them: grouped
//! as docs/spec.md#late says it, with all packets at hand.
use std::collections::{BTreeMap, BTreeSet};

use cutshort_packet::{FiveTuple, Flags, Packet};
use cutshort_verdict::{Outcome, Row, RowCount, Rules};
use proptest::prelude::*;
use proptest::sample::select;

use crate::cap::Cap;
use crate::oracle;
use crate::rows::{SECOND, packet, row};

const REORDER: i64 = 300 * SECOND;
const IN_A_ROW: u32 = 10_000;

/// A part of the input, in reading order.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    Packet(Packet),
    /// Records of other protocols, all at one time.
    Others {
        ts: i64,
        count: u32,
    },
}

/// Three connections in both directions, and one to itself.
fn five_tuples() -> [FiveTuple; 7] {
    let tuple = |host: u8| FiveTuple::new([192, 0, 2, host].into(), 40112, [203, 0, 113, 5].into(), 443);
    let to_itself = FiveTuple::new([192, 0, 2, 9].into(), 4000, [192, 0, 2, 9].into(), 4000);
    let [a, b, c] = [1, 2, 3].map(tuple);
    [a, a.reversed(), b, b.reversed(), c, c.reversed(), to_itself]
}

/// An input whose times run backwards by less than `backwards` seconds. In every other one each 5-tuple
/// begins as ordinary connections do, of which a tracker keeps less.
pub(crate) fn inputs(backwards: i64) -> impl Strategy<Value = Vec<Input>> {
    let any_inputs = prop_oneof![any_inputs(backwards, 1), any_inputs(backwards, 60)];
    (any_inputs, any::<bool>()).prop_map(|(mut inputs, ordinary)| {
        let mut seen = BTreeSet::new();
        let packets = inputs.iter_mut().filter_map(|input| match input {
            Input::Packet(packet) if ordinary => Some(packet),
            _ => None,
        });
        for packet in packets {
            packet.sample_rate = 1;
            if seen.insert(packet.five_tuple) {
                let ecn = Flags::from_letters("SEW").unwrap();
                packet.flags = if packet.ack == 0 { Flags::SYN } else { ecn };
                (packet.ack, packet.payload_len) = (0, 0);
            } else if packet.ttl != 0 {
                packet.flags = Flags::from_bits(packet.flags.bits() & !0b110);
            }
        }
        inputs
    })
}

/// `other_syns` as in [`row`].
fn any_inputs(backwards: i64, other_syns: u32) -> impl Strategy<Value = Vec<Input>> {
    let others = (select(&[1, 4_999, 5_000, 9_999, 10_000, 10_000, 10_001][..]), any::<bool>());
    let what = prop_oneof![
        20 => (select(five_tuples().to_vec()), row(other_syns)).prop_map(|(five_tuple, row)| Ok((five_tuple, row))),
        1 => others.prop_map(Err),
    ];
    let ahead = prop_oneof![20 => 0..2_i64, 3 => 0..100_i64, 1 => 0..1500_i64];
    let step = (ahead, prop_oneof![3 => 0..1_i64, 1 => 0..backwards], 0..2_i64, what);
    prop::collection::vec(step, 1..150).prop_map(|steps| {
        // Before the epoch, so that the numbers of windows are negative, too.
        let mut latest = -1000 * SECOND;
        let input = |(ahead, back, more, what): (i64, i64, i64, Result<_, (u32, bool)>)| {
            latest += ahead * SECOND;
            let ts = latest - back * SECOND + more;
            match what {
                Ok((five_tuple, row)) => Input::Packet(packet(&Row { ts, ..row }, five_tuple)),
                Err((count, false)) => Input::Others { ts, count },
                // Just at the time from which on a window is closed, or a nanosecond later.
                Err((count, true)) => {
                    latest += (REORDER - latest).rem_euclid(Rules::default().window);
                    Input::Others { ts: latest + more, count }
                }
            }
        };
        steps.into_iter().map(input).collect()
    })
}

/// All that is said of a window.
#[derive(Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) start: i64,
    pub(crate) cutoff: i64,
    pub(crate) rows: RowCount,
    /// Of each 5-tuple the connections in order of time, each with its rows in order of arrival.
    pub(crate) connections: BTreeMap<FiveTuple, Vec<(Vec<Row>, Outcome)>>,
}

/// The windows in the order of time, and how many packets came too late for theirs.
pub(crate) fn expected(inputs: &[Input], rules: &Rules) -> (Vec<Window>, u64) {
    let (windows, late) = taken(inputs, rules);
    let time = |input: &Input| match input {
        Input::Packet(packet) => packet.ts,
        Input::Others { ts, .. } => *ts,
    };
    let latest = inputs.iter().map(time).max().unwrap_or_default();
    let windows = windows.into_iter().map(|(number, groups)| {
        let start = number * rules.window;
        let cutoff = latest.min(start + rules.window);
        let mut rows = RowCount::default();
        let mut connections = BTreeMap::new();
        for (five_tuple, own) in &groups {
            let other = groups.get(&five_tuple.reversed()).map_or(&[][..], Vec::as_slice);
            let (tail, judged) = oracle::judge(own, other, cutoff, rules);
            rows.taken += own.len() as u64;
            rows.duplicates += duplicates(own);
            rows.tail += u64::from(tail);
            connections.insert(*five_tuple, judged);
        }
        Window { start, cutoff, rows, connections }
    });
    (windows.collect(), late)
}

pub(crate) type Groups = BTreeMap<FiveTuple, Vec<Row>>;

/// The rows that are taken of each window that is not closed yet, in order of arrival.
pub(crate) fn taken(inputs: &[Input], rules: &Rules) -> (BTreeMap<i64, Groups>, u64) {
    let mut windows = BTreeMap::<i64, Groups>::new();
    let mut caps = BTreeMap::<i64, Cap>::new();
    let mut closing = Closing::default();
    let mut late = 0;
    for input in inputs {
        match input {
            Input::Others { ts, count } => closing.record(*ts, *count, rules),
            Input::Packet(packet) => {
                closing.record(packet.ts, 1, rules);
                let number = packet.ts.div_euclid(rules.window);
                if closing.is_closed(number) {
                    late += 1;
                } else if caps.entry(number).or_default().takes(packet, rules.packet_limit) {
                    let rows = windows.entry(number).or_default().entry(packet.five_tuple).or_default();
                    rows.push(Row::from(packet));
                }
            }
        }
    }
    (windows, late)
}

/// For each window that could matter: how many records in a row were later than its end + 5
/// minutes, and whether these were ever enough.
#[derive(Default)]
struct Closing {
    in_a_row: BTreeMap<i64, u32>,
    closed: BTreeSet<i64>,
}

impl Closing {
    fn record(&mut self, ts: i64, count: u32, rules: &Rules) {
        for number in -10..1000 {
            let end = (number + 1) * rules.window;
            if ts <= end + REORDER {
                // Nor is it later for any window after this one.
                self.in_a_row.retain(|other, _| *other < number);
                break;
            }
            let records = self.in_a_row.entry(number).or_default();
            *records += count;
            if *records >= IN_A_ROW {
                self.closed.insert(number);
            }
        }
    }

    fn is_closed(&self, number: i64) -> bool {
        self.closed.contains(&number)
    }
}

/// How many rows equal another one in every field but time, TTL and what follows from options.
fn duplicates(rows: &[Row]) -> u64 {
    let mut same: BTreeMap<Row, u64> = BTreeMap::new();
    for row in rows {
        let flags = row.flags.without_scanners();
        *same.entry(Row { ts: 0, ttl: 0, flags, ..*row }).or_default() += 1;
    }
    same.into_values().filter(|count| *count > 1).sum()
}
