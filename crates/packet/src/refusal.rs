use std::fmt;

/// Why captured bytes are no TCP packet that cutshort can use. Always counted, never fatal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Refusal {
    /// Neither IPv4 nor IPv6.
    NotIp,
    /// IP, but another protocol than TCP.
    NotTcp,
    /// Labels, a tag or a tunnel that is not read. The packets inside may well be TCP.
    Encapsulated,
    /// A fragment that lacks a whole TCP header: one other than the first, or a first one that is too short.
    Fragment,
    /// Headers that contradict themselves or each other, or end before TCP begins.
    Malformed,
    /// The capture ends before byte 20 of the TCP header.
    Cut,
    /// Logged by the rules for connections that a host opens, where its peers answer: these cannot be classified yet.
    Origin,
}

impl Refusal {
    /// All reasons, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::NotIp,
        Self::NotTcp,
        Self::Encapsulated,
        Self::Fragment,
        Self::Malformed,
        Self::Cut,
        Self::Origin,
    ];

    /// The reason's name in data: `not_ip`, `not_tcp`, `encapsulated`, `fragment`, `malformed`, `cut`,
    /// `origin`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotIp => "not_ip",
            Self::NotTcp => "not_tcp",
            Self::Encapsulated => "encapsulated",
            Self::Fragment => "fragment",
            Self::Malformed => "malformed",
            Self::Cut => "cut",
            Self::Origin => "origin",
        }
    }

    /// The reason in words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::NotIp => "neither IPv4 nor IPv6",
            Self::NotTcp => "IP, but not TCP",
            Self::Encapsulated => "inside labels, tags or tunnels that are not read",
            Self::Fragment => "IP fragments without a whole TCP header",
            Self::Malformed => "malformed headers",
            Self::Cut => "cut by the capture before the TCP header was complete",
            Self::Origin => "logged by 'cutshort rules --origin', which cannot be classified yet",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.about())
    }
}

impl std::error::Error for Refusal {}
