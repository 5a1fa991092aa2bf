//! How far an answer can be trusted: Radar's confidence level.

use cutshort_verdict::WeightedCount;

use super::groups::Groups;

/// With fewer connections a share may be more than 5 percentage points off (95 % interval).
pub const LEAST_SAMPLE: u64 = 400;
/// With fewer connections in the median interval, a share there may be more than 10 points off.
pub const LEAST_POINT: u64 = 100;
/// A series has gaps if more than this fraction of its intervals has no connections, or if nothing was collected for more
/// than this fraction of its windows.
pub const MOST_GAPS: f64 = 0.1;
/// When connections stand for so different numbers that they are worth less than this share of them.
pub const LEAST_EFFECT: f64 = 0.25;

/// The level of a series: 1 too little data and erratic, 2 too little data, 3 erratic, 5 no known issue.
/// `points` is the number of intervals, with and without connections, and `without` the fraction of all windows for which
/// nothing was collected.
#[must_use]
pub(super) fn level(groups: &Groups, points: usize, without: f64) -> u8 {
    match (is_little(groups, points), is_erratic(groups, points, without)) {
        (true, true) => 1,
        (true, false) => 2,
        (false, true) => 3,
        (false, false) => 5,
    }
}

fn is_little(groups: &Groups, points: usize) -> bool {
    let mut sampled: Vec<u64> = groups.totals.iter().map(|count| count.sampled).collect();
    sampled.sort_unstable();
    let middle = sampled.get(sampled.len() / 2).copied().unwrap_or(0);
    groups.total().sampled < LEAST_SAMPLE || points > 1 && middle < LEAST_POINT
}

fn is_erratic(groups: &Groups, points: usize, without: f64) -> bool {
    let gaps = points.saturating_sub(groups.times.len());
    without > MOST_GAPS || gaps as f64 > points as f64 * MOST_GAPS || effect(&groups.total()) < LEAST_EFFECT
}

/// Kish's effective sample size as a share of the sample.
fn effect(total: &WeightedCount) -> f64 {
    if total.squares == 0 {
        return 1.0;
    }
    (total.weight as f64).powi(2) / total.squares as f64 / total.sampled as f64
}
