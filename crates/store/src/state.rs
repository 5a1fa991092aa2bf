use std::time::Duration;

use cutshort_model::{Addresses, Window};
use cutshort_verdict::{Exclusion, Rules};
use sha2::{Digest, Sha256};

use crate::{Impaired, SegmentId};

/// Whether a segment was new to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It was stored.
    New,
    /// A segment with this ID is stored already, or was earlier: nothing changed.
    Known,
}

/// The inputs from which a window's results are computed. Results computed from other inputs are out of date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// A digest of the IDs of the segments that have packets of the window, in any order.
    pub segments: u64,
    /// The time up to which the window is counted: its end, or the time up to which all segments cover, if that is
    /// earlier (docs/spec.md#cutoff).
    pub cutoff: i64,
    /// A number for the rules and their settings, chosen by whoever computes the results.
    pub rules: u64,
}

impl Inputs {
    /// The inputs of a window: the segments that have packets of it, and the time up to which all segments cover.
    /// They are the same in every back end, so results can be copied between them.
    #[must_use]
    pub fn of(window: Window, ids: &mut [SegmentId], covered_to: i64) -> Self {
        Self::of_digest(window, digest(ids), covered_to)
    }

    /// The same as [`of`](Self::of), from its digest of the segments: the first 8 bytes (big endian) of the SHA-256
    /// of their IDs (16 bytes each, big endian) in ascending order.
    #[must_use]
    pub fn of_digest(window: Window, segments: u64, covered_to: i64) -> Self {
        // Where everything that is covered ends before a window, it does not matter how long before.
        let cutoff = covered_to.clamp(window.start().saturating_sub(1), window.end());
        Self { segments, cutoff, rules: 0 }
    }
}

fn digest(ids: &mut [SegmentId]) -> u64 {
    ids.sort_unstable();
    let hash = ids.iter().fold(Sha256::new(), |hash, id| hash.chain_update(id.0.to_be_bytes())).finalize();
    hash.iter().take(8).fold(0, |digest, byte| digest << 8 | u64::from(*byte))
}

/// A window that has packets or results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowState {
    /// The window itself.
    pub window: Window,
    /// The inputs from which results would be computed now; `rules` is 0.
    pub inputs: Inputs,
    /// The inputs from which the present results were computed; none if there are no results.
    pub done: Option<Inputs>,
    /// Whether it must not be computed again: packets that its results count were deleted or set aside, or its counts
    /// are already part of hours and days for good. A window without results is computed from what is left.
    pub frozen: bool,
    /// Total size of the segments that have packets of it, in bytes.
    pub bytes: u64,
}

impl WindowState {
    /// Whether results are missing or out of date, and can be computed. They are out of date if they were computed
    /// from other packets, with another cutoff, or by an earlier version of the rules. Other settings of the rules
    /// alone do not make them so; `recompute` is for that.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let same = |done: Inputs| done.segments == self.inputs.segments && done.cutoff == self.inputs.cutoff;
        let is_up_to_date = |done: Inputs| same(done) && !Rules::is_outdated(done.rules);
        !self.frozen && !self.done.is_some_and(is_up_to_date)
    }
}

/// The counts of a window that are not in cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowCounts {
    /// The number of packets (rows).
    pub packets: u64,
    /// Rows that equal another row of their 5-tuple in every field but time and TTL.
    pub duplicates: u64,
    /// Rows before the first SYN packet of a 5-tuple that has one: the tail of an earlier connection.
    pub tail: u64,
    /// The number of connections, as sampled (not weighted).
    pub connections: u64,
    /// Connections that are in no total, and 5-tuples without a SYN packet, as sampled, in the order of
    /// [`Exclusion::ALL`].
    pub excluded: [u64; Exclusion::ALL.len()],
}

/// How long data is kept, counted from the time of the packets or from their arrival, whichever is later. None means
/// for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Packets; whole segments are deleted.
    pub packets: Option<Duration>,
    /// Connections; whole windows are deleted.
    pub connections: Option<Duration>,
    /// Counts of windows (15 minutes).
    pub fifteen_minutes: Option<Duration>,
    /// Counts by hour.
    pub hours: Option<Duration>,
    /// Counts by day.
    pub days: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        let days = |days: u64| Some(Duration::from_secs(days * DAY));
        Self { packets: days(7), connections: days(90), fifteen_minutes: days(366), hours: None, days: None }
    }
}

/// A file that could not be used and was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Where the file is now.
    pub name: String,
    /// The reason why it cannot be used.
    pub why: String,
}

/// The contents of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The number of segments that are stored.
    pub segments: u64,
    /// The number of packets in these segments.
    pub packets: u64,
    /// The size of these segments in bytes.
    pub packet_bytes: u64,
    /// Packets that no longer count, but that have not been deleted yet, or whose deletion failed.
    pub undeleted_packets: u64,
    /// The time of the latest packet, in nanoseconds since the Unix epoch.
    pub latest_packet: Option<i64>,
    /// The time that segments cover, from the earliest to the latest, in nanoseconds since the Unix epoch.
    pub covered: Option<(i64, i64)>,
    /// Segments that cover time in the future because of a wrong clock; they do not extend
    /// [`covered`](Self::covered).
    pub future_segments: u64,
    /// The number of windows that have results.
    pub windows: u64,
    /// The first and the last window that has results.
    pub window_range: Option<(Window, Window)>,
    /// When results were last replaced, in nanoseconds since the Unix epoch.
    pub updated: Option<i64>,
    /// Sums over all windows that have results.
    pub counts: WindowCounts,
    /// The size of the stored connections in bytes.
    pub connection_bytes: u64,
    /// The size of the stored counts in bytes.
    pub rollup_bytes: u64,
    /// The nodes, each with the time of its latest packet in nanoseconds since the Unix epoch.
    pub nodes: Vec<(String, i64)>,
    /// Files that were set aside.
    pub damaged: Vec<Damaged>,
    /// The windows that are affected by damage, in order of time.
    pub impaired: Vec<Impaired>,
    /// Whether some of the packets are simulated.
    pub simulated: bool,
    /// How the addresses of any packets ever stored were protected; empty if all addresses were full.
    pub protected: Vec<Addresses>,
}
