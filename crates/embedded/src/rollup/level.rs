use cutshort_model::{Bucket, Window};

/// How much time a row covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Level {
    /// A window.
    FifteenMinutes,
    /// An hour.
    Hour,
    /// A day, UTC.
    Day,
    /// What an hour has of windows whose own rows were deleted, where others came later.
    HourRest,
    /// The same of a day.
    DayRest,
}

impl Level {
    /// Those that are read; the rests are part of hours and days.
    pub(super) const ALL: [Self; 3] = [Self::FifteenMinutes, Self::Hour, Self::Day];

    /// The level of what is deleted with a bucket's length.
    pub(super) const fn of(bucket: Bucket) -> Self {
        match bucket {
            Bucket::FifteenMinutes => Self::FifteenMinutes,
            Bucket::Hour => Self::Hour,
            Bucket::Day | Bucket::Week => Self::Day,
        }
    }

    /// The rows that a row of this level is made of, if it is made of others.
    pub(super) const fn finer(self) -> Option<Self> {
        match self {
            Self::Hour => Some(Self::FifteenMinutes),
            Self::Day => Some(Self::Hour),
            Self::FifteenMinutes | Self::HourRest | Self::DayRest => None,
        }
    }

    /// The rows that are made of rows of this level.
    pub(super) const fn coarser(self) -> Option<Self> {
        match self {
            Self::FifteenMinutes => Some(Self::Hour),
            Self::Hour => Some(Self::Day),
            Self::Day | Self::HourRest | Self::DayRest => None,
        }
    }

    /// Where the rest of an hour or a day is.
    pub(super) const fn rest(self) -> Option<Self> {
        match self {
            Self::Hour => Some(Self::HourRest),
            Self::Day => Some(Self::DayRest),
            Self::FifteenMinutes | Self::HourRest | Self::DayRest => None,
        }
    }

    /// Its number at rest.
    pub(super) const fn number(self) -> i64 {
        self as i64
    }

    /// How many windows.
    pub(super) const fn windows(self) -> i64 {
        match self {
            Self::FifteenMinutes => 1,
            Self::Hour | Self::HourRest => 4,
            Self::Day | Self::DayRest => 96,
        }
    }

    /// Where the row begins that has a window.
    pub(super) const fn start(self, window: i64) -> i64 {
        window.div_euclid(self.windows()) * self.windows()
    }

    /// The coarsest that fits within a bucket.
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
