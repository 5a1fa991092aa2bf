//! What was found, before it is judged.

use std::path::PathBuf;
use std::time::Duration;

use cutshort_agent::{Probe, Report};
use cutshort_capture::LiveSource;
use cutshort_capture::rules::{Chains, Loaded};

/// Everything that was found. Fields are `None` if they do not concern the agent or server in question.
pub struct Seen {
    /// The current time, in nanoseconds since the Unix epoch.
    pub now: i64,
    /// The command line, to repeat with more privileges.
    pub command: String,
    /// Whether the process may see rules and groups of the netfilter log.
    pub may_look: bool,
    /// Whether the process runs as root.
    pub is_root: bool,
    /// The features of the kernel.
    pub kernel: Kernel,
    /// The source of packets.
    pub source: Option<LiveSource>,
    /// The loaded rules, of nft and iptables; `None` if they cannot be seen.
    pub rules: Option<(Vec<Loaded>, Chains)>,
    /// Whether the Debian package's unit has loaded rules.
    pub is_unit: bool,
    /// What happens to connections on their way through this host.
    pub paths: Paths,
    /// The netlink port that listens to the group, if any does; `None` if that cannot be seen.
    pub listener: Option<Option<u32>>,
    /// The state of the interface that packets are received from.
    pub interface: Option<Interface>,
    /// The process that receives, and its latest report.
    pub station: Option<Station>,
    /// The collector that the agent delivers to.
    pub collector: Option<Collector>,
    /// The store on another server.
    pub store: Option<Store>,
    /// The server that should answer.
    pub server: Option<Server>,
    /// Name and date of each source of geo data, or why they cannot be read.
    pub geo: Option<Result<Vec<(String, String)>, String>>,
    /// Secrets that are sent unencrypted, in words.
    pub exposed: Vec<String>,
    /// The disks of the folders.
    pub disks: Vec<Disk>,
}

/// The features of the kernel; `None` where they cannot be seen.
pub struct Kernel {
    /// Whether it has nftables.
    pub nf_tables: Option<bool>,
    /// Whether it can log packets to programs.
    pub nfnetlink_log: Option<bool>,
    /// Whether it can attach the program of `ebpf:` (Linux 6.6).
    pub bpf_links: bool,
    /// Whether it can restrict system calls.
    pub seccomp: bool,
    /// Whether it can restrict file access.
    pub landlock: bool,
}

/// What happens to connections on their way through this host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// Whether it forwards packets of others.
    pub forwards: bool,
    /// Chains and services that may change address or port of connections that it opens.
    pub translations: Vec<String>,
    /// Whether the kernel answers with SYN cookies when its queue of half-open connections is full; `None` if that cannot be
    /// seen.
    pub syn_cookies: Option<bool>,
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
    /// Whether it is an agent; otherwise it is a server with `--capture`.
    pub is_agent: bool,
    /// The command line that starts it.
    pub start: String,
    /// The folder of its report file.
    pub folder: PathBuf,
    /// The spool directory.
    pub spool: PathBuf,
    /// The report file.
    pub report: Reported,
    /// A report that was written after the rules' counters were read, if it was worth waiting for one.
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

/// The collector that an agent delivers to.
pub struct Collector {
    /// Its address, without a password.
    pub url: String,
    /// Whether there is a token, or why there is none.
    pub token: Result<(), String>,
    /// Its answer to an empty segment, or why none could be sent.
    pub probe: Result<Probe, String>,
    /// The host and port of the proxy, if there is one.
    pub proxy: Option<String>,
    /// The seconds by which the collector's clock is ahead of this one.
    pub offset: Option<f64>,
}

/// A store on another server.
pub struct Store {
    /// Its address, without the password.
    pub url: String,
    /// The time that it took to open, or why that failed.
    pub opened: Result<Duration, String>,
}

/// A server on this host.
pub struct Server {
    /// The URL of the server.
    pub url: String,
    /// The status and body of `/readyz`, or why there is no answer.
    pub ready: Result<(u16, String), String>,
    /// The time until the answer.
    pub took: Duration,
}

/// The disk of a folder.
pub struct Disk {
    /// The path of the directory.
    pub path: PathBuf,
    /// The free bytes and all bytes, or why they are not known.
    pub room: Result<(u64, u64), String>,
}
