//! Errors of SQLite as errors of the store.

use cutshort_store::{Reason, StoreError};
use rusqlite::ErrorCode;

/// An error of the store, which may come from SQLite.
#[derive(Debug)]
pub struct Error(pub(crate) StoreError);

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        error.0
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error_code();
        let is_nonsense = is_nonsense(&error);
        let reason = Reason::caused_by("the store's database failed", error);
        Self(match code {
            Some(ErrorCode::DiskFull) => StoreError::Full(reason),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Unavailable(reason),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(reason),
            _ if is_nonsense => damaged(reason),
            _ => StoreError::Failed(reason),
        })
    }
}

/// The error that the database is damaged, with what to do.
pub(crate) fn of_database(what: &str) -> Error {
    Error(StoreError::Damaged(format!("{what}. It is damaged: {REPAIR}").into()))
}

const REPAIR: &str = "end what writes to the store, and run 'cutshort store repair --data DIR'";

fn damaged(reason: Reason) -> StoreError {
    StoreError::Damaged(reason.with_text(format!("the store's database is damaged ({REPAIR})")))
}

/// Whether a database has a value that this program cannot have written.
const fn is_nonsense(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    matches!(
        error,
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..)
    )
}
