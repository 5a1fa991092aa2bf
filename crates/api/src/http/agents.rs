//! What servers that send packets say about themselves, as they said it last.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cutshort_pipeline::live::AgentCounts;
use cutshort_store::SegmentInfo;

/// What was heard of a server last. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) at: i64,
    /// The end of what it has delivered.
    pub(super) covered_to: i64,
    pub(super) counts: AgentCounts,
}

impl Heard {
    /// How many seconds ago the end of what it has delivered was.
    pub(super) fn lag(&self, now: i64) -> i64 {
        now.saturating_sub(self.covered_to).max(0) / 1_000_000_000
    }
}

/// Whoever may send packets can choose names: only so many are remembered.
const MOST: usize = 1000;

/// What was heard of each server since this one began.
#[derive(Default)]
pub(super) struct Agents(Mutex<BTreeMap<String, Heard>>);

impl Agents {
    /// Notes what came with a segment. After an outage old segments come late, but never before older ones.
    pub(super) fn note(&self, segment: &SegmentInfo, counts: AgentCounts, now: i64) {
        let mut heard = self.lock();
        if heard.len() >= MOST && !heard.contains_key(&segment.node) {
            let longest_ago = heard.iter().min_by_key(|(_, heard)| heard.at).map(|(node, _)| node.clone());
            longest_ago.and_then(|node| heard.remove(&node));
        }
        heard.insert(segment.node.clone(), Heard { at: now, covered_to: segment.covers.1, counts });
    }

    pub(super) fn all(&self) -> BTreeMap<String, Heard> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Heard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
