//! Reading when the next record does not simply follow: the end of the input, another capture, and damage.

use std::io::{self, ErrorKind};

use super::{Capture, Format};
use crate::CaptureError;
use crate::buffer::Filled;
use crate::resume::{self, Damage, Resumption};

impl Capture {
    /// Continues with another capture that begins here; false at the end of the input.
    #[cold]
    pub(super) fn begin_next(&mut self) -> Result<bool, CaptureError> {
        let Some((format, header)) = Format::open(self.buffer.unread()) else { return self.read_on() };
        self.before = self.said();
        self.format = format;
        self.buffer.consume(header);
        Ok(true)
    }

    /// Fills the buffer; false at the end of the input.
    #[cold]
    pub(super) fn read_on(&mut self) -> Result<bool, CaptureError> {
        if self.ended || self.reading.is_stopped() {
            return self.end_within();
        }
        match self.buffer.fill() {
            Ok(Filled::More) => Ok(true),
            // A decompressor takes a stop for the end of its input, which is then cut.
            Err(_) if self.reading.is_stopped() => Ok(false),
            Ok(Filled::End) => {
                self.ended = true;
                self.end_within()
            }
            Ok(Filled::TooLarge) => self.resume(),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Converts an error of reading: decompressors report streams that are cut off, and damaged ones.
    fn failed(&mut self, error: io::Error) -> CaptureError {
        match error.kind() {
            ErrorKind::UnexpectedEof => self.cut(),
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other => {
                self.note_damage();
                self.damaged(None)
            }
            _ => error.into(),
        }
    }

    /// Ends the input if the bytes left are not a complete record. True if there is a record in them.
    fn end_within(&mut self) -> Result<bool, CaptureError> {
        let left = self.buffer.unread();
        if left.is_empty() || self.reading.is_stopped() {
            return self.end();
        }
        let zeros = left.len() >= 16 && left.iter().all(|byte| *byte == 0);
        let goes_on =
            || matches!(resume::find(&self.format, &left[1..], self.near(), true), Resumption::At(_));
        if zeros || self.format.is_strange(left) || goes_on() {
            return self.resume();
        }
        Err(self.cut())
    }

    fn end(&self) -> Result<bool, CaptureError> {
        if self.damage.is_some() { Err(self.damaged(Some(self.buffer.offset()))) } else { Ok(false) }
    }

    /// Finds the next complete record after damage; false if there is none.
    #[cold]
    pub(super) fn resume(&mut self) -> Result<bool, CaptureError> {
        self.note_damage();
        self.format.skip_damage(self.buffer.unread());
        self.lose(1);
        loop {
            match resume::find(&self.format, self.buffer.unread(), self.near(), self.ended) {
                Resumption::At(at) => {
                    self.lose(at);
                    return Ok(true);
                }
                Resumption::NotIn(bytes) => self.lose(bytes),
            }
            if self.ended {
                self.lose(self.buffer.unread().len());
                return self.end();
            }
            match self.buffer.fill() {
                Ok(Filled::More) => {}
                _ if self.reading.is_stopped() => return self.end(),
                Ok(Filled::End) => self.ended = true,
                Ok(Filled::TooLarge) => self.lose(1),
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    /// The time of the previous record.
    fn near(&self) -> Option<i64> {
        (self.records > 0).then_some(self.place.ts)
    }

    fn note_damage(&mut self) {
        let offset = self.buffer.offset();
        let damage = self.damage.get_or_insert(Damage { offset, places: 0, unread: 0, zeros: true });
        damage.places += 1;
    }

    /// Skips damaged bytes.
    fn lose(&mut self, len: usize) {
        let len = len.min(self.buffer.unread().len());
        if let Some(damage) = &mut self.damage {
            damage.add(&self.buffer.unread()[..len]);
        }
        self.buffer.consume(len);
    }

    fn cut(&mut self) -> CaptureError {
        if self.damage.is_none() {
            return CaptureError::Cut { records: self.records };
        }
        self.lose(self.buffer.unread().len());
        self.damaged(Some(self.buffer.offset()))
    }

    fn damaged(&self, total: Option<u64>) -> CaptureError {
        let Some(Damage { offset, places, unread, zeros }) = self.damage else {
            return CaptureError::Cut { records: self.records };
        };
        CaptureError::Damaged { records: self.records, offset, places, unread, total, zeros }
    }
}
