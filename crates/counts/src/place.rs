//! The places that have rows of their own.

use cutshort_geo::Country;
use cutshort_model::Network;
use cutshort_store::cell::packed::{Group, Packed, location_code, location_of};
use cutshort_verdict::WeightedCount;

/// The place whose cells a row has: every cell is part of the world, of its country and of its bucket of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowPlace {
    /// All cells of the time.
    World,
    /// A country, or unknown, by its code.
    Location(u16),
    /// A bucket of networks; only these rows distinguish both networks and locations.
    Networks(u16),
}

/// Many enough that a network's year is read quickly, and few enough that a window is written quickly.
const BUCKETS: u32 = 64;
/// The bucket of networks without a number, which are in many countries.
const UNNUMBERED: u16 = BUCKETS as u16;

const LOCATIONS: i64 = 1;
const NETWORKS: i64 = 1_000;

impl RowPlace {
    /// The place of a country; none is that of clients whose country is unknown.
    #[must_use]
    pub fn of_location(location: Option<Country>) -> Self {
        Self::Location(location_code(location))
    }

    /// The bucket of a network.
    #[must_use]
    pub const fn of_network(network: Network) -> Self {
        match network {
            Network::As(number) => Self::Networks((number % BUCKETS) as u16),
            Network::Unknown | Network::Other => Self::Networks(UNNUMBERED),
        }
    }

    /// All countries, and unknown.
    pub fn all_locations() -> impl Iterator<Item = Option<Country>> {
        std::iter::once(None).chain(Country::all().map(Some))
    }

    /// All buckets of networks.
    pub fn all_networks() -> impl Iterator<Item = Self> {
        (0..=UNNUMBERED).map(Self::Networks)
    }

    /// The number of the place, which stores keep: it must not change.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::World => 0,
            Self::Location(code) => LOCATIONS + code as i64,
            Self::Networks(bucket) => NETWORKS + bucket as i64,
        }
    }

    /// Describes the place with a stored number, in messages.
    #[must_use]
    pub fn name(number: i64) -> String {
        match number {
            0 => "the world".to_owned(),
            LOCATIONS..NETWORKS => {
                let location = u16::try_from(number - LOCATIONS).ok().and_then(location_of);
                match location {
                    Some(Some(country)) => country.name().to_owned(),
                    Some(None) => "places not known".to_owned(),
                    None => format!("place {number}"),
                }
            }
            _ => format!("networks {}", number - NETWORKS),
        }
    }
}

/// Divides the cells of all networks and locations into sorted cells of every place.
pub(crate) fn by_place(
    mut cells: Vec<(Packed, WeightedCount)>,
) -> Vec<(RowPlace, Vec<(Packed, WeightedCount)>)> {
    cells.sort_unstable_by_key(|(packed, _)| *packed);
    let mut places = networks(&cells);
    let cells = regroup(cells, Group::of_location);
    let same = |(a, _): &(Packed, WeightedCount), (b, _): &(Packed, WeightedCount)| a.group() == b.group();
    for location in cells.chunk_by(same) {
        let code = location[0].0.group().location_code();
        places.push((RowPlace::Location(code), regroup(location.to_vec(), |_| Group::default())));
    }
    if !cells.is_empty() {
        places.push((RowPlace::World, regroup(cells, |_| Group::default())));
    }
    places
}

fn networks(cells: &[(Packed, WeightedCount)]) -> Vec<(RowPlace, Vec<(Packed, WeightedCount)>)> {
    let mut buckets: Vec<(RowPlace, Vec<_>)> =
        RowPlace::all_networks().map(|place| (place, Vec::new())).collect();
    for cell in cells {
        if let RowPlace::Networks(bucket) = RowPlace::of_network(cell.0.group().network()) {
            buckets[usize::from(bucket)].1.push(*cell);
        }
    }
    buckets.retain(|(_, cells)| !cells.is_empty());
    buckets
}

/// Combines cells that differ only in their group.
fn regroup(
    mut cells: Vec<(Packed, WeightedCount)>,
    group: fn(Group) -> Group,
) -> Vec<(Packed, WeightedCount)> {
    for (packed, _) in &mut cells {
        *packed = packed.with_group(group(packed.group()));
    }
    merge_alike(cells)
}

/// Sorts cells and adds up those with the same key.
pub fn merge_alike(mut cells: Vec<(Packed, WeightedCount)>) -> Vec<(Packed, WeightedCount)> {
    cells.sort_unstable_by_key(|(packed, _)| *packed);
    cells.dedup_by(|(key, count), (kept, sum)| {
        let alike = key == kept;
        if alike {
            sum.merge(count);
        }
        alike
    });
    cells
}
