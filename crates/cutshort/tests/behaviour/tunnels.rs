//! Packets inside tunnels and behind rare link layers, beside what tshark sees of the same files.

use std::process::Command;

use cutshort_packet::LinkType;

use crate::bytes::{IPV4, IPV6, TCP, ethernet, ipv4, ipv6, tcp};
use crate::common::packets::frames;
use crate::common::{is_installed, not_run, run};
use crate::wraps::{LINKS, WRAPS};

/// The number of a link type in pcap files.
fn number(link: LinkType) -> u8 {
    (0..=u8::MAX).find(|number| LinkType::from_number((*number).into()) == Some(link)).unwrap()
}

/// How often tshark sees the ports of the TCP header that all of them carry.
fn seen_by_tshark(path: &std::path::Path) -> usize {
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-r"]).arg(path).args(["-d", "udp.port==8472,vxlan"]);
    let output = tshark.args(["-T", "fields", "-e", "tcp.dstport"]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().filter(|line| *line == "443").count()
}

#[test]
fn tshark_sees_the_same_packets() {
    if !is_installed("tshark") {
        return not_run("tshark, to compare tunnels with, is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcap");
    let of_ip = [(IPV4, ipv4(TCP, &tcp(12, 34))), (IPV6, ipv6(TCP, &tcp(12, 34)))];
    let mut files: Vec<(String, u8, Vec<u8>)> = Vec::new();
    for (ethertype, packet) in &of_ip {
        for (row, (tunnel, wrap)) in WRAPS.iter().enumerate() {
            let (outer, rest) = wrap(*ethertype, packet);
            files.push((format!("{row} {tunnel}"), 1, ethernet(outer, &rest)));
        }
        for (row, (link, wrap)) in LINKS.iter().enumerate() {
            let frame = wrap(*ethertype, packet);
            files.push((format!("{row} {}", link.name()), number(*link), frame));
        }
    }
    // What tshark reads only if it is told to, or not at all: a pseudowire behind MPLS, and a PKTAP header of a machine
    // with the other byte order. Of ERSPAN III with IP and of Juniper's header without Ethernet it shows no packet.
    const NOT_BY_TSHARK: [&str; 4] = ["2 MPLS", "17 ERSPAN", "20 JUNIPER_ETHER", "23 PKTAP"];
    let mut unlike = Vec::new();
    for (what, link, frame) in files {
        std::fs::write(&path, frames(link, &[(0, frame)])).unwrap();
        let ours = run("classify -f json", &[&path]).json()["packets"].as_u64().unwrap();
        let theirs = seen_by_tshark(&path) as u64;
        assert_eq!(ours, 1, "{what}");
        if ours != theirs && !NOT_BY_TSHARK.contains(&what.as_str()) {
            unlike.push(format!("{what}: {ours} here, {theirs} by tshark"));
        }
    }
    assert!(unlike.is_empty(), "{unlike:#?}");
}
