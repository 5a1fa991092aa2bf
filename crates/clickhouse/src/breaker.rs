//! Who asks a server that does not answer is told so at once.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is tried whether the server answers again.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// Whether a server answers, as far as is known.
#[derive(Default)]
pub(crate) struct Breaker {
    /// When it was tried last whether a silent server answers again; none of one that answers.
    silent: Mutex<Option<Instant>>,
}

/// Whether to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It answers.
    Free,
    /// It was silent: one tries whether it answers again.
    Probe,
    /// It was silent a moment ago.
    Closed,
}

impl Breaker {
    pub(crate) fn way(&self, now: Instant) -> Way {
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *silent {
            None => Way::Free,
            Some(tried) if now.saturating_duration_since(*tried) < PROBE_EVERY => Way::Closed,
            Some(tried) => {
                *tried = now;
                Way::Probe
            }
        }
    }

    /// Nothing came in time from a server that had been asked at a time.
    pub(crate) fn silent(&self, now: Instant) {
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        *silent = Some(silent.map_or(now, |tried| tried.max(now)));
    }

    pub(crate) fn answered(&self) {
        *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_server_is_tried_once_a_second() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        let after = |milliseconds| breaker.way(now + Duration::from_millis(milliseconds));
        assert_eq!(after(0), Way::Free);
        breaker.silent(now);
        assert_eq!([after(10), after(999)], [Way::Closed; 2]);
        assert_eq!([after(1000), after(1001), after(2000)], [Way::Probe, Way::Closed, Way::Probe]);
        breaker.answered();
        assert_eq!(after(2001), Way::Free);
    }
}
