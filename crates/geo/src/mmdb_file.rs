//! MaxMind DB files of all providers.
//!
//! The makers lay out their records differently, and `database_type` is free text, so it is the records that
//! are looked at: each field is taken wherever one of the known layouts has it.
//!
//! | maker | country | network |
//! |---|---|---|
//! | MaxMind, DB-IP | `country.iso_code` | `autonomous_system_number`, `autonomous_system_organization` |
//! | MaxMind Enterprise, DB-IP ISP | `country.iso_code` | the same under `traits` |
//! | IPinfo lite | `country_code` (`country` is a name) | `asn` = `"AS13335"`, `as_name` |
//! | IPinfo, older | `country` = `"AU"` | `asn` = `"AS13335"`, `as_name` or `name` |
//! | ip-location-db | `country_code` | `autonomous_system_number`, … |
//!
//! A file is read completely into the same ranges as all other data: look-ups have one structure to search, and a
//! damaged file is noticed when it is opened.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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
    for found in reader.networks(options(&reader)?).map_err(damaged)? {
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
        for (first, last) in ranges(network.ip(), network.prefix()) {
            notes.add(first, last, country, asn)?;
        }
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

/// IPv4 is found at other places of the tree again, which are passed over. Where all of it is a single record there are
/// no such places, but the reader takes every network with that record for one.
fn options(reader: &Reader<&[u8]>) -> Result<WithinOptions, String> {
    let v4 =
        reader.lookup(Ipv4Addr::UNSPECIFIED.into()).and_then(|found| found.network()).map_err(damaged)?;
    let options = WithinOptions::default();
    Ok(if v4.is_ipv6() { options.include_aliased_networks() } else { options })
}

/// The ranges of a network, as look-ups have them.
///
/// IPv4 is looked up below `::/96` by every reader, so a network that contains this has all of IPv4, too. Mapped
/// addresses (`::ffff:0:0/96`) are looked up as IPv4, so a network with more than these ends before them.
fn ranges(first: IpAddr, prefix: u8) -> impl Iterator<Item = (IpAddr, IpAddr)> {
    const MAPPED: u128 = 0xffff << 32;
    let last = match last_address(first, prefix) {
        IpAddr::V6(last) if prefix < 96 && last.to_ipv4_mapped().is_some() => {
            Ipv6Addr::from_bits(MAPPED - 1).into()
        }
        last => last,
    };
    let all_v4 = prefix <= 96 && first == IpAddr::from(Ipv6Addr::UNSPECIFIED);
    let v4 = (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::BROADCAST.into());
    std::iter::once((first, last)).chain(all_v4.then_some(v4))
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
    country: Option<TextOrNumber<'a>>,
    country_code: Option<TextOrNumber<'a>>,
    asn: Option<TextOrNumber<'a>>,
    as_name: Option<TextOrNumber<'a>>,
    name: Option<TextOrNumber<'a>>,
    autonomous_system_number: Option<TextOrNumber<'a>>,
    autonomous_system_organization: Option<TextOrNumber<'a>>,
    traits: Option<Traits<'a>>,
}

/// Fields of larger files about an address rather than its place.
#[derive(Deserialize)]
#[serde(untagged)]
enum Traits<'a> {
    Map {
        #[serde(borrow)]
        autonomous_system_number: Option<TextOrNumber<'a>>,
        autonomous_system_organization: Option<TextOrNumber<'a>>,
    },
    Other(IgnoredAny),
}

impl<'a> Traits<'a> {
    const fn number(&self) -> Option<&TextOrNumber<'a>> {
        match self {
            Self::Map { autonomous_system_number, .. } => autonomous_system_number.as_ref(),
            Self::Other(_) => None,
        }
    }

    const fn organization(&self) -> Option<&TextOrNumber<'a>> {
        match self {
            Self::Map { autonomous_system_organization, .. } => autonomous_system_organization.as_ref(),
            Self::Other(_) => None,
        }
    }
}

/// A field of any type: `country` and `name` are texts in some layouts and maps in others.
#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrNumber<'a> {
    Text(&'a str),
    Number(u32),
    Map {
        #[serde(borrow)]
        iso_code: Option<&'a str>,
    },
    Other(IgnoredAny),
}

impl TextOrNumber<'_> {
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
        fields.into_iter().flatten().filter_map(TextOrNumber::text).find_map(Country::from_alpha2)
    }

    fn asn(&self) -> Option<u32> {
        let fields = [self.autonomous_system_number.as_ref(), self.asn.as_ref()];
        let traits = self.traits.as_ref().and_then(Traits::number);
        fields.into_iter().chain([traits]).flatten().find_map(TextOrNumber::number)
    }

    fn as_name(&self) -> &str {
        let traits = self.traits.as_ref().and_then(Traits::organization);
        let fields = [&self.autonomous_system_organization, &self.as_name, &self.name].map(Option::as_ref);
        fields.into_iter().chain([traits]).flatten().find_map(TextOrNumber::text).unwrap_or("")
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
