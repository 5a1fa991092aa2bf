//! The data set `quic` (docs/quic.md): scenarios, an oracle written from the text, and what must hold for all rows.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod oracle;
mod random;
mod scenario;
#[path = "../splitmix/mod.rs"]
mod splitmix;

use std::collections::BTreeMap;

use cutshort_packet::FiveTuple;
use cutshort_packet::quic::Datagram;
use cutshort_verdict::quic::{Context, Findings, Limiter};
use cutshort_verdict::{ClosedWindow, DataSet, Outcome, Rules, Tracker};
use random::{Case, Random};

/// Feeds rows to a tracker in order of arrival, and ends the input at a time.
fn windows(rows: &[Datagram], ends: i64, rules: &Rules) -> Vec<ClosedWindow> {
    let mut tracker = Tracker::new(*rules);
    for row in rows {
        assert!(!tracker.record(row.ts, None));
        tracker.add_datagram(row);
    }
    assert!(!tracker.record(ends, None));
    tracker.finish().collect()
}

fn judge(window: &ClosedWindow) -> BTreeMap<FiveTuple, (Outcome, Vec<Datagram>)> {
    let mut judged = BTreeMap::new();
    window.for_each_quic(|five_tuple, outcome, rows| {
        assert!(judged.insert(*five_tuple, (*outcome, rows.to_vec())).is_none());
    });
    judged
}

fn each_case(count: u64, mut check: impl FnMut(&Case, &mut Random)) {
    let more = std::env::var("QUIC_CASES").ok().and_then(|count| count.parse().ok());
    for seed in 0..more.unwrap_or(count) {
        let mut random = Random(seed);
        let case = random::case(&mut random);
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&case, &mut random)));
        assert!(checked.is_ok(), "the panic above is of seed {seed}: {case:#?}");
    }
}

/// As the oracle, which caps and judges by the text.
#[test]
fn judged_is_what_the_text_says() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    each_case(150_000, |case, _| {
        let expected = oracle::outcomes(&case.rows, case.cutoff, &case.rules);
        let windows = windows(&case.rows, case.cutoff, &case.rules);
        let judged: BTreeMap<FiveTuple, Outcome> =
            windows.iter().flat_map(judge).map(|(five_tuple, (outcome, _))| (five_tuple, outcome)).collect();
        // Of a pair without an Initial row it is not said which 5-tuple counts.
        assert_eq!(judged, expected);
        for outcome in expected.values() {
            let names = match outcome {
                Ok(verdict) => {
                    let tags = verdict.tags.iter(DataSet::Quic).map(|tag| tag.name().to_owned());
                    let signature = verdict.signature.map(|signature| signature.to_string());
                    tags.chain(signature).chain([format!("end {}", verdict.termination)]).collect()
                }
                Err(exclusion) => vec![exclusion.to_string()],
            };
            names.into_iter().for_each(|name| *seen.entry(name).or_default() += 1);
        }
    });
    let terms = DataSet::Quic;
    let names = terms.tags().iter().map(|tag| tag.name().to_owned());
    let names = names.chain(terms.signatures().iter().map(|signature| signature.name().to_owned()));
    let names = names.chain(terms.exclusions().iter().map(|reason| reason.name().to_owned()));
    let names = names.chain(terms.terminations().iter().map(|end| format!("end {end}")));
    for name in names {
        assert!(seen.get(&name).is_some_and(|count| *count >= 10), "{name} is too rare: {seen:#?}");
    }
}

/// Which rows are taken is decided once, in the order of arrival; what is said of them depends neither on their order nor on
/// how parts of them are merged.
#[test]
fn order_and_grouping_of_rows_never_matter() {
    each_case(20_000, |case, random| {
        for window in windows(&case.rows, case.cutoff, &case.rules) {
            let judged = judge(&window);
            let other_of = |five_tuple: &FiveTuple| {
                let rows = case.rows.iter().filter(|row| row.five_tuple == five_tuple.reversed());
                let taken = rows.filter(|row| !row.is_icmp()).take(case.rules.packet_limit as usize);
                Findings::of(&taken.copied().collect::<Vec<_>>()).map(|findings| findings.as_other())
            };
            for (five_tuple, (outcome, rows)) in judged {
                let mut shuffled = rows;
                for at in (1..shuffled.len()).rev() {
                    shuffled.swap(at, random.below(at as u64 + 1) as usize);
                }
                let (one, two) = shuffled.split_at(random.below(shuffled.len() as u64 + 1) as usize);
                let merged = [two, one].concat();
                let around = Context { cutoff: window.cutoff(), other: other_of(&five_tuple) };
                assert_eq!(Findings::of(&shuffled), Findings::of(&merged));
                assert_eq!(Findings::of(&merged).unwrap().judge(&case.rules, &around), outcome);
                let trace = cutshort_verdict::quic::Trace::of(&merged, &case.rules, &around).unwrap();
                assert_eq!(trace.outcome, Some(outcome));
                assert!(!trace.reasons.is_empty() && trace.steps.iter().all(|step| !step.meaning.is_empty()));
            }
        }
    });
}

/// A 5-tuple is listed if it is judged, and in the same order.
#[test]
fn five_tuples_are_those_that_are_judged() {
    each_case(20_000, |case, _| {
        for window in windows(&case.rows, case.cutoff, &case.rules) {
            let mut judged = Vec::new();
            window.for_each(|five_tuple, outcome, _| judged.push((*five_tuple, *outcome)));
            let five_tuples: Vec<FiveTuple> = judged.iter().map(|(five_tuple, _)| *five_tuple).collect();
            assert_eq!(window.five_tuples().collect::<Vec<_>>(), five_tuples);
            for (five_tuple, outcome) in judged {
                assert_eq!(window.quic_trace(&five_tuple).unwrap().outcome, Some(outcome));
            }
        }
    });
}

/// A program that keeps rows elsewhere keeps all that matter, and comes to the same verdicts.
#[test]
fn a_limiter_picks_the_rows_of_a_tracker() {
    each_case(20_000, |case, _| {
        // ICMP errors in the order of time: elsewhere, rows are sorted by it.
        let mut rows = case.rows.clone();
        rows.sort_by_key(|row| row.ts);
        let mut limiter = Limiter::new(case.rules);
        let mut picked: BTreeMap<FiveTuple, Vec<Datagram>> = BTreeMap::new();
        for row in &rows {
            limiter.record(row.ts);
            if limiter.takes(row) {
                picked.entry(row.five_tuple).or_default().push(*row);
            }
        }
        for window in windows(&rows, case.cutoff, &case.rules) {
            for (five_tuple, (outcome, _)) in judge(&window) {
                let of =
                    |five_tuple: &FiveTuple| Findings::of(picked.get(five_tuple).map_or(&[], Vec::as_slice));
                let other = of(&five_tuple.reversed()).map(|findings| findings.as_other());
                let around = Context { cutoff: window.cutoff(), other };
                assert_eq!(of(&five_tuple).unwrap().judge(&case.rules, &around), outcome);
            }
        }
    });
}

/// Each window begins anew.
#[test]
fn whole_windows_later_changes_times_only() {
    each_case(5_000, |case, random| {
        let by = (1 + random.below(1000)) as i64 * case.rules.window;
        let later = |row: &Datagram| Datagram { ts: row.ts + by, ..*row };
        let both: Vec<Datagram> = case.rows.iter().copied().chain(case.rows.iter().map(later)).collect();
        let kinds = |window: &ClosedWindow| -> Vec<_> {
            let tags = |outcome: Outcome| outcome.map(|verdict| (verdict.tags, verdict.termination));
            judge(window)
                .into_iter()
                .map(|(tuple, (outcome, rows))| (tuple, tags(outcome), rows.len()))
                .collect()
        };
        let windows = windows(&both, by + case.rules.window - 1, &case.rules);
        let [first, second] = &windows[..] else { panic!("{} windows", windows.len()) };
        assert_eq!(kinds(first), kinds(second));
    });
}
