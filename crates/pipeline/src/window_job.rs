//! Computes the results of windows from their packets.

use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use cutshort_geo::Geo;
use cutshort_model::{Window, quantity, rfc3339};
use cutshort_store::cell::Limits;
use cutshort_store::{
    ConnectionSink, Impairment, Replacement, ReplacementBatch, Result, Store, StoreError, Verdicts,
    WindowCounts, WindowPackets, WindowState, WindowVerdicts,
};
use cutshort_verdict::Rules;

use crate::Share;
use crate::cap;
use crate::data_sets::stores;
use crate::gather::Gathered;
use crate::judge::{Judge, PartCounts, WindowContext};
use crate::pairs;

/// The maximum number of windows that are computed together: an interruption or a crash loses all of them.
const TOGETHER: usize = 32;
/// How often a window is read again after something damaged was set aside.
const ATTEMPTS: usize = 3;

/// Computes the results of windows and replaces the previous ones.
#[derive(Clone, Copy, Debug)]
pub struct WindowJob {
    /// The rules, whatever their data set: that of the store is used.
    pub rules: Rules,
    /// How many networks and ports are counted by number.
    pub limits: Limits,
    /// The number of threads that compute a window.
    pub threads: usize,
    /// Windows with fewer bytes of packets are computed by one thread.
    pub small: u64,
    /// How long after the end of a window to wait for packets of live receivers.
    pub grace: Duration,
}

impl Default for WindowJob {
    /// The default rules and limits, a thread per processor, 30 seconds.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let grace = Duration::from_secs(30);
        Self { rules: Rules::default(), limits: Limits::default(), threads, small: 1 << 20, grace }
    }
}

/// Which windows to compute, of those that have no results, or results that are out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// All of them, at any time.
    All,
    /// Those to which live receivers will not add anything at this time, in nanoseconds since the Unix epoch: windows
    /// with packets of capture files only, and those whose end and grace period are over.
    At(i64),
}

/// The progress of a run.
#[derive(Clone, Copy, Debug)]
pub struct RunProgress {
    /// The window that was just computed.
    pub done: Option<Window>,
    /// The counts of this window.
    pub counts: WindowCounts,
    /// How long it took.
    pub took: Duration,
    /// Windows that are computed, by any worker, or could not be.
    pub past: usize,
    /// The number of windows of this run.
    pub all: usize,
}

/// The result of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Windows that were computed.
    pub done: u64,
    /// Windows that are still due because the run was interrupted.
    pub left: u64,
    /// Windows that were requested but keep their results, because some or all of their packets are no longer stored.
    pub kept: u64,
    /// Windows that keep their previous results because some of their packets are damaged.
    pub kept_damaged: Vec<Window>,
    /// Windows that were computed without packets that are damaged.
    pub incomplete: Vec<Window>,
    /// Windows that could not be computed, with the reason.
    pub failed: Vec<(Window, StoreError)>,
}

/// The result of a window: none if it was no longer due, or the reason why it could not be computed.
type WindowOutcome = Result<Option<Ran>>;
/// Begins to replace the results of a window.
type Replace<'a> = dyn Fn(Window) -> Result<Box<dyn Replacement + 'a>> + 'a;

impl Report {
    /// Records the result of a window; returns its counts if it has new results.
    fn note(&mut self, window: Window, ran: WindowOutcome) -> Option<WindowCounts> {
        self.left -= 1;
        match ran {
            Ok(Some(Ran::Kept)) => self.kept_damaged.push(window),
            Ok(Some(ran @ (Ran::Done(counts) | Ran::Incomplete(counts)))) => {
                self.done += 1;
                if matches!(ran, Ran::Incomplete(_)) {
                    self.incomplete.push(window);
                }
                return Some(counts);
            }
            Ok(None) => {}
            Err(error) => self.failed.push((window, error)),
        }
        None
    }

    /// Adds the result of a run over another data set.
    fn merge(&mut self, other: Self) {
        self.done += other.done;
        self.left += other.left;
        self.kept += other.kept;
        self.kept_damaged.extend(other.kept_damaged);
        self.incomplete.extend(other.incomplete);
        self.failed.extend(other.failed);
    }

    /// Whether all windows were computed, from all of their packets.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.failed.is_empty() && self.left == 0 && self.kept_damaged.is_empty() && self.incomplete.is_empty()
    }

    /// What could not be computed, or not from all packets, and what to do: one sentence each.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let failed = self.failed.iter().map(|(window, error)| {
            format!("the window of {} could not be computed: {error:#}", rfc3339(window.start()))
        });
        let damaged = [
            (&self.kept_damaged, "kept the earlier results: packets are damaged"),
            (&self.incomplete, "computed without packets that are damaged"),
        ];
        let damaged = damaged.into_iter().filter_map(|(windows, what)| {
            Some(format!(
                "{} {what} ({}). 'cutshort store verify' names the files; import or deliver these packets again",
                quantity(windows.len() as u64, "window"),
                Window::first_of(windows)?
            ))
        });
        let left = quantity(self.left, "window");
        let left = (self.left > 0)
            .then(|| format!("interrupted: {left} not yet computed; run this again to continue"));
        failed.chain(damaged).chain(left).collect()
    }
}

/// How a window was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// It has new results.
    Done(WindowCounts),
    /// It has new results, without packets that are damaged.
    Incomplete(WindowCounts),
    /// It keeps its previous results, because packets of it are damaged.
    Kept,
}

/// Which windows of a list to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// All of the list.
    All,
    /// Those that no other worker has computed in the meantime.
    StillDue,
}

impl WindowJob {
    /// The windows that are due, in order of time.
    pub fn due(&self, store: &dyn Store, due: Due) -> Result<Vec<WindowState>> {
        let mut windows = store.due()?;
        let Due::At(now) = due else { return Ok(windows) };
        let grace = i64::try_from(self.grace.as_nanos()).unwrap_or(i64::MAX);
        let over = |state: &WindowState| state.window.end().saturating_add(grace) <= now;
        if !windows.iter().all(over) {
            let live = store.latest_live()?;
            windows.retain(|state| over(state) || live < state.window.start());
        }
        Ok(windows)
    }

    /// Computes all windows that are due, of all data sets.
    ///
    /// `each` is called before the first window and after each one; a break ends the run.
    ///
    /// # Errors
    /// The store is full, cannot be reached or cannot be read at all; windows that were computed keep their results.
    /// Errors that concern one window only are in the report.
    pub fn run_due(
        &self,
        store: &dyn Store,
        geo: &Geo,
        due: Due,
        each: &mut dyn FnMut(&RunProgress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let mut work = Vec::new();
        for store in stores(store)? {
            work.push((store, self.due(store, due)?));
        }
        self.run_all(&work, geo, Which::StillDue, each)
    }

    /// Computes all windows of a range that are this worker's, of all data sets, whether or not they are due. Windows
    /// for which some or all packets are no longer stored keep their results.
    ///
    /// # Errors
    /// The same as those of [`run_due`](Self::run_due).
    pub fn recompute(
        &self,
        store: &dyn Store,
        geo: &Geo,
        range: Range<i64>,
        share: Share,
        each: &mut dyn FnMut(&RunProgress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let (mut work, mut gone) = (Vec::new(), Vec::new());
        for store in stores(store)? {
            let own = store.windows(range.clone())?.into_iter().filter(|state| share.owns(state.window));
            let (windows, without): (Vec<_>, Vec<_>) =
                own.partition(|state| !state.frozen && has_packets(state));
            work.push((store, windows));
            gone.extend(without.into_iter().map(|state| (store, state.window)));
        }
        let mut report = self.run_all(&work, geo, Which::All, each)?;
        for (store, window) in gone {
            match store.impairment(window)? {
                Some(Impairment::Kept) => report.kept_damaged.push(window),
                _ => report.kept += 1,
            }
        }
        report.kept_damaged.sort_unstable();
        Ok(report)
    }

    /// Computes windows of several stores, one store after the other.
    fn run_all(
        &self,
        work: &[(&dyn Store, Vec<WindowState>)],
        geo: &Geo,
        which: Which,
        each: &mut dyn FnMut(&RunProgress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let all = work.iter().map(|(_, windows)| windows.len()).sum();
        let (mut before, mut ended, mut report) = (0, false, Report::default());
        for (store, windows) in work {
            report.merge(self.run_windows(*store, geo, windows, which, &mut |progress| {
                let progress = RunProgress { past: before + progress.past, all, ..*progress };
                ended = ended || each(&progress).is_break();
                if ended { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?);
            before += windows.len();
        }
        Ok(report)
    }

    pub(crate) fn run_windows(
        &self,
        store: &dyn Store,
        geo: &Geo,
        windows: &[WindowState],
        which: Which,
        each: &mut dyn FnMut(&RunProgress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let (mut rest, all) = (windows, windows.len());
        let mut report = Report { left: all as u64, ..Report::default() };
        let counts = WindowCounts::default();
        let mut progress = RunProgress { done: None, counts, took: Duration::ZERO, past: 0, all };
        let mut ended = all == 0 || each(&progress).is_break();
        while !ended && !rest.is_empty() {
            let since = Instant::now();
            let ran = self.next(store, geo, rest, which)?;
            let (some, behind) = rest.split_at(ran.len());
            rest = behind;
            let took = since.elapsed() / u32::try_from(some.len()).unwrap_or(u32::MAX);
            for (state, ran) in some.iter().zip(ran) {
                let done = report.note(state.window, ran);
                progress.done = done.map(|_| state.window);
                progress.counts = done.unwrap_or(progress.counts);
                progress = RunProgress { took, past: progress.past + 1, ..progress };
                ended |= each(&progress).is_break();
            }
        }
        if report.done > 0 {
            store.roll()?;
        }
        Ok(report)
    }

    /// Computes the first windows of a list: several small ones, if the store writes those together, or one. Returns
    /// the result of each, or an error that concerns all.
    fn next(
        &self,
        store: &dyn Store,
        geo: &Geo,
        windows: &[WindowState],
        which: Which,
    ) -> Result<Vec<WindowOutcome>> {
        let some = &windows[..self.together(windows)];
        if let Some(batch) = if some.len() > 1 { store.batch() } else { None } {
            return self.batched(store, geo, (some, which), batch);
        }
        windows.iter().take(1).map(|window| self.one(store, geo, window, which)).collect()
    }

    /// How many of the first windows are small enough to be computed together; at least one.
    fn together(&self, windows: &[WindowState]) -> usize {
        let mut bytes = 0_u64;
        let fits = |state: &&WindowState| {
            bytes = bytes.saturating_add(state.bytes);
            bytes <= self.small
        };
        windows.iter().take(TOGETHER).take_while(fits).count().max(1).min(windows.len())
    }

    fn batched(
        &self,
        store: &dyn Store,
        geo: &Geo,
        (windows, which): (&[WindowState], Which),
        batch: Box<dyn ReplacementBatch + '_>,
    ) -> Result<Vec<WindowOutcome>> {
        let due = match which {
            Which::All => None,
            Which::StillDue => Some(still_due(store, windows)?),
        };
        let run = |state: &WindowState| match &due {
            Some(due) if !due.contains(&state.window) => Ok(Ok(None)),
            _ => of_one(self.run_in(store, geo, state, &|window| batch.replace(window)).map(Some)),
        };
        let ran = windows.iter().map(run).collect::<Result<Vec<_>>>()?;
        match of_one(batch.finish())? {
            Ok(()) => Ok(ran),
            // One of them may be to blame.
            Err(_) => windows.iter().map(|window| self.one(store, geo, window, which)).collect(),
        }
    }

    fn one(&self, store: &dyn Store, geo: &Geo, state: &WindowState, which: Which) -> Result<WindowOutcome> {
        let run = || match which {
            Which::StillDue if still_due(store, std::slice::from_ref(state))?.is_empty() => Ok(None),
            _ => self.run(store, geo, state).map(Some),
        };
        of_one(run())
    }

    /// Computes one window. Previous results from packets that are now damaged are better than new ones without them,
    /// so they are kept.
    ///
    /// # Errors
    /// The error of the store. Nothing has changed then.
    pub fn run(&self, store: &dyn Store, geo: &Geo, state: &WindowState) -> Result<Ran> {
        self.run_in(store, geo, state, &|window| store.replace(window))
    }

    /// Computes one window, with results that are passed to `replace`.
    fn run_in(
        &self,
        store: &dyn Store,
        geo: &Geo,
        state: &WindowState,
        replace: &Replace<'_>,
    ) -> Result<Ran> {
        let job = Self { rules: self.rules.in_data_set(store.data_set()), ..*self };
        let parts = if state.bytes < self.small { 1 } else { self.threads.max(1) };
        let once = || {
            if let Some(verdicts) = store.read_verdicts(state.window, &job.rules, parts)? {
                let replacement = replace(state.window)?;
                if let Some(counts) = job.replace_by_verdicts(geo, verdicts, replacement)? {
                    return Ok(Ran::Done(counts));
                }
            }
            let packets = store.read_window(state.window, parts)?;
            let impairment = store.impairment(state.window)?;
            if impairment == Some(Impairment::Kept) {
                tracing::warn!(
                    window = state.window.start(),
                    "packets are damaged: the results of before are kept"
                );
                return Ok(Ran::Kept);
            }
            let counts = job.replace(geo, packets, replace(state.window)?)?;
            if impairment.is_none() {
                return Ok(Ran::Done(counts));
            }
            tracing::warn!(
                window = state.window.start(),
                "packets are damaged: the results are of the others only"
            );
            Ok(Ran::Incomplete(counts))
        };
        for _ in 1..ATTEMPTS {
            match once() {
                // It is set aside now, and the rest counts.
                Err(StoreError::Damaged(what)) => {
                    tracing::warn!(window = state.window.start(), "damaged: {what:#}");
                }
                done => return done,
            }
        }
        once()
    }

    /// Computes results from packets, and replaces the previous ones.
    pub(crate) fn replace(
        &self,
        geo: &Geo,
        packets: WindowPackets<'_>,
        replacement: Box<dyn Replacement + '_>,
    ) -> Result<WindowCounts> {
        let WindowPackets { mut inputs, nodes, mut parts } = packets;
        inputs.rules = self.rules.digest();
        let mut gathered = side_by_side(&mut parts, |part| Gathered::read(part.as_mut(), &self.rules))?;
        drop(parts);
        cap::settle(&mut gathered, &self.rules);
        pairs::settle(&mut gathered, &self.rules);
        let cutoff = inputs.cutoff;
        let around = WindowContext { rules: &self.rules, geo, cutoff, nodes: &nodes, parts: &gathered };
        let with_sink = |part| Ok((part, Some(replacement.sink()?)));
        let mut work = gathered.iter().map(with_sink).collect::<Result<Vec<_>>>()?;
        let judged = side_by_side(&mut work, |(part, sink)| judge(&around, part, sink.take()))?;
        let mut all = PartCounts::default();
        judged.iter().for_each(|part| all.merge(part));
        replacement.commit(inputs, all.counts, &all.cells.fold(&self.limits))?;
        Ok(all.counts)
    }

    /// Computes results from the store's own verdicts; none, and nothing has changed, if it cannot judge all flows.
    fn replace_by_verdicts(
        &self,
        geo: &Geo,
        verdicts: WindowVerdicts<'_>,
        replacement: Box<dyn Replacement + '_>,
    ) -> Result<Option<WindowCounts>> {
        let WindowVerdicts { mut inputs, nodes, parts } = verdicts;
        inputs.rules = self.rules.digest();
        let around =
            WindowContext { rules: &self.rules, geo, cutoff: inputs.cutoff, nodes: &nodes, parts: &[] };
        let with_sink = |part| Ok((part, Some(replacement.sink()?)));
        let mut work = parts.into_iter().map(with_sink).collect::<Result<Vec<_>>>()?;
        let judged = side_by_side(&mut work, |(part, sink)| take(&around, part.as_mut(), sink.take()))?;
        drop(work);
        let Some(judged) = judged.into_iter().collect::<Option<Vec<_>>>() else { return Ok(None) };
        let mut all = PartCounts::default();
        judged.iter().for_each(|part| all.merge(part));
        replacement.commit(inputs, all.counts, &all.cells.fold(&self.limits))?;
        Ok(Some(all.counts))
    }
}

fn judge(
    around: &WindowContext<'_>,
    part: &Gathered,
    sink: Option<Box<dyn ConnectionSink + Send>>,
) -> Result<PartCounts> {
    let Some(mut sink) = sink else { return Ok(PartCounts::default()) };
    let judged = Judge::new(around, sink.as_mut()).part(part)?;
    sink.finish()?;
    Ok(judged)
}

/// Which of the windows are still due. The store answers quickly if they are few and close together.
fn still_due(store: &dyn Store, windows: &[WindowState]) -> Result<BTreeSet<Window>> {
    let starts: BTreeSet<Window> = windows.iter().map(|state| state.window).collect();
    let (Some(first), Some(last)) = (starts.first(), starts.last()) else { return Ok(starts) };
    let now = store.windows(first.start()..last.end())?;
    let due = now.iter().filter(|state| state.is_due() && starts.contains(&state.window));
    Ok(due.map(|state| state.window).collect())
}

fn take(
    around: &WindowContext<'_>,
    part: &mut dyn Verdicts,
    sink: Option<Box<dyn ConnectionSink + Send>>,
) -> Result<Option<PartCounts>> {
    let Some(mut sink) = sink else { return Ok(None) };
    let judged = Judge::new(around, sink.as_mut()).verdicts(part)?;
    sink.finish()?;
    Ok(judged)
}

/// Windows whose results were copied have no packets, and keep their results.
const fn has_packets(state: &WindowState) -> bool {
    state.bytes > 0
}

/// Whether an error is that of the store, and not of one window.
const fn concerns_all(error: &StoreError) -> bool {
    matches!(error, StoreError::Full(_) | StoreError::Unavailable(_) | StoreError::Locked(_))
}

/// Separates errors that concern one window from those that concern all.
fn of_one<T>(result: Result<T>) -> Result<Result<T>> {
    match result {
        Err(error) if concerns_all(&error) => Err(error),
        other => Ok(other),
    }
}

/// Runs a function for each item, each in a thread; results are in the order of the items.
fn side_by_side<T: Send, R: Send>(
    items: &mut [T],
    work: impl Fn(&mut T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    if let [item] = items {
        return Ok(vec![work(item)?]);
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = items.iter_mut().map(|item| scope.spawn(|| work(item))).collect();
        let results = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        results.map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}
