//! The receivers and rules at work: a client, a router and a server in network namespaces, real
//! packets, the kernel's own netfilter. Needs root; says so where it cannot run.
#![cfg(target_os = "linux")]
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod again;
mod crafted;
mod ebpf;
mod loss;
mod network;
mod offloads;
mod opened;
mod quic;
mod ruleset;
mod sample;

use std::collections::BTreeMap;

use cutshort_packet::{FiveTuple, Packet};

/// The packets of each connection, in order of arrival, without what two receivers may differ in.
fn by_connection(packets: &[Packet]) -> BTreeMap<FiveTuple, Vec<Packet>> {
    let mut connections: BTreeMap<FiveTuple, Vec<Packet>> = BTreeMap::new();
    for packet in packets {
        connections.entry(packet.five_tuple).or_default().push(Packet { ts: 0, sample_rate: 1, ..*packet });
    }
    connections
}

/// The first packets of each connection.
fn first(packets: &[Packet], limit: usize) -> BTreeMap<FiveTuple, Vec<Packet>> {
    let mut connections = by_connection(packets);
    connections.values_mut().for_each(|packets| packets.truncate(limit));
    connections
}
