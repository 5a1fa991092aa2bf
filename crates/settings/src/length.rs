//! Lengths of time.

use std::time::Duration;

use jiff::SignedDuration;

/// Reads a length of time with its unit: `30s`, `15m`, `36h`, `7d`, `4w`, or several of them, such as `1d 12h`. Parts of a
/// second may be written as in `500ms` or `1.5s`.
#[must_use]
pub fn length(text: &str) -> Option<Duration> {
    let spelled = || text.parse().ok().filter(|length: &SignedDuration| !length.is_negative());
    Duration::try_from(whole_units(text).or_else(spelled)?).ok()
}

/// The sum of numbers with their units.
fn whole_units(text: &str) -> Option<SignedDuration> {
    let mut sum = None;
    for part in text.trim().split_inclusive(|letter: char| letter.is_ascii_alphabetic()) {
        let (number, unit) = part.trim_start().split_at_checked(part.trim_start().len().checked_sub(1)?)?;
        let is_whole = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: i64 = number.parse().ok().filter(|_| is_whole)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return None,
        };
        let length = SignedDuration::from_secs(number.checked_mul(seconds)?);
        sum = Some(sum.unwrap_or(SignedDuration::ZERO).checked_add(length)?);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_units_up_to_weeks() {
        let seconds = |text: &str| length(text).map(|length| length.as_secs());
        let hours = |hours: u64| Some(hours * 3600);
        assert_eq!([seconds("90s"), seconds("3d"), seconds("2w")], [Some(90), hours(72), hours(336)]);
        assert_eq!(
            [seconds("1d12h"), seconds("1d 12h"), seconds("1h30m")],
            [hours(36), hours(36), Some(5400)]
        );
        assert_eq!(length("500ms"), Some(Duration::from_millis(500)));
        for text in ["", "3", "d", "-1h", "1y", "3 d 4", "1.5d", "d3"] {
            assert_eq!(length(text), None, "{text}");
        }
    }
}
