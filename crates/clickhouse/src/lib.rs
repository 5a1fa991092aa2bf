//! Packets, connections and counts in ClickHouse: the store for data that outgrows one machine.
//!
//! * Packets arrive as the segments' Parquet files, with the segment's ID as deduplication token. A segment counts
//!   when a row of the table `segment` says that it is kept; packets of other segments are ignored.
//! * Connections and counts are written under a *generation*, a number of their own. One row of the table `result`
//!   names the valid generation: inserting it replaces all results of a window at once.
//! * Counts of hours and days record the generations from which they were computed. They are valid as long as these
//!   are.

mod address;
mod annotations;
mod breaker;
mod cells;
mod classify;
mod connections;
mod coverage;
mod error;
mod filter;
mod forget;
mod memory;
mod migrations;
mod moving;
mod packets;
mod replacement;
mod results;
mod retention;
mod roll;
mod rollups;
mod rows;
mod segments;
mod server;
mod servers;
mod status;
mod together;
mod verdicts;
mod windows;

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use cutshort_model::{ConnectionRecord, Window, nanoseconds};
use cutshort_store::cell::Cells;
use cutshort_store::{
    Added, Annotation, ConnectionQuery, Events, Forgotten, KnownSegment, NewAnnotation, NodeCoverage,
    Outside, Reason, Replacement, ReplacementBatch, Result, Retention, RollupAnswer, RollupQuery, Segment,
    SegmentId, ServerTotals, Status, Store, StoreError, WindowPackets, WindowState, WindowVerdicts,
};
use cutshort_verdict::{DataSet, Rules};

pub use address::{Address, Classify};
use memory::{Memory, Parts};
pub use migrations::{Layout, migrate, schema};
use server::Server;
use together::Together;

/// Opens where the events of a data set are kept.
type OpenEvents = Arc<dyn Fn(DataSet) -> Box<dyn Events> + Send + Sync>;

/// A store in a database of a ClickHouse server or cluster.
///
/// Any number of processes may write to it at once.
pub struct ClickHouse {
    server: Arc<Server>,
    watch: windows::Watch,
    memory: Memory,
    together: Together,
    address: Address,
    /// The server with the database of the annotations, which all data sets share.
    annotations: Arc<Server>,
    /// The stores of other data sets, once they were used.
    data_sets: [OnceLock<Box<Self>>; DataSet::ALL.len()],
    /// How events are reached, which the server does not keep; none if nobody does.
    open_events: Option<OpenEvents>,
    events: OnceLock<Box<dyn Events>>,
    /// What other sources say, which the server does not keep either.
    outside: Option<Box<dyn Outside>>,
}

impl ClickHouse {
    /// Opens the store at an address.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server does not answer, and
    /// [`StoreError::Refused`] if there is no store, or one of another version,
    /// with what to do.
    pub fn open(address: &Address) -> Result<Self> {
        let parts = Arc::new(Parts::new(address.memory()));
        Self::open_data_set(address, DataSet::Tcp, None, parts)
    }

    /// The same store with events, which are kept elsewhere: by the process that finds them.
    #[must_use]
    pub fn with_events(self, open: impl Fn(DataSet) -> Box<dyn Events> + Send + Sync + 'static) -> Self {
        Self { open_events: Some(Arc::new(open)), ..self }
    }

    /// The same store with what other sources say, which is kept elsewhere.
    #[must_use]
    pub fn with_outside(self, outside: Box<dyn Outside>) -> Self {
        Self { outside: Some(outside), ..self }
    }

    fn open_data_set(
        address: &Address,
        data_set: DataSet,
        annotations: Option<&Arc<Server>>,
        parts: Arc<Parts>,
    ) -> Result<Self> {
        let mut server = Server::new(address, data_set)?;
        migrations::check(&mut server)?;
        let server = Arc::new(server);
        Ok(Self {
            annotations: Arc::clone(annotations.unwrap_or(&server)),
            server,
            watch: windows::Watch::default(),
            memory: Memory::new(parts),
            together: Together::default(),
            address: address.clone(),
            data_sets: Default::default(),
            open_events: None,
            events: OnceLock::new(),
            outside: None,
        })
    }

    fn find_store(&self, data_set: DataSet) -> Result<Option<&Self>> {
        if data_set == self.server.data_set {
            return Ok(Some(self));
        }
        let Some(slot) = self.data_sets.get(data_set as usize) else { return Ok(None) };
        if slot.get().is_none() {
            let address = self.address.of_data_set(data_set);
            if self.server.data_set != DataSet::Tcp || !migrations::exists(&self.server, address.database())?
            {
                return Ok(None);
            }
            // Another thread may have opened it at the same time.
            let store =
                Self::open_data_set(&address, data_set, Some(&self.annotations), self.memory.parts())?;
            let _ = slot.set(Box::new(Self { open_events: self.open_events.clone(), ..store }));
        }
        Ok(slot.get().map(Box::as_ref))
    }

    /// Its tables are created if they are missing, on the cluster of those of `tcp`.
    fn create_store(&self, data_set: DataSet) -> Result<&Self> {
        if let Some(store) = self.find_store(data_set)? {
            return Ok(store);
        }
        let no_other = || {
            StoreError::Refused(format!("the store of the data set {} keeps no other", self.server.data_set))
        };
        if self.server.data_set != DataSet::Tcp {
            return Err(no_other());
        }
        let layout = Layout { cluster: self.server.cluster.clone(), data_set };
        migrate(&self.address, &layout).map_err(|error| {
            let text = format!(
                "the tables of the data set {data_set} cannot be created: have them created with 'cutshort \
                 clickhouse migrate'"
            );
            StoreError::Unavailable(Reason::caused_by(text, error))
        })?;
        self.find_store(data_set)?.ok_or_else(no_other)
    }
}

impl Store for ClickHouse {
    fn data_set(&self) -> DataSet {
        self.server.data_set
    }

    fn find(&self, data_set: DataSet) -> Result<Option<&dyn Store>> {
        Ok(self.find_store(data_set)?.map(|store| store as &dyn Store))
    }

    fn of(&self, data_set: DataSet) -> Result<&dyn Store> {
        Ok(self.create_store(data_set)?)
    }

    fn append(&self, segment: &Segment) -> Result<Added> {
        self.together.append(&self.server, segment)
    }

    fn append_all(&self, segments: &[Segment]) -> Result<Vec<Added>> {
        segments::append(&self.server, segments)?.into_iter().collect()
    }

    fn windows(&self, range: Range<i64>) -> Result<Vec<WindowState>> {
        windows::within(&self.server, &range)
    }

    fn due(&self) -> Result<Vec<WindowState>> {
        self.watch.due(&self.server)
    }

    fn generations(&self, range: Range<i64>) -> Result<Vec<(Window, u64)>> {
        windows::generations(&self.server, &range)
    }

    fn cells(&self, window: Window) -> Result<Option<Cells>> {
        moving::cells(&self.server, window)
    }

    fn cells_within(&self, range: Range<i64>) -> Result<Vec<(Window, Cells)>> {
        moving::cells_within(&self.server, &range)
    }

    fn events(&self) -> Option<&dyn Events> {
        let open = self.open_events.as_ref()?;
        Some(self.events.get_or_init(|| open(self.server.data_set)).as_ref())
    }

    fn outside(&self) -> Option<&dyn Outside> {
        self.outside.as_deref()
    }

    fn latest_live(&self) -> Result<i64> {
        self.watch.latest_live(&self.server)
    }

    fn read_window(&self, window: Window, parts: usize) -> Result<WindowPackets<'_>> {
        packets::read_window(&self.server, window.start(), parts)
    }

    fn read_verdicts(
        &self,
        window: Window,
        rules: &Rules,
        parts: usize,
    ) -> Result<Option<WindowVerdicts<'_>>> {
        match self.server.classify {
            Classify::Rust => Ok(None),
            Classify::Sql => verdicts::read_verdicts(&self.server, window.start(), rules, parts),
        }
    }

    fn replace(&self, window: Window) -> Result<Box<dyn Replacement + '_>> {
        Ok(Box::new(replacement::NewResults::begin(&self.server, window.start())))
    }

    fn batch(&self) -> Option<Box<dyn ReplacementBatch + '_>> {
        Some(Box::new(replacement::NewBatch::begin(&self.server)))
    }

    fn roll(&self) -> Result<()> {
        roll::roll(&self.server, None)
    }

    fn rollups(&self, query: &RollupQuery) -> Result<RollupAnswer> {
        rollups::answer(&self.server, &self.memory, query)
    }

    fn servers(&self, range: &Range<i64>) -> Result<Option<Vec<ServerTotals>>> {
        servers::within(&self.server, range)
    }

    fn connections(&self, query: &ConnectionQuery) -> Result<Vec<ConnectionRecord<'static>>> {
        connections::select(&self.server, query)
    }

    fn each_connection(
        &self,
        range: Range<i64>,
        each: &mut dyn FnMut(ConnectionRecord<'static>) -> bool,
    ) -> Result<()> {
        connections::visit(&self.server, &range, each)
    }

    fn status(&self) -> Result<Status> {
        let status = status::status(&self.server);
        // Whoever knows this status gets answers that are as recent.
        self.memory.look_again();
        status
    }

    fn coverage(&self) -> Result<Vec<NodeCoverage>> {
        coverage::coverage(&self.server)
    }

    fn known_segments(&self) -> Result<Vec<KnownSegment>> {
        forget::known(&self.server)
    }

    fn forget(&self, segments: &[SegmentId]) -> Result<Forgotten> {
        forget::forget(&self.server, segments)
    }

    fn retain(&self, now: SystemTime, retention: &Retention) -> Result<u64> {
        retention::retain(&self.server, nanoseconds(now), retention)
    }

    fn annotations(&self, range: Range<i64>) -> Result<Vec<Annotation>> {
        annotations::list(&self.annotations, &range)
    }

    fn annotate(&self, annotation: &NewAnnotation) -> Result<Annotation> {
        annotations::add(&self.annotations, annotation)
    }

    fn remove_annotation(&self, id: u64) -> Result<bool> {
        annotations::remove(&self.annotations, id)
    }
}
