//! Time of the future does not count as covered, and what has come in can be removed again.

use std::time::{Duration, SystemTime};

use cutshort_model::Window;
use cutshort_store::{Added, Retention, Store};

use super::{files, new, open};
use crate::conformance::connections::everything;
use crate::conformance::{MINUTE, START, WINDOW, file, groups, inputs, live, made, packet, replace};

/// The year 2096.
const FAR: i64 = Window::from_number(4_444_444).start();

#[test]
fn time_of_the_future_does_not_count_as_covered() {
    let folder = new();
    let store = open(folder.path());
    let far = file(vec![packet(9, FAR)]);
    store.append(&far).unwrap();
    assert_eq!(inputs(&store, FAR).cutoff, FAR, "there is nothing else");
    assert_eq!(store.status().unwrap().future_segments, 0);
    store.append(&live("a", vec![packet(1, START)], (START, START + MINUTE))).unwrap();
    assert_eq!(inputs(&store, START).cutoff, START + MINUTE);
    assert_eq!(store.read_window(Window::containing(START), 1).unwrap().inputs.cutoff, START + MINUTE);
    let status = store.status().unwrap();
    assert_eq!(status.covered, Some((START, START + MINUTE)));
    assert_eq!((status.latest_packet, status.future_segments), (Some(START), 1));
    // Its window is not due again and again while more time is covered.
    replace(&store, FAR, &[]);
    store.append(&live("a", Vec::new(), (START + MINUTE, START + 2 * MINUTE))).unwrap();
    assert!(!store.windows(FAR..FAR + 1).unwrap()[0].is_due());
    store.forget(&[far.info().id]).unwrap();
    assert_eq!(store.status().unwrap().future_segments, 0);
}

/// What else is gone, the conformance suite tests.
#[test]
fn forgotten_segments_leave_no_files() {
    let folder = new();
    let store = open(folder.path());
    let alone = file(vec![packet(1, START), packet(2, START)]);
    let shared = [WINDOW, WINDOW + 1].map(|after| file(vec![packet(3, START + after)]));
    for segment in [&alone, &shared[0], &shared[1]] {
        store.append(segment).unwrap();
    }
    replace(&store, START, &[made(1, START)]);
    replace(&store, START + WINDOW, &[made(3, START + WINDOW)]);
    store.forget(&[alone.info().id, shared[1].info().id]).unwrap();
    assert_eq!(files(&folder.path().join("packets")).len(), 1);
    assert_eq!(files(&folder.path().join("connections")).len(), 1);
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.known_segments().unwrap().len(), 1, "after opening, too");
    assert_eq!(store.append(&alone).unwrap(), Added::New);
    assert_eq!(groups(&store, START, 1).len(), 2);
}

#[test]
fn results_of_packets_that_are_gone_stay() {
    let folder = new();
    let store = open(folder.path());
    let (old, other) = (file(vec![packet(1, START)]), file(vec![packet(2, START)]));
    store.append(&old).unwrap();
    replace(&store, START, &[made(1, START)]);
    let day = Duration::from_secs(86_400);
    let none = Retention { packets: None, connections: None, fifteen_minutes: None, hours: None, days: None };
    store.retain(SystemTime::now() + 2 * day, &Retention { packets: Some(day), ..none }).unwrap();
    store.append(&other).unwrap();
    let forgotten = store.forget(&[other.info().id]).unwrap();
    assert_eq!((forgotten.frozen, forgotten.removed), (vec![Window::containing(START)], Vec::new()));
    assert_eq!(store.connections(&everything()).unwrap().len(), 1);
    // What was deleted covers time nevertheless, until it is forgotten.
    let known = store.known_segments().unwrap();
    assert_eq!((known.len(), known[0].is_kept), (1, false));
    assert_eq!(store.forget(&[old.info().id, old.info().id]).unwrap().segments, 1);
    assert_eq!(store.status().unwrap().covered, None);
}
