//! What is not read has a name.

use cutshort_packet::{Frame, LinkType, Packet, Refusal, Unread};

use crate::bytes::{
    AUTHENTICATION, HOP_BY_HOP, IPV4, Order, PPPOE_SESSION, TCP, authentication, bsd, ethernet, extension,
    fragment, ipv4, ipv6, nflog_of, pppoe, sll, sll2, tagged, tcp,
};

/// Why a frame is refused, and what it carries.
fn met(link: LinkType, bytes: &[u8]) -> (Refusal, Unread) {
    let frame = Frame { ts: 0, wire_len: bytes.len() as u32, bytes };
    let refusal = Packet::parse(link, frame).unwrap_err();
    (refusal, Unread::of(link, frame, refusal))
}

/// Asserts what a frame is called, by the refusal that it must have.
#[track_caller]
fn is_called(link: LinkType, bytes: &[u8], refusal: Refusal, text: &str) {
    let (refused, unread) = met(link, bytes);
    assert_eq!((refused, unread.to_string().as_str()), (refusal, text));
    assert_eq!(unread.may_hold_tcp(), refusal == Refusal::Encapsulated, "{text}");
}

fn packet() -> Vec<u8> {
    ipv4(TCP, &tcp(0, 18))
}

#[test]
fn ethertypes() {
    let (lost, harmless) = (Refusal::Encapsulated, Refusal::NotIp);
    for (ethertype, refusal, text) in [
        (0x0806, harmless, "ARP (EtherType 0x0806)"),
        (0x88cc, harmless, "LLDP (EtherType 0x88cc)"),
        (0x88e5, harmless, "MACsec, encrypted (EtherType 0x88e5)"),
        (0x1234, harmless, "EtherType 0x1234"),
        (0x8847, lost, "MPLS (EtherType 0x8847)"),
        (0x88e7, lost, "802.1ah (EtherType 0x88e7)"),
        (0x8926, lost, "VN-tag (EtherType 0x8926)"),
        (0x893f, lost, "802.1BR E-tag (EtherType 0x893f)"),
        (0x8903, lost, "FabricPath (EtherType 0x8903)"),
        (0x8909, lost, "Cisco MetaData (EtherType 0x8909)"),
        (0x894f, lost, "NSH (EtherType 0x894f)"),
    ] {
        is_called(LinkType::Ethernet, &ethernet(ethertype, &packet()), refusal, text);
        is_called(LinkType::LinuxSll, &sll(ethertype, &packet()), refusal, text);
        is_called(LinkType::LinuxSll2, &sll2(ethertype, &packet()), refusal, text);
        let (outer, rest) = tagged(&[0x88a8, 0x8100], ethertype, &packet());
        is_called(LinkType::Ethernet, &ethernet(outer, &rest), refusal, text);
    }
}

#[test]
fn frames_with_a_length_instead_of_an_ethertype() {
    let llc = |header: &[u8], refusal, text| {
        let rest = [header, &packet()].concat();
        is_called(LinkType::Ethernet, &ethernet(rest.len() as u16, &rest), refusal, text);
        is_called(LinkType::LinuxSll, &sll(4, &rest), refusal, text);
    };
    llc(&[0x42, 0x42, 3], Refusal::NotIp, "STP (LLC 0x42)");
    llc(&[0x12, 0x12, 3], Refusal::NotIp, "LLC 0x12");
    llc(&[0xaa, 0xaa, 3, 0, 0, 0xc, 0x20, 0], Refusal::NotIp, "CDP (LLC/SNAP 00000c:2000)");
    llc(&[0xaa, 0xaa, 3, 8, 0, 7, 0x80, 0x9b], Refusal::NotIp, "LLC/SNAP 080007:809b");
    llc(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], Refusal::Encapsulated, "IPv4 (LLC/SNAP 0x0800)");
    llc(&[0xaa, 0xaa, 3, 0, 0, 0, 0x88, 0x47], Refusal::Encapsulated, "MPLS (LLC/SNAP 0x8847)");
    llc(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 6], Refusal::NotIp, "ARP (LLC/SNAP 0x0806)");
}

#[test]
fn ppp_protocols_and_address_families() {
    let ppp = |protocol| ethernet(PPPOE_SESSION, &pppoe(protocol, &packet()));
    is_called(LinkType::Ethernet, &ppp(0xc021), Refusal::NotIp, "LCP (PPP protocol 0xc021)");
    is_called(LinkType::Ethernet, &ppp(0x0281), Refusal::Encapsulated, "MPLS (PPP protocol 0x0281)");
    is_called(LinkType::Null, &bsd([7, 0, 0, 0], &packet()), Refusal::NotIp, "address family 7");
    is_called(LinkType::Loop, &bsd([0, 0, 0, 7], &packet()), Refusal::NotIp, "address family 7");
    let log = nflog_of(3, Order::Little, &packet());
    is_called(LinkType::Nflog, &log, Refusal::NotIp, "address family 3");
}

fn udp(port: u16, body: &[u8]) -> Vec<u8> {
    let len = (8 + body.len()) as u16;
    [&[0xc0, 0], &port.to_be_bytes()[..], &len.to_be_bytes(), &[0, 0], body].concat()
}

/// Protocol, what follows the IP header, and what it is called.
fn transports() -> Vec<(u8, Vec<u8>, Refusal, &'static str)> {
    let (lost, harmless) = (Refusal::Encapsulated, Refusal::NotTcp);
    let with = |header: &[u8]| [header, &packet()].concat();
    let vxlan = with(&[8, 0, 0, 0, 0, 0, 42, 0]);
    vec![
        (1, with(&[8, 0]), harmless, "ICMP (IP protocol 1)"),
        (17, udp(53, &with(&[])), harmless, "UDP (IP protocol 17)"),
        (50, with(&[]), harmless, "ESP, encrypted (IP protocol 50)"),
        (200, with(&[]), harmless, "IP protocol 200"),
        (4, with(&[]), lost, "IP in IP (IP protocol 4)"),
        (41, with(&[]), lost, "IPv6 in IP, 6in4 (IP protocol 41)"),
        (47, with(&[0, 0, 8, 0]), lost, "IPv4 (GRE 0x0800)"),
        (47, with(&[0x10, 0, 0x88, 0xbe]), lost, "ERSPAN (GRE 0x88be)"),
        (47, with(&[0x10, 0, 0x22, 0xeb]), lost, "ERSPAN III (GRE 0x22eb)"),
        (17, udp(4789, &vxlan), lost, "VXLAN (UDP port 4789)"),
        (17, udp(8472, &vxlan), lost, "VXLAN (UDP port 8472)"),
        (17, udp(6081, &with(&[0, 0, 0x65, 0x58, 0, 0, 1, 0])), lost, "GENEVE (UDP port 6081)"),
        (17, udp(2152, &with(&[0x30, 0xff, 0, 60, 0, 0, 0, 1])), lost, "GTP-U (UDP port 2152)"),
        (17, udp(3544, &ipv6(TCP, &tcp(0, 0))), lost, "Teredo (UDP port 3544)"),
        // The same ports with something else in them.
        (17, udp(4789, &with(&[])), harmless, "UDP (IP protocol 17)"),
        (17, udp(2152, &[0x32, 1, 0, 4]), harmless, "UDP (IP protocol 17)"),
        (17, udp(6081, &[]), harmless, "UDP (IP protocol 17)"),
    ]
}

#[test]
fn protocols_and_tunnels() {
    for (protocol, rest, refusal, text) in transports() {
        is_called(LinkType::Raw, &ipv4(protocol, &rest), refusal, text);
        is_called(LinkType::Ethernet, &ethernet(IPV4, &ipv4(protocol, &rest)), refusal, text);
        is_called(LinkType::Raw, &ipv6(protocol, &rest), refusal, text);
        let behind = [extension(protocol, 16), rest.clone()].concat();
        is_called(LinkType::Raw, &ipv6(HOP_BY_HOP, &behind), refusal, text);
        for ip in [ipv4, ipv6] {
            let authenticated = [authentication(protocol, 24), rest.clone()].concat();
            is_called(LinkType::Raw, &ip(AUTHENTICATION, &authenticated), refusal, text);
        }
    }
}

/// Only the first fragment tells what the tunnel is.
#[test]
fn later_fragments_of_tunnels() {
    let mut later = ipv4(17, &udp(4789, &[8, 0, 0, 0, 0, 0, 42, 0]));
    later[6..8].copy_from_slice(&[0, 185]);
    is_called(LinkType::Raw, &later, Refusal::NotTcp, "UDP (IP protocol 17)");
    let later = ipv6(44, &[fragment(17, 185, false), udp(4789, &[8; 40])].concat());
    is_called(LinkType::Raw, &later, Refusal::NotTcp, "UDP (IP protocol 17)");
    let later = ipv6(44, &[fragment(4, 185, false), vec![0; 40]].concat());
    is_called(LinkType::Raw, &later, Refusal::Encapsulated, "IP in IP (IP protocol 4)");
}

#[test]
fn what_needs_no_name_of_its_own() {
    for (unread, refusal) in [
        (Unread::Fragment, Refusal::Fragment),
        (Unread::Malformed, Refusal::Malformed),
        (Unread::Cut, Refusal::Cut),
    ] {
        assert_eq!((unread.to_string(), unread.kind()), (refusal.to_string(), refusal.name()));
        assert_eq!((unread.number(), unread.may_hold_tcp()), (None, false));
        let frame = Frame { ts: 0, wire_len: 0, bytes: &[] };
        assert_eq!(Unread::of(LinkType::Raw, frame, refusal), unread);
    }
}

#[test]
fn link_types_that_are_not_supported() {
    for (number, text) in
        [(119, "IEEE802_11_PRISM (link type 119)"), (123, "SUNATM (link type 123)"), (4000, "link type 4000")]
    {
        let unread = Unread::Link(number);
        assert_eq!((unread.to_string().as_str(), unread.may_hold_tcp()), (text, true));
        assert_eq!((unread.kind(), unread.number()), ("link_type", Some(number.into())));
    }
}
