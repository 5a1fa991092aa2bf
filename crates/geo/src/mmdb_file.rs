//! MaxMind DB files, of whatever maker.
//!
//! The makers lay out their records differently, and `database_type` is free text, so it is the records that
//! are looked at: each field is taken wherever one of the known layouts has it.
//!
//! | maker | country | network |
//! |---|---|---|
//! | MaxMind, DB-IP | `country.iso_code` | `autonomous_system_number`, `autonomous_system_organization` |
//! | IPinfo lite | `country_code` (`country` is a name) | `asn` = `"AS13335"`, `as_name` |
//! | IPinfo, older | `country` = `"AU"` | `asn` = `"AS13335"`, `as_name` or `name` |
//! | ip-location-db | `country_code` | `autonomous_system_number`, … |
//!
//! A file is read whole, into the same ranges as all else: so look-ups have one thing to search, and a
//! damaged file shows when it is opened and not in the middle of work.

use std::collections::HashMap;
use std::net::IpAddr;

use maxminddb::{MaxMindDbError, Metadata, Reader, WithinOptions};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::Country;
use crate::date::day_of_epoch;
use crate::layer::{About, Layer, LayerNotes};
use crate::mmdb_tree::{Tree, Wrong};
use crate::names::parse_asn;

/// What stands before the metadata, near the end of every such file.
const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";

/// Whether these are the bytes of a MaxMind DB file.
pub(crate) fn is_mmdb(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(128 * 1024)..];
    tail.windows(MARKER.len()).any(|window| window == MARKER)
}

/// Reads a whole file. `Err` says what is wrong with it.
pub(crate) fn read(bytes: &[u8]) -> Result<Layer, String> {
    let reader = Reader::from_source(bytes).map_err(damaged)?;
    check_tree(bytes, reader.metadata())?;
    let mut notes = LayerNotes::default();
    let mut seen = HashMap::new();
    for found in reader.networks(WithinOptions::default()).map_err(damaged)? {
        let found = found.map_err(damaged)?;
        let Some(offset) = found.offset() else { continue };
        let (country, asn) = match seen.get(&offset) {
            Some(&known) => known,
            None => {
                let record: Record = found.decode().map_err(damaged)?.unwrap_or_default();
                let fresh = (record.country(), record.asn());
                notes.name(fresh.1.unwrap_or(0), record.as_name());
                seen.insert(offset, fresh);
                fresh
            }
        };
        let network = found.network().map_err(damaged)?;
        notes.add(network.ip(), last_address(network.ip(), network.prefix()), country, asn)?;
    }
    let kind = &reader.metadata().database_type;
    notes
        .finish(introduction(reader.metadata()))
        .ok_or_else(|| format!("a MaxMind DB ({kind}) without countries and AS numbers"))
}

/// Refuses a tree whose networks could not be listed in reasonable time.
fn check_tree(bytes: &[u8], metadata: &Metadata) -> Result<(), String> {
    let tree = Tree::new(bytes, metadata.node_count, metadata.record_size);
    tree.and_then(|tree| tree.check(metadata.ip_version == 6)).map_err(|wrong| {
        match wrong {
            Wrong::Short => "a damaged MaxMind DB (its search tree is cut off)",
            Wrong::Shared => "a damaged MaxMind DB (parts of its search tree are used twice)",
        }
        .to_owned()
    })
}

#[allow(clippy::needless_pass_by_value)] // so that it fits map_err
fn damaged(error: MaxMindDbError) -> String {
    format!("a damaged MaxMind DB ({error})")
}

fn last_address(first: IpAddr, prefix: u8) -> IpAddr {
    match first {
        IpAddr::V4(v4) => {
            IpAddr::from((v4.to_bits() | u32::MAX.checked_shr(prefix.into()).unwrap_or(0)).to_be_bytes())
        }
        IpAddr::V6(v6) => {
            IpAddr::from((v6.to_bits() | u128::MAX.checked_shr(prefix.into()).unwrap_or(0)).to_be_bytes())
        }
    }
}

/// The fields that matter, of all layouts.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Record<'a> {
    #[serde(borrow)]
    country: Option<Value<'a>>,
    country_code: Option<Value<'a>>,
    asn: Option<Value<'a>>,
    as_name: Option<Value<'a>>,
    name: Option<Value<'a>>,
    autonomous_system_number: Option<Value<'a>>,
    autonomous_system_organization: Option<Value<'a>>,
}

/// A field of any type: `country` and `name` are texts in some layouts and maps in others.
#[derive(Deserialize)]
#[serde(untagged)]
enum Value<'a> {
    Text(&'a str),
    Number(u32),
    Map {
        #[serde(borrow)]
        iso_code: Option<&'a str>,
    },
    Other(IgnoredAny),
}

impl Value<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Map { iso_code } => *iso_code,
            Self::Number(_) | Self::Other(_) => None,
        }
    }

    fn number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number).filter(|&number| number != 0),
            Self::Text(text) => parse_asn(text).flatten(),
            Self::Map { .. } | Self::Other(_) => None,
        }
    }
}

impl Record<'_> {
    fn country(&self) -> Option<Country> {
        let fields = [&self.country_code, &self.country];
        fields.into_iter().flatten().filter_map(Value::text).find_map(Country::from_alpha2)
    }

    fn asn(&self) -> Option<u32> {
        [&self.autonomous_system_number, &self.asn].into_iter().flatten().find_map(Value::number)
    }

    fn as_name(&self) -> &str {
        let fields = [&self.autonomous_system_organization, &self.as_name, &self.name];
        fields.into_iter().flatten().find_map(Value::text).unwrap_or("")
    }
}

/// Metadata tell neither licence nor links, but those of the common makers are known.
fn introduction(metadata: &Metadata) -> About {
    let kind = metadata.database_type.to_ascii_lowercase();
    let known = |maker: &str| kind.contains(maker);
    let (licence, url) = match () {
        () if known("geolite2") => (Some("GeoLite2 EULA"), Some("https://www.maxmind.com")),
        () if known("geoip2") => (None, Some("https://www.maxmind.com")),
        () if known("dbip") && known("lite") => (Some("CC BY 4.0"), Some("https://db-ip.com")),
        () if known("dbip") => (None, Some("https://db-ip.com")),
        () if known("ipinfo") && known("lite") => (Some("CC BY-SA 4.0"), Some("https://ipinfo.io")),
        () if known("ipinfo") => (None, Some("https://ipinfo.io")),
        () => (None, None),
    };
    About {
        name: Some(metadata.database_type.trim().to_owned()).filter(|name| !name.is_empty()),
        date: (metadata.build_epoch > 0).then(|| day_of_epoch(metadata.build_epoch)),
        licence: licence.map(str::to_owned),
        urls: url.into_iter().map(str::to_owned).collect(),
    }
}
