//! The cost of an answer, estimated before it is computed.

use std::ops::Range;

use cutshort_geo::Country;
use cutshort_model::{Bucket, Dimension, grouped};

use crate::answer::By;
use crate::problem::Problem;
use crate::question::Series;

/// The approximate number of networks that have counts of their own.
const NETWORKS: u64 = 5_000;
/// The approximate number of countries on a continent.
const PER_CONTINENT: u64 = 50;

/// Refuses requests that read more than `most` pieces of counts, from a store with results of so many `windows`.
///
/// # Errors
/// A [`Problem`] that says what would be cheaper.
pub(crate) fn check(
    series: &[Series],
    bucket: Option<Bucket>,
    by: By,
    limit: usize,
    windows: u64,
    most: u64,
) -> Result<(), Problem> {
    let each = series.iter().map(|series| of(series, bucket, by, limit, windows));
    let cost: u64 = each.fold(0, u64::saturating_add);
    if cost <= most {
        return Ok(());
    }
    Err(Problem::too_costly(format!(
        "the answer needs about {} counts, more than the limit of {}: ask for a shorter range, a coarser aggInterval, a lower limitPerGroup or fewer series",
        grouped(cost),
        grouped(most)
    )))
}

fn of(series: &Series, bucket: Option<Bucket>, by: By, limit: usize, windows: u64) -> u64 {
    // Times without results cost nothing: captures may lie years apart.
    let steps = steps(&series.range, bucket).min(windows);
    let values = match by {
        By::Dimension(Dimension::As) => NETWORKS,
        By::Dimension(Dimension::Location) => Country::COUNT as u64,
        _ => 50,
    };
    let given = if bucket.is_some() { steps.saturating_mul(values.min(limit as u64)) } else { values };
    steps.saturating_mul(places(series, by)).saturating_add(given)
}

/// The number of times for which counts are read: whole days, and finer ones at both ends.
fn steps(range: &Range<i64>, bucket: Option<Bucket>) -> u64 {
    const EDGES: u64 = 2 * (24 + 4);
    let coarsest = match bucket {
        Some(bucket @ (Bucket::FifteenMinutes | Bucket::Hour)) => bucket,
        _ => Bucket::Day,
    };
    let length = u64::try_from(range.end - range.start).unwrap_or(0);
    length / coarsest.nanoseconds().unsigned_abs() + EDGES
}

/// The number of places whose counts are read for each time.
fn places(series: &Series, by: By) -> u64 {
    let selection = &series.selection;
    let (asns, locations) = (&selection.asns, &selection.locations);
    let named = (asns.include.len() + asns.exclude.len() + locations.exclude.len()) as u64;
    match by {
        _ if !asns.include.is_empty() => named,
        By::Dimension(Dimension::As) => NETWORKS,
        _ if !locations.include.is_empty() => named + locations.include.len() as u64,
        By::Dimension(Dimension::Location) => Country::COUNT as u64,
        _ => 1 + named + selection.continents.include.len() as u64 * PER_CONTINENT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question::{self, Filters, Parameters};

    fn problem(windows: u64, range: (&str, &str)) -> Option<String> {
        let parameters = [("dateStart", range.0.to_owned()), ("dateEnd", range.1.to_owned())];
        let parameters: Parameters = parameters.into_iter().collect();
        let series = question::series(&parameters, "summary", Filters::Radar, i64::MAX).unwrap();
        let by = By::Dimension(Dimension::As);
        check(&series, None, by, 100, windows, 2_500_000).err().map(|problem| problem.message)
    }

    #[test]
    fn times_without_results_cost_nothing() {
        let years = ("2009-01-15T00:00:00Z", "2026-03-02T00:00:00Z");
        assert_eq!(problem(40, years), None);
        let refused = problem(600_000, years).unwrap();
        assert!(refused.contains("needs about 31,") && refused.contains("limit of 2,500,000"), "{refused}");
        assert_eq!(problem(600_000, ("2026-01-05T00:00:00Z", "2026-02-02T00:00:00Z")), None);
    }
}
