//! Networks that stick out of their peers: those whose connections are cut short more often than those of other networks of
//! their country, by more than networks of a country differ anyway.
//!
//! Comparing intervals of single networks with the average names hundreds of networks that are only as different as all of
//! them are. Here, what varies between networks is part of the test, and the number of tests is taken into account: about one
//! in twenty of those named is named by chance (Benjamini and Hochberg 1995). `docs/events.md` has the measured numbers.
//!
//! ```
//! use cutshort_detect::outliers::{PeerNetwork, stick_out};
//!
//! let mut networks: Vec<PeerNetwork> = (0..12)
//!     .map(|number| PeerNetwork {
//!         number,
//!         country: *b"IQ",
//!         all: 2000.0,
//!         squares: 2000.0,
//!         stages: [100.0, 40.0 + f64::from(number), 60.0, 30.0],
//!         variance: [0.01; 4],
//!     })
//!     .collect();
//! networks[3].stages[2] = 700.0;
//! let found = stick_out(&networks);
//! assert_eq!((found.len(), found[0].network, found[0].stage), (1, 3, 2));
//! ```

use crate::math::{empirical_logit, expit, median};

/// The part of those found that may be found by chance.
const FALSE_SHARE: f64 = 0.05;
/// Effective connections below which a network is not compared.
const LEAST_CONNECTIONS: f64 = 200.0;
/// Effective connections of the stage, points and odds by which it must exceed its peers.
const LEAST_CUT_SHORT: f64 = 10.0;
const LEAST_DIFFERENCE: f64 = 0.03;
const LEAST_ODDS: f64 = 2.0;
/// Networks of the same country that are needed for comparison; the world is, with fewer.
const LEAST_PEERS: usize = 5;
/// The least deviation between networks, in logits.
const LEAST_DEVIATION: f64 = 0.15;
/// The least overdispersion.
const LEAST_DISPERSION: f64 = 1.5;
/// The deviation of a normal distribution, in median absolute deviations.
const MAD: f64 = 1.4826;
/// The variance of a median, in variances of a mean.
const MEDIAN: f64 = 1.57;

/// The connections of a network over some days, weighted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeerNetwork {
    /// Its AS number.
    pub number: u32,
    /// Its country, as two letters.
    pub country: [u8; 2],
    /// The sum of the weights of all connections.
    pub all: f64,
    /// The sum of the squares of these weights.
    pub squares: f64,
    /// The sums of the weights of connections that were cut short, by stage: Post-SYN, Post-ACK, Post-PSH, Later.
    pub stages: [f64; 4],
    /// How much each share varies from window to window beyond sampling, as a variance of logits; 0 if unknown. A window's
    /// variance counts as often as there are windows that are no longer correlated.
    pub variance: [f64; 4],
}

impl PeerNetwork {
    /// The weight of an effective connection.
    fn unit(&self) -> f64 {
        if self.all > 0.0 { self.squares / self.all } else { 1.0 }
    }

    /// Effective connections of a stage, and the total that their share refers to: all for Post-SYN, completed handshakes
    /// for the others.
    fn share(&self, stage: usize) -> (f64, f64) {
        let of = if stage == 0 { self.all } else { self.all - self.stages[0] };
        (self.stages[stage] / self.unit(), of.max(0.0) / self.unit())
    }
}

/// With whom a network was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peers {
    /// The other networks of its country.
    Country,
    /// The networks of all countries: its own has too few.
    World,
}

/// A network that sticks out in a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlier {
    /// Its AS number.
    pub network: u32,
    /// The stage: 0 for Post-SYN, whose addresses may be forged and which is better listed apart, to 3 for Later.
    pub stage: usize,
    /// The share in the network, from 0 to 1.
    pub share: f64,
    /// What is usual among its peers: their median, from 0 to 1.
    pub usual: f64,
    /// Whose share this is.
    pub peers: Peers,
    /// How many these are.
    pub compared: usize,
    /// By how many deviations the two differ.
    pub z: f64,
    /// The probability of such a difference by chance, one-sided.
    pub p: f64,
    /// Connections above what is usual, weighted.
    pub excess: f64,
}

/// A share on the logit scale.
#[derive(Clone, Copy)]
struct Logit {
    position: usize,
    value: f64,
    sampling: f64,
    dispersion: f64,
    seen: f64,
    of: f64,
}

/// Median, and variance between networks: that of the values (robust) without what sampling makes.
fn spread(values: &[Logit]) -> Option<(f64, f64)> {
    let middle = median(&mut values.iter().map(|logit| logit.value).collect::<Vec<_>>())?;
    let mut deviations: Vec<f64> = values.iter().map(|logit| (logit.value - middle).abs()).collect();
    let deviation = MAD * median(&mut deviations)?;
    let sampling = median(&mut values.iter().map(|logit| logit.sampling).collect::<Vec<_>>())?;
    Some((middle, (deviation * deviation - sampling).max(LEAST_DEVIATION * LEAST_DEVIATION)))
}

/// Finds the networks that stick out, the largest excess first.
#[must_use]
pub fn stick_out(networks: &[PeerNetwork]) -> Vec<Outlier> {
    let mut tested = Vec::new();
    for stage in 0..4 {
        let logits: Vec<Logit> = networks
            .iter()
            .enumerate()
            .filter_map(|(position, network)| watched(position, network, stage))
            .collect();
        let Some((_, world)) = spread(&logits) else { continue };
        tested.extend(logits.iter().filter_map(|logit| compare(networks, &logits, logit, world, stage)));
    }
    let count = tested.len() as f64;
    tested.sort_by(|(one, _), (other, _)| one.p.total_cmp(&other.p));
    let limit = |rank: usize| FALSE_SHARE * (rank + 1) as f64 / count;
    let last = tested.iter().enumerate().rposition(|(rank, (outlier, _))| outlier.p <= limit(rank));
    tested.truncate(last.map_or(0, |last| last + 1));
    let mut found: Vec<Outlier> = tested
        .into_iter()
        .filter(|(outlier, seen)| is_large(outlier, *seen))
        .map(|(outlier, _)| outlier)
        .collect();
    found.sort_by(|one, other| {
        other.excess.total_cmp(&one.excess).then((one.network, one.stage).cmp(&(other.network, other.stage)))
    });
    found
}

fn watched(position: usize, network: &PeerNetwork, stage: usize) -> Option<Logit> {
    let (seen, of) = network.share(stage);
    if network.all / network.unit() < LEAST_CONNECTIONS || of < 1.0 {
        return None;
    }
    let share = (seen + 0.5) / (of + 1.0);
    let information = of * share * (1.0 - share);
    let dispersion = (1.0 + information * network.variance[stage]).max(LEAST_DISPERSION);
    let value = empirical_logit(seen, of);
    Some(Logit { position, value, sampling: dispersion / information.max(1e-9), dispersion, seen, of })
}

/// Compares a network with its peers, without itself.
fn compare(
    networks: &[PeerNetwork],
    all: &[Logit],
    logit: &Logit,
    world: f64,
    stage: usize,
) -> Option<(Outlier, f64)> {
    let network = &networks[logit.position];
    let others = |same_country: bool| -> Vec<Logit> {
        let is_peer = |other: &&Logit| {
            other.position != logit.position
                && (!same_country || networks[other.position].country == network.country)
        };
        all.iter().filter(is_peer).copied().collect()
    };
    let mut peers = (Peers::Country, others(true));
    if peers.1.len() < LEAST_PEERS {
        peers = (Peers::World, others(false));
    }
    let count = peers.1.len() as f64;
    let (middle, own) = spread(&peers.1)?;
    let between = match peers.0 {
        Peers::Country => (count * own + LEAST_PEERS as f64 * world) / (count + LEAST_PEERS as f64),
        Peers::World => world,
    };
    let usual = expit(middle);
    let sampling = logit.dispersion / (logit.of * usual * (1.0 - usual)).max(1e-9);
    let z = (logit.value - middle) / (sampling + between * (1.0 + MEDIAN / count)).sqrt();
    let outlier = Outlier {
        network: network.number,
        stage,
        share: logit.seen / logit.of,
        usual,
        peers: peers.0,
        compared: peers.1.len(),
        z,
        p: 0.5 * libm::erfc(z / std::f64::consts::SQRT_2),
        excess: (logit.seen - logit.of * usual) * network.unit(),
    };
    Some((outlier, logit.seen))
}

/// Whether a difference matters.
fn is_large(outlier: &Outlier, seen: f64) -> bool {
    let odds = |p: f64| p / (1.0 - p);
    seen >= LEAST_CUT_SHORT
        && outlier.share - outlier.usual >= LEAST_DIFFERENCE
        && odds(outlier.share) >= LEAST_ODDS * odds(outlier.usual)
}

/// A signature that explains an excess.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reason {
    /// Its position in the lists.
    pub signature: usize,
    /// Its part of the excess, from 0 to 1.
    pub part: f64,
    /// How many times as frequent it is as at the peers; infinite if they have none.
    pub lift: f64,
}

/// Names the signatures that make 60 % of an excess together, the largest first: `own` and `peers` are connections by
/// signature, and `of` and `of_peers` the connections that the stage's share is taken of.
///
/// ```
/// use cutshort_detect::outliers::reasons;
/// let reasons = reasons(&[5.0, 90.0, 5.0], 1000.0, &[50.0, 100.0, 40.0], 10_000.0);
/// assert_eq!((reasons.len(), reasons[0].signature), (1, 1));
/// assert_eq!(reasons[0].lift.round(), 9.0);
/// ```
#[must_use]
pub fn reasons(own: &[f64], of: f64, peers: &[f64], of_peers: f64) -> Vec<Reason> {
    let usual = |signature: usize| peers.get(signature).copied().unwrap_or(0.0) / of_peers.max(1.0);
    let mut excess: Vec<(usize, f64)> = own
        .iter()
        .enumerate()
        .map(|(signature, &seen)| (signature, seen - of * usual(signature)))
        .filter(|&(_, excess)| excess > 0.0)
        .collect();
    let total: f64 = excess.iter().map(|&(_, excess)| excess).sum();
    excess.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
    let mut told = 0.0;
    let mut reasons = Vec::new();
    for (signature, excess) in excess {
        if told >= 0.6 * total {
            break;
        }
        told += excess;
        let lift = own[signature] / of.max(1.0) / usual(signature);
        reasons.push(Reason { signature, part: excess / total, lift });
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::logit;

    fn shifted(share: f64, logits: f64) -> f64 {
        expit(logit(share) + logits)
    }

    fn network(number: u32, country: [u8; 2], n: f64, share: f64) -> PeerNetwork {
        let k = (n * share).round();
        PeerNetwork { number, country, all: n, squares: n, stages: [0.0, k, 0.0, 0.0], variance: [0.0; 4] }
    }

    #[test]
    fn without_networks_nothing_sticks_out() {
        assert!(stick_out(&[]).is_empty());
        assert!(stick_out(&[network(1, *b"IQ", 5000.0, 0.5)]).is_empty());
    }

    #[test]
    fn a_country_in_which_all_differ_has_no_outlier() {
        let networks: Vec<_> = (0..20)
            .map(|i| network(i, *b"IQ", 5000.0, shifted(0.05, 0.3 * (f64::from(i % 5) - 2.0))))
            .collect();
        assert!(stick_out(&networks).is_empty());
    }

    #[test]
    fn few_peers_are_compared_with_the_world() {
        let mut networks: Vec<_> = (0..30)
            .map(|i| network(i, [b'A' + (i / 3) as u8, b'A'], 3000.0, shifted(0.03, 0.02 * f64::from(i % 5))))
            .collect();
        networks[7] = network(7, networks[7].country, 3000.0, 0.3);
        let found = stick_out(&networks);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].network, found[0].stage, found[0].peers, found[0].compared),
            (7, 1, Peers::World, 29)
        );
        assert!(found[0].excess > 700.0 && found[0].p < 1e-6);
    }

    #[test]
    fn sampling_counts() {
        // The same shares from a hundredth of the connections: too few to say.
        let networks: Vec<_> = (0..30)
            .map(|i| {
                let mut network = network(i, *b"IQ", 10_000.0, if i == 3 { 0.12 } else { 0.04 });
                network.squares = 100.0 * network.all;
                network
            })
            .collect();
        assert!(stick_out(&networks).is_empty());
    }
}
