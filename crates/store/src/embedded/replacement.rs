//! New results of a window.

use std::fs::File;
use std::io::BufWriter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cutshort_report::connection::{self, Connection, Writer};

use super::catalog::{self, ConnectionsFile};
use super::folder::{Folder, Temporary, connections_path};
use super::{Embedded, now, rollup};
use crate::cell::Cells;
use crate::{ConnectionSink, Inputs, Replacement, Result, WindowCounts};

impl Embedded {
    pub(super) fn begin_replacement(&self, window: i64) -> NewResults<'_> {
        let generation = self.generation.fetch_add(1, Ordering::Relaxed);
        NewResults {
            store: self,
            window,
            generation,
            path: connections_path(window, generation),
            sinks: AtomicUsize::new(1),
            finished: Arc::default(),
        }
    }
}

/// Files of finished sinks, by the sinks' numbers.
type Finished = Arc<Mutex<Vec<(usize, Temporary)>>>;

pub(super) struct NewResults<'a> {
    store: &'a Embedded,
    window: i64,
    generation: i64,
    path: String,
    /// The number of the next sink.
    sinks: AtomicUsize,
    finished: Finished,
}

impl Replacement for NewResults<'_> {
    fn sink(&self) -> Result<Box<dyn ConnectionSink + Send>> {
        let number = self.sinks.fetch_add(1, Ordering::Relaxed);
        let (folder, path) = (self.store.folder.clone(), self.path.clone());
        let file = folder.temporary(&path, number)?;
        let error = |error| folder.error("write", &path, &error);
        let output = BufWriter::with_capacity(1 << 18, file.file.try_clone().map_err(error)?);
        let writer = connection::stored(output).map_err(error)?;
        Ok(Box::new(Sink { folder, path, number, file, writer, finished: Arc::clone(&self.finished) }))
    }

    fn commit(self: Box<Self>, inputs: Inputs, counts: WindowCounts, cells: &Cells) -> Result<()> {
        let bytes = self.write_connections()?;
        let file = ConnectionsFile { generation: self.generation, path: self.path.clone(), bytes };
        let replaced = self.store.database.write(|sql| {
            let transaction = sql.transaction()?;
            rollup::replace_window(&transaction, self.window, cells)?;
            let before = catalog::replace_window(&transaction, self.window, &file, inputs, &counts, now())?;
            transaction.commit()?;
            Ok(before)
        });
        let folder = &self.store.folder;
        match replaced {
            // What cannot be removed now is removed when the store is opened.
            Ok(before) => drop(before.map(|before| folder.remove(&before))),
            Err(error) => {
                let _ = folder.remove(&self.path);
                return Err(error);
            }
        }
        Ok(())
    }
}

impl NewResults<'_> {
    /// Puts the connections of all sinks into one file; returns its size.
    fn write_connections(&self) -> Result<u64> {
        let folder = &self.store.folder;
        let error = |error| folder.error("write", &self.path, &error);
        let mut parts = std::mem::take(&mut *self.finished.lock().unwrap_or_else(PoisonError::into_inner));
        parts.sort_unstable_by_key(|(number, _)| *number);
        let whole = match parts.len() {
            1 => parts.remove(0).1,
            _ => {
                let whole = folder.temporary(&self.path, 0)?;
                let files: std::io::Result<Vec<File>> =
                    parts.iter().map(|(_, part)| part.file.try_clone()).collect();
                let output = BufWriter::with_capacity(1 << 18, &whole.file);
                let output = connection::concatenate(&files.map_err(error)?, output).map_err(error)?;
                // What is still in its buffer would be lost without a word where there is no room.
                output.into_inner().map_err(|failed| error(failed.into_error()))?;
                whole
            }
        };
        let bytes = whole.file.metadata().map_err(error)?.len();
        folder.keep(whole, &self.path)?;
        Ok(bytes)
    }
}

struct Sink {
    folder: Folder,
    path: String,
    number: usize,
    file: Temporary,
    writer: Box<dyn Writer + Send>,
    finished: Finished,
}

impl ConnectionSink for Sink {
    fn write(&mut self, connection: &Connection<'_>) -> Result<()> {
        let written = self.writer.write(connection, &[]);
        written.map_err(|error| self.folder.error("write", &self.path, &error))
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let Self { folder, path, number, file, writer, finished } = *self;
        writer.finish().map_err(|error| folder.error("write", &path, &error))?;
        finished.lock().unwrap_or_else(PoisonError::into_inner).push((number, file));
        Ok(())
    }
}
