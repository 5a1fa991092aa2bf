//! Observations counted in buckets.

/// Observations counted by size.
#[derive(Clone, Debug)]
pub struct Histogram {
    bounds: &'static [f64],
    /// The number of observations in each bucket, and last those above all bounds.
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// Creates an empty histogram. `bounds` are the inclusive upper bounds of the buckets, ascending.
    #[must_use]
    pub fn new(bounds: &'static [f64]) -> Self {
        debug_assert!(bounds.is_sorted());
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    /// Counts an observation.
    pub fn observe(&mut self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket] += 1;
        self.sum += value;
    }

    /// The sum of all observations.
    pub(crate) const fn sum(&self) -> f64 {
        self.sum
    }

    /// The upper bounds, the last one infinite, each with the number of observations up to it.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.zip(self.counts.iter().scan(0, |total, count| {
            *total += count;
            Some(*total)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_include_their_bounds_and_all_below() {
        let mut histogram = Histogram::new(&[0.5, 1.0]);
        for value in [0.5, 0.6, 1.0, 7.0] {
            histogram.observe(value);
        }
        let buckets: Vec<(f64, u64)> = histogram.buckets().collect();
        assert_eq!(buckets, [(0.5, 1), (1.0, 3), (f64::INFINITY, 4)]);
        assert!((histogram.sum() - 9.1).abs() < 1e-9);
    }
}
