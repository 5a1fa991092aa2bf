//! Whether a file is still the one that was read.

use std::path::Path;
use std::time::SystemTime;

/// Which state of a file was read. A file that was replaced, written to, or given another owner or mode has another
/// one. More than the time of its content counts, as clocks of file systems are coarse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    modified: Option<SystemTime>,
    length: u64,
    /// Its number, and when it was changed, also its owner or mode.
    inode: (u64, i64, i64),
}

impl FileVersion {
    /// The present state; none if the file is missing or out of reach.
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
