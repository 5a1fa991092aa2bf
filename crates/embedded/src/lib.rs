//! The store that needs no set-up: a directory of Parquet files and a SQLite database.

mod annotations;
mod catalog;
mod connections;
mod damage;
mod data_sets;
mod database;
mod error;
mod events;
mod folder;
mod forget;
mod merge;
mod moving;
mod outside;
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
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicI64;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use cutshort_model::{ConnectionRecord, Window, nanoseconds};
use cutshort_store::cell::Cells;
use cutshort_store::{
    Added, Annotation, ConnectionQuery, Damaged, Events, FolderLock, Forgotten, Impairment, KnownSegment,
    NewAnnotation, NodeCoverage, Outside, Replacement, ReplacementBatch, Result, Retention, RollupAnswer,
    RollupQuery, Segment, SegmentId, ServerTotals, Status, Store, StoreError, WindowPackets, WindowState,
};
use cutshort_verdict::DataSet;

#[doc(hidden)]
pub use error::Error;
pub use events::EventFile;
pub use outside::OutsideFile;
pub use repair::Repaired;
pub use verify::{Finding, OnStep, Remedy, Verified};

use annotations::Annotations;
use data_sets::DataSets;
use database::Database;
use folder::Folder;

/// A store in a directory.
pub struct Embedded {
    data_set: DataSet,
    /// The stores of other data sets.
    data_sets: DataSets,
    options: Options,
    folder: Folder,
    database: Database,
    annotations: OnceLock<Annotations>,
    /// The file of the annotations, which all data sets share.
    annotations_path: PathBuf,
    events: EventFile,
    /// What other sources say, which all data sets share.
    outside: OutsideFile,
    /// The lock of the directory; none in a reader.
    lock: Option<FolderLock>,
    /// The number of the next file of connections.
    generation: AtomicI64,
    /// Windows whose connections this reader could not read.
    unreadable: Mutex<BTreeMap<Window, Damaged>>,
}

/// Options for writing.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether to wait until data is flushed to disk. Off only for stores that are thrown away.
    pub durable: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { durable: true }
    }
}

impl Embedded {
    /// Opens a directory for writing, and creates it if it is missing. Only one process at a time can do so. What a
    /// crash has left is repaired.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the process that has it open, [`StoreError::Refused`] if the directory has other
    /// files or the store of a newer program.
    pub fn open(folder: &Path, options: Options) -> Result<Self> {
        let store = Self::open_data_set(folder, DataSet::Tcp, options)?;
        store.open_data_sets()?;
        Ok(store)
    }

    fn open_data_set(folder: &Path, data_set: DataSet, options: Options) -> Result<Self> {
        let folder = Folder::new(folder, options.durable);
        folder.create()?;
        let lock = folder.lock()?;
        folder.check_database()?;
        let database = Database::create(&folder.path(folder::DATABASE), options.durable)?;
        let store = Self::new(data_set, folder, database, Some(lock), options);
        store.reconcile()?;
        Ok(store)
    }

    fn new(
        data_set: DataSet,
        folder: Folder,
        database: Database,
        lock: Option<FolderLock>,
        options: Options,
    ) -> Self {
        let shared = folder.path(if data_set == DataSet::Tcp { "" } else { ".." });
        let annotations_path = shared.join(folder::ANNOTATIONS);
        let events = EventFile::new(&folder, lock.is_some());
        Self {
            data_set,
            data_sets: DataSets::default(),
            options,
            folder,
            database,
            annotations: OnceLock::new(),
            annotations_path,
            events,
            outside: OutsideFile::in_directory(&shared),
            lock,
            generation: AtomicI64::new(1),
            unreadable: Mutex::default(),
        }
    }

    /// Opens a directory for reading, even while another process writes to it. Annotations can be written.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if it is not a store, with what to do.
    pub fn open_reader(folder: &Path) -> Result<Self> {
        Self::read_data_set(folder, DataSet::Tcp)
    }

    fn read_data_set(folder: &Path, data_set: DataSet) -> Result<Self> {
        let root = folder;
        let folder = Folder::new(root, true);
        if !folder.has(folder::DATABASE) {
            return Err(StoreError::Refused(format!(
                "there is no store in {}: import captures into it, or serve it, first",
                root.display()
            )));
        }
        let database = Database::open(&folder.path(folder::DATABASE))?;
        Ok(Self::new(data_set, folder, database, None, Options::default()))
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
        let opened = Annotations::open(&self.annotations_path, self.folder.durable())?;
        Ok(self.annotations.get_or_init(|| opened))
    }
}

impl Store for Embedded {
    fn data_set(&self) -> DataSet {
        self.data_set
    }

    fn find(&self, data_set: DataSet) -> Result<Option<&dyn Store>> {
        Ok(self.find_store(data_set)?.map(|store| store as &dyn Store))
    }

    fn of(&self, data_set: DataSet) -> Result<&dyn Store> {
        Ok(self.create_store(data_set)?)
    }

    fn append(&self, segment: &Segment) -> Result<Added> {
        self.check_writer()?;
        Ok(self.append_segment(segment)?)
    }

    fn windows(&self, range: Range<i64>) -> Result<Vec<WindowState>> {
        Ok(self.database.read(|sql| catalog::windows(sql, &range))?)
    }

    fn generations(&self, range: Range<i64>) -> Result<Vec<(Window, u64)>> {
        Ok(self.database.read(|sql| catalog::generations(sql, &range))?)
    }

    fn cells(&self, window: Window) -> Result<Option<Cells>> {
        Ok(self.database.read(|sql| rollup::cells(sql, window))?)
    }

    fn events(&self) -> Option<&dyn Events> {
        Some(&self.events)
    }

    fn outside(&self) -> Option<&dyn Outside> {
        Some(&self.outside)
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

    fn batch(&self) -> Option<Box<dyn ReplacementBatch + '_>> {
        self.check_writer().is_ok().then(|| Box::new(self.begin_batch()) as Box<dyn ReplacementBatch>)
    }

    fn roll(&self) -> Result<()> {
        self.check_writer()?;
        Ok(self.database.write(rollup::roll)?)
    }

    fn rollups(&self, query: &RollupQuery) -> Result<RollupAnswer> {
        Ok(self.database.read(|sql| rollup::query(sql, self.data_set, query))?)
    }

    fn servers(&self, range: &Range<i64>) -> Result<Option<Vec<ServerTotals>>> {
        if self.data_set != DataSet::Origin {
            return Ok(None);
        }
        Ok(self.database.read(|sql| rollup::servers(sql, range))?)
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
        Ok(self.database.read(|sql| forget::known(sql, self.data_set))?)
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

/// Locks a mutex even if a thread has panicked: nothing is left half done, because transactions are rolled back.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
