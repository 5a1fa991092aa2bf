//! What a reader must know about a capture.

use std::net::Ipv4Addr;

use crate::common::packets::{Tcp, pcap, request};
use crate::common::pcapng::Blocks;
use crate::common::{capture, captures, run, run_with_input};

const NONE: &[&str] = &[];

/// The notes in the summary for programs and in the one for people.
fn notes(file: &[u8]) -> (String, String) {
    notes_of(file, 0)
}

fn notes_of(file: &[u8], code: i32) -> (String, String) {
    let json = run_with_input("classify -f json -", NONE, file).ended(code).json();
    let table = run_with_input("classify -", NONE, file).ended(code).stdout;
    let note =
        table.split_once("\nNote\n").map(|(_, notes)| notes.split_whitespace().collect::<Vec<_>>().join(" "));
    (json["notes"].to_string(), note.unwrap_or_default())
}

#[track_caller]
fn has_note(file: &[u8], text: &str) {
    let (json, table) = notes(file);
    assert!(json.contains(text), "{json}");
    assert!(table.contains(text), "{table}");
}

#[test]
fn packets_that_are_there_twice() {
    for name in ["http", "https", "inject-rst", "scan-masscan"] {
        let doubled = Blocks::of(&std::fs::read(capture(name)).unwrap()).repeated(2);
        has_note(&doubled, "capture at one");
    }
}

/// Three connections from one host to as many servers, with the TTL that it gave them.
fn outgoing(ttl: u8, servers: u8) -> Vec<u8> {
    let connections = (0..servers).flat_map(|at| {
        request(Tcp {
            dst: Ipv4Addr::new(203, 0, 113, at),
            src_port: 40_000 + u16::from(at),
            ttl,
            ..Tcp::default()
        })
    });
    pcap(&connections.collect::<Vec<_>>())
}

#[test]
fn connections_of_the_capturing_host() {
    // Those that wait for an answer are left out until they were silent for long enough.
    let silence = Tcp { ms: Tcp::default().ms + 20_000, src_port: 1, ttl: 57, ..Tcp::default() };
    for (ttl, servers, note) in [(64, 3, true), (128, 5, true), (57, 3, false), (64, 1, false)] {
        let mut file = outgoing(ttl, servers);
        file.extend(&pcap(&[silence])[24..]);
        let (json, table) = notes(&file);
        let text = "seem to be opened by the capturing host itself";
        assert_eq!((json.contains(text), table.contains(text)), (note, note), "TTL {ttl}, {servers}: {json}");
    }
    has_note(&std::fs::read(capture("link-loopback")).unwrap(), "--server-net");
}

#[test]
fn captures_between_client_and_server_have_none() {
    for path in captures() {
        let notes = run("classify -f json", &[&path]).fine().json()["notes"].to_string();
        let outgoing = path.ends_with("link-loopback.pcapng");
        assert_eq!(notes.contains("capturing host"), outgoing, "{}: {notes}", path.display());
    }
}

#[test]
fn a_capture_without_tcp() {
    let blocks = Blocks::of(&std::fs::read(capture("other-protocols")).unwrap());
    let mut udp = Tcp::default().bytes();
    udp[9] = 17;
    let mut file = crate::common::packets::header();
    file.extend(crate::common::packets::record(1, &udp));
    has_note(&file, "There is no TCP packet in it.");
    assert!(!blocks.records.is_empty());
    let head_only = blocks.file(&[]);
    let summary = run_with_input("classify -f json -", NONE, &head_only).fine().json();
    assert_eq!((&summary["records"], &summary["first_us"]), (&0.into(), &serde_json::Value::Null));
}

#[test]
fn a_link_type_that_is_not_supported() {
    let mut file = pcap(&request(Tcp::default()));
    file[20] = 147;
    let text = "3 records have the link layer USER0 (link type 147), which is not supported.";
    let (json, table) = notes_of(&file, 1);
    assert!(json.contains(text) && table.contains(text), "{json} {table}");
    assert!(json.contains("No TCP packet in it could be read."), "{json}");
}
