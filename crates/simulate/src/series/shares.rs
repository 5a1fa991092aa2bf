//! Connections of networks over some days, a few of which differ from their peers: a benchmark for outliers.

use std::collections::BTreeSet;

use super::random::Random;

/// Connections of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetworkShares {
    /// The position of its country.
    pub country: usize,
    /// The number of all connections.
    pub all: f64,
    /// Connections that were cut short, by stage: Post-SYN, Post-ACK, Post-PSH, Later.
    pub stages: [f64; 4],
}

/// 700 networks in at most 40 countries, which differ by half a logit; networks of a country differ by 0.3, and 15 planted ones
/// by 1.5 to 3 in one stage. Deterministic in its seed.
#[derive(Clone, Debug)]
pub struct Shares {
    /// The shares of each network.
    pub networks: Vec<NetworkShares>,
    /// Networks (by position) and stages (0 to 3) that differ.
    pub planted: BTreeSet<(usize, usize)>,
}

const NETWORKS: usize = 700;
const COUNTRIES: usize = 40;
const PLANTED: usize = 15;

impl Shares {
    /// The networks of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, 50);
        let logit = |p: f64| libm::log(p / (1.0 - p));
        let countries: Vec<[f64; 4]> = (0..COUNTRIES)
            .map(|_| [0.08, 0.03, 0.035, 0.02].map(|share| logit(share) + 0.5 * random.normal()))
            .collect();
        // A Pareto distribution: most networks are in a few countries.
        let country =
            |random: &mut Random| ((3.0 / random.uniform(0.0, 1.0) - 3.0) as usize).min(COUNTRIES - 1);
        let plain: Vec<(usize, f64, [f64; 4])> = (0..NETWORKS)
            .map(|_| {
                let country = country(&mut random);
                let all = libm::exp(6.5 + 1.8 * random.normal()).floor() + 1.0;
                (country, all, countries[country].map(|logit| logit + 0.3 * random.normal()))
            })
            .collect();
        let large: Vec<usize> = (0..NETWORKS).filter(|&network| plain[network].1 > 300.0).collect();
        let mut planted = BTreeSet::new();
        let mut networks = BTreeSet::new();
        while planted.len() < PLANTED {
            let network = large[random.pick(large.len())];
            if networks.insert(network) {
                planted.insert((network, random.pick(4)));
            }
        }
        let networks = plain
            .into_iter()
            .enumerate()
            .map(|(network, (country, all, logits))| {
                let precision = random.uniform(200.0, 1000.0);
                let stages = std::array::from_fn(|stage| {
                    let odd =
                        if planted.contains(&(network, stage)) { random.uniform(1.5, 3.0) } else { 0.0 };
                    let share = 1.0 / (1.0 + libm::exp(-logits[stage] - odd));
                    let (a, b) = (random.gamma(share * precision), random.gamma((1.0 - share) * precision));
                    random.poisson(all * a / (a + b)).min(all)
                });
                NetworkShares { country, all, stages }
            })
            .collect();
        Self { networks, planted }
    }
}
