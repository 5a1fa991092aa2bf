//! What is kept of addresses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use cutshort_model::Addresses;
use cutshort_pipeline::{AddressKey, AddressKeyError, GeoData, Privacy};
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
        open_privacy(self.addresses.0, key, data.unwrap_or(Path::new("")), || Ok(Arc::clone(geo)))
    }
}

/// What takes from packets what is not to be kept of their addresses. The key is read from its file, or from that in
/// a folder; where it is missing, it is made.
/// Geo data is loaded only where it is needed.
pub(crate) fn open_privacy(
    addresses: Addresses,
    key: Option<&Path>,
    folder: &Path,
    geo: impl FnOnce() -> Result<Arc<GeoData>, Error>,
) -> Result<Privacy, Error> {
    if addresses == Addresses::Full {
        return Ok(Privacy::full());
    }
    let path = key.map_or_else(|| DataDir::new(folder).address_key(), Path::to_owned);
    let (key, is_new) = AddressKey::read_or_create(&path).map_err(|error| wrong_key(&path, &error))?;
    if is_new {
        let path = path.display();
        message(&format!(
            "created a key for addresses: {path}; anybody who has it can decrypt stored addresses"
        ));
    }
    Ok(Privacy::new(addresses, &key, geo()?))
}

/// That a key cannot be read or made.
pub(crate) fn wrong_key(path: &Path, error: &AddressKeyError) -> Error {
    Error::Usage(format!("{}: {error}", path.display()))
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
