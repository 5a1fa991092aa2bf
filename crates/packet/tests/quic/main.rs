//! What UDP datagrams and ICMP errors are for the data set `quic` (docs/quic.md).

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod builder;
#[path = "../parse/bytes.rs"]
#[allow(dead_code)]
mod bytes;
mod frames;
mod icmp;
mod property;
mod walk;
#[path = "../parse/wraps.rs"]
#[allow(dead_code)]
mod wraps;

use cutshort_packet::quic::{Datagram, Found, HashKey, ServerPorts, Udp};
use cutshort_packet::{Frame, LinkType, Refusal};

const KEY: HashKey = HashKey::new(*b"a key of a test.");
const UDP: u8 = 17;

/// A datagram of a client: ports 40112 and 443.
fn udp(payload: &[u8]) -> Vec<u8> {
    let len = (8 + payload.len() as u16).to_be_bytes();
    [&[0x9c, 0xb0, 0x01, 0xbb], &len[..], &[0xde, 0xad], payload].concat()
}

fn frame(bytes: &[u8]) -> Frame<'_> {
    Frame { ts: 5, wire_len: bytes.len() as u32, bytes }
}

/// What a frame without a link layer has on port 443.
fn found(bytes: &[u8]) -> Result<Found<'_>, Refusal> {
    Found::parse(LinkType::Raw, frame(bytes), &ServerPorts::default())
}

fn datagram(bytes: &[u8]) -> Result<Udp<'_>, Refusal> {
    match found(bytes)? {
        Found::Udp(udp) => Ok(udp),
        Found::Icmp(rows) => panic!("{rows:?}"),
    }
}

/// The row of a datagram of which the first bytes were captured.
fn row_of(payload: &[u8], captured: usize) -> Datagram {
    let ip = bytes::ipv4(UDP, &udp(payload));
    let bytes = &ip[..28 + captured];
    datagram(bytes).unwrap().row(&KEY)
}

/// The row of a datagram that was captured whole.
fn row(payload: &[u8]) -> Datagram {
    row_of(payload, payload.len())
}
