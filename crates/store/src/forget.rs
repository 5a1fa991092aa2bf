//! Listing and removing segments.

use cutshort_model::Window;

use crate::SegmentInfo;

/// A segment that a store has, or had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSegment {
    /// Its description, without packets.
    pub info: SegmentInfo,
    /// When it was stored, in nanoseconds since the Unix epoch.
    pub arrived: i64,
    /// Whether its packets are still stored. If not, they were deleted or set aside.
    pub is_kept: bool,
}

/// The effect of removing segments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// The number of segments that were removed.
    pub segments: u64,
    /// The number of their packets that were still stored.
    pub packets: u64,
    /// Windows whose results were removed because no packets of them are left.
    pub removed: Vec<Window>,
    /// Windows that have packets of other segments: their results must be computed again.
    pub left: Vec<Window>,
    /// Windows that keep results to which the segments contributed, because their other packets are gone, or only
    /// counts by hour or day are left.
    pub frozen: Vec<Window>,
}

impl Forgotten {
    /// Adds the effect of removing segments of another data set.
    pub fn merge(&mut self, other: Self) {
        self.segments += other.segments;
        self.packets += other.packets;
        self.removed.extend(other.removed);
        self.left.extend(other.left);
        self.frozen.extend(other.frozen);
    }
}
