//! `cutshort serve`.

use clap::Args;
use cutshort_console::Signals;
use cutshort_daemon::{Server, listen, open_local_capture, start_log};
use cutshort_settings::ServeFlags;

use crate::backends::{check_worker, open_address_with_events, open_folder};
use crate::error::{Done, Error};
use crate::options::open_geo;
use crate::settings;
use crate::terminal::message;
use crate::verbs::alerts;

/// Serve the API and dashboard, and keep results up to date
///
/// Accepts packets from agents, computes each window of 15 minutes as it ends, deletes data that has
/// expired, and answers requests as Cloudflare Radar's API does; it also has endpoints of its own. With
/// --capture it also receives packets on this host, as 'cutshort agent' does elsewhere. It drops its
/// privileges once sockets and files are open. Ctrl-C or SIGTERM shuts it down after the current
/// work; a second one at once. Geo files are reloaded within a minute after they change, and at once on
/// SIGHUP.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Serve {
    #[command(flatten)]
    flags: ServeFlags,
}

const EXAMPLES: &str = "Settings come from flags, else from the environment (CUTSHORT_LISTEN and so on), else from the settings file, else they have their defaults.

Examples:
  cutshort serve --data /var/lib/cutshort
  cutshort serve --data store --listen 0.0.0.0:8080
  cutshort serve --store clickhouse://cutshort@db:8123/cutshort --worker 2/3
  cutshort rules apply; cutshort serve --data /var/lib/cutshort --capture nflog:5 --user cutshort
  cutshort config > cutshort.toml; cutshort serve --settings cutshort.toml";

pub(crate) fn run(arguments: Serve) -> Result<Done, Error> {
    let settings = settings::checked(arguments.flags.settings())?;
    let data = settings.data_folder()?.unwrap_or_default();
    check_worker(settings.jobs.worker, settings.store.url.is_some())?;
    start_log(&settings)?;
    settings.check_access(&data)?.iter().for_each(message);
    let signals = Signals::of_service()?;
    let geo = open_geo(&settings.jobs.geo)?;
    let listener = listen(settings.http.listen)?;
    // A password and certificates are read before privileges are given up.
    let elsewhere =
        settings.store.url.as_deref().map(|url| open_address_with_events(url, &data)).transpose()?;
    let receivers = alerts::open(&settings)?;
    let local = open_local_capture(&settings, &data, &geo, receivers.needs())?;
    let store = match elsewhere {
        Some(store) => store,
        None => Box::new(open_folder(&data)?),
    };
    if !receivers.is_empty() && store.events().is_none() {
        return Err(Error::Usage(
            "receivers of alarms need events, which are kept in a directory: name one with --data".to_owned(),
        ));
    }
    Server { store, geo, listener, local, signals, receivers }.run(&settings, &data, || {})?;
    Ok(Done::Whole)
}
