//! Where results go.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use cutshort_files::NewFile;

use crate::error::Error;

/// A file that is there when it is complete, or the standard output.
pub(crate) enum Output {
    Stdout(BufWriter<io::Stdout>),
    File(NewFile, PathBuf),
}

impl Output {
    /// The file at `path`, or the standard output without one and for `-`.
    pub(crate) fn create(path: Option<&Path>) -> Result<Self, Error> {
        match path.filter(|path| *path != Path::new("-")) {
            None => Ok(Self::Stdout(BufWriter::with_capacity(1 << 20, io::stdout()))),
            Some(path) => {
                let file = NewFile::create(path).map_err(|error| Error::writing(path, &error))?;
                Ok(Self::File(file, path.to_owned()))
            }
        }
    }

    /// Puts the file in its place.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self {
            Self::Stdout(mut output) => Ok(output.flush()?),
            Self::File(file, path) => file.finish().map_err(|error| Error::writing(&path, &error)),
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
