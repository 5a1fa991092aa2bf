//! Imports captures into the store.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use cutshort_packet::quic::Datagram;
use cutshort_packet::{FiveTuple, Packet, Unreachable};
use cutshort_store::{Added, Result, Segment, SegmentSource, Store};
use cutshort_verdict::{DataSet, ReaderClock, Rules};

use crate::cut::{Cutter, DatagramPicker, PacketPicker, Picker, Picks, Piece};
use crate::{Privacy, Row, reader_clock};

/// A record of a capture, in reading order.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Its time in nanoseconds since the Unix epoch.
    pub ts: i64,
    /// Its TCP packet, if it has one.
    pub packet: Option<Packet>,
    /// Its ICMP error that quotes a SYN packet, if it has one; only the data set `origin` needs it.
    pub unreachable: Option<Unreachable>,
    /// Whether the capture is marked as simulated.
    pub simulated: bool,
}

/// A record of a capture that is read for the data set `quic`, in reading order.
#[derive(Clone, Copy, Debug)]
pub struct DatagramArrival {
    /// Its time in nanoseconds since the Unix epoch.
    pub ts: i64,
    /// Its datagram, or the rows of its ICMP error for both 5-tuples.
    pub rows: [Option<Datagram>; 2],
    /// Whether the capture is marked as simulated.
    pub simulated: bool,
}

/// What every record has.
pub trait Recorded {
    /// Its time in nanoseconds since the Unix epoch.
    fn ts(&self) -> i64;
    /// Whether the capture is marked as simulated.
    fn simulated(&self) -> bool;
}

impl Recorded for Arrival {
    fn ts(&self) -> i64 {
        self.ts
    }

    fn simulated(&self) -> bool {
        self.simulated
    }
}

impl Recorded for DatagramArrival {
    fn ts(&self) -> i64 {
        self.ts
    }

    fn simulated(&self) -> bool {
        self.simulated
    }
}

/// The result of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The number of segments that the store did not have.
    pub new: u64,
    /// The number of segments that the store already had.
    pub known: u64,
    /// The number of packets in all these segments, which are those that count.
    pub packets: u64,
    /// The size of the new segments in bytes.
    pub bytes: u64,
    /// Packets that came after their window was closed and do not count.
    pub late: u64,
    /// The number of captures that were not kept, because they have only one direction of the connections that this host
    /// opens (docs/origin.md#one-direction).
    pub one_direction: u64,
}

impl Imported {
    /// Adds the result of another import.
    pub const fn merge(&mut self, other: &Self) {
        self.new += other.new;
        self.known += other.known;
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.late += other.late;
        self.one_direction += other.one_direction;
    }
}

/// Whether connections with this 5-tuple, client or opener first, are to be kept.
pub type Meant<'a> = dyn Fn(&FiveTuple) -> bool + Sync + 'a;

/// How a capture is imported.
#[derive(Clone, Copy)]
pub struct Importing<'a> {
    /// The rules: the data set, and how many packets of a connection are kept.
    pub rules: Rules,
    /// The clock by which records are in the future.
    pub reader: ReaderClock,
    /// Which connections are kept.
    pub meant: &'a Meant<'a>,
}

impl Importing<'_> {
    /// Keeps all connections of a data set, by the usual rules and this machine's clock.
    #[must_use]
    pub fn all(data_set: DataSet) -> Self {
        Importing { rules: Rules::of(data_set), reader: reader_clock(), meant: &|_| true }
    }
}

/// Imports one capture as segments that depend only on its records.
///
/// Of each 5-tuple and window, the first [`packet_limit`](Rules::packet_limit) packets in order of arrival are kept,
/// as `classify` does; of connections that this host opens, the rows of docs/origin.md#rows. `is_whole` is called when
/// there are no more records: if the capture was not read to its end, its last, incomplete segment is left out, so that
/// all segments are the same as when the whole capture is imported. `privacy` decides how addresses are kept, but not
/// which packets count. Records that are in the future by the reader's clock do not extend the time that others cover,
/// and their packets are in segments of their own.
///
/// Segments of connections that this host opens are held in memory until a packet shows that both directions were
/// captured. If none does, nothing is kept.
///
/// # Errors
/// The error of the store, also if it keeps another data set. Segments stored before it remain, and importing again
/// continues after them.
pub fn import_as(
    store: &dyn Store,
    importing: &Importing<'_>,
    privacy: &Privacy,
    records: impl Iterator<Item = Arrival>,
    is_whole: impl FnOnce() -> bool,
) -> Result<Imported> {
    import_picked::<PacketPicker<'_>>(store, importing, privacy, records, is_whole)
}

/// Imports one capture as segments of the data set `quic`, as [`import_as`] does: of each 5-tuple and window the rows of
/// docs/quic.md#connection.
///
/// # Errors
/// The same as those of [`import_as`].
pub fn import_datagrams(
    store: &dyn Store,
    importing: &Importing<'_>,
    privacy: &Privacy,
    records: impl Iterator<Item = DatagramArrival>,
    is_whole: impl FnOnce() -> bool,
) -> Result<Imported> {
    import_picked::<DatagramPicker<'_>>(store, importing, privacy, records, is_whole)
}

fn import_picked<'a, P: Picker<'a>>(
    store: &dyn Store,
    importing: &Importing<'a>,
    privacy: &Privacy,
    mut records: impl Iterator<Item = P::Arrival>,
    is_whole: impl FnOnce() -> bool,
) -> Result<Imported> {
    std::thread::scope(|scope| {
        let mut import = Import::<P>::begin(scope, store, importing, privacy);
        let is_read = records.all(|record| import.record(&record));
        import.end(is_read && is_whole())
    })
}

/// The import of TCP packets of one capture, for the data set `tcp` or `origin`.
pub type PacketImport<'scope, 'a> = Import<'scope, PacketPicker<'a>>;
/// The import of datagrams of one capture, for the data set `quic`.
pub type DatagramImport<'scope, 'a> = Import<'scope, DatagramPicker<'a>>;

/// The import of one capture into the store of a data set. [`import_as`] says what it does. Several of them can take the
/// records of one reading.
pub struct Import<'scope, P: Picks> {
    cutter: Cutter<P>,
    /// Pieces that are held until it is known that both directions were captured.
    waiting: Vec<Piece<P::Row>>,
    sender: SyncSender<Piece<P::Row>>,
    writer: ScopedJoinHandle<'scope, Result<Imported>>,
}

impl<'scope, P: Picks> Import<'scope, P>
where
    P::Row: 'scope,
{
    /// Begins an import, whose segments are stored by a thread of its own.
    pub fn begin<'env: 'scope, 'a>(
        scope: &'scope Scope<'scope, 'env>,
        store: &'env dyn Store,
        importing: &Importing<'a>,
        privacy: &Privacy,
    ) -> Self
    where
        P: Picker<'a>,
    {
        // Without a buffer: one piece is read while another is written.
        let (sender, receiver) = sync_channel(0);
        let (data_set, mut privacy) = (importing.rules.data_set, privacy.again());
        let writer = scope.spawn(move || keep_all(store, data_set, &mut privacy, &receiver));
        Self { cutter: Cutter::new(importing), waiting: Vec::new(), sender, writer }
    }

    /// Takes a record; false if the store has failed, and [`end`](Self::end) says why.
    pub fn record(&mut self, record: &P::Arrival) -> bool {
        self.waiting.extend(self.cutter.record(record));
        !self.cutter.has_received() || self.give()
    }

    fn give(&mut self) -> bool {
        self.waiting.drain(..).all(|piece| self.sender.send(piece).is_ok())
    }

    /// Ends the import. If the capture was not read to its end, its last, incomplete segment is left out.
    ///
    /// # Errors
    /// The error of the store.
    pub fn end(mut self, is_whole: bool) -> Result<Imported> {
        let one_direction = is_whole && self.cutter.has_one_direction();
        if is_whole && !one_direction {
            self.waiting.extend(self.cutter.finish());
            self.give();
        }
        drop(self.sender);
        let mut imported = self.writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        imported.late = self.cutter.late();
        imported.one_direction = u64::from(one_direction);
        Ok(imported)
    }
}

/// Imports one capture of the data set `tcp`, as [`import_as`] does.
///
/// # Errors
/// The same as those of [`import_as`].
pub fn import(
    store: &dyn Store,
    rules: &Rules,
    privacy: &Privacy,
    records: impl Iterator<Item = Arrival>,
    is_whole: impl FnOnce() -> bool,
) -> Result<Imported> {
    import_as(
        store,
        &Importing { rules: *rules, ..Importing::all(rules.data_set) },
        privacy,
        records,
        is_whole,
    )
}

/// Stores small segments together, because a store may take long for each request.
fn keep_all<R: Row>(
    store: &dyn Store,
    data_set: DataSet,
    privacy: &mut Privacy,
    pieces: &Receiver<Piece<R>>,
) -> Result<Imported> {
    let mut held = Held { store, segments: Vec::new(), since: None, imported: Imported::default() };
    loop {
        match held.next(pieces) {
            Ok(piece) => held.hold(encode(data_set, privacy, piece)?)?,
            Err(RecvTimeoutError::Timeout) => held.keep()?,
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    held.keep()?;
    Ok(held.imported)
}

/// The maximum number of segments that are stored together.
const TOGETHER: usize = 32;
const SMALL: usize = 1 << 20;
/// How long a segment is held while waiting for the next one.
const PATIENCE: Duration = Duration::from_secs(1);

/// Segments that have not been stored yet.
struct Held<'a> {
    store: &'a dyn Store,
    segments: Vec<Segment>,
    /// When the first of them came.
    since: Option<Instant>,
    imported: Imported,
}

impl Held<'_> {
    /// The next piece, unless that takes longer than segments may be held.
    fn next<R>(&self, pieces: &Receiver<Piece<R>>) -> std::result::Result<Piece<R>, RecvTimeoutError> {
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

fn encode<R: Row>(data_set: DataSet, privacy: &mut Privacy, piece: Piece<R>) -> Result<Segment> {
    let Piece { packets, origin, covers } = piece;
    R::encode(packets, privacy, &SegmentSource { data_set, node: "", origin, covers })
}
