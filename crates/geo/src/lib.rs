//! Looks up the country, continent and network of an IP address.
//!
//! It works without set-up, from data built into the crate, and better with your own files: MaxMind DB (`.mmdb`) of
//! the usual providers, or CSV. Files take precedence over the built-in data, which supplies what they do not know.
//!
//! ```
//! use cutshort_geo::Geo;
//!
//! let geo = Geo::builtin();
//! let place = geo.lookup("8.8.8.8".parse()?);
//! assert_eq!(place.country.map(|country| country.name()), Some("United States"));
//! assert_eq!(place.asn.and_then(|asn| geo.as_name(asn)), Some("Google LLC"));
//! # Ok::<(), std::net::AddrParseError>(())
//! ```
//!
//! All sources are combined when they are loaded, so that a look-up is one search in a sorted array per IP version.
//! The built-in data takes some 22 MB of memory.
//!
//! The location of an address is an estimate: sources agree on about nine countries in ten or better. Therefore show
//! [`Geo::sources`] with the answers; the licences require it, too.

mod columns;
mod country;
mod csv_file;
mod date;
mod difference;
mod error;
mod index;
mod layer;
mod mmdb_file;
mod mmdb_tree;
mod names;
mod networks;
mod open;
mod packed;
mod places;
mod source;
mod steps;

use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::sync::OnceLock;

pub use country::{Continent, Country};
pub use difference::{Changes, Difference, Moved};
pub use error::GeoError;
pub use networks::NetworkSize;
pub use places::Places;
pub use source::{Provides, Source};

use index::Index;
use layer::{Layer, Origin};
use names::Names;

/// The built-in data. `scripts/geo-data` updates it.
const BUILTIN: &[u8] = include_bytes!("../data/builtin.cutshort-geo");

/// What is known about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Place {
    /// The country in which it is used.
    pub country: Option<Country>,
    /// The number of the autonomous system (network) that announces it; never 0.
    pub asn: Option<u32>,
}

/// Countries and networks of all addresses.
#[derive(Debug)]
pub struct Geo {
    v4: Index<u32>,
    v6: Index<u128>,
    names: Names,
    sources: Vec<Source>,
    /// Computed when it is first needed.
    networks: OnceLock<Vec<NetworkSize>>,
}

impl Geo {
    /// The built-in data only. Loading takes some 30 ms, so keep the value.
    pub fn builtin() -> Self {
        Layer::builtin().into()
    }

    /// The built-in data, overridden by the files: later files take precedence over earlier ones, field by field and
    /// address by address. The format of a file is detected from its content.
    ///
    /// # Errors
    /// [`GeoError`] names the file that is missing, unreadable or damaged, or has neither countries nor AS numbers.
    pub fn with_files<P: AsRef<Path>>(files: &[P]) -> Result<Self, GeoError> {
        lay_over(Layer::builtin(), files).map(Self::from)
    }

    /// Looks up an address. IPv4-mapped IPv6 addresses are treated as IPv4. Does not allocate; takes some 20 ns.
    #[inline]
    pub fn lookup(&self, addr: IpAddr) -> Place {
        match addr {
            IpAddr::V4(v4) => self.v4.get(v4.to_bits()).place(),
            IpAddr::V6(v6) => self.lookup_v6(v6.to_bits()),
        }
    }

    /// A separate function, so that [`lookup`](Self::lookup) is small enough to be inlined.
    #[inline(never)]
    fn lookup_v6(&self, bits: u128) -> Place {
        match Ipv6Addr::from_bits(bits).to_ipv4_mapped() {
            Some(v4) => self.v4.get(v4.to_bits()).place(),
            None => self.v6.get(bits).place(),
        }
    }

    /// Country, continent and network of an address for people: `PT Portugal, Europe; AS3243 MEO`.
    #[must_use]
    pub fn describe(&self, addr: IpAddr) -> String {
        let place = self.lookup(addr);
        let country = place.country.map_or_else(
            || "unknown country".to_owned(),
            |country| format!("{} {}, {}", country.alpha2(), country.name(), country.continent().name()),
        );
        let network = place.asn.map_or_else(
            || "unknown network".to_owned(),
            |asn| format!("AS{asn} {}", self.as_name(asn).unwrap_or_default()).trim_end().to_owned(),
        );
        format!("{country}; {network}")
    }

    /// Looks up many addresses, several at a time. This is faster than one by one if the addresses have little in
    /// common.
    pub fn places<I: Iterator<Item = Ipv6Addr>>(&self, addrs: I) -> Places<'_, I> {
        Places::new(self, addrs)
    }

    /// The name of a network, from the first source that has one.
    pub fn as_name(&self, asn: u32) -> Option<&str> {
        self.names.get(asn)
    }

    /// The sources, in order of precedence: later ones are only used for what earlier ones do not know.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }
}

/// Packs a file that [`Geo::with_files`] would accept into the compact form of the built-in data, which is accepted
/// as well. The source of the module `packed` describes the form.
///
/// # Errors
/// The same as those of [`Geo::with_files`].
pub fn pack(path: &Path) -> Result<Vec<u8>, GeoError> {
    pack_merged::<&Path>(path, &[])
}

/// Packs several files into one: `base`, overridden by `files` as in [`Geo::with_files`].
///
/// # Errors
/// The same as those of [`Geo::with_files`].
pub fn pack_merged<P: AsRef<Path>>(base: &Path, files: &[P]) -> Result<Vec<u8>, GeoError> {
    let layer = lay_over(open::open(base)?, files)?;
    packed::write(&layer).map_err(|error| GeoError::Read { path: base.to_owned(), error })
}

/// The files laid over `base`, a later one over an earlier one.
fn lay_over<P: AsRef<Path>>(base: Layer, files: &[P]) -> Result<Layer, GeoError> {
    files.iter().try_fold(base, |base, path| Ok(open::open(path.as_ref())?.over(base)))
}

impl Layer {
    /// Decompresses the built-in data.
    fn builtin() -> Self {
        packed::read(BUILTIN).expect("the shipped data is tested")
    }
}

impl From<Layer> for Geo {
    fn from(layer: Layer) -> Self {
        Self {
            v4: Index::new(layer.v4),
            v6: Index::new(layer.v6),
            names: layer.names,
            sources: layer.origins.into_iter().map(Source::from).collect(),
            networks: OnceLock::new(),
        }
    }
}

impl From<Origin> for Source {
    fn from(Origin { about, provides, path }: Origin) -> Self {
        let file_name = || Some(path.as_ref()?.file_name()?.to_string_lossy().into_owned());
        Self {
            name: about.name.or_else(file_name).unwrap_or_else(|| "unnamed".into()),
            date: about.date.unwrap_or_else(|| "unknown".into()),
            licence: about.licence,
            urls: about.urls,
            provides,
            path,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]
        #[test]
        fn the_index_answers_as_a_search_of_all_steps_does(
            addrs in prop::collection::vec(any::<(u32, u128)>(), 20_000),
        ) {
            let (geo, layer) = (Geo::builtin(), Layer::builtin());
            let edges4 = layer.v4.starts().iter().step_by(50).flat_map(|&start| [start.wrapping_sub(1), start]);
            let edges6 = layer.v6.starts().iter().step_by(50).flat_map(|&start| [start.wrapping_sub(1), start]);
            for v4 in addrs.iter().map(|&(v4, _)| v4).chain(edges4) {
                prop_assert_eq!(geo.lookup(IpAddr::V4(v4.into())), layer.v4.get(v4).place());
            }
            // Mostly in 2000::/3.
            let random = addrs.iter().map(|&(v4, v6)| if v4 % 8 == 0 { v6 } else { v6 >> 3 | 1 << 125 });
            for v6 in random.chain(edges6) {
                prop_assert_eq!(geo.v6.get(v6), layer.v6.get(v6));
            }
        }
    }
}
