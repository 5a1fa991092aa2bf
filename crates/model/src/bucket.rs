/// The length of the intervals into which counts are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// 15 minutes, the length of a [`Window`](crate::Window).
    FifteenMinutes,
    /// 60 minutes from the full hour, UTC.
    Hour,
    /// 24 hours from midnight, UTC.
    Day,
    /// 7 days from Monday at midnight, UTC.
    Week,
}

impl Bucket {
    /// All lengths, the shortest first.
    pub const ALL: [Self; 4] = [Self::FifteenMinutes, Self::Hour, Self::Day, Self::Week];

    /// The name in parameters, such as `15m`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FifteenMinutes => "15m",
            Self::Hour => "1h",
            Self::Day => "1d",
            Self::Week => "1w",
        }
    }

    /// The length in nanoseconds.
    #[must_use]
    pub const fn nanoseconds(self) -> i64 {
        const HOUR: i64 = 3_600_000_000_000;
        match self {
            Self::FifteenMinutes => crate::Window::LENGTH,
            Self::Hour => HOUR,
            Self::Day => 24 * HOUR,
            Self::Week => 7 * 24 * HOUR,
        }
    }

    /// The start of the interval that contains a time; both are nanoseconds since the Unix epoch. (Weeks begin on
    /// Monday, but the epoch was a Thursday.)
    #[must_use]
    pub const fn start(self, ts: i64) -> i64 {
        let shift = match self {
            Self::Week => 3 * Self::Day.nanoseconds(),
            _ => 0,
        };
        (ts + shift).div_euclid(self.nanoseconds()) * self.nanoseconds() - shift
    }
}
