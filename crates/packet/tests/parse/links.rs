//! Every link layer, by example.

use cutshort_packet::{LinkType, Refusal};

use crate::bytes::{
    IPV4, IPV6, NFLOG_PAYLOAD, NFLOG_USUAL, Order, PPPOE_SESSION, TCP, bsd, ethernet, ipv4, ipv6, nflog,
    nflog_of, pppoe, sll, sll2, tagged, tcp,
};
use crate::{packet_v4, packet_v6, parse, parse_of};

const ARP: u16 = 0x0806;
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;

fn v4() -> Vec<u8> {
    ipv4(TCP, &tcp(12, 34))
}

fn v6() -> Vec<u8> {
    ipv6(TCP, &tcp(12, 34))
}

/// A link layer that names what it carries by EtherType: how to write it, and its length.
type ByEthertype = (LinkType, fn(u16, &[u8]) -> Vec<u8>, usize);

const BY_ETHERTYPE: [ByEthertype; 3] =
    [(LinkType::Ethernet, ethernet, 14), (LinkType::LinuxSll, sll, 16), (LinkType::LinuxSll2, sll2, 20)];

/// Parses `rest` behind every link layer that has EtherTypes; all must agree.
fn parse_by_ethertype(ethertype: u16, rest: &[u8]) -> Result<cutshort_packet::Packet, Refusal> {
    let [ethernet, sll, sll2] = BY_ETHERTYPE.map(|(link, frame, _)| parse(link, &frame(ethertype, rest)));
    assert_eq!(ethernet, sll);
    assert_eq!(ethernet, sll2);
    ethernet
}

#[test]
fn ethertypes_of_both_families() {
    assert_eq!(parse_by_ethertype(IPV4, &v4()), Ok(packet_v4(12, 34)));
    assert_eq!(parse_by_ethertype(IPV6, &v6()), Ok(packet_v6(12, 34)));
}

#[test]
fn other_ethertypes_are_not_ip() {
    const LLDP: u16 = 0x88cc;
    const PPPOE_DISCOVERY: u16 = 0x8863;
    // Below 1536 it is a length (IEEE 802.3), not an EtherType.
    for ethertype in [ARP, LLDP, PPPOE_DISCOVERY, 0, 1500] {
        assert_eq!(parse_by_ethertype(ethertype, &v4()), Err(Refusal::NotIp), "{ethertype:#06x}");
    }
}

#[test]
fn ethertype_that_contradicts_the_version_is_malformed() {
    assert_eq!(parse_by_ethertype(IPV4, &v6()), Err(Refusal::Malformed));
    assert_eq!(parse_by_ethertype(IPV6, &v4()), Err(Refusal::Malformed));
}

#[test]
fn cut_link_header_is_malformed() {
    for (link, frame, header) in BY_ETHERTYPE {
        let frame = frame(IPV4, &v4());
        for len in 0..=header {
            assert_eq!(parse_of(link, &frame[..len], 100), Err(Refusal::Malformed), "{link:?}, {len}");
        }
    }
}

#[test]
fn vlan_tags_of_any_kind_and_number_are_walked() {
    let many = [0x88a8, 0x8100, 0x9100, 0x8100, 0x88a8, 0x88a8, 0x8100, 0x8100];
    for tags in [&[0x8100][..], &[0x88a8], &[0x9100], &[0x88a8, 0x8100], &[0x9100, 0x8100], &many] {
        let (ethertype, rest) = tagged(tags, IPV4, &v4());
        assert_eq!(parse_by_ethertype(ethertype, &rest), Ok(packet_v4(12, 34)), "{tags:x?}");
        let (ethertype, rest) = tagged(tags, IPV6, &v6());
        assert_eq!(parse_by_ethertype(ethertype, &rest), Ok(packet_v6(12, 34)), "{tags:x?}");
        let (ethertype, rest) = tagged(tags, ARP, &v4());
        assert_eq!(parse_by_ethertype(ethertype, &rest), Err(Refusal::NotIp), "{tags:x?}");
        let (ethertype, rest) = tagged(tags, IPV6, &v4());
        assert_eq!(parse_by_ethertype(ethertype, &rest), Err(Refusal::Malformed), "{tags:x?}");
    }
}

#[test]
fn cut_vlan_tag_is_malformed() {
    let (ethertype, rest) = tagged(&[0x88a8, 0x8100], IPV4, &v4());
    for len in 0..=8 {
        assert_eq!(parse_by_ethertype(ethertype, &rest[..len]), Err(Refusal::Malformed), "{len}");
    }
}

#[test]
fn pppoe_session_of_both_families_behind_any_tags() {
    for tags in [&[][..], &[0x8100], &[0x88a8, 0x8100]] {
        let (ethertype, rest) = tagged(tags, PPPOE_SESSION, &pppoe(PPP_IPV4, &v4()));
        assert_eq!(parse_by_ethertype(ethertype, &rest), Ok(packet_v4(12, 34)));
        let (ethertype, rest) = tagged(tags, PPPOE_SESSION, &pppoe(PPP_IPV6, &v6()));
        assert_eq!(parse_by_ethertype(ethertype, &rest), Ok(packet_v6(12, 34)));
    }
}

#[test]
fn other_ppp_protocols_are_not_ip() {
    const LCP: u16 = 0xc021;
    const IPCP: u16 = 0x8021;
    for protocol in [LCP, IPCP, 0] {
        assert_eq!(parse_by_ethertype(PPPOE_SESSION, &pppoe(protocol, &v4())), Err(Refusal::NotIp));
    }
}

#[test]
fn ppp_protocol_that_contradicts_the_version_is_malformed() {
    assert_eq!(parse_by_ethertype(PPPOE_SESSION, &pppoe(PPP_IPV4, &v6())), Err(Refusal::Malformed));
    assert_eq!(parse_by_ethertype(PPPOE_SESSION, &pppoe(PPP_IPV6, &v4())), Err(Refusal::Malformed));
}

#[test]
fn cut_pppoe_header_is_malformed() {
    let session = pppoe(PPP_IPV4, &v4());
    for len in 0..=8 {
        assert_eq!(parse_by_ethertype(PPPOE_SESSION, &session[..len]), Err(Refusal::Malformed), "{len}");
    }
}

/// AF_INET6 of Linux; NetBSD and OpenBSD; FreeBSD; macOS.
const AF_INET6: [u32; 4] = [10, 24, 28, 30];

#[test]
fn null_in_the_byte_order_of_any_machine() {
    for order in [u32::to_be_bytes, u32::to_le_bytes] {
        assert_eq!(parse(LinkType::Null, &bsd(order(2), &v4())), Ok(packet_v4(12, 34)));
        assert_eq!(parse(LinkType::Null, &bsd(order(2), &v6())), Err(Refusal::Malformed));
        for family in AF_INET6 {
            assert_eq!(parse(LinkType::Null, &bsd(order(family), &v6())), Ok(packet_v6(12, 34)));
            assert_eq!(parse(LinkType::Null, &bsd(order(family), &v4())), Err(Refusal::Malformed));
        }
        for other in [0, 1, 7, 16, 23, 255] {
            assert_eq!(parse(LinkType::Null, &bsd(order(other), &v4())), Err(Refusal::NotIp), "{other}");
        }
    }
}

#[test]
fn loop_in_network_byte_order_only() {
    assert_eq!(parse(LinkType::Loop, &bsd(2_u32.to_be_bytes(), &v4())), Ok(packet_v4(12, 34)));
    assert_eq!(parse(LinkType::Loop, &bsd(2_u32.to_be_bytes(), &v6())), Err(Refusal::Malformed));
    assert_eq!(parse(LinkType::Loop, &bsd(2_u32.to_le_bytes(), &v4())), Err(Refusal::NotIp));
    for family in AF_INET6 {
        assert_eq!(parse(LinkType::Loop, &bsd(family.to_be_bytes(), &v6())), Ok(packet_v6(12, 34)));
        assert_eq!(parse(LinkType::Loop, &bsd(family.to_be_bytes(), &v4())), Err(Refusal::Malformed));
    }
}

#[test]
fn cut_family_is_malformed() {
    for link in [LinkType::Null, LinkType::Loop] {
        for len in 0..=4 {
            assert_eq!(parse(link, &bsd([0, 0, 0, 2], &[])[..len]), Err(Refusal::Malformed));
        }
    }
}

#[test]
fn raw_tells_the_family_by_the_version() {
    assert_eq!(parse(LinkType::Raw, &v4()), Ok(packet_v4(12, 34)));
    assert_eq!(parse(LinkType::Raw, &v6()), Ok(packet_v6(12, 34)));
    assert_eq!(parse(LinkType::Raw, &[]), Err(Refusal::Malformed));
    for version in [0, 1, 2, 3, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15] {
        let mut bytes = v4();
        bytes[0] = version << 4 | 5;
        assert_eq!(parse(LinkType::Raw, &bytes), Err(Refusal::Malformed), "{version}");
    }
}

#[test]
fn link_type_of_one_family_refuses_the_other() {
    assert_eq!(parse(LinkType::Ipv4, &v4()), Ok(packet_v4(12, 34)));
    assert_eq!(parse(LinkType::Ipv6, &v6()), Ok(packet_v6(12, 34)));
    assert_eq!(parse(LinkType::Ipv4, &v6()), Err(Refusal::Malformed));
    assert_eq!(parse(LinkType::Ipv6, &v4()), Err(Refusal::Malformed));
}

const NFLOG_INET: u8 = 2;
const NFLOG_INET6: u8 = 10;
const NFLOG_BRIDGE: u8 = 7;

#[test]
fn nflog_in_both_byte_orders() {
    for order in [Order::Little, Order::Big] {
        assert_eq!(parse(LinkType::Nflog, &nflog_of(NFLOG_INET, order, &v4())), Ok(packet_v4(12, 34)));
        assert_eq!(parse(LinkType::Nflog, &nflog_of(NFLOG_INET6, order, &v6())), Ok(packet_v6(12, 34)));
        // A bridge does not say what it carries.
        assert_eq!(parse(LinkType::Nflog, &nflog_of(NFLOG_BRIDGE, order, &v4())), Ok(packet_v4(12, 34)));
        assert_eq!(parse(LinkType::Nflog, &nflog_of(NFLOG_BRIDGE, order, &v6())), Ok(packet_v6(12, 34)));
        assert_eq!(parse(LinkType::Nflog, &nflog_of(NFLOG_INET, order, &v6())), Err(Refusal::Malformed));
        assert_eq!(parse(LinkType::Nflog, &nflog_of(NFLOG_INET6, order, &v4())), Err(Refusal::Malformed));
        assert_eq!(parse(LinkType::Nflog, &nflog_of(3, order, &v4())), Err(Refusal::NotIp));
    }
}

/// Connections that a host opens look like others, but those who answer are its peers.
#[test]
fn nflog_of_rules_for_the_origin_side_is_left_out() {
    let packet = v4();
    for order in [Order::Little, Order::Big] {
        let with = |prefix: &'static [u8]| {
            parse(
                LinkType::Nflog,
                &nflog(NFLOG_INET, order, &[(1, &[0; 4]), (10, prefix), (NFLOG_PAYLOAD, &packet)]),
            )
        };
        assert_eq!(with(b"cutshort-origin:100\0"), Err(Refusal::Origin));
        for prefix in [&b"cutshort:100\0"[..], b"cutshort-origin\0", b"own rule\0", b""] {
            assert_eq!(with(prefix), Ok(packet_v4(12, 34)), "{prefix:?}");
        }
    }
}

/// Rules report that they left out connections in the same log, without any bytes of a packet.
#[test]
fn nflog_reports_of_left_out_connections_are_no_packets() {
    let packet = v4();
    for order in [Order::Little, Order::Big] {
        let prefix = (10, &b"cutshort-left-out:100\0"[..]);
        let report = nflog(NFLOG_INET, order, &[(1, &[0; 4]), prefix]);
        assert_eq!(parse(LinkType::Nflog, &report), Err(Refusal::LeftOut));
        let with_packet = nflog(NFLOG_INET, order, &[(1, &[0; 4]), prefix, (NFLOG_PAYLOAD, &packet)]);
        assert_eq!(parse(LinkType::Nflog, &with_packet), Err(Refusal::LeftOut));
    }
}

#[test]
fn nflog_payload_before_between_and_behind_other_attributes() {
    let packet = v4();
    for order in [Order::Little, Order::Big] {
        for at in 0..=NFLOG_USUAL.len() {
            let mut attributes = NFLOG_USUAL.to_vec();
            attributes.insert(at, (NFLOG_PAYLOAD, &packet));
            let frame = nflog(NFLOG_INET, order, &attributes);
            assert_eq!(parse(LinkType::Nflog, &frame), Ok(packet_v4(12, 34)), "{order:?}, {at}");
        }
    }
}

#[test]
fn nflog_attribute_types_may_carry_flags() {
    const NESTED: u16 = 0x8000;
    const NETWORK_BYTE_ORDER: u16 = 0x4000;
    let packet = v4();
    for order in [Order::Little, Order::Big] {
        let attributes = [(1 | NESTED, &[0; 4][..]), (NFLOG_PAYLOAD | NETWORK_BYTE_ORDER, &packet)];
        assert_eq!(
            parse(LinkType::Nflog, &nflog(NFLOG_INET, order, &attributes)),
            Ok(packet_v4(12, 34)),
            "{order:?}"
        );
    }
}

#[test]
fn nflog_payload_cut_by_the_capture_keeps_its_length() {
    for order in [Order::Little, Order::Big] {
        let frame = nflog_of(NFLOG_INET, order, &ipv4(TCP, &tcp(12, 400)));
        let payload = frame.len() - (20 + 20 + 12 + 400);
        let wire_len = frame.len() as u32;
        let snapped = |len| parse_of(LinkType::Nflog, &frame[..len], wire_len);
        assert_eq!(snapped(payload + 20 + 20), Ok(packet_v4(12, 400)), "{order:?}");
        assert_eq!(snapped(payload + 20 + 19), Err(Refusal::Cut), "{order:?}");
        assert_eq!(snapped(payload + 19), Err(Refusal::Malformed), "{order:?}");
    }
}

#[test]
fn nflog_without_a_payload_is_malformed() {
    for order in [Order::Little, Order::Big] {
        assert_eq!(
            parse(LinkType::Nflog, &nflog(NFLOG_INET, order, &NFLOG_USUAL)),
            Err(Refusal::Malformed),
            "{order:?}"
        );
        let empty = nflog(NFLOG_INET, order, &[(NFLOG_PAYLOAD, &[])]);
        assert_eq!(parse(LinkType::Nflog, &empty), Err(Refusal::Malformed), "{order:?}");
    }
    for len in 0..8 {
        assert_eq!(
            parse(LinkType::Nflog, &[NFLOG_INET, 0, 0, 0, 0, 0, 0, 0][..len]),
            Err(Refusal::Malformed)
        );
    }
}

#[test]
fn nflog_attribute_shorter_than_its_header_is_malformed() {
    // It would be walked for ever, or into itself.
    for len in 0_u16..4 {
        for bytes in [u16::to_le_bytes(len), u16::to_be_bytes(len)] {
            let frame = [&[NFLOG_INET, 0, 0, 0], &bytes[..], &[1, 0, 8, 0, 9, 0], &v4()].concat();
            assert_eq!(parse(LinkType::Nflog, &frame), Err(Refusal::Malformed), "{len}");
        }
    }
}

/// Read in the wrong byte order, the first attribute's length of 8 reaches into a packet that is
/// larger than 2048 bytes. What a stranger put there must not be taken for attributes.
#[test]
fn nflog_packet_that_looks_like_attributes_in_the_other_byte_order() {
    let inner = ipv4(TCP, &tcp(0, 0));
    let attribute = nflog(NFLOG_INET, Order::Little, &[(NFLOG_PAYLOAD, &inner)])[4..].to_vec();
    let mut segment = tcp(12, 0);
    // Wherever the length leads to, there is the fake attribute at some copy's beginning.
    for _ in 0..80 {
        segment.extend(&attribute);
    }
    let payload_len = (segment.len() - 32) as u32;
    for shift in 0..attribute.len() / 4 {
        let mut shifted = segment.clone();
        shifted[32..].rotate_left(shift * 4);
        let frame = nflog_of(NFLOG_INET, Order::Big, &ipv4(TCP, &shifted));
        assert_eq!(parse(LinkType::Nflog, &frame), Ok(packet_v4(12, payload_len)), "{shift}");
    }
}

#[test]
fn numbers_of_link_types() {
    let known = [
        (0, LinkType::Null),
        (1, LinkType::Ethernet),
        (12, LinkType::Raw),
        (14, LinkType::Raw),
        (101, LinkType::Raw),
        (108, LinkType::Loop),
        (113, LinkType::LinuxSll),
        (228, LinkType::Ipv4),
        (229, LinkType::Ipv6),
        (239, LinkType::Nflog),
        (276, LinkType::LinuxSll2),
        (6, LinkType::TokenRing),
        (9, LinkType::Ppp),
        (50, LinkType::Ppp),
        (10, LinkType::Fddi),
        (51, LinkType::PppEther),
        (104, LinkType::CiscoHdlc),
        (105, LinkType::Ieee80211),
        (107, LinkType::FrameRelay),
        (109, LinkType::Enc),
        (117, LinkType::Pflog),
        (127, LinkType::Radiotap),
        (149, LinkType::Pktap),
        (258, LinkType::Pktap),
        (178, LinkType::JuniperEther),
        (192, LinkType::Ppi),
    ];
    for (number, link) in known {
        assert_eq!(LinkType::from_number(number), Some(link));
    }
    // USER0, USB, Bluetooth.
    for number in [147, 189, 201, 220, u32::MAX] {
        assert_eq!(LinkType::from_number(number), None);
    }
    for link in LinkType::ALL {
        assert!(known.iter().any(|(_, known)| *known == link), "{}", link.name());
    }
}
