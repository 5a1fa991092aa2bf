//! ICMP errors that quote a SYN packet.

use cutshort_packet::{FiveTuple, Frame, LinkType, Packet, Refusal, Unreachable};
use proptest::prelude::*;
use proptest::sample::select;

use crate::bytes::{
    DST4, DST6, HOP_BY_HOP, IPV4, IPV6, SRC4, SRC6, TCP, ethernet, extension, ipv4, ipv6, tcp,
};

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

fn syn(options: usize) -> Vec<u8> {
    let mut segment = tcp(options, 0);
    segment[13] = 2;
    segment
}

fn error(kind: u8, code: u8, quote: &[u8]) -> Vec<u8> {
    [&[kind, code, 0, 0, 0, 0, 0, 0][..], quote].concat()
}

fn parse(bytes: &[u8]) -> Option<Unreachable> {
    Unreachable::parse(LinkType::Raw, Frame { ts: 5, wire_len: bytes.len() as u32, bytes })
}

fn expected(v6: bool) -> Unreachable {
    let five_tuple = match v6 {
        false => FiveTuple::new(SRC4.into(), 40112, DST4.into(), 443),
        true => FiveTuple::new(SRC6.into(), 40112, DST6.into(), 443),
    };
    let (ip_id, ttl) = if v6 { (0, 51) } else { (0xabcd, 57) };
    Unreachable { ts: 5, five_tuple, seq: 0x1122_3344, ip_id, ttl }
}

#[test]
fn all_codes_but_one_are_errors() {
    for code in 0..=255 {
        let v4 = parse(&ipv4(ICMP, &error(3, code, &ipv4(TCP, &syn(0)))));
        assert_eq!(v4, (code != 4).then(|| expected(false)), "{code}: fragmentation needed is none");
        assert_eq!(parse(&ipv6(ICMPV6, &error(1, code, &ipv6(TCP, &syn(0))))), Some(expected(true)));
    }
}

#[test]
fn other_messages_are_none() {
    let (v4, v6) = (ipv4(TCP, &syn(0)), ipv6(TCP, &syn(0)));
    for kind in (0..=255).filter(|kind| *kind != 3) {
        assert_eq!(parse(&ipv4(ICMP, &error(kind, 1, &v4))), None);
    }
    for kind in (0..=255).filter(|kind| *kind != 1) {
        assert_eq!(parse(&ipv6(ICMPV6, &error(kind, 1, &v6))), None);
    }
    assert_eq!(parse(&ipv4(ICMPV6, &error(1, 1, &v6))), None, "a message of the other family");
    assert_eq!(parse(&ipv4(ICMP, &error(3, 1, &v6))), None, "a quote of the other family");
    assert_eq!(parse(&ipv4(17, &error(3, 1, &v4))), None, "UDP");
    assert_eq!(parse(&v4), None, "the SYN packet itself");
}

#[test]
fn only_syn_packets_of_tcp_are_quoted() {
    for flags in 0..=255 {
        let mut segment = syn(0);
        segment[13] = flags;
        let is_syn = flags & 0b1_0111 == 2;
        let quote = ipv4(TCP, &segment);
        assert_eq!(parse(&ipv4(ICMP, &error(3, 1, &quote))).is_some(), is_syn, "{flags:#b}");
        let eight_bytes = parse(&ipv4(ICMP, &error(3, 1, &quote[..28])));
        assert_eq!(eight_bytes, Some(expected(false)), "without its flags it may be one");
    }
    assert_eq!(parse(&ipv4(ICMP, &error(3, 1, &ipv4(17, &syn(0))))), None, "a quoted UDP datagram");
    let mut later_fragment = ipv4(TCP, &syn(0));
    later_fragment[7] = 1;
    assert_eq!(parse(&ipv4(ICMP, &error(3, 1, &later_fragment))), None);
    let mut fragmented_error = ipv4(ICMP, &error(3, 1, &ipv4(TCP, &syn(0))));
    fragmented_error[7] = 1;
    assert_eq!(parse(&fragmented_error), None);
}

#[test]
fn extension_headers_are_walked() {
    let quote = ipv6(HOP_BY_HOP, &[extension(TCP, 8), syn(0)].concat());
    let message = [extension(ICMPV6, 16), error(1, 4, &quote)].concat();
    assert_eq!(parse(&ipv6(HOP_BY_HOP, &message)), Some(expected(true)));
}

#[test]
fn padding_is_no_part_of_a_quote() {
    let quote = &ipv4(TCP, &syn(0))[..27];
    let bytes = ethernet(IPV4, &[ipv4(ICMP, &error(3, 1, quote)), vec![0; 20]].concat());
    let frame = Frame { ts: 5, wire_len: bytes.len() as u32, bytes: &bytes };
    assert_eq!(Unreachable::parse(LinkType::Ethernet, frame), None, "seven bytes of TCP");
}

proptest! {
    /// Cut anywhere, an error is the same or none: eight bytes of TCP are enough.
    #[test]
    fn what_is_cut_is_the_same_or_none(
        v6 in any::<bool>(),
        options in select(&[0_usize, 20][..]),
        captured in 0..140_usize,
        link in any::<bool>(),
    ) {
        let (ip, needed) = match v6 {
            false => (ipv4(ICMP, &error(3, 13, &ipv4(TCP, &syn(options)))), 20 + 8 + 20 + 8),
            true => (ipv6(ICMPV6, &error(1, 1, &ipv6(TCP, &syn(options)))), 40 + 8 + 40 + 8),
        };
        let (link, bytes, needed) = match link {
            false => (LinkType::Raw, ip, needed),
            true => (LinkType::Ethernet, ethernet(if v6 { IPV6 } else { IPV4 }, &ip), needed + 14),
        };
        let frame = Frame { ts: 5, wire_len: bytes.len() as u32, bytes: &bytes[..captured.min(bytes.len())] };
        let found = Unreachable::parse(link, frame);
        prop_assert_eq!(found, (frame.bytes.len() >= needed).then(|| expected(v6)));
        if found.is_some() {
            prop_assert_eq!(Packet::parse(link, frame), Err(Refusal::NotTcp));
        }
    }
}
