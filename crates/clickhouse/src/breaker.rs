//! Fails requests at once while the server does not answer.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often to try whether the server answers again.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// Whether the server answers, as far as is known.
#[derive(Default)]
pub(crate) struct Breaker {
    /// When it was last tried whether the silent server answers again; none if the server answers.
    silent: Mutex<Option<Instant>>,
}

/// Whether to send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The server answers: send it.
    Free,
    /// The server was silent: send a small request first.
    Probe,
    /// The server was silent a moment ago: fail at once.
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

    /// Records that the server did not answer a request sent at this time.
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
