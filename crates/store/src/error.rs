use std::io;

/// Why the store cannot do what was asked.
#[derive(Debug)]
pub enum StoreError {
    /// There is no room left. Nothing was changed; it is worth trying again later.
    Full(String),
    /// It cannot be reached or is busy now; it is worth trying again later.
    Unavailable(String),
    /// Another process writes to it.
    Locked(String),
    /// What was given is not acceptable, and will not be.
    Refused(String),
    /// Something in it is damaged, with the name of what.
    Damaged(String),
    /// Anything else.
    Failed(String),
}

/// What the store gives.
pub type Result<T> = std::result::Result<T, StoreError>;

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full(what)
            | Self::Unavailable(what)
            | Self::Locked(what)
            | Self::Refused(what)
            | Self::Damaged(what)
            | Self::Failed(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for StoreError {}

impl StoreError {
    /// An error of the file system, with what was being done.
    #[must_use]
    pub fn io(what: &str, error: &io::Error) -> Self {
        let text = format!("{what}: {error}");
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(text),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Damaged(text),
            _ => Self::Failed(text),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let text = format!("the database of the store: {error}");
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(text),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Unavailable(text),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::of_database(&text),
            _ if is_nonsense(&error) => Self::of_database(&text),
            _ => Self::Failed(text),
        }
    }
}

impl StoreError {
    /// That a database is damaged, and what to do.
    pub(crate) fn of_database(what: &str) -> Self {
        Self::Damaged(format!(
            "{what}. It is damaged: end what writes to the store, and run 'cutshort store repair --data DIR'"
        ))
    }
}

/// Whether a database has a value that nobody has written.
const fn is_nonsense(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    matches!(
        error,
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..)
    )
}
