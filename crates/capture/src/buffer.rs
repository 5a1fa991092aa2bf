//! A buffer over a stream, in which the next record is contiguous.

use std::io::{self, Read};

/// Small enough to stay in a core's cache between being filled and being parsed.
const SIZE: usize = 256 << 10;
/// No capture has larger records: a greater length is damage and must not be allocated.
const MAX_SIZE: usize = 256 << 20;

pub(crate) struct Buffer {
    input: Box<dyn Read + Send>,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// The number of bytes of the stream before `start`.
    consumed: u64,
}

/// The result of reading more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    More,
    End,
    /// The record is larger than any valid record.
    TooLarge,
}

impl Buffer {
    pub(crate) fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input, bytes: vec![0; SIZE], start: 0, end: 0, consumed: 0 }
    }

    #[inline]
    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The number of bytes of the stream before the unread ones.
    pub(crate) const fn offset(&self) -> u64 {
        self.consumed
    }

    #[inline]
    pub(crate) fn consume(&mut self, len: usize) {
        self.start += len;
        self.consumed += len as u64;
    }

    /// Reads more bytes after the unread ones. Consumed bytes are discarded.
    #[cold]
    pub(crate) fn fill(&mut self) -> io::Result<Filled> {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.bytes.len() {
            if self.end >= MAX_SIZE {
                return Ok(Filled::TooLarge);
            }
            self.bytes.resize(self.end * 2, 0);
        }
        let read = self.read()?;
        self.end += read;
        Ok(if read == 0 { Filled::End } else { Filled::More })
    }

    fn read(&mut self) -> io::Result<usize> {
        loop {
            match self.input.read(&mut self.bytes[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}
