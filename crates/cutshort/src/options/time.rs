//! Points in time on the command line.

use std::ops::Range;

use clap::Args;
use cutshort_api::question::recent_windows;
use cutshort_model::Window;
use cutshort_settings::values::moment;
use jiff::Timestamp;

use crate::error::Error;

/// The time that a question is about.
#[derive(Args)]
pub(crate) struct TimeRange {
    /// Start: 2026-01-05T10:00:00Z, 2026-01-05, -7d
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    from: Timestamp,
    /// End
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    to: Timestamp,
}

impl TimeRange {
    /// The windows in it, as the beginning of the first and the end of the last, in nanoseconds since the Unix epoch.
    pub(crate) fn windows(&self) -> Result<Range<i64>, Error> {
        Window::between(self.from, self.to).ok_or_else(no_time)
    }
}

/// The time that a question is about, which need not be given.
#[derive(Args)]
pub(crate) struct RecentRange {
    /// Start: 2026-01-05T10:00:00Z, 2026-01-05, -7d [default: 7 days before the end]
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    from: Option<Timestamp>,
    /// End [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    to: Option<Timestamp>,
}

impl RecentRange {
    /// Whether no time is given.
    pub(crate) const fn is_default(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// The windows in it that are over, if there are any.
    pub(crate) fn windows(&self, now: Timestamp) -> Result<Range<i64>, Error> {
        recent_windows(self.from, self.to, now).ok_or_else(no_time)
    }
}

/// What is said of a range without time.
pub(crate) fn no_time() -> Error {
    Error::Usage("--to must be later than --from".to_owned())
}
