use cutshort_simulate::syn_packet;
use cutshort_store::{Provenance, SegmentId, SegmentSource};

use super::*;

const ROOM: u64 = 1 << 20;

fn segment(from: i64, packets: u16) -> Segment {
    let packets = (0..packets).map(|port| syn_packet(from, port)).collect();
    let id = SegmentId(from as u128 + 1);
    Segment::encode(packets, &SegmentSource::tcp("edge", Provenance::Live, (from, from + 9)), Some(id))
        .unwrap()
}

fn take(spool: &Spool) -> Option<Spooled> {
    spool.take(Duration::ZERO)
}

fn opened(limit: u64) -> (tempfile::TempDir, Spool) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(&folder.path().join("spool"), limit).unwrap();
    (folder, spool)
}

fn reopen(spool: Spool, limit: u64) -> Spool {
    let folder = spool.folder().to_owned();
    drop(spool);
    Spool::open(&folder, limit).unwrap()
}

#[test]
fn segments_go_by_age_and_survive_a_restart() {
    let (_folder, spool) = opened(ROOM);
    let all = [300, 100, 200].map(|from| segment(from, 2));
    all.iter().for_each(|segment| spool.put(segment).unwrap());
    let spool = reopen(spool, ROOM);
    assert_eq!((spool.state().segments, spool.state().packets, spool.state().oldest), (3, 6, Some(100)));
    for expected in [&all[1], &all[2], &all[0]] {
        let taken = take(&spool).unwrap();
        assert_eq!(taken.bytes, expected.bytes());
        spool.give_back();
        assert_eq!(take(&spool).unwrap().name, taken.name, "until it is settled");
        spool.settle(&taken.name, Ok(()));
    }
    assert!(take(&spool).is_none());
    let spool = reopen(spool, ROOM);
    assert_eq!(spool.state().counts, SpoolCounts { delivered: (3, 6), ..SpoolCounts::default() });
    assert_eq!((spool.state().segments, spool.state().bytes), (0, 0));
}

#[test]
fn the_oldest_is_dropped_for_the_newest() {
    let all = [100, 200, 300].map(|from| segment(from, 5));
    let three: u64 = all.iter().map(|segment| segment.bytes().len() as u64).sum();
    let (_folder, spool) = opened(three - 1);
    spool.put(&all[0]).unwrap();
    spool.put(&all[1]).unwrap();
    // The one that is on its way stays.
    let taken = take(&spool).unwrap();
    spool.put(&all[2]).unwrap();
    assert_eq!((spool.state().oldest, spool.state().counts.dropped), (Some(100), (1, 5)));
    spool.settle(&taken.name, Ok(()));
    assert_eq!(take(&spool).unwrap().bytes, all[2].bytes());
    // So it is when there is less room than before.
    spool.give_back();
    let spool = reopen(spool, 10);
    assert_eq!((spool.state().segments, spool.state().counts.dropped), (0, (2, 10)));
}

#[test]
fn refused_segments_are_set_aside_with_the_reason() {
    let (_folder, spool) = opened(ROOM);
    for from in 0..40 {
        spool.put(&segment(from, 1)).unwrap();
        let taken = take(&spool).unwrap();
        spool.settle(&taken.name, Err("it is from the future"));
    }
    assert_eq!(spool.state().counts.refused, (40, 40));
    let names = fs::read_dir(spool.folder().join(REFUSED)).unwrap();
    assert_eq!(names.count(), 2 * KEPT_REFUSED, "the latest, each with its reason");
    let spool = reopen(spool, ROOM);
    assert!(take(&spool).is_none(), "they are not tried again");
}

#[test]
fn what_a_crash_leaves_of_a_file_is_removed_and_what_is_gone_is_counted() {
    let (_folder, spool) = opened(ROOM);
    let half = spool.folder().join(SEGMENTS).join("00000000000000000001-00000001-0.tmp");
    fs::write(&half, "PAR").unwrap();
    spool.put(&segment(5, 4)).unwrap();
    spool.put(&segment(6, 1)).unwrap();
    let spool = reopen(spool, ROOM);
    assert!(!half.exists());
    fs::remove_file(spool.path(SEGMENTS, spool.lock().waiting.keys().next().unwrap())).unwrap();
    assert_eq!(take(&spool).unwrap().bytes, segment(6, 1).bytes());
    assert_eq!(spool.state().counts.refused, (1, 4));
}

#[test]
fn one_process_has_it() {
    let (_folder, spool) = opened(ROOM);
    let is_locked = || matches!(Spool::open(spool.folder(), ROOM), Err(StoreError::Locked(_)));
    assert!(is_locked());
    fs::remove_file(spool.folder().join(LOCK)).unwrap();
    assert!(is_locked(), "also if somebody has removed the file");
}
