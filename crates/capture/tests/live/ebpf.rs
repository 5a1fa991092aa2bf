//! The program in the kernel takes the same packets as rules and packet socket, which are those that arrive.

use std::num::NonZeroU32;
use std::thread;
use std::time::Duration;

use cutshort_capture::rules::{Sampling, Seed};
use cutshort_capture::{Live, LiveCount, LiveError, LiveSets, LiveSettings, Reading};
use cutshort_packet::Packet;

use crate::again::{assert_same, connections};
use crate::network::{Network, PORT, Receiving, has_bpf_links};
use crate::{by_connection, first, quic};

const SEED: Seed = Seed::new(0x1234_5678).unwrap();
const SOURCE: &str = "ebpf:s0";

fn settings(rate: u32) -> LiveSettings {
    let rate = NonZeroU32::new(rate).unwrap();
    LiveSettings { rate, ports: vec![PORT], seed: Some(SEED.number()), ..LiveSettings::default() }
}

/// A network in which the program can be loaded.
fn network() -> Option<Network> {
    Network::new().filter(|_| has_bpf_links())
}

fn open(network: &Network, source: &str, settings: &LiveSettings) -> Result<Live, LiveError> {
    network.on_server(|| Live::open(&source.parse().unwrap(), settings, &Reading::default()))
}

#[track_caller]
fn nothing_lost(counts: &LiveCount) {
    let refused: u64 = counts.refused.iter().sum();
    assert_eq!((counts.lost, counts.malformed, counts.left_out.connections, refused), (0, 0, 0, 0));
}

/// One in four connections, whose SYN packets are repeated and whose ports are used again, recorded side by side by
/// rules, packet socket and program with one seed.
#[test]
fn all_receivers_take_the_same_packets() {
    let Some(network) = network().map(Network::without_offloads) else { return };
    let settings = settings(4);
    let sampling =
        Sampling { rate: settings.rate, ports: vec![PORT.into()], seed: Some(SEED), ..Sampling::default() };
    network.load("nft -f -", &sampling.text());
    let receivers = ["nflog:5", "af_packet:s0", SOURCE].map(|source| network.receive(source, &settings));
    network.craft("flood", "4000");
    network.craft("again", "64 24 100");
    let [nflog, af_packet, ebpf] = receivers.map(Receiving::stop);
    nothing_lost(&ebpf.1);
    let taken = connections(&ebpf.0);
    assert_same(&taken, &connections(&nflog.0));
    assert_same(&taken, &connections(&af_packet.0));
    // A quarter of 4,000 and 3,072 within 4 sigma.
    let count: usize = taken.values().map(Vec::len).sum();
    assert!((1_622..=1_914).contains(&count), "{count}");
    assert!(ebpf.0.iter().all(|packet| packet.sample_rate == 4));
}

/// The connections of `crafted.rs`, all of them.
#[test]
fn every_packet_that_arrives_is_delivered() {
    let Some(network) = network().map(Network::without_offloads) else { return };
    network.serve();
    let receiver = network.receive(SOURCE, &settings(1));
    let recording = network.record();
    network.craft("connections", "");
    let arrived = recording.stop();
    let (packets, counts) = receiver.stop();
    nothing_lost(&counts);
    assert_eq!(by_connection(&packets), first(&arrived, 10));
    assert!(arrived.len() > packets.len(), "none has more packets than are taken");
    assert_times(&packets, &arrived);
}

/// Every packet has a window of its own.
#[track_caller]
fn assert_times(packets: &[Packet], arrived: &[Packet]) {
    for packet in packets {
        let same = arrived.iter().find(|other| other.tcp_window == packet.tcp_window).unwrap();
        let apart = (packet.ts - same.ts).abs();
        assert!(apart < 20_000_000, "{apart} ns apart");
    }
}

/// What the kernel hands on with offloads may be many segments at once.
#[test]
fn merged_segments_are_packets_of_their_whole_length() {
    let Some(network) = network() else { return };
    network.serve();
    let receivers = ["af_packet:s0", SOURCE].map(|source| network.receive(source, &settings(1)));
    for address in ["203.0.113.2", "2001:db8:2::2"] {
        network.client(&format!(
            "/usr/bin/python3 -c 'import socket, time
s = socket.create_connection((\"{address}\", {PORT}))
s.sendall(b\"x\" * 300000)
time.sleep(0.3)'"
        ));
    }
    let [(af_packet, _), (ebpf, counts)] = receivers.map(Receiving::stop);
    nothing_lost(&counts);
    let taken = by_connection(&ebpf);
    assert_eq!(taken.len(), 2);
    assert_eq!(taken, by_connection(&af_packet));
    assert!(ebpf.iter().any(|packet| packet.payload_len > 1_500));
}

#[test]
fn ports_and_clients_are_left_out() {
    let Some(network) = network().map(Network::without_offloads) else { return };
    let exclude = vec!["198.51.100.0/24".parse().unwrap(), "2001:db8:2::/48".parse().unwrap()];
    let excluding = LiveSettings { exclude, ..settings(1) };
    let elsewhere = LiveSettings { ports: vec![PORT + 1], ..settings(1) };
    let all = LiveSettings { ports: Vec::new(), ..settings(1) };
    let receivers = [excluding, elsewhere, all].map(|settings| network.receive(SOURCE, &settings));
    network.craft("flood", "40");
    let [excluding, elsewhere, all] = receivers.map(|receiver| by_connection(&receiver.stop().0));
    assert_eq!((excluding.len(), elsewhere.len(), all.len()), (20, 0, 40));
    assert!(excluding.keys().all(|tuple| !tuple.is_ipv4()));
}

/// Two connected interfaces on the server: packets are sent on one and arrive on the other.
const VETH: &str = "ip link add s1 mtu 9000 type veth peer name s2 mtu 9000; ip link set s2 address 02:00:00:00:03:01; \
                    ip link set s1 up; ip link set s2 up";

/// SYN packets with headers that are not of the usual length: VLAN tags, options of IPv4, extension headers of IPv6,
/// fragments. Most have a port of their own.
const HEADERS: &str = r#"
import socket, struct
SOURCE, TARGET = [{4: socket.inet_pton(socket.AF_INET, "198.51.100." + host), 6: socket.inet_pton(socket.AF_INET6, "2001:db8:1::" + host)} for host in "79"]
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); wire.bind(("s1", 0))
def tcp(port, doff=5, flags=2): return struct.pack("!HHIIBBHHH", port, 8080, port, 0, doff << 4, flags, port, 0, 0) + bytes(max(0, doff * 4 - 20))
def v4(rest, options=b"", protocol=6, fragment=0, length=None, version=4):
    total = 20 + len(options) + len(rest) if length is None else length
    return struct.pack("!BBHHHBBH", version << 4 | (20 + len(options)) // 4, 0, total, 1, fragment, 64, protocol, 0) + SOURCE[4] + TARGET[4] + options + rest
def v6(rest, next=6, source=SOURCE[6]): return struct.pack("!IHBB", 6 << 28, len(rest), next, 64) + source + TARGET[6] + rest
def send(packet, tags=()):
    kind = 0x0800 if packet[0] >> 4 == 4 else 0x86dd
    link = b"".join(struct.pack("!HH", tag, 42) for tag in tags) + struct.pack("!H", kind)
    wire.send(bytes.fromhex("0200000003010200000003fe") + link + packet)
port = 1000
plain = lambda version, data: (v4 if version == 4 else v6)(data)
def each(make):
    global port
    for version in (4, 6):
        port += 1
        for packet in make(version, port): send(*packet)
# What follows is sent.
each(lambda version, port: [(plain(version, tcp(port)),), (plain(version, tcp(port, 5, 16)),)])
each(lambda version, port: [(plain(version, tcp(port)), (0x8100,))])
each(lambda version, port: [(plain(version, tcp(port, 15)),)])
# Of a packet this long, only the link-layer header is in the first page.
each(lambda version, port: [(plain(version, tcp(port) + bytes(5000)),), (plain(version, tcp(port, 5, 16) + bytes(6000)),)])
port += 1; send(v4(tcp(port) + bytes(5000), bytes([1]) * 40))
each(lambda version, port: [(plain(version, tcp(port, 4)),)])
each(lambda version, port: [(plain(version, tcp(port, 6)[:22]),)])
for options in (4, 40):
    port += 1; send(v4(tcp(port), b"\1" * options))
port += 1; send(v4(tcp(port), fragment=0x2000))
port += 1; send(v4(tcp(port), fragment=0x2001))
port += 1; send(v4(tcp(port), length=0))
port += 1; send(v4(tcp(port), length=30))
port += 1; send(v4(tcp(port), protocol=17))
port += 1; send(v4(tcp(port), version=5))
hop, fragment, later, auth = b"\6\0" + bytes(6), b"\6\0\0\1" + bytes(4), b"\6\0\0\x09" + bytes(4), b"\6\1" + bytes(10)
for chain, next in ((hop, 0), (hop, 43), (hop, 60), (fragment, 44), (later, 44), (auth, 51), (hop, 99), (b"\0\1" + bytes(14) + hop, 0), (b"\0\0" + bytes(6) + hop, 60)):
    port += 1; send(v6(chain + tcp(port), next))
# As many as fit in front of a TCP header, and one more.
for count in (7, 8, 9):
    port += 1; send(v6((b"\x3c\0" + bytes(6)) * (count - 1) + hop + tcp(port), 60))
port += 1; send(v6(tcp(port), source=bytes(10) + b"\xff\xff" + SOURCE[4]))
"#;

/// What makes packets, without sending any.
fn beginning() -> &'static str {
    HEADERS.split("# What follows").next().unwrap()
}

#[test]
fn headers_are_read_as_at_a_packet_socket() {
    let Some(network) = network() else { return };
    network.server(VETH);
    let receivers = ["af_packet:s2", "ebpf:s2"].map(|source| network.receive(source, &settings(1)));
    network.server(&format!("/usr/bin/python3 -c '{HEADERS}'"));
    let [(af_packet, _), (ebpf, counts)] = receivers.map(Receiving::stop);
    nothing_lost(&counts);
    let (taken, expected) = (by_connection(&ebpf), by_connection(&af_packet));
    let ports = |packets: &[Packet]| packets.iter().map(|packet| packet.tcp_window).collect::<Vec<_>>();
    assert_eq!(taken, expected, "{:?}\n{:?}", ports(&ebpf), ports(&af_packet));
    assert!(taken.len() > 15, "{}", taken.len());
}

/// Datagrams and ICMP errors that quote them, with headers that are not of the usual length or are damaged. All have a port
/// of their own; of most, what follows is taken only if the first datagram begins a connection.
const DATAGRAMS: &str = r#"
def udp(port, payload, length=None): return struct.pack("!HHHH", port, 443, 8 + len(payload) if length is None else length, 0) + payload
def over(of, data, **more): return v4(data, protocol=17, **more) if of == 4 else v6(data, 17, **more)
def back(packet):
    at, size = (12, 4) if packet[0] >> 4 == 4 else (8, 16)
    return packet[:at] + packet[at + size:at + 2 * size] + packet[at:at + size] + packet[at + 2 * size:]
def error(version, port, code=None, kind=None, quoted=None, **more):
    kind = {4: 3, 6: 1}[version] if kind is None else kind
    code = {4: 3, 6: 4}[version] if code is None else code
    quoted = back(over(version, struct.pack("!HHHH", 443, port, 100, 0))) if quoted is None else quoted
    message = struct.pack("!BBHI", kind, code, 0, 0) + quoted
    return v4(message, protocol=1, **more) if version == 4 else v6(message, 58, **more)
initial = b"\xc0\0\0\0\1" + bytes(1195)
def begun(version, port): return (over(version, udp(port, initial)),)
each(lambda version, port: [begun(version, port), (over(version, udp(port, b"s")),), (over(version, udp(port, b"")),), (error(version, port),)])
each(lambda version, port: [(over(version, udp(port, initial)), (0x8100,)), (error(version, port), (0x8100,))])
for first in (b"\x80\0\0\0\1", b"\x80\0\0\0", b"\x90\0\0\0\1", b"\x90\x6b\x33\x43\xcf", b"\x80\x6b\x33\x43\xcf", b"\xc0\0\0\0\0", b"\x40\0\0\0\1", b"\xf0\0\0\0\1"):
    each(lambda version, port: [(over(version, udp(port, first)),), (over(version, udp(port, b"later")),)])
for length in (0, 7, 8, 12, 13, 2000):
    each(lambda version, port: [(over(version, udp(port, initial, length)),), (over(version, udp(port, b"s")),)])
# Of a packet this long, only the link-layer header is in the first page.
each(lambda version, port: [(over(version, udp(port, initial + bytes(5000))),), (over(version, udp(port, bytes(6000))),)])
for more in ({"options": b"\1" * 40}, {"fragment": 0x2000}, {"fragment": 0x2001}, {"length": 0}, {"length": 27}, {"length": 32}, {"length": 33}):
    port += 1; send(over(4, udp(port, initial), **more)); send(over(4, udp(port, b"s")))
hop = b"\x11\0" + bytes(6)
for chain, next in ((hop, 0), (hop, 43), (b"\x11\0\0\1" + bytes(4), 44), (b"\x11\0\0\x09" + bytes(4), 44), (b"\x11\1" + bytes(10), 51), (b"\0\0" + bytes(6) + hop, 60)):
    port += 1; send(v6(chain + udp(port, initial), next)); send(v6(udp(port, b"s"), 17))
port += 1; send(v6(udp(port, initial), 17, bytes(10) + b"\xff\xff" + SOURCE[4]))
# Errors.
for more in ({"code": 1}, {"code": 4}, {"kind": 11}, {"kind": 2}):
    each(lambda version, port: [begun(version, port), (error(version, port, **more),)])
for cut in (1, 8, 9):
    each(lambda version, port: [begun(version, port), (error(version, port, quoted=back(over(version, struct.pack("!HHHH", 443, port, 100, 0)))[:-cut]),)])
each(lambda version, port: [begun(version, port), (error(version, port, quoted=over(version, udp(port, b""))),)])
each(lambda version, port: [begun(version, port), (error(version, port, quoted=back(plain(version, struct.pack("!HHII", 443, port, 1, 1)))),)])
for more in ({"options": b"\1" * 8}, {"fragment": 0x2001}, {"version": 6}):
    port += 1; send(*begun(4, port)); send(error(4, port, quoted=back(over(4, struct.pack("!HHHH", 443, port, 100, 0), **more))))
port += 1; send(*begun(4, port)); send(error(4, port, options=b"\1" * 12))
port += 1; send(*begun(6, port)); send(error(6, port, quoted=back(v6(hop + struct.pack("!HHHH", 443, port, 100, 0), 0))))
port += 1; send(*begun(6, port)); send(v6(b"\x3a\0" + bytes(6) + error(6, port)[40:], 0))
"#;

#[test]
fn datagrams_and_errors_are_read_as_at_a_packet_socket() {
    let Some(network) = network() else { return };
    network.server(VETH);
    let settings = LiveSettings { sets: LiveSets::QUIC, ports: Vec::new(), ..settings(1) };
    let receivers = ["af_packet:s2", "ebpf:s2"].map(|source| network.receive(source, &settings));
    network.server(&format!("/usr/bin/python3 -c '{}{DATAGRAMS}'", beginning()));
    let [af_packet, ebpf] = receivers.map(Receiving::stop_all);
    assert_eq!((ebpf.counts.lost, ebpf.counts.malformed, ebpf.counts.left_out.connections), (0, 0, 0));
    let [taken, expected] = [&ebpf, &af_packet].map(|received| quic::by_connection(&received.datagrams));
    assert_eq!(taken, expected);
    let errors = ebpf.datagrams.iter().filter(|row| row.icmp.is_some()).count();
    assert_eq!((taken.len(), errors), (49, 11));
}

/// A second VLAN tag is still in the packet, where the first no longer is.
#[test]
fn packets_in_two_vlans_are_read() {
    let Some(network) = network() else { return };
    network.server(VETH);
    let receiver = network.receive("ebpf:s2", &settings(1));
    network.server(&format!(
        "/usr/bin/python3 -c '{}
for tags in ((0x8100,), (0x88a8, 0x8100), (0x8100, 0x8100)):
    each(lambda version, port: [(plain(version, tcp(port)), tags)])'",
        beginning()
    ));
    let (packets, counts) = receiver.stop();
    nothing_lost(&counts);
    assert_eq!(by_connection(&packets).len(), 6);
}

/// Interfaces that carry bare IP packets.
#[test]
fn packets_without_a_link_layer_are_read() {
    let Some(network) = network() else { return };
    network.server("ip tuntap add t0 mode tun; ip link set t0 up");
    let receivers = ["af_packet:t0", "ebpf:t0"].map(|source| network.receive(source, &settings(1)));
    network.server(&format!(
        "/usr/bin/python3 -c '{}
import fcntl
tun = open(\"/dev/net/tun\", \"r+b\", buffering=0)
fcntl.ioctl(tun, 0x400454ca, struct.pack(\"16sH\", b\"t0\", 0x1001))
for version in (4, 6): tun.write(plain(version, tcp(2000 + version)))'",
        beginning().replace("wire.bind((\"s1\", 0))", "")
    ));
    let [(af_packet, _), (ebpf, counts)] = receivers.map(Receiving::stop);
    nothing_lost(&counts);
    assert_eq!(ebpf.len(), 2);
    assert_eq!(by_connection(&ebpf), by_connection(&af_packet));
}

/// What finds no room in the ring is counted as soon as there is room again.
#[test]
fn losses_are_counted() {
    let Some(network) = network().map(Network::without_offloads) else { return };
    let small = LiveSettings { buffer: 0, ..settings(1) };
    let pause = Duration::from_secs(4);
    let receiver = network.receive_after(SOURCE, &small, pause);
    network.craft("flood", "6000");
    thread::sleep(pause);
    // Whatever was lost, it was before these.
    network.craft("flood", "20 30000");
    let (packets, counts) = receiver.stop();
    assert!(counts.lost > 1_000, "{counts:?}");
    assert_eq!(packets.len() as u64 + counts.lost, 18_060, "{counts:?}");
    assert_eq!(counts.packets, packets.len() as u64);
}

/// The program goes with the receiver, and the receiver with the interface.
#[test]
fn interfaces_come_and_go() {
    let Some(network) = network() else { return };
    network.server("ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up");
    let mut live = open(&network, "ebpf:d0", &settings(1)).unwrap();
    network.server("ip link set d0 down; ip link set d0 up");
    assert!(live.next_batch().unwrap().is_some());
    network.server("ip link del d0");
    let end = (0..20).find_map(|_| network.on_server(|| live.next_batch().err()));
    assert!(matches!(&end, Some(LiveError::Removed(name)) if name == "d0"), "{end:?}");

    let none = open(&network, "ebpf:none", &settings(1)).err();
    assert!(matches!(none, Some(LiveError::NoInterface(_))), "{none:?}");
}
