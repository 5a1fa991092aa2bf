//! Link layers: from a captured frame to its IP header.

use crate::bytes::{u16_at, u32_at};
use crate::family::{Family, Network};
use crate::{Refusal, nflog, unread};

/// What a captured frame begins with (<https://www.tcpdump.org/linktypes.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum LinkType {
    /// BSD loopback (`NULL`, 0): a protocol family in the byte order of the capturing machine.
    Null,
    /// Ethernet (`EN10MB`, 1).
    Ethernet,
    /// IPv4 or IPv6 without a link layer (`RAW`, 101; 12 and 14 in old captures).
    Raw,
    /// OpenBSD loopback (`LOOP`, 108): a protocol family in network byte order.
    Loop,
    /// Linux "cooked" capture (`LINUX_SLL`, 113).
    LinuxSll,
    /// IPv4 without a link layer (`IPV4`, 228).
    Ipv4,
    /// IPv6 without a link layer (`IPV6`, 229).
    Ipv6,
    /// Linux netfilter log (`NFLOG`, 239).
    Nflog,
    /// Linux "cooked" capture, version 2 (`LINUX_SLL2`, 276).
    LinuxSll2,
}

impl LinkType {
    /// Every link type that can be parsed.
    pub const ALL: [Self; 9] = [
        Self::Null,
        Self::Ethernet,
        Self::Raw,
        Self::Loop,
        Self::LinuxSll,
        Self::Ipv4,
        Self::Ipv6,
        Self::Nflog,
        Self::LinuxSll2,
    ];

    /// The link type of a number in a pcap or pcapng file; `None` if it is not supported.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Null,
            1 => Self::Ethernet,
            12 | 14 | 101 => Self::Raw,
            108 => Self::Loop,
            113 => Self::LinuxSll,
            228 => Self::Ipv4,
            229 => Self::Ipv6,
            239 => Self::Nflog,
            276 => Self::LinuxSll2,
            _ => return None,
        })
    }

    /// The name in the registry of link types.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Ethernet => "EN10MB",
            Self::Raw => "RAW",
            Self::Loop => "LOOP",
            Self::LinuxSll => "LINUX_SLL",
            Self::Ipv4 => "IPV4",
            Self::Ipv6 => "IPV6",
            Self::Nflog => "NFLOG",
            Self::LinuxSll2 => "LINUX_SLL2",
        }
    }
}

/// Walks the link layer of `frame` up to its IP header.
#[inline(always)]
pub(crate) fn network(link: LinkType, frame: &[u8]) -> Result<Network<'_>, Refusal> {
    match link {
        LinkType::Ethernet => by_ethertype(untagged(frame, 12, 14)?),
        LinkType::Raw => Ok((Family::Either, frame)),
        LinkType::Ipv4 => Ok((Family::Ipv4, frame)),
        LinkType::Ipv6 => Ok((Family::Ipv6, frame)),
        LinkType::Null => bsd_family(frame, null_family(frame).ok_or(Refusal::Malformed)?),
        LinkType::Loop => bsd_family(frame, u32_at(frame, 0).ok_or(Refusal::Malformed)?),
        LinkType::LinuxSll => by_ethertype(untagged(frame, 14, 16)?),
        LinkType::LinuxSll2 => by_ethertype(untagged(frame, 0, 20)?),
        LinkType::Nflog => nflog::network(frame),
    }
}

/// The family is written in the byte order of the capturing machine, which the frame does not
/// tell; but no family is above 255, so only one reading can be meant.
pub(crate) fn null_family(frame: &[u8]) -> Option<u32> {
    let family = u32_at(frame, 0)?;
    Some(if family > 0xff { family.swap_bytes() } else { family })
}

/// AF_INET is 2 everywhere; AF_INET6 is 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS and
/// 10 on Linux.
fn bsd_family(frame: &[u8], family: u32) -> Result<Network<'_>, Refusal> {
    match family {
        2 => Ok((Family::Ipv4, &frame[4..])),
        10 | 24 | 28 | 30 => Ok((Family::Ipv6, &frame[4..])),
        _ => Err(Refusal::NotIp),
    }
}

pub(crate) const ETHERTYPE_PPPOE_SESSION: u16 = 0x8864;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPES_VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];

/// An EtherType and what follows it.
pub(crate) type Typed<'a> = (u16, &'a [u8]);

/// Reads the EtherType at `at` and walks the VLAN tags behind the header that ends at `end`.
#[inline(always)]
pub(crate) fn untagged(frame: &[u8], at: usize, end: usize) -> Result<Typed<'_>, Refusal> {
    let mut ethertype = u16_at(frame, at).ok_or(Refusal::Malformed)?;
    let mut rest = frame.get(end..).ok_or(Refusal::Malformed)?;
    while ETHERTYPES_VLAN.contains(&ethertype) {
        ethertype = u16_at(rest, 2).ok_or(Refusal::Malformed)?;
        rest = &rest[4..];
    }
    Ok((ethertype, rest))
}

#[inline(always)]
fn by_ethertype((ethertype, rest): Typed<'_>) -> Result<Network<'_>, Refusal> {
    match ethertype {
        ETHERTYPE_IPV4 => Ok((Family::Ipv4, rest)),
        ETHERTYPE_IPV6 => Ok((Family::Ipv6, rest)),
        ETHERTYPE_PPPOE_SESSION => pppoe(rest),
        _ => Err(unread::not_ip(ethertype, rest)),
    }
}

/// PPPoE session (RFC 2516, 4): six bytes of header, then the PPP protocol.
fn pppoe(rest: &[u8]) -> Result<Network<'_>, Refusal> {
    let protocol = u16_at(rest, PPP_PROTOCOL).ok_or(Refusal::Malformed)?;
    match protocol {
        0x0021 => Ok((Family::Ipv4, &rest[8..])),
        0x0057 => Ok((Family::Ipv6, &rest[8..])),
        _ => Err(unread::not_ip(ETHERTYPE_PPPOE_SESSION, rest)),
    }
}

/// Where a PPPoE session header tells the PPP protocol.
pub(crate) const PPP_PROTOCOL: usize = 6;
