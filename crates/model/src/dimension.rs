//! Dimensions: properties by which connections are counted.

use cutshort_geo::Country;
use cutshort_verdict::{Signature, Tag, Termination};

/// A property by which connections can be counted, in addition to the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// The tags; a connection is counted once under each of its tags, and not at all if it has none.
    Tag,
    /// The signature that the connection matches, if any.
    Signature,
    /// How the connection ended.
    Termination,
    /// The IP version, 4 or 6.
    IpVersion,
    /// The client's country.
    Location,
    /// The client's network (autonomous system).
    As,
    /// The server's port.
    Port,
    /// The node: the server that captured the connection.
    Node,
}

impl Dimension {
    /// All dimensions, in the order in which they are listed to users.
    pub const ALL: [Self; 8] = [
        Self::Tag,
        Self::Signature,
        Self::Termination,
        Self::IpVersion,
        Self::Location,
        Self::As,
        Self::Port,
        Self::Node,
    ];

    /// The name in data and parameters, such as `ip_version`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Signature => "signature",
            Self::Termination => "termination",
            Self::IpVersion => "ip_version",
            Self::Location => "location",
            Self::As => "as",
            Self::Port => "port",
            Self::Node => "node",
        }
    }

    /// Whether only a verdict has this property. Excluded 5-tuples have no verdict, so no row of such a dimension
    /// counts them.
    #[must_use]
    pub const fn is_of_verdict(self) -> bool {
        matches!(self, Self::Tag | Self::Signature | Self::Termination)
    }
}

/// A value of a [`Dimension`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Everything, if no dimension was requested.
    All,
    /// A tag that the connections have.
    Tag(Tag),
    /// A signature, or none matched.
    Signature(Option<Signature>),
    /// How connections ended.
    Termination(Termination),
    /// 4 or 6.
    IpVersion(u8),
    /// A country, or none is known.
    Location(Option<Country>),
    /// The client's network.
    As(Network),
    /// The server's port.
    Port(Port),
    /// The name of a node.
    Node(String),
}

/// A client's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Network {
    /// No network is known to announce the address.
    Unknown,
    /// An autonomous system, by its AS number.
    As(u32),
    /// One of the networks that had too few connections in the window to be counted by name.
    Other,
}

/// A server's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Port {
    /// A port that is counted by its number.
    Number(u16),
    /// One of the ports that had too few connections in the window to be counted by number.
    Other,
}
