//! A server that is killed while packets come and windows are computed: nothing is lost, nothing counted twice.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cutshort_clickhouse::{ClickHouse, Layout, migrate};
use cutshort_geo::Geo;
use cutshort_model::Window;
use cutshort_pipeline::{Service, Settings};
use cutshort_store::{Added, Segment, Store, StoreError};

use super::conformance::{MINUTE, SECOND, START, groups, live, packet};
use super::server::{Server, started};

const SEGMENTS: i64 = 30;

/// A minute of one of two servers, with packets of some clients.
fn segment(number: i64) -> Segment {
    let from = START + number * MINUTE;
    let client = |client: i64| packet((client % 200) as u8, from + client * SECOND);
    let packets = (0..40).map(|at| client(at + number)).filter(|packet| packet.ts < from + MINUTE).collect();
    live(if number % 2 == 0 { "a" } else { "b" }, packets, (from, from + MINUTE))
}

/// As an agent does: it sends a segment again until it is kept.
fn deliver(store: &dyn Store, segment: &Segment) -> Added {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        match store.append(segment) {
            Ok(added) => return added,
            Err(StoreError::Unavailable(_)) if Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn a_server_that_is_killed_loses_nothing() {
    let Some(mut server) = started(Server::start()) else { return };
    let address = server.address("default").with_database("killed");
    migrate(&address, &Layout::default()).unwrap();
    let store: Arc<dyn Store> = Arc::new(ClickHouse::open(&address).unwrap());
    let settings = Settings {
        every: Duration::from_millis(50),
        patience: Duration::from_millis(200),
        ..Settings::default()
    };
    let service = Service::start(Arc::clone(&store), Arc::new(Geo::builtin().into()), settings);
    let (delivered, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..SEGMENTS {
                deliver(store.as_ref(), &segment(number));
                delivered.fetch_add(1, Ordering::Relaxed);
            }
            ended.store(true, Ordering::Relaxed);
        });
        for at in [4, 12, 20] {
            while delivered.load(Ordering::Relaxed) < at && !ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
            server.tell("kill");
            let answer = store.status();
            assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
            server.tell("start");
        }
    });
    // Each once, and known from then on.
    assert!((0..SEGMENTS).all(|number| store.append(&segment(number)).unwrap() == Added::Known));
    let rows: u64 = (0..SEGMENTS).map(|number| segment(number).info().rows).sum();
    assert_eq!(store.status().unwrap().packets, rows);
    let times: BTreeSet<i64> = (0..SEGMENTS).map(|number| START + number * MINUTE).collect();
    let windows: BTreeSet<Window> = times.into_iter().map(Window::containing).collect();
    let grouped = |window: &Window| -> usize {
        groups(store.as_ref(), window.start(), 2).iter().map(|(_, rows)| rows.len()).sum()
    };
    assert_eq!(windows.iter().map(grouped).sum::<usize>() as u64, rows);
    // The window job has waited, and catches up.
    let end = Instant::now() + Duration::from_secs(60);
    while store.windows(i64::MIN..i64::MAX).unwrap().iter().any(cutshort_store::WindowState::is_due) {
        assert!(Instant::now() < end, "{:?}", service.state());
        std::thread::sleep(Duration::from_millis(50));
    }
    service.stop();
    let status = store.status().unwrap();
    assert_eq!((status.windows, status.counts.packets), (windows.len() as u64, rows));
    assert!(windows.iter().all(|window| window.start() % Window::LENGTH == 0));
}
