//! From packet to packet inside a datagram (docs/quic.md#walk).

use super::{Kinds, Version};
use crate::bytes::u32_at;

/// The bit that long headers have (RFC 8999, 5.1).
const LONG: u8 = 0x80;
/// The bit that is set unless it is greased (RFC 9287).
const FIXED: u8 = 0x40;
/// The longest connection id of the known versions (RFC 9000, 17.2).
const LONGEST_ID: usize = 20;
/// The smallest 1-RTT packet: with fewer bytes it could not be told from a stateless reset (RFC 9000, 10.3).
const SMALLEST_SHORT: usize = 21;

/// One packet of a datagram, or what is there instead of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// What it is: at most one kind, and [`Kinds::CUT`] if the walk was cut short in it.
    pub kinds: Kinds,
    /// Version, of one with one of the [`Kinds::VERSIONED`]; else 0.
    pub version: u32,
    /// Its header, of one with one of the [`Kinds::LONG`] whose header was captured.
    pub header: Option<Header<'a>>,
}

/// The long header of a packet of a known version (RFC 9000, 17.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Destination connection id, 0 to 20 bytes.
    pub dcid: &'a [u8],
    /// Source connection id, 0 to 20 bytes.
    pub scid: &'a [u8],
    /// Token of an Initial packet, without bytes if it has none; `None` if it was cut, and of other packets.
    pub token: Option<&'a [u8]>,
    /// The packet, if all of it was captured.
    pub whole: Option<Whole<'a>>,
}

/// A packet with a long header that was captured to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole<'a> {
    /// Its bytes, from the first of the header to the last by its Length.
    pub bytes: &'a [u8],
    /// Where among them its protected packet number begins.
    pub number_at: usize,
}

/// Why a walk ends inside a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// The datagram ends before.
    Junk,
    /// What was captured ends before.
    Cut,
}

/// A walk through a datagram.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    captured: &'a [u8],
    len: usize,
    /// Where the next packet begins; `None` behind the last one.
    next: Option<usize>,
}

impl<'a> Parts<'a> {
    /// Begins a walk through a datagram of `len` bytes that begins with those that were captured.
    pub(super) fn of(captured: &'a [u8], len: usize) -> Self {
        Self { captured: &captured[..captured.len().min(len)], len, next: Some(0) }
    }

    /// The part at `at`, and where it ends, if another may follow.
    fn part(&self, at: usize) -> Option<(Part<'a>, Option<usize>)> {
        if at == self.len && at > 0 {
            return None;
        }
        let Some(first) = self.captured.get(at) else {
            let kinds = if self.len == 0 { Kinds::JUNK } else { Kinds::CUT };
            return Some((Part::without_header(kinds), None));
        };
        if first & LONG == 0 {
            return self.short(at, *first).map(|kinds| (Part::without_header(kinds), None));
        }
        Some(self.long(at, *first))
    }

    /// What a byte without the bit of long headers begins; `None` for padding.
    const fn short(&self, at: usize, first: u8) -> Option<Kinds> {
        match (at == 0, self.len - at >= SMALLEST_SHORT) {
            (true, true) => Some(Kinds::SHORT),
            (true, false) => Some(Kinds::JUNK),
            (false, true) if first & FIXED != 0 => Some(Kinds::SHORT),
            (false, _) => None,
        }
    }

    fn long(&self, at: usize, first: u8) -> (Part<'a>, Option<usize>) {
        const JUNK: Part<'_> = Part::without_header(Kinds::JUNK);
        let header = self.ids(at);
        let cut = match header {
            Ok(_) => Kinds::default(),
            Err(Stop::Cut) => Kinds::CUT,
            Err(Stop::Junk) => return (JUNK, None),
        };
        let Some(number) = u32_at(self.captured, at + 1) else {
            return (Part::without_header(Kinds::CUT), None);
        };
        let Some(version) = Version::from_number(number) else {
            return (Part { kinds: Kinds::OTHER_VERSION | cut, version: number, header: None }, None);
        };
        let kind = kind_of(version, first);
        let part = |kinds, header| match kind {
            Some(kind) => Part { kinds: kind | kinds, version: number, header },
            // Clients send no Retry packets.
            None => Part::without_header(Kinds::JUNK | kinds),
        };
        let Ok((dcid, scid, end)) = header else { return (part(Kinds::CUT, None), None) };
        let Some(kind) = kind.filter(|_| dcid.len().max(scid.len()) <= LONGEST_ID) else {
            return (JUNK, None);
        };
        let mut header = Header { dcid, scid, token: None, whole: None };
        let mut fields = Fields { captured: self.captured, len: self.len, at: end };
        match fields.rest(kind == Kinds::INITIAL, &mut header.token) {
            Ok((number_at, end)) => {
                let bytes = &self.captured[at..end];
                header.whole = Some(Whole { bytes, number_at: number_at - at });
                (part(Kinds::default(), Some(header)), Some(end))
            }
            Err(Stop::Cut) => (part(Kinds::CUT, Some(header)), None),
            Err(Stop::Junk) => (JUNK, None),
        }
    }

    /// The ids of a long header of any version, and where it ends (RFC 8999, 5.1).
    fn ids(&self, at: usize) -> Result<(&'a [u8], &'a [u8], usize), Stop> {
        let len_at = |at: usize| self.captured.get(at).map(|len| usize::from(*len));
        let dcid_len = len_at(at + 5);
        let dcid_end = at + 6 + dcid_len.unwrap_or_default();
        let scid_len = dcid_len.and_then(|_| len_at(dcid_end));
        // It ends there at the earliest, by the lengths that are there.
        let end = dcid_end + 1 + scid_len.unwrap_or_default();
        if end > self.len {
            return Err(Stop::Junk);
        }
        let header = self.captured.get(..end).ok_or(Stop::Cut)?;
        Ok((&header[at + 6..dcid_end], &header[dcid_end + 1..], end))
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    #[inline]
    fn next(&mut self) -> Option<Part<'a>> {
        let (part, next) = self.part(self.next?)?;
        self.next = next;
        Some(part)
    }
}

impl Part<'_> {
    const fn without_header(kinds: Kinds) -> Self {
        Self { kinds, version: 0, header: None }
    }
}

/// The kind of a packet by its type bits (RFC 9000, 17.2; RFC 9369, 3.2); `None` for Retry.
const fn kind_of(version: Version, first: u8) -> Option<Kinds> {
    let bits = first >> 4 & 3;
    // Version 2 counts from Retry on.
    let v1_bits = if matches!(version, Version::V2) { bits.wrapping_sub(1) & 3 } else { bits };
    match v1_bits {
        0 => Some(Kinds::INITIAL),
        1 => Some(Kinds::ZERO_RTT),
        2 => Some(Kinds::HANDSHAKE),
        _ => None,
    }
}

/// The fields of a packet that follow its ids.
struct Fields<'a> {
    captured: &'a [u8],
    len: usize,
    at: usize,
}

impl<'a> Fields<'a> {
    /// Walks token and Length, and returns where the packet number begins and where the packet ends.
    fn rest(&mut self, is_initial: bool, token: &mut Option<&'a [u8]>) -> Result<(usize, usize), Stop> {
        if is_initial {
            let len = self.varint()?;
            *token = Some(self.take(len)?);
        }
        let len = self.varint()?;
        let number_at = self.at;
        self.take(len)?;
        Ok((number_at, self.at))
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], Stop> {
        let len = usize::try_from(len).map_err(|_| Stop::Junk)?;
        let end = self.at.checked_add(len).filter(|end| *end <= self.len).ok_or(Stop::Junk)?;
        let taken = self.captured.get(self.at..end).ok_or(Stop::Cut)?;
        self.at = end;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Stop> {
        let Some(first) = self.captured.get(self.at) else {
            return Err(if self.at < self.len { Stop::Cut } else { Stop::Junk });
        };
        let number = self.take(1 << (first >> 6))?;
        varint(number).map(|(value, _)| value).ok_or(Stop::Cut)
    }
}

/// Reads a number of 1, 2, 4 or 8 bytes (RFC 9000, 16), and returns it with what follows; `None` if it is cut.
///
/// ```
/// use cutshort_packet::quic::varint;
///
/// assert_eq!(varint(&[0x7b, 0xbd, 9]), Some((15_293, &[9][..])));
/// assert_eq!(varint(&[0x7b]), None);
/// ```
#[must_use]
#[inline]
pub fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_at_checked(1 << (bytes.first()? >> 6))?;
    let (first, more) = number.split_first()?;
    let value = more.iter().fold(u64::from(first & 0x3f), |value, byte| value << 8 | u64::from(*byte));
    Some((value, rest))
}
