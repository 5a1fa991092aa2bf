//! What was acknowledged is on the disk: no test can cut the power, but each can see what was forced to the disk.

use std::path::Path;

use cutshort_files::durable::{Synced, watched};

use super::*;

/// A file was forced to the disk as a whole before it got its name, and then its name was.
#[track_caller]
fn assert_kept(synced: &[Synced], file: &Path) {
    let (folder, name) = (file.parent().unwrap(), file.file_name().unwrap().to_str().unwrap());
    let len = fs::metadata(file).unwrap().len();
    let is_content = |synced: &Synced| {
        let path = synced.path.to_str().unwrap();
        path.starts_with(file.to_str().unwrap()) && path.ends_with(".tmp") && synced.len == len
    };
    let has_name = |synced: &Synced| synced.path == folder && synced.names.iter().any(|known| known == name);
    let content = synced.iter().position(is_content);
    let named = synced.iter().position(has_name);
    assert!(content.is_some() && content < named, "{file:?}: {synced:#?}");
}

/// A folder's name was forced to the disk.
#[track_caller]
fn assert_named(synced: &[Synced], folder: &Path) {
    let (parent, name) = (folder.parent().unwrap(), folder.file_name().unwrap().to_str().unwrap());
    let has_name = |synced: &Synced| synced.path == parent && synced.names.iter().any(|known| known == name);
    assert!(synced.iter().any(has_name), "{folder:?}: {synced:#?}");
}

#[test]
fn segments_and_connections_are_on_the_disk() {
    let folder = new();
    let root = folder.path().join("store");
    let (store, synced) = watched(|| open(&root));
    ["packets", "connections"].iter().for_each(|name| assert_named(&synced, &root.join(name)));

    let (added, synced) = watched(|| store.append(&file(vec![packet(1, START)])));
    assert_eq!(added.unwrap(), Added::New);
    let kept = only_file(&root.join("packets"));
    assert_kept(&synced, &kept);
    assert_named(&synced, kept.parent().unwrap());

    let ((), synced) = watched(|| replace(&store, START, &[made(1, START)]));
    let kept = only_file(&root.join("connections"));
    assert_kept(&synced, &kept);
    assert_named(&synced, kept.parent().unwrap());
}

#[test]
fn who_asks_for_no_durability_waits_for_no_disk() {
    let folder = new();
    let options = Options { durable: false };
    let (store, synced) = watched(|| Embedded::open(folder.path(), options).unwrap());
    assert_eq!(synced, []);
    assert_eq!(watched(|| store.append(&file(vec![packet(1, START)])).unwrap()).1, []);
}

#[test]
fn the_open_segment_is_on_the_disk_as_often_as_asked_for() {
    let folder = new();
    let synced = |sync: SyncPolicy| {
        let path = folder.path().join(format!("{sync:?}"));
        let mut open = OpenSegment::<Protected>::create(
            &path,
            SegmentId(1),
            &SegmentSource::tcp("edge", Provenance::Live, (START, START)),
            sync,
        )
        .unwrap();
        let ((), synced) = watched(|| {
            for at in 1..=2 {
                open.append(&[packet(at, START)], START + i64::from(at)).unwrap();
            }
        });
        assert!(synced.iter().all(|synced| synced.path == path));
        (synced.iter().map(|synced| synced.len).collect::<Vec<_>>(), fs::metadata(&path).unwrap().len())
    };
    for sync in [SyncPolicy::Always, SyncPolicy::Every(std::time::Duration::ZERO)] {
        let (lengths, whole) = synced(sync);
        assert!(lengths.len() == 2 && lengths[1] == whole, "{sync:?}: {lengths:?} of {whole}");
    }
    for sync in [SyncPolicy::Never, SyncPolicy::Every(std::time::Duration::from_secs(3600))] {
        assert!(synced(sync).0.is_empty(), "{sync:?}");
    }
}
