//! Records that are dated in the future.

use crate::common::packets::{Tcp, pcap, record, request};
use crate::common::run;

/// A moment in 2024, and one in 2096.
const NOW: u64 = 1_720_000_000_000;
const FAR: u64 = 4_000_000_000_000;

/// A request whose answer is awaited, with the last record two seconds later.
fn awaited() -> Vec<u8> {
    let packets = request(Tcp { ms: NOW, ..Tcp::default() });
    [pcap(&packets), other(NOW + 2_000)].concat()
}

/// A record of another protocol.
fn other(ms: u64) -> Vec<u8> {
    let mut udp = Tcp::default().bytes();
    udp[9] = 17;
    record(ms, &udp)
}

/// Alone, and with a record of the future: first, in the middle, last, and in a file of its own.
fn cases(folder: &std::path::Path) -> Vec<Vec<std::path::PathBuf>> {
    let file = |name: &str, bytes: Vec<u8>| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let (awaited, far) = (awaited(), other(FAR));
    let (head, records) = awaited.split_at(24);
    let first = file("first", [head, &far, records].concat());
    let middle = awaited.len() - other(NOW).len();
    let middle = file("middle", [&awaited[..middle], &far, &awaited[middle..]].concat());
    let last = file("last", [&awaited[..], &far].concat());
    let packet = pcap(&[Tcp { ms: FAR, src_port: 50_000, ..Tcp::default() }]);
    let (alone, beside) = (file("alone", awaited), file("beside", packet));
    vec![vec![first], vec![middle], vec![last], vec![alone.clone(), beside.clone()], vec![beside, alone]]
}

#[test]
fn they_move_neither_verdicts_nor_span_and_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for files in cases(folder.path()) {
        let json = run("classify -f json", &files).fine().json();
        assert_eq!((&json["connections"], &json["future"]), (&0.into(), &1.into()), "{files:?}: {json}");
        assert_eq!(json["excluded"]["incomplete"], 1 + u64::from(files.len() > 1), "{files:?}");
        assert_eq!(json["last_us"], (NOW + 2_000) * 1_000, "{files:?}");
        assert!(json["notes"][0].as_str().unwrap().contains("1 record, dated up to 2096"), "{json}");
        let table = run("classify", &files).fine().stdout;
        let table = table.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(table.contains("dated up to 2096-10-02"), "{table}");
        for format in ["jsonl", "csv", "zeek", "parquet"] {
            let ran = run(&format!("classify -f {format}"), &files).ended(0);
            assert!(ran.stderr.contains("dated up to 2096-10-02"), "{format}: {ran:?}");
        }
        assert_eq!(run("classify -f jsonl", &files).stdout, "");
    }
}

#[test]
fn an_import_keeps_its_cutoff() {
    let folder = tempfile::tempdir().unwrap();
    for (at, files) in cases(folder.path()).iter().enumerate() {
        let data = format!("--data {}", folder.path().join(at.to_string()).display());
        let ran = run(&format!("import {data}"), files).ended(0);
        assert!(ran.stderr.contains("dated up to 2096-10-02"), "{files:?}: {ran:?}");
        assert!(ran.stdout.contains("2024-07-03 09:46:40 to 09:46:42 UTC"), "{ran:?}");
        let exported = run::<&str>(&format!("export connections {data} --format jsonl"), &[]).fine();
        assert_eq!(exported.stdout, "", "{files:?}");
    }
}

/// The name of the import in what is printed of it.
fn import_name(stdout: &str) -> &str {
    stdout.trim_end().rsplit(' ').next().unwrap()
}

#[test]
fn an_import_is_undone_with_all_that_came_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: Vec<u8>| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let data = format!("--data {}", folder.path().join("store").display());
    let good = file("good", awaited());
    run(&format!("import {data}"), &[&good]).fine();
    // An hour later by a wrong clock: it ends the wait of the first.
    let wrong = pcap(&request(Tcp { ms: NOW + 3_600_000, src_port: 50_000, ..Tcp::default() }));
    let ran = run(&format!("import {data}"), &[file("wrong", wrong)]).fine();
    let connections = || run::<&str>(&format!("export connections {data} --format jsonl"), &[]).fine().stdout;
    assert_eq!(connections().lines().count(), 1, "a timeout by the wrong clock");
    let forget = |arguments: &str| run::<&str>(&format!("store forget {data} {arguments}"), &[]);
    let would = forget(&format!("--dry-run {}", import_name(&ran.stdout))).fine();
    assert_eq!(
        would.stdout,
        "would remove 1 segment with 3 packets, of 2024-07-03 10:46:40 to 10:46:40 UTC\n"
    );
    let done = forget(import_name(&ran.stdout)).ended(0);
    assert!(done.stderr.contains("removing 1 segment with 3 packets"), "{done:?}");
    assert_eq!(
        done.stdout,
        "1 segment with 3 packets removed\n1 window removed with all results\n1 window computed again\n"
    );
    assert_eq!(connections(), "");
    let listed = run::<&str>(&format!("store segments {data}"), &[]).fine().stdout;
    assert_eq!(listed.lines().count(), 1, "{listed}");
    assert!(listed.contains("  file       -  3  2024-07-03T09:46:40Z/2024-07-03T09:46:42Z"), "{listed}");
    // By the beginning of its id; then it can come in again.
    forget(&listed[..8].to_uppercase()).ended(0);
    assert_eq!(run::<&str>(&format!("store segments {data}"), &[]).fine().stdout, "");
    assert!(forget("0123").ended(1).stderr.contains("cutshort store segments"));
    assert!(forget("yesterday/today").ended(2).stderr.contains("FROM/TO"));
    assert!(
        run(&format!("import {data}"), &[&good]).fine().stdout.contains("3 packets kept in 1 new segment")
    );
}

/// As of a machine whose own clock is wrong.
#[test]
fn if_all_are_they_count_and_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all");
    let late = [pcap(&request(Tcp { ms: FAR, ..Tcp::default() })), other(FAR + 60_000)].concat();
    std::fs::write(&file, late).unwrap();
    let json = run("classify -f json", &[&file]).fine().json();
    assert_eq!((&json["connections"], &json["future"]), (&1.into(), &json["records"]));
    assert_eq!(json["terminations"]["timeout"]["count"], 1);
    assert!(json["notes"][0].as_str().unwrap().contains("check which clock is wrong"), "{json}");
}
