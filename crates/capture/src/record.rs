//! Records of captures, and what parsing them yields.

use cutshort_packet::{Frame, LinkType};

/// The position of a record in the unread bytes, and the contents of its header.
#[derive(Clone, Copy)]
pub(crate) struct RecordPosition {
    pub(crate) ts: i64,
    pub(crate) link: Result<LinkType, u32>,
    pub(crate) wire_len: u32,
    /// Start and length of the frame.
    pub(crate) data: (usize, usize),
    /// The length of the record, including its header, in bytes.
    pub(crate) len: usize,
}

impl RecordPosition {
    pub(crate) const NONE: Self = Self { ts: 0, link: Err(0), wire_len: 0, data: (0, 0), len: 0 };

    /// The record, given the unread bytes.
    #[inline(always)]
    pub(crate) fn record<'a>(&self, unread: &'a [u8]) -> Option<Record<'a>> {
        let (start, len) = self.data;
        let bytes = unread.get(start..start + len)?;
        Some(Record { link: self.link, frame: Frame { ts: self.ts, wire_len: self.wire_len, bytes } })
    }
}

/// The result of parsing the start of the unread bytes.
pub(crate) enum Parsed {
    Record,
    /// A block of this length without a packet.
    Nothing(usize),
    /// The file header of another capture.
    Header,
    Incomplete,
    Damaged,
}

/// A captured frame.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its link type, or the number of a link type that is not supported.
    pub link: Result<LinkType, u32>,
    /// Its time and bytes.
    pub frame: Frame<'a>,
}
