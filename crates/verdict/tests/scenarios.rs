//! Packets in, verdict out: every file of `tests/scenarios`, judged in every way there is.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod scenario;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cutshort_packet::{Flags, Packet};
use cutshort_verdict::{
    Connection, Exclusion, Outcome, Row, Rules, Signature, Stage, Surroundings, Tag, Termination, Trace,
    Tracker,
};
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
    let files = files();
    let all: Vec<&Expect> = files.values().flatten().flat_map(File::expectations).collect();
    let stages = all.iter().filter_map(|expect| expect.stage.clone());
    assert_all("stage", Stage::ALL.map(Stage::name), stages);
    let terminations = all.iter().filter_map(|expect| expect.termination.clone());
    assert_all("termination", Termination::ALL.map(Termination::name), terminations);
    let exclusions = all.iter().filter_map(|expect| expect.excluded.clone());
    assert_all("exclusion", Exclusion::ALL.map(Exclusion::name), exclusions);
    assert_all("tag", Tag::ALL.map(Tag::name), all.iter().flat_map(|expect| expect.tags.clone()));
    let ids = Signature::all().map(|signature| signature.id().to_string());
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
        for (way, outcome) in outcomes(scenario, subject) {
            let found = fields_of(&outcome);
            let wrong = |(name, expected): &(&str, String)| {
                let value = found.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
                let value = value.unwrap_or("null");
                (value != expected).then(|| format!("    {name}: expected {expected}, found {value}\n"))
            };
            let wrong: String = subject.fields.iter().filter_map(wrong).collect();
            if !wrong.is_empty() {
                differences.push(format!("[{}], by {way}:\n{wrong}", subject.name));
            }
        }
    }
    let judged = tracked(scenario, false, false).len();
    // A second node is a second input, which a tracker does not have.
    if scenario.nodes.len() == 1 && judged != scenario.subjects.len() {
        differences.push(format!("the tracker judged {judged} connections of {}\n", scenario.subjects.len()));
    }
    differences
}

fn outcomes(scenario: &Scenario, subject: &Subject) -> Vec<(&'static str, Outcome)> {
    let Scenario { rules, .. } = scenario;
    let packets = taken(scenario, subject);
    let rows: Vec<Row> = packets.iter().map(Row::from).collect();
    let around = surroundings(scenario, subject);
    let judge = |connection: &Connection| connection.judge(rules, &around);
    let whole = connection(&packets);
    let backwards = connection(packets.iter().rev());
    let (front, back) = packets.split_at(packets.len() / 2);
    let mut halves = connection(back);
    halves.merge(&connection(front));
    let mut alternating = connection(packets.iter().step_by(2));
    alternating.merge(&connection(packets.iter().skip(1).step_by(2)));
    let mut outcomes = vec![
        ("connection", judge(&whole)),
        ("connection, rows reversed", judge(&backwards)),
        ("connection, halves merged", judge(&halves)),
        ("connection, every second row merged", judge(&alternating)),
        ("trace", Trace::of(&rows, rules, &around).outcome),
    ];
    if scenario.nodes.len() == 1 {
        let ways = [("tracker", false, false), ("tracker, other direction first", true, false)];
        for (way, other_first, keep_rows) in ways.into_iter().chain([("tracker with rows", false, true)]) {
            let tracked = tracked(scenario, other_first, keep_rows);
            let found = tracked.into_iter().find(|connection| {
                connection.window == subject.window && connection.five_tuple == subject.five_tuple
            });
            let found = found.expect("the tracker knows every 5-tuple");
            assert!(!keep_rows || found.rows == rows, "the tracker keeps the rows that are taken");
            outcomes.push((way, found.outcome));
        }
    }
    outcomes
}

fn connection<'a>(packets: impl IntoIterator<Item = &'a Packet>) -> Connection {
    let mut connection = Connection::default();
    packets.into_iter().for_each(|packet| connection.push(packet));
    connection
}

/// The packets of a 5-tuple and window that capturing takes: of each node the first ones.
fn taken(scenario: &Scenario, subject: &Subject) -> Vec<Packet> {
    let limit = scenario.rules.packet_limit as usize;
    let is_his = |packet: &&Packet| {
        packet.five_tuple == subject.five_tuple && scenario.rules.window_of(packet.ts) == subject.window
    };
    let nodes = scenario.nodes.iter().chain([&scenario.other]);
    nodes.flat_map(|node| node.iter().filter(is_his).take(limit)).copied().collect()
}

fn surroundings(scenario: &Scenario, subject: &Subject) -> Surroundings {
    let Rules { window, .. } = scenario.rules;
    let end = scenario.rules.window_start(subject.window) + window;
    let other = Subject {
        five_tuple: subject.five_tuple.reversed(),
        fields: Vec::new(),
        name: subject.name,
        window: subject.window,
    };
    let rsts = taken(scenario, &other).into_iter().filter(|packet| packet.flags.any(Flags::RST));
    Surroundings { cutoff: end.min(scenario.input_ends), other_rst_ts: rsts.map(|packet| packet.ts).max() }
}

struct Tracked {
    five_tuple: cutshort_packet::FiveTuple,
    window: i64,
    outcome: Outcome,
    rows: Vec<Row>,
}

fn tracked(scenario: &Scenario, other_first: bool, keep_rows: bool) -> Vec<Tracked> {
    let mut tracker = Tracker::new(scenario.rules);
    if keep_rows {
        tracker = tracker.keep_rows();
    }
    let client = &scenario.nodes[0];
    let (first, second) = if other_first { (&scenario.other, client) } else { (client, &scenario.other) };
    for packet in first.iter().chain(second) {
        tracker.record(packet.ts, Some(packet));
    }
    // The latest record may be of any protocol.
    tracker.record(scenario.input_ends, None);
    let mut found = Vec::new();
    for window in tracker.finish() {
        let number = scenario.rules.window_of(window.start());
        window.for_each(|five_tuple, outcome, rows| {
            let (five_tuple, outcome, rows) = (*five_tuple, *outcome, rows.to_vec());
            found.push(Tracked { five_tuple, window: number, outcome, rows });
        });
    }
    found
}
