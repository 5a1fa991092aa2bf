//! What of a capture is kept, and in which segments.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod memory;
mod simulated;

use std::collections::BTreeMap;

use cutshort_model::Window;
use cutshort_packet::{FiveTuple, Packet};
use cutshort_pipeline::{Arrival, Imported, Importing, Ingest, Privacy, import, import_as};
use cutshort_store::{Provenance, SegmentInfo, Store, StoreError};
use cutshort_verdict::{DataSet, ReaderClock, Row, Rules, Tracker};
use memory::Memory;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use simulated::{arrivals, packets, take_in};

const WINDOW: i64 = Window::LENGTH;

fn at(ts: i64) -> Arrival {
    Arrival { ts, packet: None, unreachable: None, simulated: false }
}

fn by_time(store: &Memory) -> Vec<SegmentInfo> {
    let mut segments = store.segments();
    segments.sort_by_key(|segment| segment.covers);
    segments
}

type Rows = BTreeMap<(i64, FiveTuple), Vec<Row>>;

/// The rows that a tracker takes, sorted.
fn taken(arrivals: &[Arrival]) -> (Rows, u64) {
    let mut tracker = Tracker::new(Rules::default()).keep_rows();
    // `finish` also has the windows that were closed before.
    for Arrival { ts, packet, .. } in arrivals {
        let _ = tracker.record(*ts, packet.as_ref());
    }
    let (late, mut all) = (tracker.late(), Rows::new());
    for window in tracker.finish() {
        for five_tuple in window.five_tuples() {
            let (rows, _) = window.rows(&five_tuple).unwrap();
            all.insert((window.start(), five_tuple), rows.to_vec());
        }
    }
    all.values_mut().for_each(|rows| rows.sort_unstable());
    (all, late)
}

fn kept(store: &Memory) -> Rows {
    let mut all = Rows::new();
    for (node, packet) in store.packets() {
        assert_eq!(node, "");
        all.entry((Window::containing(packet.ts).start(), packet.five_tuple))
            .or_default()
            .push(Row::from(&packet));
    }
    all.values_mut().for_each(|rows| rows.sort_unstable());
    all
}

/// No time between the first and the last record is covered by nobody.
fn assert_covered(segments: &[SegmentInfo], records: &[Arrival]) {
    let times = || records.iter().map(|record| record.ts);
    assert_eq!(segments.first().unwrap().covers.0, times().min().unwrap());
    assert_eq!(segments.iter().map(|segment| segment.covers.1).max(), times().max());
    let mut until = segments[0].covers.1;
    for segment in segments {
        assert!(segment.covers.0 <= until, "a gap before {}", segment.covers.0);
        until = until.max(segment.covers.1);
        let inside = |(first, last): (i64, i64)| segment.covers.0 <= first && last <= segment.covers.1;
        assert!(segment.times.is_none_or(inside), "{segment:?}");
    }
}

/// Failed cases are kept there, as proptest finds no place by itself for tests without a `main.rs`.
const FAILED: FileFailurePersistence =
    FileFailurePersistence::Direct("tests/proptest-regressions/importing.txt");

fn cases() -> ProptestConfig {
    ProptestConfig { cases: 16, failure_persistence: Some(Box::new(FAILED)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    /// Records of any protocol, some far away in time, in an order that is not quite that of time.
    #[test]
    fn the_packets_that_classify_takes_are_kept(
        seed in 0..100_u64, far in prop::collection::vec((any::<prop::sample::Index>(), -9..9_i64), 0..4),
        others in prop::collection::vec(any::<prop::sample::Index>(), 0..50), swaps in any::<u64>(),
    ) {
        let mut records: Vec<_> = arrivals(&packets(3, 2.0, seed)).collect();
        let mut number = swaps;
        for at in 1..records.len() {
            number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7);
            if number % 3 == 0 {
                records.swap(at - 1, at);
            }
        }
        for index in others {
            let place = index.index(records.len());
            records.insert(place, at(records[place].ts + 1));
        }
        for (index, windows) in far {
            let place = index.index(records.len());
            records[place].ts += windows * WINDOW;
            if let Some(packet) = &mut records[place].packet {
                packet.ts += windows * WINDOW;
            }
        }
        let store = Memory::default();
        let imported = import(&store, &Rules::default(), &Privacy::full(), records.iter().copied(), || true).unwrap();
        let (rows, late) = taken(&records);
        prop_assert_eq!(imported.late, late);
        prop_assert_eq!(imported.packets, rows.values().map(Vec::len).sum::<usize>() as u64);
        prop_assert!(kept(&store) == rows);
        assert_covered(&by_time(&store), &records);
    }
}

/// Windows close in a file that is long enough, and what comes then for them is late.
#[test]
fn late_packets_are_counted_and_not_kept() {
    let all = packets(4, 3.0, 2);
    let first = all[0];
    let late: Vec<Packet> =
        all.iter().copied().chain([first, Packet { ts: first.ts + 1, ..first }]).collect();
    let store = Memory::default();
    let imported = take_in(&store, &late);
    assert_eq!(imported.late, 2);
    assert_eq!(kept(&store), taken(&arrivals(&all).collect::<Vec<_>>()).0);
}

#[test]
fn importing_again_changes_nothing() {
    let (store, all) = (Memory::default(), packets(2, 1.0, 3));
    let first = take_in(&store, &all);
    let before = store.segments();
    let again = take_in(&store, &all);
    assert_eq!(again, Imported { new: 0, known: first.new, bytes: 0, ..first });
    assert_eq!(store.segments(), before);
}

#[test]
fn an_interrupted_import_leaves_what_the_whole_has_too() {
    let all = packets(4, 1.0, 4);
    let whole = Memory::default();
    take_in(&whole, &all);
    for part in [0, 1, all.len() / 3, all.len() / 2, all.len() - 1] {
        let store = Memory::default();
        let read =
            import(&store, &Rules::default(), &Privacy::full(), arrivals(&all[..part]), || false).unwrap();
        let known: Vec<_> = whole.segments();
        assert!(store.segments().iter().all(|segment| known.contains(segment)));
        let rest = take_in(&store, &all);
        assert_eq!((rest.known, rest.new), (read.new, known.len() as u64 - read.new));
        assert_eq!(store.segments(), known);
    }
}

#[test]
fn a_capture_without_tcp_covers_its_time() {
    let store = Memory::default();
    let records = [at(5_000), at(2_000), at(3 * WINDOW)];
    let imported = import(&store, &Rules::default(), &Privacy::full(), records.into_iter(), || true).unwrap();
    assert_eq!((imported.new, imported.packets), (1, 0));
    let segments = store.segments();
    assert_eq!((segments[0].covers, segments[0].rows, segments[0].times), ((2_000, 3 * WINDOW), 0, None));
    let none = import(&store, &Rules::default(), &Privacy::full(), std::iter::empty(), || true).unwrap();
    assert_eq!(none, Imported::default(), "nothing is nothing");
}

#[test]
fn made_up_packets_are_marked() {
    let store = Memory::default();
    let all = packets(1, 0.5, 1);
    let real = arrivals(&all).enumerate().map(|(nth, record)| Arrival { simulated: nth > 100, ..record });
    import(&store, &Rules::default(), &Privacy::full(), real, || true).unwrap();
    let origins: Vec<_> = by_time(&store).iter().map(|segment| (segment.origin, segment.rows > 0)).collect();
    assert_eq!(origins, [(Provenance::File, true), (Provenance::Simulated, true)]);
}

#[test]
fn a_full_store_ends_the_import() {
    let store = Memory::default();
    let all = packets(3, 0.5, 1);
    store.fail("append", StoreError::Full("no room".into()));
    let failed = import(&store, &Rules::default(), &Privacy::full(), arrivals(&all), || true);
    assert!(matches!(failed, Err(StoreError::Full(_))), "{failed:?}");
    assert!(store.segments().is_empty());
    assert!(take_in(&store, &all).new >= 3, "again, with room");
    assert_eq!(store.status().unwrap().nodes.len(), 1);
}

/// What comes of records that are read when all of the simulated time is over.
fn read_at_end(records: &[Arrival]) -> Memory {
    let (store, reader) = (Memory::default(), ReaderClock::new(|| simulated::END));
    let records = records.iter().copied();
    import_as(
        &store,
        &Importing { reader, ..Importing::all(DataSet::Tcp) },
        &Privacy::full(),
        records,
        || true,
    )
    .unwrap();
    store
}

const YEAR: i64 = 365 * 86_400_000_000_000;

#[test]
fn records_of_the_future_cover_no_time_of_the_others() {
    let mut records: Vec<_> = arrivals(&packets(2, 1.0, 5)).collect();
    let without = read_at_end(&records);
    let strange = packets(1, 1.0, 5)[0];
    let ahead = Packet { ts: simulated::END + YEAR, ..strange };
    records.insert(7, Arrival { ts: ahead.ts, packet: Some(ahead), unreachable: None, simulated: true });
    records.insert(9, at(simulated::END + 2 * YEAR));
    let with = read_at_end(&records);
    let (without, mut with) = (by_time(&without), by_time(&with));
    let future = with.pop().unwrap();
    assert_eq!(with, without);
    assert_eq!((future.covers.0, future.rows), (ahead.ts, 1));
}

#[test]
fn a_capture_of_the_future_is_kept_as_others_are() {
    let records: Vec<_> = arrivals(&packets(3, 1.0, 6)).collect();
    let shift = |record: &Arrival| {
        let packet = record.packet.map(|packet| Packet { ts: packet.ts + YEAR, ..packet });
        Arrival { ts: record.ts + YEAR, packet, ..*record }
    };
    let later: Vec<_> = records.iter().map(shift).collect();
    let store = read_at_end(&later);
    assert_covered(&by_time(&store), &later);
    assert_eq!(by_time(&store).len(), by_time(&read_at_end(&records)).len());
}

#[test]
fn no_segment_has_packets_of_too_many_windows() {
    let packet = packets(1, 1.0, 7)[0];
    // Time runs backwards: nothing ends a segment but the number of its windows.
    let at = |back: i64| packet.ts - back * WINDOW;
    let records = (0..2_500).map(|back| {
        let packet = Packet { ts: at(back), ..packet };
        Arrival { ts: packet.ts, packet: Some(packet), unreachable: None, simulated: true }
    });
    let store = Memory::default();
    import(&store, &Rules::default(), &Privacy::full(), records, || true).unwrap();
    let rows: Vec<u64> = by_time(&store).iter().map(|segment| segment.rows).collect();
    assert!(rows.iter().all(|rows| *rows <= Ingest::MOST_WINDOWS as u64), "{rows:?}");
    assert_eq!(rows.iter().sum::<u64>(), 2_500);
}
