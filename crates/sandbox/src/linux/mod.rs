//! Giving up privileges on Linux.

mod calls;
mod capabilities;
mod files;
mod limits;
mod restriction;
pub(crate) mod user;

use std::fmt;

use restriction::Restriction;

use crate::error::Error;
use crate::needs::Needs;

pub use files::supports_landlock;
pub use limits::raise_open_files;
pub use user::{User, hide_new_files};

/// The privileges that a process has kept, in words.
#[derive(Debug)]
pub struct Kept {
    user: Option<String>,
    capabilities: Vec<String>,
    files: Restriction,
    calls: Restriction,
}

/// `runs as cutshort, kept no capability; file access restricted, system calls restricted`
impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = match self.capabilities.join(", ") {
            names if names.is_empty() => "no capability".to_owned(),
            names => names,
        };
        if let Some(user) = &self.user {
            write!(f, "runs as {user}, ")?;
        }
        write!(f, "kept {names}; file access {}, system calls {}", self.files, self.calls)
    }
}

/// Gives up all capabilities, file access and connections but those that are needed, and the system calls that this
/// program never needs. It affects this thread and those that it starts: call it before there are others.
///
/// # Errors
/// [`Error::Refused`] if the kernel refuses one of the steps. A kernel without support for a sandbox is not an error;
/// the result says so.
pub fn enter(needs: &Needs) -> Result<Kept, Error> {
    let refused = |step| move |error: &dyn fmt::Display| Error::Refused(step, error.to_string());
    let kept = capabilities::set_of(&needs.capabilities);
    let files = files::restrict_files(needs).map_err(|error| refused("files")(&error))?;
    capabilities::drop_bounds(&kept);
    if let Some(user) = &needs.user {
        user.become_it(!kept.is_empty()).map_err(|error| refused("user")(&error))?;
    }
    capabilities::drop_capabilities(&kept).map_err(|error| refused("capabilities")(&error))?;
    let calls = calls::restrict_calls(needs).map_err(|error| refused("system calls")(&error))?;
    let capabilities = capabilities::names().map_err(|error| refused("capabilities")(&error))?;
    Ok(Kept { user: needs.user.as_ref().map(|user| user.name().to_owned()), capabilities, files, calls })
}

/// Gives up the user and all capabilities, and nothing else: for a process that runs programs of the operator, whose needs
/// nobody else knows. It affects this thread and those that it starts: call it before there are others.
///
/// # Errors
/// [`Error::Refused`] if the kernel refuses one of the steps.
pub fn become_user(user: Option<&User>) -> Result<(), Error> {
    let refused = |step| move |error: &dyn fmt::Display| Error::Refused(step, error.to_string());
    let none = capabilities::set_of(&[]);
    capabilities::drop_bounds(&none);
    if let Some(user) = user {
        user.become_it(false).map_err(|error| refused("user")(&error))?;
    }
    capabilities::drop_capabilities(&none).map_err(|error| refused("capabilities")(&error))
}
