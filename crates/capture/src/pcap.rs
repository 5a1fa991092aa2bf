//! Classic pcap: a file header, then records.

use cutshort_packet::LinkType;
use pcap_parser::pcap::parse_pcap_header;

use crate::capture::{Parsed, Place};

#[derive(Clone, Copy)]
pub(crate) struct Pcap {
    big_endian: bool,
    /// Bytes of a record's header.
    record_header: usize,
    link: Result<LinkType, u32>,
    /// Nanoseconds per unit of the timestamps' fraction.
    unit: i64,
}

pub(crate) const HEADER: usize = 24;

impl Pcap {
    /// Reads the file header; `None` if `bytes` do not begin with one.
    pub(crate) fn open(bytes: &[u8]) -> Option<Self> {
        let (_, header) = parse_pcap_header(bytes).ok()?;
        // The upper half holds the length of the frame check sequence and other flags.
        let number = header.network.0 as u32 & 0xffff;
        Some(Self {
            big_endian: header.is_bigendian(),
            // Kuznetzov's modified format has more fields.
            record_header: if header.is_modified_format() { 24 } else { 16 },
            link: LinkType::from_number(number).ok_or(number),
            unit: if header.is_nanosecond_precision() { 1 } else { 1000 },
        })
    }

    pub(crate) const fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    #[inline]
    pub(crate) fn next(&self, bytes: &[u8], place: &mut Place) -> Parsed {
        if self.big_endian { self.next_in::<true>(bytes, place) } else { self.next_in::<false>(bytes, place) }
    }

    /// Seconds, fraction, captured length, length on the wire: four words, read here because this
    /// runs for every record.
    #[inline(always)]
    pub(crate) fn next_in<const BIG_ENDIAN: bool>(&self, bytes: &[u8], place: &mut Place) -> Parsed {
        let Some(header) = bytes.first_chunk::<16>() else { return Parsed::Incomplete };
        let word = |at: usize| {
            let word = [header[at], header[at + 1], header[at + 2], header[at + 3]];
            if BIG_ENDIAN { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
        };
        let captured = word(8) as usize;
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
}
