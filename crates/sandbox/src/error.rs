//! Why privileges cannot be given up.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why privileges cannot be given up.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The host has no user with this name.
    UnknownUser(String),
    /// This system cannot change the user.
    NotLinux,
    /// A folder cannot be made.
    Folder(PathBuf, io::Error),
    /// The kernel refused one of the steps, which has this name.
    Refused(&'static str, String),
}

impl Error {
    /// Whether the user's name must be corrected; otherwise the system refused something.
    #[must_use]
    pub const fn is_wrong_user(&self) -> bool {
        matches!(self, Self::UnknownUser(_) | Self::NotLinux)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownUser(name) => write!(
                f,
                "user: there is no '{name}' in /etc/passwd: 'useradd --system {name}' makes it, or give a number"
            ),
            Self::NotLinux => f.write_str("user: it can be changed on Linux only"),
            Self::Folder(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Refused(step, why) => write!(f, "privileges cannot be dropped ({step}): {why}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Folder(_, error) => Some(error),
            Self::UnknownUser(_) | Self::NotLinux | Self::Refused(..) => None,
        }
    }
}
