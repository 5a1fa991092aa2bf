//! From the kernel to the recorder: one thread receives and nothing else, so that a slow disk does not lose
//! packets at once.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use cutshort_capture::{Live, LiveCount, LiveError, LiveSettings, LiveSource, Reading};
use cutshort_model::nanoseconds;
use cutshort_packet::Packet;
use cutshort_packet::quic::Datagram;

use crate::left_out::LeftOutLog;

/// Rows of each data set, and until when all that came are received, in nanoseconds since the Unix epoch.
#[derive(Default)]
pub(crate) struct Batch {
    /// Packets of clients.
    pub(crate) packets: Vec<Packet>,
    /// Rows of connections that this host opens.
    pub(crate) opened: Vec<Packet>,
    /// Datagrams of QUIC connections of clients.
    pub(crate) datagrams: Vec<Datagram>,
    pub(crate) covered_to: i64,
}

/// What the kernel may still gather, or hold back for want of its time, in nanoseconds.
const HELD_BACK: i64 = 1_000_000_000;
/// Between attempts to find an interface again.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) struct Receiver {
    pub(crate) source: LiveSource,
    pub(crate) settings: LiveSettings,
    pub(crate) reading: Reading,
    pub(crate) live: Live,
    /// Of sockets that were open before this one.
    pub(crate) before: LiveCount,
    pub(crate) counts: Arc<Mutex<LiveCount>>,
    pub(crate) left_out: LeftOutLog,
}

impl Receiver {
    /// Receives until it is stopped.
    pub(crate) fn run(mut self, batches: &SyncSender<Batch>) -> Result<(), LiveError> {
        let received = self.receive(batches);
        self.left_out.finish(&self.source);
        received
    }

    fn receive(&mut self, batches: &SyncSender<Batch>) -> Result<(), LiveError> {
        loop {
            let batch = match self.live.next_batch() {
                Ok(Some(batch)) => Batch {
                    packets: batch.packets.to_vec(),
                    opened: batch.opened.to_vec(),
                    datagrams: batch.datagrams.to_vec(),
                    covered_to: covered_to(batch.latest(), self.reading.is_stopped()),
                },
                Ok(None) => return Ok(()),
                Err(LiveError::NoInterface(name)) => {
                    tracing::warn!(interface = name, "the interface is gone; waits for it to come back");
                    if !self.reopen(batches)? {
                        return Ok(());
                    }
                    tracing::info!(interface = name, "the interface is back");
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.note();
            if batches.send(batch).is_err() {
                return Ok(());
            }
        }
    }

    fn note(&mut self) {
        let counts = sum(&self.before, self.live.counts());
        self.left_out.note(&self.source, &counts.left_out, nanoseconds(SystemTime::now()));
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }

    /// Waits until the interface is there again; false if it is stopped before. Where there is no interface no
    /// packet comes, and that is known.
    fn reopen(&mut self, batches: &SyncSender<Batch>) -> Result<bool, LiveError> {
        while !self.reading.is_stopped() {
            match Live::open(&self.source, &self.settings, &self.reading) {
                Ok(live) => {
                    self.before = sum(&self.before, self.live.counts());
                    self.live = live;
                    return Ok(true);
                }
                Err(LiveError::NoInterface(_)) => {}
                Err(error) => return Err(error),
            }
            std::thread::sleep(PAUSE);
            let covered_to = covered_to(None, false);
            let silence = Batch { covered_to, ..Batch::default() };
            if batches.send(silence).is_err() {
                return Ok(false);
            }
        }
        Ok(false)
    }
}

/// Until when all packets that came were received: under load as far as the latest, at the end until now.
fn covered_to(latest: Option<i64>, is_last: bool) -> i64 {
    let now = nanoseconds(SystemTime::now());
    if is_last { now } else { latest.unwrap_or(now).min(now - HELD_BACK) }
}

/// Of an earlier socket and a later one.
fn sum(one: &LiveCount, other: &LiveCount) -> LiveCount {
    LiveCount {
        packets: one.packets + other.packets,
        left: one.left + other.left,
        capped: one.capped + other.capped,
        left_out: other.left_out.after(&one.left_out),
        opened: one.opened + other.opened,
        datagrams: one.datagrams + other.datagrams,
        other_errors: one.other_errors + other.other_errors,
        refused: std::array::from_fn(|at| one.refused[at] + other.refused[at]),
        lost: one.lost + other.lost,
        without_time: one.without_time + other.without_time,
        malformed: one.malformed + other.malformed,
    }
}
