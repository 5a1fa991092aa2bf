//! The agent or server in question.

use std::net::SocketAddr;
use std::path::PathBuf;

use cutshort_agent::HttpSettings;
use cutshort_capture::LiveSource;

/// The agent or server in question, as far as its settings are known.
#[derive(Default)]
pub struct Subject {
    /// The source of packets, if it is set.
    pub source: Option<LiveSource>,
    /// The agent's spool.
    pub spool: Option<PathBuf>,
    /// The directory of the server's store.
    pub data: Option<PathBuf>,
    /// The collector that the agent delivers to.
    pub collector: Option<CollectorSubject>,
    /// The store that the agent delivers to without a collector.
    pub deliver: Option<StoreSubject>,
    /// The server's store, if it is on another server.
    pub store: Option<StoreSubject>,
    /// The address of the server, if it should be asked.
    pub server: Option<SocketAddr>,
    /// The geo files, if places are looked up there.
    pub geo: Option<Vec<PathBuf>>,
    /// Secrets that the server sends to receivers of alarms unencrypted, in words.
    pub exposed: Vec<String>,
}

/// A collector, and what it is reached with.
pub struct CollectorSubject {
    /// The address, and what is sent there.
    pub http: HttpSettings,
    /// Why there is no token. Then the token of `http` is sent all the same, since any answer tells something.
    pub token: Result<(), String>,
    /// The file of the token, if one is set.
    pub token_file: Option<PathBuf>,
}

/// A store on another server.
pub struct StoreSubject {
    /// The address, without the password.
    pub url: String,
    /// Opens the store and closes it again.
    pub open: Box<dyn Fn() -> Result<(), String>>,
}
