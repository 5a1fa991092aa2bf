//! Three hosts in a row, each in a network namespace of its own:
//!
//! client c0 --- mc router ms --- s0 server
//!
//! with the addresses of tests/captures/record.sh.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cutshort_capture::{Capture, Input, Live, LiveCount, LiveError, LiveSettings, LiveSource, Reading};
use cutshort_packet::quic::Datagram;
use cutshort_packet::{Frame, LinkType, ORIGIN_PREFIX, Packet, Refusal};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

pub(crate) const PORT: u16 = 8080;
const PROGRAMS: [&str; 7] =
    ["ip", "nft", "iptables-restore", "ip6tables-restore", "ethtool", "tcpdump", "/usr/bin/python3"];
const CLIENT_MAC: &str = "02:00:00:00:01:02";
const GATEWAY_MAC: &str = "02:00:00:00:01:01";

/// Sets up one name after the other; `{c}`, `{m}` and `{s}` are the namespaces.
const SET_UP: &str = "\
link add c0 netns {c} type veth peer name mc netns {m}
link add ms netns {m} type veth peer name s0 netns {s}
-n {c} link set c0 address 02:00:00:00:01:02
-n {m} link set mc address 02:00:00:00:01:01
-n {m} link set ms address 02:00:00:00:02:01
-n {s} link set s0 address 02:00:00:00:02:02
-n {c} addr add 198.51.100.2/24 dev c0
-n {c} addr add 2001:db8:1::2/64 dev c0 nodad
-n {m} addr add 198.51.100.1/24 dev mc
-n {m} addr add 2001:db8:1::1/64 dev mc nodad
-n {m} addr add 203.0.113.1/24 dev ms
-n {m} addr add 2001:db8:2::1/64 dev ms nodad
-n {s} addr add 203.0.113.2/24 dev s0
-n {s} addr add 2001:db8:2::2/64 dev s0 nodad
-n {c} link set c0 up
-n {m} link set mc up
-n {m} link set ms up
-n {s} link set s0 up
-n {c} route add default via 198.51.100.1
-n {c} -6 route add default via 2001:db8:1::1
-n {s} route add default via 203.0.113.1
-n {s} -6 route add default via 2001:db8:2::1
-n {c} neigh replace 198.51.100.1 lladdr 02:00:00:00:01:01 dev c0 nud permanent
-n {c} neigh replace 2001:db8:1::1 lladdr 02:00:00:00:01:01 dev c0 nud permanent
-n {m} neigh replace 198.51.100.2 lladdr 02:00:00:00:01:02 dev mc nud permanent
-n {m} neigh replace 2001:db8:1::2 lladdr 02:00:00:00:01:02 dev mc nud permanent
-n {m} neigh replace 198.51.100.100 lladdr 02:00:00:00:01:02 dev mc nud permanent
-n {m} neigh replace 2001:db8:1::100 lladdr 02:00:00:00:01:02 dev mc nud permanent
-n {m} neigh replace 203.0.113.2 lladdr 02:00:00:00:02:02 dev ms nud permanent
-n {m} neigh replace 2001:db8:2::2 lladdr 02:00:00:00:02:02 dev ms nud permanent
-n {s} neigh replace 203.0.113.1 lladdr 02:00:00:00:02:01 dev s0 nud permanent
-n {s} neigh replace 2001:db8:2::1 lladdr 02:00:00:00:02:01 dev s0 nud permanent";

pub(crate) struct Network {
    /// Client, router, server.
    names: [String; 3],
}

impl Network {
    /// None where it cannot be; the reason is printed.
    pub(crate) fn new() -> Option<Self> {
        match Self::obstacle() {
            None => Some(Self::set_up()),
            Some(why) => {
                not_run(&why);
                None
            }
        }
    }

    fn obstacle() -> Option<String> {
        if File::open("/proc/self/status").unwrap().metadata().unwrap().uid() != 0 {
            return Some("they need root".to_owned());
        }
        let missing = |program: &&&str| {
            !Command::new("which").arg(program).output().is_ok_and(|out| out.status.success())
        };
        if let Some(program) = PROGRAMS.iter().find(missing) {
            return Some(format!("{program} is not installed"));
        }
        // Once for all tests, which run side by side.
        static PROBED: OnceLock<Option<String>> = OnceLock::new();
        PROBED.get_or_init(probe).clone()
    }

    fn set_up() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = |place: &str| format!("cut{}-{number}{place}", std::process::id());
        let network = Self { names: ["c", "m", "s"].map(name) };
        for name in &network.names {
            sh("ip", &["netns", "add", name]);
            // No link-local addresses, so no router solicitations; no multicast reports either.
            let quiet = "sysctl -qw net.ipv6.conf.default.addr_gen_mode=1; ip link set lo up; \
                         nft 'table ip6 quiet { chain o { type filter hook output priority 0; icmpv6 type 143 drop; }; }'";
            sh("ip", &["netns", "exec", name, "sh", "-c", quiet]);
        }
        network.router("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
        let [client, router, server] = &network.names;
        for line in SET_UP.lines() {
            let line = line.replace("{c}", client).replace("{m}", router).replace("{s}", server);
            sh("ip", &line.split_whitespace().collect::<Vec<_>>());
        }
        network
    }

    /// Packets as they would be on a wire.
    pub(crate) fn without_offloads(self) -> Self {
        for (name, device) in [(0, "c0"), (1, "mc"), (1, "ms"), (2, "s0")] {
            self.run(name, &format!("ethtool -K {device} tx off tso off gso off gro off >/dev/null"));
        }
        self
    }

    fn run(&self, host: usize, command: &str) -> String {
        sh("ip", &["netns", "exec", &self.names[host], "timeout", "60", "sh", "-c", command])
    }

    /// A program to start on a host: 0 is the client, 1 the router, 2 the server.
    pub(crate) fn command(&self, host: usize, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.names[host], program]);
        command
    }

    pub(crate) fn router(&self, command: &str) -> String {
        self.run(1, command)
    }

    /// Runs a command on the server.
    pub(crate) fn server(&self, command: &str) -> String {
        self.run(2, command)
    }

    /// Runs it on the server, with something on its standard input.
    pub(crate) fn load(&self, command: &str, text: &str) {
        let (program, arguments) = command.split_once(' ').unwrap();
        let mut child = self
            .command(2, program)
            .args(arguments.split_whitespace())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{command}:\n{text}");
    }

    /// Runs code on the server: what it opens belongs to the server's network.
    pub(crate) fn on_server<T: Send>(&self, code: impl FnOnce() -> T + Send) -> T {
        let entered = || {
            enter(&self.names[2]);
            code()
        };
        thread::scope(|scope| scope.spawn(entered).join().unwrap())
    }

    /// Packets made by tests/live/crafted.py on the client.
    pub(crate) fn craft(&self, what: &str, more: &str) -> String {
        let script = root().join("tests/live/crafted.py");
        self.run(
            0,
            &format!(
                "/usr/bin/python3 {} {what} c0 {CLIENT_MAC} {GATEWAY_MAC} {PORT} {more}",
                script.display()
            ),
        )
    }

    /// Runs a command on the client.
    pub(crate) fn client(&self, command: &str) -> String {
        self.run(0, command)
    }

    /// A server that answers each request with a few bytes and keeps connections open for a while.
    pub(crate) fn serve(&self) {
        let listener = self.on_server(|| TcpListener::bind(("::", PORT)).unwrap());
        thread::spawn(move || {
            for stream in listener.incoming().take(10_000) {
                let Ok(mut stream) = stream else { continue };
                thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
                    let mut buffer = [0; 65536];
                    while let Ok(len @ 1..) = stream.read(&mut buffer) {
                        if buffer[..len].starts_with(b"GET") {
                            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                        }
                    }
                });
            }
        });
    }

    /// A receiver on the server, which is ready when this returns.
    pub(crate) fn receive(&self, source: &str, settings: &LiveSettings) -> Receiving {
        self.receive_after(source, settings, Duration::ZERO)
    }

    /// A receiver of each kind on the server: of the netfilter log first, then a packet socket and, where the kernel has
    /// it, the program in it.
    pub(crate) fn receive_by_each(&self, log: &str, settings: &LiveSettings) -> Vec<Receiving> {
        let mut sources = vec![log, "af_packet:s0"];
        sources.extend(has_bpf_links().then_some("ebpf:s0"));
        sources.into_iter().map(|source| self.receive(source, settings)).collect()
    }

    /// A receiver that is ready, but looks at nothing for a while.
    pub(crate) fn receive_after(&self, source: &str, settings: &LiveSettings, pause: Duration) -> Receiving {
        let source: LiveSource = source.parse().unwrap();
        let (reading, settings) = (Reading::default(), settings.clone());
        let opened = self.on_server(|| Live::open(&source, &settings, &reading));
        let mut live = opened.unwrap_or_else(|error| panic!("{source}: {error}"));
        let received = thread::spawn(move || {
            thread::sleep(pause);
            let (mut packets, mut opened, mut datagrams) = (Vec::new(), Vec::new(), Vec::new());
            while let Some(batch) = live.next_batch()? {
                packets.extend_from_slice(batch.packets);
                opened.extend_from_slice(batch.opened);
                datagrams.extend_from_slice(batch.datagrams);
            }
            Ok(Received { packets, opened, datagrams, counts: *live.counts() })
        });
        Receiving { reading, received }
    }

    /// Records with tcpdump what arrives at the server.
    pub(crate) fn record(&self) -> Recording {
        self.record_from("s0", &["-Q", "in", "-s", "128"], "tcp")
    }

    /// Records with tcpdump what connections of the server consist of, in both directions.
    pub(crate) fn record_both(&self) -> Recording {
        self.record_from("s0", &["-s", "160"], "tcp or icmp or icmp6")
    }

    /// Records with tcpdump the datagrams and ICMP errors that arrive at the server.
    pub(crate) fn record_datagrams(&self) -> Recording {
        self.record_from("s0", &["-Q", "in", "-s", "2048"], "udp or icmp or icmp6")
    }

    /// Records with tcpdump what rules log to a group.
    pub(crate) fn record_log(&self, group: u16) -> Recording {
        self.record_from(&format!("nflog:{group}"), &[], "")
    }

    fn record_from(&self, interface: &str, options: &[&str], filter: &str) -> Recording {
        let path = std::env::temp_dir().join(format!("{}.pcap", self.names[2]));
        let mut tcpdump = self
            .command(2, "tcpdump")
            .args(["-Z", "root", "-n", "-U", "--immediate-mode"])
            .args(["-B", "32768", "-i", interface])
            .args(options)
            .arg("-w")
            .arg(&path)
            .arg(filter)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0; 512];
        let mut text = String::new();
        let stderr = tcpdump.stderr.as_mut().unwrap();
        while !text.contains("listening on") {
            let len = stderr.read(&mut said).unwrap();
            assert!(len > 0, "tcpdump: {text}");
            text.push_str(&String::from_utf8_lossy(&said[..len]));
        }
        Recording { tcpdump, path }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
    }
}

pub(crate) struct Receiving {
    reading: Reading,
    received: JoinHandle<Result<Received, LiveError>>,
}

/// All that a receiver has handed on.
pub(crate) struct Received {
    pub(crate) packets: Vec<Packet>,
    /// Rows of connections that the server opens.
    pub(crate) opened: Vec<Packet>,
    /// Datagrams of QUIC connections of clients.
    pub(crate) datagrams: Vec<Datagram>,
    pub(crate) counts: LiveCount,
}

impl Receiving {
    pub(crate) fn stop(self) -> (Vec<Packet>, LiveCount) {
        let received = self.stop_all();
        (received.packets, received.counts)
    }

    /// Stops receivers. Returns what the first took, and what the others took.
    pub(crate) fn stop_each(all: Vec<Self>) -> (Received, Vec<Received>) {
        let mut received = all.into_iter().map(Self::stop_all);
        (received.next().unwrap(), received.collect())
    }

    pub(crate) fn stop_all(self) -> Received {
        self.reading.stop();
        self.received.join().unwrap().unwrap()
    }
}

pub(crate) struct Recording {
    tcpdump: Child,
    path: PathBuf,
}

impl Recording {
    pub(crate) fn stop(self) -> Vec<Packet> {
        let mut packets = Vec::new();
        self.stop_with(|link, frame| packets.push(packet(link, frame)));
        packets
    }

    /// Ends it, and calls `each` with every frame.
    pub(crate) fn stop_with(mut self, mut each: impl FnMut(LinkType, Frame<'_>)) {
        thread::sleep(Duration::from_millis(300));
        sh("kill", &["-INT", &self.tcpdump.id().to_string()]);
        self.tcpdump.wait().unwrap();
        let reading = Reading::default();
        let mut capture = Capture::open(Input::open(&self.path, &reading).unwrap(), &reading).unwrap();
        while capture.advance().unwrap() {
            let record = capture.record().unwrap();
            each(record.link.unwrap(), record.frame);
        }
        std::fs::remove_file(&self.path).unwrap();
    }
}

/// The packet of a frame, also of one that is left out for the rule that logged it: with another prefix.
fn packet(link: LinkType, frame: Frame<'_>) -> Packet {
    match Packet::parse(link, frame) {
        Err(Refusal::Origin) => {
            let mut bytes = frame.bytes.to_vec();
            let at = bytes.windows(ORIGIN_PREFIX.len()).position(|bytes| bytes == ORIGIN_PREFIX.as_bytes());
            bytes[at.unwrap()] = b'-';
            Packet::parse(link, Frame { bytes: &bytes, ..frame }).unwrap()
        }
        packet => packet.unwrap(),
    }
}

/// Says that something was not tested. Past the test harness, which shows the output of failed
/// tests only.
pub(crate) fn not_run(why: &str) {
    let _ = writeln!(std::io::stderr(), "NOT RUN: live tests: {why}");
}

/// Whether the kernel is of Linux 6.6 or newer, as `ebpf:` needs it.
pub(crate) fn has_bpf_links() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let has_links = (numbers.next(), numbers.next()) >= (Some(6), Some(6));
    if !has_links {
        not_run("the kernel is older than Linux 6.6, which ebpf: needs");
    }
    has_links
}

/// Whether namespaces can be made and have a netfilter log; else the reason.
fn probe() -> Option<String> {
    let name = format!("cut{}-probe", std::process::id());
    let ip = |arguments: &[&str]| Command::new("ip").args(arguments).output().unwrap().status.success();
    if !ip(&["netns", "add", &name]) {
        return Some("no network namespace can be made".to_owned());
    }
    let rules = "add table inet a; add chain inet a b; add rule inet a b log group 5";
    let has_log = ip(&["netns", "exec", &name, "nft", rules]);
    ip(&["netns", "del", &name]);
    (!has_log).then(|| "the kernel has no nft or no netfilter log".to_owned())
}

/// Waits for something to become true, but not for ever.
#[track_caller]
pub(crate) fn eventually(what: &str, is_true: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_true() {
        assert!(Instant::now() < end, "{what}: not within a minute");
        thread::sleep(Duration::from_millis(50));
    }
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Moves this thread.
fn enter(name: &str) {
    let namespace = File::open(format!("/run/netns/{name}")).unwrap();
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
}

#[track_caller]
fn sh(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {stderr}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}
