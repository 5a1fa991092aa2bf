use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};
use std::ops::BitOr;

/// The fixed header fields of one TCP packet: one row of what cutshort keeps.
///
/// Payload is never part of it. Which server saw the packet (the *node*) belongs to where packets
/// come from, not to each of them, and travels beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packet {
    /// Capture time in nanoseconds since the Unix epoch. May be coarse or out of order.
    pub ts: i64,
    /// Addresses and ports, in the direction of the packet.
    pub five_tuple: FiveTuple,
    /// IPv4 identification; 0 for IPv6.
    pub ip_id: u16,
    /// IPv4 time to live or IPv6 hop limit, as captured.
    pub ttl: u8,
    /// The nine TCP flag bits.
    pub flags: Flags,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number, whether or not the ACK bit is set.
    pub ack: u32,
    /// Window, unscaled.
    pub window: u16,
    /// Bytes of TCP options: data offset x 4 - 20.
    pub options_len: u8,
    /// Bytes of TCP payload according to the IP length, so a snapped packet keeps its true length.
    pub payload_len: u32,
    /// N of "1 in N" connections when this packet was taken; 1 for a full capture.
    pub sample_rate: u32,
}

impl Packet {
    /// With 0 in all fields: to be [parsed in place](Self::parse_in_place).
    pub const NONE: Self = Self {
        ts: 0,
        five_tuple: FiveTuple::NONE,
        ip_id: 0,
        ttl: 0,
        flags: Flags(0),
        seq: 0,
        ack: 0,
        window: 0,
        options_len: 0,
        payload_len: 0,
        sample_rate: 0,
    };
}

/// Source and destination of a TCP packet. IPv4 addresses are IPv4-mapped (`::ffff:0:0/96`), so
/// that both families are one type; the parser refuses such addresses in real IPv6 headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FiveTuple {
    /// Source address.
    pub src_ip: Ipv6Addr,
    /// Source port.
    pub src_port: u16,
    /// Destination address.
    pub dst_ip: Ipv6Addr,
    /// Destination port.
    pub dst_port: u16,
}

impl FiveTuple {
    /// Unspecified addresses, ports 0.
    pub const NONE: Self =
        Self { src_ip: Ipv6Addr::UNSPECIFIED, src_port: 0, dst_ip: Ipv6Addr::UNSPECIFIED, dst_port: 0 };

    /// A 5-tuple of addresses of either family.
    #[must_use]
    pub fn new(src: IpAddr, src_port: u16, dst: IpAddr, dst_port: u16) -> Self {
        Self { src_ip: mapped(src), src_port, dst_ip: mapped(dst), dst_port }
    }

    /// The same connection in the other direction.
    #[must_use]
    #[inline]
    pub fn reversed(&self) -> Self {
        Self { src_ip: self.dst_ip, src_port: self.dst_port, dst_ip: self.src_ip, dst_port: self.src_port }
    }

    /// Source address, IPv4 where it is one.
    #[must_use]
    pub fn src(&self) -> IpAddr {
        self.src_ip.to_canonical()
    }

    /// Destination address, IPv4 where it is one.
    #[must_use]
    pub fn dst(&self) -> IpAddr {
        self.dst_ip.to_canonical()
    }

    /// Whether the addresses are IPv4.
    #[must_use]
    #[inline]
    pub fn is_ipv4(&self) -> bool {
        self.src_ip.segments()[..6] == [0, 0, 0, 0, 0, 0xffff]
    }
}

/// In three words instead of field by field: every packet is looked up by it.
impl Hash for FiveTuple {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.src_ip.to_bits());
        state.write_u128(self.dst_ip.to_bits());
        state.write_u32(u32::from(self.src_port) << 16 | u32::from(self.dst_port));
    }
}

/// `198.51.100.7:40112 > 203.0.113.5:443`, `[2001:db8::1]:40112 > [2001:db8::2]:443`
impl fmt::Display for FiveTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let src = std::net::SocketAddr::new(self.src(), self.src_port);
        let dst = std::net::SocketAddr::new(self.dst(), self.dst_port);
        write!(f, "{src} > {dst}")
    }
}

fn mapped(addr: IpAddr) -> Ipv6Addr {
    match addr {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

/// The nine flag bits of a TCP header (RFC 9293, 3.1; AE: RFC 9768).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flags(u16);

impl Flags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x001);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x002);
    /// Reset the connection.
    pub const RST: Self = Self(0x004);
    /// Push.
    pub const PSH: Self = Self(0x008);
    /// The acknowledgement number is significant.
    pub const ACK: Self = Self(0x010);
    /// The urgent pointer is significant.
    pub const URG: Self = Self(0x020);
    /// ECN echo.
    pub const ECE: Self = Self(0x040);
    /// Congestion window reduced.
    pub const CWR: Self = Self(0x080);
    /// Accurate ECN (formerly NS).
    pub const AE: Self = Self(0x100);

    /// Flags from the lowest nine bits; others are dropped.
    #[must_use]
    #[inline]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0x1ff)
    }

    /// The flags as the lowest nine bits, FIN lowest.
    #[must_use]
    #[inline]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether any of `other`'s bits is set.
    #[must_use]
    #[inline]
    pub const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Those of a SYN packet: SYN set, and none of ACK, RST, FIN.
    #[must_use]
    #[inline]
    pub const fn is_syn(self) -> bool {
        self.0 & (Self::SYN.0 | Self::ACK.0 | Self::RST.0 | Self::FIN.0) == Self::SYN.0
    }

    /// Flags from their letters, as [`Display`](fmt::Display) writes them: `S`, `PA`, `-`.
    ///
    /// # Errors
    /// The first character that is no flag.
    pub fn from_letters(letters: &str) -> Result<Self, char> {
        let bit = |c| LETTERS.iter().find(|(l, _)| *l == c).map(|(_, flag)| *flag).ok_or(c);
        letters.chars().filter(|c| *c != '-').try_fold(Self::default(), |flags, c| Ok(flags | bit(c)?))
    }
}

impl BitOr for Flags {
    type Output = Self;
    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

const LETTERS: [(char, Flags); 9] = [
    ('S', Flags::SYN),
    ('F', Flags::FIN),
    ('R', Flags::RST),
    ('P', Flags::PSH),
    ('A', Flags::ACK),
    ('U', Flags::URG),
    ('E', Flags::ECE),
    ('W', Flags::CWR),
    ('N', Flags::AE),
];

/// One letter a flag: `SFRPAUEWN`, where W is CWR and N is AE; `-` when none is set.
impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: String = LETTERS.iter().filter(|(_, flag)| self.any(*flag)).map(|(c, _)| *c).collect();
        f.pad(if letters.is_empty() { "-" } else { &letters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_read_back_what_they_write() {
        for bits in 0..0x200 {
            let flags = Flags::from_bits(bits);
            assert_eq!(Flags::from_letters(&flags.to_string()), Ok(flags));
        }
        assert_eq!(Flags::from_letters("SX"), Err('X'));
        assert_eq!((Flags::PSH | Flags::ACK).to_string(), "PA");
    }

    #[test]
    fn a_syn_packet_has_none_of_the_other_bits_that_decide() {
        for bits in 0..0x200 {
            let letters = Flags::from_bits(bits).to_string();
            let expected = letters.contains('S') && !letters.contains(['A', 'R', 'F']);
            assert_eq!(Flags::from_bits(bits).is_syn(), expected, "{letters}");
        }
    }

    #[test]
    fn five_tuple_shows_each_family_in_its_own_notation() {
        let v4 = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
        assert_eq!(v4.to_string(), "198.51.100.7:40112 > 203.0.113.5:443");
        assert!(v4.is_ipv4());
        let v6 = FiveTuple::new("2001:db8::1".parse().unwrap(), 1, "2001:db8::2".parse().unwrap(), 2);
        assert_eq!(v6.reversed().to_string(), "[2001:db8::2]:2 > [2001:db8::1]:1");
        assert!(!v6.is_ipv4());
    }
}
