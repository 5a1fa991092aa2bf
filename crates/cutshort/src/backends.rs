//! Opening stores, in a directory or in ClickHouse.

use std::net::IpAddr;
use std::path::Path;

use cutshort_clickhouse::{Address, ClickHouse};
use cutshort_embedded::{Embedded, EventFile, Options};
use cutshort_pipeline::Share;
use cutshort_store::{Store, StoreError};

use crate::error::Error;
use crate::terminal::message;

/// A store in a folder, for writing.
pub(crate) fn open_folder(folder: &Path) -> Result<Embedded, Error> {
    match Embedded::open(folder, Options { durable: true }) {
        Err(StoreError::Locked(who)) => Err(held(&who)),
        opened => opened.map_err(Error::from),
    }
}

/// That another program writes to a store.
pub(crate) fn held(who: &str) -> Error {
    Error::Failed(format!(
        "{who}. One program at a time writes to a store: end it (if it is 'cutshort serve', with Ctrl-C or \
         'systemctl stop'), and run this again"
    ))
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

/// A store at an address, with its events in a data directory, if there is one.
pub(crate) fn open_address_with_events(store: &str, data: &Path) -> Result<Box<dyn Store>, Error> {
    let (store, data) = (open_elsewhere(store)?, data.to_owned());
    if data.as_os_str().is_empty() {
        return Ok(Box::new(store));
    }
    Ok(Box::new(store.with_events(move |data_set| Box::new(EventFile::in_directory(&data, data_set)))))
}

fn open_elsewhere(store: &str) -> Result<ClickHouse, Error> {
    let address = address(store)?;
    warn_of_plain(&address.to_string(), address.host(), address.is_secure(), "password and packets");
    Ok(ClickHouse::open(&address)?)
}

/// Says that what goes to another machine can be read on the way.
pub(crate) fn warn_of_plain(url: &str, host: &str, is_encrypted: bool, what: &str) {
    if !is_encrypted && !is_here(host) {
        message(&format!("{url}: {what} go there unencrypted; encryption is better"));
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The store at an address.
pub(crate) fn connect(address: &Address) -> Result<Box<dyn Store>, StoreError> {
    Ok(Box::new(ClickHouse::open(address)?))
}

/// An address with its password.
pub(crate) fn address(store: &str) -> Result<Address, Error> {
    let address = Address::parse(store).map_err(|error| Error::Usage(error.to_string()))?;
    Ok(cutshort_settings::with_password(address)?)
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Failed(match error {
            StoreError::Full(what) => format!("{what:#}. Nothing is lost: make room, and run this again"),
            error => format!("{error:#}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopback_is_here() {
        assert!(["localhost", "127.0.0.1", "127.9.9.9", "::1"].into_iter().all(is_here));
        assert!(!["db.example.org", "192.0.2.1", "::2", "localhost.example.org"].into_iter().any(is_here));
    }
}
