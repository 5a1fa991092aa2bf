//! Files with secrets.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::durable::{sync_file, sync_name};

/// Reads a file to which only its owner has access; none if others have access, too. Where files have no such permissions, any
/// file can be read.
///
/// # Errors
/// The error of the file system.
pub fn read(path: &Path) -> io::Result<Option<String>> {
    let text = fs::read_to_string(path)?;
    Ok((mode(path)? & 0o077 == 0).then_some(text))
}

/// Creates a file that only its owner can read and write, as a whole, so that nobody reads half of a secret. When this
/// returns, it survives a power loss.
///
/// # Errors
/// The error of the file system: [`AlreadyExists`](io::ErrorKind::AlreadyExists) if there is a file.
pub fn create(path: &Path, content: &str) -> io::Result<()> {
    let temporary = crate::temporary(path);
    let _ = fs::remove_file(&temporary);
    let written = write(&temporary, content).and_then(|()| fs::hard_link(&temporary, path));
    fs::remove_file(&temporary)?;
    written?;
    sync_name(path)
}

fn write(path: &Path, content: &str) -> io::Result<()> {
    let mut file = open_new(path)?;
    file.write_all(content.as_bytes())?;
    sync_file(&file, path)
}

/// Replaces a file as a whole. Owner and mode of a previous file are kept, because a service that runs as another user
/// must be able to read it. Only the owner of the directory can read a new file. When this returns, it survives a power
/// loss.
///
/// # Errors
/// The error of the file system, also if the owner cannot be kept. Nothing has changed then.
pub fn replace(path: &Path, content: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // Its permissions are those of temporary files: for its owner only.
    let temporary = crate::temporary(path);
    let name = temporary.file_name().unwrap_or_default();
    let mut file = tempfile::Builder::new().prefix(name).tempfile_in(folder)?;
    file.write_all(content.as_bytes())?;
    #[cfg(unix)]
    keep_owner(file.as_file(), path, folder)?;
    sync_file(file.as_file(), file.path())?;
    file.persist(path)?;
    sync_name(path)
}

/// Gives a file the owner and mode of the one that it replaces, or the owner of its directory if it is new.
#[cfg(unix)]
fn keep_owner(file: &File, path: &Path, folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let before = match fs::metadata(path) {
        Ok(before) => Some(before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let own = file.metadata()?;
    let model = before.as_ref().map_or_else(|| fs::metadata(folder), |before| Ok(before.clone()))?;
    if (own.uid(), own.gid()) != (model.uid(), model.gid()) {
        let kept = fchown(file, Some(model.uid()), Some(model.gid()));
        match (kept, &before) {
            (Ok(()), _) => {}
            // Whoever may write in a folder of others makes files of their own.
            (Err(error), None) if error.kind() == io::ErrorKind::PermissionDenied => {}
            (Err(error), _) => {
                let why = format!(
                    "its owner (user {}) cannot be kept: {error}; run this as that user",
                    model.uid()
                );
                return Err(io::Error::new(error.kind(), why));
            }
        }
    }
    before.map_or(Ok(()), |before| file.set_permissions(before.permissions()))
}
#[cfg(unix)]
fn open_new(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn open_new(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn mode(path: &Path) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt;
    Ok(path.metadata()?.permissions().mode())
}

#[cfg(not(unix))]
fn mode(path: &Path) -> io::Result<u32> {
    path.metadata().map(|_| 0)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::durable::watched;

    #[test]
    fn a_secret_is_for_its_owner_and_flushed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let (created, synced) = watched(|| create(&path, "1234"));
        created.unwrap();
        assert_eq!((read(&path).unwrap().as_deref(), synced[0].len), (Some("1234"), 4));
        assert_eq!(synced[1].names, ["secret"], "the temporary file is gone");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(create(&path, "5").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(read(&path).unwrap().as_deref(), Some("1234"));
    }

    #[test]
    fn a_replacement_has_the_mode_of_the_file_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
        replace(&path, "1").unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        replace(&path, "2").unwrap();
        assert_eq!((mode(), fs::read_to_string(&path).unwrap()), (0o640, "2".to_owned()));
    }

    #[test]
    fn a_file_that_others_have_access_to_is_not_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "1234").unwrap();
        let is_read = |mode| {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            read(&path).unwrap().is_some()
        };
        assert!([0o600, 0o400].into_iter().all(is_read));
        assert!(![0o644, 0o640, 0o604, 0o620, 0o601].into_iter().any(is_read));
        assert!(read(&folder.path().join("missing")).is_err());
    }
}
