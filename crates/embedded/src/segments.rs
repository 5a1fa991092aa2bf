//! Stores segments, and recovers them after a crash.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use cutshort_model::now;
use cutshort_store::{Added, Segment, StoreError, open};

use super::catalog::{self, FileState};
use super::folder::{CONNECTIONS, OPEN, PACKETS, segment_path};
use super::{Embedded, damage};
use crate::error::Result;

impl Embedded {
    pub(super) fn append_segment(&self, segment: &Segment) -> Result<Added> {
        let info = segment.info();
        if info.data_set != self.data_set {
            return Err(StoreError::Refused(format!(
                "the segment is of the data set {}, and this store keeps the data set {}",
                info.data_set, self.data_set
            ))
            .into());
        }
        let id = info.id;
        if self.database.read(|sql| catalog::is_known(sql, id))? {
            return Ok(Added::Known);
        }
        let path = segment_path(segment.info());
        self.folder.write(&path, segment.bytes())?;
        self.note_segment(segment, &path)
    }

    /// Makes a segment whose file exists part of the store.
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

    /// Handles what a crash has left. The files are authoritative: unknown ones are added, and missing ones are
    /// recorded.
    pub(super) fn reconcile(&self) -> Result<()> {
        self.reconcile_segments()?;
        self.reconcile_open()?;
        self.reconcile_connections()
    }

    /// Makes segments of those that earlier versions were writing.
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
        let files: Vec<_> =
            self.folder.files(PACKETS)?.into_iter().map(|path| (known.remove(&path), path)).collect();
        // First, as the same segment may be there under another name.
        let missing = known.into_iter().filter(|(_, (_, state))| *state == FileState::Kept);
        missing.into_iter().try_for_each(|(path, (key, _))| {
            let why = format!("{path} is gone, and nobody here has deleted it");
            self.database.write(|sql| {
                let transaction = sql.transaction()?;
                damage::lose_segment(&transaction, key, FileState::Missing, &path, &why)?;
                Ok(transaction.commit()?)
            })
        })?;
        files.iter().try_for_each(|(state, path)| match state {
            Some((_, FileState::Kept)) => Ok(()),
            // It was to be removed.
            Some((_, FileState::Deleted)) => self.folder.remove(path),
            Some((_, FileState::Damaged | FileState::Missing)) | None => self.adopt(path),
        })
    }

    /// Adds an unknown file.
    fn adopt(&self, path: &str) -> Result<()> {
        match Segment::parse(self.folder.read(path)?) {
            Ok(segment) => self.note_segment(&segment, path).map(drop),
            Err(StoreError::Refused(why)) => {
                let name = self.folder.set_aside(path)?;
                self.database.write(|sql| catalog::add_damaged(sql, &name, &why, None))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Removes files of connections that belong to no results.
    fn reconcile_connections(&self) -> Result<()> {
        let everything = i64::MIN..i64::MAX;
        let known = self.database.read(|sql| catalog::connection_paths(sql, &everything))?;
        let mut known: BTreeMap<_, _> = known.into_iter().map(|(window, path)| (path, window)).collect();
        let mut unknown = self.folder.files(CONNECTIONS)?;
        unknown.retain(|path| known.remove(path).is_none());
        for path in unknown {
            if known.is_empty() {
                self.folder.remove(&path)?;
            } else {
                // It may be what is missing under another name.
                let name = self.folder.set_aside(&path)?;
                let why = "the database does not name it, and names others that are missing";
                self.database.write(|sql| catalog::add_damaged(sql, &name, why, None))?;
            }
        }
        let generation = self.database.read(catalog::latest_generation)?;
        self.generation.store(generation + 1, Ordering::Relaxed);
        known.into_iter().try_for_each(|(path, window)| {
            let why = format!("{path} is gone, and nobody here has deleted it");
            self.database.write(|sql| {
                let transaction = sql.transaction()?;
                damage::lose_connections(&transaction, window, &path, &why)?;
                Ok(transaction.commit()?)
            })
        })
    }
}
