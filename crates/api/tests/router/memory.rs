//! A store in memory that answers by going through everything.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use cutshort_detect::EventId;
use cutshort_geo::Country;
use cutshort_model::{Addresses, ConnectionRecord, Dimension, Network, Port, Value, Window};
use cutshort_packet::quic::{Datagram, Kinds};
use cutshort_packet::{FiveTuple, Flags, SynOptions};
use cutshort_store::cell::{CellKey, CellOutcome, Cells};
use cutshort_store::{
    Added, Annotation, Checkpoint, Choice, ConnectionQuery, EventQuery, EventStep, Events, FlowKey, Folded,
    Grouped, Impaired, Impairment, Inputs, KeptEvent, NewAnnotation, NodeCoverage, Outside, Replacement,
    Result, Retention, Review, RollupAnswer, RollupQuery, RollupRow, Segment, Selection, ServerTotals,
    Status, Store, StoreError, StoredDatagram, StoredRow, WindowCounts, WindowPackets, WindowState,
};
use cutshort_verdict::{
    DataSet, Exclusion, Row, Signature, Stage, Tag, Tags, Termination, WeightedCount, ZMAP4_OPTIONS,
};

use crate::outside::KnownOutside;

/// 5-tuples of one kind in a window.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// Where the window begins.
    pub(crate) window: i64,
    pub(crate) key: CellKey,
    pub(crate) node: String,
    pub(crate) rate: u32,
    pub(crate) times: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) data_set: DataSet,
    /// The store of another data set, such as `origin`, if this is that of `tcp`; it leads to the next one.
    pub(crate) origin: Option<Box<Memory>>,
    pub(crate) cells: Vec<Cell>,
    /// Where windows without results begin.
    pub(crate) pending: Vec<i64>,
    /// Windows with results, beyond those of the cells.
    pub(crate) more_windows: u64,
    /// That packets of a window take.
    pub(crate) bytes: u64,
    pub(crate) folded: bool,
    pub(crate) simulated: bool,
    pub(crate) protected: Vec<Addresses>,
    pub(crate) records: Vec<ConnectionRecord<'static>>,
    pub(crate) impaired: Vec<Impaired>,
    pub(crate) broken: Mutex<Option<fn() -> StoreError>>,
    /// Stores of all data sets share them.
    pub(crate) annotations: Arc<Mutex<Vec<Annotation>>>,
    pub(crate) events: KnownEvents,
    pub(crate) outside: KnownOutside,
    /// What windows count of servers, if they do.
    pub(crate) servers: Option<Vec<ServerTotals>>,
    /// None is all time.
    pub(crate) coverage: Option<Vec<NodeCoverage>>,
    /// What single connections were last asked for.
    pub(crate) asked: Arc<Mutex<Option<ConnectionQuery>>>,
}

/// A connection that ends at a stage.
pub(crate) fn connection(window: i64, country: &str, asn: u32, stage: Stage, times: u64) -> Cell {
    let termination = if stage == Stage::None { Termination::Fin } else { Termination::Reset };
    let tags: Tags = if stage == Stage::None {
        [Tag::Answered].into_iter().collect()
    } else {
        [Tag::Reset, Tag::SingleRst].into_iter().collect()
    };
    let signature = DataSet::Tcp.signatures().iter().copied().find(|signature| signature.stage() == stage);
    let outcome =
        CellOutcome::Connection { stage, termination, completed: stage != Stage::PostSyn, signature, tags };
    Cell { window, key: key(country, asn, outcome), node: String::new(), rate: 1, times }
}

/// 5-tuples that are in no total.
pub(crate) fn excluded(window: i64, country: &str, asn: u32, reason: Exclusion, times: u64) -> Cell {
    Cell {
        window,
        key: key(country, asn, CellOutcome::Excluded(reason)),
        node: String::new(),
        rate: 1,
        times,
    }
}

fn key(country: &str, asn: u32, outcome: CellOutcome) -> CellKey {
    CellKey {
        location: Country::from_alpha2(country),
        network: if asn == 0 { Network::Unknown } else { Network::As(asn) },
        ip_version: 4,
        port: Port::Number(443),
        node: 0,
        outcome,
    }
}

impl Memory {
    pub(crate) fn of(cells: Vec<Cell>) -> Self {
        Self { cells, ..Self::default() }
    }

    /// The same with empty stores of all other data sets.
    pub(crate) fn with_origin(self) -> Self {
        let quic = Self { data_set: DataSet::Quic, ..Self::default() };
        let origin = Self { data_set: DataSet::Origin, origin: Some(Box::new(quic)), ..Self::default() };
        Self { origin: Some(Box::new(origin)), ..self }
    }

    fn check(&self) -> Result<()> {
        self.broken.lock().unwrap().map_or(Ok(()), |error| Err(error()))
    }
}

impl Cell {
    fn count(&self) -> WeightedCount {
        let mut count = WeightedCount::default();
        let rate = u64::from(self.rate);
        count.sampled = self.times;
        count.weight = self.times * rate;
        count.squares = u128::from(self.times) * u128::from(rate * rate);
        count
    }

    fn is_in(&self, selection: &Selection) -> bool {
        let CellKey { location, network, ip_version, port, outcome, .. } = &self.key;
        let continent = location.map(Country::continent);
        let asn = if let Network::As(number) = network { Some(number) } else { None };
        let number = if let Port::Number(number) = port { Some(number) } else { None };
        let common = selection.locations.has(location.as_ref())
            && selection.continents.has(continent.as_ref())
            && selection.asns.has(asn)
            && selection.ip_versions.has(Some(ip_version))
            && selection.ports.has(number)
            && selection.nodes.has(Some(&self.node));
        common
            && match outcome {
                CellOutcome::Excluded(_) => true,
                CellOutcome::Connection { completed, signature, tags, .. } => {
                    tagged(&selection.tags, *tags)
                        && selection.signatures.has(signature.as_ref())
                        && selection.answered.is_none_or(|answered| answered == tags.contains(Tag::Answered))
                        && selection.scanner.is_none_or(|any| any.wanted == any.tags.intersects(*tags))
                        && (*completed || !selection.completed)
                }
            }
    }

    fn values(&self, data_set: DataSet, by: Option<Dimension>) -> Vec<Value> {
        let CellKey { location, network, ip_version, port, outcome, .. } = self.key;
        let of_connection =
            |values: &dyn Fn(Termination, Option<Signature>, Tags) -> Vec<Value>| match outcome {
                CellOutcome::Connection { termination, signature, tags, .. } => {
                    values(termination, signature, tags)
                }
                CellOutcome::Excluded(_) => Vec::new(),
            };
        match by {
            None => vec![Value::All],
            Some(Dimension::Tag) => {
                of_connection(&|_, _, tags| tags.iter(data_set).map(Value::Tag).collect())
            }
            Some(Dimension::Signature) => of_connection(&|_, signature, _| vec![Value::Signature(signature)]),
            Some(Dimension::Termination) => {
                of_connection(&|termination, _, _| vec![Value::Termination(termination)])
            }
            Some(Dimension::IpVersion) => vec![Value::IpVersion(ip_version)],
            Some(Dimension::Location) => vec![Value::Location(location)],
            Some(Dimension::As) => vec![Value::As(network)],
            Some(Dimension::Port) => vec![Value::Port(port)],
            Some(Dimension::Node) => vec![Value::Node(self.node.clone())],
        }
    }
}

fn tagged(choice: &Choice<Tag>, tags: Tags) -> bool {
    (choice.include.is_empty() || choice.include.iter().any(|tag| tags.contains(*tag)))
        && !choice.exclude.iter().any(|tag| tags.contains(*tag))
}

/// Events that were found, the state of what has found them, and what the operator decided.
#[derive(Debug, Default)]
pub(crate) struct KnownEvents(
    pub(crate) Vec<KeptEvent>,
    pub(crate) Option<Vec<u8>>,
    pub(crate) Mutex<BTreeMap<EventId, Review>>,
);

impl KnownEvents {
    pub(crate) fn of(events: Vec<KeptEvent>) -> Self {
        Self(events, None, Mutex::default())
    }
}

impl Events for KnownEvents {
    fn list(&self, query: &EventQuery) -> Result<Vec<KeptEvent>> {
        Ok(self.0.iter().filter(|kept| query.wants(&kept.event)).cloned().collect())
    }

    fn folded(&self) -> Result<Folded> {
        Ok(Folded::default())
    }

    fn checkpoint(&self, _window: i64) -> Result<Option<Checkpoint>> {
        Ok(self.1.clone().map(|state| Checkpoint { next: 0, state }))
    }

    fn reviews(&self) -> Result<BTreeMap<EventId, Review>> {
        Ok(self.2.lock().unwrap().clone())
    }

    fn review(&self, id: EventId, review: Option<&Review>) -> Result<bool> {
        let mut reviews = self.2.lock().unwrap();
        match review {
            Some(review) => _ = reviews.insert(id, review.clone()),
            None => _ = reviews.remove(&id),
        }
        Ok(self.0.iter().any(|kept| kept.event.id == id))
    }

    fn keep(&self, _step: &EventStep<'_>) -> Result<()> {
        Err(StoreError::Refused("nothing is found here".to_owned()))
    }
}

impl Store for Memory {
    fn events(&self) -> Option<&dyn Events> {
        Some(&self.events)
    }

    fn outside(&self) -> Option<&dyn Outside> {
        Some(&self.outside)
    }

    fn data_set(&self) -> DataSet {
        self.data_set
    }

    fn find(&self, data_set: DataSet) -> Result<Option<&dyn Store>> {
        let mut all = std::iter::successors(Some(self), |store| store.origin.as_deref());
        let found = all.find(|store| store.data_set == data_set);
        Ok(found.map(|store| store as &dyn Store))
    }

    fn of(&self, data_set: DataSet) -> Result<&dyn Store> {
        self.find(data_set)?.ok_or_else(|| StoreError::Refused("no other data set is kept here".to_owned()))
    }

    fn append(&self, _segment: &Segment) -> Result<Added> {
        self.check().map(|()| Added::New)
    }

    fn windows(&self, range: Range<i64>) -> Result<Vec<WindowState>> {
        self.check()?;
        let mut windows: BTreeMap<i64, bool> = self.cells.iter().map(|cell| (cell.window, true)).collect();
        windows.extend(self.pending.iter().map(|window| (*window, false)));
        let state = |(start, done): (i64, bool)| WindowState {
            window: Window::containing(start),
            inputs: Inputs::default(),
            done: done.then(Inputs::default),
            frozen: false,
            bytes: self.bytes.max(1),
        };
        Ok(windows.into_iter().filter(|(start, _)| range.contains(start)).map(state).collect())
    }

    fn generations(&self, range: Range<i64>) -> Result<Vec<(Window, u64)>> {
        let windows = self.windows(range)?.into_iter();
        Ok(windows.filter_map(|state| Some((state.window, state.done?.segments))).collect())
    }

    fn cells(&self, _window: Window) -> Result<Option<Cells>> {
        Ok(None)
    }

    fn read_window(&self, window: Window, _parts: usize) -> Result<WindowPackets<'_>> {
        let inputs = Inputs { cutoff: window.end(), ..Inputs::default() };
        Ok(WindowPackets {
            inputs,
            nodes: vec![String::new()],
            parts: vec![Box::new(Packets::of(window.start()))],
        })
    }

    fn replace(&self, _window: Window) -> Result<Box<dyn Replacement + '_>> {
        Err(StoreError::Failed("nothing can be replaced here".into()))
    }

    fn roll(&self) -> Result<()> {
        Ok(())
    }

    fn servers(&self, _range: &Range<i64>) -> Result<Option<Vec<ServerTotals>>> {
        self.check()?;
        Ok(self.servers.clone())
    }

    fn rollups(&self, query: &RollupQuery) -> Result<RollupAnswer> {
        self.check()?;
        let mut rows: Vec<RollupRow> = Vec::new();
        let in_range = |cell: &&Cell| query.range.contains(&cell.window) && cell.is_in(&query.selection);
        for cell in self.cells.iter().filter(in_range) {
            let bucket = query.bucket.map_or(query.range.start, |bucket| bucket.start(cell.window));
            for value in cell.values(self.data_set, query.by) {
                let from = bucket.max(query.range.start);
                let at = rows.iter().position(|row| row.from == from && row.value == value);
                let at = at.unwrap_or_else(|| {
                    rows.push(RollupRow {
                        from,
                        value,
                        stages: Default::default(),
                        excluded: Default::default(),
                    });
                    rows.len() - 1
                });
                match cell.key.outcome {
                    CellOutcome::Connection { stage, .. } => {
                        rows[at].stages[stage as usize].merge(&cell.count());
                    }
                    CellOutcome::Excluded(reason) => rows[at].excluded[reason as usize].merge(&cell.count()),
                }
            }
        }
        rows.sort_by_key(|row| row.from);
        Ok(RollupAnswer { rows, networks_folded: self.folded, ports_folded: self.folded })
    }

    fn connections(&self, query: &ConnectionQuery) -> Result<Vec<ConnectionRecord<'static>>> {
        self.check()?;
        *self.asked.lock().unwrap() = Some(query.clone());
        let in_range = |record: &&ConnectionRecord<'static>| query.range.contains(&(record.first_us * 1000));
        Ok(self.records.iter().filter(in_range).skip(query.offset).take(query.limit).cloned().collect())
    }

    fn each_connection(
        &self,
        _range: Range<i64>,
        each: &mut dyn FnMut(ConnectionRecord<'static>) -> bool,
    ) -> Result<()> {
        let _ = self.records.iter().cloned().all(each);
        Ok(())
    }

    fn lost_connections(&self, range: &Range<i64>) -> Result<Vec<Window>> {
        let lost = self.impaired.iter().filter(|one| one.how == Impairment::WithoutConnections);
        Ok(lost.map(|one| one.window).filter(|window| range.contains(&window.start())).collect())
    }

    fn coverage(&self) -> Result<Vec<NodeCoverage>> {
        let whole = || {
            vec![NodeCoverage { spans: std::iter::once(0..i64::MAX).collect(), ..NodeCoverage::default() }]
        };
        Ok(self.coverage.clone().unwrap_or_else(whole))
    }

    fn status(&self) -> Result<Status> {
        self.check()?;
        let windows: Vec<Window> = self.cells.iter().map(|cell| Window::containing(cell.window)).collect();
        let range = windows.iter().min().copied().zip(windows.iter().max().copied());
        let mut counts = WindowCounts::default();
        for cell in &self.cells {
            match cell.key.outcome {
                CellOutcome::Connection { .. } => counts.connections += cell.times,
                CellOutcome::Excluded(reason) => counts.excluded[reason as usize] += cell.times,
            }
        }
        Ok(Status {
            protected: self.protected.clone(),
            windows: windows.len() as u64 + self.more_windows,
            window_range: range,
            updated: range.map(|(_, last)| last.end() + 30_000_000_000),
            counts,
            simulated: self.simulated,
            nodes: vec![(String::new(), range.map_or(0, |(_, last)| last.start()))],
            impaired: self.impaired.clone(),
            ..Status::default()
        })
    }

    fn retain(&self, _now: SystemTime, _retention: &Retention) -> Result<u64> {
        Ok(0)
    }

    fn annotations(&self, range: Range<i64>) -> Result<Vec<Annotation>> {
        self.check()?;
        let all = self.annotations.lock().unwrap();
        let found = all.iter().filter(|annotation| annotation.content.touches(&range));
        let mut found: Vec<Annotation> = found.cloned().collect();
        found.sort_by_key(|annotation| annotation.content.start);
        Ok(found)
    }

    fn annotate(&self, annotation: &NewAnnotation) -> Result<Annotation> {
        self.check()?;
        let mut all = self.annotations.lock().unwrap();
        let latest = all.iter().map(|annotation| annotation.id).max();
        let annotation = Annotation { id: latest.unwrap_or(0) + 1, content: annotation.clone() };
        all.push(annotation.clone());
        Ok(annotation)
    }

    fn remove_annotation(&self, id: u64) -> Result<bool> {
        let mut all = self.annotations.lock().unwrap();
        let before = all.len();
        all.retain(|annotation| annotation.id != id);
        Ok(all.len() < before)
    }
}

/// Two packets of the connection that the documentation has as its example.
struct Packets(Option<Vec<StoredRow>>);

impl Packets {
    fn of(window: i64) -> Self {
        let row = |seconds: i64, flags, seq| Row {
            ts: window + seconds * 1_000_000_000,
            flags,
            seq,
            ttl: 57,
            sample_rate: 1,
            ..Row::default()
        };
        let rows = [row(1, Flags::SYN, 7), row(2, Flags::RST, 8)];
        let syn = |row: &Row| if row.is_syn() { ZMAP4_OPTIONS[1] } else { SynOptions::NONE };
        let stored = |row| StoredRow { node: 0, segment: 0, row, place: None, df: true, syn: syn(&row) };
        Self(Some(rows.map(stored).to_vec()))
    }
}

impl Grouped for Packets {
    fn next_group(&mut self, rows: &mut Vec<StoredRow>) -> Result<Option<FlowKey>> {
        let Some(found) = self.0.take() else { return Ok(None) };
        *rows = found;
        Ok(Some(five_tuple().into()))
    }

    /// An Initial packet that is repeated, and what the server answers to the second one.
    fn next_datagrams(&mut self, rows: &mut Vec<StoredDatagram>) -> Result<Option<FlowKey>> {
        let Some(found) = self.0.as_mut().and_then(Vec::pop) else { return Ok(None) };
        let initial = Datagram {
            ts: found.row.ts,
            five_tuple: five_tuple(),
            kinds: Kinds::INITIAL,
            version: 1,
            len: 1200,
            dcid: Some(7),
            dcid_len: 8,
            token: Some(Datagram::NO_TOKEN),
            sample_rate: 1,
            ttl: 57,
            ..Datagram::ZERO
        };
        let answer = Datagram {
            five_tuple: five_tuple().reversed(),
            kinds: Kinds::HANDSHAKE,
            dcid: Some(9),
            ..initial
        };
        let sent = if found.row.is_syn() {
            vec![initial, Datagram { ts: initial.ts + 300_000_000, ..initial }]
        } else {
            vec![answer]
        };
        let stored = |row| StoredDatagram { node: 0, segment: 0, row, place: None };
        *rows = sent.into_iter().map(stored).collect();
        Ok(Some(rows[0].row.five_tuple.into()))
    }
}

fn five_tuple() -> FiveTuple {
    let [client, server] = ["198.51.100.7", "203.0.113.5"].map(|address| address.parse().unwrap());
    FiveTuple::new(client, 40112, server, 443)
}
