//! A station at work, and everybody who is told how it goes: systemd, the report file, the collector, metrics.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use cutshort_capture::LiveError;
use cutshort_pipeline::live::{AgentCounts, Collector};
use cutshort_store::Result as StoreResult;

use crate::capture::Capture;
use crate::notify::Notifier;
use crate::report::Reporter;
use crate::station::{Station, StationState};

/// How often it is told how it goes.
const TICK: Duration = Duration::from_secs(1);
/// How long the end waits for what is left to be delivered.
const PATIENCE: Duration = Duration::from_secs(5);
/// Without a word from the recorder for so long, something stands still.
const STILL: Duration = Duration::from_secs(30);

/// A station at work, and everybody who is told how it is doing.
pub struct Watched {
    station: Station,
    reporter: Reporter,
    counts: Arc<Mutex<AgentCounts>>,
    state: Arc<Mutex<StationState>>,
}

impl Watched {
    /// Starts to receive, record and deliver to `collector`, which is told `counts` with each segment.
    ///
    /// # Errors
    /// A [`StoreError`](cutshort_store::StoreError) if the spool cannot be opened.
    pub fn start(
        capture: Capture,
        collector: Box<dyn Collector>,
        counts: Arc<Mutex<AgentCounts>>,
    ) -> StoreResult<Self> {
        let reporter = capture.reporter();
        let station = capture.start(collector)?;
        let state = Arc::new(Mutex::new(station.state()));
        Ok(Self { station, reporter, counts, state })
    }

    /// The latest state, which changes every second.
    #[must_use]
    pub fn state(&self) -> Arc<Mutex<StationState>> {
        Arc::clone(&self.state)
    }

    /// Tells everybody every second how it goes, until `stopped` has a message or is closed, or the station ends by
    /// itself.
    pub fn watch(&mut self, notifier: &Notifier, stopped: &Receiver<()>) {
        self.tell(notifier);
        let tick = tick(notifier);
        while stopped.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) && !self.station.has_ended() {
            if self.station.silence() < STILL {
                notifier.alive();
            }
            self.tell(notifier);
        }
    }

    fn tell(&mut self, notifier: &Notifier) {
        let state = self.station.state();
        notifier.status(&state.to_string());
        self.reporter.note(&state);
        *lock(&self.counts) = self.reporter.counts(&state);
        *lock(&self.state) = state;
    }

    /// Ends receiving, and tries for some seconds to deliver what is left. Returns the last state.
    ///
    /// # Errors
    /// The [`LiveError`] with which receiving had ended before.
    pub fn finish(mut self, notifier: &Notifier) -> Result<StationState, LiveError> {
        notifier.stopping();
        let state = self.station.finish(PATIENCE)?;
        self.reporter.end(&state);
        Ok(state)
    }
}

/// The systemd watchdog may want to hear of it more often.
fn tick(notifier: &Notifier) -> Duration {
    notifier.watchdog().map_or(TICK, |watchdog| TICK.min(watchdog / 3))
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a server does while it answers, in a thread: it receives packets into its own store, if it captures, and tells
/// systemd that it is alive.
pub struct Running {
    stop: Sender<()>,
    thread: JoinHandle<Result<Option<StationState>, LiveError>>,
}

impl Running {
    /// Starts the thread. `end` is called if packets can no longer be received.
    #[must_use]
    pub fn start(watched: Option<Watched>, notifier: Notifier, end: impl Fn() + Send + 'static) -> Self {
        let (stop, stopped) = channel();
        notifier.ready();
        let thread = std::thread::spawn(move || run(watched, &notifier, &stopped, &end));
        Self { stop, thread }
    }

    /// Stops receiving and delivers what is left. Returns the last state if packets were received.
    ///
    /// # Errors
    /// The [`LiveError`] with which receiving had ended before.
    pub fn finish(self) -> Result<Option<StationState>, LiveError> {
        drop(self.stop);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn run(
    watched: Option<Watched>,
    notifier: &Notifier,
    stopped: &Receiver<()>,
    end: &impl Fn(),
) -> Result<Option<StationState>, LiveError> {
    let Some(mut watched) = watched else {
        while stopped.recv_timeout(tick(notifier)) == Err(RecvTimeoutError::Timeout) {
            notifier.alive();
        }
        notifier.stopping();
        return Ok(None);
    };
    watched.watch(notifier, stopped);
    if watched.station.has_ended() {
        end();
    }
    // Wait until no request is being answered.
    let _ = stopped.recv();
    watched.finish(notifier).map(Some)
}
