//! Tunnels and rare link layers around a packet, written byte by byte.

use cutshort_packet::{LinkType, Tunnel};

use crate::bytes::{IPV4, IPV6, ethernet, ipv4, ipv6, tagged};

/// What a wrap takes: the EtherType of a packet, and the packet.
pub(crate) type Wrapped = (u16, Vec<u8>);

fn typed(ethertype: u16, rest: &[u8]) -> Vec<u8> {
    [&ethertype.to_be_bytes()[..], rest].concat()
}

fn udp(port: u16, body: &[u8]) -> Vec<u8> {
    let [high, low] = (8 + body.len() as u16).to_be_bytes();
    let [to_high, to_low] = port.to_be_bytes();
    let datagram = [&[0xc0, 0, to_high, to_low, high, low, 0, 0], body].concat();
    ipv4(17, &datagram)
}

fn gre(flags: u16, protocol: u16, optional: usize, body: &[u8]) -> Vec<u8> {
    [&flags.to_be_bytes()[..], &protocol.to_be_bytes(), &vec![7; optional], body].concat()
}

fn label(value: u8, is_last: bool) -> [u8; 4] {
    [0, value, u8::from(is_last), 64]
}

fn snap(ethertype: u16, rest: &[u8]) -> Vec<u8> {
    [&[0xaa, 0xaa, 3, 0, 0, 0], &typed(ethertype, rest)[..]].concat()
}

/// A header of ERSPAN type III, with the type of the frame that follows.
fn erspan(kind: u8, options: u8) -> [u8; 12] {
    [0x20, 0, 0, 1, 0, 0, 0, 1, 0, 0, kind << 2, options]
}

/// A GTP-U message of version 1 with a packet.
fn gtp_u(flags: u8, more: &[u8], packet: &[u8]) -> Vec<u8> {
    let [high, low] = ((more.len() + packet.len()) as u16).to_be_bytes();
    [&[flags, 0xff, high, low, 0, 0, 0, 7], more, packet].concat()
}

/// A way to wrap a packet once; the result has an EtherType again.
pub(crate) type Wrap = (Tunnel, fn(u16, &[u8]) -> Wrapped);

pub(crate) const WRAPS: [Wrap; 27] = [
    (Tunnel::Mpls, |_, ip| (0x8847, [&label(9, true), ip].concat())),
    (Tunnel::Mpls, |_, ip| {
        let labels = [label(1, false), label(2, false), label(3, true)].concat();
        tagged(&[0x8100], 0x8848, &[&labels, ip].concat())
    }),
    (Tunnel::Mpls, |of, rest| (0x8847, [&label(9, true), &[0; 4], &ethernet(of, rest)[..]].concat())),
    (Tunnel::Mpls, |_, ip| (IPV4, ipv4(137, &[&label(9, true), ip].concat()))),
    (Tunnel::Vxlan, |of, rest| {
        (IPV4, udp(4789, &[&[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(of, rest)[..]].concat()))
    }),
    (Tunnel::Vxlan, |of, rest| {
        (IPV4, udp(8472, &[&[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(of, rest)[..]].concat()))
    }),
    (Tunnel::Vxlan, |of, rest| {
        (IPV4, udp(4790, &[&[12, 0, 0, 3, 0, 0, 42, 0], &ethernet(of, rest)[..]].concat()))
    }),
    (Tunnel::Geneve, |of, rest| {
        (IPV4, udp(6081, &[&[0, 0], &of.to_be_bytes()[..], &[0, 0, 42, 0], rest].concat()))
    }),
    (Tunnel::Geneve, |of, rest| {
        (IPV4, udp(6081, &[&[2, 0, 0x65, 0x58, 0, 0, 42, 0], &[1; 8], &ethernet(of, rest)[..]].concat()))
    }),
    (Tunnel::Gre, |of, rest| (IPV4, ipv4(47, &gre(0, of, 0, rest)))),
    (Tunnel::Gre, |of, rest| (IPV6, ipv6(47, &gre(0xb000, of, 12, rest)))),
    (Tunnel::Gre, |of, rest| (IPV4, ipv4(47, &gre(0x2000, 0x6558, 4, &ethernet(of, rest))))),
    (Tunnel::Gre, |of, rest| {
        let protocol = if of == IPV6 { 0x57 } else { 0x21 };
        let ppp = [&[0xff, 3, 0, protocol], rest].concat();
        (IPV4, ipv4(47, &gre(0x3081, 0x880b, 12, &ppp)))
    }),
    (Tunnel::Erspan, |of, rest| (IPV4, ipv4(47, &gre(0, 0x88be, 0, &ethernet(of, rest))))),
    (Tunnel::Erspan, |of, rest| {
        (IPV4, ipv4(47, &gre(0x1000, 0x88be, 4, &[&[0x10; 8], &ethernet(of, rest)[..]].concat())))
    }),
    (Tunnel::Erspan, |of, rest| {
        (IPV4, ipv4(47, &gre(0x1000, 0x22eb, 4, &[&erspan(0, 0)[..], &ethernet(of, rest)[..]].concat())))
    }),
    (Tunnel::Erspan, |of, rest| {
        let header = [&erspan(0, 1)[..], &[0; 8]].concat();
        (IPV4, ipv4(47, &gre(0x1000, 0x22eb, 4, &[&header, &ethernet(of, rest)[..]].concat())))
    }),
    (Tunnel::Erspan, |_, ip| (IPV4, ipv4(47, &gre(0x1000, 0x22eb, 4, &[&erspan(2, 0)[..], ip].concat())))),
    (Tunnel::GtpU, |_, ip| (IPV4, udp(2152, &gtp_u(0x30, &[], ip)))),
    (Tunnel::GtpU, |_, ip| {
        // A sequence number, and two extension headers.
        let more = [0, 1, 0, 0x85, 1, 0, 0, 0x32, 2, 0, 0, 0, 0, 0, 0, 0];
        (IPV4, udp(2152, &gtp_u(0x36, &more, ip)))
    }),
    (Tunnel::ProviderBackbone, |of, rest| (0x88e7, [&[0, 0, 0, 42], &ethernet(of, rest)[..]].concat())),
    (Tunnel::ETag, |of, rest| (0x893f, [&[0; 6], &typed(of, rest)[..]].concat())),
    (Tunnel::VnTag, |of, rest| (0x8926, [&[0; 4], &typed(of, rest)[..]].concat())),
    (Tunnel::CiscoMetaData, |of, rest| (0x8909, [&[1; 6], &typed(of, rest)[..]].concat())),
    (Tunnel::Nsh, |of, rest| (0x894f, [&[0x0f, 0xc6, 1, 3][..], &[0; 20], &ethernet(of, rest)[..]].concat())),
    (Tunnel::Nsh, |of, rest| {
        let protocol = if of == IPV6 { 2 } else { 1 };
        (0x894f, [&[0x0f, 0xc2, 2, protocol], &[0; 4], rest].concat())
    }),
    (Tunnel::Llc, |of, rest| {
        let llc = snap(of, rest);
        (llc.len().min(1500) as u16, llc)
    }),
];

/// Whether a row of [`WRAPS`] takes IP only, and not anything with an EtherType.
pub(crate) fn is_for_ip(row: usize) -> bool {
    matches!(row, 0 | 1 | 3 | 12 | 17 | 18 | 19 | 25)
}

/// Whether a row of [`WRAPS`] takes no length of an 802.3 frame in the place of an EtherType.
pub(crate) fn needs_ethertype(row: usize) -> bool {
    matches!(row, 7 | 9 | 10)
}

/// IP in IP of both versions.
pub(crate) fn in_ip(is_v6: bool, outer_v6: bool, ip: &[u8]) -> (Tunnel, Wrapped) {
    let protocol = if is_v6 { 41 } else { 4 };
    let tunnel = if is_v6 == outer_v6 { Tunnel::IpInIp } else { Tunnel::SixInFour };
    (tunnel, if outer_v6 { (IPV6, ipv6(protocol, ip)) } else { (IPV4, ipv4(protocol, ip)) })
}

/// A rare link layer around something with an EtherType.
pub(crate) type RareLink = (LinkType, fn(u16, &[u8]) -> Vec<u8>);

fn ppp_protocol(ethertype: u16) -> [u8; 2] {
    if ethertype == IPV6 { [0, 0x57] } else { [0, 0x21] }
}

fn radiotap(header: &[u8], frame: &[u8]) -> Vec<u8> {
    [header, frame].concat()
}

pub(crate) const LINKS: [RareLink; 24] = [
    (LinkType::TokenRing, |of, rest| [&[0x10, 0x40], &[2; 12][..], &snap(of, rest)].concat()),
    (LinkType::TokenRing, |of, rest| {
        let addresses = [&[2; 6][..], &[0x82], &[2; 5], &[6, 0, 0, 1, 0, 2]].concat();
        [&[0x10, 0x40], &addresses[..], &snap(of, rest)].concat()
    }),
    (LinkType::Ppp, |of, rest| [&[0xff, 3], &ppp_protocol(of)[..], rest].concat()),
    (LinkType::Ppp, |of, rest| [&ppp_protocol(of)[1..], rest].concat()),
    (LinkType::Ppp, |of, rest| [&ppp_protocol(of)[..], rest].concat()),
    (LinkType::Ppp, |of, rest| [&[0x0f, 0], &typed(of, rest)[..]].concat()),
    (LinkType::Fddi, |of, rest| [&[0x50], &[2; 12][..], &snap(of, rest)].concat()),
    (LinkType::PppEther, |of, rest| [&[0x11, 0, 0, 1, 0, 60], &ppp_protocol(of)[..], rest].concat()),
    (LinkType::CiscoHdlc, |of, rest| [&[0x8f, 0], &typed(of, rest)[..]].concat()),
    (LinkType::Ieee80211, |of, rest| [&[0x08, 0x01], &[2; 22][..], &snap(of, rest)].concat()),
    (LinkType::Ieee80211, |of, rest| [&[0x88, 0x03], &[2; 28][..], &[0, 0], &snap(of, rest)].concat()),
    (LinkType::Ieee80211, |of, rest| [&[0x88, 0x82], &[2; 22][..], &[0; 6], &snap(of, rest)].concat()),
    (LinkType::FrameRelay, |of, rest| {
        [&[0x18, 0x41, 3, if of == IPV6 { 0x8e } else { 0xcc }], rest].concat()
    }),
    (LinkType::FrameRelay, |of, rest| [&[0x18, 0x41, 3, 0, 0x80, 0, 0, 0], &typed(of, rest)[..]].concat()),
    (LinkType::FrameRelay, |of, rest| [&[0x18, 0x41], &typed(of, rest)[..]].concat()),
    (LinkType::Enc, |of, rest| {
        // The family in the byte order of the capturing machine, then SPI and flags.
        [&[if of == IPV6 { 24 } else { 2 }, 0, 0, 0], &[0; 8][..], rest].concat()
    }),
    (LinkType::Pflog, |_, rest| [&[61, 2], &[0; 62][..], rest].concat()),
    (LinkType::Radiotap, |of, rest| {
        let frame = [&[0x08, 0x01], &[2; 22][..], &snap(of, rest)].concat();
        radiotap(&[0, 0, 8, 0, 0, 0, 0, 0], &frame)
    }),
    (LinkType::Radiotap, |of, rest| {
        // A time and flags, which say that the header of the frame is padded.
        let frame = [&[0x88, 0x01], &[2; 22][..], &[0, 0], &[0, 0], &snap(of, rest)].concat();
        radiotap(&[0, 0, 17, 0, 3, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 0x20], &frame)
    }),
    (LinkType::JuniperEther, |of, rest| [b"MGC\x01", &ethernet(of, rest)[..]].concat()),
    (LinkType::JuniperEther, |_, rest| [b"MGC\x82\0\x03abc", rest].concat()),
    (LinkType::Ppi, |of, rest| {
        [&[0, 0, 12, 0, 1, 0, 0, 0][..], &[2, 0, 0, 0], &ethernet(of, rest)[..]].concat()
    }),
    (LinkType::Pktap, |of, rest| {
        [&[108, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0][..], &[0; 96], &ethernet(of, rest)[..]].concat()
    }),
    (LinkType::Pktap, |_, rest| [&[0, 0, 0, 108, 0, 0, 0, 1, 0, 0, 0, 101][..], &[0; 96], rest].concat()),
];
