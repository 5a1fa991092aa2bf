use std::fmt;

/// The reason why a captured frame is not a usable TCP packet (docs/spec.md#refusals).
///
/// A refusal is meant to be counted, and is never fatal.
///
/// ```
/// use cutshort_packet::{Frame, LinkType, Packet, Refusal};
///
/// // UDP in IPv4.
/// let mut bytes = [0; 28];
/// (bytes[0], bytes[3], bytes[9]) = (0x45, 28, 17);
/// let refusal = Packet::parse(LinkType::Raw, Frame { ts: 0, wire_len: 28, bytes: &bytes }).unwrap_err();
/// assert_eq!(refusal, Refusal::NotTcp);
/// assert_eq!((refusal.name(), refusal.to_string().as_str()), ("not_tcp", "IP, but not TCP"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Refusal {
    /// The frame carries neither IPv4 nor IPv6.
    NotIp,
    /// The IP packet carries another protocol than TCP.
    NotTcp,
    /// The packet is inside labels, a tag or a tunnel that is not read, and may well be TCP.
    Encapsulated,
    /// An IP fragment without a whole TCP header: any but the first, or a first one that is too short.
    Fragment,
    /// The headers contradict themselves or each other, or the captured bytes end before TCP begins.
    Malformed,
    /// The captured bytes end before byte 20 of the TCP header.
    Cut,
    /// The packet belongs to a connection that the host itself opened, as its log prefix says
    /// ([`ORIGIN_PREFIX`](crate::ORIGIN_PREFIX)); such packets are used only when they are received live, where the hook says
    /// who sent them.
    Origin,
    /// No packet: a report of cutshort's rules that they left out connections, as they could not remember more.
    LeftOut,
    /// Of the data set `quic`: the IP packet is neither a UDP datagram with a server port, nor an ICMP error that quotes one.
    NotQuic,
}

impl Refusal {
    /// All reasons, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::NotIp,
        Self::NotTcp,
        Self::Encapsulated,
        Self::Fragment,
        Self::Malformed,
        Self::Cut,
        Self::Origin,
        Self::LeftOut,
        Self::NotQuic,
    ];

    /// Returns the name in data: `not_ip`, `not_tcp`, `encapsulated`, `fragment`, `malformed`, `cut`, `origin`,
    /// `left_out`, `not_quic`.
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
            Self::LeftOut => "left_out",
            Self::NotQuic => "not_quic",
        }
    }

    /// Returns the reason in words, as [`Display`](fmt::Display) writes it.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::NotIp => "neither IPv4 nor IPv6",
            Self::NotTcp => "IP, but not TCP",
            Self::Encapsulated => "inside labels, tags or tunnels that are not read",
            Self::Fragment => "IP fragments without a whole TCP header",
            Self::Malformed => "malformed headers",
            Self::Cut => "cut by the capture before the TCP header was complete",
            Self::Origin => "logged by 'cutshort rules --origin', which are used only as received live",
            Self::LeftOut => "reports of cutshort's rules that connections were left out",
            Self::NotQuic => "IP, but no datagrams of a QUIC port",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.about())
    }
}

impl std::error::Error for Refusal {}
