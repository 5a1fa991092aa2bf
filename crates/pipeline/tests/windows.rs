//! Captures through import and window job: the same results whatever the pieces, and those of `classify`.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod memory;
mod simulated;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use cutshort_geo::Geo;
use cutshort_model::Window;
use cutshort_packet::{Flags, Packet, SynOptions};
use cutshort_pipeline::{Due, Report, RunProgress, Share, StoredTrace, WindowJob, trace};
use cutshort_store::{Provenance, Segment, SegmentSource, Store, StoreError};
use memory::{Memory, Results};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use simulated::{END, do_all, job, packets, take_in, tracked, verdicts};

static GEO: LazyLock<Geo> = LazyLock::new(Geo::builtin);

/// What must be equal where the packets are.
fn comparable(results: &BTreeMap<Window, Results>) -> Vec<impl PartialEq + std::fmt::Debug + use<>> {
    let all = results.iter();
    all.map(|(window, r)| (*window, r.inputs.cutoff, r.counts, r.cells.clone(), r.connections.clone()))
        .collect()
}

#[track_caller]
fn assert_is_tracked(store: &Memory, packets: &[Packet]) {
    let (results, tracked) = (store.results(), tracked(packets, &GEO));
    assert!(results.keys().eq(tracked.keys()), "windows {:?}", results.keys());
    for (window, (cutoff, counts, records)) in tracked {
        let found = &results[&window];
        assert_eq!((found.inputs.cutoff, found.counts), (cutoff, counts), "window {window}");
        assert!(found.connections == records, "connections of window {window}");
        let cells: u64 = found.cells.values().map(|(sampled, _)| sampled).sum();
        assert_eq!(cells, counts.connections + counts.excluded.iter().sum::<u64>());
    }
}

#[test]
fn a_capture_is_judged_as_classify_does() {
    let packets = packets(3, 2.0, 5);
    let store = Memory::default();
    let imported = take_in(&store, &packets);
    assert!(imported.new >= 3 && imported.known == 0 && imported.late == 0, "{imported:?}");
    let report = do_all(&store, &GEO);
    assert_eq!((report.done, report.left, report.failed.len()), (3, 0, 0));
    assert_is_tracked(&store, &packets);
    assert_eq!(do_all(&store, &GEO).done, 0, "nothing is due any more");
}

/// Both directions, so that RSTs are looked up in other parts.
#[test]
fn resets_of_the_server_are_found_in_other_parts() {
    let mut packets = packets(1, 1.0, 9);
    let latest = packets.last().unwrap().ts;
    let clients = packets.clone();
    let answers = clients.iter().filter(|packet| packet.flags == Flags::SYN).map(|syn| Packet {
        ts: (syn.ts + 1_000_000).min(latest),
        five_tuple: syn.five_tuple.reversed(),
        flags: Flags::RST | Flags::ACK,
        syn: SynOptions::NONE,
        ..*syn
    });
    packets.extend(answers.step_by(2));
    packets.sort_by_key(|packet| packet.ts);
    let store = Memory::default();
    take_in(&store, &packets);
    do_all(&store, &GEO);
    assert_is_tracked(&store, &packets);
    let server_resets = |results: &Results| {
        let server =
            |record: &&cutshort_model::ConnectionRecord<'_>| record.termination.name() == "server_reset";
        results.connections.iter().filter(server).count()
    };
    assert!(store.results().values().map(server_resets).sum::<usize>() > 100);
}

/// How a capture is cut: positions, in which order the pieces come, and which come twice.
fn cuts() -> impl Strategy<Value = (Vec<prop::sample::Index>, u64, bool)> {
    (prop::collection::vec(any::<prop::sample::Index>(), 0..6), any::<u64>(), any::<bool>())
}

/// A place to cut at, not between two packets that are equal also in time: in two captures they are one.
fn apart(packets: &[Packet], from: usize) -> usize {
    let is_apart = |at: &usize| *at == 0 || packets[*at] != packets[*at - 1];
    (from..packets.len()).find(is_apart).unwrap_or(packets.len())
}

/// Pieces in an order that depends on a number.
fn shuffled<T>(mut pieces: Vec<T>, mut seed: u64) -> Vec<T> {
    for at in (1..pieces.len()).rev() {
        seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        pieces.swap(at, seed as usize % (at + 1));
    }
    pieces
}

/// Failed cases are kept there, as proptest finds no place by itself for tests without a `main.rs`.
const FAILED: FileFailurePersistence =
    FileFailurePersistence::Direct("tests/proptest-regressions/windows.txt");

fn cases() -> ProptestConfig {
    ProptestConfig { cases: 12, failure_persistence: Some(Box::new(FAILED)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn pieces_in_any_order_and_twice_give_the_same(
        (cuts, order, twice) in cuts(), by_host in any::<bool>(), grown in any::<bool>(), seed in 0..1000_u64,
    ) {
        let whole = packets(2, 0.5, seed);
        let mut at: Vec<usize> = cuts.iter().map(|cut| apart(&whole, cut.index(whole.len()))).collect();
        at.sort_unstable();
        let bounds = std::iter::once(0).chain(at.iter().copied()).zip(at.iter().copied().chain([whole.len()]));
        let mut pieces: Vec<Vec<Packet>> = bounds.map(|(from, to)| whole[from..to].to_vec()).collect();
        if by_host {
            // As captured at several interfaces: pieces of the same time.
            let host = |packet: &Packet| packet.five_tuple.src_ip.octets()[15].is_multiple_of(2);
            pieces = pieces.iter().flat_map(|piece| {
                let (even, odd): (Vec<_>, Vec<_>) = piece.iter().copied().partition(host);
                [even, odd]
            }).collect();
        }
        if grown {
            // As imported while it was still being written.
            pieces.extend(at.iter().map(|end| whole[..*end].to_vec()));
        }
        if twice {
            pieces.extend(pieces.clone());
        }
        let (one, many) = (Memory::default(), Memory::default());
        take_in(&one, &whole);
        do_all(&one, &GEO);
        for (nth, piece) in shuffled(pieces, order).iter().enumerate() {
            take_in(&many, piece);
            if nth % 2 == 0 {
                do_all(&many, &GEO);
            }
        }
        do_all(&many, &GEO);
        prop_assert!(comparable(&one.results()) == comparable(&many.results()));
        assert_is_tracked(&one, &whole);
    }
}

/// Whether a window is due while a live receiver may still add to it.
#[test]
fn live_windows_wait_for_their_end_and_the_grace() {
    let packets = packets(1, 0.2, 1);
    let start = END - Window::LENGTH;
    let due = |store: &Memory, now: i64| {
        let due = WindowJob::default().due(store, Due::At(now)).unwrap();
        due.iter().map(|state| state.window).collect::<Vec<_>>()
    };
    let live = Memory::default();
    live.append(
        &Segment::encode(packets.clone(), &SegmentSource::tcp("edge", Provenance::Live, (start, END)), None)
            .unwrap(),
    )
    .unwrap();
    assert_eq!(due(&live, END + 29_999_999_999), Vec::<Window>::new());
    assert_eq!(due(&live, END + 30_000_000_000), [Window::containing(start)]);
    assert_eq!(WindowJob::default().due(&live, Due::All).unwrap().len(), 1);
    let day = 86_400 * 1_000_000_000;
    let silent: Vec<Packet> =
        packets.iter().map(|packet| Packet { ts: packet.ts - day, ..*packet }).collect();
    let of_yesterday = Segment::encode(
        silent,
        &SegmentSource::tcp("silent", Provenance::Live, (start - day, END - day)),
        None,
    );
    live.append(&of_yesterday.unwrap()).unwrap();
    assert_eq!(
        due(&live, END),
        [Window::containing(start - day)],
        "one server that fell silent does not end another's window"
    );
    let file = Memory::default();
    take_in(&file, &packets);
    assert_eq!(due(&file, 0), [Window::containing(start)], "what files have does not change by waiting");
}

#[test]
fn what_concerns_one_window_does_not_stop_the_others() {
    let store = Memory::default();
    take_in(&store, &packets(3, 0.2, 1));
    store.fail("read_window", StoreError::Failed("this one".into()));
    let report = do_all(&store, &GEO);
    assert_eq!((report.done, report.failed.len(), report.left), (2, 1, 0));
    store.fail("commit", StoreError::Full("no room".into()));
    let again = job().run_due(&store, &GEO, Due::All, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(again, Err(StoreError::Full(_))), "{again:?}");
    assert_eq!(store.results().len(), 2);
    store.fail("read_window", StoreError::Damaged("read again".into()));
    assert_eq!((do_all(&store, &GEO).done, store.results().len()), (1, 3));
}

#[test]
fn a_run_can_be_ended_between_windows() {
    let store = Memory::default();
    take_in(&store, &packets(3, 0.2, 1));
    let mut looks = Vec::new();
    let report = job().run_due(&store, &GEO, Due::All, &mut |progress| {
        looks.push((progress.past, progress.done));
        if progress.past == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let report = report.unwrap();
    assert_eq!((report.done, report.left, store.begun("roll")), (1, 2, 1));
    assert_eq!(looks, [(0, None), (1, Some(Window::containing(END - 3 * Window::LENGTH)))]);
}

/// Another worker does the rest while this one is at the first.
#[test]
fn what_another_did_meanwhile_is_not_done_again() {
    let store = Memory::default();
    take_in(&store, &packets(4, 0.2, 1));
    let mut pasts = Vec::new();
    let report = job().run_due(&store, &GEO, Due::All, &mut |progress| {
        pasts.push((progress.past, progress.done.is_some()));
        if progress.past == 1 {
            job().run_due(&store, &GEO, Due::All, &mut |_| ControlFlow::Continue(())).unwrap();
        }
        ControlFlow::Continue(())
    });
    let report = report.unwrap();
    assert_eq!((report.done, report.left, report.failed.len()), (1, 0, 0));
    assert_eq!(pasts, [(0, false), (1, true), (2, false), (3, false), (4, false)]);
    assert_eq!((store.done().len(), store.results().len()), (4, 4));
}

#[test]
fn recompute_does_windows_that_are_not_due() {
    let store = Memory::default();
    let packets = packets(2, 0.2, 1);
    take_in(&store, &packets);
    do_all(&store, &GEO);
    let before = comparable(&store.results());
    let from = Window::containing(packets[0].ts).end();
    let go_on = &mut |_: &RunProgress| ControlFlow::Continue(());
    let report = job().recompute(&store, &GEO, from..END, Share::default(), go_on).unwrap();
    assert_eq!((report.done, report.kept), (1, 0));
    assert!(before == comparable(&store.results()));
}

/// Every connection's packets lead to the verdict that is kept, also where the other direction decides.
#[test]
fn a_trace_tells_the_verdict_that_is_kept() {
    let mut packets = packets(1, 0.3, 4);
    let latest = packets.last().unwrap().ts;
    let refusals = packets.clone().into_iter().step_by(50).map(|packet| Packet {
        ts: (packet.ts + 1_000_000).min(latest),
        five_tuple: packet.five_tuple.reversed(),
        flags: Flags::RST,
        syn: SynOptions::NONE,
        ..packet
    });
    packets.extend(refusals);
    packets.sort_by_key(|packet| packet.ts);
    let store = Memory::default();
    take_in(&store, &packets);
    do_all(&store, &GEO);
    let rules = cutshort_verdict::Rules::default();
    for (window, results) in store.results() {
        let chosen: Vec<_> = results.connections.iter().step_by(results.connections.len() / 60).collect();
        assert!(chosen.len() >= 60, "{} connections", results.connections.len());
        for record in chosen {
            let trace = trace(&store, &rules, &record.five_tuple, record.first_us * 1000).unwrap().unwrap();
            let StoredTrace { trace, syn } = trace;
            let verdict = trace.outcome.unwrap().unwrap();
            assert!(syn.is_some_and(
                |syn| cutshort_verdict::Row::from(&syn) == *trace.syn().unwrap() && syn.p0f().is_some()
            ));
            assert_eq!(trace.steps.len(), record.packets as usize);
            assert_eq!((verdict.stage, verdict.termination), (record.stage, record.termination));
            assert_eq!((verdict.tags, verdict.signature), (record.tags, record.signature));
        }
        let five_tuple = packets[0].five_tuple;
        let unknown = cutshort_packet::FiveTuple { src_port: 1, dst_port: 2, ..five_tuple };
        assert_eq!(trace(&store, &rules, &unknown, window.start()).unwrap(), None);
    }
}

/// A store that judges itself has the same connections, and no packets are read.
#[test]
fn verdicts_of_the_store_are_taken_as_they_are() {
    let packets = packets(3, 2.0, 5);
    let store = Memory::default();
    take_in(&store, &packets);
    for (window, flows) in verdicts(&packets) {
        store.judge(window, flows);
    }
    assert_eq!(do_all(&store, &GEO).done, 3);
    assert_eq!(store.begun("read_window"), 0);
    let results = store.results();
    for (window, (_, counts, records)) in tracked(&packets, &GEO) {
        let found = &results[&window];
        assert!(found.connections == records, "connections of window {window}");
        assert_eq!(
            (found.counts.connections, found.counts.excluded),
            (counts.connections, counts.excluded),
            "window {window}"
        );
    }
}

/// Of a day and a quarter, a bit more than two batches.
fn many_windows() -> (Memory, Vec<Packet>) {
    let packets = packets(70, 0.02, 3);
    let store = Memory::default();
    store.write_batches();
    take_in(&store, &packets);
    (store, packets)
}

fn do_small(
    store: &Memory,
    each: &mut dyn FnMut(&RunProgress) -> ControlFlow<()>,
) -> Result<Report, StoreError> {
    WindowJob { threads: 1, ..WindowJob::default() }.run_due(store, &GEO, Due::All, each)
}

#[test]
fn small_windows_are_written_together_with_the_same_results() {
    let (store, packets) = many_windows();
    let mut told = Vec::new();
    let report = do_small(&store, &mut |progress| {
        told.push((progress.past, progress.done));
        ControlFlow::Continue(())
    });
    let report = report.unwrap();
    let windows = store.results().len();
    assert!(windows > 64, "{windows}");
    assert_eq!((report.done, report.left, report.failed.len()), (windows as u64, 0, 0));
    assert_eq!((store.begun("finish"), store.begun("replace")), (windows.div_ceil(32), 0));
    assert_is_tracked(&store, &packets);
    let expected = [None].into_iter().chain(store.done().into_iter().map(Some));
    assert_eq!(told, (0..).zip(expected).collect::<Vec<_>>(), "each window is told of once");
    assert_eq!(do_small(&store, &mut |_| ControlFlow::Continue(())).unwrap().done, 0);
}

#[test]
fn what_cannot_be_written_together_is_written_one_by_one() {
    let (store, packets) = many_windows();
    store.fail("finish", StoreError::Refused("one of them".to_owned()));
    store.fail("read_window", StoreError::Refused("just this".to_owned()));
    let report = do_small(&store, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((report.left, report.failed.len()), (0, 0), "{:?}", report.failed);
    assert_eq!(store.begun("replace"), 32, "those of the first batch");
    assert_is_tracked(&store, &packets);
    // What concerns all ends it, and nothing of the batch holds.
    let (store, _) = many_windows();
    store.fail("finish", StoreError::Unavailable("away".into()));
    let ended = do_small(&store, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(ended, Err(StoreError::Unavailable(_))) && store.results().is_empty());
}

#[test]
fn a_run_ends_behind_a_batch() {
    let (store, _) = many_windows();
    let end_at = |progress: &RunProgress| match progress.past {
        5.. => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let report = do_small(&store, &mut |progress| end_at(progress)).unwrap();
    assert_eq!((report.done, store.results().len()), (32, 32));
    assert!(report.left > 32);
}
