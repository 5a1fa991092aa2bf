//! ICMP errors that say that the target of a SYN packet cannot be reached.

use crate::bytes::{u16_at, u32_at};
use crate::ip::{End, Ip};
use crate::parse::PROTOCOL_TCP;
use crate::{FiveTuple, Flags, Frame, LinkType, Packet, link};

/// An ICMP destination-unreachable error that quotes a SYN packet (docs/origin.md#icmp): ICMPv4 type 3, but not code 4
/// (fragmentation needed), and ICMPv6 type 1.
///
/// ```
/// use cutshort_packet::{Frame, LinkType, Unreachable};
///
/// // "Host unreachable" of a router at 192.0.2.9, which quotes a SYN packet's IP header and 8 bytes of TCP.
/// let bytes = [
///     0x45, 0, 0, 56, 0, 5, 0, 0, 60, 1, 0, 0, 192, 0, 2, 9, 192, 0, 2, 1, //
///     3, 1, 0, 0, 0, 0, 0, 0, //
///     0x45, 0, 0, 60, 0, 1, 0x40, 0, 63, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2, //
///     0x9c, 0xb0, 0x01, 0xbb, 0, 0, 0x03, 0xe8,
/// ];
/// let frame = Frame { ts: 7, wire_len: 56, bytes: &bytes };
/// let found = Unreachable::parse(LinkType::Raw, frame).unwrap();
/// assert_eq!(found.five_tuple.to_string(), "192.0.2.1:40112 > 198.51.100.2:443");
/// assert_eq!((found.ts, found.seq, found.ttl, found.ip_id), (7, 1000, 60, 5));
///
/// let cut = Frame { bytes: &bytes[..55], ..frame };
/// assert_eq!(Unreachable::parse(LinkType::Raw, cut), None, "fewer than 8 bytes of TCP");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// Capture time of the error in nanoseconds since the Unix epoch.
    pub ts: i64,
    /// Addresses and ports of the quoted SYN packet: from who opened the connection to the server.
    pub five_tuple: FiveTuple,
    /// Sequence number of the quoted SYN packet.
    pub seq: u32,
    /// IPv4 identification of the error; 0 for IPv6.
    pub ip_id: u16,
    /// IPv4 time to live or IPv6 hop limit of the error, as captured.
    pub ttl: u8,
}

impl Unreachable {
    /// Returns the row of the data set `origin` that this is (docs/origin.md#icmp), with the 5-tuple of the opener.
    #[must_use]
    pub fn row(&self) -> Packet {
        Packet {
            ts: self.ts,
            five_tuple: self.five_tuple,
            flags: Flags::RECEIVED | Flags::ICMP,
            seq: self.seq,
            ip_id: self.ip_id,
            ttl: self.ttl,
            sample_rate: 1,
            ..Packet::ZERO
        }
    }

    /// Parses a frame; `None` if it is anything else, or if the quote is too short.
    ///
    /// The quote must have at least 8 bytes of the TCP header. If it has the flags as well, they must be those of a SYN
    /// packet. Checksums are not verified. [`Packet::parse`](crate::Packet::parse) refuses such a frame as `not_tcp`.
    #[must_use]
    pub fn parse(link: LinkType, frame: Frame<'_>) -> Option<Self> {
        let (family, bytes) = link::network(link, frame.bytes).ok()?;
        let ip = Ip::parse(family, bytes, End::Captured { missing: 0 }).ok()?;
        let (_, quoted) = ip.unreachable()?;
        let tcp = quoted.payload;
        if quoted.protocol != PROTOCOL_TCP || tcp.len() < 8 {
            return None;
        }
        if u16_at(tcp, 12).is_some_and(|flags| !Flags::from_bits(flags).is_syn()) {
            return None;
        }
        let (src_port, dst_port) = (u16_at(tcp, 0)?, u16_at(tcp, 2)?);
        let five_tuple = FiveTuple { src_ip: quoted.src, src_port, dst_ip: quoted.dst, dst_port };
        Some(Self { ts: frame.ts, five_tuple, seq: u32_at(tcp, 4)?, ip_id: ip.ip_id, ttl: ip.ttl })
    }
}
