//! Shares in percent that add up.

use std::fmt;

/// Units in the whole: percent with six decimals.
const WHOLE: u64 = 100_000_000;

/// A share in millionths of a percent, written as `79.912345`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u64);

impl Share {
    /// A share from 0 to 1, rounded.
    #[must_use]
    pub fn of(share: f64) -> Self {
        Self((share.clamp(0.0, 1.0) * WHOLE as f64).round() as u64)
    }

    /// A part of a whole, rounded; of nothing it is nothing.
    #[must_use]
    pub const fn part(part: u64, whole: u64) -> Self {
        if whole == 0 {
            return Self(0);
        }
        let scaled = part as u128 * WHOLE as u128 + whole as u128 / 2;
        Self((scaled / whole as u128) as u64)
    }
}

impl Share {
    /// From 0 to 1.
    #[must_use]
    pub fn ratio(self) -> f64 {
        self.0 as f64 / WHOLE as f64
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, mut decimals) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if decimals == 0 {
            return write!(f, "{percent}");
        }
        let mut digits = 6;
        while decimals.is_multiple_of(10) {
            decimals /= 10;
            digits -= 1;
        }
        write!(f, "{percent}.{decimals:0digits$}")
    }
}

impl serde::Serialize for Share {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The shares of parts in their sum, which add up to exactly 100: all are rounded down, and what is missing
/// goes to those that lost most (the largest remainder). Of nothing there are only zeros.
#[must_use]
pub fn shares(parts: &[u64]) -> Vec<Share> {
    let whole: u128 = parts.iter().map(|part| u128::from(*part)).sum();
    if whole == 0 {
        return vec![Share(0); parts.len()];
    }
    let scaled = |part: &u64| u128::from(*part) * u128::from(WHOLE);
    let mut shares: Vec<Share> = parts.iter().map(|part| Share((scaled(part) / whole) as u64)).collect();
    let missing = WHOLE - shares.iter().map(|share| share.0).sum::<u64>();
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|at| (std::cmp::Reverse(scaled(&parts[*at]) % whole), *at));
    for at in by_remainder.into_iter().take(missing as usize) {
        shares[at].0 += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(parts: &[u64]) -> Vec<String> {
        shares(parts).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn shares_are_written_without_zeros_behind() {
        assert_eq!(texts(&[1, 1]), ["50", "50"]);
        assert_eq!(texts(&[1, 1, 1]), ["33.333334", "33.333333", "33.333333"]);
        assert_eq!(texts(&[1, 999_999]), ["0.0001", "99.9999"]);
        assert_eq!(texts(&[0, 5]), ["0", "100"]);
        assert_eq!(texts(&[0, 0]), ["0", "0"]);
        assert_eq!(Share::of(0.079_123_456_7).to_string(), "7.912346");
    }

    proptest! {
        #[test]
        fn shares_add_up_to_a_hundred(parts in prop::collection::vec(any::<u64>(), 1..300)) {
            prop_assume!(parts.iter().any(|part| *part > 0));
            let shares = shares(&parts);
            prop_assert_eq!(shares.iter().map(|share| share.0).sum::<u64>(), WHOLE);
            for (part, share) in parts.iter().zip(&shares) {
                let whole: u128 = parts.iter().map(|part| u128::from(*part)).sum();
                let exact = *part as f64 / whole as f64 * WHOLE as f64;
                prop_assert!((share.0 as f64 - exact).abs() <= 1.0 + exact * 1e-12);
            }
        }
    }
}
