//! Systems other than Linux, where nothing is given up.

pub(crate) mod user;

use std::fmt;

use crate::error::Error;
use crate::needs::Needs;
pub use user::User;

/// The privileges that a process has kept: all of them.
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

/// Gives up nothing.
///
/// # Errors
/// Never on this system.
pub fn become_user(_: Option<&User>) -> Result<(), Error> {
    Ok(())
}

/// Does nothing: new files have the permissions that the system gives them.
pub fn hide_new_files() {}

/// Returns the number that was asked for: this system's limit is not known.
#[must_use]
pub fn raise_open_files(wanted: u64) -> u64 {
    wanted
}
