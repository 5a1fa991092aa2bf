//! The store that needs no set-up: a folder of Parquet files and a SQLite file.

mod annotations;
mod catalog;
mod connections;
mod damage;
mod database;
mod error;
mod folder;
mod forget;
mod merge;
mod moving;
mod repair;
mod replacement;
mod rescue;
mod retention;
#[doc(hidden)]
pub mod rollup;
mod segments;
mod status;
mod verify;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use cutshort_model::{ConnectionRecord, Window, nanoseconds};
use cutshort_store::{
    Added, Annotation, ConnectionQuery, Damaged, FolderLock, Forgotten, Impairment, KnownSegment,
    NewAnnotation, NodeCoverage, Replacement, Result, Retention, RollupAnswer, RollupQuery, Segment,
    SegmentId, Status, Store, StoreError, WindowPackets, WindowState,
};

#[doc(hidden)]
pub use error::Error;
pub use repair::Repaired;
pub use verify::{Each, Finding, Remedy, Verified};

use annotations::Annotations;
use database::Database;
use folder::Folder;

/// A store in a folder.
pub struct Embedded {
    folder: Folder,
    database: Database,
    annotations: OnceLock<Annotations>,
    /// Held by the one who writes.
    lock: Option<FolderLock>,
    /// Of the next file of connections.
    generation: AtomicI64,
    /// Windows whose connections this reader could not read.
    unreadable: Mutex<BTreeMap<Window, Damaged>>,
}

/// How to write.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Wait until what is written is on the disk. Off only for stores that are thrown away.
    pub durable: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { durable: true }
    }
}

impl Embedded {
    /// Opens a folder for writing, and makes it if it is missing. One process at a time. Whatever a crash has
    /// left is put in order.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with who has it, [`StoreError::Refused`] if the folder holds other things or a
    /// newer program's store, and what the file system gives.
    pub fn open(folder: &Path, options: Options) -> Result<Self> {
        let folder = Folder::new(folder, options.durable);
        folder.create()?;
        let lock = folder.lock()?;
        folder.check_database()?;
        let database = Database::create(&folder.path(folder::DATABASE), options.durable)?;
        let store = Self {
            folder,
            database,
            annotations: OnceLock::new(),
            lock: Some(lock),
            generation: AtomicI64::new(1),
            unreadable: Mutex::default(),
        };
        store.reconcile()?;
        Ok(store)
    }

    /// Opens a folder for reading, also while another process writes to it. Annotations can be written.
    ///
    /// # Errors
    /// That it is no store, with what to do; and what the file system gives.
    pub fn open_reader(folder: &Path) -> Result<Self> {
        let root = folder;
        let folder = Folder::new(root, true);
        if !folder.has(folder::DATABASE) {
            return Err(StoreError::Refused(format!(
                "there is no store in {}: import captures into it, or serve it, first",
                root.display()
            )));
        }
        let database = Database::open(&folder.path(folder::DATABASE))?;
        Ok(Self {
            folder,
            database,
            annotations: OnceLock::new(),
            lock: None,
            generation: AtomicI64::new(1),
            unreadable: Mutex::default(),
        })
    }

    fn check_writer(&self) -> Result<()> {
        match self.lock {
            Some(_) => Ok(()),
            None => Err(StoreError::Refused("the store was opened for reading only".to_owned())),
        }
    }

    fn annotations(&self) -> Result<&Annotations> {
        if let Some(annotations) = self.annotations.get() {
            return Ok(annotations);
        }
        let opened = Annotations::open(&self.folder.path(folder::ANNOTATIONS), self.folder.durable())?;
        Ok(self.annotations.get_or_init(|| opened))
    }
}

impl Store for Embedded {
    fn append(&self, segment: &Segment) -> Result<Added> {
        self.check_writer()?;
        Ok(self.append_segment(segment)?)
    }

    fn windows(&self, range: Range<i64>) -> Result<Vec<WindowState>> {
        Ok(self.database.read(|sql| catalog::windows(sql, &range))?)
    }

    fn read_window(&self, window: Window, parts: usize) -> Result<WindowPackets<'_>> {
        Ok(self.window_packets(window, parts)?)
    }

    fn impairment(&self, window: Window) -> Result<Option<Impairment>> {
        Ok(self.database.read(|sql| damage::impairment(sql, window))?)
    }

    fn replace(&self, window: Window) -> Result<Box<dyn Replacement + '_>> {
        self.check_writer()?;
        Ok(Box::new(self.begin_replacement(window)))
    }

    fn roll(&self) -> Result<()> {
        self.check_writer()?;
        Ok(self.database.write(rollup::roll)?)
    }

    fn rollups(&self, query: &RollupQuery) -> Result<RollupAnswer> {
        Ok(self.database.read(|sql| rollup::query(sql, query))?)
    }

    fn connections(&self, query: &ConnectionQuery) -> Result<Vec<ConnectionRecord<'static>>> {
        Ok(self.select_connections(query)?)
    }

    fn each_connection(
        &self,
        range: Range<i64>,
        each: &mut dyn FnMut(ConnectionRecord<'static>) -> bool,
    ) -> Result<()> {
        Ok(self.visit_connections(&range, each)?)
    }

    fn lost_connections(&self, range: &Range<i64>) -> Result<Vec<Window>> {
        let known = self.database.read(|sql| damage::lost_connections(sql, range))?;
        let unreadable = guard(&self.unreadable);
        let begins_in = |window: &&Window| range.contains(&window.start());
        let mut all: Vec<Window> = unreadable.keys().filter(begins_in).copied().collect();
        all.extend(known);
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    fn status(&self) -> Result<Status> {
        let mut status = self.database.read(status::status)?;
        self.add_unreadable(&mut status);
        Ok(status)
    }

    fn coverage(&self) -> Result<Vec<NodeCoverage>> {
        Ok(self.database.read(catalog::coverage)?)
    }

    fn retain(&self, now: SystemTime, retention: &Retention) -> Result<u64> {
        self.check_writer()?;
        Ok(self.delete_old(nanoseconds(now), retention)?)
    }

    fn known_segments(&self) -> Result<Vec<KnownSegment>> {
        Ok(self.database.read(forget::known)?)
    }

    fn forget(&self, segments: &[SegmentId]) -> Result<Forgotten> {
        self.check_writer()?;
        Ok(self.forget_segments(segments)?)
    }

    fn annotations(&self, range: Range<i64>) -> Result<Vec<Annotation>> {
        Ok(self.annotations()?.list(range)?)
    }

    fn annotate(&self, annotation: &NewAnnotation) -> Result<Annotation> {
        Ok(self.annotations()?.add(annotation)?)
    }

    fn remove_annotation(&self, id: u64) -> Result<bool> {
        Ok(self.annotations()?.remove(id)?)
    }
}

/// Nothing is left half done when a thread panics: transactions are rolled back.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
