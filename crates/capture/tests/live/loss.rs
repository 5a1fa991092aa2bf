//! What does not arrive is a number.

use std::num::NonZeroU32;
use std::thread;
use std::time::{Duration, SystemTime};

use cutshort_capture::LiveSettings;
use cutshort_capture::rules::{self, Sampling};

use crate::network::{Network, PORT, eventually};

fn everything() -> Sampling {
    Sampling { rate: NonZeroU32::MIN, ports: vec![PORT.into()], size: 1 << 20, ..Sampling::default() }
}

fn counter(network: &Network, name: &str) -> u64 {
    let loaded = network.on_server(|| rules::status().unwrap());
    loaded[0].packets(name).unwrap()
}

/// More packets than a small buffer holds while the receiver sleeps: what is received and what the
/// gaps say is what the rules have logged.
#[test]
fn losses_of_the_netfilter_log_are_gaps() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    network.load("nft -f -", &everything().text());
    let small = LiveSettings { buffer: 100_000, ..LiveSettings::default() };
    let pause = Duration::from_secs(3);
    let receiver = network.receive_after("nflog:5", &small, pause);
    network.craft("flood", "6000");
    assert_eq!(counter(&network, "logged"), 18_000);
    thread::sleep(pause);
    // Whatever was lost, it lies before these.
    network.craft("flood", "20");
    eventually("all is logged", || counter(&network, "logged") == 18_060);
    let (_, counts) = receiver.stop();
    let received = counts.packets + counts.capped;
    assert!(counts.lost > 1_000, "{counts:?}");
    assert_eq!(received + counts.lost, 18_060, "{counts:?}");
}

/// The end of a flood shows in no gap, but in the rules' own counter.
#[test]
fn losses_at_the_end_show_in_the_counter() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    network.load("nft -f -", &everything().text());
    let receiver = network.receive("nflog:5", &LiveSettings::default());
    network.craft("flood", "2000");
    // What the kernel still gathers is delivered when the receiver stops.
    let (packets, counts) = receiver.stop();
    assert_eq!((packets.len() as u64, counts.lost), (6_000, 0));
    assert_eq!(counter(&network, "logged"), 6_000);
    // Nobody listens any more.
    network.craft("flood", "200");
    assert_eq!(counter(&network, "logged") - counts.packets, 600);
    // The group is free again, and counts from its beginning.
    let receiver = network.receive("nflog:5", &LiveSettings::default());
    network.craft("flood", "200");
    let (packets, counts) = receiver.stop();
    assert_eq!((packets.len(), counts.lost), (600, 0));
}

/// A flood fills a small set: the receiver learns how many connections were left out, and when. Where they are
/// many only each hundredth is reported, so up to 99 may be missing.
#[test]
fn a_full_set_is_reported() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let now = || SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as i64;
    network.load("nft -f -", &Sampling { size: 20, ..everything() }.text());
    let receiver = network.receive("nflog:5", &LiveSettings::default());
    let began = now();
    network.craft("syns", "4000");
    let ended = now();
    let (packets, counts) = receiver.stop();
    assert_eq!((packets.len(), counter(&network, "logged"), counter(&network, "full")), (40, 40, 3_960));
    let reported = counts.left_out.connections;
    assert!((3_861..=3_960).contains(&reported), "{counts:?}");
    let spell = counts.left_out.latest.unwrap();
    assert!(began <= spell.from && spell.from < spell.to && spell.to <= ended, "{spell:?}");
    assert_eq!(spell.connections, reported);
    let others = (counts.capped, counts.lost, counts.malformed, counts.refused.iter().sum::<u64>());
    assert_eq!(others, (0, 0, 0, 0), "no report is taken for a packet");

    // Where they are few, each is reported.
    let receiver = network.receive("nflog:5", &LiveSettings::default());
    thread::sleep(Duration::from_secs(1));
    network.craft("flood", "4 5000");
    let (_, counts) = receiver.stop();
    assert_eq!((counts.packets, counts.left_out.connections), (0, 8));
}

/// The same at a packet socket, whose smallest ring holds two blocks.
#[test]
fn losses_of_a_packet_socket_are_counted() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let small = LiveSettings { buffer: 0, ports: vec![PORT], ..LiveSettings::default() };
    let receiver = network.receive_after("af_packet:s0", &small, Duration::from_secs(5));
    network.load("nft -f -", "table inet truth { counter c { }; chain i { type filter hook prerouting priority 0; tcp dport 8080 counter name c; }; }");
    network.craft("flood", "10000");
    let truth = network.server("nft list counter inet truth c");
    let truth: u64 = truth.split("packets ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    thread::sleep(Duration::from_secs(5));
    let (_, counts) = receiver.stop();
    assert_eq!(truth, 30_000);
    assert!(counts.lost > 1_000, "{counts:?}");
    assert_eq!(
        counts.packets + counts.left + counts.capped + counts.left_out.connections + counts.lost,
        truth,
        "{counts:?}"
    );
}

#[test]
fn a_group_has_one_receiver() {
    use cutshort_capture::{Live, LiveError, Reading};
    let Some(network) = Network::new() else { return };
    let receiver = network.receive("nflog:9", &LiveSettings::default());
    let source = "nflog:9".parse().unwrap();
    let second =
        network.on_server(|| Live::open(&source, &LiveSettings::default(), &Reading::default()).err());
    assert!(matches!(second, Some(LiveError::Taken(9))), "{second:?}");
    receiver.stop();
    let source = "af_packet:none".parse().unwrap();
    let none = network.on_server(|| Live::open(&source, &LiveSettings::default(), &Reading::default()).err());
    assert!(matches!(none, Some(LiveError::NoInterface(_))), "{none:?}");
}

/// An interface that goes down comes back; one that is removed ends the receiver.
#[test]
fn interfaces_come_and_go() {
    use cutshort_capture::{Live, LiveError, Reading};
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    network.server("ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up");
    let (source, reading) = ("af_packet:d0".parse().unwrap(), Reading::default());
    let mut live = network.on_server(|| Live::open(&source, &LiveSettings::default(), &reading).unwrap());
    network.server("ip link set d0 down");
    assert!(live.next_batch().unwrap().is_some());
    network.server("ip link set d0 up");
    assert!(live.next_batch().unwrap().is_some());
    network.server("ip link del d0");
    let end = (0..20).find_map(|_| network.on_server(|| live.next_batch().err()));
    assert!(matches!(end, Some(LiveError::NoInterface(_))), "{end:?}");
}
