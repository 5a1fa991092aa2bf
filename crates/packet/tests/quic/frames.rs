//! From a frame to a datagram: link layers, IP, UDP, tunnels.

use cutshort_packet::quic::{Found, Kinds, ServerPorts};
use cutshort_packet::{Frame, Inner, LinkType, Packet, Refusal, Unread};

use crate::builder::{Long, short};
use crate::bytes::{
    AUTHENTICATION, DST4, DST6, FRAGMENT, HOP_BY_HOP, IPV4, IPV6, SRC4, SRC6, TCP, authentication, ethernet,
    extension, fragment, ipv4, ipv6, tcp,
};
use crate::wraps::{LINKS, WRAPS};
use crate::{KEY, UDP, datagram, found, frame, udp};

fn initial() -> Vec<u8> {
    Long::default().bytes()
}

fn found_in(link: LinkType, bytes: &[u8]) -> Option<(String, Kinds, usize)> {
    match Found::parse(link, frame(bytes), &ServerPorts::default()).ok()? {
        Found::Udp(udp) => Some((udp.five_tuple.to_string(), udp.row(&KEY).kinds, usize::from(udp.len))),
        Found::Icmp(rows) => panic!("{rows:?}"),
    }
}

#[test]
fn fields_of_both_families_are_read() {
    let (v4, v6) = (ipv4(UDP, &udp(&initial())), ipv6(UDP, &udp(&initial())));
    let (v4, v6) = (datagram(&v4).unwrap(), datagram(&v6).unwrap());
    assert_eq!(v4.five_tuple.to_string(), format!("{SRC4}:40112 > {DST4}:443"));
    assert_eq!(v6.five_tuple.to_string(), format!("[{SRC6}]:40112 > [{DST6}]:443"));
    assert_eq!((v4.ts, v4.ip_id, v4.ttl), (5, 0xabcd, 57));
    assert_eq!((v6.ts, v6.ip_id, v6.ttl), (5, 0, 51));
    let row = v4.row(&KEY);
    assert_eq!((row.five_tuple, row.ts, row.ip_id, row.ttl), (v4.five_tuple, 5, 0xabcd, 57));
    assert_eq!((usize::from(row.len), row.sample_rate, row.icmp), (initial().len(), 1, None));
}

#[test]
fn a_server_port_at_either_end_is_enough() {
    let mut bytes = ipv4(UDP, &udp(&initial()));
    let ports = |bytes: &mut Vec<u8>, src: u16, dst: u16| {
        bytes[20..24].copy_from_slice(&[src.to_be_bytes(), dst.to_be_bytes()].concat());
    };
    for (src, dst, is_meant) in [(40112, 443, true), (443, 40112, true), (443, 443, true), (53, 40112, false)]
    {
        ports(&mut bytes, src, dst);
        assert_eq!(datagram(&bytes).is_ok(), is_meant, "{src} {dst}");
        assert!(Found::parse(LinkType::Raw, frame(&bytes), &ServerPorts::ANY).is_ok());
    }
    assert_eq!(found(&bytes).unwrap_err(), Refusal::NotQuic);
    let unread = Unread::of(LinkType::Raw, frame(&bytes), Refusal::NotQuic);
    assert_eq!(unread.to_string(), "UDP (IP protocol 17)");
}

#[test]
fn other_protocols_are_refused_as_such() {
    let refusal = |bytes: &[u8]| found(bytes).unwrap_err();
    assert_eq!(refusal(&ipv4(TCP, &tcp(0, 0))), Refusal::NotQuic);
    assert_eq!(refusal(&ipv4(TCP, &tcp(0, 0)[..12])), Refusal::Malformed);
    assert_eq!(refusal(&ipv6(TCP, &tcp(0, 0))[..50]), Refusal::NotQuic, "a cut TCP header");
    assert_eq!(refusal(&ipv4(47, &[0, 0, 0x08, 0])), Refusal::Encapsulated);
    assert_eq!(refusal(&ipv4(132, &[0; 12])), Refusal::NotQuic);
    assert_eq!(refusal(&ipv4(1, &[8, 0, 0, 0, 0, 0, 0, 0])), Refusal::NotQuic, "an echo request");
    assert_eq!(refusal(&[0x45; 10]), Refusal::Malformed);
    let arp = ethernet(0x0806, &[0; 46]);
    assert_eq!(Found::parse(LinkType::Ethernet, frame(&arp), &ServerPorts::ANY), Err(Refusal::NotIp));
}

#[test]
fn a_family_that_the_link_layer_denies_is_malformed() {
    let v4 = ipv4(UDP, &udp(&initial()));
    assert_eq!(Found::parse(LinkType::Ipv6, frame(&v4), &ServerPorts::ANY), Err(Refusal::Malformed));
    let mut mapped = ipv6(UDP, &udp(&initial()));
    mapped[8..24].copy_from_slice(&SRC4.to_ipv6_mapped().octets());
    assert_eq!(found(&mapped), Err(Refusal::Malformed));
}

#[test]
fn the_udp_header_says_how_long_a_datagram_is() {
    let payload = short(30, 0);
    let with_len = |len: u16| {
        let mut bytes = ipv4(UDP, &udp(&payload));
        bytes[24..26].copy_from_slice(&len.to_be_bytes());
        bytes
    };
    let len = |bytes: &[u8]| datagram(bytes).map(|udp| (udp.len, udp.captured.len()));
    assert_eq!(len(&with_len(38)), Ok((30, 30)));
    assert_eq!(len(&with_len(28)), Ok((20, 20)), "padding is no payload");
    assert_eq!(len(&with_len(1208)), Ok((1200, 30)), "a first fragment: the rest was not captured");
    assert_eq!(len(&with_len(0)), Ok((30, 30)), "by the IP length");
    assert_eq!(len(&with_len(8)), Ok((0, 0)));
    for malformed in 1..8 {
        assert_eq!(len(&with_len(malformed)), Err(Refusal::Malformed));
    }
}

#[test]
fn the_ip_header_says_where_padding_begins() {
    let payload = short(30, 0);
    let padded = [ipv4(UDP, &udp(&payload)), vec![0; 18]].concat();
    assert_eq!(datagram(&padded).unwrap().captured, payload);
    let mut no_length = padded.clone();
    no_length[2..4].fill(0);
    no_length[24..26].fill(0);
    let udp = datagram(&no_length).unwrap();
    assert_eq!((udp.len, udp.captured.len()), (48, 48), "nothing says so");
    let cut = Frame { wire_len: 76, ..frame(&no_length[..40]) };
    let Ok(Found::Udp(udp)) = Found::parse(LinkType::Raw, cut, &ServerPorts::default()) else { panic!() };
    assert_eq!((udp.len, udp.captured.len()), (48, 12), "as it was on the wire");
    let huge = Frame { wire_len: 1 << 20, ..frame(&no_length) };
    let Ok(Found::Udp(udp)) = Found::parse(LinkType::Raw, huge, &ServerPorts::default()) else { panic!() };
    assert_eq!(udp.len, u16::MAX);
}

#[test]
fn a_udp_header_must_be_there() {
    let bytes = ipv4(UDP, &udp(&initial()));
    for captured in 20..28 {
        assert_eq!(found(&bytes[..captured]), Err(Refusal::Cut), "{captured}");
    }
    assert_eq!(found(&ipv4(UDP, &udp(&[])[..7])), Err(Refusal::Malformed));
}

#[test]
fn first_fragments_are_read_and_later_ones_are_not() {
    let whole = udp(&[initial(), vec![0; 1100]].concat());
    let mut first = ipv4(UDP, &whole[..600]);
    first[6] = 0x20;
    let read = datagram(&first).unwrap();
    assert_eq!((usize::from(read.len), read.captured.len()), (whole.len() - 8, 592));
    assert_eq!(read.row(&KEY).kinds, Kinds::INITIAL);
    let mut later = ipv4(UDP, &whole[600..]);
    later[7] = 75;
    assert_eq!(found(&later), Err(Refusal::Fragment));
    let v6 =
        |offset, more, part: &[u8]| ipv6(FRAGMENT, &[fragment(UDP, offset, more), part.to_vec()].concat());
    assert_eq!(datagram(&v6(0, true, &whole[..600])).unwrap().row(&KEY).kinds, Kinds::INITIAL);
    assert_eq!(found(&v6(75, false, &whole[600..])), Err(Refusal::Fragment));
}

#[test]
fn extension_and_authentication_headers_are_walked() {
    let datagram_of = udp(&initial());
    let v6 = ipv6(
        HOP_BY_HOP,
        &[extension(AUTHENTICATION, 8), authentication(UDP, 24), datagram_of.clone()].concat(),
    );
    let v4 = ipv4(
        AUTHENTICATION,
        &[authentication(AUTHENTICATION, 24), authentication(UDP, 12), datagram_of].concat(),
    );
    for bytes in [v4, v6] {
        let udp = datagram(&bytes).unwrap();
        assert_eq!((usize::from(udp.len), udp.row(&KEY).kinds), (initial().len(), Kinds::INITIAL));
    }
}

#[test]
fn every_link_layer_is_walked() {
    for (ethertype, packet) in [(IPV4, ipv4(UDP, &udp(&initial()))), (IPV6, ipv6(UDP, &udp(&initial())))] {
        let expected = found_in(LinkType::Raw, &packet);
        assert_eq!(expected.as_ref().map(|found| found.1), Some(Kinds::INITIAL));
        assert_eq!(found_in(LinkType::Ethernet, &ethernet(ethertype, &packet)), expected);
        for (link, wrap) in LINKS {
            assert_eq!(found_in(link, &wrap(ethertype, &packet)), expected, "{}", link.name());
        }
    }
}

#[test]
fn every_tunnel_is_walked() {
    let ports = ServerPorts::default();
    for (ethertype, packet) in [(IPV4, ipv4(UDP, &udp(&initial()))), (IPV6, ipv6(UDP, &udp(&initial())))] {
        let expected = found_in(LinkType::Raw, &packet);
        for (tunnel, wrap) in WRAPS {
            let (outer, rest) = wrap(ethertype, &packet);
            let bytes = ethernet(outer, &rest);
            for ports in [ports, ServerPorts::ANY] {
                let refusal = Found::parse(LinkType::Ethernet, frame(&bytes), &ports).unwrap_err();
                assert_eq!(refusal, Refusal::Encapsulated, "{tunnel}");
                let inner = Inner::of_datagram(LinkType::Ethernet, frame(&bytes), &ports).unwrap();
                assert_eq!(inner.tunnels(), [tunnel]);
                assert_eq!(found_in(inner.link, inner.frame.bytes), expected, "{tunnel}");
            }
            assert!(Inner::of(LinkType::Ethernet, frame(&bytes)).is_none(), "no TCP in it");
        }
    }
}

#[test]
fn a_port_of_a_tunnel_may_be_a_server_s() {
    // A datagram that may be VXLAN by its destination port and first byte.
    let mut bytes = ipv4(UDP, &udp(&short(60, 0x48)));
    bytes[20..24].copy_from_slice(&[443_u16.to_be_bytes(), 4789_u16.to_be_bytes()].concat());
    assert_eq!(Packet::parse(LinkType::Raw, frame(&bytes)), Err(Refusal::Encapsulated));
    assert!(found(&bytes).is_ok(), "the other port is one of our servers");
    let any = Found::parse(LinkType::Raw, frame(&bytes), &ServerPorts::ANY);
    assert_eq!(any, Err(Refusal::Encapsulated), "any datagram could be meant");
}
