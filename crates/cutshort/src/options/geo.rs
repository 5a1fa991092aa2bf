//! Geo data.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use cutshort_geo::Geo;
use cutshort_pipeline::GeoData;
use cutshort_store::DataDir;

use super::data::Data;
use crate::error::Error;

/// Where addresses are.
#[derive(Args)]
pub(crate) struct GeoFiles {
    /// Geo data: countries and networks from this file take precedence over the built-in ones
    ///
    /// MaxMind DB, or CSV of MaxMind, IPinfo, DB-IP, IP2Location, iptoasn.com or CAIDA, also compressed with gzip
    /// or zstd; the format is detected. May be repeated;
    /// later files take precedence over earlier ones.
    #[arg(long = "geo", value_name = "FILE")]
    pub(crate) geo: Vec<PathBuf>,
}

impl GeoFiles {
    /// Loads these files, on top of the built-in data and of the networks that a demo has left in its store.
    pub(crate) fn open_for(&self, data: &Data) -> Result<Geo, Error> {
        let demo =
            data.in_folder().map(|folder| DataDir::new(folder).networks()).filter(|path| path.is_file());
        let files: Vec<PathBuf> = demo.into_iter().chain(self.geo.iter().cloned()).collect();
        Geo::with_files(&files).map_err(|error| Error::Usage(error.to_string()))
    }

    /// Loads these files, on top of the built-in data.
    pub(crate) fn open(&self) -> Result<Geo, Error> {
        self.with(None)
    }

    /// Loads these files and one more, which takes precedence.
    pub(crate) fn with(&self, last: Option<&PathBuf>) -> Result<Geo, Error> {
        let files: Vec<&PathBuf> = self.geo.iter().chain(last).collect();
        Geo::with_files(&files).map_err(|error| Error::Usage(error.to_string()))
    }
}

/// Loads geo data that can be reloaded when its files change.
pub(crate) fn open_geo(files: &[PathBuf]) -> Result<Arc<GeoData>, Error> {
    GeoData::open(files).map(Arc::new).map_err(|error| Error::Usage(error.to_string()))
}
