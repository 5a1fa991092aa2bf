//! Events, in a SQLite file of their own: whatever happens to it, they can be found again in the counts.

mod outbox;
mod reviews;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use cutshort_detect::{Channel, Event, EventId, EventState, Severity};
use cutshort_store::data_dir::subdirectory;
use cutshort_store::{
    Checkpoint, EventQuery, EventStep, Events, Folded, KeptEvent, Outbox, REPLAY_WINDOWS, Reason, Review,
    StoreError,
};
use cutshort_verdict::DataSet;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, ToSql, Transaction, params_from_iter};

use super::folder::{DAMAGED, EVENTS, Folder};
use super::guard;
use super::rescue::Scan;
use crate::error::{Error, Result};

/// How long to wait while another process has the file locked.
const BUSY: Duration = Duration::from_secs(10);
/// How much states are compressed.
const LEVEL: i32 = 1;
/// A state does not become larger than this in bytes.
const LARGEST_STATE: usize = 1 << 30;

/// The columns of an event, the first of which is its id.
macro_rules! event_columns {
    () => {
        "found INTEGER NOT NULL, updated_ns INTEGER NOT NULL, revision INTEGER NOT NULL,
    place TEXT NOT NULL, channel TEXT NOT NULL, onset INTEGER NOT NULL, opened INTEGER NOT NULL, ended INTEGER,
    closed INTEGER, state TEXT NOT NULL, severity TEXT NOT NULL, size REAL NOT NULL, excess REAL NOT NULL,
    evidence REAL NOT NULL, part_of INTEGER, episode INTEGER NOT NULL, alarm INTEGER"
    };
}
use event_columns;

/// Times are numbers of windows.
const SCHEMA: &str = concat!(
    "CREATE TABLE event (id INTEGER PRIMARY KEY, ",
    event_columns!(),
    ") STRICT;
CREATE INDEX event_closed ON event (closed);
CREATE TABLE digest (t INTEGER PRIMARY KEY, digest INTEGER NOT NULL) STRICT;
CREATE TABLE checkpoint (next INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT;
CREATE TABLE folded (one INTEGER PRIMARY KEY CHECK (one = 1), first INTEGER NOT NULL, next INTEGER NOT NULL) STRICT;
"
);
/// The first version has no alerts, and the second one no reviews.
const VERSION: i64 = 3;
const COLUMNS: &str = "id, found, updated_ns, revision, place, channel, onset, opened, ended, closed, state, severity, \
                       size, excess, evidence, part_of, episode, alarm";

/// The file of the events, which is opened when it is first used, and created by the first run.
pub struct EventFile {
    folder: Folder,
    writes: bool,
    connection: Mutex<Option<Connection>>,
}

impl EventFile {
    /// The file in a folder. Only the process that holds the folder's lock may write to it.
    pub(super) fn new(folder: &Folder, writes: bool) -> Self {
        Self { folder: folder.clone(), writes, connection: Mutex::new(None) }
    }

    /// The file of a data set in a data directory without a store, for writing: a store elsewhere does not keep events. One process at
    /// a time may use it.
    #[must_use]
    pub fn in_directory(path: &Path, data_set: DataSet) -> Self {
        let folder = match subdirectory(data_set) {
            Some(name) => path.join(name),
            None => path.to_owned(),
        };
        Self::new(&Folder::new(&folder, true), true)
    }

    /// Runs a query; the default if there is no file.
    fn read<T: Default>(&self, look: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut connection = guard(&self.connection);
        if connection.is_none() && !self.folder.has(EVENTS) {
            return Ok(T::default());
        }
        look(self.open(&mut connection)?)
    }

    /// Changes the file, wholly or not at all.
    fn write(&self, change: impl FnOnce(&Transaction<'_>) -> Result<()>) -> Result<()> {
        if !self.writes {
            return Err(Error(StoreError::Refused("the store was opened for reading only".to_owned())));
        }
        let mut connection = guard(&self.connection);
        let transaction = self.open(&mut connection)?.transaction()?;
        change(&transaction)?;
        Ok(transaction.commit()?)
    }

    fn open<'a>(&self, connection: &'a mut MutexGuard<'_, Option<Connection>>) -> Result<&'a mut Connection> {
        if connection.is_none() {
            **connection = Some(match self.connect() {
                Err(Error(StoreError::Damaged(_))) if self.writes => self.renew()?.0,
                connected => connected?,
            });
        }
        connection.as_mut().ok_or_else(|| Error(StoreError::Failed("no connection".to_owned().into())))
    }

    /// Sets the file aside, and begins a new one with what can be read of the decisions in it. Returns where the old one is, and
    /// whether all decisions could be read.
    pub(super) fn renew(&self) -> Result<(Connection, String, Scan)> {
        let (reviews, scanned) = reviews::salvage(&self.folder.path(EVENTS));
        self.folder.create_folder(DAMAGED)?;
        let aside = self.folder.set_aside(EVENTS)?;
        // What SQLite keeps beside it belongs to the old one.
        for beside in ["-wal", "-shm"] {
            self.folder.remove(&format!("{EVENTS}{beside}"))?;
        }
        let sql = self.connect()?;
        reviews.iter().try_for_each(|(id, review)| reviews::insert(&sql, *id, review))?;
        Ok((sql, aside, scanned))
    }

    /// Changes the file, also if another process holds the folder's lock.
    fn write_beside<T>(&self, change: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<Option<T>> {
        if !self.folder.has(EVENTS) {
            return Ok(None);
        }
        let (mut held, mut own) = (guard(&self.connection), None);
        let sql = match self.writes {
            true => self.open(&mut held)?,
            false => own.insert(self.connect_as(true)?),
        };
        let transaction = sql.transaction()?;
        let done = change(&transaction)?;
        transaction.commit()?;
        Ok(Some(done))
    }

    fn connect(&self) -> Result<Connection> {
        self.connect_as(self.writes)
    }

    fn connect_as(&self, writes: bool) -> Result<Connection> {
        let path = self.folder.path(EVENTS);
        if writes {
            self.folder.create_root()?;
        }
        let access = match writes {
            true => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            false => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        let opened = Connection::open_with_flags(&path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX);
        let mut sql = opened.map_err(|error| {
            Error(StoreError::Failed(Reason::caused_by(format!("cannot open {}", path.display()), error)))
        })?;
        sql.busy_timeout(BUSY)?;
        // A program that has given up reaching other folders has no place for temporary files.
        sql.pragma_update(None, "temp_store", "MEMORY")?;
        if writes {
            sql.pragma_update(None, "synchronous", if self.folder.durable() { "FULL" } else { "OFF" })?;
            sql.pragma_update(None, "journal_mode", "WAL")?;
        }
        match sql.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? {
            found @ 0..VERSION if writes => {
                let transaction = sql.transaction()?;
                if found == 0 {
                    transaction.execute_batch(SCHEMA)?;
                }
                if found < 2 {
                    transaction.execute_batch(outbox::SCHEMA)?;
                }
                transaction.execute_batch(reviews::SCHEMA)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
                transaction.commit()?;
            }
            VERSION => {}
            // Who reads has no use for alerts, and finds no reviews.
            1..VERSION if !writes => {}
            _ => return Err(Error(StoreError::Refused(format!("{} is of another version", path.display())))),
        }
        Ok(sql)
    }
}

impl Events for EventFile {
    fn list(&self, query: &EventQuery) -> cutshort_store::Result<Vec<KeptEvent>> {
        Ok(self.read(|sql| list(sql, query))?)
    }

    fn folded(&self) -> cutshort_store::Result<Folded> {
        Ok(self.read(folded)?)
    }

    fn checkpoint(&self, window: i64) -> cutshort_store::Result<Option<Checkpoint>> {
        Ok(self.read(|sql| checkpoint(sql, window))?)
    }

    fn keep(&self, step: &EventStep<'_>) -> cutshort_store::Result<()> {
        Ok(self.write(|sql| keep(sql, step))?)
    }

    fn reviews(&self) -> cutshort_store::Result<BTreeMap<EventId, Review>> {
        Ok(self.read(reviews::list)?)
    }

    fn review(&self, id: EventId, review: Option<&Review>) -> cutshort_store::Result<bool> {
        Ok(self.write_beside(|sql| reviews::set(sql, id, review))?.unwrap_or(false))
    }

    fn outbox(&self) -> Option<&dyn Outbox> {
        self.writes.then_some(self)
    }
}

/// Reads everything that people see.
pub(super) fn check(sql: &Connection) -> Result<()> {
    list(sql, &EventQuery::default())?;
    reviews::list(sql)?;
    folded(sql).map(drop)
}

fn list(sql: &Connection, query: &EventQuery) -> Result<Vec<KeptEvent>> {
    let from = query.windows.as_ref().map_or(i64::MIN, |windows| windows.start);
    let select =
        format!("SELECT {COLUMNS} FROM event WHERE closed IS NULL OR closed >= ?1 ORDER BY onset, id");
    let mut select = sql.prepare_cached(&select)?;
    let mut rows = select.query([from])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let event = kept(row)?;
        if query.wants(&event.event) {
            found.push(event);
        }
    }
    Ok(found)
}

fn kept(row: &Row<'_>) -> Result<KeptEvent> {
    let id = |column: &str| Ok::<_, Error>(EventId(row.get::<_, i64>(column)?.cast_unsigned()));
    let text = |column: &str| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let place: String = row.get("place")?;
    let event = Event {
        id: id("id")?,
        place: place.parse().map_err(|_| unknown("place", &place))?,
        channel: named("channel", text("channel")?, Channel::from_name)?,
        onset: row.get("onset")?,
        opened: row.get("opened")?,
        end: row.get("ended")?,
        closed: row.get("closed")?,
        state: named("state", text("state")?, EventState::from_name)?,
        severity: named("severity", text("severity")?, Severity::from_name)?,
        size: row.get("size")?,
        excess: row.get("excess")?,
        evidence: row.get("evidence")?,
        part_of: row.get::<_, Option<i64>>("part_of")?.map(|id| EventId(id.cast_unsigned())),
        episode: id("episode")?,
        alarm: row.get("alarm")?,
        revision: row.get("revision")?,
    };
    Ok(KeptEvent { event, found: id("found")?, updated: row.get("updated_ns")? })
}

fn named<T>(what: &str, name: &str, find: impl Fn(&str) -> Option<T>) -> Result<T> {
    find(name).ok_or_else(|| unknown(what, name))
}

fn unknown(what: &str, value: &str) -> Error {
    Error(StoreError::Damaged(format!("an event has the {what} '{value}', which is not known").into()))
}

fn folded(sql: &Connection) -> Result<Folded> {
    let range = |row: &Row<'_>| Ok(row.get(0)?..row.get(1)?);
    let windows = sql.query_row("SELECT first, next FROM folded", [], range).optional()?;
    let mut select = sql.prepare_cached("SELECT t, digest FROM digest ORDER BY t")?;
    let digests = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
    let digests = digests.collect::<rusqlite::Result<_>>()?;
    let checkpoint = sql.query_row("SELECT max(next) FROM checkpoint", [], |row| row.get(0))?;
    Ok(Folded { windows, digests, checkpoint })
}

fn checkpoint(sql: &Connection, window: i64) -> Result<Option<Checkpoint>> {
    let mut select =
        sql.prepare_cached("SELECT next, state FROM checkpoint WHERE next <= ?1 ORDER BY next DESC LIMIT 1")?;
    let found = select.query_row([window], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).optional()?;
    let Some((next, packed)) = found else { return Ok(None) };
    let state = zstd::bulk::decompress(&packed, LARGEST_STATE).unwrap_or_default();
    Ok(Some(Checkpoint { next, state }))
}

/// The values of [`COLUMNS`].
fn values(kept: &KeptEvent) -> [Value; 18] {
    let KeptEvent { event, found, updated } = kept;
    let id = |id: EventId| Value::from(id.0.cast_signed());
    [
        id(event.id),
        id(*found),
        Value::from(*updated),
        Value::from(event.revision),
        Value::from(event.place.to_string()),
        Value::from(event.channel.name().to_owned()),
        Value::from(event.onset),
        Value::from(event.opened),
        Value::from(event.end),
        Value::from(event.closed),
        Value::from(event.state.name().to_owned()),
        Value::from(event.severity.name().to_owned()),
        Value::from(event.size),
        Value::from(event.excess),
        Value::from(event.evidence),
        event.part_of.map_or(Value::Null, id),
        id(event.episode),
        Value::from(event.alarm),
    ]
}

fn keep(sql: &Transaction<'_>, step: &EventStep<'_>) -> Result<()> {
    let windows = &step.windows;
    let insert = format!(
        "INSERT OR REPLACE INTO event ({COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
    );
    let mut insert = sql.prepare_cached(&insert)?;
    for event in step.events {
        insert.execute(params_from_iter(values(event)))?;
    }
    outbox::add(sql, step.alerts)?;
    let run = |text: &str, values: &[&dyn ToSql]| -> Result<usize> {
        Ok(sql.prepare_cached(text)?.execute(values)?)
    };
    let oldest = windows.end - REPLAY_WINDOWS;
    run("DELETE FROM digest WHERE t >= ?1 OR t < ?2", &[&windows.start, &oldest])?;
    for (t, digest) in step.digests.iter().filter(|(t, _)| *t >= oldest) {
        run("INSERT INTO digest (t, digest) VALUES (?1, ?2)", &[t, &digest.cast_signed()])?;
    }
    let first = "INSERT INTO folded (one, first, next) VALUES (1, ?1, ?2)
                 ON CONFLICT (one) DO UPDATE SET first = min(first, ?1), next = ?2";
    run(first, &[&windows.start, &windows.end])?;
    run("DELETE FROM checkpoint WHERE next > ?1", &[&windows.start])?;
    if let Some(state) = step.state {
        let packed = zstd::bulk::compress(state, LEVEL).map_err(|error| {
            Error(StoreError::Failed(Reason::caused_by("cannot compress a state", error)))
        })?;
        run("INSERT OR REPLACE INTO checkpoint (next, state) VALUES (?1, ?2)", &[&windows.end, &packed])?;
    }
    let mut select = sql.prepare_cached("SELECT next FROM checkpoint ORDER BY next")?;
    let states = select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
    for (at, next) in states.iter().enumerate() {
        if !step.needs(*next, states.get(at + 1).copied()) {
            run("DELETE FROM checkpoint WHERE next = ?1", &[next])?;
        }
    }
    Ok(())
}
