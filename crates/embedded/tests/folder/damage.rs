//! Files that were good when they were written.

use std::time::{Duration, SystemTime};

use cutshort_model::Window;
use cutshort_store::{Impaired, Impairment, Retention, WindowState};

use super::*;
use crate::conformance::{WINDOW, inputs};

/// Ways to damage a file.
#[derive(Clone, Copy, Debug)]
enum Harm {
    Bit,
    Truncated,
    Gone,
}

const HARMS: [Harm; 3] = [Harm::Bit, Harm::Truncated, Harm::Gone];

fn harm(path: &Path, harm: Harm) {
    let mut bytes = fs::read(path).unwrap();
    match harm {
        Harm::Bit => {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path, &bytes).unwrap();
        }
        Harm::Truncated => fs::write(path, &bytes[..bytes.len() / 2]).unwrap(),
        Harm::Gone => fs::remove_file(path).unwrap(),
    }
}

fn window(store: &Embedded) -> WindowState {
    store.windows(START..START + 1).unwrap().remove(0)
}

fn impaired(store: &dyn Store) -> Vec<Impaired> {
    store.status().unwrap().impaired
}

fn of_start(how: Impairment) -> Vec<Impaired> {
    vec![Impaired { window: Window::containing(START), how }]
}

#[test]
fn results_of_packets_that_are_damaged_later_stay() {
    for kind in HARMS {
        let folder = new();
        let store = open(folder.path());
        let segment = file(vec![packet(1, START), packet(2, START + SECOND)]);
        store.append(&segment).unwrap();
        replace(&store, START, &[made(1, START)]);
        harm(&only_file(&folder.path().join("packets")), kind);
        store.append(&live("edge", vec![packet(3, START)], (START, START + WINDOW))).unwrap();
        assert!(window(&store).is_due(), "nobody knows of the damage yet");
        assert_eq!(groups(&store, START, 1).len(), 1, "{kind:?}");
        assert_eq!(store.impairment(Window::containing(START)).unwrap(), Some(Impairment::Kept));
        assert!(window(&store).frozen && !window(&store).is_due());
        assert_eq!(impaired(&store), of_start(Impairment::Kept));
        // Also for the next program.
        drop(store);
        let store = open(folder.path());
        assert_eq!(impaired(&store), of_start(Impairment::Kept));
        store.append(&segment).unwrap();
        assert_eq!(
            (store.impairment(Window::containing(START)).unwrap(), impaired(&store)),
            (None, Vec::new())
        );
        assert!(window(&store).is_due(), "the late segment is still to be counted");
    }
}

#[test]
fn results_without_damaged_packets_are_known_to_be_incomplete() {
    for kind in HARMS {
        let folder = new();
        let store = open(folder.path());
        let segment = file(vec![packet(1, START), packet(2, START + SECOND)]);
        store.append(&segment).unwrap();
        harm(&only_file(&folder.path().join("packets")), kind);
        store.append(&live("edge", vec![packet(3, START)], (START, START + WINDOW))).unwrap();
        assert_eq!(groups(&store, START, 1).len(), 1, "{kind:?}");
        assert_eq!(store.impairment(Window::containing(START)).unwrap(), Some(Impairment::Incomplete));
        assert_eq!(impaired(&store), of_start(Impairment::Incomplete), "also before there are results");
        replace(&store, START, &[made(3, START)]);
        assert_eq!(impaired(&store), of_start(Impairment::Incomplete));
        assert!(!window(&store).is_due() && !window(&store).frozen);
        // More of it makes the results better, but not whole.
        store.append(&live("core", vec![packet(4, START)], (START, START + WINDOW))).unwrap();
        assert!(window(&store).is_due());
        replace(&store, START, &[made(3, START), made(4, START)]);
        assert_eq!(store.impairment(Window::containing(START)).unwrap(), Some(Impairment::Incomplete));
        store.append(&segment).unwrap();
        assert!(window(&store).is_due() && impaired(&store).is_empty());
    }
}

/// Another thread finds the damage while the window is computed from what was read before.
#[test]
fn packets_that_were_read_before_they_were_damaged_count() {
    let folder = new();
    let store = open(folder.path());
    store.append(&file(vec![packet(1, START)])).unwrap();
    let before = inputs(&store, START);
    let replacement = store.replace(Window::containing(START)).unwrap();
    replacement.sink().unwrap().finish().unwrap();
    harm(&only_file(&folder.path().join("packets")), Harm::Bit);
    assert_eq!(groups(&store, START, 1).len(), 0);
    replacement.commit(before, Default::default(), &Default::default()).unwrap();
    assert_eq!(impaired(&store), of_start(Impairment::Kept));
}

/// Readers of all kinds may find the same at once.
#[test]
fn many_find_the_same_damage() {
    let folder = new();
    let store = open(folder.path());
    store.append(&file(vec![packet(1, START)])).unwrap();
    store.append(&live("edge", vec![packet(3, START)], (START, START + MINUTE))).unwrap();
    replace(&store, START, &[made(1, START)]);
    for path in files(&folder.path().join("packets")) {
        harm(&path, Harm::Bit);
    }
    harm(&only_file(&folder.path().join("connections")), Harm::Bit);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                assert!(groups(&store, START, 1).is_empty());
                assert!(store.connections(&everything()).unwrap().is_empty());
            });
        }
    });
    let status = store.status().unwrap();
    assert_eq!((status.damaged.len(), files(&folder.path().join("damaged")).len()), (3, 3));
}

fn two_windows(folder: &Path) -> (Embedded, PathBuf) {
    let store = open(folder);
    store.append(&file(vec![packet(1, START), packet(2, START + WINDOW)])).unwrap();
    replace(&store, START, &[made(1, START)]);
    let path = only_file(&folder.join("connections"));
    replace(&store, START + WINDOW, &[made(2, START + WINDOW)]);
    (store, path)
}

#[test]
fn damaged_connections_are_set_aside_and_made_again() {
    for kind in HARMS {
        let folder = new();
        let (store, path) = two_windows(folder.path());
        harm(&path, kind);
        let found = store.connections(&everything()).unwrap();
        assert_eq!(found.iter().map(|record| record.first_us * 1000).collect::<Vec<_>>(), [START + WINDOW]);
        let mut count = 0;
        store
            .each_connection(i64::MIN..i64::MAX, &mut |_| {
                count += 1;
                true
            })
            .unwrap();
        assert_eq!(count, 1, "{kind:?}");
        let status = store.status().unwrap();
        assert_eq!((status.damaged.len(), &status.impaired), (1, &of_start(Impairment::WithoutConnections)));
        assert!(!path.exists());
        assert_eq!(files(&folder.path().join("damaged")).len(), usize::from(!matches!(kind, Harm::Gone)));
        assert_eq!((window(&store).is_due(), window(&store).frozen), (true, false));
        replace(&store, START, &[made(1, START)]);
        let status = store.status().unwrap();
        assert_eq!((status.damaged.len(), status.impaired.len()), (0, 0));
        assert_eq!(store.connections(&everything()).unwrap().len(), 2);
        assert!(!window(&store).is_due());
    }
}

#[test]
fn connections_that_are_gone_when_the_store_is_opened_are_made_again() {
    let folder = new();
    let (store, path) = two_windows(folder.path());
    drop(store);
    fs::remove_file(path).unwrap();
    let store = open(folder.path());
    assert_eq!(impaired(&store), of_start(Impairment::WithoutConnections));
    assert!(window(&store).is_due());
}

/// Without the packets nothing can be made again; the counts are whole.
#[test]
fn damaged_connections_without_packets_stay_lost() {
    let folder = new();
    let (store, path) = two_windows(folder.path());
    let in_days = |days: u64| SystemTime::now() + Duration::from_secs(days * 86_400);
    store.retain(in_days(30), &Retention::default()).unwrap();
    harm(&path, Harm::Bit);
    assert_eq!(store.connections(&everything()).unwrap().len(), 1);
    assert!(!window(&store).is_due() && window(&store).done.is_some());
    assert_eq!(impaired(&store), of_start(Impairment::WithoutConnections));
    store.retain(in_days(100), &Retention::default()).unwrap();
    assert!(impaired(&store).is_empty(), "past their time");
}

/// Who only reads can set nothing aside, but it can leave out and say.
#[test]
fn readers_leave_damaged_connections_out() {
    let folder = new();
    let (store, path) = two_windows(folder.path());
    harm(&path, Harm::Bit);
    let reader = Embedded::open_reader(folder.path()).unwrap();
    assert_eq!(reader.connections(&everything()).unwrap().len(), 1);
    assert_eq!(impaired(&reader), of_start(Impairment::WithoutConnections));
    assert!(reader.status().unwrap().damaged[0].why.contains("not those that were written"));
    assert!(path.exists() && impaired(&store).is_empty());
    // The writer has made them again.
    replace(&store, START, &[made(1, START)]);
    assert_eq!(reader.connections(&everything()).unwrap().len(), 2);
    assert!(impaired(&reader).is_empty() && reader.status().unwrap().damaged.is_empty());
}
