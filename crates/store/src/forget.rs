//! What removing segments takes, and what comes of it.

use cutshort_model::Window;

use crate::SegmentInfo;

/// A segment that a store knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSegment {
    /// What is known of it.
    pub info: SegmentInfo,
    /// When it came in, in nanoseconds since the Unix epoch.
    pub arrived: i64,
    /// Whether its packets are kept. If not, they were deleted or set aside.
    pub is_kept: bool,
}

/// What came of forgetting segments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Segments that were removed.
    pub segments: u64,
    /// Their packets that were still kept.
    pub packets: u64,
    /// Windows whose results were removed, as no packets of them are left.
    pub removed: Vec<Window>,
    /// Windows that have packets from other segments: their results must be computed again.
    pub left: Vec<Window>,
    /// Windows that keep results to which the segments have contributed: other packets of them are gone, or only
    /// counts of hours or days are left.
    pub frozen: Vec<Window>,
}
