//! Encoding of a packet in a fixed number of bytes.

use std::net::Ipv6Addr;

use cutshort_geo::Place;
use cutshort_model::Addresses;
use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions};

use super::Protection;
use super::protected::{country_code, country_of};

/// The encoded size of a packet in bytes.
pub const PACKET_BYTES: usize = 80;
/// The size without "don't fragment" and options, which are last and which earlier versions did not keep.
pub const EARLIER_PACKET_BYTES: usize = 68;

/// Encodes all fields in little endian, and addresses in network order.
pub fn packet_to_bytes(packet: &Packet) -> [u8; PACKET_BYTES] {
    let tuple = &packet.five_tuple;
    let mut bytes = [0; PACKET_BYTES];
    bytes[..16].copy_from_slice(&tuple.src_ip.octets());
    bytes[16..32].copy_from_slice(&tuple.dst_ip.octets());
    bytes[32..34].copy_from_slice(&tuple.src_port.to_le_bytes());
    bytes[34..36].copy_from_slice(&tuple.dst_port.to_le_bytes());
    bytes[36..44].copy_from_slice(&packet.ts.to_le_bytes());
    bytes[44..48].copy_from_slice(&packet.seq.to_le_bytes());
    bytes[48..52].copy_from_slice(&packet.ack.to_le_bytes());
    bytes[52..56].copy_from_slice(&packet.payload_len.to_le_bytes());
    bytes[56..60].copy_from_slice(&packet.sample_rate.to_le_bytes());
    bytes[60..62].copy_from_slice(&packet.flags.bits().to_le_bytes());
    bytes[62..64].copy_from_slice(&packet.ip_id.to_le_bytes());
    bytes[64..66].copy_from_slice(&packet.tcp_window.to_le_bytes());
    bytes[66..68].copy_from_slice(&[packet.ttl, packet.options_len]);
    bytes[68..76].copy_from_slice(&packet.syn.kinds.to_le_bytes());
    bytes[76..78].copy_from_slice(&packet.syn.mss.to_le_bytes());
    bytes[78..].copy_from_slice(&[packet.syn.wscale, packet.df.into()]);
    bytes
}

/// Decodes the bytes that [`packet_to_bytes`] made.
pub fn packet_from_bytes(bytes: &[u8; PACKET_BYTES]) -> Packet {
    let syn = SynOptions {
        kinds: u64::from_le_bytes(part(bytes, 68)),
        mss: u16::from_le_bytes(part(bytes, 76)),
        wscale: bytes[78],
    };
    Packet { df: bytes[79] != 0, syn, ..earlier_packet_from_bytes(&part(bytes, 0)) }
}

/// Decodes the bytes that an earlier version made. The options of SYN packets are unknown.
pub fn earlier_packet_from_bytes(bytes: &[u8; EARLIER_PACKET_BYTES]) -> Packet {
    let five_tuple = FiveTuple {
        src_ip: Ipv6Addr::from(part::<16, _>(bytes, 0)),
        src_port: u16::from_le_bytes(part(bytes, 32)),
        dst_ip: Ipv6Addr::from(part::<16, _>(bytes, 16)),
        dst_port: u16::from_le_bytes(part(bytes, 34)),
    };
    let flags = Flags::from_marked_bits(u16::from_le_bytes(part(bytes, 60)));
    Packet {
        ts: i64::from_le_bytes(part(bytes, 36)),
        five_tuple,
        ip_id: u16::from_le_bytes(part(bytes, 62)),
        ttl: bytes[66],
        flags,
        seq: u32::from_le_bytes(part(bytes, 44)),
        ack: u32::from_le_bytes(part(bytes, 48)),
        tcp_window: u16::from_le_bytes(part(bytes, 64)),
        options_len: bytes[67],
        payload_len: u32::from_le_bytes(part(bytes, 52)),
        sample_rate: u32::from_le_bytes(part(bytes, 56)),
        df: false,
        syn: SynOptions::of_earlier(flags),
    }
}

/// The encoded size of a packet's protection in bytes.
pub const PROTECTION_BYTES: usize = 14;

/// Encodes all fields except the one that all packets of a segment have in common.
pub fn protection_to_bytes(protection: &Protection) -> [u8; PROTECTION_BYTES] {
    let Protection { flow, place, .. } = protection;
    let mut bytes = [0; PROTECTION_BYTES];
    bytes[..8].copy_from_slice(&flow.to_le_bytes());
    bytes[8..12].copy_from_slice(&place.asn.unwrap_or(0).to_le_bytes());
    bytes[12..].copy_from_slice(country_code(place.country).as_bytes());
    bytes
}

/// Decodes the bytes that [`protection_to_bytes`] made.
pub fn protection_from_bytes(bytes: &[u8; PROTECTION_BYTES], addresses: Addresses) -> Protection {
    let country = std::str::from_utf8(&bytes[12..]).ok().and_then(country_of).flatten();
    let place = Place { country, asn: asn_of(u32::from_le_bytes(part(bytes, 8))) };
    Protection { addresses, flow: u64::from_le_bytes(part(bytes, 0)), place }
}

/// Converts a stored AS number, which is 0 for none.
pub(super) fn asn_of(number: u32) -> Option<u32> {
    (number != 0).then_some(number)
}

/// A part of the bytes, which must be in range.
fn part<const N: usize, const ALL: usize>(bytes: &[u8; ALL], at: usize) -> [u8; N] {
    std::array::from_fn(|offset| bytes[at + offset])
}
