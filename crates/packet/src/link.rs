//! Link layers: from a captured frame to its IP header.

use crate::bytes::{u16_at, u32_at};
use crate::family::{Family, Layer3};
use crate::{Refusal, nflog, unread};

mod rare;

pub(crate) use rare::{of_ppp, ppp};

/// The link layer that a captured frame begins with (<https://www.tcpdump.org/linktypes.html>).
///
/// ```
/// use cutshort_packet::{Frame, LinkType, Packet};
///
/// // A SYN in IPv4, behind the header of each link layer.
/// const SYN: [u8; 40] = [
///     0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, //
///     0x9c, 0xb0, 0x01, 0xbb, 0, 0, 0x03, 0xe8, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0,
/// ];
/// let ethernet = [&[0; 12][..], &[0x08, 0x00]].concat();
/// let tagged = [&[0; 12][..], &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 7, 0x08, 0x00]].concat();
/// let pppoe = [&[0; 12][..], &[0x88, 0x64, 0x11, 0, 0, 1, 0, 42, 0x00, 0x21]].concat();
/// let sll = [&[0; 14][..], &[0x08, 0x00]].concat();
/// let sll2 = [&[0x08, 0x00][..], &[0; 18]].concat();
/// let headers: [(LinkType, &[u8]); 10] = [
///     (LinkType::Ethernet, &ethernet),
///     (LinkType::Ethernet, &tagged),
///     (LinkType::Ethernet, &pppoe),
///     (LinkType::LinuxSll, &sll),
///     (LinkType::LinuxSll2, &sll2),
///     (LinkType::Null, &[2, 0, 0, 0]),
///     (LinkType::Loop, &[0, 0, 0, 2]),
///     (LinkType::Raw, &[]),
///     (LinkType::Ipv4, &[]),
///     // Family, version and resource id; then the attribute with the packet: its length and type.
///     (LinkType::Nflog, &[2, 0, 0, 0, 44, 0, 9, 0]),
/// ];
/// for (link, header) in headers {
///     let bytes = [header, &SYN].concat();
///     let packet = Packet::parse(link, Frame { ts: 0, wire_len: bytes.len() as u32, bytes: &bytes })?;
///     assert_eq!(packet.five_tuple.to_string(), "192.0.2.1:40112 > 192.0.2.2:443", "{}", link.name());
///     assert!(packet.is_syn());
/// }
/// # Ok::<(), cutshort_packet::Refusal>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum LinkType {
    /// BSD loopback (`NULL`, 0): a protocol family in the byte order of the capturing machine.
    Null,
    /// Ethernet (`EN10MB`, 1), also with VLAN tags and PPPoE.
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
    /// Token ring (`IEEE802_5`, 6).
    TokenRing,
    /// PPP, with or without address and control (`PPP`, 9; `PPP_HDLC`, 50). A header of Cisco's HDLC is read as such.
    Ppp,
    /// FDDI (`FDDI`, 10).
    Fddi,
    /// PPPoE without Ethernet (`PPP_ETHER`, 51).
    PppEther,
    /// Cisco's HDLC (`C_HDLC`, 104).
    CiscoHdlc,
    /// IEEE 802.11 (`IEEE802_11`, 105): data frames that are not encrypted.
    Ieee80211,
    /// Frame relay (`FRELAY`, 107).
    FrameRelay,
    /// IPsec interface of a BSD (`ENC`, 109).
    Enc,
    /// Log of the packet filter of a BSD (`PFLOG`, 117).
    Pflog,
    /// IEEE 802.11 behind radiotap (`IEEE802_11_RADIOTAP`, 127).
    Radiotap,
    /// Juniper's header of `monitor traffic` with Ethernet (`JUNIPER_ETHER`, 178).
    JuniperEther,
    /// Per-packet information with another link layer behind it (`PPI`, 192).
    Ppi,
    /// macOS with the interface and process of a packet (`PKTAP`, 258; `USER2`, 149, in old captures).
    Pktap,
}

impl LinkType {
    /// All link types that can be parsed.
    pub const ALL: [Self; 22] = [
        Self::Null,
        Self::Ethernet,
        Self::Raw,
        Self::Loop,
        Self::LinuxSll,
        Self::Ipv4,
        Self::Ipv6,
        Self::Nflog,
        Self::LinuxSll2,
        Self::TokenRing,
        Self::Ppp,
        Self::Fddi,
        Self::PppEther,
        Self::CiscoHdlc,
        Self::Ieee80211,
        Self::FrameRelay,
        Self::Enc,
        Self::Pflog,
        Self::Radiotap,
        Self::JuniperEther,
        Self::Ppi,
        Self::Pktap,
    ];

    /// Finds the link type with a number as in pcap and pcapng files; `None` if it is not supported.
    ///
    /// ```
    /// use cutshort_packet::LinkType;
    ///
    /// assert_eq!(LinkType::from_number(113), Some(LinkType::LinuxSll));
    /// assert_eq!(LinkType::from_number(147), None, "USER0");
    /// ```
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
            6 => Self::TokenRing,
            9 | 50 => Self::Ppp,
            10 => Self::Fddi,
            51 => Self::PppEther,
            104 => Self::CiscoHdlc,
            105 => Self::Ieee80211,
            107 => Self::FrameRelay,
            109 => Self::Enc,
            117 => Self::Pflog,
            127 => Self::Radiotap,
            149 | 258 => Self::Pktap,
            178 => Self::JuniperEther,
            192 => Self::Ppi,
            _ => return None,
        })
    }

    /// Returns the name in the registry of link types: `EN10MB`, `LINUX_SLL`, ...
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
            Self::TokenRing => "IEEE802_5",
            Self::Ppp => "PPP",
            Self::Fddi => "FDDI",
            Self::PppEther => "PPP_ETHER",
            Self::CiscoHdlc => "C_HDLC",
            Self::Ieee80211 => "IEEE802_11",
            Self::FrameRelay => "FRELAY",
            Self::Enc => "ENC",
            Self::Pflog => "PFLOG",
            Self::Radiotap => "IEEE802_11_RADIOTAP",
            Self::JuniperEther => "JUNIPER_ETHER",
            Self::Ppi => "PPI",
            Self::Pktap => "PKTAP",
        }
    }
}

/// Walks the link layer of `frame` up to its IP header.
#[inline(always)]
pub(crate) fn network(link: LinkType, frame: &[u8]) -> Result<Layer3<'_>, Refusal> {
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
        link => rare::network(link, frame),
    }
}

/// Reads the address family of `LinkType::Null`. It is in the byte order of the capturing machine, which the frame does
/// not tell; but no family is above 255, so only one reading can be meant.
pub(crate) fn null_family(frame: &[u8]) -> Option<u32> {
    let family = u32_at(frame, 0)?;
    Some(if family > 0xff { family.swap_bytes() } else { family })
}

/// Maps an address family of a BSD. AF_INET is 2 everywhere; AF_INET6 is 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS and
/// 10 on Linux.
fn bsd_family(frame: &[u8], family: u32) -> Result<Layer3<'_>, Refusal> {
    match family {
        2 => Ok((Family::Ipv4, &frame[4..])),
        10 | 24 | 28 | 30 => Ok((Family::Ipv6, &frame[4..])),
        _ => Err(Refusal::NotIp),
    }
}

pub(crate) const ETHERTYPE_PPPOE_SESSION: u16 = 0x8864;
/// Values below this are lengths (IEEE 802.3) or, in cooked captures, say that LLC follows.
pub(crate) const FIRST_ETHERTYPE: u16 = 0x600;
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
fn by_ethertype((ethertype, rest): Typed<'_>) -> Result<Layer3<'_>, Refusal> {
    match ethertype {
        ETHERTYPE_IPV4 => Ok((Family::Ipv4, rest)),
        ETHERTYPE_IPV6 => Ok((Family::Ipv6, rest)),
        ETHERTYPE_PPPOE_SESSION => pppoe(rest),
        _ => Err(unread::not_ip(ethertype, rest)),
    }
}

/// Reads a PPPoE session header (RFC 2516, 4): six bytes of header, then the PPP protocol.
fn pppoe(rest: &[u8]) -> Result<Layer3<'_>, Refusal> {
    let protocol = u16_at(rest, PPP_PROTOCOL).ok_or(Refusal::Malformed)?;
    match protocol {
        0x0021 => Ok((Family::Ipv4, &rest[8..])),
        0x0057 => Ok((Family::Ipv6, &rest[8..])),
        _ => Err(unread::not_ip(ETHERTYPE_PPPOE_SESSION, rest)),
    }
}

/// Offset of the PPP protocol in a PPPoE session header (RFC 2516, 4).
pub(crate) const PPP_PROTOCOL: usize = 6;
