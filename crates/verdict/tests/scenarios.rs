//! Packets in, verdict out: every file of `tests/scenarios`, judged in every way there is.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod cap;
mod scenario;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cap::Cap;
use cutshort_packet::{FiveTuple, Flags, Packet};
use cutshort_verdict::{Connections, DataSet, FlowContext, Outcome, Row, Stage, Trace, Tracker};
use scenario::{Expect, File, Scenario, Subject, fields_of};

fn files() -> BTreeMap<String, Result<File, String>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let entries = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let scenarios = entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let read = |path: &Path| File::read(&std::fs::read_to_string(path).unwrap());
    scenarios.map(|path| (path.file_name().unwrap().display().to_string(), read(&path))).collect()
}

#[test]
fn scenarios_are_judged_as_they_say() {
    let files = files();
    assert!(!files.is_empty(), "there are no scenarios");
    let mut failures = String::new();
    for (name, file) in files {
        match file.and_then(|file| file.scenario()) {
            Err(error) => failures += &format!("\n{name} cannot be used: {error}\n"),
            Ok(scenario) => {
                for difference in differences(&scenario) {
                    failures += &format!("\n{name}, {difference}");
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn scenarios_cover_every_term() {
    let set = DataSet::Tcp;
    let files = files();
    let all: Vec<&Expect> = files.values().flatten().flat_map(File::expectations).collect();
    let stages = all.iter().filter_map(|expect| expect.stage.clone());
    assert_all("stage", Stage::ALL.map(Stage::name), stages);
    let terminations = all.iter().filter_map(|expect| expect.termination.clone());
    assert_all("termination", set.terminations().iter().map(|end| end.name()), terminations);
    let exclusions = all.iter().filter_map(|expect| expect.excluded.clone());
    assert_all("exclusion", set.exclusions().iter().map(|reason| reason.name()), exclusions);
    let tags = set.tags().iter().map(|tag| tag.name());
    assert_all("tag", tags, all.iter().flat_map(|expect| expect.tags.clone()));
    let ids = set.signatures().iter().map(|signature| signature.id().to_string());
    assert_all("signature", ids, all.iter().filter_map(|expect| Some(expect.signature?.to_string())));
}

fn assert_all(
    what: &str,
    known: impl IntoIterator<Item = impl Into<String>>,
    used: impl Iterator<Item = String>,
) {
    let known: BTreeSet<String> = known.into_iter().map(Into::into).collect();
    assert_eq!(used.collect::<BTreeSet<_>>(), known, "every {what} is expected by a scenario");
}

/// One paragraph for each way of judging that does not give what the file says.
fn differences(scenario: &Scenario) -> Vec<String> {
    let mut differences = Vec::new();
    for subject in &scenario.subjects {
        for (way, tail, outcomes) in ways(scenario, subject) {
            let wrong = wrong(subject, tail, &outcomes);
            if !wrong.is_empty() {
                differences.push(format!("[{}], by {way}:\n{wrong}", subject.name));
            }
        }
    }
    // A second node is a second input, which a tracker does not have.
    if scenario.nodes.len() == 1 {
        for arrival in arrivals(scenario) {
            differences.extend(of_totals(scenario, &arrival));
        }
    }
    differences
}

fn wrong(subject: &Subject, tail: Option<u32>, outcomes: &[Outcome]) -> String {
    let (found, expected) = (outcomes.len(), subject.connections.len());
    if found != expected {
        return format!("    {expected} connections are expected, {found} are found\n");
    }
    let mut wrong = String::new();
    if let Some(tail) = tail.filter(|tail| *tail != subject.tail) {
        wrong += &format!("    tail: expected {}, found {tail}\n", subject.tail);
    }
    for (at, (outcome, expected)) in outcomes.iter().zip(&subject.connections).enumerate() {
        let found = fields_of(outcome);
        for (name, expected) in expected {
            let value = found.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
            let value = value.unwrap_or("null");
            if value != expected {
                wrong += &format!("    connection {}, {name}: expected {expected}, found {value}\n", at + 1);
            }
        }
    }
    wrong
}

/// Whether a tracker judges what the file names, and nothing else, and counts the tails.
fn of_totals(scenario: &Scenario, arrival: &[Packet]) -> Option<String> {
    let (judged, tail) = tracked(scenario, arrival, false);
    let found = (judged.len() as u64, tail);
    let connections = scenario.subjects.iter().map(|subject| subject.connections.len() as u64).sum::<u64>();
    let tails = scenario.subjects.iter().map(|subject| u64::from(subject.tail)).sum::<u64>();
    let expected = (connections, tails);
    (found != expected)
        .then(|| format!("the tracker's connections and tail: expected {expected:?}, found {found:?}\n"))
}

/// What is said of a 5-tuple and window: the tail, where it is told, and the outcomes.
type Said = (&'static str, Option<u32>, Vec<Outcome>);

fn ways(scenario: &Scenario, subject: &Subject) -> Vec<Said> {
    let mut ways = Vec::new();
    for arrival in arrivals(scenario) {
        ways.extend(connections(scenario, subject, &arrival));
        if scenario.nodes.len() == 1 {
            for (way, keep_rows) in [("tracker", false), ("tracker with rows", true)] {
                let (tracked, _) = tracked(scenario, &arrival, keep_rows);
                let is_his =
                    |one: &&Tracked| (one.window, one.five_tuple) == (subject.window, subject.five_tuple);
                let outcomes = tracked.iter().filter(is_his).map(|one| one.outcome).collect();
                ways.push((way, None, outcomes));
                let rows = tracked.iter().filter(is_his).flat_map(|one| one.rows.clone());
                assert!(!keep_rows || is_all_but_the_tail(rows.collect(), scenario, subject, &arrival));
            }
        }
    }
    ways
}

/// Whether a tracker keeps the rows that are taken, but for the tail.
fn is_all_but_the_tail(
    mut rows: Vec<Row>,
    scenario: &Scenario,
    subject: &Subject,
    arrival: &[Packet],
) -> bool {
    let mut expected: Vec<Row> =
        taken(scenario, arrival, subject.five_tuple, subject.window).iter().map(Row::from).collect();
    expected.sort_unstable();
    rows.sort_unstable();
    rows == expected[subject.tail as usize..]
}

fn connections(scenario: &Scenario, subject: &Subject, arrival: &[Packet]) -> Vec<Said> {
    let Scenario { rules, .. } = scenario;
    let packets = taken(scenario, arrival, subject.five_tuple, subject.window);
    let end = rules.window_start(subject.window) + rules.window;
    let other = taken(scenario, arrival, subject.five_tuple.reversed(), subject.window);
    let rsts = other.iter().filter(|packet| packet.flags.intersects(Flags::RST)).map(|packet| packet.ts);
    let other_rsts: Vec<i64> = rsts.collect();
    let around = FlowContext { cutoff: end.min(scenario.input_ends), other_rsts: &other_rsts };
    let (front, back) = packets.split_at(packets.len() / 2);
    let mut halves = pushed(back);
    halves.merge(&pushed(front));
    let mut alternating = pushed(packets.iter().step_by(2));
    alternating.merge(&pushed(packets.iter().skip(1).step_by(2)));
    let ways = [
        ("rows as they come", pushed(&packets)),
        ("rows reversed", pushed(packets.iter().rev())),
        ("halves merged", halves),
        ("every second row merged", alternating),
    ];
    let said = |(way, connections): (&'static str, Connections)| {
        let judged = connections.judge(rules, &around);
        (way, Some(judged.tail), judged.outcomes)
    };
    let mut said: Vec<Said> = ways.into_iter().map(said).collect();
    let rows: Vec<Row> = packets.iter().map(Row::from).collect();
    let traces = Trace::of(&rows, rules, &around);
    let tail =
        traces.iter().filter(|trace| trace.outcome.is_none()).map(|trace| trace.steps.len()).sum::<usize>();
    let outcomes = traces.iter().filter_map(|trace| trace.outcome).collect();
    said.push(("trace", Some(tail as u32), outcomes));
    said
}

fn pushed<'a>(packets: impl IntoIterator<Item = &'a Packet>) -> Connections {
    let mut connections = Connections::default();
    packets.into_iter().for_each(|packet| connections.push(packet));
    connections
}

/// The first node's packets and those of the other direction, in each order of arrival in which the
/// scenario has to hold.
fn arrivals(scenario: &Scenario) -> Vec<Vec<Packet>> {
    let (client, other) = (&scenario.nodes[0], &scenario.other);
    let client_first = [&client[..], other].concat();
    if scenario.interleaved {
        let mut by_time = client_first;
        by_time.sort_by_key(|packet| packet.ts);
        return vec![by_time];
    }
    if other.is_empty() { vec![client_first] } else { vec![client_first, [&other[..], client].concat()] }
}

/// The packets of a 5-tuple and window that capturing takes, on each node.
fn taken(scenario: &Scenario, arrival: &[Packet], five_tuple: FiveTuple, window: i64) -> Vec<Packet> {
    let nodes = std::iter::once(arrival).chain(scenario.nodes[1..].iter().map(Vec::as_slice));
    let mut taken = Vec::new();
    for node in nodes {
        let mut cap = Cap::default();
        let in_window = node.iter().filter(|packet| scenario.rules.window_of(packet.ts) == window);
        let takes = in_window.filter(|packet| cap.takes(packet, scenario.rules.packet_limit));
        taken.extend(takes.filter(|packet| packet.five_tuple == five_tuple));
    }
    taken
}

struct Tracked {
    five_tuple: FiveTuple,
    window: i64,
    outcome: Outcome,
    rows: Vec<Row>,
}

/// What a tracker says of all connections, and of how many rows that they are a tail.
fn tracked(scenario: &Scenario, arrival: &[Packet], keep_rows: bool) -> (Vec<Tracked>, u64) {
    let mut tracker = Tracker::new(scenario.rules);
    if keep_rows {
        tracker = tracker.keep_rows();
    }
    for packet in arrival {
        let _ = tracker.record(packet.ts, Some(packet));
    }
    // The latest record may be of any protocol.
    let _ = tracker.record(scenario.input_ends, None);
    let (mut found, mut tail) = (Vec::new(), 0);
    for window in tracker.finish() {
        let number = scenario.rules.window_of(window.start());
        let rows = window.for_each(|five_tuple, outcome, rows| {
            let (five_tuple, outcome, rows) = (*five_tuple, *outcome, rows.to_vec());
            found.push(Tracked { five_tuple, window: number, outcome, rows });
        });
        tail += rows.tail;
    }
    (found, tail)
}
