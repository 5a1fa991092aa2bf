//! ICMP errors that quote a UDP datagram (docs/quic.md#icmp).

use cutshort_packet::quic::{Datagram, Found, Icmp, Kinds, ServerPorts};
use cutshort_packet::{FiveTuple, Inner, LinkType, Refusal, Tunnel};

use crate::bytes::{
    DST4, DST6, HOP_BY_HOP, IPV4, SRC4, SRC6, TCP, ethernet, extension, fragment, ipv4, ipv6, tcp,
};
use crate::wraps::WRAPS;
use crate::{UDP, found, frame, udp};

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

fn error(kind: u8, code: u8, quote: &[u8]) -> Vec<u8> {
    [&[kind, code, 0, 0, 0, 0, 0, 0][..], quote].concat()
}

/// An error that quotes a datagram from [`SRC4`] at port 40112 to [`DST4`] at port 443.
fn v4(code: u8) -> Vec<u8> {
    ipv4(ICMP, &error(3, code, &ipv4(UDP, &udp(b"quoted"))))
}

fn v6(code: u8) -> Vec<u8> {
    ipv6(ICMPV6, &error(1, code, &ipv6(UDP, &udp(b"quoted"))))
}

fn rows(bytes: &[u8]) -> Option<[Datagram; 2]> {
    match found(bytes) {
        Ok(Found::Icmp(rows)) => Some(rows),
        Ok(Found::Udp(udp)) => panic!("{udp:?}"),
        Err(refusal) => {
            assert_eq!(refusal, Refusal::NotQuic);
            None
        }
    }
}

fn expected(v6: bool, to_client: Icmp) -> [Datagram; 2] {
    let quoted = match v6 {
        false => FiveTuple::new(SRC4.into(), 40112, DST4.into(), 443),
        true => FiveTuple::new(SRC6.into(), 40112, DST6.into(), 443),
    };
    let (ip_id, ttl) = if v6 { (0, 51) } else { (0xabcd, 57) };
    [(quoted.reversed(), to_client), (quoted, Icmp::Server)].map(|(five_tuple, icmp)| Datagram {
        ts: 5,
        five_tuple,
        ip_id,
        ttl,
        sample_rate: 1,
        kinds: Kinds::ICMP,
        icmp: Some(icmp),
        ..Datagram::ZERO
    })
}

#[test]
fn an_error_has_a_row_for_each_end_that_may_be_the_client_s() {
    for code in 0..=255 {
        let of = |port| if code == port { Icmp::Port } else { Icmp::Other };
        let is_row = code != 4;
        assert_eq!(rows(&v4(code)), is_row.then(|| expected(false, of(3))), "{code}: path MTU is no row");
        assert_eq!(rows(&v6(code)), Some(expected(true, of(4))), "{code}");
    }
}

#[test]
fn other_messages_are_no_rows() {
    let (quote4, quote6) = (ipv4(UDP, &udp(&[])), ipv6(UDP, &udp(&[])));
    for kind in (0..=255).filter(|kind| *kind != 3) {
        assert_eq!(rows(&ipv4(ICMP, &error(kind, 3, &quote4))), None);
    }
    for kind in (0..=255).filter(|kind| *kind != 1) {
        assert_eq!(rows(&ipv6(ICMPV6, &error(kind, 4, &quote6))), None, "{kind}: 2 is path MTU");
    }
    assert_eq!(rows(&ipv4(ICMPV6, &error(1, 4, &quote6))), None, "a message of the other family");
    assert_eq!(rows(&ipv4(ICMP, &error(3, 3, &quote6))), None, "a quote of the other family");
    assert_eq!(rows(&ipv4(ICMP, &error(3, 3, &ipv4(TCP, &tcp(0, 0))))), None, "a quoted TCP packet");
}

#[test]
fn the_quote_must_have_a_server_port() {
    let mut datagram = udp(&[]);
    for (src, dst, is_row) in [(40112, 443, true), (443, 40112, true), (53, 40112, false)] {
        datagram[..4].copy_from_slice(&[u16::to_be_bytes(src), u16::to_be_bytes(dst)].concat());
        let bytes = ipv4(ICMP, &error(3, 3, &ipv4(UDP, &datagram)));
        assert_eq!(rows(&bytes).is_some(), is_row, "{src} {dst}");
        assert!(Found::parse(LinkType::Raw, frame(&bytes), &ServerPorts::ANY).is_ok());
    }
}

#[test]
fn the_quote_must_have_the_udp_header() {
    let whole = v4(3);
    for captured in 0..whole.len() {
        // The captured bytes end, or the packet does.
        let mut shorter = whole[..captured].to_vec();
        let has_header = captured >= 20 + 8 + 20 + 8;
        if captured < 20 {
            assert_eq!(found(&shorter), Err(Refusal::Malformed));
            continue;
        }
        assert_eq!(rows(&shorter), has_header.then(|| expected(false, Icmp::Port)), "{captured}");
        shorter[2..4].copy_from_slice(&(captured as u16).to_be_bytes());
        shorter.resize(100, 0);
        assert_eq!(
            rows(&shorter),
            has_header.then(|| expected(false, Icmp::Port)),
            "{captured}: then padding"
        );
    }
}

#[test]
fn quotes_of_later_fragments_are_no_rows() {
    let mut later = ipv4(UDP, &udp(&[0; 40]));
    later[7] = 1;
    assert_eq!(rows(&ipv4(ICMP, &error(3, 3, &later))), None);
    let of_v6 = |offset| ipv6(44, &[fragment(UDP, offset, true), udp(&[0; 40])].concat());
    assert_eq!(rows(&ipv6(ICMPV6, &error(1, 4, &of_v6(1)))), None);
    assert_eq!(rows(&ipv6(ICMPV6, &error(1, 4, &of_v6(0)))), Some(expected(true, Icmp::Port)));
}

#[test]
fn extension_headers_are_walked() {
    let quote = ipv6(HOP_BY_HOP, &[extension(UDP, 8), udp(&[])].concat());
    let message = [extension(ICMPV6, 16), error(1, 4, &quote)].concat();
    assert_eq!(rows(&ipv6(HOP_BY_HOP, &message)), Some(expected(true, Icmp::Port)));
}

#[test]
fn tunnels_are_walked() {
    let (tunnel, wrap) = WRAPS[0];
    assert_eq!(tunnel, Tunnel::Mpls);
    let (ethertype, rest) = wrap(IPV4, &v4(3));
    let bytes = ethernet(ethertype, &rest);
    let inner = Inner::of_datagram(LinkType::Ethernet, frame(&bytes), &ServerPorts::default()).unwrap();
    let found = Found::parse(inner.link, inner.frame, &ServerPorts::default());
    assert_eq!(found, Ok(Found::Icmp(expected(false, Icmp::Port))));
}
