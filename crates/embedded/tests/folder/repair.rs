//! Damaged databases: what is read of them, and what is said.

use cutshort_detect::SeriesPlace;
use cutshort_embedded::Remedy;
use cutshort_store::{
    AnnotationKind, EventQuery, EventStep, Impairment, NewAnnotation, OutsideRecords, OutsideSpan,
};
use std::ops::ControlFlow;

use super::*;
use crate::conformance::WINDOW;

fn verify(folder: &Path) -> Vec<(String, Remedy)> {
    let verified = Embedded::verify(folder, &mut |_, _| ControlFlow::Continue(())).unwrap();
    verified.findings.into_iter().map(|finding| (finding.name, finding.remedy)).collect()
}

fn database(folder: &Path) -> PathBuf {
    folder.join("rollup.sqlite")
}

/// One file that has everything.
fn checkpoint(folder: &Path) {
    let sql = rusqlite::Connection::open(database(folder)).unwrap();
    sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

/// Windows without counts of their own, as their connections are made by hand.
fn filled() -> TempDir {
    let folder = new();
    let store = open(folder.path());
    store.append(&file(vec![packet(1, START), packet(2, START + WINDOW)])).unwrap();
    store.append(&live("edge", vec![packet(3, START + 2 * WINDOW)], (START, START + 3 * WINDOW))).unwrap();
    for at in 0..3 {
        replace(&store, START + at * WINDOW, &[]);
    }
    let annotation = NewAnnotation {
        data_set: None,
        kind: AnnotationKind::General,
        start: START,
        end: None,
        description: "a note".to_owned(),
        linked_url: None,
        scope: None,
        locations: Vec::new(),
        asns: Vec::new(),
        outage: None,
    };
    store.annotate(&annotation).unwrap();
    store.annotate(&NewAnnotation { description: "another".to_owned(), ..annotation }).unwrap();
    drop(store);
    checkpoint(folder.path());
    folder
}

#[test]
fn a_store_in_order_has_no_findings() {
    let folder = filled();
    assert_eq!(verify(folder.path()), []);
    let repaired = Embedded::repair(folder.path()).unwrap();
    assert_eq!(repaired, Default::default());
    let writer = open(folder.path());
    assert_eq!(verify(folder.path()), [], "while another process writes");
    assert!(matches!(Embedded::repair(folder.path()), Err(StoreError::Locked(_))));
    drop(writer);
    let nothing = new();
    assert!(matches!(
        Embedded::verify(nothing.path(), &mut |_, _| ControlFlow::Continue(())),
        Err(StoreError::Refused(_))
    ));
    assert!(files(nothing.path()).is_empty());
}

#[test]
fn damaged_files_are_found_and_set_aside() {
    let folder = filled();
    let packets = files(&folder.path().join("packets"));
    let connections = files(&folder.path().join("connections"));
    for path in [&packets[0], &connections[0]] {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        fs::write(path, bytes).unwrap();
    }
    fs::remove_file(&connections[1]).unwrap();
    fs::write(packets[1].with_file_name("strange.parquet"), "strange").unwrap();
    // SQLite has files of its own while a database is read.
    let listed = || {
        let mut all = files(folder.path());
        all.retain(|path| !path.to_string_lossy().contains(".sqlite-"));
        all
    };
    let before = listed();
    let found = verify(folder.path());
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.iter().all(|(_, remedy)| *remedy == Remedy::Repair));
    assert_eq!(before, listed(), "nothing was changed");
    let store = open(folder.path());
    store.set_damaged_aside(&mut |_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!(files(&folder.path().join("damaged")).len(), 3);
    assert_eq!(store.status().unwrap().damaged.len(), 4);
    drop(store);
    let found = verify(folder.path());
    assert!(!found.is_empty() && found.iter().any(|(_, remedy)| *remedy == Remedy::Again), "{found:?}");
}

/// As an operator finds it.
fn refused_with_advice(folder: &Path) {
    match Embedded::open(folder, Options::default()).err() {
        Some(StoreError::Damaged(why)) => {
            assert!(why.to_string().contains("cutshort store repair --data"), "{why:#}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_database_that_is_gone_is_made_again_of_files() {
    for empty in [true, false] {
        let folder = filled();
        if empty {
            fs::write(database(folder.path()), "").unwrap();
        } else {
            fs::remove_file(database(folder.path())).unwrap();
        }
        let connections = files(&folder.path().join("connections"));
        refused_with_advice(folder.path());
        assert_eq!(files(&folder.path().join("connections")), connections, "results are no left-overs");
        assert!(verify(folder.path()).iter().all(|(_, remedy)| *remedy == Remedy::Repair));
        let repaired = Embedded::repair(folder.path()).unwrap();
        assert_eq!((repaired.segments, repaired.windows), (2, 0));
        let store = open(folder.path());
        let windows = store.windows(i64::MIN..i64::MAX).unwrap();
        assert_eq!(windows.iter().filter(|window| window.is_due()).count(), 3, "their packets are there");
        assert_eq!(store.status().unwrap().packets, 3);
    }
}

/// Wherever bytes are flipped: the store can be opened afterwards, has all packets, and every window has its results or
/// is due.
#[test]
fn flipped_bytes_anywhere_are_repaired() {
    let mut damaged = 0;
    for nth in 0..25 {
        let folder = filled();
        let path = database(folder.path());
        let mut bytes = fs::read(&path).unwrap();
        let used: Vec<usize> = (0..bytes.len() - 20).filter(|at| bytes[at + 10] != 0).collect();
        let at = used[nth * used.len() / 25];
        bytes[at..at + 20].iter_mut().for_each(|byte| *byte ^= 0x5a);
        fs::write(&path, &bytes).unwrap();
        let repaired = Embedded::repair(folder.path());
        let Ok(repaired) = repaired else { continue };
        damaged += u32::from(!repaired.aside.is_empty());
        let store = match Embedded::open(folder.path(), Options::default()) {
            Ok(store) => store,
            // The head says that it is of another program or version.
            Err(StoreError::Refused(_)) => continue,
            Err(other) => panic!("{at}: {other:?}"),
        };
        assert_eq!(store.status().unwrap().packets, 3, "{at}");
        let windows = store.windows(i64::MIN..i64::MAX).unwrap();
        assert_eq!(windows.len(), 3, "{at}");
        assert!(windows.iter().all(|window| window.is_due() || window.done.is_some()));
        // A checksum may have been flipped: then its file is set aside, and made again.
        store.set_damaged_aside(&mut |_, _| ControlFlow::Continue(())).unwrap();
        drop(store);
        let mut remaining = verify(folder.path());
        remaining.retain(|(name, remedy)| *remedy == Remedy::Repair && !name.starts_with("the window of"));
        assert!(remaining.is_empty(), "{at}: {remaining:?}");
    }
    assert!(damaged > 5, "{damaged}");
}

/// Without packets, connections are all that is left of a window.
#[test]
fn connections_whose_packets_are_gone_are_kept() {
    let folder = new();
    let store = open(folder.path());
    store.append(&file(vec![packet(1, START)])).unwrap();
    replace(&store, START, &[made(1, START), made(2, START)]);
    let in_a_month = std::time::SystemTime::now() + std::time::Duration::from_secs(30 * 86_400);
    store.retain(in_a_month, &cutshort_store::Retention::default()).unwrap();
    drop(store);
    for part in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(folder.path().join(format!("rollup.sqlite{part}")));
    }
    let repaired = Embedded::repair(folder.path()).unwrap();
    assert!(repaired.lost.iter().any(|what| what.contains("2 connections of it are kept")), "{repaired:?}");
    let store = open(folder.path());
    assert_eq!(store.connections(&everything()).unwrap().len(), 2);
    let window = store.windows(START..START + 1).unwrap().remove(0);
    assert!(window.frozen && !window.is_due());
}

#[test]
fn notes_of_damage_survive_a_repair() {
    let folder = filled();
    let segment = files(&folder.path().join("packets")).remove(0);
    fs::remove_file(segment).unwrap();
    let store = open(folder.path());
    let before = store.status().unwrap();
    assert!(before.impaired.iter().all(|impaired| impaired.how == Impairment::Kept));
    drop(store);
    checkpoint(folder.path());
    let sql = rusqlite::Connection::open(database(folder.path())).unwrap();
    sql.execute("UPDATE segment SET path = CAST(x'80' AS TEXT) WHERE state = 0", []).unwrap();
    drop(sql);
    refused_with_advice(folder.path());
    let repaired = Embedded::repair(folder.path()).unwrap();
    assert_eq!(repaired.aside, ["damaged/rollup.sqlite"]);
    let after = open(folder.path()).status().unwrap();
    assert_eq!((after.damaged, after.impaired), (before.damaged, before.impaired));
}

#[test]
fn annotations_are_kept_as_far_as_they_can_be_read() {
    let folder = filled();
    let path = folder.path().join("annotations.sqlite");
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute("UPDATE annotation SET kind = 'NONSENSE' WHERE id = 1", []).unwrap();
    drop(sql);
    assert_eq!(verify(folder.path()), [("annotations.sqlite".to_owned(), Remedy::Repair)]);
    let repaired = Embedded::repair(folder.path()).unwrap();
    assert_eq!((repaired.annotations, repaired.lost.len()), (1, 1));
    assert_eq!(repaired.aside, ["damaged/annotations.sqlite"]);
    let store = open(folder.path());
    let left = store.annotations(i64::MIN..i64::MAX).unwrap();
    assert_eq!((left.len(), left[0].id, left[0].content.description.as_str()), (1, 2, "another"));
    fs::write(&path, "no database at all, but not empty either").unwrap();
    drop(store);
    assert_eq!(verify(folder.path()).len(), 1);
    Embedded::repair(folder.path()).unwrap();
    assert_eq!(verify(folder.path()), []);
}

/// Flips bytes in the middle of a file's pages.
fn garble(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    for byte in bytes.iter_mut().skip(200).step_by(7) {
        *byte ^= 0x5a;
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn damaged_events_and_records_of_other_sources_are_set_aside() {
    let folder = filled();
    let [events, outside] = ["events.sqlite", "corroboration.sqlite"].map(|name| folder.path().join(name));
    let store = open(folder.path());
    let nothing = EventStep { windows: 0..1, digests: &[], events: &[], alerts: &[], state: None };
    store.events().unwrap().keep(&nothing).unwrap();
    let span = OutsideSpan { source: "ioda".to_owned(), place: SeriesPlace::World, range: 0..1 };
    let records = OutsideRecords { spans: vec![span], ..OutsideRecords::default() };
    store.outside().unwrap().import(&records).unwrap();
    drop(store);
    for path in [&events, &outside] {
        let sql = rusqlite::Connection::open(path).unwrap();
        sql.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE").unwrap();
    }
    assert_eq!(verify(folder.path()), [], "whole ones are no findings");
    garble(&events);
    garble(&outside);
    let found = verify(folder.path());
    let repair = |name: &str| (name.to_owned(), Remedy::Repair);
    assert_eq!(found, [repair("events.sqlite"), repair("corroboration.sqlite")]);
    let repaired = Embedded::repair(folder.path()).unwrap();
    assert_eq!(repaired.aside, ["damaged/events.sqlite", "damaged/corroboration.sqlite"]);
    let text = repaired.to_string();
    assert!(
        text.contains("decisions about events") && text.contains("cutshort corroborate import"),
        "{text}"
    );
    assert_eq!(verify(folder.path()), []);
    let store = open(folder.path());
    assert_eq!(store.events().unwrap().list(&EventQuery::default()).unwrap(), []);
    assert_eq!(store.outside().unwrap().sources().unwrap(), []);
}
