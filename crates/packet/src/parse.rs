//! From a captured frame to a [`Packet`].

use std::net::Ipv6Addr;

use crate::bytes::{u16_at, u32_at};
use crate::family::Family;
use crate::{Flags, LinkType, Packet, Refusal, SynOptions, link, unread};

/// One record of a capture: the captured bytes of a frame and when it was seen.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Capture time in nanoseconds since the Unix epoch; it becomes [`Packet::ts`].
    pub ts: i64,
    /// Length of the frame on the wire in bytes; the captured bytes may be fewer. It is used only where the length
    /// in the IP header is 0 (segmentation offload, jumbograms).
    pub wire_len: u32,
    /// The captured bytes, from the first byte of the link layer on.
    pub bytes: &'a [u8],
}

impl Packet {
    /// Parses a frame up to its TCP header (docs/spec.md#header-walk).
    ///
    /// The first 20 bytes of the TCP header must be captured; options and payload may be cut. Checksums are not
    /// verified. [`sample_rate`](Self::sample_rate) is 1: set it if the capture was sampled.
    ///
    /// ```
    /// use cutshort_packet::{Flags, Frame, LinkType, Packet, Refusal};
    ///
    /// // IPv6 without a link layer: 8 bytes of hop-by-hop options, then TCP with 1,000 bytes of payload.
    /// let mut bytes = vec![0x60, 0, 0, 0, 0x04, 0x04, 0, 57];
    /// bytes.extend("2001:db8::1".parse::<std::net::Ipv6Addr>()?.octets());
    /// bytes.extend("2001:db8::2".parse::<std::net::Ipv6Addr>()?.octets());
    /// bytes.extend([6, 0, 1, 4, 0, 0, 0, 0]);
    /// bytes.extend([0x9c, 0xb0, 0x01, 0xbb, 0, 0, 0x03, 0xe9, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    ///
    /// // The capture has cut the payload off: its length is known from the IP header.
    /// let frame = Frame { ts: 0, wire_len: 1068, bytes: &bytes };
    /// let packet = Packet::parse(LinkType::Ipv6, frame)?;
    /// assert_eq!(packet.five_tuple.to_string(), "[2001:db8::1]:40112 > [2001:db8::2]:443");
    /// assert_eq!((packet.flags, packet.payload_len, packet.ttl), (Flags::PSH | Flags::ACK, 1000, 57));
    /// assert_eq!(packet.ip_id, 0, "IPv6 has none");
    ///
    /// let cut = Frame { bytes: &bytes[..60], ..frame };
    /// assert_eq!(Packet::parse(LinkType::Ipv6, cut), Err(Refusal::Cut));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns the first [`Refusal`] that applies, in the order of [`Refusal::ALL`] as far as the headers were walked: an
    /// IPv4 header that contradicts itself is malformed whatever it carries, and a later fragment of UDP is not TCP.
    // Where it is not inlined, the packet is written to memory and copied from there at once,
    // which the processor has to wait for.
    #[inline(always)]
    pub fn parse(link: LinkType, frame: Frame<'_>) -> Result<Self, Refusal> {
        let mut packet = Self::ZERO;
        packet.parse_in_place(link, frame).map(|()| packet)
    }

    /// Parses a frame as [`parse`](Self::parse) does, into a packet that exists already.
    ///
    /// This is faster where packets are kept: a packet has more fields than a processor has registers, and each is
    /// written once.
    ///
    /// ```
    /// use cutshort_packet::{Frame, LinkType, Packet, Refusal};
    ///
    /// let mut buffer = [Packet::ZERO; 64];
    /// let frame = Frame { ts: 0, wire_len: 42, bytes: &[0x08, 0x06].repeat(21) }; // ARP
    /// assert_eq!(buffer[0].parse_in_place(LinkType::Ethernet, frame), Err(Refusal::NotIp));
    /// ```
    ///
    /// # Errors
    /// Returns the same [`Refusal`] as [`parse`](Self::parse). The fields may then have any values.
    #[inline(always)]
    pub fn parse_in_place(&mut self, link: LinkType, frame: Frame<'_>) -> Result<(), Refusal> {
        let (family, ip) = link::network(link, frame.bytes)?;
        let not_captured = (frame.wire_len as usize).saturating_sub(frame.bytes.len());
        let version = ip.first().ok_or(Refusal::Malformed)? >> 4;
        let segment = match (version, family) {
            (4, Family::Ipv4 | Family::Either) => self.ipv4(ip, not_captured)?,
            (6, Family::Ipv6 | Family::Either) => self.ipv6(ip, not_captured)?,
            _ => return Err(Refusal::Malformed),
        };
        self.ts = frame.ts;
        self.sample_rate = 1;
        self.tcp(&segment, ip)
    }
}

/// The segment that the IP layer carries.
struct IpPayload<'a> {
    /// Its captured bytes, without link-layer padding.
    bytes: &'a [u8],
    /// Its length according to the IP length.
    len: usize,
}

pub(crate) const PROTOCOL_TCP: u8 = 6;

impl Packet {
    #[inline(always)]
    fn ipv4<'a>(&mut self, ip: &'a [u8], not_captured: usize) -> Result<IpPayload<'a>, Refusal> {
        let header: &[u8; 20] = ip.first_chunk().ok_or(Refusal::Malformed)?;
        let header_len = usize::from(header[0] & 0x0f) * 4;
        // A length of 0 is what segmentation offload leaves behind.
        let total_len = match u16::from_be_bytes([header[2], header[3]]) {
            0 => ip.len() + not_captured,
            length => usize::from(length),
        };
        if header_len < 20 || total_len < header_len {
            return Err(Refusal::Malformed);
        }
        let captured = &ip[..total_len.min(ip.len())];
        let mut start = header_len;
        if header[9] != PROTOCOL_TCP {
            start += authenticated(header, captured.get(header_len..).unwrap_or_default())?;
        }
        let fragment_offset = u16::from_be_bytes([header[6], header[7]]) & 0x1fff;
        if fragment_offset != 0 {
            return Err(Refusal::Fragment);
        }
        self.five_tuple.src_ip = mapped([header[12], header[13], header[14], header[15]]);
        self.five_tuple.dst_ip = mapped([header[16], header[17], header[18], header[19]]);
        self.ip_id = u16::from_be_bytes([header[4], header[5]]);
        self.ttl = header[8];
        self.df = header[6] & 0x40 != 0;
        let bytes = captured.get(start..).ok_or(Refusal::Malformed)?;
        Ok(IpPayload { bytes, len: total_len - start })
    }

    #[inline(always)]
    fn ipv6<'a>(&mut self, ip: &'a [u8], not_captured: usize) -> Result<IpPayload<'a>, Refusal> {
        let header: &[u8; IPV6_HEADER] = ip.first_chunk().ok_or(Refusal::Malformed)?;
        let payload = &ip[IPV6_HEADER..];
        // A length of 0 is a jumbogram (RFC 2675) or what segmentation offload leaves behind.
        let payload_len = match u16::from_be_bytes([header[4], header[5]]) {
            0 => payload.len() + not_captured,
            length => usize::from(length),
        };
        let src = address(header, 8);
        let dst = address(header, 24);
        if is_mapped(src) || is_mapped(dst) {
            return Err(Refusal::Malformed);
        }
        let captured = &payload[..payload_len.min(payload.len())];
        let chain = extension_headers(header[6], captured)?;
        (self.five_tuple.src_ip, self.five_tuple.dst_ip) = (src, dst);
        self.ip_id = 0;
        self.ttl = header[7];
        self.df = false;
        Ok(IpPayload { bytes: &captured[chain..], len: payload_len - chain })
    }

    #[inline(always)]
    fn tcp(&mut self, segment: &IpPayload<'_>, ip: &[u8]) -> Result<(), Refusal> {
        if segment.len < TCP_HEADER {
            return Err(too_short(ip));
        }
        let header: &[u8; TCP_HEADER] = segment.bytes.first_chunk().ok_or(Refusal::Cut)?;
        let header_len = usize::from(header[12] >> 4) * 4;
        if header_len < TCP_HEADER {
            return Err(Refusal::Malformed);
        }
        if header_len > segment.len {
            return Err(too_short(ip));
        }
        let half = |at: usize| u16_at(header, at).unwrap_or_default();
        let word = |at: usize| u32_at(header, at).unwrap_or_default();
        self.five_tuple.src_port = half(0);
        self.five_tuple.dst_port = half(2);
        self.flags = Flags::from_bits(half(12));
        self.seq = word(4);
        self.ack = word(8);
        self.tcp_window = half(14);
        // At most 60 - 20.
        self.options_len = (header_len - TCP_HEADER) as u8;
        // Jumbograms carry up to 2^32 - 1 bytes; a capture's lengths are 32 bits as well.
        self.payload_len = u32::try_from(segment.len - header_len).unwrap_or(u32::MAX);
        self.syn = if self.flags.is_syn() {
            syn_options(segment.bytes.get(TCP_HEADER..header_len))
        } else {
            SynOptions::NONE
        };
        Ok(())
    }
}

/// Maps an IPv4 address into IPv6, in one word: the compiler would move octets one by one.
#[inline]
pub(crate) fn mapped(octets: [u8; 4]) -> Ipv6Addr {
    Ipv6Addr::from_bits(0xffff_0000_0000 | u128::from(u32::from_be_bytes(octets)))
}

/// The length of the authentication headers (RFC 4302) between an IPv4 header and TCP.
#[cold]
fn authenticated(header: &[u8; 20], payload: &[u8]) -> Result<usize, Refusal> {
    let (mut next, mut at) = (header[9], 0);
    // A later fragment begins with data: only the kind of the first fragment's header is known.
    if u16::from_be_bytes([header[6], header[7]]) & 0x1fff != 0 {
        return Err(if next == AUTHENTICATION { Refusal::Fragment } else { unread::not_tcp(next, &[]) });
    }
    loop {
        let rest = payload.get(at..).ok_or(Refusal::Malformed)?;
        match next {
            PROTOCOL_TCP => return Ok(at),
            AUTHENTICATION => at += extension_header(next, rest)?,
            _ => return Err(unread::not_tcp(next, rest)),
        }
        next = rest[0];
    }
}

/// Refuses a segment that is shorter than its TCP header: the rest is in the fragments that follow, or there is none.
#[cold]
fn too_short(ip: &[u8]) -> Refusal {
    let followed = match ip.first().map_or(0, |first| first >> 4) {
        4 => ip.get(6).is_some_and(|flags| flags & 0x20 != 0),
        _ => unread::ipv6_chain(ip).is_some_and(|chain| chain.followed),
    };
    if followed { Refusal::Fragment } else { Refusal::Malformed }
}

pub(crate) const IPV6_HEADER: usize = 40;

/// Returns true for an address that would be taken for one of IPv4, and has no place on the wire (RFC 4291, 2.5.5.2).
#[inline]
pub(crate) const fn is_mapped(address: Ipv6Addr) -> bool {
    address.to_bits() >> 32 == 0xffff
}

#[inline]
pub(crate) fn address(header: &[u8; IPV6_HEADER], at: usize) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets.copy_from_slice(&header[at..at + 16]);
    Ipv6Addr::from_bits(u128::from_be_bytes(octets))
}

/// Walks the chain of extension headers (RFC 8200, 4) up to TCP; returns the chain's length.
#[inline]
fn extension_headers(mut next: u8, payload: &[u8]) -> Result<usize, Refusal> {
    let mut at = 0;
    while next != PROTOCOL_TCP {
        let header = payload.get(at..).ok_or(Refusal::Malformed)?;
        at += extension_header(next, header)?;
        next = header[0];
    }
    if at > payload.len() { Err(Refusal::Malformed) } else { Ok(at) }
}

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
pub(crate) const FRAGMENT: u8 = 44;
pub(crate) const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;

/// The length of the extension header of kind `kind` at the beginning of `bytes`.
pub(crate) fn extension_header(kind: u8, bytes: &[u8]) -> Result<usize, Refusal> {
    if !matches!(kind, HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION) {
        return Err(unread::not_tcp(kind, bytes));
    }
    let &[next, units, high, low] = bytes.first_chunk().ok_or(Refusal::Malformed)?;
    match kind {
        FRAGMENT if u16::from_be_bytes([high, low]) >> 3 == 0 => Ok(8),
        // What follows a later fragment's header is data. Only the header that the first
        // fragment has there is known.
        FRAGMENT if matches!(next, PROTOCOL_TCP | HOP_BY_HOP | ROUTING | AUTHENTICATION | DESTINATION) => {
            Err(Refusal::Fragment)
        }
        FRAGMENT => Err(unread::not_tcp(next, &[])),
        AUTHENTICATION => Ok((usize::from(units) + 2) * 4),
        _ => Ok((usize::from(units) + 1) * 8),
    }
}

const TCP_HEADER: usize = 20;

/// The options of a SYN packet; none are given if the capture has cut them. One packet in ten needs this.
#[inline(never)]
fn syn_options(options: Option<&[u8]>) -> SynOptions {
    options.map_or(SynOptions::UNKNOWN, SynOptions::parse)
}
