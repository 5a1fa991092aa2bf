use std::io;

/// Why a store cannot do what it was asked to. Every method of a store can fail with any of these.
#[derive(Debug)]
pub enum StoreError {
    /// There is no room left. Nothing was changed; try again later.
    Full(String),
    /// It cannot be reached, or is busy; try again later.
    Unavailable(String),
    /// Another process is writing to it.
    Locked(String),
    /// The request is not acceptable: it fails whenever it is repeated. Nothing was changed.
    Refused(String),
    /// A part of it is damaged; the text names the part.
    Damaged(String),
    /// Any other failure, such as an error of the file system or of the database.
    Failed(String),
}

/// A result whose error is a [`StoreError`].
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
    /// Classifies an error of the file system. `what` names the file or what was being done.
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
