//! What the agent stores is what arrived.

use std::collections::BTreeMap;

use cutshort_packet::{FiveTuple, Packet};

use crate::network::{Network, PORT};
use crate::processes::{COLLECTOR, Place, Running, begin, until};
use crate::{CUTSHORT, ROUTER, SERVER};

/// 33 crafted connections over IPv4 and IPv6: what the store of a collector elsewhere has of them is held
/// against what arrived at the server, for the default rules and for a packet socket.
#[test]
fn what_arrives_is_stored_packet_by_packet() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    network.serve();
    network.server(&format!("{CUTSHORT} rules apply --rate 1 --ports {PORT}"));
    let place = Place::new(ROUTER, "203.0.113.1:9000");
    let collector = place.collector(&network);
    let agents = [("rules", "nflog:5", "no capability"), ("socket", "af_packet:s0", "CAP_NET_RAW")];
    let agents = agents.map(|(node, source, kept)| {
        let mut command = place.agent(&network, source);
        command.args(["--node", node, "--user", "nobody", "--spool"]).arg(place.path(node));
        command.env("CUTSHORT_CAPTURE_PORTS", PORT.to_string());
        let agent = Running::start(command, "receiving from");
        assert!(
            agent.said().contains(&format!("runs as nobody, kept {kept}; file access restricted")),
            "{}",
            agent.said()
        );
        assert_privileges(&agent);
        (node, agent)
    });
    let recording = network.record();
    network.craft("connections", "");
    let mut arrived = recording.stop();
    // Deliveries are answered there, too.
    arrived.retain(|packet| packet.five_tuple.dst_port == PORT);
    let arrived = by_connection(&arrived, 10);
    for (node, agent) in agents {
        let (status, said) = agent.terminate();
        assert_eq!(status.code(), Some(0), "{said}");
        until("all is delivered", || place.count(node) > 0);
        let stored = by_connection(&place.stored()[node], usize::MAX);
        assert!(stored.keys().eq(arrived.keys()), "{node}");
        for (connection, packets) in &arrived {
            assert_eq!(&stored[connection], packets, "{node}: {connection}");
        }
    }
    assert_eq!(collector.terminate().0.code(), Some(0));
}

/// Connects its clients to whom they name, and says so.
const PROXY: &str = r#"
import socket, sys, threading
def copy(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
def serve(client):
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(1)
    host, port = head.split(b" ")[1].rsplit(b":", 1)
    server = socket.create_connection((host.decode(), int(port)))
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    print(head.split(b"\r\n")[0].decode(), file=sys.stderr, flush=True)
    threading.Thread(target=copy, args=(server, client), daemon=True).start()
    copy(client, server)
listener = socket.create_server(("127.0.0.1", 3128))
print("ready", file=sys.stderr, flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"#;

/// Also behind the fence, which lets it reach the proxy only.
#[test]
fn an_agent_delivers_through_a_proxy() {
    let Some((network, place)) = begin() else { return };
    let collector = place.collector(&network);
    let mut command = network.command(SERVER, "/usr/bin/python3");
    command.args(["-c", PROXY]);
    let proxy = Running::start(command, "ready");
    let mut command = place.agent(&network, "nflog:5");
    command.args(["--node", "edge", "--user", "nobody", "--proxy", "http://127.0.0.1:3128", "--spool"]);
    command.arg(place.path("spool")).env("HTTPS_PROXY", "http://127.0.0.1:1");
    command.args(["--metrics", "0.0.0.0:9180"]);
    let agent = Running::start(command, "through the proxy 127.0.0.1:3128");
    agent.awaits("whoever reaches 0.0.0.0:9180 can read the agent's numbers");
    // Prometheus is elsewhere.
    network.client("curl -sf http://203.0.113.2:9180/metrics | grep cutshort_agent_packets_taken_total");
    network.craft("flood", "100 0");
    until("all is delivered", || place.count("edge") == 300);
    assert!(proxy.said().contains(&format!("CONNECT {COLLECTOR} HTTP/1.1")), "{}", proxy.said());
    assert_eq!(agent.terminate().0.code(), Some(0));
    assert_eq!(collector.terminate().0.code(), Some(0));
}

/// Nobody, without rights that matter, behind both fences.
fn assert_privileges(agent: &Running) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent.id())).unwrap();
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
    assert_eq!(line("Uid:").split_whitespace().collect::<Vec<_>>(), ["65534"; 4]);
    assert_eq!(line("Groups:"), "");
    assert_eq!((line("NoNewPrivs:"), line("Seccomp:")), ("1", "2"));
}

/// The first packets of each connection, without what two receivers may differ in.
fn by_connection(packets: &[Packet], limit: usize) -> BTreeMap<FiveTuple, Vec<Packet>> {
    let mut connections: BTreeMap<FiveTuple, Vec<Packet>> = BTreeMap::new();
    for packet in packets {
        connections.entry(packet.five_tuple).or_default().push(Packet { ts: 0, sample_rate: 1, ..*packet });
    }
    connections.values_mut().for_each(|packets| packets.truncate(limit));
    connections
}
