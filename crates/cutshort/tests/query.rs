//! What `query`, `annotate` and `token` show of a store, word for word.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{captures, cutshort, fixture, run};
use snapbox::{Data, assert_data_eq, str};

fn store() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    // Their addresses are private: what is known of them is in a file.
    let geo = fixture("networks.csv");
    run(&format!("import --geo {} --data {}", geo.display(), folder.path().display()), &captures())
        .fine_with_unused();
    folder
}

fn ask(store: &Path, question: &str) -> String {
    let data = store.display();
    let range = "--from 2026-11-21T22:00:00Z --to 2026-11-21T22:30:00Z";
    run(
        &format!("query {question} --data {data} {range} --geo {}", fixture("networks.csv").display()),
        &[] as &[&str],
    )
    .fine()
    .stdout
}

#[test]
fn answers_are_tables_for_people() {
    let store = store();
    let questions = [
        "summary",
        "summary --by signature --limit 3",
        "summary --by exclusion",
        "timeseries",
        "top",
        "top --by location --handshake completed",
        "top --by node",
        "top --by signature --limit 2",
        "summary --by node",
        "timeseries --by port",
        "top --format csv",
        "summary --location BR",
    ];
    let shown: Vec<String> = questions
        .iter()
        .map(|question| format!("$ cutshort query {question}\n{}", ask(store.path(), question)))
        .collect();
    assert_data_eq!(shown.join("\n"), Data::read_from(&fixture("query.txt"), None));
}

#[test]
fn narrow_terminals_lose_columns() {
    let store = store();
    let mut command = cutshort();
    command
        .args(["query", "top", "--from", "2026-11-21", "--to", "2026-11-22", "--data"])
        .arg(store.path())
        .env("COLUMNS", "40");
    let shown = common::Ran::from(command.output().unwrap()).fine().stdout;
    let table: Vec<&str> = shown.lines().skip(1).take_while(|line| !line.starts_with("There")).collect();
    assert!(table.iter().all(|line| line.chars().count() <= 40), "{shown}");
}

/// Captures are often older than what is asked for by default.
#[test]
fn without_a_time_the_last_days_with_results_are_shown() {
    let store = store();
    let query = |arguments: &str| {
        run(&format!("query summary --data {} {arguments}", store.path().display()), &[] as &[&str]).ended(0)
    };
    let last = query("");
    assert!(
        last.stdout.starts_with("163 connections, 2026-11-14T22:30:00Z to 2026-11-21T22:30:00Z"),
        "{last:?}"
    );
    assert!(
        last.stderr.contains("no results from the last 7 days") && last.stderr.contains("22:30:00Z"),
        "{last:?}"
    );
    let week = query("--to 2026-11-22").fine();
    assert!(week.stdout.starts_with("163 connections, 2026-11-15T00:00:00Z to 2026-11-22"), "{week:?}");
    let refused = run(&format!("query top --data {} --by tag", store.path().display()), &[] as &[&str]);
    assert!(refused.ended(2).stderr.contains("'tag' cannot be ranked: use one of as, location, node, port"));
}

#[test]
fn notes_are_added_listed_and_removed() {
    let store = store();
    let data = store.path().display().to_string();
    let annotate = |arguments: &[&str]| {
        let mut command = cutshort();
        command.arg("annotate").args(arguments).args(["--data", &data]);
        common::Ran::from(command.output().unwrap())
    };
    let none = annotate(&["list"]);
    assert!(none.stderr.contains("there are no notes"), "{none:?}");
    let added = annotate(&[
        "add",
        "A cable was cut",
        "--from",
        "2026-11-21T22:00:00Z",
        "--to",
        "2026-11-21T23:00:00Z",
        "--location",
        "PT,ES",
        "--asn",
        "3243",
        "--kind",
        "outage",
    ]);
    assert_eq!(added.fine().stdout, "1\n");
    // A remark is not an outage unless it says so.
    annotate(&["add", "New servers", "--from", "2026-11-21T22:20:00Z", "--instant"]).fine();
    annotate(&["add", "New port", "--from", "2026-11-21T22:25:00Z", "--dataset", "quic"]).fine();
    assert_data_eq!(
        annotate(&["list"]).fine().stdout,
        str![[r#"
no.  from                  to                    kind     data set  concerns      text
1    2026-11-21T22:00:00Z  2026-11-21T23:00:00Z  OUTAGE   all       PT ES AS3243  A cable was cut
2    2026-11-21T22:20:00Z  instant               GENERAL  all       everybody     New servers
3    2026-11-21T22:25:00Z  still                 GENERAL  quic      everybody     New port

"#]]
    );
    let of_tcp = annotate(&["list", "--dataset", "tcp"]).fine().stdout;
    assert!(of_tcp.contains("New servers") && !of_tcp.contains("New port"), "{of_tcp}");
    let shown = ask(store.path(), "summary");
    assert!(!shown.contains("New port"), "it concerns QUIC only: {shown}");
    assert!(shown.contains("\nNote, 2026-11-21 22:20: New servers\n"), "{shown}");
    assert!(!ask(store.path(), "summary").contains("cable"), "it concerns others");
    annotate(&["remove", "2"]).fine();
    assert!(!ask(store.path(), "summary").contains("New servers"));
    assert!(annotate(&["remove", "2"]).ended(1).stderr.contains("no note 2"));
}

#[test]
fn tokens_are_shown_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new").display().to_string();
    let token = |arguments: &str| run(&format!("token {arguments} --data {data}"), &[] as &[&str]);
    let made = token("create agent-1 --scope ingest --scope read --scope read").ended(0);
    assert!(made.stdout.starts_with("cutshort_") && made.stdout.trim().len() == 73, "{}", made.stdout);
    assert!(made.stderr.contains("not shown again"));
    let list = token("list").fine().stdout;
    assert!(
        list.contains("agent-1") && list.contains("ingest, read") && !list.contains("cutshort_"),
        "{list}"
    );
    assert!(token("create agent-1 --scope read").ended(2).stderr.contains("already"));
    assert!(token("revoke agent-2").ended(1).stderr.contains("known: agent-1"));
    assert!(token("revoke agent-1").ended(0).stderr.contains("is revoked"));
    assert!(token("list").ended(0).stderr.contains("there are no tokens"));
}
