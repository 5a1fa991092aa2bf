//! Simulated traffic, of which the truth is known, through the tracker.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
use std::collections::{HashMap, HashSet};

use cutshort_packet::FiveTuple;
use cutshort_simulate::{Event, Outcome as True, Simulation, Truth, WINDOW_NS, World};
use cutshort_verdict::{ClosedWindow, DataSet, Exclusion, Outcome, Rules, Signature, Tracker};

/// The end of the simulated time; a number of a window.
const END: i64 = 1_980_000;

type Judged = HashMap<(i64, FiveTuple), Vec<Outcome>>;

/// The verdicts of some windows, and all that is true of them.
struct Run {
    truths: Vec<Truth>,
    judged: Judged,
    /// Time of the latest packet.
    latest: i64,
}

fn run(simulation: &Simulation, windows: impl Iterator<Item = i64>) -> Run {
    let mut run = Run { truths: Vec::new(), judged: HashMap::new(), latest: i64::MIN };
    let mut tracker = Tracker::new(Rules::default());
    for event in windows.flat_map(|window| simulation.window(window)) {
        match event {
            Event::Connection(truth) => run.truths.push(truth),
            Event::Packet(packet) => {
                run.latest = run.latest.max(packet.ts);
                if tracker.record(packet.ts, Some(&packet)) {
                    while let Some(window) = tracker.next_closed() {
                        take(&window, &mut run.judged);
                    }
                }
            }
        }
    }
    assert_eq!(tracker.late(), 0);
    tracker.finish().for_each(|window| take(&window, &mut run.judged));
    run
}

fn take(window: &ClosedWindow, judged: &mut Judged) {
    window.for_each(|five_tuple, outcome, _| {
        judged.entry((window.start(), *five_tuple)).or_default().push(*outcome);
    });
}

/// Every connection is judged as is true of it, and nothing else is judged.
fn assert_true(run: &Run) {
    assert_eq!(run.judged.len(), run.truths.len());
    for truth in &run.truths {
        let start = truth.first_ts.div_euclid(WINDOW_NS) * WINDOW_NS;
        let cutoff = run.latest.min(start + WINDOW_NS);
        let outcomes = &run.judged[&(start, truth.five_tuple)];
        let (last, attempts) = outcomes.split_last().unwrap();
        assert!(is_so(last, &truth.outcome_at(cutoff)), "{truth:#?}\nis judged {last:#?}");
        let expected = if truth.after_attempt { &[Err(Exclusion::MultipleSyn)][..] } else { &[] };
        assert_eq!(attempts, expected, "{truth:#?}");
    }
}

fn is_so(outcome: &Outcome, truth: &True) -> bool {
    match (outcome, truth) {
        (Err(Exclusion::NoSyn), True::NoSyn) | (Err(Exclusion::Incomplete), True::Incomplete) => true,
        (Ok(verdict), True::Judged(truth)) => {
            verdict.stage.name() == truth.stage.name()
                && verdict.termination.name() == truth.termination.name()
                && verdict.tags.bits() == truth.tags
                && verdict.signature.map(Signature::id) == truth.signature
        }
        _ => false,
    }
}

/// Whole connections of three windows in one input: the tracker closes windows and keeps the cap.
#[test]
fn busy_windows_are_judged_truly() {
    let end = END * WINDOW_NS + 48 * WINDOW_NS;
    let simulation = Simulation::new(World::standard(), end - 3 * WINDOW_NS, end, 40.0, 11);
    let run = run(&simulation.whole_connections(), END + 45..END + 48);
    assert_true(&run);
    let verdicts = || run.judged.values().flatten().flatten();
    let signatures: HashSet<_> = verdicts().filter_map(|verdict| verdict.signature).collect();
    assert_eq!(signatures.len(), DataSet::Tcp.signatures().len(), "all signatures occur: {signatures:?}");
    let excluded: HashSet<_> = run.judged.values().flatten().filter_map(|outcome| outcome.err()).collect();
    assert_eq!(excluded.len(), DataSet::Tcp.exclusions().len(), "all exclusions occur: {excluded:?}");
}

/// Shutdown, exams, scanning campaign and flood have behaviours of their own.
#[test]
fn incidents_are_judged_truly() {
    let end = END * WINDOW_NS;
    let simulation = Simulation::new(World::standard(), end - 28 * 96 * WINDOW_NS, end, 8.0, 3);
    let mut kinds = HashSet::new();
    for incident in simulation.incidents().iter().filter(|incident| kinds.insert(incident.kind)) {
        let window = incident.from_ns.div_euclid(WINDOW_NS) + 4;
        assert_true(&run(&simulation, window..window + 1));
    }
    assert_eq!(kinds.len(), 4);
}
