//! QUIC connections of clients: `classify --quic`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::builder::{Long, Type, short};
use crate::bytes::{IPV4, TCP, ethernet, ipv4, tcp};
use crate::common::packets::{ACK, PSH, RST, SYN, Tcp, frames, header, raw_records};
use crate::common::{Ran, cutshort, run};
use crate::wraps::WRAPS;

const UDP: u8 = 17;
const ETHERNET: u8 = 1;
const START: u64 = 1_764_000_000_000;

/// A datagram of a client to a port.
fn datagram(port: u16, payload: &[u8]) -> Vec<u8> {
    let len = (8 + payload.len() as u16).to_be_bytes();
    ipv4(UDP, &[&[0x9c, 0xb0], &port.to_be_bytes()[..], &len, &[0, 0], payload].concat())
}

/// An Initial packet that fills 1,200 bytes.
fn initial() -> Vec<u8> {
    let mut datagram = Long { body: 1170, ..Long::default() }.bytes();
    datagram.resize(1200, 0);
    datagram
}

/// An ICMP error of our host that says that nobody listens on the port of a datagram.
fn refusal(datagram: &[u8]) -> Vec<u8> {
    ipv4(1, &[&[3, 3, 0, 0, 0, 0, 0, 0], &datagram[..28]].concat())
}

/// A client that repeats its Initial packet, without an answer; then a TCP packet a minute later.
fn unanswered(port: u16) -> Vec<(u64, Vec<u8>)> {
    let datagram = datagram(port, &initial());
    let times = [0, 300, 900, 2100].map(|ms| (START + ms, datagram.clone()));
    times.into_iter().chain([(START + 60_000, ipv4(TCP, &tcp(0, 0)))]).collect()
}

fn file(folder: &TempDir, records: &[(u64, Vec<u8>)]) -> PathBuf {
    let path = folder.path().join("a.pcap");
    std::fs::write(&path, [header(), raw_records(records)].concat()).unwrap();
    path
}

fn summary(arguments: &str, path: &PathBuf) -> Value {
    run(&format!("classify -f json {arguments}"), &[path]).json()
}

#[test]
fn each_record_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut records = unanswered(443);
    records.push((START + 60_001, datagram(53, b"a question")));
    records.push((START + 60_002, refusal(&datagram(53, b"a question"))));
    let path = file(&folder, &records);
    let summary = summary("--quic", &path);
    assert_eq!((summary["records"].as_u64(), summary["packets"].as_u64()), (Some(7), Some(4)));
    assert_eq!(summary["refused"]["not_quic"], 3, "TCP, and another port");
    assert!(summary["refused"].get("not_tcp").is_none());
    assert_eq!((&summary["connections"], &summary["beyond_limit"]), (&json!(1), &json!(0)));
    let tcp = run("classify -f json", &[&path]).json();
    assert_eq!((&tcp["packets"], &tcp["refused"]["not_tcp"]), (&json!(1), &json!(6)));
    assert!(tcp["refused"].get("not_quic").is_none());
}

#[test]
fn an_icmp_error_is_evidence_and_no_row_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let mut records = unanswered(443);
    records.insert(1, (START + 1, refusal(&datagram(443, &initial()))));
    let summary = summary("--quic", &file(&folder, &records));
    assert_eq!((&summary["packets"], &summary["beyond_limit"]), (&json!(5), &json!(0)));
    let jsonl = run("classify --quic -f jsonl", &[&file(&folder, &records)]).stdout;
    assert!(jsonl.contains(r#""termination":"server_unreachable""#), "{jsonl}");
}

#[test]
fn connections_have_a_version() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run("classify --dataset quic -f jsonl", &[&file(&folder, &unanswered(443))]);
    let line: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&line["dataset"], &line["version"], &line["close_code"]),
        (&json!("quic"), &json!("1"), &json!(null))
    );
    assert_eq!(
        (&line["stage"], &line["signature_id"], &line["packets"]),
        (&json!("post_initial"), &json!(102), &json!(4))
    );
    assert!(line.get("rst_ttl_delta").is_none());
}

#[test]
fn other_ports_must_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &unanswered(8443));
    let connections = |arguments: &str| summary(arguments, &path)["connections"].clone();
    assert_eq!(connections("--quic"), 0);
    assert_eq!(connections("--quic --server-port 443,8443"), 1);
    assert_eq!(connections("--quic --server-port any"), 1);
    let text = run("classify --quic", &[&path]).stdout;
    assert!(
        text.contains("There is no datagram of a QUIC port in it. It has 4 UDP (IP protocol 17)"),
        "{text}"
    );
    let many: Vec<String> = (1..=17).map(|port| port.to_string()).collect();
    let refused = run(&format!("classify --quic --server-port {}", many.join(",")), &[&path]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("up to 16 ports"), "{}", refused.stderr);
}

#[test]
fn only_quic_has_initial_packets() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &unanswered(443));
    for arguments in ["classify --open-initials", "classify --origin --open-initials"] {
        assert_eq!(run(arguments, &[&path]).code, Some(2), "{arguments}");
    }
    let opened = summary("--quic --open-initials", &path);
    let tags = opened["tags"].to_string();
    assert!(tags.contains("not_opened"), "random bytes cannot be opened: {tags}");
}

#[test]
fn what_is_cut_may_have_been_more() {
    let folder = tempfile::tempdir().unwrap();
    let handshake = [initial()[..1190].to_vec(), Long::of(Type::Handshake).bytes(), short(60, 0x40)].concat();
    let mut records = unanswered(443);
    records.insert(1, (START + 30, datagram(443, &handshake)));
    records.iter_mut().for_each(|(_, bytes)| bytes.truncate(128));
    let text = run("classify --quic", &[&file(&folder, &records)]).stdout;
    assert!(text.contains("5 datagrams of 5 were cut by the capture"), "{text}");
}

#[test]
fn datagrams_inside_tunnels_are_read_and_tcp_there_is_not_missed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcap");
    for (tunnel, wrap) in WRAPS {
        let of = |packet: &[u8]| {
            let (ethertype, rest) = wrap(IPV4, packet);
            (START, ethernet(ethertype, &rest))
        };
        let records = [of(&datagram(443, &initial())), of(&ipv4(TCP, &tcp(0, 0)))];
        std::fs::write(&path, frames(ETHERNET, &records)).unwrap();
        let ran = run("classify --quic -f json", &[&path]);
        let summary = ran.json();
        assert_eq!((ran.code, &summary["packets"]), (Some(0), &json!(1)), "{tunnel}: {summary}");
        assert_eq!(
            (&summary["refused"]["not_quic"], &summary["refused"]["encapsulated"]),
            (&json!(1), &json!(0))
        );
        assert_eq!(summary["unwrapped"].as_object().unwrap().len(), 1, "{tunnel}");
    }
}

#[test]
fn a_connection_is_explained_by_its_datagrams() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &unanswered(8443));
    let explain = |five_tuple: &str| {
        let mut command = cutshort();
        command.args(["classify", "--quic", "--explain", five_tuple]).arg(&path);
        Ran::from(command.output().unwrap())
    };
    let text = explain("198.51.100.7:40112 > 203.0.113.5:8443").stdout;
    assert!(text.contains("4 datagrams taken") && text.contains("Signature 102"), "{text}");
    let other = explain("198.51.100.7:40113 > 203.0.113.5:8443");
    assert_eq!(other.code, Some(1));
    assert!(other.stderr.contains("is not in the capture"), "{}", other.stderr);
}

/// The packets of the three data sets: QUIC clients and one over TCP, who meets our own connections to others.
fn of_all_data_sets(port: u16) -> Vec<(u64, Vec<u8>)> {
    let client = Tcp { ms: START + 5, src_port: port, ..Tcp::default() };
    let server =
        Tcp { src: client.dst, src_port: client.dst_port, dst: client.src, dst_port: port, ..client };
    let tcp = [
        client,
        Tcp { ms: START + 15, flags: SYN | ACK, seq: 5000, ack: 1001, ..server },
        Tcp { ms: START + 20, flags: PSH | ACK, seq: 1001, ack: 5001, payload: 100, ..client },
        Tcp { ms: START + 30, flags: RST, seq: 5001, ..server },
    ];
    let datagrams = unanswered(443).into_iter();
    let mut records: Vec<_> = datagrams.chain(tcp.map(|packet| (packet.ms, packet.bytes()))).collect();
    records.sort_by_key(|(ms, _)| *ms);
    records
}

/// What a store keeps of packets, of each data set: the files of its segments.
fn segments(store: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for folder in ["packets", "origin/packets", "quic/packets"] {
        gather(store, &store.join(folder), &mut found);
    }
    found
}

fn gather(store: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(store, &path, found);
        } else {
            found.insert(path.strip_prefix(store).unwrap().to_owned(), std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn one_reading_fills_several_data_sets() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // Two captures whose times overlap, so that they are merged where that matters.
    let captures = [path("a.pcap"), path("b.pcap")];
    for (at, capture) in captures.iter().enumerate() {
        let mut records = of_all_data_sets(50_000 + at as u16);
        records.iter_mut().for_each(|(ms, _)| *ms += 7 * at as u64);
        std::fs::write(capture, [header(), raw_records(&records)].concat()).unwrap();
    }
    let imported = |store: &str, data_sets: &[&str]| {
        for data_sets in data_sets {
            let mut command = cutshort();
            command.args(["import", "--data"]).arg(path(store)).args(["--dataset", data_sets]);
            if data_sets.contains("quic") {
                command.arg("--quic-key").arg(path("quic.key"));
            }
            Ran::from(command.args(&captures).output().unwrap()).ended(0);
        }
        let kept = segments(&path(store));
        let results: Vec<String> = ["tcp", "origin", "quic"]
            .into_iter()
            .map(|data_set| {
                let of = format!("--dataset {data_set} --from 2025-11-24 --to 2025-11-25");
                run(&format!("export connections {of} --format jsonl --data"), &[path(store)]).stdout
            })
            .collect();
        (kept, results)
    };
    for (once, apart) in [("tcp,quic", &["tcp", "quic"][..]), ("quic,origin,tcp", &["tcp", "origin", "quic"])]
    {
        let (kept, results) = imported(&format!("{once} once"), &[once]);
        assert_eq!(kept.len(), if apart.len() == 2 { 4 } else { 5 }, "{:?}", kept.keys());
        assert_eq!((kept, results), imported(&format!("{once} apart"), apart), "{once}");
    }
}
