use std::collections::BTreeMap;

use cutshort_packet::Flags;
use proptest::prelude::*;

use super::*;

pub(crate) fn packet(ts: i64, port: u16, flags: Flags) -> Packet {
    Packet {
        ts,
        five_tuple: FiveTuple::new([198, 51, 100, 7].into(), port, [203, 0, 113, 5].into(), 443),
        ip_id: 1,
        ttl: 64,
        flags,
        seq: u32::from(port) * 7919,
        ack: 0,
        tcp_window: 64_240,
        options_len: 0,
        payload_len: 0,
        sample_rate: 1,
        ..Packet::ZERO
    }
}

#[test]
fn the_first_packets_of_chosen_connections_are_taken() {
    let mut sampler = Sampler::new(3, 1_000, 100);
    assert_eq!(sampler.decide(&packet(0, 1, Flags::ACK), Packet::is_syn), Decision::Leave);
    let decisions: Vec<_> = [Flags::SYN, Flags::SYN, Flags::ACK, Flags::RST]
        .into_iter()
        .map(|flags| sampler.decide(&packet(1, 1, flags), Packet::is_syn))
        .collect();
    assert_eq!(decisions, [Decision::Take, Decision::Take, Decision::Take, Decision::Capped]);
    // Forgotten after its time, counted from the first packet.
    assert_eq!(sampler.decide(&packet(1_000, 1, Flags::SYN), Packet::is_syn), Decision::Capped);
    assert_eq!(sampler.decide(&packet(1_001, 1, Flags::ACK), Packet::is_syn), Decision::Leave);
    assert_eq!(sampler.decide(&packet(1_002, 1, Flags::SYN), Packet::is_syn), Decision::Take);
}

#[test]
fn memory_is_bounded() {
    let mut sampler = Sampler::new(10, 1_000, 2);
    assert_eq!(sampler.decide(&packet(0, 1, Flags::SYN), Packet::is_syn), Decision::Take);
    assert_eq!(sampler.decide(&packet(1, 2, Flags::SYN), Packet::is_syn), Decision::Take);
    assert_eq!(sampler.decide(&packet(2, 3, Flags::SYN), Packet::is_syn), Decision::Full);
    assert_eq!(sampler.decide(&packet(2, 1, Flags::RST), Packet::is_syn), Decision::Take);
    assert_eq!(sampler.decide(&packet(1_000, 3, Flags::SYN), Packet::is_syn), Decision::Take);
    // A clock that is set back forgets, rather than be full for ever.
    assert_eq!(sampler.decide(&packet(-5_000, 4, Flags::SYN), Packet::is_syn), Decision::Take);
}

/// A packet of the connection on port 1 that began at this sequence number.
fn of(isn: u32, flags: Flags) -> Packet {
    let seq = if flags == Flags::SYN { isn } else { isn + 1 };
    Packet { seq, ..packet(1, 1, flags) }
}

#[test]
fn connections_on_the_same_ports_are_counted_each() {
    let mut sampler = Sampler::new(3, 1_000, 100);
    let mut decide = |isn, flags| sampler.decide(&of(isn, flags), Packet::is_syn);
    for isn in [10, 20, 10] {
        let decisions = [Flags::SYN, Flags::ACK, Flags::SYN, Flags::FIN].map(|flags| decide(isn, flags));
        assert_eq!(decisions, [Decision::Take, Decision::Take, Decision::Take, Decision::Capped], "{isn}");
    }
}

#[test]
fn each_connection_is_decided_by_itself() {
    let mut sampler = Sampler::new(10, 1_000, 100);
    let mut decide =
        |isn, flags| sampler.decide(&of(isn, flags), |packet| packet.is_syn() && packet.seq != 20);
    assert_eq!([Flags::SYN, Flags::ACK].map(|flags| decide(10, flags)), [Decision::Take; 2]);
    // Not chosen, so nothing of it is taken, although an older connection on its ports was.
    let flags = [Flags::SYN, Flags::SYN, Flags::ACK, Flags::RST];
    assert_eq!(flags.map(|flags| decide(20, flags)), [Decision::Leave; 4]);
    assert_eq!([Flags::SYN, Flags::ACK].map(|flags| decide(30, flags)), [Decision::Take; 2]);
}

/// As when the netfilter log resumes in the middle of a connection.
#[test]
fn what_comes_before_the_first_syn_is_counted_by_itself() {
    let mut sampler = Sampler::new(2, 1_000, 100);
    let mut decide = |isn, flags| sampler.decide(&of(isn, flags), |_| true);
    let counted = [Decision::Take, Decision::Take, Decision::Capped];
    assert_eq!([Flags::ACK; 3].map(|flags| decide(10, flags)), counted);
    assert_eq!([Flags::SYN, Flags::ACK, Flags::ACK].map(|flags| decide(20, flags)), counted);
}

#[test]
fn the_other_direction_is_counted_anew() {
    let mut sampler = Sampler::new(2, 1_000, 100);
    let syn = of(10, Flags::SYN);
    let back = Packet { five_tuple: syn.five_tuple.reversed(), ..syn };
    let mut decide = |packet: &Packet| sampler.decide(packet, Packet::is_syn);
    let counted = [Decision::Take, Decision::Take, Decision::Capped];
    assert_eq!([(); 3].map(|()| decide(&back)), counted);
    assert_eq!(decide(&syn), Decision::Take);
    assert_eq!([(); 3].map(|()| decide(&back)), counted);
}

#[test]
fn a_full_memory_keeps_its_places() {
    let mut sampler = Sampler::new(10, 1_000, 1);
    let mut decide = |packet: &Packet| sampler.decide(packet, Packet::is_syn);
    assert_eq!(decide(&packet(0, 1, Flags::SYN)), Decision::Take);
    assert_eq!(decide(&packet(0, 2, Flags::SYN)), Decision::Full);
    assert_eq!(decide(&packet(0, 1, Flags::SYN)), Decision::Take);
    assert_eq!(decide(&of(20, Flags::SYN)), Decision::Take);
    assert_eq!(decide(&of(20, Flags::ACK)), Decision::Take);
}

/// A flood of single SYNs holds no places for a window's length.
#[test]
fn a_connection_with_one_packet_is_forgotten_early() {
    const SECOND: i64 = 1_000_000_000;
    let mut sampler = Sampler::new(10, 900 * SECOND, 2);
    let mut decide =
        |second: i64, port, flags| sampler.decide(&packet(second * SECOND, port, flags), Packet::is_syn);
    assert_eq!([1, 2].map(|port| decide(0, port, Flags::SYN)), [Decision::Take; 2]);
    assert_eq!(decide(29, 1, Flags::ACK), Decision::Take);
    assert_eq!(decide(29, 3, Flags::SYN), Decision::Full);
    assert_eq!(decide(30, 3, Flags::SYN), Decision::Take);
    assert_eq!(decide(31, 2, Flags::ACK), Decision::Leave);
    assert_eq!(decide(899, 1, Flags::ACK), Decision::Take);
    assert_eq!(decide(900, 1, Flags::ACK), Decision::Leave);
}

/// docs/quic.md#choice: a QUIC connection is remembered from its latest datagram on, whether that is taken or not.
#[test]
fn datagrams_put_off_the_end_of_their_connection() {
    use cutshort_packet::quic::{Datagram, Icmp};

    let mut sampler = Sampler::of_datagrams(2, 100, 10);
    let datagram =
        |ts, port| Datagram { ts, five_tuple: packet(0, port, Flags::SYN).five_tuple, ..Datagram::ZERO };
    let mut decide = |ts, port, begins: bool| sampler.decide(&datagram(ts, port), |_| begins);
    assert_eq!(decide(0, 1, false), Decision::Leave);
    assert_eq!([decide(0, 1, true), decide(90, 1, false)], [Decision::Take; 2]);
    assert_eq!([180, 270, 369].map(|ts| decide(ts, 1, true)), [Decision::Capped; 3]);
    assert_eq!(decide(469, 1, false), Decision::Leave, "forgotten");
    assert_eq!([decide(470, 1, true), decide(475, 2, true)], [Decision::Take; 2]);
    // Others come in the meantime; none of them is forgotten early.
    assert_eq!([decide(560, 1, false), decide(574, 2, false)], [Decision::Take; 2]);
    assert_eq!([decide(659, 1, false), decide(673, 2, false)], [Decision::Capped; 2]);
    assert_eq!([decide(759, 1, false), decide(773, 2, false)], [Decision::Leave; 2]);

    let error = |ts, icmp| Datagram { icmp: Some(icmp), ..datagram(ts, 3) };
    assert_eq!(sampler.decide_error(&error(800, Icmp::Port)), Decision::Leave);
    assert_eq!(sampler.decide(&datagram(800, 3), |_| true), Decision::Take);
    for icmp in [Icmp::Port, Icmp::Other] {
        let decisions = [0; 4].map(|_| sampler.decide_error(&error(801, icmp)));
        assert_eq!(decisions, [Decision::Take, Decision::Take, Decision::Take, Decision::Capped]);
    }
    assert_eq!(sampler.decide_error(&error(900, Icmp::Port)), Decision::Leave, "forgotten");
    // Nothing is left in the end, and no more is kept than there is.
    assert_eq!(sampler.decide(&datagram(2_000, 9), |_| false), Decision::Leave);
    assert_eq!((sampler.flows.len(), sampler.fresh.len(), sampler.order.len()), (0, 0, 0));
}

/// Packets of several processors are a little out of order.
#[test]
fn an_earlier_packet_makes_nothing_forgotten() {
    let mut sampler = Sampler::new(10, 1_000, 100);
    assert_eq!(sampler.decide(&packet(50, 1, Flags::SYN), Packet::is_syn), Decision::Take);
    assert_eq!(sampler.decide(&packet(49, 2, Flags::ACK), Packet::is_syn), Decision::Leave);
    assert_eq!(sampler.decide(&packet(51, 1, Flags::ACK), Packet::is_syn), Decision::Take);
}

#[test]
fn ports_that_are_used_again_take_no_more_memory() {
    let mut sampler = Sampler::new(10, 1_000_000, 100);
    for number in 0..100_000 {
        let port = (number % 64) as u16;
        let syn = Packet { seq: number, ..packet(0, port, Flags::SYN) };
        assert_eq!(sampler.decide(&syn, Packet::is_syn), Decision::Take);
    }
    assert_eq!(sampler.flows.len(), 64);
    assert!(sampler.fresh.len() <= FEW, "{}", sampler.fresh.len());
    // They are still forgotten in time.
    assert_eq!(sampler.decide(&packet(1_000_000, 99, Flags::ACK), Packet::is_syn), Decision::Leave);
    assert_eq!((sampler.flows.len(), sampler.fresh.len(), sampler.order.len()), (0, 0, 0));
}

/// docs/spec.md#cap, read off the list of all packets: what is taken of those with even sequence numbers.
fn expected(packets: &[Packet], limit: usize) -> Vec<bool> {
    // Per direction: its SYN packet, and how many were taken.
    let mut all: BTreeMap<FiveTuple, (Option<u32>, usize)> = BTreeMap::new();
    let mut taken = Vec::new();
    for packet in packets {
        let before = all.get(&packet.five_tuple).and_then(|(syn, _)| *syn);
        if packet.is_syn() && before != Some(packet.seq) {
            all.insert(packet.five_tuple, (Some(packet.seq), 0));
            if packet.seq.is_multiple_of(2)
                && let Some((_, count)) = all.get_mut(&packet.five_tuple.reversed())
            {
                *count = 0;
            }
        }
        let (syn, count) = all.entry(packet.five_tuple).or_default();
        taken.push(syn.is_some_and(|syn| syn.is_multiple_of(2)) && *count < limit);
        *count += usize::from(taken.last() == Some(&true));
    }
    taken
}

proptest! {
    #[test]
    fn what_is_taken_is_what_the_rules_of_counting_say(
        all in proptest::collection::vec((0_u16..3, any::<bool>(), 0_u32..4, 0_usize..4), 0..120),
    ) {
        let flags = [Flags::SYN, Flags::ACK, Flags::SYN, Flags::RST];
        let packets: Vec<Packet> = all.into_iter().map(|(port, back, seq, kind)| {
            let packet = Packet { seq, ..packet(0, port, flags[kind]) };
            if back { Packet { five_tuple: packet.five_tuple.reversed(), ..packet } } else { packet }
        }).collect();
        let mut sampler = Sampler::new(3, 1_000, 100);
        let chosen = |packet: &Packet| packet.is_syn() && packet.seq.is_multiple_of(2);
        let taken: Vec<bool> =
            packets.iter().map(|packet| sampler.decide(packet, chosen) == Decision::Take).collect();
        prop_assert_eq!(taken, expected(&packets, 3));
    }
}
