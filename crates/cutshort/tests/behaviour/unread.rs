//! What is met and not read is said, in every format.

use serde_json::Value;

use crate::common::packets::{ACK, PSH, Tcp, frames, pcap, raw_records, request};
use crate::common::{Ran, run, run_with_input};

const NONE: &[&str] = &[];
const ETHERNET: u8 = 1;
const RAW: u8 = 101;
const NFLOG: u8 = 239;

/// SYN, ACK and two requests: four TCP packets, each put into something, and one ARP record.
fn file(link: u8, wrap: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let [syn, ack, first] = request(Tcp::default());
    let second = Tcp { ms: first.ms + 5, seq: first.seq + 100, flags: PSH | ACK, ..first };
    let packets = [syn, ack, first, second].map(|packet| (packet.ms, wrap(&packet.bytes())));
    frames(link, &packets)
}

fn ethernet(ethertype: u16, rest: &[u8]) -> Vec<u8> {
    [&[2; 12][..], &ethertype.to_be_bytes(), rest].concat()
}

/// An IPv4 packet of another protocol, behind Ethernet.
fn ip(protocol: u8, rest: &[u8]) -> Vec<u8> {
    let mut packet = Tcp::default().bytes()[..20].to_vec();
    packet[2..4].copy_from_slice(&(20 + rest.len() as u16).to_be_bytes());
    packet[9] = protocol;
    ethernet(0x0800, &[&packet[..], rest].concat())
}

fn udp(port: u16, body: &[u8]) -> Vec<u8> {
    ip(17, &[&[0xc0, 1], &port.to_be_bytes()[..], &[0; 4], body].concat())
}

fn behind(header: &[u8], packet: &[u8]) -> Vec<u8> {
    [header, packet].concat()
}

/// Captures of four TCP packets that are not read with --outer: what they are called, kind and number.
fn cases() -> Vec<(Vec<u8>, &'static str, &'static str, u64)> {
    let of = |ethertype: u16, header: &'static [u8]| {
        file(ETHERNET, move |packet| ethernet(ethertype, &behind(header, packet)))
    };
    let link = |number: u8, header: &'static [u8]| file(number, move |packet| behind(header, packet));
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let vxlan = |port| {
        file(ETHERNET, move |packet| udp(port, &behind(&[8, 0, 0, 0, 0, 0, 1, 0], &ethernet(0x0800, packet))))
    };
    vec![
        (of(0x8847, &[0, 0, 0x11, 0x40]), "MPLS (EtherType 0x8847)", "ethertype", 0x8847),
        (of(0x8909, &[1, 1, 0, 1, 0, 7, 8, 0]), "Cisco MetaData (EtherType 0x8909)", "ethertype", 0x8909),
        (of(0x893f, &[0; 8]), "802.1BR E-tag (EtherType 0x893f)", "ethertype", 0x893f),
        (of(0x894f, &[0; 24]), "NSH (EtherType 0x894f)", "ethertype", 0x894f),
        (
            file(ETHERNET, |packet| ethernet(48, &behind(&snap, packet))),
            "IPv4 (LLC/SNAP 0x0800)",
            "snap",
            0x0800,
        ),
        (vxlan(4789), "VXLAN (UDP port 4789)", "udp_port", 4789),
        (vxlan(8472), "VXLAN (UDP port 8472)", "udp_port", 8472),
        (
            file(ETHERNET, |packet| udp(6081, &behind(&[0, 0, 8, 0, 0, 0, 1, 0], packet))),
            "GENEVE (UDP port 6081)",
            "udp_port",
            6081,
        ),
        (file(ETHERNET, |packet| ip(47, &behind(&[0, 0, 8, 0], packet))), "IPv4 (GRE 0x0800)", "gre", 0x0800),
        (
            file(ETHERNET, |packet| {
                ip(
                    47,
                    &behind(
                        &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1],
                        &behind(&[0x10; 8], &ethernet(0x0800, packet)),
                    ),
                )
            }),
            "ERSPAN (GRE 0x88be)",
            "gre",
            0x88be,
        ),
        (file(ETHERNET, |packet| ip(4, packet)), "IP in IP (IP protocol 4)", "ip_protocol", 4),
        (link(8, &[0; 4]), "SLIP (link type 8)", "link_type", 8),
        (link(119, &[0; 144]), "IEEE802_11_PRISM (link type 119)", "link_type", 119),
        (link(123, &[0; 4]), "SUNATM (link type 123)", "link_type", 123),
    ]
}

/// What JSON lists, by name.
fn listed<'a>(summary: &'a Value, kind: &str, number: u64) -> &'a Value {
    let list = summary["unread"].as_array().unwrap();
    list.iter()
        .find(|one| one["kind"] == kind && one["number"] == number)
        .unwrap_or_else(|| panic!("{list:?}"))
}

#[test]
fn table_and_json_list_it() {
    for (file, text, kind, number) in cases() {
        let summary = run_with_input("classify --outer -f json -", NONE, &file).ended(1).json();
        let one = listed(&summary, kind, number);
        assert_eq!((&one["records"], &one["may_hold_tcp"]), (&4.into(), &true.into()), "{text}");
        assert_eq!((&summary["packets"], &summary["records"]), (&0.into(), &4.into()), "{text}");
        let notes = summary["notes"].to_string();
        assert!(notes.contains("No TCP packet in it could be read.") && notes.contains(text), "{notes}");
        let table = run_with_input("classify --outer -", NONE, &file).ended(1).stdout;
        assert!(table.contains(&format!("  4  {text}\n")), "{table}");
        assert!(!table.contains("There is no TCP packet in it"), "{table}");
    }
}

/// Packets inside tunnels count with their inner addresses, and a note says how many were inside what.
#[test]
fn packets_inside_tunnels_are_read() {
    let mut read = 0;
    for (file, text, ..) in cases() {
        let ran = run_with_input("classify -f json -", NONE, &file);
        let summary = ran.json();
        if summary["packets"] == 0 {
            assert_eq!(ran.code, Some(1), "{text}");
            continue;
        }
        read += 1;
        let ran = ran.fine_with_unused();
        let name = text.split(" (").next().unwrap();
        let notes = ran.json()["notes"].to_string();
        assert!(notes.contains("4 packets were read inside labels, tags or tunnels: "), "{text}: {notes}");
        assert_eq!(
            summary["unwrapped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>(),
            4,
            "{name}"
        );
        let tuple = "198.51.100.7:40000>203.0.113.5:443";
        let explained = run_with_input(&format!("classify --explain {tuple} -"), NONE, &file).stdout;
        assert!(explained.contains("4 packets taken"), "{explained}");
    }
    assert_eq!(read, 9, "MPLS, Cisco MetaData, SNAP, VXLAN twice, GENEVE, GRE, ERSPAN, IP in IP");
}

/// What a run said on standard error that ended with 1.
fn said(ran: Ran) -> String {
    ran.ended(1).stderr
}

#[test]
fn row_formats_say_it_on_standard_error() {
    for (file, text, ..) in cases() {
        for format in ["jsonl", "csv", "zeek", "parquet"] {
            let stderr = said(run_with_input(&format!("classify --outer -f {format} -"), NONE, &file));
            assert!(stderr.contains("No TCP packet in it could be read."), "{stderr}");
            assert!(stderr.contains("4 records") && stderr.contains(text), "{stderr}");
        }
    }
}

#[test]
fn import_says_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let path = folder.path().join("a.pcap");
    for (file, text, ..) in cases().into_iter().step_by(4) {
        std::fs::write(&path, file).unwrap();
        let ran = run(&format!("import --outer --data {}", store.display()), &[&path]).ended(1);
        let start = format!("cutshort: {}: ", path.display());
        assert!(ran.stderr.lines().all(|line| line.starts_with(&start)), "{ran:?}");
        assert!(ran.stderr.contains(text) && ran.stderr.contains("4 records"), "{ran:?}");
        assert!(
            ran.stdout.contains("no TCP packet was kept") && !ran.stdout.contains("nothing new"),
            "{ran:?}"
        );
    }
}

#[test]
fn explain_says_it() {
    let tuple = "198.51.100.7:40000>203.0.113.5:443";
    let (file, text, ..) = cases().swap_remove(0);
    let stderr = said(run_with_input(&format!("classify --outer --explain {tuple} -"), NONE, &file));
    assert!(stderr.contains(text) && stderr.contains("is not in the capture"), "{stderr}");
}

/// Half of a capture in a tunnel: the other half is read, and the exit code tells.
#[test]
fn a_part_of_a_capture() {
    let (half, ..) = cases().swap_remove(5);
    let tunnelled = &half[24..];
    let plain = &file(ETHERNET, |packet| ethernet(0x0800, packet))[..];
    let ran = run_with_input("classify --outer -f json -", NONE, &[plain, tunnelled].concat()).ended(1);
    let summary = ran.json();
    assert_eq!(summary["packets"], 4);
    assert_eq!(listed(&summary, "udp_port", 4789)["records"], 4);
    assert!(!summary["notes"].to_string().contains("No TCP packet"), "{summary}");
}

/// What is simply not TCP is listed, and no reason for another exit code.
#[test]
fn other_protocols_are_no_loss() {
    let mut bytes = file(ETHERNET, |_| udp(53, &[0; 30]));
    bytes.extend(raw_records(&[(1_764_000_000_100, ethernet(0x0806, &[0; 28]))]));
    let summary = run_with_input("classify -f json -", NONE, &bytes).fine().json();
    assert_eq!(listed(&summary, "ip_protocol", 17)["records"], 4);
    assert_eq!(listed(&summary, "ethertype", 0x0806)["name"], "ARP");
    let text = "There is no TCP packet in it. It has 4 UDP (IP protocol 17), 1 ARP (EtherType 0x0806).";
    assert!(summary["notes"].to_string().contains(text), "{summary}");
    let ran = run_with_input("classify -f jsonl -", NONE, &bytes).ended(0);
    assert_eq!(ran.stderr, format!("cutshort: {text}\n"));
}

/// Packets that cannot be used are told where no list has them.
#[test]
fn packets_that_cannot_be_used() {
    let mut bytes = pcap(&request(Tcp::default()));
    let packet = Tcp::default().bytes();
    let mut fragment = packet.clone();
    fragment[6..8].copy_from_slice(&[0x20, 0]);
    fragment[2..4].copy_from_slice(&[0, 28]);
    let mut malformed = packet.clone();
    malformed[0] = 0x44;
    let ms = Tcp::default().ms;
    bytes.extend(raw_records(&[(ms, fragment[..28].to_vec()), (ms, malformed), (ms, packet[..30].to_vec())]));
    let ran = run_with_input("classify -f jsonl -", NONE, &bytes).ended(0);
    for text in [
        "1 record was not used: IP fragments without a whole TCP header.",
        "1 record was not used: malformed headers.",
        "1 record was cut before the TCP header was complete",
    ] {
        assert!(ran.stderr.contains(text), "{ran:?}");
    }
    assert_eq!(ran.stderr.lines().count(), 3, "{ran:?}");
    let fine = file(RAW, <[u8]>::to_vec);
    assert_eq!(run_with_input("classify -f jsonl -", NONE, &fine).fine().stderr, "");
}

#[test]
fn thousands_of_kinds_are_not_thousands_of_lines() {
    let records: Vec<_> = (0..5000_u16)
        .map(|at| {
            (1_764_000_000_000, ip(47, &[&[0, 0][..], &(0x9000 + at).to_be_bytes(), &[0; 20]].concat()))
        })
        .collect();
    let bytes = frames(ETHERNET, &records);
    let stderr = said(run_with_input("classify -f jsonl -", NONE, &bytes));
    assert!(stderr.lines().count() < 20 && stderr.contains("4,990 records of 4,990 more kinds"), "{stderr}");
    let table = run_with_input("classify -", NONE, &bytes).ended(1).stdout;
    assert!(table.lines().count() < 60 && table.contains("4,990  of 4,990 other kinds"), "{table}");
}

/// Statistics of an interface of a pcapng: 100,000 received, 95,000 dropped.
#[test]
fn losses_that_a_capture_tells() {
    let mut bytes = std::fs::read(crate::common::capture("https")).unwrap();
    let option = |code: u16, count: u64| [&code.to_le_bytes()[..], &[8, 0], &count.to_le_bytes()].concat();
    let options = [option(4, 100_000), option(5, 95_000), option(7, 1000), vec![0; 4]].concat();
    let len = (options.len() as u32 + 24).to_le_bytes();
    bytes.extend([&[5, 0, 0, 0], &len[..], &[0; 12], &options, &len].concat());
    let text = "95,000 packets dropped by the interface, 1,000 packets dropped by the operating system, of 100,000 received";
    let summary = run_with_input("classify -f json -", NONE, &bytes).fine().json();
    assert_eq!(summary["dropped"]["interface"], 95_000);
    assert!(summary["notes"].to_string().contains(text), "{summary}");
    for format in ["jsonl", "csv", "zeek", "parquet"] {
        let ran = run_with_input(&format!("classify --outer -f {format} -"), NONE, &bytes).ended(0);
        assert!(ran.stderr.contains(text), "{ran:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    std::fs::write(&path, bytes).unwrap();
    let ran =
        run(&format!("import --outer --data {}", folder.path().join("store").display()), &[&path]).ended(0);
    assert!(ran.stderr.contains(text), "{ran:?}");
}

/// As 'tcpdump -i nflog:GROUP' writes that the set of the rules was full: such a record has no packet.
#[test]
fn reports_of_a_full_set_are_no_packets() {
    let report = |_: &[u8]| [&[2, 0, 0, 5, 24, 0, 10, 0][..], b"cutshort-left-out:1\0"].concat();
    let bytes = file(NFLOG, report);
    let text = "4 records say that sampling was incomplete: connections that cutshort's rules had chosen were left out";
    let stderr = said(run_with_input("classify -f jsonl -", NONE, &bytes));
    assert!(stderr.contains(text), "{stderr}");
    let json = run_with_input("classify -f json -", NONE, &bytes).ended(1).json();
    assert_eq!((&json["connections"], &json["refused"]["left_out"]), (&0.into(), &4.into()));
}

#[test]
fn damage_is_said_with_its_place_and_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcap");
    let mut bytes = file(RAW, <[u8]>::to_vec);
    let second = 24 + 16 + 40;
    bytes[second + 8..second + 12].copy_from_slice(&300_000_u32.to_le_bytes());
    std::fs::write(&path, &bytes).unwrap();
    for arguments in ["classify -f jsonl", "classify -f json"] {
        let stderr = said(run(arguments, &[&path]));
        let text = format!("is damaged at byte {second}: 56 of {} bytes were not read", bytes.len());
        assert_eq!(stderr.lines().next().unwrap(), format!("cutshort: {}: {text}", path.display()));
    }
    assert_eq!(run("classify -f json", &[&path]).json()["packets"], 3);
}

#[test]
fn joined_captures_are_read_on() {
    let one = file(RAW, <[u8]>::to_vec);
    let two = pcap(&request(Tcp { src_port: 5, ms: Tcp::default().ms + 20_000, ..Tcp::default() }));
    let summary = run_with_input("classify -f json -", NONE, &[one, two].concat()).fine().json();
    assert_eq!((&summary["records"], &summary["packets"]), (&7.into(), &7.into()));
}

/// As 'tcpdump -i nflog:GROUP' writes what the rules for a host's own connections log.
#[test]
fn what_rules_for_the_origin_side_logged_is_left_out() {
    let attribute = |kind: u16, value: &[u8]| {
        let mut bytes = [&(value.len() as u16 + 4).to_le_bytes()[..], &kind.to_le_bytes(), value].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let logged = |prefix: &[u8], packet: &[u8]| {
        [&[2, 0, 0, 5][..], &attribute(10, prefix), &attribute(9, packet)].concat()
    };
    let text = "4 records were left out: 'cutshort rules --origin' logged them";
    let origin = file(NFLOG, |packet| logged(b"cutshort-origin:1\0", packet));
    let stderr = said(run_with_input("classify -f jsonl -", NONE, &origin));
    assert!(stderr.contains(text), "{stderr}");
    let json = run_with_input("classify -f json -", NONE, &origin).ended(1).json();
    assert_eq!((&json["connections"], &json["refused"]["origin"]), (&0.into(), &4.into()));
    let own = file(NFLOG, |packet| logged(b"cutshort:1\0", packet));
    assert_eq!(run_with_input("classify -f json -", NONE, &own).fine().json()["packets"], 4);
}
