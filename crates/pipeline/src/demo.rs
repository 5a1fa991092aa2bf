//! Simulated weeks for trying things out. Nothing in them is real, and the store marks them as simulated.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::SystemTime;

use cutshort_geo::{Country, Geo};
use cutshort_model::{Bucket, Window, nanoseconds};
use cutshort_packet::{FiveTuple, Packet};
use cutshort_simulate::{Event, Incident, IncidentKind, Simulation, World};
use cutshort_store::{
    AnnotationKind, FlowKey, Grouped, NewAnnotation, Provenance, Replacement, ReplacementBatch, Result,
    Segment, SegmentSource, Store, StoredRow, WindowPackets,
};
use cutshort_verdict::Row;
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
/// The simulated nodes.
const NODES: [&str; 3] = ["edge1", "edge2", "edge3"];

/// Four weeks of simulated connections.
#[derive(Debug)]
pub struct Demo {
    simulation: Simulation,
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
        Self { simulation: simulation.sample_rate(SAMPLE_RATE), job: WindowJob::default() }
    }

    /// The countries and networks of the simulated addresses, as a CSV file for [`Geo::with_files`].
    #[must_use]
    pub fn geo_csv(&self) -> String {
        self.simulation.world().geo_csv()
    }

    /// Fills an empty store. `each` is called after each window, from several threads; a break interrupts filling.
    pub fn fill(
        &self,
        store: &dyn Store,
        geo: &Geo,
        each: &(dyn Fn(Filled) -> ControlFlow<()> + Sync),
    ) -> Result<()> {
        let windows = self.simulation.windows();
        let with_packets = windows.end - WITH_PACKETS..windows.end;
        // First, because what they cover says until when all windows count.
        self.cover(store, windows.start..with_packets.start)?;
        with_packets.clone().try_for_each(|window| self.keep_packets(store, window))?;
        let (all, next) = ((windows.end - windows.start) as usize, AtomicUsize::new(0));
        let (past, is_stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = || -> Result<()> {
            while let Some(some) = part(&windows, next.fetch_add(1, Ordering::Relaxed)) {
                let batch = store.batch();
                for window in some {
                    let begin = |window| match &batch {
                        Some(batch) => batch.replace(window),
                        None => store.replace(window),
                    };
                    self.window(store, geo, (window, with_packets.contains(&window)), &begin)?;
                    let done = past.fetch_add(1, Ordering::Relaxed) + 1;
                    if is_stopped.load(Ordering::Relaxed) || each(Filled { windows: done, all }).is_break() {
                        is_stopped.store(true, Ordering::Relaxed);
                        return Ok(());
                    }
                }
                batch.map_or(Ok(()), ReplacementBatch::finish)?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.job.threads.max(1)).map(|_| scope.spawn(work)).collect();
            let mut results = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
            results.try_for_each(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })?;
        if is_stopped.into_inner() {
            return Ok(());
        }
        self.annotate(store)?;
        store.roll()
    }

    /// Segments without packets, which say that the servers were there all the time.
    fn cover(&self, store: &dyn Store, windows: Range<i64>) -> Result<()> {
        let [start, end] = [windows.start, windows.end].map(|number| Window::from_number(number).start());
        NODES.iter().filter(|_| start < end).try_for_each(|node| {
            let source = SegmentSource::tcp(node, Provenance::Simulated, (start, end));
            let silent = Segment::encode(Vec::<Packet>::new(), &source, None)?;
            store.append(&silent).map(drop)
        })
    }

    /// Stores a segment for each node.
    fn keep_packets(&self, store: &dyn Store, window: i64) -> Result<()> {
        let (packets, window) = (self.packets(window), Window::from_number(window));
        for (at, node) in NODES.iter().enumerate() {
            let own = packets.iter().filter(|packet| node_of(&packet.five_tuple) == at).copied().collect();
            store.append(&Segment::encode(
                own,
                &SegmentSource::tcp(node, Provenance::Simulated, (window.start(), window.end())),
                None,
            )?)?;
        }
        Ok(())
    }

    fn packets(&self, window: i64) -> Vec<Packet> {
        let packet = |event| if let Event::Packet(packet) = event { Some(packet) } else { None };
        self.simulation.window(window).filter_map(packet).collect()
    }

    /// Stores the results of a window, computed from its packets, whether or not these are stored.
    fn window<'a>(
        &self,
        store: &dyn Store,
        geo: &Geo,
        (window, kept): (i64, bool),
        replace: &dyn Fn(Window) -> Result<Box<dyn Replacement + 'a>>,
    ) -> Result<()> {
        let judged = Window::from_number(window);
        let mut read = store.read_window(judged, 1)?;
        if !kept {
            let nodes = std::iter::once("").chain(NODES).map(str::to_owned).collect();
            let parts: Vec<Box<dyn Grouped + Send>> = vec![Box::new(Groups::of(&self.packets(window)))];
            read = WindowPackets { inputs: read.inputs, nodes, parts };
        }
        self.job.replace(geo, read, replace(judged)?).map(drop)
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

/// The windows that one thread computes at a time; none if there are no more.
fn part(windows: &Range<i64>, number: usize) -> Option<Range<i64>> {
    let start = windows.start + number as i64 * TOGETHER;
    (start < windows.end).then(|| start..windows.end.min(start + TOGETHER))
}

/// The node that captures a connection.
fn node_of(five_tuple: &FiveTuple) -> usize {
    usize::from(five_tuple.dst_ip.octets()[15]) % NODES.len()
}

/// Packets in memory, grouped by 5-tuple.
struct Groups(std::vec::IntoIter<(FiveTuple, Vec<StoredRow>)>);

impl Groups {
    fn of(packets: &[Packet]) -> Self {
        let mut places = HashMap::with_hasher(RandomState::default());
        let mut groups: Vec<(FiveTuple, Vec<StoredRow>)> = Vec::new();
        for packet in packets {
            let place = *places.entry(packet.five_tuple).or_insert(groups.len());
            if place == groups.len() {
                groups.push((packet.five_tuple, Vec::new()));
            }
            let node = 1 + node_of(&packet.five_tuple) as u16;
            groups[place].1.push(StoredRow {
                node,
                segment: 0,
                row: Row::from(packet),
                place: None,
                df: packet.df,
                syn: packet.syn,
            });
        }
        Self(groups.into_iter())
    }
}

impl Grouped for Groups {
    fn next_group(&mut self, rows: &mut Vec<StoredRow>) -> Result<Option<FlowKey>> {
        let Some((five_tuple, group)) = self.0.next() else { return Ok(None) };
        *rows = group;
        Ok(Some(five_tuple.into()))
    }
}

/// Describes an incident in an annotation.
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
