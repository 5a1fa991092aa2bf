//! Simulated captures: the same each time, marked, and told as they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cutshort_simulate::quic::Clients;
use cutshort_simulate::{GUARD_NS, Outcome, Simulation, WINDOW_NS, World};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::run;

const NONE: &[&Path] = &[];
/// As in [`ARGUMENTS`].
const START: i64 = 1_767_571_200_000_000_000;
const RATE: f64 = 4.0;
const SEED: u64 = 7;
const ARGUMENTS: &str = "--start 2026-01-05T00:05:00Z --duration 20m --rate 4 --seed 7";

/// A capture that was simulated with these arguments, and the folder in which it is.
fn simulate(arguments: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture.pcapng");
    let ran = run(&format!("simulate {arguments} -o {}", path.display()), NONE).ended(0);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("simulated packets"), "{ran:?}");
    (folder, path)
}

fn geo(path: &Path) -> PathBuf {
    path.with_extension("geo.csv")
}

fn classify(format: &str, path: &Path) -> crate::common::Ran {
    run(&format!("classify -f {format} --geo {}", geo(path).display()), &[path])
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let arguments = "--duration 15m --rate 1 --seed 3";
    let (first, second) = (simulate(arguments), simulate(arguments));
    assert_eq!(fs::read(&first.1).unwrap(), fs::read(&second.1).unwrap());
    assert_eq!(fs::read(geo(&first.1)).unwrap(), fs::read(geo(&second.1)).unwrap());
    let other = simulate("--duration 15m --rate 1 --seed 4");
    assert_ne!(fs::read(&first.1).unwrap(), fs::read(&other.1).unwrap());
}

#[test]
fn the_command_that_it_proposes_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture.pcapng");
    let ran = run(&format!("simulate --duration 15m --rate 1 -o {}", path.display()), NONE).ended(0);
    let proposed = ran.stderr.lines().last().unwrap().trim().strip_prefix("cutshort ").unwrap();
    assert!(run(proposed, NONE).fine().stdout.contains("Simulated"));
}

#[test]
fn it_is_marked() {
    let (_folder, path) = simulate("--duration 15m --rate 2");
    let table = classify("table", &path).fine().stdout;
    assert!(table.starts_with("SIMULATED: nothing in this capture is real.\n"), "{table}");
    assert!(table.contains("Geo: simulated by cutshort"), "{table}");
    assert_eq!(classify("json", &path).fine().json()["simulated"], true);
    for format in ["jsonl", "csv", "zeek", "parquet"] {
        let ran = classify(format, &path).ended(0);
        assert_eq!(ran.stderr, "cutshort: the capture is SIMULATED: nothing in it is real\n");
    }
}

/// Whoever looks at one connection of it has to be told as well.
#[test]
fn one_connection_of_it_is_marked() {
    let (_folder, path) = simulate("--duration 15m --rate 1");
    let line = &classify("jsonl", &path).lines()[0];
    let fields =
        ["src_ip", "src_port", "dst_ip", "dst_port"].map(|name| line[name].to_string().replace('"', ""));
    let ran = run(&format!("classify --explain {}", fields.join(",")), &[&path]).ended(0);
    assert!((ran.stdout + &ran.stderr).contains("SIMULATED"));
}

#[test]
fn its_networks_are_shown() {
    let (_folder, path) = simulate("--duration 15m --rate 2");
    let summary = classify("json", &path).fine().json();
    let networks = summary["networks"].as_array().unwrap();
    assert!(networks.len() > 20, "{}", networks.len());
    for network in networks {
        assert!(network["name"].as_str().unwrap().starts_with("Simulated "), "{network}");
    }
    assert!(classify("table", &path).fine().stdout.contains(" Simulated "));
}

#[test]
fn it_goes_through_a_pipe() {
    let (_folder, path) = simulate("--duration 15m --rate 1");
    let mut command = crate::common::cutshort();
    let output = command.args(["simulate", "--duration", "15m", "--rate", "1", "-o", "-"]).output().unwrap();
    assert_eq!((output.stdout, output.stderr.len()), (fs::read(&path).unwrap(), 0));
}

#[test]
fn snapped_it_is_the_same_to_the_classifier() {
    let (whole, snapped) = (simulate(ARGUMENTS), simulate(&format!("{ARGUMENTS} --snaplen 80")));
    assert!(fs::metadata(&snapped.1).unwrap().len() < fs::metadata(&whole.1).unwrap().len());
    assert_eq!(classify("jsonl", &snapped.1).stdout, classify("jsonl", &whole.1).stdout);
}

/// What is true of the simulation that [`ARGUMENTS`] gives, by kind and name.
fn truth() -> BTreeMap<(&'static str, String), u64> {
    // From 00:05 for 20 minutes: the windows that begin at 00:00 and 00:15.
    let simulation =
        Simulation::new(World::standard(), START, START + 2 * WINDOW_NS, RATE, SEED).whole_connections();
    let cutoff = simulation.packets().map(|packet| packet.ts).max().unwrap();
    let mut counts = BTreeMap::new();
    let mut count = |kind, name: String| *counts.entry((kind, name)).or_default() += 1;
    for truth in simulation.truths() {
        if truth.after_attempt {
            count("excluded", "multiple_syn".to_owned());
        }
        match truth.outcome_at(cutoff) {
            Outcome::Judged(verdict) => {
                count("stages", verdict.stage.name().to_owned());
                count("terminations", verdict.termination.name().to_owned());
                verdict.tag_names().for_each(|tag| count("tags", tag.to_owned()));
                verdict.signature.into_iter().for_each(|id| count("signatures", id.to_string()));
            }
            Outcome::NoSyn => count("excluded", "no_syn".to_owned()),
            Outcome::Incomplete => count("excluded", "incomplete".to_owned()),
        }
    }
    counts
}

/// What the summary says, likewise.
fn told(summary: &Value) -> BTreeMap<(&'static str, String), u64> {
    let mut counts = BTreeMap::new();
    for kind in ["stages", "terminations", "tags", "excluded"] {
        for (name, value) in summary[kind].as_object().unwrap() {
            let count = value.as_u64().or_else(|| value["count"].as_u64()).unwrap();
            counts.insert((kind, name.clone()), count);
        }
    }
    for signature in summary["signatures"].as_array().unwrap() {
        counts.insert(("signatures", signature["id"].to_string()), signature["count"].as_u64().unwrap());
    }
    counts.retain(|_, count| *count > 0);
    counts
}

#[test]
fn it_is_told_as_it_is() {
    let (_folder, path) = simulate(ARGUMENTS);
    assert_eq!(told(&classify("json", &path).fine().json()), truth());
}

/// A device has no name for the networks beside it.
#[cfg(target_os = "linux")]
#[test]
fn nothing_is_written_beside_a_device() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("null");
    std::os::unix::fs::symlink("/dev/null", &link).unwrap();
    run(&format!("simulate --duration 15m --rate 0.01 -o {}", link.display()), NONE).ended(0);
    assert_eq!(folder.path().read_dir().unwrap().count(), 1, "networks were written beside a device");
}

/// Days and weeks are units here as everywhere.
#[test]
fn durations_may_be_days() {
    let (_folder, path) = simulate("--duration 1d --rate 0.01");
    let counts: Value = serde_json::from_str(&classify("json", &path).fine().stdout).unwrap();
    assert!(counts["connections"].as_u64().is_some_and(|count| count > 100), "{counts}");
}

#[test]
fn quic_is_told_as_it_is() {
    let (_folder, path) = simulate("--quic --start 2026-01-05T00:05:00Z --duration 20m --rate 0.5 --seed 7");
    let clients = Clients::new(&World::standard(), START, START + 2 * WINDOW_NS, 450, SEED);
    let all: Vec<_> = clients.windows().flat_map(|window| clients.connections(window)).collect();
    let last = |connection: &cutshort_simulate::quic::Connection| connection.datagrams.last().unwrap().ts;
    let cutoff = all.iter().map(last).max().unwrap();
    let mut truth: BTreeMap<(&str, String), u64> = BTreeMap::new();
    let mut count = |kind, name: &str| *truth.entry((kind, name.to_owned())).or_default() += 1;
    for connection in &all {
        match connection.story.truth() {
            Err(reason) => count("excluded", reason),
            // It may still have gone on when the capture ended.
            Ok(_) if last(connection) > cutoff - GUARD_NS => count("excluded", "incomplete"),
            Ok((stage, termination)) => {
                count("stages", stage);
                count("terminations", termination);
            }
        }
    }
    let summary = run(&format!("classify --quic -f json --geo {}", geo(&path).display()), &[&path]);
    let mut told = told(&summary.fine().json());
    told.retain(|(kind, _), _| ["stages", "terminations", "excluded"].contains(kind));
    assert_eq!(told, truth);
}

#[test]
fn one_data_set_is_simulated_at_a_time() {
    let ran = run("simulate --quic --origin -o x.pcapng", NONE).ended(2);
    assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
    let ran = run("simulate --quic --rate 1000 -o x.pcapng", NONE).ended(2);
    assert!(ran.stderr.contains("at most 22 connections per second"), "{}", ran.stderr);
}
