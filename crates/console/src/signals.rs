//! Signals: requests to end, and to read files again.

use std::{fmt, io, process};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals as Caught;

/// Signals cannot be handled.
#[derive(Debug)]
pub struct SignalsError(io::Error);

impl fmt::Display for SignalsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot handle signals: {}", self.0)
    }
}

impl std::error::Error for SignalsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To end: Ctrl-C, or a request to terminate.
    End,
    /// To read files again.
    Reload,
}

/// Signals that are caught. Those that come before somebody acts on them wait.
pub struct Signals {
    caught: Caught,
    hangup: Option<Asked>,
}

impl Signals {
    /// For a command that ends by itself. A terminal that is closed ends it, too, unless it was started so that it
    /// survives that (`nohup`). Call this before the sandbox is entered.
    ///
    /// # Errors
    /// The system refuses to catch signals.
    pub fn of_command() -> Result<Self, SignalsError> {
        let hangup = (!is_hangup_ignored()).then_some(Asked::End);
        Ok(Self { caught: caught(&[])?, hangup })
    }

    /// For a service, which SIGHUP tells to read its files again. From now on it ends nothing.
    ///
    /// # Errors
    /// The system refuses to catch signals.
    pub fn of_service() -> Result<Self, SignalsError> {
        Ok(Self { caught: caught(&[SIGHUP])?, hangup: Some(Asked::Reload) })
    }

    /// Has something done about each signal, in a thread of its own: not before privileges are given up.
    ///
    /// # Errors
    /// The system refuses to catch signals.
    pub fn each(mut self, mut act: impl FnMut(Asked) + Send + 'static) -> Result<(), SignalsError> {
        let hangup = self.hangup.map(|_| SIGHUP);
        for signal in [SIGINT, SIGTERM].into_iter().chain(hangup) {
            self.caught.add_signal(signal).map_err(SignalsError)?;
        }
        std::thread::spawn(move || {
            for signal in self.caught.forever() {
                act(self.hangup.filter(|_| signal == SIGHUP).unwrap_or(Asked::End));
            }
        });
        Ok(())
    }
}

fn caught(signals: &[i32]) -> Result<Caught, SignalsError> {
    Caught::new(signals).map_err(SignalsError)
}

/// Whether the process was started with SIGHUP ignored.
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    ignored.is_some_and(|bits| bits & 1 << (SIGHUP - 1) != 0)
}

/// Ends the program at once, with the code that shells give a program that was interrupted.
pub fn interrupt() -> ! {
    const INTERRUPTED: i32 = 130;
    process::exit(INTERRUPTED);
}
