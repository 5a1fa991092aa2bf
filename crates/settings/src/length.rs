//! Lengths of time.

use std::time::Duration;

/// Reads a length of time with its unit: `30s`, `15m`, `36h`, `7d`, `4w`.
#[must_use]
pub fn length(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    let seconds = number.checked_mul(seconds).filter(|seconds| i64::try_from(*seconds).is_ok())?;
    Some(Duration::from_secs(seconds))
}
