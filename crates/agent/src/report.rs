//! The state of a station, in a small file that `cutshort doctor` reads.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use cutshort_capture::rules::Loaded;
use cutshort_capture::{LiveCount, LiveSource};
use cutshort_model::nanoseconds;
use cutshort_pipeline::live::{AgentCounts, SpoolCounts};
use cutshort_store::DataDir;
use cutshort_verdict::DataSet;
use serde::{Deserialize, Serialize};

use crate::station::StationState;

/// The state of a station at some time. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// The id of the process.
    pub pid: u32,
    /// The time when this was written.
    pub time: i64,
    /// The time when the station started.
    pub started: i64,
    /// Whether the station has ended.
    pub ended: bool,
    /// The name of the server in the store.
    pub node: String,
    /// The source of packets.
    pub source: String,
    /// Packets received since the start.
    pub received: u64,
    /// Packets received in the last minute.
    pub last_minute: u64,
    /// Packets since the start that the kernel delivered or reported as lost.
    pub seen: u64,
    /// Packets since the start that the kernel dropped because the receive buffer was full.
    pub lost: u64,
    /// Chosen connections since the start that could not be remembered, at least.
    pub left_out: u64,
    /// Packets since the start that could not be written.
    pub unwritten: u64,
    /// The time of the latest packet.
    pub latest: Option<i64>,
    /// The packets that each table of rules had logged when the station started.
    pub logged_before: BTreeMap<String, u64>,
    /// The reason why packets cannot be written, if they cannot.
    pub trouble: Option<String>,
    /// The state of the spool.
    pub spool: SpoolReport,
    /// The state of the delivery.
    pub delivery: DeliveryReport,
}

/// The state of a spool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpoolReport {
    /// The number of segments that wait.
    pub segments: u64,
    /// The number of packets in these segments.
    pub packets: u64,
    /// The size of these segments, in bytes.
    pub bytes: u64,
    /// The size limit, in bytes.
    pub limit: u64,
    /// The beginning of the time that the oldest of them covers.
    pub oldest: Option<i64>,
    /// Packets dropped from the spool since the start.
    pub dropped: u64,
    /// Packets since the start that the collector has refused.
    pub refused: u64,
}

/// The state of the delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeliveryReport {
    /// The time when a segment was acknowledged last.
    pub acknowledged: Option<i64>,
    /// Failed attempts since the start.
    pub failures: u64,
    /// The reason of the latest failure, until a delivery succeeds.
    pub trouble: Option<String>,
    /// Whether somebody has to fix something before deliveries can succeed.
    pub blocked: bool,
}

impl Report {
    /// The approximate interval between two reports.
    pub const EVERY: Duration = Duration::from_secs(5);

    /// The path of the report in a folder.
    #[must_use]
    pub fn path(folder: &Path) -> PathBuf {
        DataDir::new(folder).state()
    }

    /// Reads the latest report of the station in a folder.
    ///
    /// # Errors
    /// The errors of reading the file ([`io::ErrorKind::NotFound`] if no station has run there), and
    /// [`io::ErrorKind::Other`] if the file is not a report.
    pub fn read(folder: &Path) -> io::Result<Self> {
        serde_json::from_slice(&fs::read(Self::path(folder))?).map_err(io::Error::other)
    }

    /// Writes the file as a whole or not at all.
    fn write(&self, folder: &Path) -> io::Result<()> {
        let path = Self::path(folder);
        cutshort_files::replace(&cutshort_files::temporary(&path), &path, &serde_json::to_vec(self)?)
    }
}

/// The parts of a [`Report`] that do not change.
#[derive(Clone, Debug)]
pub struct About {
    /// The folder of the report.
    pub folder: PathBuf,
    /// The name of the server in the store.
    pub node: String,
    /// The source of packets.
    pub source: LiveSource,
    /// The size limit of the spool, in bytes.
    pub spool_bytes: u64,
    /// The rules that were loaded when the source was opened, as far as that could be seen.
    pub rules: Vec<Loaded>,
    /// The data set that is sampled, if it is known and the only one.
    pub data_set: Option<DataSet>,
}

/// Writes a [`Report`] every few seconds.
pub struct Reporter {
    folder: PathBuf,
    report: Report,
    counts_before: Option<SpoolCounts>,
    data_set: Option<DataSet>,
    /// Packets at times of the last minute.
    past: VecDeque<(Instant, u64)>,
    written: Option<Instant>,
}

const MINUTE: Duration = Duration::from_mins(1);

impl Reporter {
    /// Makes a reporter, which has not written anything yet.
    #[must_use]
    pub fn new(about: About) -> Self {
        let logged = |loaded: &Loaded| Some((loaded.table.clone(), loaded.packets("logged")?));
        let report = Report {
            pid: std::process::id(),
            started: nanoseconds(SystemTime::now()),
            node: about.node,
            source: about.source.to_string(),
            logged_before: about.rules.iter().filter_map(logged).collect(),
            spool: SpoolReport { limit: about.spool_bytes, ..SpoolReport::default() },
            ..Report::default()
        };
        let past = VecDeque::from([(Instant::now(), 0)]);
        Self {
            folder: about.folder,
            report,
            counts_before: None,
            data_set: about.data_set,
            past,
            written: None,
        }
    }

    /// Writes a report, if [`Report::EVERY`] has passed since the latest one.
    pub fn note(&mut self, state: &StationState) {
        if self.written.is_none_or(|written| written.elapsed() >= Report::EVERY) {
            self.write(state);
        }
    }

    /// The counts that are sent to a collector.
    #[must_use]
    pub fn counts(&self, state: &StationState) -> AgentCounts {
        let before = self.counts_before.unwrap_or(state.spool.counts);
        AgentCounts {
            received: state.live.taken(),
            lost: state.live.lost,
            unwritten: state.recorder.unwritten,
            dropped: state.spool.counts.dropped.1.saturating_sub(before.dropped.1),
            waiting: state.spool.packets,
            left_out: state.live.left_out.connections,
            left_out_times: state.live.left_out.latest.map(|spell| (spell.from, spell.to)),
            left_out_of: self.data_set,
        }
    }

    /// Writes the last report, which says that the station has ended.
    pub fn end(&mut self, state: &StationState) {
        self.report.ended = true;
        self.write(state);
    }

    fn write(&mut self, state: &StationState) {
        let now = Instant::now();
        self.written = Some(now);
        self.past.push_back((now, state.live.taken()));
        while self.past.len() > 1 && self.past[1].0 + MINUTE <= now {
            self.past.pop_front();
        }
        self.take(state);
        // It is there for people who look for what is wrong, and no reason to stop.
        if let Err(error) = self.report.write(&self.folder) {
            tracing::debug!("the state cannot be written: {error}");
        }
    }

    fn take(&mut self, state: &StationState) {
        let StationState { live, recorder, spool, uploader } = state;
        let before = self.counts_before.get_or_insert(spool.counts);
        let report = &mut self.report;
        report.time = nanoseconds(SystemTime::now());
        report.received = live.taken();
        report.last_minute = report.received - self.past.front().map_or(0, |past| past.1);
        report.seen = seen(live);
        (report.lost, report.unwritten) = (live.lost, recorder.unwritten);
        report.left_out = live.left_out.connections;
        report.latest = recorder.latest;
        report.trouble.clone_from(&recorder.trouble);
        report.spool = SpoolReport {
            segments: spool.segments,
            packets: spool.packets,
            bytes: spool.bytes,
            limit: report.spool.limit,
            oldest: spool.oldest.and_then(|oldest| i64::try_from(oldest).ok()),
            dropped: spool.counts.dropped.1.saturating_sub(before.dropped.1),
            refused: spool.counts.refused.1.saturating_sub(before.refused.1),
        };
        report.delivery = DeliveryReport {
            acknowledged: uploader.acknowledged,
            failures: uploader.failures,
            trouble: uploader.trouble.clone(),
            blocked: uploader.blocked,
        };
    }
}

/// What rules count as logged, as far as a receiver knows of it.
fn seen(live: &LiveCount) -> u64 {
    live.taken()
        + live.capped
        + live.lost
        + live.other_errors
        + live.malformed
        + live.refused.iter().sum::<u64>()
}

#[cfg(test)]
mod tests {
    use cutshort_capture::Spell;
    use cutshort_capture::rules::Counter;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let logged = Counter { name: "logged".to_owned(), packets: 5 };
        let rules = vec![Loaded {
            table: "cutshort".to_owned(),
            about: String::new(),
            options: None,
            counters: vec![logged],
            outdated: false,
        }];
        let source = LiveSource::Nflog(5.into());
        let node = "edge".to_owned();
        let data_set = Some(DataSet::Quic);
        let about = About { folder: folder.path().to_owned(), node, source, spool_bytes: 9, rules, data_set };
        let mut reporter = Reporter::new(about);
        assert!(Report::read(folder.path()).is_err());
        let mut state = StationState::default();
        state.spool.counts.dropped = (1, 100);
        (state.live.packets, state.live.capped, state.live.lost) = (12, 3, 2);
        state.live.left_out.connections = 107;
        state.live.left_out.latest = Some(Spell { connections: 100, from: 5, to: 9 });
        reporter.note(&state);
        let report = Report::read(folder.path()).unwrap();
        assert_eq!((report.pid, report.source.as_str()), (std::process::id(), "nflog:5"));
        assert_eq!((report.received, report.last_minute, report.seen, report.lost), (12, 12, 17, 2));
        assert_eq!((report.logged_before["cutshort"], report.spool.limit), (5, 9));
        assert_eq!((report.left_out, report.spool.dropped), (107, 0), "nothing of earlier runs");
        state.spool.counts.dropped = (2, 130);
        state.live.packets = 14;
        reporter.note(&state);
        assert_eq!(Report::read(folder.path()).unwrap(), report, "not yet");
        let counts = AgentCounts {
            received: 14,
            lost: 2,
            dropped: 30,
            left_out: 107,
            left_out_times: Some((5, 9)),
            left_out_of: data_set,
            ..AgentCounts::default()
        };
        assert_eq!(reporter.counts(&state), counts);
        reporter.end(&state);
        let report = Report::read(folder.path()).unwrap();
        assert_eq!((report.ended, report.received, report.spool.dropped), (true, 14, 30));
        let files = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "nothing else is left");
        fs::write(Report::path(folder.path()), "{\"pid\":1,\"later\":2}").unwrap();
        assert_eq!(Report::read(folder.path()).unwrap().pid, 1);
    }
}
