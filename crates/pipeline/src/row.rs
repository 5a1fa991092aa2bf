//! The kinds of rows that data sets consist of, as far as jobs differ by them.

use cutshort_model::Addresses;
use cutshort_packet::Packet;
use cutshort_packet::quic::Datagram;
use cutshort_store::{Keepable, KeptDatagram, Protected, Recordable, Result, Segment, SegmentSource};
use cutshort_verdict::DataSet;

use crate::Privacy;

/// What is kept of a capture or of live packets: a packet of the data sets `tcp` and `origin`, or a datagram of `quic`.
pub trait Row: Copy + Send {
    /// The form in which it may be written.
    type Kept: Recordable;

    /// Its time in nanoseconds since the Unix epoch.
    fn ts(&self) -> i64;

    /// Itself with addresses as they may be kept.
    fn protected(&self, privacy: &mut Privacy, data_set: DataSet) -> Self::Kept;

    /// Encodes rows, with addresses as they may be kept.
    ///
    /// # Errors
    /// The error of encoding them.
    fn encode(rows: Vec<Self>, privacy: &mut Privacy, source: &SegmentSource<'_>) -> Result<Segment> {
        encode_protected(rows, privacy, source)
    }
}

fn encode_protected<R: Row>(
    rows: Vec<R>,
    privacy: &mut Privacy,
    source: &SegmentSource<'_>,
) -> Result<Segment> {
    let kept: Vec<_> = rows.iter().map(|row| row.protected(privacy, source.data_set)).collect();
    drop(rows);
    Segment::encode(kept, source, None)
}

impl Row for Packet {
    type Kept = Protected;

    fn ts(&self) -> i64 {
        self.ts
    }

    fn protected(&self, privacy: &mut Privacy, data_set: DataSet) -> Protected {
        privacy.protect(self, data_set)
    }

    /// Full addresses need no protection, which would take memory for each packet.
    fn encode(rows: Vec<Self>, privacy: &mut Privacy, source: &SegmentSource<'_>) -> Result<Segment> {
        match privacy.addresses() {
            Addresses::Full => Segment::encode(rows, source, None),
            _ => encode_protected(rows, privacy, source),
        }
    }
}

impl Row for Datagram {
    type Kept = KeptDatagram;

    fn ts(&self) -> i64 {
        self.ts
    }

    fn protected(&self, privacy: &mut Privacy, data_set: DataSet) -> KeptDatagram {
        let kept = KeptDatagram::from(self);
        kept.protected(privacy.protect(kept.packet(), data_set))
    }
}
