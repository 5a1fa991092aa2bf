//! `cutshort agent`: packets of this server to a collector.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use cutshort_agent::{Destination, Notifier, Watched, metrics};
use cutshort_console::{Asked, Signals, interrupt};
use cutshort_pipeline::{GeoData, GeoRefresher};
use cutshort_settings::AgentFlags;

use crate::agent_config::{open_capture, service_needs};
use crate::error::{Done, Error};
use crate::log;
use crate::options::open_geo;
use crate::settings;
use crate::terminal::message;

/// Receive packets and deliver them to a collector
///
/// Receives what firewall rules log ('cutshort rules' writes such rules) or what arrives on an interface,
/// keeps it in a spool directory of limited size, and delivers it to 'cutshort serve' or directly to ClickHouse
/// until it is acknowledged. Started as root or with the capability that receiving needs, it drops all
/// other privileges before it reads the first packet. Ctrl-C or SIGTERM shuts it down after some seconds,
/// in which it delivers what is left; the rest is delivered after the next start. Geo files are reloaded
/// within a minute after they change, and at once on SIGHUP.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Agent {
    #[command(flatten)]
    flags: AgentFlags,
}

const EXAMPLES: &str = "Settings come from flags, else from the environment (CUTSHORT_COLLECTOR and so on), else from the settings file, else they have their defaults. The token is in a file, or in CUTSHORT_TOKEN.

The password of a store is in CUTSHORT_CLICKHOUSE_PASSWORD, or in the file that CUTSHORT_CLICKHOUSE_PASSWORD_FILE names.

Examples:
  cutshort rules apply --rate 1000 --ports 80,443
  cutshort agent --capture nflog:5 --collector https://collector.example.org --token-file /etc/cutshort/token --spool /var/lib/cutshort-agent --user cutshort";

pub(crate) fn run(arguments: Agent) -> Result<Done, Error> {
    let settings = settings::checked(arguments.flags.settings())?;
    log::start(&settings)?;
    let signals = Signals::of_service()?;
    let spool =
        required(settings.capture.spool.as_ref(), "the directory in which packets wait: --spool DIR")?;
    required(settings.capture.source.as_ref(), "where packets come from: --capture nflog:5")?;
    let counts = Arc::new(Mutex::default());
    let Destination { collector, name, needs } = settings.destination(&counts, |text| message(&text))?;
    let mut needs = service_needs(&settings, needs)?;
    let numbers = settings.delivery.metrics.map(listen).transpose()?;
    let notifier = Notifier::from_environment();
    // Places travel with packets whose addresses do not tell them any more.
    let mut geo = None;
    let opened = open_capture(&settings, spool, spool.clone(), &mut needs, || {
        open_geo(&settings.jobs.geo).inspect(|opened| geo = Some(Arc::clone(opened)))
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
    message(&ended.map_err(|error| Error::Failed(format!("{source}: {error}")))?);
    Ok(Done::Whole)
}

fn required<T>(value: Option<T>, what: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::Usage(format!("name {what}")))
}

fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    if !address.ip().is_loopback() {
        message(&format!(
            "whoever reaches {address} can read the agent's numbers there, unencrypted and without a token: let a firewall \
             pass only those who should"
        ));
    }
    TcpListener::bind(address).map_err(|error| Error::Failed(format!("cannot listen on {address}: {error}")))
}

/// The first SIGINT or SIGTERM is reported to the receiver, the second one ends the program. Geo data is reloaded when
/// its file changes and on SIGHUP.
fn stop(signals: Signals, geo: Option<Arc<GeoData>>) -> Result<Receiver<()>, Error> {
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
