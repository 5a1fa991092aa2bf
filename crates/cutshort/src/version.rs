//! What `--version` says: the version, the commit, and of when the built-in geo data is.

use std::fmt::Write;

use cutshort_geo::Geo;

pub(crate) fn text() -> String {
    let mut text = format!("cutshort {}", env!("CARGO_PKG_VERSION"));
    if let Some(commit) = option_env!("BUILD_COMMIT") {
        let _ = write!(text, " (commit {commit})");
    }
    for source in Geo::builtin().sources() {
        let _ = write!(text, "\ngeo data: {}, {}", source.name, source.date);
    }
    text
}
