//! The store that needs no set-up: a folder of Parquet files and a SQLite file.

use std::ops::Range;
use std::path::Path;
use std::time::SystemTime;

use cutshort_report::connection::Record;

use crate::{
    Added, Annotation, ConnectionQuery, NewAnnotation, Replacement, Result, Retention, RollupAnswer,
    RollupQuery, Segment, Status, Store, WindowPackets, WindowState,
};

mod annotations;
pub mod rollup;

/// A store in a folder.
pub struct Embedded {}

/// How to write.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Wait until what is written is on the disk. Off only for stores that are thrown away.
    pub durable: bool,
}

impl Embedded {
    /// Opens a folder for writing, and makes it if it is missing. One process at a time.
    ///
    /// # Errors
    /// [`StoreError::Locked`](crate::StoreError::Locked) with who has it, and what the file system gives.
    pub fn open(_folder: &Path, _options: Options) -> Result<Self> {
        unimplemented!()
    }

    /// Opens a folder for reading, also while another process writes to it. Annotations can be written.
    ///
    /// # Errors
    /// That it is no store, with what to do; and what the file system gives.
    pub fn open_reader(_folder: &Path) -> Result<Self> {
        unimplemented!()
    }
}

impl Store for Embedded {
    fn append(&self, _segment: &Segment) -> Result<Added> {
        unimplemented!()
    }

    fn windows(&self, _range: Range<i64>) -> Result<Vec<WindowState>> {
        unimplemented!()
    }

    fn read_window(&self, _window: i64, _parts: usize) -> Result<WindowPackets<'_>> {
        unimplemented!()
    }

    fn replace(&self, _window: i64) -> Result<Box<dyn Replacement + '_>> {
        unimplemented!()
    }

    fn roll(&self) -> Result<()> {
        unimplemented!()
    }

    fn rollups(&self, _query: &RollupQuery) -> Result<RollupAnswer> {
        unimplemented!()
    }

    fn connections(&self, _query: &ConnectionQuery) -> Result<Vec<Record<'static>>> {
        unimplemented!()
    }

    fn each_connection(
        &self,
        _range: Range<i64>,
        _each: &mut dyn FnMut(Record<'static>) -> bool,
    ) -> Result<()> {
        unimplemented!()
    }

    fn status(&self) -> Result<Status> {
        unimplemented!()
    }

    fn retain(&self, _now: SystemTime, _retention: &Retention) -> Result<u64> {
        unimplemented!()
    }

    fn annotations(&self, _range: Range<i64>) -> Result<Vec<Annotation>> {
        unimplemented!()
    }

    fn annotate(&self, _annotation: &NewAnnotation) -> Result<Annotation> {
        unimplemented!()
    }

    fn remove_annotation(&self, _id: u64) -> Result<bool> {
        unimplemented!()
    }
}
