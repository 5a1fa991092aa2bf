//! The segment that is being written: framed records that survive a crash.
//!
//! A file is a sequence of frames: the length of the content and its CRC-32 (each 4 bytes, little endian), then the
//! content. The first frame describes the segment; each of the others has packets and the time up to which the
//! segment covers. A frame counts only if it is complete and all frames before it are.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::segment::{
    EARLIER_PACKET_BYTES, PACKET_BYTES, PROTECTION_BYTES, check_packet, earlier_packet_from_bytes,
    packet_from_bytes, packet_to_bytes, protection_from_bytes, protection_to_bytes,
};
use crate::{
    Keepable, KeptDatagram, Protected, Provenance, Recordable, Result, Segment, SegmentId, SegmentSource,
    StoreError,
};
use cutshort_files::durable::sync_content;
use cutshort_model::Addresses;
use cutshort_verdict::DataSet;

/// When appended packets are flushed to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPolicy {
    /// Before `append` returns.
    Always,
    /// When the last flush is longer ago than this: if the machine crashes, at most that much is lost.
    Every(Duration),
    /// When the operating system does so. A crash of the program alone loses nothing.
    Never,
}

/// The description of a segment that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    id: SegmentId,
    data_set: DataSet,
    origin: Provenance,
    node: String,
    from: i64,
}

/// A segment that is being written, in memory and in a file: of packets, or of [`KeptDatagram`]s.
pub struct OpenSegment<R = Protected> {
    file: File,
    path: PathBuf,
    head: Head,
    /// The length up to which the file is known to be complete.
    len: u64,
    sync: SyncPolicy,
    synced: Instant,
    content: Content<R>,
}

/// Packets, and the time that they cover.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Content<R> {
    packets: Vec<R>,
    covers: (i64, i64),
}

impl<R: Recordable> Content<R> {
    /// Adds packets. Packets outside the covered time extend it.
    fn add(&mut self, packets: impl Iterator<Item = R>, covered_to: i64) {
        self.covers.1 = self.covers.1.max(covered_to);
        for packet in packets {
            let ts = packet.packet().ts;
            self.covers = (self.covers.0.min(ts), self.covers.1.max(ts));
            self.packets.push(packet);
        }
    }
}

impl<R: Recordable> OpenSegment<R> {
    /// Begins a segment in a new file. It covers time from the beginning of what `source` covers. The ID should
    /// be random: it remains that of the segment, also after a crash.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if the file exists; errors of the file system.
    pub fn create(path: &Path, id: SegmentId, source: &SegmentSource<'_>, sync: SyncPolicy) -> Result<Self> {
        let SegmentSource { data_set, node, origin, covers: (from, _) } = *source;
        let head = Head { id, data_set, origin, node: node.to_owned(), from };
        let file = File::options().create_new(true).write(true).open(path);
        let file = file.map_err(|error| failed(path, error))?;
        let mut open = Self {
            file,
            path: path.to_owned(),
            content: Content { packets: Vec::new(), covers: (from, from) },
            len: 0,
            sync,
            synced: Instant::now(),
            head,
        };
        open.write(&frame(&open.head.to_bytes()))?;
        Ok(open)
    }

    /// Adds packets, with full addresses or [`Protected`], and extends the covered time to `covered_to`. All packets
    /// of a segment must keep their addresses in the same way.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for packets that a segment cannot hold, and errors of the file system, such as
    /// [`StoreError::Full`]. Nothing was added then, and the call can be repeated.
    pub fn append<P: Keepable + Into<R>>(&mut self, packets: &[P], covered_to: i64) -> Result<()> {
        self.check(packets).map_err(StoreError::Refused)?;
        self.write(&frame(&batch_to_bytes(packets, covered_to)))?;
        self.content.add(packets.iter().map(|packet| (*packet).into()), covered_to);
        Ok(())
    }

    fn check<P: Keepable>(&self, packets: &[P]) -> std::result::Result<(), String> {
        let before = self.content.packets.first().map(|packet| packet.protection().addresses);
        let first = before.or_else(|| packets.first().map(|packet| packet.protection().addresses));
        if packets.iter().any(|packet| Some(packet.protection().addresses) != first) {
            return Err("packets with full and other addresses cannot be in one segment".to_owned());
        }
        packets.iter().try_for_each(|packet| check_packet(packet, self.head.data_set, (i64::MIN, i64::MAX)))
    }

    fn write(&mut self, frame: &[u8]) -> Result<()> {
        let written = self.file.write_all(frame).and_then(|()| self.sync_if_wanted());
        if let Err(error) = written {
            // What is there of the frame must not stand before the next one.
            let back =
                self.file.set_len(self.len).and_then(|()| self.file.seek(io::SeekFrom::Start(self.len)));
            back.map_err(|error| failed(&self.path, error))?;
            return Err(failed(&self.path, error));
        }
        self.len += frame.len() as u64;
        Ok(())
    }

    fn sync_if_wanted(&mut self) -> io::Result<()> {
        match self.sync {
            SyncPolicy::Always => {}
            SyncPolicy::Every(time) if self.synced.elapsed() >= time => {}
            SyncPolicy::Every(_) | SyncPolicy::Never => return Ok(()),
        }
        self.synced = Instant::now();
        sync_content(&self.file, &self.path)
    }

    /// The number of packets so far.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.content.packets.len()
    }

    /// The time that is covered, from and to, in nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn covers(&self) -> (i64, i64) {
        self.content.covers
    }

    /// Encodes everything so far as a segment. The file remains until it is [removed](Self::remove), which should be
    /// done once the segment is stored.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if a segment cannot hold these packets.
    pub fn seal(&self) -> Result<Segment> {
        to_segment(&self.head, self.content.clone())
    }

    /// Removes the file.
    pub fn remove(self) -> Result<()> {
        fs::remove_file(&self.path).map_err(|error| failed(&self.path, error))
    }
}

/// Reads what a crash has left of a segment, up to the last complete frame; none if there are no packets.
///
/// # Errors
/// The file cannot be read, or a segment cannot hold its packets.
pub fn replay(path: &Path) -> Result<Option<Segment>> {
    let bytes = fs::read(path).map_err(|error| failed(path, error))?;
    let mut rest = &bytes[..];
    match head(&mut rest) {
        Some((head, version)) if head.data_set == DataSet::Quic => {
            replay_as::<KeptDatagram>(&head, version, rest)
        }
        Some((head, version)) => replay_as::<Protected>(&head, version, rest),
        None => Ok(None),
    }
}

fn replay_as<R: Recordable>(head: &Head, version: u8, bytes: &[u8]) -> Result<Option<Segment>> {
    let content = batches::<R>(head, version, bytes);
    content.map(|content| to_segment(head, content)).transpose()
}

fn to_segment<R: Keepable>(head: &Head, content: Content<R>) -> Result<Segment> {
    let Content { packets, covers } = content;
    let source = SegmentSource { data_set: head.data_set, node: &head.node, origin: head.origin, covers };
    Segment::encode(packets, &source, Some(head.id))
}

fn failed(path: &Path, error: io::Error) -> StoreError {
    StoreError::io(format!("the open segment {}", path.display()), error)
}

fn frame(content: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(content.len() + 8);
    frame.extend_from_slice(&(content.len() as u32).to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(content).to_le_bytes());
    frame.extend_from_slice(content);
    frame
}

/// Decodes the first frame, with the version of the frames' content.
fn head(bytes: &mut &[u8]) -> Option<(Head, u8)> {
    let head = next_frame(bytes)?;
    let version = *head.first()?;
    Some((Head::from_bytes(head)?, version))
}

/// Decodes the complete frames behind the first; none if there are no packets.
fn batches<R: Recordable>(head: &Head, version: u8, mut bytes: &[u8]) -> Option<Content<R>> {
    let mut content = Content { packets: Vec::new(), covers: (head.from, head.from) };
    let mut batches = 0;
    while let Some((packets, covered_to)) =
        next_frame(&mut bytes).and_then(|bytes| batch_from_bytes(bytes, version))
    {
        content.add(packets, covered_to);
        batches += 1;
    }
    (batches > 0).then_some(content)
}

/// The content of the next frame, unless it is damaged.
fn next_frame<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u32::from_le_bytes(take(bytes)?);
    let crc = u32::from_le_bytes(take(bytes)?);
    let (content, rest) = bytes.split_at_checked(usize::try_from(len).ok()?)?;
    *bytes = rest;
    (crc32fast::hash(content) == crc).then_some(content)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

/// The version of the frames' content that is written: it names the data set, and packets have their options.
const VERSION: u8 = 4;
/// Earlier versions, without the options of packets: of the data set `tcp`, and of others, which is named.
const VERSION_OF_TCP: u8 = 2;
const VERSION_WITH_DATA_SET: u8 = 3;

impl Head {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, self.data_set as u8];
        bytes.extend_from_slice(&self.id.0.to_le_bytes());
        bytes.extend_from_slice(&self.from.to_le_bytes());
        let name = self.origin.name();
        bytes.push(name.len() as u8);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(self.node.as_bytes());
        bytes
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let [version] = take(&mut bytes)?;
        let data_set = match version {
            VERSION_OF_TCP => DataSet::Tcp,
            VERSION | VERSION_WITH_DATA_SET => {
                let [code] = take(&mut bytes)?;
                DataSet::ALL.into_iter().find(|data_set| *data_set as u8 == code)?
            }
            _ => return None,
        };
        let id = SegmentId(u128::from_le_bytes(take(&mut bytes)?));
        let from = i64::from_le_bytes(take(&mut bytes)?);
        let [len] = take(&mut bytes)?;
        let (origin, node) = bytes.split_at_checked(len.into())?;
        let origin = Provenance::from_name(std::str::from_utf8(origin).ok()?)?;
        let node = String::from_utf8(node.to_vec()).ok()?;
        Some(Self { id, data_set, origin, node, from })
    }
}

/// Encodes the time up to which the segment covers, how addresses are kept, and the packets.
fn batch_to_bytes<P: Keepable>(packets: &[P], covered_to: i64) -> Vec<u8> {
    let addresses = packets.first().map_or(Addresses::Full, |packet| packet.protection().addresses);
    let mut bytes = covered_to.to_le_bytes().to_vec();
    bytes.push(addresses as u8);
    for packet in packets {
        bytes.extend(packet_to_bytes(packet.packet()));
        if addresses != Addresses::Full {
            bytes.extend(protection_to_bytes(packet.protection()));
        }
        bytes.extend(packet.ids().into_iter().flat_map(|ids| ids.to_bytes()));
    }
    bytes
}

fn batch_from_bytes<R: Recordable>(
    mut bytes: &[u8],
    version: u8,
) -> Option<(impl Iterator<Item = R> + use<'_, R>, i64)> {
    let covered_to = i64::from_le_bytes(take(&mut bytes)?);
    let [addresses] = take(&mut bytes)?;
    let addresses = Addresses::ALL.into_iter().find(|known| *known as u8 == addresses)?;
    let packet = if version == VERSION { PACKET_BYTES } else { EARLIER_PACKET_BYTES };
    let protection = if addresses == Addresses::Full { 0 } else { PROTECTION_BYTES };
    let length = packet + protection + R::MORE_BYTES;
    let packets = bytes.chunks_exact(length);
    let row_of = move |bytes: &[u8]| {
        let (bytes, more) = bytes.split_at(packet + protection);
        R::from_recorded(packet_of(bytes.split_at(packet), addresses)?, more)
    };
    packets.remainder().is_empty().then(|| (packets.filter_map(row_of), covered_to))
}

/// Decodes a packet, and its protection if addresses are not full.
fn packet_of((packet, rest): (&[u8], &[u8]), addresses: Addresses) -> Option<Protected> {
    let packet = match packet.try_into() {
        Ok(packet) => packet_from_bytes(packet),
        Err(_) => earlier_packet_from_bytes(packet.try_into().ok()?),
    };
    let packet = Protected::from(packet);
    match rest.first_chunk() {
        Some(rest) => Some(Protected { protection: protection_from_bytes(rest, addresses), ..packet }),
        None => Some(packet),
    }
}

#[cfg(test)]
mod tests;
