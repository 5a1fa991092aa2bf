//! What all places have in common in a window is ours: connections that we did not see, or a flood with forged sources.

use std::collections::BTreeMap;

use crate::math::{empirical_logit, exp, expit, ln, logit, median, quantile};
use crate::series::Measured;
use crate::watched::{Now, WatchedSeries};

/// Networks (or servers) that are needed to know what is common.
const LEAST_PLACES: usize = 10;
/// Countries that are needed to ask whether it is common to them, too.
const LEAST_COUNTRIES: usize = 3;
/// Effective connections that a network must have in a window to be asked.
const LEAST_CONNECTIONS: f64 = 20.0;
/// Effective connections that it must have at one node.
const LEAST_AT_NODE: f64 = 10.0;
/// The part of what was expected below which a node has lost something.
const LOST: f64 = 0.6;
/// The common drop, on the logarithmic scale, from which on it is ours.
const COMMON_DROP: f64 = -0.15;
/// The common rise of a share, in logits, from which on it is the world's alone.
const COMMON_RISE: f64 = 0.35;

/// A value of a network, with its country.
type Valued = (Option<[u8; 2]>, f64);

/// The smaller in magnitude of two medians: that of all networks, and that of the medians of countries, so that networks of
/// one large country do not speak for all. `None` with fewer than ten networks, and 0 if the two disagree in sign.
fn common(values: &[Valued]) -> Option<f64> {
    if values.len() < LEAST_PLACES {
        return None;
    }
    let mut by_country: BTreeMap<[u8; 2], Vec<f64>> = BTreeMap::new();
    let mut medians = Vec::new();
    for &(country, value) in values {
        match country {
            Some(country) => by_country.entry(country).or_default().push(value),
            None => medians.push(value),
        }
    }
    let all = median(&mut values.iter().map(|&(_, value)| value).collect::<Vec<_>>())?;
    medians.extend(by_country.values_mut().filter_map(|values| median(values)));
    if medians.len() < LEAST_COUNTRIES {
        return Some(all);
    }
    let countries = median(&mut medians)?;
    Some(if all.signum() == countries.signum() { all.abs().min(countries.abs()).copysign(all) } else { 0.0 })
}

/// What a node should have seen.
#[derive(Default)]
struct AtNode {
    expected: f64,
    seen: f64,
    ratios: Vec<Valued>,
}

/// Finds the part that each node lost, from 0 to 1: `coverage` says what is known, and a node that saw less than 60 % of
/// what was expected there, in total and in most networks, has lost the rest, too.
pub(crate) fn lost_by_node(places: &[WatchedSeries], now: &[Now], coverage: &[f64]) -> Vec<f64> {
    let mut nodes: Vec<AtNode> = coverage.iter().map(|_| AtNode::default()).collect();
    let mut known = 0;
    for (watched, now) in places.iter().zip(now).filter(|(watched, _)| watched.place.is_leaf()) {
        let Some(Measured::Traffic { usual, .. }) = now.readings[0] else { continue };
        known += 1;
        for (carried, part) in watched.parts() {
            let at = usize::from(carried.node);
            let expected = usual * part * coverage[at];
            let seen = carried.now / now.unit;
            nodes[at].expected += expected;
            nodes[at].seen += seen;
            if expected >= LEAST_AT_NODE {
                nodes[at].ratios.push((watched.country, ln((seen + 0.5) / (expected + 0.5))));
            }
        }
    }
    let lost = |(node, &covered): (&AtNode, &f64)| {
        let enough = known >= LEAST_PLACES && node.expected > LEAST_AT_NODE * LEAST_PLACES as f64;
        let total = (node.seen + 1.0) / (node.expected + 1.0);
        match common(&node.ratios) {
            Some(ratio) if enough && total < LOST && exp(ratio) < LOST => {
                1.0 - covered * total.min(exp(ratio))
            }
            _ => 1.0 - covered,
        }
    };
    nodes.iter().zip(coverage).map(lost).collect()
}

/// What is left of each place, given what each node lost.
pub(crate) fn keep(places: &[WatchedSeries], now: &mut [Now], lost: &[f64]) {
    for (watched, now) in places.iter().zip(now) {
        let gone: f64 = watched.parts().map(|(carried, part)| part * lost[usize::from(carried.node)]).sum();
        now.kept = if now.is_unknown { 0.0 } else { (1.0 - gone).clamp(0.0, 1.0) };
        lower(now, now.kept);
    }
}

/// The logarithm of the part that is left everywhere, if all places dropped at once; 0 otherwise.
pub(crate) fn drop_everywhere(places: &[WatchedSeries], now: &[Now]) -> f64 {
    let drops: Vec<Valued> = places
        .iter()
        .zip(now)
        .filter(|(watched, _)| watched.place.is_leaf())
        .filter_map(|(watched, now)| match now.readings[0] {
            Some(Measured::Traffic { seen, usual, .. }) if usual >= LEAST_CONNECTIONS => {
                Some((watched.country, ln((seen + 0.5) / (usual + 0.5))))
            }
            _ => None,
        })
        .collect();
    common(&drops).filter(|&drop| drop < COMMON_DROP).unwrap_or(0.0)
}

/// Lowers what is expected of a place's traffic.
pub(crate) fn lower(now: &mut Now, factor: f64) {
    if let Some(Measured::Traffic { usual, least, .. }) = &mut now.readings[0] {
        *usual *= factor;
        *least *= factor;
    }
}

/// A rise of a share that most networks have at once.
pub(crate) struct Rise {
    shift: f64,
    floor: f64,
}

impl Rise {
    /// Finds the rise of a channel, if there is one.
    pub(crate) fn find(places: &[WatchedSeries], now: &[Now], channel: usize) -> Option<Self> {
        let mut shifts: Vec<Valued> = Vec::new();
        let mut shares = Vec::new();
        for (watched, now) in places.iter().zip(now).filter(|(watched, _)| watched.place.is_leaf()) {
            let Some(Measured::Share { seen, of, usual, .. }) = now.readings[channel] else { continue };
            if of >= LEAST_CONNECTIONS {
                shifts.push((watched.country, empirical_logit(seen, of) - logit(usual)));
                shares.push((seen + 0.5) / (of + 1.0));
            }
        }
        let shift = common(&shifts).filter(|&shift| shift > COMMON_RISE)?;
        shares.sort_unstable_by(f64::total_cmp);
        Some(Self { shift, floor: quantile(&shares, 0.9)? })
    }

    /// Raises what is expected of a place.
    pub(crate) fn raise(&self, now: &mut Now, channel: usize) {
        if let Some(Measured::Share { most, .. }) = &mut now.readings[channel] {
            *most = expit(logit(*most) + self.shift).max(self.floor).clamp(0.002, 0.95);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_large_country_does_not_speak_for_all() {
        let mut values: Vec<Valued> = (0..30).map(|_| (Some(*b"AA"), -3.0)).collect();
        values.extend([(Some(*b"BB"), 0.01), (Some(*b"CC"), -0.02), (Some(*b"DD"), -0.03)]);
        assert_eq!(common(&values), Some(-0.025));
        for value in &mut values {
            value.1 -= 1.0;
        }
        assert!(common(&values).unwrap() < -0.9);
    }

    #[test]
    fn few_networks_have_nothing_in_common() {
        assert_eq!(common(&[(None, -1.0); 9]), None);
        assert_eq!(common(&[(None, -1.0); 10]), Some(-1.0));
    }
}
