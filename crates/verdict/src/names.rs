//! Looks up terms by name, with an error that lists the known names.

use std::fmt;

/// The error for a name that no stage, termination, tag or signature has. It lists those that exist.
///
/// ```
/// use cutshort_verdict::{DataSet, Stage, Unknown};
///
/// assert_eq!(DataSet::Tcp.stage("Post-PSH"), Ok(Stage::PostPsh));
/// let error: Unknown = DataSet::Tcp.stage("post").unwrap_err();
/// assert!(error.to_string().contains("post_syn, post_ack, post_psh, later, none"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    what: &'static str,
    name: String,
    known: Vec<String>,
}

impl Unknown {
    pub(crate) fn new(what: &'static str, name: &str, known: impl IntoIterator<Item: Into<String>>) -> Self {
        Self { what, name: name.to_owned(), known: known.into_iter().map(Into::into).collect() }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} is called '{}'; there are: {}", self.what, self.name, self.known.join(", "))
    }
}

impl std::error::Error for Unknown {}

/// Finds the item called `name`; capitals and `-` for `_` do not matter.
pub(crate) fn find<T: Copy>(
    what: &'static str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
    name: &str,
) -> Result<T, Unknown> {
    let wanted = name.trim().to_ascii_lowercase().replace('-', "_");
    all.iter()
        .copied()
        .find(|item| name_of(*item).eq_ignore_ascii_case(&wanted))
        .ok_or_else(|| Unknown::new(what, name, all.iter().map(|item| name_of(*item))))
}
