//! Errors of SQLite as errors of the store.

use cutshort_store::StoreError;
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
        let text = format!("the database of the store: {error}");
        Self(match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full(text),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Unavailable(text),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => return of_database(&text),
            _ if is_nonsense(&error) => return of_database(&text),
            _ => StoreError::Failed(text),
        })
    }
}

/// The error that the database is damaged, with what to do.
pub(crate) fn of_database(what: &str) -> Error {
    Error(StoreError::Damaged(format!(
        "{what}. It is damaged: end what writes to the store, and run 'cutshort store repair --data DIR'"
    )))
}

/// Whether a database has a value that this program cannot have written.
const fn is_nonsense(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    matches!(
        error,
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..)
    )
}
