//! What was found, before it is judged.

use std::path::PathBuf;
use std::time::Duration;

use cutshort_agent::{Probe, Report};
use cutshort_capture::LiveSource;
use cutshort_capture::rules::{Chains, Loaded};

/// All that was found. What does not belong to the agent or server in question is none.
pub struct Seen {
    /// Now, in nanoseconds since the Unix epoch.
    pub now: i64,
    /// The command line, to be repeated with more rights.
    pub command: String,
    /// Whether the kernel tells about rules and groups.
    pub may_look: bool,
    /// Whether the process runs as root.
    pub is_root: bool,
    /// The features of the kernel.
    pub kernel: Kernel,
    /// The source of packets.
    pub source: Option<LiveSource>,
    /// The rules that are loaded, nft and iptables; none if the kernel does not tell.
    pub rules: Option<(Vec<Loaded>, Chains)>,
    /// Whether the Debian package's unit has loaded rules.
    pub is_unit: bool,
    /// Who listens to the group, by port number; none if the kernel does not tell.
    pub listener: Option<Option<u32>>,
    /// Whether the interface is there and up.
    pub interface: Option<Interface>,
    /// What the one who receives has written last, and where to.
    pub station: Option<Station>,
    /// The collector that the agent delivers to.
    pub collector: Option<Collector>,
    /// The store to which an agent delivers without a collector.
    pub store: Option<Store>,
    /// The server that should answer.
    pub server: Option<Server>,
    /// Sources of geographic data, or why there are none.
    pub geo: Option<Result<Vec<(String, String)>, String>>,
    /// The disks of the folders.
    pub disks: Vec<Disk>,
}

/// The features of the kernel; none if they cannot be seen.
pub struct Kernel {
    /// Whether it has nftables.
    pub nf_tables: Option<bool>,
    /// Whether it can log packets to programs.
    pub nfnetlink_log: Option<bool>,
    /// Whether it can restrict system calls.
    pub seccomp: bool,
    /// Whether it can restrict file access.
    pub landlock: bool,
}

/// The state of a network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// It is up.
    Up,
    /// It is down.
    Down,
    /// There is no interface with this name.
    Missing,
}

/// The process that receives.
pub struct Station {
    /// Whether it is an agent; else it is a server that receives itself.
    pub is_agent: bool,
    /// The command line that starts it.
    pub start: String,
    /// The folder of its report file.
    pub folder: PathBuf,
    /// The spool directory.
    pub spool: PathBuf,
    /// The report file.
    pub report: Reported,
    /// A report that was written after the rules' counters were read, if one was awaited.
    pub later: Option<Report>,
}

/// The report file of a process that receives.
pub enum Reported {
    /// There is no such file.
    Missing,
    /// It must not be read.
    NotAllowed,
    /// It cannot be read, for this reason.
    Wrong(String),
    /// It was read.
    Read(Box<Report>),
}

/// Where an agent delivers to.
pub struct Collector {
    /// Its address, without a password.
    pub url: String,
    /// Why there is no token that could be tried.
    pub token: Result<(), String>,
    /// Its answer to an empty segment, or why none could be sent.
    pub probe: Result<Probe, String>,
    /// Host and port of the proxy that stands in between.
    pub proxy: Option<String>,
    /// How much later it is there than here, in seconds.
    pub offset: Option<f64>,
}

/// A store on another server.
pub struct Store {
    /// Its address, without the password.
    pub url: String,
    /// How long it took to be let in, or why that failed.
    pub opened: Result<Duration, String>,
}

/// A server on this host.
pub struct Server {
    /// The URL of the server.
    pub url: String,
    /// Status and body of `/readyz`.
    pub ready: Result<(u16, String), String>,
    /// How long the answer took.
    pub took: Duration,
}

/// The disk of a folder.
pub struct Disk {
    /// The path of the directory.
    pub path: PathBuf,
    /// The free bytes and all bytes, or why they are not known.
    pub room: Result<(u64, u64), String>,
}
