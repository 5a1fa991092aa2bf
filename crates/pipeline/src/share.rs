//! Divides windows among several workers on one store.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::{Duration, Instant};

use cutshort_model::Window;
use cutshort_store::WindowState;

/// Which of several workers this is, and so which windows are its own: every nth. Workers need not communicate, and
/// two with the same number do no harm, because results are replaced as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The number of this worker, from 1.
    number: u32,
    of: NonZeroU32,
}

impl Default for Share {
    /// The only worker.
    fn default() -> Self {
        Self { number: 1, of: NonZeroU32::MIN }
    }
}

impl Share {
    /// Whether there are no other workers.
    #[must_use]
    pub const fn is_all(self) -> bool {
        self.of.get() == 1
    }

    /// Whether this worker does what only one of them may do.
    #[must_use]
    pub const fn is_first(self) -> bool {
        self.number == 1
    }

    /// Whether a window is one of this worker's.
    #[must_use]
    pub const fn owns(self, window: Window) -> bool {
        window.number().rem_euclid(self.of.get() as i64) == self.number as i64 - 1
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (number, of) = text.split_once('/')?;
            let (number, of) = (number.parse().ok()?, of.parse::<NonZeroU32>().ok()?);
            (1..=of.get()).contains(&number).then_some(Self { number, of })
        };
        parse().ok_or_else(|| {
            format!("'{text}' is no worker: write the number of this one and how many there are, such as 2/3")
        })
    }
}

/// How long windows of other workers have been due. One that waits for long has lost its worker.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    since: HashMap<Window, Instant>,
}

impl Waiting {
    /// Records the windows that are due, and returns those that have been for longer than `patience`, the latest
    /// first.
    pub(crate) fn for_longer(&mut self, due: &[WindowState], patience: Duration) -> Vec<WindowState> {
        let now = Instant::now();
        let before = std::mem::take(&mut self.since);
        let since = |state: &WindowState| before.get(&state.window).copied().unwrap_or(now);
        self.since = due.iter().map(|state| (state.window, since(state))).collect();
        let is_late = |state: &&WindowState| now.duration_since(since(state)) >= patience;
        due.iter().rev().filter(is_late).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use cutshort_store::Inputs;

    use super::*;

    fn share(text: &str) -> Share {
        text.parse().unwrap()
    }

    #[test]
    fn each_window_has_one_worker() {
        for at in -20..20 {
            let owners =
                ["1/3", "2/3", "3/3"].into_iter().filter(|text| share(text).owns(Window::from_number(at)));
            assert_eq!(owners.count(), 1);
            assert!(Share::default().owns(Window::from_number(at)));
        }
        assert_eq!(share("2/3").to_string(), "2/3");
        for wrong in ["", "3", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b"] {
            assert!(wrong.parse::<Share>().unwrap_err().contains("such as 2/3"), "{wrong}");
        }
    }

    #[test]
    fn windows_that_wait_are_given_latest_first_and_forgotten_once_done() {
        let window = |at: i64| WindowState {
            window: Window::from_number(at),
            inputs: Inputs::default(),
            done: None,
            frozen: false,
            bytes: 1,
        };
        let mut waiting = Waiting::default();
        let hour = Duration::from_secs(3600);
        assert!(waiting.for_longer(&[window(1), window(2)], hour).is_empty());
        std::thread::sleep(Duration::from_millis(20));
        let late = waiting.for_longer(&[window(1), window(2), window(3)], Duration::from_millis(10));
        assert_eq!(late, [window(2), window(1)]);
        waiting.for_longer(&[window(1)], hour);
        assert_eq!(waiting.for_longer(&[window(1), window(2)], Duration::from_millis(10)), [window(1)]);
    }
}
