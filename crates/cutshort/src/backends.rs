//! Opening stores, in a directory or in ClickHouse.

use std::path::Path;

use cutshort_clickhouse::ClickHouse;
use cutshort_embedded::{Embedded, EventFile, Options, OutsideFile};
use cutshort_pipeline::Share;
use cutshort_settings::{store_address, store_warning};
use cutshort_store::{Store, StoreError};

use crate::error::Error;
use crate::terminal::message;

/// A store in a folder, for writing.
pub(crate) fn open_folder(folder: &Path) -> Result<Embedded, Error> {
    Ok(Embedded::open(folder, Options { durable: true })?)
}

/// Several can only work on a store that several can write to.
pub(crate) fn check_worker(worker: Share, is_elsewhere: bool) -> Result<(), Error> {
    if worker.is_all() || is_elsewhere {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "worker {worker} needs a store to which several can write (--store clickhouse://...): to one in a folder only \
         one process writes"
    )))
}

/// A store at an address.
pub(crate) fn open_address(store: &str) -> Result<Box<dyn Store>, Error> {
    Ok(Box::new(open_elsewhere(store)?))
}

/// A store at an address, with its events and what other sources say in a data directory, if there is one.
pub(crate) fn open_address_with_events(store: &str, data: &Path) -> Result<Box<dyn Store>, Error> {
    let (store, data) = (open_elsewhere(store)?, data.to_owned());
    if data.as_os_str().is_empty() {
        return Ok(Box::new(store));
    }
    let store = store.with_outside(Box::new(OutsideFile::in_directory(&data)));
    Ok(Box::new(store.with_events(move |data_set| Box::new(EventFile::in_directory(&data, data_set)))))
}

fn open_elsewhere(store: &str) -> Result<ClickHouse, Error> {
    let address = store_address(store)?;
    store_warning(&address).iter().for_each(message);
    Ok(ClickHouse::open(&address)?)
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.explained())
    }
}
