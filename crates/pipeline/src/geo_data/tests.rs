use std::fs;
use std::path::Path;
use std::time::Instant;

use tempfile::TempDir;

use super::*;

const ADDRESS: &str = "198.51.100.7";

/// A directory with a file of networks.
struct NetworksFile {
    folder: TempDir,
    path: PathBuf,
}

impl NetworksFile {
    fn new(asn: u32) -> (Self, GeoData) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("networks.csv");
        let place = Self { folder, path };
        place.write(asn);
        let files = GeoData::open(std::slice::from_ref(&place.path)).unwrap();
        (place, files)
    }

    fn write(&self, asn: u32) {
        fs::write(&self.path, row(asn)).unwrap();
    }

    /// Replaces the file by renaming, as programs do that never leave half a file.
    fn replace(&self, asn: u32) {
        let new = self.folder.path().join("new.csv");
        fs::write(&new, row(asn)).unwrap();
        fs::rename(new, &self.path).unwrap();
    }
}

fn row(asn: u32) -> String {
    format!("198.51.100.0,198.51.100.255,PT,{asn},Net {asn}\n")
}

fn asn(files: &GeoData) -> u32 {
    files.current().lookup(ADDRESS.parse().unwrap()).asn.unwrap()
}

/// What two looks lead to.
fn looked(files: &GeoData) -> (u32, u64, bool) {
    files.look();
    files.look();
    (asn(files), files.state().generation, files.state().trouble.is_some())
}

#[test]
fn a_file_that_was_replaced_is_read_once() {
    let (place, files) = NetworksFile::new(64_500);
    assert_eq!(looked(&files), (64_500, 0, false));
    let before = files.current();
    place.replace(64_501);
    // It might still be written.
    files.look();
    assert_eq!(asn(&files), 64_500);
    files.look();
    assert_eq!(asn(&files), 64_501);
    assert_eq!(looked(&files), (64_501, 1, false));
    assert_eq!(before.lookup(ADDRESS.parse().unwrap()).asn, Some(64_500), "what was taken stays as it is");
}

#[test]
fn a_file_is_read_when_nobody_writes_to_it_any_more() {
    let (place, files) = NetworksFile::new(64_500);
    for text in ["198.51.100.0,198.51.100.255,PT,645", "198.51.100.0,198.51.100.255,PT,64501,N"] {
        fs::write(&place.path, text).unwrap();
        files.look();
        assert_eq!(asn(&files), 64_500);
    }
    place.write(64_501);
    assert_eq!(looked(&files), (64_501, 1, false));
}

#[test]
fn what_cannot_be_read_leaves_the_data_of_before_in_use() {
    let (place, files) = NetworksFile::new(64_500);
    type Break = (&'static str, fn(&Path));
    let breaks: [Break; 4] = [
        ("is empty", |path| fs::write(path, "").unwrap()),
        ("No such file", |path| fs::remove_file(path).unwrap()),
        ("neither text nor a whole MaxMind DB", |path| fs::write(path, [0, 1, 2, 0]).unwrap()),
        ("Is a directory", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
    ];
    for (at, (why, break_it)) in breaks.into_iter().enumerate() {
        break_it(&place.path);
        let generation = at as u64;
        assert_eq!(looked(&files), (64_500 + at as u32, generation, true), "{why}");
        let trouble = files.state().trouble.unwrap();
        assert!(trouble.contains(why) && trouble.contains("networks.csv"), "{why}: {trouble}");
        if place.path.is_dir() {
            fs::remove_dir(&place.path).unwrap();
        }
        place.replace(64_501 + at as u32);
        assert_eq!(looked(&files), (64_501 + at as u32, generation + 1, false), "{why}");
    }
}

#[test]
fn a_reload_reads_at_once_and_again() {
    let (place, files) = NetworksFile::new(64_500);
    place.write(64_501);
    files.reload();
    assert_eq!(asn(&files), 64_501);
    files.reload();
    assert_eq!(files.state().generation, 2);
    fs::write(&place.path, "").unwrap();
    files.reload();
    assert_eq!((asn(&files), files.state().trouble.is_some()), (64_501, true));
    // What was read by a reload is not read again by a look.
    assert_eq!(looked(&files), (64_501, 2, true));
    place.write(64_502);
    files.reload();
    assert_eq!((asn(&files), files.state().trouble), (64_502, None));
}

#[test]
fn one_of_several_files_that_cannot_be_read_is_enough_to_keep_all() {
    let (place, _) = NetworksFile::new(64_500);
    let other = place.folder.path().join("other.csv");
    fs::write(&other, "203.0.113.0,203.0.113.255,ES,64510,Other\n").unwrap();
    let files = GeoData::open(&[place.path.clone(), other.clone()]).unwrap();
    place.write(64_501);
    fs::write(&other, "nonsense").unwrap();
    assert_eq!(looked(&files), (64_500, 0, true));
    fs::write(&other, "203.0.113.0,203.0.113.255,ES,64511,Other\n").unwrap();
    assert_eq!(looked(&files), (64_501, 1, false));
    assert_eq!(files.current().lookup("203.0.113.7".parse().unwrap()).asn, Some(64_511));
}

#[test]
fn data_without_files_stays_as_it_is() {
    let files = GeoData::from(Geo::builtin());
    files.look();
    files.look();
    files.reload();
    assert_eq!((files.state().generation, files.state().trouble), (0, None));
}

#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_secs(60), "not in a minute: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_refresher_sees_changes_by_itself_and_when_it_is_told() {
    let (place, files) = NetworksFile::new(64_500);
    let files = Arc::new(files);
    let refresher = GeoRefresher::start(Arc::clone(&files), Duration::from_millis(10));
    place.replace(64_501);
    until("a change is seen", || asn(&files) == 64_501);
    drop(refresher);
    let refresher = GeoRefresher::start(Arc::clone(&files), Duration::from_secs(3600));
    place.replace(64_502);
    refresher.reload();
    until("a reload is done", || asn(&files) == 64_502);
}
