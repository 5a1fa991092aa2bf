//! Segments that others have made.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use cutshort_model::{Bucket, Window, date_time, grouped, nanoseconds};
use cutshort_store::{Added, Provenance, Segment, SegmentInfo, Store, StoreError, check_node};

/// What a sender is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is kept, for good.
    New(SegmentInfo),
    /// It is kept already, or was.
    Known(SegmentInfo),
    /// It is not acceptable, and will not be: why.
    Refused(String),
    /// The sender may not send segments of this node: why.
    Forbidden(String),
    /// There is no room: to be sent again later.
    Full(String),
    /// The store is busy or cannot be reached: to be sent again later.
    Later(String),
    /// Something else went wrong here: to be sent again later.
    Failed(String),
}

/// Takes segments, and counts them.
#[derive(Debug, Default)]
pub struct Ingest {
    /// For how long packets are kept.
    keep: Option<Duration>,
    new: AtomicU64,
    known: AtomicU64,
    refused: AtomicU64,
    later: AtomicU64,
    failed: AtomicU64,
    packets: AtomicU64,
    bytes: AtomicU64,
    /// When there was no room last, if nothing was kept since; in nanoseconds since the Unix epoch, else 0.
    full_at: AtomicI64,
}

/// How many segments had which answer since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IngestCounts {
    /// [`Answer::New`].
    pub new: u64,
    /// [`Answer::Known`].
    pub known: u64,
    /// [`Answer::Refused`] and [`Answer::Forbidden`].
    pub refused: u64,
    /// [`Answer::Full`] and [`Answer::Later`].
    pub later: u64,
    /// [`Answer::Failed`].
    pub failed: u64,
    /// Packets of the new ones.
    pub packets: u64,
    /// Bytes of the new ones.
    pub bytes: u64,
}

impl Ingest {
    /// Larger segments are refused, in bytes. An hour of a busy server is a tenth of it.
    pub const MOST_BYTES: usize = 256 << 20;
    /// Segments with packets of more windows are refused: each one costs a look at the whole segment.
    pub const MOST_WINDOWS: usize = 1_000;
    /// Live segments that cover more time are refused, in nanoseconds. A recorder closes a segment with its window.
    pub const LONGEST: i64 = 8 * Window::LENGTH;
    /// For how long it counts as full after it had no room, in nanoseconds: senders try again sooner.
    const FULL_FOR: i64 = 180_000_000_000;

    /// Refuses live segments that are older than packets are kept.
    #[must_use]
    pub fn keeping(packets: Option<Duration>) -> Self {
        Self { keep: packets, ..Self::default() }
    }

    /// Takes a segment's file. When it is kept, it is durable.
    pub fn take(&self, store: &dyn Store, file: Vec<u8>) -> Answer {
        self.take_from(None, store, file)
    }

    /// Takes a segment's file from a sender that may only send segments of one node, if one is named.
    pub fn take_from(&self, sender: Option<&str>, store: &dyn Store, file: Vec<u8>) -> Answer {
        let (len, now) = (file.len(), nanoseconds(std::time::SystemTime::now()));
        let answer = self.keep(sender, store, file, now).unwrap_or_else(|answer| answer);
        if let Answer::New(info) = &answer {
            self.packets.fetch_add(info.rows, Ordering::Relaxed);
            self.bytes.fetch_add(len as u64, Ordering::Relaxed);
        }
        self.counter(&answer).fetch_add(1, Ordering::Relaxed);
        match answer {
            Answer::New(_) => self.full_at.store(0, Ordering::Relaxed),
            Answer::Full(_) => self.full_at.store(now, Ordering::Relaxed),
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
    ) -> Result<Answer, Answer> {
        if file.len() > Self::MOST_BYTES {
            let (len, most) = (file.len(), Self::MOST_BYTES);
            return Err(Answer::Refused(format!("the segment has {len} bytes, more than {most}")));
        }
        let segment = Segment::parse(file)?;
        let info = segment.info().clone();
        if let Some(sender) = sender.filter(|sender| *sender != info.node) {
            let node = &info.node;
            return Err(Answer::Forbidden(format!(
                "this token is bound to the node {sender:?}, and the segment is of the node {node:?}"
            )));
        }
        check(&segment, now, self.keep)?;
        Ok(match store.append(&segment)? {
            Added::New => Answer::New(info),
            Added::Known => Answer::Known(info),
        })
    }

    const fn counter(&self, answer: &Answer) -> &AtomicU64 {
        match answer {
            Answer::New(_) => &self.new,
            Answer::Known(_) => &self.known,
            Answer::Refused(_) | Answer::Forbidden(_) => &self.refused,
            Answer::Full(_) | Answer::Later(_) => &self.later,
            Answer::Failed(_) => &self.failed,
        }
    }

    /// Whether there was no room for what was sent last.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let now = nanoseconds(std::time::SystemTime::now());
        now.saturating_sub(self.full_at.load(Ordering::Relaxed)) < Self::FULL_FOR
    }

    /// What was counted so far.
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

impl From<StoreError> for Answer {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(why) => Self::Refused(why),
            StoreError::Full(why) => Self::Full(why),
            StoreError::Unavailable(why) => Self::Later(why),
            StoreError::Locked(why) | StoreError::Damaged(why) | StoreError::Failed(why) => Self::Failed(why),
        }
    }
}

/// What is wrong with a segment as a whole, if anything is.
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

/// Packets of files have no node, also simulated ones; live packets are known by theirs.
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
