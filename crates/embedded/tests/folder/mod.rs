//! What only a store in a folder can get wrong: its files.

mod damage;
mod forgotten;
mod full;
mod killed;
mod power;
mod repair;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use cutshort_embedded::{Embedded, Options};
use cutshort_model::Window;
use cutshort_store::open::{OpenSegment, SyncPolicy};
use cutshort_store::{Added, Protected, Provenance, SegmentId, SegmentSource, Store, StoreError};
use tempfile::TempDir;

use crate::conformance::connections::everything;
use crate::conformance::{MINUTE, SECOND, START, file, groups, live, made, packet, replace};

fn open(folder: &Path) -> Embedded {
    Embedded::open(folder, Options::default()).unwrap()
}

fn new() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// All files in a folder and in those within.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn only_file(folder: &Path) -> PathBuf {
    let mut files = files(folder);
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[track_caller]
fn refused(opened: Result<Embedded, StoreError>, expected: &str) {
    match opened.err() {
        Some(StoreError::Refused(why)) => assert!(why.contains(expected), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_writes_and_says_who() {
    let folder = new();
    let store = open(folder.path());
    match Embedded::open(folder.path(), Options::default()).err() {
        Some(StoreError::Locked(why)) => {
            assert!(why.contains(&format!("process {}", std::process::id())), "{why}");
        }
        other => panic!("{other:?}"),
    }
    let reader = Embedded::open_reader(folder.path()).unwrap();
    assert!(matches!(reader.append(&file(vec![packet(1, START)])), Err(StoreError::Refused(_))));
    assert!(reader.replace(Window::containing(START)).is_err() && reader.roll().is_err());
    drop(store);
    open(folder.path());
}

/// Somebody may take the file for a left-over.
#[test]
fn one_writes_whatever_becomes_of_the_lock() {
    let folder = new();
    let store = open(folder.path());
    fs::remove_file(folder.path().join("lock")).unwrap();
    let second = Embedded::open(folder.path(), Options::default());
    assert!(matches!(second.err(), Some(StoreError::Locked(why)) if why.contains("another process")));
    assert!(matches!(Embedded::repair(folder.path()), Err(StoreError::Locked(_))));
    drop(store);
    open(folder.path());
}

#[test]
fn other_folders_are_refused() {
    let folder = new();
    refused(Embedded::open_reader(folder.path()), "no store");
    fs::write(folder.path().join("thesis.tex"), "precious").unwrap();
    refused(Embedded::open(folder.path(), Options::default()), "thesis.tex");
    let folder = new();
    fs::write(folder.path().join("tokens.toml"), "").unwrap();
    open(folder.path());
}

#[test]
fn stores_of_newer_programs_are_refused() {
    let folder = new();
    drop(open(folder.path()));
    let sql = rusqlite::Connection::open(folder.path().join("rollup.sqlite")).unwrap();
    sql.pragma_update(None, "user_version", 99).unwrap();
    refused(Embedded::open(folder.path(), Options::default()), "version 99");
    refused(Embedded::open_reader(folder.path()), "version 99");
    sql.pragma_update(None, "application_id", 5).unwrap();
    refused(Embedded::open_reader(folder.path()), "not that of a store");
}

#[test]
fn names_of_files_say_what_is_in_them() {
    let folder = new();
    let store = open(folder.path());
    let segment = file(vec![packet(1, START), packet(1, START + MINUTE)]);
    store.append(&segment).unwrap();
    replace(&store, START, &[made(1, START)]);
    let name = |path: PathBuf| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_owned();
    let id = segment.info().id;
    assert_eq!(
        name(only_file(&folder.path().join("packets"))),
        format!("packets/2026-01-05/20260105T014500Z-20260105T014600Z-{id}.parquet")
    );
    let connections = name(only_file(&folder.path().join("connections")));
    assert_eq!(connections, "connections/2026-01-05/20260105T014500Z-1.parquet");
    replace(&store, START, &[]);
    let connections = name(only_file(&folder.path().join("connections")));
    assert_eq!(connections, "connections/2026-01-05/20260105T014500Z-2.parquet");
}

/// The database can be lost: files are the truth.
#[test]
fn files_that_nobody_knows_of_are_taken_in() {
    let folder = new();
    let segment = file(vec![packet(1, START)]);
    open(folder.path()).append(&segment).unwrap();
    for name in ["rollup.sqlite", "rollup.sqlite-wal", "rollup.sqlite-shm"] {
        let _ = fs::remove_file(folder.path().join(name));
    }
    let store = open(folder.path());
    assert_eq!(store.status().unwrap().packets, 1);
    assert_eq!(store.append(&segment).unwrap(), Added::Known);
    assert!(store.windows(START..START + 1).unwrap()[0].is_due());
}

#[test]
fn what_was_not_written_to_the_end_is_removed() {
    let folder = new();
    let store = open(folder.path());
    store.append(&file(vec![packet(1, START)])).unwrap();
    replace(&store, START, &[made(1, START)]);
    drop(store);
    let day = |kind: &str| folder.path().join(kind).join("2026-01-05");
    fs::write(day("packets").join("half.parquet.0.tmp"), "half").unwrap();
    fs::write(day("connections").join("half.parquet.3.tmp"), "half").unwrap();
    fs::write(day("connections").join("20260105T014500Z-7.parquet"), "of a crash before its commit").unwrap();
    let store = open(folder.path());
    assert_eq!((files(&day("packets")).len(), files(&day("connections")).len()), (1, 1));
    assert_eq!(store.connections(&everything()).unwrap().len(), 1);
    assert!(store.status().unwrap().damaged.is_empty());
}

#[test]
fn what_is_no_segment_is_set_aside() {
    let folder = new();
    drop(open(folder.path()));
    let day = folder.path().join("packets/2026-01-05");
    fs::create_dir(&day).unwrap();
    fs::write(day.join("strange.parquet"), "strange").unwrap();
    let status = open(folder.path()).status().unwrap();
    assert_eq!(status.damaged[0].name, "damaged/strange.parquet");
    assert!(only_file(&folder.path().join("damaged")).ends_with("strange.parquet"));
    assert_eq!(open(folder.path()).status().unwrap().damaged, status.damaged);
}

/// The `parquet` crate overflows the stack on such a schema.
#[test]
fn a_segment_with_a_deep_schema_is_set_aside() {
    let folder = new();
    let store = open(folder.path());
    store.append(&file(vec![packet(1, START)])).unwrap();
    drop(store);
    let path = folder.path().join("packets/2026-01-05/deep.parquet");
    fs::write(&path, deep_schema(100_000)).unwrap();
    let mut each = |_, _| ControlFlow::Continue(());
    let verified = Embedded::verify(folder.path(), &mut each).unwrap();
    assert_eq!(verified.findings.len(), 1, "{:?}", verified.findings);
    let status = open(folder.path()).status().unwrap();
    assert_eq!((status.packets, &*status.damaged[0].name), (1, "damaged/deep.parquet"));
    assert!(!path.exists());
}

/// Files of connections of versions that noted no checksum are opened as they are.
#[test]
fn connections_with_a_deep_schema_are_set_aside() {
    let folder = new();
    let store = open(folder.path());
    store.append(&file(vec![packet(1, START)])).unwrap();
    replace(&store, START, &[made(1, START)]);
    drop(store);
    fs::write(only_file(&folder.path().join("connections")), deep_schema(100_000)).unwrap();
    let sql = rusqlite::Connection::open(folder.path().join("rollup.sqlite")).unwrap();
    sql.execute("DELETE FROM connections_crc", []).unwrap();
    drop(sql);
    let store = open(folder.path());
    assert!(store.connections(&everything()).unwrap().is_empty());
    assert!(store.status().unwrap().damaged[0].name.starts_with("damaged/"));
}

/// A Parquet file without rows whose schema is groups in groups, so many deep.
fn deep_schema(depth: usize) -> Vec<u8> {
    let group = [0x35, 0, 0x18, 1, b'g', 0x15, 2, 0];
    let mut count = depth;
    let mut footer = vec![0x15, 2, 0x19, 0xfc];
    while count >= 0x80 {
        footer.push(count as u8 | 0x80);
        count >>= 7;
    }
    footer.push(count as u8);
    footer.extend(group.repeat(depth));
    footer.extend([0x16, 0, 0x19, 0x0c, 0]);
    [b"PAR1", &footer[..], &(footer.len() as u32).to_le_bytes(), b"PAR1"].concat()
}

#[test]
fn missing_files_are_named() {
    let folder = new();
    let store = open(folder.path());
    let segment = file(vec![packet(1, START)]);
    store.append(&segment).unwrap();
    replace(&store, START, &[made(1, START)]);
    drop(store);
    fs::remove_file(only_file(&folder.path().join("packets"))).unwrap();
    fs::remove_file(only_file(&folder.path().join("connections"))).unwrap();
    let store = open(folder.path());
    let status = store.status().unwrap();
    assert_eq!((status.segments, status.damaged.len()), (0, 2), "{:?}", status.damaged);
    assert!(store.windows(START..START + 1).unwrap()[0].frozen, "results of all packets are better");
    assert!(store.connections(&everything()).unwrap().is_empty());
    assert_eq!(store.append(&segment).unwrap(), Added::New, "it can be handed in again");
    assert!(!store.windows(START..START + 1).unwrap()[0].frozen);
}

#[test]
fn a_damaged_segment_is_set_aside_and_the_rest_goes_on() {
    let folder = new();
    let store = open(folder.path());
    let segment = file(vec![packet(1, START), packet(2, START + SECOND)]);
    store.append(&segment).unwrap();
    let path = only_file(&folder.path().join("packets"));
    store.append(&live("edge", vec![packet(3, START)], (START, START + MINUTE))).unwrap();
    let before = store.windows(START..START + 1).unwrap()[0].inputs;
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let reader = Embedded::open_reader(folder.path()).unwrap();
    assert!(matches!(reader.read_window(Window::containing(START), 2), Err(StoreError::Damaged(_))));
    assert_eq!(groups(&store, START, 2).len(), 1, "that of the other segment");
    let status = store.status().unwrap();
    assert_eq!((status.segments, status.damaged.len()), (1, 1));
    assert!(status.damaged[0].why.contains("not those that were written"));
    let window = store.windows(START..START + 1).unwrap().remove(0);
    assert!(window.inputs != before && window.is_due(), "there are no results yet");
    assert_eq!(store.append(&segment).unwrap(), Added::New);
    assert_eq!(groups(&store, START, 2).len(), 3);
    assert!(store.status().unwrap().damaged.is_empty());
}

/// As earlier versions did, which wrote packets into the store's folder as they came.
#[test]
fn segments_that_earlier_versions_were_writing_are_kept() {
    let folder = new();
    let store = open(folder.path());
    let begin = |id| {
        let path = folder.path().join(format!("open/{}", SegmentId(id)));
        OpenSegment::<Protected>::create(
            &path,
            SegmentId(id),
            &SegmentSource::tcp("edge", Provenance::Live, (START, START)),
            SyncPolicy::Always,
        )
        .unwrap()
    };
    let (mut one, _empty) = (begin(1), begin(2));
    one.append(&[packet(1, START + SECOND)], START + MINUTE).unwrap();
    let sealed = one.seal().unwrap();
    // As after a crash: nobody has removed the files.
    drop(one);
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.status().unwrap().covered, Some((START, START + MINUTE)));
    assert_eq!(groups(&store, START, 1).len(), 1);
    assert_eq!(store.append(&sealed).unwrap(), Added::Known);
    assert!(files(&folder.path().join("open")).is_empty());
}

/// A crash between noting that a segment is deleted and removing its file.
#[test]
fn deleted_files_do_not_come_back() {
    let folder = new();
    let store = open(folder.path());
    store.append(&file(vec![packet(1, START)])).unwrap();
    replace(&store, START, &[]);
    let path = only_file(&folder.path().join("packets"));
    let bytes = fs::read(&path).unwrap();
    let in_a_month = std::time::SystemTime::now() + std::time::Duration::from_secs(30 * 86_400);
    assert_eq!(store.retain(in_a_month, &cutshort_store::Retention::default()).unwrap(), 1);
    drop(store);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    assert_eq!(open(folder.path()).status().unwrap().segments, 0);
    assert!(!path.exists());
}
