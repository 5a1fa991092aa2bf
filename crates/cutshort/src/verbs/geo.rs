//! `cutshort geo`.

use std::io::Write;
use std::net::IpAddr;

use clap::{Args, ColorChoice, Subcommand};
use cutshort_geo::Geo;
use cutshort_settings::values;

use crate::error::{Done, Error};
use crate::options::GeoFiles;
use crate::terminal;

/// Look up the country and network of addresses
#[derive(Subcommand)]
pub(crate) enum Lookups {
    /// Show country, continent and network of addresses, with the source
    Lookup(Lookup),
}

#[derive(Args)]
pub(crate) struct Lookup {
    /// IPv4 or IPv6 addresses
    #[arg(value_name = "ADDR", required = true, value_parser = values::address)]
    addresses: Vec<IpAddr>,
    #[command(flatten)]
    geo: GeoFiles,
}

pub(crate) fn run(arguments: &Lookups, color: ColorChoice) -> Result<Done, Error> {
    let Lookups::Lookup(arguments) = arguments;
    lookup(arguments, color)
}

fn lookup(arguments: &Lookup, color: ColorChoice) -> Result<Done, Error> {
    let geo = arguments.geo.open()?;
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
