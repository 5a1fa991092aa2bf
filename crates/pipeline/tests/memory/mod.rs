//! A store in memory, which does what the trait says in the plainest way, and fails when it is told to.
#![allow(dead_code)] // Each test binary uses its part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use cutshort_model::{Addresses, ConnectionRecord, JudgedConnection, Window};
use cutshort_packet::Packet;
use cutshort_store::cell::Cells;
use cutshort_store::{
    Added, Annotation, ConnectionQuery, ConnectionSink, FlowKey, FlowVerdict, Grouped, Inputs, NewAnnotation,
    NodeCoverage, Protected, Protection, Replacement, ReplacementBatch, Result, Retention, RollupAnswer,
    RollupQuery, Segment, SegmentId, SegmentInfo, Status, Store, StoreError, StoredRow, VerdictBatch,
    Verdicts, WindowCounts, WindowPackets, WindowState, WindowVerdicts,
};
use cutshort_verdict::{DataSet, Row, Rules};

/// Results of a window.
#[derive(Clone, Debug)]
pub(crate) struct Results {
    pub(crate) inputs: Inputs,
    pub(crate) counts: WindowCounts,
    /// Sampled and weight by the text of the cell's key.
    pub(crate) cells: BTreeMap<String, (u64, u64)>,
    /// In the order of their 5-tuples.
    pub(crate) connections: Vec<ConnectionRecord<'static>>,
}

#[derive(Default)]
struct Inner {
    segments: BTreeMap<SegmentId, (SegmentInfo, Vec<Protected>)>,
    results: BTreeMap<Window, Results>,
    annotations: Vec<Annotation>,
    /// Operations that fail, one after the other, with what.
    faults: Vec<(&'static str, StoreError)>,
    panics: Vec<&'static str>,
    /// Operations that were begun.
    log: Vec<&'static str>,
    /// Windows in the order in which they were done.
    done: Vec<Window>,
    /// What it says of the flows of windows itself.
    verdicts: BTreeMap<Window, Vec<FlowVerdict>>,
    /// Whether it writes results of several windows together.
    batches: bool,
}

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Inner>>);

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Lets the next operation of that name fail.
    pub(crate) fn fail(&self, operation: &'static str, error: StoreError) {
        self.lock().faults.push((operation, error));
    }

    /// Lets the next operation of that name panic.
    pub(crate) fn panic_in(&self, operation: &'static str) {
        self.lock().panics.push(operation);
    }

    /// How many operations of that name were begun.
    pub(crate) fn begun(&self, operation: &str) -> usize {
        self.lock().log.iter().filter(|begun| **begun == operation).count()
    }

    fn begin(&self, operation: &'static str) -> Result<MutexGuard<'_, Inner>> {
        let mut inner = self.lock();
        inner.log.push(operation);
        if let Some(at) = inner.panics.iter().position(|panics| *panics == operation) {
            inner.panics.remove(at);
            drop(inner);
            panic!("on purpose, as a test: {operation}");
        }
        match inner.faults.iter().position(|(fails, _)| *fails == operation) {
            Some(at) => Err(inner.faults.remove(at).1),
            None => Ok(inner),
        }
    }

    /// Lets it judge a window itself.
    pub(crate) fn judge(&self, window: Window, flows: Vec<FlowVerdict>) {
        self.lock().verdicts.insert(window, flows);
    }

    /// Lets it write results of several windows together.
    pub(crate) fn write_batches(&self) {
        self.lock().batches = true;
    }

    pub(crate) fn results(&self) -> BTreeMap<Window, Results> {
        self.lock().results.clone()
    }

    pub(crate) fn done(&self) -> Vec<Window> {
        self.lock().done.clone()
    }

    pub(crate) fn segments(&self) -> Vec<SegmentInfo> {
        self.lock().segments.values().map(|(info, _)| info.clone()).collect()
    }

    /// All packets, with their nodes.
    pub(crate) fn packets(&self) -> Vec<(String, Packet)> {
        let inner = self.lock();
        let with_node = |(info, packets): &(SegmentInfo, Vec<Protected>)| {
            packets.iter().map(|kept| (info.node.clone(), kept.packet)).collect::<Vec<_>>()
        };
        inner.segments.values().flat_map(with_node).collect()
    }
}

impl Inner {
    fn inputs(&self, window: Window) -> Inputs {
        let covered = self.segments.values().map(|(info, _)| info.covers.1).max().unwrap_or(i64::MIN);
        let has =
            |packets: &[Protected]| packets.iter().any(|kept| Window::containing(kept.packet.ts) == window);
        let ids = self.segments.iter().filter(|(_, (_, packets))| has(packets)).map(|(id, _)| id.0);
        let segments = ids.fold(7, |digest: u64, id| digest.rotate_left(5).wrapping_mul(31) ^ id as u64);
        Inputs { segments, cutoff: window.end().min(covered), rules: 0 }
    }
}

impl Store for Memory {
    fn find(&self, data_set: DataSet) -> Result<Option<&dyn Store>> {
        Ok((data_set == DataSet::Tcp).then_some(self))
    }

    fn of(&self, data_set: DataSet) -> Result<&dyn Store> {
        self.find(data_set)?.ok_or_else(|| StoreError::Refused("only tcp is kept here".to_owned()))
    }

    fn append(&self, segment: &Segment) -> Result<Added> {
        let mut inner = self.begin("append")?;
        let info = segment.info().clone();
        if inner.segments.contains_key(&info.id) {
            return Ok(Added::Known);
        }
        inner.segments.insert(info.id, (info, segment.protected()?));
        Ok(Added::New)
    }

    fn windows(&self, range: Range<i64>) -> Result<Vec<WindowState>> {
        let inner = self.begin("windows")?;
        let packets = inner.segments.values().flat_map(|(_, packets)| packets);
        let mut bytes: BTreeMap<Window, u64> = BTreeMap::new();
        packets.for_each(|kept| *bytes.entry(Window::containing(kept.packet.ts)).or_default() += 16);
        let all: BTreeSet<Window> = bytes.keys().chain(inner.results.keys()).copied().collect();
        let state = |window| WindowState {
            window,
            inputs: inner.inputs(window),
            done: inner.results.get(&window).map(|results| results.inputs),
            frozen: false,
            bytes: bytes.get(&window).copied().unwrap_or(0),
        };
        Ok(all.into_iter().filter(|window| range.contains(&window.start())).map(state).collect())
    }

    fn generations(&self, range: Range<i64>) -> Result<Vec<(Window, u64)>> {
        let windows = self.windows(range)?.into_iter();
        Ok(windows.filter_map(|state| Some((state.window, state.done?.segments))).collect())
    }

    fn cells(&self, _window: Window) -> Result<Option<Cells>> {
        Ok(None)
    }

    fn read_window(&self, window: Window, parts: usize) -> Result<WindowPackets<'_>> {
        let inner = self.begin("read_window")?;
        let names: BTreeSet<&str> =
            inner.segments.values().map(|(info, _)| info.node.as_str()).chain([""]).collect();
        let nodes: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut groups: BTreeMap<FlowKey, Vec<StoredRow>> = BTreeMap::new();
        for (segment, (info, packets)) in (0..).zip(inner.segments.values()) {
            let node = nodes.iter().position(|name| *name == info.node).unwrap() as u16;
            for kept in packets.iter().filter(|kept| Window::containing(kept.packet.ts) == window) {
                let Protection { addresses, flow, place } = kept.protection;
                let key = FlowKey { five_tuple: kept.packet.five_tuple, addresses, flow };
                let place = (addresses != Addresses::Full).then_some(place);
                let Packet { df, syn, .. } = kept.packet;
                let row = StoredRow { node, segment, row: Row::from(&kept.packet), place, df, syn };
                groups.entry(key).or_default().push(row);
            }
        }
        groups.values_mut().for_each(|rows| rows.sort_by_key(|row| row.row.ts));
        // Neighbours go to different parts: nothing may depend on who is where.
        let mut lists = vec![Vec::new(); parts.max(1)];
        for (at, group) in groups.into_iter().enumerate() {
            lists[at % parts.max(1)].push(group);
        }
        let part = |list: Vec<_>| Box::new(Part(list.into_iter())) as Box<dyn Grouped + Send>;
        Ok(WindowPackets {
            inputs: inner.inputs(window),
            nodes,
            parts: lists.into_iter().map(part).collect(),
        })
    }

    fn read_verdicts(
        &self,
        window: Window,
        _rules: &Rules,
        _parts: usize,
    ) -> Result<Option<WindowVerdicts<'_>>> {
        let inner = self.begin("read_verdicts")?;
        let Some(flows) = inner.verdicts.get(&window).cloned() else { return Ok(None) };
        let parts: Vec<Box<dyn Verdicts + Send>> = vec![Box::new(Judged(Some(flows)))];
        Ok(Some(WindowVerdicts { inputs: inner.inputs(window), nodes: vec![String::new()], parts }))
    }

    fn replace(&self, window: Window) -> Result<Box<dyn Replacement + '_>> {
        drop(self.begin("replace")?);
        Ok(Box::new(New { store: self.clone(), window, finished: Arc::default(), batch: None }))
    }

    fn batch(&self) -> Option<Box<dyn ReplacementBatch + '_>> {
        let batch = NewBatch { store: self.clone(), held: Arc::default() };
        self.lock().batches.then(|| Box::new(batch) as Box<dyn ReplacementBatch>)
    }

    fn roll(&self) -> Result<()> {
        self.begin("roll").map(drop)
    }

    fn rollups(&self, _query: &RollupQuery) -> Result<RollupAnswer> {
        Err(StoreError::Failed("the store in memory adds nothing up".into()))
    }

    fn connections(&self, _query: &ConnectionQuery) -> Result<Vec<ConnectionRecord<'static>>> {
        Err(StoreError::Failed("the store in memory selects nothing".into()))
    }

    fn each_connection(
        &self,
        range: Range<i64>,
        each: &mut dyn FnMut(ConnectionRecord<'static>) -> bool,
    ) -> Result<()> {
        let inner = self.begin("each_connection")?;
        let asked = inner.results.iter().filter(|(window, _)| range.contains(&window.start()));
        let results: Vec<_> = asked.map(|(_, results)| results.clone()).collect();
        drop(inner);
        results.into_iter().flat_map(|results| results.connections).all(each);
        Ok(())
    }

    fn coverage(&self) -> Result<Vec<NodeCoverage>> {
        Ok(Vec::new())
    }

    fn status(&self) -> Result<Status> {
        let inner = self.begin("status")?;
        let mut status = Status { windows: inner.results.len() as u64, ..Status::default() };
        status.window_range = inner.results.keys().next().copied().zip(inner.results.keys().last().copied());
        let mut nodes: BTreeMap<String, i64> = BTreeMap::new();
        for (info, _) in inner.segments.values() {
            let latest = info.times.map_or(i64::MIN, |times| times.1);
            nodes.entry(info.node.clone()).and_modify(|ts| *ts = latest.max(*ts)).or_insert(latest);
        }
        status.nodes = nodes.into_iter().collect();
        Ok(status)
    }

    fn retain(&self, _now: SystemTime, _retention: &Retention) -> Result<u64> {
        self.begin("retain").map(|_| 0)
    }

    fn annotations(&self, range: Range<i64>) -> Result<Vec<Annotation>> {
        let inner = self.begin("annotations")?;
        Ok(inner.annotations.iter().filter(|known| known.content.touches(&range)).cloned().collect())
    }

    fn annotate(&self, annotation: &NewAnnotation) -> Result<Annotation> {
        let mut inner = self.begin("annotate")?;
        let new = Annotation { id: inner.annotations.len() as u64, content: annotation.clone() };
        inner.annotations.push(new.clone());
        Ok(new)
    }

    fn remove_annotation(&self, id: u64) -> Result<bool> {
        let mut inner = self.begin("remove_annotation")?;
        let before = inner.annotations.len();
        inner.annotations.retain(|annotation| annotation.id != id);
        Ok(inner.annotations.len() < before)
    }
}

struct Part(std::vec::IntoIter<(FlowKey, Vec<StoredRow>)>);

impl Grouped for Part {
    fn next_group(&mut self, rows: &mut Vec<StoredRow>) -> Result<Option<FlowKey>> {
        let Some((key, group)) = self.0.next() else { return Ok(None) };
        *rows = group;
        Ok(Some(key))
    }
}

/// Flows, all at once.
struct Judged(Option<Vec<FlowVerdict>>);

impl Verdicts for Judged {
    fn next_flows(&mut self, flows: &mut Vec<FlowVerdict>) -> Result<VerdictBatch> {
        *flows = self.0.take().unwrap_or_default();
        Ok(if flows.is_empty() { VerdictBatch::End } else { VerdictBatch::Flows })
    }
}

type Held = Arc<Mutex<Vec<(Window, Results)>>>;

struct NewBatch {
    store: Memory,
    held: Held,
}

impl ReplacementBatch for NewBatch {
    fn replace(&self, window: Window) -> Result<Box<dyn Replacement + '_>> {
        let batch = Some(Arc::clone(&self.held));
        Ok(Box::new(New { store: self.store.clone(), window, finished: Arc::default(), batch }))
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let mut inner = self.store.begin("finish")?;
        for (window, results) in self.held.lock().unwrap().drain(..) {
            inner.done.push(window);
            inner.results.insert(window, results);
        }
        Ok(())
    }
}

type Finished = Arc<Mutex<Vec<ConnectionRecord<'static>>>>;

struct New {
    store: Memory,
    window: Window,
    finished: Finished,
    batch: Option<Held>,
}

impl Replacement for New {
    fn sink(&self) -> Result<Box<dyn ConnectionSink + Send>> {
        drop(self.store.begin("sink")?);
        Ok(Box::new(Sink { records: Vec::new(), finished: Arc::clone(&self.finished) }))
    }

    fn commit(self: Box<Self>, inputs: Inputs, counts: WindowCounts, cells: &Cells) -> Result<()> {
        let mut inner = self.store.begin("commit")?;
        let mut connections = std::mem::take(&mut *self.finished.lock().unwrap());
        connections.sort_by_key(|record| record.five_tuple);
        let cells =
            cells.iter().map(|(key, count)| (format!("{key:?}"), (count.sampled, count.weight))).collect();
        let results = Results { inputs, counts, cells, connections };
        if let Some(batch) = &self.batch {
            batch.lock().unwrap().push((self.window, results));
            return Ok(());
        }
        inner.done.push(self.window);
        inner.results.insert(self.window, results);
        Ok(())
    }
}

struct Sink {
    records: Vec<ConnectionRecord<'static>>,
    finished: Finished,
}

impl ConnectionSink for Sink {
    fn write(&mut self, connection: &JudgedConnection<'_>) -> Result<()> {
        self.records.push(ConnectionRecord::from(connection).into_owned());
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.finished.lock().unwrap().extend(self.records);
        Ok(())
    }
}
