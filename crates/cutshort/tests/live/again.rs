//! A client that uses its ports again: every connection counts, by the rules and at a packet socket, over the ends of
//! windows too.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::network::{Network, PORT};
use crate::processes::{COLLECTOR, METRICS, Place, Running, classify, interrupt, number, until};
use crate::{CUTSHORT, SERVER};

/// Asks for something from 64 ports in turn, over IPv4 and IPv6, and waits for the server to end the connection. A
/// port is used every 60 ms at most: rules choose 30 connections a second on the same ports.
const CLIENT: &str = r#"
import socket, sys, time
answered = 0
for turn in range(int(sys.argv[1])):
    began = time.monotonic()
    for port in range(40000, 40064):
        for own, host in (("198.51.100.2", "203.0.113.2"), ("2001:db8:1::2", "2001:db8:2::2")):
            s = socket.socket(socket.AF_INET6 if ":" in own else socket.AF_INET)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((own, port))
            s.settimeout(10)
            s.connect((host, 8080))
            s.sendall(b"GET")
            while s.recv(1000):
                answered += 1
            s.close()
    time.sleep(max(0, began + 0.06 - time.monotonic()))
print(answered)
"#;

/// Turns of 128 connections each.
const TURNS: usize = 24;
const ALL: usize = 128 * TURNS;

/// A server that answers once and then is the first to end the connection.
fn serve(network: &Network) {
    let listener = network.on_server(|| TcpListener::bind(("::", PORT)).unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().take(3 * ALL).flatten() {
            let mut request = [0; 16];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(b"answer");
        }
    });
}

fn connect(network: &Network) {
    let mut client = network.command(0, "/usr/bin/python3");
    let output = client.args(["-c", CLIENT, &TURNS.to_string()]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), ALL.to_string(), "{output:?}");
    // Its last packets are on their way.
    thread::sleep(Duration::from_millis(300));
}

/// All connections ended gracefully, and their number is among these.
#[track_caller]
fn assert_graceful(connections: &[Value], numbers: std::ops::RangeInclusive<usize>) {
    assert!(numbers.contains(&connections.len()), "{} of {numbers:?}", connections.len());
    for connection in connections {
        assert_eq!(connection["termination"], "fin", "{connection}");
    }
}

#[test]
fn every_connection_on_the_same_ports_counts() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    serve(&network);
    let apply = |rate: usize| network.server(&format!("{CUTSHORT} rules apply --ports {PORT} --rate {rate}"));
    apply(1);
    let start = |source, window| classify(&network, source, &["--window", window, "--guard", "100ms"]);
    let started = ["nflog:5", "af_packet:s0"].map(|source| start(source, "24h"));
    connect(&network);
    started.map(interrupt).iter().for_each(|connections| assert_graceful(connections, ALL..=ALL));

    // Windows end while connections come. One that is cut apart there is in neither.
    let started = ["nflog:5", "af_packet:s0"].map(|source| start(source, "1s"));
    connect(&network);
    started.map(interrupt).iter().for_each(|connections| assert_graceful(connections, ALL - 64..=ALL));

    // A quarter within 4 sigma.
    apply(4);
    let started = start("nflog:5", "1s");
    connect(&network);
    let connections = interrupt(started);
    assert_graceful(&connections, ALL / 4 - 96..=ALL / 4 + 96);
    assert!(connections.iter().all(|connection| connection["sample_rate"] == 4));
    let status = network.server(&format!("{CUTSHORT} rules status"));
    assert!(
        status.contains(" 0  chosen, but too many") && status.contains(" 0  chosen, but their ports"),
        "{status}"
    );
}

/// One agent records both data sets, from one group or from two; what classify is not asked for is left out, and that is
/// said.
#[test]
fn both_data_sets_are_recorded_at_once() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let open = || {
        network
            .server("/usr/bin/python3 -c 'import socket; socket.socket().connect_ex((\"198.51.100.2\", 9))'");
        thread::sleep(Duration::from_millis(300));
    };
    let command = |verb: &str| {
        let mut command = network.command(SERVER, CUTSHORT);
        command.args([verb, "--format", "json"]);
        command
    };
    for (groups, group) in [("nflog:5", 5), ("nflog:5,6", 6)] {
        network.server(&format!("{CUTSHORT} rules apply --rate 1"));
        network.server(&format!("{CUTSHORT} rules apply --origin --rate 1 --group {group}"));
        for (origin, status, stage) in [(false, 1, 0), (true, 0, 1)] {
            let mut command = command("classify");
            command.args(["--for", "3s", groups]).stdout(Stdio::piped()).stderr(Stdio::piped());
            if origin {
                command.arg("--origin");
            }
            let mut classifying = command.spawn().unwrap();
            let mut said = String::new();
            BufReader::new(classifying.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
            open();
            let output = classifying.wait_with_output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(status), "{said}");
            let is_said = said.contains("2 packets of connections that this host opens were left out");
            assert_eq!(is_said, !origin, "{said}");
            let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(summary["stages"]["post_syn"]["count"], stage, "{summary}");
        }
        let place = Place::new(SERVER, COLLECTOR);
        let mut agent = place.agent(&network, groups);
        agent.args(["--metrics", METRICS, "--spool"]).arg(place.path("spool"));
        let agent = Running::start(agent, "receiving from");
        open();
        network.craft("flood", "4");
        until("rows are counted", || number(&network, "packets_of_opened_connections_total") == 2.0);
        until("all are taken", || number(&network, "packets_taken_total") == 14.0);
        let doctor = command("doctor")
            .arg("--spool")
            .arg(place.path("spool"))
            .args(["--capture", groups])
            .output()
            .unwrap();
        let said = String::from_utf8(doctor.stdout).unwrap();
        assert!(said.contains("\"name\":\"origin\"") || said.contains("\"name\": \"origin\""), "{said}");
        assert_eq!(agent.terminate().0.code(), Some(0));
        let segments = std::fs::read_dir(place.path("spool").join("segments")).unwrap().flatten();
        let data_sets: std::collections::BTreeSet<_> = segments
            .map(|file| {
                cutshort_store::Segment::parse(std::fs::read(file.path()).unwrap()).unwrap().info().data_set
            })
            .collect();
        assert_eq!(data_sets.len(), 2, "{data_sets:?}");
    }
}

/// The first thing that goes wrong is that nothing comes: why is said while it waits, and at the end.
#[test]
fn silence_has_a_reason() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let network = &network;
    let said = |arguments: &str| {
        let mut command = network.command(SERVER, CUTSHORT);
        let output = command.arg("classify").args(arguments.split_whitespace()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = &said;
    let other = said("--for 200ms nflog:6");
    assert!(other.contains("none of cutshort's rules log to group 6: 'cutshort rules apply'"), "{other}");
    for method in ["", "--iptables"] {
        network.server(&format!("{CUTSHORT} rules apply --rate 1 {method}"));
        let own = said("--for 200ms nflog:5");
        assert!(own.contains("none over the loopback interface"), "{own}");
        assert!(own.contains("cutshort doctor --capture nflog:5"), "{own}");
    }
    let waiting = said("--for 6s nflog:5");
    assert_eq!(waiting.matches("nothing has come").count(), 1, "{waiting}");
    network.server(&format!("{CUTSHORT} rules apply --rate 1"));
    let (socket, rules) = thread::scope(|scope| {
        let started = ["af_packet:s0", "nflog:5"]
            .map(|source| scope.spawn(move || said(&format!("--for 4s {source}"))));
        thread::sleep(Duration::from_secs(2));
        network.craft("flood", "20");
        let [socket, rules] = started.map(|thread| thread.join().unwrap());
        (socket, rules)
    });
    assert!(!socket.contains("nothing has come") && !rules.contains("nothing has come"), "{socket}{rules}");
}
