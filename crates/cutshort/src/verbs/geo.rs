//! `cutshort geo`.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ColorChoice, Subcommand};
use cutshort_files::durable;
use cutshort_settings::values;

use crate::error::{Done, Error};
use crate::options::GeoFiles;
use crate::terminal::{self, message};

/// Look up addresses; compare and replace geo data
#[derive(Subcommand)]
pub(crate) enum Lookups {
    /// Show country, continent and network of addresses, with the source
    Lookup(Lookup),
    /// Compare a new file of geo data with what is in use, and install it
    Update(Update),
}

/// Says how many addresses have another country or network, by the new file in place of the one in use. The file is read
/// as a whole first: a damaged one is not installed. 'serve' and 'agent' notice the new file within a minute.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  cutshort geo update --from new.mmdb --to /var/lib/GeoIP/GeoLite2-ASN.mmdb\n  cutshort geo update --from new.mmdb"
)]
pub(crate) struct Update {
    /// The new file
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The file in use, which is replaced [default: only compare]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    geo: GeoFiles,
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
    match arguments {
        Lookups::Lookup(arguments) => lookup(arguments, color),
        Lookups::Update(arguments) => update(arguments),
    }
}

fn update(arguments: &Update) -> Result<Done, Error> {
    let Update { from, to, geo } = arguments;
    let before = geo.with(to.as_ref().filter(|path| path.exists()))?;
    let now = geo.with(Some(from))?;
    terminal::print(ColorChoice::Never, |text| Ok(write!(text, "{}", before.difference(&now))?))?;
    let Some(to) = to else {
        message(&"nothing is written; --to FILE replaces the file in use");
        return Ok(Done::Whole);
    };
    let failed = |path: &Path, error| Error::Failed(format!("{}: {error}", path.display()));
    let content = std::fs::read(from).map_err(|error| failed(from, error))?;
    durable::replace(&cutshort_files::temporary(to), to, &content).map_err(|error| failed(to, error))?;
    message(&format!("{} installed", to.display()));
    Ok(Done::Whole)
}

fn lookup(arguments: &Lookup, color: ColorChoice) -> Result<Done, Error> {
    let geo = arguments.geo.open()?;
    terminal::print(color, |text| {
        for address in &arguments.addresses {
            writeln!(text, "{address}  {}", geo.describe(*address))?;
        }
        writeln!(text)?;
        for source in geo.sources() {
            writeln!(text, "from {source}")?;
        }
        Ok(())
    })?;
    Ok(Done::Whole)
}
