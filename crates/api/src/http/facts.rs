//! Caches the facts that answers need; one request at a time reads them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::answer::Facts;
use crate::problem::Problem;

/// Facts are read again after this time, or after a multiple of the time that reading them takes.
const FRESH: Duration = Duration::from_secs(1);
const FRESH_FACTOR: u32 = 50;
/// While facts are being read, the previous ones may be used for this long.
const GOOD: Duration = Duration::from_secs(30);
/// How long a request waits for another one that reads facts.
const WAIT: Duration = Duration::from_secs(2);

/// The facts that were read last.
#[derive(Default)]
pub(super) struct FactsKeeper {
    inner: Mutex<Inner>,
    read: Condvar,
}

#[derive(Default)]
struct Inner {
    taken: Option<Taken>,
    /// The number of changes: facts read before a change do not include it.
    changes: u64,
    /// Whether a request is reading facts.
    reading: bool,
}

/// Facts with the time when they were read.
struct Taken {
    facts: Arc<Facts>,
    /// A number that grows whenever the facts have changed.
    generation: u64,
    at: Instant,
    took: Duration,
    /// The number of changes when reading began.
    changes: u64,
}

impl Inner {
    fn taken(&self, holds: impl Fn(&Taken) -> bool) -> Option<(Arc<Facts>, u64)> {
        let taken = self.taken.as_ref().filter(|taken| holds(taken))?;
        Some((Arc::clone(&taken.facts), taken.generation))
    }

    fn fresh(&self) -> Option<(Arc<Facts>, u64)> {
        let age = |taken: &Taken| taken.at.elapsed();
        self.taken(|taken| taken.changes == self.changes && age(taken) < FRESH.max(taken.took * FRESH_FACTOR))
    }

    /// The facts that may be used while a request reads new ones.
    fn good(&self, since_changes: bool) -> Option<(Arc<Facts>, u64)> {
        let knows = |taken: &Taken| !since_changes || taken.changes == self.changes;
        self.taken(|taken| knows(taken) && taken.at.elapsed() < GOOD)
    }
}

impl FactsKeeper {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The facts, and a number that grows when they change. No request waits long for another one.
    pub(super) fn get(
        &self,
        read: impl FnOnce() -> Result<Facts, Problem>,
    ) -> Result<(Arc<Facts>, u64), Problem> {
        let mut inner = self.lock();
        let end = Instant::now() + WAIT;
        loop {
            if let Some(fresh) = inner.fresh() {
                return Ok(fresh);
            }
            if !inner.reading {
                break;
            }
            let left = end.saturating_duration_since(Instant::now());
            if let Some(good) = inner.good(!left.is_zero()) {
                return Ok(good);
            }
            if left.is_zero() {
                return Err(Problem::unavailable("the store does not say what it has; try again"));
            }
            inner = self.read.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        inner.reading = true;
        let changes = inner.changes;
        drop(inner);
        let reading = Reading { keeper: self };
        let begin = Instant::now();
        let facts = read()?;
        let answer = self.take(facts, changes, begin);
        drop(reading);
        Ok(answer)
    }

    /// The facts that were read last, however old.
    pub(super) fn known(&self) -> Option<Arc<Facts>> {
        self.lock().taken(|_| true).map(|(facts, _)| facts)
    }

    fn take(&self, facts: Facts, changes: u64, begin: Instant) -> (Arc<Facts>, u64) {
        let mut inner = self.lock();
        let (facts, generation) = match &inner.taken {
            Some(old) if *old.facts == facts => (Arc::clone(&old.facts), old.generation),
            old => (Arc::new(facts), old.as_ref().map_or(0, |old| old.generation + 1)),
        };
        let answer = (Arc::clone(&facts), generation);
        let (at, took) = (Instant::now(), begin.elapsed());
        inner.taken = Some(Taken { facts, generation, at, took, changes });
        answer
    }

    /// Makes the next request read the facts again, because something has changed.
    pub(super) fn forget(&self) {
        self.lock().changes += 1;
    }
}

/// Lets other requests read when it is dropped, even if reading failed.
struct Reading<'a> {
    keeper: &'a FactsKeeper,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.keeper.lock().reading = false;
        self.keeper.read.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use cutshort_model::Window;

    use super::*;

    fn facts(pending: i64) -> Result<Facts, Problem> {
        Ok(Facts { pending: vec![Window::from_number(pending)], ..Facts::default() })
    }

    #[test]
    fn one_reads_and_others_take_the_old_ones() {
        let keeper = FactsKeeper::default();
        assert_eq!(keeper.get(|| facts(1)).unwrap().1, 0);
        assert_eq!(keeper.get(|| panic!("fresh")).unwrap().1, 0);
        keeper.lock().taken.as_mut().unwrap().at -= FRESH * 2;
        let within = keeper.get(|| {
            // Somebody who asks meanwhile neither waits nor reads.
            assert_eq!(keeper.get(|| panic!("somebody reads")).unwrap().0.pending, [Window::from_number(1)]);
            facts(2)
        });
        let (facts, generation) = within.unwrap();
        assert_eq!((facts.pending.as_slice(), generation), ([Window::from_number(2)].as_slice(), 1));
    }

    #[test]
    fn what_was_changed_is_waited_for_but_not_for_ever() {
        let keeper = FactsKeeper::default();
        keeper.get(|| facts(1)).unwrap();
        keeper.forget();
        assert_eq!(keeper.get(|| facts(2)).unwrap().0.pending, [Window::from_number(2)]);
        // Changed again while somebody reads: that one does not have it.
        keeper.forget();
        let read = keeper.get(|| {
            keeper.forget();
            facts(3)
        });
        assert_eq!(read.unwrap().0.pending, [Window::from_number(3)]);
        assert_eq!(keeper.get(|| facts(4)).unwrap().0.pending, [Window::from_number(4)]);
        // Whoever waits for one who hangs gets the old ones after a while, or an error if there are none.
        keeper.forget();
        keeper.lock().reading = true;
        assert_eq!(keeper.get(|| panic!("somebody reads")).unwrap().0.pending, [Window::from_number(4)]);
        keeper.lock().taken = None;
        assert_eq!(keeper.get(|| panic!("somebody reads")).unwrap_err().status, 503);
    }

    #[test]
    fn who_fails_lets_others_read() {
        let keeper = FactsKeeper::default();
        assert!(keeper.get(|| Err(Problem::unavailable("away"))).is_err());
        assert!(keeper.get(|| facts(1)).is_ok());
    }
}
