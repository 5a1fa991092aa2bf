//! Why the program ends early.

use std::fmt;
use std::io;
use std::path::Path;

use cutshort_console::{SignalsError, WriteError};
use cutshort_daemon::DaemonError;
use cutshort_pipeline::KeyFileError;

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

impl From<DaemonError> for Error {
    fn from(error: DaemonError) -> Self {
        match error {
            DaemonError::Settings(text) => Self::Usage(text),
            DaemonError::Failed(text) => Self::Failed(text),
        }
    }
}

impl From<KeyFileError> for Error {
    fn from(error: KeyFileError) -> Self {
        Self::Usage(error.to_string())
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
