//! QUIC connections of clients: all receivers take the same datagrams, which are those of a capture.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use cutshort_capture::rules::{self, Method, Sampling, Seed};
use cutshort_capture::{DATAGRAMS, LiveCount, LiveSets, LiveSettings};
use cutshort_packet::FiveTuple;
use cutshort_packet::quic::{Datagram, Found, HashKey, Icmp, Kinds, ServerPorts};

use crate::network::{Network, Received, Receiving, eventually};

const SEED: Seed = Seed::new(0x1234_5678).unwrap();
const RATE: NonZeroU32 = NonZeroU32::new(4).unwrap();

/// What datagrams are made of. Fields have no meaning beyond their length, as nobody opens them here.
const MAKE: &str = "
import os, socket, struct, sys
def long(kind, size, version=1, dcid=b'c' * 8):
    types = (1, 2, 3, 0) if version == 0x6b3343cf else (0, 1, 2, 3)
    head = struct.pack('>BIB', 0x80 | os.urandom(1)[0] & 0x40 | types[kind] << 4, version, len(dcid)) + dcid + b'\\x00'
    head += b'\\x00' if kind == 0 else b''
    rest = size - len(head) - 2
    return head + struct.pack('>H', 0x4000 | rest) + b'x' * rest
def short(size=40): return b'\\x40' + b's' * (size - 1)
ADDRESSES = {'203.0.113.2': '198.51.100.2', '2001:db8:2::2': '2001:db8:1::2'}
def to(address, source):
    s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((ADDRESSES[address], source)); s.connect((address, int(sys.argv[1])))
    return s
def send(address, source, datagrams):
    s = to(address, source)
    for one in datagrams:
        try: s.send(one)
        except ConnectionError: s.send(one)
    s.close()
";

fn run(network: &Network, port: u16, script: &str) {
    let path = std::env::temp_dir().join(format!("quic-{}-{port}-{}.py", std::process::id(), script.len()));
    std::fs::write(&path, format!("{MAKE}{script}")).unwrap();
    network.client(&format!("/usr/bin/python3 {} {port}", path.display()));
    std::fs::remove_file(&path).unwrap();
}

/// Connections as clients have them, and what begins none.
const CLIENTS: &str = "
for n in range(300):
    for address in ADDRESSES:
        version = (1, 0x6b3343cf, 0xff00001d, 0x1a2a3a4a)[n % 4]
        first = long(0, 1200, version)
        send(address, 20000 + n, [first, first, long(2, 60, version, b'server') + short(), short(), short(30), b'', short(5)])
        # Neither begins a connection.
        send(address, 30000 + n, [long(2, 60), long(0, 1200, 0), short(), long(1, 1200)])
";

/// A row without what differs between receivers: time, rate, and the key of hashes.
fn shown(row: &Datagram) -> String {
    let Datagram { len, kinds, version, dcid, dcid_len, scid, token, icmp, .. } = *row;
    let token = token.map(|token| token == Datagram::NO_TOKEN);
    format!("{len} {kinds:?} {version:x} {dcid_len} {} {} {token:?} {icmp:?}", dcid.is_some(), scid.is_some())
}

/// By 5-tuple, in the order of arrival.
pub(crate) fn by_connection(rows: &[Datagram]) -> BTreeMap<FiveTuple, Vec<String>> {
    let mut all: BTreeMap<FiveTuple, Vec<String>> = BTreeMap::new();
    rows.iter().for_each(|row| all.entry(row.five_tuple).or_default().push(shown(row)));
    all
}

fn nothing_lost(counts: &LiveCount) {
    assert_eq!((counts.lost, counts.malformed, counts.left_out.connections), (0, 0, 0), "{counts:?}");
}

fn receive(network: &Network, rate: NonZeroU32, ports: Vec<u16>) -> Vec<Receiving> {
    let seed = Some(SEED.number());
    let settings = LiveSettings { rate, ports, seed, sets: LiveSets::QUIC, ..LiveSettings::default() };
    network.receive_by_each("nflog:5", &settings)
}

#[test]
fn all_receivers_choose_the_same_connections() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let sampling = Sampling { rate: RATE, seed: Some(SEED), ..Sampling::of(Method::Quic) };
    network.load("nft -f -", &sampling.text());
    let receivers = receive(&network, RATE, Vec::new());
    let recording = network.record_datagrams();
    run(&network, 443, CLIENTS);
    let mut captured = Vec::new();
    recording.stop_with(|link, frame| {
        if let Ok(Found::Udp(udp)) = Found::parse(link, frame, &ServerPorts::default()) {
            captured.push(udp.row(&HashKey::new([0; 16])));
        }
    });
    let (nflog, others) = Receiving::stop_each(receivers);
    nothing_lost(&nflog.counts);
    let mut captured = by_connection(&captured);
    assert_eq!(captured.len(), 1200);
    let chosen = by_connection(&nflog.datagrams);
    for other in &others {
        nothing_lost(&other.counts);
        assert_eq!(chosen, by_connection(&other.datagrams));
        assert!(other.datagrams.iter().all(|row| row.sample_rate == 4));
        assert!(other.packets.is_empty() && other.opened.is_empty());
    }
    // 150 are expected of those that begin like a connection; 4 sigma are 42.
    assert!((108..=192).contains(&chosen.len()), "{}", chosen.len());
    assert!(chosen.keys().all(|five_tuple| (20_000..30_000).contains(&five_tuple.src_port)));
    captured.retain(|five_tuple, _| chosen.contains_key(five_tuple));
    assert_eq!(chosen, captured, "whole connections, as a capture has them");
    assert!(nflog.datagrams.iter().all(|row| row.sample_rate == 4));
    let kinds = nflog.datagrams.iter().fold(Kinds::default(), |all, row| all | row.kinds);
    assert_eq!(kinds, Kinds::INITIAL | Kinds::HANDSHAKE | Kinds::SHORT | Kinds::OTHER_VERSION | Kinds::JUNK);
    assert_eq!(nflog.counts.datagrams, nflog.datagrams.len() as u64);
    assert!(nflog.packets.is_empty() && nflog.opened.is_empty());
    let loaded = network.on_server(|| rules::status().unwrap());
    assert_eq!(loaded[0].packets("logged"), Some(nflog.datagrams.len() as u64));
    let chosen = chosen.len() as u64;
    // Of what is not chosen, each of two Initial packets is looked at.
    assert_eq!((loaded[0].beginnings(), loaded[0].packets("chosen")), (1200 - chosen, Some(chosen)));
}

/// The first 24 datagrams of a connection are taken; what it does not begin with is not.
#[test]
fn connections_are_capped_and_ports_respected() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let all = || Sampling { rate: NonZeroU32::MIN, seed: Some(SEED), ..Sampling::of(Method::Quic) };
    let count = |sampling: Sampling, ports: Vec<u16>, port| {
        network.load("nft -f -", &sampling.text());
        let receivers = receive(&network, NonZeroU32::MIN, ports);
        run(
            &network,
            port,
            "
for address in ADDRESSES:
    send(address, 20000, [long(0, 1200)] * 30 + [short()] * 10)
    send(address, 20001, [long(0, 1200), short()])
",
        );
        let lens = receivers.into_iter().map(|receiving| {
            let received = receiving.stop_all();
            nothing_lost(&received.counts);
            let mut rows: Vec<usize> = by_connection(&received.datagrams).values().map(Vec::len).collect();
            rows.sort_unstable();
            rows
        });
        lens.collect::<Vec<_>>()
    };
    let each_has = |found: &[Vec<usize>], expected: &[usize]| {
        assert!(found.len() >= 2 && found.iter().all(|lens| lens == expected), "{found:?}");
    };
    let whole = vec![2, 2, 24, 24];
    assert_eq!(DATAGRAMS, 24);
    each_has(&count(all(), Vec::new(), 443), &whole);
    each_has(&count(all(), Vec::new(), 8443), &[]);
    let ports = Sampling { ports: vec![443.into(), "8400-8500".parse().unwrap()], ..all() };
    each_has(&count(ports, vec![443, 8443], 8443), &whole);
    let client = vec!["198.51.100.2/32".parse().unwrap()];
    let nflog = &count(Sampling { exclude: client, ..all() }, Vec::new(), 443)[0];
    assert_eq!(*nflog, [2, 24]);
}

/// Rules that are loaded again while a receiver runs: the same ones go on with the connections that they remember, also with
/// another seed and other ports; another rate begins anew, and the rows say which rate they have.
#[test]
fn loading_again_goes_on() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let apply = |sampling: &Sampling| network.on_server(|| rules::apply(sampling)).unwrap();
    let seeds = || {
        let ruleset = network.server("nft list table inet cutshort_quic");
        ruleset.split("seed 0x").skip(1).map(|seed| seed[..8].to_owned()).collect::<BTreeSet<String>>()
    };
    let sampling = Sampling { rate: NonZeroU32::MIN, ..Sampling::of(Method::Quic) };
    apply(&sampling);
    let settings = LiveSettings { sets: LiveSets::QUIC, ..LiveSettings::default() };
    let receiving = network.receive("nflog:5", &settings);
    let from = |port: u16, clients: std::ops::Range<u16>, datagrams: &str| {
        let (first, end) = (clients.start, clients.end);
        let script = format!(
            "
for n in range({first}, {end}):
    for address in ADDRESSES: send(address, n, [{datagrams}])
"
        );
        run(&network, port, &script);
    };
    from(443, 20_000..20_020, "long(0, 1200)");
    let before = seeds();
    apply(&sampling);
    assert!(before.len() == 1 && seeds().len() == 1 && before != seeds(), "each time another one");
    from(443, 20_000..20_020, "short()");
    apply(&Sampling { ports: vec![443.into(), 8443.into()], ..sampling.clone() });
    from(443, 20_000..20_020, "short()");
    from(8443, 20_000..20_020, "long(0, 1200)");
    let logged = || network.on_server(|| rules::status().unwrap())[0].packets("logged");
    assert_eq!(logged(), Some(160));

    apply(&Sampling { rate: NonZeroU32::new(2).unwrap(), ..sampling });
    from(443, 20_000..20_020, "short()");
    assert_eq!(logged(), Some(0), "what was remembered is forgotten");
    from(443, 21_000..21_100, "long(0, 1200), short()");
    let received = receiving.stop_all();
    nothing_lost(&received.counts);
    let (one, two): (Vec<Datagram>, Vec<Datagram>) =
        received.datagrams.iter().partition(|row| row.sample_rate == 1);
    let lens = |rows: &[Datagram]| -> Vec<usize> { by_connection(rows).values().map(Vec::len).collect() };
    let count = |len: usize| lens(&one).iter().filter(|rows| **rows == len).count();
    assert_eq!((lens(&one).len(), count(3), count(1)), (80, 40, 40));
    // 100 are expected; 4 sigma are 28.
    let chosen = lens(&two);
    assert!((72..=128).contains(&chosen.len()) && chosen.iter().all(|rows| *rows == 2), "{chosen:?}");
    assert!(two.iter().all(|row| row.sample_rate == 2 && row.five_tuple.src_port >= 21_000));
}

/// A flood of Initial packets fills the set. Sampling ends, and says so; traffic does not.
#[test]
fn a_full_set_ends_sampling_and_not_traffic() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let sampling = Sampling { rate: NonZeroU32::MIN, size: 50, ..Sampling::of(Method::Quic) };
    network.on_server(|| rules::apply(&sampling)).unwrap();
    let settings = LiveSettings { size: 50, sets: LiveSets::QUIC, ..LiveSettings::default() };
    let receivers = ["nflog:5", "af_packet:s0"].map(|source| network.receive(source, &settings));
    let echo = "/usr/bin/python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((\"\", 443)); n = 0
s.settimeout(3)
try:
    while True: s.recv(9000); n += 1
except TimeoutError: print(n)'";
    let received = std::thread::scope(|scope| {
        let served = scope.spawn(|| network.server(echo));
        until_bound(&network, 1);
        run(
            &network,
            443,
            "
for n in range(80): send('203.0.113.2', 20000 + n, [long(0, 1200), short()])
",
        );
        served.join().unwrap()
    });
    assert_eq!(received.trim(), "160");
    let [nflog, af_packet] = receivers.map(Receiving::stop_all);
    for Received { datagrams, counts, .. } in [&nflog, &af_packet] {
        assert_eq!(by_connection(datagrams).len(), 50);
        assert!(counts.left_out.connections >= 10 && counts.left_out.latest.is_some(), "{counts:?}");
    }
    assert_eq!(af_packet.counts.left_out.connections, 30);
    let loaded = network.on_server(|| rules::status().unwrap());
    assert_eq!(loaded[0].packets("full"), Some(30));
    assert_eq!(loaded[0].data_set(), LiveSets::QUIC);
}

/// Waits until so many sockets of the server are bound to port 443.
fn until_bound(network: &Network, sockets: usize) {
    let bound = || network.server("ss -ulnH 'sport = :443'").lines().count();
    eventually("a server at port 443", || bound() == sockets);
}

/// ICMP errors of clients whose socket is gone: of connections in the sample, and of no others.
#[test]
fn errors_of_chosen_connections_are_taken() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let sampling = Sampling { rate: RATE, seed: Some(SEED), ..Sampling::of(Method::Quic) };
    network.load("nft -f -", &sampling.text());
    let receivers = receive(&network, RATE, Vec::new());
    // It answers to where the first 40 sockets of each address were; their ports are closed by then.
    let answer = "/usr/bin/python3 -c 'import socket, time
s = [socket.socket(f, socket.SOCK_DGRAM) for f in (socket.AF_INET, socket.AF_INET6)]
s[0].bind((\"203.0.113.2\", 443)); s[1].bind((\"2001:db8:2::2\", 443))
time.sleep(2)
for _ in range(5):
    for n in range(40):
        s[0].sendto(b\"answer\" * 20, (\"198.51.100.2\", 20000 + n)); s[1].sendto(b\"answer\" * 200, (\"2001:db8:1::2\", 20000 + n))
        time.sleep(0.002)
time.sleep(0.5)'";
    network.client("sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 || true");
    std::thread::scope(|scope| {
        let answering = scope.spawn(|| network.server(answer));
        until_bound(&network, 2);
        run(
            &network,
            443,
            "
for n in range(40):
    for address in ADDRESSES: send(address, 20000 + n, [long(0, 1200)])
",
        );
        answering.join().unwrap()
    });
    let (nflog, others) = Receiving::stop_each(receivers);
    let chosen = by_connection(&nflog.datagrams);
    assert!((5..=40).contains(&chosen.len()), "{}", chosen.len());
    let families: BTreeSet<bool> = chosen.keys().map(FiveTuple::is_ipv4).collect();
    assert_eq!(families.len(), 2);
    for received in std::iter::once(&nflog).chain(&others) {
        assert_eq!(chosen, by_connection(&received.datagrams));
        let errors = received.datagrams.iter().filter(|row| row.icmp == Some(Icmp::Port)).count();
        assert_eq!(errors, 3 * chosen.len(), "the first three of each");
        assert_eq!(received.datagrams.len(), 4 * chosen.len());
    }
    // The hash over what is quoted spares the log the errors of other connections.
    let loaded = network.on_server(|| rules::status().unwrap());
    assert_eq!(loaded[0].packets("icmp_error"), Some(5 * chosen.len() as u64));
    assert_eq!(nflog.counts.other_errors, 0);
    assert_eq!(nflog.counts.capped, 2 * chosen.len() as u64);
}

/// All data sets at once, on one group of the log, on three, and at one socket or program.
#[test]
fn three_data_sets_are_sampled_at_once() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    network.serve();
    for (groups, source) in [([5, 5, 5], "nflog:5"), ([5, 6, 7], "nflog:5,6,7")] {
        for (method, group) in [Method::Set, Method::Origin, Method::Quic].into_iter().zip(groups) {
            let sampling = Sampling { rate: NonZeroU32::MIN, group, ..Sampling::of(method) };
            network.on_server(|| rules::apply(&sampling)).unwrap();
        }
        let sets = LiveSets::TCP | LiveSets::ORIGIN | LiveSets::QUIC;
        let settings = LiveSettings { sets, ..LiveSettings::default() };
        let receivers = network.receive_by_each(source, &settings);
        network.craft("flood", "20");
        run(
            &network,
            443,
            "
for address in ADDRESSES: send(address, 20000, [long(0, 1200), short()])
",
        );
        network.server(
            "/usr/bin/python3 -c 'import socket
try: socket.create_connection((\"198.51.100.2\", 9), 2)
except OSError: pass'",
        );
        let (nflog, others) = Receiving::stop_each(receivers);
        nothing_lost(&nflog.counts);
        assert_eq!(nflog.datagrams.len(), 4);
        for received in std::iter::once(&nflog).chain(&others) {
            assert_eq!(by_connection(&nflog.datagrams), by_connection(&received.datagrams));
            assert!(crate::by_connection(&received.packets).len() >= 20);
            assert!(received.opened.len() >= 2, "{:?}", received.opened);
        }
    }
    assert_eq!(network.on_server(|| rules::status().unwrap()).len(), 3);
    network.on_server(rules::remove).unwrap();
    assert_eq!(network.on_server(|| rules::status().unwrap()), []);
}

/// Whatever comes to the port does no harm: datagrams of no bytes, of random ones, of the largest size, of thousands of packets,
/// and fragments of these.
#[test]
fn junk_does_no_harm() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let sampling = Sampling { rate: NonZeroU32::MIN, ..Sampling::of(Method::Quic) };
    network.on_server(|| rules::apply(&sampling)).unwrap();
    let receivers = receive(&network, NonZeroU32::MIN, Vec::new());
    run(
        &network,
        443,
        "
tiny = long(2, 17, dcid=b'')
for address in ADDRESSES:
    send(address, 20000, [long(0, 1200)] + [b'', b'\\x80', b'\\xc0\\0\\0\\0\\1', b'\\xc0\\0\\0\\0\\1\\xff', b'\\xff' * 1400])
    for n in range(100):
        send(address, 21000 + n, [b'\\xc0\\0\\0\\0\\1' + os.urandom(n * 13 % 1400), os.urandom(n), os.urandom(1400)])
    send(address, 22000, [long(0, 1200) + tiny * 10, (long(0, 1200) + tiny * 4000)[:65000], b'z' * 65000])
    send(address, 22001, [(long(0, 100) + tiny * 4000)[:65000]])
# The server sees all of it before this ends.
send('203.0.113.2', 29999, [long(0, 1200)])
",
    );
    for received in receivers.into_iter().map(Receiving::stop_all) {
        nothing_lost(&received.counts);
        let rows = by_connection(&received.datagrams);
        assert!(rows.keys().any(|five_tuple| five_tuple.src_port == 29999), "it still receives");
        let first = rows.iter().filter(|(five_tuple, _)| five_tuple.src_port == 20000);
        assert!(first.clone().count() == 2 && first.clone().all(|(_, rows)| rows.len() == 6));
        let is_walked =
            |row: &&Datagram| row.len == 65000 && row.kinds == Kinds::INITIAL | Kinds::HANDSHAKE | Kinds::CUT;
        assert_eq!(received.datagrams.iter().filter(is_walked).count(), 4, "as far as it is captured");
    }
}
