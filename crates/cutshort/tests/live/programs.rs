//! What well-known programs do to a server: a web server and its clients, and scanners, seen by an agent, whose
//! collector is behind TLS.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::network::{self, Network, eventually};
use crate::processes::{COLLECTOR, Place, Running, until, wait_for_window};
use crate::{CUTSHORT, SERVER};

const CLIENT: usize = 0;
/// Of the collector, on the server itself, whose loopback rules leave out; and of its proxy.
const PROXY: &str = "127.0.0.1:9443";

/// Ports on which the web server listens; each program has one for itself.
const HTTP: u64 = 80;
const HTTPS: u64 = 443;
const ZMAP: u64 = 8101;
const NMAP_CONNECT: u64 = 8102;
const NMAP_SYN: u64 = 8103;
const MASSCAN: u64 = 8104;
const HPING: u64 = 8105;
const ZMAP4: u64 = 8106;

/// What it makes of a program.
struct Expected {
    port: u64,
    connections: usize,
    stage: &'static str,
    termination: &'static str,
    signature: Option<u64>,
    tag: &'static str,
}

const fn expected(
    port: u64,
    connections: usize,
    (stage, termination, signature): (&'static str, &'static str, Option<u64>),
    tag: &'static str,
) -> Expected {
    Expected { port, connections, stage, termination, signature, tag }
}

const FINE: (&str, &str, Option<u64>) = ("none", "fin", None);
const SYN_RST: (&str, &str, Option<u64>) = ("post_syn", "reset", Some(2));
const ACK_RSTACK: (&str, &str, Option<u64>) = ("post_ack", "reset", Some(8));
/// IPv4 and IPv6, but for the scans of zmap, masscan and hping3, which are of IPv4.
const EXPECTED: [Expected; 8] = [
    expected(HTTP, 4, FINE, "answered"),
    expected(HTTPS, 4, FINE, "answered"),
    // The kernel resets what it knows nothing of.
    expected(ZMAP, 1, SYN_RST, "zmap"),
    expected(NMAP_CONNECT, 2, ACK_RSTACK, "single_rstack"),
    expected(NMAP_SYN, 2, SYN_RST, "single_rst"),
    expected(MASSCAN, 1, SYN_RST, "masscan"),
    expected(HPING, 3, SYN_RST, "no_syn_options"),
    expected(ZMAP4, 3, SYN_RST, "zmap4"),
];

/// SYN packets as ZMap sends them since version 4.1, with the options of Windows, Linux and BSD, from a raw socket.
const ZMAP4_SYNS: &str = r#"
import socket, struct

def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

source, target = (socket.inet_aton(address) for address in ("198.51.100.2", "203.0.113.2"))
mss, timestamps, sack = bytes([2, 4, 5, 180]), bytes([8, 10, 0, 0, 0, 1, 0, 0, 0, 0]), bytes([4, 2])
windows = mss + bytes([1, 3, 3, 8, 1, 1]) + sack
linux = mss + sack + timestamps + bytes([1, 3, 3, 7])
bsd = mss + bytes([1, 3, 3, 6, 1, 1]) + timestamps + sack + bytes(2)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for number, options in enumerate([windows, linux, bsd]):
    length = 20 + len(options)
    def header(check):
        return struct.pack(">HHIIHHHH", 40000 + number, PORT, 1000, 0, length << 10 | 2, 65535, check, 0) + options
    check = checksum(source + target + struct.pack(">HH", 6, length) + header(0))
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 7 + number, 0, 255, 6, 0) + source + target
    raw.sendto(ip + header(check), ("203.0.113.2", 0))
"#;

#[test]
fn web_clients_and_scanners_are_told_apart() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    for program in ["nginx", "openssl", "curl", "zmap", "nmap", "masscan", "hping3", "python3"] {
        if !Command::new("which").arg(program).output().is_ok_and(|out| out.status.success()) {
            return network::not_run(&format!("{program} is not installed"));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let nginx = serve(&network, folder.path());
    network.server(&format!("{CUTSHORT} rules apply --rate 1"));
    wait_for_window(Duration::from_secs(40));
    let place = Place::new(SERVER, COLLECTOR);
    let collector = place.collector(&network);
    let mut agent = place.agent_for(&network, "nflog:5", &format!("https://{PROXY}"));
    agent.args(["--node", "edge", "--user", "nobody", "--spool"]).arg(place.path("spool"));
    agent.arg("--ca-file").arg(folder.path().join("ca.crt"));
    let agent = Running::start(agent, "receiving from");
    browse(&network);
    scan(&network, folder.path());
    // The scanners' own kernel resets after the answer has come back.
    thread::sleep(Duration::from_millis(500));
    let (status, said) = agent.terminate();
    assert!(status.success() && said.contains(" 0 segments waiting"), "{said}");
    until("all is delivered", || place.count("edge") > 0);
    assert!(collector.terminate().0.success());
    drop(nginx);
    let mut found: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
    for connection in place.judged() {
        found.entry(connection["dst_port"].as_u64().unwrap()).or_default().push(connection);
    }
    let mut wrong = String::new();
    for expected in EXPECTED {
        let found = found.get(&expected.port).map(Vec::as_slice).unwrap_or_default();
        let is_right = |connection: &&Value| {
            connection["stage"] == expected.stage
                && connection["termination"] == expected.termination
                && connection["signature_id"].as_u64() == expected.signature
                && connection["tags"].as_array().unwrap().iter().any(|tag| tag == expected.tag)
        };
        if found.iter().filter(is_right).count() != expected.connections
            || found.len() != expected.connections
        {
            writeln!(wrong, "port {}: {found:#?}", expected.port).unwrap();
        }
    }
    assert_eq!(wrong, "");
}

/// nginx on all ports, with TLS on one.
fn serve(network: &Network, folder: &Path) -> Ending {
    let at = folder.display();
    // A certificate that may sign others cannot be a server's.
    let request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    network.server(&format!(
        "{request} -subj /CN=authority.example -keyout {at}/ca.key -out {at}/ca.crt 2>/dev/null && \
         {request} -subj /CN=server.example -addext basicConstraints=critical,CA:FALSE \
         -addext subjectAltName=IP:127.0.0.1 -CA {at}/ca.crt -CAkey {at}/ca.key -keyout {at}/key -out {at}/cert \
         2>/dev/null && chmod 755 {at}"
    ));
    let plain = EXPECTED.iter().map(|one| one.port).filter(|port| *port != HTTPS);
    let listen: String =
        plain.map(|port| format!("listen {port}; listen [::]:{port} ipv6only=on; ")).collect();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {at}/{kind}; "))
        .concat();
    let settings = format!(
        "daemon off; master_process off; pid {at}/pid; error_log {at}/log; user root; worker_processes 1; events {{ }}
         http {{ access_log off; {temporary}
           server {{ {listen} listen {HTTPS} ssl; listen [::]:{HTTPS} ssl;
             ssl_certificate {at}/cert; ssl_certificate_key {at}/key;
             location / {{ return 200 'hello'; }} }}
           server {{ listen {PROXY} ssl; ssl_certificate {at}/cert; ssl_certificate_key {at}/key;
             client_max_body_size 256m; location / {{ proxy_pass http://{COLLECTOR}; }} }} }}"
    );
    std::fs::write(folder.join("nginx.conf"), settings).unwrap();
    let mut command = network.command(SERVER, "nginx");
    command.arg("-c").arg(folder.join("nginx.conf")).stdout(Stdio::null()).stderr(Stdio::null());
    let nginx = Ending(command.spawn().unwrap());
    eventually("nginx listens", || network.server("ss -Hltn").lines().count() >= 2 * EXPECTED.len());
    nginx
}

/// Two pages on a connection each, with and without TLS, over IPv4 and IPv6.
fn browse(network: &Network) {
    for host in ["203.0.113.2", "[2001:db8:2::2]"] {
        for scheme in ["http", "https"] {
            for _ in 0..2 {
                let page = network.client(&format!("curl -gsk -m 10 {scheme}://{host}/"));
                assert_eq!(page, "hello");
            }
        }
    }
}

fn scan(network: &Network, folder: &Path) {
    let (four, six, gateway) = ("203.0.113.2", "2001:db8:2::2", "02:00:00:00:01:01");
    let zmap = format!("-q -v 0 -b /dev/null -i c0 -G {gateway} -S 198.51.100.2 -p {ZMAP} -c 1");
    network.client(&format!("zmap {zmap} -o {}/zmap {four}/32 2>&1", folder.display()));
    for (kind, port) in [("-sT", NMAP_CONNECT), ("-sS", NMAP_SYN)] {
        network.client(&format!("nmap -n -Pn {kind} -p {port} {four}"));
        network.client(&format!("nmap -n -Pn {kind} -p {port} -6 {six}"));
    }
    network.client(&format!("hping3 -q -I c0 -c 3 -i u100000 -S -p {HPING} {four} 2>&1"));
    let script = folder.join("zmap4.py");
    std::fs::write(&script, ZMAP4_SYNS.replace("PORT", &ZMAP4.to_string())).unwrap();
    network.client(&format!("python3 {}", script.display()));
    // It never ends on a quiet network, whatever --wait says.
    let mut command = network.command(CLIENT, "masscan");
    command.args([four, "-p", &MASSCAN.to_string(), "-e", "c0", "--adapter-ip", "198.51.100.2"]);
    command.args(["--router-mac", &gateway.replace(':', "-"), "--rate", "50", "--wait", "1"]);
    let masscan = Ending(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    thread::sleep(Duration::from_secs(3));
    drop(masscan);
}

/// A program that ends with the test, however that ends.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
