//! Where results go.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;

use crate::error::Error;

const BUFFER: usize = 1 << 20;

/// A file that is there when it is whole, and not before; or the standard output.
pub(crate) enum Output {
    Stdout(BufWriter<io::Stdout>),
    /// A pipe or a device.
    Special(BufWriter<File>),
    File(BufWriter<NamedTempFile>, PathBuf),
}

impl Output {
    /// The file at `path`, or the standard output without one and for `-`.
    pub(crate) fn create(path: Option<&Path>) -> Result<Self, Error> {
        match path.filter(|path| *path != Path::new("-")) {
            None => Ok(Self::Stdout(BufWriter::with_capacity(BUFFER, io::stdout()))),
            Some(path) => Self::file(path).map_err(|error| Error::writing(path, &error)),
        }
    }

    fn file(path: &Path) -> io::Result<Self> {
        if path.exists() && !path.is_file() {
            let special = File::options().write(true).open(path)?;
            return Ok(Self::Special(BufWriter::with_capacity(BUFFER, special)));
        }
        // A link stays, and what it points to is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(io::Error::other(format!("no such directory: {}", folder.display())));
        }
        let file = temporary(folder)?;
        *UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner) = Some(file.path().to_owned());
        Ok(Self::File(BufWriter::with_capacity(BUFFER, file), path))
    }

    /// Puts the file in its place.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self {
            Self::Stdout(mut output) => Ok(output.flush()?),
            Self::Special(mut output) => Ok(output.flush()?),
            Self::File(output, path) => persist(output, &path).map_err(|error| Error::writing(&path, &error)),
        }
    }
}

/// The file that is being written, to be removed when the program ends all of a sudden.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Removes what is not finished.
pub(crate) fn abandon() {
    if let Some(path) = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = std::fs::remove_file(path);
    }
}

/// With the permissions that other new files have.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // Its error names the temporary file, which nobody has asked for.
    builder.tempfile_in(folder).map_err(|error| io::Error::from(error.kind()))
}

fn persist(output: BufWriter<NamedTempFile>, path: &Path) -> io::Result<()> {
    let file = output.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.persist(path)?;
    Ok(())
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(output) => output.write(bytes),
            Self::Special(output) => output.write(bytes),
            Self::File(output, _) => output.write(bytes),
        }
    }

    // A document is written in many small pieces.
    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout(output) => output.write_all(bytes),
            Self::Special(output) => output.write_all(bytes),
            Self::File(output, _) => output.write_all(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(output) => output.flush(),
            Self::Special(output) => output.flush(),
            Self::File(output, _) => output.flush(),
        }
    }
}
