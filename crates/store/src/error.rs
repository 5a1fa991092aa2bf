use std::error::Error;
use std::fmt;
use std::io;

/// Why a store cannot do what it was asked to. Every method of a store can fail with any of these.
///
/// `{error}` is the text, and `{error:#}` the text with all [causes](Error::source).
#[derive(Debug)]
pub enum StoreError {
    /// There is no room left. Nothing was changed; try again later.
    Full(Reason),
    /// It cannot be reached, or is busy; try again later.
    Unavailable(Reason),
    /// Another process is writing to it.
    Locked(String),
    /// The request is not acceptable: it fails whenever it is repeated. Nothing was changed.
    Refused(String),
    /// A part of it is damaged; the text names the part.
    Damaged(Reason),
    /// Any other failure, such as an error of the file system or of the database.
    Failed(Reason),
}

/// A result whose error is a [`StoreError`].
pub type Result<T> = std::result::Result<T, StoreError>;

/// A text, and the error that is the cause, if there is one.
#[derive(Debug)]
pub struct Reason {
    text: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Reason {
    /// What failed, and why. The text does not repeat the cause.
    pub fn caused_by(text: impl Into<String>, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { text: text.into(), cause: Some(cause.into()) }
    }

    /// The same cause with another text.
    #[must_use]
    pub fn with_text(self, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..self }
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self { text, cause: None }
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// `{reason}` is the text, and `{reason:#}` the text with all causes.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        let mut cause = self.cause.as_deref().filter(|_| f.alternate()).map(|cause| cause as &dyn Error);
        let mut before = String::new();
        while let Some(error) = cause {
            let text = error.to_string();
            // Some errors repeat the text of their causes.
            if !before.contains(&text) {
                write!(f, ": {text}")?;
                before = text;
            }
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(why) | Self::Unavailable(why) | Self::Damaged(why) | Self::Failed(why) => why.fmt(f),
            Self::Locked(why) | Self::Refused(why) => f.write_str(why),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Full(why) | Self::Unavailable(why) | Self::Damaged(why) | Self::Failed(why) => {
                why.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
            }
            Self::Locked(_) | Self::Refused(_) => None,
        }
    }
}

impl StoreError {
    /// The text with all causes, and what to do, for whoever runs a command.
    #[must_use]
    pub fn explained(&self) -> String {
        match self {
            Self::Full(what) => format!("{what:#}. Nothing is lost: make room, and run this again"),
            Self::Locked(who) => format!(
                "{who}. One program at a time writes to a store: stop it (if it is 'cutshort serve', with Ctrl-C or \
                 'systemctl stop'), and run this again"
            ),
            error => format!("{error:#}"),
        }
    }

    /// Classifies an error of the file system. `what` names the file or what was being done.
    #[must_use]
    pub fn io(what: impl Into<String>, error: io::Error) -> Self {
        let kind = error.kind();
        let reason = Reason::caused_by(what, error);
        match kind {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(reason),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Damaged(reason),
            _ => Self::Failed(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_shown_once_and_on_request() {
        let inner = io::Error::new(io::ErrorKind::StorageFull, "no room");
        let error = StoreError::io("cannot write a", io::Error::new(inner.kind(), inner));
        assert!(matches!(error, StoreError::Full(_)));
        assert_eq!(error.to_string(), "cannot write a");
        assert_eq!(format!("{error:#}"), "cannot write a: no room");
        assert_eq!(error.source().unwrap().to_string(), "no room");
        assert!(StoreError::Failed("it ended".into()).source().is_none());
    }
}
