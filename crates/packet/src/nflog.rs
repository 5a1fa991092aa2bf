//! The netfilter log as libpcap writes it (`NFLOG`, 239): a family, then attributes.

use crate::Refusal;
use crate::bytes::u16_at;
use crate::family::{Family, Layer3};

/// Family (1 byte), version (1), resource id (2).
const HEADER: usize = 4;
/// The attribute that holds the packet (`NFULA_PAYLOAD`).
const PAYLOAD: u16 = 9;
/// The attribute that holds the prefix of the rule (`NFULA_PREFIX`). The kernel puts it before the packet.
const PREFIX: u16 = 10;
/// The beginning of the log prefix (`NFULA_PREFIX`) of packets that `cutshort rules --origin` logs.
///
/// They belong to connections that the host itself opened. In captures of the log they are refused as
/// [`Refusal::Origin`].
pub const ORIGIN_PREFIX: &str = "cutshort-origin:";

/// The beginning of the log prefix of datagrams that `cutshort rules --quic` logs, and of ICMP errors that quote one.
pub const QUIC_PREFIX: &str = "cutshort-quic:";

/// The beginning of the log prefix with which cutshort's rules report connections that they chose and could not
/// remember. Their number follows it. Such a record has no packet, and is refused as [`Refusal::LeftOut`].
pub const LEFT_OUT_PREFIX: &str = "cutshort-left-out:";

/// A type far above those of all attributes.
const MAX_KIND: u16 = 0xff;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// Logged by a bridge, which does not say which IP version the packet has.
const AF_BRIDGE: u8 = 7;

pub(crate) fn network(frame: &[u8]) -> Result<Layer3<'_>, Refusal> {
    let (&family, _) = frame.split_first().ok_or(Refusal::Malformed)?;
    let family = match family {
        AF_INET => Family::Ipv4,
        AF_INET6 => Family::Ipv6,
        AF_BRIDGE => Family::Either,
        _ => return Err(Refusal::NotIp),
    };
    let attributes = frame.get(HEADER..).ok_or(Refusal::Malformed)?;
    // Lengths and types are in the byte order of the capturing machine, which the frame does not
    // tell. In the wrong order the small types in front of the payload are above MAX_KIND.
    let payload = payload(attributes, u16::swap_bytes).or_else(|| payload(attributes, |field| field));
    Ok((family, payload.ok_or(Refusal::Malformed)??))
}

/// The payload attribute, perhaps only its beginning where the capture was cut; `None` in the wrong byte order.
fn payload(mut attributes: &[u8], order: impl Fn(u16) -> u16) -> Option<Result<&[u8], Refusal>> {
    loop {
        let len = usize::from(order(u16_at(attributes, 0)?));
        // The highest two bits of the type are flags (nested, network byte order).
        let kind = order(u16_at(attributes, 2)?) & 0x3fff;
        if kind == PAYLOAD {
            return attributes.get(HEADER..len.min(attributes.len())).map(Ok);
        }
        if len < HEADER || kind > MAX_KIND {
            return None;
        }
        if kind == PREFIX
            && let Some(refusal) = refusal(&attributes[HEADER..])
        {
            return Some(Err(refusal));
        }
        attributes = attributes.get(len.next_multiple_of(4)..)?;
    }
}

/// Why what a rule has logged is no packet of the sample, by the rule's prefix.
fn refusal(prefix: &[u8]) -> Option<Refusal> {
    let refusals = [(ORIGIN_PREFIX, Refusal::Origin), (LEFT_OUT_PREFIX, Refusal::LeftOut)];
    refusals.into_iter().find(|(own, _)| prefix.starts_with(own.as_bytes())).map(|(_, refusal)| refusal)
}
