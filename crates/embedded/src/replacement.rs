//! Replaces the results of a window.

use std::fs::File;
use std::io::BufWriter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cutshort_model::{ConnectionRecord, JudgedConnection, Window, now};
use cutshort_store::cell::Cells;
use cutshort_store::connection_file::{self, ConnectionFile};
use cutshort_store::{
    ConnectionSink, Inputs, Replacement, ReplacementBatch, Restoration, WindowCounts, WindowResults,
};
use rusqlite::Transaction;

use super::catalog::{self, ConnectionsFile};
use super::folder::{Folder, Temporary, checksum, connections_path};
use super::{Embedded, guard, rollup};
use crate::error::Result;

impl Embedded {
    pub(super) fn begin_replacement(&self, window: Window) -> NewResults<'_> {
        let generation = self.generation.fetch_add(1, Ordering::Relaxed);
        NewResults {
            store: self,
            window,
            generation,
            path: connections_path(window, generation),
            sinks: AtomicUsize::new(1),
            finished: Arc::default(),
            batch: None,
        }
    }

    pub(super) fn begin_batch(&self) -> NewBatch<'_> {
        NewBatch { store: self, prepared: Arc::default() }
    }
}

/// New results of several windows. They are valid at once, and pages of the database that several of them change are
/// written once.
pub(super) struct NewBatch<'a> {
    store: &'a Embedded,
    prepared: Arc<Mutex<Vec<Prepared>>>,
}

/// The results of a window, whose connections are in their file.
struct Prepared {
    window: Window,
    file: ConnectionsFile,
    inputs: Inputs,
    counts: WindowCounts,
    cells: Cells,
}

impl ReplacementBatch for NewBatch<'_> {
    fn replace(&self, window: Window) -> cutshort_store::Result<Box<dyn Replacement + '_>> {
        let batch = Some(Arc::clone(&self.prepared));
        Ok(Box::new(NewResults { batch, ..self.store.begin_replacement(window) }))
    }

    fn finish(self: Box<Self>) -> cutshort_store::Result<()> {
        let all = std::mem::take(&mut *guard(&self.prepared));
        let files = all.iter().map(|prepared| prepared.file.path.as_str());
        Ok(put(self.store, files, |transaction| {
            let before: Result<Vec<_>> = all.iter().map(|prepared| prepared.replace(transaction)).collect();
            Ok(before?.into_iter().flatten().collect())
        })?)
    }
}

impl Drop for NewBatch<'_> {
    fn drop(&mut self) {
        guard(&self.prepared).iter().for_each(|left| drop(self.store.folder.remove(&left.file.path)));
    }
}

impl Prepared {
    /// Replaces the previous results; returns the path of the previous connections.
    fn replace(&self, transaction: &Transaction<'_>) -> Result<Option<String>> {
        let Self { window, file, inputs, counts, cells } = self;
        replace_window(transaction, *window, file, (*inputs, counts, cells))
    }
}

fn replace_window(
    transaction: &Transaction<'_>,
    window: Window,
    file: &ConnectionsFile,
    (inputs, counts, cells): (Inputs, &WindowCounts, &Cells),
) -> Result<Option<String>> {
    rollup::replace_window(transaction, window, cells)?;
    catalog::replace_window(transaction, window, file, inputs, counts, now())
}

/// Changes the database in one transaction. `change` returns the files that are not needed any more; if it fails,
/// those that are `new` are removed instead.
fn put<'a>(
    store: &Embedded,
    new: impl Iterator<Item = &'a str>,
    change: impl FnOnce(&Transaction<'_>) -> Result<Vec<String>>,
) -> Result<()> {
    let replaced = store.database.write(|sql| {
        let transaction = sql.transaction()?;
        let before = change(&transaction)?;
        transaction.commit()?;
        Ok(before)
    });
    // What cannot be removed now is removed when the store is opened.
    let remove = |path: &str| drop(store.folder.remove(path));
    match &replaced {
        Ok(before) => before.iter().for_each(|path| remove(path)),
        Err(_) => new.for_each(remove),
    }
    replaced.map(drop)
}

/// The files of finished sinks, by the number of the sink.
type Finished = Arc<Mutex<Vec<(usize, Temporary)>>>;

pub(super) struct NewResults<'a> {
    store: &'a Embedded,
    window: Window,
    generation: i64,
    path: String,
    /// The number of the next sink.
    sinks: AtomicUsize,
    finished: Finished,
    /// The batch in which it becomes valid, if any.
    batch: Option<Arc<Mutex<Vec<Prepared>>>>,
}

impl Replacement for NewResults<'_> {
    fn sink(&self) -> cutshort_store::Result<Box<dyn ConnectionSink + Send>> {
        Ok(Box::new(self.new_sink()?))
    }
    fn commit(
        self: Box<Self>,
        inputs: Inputs,
        counts: WindowCounts,
        cells: &Cells,
    ) -> cutshort_store::Result<()> {
        match &self.batch {
            None => self.put(|transaction, file| {
                replace_window(transaction, self.window, file, (inputs, &counts, cells))
            })?,
            Some(batch) => {
                let file = self.write_connections()?;
                let cells = cells.clone();
                guard(batch).push(Prepared { window: self.window, file, inputs, counts, cells });
            }
        }
        Ok(())
    }
}

impl NewResults<'_> {
    fn new_sink(&self) -> Result<FileSink> {
        let number = self.sinks.fetch_add(1, Ordering::Relaxed);
        let (folder, path) = (self.store.folder.clone(), self.path.clone());
        let file = folder.temporary(&path, number)?;
        let error = |error| folder.error("write", &path, error);
        let output = BufWriter::with_capacity(1 << 18, file.file.try_clone().map_err(error)?);
        let writer = connection_file::stored(output, self.store.data_set).map_err(error)?;
        Ok(FileSink { folder, path, number, file, writer, finished: Arc::clone(&self.finished) })
    }

    /// Replaces the previous results; `change` returns the path of the previous connections.
    fn put(
        &self,
        change: impl FnOnce(&Transaction<'_>, &ConnectionsFile) -> Result<Option<String>>,
    ) -> Result<()> {
        let file = self.write_connections()?;
        put(self.store, std::iter::once(self.path.as_str()), |transaction| {
            Ok(change(transaction, &file)?.into_iter().collect())
        })
    }

    /// Concatenates the connections of all sinks into one file.
    fn write_connections(&self) -> Result<ConnectionsFile> {
        let folder = &self.store.folder;
        let error = |error| folder.error("write", &self.path, error);
        let mut parts = std::mem::take(&mut *self.finished.lock().unwrap_or_else(PoisonError::into_inner));
        parts.sort_unstable_by_key(|(number, _)| *number);
        let mut whole = match parts.len() {
            1 => parts.remove(0).1,
            _ => {
                let whole = folder.temporary(&self.path, 0)?;
                let files: std::io::Result<Vec<File>> =
                    parts.iter().map(|(_, part)| part.file.try_clone()).collect();
                let output = BufWriter::with_capacity(1 << 18, &whole.file);
                let output =
                    connection_file::concatenate(&files.map_err(error)?, output, self.store.data_set)
                        .map_err(error)?;
                // What is still in its buffer would be lost without a word where there is no room.
                output.into_inner().map_err(|failed| error(failed.into_error()))?;
                whole
            }
        };
        let bytes = whole.file.metadata().map_err(error)?.len();
        let crc = checksum(&mut whole.file).map_err(error)?;
        folder.keep(whole, &self.path)?;
        Ok(ConnectionsFile { generation: self.generation, path: self.path.clone(), bytes, crc })
    }
}

struct FileSink {
    folder: Folder,
    path: String,
    number: usize,
    file: Temporary,
    writer: ConnectionFile<BufWriter<File>>,
    finished: Finished,
}

impl ConnectionSink for FileSink {
    fn write(&mut self, connection: &JudgedConnection<'_>) -> cutshort_store::Result<()> {
        Ok(self.write_record(&connection.into())?)
    }

    fn finish(self: Box<Self>) -> cutshort_store::Result<()> {
        let Self { folder, path, number, file, writer, finished } = *self;
        writer.finish().map_err(|error| folder.error("write", &path, error))?;
        finished.lock().unwrap_or_else(PoisonError::into_inner).push((number, file));
        Ok(())
    }
}

impl FileSink {
    fn write_record(&mut self, record: &ConnectionRecord<'_>) -> Result<()> {
        let written = self.writer.write(record);
        written.map_err(|error| self.folder.error("write", &self.path, error))
    }
}

/// Results that were read from another store.
pub(super) struct Restored<'a> {
    results: NewResults<'a>,
    sink: Box<FileSink>,
}

impl Embedded {
    pub(super) fn begin_restoration(&self, window: Window) -> Result<Restored<'_>> {
        let results = self.begin_replacement(window);
        let sink = Box::new(results.new_sink()?);
        Ok(Restored { results, sink })
    }
}

impl Restoration for Restored<'_> {
    fn write(&mut self, connection: &ConnectionRecord<'_>) -> cutshort_store::Result<()> {
        Ok(self.sink.write_record(connection)?)
    }

    fn finish(self: Box<Self>, from: &WindowResults) -> cutshort_store::Result<()> {
        let Self { results, sink } = *self;
        sink.finish()?;
        let window = results.window;
        results.put(|transaction, file| {
            match &from.cells {
                Some(cells) => rollup::replace_window(transaction, window, cells)?,
                None => rollup::set_gone(transaction, window)?,
            }
            let before =
                catalog::replace_window(transaction, window, file, from.inputs, &from.counts, now())?;
            catalog::set_frozen(transaction, window, from.frozen)?;
            if !from.has_connections {
                catalog::forget_connections(transaction, window)?;
            }
            Ok(before)
        })?;
        if !from.has_connections {
            results.store.folder.remove(&results.path)?;
        }
        Ok(())
    }
}
