use std::borrow::Borrow;
use std::ops::Range;
use std::time::SystemTime;

use cutshort_geo::Place;
use cutshort_model::{ConnectionRecord, JudgedConnection, Window};
use cutshort_verdict::{Outcome, Row, Rules};

use crate::cell::Cells;
use crate::{
    Added, Annotation, ConnectionQuery, FlowKey, Forgotten, Impairment, Inputs, KnownSegment, NewAnnotation,
    NodeCoverage, Result, Retention, RollupAnswer, RollupQuery, Segment, SegmentId, Status, StoreError,
    WindowCounts, WindowState,
};

/// Packets, connections and their counts at rest. All times are nanoseconds since the Unix epoch.
pub trait Store: Send + Sync {
    /// Keeps a segment. When it returns, the segment is durable. The same id again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Full`](crate::StoreError::Full) and the like; then it is not kept.
    fn append(&self, segment: &Segment) -> Result<Added>;

    /// Keeps several segments, as [`append`](Self::append) keeps each. A store that answers over a network may need
    /// fewer questions for all of them.
    ///
    /// # Errors
    /// As [`append`](Self::append); then some may be kept, and all can come again.
    fn append_all(&self, segments: &[Segment]) -> Result<Vec<Added>> {
        segments.iter().map(|segment| self.append(segment)).collect()
    }

    /// The windows within a range that have packets or results, in order.
    ///
    /// # Errors
    /// What reading gives.
    fn windows(&self, range: Range<i64>) -> Result<Vec<WindowState>>;

    /// The windows with packets whose results are missing or out of date, in order. This is asked every few seconds, so
    /// a store may answer from what it remembers: what others deleted may be missing for minutes, what came in never.
    ///
    /// # Errors
    /// What reading gives.
    fn due(&self) -> Result<Vec<WindowState>> {
        let mut windows = self.windows(i64::MIN..i64::MAX)?;
        windows.retain(|window| window.is_due() && window.bytes > 0);
        Ok(windows)
    }

    /// The time of the latest packet of any live receiver; `i64::MIN` if there is none. As [`due`](Self::due), from
    /// what is remembered.
    ///
    /// # Errors
    /// What reading gives.
    fn latest_live(&self) -> Result<i64> {
        let nodes = self.status()?.nodes;
        Ok(nodes.iter().filter(|(name, _)| !name.is_empty()).map(|(_, ts)| *ts).max().unwrap_or(i64::MIN))
    }

    /// A window's packets, grouped by 5-tuple, in at most so many parts that can be read side by side. Nothing
    /// that happens to the store later changes what they give.
    ///
    /// # Errors
    /// What reading gives. A damaged segment is set aside and left out; one who may not write is told that it is
    /// [`Damaged`](crate::StoreError::Damaged).
    fn read_window(&self, window: Window, parts: usize) -> Result<WindowPackets<'_>>;

    /// A window's connections as the store itself judges them by the rules, in at most so many parts that can be read side
    /// by side. None where it does not, at all or for this window: then the packets tell.
    ///
    /// # Errors
    /// What reading gives.
    fn read_verdicts(
        &self,
        window: Window,
        rules: &Rules,
        parts: usize,
    ) -> Result<Option<WindowVerdicts<'_>>> {
        let _ = (window, rules, parts);
        Ok(None)
    }

    /// What damage means for the results of a window: those that there are must stay if they are
    /// [`Kept`](Impairment::Kept), and new ones can only be [`Incomplete`](Impairment::Incomplete). Asked after
    /// [`read_window`](Self::read_window), which may find something damaged. None where nothing is, or where a server
    /// takes care of it.
    ///
    /// # Errors
    /// What reading gives.
    fn impairment(&self, window: Window) -> Result<Option<Impairment>> {
        let _ = window;
        Ok(None)
    }

    /// Begins to replace all results of a window. Nothing changes before
    /// [`commit`](Replacement::commit).
    ///
    /// # Errors
    /// What writing gives.
    fn replace(&self, window: Window) -> Result<Box<dyn Replacement + '_>>;

    /// Begins to replace the results of several small windows, which the store writes together. None where writing them
    /// one after the other is as quick.
    fn batch(&self) -> Option<Box<dyn Batch + '_>> {
        None
    }

    /// Makes hours and days of the windows that were replaced since. Answers are right without it, only
    /// slower.
    ///
    /// # Errors
    /// What writing gives; it can be called again.
    fn roll(&self) -> Result<()>;

    /// Adds up cells.
    ///
    /// # Errors
    /// What reading gives.
    fn rollups(&self, query: &RollupQuery) -> Result<RollupAnswer>;

    /// Single connections. Those of a damaged file are left out; [`Status::impaired`] names its window.
    ///
    /// # Errors
    /// What reading gives.
    fn connections(&self, query: &ConnectionQuery) -> Result<Vec<ConnectionRecord<'static>>>;

    /// Calls `each` with every connection of a range, window by window, until it returns false. Those of a damaged file
    /// are left out; [`Status::impaired`] names its window.
    ///
    /// # Errors
    /// What reading gives.
    fn each_connection(
        &self,
        range: Range<i64>,
        each: &mut dyn FnMut(ConnectionRecord<'static>) -> bool,
    ) -> Result<()>;

    /// Windows of a range whose single connections are left out because their files are damaged, as far as that is known:
    /// asked after they were read. None where a server takes care of it.
    ///
    /// # Errors
    /// What reading gives.
    fn lost_connections(&self, range: &Range<i64>) -> Result<Vec<Window>> {
        let _ = range;
        Ok(Vec::new())
    }

    /// What is there.
    ///
    /// # Errors
    /// What reading gives.
    fn status(&self) -> Result<Status>;

    /// Which time the segments of each node cover, by name: those that are kept, and those that retention has deleted.
    /// What a wrong clock dates in the future does not count, unless there is nothing else (docs/spec.md#future).
    ///
    /// # Errors
    /// What reading gives.
    fn coverage(&self) -> Result<Vec<NodeCoverage>>;

    /// Deletes what is past its time. Segments with packets of windows that are due stay until there are results.
    /// Returns how many segments and windows' connections were deleted.
    ///
    /// # Errors
    /// What deleting gives; it can be called again.
    fn retain(&self, now: SystemTime, retention: &Retention) -> Result<u64>;

    /// All segments that are known, in the order in which they came in.
    ///
    /// # Errors
    /// What reading gives.
    fn known_segments(&self) -> Result<Vec<KnownSegment>> {
        Err(StoreError::Refused("this store cannot list its segments".to_owned()))
    }

    /// Removes segments as if they had never come in: their packets, what they cover, and the results of windows of
    /// which no other packets are left. They can come in again. The window job is to run afterwards.
    ///
    /// # Errors
    /// What writing gives; it can be called again.
    fn forget(&self, segments: &[SegmentId]) -> Result<Forgotten> {
        let _ = segments;
        Err(StoreError::Refused("this store cannot forget segments".to_owned()))
    }

    /// The annotations that concern a time within a range, by their beginning.
    ///
    /// # Errors
    /// What reading gives.
    fn annotations(&self, range: Range<i64>) -> Result<Vec<Annotation>>;

    /// Keeps an annotation.
    ///
    /// # Errors
    /// What writing gives.
    fn annotate(&self, annotation: &NewAnnotation) -> Result<Annotation>;

    /// Removes an annotation; false if there is none with the number.
    ///
    /// # Errors
    /// What writing gives.
    fn remove_annotation(&self, id: u64) -> Result<bool>;
}

/// A packet without its 5-tuple, which server saw it, and from which segment it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredRow {
    /// A position in [`WindowPackets::nodes`].
    pub node: u16,
    /// A number of its segment, the same for all rows of a window from this segment.
    pub segment: u32,
    /// The packet.
    pub row: Row,
    /// Where the client is, if its address does not tell any more: as it was found where the address was known.
    pub place: Option<Place>,
}

impl Borrow<Row> for StoredRow {
    fn borrow(&self) -> &Row {
        &self.row
    }
}

/// A window's packets.
pub struct WindowPackets<'a> {
    /// What they are; `rules` is 0.
    pub inputs: Inputs,
    /// Names of servers; the first is "", that of files.
    pub nodes: Vec<String>,
    /// The packets. Each flow is in one part, as a whole; its other direction may be in another.
    pub parts: Vec<Box<dyn Grouped + Send + 'a>>,
}

/// Packets grouped by 5-tuple, and by what tells those apart whose addresses became the same.
pub trait Grouped {
    /// Replaces `rows` by those of the next flow, in the order of time; none at the end.
    ///
    /// # Errors
    /// What reading gives; then all that was read of the window is of no use.
    fn next_group(&mut self, rows: &mut Vec<StoredRow>) -> Result<Option<FlowKey>>;
}

/// A window's flows, judged by the store.
pub struct WindowVerdicts<'a> {
    /// What they are made from; `rules` is 0.
    pub inputs: Inputs,
    /// Names of servers; the first is "", that of files.
    pub nodes: Vec<String>,
    /// The flows, each in one part.
    pub parts: Vec<Box<dyn Verdicts + Send + 'a>>,
}

/// A connection, or a flow without a SYN packet, judged by the store exactly as the rules do with its packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowVerdict {
    /// Of which flow.
    pub key: FlowKey,
    /// What the rules say.
    pub outcome: Outcome,
    /// For how many it stands: its SYN packet's rate, or that of its earliest row if it is in no total.
    pub sample_rate: u32,
    /// A position in [`WindowVerdicts::nodes`]: of its SYN, or its earliest row if there is none.
    pub node: u16,
    /// Its rows.
    pub packets: u32,
    /// Of all rows of its flow, those that equal another in every field but time and TTL; counted beside the flow's first
    /// connection only.
    pub copies: u32,
    /// Rows of its flow before the first SYN packet, if there is one; counted beside the first connection only.
    pub tail: u32,
}

/// What came of asking for verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictBatch {
    /// Flows.
    Flows,
    /// There are no more.
    End,
    /// There is a flow that the store cannot judge: all that came of the window is of no use, and its packets tell.
    Undecidable,
}

/// Flows with verdicts.
pub trait Verdicts {
    /// Replaces `flows` by the next ones.
    ///
    /// # Errors
    /// What reading gives; then all that was read of the window is of no use.
    fn next_flows(&mut self, flows: &mut Vec<FlowVerdict>) -> Result<VerdictBatch>;
}

/// New results of one window. Dropped without [`commit`](Self::commit), nothing has changed.
pub trait Replacement: Send {
    /// Takes connections. Several can be filled side by side.
    ///
    /// # Errors
    /// What writing gives.
    fn sink(&self) -> Result<Box<dyn ConnectionSink + Send>>;

    /// Replaces connections (those of all sinks, finished before), cells (folded by the caller) and counts
    /// of the window as a whole.
    ///
    /// # Errors
    /// What writing gives; then nothing has changed.
    fn commit(self: Box<Self>, inputs: Inputs, counts: WindowCounts, cells: &Cells) -> Result<()>;
}

/// New results of several windows. Dropped without [`finish`](Self::finish), nothing has changed.
pub trait Batch {
    /// Begins to replace all results of a window. What is [committed](Replacement::commit) is held in memory.
    ///
    /// # Errors
    /// What writing gives.
    fn replace(&self, window: Window) -> Result<Box<dyn Replacement + '_>>;

    /// Replaces the results of all windows that were committed.
    ///
    /// # Errors
    /// What writing gives; then nothing has changed, unless the answer was lost.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// Takes connections of one window.
pub trait ConnectionSink {
    /// Takes one.
    ///
    /// # Errors
    /// What writing gives.
    fn write(&mut self, connection: &JudgedConnection<'_>) -> Result<()>;

    /// Ends this sink. Without it, its connections are not part of the results.
    ///
    /// # Errors
    /// What writing gives.
    fn finish(self: Box<Self>) -> Result<()>;
}
