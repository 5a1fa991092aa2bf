//! Names for what a refused frame carries. None of this runs for TCP packets.

use std::fmt;

use crate::bytes::{u16_at, u32_at};
use crate::ip::UDP;
use crate::link::{
    ETHERTYPE_PPPOE_SESSION, FIRST_ETHERTYPE, PPP_PROTOCOL, Typed, network, null_family, ppp, untagged,
};
use crate::parse::{AUTHENTICATION, FRAGMENT, IPV6_HEADER, PROTOCOL_TCP, extension_header};
use crate::{Frame, LinkType, Refusal};

mod names;

/// The protocol that was found where no TCP packet could be read.
///
/// ```
/// use cutshort_packet::{Frame, LinkType, Packet, Refusal, Unread};
///
/// // An Ethernet frame with LLDP.
/// let mut bytes = [0; 60];
/// bytes[12..14].copy_from_slice(&[0x88, 0xcc]);
/// let frame = Frame { ts: 0, wire_len: 60, bytes: &bytes };
/// let refusal = Packet::parse(LinkType::Ethernet, frame).unwrap_err();
///
/// let unread = Unread::of(LinkType::Ethernet, frame, refusal);
/// assert_eq!(unread, Unread::EtherType(0x88cc));
/// assert_eq!((unread.kind(), unread.number()), ("ethertype", Some(0x88cc)));
/// assert_eq!(unread.to_string(), "LLDP (EtherType 0x88cc)");
/// assert!(!unread.may_hold_tcp() && unread.is_known_other());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unread {
    /// A link type that is not supported, by its number in pcap and pcapng files.
    Link(u32),
    /// An address family other than IPv4 and IPv6, in BSD loopback and the netfilter log.
    Family(u32),
    /// An EtherType, behind any VLAN tags.
    EtherType(u16),
    /// A PPP protocol in PPPoE.
    Ppp(u16),
    /// An 802.3 frame with LLC, by its destination service access point.
    Llc(u8),
    /// An 802.3 frame with LLC and SNAP, by organization and protocol.
    Snap(u32, u16),
    /// An IP protocol by its number in the IANA registry.
    Protocol(u8),
    /// A tunnel over UDP, by its destination port.
    Udp(u16),
    /// GRE, by the EtherType of what it carries.
    Gre(u16),
    /// A frame of a rare link layer that carries no IP packet, or an encrypted one.
    Other,
    /// An IP fragment, see [`Refusal::Fragment`].
    Fragment,
    /// Malformed headers, see [`Refusal::Malformed`].
    Malformed,
    /// A cut TCP header, see [`Refusal::Cut`].
    Cut,
    /// A connection that the host opened, see [`Refusal::Origin`].
    Origin,
    /// The packet is left out on purpose, see [`Refusal::LeftOut`].
    LeftOut,
}

impl Unread {
    /// Finds out what a refused frame carries. `refusal` is what [`Packet::parse`](crate::Packet::parse) returned for it.
    #[must_use]
    #[cold]
    pub fn of(link: LinkType, frame: Frame<'_>, refusal: Refusal) -> Self {
        match refusal {
            Refusal::Fragment => Self::Fragment,
            Refusal::Malformed => Self::Malformed,
            Refusal::Cut => Self::Cut,
            Refusal::Origin => Self::Origin,
            Refusal::LeftOut => Self::LeftOut,
            Refusal::NotIp => below_ip(link, frame.bytes).unwrap_or(Self::Malformed),
            Refusal::NotTcp | Refusal::NotQuic | Refusal::Encapsulated => match network(link, frame.bytes) {
                Ok((_, ip)) => inside_ip(ip).unwrap_or(Self::Malformed),
                Err(_) => below_ip(link, frame.bytes).unwrap_or(Self::Malformed),
            },
        }
    }

    /// Returns true if TCP packets inside are known to be possible; false for encrypted and for unknown protocols.
    #[must_use]
    pub const fn may_hold_tcp(self) -> bool {
        match self {
            Self::Link(_) | Self::Udp(_) | Self::Gre(_) | Self::Origin | Self::LeftOut => true,
            Self::EtherType(ethertype) => holds_packets(ethertype),
            Self::Snap(organization, kind) => {
                organization == 0 && (holds_packets(kind) || matches!(kind, 0x0800 | 0x86dd))
            }
            Self::Ppp(protocol) => matches!(protocol, 0x002d | 0x002f | 0x003d | 0x00fd | 0x0281 | 0x0283),
            Self::Llc(service) => service == 0x06,
            Self::Protocol(protocol) => {
                matches!(protocol, 4 | 41 | 47 | 55 | 94 | 97 | 98 | 108 | 115 | 137 | 143)
            }
            Self::Family(_) | Self::Other | Self::Fragment | Self::Malformed | Self::Cut => false,
        }
    }

    /// Returns the refusal under which it is counted; `None` for [`Link`](Self::Link), which is not parsed at all.
    #[must_use]
    pub const fn refusal(self) -> Option<Refusal> {
        Some(match self {
            Self::Link(_) => return None,
            Self::Fragment => Refusal::Fragment,
            Self::Malformed => Refusal::Malformed,
            Self::Cut => Refusal::Cut,
            Self::Origin => Refusal::Origin,
            Self::LeftOut => Refusal::LeftOut,
            _ if self.may_hold_tcp() => Refusal::Encapsulated,
            Self::Protocol(_) | Self::Udp(_) | Self::Gre(_) => Refusal::NotTcp,
            _ => Refusal::NotIp,
        })
    }

    /// Returns true if it is certain that no TCP packet is inside.
    #[must_use]
    pub fn is_known_other(self) -> bool {
        !matches!(self, Self::Fragment | Self::Malformed | Self::Cut)
            && !self.may_hold_tcp()
            && self.name().is_some_and(|name| !name.contains("encrypted"))
    }

    /// Returns the kind of number as a word for programs: `link_type`, `ethertype`, `ip_protocol`, `udp_port`, `gre`, ...
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Link(_) => "link_type",
            Self::Family(_) => "family",
            Self::EtherType(_) => "ethertype",
            Self::Ppp(_) => "ppp",
            Self::Llc(_) => "llc",
            Self::Snap(..) => "snap",
            Self::Protocol(_) => "ip_protocol",
            Self::Udp(_) => "udp_port",
            Self::Gre(_) => "gre",
            Self::Other => Refusal::NotIp.name(),
            Self::Fragment => Refusal::Fragment.name(),
            Self::Malformed => Refusal::Malformed.name(),
            Self::Cut => Refusal::Cut.name(),
            Self::Origin => Refusal::Origin.name(),
            Self::LeftOut => Refusal::LeftOut.name(),
        }
    }

    /// Returns the number among those of its [`kind`](Self::kind). For SNAP these are three bytes of organization and
    /// two of protocol.
    #[must_use]
    pub fn number(self) -> Option<u64> {
        Some(match self {
            Self::Link(number) | Self::Family(number) => number.into(),
            Self::EtherType(number) | Self::Ppp(number) | Self::Udp(number) | Self::Gre(number) => {
                number.into()
            }
            Self::Llc(number) | Self::Protocol(number) => number.into(),
            Self::Snap(organization, kind) => u64::from(organization) << 16 | u64::from(kind),
            Self::Other | Self::Fragment | Self::Malformed | Self::Cut | Self::Origin | Self::LeftOut => {
                return None;
            }
        })
    }

    /// Returns the name of the protocol, if it is a known one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Link(number) => names::of(&names::LINKS, number),
            Self::EtherType(number) => names::of(&names::ETHERTYPES, number.into()),
            Self::Ppp(number) => names::of(&names::PPP, number.into()),
            Self::Llc(number) => names::of(&names::LLC, number.into()),
            Self::Snap(0, number) | Self::Gre(number) => names::of(&names::CARRIED, number.into())
                .or_else(|| names::of(&names::ETHERTYPES, number.into())),
            Self::Snap(0x00_000c, number) => names::of(&names::CISCO, number.into()),
            Self::Protocol(number) => names::of(&names::PROTOCOLS, number.into()),
            Self::Udp(number) => names::of(&names::UDP, number.into()),
            Self::Family(_) | Self::Snap(..) => None,
            Self::Other => Some(Refusal::NotIp.about()),
            Self::Fragment => Some(Refusal::Fragment.about()),
            Self::Malformed => Some(Refusal::Malformed.about()),
            Self::Cut => Some(Refusal::Cut.about()),
            Self::Origin => Some(Refusal::Origin.about()),
            Self::LeftOut => Some(Refusal::LeftOut.about()),
        }
    }

    /// Returns kind and number as people write them: `EtherType 0x8847`, `UDP port 4789`.
    fn place(self) -> Option<String> {
        Some(match self {
            Self::Link(number) => format!("link type {number}"),
            Self::Family(number) => format!("address family {number}"),
            Self::EtherType(number) => format!("EtherType {number:#06x}"),
            Self::Ppp(number) => format!("PPP protocol {number:#06x}"),
            Self::Llc(number) => format!("LLC {number:#04x}"),
            Self::Snap(0, number) => format!("LLC/SNAP {number:#06x}"),
            Self::Snap(organization, number) => format!("LLC/SNAP {organization:06x}:{number:04x}"),
            Self::Protocol(number) => format!("IP protocol {number}"),
            Self::Udp(number) => format!("UDP port {number}"),
            Self::Gre(number) => format!("GRE {number:#06x}"),
            Self::Other | Self::Fragment | Self::Malformed | Self::Cut | Self::Origin | Self::LeftOut => {
                return None;
            }
        })
    }
}

/// Writes the name if there is one, and the kind and number: `MPLS (EtherType 0x8847)`, `EtherType 0x1234`.
impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self.place()) {
            (Some(name), Some(place)) => write!(f, "{name} ({place})"),
            (Some(text), None) => f.write_str(text),
            (None, place) => f.write_str(&place.unwrap_or_default()),
        }
    }
}

/// Refuses a frame without an IP header, by its EtherType and what follows it.
#[cold]
pub(crate) fn not_ip(ethertype: u16, rest: &[u8]) -> Refusal {
    behind_ethertype((ethertype, rest)).and_then(Unread::refusal).unwrap_or(Refusal::NotIp)
}

/// Refuses an IP packet that carries another protocol than TCP.
#[cold]
pub(crate) fn not_tcp(protocol: u8, payload: &[u8]) -> Refusal {
    transport(protocol, payload).refusal().unwrap_or(Refusal::NotTcp)
}

/// Labels, tags and headers before packets.
const fn holds_packets(ethertype: u16) -> bool {
    matches!(
        ethertype,
        0x22eb
            | 0x22f3
            | 0x4305
            | 0x6558
            | 0x8847
            | 0x8848
            | 0x880b
            | 0x88be
            | 0x88e7
            | 0x8903
            | 0x8909
            | 0x8926
            | 0x893f
            | 0x894f
            | 0x9200
            | 0x9300
            | 0xf1c1
    )
}

/// Names what a frame without an IP header carries, by its link layer.
fn below_ip(link: LinkType, frame: &[u8]) -> Option<Unread> {
    match link {
        LinkType::Ethernet => behind_ethertype(untagged(frame, 12, 14).ok()?),
        LinkType::LinuxSll => behind_ethertype(untagged(frame, 14, 16).ok()?),
        LinkType::LinuxSll2 => behind_ethertype(untagged(frame, 0, 20).ok()?),
        LinkType::Null => null_family(frame).map(Unread::Family),
        LinkType::Loop => u32_at(frame, 0).map(Unread::Family),
        LinkType::Nflog => frame.first().map(|family| Unread::Family(u32::from(*family))),
        LinkType::Raw | LinkType::Ipv4 | LinkType::Ipv6 => None,
        LinkType::Ppp if !matches!(frame.first(), Some(0x0f | 0x8f)) => {
            Some(ppp(frame).map_or(Unread::Other, |(protocol, _)| Unread::Ppp(protocol)))
        }
        link => match link.carried(frame) {
            Some(Ok((link, frame))) => below_ip(link, frame),
            Some(Err(_)) => Some(Unread::Other),
            None => link.ethertype(frame).map_or(Some(Unread::Other), behind_ethertype),
        },
    }
}

fn behind_ethertype((ethertype, rest): Typed<'_>) -> Option<Unread> {
    match ethertype {
        ETHERTYPE_PPPOE_SESSION => u16_at(rest, PPP_PROTOCOL).map(Unread::Ppp),
        0..FIRST_ETHERTYPE => Some(llc(rest)),
        _ => Some(Unread::EtherType(ethertype)),
    }
}

/// LLC (IEEE 802.2), and SNAP behind it (RFC 1042): organization and protocol.
fn llc(rest: &[u8]) -> Unread {
    const SNAP: [u8; 3] = [0xaa, 0xaa, 0x03];
    match (u32_at(rest, 2), u16_at(rest, 6)) {
        (Some(organization), Some(kind)) if rest.starts_with(&SNAP) => {
            Unread::Snap(organization & 0xff_ffff, kind)
        }
        _ => Unread::Llc(rest.first().copied().unwrap_or_default()),
    }
}

/// Names what an IP packet carries; `None` if its headers are cut.
fn inside_ip(ip: &[u8]) -> Option<Unread> {
    carried(ip).map(|(protocol, payload)| transport(protocol, payload))
}

/// The protocol behind all extension and authentication headers of an IP packet, and what it begins with: nothing in later
/// fragments. `None` if the headers are cut.
pub(crate) fn carried(ip: &[u8]) -> Option<(u8, &[u8])> {
    let ip = without_padding(ip)?;
    if ip.first()? >> 4 == 6 {
        let chain = ipv6_chain(ip)?;
        return Some((chain.protocol, chain.payload));
    }
    let header: &[u8; 20] = ip.first_chunk()?;
    let is_first = u16::from_be_bytes([header[6], header[7]]) & 0x1fff == 0;
    let (mut protocol, mut rest) =
        (header[9], ip.get(usize::from(header[0] & 0x0f) * 4..).unwrap_or_default());
    while is_first && protocol == AUTHENTICATION {
        let len = extension_header(protocol, rest).ok()?;
        (protocol, rest) = (*rest.first()?, rest.get(len..)?);
    }
    Some((protocol, if is_first { rest } else { &[] }))
}

/// The captured bytes of an IP packet without what follows it by its length; 0 means unknown. `None` if that is cut.
fn without_padding(ip: &[u8]) -> Option<&[u8]> {
    let len = match ip.first()? >> 4 {
        6 => u16_at(ip, 4).filter(|len| *len > 0).map(|len| IPV6_HEADER + usize::from(len)),
        _ => u16_at(ip, 2).filter(|len| *len > 0).map(usize::from),
    };
    Some(&ip[..len.unwrap_or(ip.len()).min(ip.len())])
}

/// The end of the chain of headers of an IPv6 packet.
pub(crate) struct Chain<'a> {
    /// The first header that is no extension header, and what it begins with; nothing of a later fragment.
    pub(crate) protocol: u8,
    pub(crate) payload: &'a [u8],
    /// Whether more fragments of the packet follow.
    pub(crate) followed: bool,
    /// Whether it is a fragment, and not the first.
    pub(crate) is_later: bool,
}

/// Walks the extension headers of an IPv6 packet; `None` if they are cut.
pub(crate) fn ipv6_chain(ip: &[u8]) -> Option<Chain<'_>> {
    let mut chain =
        Chain { protocol: *ip.get(6)?, payload: ip.get(IPV6_HEADER..)?, followed: false, is_later: false };
    while chain.protocol != PROTOCOL_TCP {
        let Ok(len) = extension_header(chain.protocol, chain.payload) else { break };
        if chain.protocol == FRAGMENT {
            chain.followed = chain.payload.get(3)? & 1 != 0;
        }
        (chain.protocol, chain.payload) = (*chain.payload.first()?, chain.payload.get(len..)?);
    }
    if chain.protocol == FRAGMENT {
        (chain.protocol, chain.payload, chain.is_later) = (*chain.payload.first()?, &[], true);
    }
    Some(chain)
}

fn transport(protocol: u8, payload: &[u8]) -> Unread {
    const GRE: u8 = 47;
    match protocol {
        UDP => udp_tunnel(payload).unwrap_or(Unread::Protocol(UDP)),
        GRE => u16_at(payload, 2).map_or(Unread::Protocol(GRE), Unread::Gre),
        _ => Unread::Protocol(protocol),
    }
}

/// A tunnel by its destination port, if what follows may be its header: other programs use these ports, too.
pub(crate) fn udp_tunnel(datagram: &[u8]) -> Option<Unread> {
    let port = u16_at(datagram, 2)?;
    let body = datagram.get(8..).unwrap_or_default();
    let first = body.first().copied();
    let holds = match port {
        // RFC 7348: the flag that says that there is a network identifier.
        4789 | 8472 | 4790 => first.is_some_and(|flags| flags & 0x08 != 0),
        // RFC 8926: version 0, then the EtherType of what is inside.
        6081 => first.is_some_and(|first| first >> 6 == 0) && matches!(u16_at(body, 2), Some(0x0600..)),
        // 3GPP TS 29.281: version 1, and the message that carries a packet.
        2152 => first.is_some_and(|first| first >> 4 == 3) && body.get(1) == Some(&0xff),
        // RFC 4380: IPv6, behind an indication of origin or authentication if there is one.
        3544 => first.is_some_and(|first| first >> 4 == 6) || matches!(u16_at(body, 0), Some(0 | 1)),
        // RFC 2661: data, version 2.
        1701 => u16_at(body, 0).is_some_and(|flags| flags & 0x800f == 2),
        // TZSP, version 1: a received packet.
        37008 => body.starts_with(&[1, 0]),
        // RFC 7510 and RFC 8086: a label, and a GRE header of version 0.
        6635 => body.len() > 4,
        4754 => u16_at(body, 0).is_some_and(|flags| flags & 0x0007 == 0),
        _ => false,
    };
    holds.then_some(Unread::Udp(port))
}
