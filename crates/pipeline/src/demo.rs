//! Simulated weeks for trying things out. Nothing in them is real, and the store marks them as simulated.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::SystemTime;

use cutshort_geo::{Country, Geo};
use cutshort_model::{Bucket, Window, nanoseconds};
use cutshort_packet::quic::Datagram;
use cutshort_packet::{FiveTuple, Packet};
use cutshort_simulate::quic::Clients;
use cutshort_simulate::{Event, Incident, IncidentKind, Simulation, Upstream, Upstreams, World};
use cutshort_store::{
    AnnotationKind, FlowKey, Grouped, KeptDatagram, NewAnnotation, Provenance, Replacement, ReplacementBatch,
    Result, Segment, SegmentSource, Store, StoredDatagram, StoredRow, WindowPackets,
};
use cutshort_verdict::{DataSet, Row};
use foldhash::fast::RandomState;

use crate::WindowJob;

/// The number of windows in four weeks.
const WINDOWS: u32 = 28 * 96;
/// Of the last windows, this many also keep their packets.
const WITH_PACKETS: i64 = 8;
/// So many windows are written to the store together.
const TOGETHER: i64 = 16;
/// The approximate number of connections, enough for smooth curves of single networks.
const CONNECTIONS: u64 = 2_000_000;
/// The sample rate: how many connections each of them stands for.
const SAMPLE_RATE: u32 = 100;
const SEED: u64 = 1;
/// The number of windows in a week, in the data sets `origin` and `quic`.
const WEEK: i64 = 7 * 96;
/// In the data set `origin`: connections in each window, and the sample rate.
const OPENED: u64 = 120;
const OPENED_SAMPLE_RATE: u32 = 10;
/// The same in the data set `quic`.
const QUIC: u64 = 120;
const QUIC_SAMPLE_RATE: u32 = 100;
/// The simulated nodes, which are proxies as well.
const NODES: [&str; 3] = ["edge1", "edge2", "edge3"];

/// Four weeks of simulated connections, and a week of those that the nodes open to servers, and of QUIC.
#[derive(Debug)]
pub struct Demo {
    simulation: Simulation,
    upstreams: Upstreams,
    quic: Clients,
    job: WindowJob,
}

/// The progress of filling a store.
#[derive(Clone, Copy, Debug)]
pub struct Filled {
    /// The number of windows that are done.
    pub windows: usize,
    /// The number of all windows.
    pub all: usize,
}

impl Demo {
    /// Weeks that end at the last full quarter of an hour before a time.
    #[must_use]
    pub fn until(time: SystemTime) -> Self {
        Self::of(time, WINDOWS, CONNECTIONS)
    }

    /// This many windows before a time, with about this many connections in total.
    #[must_use]
    pub fn of(time: SystemTime, windows: u32, connections: u64) -> Self {
        let end = Window::containing(nanoseconds(time));
        let start = Window::from_number(end.number() - i64::from(windows));
        let simulation =
            Simulation::with_total(World::standard(), start.start(), end.start(), connections, SEED);
        let week = Window::from_number(start.number().max(end.number() - WEEK));
        let upstreams = Upstreams::new(simulation.world(), week.start(), end.start(), OPENED, SEED);
        let quic = Clients::new(simulation.world(), week.start(), end.start(), QUIC, SEED);
        Self {
            simulation: simulation.sample_rate(SAMPLE_RATE),
            upstreams: upstreams.sample_rate(OPENED_SAMPLE_RATE),
            quic: quic.sample_rate(QUIC_SAMPLE_RATE),
            job: WindowJob::default(),
        }
    }

    /// The servers to which the nodes open connections.
    #[must_use]
    pub fn upstreams(&self) -> &[Upstream] {
        self.upstreams.servers()
    }

    /// The countries and networks of the simulated addresses, as a CSV file for [`Geo::with_files`].
    #[must_use]
    pub fn geo_csv(&self) -> String {
        self.simulation.world().geo_csv()
    }

    /// Fills an empty store. `each` is called after each window, from several threads; a break interrupts filling.
    ///
    /// # Errors
    /// Those of the store.
    pub fn fill(
        &self,
        store: &dyn Store,
        geo: &Geo,
        each: &(dyn Fn(Filled) -> ControlFlow<()> + Sync),
    ) -> Result<()> {
        let servers = self.servers(store.of(DataSet::Origin)?);
        let parts = [self.clients(store), servers, self.quic(store.of(DataSet::Quic)?)];
        let all = parts.iter().map(|part| (part.windows.end - part.windows.start) as usize).sum();
        let progress = Progress { past: AtomicUsize::new(0), is_stopped: AtomicBool::new(false), all, each };
        for part in &parts {
            let rules = self.job.rules.in_data_set(part.store.data_set());
            part.fill(geo, &WindowJob { rules, ..self.job }, &progress)?;
            if progress.is_stopped.load(Ordering::Relaxed) {
                return Ok(());
            }
            part.store.roll()?;
        }
        self.annotate(store)
    }

    fn clients<'a>(&'a self, store: &'a dyn Store) -> Part<'a> {
        let packet = |event| if let Event::Packet(packet) = event { Some(packet) } else { None };
        Part {
            store,
            windows: self.simulation.windows(),
            rows: Rows::Packets(Box::new(move |window| {
                self.simulation.window(window).filter_map(packet).collect()
            })),
            node: |five_tuple| usize::from(five_tuple.dst_ip.octets()[15]) % NODES.len(),
        }
    }

    fn servers<'a>(&'a self, store: &'a dyn Store) -> Part<'a> {
        Part {
            store,
            windows: self.upstreams.windows(),
            rows: Rows::Packets(Box::new(|window| self.upstreams.rows(window))),
            node: |five_tuple| usize::from(five_tuple.src_ip.octets()[15]) % NODES.len(),
        }
    }

    fn quic<'a>(&'a self, store: &'a dyn Store) -> Part<'a> {
        Part {
            store,
            windows: self.quic.windows(),
            rows: Rows::Datagrams(Box::new(|window| self.quic.rows(window))),
            node: |five_tuple| usize::from(five_tuple.dst_ip.octets()[15]) % NODES.len(),
        }
    }

    fn annotate(&self, store: &dyn Store) -> Result<()> {
        let mut annotations: Vec<NewAnnotation> = Vec::new();
        for incident in self.simulation.incidents() {
            let new = annotation(incident);
            match annotations.iter_mut().find(|known| goes_on(known, &new)) {
                Some(known) => known.end = new.end,
                None => annotations.push(new),
            }
        }
        annotations.iter().try_for_each(|annotation| store.annotate(annotation).map(drop))
    }
}

/// How far filling is.
struct Progress<'a> {
    past: AtomicUsize,
    is_stopped: AtomicBool,
    all: usize,
    each: &'a (dyn Fn(Filled) -> ControlFlow<()> + Sync),
}

impl Progress<'_> {
    /// Notes that a window is done; a break if filling is to end.
    fn advance(&self) -> ControlFlow<()> {
        let windows = self.past.fetch_add(1, Ordering::Relaxed) + 1;
        let was_stopped = self.is_stopped.load(Ordering::Relaxed);
        if was_stopped || (self.each)(Filled { windows, all: self.all }).is_break() {
            self.is_stopped.store(true, Ordering::Relaxed);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// The rows of a window, in order of time.
enum Rows<'a> {
    Packets(Box<dyn Fn(i64) -> Vec<Packet> + Sync + 'a>),
    Datagrams(Box<dyn Fn(i64) -> Vec<Datagram> + Sync + 'a>),
}

/// The simulated packets of one data set.
struct Part<'a> {
    store: &'a dyn Store,
    windows: Range<i64>,
    rows: Rows<'a>,
    /// The node that captures a connection.
    node: fn(&FiveTuple) -> usize,
}

impl Part<'_> {
    fn fill(&self, geo: &Geo, job: &WindowJob, progress: &Progress<'_>) -> Result<()> {
        let windows = &self.windows;
        let with_packets = windows.start.max(windows.end - WITH_PACKETS)..windows.end;
        // First, because what they cover says until when all windows count.
        self.cover(windows.start..with_packets.start)?;
        with_packets.clone().try_for_each(|window| self.keep_packets(window))?;
        let next = AtomicUsize::new(0);
        let work = || -> Result<()> {
            while let Some(some) = together(windows, next.fetch_add(1, Ordering::Relaxed)) {
                let batch = self.store.batch();
                for window in some {
                    let begin = |window| match &batch {
                        Some(batch) => batch.replace(window),
                        None => self.store.replace(window),
                    };
                    self.window(geo, job, (window, with_packets.contains(&window)), &begin)?;
                    if progress.advance().is_break() {
                        return Ok(());
                    }
                }
                batch.map_or(Ok(()), ReplacementBatch::finish)?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..job.threads.max(1)).map(|_| scope.spawn(work)).collect();
            let mut results = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
            results.try_for_each(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    fn source<'a>(&self, node: &'a str, covers: (i64, i64)) -> SegmentSource<'a> {
        SegmentSource { data_set: self.store.data_set(), node, origin: Provenance::Simulated, covers }
    }

    /// Segments without packets, which say that the nodes were there all the time.
    fn cover(&self, windows: Range<i64>) -> Result<()> {
        let [start, end] = [windows.start, windows.end].map(|number| Window::from_number(number).start());
        NODES.iter().filter(|_| start < end).try_for_each(|node| {
            let source = self.source(node, (start, end));
            let silent = match self.rows {
                Rows::Packets(_) => Segment::encode(Vec::<Packet>::new(), &source, None)?,
                Rows::Datagrams(_) => Segment::encode(Vec::<KeptDatagram>::new(), &source, None)?,
            };
            self.store.append(&silent).map(drop)
        })
    }

    /// Stores a segment for each node.
    fn keep_packets(&self, window: i64) -> Result<()> {
        let covers = (Window::from_number(window).start(), Window::from_number(window).end());
        for (at, node) in NODES.iter().enumerate() {
            let is_own = |five_tuple: &FiveTuple| (self.node)(five_tuple) == at;
            let source = self.source(node, covers);
            let segment = match &self.rows {
                Rows::Packets(packets) => {
                    let own = packets(window).into_iter().filter(|packet| is_own(&packet.five_tuple));
                    Segment::encode(own.collect::<Vec<Packet>>(), &source, None)?
                }
                Rows::Datagrams(datagrams) => {
                    let own = datagrams(window).into_iter().filter(|row| is_own(&row.five_tuple));
                    let own = own.map(|row| KeptDatagram::from(&row));
                    Segment::encode(own.collect::<Vec<KeptDatagram>>(), &source, None)?
                }
            };
            self.store.append(&segment)?;
        }
        Ok(())
    }

    /// Stores the results of a window, computed from its packets, whether or not these are stored.
    fn window<'a>(
        &self,
        geo: &Geo,
        job: &WindowJob,
        (window, kept): (i64, bool),
        replace: &dyn Fn(Window) -> Result<Box<dyn Replacement + 'a>>,
    ) -> Result<()> {
        let judged = Window::from_number(window);
        let mut read = self.store.read_window(judged, 1)?;
        if !kept {
            let nodes = std::iter::once("").chain(NODES).map(str::to_owned).collect();
            let groups: Box<dyn Grouped + Send> = match &self.rows {
                Rows::Packets(packets) => Box::new(groups(&packets(window), self.node)),
                Rows::Datagrams(datagrams) => Box::new(groups(&datagrams(window), self.node)),
            };
            read = WindowPackets { inputs: read.inputs, nodes, parts: vec![groups] };
        }
        job.replace(geo, read, replace(judged)?).map(drop)
    }
}

/// The windows that one thread computes at a time; none if there are no more.
fn together(windows: &Range<i64>, number: usize) -> Option<Range<i64>> {
    let start = windows.start + number as i64 * TOGETHER;
    (start < windows.end).then(|| start..windows.end.min(start + TOGETHER))
}

/// Rows in memory, grouped by 5-tuple.
struct Groups<R>(std::vec::IntoIter<(FiveTuple, Vec<R>)>);

/// What a group consists of.
trait Groupable: Copy {
    type Stored;

    fn five_tuple(&self) -> FiveTuple;
    fn stored(&self, node: u16) -> Self::Stored;
}

impl Groupable for Packet {
    type Stored = StoredRow;

    fn five_tuple(&self) -> FiveTuple {
        self.five_tuple
    }

    fn stored(&self, node: u16) -> StoredRow {
        StoredRow { node, segment: 0, row: Row::from(self), place: None, df: self.df, syn: self.syn }
    }
}

impl Groupable for Datagram {
    type Stored = StoredDatagram;

    fn five_tuple(&self) -> FiveTuple {
        self.five_tuple
    }

    fn stored(&self, node: u16) -> StoredDatagram {
        StoredDatagram { node, segment: 0, row: *self, place: None }
    }
}

fn groups<R: Groupable>(rows: &[R], node: fn(&FiveTuple) -> usize) -> Groups<R::Stored> {
    let mut places = HashMap::with_hasher(RandomState::default());
    let mut groups: Vec<(FiveTuple, Vec<R::Stored>)> = Vec::new();
    for row in rows {
        let five_tuple = row.five_tuple();
        let place = *places.entry(five_tuple).or_insert(groups.len());
        if place == groups.len() {
            groups.push((five_tuple, Vec::new()));
        }
        groups[place].1.push(row.stored(1 + node(&five_tuple) as u16));
    }
    Groups(groups.into_iter())
}

impl Grouped for Groups<StoredRow> {
    fn next_group(&mut self, rows: &mut Vec<StoredRow>) -> Result<Option<FlowKey>> {
        let Some((five_tuple, group)) = self.0.next() else { return Ok(None) };
        *rows = group;
        Ok(Some(five_tuple.into()))
    }
}

impl Grouped for Groups<StoredDatagram> {
    fn next_group(&mut self, _rows: &mut Vec<StoredRow>) -> Result<Option<FlowKey>> {
        Ok(None)
    }

    fn next_datagrams(&mut self, rows: &mut Vec<StoredDatagram>) -> Result<Option<FlowKey>> {
        let Some((five_tuple, group)) = self.0.next() else { return Ok(None) };
        *rows = group;
        Ok(Some(five_tuple.into()))
    }
}

/// Describes an incident in an annotation. Only clients over TCP are simulated with incidents.
fn annotation(incident: &Incident) -> NewAnnotation {
    let outage = |kind: &str| Some(("GOVERNMENT_DIRECTED".to_owned(), kind.to_owned()));
    let (kind, what, outage) = match incident.kind {
        IncidentKind::Shutdown => {
            (AnnotationKind::Outage, "nearly all traffic is gone for a day", outage("NATIONWIDE"))
        }
        IncidentKind::Exams => {
            (AnnotationKind::Outage, "mobile data is off on the mornings of exams", outage("NETWORK"))
        }
        IncidentKind::Campaign => {
            (AnnotationKind::TrafficAnomaly, "one network scans, 18 hours of each day", None)
        }
        IncidentKind::Flood => (AnnotationKind::TrafficAnomaly, "SYNs of forged sources", None),
    };
    let country = incident.country.and_then(|code| Country::from_alpha2(std::str::from_utf8(&code).ok()?));
    NewAnnotation {
        data_set: Some(DataSet::Tcp),
        kind,
        start: incident.from_ns,
        end: Some(incident.to_ns),
        description: format!("SIMULATED {incident}: {what}"),
        linked_url: None,
        scope: None,
        locations: country.into_iter().collect(),
        asns: incident.asn.into_iter().collect(),
        outage,
    }
}

/// Whether one incident continues another within a day.
fn goes_on(known: &NewAnnotation, new: &NewAnnotation) -> bool {
    known.description == new.description
        && known.end.is_some_and(|end| new.start - end < Bucket::Day.nanoseconds())
}
