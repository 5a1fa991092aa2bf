//! Records that are later than the clock of the machine that reads them.

use cutshort_packet::{FiveTuple, Flags, Packet};
use cutshort_verdict::{Exclusion, Outcome, PacketLimiter, ReaderClock, Rules, Termination, Tracker};

const SECOND: i64 = 1_000_000_000;
const NOW: i64 = 1_767_571_200 * SECOND;
const FAR: i64 = NOW + 30 * 365 * 86_400 * SECOND;

fn packet(ts: i64, port: u16, flags: Flags) -> Packet {
    let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), port, [203, 0, 113, 5].into(), 443);
    Packet { ts, five_tuple, flags, ..Packet::ZERO }
}

/// Reads packets and the times of other records.
fn judged(packets: &[Packet], others: &[i64]) -> Vec<(i64, u16, Outcome)> {
    let mut tracker = Tracker::new(Rules::default()).read_at(ReaderClock::new(|| NOW));
    packets.iter().for_each(|packet| assert!(!tracker.record(packet.ts, Some(packet))));
    others.iter().for_each(|ts| assert!(!tracker.record(*ts, None)));
    let mut judged = Vec::new();
    for window in tracker.finish() {
        window
            .for_each(|five_tuple, outcome, _| judged.push((window.cutoff(), five_tuple.src_port, *outcome)));
    }
    judged
}

#[test]
fn a_record_of_the_future_moves_no_cutoff() {
    let syn = packet(NOW, 1, Flags::SYN);
    let without = judged(&[syn], &[NOW + 2 * SECOND]);
    assert_eq!(without, [(NOW + 2 * SECOND, 1, Err(Exclusion::Incomplete))]);
    assert_eq!(judged(&[syn], &[NOW + 2 * SECOND, FAR]), without);
    assert_eq!(judged(&[syn], &[FAR, NOW + 2 * SECOND]), without);
}

#[test]
fn its_packets_stay_in_their_windows_whose_cutoff_is_that_of_the_rest() {
    let (rst, far) = (Flags::RST, FAR - FAR % (900 * SECOND));
    let packets = [
        packet(far, 2, Flags::SYN),
        packet(far, 3, Flags::SYN),
        packet(far + SECOND, 3, rst),
        packet(NOW, 1, Flags::SYN),
    ];
    let judged = judged(&packets, &[]);
    assert_eq!(judged[0], (NOW, 1, Err(Exclusion::Incomplete)));
    assert_eq!(judged[1], (NOW, 2, Err(Exclusion::Incomplete)));
    assert_eq!((judged[2].0, judged[2].1), (NOW, 3));
    // Its last row is later than the cutoff: a silence has no negative length.
    assert_eq!(judged[2].2.map(|verdict| (verdict.termination, verdict.silent)), Ok((Termination::Reset, 0)));
}

#[test]
fn if_all_records_are_of_the_future_they_count() {
    let judged = judged(&[packet(FAR, 1, Flags::SYN)], &[FAR + 60 * SECOND]);
    assert_eq!(judged[0].0, FAR + 60 * SECOND);
    assert_eq!(judged[0].2.map(|verdict| verdict.termination), Ok(Termination::Timeout));
}

#[test]
fn a_crowd_from_the_future_makes_no_packet_late() {
    let mut tracker = Tracker::new(Rules::default()).read_at(ReaderClock::new(|| NOW));
    let mut capper = PacketLimiter::new(Rules::default()).read_at(ReaderClock::new(|| NOW));
    for _ in 0..20_000 {
        let _ = tracker.record(FAR, None);
        let _ = capper.record(FAR, None);
    }
    let syn = packet(NOW, 1, Flags::SYN);
    assert!(!tracker.record(syn.ts, Some(&syn)));
    assert!(capper.record(syn.ts, Some(&syn)));
    assert_eq!((tracker.late(), capper.late(), capper.latest()), (0, 0, NOW));
    assert_eq!(tracker.finish().count(), 1);
}
