//! `cutshort demo`: four made-up weeks to look at.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use clap::Args;
use cutshort_embedded::{Embedded, Options};
use cutshort_geo::Geo;
use cutshort_pipeline::demo;
use cutshort_store::DataDir;

use super::serve::{self, Serving};
use crate::error::{Done, Error};
use crate::local_capture::LocalCapture;
use crate::progress::Steps;
use crate::settings::{HttpSettings, Settings};
use crate::signals::Signals;
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
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
}

pub(crate) fn run(arguments: &Demo) -> Result<Done, Error> {
    match (&arguments.data, arguments.listen) {
        (Some(data), None) => fill_only(data),
        (Some(data), Some(listen)) => fill_and_serve(data, listen, || {}),
        (None, listen) => temporary(listen.unwrap_or(Settings::default().http.listen)),
    }
}

fn fill_only(folder: &Path) -> Result<Done, Error> {
    fill(folder)?;
    let data = folder.display();
    message(&format!(
        "four SIMULATED weeks are in {data}. Now try\n  cutshort query summary --data {data} --from -4w --to now --by location"
    ));
    Ok(Done::Whole)
}

/// In a folder that is removed at the end.
fn temporary(listen: SocketAddr) -> Result<Done, Error> {
    let folder = tempfile::Builder::new().prefix("cutshort-demo-").tempdir();
    let folder = folder.map_err(|error| Error::Failed(format!("a temporary folder: {error}")))?;
    let path = folder.path().to_owned();
    fill_and_serve(folder.path(), listen, move || {
        let _ = std::fs::remove_dir_all(&path);
    })
}

fn fill_and_serve(
    folder: &Path,
    listen: SocketAddr,
    abandon: impl Fn() + Send + 'static,
) -> Result<Done, Error> {
    let http = HttpSettings { listen, open_read: true, connections: true, ..HttpSettings::default() };
    let settings = Settings { http, ..Settings::default() };
    if !listen.ip().is_loopback() {
        message(&format!("anybody who reaches {listen} can read the simulated data"));
    }
    let listener = serve::listen(listen)?;
    let signals = Signals::of_command()?;
    let (store, geo) = fill(folder)?;
    message(&"four SIMULATED weeks are ready; add ?range=4w to the address to see all of them");
    let local = LocalCapture::nothing();
    let (store, geo) = (Box::new(store), Arc::new(geo.into()));
    Serving { store, geo, listener, local, signals }.run(&settings, folder, abandon)
}

/// Makes a store of made-up weeks in a folder, which must be new or empty; gives it with the made-up geo
/// data, which is kept beside it.
fn fill(folder: &Path) -> Result<(Embedded, Geo), Error> {
    check_empty(folder)?;
    let demo = demo::Demo::until(SystemTime::now());
    // It can be made again, so nobody need wait for the disk.
    let store = Embedded::open(folder, Options { durable: false })?;
    let networks = DataDir::new(folder).networks();
    std::fs::write(&networks, demo.geo_csv()).map_err(|error| Error::writing(&networks, &error))?;
    let geo = Geo::with_files(&[networks]).map_err(|error| Error::Failed(error.to_string()))?;
    let steps = Mutex::new(Steps::new("windows"));
    demo.fill(&store, &geo, &|filled| {
        steps.lock().unwrap_or_else(PoisonError::into_inner).show(filled.windows, filled.all);
        ControlFlow::Continue(())
    })?;
    steps.into_inner().unwrap_or_else(PoisonError::into_inner).finish();
    Ok((store, geo))
}

fn check_empty(folder: &Path) -> Result<(), Error> {
    let full = folder.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if full {
        let folder = folder.display();
        return Err(Error::Usage(format!("{folder}: not empty: choose a new directory for simulated data")));
    }
    Ok(())
}
