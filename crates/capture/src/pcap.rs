//! Classic pcap: a file header, then records.

use cutshort_packet::LinkType;
use pcap_parser::nom::Err;
use pcap_parser::pcap::{
    PcapHeader, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified, parse_pcap_header,
};

use crate::capture::{Parsed, Place};

pub(crate) struct Pcap {
    layout: Layout,
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
            layout: Layout::of(&header),
            link: LinkType::from_number(number).ok_or(number),
            unit: if header.is_nanosecond_precision() { 1 } else { 1000 },
        })
    }

    #[inline]
    pub(crate) fn next(&self, bytes: &[u8], place: &mut Place) -> Parsed {
        let parsed = match self.layout {
            Layout::LittleEndian => parse_pcap_frame(bytes),
            Layout::BigEndian => parse_pcap_frame_be(bytes),
            Layout::Modified => parse_pcap_frame_modified(bytes),
        };
        match parsed {
            Ok((rest, block)) => {
                place.ts = i64::from(block.ts_sec) * 1_000_000_000 + i64::from(block.ts_usec) * self.unit;
                place.link = self.link;
                place.wire_len = block.origlen;
                place.len = bytes.len() - rest.len();
                place.data = (place.len - block.data.len(), block.data.len());
                Parsed::Record
            }
            Err(Err::Incomplete(_)) => Parsed::Incomplete,
            Err(_) => Parsed::Damaged,
        }
    }
}

/// How record headers are written.
#[derive(Clone, Copy)]
enum Layout {
    LittleEndian,
    BigEndian,
    /// Kuznetzov's, with more fields.
    Modified,
}

impl Layout {
    fn of(header: &PcapHeader) -> Self {
        if header.is_modified_format() {
            Self::Modified
        } else if header.is_bigendian() {
            Self::BigEndian
        } else {
            Self::LittleEndian
        }
    }
}
