//! Facts about networks, rather than about addresses.

use std::collections::HashMap;

use crate::index::Index;
use crate::steps::AddressNumber;
use crate::{Country, Geo};

/// A network that announces addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSize {
    /// The number of the autonomous system.
    pub asn: u32,
    /// The country in which most of its addresses are; of its IPv4 addresses if it has any.
    pub country: Option<Country>,
    /// The number of IPv4 addresses that it announces.
    pub v4_addresses: u64,
}

/// Addresses by country; of IPv6 networks of 64 bits.
type ByCountry = HashMap<Option<Country>, u64>;

impl Geo {
    /// All networks, in order of their numbers. The first call takes some 100 ms, because it reads all data.
    #[must_use]
    pub fn networks(&self) -> &[NetworkSize] {
        self.networks.get_or_init(|| self.find_networks())
    }

    fn find_networks(&self) -> Vec<NetworkSize> {
        let v4 = places(&self.v4, |from, to| to.map_or(1 << 32, u64::from) - u64::from(from));
        let v6 = places(&self.v6, |from, to| {
            let to = to.map_or(1 << 64, |to| to >> 64);
            u64::try_from(to - (from >> 64)).unwrap_or(u64::MAX)
        });
        let numbers = v4.keys().chain(v6.keys());
        let mut numbers: Vec<u32> = numbers.chain(self.names.asns()).copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let network = |asn| NetworkSize {
            asn,
            country: v4.get(&asn).or_else(|| v6.get(&asn)).and_then(main_country),
            v4_addresses: v4.get(&asn).map_or(0, |places| places.values().sum()),
        };
        numbers.into_iter().map(network).collect()
    }
}

/// Where the addresses of each network are. `count` says how many there are from one up to another.
fn places<K: AddressNumber>(
    index: &Index<K>,
    count: impl Fn(K, Option<K>) -> u64,
) -> HashMap<u32, ByCountry> {
    let mut networks: HashMap<u32, ByCountry> = HashMap::new();
    for (from, to, cell) in index.steps().ranges() {
        let place = cell.place();
        if let Some(asn) = place.asn {
            let known = networks.entry(asn).or_default().entry(place.country).or_default();
            *known = known.saturating_add(count(from, to));
        }
    }
    networks
}

/// The country with most of the addresses; among equals, the first by its code.
fn main_country(places: &ByCountry) -> Option<Country> {
    let known = places.iter().filter_map(|(country, count)| Some((*count, std::cmp::Reverse((*country)?))));
    known.max().map(|(_, std::cmp::Reverse(country))| country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_where_most_of_their_addresses_are() {
        let geo = Geo::builtin();
        let networks = geo.networks();
        assert!(networks.is_sorted_by_key(|network| network.asn) && networks.len() > 50_000);
        let google = networks.iter().find(|network| network.asn == 15_169).unwrap();
        assert_eq!(google.country.map(Country::alpha2), Some("US"));
        assert!(google.v4_addresses > 1_000_000, "{}", google.v4_addresses);
        let place = geo.lookup("8.8.8.8".parse().unwrap());
        assert!(networks.iter().any(|network| Some(network.asn) == place.asn));
    }
}
