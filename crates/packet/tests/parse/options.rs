//! The options of SYN packets, and "don't fragment".

use cutshort_packet::{Flags, LinkType, OptionKind, Packet, Refusal, SynOptions};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::bytes::{TCP, ipv4, ipv6, tcp};
use crate::{parse, parse_of};

/// Windows: MSS 1460, NOP, window scale 8, NOP, NOP, SACK permitted.
const WINDOWS: [u8; 12] = [2, 4, 0x05, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2];

const OF_WINDOWS: SynOptions = SynOptions {
    kinds: OptionKind::list(&[
        OptionKind::Mss,
        OptionKind::Nop,
        OptionKind::WindowScale,
        OptionKind::Nop,
        OptionKind::Nop,
        OptionKind::SackPermitted,
    ]),
    mss: 1460,
    wscale: 8,
};

/// A segment with these flags and options, and a payload of 4 bytes.
fn segment(flags: Flags, options: &[u8]) -> Vec<u8> {
    let mut segment = tcp(options.len(), 4);
    segment[13] = flags.bits() as u8;
    segment[20..20 + options.len()].copy_from_slice(options);
    segment
}

fn parsed(flags: Flags, options: &[u8]) -> Packet {
    parse(LinkType::Raw, &ipv4(TCP, &segment(flags, options))).unwrap()
}

#[test]
fn options_of_syn_packets_are_kept() {
    for flags in [Flags::SYN, Flags::SYN | Flags::ECE | Flags::CWR, Flags::SYN | Flags::PSH] {
        assert_eq!(parsed(flags, &WINDOWS).syn, OF_WINDOWS, "{flags}");
    }
    assert_eq!(parsed(Flags::SYN, &[]).syn, SynOptions::NONE);
    for flags in [Flags::SYN | Flags::ACK, Flags::ACK, Flags::RST, Flags::SYN | Flags::FIN] {
        assert_eq!(parsed(flags, &WINDOWS).syn, SynOptions::NONE, "{flags}");
    }
    let v6 = parse(LinkType::Raw, &ipv6(TCP, &segment(Flags::SYN, &WINDOWS))).unwrap();
    assert_eq!(v6.syn, OF_WINDOWS);
}

#[test]
fn options_that_the_capture_has_cut_are_unknown() {
    let frame = ipv4(TCP, &segment(Flags::SYN, &WINDOWS));
    for captured in 0..=frame.len() {
        let packet = parse_of(LinkType::Raw, &frame[..captured], frame.len() as u32);
        let expected = match captured {
            0..20 => Err(Refusal::Malformed),
            20..40 => Err(Refusal::Cut),
            40..52 => Ok(SynOptions::UNKNOWN),
            _ => Ok(OF_WINDOWS),
        };
        assert_eq!(packet.map(|packet| packet.syn), expected, "of {captured} captured bytes");
    }
    // Without options none are missing.
    let bare = ipv4(TCP, &segment(Flags::SYN, &[]));
    assert_eq!(parse_of(LinkType::Raw, &bare[..40], 44).unwrap().syn, SynOptions::NONE);
}

#[test]
fn dont_fragment_is_a_bit_of_ipv4() {
    for (bits, df) in [(0x40, true), (0, false), (0x20, false), (0x60, true), (0x80, false), (0xc0, true)] {
        let mut frame = ipv4(TCP, &tcp(0, 0));
        frame[6] = bits;
        assert_eq!(parse(LinkType::Raw, &frame).unwrap().df, df, "{bits:#x}");
    }
    assert!(!parse(LinkType::Raw, &ipv6(TCP, &tcp(0, 0))).unwrap().df);
}

/// A packet that is parsed in place leaves nothing of the one before.
#[test]
fn fields_of_the_packet_before_do_not_stay() {
    let mut packet = parsed(Flags::SYN, &WINDOWS);
    for bytes in [ipv4(TCP, &tcp(0, 0)), ipv6(TCP, &tcp(20, 0))] {
        let frame = cutshort_packet::Frame { ts: 0, wire_len: bytes.len() as u32, bytes: &bytes };
        packet.parse_in_place(LinkType::Raw, frame).unwrap();
        assert_eq!((packet.df, packet.syn), (packet.five_tuple.is_ipv4(), SynOptions::NONE));
    }
}

/// Options as operating systems send them, and others.
const KNOWN: &[&[u8]] = &[
    &[1],
    &[2, 4, 0x05, 0xb4],
    &[3, 3, 7],
    &[4, 2],
    &[8, 10, 0, 0, 0, 1, 0, 0, 0, 0],
    &[0],
    &[34, 2],
    &[254, 4, 0xf9, 0x89],
    &[254, 4, 0, 1],
    &[30, 4, 0, 0],
    &[19, 4, 0, 0],
    &[29, 4, 0, 0],
    &[5, 2],
    &[2, 1],
    &[3, 41],
];

/// Several of them, padded to words, or any bytes.
pub(crate) fn options() -> impl Strategy<Value = Vec<u8>> {
    let known = select(KNOWN);
    let listed = vec(known, 0..20).prop_map(|options| {
        let mut bytes = options.concat();
        bytes.truncate(40);
        bytes.resize(bytes.len().next_multiple_of(4), 1);
        bytes
    });
    prop_oneof![3 => listed, 1 => (0..=10_usize).prop_flat_map(|words| vec(any::<u8>(), words * 4))]
}

/// The same once more, by other means: the walk as docs/spec.md#syn-options words it.
pub(crate) fn syn_options(options: &[u8]) -> SynOptions {
    let (mut numbers, mut mss, mut wscale, mut at) = (Vec::new(), 0, 255, 0);
    while at < options.len() {
        let length = match options[at] {
            0 | 1 => 1,
            _ => options.get(at + 1).map_or(0, |length| usize::from(*length)),
        };
        if length == 0 || (options[at] > 1 && length < 2) || at + length > options.len() {
            numbers.push(15);
            break;
        }
        let option = &options[at..at + length];
        numbers.push(match option {
            [0, ..] => 6,
            [1, ..] => 1,
            [2, ..] => 2,
            [3, ..] => 3,
            [4, ..] => 4,
            [8, ..] => 5,
            [34, ..] | [254, _, 0xf9, 0x89, ..] => 7,
            [30, ..] => 8,
            [19 | 29, ..] => 9,
            _ => 15_u64,
        });
        if let [2, 4, high, low] = option {
            mss = u16::from(*high) * 256 + u16::from(*low);
        }
        if let [3, 3, shift] = option {
            wscale = *shift;
        }
        if option == [0] {
            break;
        }
        at += length;
    }
    let kinds = numbers.iter().take(16).rev().fold(0, |list, number| list * 16 + number);
    SynOptions { kinds, mss, wscale }
}
