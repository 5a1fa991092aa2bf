//! Address to country, continent and network.
//!
//! Answers come out of the box, from data shipped inside the crate, and better ones from files of the user's:
//! MaxMind DB (`.mmdb`) of the usual makers, or CSV. What a file tells about an address goes before the
//! shipped data; what it does not tell falls through.
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
//! Whatever source an answer has, all sources are laid over one another when they are loaded, and a look-up
//! is one search in one sorted array per family of addresses. The shipped data takes some 20 MB in memory.
//!
//! Where an address is, is guesswork: sources agree about nine countries in ten or better. So show
//! [`Geo::sources`] with the answers; the licences ask for it too.

mod country;
mod csv_file;
mod date;
mod error;
mod index;
mod layer;
mod mmdb_file;
mod names;
mod open;
mod packed;
mod source;
mod steps;

use std::net::IpAddr;
use std::path::Path;

pub use country::{Continent, Country};
pub use error::GeoError;
pub use source::{Provides, Source};

use index::Index;
use layer::Layer;
use names::Names;
use steps::Steps;

/// The shipped data, the first before the second. `scripts/geo-data` refreshes them.
const BUILTIN: [&[u8]; 2] =
    [include_bytes!("../data/country.cutshort-geo"), include_bytes!("../data/network.cutshort-geo")];

/// What is known about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Place {
    /// The country that it is used in.
    pub country: Option<Country>,
    /// The number of the autonomous system (network) that announces it; never 0.
    pub asn: Option<u32>,
}

/// Everything that is known about addresses.
#[derive(Debug)]
pub struct Geo {
    v4: Index<u32>,
    v6: Index<u128>,
    /// In the order of precedence, like `sources`.
    names: Vec<Names>,
    sources: Vec<Source>,
}

impl Geo {
    /// The shipped data only. Takes a tenth of a second or less, so keep it.
    pub fn builtin() -> Self {
        let mut loading = Loading::new();
        loading.add_builtin();
        loading.finish()
    }

    /// The shipped data, overridden by the files: a later one goes before an earlier one, field by field and
    /// address by address. A file's kind is found out from its content.
    ///
    /// # Errors
    /// A file that is missing, unreadable, damaged, or tells neither countries nor AS numbers.
    pub fn with_files<P: AsRef<Path>>(files: &[P]) -> Result<Self, GeoError> {
        let mut loading = Loading::new();
        loading.add_builtin();
        for path in files.iter().map(AsRef::as_ref) {
            loading.add(open::open(path)?, Some(path));
        }
        Ok(loading.finish())
    }

    /// Where an address is and who announces it. IPv4 addresses mapped into IPv6 are treated as IPv4. Does
    /// not allocate; takes some 50 ns.
    pub fn lookup(&self, addr: IpAddr) -> Place {
        match layer::unmapped(addr) {
            IpAddr::V4(v4) => self.v4.get(v4.to_bits()).place(),
            IpAddr::V6(v6) => self.v6.get(v6.to_bits()).place(),
        }
    }

    /// The name of a network, from the first source that has one.
    pub fn as_name(&self, asn: u32) -> Option<&str> {
        self.names.iter().find_map(|names| names.get(asn))
    }

    /// Where answers come from, in the order of precedence: what an earlier one tells, no later one is asked.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }
}

/// Packs a file that [`Geo::with_files`] would accept into the compact form that the shipped data has, which
/// is accepted as well. The form is described in the source of the module `packed`.
///
/// # Errors
/// As [`Geo::with_files`].
pub fn pack(path: &Path) -> Result<Vec<u8>, GeoError> {
    let layer = open::open(path)?;
    packed::write(&layer).map_err(|error| GeoError::Read { path: path.to_owned(), error })
}

/// Layers laid over one another, so far.
struct Loading {
    v4: Steps<u32>,
    v6: Steps<u128>,
    names: Vec<Names>,
    sources: Vec<Source>,
}

impl Loading {
    fn new() -> Self {
        Self { v4: Steps::default(), v6: Steps::default(), names: Vec::new(), sources: Vec::new() }
    }

    fn add_builtin(&mut self) {
        for bytes in BUILTIN.iter().rev() {
            self.add(packed::read(bytes).expect("the shipped data is tested"), None);
        }
    }

    /// Lays a layer on top.
    fn add(&mut self, layer: Layer, path: Option<&Path>) {
        self.sources.insert(0, source(&layer, path));
        self.names.insert(0, layer.names);
        self.v4 = layer.v4.over(&self.v4);
        self.v6 = layer.v6.over(&self.v6);
    }

    fn finish(self) -> Geo {
        Geo { v4: Index::new(self.v4), v6: Index::new(self.v6), names: self.names, sources: self.sources }
    }
}

fn source(layer: &Layer, path: Option<&Path>) -> Source {
    let about = layer.about.clone();
    let file_name = || path?.file_name().map(|name| name.to_string_lossy().into_owned());
    Source {
        name: about.name.or_else(file_name).unwrap_or_else(|| "unnamed".into()),
        date: about.date.unwrap_or_else(|| "unknown".into()),
        licence: about.licence,
        urls: about.urls,
        provides: layer.provides,
        path: path.map(Path::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]
        #[test]
        fn the_merged_data_answers_as_its_parts_do(addrs in prop::collection::vec(any::<(u32, u128)>(), 20_000)) {
            let geo = Geo::builtin();
            let [country, network] = BUILTIN.map(|bytes| packed::read(bytes).unwrap());
            for (v4, v6) in addrs {
                let v6 = v6 >> 3 | 1 << 125; // in 2000::/3
                let parts = |country: steps::Cell, network: steps::Cell| Place {
                    country: country.place().country,
                    asn: network.place().asn,
                };
                let place = geo.lookup(IpAddr::V4(v4.into()));
                prop_assert_eq!(place, parts(country.v4.get(v4), network.v4.get(v4)));
                let place = geo.lookup(IpAddr::V6(v6.into()));
                prop_assert_eq!(place, parts(country.v6.get(v6), network.v6.get(v6)));
            }
        }
    }
}
