//! Ethernet, IPv4 or IPv6, TCP: just the fields that both loops use.

use crate::table::Key;

const ETHERNET: usize = 14;
const IPV6: usize = 40;
const TCP: usize = 20;
const PROTOCOL_TCP: u8 = 6;
/// The second half of an IPv4-mapped address up to the IPv4 address itself: `::ffff:0:0/96`.
const MAPPED: u64 = 0xffff_0000_0000;

pub struct Header {
    pub flags: u16,
    pub payload_len: u32,
    tcp_at: usize,
    ipv6: bool,
}

fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

impl Header {
    #[inline(always)]
    pub fn parse(frame: &[u8]) -> Option<Self> {
        if frame.len() < ETHERNET + 20 + TCP {
            return None;
        }
        match be16(frame, 12) {
            0x0800 => Self::ipv4(frame),
            0x86dd => Self::ipv6(frame),
            _ => None,
        }
    }

    #[inline(always)]
    fn ipv4(frame: &[u8]) -> Option<Self> {
        let ip = frame.get(ETHERNET..ETHERNET + 20)?;
        let first_fragment = be16(ip, 6) & 0x1fff == 0;
        if ip[0] >> 4 != 4 || ip[9] != PROTOCOL_TCP || !first_fragment {
            return None;
        }
        let header_len = usize::from(ip[0] & 15) * 4;
        let ip_payload = usize::from(be16(ip, 2)).checked_sub(header_len)?;
        Self::tcp(frame, ETHERNET + header_len, ip_payload, false)
    }

    #[inline(always)]
    fn ipv6(frame: &[u8]) -> Option<Self> {
        let ip = frame.get(ETHERNET..ETHERNET + IPV6)?;
        if ip[0] >> 4 != 6 || ip[6] != PROTOCOL_TCP {
            return None;
        }
        Self::tcp(frame, ETHERNET + IPV6, usize::from(be16(ip, 4)), true)
    }

    #[inline(always)]
    fn tcp(frame: &[u8], tcp_at: usize, ip_payload: usize, ipv6: bool) -> Option<Self> {
        let tcp = frame.get(tcp_at..tcp_at + TCP)?;
        let header_len = usize::from(tcp[12] >> 4) * 4;
        let payload_len = ip_payload.checked_sub(header_len)? as u32;
        Some(Self { flags: be16(tcp, 12) & 0x1ff, payload_len, tcp_at, ipv6 })
    }

    /// The 5-tuple (the protocol is always TCP) as 36 bytes, IPv4 as IPv4-mapped.
    #[inline(always)]
    pub fn key(&self, frame: &[u8]) -> Option<Key> {
        let ports = be32(frame, self.tcp_at)?;
        let addresses = if self.ipv6 {
            let at = ETHERNET + 8;
            [be64(frame, at)?, be64(frame, at + 8)?, be64(frame, at + 16)?, be64(frame, at + 24)?]
        } else {
            let (src, dst) = (be32(frame, ETHERNET + 12)?, be32(frame, ETHERNET + 16)?);
            [0, MAPPED | u64::from(src), 0, MAPPED | u64::from(dst)]
        };
        Some(Key { addresses, ports })
    }
}
