//! How many statements it takes: each costs the server some milliseconds and the disk some more, whatever it is about.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cutshort_clickhouse::{Address, ClickHouse, Layout, migrate};
use cutshort_geo::Geo;
use cutshort_model::{Bucket, Dimension, Window, now};
use cutshort_pipeline::{Arrival, Due, Privacy, WindowJob, import};
use cutshort_store::{
    Added, Provenance, RollupAnswer, RollupQuery, Segment, SegmentSource, Selection, Store, StoreError,
};
use cutshort_verdict::Rules;

use super::conformance::{MINUTE, START, file, packet};
use super::server::{is_available, server};

/// Windows that are imported.
const WINDOWS: usize = 64;
/// Each has its packets inserted and read, with what is known of it before, and a share of what is done for many: 3.9.
const STATEMENTS: usize = 4;

/// Stands between a store and its server, and counts the requests.
struct Counter {
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl Counter {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, counted) = (client.unwrap(), Arc::clone(&counted));
                let server = TcpStream::connect(("127.0.0.1", server().port)).unwrap();
                let (back, forth) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                std::thread::spawn(move || pass(server, back, |_| {}));
                std::thread::spawn(move || {
                    pass(client, forth, |bytes| {
                        counted.fetch_add(count(bytes), Ordering::Relaxed);
                    });
                });
            }
        });
        Self { port, requests }
    }

    fn taken(&self) -> usize {
        self.requests.swap(0, Ordering::Relaxed)
    }
}

/// Heads of requests: each comes in one piece, since nothing stands before it.
fn count(bytes: &[u8]) -> usize {
    usize::from([&b"POST /"[..], b"GET /"].iter().any(|head| bytes.starts_with(head)))
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut look: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => {
                look(&buffer[..length]);
                if to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}

/// A store in a database of its own, and the counter in front of it.
fn counted(database: &str) -> (Counter, ClickHouse) {
    let counter = Counter::start();
    let address = format!("clickhouse://default@127.0.0.1:{}/{database}", counter.port);
    let address = Address::parse(&address).unwrap();
    migrate(&address, &Layout::default()).unwrap();
    let store = ClickHouse::open(&address).unwrap();
    counter.taken();
    (counter, store)
}

/// Imports a connection of each window.
fn import_windows(store: &ClickHouse) {
    let records = (0..WINDOWS as i64).map(|at| {
        let packet = packet((at % 200) as u8, START + at * Window::LENGTH + MINUTE);
        Arrival { ts: packet.ts, packet: Some(packet), unreachable: None, simulated: false }
    });
    let imported = import(store, &Rules::default(), &Privacy::full(), records, || true).unwrap();
    assert_eq!(imported.new, WINDOWS as u64);
}

fn compute(store: &ClickHouse) {
    let mut go_on = |_: &_| ControlFlow::Continue(());
    let report = WindowJob::default().run_due(store, &Geo::builtin(), Due::All, &mut go_on).unwrap();
    assert_eq!((report.done, report.failed.len()), (WINDOWS as u64, 0));
}

#[test]
fn a_question_asked_again_costs_no_statement() {
    if !is_available() {
        return;
    }
    let (counter, store) = counted("questions");
    import_windows(&store);
    compute(&store);
    let query = RollupQuery {
        range: START..START + WINDOWS as i64 * Window::LENGTH,
        bucket: Some(Bucket::FifteenMinutes),
        selection: Selection::default(),
        by: Some(Dimension::As),
    };
    let first = store.rollups(&query).unwrap();
    assert_eq!(first.rows.len(), WINDOWS);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        // Counts are read in the background after the second question. The valid results are asked for once a second.
        counter.taken();
        let begin = Instant::now();
        (0..100).for_each(|_| assert_eq!(store.rollups(&query).unwrap(), first));
        let (statements, seconds) = (counter.taken(), begin.elapsed().as_secs() as usize);
        if statements <= 2 + seconds {
            break;
        }
        assert!(Instant::now() < deadline, "{statements} statements for 100 questions");
    }
    // What is written here is asked for at once.
    let more = packet(1, START + MINUTE + 1);
    let more = Arrival { ts: more.ts, packet: Some(more), unreachable: None, simulated: false };
    import(&store, &Rules::default(), &Privacy::full(), std::iter::once(more), || true).unwrap();
    let mut go_on = |_: &_| ControlFlow::Continue(());
    WindowJob::default().run_due(&store, &Geo::builtin(), Due::All, &mut go_on).unwrap();
    let sampled = |answer: &RollupAnswer| answer.rows.iter().map(|row| row.total().sampled).sum::<u64>();
    assert_eq!(sampled(&store.rollups(&query).unwrap()), sampled(&first) + 1);
}

#[test]
fn segments_that_arrive_at_the_same_time_share_statements() {
    const SEGMENTS: u8 = 40;
    if !is_available() {
        return;
    }
    let (counter, store) = counted("together");
    let segments: Vec<_> =
        (0..SEGMENTS).map(|client| file(vec![packet(client, START + i64::from(client))])).collect();
    std::thread::scope(|scope| {
        for segment in &segments {
            scope.spawn(|| assert_eq!(store.append(segment).unwrap(), Added::New));
        }
    });
    let statements = counter.taken();
    // Its packets are inserted for each of them; three more statements, one by one.
    assert!(statements < 2 * segments.len(), "{statements} statements for {} segments", segments.len());
    let status = store.status().unwrap();
    assert_eq!((status.segments, status.packets), (SEGMENTS.into(), SEGMENTS.into()));
    assert!(segments.iter().all(|segment| store.append(segment).unwrap() == Added::Known));
    // One that is refused does not keep the others from being stored.
    let future = now() + 10 * 86_400_000_000_000;
    let early = file(vec![packet(1, START + 77)]);
    let source = SegmentSource::tcp("ams1", Provenance::Live, (future, future));
    let late = Segment::encode(vec![packet(2, future)], &source, None).unwrap();
    std::thread::scope(|scope| {
        let refused = scope.spawn(|| store.append(&late));
        for client in 3..20 {
            let segment = file(vec![packet(client, START + 99)]);
            let store = &store;
            scope.spawn(move || assert_eq!(store.append(&segment).unwrap(), Added::New));
        }
        assert_eq!(store.append(&early).unwrap(), Added::New);
        assert!(matches!(refused.join().unwrap(), Err(StoreError::Refused(_))));
    });
}

#[test]
fn a_window_costs_few_statements() {
    if !is_available() {
        return;
    }
    let (counter, store) = counted("statements");
    import_windows(&store);
    let importing = counter.taken();
    compute(&store);
    let computing = counter.taken();
    let statements = importing + computing;
    assert!(
        statements <= STATEMENTS * WINDOWS,
        "{importing} to import {WINDOWS} windows, {computing} to compute them"
    );
    assert!(statements >= WINDOWS, "they pass here");
    assert_eq!(store.status().unwrap().counts.packets, WINDOWS as u64);
}
