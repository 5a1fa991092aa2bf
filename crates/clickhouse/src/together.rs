//! Appends small segments that arrive at the same time together: recording that they arrive and are kept costs the
//! server the same for one as for many.
//!
//! Whoever finds nobody appending appends everything that waits. So a segment that comes alone waits for nothing, and the
//! more agents deliver at a time, the more segments share the statements.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use cutshort_store::{Added, Result, Segment, StoreError};

use crate::segments;
use crate::server::Server;

/// Larger segments are appended alone, so that no small one waits for them.
const SMALL: usize = 1 << 20;

/// The segments that wait to be appended.
#[derive(Default)]
pub(crate) struct Together {
    inner: Mutex<Inner>,
    /// Some segments were appended.
    appended: Condvar,
}

#[derive(Default)]
struct Inner {
    /// The number of the next segment.
    next: u64,
    waiting: Vec<(u64, Segment)>,
    results: HashMap<u64, Result<Added>>,
    /// Whether segments are being appended.
    busy: bool,
}

impl Together {
    pub(crate) fn append(&self, server: &Server, segment: &Segment) -> Result<Added> {
        if segment.bytes().len() > SMALL {
            return one(server, segment);
        }
        let mut inner = self.lock();
        let number = inner.next;
        inner.next += 1;
        inner.waiting.push((number, segment.clone()));
        loop {
            if let Some(result) = inner.results.remove(&number) {
                return result;
            }
            inner = if inner.busy {
                self.appended.wait(inner).unwrap_or_else(PoisonError::into_inner)
            } else {
                inner.busy = true;
                let count = inner.waiting.len().min(segments::TOGETHER);
                let some: Vec<(u64, Segment)> = inner.waiting.drain(..count).collect();
                drop(inner);
                Turn { together: self, some: &some }.append(server);
                self.lock()
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn one(server: &Server, segment: &Segment) -> Result<Added> {
    segments::append(server, std::slice::from_ref(segment))?.pop().unwrap_or(Ok(Added::Known))
}

/// Some segments while they are appended. When it is dropped, each of them has a result and the next ones can be appended.
struct Turn<'a> {
    together: &'a Together,
    some: &'a [(u64, Segment)],
}

impl Turn<'_> {
    fn append(&self, server: &Server) {
        let all: Vec<Segment> = self.some.iter().map(|(_, segment)| segment.clone()).collect();
        let results: Vec<Result<Added>> = match segments::append(server, &all) {
            Ok(results) => results,
            Err(error) if all.len() == 1 => vec![Err(error)],
            // One of them may be at fault, for which the others need not be delivered again.
            Err(_) => all.iter().map(|segment| one(server, segment)).collect(),
        };
        let numbers = self.some.iter().map(|(number, _)| *number);
        self.together.lock().results.extend(numbers.zip(results));
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut inner = self.together.lock();
        for (number, _) in self.some {
            inner
                .results
                .entry(*number)
                .or_insert_with(|| Err(StoreError::Failed("the segment was not appended".into())));
        }
        inner.busy = false;
        self.together.appended.notify_all();
    }
}
