//! Finds events in the counts of windows, as these become complete.

mod alerts;
mod counts;
mod observed;

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::time::Duration;

use cutshort_detect::{
    Config, Detector, Event, EventId, EventState, SeriesPlace, Window as DetectorWindow, reconcile,
};
use cutshort_model::{ServerName, Window};
use cutshort_store::cell::Cells;
use cutshort_store::{EventQuery, EventStep, Events, Folded, KeptEvent, Result, Store, StoreError};
use cutshort_verdict::DataSet;

use alerts::{Recent, alerts};
use counts::{Naming, Servers};
use observed::Observed;

/// So many windows are read before what was found in them is stored: a week.
const TOGETHER: usize = 7 * 96;
/// Windows of a day, after which the state is stored.
const DAY: i64 = 96;
/// How long before the windows that are read events may have ended that those found there refer to.
const EPISODES: i64 = 14 * DAY;

/// Finds events.
///
/// Like results, events are never added to: what must be read is derived from what the store has. If results were replaced, or
/// nodes delivered what they had seen, windows are read again from the last state before; events keep their ids. So it does
/// not matter when a run ends, or how: the next one finds the same.
#[derive(Debug)]
pub struct EventJob {
    config: Config,
    /// How long ago a change may have been that receivers of alarms are told.
    recent: Duration,
    naming: Naming,
    /// The detector of each data set after its last run.
    held: [Option<Held>; DataSet::ALL.len()],
}

impl Default for EventJob {
    fn default() -> Self {
        Self {
            config: Config::default(),
            recent: Self::RECENT,
            naming: Naming::default(),
            held: Default::default(),
        }
    }
}

#[derive(Debug)]
struct Held {
    detector: Detector,
    /// The window that comes next.
    next: i64,
}

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventReport {
    /// How many windows were read.
    pub windows: u64,
    /// The events that are new or changed.
    pub changed: Vec<KeptEvent>,
    /// Whether windows are left that could be read.
    pub more: bool,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct EventProgress {
    /// Windows that were read.
    pub past: usize,
    /// All windows of this run.
    pub all: usize,
    /// Whether what was found so far is stored: an end at this point loses no work.
    pub is_kept: bool,
}

impl EventJob {
    /// How long ago changes of events may have been that receivers of alarms are told, unless it is set.
    pub const RECENT: Duration = Duration::from_hours(6);

    /// The same job, with alerts about changes that were no longer ago than this.
    #[must_use]
    pub fn with_recent(self, recent: Duration) -> Self {
        Self { recent, ..self }
    }

    /// The same job, with the names of the servers that data sets are about, for which events are looked for. Those that have
    /// another name than before are watched anew. A job that was not told of any names leaves out servers if some that are watched have a name.
    #[must_use]
    pub fn with_server_names(self, names: Vec<ServerName>) -> Self {
        Self { naming: Naming { names: Some(names) }, ..self }
    }

    /// The detector of a data set, as of the last run of this job.
    #[must_use]
    pub fn detector(&self, data_set: DataSet) -> Option<&Detector> {
        self.held[data_set as usize].as_ref().map(|held| &held.detector)
    }

    /// Reads the windows of a store, one data set, that are complete at a time (in nanoseconds since the Unix epoch) and were not
    /// read yet, or have changed since. `each` is called after each window; a break ends the run. Nothing happens in stores
    /// that keep no events.
    ///
    /// # Errors
    /// What was found before is stored, and the next run continues.
    pub fn run(
        &mut self,
        store: &dyn Store,
        now: i64,
        each: &mut dyn FnMut(&EventProgress) -> ControlFlow<()>,
    ) -> Result<EventReport> {
        let Some(events) = store.events() else { return Ok(EventReport::default()) };
        let observed = Observed::read(store)?;
        let folded = events.folded()?;
        let change = observed.first_change(&folded);
        let Some(from) = change.or_else(|| observed.next(i64::MIN)) else {
            return Ok(EventReport::default());
        };
        let to = observed.end(from, now);
        let before = folded.windows.as_ref().map_or(from, |windows| windows.end);
        if to <= from && from >= before {
            return Ok(EventReport::default());
        }
        let mut held = self.take(store.data_set(), events, change, from)?;
        held.detector.forget(|place| self.naming.is_gone(place));
        let with_servers = store.data_set() == DataSet::Origin && self.naming.knows(&held.detector);
        let mut run = Run {
            store,
            events,
            observed: &observed,
            folded,
            now,
            recent: i64::try_from(self.recent.as_nanos()).unwrap_or(i64::MAX),
            start: from,
            held,
            naming: with_servers.then_some(&self.naming),
            report: EventReport::default(),
            read: 0..0,
            ahead: BTreeMap::new(),
            servers: BTreeMap::new(),
            without_servers: None,
        };
        let stopped = run.windows(to.max(before), before, each)?;
        let Run { held, mut report, .. } = run;
        report.more = stopped.is_some();
        if stopped != Some(Stopped::Between) {
            self.held[store.data_set() as usize] = Some(held);
        }
        Ok(report)
    }

    /// The detector as it was before a window, or at some earlier time.
    fn take(
        &mut self,
        data_set: DataSet,
        events: &dyn Events,
        change: Option<i64>,
        from: i64,
    ) -> Result<Held> {
        let held = self.held[data_set as usize].take();
        if let Some(held) = held.filter(|held| change.is_some() && held.next == from) {
            return Ok(held);
        }
        let checkpoint = if change.is_some() { events.checkpoint(from)? } else { None };
        let restored = checkpoint.and_then(|checkpoint| {
            // One of an earlier version is no use.
            let detector = Detector::restore(self.config, &checkpoint.state).ok()?;
            Some(Held { detector, next: checkpoint.next })
        });
        Ok(restored.unwrap_or_else(|| Held { detector: Detector::new(self.config), next: i64::MIN }))
    }
}

/// Where a run was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    /// All that was found is stored.
    Kept,
    /// Within windows that are read again.
    Between,
}

/// A run over the windows of a store.
struct Run<'a> {
    store: &'a dyn Store,
    events: &'a dyn Events,
    observed: &'a Observed,
    folded: Folded,
    now: i64,
    /// How long ago a change may have been that receivers of alarms are told, in nanoseconds.
    recent: i64,
    /// The first window that was read since events were last stored.
    start: i64,
    held: Held,
    /// The names of servers, if events of servers are looked for.
    naming: Option<&'a Naming>,
    report: EventReport,
    /// The windows whose counts were read together last, and those that are still to be added.
    read: Range<i64>,
    ahead: BTreeMap<i64, Cells>,
    servers: BTreeMap<i64, Servers>,
    /// The last window in which servers were not observed.
    without_servers: Option<i64>,
}

/// So many windows are read together. Each may have half a million counts.
const AHEAD: i64 = 8;

impl Run<'_> {
    /// Reads windows up to `to`. Nothing is stored before all those that were read by earlier runs, up to `before`, are read again:
    /// events that are not found yet are not gone.
    fn windows(
        &mut self,
        to: i64,
        before: i64,
        each: &mut dyn FnMut(&EventProgress) -> ControlFlow<()>,
    ) -> Result<Option<Stopped>> {
        let first = || {
            self.observed
                .next(i64::MIN)
                .into_iter()
                .chain(self.folded.windows.as_ref().map(|known| known.start))
        };
        self.start = if self.held.next == i64::MIN { first().min().unwrap_or(to) } else { self.held.next };
        let mut found = self.open();
        let mut digests = Vec::new();
        let (mut past, all) = (0, self.observed.within(self.start..to).count());
        for t in self.observed.within(self.start..to) {
            self.add(t, &mut found)?;
            digests.push((t, self.observed.digest(t)));
            past += 1;
            let is_kept = t + 1 >= before && digests.len() >= TOGETHER;
            if is_kept {
                self.keep(t + 1, &mut found, &mut digests)?;
            }
            if each(&EventProgress { past, all, is_kept }).is_break() {
                return Ok(Some(match is_kept || t + 1 >= before {
                    true => {
                        self.keep(t + 1, &mut found, &mut digests)?;
                        Stopped::Kept
                    }
                    false => Stopped::Between,
                }));
            }
        }
        self.keep(to, &mut found, &mut digests)?;
        Ok(None)
    }

    /// The events that are open, as the detector knows them.
    fn open(&self) -> BTreeMap<EventId, Event> {
        self.held.detector.open().map(|event| (event.id, event)).collect()
    }

    /// Reads a window.
    fn add(&mut self, t: i64, found: &mut BTreeMap<EventId, Event>) -> Result<()> {
        let cells = if self.observed.has_results(t) { self.cells(t)? } else { Some(Cells::default()) };
        // What only hours or days count is as good as not observed.
        if let Some(cells) = cells {
            let detector = &mut self.held.detector;
            let is_watched = |number| detector.watches(&SeriesPlace::Network(number));
            let data_set = self.store.data_set();
            let mut counted = counts::count(data_set, &cells, &self.observed.nodes(t), is_watched);
            let servers = self.naming.map(|_| self.servers.remove(&t).unwrap_or_default());
            if !servers.is_some_and(|servers| servers.join(&mut counted, data_set, detector)) {
                self.without_servers = Some(t);
            }
            let window = DetectorWindow { number: t, nodes: &counted.nodes, counts: &counted.counts };
            let changes = detector.add(&window);
            let changes = changes.map_err(|error| StoreError::Failed(error.to_string().into()))?;
            found.extend(changes.into_iter().map(|change| (change.event.id, change.event)));
        }
        self.held.next = t + 1;
        self.report.windows += 1;
        Ok(())
    }

    /// The counts of a window. Those of the windows after it are read with it.
    fn cells(&mut self, t: i64) -> Result<Option<Cells>> {
        if !self.read.contains(&t) {
            self.read = t..t + AHEAD;
            let time = |t| Window::from_number(t).start();
            let found = self.store.cells_within(time(t)..time(t + AHEAD))?;
            self.ahead = found.into_iter().map(|(window, cells)| (window.number(), cells)).collect();
            self.read_servers(time(t)..time(t + AHEAD))?;
        }
        Ok(self.ahead.remove(&t))
    }

    /// Counts the connections of windows by server.
    fn read_servers(&mut self, range: Range<i64>) -> Result<()> {
        self.servers.clear();
        let Some(naming) = self.naming else { return Ok(()) };
        self.store.each_connection(range, &mut |record| {
            let window = Window::containing(record.first_us.saturating_mul(1000)).number();
            self.servers.entry(window).or_default().add(&record, naming);
            true
        })
    }

    /// Stores what was found in the windows up to `to`, and begins anew.
    fn keep(
        &mut self,
        to: i64,
        found: &mut BTreeMap<EventId, Event>,
        digests: &mut Vec<(i64, u64)>,
    ) -> Result<()> {
        let windows = self.start..to;
        let absences = self.observed.absences(windows.start, windows.end);
        found.extend(absences.into_iter().map(|event| (event.id, event)));
        let published = self.events.list(&EventQuery::touching(windows.start - EPISODES..i64::MAX))?;
        // What happened to servers may be known from connections that are deleted by now.
        let is_certain = |event: &Event| {
            !matches!(event.place, SeriesPlace::Server(_))
                || self.without_servers.is_none_or(|last| event.onset > last)
        };
        let changed = changed(&published, found, &windows, self.now, is_certain);
        self.held.next = to;
        // States that contain windows that were read again are deleted.
        let last = self.folded.checkpoint.filter(|&next| next <= windows.start);
        let state = last
            .is_none_or(|last| last.div_euclid(DAY) < to.div_euclid(DAY))
            .then(|| self.held.detector.save());
        let recent = Recent { now: self.now, most: self.recent, last: windows.end - 1 };
        let alerts = alerts(&published, &changed, recent);
        let state = state.as_deref();
        let step = EventStep { windows, digests, events: &changed, alerts: &alerts, state };
        self.events.keep(&step)?;
        self.folded.checkpoint = if state.is_some() { Some(to) } else { last };
        self.start = to;
        self.report.changed.extend(changed);
        digests.clear();
        *found = self.open();
        Ok(())
    }
}

/// The events that are new or differ from the published ones, under their published ids. `found` are all of a range of windows, in which
/// those published are found again that are certain.
fn changed(
    published: &[KeptEvent],
    found: &BTreeMap<EventId, Event>,
    windows: &Range<i64>,
    now: i64,
    is_certain: impl Fn(&Event) -> bool,
) -> Vec<KeptEvent> {
    let names: BTreeMap<EventId, EventId> =
        published.iter().map(|kept| (kept.found, kept.event.id)).collect();
    let name = |id: EventId| names.get(&id).copied().unwrap_or(id);
    let renamed: Vec<Event> = found
        .values()
        .map(|event| Event {
            id: name(event.id),
            episode: name(event.episode),
            part_of: event.part_of.map(name),
            ..event.clone()
        })
        .collect();
    let is_concerned = |event: &Event| {
        event.closed.is_none_or(|closed| closed >= windows.start) && is_certain(event)
            || renamed.iter().any(|found| found.id == event.id)
    };
    let known: BTreeMap<EventId, &KeptEvent> = published.iter().map(|kept| (kept.event.id, kept)).collect();
    let concerned: Vec<Event> =
        published.iter().map(|kept| kept.event.clone()).filter(is_concerned).collect();
    let reconciled = reconcile(&concerned, &renamed, windows.end - 1);
    let ids = found.keys().copied().map(Some).chain(std::iter::repeat(None));
    let mut changed = Vec::new();
    for (mut event, found) in reconciled.into_iter().zip(ids) {
        if event.state == EventState::Retracted {
            event.closed = event.closed.or(Some(windows.end - 1));
        }
        let before = known.get(&event.id);
        if before.is_none_or(|before| before.event != event) {
            let found = found.or(before.map(|before| before.found)).unwrap_or(event.id);
            changed.push(KeptEvent { event, found, updated: now });
        }
    }
    changed
}
