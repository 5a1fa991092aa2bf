//! Connections that programs on this host open in unusual ways: what cutshort says of them, of the rules' packets as of a
//! packet socket.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::network::Network;
use crate::processes::{classify, interrupt, wait_for_window};
use crate::{CLIENT, CUTSHORT, SERVER};

/// Servers on the client's host.
const SERVERS: &str = r"
import socket, threading, time
def serve(port, one):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('', port)); s.listen(512)
    def quietly(c):
        try: one(c)
        except OSError: pass
    def loop():
        while True: threading.Thread(target=quietly, args=(s.accept()[0],), daemon=True).start()
    threading.Thread(target=loop, daemon=True).start()
def until_end(c):
    data = b''
    while part := c.recv(4096): data += part
    return data
def whole(c): until_end(c); c.sendall(b'answer'); c.close()
def answer(c): c.recv(4096); c.sendall(b'answer'); c.close()
def accept(c): until_end(c); c.close()
def banner(c): c.sendall(b'8.0.36 ready'); until_end(c); c.close()
def mute(c): time.sleep(30)
for port, one in {9101: whole, 9102: answer, 9103: accept, 9104: accept, 9105: banner, 9106: mute}.items():
    serve(port, one)
print('ready', flush=True)
threading.Event().wait()
";

/// The programs. Ports 41000 to 41009 are used again every 100 ms: 100 connections a second.
const PROGRAMS: &str = r"
import socket, struct, time
def connect(port, own=0):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('203.0.113.2', own))
    s.settimeout(5)
    s.connect(('198.51.100.2', port))
    return s
def drain(s):
    while s.recv(4096): pass
s = connect(9101); s.sendall(b'all of it'); s.shutdown(socket.SHUT_WR); drain(s); s.close()
for turn in range(20):
    began = time.monotonic()
    for own in range(41000, 41010):
        s = connect(9102, own); s.sendall(b'GET'); drain(s); s.close()
    time.sleep(max(0, began + 0.1 - time.monotonic()))
s = connect(9103); s.close()
s = connect(9104); s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); s.close()
s = connect(9105); s.recv(100); s.sendall(b'login'); time.sleep(0.1); s.close()
s = connect(9105); s.recv(100); s.close()
pooled = connect(9106)
time.sleep(4)
s = connect(9101); s.sendall(b'last'); s.shutdown(socket.SHUT_WR); drain(s); s.close()
print('done', flush=True)
time.sleep(60)
";

/// What a program does, by the server's port.
struct Meant {
    port: u64,
    what: &'static str,
    connections: usize,
    /// Stage, termination, and whether the server sent a byte.
    ours: (&'static str, &'static str, bool),
}

#[rustfmt::skip]
const MEANT: [Meant; 6] = [
    Meant { port: 9101, what: "half-closes, then reads the answer", connections: 2, ours: ("none", "fin", true) },
    Meant { port: 9102, what: "uses its ports again", connections: 200, ours: ("none", "fin", true) },
    Meant { port: 9103, what: "health check that closes", connections: 1, ours: ("none", "gave_up", false) },
    Meant { port: 9104, what: "health check that resets", connections: 1, ours: ("none", "gave_up", false) },
    Meant { port: 9105, what: "waits for a banner", connections: 2, ours: ("none", "fin", true) },
    Meant { port: 9106, what: "waits in a pool", connections: 1, ours: ("none", "open", false) },
];

struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn unusual_ways_to_open_connections_are_not_failures() {
    let Some(network) = Network::new() else { return };
    let _servers = run(&network, CLIENT, SERVERS, "ready");
    network.server(&format!("{CUTSHORT} rules apply --origin --rate 1"));
    wait_for_window(Duration::from_secs(40));
    let sources = ["nflog:5", "af_packet:s0"];
    let started = sources.map(|source| classify(&network, source, &["--origin", "--guard", "2s"]));
    // They keep the connection of the pool open until the receivers have ended.
    let _programs = run(&network, SERVER, PROGRAMS, "done");
    thread::sleep(Duration::from_millis(500));
    let mut wrong = Vec::new();
    for (source, connections) in sources.iter().zip(started.map(interrupt)) {
        for meant in &MEANT {
            wrong
                .extend(differences(meant, &connections).into_iter().map(|what| format!("{source}, {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn differences(meant: &Meant, connections: &[Value]) -> Vec<String> {
    let (stage, termination, is_answered) = meant.ours;
    let own: Vec<&Value> = connections.iter().filter(|line| line["dst_port"] == meant.port).collect();
    let mut wrong = Vec::new();
    if own.len() != meant.connections {
        wrong.push(format!("{}: {} of {} connections", meant.what, own.len(), meant.connections));
    }
    for line in own {
        let answered = line["tags"].as_array().unwrap().iter().any(|tag| tag == "answered");
        if line["stage"] != stage || line["termination"] != termination || answered != is_answered {
            wrong.push(format!("{}: {line}", meant.what));
        }
    }
    wrong
}

/// Runs a script on a host until it has printed a line.
fn run(network: &Network, host: usize, script: &str, line: &str) -> Ending {
    let mut command = network.command(host, "/usr/bin/python3");
    let mut child = command.args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let ending = Ending(child);
    assert_eq!(said.trim_end(), line);
    ending
}
