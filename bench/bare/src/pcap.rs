//! Classic pcap through `read(2)` into one large buffer.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};

/// Fits the second-level cache of most machines, and is large enough that system calls do not show.
const BUFFER: usize = 512 * 1024;
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const MAGIC_LE_US: u32 = 0xa1b2_c3d4;
const ETHERNET: u32 = 1;

pub struct Reader {
    file: File,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
}

pub struct Record<'a> {
    pub time_us: u64,
    pub frame: &'a [u8],
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

impl Reader {
    pub fn open(path: &str) -> Result<Self> {
        let mut reader = Self { file: File::open(path)?, buffer: vec![0; BUFFER], at: 0, end: 0 };
        if !reader.have(FILE_HEADER)? {
            return Err(invalid("no pcap header"));
        }
        if le32(&reader.buffer, 0) != MAGIC_LE_US || le32(&reader.buffer, 20) != ETHERNET {
            return Err(invalid("not a little-endian microsecond Ethernet pcap"));
        }
        reader.at = FILE_HEADER;
        Ok(reader)
    }

    /// The next record; `None` at the end, also at the end of a file cut inside a record.
    #[inline]
    pub fn next(&mut self) -> Result<Option<Record<'_>>> {
        if !self.have(RECORD_HEADER)? {
            return Ok(None);
        }
        let header = &self.buffer[self.at..self.at + RECORD_HEADER];
        let (seconds, micros) = (le32(header, 0), le32(header, 4));
        let captured = le32(header, 8) as usize;
        if !self.have(RECORD_HEADER + captured)? {
            return Ok(None);
        }
        let start = self.at + RECORD_HEADER;
        self.at = start + captured;
        let frame = &self.buffer[start..self.at];
        Ok(Some(Record { time_us: u64::from(seconds) * 1_000_000 + u64::from(micros), frame }))
    }

    /// Makes `wanted` bytes available at `self.at`; false if the file has no more.
    #[inline(always)]
    fn have(&mut self, wanted: usize) -> Result<bool> {
        if self.end - self.at >= wanted { Ok(true) } else { self.refill(wanted) }
    }

    #[cold]
    fn refill(&mut self, wanted: usize) -> Result<bool> {
        if wanted > BUFFER {
            return Err(invalid("a record is larger than the buffer"));
        }
        self.buffer.copy_within(self.at..self.end, 0);
        self.end -= self.at;
        self.at = 0;
        while self.end < wanted {
            let got = self.file.read(&mut self.buffer[self.end..])?;
            if got == 0 {
                return Ok(false);
            }
            self.end += got;
        }
        Ok(true)
    }
}
