//! 33 crafted connections over IPv4 and IPv6: what each receiver delivers is held against what
//! arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::thread;
use std::time::Duration;

use cutshort_capture::LiveSettings;
use cutshort_capture::rules::{Method, Sampling};
use cutshort_packet::Packet;

use crate::network::{Network, PORT};
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

#[test]
fn every_packet_that_arrives_is_delivered() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    network.serve();
    let sampling = |method, group| Sampling {
        method,
        rate: NonZeroU32::MIN,
        group,
        ports: vec![PORT],
        ..Sampling::default()
    };
    network.load("nft -f -", &sampling(Method::Set, 5).text());
    // Beside the other, under another name.
    let other = sampling(Method::Conntrack, 6).text().replace("inet cutshort", "inet other");
    network.load("nft -f -", &other);
    let iptables = sampling(Method::Iptables, 7).text();
    network.load("iptables-restore -n", &iptables);
    network.load("ip6tables-restore -n", &iptables);

    let settings = LiveSettings { ports: vec![PORT], ..LiveSettings::default() };
    let sources = ["nflog:5", "nflog:6", "nflog:7", "af_packet:s0"];
    let receivers = sources.map(|source| network.receive(source, &settings));
    let recording = network.record();
    let plan = Plan::read(&network.craft("connections", ""));
    thread::sleep(Duration::from_millis(300));
    let arrived = recording.stop();
    let [set, conntrack, iptables, af_packet] = receivers.map(|receiver| receiver.stop());

    plan.check(&arrived);
    for (name, (packets, counts)) in [("set", &set), ("af_packet", &af_packet)] {
        assert_eq!(by_connection(packets), first(&arrived, 10), "{name}");
        assert_eq!((counts.lost, counts.malformed, counts.without_time), (0, 0, 0), "{name}");
        assert_times(name, packets, &arrived);
    }
    for (name, (packets, _)) in [("nft-conntrack", &conntrack), ("iptables", &iptables)] {
        let missed: BTreeSet<String> = plan.missed(packets, &arrived);
        let known = MISSED_BY_CONNTRACK.iter();
        let known = known.flat_map(|what| [format!("{what} v4"), format!("{what} v6")]).collect();
        assert_eq!(missed, known, "{name}");
    }
    // The limit in the kernel: conntrack counts repeated SYNs apart.
    assert_eq!(set.1.capped, 0);
}

/// The kernel's times, not those of delivery: both receivers and tcpdump have the same.
fn assert_times(name: &str, packets: &[Packet], arrived: &[Packet]) {
    let times: BTreeMap<u16, i64> = arrived.iter().map(|packet| (packet.window, packet.ts)).collect();
    for packet in packets {
        let apart = (packet.ts - times[&packet.window]).abs();
        assert!(apart < 1_000_000, "{name}: {apart} ns apart");
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
        let arrived: BTreeSet<u16> = arrived.iter().map(|packet| packet.window).collect();
        let sent: BTreeSet<u16> = self.0.keys().copied().collect();
        assert_eq!(arrived, sent);
        assert_eq!(self.0.len(), 2 * 134, "crafted.py sends other packets than it did");
    }

    /// The names of packets that should have been taken and were not.
    fn missed(&self, taken: &[Packet], arrived: &[Packet]) -> BTreeSet<String> {
        let taken: BTreeSet<u16> = taken.iter().map(|packet| packet.window).collect();
        let should = first(arrived, 10).into_values().flatten().map(|packet| packet.window);
        should.filter(|mark| !taken.contains(mark)).map(|mark| self.0[&mark].clone()).collect()
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}
