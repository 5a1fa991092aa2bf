//! What must hold for all rows, whatever they are.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod cap;
mod oracle;
mod rows;
mod windows;

use std::collections::BTreeMap;

use cutshort_packet::{FiveTuple, Flags};
use cutshort_verdict::{
    ClosedWindow, Connections, DataSet, Exclusion, Judged, Outcome, PacketLimiter, Progress, Row, Rules,
    Stage, Tag, Termination, Trace, Tracker, Verdict,
};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rows::{Case, MOST, SECOND, case, shift_seq};
use windows::{Groups, Input, Window, expected, inputs, taken};

/// Failed cases are kept there, as proptest finds no place by itself for tests without a `main.rs`.
const FAILED: FileFailurePersistence =
    FileFailurePersistence::Direct("tests/proptest-regressions/properties.txt");

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: Some(Box::new(FAILED)), ..ProptestConfig::default() }
}

fn judge(case: &Case) -> (u32, Vec<Outcome>) {
    both(Connections::from(case.rows.clone()).judge(&case.rules, &case.around()))
}

fn both(judged: Judged) -> (u32, Vec<Outcome>) {
    (judged.tail, judged.outcomes)
}

proptest! {
    #![proptest_config(cases(8192))]

    #[test]
    fn judged_is_what_the_specification_says(case in case()) {
        let (tail, outcomes) = judge(&case);
        let (expected_tail, expected) = oracle::judge(&case.rows, &case.other(), case.cutoff, &case.rules);
        let expected: Vec<Outcome> = expected.into_iter().map(|(_, outcome)| outcome).collect();
        prop_assert_eq!((tail, outcomes), (expected_tail, expected));
    }

    #[test]
    fn what_a_verdict_says_is_consistent(case in case()) {
        let (tail, outcomes) = judge(&case);
        let mut packets = tail;
        for verdict in outcomes.iter().flatten() {
            assert_consistent(verdict)?;
            packets += verdict.packets;
        }
        if outcomes.iter().all(Result::is_ok) {
            prop_assert_eq!(packets as usize, case.rows.len(), "each row is a connection's or of the tail");
        }
    }
}

proptest! {
    #![proptest_config(cases(2048))]

    #[test]
    fn order_splits_and_merges_never_matter(
        case in case(),
        places in prop::collection::vec(any::<u16>(), MOST),
    ) {
        let expected = judge(&case);
        prop_assert!(case.rows.len() <= places.len());
        let mut shuffled: Vec<(u16, Row)> = places.into_iter().zip(case.rows.iter().copied()).collect();
        shuffled.sort_by_key(|(place, _)| *place);
        let mut whole = Connections::default();
        let mut parts = [const { Vec::new() }; 3];
        for (place, row) in shuffled {
            whole.merge(&Connections::from(vec![row]));
            parts[usize::from(place % 3)].push(row);
        }
        let judged = |connections: &Connections| both(connections.judge(&case.rules, &case.around()));
        prop_assert_eq!(judged(&whole), expected.clone());
        let [a, b, c] = parts.map(Connections::from);
        let merged = |first: &Connections, second: &Connections| {
            let mut merged = first.clone();
            merged.merge(second);
            merged
        };
        for merged in [merged(&merged(&a, &b), &c), merged(&c, &merged(&b, &a)), merged(&merged(&c, &a), &b)] {
            prop_assert_eq!(judged(&merged), expected.clone());
        }
    }

    #[test]
    fn order_of_the_other_directions_resets_never_matters(case in case()) {
        let mut sorted = case.clone();
        sorted.other_rsts.sort_unstable();
        let mut reversed = case.clone();
        reversed.other_rsts.reverse();
        prop_assert_eq!(judge(&sorted), judge(&case));
        prop_assert_eq!(judge(&reversed), judge(&case));
    }

    #[test]
    fn whole_windows_later_changes_times_only(case in case(), windows in -2_000_000..2_000_000_i64) {
        let by = windows * case.rules.window;
        let (tail, outcomes) = judge(&case);
        let later = outcomes.into_iter().map(|outcome| {
            outcome.map(|verdict| Verdict {
                first_ts: verdict.first_ts + by,
                last_ts: verdict.last_ts + by,
                ..verdict
            })
        });
        prop_assert_eq!(judge(&case.later(by)), (tail, later.collect()));
    }

    #[test]
    fn other_initial_sequence_numbers_change_nothing(case in case(), by in any::<u32>()) {
        // But for SYN packets of equal time, whose order is that of their numbers.
        let syns: Vec<(i64, u32)> =
            case.rows.iter().filter(|row| row.is_syn()).map(|row| (row.ts, row.seq)).collect();
        prop_assume!(syns.iter().all(|(ts, seq)| syns.iter().all(|other| other.0 != *ts || other.1 == *seq)));
        let shifted = Case { rows: shift_seq(&case.rows, by), ..case.clone() };
        prop_assert_eq!(judge(&shifted), judge(&case));
    }

    #[test]
    fn traces_show_all_rows_and_the_same_outcomes(case in case()) {
        let traces = Trace::of(&case.rows, &case.rules, &case.around());
        let (tail, outcomes) = judge(&case);
        let shown = |trace: &Trace| trace.steps.iter().map(|step| step.row).collect::<Vec<Row>>();
        prop_assert_eq!(sorted(&traces.iter().flat_map(shown).collect::<Vec<_>>()), sorted(&case.rows));
        for trace in &traces {
            prop_assert!(shown(trace).is_sorted_by_key(|row| row.ts));
            prop_assert!(!trace.reasons.is_empty());
        }
        let tails: Vec<usize> =
            traces.iter().filter(|trace| trace.outcome.is_none()).map(|trace| trace.steps.len()).collect();
        prop_assert_eq!(tails, if tail > 0 { vec![tail as usize] } else { vec![] });
        prop_assert_eq!(traces.iter().filter_map(|trace| trace.outcome).collect::<Vec<_>>(), outcomes);
    }

    /// What comes before a connection's first SYN packet, or from the next one's on, is nothing to
    /// it.
    #[test]
    fn connections_on_the_same_ports_do_not_matter_to_each_other(first in case(), second in case()) {
        let (mut first, mut second) = (first, second.later(100 * SECOND));
        second.rules = first.rules;
        // The second one begins with a SYN packet of another number than the first one's latest.
        let latest_syn = first.rows.iter().filter(|row| row.is_syn()).max_by_key(|row| (row.ts, row.seq));
        let seq = latest_syn.map_or(7, |row| row.seq.wrapping_add(7));
        let all_tail = latest_syn.is_none();
        let begins = 100 * SECOND;
        second.rows.retain(|row| row.ts > begins);
        second.rows.push(Row { ts: begins, seq, flags: Flags::SYN, ..Row::default() });
        second.other_rsts.retain(|ts| *ts >= begins);
        prop_assert!(first.rows.iter().all(|row| row.ts < begins));
        first.cutoff = begins;
        let both = Case {
            rows: [&first.rows[..], &second.rows[..]].concat(),
            other_rsts: [&first.other_rsts[..], &second.other_rsts[..]].concat(),
            ..second.clone()
        };
        let (mut tail, mut outcomes) = judge(&first);
        if all_tail {
            (tail, outcomes) = (first.rows.len() as u32, Vec::new());
        }
        if let Some(Err(last)) = outcomes.last_mut() && *last == Exclusion::Incomplete {
            *last = Exclusion::MultipleSyn;
        }
        outcomes.extend(judge(&second).1);
        prop_assert_eq!(judge(&both), (tail, outcomes));
    }
}

proptest! {
    #![proptest_config(cases(384))]

    #[test]
    fn rows_have_the_marks_of_their_packets(inputs in inputs(300)) {
        let packets = inputs.iter().filter_map(|input| match input {
            Input::Packet(packet) => Some(packet),
            Input::Others { .. } => None,
        });
        for packet in packets {
            let row = Row::from(packet);
            let known = [(Tag::Zmap4, Flags::ZMAP4), (Tag::Masscan, Flags::MASSCAN), (Tag::Mirai, Flags::MIRAI)];
            let marks = known.into_iter().filter(|(_, mark)| row.flags.intersects(*mark)).map(|(tag, _)| tag);
            prop_assert_eq!(marks.collect::<Vec<_>>(), oracle::scanners(packet), "{:?}", packet);
            prop_assert_eq!(row.flags.without_scanners(), packet.flags);
        }
    }

    /// Occurrence that run backwards by less than the reorder limit: nothing is late.
    #[test]
    fn tracker_groups_by_five_tuple_and_window(inputs in inputs(300), limit in 1..12_u32, takes in any::<bool>()) {
        let rules = Rules { packet_limit: limit, ..Rules::default() };
        let (windows, late) = expected(&inputs, &rules);
        prop_assert_eq!(late, 0);
        for keep_rows in [true, false] {
            let (tracked, tracked_late) = tracked(&inputs, rules, keep_rows, takes);
            prop_assert_eq!(tracked_late, 0);
            assert_same(&tracked, &windows, keep_rows)?;
        }
    }

    /// Occurrence that run backwards by more: what comes for a closed window is late.
    #[test]
    fn tracker_counts_what_is_late(inputs in inputs(3000), takes in any::<bool>()) {
        let rules = Rules::default();
        let (windows, late) = expected(&inputs, &rules);
        let (tracked, tracked_late) = tracked(&inputs, rules, true, takes);
        prop_assert_eq!(tracked_late, late);
        assert_same(&tracked, &windows, true)?;
        let (taken, _) = taken(&inputs, &rules);
        prop_assert_eq!(capped(&inputs, rules), (taken, late));
    }
}

fn assert_consistent(verdict: &Verdict) -> Result<(), TestCaseError> {
    let Verdict { progress, termination, stage, tags, signature, .. } = *verdict;
    let has = |tag| tags.contains(tag);
    let count = |of: &[Tag]| of.iter().filter(|tag| has(**tag)).count();
    let (reset, timeout) = (termination == Termination::Reset, termination == Termination::Timeout);

    prop_assert!(tags.iter(DataSet::Tcp).all(|tag| tag.parent().is_none_or(has)), "a tag without its parent");
    prop_assert_eq!((has(Tag::Reset), has(Tag::Timeout)), (reset, timeout));
    let kinds =
        [Tag::SingleRst, Tag::MultipleRsts, Tag::SingleRstAck, Tag::MultipleRstAcks, Tag::RstAndRstAcks];
    prop_assert_eq!(count(&kinds), usize::from(reset), "one kind of reset");
    let numbers = [Tag::AckNumSame, Tag::AckNumSame0, Tag::AckNumDiff, Tag::AckNumDiff0];
    prop_assert_eq!(count(&numbers), usize::from(has(Tag::MultipleRsts)), "one kind of numbers");
    prop_assert!(termination != Termination::ServerReset || has(Tag::ServerRst));
    prop_assert!(!timeout || !has(Tag::Answered));
    prop_assert!(progress != Progress::PostSyn || !has(Tag::Answered));

    prop_assert_eq!(stage != Stage::None, reset || timeout);
    prop_assert_eq!(verdict.is_anomalous(), stage != Stage::None);
    prop_assert!(stage != Stage::Later || reset, "later comes from resets only");
    prop_assert!(stage == Stage::None || stage == stage_at(progress, termination));

    prop_assert!(signature.is_none_or(|signature| signature.stage() == stage && !has(Tag::Fin)));
    let always = matches!(stage, Stage::PostSyn | Stage::PostPsh) && !has(Tag::Fin);
    prop_assert!(signature.is_some() || !always, "the signatures of these stages leave no gap");

    prop_assert_eq!(verdict.rst_ttl_delta.is_some(), reset);
    prop_assert!(verdict.rst_ip_id_delta.is_none_or(|delta| reset && delta <= 1 << 15));
    prop_assert!(verdict.first_ts <= verdict.last_ts && verdict.silent >= 0 && verdict.packets > 0);
    Ok(())
}

fn stage_at(progress: Progress, termination: Termination) -> Stage {
    match (progress, termination) {
        (Progress::PostSyn, _) => Stage::PostSyn,
        (Progress::PostAck, _) => Stage::PostAck,
        (Progress::Later, Termination::Reset) => Stage::Later,
        (Progress::PostPsh | Progress::Later, _) => Stage::PostPsh,
    }
}

/// What a tracker says of an input. Its closed windows may be taken as soon as they are, or all at
/// the end.
fn tracked(inputs: &[Input], rules: Rules, keep_rows: bool, takes: bool) -> (Vec<Window>, u64) {
    let mut tracker = Tracker::new(rules);
    if keep_rows {
        tracker = tracker.keep_rows();
    }
    let mut windows = Vec::new();
    for input in inputs {
        let (ts, packet, count) = match input {
            Input::Packet(packet) => (packet.ts, Some(packet), 1),
            Input::Others { ts, count } => (*ts, None, *count),
        };
        for _ in 0..count {
            if tracker.record(ts, packet) && takes {
                windows.extend(std::iter::from_fn(|| tracker.next_closed()).map(|window| read(&window)));
            }
        }
    }
    let late = tracker.late();
    windows.extend(tracker.finish().map(|window| read(&window)));
    (windows, late)
}

/// The rows that a capper takes of an input, and how many came late.
fn capped(inputs: &[Input], rules: Rules) -> (BTreeMap<i64, Groups>, u64) {
    let (mut capper, mut taken) = (PacketLimiter::new(rules), BTreeMap::<i64, Groups>::new());
    for input in inputs {
        match input {
            Input::Packet(packet) if capper.record(packet.ts, Some(packet)) => {
                let window = taken.entry(rules.window_of(packet.ts)).or_default();
                window.entry(packet.five_tuple).or_default().push(Row::from(packet));
            }
            Input::Packet(_) => {}
            Input::Others { ts, count } => (0..*count).for_each(|_| assert!(!capper.record(*ts, None))),
        }
    }
    (taken, capper.late())
}

fn read(window: &ClosedWindow) -> Window {
    let mut connections = BTreeMap::<FiveTuple, Vec<(Vec<Row>, Outcome)>>::new();
    let mut before = None;
    let rows = window.for_each(|five_tuple, outcome, rows| {
        let known = connections.entry(*five_tuple).or_default();
        assert!(known.is_empty() || before == Some(*five_tuple), "{five_tuple} is in two places");
        known.push((rows.to_vec(), *outcome));
        before = Some(*five_tuple);
    });
    Window { start: window.start(), cutoff: window.cutoff(), rows, connections }
}

/// Without `keep_rows` the rows that are shown do not matter.
fn assert_same(tracked: &[Window], expected: &[Window], keep_rows: bool) -> Result<(), TestCaseError> {
    let starts = |windows: &[Window]| windows.iter().map(|window| window.start).collect::<Vec<_>>();
    prop_assert_eq!(starts(tracked), starts(expected));
    for (tracked, expected) in tracked.iter().zip(expected) {
        prop_assert_eq!((tracked.cutoff, tracked.rows), (expected.cutoff, expected.rows));
        prop_assert!(tracked.connections.keys().eq(expected.connections.keys()));
        for (five_tuple, connections) in &tracked.connections {
            let expected = &expected.connections[five_tuple];
            prop_assert_eq!(connections.len(), expected.len(), "{}: {:#?}", five_tuple, expected);
            for ((rows, outcome), (expected_rows, expected)) in connections.iter().zip(expected) {
                prop_assert_eq!(outcome, expected, "{}: {:#?}", five_tuple, expected_rows);
                prop_assert!(!keep_rows || sorted(rows) == sorted(expected_rows), "{}: rows", five_tuple);
            }
        }
    }
    Ok(())
}

fn sorted(rows: &[Row]) -> Vec<Row> {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    rows
}
