//! Connections that this host opens: `classify --origin`.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::packets::{ACK, FIN, PSH, RST, SYN, Tcp, header, record};
use crate::common::{Ran, run};

const US: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// A connection of ours to a server, as it goes on.
struct Attempt {
    syn: Tcp,
}

impl Attempt {
    fn to(server: u8, port: u16) -> Self {
        let syn = Tcp {
            src: US,
            src_port: port,
            dst: Ipv4Addr::new(203, 0, 113, server),
            ttl: 64,
            ..Tcp::default()
        };
        Self { syn }
    }

    fn sent(&self, after_ms: u64, flags: u8, rel: u32, payload: usize) -> Tcp {
        let ack = if flags & ACK == 0 { 0 } else { 5001 };
        Tcp { ms: self.syn.ms + after_ms, flags, seq: 1000 + rel, ack, payload, ..self.syn }
    }

    fn received(&self, after_ms: u64, flags: u8, seq: u32, to: u32, payload: usize) -> Tcp {
        let Tcp { src, src_port, dst, dst_port, .. } = self.syn;
        let turned = Tcp { src: dst, src_port: dst_port, dst: src, dst_port: src_port, ttl: 50, ..self.syn };
        Tcp { ms: self.syn.ms + after_ms, flags, seq, ack: 1000 + to, payload, ..turned }
    }

    /// SYN, SYN+ACK and a request that is acknowledged.
    fn asked(&self) -> Vec<Tcp> {
        vec![
            self.syn,
            self.received(20, SYN | ACK, 5000, 1, 0),
            self.sent(21, ACK, 1, 0),
            self.sent(22, PSH | ACK, 1, 100),
            self.received(40, ACK, 5001, 101, 0),
        ]
    }

    /// An ICMP error of a router: host unreachable, with eight bytes of TCP.
    fn unreachable(&self, after_ms: u64) -> (u64, Vec<u8>) {
        let quote = &self.syn.bytes()[..28];
        let mut bytes = vec![0x45, 0, 0, 56, 0, 1, 0, 0, 60, 1, 0, 0, 192, 0, 2, 254];
        bytes.extend(US.octets());
        bytes.extend([3, 1, 0, 0, 0, 0, 0, 0]);
        bytes.extend(quote);
        (self.syn.ms + after_ms, bytes)
    }
}

/// Five servers: one that answers, one that refuses, one that cannot be reached, one that falls silent, and one that closes
/// without a byte. A client of ours is there as well.
fn capture(only_sent: bool) -> (TempDir, PathBuf) {
    let [answers, refuses, gone, silent, empty] =
        [1, 2, 3, 4, 5].map(|at| Attempt::to(at, 40_000 + u16::from(at)));
    let mut packets = answers.asked();
    packets.extend([
        answers.received(60, PSH | ACK, 5001, 101, 500),
        answers.sent(70, FIN | ACK, 101, 0),
        answers.received(90, FIN | ACK, 5501, 102, 0),
        refuses.syn,
        refuses.received(10, RST | ACK, 0, 1, 0),
        gone.syn,
    ]);
    packets.extend(silent.asked());
    packets.extend(empty.asked());
    packets.extend([empty.received(500, FIN | ACK, 5001, 101, 0), Tcp::default()]);
    // The input goes on for long enough to tell silence.
    packets.push(Tcp { ms: answers.syn.ms + 60_000, src_port: 1, dst_port: 1, flags: ACK, ..answers.syn });
    packets.retain(|packet| !only_sent || packet.src == US);
    let mut records: Vec<(u64, Vec<u8>)> = packets.iter().map(|packet| (packet.ms, packet.bytes())).collect();
    if !only_sent {
        records.push(gone.unreachable(15));
    }
    records.sort_by_key(|(ms, _)| *ms);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("origin.pcap");
    let bytes = records.iter().flat_map(|(ms, bytes)| record(*ms, bytes));
    std::fs::write(&path, header().into_iter().chain(bytes).collect::<Vec<u8>>()).unwrap();
    (folder, path)
}

fn classify(arguments: &str) -> Ran {
    let (_folder, path) = capture(false);
    run(&format!("classify --origin {arguments}"), &[path]).ended(0)
}

/// Of each server what happened.
fn lines(arguments: &str) -> Vec<Value> {
    let mut lines = classify(&format!("--format jsonl {arguments}")).lines();
    lines.sort_by_key(|line| line["dst_ip"].as_str().map(str::to_owned));
    lines
}

#[test]
fn lines_say_what_each_server_did() {
    let lines = lines("--client-net 192.0.2.0/24");
    let of = |line: &Value| json!([line["stage"], line["termination"], line["signature_id"]]);
    let expected = [
        json!(["none", "fin", null]),
        json!(["post_syn", "reset", 3]),
        json!(["post_syn", "unreachable", 221]),
        json!(["post_psh", "timeout", 10]),
        json!(["none", "fin", null]),
    ];
    assert_eq!(lines.iter().map(of).collect::<Vec<_>>(), expected);
    assert!(lines.iter().all(|line| line["dataset"] == "origin" && line["src_ip"] == "192.0.2.1"));
    assert_eq!(lines[0]["handshake_us"], 20_000);
    assert_eq!(lines[0]["first_byte_us"], 60_000);
    assert_eq!(lines[1]["tags"], json!(["reset", "single_rstack", "refused"]));
    assert_eq!(lines[1]["handshake_us"], Value::Null);
    assert_eq!(lines[4]["tags"], json!(["empty_answer"]));
    assert_eq!(lines[2]["packets"], 2, "the SYN and the ICMP error");
}

#[test]
fn everybodys_connections_count_without_a_network() {
    assert_eq!(lines("").len(), 6);
    assert_eq!(lines("--client-net 198.51.100.0/24").len(), 1);
    assert_eq!(lines("--client-net 192.0.2.0/24 --filter tag=refused").len(), 1);
    assert_eq!(lines("--filter termination=unreachable,timeout --client-net 192.0.2.1").len(), 2);
}

#[test]
fn the_summary_ranks_servers() {
    let summary = classify("--client-net 192.0.2.0/24 --format json").json();
    assert_eq!((&summary["dataset"], &summary["one_direction"]), (&json!("origin"), &json!(false)));
    assert_eq!(summary["excluded"], json!({"self": 0, "no_syn": 1, "multiple_syn": 0, "incomplete": 0}));
    let servers = summary["servers"].as_array().unwrap();
    let of = |address: &str| servers.iter().find(|server| server["address"] == address).unwrap();
    assert_eq!(servers.len(), 5);
    assert_eq!(of("203.0.113.2")["refused"]["count"], 1);
    assert_eq!(of("203.0.113.3")["unreachable"]["count"], 1);
    assert_eq!(of("203.0.113.4")["timeouts"]["count"], 1);
    assert_eq!(of("203.0.113.5")["empty_answers"]["count"], 1);
    let p50 = of("203.0.113.1")["handshake_p50_us"].as_f64().unwrap();
    assert!((p50 - 20_000.0).abs() <= 2_000.0, "{p50}");
    let text = classify("--client-net 192.0.2.0/24").stdout;
    for part in ["5 connections", "Servers", "203.0.113.2:443", "Who ended them", "first byte"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(summary["terminations"]["unreachable"]["count"], 1);
}

#[test]
fn other_formats_have_the_times_as_well() {
    let csv = classify("--format csv").stdout;
    assert!(
        csv.lines().next().unwrap().ends_with(",sample_rate,dataset,handshake_us,first_byte_us"),
        "{csv}"
    );
    assert!(csv.contains(",origin,20000,60000"), "{csv}");
    let zeek = classify("--format zeek").stdout;
    assert!(zeek.contains("\tSr\t"), "a SYN of ours and a RST of the server: {zeek}");
}

#[test]
fn an_explanation_shows_both_directions() {
    let (_folder, path) = capture(false);
    let of = |five_tuple: &str| {
        let mut command = crate::common::cutshort();
        command.args(["classify", "--origin", "--explain", five_tuple]).arg(&path);
        let output = command.output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let text = of("192.0.2.1:40004 > 203.0.113.4:443");
    for part in [">S", "<SA", "ack of the server", "not answered: timeout (rule 9)", "Signature 10"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = of("192.0.2.1:40003 > 203.0.113.3:443");
    assert!(text.contains("<ICMP") && text.contains("unreachable (rule 3)"), "{text}");
}

/// An ACK of ours is sent only after a SYN+ACK: what came back was not captured.
#[test]
fn one_direction_gives_no_verdicts() {
    let (_folder, path) = capture(true);
    let lines = run("classify --origin --format jsonl", &[&path]).ended(1);
    assert_eq!(lines.stdout, "");
    assert!(lines.stderr.contains("nothing that came back"), "{}", lines.stderr);
    let summary = run("classify --origin --format json", &[&path]).ended(1).json();
    assert_eq!((&summary["connections"], &summary["one_direction"]), (&json!(0), &json!(true)));
    // Without --origin nothing changes.
    assert_eq!(run("classify --format jsonl", &[&path]).ended(0).lines().len(), 5);
}

/// The lines of connections, with the fields of both: an import does not know the rest of the capture.
fn comparable(ran: &Ran) -> Vec<Value> {
    let mut lines = ran.lines();
    lines.sort_by_key(|line| (line["dst_ip"].to_string(), line["dst_port"].to_string()));
    lines
}

#[test]
fn an_import_has_the_connections_that_classify_has() {
    let (folder, path) = capture(false);
    let store = folder.path().join("store");
    let store = store.to_str().unwrap();
    let none: [&str; 0] = [];
    for selection in ["", "--client-net 192.0.2.0/24"] {
        let _ = std::fs::remove_dir_all(store);
        let classified = run(&format!("classify --origin --format jsonl {selection}"), &[&path]).ended(0);
        let import = run(&format!("import --data {store} --origin {selection}"), &[&path]).ended(0);
        for part in ["--dataset origin --from", "cutshort store forget --data", "1 window computed"] {
            assert!(import.stdout.contains(part), "{part}: {}", import.stdout);
        }
        // Again, and with itself: nothing changes.
        run(&format!("import --data {store} --dataset origin {selection}"), &[&path]).ended(0);
        let exported =
            run(&format!("export connections --data {store} --origin --format jsonl"), &none).ended(0);
        assert_eq!(comparable(&exported), comparable(&classified));
        let csv = |command: &str, inputs: &[&PathBuf]| {
            let mut lines: Vec<_> = run(command, inputs).ended(0).stdout.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let exported = csv(&format!("export connections --data {store} --origin"), &[]);
        assert_eq!(exported, csv(&format!("classify --origin --format csv {selection}"), &[&path]));
    }
    let zeek =
        run(&format!("export connections --data {store} --origin --format zeek"), &none).ended(0).stdout;
    let uid =
        |log: &str| log.lines().filter(|line| !line.starts_with('#')).map(|line| line[..50].to_owned()).min();
    let of_capture =
        run("classify --origin --client-net 192.0.2.0/24 --format zeek", &[&path]).ended(0).stdout;
    assert_eq!(uid(&zeek), uid(&of_capture), "times and uids are the same");
    let counts =
        run(&format!("export rollups --data {store} --dataset origin --format jsonl"), &none).lines();
    assert_eq!((&counts[0]["connections_sampled"], &counts[0]["no_syn_sampled"]), (&json!(5), &json!(1)));
    assert_eq!(counts[0]["self"], 0);
    // Nothing of it is in the other data set.
    let of_clients = run(&format!("export connections --data {store}"), &none).ended(1);
    assert!(of_clients.stderr.contains("no results"), "{}", of_clients.stderr);
    let query = |what: &str| {
        let command = format!("query {what} --data {store} --origin --from 2000-01-01 --format json");
        run(&command, &none).ended(0).json()["result"].clone()
    };
    let shares = query("summary --by termination")["summary_0"].clone();
    assert!(shares["unreachable"].as_str().is_some() && shares.get("server_reset").is_none(), "{shares}");
    assert!(query("summary --tag refused")["summary_0"]["post_syn"].as_str().unwrap().starts_with("100"));
    let refused = run(&format!("query summary --data {store} --tag refused"), &none).ended(2);
    assert!(refused.stderr.contains("refused"), "{}", refused.stderr);
    let segments = run(&format!("store segments --data {store}"), &none).ended(0).stdout;
    let id = segments.split_whitespace().next().unwrap();
    run(&format!("store forget --data {store} {id}"), &none).ended(0);
    assert_eq!(run(&format!("store segments --data {store}"), &none).ended(0).stdout, "");
}

/// Pieces of a capture are one if they are imported together, in any order.
#[test]
fn pieces_of_a_capture_are_imported_together() {
    let (folder, path) = capture(false);
    let bytes = std::fs::read(&path).unwrap();
    let cut = 24 + (16 + 40) * 3;
    let pieces = [("b.pcap", [&bytes[..24], &bytes[cut..]].concat()), ("a.pcap", bytes[..cut].to_vec())];
    let pieces = pieces.map(|(name, bytes)| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    });
    let store = folder.path().join("store");
    let store = store.to_str().unwrap();
    let none: [&str; 0] = [];
    run(&format!("import --data {store} --origin"), &pieces).ended(0);
    let exported = run(&format!("export connections --data {store} --origin --format jsonl"), &none).ended(0);
    let classified = run("classify --origin --format jsonl", &[&path]).ended(0);
    assert_eq!(comparable(&exported), comparable(&classified));
}

#[test]
fn one_direction_is_not_imported() {
    let (folder, path) = capture(true);
    let store = folder.path().join("store");
    let store = store.to_str().unwrap();
    let ran = run(&format!("import --data {store} --origin"), &[&path]).ended(1);
    assert!(ran.stderr.contains("nothing that came back"), "{}", ran.stderr);
    assert!(ran.stdout.contains("no TCP packet was kept"), "{}", ran.stdout);
}

#[test]
fn terms_are_explained_as_they_are_meant_here() {
    let none: [&str; 0] = [];
    for name in ["gave_up", "refused", "empty_answer", "syn_ack_late", "201"] {
        run(&format!("explain {name}"), &none).ended(0);
    }
    let own = run("explain --origin post_syn", &none).ended(0).stdout;
    assert!(
        own.contains("Your proxy may have logged") || own.contains("your proxy may have logged"),
        "{own}"
    );
    assert!(!run("explain post_syn", &none).ended(0).stdout.contains("proxy"));
}
