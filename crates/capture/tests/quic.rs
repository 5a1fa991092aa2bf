//! Packets in datagrams of real clients and servers, beside what tshark sees of the same files.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use cutshort_capture::{Captures, Reading};
use cutshort_packet::quic::{Found, Kinds, ServerPorts};

fn not_run(why: &str) {
    let _ = writeln!(std::io::stderr(), "NOT RUN: {why}");
}

/// Captures of QUIC clients, which are not part of this project.
fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/quic/captures");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The packets of each datagram with their version: `I1`, `H1`, `S`, `R`; an ICMP error is `icmp`.
fn seen_here(path: &Path) -> Vec<String> {
    let mut captures = Captures::open(&[path], &Reading::default());
    let mut datagrams = Vec::new();
    while let Some(record) = captures.record() {
        let found = Found::parse(record.link.unwrap(), record.frame, &ServerPorts::default());
        datagrams.extend(match found {
            Ok(Found::Udp(udp)) => Some(udp.parts().map(|part| letter(part.kinds, part.version)).collect()),
            Ok(Found::Icmp(_)) => Some("icmp".to_owned()),
            Err(_) => None,
        });
        captures.advance();
    }
    datagrams
}

fn letter(kinds: Kinds, version: u32) -> String {
    const LETTERS: [(Kinds, &str); 5] = [
        (Kinds::INITIAL, "I"),
        (Kinds::ZERO_RTT, "Z"),
        (Kinds::HANDSHAKE, "H"),
        (Kinds::SHORT, "S"),
        // Retry packets of servers.
        (Kinds::JUNK, "R"),
    ];
    assert!(!kinds.intersects(Kinds::CUT));
    let letter = LETTERS.iter().find(|(kind, _)| kinds.intersects(*kind)).unwrap().1;
    if version == 0 { letter.to_owned() } else { format!("{letter}{version}") }
}

fn seen_by_tshark(path: &Path) -> Vec<String> {
    const FIELDS: [&str; 5] =
        ["icmp.type", "quic.header_form", "quic.fixed_bit", "quic.long.packet_type", "quic.version"];
    let mut tshark = Command::new("tshark");
    tshark
        .arg("-r")
        .arg(path)
        .args("-n -d udp.port==443,quic -Y udp.port==443 -T fields -E occurrence=a".split(' '));
    for field in FIELDS {
        tshark.args(["-e", field]);
    }
    let output = String::from_utf8(tshark.output().unwrap().stdout).unwrap();
    output.lines().map(of_tshark).collect()
}

/// tshark 4.0 takes padding for a packet with a short header, without the fixed bit.
fn of_tshark(line: &str) -> String {
    let [icmp, forms, fixed, types, versions] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
    if !icmp.is_empty() {
        return "icmp".to_owned();
    }
    let mut longs = types.split(',').zip(versions.split(','));
    let packets = forms.split(',').zip(fixed.split(',')).enumerate();
    let packets = packets.filter(|(at, (form, fixed))| *at == 0 || *form == "1" || *fixed == "1");
    packets
        .map(|(_, (form, _))| {
            if form == "0" {
                return "S".to_owned();
            }
            let (of_type, version) = longs.next().unwrap();
            let letter = ["I", "Z", "H", "R"][of_type.parse::<usize>().unwrap()];
            let version = u32::from_str_radix(version.trim_start_matches("0x"), 16).unwrap();
            if letter == "R" { letter.to_owned() } else { format!("{letter}{version}") }
        })
        .collect()
}

#[test]
fn tshark_sees_the_same_packets() {
    if !Command::new("tshark").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return not_run("tshark, to compare QUIC packets with, is not installed");
    }
    if captures().is_empty() {
        return not_run("captures of QUIC clients are not here");
    }
    for path in captures() {
        let (ours, theirs) = (seen_here(&path), seen_by_tshark(&path));
        assert!(!ours.is_empty());
        assert_eq!(ours, theirs, "{}", path.display());
    }
}
