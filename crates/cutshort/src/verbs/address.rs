//! `cutshort address`: addresses as stores with encrypted addresses have them.

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ColorChoice, Subcommand};
use cutshort_pipeline::{AddressCipher, AddressKey};
use cutshort_settings::values;

use crate::error::{Done, Error};
use crate::terminal;

/// Encrypt addresses as stores do, or decrypt them
#[derive(Subcommand)]
pub(crate) enum Address {
    /// Encrypt addresses, to look them up in a store
    Encrypt(Turn),
    /// Decrypt stored addresses, for instance for an abuse report
    Decrypt(Turn),
}

#[derive(Args)]
pub(crate) struct Turn {
    /// IPv4 or IPv6 addresses
    #[arg(value_name = "ADDR", required = true, value_parser = values::address)]
    addresses: Vec<IpAddr>,
    /// Key file for addresses
    #[arg(long, value_name = "FILE")]
    address_key: PathBuf,
}

pub(crate) fn run(arguments: &Address, color: ColorChoice) -> Result<Done, Error> {
    let (turn, change): (&Turn, fn(&AddressCipher, IpAddr) -> IpAddr) = match arguments {
        Address::Encrypt(turn) => (turn, AddressCipher::encrypt),
        Address::Decrypt(turn) => (turn, AddressCipher::decrypt),
    };
    let path = &turn.address_key;
    let wrong = |error| Error::Usage(format!("{}: {error}", path.display()));
    let key = AddressKey::read(path).map_err(wrong)?;
    let cipher = AddressCipher::new(&key);
    terminal::print(color, |text| {
        for address in &turn.addresses {
            writeln!(text, "{address}  {}", change(&cipher, *address))?;
        }
        Ok(())
    })?;
    Ok(Done::Whole)
}
