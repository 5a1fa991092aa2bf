use std::net::IpAddr;
use std::ops::Range;

use cutshort_geo::{Continent, Country};
use cutshort_model::{Bucket, ConnectionRecord, Dimension, Network, Port, Value};
use cutshort_verdict::{Signature, Stage, Tag, Tags, Termination, WeightedCount};
use ipnet::IpNet;

use crate::Order;

/// Values that a query includes or excludes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<T> {
    /// If not empty, only these values are selected.
    pub include: Vec<T>,
    /// These values are not selected.
    pub exclude: Vec<T>,
}

impl<T> Default for Choice<T> {
    fn default() -> Self {
        Self { include: Vec::new(), exclude: Vec::new() }
    }
}

impl<T> Choice<T> {
    /// Whether every value is selected.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }
}

impl<T: PartialEq> Choice<T> {
    /// Whether a value is selected. An unknown value is selected unless values are included by name.
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

/// Which connections are selected: those that meet all conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The client's country.
    pub locations: Choice<Country>,
    /// The client's continent.
    pub continents: Choice<Continent>,
    /// The client's AS number. Networks that are counted as `other` are not found by number.
    pub asns: Choice<u32>,
    /// Any of the included tags, and none of the excluded ones.
    pub tags: Choice<Tag>,
    /// The signature that matches.
    pub signatures: Choice<Signature>,
    /// The IP version, 4 or 6.
    pub ip_versions: Choice<u8>,
    /// The server's port. Ports that are counted as `other` are not found by number.
    pub ports: Choice<u16>,
    /// The name of the node.
    pub nodes: Choice<String>,
    /// Whether the client acknowledged data after the handshake (docs/spec.md#answered).
    pub answered: Option<bool>,
    /// Whether the SYN is that of a known scanner (docs/spec.md#scanner).
    pub scanner: Option<HasAny>,
    /// Only connections that completed the handshake (docs/spec.md#completed).
    pub completed: bool,
}

/// Whether a connection has any of some tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HasAny {
    /// The tags.
    pub tags: Tags,
    /// True selects connections with any of them, false those with none.
    pub wanted: bool,
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

    /// The same selection, but of the scanners that it leaves out; none if it does not.
    #[must_use]
    pub fn scanners_left_out(&self) -> Option<Self> {
        let any = self.scanner.filter(|any| !any.wanted)?;
        Some(Self { scanner: Some(HasAny { wanted: true, ..any }), ..self.clone() })
    }

    /// Whether a verdict is selected, by its tags, signature and whether the handshake was completed.
    #[must_use]
    pub fn has_verdict(&self, completed: bool, signature: Option<Signature>, tags: Tags) -> bool {
        let any = |list: &[Tag]| list.iter().any(|tag| tags.contains(*tag));
        (completed || !self.completed)
            && self.answered.is_none_or(|answered| tags.contains(Tag::Answered) == answered)
            && self.scanner.is_none_or(|any| any.tags.intersects(tags) == any.wanted)
            && self.signatures.has(signature.as_ref())
            && (self.tags.include.is_empty() || any(&self.tags.include))
            && !any(&self.tags.exclude)
    }

    /// Whether a connection is selected.
    #[must_use]
    pub fn has_record(&self, record: &ConnectionRecord<'_>) -> bool {
        let is_named = |names: &[String]| names.iter().any(|name| *name == record.node);
        self.has_location(record.location)
            && self.asns.has(record.asn.as_ref())
            && self.has_context(record.ip_version(), Port::Number(record.five_tuple.dst_port))
            && self.has_verdict(record.completed_handshake(), record.signature, record.tags)
            && (self.nodes.include.is_empty() || is_named(&self.nodes.include))
            && !is_named(&self.nodes.exclude)
    }

    /// Whether anything is restricted that only verdicts have, other than place, network, IP version, port and node.
    #[must_use]
    pub const fn is_about_verdicts(&self) -> bool {
        self.completed || self.has_verdict_terms()
    }

    const fn has_verdict_terms(&self) -> bool {
        self.answered.is_some() || self.scanner.is_some() || !(self.tags.is_all() && self.signatures.is_all())
    }

    /// Whether anything is restricted other than place, network and a completed handshake.
    pub const fn is_about_more_than_place(&self) -> bool {
        self.has_verdict_terms() || !(self.ip_versions.is_all() && self.ports.is_all() && self.nodes.is_all())
    }
}

/// A query for counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollupQuery {
    /// From and to, in nanoseconds since the Unix epoch: windows that begin in this range are counted.
    pub range: Range<i64>,
    /// The intervals into which time is divided; none asks for one count of the whole range.
    pub bucket: Option<Bucket>,
    /// The connections to count.
    pub selection: Selection,
    /// The property to count by; none asks for totals.
    pub by: Option<Dimension>,
}

/// The counts of one interval and one value.
#[derive(Clone, Debug, PartialEq)]
pub struct RollupRow {
    /// The start of the interval, or of the range if that is later; in nanoseconds since the Unix epoch.
    pub from: i64,
    /// The value of the dimension, or [`Value::All`] without one.
    pub value: Value,
    /// Connections by stage, in the order of [`Stage::ALL`].
    pub stages: [WeightedCount; Stage::ALL.len()],
    /// 5-tuples that are in no total, in the order of [`Exclusion::ALL`](cutshort_verdict::Exclusion::ALL). Only
    /// restrictions that apply to them are considered: place, network, IP version, port, node. Zero if the query
    /// groups by a property of verdicts (tag, signature, termination).
    pub excluded: [WeightedCount; cutshort_verdict::Exclusion::ALL.len()],
}

impl RollupRow {
    /// The connections of all stages.
    #[must_use]
    pub fn total(&self) -> WeightedCount {
        let mut total = WeightedCount::default();
        self.stages.iter().for_each(|count| total.merge(count));
        total
    }
}

/// The answer to a [`RollupQuery`]. Rows are in order of time; intervals and values with neither a connection nor an
/// exclusion are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RollupAnswer {
    /// One row per interval and value.
    pub rows: Vec<RollupRow>,
    /// Whether networks are counted as `other` in a part of the range.
    pub networks_folded: bool,
    /// Whether ports are counted as `other` in a part of the range.
    pub ports_folded: bool,
}

/// A query for connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionQuery {
    /// From and to, in nanoseconds since the Unix epoch: connections of windows that begin in this range.
    pub range: Range<i64>,
    /// The connections to return, by what cells count them by.
    pub selection: Selection,
    /// Only these stages; all if empty.
    pub stages: Vec<Stage>,
    /// Only these terminations; all if empty.
    pub terminations: Vec<Termination>,
    /// Only clients in these networks; all if empty.
    pub clients: Vec<IpNet>,
    /// Only these servers' addresses; all if empty.
    pub servers: Vec<IpAddr>,
    /// Their order over the whole range.
    pub order: Order,
    /// The number of matching connections to skip.
    pub offset: usize,
    /// The maximum number of connections to return.
    pub limit: usize,
}

impl ConnectionQuery {
    /// Whether anything is restricted that counts by server do not have.
    #[must_use]
    pub const fn needs_connections(&self) -> bool {
        self.selection.is_about_verdicts()
            || !(self.stages.is_empty() && self.terminations.is_empty())
            || !(self.clients.is_empty() && self.servers.is_empty())
    }

    /// Whether a connection of the range is asked for.
    #[must_use]
    pub fn wants(&self, record: &ConnectionRecord<'_>) -> bool {
        let tuple = &record.five_tuple;
        (self.stages.is_empty() || self.stages.contains(&record.stage))
            && (self.terminations.is_empty() || self.terminations.contains(&record.termination))
            && self.selection.has_record(record)
            && (self.clients.is_empty() || self.clients.iter().any(|net| net.contains(&tuple.src())))
            && (self.servers.is_empty() || self.servers.contains(&tuple.dst()))
    }
}
