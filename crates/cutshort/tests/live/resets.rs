//! RSTs that a server sends itself, as 'cutshort rules --server-resets' logs them: what comes of its connections is
//! what a capture of both directions tells.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::network::Network;
use crate::processes::{classify_on, interrupt};
use crate::{CUTSHORT, ROUTER, SERVER};

/// On port 8080 it closes without reading what came, on 8081 it resets, on 8083 it closes; nobody listens on others.
const SERVES: &str = r#"
import select, socket, struct, threading, time
def serve(port):
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        s = listener.accept()[0]
        select.select([s], [], [])
        if port != 8080:
            s.recv(1000)
        if port == 8081:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
threads = [threading.Thread(target=serve, args=(port,)) for port in (8080, 8081, 8083)]
[thread.start() for thread in threads]
time.sleep(0.2)
print("ready", flush=True)
"#;

/// Connections to each of these ports, over IPv4 and IPv6. The last one, from the port that is named, ignores the RST and
/// keeps sending, so each run needs another such port.
const CONNECTS: &str = r#"
import socket, sys, time
for own, host in (("198.51.100.2", sys.argv[1]), ("2001:db8:1::2", sys.argv[2])):
    for own_port, port, messages in ((40000, 8080, 1), (40001, 8081, 1), (40002, 8082, 1), (40003, 8083, 1), (40005, 8085, 1), (int(sys.argv[3]), 8081, 16)):
        s = socket.socket(socket.AF_INET6 if ":" in own else socket.AF_INET)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.bind((own, own_port))
        try:
            s.connect((host, port))
            for message in range(messages):
                s.sendall(b"GET")
                time.sleep(0.05)
            s.settimeout(0.1)
            s.recv(100)
        except OSError:
            pass
        s.close()
"#;
const DEAF: &str = "table inet deaf { chain c { type filter hook input priority 0; tcp dport 41000-41999 tcp flags rst drop; }; }";

/// What came of a connection, by the client's address and port.
type Verdicts = BTreeMap<(String, u64), String>;

fn verdicts(connections: &[Value]) -> Verdicts {
    let verdict = |one: &Value| {
        let key = (one["src_ip"].as_str().unwrap().to_owned(), one["src_port"].as_u64().unwrap());
        let fields = ["dst_port", "packets", "stage", "termination", "tags", "signature", "sample_rate"];
        (key, fields.map(|field| one[field].to_string()).join(" "))
    };
    connections.iter().map(verdict).collect()
}

fn serve(network: &Network) -> Child {
    let mut server = network.command(SERVER, "/usr/bin/python3");
    let mut server = server.args(["-c", SERVES]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    server
}

/// With these rules on a host, connections of the client to these addresses: as they are received, and as the same is read from a
/// capture of both directions.
fn compare(network: &Network, host: usize, options: &str, to: [&str; 2], deaf: u64) -> [Verdicts; 2] {
    let rules = format!("{CUTSHORT} rules apply --rate 1 --ports 8080-8083 {options}");
    let interface = if host == SERVER {
        network.server(&rules);
        "s0"
    } else {
        network.router(&rules);
        "mc"
    };
    let often = ["--window", "24h", "--guard", "100ms"];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("both.pcap");
    let tcpdump = record(network, host, interface, &file);
    let live = classify_on(network, host, "nflog:5", &often);
    let mut client = network.command(0, "/usr/bin/python3");
    assert!(client.args(["-c", CONNECTS]).args(to).arg(deaf.to_string()).status().unwrap().success());
    thread::sleep(Duration::from_millis(1500));
    let live = verdicts(&interrupt(live));
    stop(tcpdump);
    let mut read = Command::new(CUTSHORT);
    let read = read
        .args(["classify", "--format", "jsonl", "--server-port", "8080,8081,8082,8083"])
        .args(often)
        .arg(&file)
        .output();
    let lines = String::from_utf8(read.unwrap().stdout).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    [live, verdicts(&lines)]
}

fn record(network: &Network, host: usize, interface: &str, file: &Path) -> Child {
    let mut tcpdump = network.command(host, "tcpdump");
    tcpdump
        .args(["-Z", "root", "-n", "-U", "--immediate-mode", "-i", interface, "-s", "128", "-w"])
        .arg(file)
        .arg("tcp");
    let mut tcpdump = tcpdump.stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(tcpdump.stderr.as_mut().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains("listening on")));
    tcpdump
}

fn stop(mut child: Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    child.wait().unwrap();
}

/// Those that the server reset.
fn reset(verdicts: &Verdicts) -> Vec<u64> {
    let reset = verdicts.iter().filter(|(_, verdict)| verdict.contains("server_reset"));
    reset.map(|((_, port), _)| *port).collect()
}

#[test]
fn resets_of_the_server_are_known_as_they_are_sent() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let mut server = serve(&network);
    network.client(&format!("nft '{DEAF}'"));
    let own = ["203.0.113.2", "2001:db8:2::2"];
    let all = |deaf| [40000, 40001, 40002, deaf].repeat(2);

    let [live, read] = compare(&network, SERVER, "--server-resets", own, 41000);
    assert_eq!(live, read);
    assert_eq!(reset(&live), all(41000), "{live:#?}");
    // However many RSTs there are, ten packets of the client are recorded.
    assert!(
        live.iter().all(|((_, port), verdict)| *port != 41000 || verdict.starts_with("8081 10 ")),
        "{live:#?}"
    );
    let status = network.server(&format!("{CUTSHORT} rules status"));
    assert!(status.contains("RSTs that servers sent on connections in the sample"), "{status}");

    // Without the option they are timeouts.
    let [live, _] = compare(&network, SERVER, "", own, 41001);
    assert!(reset(&live).is_empty(), "{live:#?}");
    assert_eq!(live.len(), 10, "{live:#?}");

    // On a router, and with translated addresses.
    network.server(&format!("{CUTSHORT} rules remove"));
    let [live, read] = compare(&network, ROUTER, "--forwarded --server-resets", own, 41002);
    assert_eq!((reset(&live), &live), (all(41002), &read));
    network.router(
        "nft 'table inet translated { chain c { type nat hook prerouting priority dstnat; \
         ip daddr 198.51.100.1 dnat ip to 203.0.113.2; ip6 daddr 2001:db8:1::1 dnat ip6 to 2001:db8:2::2; }; }'",
    );
    let [live, read] = compare(&network, ROUTER, "--server-resets", ["198.51.100.1", "2001:db8:1::1"], 41003);
    assert_eq!((reset(&live), &live), (all(41003), &read));
    let _ = server.kill();
    server.wait().unwrap();
}
