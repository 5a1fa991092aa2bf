//! Any datagram that can be built has the row that its packets say, however much of it was captured.

use cutshort_packet::quic::{Datagram, Kinds, Version};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::builder::{Long, Type, short};
use crate::row_of;

/// What follows the packets with long headers.
#[derive(Clone, Debug)]
enum Tail {
    Nothing,
    Short(usize, u8),
    Padding(usize),
    Retry,
    OtherVersion(u32),
}

impl Tail {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Short(len, first) => short(*len, *first),
            Self::Padding(len) => vec![0; *len],
            Self::Retry => Long::of(Type::Retry).bytes(),
            Self::OtherVersion(version) => Long { version: *version, ..Long::default() }.bytes(),
        }
    }

    /// Its kinds and version, if there are so many bytes of it.
    fn seen(&self, is_first: bool, captured: usize) -> (Kinds, u32) {
        let cut = |header: usize| if captured < header { Kinds::CUT } else { Kinds::default() };
        let typed = captured >= 5;
        // Of the default packet.
        let header = Long::default().header().len();
        match self {
            _ if self.bytes().is_empty() => (Kinds::default(), 0),
            _ if captured == 0 => (Kinds::CUT, 0),
            Self::Short(..) => (Kinds::SHORT, 0),
            Self::Padding(21..) if is_first => (Kinds::SHORT, 0),
            Self::Padding(_) if is_first => (Kinds::JUNK, 0),
            Self::Nothing | Self::Padding(_) => (Kinds::default(), 0),
            Self::Retry if typed => (Kinds::JUNK | cut(header), 0),
            Self::OtherVersion(version) if typed => (Kinds::OTHER_VERSION | cut(header), *version),
            Self::Retry | Self::OtherVersion(_) => (Kinds::CUT, 0),
        }
    }
}

fn id() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..=20)
}

fn long() -> impl Strategy<Value = Long> {
    let of_type = select(&[Type::Initial, Type::ZeroRtt, Type::Handshake][..]);
    let numbers = (0..400_usize, select(&[1, 2, 4, 8][..]), any::<u8>());
    let token = prop_oneof![3 => Just(Vec::new()), 1 => vec(any::<u8>(), 1..80)];
    let version = select(&Version::ALL[..]).prop_map(Version::number);
    (version, of_type, id(), id(), token, numbers).prop_map(
        |(version, of_type, dcid, scid, token, (body, width, low))| Long {
            version,
            of_type,
            dcid,
            scid,
            token,
            body,
            width,
            low,
        },
    )
}

fn tail() -> impl Strategy<Value = Tail> {
    let other =
        any::<u32>().prop_filter("no known version", |version| Version::from_number(*version).is_none());
    prop_oneof![
        3 => Just(Tail::Nothing),
        3 => (21..400_usize, 0x40..0x80_u8).prop_map(|(len, first)| Tail::Short(len, first)),
        3 => (1..400_usize).prop_map(Tail::Padding),
        1 => Just(Tail::Retry),
        1 => other.prop_map(Tail::OtherVersion),
    ]
}

/// The kinds, version, ids and token that can be seen in so many captured bytes.
fn expected(longs: &[Long], tail: &Tail, captured: usize) -> Datagram {
    let mut row = Datagram::ZERO;
    let mut at = 0;
    for long in longs {
        let bytes = long.bytes();
        let seen = captured.saturating_sub(at);
        at += bytes.len();
        if seen < 5 {
            row.kinds |= Kinds::CUT;
            return row;
        }
        let is_first = !row.kinds.intersects(Kinds::LONG);
        if is_first {
            row.version = long.version;
        }
        if is_first && seen >= long.header().len() {
            let alone = of(&long.bytes());
            (row.dcid, row.scid) = (alone.dcid, alone.scid);
            row.dcid_len = long.dcid.len() as u8;
        }
        let is_initial = long.of_type == Type::Initial;
        if is_initial && !row.kinds.intersects(Kinds::INITIAL) && seen >= long.with_token().len() {
            row.token = of(&long.bytes()).token;
        }
        row.kinds |= long.of_type.kind();
        if seen < bytes.len() {
            row.kinds |= Kinds::CUT;
            return row;
        }
    }
    let (kinds, version) = tail.seen(longs.is_empty(), captured - at.min(captured));
    if row.version == 0 {
        row.version = version;
    }
    row.kinds |= kinds;
    row
}

fn of(datagram: &[u8]) -> Datagram {
    row_of(datagram, datagram.len())
}

proptest! {
    #[test]
    fn a_row_has_what_was_put_in(longs in vec(long(), 0..4), tail in tail(), cut in any::<Option<u16>>()) {
        let mut datagram: Vec<u8> = longs.iter().flat_map(Long::bytes).collect();
        datagram.extend(tail.bytes());
        let captured = cut.map_or(datagram.len(), |cut| usize::from(cut) % (datagram.len() + 1));
        let row = row_of(&datagram, captured);
        let mut expected = expected(&longs, &tail, captured);
        if datagram.is_empty() {
            expected.kinds = Kinds::JUNK;
        }
        let of_frame = Datagram {
            ts: row.ts,
            five_tuple: row.five_tuple,
            ip_id: row.ip_id,
            ttl: row.ttl,
            sample_rate: 1,
            len: datagram.len() as u16,
            ..expected
        };
        prop_assert_eq!(row, of_frame);
    }

    /// Fewer captured bytes show no other packets, but junk may show only at the end of a packet.
    #[test]
    fn less_of_a_datagram_shows_nothing_else(datagram in vec(any::<u8>(), 0..200), long in long()) {
        let datagram = [long.bytes(), datagram].concat();
        let whole = of(&datagram);
        prop_assert!(!whole.kinds.intersects(Kinds::CUT));
        for captured in 0..datagram.len() {
            let row = row_of(&datagram, captured);
            let others = row.kinds.bits() & !whole.kinds.bits() & !Kinds::CUT.bits();
            prop_assert!(
                others == 0 || whole.kinds.intersects(Kinds::JUNK) && row.kinds.intersects(Kinds::CUT),
                "{:?} of {captured} bytes, {:?} of all", row.kinds, whole.kinds
            );
            prop_assert!(row.dcid.is_none() || row.dcid == whole.dcid || whole.kinds.intersects(Kinds::JUNK));
        }
    }
}
