//! What a middlebox does to real connections, seen by the program as it happens: rules are loaded,
//! packets received on a server in a network namespace, classified there or by a collector.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cutshort_verdict::Signature;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::network::{self, Network, root};
use crate::processes::{Place, Running, classify, interrupt, until, wait_for_window};
use crate::{CUTSHORT, ROUTER, SERVER};

/// What sets the middlebox off, what it sends, and the stage and signature that come of it.
const RESETS: [(&str, &str, &str, u64); 13] = [
    ("syn", "R", "post_syn", 2),
    ("syn", "RA", "post_syn", 3),
    ("ack", "R", "post_ack", 6),
    ("ack", "R,R", "post_ack", 7),
    ("ack", "RA", "post_ack", 8),
    ("data", "R", "post_psh", 11),
    ("data", "RA", "post_psh", 12),
    ("data", "R,RA", "post_psh", 13),
    ("data", "RA,RA@1460,RA@4380", "post_psh", 14),
    ("data", "R,R", "post_psh", 15),
    ("data", "R,R+1460", "post_psh", 16),
    ("data", "R0,R", "post_psh", 17),
    ("answer", "R", "post_psh", 11),
];
/// What sets it off, which packets it drops then, and what comes of it: everything from the handshake on, the first
/// message and its repeats, everything after the first message.
const DROPS: [(&[&str], &str, u64); 3] = [
    (&["--when", "ack"], "post_ack", 5),
    (&["--when", "data", "--hold", "-1", "--then", "pass"], "post_ack", 5),
    (&["--when", "data"], "post_psh", 10),
];

/// What should be found of a case.
struct Expected {
    stage: &'static str,
    signature: u64,
    /// It was reset with a TTL that is not the client's.
    is_forged: bool,
    is_answered: bool,
}

/// Of the clients; each case has its own.
const FIRST_PORT: usize = 40_000;

#[test]
fn forged_resets_and_silence_are_classified_as_they_come() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    if Command::new("curl").arg("--version").output().is_err() {
        return network::not_run("curl is not installed");
    }
    network.serve();
    network.server(&format!("{CUTSHORT} rules apply --rate 1 --ports 8080"));
    wait_for_window(Duration::from_secs(60));
    let socket = classify(&network, "af_packet:s0", &["--window", "24h"]);
    // On the server itself, whose loopback rules leave out.
    let place = Place::new(SERVER, "127.0.0.1:9000");
    let collector = place.collector(&network);
    let mut agent = place.agent(&network, "nflog:5");
    agent.args(["--node", "edge", "--spool"]).arg(place.path("spool"));
    let agent = Running::start(agent, "receiving from");
    let cases = provoke(&network);
    assert_verdicts(&interrupt(socket), "af_packet", &cases);
    assert_eq!(agent.terminate().0.code(), Some(0));
    until("all is delivered", || place.count("edge") > 0);
    assert_eq!(collector.terminate().0.code(), Some(0));
    assert_verdicts(&place.judged(), "nflog", &cases);
    assert_answers(&network, &place, &cases);
    assert!(network.server(&format!("{CUTSHORT} rules status")).contains("packets logged"));
    network.server(&format!("{CUTSHORT} rules remove"));
    assert!(!network.server("nft list ruleset").contains("cutshort"));
}

/// Makes all connections; gives what should be found by client port.
fn provoke(network: &Network) -> BTreeMap<u64, Expected> {
    let mut cases = BTreeMap::new();
    let mut silent = Vec::new();
    for (number, (options, stage, signature)) in DROPS.into_iter().enumerate() {
        let mut middlebox = middlebox(network, options);
        let port = FIRST_PORT + number;
        silent.extend(get(network, port, 60));
        thread::sleep(Duration::from_millis(700));
        // Not seen by the middleboxes to come, which would forward it.
        network.client(&format!("nft 'table inet silence {{ chain c {{ type filter hook output priority 0; tcp sport {port} drop; }}; }}'"));
        end(&mut middlebox);
        let expected = Expected { stage, signature, is_forged: false, is_answered: false };
        cases.insert(port as u64, expected);
    }
    let dropped = Instant::now();
    for (number, (when, send, stage, signature)) in RESETS.into_iter().enumerate() {
        let port = FIRST_PORT + 100 + number;
        let mut middlebox = middlebox(network, &["--when", when, "--send", send, "--ttl", "110"]);
        for mut curl in get(network, port, 2) {
            curl.wait().unwrap();
        }
        end(&mut middlebox);
        let expected = Expected { stage, signature, is_forged: true, is_answered: when == "answer" };
        cases.insert(port as u64, expected);
    }
    // From then on silence is a timeout.
    thread::sleep(Duration::from_millis(11_500).saturating_sub(dropped.elapsed()));
    silent.iter_mut().for_each(end);
    network.client("nft delete table inet silence");
    cases
}

/// The API has the same counts.
fn assert_answers(network: &Network, place: &Place, cases: &BTreeMap<u64, Expected>) {
    let _collector = place.collector(network);
    // The window that is running has no results usually.
    let [from, to] = [-3600, 900].map(|from_now| Timestamp::now() + SignedDuration::from_secs(from_now));
    let groups = |dimension: &str| {
        let path = format!(
            "tcp_resets_timeouts/summary/{dimension}?dateStart={from:.0}&dateEnd={to:.0}&counts=true"
        );
        place.ask(network, &path)["counts"]["summary_0"]["groups"].clone()
    };
    let sampled = |groups: &Value, name: &str| groups[name]["sampled"][0].as_u64().unwrap_or(0);
    let count =
        |holds: &dyn Fn(&Expected) -> bool| 2 * cases.values().filter(|case| holds(case)).count() as u64;
    let (stages, signatures, tags) = (groups("stage"), groups("signature"), groups("tag"));
    for stage in ["post_syn", "post_ack", "post_psh"] {
        assert_eq!(sampled(&stages, stage), count(&|case| case.stage == stage), "{stage}: {stages}");
    }
    for signature in (1..=19).filter_map(Signature::from_id) {
        let expected = count(&|case| case.signature == u64::from(signature.id()));
        assert_eq!(sampled(&signatures, signature.name()), expected, "{signatures}");
    }
    assert_eq!(sampled(&tags, "reset"), count(&|case| case.is_forged), "{tags}");
    assert_eq!(sampled(&tags, "timeout"), count(&|case| !case.is_forged), "{tags}");
}

fn assert_verdicts(connections: &[Value], source: &str, cases: &BTreeMap<u64, Expected>) {
    let mut found: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for connection in connections {
        found.entry(connection["src_port"].as_u64().unwrap()).or_default().push(connection);
    }
    for (port, expected) in cases {
        let connections = found.get(port).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(connections.len(), 2, "{source}, {port}: IPv4 and IPv6: {connections:?}");
        for connection in connections {
            let seen = (connection["stage"].as_str(), connection["signature_id"].as_u64());
            assert_eq!(seen, (Some(expected.stage), Some(expected.signature)), "{source}: {connection}");
            let is_answered = connection["tags"].as_array().unwrap().iter().any(|tag| tag == "answered");
            assert_eq!(is_answered, expected.is_answered, "{source}: {connection}");
            let is_forged = connection["rst_ttl_delta"].as_i64().is_some_and(|delta| delta != 0);
            assert_eq!(is_forged, expected.is_forged, "{source}: {connection}");
        }
    }
    assert_eq!(found.len(), cases.len(), "{source}");
}

/// The router forwards by the middlebox alone from now on, also after its end.
fn middlebox(network: &Network, options: &[&str]) -> Child {
    let off = "table inet own { chain first { type filter hook prerouting priority -400; iifname { mc, ms } drop; }; }";
    network.router(&format!("nft list table inet own >/dev/null 2>&1 || nft '{off}'"));
    let mut child = network
        .command(ROUTER, "/usr/bin/python3")
        .arg(root().join("tests/captures/middlebox.py"))
        .args(["--client-if", "mc", "--client-mac", "02:00:00:00:01:02"])
        .args(["--server-if", "ms", "--server-mac", "02:00:00:00:02:02"])
        .args(options)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    child
}

/// A page over IPv4 and over IPv6, from this port.
fn get(network: &Network, port: usize, seconds: u32) -> Vec<Child> {
    // A port of either address: of all addresses it could be used once only.
    let curl = |host: &str, own: &str| {
        let (port, seconds) = (port.to_string(), seconds.to_string());
        let mut command = network.command(0, "curl");
        command.args(["-gs", "-m", &seconds, "--interface", own, "--local-port", &port, "-o", "/dev/null"]);
        command.arg(format!("http://{host}:8080/blocked")).spawn().unwrap()
    };
    vec![curl("203.0.113.2", "198.51.100.2"), curl("[2001:db8:2::2]", "2001:db8:1::2")]
}

fn end(child: &mut Child) {
    let _ = child.kill();
    child.wait().unwrap();
}
