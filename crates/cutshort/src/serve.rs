//! `cutshort serve`: store, jobs and API in one process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use cutshort_api::{App, Options, Parts, Rate, Scope, TokenFile};
use cutshort_geo::Geo;
use cutshort_pipeline::{Service, WindowJob};
use cutshort_store::{Retention, Store};
use tokio::net::TcpListener;

use crate::error::{Done, Error};
use crate::settings::{self, LogFormat, Settings};
use crate::store::{address, open_address, open_folder};
use crate::terminal::message;

/// Answer questions about a store, and compute it, over HTTP
///
/// Takes segments of packets in, computes windows of 15 minutes as they end, deletes what is past
/// its time, and answers questions as Cloudflare Radar's API does, and more. Ctrl-C or a request to
/// terminate ends it after what it is at; a second one at once.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Folder of the store; made if it is missing
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Store in ClickHouse: clickhouse://USER@HOST:8123/DATABASE; --data then names a folder for tokens only
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Address and port on which to answer [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Settings file; 'cutshort config' shows all settings
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Let everybody who reaches the address read without a token
    #[arg(long)]
    open_read: bool,
    /// Countries and networks from this file, before those that cutshort has; repeat it for several
    #[arg(long, value_name = "FILE")]
    geo: Vec<PathBuf>,
}

const EXAMPLES: &str = "Settings come from flags, else from the environment (CUTSHORT_LISTEN and so on), else from the settings file, else they have their defaults.

Examples:
  cutshort serve --data /var/lib/cutshort
  cutshort serve --data store --listen 0.0.0.0:8080
  cutshort serve --store clickhouse://cutshort@db:8123/cutshort
  cutshort config > cutshort.toml; cutshort serve --settings cutshort.toml";

/// How long requests that are being answered are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(arguments: &Serve) -> Result<Done, Error> {
    let settings = settings_of(arguments)?;
    let data = match (&settings.data, &settings.store) {
        (Some(data), _) => data.clone(),
        (None, Some(_)) => PathBuf::new(),
        (None, None) => return Err(Error::Usage("name the folder of the store: --data DIR".to_owned())),
    };
    log(&settings)?;
    check_access(&settings, &data)?;
    let geo = Geo::with_files(&settings.geo).map_err(|error| Error::Usage(error.to_string()))?;
    let store = match &settings.store {
        Some(store) => open_address(store)?,
        None => Box::new(open_folder(&data)?),
    };
    serve(store, geo, &settings, &data, || {})
}

fn settings_of(arguments: &Serve) -> Result<Settings, Error> {
    let read = settings::read(arguments.settings.as_deref(), |name| std::env::var(name).ok())?;
    let mut settings = read.settings;
    settings.data = arguments.data.clone().or(settings.data);
    settings.store = arguments.store.clone().or(settings.store);
    settings.listen = arguments.listen.unwrap_or(settings.listen);
    settings.open_read |= arguments.open_read;
    if !arguments.geo.is_empty() {
        settings.geo.clone_from(&arguments.geo);
    }
    Ok(settings)
}

/// Other machines may read only with a token, unless the operator says that all may.
fn check_access(settings: &Settings, data: &Path) -> Result<(), Error> {
    if needs_no_token(settings) {
        if !settings.listen.ip().is_loopback() {
            message(&format!(
                "everybody who reaches {} can read, without a token (open_read)",
                settings.listen
            ));
        }
        return Ok(());
    }
    if !has_folder(data) {
        return Err(Error::Usage(format!(
            "reading on {} needs a token: name a folder for tokens with --data, or let everybody who reaches it \
             read with --open-read",
            settings.listen
        )));
    }
    let path = TokenFile::path(data);
    let tokens = TokenFile::read(&path).map_err(|error| Error::Failed(error.to_string()))?;
    if tokens.token.iter().any(|token| token.scopes.contains(&Scope::Read)) {
        return Ok(());
    }
    let (listen, data) = (settings.listen, data.display());
    Err(Error::Usage(format!(
        "reading on {listen} needs a token, and there is none: make one with\n  \
         cutshort token create --data {data} --scope read NAME\n\
         or let everybody who reaches it read with --open-read"
    )))
}

/// Whether reading needs no token.
pub(crate) fn needs_no_token(settings: &Settings) -> bool {
    settings.open_read || (settings.listen.ip().is_loopback() && !settings.require_token)
}

fn log(settings: &Settings) -> Result<(), Error> {
    use std::io::IsTerminal;
    let filter = tracing_subscriber::EnvFilter::try_new(&settings.log)
        .map_err(|error| Error::Usage(format!("log: '{}': {error}", settings.log)))?;
    let to_person = std::io::stderr().is_terminal();
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(to_person);
    match settings.log_format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Auto if !to_person => builder.json().init(),
        LogFormat::Text | LogFormat::Auto => builder.init(),
    }
    Ok(())
}

/// Serves until it is asked to end. `abandon` is called before an end at once.
pub(crate) fn serve(
    store: Box<dyn Store>,
    geo: Geo,
    settings: &Settings,
    data: &Path,
    abandon: impl Fn() + Send + 'static,
) -> Result<Done, Error> {
    let failed = |what: &str, error: &std::io::Error| Error::Failed(format!("{what}: {error}"));
    let runtime = tokio::runtime::Runtime::new().map_err(|error| failed("threads", &error))?;
    let listen = settings.listen;
    let listener = runtime.block_on(TcpListener::bind(listen));
    let listener = listener.map_err(|error| failed(&format!("cannot listen on {listen}"), &error))?;
    let address = listener.local_addr().map_err(|error| failed("the address", &error))?;
    let (store, geo): (Arc<dyn Store>, _) = (Arc::from(store), Arc::new(geo));
    let service = Arc::new(Service::start(Arc::clone(&store), Arc::clone(&geo), jobs(settings)));
    let tokens = has_folder(data).then(|| TokenFile::path(data));
    let parts = Parts { store, geo, service: Some(Arc::clone(&service)), tokens };
    let app = Arc::new(App::new(parts, options(settings)));
    let name = name(settings, data)?;
    message(&format!("{name} is served on http://{address}/ (Ctrl-C ends it)"));
    let ended = runtime.block_on(async {
        let stop = stop(abandon)?;
        cutshort_api::serve(listener, app, stop, PATIENCE).await;
        Ok(())
    });
    runtime.shutdown_timeout(PATIENCE);
    // The last one ends after the window that it is at.
    drop(service);
    ended.map_err(|error| failed("serving", &error))?;
    Ok(Done::Whole)
}

/// Whether there is a folder for tokens: a store elsewhere needs none.
fn has_folder(data: &Path) -> bool {
    !data.as_os_str().is_empty()
}

/// What is served, without a password.
fn name(settings: &Settings, data: &Path) -> Result<String, Error> {
    match &settings.store {
        Some(store) => Ok(address(store)?.to_string()),
        None => Ok(data.display().to_string()),
    }
}

/// Waits for the first request to end; the second ends the program.
fn stop(abandon: impl Fn() + Send + 'static) -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    const INTERRUPTED: i32 = 130;
    let (asked, first) = tokio::sync::oneshot::channel();
    let mut asked = Some(asked);
    let handler = move || match asked.take() {
        Some(asked) => drop(asked),
        None => {
            abandon();
            std::process::exit(INTERRUPTED);
        }
    };
    ctrlc::set_handler(handler).map_err(std::io::Error::other)?;
    Ok(async move {
        let _: Result<(), _> = first.await;
        tracing::info!("ends");
    })
}

fn options(settings: &Settings) -> Options {
    let rate = Rate { per_second: settings.rate_limit, burst: settings.rate_burst };
    Options {
        open_read: needs_no_token(settings),
        connections: settings.connections,
        origins: settings.origins.clone(),
        rate: (settings.rate_limit > 0.0).then_some(rate),
        forwarded: settings.forwarded_for,
        timeout: settings.timeout,
        cost: settings.cost_limit,
        segment: settings.segment_bytes,
        cache: settings.cache_bytes,
    }
}

fn jobs(settings: &Settings) -> cutshort_pipeline::Settings {
    let job = WindowJob::default();
    let threads = if settings.threads == 0 { job.threads } else { settings.threads };
    cutshort_pipeline::Settings {
        job: WindowJob { threads, grace: settings.grace, ..job },
        retention: Retention {
            packets: settings.keep_packets,
            connections: settings.keep_connections,
            quarters: settings.keep_quarters,
            hours: settings.keep_hours,
            days: settings.keep_days,
        },
        ..cutshort_pipeline::Settings::default()
    }
}
