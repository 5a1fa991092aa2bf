use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;

const BUFFER: usize = 1 << 20;

/// A file that gets its name when it is complete. Until then, a file that had the name keeps it. Pipes and devices are
/// written to at once.
pub struct NewFile(Kind);

enum Kind {
    /// A pipe or a device.
    Special(BufWriter<File>),
    File(BufWriter<NamedTempFile>, PathBuf),
}

/// The file that is being written, to be removed when the program ends all of a sudden.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

impl NewFile {
    /// Begins to write a file, with the permissions that other new files have. If the path is a link, it stays, and
    /// what it points to is replaced.
    ///
    /// # Errors
    /// The error of the file system; a missing directory is named.
    pub fn create(path: &Path) -> io::Result<Self> {
        if path.exists() && !path.is_file() {
            let special = File::options().write(true).open(path)?;
            return Ok(Self(Kind::Special(BufWriter::with_capacity(BUFFER, special))));
        }
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(io::Error::other(format!("no such directory: {}", folder.display())));
        }
        let file = temporary(folder)?;
        *UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner) = Some(file.path().to_owned());
        Ok(Self(Kind::File(BufWriter::with_capacity(BUFFER, file), path)))
    }

    /// Completes the file, and gives it its name.
    ///
    /// # Errors
    /// The error of the file system. There is no new file then.
    pub fn finish(self) -> io::Result<()> {
        match self.0 {
            Kind::Special(mut output) => output.flush(),
            Kind::File(output, path) => {
                let file = output.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.persist(path)?;
                Ok(())
            }
        }
    }

    /// Removes the file that this process began last and may not have completed, before the process ends at once.
    pub fn abandon() {
        if let Some(path) = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // Its error names the temporary file, which nobody has asked for.
    builder.tempfile_in(folder).map_err(|error| io::Error::from(error.kind()))
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Special(output) => output.write(bytes),
            Kind::File(output, _) => output.write(bytes),
        }
    }

    // A document is written in many small pieces.
    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Kind::Special(output) => output.write_all(bytes),
            Kind::File(output, _) => output.write_all(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Kind::Special(output) => output.flush(),
            Kind::File(output, _) => output.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_there_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        fs::write(&path, "old").unwrap();
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
        let missing = NewFile::create(&folder.path().join("a/b")).err().unwrap();
        assert!(missing.to_string().starts_with("no such directory: "));
    }

    #[test]
    fn what_was_begun_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let file = NewFile::create(&folder.path().join("new")).unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
        NewFile::abandon();
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        drop(file);
    }
}
