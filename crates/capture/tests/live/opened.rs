//! Connections that the server opens: all receivers take the same rows, which are those of a capture.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::num::NonZeroU32;
use std::process::{Child, Stdio};

use cutshort_capture::rules::{Method, Sampling, Seed};
use cutshort_capture::{LiveCount, LiveSets, LiveSettings};
use cutshort_packet::{FiveTuple, Flags, Packet, Unreachable};
use cutshort_verdict::{DataSet, OriginLimiter, Rules};

use crate::network::{Network, Received, Receiving};

const SEED: Seed = Seed::new(0x1234_5678).unwrap();

/// Rows of a connection at most.
const CAP: usize = 16;

/// Servers of every kind on the client's host: one that answers, one that closes at once, one that resets after the
/// request, one that never answers. Ports 9, 10 and 11 are closed, rejected with ICMP, and dropped.
const SERVERS: &str = "
import socket, struct, threading
def serve(port, serve_one):
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('::', port))
    listener.listen(512)
    def loop():
        while True:
            try: serve_one(listener.accept()[0])
            except OSError: pass
    threading.Thread(target=loop, daemon=True).start()
kept = []
def answer(s):
    s.recv(1000); s.sendall(b'x' * 500); s.close()
def banner(s):
    for _ in range(20): s.sendall(b'x' * 100)
    s.close()
def reset(s):
    s.recv(1000); s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); s.close()
serve(8001, answer); serve(8002, lambda s: s.close()); serve(8003, reset); serve(8004, kept.append); serve(8005, banner)
print('ready', flush=True)
threading.Event().wait()
";

/// Opens connections to all of them; many use the same ports one after the other.
const OPENER: &str = "
import socket, struct, sys
count = int(sys.argv[1])
def attempt(address, port, source, end):
    s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.settimeout(1.5 if port == 11 else 0.3)
    try:
        if source: s.bind(('', source))
        s.connect((address, port))
        s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
        while s.recv(1000): pass
    except OSError: pass
    if end: s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()
for n in range(count):
    for address in '198.51.100.2', '2001:db8:1::2':
        for port in 8001, 8002, 8003, 8005, 9, 10:
            attempt(address, port, 30000 + n % 5 * 10 + port % 10 if n % 2 else 0, n % 3)
        if n % 8 == 0:
            for port in 8004, 11: attempt(address, port, 0, 0)
";

/// They end with the test, also with one that fails.
struct Servers(Child);

impl Drop for Servers {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn servers(network: &Network) -> Servers {
    network.client(
        "nft 'table inet deny { chain i { type filter hook input priority 0; tcp dport 10 reject; tcp dport 11 drop; }; }'",
    );
    start(network, 0, SERVERS)
}

/// Starts a script on a host, and waits until it is ready.
fn start(network: &Network, host: usize, script: &str) -> Servers {
    let mut command = network.command(host, "/usr/bin/python3");
    let mut child = command.args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    Servers(child)
}

/// By the opener's 5-tuple, the rows in order of arrival.
type Rows = BTreeMap<FiveTuple, Vec<Packet>>;

fn of_connections(rows: &[Packet]) -> Rows {
    let mut all = Rows::new();
    for row in rows {
        // Rows of captures are without the options of SYN packets, which no rule of this data set needs.
        let Packet { df, syn, .. } = Packet::ZERO;
        all.entry(row.five_tuple).or_default().push(Packet { ts: 0, sample_rate: 1, df, syn, ..*row });
    }
    all
}

/// What was taken, split where a connection begins, and without those that a capture does not have in `taken`.
fn by_isn(rows: &Rows) -> ByIsn {
    let mut all = ByIsn::new();
    for (five_tuple, rows) in rows {
        let mut isn = None;
        for row in rows {
            let begins = row.is_syn() && !row.flags.intersects(Flags::RECEIVED) && isn != Some(row.seq);
            if begins {
                isn = Some(row.seq);
                all.entry((*five_tuple, row.seq)).or_default().push(Vec::new());
            }
            let isn = isn.unwrap_or_else(|| panic!("it has no SYN packet: {row:?}"));
            all.get_mut(&(*five_tuple, isn)).unwrap().last_mut().unwrap().push(*row);
        }
    }
    all
}

struct Seen {
    captured: Rows,
    nflog: Received,
    others: Vec<Received>,
}

fn see(network: &Network, rate: u32, count: u32) -> Seen {
    let rate = NonZeroU32::new(rate).unwrap();
    let ports = vec!["8001-8005".parse().unwrap(), "9-11".parse().unwrap()];
    let sampling = Sampling { method: Method::Origin, rate, ports, seed: Some(SEED), ..Sampling::default() };
    network.load("nft -f -", &sampling.text());
    let ports = vec![9, 10, 11, 8001, 8002, 8003, 8004, 8005];
    let seed = Some(SEED.number());
    let settings = LiveSettings { rate, ports, seed, sets: LiveSets::ORIGIN, ..LiveSettings::default() };
    let servers = servers(network);
    let receivers = network.receive_by_each("nflog:5", &settings);
    let recording = network.record_both();
    let script = std::env::temp_dir().join(format!("opener-{}-{rate}.py", std::process::id()));
    std::fs::write(&script, OPENER).unwrap();
    network.server(&format!("/usr/bin/python3 {} {count}", script.display()));
    std::fs::remove_file(&script).unwrap();
    let mut limiter = OriginLimiter::new(Rules::of(DataSet::Origin));
    let mut captured = Vec::new();
    recording.stop_with(|link, frame| {
        let packet = Packet::parse(link, frame).ok();
        captured.extend(limiter.record(frame.ts, packet.as_ref()));
        if packet.is_none() {
            captured.extend(Unreachable::parse(link, frame).and_then(|error| limiter.unreachable(&error)));
        }
    });
    let (nflog, others) = Receiving::stop_each(receivers);
    drop(servers);
    let captured: Vec<Packet> = captured.iter().map(|(five_tuple, row)| row.packet(*five_tuple)).collect();
    Seen { captured: of_connections(&captured), nflog, others }
}

fn nothing_lost(counts: &LiveCount) {
    assert_eq!((counts.lost, counts.malformed, counts.left_out.connections), (0, 0, 0), "{counts:?}");
}

type ByIsn = BTreeMap<(FiveTuple, u32), Vec<Vec<Packet>>>;

/// What is sent, then what is received, by sequence number. Rules log a sent packet before it is on the wire: one that
/// arrives in between is logged after it, and captured before it. And two packet sockets can see packets that are handled
/// on two processors in different orders.
fn by_direction(all: &ByIsn) -> ByIsn {
    let mut all = all.clone();
    for rows in all.values_mut().flatten() {
        rows.sort_by_key(|row| row.flags.intersects(Flags::RECEIVED).then_some((row.seq, row.flags)));
    }
    all
}

/// Two receivers agree on each connection's rows. The order of the two directions can differ (see [`by_direction`]), so the
/// rows that the cap leaves can differ too: of a connection at the cap, each direction of one begins with that of the
/// other.
#[track_caller]
fn assert_agree(one: &ByIsn, other: &ByIsn) {
    let (mut one, mut other) = (by_direction(one), by_direction(other));
    for (key, one) in &mut one {
        let other = other.get_mut(key).into_iter().flatten();
        for (one, other) in one.iter_mut().zip(other) {
            if one.len() == CAP && other.len() == CAP {
                keep_common(one, other);
            }
        }
    }
    assert_same(&one, &other);
}

/// Cuts each direction of both to the shorter one's length.
fn keep_common(one: &mut Vec<Packet>, other: &mut Vec<Packet>) {
    let sent = |rows: &[Packet]| rows.iter().filter(|row| !row.flags.intersects(Flags::RECEIVED)).count();
    let (one_sent, other_sent) = (sent(one), sent(other));
    let kept_sent = one_sent.min(other_sent);
    let kept_received = (one.len() - one_sent).min(other.len() - other_sent);
    for (rows, sent) in [(one, one_sent), (other, other_sent)] {
        rows.truncate(sent + kept_received);
        rows.drain(kept_sent..sent);
    }
}

/// Shows the first connection that is not the same.
#[track_caller]
fn assert_same(one: &ByIsn, other: &ByIsn) {
    let shown = |connections: Option<&Vec<Vec<Packet>>>| {
        let shown = |row: &Packet| {
            let from = if row.flags.intersects(Flags::RECEIVED) { '<' } else { '>' };
            let kind = if row.flags.intersects(Flags::ICMP) { "ICMP" } else { "" };
            format!("{from}{kind}{} {}", row.flags, row.seq)
        };
        let connections = connections.into_iter().flatten();
        connections
            .map(|rows| rows.iter().map(shown).collect::<Vec<_>>().join(", "))
            .collect::<Vec<_>>()
            .join("; ")
    };
    for key in one.keys().chain(other.keys()) {
        let (one, other) = (one.get(key), other.get(key));
        assert!(one == other, "{key:?}:\n{}\n{}", shown(one), shown(other));
    }
}

#[test]
fn all_receivers_take_the_rows_of_a_capture() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let seen = see(&network, 1, 24);
    let captured = by_isn(&seen.captured);
    for received in std::iter::once(&seen.nflog).chain(&seen.others) {
        nothing_lost(&received.counts);
        assert_agree(&by_isn(&of_connections(&received.opened)), &captured);
        assert!(received.packets.is_empty() && received.datagrams.is_empty());
    }
    let all = || captured.values().flatten();
    let has = |flags: Flags| move |rows: &&Vec<Packet>| rows.iter().any(|row| row.flags == flags);
    assert!(all().filter(has(Flags::RECEIVED | Flags::ICMP)).count() >= 40, "rejected with ICMP");
    assert!(all().filter(has(Flags::RST | Flags::ACK | Flags::RECEIVED)).count() >= 40, "refused");
    assert!(all().any(|rows| rows.len() == CAP), "the cap is reached");
    assert_eq!(all().count(), 2 * (24 * 6 + 3 * 2));
    assert_eq!(seen.nflog.counts.opened, seen.nflog.opened.len() as u64);
    // Within a connection times follow the order of arrival.
    for rows in of_times(&seen.nflog.opened).values() {
        assert!(rows.is_sorted(), "{rows:?}");
    }
}

fn of_times(rows: &[Packet]) -> BTreeMap<FiveTuple, Vec<i64>> {
    let mut all: BTreeMap<FiveTuple, Vec<i64>> = BTreeMap::new();
    rows.iter().for_each(|row| all.entry(row.five_tuple).or_default().push(row.ts));
    all
}

#[test]
fn all_receivers_choose_the_same_connections() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let seen = see(&network, 4, 24);
    let mut captured = by_isn(&seen.captured);
    let all = captured.len();
    let nflog = by_isn(&of_connections(&seen.nflog.opened));
    captured.retain(|key, _| nflog.contains_key(key));
    for received in std::iter::once(&seen.nflog).chain(&seen.others) {
        assert_agree(&by_isn(&of_connections(&received.opened)), &captured);
        assert!(received.opened.iter().all(|row| row.sample_rate == 4));
    }
    assert!((all / 8..all / 2).contains(&nflog.len()), "{} of {all}", nflog.len());
}

/// Both data sets at once, on one group of the log and at one socket or program.
#[test]
fn both_data_sets_are_sampled_at_once() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    network.serve();
    let servers = servers(&network);
    for (group, groups) in [(5, "nflog:5"), (6, "nflog:5,6")] {
        both(&network, group, groups);
    }
    drop(servers);
}

fn both(network: &Network, group: u16, groups: &str) {
    let rate = NonZeroU32::MIN;
    for (method, group) in [(Method::Set, 5), (Method::Origin, group)] {
        network.load("nft -f -", &Sampling { method, rate, group, ..Sampling::default() }.text());
    }
    let settings = LiveSettings { sets: LiveSets::TCP | LiveSets::ORIGIN, ..LiveSettings::default() };
    let receivers = network.receive_by_each(groups, &settings);
    network.craft("flood", "20");
    network.server(
        "/usr/bin/python3 -c 'import socket; socket.create_connection((\"198.51.100.2\", 8005), 2).recv(10)'",
    );
    let (nflog, others) = Receiving::stop_each(receivers);
    nothing_lost(&nflog.counts);
    let by_rules = by_isn(&of_connections(&nflog.opened));
    for other in others {
        assert_eq!(crate::by_connection(&nflog.packets), crate::by_connection(&other.packets));
        assert_agree(&by_rules, &by_isn(&of_connections(&other.opened)));
    }
    assert_eq!(by_rules.len(), 1, "the server's own connection");
    assert!(nflog.opened.len() > 3);
    assert!(crate::by_connection(&nflog.packets).len() >= 20);
}

/// A proxy that takes connections to an address that its host does not have, and opens one with another such address.
const TRANSPARENT: &str = "
import socket
def transparent(address):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_IP, 19, 1)
    s.bind(address)
    return s
listener = transparent(('', 3129))
listener.listen()
print('ready', flush=True)
client = listener.accept()[0]
assert client.getsockname() == ('192.0.2.88', 8080)
upstream = transparent(('192.0.2.77', 0))
upstream.settimeout(5)
upstream.connect(('198.51.100.2', 8001))
upstream.sendall(client.recv(100))
client.sendall(upstream.recv(9))
upstream.close()
client.close()
";

/// TPROXY translates nothing: what a transparent proxy opens is seen with the address that it uses, and of what it accepts
/// nothing is taken for a connection that this host opens.
#[test]
fn a_transparent_proxy_opens_connections_like_others() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let rate = NonZeroU32::MIN;
    network.load("nft -f -", &Sampling { method: Method::Origin, rate, ..Sampling::default() }.text());
    let settings = LiveSettings { sets: LiveSets::ORIGIN, ..LiveSettings::default() };
    network.router("ip route add 192.0.2.0/24 via 203.0.113.2");
    network.server("ip rule add fwmark 1 lookup 100; ip route add local default dev lo table 100");
    network.load(
        "nft -f -",
        "table ip transparent {
            chain p {
                type filter hook prerouting priority -150;
                ip daddr 192.0.2.88 tcp dport 8080 tproxy to :3129 meta mark set 1 accept;
                meta l4proto tcp socket transparent 1 meta mark set 1 accept;
            }
        }",
    );
    let _servers = servers(&network);
    let _proxy = start(&network, 2, TRANSPARENT);
    let receivers = network.receive_by_each("nflog:5", &settings);
    let answer = network.client(
        "/usr/bin/python3 -c 'import socket; s = socket.create_connection((\"192.0.2.88\", 8080), 5); s.sendall(b\"GET\"); print(s.recv(9))'",
    );
    assert_eq!(answer.trim_end(), "b'xxxxxxxxx'");
    for received in receivers.into_iter().map(Receiving::stop_all) {
        let connections = of_connections(&received.opened);
        let five_tuples: Vec<String> =
            connections.keys().map(|key| format!("{} > {}:{}", key.src(), key.dst(), key.dst_port)).collect();
        assert_eq!(five_tuples, ["192.0.2.77 > 198.51.100.2:8001"]);
        let answers = connections.values().flatten().filter(|row| row.flags.intersects(Flags::RECEIVED));
        assert!(answers.clone().any(|row| row.flags.intersects(Flags::SYN)) && answers.count() > 2);
    }
    let found = network.on_server(|| cutshort_capture::rules::translations().unwrap());
    assert!(found.is_empty(), "doctor has nothing to say of it: {found:?}");
}

/// Rules look at packets before their addresses are translated, and only at this host's own: of translated connections
/// they miss what comes back, and forwarded ones altogether. A packet socket and a program on the outer interface have both.
#[test]
fn translated_and_forwarded_connections_are_for_the_socket() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let rate = NonZeroU32::MIN;
    network.load("nft -f -", &Sampling { method: Method::Origin, rate, ..Sampling::default() }.text());
    let settings = LiveSettings { sets: LiveSets::ORIGIN, ..LiveSettings::default() };
    let servers = servers(&network);
    network.load(
        "nft -f -",
        "table ip nat {
            chain o { type nat hook output priority -100; tcp dport 7000 dnat to 198.51.100.2:8005; }
            chain p { type nat hook postrouting priority 100; tcp dport 8001 snat to 203.0.113.2:50000-50100; }
        }",
    );
    let receivers = network.receive_by_each("nflog:5", &settings);
    let connect = |host: &str, port: u16| {
        format!(
            "/usr/bin/python3 -c 'import socket; s = socket.create_connection((\"{host}\", {port}), 2); s.sendall(b\"x\"); s.recv(9)'"
        )
    };
    network.server(&connect("198.51.100.2", 8001));
    network.server(&connect("198.51.100.9", 7000));
    // Of a container behind this host, in one shell, as a namespace inside of one is known to no other.
    let container = "sysctl -qw net.ipv4.ip_forward=1; ip netns add fwd$$; ip link add v0 type veth peer name v1 netns fwd$$; \
         ip addr add 10.9.9.1/24 dev v0; ip link set v0 up; ip -n fwd$$ addr add 10.9.9.2/24 dev v1; \
         ip -n fwd$$ link set v1 up; ip -n fwd$$ route add default via 10.9.9.1; \
         nft add rule ip nat p ip saddr 10.9.9.2 snat to 203.0.113.2; ip netns exec fwd$$";
    network.server(&format!("{container} {}; ip netns del fwd$$", connect("198.51.100.2", 8005)));
    let (nflog, others) = Receiving::stop_each(receivers);
    drop(servers);
    let answered = |received: &Received| {
        let rows = of_connections(&received.opened);
        let is_answered = |rows: &&Vec<Packet>| rows.iter().any(|row| row.flags.intersects(Flags::RECEIVED));
        (rows.values().filter(is_answered).count(), rows.len())
    };
    assert!(others.iter().all(|other| answered(other) == (3, 3)));
    assert_eq!(answered(&nflog), (0, 2), "neither answers nor forwarded ones");
    let found = network.on_server(|| cutshort_capture::rules::translations().unwrap());
    assert_eq!(found, ["ip nat o", "ip nat p"]);
}
