//! Planted outliers among networks that differ anyway: most are found, and few others.

use std::collections::BTreeSet;

use cutshort_detect::outliers::{Outlier, PeerNetwork, stick_out};
use cutshort_simulate::series::Shares;

fn networks(shares: &Shares) -> Vec<PeerNetwork> {
    let network = |(number, network): (usize, &cutshort_simulate::series::NetworkShares)| PeerNetwork {
        number: number as u32,
        country: [b'A' + (network.country / 26) as u8, b'A' + (network.country % 26) as u8],
        all: network.all,
        squares: network.all,
        stages: network.stages,
        variance: [0.0; 4],
    };
    shares.networks.iter().enumerate().map(network).collect()
}

/// Found and planted, found and not planted, planted.
fn outcome(
    seeds: std::ops::Range<u64>,
    find: impl Fn(&[PeerNetwork]) -> Vec<(u32, usize)>,
) -> (usize, usize, usize) {
    let (mut right, mut wrong, mut planted) = (0, 0, 0);
    for seed in seeds {
        let shares = Shares::new(seed);
        let odd: BTreeSet<(u32, usize)> =
            shares.planted.iter().map(|&(network, stage)| (network as u32, stage)).collect();
        let found: BTreeSet<_> = find(&networks(&shares)).into_iter().collect();
        right += found.intersection(&odd).count();
        wrong += found.difference(&odd).count();
        planted += odd.len();
    }
    (right, wrong, planted)
}

fn found(outliers: Vec<Outlier>) -> Vec<(u32, usize)> {
    outliers.into_iter().map(|outlier| (outlier.network, outlier.stage)).collect()
}

#[test]
fn most_planted_outliers_are_found_and_few_others() {
    let (right, wrong, planted) = outcome(100..112, |networks| found(stick_out(networks)));
    assert!(right as f64 >= 0.7 * planted as f64, "{right} of {planted}");
    assert!(wrong as f64 <= 0.1 * (right + wrong) as f64, "{wrong} of {}", right + wrong);
}

/// What the test is for: the 20 networks with the largest shares are mostly not odd.
#[test]
fn a_list_by_rate_is_mostly_false() {
    let (right, wrong, _) = outcome(100..112, |networks| {
        let mut rates: Vec<(f64, u32, usize)> = networks
            .iter()
            .filter(|network| network.all >= 200.0)
            .flat_map(|network| {
                (0..4).map(|stage| (network.stages[stage] / network.all, network.number, stage))
            })
            .collect();
        rates.sort_by(|one, other| other.0.total_cmp(&one.0));
        rates.into_iter().take(20).map(|(_, network, stage)| (network, stage)).collect()
    });
    assert!(wrong as f64 > 0.3 * (right + wrong) as f64, "{wrong} of {}", right + wrong);
}
