//! Where results go.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

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
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        Ok(Self::File(BufWriter::with_capacity(BUFFER, file), path.to_owned()))
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

fn persist(output: BufWriter<NamedTempFile>, path: &Path) -> io::Result<()> {
    let file = output.into_inner().map_err(io::IntoInnerError::into_error)?;
    // As File::create would have made it, not readable by the owner only.
    set_mode(file.as_file())?;
    file.persist(path)?;
    Ok(())
}

#[cfg(unix)]
fn set_mode(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_mode(_file: &File) -> io::Result<()> {
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

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(output) => output.flush(),
            Self::Special(output) => output.flush(),
            Self::File(output, _) => output.flush(),
        }
    }
}
