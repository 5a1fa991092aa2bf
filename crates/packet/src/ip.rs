//! IP packets of any protocol, for all that is not TCP.

use std::net::Ipv6Addr;

use crate::Refusal;
use crate::bytes::u16_at;
use crate::family::Family;
use crate::parse::{AUTHENTICATION, IPV6_HEADER, address, extension_header, is_mapped, mapped};
use crate::unread::ipv6_chain;

/// What is known of the end of an IP packet.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// By its length, behind which there is padding; or where that is 0, behind so many bytes that were not captured.
    Captured { missing: usize },
    /// It was cut for a quote, so that its length says nothing.
    Quoted,
}

/// An IP packet, as far as it was captured.
pub(crate) struct Ip<'a> {
    pub(crate) is_v6: bool,
    pub(crate) ip_id: u16,
    pub(crate) ttl: u8,
    pub(crate) src: Ipv6Addr,
    pub(crate) dst: Ipv6Addr,
    /// Behind extension and authentication headers.
    pub(crate) protocol: u8,
    /// The captured bytes of what it carries; nothing of a later fragment.
    pub(crate) payload: &'a [u8],
    /// The length of what it carries.
    pub(crate) len: usize,
    /// Whether it is a fragment, and not the first.
    pub(crate) is_later_fragment: bool,
}

impl<'a> Ip<'a> {
    /// Reads the headers of an IP packet.
    pub(crate) fn parse(family: Family, bytes: &'a [u8], end: End) -> Result<Self, Refusal> {
        let ip = match (bytes.first().map(|first| first >> 4), family) {
            (Some(4), Family::Ipv4 | Family::Either) => Self::v4(bytes, end),
            (Some(6), Family::Ipv6 | Family::Either) => Self::v6(bytes, end),
            _ => None,
        };
        ip.ok_or(Refusal::Malformed)
    }

    /// The captured bytes of a packet that is `len` bytes long by its header, 0 if that does not say; and its length.
    fn whole(bytes: &'a [u8], len: usize, end: End) -> (&'a [u8], usize) {
        match (len, end) {
            (1.., End::Captured { .. }) => (&bytes[..len.min(bytes.len())], len),
            (0, End::Captured { missing }) => (bytes, bytes.len() + missing),
            (_, End::Quoted) => (bytes, bytes.len()),
        }
    }

    fn v4(bytes: &'a [u8], end: End) -> Option<Self> {
        let header: &[u8; 20] = bytes.first_chunk()?;
        let header_len = usize::from(header[0] & 0x0f) * 4;
        let (bytes, len) = Self::whole(bytes, u16_at(header, 2)?.into(), end);
        let is_later_fragment = u16_at(header, 6)? & 0x1fff != 0;
        if header_len < 20 {
            return None;
        }
        let (mut protocol, mut payload) = (header[9], bytes.get(header_len..)?);
        while protocol == AUTHENTICATION && !is_later_fragment {
            let len = extension_header(protocol, payload).ok()?;
            (protocol, payload) = (*payload.first()?, payload.get(len..)?);
        }
        Some(Self {
            is_v6: false,
            ip_id: u16_at(header, 4)?,
            ttl: header[8],
            src: mapped(*header[12..].first_chunk()?),
            dst: mapped(*header[16..].first_chunk()?),
            protocol,
            len: (len - bytes.len()) + payload.len(),
            payload: if is_later_fragment { &[] } else { payload },
            is_later_fragment,
        })
    }

    fn v6(bytes: &'a [u8], end: End) -> Option<Self> {
        let header: &[u8; IPV6_HEADER] = bytes.first_chunk()?;
        let len = match u16_at(header, 4)? {
            0 => 0,
            len => IPV6_HEADER + usize::from(len),
        };
        let (bytes, len) = Self::whole(bytes, len, end);
        let chain = ipv6_chain(bytes)?;
        let (src, dst) = (address(header, 8), address(header, 24));
        if is_mapped(src) || is_mapped(dst) {
            return None;
        }
        Some(Self {
            is_v6: true,
            ip_id: 0,
            ttl: header[7],
            src,
            dst,
            protocol: chain.protocol,
            payload: chain.payload,
            len: (len - bytes.len()) + chain.payload.len(),
            is_later_fragment: chain.is_later,
        })
    }

    /// The packet that an ICMP destination-unreachable error quotes, and the code of the error. Fragmentation needed (RFC
    /// 1191) is none.
    pub(crate) fn unreachable(&self) -> Option<(u8, Ip<'a>)> {
        const FRAGMENTATION_NEEDED: u8 = 4;
        let &[kind, code] = self.payload.first_chunk()?;
        let is_error = match (self.is_v6, self.protocol) {
            (false, ICMP) => kind == 3 && code != FRAGMENTATION_NEEDED,
            (true, ICMPV6) => kind == 1,
            _ => false,
        };
        let family = if self.is_v6 { Family::Ipv6 } else { Family::Ipv4 };
        let quote = self.payload.get(8..).filter(|_| is_error)?;
        let quoted = Ip::parse(family, quote, End::Quoted).ok()?;
        (!quoted.is_later_fragment).then_some((code, quoted))
    }
}

pub(crate) const ICMP: u8 = 1;
pub(crate) const UDP: u8 = 17;
pub(crate) const ICMPV6: u8 = 58;
