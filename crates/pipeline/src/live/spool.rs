//! A directory of bounded size for segments that have not been delivered.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cutshort_files::durable;
use cutshort_store::{FolderLock, NotLocked, Result, Segment, StoreError};

use super::names::Name;

/// Names in the directory: waiting segments, refused ones, the one that is being written, and the counts.
const SEGMENTS: &str = "segments";
const REFUSED: &str = "refused";
pub(super) const OPEN: &str = "open";
const COUNTS: &str = "counts";
const LOCK: &str = "lock";
/// The suffix of files that are being written.
const TEMPORARY: &str = ".tmp";
/// The number of refused segments that are kept for inspection.
const KEPT_REFUSED: usize = 32;

/// What happened to segments, over all runs of the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpoolCounts {
    /// Segments and packets that were acknowledged.
    pub delivered: (u64, u64),
    /// Segments and packets that were removed undelivered to make room for newer ones.
    pub dropped: (u64, u64),
    /// Segments and packets that the collector refused for good, or that could not be read.
    pub refused: (u64, u64),
}

/// The contents of a spool, and what happened to other segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpoolState {
    /// The number of segments that have not been delivered.
    pub segments: u64,
    /// The number of packets in these segments.
    pub packets: u64,
    /// The size of these segments in bytes.
    pub bytes: u64,
    /// The start of the time that the oldest covers, in nanoseconds since the Unix epoch.
    pub oldest: Option<u64>,
    /// What happened to segments so far.
    pub counts: SpoolCounts,
}

/// A directory of segments that have not been delivered. Only one process can use it at a time; its threads share it.
///
/// ```text
/// SPOOL/
///   lock       held by the one who writes
///   open/      the segment that is being written, see cutshort_store::open
///   segments/  those that wait, named by age
///   refused/   the latest that the collector refused, each with the reason in a text beside it
///   counts     what became of segments so far
/// ```
pub struct Spool {
    folder: PathBuf,
    limit: u64,
    contents: Mutex<Contents>,
    changed: Condvar,
    _lock: FolderLock,
}

#[derive(Default)]
struct Contents {
    /// The segments that have not been delivered, with their sizes in bytes.
    waiting: BTreeMap<Name, u64>,
    /// The segment that is being delivered: it is not dropped in the meantime.
    taken: Option<Name>,
    counts: SpoolCounts,
    woken: bool,
}

/// A segment that is being delivered.
pub(super) struct Spooled {
    pub(super) name: Name,
    pub(super) bytes: Vec<u8>,
}

impl Spool {
    /// Opens a directory, which is created if it is missing. It holds at most `limit` bytes of undelivered segments.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process uses it, and errors of the file system.
    pub fn open(folder: &Path, limit: u64) -> Result<Self> {
        for name in ["", SEGMENTS, REFUSED, OPEN] {
            make_folder(&folder.join(name)).map_err(|error| failed(folder, "make", error))?;
        }
        let lock = lock(folder)?;
        let spool = Self {
            folder: folder.to_owned(),
            limit,
            contents: Mutex::new(Contents { counts: read_counts(folder), ..Contents::default() }),
            changed: Condvar::new(),
            _lock: lock,
        };
        spool.find_waiting().map_err(|error| spool.failed("read", error))?;
        Ok(spool)
    }

    /// Lists what an earlier run has left.
    fn find_waiting(&self) -> io::Result<()> {
        let mut inner = self.lock();
        for entry in fs::read_dir(self.folder.join(SEGMENTS))? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(TEMPORARY) {
                fs::remove_file(entry.path())?;
            } else if let Some(name) = Name::read(&name) {
                inner.waiting.insert(name, entry.metadata()?.len());
            }
        }
        self.make_room(&mut inner);
        Ok(())
    }

    /// Stores a segment until it is delivered. When this returns, the segment is durable. The oldest segments are
    /// dropped if there is no room for it.
    ///
    /// # Errors
    /// Errors of the file system, such as [`StoreError::Full`]. The segment is not stored then.
    pub fn put(&self, segment: &Segment) -> Result<()> {
        let name = Name::of(segment.info());
        self.write(&self.path(SEGMENTS, &name), segment.bytes())
            .map_err(|error| self.failed("write to", error))?;
        let mut inner = self.lock();
        inner.waiting.insert(name, segment.bytes().len() as u64);
        self.make_room(&mut inner);
        self.changed.notify_all();
        Ok(())
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        durable::replace(&path.with_extension(&TEMPORARY[1..]), path, bytes)
    }

    /// Drops the oldest segments until all have room.
    fn make_room(&self, inner: &mut Contents) {
        let mut bytes: u64 = inner.waiting.values().sum();
        while bytes > self.limit {
            let oldest = inner.waiting.keys().find(|name| Some(**name) != inner.taken).copied();
            let Some(name) = oldest else { break };
            bytes -= inner.waiting.remove(&name).unwrap_or(0);
            add(&mut inner.counts.dropped, &name);
            // Counted before it is gone: after a crash in between it is both counted and delivered.
            self.write_counts(&inner.counts);
            tracing::warn!(segment = %name, packets = name.packets, "the spool is full: the oldest segment was dropped");
            let _ = fs::remove_file(self.path(SEGMENTS, &name));
        }
    }

    /// Takes the oldest segment, which stays until it is [settled](Self::settle) or [given back](Self::give_back);
    /// none if there is none within `patience`, or the spool is woken.
    pub(super) fn take(&self, patience: Duration) -> Option<Spooled> {
        let mut inner = self.wait(patience, |inner| inner.waiting.is_empty());
        loop {
            let name = *inner.waiting.first_key_value()?.0;
            match fs::read(self.path(SEGMENTS, &name)) {
                Ok(bytes) => {
                    inner.taken = Some(name);
                    return Some(Spooled { name, bytes });
                }
                Err(error) => {
                    drop(inner);
                    self.settle(&name, Err(&format!("it cannot be read: {error}")));
                    inner = self.lock();
                }
            }
        }
    }

    /// Waits until the time is over or the spool is woken; new segments do not end the wait.
    pub(super) fn pause(&self, time: Duration) {
        drop(self.wait(time, |_| true));
    }

    fn wait(&self, time: Duration, rests: impl Fn(&Contents) -> bool) -> MutexGuard<'_, Contents> {
        let waits = |inner: &mut Contents| !inner.woken && rests(inner);
        let waited = self.changed.wait_timeout_while(self.lock(), time, waits);
        let mut inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        inner.woken = false;
        inner
    }

    /// Ends a wait, now or when the next one begins.
    pub(super) fn wake(&self) {
        self.lock().woken = true;
        self.changed.notify_all();
    }

    pub(super) fn give_back(&self) {
        self.lock().taken = None;
    }

    /// Records that a segment was acknowledged, or refused for good: then it is set aside.
    pub(super) fn settle(&self, name: &Name, outcome: std::result::Result<(), &str>) {
        let mut inner = self.lock();
        inner.taken = None;
        inner.waiting.remove(name);
        add(if outcome.is_ok() { &mut inner.counts.delivered } else { &mut inner.counts.refused }, name);
        let path = self.path(SEGMENTS, name);
        let done = match outcome {
            Ok(()) => fs::remove_file(&path),
            Err(why) => self.set_aside(&path, name, why),
        };
        if let Err(error) = done {
            // It will be delivered again, and be known.
            tracing::warn!(segment = %name, "cannot be removed from the spool: {error}");
        }
        self.write_counts(&inner.counts);
    }

    fn set_aside(&self, path: &Path, name: &Name, why: &str) -> io::Result<()> {
        let aside = self.path(REFUSED, name);
        if fs::rename(path, &aside).is_err() {
            return fs::remove_file(path).or(Ok(()));
        }
        // Without it the segment is there all the same.
        let _ = fs::write(aside.with_extension("txt"), format!("{why}\n"));
        let mut refused: Vec<PathBuf> =
            fs::read_dir(self.folder.join(REFUSED))?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        refused.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
        refused.sort();
        let old = refused.len().saturating_sub(KEPT_REFUSED);
        for path in &refused[..old] {
            fs::remove_file(path)?;
            let _ = fs::remove_file(path.with_extension("txt"));
        }
        Ok(())
    }

    /// The contents of the spool, and what happened to other segments.
    #[must_use]
    pub fn state(&self) -> SpoolState {
        let inner = self.lock();
        SpoolState {
            segments: inner.waiting.len() as u64,
            packets: inner.waiting.keys().map(|name| name.packets).sum(),
            bytes: inner.waiting.values().sum(),
            oldest: inner.waiting.keys().next().map(Name::from),
            counts: inner.counts,
        }
    }

    /// The path of the directory.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, place: &str, name: &Name) -> PathBuf {
        self.folder.join(place).join(name.to_string())
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, what: &str, error: io::Error) -> StoreError {
        failed(&self.folder, what, error)
    }

    /// If the disk is full, the counts are correct during this run, but not after the next start.
    fn write_counts(&self, counts: &SpoolCounts) {
        let path = self.folder.join(COUNTS);
        let temporary = path.with_extension(&TEMPORARY[1..]);
        if let Err(error) = cutshort_files::replace(&temporary, &path, counts.to_text().as_bytes()) {
            tracing::debug!("the spool's counts cannot be written: {error}");
        }
    }
}

fn add(count: &mut (u64, u64), name: &Name) {
    count.0 += 1;
    count.1 += name.packets;
}

fn failed(folder: &Path, what: &str, error: io::Error) -> StoreError {
    StoreError::io(format!("cannot {what} the spool {}", folder.display()), error)
}

/// Creates a directory that only its owner can read, because segments have addresses of clients.
fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn lock(folder: &Path) -> Result<FolderLock> {
    let who = format!("process {}\n", std::process::id());
    FolderLock::take(folder, LOCK, &who).map_err(|not_locked| match not_locked {
        NotLocked::By(who) => {
            let who = who.unwrap_or_else(|| "another process".to_owned());
            StoreError::Locked(format!("{who} uses the spool {}", folder.display()))
        }
        NotLocked::Failed(error) => failed(folder, "lock", error),
    })
}

fn read_counts(folder: &Path) -> SpoolCounts {
    fs::read_to_string(folder.join(COUNTS)).map(|text| SpoolCounts::from_text(&text)).unwrap_or_default()
}

impl SpoolCounts {
    fn to_text(self) -> String {
        let line = |name, (segments, packets): (u64, u64)| format!("{name} {segments} {packets}\n");
        [("delivered", self.delivered), ("dropped", self.dropped), ("refused", self.refused)]
            .map(|(name, count)| line(name, count))
            .concat()
    }

    /// Counts that are missing start at zero.
    fn from_text(text: &str) -> Self {
        let find = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            let mut numbers = line.split_whitespace().map_while(|number| number.parse().ok());
            Some((numbers.next()?, numbers.next()?))
        };
        let find = |name| find(name).unwrap_or_default();
        Self { delivered: find("delivered"), dropped: find("dropped"), refused: find("refused") }
    }
}

#[cfg(test)]
mod tests;
