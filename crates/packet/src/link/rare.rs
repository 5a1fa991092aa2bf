//! Link layers of rare captures. None of this runs for Ethernet, cooked and raw captures.

use super::{ETHERTYPE_PPPOE_SESSION, PPP_PROTOCOL, Typed, by_ethertype, network as network_of, untagged};
use crate::bytes::{u16_at, u32_at};
use crate::family::Layer3;
use crate::tunnel::snap;
use crate::{LinkType, Refusal, Unread};

/// Walks a rare link layer up to its IP header.
#[cold]
pub(super) fn network(link: LinkType, frame: &[u8]) -> Result<Layer3<'_>, Refusal> {
    match link.carried(frame) {
        Some(carried) => carried.and_then(|(link, frame)| network_of(link, frame)),
        None => by_ethertype(link.ethertype(frame)?),
    }
}

impl LinkType {
    /// The link type and frame that a header around another link layer carries; `None` if this is no such header.
    ///
    /// The refusal is [`NotIp`](Refusal::NotIp) for a link type that is not known, else
    /// [`Malformed`](Refusal::Malformed).
    #[cold]
    pub(crate) fn carried(self, frame: &[u8]) -> Option<Result<(Self, &[u8]), Refusal>> {
        let found = match self {
            Self::Enc => frame.get(12..).map(|ip| (Some(Self::Raw), ip)),
            Self::Pflog => pflog(frame).map(|ip| (Some(Self::Raw), ip)),
            Self::JuniperEther => juniper(frame).map(|(link, rest)| (Some(link), rest)),
            Self::Ppi | Self::Pktap => behind(self, frame),
            _ => return None,
        };
        Some(match found {
            None => Err(Refusal::Malformed),
            // None of these is inside another.
            Some((None | Some(Self::Ppi | Self::Pktap | Self::JuniperEther), _)) => Err(Refusal::NotIp),
            Some((Some(link), rest)) => Ok((link, rest)),
        })
    }

    /// The EtherType that a rare link layer leads to, and what follows.
    ///
    /// # Errors
    /// [`Malformed`](Refusal::Malformed) if the header is cut; the refusal of frames that lead to none, as they are of
    /// another kind or encrypted.
    #[cold]
    pub(crate) fn ethertype(self, frame: &[u8]) -> Result<Typed<'_>, Refusal> {
        let found = match self {
            Self::TokenRing => token_ring(frame),
            Self::Ppp => match frame.first() {
                Some(0x0f | 0x8f) => cisco_hdlc(frame),
                _ => return of_ppp(ppp(frame).ok_or(Refusal::Malformed)?),
            },
            Self::Fddi => logical(frame, 13),
            Self::PppEther => frame.get(..PPP_PROTOCOL + 2).map(|_| Some((ETHERTYPE_PPPOE_SESSION, frame))),
            Self::CiscoHdlc => cisco_hdlc(frame),
            Self::Ieee80211 => wireless(frame, false),
            Self::FrameRelay => frame_relay(frame),
            Self::Radiotap => radiotap(frame),
            _ => Some(None),
        };
        found.ok_or(Refusal::Malformed)?.ok_or(Refusal::NotIp)
    }
}

/// A PPP protocol and what follows (RFC 1661, 2; RFC 1662, 3.1): address and control may be left out, and the protocol may be
/// one byte.
pub(crate) fn ppp(frame: &[u8]) -> Option<Typed<'_>> {
    let rest = match frame {
        [0xff] => return None,
        [0xff, 0x03, rest @ ..] => rest,
        rest => rest,
    };
    match rest.first()? {
        first if first & 1 == 1 => Some((u16::from(*first), rest.get(1..)?)),
        _ => Some((u16_at(rest, 0)?, rest.get(2..)?)),
    }
}

/// The EtherType of a PPP protocol.
///
/// # Errors
/// The refusal of another protocol.
pub(crate) fn of_ppp((protocol, rest): Typed<'_>) -> Result<Typed<'_>, Refusal> {
    let ethertype = match protocol {
        0x0021 => 0x0800,
        0x0057 => 0x86dd,
        0x0281 => 0x8847,
        0x0283 => 0x8848,
        other => return Err(Unread::Ppp(other).refusal().unwrap_or(Refusal::NotIp)),
    };
    Ok((ethertype, rest))
}

/// What a header leads to: `None` if it is cut, and nothing in it if the frame carries no packet.
type Found<'a> = Option<Option<Typed<'a>>>;

/// LLC behind a header of this length.
fn logical(frame: &[u8], header: usize) -> Found<'_> {
    let rest = frame.get(header..)?;
    rest.get(..8).map(|_| snap(rest))
}

/// Address and control, then an EtherType.
fn cisco_hdlc(frame: &[u8]) -> Found<'_> {
    untagged(frame, 2, 4).ok().map(Some)
}

/// Access and frame control, two addresses, perhaps routing information, then LLC.
fn token_ring(frame: &[u8]) -> Found<'_> {
    const ROUTED: u8 = 0x80;
    let routing = match frame.get(8)? & ROUTED {
        0 => 0,
        _ => usize::from(frame.get(14)? & 0x1f),
    };
    logical(frame, 14 + routing)
}

/// An address of two bytes, then what RFC 2427 has, or an EtherType as Cisco has it.
fn frame_relay(frame: &[u8]) -> Found<'_> {
    let rest = frame.get(2..)?;
    // The longest header.
    rest.get(..8)?;
    Some(match rest {
        [0x03, 0xcc, ip @ ..] => Some((0x0800, ip)),
        [0x03, 0x8e, ip @ ..] => Some((0x86dd, ip)),
        [0x03, 0x00, 0x80, 0, 0, 0, high, low, rest @ ..] | [0x03, 0x80, 0, 0, 0, high, low, rest @ ..] => {
            Some((u16::from_be_bytes([*high, *low]), rest))
        }
        [0x08 | 0x86 | 0x88, ..] => Some((u16_at(rest, 0)?, rest.get(2..)?)),
        _ => None,
    })
}

/// A data frame of IEEE 802.11 (9.3.2.1), perhaps padded to 4 bytes, then LLC.
fn wireless(frame: &[u8], is_padded: bool) -> Found<'_> {
    const DATA: u16 = 2;
    const NO_DATA: u16 = 0x0040;
    const QOS: u16 = 0x0080;
    const BOTH_WAYS: u16 = 0x0300;
    const PROTECTED: u16 = 0x4000;
    const HT_CONTROL: u16 = 0x8000;
    const AGGREGATED: u8 = 0x80;
    let control = u16::from_le_bytes(*frame.first_chunk()?);
    if control >> 2 & 3 != DATA || control & (NO_DATA | PROTECTED) != 0 {
        return Some(None);
    }
    let mut header = if control & BOTH_WAYS == BOTH_WAYS { 30 } else { 24 };
    if control & QOS != 0 {
        if frame.get(header)? & AGGREGATED != 0 {
            return Some(None);
        }
        header += if control & HT_CONTROL != 0 { 6 } else { 2 };
    }
    logical(frame, if is_padded { header.next_multiple_of(4) } else { header })
}

/// A radiotap header (radiotap.org), then IEEE 802.11. Its flags say whether the header of the frame is padded.
fn radiotap(frame: &[u8]) -> Found<'_> {
    const MORE: u32 = 1 << 31;
    const TIME: u32 = 1;
    const FLAGS: u32 = 1 << 1;
    const PADDED: u8 = 0x20;
    let len = usize::from(little_u16(frame, 2)?);
    let present = little_u32(frame, 4)?;
    let (mut at, mut word) = (8, present);
    while word & MORE != 0 {
        word = little_u32(frame, at)?;
        at += 4;
    }
    if present & TIME != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    let is_padded = present & FLAGS != 0 && frame.get(at)? & PADDED != 0;
    wireless(frame.get(len..)?, is_padded)
}

/// The length of the header in its first byte, rounded up to 4; then the IP packet.
fn pflog(frame: &[u8]) -> Option<&[u8]> {
    frame.get(usize::from(*frame.first()?).next_multiple_of(4)..)
}

/// The link type behind a header that says its number, if it is known, and what follows.
fn behind(link: LinkType, frame: &[u8]) -> Option<(Option<LinkType>, &[u8])> {
    let (len, inner) = match link {
        LinkType::Ppi => (u32::from(little_u16(frame, 2)?), little_u32(frame, 4)?),
        // PKTAP is in the byte order of the capturing machine: its header is never that long.
        _ => match (little_u32(frame, 0)?, little_u32(frame, 8)?) {
            (len @ ..=0xffff, inner) => (len, inner),
            (len, inner) => (len.swap_bytes(), inner.swap_bytes()),
        },
    };
    Some((LinkType::from_number(inner), frame.get(usize::try_from(len).ok()?..)?))
}

/// What follows a Juniper header: Ethernet, or IP.
fn juniper(frame: &[u8]) -> Option<(LinkType, &[u8])> {
    const EXTENDED: u8 = 0x80;
    const NO_ETHERNET: u8 = 0x02;
    let [_, _, _, flags] = frame.strip_prefix(b"MGC").and(frame.first_chunk())?;
    let extensions = match flags & EXTENDED {
        0 => 0,
        _ => 2 + usize::from(u16_at(frame, 4)?),
    };
    let link = if flags & NO_ETHERNET == 0 { LinkType::Ethernet } else { LinkType::Raw };
    Some((link, frame.get(4 + extensions..)?))
}

fn little_u16(bytes: &[u8], at: usize) -> Option<u16> {
    u16_at(bytes, at).map(u16::swap_bytes)
}

fn little_u32(bytes: &[u8], at: usize) -> Option<u32> {
    u32_at(bytes, at).map(u32::swap_bytes)
}
