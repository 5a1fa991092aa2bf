//! Rankings of countries and networks by their share of connections that were cut short.

use cutshort_geo::Geo;
use cutshort_model::GroupCounts;

use crate::Summary;

/// The limits of the minimum sample: a share of a single connection means nothing.
const MIN_LEAST_SAMPLE: u64 = 5;
const MAX_LEAST_SAMPLE: u64 = 1000;

/// The number of connections that a group needs to be ranked, given the number of all. Among thousands of groups some
/// small ones have a high share by chance, so a large capture needs a larger minimum.
#[must_use]
pub fn least_sample(connections: u64) -> u64 {
    (connections / 1000).clamp(MIN_LEAST_SAMPLE, MAX_LEAST_SAMPLE)
}

/// A country or network in a ranking.
pub(crate) struct Ranked {
    /// The code, such as `PE` or `AS28403`; empty if unknown.
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) group: GroupCounts,
}

/// Countries by the lower bound of the confidence interval of their anomalous share, so that few connections do not
/// lead to a high rank.
pub(crate) fn locations(summary: &Summary) -> Vec<Ranked> {
    let ranked = summary.locations().map(|(country, group)| Ranked {
        code: country.map(|country| country.alpha2().to_owned()).unwrap_or_default(),
        name: country.map_or("unknown country", |country| country.name()).to_owned(),
        group: *group,
    });
    sorted(ranked.collect())
}

/// Networks, ranked in the same way as locations.
pub(crate) fn networks(summary: &Summary, geo: &Geo) -> Vec<Ranked> {
    let ranked = summary.networks(geo).map(|(asn, name, group)| Ranked {
        code: asn.map(|asn| format!("AS{asn}")).unwrap_or_default(),
        name: name.unwrap_or(if asn.is_some() { "" } else { "unknown network" }).to_owned(),
        group: *group,
    });
    sorted(ranked.collect())
}

fn sorted(mut ranked: Vec<Ranked>) -> Vec<Ranked> {
    let low = |ranked: &Ranked| {
        let GroupCounts { all, anomalous, .. } = &ranked.group;
        // No anomalous connection at all ranks below any.
        if anomalous.sampled == 0 { -1.0 } else { anomalous.interval_of(all).0 }
    };
    ranked.sort_by(|a, b| low(b).total_cmp(&low(a)).then_with(|| a.code.cmp(&b.code)));
    ranked
}
