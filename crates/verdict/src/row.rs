use std::cmp::Ordering;

use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions, Unreachable};

use crate::scanner;

/// A [`Packet`] without its 5-tuple, in 32 bytes: what the rules look at.
///
/// What the rules take from the 5-tuple and the options of a SYN packet is in marks of its flags. Rows are in the order of
/// their fields, marks last.
///
/// ```
/// use cutshort_packet::{Flags, Packet, Unreachable};
/// use cutshort_verdict::Row;
///
/// let row = Row::from(&Packet { flags: Flags::RST | Flags::ACK, seq: 1001, ..Packet::ZERO });
/// assert!(row.has_rst() && !row.is_syn());
/// assert_eq!(size_of_val(&row), 32);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Row {
    /// Capture time in nanoseconds since the Unix epoch.
    pub ts: i64,
    /// The nine TCP flag bits (RFC 9293, 3.1), of SYN packets the marks [`Flags::SCANNERS`], and in the data set `origin` the
    /// marks [`Flags::RECEIVED`] and [`Flags::ICMP`].
    pub flags: Flags,
    /// IPv4 identification; 0 for IPv6.
    pub ip_id: u16,
    /// Sequence number as in the header.
    pub seq: u32,
    /// Acknowledgement number as in the header, whether or not the ACK bit is set.
    pub ack: u32,
    /// Length of the payload in bytes.
    pub payload_len: u32,
    /// Number N where 1 in N connections was sampled.
    pub sample_rate: u32,
    /// TCP window as in the header, without window scaling.
    pub tcp_window: u16,
    /// IPv4 time to live or IPv6 hop limit, as captured.
    pub ttl: u8,
    /// Length of the TCP options in bytes.
    pub options_len: u8,
}

impl From<&Packet> for Row {
    #[inline]
    fn from(packet: &Packet) -> Self {
        let marks = if packet.is_syn() { scanner::marks(packet) } else { Flags::default() };
        Self {
            ts: packet.ts,
            flags: packet.flags | marks,
            ip_id: packet.ip_id,
            seq: packet.seq,
            ack: packet.ack,
            payload_len: packet.payload_len,
            sample_rate: packet.sample_rate,
            tcp_window: packet.tcp_window,
            ttl: packet.ttl,
            options_len: packet.options_len,
        }
    }
}

impl From<&Unreachable> for Row {
    fn from(unreachable: &Unreachable) -> Self {
        Self::from(&unreachable.row())
    }
}

impl Row {
    /// Returns the packet with this 5-tuple of which this is the row, except for "don't fragment" and options, which a row
    /// does not have.
    #[must_use]
    pub const fn packet(&self, five_tuple: FiveTuple) -> Packet {
        let Self { ts, flags, ip_id, seq, ack, payload_len, sample_rate, tcp_window, ttl, options_len } =
            *self;
        Packet {
            ts,
            five_tuple,
            flags: Flags::from_marked_bits(flags.bits()),
            ip_id,
            seq,
            ack,
            payload_len,
            sample_rate,
            tcp_window,
            ttl,
            options_len,
            df: false,
            syn: SynOptions::of_earlier(flags),
        }
    }

    /// Returns the row of a packet whose addresses are truncated or encrypted: without the marks that come from them.
    #[must_use]
    #[inline]
    pub fn of_protected(packet: &Packet) -> Self {
        let row = Self::from(packet);
        Self { flags: row.flags.without_scanners() | row.flags.intersection(Flags::ZMAP4), ..row }
    }

    /// Returns the row without the marks of scanners: what the header says.
    #[must_use]
    #[inline]
    pub const fn without_marks(&self) -> Self {
        Self { flags: self.flags.without_scanners(), ..*self }
    }

    /// Returns true for a SYN packet: SYN is set, and none of ACK, RST and FIN (docs/spec.md#syn-packet). In the data set
    /// `origin` it must be the opener's.
    #[must_use]
    #[inline]
    pub const fn is_syn(&self) -> bool {
        const MASK: u16 = Flags::SYN_MASK.bits() | Flags::RECEIVED.bits();
        self.flags.bits() & MASK == Flags::SYN.bits()
    }

    /// Returns the key that orders the SYN packets of a connection: the fields of the smallest count
    /// (docs/spec.md#one-syn). It has time in nanoseconds, IP id, TTL, TCP window, sample rate, length of the options, and
    /// marks.
    #[must_use]
    #[inline]
    pub const fn syn_order(&self) -> (i64, u16, u8, u16, u32, u8, u16) {
        let marks = self.flags.intersection(Flags::SCANNERS).bits();
        (self.ts, self.ip_id, self.ttl, self.tcp_window, self.sample_rate, self.options_len, marks)
    }

    /// Returns true if the RST bit is set. Whether it resets the connection also depends on its time (docs/spec.md#rst).
    #[must_use]
    #[inline]
    pub const fn has_rst(&self) -> bool {
        self.flags.intersects(Flags::RST)
    }

    /// Returns true for a row of the data set `origin` that came from the server (docs/origin.md#rows).
    #[must_use]
    #[inline]
    pub const fn is_received(&self) -> bool {
        self.flags.intersects(Flags::RECEIVED)
    }

    /// Returns true for a row of the data set `origin` that is an ICMP error. It has the time, the quoted sequence number as
    /// `seq`, the TTL and IP id of the ICMP packet, and 0 elsewhere (docs/origin.md#rows).
    #[must_use]
    #[inline]
    pub const fn is_icmp(&self) -> bool {
        self.flags.intersects(Flags::ICMP)
    }

    /// Returns true if both have the same flags, seq, ack and payload length (docs/spec.md#repeat).
    #[must_use]
    #[inline]
    pub fn repeats(&self, other: &Self) -> bool {
        self.seq == other.seq
            && self.ack == other.ack
            && self.payload_len == other.payload_len
            && self.flags.without_scanners() == other.flags.without_scanners()
    }

    /// Returns true if all fields of the header but TTL are equal, as of one packet that was captured at two hops.
    #[must_use]
    #[inline]
    pub fn is_copy_of(&self, other: &Self) -> bool {
        // First what differs most often.
        self.ip_id == other.ip_id
            && self.repeats(other)
            && self.tcp_window == other.tcp_window
            && self.options_len == other.options_len
            && self.sample_rate == other.sample_rate
    }
}

impl Ord for Row {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |row: &Self| {
            let Self { ts, flags, ip_id, seq, ack, payload_len, sample_rate, tcp_window, ttl, options_len } =
                *row;
            let of_header = flags.without_scanners();
            (ts, of_header, ip_id, seq, ack, payload_len, sample_rate, tcp_window, ttl, options_len, flags)
        };
        // Most rows differ in time.
        self.ts.cmp(&other.ts).then_with(|| key(self).cmp(&key(other)))
    }
}

impl PartialOrd for Row {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Counts the rows of one 5-tuple and window that equal another one in all fields but time and TTL, both of them
/// (docs/spec.md#copies).
///
/// ```
/// use cutshort_verdict::{Row, duplicates};
///
/// let row = Row { ip_id: 7, ttl: 64, ..Row::default() };
/// let next_hop = Row { ts: 20_000, ttl: 63, ..row };
/// assert_eq!(duplicates(&[row, Row { ip_id: 8, ..row }, next_hop]), 2);
/// ```
#[must_use]
pub fn duplicates(rows: &[Row]) -> u64 {
    // The usual case: a sender that counts.
    if rows.windows(2).all(|pair| pair[0].ip_id < pair[1].ip_id) {
        return 0;
    }
    if rows.len() > 64 {
        return duplicates_of_many(rows);
    }
    // One bit a row: each pair is looked at once.
    let mut equal = 0_u64;
    for (at, row) in rows.iter().enumerate() {
        for (before, _) in rows[..at].iter().enumerate().filter(|(_, other)| row.is_copy_of(other)) {
            equal |= 1 << at | 1 << before;
        }
    }
    u64::from(equal.count_ones())
}

#[cold]
fn duplicates_of_many(rows: &[Row]) -> u64 {
    let mut sorted: Vec<Row> = rows.iter().map(|row| Row { ts: 0, ttl: 0, ..*row }).collect();
    sorted.sort_unstable();
    sorted.chunk_by(Row::is_copy_of).map(|same| same.len() as u64).filter(|rows| *rows > 1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_are_counted_alike_among_few_and_many() {
        let row =
            |ip_id: u16| Row { ts: i64::from(ip_id), ttl: ip_id as u8, ip_id: ip_id % 40, ..Row::default() };
        let few: Vec<Row> = (0..60).map(row).collect();
        let many: Vec<Row> = (0..70).map(row).collect();
        assert_eq!((duplicates(&few), duplicates(&many)), (40, 60));
    }

    #[test]
    fn a_row_is_32_bytes() {
        assert_eq!(size_of::<Row>(), 32);
    }
}
