//! A source of packets, opened with all privileges, from which packets are then recorded without.

use std::fmt;
use std::sync::Arc;

use cutshort_capture::rules::{self, Loaded};
use cutshort_capture::{Groups, Live, LiveError, LiveSets, LiveSource, Reading};
use cutshort_pipeline::Privacy;
use cutshort_pipeline::live::{Collector, Recorder, RecorderSettings, Retry, Spool};
use cutshort_sandbox::{Capability, Needs};
use cutshort_store::{Result as StoreResult, check_node};
use cutshort_verdict::DataSet;

use crate::config::AgentConfig;
use crate::report::{About, Reporter};
use crate::station::{Parts, Station};

/// An open source of packets, and everything that recording needs.
pub struct Capture {
    config: AgentConfig,
    /// What this server is called.
    node: String,
    live: Live,
    reading: Reading,
    /// The rules that were loaded then, as far as that could be seen.
    rules: Vec<Loaded>,
    privacy: Privacy,
}

/// Why a source cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum CaptureError {
    /// The server's name cannot be used.
    Node(String),
    /// The source cannot be opened.
    Source(LiveSource, LiveError),
    /// The folder cannot be made.
    Folder(cutshort_sandbox::Error),
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(why) => write!(f, "{why}; choose another one with --node"),
            Self::Source(source, error) => write!(f, "{source}: {error}"),
            Self::Folder(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CaptureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Node(_) => None,
            Self::Source(_, error) => Some(error),
            Self::Folder(error) => Some(error),
        }
    }
}

impl Capture {
    /// Opens the source and makes its folder. Adds to `needs`, whose user is set, what receiving and recording need.
    /// `privacy` is called when the folder is there, which may contain its key.
    ///
    /// # Errors
    /// A [`CaptureError`], or the error of `privacy`.
    pub fn open<E: From<CaptureError>>(
        config: AgentConfig,
        needs: &mut Needs,
        privacy: impl FnOnce() -> Result<Privacy, E>,
    ) -> Result<Self, E> {
        let node = node(config.node.as_deref())?;
        let reading = Reading::default();
        let live = Live::open(&config.source, &config.live, &reading);
        let live = live.map_err(|error| CaptureError::Source(config.source.clone(), error))?;
        // From now on what they log is received.
        let rules = rules::status().unwrap_or_default();
        needs.write_in(&config.folder).map_err(CaptureError::Folder)?;
        needs.capabilities.extend(capability(&config.source));
        let privacy = privacy()?;
        Ok(Self { config, node, live, reading, rules, privacy })
    }

    /// The source of packets.
    #[must_use]
    pub const fn source(&self) -> &LiveSource {
        &self.config.source
    }

    /// The data sets that it samples: as its settings say, or its rules.
    fn sets(&self) -> LiveSets {
        match &self.config.source {
            LiveSource::AfPacket(_) | LiveSource::Ebpf(_) => self.config.live.sets,
            LiveSource::Nflog(groups) => sets_of(*groups, &self.rules),
        }
    }

    /// The data set that it samples, if it is the only one. Rules that cannot be seen may be those of any.
    fn only_data_set(&self) -> Option<DataSet> {
        let is_seen = !matches!(self.config.source, LiveSource::Nflog(_)) || !self.rules.is_empty();
        match *self.sets().names() {
            [name] if is_seen => name.parse().ok(),
            _ => None,
        }
    }

    /// Writes the report file of this capture.
    pub(crate) fn reporter(&self) -> Reporter {
        Reporter::new(About {
            folder: self.config.folder.clone(),
            node: self.node.clone(),
            source: self.config.source.clone(),
            spool_bytes: self.config.spool_bytes,
            rules: self.rules.clone(),
            data_set: self.only_data_set(),
        })
    }

    /// Begins to receive, record and deliver.
    pub(crate) fn start(self, collector: Box<dyn Collector>) -> StoreResult<Station> {
        let sets = self.sets();
        let Self { config, node, live, reading, privacy, .. } = self;
        let spool = Arc::new(Spool::open(&config.spool, config.spool_bytes)?);
        let recorder = RecorderSettings { node, every: config.segment_time, ..RecorderSettings::default() };
        let first = Retry::default().first.min(config.retry_time);
        Ok(Station::start(Parts {
            source: config.source,
            settings: config.live,
            live,
            reading,
            recorder: Recorder::start(Arc::clone(&spool), recorder, privacy)?,
            sets,
            spool,
            collector,
            retry: Retry { first, most: config.retry_time },
        }))
    }
}

/// The data sets of rules that log to some groups. A group without our rules may have those of others, which log packets of
/// clients.
fn sets_of(groups: Groups, rules: &[Loaded]) -> LiveSets {
    let of_group = |group: u16| {
        let logging = rules.iter().filter(move |loaded| loaded.group() == Some(group));
        logging.map(Loaded::data_set).reduce(|all, set| all | set).unwrap_or(LiveSets::TCP)
    };
    groups.iter().map(of_group).reduce(|all, set| all | set).unwrap_or_default()
}

/// What this server is called; later the host's name cannot be read any more.
fn node(name: Option<&str>) -> Result<String, CaptureError> {
    let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.map_or_else(|| host().trim().to_owned(), str::to_owned);
    check_node(&name).map_err(CaptureError::Node)?;
    Ok(name)
}

/// An interface may disappear and return: then its socket is opened again.
const fn capability(source: &LiveSource) -> Option<Capability> {
    match source {
        LiveSource::AfPacket(_) => Some(Capability::NetRaw),
        LiveSource::Nflog(_) | LiveSource::Ebpf(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(table: &str, group: u16) -> Loaded {
        Loaded {
            table: table.to_owned(),
            about: format!("1 in 100, group {group}"),
            options: None,
            counters: Vec::new(),
            outdated: false,
        }
    }

    #[test]
    fn only_what_rules_sample_is_expected() {
        let sets = |groups: &str, rules: &[Loaded]| sets_of(groups.parse().unwrap(), rules).names().join(",");
        let (tcp, quic) = (loaded("cutshort", 5), loaded("cutshort_quic", 7));
        assert_eq!(sets("7", std::slice::from_ref(&quic)), "quic", "no silence of clients over TCP");
        assert_eq!(sets("5,7", &[tcp.clone(), quic.clone()]), "tcp,quic");
        assert_eq!(sets("5,7", std::slice::from_ref(&quic)), "tcp,quic", "rules of others log to group 5");
        assert_eq!(sets("7", &[tcp, loaded("cutshort_origin", 7)]), "origin");
        assert_eq!(sets("5", &[]), "tcp", "rules that cannot be seen");
    }
}
