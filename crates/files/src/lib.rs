//! Files that are private, appear whole, and survive a power loss.
//!
//! * [`durable`] flushes files and names to disk.
//! * [`private`] files have secrets, which only their owner may read.
//! * A [`NewFile`] gets its name when it is complete.

pub mod durable;
mod new_file;
pub mod private;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use new_file::NewFile;

/// The path at which a file is written before it is renamed to `path`: the final name, followed by the process ID.
#[must_use]
pub fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    name.into()
}

/// Writes a file as a whole or not at all: at a temporary path, from which it is renamed. A power loss may undo it;
/// [`durable::replace`] does not allow that.
///
/// # Errors
/// The error of the file system. A file that had the name keeps it.
pub fn replace(temporary: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    renamed(temporary, path, |temporary| fs::write(temporary, content))
}

/// Writes a file at a temporary path and renames it. What is left of a failure is removed, because it takes room, of
/// which there may be none.
fn renamed(temporary: &Path, path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let written = write(temporary).and_then(|()| fs::rename(temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(temporary);
    }
    written
}
