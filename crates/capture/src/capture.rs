use std::io::ErrorKind;

use cutshort_packet::{Frame, LinkType};

use crate::buffer::{Buffer, Filled};
use crate::pcap::{self, Pcap};
use crate::pcapng::{self, Pcapng};
use crate::{CaptureError, Input, Reading};

/// One capture being read, record by record.
pub struct Capture {
    buffer: Buffer,
    format: Format,
    /// Of the record that is looked at; its bytes are the first unread ones.
    place: Place,
    has_record: bool,
    records: u64,
    reading: Reading,
}

enum Format {
    Pcap(Pcap),
    Pcapng(Box<Pcapng>),
}

impl Format {
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
            bytes if bytes.starts_with(&pcapng::MAGIC) => Format::Pcapng(Box::default()),
            bytes => match Pcap::open(bytes) {
                Some(pcap) => Format::Pcap(pcap),
                None if is_pcap_magic(bytes) => return Err(CaptureError::HeaderCut),
                None => return Err(CaptureError::NotACapture),
            },
        };
        if matches!(format, Format::Pcap(_)) {
            buffer.consume(pcap::HEADER);
        }
        let mut capture = Self {
            buffer,
            format,
            place: Place::NONE,
            has_record: false,
            records: 0,
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
                Parsed::Damaged => return Err(self.damaged()),
            }
        }
    }

    /// Fills the buffer; false at the end of the input.
    #[cold]
    fn read_on(&mut self) -> Result<bool, CaptureError> {
        if self.reading.is_stopped() {
            return Ok(false);
        }
        match self.buffer.fill() {
            Ok(Filled::More) => Ok(true),
            // A decompressor takes a stop for the end of its input, which is then cut.
            Err(_) if self.reading.is_stopped() => Ok(false),
            Ok(Filled::End) if self.buffer.unread().is_empty() || self.reading.is_stopped() => Ok(false),
            Ok(Filled::End) => Err(self.cut()),
            Ok(Filled::TooLarge) => Err(self.damaged()),
            Err(error) => Err(match error.kind() {
                // What decompressors say of a stream that is cut, and of one that is damaged.
                ErrorKind::UnexpectedEof => self.cut(),
                ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other => self.damaged(),
                _ => error.into(),
            }),
        }
    }

    const fn cut(&self) -> CaptureError {
        CaptureError::Cut { records: self.records }
    }

    const fn damaged(&self) -> CaptureError {
        CaptureError::Damaged { records: self.records, offset: self.buffer.offset() }
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
            Format::Pcapng(pcapng) => pcapng.application.as_deref(),
            Format::Pcap(_) => None,
        }
    }

    /// Records that carry no time (pcapng's simple packet blocks) so far. They are given the time
    /// of the record before.
    #[must_use]
    pub fn without_time(&self) -> u64 {
        match &self.format {
            Format::Pcapng(pcapng) => pcapng.without_time,
            Format::Pcap(_) => 0,
        }
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
                Parsed::Incomplete | Parsed::Damaged => self.on_record = false,
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

/// Whether this is the beginning of a pcap that ends too early.
fn is_pcap_magic(bytes: &[u8]) -> bool {
    const EITHER_ORDER: [u32; 2] = [0xa1b2_c3d4, 0xa1b2_3c4d];
    const MODIFIED: u32 = 0xa1b2_cd34;
    let Some(magic) = bytes.first_chunk() else { return false };
    let (little, big) = (u32::from_le_bytes(*magic), u32::from_be_bytes(*magic));
    little == MODIFIED || EITHER_ORDER.contains(&little) || EITHER_ORDER.contains(&big)
}
