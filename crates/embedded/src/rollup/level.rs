use cutshort_model::{Bucket, Window};

/// The time that a row covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Level {
    /// A window, which is 15 minutes.
    FifteenMinutes,
    /// Four windows, from the full hour, UTC.
    Hour,
    /// A day, UTC.
    Day,
    /// The counts of windows whose own rows were deleted, in an hour that got other windows later.
    HourRest,
    /// The counts of windows whose own rows were deleted, in a day that got other windows later.
    DayRest,
}

impl Level {
    /// The levels that queries read; rests are part of hours and days.
    pub(super) const ALL: [Self; 3] = [Self::FifteenMinutes, Self::Hour, Self::Day];

    /// The level of rows that cover a bucket.
    pub(super) const fn of(bucket: Bucket) -> Self {
        match bucket {
            Bucket::FifteenMinutes => Self::FifteenMinutes,
            Bucket::Hour => Self::Hour,
            Bucket::Day | Bucket::Week => Self::Day,
        }
    }

    /// The level whose rows are added up to a row of this level, if there is one.
    pub(super) const fn finer(self) -> Option<Self> {
        match self {
            Self::Hour => Some(Self::FifteenMinutes),
            Self::Day => Some(Self::Hour),
            Self::FifteenMinutes | Self::HourRest | Self::DayRest => None,
        }
    }

    /// The level whose rows are sums of rows of this level.
    pub(super) const fn coarser(self) -> Option<Self> {
        match self {
            Self::FifteenMinutes => Some(Self::Hour),
            Self::Hour => Some(Self::Day),
            Self::Day | Self::HourRest | Self::DayRest => None,
        }
    }

    /// The level of the rest of an hour or a day.
    pub(super) const fn rest(self) -> Option<Self> {
        match self {
            Self::Hour => Some(Self::HourRest),
            Self::Day => Some(Self::DayRest),
            Self::FifteenMinutes | Self::HourRest | Self::DayRest => None,
        }
    }

    /// The stored number.
    pub(super) const fn number(self) -> i64 {
        self as i64
    }

    /// The length in windows.
    pub(super) const fn windows(self) -> i64 {
        match self {
            Self::FifteenMinutes => 1,
            Self::Hour | Self::HourRest => 4,
            Self::Day | Self::DayRest => 96,
        }
    }

    /// The first window of the row that contains a window.
    pub(super) const fn start(self, window: i64) -> i64 {
        window.div_euclid(self.windows()) * self.windows()
    }

    /// The coarsest level that fits into a bucket.
    pub(super) fn within(bucket: Option<Bucket>) -> Self {
        bucket.map_or(Self::Day, Self::of)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::FifteenMinutes => "window",
            Self::Hour | Self::HourRest => "hour",
            Self::Day | Self::DayRest => "day",
        }
    }
}

/// The number of the first window that begins at a time or later.
pub(super) const fn window_from(ts: i64) -> i64 {
    let window = Window::containing(ts);
    window.number() + (window.start() != ts) as i64
}
