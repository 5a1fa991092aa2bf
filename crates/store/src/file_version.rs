//! Whether a file has changed since it was read.

use std::path::Path;
use std::time::SystemTime;

/// The state of a file. It differs if the file was replaced, written to, or given another owner or mode. The
/// modification time alone would not do, because file systems record times coarsely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    modified: Option<SystemTime>,
    length: u64,
    /// The inode number, and the time when the inode was changed (also its owner or mode): seconds, nanoseconds.
    inode: (u64, i64, i64),
}

impl FileVersion {
    /// The present state; none if the file is missing or inaccessible.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt;
            (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
        };
        #[cfg(not(unix))]
        let inode = (0, 0, 0);
        Some(Self { modified: metadata.modified().ok(), length: metadata.len(), inode })
    }
}
