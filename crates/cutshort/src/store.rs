//! The store that verbs work on.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use cutshort_capture::Reading;
use cutshort_clickhouse::{Address, ClickHouse};
use cutshort_embedded::{Embedded, Options};
use cutshort_model::{Window, quantity, rfc3339};
use cutshort_pipeline::{Report, RunProgress, Share};
use cutshort_store::{Store, StoreError};

use crate::error::{Done, Error};
use crate::progress::Steps;
use crate::terminal::message;

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
    /// For writing; a folder is made if it is missing.
    pub(crate) fn open(&self) -> Result<Box<dyn Store>, Error> {
        match &self.store {
            Some(store) => open_address(store),
            None => Ok(Box::new(open_folder(self.folder())?)),
        }
    }

    /// For writing, if it is there.
    pub(crate) fn open_existing(&self) -> Result<Box<dyn Store>, Error> {
        drop(self.open_reader()?);
        self.open()
    }

    /// For reading.
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
    let address = address(store)?;
    warn_of_plain(&address.to_string(), address.host(), address.is_secure(), "password and packets");
    Ok(connect(&address)?)
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

/// The variable that names the file with the password.
pub(crate) const PASSWORD_FILE: &str = "CUTSHORT_CLICKHOUSE_PASSWORD_FILE";

/// An address with the password from where it is: itself, the file that CUTSHORT_CLICKHOUSE_PASSWORD_FILE names, or
/// CUTSHORT_CLICKHOUSE_PASSWORD.
pub(crate) fn address(store: &str) -> Result<Address, Error> {
    let address = Address::parse(store).map_err(|error| Error::Usage(error.to_string()))?;
    let file = std::env::var_os(PASSWORD_FILE).map(PathBuf::from);
    let password = std::env::var("CUTSHORT_CLICKHOUSE_PASSWORD").ok();
    Ok(address.with_secret(file.as_deref(), password)?)
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Failed(match error {
            StoreError::Full(what) => format!("{what}. Nothing is lost: make room, and run this again"),
            error => error.to_string(),
        })
    }
}

/// Shows how far computing windows has come, and ends it when reading was stopped.
pub(crate) fn show<'a>(
    steps: &'a mut Steps,
    reading: &'a Reading,
) -> impl FnMut(&RunProgress) -> std::ops::ControlFlow<()> + use<'a> {
    |progress: &RunProgress| {
        steps.show(progress.past, progress.all);
        if reading.is_stopped() {
            std::ops::ControlFlow::Break(())
        } else {
            std::ops::ControlFlow::Continue(())
        }
    }
}

/// Says what could not be computed.
pub(crate) fn report_problems(report: &Report) -> Done {
    for (window, error) in &report.failed {
        message(&format!("the window of {} could not be computed: {error}", rfc3339(window.start())));
    }
    report_damage(report);
    if report.left > 0 {
        let left = quantity(report.left, "window");
        message(&format!("interrupted: {left} not yet computed; run this again to continue"));
    }
    let is_damaged = !report.kept_damaged.is_empty() || !report.incomplete.is_empty();
    if report.failed.is_empty() && report.left == 0 && !is_damaged { Done::Whole } else { Done::InPart }
}

/// How many windows are named.
const NAMED: usize = 5;

/// Says which windows could not be computed from all of their packets.
fn report_damage(report: &Report) {
    let kinds = [
        (&report.kept_damaged, "kept the earlier results: packets are damaged"),
        (&report.incomplete, "computed without packets that are damaged"),
    ];
    for (windows, what) in kinds {
        if let Some(names) = named(windows) {
            message(&format!(
                "{} {what} ({names}). 'cutshort store verify' names the files; import or deliver these packets again",
                quantity(windows.len() as u64, "window"),
            ));
        }
    }
}

/// The beginnings of the first windows of a list, in words; none of an empty list.
pub(crate) fn named(windows: &[Window]) -> Option<String> {
    let first: Vec<String> = windows.iter().take(NAMED).map(|window| rfc3339(window.start())).collect();
    let more = windows.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!first.is_empty()).then(|| format!("{}{more}", first.join(", ")))
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
