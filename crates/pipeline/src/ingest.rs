//! Accepts segments from agents and other senders.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use cutshort_model::{Bucket, Window, date_time, grouped, nanoseconds};
use cutshort_store::{Added, Provenance, Segment, SegmentInfo, Store, StoreError, check_node};

/// The response to a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IngestAnswer {
    /// The segment is durably stored.
    New(SegmentInfo),
    /// The segment is or was stored already.
    Known(SegmentInfo),
    /// The segment is not acceptable, with the reason. Sending it again is pointless.
    Refused(String),
    /// The sender may not send segments of this node, with the reason.
    Forbidden(String),
    /// There is no room, with details. Send it again later.
    Full(String),
    /// The store is busy or cannot be reached, with details. Send it again later.
    Later(String),
    /// Another failure of the receiver, with details. Send it again later.
    Failed(String),
}

/// Accepts segments and counts them.
#[derive(Debug, Default)]
pub struct Ingest {
    /// How long packets are kept.
    keep: Option<Duration>,
    new: AtomicU64,
    known: AtomicU64,
    refused: AtomicU64,
    later: AtomicU64,
    failed: AtomicU64,
    packets: AtomicU64,
    bytes: AtomicU64,
    /// When there was last no room, in nanoseconds since the Unix epoch; 0 if a segment was stored since.
    full_at: AtomicI64,
}

/// The number of segments by response, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IngestCounts {
    /// Segments that were [new](IngestAnswer::New).
    pub new: u64,
    /// Segments that were [known](IngestAnswer::Known).
    pub known: u64,
    /// [`IngestAnswer::Refused`] and [`IngestAnswer::Forbidden`].
    pub refused: u64,
    /// [`IngestAnswer::Full`] and [`IngestAnswer::Later`].
    pub later: u64,
    /// Segments whose storage [failed](IngestAnswer::Failed).
    pub failed: u64,
    /// The number of packets in new segments.
    pub packets: u64,
    /// The size of new segments in bytes.
    pub bytes: u64,
}

impl Ingest {
    /// The maximum size of a segment in bytes. An hour of a busy server is a tenth of it.
    pub const MOST_BYTES: usize = 256 << 20;
    /// The maximum number of windows with packets in a segment: each one needs a pass over the whole segment.
    pub const MOST_WINDOWS: usize = 1_000;
    /// The longest time that a live segment may cover, in nanoseconds. Recorders close a segment at the end of its
    /// window.
    pub const LONGEST: i64 = 8 * Window::LENGTH;
    /// How long the store counts as full after it had no room, in nanoseconds. Senders try again sooner.
    const FULL_FOR: i64 = 180_000_000_000;

    /// Creates an `Ingest` that refuses live segments older than packets are kept.
    #[must_use]
    pub fn keeping(packets: Option<Duration>) -> Self {
        Self { keep: packets, ..Self::default() }
    }

    /// Accepts a segment's file. If it is stored, it is durable.
    pub fn take(&self, store: &dyn Store, file: Vec<u8>) -> IngestAnswer {
        self.take_from(None, store, file)
    }

    /// Accepts a segment's file from a sender that may send segments of one node only, if `sender` names one.
    pub fn take_from(&self, sender: Option<&str>, store: &dyn Store, file: Vec<u8>) -> IngestAnswer {
        let (len, now) = (file.len(), nanoseconds(std::time::SystemTime::now()));
        let answer = self.keep(sender, store, file, now).unwrap_or_else(|answer| answer);
        if let IngestAnswer::New(info) = &answer {
            self.packets.fetch_add(info.rows, Ordering::Relaxed);
            self.bytes.fetch_add(len as u64, Ordering::Relaxed);
        }
        self.counter(&answer).fetch_add(1, Ordering::Relaxed);
        match answer {
            IngestAnswer::New(_) => self.full_at.store(0, Ordering::Relaxed),
            IngestAnswer::Full(_) => self.full_at.store(now, Ordering::Relaxed),
            _ => {}
        }
        answer
    }

    fn keep(
        &self,
        sender: Option<&str>,
        store: &dyn Store,
        file: Vec<u8>,
        now: i64,
    ) -> Result<IngestAnswer, IngestAnswer> {
        if file.len() > Self::MOST_BYTES {
            let (len, most) = (file.len(), Self::MOST_BYTES);
            return Err(IngestAnswer::Refused(format!("the segment has {len} bytes, more than {most}")));
        }
        let segment = Segment::parse(file)?;
        let info = segment.info().clone();
        if let Some(sender) = sender.filter(|sender| *sender != info.node) {
            let node = &info.node;
            return Err(IngestAnswer::Forbidden(format!(
                "this token is bound to the node {sender:?}, and the segment is of the node {node:?}"
            )));
        }
        check(&segment, now, self.keep)?;
        Ok(match store.of(info.data_set)?.append(&segment)? {
            Added::New => IngestAnswer::New(info),
            Added::Known => IngestAnswer::Known(info),
        })
    }

    const fn counter(&self, answer: &IngestAnswer) -> &AtomicU64 {
        match answer {
            IngestAnswer::New(_) => &self.new,
            IngestAnswer::Known(_) => &self.known,
            IngestAnswer::Refused(_) | IngestAnswer::Forbidden(_) => &self.refused,
            IngestAnswer::Full(_) | IngestAnswer::Later(_) => &self.later,
            IngestAnswer::Failed(_) => &self.failed,
        }
    }

    /// Whether there was no room for the latest segments.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let now = nanoseconds(std::time::SystemTime::now());
        now.saturating_sub(self.full_at.load(Ordering::Relaxed)) < Self::FULL_FOR
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> IngestCounts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        IngestCounts {
            new: get(&self.new),
            known: get(&self.known),
            refused: get(&self.refused),
            later: get(&self.later),
            failed: get(&self.failed),
            packets: get(&self.packets),
            bytes: get(&self.bytes),
        }
    }
}

impl From<StoreError> for IngestAnswer {
    fn from(error: StoreError) -> Self {
        let text = format!("{error:#}");
        match error {
            StoreError::Refused(_) => Self::Refused(text),
            StoreError::Full(_) => Self::Full(text),
            StoreError::Unavailable(_) => Self::Later(text),
            StoreError::Locked(_) | StoreError::Damaged(_) | StoreError::Failed(_) => Self::Failed(text),
        }
    }
}

/// Returns what is wrong with a segment as a whole, if anything.
fn check(segment: &Segment, now: i64, keep: Option<Duration>) -> cutshort_store::Result<()> {
    let info = segment.info();
    info.check_covers(now)?;
    check_name(info)?;
    let (windows, most) = (segment.windows().len(), Ingest::MOST_WINDOWS);
    if windows > most {
        let (windows, most) = (grouped(windows as u64), grouped(most as u64));
        return refuse(format!(
            "the segment has packets of {windows} windows of 15 minutes, more than {most}: send it in parts"
        ));
    }
    if info.origin == Provenance::Live { check_live(info, now, keep) } else { Ok(()) }
}

/// Checks the node: packets of files, also simulated ones, have none; live packets have one.
fn check_name(info: &SegmentInfo) -> cutshort_store::Result<()> {
    if info.origin != Provenance::Live && info.node.is_empty() {
        return Ok(());
    }
    check_node(&info.node).map_err(StoreError::Refused)
}

fn check_live(info: &SegmentInfo, now: i64, keep: Option<Duration>) -> cutshort_store::Result<()> {
    let (from, to) = info.covers;
    if to.saturating_sub(from) > Ingest::LONGEST {
        return refuse(format!(
            "the segment covers {} to {} UTC, more than {} hours: a live segment ends with its window of 15 minutes. \
             Was the sender's clock set?",
            date_time(from),
            date_time(to),
            Ingest::LONGEST / Bucket::Hour.nanoseconds()
        ));
    }
    let kept = keep.and_then(|keep| i64::try_from(keep.as_nanos()).ok());
    let earliest = info.times.map_or(to, |(first, _)| first);
    match kept.map(|kept| now.saturating_sub(kept)) {
        Some(before) if earliest < before => refuse(format!(
            "the segment is from {} UTC: packets are kept here since {} UTC (keep_packets)",
            date_time(earliest),
            date_time(before)
        )),
        _ => Ok(()),
    }
}

fn refuse<T>(why: String) -> cutshort_store::Result<T> {
    Err(StoreError::Refused(why))
}
