//! `cutshort corroborate`: what other sources say about events.

use std::fmt::Display;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ColorChoice, Subcommand};
use cutshort_capture::name_of;
use cutshort_corroborate::{Reading, check_source, joined, read};
use cutshort_detect::SeriesPlace;
use cutshort_embedded::OutsideFile;
use cutshort_geo::Country;
use cutshort_model::{date_time, grouped, quantity};
use cutshort_report::table::Table;
use cutshort_settings::values::{asn, country};
use cutshort_store::Outside;

use crate::error::{Done, Error};
use crate::options::GeoFiles;
use crate::terminal::{self, message};

/// The most bytes that are read from a URL.
const LARGEST: u64 = 200_000_000;

/// Import what other sources say about events
///
/// Events show for each source whether it agrees, disagrees, is silent, or has no data about their place and time
/// ('cutshort query events', and the API). Nothing is fetched but the URLs that you name.
#[derive(Subcommand)]
pub(crate) enum Corroborate {
    /// Import files or URLs of IODA, OONI, Radar, Censored Planet or CenAlert, or CSV
    Import(Box<Import>),
    /// List the sources, and what was imported of them
    List(Sources),
    /// Remove everything that was imported of a source
    Remove(Remove),
}

/// The format is told from the content:
///
///   IODA             signals, outage alerts, outage events (both formats)
///   OONI             aggregation (JSON, CSV), analysis, changepoints, incidents
///   Radar            outages, traffic anomalies, time series
///   Censored Planet  hyperquack, versions 1 and 2 (a scan's files together)
///   CenAlert         anomalies, events
///   CSV              start,end,location,asn,note,url  or  time,location,asn,signal,value
///
/// Importing the same file again changes nothing.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  cutshort corroborate import --data DIR 'https://api.ioda.inetintel.cc.gatech.edu/v2/outages/events?entityType=country&entityCode=IQ&from=1781000000&until=1781200000'\n  cutshort corroborate import --data DIR --source ground reports.csv\n  cutshort corroborate import --data DIR --location IQ radar-timeseries.json"
)]
pub(crate) struct Import {
    /// Files or http(s) URLs to import; '-' is standard input
    #[arg(value_name = "FILE|URL", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    directory: Directory,
    /// Country (two letters) of files that do not name their place
    #[arg(long, value_name = "COUNTRY", value_parser = country, conflicts_with = "asn")]
    location: Option<Country>,
    /// Network of files that do not name their place
    #[arg(long, value_name = "NUMBER", value_parser = asn)]
    asn: Option<u32>,
    /// Name of the source of CSV files [default: reports]
    #[arg(long, value_name = "NAME", value_parser = check_source)]
    source: Option<String>,
    #[command(flatten)]
    geo: GeoFiles,
}

#[derive(Args)]
pub(crate) struct Sources {
    #[command(flatten)]
    directory: Directory,
}

#[derive(Args)]
pub(crate) struct Remove {
    /// Name of the source, as 'list' shows it
    source: String,
    #[command(flatten)]
    directory: Directory,
}

/// Where events are kept, also those of a store in ClickHouse.
#[derive(Args)]
struct Directory {
    /// Data directory of the server
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Directory {
    fn open(&self) -> Result<OutsideFile, Error> {
        if !self.data.is_dir() {
            return Err(Error::Failed(format!("{}: there is no such directory", self.data.display())));
        }
        Ok(OutsideFile::in_directory(&self.data))
    }
}

pub(crate) fn run(corroborate: &Corroborate, color: ColorChoice) -> Result<Done, Error> {
    match corroborate {
        Corroborate::Import(arguments) => import(arguments),
        Corroborate::List(arguments) => list(arguments, color),
        Corroborate::Remove(arguments) => remove(arguments),
    }
}

/// Reads all files before anything is stored.
fn import(arguments: &Import) -> Result<Done, Error> {
    let file = arguments.directory.open()?;
    let geo = arguments.geo.open()?;
    let locate = |address| {
        let place = geo.lookup(address);
        let code = place.country.and_then(|country| <[u8; 2]>::try_from(country.alpha2().as_bytes()).ok());
        (code, place.asn)
    };
    let code = |country: Country| <[u8; 2]>::try_from(country.alpha2().as_bytes()).ok();
    let country = arguments.location.and_then(code).map(SeriesPlace::Country);
    let reading = Reading {
        place: arguments.asn.map(SeriesPlace::Network).or(country),
        source: arguments.source.as_deref(),
        now: cutshort_model::now(),
        locate: &locate,
    };
    let mut all = Vec::new();
    for path in &arguments.files {
        let name = name_of(path);
        let failed = |error: &dyn Display| Error::Failed(format!("{name}: {error}"));
        let text = text_of(path).map_err(|error| failed(&error))?;
        let found = read(&text, &reading).map_err(|error| failed(&error))?;
        message(&format!("{name}: {found}"));
        all.push(found.records);
    }
    let counts = file.import(&joined(all))?;
    message(&format!(
        "{} new, {} changed, {} known before",
        quantity(counts.new, "record"),
        grouped(counts.changed),
        grouped(counts.known)
    ));
    Ok(Done::Whole)
}

fn text_of(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let read = match path.to_str() {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            return cutshort_client::fetch(url, LARGEST);
        }
        Some("-") => io::stdin().lock().read_to_string(&mut text).map(|_| text),
        _ => std::fs::read_to_string(path),
    };
    read.map_err(|error| error.to_string())
}

fn list(arguments: &Sources, color: ColorChoice) -> Result<Done, Error> {
    let sources = arguments.directory.open()?.sources()?;
    if sources.is_empty() {
        message(&"nothing was imported yet; see 'cutshort corroborate import --help'");
        return Ok(Done::Whole);
    }
    let rows = sources.into_iter().map(|source| {
        let time = |at: fn(&std::ops::Range<i64>) -> i64| {
            source.range.as_ref().map(|range| date_time(at(range))).unwrap_or_default()
        };
        let (from, to) = (time(|range| range.start), time(|range| range.end));
        vec![source.name.clone(), grouped(source.reports), grouped(source.points), from, to]
    });
    let table = Table::of_texts(&["Source", "Reports", "Values", "From (UTC)", "To"], rows.collect());
    terminal::print(color, |text| Ok(table.write(terminal::widths().tables, text)?))?;
    Ok(Done::Whole)
}

fn remove(arguments: &Remove) -> Result<Done, Error> {
    let removed = arguments.directory.open()?.remove(&arguments.source)?;
    if removed == 0 {
        let text = format!("no source {}; see 'cutshort corroborate list'", arguments.source);
        return Err(Error::Failed(text));
    }
    terminal::print(ColorChoice::Never, |text| {
        Ok(writeln!(text, "{} of {} removed", quantity(removed, "record"), arguments.source)?)
    })?;
    Ok(Done::Whole)
}
