//! What connections are counted by.

use cutshort_geo::Country;
use cutshort_verdict::{Signature, Tag, Termination};

/// By what connections can be counted, besides the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Tags; a connection counts under each of its tags, and under none without any.
    Tag,
    /// Signatures.
    Signature,
    /// How connections ended.
    Termination,
    /// 4 and 6.
    IpVersion,
    /// Countries.
    Location,
    /// Networks.
    As,
    /// Server ports.
    Port,
    /// Servers.
    Node,
}

impl Dimension {
    /// All dimensions.
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

    /// The name in data and parameters.
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

    /// Whether only a verdict has it: exclusions are then in no row.
    #[must_use]
    pub const fn is_of_verdict(self) -> bool {
        matches!(self, Self::Tag | Self::Signature | Self::Termination)
    }
}

/// A value of a [`Dimension`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Everything; no dimension was asked for.
    All,
    /// A tag.
    Tag(Tag),
    /// A signature, or none.
    Signature(Option<Signature>),
    /// How connections ended.
    Termination(Termination),
    /// 4 or 6.
    IpVersion(u8),
    /// A country, or none known.
    Location(Option<Country>),
    /// A network.
    As(Network),
    /// A port.
    Port(Port),
    /// A server.
    Node(String),
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
