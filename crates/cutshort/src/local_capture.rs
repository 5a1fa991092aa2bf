//! What runs beside answering, on Linux: receiving packets into the own store, and telling systemd.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use cutshort_agent::{Notifier, Reporter, Station};
use cutshort_api::App;
use cutshort_clickhouse::Address;
use cutshort_pipeline::live::{AgentCounts, Collector, Delivered};
use cutshort_pipeline::{Answer, GeoData};
use cutshort_sandbox::Needs;
use cutshort_store::DataDir;

use crate::capture::{self, Capture, Line, is_alive};
use crate::deliver::reaching_store;
use crate::error::Error;
use crate::settings::Settings;
use crate::terminal::message;

/// What was opened before privileges were given up.
pub(crate) struct LocalCapture {
    capture: Option<Capture>,
    notifier: Notifier,
}

/// Between looks at how it goes.
const TICK: Duration = Duration::from_secs(1);
/// How long what is left is tried to be put into the store at the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens what needs privileges, and gives them up.
pub(crate) fn open(settings: &Settings, data: &Path, geo: &Arc<GeoData>) -> Result<LocalCapture, Error> {
    let mut needs = capture::needs(settings, needs(settings))?;
    let capture = capture::open(settings, data, &mut needs, || Ok(Arc::clone(geo)))?;
    if capture.is_none() && !data.as_os_str().is_empty() {
        needs.write_in(data)?;
    }
    needs.read_again(settings.geo.iter().map(PathBuf::as_path));
    let kept = capture::drop_privileges(needs)?;
    let from = capture.as_ref().map(|capture| format!("receiving from {}; ", capture.source()));
    message(&format!("{}{kept}", from.unwrap_or_default()));
    Ok(LocalCapture { capture, notifier: Notifier::from_environment() })
}

/// A store elsewhere is connected to again and again, and its name looked up.
fn needs(settings: &Settings) -> Needs {
    let address = settings.store.as_ref().and_then(|store| Address::parse(store).ok());
    address.map_or_else(|| Needs { network: true, ..Needs::default() }, |address| reaching_store(&address))
}

impl LocalCapture {
    /// Nothing is received, as where the packets are made up.
    pub(crate) fn nothing() -> Self {
        Self { capture: None, notifier: Notifier::from_environment() }
    }

    /// Begins. `end` is called when packets cannot be received any more.
    pub(crate) fn start(
        self,
        app: &Arc<App>,
        settings: &Settings,
        data: &Path,
        end: impl Fn() + Send + 'static,
    ) -> Result<Running, Error> {
        let start = |capture: Capture| {
            let reporter = capture.reporter(settings, data);
            let counts = Arc::new(Mutex::default());
            let own = Own { app: Arc::clone(app), counts: Arc::clone(&counts) };
            let station = capture.start(settings, &DataDir::new(data).spool(), Box::new(own))?;
            Ok::<_, Error>(Received { station, reporter, counts })
        };
        let received = self.capture.map(start).transpose()?;
        let (stop, stopped) = channel();
        let notifier = self.notifier;
        notifier.ready();
        let thread = std::thread::spawn(move || watch(received, &notifier, &stopped, &end));
        Ok(Running { stop, thread })
    }
}

/// The store of this process.
struct Own {
    app: Arc<App>,
    counts: Arc<Mutex<AgentCounts>>,
}

impl Collector for Own {
    fn deliver(&mut self, _: &str, segment: Vec<u8>) -> Delivered {
        match self.app.take(None, segment) {
            Answer::New(info) | Answer::Known(info) => {
                self.app.note_agent(&info, *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
                Delivered::Kept
            }
            Answer::Refused(why) | Answer::Forbidden(why) => Delivered::Refused(why),
            Answer::Full(why) | Answer::Later(why) | Answer::Failed(why) => Delivered::Later(why),
        }
    }
}

/// What goes on beside answering.
pub(crate) struct Running {
    stop: Sender<()>,
    thread: JoinHandle<Result<(), Error>>,
}

impl Running {
    /// Ends it, after what was received is part of the store.
    pub(crate) fn finish(self) -> Result<(), Error> {
        drop(self.stop);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Packets that are received, and who tells how that goes.
struct Received {
    station: Station,
    reporter: Reporter,
    counts: Arc<Mutex<AgentCounts>>,
}

fn watch(
    mut received: Option<Received>,
    notifier: &Notifier,
    stopped: &Receiver<()>,
    end: &impl Fn(),
) -> Result<(), Error> {
    let tick = notifier.watchdog().map_or(TICK, |watchdog| TICK.min(watchdog / 3));
    while stopped.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
        if received.as_ref().is_none_or(|received| is_alive(&received.station)) {
            notifier.alive();
        }
        if let Some(Received { station, reporter, counts }) = &mut received {
            let state = station.state();
            notifier.status(&Line(&state).to_string());
            reporter.note(&state);
            *counts.lock().unwrap_or_else(PoisonError::into_inner) = reporter.counts(&state);
            if station.has_ended() {
                end();
                break;
            }
        }
    }
    // Wait until nobody is answered any more.
    let _ = stopped.recv();
    notifier.stopping();
    received.map_or(Ok(()), finish)
}

fn finish(received: Received) -> Result<(), Error> {
    let Received { station, mut reporter, .. } = received;
    let state = station.finish(PATIENCE);
    let state =
        state.map_err(|error| Error::Failed(format!("packets cannot be received any more: {error}")))?;
    reporter.end(&state);
    message(&Line(&state));
    Ok(())
}
