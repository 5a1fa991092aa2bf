//! Why the program ends early.

use cutshort_console::{SignalsError, WriteError};
use std::fmt;
use std::io;
use std::path::Path;

/// What went wrong, and who has to fix it.
#[derive(Debug)]
pub(crate) enum Error {
    /// The command line asks for something that cannot be: exit code 2.
    Usage(String),
    /// Something that was asked for could not be done: exit code 1.
    Failed(String),
    /// Whoever reads the output has gone: no fault of anybody.
    BrokenPipe,
}

impl Error {
    /// An error of the output at `path`.
    pub(crate) fn writing(path: &Path, error: &io::Error) -> Self {
        Self::Failed(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Failed(message) => f.write_str(message),
            Self::BrokenPipe => f.write_str("the output was closed"),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Failed(format!("output: {error}")),
        }
    }
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Stdout(error) => error.into(),
            error @ WriteError::File(..) => Self::Failed(error.to_string()),
        }
    }
}

impl From<SignalsError> for Error {
    fn from(error: SignalsError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<cutshort_sandbox::Error> for Error {
    fn from(error: cutshort_sandbox::Error) -> Self {
        let text = error.to_string();
        if error.is_wrong_user() { Self::Usage(text) } else { Self::Failed(text) }
    }
}

/// Whether everything was read that should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// Exit code 0.
    Whole,
    /// Some input could not be read in full; the rest was used. Exit code 1.
    InPart,
}

impl Done {
    /// Itself, or in part if that does not hold.
    pub(crate) const fn and(self, whole: bool) -> Self {
        if whole { self } else { Self::InPart }
    }
}
