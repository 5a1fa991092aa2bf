//! What the log says of requests that failed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::problem::Problem;

/// While the store is away, every question fails for the same reason: one line in this time says so.
const EVERY: Duration = Duration::from_secs(10);

/// When it was said last that something is unavailable, and how often it was not said since.
#[derive(Default)]
pub(super) struct Warnings {
    last: Mutex<(Option<Instant>, u64)>,
}

impl Warnings {
    pub(super) fn warn(&self, endpoint: &str, problem: &Problem, now: Instant) {
        let status = problem.status;
        if status != 503 {
            tracing::warn!(endpoint, status, "{problem}");
        } else if let Some(unsaid) = self.is_due(now) {
            tracing::warn!(endpoint, status, unsaid, "{problem}");
        }
    }

    /// How often nothing was said since the last time, if it is time again.
    fn is_due(&self, now: Instant) -> Option<u64> {
        let (last, unsaid) = &mut *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now.saturating_duration_since(last) < EVERY) {
            *unsaid += 1;
            return None;
        }
        *last = Some(now);
        Some(std::mem::take(unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_failures_are_one_line_that_counts_them() {
        let (warnings, now) = (Warnings::default(), Instant::now());
        assert_eq!(warnings.is_due(now), Some(0));
        assert_eq!((0..98).filter_map(|_| warnings.is_due(now)).count(), 0);
        assert_eq!(warnings.is_due(now + EVERY), Some(98));
        assert_eq!(warnings.is_due(now + EVERY * 2), Some(0));
    }
}
