//! Segments come in, and are put in order after a crash.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use rusqlite::Connection;

use super::catalog::{self, FileState, SegmentFile};
use super::folder::{CONNECTIONS, OPEN, PACKETS, segment_path};
use super::{Embedded, now};
use crate::open::{OpenSegment, Sync};
use crate::{Added, Origin, Result, Segment, SegmentId, StoreError, open};

impl Embedded {
    pub(super) fn append_segment(&self, segment: &Segment) -> Result<Added> {
        let id = segment.info().id;
        if self.database.read(|sql| catalog::is_known(sql, id))? {
            return Ok(Added::Known);
        }
        let path = segment_path(segment.info());
        self.folder.write(&path, segment.bytes())?;
        self.note_segment(segment, &path)
    }

    /// Makes a segment whose file is there part of the store.
    fn note_segment(&self, segment: &Segment, path: &str) -> Result<Added> {
        let (info, crc) = (segment.info(), crc32fast::hash(segment.bytes()));
        let file = (path, segment.bytes().len() as u64, crc);
        self.database.write(|sql| {
            let transaction = sql.transaction()?;
            if catalog::is_known(&transaction, info.id)? {
                return Ok(Added::Known);
            }
            catalog::add_segment(&transaction, info, segment.windows().keys().copied(), file, now())?;
            transaction.commit()?;
            Ok(Added::New)
        })
    }

    /// Begins a segment in the store's folder, in which packets are safe before the segment is appended. After a
    /// crash it is appended when the store is opened.
    ///
    /// # Errors
    /// What [`OpenSegment::create`] gives.
    pub fn open_segment(
        &self,
        id: SegmentId,
        node: &str,
        origin: Origin,
        from: i64,
        sync: Sync,
    ) -> Result<OpenSegment> {
        self.check_writer()?;
        let path = self.folder.path(&format!("{OPEN}/{id}"));
        OpenSegment::create(&path, id, node, origin, from, sync)
    }

    /// Puts in order what a crash has left. Files are the truth: those that nobody knows of are taken in, and
    /// those that are gone are noted.
    pub(super) fn reconcile(&self) -> Result<()> {
        self.reconcile_segments()?;
        self.reconcile_open()?;
        self.reconcile_connections()
    }

    /// Makes segments of those that were being written.
    fn reconcile_open(&self) -> Result<()> {
        for name in self.folder.names(OPEN)? {
            let path = format!("{OPEN}/{name}");
            if let Some(segment) = open::replay(&self.folder.path(&path))? {
                self.append_segment(&segment)?;
            }
            self.folder.remove(&path)?;
        }
        Ok(())
    }

    fn reconcile_segments(&self) -> Result<()> {
        let mut known = self.database.read(catalog::paths)?;
        for path in self.folder.files(PACKETS)? {
            match known.remove(&path) {
                Some((_, FileState::Kept)) => {}
                // It was to be removed.
                Some((_, FileState::Deleted)) => self.folder.remove(&path)?,
                Some((_, FileState::Damaged | FileState::Missing)) | None => self.adopt(&path)?,
            }
        }
        let missing = known.into_iter().filter(|(_, (_, state))| *state == FileState::Kept);
        missing.into_iter().try_for_each(|(path, (key, _))| {
            let why = format!("{path} is gone, and nobody here has deleted it");
            self.database.write(|sql| note_lost(sql, key, FileState::Missing, &path, &why))
        })
    }

    /// Takes in a file that nobody knows of.
    fn adopt(&self, path: &str) -> Result<()> {
        match Segment::parse(self.folder.read(path)?) {
            Ok(segment) => self.note_segment(&segment, path).map(drop),
            Err(StoreError::Refused(why)) => {
                let name = self.folder.set_aside(path)?;
                self.database.write(|sql| catalog::add_damaged(sql, &name, &why, None))
            }
            Err(other) => Err(other),
        }
    }

    /// Removes connections that belong to no results.
    fn reconcile_connections(&self) -> Result<()> {
        let everything = i64::MIN..i64::MAX;
        let known = self.database.read(|sql| catalog::connection_paths(sql, &everything))?;
        let mut known: BTreeMap<_, _> = known.into_iter().map(|(window, path)| (path, window)).collect();
        for path in self.folder.files(CONNECTIONS)? {
            if known.remove(&path).is_none() {
                self.folder.remove(&path)?;
            }
        }
        let generation = self.database.read(catalog::latest_generation)?;
        self.generation.store(generation + 1, Ordering::Relaxed);
        known.into_iter().try_for_each(|(path, window)| {
            let why = format!("{path} is gone, and nobody here has deleted it");
            self.database.write(|sql| {
                catalog::forget_connections(sql, window)?;
                catalog::add_damaged(sql, &path, &why, None)
            })
        })
    }

    /// Sets a segment aside that cannot be used.
    pub(super) fn set_segment_aside(&self, segment: &SegmentFile, why: &str) -> Result<()> {
        self.check_writer().map_err(|_| StoreError::Damaged(format!("{}: {why}", segment.path)))?;
        let (state, name) = if self.folder.has(&segment.path) {
            (FileState::Damaged, self.folder.set_aside(&segment.path)?)
        } else {
            (FileState::Missing, segment.path.clone())
        };
        self.database.write(|sql| note_lost(sql, segment.key, state, &name, why))
    }
}

fn note_lost(sql: &mut Connection, key: i64, state: FileState, name: &str, why: &str) -> Result<()> {
    let transaction = sql.transaction()?;
    catalog::set_state(&transaction, key, state)?;
    catalog::add_damaged(&transaction, name, why, Some(catalog::id(&transaction, key)?))?;
    Ok(transaction.commit()?)
}
