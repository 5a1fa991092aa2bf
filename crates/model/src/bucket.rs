/// How finely time is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// 15 minutes.
    FifteenMinutes,
    /// An hour.
    Hour,
    /// A day, UTC.
    Day,
    /// A week from Monday, UTC.
    Week,
}

impl Bucket {
    /// Its length in nanoseconds.
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

    /// The beginning of the one that holds a time. Weeks begin on Monday, and the epoch on a Thursday.
    #[must_use]
    pub const fn start(self, ts: i64) -> i64 {
        let shift = match self {
            Self::Week => 3 * Self::Day.nanoseconds(),
            _ => 0,
        };
        (ts + shift).div_euclid(self.nanoseconds()) * self.nanoseconds() - shift
    }
}
