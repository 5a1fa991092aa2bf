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
