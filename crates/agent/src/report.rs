//! How a station is, in a small file that `cutshort doctor` reads.

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
use serde::{Deserialize, Serialize};

use crate::station::StationState;

/// How a station was at some time. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// The process.
    pub pid: u32,
    /// When this was written.
    pub time: i64,
    /// When the station began.
    pub started: i64,
    /// Whether it has ended since.
    pub ended: bool,
    /// What the server is called in the store.
    pub node: String,
    /// Where packets come from.
    pub source: String,
    /// Packets that are recorded, since the start.
    pub received: u64,
    /// The same in the last minute.
    pub last_minute: u64,
    /// All that the kernel has given or was known to have lost, since the start.
    pub seen: u64,
    /// Packets for which the kernel had no room.
    pub lost: u64,
    /// Connections that were chosen and left out, at least.
    pub left_out: u64,
    /// Packets that could not be written.
    pub unwritten: u64,
    /// Time of the latest packet.
    pub latest: Option<i64>,
    /// What each table of rules had logged when the station began.
    pub logged_before: BTreeMap<String, u64>,
    /// What goes wrong with writing.
    pub trouble: Option<String>,
    /// What waits, and what became of the rest.
    pub spool: SpoolReport,
    /// How delivering goes.
    pub delivery: DeliveryReport,
}

/// How a spool is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpoolReport {
    /// Segments that wait.
    pub segments: u64,
    /// Packets in them.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many bytes may wait.
    pub limit: u64,
    /// From when the oldest covers.
    pub oldest: Option<i64>,
    /// Packets that were dropped from the spool since the start.
    pub dropped: u64,
    /// Packets that the collector has refused since the start.
    pub refused: u64,
}

/// How delivering goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeliveryReport {
    /// When a segment was acknowledged last.
    pub acknowledged: Option<i64>,
    /// Attempts that have failed since the start.
    pub failures: u64,
    /// What goes wrong.
    pub trouble: Option<String>,
    /// Somebody has to mend it.
    pub blocked: bool,
}

impl Report {
    /// How often it is written, about.
    pub const EVERY: Duration = Duration::from_secs(5);

    /// The file in a folder.
    #[must_use]
    pub fn path(folder: &Path) -> PathBuf {
        DataDir::new(folder).state()
    }

    /// Reads what a station in this folder has written last.
    ///
    /// # Errors
    /// That there is none, or that it cannot be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        serde_json::from_slice(&fs::read(Self::path(folder))?).map_err(io::Error::other)
    }

    /// Writes the file as a whole or not at all.
    fn write(&self, folder: &Path) -> io::Result<()> {
        let path = Self::path(folder);
        let temporary = DataDir::temporary(&path);
        let written =
            fs::write(&temporary, serde_json::to_vec(self)?).and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            // It takes room, of which there may be none.
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}

/// What a [`Reporter`] does not learn from the station's state.
#[derive(Clone, Debug)]
pub struct About {
    /// Where the file is written to.
    pub folder: PathBuf,
    /// What the server is called in the store.
    pub node: String,
    /// Where packets come from.
    pub source: LiveSource,
    /// How many bytes may wait.
    pub spool_bytes: u64,
    /// The rules that were loaded when the source was opened, as far as that could be seen.
    pub rules: Vec<Loaded>,
}

/// Writes a [`Report`] every few seconds.
pub struct Reporter {
    folder: PathBuf,
    report: Report,
    counts_before: Option<SpoolCounts>,
    /// Packets at times of the last minute.
    past: VecDeque<(Instant, u64)>,
    written: Option<Instant>,
}

const MINUTE: Duration = Duration::from_mins(1);

impl Reporter {
    /// Writes nothing yet.
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
        Self { folder: about.folder, report, counts_before: None, past, written: None }
    }

    /// Writes how the station is, if it is time.
    pub fn note(&mut self, state: &StationState) {
        if self.written.is_none_or(|written| written.elapsed() >= Report::EVERY) {
            self.write(state);
        }
    }

    /// What a collector is told.
    #[must_use]
    pub fn counts(&self, state: &StationState) -> AgentCounts {
        let before = self.counts_before.unwrap_or(state.spool.counts);
        AgentCounts {
            received: state.live.packets,
            lost: state.live.lost,
            unwritten: state.recorder.unwritten,
            dropped: state.spool.counts.dropped.1.saturating_sub(before.dropped.1),
            waiting: state.spool.packets,
            left_out: state.live.left_out.connections,
            left_out_times: state.live.left_out.latest.map(|spell| (spell.from, spell.to)),
        }
    }

    /// Writes that the station has ended.
    pub fn end(&mut self, state: &StationState) {
        self.report.ended = true;
        self.write(state);
    }

    fn write(&mut self, state: &StationState) {
        let now = Instant::now();
        self.written = Some(now);
        self.past.push_back((now, state.live.packets));
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
        report.received = live.packets;
        report.last_minute = live.packets - self.past.front().map_or(0, |past| past.1);
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
    live.packets + live.capped + live.lost + live.origin + live.malformed + live.refused.iter().sum::<u64>()
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
        let source = LiveSource::Nflog(5);
        let node = "edge".to_owned();
        let about = About { folder: folder.path().to_owned(), node, source, spool_bytes: 9, rules };
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
