//! Flushing files to disk, so that they survive a power loss. All code that needs this calls this module.
// The one place for it.
#![allow(clippy::disallowed_methods)]

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file or directory as it was when it was flushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// Its path at that time.
    pub path: PathBuf,
    /// The length of a file in bytes.
    pub len: u64,
    /// The names in a directory, sorted.
    pub names: Vec<String>,
}

thread_local! {
    static SYNCED: RefCell<Option<Vec<Synced>>> = const { RefCell::new(None) };
}

/// Flushes a file's content and metadata to disk.
///
/// # Errors
/// The error of the file system. The content of the disk is unknown then.
pub fn sync_file(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    note(path)
}

/// Flushes a file's content and length to disk.
///
/// # Errors
/// The same as those of [`sync_file`].
pub fn sync_content(file: &File, path: &Path) -> io::Result<()> {
    file.sync_data()?;
    note(path)
}

/// Flushes the names in a directory: files that were created or renamed there, but not their content.
fn sync_folder(folder: &Path) -> io::Result<()> {
    sync_file(&File::open(folder)?, folder)
}

/// Flushes the name of a file or directory to disk, after it was created or renamed.
///
/// # Errors
/// The same as those of [`sync_file`].
pub fn sync_name(path: &Path) -> io::Result<()> {
    match path.parent() {
        None => Ok(()),
        Some(folder) if folder.as_os_str().is_empty() => sync_folder(Path::new(".")),
        Some(folder) => sync_folder(folder),
    }
}

/// Writes a file as a whole or not at all, at a temporary path, from which it is renamed. When this returns, it survives
/// a power loss.
///
/// # Errors
/// The error of the file system. A file that had the name keeps it, unless only flushing the name failed.
pub fn replace(temporary: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    crate::renamed(temporary, path, |temporary| {
        let mut file = File::create(temporary)?;
        file.write_all(content)?;
        sync_file(&file, temporary)
    })?;
    sync_name(path)
}

/// Runs `work` and returns what it flushed in this thread, in order. Only for tests, which cannot observe it in any
/// other way.
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

    /// The kernel refuses to flush a file that is on no disk, which shows that it was asked.
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
