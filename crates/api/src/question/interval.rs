use super::MAX_POINTS;
use crate::problem::Problem;
use cutshort_model::Bucket;

const DAY: i64 = Bucket::Day.nanoseconds();
const ALL: [(&str, Bucket); 4] =
    [("15m", Bucket::FifteenMinutes), ("1h", Bucket::Hour), ("1d", Bucket::Day), ("1w", Bucket::Week)];

/// Parses the name of an interval.
///
/// # Errors
/// A text that lists the known names.
pub fn parse_bucket(text: &str) -> Result<Bucket, String> {
    let found = ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    found
        .map(|(_, bucket)| *bucket)
        .ok_or_else(|| format!("aggInterval: '{text}' is not one of {}", names(0)))
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
    let first = ALL.iter().position(|(_, bucket)| fine_enough(*bucket)).unwrap_or(ALL.len() - 1);
    Err(Problem::bad_input(format!(
        "aggInterval: too fine for the range, more than {MAX_POINTS} points; use one of {}",
        names(first)
    )))
}

fn names(first: usize) -> String {
    ALL[first..].iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
