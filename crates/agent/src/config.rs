//! What receiving, recording and delivering is configured with.

use std::path::PathBuf;
use std::time::Duration;

use cutshort_capture::{LiveSettings, LiveSource};

/// What receiving, recording and delivering is configured with: by `cutshort agent`, or by a server that receives
/// packets itself.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// The source of packets.
    pub source: LiveSource,
    /// How packets are received from it.
    pub live: LiveSettings,
    /// The name of this server in the store; the host name without one.
    pub node: Option<String>,
    /// The folder for the report file, and for the spool of an agent.
    pub folder: PathBuf,
    /// The spool directory.
    pub spool: PathBuf,
    /// The size limit of the spool, in bytes.
    pub spool_bytes: u64,
    /// How long packets are collected before they are delivered.
    pub segment_time: Duration,
    /// The longest wait before a failed delivery is retried.
    pub retry_time: Duration,
}
