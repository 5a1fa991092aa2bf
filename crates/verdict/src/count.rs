//! Shares of weighted samples and their confidence intervals (docs/spec.md#rates).

/// A count of sampled connections and of the connections that they stand for.
///
/// ```
/// use cutshort_verdict::WeightedCount;
///
/// let (mut all, mut resets) = (WeightedCount::default(), WeightedCount::default());
/// for connection in 0..263 {
///     all.add(100); // 1 in 100 was sampled
///     if connection < 81 {
///         resets.add(100);
///     }
/// }
/// assert_eq!((resets.sampled, resets.weight), (81, 8_100));
/// assert_eq!(format!("{:.3}", resets.share_of(&all)), "0.308");
/// let (low, high) = resets.interval_of(&all);
/// assert_eq!(format!("{low:.3} to {high:.3}"), "0.255 to 0.366");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WeightedCount {
    /// Number of connections that were sampled.
    pub sampled: u64,
    /// Number of connections that they stand for: the sum of their weights.
    pub weight: u64,
    /// Sum of their squared weights, for the effective sample size.
    pub squares: u128,
}

impl WeightedCount {
    /// Adds one connection that stands for `sample_rate` of them.
    #[inline]
    pub const fn add(&mut self, sample_rate: u32) {
        self.sampled += 1;
        self.weight += sample_rate as u64;
        self.squares += (sample_rate as u64 * sample_rate as u64) as u128;
    }

    /// Adds all connections of another count.
    pub const fn merge(&mut self, other: &Self) {
        self.sampled += other.sampled;
        self.weight += other.weight;
        self.squares += other.squares;
    }

    /// Returns this count as a share of `whole`, from 0 to 1; 0 if `whole` is empty.
    #[must_use]
    pub fn share_of(&self, whole: &Self) -> f64 {
        if whole.weight == 0 { 0.0 } else { self.weight as f64 / whole.weight as f64 }
    }

    /// Returns the bounds of the 95 % Wilson score interval of [`share_of`](Self::share_of), from 0 to 1
    /// (docs/spec.md#wilson).
    ///
    /// The sample size is Kish's effective one, n = (Σw)²/Σw². The interval is 0 to 1 if `whole` is empty.
    #[must_use]
    pub fn interval_of(&self, whole: &Self) -> (f64, f64) {
        if whole.squares == 0 {
            return (0.0, 1.0);
        }
        let n = (whole.weight as f64).powi(2) / whole.squares as f64;
        wilson(self.share_of(whole), n)
    }
}

/// Returns the Wilson score interval (Wilson 1927) with z of 95 %.
fn wilson(share: f64, n: f64) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    let z2 = Z * Z;
    let centre = share + z2 / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    (((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(sampled: u64, rate: u32) -> WeightedCount {
        let mut count = WeightedCount::default();
        (0..sampled).for_each(|_| count.add(rate));
        count
    }

    #[test]
    fn the_interval_is_wilsons() {
        // Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662.
        let (low, high) = count(81, 1).interval_of(&count(263, 1));
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
    }

    #[test]
    fn equal_weights_change_nothing() {
        assert_eq!(count(3, 1).interval_of(&count(9, 1)), count(3, 500).interval_of(&count(9, 500)));
    }

    #[test]
    fn unequal_weights_widen_the_interval() {
        let mut whole = count(100, 1);
        whole.merge(&count(1, 900));
        let (low, high) = count(50, 1).interval_of(&whole);
        assert!(high - low > 0.5, "one connection carries nine tenths of the weight");
    }

    #[test]
    fn nothing_has_no_share() {
        assert_eq!(WeightedCount::default().share_of(&WeightedCount::default()), 0.0);
        assert_eq!(WeightedCount::default().interval_of(&WeightedCount::default()), (0.0, 1.0));
    }
}
