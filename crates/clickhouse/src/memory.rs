//! Keeps counts in memory, so that a question that was asked before costs the server nothing.
//!
//! * The counts of a generation never change. Those that are asked for a second time are read in the background and
//!   kept, packed, until more recent ones need the room; until then the server adds them up.
//! * Which generations are valid is asked again after a second, after results were written here, and after the store's
//!   status was read: an answer is never older than the status that was read before it.

mod parts;
mod views;

use std::ops::Range;
use std::sync::Arc;

use cutshort_store::Result;

use crate::results::ResultRow;
use crate::rollups::Results;
use crate::server::Server;

pub(crate) use parts::{KeptCounts, Parts};
use views::Views;

/// What is known of the counts of a data set.
pub(crate) struct Memory {
    views: Views,
    parts: Arc<Parts>,
}

impl Memory {
    /// A memory of one data set; `parts` may be shared with others.
    pub(crate) fn new(parts: Arc<Parts>) -> Self {
        Self { views: Views::default(), parts }
    }

    /// The same room for counts, for another data set.
    pub(crate) fn parts(&self) -> Arc<Parts> {
        Arc::clone(&self.parts)
    }

    /// The valid results of whole days around a range.
    pub(crate) fn results(&self, server: &Server, range: &Range<i64>) -> Result<Arc<Results>> {
        self.views.results(server, range)
    }

    /// Makes the next question ask which results are valid.
    pub(crate) fn look_again(&self) {
        self.views.look_again();
    }

    /// Divides results into those whose counts are kept and those that the server must be asked for.
    pub(crate) fn take<'a>(&self, server: &Arc<Server>, wanted: &[&'a ResultRow]) -> KeptCounts<'a> {
        self.parts.take(server, wanted)
    }
}
