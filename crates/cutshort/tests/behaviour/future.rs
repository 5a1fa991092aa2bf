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
        assert!(run("classify", &files).fine().stdout.contains("dated up to 2096-10-02"));
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

/// As of a machine whose own clock is wrong.
#[test]
fn if_all_are_nothing_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all");
    let late = [pcap(&request(Tcp { ms: FAR, ..Tcp::default() })), other(FAR + 60_000)].concat();
    std::fs::write(&file, late).unwrap();
    let json = run("classify -f json", &[&file]).fine().json();
    assert_eq!((&json["connections"], &json["future"]), (&1.into(), &0.into()));
    assert_eq!(
        (&json["terminations"]["timeout"]["count"], &json["notes"]),
        (&1.into(), &serde_json::json!([]))
    );
}
