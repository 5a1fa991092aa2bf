//! What a segment is: the unit of packets at rest.

mod decode;
mod encode;
mod key;
mod layout;
mod node;
mod packed;
mod pages;
mod parse;
mod protected;
mod schema;

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use cutshort_model::{Addresses, Window};
use cutshort_packet::Packet;

pub use decode::{Batch, Batches, Scratch};
pub use encode::check_packet;
pub use key::Key;
pub use layout::Layout;
pub use node::{FILE_NODE, check_node};
pub use packed::{
    PACKET_BYTES, PROTECTION_BYTES, packet_from_bytes, packet_to_bytes, protection_from_bytes,
    protection_to_bytes,
};
pub use protected::{FlowKey, Keepable, Protected, Protection, truncation};

use crate::{Result, StoreError};

/// The name of a segment, the same wherever it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentId(pub u128);

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Where packets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// A capture file. Its packets have no node, and of each 5-tuple and window the first ten count, however
    /// many files they are from.
    File,
    /// A live receiver, which has taken the first packets of each connection itself.
    Live,
    /// Made up.
    Simulated,
}

/// What is known of a segment besides its packets; part of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its name. For files it is made from the content, so that importing one twice gives the same.
    pub id: SegmentId,
    /// Which server saw the packets; empty for a file.
    pub node: String,
    /// Where they come from.
    pub origin: Provenance,
    /// From and to, both included: the time in which every packet there was is in this segment or another.
    /// Nanoseconds since the Unix epoch.
    pub covers: (i64, i64),
    /// Packet rows.
    pub rows: u64,
    /// Times of the earliest and the latest packet; none without packets.
    pub times: Option<(i64, i64)>,
    /// What of the packets' addresses is in it.
    pub addresses: Addresses,
}

impl SegmentInfo {
    /// How far a sender's clock may be ahead, in nanoseconds. What a segment covers ends the time for which
    /// connections are awaited, of all servers: a clock that is far ahead would judge everybody too early.
    pub const MOST_AHEAD: i64 = 900_000_000_000;

    /// Refuses what was received live, but later than it is now, in nanoseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`StoreError::Refused`].
    pub fn check_clock(&self, now: i64) -> Result<()> {
        if self.origin == Provenance::Live { self.check_covers(now) } else { Ok(()) }
    }

    /// Refuses what covers time later than it is now, whatever its origin.
    ///
    /// # Errors
    /// [`StoreError::Refused`].
    pub fn check_covers(&self, now: i64) -> Result<()> {
        if self.covers.1 > now.saturating_add(Self::MOST_AHEAD) {
            return Err(StoreError::Refused(
                "the segment is from the future: the clock of this machine or of the sender is wrong"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

/// An immutable Parquet file of packets, sorted by source address and port, destination address and port, and
/// time. Its columns are those of docs/spec.md#fields, of plain values that are compressed with zstd; row groups have up to
/// 32,768 rows, and statistics of the source address. Where addresses are not full, there are three more: country and
/// AS number of the source, and what tells connections apart whose addresses became the same, by which packets are
/// sorted before time.
#[derive(Clone, Debug)]
pub struct Segment {
    info: SegmentInfo,
    /// Windows with packets, and how many.
    windows: BTreeMap<Window, u64>,
    bytes: Bytes,
}

impl Segment {
    /// How many packets a segment has at most.
    pub const MAX_ROWS: u64 = 1 << 24;
    /// How many bytes a segment's file has at most.
    pub const MAX_BYTES: u64 = 1 << 29;

    /// Makes a segment of packets in any order, all with full addresses or all protected in one way. Without an id it gets one from the content (node, origin,
    /// packets and the time that is covered), and a file's always does.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if packets or node are not what a segment may
    /// hold, such as more than [`MAX_ROWS`](Self::MAX_ROWS).
    pub fn encode<P: Keepable>(
        packets: Vec<P>,
        node: &str,
        origin: Provenance,
        covers: (i64, i64),
        id: Option<SegmentId>,
    ) -> Result<Self> {
        encode::encode(packets, node, origin, covers, id)
    }

    /// Takes a file as a segment, after checking schema, bounds, order and id. No bytes make it panic or take
    /// much more memory than their own.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with what is wrong with it.
    pub fn parse(bytes: Vec<u8>) -> Result<Self> {
        parse::parse(bytes.into())
    }

    /// What is known of it.
    #[must_use]
    pub const fn info(&self) -> &SegmentInfo {
        &self.info
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its packets, sorted.
    ///
    /// # Errors
    /// What decoding gives, which a segment that was made or checked does not.
    pub fn packets(&self) -> Result<Vec<Packet>> {
        Ok(self.protected()?.into_iter().map(|protected| protected.packet).collect())
    }

    /// Its packets, sorted, with what stands beside them where addresses are not full.
    ///
    /// # Errors
    /// As [`packets`](Self::packets).
    pub fn protected(&self) -> Result<Vec<Protected>> {
        parse::packets(&self.bytes)
    }

    /// The windows with packets of it, and how many.
    #[must_use]
    pub const fn windows(&self) -> &BTreeMap<Window, u64> {
        &self.windows
    }
}
