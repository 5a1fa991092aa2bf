//! Everything of one store arrives in another, however often that is interrupted.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod memory;
mod simulated;

use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use cutshort_embedded::{Embedded, Options};
use cutshort_geo::Geo;
use cutshort_model::Window;
use cutshort_pipeline::{Compared, Copied, CopyCount, Copying};
use cutshort_store::{AnnotationKind, Movable, NewAnnotation, Retention, Store, WindowResults, WindowState};
use cutshort_verdict::DataSet;
use simulated::{do_all, packets, take_in};
use tempfile::TempDir;

fn store() -> (TempDir, Embedded) {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), Options { durable: false }).unwrap();
    (folder, store)
}

fn done(store: &Embedded) {
    let report = do_all(store, &Geo::builtin());
    assert!(report.failed.is_empty(), "{report:?}");
}

fn annotation(text: &str) -> NewAnnotation {
    NewAnnotation {
        data_set: Some(DataSet::Tcp),
        kind: AnnotationKind::General,
        start: 5,
        end: None,
        description: text.to_owned(),
        linked_url: None,
        scope: None,
        locations: Vec::new(),
        asns: vec![7],
        outage: None,
    }
}

/// Windows with packets and without, frozen and due, hours without windows, and annotations.
fn fill(store: &Embedded) {
    take_in(store, &packets(9, 0.3, 1));
    done(store);
    let keep = Duration::from_secs(60);
    let all = Retention { packets: None, connections: None, fifteen_minutes: None, hours: None, days: None };
    let later = SystemTime::now() + 2 * keep;
    store.retain(later, &Retention { packets: Some(keep), fifteen_minutes: Some(keep), ..all }).unwrap();
    take_in(store, &packets(12, 0.3, 2));
    done(store);
    for text in ["a", "b", "b"] {
        store.annotate(&annotation(text)).unwrap();
    }
}

fn run(from: &dyn Movable, to: &dyn Movable, steps: usize) -> Copied {
    let mut copying = Copying::new(from, to).unwrap();
    let mut told = 0;
    copying
        .run(&mut |past, all| {
            assert!(past <= all);
            told += 1;
            if told > steps { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap()
}

fn compare(from: &dyn Movable, to: &dyn Movable) -> Compared {
    let mut copying = Copying::new(from, to).unwrap();
    assert!(!copying.run(&mut |_, _| ControlFlow::Continue(())).unwrap().interrupted);
    copying.compare(&mut |_, _| ControlFlow::Continue(())).unwrap()
}

fn due(store: &dyn Store) -> Vec<Window> {
    let windows = store.windows(i64::MIN..i64::MAX).unwrap();
    windows.into_iter().filter(WindowState::is_due).map(|state| state.window).collect()
}

#[test]
fn everything_arrives_however_often_it_is_interrupted() {
    let ((_one, from), (_two, to)) = (store(), store());
    fill(&from);
    let status = from.status().unwrap();
    assert!(status.segments > 0 && !from.deleted_segments().unwrap().is_empty());
    assert!(from.windows(i64::MIN..i64::MAX).unwrap().iter().any(|window| window.frozen));
    let mut runs = 1;
    while run(&from, &to, runs).interrupted {
        runs += 1;
    }
    assert!(runs > 5, "{runs}");
    let compared = compare(&from, &to);
    assert_eq!(compared.differences, [] as [String; 0]);
    assert_eq!((compared.segments, compared.packets), (status.segments, status.packets));
    assert_eq!((compared.windows, compared.annotations), (status.windows, 3));
    assert!(compared.connections > 0 && compared.cells > 0 && compared.checksum != 0);
    assert_eq!(due(&to), due(&from));
    let there = to.status().unwrap();
    assert_eq!((there.covered, there.counts, there.nodes), (status.covered, status.counts, status.nodes));
    // Again there is nothing to do.
    let again = run(&from, &to, usize::MAX);
    let known = |known| CopyCount { known, ..CopyCount::default() };
    assert_eq!((again.segments, again.windows), (known(status.segments), known(status.windows)));
    assert_eq!((again.rests.new, again.annotations), (0, known(3)));
}

#[test]
fn a_difference_is_named() {
    let ((_one, from), (_two, to)) = (store(), store());
    take_in(&from, &packets(3, 0.3, 1));
    done(&from);
    assert_eq!(compare(&from, &to).differences.len(), 0);
    // Results of the same packets that say something else.
    let window = from.windows(i64::MIN..i64::MAX).unwrap()[1].window;
    let results = to.read_results(window, &mut |_| Ok(())).unwrap().unwrap();
    to.restore(window).unwrap().finish(&WindowResults { frozen: false, ..results }).unwrap();
    let compared = compare(&from, &to);
    assert_eq!(compared.differences.len(), 1);
    assert!(compared.differences[0].starts_with("the window of "), "{compared:?}");
    assert!(compared.differences[0].contains(" and 0 connections (sum 0000000000000000)"), "{compared:?}");
}

#[test]
fn what_else_is_there_stays() {
    let ((_one, from), (_two, to)) = (store(), store());
    take_in(&from, &packets(4, 0.3, 1));
    done(&from);
    take_in(&to, &packets(4, 0.3, 2));
    done(&to);
    let before = to.status().unwrap();
    assert!(Copying::new(&from, &to).unwrap().foreign().unwrap().0 > 0);
    let compared = compare(&from, &to);
    assert_eq!(compared.differences, [] as [String; 0]);
    // Windows that have packets of both are due there.
    let after = to.status().unwrap();
    assert_eq!(after.packets, before.packets + from.status().unwrap().packets);
    assert!(!due(&to).is_empty());
    done(&to);
    let both = to.status().unwrap().counts.connections;
    assert!(both > before.counts.connections.max(from.status().unwrap().counts.connections));
    // From then on they are left as they are there.
    let again = run(&from, &to, usize::MAX);
    assert!(again.windows.other > 0 && again.windows.new == 0, "{again:?}");
    assert!(due(&to).is_empty());
}
