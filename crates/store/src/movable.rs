//! What moving everything from one store to another takes, besides what all stores do.

use cutshort_model::{Bucket, ConnectionRecord, Window};

use crate::cell::Cells;
use crate::{Inputs, Result, Segment, SegmentId, SegmentInfo, Store, WindowCounts};

/// A store whose content can be taken elsewhere as it is, and that can take it.
pub trait Movable: Store {
    /// The segments that are kept.
    ///
    /// # Errors
    /// What reading gives.
    fn segments(&self) -> Result<Vec<SegmentId>>;

    /// A segment that is kept, with all that it had when it came.
    ///
    /// # Errors
    /// What reading gives, also that there is no such segment.
    fn read_segment(&self, id: SegmentId) -> Result<Segment>;

    /// What is known of segments that were deleted: their ids stay known, and what they covered is covered. What was
    /// kept of their addresses may be known of all together only.
    ///
    /// # Errors
    /// What reading gives.
    fn deleted_segments(&self) -> Result<Vec<SegmentInfo>>;

    /// Takes note of segments that were deleted elsewhere, except those that are known.
    ///
    /// # Errors
    /// What writing gives.
    fn note_deleted(&self, segments: &[SegmentInfo]) -> Result<()>;

    /// The results of a window as they are; none without. `each` is called with its connections, and ends it with an
    /// error.
    ///
    /// # Errors
    /// What reading and `each` give.
    fn read_results(
        &self,
        window: Window,
        each: &mut dyn FnMut(&ConnectionRecord<'_>) -> Result<()>,
    ) -> Result<Option<WindowResults>>;

    /// Begins to replace all results of a window by some that were read elsewhere. Nothing changes before
    /// [`finish`](Restoration::finish).
    ///
    /// # Errors
    /// What writing gives.
    fn restore(&self, window: Window) -> Result<Box<dyn Restoration + '_>>;

    /// Hours and days that count windows whose own counts are gone; hours first.
    ///
    /// # Errors
    /// What reading gives.
    fn rests(&self) -> Result<Vec<Rest>>;

    /// What an hour or a day has of such windows. Empty if it is none of the [rests](Self::rests).
    ///
    /// # Errors
    /// What reading gives.
    fn read_rest(&self, rest: Rest) -> Result<Cells>;

    /// Replaces what an hour or a day has of windows whose own counts are gone. Their results are to be there before,
    /// and hours before days.
    ///
    /// # Errors
    /// What writing gives.
    fn restore_rest(&self, rest: Rest, cells: &Cells) -> Result<()>;
}

/// An hour or a day of which finer counts are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rest {
    /// How long it is.
    pub bucket: Bucket,
    /// When it begins, in nanoseconds since the Unix epoch.
    pub start: i64,
}

/// The results of a window besides its connections.
#[derive(Clone, Debug)]
pub struct WindowResults {
    /// What they were made from.
    pub inputs: Inputs,
    /// What was counted besides cells.
    pub counts: WindowCounts,
    /// Whether it must not be done again because packets of it are gone.
    pub frozen: bool,
    /// Whether its connections are kept.
    pub has_connections: bool,
    /// Its cells; none if they were deleted, and hours or days count them.
    pub cells: Option<Cells>,
}

/// Results of a window that were read elsewhere, on their way in. Dropped without [`finish`](Self::finish), nothing
/// has changed.
pub trait Restoration {
    /// Takes one connection.
    ///
    /// # Errors
    /// What writing gives.
    fn write(&mut self, connection: &ConnectionRecord<'_>) -> Result<()>;

    /// Replaces everything of the window.
    ///
    /// # Errors
    /// What writing gives; then nothing has changed.
    fn finish(self: Box<Self>, results: &WindowResults) -> Result<()>;
}
