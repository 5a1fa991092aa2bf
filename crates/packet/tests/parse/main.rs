//! What frames parse to: examples of every link layer and refusal, and properties over frames
//! that another crate builds and reads.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod bytes;
mod ip;
mod links;
mod options;
mod property;
mod tunnels;
mod unreachable;
mod unread;
mod wraps;

use cutshort_packet::{FiveTuple, Flags, Frame, LinkType, Packet, Refusal};

/// Parses a frame that was captured whole.
fn parse(link: LinkType, bytes: &[u8]) -> Result<Packet, Refusal> {
    parse_of(link, bytes, bytes.len() as u32)
}

/// Parses what was captured of a frame of `wire_len` bytes.
fn parse_of(link: LinkType, bytes: &[u8], wire_len: u32) -> Result<Packet, Refusal> {
    Packet::parse(link, Frame { ts: 1_700_000_000_123_456_789, wire_len, bytes })
}

/// What [`bytes::tcp`] in [`bytes::ipv4`] means.
fn packet_v4(options_len: u8, payload_len: u32) -> Packet {
    Packet {
        ts: 1_700_000_000_123_456_789,
        five_tuple: FiveTuple::new(bytes::SRC4.into(), 40112, bytes::DST4.into(), 443),
        ip_id: 0xabcd,
        ttl: 57,
        flags: Flags::PSH | Flags::ACK,
        seq: 0x1122_3344,
        ack: 0x5566_7788,
        tcp_window: 0xfaf0,
        options_len,
        payload_len,
        sample_rate: 1,
        df: true,
        ..Packet::ZERO
    }
}

/// What [`bytes::tcp`] in [`bytes::ipv6`] means.
fn packet_v6(options_len: u8, payload_len: u32) -> Packet {
    Packet {
        five_tuple: FiveTuple::new(bytes::SRC6.into(), 40112, bytes::DST6.into(), 443),
        ip_id: 0,
        ttl: 51,
        df: false,
        ..packet_v4(options_len, payload_len)
    }
}
