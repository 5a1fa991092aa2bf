//! nginx and HAProxy in front of upstreams that fail in every way: what the proxies log beside what cutshort says, of the
//! rules' packets as of a capture. docs/origin.md#proxies has the table.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::network::{self, Network};
use crate::processes::{classify, interrupt, wait_for_window};
use crate::{CLIENT, CUTSHORT, ROUTER, SERVER};

/// Upstreams on the client's host. Nothing listens to port 9001; packets to 9002 are dropped, and to 9003 rejected.
const UPSTREAMS: &str = r"
import socket, struct, threading, time
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
PART = b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n' + b'x' * 100
def listen(port, backlog=64):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('', port)); s.listen(backlog)
    return s
def quietly(one, c):
    try: one(c)
    except OSError: pass
def serve(port, one):
    s = listen(port)
    def loop():
        while True: threading.Thread(target=quietly, args=(one, s.accept()[0]), daemon=True).start()
    threading.Thread(target=loop, daemon=True).start()
def abort(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); c.close()
def silent(c): time.sleep(30)
def empty(c): c.recv(4096); c.close()
def reset(c): c.recv(4096); abort(c)
def cut(c): c.recv(4096); c.sendall(PART); time.sleep(0.1); abort(c)
def short(c): c.recv(4096); c.sendall(PART); c.close()
def pool(c): c.recv(4096); c.sendall(OK); time.sleep(0.3); c.close()
def well(c):
    while c.recv(4096): c.sendall(OK)
for port, one in {9004: silent, 9005: empty, 9006: reset, 9007: cut, 9008: short, 9010: pool, 9011: well, 9012: well}.items():
    serve(port, one)
full = listen(9009, 0)
filling = [socket.create_connection(('198.51.100.2', 9009))]
print('ready', flush=True)
threading.Event().wait()
";

/// Holds SYN+ACKs of port 9012 back for longer than the proxies wait: the router does not forward them, and this does it later.
const LATE: &str = r"
import socket, struct, threading
def wire(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)); s.bind((name, 0))
    return s
near, far = wire('mc'), wire('ms')
link = bytes.fromhex('020000000202020000000201')
print('ready', flush=True)
while True:
    frame = near.recv(2048)
    tcp = 14 + (frame[14] & 15) * 4
    if frame[23] == 6 and frame[tcp:tcp + 2] == struct.pack('!H', 9012) and frame[tcp + 13] == 0x12:
        threading.Timer(1.6, far.send, [link + frame[12:]]).start()
";

/// An upstream, and what becomes of a request to it.
struct Upstream {
    port: u64,
    what: &'static str,
    /// `upstream_status` of nginx; alternatives are separated by `|`.
    nginx: &'static str,
    /// Status and termination state of HAProxy.
    haproxy: &'static str,
    /// Stage, termination, and a tag that it has.
    ours: (&'static str, &'static str, &'static str),
}

#[rustfmt::skip]
const UPSTREAMS_AND_WORDS: [Upstream; 12] = [
    Upstream { port: 9001, what: "closed port", nginx: "502", haproxy: "503 SC--", ours: ("post_syn", "reset", "refused") },
    Upstream { port: 9002, what: "firewall drops", nginx: "504", haproxy: "503 sC--", ours: ("post_syn", "timeout", "") },
    Upstream { port: 9003, what: "firewall rejects with ICMP", nginx: "502|504", haproxy: "503 SC--|503 sC--", ours: ("post_syn", "unreachable", "unreachable") },
    Upstream { port: 9004, what: "accepts, never answers", nginx: "504", haproxy: "504 sH--", ours: ("post_psh", "gave_up", "gave_up") },
    Upstream { port: 9005, what: "closes after the request", nginx: "502", haproxy: "502 SH--", ours: ("none", "fin", "empty_answer") },
    Upstream { port: 9006, what: "resets after the request", nginx: "502", haproxy: "502 SH--", ours: ("post_psh", "reset", "reset") },
    Upstream { port: 9007, what: "resets in the middle of the response", nginx: "200", haproxy: "200 ----", ours: ("post_psh", "reset", "answered") },
    Upstream { port: 9008, what: "closes in the middle of the response", nginx: "200", haproxy: "200 ----", ours: ("none", "fin", "answered") },
    Upstream { port: 9009, what: "accept queue is full", nginx: "504", haproxy: "503 sC--", ours: ("post_syn", "timeout", "") },
    Upstream { port: 9010, what: "closes an idle kept connection", nginx: "200", haproxy: "200 ----", ours: ("none", "fin", "answered") },
    Upstream { port: 9011, what: "keeps the connection", nginx: "200", haproxy: "200 ----", ours: ("none", "open", "answered") },
    Upstream { port: 9012, what: "accepts when the proxy no longer waits", nginx: "504", haproxy: "503 sC--", ours: ("post_syn", "gave_up", "syn_ack_late") },
];

/// A program that ends with the test, however that ends.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

#[test]
fn proxies_log_what_is_seen() {
    let Some(network) = Network::new() else { return };
    for program in ["nginx", "haproxy", "curl"] {
        if !Command::new("which").arg(program).output().is_ok_and(|out| out.status.success()) {
            return network::not_run(&format!("{program} is not installed"));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let _upstreams = upstreams(&network);
    let _late = late(&network);
    network.server(&format!("{CUTSHORT} rules apply --origin --rate 1"));
    let mut wrong = String::new();
    for (name, frontends, words) in [
        ("nginx", 7000, (|upstream| upstream.nginx) as fn(&Upstream) -> &'static str),
        ("haproxy", 8000, |upstream| upstream.haproxy),
    ] {
        wait_for_window(Duration::from_secs(40));
        let proxy =
            if name == "nginx" { nginx(&network, folder.path()) } else { haproxy(&network, folder.path()) };
        let capture = folder.path().join(format!("{name}.pcap"));
        let recording = record(&network, &capture);
        let live = classify(&network, "nflog:5", &["--origin", "--guard", "2s"]);
        request_all(&network, frontends);
        // Silence is only known to be one after the guard.
        thread::sleep(Duration::from_secs(4));
        request(&network, frontends + 10);
        thread::sleep(Duration::from_millis(500));
        let live = interrupt(live);
        thread::sleep(Duration::from_millis(300));
        drop(recording);
        drop(proxy);
        let read = Command::new(CUTSHORT)
            .args(["classify", "--origin", "--guard", "2s", "--format", "jsonl"])
            .arg(&capture)
            .output()
            .unwrap();
        let read: Vec<Value> = String::from_utf8(read.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let logged = logged(&folder.path().join(format!("{name}.log")));
        for upstream in &UPSTREAMS_AND_WORDS {
            let expected = words(upstream);
            let logged = logged.get(&upstream.port).map_or("", String::as_str);
            if !expected.split('|').any(|expected| expected == logged) {
                writeln!(wrong, "{name}, {}: logged {logged:?}, not {expected:?}", upstream.what).unwrap();
            }
            for (source, connections) in [("live", &live), ("read", &read)] {
                check(upstream, connections, &format!("{name}, {source}, {}", upstream.what), &mut wrong);
            }
        }
    }
    assert_eq!(wrong, "");
}

fn check(upstream: &Upstream, connections: &[Value], name: &str, wrong: &mut String) {
    let (stage, termination, tag) = upstream.ours;
    let mut of_port = connections.iter().filter(|line| line["dst_port"] == upstream.port).peekable();
    if of_port.peek().is_none() {
        writeln!(wrong, "{name}: no connection").unwrap();
    }
    for line in of_port {
        let has_tag = tag.is_empty() || line["tags"].as_array().unwrap().iter().any(|own| own == tag);
        if line["stage"] != stage || line["termination"] != termination || !has_tag {
            writeln!(wrong, "{name}: {line}").unwrap();
        }
    }
}

fn upstreams(network: &Network) -> Ending {
    network.client(
        "nft 'table ip deny { chain i { type filter hook input priority 0; tcp dport 9002 drop; \
         tcp dport 9003 reject with icmp type host-unreachable; }; }'",
    );
    start_script(network, CLIENT, UPSTREAMS)
}

/// The router sends SYN+ACKs of one port on when it is too late.
fn late(network: &Network) -> Ending {
    // What is sent must have its checksum where it is held back.
    network.client("ethtool -K c0 tx off >/dev/null");
    network.router(
        "nft 'table ip late { chain f { type filter hook forward priority 0; \
         tcp sport 9012 tcp flags & (syn | ack) == syn | ack drop; }; }'",
    );
    start_script(network, ROUTER, LATE)
}

/// Starts a script on a host, and waits until it is ready.
fn start_script(network: &Network, host: usize, script: &str) -> Ending {
    let mut command = network.command(host, "/usr/bin/python3");
    command.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    Ending(child)
}

fn record(network: &Network, path: &Path) -> Ending {
    let mut command = network.command(SERVER, "tcpdump");
    command.args(["-Z", "root", "-n", "-U", "--immediate-mode", "-i", "s0", "-s", "160", "-w"]);
    let mut tcpdump = command.arg(path).arg("tcp or icmp").stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    let mut lines = BufReader::new(tcpdump.stderr.take().unwrap());
    while !said.contains("listening on") {
        assert!(lines.read_line(&mut said).unwrap() > 0, "tcpdump: {said}");
    }
    // Nobody reads what else it says, and it must be able to say it.
    thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    Ending(tcpdump)
}

/// Listens to 7001 to 7012, one port for each upstream.
fn nginx(network: &Network, folder: &Path) -> Ending {
    let at = folder.display();
    let mut text = format!(
        "daemon off; worker_processes 1; pid {at}/nginx.pid; error_log {at}/nginx.err; user root;
         events {{ worker_connections 256; }}
         http {{ log_format up '$upstream_addr $upstream_status'; access_log {at}/nginx.log up;
         client_body_temp_path {at}/b; proxy_temp_path {at}/p; fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u;
         scgi_temp_path {at}/s; proxy_connect_timeout 1s; proxy_read_timeout 1s; proxy_next_upstream off;
         proxy_http_version 1.1; proxy_set_header Connection ''; proxy_buffering off;\n"
    );
    for Upstream { port, .. } in &UPSTREAMS_AND_WORDS {
        let own = port - 2000;
        writeln!(
            text,
            "upstream u{port} {{ server 198.51.100.2:{port}; keepalive 4; }} \
             server {{ listen 127.0.0.1:{own}; location / {{ proxy_pass http://u{port}; }} }}"
        )
        .unwrap();
    }
    text.push('}');
    let path = folder.join("nginx.conf");
    std::fs::write(&path, text).unwrap();
    let mut command = network.command(SERVER, "nginx");
    start(command.arg("-c").arg(path), network, 7012)
}

/// Listens to 8001 to 8012, one port for each upstream.
fn haproxy(network: &Network, folder: &Path) -> Ending {
    let mut text = "global\n log stdout format raw local0\ndefaults\n mode http\n log global\n \
         log-format \"198.51.100.2:%b %ST %tsc\"\n retries 0\n timeout connect 1s\n timeout server 1s\n \
         timeout client 5s\n http-reuse always\n"
        .to_owned();
    for Upstream { port, .. } in &UPSTREAMS_AND_WORDS {
        let own = port - 1000;
        writeln!(text, "listen {port}\n bind 127.0.0.1:{own}\n server a 198.51.100.2:{port}").unwrap();
    }
    let path = folder.join("haproxy.cfg");
    std::fs::write(&path, text).unwrap();
    let log = std::fs::File::create(folder.join("haproxy.log")).unwrap();
    let mut command = network.command(SERVER, "haproxy");
    start(command.arg("-f").arg(path).stdout(log).stderr(Stdio::null()), network, 8012)
}

/// Starts a proxy, and waits until it listens.
fn start(command: &mut Command, network: &Network, port: u16) -> Ending {
    let proxy = Ending(command.spawn().unwrap());
    let listens = || network.server("ss -Hltn").contains(&format!("127.0.0.1:{port} "));
    network::eventually("the proxy listens", listens);
    proxy
}

/// Requests one thing of each upstream, all at once.
fn request_all(network: &Network, frontends: u64) {
    let ports: Vec<String> =
        UPSTREAMS_AND_WORDS.iter().map(|upstream| (upstream.port - 9000 + frontends).to_string()).collect();
    network.server(&format!(
        "for port in {}; do curl -s -m 5 -o /dev/null http://127.0.0.1:$port/ & done; wait",
        ports.join(" ")
    ));
}

fn request(network: &Network, port: u64) {
    network.server(&format!("curl -s -m 5 -o /dev/null http://127.0.0.1:{port}/"));
}

/// By the upstream's port, what a proxy has logged of the first request.
fn logged(path: &Path) -> BTreeMap<u64, String> {
    let mut logged = BTreeMap::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        if let Some((port, words)) = line.strip_prefix("198.51.100.2:").and_then(|rest| rest.split_once(' '))
        {
            logged.entry(port.parse().unwrap()).or_insert_with(|| words.trim().to_owned());
        }
    }
    logged
}
