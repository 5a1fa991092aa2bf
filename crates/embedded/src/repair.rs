//! Repairs a store whose database is damaged, from its files and from what can be read of the database.

mod old;
mod rebuild;

use std::fmt;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use cutshort_model::{Window, quantity};
use cutshort_store::{Movable, Segment, StoreError};
use cutshort_verdict::DataSet;
use rusqlite::{Connection, OpenFlags};

use super::annotations::Annotations;
use super::connections::{OTHER_BYTES, gone, visit};
use super::database::Database;
use super::events::EventFile;
use super::folder::{ANNOTATIONS, DAMAGED, DATABASE, EVENTS, Folder, OUTSIDE, PACKETS};
use super::rescue::Scan;
use super::{Embedded, catalog, data_sets, verify};
use crate::error::{Error, Result};

/// The name of the new database until it is complete.
const UNFINISHED: &str = "rollup.sqlite.repair";

/// The result of a repair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// The new paths of the databases that were set aside.
    pub aside: Vec<String>,
    /// The number of files of packets and connections that were set aside [afterwards](Embedded::set_damaged_aside).
    pub files: u64,
    /// What was lost, each in words.
    pub lost: Vec<String>,
    /// The number of segments in the repaired store.
    pub segments: u64,
    /// The number of windows that keep their results.
    pub windows: u64,
    /// The number of annotations that were kept.
    pub annotations: u64,
}

/// Writes a line for each thing that was done or is lost.
impl fmt::Display for Repaired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.aside.is_empty() && self.segments == 0 && self.files == 0 {
            writeln!(f, "nothing is damaged that was not set aside before")?;
        }
        for name in &self.aside {
            writeln!(f, "set aside: {name}")?;
        }
        if self.files > 0 {
            writeln!(f, "set aside: {} of packets or connections", quantity(self.files, "file"))?;
        }
        if self.segments + self.windows > 0 {
            let (segments, windows) = (quantity(self.segments, "segment"), quantity(self.windows, "window"));
            writeln!(f, "a new database has {segments}, and the results of {windows} as they were")?;
        }
        if self.annotations > 0 {
            writeln!(f, "{} kept", quantity(self.annotations, "annotation"))?;
        }
        self.lost.iter().try_for_each(|what| writeln!(f, "lost: {what}"))
    }
}

impl Repaired {
    /// Adds what was repaired in the store of another data set, which is in a directory.
    fn add(&mut self, other: &Self, directory: &str) {
        let within = |name: &String| format!("{directory}/{name}");
        self.aside.extend(other.aside.iter().map(within));
        self.lost.extend(other.lost.iter().map(|lost| format!("{lost} ({directory})")));
        self.segments += other.segments;
        self.windows += other.windows;
        self.annotations += other.annotations;
    }
}

impl Embedded {
    /// Sets damaged databases of a store aside and creates new ones. Windows whose results could not be kept are due
    /// afterwards, if their packets exist.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the process that has the store open, [`StoreError::Refused`] if it is not a store.
    /// Nothing is lost then, and the call can be repeated.
    pub fn repair(folder: &Path) -> cutshort_store::Result<Repaired> {
        let mut repaired = Self::repair_data_set(folder)?;
        for (_, name) in data_sets::within(folder) {
            repaired.add(&Self::repair_data_set(&folder.join(name))?, name);
        }
        Ok(repaired)
    }

    fn repair_data_set(folder: &Path) -> cutshort_store::Result<Repaired> {
        let files = Folder::new(folder, true);
        if !files.has(DATABASE) && !files.has(PACKETS) {
            return Err(StoreError::Refused(format!("there is no store in {}", folder.display())));
        }
        files.create()?;
        let _lock = files.lock()?;
        let mut repaired = Repaired::default();
        for (name, _) in verify::beside(folder)? {
            match name {
                ANNOTATIONS => repair_annotations(&files, &mut repaired)?,
                EVENTS => repair_events(&files, &mut repaired)?,
                _ => repair_outside(&files, &mut repaired)?,
            }
        }
        if is_damaged(&files)? {
            rebuild::rebuild(&files, &mut repaired)?;
        }
        Ok(repaired)
    }

    /// Reads all packets and connections, of all data sets, and sets damaged files aside. Returns the number of these files; none if it
    /// was interrupted.
    pub fn set_damaged_aside(&self, each: verify::OnStep<'_>) -> cutshort_store::Result<Option<u64>> {
        self.check_writer()?;
        let mut files = 0;
        for data_set in DataSet::ALL {
            let Some(store) = self.find_store(data_set)? else { continue };
            let Some(more) = store.set_own_aside(each)? else { return Ok(None) };
            files += more;
        }
        Ok(Some(files))
    }

    fn set_own_aside(&self, each: verify::OnStep<'_>) -> cutshort_store::Result<Option<u64>> {
        let before = self.database.read(super::status::status)?.damaged.len();
        let segments = self.segments()?;
        let windows = self.database.read(|sql| catalog::connection_paths(sql, &(i64::MIN..i64::MAX)))?;
        let all = segments.len() + windows.len();
        for (past, id) in segments.iter().enumerate() {
            if each(past, all).is_break() {
                return Ok(None);
            }
            self.check_segment(*id)?;
        }
        for (past, (window, _)) in windows.iter().enumerate() {
            if each(segments.len() + past, all).is_break() {
                return Ok(None);
            }
            self.check_connections(*window)?;
        }
        // There is nothing left to be ended.
        let _: ControlFlow<()> = each(all, all);
        let after = self.database.read(super::status::status)?.damaged.len();
        Ok(Some(after.saturating_sub(before) as u64))
    }

    fn check_segment(&self, id: cutshort_store::SegmentId) -> Result<()> {
        let Some(segment) = self.database.read(|sql| catalog::segment_of(sql, id))? else { return Ok(()) };
        let why = match fs::read(self.folder.path(&segment.path)) {
            Ok(bytes) if crc32fast::hash(&bytes) != segment.crc => OTHER_BYTES.to_owned(),
            Ok(bytes) => match Segment::parse(bytes) {
                Ok(_) => return Ok(()),
                Err(error) => format!("{error:#}"),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => gone(&segment.path),
            Err(error) => return Err(self.folder.error("read", &segment.path, error)),
        };
        self.set_segment_aside(&segment, &why)
    }

    fn check_connections(&self, window: Window) -> Result<()> {
        let Some(file) = self.connections_file(window)? else { return Ok(()) };
        let why = match self.open_connections(&file)? {
            None => gone(&file.path),
            Some(Err(why)) => why,
            Some(Ok(mut records)) => match visit(&mut records, &mut |_| true) {
                Ok(()) => return Ok(()),
                Err(error) => error.to_string(),
            },
        };
        self.set_connections_aside(&file, &why)
    }
}

/// Whether there is a database that is marked as that of a store.
pub(super) fn is_of_store(files: &Folder) -> bool {
    let path = files.path(DATABASE);
    let length = fs::metadata(&path).map_or(0, |metadata| metadata.len());
    length > 0 && open_old(&path).is_some_and(|sql| catalog::is_of_store(&sql).is_ok_and(|own| own))
}

/// Whether the database is missing or damaged. One of a newer version is neither.
fn is_damaged(files: &Folder) -> Result<bool> {
    if !is_of_store(files) {
        return Ok(true);
    }
    let look = || Database::open(&files.path(DATABASE))?.read(verify::database);
    match look() {
        Err(Error(StoreError::Damaged(_))) => Ok(true),
        found => Ok(!found?.is_empty()),
    }
}

/// Opens a database for reading only.
fn open_old(path: &Path) -> Option<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()
}

/// The suffixes of a database's files.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// Copies a database to the damaged files. Returns the name of the copy.
fn copy_aside(files: &Folder, name: &str) -> Result<String> {
    let target = (0..)
        .map(|at| if at == 0 { format!("{DAMAGED}/{name}") } else { format!("{DAMAGED}/{name}.{at}") })
        .find(|target| PARTS.iter().all(|part| !files.has(&format!("{target}{part}"))))
        .unwrap_or_default();
    for part in PARTS.iter().filter(|part| files.has(&format!("{name}{part}"))) {
        let (from, to) = (files.path(&format!("{name}{part}")), files.path(&format!("{target}{part}")));
        fs::copy(&from, &to).map_err(|error| files.error("set aside", name, error))?;
    }
    Ok(target)
}

/// Replaces the database that was set aside by a new one, which nobody has open.
fn put_in_place(files: &Folder, new: &str, name: &str) -> Result<()> {
    for part in &PARTS[1..] {
        // What belongs to the old one must not be taken for a part of the new one.
        files.remove(&format!("{name}{part}"))?;
    }
    fs::rename(files.path(new), files.path(name)).map_err(|error| files.error("write", name, error))?;
    files.sync_parent(name)
}

fn remove_unfinished(files: &Folder, name: &str) -> Result<()> {
    PARTS.iter().try_for_each(|part| files.remove(&format!("{name}{part}")))
}

fn repair_annotations(files: &Folder, repaired: &mut Repaired) -> Result<()> {
    const NEW: &str = "annotations.sqlite.repair";
    remove_unfinished(files, NEW)?;
    let new = Annotations::open(&files.path(NEW), true)?;
    let whole = open_old(&files.path(ANNOTATIONS)).map(|old| new.salvage(&old)).transpose()?;
    let (kept, is_whole) = whole.unwrap_or_default();
    repaired.annotations = kept;
    if !is_whole {
        repaired.lost.push("some annotations may be missing".to_owned());
    }
    drop(new);
    repaired.aside.push(copy_aside(files, ANNOTATIONS)?);
    if files.has(NEW) {
        return put_in_place(files, NEW, ANNOTATIONS);
    }
    remove_unfinished(files, ANNOTATIONS)
}

/// Events are found again, but neither what the operator decided about them, nor what receivers of alarms were to be told.
fn repair_events(files: &Folder, repaired: &mut Repaired) -> Result<()> {
    let (_, aside, decisions) = EventFile::new(files, true).renew()?;
    repaired.aside.push(aside);
    if decisions == Scan::InPart {
        repaired.lost.push("some decisions about events may be missing".to_owned());
    }
    repaired.lost.push("alarms that were not delivered yet, if there were any".to_owned());
    Ok(())
}

/// What other sources say can be imported again.
fn repair_outside(files: &Folder, repaired: &mut Repaired) -> Result<()> {
    repaired.aside.push(copy_aside(files, OUTSIDE)?);
    remove_unfinished(files, OUTSIDE)?;
    let lost = "what other sources say: run 'cutshort corroborate import' again with their files";
    repaired.lost.push(lost.to_owned());
    Ok(())
}
