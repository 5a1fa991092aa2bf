//! Distributions, from random numbers that stay the same for ever. Logarithms are libm's: the same on every platform.

use crate::rng::Rng;

/// A stream of random numbers with distributions.
#[derive(Clone, Debug)]
pub(super) struct Random(Rng);

impl Random {
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        Self(Rng::new(seed, stream))
    }

    /// In (0, 1).
    fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// A uniform number in `from..to`.
    pub(super) fn uniform(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.unit()
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A uniform whole number in `from..to`.
    pub(super) fn integer(&mut self, from: i64, to: i64) -> i64 {
        from + self.0.below(u64::try_from(to - from).unwrap_or(0)) as i64
    }

    pub(super) fn pick(&mut self, n: usize) -> usize {
        self.0.below(n as u64) as usize
    }

    /// Standard normal (Marsaglia's polar method).
    pub(super) fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (self.uniform(-1.0, 1.0), self.uniform(-1.0, 1.0));
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }

    /// Student's t with four degrees of freedom, scaled to variance 1: as noise of real networks, with more outliers than a
    /// normal distribution has.
    pub(super) fn heavy(&mut self) -> f64 {
        let chi_square = 2.0 * self.gamma(2.0);
        self.normal() / (chi_square / 4.0).sqrt() / std::f64::consts::SQRT_2
    }

    /// Gamma with scale 1 (Marsaglia and Tsang 2000).
    pub(super) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = libm::exp(libm::log(self.unit()) / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && libm::log(self.unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// Poisson: by multiplication below 12, by rejection above (Hörmann 1993, PTRS).
    pub(super) fn poisson(&mut self, mean: f64) -> f64 {
        if mean <= 0.0 {
            return 0.0;
        }
        if mean < 12.0 {
            let (limit, mut product, mut k) = (libm::exp(-mean), self.unit(), 0.0);
            while product > limit {
                product *= self.unit();
                k += 1.0;
            }
            return k;
        }
        let b = 0.931 + 2.53 * mean.sqrt();
        let a = -0.059 + 0.02483 * b;
        let inverse = 1.1239 + 1.1328 / (b - 3.4);
        let v_r = 0.9277 - 3.6224 / (b - 2.0);
        let log_mean = libm::log(mean);
        loop {
            let (u, v) = (self.unit() - 0.5, self.unit());
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
            if us >= 0.07 && v <= v_r {
                return k;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            if libm::log(v * inverse / (a / (us * us) + b)) <= k * log_mean - mean - libm::lgamma(k + 1.0) {
                return k;
            }
        }
    }
}

/// Noise that is forgotten over some windows (an AR(1) process), with variance 1.
#[derive(Clone, Debug)]
pub(super) struct Slow {
    now: f64,
    keep: f64,
}

impl Slow {
    pub(super) fn new(random: &mut Random, windows: f64) -> Self {
        Self { now: random.normal(), keep: libm::exp(-1.0 / windows) }
    }

    pub(super) fn next(&mut self, random: &mut Random) -> f64 {
        self.now = self.keep * self.now + (1.0 - self.keep * self.keep).sqrt() * random.heavy();
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(mut draw: impl FnMut() -> f64) -> (f64, f64) {
        let values: Vec<f64> = (0..40_000).map(|_| draw()).collect();
        let mean = values.iter().sum::<f64>() / 40_000.0;
        (mean, values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / 40_000.0)
    }

    #[test]
    fn distributions_have_their_moments() {
        let mut random = Random::new(1, 1);
        for mean in [0.3, 5.0, 11.9, 12.1, 80.0, 3000.0] {
            let (m, v) = moments(|| random.poisson(mean));
            assert!((m / mean - 1.0).abs() < 0.03 && (v / mean - 1.0).abs() < 0.06, "{mean}: {m} {v}");
        }
        for shape in [0.4, 1.0, 30.0] {
            let (m, v) = moments(|| random.gamma(shape));
            assert!((m / shape - 1.0).abs() < 0.03 && (v / shape - 1.0).abs() < 0.08, "{shape}: {m} {v}");
        }
        let (m, v) = moments(|| random.normal());
        assert!(m.abs() < 0.02 && (v - 1.0).abs() < 0.04, "{m} {v}");
        let (m, v) = moments(|| random.heavy());
        assert!(m.abs() < 0.03 && (v - 1.0).abs() < 0.25, "{m} {v}");
    }
}
