//! Runs the window job, the event job and retention continuously.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use cutshort_model::{ServerName, Window, nanoseconds};
use cutshort_store::{Retention, Store, StoreError, WindowState};
use cutshort_verdict::DataSet;

use crate::data_sets::stores;
use crate::share::Waiting;
use crate::window_job::Which;
use crate::{Due, EventJob, GeoData, Report, RunProgress, Share, WindowJob};

/// The settings of a [`Service`].
#[derive(Clone, Debug)]
pub struct Settings {
    /// The window job.
    pub job: WindowJob,
    /// Which of several workers this is.
    pub share: Share,
    /// How long to wait before doing what another worker should have done.
    pub takeover: Duration,
    /// How often to look for windows that are due.
    pub every: Duration,
    /// How long data is kept.
    pub retention: Retention,
    /// How often to look for data that has been kept long enough.
    pub retain_every: Duration,
    /// How long ago changes of events may have been that receivers of alarms are told.
    pub recent: Duration,
    /// The names of servers that data sets are about.
    pub server_names: Vec<ServerName>,
    /// The longest wait before trying again after a failure.
    pub patience: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            job: WindowJob::default(),
            share: Share::default(),
            takeover: Duration::from_mins(5),
            every: Duration::from_secs(5),
            retention: Retention::default(),
            retain_every: Duration::from_secs(3600),
            recent: EventJob::RECENT,
            server_names: Vec::new(),
            patience: Duration::from_secs(60),
        }
    }
}

/// How long to compute windows before looking whether later ones are due.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// A problem that the service has met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The time of the problem, in nanoseconds since the Unix epoch.
    pub at: i64,
    /// The window, if it concerns one only.
    pub window: Option<Window>,
    /// The text of the error.
    pub what: String,
}

/// What a [`Service`] has done, and its state. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceState {
    /// When it last looked for windows that are due.
    pub last_run: Option<i64>,
    /// How long the latest window took.
    pub last_window_took: Option<Duration>,
    /// How long all windows took together.
    pub windows_took: Duration,
    /// The number of windows that were computed since the start.
    pub windows: u64,
    /// How many of these another worker should have computed.
    pub taken_over: u64,
    /// The number of packets in these windows.
    pub packets: u64,
    /// Which of several workers this is.
    pub share: Share,
    /// Windows that are due, also those of other workers.
    pub due: u64,
    /// The end of the oldest window that is due.
    pub oldest_due: Option<i64>,
    /// Segments and windows' results that were deleted since the start because they had been kept long enough.
    pub retired: u64,
    /// The number of failures since the start.
    pub errors: u64,
    /// The latest problem, until it is solved.
    pub trouble: Option<Trouble>,
    /// The latest problem of deletion, until it is solved. Windows are computed all the same.
    pub retention_trouble: Option<Trouble>,
    /// How often deletion failed since the start.
    pub retention_errors: u64,
    /// The latest problem of finding events, until it is solved. Windows are computed all the same.
    pub events_trouble: Option<Trouble>,
    /// Whether the store is full: nothing new can be stored until there is room.
    pub full: bool,
    /// Whether it is waiting before trying again.
    pub paused: bool,
}

impl ServiceState {
    /// How late results are: the time since the end of the oldest window that is due.
    #[must_use]
    pub fn lag(&self, now: SystemTime) -> Duration {
        let late = self.oldest_due.map_or(0, |end| nanoseconds(now).saturating_sub(end));
        Duration::from_nanos(u64::try_from(late).unwrap_or(0))
    }
}

/// A thread that computes windows as they become due, and deletes data that has been kept long enough, until it is
/// stopped or dropped.
///
/// Neither errors nor panics end it: it waits, longer each time, and tries again.
pub struct Service {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    control: Mutex<Control>,
    called: Condvar,
}

#[derive(Default)]
struct Control {
    state: ServiceState,
    stop: bool,
    woken: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the time is over, or until it is woken while not paused; false if it should end.
    fn wait(&self, time: Duration) -> bool {
        let inner = self.lock();
        let rests = |inner: &mut Control| !inner.stop && (inner.state.paused || !inner.woken);
        let waited = self.called.wait_timeout_while(inner, time, rests);
        let mut inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        inner.woken = false;
        !inner.stop
    }
}

impl Service {
    /// Starts the thread. Windows of one turn are computed with the same geo data.
    #[must_use]
    pub fn start(store: Arc<dyn Store>, geo: Arc<GeoData>, settings: Settings) -> Self {
        let shared = Arc::new(Shared::default());
        shared.lock().state.share = settings.share;
        let events =
            EventJob::default().with_recent(settings.recent).with_server_names(settings.server_names.clone());
        let mut worker = Worker {
            shared: Arc::clone(&shared),
            store,
            geo,
            settings,
            retention: Retaining::default(),
            events,
            looked: None,
            is_behind: false,
            begun: None,
            failures: 0,
            waiting: Default::default(),
        };
        let thread = std::thread::spawn(move || worker.run());
        Self { shared, thread: Some(thread) }
    }

    /// The present state.
    #[must_use]
    pub fn state(&self) -> ServiceState {
        self.shared.lock().state.clone()
    }

    /// Ends the wait between turns, for example because a segment was stored.
    pub fn wake(&self) {
        self.shared.lock().woken = true;
        self.shared.called.notify_all();
    }

    /// Stops it after the present window.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.lock().stop = true;
        self.shared.called.notify_all();
        if let Some(thread) = self.thread.take() {
            // Its panic was shown; there is nothing to be saved.
            let _ = thread.join();
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.end();
    }
}

/// The error of a panic, which has already been printed.
fn broken() -> StoreError {
    StoreError::Failed("internal error while computing results; see the log".into())
}

struct Worker {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    geo: Arc<GeoData>,
    settings: Settings,
    retention: Retaining,
    events: EventJob,
    /// When it last looked for events; none if there are new results since.
    looked: Option<Instant>,
    /// Whether the latest turn left windows to the next one.
    is_behind: bool,
    /// When the latest turn began.
    begun: Option<Instant>,
    /// The number of failures in a row.
    failures: u32,
    /// Windows of other workers that are due, of each data set.
    waiting: [Waiting; DataSet::ALL.len()],
}

/// When data that has been kept long enough is next deleted.
#[derive(Default)]
struct Retaining {
    /// None before the first time, which is at once.
    next: Option<Instant>,
    /// The number of failures in a row.
    failures: u32,
}

/// The windows that are due, and which of them to compute in a turn.
struct Plan {
    windows: Vec<WindowState>,
    /// How many of them are this worker's; others should have computed the rest.
    own: usize,
    /// How many other windows are due.
    others: usize,
    /// The end of the oldest window that is still due after each number of this turn's windows.
    oldest: Vec<Option<i64>>,
}

impl Plan {
    fn new(own: Vec<WindowState>, late: Vec<WindowState>, others: &[WindowState]) -> Self {
        let end = |state: &WindowState| state.window.end();
        let number = own.len();
        let windows: Vec<_> = own.into_iter().chain(late).collect();
        let mut least = others.iter().map(end).min();
        let mut oldest = vec![least];
        for window in windows.iter().rev() {
            least = Some(least.map_or(end(window), |least| least.min(end(window))));
            oldest.push(least);
        }
        oldest.reverse();
        Self { windows, own: number, others: others.len(), oldest }
    }

    /// Counts what is due in later plans among the others of earlier ones.
    fn in_order(plans: &mut [Self]) {
        let (mut due, mut oldest): (usize, Option<i64>) = (0, None);
        for plan in plans.iter_mut().rev() {
            plan.others += due;
            for own in &mut plan.oldest {
                *own = own.iter().copied().chain(oldest).min();
            }
            due = plan.others + plan.windows.len();
            oldest = plan.oldest_due(0);
        }
    }

    fn oldest_due(&self, past: usize) -> Option<i64> {
        self.oldest.get(past).copied().flatten()
    }
}

impl Worker {
    fn run(&mut self) {
        loop {
            // A fault in one window must not leave all later ones without results.
            let result = catch_unwind(AssertUnwindSafe(|| self.turn()));
            let result = result.unwrap_or_else(|_| Err(self.trouble(&broken())));
            let wait = self.note(result);
            if !self.shared.wait(wait) || !self.rest() {
                return;
            }
        }
    }

    /// Waits between turns. Segments may wake it many times a second, and each turn asks the store what is due, so
    /// that turns begin at least a fifth of the usual interval apart. False if it should end.
    fn rest(&mut self) -> bool {
        let since = self.begun.map_or(Duration::MAX, |begun| begun.elapsed());
        let rest = (self.settings.every / 5).saturating_sub(since);
        let inner = self.shared.lock();
        let waited = self.shared.called.wait_timeout_while(inner, rest, |inner| !inner.stop);
        !waited.unwrap_or_else(PoisonError::into_inner).0.stop
    }

    /// Looks once for work in all data sets, and does it.
    fn turn(&mut self) -> Result<(), Trouble> {
        let store = Arc::clone(&self.store);
        self.begun = Some(Instant::now());
        let stores = stores(store.as_ref()).map_err(|error| self.trouble(&error))?;
        self.retain(&stores);
        let now = nanoseconds(SystemTime::now());
        let mut plans = Vec::new();
        for store in &stores {
            let due = self.settings.job.due(*store, Due::At(now)).map_err(|error| self.trouble(&error))?;
            plans.push(self.plan(store.data_set(), due));
        }
        Plan::in_order(&mut plans);
        self.note_due(now, &plans);
        let mut result = Ok(());
        self.is_behind = false;
        for (store, plan) in stores.iter().zip(&plans) {
            result = result.and(self.compute(*store, plan));
        }
        // Windows that have no results yet would only be read again.
        if !self.is_behind {
            self.find_events(&stores, now);
        }
        result
    }

    /// Finds events in what is new. Failures are recorded, and do not keep windows from being computed.
    fn find_events(&mut self, stores: &[&dyn Store], now: i64) {
        if !self.settings.share.is_first() || self.looked.is_some_and(|looked| looked.elapsed() < LOOK_AGAIN)
        {
            return;
        }
        self.looked = Some(Instant::now());
        let end = Instant::now() + self.settings.every;
        let (mut more, mut trouble) = (false, None);
        for store in stores {
            let shared = &self.shared;
            let run = self.events.run(*store, now, &mut |progress| {
                let enough = shared.lock().stop || (progress.is_kept && Instant::now() >= end);
                if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            match run {
                Ok(report) => {
                    more |= report.more;
                    for event in report.changed {
                        let event = event.event;
                        let (id, place) = (event.id.to_string(), event.place.to_string());
                        let (channel, state) = (event.channel.name(), event.state.name());
                        tracing::info!(id, place, channel, state, "event");
                    }
                }
                Err(error) => {
                    tracing::warn!("cannot look for events: {error:#}");
                    trouble = Some(Trouble { at: now, window: None, what: format!("{error:#}") });
                }
            }
        }
        let inner = &mut *self.shared.lock();
        inner.state.events_trouble = trouble;
        if more {
            self.looked = None;
            inner.woken = true;
        }
    }

    /// Computes windows of a data set.
    fn compute(&mut self, store: &dyn Store, plan: &Plan) -> Result<(), Trouble> {
        let end = Instant::now() + self.settings.every;
        let mut each = |progress: &RunProgress| self.note_progress(progress, plan, end);
        let job = &self.settings.job;
        let geo = self.geo.current();
        let report = job.run_windows(store, &geo, &plan.windows, Which::StillDue, &mut each);
        let report = report.map_err(|error| self.trouble(&error))?;
        if report.done > 0 {
            self.looked = None;
        }
        if report.left > 0 {
            self.is_behind = true;
            // There is more; but first what is due by now.
            self.shared.lock().woken = true;
        }
        self.note_failed(&report)
    }

    /// Its own windows come first, then those that others should have computed. The latest come first, so that new
    /// data does not wait for old data that came late.
    fn plan(&mut self, data_set: DataSet, due: Vec<WindowState>) -> Plan {
        let share = self.settings.share;
        let (own, foreign): (Vec<_>, Vec<_>) = due.into_iter().partition(|state| share.owns(state.window));
        let late = self.waiting[data_set as usize].for_longer(&foreign, self.settings.takeover);
        let is_late: BTreeSet<Window> = late.iter().map(|state| state.window).collect();
        let others: Vec<_> = foreign.into_iter().filter(|state| !is_late.contains(&state.window)).collect();
        Plan::new(own.into_iter().rev().collect(), late, &others)
    }

    /// Deletes data that has been kept long enough. Failures are recorded, and do not keep windows from being
    /// computed.
    fn retain(&mut self, stores: &[&dyn Store]) {
        if self.retention.next.is_some_and(|next| Instant::now() < next) {
            return;
        }
        let (now, retention) = (SystemTime::now(), &self.settings.retention);
        let retired: cutshort_store::Result<u64> =
            stores.iter().map(|store| store.retain(now, retention)).sum();
        let state = &mut self.shared.lock().state;
        let wait = match retired {
            Ok(retired) => {
                if retired > 0 || self.retention.failures > 0 {
                    tracing::info!(retired, "deleted what is past its time");
                }
                state.retired += retired;
                state.retention_trouble = None;
                self.retention.failures = 0;
                self.settings.retain_every
            }
            Err(error) => {
                tracing::warn!("cannot delete all that is past its time: {error:#}");
                let at = nanoseconds(SystemTime::now());
                state.retention_trouble = Some(Trouble { at, window: None, what: format!("{error:#}") });
                state.retention_errors += 1;
                self.retention.failures += 1;
                // At first soon, then as rarely as ever.
                let wait = self
                    .settings
                    .patience
                    .saturating_mul(1 << self.retention.failures.min(16).saturating_sub(1));
                wait.min(self.settings.retain_every)
            }
        };
        self.retention.next = Some(Instant::now() + wait);
    }

    fn trouble(&self, error: &StoreError) -> Trouble {
        let mut inner = self.shared.lock();
        inner.state.full = matches!(error, StoreError::Full(_));
        inner.state.errors += 1;
        Trouble { at: nanoseconds(SystemTime::now()), window: None, what: format!("{error:#}") }
    }

    fn note_due(&self, now: i64, plans: &[Plan]) {
        let Some(plan) = plans.first() else { return };
        let state = &mut self.shared.lock().state;
        state.last_run = Some(now);
        state.due = (plan.windows.len() + plan.others) as u64;
        state.oldest_due = plan.oldest_due(0);
    }

    /// Ends a turn after a while: if it computes windows of others, to see whether its own are due, and if something
    /// came in, to see whether later windows are due. Other processes may store packets without waking it.
    fn note_progress(&self, progress: &RunProgress, plan: &Plan, end: Instant) -> ControlFlow<()> {
        let inner = &mut *self.shared.lock();
        let state = &mut inner.state;
        state.due = (plan.windows.len() - progress.past + plan.others) as u64;
        state.oldest_due = plan.oldest_due(progress.past);
        if let Some(window) = progress.done {
            let taken_over = progress.past > plan.own;
            tracing::info!(
                window = window.start(),
                packets = progress.counts.packets,
                connections = progress.counts.connections,
                milliseconds = progress.took.as_millis() as u64,
                taken_over,
                "window done"
            );
            state.windows += 1;
            state.taken_over += u64::from(taken_over);
            state.packets += progress.counts.packets;
            state.windows_took += progress.took;
            state.last_window_took = Some(progress.took);
        }
        let now = Instant::now();
        let enough = (progress.past > plan.own || inner.woken) && now >= end || now >= end + LOOK_AGAIN;
        if inner.stop || enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn note_failed(&self, report: &Report) -> Result<(), Trouble> {
        let Some((window, error)) = report.failed.first() else { return Ok(()) };
        let state = &mut self.shared.lock().state;
        state.errors += report.failed.len() as u64;
        state.due += report.failed.len() as u64;
        state.oldest_due = Some(window.end());
        Err(Trouble { at: nanoseconds(SystemTime::now()), window: Some(*window), what: format!("{error:#}") })
    }

    /// Records the result of a turn, and returns the time to wait before the next.
    fn note(&mut self, result: Result<(), Trouble>) -> Duration {
        let state = &mut self.shared.lock().state;
        state.paused = result.is_err();
        state.trouble = result.err();
        let Some(trouble) = &state.trouble else {
            if self.failures > 0 {
                tracing::info!(failures = self.failures, "recovered");
            }
            self.failures = 0;
            state.full = false;
            return self.settings.every;
        };
        tracing::warn!(window = trouble.window.map(Window::start), "{}", trouble.what);
        self.failures += 1;
        let wait = self.settings.every.saturating_mul(1 << self.failures.min(16).saturating_sub(1));
        wait.min(self.settings.patience)
    }
}
