//! The server: store, jobs, receivers of alarms and API in one process.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cutshort_alerts::{Alerts, Receivers};
use cutshort_api::{App, Limits, Parts, TokenFile};
use cutshort_console::{Asked, Signals, interrupt, message};
use cutshort_pipeline::{GeoData, GeoRefresher, Service};
use cutshort_settings::Settings;
use cutshort_store::Store;

use crate::{DaemonError, LocalCapture};

/// What SIGHUP leads to.
const RELOADED: &str =
    "geo files are read again; tokens always are when they change; a change of the settings needs a restart";

/// How long requests that are being answered are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the address, before privileges are given up.
///
/// # Errors
/// [`DaemonError::Failed`]: it is in use, or may not be opened.
pub fn listen(address: SocketAddr) -> Result<TcpListener, DaemonError> {
    let listener = TcpListener::bind(address);
    let listener = listener.and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    listener.map_err(|error| DaemonError::Failed(format!("cannot listen on {address}: {error}")))
}

/// All that is open when serving begins.
pub struct Server {
    /// The store of all data sets.
    pub store: Box<dyn Store>,
    /// Where addresses are.
    pub geo: Arc<GeoData>,
    /// The address of the API and the page.
    pub listener: TcpListener,
    /// Packets that this host receives.
    pub local: LocalCapture,
    /// Requests to end, and to read files again.
    pub signals: Signals,
    /// Who is told of events.
    pub receivers: Receivers,
}

impl Server {
    /// Serves until it is asked to end. `data` is the directory with tokens, which may be empty; `abandon` is called before an end
    /// at once.
    ///
    /// # Errors
    /// The store fails when serving begins, or packets cannot be received any more.
    pub fn run(
        self,
        settings: &Settings,
        data: &Path,
        abandon: impl Fn() + Send + 'static,
    ) -> Result<(), DaemonError> {
        let failed = |what: &str, error: &io::Error| DaemonError::Failed(format!("{what}: {error}"));
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
        received
    }
}

/// What ends serving, and what waits for that. The first request to end does; the second ends the program.
fn stop(
    signals: Signals,
    refresher: GeoRefresher,
    abandon: impl Fn() + Send + 'static,
) -> Result<(impl Fn() + Send + 'static, impl Future<Output = ()> + Send + 'static), DaemonError> {
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
