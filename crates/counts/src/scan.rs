//! Which rows a query needs.

use cutshort_model::{Dimension, Network};
use cutshort_store::cell::packed::Group;
use cutshort_store::{RollupQuery, Selection};

use crate::bytes::{Broken, Unpacked};
use crate::place::RowPlace;

/// Rows of one place, to be added or subtracted.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// Their place.
    pub place: RowPlace,
    /// Whether they are subtracted.
    pub minus: bool,
    /// For buckets of networks, the selection: groups that it selects are added, or those that it does not select are
    /// subtracted.
    within: Option<&'a Selection>,
}

impl Scan<'_> {
    /// Whether a group of the place is selected.
    pub(crate) fn takes(&self, group: Group) -> Unpacked<bool> {
        let Some(selection) = self.within else { return Ok(true) };
        let location = group.location().ok_or(Broken("its location is unknown"))?;
        Ok(selection.has_network(group.network()) != self.minus && selection.has_location(location))
    }
}

/// The rows that a query needs.
#[must_use]
pub fn scans(query: &RollupQuery) -> Vec<Scan<'_>> {
    let selection = &query.selection;
    let scan = |minus| move |place| Scan { place, minus, within: Some(selection) };
    if !selection.asns.include.is_empty() {
        return buckets(&selection.asns.include).into_iter().map(scan(false)).collect();
    }
    if query.by == Some(Dimension::As) {
        return RowPlace::all_networks().map(scan(false)).collect();
    }
    let mut scans = location_scans(query);
    scans.extend(buckets(&selection.asns.exclude).into_iter().map(scan(true)));
    scans
}

fn buckets(networks: &[u32]) -> Vec<RowPlace> {
    let mut places: Vec<RowPlace> =
        networks.iter().map(|number| RowPlace::of_network(Network::As(*number))).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// The selected countries, or the world without the others if these are fewer.
fn location_scans(query: &RollupQuery) -> Vec<Scan<'_>> {
    let scan = |place, minus| Scan { place, minus, within: None };
    let of = |locations: Vec<_>, minus| {
        locations.into_iter().map(move |location| scan(RowPlace::of_location(location), minus))
    };
    let (selected, others): (Vec<_>, Vec<_>) =
        RowPlace::all_locations().partition(|location| query.selection.has_location(*location));
    if query.by == Some(Dimension::Location) || selected.len() <= others.len() {
        return of(selected, false).collect();
    }
    std::iter::once(scan(RowPlace::World, false)).chain(of(others, true)).collect()
}
