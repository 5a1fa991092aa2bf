//! Simulated QUIC connections get the verdicts that are true of them, each alone and all together.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use cutshort_packet::quic::{HashKey, Udp};
use cutshort_simulate::World;
use cutshort_simulate::quic::{Clients, Connection, Story};
use cutshort_verdict::{DataSet, Outcome, Rules, Tag, Tracker};

const SECOND: i64 = 1_000_000_000;
const START: i64 = 2_000_000 * 900 * SECOND;

/// Reads connections in the order of time, and a record a minute after the last.
fn outcomes(connections: &[Connection]) -> HashMap<String, Outcome> {
    let mut datagrams: Vec<_> = connections
        .iter()
        .flat_map(|connection| connection.datagrams.iter().map(|datagram| (connection.five_tuple, datagram)))
        .collect();
    datagrams.sort_by_key(|(_, datagram)| datagram.ts);
    let mut tracker = Tracker::new(Rules::of(DataSet::Quic));
    for (five_tuple, datagram) in &datagrams {
        let (ts, captured) = (datagram.ts, &datagram.payload[..]);
        let udp =
            Udp { ts, five_tuple: *five_tuple, ip_id: 7, ttl: 60, len: captured.len() as u16, captured };
        assert!(!tracker.record(ts, None));
        tracker.add_datagram(&udp.row(&HashKey::new([3; 16])));
    }
    assert!(!tracker.record(datagrams.last().unwrap().1.ts + 60 * SECOND, None));
    let mut outcomes = HashMap::new();
    for window in tracker.finish() {
        window.for_each(|five_tuple, outcome, _| {
            assert!(outcomes.insert(five_tuple.to_string(), *outcome).is_none());
        });
    }
    outcomes
}

fn check(connection: &Connection, outcome: &Outcome) {
    let story = connection.story;
    let names = outcome
        .as_ref()
        .map_err(|exclusion| exclusion.name())
        .map(|verdict| (DataSet::Quic.stage_name(verdict.stage), verdict.termination.name()));
    assert_eq!(names, story.truth(), "{story:?}");
    let Ok(verdict) = outcome else { return };
    let tags: Vec<_> = verdict.tags.iter(DataSet::Quic).map(Tag::name).collect();
    let without: Vec<_> = tags.iter().copied().filter(|tag| *tag != verdict.termination.name()).collect();
    assert_eq!(without, story.tags(), "{story:?}");
}

#[test]
fn stories_have_their_verdicts() {
    for story in Story::ALL {
        for seed in 0..50 {
            let connection = Connection::of(story, seed, START);
            let outcomes = outcomes(std::slice::from_ref(&connection));
            check(&connection, &outcomes[&connection.five_tuple.to_string()]);
        }
    }
}

#[test]
fn connections_do_not_change_each_other() {
    let stories = Story::ALL.into_iter().cycle().zip(0..2000);
    let all: Vec<Connection> =
        stories.map(|(story, seed)| Connection::of(story, seed, START + seed as i64 * SECOND / 20)).collect();
    let outcomes = outcomes(&all);
    assert_eq!(outcomes.len(), all.len());
    for connection in &all {
        check(connection, &outcomes[&connection.five_tuple.to_string()]);
    }
}

#[test]
fn clients_of_a_world_are_told_as_they_are() {
    let windows = START..START + 900 * SECOND;
    let clients = Clients::new(&World::standard(), windows.start, windows.end, 1200, 3);
    let all: Vec<Connection> = clients.windows().flat_map(|window| clients.connections(window)).collect();
    assert_eq!(all.len(), 1200);
    let outcomes = outcomes(&all);
    assert_eq!(outcomes.len(), all.len());
    for connection in &all {
        check(connection, &outcomes[&connection.five_tuple.to_string()]);
    }
}
