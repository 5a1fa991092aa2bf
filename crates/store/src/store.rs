use std::borrow::Borrow;
use std::ops::Range;
use std::time::SystemTime;

use cutshort_geo::Place;
use cutshort_model::{ConnectionRecord, JudgedConnection, Window};
use cutshort_packet::quic::Datagram;
use cutshort_packet::{FiveTuple, Packet, SynOptions};
use cutshort_verdict::{DataSet, Outcome, Row, Rules};

use crate::cell::Cells;
use crate::{
    Added, Annotation, ConnectionQuery, Events, FlowKey, Forgotten, Impairment, Inputs, KnownSegment,
    NewAnnotation, NodeCoverage, Outside, Result, Retention, RollupAnswer, RollupQuery, Segment, SegmentId,
    ServerTotals, Status, StoreError, WindowCounts, WindowState,
};

/// Storage of packets, connections and counts. All times are nanoseconds since the Unix epoch.
///
/// Every method that returns a [`Result`] can fail with any [`StoreError`], whose variants say whether it is worth
/// trying again. Methods state what else is true after an error.
///
/// A store keeps one data set. The store of the data set `tcp` also leads to those of the other data sets, which have
/// segments, windows and counts of their own, and share the annotations.
pub trait Store: Send + Sync {
    /// The data set that this store keeps.
    fn data_set(&self) -> DataSet {
        DataSet::Tcp
    }

    /// The store of a data set, this one included; none if no packets of that data set have come in.
    fn find(&self, data_set: DataSet) -> Result<Option<&dyn Store>>;

    /// The store of a data set, this one included, which is created if it is missing.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if this store was opened for reading only.
    fn of(&self, data_set: DataSet) -> Result<&dyn Store>;

    /// Stores a segment. When it returns, the segment is durable. A segment with an ID that was stored before changes
    /// nothing.
    ///
    /// # Errors
    /// The segment is not stored then.
    fn append(&self, segment: &Segment) -> Result<Added>;

    /// Stores several segments, as [`append`](Self::append) does. A store on the network may need fewer requests for
    /// all of them together.
    ///
    /// # Errors
    /// Some of the segments may be stored then; all of them can be passed again.
    fn append_all(&self, segments: &[Segment]) -> Result<Vec<Added>> {
        segments.iter().map(|segment| self.append(segment)).collect()
    }

    /// The windows in a range that have packets or results, in order.
    fn windows(&self, range: Range<i64>) -> Result<Vec<WindowState>>;

    /// The windows that have packets and whose results are missing or out of date, in order. This is called every few
    /// seconds, so a store may answer from memory: windows whose segments others deleted may be missing for minutes,
    /// but new packets never are.
    fn due(&self) -> Result<Vec<WindowState>> {
        let mut windows = self.windows(i64::MIN..i64::MAX)?;
        windows.retain(|window| window.is_due() && window.bytes > 0);
        Ok(windows)
    }

    /// A number for the results of each window of a range that has results, in order. It is another one each time they
    /// are replaced.
    fn generations(&self, range: Range<i64>) -> Result<Vec<(Window, u64)>>;

    /// The counts of a window; none if they were deleted and only hours or days count it.
    fn cells(&self, window: Window) -> Result<Option<Cells>>;

    /// The counts of the windows of a range, in order, without those windows that [`cells`](Self::cells) has none of. A store
    /// on the network reads them in few requests, and may leave out those by server.
    fn cells_within(&self, range: Range<i64>) -> Result<Vec<(Window, Cells)>> {
        let windows = self.generations(range)?.into_iter();
        windows
            .filter_map(|(window, _)| Some(self.cells(window).transpose()?.map(|cells| (window, cells))))
            .collect()
    }

    /// Where events are kept; none if this store keeps none.
    fn events(&self) -> Option<&dyn Events> {
        None
    }

    /// Where records of other sources are kept; none if this store keeps none.
    fn outside(&self) -> Option<&dyn Outside> {
        None
    }

    /// The time of the latest packet of any live receiver; `i64::MIN` if there is none. As with [`due`](Self::due), a
    /// store may answer from memory.
    fn latest_live(&self) -> Result<i64> {
        let nodes = self.status()?.nodes;
        Ok(nodes.iter().filter(|(name, _)| !name.is_empty()).map(|(_, ts)| *ts).max().unwrap_or(i64::MIN))
    }

    /// A window's packets, grouped by 5-tuple, in up to `parts` parts that can be read concurrently. Later changes of
    /// the store do not affect what they return.
    ///
    /// # Errors
    /// A damaged segment is set aside and left out; a process that may not write gets
    /// [`Damaged`](crate::StoreError::Damaged) instead.
    fn read_window(&self, window: Window, parts: usize) -> Result<WindowPackets<'_>>;

    /// A window's connections, if the store itself applies the rules, in up to `parts` parts that can be read
    /// concurrently. None if it does not, in general or for this window; then the caller reads the packets.
    fn read_verdicts(
        &self,
        window: Window,
        rules: &Rules,
        parts: usize,
    ) -> Result<Option<WindowVerdicts<'_>>> {
        let _ = (window, rules, parts);
        Ok(None)
    }

    /// How damage affects the results of a window. If [`Kept`](Impairment::Kept), existing results must stay; if
    /// [`Incomplete`](Impairment::Incomplete), new ones cannot be complete. Call this after
    /// [`read_window`](Self::read_window), which may find damage. None without damage, and in stores whose server
    /// handles it.
    fn impairment(&self, window: Window) -> Result<Option<Impairment>> {
        let _ = window;
        Ok(None)
    }

    /// Begins to replace all results of a window. Nothing changes before [`commit`](Replacement::commit).
    fn replace(&self, window: Window) -> Result<Box<dyn Replacement + '_>>;

    /// Begins to replace the results of several small windows, which the store writes together. None if writing them
    /// one by one is as fast.
    fn batch(&self) -> Option<Box<dyn ReplacementBatch + '_>> {
        None
    }

    /// Computes the hours and days that contain windows replaced since the last call. Queries are correct without it,
    /// but slower.
    ///
    /// # Errors
    /// Some hours and days may be done; the call can be repeated.
    fn roll(&self) -> Result<()>;

    /// Answers a query for counts.
    fn rollups(&self, query: &RollupQuery) -> Result<RollupAnswer>;

    /// The connections of a range by server and node, in any order. None if a window of the range that has connections
    /// does not count them by server: that of another data set than `origin`, or one that was computed before servers were
    /// counted; or if the store cannot add up that many counts in seconds.
    fn servers(&self, range: &Range<i64>) -> Result<Option<Vec<ServerTotals>>> {
        let _ = range;
        Ok(None)
    }

    /// Answers a query for connections. In another order than that of time, all connections of the range are read, but
    /// only `offset + limit` of them are held in memory. Those in a damaged file are left out; [`Status::impaired`] names the window.
    fn connections(&self, query: &ConnectionQuery) -> Result<Vec<ConnectionRecord<'static>>>;

    /// Calls `each` with every connection of a range, window by window, until it returns false. Those in a damaged
    /// file are left out; [`Status::impaired`] names the window.
    fn each_connection(
        &self,
        range: Range<i64>,
        each: &mut dyn FnMut(ConnectionRecord<'static>) -> bool,
    ) -> Result<()>;

    /// The windows of a range whose connections are left out because their files are damaged, as far as this is
    /// known. Call this after they were read. Empty in stores whose server handles damage.
    fn lost_connections(&self, range: &Range<i64>) -> Result<Vec<Window>> {
        let _ = range;
        Ok(Vec::new())
    }

    /// The contents of the store, in numbers.
    fn status(&self) -> Result<Status>;

    /// The time that the segments of each node cover, by name, whether they are kept or were deleted by retention. Time
    /// that a wrong clock dates in the future does not count, unless there is no other (docs/spec.md#future).
    fn coverage(&self) -> Result<Vec<NodeCoverage>>;

    /// Deletes data that has been kept long enough. Segments with packets of windows that are due are kept until
    /// there are results. Returns the number of segments and of windows' connections that were deleted.
    ///
    /// # Errors
    /// A part may be deleted; the call can be repeated.
    fn retain(&self, now: SystemTime, retention: &Retention) -> Result<u64>;

    /// All segments that are or were stored, in the order in which they arrived.
    fn known_segments(&self) -> Result<Vec<KnownSegment>> {
        Err(StoreError::Refused("this store cannot list its segments".to_owned()))
    }

    /// Removes segments as if they had never arrived: their packets, what they cover, and the results of windows that
    /// have no other packets. They can be stored again. Run the window job afterwards.
    ///
    /// # Errors
    /// A part may be removed; the call can be repeated.
    fn forget(&self, segments: &[SegmentId]) -> Result<Forgotten> {
        let _ = segments;
        Err(StoreError::Refused("this store cannot forget segments".to_owned()))
    }

    /// The annotations of all data sets whose time overlaps the range, in order of their start.
    fn annotations(&self, range: Range<i64>) -> Result<Vec<Annotation>>;

    /// Stores an annotation.
    fn annotate(&self, annotation: &NewAnnotation) -> Result<Annotation>;

    /// Removes an annotation; false if no annotation has this number.
    fn remove_annotation(&self, id: u64) -> Result<bool>;
}

/// A packet without its 5-tuple, with its node and segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredRow {
    /// An index into [`WindowPackets::nodes`].
    pub node: u16,
    /// A number for its segment, the same for all rows of a window that come from this segment.
    pub segment: u32,
    /// The packet without its 5-tuple.
    pub row: Row,
    /// Country and network of the client, if they can no longer be derived from its address: as recorded when the
    /// address was known.
    pub place: Option<Place>,
    /// IPv4 "don't fragment"; false if it is not known.
    pub df: bool,
    /// The options of a SYN packet.
    pub syn: SynOptions,
}

impl StoredRow {
    /// Returns the packet with this 5-tuple.
    #[must_use]
    pub const fn packet(&self, five_tuple: FiveTuple) -> Packet {
        Packet { df: self.df, syn: self.syn, ..self.row.packet(five_tuple) }
    }
}

impl Borrow<Row> for StoredRow {
    fn borrow(&self) -> &Row {
        &self.row
    }
}

/// A datagram with its node and segment, as [`StoredRow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredDatagram {
    /// An index into [`WindowPackets::nodes`].
    pub node: u16,
    /// A number for its segment, the same for all rows of a window that come from this segment.
    pub segment: u32,
    /// The datagram.
    pub row: Datagram,
    /// As [`StoredRow::place`].
    pub place: Option<Place>,
}

/// The packets of a window.
pub struct WindowPackets<'a> {
    /// The inputs that these packets are; `rules` is 0.
    pub inputs: Inputs,
    /// The names of the nodes; the first is "", for capture files.
    pub nodes: Vec<String>,
    /// The packets. All packets of a flow are in one part; those of the other direction may be in another.
    pub parts: Vec<Box<dyn Grouped + Send + 'a>>,
}

/// Packets grouped by [`FlowKey`].
pub trait Grouped {
    /// Replaces `rows` by those of the next flow, in order of time; none at the end.
    ///
    /// # Errors
    /// Everything that was read of the window must be discarded then.
    fn next_group(&mut self, rows: &mut Vec<StoredRow>) -> Result<Option<FlowKey>>;

    /// The same of a store of the data set `quic`, whose rows are datagrams.
    ///
    /// # Errors
    /// As those of [`next_group`](Self::next_group), and [`StoreError::Refused`] if the store keeps no datagrams.
    fn next_datagrams(&mut self, rows: &mut Vec<StoredDatagram>) -> Result<Option<FlowKey>> {
        let _ = rows;
        Err(StoreError::Refused("this store keeps no datagrams".to_owned()))
    }
}

/// The flows of a window, judged by the store.
pub struct WindowVerdicts<'a> {
    /// The inputs that were used; `rules` is 0.
    pub inputs: Inputs,
    /// The names of the nodes; the first is "", for capture files.
    pub nodes: Vec<String>,
    /// The flows; each is in one part.
    pub parts: Vec<Box<dyn Verdicts + Send + 'a>>,
}

/// A connection, or a flow without a SYN packet, judged by the store with the same result as by the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowVerdict {
    /// The flow that the connection is part of.
    pub key: FlowKey,
    /// The verdict, or why it is excluded; none if it counts with the other direction, and there.
    pub outcome: Option<Outcome>,
    /// How many connections this one stands for: the rate of its SYN packet, or of its earliest row if it is
    /// excluded.
    pub sample_rate: u32,
    /// An index into [`WindowVerdicts::nodes`]: the node of its SYN packet, or of its earliest row if there is none.
    pub node: u16,
    /// The number of its rows, in the data set `quic` that of datagrams.
    pub packets: u32,
    /// Rows of its whole flow that equal another in every field but time and TTL. Zero except on the flow's first
    /// connection.
    pub duplicates: u32,
    /// Rows of its flow before the first SYN packet, if there is one. Zero except on the flow's first connection.
    pub tail: u32,
}

/// The result of [`Verdicts::next_flows`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictBatch {
    /// More flows were returned.
    Flows,
    /// All flows have been returned.
    End,
    /// The store cannot judge one of the flows: discard everything that was read of the window, and read its packets.
    Undecidable,
}

/// A part of the flows of a window, with verdicts.
pub trait Verdicts {
    /// Replaces `flows` by the next ones.
    ///
    /// # Errors
    /// Everything that was read of the window must be discarded then.
    fn next_flows(&mut self, flows: &mut Vec<FlowVerdict>) -> Result<VerdictBatch>;
}

/// New results of one window. If this is dropped without [`commit`](Self::commit), nothing changes.
pub trait Replacement: Send {
    /// Opens a writer of connections. Several can be used concurrently.
    fn sink(&self) -> Result<Box<dyn ConnectionSink + Send>>;

    /// Replaces all results of the window: connections (those of all sinks, which must be finished), cells (already
    /// folded by the caller) and counts. If it fails, nothing has changed.
    fn commit(self: Box<Self>, inputs: Inputs, counts: WindowCounts, cells: &Cells) -> Result<()>;
}

/// New results of several windows. If this is dropped without [`finish`](Self::finish), nothing changes.
pub trait ReplacementBatch {
    /// Begins to replace all results of a window. [Committed](Replacement::commit) results are held in memory.
    fn replace(&self, window: Window) -> Result<Box<dyn Replacement + '_>>;

    /// Replaces the results of all windows that were committed. If it fails, nothing has changed, unless the server
    /// did so and its answer was lost.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// A writer of connections of one window.
pub trait ConnectionSink {
    /// Writes one connection.
    fn write(&mut self, connection: &JudgedConnection<'_>) -> Result<()>;

    /// Completes this writer's connections. If it is dropped instead, they are not part of the results.
    fn finish(self: Box<Self>) -> Result<()>;
}
