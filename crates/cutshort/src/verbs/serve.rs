//! `cutshort serve`: store, jobs and API in one process.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use cutshort_alerts::{Alerts, Receivers};
use cutshort_api::{App, Limits, Parts, TokenFile};
use cutshort_console::{Asked, Signals, interrupt};
use cutshort_pipeline::{GeoData, GeoRefresher, Service};
use cutshort_settings::ServeFlags;
use cutshort_store::Store;

use crate::backends::{check_worker, open_address_with_events, open_folder};
use crate::error::{Done, Error};
use crate::local_capture::{self, LocalCapture};
use crate::log;
use crate::options::open_geo;
use crate::settings::{self, Settings};
use crate::terminal::message;
use crate::verbs::alerts;

/// Serve the API and dashboard, and keep results up to date
///
/// Accepts packets from agents, computes each window of 15 minutes as it ends, deletes data that has
/// expired, and answers requests as Cloudflare Radar's API does; it also has endpoints of its own. With
/// --capture it also receives packets on this host, as 'cutshort agent' does elsewhere. It drops its
/// privileges once sockets and files are open. Ctrl-C or SIGTERM shuts it down after the current
/// work; a second one at once. Geo files are reloaded within a minute after they change, and at once on
/// SIGHUP.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Serve {
    #[command(flatten)]
    flags: ServeFlags,
}

const EXAMPLES: &str = "Settings come from flags, else from the environment (CUTSHORT_LISTEN and so on), else from the settings file, else they have their defaults.

Examples:
  cutshort serve --data /var/lib/cutshort
  cutshort serve --data store --listen 0.0.0.0:8080
  cutshort serve --store clickhouse://cutshort@db:8123/cutshort --worker 2/3
  cutshort rules apply; cutshort serve --data /var/lib/cutshort --capture nflog:5 --user cutshort
  cutshort config > cutshort.toml; cutshort serve --settings cutshort.toml";

/// What SIGHUP leads to.
const RELOADED: &str =
    "geo files are read again; tokens always are when they change; a change of the settings needs a restart";

/// How long requests that are being answered are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(arguments: Serve) -> Result<Done, Error> {
    let settings = settings::checked(arguments.flags.settings())?;
    let data = settings.data_folder()?.unwrap_or_default();
    check_worker(settings.jobs.worker, settings.store.url.is_some())?;
    log::start(&settings)?;
    settings.check_access(&data)?.iter().for_each(message);
    let signals = Signals::of_service()?;
    let geo = open_geo(&settings.jobs.geo)?;
    let listener = listen(settings.http.listen)?;
    // A password and certificates are read before privileges are given up.
    let elsewhere =
        settings.store.url.as_deref().map(|url| open_address_with_events(url, &data)).transpose()?;
    let receivers = alerts::open(&settings)?;
    let local = local_capture::open(&settings, &data, &geo, receivers.needs())?;
    let store = match elsewhere {
        Some(store) => store,
        None => Box::new(open_folder(&data)?),
    };
    if !receivers.is_empty() && store.events().is_none() {
        return Err(Error::Usage(
            "receivers of alarms need events, which are kept in a directory: name one with --data".to_owned(),
        ));
    }
    Serving { store, geo, listener, local, signals, receivers }.run(&settings, &data, || {})
}

/// Opens the address, before privileges are given up.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    let listener = TcpListener::bind(address);
    let listener = listener.and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    listener.map_err(|error| Error::Failed(format!("cannot listen on {address}: {error}")))
}

/// All that is open when serving begins.
pub(crate) struct Serving {
    pub(crate) store: Box<dyn Store>,
    pub(crate) geo: Arc<GeoData>,
    pub(crate) listener: TcpListener,
    pub(crate) local: LocalCapture,
    pub(crate) signals: Signals,
    pub(crate) receivers: Receivers,
}

impl Serving {
    /// Serves until it is asked to end. `abandon` is called before an end at once.
    pub(crate) fn run(
        self,
        settings: &Settings,
        data: &Path,
        abandon: impl Fn() + Send + 'static,
    ) -> Result<Done, Error> {
        let failed = |what: &str, error: &std::io::Error| Error::Failed(format!("{what}: {error}"));
        let runtime = tokio::runtime::Runtime::new().map_err(|error| failed("threads", &error))?;
        let address = self.listener.local_addr().map_err(|error| failed("the address", &error))?;
        let (store, geo): (Arc<dyn Store>, _) = (Arc::from(self.store), self.geo);
        // New receivers are told what is found from now on.
        let alerts = Alerts::start(self.receivers, &store, &geo, settings.alerts.give_up)?;
        let service = Arc::new(Service::start(Arc::clone(&store), Arc::clone(&geo), settings.service()));
        let tokens = (!data.as_os_str().is_empty()).then(|| TokenFile::path(data));
        let refresher = GeoRefresher::start(Arc::clone(&geo), GeoRefresher::EVERY);
        let parts = Parts { store, geo, service: Some(Arc::clone(&service)), tokens };
        let limits = Limits::default();
        let limits = limits.within(cutshort_sandbox::raise_open_files(limits.files()));
        let app = App::new(parts, settings.api_options(limits)).with_metrics(move |text| alerts.write(text));
        let app = Arc::new(app);
        let (end, ended) = stop(self.signals, refresher, abandon)?;
        let running = self.local.start(&app, end)?;
        let name = settings.store_name()?;
        message(&format!("{name} is served on http://{address}/ (Ctrl-C ends it)"));
        let answered = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            cutshort_api::serve(listener, app, ended, PATIENCE).await;
            Ok(())
        });
        runtime.shutdown_timeout(PATIENCE);
        let received = running.finish();
        // The last one ends after the window that it is at.
        drop(service);
        answered.map_err(|error| failed("serving", &error))?;
        received.map(|()| Done::Whole)
    }
}

/// What ends serving, and what waits for that. The first request to end does; the second ends the program.
fn stop(
    signals: Signals,
    refresher: GeoRefresher,
    abandon: impl Fn() + Send + 'static,
) -> Result<(impl Fn() + Send + 'static, impl Future<Output = ()> + Send + 'static), Error> {
    let (asked, first) = tokio::sync::oneshot::channel::<()>();
    let asked = Arc::new(Mutex::new(Some(asked)));
    let take = move |asked: &Mutex<Option<_>>| asked.lock().unwrap_or_else(PoisonError::into_inner).take();
    let from_signal = Arc::clone(&asked);
    signals.each(move |asked| match asked {
        Asked::Reload => {
            tracing::info!("SIGHUP: {RELOADED}");
            refresher.reload();
        }
        Asked::End => {
            if take(&from_signal).is_none() {
                abandon();
                interrupt();
            }
        }
    })?;
    let ended = async move {
        let _: Result<(), _> = first.await;
        tracing::info!("ends");
    };
    Ok((move || drop(take(&asked)), ended))
}
