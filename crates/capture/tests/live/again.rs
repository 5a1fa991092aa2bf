//! Clients that use their ports again: each connection is chosen and counted by itself, by the rules as at a packet
//! socket.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use cutshort_capture::rules::{self, Method, Sampling, Seed};
use cutshort_capture::{LiveCount, LiveSettings};
use cutshort_packet::{FiveTuple, Flags, Packet};

use crate::network::{Network, PORT, Receiving};

const SEED: Seed = Seed::new(0x1234_5678).unwrap();
const LIMIT: usize = 10;

/// By 5-tuple and initial sequence number, the connections in order of arrival, each with its packets.
pub(crate) type Connections = BTreeMap<(FiveTuple, u32), Vec<Vec<Packet>>>;

/// Packets in order of arrival, split where a SYN packet has another sequence number than the one before.
pub(crate) fn connections(packets: &[Packet]) -> Connections {
    let mut connections = Connections::new();
    let mut latest: BTreeMap<FiveTuple, u32> = BTreeMap::new();
    for packet in packets {
        let packet = Packet { ts: 0, sample_rate: 1, ..*packet };
        let tuple = packet.five_tuple;
        let is_syn = packet.flags.intersects(Flags::SYN)
            && !packet.flags.intersects(Flags::ACK | Flags::RST | Flags::FIN);
        if is_syn && latest.insert(tuple, packet.seq) != Some(packet.seq) {
            connections.entry((tuple, packet.seq)).or_default().push(Vec::new());
        }
        let isn = latest.get(&tuple).unwrap_or_else(|| panic!("it has no SYN packet: {packet:?}"));
        connections.get_mut(&(tuple, *isn)).unwrap().last_mut().unwrap().push(packet);
    }
    connections
}

/// What should be taken of those that `is_chosen` says.
fn expected(arrived: &[Packet], is_chosen: impl Fn(&(FiveTuple, u32)) -> bool) -> Connections {
    let mut connections = connections(arrived);
    connections.retain(|key, _| is_chosen(key));
    connections.values_mut().flatten().for_each(|packets| packets.truncate(LIMIT));
    connections
}

/// Shows the first connection that is not the same.
#[track_caller]
pub(crate) fn assert_same(one: &Connections, other: &Connections) {
    for key in one.keys().chain(other.keys()) {
        let [one, other] = [one, other].map(|connections| connections.get(key));
        assert!(one == other, "{key:?}:\n{}\n{}", shown(one), shown(other));
    }
}

fn shown(connections: Option<&Vec<Vec<Packet>>>) -> String {
    let shown = |packet: &Packet| format!("{} {}", packet.flags, packet.seq);
    let connections = connections.into_iter().flatten();
    let lines = connections.map(|packets| packets.iter().map(shown).collect::<Vec<_>>().join(", "));
    lines.collect::<Vec<_>>().join("; ")
}

/// What arrived, and what rules and packet socket took of it.
struct Seen {
    arrived: Vec<Packet>,
    nflog: (Vec<Packet>, LiveCount),
    af_packet: (Vec<Packet>, LiveCount),
}

/// Has connections made while rules and a packet socket with the same seed take 1 in `rate`.
fn see(network: &Network, rate: u32, method: Method, make: impl FnOnce()) -> Seen {
    let rate = NonZeroU32::new(rate).unwrap();
    let sampling =
        Sampling { method, rate, ports: vec![PORT.into()], seed: Some(SEED), ..Sampling::default() };
    network.load("nft -f -", &sampling.text());
    let settings =
        LiveSettings { rate, ports: vec![PORT], seed: Some(SEED.number()), ..LiveSettings::default() };
    let receivers = ["nflog:5", "af_packet:s0"].map(|source| network.receive(source, &settings));
    let recording = network.record();
    make();
    let arrived = recording.stop();
    let [nflog, af_packet] = receivers.map(Receiving::stop);
    assert_eq!((nflog.1.lost, af_packet.1.lost), (0, 0));
    Seen { arrived, nflog, af_packet }
}

/// Both take the same; gives how many connections of how many these are.
#[track_caller]
fn assert_sample(seen: &Seen) -> (usize, usize) {
    let taken = connections(&seen.nflog.0);
    assert_same(&taken, &connections(&seen.af_packet.0));
    assert_same(&taken, &expected(&seen.arrived, |key| taken.contains_key(key)));
    let count = |connections: &Connections| connections.values().map(Vec::len).sum();
    (count(&taken), count(&connections(&seen.arrived)))
}

const PORTS: usize = 64;
const COUNT: usize = 24;
const ALL: usize = 2 * PORTS * COUNT;
/// Between two connections on a port: each has two SYN packets, and 30 a second are the most.
const PAUSE: u32 = 100;

#[test]
fn each_connection_on_the_same_ports_is_taken() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    // Where all are taken, a connection also counts that has the initial sequence number of the one before the last.
    let seen = see(&network, 1, Method::Set, || {
        network.craft("again", &format!("{PORTS} {COUNT} {PAUSE} back"));
    });
    assert_eq!(assert_sample(&seen), (ALL, ALL));
    // Rules count anew with each SYN, so that it is done here where a SYN is repeated.
    assert!(seen.nflog.1.capped > 0 && seen.nflog.1.capped < seen.af_packet.1.capped);
}

#[test]
fn a_connection_that_is_not_chosen_is_not_taken() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let seen = see(&network, 4, Method::Set, || {
        network.craft("again", &format!("{PORTS} {COUNT} {PAUSE}"));
    });
    // A quarter within 4 sigma.
    let (taken, all) = assert_sample(&seen);
    assert_eq!(all, ALL);
    assert!((672..=864).contains(&taken), "{taken}");
}

/// In a set that is full, connections keep their places when their SYN is repeated or their ports are used again.
#[test]
fn places_in_a_full_set_are_kept() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let sampling = Sampling { rate: NonZeroU32::MIN, size: 5, ..Sampling::default() };
    network.load("nft -f -", &sampling.text());
    let receiver = network.receive("nflog:5", &LiveSettings::default());
    let recording = network.record();
    network.craft("again", &format!("{PORTS} {COUNT} {PAUSE}"));
    let arrived = recording.stop();
    let taken = connections(&receiver.stop().0);
    let tuples: BTreeSet<FiveTuple> = taken.keys().map(|(tuple, _)| *tuple).collect();
    assert_eq!(tuples.len(), 10, "five over each IP version");
    assert_same(&taken, &expected(&arrived, |(tuple, _)| tuples.contains(tuple)));
    let loaded = network.on_server(|| rules::status().unwrap());
    assert_eq!(loaded[0].packets("full"), Some(2 * (ALL - 10 * COUNT) as u64));
}

/// Ports that are used again too often for the kernel, which deletes with a delay: what is not taken is counted.
#[test]
fn what_is_left_out_of_busy_ports_is_counted() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let sampling = Sampling { rate: NonZeroU32::MIN, ..Sampling::default() };
    network.load("nft -f -", &sampling.text());
    let receiver = network.receive("nflog:5", &LiveSettings { limit: u32::MAX, ..LiveSettings::default() });
    network.craft("again", "2 1000 0");
    let (packets, counts) = receiver.stop();
    let syns = packets.iter().filter(|packet| packet.flags == Flags::SYN).count() as u64;
    let loaded = network.on_server(|| rules::status().unwrap());
    let [chosen, full, busy] = ["chosen", "full", "busy"].map(|name| loaded[0].packets(name).unwrap());
    assert_eq!((chosen, full), (8000, 0));
    assert!(busy > 0);
    assert_eq!(syns + busy, chosen);
    assert!((busy.saturating_sub(99)..=busy).contains(&counts.left_out.connections), "{counts:?}");
}
