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

/// Where a record lies in the unread bytes, and what its header says.
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
            let parsed = match &mut self.format {
                Format::Pcap(pcap) => pcap.next(self.buffer.unread(), &mut self.place),
                Format::Pcapng(pcapng) => pcapng.next(self.buffer.unread(), &mut self.place),
            };
            match parsed {
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
        let Place { ts, link, wire_len, data: (start, len), .. } = self.place;
        let bytes = self.buffer.unread().get(start..start + len)?;
        Some(Record { link, frame: Frame { ts, wire_len, bytes } })
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
