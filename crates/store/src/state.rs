use std::time::Duration;

use cutshort_model::{Addresses, Window};
use cutshort_verdict::{Exclusion, Rules};
use sha2::{Digest, Sha256};

use crate::{Impaired, SegmentId};

/// What became of a segment that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is kept, for good.
    New,
    /// One with its id is kept already, or was: nothing changed.
    Known,
}

/// What a window's results are made from. Results made from other inputs are out of date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// A digest of the ids of the segments with packets of the window, in any order.
    pub segments: u64,
    /// Until when the window counts: its end, or the end of what is covered by all segments if that is
    /// earlier (docs/spec.md#cutoff).
    pub cutoff: i64,
    /// A number for the rules and their settings, given by the one who makes the results.
    pub rules: u64,
}

impl Inputs {
    /// What a window's results would be made from: the segments with packets of it, and the end of what all
    /// segments cover. The same in every back end, so that results can be moved.
    #[must_use]
    pub fn of(window: Window, ids: &mut [SegmentId], covered_to: i64) -> Self {
        Self::of_digest(window, digest(ids), covered_to)
    }

    /// The same of the digest that [`of`](Self::of) makes of the segments: the first 8 bytes, most significant first, of
    /// the SHA-256 of their ids (16 bytes each, most significant first), in rising order.
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
    /// Which one.
    pub window: Window,
    /// What there is to make results from; `rules` is 0.
    pub inputs: Inputs,
    /// What the results were made from; none before the first.
    pub done: Option<Inputs>,
    /// Whether it must not be done again: it has results of packets that were deleted or set aside since, or its
    /// counts are part of hours and days for good. A window without results is done with what is left.
    pub frozen: bool,
    /// Bytes of the segments with its packets.
    pub bytes: u64,
}

impl WindowState {
    /// Whether its results are missing or out of date, and can be made: they are made from other packets, with
    /// another cutoff, or by an earlier version of the rules. Other settings of the rules alone do not make results
    /// out of date: that is for `recompute`.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let same = |done: Inputs| done.segments == self.inputs.segments && done.cutoff == self.inputs.cutoff;
        let is_up_to_date = |done: Inputs| same(done) && !Rules::is_outdated(done.rules);
        !self.frozen && !self.done.is_some_and(is_up_to_date)
    }
}

/// What was counted in a window besides its cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowCounts {
    /// Packet rows.
    pub packets: u64,
    /// Rows that equal another of their 5-tuple in every field but time and TTL.
    pub copies: u64,
    /// Rows before the first SYN packet of a 5-tuple that has one: the tail of an older connection.
    pub tail: u64,
    /// Connections, sampled.
    pub connections: u64,
    /// Connections that are in no total, and 5-tuples without a SYN packet, sampled, in the order of
    /// [`Exclusion::ALL`].
    pub excluded: [u64; Exclusion::ALL.len()],
}

/// For how long things are kept, from when they happened or came in, whichever is later. None is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Packets: whole segments.
    pub packets: Option<Duration>,
    /// Connections: whole windows.
    pub connections: Option<Duration>,
    /// Counts of 15 minutes.
    pub fifteen_minutes: Option<Duration>,
    /// Counts of hours.
    pub hours: Option<Duration>,
    /// Counts of days.
    pub days: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        let days = |days: u64| Some(Duration::from_secs(days * DAY));
        Self { packets: days(7), connections: days(90), fifteen_minutes: days(366), hours: None, days: None }
    }
}

/// Something that could not be used and was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Where it is now.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
}

/// What is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Segments that are kept.
    pub segments: u64,
    /// Their packets.
    pub packets: u64,
    /// Their bytes.
    pub packet_bytes: u64,
    /// Packets that do not count any more, but whose deletion has not been done yet or has failed.
    pub undeleted_packets: u64,
    /// Time of the latest packet.
    pub latest_packet: Option<i64>,
    /// The time that segments cover, from the first to the last.
    pub covered: Option<(i64, i64)>,
    /// Segments that cover time in the future, which a wrong clock has dated: it does not count as covered.
    pub future_segments: u64,
    /// Windows with results.
    pub windows: u64,
    /// The first and the last of them.
    pub window_range: Option<(Window, Window)>,
    /// When results were replaced last, in nanoseconds since the Unix epoch.
    pub updated: Option<i64>,
    /// Sums over all windows with results.
    pub counts: WindowCounts,
    /// Bytes of the connections.
    pub connection_bytes: u64,
    /// Bytes of the counts.
    pub rollup_bytes: u64,
    /// Servers with the time of their latest packet.
    pub nodes: Vec<(String, i64)>,
    /// What was set aside.
    pub damaged: Vec<Damaged>,
    /// Windows that are concerned by damage, in their order.
    pub impaired: Vec<Impaired>,
    /// Whether some of it is simulated.
    pub simulated: bool,
    /// How addresses of some packets were protected that were ever taken in; none if all were full.
    pub protected: Vec<Addresses>,
}
