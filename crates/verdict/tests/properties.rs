//! What must hold for all rows, whatever they are.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod oracle;
mod rows;
mod windows;

use std::collections::BTreeMap;

use cutshort_packet::FiveTuple;
use cutshort_verdict::{
    Capper, ClosedWindow, Connection, Progress, Row, Rules, Stage, Tag, Termination, Trace, Tracker, Verdict,
};
use proptest::prelude::*;
use rows::{case, packet, shift_seq};
use windows::{Input, Window, expected, inputs};

/// Without files of failed cases: the cases are small, and a seed says nothing once the ranges
/// change.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(8192))]

    #[test]
    fn verdict_is_what_the_specification_says((rows, rules, around) in case()) {
        let outcome = Connection::from(rows.clone()).judge(&rules, &around);
        prop_assert_eq!(outcome, oracle::judge(&rows, &rules, &around));
    }

    #[test]
    fn what_a_verdict_says_is_consistent((rows, rules, around) in case()) {
        if let Ok(verdict) = Connection::from(rows).judge(&rules, &around) {
            assert_consistent(&verdict)?;
        }
    }
}

proptest! {
    #![proptest_config(cases(2048))]

    #[test]
    fn order_splits_and_merges_never_matter(
        (rows, rules, around) in case(),
        places in prop::collection::vec(any::<u16>(), 20),
    ) {
        let expected = Connection::from(rows.clone()).judge(&rules, &around);
        let mut shuffled: Vec<(u16, Row)> = places.into_iter().zip(rows).collect();
        shuffled.sort_by_key(|(place, _)| *place);
        let five_tuple = FiveTuple::new([192, 0, 2, 1].into(), 1, [192, 0, 2, 2].into(), 2);
        let mut whole = Connection::default();
        let mut parts = [const { Vec::new() }; 3];
        for (place, row) in shuffled {
            whole.push(&packet(&row, five_tuple));
            parts[usize::from(place % 3)].push(row);
        }
        prop_assert_eq!(whole.judge(&rules, &around), expected);
        let [a, b, c] = parts.map(Connection::from);
        let merged = |first: &Connection, second: &Connection| {
            let mut merged = first.clone();
            merged.merge(second);
            merged
        };
        for merged in [merged(&merged(&a, &b), &c), merged(&c, &merged(&b, &a)), merged(&merged(&c, &a), &b)] {
            prop_assert_eq!(merged.judge(&rules, &around), expected);
        }
    }

    #[test]
    fn whole_windows_later_changes_times_only(
        (rows, rules, around) in case(),
        windows in -2_000_000..2_000_000_i64,
    ) {
        let by = windows * rules.window;
        let mut later_around = around;
        later_around.cutoff += by;
        later_around.other_rst_ts = around.other_rst_ts.map(|ts| ts + by);
        let later = rows.iter().map(|row| Row { ts: row.ts + by, ..*row }).collect::<Vec<_>>();
        let expected = Connection::from(rows).judge(&rules, &around).map(|verdict| Verdict {
            first_ts: verdict.first_ts + by,
            last_ts: verdict.last_ts + by,
            ..verdict
        });
        prop_assert_eq!(Connection::from(later).judge(&rules, &later_around), expected);
    }

    #[test]
    fn other_initial_sequence_numbers_change_nothing((rows, rules, around) in case(), by in any::<u32>()) {
        let shifted = Connection::from(shift_seq(&rows, by)).judge(&rules, &around);
        prop_assert_eq!(shifted, Connection::from(rows).judge(&rules, &around));
    }

    #[test]
    fn trace_shows_all_rows_and_the_same_outcome((rows, rules, around) in case()) {
        let trace = Trace::of(&rows, &rules, &around);
        let mut shown: Vec<Row> = trace.steps.iter().map(|step| step.row).collect();
        prop_assert!(shown.is_sorted_by_key(|row| row.ts));
        let mut all = rows.clone();
        all.sort_unstable();
        shown.sort_unstable();
        prop_assert_eq!(shown, all);
        prop_assert!(!trace.reasons.is_empty());
        prop_assert_eq!(trace.outcome, Connection::from(rows).judge(&rules, &around));
    }
}

proptest! {
    #![proptest_config(cases(384))]

    /// Times that run backwards by less than the reorder limit: nothing is late.
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

    /// Times that run backwards by more: what comes for a closed window is late.
    #[test]
    fn tracker_counts_what_is_late(inputs in inputs(3000), takes in any::<bool>()) {
        let rules = Rules::default();
        let (windows, late) = expected(&inputs, &rules);
        let (tracked, tracked_late) = tracked(&inputs, rules, true, takes);
        prop_assert_eq!(tracked_late, late);
        assert_same(&tracked, &windows, true)?;
        prop_assert_eq!(capped(&inputs, rules), (taken(&windows), late));
    }
}

fn assert_consistent(verdict: &Verdict) -> Result<(), TestCaseError> {
    let Verdict { progress, termination, stage, tags, signature, .. } = *verdict;
    let has = |tag| tags.has(tag);
    let count = |of: &[Tag]| of.iter().filter(|tag| has(**tag)).count();
    let (reset, timeout) = (termination == Termination::Reset, termination == Termination::Timeout);

    prop_assert!(tags.iter().all(|tag| tag.parent().is_none_or(has)), "a tag without its parent");
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

type Taken = BTreeMap<(i64, FiveTuple), Vec<Row>>;

/// The rows that a capper takes of an input, and how many came late.
fn capped(inputs: &[Input], rules: Rules) -> (Taken, u64) {
    let (mut capper, mut taken) = (Capper::new(rules), Taken::new());
    for input in inputs {
        match input {
            Input::Packet(packet) if capper.record(packet.ts, Some(packet)) => {
                let window = rules.window_start(rules.window_of(packet.ts));
                taken.entry((window, packet.five_tuple)).or_default().push(Row::from(packet));
            }
            Input::Packet(_) => {}
            Input::Others { ts, count } => (0..*count).for_each(|_| assert!(!capper.record(*ts, None))),
        }
    }
    (taken, capper.late())
}

fn taken(windows: &[Window]) -> Taken {
    let rows = |window: &Window| {
        let start = window.start;
        let rows = window.connections.iter().map(move |(tuple, (_, rows))| ((start, *tuple), rows.clone()));
        rows.collect::<Vec<_>>()
    };
    windows.iter().flat_map(rows).collect()
}

fn read(window: &ClosedWindow) -> Window {
    let mut connections = BTreeMap::new();
    let rows = window.for_each(|five_tuple, outcome, rows| {
        let before = connections.insert(*five_tuple, (*outcome, rows.to_vec()));
        assert!(before.is_none(), "{five_tuple} twice");
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
        for (five_tuple, (outcome, rows)) in &tracked.connections {
            let (expected, expected_rows) = &expected.connections[five_tuple];
            prop_assert_eq!(outcome, expected, "{}: {:#?}", five_tuple, expected_rows);
            prop_assert!(!keep_rows || rows == expected_rows, "{}: rows", five_tuple);
        }
    }
    Ok(())
}
