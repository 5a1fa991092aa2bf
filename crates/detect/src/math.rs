//! Functions whose results are the same on every platform: `libm` instead of the system's, sums in a fixed order, medians by
//! total order.

/// The natural logarithm of x.
pub(crate) fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// e to the power of x, for x within ±40 (values beyond are limited to these).
pub(crate) fn exp(x: f64) -> f64 {
    libm::exp(x.clamp(-40.0, 40.0))
}

/// ln(p / (1 - p)).
pub(crate) fn logit(p: f64) -> f64 {
    ln(p / (1.0 - p))
}

/// The inverse of [`logit`].
pub(crate) fn expit(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

/// The logit of k of n, kept away from the infinities.
pub(crate) fn empirical_logit(k: f64, n: f64) -> f64 {
    logit((k + 0.5) / (n + 1.0))
}

/// The median of numbers, which are sorted; `None` without any.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(0.5 * (values[middle - 1] + values[middle])),
    }
}

/// The `q`-quantile of sorted numbers, interpolated linearly; `None` without any.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = q * last as f64;
    let below = (at as usize).min(last);
    let above = (below + 1).min(last);
    Some(sorted[below] + (at - below as f64) * (sorted[above] - sorted[below]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_quantiles_are_those_of_the_textbook() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(quantile(&[0.0, 1.0, 2.0, 3.0, 4.0], 0.9), Some(3.6));
        assert_eq!(quantile(&[7.0], 0.9), Some(7.0));
    }

    #[test]
    fn logit_and_expit_are_inverse() {
        for p in [0.002, 0.2, 0.5, 0.95] {
            assert!((expit(logit(p)) - p).abs() < 1e-14);
        }
    }
}
