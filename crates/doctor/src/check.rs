//! One thing that was looked at, and what was found.

/// The state of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Nothing is wrong.
    Ok,
    /// Something should be looked at, or cannot be seen.
    Warning,
    /// Connections are lost until it is fixed.
    Failing,
}

impl Status {
    /// The name in tables and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failing => "failing",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The state that was found.
    pub status: Status,
    /// The name of the thing, in one word.
    pub name: &'static str,
    /// The findings in words.
    pub found: String,
    /// The command that fixes it, perhaps with a remark; none if nothing is wrong.
    pub fix: Option<String>,
}

impl Check {
    pub(crate) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { status: Status::Ok, name, found: found.into(), fix: None }
    }

    pub(crate) fn warning(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Warning, name, found: found.into(), fix: Some(fix.into()) }
    }

    pub(crate) fn failing(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Failing, ..Self::warning(name, found, fix) }
    }
}
