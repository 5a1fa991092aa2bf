//! A window over a stream in which the next record is whole.

use std::io::{self, Read};

/// Small enough to stay in a core's cache between being filled and being parsed.
const SIZE: usize = 256 << 10;
/// No capture has larger records: a length beyond it is damage, not to be allocated.
const MAX_SIZE: usize = 256 << 20;

pub(crate) struct Buffer {
    input: Box<dyn Read + Send>,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the stream before `start`.
    consumed: u64,
}

/// What came of asking for more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    More,
    End,
    /// The record is larger than any can be.
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

    /// Bytes of the stream before what is unread.
    pub(crate) const fn offset(&self) -> u64 {
        self.consumed
    }

    #[inline]
    pub(crate) fn consume(&mut self, len: usize) {
        self.start += len;
        self.consumed += len as u64;
    }

    /// Reads more bytes behind the unread ones. What was consumed is gone after it.
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
