//! What was found, before anything is said about it.

use std::path::PathBuf;
use std::time::Duration;

use cutshort_agent::{Probe, Report};
use cutshort_capture::LiveSource;
use cutshort_capture::rules::{Chains, Loaded};

/// All that was found. What does not belong to the agent or server that was asked about is none.
pub(super) struct Seen {
    /// Now, in nanoseconds since the Unix epoch.
    pub(super) now: i64,
    /// The command line, to be repeated with more rights.
    pub(super) command: String,
    /// Whether the kernel tells about rules and groups.
    pub(super) may_look: bool,
    pub(super) is_root: bool,
    pub(super) kernel: Kernel,
    /// Where packets come from.
    pub(super) source: Option<LiveSource>,
    /// The rules that are loaded, nft and iptables; none if the kernel does not tell.
    pub(super) rules: Option<(Vec<Loaded>, Chains)>,
    /// Whether the Debian package's unit has loaded rules.
    pub(super) is_unit: bool,
    /// Who listens to the group, by port number; none if the kernel does not tell.
    pub(super) listener: Option<Option<u32>>,
    /// Whether the interface is there and up.
    pub(super) interface: Option<Interface>,
    /// What the one who receives has written last, and where to.
    pub(super) station: Option<Station>,
    pub(super) collector: Option<Collector>,
    /// The store to which an agent delivers without a collector.
    pub(super) store: Option<Store>,
    pub(super) server: Option<Server>,
    /// Sources of geographic data, or why there are none.
    pub(super) geo: Option<Result<Vec<(String, String)>, String>>,
    pub(super) disks: Vec<Disk>,
}

/// Whether the kernel has something; none if that cannot be seen.
pub(super) struct Kernel {
    pub(super) nf_tables: Option<bool>,
    pub(super) nfnetlink_log: Option<bool>,
    pub(super) seccomp: bool,
    pub(super) landlock: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Interface {
    Up,
    Down,
    Missing,
}

/// Who receives.
pub(super) struct Station {
    /// Whether it is an agent; else it is a server that receives itself.
    pub(super) is_agent: bool,
    /// The command that starts it.
    pub(super) start: String,
    pub(super) folder: PathBuf,
    pub(super) spool: PathBuf,
    pub(super) report: Reported,
    /// A report that was written after the rules' counters were read, if one was awaited.
    pub(super) later: Option<Report>,
}

pub(super) enum Reported {
    Missing,
    NotAllowed,
    Wrong(String),
    Read(Box<Report>),
}

/// Where an agent delivers to.
pub(super) struct Collector {
    pub(super) url: String,
    /// Why there is no token that could be tried.
    pub(super) token: Result<(), String>,
    pub(super) probe: Result<Probe, String>,
    /// Host and port of the proxy that stands in between.
    pub(super) proxy: Option<String>,
    /// How much later it is there than here, in seconds.
    pub(super) offset: Option<f64>,
}

/// A store elsewhere.
pub(super) struct Store {
    /// Without the password.
    pub(super) url: String,
    /// How long it took to be let in, or why that failed.
    pub(super) opened: Result<Duration, String>,
}

/// A server here.
pub(super) struct Server {
    pub(super) url: String,
    /// Status and body of `/readyz`.
    pub(super) ready: Result<(u16, String), String>,
    pub(super) took: Duration,
}

pub(super) struct Disk {
    pub(super) path: PathBuf,
    /// Bytes that are free and all of them, or why that is not known.
    pub(super) room: Result<(u64, u64), String>,
}
