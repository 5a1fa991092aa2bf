//! From a captured frame to a UDP datagram, or to the ICMP error that quotes one.

use super::{Datagram, HashKey, Icmp, Kinds, Parts, ServerPorts, Version};
use crate::bytes::u16_at;
use crate::ip::{End, ICMP, ICMPV6, Ip, UDP};
use crate::unread::udp_tunnel;
use crate::{FiveTuple, Frame, LinkType, Packet, Refusal, link};

/// What a frame has for the data set `quic`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A UDP datagram with a server port at either end.
    Udp(Udp<'a>),
    /// The two rows of an ICMP error that quotes one (docs/quic.md#icmp). Which end is the client's is not known, so there is a
    /// row for each: as if the datagram had gone from server to client, and the other way round.
    Icmp([Datagram; 2]),
}

/// A UDP datagram, as far as it was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udp<'a> {
    /// Capture time in nanoseconds since the Unix epoch.
    pub ts: i64,
    /// Addresses and ports.
    pub five_tuple: FiveTuple,
    /// IPv4 identification; 0 for IPv6.
    pub ip_id: u16,
    /// IPv4 time to live or IPv6 hop limit.
    pub ttl: u8,
    /// Length of the payload in bytes by the UDP header, or by the IP header where that is 0.
    pub len: u16,
    /// The captured bytes of the payload, without padding behind it.
    pub captured: &'a [u8],
}

impl<'a> Found<'a> {
    /// Parses a frame up to the UDP header, or to that which an ICMP error *destination unreachable* quotes.
    ///
    /// Whether it is QUIC is not asked. Checksums are not verified.
    ///
    /// ```
    /// use cutshort_packet::quic::{Found, HashKey, Kinds, ServerPorts};
    /// use cutshort_packet::{Frame, LinkType};
    ///
    /// // IPv4 and UDP, then 1,200 bytes that begin with an Initial packet: version 1, ids of 8 and 0 bytes, no token, Length 1,182.
    /// let mut bytes = vec![0x45, 0, 4, 204, 0, 1, 0x40, 0, 57, 17, 0, 0, 198, 51, 100, 7, 203, 0, 113, 5];
    /// bytes.extend([0x9c, 0xb0, 0x01, 0xbb, 4, 184, 0, 0]);
    /// bytes.extend([0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x44, 0x9e]);
    /// bytes.resize(28 + 1200, 0xff);
    /// let frame = Frame { ts: 0, wire_len: 1228, bytes: &bytes };
    ///
    /// let Found::Udp(udp) = Found::parse(LinkType::Raw, frame, &ServerPorts::default())? else { panic!("UDP") };
    /// let row = udp.row(&HashKey::new([0; 16]));
    /// assert_eq!((row.kinds, row.version, row.len, row.dcid_len), (Kinds::INITIAL, 1, 1200, 8));
    /// assert_eq!(row.five_tuple.to_string(), "198.51.100.7:40112 > 203.0.113.5:443");
    ///
    /// let parts: Vec<_> = udp.parts().collect();
    /// assert_eq!(parts[0].header.unwrap().dcid, [1, 2, 3, 4, 5, 6, 7, 8]);
    /// # Ok::<(), cutshort_packet::Refusal>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`Refusal::NotQuic`] for whatever else IP carries, and otherwise the [`Refusal`] of
    /// [`Packet::parse`](crate::Packet::parse): tunnels, fragments, headers that are malformed or cut.
    pub fn parse(link: LinkType, frame: Frame<'a>, ports: &ServerPorts) -> Result<Self, Refusal> {
        let (family, bytes) = link::network(link, frame.bytes)?;
        let missing = (frame.wire_len as usize).saturating_sub(frame.bytes.len());
        let ip = Ip::parse(family, bytes, End::Captured { missing })?;
        let found = match ip.protocol {
            UDP => Udp::parse(&ip, frame.ts, ports)?.map(Self::Udp),
            ICMP | ICMPV6 => quoted(&ip, frame.ts, ports).map(Self::Icmp),
            _ => None,
        };
        found.ok_or_else(|| other(link, frame))
    }
}

impl<'a> Udp<'a> {
    /// `None` without a server port.
    fn parse(ip: &Ip<'a>, ts: i64, ports: &ServerPorts) -> Result<Option<Self>, Refusal> {
        if ip.is_later_fragment {
            return Err(Refusal::Fragment);
        }
        if ip.len < HEADER {
            return Err(Refusal::Malformed);
        }
        let header: &[u8; HEADER] = ip.payload.first_chunk().ok_or(Refusal::Cut)?;
        if !is_meant(ip.payload, ports) {
            return Ok(None);
        }
        let len = match u16_at(header, 4) {
            // What segmentation offload and jumbograms (RFC 2675, 4) leave there.
            None | Some(0) => u16::try_from(ip.len - HEADER).unwrap_or(u16::MAX),
            Some(len) => len.checked_sub(HEADER as u16).ok_or(Refusal::Malformed)?,
        };
        let captured = &ip.payload[HEADER..];
        let captured = &captured[..captured.len().min(len.into())];
        let Some(five_tuple) = five_tuple(ip) else { return Ok(None) };
        Ok(Some(Self { ts, five_tuple, ip_id: ip.ip_id, ttl: ip.ttl, len, captured }))
    }

    /// Walks the packets in it (docs/quic.md#walk).
    #[must_use]
    pub fn parts(&self) -> Parts<'a> {
        Parts::of(self.captured, self.len.into())
    }

    /// Returns true if it may be the first datagram of a connection (docs/quic.md#sampling): its first packet has a long header
    /// with the type bits of Initial. Other versions than 2 are taken to have those of version 1; version negotiation (0)
    /// begins nothing.
    #[must_use]
    #[inline]
    pub fn may_begin(&self) -> bool {
        let Some(&[first, version @ ..]) = self.captured.first_chunk::<5>() else { return false };
        let initial = match u32::from_be_bytes(version) {
            0 => return false,
            version if version == Version::V2 as u32 => 0x90,
            _ => 0x80,
        };
        first & 0xb0 == initial
    }

    /// Returns its row, of which no Initial packet was tried to open. [`sample_rate`](Datagram::sample_rate) is 1.
    #[must_use]
    pub fn row(&self, key: &HashKey) -> Datagram {
        let Self { ts, five_tuple, ip_id, ttl, len, .. } = *self;
        let mut row = Datagram { ts, five_tuple, ip_id, ttl, len, sample_rate: 1, ..Datagram::ZERO };
        let (mut ids, mut token) = (None, None);
        for part in self.parts() {
            let is_first = |kinds| part.kinds.intersects(kinds) && !row.kinds.intersects(kinds);
            let [versioned, long, initial] = [Kinds::VERSIONED, Kinds::LONG, Kinds::INITIAL].map(is_first);
            row.kinds |= part.kinds;
            if versioned {
                row.version = part.version;
            }
            let Some(header) = part.header else { continue };
            if long {
                ids = Some((header.dcid, header.scid));
            }
            if initial {
                token = header.token;
            }
        }
        // Most datagrams have short headers only, and nothing to hash.
        if let Some((dcid, scid)) = ids {
            let begun = key.of(&five_tuple);
            (row.dcid, row.scid) = (Some(begun.hash(dcid)), Some(begun.hash(scid)));
            // At most 20.
            row.dcid_len = dcid.len() as u8;
            row.token = token.map(|token| begun.token(token));
        }
        row
    }
}

/// Length of a UDP header (RFC 768).
const HEADER: usize = 8;

/// Whether a datagram is one of those that are meant, by its captured bytes: where any port may be a server's, tunnels are not.
fn is_meant(datagram: &[u8], ports: &ServerPorts) -> bool {
    match (u16_at(datagram, 0), u16_at(datagram, 2)) {
        _ if ports.is_any() => udp_tunnel(datagram).is_none(),
        (Some(src), Some(dst)) => ports.contains(src) || ports.contains(dst),
        _ => false,
    }
}

/// Whether what an IP packet carries is for the data set `quic`, as far as its protocol and ports say.
pub(crate) fn may_be_found(protocol: u8, payload: &[u8], ports: &ServerPorts) -> bool {
    match protocol {
        UDP => is_meant(payload, ports),
        protocol => matches!(protocol, ICMP | ICMPV6),
    }
}

fn five_tuple(ip: &Ip<'_>) -> Option<FiveTuple> {
    let (src_port, dst_port) = (u16_at(ip.payload, 0)?, u16_at(ip.payload, 2)?);
    Some(FiveTuple { src_ip: ip.src, src_port, dst_ip: ip.dst, dst_port })
}

/// The rows of an ICMP error, if it quotes at least the whole UDP header of a datagram with a server port.
fn quoted(ip: &Ip<'_>, ts: i64, ports: &ServerPorts) -> Option<[Datagram; 2]> {
    let (code, quote) = ip.unreachable()?;
    let quoted = five_tuple(&quote)?;
    if quote.protocol != UDP || quote.payload.len() < HEADER || !ports.has_either(&quoted) {
        return None;
    }
    let is_port = code == if ip.is_v6 { 4 } else { 3 };
    let to_client = if is_port { Icmp::Port } else { Icmp::Other };
    Some([(quoted.reversed(), to_client), (quoted, Icmp::Server)].map(|(five_tuple, icmp)| Datagram {
        ts,
        five_tuple,
        ip_id: ip.ip_id,
        ttl: ip.ttl,
        sample_rate: 1,
        kinds: Kinds::ICMP,
        icmp: Some(icmp),
        ..Datagram::ZERO
    }))
}

/// Why a frame is refused that has none.
#[cold]
fn other(link: LinkType, frame: Frame<'_>) -> Refusal {
    match Packet::parse(link, frame) {
        Ok(_) | Err(Refusal::NotTcp | Refusal::Cut) => Refusal::NotQuic,
        Err(refusal) => refusal,
    }
}
