use std::net::IpAddr;
use std::ops::Range;

use cutshort_geo::{Continent, Country};
use cutshort_model::{Bucket, Dimension, Network, Port, Value};
use cutshort_verdict::{Signature, Stage, Tag, Tags, Termination, WeightedCount};
use ipnet::IpNet;

/// Values that are asked for, or asked to be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<T> {
    /// If there are any, only these.
    pub include: Vec<T>,
    /// None of these.
    pub exclude: Vec<T>,
}

impl<T> Default for Choice<T> {
    fn default() -> Self {
        Self { include: Vec::new(), exclude: Vec::new() }
    }
}

impl<T> Choice<T> {
    /// Whether all values are welcome.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }
}

impl<T: PartialEq> Choice<T> {
    /// Whether a value was asked for. An unknown value is only where nothing is included by name.
    #[must_use]
    pub fn has(&self, value: Option<&T>) -> bool {
        match value {
            Some(value) => {
                (self.include.is_empty() || self.include.contains(value)) && !self.exclude.contains(value)
            }
            None => self.include.is_empty(),
        }
    }
}

/// Which connections are asked for: those for which everything holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The client's country.
    pub locations: Choice<Country>,
    /// The client's continent.
    pub continents: Choice<Continent>,
    /// The client's network. Networks that were folded into `other` are not found by number.
    pub asns: Choice<u32>,
    /// Any of these tags, none of those.
    pub tags: Choice<Tag>,
    /// The signature.
    pub signatures: Choice<Signature>,
    /// 4, 6.
    pub ip_versions: Choice<u8>,
    /// The server's port. Ports that were folded into `other` are not found by number.
    pub ports: Choice<u16>,
    /// The server's name.
    pub nodes: Choice<String>,
    /// Whether the client has acknowledged something beyond the handshake (docs/spec.md#answered).
    pub answered: Option<bool>,
    /// Only connections that completed the handshake (docs/spec.md#completed).
    pub completed: bool,
}

impl Selection {
    /// Whether a place is selected, by country and continent.
    #[must_use]
    pub fn has_location(&self, location: Option<Country>) -> bool {
        let continent = location.map(Country::continent);
        self.locations.has(location.as_ref()) && self.continents.has(continent.as_ref())
    }

    /// Whether a network is selected.
    #[must_use]
    pub fn has_network(&self, network: Network) -> bool {
        match network {
            Network::As(number) => self.asns.has(Some(&number)),
            Network::Unknown | Network::Other => self.asns.has(None),
        }
    }

    /// Whether an IP version and a port are selected.
    #[must_use]
    pub fn has_context(&self, ip_version: u8, port: Port) -> bool {
        let number = match port {
            Port::Number(number) => Some(number),
            Port::Other => None,
        };
        self.ip_versions.has(Some(&ip_version)) && self.ports.has(number.as_ref())
    }

    /// Whether what a connection was judged to be is selected.
    #[must_use]
    pub fn has_verdict(&self, completed: bool, signature: Option<Signature>, tags: Tags) -> bool {
        let any = |list: &[Tag]| list.iter().any(|tag| tags.contains(*tag));
        (completed || !self.completed)
            && self.answered.is_none_or(|answered| tags.contains(Tag::Answered) == answered)
            && self.signatures.has(signature.as_ref())
            && (self.tags.include.is_empty() || any(&self.tags.include))
            && !any(&self.tags.exclude)
    }

    /// Whether something besides place, network and a complete handshake matters.
    pub const fn is_about_more_than_place(&self) -> bool {
        !(self.answered.is_none()
            && self.tags.is_all()
            && self.signatures.is_all()
            && self.ip_versions.is_all()
            && self.ports.is_all()
            && self.nodes.is_all())
    }
}

/// Counts that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollupQuery {
    /// From and to, in nanoseconds since the Unix epoch: the windows that begin within.
    pub range: Range<i64>,
    /// Cut time into these; none gives one count of the whole range.
    pub bucket: Option<Bucket>,
    /// Which connections.
    pub selection: Selection,
    /// Told apart by this.
    pub by: Option<Dimension>,
}

/// Counts of one piece of time and one value.
#[derive(Clone, Debug, PartialEq)]
pub struct RollupRow {
    /// The beginning of the bucket, or of the range if that is later.
    pub from: i64,
    /// The value.
    pub value: Value,
    /// Connections by stage, in the order of [`Stage::ALL`].
    pub stages: [WeightedCount; Stage::ALL.len()],
    /// 5-tuples that are in no total, in the order of [`Exclusion::ALL`](cutshort_verdict::Exclusion::ALL).
    /// Only restrictions that can be known of them apply: place, network, IP version, port, server. Told
    /// apart by what only a verdict has (tag, signature, termination), there are none.
    pub excluded: [WeightedCount; cutshort_verdict::Exclusion::ALL.len()],
}

impl RollupRow {
    /// All connections.
    #[must_use]
    pub fn total(&self) -> WeightedCount {
        let mut total = WeightedCount::default();
        self.stages.iter().for_each(|count| total.merge(count));
        total
    }
}

/// The counts, by time, then in any order. Pieces of time and values with neither
/// a connection nor an exclusion are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RollupAnswer {
    /// The counts.
    pub rows: Vec<RollupRow>,
    /// Whether networks were folded into `other` somewhere in the range.
    pub networks_folded: bool,
    /// Whether ports were folded into `other` somewhere in the range.
    pub ports_folded: bool,
}

/// Single connections that are asked for, the latest window first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionQuery {
    /// From and to, in nanoseconds since the Unix epoch: whole windows.
    pub range: Range<i64>,
    /// Which connections.
    pub selection: Selection,
    /// Only these stages; all if empty.
    pub stages: Vec<Stage>,
    /// Only these terminations; all if empty.
    pub terminations: Vec<Termination>,
    /// Only clients in these networks; all if empty.
    pub clients: Vec<IpNet>,
    /// Only these servers' addresses; all if empty.
    pub servers: Vec<IpAddr>,
    /// How many to pass over.
    pub offset: usize,
    /// How many at most.
    pub limit: usize,
}
