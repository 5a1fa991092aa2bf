//! Reads and checks everything in a store.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;

use cutshort_model::{Window, quantity};
use cutshort_store::{Impaired, Impairment, Segment, SegmentId, Store, StoreError};
use cutshort_verdict::DataSet;
use rusqlite::Connection;

use super::catalog::{self, FileState};
use super::connections::{OTHER_BYTES, StoredFile, gone, visit};
use super::folder::{ANNOTATIONS, CONNECTIONS, DATABASE, EVENTS, Folder, OUTSIDE, PACKETS};
use super::{Embedded, damage, data_sets, rescue, rollup};
use crate::error::{Error, Result};

/// A problem in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file or the window.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
    /// How it can be solved.
    pub remedy: Remedy,
}

/// How a problem can be solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// By repairing the store.
    Repair,
    /// By storing these packets again.
    Again,
    /// Nothing that is left helps. Counts are complete.
    None,
}

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The number of segments that were read.
    pub segments: u64,
    /// The number of packets in these segments.
    pub packets: u64,
    /// Windows with results.
    pub windows: u64,
    /// The number of connections of these windows.
    pub connections: u64,
    /// The problems that were found.
    pub findings: Vec<Finding>,
    /// Whether the check was interrupted.
    pub interrupted: bool,
}

/// Writes what was read, and a line for each problem.
impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "read: {} with {}, {} with {}",
            quantity(self.segments, "segment"),
            quantity(self.packets, "packet"),
            quantity(self.windows, "window"),
            quantity(self.connections, "connection")
        )?;
        for Finding { name, why, .. } in &self.findings {
            writeln!(f, "{name}: {why}")?;
        }
        if self.is_whole() { writeln!(f, "nothing is damaged") } else { Ok(()) }
    }
}

/// A callback with the number of finished steps and of all steps; a break interrupts the operation.
pub type OnStep<'a> = &'a mut dyn FnMut(usize, usize) -> ControlFlow<()>;

impl Verified {
    /// Whether everything was read, and nothing is damaged.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.findings.is_empty() && !self.interrupted
    }

    /// Whether a problem can be solved so.
    #[must_use]
    pub fn needs(&self, remedy: Remedy) -> bool {
        self.findings.iter().any(|finding| finding.remedy == remedy)
    }

    /// Adds what was read of the store of another data set, which is in a directory.
    fn add(&mut self, other: Self, directory: &str) {
        self.segments += other.segments;
        self.packets += other.packets;
        self.windows += other.windows;
        self.connections += other.connections;
        self.interrupted = other.interrupted;
        let within = |finding: Finding| Finding { name: format!("{directory}/{}", finding.name), ..finding };
        self.findings.extend(other.findings.into_iter().map(within));
    }
}

impl Embedded {
    /// Reads everything in the store of a directory, and returns what is wrong with it. Nothing is changed, and
    /// another process may write in the meantime.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if it is not a store.
    pub fn verify(folder: &Path, each: OnStep<'_>) -> cutshort_store::Result<Verified> {
        let mut verified = Self::verify_data_set(folder, DataSet::Tcp, each)?;
        for (data_set, name) in data_sets::within(folder) {
            if !verified.interrupted {
                verified.add(Self::verify_data_set(&folder.join(name), data_set, each)?, name);
            }
        }
        Ok(verified)
    }

    fn verify_data_set(
        folder: &Path,
        data_set: DataSet,
        each: OnStep<'_>,
    ) -> cutshort_store::Result<Verified> {
        let files = Folder::new(folder, true);
        if !files.has(DATABASE) && !files.has(PACKETS) {
            return Err(StoreError::Refused(format!("there is no store in {}", folder.display())));
        }
        let mut verified = Verified::default();
        let repair = |name: &str, why: String| Finding { name: name.to_owned(), why, remedy: Remedy::Repair };
        for (name, why) in beside(folder)? {
            verified.findings.push(repair(name, why));
        }
        if !super::repair::is_of_store(&files) {
            let why = "it is missing or empty, or it is not the database of a store";
            verified.findings.push(repair(DATABASE, why.to_owned()));
            return Ok(verified);
        }
        let store = match Self::read_data_set(folder, data_set) {
            Err(StoreError::Damaged(why)) => {
                verified.findings.push(repair(DATABASE, format!("{why:#}")));
                return Ok(verified);
            }
            opened => opened?,
        };
        match (Verifying { store: &store, verified: &mut verified }).run(each) {
            // Nothing in it can be relied on.
            Err(Error(StoreError::Damaged(why))) => {
                verified.findings.push(repair(DATABASE, format!("{why:#}")));
            }
            done => done?,
        }
        verified.findings.dedup();
        Ok(verified)
    }
}

/// Reads what a database has.
type Check<'a> = &'a dyn Fn(&Connection) -> Result<()>;

/// What is wrong with the databases beside that of the store, by their names.
pub(super) fn beside(folder: &Path) -> Result<Vec<(&'static str, String)>> {
    let notes = |sql: &Connection| super::annotations::list_all(sql, &(i64::MIN..i64::MAX)).map(drop);
    let all: [(&str, Check<'_>); 3] =
        [(ANNOTATIONS, &notes), (EVENTS, &super::events::check), (OUTSIDE, &super::outside::check)];
    let mut found = Vec::new();
    for (name, check) in all {
        found.extend(wrong_with(&folder.join(name), check)?.map(|why| (name, why)));
    }
    Ok(found)
}

/// What is wrong with a database, if it exists.
fn wrong_with(path: &Path, check: Check<'_>) -> Result<Option<String>> {
    if !path.exists() {
        return Ok(None);
    }
    let look = || {
        let sql = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let found = rescue::integrity(&sql)?;
        check(&sql)?;
        Ok(found.into_iter().next())
    };
    match look() {
        // Also that the table is missing, which nobody removes.
        Err(Error(StoreError::Damaged(why) | StoreError::Failed(why))) => Ok(Some(format!("{why:#}"))),
        found => found,
    }
}

/// What is wrong with the database itself.
pub(super) fn database(sql: &Connection) -> Result<Vec<String>> {
    let look = || {
        let mut wrong = rescue::integrity(sql)?;
        if wrong.is_empty() {
            catalog::paths(sql)?;
            let lost = damage::lost_counts(sql)?;
            for state in catalog::windows(sql, &(i64::MIN..i64::MAX))? {
                if !lost.contains(&(0, state.window.number())) {
                    wrong.extend(counts_of(sql, state.window)?);
                }
            }
            wrong.extend(rollup::check(sql, &lost)?.iter().map(ToString::to_string));
        }
        Ok(wrong)
    };
    match look() {
        Err(Error(StoreError::Damaged(why))) => Ok(vec![format!("{why:#}")]),
        found => found,
    }
}

/// Compares a window's counts with its connections, and returns what is wrong.
fn counts_of(sql: &Connection, window: Window) -> Result<Option<String>> {
    let mut select = sql.prepare_cached("SELECT connections FROM window WHERE start = ?")?;
    let mut rows = select.query([window.start()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (connections, counted) = (row.get::<_, i64>(0)?.cast_unsigned(), rollup::connections(sql, window)?);
    Ok(counted.filter(|counted| *counted != connections).map(|counted| {
        format!("the window of {window} UTC has {connections} connections, and its counts have {counted}")
    }))
}

struct Verifying<'a> {
    store: &'a Embedded,
    verified: &'a mut Verified,
}

impl Verifying<'_> {
    fn run(&mut self, each: OnStep<'_>) -> Result<()> {
        // Files first: what comes meanwhile is not looked for.
        let listed = [self.store.folder.listed(PACKETS)?, self.store.folder.listed(CONNECTIONS)?].concat();
        for why in self.store.database.read(database)? {
            self.find(DATABASE, why, Remedy::Repair);
        }
        let segments = cutshort_store::Movable::segments(self.store)?;
        let windows =
            self.store.database.read(|sql| catalog::connection_paths(sql, &(i64::MIN..i64::MAX)))?;
        let all = segments.len() + windows.len();
        for (past, id) in segments.iter().enumerate() {
            if each(past, all).is_break() {
                self.verified.interrupted = true;
                return Ok(());
            }
            self.segment(*id)?;
        }
        for (past, (window, _)) in windows.iter().enumerate() {
            if each(segments.len() + past, all).is_break() {
                self.verified.interrupted = true;
                return Ok(());
            }
            self.window(*window)?;
        }
        // There is nothing left to be ended.
        let _ = each(all, all);
        self.unknown(&listed)?;
        self.known_before()
    }

    fn find(&mut self, name: &str, why: String, remedy: Remedy) {
        self.verified.findings.push(Finding { name: name.to_owned(), why, remedy });
    }

    fn segment(&mut self, id: SegmentId) -> Result<()> {
        self.verified.segments += 1;
        let look = || self.store.database.read(|sql| catalog::segment_file(sql, id));
        let Some((path, crc, rows)) = look()? else { return Ok(()) };
        let why = match std::fs::read(self.store.folder.path(&path)) {
            Ok(bytes) if crc32fast::hash(&bytes) != crc => Some(OTHER_BYTES.to_owned()),
            Ok(bytes) => match Segment::parse(bytes) {
                Ok(segment) if segment.info().id == id && segment.info().rows == rows => {
                    self.verified.packets += rows;
                    None
                }
                Ok(_) => Some("it is another segment than the database says".to_owned()),
                Err(error) => Some(format!("{error:#}")),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(gone(&path)),
            Err(error) => Some(format!("it cannot be read: {error}")),
        };
        // It may have been deleted, as it is past its time, or set aside meanwhile.
        if let Some(why) = why
            && look()?.is_some()
        {
            self.find(&path, why, Remedy::Repair);
        }
        Ok(())
    }

    fn window(&mut self, window: Window) -> Result<()> {
        self.verified.windows += 1;
        let Some(file) = self.store.connections_file(window)? else { return Ok(()) };
        let why = self.connections(&file)?;
        let is_current = self.store.connections_file(window)?.is_some_and(|now| now.path == file.path);
        if let Some(why) = why.filter(|_| is_current) {
            self.find(&file.path, why, Remedy::Repair);
        }
        Ok(())
    }

    /// What is wrong with a file of connections.
    fn connections(&mut self, file: &StoredFile) -> Result<Option<String>> {
        let mut records = match self.store.open_connections(file)? {
            None => return Ok(Some(gone(&file.path))),
            Some(Err(why)) => return Ok(Some(why)),
            Some(Ok(records)) => records,
        };
        let mut count = 0;
        let read = visit(&mut records, &mut |_| {
            count += 1;
            true
        });
        if let Err(error) = read {
            return Ok(Some(error.to_string()));
        }
        self.verified.connections += count;
        let expected = self.store.database.read(|sql| catalog::connection_count(sql, file.window))?;
        Ok(expected
            .filter(|expected| *expected != count)
            .map(|expected| format!("it has {count} connections, and the window has {expected}")))
    }

    /// Finds files that the database does not name.
    fn unknown(&mut self, listed: &[String]) -> Result<()> {
        let (segments, windows) = self.store.database.read(|sql| {
            let always = i64::MIN..i64::MAX;
            Ok((catalog::paths(sql)?, catalog::connection_paths(sql, &always)?))
        })?;
        let windows: BTreeSet<String> = windows.into_iter().map(|(_, path)| path).collect();
        for path in listed {
            let is_known = windows.contains(path)
                || segments.get(path).is_some_and(|(_, state)| *state == FileState::Kept);
            if !is_known && self.store.folder.has(path) && !path.ends_with(super::folder::TEMPORARY) {
                self.find(path, "the database does not name it".to_owned(), Remedy::Repair);
            }
        }
        Ok(())
    }

    /// Adds the problems that are already recorded.
    fn known_before(&mut self) -> Result<()> {
        let status = self.store.status()?;
        for found in status.damaged {
            if !self.verified.findings.iter().any(|finding| finding.name == found.name) {
                self.find(&found.name, found.why, Remedy::Again);
            }
        }
        let due = self.store.windows(i64::MIN..i64::MAX)?;
        for Impaired { window, how } in status.impaired {
            let is_due = due.iter().any(|state| state.window == window && state.is_due());
            let remedy = match how {
                Impairment::WithoutConnections if is_due => Remedy::Repair,
                Impairment::WithoutConnections | Impairment::WithoutCounts => Remedy::None,
                Impairment::Kept | Impairment::Incomplete => Remedy::Again,
            };
            let name = format!("the window of {window} UTC");
            self.find(&name, how.about().to_owned(), remedy);
        }
        Ok(())
    }
}
