//! The files of a store: creating, replacing and removing them.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use cutshort_model::{Window, compact, date};

use cutshort_files::durable::{sync_file, sync_name};
pub(super) use cutshort_store::data_dir::{
    ANNOTATIONS, CONNECTIONS, DAMAGED, DATABASE, EVENTS, LOCK, OPEN, OUTSIDE, PACKETS,
};
use cutshort_store::{DataDir, FolderLock, NotLocked, SegmentInfo, StoreError};

use crate::error::{Error, Result, of_database};

/// The suffix of files that are being written.
pub(super) const TEMPORARY: &str = ".tmp";

/// The directory of a store. Paths in it are relative and written with `/`.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
    durable: bool,
}

impl Folder {
    pub(super) fn new(root: &Path, durable: bool) -> Self {
        Self { root: root.to_owned(), durable }
    }

    pub(super) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Creates the directory and its subdirectories. A directory with other files is refused.
    pub(super) fn create(&self) -> Result<()> {
        self.create_root()?;
        self.refuse_other_folders()?;
        [PACKETS, CONNECTIONS, OPEN, DAMAGED].iter().try_for_each(|name| self.create_folder(name))
    }

    /// Creates the directory only.
    pub(super) fn create_root(&self) -> Result<()> {
        fs::create_dir_all(&self.root).map_err(|error| self.error("create the directory", "", error))
    }

    fn refuse_other_folders(&self) -> Result<()> {
        if self.has(DATABASE) || self.has(PACKETS) {
            return Ok(());
        }
        // File systems have the last one.
        let known = |name: &str| DataDir::has_name(name) || name == "lost+found";
        let entries = fs::read_dir(&self.root).map_err(|error| self.error("read", "", error))?;
        for entry in entries {
            let name = entry.map_err(|error| self.error("read", "", error))?.file_name();
            if !name.to_str().is_some_and(known) {
                return Err(Error(StoreError::Refused(format!(
                    "{} is not a store, and contains other files ({}): choose an empty or new directory",
                    self.root.display(),
                    name.to_string_lossy(),
                ))));
            }
        }
        Ok(())
    }

    /// Refuses a database that is missing or empty although there are results, which would be taken for remains.
    pub(super) fn check_database(&self) -> Result<()> {
        let length = fs::metadata(self.path(DATABASE)).map_or(0, |metadata| metadata.len());
        if length > 0 || self.listed(CONNECTIONS)?.is_empty() {
            return Ok(());
        }
        Err(of_database(&format!("{} is missing or empty", self.path(DATABASE).display())))
    }

    pub(super) fn has(&self, relative: &str) -> bool {
        self.path(relative).exists()
    }

    /// Takes the lock, which is held until it is dropped.
    pub(super) fn lock(&self) -> Result<FolderLock> {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let who = format!("process {} on {}\n", std::process::id(), host.trim());
        FolderLock::take(&self.root, LOCK, &who).map_err(|not_locked| match not_locked {
            NotLocked::By(who) => {
                let who = who.unwrap_or_else(|| "another process".to_owned());
                Error(StoreError::Locked(format!("{} is being written to by {who}", self.root.display())))
            }
            NotLocked::Failed(error) => self.error("lock", LOCK, error),
        })
    }

    /// Creates a directory in the store.
    pub(super) fn create_folder(&self, relative: &str) -> Result<()> {
        let path = self.path(relative);
        if path.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&path).map_err(|error| self.error("make", relative, error))?;
        self.sync_parent(relative)
    }

    /// Writes a file atomically.
    pub(super) fn write(&self, relative: &str, bytes: &[u8]) -> Result<()> {
        let mut temporary = self.temporary(relative, 0)?;
        let written = temporary.file.write_all(bytes);
        written.map_err(|error| self.error("write", relative, error))?;
        self.keep(temporary, relative)
    }

    /// A new file next to its final path; removed if it is dropped.
    pub(super) fn temporary(&self, relative: &str, number: usize) -> Result<Temporary> {
        if let Some((folder, _)) = relative.rsplit_once('/') {
            self.create_folder(folder)?;
        }
        let path = self.path(&format!("{relative}.{number}{TEMPORARY}"));
        let file = File::options().create(true).truncate(true).read(true).write(true).open(&path);
        let file = file.map_err(|error| self.error("write", relative, error))?;
        Ok(Temporary { file, path, kept: false })
    }

    /// Renames a temporary file to its final path, durably.
    pub(super) fn keep(&self, mut temporary: Temporary, relative: &str) -> Result<()> {
        let error = |error: io::Error| self.error("write", relative, error);
        if self.durable {
            sync_file(&temporary.file, &temporary.path).map_err(error)?;
        }
        fs::rename(&temporary.path, self.path(relative)).map_err(error)?;
        temporary.kept = true;
        self.sync_parent(relative)
    }

    /// Whether what is written is to be on the disk before anything relies on it.
    pub(super) const fn durable(&self) -> bool {
        self.durable
    }

    pub(super) fn sync_parent(&self, relative: &str) -> Result<()> {
        if !self.durable {
            return Ok(());
        }
        sync_name(&self.path(relative)).map_err(|error| self.error("write", relative, error))
    }

    pub(super) fn read(&self, relative: &str) -> Result<Vec<u8>> {
        fs::read(self.path(relative)).map_err(|error| self.error("read", relative, error))
    }

    /// Removes a file if it exists.
    pub(super) fn remove(&self, relative: &str) -> Result<()> {
        match fs::remove_file(self.path(relative)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.error("remove", relative, error))
            }
            _ => self.remove_empty_parent(relative),
        }
    }

    /// Removes the directory of a day if it is empty.
    fn remove_empty_parent(&self, relative: &str) -> Result<()> {
        if let Some((parent, _)) = relative.rsplit_once('/').filter(|(parent, _)| parent.contains('/')) {
            // Fails as long as something is in it.
            let _ = fs::remove_dir(self.path(parent));
        }
        Ok(())
    }

    /// Moves a file to those that could not be used, and returns its new path.
    pub(super) fn set_aside(&self, relative: &str) -> Result<String> {
        let name = relative.rsplit('/').next().unwrap_or(relative);
        let target = (0..)
            .map(|at| if at == 0 { format!("{DAMAGED}/{name}") } else { format!("{DAMAGED}/{name}.{at}") })
            .find(|target| !self.has(target))
            .unwrap_or_default();
        let moved = fs::rename(self.path(relative), self.path(&target));
        moved.map_err(|error| self.error("set aside", relative, error))?;
        self.sync_parent(&target)?;
        Ok(target)
    }

    /// The files in the subdirectories of a directory. Incomplete files are removed.
    pub(super) fn files(&self, folder: &str) -> Result<Vec<String>> {
        let (half, files): (Vec<_>, Vec<_>) =
            self.listed(folder)?.into_iter().partition(|file| file.ends_with(TEMPORARY));
        half.iter().try_for_each(|file| self.remove(file))?;
        Ok(files)
    }

    /// The files in the subdirectories of a directory, including those that are being written.
    pub(super) fn listed(&self, folder: &str) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for day in self.names(folder)? {
            let day = format!("{folder}/{day}");
            if !self.path(&day).is_dir() {
                continue;
            }
            files.extend(self.names(&day)?.into_iter().map(|name| format!("{day}/{name}")));
        }
        Ok(files)
    }

    /// The names in a directory, sorted.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>> {
        let error = |error: io::Error| self.error("read", folder, error);
        let entries = fs::read_dir(self.path(folder)).map_err(error)?;
        let names: io::Result<Vec<_>> =
            entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect();
        let mut names = names.map_err(error)?;
        names.sort();
        Ok(names)
    }

    pub(super) fn error(&self, doing: &str, relative: &str, error: io::Error) -> Error {
        Error(StoreError::io(format!("cannot {doing} {}", self.path(relative).display()), error))
    }
}

/// A file that is being written.
pub(super) struct Temporary {
    pub(super) file: File,
    path: PathBuf,
    kept: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is removed when the store is opened.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The CRC-32 of a whole file, which is then at its beginning again.
pub(super) fn checksum(file: &mut File) -> io::Result<u32> {
    let (mut hasher, mut buffer) = (crc32fast::Hasher::new(), vec![0; 1 << 16]);
    file.rewind()?;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => hasher.update(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    file.rewind()?;
    Ok(hasher.finalize())
}

/// The path of a segment.
pub(super) fn segment_path(info: &SegmentInfo) -> String {
    let (from, to) = info.times.unwrap_or(info.covers);
    format!("{PACKETS}/{}/{}-{}-{}.parquet", date(from), compact(from), compact(to), info.id)
}

/// The path of a window's connections.
pub(super) fn connections_path(window: Window, generation: i64) -> String {
    format!("{CONNECTIONS}/{}/{}-{generation}.parquet", date(window.start()), compact(window.start()))
}
