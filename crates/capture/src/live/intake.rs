use std::fs::File;
use std::io::{self, Read};

use cutshort_packet::{Frame, LinkType, Packet, Refusal};

use super::LiveSettings;
use super::left_out::LeftOut;
use super::lottery::is_chosen;
use super::sampler::{Decision, Sampler};
use super::unstamped::Unstamped;

/// The counts of a live source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveCount {
    /// Packets of sampled connections that were passed on.
    pub packets: u64,
    /// Packets of other connections (packet sockets only: rules do not log these).
    pub left: u64,
    /// Packets of sampled connections beyond the limit, as far as they were received.
    pub capped: u64,
    /// Connections that were sampled but left out.
    pub left_out: LeftOut,
    /// Packets that were logged by rules of [`Method::Origin`](crate::rules::Method::Origin). They are not passed on,
    /// because nothing here can say how such connections end.
    pub origin: u64,
    /// Packets that are not usable TCP packets, in the order of [`Refusal::ALL`].
    pub refused: [u64; Refusal::ALL.len()],
    /// Packets for this receiver that found no room in the kernel: of sampled connections in the netfilter log, of
    /// all connections at a packet socket. Losses at the very end of the netfilter log are only in the rules' own
    /// counters.
    pub lost: u64,
    /// Packets without a kernel timestamp, which are those that this host sends. They get the time of being received,
    /// or of their answer if that is earlier.
    pub without_time: u64,
    /// Messages of the kernel that could not be parsed.
    pub malformed: u64,
}

/// Whose time a frame has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    Kernel,
    Receiver,
}

/// Where received frames become packets.
pub(super) struct Intake {
    pub(super) packets: Vec<Packet>,
    pub(super) counts: LiveCount,
    sampler: Sampler,
    unstamped: Unstamped,
    settings: LiveSettings,
    seed: u32,
}

#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
impl Intake {
    pub(super) fn new(settings: &LiveSettings) -> io::Result<Self> {
        let keep = i64::try_from(settings.keep.as_nanos()).unwrap_or(i64::MAX);
        Ok(Self {
            packets: Vec::new(),
            counts: LiveCount::default(),
            sampler: Sampler::new(settings.limit, keep, settings.size),
            unstamped: Unstamped::default(),
            seed: settings.seed.map_or_else(random, Ok)?,
            settings: settings.clone(),
        })
    }

    /// Takes a frame if it belongs to a connection that is chosen here.
    pub(super) fn take(&mut self, link: LinkType, frame: Frame<'_>) {
        let Some(mut packet) = self.parse(link, frame) else { return };
        let (settings, seed) = (&self.settings, self.seed);
        packet.sample_rate = settings.rate.get();
        let begins = |packet: &Packet| {
            packet.is_syn() && is_chosen(packet, settings.rate.get(), seed) && is_meant(packet, settings)
        };
        let decision = self.sampler.decide(&packet, begins);
        self.put(packet, decision);
    }

    /// Takes a frame of a connection that the kernel's rules have chosen, at the rate that they
    /// tell. Counting is theirs too; where it fails (repeated SYNs, rules that were loaded anew)
    /// it is done here. Of a frame without `time` the caller says when it was received.
    pub(super) fn take_sampled(&mut self, link: LinkType, frame: Frame<'_>, rate: Option<u32>, time: Time) {
        let Some(mut packet) = self.parse(link, frame) else { return };
        packet.sample_rate = rate.unwrap_or(self.settings.rate.get());
        let decision = match self.sampler.decide(&packet, |_| true) {
            // The kernel's memory is larger, and its word goes.
            Decision::Full => Decision::Take,
            decision => decision,
        };
        match (decision, time) {
            (Decision::Take, Time::Receiver) => {
                self.counts.without_time += 1;
                self.unstamped.hold(packet);
            }
            _ => {
                self.unstamped.answered_by(&packet);
                self.put(packet, decision);
            }
        }
    }

    /// Hands on what waited for its answers, at the end all of it.
    pub(super) fn release(&mut self, now: i64, all: bool) {
        let (packets, counts) = (&mut self.packets, &mut self.counts);
        self.unstamped.release(now, all, |packet| {
            counts.packets += 1;
            packets.push(packet);
        });
    }

    fn parse(&mut self, link: LinkType, frame: Frame<'_>) -> Option<Packet> {
        let parsed = Packet::parse(link, frame);
        parsed.inspect_err(|refusal| self.counts.refused[*refusal as usize] += 1).ok()
    }

    fn put(&mut self, packet: Packet, decision: Decision) {
        match decision {
            Decision::Take => {
                self.counts.packets += 1;
                self.packets.push(packet);
            }
            Decision::Leave => self.counts.left += 1,
            Decision::Capped => self.counts.capped += 1,
            Decision::Full => self.counts.left_out.add(1, packet.ts),
        }
    }
}

/// Whether a connection's server port and client are among those that are asked for.
fn is_meant(packet: &Packet, settings: &LiveSettings) -> bool {
    let source = packet.five_tuple.src();
    let port = settings.ports.is_empty() || settings.ports.contains(&packet.five_tuple.dst_port);
    port && !settings.exclude.iter().any(|net| net.contains(&source))
}

fn random() -> io::Result<u32> {
    let mut bytes = [0; 4];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(u32::from_ne_bytes(bytes))
}
