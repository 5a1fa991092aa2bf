//! The pages of a column.
//!
//! They are read here and not by the `parquet` crate, which panics on some damaged pages (see `docs/upstream.md`),
//! because segments may come from anybody. A segment's pages have plain values, compressed with zstd.

use std::io;

use crate::thrift::{I32, STOP, STRUCT, next_field, skip, zigzag};
use zstd::bulk::Decompressor;

/// The largest page that is unpacked, in bytes. The pages that this program writes are far smaller.
const MAX_PAGE: usize = 1 << 23;

/// The pages of a column that have not been read.
#[derive(Clone, Copy)]
pub(super) struct Pages<'a> {
    bytes: &'a [u8],
}

/// A page, as it stands in the file.
pub(super) struct Page<'a> {
    /// The number of values.
    pub(super) values: usize,
    /// The size of the values in bytes, after decompression.
    unpacked: usize,
    packed: &'a [u8],
}

impl<'a> Pages<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The number of bytes that are left.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The next page; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Page<'a>>, String> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let header = Header::read(&mut self.bytes).ok_or("a page's header is damaged")?;
        header.check()?;
        let packed = usize::try_from(header.packed).ok();
        let split = packed.and_then(|len| self.bytes.split_at_checked(len));
        let (packed, rest) = split.ok_or("a page reaches beyond its column")?;
        self.bytes = rest;
        let [values, unpacked] = [header.values, header.unpacked].map(|number| number as usize);
        Ok(Some(Page { values, unpacked, packed }))
    }
}

impl Page<'_> {
    /// Unpacks the values, each `width` bytes long, into `bytes`.
    pub(super) fn unpack(
        &self,
        width: usize,
        unpacker: &mut Decompressor<'_>,
        bytes: &mut Vec<u8>,
    ) -> Result<(), String> {
        if self.unpacked != self.values.saturating_mul(width) {
            return Err(format!("a page has {} bytes for {} values", self.unpacked, self.values));
        }
        bytes.resize(self.unpacked, 0);
        let unpacked = unpacker.decompress_to_buffer(self.packed, &mut bytes[..]);
        match unpacked.map_err(|error: io::Error| format!("a page cannot be unpacked: {error}"))? {
            len if len == self.unpacked => Ok(()),
            len => Err(format!("a page has {len} bytes, and not {}", self.unpacked)),
        }
    }
}

/// The header of a page (parquet.thrift, `PageHeader`).
#[derive(Default)]
struct Header {
    kind: i64,
    unpacked: i64,
    packed: i64,
    values: i64,
    encoding: i64,
}

/// How deep structures may nest.
const DEPTH: usize = 8;

impl Header {
    fn check(&self) -> Result<(), String> {
        const DATA_PAGE: i64 = 0;
        const PLAIN: i64 = 0;
        if self.kind != DATA_PAGE || self.encoding != PLAIN {
            return Err(
                "a page's values are not plain (no dictionary, no delta, data pages version 1)".to_owned()
            );
        }
        if self.packed < 0 || self.values < 0 || !(0..=MAX_PAGE as i64).contains(&self.unpacked) {
            return Err(format!("a page of {} bytes is too large", self.unpacked));
        }
        Ok(())
    }

    /// Reads a header; `bytes` begins after it then.
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut header = Self { kind: -1, encoding: -1, values: -1, unpacked: -1, packed: -1 };
        let mut field = 0;
        loop {
            match (next_field(bytes, &mut field)?, field) {
                (STOP, _) => return Some(header),
                (I32, 1) => header.kind = zigzag(bytes)?,
                (I32, 2) => header.unpacked = zigzag(bytes)?,
                (I32, 3) => header.packed = zigzag(bytes)?,
                (STRUCT, 5) => header.read_data_page(bytes)?,
                (kind, _) => skip(bytes, kind, DEPTH)?,
            }
        }
    }

    /// The part that only data pages have (`DataPageHeader`).
    fn read_data_page(&mut self, bytes: &mut &[u8]) -> Option<()> {
        let mut field = 0;
        loop {
            match (next_field(bytes, &mut field)?, field) {
                (STOP, _) => return Some(()),
                (I32, 1) => self.values = zigzag(bytes)?,
                (I32, 2) => self.encoding = zigzag(bytes)?,
                (kind, _) => skip(bytes, kind, DEPTH)?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &mut Vec<u8>, number: u32) {
        let mut rest = number << 1;
        while rest >= 0x80 {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
    }

    /// A page of so many values of four bytes: kind, sizes, values and encoding, two more encodings.
    fn page(kind: u32, values: u32, encoding: u32) -> Vec<u8> {
        let packed = zstd::bulk::compress(&vec![7; values as usize * 4], 1).unwrap();
        let mut bytes = Vec::new();
        for size in [kind, values * 4, packed.len() as u32] {
            bytes.push(0x15);
            number(&mut bytes, size);
        }
        bytes.push(0x2c);
        for field in [values, encoding, 3, 3] {
            bytes.push(0x15);
            number(&mut bytes, field);
        }
        bytes.extend([0, 0]);
        bytes.extend(packed);
        bytes
    }

    fn unpack(bytes: &[u8]) -> Result<usize, String> {
        let (mut pages, mut values) = (Pages::new(bytes), 0);
        let (mut unpacker, mut buffer) = (Decompressor::new().unwrap(), Vec::new());
        while let Some(page) = pages.next()? {
            page.unpack(4, &mut unpacker, &mut buffer)?;
            assert_eq!(buffer, vec![7; page.values * 4]);
            values += page.values;
        }
        Ok(values)
    }

    #[test]
    fn pages_are_unpacked() {
        let pages = [page(0, 100, 0), page(0, 0, 0), page(0, 7, 0)];
        assert_eq!(unpack(&pages.concat()), Ok(107));
        let ends: Vec<usize> = (0..=3).map(|count| pages[..count].concat().len()).collect();
        for len in 0..pages.concat().len() {
            assert_eq!(unpack(&pages.concat()[..len]).is_ok(), ends.contains(&len), "{len}");
        }
    }

    #[test]
    fn pages_that_are_not_plain_are_refused() {
        assert!(unpack(&page(2, 5, 0)).unwrap_err().contains("not plain"), "a dictionary");
        assert!(unpack(&page(0, 5, 8)).unwrap_err().contains("not plain"), "positions in one");
        assert!(unpack(&page(3, 5, 0)).unwrap_err().contains("not plain"), "version 2");
    }

    #[test]
    fn pages_that_unpack_to_too_much_are_refused() {
        assert!(unpack(&page(0, MAX_PAGE as u32 / 4 + 1, 0)).unwrap_err().contains("too large"));
        let mut page = page(0, 5, 0);
        page[3] = 24 << 1;
        assert!(unpack(&page).unwrap_err().contains("24 bytes for 5 values"));
    }
}
