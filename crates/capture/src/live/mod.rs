//! Live packets that a server receives, sampled by connection.

#[cfg(target_os = "linux")]
mod af_packet;
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
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

pub use error::LiveError;
pub use intake::LiveCount;
pub use left_out::{LeftOut, Spell};
pub use settings::LiveSettings;
pub use source::LiveSource;
pub(crate) use source::check_interface;

use std::time::Duration;

use cutshort_packet::Packet;

use crate::Reading;
use intake::Intake;

/// The start of the prefix in cutshort's own rules; their sample rate follows the last colon.
pub(crate) const OWN_PREFIX: &str = "cutshort";

/// How long a connection with a single packet is remembered.
pub(crate) const ALONE: Duration = Duration::from_secs(30);

/// The message, after a number of packets, that they are left out because rules of
/// [`Method::Origin`](crate::rules::Method::Origin) have logged them.
pub const LEFT_OUT_ORIGIN: &str = "packets that 'cutshort rules --origin' logged were left out: connections that \
    this host opens cannot be classified yet; remove these rules with 'nft delete table inet cutshort_origin', or \
    load them with another --group";

/// A live source of packets, received in batches.
///
/// ```no_run
/// use cutshort_capture::{Live, LiveSettings, Reading};
///
/// let reading = Reading::default(); // another thread calls reading.stop()
/// let mut live = Live::open(&"nflog:5".parse()?, &LiveSettings::default(), &reading)?;
/// while let Some(packets) = live.next_batch()? {
///     println!("{} packets, {} lost so far", packets.len(), live.counts().lost);
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
}

#[cfg(target_os = "linux")]
impl Live {
    /// Opens a source, which receives packets from then on. Opening needs `CAP_NET_ADMIN` for the netfilter log or
    /// `CAP_NET_RAW` for a packet socket; receiving needs neither.
    ///
    /// # Errors
    /// [`LiveError`] says what is missing.
    pub fn open(source: &LiveSource, settings: &LiveSettings, reading: &Reading) -> Result<Self, LiveError> {
        let receiver = match source {
            LiveSource::Nflog(group) => Receiver::Nflog(nflog::Nflog::open(*group, settings)?),
            LiveSource::AfPacket(interface) => {
                Receiver::AfPacket(af_packet::AfPacket::open(interface, settings)?)
            }
        };
        let intake = Intake::new(settings).map_err(LiveError::Io)?;
        Ok(Self { receiver, intake, reading: reading.clone(), closed: false })
    }

    /// The packets that came since the last batch, in order of arrival. Waits for up to a tenth of a second; there
    /// may be none. After [`Reading::stop`], this returns the packets taken before, and then `None`.
    ///
    /// # Errors
    /// [`LiveError`] says why nothing can be received any more.
    pub fn next_batch(&mut self) -> Result<Option<&[Packet]>, LiveError> {
        if self.closed {
            return Ok(None);
        }
        self.intake.packets.clear();
        self.closed = self.reading.is_stopped();
        match &mut self.receiver {
            Receiver::Nflog(nflog) if self.closed => nflog.close(&mut self.intake)?,
            Receiver::Nflog(nflog) => nflog.receive(&mut self.intake)?,
            Receiver::AfPacket(socket) if self.closed => socket.close(&mut self.intake)?,
            Receiver::AfPacket(socket) => socket.receive(&mut self.intake)?,
        }
        Ok(Some(&self.intake.packets))
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
    pub fn next_batch(&mut self) -> Result<Option<&[Packet]>, LiveError> {
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
