//! Live packets that a server receives, sampled by connection.

#[cfg(target_os = "linux")]
mod af_packet;
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
mod datagrams;
#[cfg(target_os = "linux")]
mod ebpf;
mod error;
#[cfg(target_os = "linux")]
mod filter;
mod intake;
mod left_out;
#[cfg(target_os = "linux")]
mod logged;
mod lottery;
#[cfg(target_os = "linux")]
mod nflog;
#[cfg(target_os = "linux")]
mod ring;
mod sampler;
mod settings;
mod source;
#[cfg(target_os = "linux")]
mod sys;
mod unstamped;
mod waiting;

pub use error::LiveError;
pub use intake::LiveCount;
pub use left_out::{LeftOut, Spell};
pub use settings::{LiveSets, LiveSettings, Open};
pub(crate) use source::check_interface;
pub use source::{Groups, LiveSource};

use std::time::Duration;

use cutshort_packet::Packet;
use cutshort_packet::quic::Datagram;

use crate::Reading;
use intake::Intake;

/// The start of the prefix in cutshort's own rules; their sample rate follows the last colon.
pub(crate) const OWN_PREFIX: &str = "cutshort";

/// How long a connection with a single packet is remembered.
pub(crate) const ALONE: Duration = Duration::from_secs(30);

/// How many rows more than the limit are taken of a connection that this host opens, as both directions are
/// (docs/origin.md#cap).
pub const OPENED_MORE: u32 = 6;
/// How many ICMP errors are taken of such a connection.
pub const OPENED_ERRORS: u32 = 3;

/// How many datagrams are taken of a QUIC connection (docs/quic.md#cap).
pub const DATAGRAMS: u32 = 24;
/// How many bytes are taken of a datagram: enough for a whole one.
pub(crate) const DATAGRAM_BYTES: u32 = 2048;
/// How long a QUIC connection is remembered after its latest datagram.
pub(crate) const DATAGRAMS_KEPT: Duration = Duration::from_mins(2);

/// What came since the last batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch<'a> {
    /// Packets of clients, in order of arrival.
    pub packets: &'a [Packet],
    /// Rows of connections that this host opens (docs/origin.md#rows): with the opener's 5-tuple, and marks on what was
    /// received. Those of one connection are in order of arrival.
    pub opened: &'a [Packet],
    /// Datagrams of clients and ICMP errors about them (docs/quic.md#rows), in order of arrival.
    pub datagrams: &'a [Datagram],
}

impl Batch<'_> {
    /// Whether nothing came.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.packets.is_empty() && self.opened.is_empty() && self.datagrams.is_empty()
    }

    /// The time of the latest of all, in nanoseconds since the Unix epoch.
    #[must_use]
    pub fn latest(&self) -> Option<i64> {
        let packets = self.packets.iter().chain(self.opened).map(|packet| packet.ts);
        packets.chain(self.datagrams.iter().map(|row| row.ts)).max()
    }
}

/// A live source of packets, received in batches.
///
/// ```no_run
/// use cutshort_capture::{Live, LiveSettings, Reading};
///
/// let reading = Reading::default(); // another thread calls reading.stop()
/// let mut live = Live::open(&"nflog:5".parse()?, &LiveSettings::default(), &reading)?;
/// while let Some(batch) = live.next_batch()? {
///     println!("{} packets, {} lost so far", batch.packets.len(), live.counts().lost);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Live {
    receiver: Receiver,
    intake: Intake,
    reading: Reading,
    closed: bool,
}

#[cfg(target_os = "linux")]
enum Receiver {
    Nflog(nflog::Nflog),
    AfPacket(af_packet::AfPacket),
    Ebpf(Box<ebpf::Ebpf>),
}

#[cfg(target_os = "linux")]
impl Live {
    /// Opens a source, which receives packets from then on. Opening needs `CAP_NET_ADMIN` for the netfilter log,
    /// `CAP_NET_RAW` for a packet socket, or `CAP_BPF`, `CAP_NET_ADMIN` and `CAP_PERFMON` for a program in the kernel;
    /// receiving needs none of them.
    ///
    /// # Errors
    /// [`LiveError`] says what is missing.
    pub fn open(source: &LiveSource, settings: &LiveSettings, reading: &Reading) -> Result<Self, LiveError> {
        let receiver = match source {
            LiveSource::Nflog(groups) => Receiver::Nflog(nflog::Nflog::open(*groups, settings)?),
            LiveSource::AfPacket(interface) => {
                Receiver::AfPacket(af_packet::AfPacket::open(interface, settings)?)
            }
            LiveSource::Ebpf(interface) => Receiver::Ebpf(Box::new(ebpf::Ebpf::open(interface, settings)?)),
        };
        let intake = Intake::new(settings).map_err(LiveError::Io)?;
        Ok(Self { receiver, intake, reading: reading.clone(), closed: false })
    }

    /// What came since the last batch. Waits for up to a tenth of a second; there
    /// may be none. After [`Reading::stop`], this returns the packets taken before, and then `None`.
    ///
    /// # Errors
    /// [`LiveError`] says why nothing can be received any more.
    pub fn next_batch(&mut self) -> Result<Option<Batch<'_>>, LiveError> {
        if self.closed {
            return Ok(None);
        }
        self.intake.clear();
        self.closed = self.reading.is_stopped();
        match &mut self.receiver {
            Receiver::Nflog(nflog) if self.closed => nflog.close(&mut self.intake)?,
            Receiver::Nflog(nflog) => nflog.receive(&mut self.intake)?,
            Receiver::AfPacket(socket) if self.closed => socket.close(&mut self.intake)?,
            Receiver::AfPacket(socket) => socket.receive(&mut self.intake)?,
            Receiver::Ebpf(program) if self.closed => program.close(&mut self.intake),
            Receiver::Ebpf(program) => program.receive(&mut self.intake)?,
        }
        Ok(Some(self.intake.batch()))
    }
}

/// Waits for up to a tenth of a second for data or an error at a socket. Returns whether there is any.
#[cfg(target_os = "linux")]
fn wait(socket: std::os::fd::BorrowedFd<'_>) -> std::io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    match poll(&mut [PollFd::from_borrowed_fd(socket, PollFlags::IN)], Some(&PATIENCE)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
enum Receiver {}

#[cfg(not(target_os = "linux"))]
impl Live {
    /// Returns an error, because live sources need Linux.
    ///
    /// # Errors
    /// Always [`LiveError`], because this is another system.
    pub fn open(_: &LiveSource, _: &LiveSettings, _: &Reading) -> Result<Self, LiveError> {
        Err(LiveError::NotLinux)
    }

    /// Returns `None`, because nothing can be opened.
    ///
    /// # Errors
    /// Never fails.
    pub fn next_batch(&mut self) -> Result<Option<Batch<'_>>, LiveError> {
        match self.receiver {}
    }
}

impl Live {
    /// The counts so far.
    #[must_use]
    pub const fn counts(&self) -> &LiveCount {
        &self.intake.counts
    }
}
