//! Days of the calendar.

/// The day, in UTC, of a time in seconds since 1970: `2026-05-01`.
pub(crate) fn day_of_epoch(seconds: u64) -> String {
    // Counted in years that begin in March, so that the leap day comes last, from the year 0.
    let days = seconds / 86_400 + 719_468;
    let era_day = days % 146_097;
    let era_year = (era_day - era_day / 1_460 + era_day / 36_524 - era_day / 146_096) / 365;
    let year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
    let march_month = (5 * year_day + 2) / 153;
    let day = year_day - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = days / 146_097 * 400 + era_year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::day_of_epoch;

    #[test]
    fn known_days() {
        assert_eq!(day_of_epoch(0), "1970-01-01");
        assert_eq!(day_of_epoch(951_782_400), "2000-02-29");
        assert_eq!(day_of_epoch(951_868_800), "2000-03-01");
        assert_eq!(day_of_epoch(1_780_272_000 - 1), "2026-05-31");
        assert_eq!(day_of_epoch(1_780_272_000), "2026-06-01");
        assert_eq!(day_of_epoch(4_102_444_799), "2099-12-31");
    }
}
