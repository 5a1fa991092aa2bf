//! IPv4, IPv6 and TCP, by example: what is taken, and every way to be refused.

use std::net::Ipv6Addr;

use cutshort_packet::{Flags, LinkType, Packet, Refusal};

use crate::bytes::{
    AUTHENTICATION, DESTINATION, DST6, FRAGMENT, HOP_BY_HOP, IPV4, IPV6, ROUTING, SRC6, TCP, authentication,
    ethernet, extension, fragment, ipv4, ipv6, tcp,
};
use crate::{packet_v4, packet_v6, parse, parse_of};

const UDP: u8 = 17;
const ICMPV6: u8 = 58;
const NO_NEXT_HEADER: u8 = 59;
const ESP: u8 = 50;

fn raw(bytes: &[u8]) -> Result<Packet, Refusal> {
    parse(LinkType::Raw, bytes)
}

/// `bytes` with the big-endian field at `at` set.
fn with_u16(mut bytes: Vec<u8>, at: usize, value: u16) -> Vec<u8> {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
    bytes
}

fn with_byte(mut bytes: Vec<u8>, at: usize, value: u8) -> Vec<u8> {
    bytes[at] = value;
    bytes
}

mod v4 {
    use super::*;

    const TOTAL_LEN: usize = 2;
    const FRAGMENT_FIELD: usize = 6;
    const MORE_FRAGMENTS: u16 = 0x2000;
    const DO_NOT_FRAGMENT: u16 = 0x4000;

    #[test]
    fn options_are_skipped() {
        let mut bytes = ipv4(TCP, &[&[1; 40][..], &tcp(8, 5)].concat());
        bytes[0] = 0x4f;
        assert_eq!(raw(&bytes), Ok(packet_v4(8, 5)));
    }

    #[test]
    fn header_length_below_five_words_is_malformed() {
        for words in 0..5 {
            let bytes = with_byte(ipv4(TCP, &tcp(0, 0)), 0, 0x40 | words);
            assert_eq!(raw(&bytes), Err(Refusal::Malformed), "{words}");
        }
    }

    #[test]
    fn length_shorter_than_the_headers_is_malformed() {
        let bytes = ipv4(TCP, &tcp(12, 34));
        let told = |len| raw(&with_u16(bytes.clone(), TOTAL_LEN, len));
        // 0 means something else: see below.
        for len in 1..20 + 32 {
            assert_eq!(told(len), Err(Refusal::Malformed), "{len}");
        }
        assert_eq!(told(20 + 32), Ok(packet_v4(12, 0)));
        assert_eq!(told(20 + 32 + 1), Ok(packet_v4(12, 1)));
    }

    #[test]
    fn length_shorter_than_its_own_options_is_malformed() {
        let mut bytes = ipv4(TCP, &[&[1; 40][..], &tcp(0, 0)].concat());
        bytes[0] = 0x4f;
        for len in 1..60 {
            assert_eq!(raw(&with_u16(bytes.clone(), TOTAL_LEN, len)), Err(Refusal::Malformed), "{len}");
        }
    }

    #[test]
    fn contradictory_header_is_malformed_whatever_it_carries() {
        assert_eq!(raw(&with_byte(ipv4(UDP, &[0; 40]), 0, 0x44)), Err(Refusal::Malformed));
        assert_eq!(raw(&with_u16(ipv4(UDP, &[0; 40]), TOTAL_LEN, 19)), Err(Refusal::Malformed));
    }

    #[test]
    fn cut_header_is_malformed_whatever_it_carries() {
        for protocol in [TCP, UDP] {
            for len in 0..20 {
                assert_eq!(raw(&ipv4(protocol, &tcp(0, 0))[..len]), Err(Refusal::Malformed), "{len}");
            }
        }
    }

    #[test]
    fn cut_options_are_malformed() {
        let mut bytes = ipv4(TCP, &[&[1; 40][..], &tcp(0, 0)].concat());
        bytes[0] = 0x4f;
        for len in 20..60 {
            assert_eq!(parse_of(LinkType::Raw, &bytes[..len], 80), Err(Refusal::Malformed), "{len}");
        }
        assert_eq!(parse_of(LinkType::Raw, &bytes[..60], 80), Err(Refusal::Cut));
    }

    #[test]
    fn other_protocols_are_not_tcp() {
        const ICMP: u8 = 1;
        for protocol in [ICMP, UDP, ESP, FRAGMENT, HOP_BY_HOP, 255] {
            assert_eq!(raw(&ipv4(protocol, &tcp(0, 0))), Err(Refusal::NotTcp), "{protocol}");
            assert_eq!(raw(&ipv4(protocol, &[])), Err(Refusal::NotTcp), "{protocol}: nothing but a header");
        }
    }

    #[test]
    fn authentication_headers_are_walked() {
        let behind = |next, len| [authentication(next, len), tcp(12, 34)].concat();
        assert_eq!(raw(&ipv4(AUTHENTICATION, &behind(TCP, 24))), Ok(packet_v4(12, 34)));
        let twice = [authentication(AUTHENTICATION, 12), behind(TCP, 1024)].concat();
        assert_eq!(raw(&ipv4(AUTHENTICATION, &twice)), Ok(packet_v4(12, 34)));
        assert_eq!(raw(&ipv4(AUTHENTICATION, &behind(UDP, 24))), Err(Refusal::NotTcp));
        assert_eq!(raw(&ipv4(AUTHENTICATION, &behind(4, 24))), Err(Refusal::Encapsulated));
        let later = with_u16(ipv4(AUTHENTICATION, &behind(TCP, 24)), FRAGMENT_FIELD, 9);
        assert_eq!(raw(&later), Err(Refusal::Fragment));
        let whole = ipv4(AUTHENTICATION, &behind(TCP, 24));
        let snapped = |len: usize| parse_of(LinkType::Raw, &whole[..20 + len], whole.len() as u32);
        for len in 0..24 {
            assert_eq!(snapped(len), Err(Refusal::Malformed), "{len}");
        }
        assert_eq!((snapped(24), snapped(43)), (Err(Refusal::Cut), Err(Refusal::Cut)));
        assert_eq!(snapped(44), Ok(packet_v4(12, 34)));
        let short = with_u16(whole, TOTAL_LEN, 20 + 24 + 19);
        assert_eq!(raw(&short), Err(Refusal::Malformed), "19 bytes of TCP");
    }

    /// As `nmap -f` sends them: 8 bytes are in the first fragment (RFC 791 allows it).
    #[test]
    fn first_fragment_without_a_whole_tcp_header_is_a_fragment() {
        let with = |segment: &[u8], field| raw(&with_u16(ipv4(TCP, segment), FRAGMENT_FIELD, field));
        for len in [8, 16] {
            assert_eq!(with(&tcp(0, 0)[..len], MORE_FRAGMENTS), Err(Refusal::Fragment), "{len}");
            assert_eq!(with(&tcp(0, 0)[..len], 0), Err(Refusal::Malformed), "{len}");
        }
        assert_eq!(with(&tcp(12, 0)[..24], MORE_FRAGMENTS), Err(Refusal::Fragment), "options follow");
        assert_eq!(with(&with_byte(tcp(0, 0), 12, 0x40), MORE_FRAGMENTS), Err(Refusal::Malformed));
    }

    #[test]
    fn first_fragment_is_taken_with_the_length_it_has() {
        let bytes = with_u16(ipv4(TCP, &tcp(12, 34)), FRAGMENT_FIELD, MORE_FRAGMENTS);
        assert_eq!(raw(&bytes), Ok(Packet { df: false, ..packet_v4(12, 34) }));
    }

    #[test]
    fn later_fragments_are_refused_as_such() {
        for field in [1, 0x1fff, 185 | MORE_FRAGMENTS, 185 | DO_NOT_FRAGMENT] {
            let bytes = with_u16(ipv4(TCP, &tcp(12, 34)), FRAGMENT_FIELD, field);
            assert_eq!(raw(&bytes), Err(Refusal::Fragment), "{field:#06x}");
        }
        // However short the rest is.
        let bytes = with_u16(ipv4(TCP, &[0; 8]), FRAGMENT_FIELD, 185);
        assert_eq!(raw(&bytes), Err(Refusal::Fragment));
    }

    #[test]
    fn of_the_flags_only_do_not_fragment_is_kept() {
        for field in [0, DO_NOT_FRAGMENT, 0x8000, 0xe000] {
            let bytes = with_u16(ipv4(TCP, &tcp(12, 34)), FRAGMENT_FIELD, field);
            let df = field & DO_NOT_FRAGMENT != 0;
            assert_eq!(raw(&bytes), Ok(Packet { df, ..packet_v4(12, 34) }), "{field:#06x}");
        }
    }

    #[test]
    fn later_fragment_of_udp_is_not_tcp() {
        let bytes = with_u16(ipv4(UDP, &[0; 40]), FRAGMENT_FIELD, 185);
        assert_eq!(raw(&bytes), Err(Refusal::NotTcp));
    }

    #[test]
    fn length_of_zero_means_the_length_on_the_wire() {
        let bytes = with_u16(ipv4(TCP, &tcp(12, 34)), TOTAL_LEN, 0);
        let frame = ethernet(IPV4, &bytes);
        let of = |captured: usize, wire_len| parse_of(LinkType::Ethernet, &frame[..captured], wire_len);
        // Segmentation offload: whole, snapped behind, and snapped within the TCP header's options.
        assert_eq!(of(frame.len(), frame.len() as u32), Ok(packet_v4(12, 34)));
        assert_eq!(of(frame.len(), 14 + 52 + 60_000), Ok(packet_v4(12, 60_000)));
        assert_eq!(of(14 + 52, 14 + 52 + 60_000), Ok(packet_v4(12, 60_000)));
        assert_eq!(of(14 + 40, 14 + 52 + 60_000), Ok(packet_v4(12, 60_000)));
        assert_eq!(of(14 + 39, 14 + 52 + 60_000), Err(Refusal::Cut));
    }

    #[test]
    fn length_of_zero_without_a_length_on_the_wire_means_what_was_captured() {
        let bytes = with_u16(ipv4(TCP, &tcp(12, 34)), TOTAL_LEN, 0);
        for wire_len in [0, 1, bytes.len() as u32] {
            assert_eq!(parse_of(LinkType::Raw, &bytes, wire_len), Ok(packet_v4(12, 34)));
        }
    }

    #[test]
    fn length_beyond_16_bits() {
        let bytes = with_u16(ipv4(TCP, &tcp(12, 34)), TOTAL_LEN, 0);
        assert_eq!(parse_of(LinkType::Raw, &bytes, 52 + 500_000), Ok(packet_v4(12, 500_000)));
        assert_eq!(parse_of(LinkType::Raw, &bytes, u32::MAX), Ok(packet_v4(12, u32::MAX - 52)));
    }

    #[test]
    fn ethernet_padding_is_no_payload() {
        let mut frame = ethernet(IPV4, &ipv4(TCP, &tcp(0, 0)));
        frame.resize(60, 0);
        assert_eq!(parse(LinkType::Ethernet, &frame), Ok(packet_v4(0, 0)));
    }

    #[test]
    fn padding_does_not_complete_a_tcp_header() {
        let mut frame = ethernet(IPV4, &ipv4(TCP, &tcp(0, 0)[..12]));
        frame.resize(60, 0x50);
        assert_eq!(parse(LinkType::Ethernet, &frame), Err(Refusal::Malformed));
    }

    #[test]
    fn addresses_are_mapped() {
        let packet = raw(&ipv4(TCP, &tcp(0, 0))).unwrap();
        assert!(packet.five_tuple.is_ipv4());
        assert_eq!(packet.five_tuple.to_string(), "198.51.100.7:40112 > 203.0.113.5:443");
    }
}

mod v6 {
    use super::*;

    const PAYLOAD_LEN: usize = 4;

    #[test]
    fn extension_headers_are_walked() {
        let segment = tcp(12, 34);
        for kind in [HOP_BY_HOP, ROUTING, DESTINATION] {
            for len in [8, 16, 2048] {
                let bytes = ipv6(kind, &[&extension(TCP, len)[..], &segment].concat());
                assert_eq!(raw(&bytes), Ok(packet_v6(12, 34)), "{kind}, {len}");
            }
        }
        for len in [8, 12, 24, 28, 1028] {
            let bytes = ipv6(AUTHENTICATION, &[&authentication(TCP, len)[..], &segment].concat());
            assert_eq!(raw(&bytes), Ok(packet_v6(12, 34)), "{len}");
        }
    }

    #[test]
    fn chain_of_all_extension_headers() {
        let chain = [
            extension(DESTINATION, 16),
            extension(ROUTING, 8),
            extension(FRAGMENT, 24),
            fragment(AUTHENTICATION, 0, false),
            authentication(DESTINATION, 24),
            extension(TCP, 8),
            tcp(12, 34),
        ];
        assert_eq!(raw(&ipv6(HOP_BY_HOP, &chain.concat())), Ok(packet_v6(12, 34)));
    }

    #[test]
    fn first_fragment_is_taken_with_the_length_it_has() {
        for more in [false, true] {
            let bytes = ipv6(FRAGMENT, &[fragment(TCP, 0, more), tcp(12, 34)].concat());
            assert_eq!(raw(&bytes), Ok(packet_v6(12, 34)), "{more}");
        }
    }

    #[test]
    fn first_fragment_without_a_whole_tcp_header_is_a_fragment() {
        for chain in [fragment(TCP, 0, true), [fragment(DESTINATION, 0, true), extension(TCP, 8)].concat()] {
            for segment in [&tcp(0, 0)[..8], &tcp(0, 0)[..16], &tcp(12, 0)[..24]] {
                let bytes = ipv6(FRAGMENT, &[&chain, segment].concat());
                assert_eq!(raw(&bytes), Err(Refusal::Fragment), "{}", segment.len());
            }
        }
        let only = ipv6(FRAGMENT, &[&fragment(TCP, 0, false), &tcp(0, 0)[..16]].concat());
        assert_eq!(raw(&only), Err(Refusal::Malformed));
    }

    #[test]
    fn later_fragments_are_refused_as_such() {
        for (offset, more) in [(1, true), (1, false), (0x1fff, false)] {
            let bytes = ipv6(FRAGMENT, &[fragment(TCP, offset, more), tcp(12, 34)].concat());
            assert_eq!(raw(&bytes), Err(Refusal::Fragment), "{offset}");
        }
        // However little of it was sent or captured.
        assert_eq!(raw(&ipv6(FRAGMENT, &fragment(TCP, 9, false))), Err(Refusal::Fragment));
    }

    #[test]
    fn later_fragment_of_udp_is_not_tcp() {
        let bytes = ipv6(FRAGMENT, &[fragment(UDP, 185, false), vec![0; 40]].concat());
        assert_eq!(raw(&bytes), Err(Refusal::NotTcp));
    }

    #[test]
    fn other_protocols_are_not_tcp() {
        for next in [UDP, ICMPV6, NO_NEXT_HEADER, ESP, 255] {
            assert_eq!(raw(&ipv6(next, &tcp(0, 0))), Err(Refusal::NotTcp), "{next}");
            let behind = ipv6(HOP_BY_HOP, &[&extension(next, 8)[..], &tcp(0, 0)].concat());
            assert_eq!(raw(&behind), Err(Refusal::NotTcp), "{next}");
        }
    }

    #[test]
    fn cut_header_is_malformed_whatever_it_carries() {
        for next in [TCP, UDP] {
            for len in 0..40 {
                assert_eq!(raw(&ipv6(next, &tcp(0, 0))[..len]), Err(Refusal::Malformed), "{len}");
            }
        }
    }

    #[test]
    fn cut_chain_is_malformed() {
        let chain = [extension(FRAGMENT, 16), fragment(AUTHENTICATION, 0, false), authentication(TCP, 24)];
        let bytes = ipv6(ROUTING, &[chain.concat(), tcp(12, 34)].concat());
        let wire_len = bytes.len() as u32;
        for len in 40..40 + 48 {
            assert_eq!(parse_of(LinkType::Raw, &bytes[..len], wire_len), Err(Refusal::Malformed), "{len}");
        }
        for len in 40 + 48..40 + 48 + 20 {
            assert_eq!(parse_of(LinkType::Raw, &bytes[..len], wire_len), Err(Refusal::Cut), "{len}");
        }
        assert_eq!(parse_of(LinkType::Raw, &bytes[..40 + 48 + 20], wire_len), Ok(packet_v6(12, 34)));
    }

    #[test]
    fn length_shorter_than_the_headers_is_malformed() {
        let bytes = ipv6(DESTINATION, &[&extension(TCP, 16)[..], &tcp(12, 34)].concat());
        let told = |len| raw(&with_u16(bytes.clone(), PAYLOAD_LEN, len));
        // 0 means something else: see below.
        for len in 1..16 + 32 {
            assert_eq!(told(len), Err(Refusal::Malformed), "{len}");
        }
        assert_eq!(told(16 + 32), Ok(packet_v6(12, 0)));
        assert_eq!(told(16 + 32 + 1), Ok(packet_v6(12, 1)));
    }

    #[test]
    fn mapped_addresses_are_malformed() {
        const SRC: usize = 8;
        const DST: usize = 24;
        for mapped in ["::ffff:0.0.0.0", "::ffff:198.51.100.7", "::ffff:255.255.255.255"] {
            let mapped: Ipv6Addr = mapped.parse().unwrap();
            for at in [SRC, DST] {
                let mut bytes = ipv6(TCP, &tcp(0, 0));
                bytes[at..at + 16].copy_from_slice(&mapped.octets());
                assert_eq!(raw(&bytes), Err(Refusal::Malformed), "{mapped} at {at}");
            }
        }
    }

    #[test]
    fn addresses_beside_the_mapped_ones_are_taken() {
        const SRC: usize = 8;
        for beside in ["::", "::1", "::fffe:ffff:ffff", "::1:0:0:0", "64:ff9b::198.51.100.7", "1::ffff:0:0"] {
            let beside: Ipv6Addr = beside.parse().unwrap();
            let mut bytes = ipv6(TCP, &tcp(0, 0));
            bytes[SRC..SRC + 16].copy_from_slice(&beside.octets());
            assert_eq!(raw(&bytes).map(|packet| packet.five_tuple.src_ip), Ok(beside));
        }
    }

    #[test]
    fn length_of_zero_means_the_length_on_the_wire() {
        let bytes = with_u16(ipv6(TCP, &tcp(12, 34)), PAYLOAD_LEN, 0);
        let frame = ethernet(IPV6, &bytes);
        let of = |captured: usize, wire_len| parse_of(LinkType::Ethernet, &frame[..captured], wire_len);
        // BIG TCP.
        assert_eq!(of(frame.len(), 14 + 72 + 180_000), Ok(packet_v6(12, 180_000)));
        assert_eq!(of(14 + 60, 14 + 72 + 180_000), Ok(packet_v6(12, 180_000)));
        assert_eq!(of(14 + 59, 14 + 72 + 180_000), Err(Refusal::Cut));
        // Without a length on the wire.
        assert_eq!(of(frame.len(), 0), Ok(packet_v6(12, 34)));
        assert_eq!(of(frame.len(), frame.len() as u32), Ok(packet_v6(12, 34)));
    }

    #[test]
    fn jumbogram() {
        const JUMBO_PAYLOAD: u8 = 0xc2;
        let len: u32 = 8 + 32 + 100_000;
        let [a, b, c, d] = len.to_be_bytes();
        let hop_by_hop = [TCP, 0, JUMBO_PAYLOAD, 4, a, b, c, d];
        let bytes = with_u16(ipv6(HOP_BY_HOP, &[&hop_by_hop, &tcp(12, 34)[..]].concat()), PAYLOAD_LEN, 0);
        assert_eq!(parse_of(LinkType::Raw, &bytes, 40 + len), Ok(packet_v6(12, 100_000)));
        assert_eq!(parse_of(LinkType::Ipv6, &bytes, bytes.len() as u32), Ok(packet_v6(12, 34)));
    }

    #[test]
    fn ethernet_padding_is_no_payload() {
        let mut frame = ethernet(IPV6, &ipv6(TCP, &tcp(0, 0)));
        frame.resize(100, 0);
        assert_eq!(parse(LinkType::Ethernet, &frame), Ok(packet_v6(0, 0)));
    }

    #[test]
    fn padding_does_not_continue_a_chain() {
        // The length ends behind the first extension header; the next one is padding.
        for (kind, padding) in [
            (DESTINATION, extension(TCP, 8)),
            (AUTHENTICATION, authentication(TCP, 24)),
            (FRAGMENT, fragment(TCP, 0, false)),
            (FRAGMENT, fragment(TCP, 9, false)),
        ] {
            let packet = ipv6(HOP_BY_HOP, &extension(kind, 8));
            let frame = ethernet(IPV6, &[packet, padding, tcp(0, 0)].concat());
            assert_eq!(parse(LinkType::Ethernet, &frame), Err(Refusal::Malformed), "{kind}");
        }
    }

    #[test]
    fn identification_is_none_even_in_fragments() {
        let bytes = ipv6(FRAGMENT, &[fragment(TCP, 0, true), tcp(0, 0)].concat());
        let packet = raw(&bytes).unwrap();
        assert_eq!(packet.ip_id, 0);
        assert_eq!((packet.five_tuple.src_ip, packet.five_tuple.dst_ip), (SRC6, DST6));
        assert!(!packet.five_tuple.is_ipv4());
    }
}

mod header {
    use super::*;

    /// Both families, with the segment at their end.
    fn both(segment: &[u8]) -> [Result<Packet, Refusal>; 2] {
        [raw(&ipv4(TCP, segment)), raw(&ipv6(TCP, segment))]
    }

    #[test]
    fn options_of_any_length() {
        for options in (0..=40).step_by(4) {
            let len = options as u8;
            assert_eq!(both(&tcp(options, 7)), [Ok(packet_v4(len, 7)), Ok(packet_v6(len, 7))]);
        }
    }

    #[test]
    fn all_nine_flags_and_no_others() {
        for bits in 0..0x200_u16 {
            // The three reserved bits above them stay out.
            for reserved in [0, 0x0e00] {
                let segment = with_u16(tcp(0, 0), 12, 0x5000 | reserved | bits);
                for packet in both(&segment) {
                    assert_eq!(packet.map(|packet| packet.flags.bits()), Ok(bits));
                }
            }
        }
    }

    #[test]
    fn accurate_ecn_is_the_ninth_flag() {
        let segment = with_u16(tcp(0, 0), 12, 0x5100);
        for packet in both(&segment) {
            assert_eq!(packet.map(|packet| packet.flags), Ok(Flags::AE));
        }
    }

    #[test]
    fn data_offset_below_five_words_is_malformed() {
        for words in 0..5 {
            let segment = with_byte(tcp(0, 100), 12, words << 4);
            assert_eq!(both(&segment), [Err(Refusal::Malformed); 2], "{words}");
        }
    }

    #[test]
    fn data_offset_beyond_the_packet_is_malformed() {
        for words in 6..16 {
            let beyond = with_byte(tcp(0, usize::from(words) * 4 - 21), 12, words << 4);
            assert_eq!(both(&beyond), [Err(Refusal::Malformed); 2], "{words}");
            let within = with_byte(tcp(0, usize::from(words) * 4 - 20), 12, words << 4);
            let len = words * 4 - 20;
            assert_eq!(both(&within), [Ok(packet_v4(len, 0)), Ok(packet_v6(len, 0))], "{words}");
        }
    }

    #[test]
    fn packet_too_short_for_a_header_is_malformed() {
        for len in 0..20 {
            assert_eq!(both(&tcp(0, 0)[..len]), [Err(Refusal::Malformed); 2], "{len}");
        }
    }

    #[test]
    fn cut_before_byte_twenty() {
        let segment = tcp(12, 34);
        for (ip, header, packet) in
            [(ipv4(TCP, &segment), 20, packet_v4(12, 34)), (ipv6(TCP, &segment), 40, packet_v6(12, 34))]
        {
            let snapped = |len| parse_of(LinkType::Raw, &ip[..header + len], ip.len() as u32);
            for len in 0..20 {
                assert_eq!(snapped(len), Err(Refusal::Cut), "{len}");
            }
            for len in 20..=segment.len() {
                assert_eq!(snapped(len), Ok(packet), "{len}");
            }
        }
    }
}
