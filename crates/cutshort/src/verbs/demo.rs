//! `cutshort demo`: four made-up weeks to look at.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use clap::Args;
use cutshort_alerts::Receivers;
use cutshort_api::page;
use cutshort_console::{Signals, Steps, interrupt};
use cutshort_daemon::{LocalCapture, Server};
use cutshort_embedded::{Embedded, Options};
use cutshort_geo::Geo;
use cutshort_model::ServerName;
use cutshort_pipeline::{EventJob, demo};
use cutshort_settings::values;
use cutshort_settings::{HttpSettings, StoreSettings};
use cutshort_simulate::Upstream;
use cutshort_store::DataDir;

use crate::error::{Done, Error};
use crate::settings::Settings;
use crate::terminal::message;

/// Fill a store with four simulated weeks and serve it
///
/// Countries, networks, scanners, filters and shutdowns are invented, and marked as simulated. The store
/// is temporary; with --data it is kept, and served only if --listen is given, too.
#[derive(Args)]
pub(crate) struct Demo {
    /// Directory of the store, new or empty
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Listen address [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::listen)]
    listen: Option<SocketAddr>,
}

pub(crate) fn run(arguments: &Demo) -> Result<Done, Error> {
    match (&arguments.data, arguments.listen) {
        (Some(data), None) => fill_only(data),
        (Some(data), Some(listen)) => fill_and_serve(data, Some(data), listen, || {}),
        (None, listen) => temporary(listen.unwrap_or(Settings::default().http.listen)),
    }
}

/// The query of the page that shows all of it.
const WHOLE: &str = "?range=4w";

fn fill_only(folder: &Path) -> Result<Done, Error> {
    let stopped = stop_on_signals(|| {})?;
    if fill(folder, &demo::Demo::until(SystemTime::now()), &stopped)?.is_none() {
        return Ok(interrupted(Some(folder)));
    }
    let data = folder.display();
    message(&format!(
        "four SIMULATED weeks are in {data}. Now try\n  cutshort query summary --data {data} --from -4w --by location\n  \
         cutshort serve --data {data} --geo {}\nwhich shows them on\n  {}",
        DataDir::new(folder).networks().display(),
        page::address(Settings::default().http.listen, WHOLE)
    ));
    Ok(Done::Whole)
}

/// In a folder that is removed at the end.
fn temporary(listen: SocketAddr) -> Result<Done, Error> {
    let folder = tempfile::Builder::new().prefix("cutshort-demo-").tempdir();
    let folder = folder.map_err(|error| Error::Failed(format!("a temporary folder: {error}")))?;
    let path = folder.path().to_owned();
    fill_and_serve(folder.path(), None, listen, move || {
        let _ = std::fs::remove_dir_all(&path);
    })
}

/// `named` is the directory if somebody has named it.
fn fill_and_serve(
    folder: &Path,
    named: Option<&Path>,
    listen: SocketAddr,
    abandon: impl Fn() + Clone + Send + 'static,
) -> Result<Done, Error> {
    let demo = demo::Demo::until(SystemTime::now());
    let upstreams = server_names(&demo)?;
    let http =
        HttpSettings { listen, open_read: true, connections: true, upstreams, ..HttpSettings::default() };
    let store = StoreSettings { data: Some(folder.to_owned()), ..StoreSettings::default() };
    let settings = Settings { http, store, ..Settings::default() };
    if !listen.ip().is_loopback() {
        message(&format!("anybody who reaches {listen} can read the simulated data"));
    }
    let listener = cutshort_daemon::listen(listen)?;
    let signals = Signals::of_command()?;
    let stopped = stop_on_signals(abandon.clone())?;
    let Some((store, geo)) = fill(folder, &demo, &stopped)? else { return Ok(interrupted(named)) };
    let address = listener.local_addr().unwrap_or(listen);
    message(&format!("four SIMULATED weeks are ready: open {}", page::address(address, WHOLE)));
    let local = LocalCapture::nothing();
    let (store, geo) = (Box::new(store), Arc::new(geo.into()));
    let receivers = Receivers::default();
    Server { store, geo, listener, local, signals, receivers }.run(&settings, folder, abandon)?;
    Ok(Done::Whole)
}

/// The names of the simulated servers to which connections are opened.
fn server_names(demo: &demo::Demo) -> Result<Vec<ServerName>, Error> {
    let name = |server: &Upstream| {
        let address = server.address.to_canonical();
        format!("{}={}", server.name, SocketAddr::new(address, server.port)).parse().map_err(Error::Failed)
    };
    demo.upstreams().iter().map(name).collect()
}

/// Notes the first signal that asks to end. The second one abandons what there is, and ends the program.
fn stop_on_signals(abandon: impl Fn() + Send + 'static) -> Result<Arc<AtomicBool>, Error> {
    let stopped = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stopped);
    Signals::of_command()?.each(move |_| {
        if asked.swap(true, Ordering::Relaxed) {
            abandon();
            interrupt();
        }
    })?;
    Ok(stopped)
}

/// Says what is left of a directory that was named.
fn interrupted(named: Option<&Path>) -> Done {
    match named {
        Some(folder) => {
            message(&format!("interrupted: {} has only some of the data; remove it", folder.display()));
        }
        None => message(&"interrupted"),
    }
    Done::InPart
}

/// Makes a store of made-up weeks in a folder, which must be new or empty; gives it with the made-up geo
/// data, which is kept beside it. None if it was stopped.
fn fill(folder: &Path, demo: &demo::Demo, stopped: &AtomicBool) -> Result<Option<(Embedded, Geo)>, Error> {
    check_empty(folder)?;
    // It can be made again, so nobody need wait for the disk.
    let store = Embedded::open(folder, Options { durable: false })?;
    let networks = DataDir::new(folder).networks();
    std::fs::write(&networks, demo.geo_csv()).map_err(|error| Error::writing(&networks, &error))?;
    let geo = Geo::with_files(&[networks]).map_err(|error| Error::Failed(error.to_string()))?;
    let steps = Mutex::new(Steps::new("windows"));
    demo.fill(&store, &geo, &|filled| {
        steps.lock().unwrap_or_else(PoisonError::into_inner).show(filled.windows, filled.all);
        if stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    steps.into_inner().unwrap_or_else(PoisonError::into_inner).finish();
    let is_stopped = || stopped.load(Ordering::Relaxed);
    EventJob::default().run(&store, cutshort_model::now(), &mut |_| {
        if is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok((!is_stopped()).then_some((store, geo)))
}

fn check_empty(folder: &Path) -> Result<(), Error> {
    let full = folder.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if full {
        let folder = folder.display();
        return Err(Error::Usage(format!("{folder}: not empty: choose a new directory for simulated data")));
    }
    Ok(())
}
