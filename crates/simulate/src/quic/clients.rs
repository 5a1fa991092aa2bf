//! QUIC clients of the networks of a world, over a range of time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use cutshort_packet::FiveTuple;
use cutshort_packet::quic::{Datagram as Row, HashKey};

use super::{Connection, MS, Story};
use crate::profile::Rhythm;
use crate::rng::Rng;
use crate::simulation::WINDOW_NS;
use crate::world::{Network, World};

/// The longest story, with the silence after it: connections begin early enough for it.
const LONGEST: i64 = 30_000 * MS;
/// Windows in a day.
const DAY: i64 = 96;
/// One in so many networks loses what its clients send after the first datagram, all the time.
const LOSSY: usize = 17;

/// Clients, and what becomes of their connections.
///
/// The truth holds for captures of the clients' datagrams. A connection ends in the window in which it begins.
#[derive(Clone, Debug)]
pub struct Clients {
    world: World,
    windows: Range<i64>,
    per_window: u64,
    seed: u64,
    sample_rate: u32,
}

impl Clients {
    /// The maximum number of connections in a window: each has a port of its own.
    pub const MOST: u64 = 20_000;

    /// Clients in the networks of a world between two times (nanoseconds since the Unix epoch), widened to whole windows, with so many
    /// connections in each window.
    #[must_use]
    pub fn new(world: &World, from_ns: i64, to_ns: i64, per_window: u64, seed: u64) -> Self {
        let first = from_ns.div_euclid(WINDOW_NS);
        let last = to_ns.div_euclid(WINDOW_NS) + i64::from(to_ns.rem_euclid(WINDOW_NS) > 0);
        let windows = first..last.max(first);
        Self { world: world.clone(), windows, per_window, seed, sample_rate: 1 }
    }

    /// Sets the `sample_rate` of all rows.
    #[must_use]
    pub const fn sample_rate(mut self, n: u32) -> Self {
        self.sample_rate = n;
        self
    }

    /// The windows of the range: number `k` begins at `k` times [`WINDOW_NS`].
    #[must_use]
    pub fn windows(&self) -> Range<i64> {
        self.windows.clone()
    }

    /// The connections of a window, in order of their beginnings.
    #[must_use]
    pub fn connections(&self, window: i64) -> Vec<Connection> {
        let mut rng = Rng::new(self.seed ^ 0x9c1c, window as u64);
        let room = (WINDOW_NS - LONGEST) as u64;
        let mut starts: Vec<i64> = (0..self.per_window).map(|_| rng.below(room) as i64).collect();
        starts.sort_unstable();
        let one = |(at, start)| self.connection(window, (at, window * WINDOW_NS + start), &mut rng);
        (0..).zip(starts).map(one).collect()
    }

    fn connection(&self, window: i64, (at, start): (u64, i64), rng: &mut Rng) -> Connection {
        let (position, network) = self.network(rng);
        let v6 = rng.permille(network.behaviour.ipv6_share());
        let client = network.address(v6, rng.next_u64(), network.behaviour.hosts());
        // Ports differ within a window and from those of the window before.
        let port = 20_000 + (window.rem_euclid(2) as u64 * Self::MOST + at % Self::MOST) as u16;
        let server = server(v6, rng.between(1, 3) as u8);
        let five_tuple = FiveTuple::new(client.to_canonical(), port, server, 443);
        let story = self.story(position, window, rng);
        Connection::play(story, five_tuple, Rng::new(rng.next_u64(), at), start)
    }

    /// A network by its weight; those of scanners have no QUIC clients.
    fn network(&self, rng: &mut Rng) -> (usize, &Network) {
        let networks = self.world.networks();
        let people = |network: &Network| network.behaviour.rhythm() == Rhythm::People;
        let all =
            networks.iter().filter(|network| people(network)).map(|network| u64::from(network.weight)).sum();
        let mut chosen = rng.below(all);
        let mut candidates = networks.iter().enumerate().filter(|(_, network)| people(network));
        let found = candidates.find(|(_, network)| {
            let is_chosen = chosen < u64::from(network.weight);
            chosen = chosen.saturating_sub(network.weight.into());
            is_chosen
        });
        found.unwrap_or((0, &networks[0]))
    }

    /// What becomes of a connection of a network: most are ordinary. Some networks lose datagrams, and a flood came yesterday for an
    /// hour.
    fn story(&self, position: usize, window: i64, rng: &mut Rng) -> Story {
        let before_end = self.windows.end - window;
        if (DAY..DAY + 4).contains(&before_end) && rng.permille(500) {
            return Story::Flood;
        }
        if position % LOSSY == LOSSY - 1 && rng.permille(300) {
            return if rng.permille(600) { Story::Unanswered } else { Story::CutAfterHello };
        }
        match rng.below(1000) {
            0..720 => Story::Completed,
            720..880 => Story::ZeroRtt,
            880..910 => Story::Retried,
            910..950 => Story::Unanswered,
            950..960 => Story::CutAfterHello,
            960..980 => Story::Unconfirmed,
            980..995 => Story::VersionScanner,
            _ => Story::Flood,
        }
    }

    /// The rows of a window, in order of time.
    #[must_use]
    pub fn rows(&self, window: i64) -> Vec<Row> {
        // Simulated ids need no secret.
        let key = HashKey::new(*b"cutshort simulat");
        let of_one = |connection: &Connection| connection.rows(&key).collect::<Vec<_>>();
        let mut rows: Vec<Row> = self.connections(window).iter().flat_map(of_one).collect();
        rows.iter_mut().for_each(|row| row.sample_rate = self.sample_rate);
        rows.sort_by_key(|row| row.ts);
        rows
    }
}

fn server(v6: bool, number: u8) -> IpAddr {
    match v6 {
        false => Ipv4Addr::new(203, 0, 113, number).into(),
        true => Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, number.into()).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn a_window_has_its_own_connections_and_all_stories() {
        let world = World::standard();
        let windows = 2_000_000..2_000_000 + 2 * DAY;
        let clients = Clients::new(&world, windows.start * WINDOW_NS, windows.end * WINDOW_NS, 120, 1);
        let mut stories: BTreeMap<String, usize> = BTreeMap::new();
        let mut before: BTreeSet<FiveTuple> = BTreeSet::new();
        for window in clients.windows() {
            let connections = clients.connections(window);
            assert_eq!(connections, clients.connections(window));
            let range = window * WINDOW_NS..(window + 1) * WINDOW_NS - 20_000 * MS;
            let inside =
                |connection: &Connection| connection.datagrams.iter().all(|one| range.contains(&one.ts));
            assert!(connections.iter().all(inside), "and 20 seconds of silence");
            let ports: BTreeSet<FiveTuple> =
                connections.iter().map(|connection| connection.five_tuple).collect();
            assert_eq!(ports.len(), 120);
            assert!(ports.is_disjoint(&before));
            before = ports;
            for connection in &connections {
                assert!(world.network_of(connection.five_tuple.src()).is_some());
                *stories.entry(format!("{:?}", connection.story)).or_default() += 1;
            }
        }
        assert_eq!(stories.len(), Story::ALL.len(), "{stories:?}");
        assert!(stories["Completed"] > stories.values().sum::<usize>() / 2, "{stories:?}");
    }
}
