use std::fs::File;
use std::io::{self, Read};

use cutshort_packet::{Frame, LinkType, Packet, Refusal, Unreachable};

use super::left_out::LeftOut;
use super::lottery::is_chosen;
use super::sampler::{Decision, Sampler};
use super::unstamped::Unstamped;
use super::waiting::Waiting;
use super::{LiveSettings, OPENED_MORE};

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
    /// Rows of connections that this host opens that were passed on.
    pub opened: u64,
    /// ICMP errors, logged by rules for such connections, that belong to none of the sample.
    pub other_errors: u64,
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

/// How a frame of a connection was logged that the kernel's rules have chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampled {
    /// N of "1 in N", where the rule tells it.
    pub(super) rate: Option<u32>,
    pub(super) time: Time,
}

/// Where received frames become packets.
pub(super) struct Intake {
    pub(super) packets: Vec<Packet>,
    /// Rows of connections that this host opens.
    pub(super) opened: Vec<Packet>,
    pub(super) counts: LiveCount,
    sampler: Sampler,
    unstamped: Unstamped,
    openers: Sampler,
    waiting: Waiting,
    settings: LiveSettings,
    seed: u32,
}

#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
impl Intake {
    pub(super) fn new(settings: &LiveSettings) -> io::Result<Self> {
        let keep = i64::try_from(settings.keep.as_nanos()).unwrap_or(i64::MAX);
        Ok(Self {
            packets: Vec::new(),
            opened: Vec::new(),
            counts: LiveCount::default(),
            sampler: Sampler::new(settings.limit, keep, settings.size),
            unstamped: Unstamped::default(),
            openers: Sampler::of_openers(settings.limit.saturating_add(OPENED_MORE), keep, settings.size),
            waiting: Waiting::default(),
            seed: settings.seed.map_or_else(random, Ok)?,
            settings: settings.clone(),
        })
    }

    /// Takes a frame if it belongs to a connection that is chosen here. `outgoing` says that this host sends it.
    pub(super) fn take(&mut self, link: LinkType, frame: Frame<'_>, outgoing: bool) {
        let sides = self.settings.sides;
        let rate = self.settings.rate.get();
        let can_be_error = sides.has_opened() && !outgoing;
        let Some(packet) = self.parse_or_error(link, frame, can_be_error.then_some(rate)) else { return };
        let packet = Packet { sample_rate: rate, ..packet };
        if sides.has_opened() {
            self.take_opened(&packet, outgoing);
        }
        if sides.has_clients() && !outgoing {
            let (settings, seed) = (&self.settings, self.seed);
            let begins = |packet: &Packet| {
                packet.is_syn() && is_chosen(packet, settings.rate.get(), seed) && is_meant(packet, settings)
            };
            let decision = self.sampler.decide(&packet, begins);
            self.put(packet, decision);
        }
    }

    /// Takes a packet if it is a row of a connection that this host opens and that is chosen here.
    fn take_opened(&mut self, packet: &Packet, outgoing: bool) {
        let row = if outgoing { packet.sent_row() } else { Some(packet.received_row()) };
        let Some(row) = row else {
            self.counts.left += 1;
            return;
        };
        let (settings, seed) = (&self.settings, self.seed);
        let begins = |row: &Packet| {
            outgoing
                && row.is_syn()
                && is_chosen(row, settings.rate.get(), seed)
                && is_meant_to_open(row, settings)
        };
        let decision = self.openers.decide(&row, begins);
        self.put_opened(row, decision);
    }

    /// The packet of a frame. An ICMP error is taken here, if it is one of connections sampled at a rate.
    fn parse_or_error(&mut self, link: LinkType, frame: Frame<'_>, rate: Option<u32>) -> Option<Packet> {
        let refusal = match Packet::parse(link, frame) {
            Ok(packet) => return Some(packet),
            Err(refusal) => refusal,
        };
        match rate.and_then(|rate| Some((rate, Unreachable::parse(link, frame)?))) {
            Some((sample_rate, error)) => self.take_error(Packet { sample_rate, ..error.row() }),
            None => self.counts.refused[refusal as usize] += 1,
        }
        None
    }

    fn take_error(&mut self, row: Packet) {
        match self.openers.decide_error(&row) {
            Decision::Leave => self.counts.other_errors += 1,
            decision => self.put_opened(row, decision),
        }
    }

    /// Takes a frame of a connection that the kernel's rules have chosen, at the rate that they
    /// tell. Counting is theirs too; where it fails (repeated SYNs, rules that were loaded anew)
    /// it is done here. Of a frame without `time` the caller says when it was received.
    pub(super) fn take_sampled(&mut self, link: LinkType, frame: Frame<'_>, how: Sampled) {
        let Some(mut packet) = self.parse(link, frame) else { return };
        packet.sample_rate = how.rate.unwrap_or(self.settings.rate.get());
        let decision = match self.sampler.decide(&packet, |_| true) {
            // The kernel's memory is larger, and its word goes.
            Decision::Full => Decision::Take,
            decision => decision,
        };
        match (decision, how.time) {
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

    /// The same of a connection that this host opens, or of an ICMP error. `outgoing` says that this host sends it.
    pub(super) fn take_sampled_opened(
        &mut self,
        link: LinkType,
        frame: Frame<'_>,
        outgoing: bool,
        how: Sampled,
    ) {
        let rate = how.rate.unwrap_or(self.settings.rate.get());
        let Some(packet) = self.parse_or_error(link, frame, (!outgoing).then_some(rate)) else { return };
        let packet = Packet { sample_rate: rate, ..packet };
        // The rules log only what is a row.
        let row = if outgoing { packet } else { packet.received_row() };
        let decision = match self.openers.decide(&row, |_| true) {
            Decision::Full => Decision::Take,
            decision => decision,
        };
        if (decision, how.time) == (Decision::Take, Time::Receiver) {
            self.counts.without_time += 1;
            return self.waiting.hold(row);
        }
        self.put_opened(row, decision);
    }

    /// Hands on what waited for its answers, at the end all of it.
    pub(super) fn release(&mut self, now: i64, all: bool) {
        let (packets, counts) = (&mut self.packets, &mut self.counts);
        self.unstamped.release(now, all, |packet| {
            counts.packets += 1;
            packets.push(packet);
        });
        let before = self.opened.len();
        self.waiting.release(now, all, |row| self.opened.push(row));
        self.counts.opened += (self.opened.len() - before) as u64;
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
            _ => self.count_other(&packet, decision),
        }
    }

    /// Hands a row on if it is taken, after what waits of its connection.
    fn put_opened(&mut self, row: Packet, decision: Decision) {
        let before = self.opened.len();
        self.waiting.followed_by(&row, |row| self.opened.push(row));
        if decision == Decision::Take {
            self.opened.push(row);
        }
        self.counts.opened += (self.opened.len() - before) as u64;
        match decision {
            Decision::Take => {}
            _ => self.count_other(&row, decision),
        }
    }

    fn count_other(&mut self, packet: &Packet, decision: Decision) {
        match decision {
            Decision::Take => {}
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

/// The same of a connection that this host opens: whether its server is among those.
fn is_meant_to_open(syn: &Packet, settings: &LiveSettings) -> bool {
    let server = syn.five_tuple.dst();
    let port = settings.ports.is_empty() || settings.ports.contains(&syn.five_tuple.dst_port);
    port && !settings.exclude.iter().any(|net| net.contains(&server))
}

fn random() -> io::Result<u32> {
    let mut bytes = [0; 4];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(u32::from_ne_bytes(bytes))
}
