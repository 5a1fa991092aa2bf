//! `cutshort demo`: four made-up weeks to look at.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use clap::Args;
use cutshort_geo::Geo;
use cutshort_pipeline::demo;
use cutshort_store::Embedded;
use cutshort_store::embedded::Options;

use crate::error::{Done, Error};
use crate::progress::Steps;
use crate::terminal::message;

/// Fill a store with four made-up weeks
///
/// Countries, networks, scanners, filters and shutdowns are invented: nothing in it is real, and it
/// says so.
#[derive(Args)]
pub(crate) struct Demo {
    /// Folder of the store, new or empty
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

pub(crate) fn run(arguments: &Demo) -> Result<Done, Error> {
    let (_, geo) = fill(&arguments.data)?;
    let (data, sources) = (arguments.data.display(), geo.sources().len());
    debug_assert!(sources > 0, "the made-up networks are a source");
    message(&format!(
        "four SIMULATED weeks are in {data}. Now try\n  cutshort export rollups --data {data} --every 1d --by location"
    ));
    Ok(Done::Whole)
}

/// Makes a store of made-up weeks in a folder, which must be new or empty; gives it with the made-up geo
/// data, which is kept beside it.
pub(crate) fn fill(folder: &Path) -> Result<(Embedded, Geo), Error> {
    check_empty(folder)?;
    let demo = demo::Demo::until(SystemTime::now());
    // It can be made again, so nobody need wait for the disk.
    let store = Embedded::open(folder, Options { durable: false })?;
    let networks = folder.join(NETWORKS);
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

/// The made-up networks, in the folder of the store.
const NETWORKS: &str = "networks.geo.csv";

fn check_empty(folder: &Path) -> Result<(), Error> {
    let full = folder.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if full {
        let folder = folder.display();
        return Err(Error::Usage(format!("{folder}: is not empty: name a new folder for made-up data")));
    }
    Ok(())
}
