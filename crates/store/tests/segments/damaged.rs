//! Bytes that were a segment once.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use cutshort_model::Addresses;
use cutshort_store::{Protected, Protection};

fn segment() -> Vec<u8> {
    let packets = (0..60).map(|at| Packet { seq: at, ..packet((at / 4) as u8, i64::from(at)) }).collect();
    Segment::encode(packets, &SegmentSource::tcp("edge", Provenance::Live, COVERS), Some(SegmentId(5)))
        .unwrap()
        .bytes()
        .to_vec()
}

/// One with other columns and metadata.
fn truncated() -> Vec<u8> {
    let protect = |at: u32| {
        let mut packet = Packet { seq: at, ..packet(0, i64::from(at)) };
        packet.five_tuple.dst_ip = packet.five_tuple.src_ip;
        let (addresses, flow) = (Addresses::Truncated, u64::from(at / 4));
        Protected { packet, protection: Protection { addresses, flow, ..Protection::NONE } }
    };
    let packets = (0..60).map(protect).collect();
    Segment::encode(packets, &SegmentSource::tcp("edge", Provenance::Live, COVERS), Some(SegmentId(5)))
        .unwrap()
        .bytes()
        .to_vec()
}

/// It is either refused, or what it says of itself is true.
fn check(bytes: Vec<u8>) -> Result<(), TestCaseError> {
    match Segment::parse(bytes) {
        Err(StoreError::Refused(_)) => {}
        Err(other) => prop_assert!(false, "{other:?}"),
        Ok(segment) => {
            let packets = segment.protected().unwrap();
            prop_assert_eq!(packets.len() as u64, segment.info().rows);
            let info = segment.info();
            let id = Some(info.id);
            let same =
                Segment::encode(packets, &SegmentSource::tcp(&info.node, info.origin, info.covers), id)
                    .unwrap();
            prop_assert_eq!(same.info(), segment.info());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn changed_bytes_never_panic(
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..6),
        protected: bool,
    ) {
        let mut bytes = if protected { truncated() } else { segment() };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check(bytes)?;
    }

    /// Most of what a reader believes stands at the end.
    #[test]
    fn changed_ends_never_panic(
        changes in prop::collection::vec((0..2500_usize, any::<u8>()), 1..4),
        protected: bool,
    ) {
        let mut bytes = if protected { truncated() } else { segment() };
        let len = bytes.len();
        for (back, byte) in changes {
            bytes[len - 1 - back % len] = byte;
        }
        check(bytes)?;
    }

    #[test]
    fn missing_and_doubled_bytes_never_panic(from: Index, to: Index, doubled: bool) {
        let mut bytes = segment();
        let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
        let (from, to) = (from.min(to), from.max(to));
        if doubled {
            let piece = bytes[from..to].to_vec();
            bytes.splice(to..to, piece);
        } else {
            bytes.drain(from..to);
        }
        check(bytes)?;
    }

    #[test]
    fn garbage_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(matches!(Segment::parse(bytes), Err(StoreError::Refused(_))));
    }
}

#[test]
fn a_file_that_ends_early_is_refused() {
    let bytes = segment();
    for len in 0..bytes.len() {
        assert!(matches!(Segment::parse(bytes[..len].to_vec()), Err(StoreError::Refused(_))), "{len} bytes");
    }
}
