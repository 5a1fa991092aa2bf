//! The sample: as large as it should be, whole connections, and the same in kernel and user space.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use cutshort_capture::LiveSettings;
use cutshort_capture::rules::{Method, Sampling, Seed};
use cutshort_packet::FiveTuple;

use crate::by_connection;
use crate::network::{Network, PORT, Receiving};

const CONNECTIONS: u64 = 100_000;
const RATE: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// 1 in 100 of 100,000 connections, each with its SYN sent twice: 1,000 within 4 sigma (126), all
/// of their packets, and by rules and packet socket with one seed the same ones.
#[test]
fn the_sample_is_right() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let seed = Seed::new(0x1234_5678).unwrap();
    let sampling = Sampling { rate: RATE, ports: vec![PORT.into()], seed: Some(seed), ..Sampling::default() };
    network.load("nft -f -", &sampling.text());
    let settings =
        LiveSettings { rate: RATE, ports: vec![PORT], seed: Some(seed.number()), ..LiveSettings::default() };
    let receivers = ["nflog:5", "af_packet:s0"].map(|source| network.receive(source, &settings));
    network.craft("flood", &CONNECTIONS.to_string());
    let [(nflog, counts), (af_packet, other_counts)] = receivers.map(Receiving::stop);

    assert_eq!((counts.lost, other_counts.lost), (0, 0));
    assert_eq!(other_counts.packets + other_counts.left + other_counts.capped, 3 * CONNECTIONS);
    let connections = by_connection(&nflog);
    assert_eq!(connections, by_connection(&af_packet));
    // 50,000 connections have 50,000 ports, and 64,000 there are: none is used twice.
    assert!((874..=1126).contains(&connections.len()), "{}", connections.len());
    assert!(connections.values().all(|packets| packets.len() == 3));
    let (ipv4, ipv6): (BTreeSet<&FiveTuple>, _) = connections.keys().partition(|key| key.is_ipv4());
    assert!((411..=589).contains(&ipv4.len()) && (411..=589).contains(&ipv6.len()));
    assert!(nflog.iter().chain(&af_packet).all(|packet| packet.sample_rate == 100));
}

/// Without a seed the kernel takes one of its own each time, and shows it to nobody.
#[test]
fn seeds_are_random_and_secret() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let sampling = Sampling { rate: NonZeroU32::new(5).unwrap(), ..Sampling::default() };
    let chosen = [(); 2].map(|()| {
        network.load("nft -f -", &sampling.text());
        assert!(!network.server("nft list ruleset; nft -j list ruleset").contains("seed"));
        let receiver = network.receive("nflog:5", &LiveSettings::default());
        // The same connections each time.
        network.craft("flood", "400");
        by_connection(&receiver.stop().0).into_keys().collect::<BTreeSet<_>>()
    });
    assert!(chosen.iter().all(|chosen| (30..150).contains(&chosen.len())), "{chosen:?}");
    assert_ne!(chosen[0], chosen[1]);
}

/// The connections that the server opens: its SYNs, and what comes back.
#[test]
fn the_origin_sees_what_comes_back() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let sampling = Sampling { method: Method::Origin, rate: NonZeroU32::MIN, ..Sampling::default() };
    network.load("nft -f -", &sampling.text());
    // Refused: nobody listens there. The same port each time.
    let connect = || {
        for address in ["198.51.100.2", "2001:db8:1::2"] {
            network.server(&format!("/usr/bin/python3 -c 'import socket; print(socket.create_connection((\"{address}\", 9), 2, (\"\", 40000)))' 2>&1 | grep -q refused"));
        }
    };
    let recording = network.record_log(5);
    (0..8).for_each(|_| connect());
    // The kernel gathers packets for up to a second.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let packets = recording.stop();
    for ipv4 in [true, false] {
        let of_version = packets.iter().filter(|packet| packet.five_tuple.is_ipv4() == ipv4);
        let seen: Vec<_> =
            of_version.map(|packet| (packet.five_tuple.dst_port == 9, packet.flags.to_string())).collect();
        // More than one connection may have: each is counted by itself.
        let connection = vec![(true, "S".to_owned()), (false, "RA".to_owned())];
        assert_eq!(seen, vec![connection; 8].concat());
    }
    let receiver = network.receive("nflog:5", &LiveSettings::default());
    connect();
    let received = receiver.stop_all();
    assert_eq!((received.packets.len(), received.opened.len(), received.counts.lost), (0, 4, 0));
    assert_eq!(received.counts.opened, 4);
}
