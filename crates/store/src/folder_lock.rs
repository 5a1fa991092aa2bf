//! Directories that one process at a time may write to.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// The lock of the process that writes to a directory: on a file in it, which names the process, and on the directory
/// itself, because the file may be removed. It is released when it is dropped.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
    /// None if the file system cannot lock directories.
    _folder: Option<File>,
}

/// Why a directory was not locked.
#[derive(Debug)]
pub enum NotLocked {
    /// Another process has the lock; its description, if the file has one.
    By(Option<String>),
    /// An error of the file system.
    Failed(io::Error),
}

impl From<io::Error> for NotLocked {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl FolderLock {
    /// Locks a directory, with the file `name` in it, into which `who` is written.
    ///
    /// # Errors
    /// [`NotLocked::By`] if another process has the lock, [`NotLocked::Failed`] for errors of the file system.
    pub fn take(folder: &Path, name: &str, who: &str) -> Result<Self, NotLocked> {
        let path = folder.join(name);
        let Ok(locked) = lock_folder(folder) else { return Err(NotLocked::By(read(&path))) };
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NotLocked::By(read(&path))),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(who.as_bytes())?;
        Ok(Self { _file: file, _folder: locked })
    }
}

/// Another process has the lock.
struct LockedElsewhere;

/// Locks the directory itself. Returns none on file systems that only lock files, such as NFS, where the lock on the
/// file must do.
fn lock_folder(folder: &Path) -> Result<Option<File>, LockedElsewhere> {
    let Ok(folder) = File::open(folder) else { return Ok(None) };
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(LockedElsewhere),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// The process that has the lock, if the file exists and can be read.
fn read(path: &Path) -> Option<String> {
    let mut who = String::new();
    File::open(path).ok()?.take(1024).read_to_string(&mut who).ok()?;
    Some(who.trim().to_owned()).filter(|who| !who.is_empty())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn one_has_a_folder_whatever_becomes_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let take = |who: &str| FolderLock::take(folder.path(), "lock", who);
        let first = take("one\n").unwrap();
        assert!(matches!(take("two"), Err(NotLocked::By(Some(who))) if who == "one"));
        fs::remove_file(&path).unwrap();
        assert!(matches!(take("two"), Err(NotLocked::By(None))));
        assert!(!path.exists(), "who does not get it leaves nothing");
        fs::write(&path, "somebody else").unwrap();
        assert!(take("two").is_err());
        drop(first);
        let second = take("two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        drop(second);
        take("three").unwrap();
    }

    /// An earlier version of the program locked only the file.
    #[test]
    fn who_has_the_file_only_has_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        fs::write(&path, "an earlier version\n").unwrap();
        let file = File::open(&path).unwrap();
        file.lock().unwrap();
        let refused = FolderLock::take(folder.path(), "lock", "new");
        assert!(matches!(refused, Err(NotLocked::By(Some(who))) if who == "an earlier version"));
        drop(file);
        FolderLock::take(folder.path(), "lock", "new").unwrap();
    }
}
