//! Cells: the counts of one window by every combination of properties that queries can select.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use cutshort_geo::Country;
use cutshort_model::{Network, Port};
use cutshort_verdict::{Exclusion, Signature, Stage, Tags, Termination, WeightedCount};
use foldhash::fast::FixedState;

pub mod packed;
mod servers;

pub use servers::{ServerCell, ServerKey};

use packed::{Group, Packed};

/// What a cell counts: all connections with the same values of these fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CellKey {
    /// The client's country, if it is known.
    pub location: Option<Country>,
    /// The client's network.
    pub network: Network,
    /// The IP version, 4 or 6.
    pub ip_version: u8,
    /// The server's port.
    pub port: Port,
    /// The node that captured it: an index into [`Cells::nodes`].
    pub node: u16,
    /// The verdict, or why there is none.
    pub outcome: CellOutcome,
}

/// The verdict of connections, or why 5-tuples have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CellOutcome {
    /// Connections, which are part of the totals.
    Connection {
        /// Where they were cut short.
        stage: Stage,
        /// How the connections ended.
        termination: Termination,
        /// Whether the handshake was completed (docs/spec.md#completed).
        completed: bool,
        /// The signature that they match.
        signature: Option<Signature>,
        /// The tags that all of them have.
        tags: Tags,
    },
    /// 5-tuples that are excluded from all totals.
    Excluded(Exclusion),
}

/// How many networks, ports and servers a window counts by name; all others are counted as `other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The number of networks, those with the most connections first.
    pub networks: usize,
    /// The number of ports, those with the most connections first.
    pub ports: usize,
    /// The number of servers of the data set `origin`, those with the most connections first.
    pub servers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { networks: 5_000, ports: 32, servers: 5_000 }
    }
}

/// The cells of one window, or of a part of it.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    /// Packets arrive sorted by source address, so those of one place are close together in time. Grouping keeps them
    /// close together in memory.
    groups: HashMap<Group, GroupCounts, FixedState>,
    nodes: Vec<String>,
    /// The same connections by server, of the data set `origin` (docs/origin.md).
    servers: HashMap<ServerKey, ServerCell, FixedState>,
}

type GroupCounts = HashMap<Packed, WeightedCount, FixedState>;

/// The index of the last node that is counted by name; further nodes are counted under it.
pub const LAST_NODE: u16 = u16::MAX;
/// The name at index [`LAST_NODE`].
pub const LAST_NODE_NAME: &str = "other";

impl Cells {
    /// Returns the index of a node's name, which is added if it is new. All names after the first 65,535 are counted
    /// as `other`.
    pub fn node(&mut self, name: &str) -> u16 {
        if let Some(known) = self.nodes.iter().position(|known| known == name) {
            return known as u16;
        }
        let position = self.nodes.len().min(usize::from(LAST_NODE));
        if position == self.nodes.len() {
            self.nodes
                .push(if position == usize::from(LAST_NODE) { LAST_NODE_NAME } else { name }.to_owned());
        }
        position as u16
    }

    /// The names of the nodes, by index.
    #[must_use]
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// Adds one 5-tuple that stands for `sample_rate` of them.
    #[inline]
    pub fn add(&mut self, key: CellKey, sample_rate: u32) {
        self.count(Packed::from(&key)).add(sample_rate);
    }

    /// Adds the count of a whole cell.
    #[inline]
    pub fn add_count(&mut self, key: CellKey, count: &WeightedCount) {
        self.count(Packed::from(&key)).merge(count);
    }

    #[inline]
    fn count(&mut self, packed: Packed) -> &mut WeightedCount {
        self.groups.entry(packed.group()).or_default().entry(packed).or_default()
    }

    /// Adds all cells of another value, whose nodes may have other indexes.
    pub fn merge(&mut self, other: &Self) {
        let positions: Vec<u16> = other.nodes.iter().map(|name| self.node(name)).collect();
        for (packed, count) in other.packed() {
            // A position without a name is not ours to change.
            let node = positions.get(usize::from(packed.node())).copied().unwrap_or(packed.node());
            self.count(packed.with_node(node)).merge(&count);
        }
        for (key, cell) in &other.servers {
            let node = positions.get(usize::from(key.node)).copied().unwrap_or(key.node);
            self.server(ServerKey { node, ..*key }).merge(cell);
        }
    }

    /// Counts networks, ports and servers beyond the limits as `other`. Those with the most connections (sampled) keep their
    /// number or address; among equals, those with the lower one.
    #[must_use]
    pub fn fold(mut self, limits: &Limits) -> Self {
        self.servers = servers::fold(self.servers, limits.servers);
        let networks = self.beyond(Packed::as_number, limits.networks);
        let ports = self.beyond(Packed::port_number, limits.ports);
        if networks.is_empty() && ports.is_empty() {
            return self;
        }
        let mut folded = Self::default();
        for (mut packed, count) in self.packed() {
            if packed.as_number().is_some_and(|number| networks.contains(&number)) {
                packed = packed.with_network(Network::Other);
            }
            if packed.port_number().is_some_and(|number| ports.contains(&number)) {
                packed = packed.with_port(Port::Other);
            }
            folded.count(packed).merge(&count);
        }
        Self { nodes: self.nodes, servers: self.servers, ..folded }
    }

    /// The counts of a server.
    pub fn server(&mut self, key: ServerKey) -> &mut ServerCell {
        self.servers.entry(key).or_default()
    }

    /// All servers, in any order; none in other data sets than `origin`.
    pub fn servers(&self) -> impl ExactSizeIterator<Item = (&ServerKey, &ServerCell)> {
        self.servers.iter()
    }

    /// The numbers that are not among the `limit` ones with the most connections.
    fn beyond(&self, number: fn(Packed) -> Option<u32>, limit: usize) -> HashSet<u32, FixedState> {
        let mut sums: HashMap<u32, u64, FixedState> = HashMap::default();
        for (packed, count) in self.packed() {
            if let Some(number) = number(packed) {
                *sums.entry(number).or_default() += if packed.is_connection() { count.sampled } else { 0 };
            }
        }
        if sums.len() <= limit {
            return HashSet::default();
        }
        let mut ranked: Vec<(u32, u64)> = sums.into_iter().collect();
        ranked.sort_unstable_by_key(|&(number, sampled)| (Reverse(sampled), number));
        ranked.into_iter().skip(limit).map(|(number, _)| number).collect()
    }

    /// All cells, in any order.
    pub fn iter(&self) -> impl Iterator<Item = (CellKey, WeightedCount)> {
        self.packed().map(|(packed, count)| (packed.key(), count))
    }

    /// The number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.values().map(HashMap::len).sum()
    }

    /// Whether nothing has been counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// All cells, packed, in no order.
    pub fn packed(&self) -> impl Iterator<Item = (Packed, WeightedCount)> {
        self.groups.values().flatten().map(|(packed, count)| (*packed, *count))
    }
}

#[cfg(test)]
mod tests;
