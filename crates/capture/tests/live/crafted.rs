//! 33 crafted connections over IPv4 and IPv6: what each receiver delivers is held against what
//! arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use cutshort_capture::rules::{Method, Sampling};
use cutshort_capture::{LiveCount, LiveSettings};
use cutshort_packet::Packet;

use crate::network::{Network, PORT, Receiving};
use crate::{by_connection, first};

/// What the published recipe misses of the packets that should be taken, over IPv4 and over IPv6:
/// conntrack calls them invalid, or has forgotten the connection.
const MISSED_BY_CONNTRACK: [&str; 14] = [
    "data_resets_below R isn+1",
    "data_resets_below RA isn+1",
    "data_two_rsts_far R far",
    "data_two_rsts_far R farther",
    "handshake_rst_below R below",
    "handshake_rst_far R far",
    "handshake_rstack_bad_ack RA bad ack",
    "late PA late",
    "late R late",
    "rst_bad_checksum R bad sum",
    "syn_bad_ack A bad ack",
    "syn_rst_far R far",
    "syn_rst_seq_isn R seq isn",
    "syn_with_rst SR",
];

/// What it misses still with the two settings that its text names.
const MISSED_BY_LIBERAL_CONNTRACK: [&str; 4] =
    ["late PA late", "late R late", "rst_bad_checksum R bad sum", "syn_with_rst SR"];

#[test]
fn every_packet_that_arrives_is_delivered() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let seen = Seen::by_all(&network);
    for (name, (packets, counts)) in [("set", &seen.set), ("af_packet", &seen.af_packet)] {
        assert_eq!(by_connection(packets), first(&seen.arrived, 10), "{name}");
        assert_eq!((counts.lost, counts.malformed, counts.without_time), (0, 0, 0), "{name}");
        assert_times(name, packets, &seen.arrived);
    }
    // Counting is done in the kernel, which begins anew with each SYN: of 15 packets the first four are SYNs.
    assert_eq!(seen.set.1.capped, 2 * 3);
    seen.assert_missed(&MISSED_BY_CONNTRACK);
}

#[test]
fn fewer_are_missed_by_a_liberal_conntrack() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    // Before conntrack is in use, its settings are not there.
    network.load(
        "nft -f -",
        "table inet early { chain c { type filter hook prerouting priority 0; ct state invalid; }; }",
    );
    network.server("sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=1 net.netfilter.nf_conntrack_tcp_ignore_invalid_rst=1");
    let seen = Seen::by_all(&network);
    assert_eq!(by_connection(&seen.set.0), first(&seen.arrived, 10));
    seen.assert_missed(&MISSED_BY_LIBERAL_CONNTRACK);
}

type Received = (Vec<Packet>, LiveCount);

/// What arrived, and what was received side by side.
struct Seen {
    plan: Plan,
    arrived: Vec<Packet>,
    set: Received,
    conntrack: Received,
    iptables: Received,
    af_packet: Received,
}

impl Seen {
    fn by_all(network: &Network) -> Self {
        network.serve();
        load_all(network);
        let settings = LiveSettings { ports: vec![PORT], ..LiveSettings::default() };
        let sources = ["nflog:5", "nflog:6", "nflog:7", "af_packet:s0"];
        let receivers = sources.map(|source| network.receive(source, &settings));
        let recording = network.record();
        let plan = Plan::read(&network.craft("connections", ""));
        let arrived = recording.stop();
        let [set, conntrack, iptables, af_packet] = receivers.map(Receiving::stop);
        plan.check(&arrived);
        Self { plan, arrived, set, conntrack, iptables, af_packet }
    }

    /// The published recipe misses these packets over either IP version, and no others.
    #[track_caller]
    fn assert_missed(&self, known: &[&str]) {
        let known: BTreeSet<String> =
            known.iter().flat_map(|what| [format!("{what} v4"), format!("{what} v6")]).collect();
        for (name, (packets, _)) in [("nft-conntrack", &self.conntrack), ("iptables", &self.iptables)] {
            assert_eq!(self.plan.missed(packets, &self.arrived), known, "{name}");
        }
    }
}

/// All methods at once, in groups of their own.
fn load_all(network: &Network) {
    let sampling = |method, group| Sampling {
        method,
        rate: NonZeroU32::MIN,
        group,
        ports: vec![PORT.into()],
        ..Sampling::default()
    };
    network.load("nft -f -", &sampling(Method::Set, 5).text());
    // Beside the other, under another name.
    let other = sampling(Method::Conntrack, 6).text().replace("inet cutshort", "inet other");
    network.load("nft -f -", &other);
    let iptables = sampling(Method::Iptables, 7).text();
    network.load("iptables-restore -n", &iptables);
    network.load("ip6tables-restore -n", &iptables);
}

/// The kernel's times, not those of delivery, which waits for a tenth of a second: both receivers and tcpdump have the same,
/// but for what the kernel does in between on a busy machine.
fn assert_times(name: &str, packets: &[Packet], arrived: &[Packet]) {
    let times: BTreeMap<u16, i64> = arrived.iter().map(|packet| (packet.tcp_window, packet.ts)).collect();
    for packet in packets {
        let apart = (packet.ts - times[&packet.tcp_window]).abs();
        assert!(apart < 20_000_000, "{name}: {apart} ns apart");
    }
}

/// What was sent: the marks (windows) of packets, with their connection's and their own name.
struct Plan(BTreeMap<u16, String>);

impl Plan {
    /// Reads lines of JSON; enough of it for what crafted.py writes.
    fn read(lines: &str) -> Self {
        let mut marks = BTreeMap::new();
        for line in lines.lines() {
            let version = between(line, "\"version\": ", ",");
            let name = between(line, "\"name\": \"", "\"");
            let (_, sent) = line.split_once("\"sent\": [").unwrap();
            for packet in sent.split("], [") {
                let (mark, label) = packet.trim_matches(['[', ']', '}']).split_once(", ").unwrap();
                marks.insert(mark.parse().unwrap(), format!("{name} {} v{version}", label.trim_matches('"')));
            }
        }
        Self(marks)
    }

    /// Everything that was sent has arrived, and nothing else.
    fn check(&self, arrived: &[Packet]) {
        let arrived: BTreeSet<u16> = arrived.iter().map(|packet| packet.tcp_window).collect();
        let sent: BTreeSet<u16> = self.0.keys().copied().collect();
        assert_eq!(arrived, sent);
        assert_eq!(self.0.len(), 2 * 134, "crafted.py sends other packets than it did");
    }

    /// The names of packets that should have been taken and were not.
    fn missed(&self, taken: &[Packet], arrived: &[Packet]) -> BTreeSet<String> {
        let taken: BTreeSet<u16> = taken.iter().map(|packet| packet.tcp_window).collect();
        let should = first(arrived, 10).into_values().flatten().map(|packet| packet.tcp_window);
        should.filter(|mark| !taken.contains(mark)).map(|mark| self.0[&mark].clone()).collect()
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}
