use std::io::ErrorKind;

use crate::buffer::{Buffer, Filled};
use crate::foreign::Foreign;
use crate::pcap::{self, Pcap};
use crate::pcapng::{self, Drops, Pcapng};
use crate::record::{Parsed, Record, RecordPosition};
use crate::resume::{Damage, Step};
use crate::{CaptureError, Input, Reading};

mod lossy;
mod walk;

pub use walk::Visitor;
use walk::Walk;

/// A reader of one capture, record by record.
pub struct Capture {
    buffer: Buffer,
    format: Format,
    /// Of the record that is looked at; its bytes are the first unread ones.
    place: RecordPosition,
    has_record: bool,
    records: u64,
    /// The damage found so far.
    damage: Option<Damage>,
    /// Whether the input has ended.
    ended: bool,
    /// The counts of captures that are concatenated before the current one.
    before: Said,
    reading: Reading,
}

/// What a capture says about itself.
#[derive(Clone, Debug, Default)]
struct Said {
    applications: Vec<String>,
    without_time: u64,
    drops: Drops,
}

pub(crate) enum Format {
    Pcap(Pcap),
    Pcapng(Box<Pcapng>),
}

impl Format {
    /// Parses the file header of a pcap and returns its length; that of a pcapng is its first block. `None` if there
    /// is no such header, or only a part of it.
    fn open(bytes: &[u8]) -> Option<(Self, usize)> {
        if bytes.starts_with(&pcapng::MAGIC) {
            return Some((Self::Pcapng(Box::default()), 0));
        }
        Pcap::open(bytes).map(|pcap| (Self::Pcap(pcap), pcap::HEADER))
    }

    /// Whether bytes look like a record or block.
    pub(crate) fn step(&self, bytes: &[u8], near: Option<i64>, is_first: bool) -> Step {
        match self {
            Self::Pcap(pcap) => pcap.step(bytes, near),
            Self::Pcapng(pcapng) => pcapng.step(bytes, is_first),
        }
    }

    /// Whether the bytes left at the end of the input cannot be the start of a record.
    fn is_strange(&self, left: &[u8]) -> bool {
        matches!(self, Self::Pcapng(pcapng) if pcapng.is_strange(left))
    }

    /// Records that the data here is damaged and will be skipped.
    fn skip_damage(&mut self, bytes: &[u8]) {
        if let Self::Pcapng(pcapng) = self {
            pcapng.skip_damage(bytes);
        }
    }

    #[inline]
    fn next(&mut self, bytes: &[u8], place: &mut RecordPosition) -> Parsed {
        match self {
            Self::Pcap(pcap) => pcap.next(bytes, place),
            Self::Pcapng(pcapng) => pcapng.next(bytes, place),
        }
    }
}

impl Capture {
    /// Detects the format of the input and reads its header.
    ///
    /// # Errors
    /// [`CaptureError`] says why it cannot be read as a capture.
    pub fn open(input: Input, reading: &Reading) -> Result<Self, CaptureError> {
        let mut buffer = Buffer::new(input.decompressed(reading)?);
        while buffer.unread().len() < pcap::HEADER && fill_header(&mut buffer)? {}
        let format = match buffer.unread() {
            [] => return Err(CaptureError::Empty),
            bytes => Format::open(bytes),
        };
        let Some((format, header)) = format else { return Err(no_capture(&mut buffer)?) };
        buffer.consume(header);
        let mut capture = Self {
            buffer,
            format,
            place: RecordPosition::NONE,
            has_record: false,
            records: 0,
            damage: None,
            ended: false,
            before: Said::default(),
            reading: reading.clone(),
        };
        capture.check_section()?;
        Ok(capture)
    }

    /// A pcapng whose first block is invalid is not a pcapng.
    fn check_section(&mut self) -> Result<(), CaptureError> {
        let Format::Pcapng(pcapng) = &mut self.format else { return Ok(()) };
        loop {
            match pcapng.next(self.buffer.unread(), &mut self.place) {
                Parsed::Nothing(len) => {
                    self.buffer.consume(len);
                    return Ok(());
                }
                Parsed::Incomplete if fill_header(&mut self.buffer)? => {}
                Parsed::Incomplete => return Err(CaptureError::HeaderCut),
                _ => return Err(CaptureError::NotACapture),
            }
        }
    }

    /// Moves to the next record. False at the end, and after [`Reading::stop`] was called.
    ///
    /// # Errors
    /// [`CaptureError`] says why the rest cannot be read. Do not call this again then.
    #[inline]
    pub fn advance(&mut self) -> Result<bool, CaptureError> {
        if std::mem::take(&mut self.has_record) {
            self.buffer.consume(self.place.len);
        }
        loop {
            match self.format.next(self.buffer.unread(), &mut self.place) {
                Parsed::Record => {
                    self.has_record = true;
                    self.records += 1;
                    return Ok(true);
                }
                Parsed::Nothing(len) => self.buffer.consume(len),
                Parsed::Incomplete => {
                    if !self.read_on()? {
                        return Ok(false);
                    }
                }
                Parsed::Header => {
                    if !self.begin_next()? {
                        return Ok(false);
                    }
                }
                Parsed::Damaged => {
                    if !self.resume()? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// The current record.
    #[must_use]
    #[inline]
    pub fn record(&self) -> Option<Record<'_>> {
        if !self.has_record {
            return None;
        }
        self.place.record(self.buffer.unread())
    }

    /// Passes the current record and those that follow it in the buffer to the visitor, as long as it wants them and
    /// they are not later than `until`. Moves past the last of them.
    ///
    /// # Errors
    /// The same as those of [`advance`](Self::advance).
    #[inline(always)]
    pub(crate) fn show(&mut self, until: i64, visitor: &mut impl Visitor) -> Result<bool, CaptureError> {
        if !self.has_record {
            return self.advance();
        }
        let walk = Walk { rest: self.buffer.unread(), place: self.place, on_record: true, records: 0 };
        let unread = walk.rest.len();
        let Walk { rest, place, on_record, records } = match &mut self.format {
            // What most captures are gets code of its own.
            Format::Pcap(pcap) if !pcap.is_big_endian() => {
                let pcap = *pcap;
                walk.on(until, |bytes, place| pcap.next_in::<false>(bytes, place), visitor)
            }
            format => walk.on_with(until, format, visitor),
        };
        let consumed = unread - rest.len();
        self.buffer.consume(consumed);
        (self.place, self.has_record) = (place, on_record);
        self.records += records;
        if on_record { Ok(true) } else { self.advance() }
    }

    /// The time of the current record, in nanoseconds since the Unix epoch.
    #[inline]
    pub(crate) fn ts(&self) -> Option<i64> {
        self.has_record.then_some(self.place.ts)
    }

    /// The program that wrote the capture (`shb_userappl`), if a pcapng names it.
    #[must_use]
    pub fn application(&self) -> Option<&str> {
        match &self.format {
            Format::Pcapng(pcapng) => pcapng.application(),
            Format::Pcap(_) => None,
        }
    }

    /// The programs that wrote the captures concatenated here, as far as they are named.
    #[must_use]
    pub fn applications(&self) -> Vec<String> {
        self.said().applications
    }

    /// The number of records without a time (pcapng's simple packet blocks) so far. They get the time of the previous
    /// record.
    #[must_use]
    pub fn without_time(&self) -> u64 {
        self.said().without_time
    }

    /// The number of lost packets that the capture reports, so far.
    #[must_use]
    pub fn drops(&self) -> Drops {
        self.said().drops
    }

    /// Everything that the capture has said about itself so far.
    fn said(&self) -> Said {
        let mut said = self.before.clone();
        if let Format::Pcapng(pcapng) = &self.format {
            said.applications.extend(pcapng.applications.iter().cloned());
            said.without_time += pcapng.without_time;
            said.drops.add(&pcapng.drops());
        }
        said
    }
}

/// Reads more of a header; false at the end of the input.
fn fill_header(buffer: &mut Buffer) -> Result<bool, CaptureError> {
    match buffer.fill() {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(CaptureError::HeaderCut),
        filled => Ok(filled? == Filled::More),
    }
}

/// Why an input that begins neither as a pcap nor as a pcapng cannot be read.
fn no_capture(buffer: &mut Buffer) -> Result<CaptureError, CaptureError> {
    if pcap::is_pcap(buffer.unread()) {
        return Ok(CaptureError::HeaderCut);
    }
    while buffer.unread().len() < Foreign::ENOUGH && fill_header(buffer)? {}
    Ok(Foreign::of(buffer.unread()).map_or(CaptureError::NotACapture, CaptureError::Foreign))
}
