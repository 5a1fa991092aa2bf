//! Receiver, recorder and uploader at work together.

use std::fmt;
use std::sync::mpsc::{Receiver as Batches, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cutshort_capture::{Live, LiveCount, LiveError, LiveSets, LiveSettings, LiveSource, Reading};
use cutshort_model::quantity;
use cutshort_packet::Packet;
use cutshort_packet::quic::Datagram;
use cutshort_pipeline::Row;
use cutshort_pipeline::live::{
    Collector, Recorder, RecorderCounts, Retry, Spool, SpoolState, Uploader, UploaderState,
};
use cutshort_verdict::DataSet;

use crate::left_out::LeftOutLog;
use crate::receiver::{Batch, Receiver};

/// The parts of a [`Station`].
pub struct Parts {
    /// The source of packets.
    pub source: LiveSource,
    /// The settings of the source, which may have to be opened again.
    pub settings: LiveSettings,
    /// The open source.
    pub live: Live,
    /// The handle with which the source was opened; stopping it stops receiving.
    pub reading: Reading,
    /// The recorder of packets of clients, which also takes in what a crash has left. Other data sets get one
    /// [beside](Recorder::beside) it.
    pub recorder: Recorder,
    /// The data sets that the source is known to sample, so that silence says that there are no connections.
    pub sets: LiveSets,
    /// The spool that the recorder writes to.
    pub spool: Arc<Spool>,
    /// The destination of the segments.
    pub collector: Box<dyn Collector>,
    /// The waits between attempts to deliver.
    pub retry: Retry,
}

/// The state of a [`Station`].
#[derive(Clone, Debug, Default)]
pub struct StationState {
    /// The counts of the receiver since the start.
    pub live: LiveCount,
    /// The counts of the recorder since the start.
    pub recorder: RecorderCounts,
    /// The state of the spool.
    pub spool: SpoolState,
    /// The state of the uploader.
    pub uploader: UploaderState,
}

/// One line for people.
impl fmt::Display for StationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { live, recorder, spool, uploader } = self;
        let waiting = quantity(spool.segments, "segment");
        write!(f, "{} written, {waiting} waiting", quantity(recorder.packets, "packet"))?;
        let lost = [
            (live.lost, "lost on receiving"),
            (recorder.unwritten, "not written"),
            (spool.counts.dropped.1, "dropped from the spool"),
            (spool.counts.refused.1, "refused by the collector"),
        ];
        for (count, what) in lost.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {} {what}", quantity(count, "packet"))?;
        }
        if live.left_out.connections > 0 {
            let connections = quantity(live.left_out.connections, "chosen connection");
            write!(f, ", at least {connections} left out")?;
        }
        let trouble = recorder.trouble.as_ref().or(uploader.trouble.as_ref());
        trouble.map_or(Ok(()), |trouble| write!(f, "; {trouble}"))
    }
}

/// Receives, records and delivers, each in a thread of its own, until it is finished.
pub struct Station {
    reading: Reading,
    spool: Arc<Spool>,
    counts: Arc<Mutex<LiveCount>>,
    recorded: Arc<Mutex<Recorded>>,
    receiver: JoinHandle<Result<(), LiveError>>,
    recorder: JoinHandle<()>,
    uploader: Uploader,
}

struct Recorded {
    counts: RecorderCounts,
    at: Instant,
}

/// How many batches wait to be written; a slow disk stops nothing before that.
const BATCHES: usize = 64;

impl Station {
    /// Starts to receive, record and deliver.
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let Parts { source, settings, live, reading, recorder, sets, spool, collector, retry } = parts;
        let recorders = Recorders::new(recorder, sets);
        let counts = Arc::new(Mutex::default());
        let recorded = Recorded { counts: recorders.counts(), at: Instant::now() };
        let recorded = Arc::new(Mutex::new(recorded));
        let (sender, batches) = sync_channel(BATCHES);
        let receiver = Receiver {
            source,
            settings,
            reading: reading.clone(),
            live,
            before: LiveCount::default(),
            counts: Arc::clone(&counts),
            left_out: LeftOutLog::default(),
        };
        let shared = Arc::clone(&recorded);
        Self {
            reading,
            uploader: Uploader::start(Arc::clone(&spool), collector, retry),
            spool,
            counts,
            recorded,
            receiver: std::thread::spawn(move || receiver.run(&sender)),
            recorder: std::thread::spawn(move || record(recorders, &batches, &shared)),
        }
    }

    /// The current state.
    #[must_use]
    pub fn state(&self) -> StationState {
        StationState {
            live: *self.counts.lock().unwrap_or_else(PoisonError::into_inner),
            recorder: lock(&self.recorded).counts.clone(),
            spool: self.spool.state(),
            uploader: self.uploader.state(),
        }
    }

    /// The time since the recorder was last active, which is normally a tenth of a second, even without packets.
    #[must_use]
    pub fn silence(&self) -> Duration {
        lock(&self.recorded).at.elapsed()
    }

    /// Whether receiving or recording has ended although nobody has stopped it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.receiver.is_finished() || self.recorder.is_finished()
    }

    /// Stops receiving, closes the segment that is being written, and tries for so long to deliver what is
    /// left. What is not delivered stays in the spool.
    ///
    /// # Errors
    /// The [`LiveError`] with which receiving had ended before.
    pub fn finish(self, patience: Duration) -> Result<StationState, LiveError> {
        self.reading.stop();
        let received = self.receiver.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        if self.recorder.join().is_err() {
            tracing::error!("recording has failed; what was written is taken in at the next start");
        }
        let uploader = self.uploader.state();
        let _ = self.uploader.finish(patience);
        let state = StationState {
            live: *self.counts.lock().unwrap_or_else(PoisonError::into_inner),
            recorder: lock(&self.recorded).counts.clone(),
            spool: self.spool.state(),
            uploader,
        };
        received.map(|()| state)
    }
}

fn lock(recorded: &Mutex<Recorded>) -> std::sync::MutexGuard<'_, Recorded> {
    recorded.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The recorders of the data sets.
struct Recorders {
    clients: Recorder,
    /// Whether packets of clients came or were to be expected: otherwise their silence says nothing.
    has_clients: bool,
    opened: Beside<Packet>,
    datagrams: Beside<Datagram>,
}

/// The recorder of another data set, from when its first row came or was to be expected.
struct Beside<R: Row> {
    data_set: DataSet,
    recorder: Option<Recorder<R>>,
}

impl<R: Row> Beside<R> {
    fn new(clients: &Recorder, data_set: DataSet, is_expected: bool) -> Self {
        Self { data_set, recorder: is_expected.then(|| clients.beside(data_set)) }
    }

    fn record(&mut self, clients: &Recorder, rows: &[R], covered_to: i64) {
        if !rows.is_empty() && self.recorder.is_none() {
            self.recorder = Some(clients.beside(self.data_set));
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.record(rows, covered_to);
        }
    }

    fn add_to(&self, counts: &mut RecorderCounts) {
        self.recorder.iter().for_each(|recorder| counts.merge(recorder.counts()));
    }

    fn finish_into(self, counts: &mut RecorderCounts) {
        self.recorder.into_iter().for_each(|recorder| counts.merge(&recorder.finish()));
    }
}

impl Recorders {
    fn new(clients: Recorder, expected: LiveSets) -> Self {
        Self {
            opened: Beside::new(&clients, DataSet::Origin, expected.has(LiveSets::ORIGIN)),
            datagrams: Beside::new(&clients, DataSet::Quic, expected.has(LiveSets::QUIC)),
            has_clients: expected.has(LiveSets::TCP),
            clients,
        }
    }

    fn record(&mut self, batch: &Batch) {
        let Batch { packets, opened, datagrams, covered_to } = batch;
        self.has_clients |= !packets.is_empty();
        match self.has_clients {
            true => self.clients.record(packets, *covered_to),
            false => self.clients.retry(*covered_to),
        }
        self.opened.record(&self.clients, opened, *covered_to);
        self.datagrams.record(&self.clients, datagrams, *covered_to);
    }

    fn counts(&self) -> RecorderCounts {
        let mut counts = self.clients.counts().clone();
        self.opened.add_to(&mut counts);
        self.datagrams.add_to(&mut counts);
        counts
    }

    fn finish(self) -> RecorderCounts {
        let mut counts = self.clients.finish();
        self.opened.finish_into(&mut counts);
        self.datagrams.finish_into(&mut counts);
        counts
    }
}

fn record(mut recorders: Recorders, batches: &Batches<Batch>, recorded: &Mutex<Recorded>) {
    for batch in batches {
        recorders.record(&batch);
        *lock(recorded) = Recorded { counts: recorders.counts(), at: Instant::now() };
    }
    let counts = recorders.finish();
    *lock(recorded) = Recorded { counts, at: Instant::now() };
}

#[cfg(test)]
mod tests {
    use std::fs;

    use cutshort_model::Window;
    use cutshort_packet::FiveTuple;
    use cutshort_pipeline::Privacy;
    use cutshort_pipeline::live::RecorderSettings;
    use cutshort_store::Segment;

    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const START: i64 = Window::from_number(1_000).start();

    fn syn(ts: i64) -> Packet {
        let [src_ip, dst_ip] = [1, 2].map(|host| std::net::Ipv4Addr::new(192, 0, 2, host).to_ipv6_mapped());
        let five_tuple = FiveTuple { src_ip, src_port: 40_000, dst_ip, dst_port: 443 };
        Packet { ts, five_tuple, sample_rate: 1, ..Packet::ZERO }
    }

    /// The data sets of what is spooled, with the seconds that they cover and the number of rows.
    fn spooled(folder: &std::path::Path) -> Vec<(&'static str, i64, i64, u64)> {
        let files = fs::read_dir(folder.join("segments")).unwrap();
        let parsed = files.map(|file| Segment::parse(fs::read(file.unwrap().path()).unwrap()).unwrap());
        let described = parsed.map(|segment| {
            let info = segment.info();
            let seconds = |time: i64| (time - START) / SECOND;
            (info.data_set.name(), seconds(info.covers.0), seconds(info.covers.1), info.rows)
        });
        let mut all: Vec<_> = described.collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn silence_is_recorded_only_for_what_is_sampled() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Arc::new(Spool::open(folder.path(), 1 << 30).unwrap());
        let settings = RecorderSettings { node: "edge".to_owned(), ..RecorderSettings::default() };
        let recorder = Recorder::start(spool, settings, Privacy::full()).unwrap();
        let mut recorders = Recorders::new(recorder, LiveSets::QUIC);
        let batch = |second: i64| Batch { covered_to: START + second * SECOND, ..Batch::default() };
        (0..70).for_each(|second| recorders.record(&batch(second)));
        assert_eq!(spooled(folder.path()), [("quic", 0, 60, 0)]);
        // Somebody else has loaded rules for clients: their silence counts from now on.
        recorders.record(&Batch { packets: vec![syn(START + 70 * SECOND)], ..batch(70) });
        (71..80).for_each(|second| recorders.record(&batch(second)));
        let counts = recorders.finish();
        assert_eq!((counts.packets, counts.covered_to), (1, Some(START + 79 * SECOND)));
        assert_eq!(spooled(folder.path()), [("quic", 0, 60, 0), ("quic", 60, 79, 0), ("tcp", 70, 79, 1)]);
    }
}
