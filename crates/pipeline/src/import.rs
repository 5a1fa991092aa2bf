//! Captures into the store.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use cutshort_model::Addresses;
use cutshort_packet::Packet;
use cutshort_store::{Added, Protected, Result, Segment, Store};
use cutshort_verdict::{ReaderClock, Rules};

use crate::cut::{Cutter, Piece};
use crate::{Privacy, reader_clock};

/// A record of a capture, in reading order.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Its time, in nanoseconds since the Unix epoch.
    pub ts: i64,
    /// Its TCP packet, if it is one.
    pub packet: Option<Packet>,
    /// Whether the capture says that it is made up.
    pub simulated: bool,
}

/// What an import has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Segments that were not there before.
    pub new: u64,
    /// Segments that were there already.
    pub known: u64,
    /// Packets of all these segments: those that count.
    pub packets: u64,
    /// Bytes of the new segments.
    pub bytes: u64,
    /// Packets that came after their window was closed, and do not count.
    pub late: u64,
}

impl Imported {
    /// Adds another import's.
    pub const fn merge(&mut self, other: &Self) {
        self.new += other.new;
        self.known += other.known;
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.late += other.late;
    }
}

/// Puts one capture into the store, as segments that depend on its records only.
///
/// Of each 5-tuple and window the first [`packet_limit`](Rules::packet_limit) packets in order of
/// arrival are kept, as `classify` takes them. `is_whole` is asked when there are no more records: if
/// the capture was not read to its end, its last, incomplete segment is left out, so that there are
/// only segments that importing the whole capture would give too. Of addresses is kept what `privacy` says; which
/// packets count does not depend on it. Records of the future by this machine's clock cover no time of the others, and
/// their packets are in segments of their own.
///
/// # Errors
/// What the store gives. Segments that were kept before stay, and importing again goes on behind
/// them.
pub fn import(
    store: &dyn Store,
    rules: &Rules,
    privacy: &mut Privacy,
    records: impl Iterator<Item = Arrival>,
    is_whole: impl FnOnce() -> bool,
) -> Result<Imported> {
    import_at(store, rules, reader_clock(), privacy, records, is_whole)
}

/// The same with another clock.
///
/// # Errors
/// As [`import`](import()).
pub fn import_at(
    store: &dyn Store,
    rules: &Rules,
    reader: ReaderClock,
    privacy: &mut Privacy,
    records: impl Iterator<Item = Arrival>,
    is_whole: impl FnOnce() -> bool,
) -> Result<Imported> {
    std::thread::scope(|scope| {
        // Without a buffer: one piece is read while another is written.
        let (sender, receiver) = sync_channel(0);
        let writer = scope.spawn(move || keep_all(store, privacy, &receiver));
        let mut cutter = Cutter::new(*rules, reader);
        let give = |piece: Option<Piece>| piece.is_none_or(|piece| sender.send(piece).is_ok());
        // When the writer has ended, it will say why.
        let mut records = records;
        if records.all(|record| give(cutter.record(&record))) && is_whole() {
            cutter.finish().into_iter().all(|piece| give(Some(piece)));
        }
        drop(sender);
        let mut imported = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        imported.late = cutter.late();
        Ok(imported)
    })
}

/// Small segments are kept together, since a store may take long for each.
fn keep_all(store: &dyn Store, privacy: &mut Privacy, pieces: &Receiver<Piece>) -> Result<Imported> {
    let mut held = Held { store, segments: Vec::new(), since: None, imported: Imported::default() };
    loop {
        match held.next(pieces) {
            Ok(piece) => held.hold(encode(privacy, piece)?)?,
            Err(RecvTimeoutError::Timeout) => held.keep()?,
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    held.keep()?;
    Ok(held.imported)
}

/// Segments that are kept together at most, and their bytes.
const TOGETHER: usize = 32;
const SMALL: usize = 1 << 20;
/// How long a segment is held while the next one comes.
const PATIENCE: Duration = Duration::from_secs(1);

/// Segments that are not kept yet.
struct Held<'a> {
    store: &'a dyn Store,
    segments: Vec<Segment>,
    /// When the first of them came.
    since: Option<Instant>,
    imported: Imported,
}

impl Held<'_> {
    /// The next piece, unless it takes too long for what is held.
    fn next(&self, pieces: &Receiver<Piece>) -> std::result::Result<Piece, RecvTimeoutError> {
        match self.since {
            None => pieces.recv().map_err(RecvTimeoutError::from),
            Some(since) => pieces.recv_timeout(PATIENCE.saturating_sub(since.elapsed())),
        }
    }

    fn hold(&mut self, segment: Segment) -> Result<()> {
        self.segments.push(segment);
        self.since.get_or_insert_with(Instant::now);
        let bytes: usize = self.segments.iter().map(|segment| segment.bytes().len()).sum();
        if bytes >= SMALL || self.segments.len() >= TOGETHER { self.keep() } else { Ok(()) }
    }

    fn keep(&mut self) -> Result<()> {
        let segments = std::mem::take(&mut self.segments);
        self.since = None;
        let added = self.store.append_all(&segments)?;
        for (segment, added) in segments.iter().zip(added) {
            self.imported.packets += segment.info().rows;
            match added {
                Added::New => {
                    self.imported.new += 1;
                    self.imported.bytes += segment.bytes().len() as u64;
                }
                Added::Known => self.imported.known += 1,
            }
        }
        Ok(())
    }
}

fn encode(privacy: &mut Privacy, piece: Piece) -> Result<Segment> {
    let Piece { packets, origin, covers } = piece;
    if privacy.addresses() == Addresses::Full {
        return Segment::encode(packets, "", origin, covers, None);
    }
    let protected: Vec<Protected> = packets.iter().map(|packet| privacy.protect(packet)).collect();
    drop(packets);
    Segment::encode(protected, "", origin, covers, None)
}
