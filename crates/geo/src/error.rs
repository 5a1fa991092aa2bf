//! Why a file cannot be used.

use std::fmt;
use std::path::{Path, PathBuf};

/// The end of every message about a wrong file.
const EXPECTED: &str = "expected a MaxMind DB (.mmdb) with countries or AS numbers, or a CSV file with rows of \
                        start,end,country or start,end,country,asn,name, or as MaxMind, IPinfo, IP2Location, iptoasn.com \
                        or CAIDA publish it";

/// A file that cannot be used. The message names the file and says what was expected.
#[derive(Debug)]
#[non_exhaustive]
pub enum GeoError {
    /// The file cannot be read.
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        error: std::io::Error,
    },
    /// The file can be read, but its content is not valid.
    Wrong {
        /// The path of the file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl GeoError {
    pub(crate) fn wrong(path: &Path, problem: impl Into<String>) -> Self {
        Self::Wrong { path: path.to_owned(), problem: problem.into() }
    }
}

impl fmt::Display for GeoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, error } => write!(f, "cannot read {}: {error}; {EXPECTED}", path.display()),
            Self::Wrong { path, problem } => write!(f, "{}: {problem}; {EXPECTED}", path.display()),
        }
    }
}

impl std::error::Error for GeoError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { error, .. } => Some(error),
            Self::Wrong { .. } => None,
        }
    }
}
