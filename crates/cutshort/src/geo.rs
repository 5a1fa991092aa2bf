//! `cutshort geo`, and the geo data of other commands.

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ColorChoice;
use cutshort_geo::Geo;
use cutshort_pipeline::GeoData;

use crate::arguments::{GeoFiles, Lookup};
use crate::error::{Done, Error};
use crate::terminal;

/// The geo data that was asked for.
pub(crate) fn open(files: &GeoFiles) -> Result<Geo, Error> {
    Geo::with_files(&files.geo).map_err(|error| Error::Usage(error.to_string()))
}

/// The geo data of a service, whose files may change.
pub(crate) fn open_files(files: &[PathBuf]) -> Result<Arc<GeoData>, Error> {
    GeoData::open(files).map(Arc::new).map_err(|error| Error::Usage(error.to_string()))
}

pub(crate) fn lookup(arguments: &Lookup, color: ColorChoice) -> Result<Done, Error> {
    let geo = open(&arguments.geo)?;
    terminal::print(color, |text| {
        for address in &arguments.addresses {
            writeln!(text, "{address}  {}", describe(&geo, *address))?;
        }
        writeln!(text)?;
        for source in geo.sources() {
            writeln!(text, "from {source}")?;
        }
        Ok(())
    })?;
    Ok(Done::Whole)
}

fn describe(geo: &Geo, address: IpAddr) -> String {
    let place = geo.lookup(address);
    let country = place.country.map_or_else(
        || "unknown country".to_owned(),
        |country| format!("{} {}, {}", country.alpha2(), country.name(), country.continent().name()),
    );
    let network = place.asn.map_or_else(
        || "unknown network".to_owned(),
        |asn| format!("AS{asn} {}", geo.as_name(asn).unwrap_or_default()).trim_end().to_owned(),
    );
    format!("{country}; {network}")
}
