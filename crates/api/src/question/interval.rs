use super::MAX_POINTS;
use crate::problem::Problem;
use cutshort_model::Bucket;

const DAY: i64 = Bucket::Day.nanoseconds();

/// Parses the name of an interval.
///
/// # Errors
/// A text that lists the known names.
pub fn parse_bucket(text: &str) -> Result<Bucket, String> {
    let found = Bucket::ALL.into_iter().find(|bucket| bucket.name().eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("aggInterval: '{text}' is not one of {}", names(0)))
}

/// The default interval for a range of this length: 15 minutes up to a day, an hour up to a month, otherwise a day.
#[must_use]
pub fn default_bucket(length: i64) -> Bucket {
    match length {
        length if length <= DAY => Bucket::FifteenMinutes,
        length if length <= 31 * DAY => Bucket::Hour,
        length if length / DAY <= MAX_POINTS => Bucket::Day,
        _ => Bucket::Week,
    }
}

pub(super) fn checked(bucket: Bucket, length: i64) -> Result<Bucket, Problem> {
    let fine_enough = |bucket: Bucket| length / bucket.nanoseconds() <= MAX_POINTS;
    if fine_enough(bucket) {
        return Ok(bucket);
    }
    let first = Bucket::ALL.into_iter().position(fine_enough).unwrap_or(Bucket::ALL.len() - 1);
    Err(Problem::bad_input(format!(
        "aggInterval: too fine for the range, more than {MAX_POINTS} points; use one of {}",
        names(first)
    )))
}

fn names(first: usize) -> String {
    Bucket::ALL[first..].iter().map(|bucket| bucket.name()).collect::<Vec<_>>().join(", ")
}
