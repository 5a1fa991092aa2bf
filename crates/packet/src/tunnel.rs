//! Packets inside packets: labels, tags and tunnels around the IP packet that carries TCP.

use std::fmt;

use crate::bytes::{u16_at, u32_at};
use crate::link::{FIRST_ETHERTYPE, PPP_PROTOCOL, Typed, network, of_ppp, ppp, untagged};
use crate::parse::PROTOCOL_TCP;
use crate::quic::{ServerPorts, may_be_found};
use crate::unread::{carried, udp_tunnel};
use crate::{Frame, LinkType};

/// The maximum number of tunnels around each other.
const DEEPEST: usize = 4;

/// What was around a packet. VLAN tags, PPPoE and authentication headers are not tunnels: they are always read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Tunnel {
    /// MPLS labels (RFC 3032), also with a pseudowire (RFC 4448).
    Mpls,
    /// VXLAN over UDP (RFC 7348), also with other protocols than Ethernet inside (VXLAN-GPE).
    Vxlan,
    /// GENEVE over UDP (RFC 8926).
    Geneve,
    /// GRE with IP, Ethernet or PPP (RFC 2784, 2890, 2637).
    Gre,
    /// Cisco's mirrored Ethernet over GRE, types I to III (draft-foschiano-erspan).
    Erspan,
    /// IP in IP of the same version (RFC 2003, RFC 2473).
    IpInIp,
    /// IPv6 in IPv4, or IPv4 in IPv6 (RFC 4213, RFC 2473).
    SixInFour,
    /// GTP-U over UDP (3GPP TS 29.281).
    GtpU,
    /// Provider backbone bridging (IEEE 802.1ah).
    ProviderBackbone,
    /// A port extender's tag (IEEE 802.1BR).
    ETag,
    /// Cisco's tag of a virtual interface.
    VnTag,
    /// Cisco MetaData with security group tags.
    CiscoMetaData,
    /// Network service header (RFC 8300).
    Nsh,
    /// An 802.3 frame with LLC, and SNAP if it is there (RFC 1042).
    Llc,
}

impl Tunnel {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Mpls,
        Self::Vxlan,
        Self::Geneve,
        Self::Gre,
        Self::Erspan,
        Self::IpInIp,
        Self::SixInFour,
        Self::GtpU,
        Self::ProviderBackbone,
        Self::ETag,
        Self::VnTag,
        Self::CiscoMetaData,
        Self::Nsh,
        Self::Llc,
    ];

    /// Returns the name that people use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mpls => "MPLS",
            Self::Vxlan => "VXLAN",
            Self::Geneve => "GENEVE",
            Self::Gre => "GRE",
            Self::Erspan => "ERSPAN",
            Self::IpInIp => "IP in IP",
            Self::SixInFour => "6in4",
            Self::GtpU => "GTP-U",
            Self::ProviderBackbone => "802.1ah",
            Self::ETag => "E-tag",
            Self::VnTag => "VN-tag",
            Self::CiscoMetaData => "Cisco MetaData",
            Self::Nsh => "NSH",
            Self::Llc => "802.3 with LLC",
        }
    }
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An IP packet that was found inside labels, tags or tunnels.
///
/// ```
/// use cutshort_packet::{Frame, Inner, LinkType, Packet, Refusal, Tunnel};
///
/// // A SYN in IPv4, behind Ethernet and one MPLS label.
/// const SYN: [u8; 40] = [
///     0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, //
///     0x9c, 0xb0, 0x01, 0xbb, 0, 0, 0x03, 0xe8, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0,
/// ];
/// let bytes = [&[0; 12][..], &[0x88, 0x47, 0, 1, 0x11, 64], &SYN].concat();
/// let frame = Frame { ts: 0, wire_len: bytes.len() as u32, bytes: &bytes };
/// assert_eq!(Packet::parse(LinkType::Ethernet, frame), Err(Refusal::Encapsulated));
///
/// let inner = Inner::of(LinkType::Ethernet, frame).expect("a packet in MPLS");
/// assert_eq!(inner.tunnels(), [Tunnel::Mpls]);
/// assert!(Packet::parse(inner.link, inner.frame)?.is_syn());
/// # Ok::<(), Refusal>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Inner<'a> {
    /// How the inner packet begins: with its IP header.
    pub link: LinkType,
    /// The inner packet. Its length on the wire is what is left of that of the frame.
    pub frame: Frame<'a>,
    tunnels: [Tunnel; DEEPEST],
    depth: usize,
}

impl<'a> Inner<'a> {
    /// Walks to the innermost IP header of a frame that [`Packet::parse`](crate::Packet::parse) refused as
    /// [`Encapsulated`](crate::Refusal::Encapsulated), through at most four tunnels. `None` if no TCP follows it, or if
    /// something on the way is not known, or cut.
    #[must_use]
    #[cold]
    pub fn of(link: LinkType, frame: Frame<'a>) -> Option<Self> {
        Self::carrying(link, frame, |protocol, _| protocol == PROTOCOL_TCP)
    }

    /// The same for the data set `quic`: `None` if neither a UDP datagram with a server port nor ICMP follows.
    ///
    /// ```
    /// use cutshort_packet::quic::ServerPorts;
    /// use cutshort_packet::{Frame, Inner, LinkType, Tunnel};
    ///
    /// let mut datagram = [0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 1, 187, 1, 187, 0, 8, 0, 0];
    /// let gre = |inner: &[u8]| [&[0x45, 0, 0, 52, 0, 1, 0, 0, 64, 47, 0, 0, 192, 0, 2, 3, 192, 0, 2, 4, 0, 0, 8, 0], inner].concat();
    /// let of = |bytes: &[u8]| {
    ///     let frame = Frame { ts: 0, wire_len: 52, bytes };
    ///     Inner::of_datagram(LinkType::Raw, frame, &ServerPorts::default()).map(|inner| inner.tunnels().to_vec())
    /// };
    /// assert_eq!(of(&gre(&datagram)), Some(vec![Tunnel::Gre]));
    /// datagram[9] = 6;
    /// assert_eq!(of(&gre(&datagram)), None, "TCP");
    /// ```
    #[must_use]
    #[cold]
    pub fn of_datagram(link: LinkType, frame: Frame<'a>, ports: &ServerPorts) -> Option<Self> {
        Self::carrying(link, frame, |protocol, payload| may_be_found(protocol, payload, ports))
    }

    /// Walks to the innermost IP header, if what it carries is wanted.
    fn carrying(link: LinkType, frame: Frame<'a>, is_wanted: impl Fn(u8, &[u8]) -> bool) -> Option<Self> {
        let mut walk = Walk { tunnels: [Tunnel::Mpls; DEEPEST], depth: 0 };
        let ip = walk.inwards(walk.start(link, frame.bytes)?, is_wanted)?;
        let before = (ip.as_ptr() as usize).checked_sub(frame.bytes.as_ptr() as usize)?;
        let wire_len = frame.wire_len.saturating_sub(u32::try_from(before).ok()?);
        let (frame, Walk { tunnels, depth }) = (Frame { wire_len, bytes: ip, ..frame }, walk);
        (depth > 0).then_some(Self { link: LinkType::Raw, frame, tunnels, depth })
    }

    /// Returns what was around the packet, outermost first.
    #[must_use]
    pub fn tunnels(&self) -> &[Tunnel] {
        &self.tunnels[..self.depth]
    }
}

/// Where a walk is.
enum At<'a> {
    Ethernet(&'a [u8]),
    EtherType(Typed<'a>),
    Ip(&'a [u8]),
}

/// A walk inwards, with the tunnels that it has passed.
struct Walk {
    tunnels: [Tunnel; DEEPEST],
    depth: usize,
}

impl Walk {
    fn start<'a>(&self, link: LinkType, bytes: &'a [u8]) -> Option<At<'a>> {
        if let Some(carried) = link.carried(bytes) {
            let (link, bytes) = carried.ok()?;
            return self.start(link, bytes);
        }
        match (network(link, bytes), link) {
            (Ok((_, ip)), _) => Some(At::Ip(ip)),
            (Err(_), LinkType::Ethernet) => Some(At::Ethernet(bytes)),
            (Err(_), LinkType::LinuxSll) => Some(At::EtherType(untagged(bytes, 14, 16).ok()?)),
            (Err(_), LinkType::LinuxSll2) => Some(At::EtherType(untagged(bytes, 0, 20).ok()?)),
            (Err(_), link) => link.ethertype(bytes).ok().map(At::EtherType),
        }
    }

    fn pass<'a>(&mut self, tunnel: Tunnel, next: At<'a>) -> Option<At<'a>> {
        *self.tunnels.get_mut(self.depth)? = tunnel;
        self.depth += 1;
        Some(next)
    }

    /// The first IP packet that carries what is wanted, if all around it are tunnels.
    fn inwards<'a>(&mut self, mut at: At<'a>, is_wanted: impl Fn(u8, &[u8]) -> bool) -> Option<&'a [u8]> {
        loop {
            at = match at {
                At::Ethernet(frame) => At::EtherType(untagged(frame, 12, 14).ok()?),
                At::EtherType(typed) => self.ethertype(typed)?,
                At::Ip(ip) => match carried(ip)? {
                    (protocol, payload) if is_wanted(protocol, payload) => return Some(ip),
                    (protocol, payload) => self.protocol(ip, protocol, payload)?,
                },
            };
        }
    }

    fn ethertype<'a>(&mut self, (ethertype, rest): Typed<'a>) -> Option<At<'a>> {
        let behind = |header: usize| -> Option<At<'a>> { typed_at(rest, header) };
        match ethertype {
            0x0800 | 0x86dd => Some(At::Ip(rest)),
            0x8100 | 0x88a8 | 0x9100 => behind(2),
            0x8864 => pppoe(rest),
            0x8847 | 0x8848 => self.pass(Tunnel::Mpls, labels(rest)?),
            0x88e7 => self.pass(Tunnel::ProviderBackbone, At::Ethernet(rest.get(4..)?)),
            0x893f => self.pass(Tunnel::ETag, behind(6)?),
            0x8926 => self.pass(Tunnel::VnTag, behind(4)?),
            0x8909 => self.pass(Tunnel::CiscoMetaData, behind(6)?),
            0x894f => self.pass(Tunnel::Nsh, service_header(rest)?),
            0x6558 => Some(At::Ethernet(rest)),
            0..FIRST_ETHERTYPE => self.pass(Tunnel::Llc, llc(rest)?),
            _ => None,
        }
    }

    fn protocol<'a>(&mut self, outer: &[u8], protocol: u8, payload: &'a [u8]) -> Option<At<'a>> {
        let is_v4 = outer.first()? >> 4 == 4;
        match protocol {
            4 | 94 => self.pass(if is_v4 { Tunnel::IpInIp } else { Tunnel::SixInFour }, At::Ip(payload)),
            41 => self.pass(if is_v4 { Tunnel::SixInFour } else { Tunnel::IpInIp }, At::Ip(payload)),
            17 => self.datagram(payload),
            47 => self.gre(payload),
            137 => self.pass(Tunnel::Mpls, labels(payload)?),
            _ => None,
        }
    }

    fn datagram<'a>(&mut self, datagram: &'a [u8]) -> Option<At<'a>> {
        udp_tunnel(datagram)?;
        let body = datagram.get(8..)?;
        match u16_at(datagram, 2)? {
            4789 | 8472 => self.pass(Tunnel::Vxlan, At::Ethernet(body.get(8..)?)),
            4790 => self.pass(Tunnel::Vxlan, next_protocol(*body.get(3)?, body.get(8..)?)?),
            6081 => {
                let header = 8 + usize::from(body.first()? & 0x3f) * 4;
                self.pass(Tunnel::Geneve, At::EtherType((u16_at(body, 2)?, body.get(header..)?)))
            }
            2152 => self.pass(Tunnel::GtpU, At::Ip(gtp_u(body)?)),
            6635 => self.pass(Tunnel::Mpls, labels(body)?),
            4754 => self.gre(body),
            _ => None,
        }
    }

    /// GRE of version 0 (RFC 2784, 2890), and of version 1 with PPP (RFC 2637).
    fn gre<'a>(&mut self, gre: &'a [u8]) -> Option<At<'a>> {
        const CHECKSUM: u16 = 0x8000;
        const ROUTING: u16 = 0x4000;
        const KEY: u16 = 0x2000;
        const SEQUENCE: u16 = 0x1000;
        const ACKNOWLEDGEMENT: u16 = 0x0080;
        let (flags, protocol) = (u16_at(gre, 0)?, u16_at(gre, 2)?);
        let words = |of: &[u16]| 4 * of.iter().filter(|flag| flags & **flag != 0).count();
        match flags & 0x0007 {
            0 if flags & ROUTING == 0 => {
                let rest = gre.get(4 + words(&[CHECKSUM, KEY, SEQUENCE])..)?;
                match protocol {
                    // Type I has no header of its own, and no sequence number.
                    0x88be if flags & SEQUENCE == 0 => self.pass(Tunnel::Erspan, At::Ethernet(rest)),
                    0x88be => self.pass(Tunnel::Erspan, At::Ethernet(rest.get(8..)?)),
                    0x22eb => {
                        let [kind, options] = *rest.get(10..)?.first_chunk()?;
                        let inner = rest.get(if options & 1 == 0 { 12 } else { 20 }..)?;
                        // The type of the mirrored frame.
                        match kind >> 2 & 0x1f {
                            0 => self.pass(Tunnel::Erspan, At::Ethernet(inner)),
                            2 => self.pass(Tunnel::Erspan, At::Ip(inner)),
                            _ => None,
                        }
                    }
                    _ => self.pass(Tunnel::Gre, At::EtherType((protocol, rest))),
                }
            }
            1 if protocol == 0x880b => {
                let rest = gre.get(8 + words(&[SEQUENCE, ACKNOWLEDGEMENT])..)?;
                self.pass(Tunnel::Gre, inside_ppp(ppp(rest)?)?)
            }
            _ => None,
        }
    }
}

/// An EtherType behind a tag of this length.
fn typed_at(rest: &[u8], header: usize) -> Option<At<'_>> {
    // As behind an Ethernet header: VLAN tags may follow.
    Some(At::EtherType(untagged(rest, header, header + 2).ok()?))
}

/// Labels up to the last (RFC 3032, 2.1), then IP, or Ethernet with or without a control word (RFC 4385, 3).
fn labels(mut rest: &[u8]) -> Option<At<'_>> {
    loop {
        let label = u32_at(rest, 0)?;
        rest = rest.get(4..)?;
        if label & 0x100 != 0 {
            break;
        }
    }
    match rest.first()? >> 4 {
        4 | 6 => Some(At::Ip(rest)),
        0 => Some(At::Ethernet(rest.get(4..)?)),
        _ => Some(At::Ethernet(rest)),
    }
}

/// A network service header (RFC 8300, 2.2): its length in words of 4 bytes, and what follows.
fn service_header(rest: &[u8]) -> Option<At<'_>> {
    let words = usize::from(rest.get(1)? & 0x3f);
    next_protocol(*rest.get(3)?, rest.get((words * 4).max(8)..)?)
}

/// A next protocol of NSH and VXLAN-GPE.
fn next_protocol(protocol: u8, rest: &[u8]) -> Option<At<'_>> {
    match protocol {
        1 | 2 => Some(At::Ip(rest)),
        3 => Some(At::Ethernet(rest)),
        4 => Some(At::EtherType((0x894f, rest))),
        5 => Some(At::EtherType((0x8847, rest))),
        _ => None,
    }
}

/// LLC (IEEE 802.2) with IP, or with SNAP: an EtherType, or a bridged Ethernet frame (RFC 2684, 5.2).
pub(crate) fn snap(rest: &[u8]) -> Option<Typed<'_>> {
    match rest {
        [0x06, 0x06, 0x03, ip @ ..] => Some((0x0800, ip)),
        [0xaa, 0xaa, 0x03, 0, 0, 0, high, low, rest @ ..] => Some((u16::from_be_bytes([*high, *low]), rest)),
        [0xaa, 0xaa, 0x03, 0x00, 0x80, 0xc2, 0x00, 0x01 | 0x07, frame @ ..] => Some((0x6558, frame)),
        _ => None,
    }
}

fn llc(rest: &[u8]) -> Option<At<'_>> {
    snap(rest).map(At::EtherType)
}

fn pppoe(rest: &[u8]) -> Option<At<'_>> {
    inside_ppp((u16_at(rest, PPP_PROTOCOL)?, rest.get(PPP_PROTOCOL + 2..)?))
}

/// What a PPP protocol carries.
fn inside_ppp(typed: Typed<'_>) -> Option<At<'_>> {
    of_ppp(typed).ok().map(At::EtherType)
}

/// What a GTP-U message of version 1 carries (3GPP TS 29.281, 5.1 and 5.2.1).
fn gtp_u(message: &[u8]) -> Option<&[u8]> {
    const OPTIONAL: u8 = 0x07;
    const EXTENSION: u8 = 0x04;
    let flags = *message.first()?;
    if flags & OPTIONAL == 0 {
        return message.get(8..);
    }
    let (mut next, mut rest) = (*message.get(11)?, message.get(12..)?);
    while flags & EXTENSION != 0 && next != 0 {
        let len = usize::from(*rest.first()?).max(1) * 4;
        next = *rest.get(len - 1)?;
        rest = rest.get(len..)?;
    }
    Some(rest)
}
