//! What is kept of addresses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use cutshort_model::Addresses;
use cutshort_pipeline::{GeoData, Privacy};
use cutshort_store::DataDir;

use crate::error::Error;
use crate::terminal::message;

/// What is to be kept of addresses.
#[derive(Args)]
pub(crate) struct AddressOptions {
    /// How addresses are stored; country and network are looked up first
    #[arg(long, value_enum, default_value_t = Choice(Addresses::Full), value_name = "HOW")]
    addresses: Choice,
    /// Key file for addresses, created if missing [default: address.key in the store's directory]
    #[arg(long, value_name = "FILE")]
    address_key: Option<PathBuf>,
}

impl AddressOptions {
    /// For a store in a folder, which is made if it is missing, or for one elsewhere.
    pub(crate) fn privacy(&self, data: Option<&Path>, geo: &Arc<GeoData>) -> Result<Privacy, Error> {
        let key = self.address_key.as_deref();
        if self.addresses.0 != Addresses::Full && key.is_none() && data.is_none() {
            return Err(Error::Usage(
                "name a file with the key for addresses (it is made if it is missing): --address-key FILE"
                    .to_owned(),
            ));
        }
        let in_folder = DataDir::new(data.unwrap_or(Path::new(""))).address_key();
        let key = key.unwrap_or(&in_folder);
        Privacy::open(self.addresses.0, key, || Ok(Arc::clone(geo)), |text| message(&text))
    }
}

/// As a value of the command line.
#[derive(Clone, Copy)]
struct Choice(Addresses);

impl ValueEnum for Choice {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(Addresses::Full), Self(Addresses::Truncated), Self(Addresses::Encrypted)]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self.0 {
            Addresses::Full => "All of them",
            Addresses::Truncated => "Their networks only, /24 and /48; connections stay apart",
            Addresses::Encrypted => "Other addresses, into which the key turns them (ipcrypt-pfx)",
        };
        Some(PossibleValue::new(self.0.name()).help(help))
    }
}
