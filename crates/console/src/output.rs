//! Where results go.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use cutshort_files::NewFile;

/// Why a result could not be written.
#[derive(Debug)]
pub enum WriteError {
    /// To the standard output.
    Stdout(io::Error),
    /// To this file.
    File(PathBuf, io::Error),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout(error) => write!(f, "output: {error}"),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Stdout(error) | Self::File(_, error) => Some(error),
        }
    }
}

/// A file that is there when it is complete, or the standard output.
pub enum Output {
    /// The standard output.
    Stdout(BufWriter<io::Stdout>),
    /// A file, and its path.
    File(NewFile, PathBuf),
}

impl Output {
    /// The file at `path`, or the standard output without one and for `-`.
    ///
    /// # Errors
    /// [`WriteError::File`]: it cannot be created.
    pub fn create(path: Option<&Path>) -> Result<Self, WriteError> {
        match path.filter(|path| *path != Path::new("-")) {
            None => Ok(Self::Stdout(BufWriter::with_capacity(1 << 20, io::stdout()))),
            Some(path) => {
                let file = NewFile::create(path).map_err(|error| WriteError::File(path.to_owned(), error))?;
                Ok(Self::File(file, path.to_owned()))
            }
        }
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// What was written did not reach its end.
    pub fn finish(self) -> Result<(), WriteError> {
        match self {
            Self::Stdout(mut output) => output.flush().map_err(WriteError::Stdout),
            Self::File(file, path) => file.finish().map_err(|error| WriteError::File(path, error)),
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(output) => output,
            Self::File(file, _) => file,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write(bytes)
    }

    // A document is written in many small pieces.
    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout(output) => output.write_all(bytes),
            Self::File(file, _) => file.write_all(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}
