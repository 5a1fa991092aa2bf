use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::BitOr;
use std::str::FromStr;

use crate::{SynOptions, Unreachable};

/// The fixed header fields of one TCP packet (docs/spec.md#fields).
///
/// Payload is never part of it. Fields are as on the wire unless they say otherwise; all are numbers in the byte
/// order of this machine.
///
/// ```
/// use cutshort_packet::{FiveTuple, Flags, Packet};
///
/// let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
/// let syn = Packet { five_tuple, flags: Flags::SYN, seq: 1000, ttl: 52, sample_rate: 1, ..Packet::ZERO };
/// let rst = Packet { ts: 40_000_000, flags: Flags::RST, seq: 1001, ..syn };
/// assert!(syn.is_syn() && !rst.is_syn());
/// assert_eq!(rst.ts - syn.ts, 40_000_000, "nanoseconds");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packet {
    /// Capture time in nanoseconds since the Unix epoch; it may be coarse, and run backwards from packet to packet.
    pub ts: i64,
    /// Addresses and ports, in the direction of the packet.
    pub five_tuple: FiveTuple,
    /// IPv4 identification (RFC 791, 3.1); 0 for IPv6.
    pub ip_id: u16,
    /// IPv4 time to live or IPv6 hop limit, as captured.
    pub ttl: u8,
    /// The nine TCP flag bits (RFC 9293, 3.1).
    pub flags: Flags,
    /// Sequence number of the first byte of payload, or of the SYN or FIN itself.
    pub seq: u32,
    /// Acknowledgement number as it stands in the header, whether or not the ACK bit is set.
    pub ack: u32,
    /// TCP window as it stands in the header, without window scaling (RFC 7323, 2).
    pub tcp_window: u16,
    /// Length of the TCP options in bytes, 0 to 40: data offset × 4 − 20.
    pub options_len: u8,
    /// Length of the TCP payload in bytes according to the IP header, so that a snapped packet keeps its true
    /// length (docs/spec.md#payload-len).
    pub payload_len: u32,
    /// Number N where 1 in N connections was sampled when this packet was taken; 1 for a full capture.
    pub sample_rate: u32,
    /// IPv4 "don't fragment" (RFC 791, 3.1); false for IPv6.
    pub df: bool,
    /// The TCP options, if this is a SYN packet.
    pub syn: SynOptions,
}

impl Packet {
    /// A packet with 0 in all fields and no options, to be [parsed in place](Self::parse_in_place) or filled in.
    pub const ZERO: Self = Self {
        ts: 0,
        five_tuple: FiveTuple::ZERO,
        ip_id: 0,
        ttl: 0,
        flags: Flags(0),
        seq: 0,
        ack: 0,
        tcp_window: 0,
        options_len: 0,
        payload_len: 0,
        sample_rate: 0,
        df: false,
        syn: SynOptions::NONE,
    };

    /// Returns true if this is a SYN packet, one that may begin a connection (docs/spec.md#syn-packet).
    #[must_use]
    #[inline]
    pub const fn is_syn(&self) -> bool {
        self.flags.is_syn()
    }

    /// Returns the row of the data set `origin` that this is as a packet of the opener; none if such packets are no rows
    /// (docs/origin.md#sent).
    #[must_use]
    pub fn sent_row(&self) -> Option<Self> {
        self.flags.is_sent_row().then_some(*self)
    }

    /// Returns the row of the data set `origin` that this is as a packet of the server: with the 5-tuple of the opener, and
    /// the mark [`Flags::RECEIVED`] (docs/origin.md#received).
    #[must_use]
    pub fn received_row(&self) -> Self {
        Self { five_tuple: self.five_tuple.reversed(), flags: self.flags | Flags::RECEIVED, ..*self }
    }

    /// Returns the packet that this row was made from: the inverse of [`sent_row`](Self::sent_row) and
    /// [`received_row`](Self::received_row).
    #[must_use]
    pub fn of_row(&self) -> Self {
        let five_tuple = match self.flags.intersects(Flags::RECEIVED) {
            true => self.five_tuple.reversed(),
            false => self.five_tuple,
        };
        Self { five_tuple, flags: self.flags.unmarked(), ..*self }
    }

    /// Returns the ICMP error that this row was made from, if it was: the inverse of [`Unreachable::row`].
    #[must_use]
    pub fn unreachable(&self) -> Option<Unreachable> {
        let Self { ts, five_tuple, seq, ip_id, ttl, .. } = *self;
        self.flags.intersects(Flags::ICMP).then_some(Unreachable { ts, five_tuple, seq, ip_id, ttl })
    }
}

/// Source and destination of a TCP packet; its order is that of the fields.
///
/// IPv4 addresses are kept as IPv4-mapped IPv6 addresses (`::ffff:0:0/96`; RFC 4291, 2.5.5.2), so that both families
/// are one type. The parser refuses such addresses in real IPv6 headers.
///
/// ```
/// use cutshort_packet::FiveTuple;
///
/// let client = FiveTuple::new("2001:db8::1".parse()?, 40112, "2001:db8::2".parse()?, 443);
/// assert_eq!(client.to_string(), "[2001:db8::1]:40112 > [2001:db8::2]:443");
/// assert_eq!(client.reversed().to_string(), "[2001:db8::2]:443 > [2001:db8::1]:40112");
///
/// let v4 = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
/// assert!(v4.is_ipv4() && v4.src().is_ipv4(), "although it is kept as {}", v4.src_ip);
/// assert_eq!("198.51.100.7:40112 > 203.0.113.5:443".parse(), Ok(v4));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FiveTuple {
    /// Source address, IPv4-mapped if it is one of IPv4.
    pub src_ip: Ipv6Addr,
    /// Source port in the TCP header.
    pub src_port: u16,
    /// Destination address, IPv4-mapped if it is one of IPv4.
    pub dst_ip: Ipv6Addr,
    /// Destination port in the TCP header.
    pub dst_port: u16,
}

impl FiveTuple {
    /// The 5-tuple with unspecified addresses (`::`) and ports 0.
    pub const ZERO: Self =
        Self { src_ip: Ipv6Addr::UNSPECIFIED, src_port: 0, dst_ip: Ipv6Addr::UNSPECIFIED, dst_port: 0 };

    /// Creates a 5-tuple from addresses of either family.
    #[must_use]
    pub fn new(src: IpAddr, src_port: u16, dst: IpAddr, dst_port: u16) -> Self {
        Self { src_ip: mapped(src), src_port, dst_ip: mapped(dst), dst_port }
    }

    /// Swaps source and destination: the same connection in the other direction.
    #[must_use]
    #[inline]
    pub fn reversed(&self) -> Self {
        Self { src_ip: self.dst_ip, src_port: self.dst_port, dst_ip: self.src_ip, dst_port: self.src_port }
    }

    /// Returns the source address in its own family.
    #[must_use]
    pub fn src(&self) -> IpAddr {
        self.src_ip.to_canonical()
    }

    /// Returns the destination address in its own family.
    #[must_use]
    pub fn dst(&self) -> IpAddr {
        self.dst_ip.to_canonical()
    }

    /// Returns true if the addresses are of IPv4.
    #[must_use]
    #[inline]
    pub fn is_ipv4(&self) -> bool {
        self.src_ip.segments()[..6] == [0, 0, 0, 0, 0, 0xffff]
    }
}

/// Hashes three words instead of field by field: every packet is looked up by its 5-tuple.
impl Hash for FiveTuple {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.src_ip.to_bits());
        state.write_u128(self.dst_ip.to_bits());
        state.write_u32(u32::from(self.src_port) << 16 | u32::from(self.dst_port));
    }
}

/// Writes `198.51.100.7:40112 > 203.0.113.5:443` or `[2001:db8::1]:40112 > [2001:db8::2]:443`.
impl fmt::Display for FiveTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let src = SocketAddr::new(self.src(), self.src_port);
        let dst = SocketAddr::new(self.dst(), self.dst_port);
        write!(f, "{src} > {dst}")
    }
}

/// Why a text is not a 5-tuple; it is written with an example of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FiveTupleError;

impl fmt::Display for FiveTupleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "write CLIENT:PORT > SERVER:PORT, such as '198.51.100.7:40112 > 203.0.113.5:443' \
             or '[2001:db8::1]:40112 > [2001:db8::2]:443'",
        )
    }
}

impl std::error::Error for FiveTupleError {}

/// Reads what [`Display`](fmt::Display) writes, also with `->`, `-`, `→` or a comma in place of `>`, and addresses and
/// ports as four fields.
impl FromStr for FiveTuple {
    type Err = FiveTupleError;

    fn from_str(text: &str) -> Result<Self, FiveTupleError> {
        let spaced = text.replace(['>', '-', ',', '→'], " ");
        let fields: Vec<&str> = spaced.split_whitespace().collect();
        let parsed = match fields[..] {
            [source, target] => pair(source, target),
            [source, source_port, target, target_port] => four(source, source_port, target, target_port),
            _ => None,
        };
        parsed.ok_or(FiveTupleError)
    }
}

fn pair(source: &str, target: &str) -> Option<FiveTuple> {
    let (source, target): (SocketAddr, SocketAddr) = (source.parse().ok()?, target.parse().ok()?);
    Some(FiveTuple::new(source.ip(), source.port(), target.ip(), target.port()))
}

fn four(source: &str, source_port: &str, target: &str, target_port: &str) -> Option<FiveTuple> {
    let ports = (source_port.parse().ok()?, target_port.parse().ok()?);
    Some(FiveTuple::new(source.parse().ok()?, ports.0, target.parse().ok()?, ports.1))
}

fn mapped(addr: IpAddr) -> Ipv6Addr {
    match addr {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

/// The nine flag bits of a TCP header (RFC 9293, 3.1; AE: RFC 9768, 3.1).
///
/// ```
/// use cutshort_packet::Flags;
///
/// let flags = Flags::PSH | Flags::ACK;
/// assert!(flags.intersects(Flags::ACK | Flags::RST), "at least one of the two");
/// assert!(!flags.intersects(Flags::SYN));
/// assert_eq!((flags.bits(), flags.to_string().as_str()), (0x018, "PA"));
/// assert_eq!(Flags::from_bits(0x5018), flags, "the data offset above the flags is dropped");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flags(u16);

impl Flags {
    /// FIN, bit 0: the sender has no more data.
    pub const FIN: Self = Self(0x001);
    /// SYN, bit 1: synchronizes sequence numbers.
    pub const SYN: Self = Self(0x002);
    /// RST, bit 2: resets the connection.
    pub const RST: Self = Self(0x004);
    /// PSH, bit 3: asks the receiver to pass on what it has.
    pub const PSH: Self = Self(0x008);
    /// ACK, bit 4: the acknowledgement number is significant.
    pub const ACK: Self = Self(0x010);
    /// URG, bit 5: the urgent pointer is significant.
    pub const URG: Self = Self(0x020);
    /// ECE, bit 6: ECN echo (RFC 3168, 6.1).
    pub const ECE: Self = Self(0x040);
    /// CWR, bit 7: congestion window reduced (RFC 3168, 6.1).
    pub const CWR: Self = Self(0x080);
    /// AE, bit 8: accurate ECN (RFC 9768, 3.1), formerly NS.
    pub const AE: Self = Self(0x100);

    /// A mark, not in any header: the packet came from the server (data set `origin`; docs/origin.md#rows).
    pub const RECEIVED: Self = Self(0x200);
    /// A mark, not in any header: this is an ICMP error that quotes a SYN packet (data set `origin`; docs/origin.md#rows).
    /// It always comes with [`RECEIVED`](Self::RECEIVED).
    pub const ICMP: Self = Self(0x400);

    /// A mark, not in any header, and only of rows in memory: the SYN packet is one as ZMap 4.1 sends it (docs/spec.md#tag-zmap4).
    pub const ZMAP4: Self = Self(0x800);
    /// A mark as [`ZMAP4`](Self::ZMAP4): the SYN packet's numbers are those of masscan (docs/spec.md#tag-masscan).
    pub const MASSCAN: Self = Self(0x1000);
    /// A mark as [`ZMAP4`](Self::ZMAP4): the SYN packet's sequence number is that of Mirai (docs/spec.md#tag-mirai).
    pub const MIRAI: Self = Self(0x2000);
    /// The marks of SYN packets as scanners send them.
    pub const SCANNERS: Self = Self(Self::ZMAP4.0 | Self::MASSCAN.0 | Self::MIRAI.0);

    /// Takes the lowest nine bits, FIN lowest; higher ones are dropped.
    #[must_use]
    #[inline]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0x1ff)
    }

    /// Takes what [`bits`](Self::bits) gave, with the marks of the data set `origin`; bits above them are dropped.
    ///
    /// ```
    /// use cutshort_packet::Flags;
    ///
    /// let flags = Flags::SYN | Flags::ACK | Flags::RECEIVED;
    /// assert_eq!(Flags::from_marked_bits(flags.bits()), flags);
    /// assert_eq!(flags.unmarked(), Flags::SYN | Flags::ACK);
    /// assert_eq!(flags.to_string(), "SA", "marks have no letter");
    /// ```
    #[must_use]
    #[inline]
    pub const fn from_marked_bits(bits: u16) -> Self {
        Self(bits & 0x7ff)
    }

    /// Takes the marks of [`SCANNERS`](Self::SCANNERS) among the bits.
    #[must_use]
    #[inline]
    pub const fn from_scanner_bits(bits: u16) -> Self {
        Self(bits & Self::SCANNERS.0)
    }

    /// Returns the flags without the marks of [`SCANNERS`](Self::SCANNERS).
    #[must_use]
    #[inline]
    pub const fn without_scanners(self) -> Self {
        Self(self.0 & !Self::SCANNERS.0)
    }

    /// Returns those of the flags that are in `other` as well.
    #[must_use]
    #[inline]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the flags of the header, without marks.
    #[must_use]
    #[inline]
    pub const fn unmarked(self) -> Self {
        Self(self.0 & 0x1ff)
    }

    /// Returns the flags as the lowest nine bits, FIN lowest, and the marks above them.
    #[must_use]
    #[inline]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Returns true if at least one of `other`'s flags is set.
    #[must_use]
    #[inline]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The flags that decide whether a packet is a SYN packet: of these, SYN alone is set (RFC 9293,
    /// 3.5; docs/spec.md#syn-packet).
    pub const SYN_MASK: Self = Self(Self::SYN.0 | Self::ACK.0 | Self::RST.0 | Self::FIN.0);

    /// Returns true for the flags of a SYN packet: SYN is set, and none of ACK, RST and FIN.
    ///
    /// ```
    /// use cutshort_packet::Flags;
    ///
    /// assert!((Flags::SYN | Flags::ECE | Flags::CWR).is_syn(), "a SYN that offers ECN");
    /// assert!(!(Flags::SYN | Flags::ACK).is_syn());
    /// ```
    #[must_use]
    #[inline]
    pub const fn is_syn(self) -> bool {
        self.0 & Self::SYN_MASK.0 == Self::SYN.0
    }

    /// Returns true for the flags of what an opener sends, if it is a row of the data set `origin` (docs/origin.md#sent): a SYN
    /// packet, or the PSH, FIN or RST bit without the SYN bit.
    #[must_use]
    #[inline]
    pub const fn is_sent_row(self) -> bool {
        const CLOSES_OR_PUSHES: Flags = Flags(Flags::PSH.0 | Flags::FIN.0 | Flags::RST.0);
        self.is_syn() || (!self.intersects(Self::SYN) && self.intersects(CLOSES_OR_PUSHES))
    }

    /// Reads flags from their letters, as [`Display`](fmt::Display) writes them: `S`, `PA`, `-`.
    ///
    /// ```
    /// use cutshort_packet::Flags;
    ///
    /// assert_eq!(Flags::from_letters("PA"), Ok(Flags::PSH | Flags::ACK));
    /// assert_eq!(Flags::from_letters("SX"), Err('X'));
    /// ```
    ///
    /// # Errors
    /// Returns the first character that does not stand for a flag.
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

/// Writes one letter per flag, in the order `SFRPAUEWN`, where W is CWR and N is AE; `-` when none is set.
impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: String =
            LETTERS.iter().filter(|(_, flag)| self.intersects(*flag)).map(|(c, _)| *c).collect();
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

    #[test]
    fn five_tuples_are_read_in_many_forms() {
        let parse = |text: &str| text.parse::<FiveTuple>();
        let v4 = "198.51.100.7:40112 > 203.0.113.5:443";
        for text in [
            v4,
            "198.51.100.7:40112 -> 203.0.113.5:443",
            "198.51.100.7:40112-203.0.113.5:443",
            "198.51.100.7 40112 203.0.113.5 443",
            "198.51.100.7,40112,203.0.113.5,443",
        ] {
            assert_eq!(parse(text).unwrap().to_string(), v4);
        }
        let v6 = "[2001:db8::1]:1 > [2001:db8::2]:2";
        assert_eq!(parse(v6).unwrap().to_string(), v6);
        assert!(parse("198.51.100.7 > 203.0.113.5").is_err());
    }
}
