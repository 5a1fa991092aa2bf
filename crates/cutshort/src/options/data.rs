//! Where the store is.

use std::path::{Path, PathBuf};

use clap::Args;
use cutshort_clickhouse::Address;
use cutshort_embedded::Embedded;
use cutshort_store::Store;

use crate::backends::{open_address, open_folder};
use crate::error::Error;

/// Where the store is.
#[derive(Args)]
pub(crate) struct Data {
    /// Directory of the store
    #[arg(long, value_name = "DIR", required_unless_present = "store")]
    data: Option<PathBuf>,
    /// Store in ClickHouse: clickhouse://USER@HOST:8123/DATABASE
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    store: Option<String>,
}

impl Data {
    /// Opens it for writing; a folder is made if it is missing.
    pub(crate) fn open(&self) -> Result<Box<dyn Store>, Error> {
        match &self.store {
            Some(store) => open_address(store),
            None => Ok(Box::new(open_folder(self.folder())?)),
        }
    }

    /// Opens it for writing, if it exists.
    pub(crate) fn open_existing(&self) -> Result<Box<dyn Store>, Error> {
        drop(self.open_reader()?);
        self.open()
    }

    /// Opens it for reading.
    pub(crate) fn open_reader(&self) -> Result<Box<dyn Store>, Error> {
        match &self.store {
            Some(store) => open_address(store),
            None => Ok(Box::new(Embedded::open_reader(self.folder())?)),
        }
    }

    /// Its folder, if it is in one.
    pub(crate) fn in_folder(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    fn folder(&self) -> &Path {
        self.data.as_deref().unwrap_or(Path::new(""))
    }

    /// The flag that names it, without a password.
    pub(crate) fn flag(&self) -> String {
        match self.store.as_ref().and_then(|store| Address::parse(store).ok()) {
            Some(address) => format!("--store {address}"),
            None => format!("--data {}", self.folder().display()),
        }
    }
}
