//! The names of the files in a data directory.

use std::path::{Path, PathBuf};

use cutshort_verdict::DataSet;

/// The data directory of a server: the files of an embedded store, and those that other parts of the program keep
/// next to them. All names are defined here, so that a store can tell them from files of other programs. An agent's
/// directory also has the key and the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDir(PathBuf);

/// The lock file of the process that writes to the store.
pub const LOCK: &str = "lock";
/// The directory of segments.
pub const PACKETS: &str = "packets";
/// The directory of the connections, one file per window.
pub const CONNECTIONS: &str = "connections";
/// Where earlier versions wrote the segment in progress.
pub const OPEN: &str = "open";
/// Where damaged files are put.
pub const DAMAGED: &str = "damaged";
/// The database of segments and counts.
pub const DATABASE: &str = "rollup.sqlite";
/// The database of annotations.
pub const ANNOTATIONS: &str = "annotations.sqlite";
/// The database of events.
pub const EVENTS: &str = "events.sqlite";
/// The database of what other sources say.
pub const OUTSIDE: &str = "corroboration.sqlite";
// Files beside it.
const TOKENS: &str = "tokens.toml";
const SETTINGS: &str = "settings.toml";
const ADDRESS_KEY: &str = "address.key";
const SPOOL: &str = "spool";
// Stores of other data sets.
const ORIGIN: &str = "origin";
const QUIC: &str = "quic";
/// Known by the name of the directory.
const QUIC_KEY: &str = "quic.key";
const STATE: &str = "state.json";
const NETWORKS: &str = "networks.geo.csv";

/// All names above.
const NAMES: [&str; 17] = [
    LOCK,
    PACKETS,
    CONNECTIONS,
    OPEN,
    DAMAGED,
    DATABASE,
    ANNOTATIONS,
    EVENTS,
    OUTSIDE,
    ORIGIN,
    QUIC,
    TOKENS,
    SETTINGS,
    ADDRESS_KEY,
    SPOOL,
    STATE,
    NETWORKS,
];

/// The directory of the store of a data set; none if it is the data directory itself.
#[must_use]
pub const fn subdirectory(data_set: DataSet) -> Option<&'static str> {
    match data_set {
        DataSet::Origin => Some(ORIGIN),
        DataSet::Quic => Some(QUIC),
        _ => None,
    }
}

impl DataDir {
    /// The directory at a path, which need not exist.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The file of API tokens, as hashes.
    #[must_use]
    pub fn tokens(&self) -> PathBuf {
        self.0.join(TOKENS)
    }

    /// The key with which addresses are protected.
    #[must_use]
    pub fn address_key(&self) -> PathBuf {
        self.0.join(ADDRESS_KEY)
    }

    /// The key for hashes of the connection ids of QUIC.
    #[must_use]
    pub fn quic_key(&self) -> PathBuf {
        self.0.join(QUIC_KEY)
    }

    /// The directory of received packets that are not in the store yet.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.0.join(SPOOL)
    }

    /// The file in which a receiver reports its state, for `cutshort doctor`.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.0.join(STATE)
    }

    /// The simulated networks of a demo.
    #[must_use]
    pub fn networks(&self) -> PathBuf {
        self.0.join(NETWORKS)
    }

    /// Whether a name in the directory belongs to one of its files, to one that SQLite keeps next to it, or to a
    /// [temporary](cutshort_files::temporary) one.
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
        let own = [dir.tokens(), dir.address_key(), dir.quic_key(), dir.spool(), dir.state(), dir.networks()];
        for path in own.iter().flat_map(|path| [path.clone(), cutshort_files::temporary(path)]) {
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
