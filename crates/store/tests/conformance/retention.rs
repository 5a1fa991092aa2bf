use std::time::{Duration, SystemTime};

use cutshort_store::{Added, Retention};

use super::connections::everything;
use super::{Backend, SECOND, START, WINDOW, file, groups, made, packet, replace};

const DAY: Duration = Duration::from_secs(86_400);

/// Nothing is deleted by it.
fn forever() -> Retention {
    Retention { packets: None, connections: None, fifteen_minutes: None, hours: None, days: None }
}

fn in_days(days: u32) -> SystemTime {
    SystemTime::now() + DAY * days
}

pub(crate) fn old_packets_are_deleted_and_their_windows_frozen<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    let segment = file(vec![packet(1, START), packet(2, START + SECOND)]);
    store.append(&segment).unwrap();
    replace(store, START, &[made(1, START)]);
    let retention = Retention { packets: Some(DAY), ..forever() };
    assert_eq!(store.retain(in_days(0), &retention).unwrap(), 0);
    assert_eq!(store.retain(in_days(2), &retention).unwrap(), 1);
    assert_eq!(store.retain(in_days(2), &retention).unwrap(), 0, "again");
    let windows = store.windows(i64::MIN..i64::MAX).unwrap();
    assert!(windows[0].frozen && windows[0].done.is_some() && !windows[0].is_due());
    let status = store.status().unwrap();
    assert_eq!((status.segments, status.packets, status.windows), (0, 0, 1));
    assert_eq!(store.append(&segment).unwrap(), Added::Known, "it was there");
    assert_eq!(store.status().unwrap().segments, 0);
    assert!(groups(store, START, 2).is_empty());
    // What comes later for the window does not make its results those of less.
    store.append(&file(vec![packet(3, START + 5 * SECOND)])).unwrap();
    assert!(!store.windows(START..START + 1).unwrap()[0].is_due());
    assert_eq!(store.connections(&everything()).unwrap().len(), 1);
}

pub(crate) fn packets_that_wait_for_results_stay<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    store.append(&file(vec![packet(1, START)])).unwrap();
    let retention = Retention { packets: Some(DAY), ..forever() };
    assert_eq!(store.retain(in_days(9), &retention).unwrap(), 0);
    assert_eq!(groups(store, START, 1).len(), 1);
}

pub(crate) fn what_came_in_late_is_kept_from_then_on<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    let old = START - 4000 * WINDOW;
    store.append(&file(vec![packet(1, old)])).unwrap();
    replace(store, old, &[made(1, old)]);
    let day = Some(DAY);
    let retention = Retention { packets: day, connections: day, fifteen_minutes: day, hours: day, days: day };
    assert_eq!(store.retain(SystemTime::now(), &retention).unwrap(), 0);
    assert_eq!(store.retain(in_days(2), &retention).unwrap(), 2);
}

pub(crate) fn old_connections_are_deleted<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    replace(store, START, &[made(1, START)]);
    replace(store, START + WINDOW, &[made(2, START)]);
    let retention = Retention { connections: Some(DAY), ..forever() };
    assert_eq!(store.retain(in_days(2), &retention).unwrap(), 2);
    assert!(store.connections(&everything()).unwrap().is_empty());
    let status = store.status().unwrap();
    assert_eq!((status.windows, status.counts.connections, status.connection_bytes), (2, 2, 0));
    replace(store, START, &[made(3, START)]);
    assert_eq!(store.connections(&everything()).unwrap().len(), 1);
}
