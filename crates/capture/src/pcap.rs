//! Classic pcap: a file header, then records.

use cutshort_packet::LinkType;

use crate::record::{Parsed, RecordPosition};
use crate::resume::{self, Step};

#[derive(Clone, Copy)]
pub(crate) struct Pcap {
    big_endian: bool,
    /// Bytes of a record's header.
    record_header: usize,
    link: Result<LinkType, u32>,
    /// Nanoseconds per unit of the timestamps' fraction.
    unit: i64,
    /// No record has more captured bytes.
    most: u32,
}

pub(crate) const HEADER: usize = 24;
/// What libpcap takes at most of a packet, whatever a file header says.
const MAX_SNAPLEN: u32 = 262_144;

/// How a file begins.
#[derive(Clone, Copy)]
struct Magic {
    big_endian: bool,
    nanoseconds: bool,
    /// Kuznetzov's format, whose records have more fields.
    modified: bool,
}

impl Magic {
    /// The magic number that `bytes` begin with, if it is one, in either byte order.
    fn of(bytes: &[u8]) -> Option<Self> {
        let bytes = *bytes.first_chunk()?;
        let of = |magic, big_endian| {
            let (nanoseconds, modified) = match magic {
                0xa1b2_c3d4_u32 => (false, false),
                0xa1b2_3c4d => (true, false),
                0xa1b2_cd34 => (false, true),
                _ => return None,
            };
            Some(Self { big_endian, nanoseconds, modified })
        };
        of(u32::from_le_bytes(bytes), false).or_else(|| of(u32::from_be_bytes(bytes), true))
    }

    const fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    const fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// Whether this is the beginning of a pcap, though perhaps less than its header.
pub(crate) fn is_pcap(bytes: &[u8]) -> bool {
    Magic::of(bytes).is_some()
}

/// Whether a whole file header begins here. As a record it would be of the year 2055 and have nothing.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    let (Some(magic), Some(&[_, _, _, _, a, b, c, d, zone @ ..])) =
        (Magic::of(bytes), bytes.first_chunk::<16>())
    else {
        return false;
    };
    magic.u16([a, b]) == 2 && magic.u16([c, d]) == 4 && zone == [0; 8]
}

impl Pcap {
    /// Reads the file header; `None` if `bytes` do not begin with a whole one.
    pub(crate) fn open(bytes: &[u8]) -> Option<Self> {
        let magic = Magic::of(bytes)?;
        let header: &[u8; HEADER] = bytes.first_chunk()?;
        let word = |at: usize| magic.u32([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        // The upper half holds the length of the frame check sequence and other flags.
        let number = word(20) & 0xffff;
        // AIX: times have nanoseconds, and the link type is that of the interface (RFC 1573).
        let is_aix = magic.u16([header[4], header[5]]) == 2 && magic.u16([header[6], header[7]]) == 2;
        let number = if is_aix { of_interface(number) } else { number };
        Some(Self {
            big_endian: magic.big_endian,
            record_header: if magic.modified { 24 } else { 16 },
            link: LinkType::from_number(number).ok_or(number),
            unit: if magic.nanoseconds || is_aix { 1 } else { 1000 },
            most: word(16).max(MAX_SNAPLEN),
        })
    }

    pub(crate) const fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    #[inline]
    pub(crate) fn next(&self, bytes: &[u8], place: &mut RecordPosition) -> Parsed {
        if self.big_endian { self.next_in::<true>(bytes, place) } else { self.next_in::<false>(bytes, place) }
    }

    /// Seconds, fraction, captured length, length on the wire: four words, read here because this
    /// runs for every record.
    #[inline(always)]
    pub(crate) fn next_in<const BIG_ENDIAN: bool>(&self, bytes: &[u8], place: &mut RecordPosition) -> Parsed {
        let Some(header) = bytes.first_chunk::<16>() else { return Parsed::Incomplete };
        let word = |at: usize| {
            let word = [header[at], header[at + 1], header[at + 2], header[at + 3]];
            if BIG_ENDIAN { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
        };
        let captured = word(8);
        // Nothing, or more than any record has: 0 becomes the largest number.
        if captured.wrapping_sub(1) >= self.most
            && let Some(parsed) = no_record(header, captured)
        {
            return parsed;
        }
        let captured = captured as usize;
        place.len = self.record_header + captured;
        if bytes.len() < place.len {
            return Parsed::Incomplete;
        }
        place.data = (self.record_header, captured);
        place.ts = i64::from(word(0)) * 1_000_000_000 + i64::from(word(4)) * self.unit;
        place.link = self.link;
        place.wire_len = word(12);
        Parsed::Record
    }

    /// Whether `bytes` look like a record of about the time `near`.
    pub(crate) fn step(&self, bytes: &[u8], near: Option<i64>) -> Step {
        const MONTH: u64 = 30 * 86_400 * 1_000_000_000;
        let Some(header) = bytes.first_chunk::<16>() else { return Step::Unsure };
        let word = |at: usize| {
            let word = [header[at], header[at + 1], header[at + 2], header[at + 3]];
            if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
        };
        let (seconds, fraction, captured, wire) = (word(0), i64::from(word(4)), word(8), word(12));
        let ts = i64::from(seconds) * 1_000_000_000 + fraction * self.unit;
        let is_near = near.is_none_or(|near| ts.abs_diff(near) < MONTH);
        let fits = captured > 0 && captured <= self.most.min(MAX_SNAPLEN) && captured <= wire;
        if seconds > 0 && is_near && fraction * self.unit < 1_000_000_000 && fits {
            Step::Len(self.record_header + captured as usize)
        } else {
            Step::No
        }
    }
}

/// What the header of a record says that has nothing, or more than a record can have; `None` if it may be one.
#[cold]
fn no_record(header: &[u8; 16], captured: u32) -> Option<Parsed> {
    if resume::begins_capture(header) {
        return Some(Parsed::Header);
    }
    // Nothing of nothing at the beginning of 1970 are zeros that were never written.
    (captured > 0 || *header == [0; 16]).then_some(Parsed::Damaged)
}

/// The link type of a kind of interface.
const fn of_interface(kind: u32) -> u32 {
    match kind {
        6 => 1,
        9 => 6,
        15 => 10,
        23 => 9,
        24 => 0,
        other => other,
    }
}
