//! Copying everything from one store to another.

use cutshort_model::{Bucket, ConnectionRecord, Window};
use cutshort_verdict::DataSet;

use crate::cell::Cells;
use crate::{Inputs, Result, Segment, SegmentId, SegmentInfo, Store, WindowCounts};

/// A store whose content can be read and written unchanged, in addition to what every [`Store`] does.
pub trait Movable: Store {
    /// The same as [`find`](Store::find) of a store that can be moved.
    fn find_movable(&self, data_set: DataSet) -> Result<Option<&dyn Movable>>;

    /// The same as [`of`](Store::of) of a store that can be moved.
    ///
    /// # Errors
    /// [`StoreError::Refused`](crate::StoreError::Refused) if this store was opened for reading only.
    fn movable_of(&self, data_set: DataSet) -> Result<&dyn Movable>;

    /// The IDs of the segments that are stored.
    fn segments(&self) -> Result<Vec<SegmentId>>;

    /// Reads a segment with everything that it had when it arrived.
    ///
    /// # Errors
    /// [`StoreError::Refused`](crate::StoreError::Refused) if there is no such segment.
    fn read_segment(&self, id: SegmentId) -> Result<Segment>;

    /// Descriptions of segments that were deleted. Their IDs are still known, and what they covered is still covered.
    /// How their addresses were kept may be known only for all of them together.
    fn deleted_segments(&self) -> Result<Vec<SegmentInfo>>;

    /// Records segments that were deleted elsewhere, except those that are known.
    fn note_deleted(&self, segments: &[SegmentInfo]) -> Result<()>;

    /// Reads the results of a window unchanged; none if it has none. Calls `each` with its connections, and stops at
    /// its first error.
    ///
    /// The error of the store, or of `each`.
    fn read_results(
        &self,
        window: Window,
        each: &mut dyn FnMut(&ConnectionRecord<'_>) -> Result<()>,
    ) -> Result<Option<WindowResults>>;

    /// Begins to replace all results of a window by results that were read elsewhere. Nothing changes before
    /// [`finish`](Restoration::finish).
    fn restore(&self, window: Window) -> Result<Box<dyn Restoration + '_>>;

    /// The hours and days that count windows whose own counts are gone; hours first.
    fn rests(&self) -> Result<Vec<Rest>>;

    /// Reads what an hour or a day counts of such windows. Empty if it is not one of the [rests](Self::rests).
    fn read_rest(&self, rest: Rest) -> Result<Cells>;

    /// Replaces what an hour or a day counts of windows whose own counts are gone. Their results must be restored
    /// first, and hours before days.
    fn restore_rest(&self, rest: Rest, cells: &Cells) -> Result<()>;
}

/// An hour or a day whose finer counts are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rest {
    /// Its length, an hour or a day.
    pub bucket: Bucket,
    /// Its start, in nanoseconds since the Unix epoch.
    pub start: i64,
}

/// The results of a window except its connections.
#[derive(Clone, Debug)]
pub struct WindowResults {
    /// The inputs from which they were computed.
    pub inputs: Inputs,
    /// The counts that are not in cells.
    pub counts: WindowCounts,
    /// Whether it must not be computed again, because packets of it are gone.
    pub frozen: bool,
    /// Whether its connections are stored.
    pub has_connections: bool,
    /// Its cells; none if they were deleted and only hours or days count them.
    pub cells: Option<Cells>,
}

/// Results of a window that are being restored. If this is dropped without [`finish`](Self::finish), nothing changes.
pub trait Restoration {
    /// Adds one connection.
    fn write(&mut self, connection: &ConnectionRecord<'_>) -> Result<()>;

    /// Replaces all results of the window. If it fails, nothing has changed.
    fn finish(self: Box<Self>, results: &WindowResults) -> Result<()>;
}
