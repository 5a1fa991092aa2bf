//! With offloads, as servers have them: what the kernel hands on may be many segments at once.

use std::num::NonZeroU32;
use std::thread;
use std::time::Duration;

use cutshort_capture::LiveSettings;
use cutshort_capture::rules::Sampling;

use crate::network::{Network, PORT, Receiving};
use crate::{by_connection, first};

const UPLOAD: &str = "/usr/bin/python3 -c '
import socket, time
s = socket.create_connection((\"ADDRESS\", 8080))
s.sendall(b\"x\" * 300000)
time.sleep(0.3)
'";

#[test]
fn merged_segments_are_packets_of_their_whole_length() {
    let Some(network) = Network::new() else { return };
    network.serve();
    let sampling = Sampling { rate: NonZeroU32::MIN, ports: vec![PORT.into()], ..Sampling::default() };
    network.load("nft -f -", &sampling.text());
    let settings = LiveSettings { ports: vec![PORT], ..LiveSettings::default() };
    let receivers = ["nflog:5", "af_packet:s0"].map(|source| network.receive(source, &settings));
    let recording = network.record();
    for address in ["203.0.113.2", "2001:db8:2::2"] {
        network.client(&UPLOAD.replace("ADDRESS", address));
    }
    thread::sleep(Duration::from_millis(300));
    let arrived = recording.stop();
    for (packets, counts) in receivers.map(Receiving::stop) {
        let connections = by_connection(&packets);
        assert_eq!((connections.len(), counts.lost), (2, 0));
        assert_eq!(connections, first(&arrived, 10));
        for packets in connections.values() {
            let longest = packets.iter().map(|packet| packet.payload_len).max();
            assert!(longest > Some(1500), "{longest:?}");
        }
    }
}
