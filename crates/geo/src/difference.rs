//! What changes if data are replaced by others.

use std::collections::HashMap;
use std::fmt;

use crate::index::Index;
use crate::steps::AddressNumber;
use crate::{Country, Geo};

/// How many movements between countries are listed.
const LISTED: usize = 10;

/// How many addresses have another country or network than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Of IPv4 addresses.
    pub v4: Changes,
    /// Of IPv6 networks of 64 bits.
    pub v6: Changes,
    /// The IPv4 addresses that are in another country now, by both countries; most addresses first.
    pub moved: Vec<Moved>,
}

/// Addresses of one version of IP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those with a country or a network, before or now.
    pub known: u64,
    /// Those with another country.
    pub country: u64,
    /// Those with another network.
    pub network: u64,
}

/// Addresses that are in another country now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The country before; none if it was unknown.
    pub from: Option<Country>,
    /// The country now.
    pub to: Option<Country>,
    /// How many they are.
    pub addresses: u64,
}

impl Geo {
    /// What differs in newer data.
    #[must_use]
    pub fn difference(&self, newer: &Self) -> Difference {
        let mut moved = HashMap::new();
        let v4 = changes(
            &self.v4,
            &newer.v4,
            |from, to| to.map_or(1 << 32, u64::from) - u64::from(from),
            &mut moved,
        );
        let count = |from: u128, to: Option<u128>| {
            u64::try_from(to.map_or(1 << 64, |to| to >> 64) - (from >> 64)).unwrap_or(u64::MAX)
        };
        let v6 = changes(&self.v6, &newer.v6, count, &mut HashMap::new());
        let mut moved: Vec<Moved> =
            moved.into_iter().map(|((from, to), addresses)| Moved { from, to, addresses }).collect();
        moved.sort_by_key(|moved| (std::cmp::Reverse(moved.addresses), moved.from, moved.to));
        Difference { v4, v6, moved }
    }
}

type Movements = HashMap<(Option<Country>, Option<Country>), u64>;

fn changes<K: AddressNumber>(
    before: &Index<K>,
    now: &Index<K>,
    count: impl Fn(K, Option<K>) -> u64,
    moved: &mut Movements,
) -> Changes {
    let mut changes = Changes::default();
    let (mut before, mut now) = (before.steps().ranges().peekable(), now.steps().ranges().peekable());
    while let (Some((a, a_end, old)), Some((b, b_end, new))) = (before.peek().copied(), now.peek().copied()) {
        let end = match (a_end, b_end) {
            (Some(a_end), Some(b_end)) => Some(a_end.min(b_end)),
            (a_end, b_end) => a_end.or(b_end),
        };
        let (old, new, addresses) = (old.place(), new.place(), count(a.max(b), end));
        if old != Default::default() || new != Default::default() {
            changes.known = changes.known.saturating_add(addresses);
        }
        if old.country != new.country {
            changes.country = changes.country.saturating_add(addresses);
            let known = moved.entry((old.country, new.country)).or_default();
            *known = known.saturating_add(addresses);
        }
        if old.asn != new.asn {
            changes.network = changes.network.saturating_add(addresses);
        }
        if end.is_none() {
            break;
        }
        before.next_if(|(_, to, _)| *to == end);
        now.next_if(|(_, to, _)| *to == end);
    }
    changes
}

/// Writes a line for each version of IP, and one for each of the largest movements between countries.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions = [("IPv4 addresses", &self.v4), ("IPv6 networks (/64)", &self.v6)];
        for (what, Changes { known, country, network }) in versions {
            let share = |part: &u64| *part as f64 / (*known).max(1) as f64 * 100.0;
            writeln!(
                f,
                "{:.2} % of {what} have another country, {:.2} % another network",
                share(country),
                share(network)
            )?;
        }
        let name = |country: Option<Country>| country.map_or("unknown", Country::alpha2);
        for Moved { from, to, addresses } in self.moved.iter().take(LISTED) {
            writeln!(f, "  {} → {}  {addresses} IPv4 addresses", name(*from), name(*to))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_has_no_difference() {
        let geo = Geo::builtin();
        let difference = geo.difference(&Geo::builtin());
        assert_eq!((difference.v4.country, difference.v4.network, difference.v6.country), (0, 0, 0));
        assert!(difference.v4.known > 3_000_000_000, "{difference:?}");
        assert!(difference.moved.is_empty());
    }
}
