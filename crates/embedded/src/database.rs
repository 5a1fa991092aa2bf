//! Connections to the SQLite database.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use cutshort_store::{Reason, StoreError};
use rusqlite::{Connection, OpenFlags};

use super::{catalog, guard};
use crate::error::{Error, Result};

/// How long to wait while another process has the database locked.
const BUSY: Duration = Duration::from_secs(10);

/// One connection for writing, and as many for reading as are used at the same time.
pub(super) struct Database {
    path: PathBuf,
    writer: Option<Mutex<Connection>>,
    readers: Mutex<Vec<Connection>>,
}

impl Database {
    /// Opens the database for writing, and creates it if it is missing.
    pub(super) fn create(path: &Path, durable: bool) -> Result<Self> {
        let mut sql = Connection::open(path).map_err(|error| unopened(path, error))?;
        prepare(&sql)?;
        // Before anything is written that would be waited for.
        sql.pragma_update(None, "synchronous", if durable { "FULL" } else { "OFF" })?;
        sql.pragma_update(None, "journal_mode", "WAL")?;
        if !durable {
            fill_quickly(&sql)?;
        }
        catalog::create(&mut sql)?;
        Ok(Self { path: path.to_owned(), writer: Some(Mutex::new(sql)), readers: Mutex::default() })
    }

    /// Opens the database for reading.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let database = Self { path: path.to_owned(), writer: None, readers: Mutex::default() };
        database.read(catalog::check)?;
        Ok(database)
    }

    /// Runs a change, one at a time.
    pub(super) fn write<T>(&self, change: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        match &self.writer {
            Some(writer) => change(&mut guard(writer)),
            None => Err(Error(StoreError::Refused("the store was opened for reading only".to_owned()))),
        }
    }

    /// Runs a query on the state of one moment.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let waiting = guard(&self.readers).pop();
        let mut sql = waiting.map_or_else(|| self.reader(), Ok)?;
        let transaction = sql.transaction()?;
        let seen = look(&transaction);
        drop(transaction);
        guard(&self.readers).push(sql);
        seen
    }

    fn reader(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sql = Connection::open_with_flags(&self.path, flags);
        let sql = sql.map_err(|error| unopened(&self.path, error))?;
        prepare(&sql)?;
        Ok(sql)
    }
}

/// Pages that many windows change are written once for all of them: a store that can be made again is filled at once, and
/// nothing is lost if its log becomes long.
fn fill_quickly(sql: &Connection) -> Result<()> {
    const LOG_PAGES: i64 = 16_384;
    const CACHE_KIB: i64 = 65_536;
    sql.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    Ok(sql.pragma_update(None, "cache_size", -CACHE_KIB)?)
}

fn prepare(sql: &Connection) -> Result<()> {
    sql.busy_timeout(BUSY)?;
    // A program that has given up reaching other folders has no place for temporary files.
    Ok(sql.pragma_update(None, "temp_store", "MEMORY")?)
}

fn unopened(path: &Path, error: rusqlite::Error) -> StoreError {
    StoreError::Failed(Reason::caused_by(format!("cannot open {}", path.display()), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SQLite itself flushes what is committed to disk, at level 2.
    #[test]
    fn what_is_committed_is_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        for (name, durable, level) in [("durable", true, 2), ("not", false, 0)] {
            let database = Database::create(&folder.path().join(name), durable).unwrap();
            let ask = |sql: &mut Connection| {
                Ok(sql.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0))?)
            };
            assert_eq!(database.write(ask).unwrap(), level);
        }
    }
}
