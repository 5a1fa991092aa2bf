//! The truth is what the packets say.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod classifier;

use classifier::classify;
use cutshort_packet::{FiveTuple, Packet};
use cutshort_simulate::{Event, Outcome, Simulation, TAGS, Truth, WINDOW_NS, World, tag};
use std::collections::{HashMap, HashSet};

const LAST: i64 = 1_980_000;

/// Two windows within the hours of the campaign, at such a rate that everything rare happens.
fn busy() -> Simulation {
    let end = LAST * WINDOW_NS + 48 * WINDOW_NS;
    Simulation::new(World::standard(), end - 2 * WINDOW_NS, end, 120.0, 11)
}

fn collect(simulation: &Simulation, window: i64) -> (HashMap<FiveTuple, Vec<Packet>>, Vec<Truth>) {
    let (mut packets, mut truths) = (HashMap::<_, Vec<_>>::new(), Vec::new());
    for event in simulation.window(window) {
        match event {
            Event::Packet(packet) => packets.entry(packet.five_tuple).or_default().push(packet),
            Event::Connection(truth) => truths.push(truth),
        }
    }
    (packets, truths)
}

/// The packets of a connection, without those of an attempt before.
fn own<'a>(packets: &'a HashMap<FiveTuple, Vec<Packet>>, truth: &Truth) -> &'a [Packet] {
    &packets[&truth.five_tuple][usize::from(truth.after_attempt)..]
}

fn assert_true(simulation: &Simulation) -> Vec<Truth> {
    let mut all = Vec::new();
    let mut tuples = HashSet::new();
    for window in simulation.windows() {
        let (packets, truths) = collect(simulation, window);
        assert_eq!(packets.len(), truths.len(), "one 5-tuple a connection");
        for truth in &truths {
            let rows = own(&packets, truth);
            assert!(tuples.insert(truth.five_tuple), "{} again", truth.five_tuple);
            assert_eq!(classify(rows, (window + 1) * WINDOW_NS), truth.outcome, "{rows:#?}");
            let taken = &rows[..rows.len().min(10)];
            assert_eq!((taken[0].ts, taken[taken.len() - 1].ts), (truth.first_ts, truth.last_ts));
            assert_eq!(taken.len(), usize::from(truth.packets));
        }
        all.extend(truths);
    }
    all
}

#[test]
fn truth_is_what_a_classifier_says() {
    let truths = assert_true(&busy());
    let verdicts: Vec<_> = truths.iter().filter_map(|truth| truth.outcome.verdict()).collect();
    let signatures: HashSet<_> = verdicts.iter().filter_map(|v| v.signature).collect();
    for id in 1..=19 {
        assert!(signatures.contains(&id), "signature {id} never occurs");
    }
    let tags = verdicts.iter().fold(0, |tags, verdict| tags | verdict.tags);
    let (server_rst, mirai, zero_window) = (1 << 16, tag::MIRAI, 1 << 26);
    let all = TAGS.iter().fold(0, |all, (bit, _)| all | 1 << bit);
    assert_eq!(tags | server_rst | mirai | zero_window, all, "all other tags occur");
    assert_eq!(tags & (server_rst | mirai | zero_window), 0);
    for outcome in [Outcome::NoSyn, Outcome::Incomplete] {
        assert!(truths.iter().any(|truth| truth.outcome == outcome), "{outcome:?} never occurs");
    }
    assert!(truths.iter().any(|truth| truth.after_attempt), "ports are never used again");
}

#[test]
fn whole_connections_have_the_same_truth() {
    let (taken, whole) = (busy(), busy().whole_connections());
    assert!(assert_true(&taken) == assert_true(&whole));
    let longest = collect(&whole, whole.windows().start).0.values().map(Vec::len).max();
    assert!(longest > Some(15));
}

/// Incidents have behaviours of their own.
#[test]
fn truth_holds_during_incidents() {
    let end = LAST * WINDOW_NS;
    let simulation = Simulation::new(World::standard(), end - 28 * 96 * WINDOW_NS, end, 8.0, 3);
    for incident in simulation.incidents() {
        let window = incident.from_ns / WINDOW_NS + 4;
        let (packets, truths) = collect(&simulation, window);
        for truth in truths {
            assert_eq!(classify(own(&packets, &truth), (window + 1) * WINDOW_NS), truth.outcome);
        }
    }
}

#[test]
fn earlier_cutoff_makes_silence_too_short() {
    let simulation = busy();
    let window = simulation.windows().start;
    let (packets, truths) = collect(&simulation, window);
    for truth in truths {
        let rows = own(&packets, &truth);
        let end = (window + 1) * WINDOW_NS;
        for cutoff in [truth.last_ts, truth.last_ts + 10_000_000_000, end - 5_000_000_000] {
            let cutoff = cutoff.clamp(truth.last_ts, end);
            assert_eq!(classify(rows, cutoff), truth.outcome_at(cutoff), "{truth:?} {cutoff} {rows:#?}");
        }
    }
}

#[test]
fn tag_names_follow_the_bits() {
    for (tag, name) in
        [(tag::ZMAP, "zmap"), (tag::SYN_RETRANSMITTED, "syn_retransmitted"), (tag::HIGH_TTL, "high_ttl")]
    {
        assert!(TAGS.contains(&(tag.trailing_zeros(), name)));
    }
    let verdict =
        busy().truths().filter_map(|truth| truth.outcome.verdict()).find(|v| v.tags & tag::ZMAP != 0);
    assert!(verdict.unwrap().tag_names().any(|name| name == "zmap"));
}
