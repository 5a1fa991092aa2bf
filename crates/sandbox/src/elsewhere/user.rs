//! Users, of whom a process cannot become one here.

use std::convert::Infallible;
use std::io;
use std::path::Path;

use crate::error::Error;

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

    pub(crate) fn make_folder(&self, _: &Path) -> io::Result<()> {
        match self.0 {}
    }
}

/// Every folder can be opened that could be before.
pub(crate) fn has_files_of_others(_: &Path) -> bool {
    false
}
