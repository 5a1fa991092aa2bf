//! What a process needs.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::system::user::{User, has_files_of_others};

/// A capability that a process may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Opening packet sockets (`CAP_NET_RAW`).
    NetRaw,
    /// Opening files of other users (`CAP_DAC_OVERRIDE`); the sandbox limits it to the folders that are needed.
    DacOverride,
}

/// What a process needs once everything is open.
#[derive(Debug, Default)]
pub struct Needs {
    /// Folders that the process reads and writes in.
    pub folders: Vec<PathBuf>,
    /// Files and folders that the process reads.
    pub read: Vec<PathBuf>,
    /// Whether connections are accepted or made. Otherwise no socket is opened any more.
    pub network: bool,
    /// TCP ports that the process connects to.
    pub ports: Vec<u16>,
    /// Capabilities that the process keeps.
    pub capabilities: Vec<Capability>,
    /// The user to become; without one, the process keeps its user.
    pub user: Option<User>,
}

impl Needs {
    /// Adds a folder to write in. It is made if it is missing, for the user to become. Root that stays root keeps
    /// [`Capability::DacOverride`] if something in the folder belongs to another user.
    ///
    /// # Errors
    /// [`Error::Folder`] if it cannot be made.
    pub fn write_in(&mut self, folder: &Path) -> Result<(), Error> {
        let made = match &self.user {
            Some(user) => user.make_folder(folder),
            None => std::fs::create_dir_all(folder),
        };
        made.map_err(|error| Error::Folder(folder.to_owned(), error))?;
        self.folders.push(folder.to_owned());
        if self.user.is_none() && has_files_of_others(folder) {
            self.capabilities.push(Capability::DacOverride);
        }
        Ok(())
    }

    /// Adds what something else needs, but for its user.
    pub fn add(&mut self, other: &Self) {
        self.folders.extend_from_slice(&other.folders);
        self.read.extend_from_slice(&other.read);
        self.network |= other.network;
        self.ports.extend_from_slice(&other.ports);
        self.capabilities.extend_from_slice(&other.capabilities);
    }

    /// Adds files that are read again when they change. They may be replaced, so the folders are needed that contain
    /// them; for symbolic links, also the folders that contain their present targets.
    pub fn read_again<'a>(&mut self, files: impl IntoIterator<Item = &'a Path>) {
        for file in files {
            let target = file.canonicalize().ok();
            for folder in [Some(file), target.as_deref()].into_iter().flatten().map(folder_of) {
                if !self.read.contains(&folder) {
                    self.read.push(folder);
                }
            }
        }
    }
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_may_be_replaced_need_their_folders() {
        let mut needs = Needs::default();
        needs.read_again(["token", "/etc/cutshort/token", "/etc/cutshort/ca.pem"].map(Path::new));
        assert_eq!(needs.read, [".", "/etc/cutshort"].map(PathBuf::from));
    }

    #[cfg(unix)]
    #[test]
    fn links_need_the_folders_of_their_targets_too() {
        let (link, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let target = target.path().canonicalize().unwrap();
        std::fs::write(target.join("file"), "").unwrap();
        std::os::unix::fs::symlink(target.join("file"), link.path().join("link")).unwrap();
        let mut needs = Needs::default();
        needs.read_again([link.path().join("link").as_path()]);
        assert_eq!(needs.read, [link.path().to_owned(), target]);
    }
}
