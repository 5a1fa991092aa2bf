//! Segments: the unit in which packets are stored.

mod datagram;
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
use cutshort_packet::quic::Datagram;
use cutshort_verdict::DataSet;

pub use datagram::{Ids, KeptDatagram};
pub use decode::{Batches, RowBatch, Scratch};
pub use encode::check_packet;
pub use key::SortKey;
pub use layout::Layout;
pub use node::{FILE_NODE, check_node};
pub use packed::{
    EARLIER_PACKET_BYTES, PACKET_BYTES, PROTECTION_BYTES, earlier_packet_from_bytes, packet_from_bytes,
    packet_to_bytes, protection_from_bytes, protection_to_bytes,
};
pub use protected::{FlowKey, Keepable, Protected, Protection, Recordable, truncation};

use crate::{Result, StoreError};

/// The ID of a segment, the same in every store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentId(pub u128);

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The kind of source of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// A capture file. Its packets have no node. Of each 5-tuple and window the first ten packets count, in whichever
    /// file they are.
    File,
    /// A live receiver, which has itself selected the first packets of each connection.
    Live,
    /// Simulated packets, such as those of the demo.
    Simulated,
}

/// Where the packets of a segment are from: what the one who makes it says about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentSource<'a> {
    /// The data set that the packets belong to.
    pub data_set: DataSet,
    /// Which server saw the packets; empty for a file.
    pub node: &'a str,
    /// How they were received.
    pub origin: Provenance,
    /// The time in which every packet is in this segment or another, first and last nanosecond since the Unix epoch.
    pub covers: (i64, i64),
}

impl<'a> SegmentSource<'a> {
    /// Describes packets of the data set `tcp`.
    #[must_use]
    pub const fn tcp(node: &'a str, origin: Provenance, covers: (i64, i64)) -> Self {
        Self { data_set: DataSet::Tcp, node, origin, covers }
    }
}

/// The description of a segment, which is part of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// The ID. For capture files it is computed from the content, so that importing a capture twice yields the same
    /// one.
    pub id: SegmentId,
    /// The data set that the packets belong to.
    pub data_set: DataSet,
    /// The node that captured the packets; empty for a capture file.
    pub node: String,
    /// The kind of source.
    pub origin: Provenance,
    /// From and to, both inclusive, in nanoseconds since the Unix epoch: every packet captured in this time is in
    /// this segment or another one.
    pub covers: (i64, i64),
    /// The number of packets.
    pub rows: u64,
    /// Times of the earliest and the latest packet, in nanoseconds since the Unix epoch; none without packets.
    pub times: Option<(i64, i64)>,
    /// How much of the packets' addresses is kept.
    pub addresses: Addresses,
}

impl SegmentInfo {
    /// Returns where the packets are from.
    #[must_use]
    pub fn source(&self) -> SegmentSource<'_> {
        let Self { data_set, node, origin, covers, .. } = self;
        SegmentSource { data_set: *data_set, node, origin: *origin, covers: *covers }
    }

    /// How far a sender's clock may be ahead, in nanoseconds. The time up to which segments cover decides for all
    /// nodes how long connections are waited for: a clock that is far ahead would end them all too early.
    pub const MOST_AHEAD: i64 = 900_000_000_000;

    /// Refuses live packets that are later than `now` (nanoseconds since the Unix epoch).
    ///
    /// # Errors
    /// [`StoreError::Refused`] if it covers more than [`MOST_AHEAD`](Self::MOST_AHEAD) after `now`.
    pub fn check_clock(&self, now: i64) -> Result<()> {
        if self.origin == Provenance::Live { self.check_covers(now) } else { Ok(()) }
    }

    /// Refuses a segment that covers time later than `now` (nanoseconds since the Unix epoch), whatever its origin.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if it covers more than [`MOST_AHEAD`](Self::MOST_AHEAD) after `now`.
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

/// An immutable Parquet file of packets, sorted by source address and port, destination address and port, and time,
/// all of one data set.
/// It has the columns of docs/spec.md#fields as plain values, compressed with zstd; row groups have up to 32,768
/// rows, and statistics of the source address. Three of the columns are used if addresses are not full: country and AS
/// number of the source, and a number that distinguishes connections whose addresses became equal; packets are sorted
/// by this number before time.
///
/// A segment of the data set `quic` has datagrams, with columns of their own (docs/quic.md#fields).
#[derive(Clone, Debug)]
pub struct Segment {
    info: SegmentInfo,
    /// Windows that have packets, with the number of packets.
    windows: BTreeMap<Window, u64>,
    bytes: Bytes,
}

impl Segment {
    /// The maximum number of packets in a segment.
    pub const MAX_ROWS: u64 = 1 << 24;
    /// The maximum size of a segment's file in bytes.
    pub const MAX_BYTES: u64 = 1 << 29;

    /// Encodes packets, in any order, whose addresses must all be full or all be protected in the same way. Without
    /// an ID, and always for capture files, the ID is computed from the content (node, origin, packets and the time
    /// that is covered).
    ///
    /// # Errors
    /// [`StoreError::Refused`] if a segment cannot hold these packets or this node, for example because there are
    /// more than [`MAX_ROWS`](Self::MAX_ROWS) packets.
    pub fn encode<P: Keepable>(
        packets: Vec<P>,
        source: &SegmentSource<'_>,
        id: Option<SegmentId>,
    ) -> Result<Self> {
        encode::encode(packets, source, id)
    }

    /// Accepts a file as a segment after checking its schema, bounds, order and ID. No input makes this panic or use
    /// much more memory than its own size.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with what is wrong with the file.
    pub fn parse(bytes: Vec<u8>) -> Result<Self> {
        parse::parse(bytes.into())
    }

    /// The description of the segment.
    #[must_use]
    pub const fn info(&self) -> &SegmentInfo {
        &self.info
    }

    /// The complete file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Decodes the packets, sorted.
    ///
    /// # Errors
    /// A damaged file, which cannot happen if the segment was encoded or parsed here.
    pub fn packets(&self) -> Result<Vec<Packet>> {
        Ok(self.protected()?.into_iter().map(|protected| protected.packet).collect())
    }

    /// Decodes the packets, sorted, with their protection.
    ///
    /// # Errors
    /// The same as those of [`packets`](Self::packets).
    pub fn protected(&self) -> Result<Vec<Protected>> {
        parse::packets(&self.bytes)
    }

    /// Decodes the rows of a segment of the data set `quic`, sorted; none of another one.
    ///
    /// # Errors
    /// The same as those of [`packets`](Self::packets).
    pub fn datagrams(&self) -> Result<Vec<Datagram>> {
        parse::datagrams(&self.bytes)
    }

    /// The windows that have packets of the segment, with the number of packets.
    #[must_use]
    pub const fn windows(&self) -> &BTreeMap<Window, u64> {
        &self.windows
    }
}
