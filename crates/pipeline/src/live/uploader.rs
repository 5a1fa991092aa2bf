//! Delivers the segments of a spool to a collector.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use cutshort_model::nanoseconds;

use super::Spool;
use super::spool::Spooled;

/// The destination of segments.
pub trait Collector: Send {
    /// Delivers a segment's file, once. It may have been delivered before.
    fn deliver(&mut self, id: &str, segment: Vec<u8>) -> Delivered;
}

/// The result of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The collector has durably stored it.
    Kept,
    /// The collector will never accept it, with the reason.
    Refused(String),
    /// The attempt failed, with the reason. It is soon repeated, then less and less often.
    Later(String),
    /// An operator must correct something, such as a wrong token, with the reason. Attempts are rare until then.
    Blocked(String),
}

/// The time between attempts. Each wait is random, between half of this and all of it.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// After the first failure; doubled after each further one.
    pub first: Duration,
    /// The longest wait, also used if an operator must correct something.
    pub most: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), most: Duration::from_mins(1) }
    }
}

impl Retry {
    /// The time to wait after this many failures in a row. `random` is from 0 to below 1.
    fn wait(&self, failures: u32, blocked: bool, random: f64) -> Duration {
        let doubled =
            self.first.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
        let most = if blocked { self.most } else { doubled.min(self.most) };
        most.mul_f64(0.5 + random / 2.0)
    }
}

/// The state of an [`Uploader`]. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploaderState {
    /// When a segment was last acknowledged.
    pub acknowledged: Option<i64>,
    /// The number of failed attempts since the start.
    pub failures: u64,
    /// The problem since the last success, if there is one.
    pub trouble: Option<String>,
    /// Whether an operator must correct something.
    pub blocked: bool,
}

/// A thread that delivers the contents of a spool, the oldest segment first, until it is finished.
pub struct Uploader {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

struct Shared {
    spool: Arc<Spool>,
    state: Mutex<UploaderState>,
    stop: AtomicBool,
}

/// How long to wait for a segment before looking again.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause between attempts while finishing.
const LAST_PAUSE: Duration = Duration::from_millis(200);

impl Uploader {
    /// Starts the thread.
    #[must_use]
    pub fn start(spool: Arc<Spool>, collector: Box<dyn Collector>, retry: Retry) -> Self {
        let shared = Arc::new(Shared { spool, state: Mutex::default(), stop: AtomicBool::new(false) });
        let mut worker = Worker { shared: Arc::clone(&shared), collector, retry, failures: 0 };
        Self { shared, thread: std::thread::spawn(move || worker.run()) }
    }

    /// The present state.
    #[must_use]
    pub fn state(&self) -> UploaderState {
        self.shared.lock().clone()
    }

    /// Tries for up to `patience` to deliver what is left, then ends without waiting for an attempt in progress.
    /// Returns whether everything was delivered.
    #[must_use]
    pub fn finish(self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        self.shared.stop.store(true, Ordering::Release);
        self.shared.spool.wake();
        while !self.thread.is_finished() && Instant::now() < until {
            std::thread::sleep(LAST_PAUSE / 10);
        }
        self.shared.spool.state().segments == 0
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, UploaderState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

struct Worker {
    shared: Arc<Shared>,
    collector: Box<dyn Collector>,
    retry: Retry,
    /// The number of failures in a row.
    failures: u32,
}

impl Worker {
    fn run(&mut self) {
        let spool = Arc::clone(&self.shared.spool);
        loop {
            let patience = if self.shared.stops() { Duration::ZERO } else { PATIENCE };
            match spool.take(patience) {
                Some(spooled) => self.attempt(&spool, spooled),
                None if self.shared.stops() => return,
                None => {}
            }
        }
    }

    fn attempt(&mut self, spool: &Spool, spooled: Spooled) {
        let Spooled { name, bytes } = spooled;
        match self.collector.deliver(&name.id.to_string(), bytes) {
            Delivered::Kept => {
                spool.settle(&name, Ok(()));
                self.note_success();
                self.shared.lock().acknowledged = Some(nanoseconds(SystemTime::now()));
            }
            Delivered::Refused(why) => {
                tracing::error!(segment = %name, "the collector refuses a segment, which is set aside: {why}");
                spool.settle(&name, Err(&why));
                self.note_success();
            }
            Delivered::Later(why) => self.wait(spool, why, false),
            Delivered::Blocked(why) => self.wait(spool, why, true),
        }
    }

    fn note_success(&mut self) {
        if std::mem::take(&mut self.failures) > 0 {
            tracing::info!("delivers again");
        }
        let mut state = self.shared.lock();
        (state.trouble, state.blocked) = (None, false);
    }

    fn wait(&mut self, spool: &Spool, why: String, blocked: bool) {
        spool.give_back();
        self.failures = self.failures.saturating_add(1);
        {
            let mut state = self.shared.lock();
            state.failures += 1;
            // Said once, not with every attempt.
            if state.trouble.as_ref() != Some(&why) {
                tracing::warn!("segments wait in the spool: {why}");
            }
            (state.trouble, state.blocked) = (Some(why), blocked);
        }
        if !self.shared.stops() {
            spool.pause(self.retry.wait(self.failures, blocked, random()));
        }
        if self.shared.stops() {
            std::thread::sleep(LAST_PAUSE);
        }
    }
}

/// A random number from 0 to below 1. Without random numbers all agents try at the same times, which does no harm.
fn random() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / 4_294_967_296.0)
}

#[cfg(test)]
mod tests;
