//! `cutshort agent`: packets of this server to a collector.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use cutshort_agent::{Destination, Notifier, Watched, metrics};
use cutshort_capture::LiveSource;
use cutshort_pipeline::{GeoData, GeoRefresher};
use cutshort_settings::values;

use crate::agent_config::{open_capture, service_needs};
use crate::error::{Done, Error};
use crate::log;
use crate::options::open_geo;
use crate::settings::{self, Settings};
use crate::signals::{Asked, Signals, interrupt};
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
    /// Source of packets: nflog:GROUP or af_packet:INTERFACE
    #[arg(long, value_name = "SOURCE")]
    capture: Option<LiveSource>,
    /// Address of the collector: https://HOST or https://HOST:PORT
    #[arg(long, value_name = "URL")]
    collector: Option<String>,
    /// Store to deliver to directly, without a collector: clickhouse://USER@HOST:8123/DATABASE
    #[arg(long, value_name = "URL", conflicts_with_all = ["collector", "token_file", "ca_file", "proxy"])]
    deliver: Option<String>,
    /// File with the token that 'cutshort token create --scope ingest' created on the collector
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Trusted certificates (PEM) for the collector, instead of the system's: authorities or its own
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// HTTP proxy to reach the collector through (CONNECT): http://HOST:PORT
    ///
    /// HTTPS_PROXY and similar variables are ignored. Set a proxy with a password,
    /// http://USER:PASSWORD@HOST:PORT, in CUTSHORT_PROXY or the settings file: other users of this machine
    /// can see flags.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Spool directory; created if missing
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,
    /// Name of this server in the store [default: the host name]
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Drop to this user after opening sockets and files
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Listen address for Prometheus metrics; open to whoever reaches it
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::listen)]
    metrics: Option<SocketAddr>,
    /// Settings file; 'cutshort config' shows all settings
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

const EXAMPLES: &str = "Settings come from flags, else from the environment (CUTSHORT_COLLECTOR and so on), else from the settings file, else they have their defaults. The token is in a file, or in CUTSHORT_TOKEN.

The password of a store is in CUTSHORT_CLICKHOUSE_PASSWORD, or in the file that CUTSHORT_CLICKHOUSE_PASSWORD_FILE names.

Examples:
  cutshort rules apply --rate 1000 --ports 80,443
  cutshort agent --capture nflog:5 --collector https://collector.example.org --token-file /etc/cutshort/token --spool /var/lib/cutshort-agent --user cutshort";

pub(crate) fn run(arguments: &Agent) -> Result<Done, Error> {
    let settings = settings_of(arguments)?;
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

fn settings_of(arguments: &Agent) -> Result<Settings, Error> {
    let mut settings = settings::read_all(arguments.settings.as_deref())?.settings;
    settings.capture.source = arguments.capture.clone().or(settings.capture.source);
    // One named here goes before the other one that is set elsewhere.
    if arguments.collector.is_some() || arguments.deliver.is_some() {
        settings.delivery.collector.clone_from(&arguments.collector);
        settings.delivery.store.clone_from(&arguments.deliver);
    }
    settings.delivery.token_file = arguments.token_file.clone().or(settings.delivery.token_file);
    settings.delivery.ca_file = arguments.ca_file.clone().or(settings.delivery.ca_file);
    settings.delivery.proxy = arguments.proxy.clone().or(settings.delivery.proxy);
    settings.capture.spool = arguments.spool.clone().or(settings.capture.spool);
    settings.capture.node = arguments.node.clone().or(settings.capture.node);
    settings.capture.user = arguments.user.clone().or(settings.capture.user);
    settings.delivery.metrics = arguments.metrics.or(settings.delivery.metrics);
    Ok(settings)
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
