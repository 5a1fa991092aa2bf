//! The results of windows, made from their packets.

use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use cutshort_geo::Geo;
use cutshort_model::Window;
use cutshort_store::cell::Limits;
use cutshort_store::{
    Batch, ConnectionSink, Impairment, Replacement, Result, Store, StoreError, Verdicts, WindowCounts,
    WindowPackets, WindowState, WindowVerdicts,
};
use cutshort_verdict::Rules;

use crate::Share;
use crate::cap;
use crate::gather::Gathered;
use crate::judge::{Judge, Judged, WindowContext};

/// Windows that are done together at most: so many are interrupted as a whole, and lost as a whole by a crash.
const TOGETHER: usize = 32;
/// How often a window is read at most, where something damaged was set aside.
const ATTEMPTS: usize = 3;

/// Makes the results of windows and replaces those of before.
#[derive(Clone, Copy, Debug)]
pub struct WindowJob {
    /// The rules. Their windows must be those of the store.
    pub rules: Rules,
    /// How many networks and ports are counted by name.
    pub limits: Limits,
    /// How many threads work on a window.
    pub threads: usize,
    /// Windows of less bytes of packets are not worth a second thread.
    pub small: u64,
    /// How long after a window's end packets of live receivers are awaited.
    pub grace: Duration,
}

impl Default for WindowJob {
    /// The usual rules and limits, a thread for each processor, 30 seconds.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let grace = Duration::from_secs(30);
        Self { rules: Rules::default(), limits: Limits::default(), threads, small: 1 << 20, grace }
    }
}

/// Which windows without results, or with results that are out of date, are to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// All.
    All,
    /// Those to which live receivers add nothing more at this time, in nanoseconds since the Unix epoch: of
    /// files only, or past their end and the grace.
    At(i64),
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The window that was done just now.
    pub done: Option<Window>,
    /// What was counted in it.
    pub counts: WindowCounts,
    /// How long it took.
    pub took: Duration,
    /// Windows that are done, by whomever, or could not be.
    pub past: usize,
    /// All windows of this run.
    pub all: usize,
}

/// What a run has done.
#[derive(Debug, Default)]
pub struct Report {
    /// Windows that are done.
    pub done: u64,
    /// Windows that are still due because the run was ended before.
    pub left: u64,
    /// Windows that were asked for, but whose packets are past their time, all or some.
    pub kept: u64,
    /// Windows that keep the results of before, because packets of theirs are damaged.
    pub kept_damaged: Vec<Window>,
    /// Windows that were done without packets that are damaged.
    pub incomplete: Vec<Window>,
    /// Windows that could not be done, with the reason.
    pub failed: Vec<(Window, StoreError)>,
}

/// What became of a window, none if it was not due any more; or why it could not be done.
type Outcome = Result<Option<Ran>>;
/// Begins to replace the results of a window.
type Replace<'a> = dyn Fn(Window) -> Result<Box<dyn Replacement + 'a>> + 'a;

impl Report {
    /// Notes what became of a window; gives what was counted if it has new results.
    fn note(&mut self, window: Window, ran: Outcome) -> Option<WindowCounts> {
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
}

/// What became of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    /// It has new results.
    Done(WindowCounts),
    /// It has new results, without packets that are damaged.
    Incomplete(WindowCounts),
    /// It keeps the results of before, because packets of it are damaged.
    Kept,
}

/// Which windows of a list are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// All.
    All,
    /// Those that nobody else has done in the meantime.
    StillDue,
}

impl WindowJob {
    /// The windows that are due, in the order of time.
    ///
    /// # Errors
    /// What the store gives.
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

    /// Does all windows that are due.
    ///
    /// `each` is called before the first window and after each one, and ends the run with a break.
    ///
    /// # Errors
    /// That the store is full, cannot be reached or cannot be read at all; what was done stays. What
    /// concerns one window only is in the report.
    pub fn run_due(
        &self,
        store: &dyn Store,
        geo: &Geo,
        due: Due,
        each: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let windows = self.due(store, due)?;
        self.run_windows(store, geo, &windows, Which::StillDue, each)
    }

    /// Does all windows of a range and of one worker's share again, due or not. Those whose packets are gone, all or
    /// some, keep their results.
    ///
    /// # Errors
    /// As [`run_due`](Self::run_due).
    pub fn recompute(
        &self,
        store: &dyn Store,
        geo: &Geo,
        range: Range<i64>,
        share: Share,
        each: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let own = store.windows(range)?.into_iter().filter(|state| share.owns(state.window));
        let (windows, gone): (Vec<_>, Vec<_>) = own.partition(|state| !state.frozen && has_packets(state));
        let mut report = self.run_windows(store, geo, &windows, Which::All, each)?;
        for state in gone {
            match store.impairment(state.window)? {
                Some(Impairment::Kept) => report.kept_damaged.push(state.window),
                _ => report.kept += 1,
            }
        }
        report.kept_damaged.sort_unstable();
        Ok(report)
    }

    pub(crate) fn run_windows(
        &self,
        store: &dyn Store,
        geo: &Geo,
        windows: &[WindowState],
        which: Which,
        each: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let (mut rest, all) = (windows, windows.len());
        let mut report = Report { left: all as u64, ..Report::default() };
        let counts = WindowCounts::default();
        let mut progress = Progress { done: None, counts, took: Duration::ZERO, past: 0, all };
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
                progress = Progress { took, past: progress.past + 1, ..progress };
                ended |= each(&progress).is_break();
            }
        }
        if report.done > 0 {
            store.roll()?;
        }
        Ok(report)
    }

    /// Does the first windows of a list: several that are small, if the store writes those together, or one. Gives what
    /// became of each; an error that concerns all is one of the whole.
    fn next(
        &self,
        store: &dyn Store,
        geo: &Geo,
        windows: &[WindowState],
        which: Which,
    ) -> Result<Vec<Outcome>> {
        let some = &windows[..self.together(windows)];
        if let Some(batch) = if some.len() > 1 { store.batch() } else { None } {
            return self.batched(store, geo, (some, which), batch);
        }
        windows.iter().take(1).map(|window| self.one(store, geo, window, which)).collect()
    }

    /// How many of the first windows are small enough to be done together; at least one.
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
        batch: Box<dyn Batch + '_>,
    ) -> Result<Vec<Outcome>> {
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

    fn one(&self, store: &dyn Store, geo: &Geo, state: &WindowState, which: Which) -> Result<Outcome> {
        let run = || match which {
            Which::StillDue if still_due(store, std::slice::from_ref(state))?.is_empty() => Ok(None),
            _ => self.run(store, geo, state).map(Some),
        };
        of_one(run())
    }

    /// Does one window. Results of packets that are damaged now are better than new ones without them: they stay.
    ///
    /// # Errors
    /// What the store gives; then nothing has changed.
    pub fn run(&self, store: &dyn Store, geo: &Geo, state: &WindowState) -> Result<Ran> {
        self.run_in(store, geo, state, &|window| store.replace(window))
    }

    /// The same with results that go where `replace` puts them.
    fn run_in(
        &self,
        store: &dyn Store,
        geo: &Geo,
        state: &WindowState,
        replace: &Replace<'_>,
    ) -> Result<Ran> {
        let parts = if state.bytes < self.small { 1 } else { self.threads.max(1) };
        let once = || {
            if let Some(verdicts) = store.read_verdicts(state.window, &self.rules, parts)? {
                let replacement = replace(state.window)?;
                if let Some(counts) = self.replace_by_verdicts(geo, verdicts, replacement)? {
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
            let counts = self.replace(geo, packets, replace(state.window)?)?;
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
                    tracing::warn!(window = state.window.start(), "damaged: {what}");
                }
                done => return done,
            }
        }
        once()
    }

    /// Makes results of packets and puts them in the place of those of before.
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
        let cutoff = inputs.cutoff;
        let around = WindowContext { rules: &self.rules, geo, cutoff, nodes: &nodes, parts: &gathered };
        let with_sink = |part| Ok((part, Some(replacement.sink()?)));
        let mut work = gathered.iter().map(with_sink).collect::<Result<Vec<_>>>()?;
        let judged = side_by_side(&mut work, |(part, sink)| judge(&around, part, sink.take()))?;
        let mut all = Judged::default();
        judged.iter().for_each(|part| all.merge(part));
        replacement.commit(inputs, all.counts, &all.cells.fold(&self.limits))?;
        Ok(all.counts)
    }

    /// The same of what the store has judged; none, and nothing has changed, if it cannot judge all.
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
        let mut all = Judged::default();
        judged.iter().for_each(|part| all.merge(part));
        replacement.commit(inputs, all.counts, &all.cells.fold(&self.limits))?;
        Ok(Some(all.counts))
    }
}

fn judge(
    around: &WindowContext<'_>,
    part: &Gathered,
    sink: Option<Box<dyn ConnectionSink + Send>>,
) -> Result<Judged> {
    let Some(mut sink) = sink else { return Ok(Judged::default()) };
    let judged = Judge::new(around, sink.as_mut()).part(part)?;
    sink.finish()?;
    Ok(judged)
}

/// Which of some windows are still due. Asked about few that lie side by side, a store answers quickly.
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
) -> Result<Option<Judged>> {
    let Some(mut sink) = sink else { return Ok(None) };
    let judged = Judge::new(around, sink.as_mut()).verdicts(part)?;
    sink.finish()?;
    Ok(judged)
}

/// Windows whose results were made elsewhere have no packets, and keep them.
const fn has_packets(state: &WindowState) -> bool {
    state.bytes > 0
}

/// Whether an error is that of the store, and not of one window.
const fn concerns_all(error: &StoreError) -> bool {
    matches!(error, StoreError::Full(_) | StoreError::Unavailable(_) | StoreError::Locked(_))
}

/// Sets apart what concerns one window from what concerns all.
fn of_one<T>(result: Result<T>) -> Result<Result<T>> {
    match result {
        Err(error) if concerns_all(&error) => Err(error),
        other => Ok(other),
    }
}

/// Does something with each item, in a thread for each, in the order of the items.
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
