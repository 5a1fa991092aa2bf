//! What is forced to the disk, so that it survives a loss of power: everything that does so calls this.
// The one place for it.
#![allow(clippy::disallowed_methods)]

use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A file or a folder as it was when it was forced to the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// Its path at that time.
    pub path: PathBuf,
    /// Bytes of a file.
    pub len: u64,
    /// The names in a folder, sorted.
    pub names: Vec<String>,
}

thread_local! {
    static SYNCED: RefCell<Option<Vec<Synced>>> = const { RefCell::new(None) };
}

/// Forces a file to the disk, with all that the file system knows about it.
///
/// # Errors
/// What the file system gives; then nobody knows what is on the disk.
pub fn sync_file(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    note(path)
}

/// Forces a file's content to the disk, and its length.
///
/// # Errors
/// As [`sync_file`].
pub fn sync_content(file: &File, path: &Path) -> io::Result<()> {
    file.sync_data()?;
    note(path)
}

/// The names in a folder: of files that were made or renamed, not their content.
fn sync_folder(folder: &Path) -> io::Result<()> {
    sync_file(&File::open(folder)?, folder)
}

/// Forces the name of a file or folder to the disk, once it has it.
///
/// # Errors
/// As [`sync_file`].
pub fn sync_name(path: &Path) -> io::Result<()> {
    match path.parent() {
        None => Ok(()),
        Some(folder) if folder.as_os_str().is_empty() => sync_folder(Path::new(".")),
        Some(folder) => sync_folder(folder),
    }
}

/// Does something and tells what it has forced to the disk in this thread, in that order: for tests, as nothing else
/// shows that it was done.
pub fn watched<T>(work: impl FnOnce() -> T) -> (T, Vec<Synced>) {
    SYNCED.set(Some(Vec::new()));
    let done = work();
    (done, SYNCED.take().unwrap_or_default())
}

fn note(path: &Path) -> io::Result<()> {
    SYNCED.with_borrow_mut(|synced| match synced {
        None => Ok(()),
        Some(synced) => {
            synced.push(Synced::now(path)?);
            Ok(())
        }
    })
}

impl Synced {
    fn now(path: &Path) -> io::Result<Self> {
        let mut names = Vec::new();
        if path.is_dir() {
            for entry in fs::read_dir(path)? {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(Self { path: path.to_owned(), len: fs::metadata(path)?.len(), names })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// The kernel refuses to do so with what is on no disk, so it was asked.
    #[test]
    fn the_kernel_is_asked() {
        let path = Path::new("/proc/self/status");
        let file = File::open(path).unwrap();
        let kinds = [sync_file(&file, path), sync_content(&file, path), sync_folder(Path::new("/proc/self"))];
        for asked in kinds {
            assert_eq!(asked.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn what_was_done_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "four").unwrap();
        let (done, synced) = watched(|| {
            sync_file(&File::open(&path)?, &path)?;
            sync_name(&path)
        });
        done.unwrap();
        assert_eq!(synced.iter().map(|synced| &synced.path).collect::<Vec<_>>(), [&path, folder.path()]);
        assert_eq!((synced[0].len, &synced[1].names[..]), (4, &["a".to_owned()][..]));
        assert_eq!(watched(|| ()).1, []);
        sync_name(Path::new("a file here")).unwrap();
    }
}
