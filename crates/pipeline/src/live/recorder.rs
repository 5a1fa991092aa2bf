//! Writes live packets to segments in the spool.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cutshort_model::Window;
use cutshort_packet::Packet;
use cutshort_store::open::{OpenSegment, SyncPolicy, replay};
use cutshort_store::{Provenance, Reason, Recordable, Result, Segment, SegmentId, SegmentSource, StoreError};
use cutshort_verdict::DataSet;

use super::Spool;
use super::spool::OPEN;
use crate::{Ingest, Privacy, Row};

/// How packets are divided into segments.
#[derive(Clone, Debug)]
pub struct RecorderSettings {
    /// The data set of the packets.
    pub data_set: DataSet,
    /// The name of this node.
    pub node: String,
    /// The longest time for which a segment is written. It also ends with its window, so that results need not wait
    /// for it.
    pub every: Duration,
    /// The approximate maximum number of packets in a segment: a batch is never divided.
    pub rows: usize,
    /// How much a crash of the machine may lose.
    pub sync: SyncPolicy,
}

impl Default for RecorderSettings {
    fn default() -> Self {
        Self {
            data_set: DataSet::Tcp,
            node: String::new(),
            every: Duration::from_mins(1),
            rows: 250_000,
            sync: SyncPolicy::Every(Duration::from_secs(1)),
        }
    }
}

/// What a [`Recorder`] has done since it was started, and its state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecorderCounts {
    /// Packets that were written.
    pub packets: u64,
    /// Packets that could not be written, for example because the disk is full.
    pub unwritten: u64,
    /// Packets that no segment can hold, because one address is IPv4 and the other IPv6.
    pub unfit: u64,
    /// Time of the latest packet, in nanoseconds since the Unix epoch.
    pub latest: Option<i64>,
    /// The time up to which segments cover, in nanoseconds since the Unix epoch.
    pub covered_to: Option<i64>,
    /// Whether the disk is full: nothing can be written until there is room.
    pub full: bool,
    /// The present problem, if there is one.
    pub trouble: Option<String>,
}

impl RecorderCounts {
    /// Adds those of a recorder of another data set.
    pub fn merge(&mut self, other: &Self) {
        self.packets += other.packets;
        self.unwritten += other.unwritten;
        self.unfit += other.unfit;
        self.latest = self.latest.max(other.latest);
        self.covered_to = match (self.covered_to, other.covered_to) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.full |= other.full;
        if self.trouble.is_none() {
            self.trouble.clone_from(&other.trouble);
        }
    }
}

/// Writes packets to an open segment, from which a crash can be recovered, and moves it to the spool when it is
/// complete. Packets that cannot be written are counted; writing is retried only a few times a minute. Packets are the
/// [`Row`]s of its data set.
pub struct Recorder<R: Row = Packet> {
    spool: Arc<Spool>,
    settings: RecorderSettings,
    privacy: Privacy,
    open: Option<OpenSegment<R::Kept>>,
    /// The start of the time that the open segment covers.
    began: i64,
    /// Files that a crash has left.
    left: Vec<PathBuf>,
    /// A segment that had no room in the spool, and exists only in memory.
    held: Option<Segment>,
    /// The time up to which closed segments cover.
    closed_to: Option<i64>,
    /// When closing is tried again after it has failed.
    retry_at: i64,
    counts: RecorderCounts,
}

/// How long to wait after a segment could not be closed, in nanoseconds.
const PATIENCE: i64 = 3_000_000_000;
/// While segments cannot be closed, the open one may grow to this multiple of its size, and cover up to this many
/// nanoseconds. After that packets are lost. A collector accepts segments that cover a little more.
const GROWTH: usize = 4;
const LONGEST: i64 = Ingest::LONGEST - Window::LENGTH;

impl<R: Row> Recorder<R> {
    /// Begins to record into a spool. What a crash has left there becomes a segment. Addresses are protected by
    /// `privacy` before anything is written.
    ///
    /// # Errors
    /// The error of the file system if the spool cannot be read.
    pub fn start(spool: Arc<Spool>, settings: RecorderSettings, privacy: Privacy) -> Result<Self> {
        let folder = spool.folder().join(OPEN);
        let failed = |error| StoreError::io(format!("cannot read {}", folder.display()), error);
        let entries = fs::read_dir(&folder).map_err(failed)?;
        let left = entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<_>>();
        let mut recorder = Self::new(spool, settings, privacy);
        recorder.left = left.map_err(failed)?;
        let closed = recorder.close_left();
        recorder.note(closed);
        Ok(recorder)
    }

    /// A recorder of another data set, which writes to the same spool. What a crash has left there, of any data set, stays
    /// with this one.
    #[must_use]
    pub fn beside<S: Row>(&self, data_set: DataSet) -> Recorder<S> {
        let settings = RecorderSettings { data_set, ..self.settings.clone() };
        Recorder::new(Arc::clone(&self.spool), settings, self.privacy.again())
    }

    fn new(spool: Arc<Spool>, settings: RecorderSettings, privacy: Privacy) -> Self {
        Self {
            spool,
            settings,
            privacy,
            open: None,
            began: i64::MIN,
            left: Vec::new(),
            held: None,
            closed_to: None,
            retry_at: i64::MIN,
            counts: RecorderCounts::default(),
        }
    }

    /// Adds packets, in any order. All packets captured before `covered_to` (nanoseconds since the Unix epoch) must
    /// have been added by then. Call this also without packets, because silence is covered as well.
    pub fn record(&mut self, packets: &[R], covered_to: i64) {
        let latest = packets.iter().map(R::ts).max();
        self.counts.latest = self.counts.latest.max(latest);
        // What waits for room comes before what would take it.
        let closed =
            self.close_if(|recorder| recorder.waits_for_room() || recorder.leaps(covered_to), covered_to);
        let written = self.write(packets, covered_to);
        let result =
            closed.and(written).and(self.close_if(|recorder| recorder.is_time(covered_to), covered_to));
        // What is to be tried again later goes wrong until then.
        if result.is_err() || self.retry_at == i64::MIN {
            self.note(result);
        }
    }

    /// Tries again to take in what a crash has left, without covering any time: for a data set that is not sampled.
    pub fn retry(&mut self, now: i64) {
        if self.waits_for_room() && !self.waits(now) {
            let closed = self.close(now);
            self.note(closed);
        }
    }

    /// Adds packets to the open segment. Packets are written nowhere else.
    fn write(&mut self, packets: &[R], covered_to: i64) -> Result<()> {
        let written = self.append(packets, covered_to);
        match written {
            Ok(unfit) => {
                self.counts.packets += packets.len() as u64 - unfit;
                self.counts.unfit += unfit;
                self.counts.covered_to = Some(covered_to);
                Ok(())
            }
            Err(error) => {
                self.counts.unwritten += packets.len() as u64;
                // The next segment must not claim to cover their time.
                self.closed_to = None;
                Err(error)
            }
        }
    }

    /// Returns how many of the packets no segment can hold.
    fn append(&mut self, packets: &[R], covered_to: i64) -> Result<u64> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.begin(covered_to)?,
        };
        let open = self.open.insert(open);
        let is_long = covered_to.saturating_sub(self.began) > LONGEST;
        if open.rows() >= self.settings.rows * GROWTH || is_long {
            return Err(StoreError::Full(format!("{} packets wait for being written", open.rows()).into()));
        }
        let protected: Vec<_> = packets
            .iter()
            .map(|packet| packet.protected(&mut self.privacy, self.settings.data_set))
            .collect();
        match open.append(&protected, covered_to) {
            Err(StoreError::Refused(_)) => Ok(append_each(open, &protected, covered_to)?),
            appended => appended.map(|()| 0),
        }
    }

    fn begin(&mut self, covered_to: i64) -> Result<OpenSegment<R::Kept>> {
        if self.waits(covered_to) {
            return Err(StoreError::Full("packets could not be written a moment ago".into()));
        }
        let id = random_id()?;
        // Packets of one segment have places from the same geo data.
        self.privacy.refresh();
        // A clock that was set back must not leave the time from then on uncovered.
        let from = self.closed_to.unwrap_or(covered_to).min(covered_to);
        let from = if covered_to.saturating_sub(from) > LONGEST { covered_to } else { from };
        let path = self.spool.folder().join(OPEN).join(id.to_string());
        let RecorderSettings { data_set, node, sync, .. } = &self.settings;
        let (data_set, origin, covers) = (*data_set, Provenance::Live, (from, from));
        let created =
            OpenSegment::create(&path, id, &SegmentSource { data_set, node, origin, covers }, *sync);
        (self.retry_at, self.began) = (i64::MIN, from);
        created.inspect_err(|_| {
            self.retry_at = covered_to.saturating_add(PATIENCE);
            // It may be there without its beginning.
            let _ = fs::remove_file(&path);
        })
    }

    /// Whether to wait before trying again what has failed. If the clock was set back, nothing waits for the earlier
    /// time.
    fn waits(&self, now: i64) -> bool {
        now < self.retry_at && now >= self.retry_at.saturating_sub(PATIENCE)
    }

    /// Whether the clock was set back, or advanced by more than a segment can cover, for example because this machine
    /// was suspended.
    const fn leaps(&self, covered_to: i64) -> bool {
        covered_to < self.began || covered_to.saturating_sub(self.began) > LONGEST
    }

    fn waits_for_room(&self) -> bool {
        self.held.is_some() || !self.left.is_empty()
    }

    /// Closes segments if there are any and the condition holds.
    fn close_if(&mut self, is_due: impl FnOnce(&Self) -> bool, now: i64) -> Result<()> {
        let is_any = self.open.is_some() || self.waits_for_room();
        if is_any && is_due(self) && !self.waits(now) { self.close(now) } else { Ok(()) }
    }

    /// Whether the open segment has its full length or size.
    fn is_time(&self, covered_to: i64) -> bool {
        let every = i64::try_from(self.settings.every.as_nanos()).unwrap_or(i64::MAX);
        let end = self.began.saturating_add(every).min(Window::containing(self.began).end());
        // Packets from before the clock was set make a segment long.
        let is_full = |open: &OpenSegment<R::Kept>| {
            open.rows() >= self.settings.rows || open.covers().1.saturating_sub(open.covers().0) > LONGEST
        };
        covered_to >= end || self.open.as_ref().is_some_and(is_full)
    }

    /// Moves the open segment to the spool, after what a crash has left.
    fn close(&mut self, now: i64) -> Result<()> {
        let closed = self.close_left().and_then(|()| self.close_held()).and_then(|()| self.close_open());
        self.retry_at = if closed.is_err() { now.saturating_add(PATIENCE) } else { i64::MIN };
        closed
    }

    fn close_open(&mut self) -> Result<()> {
        let Some(open) = &self.open else { return Ok(()) };
        let segment = open.seal()?;
        let put = self.spool.put(&segment);
        let is_full = matches!(put, Err(StoreError::Full(_)));
        if !is_full {
            put?;
        }
        self.closed_to = Some(open.covers().1);
        // What stays would be known when it is delivered again. If the disk is full, the segment takes the place of
        // what it was made from, which is several times as large: nothing else may ever make room for it.
        self.open.take().map_or(Ok(()), OpenSegment::remove)?;
        if is_full {
            self.held = Some(segment);
        }
        self.close_held()
    }

    /// Moves the segment that is only in memory to the spool.
    fn close_held(&mut self) -> Result<()> {
        if let Some(segment) = &self.held {
            self.spool.put(segment)?;
            self.held = None;
        }
        Ok(())
    }

    fn close_left(&mut self) -> Result<()> {
        while let Some(path) = self.left.last() {
            if let Some(segment) = replay(path)? {
                tracing::info!(packets = segment.info().rows, "took in what a crash had left");
                self.spool.put(&segment)?;
            }
            let removed = fs::remove_file(path);
            removed.map_err(|error| StoreError::io(format!("cannot remove {}", path.display()), error))?;
            self.left.pop();
        }
        Ok(())
    }

    fn note(&mut self, result: Result<()>) {
        let trouble = result.err();
        self.counts.full = matches!(trouble, Some(StoreError::Full(_)));
        let trouble = trouble.map(|error| format!("{error:#}"));
        match (&self.counts.trouble, &trouble) {
            (None, Some(trouble)) => tracing::error!("packets cannot be written: {trouble}"),
            (Some(_), None) => tracing::info!("packets are written again"),
            _ => {}
        }
        self.counts.trouble = trouble;
    }

    /// Closes the open segment at the end. If that fails, the next run finds it.
    pub fn finish(mut self) -> RecorderCounts {
        let closed = self.close(i64::MAX);
        self.note(closed);
        self.counts
    }

    /// The counts so far.
    #[must_use]
    pub const fn counts(&self) -> &RecorderCounts {
        &self.counts
    }
}

/// Appends packets one by one, so that at least some of them are written.
fn append_each<K: Recordable>(open: &mut OpenSegment<K>, packets: &[K], covered_to: i64) -> Result<u64> {
    let mut unfit = 0;
    for packet in packets {
        match open.append(std::slice::from_ref(packet), covered_to) {
            Err(StoreError::Refused(_)) => unfit += 1,
            appended => appended?,
        }
    }
    Ok(unfit)
}

fn random_id() -> Result<SegmentId> {
    let mut bytes = [0; 16];
    let filled = getrandom::fill(&mut bytes);
    filled
        .map_err(|error| StoreError::Failed(Reason::caused_by("the system has no random numbers", error)))?;
    Ok(SegmentId(u128::from_ne_bytes(bytes)))
}

#[cfg(test)]
mod tests;
