//! The walk through a datagram, packet by packet.

use cutshort_packet::quic::{Datagram, Kinds, Version};

use crate::builder::{Long, Type, short, varint};
use crate::{row, row_of};

const NONE: Kinds = Kinds::from_bits(0);

fn kinds(payload: &[u8]) -> Kinds {
    row(payload).kinds
}

#[test]
fn types_are_known_in_each_version() {
    for version in Version::ALL {
        for of_type in [Type::Initial, Type::ZeroRtt, Type::Handshake, Type::Retry] {
            let row = row(&Long { version: version.number(), ..Long::of(of_type) }.bytes());
            let expected = if of_type == Type::Retry { 0 } else { version.number() };
            assert_eq!(
                (row.kinds, row.version),
                (of_type.kind(), expected),
                "{} {of_type:?}",
                version.name()
            );
        }
    }
}

#[test]
fn the_fixed_bit_of_long_headers_is_not_looked_at() {
    assert_eq!(kinds(&Long { low: 0, ..Long::default() }.bytes()), Kinds::INITIAL);
}

#[test]
fn types_of_other_versions_mean_nothing() {
    for version in [0, 2, 0xff00_001c, 0x1a1a_1a1a, 0xface_b002] {
        for of_type in [Type::Initial, Type::Retry] {
            let bytes = Long { version, dcid: vec![7; 255], scid: vec![8; 255], ..Long::of(of_type) }.bytes();
            let row = row(&[bytes, Long::default().bytes()].concat());
            assert_eq!((row.kinds, row.version), (Kinds::OTHER_VERSION, version));
            assert_eq!((row.dcid, row.scid, row.dcid_len, row.token), (None, None, 0, None));
        }
    }
}

#[test]
fn packets_are_walked_one_after_the_other() {
    let all = [Long::default().bytes(), Long::of(Type::ZeroRtt).bytes(), Long::of(Type::Handshake).bytes()];
    let long = Kinds::INITIAL | Kinds::ZERO_RTT | Kinds::HANDSHAKE;
    assert_eq!(kinds(&all.concat()), long);
    let behind = |rest: Vec<u8>| kinds(&[all.concat(), rest].concat());
    assert_eq!(behind(short(21, 0x40)), long | Kinds::SHORT);
    assert_eq!(behind(short(20, 0x40)), long, "too short for a packet");
    assert_eq!(behind(short(21, 0x3f)), long, "padding: the fixed bit is not set");
    assert_eq!(behind(vec![0; 900]), long, "padding");
    assert_eq!(behind(vec![0x80]), long | Kinds::JUNK, "no whole header");
    assert_eq!(behind(Long::of(Type::Retry).bytes()), long | Kinds::JUNK);
    assert_eq!(behind(Long { version: 7, ..Long::default() }.bytes()), long | Kinds::OTHER_VERSION);
}

#[test]
fn a_first_byte_without_the_long_bit_is_a_short_packet_or_junk() {
    for first in [0, 0x3f, 0x40, 0x7f] {
        assert_eq!(kinds(&short(21, first)), Kinds::SHORT, "{first:#x}: the fixed bit may be greased");
        assert_eq!(kinds(&short(20, first)), Kinds::JUNK, "{first:#x}");
    }
    assert_eq!(kinds(&[]), Kinds::JUNK, "a datagram without payload");
    assert_eq!(row(&short(21, 0)).version, 0);
}

#[test]
fn nothing_of_a_short_packet_needs_to_be_captured_but_its_first_byte() {
    assert_eq!(row_of(&short(21, 0), 1).kinds, Kinds::SHORT);
    assert_eq!(row_of(&short(21, 0), 0).kinds, Kinds::CUT);
    assert_eq!(row_of(&short(20, 0), 1).kinds, Kinds::JUNK, "its length is known");
    assert_eq!(row_of(&[], 0).kinds, Kinds::JUNK);
}

#[test]
fn ids_have_up_to_twenty_bytes() {
    for len in [0, 1, 20] {
        let of_len = row(&Long { dcid: vec![9; len], scid: vec![9; 20 - len], ..Long::default() }.bytes());
        assert_eq!((of_len.kinds, usize::from(of_len.dcid_len)), (Kinds::INITIAL, len));
        assert!(of_len.dcid.is_some() && of_len.scid.is_some(), "an id of no bytes is one");
    }
    assert_eq!(kinds(&Long { dcid: vec![9; 21], ..Long::default() }.bytes()), Kinds::JUNK);
    assert_eq!(kinds(&Long { scid: vec![9; 21], ..Long::default() }.bytes()), Kinds::JUNK);
}

#[test]
fn headers_beyond_the_datagram_are_junk_in_any_version() {
    for version in [1, 7] {
        let header = Long { version, scid: vec![3; 4], ..Long::default() }.header();
        for len in 1..header.len() {
            assert_eq!(kinds(&header[..len]), Kinds::JUNK, "{version}: {len} bytes");
        }
        let whole = if version == 7 { Kinds::OTHER_VERSION } else { Kinds::JUNK };
        assert_eq!(kinds(&header), whole, "version 1 lacks its token length");
    }
}

#[test]
fn headers_beyond_the_capture_are_cut() {
    let initial = Long { scid: vec![3; 4], ..Long::default() };
    let of = |long: &Long, captured| {
        let row = row_of(&long.bytes(), captured);
        assert_eq!((row.dcid, row.scid, row.token, row.dcid_len), (None, None, None, 0), "{captured}");
        (row.kinds, row.version)
    };
    for captured in 0..initial.header().len() {
        let known = captured >= 5;
        let with = |kinds: Kinds| Kinds::CUT | if known { kinds } else { NONE };
        let version = |version| if known { version } else { 0 };
        assert_eq!(of(&initial, captured), (with(Kinds::INITIAL), version(1)));
        let retry = Long { of_type: Type::Retry, ..initial.clone() };
        assert_eq!(of(&retry, captured), (with(Kinds::JUNK), 0));
        let other = Long { version: 7, ..initial.clone() };
        assert_eq!(of(&other, captured), (with(Kinds::OTHER_VERSION), version(7)));
    }
}

#[test]
fn lengths_that_were_captured_show_that_a_cut_header_is_junk() {
    let header = Long { dcid: vec![9; 20], ..Long::default() }.header();
    let datagram = &header[..26];
    assert_eq!(row_of(datagram, 5).kinds, Kinds::CUT | Kinds::INITIAL, "it may have shorter ids");
    assert_eq!(row_of(datagram, 6).kinds, Kinds::JUNK, "27 bytes at least");
}

#[test]
fn tokens_and_lengths_beyond_the_datagram_are_junk_instead_of_the_type() {
    for width in [1, 2, 4, 8] {
        let initial = Long { token: vec![5; 30], width, ..Long::default() };
        let bytes = initial.bytes();
        for len in initial.header().len()..bytes.len() {
            let row = row(&bytes[..len]);
            assert_eq!((row.kinds, row.version, row.dcid), (Kinds::JUNK, 0, None), "{len} bytes");
        }
        let handshake = Long { width, ..Long::of(Type::Handshake) }.bytes();
        assert_eq!(kinds(&handshake[..handshake.len() - 1]), Kinds::JUNK);
        assert_eq!(kinds(&handshake), Kinds::HANDSHAKE);
    }
    let endless = [Long::of(Type::Handshake).header(), varint((1 << 62) - 1, 8), vec![0; 60]].concat();
    assert_eq!(kinds(&endless), Kinds::JUNK);
}

#[test]
fn tokens_and_lengths_beyond_the_capture_are_cut_behind_their_ids() {
    let initial = Long { token: vec![5; 30], ..Long::default() };
    let bytes = initial.bytes();
    let whole = row(&bytes);
    for captured in initial.header().len()..bytes.len() {
        let row = row_of(&bytes, captured);
        let has_token = captured >= initial.with_token().len();
        let expected = Datagram {
            kinds: Kinds::INITIAL | Kinds::CUT,
            token: whole.token.filter(|_| has_token),
            ..whole
        };
        assert_eq!(row, expected, "{captured} bytes");
    }
}

#[test]
fn what_is_not_captured_behind_a_packet_is_cut() {
    let (initial, rest) = (Long::default().bytes(), short(30, 0x40));
    let datagram = [&initial[..], &rest].concat();
    assert_eq!(row_of(&datagram, initial.len()).kinds, Kinds::INITIAL | Kinds::CUT);
    assert_eq!(row_of(&datagram, initial.len() + 1).kinds, Kinds::INITIAL | Kinds::SHORT);
}

#[test]
fn ids_and_version_are_those_of_the_first_long_packet() {
    let first = Long { dcid: vec![1; 9], scid: vec![2; 3], ..Long::of(Type::Handshake) };
    let second =
        Long { version: 0x6b33_43cf, dcid: vec![3; 8], scid: vec![4; 8], token: vec![5], ..Long::default() };
    let both = row(&[first.bytes(), second.bytes()].concat());
    let (one, other) = (row(&first.bytes()), row(&second.bytes()));
    assert_eq!((both.version, both.dcid, both.scid, both.dcid_len), (1, one.dcid, one.scid, 9));
    assert_eq!((one.token, both.token), (None, other.token), "of the first Initial");
    assert!(other.token.is_some_and(|token| token != Datagram::NO_TOKEN));
    assert_eq!(row(&Long::default().bytes()).token, Some(Datagram::NO_TOKEN));
    let later = Long { token: vec![6], ..second.clone() };
    assert_eq!(row(&[second.bytes(), later.bytes()].concat()).token, other.token);
}

#[test]
fn equal_ids_have_equal_hashes() {
    let of = |dcid: &[u8], scid: &[u8]| {
        let row = row(&Long { dcid: dcid.to_vec(), scid: scid.to_vec(), ..Long::default() }.bytes());
        (row.dcid.unwrap(), row.scid.unwrap())
    };
    let (one, other) = of(b"equal", b"equal");
    assert_eq!(one, other);
    assert_eq!(of(b"", b"").0, of(b"", b"x").0);
    let all = [of(b"", b"").0, of(&[0], b"").0, of(&[0, 0], b"").0, of(&[0; 8], b"").0, of(&[0; 9], b"").0];
    assert!((1..all.len()).all(|at| !all[..at].contains(&all[at])), "{all:?}");
}
