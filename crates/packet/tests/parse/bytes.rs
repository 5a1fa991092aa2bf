//! Frames written byte by byte, by other means than the property tests use.

use std::net::{Ipv4Addr, Ipv6Addr};

pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const IPV6: u16 = 0x86dd;
pub(crate) const PPPOE_SESSION: u16 = 0x8864;

pub(crate) const TCP: u8 = 6;
pub(crate) const HOP_BY_HOP: u8 = 0;
pub(crate) const ROUTING: u8 = 43;
pub(crate) const FRAGMENT: u8 = 44;
pub(crate) const AUTHENTICATION: u8 = 51;
pub(crate) const DESTINATION: u8 = 60;

pub(crate) const SRC4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
pub(crate) const DST4: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 5);
pub(crate) const SRC6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 2, 3, 4, 5);
pub(crate) const DST6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 9, 8, 7, 6, 5);

/// A TCP header, of which every field has another value, with that many bytes of options and
/// payload.
pub(crate) fn tcp(options: usize, payload: usize) -> Vec<u8> {
    let mut header = vec![
        0x9c, 0xb0, 0x01, 0xbb, // Ports 40112 and 443.
        0x11, 0x22, 0x33, 0x44, // Sequence number.
        0x55, 0x66, 0x77, 0x88, // Acknowledgement number.
        0x50, 0x18, 0xfa, 0xf0, // Data offset, PSH and ACK, window.
        0xde, 0xad, 0xbe, 0xef, // Checksum, urgent pointer.
    ];
    header[12] += (options as u8 / 4) << 4;
    header.resize(20 + options, 1);
    header.resize(20 + options + payload, b'x');
    header
}

pub(crate) fn ipv4(protocol: u8, segment: &[u8]) -> Vec<u8> {
    let [high, low] = (20 + segment.len() as u16).to_be_bytes();
    let start = [0x45, 0x02, high, low, 0xab, 0xcd, 0x40, 0, 57, protocol, 0x12, 0x34];
    [&start, &SRC4.octets()[..], &DST4.octets(), segment].concat()
}

pub(crate) fn ipv6(next: u8, rest: &[u8]) -> Vec<u8> {
    let [high, low] = (rest.len() as u16).to_be_bytes();
    let start = [0x60, 0x21, 0x43, 0x65, high, low, next, 51];
    [&start, &SRC6.octets()[..], &DST6.octets(), rest].concat()
}

/// A hop-by-hop, routing or destination header of `len` bytes.
pub(crate) fn extension(next: u8, len: usize) -> Vec<u8> {
    let mut header = vec![next, (len / 8 - 1) as u8];
    header.resize(len, 0);
    header
}

/// An authentication header of `len` bytes.
pub(crate) fn authentication(next: u8, len: usize) -> Vec<u8> {
    let mut header = vec![next, (len / 4 - 2) as u8, 0, 0];
    header.resize(len, 0xaa);
    header
}

/// A fragment header; the offset counts in units of 8 bytes.
pub(crate) fn fragment(next: u8, offset: u16, more: bool) -> Vec<u8> {
    let [high, low] = (offset << 3 | u16::from(more)).to_be_bytes();
    vec![next, 0, high, low, 1, 2, 3, 4]
}

pub(crate) fn ethernet(ethertype: u16, rest: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &ethertype.to_be_bytes()[..], rest].concat()
}

/// `rest` behind VLAN tags, and the EtherType of the outermost.
pub(crate) fn tagged(tags: &[u16], ethertype: u16, rest: &[u8]) -> (u16, Vec<u8>) {
    tags.iter().rev().fold((ethertype, rest.to_vec()), |(inner, rest), tag| {
        (*tag, [&[0x20, 0x64], &inner.to_be_bytes()[..], &rest].concat())
    })
}

/// A PPPoE session header, and the PPP protocol.
pub(crate) fn pppoe(protocol: u16, rest: &[u8]) -> Vec<u8> {
    let [high, low] = (rest.len() as u16 + 2).to_be_bytes();
    [&[0x11, 0, 0, 1, high, low], &protocol.to_be_bytes()[..], rest].concat()
}

pub(crate) fn sll(ethertype: u16, rest: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &ethertype.to_be_bytes()[..], rest].concat()
}

pub(crate) fn sll2(ethertype: u16, rest: &[u8]) -> Vec<u8> {
    let behind = [0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    [&ethertype.to_be_bytes()[..], &behind, rest].concat()
}

pub(crate) fn bsd(family: [u8; 4], rest: &[u8]) -> Vec<u8> {
    [&family[..], rest].concat()
}

/// How numbers of the capturing machine are written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }
}

/// The netfilter log's attribute that holds the packet.
pub(crate) const NFLOG_PAYLOAD: u16 = 9;
/// What the kernel usually logs before it: packet header, mark, interface, uid, prefix, time.
pub(crate) const NFLOG_USUAL: [(u16, &[u8]); 5] =
    [(1, &[8, 0, 1, 0]), (3, &[0; 4]), (4, &[0, 0, 0, 2]), (10, b"drop: \0"), (8, &[0; 16])];

pub(crate) fn nflog(family: u8, order: Order, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut frame = vec![family, 0, 0, 3];
    for (kind, value) in attributes {
        frame.extend(order.u16(value.len() as u16 + 4));
        frame.extend(order.u16(*kind));
        frame.extend(*value);
        frame.resize(frame.len().next_multiple_of(4), 0);
    }
    frame
}

/// The usual attributes, then the packet.
pub(crate) fn nflog_of(family: u8, order: Order, packet: &[u8]) -> Vec<u8> {
    let packet = [(NFLOG_PAYLOAD, packet)];
    nflog(family, order, &[&NFLOG_USUAL[..], &packet].concat())
}
