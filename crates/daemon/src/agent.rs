//! The agent: packets of this host to a collector.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};

use cutshort_agent::{Destination, Notifier, Watched, metrics};
use cutshort_console::{Asked, Signals, interrupt, message};
use cutshort_pipeline::{GeoData, GeoRefresher};
use cutshort_settings::Settings;

use crate::capture::{open_capture, service_needs};
use crate::{DaemonError, start_log};

/// Receives and delivers packets until it is asked to end.
///
/// # Errors
/// The settings lack something or are wrong, privileges cannot be given up, or packets cannot be received any more.
pub fn run_agent(settings: &Settings) -> Result<(), DaemonError> {
    start_log(settings)?;
    let signals = Signals::of_service()?;
    let spool =
        required(settings.capture.spool.as_ref(), "the directory in which packets wait: --spool DIR")?;
    required(settings.capture.source.as_ref(), "where packets come from: --capture nflog:5")?;
    let counts = Arc::new(Mutex::default());
    let Destination { collector, name, needs } = settings.destination(&counts, |text| message(&text))?;
    let mut needs = service_needs(settings, needs)?;
    let numbers = settings.delivery.metrics.map(listen).transpose()?;
    let notifier = Notifier::from_environment();
    // Places travel with packets whose addresses do not tell them any more.
    let mut geo = None;
    let opened = open_capture(settings, spool, spool.clone(), &mut needs, || {
        let opened = GeoData::open(&settings.jobs.geo).map(Arc::new);
        opened
            .map_err(|error| DaemonError::Settings(error.to_string()))
            .inspect(|opened| geo = Some(Arc::clone(opened)))
    })?;
    let capture = required(opened, "where packets come from")?;
    if geo.is_some() {
        needs.read_again(settings.jobs.geo.iter().map(PathBuf::as_path));
    }
    let kept = cutshort_sandbox::enter(&needs)?;
    let asked = stop(signals, geo)?;
    let source = capture.source().clone();
    let mut watched = Watched::start(capture, collector, counts)?;
    if let Some(listener) = numbers {
        let state = watched.state();
        let text = move |format| metrics::text(&state.lock().unwrap_or_else(PoisonError::into_inner), format);
        std::thread::spawn(move || metrics::serve(&listener, text));
    }
    message(&format!("receiving from {source} for {name} until Ctrl-C; {kept}"));
    notifier.ready();
    watched.watch(&notifier, &asked);
    let ended = watched.finish(&notifier);
    message(&ended.map_err(|error| DaemonError::Failed(format!("{source}: {error}")))?);
    Ok(())
}

fn required<T>(value: Option<T>, what: &str) -> Result<T, DaemonError> {
    value.ok_or_else(|| DaemonError::Settings(format!("name {what}")))
}

fn listen(address: SocketAddr) -> Result<TcpListener, DaemonError> {
    if !address.ip().is_loopback() {
        message(&format!(
            "whoever reaches {address} can read the agent's numbers there, unencrypted and without a token: let a firewall \
             pass only those who should"
        ));
    }
    TcpListener::bind(address)
        .map_err(|error| DaemonError::Failed(format!("cannot listen on {address}: {error}")))
}

/// The first SIGINT or SIGTERM is reported to the receiver, the second one ends the program. Geo data is reloaded when
/// its file changes and on SIGHUP.
fn stop(signals: Signals, geo: Option<Arc<GeoData>>) -> Result<Receiver<()>, DaemonError> {
    let (end, ended) = channel();
    let mut end = Some(end);
    let refresher = geo.map(|geo| GeoRefresher::start(geo, GeoRefresher::EVERY));
    signals.each(move |asked| match asked {
        Asked::Reload => reload(refresher.as_ref()),
        Asked::End => match end.take() {
            Some(end) => drop(end.send(())),
            None => interrupt(),
        },
    })?;
    Ok(ended)
}

/// What SIGHUP leads to.
fn reload(refresher: Option<&GeoRefresher>) {
    const REST: &str = "the token file and ca_file are read again when the collector refuses the token, or is not trusted; a change of the settings needs a restart";
    match refresher {
        Some(refresher) => {
            tracing::info!("SIGHUP: geo files are read again; {REST}");
            refresher.reload();
        }
        None => {
            tracing::info!(
                "SIGHUP: nothing is read again: geo data is not needed for full addresses; {REST}"
            );
        }
    }
}
