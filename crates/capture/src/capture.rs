use std::io::{self, ErrorKind};

use cutshort_packet::{Frame, LinkType};

use crate::buffer::{Buffer, Filled};
use crate::foreign::Foreign;
use crate::pcap::{self, Pcap};
use crate::pcapng::{self, Drops, Pcapng};
use crate::resume::{self, Damage, Found, Step};
use crate::{CaptureError, Input, Reading};

/// One capture being read, record by record.
pub struct Capture {
    buffer: Buffer,
    format: Format,
    /// Of the record that is looked at; its bytes are the first unread ones.
    place: Place,
    has_record: bool,
    records: u64,
    /// What could not be read so far.
    damage: Option<Damage>,
    /// Whether the input has ended.
    ended: bool,
    /// What captures said that were joined before the current one.
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
    /// Reads the file header of a pcap, and its length; that of a pcapng is its first block. `None` if there is
    /// none, or not all of it.
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

    /// Whether what is left at the end of the input cannot be the beginning of a record.
    fn is_strange(&self, left: &[u8]) -> bool {
        matches!(self, Self::Pcapng(pcapng) if pcapng.is_strange(left))
    }

    /// Notes that what begins here is damaged and will be skipped.
    fn skip_damage(&mut self, bytes: &[u8]) {
        if let Self::Pcapng(pcapng) = self {
            pcapng.skip_damage(bytes);
        }
    }

    #[inline]
    fn next(&mut self, bytes: &[u8], place: &mut Place) -> Parsed {
        match self {
            Self::Pcap(pcap) => pcap.next(bytes, place),
            Self::Pcapng(pcapng) => pcapng.next(bytes, place),
        }
    }
}

/// Where a record lies in the unread bytes, and what its header says.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) ts: i64,
    pub(crate) link: Result<LinkType, u32>,
    pub(crate) wire_len: u32,
    /// Where its frame begins, and how long that is.
    pub(crate) data: (usize, usize),
    /// Bytes of the record with its header.
    pub(crate) len: usize,
}

impl Place {
    const NONE: Self = Self { ts: 0, link: Err(0), wire_len: 0, data: (0, 0), len: 0 };

    /// The record, of which `unread` are the first bytes.
    #[inline(always)]
    fn record<'a>(&self, unread: &'a [u8]) -> Option<Record<'a>> {
        let (start, len) = self.data;
        let bytes = unread.get(start..start + len)?;
        Some(Record { link: self.link, frame: Frame { ts: self.ts, wire_len: self.wire_len, bytes } })
    }
}

/// What the unread bytes begin with.
pub(crate) enum Parsed {
    Record,
    /// A block without a packet, of that many bytes.
    Nothing(usize),
    /// The beginning of another capture.
    Header,
    Incomplete,
    Damaged,
}

/// A captured frame.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// What it begins with, or the number of a link type that is not supported.
    pub link: Result<LinkType, u32>,
    /// Its bytes and time.
    pub frame: Frame<'a>,
}

impl Capture {
    /// Finds out what kind of capture the input is.
    ///
    /// # Errors
    /// That it is none.
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
            place: Place::NONE,
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

    /// A pcapng whose first block is none was never one.
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

    /// Steps to the next record. False at the end, and when [`Reading::stop`] was called.
    ///
    /// # Errors
    /// Why the capture cannot be read on. Do not step any further then.
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

    /// Goes over to another capture, which begins here; false at the end of the input.
    #[cold]
    fn begin_next(&mut self) -> Result<bool, CaptureError> {
        let Some((format, header)) = Format::open(self.buffer.unread()) else { return self.read_on() };
        self.before = self.said();
        self.format = format;
        self.buffer.consume(header);
        Ok(true)
    }

    /// Fills the buffer; false at the end of the input.
    #[cold]
    fn read_on(&mut self) -> Result<bool, CaptureError> {
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

    /// What reading gave, in terms of captures: what decompressors say of a stream that is cut, and of one that
    /// is damaged.
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

    /// Ends the input, of which something is left that is no whole record. True if there is a record in it.
    fn end_within(&mut self) -> Result<bool, CaptureError> {
        let left = self.buffer.unread();
        if left.is_empty() || self.reading.is_stopped() {
            return self.end();
        }
        let zeros = left.len() >= 16 && left.iter().all(|byte| *byte == 0);
        let goes_on = || matches!(resume::find(&self.format, &left[1..], self.near(), true), Found::At(_));
        if zeros || self.format.is_strange(left) || goes_on() {
            return self.resume();
        }
        Err(self.cut())
    }

    fn end(&self) -> Result<bool, CaptureError> {
        if self.damage.is_some() { Err(self.damaged(Some(self.buffer.offset()))) } else { Ok(false) }
    }

    /// Looks for the next whole record behind damage; false if there is none.
    #[cold]
    fn resume(&mut self) -> Result<bool, CaptureError> {
        self.note_damage();
        self.format.skip_damage(self.buffer.unread());
        self.lose(1);
        loop {
            match resume::find(&self.format, self.buffer.unread(), self.near(), self.ended) {
                Found::At(at) => {
                    self.lose(at);
                    return Ok(true);
                }
                Found::NotIn(bytes) => self.lose(bytes),
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

    /// The time of the record before.
    fn near(&self) -> Option<i64> {
        (self.records > 0).then_some(self.place.ts)
    }

    fn note_damage(&mut self) {
        let offset = self.buffer.offset();
        let damage = self.damage.get_or_insert(Damage { offset, places: 0, unread: 0, zeros: true });
        damage.places += 1;
    }

    /// Steps over damaged bytes.
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

    /// The record that was stepped to.
    #[must_use]
    #[inline]
    pub fn record(&self) -> Option<Record<'_>> {
        if !self.has_record {
            return None;
        }
        self.place.record(self.buffer.unread())
    }

    /// Shows the record that was stepped to and those that follow it in the buffer, as long as the
    /// visitor wants them and they are not later than `until`. Steps behind the last one.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
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

    /// Its time.
    #[inline]
    pub(crate) fn ts(&self) -> Option<i64> {
        self.has_record.then_some(self.place.ts)
    }

    /// The program that wrote the capture (`shb_userappl`), where a pcapng says it.
    #[must_use]
    pub fn application(&self) -> Option<&str> {
        match &self.format {
            Format::Pcapng(pcapng) => pcapng.application(),
            Format::Pcap(_) => None,
        }
    }

    /// The programs that wrote the captures that were joined here, as far as these say it.
    #[must_use]
    pub fn applications(&self) -> Vec<String> {
        self.said().applications
    }

    /// Records that carry no time (pcapng's simple packet blocks) so far. They are given the time
    /// of the record before.
    #[must_use]
    pub fn without_time(&self) -> u64 {
        self.said().without_time
    }

    /// Packets that the capture itself says were lost, so far.
    #[must_use]
    pub fn drops(&self) -> Drops {
        self.said().drops
    }

    /// All that was said so far.
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

/// Is shown records, one after the other.
pub trait Visitor {
    /// Takes a record; false if the next one shall wait.
    fn record(&mut self, record: Record<'_>) -> bool;
}

/// A way through the unread bytes, in variables of its own: unlike the fields of a capture these stay in
/// registers.
struct Walk<'a> {
    rest: &'a [u8],
    place: Place,
    /// Whether `rest` begins with the record at `place`, rather than with what is no whole record.
    on_record: bool,
    /// Records that were stepped to.
    records: u64,
}

impl Walk<'_> {
    #[inline(always)]
    fn on(
        mut self,
        until: i64,
        mut next: impl FnMut(&[u8], &mut Place) -> Parsed,
        visitor: &mut (impl Visitor + ?Sized),
    ) -> Self {
        loop {
            let goes_on = self.place.record(self.rest).is_some_and(|record| visitor.record(record));
            self.skip(self.place.len);
            match next(self.rest, &mut self.place) {
                Parsed::Record => self.records += 1,
                Parsed::Nothing(len) => {
                    self.skip(len);
                    self.on_record = false;
                }
                Parsed::Header | Parsed::Incomplete | Parsed::Damaged => self.on_record = false,
            }
            if !goes_on || !self.on_record || self.place.ts > until {
                return self;
            }
        }
    }

    #[inline(never)]
    fn on_with(self, until: i64, format: &mut Format, visitor: &mut dyn Visitor) -> Self {
        self.on(until, |bytes, place| format.next(bytes, place), visitor)
    }

    #[inline(always)]
    fn skip(&mut self, len: usize) {
        self.rest = self.rest.get(len..).unwrap_or_default();
    }
}

/// Reads more of a header; false at the end of the input.
fn fill_header(buffer: &mut Buffer) -> Result<bool, CaptureError> {
    match buffer.fill() {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(CaptureError::HeaderCut),
        filled => Ok(filled? == Filled::More),
    }
}

/// Why an input that begins neither like pcap nor like pcapng cannot be read.
fn no_capture(buffer: &mut Buffer) -> Result<CaptureError, CaptureError> {
    if pcap::is_pcap(buffer.unread()) {
        return Ok(CaptureError::HeaderCut);
    }
    while buffer.unread().len() < Foreign::ENOUGH && fill_header(buffer)? {}
    Ok(Foreign::of(buffer.unread()).map_or(CaptureError::NotACapture, CaptureError::Foreign))
}
