//! The program as it serves: access, signals, packets that come in, settings.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;
#[cfg(unix)]
#[path = "serve/reload.rs"]
mod reload;
#[cfg(target_os = "linux")]
#[path = "serve/rights.rs"]
mod rights;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::server::Server;
use common::{STAGES, captures, cutshort, ended_within, run, spawn};
use serde_json::Value;

const SUMMARY: &str = "/tcp_resets_timeouts/summary?dateStart=2026-11-21&dateEnd=2026-11-22";
const SEGMENTS: &str = "/ingest/v1/segments";

/// Stages of captures by name, as the API calls them.
fn classified() -> Vec<(&'static str, u64)> {
    let summary = run("classify --format json", &captures()).fine().json();
    STAGES.map(|(radar, own)| (radar, summary["stages"][own]["count"].as_u64().unwrap())).to_vec()
}

fn served(server: &Server) -> Vec<(&'static str, u64)> {
    let path = SUMMARY.replace("summary?", "summary/stage?counts=true&");
    let groups = server.result(&path)["counts"]["summary_0"]["groups"].clone();
    STAGES.map(|(name, _)| (name, groups[name]["sampled"][0].as_u64().unwrap_or(0))).to_vec()
}

#[test]
fn totals_are_those_of_classify() {
    let server = Server::of_captures();
    assert_eq!(served(&server), classified());
    assert_eq!(server.send("GET", "/readyz", &[]).0, 200);
    let summary = |arguments: &str| {
        let data = server.folder().display().to_string();
        run(
            &format!("query summary --data {data} --from 2026-11-21 --to 2026-11-22 {arguments}"),
            &[] as &[&str],
        )
        .fine()
        .stdout
    };
    // Also on the command line, while the server runs.
    let own: Value = serde_json::from_str(&summary("--format json")).unwrap();
    assert_eq!(
        own["result"]["summary_0"],
        server.result(&SUMMARY.replace("summary?", "summary/stage?"))["summary_0"]
    );
    assert!(summary("--format csv").starts_with("Summary_0 post_syn,"));
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let days = folder.join("packets").read_dir().unwrap().map(|day| day.unwrap().path());
    let files = days.flat_map(|day| day.read_dir().unwrap().map(|file| file.unwrap().path()));
    files.filter(|file| file.extension().is_some_and(|extension| extension == "parquet")).collect()
}

#[test]
fn segments_that_are_sent_become_results() {
    let source = tempfile::tempdir().unwrap();
    run(&format!("import --data {}", source.path().display()), &captures()).fine_with_unused();
    let server = Server::start(tempfile::tempdir().unwrap(), &[]);
    assert!(server.result("/status")["hints"][0].as_str().unwrap().contains("Nothing has come in"));
    let files = segments(source.path());
    for file in &files {
        let (status, body) = server.send("POST", SEGMENTS, &std::fs::read(file).unwrap());
        assert_eq!(status, 201, "{body}");
    }
    let (status, body) = server.send("POST", SEGMENTS, &std::fs::read(&files[0]).unwrap());
    assert_eq!(status, 200, "the same again is accepted and changes nothing: {body}");
    let mut damaged = std::fs::read(&files[0]).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    for wrong in [&damaged[..], b"PAR1", b""] {
        let (status, body) = server.send("POST", SEGMENTS, wrong);
        assert_eq!(status, 400, "{body}");
        assert!(body.contains("\"code\":2001"), "{body}");
    }
    server.until("the window is computed", |server| {
        let status = server.result("/status");
        status["windows"]["done"] == 1 && status["windows"]["pending"] == 0
    });
    assert_eq!(served(&server), classified());
    let metrics = server.send("GET", "/metrics", &[]).1;
    let new = format!("cutshort_ingest_segments_total{{answer=\"new\"}} {}\n", files.len());
    assert!(metrics.contains(&new), "{metrics}");
}

#[test]
fn it_ends_when_it_is_asked_to() {
    let server = Server::start(tempfile::tempdir().unwrap(), &[]);
    assert_eq!(server.send("GET", "/healthz", &[]).0, 200);
    assert_eq!(server.terminate().code(), Some(0));
}

fn refused(arguments: &str, data: &Path) -> String {
    let mut command = cutshort();
    command.arg("serve").args(arguments.split_whitespace()).arg("--data").arg(data);
    let ran = ended_within(spawn(&mut command), Duration::from_secs(60));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    ran.stderr
}

#[test]
fn other_machines_need_a_token_unless_the_operator_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let message = refused("--listen 0.0.0.0:0", folder.path());
    assert!(message.contains("cutshort token create") && message.contains("--open-read"), "{message}");
    let message = {
        let mut command = cutshort();
        command.args(["serve", "--data"]).arg(folder.path()).env("CUTSHORT_REQUIRE_TOKEN", "true");
        ended_within(spawn(&mut command), Duration::from_secs(60)).ended(2).stderr
    };
    assert!(message.contains("needs a token"), "{message}");
    // With a token there is one.
    let mut server = Server::start(folder, &["--listen", "0.0.0.0:0"]);
    assert_eq!(server.send("GET", "/client/v4/radar/status", &[]).0, 200);
    server.forget_token();
    assert_eq!(server.send("GET", "/client/v4/radar/status", &[]).0, 401);
}

#[test]
fn settings_come_from_flags_environment_and_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, "listen = '0.0.0.0:0'\nopen_reed = true\n").unwrap();
    let message = refused(&format!("--settings {}", file.display()), folder.path());
    assert!(message.contains("settings.toml: line 2, column 1: unknown setting 'open_reed'"), "{message}");
    std::fs::write(&file, "open_read = true\nlog = 'nonsense=='\n").unwrap();
    let message = refused(&format!("--settings {}", file.display()), folder.path());
    assert!(message.contains("log: 'nonsense=='"), "{message}");
}

#[test]
fn the_demo_is_ready_soon_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = cutshort();
    command.args(["demo", "--listen", "127.0.0.1:0"]).env("TMPDIR", temporary.path());
    let server = Server::spawn(command, tempfile::tempdir().unwrap());
    assert_eq!(temporary.path().read_dir().unwrap().count(), 1);
    let countries = server
        .result("/tcp_resets_timeouts/timeseries_groups/location?dateRange=4w&aggInterval=1d&counts=true");
    assert!(countries["serie_0"]["timestamps"].as_array().unwrap().len() >= 28);
    assert_eq!(countries["meta"]["simulated"], true);
    // Its servers were there all the time.
    let coverage = server.result("/tcp_resets_timeouts/coverage?dateRange=4w&node=edge1");
    let collected: f64 = coverage["coverage_0"]["collected"].as_str().unwrap().parse().unwrap();
    assert!(collected > 99.0, "{coverage}");
    let notes =
        server.result("/tcp_resets_timeouts/summary?dateRange=4w")["meta"]["confidenceInfo"]["annotations"]
            .clone();
    assert!(
        notes
            .as_array()
            .unwrap()
            .iter()
            .any(|note| note["description"].as_str().unwrap().starts_with("SIMULATED"))
    );
    assert_eq!(server.terminate().code(), Some(0));
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0, "the temporary store is removed");
}

#[test]
fn a_demo_that_is_ended_while_it_is_filled_leaves_nothing() {
    for name in ["TERM", "INT", "HUP"] {
        let temporary = tempfile::tempdir().unwrap();
        let entries = || temporary.path().read_dir().unwrap().count();
        let mut command = std::process::Command::new("env");
        command.arg("--default-signal=HUP").arg(cutshort().get_program());
        command.args(["demo", "--listen", "127.0.0.1:0"]).env("TMPDIR", temporary.path());
        let child = spawn(&mut command);
        common::until("it is being filled", || entries() == 1 && common::catches_interrupts(child.id()));
        common::server::signal(child.id(), name);
        let ran = ended_within(child, Duration::from_secs(60));
        assert!(ran.code == Some(1) && ran.stderr.contains("interrupted"), "{name}: {ran:?}");
        assert_eq!(entries(), 0, "{name}");
    }
}
