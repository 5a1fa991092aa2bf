//! Systems other than Linux, where nothing is given up.

use std::convert::Infallible;
use std::fmt;
use std::path::Path;

use crate::{Error, Needs};

/// A user of this host, of which there is none that a process can become.
#[derive(Debug)]
pub struct User(Infallible);

impl User {
    /// Finds no user.
    ///
    /// # Errors
    /// Always [`Error::NotLinux`].
    pub fn find(_: &str) -> Result<Self, Error> {
        Err(Error::NotLinux)
    }
}

impl Needs {
    /// Adds a folder to write in, which is made if it is missing.
    ///
    /// # Errors
    /// [`Error::Folder`] if it cannot be made.
    pub fn write_in(&mut self, folder: &Path) -> Result<(), Error> {
        std::fs::create_dir_all(folder).map_err(|error| Error::Folder(folder.to_owned(), error))?;
        self.folders.push(folder.to_owned());
        Ok(())
    }
}

/// What is left of the process's rights: all of them.
#[derive(Debug)]
pub struct Kept;

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("kept all privileges")
    }
}

/// Gives up nothing.
///
/// # Errors
/// Never on this system.
pub fn enter(_: &Needs) -> Result<Kept, Error> {
    Ok(Kept)
}

/// Does nothing: new files have the permissions that the system gives them.
pub fn hide_new_files() {}

/// Returns the number that was asked for: this system's limit is not known.
#[must_use]
pub fn raise_open_files(wanted: u64) -> u64 {
    wanted
}
