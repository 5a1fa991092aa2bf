//! What is in a data directory.

use std::path::{Path, PathBuf};

/// The directory of a server: the files of an embedded store, and those that other parts of the
/// program keep beside them. All names stand here, so that a store knows which files are not foreign. An agent's
/// directory has the key and the state, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDir(PathBuf);

/// Held by the process that writes to the store.
pub const LOCK: &str = "lock";
/// The directory of segments.
pub const PACKETS: &str = "packets";
/// The directory of the windows' connections.
pub const CONNECTIONS: &str = "connections";
/// Where earlier versions wrote the segment in progress.
pub const OPEN: &str = "open";
/// Where damaged files are put.
pub const DAMAGED: &str = "damaged";
/// The catalogue and the counts.
pub const DATABASE: &str = "rollup.sqlite";
/// What operators noted.
pub const ANNOTATIONS: &str = "annotations.sqlite";
// Files beside it.
const TOKENS: &str = "tokens.toml";
const SETTINGS: &str = "settings.toml";
const ADDRESS_KEY: &str = "address.key";
const SPOOL: &str = "spool";
const STATE: &str = "state.json";
const NETWORKS: &str = "networks.geo.csv";

/// All of them.
const NAMES: [&str; 13] = [
    LOCK,
    PACKETS,
    CONNECTIONS,
    OPEN,
    DAMAGED,
    DATABASE,
    ANNOTATIONS,
    TOKENS,
    SETTINGS,
    ADDRESS_KEY,
    SPOOL,
    STATE,
    NETWORKS,
];

impl DataDir {
    /// The directory at a path, which need not exist.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The tokens of the API, as hashes.
    #[must_use]
    pub fn tokens(&self) -> PathBuf {
        self.0.join(TOKENS)
    }

    /// The key for addresses that are not kept in full.
    #[must_use]
    pub fn address_key(&self) -> PathBuf {
        self.0.join(ADDRESS_KEY)
    }

    /// Received packets that are not in the store yet.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.0.join(SPOOL)
    }

    /// How receiving goes, for `cutshort doctor`.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.0.join(STATE)
    }

    /// The made-up networks of a demo.
    #[must_use]
    pub fn networks(&self) -> PathBuf {
        self.0.join(NETWORKS)
    }

    /// Where a file is written before it is renamed to `path`, one of the others: its name says what it belongs to.
    #[must_use]
    pub fn temporary(path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", std::process::id()));
        name.into()
    }

    /// Whether a name in the directory is that of one of its files, of one that SQLite keeps beside it, or of a
    /// [temporary](Self::temporary) one.
    pub fn has_name(name: &str) -> bool {
        let beside = |rest: &str| rest.is_empty() || rest.starts_with(['.', '-']);
        NAMES.iter().any(|own| name.strip_prefix(own).is_some_and(beside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_known() {
        let dir = DataDir::new(Path::new("/d"));
        let own = [dir.tokens(), dir.address_key(), dir.spool(), dir.state(), dir.networks()];
        for path in own.iter().flat_map(|path| [path.clone(), DataDir::temporary(path)]) {
            assert!(
                DataDir::has_name(path.strip_prefix("/d").unwrap().to_str().unwrap()),
                "{}",
                path.display()
            );
        }
        for name in ["annotations.sqlite-wal", "rollup.sqlite-shm", "lock", "settings.toml"] {
            assert!(DataDir::has_name(name), "{name}");
        }
        for name in ["photos", "lockfile", "my.sqlite", "tokens", "packets2", ".profile"] {
            assert!(!DataDir::has_name(name), "{name}");
        }
    }
}
