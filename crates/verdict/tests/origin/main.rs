//! The data set `origin` (docs/origin.md): scenarios, an oracle written from the text, and what must hold for all rows.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod oracle;
mod random;
mod scenario;
#[path = "../splitmix/mod.rs"]
mod splitmix;

use std::collections::BTreeMap;

use cutshort_packet::FiveTuple;
use cutshort_verdict::{
    ClosedWindow, DataSet, Findings, FlowContext, OriginLimiter, Outcome, Row, RowCount, Split, Trace,
    Tracker,
};
use oracle::{Judged, Record};
use random::{Case, Random};

/// Feeds records to a tracker, and ends the input at a time.
fn windows(records: &[Record], ends: i64, rules: &cutshort_verdict::Rules) -> Vec<ClosedWindow> {
    let mut tracker = Tracker::new(*rules).keep_rows();
    for record in records {
        match record {
            Record::Packet(packet) => assert!(!tracker.record(packet.ts, Some(packet))),
            Record::Icmp(icmp) => {
                assert!(!tracker.record(icmp.ts, None));
                tracker.add_unreachable(icmp);
            }
        }
    }
    assert!(!tracker.record(ends, None));
    tracker.finish().collect()
}

fn judge(records: &[Record], ends: i64, rules: &cutshort_verdict::Rules) -> (Vec<Judged>, RowCount) {
    let (mut judged, mut count) = (Vec::new(), RowCount::default());
    for window in windows(records, ends, rules) {
        let mut each = |five_tuple: &FiveTuple, outcome: &Outcome, rows: &[Row]| {
            judged.push((*five_tuple, rows.to_vec(), *outcome));
        };
        count.add(window.for_each(&mut each));
    }
    (judged, count)
}

fn each_case(count: u64, mut check: impl FnMut(&Case, &mut Random)) {
    let more = std::env::var("ORIGIN_CASES").ok().and_then(|count| count.parse().ok());
    for seed in 0..more.unwrap_or(count) {
        let mut random = Random(seed);
        let case = random::case(&mut random);
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&case, &mut random)));
        assert!(checked.is_ok(), "the panic above is of seed {seed}: {case:#?}");
    }
}

/// As the oracle, which splits, caps and judges by the text.
#[test]
fn judged_is_what_the_text_says() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    each_case(150_000, |case, _| {
        let (judged, _) = judge(&case.records, case.cutoff, &case.rules);
        let expected = oracle::pair(&case.records, case.five_tuple, case.cutoff, &case.rules);
        let first = case.records.iter().find_map(|record| match record {
            Record::Packet(packet) => Some(packet.five_tuple),
            Record::Icmp(_) => None,
        });
        // The oracle begins with one direction, the table with the one that was seen first.
        let outcomes = |all: &[Judged]| -> Vec<(FiveTuple, Outcome)> {
            let mut all: Vec<_> = all.iter().map(|(opener, _, outcome)| (*opener, *outcome)).collect();
            all.sort_by_key(|(opener, _)| Some(*opener) != first);
            all
        };
        let mut expected = outcomes(&expected);
        if let [(opener, Err(cutshort_verdict::Exclusion::NoSyn))] = &mut expected[..] {
            *opener = first.unwrap_or(*opener);
        }
        assert_eq!(outcomes(&judged), expected);
        for (_, outcome) in expected {
            let name = match outcome {
                Ok(verdict) => format!("{} {}", verdict.termination, verdict.stage),
                Err(exclusion) => exclusion.to_string(),
            };
            *seen.entry(name).or_default() += 1;
            for tag in outcome.iter().flat_map(|verdict| verdict.tags.iter(DataSet::Origin)) {
                *seen.entry(tag.to_string()).or_default() += 1;
            }
            if let Some(signature) = outcome.ok().and_then(|verdict| verdict.signature) {
                *seen.entry(signature.to_string()).or_default() += 1;
            }
        }
    });
    let terms = DataSet::Origin;
    let names = terms.tags().iter().map(|tag| tag.name());
    let names = names.chain(terms.signatures().iter().map(|signature| signature.name()));
    let names = names.chain(terms.exclusions().iter().map(|reason| reason.name()));
    for name in names {
        assert!(seen.get(name).is_some_and(|count| *count >= 10), "{name} is too rare: {seen:#?}");
    }
}

/// Which rows a connection has is decided once, in the order of arrival; what is said of them does not depend on their order,
/// and so not on how parts of them are merged.
#[test]
fn order_of_a_connections_rows_never_matters() {
    each_case(20_000, |case, random| {
        let (judged, _) = judge(&case.records, case.cutoff, &case.rules);
        for (_, rows, outcome) in judged {
            let Ok(verdict) = outcome else { continue };
            let until = verdict.last_ts + verdict.silent;
            let around = FlowContext { cutoff: until, other_rsts: &[] }.around(None);
            let mut shuffled = rows;
            for at in (1..shuffled.len()).rev() {
                shuffled.swap(at, random.below(at as u64 + 1) as usize);
            }
            assert_eq!(Findings::of(&shuffled, DataSet::Origin).judge(&case.rules, &around), outcome);
        }
    });
}

/// A store that has the rows in the order of arrival comes to the same connections, and so does an explanation.
#[test]
fn rows_that_were_kept_are_judged_alike() {
    each_case(20_000, |case, _| {
        for window in windows(&case.records, case.cutoff, &case.rules) {
            let mut expected: BTreeMap<FiveTuple, Vec<Outcome>> = BTreeMap::new();
            window.for_each(|five_tuple, outcome, _| expected.entry(*five_tuple).or_default().push(*outcome));
            for five_tuple in window.five_tuples() {
                let Some((rows, other_rsts)) = window.rows(&five_tuple) else { continue };
                let around = FlowContext { cutoff: window.cutoff(), other_rsts: &other_rsts };
                let mut kept = rows.to_vec();
                let again: Vec<Outcome> = Split::of(&mut kept, DataSet::Origin)
                    .parts()
                    .map(|part| {
                        Findings::of(part.rows, DataSet::Origin).judge(&case.rules, &around.around(part.next))
                    })
                    .collect();
                assert_eq!(again, expected[&five_tuple]);
                let traces = Trace::of(rows, &case.rules, &around);
                assert_eq!(traces.iter().filter_map(|trace| trace.outcome).collect::<Vec<_>>(), again);
                assert!(traces.iter().all(|trace| !trace.reasons.is_empty()));
            }
        }
    });
}

/// A program that keeps rows elsewhere keeps the same.
#[test]
fn a_limiter_picks_the_rows_of_a_tracker() {
    each_case(20_000, |case, _| {
        let mut limiter = OriginLimiter::new(case.rules);
        let mut picked: BTreeMap<FiveTuple, Vec<Row>> = BTreeMap::new();
        let mut keep = |(five_tuple, row): (FiveTuple, Row)| picked.entry(five_tuple).or_default().push(row);
        for record in &case.records {
            match record {
                Record::Packet(packet) => limiter.record(packet.ts, Some(packet)).for_each(&mut keep),
                Record::Icmp(icmp) => {
                    assert_eq!(limiter.record(icmp.ts, None).count(), 0);
                    limiter.unreachable(icmp).into_iter().for_each(&mut keep);
                }
            }
        }
        let unopened: Vec<FiveTuple> =
            limiter.take_all_unopened().into_iter().map(|(five_tuple, _)| five_tuple).collect();
        for window in windows(&case.records, case.cutoff, &case.rules) {
            for five_tuple in window.five_tuples() {
                match window.rows(&five_tuple) {
                    Some((rows, _)) => assert_eq!(picked.remove(&five_tuple).as_deref(), Some(rows)),
                    None => assert_eq!(unopened, [five_tuple]),
                }
            }
        }
        assert_eq!(picked, BTreeMap::new());
    });
}

/// Each window begins anew.
#[test]
fn whole_windows_later_changes_times_only() {
    each_case(5_000, |case, random| {
        let by = (1 + random.below(1000)) as i64 * case.rules.window;
        let later = |record: &Record| match *record {
            Record::Packet(packet) => {
                Record::Packet(cutshort_packet::Packet { ts: packet.ts + by, ..packet })
            }
            Record::Icmp(icmp) => Record::Icmp(cutshort_packet::Unreachable { ts: icmp.ts + by, ..icmp }),
        };
        let both: Vec<Record> = case.records.iter().copied().chain(case.records.iter().map(later)).collect();
        let (once, _) = judge(&case.records, case.rules.window - 1, &case.rules);
        let (twice, _) = judge(&both, by + case.rules.window - 1, &case.rules);
        let kinds = |all: &[Judged]| -> Vec<_> {
            all.iter()
                .map(|(opener, rows, outcome)| (*opener, rows.len(), outcome.map(|it| it.tags)))
                .collect()
        };
        assert_eq!(twice.len(), 2 * once.len());
        let (first, second) = twice.split_at(once.len());
        assert_eq!((kinds(first), kinds(second)), (kinds(&once), kinds(&once)));
    });
}
