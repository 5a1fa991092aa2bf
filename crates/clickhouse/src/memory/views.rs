//! Which results are valid, as of a moment ago.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cutshort_store::Result;

use crate::results::{self, Level, whole_days};
use crate::rollups::Results;
use crate::server::Server;

/// Results may be used for this long before the server is asked whether they changed.
const FRESH: Duration = Duration::from_secs(1);
/// Views that nobody used for this long are dropped.
const UNUSED: Duration = Duration::from_mins(10);
/// The number of ranges whose results are kept.
const MOST: usize = 8;

/// The results of ranges that were asked for.
#[derive(Default)]
pub(super) struct Views {
    kept: Mutex<Vec<View>>,
    /// Held by the question that asks the server; others wait for its answer.
    looking: Mutex<()>,
    /// The number of times that [`Views::look_again`] was called.
    changes: AtomicU64,
}

/// The results of a range of whole days.
struct View {
    range: Range<i64>,
    /// A digest of each day's results.
    prints: BTreeMap<i64, u64>,
    results: Arc<Results>,
    look: Look,
    used: Instant,
}

/// When the server was asked, and the changes that were known then.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    at: Instant,
    changes: [u64; 2],
}

impl View {
    const fn covers(&self, range: &Range<i64>) -> bool {
        self.range.start <= range.start && range.end <= self.range.end
    }

    const fn length(&self) -> i64 {
        self.range.end.saturating_sub(self.range.start)
    }
}

impl Views {
    pub(super) fn look_again(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn results(&self, server: &Server, range: &Range<i64>) -> Result<Arc<Results>> {
        let range = whole_days(range);
        if let Some(fresh) = self.fresh(server, &range) {
            return Ok(fresh);
        }
        let looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fresh) = self.fresh(server, &range) {
            return Ok(fresh);
        }
        let view = self.look(server, range)?;
        let results = Arc::clone(&view.results);
        self.keep(view);
        drop(looking);
        Ok(results)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<View>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self, server: &Server) -> Look {
        let changes = [self.changes.load(Ordering::Acquire), server.results_written()];
        Look { at: Instant::now(), changes }
    }

    fn fresh(&self, server: &Server, range: &Range<i64>) -> Option<Arc<Results>> {
        let now = self.now(server);
        let is_fresh =
            |look: &Look| look.changes == now.changes && now.at.saturating_duration_since(look.at) < FRESH;
        let mut kept = self.lock();
        let view = kept.iter_mut().find(|view| view.covers(range) && is_fresh(&view.look))?;
        view.used = now.at;
        Some(Arc::clone(&view.results))
    }

    /// Asks the server for the results of the smallest kept range that covers the one wanted, or of that itself. Only
    /// days that changed are read.
    fn look(&self, server: &Server, wanted: Range<i64>) -> Result<View> {
        let before = self
            .lock()
            .iter()
            .filter(|view| view.covers(&wanted))
            .min_by_key(|view| view.length())
            .map(|view| (view.range.clone(), view.prints.clone(), Arc::clone(&view.results)));
        let look = self.now(server);
        let Some((range, old, results)) = before else {
            let prints = results::prints(server, &wanted)?;
            let results = Arc::new(Results::read(server, &wanted)?);
            return Ok(View { range: wanted, prints, results, look, used: look.at });
        };
        let prints = results::prints(server, &range)?;
        let days: BTreeSet<i64> = prints.keys().chain(old.keys()).copied().collect();
        let changed = || days.iter().filter(|day| prints.get(day) != old.get(day));
        let results = match (changed().next(), changed().next_back()) {
            (Some(first), Some(last)) => {
                let span = *first..last.saturating_add(Level::Day.nanoseconds());
                Arc::new(results.with(span.clone(), results::within(server, &span)?))
            }
            _ => results,
        };
        Ok(View { range, prints, results, look, used: look.at })
    }

    fn keep(&self, view: View) {
        let mut kept = self.lock();
        let now = view.used;
        kept.retain(|other| !view.covers(&other.range) && now.saturating_duration_since(other.used) < UNUSED);
        kept.push(view);
        if kept.len() > MOST
            && let Some(oldest) = (0..kept.len()).min_by_key(|at| kept[*at].used)
        {
            kept.swap_remove(oldest);
        }
    }
}
