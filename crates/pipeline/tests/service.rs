//! The service does what is due, and goes on whatever happens.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod memory;
mod simulated;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use cutshort_geo::Geo;
use cutshort_model::{Window, nanoseconds};
use cutshort_pipeline::{Ingest, IngestAnswer, IngestCounts, Service, ServiceState, Settings, Share};
use cutshort_store::{Provenance, Segment, SegmentSource, Store, StoreError};
use memory::Memory;
use simulated::{packets, take_in};

const WINDOW: i64 = Window::LENGTH;

/// In milliseconds where it is minutes otherwise.
fn hasty() -> Settings {
    let millis = Duration::from_millis;
    Settings { every: millis(5), patience: millis(20), retain_every: millis(50), ..Settings::default() }
}

fn start(store: &Memory, settings: Settings) -> Service {
    Service::start(Arc::new(store.clone()), Arc::new(Geo::builtin().into()), settings)
}

/// Waits until its state is as it should be.
#[track_caller]
fn wait(service: &Service, is_so: impl Fn(&ServiceState) -> bool) -> ServiceState {
    let since = Instant::now();
    loop {
        let state = service.state();
        if is_so(&state) {
            return state;
        }
        assert!(since.elapsed() < Duration::from_secs(20), "still {state:#?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn windows_are_done_as_they_become_due() {
    let store = Memory::default();
    let service = start(&store, hasty());
    let idle = wait(&service, |state| state.last_run.is_some());
    assert_eq!((idle.windows, idle.due, idle.lag(SystemTime::now())), (0, 0, Duration::ZERO));
    take_in(&store, &packets(2, 0.2, 1));
    let state = wait(&service, |state| store.results().len() == 2 && state.windows >= 2 && state.due == 0);
    assert!(state.packets > 0 && state.windows_took >= state.last_window_took.unwrap());
    assert_eq!((state.errors, state.trouble, state.paused, state.full), (0, None, false, false));
    wait(&service, |_| store.begun("retain") > 1);
    service.stop();
    assert_eq!(store.results().len(), 2);
}

/// It waits long in between, but not when it is woken.
#[test]
fn it_can_be_woken_and_stopped() {
    let store = Memory::default();
    let service = start(&store, Settings::default());
    wait(&service, |state| state.last_run.is_some());
    take_in(&store, &packets(1, 0.2, 1));
    service.wake();
    wait(&service, |state| state.windows == 1);
    let since = Instant::now();
    service.stop();
    assert!(since.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_full_store_pauses_it_until_there_is_room() {
    let store = Memory::default();
    for _ in 0..8 {
        store.fail("commit", StoreError::Full("no room".into()));
    }
    take_in(&store, &packets(1, 0.2, 1));
    let service = start(&store, hasty());
    let full = wait(&service, |state| state.full && state.paused);
    assert_eq!((full.due, full.trouble.unwrap().what.as_str()), (1, "no room"));
    assert!(full.oldest_due.is_some());
    let state = wait(&service, |state| state.windows == 1);
    assert_eq!(state.errors, 8);
    wait(&service, |state| !state.full && !state.paused && state.trouble.is_none());
}

#[test]
fn no_error_ends_it() {
    let store = Memory::default();
    for operation in ["retain", "windows", "status", "read_window", "replace", "sink", "commit", "roll"] {
        store.fail(operation, StoreError::Unavailable(operation.into()));
        store.fail(operation, StoreError::Failed(operation.into()));
    }
    take_in(&store, &packets(3, 0.2, 1));
    let service = start(&store, hasty());
    wait(&service, |state| state.windows >= 3 && state.trouble.is_none() && state.due == 0);
    assert_eq!(store.results().len(), 3);
}

#[test]
fn no_panic_ends_it() {
    let store = Memory::default();
    take_in(&store, &packets(3, 0.2, 1));
    for operation in ["retain", "windows", "read_window", "commit"] {
        store.panic_in(operation);
    }
    let service = start(&store, hasty());
    wait(&service, |state| state.windows >= 3 && state.trouble.is_none() && state.due == 0);
    assert_eq!((store.results().len(), service.state().errors), (3, 4));
}

fn worker(share: &str, takeover: Duration) -> Settings {
    Settings { share: share.parse().unwrap(), takeover, ..hasty() }
}

#[test]
fn workers_share_the_windows() {
    let store = Memory::default();
    take_in(&store, &packets(6, 0.2, 1));
    let never = Duration::from_secs(3600);
    let services = ["1/2", "2/2"].map(|share| start(&store, worker(share, never)));
    let states = services.each_ref().map(|service| wait(service, |state| state.windows == 3));
    assert_eq!(store.results().len(), 6);
    assert_eq!(
        states.map(|state| (state.share.to_string(), state.taken_over)),
        [("1/2".to_owned(), 0), ("2/2".to_owned(), 0)]
    );
    services.iter().for_each(|service| drop(wait(service, |state| state.due == 0)));
}

/// Its own first, then those of the one who is missing, from the latest.
#[test]
fn what_another_worker_leaves_is_taken_over() {
    let store = Memory::default();
    take_in(&store, &packets(6, 0.2, 1));
    let service = start(&store, worker("2/2", Duration::from_millis(300)));
    let own = wait(&service, |state| state.windows == 3);
    assert_eq!((own.due, own.taken_over), (3, 0));
    assert!(own.oldest_due.is_some());
    let all = wait(&service, |state| state.windows == 6 && state.due == 0);
    assert_eq!((all.taken_over, all.oldest_due), (3, None));
    let (own, others): (Vec<Window>, Vec<Window>) =
        store.done().into_iter().partition(|window| "2/2".parse::<Share>().unwrap().owns(*window));
    assert!(own.iter().rev().is_sorted() && others.iter().rev().is_sorted(), "{own:?} {others:?}");
}

/// One that is due since something came in does not wait for a backlog.
#[test]
fn the_latest_window_is_done_first() {
    let store = Memory::default();
    take_in(&store, &packets(12, 0.2, 1));
    let service = start(&store, hasty());
    let state = wait(&service, |state| state.windows == 12 && state.due == 0);
    assert_eq!(state.oldest_due, None);
    assert!(store.done().iter().rev().is_sorted(), "{:?}", store.done());
}

#[test]
fn results_are_late_by_the_end_of_the_oldest_window() {
    let now = SystemTime::now();
    let oldest_due = Some(nanoseconds(now) - 90_000_000_000);
    let state = ServiceState { oldest_due, ..ServiceState::default() };
    assert_eq!(state.lag(now), Duration::from_secs(90));
    assert_eq!(state.lag(now - Duration::from_secs(100)), Duration::ZERO, "a clock that was set back");
}

fn segment(node: &str, covers: (i64, i64)) -> Segment {
    let mut packets = packets(1, 0.1, 1);
    packets.iter_mut().for_each(|packet| packet.ts = covers.0);
    Segment::encode(packets, &SegmentSource::tcp(node, Provenance::Live, covers), None).unwrap()
}

#[test]
fn segments_of_others_are_taken_refused_or_put_off() {
    let (store, ingest) = (Memory::default(), Ingest::default());
    let now = Window::containing(nanoseconds(SystemTime::now())).start();
    let good = segment("edge", (now - WINDOW, now));
    assert_eq!(ingest.take(&store, good.bytes().to_vec()), IngestAnswer::New(good.info().clone()));
    assert_eq!(ingest.take(&store, good.bytes().to_vec()), IngestAnswer::Known(good.info().clone()));
    let refused = |file: Vec<u8>| match ingest.take(&store, file) {
        IngestAnswer::Refused(why) => why,
        other => panic!("{other:?}"),
    };
    refused(b"no segment".to_vec());
    refused(good.bytes()[..good.bytes().len() / 2].to_vec());
    let future = segment("edge", (now, now + 4 * WINDOW));
    assert!(refused(future.bytes().to_vec()).contains("clock"));
    store.fail("append", StoreError::Full("no room".into()));
    let other = segment("other", (now - WINDOW, now));
    assert_eq!(ingest.take(&store, other.bytes().to_vec()), IngestAnswer::Full("no room".to_owned()));
    store.fail("append", StoreError::Failed("broken".into()));
    assert_eq!(ingest.take(&store, other.bytes().to_vec()), IngestAnswer::Failed("broken".to_owned()));
    let (packets, bytes) = (good.info().rows, good.bytes().len() as u64);
    let counts = IngestCounts { new: 1, known: 1, refused: 3, later: 1, failed: 1, packets, bytes };
    assert_eq!(ingest.counts(), counts);
    assert_eq!(store.status().unwrap().nodes.len(), 1);
}

fn why(answer: IngestAnswer) -> String {
    match answer {
        IngestAnswer::Refused(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn segments_of_nodes_with_unusable_names_are_refused() {
    let (store, ingest) = (Memory::default(), Ingest::default());
    let now = Window::containing(nanoseconds(SystemTime::now())).start();
    let take = |node: &str, origin: Provenance| {
        let packets = Vec::<cutshort_packet::Packet>::new();
        let segment =
            Segment::encode(packets, &SegmentSource::tcp(node, origin, (now - WINDOW, now)), None).unwrap();
        ingest.take(&store, segment.bytes().to_vec())
    };
    for (node, expected) in [("file", "reserved"), ("a\u{1b}[2J", "control characters")] {
        for origin in [Provenance::Live, Provenance::Simulated, Provenance::File] {
            let said = why(take(node, origin));
            assert!(said.contains(expected), "{said}");
        }
    }
    assert!(why(take("", Provenance::Live)).contains("empty"));
    for of_files in [Provenance::Simulated, Provenance::File] {
        assert!(matches!(take("", of_files), IngestAnswer::New(_)));
    }
}

#[test]
fn senders_of_one_node_may_send_no_other() {
    let (store, ingest) = (Memory::default(), Ingest::default());
    let now = Window::containing(nanoseconds(SystemTime::now())).start();
    let covers = (now - WINDOW, now);
    let take = |sender: Option<&str>, node: &str| {
        ingest.take_from(sender, &store, segment(node, covers).bytes().to_vec())
    };
    for node in ["other", "edge2", "EDGE"] {
        match take(Some("edge"), node) {
            IngestAnswer::Forbidden(why) => assert!(why.contains("\"edge\"") && why.contains(node), "{why}"),
            answer => panic!("{answer:?}"),
        }
    }
    assert!(matches!(take(Some("edge"), "edge"), IngestAnswer::New(_)));
    assert!(matches!(take(None, "other"), IngestAnswer::New(_)));
    let files = Segment::encode(
        Vec::<cutshort_packet::Packet>::new(),
        &SegmentSource::tcp("", Provenance::File, covers),
        None,
    )
    .unwrap();
    let answer = ingest.take_from(Some("edge"), &store, files.bytes().to_vec());
    assert!(matches!(answer, IngestAnswer::Forbidden(_)), "packets of files are of no node");
}

#[test]
fn no_segment_of_any_origin_is_from_the_future() {
    let (store, ingest) = (Memory::default(), Ingest::default());
    let now = nanoseconds(SystemTime::now());
    for origin in [Provenance::Live, Provenance::File, Provenance::Simulated] {
        for ahead in [4 * WINDOW, 4_000_000_000_000_000_000] {
            let covers = (now, now.saturating_add(ahead));
            let segment = Segment::encode(
                Vec::<cutshort_packet::Packet>::new(),
                &SegmentSource::tcp("", origin, covers),
                None,
            )
            .unwrap();
            let said = why(ingest.take(&store, segment.bytes().to_vec()));
            assert!(said.contains("from the future"), "{said}");
        }
    }
    assert!(store.segments().is_empty());
}

/// Packets of one origin in each of some windows, the last of which is over.
fn spread(origin: Provenance, windows: i64) -> Segment {
    let end = Window::containing(nanoseconds(SystemTime::now())).start();
    let one = packets(1, 0.1, 1)[0];
    let at = |back: i64| cutshort_packet::Packet { ts: end - back * WINDOW, ..one };
    let packets: Vec<_> = (1..=windows).map(at).collect();
    Segment::encode(packets, &SegmentSource::tcp("edge", origin, (end - windows * WINDOW, end)), None)
        .unwrap()
}

#[test]
fn segments_are_of_few_windows() {
    let (store, ingest) = (Memory::default(), Ingest::default());
    let take = |segment: &Segment| ingest.take(&store, segment.bytes().to_vec());
    let said = why(take(&spread(Provenance::Live, 12)));
    assert!(said.contains("more than 2 hours"), "{said}");
    assert!(matches!(take(&spread(Provenance::Live, 3)), IngestAnswer::New(_)));
    assert!(matches!(take(&spread(Provenance::Simulated, 12)), IngestAnswer::New(_)));
    let most = i64::try_from(Ingest::MOST_WINDOWS).unwrap();
    assert!(why(take(&spread(Provenance::Simulated, most + 1))).contains("1,001 windows"));
}

#[test]
fn what_was_spooled_for_long_is_taken_as_long_as_packets_are_kept() {
    let week = Duration::from_hours(7 * 24);
    let (store, ingest) = (Memory::default(), Ingest::keeping(Some(week)));
    let now = nanoseconds(SystemTime::now());
    let ago = |hours: i64| now - hours * 4 * WINDOW;
    let old = segment("edge", (ago(7 * 24 - 1), ago(7 * 24 - 1) + WINDOW));
    assert!(matches!(ingest.take(&store, old.bytes().to_vec()), IngestAnswer::New(_)));
    let older = segment("edge", (ago(7 * 24 + 1), ago(7 * 24 + 1) + WINDOW));
    let said = why(ingest.take(&store, older.bytes().to_vec()));
    assert!(said.contains("keep_packets"), "{said}");
    let for_ever = Ingest::keeping(None);
    assert!(matches!(for_ever.take(&store, older.bytes().to_vec()), IngestAnswer::New(_)));
}
