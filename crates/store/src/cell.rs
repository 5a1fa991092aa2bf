//! Counts of one window by everything that can be asked for.

use cutshort_geo::Country;
use cutshort_verdict::{Count, Exclusion, Signature, Stage, Tags, Termination};

/// What a cell counts: all connections that agree in these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Where the client is.
    pub location: Option<Country>,
    /// The client's network.
    pub network: Network,
    /// 4 or 6.
    pub ip_version: u8,
    /// The server's port.
    pub port: Port,
    /// Which server saw it: a position in [`Cells::nodes`](Cells).
    pub node: u16,
    /// What it was judged to be.
    pub outcome: Outcome,
}

/// A client's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Network {
    /// Nobody is known to announce the address.
    Unknown,
    /// The number of an autonomous system.
    As(u32),
    /// One of the networks that had too few connections in the window to be counted by name.
    Other,
}

/// A server's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Port {
    /// Its number.
    Number(u16),
    /// One of the ports that had too few connections in the window to be counted by number.
    Other,
}

/// What 5-tuples were judged to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Connections, which are in the totals.
    Connection {
        /// Where they were cut short.
        stage: Stage,
        /// How they ended.
        termination: Termination,
        /// Whether the handshake was completed (SPEC 9).
        completed: bool,
        /// The signature that they match.
        signature: Option<Signature>,
        /// Their tags.
        tags: Tags,
    },
    /// In no total.
    Excluded(Exclusion),
}

/// How many networks and ports a window counts by name; the rest is `other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Networks, those with most connections first.
    pub networks: usize,
    /// Ports, those with most connections first.
    pub ports: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { networks: 5_000, ports: 32 }
    }
}

/// The cells of one window, or of several parts of it.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    // Filled in by the implementation: a hash map from Key to Count and the names of the nodes.
    _private: (),
}

impl Cells {
    /// The position of a node's name, which is added if it is new.
    pub fn node(&mut self, _name: &str) -> u16 {
        unimplemented!()
    }

    /// Adds one 5-tuple that stands for `sample_rate`.
    pub fn add(&mut self, _key: Key, _sample_rate: u32) {
        unimplemented!()
    }

    /// Adds all of another's, whose nodes may have other positions.
    pub fn merge(&mut self, _other: &Self) {
        unimplemented!()
    }

    /// Puts networks and ports beyond the limits together as `other`.
    #[must_use]
    pub fn fold(self, _limits: &Limits) -> Self {
        unimplemented!()
    }

    /// All cells.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Count)> {
        std::iter::empty()
    }
}
