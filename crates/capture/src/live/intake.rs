use std::io;

use cutshort_packet::{Frame, LinkType, Packet, Refusal, Unreachable};

use super::datagrams::{Datagrams, Taken};
use super::left_out::LeftOut;
use super::lottery::is_chosen;
use super::sampler::{Decision, Sampler};
use super::unstamped::Unstamped;
use super::waiting::Waiting;
use super::{Batch, LiveSets, LiveSettings, OPENED_MORE};
use crate::random;

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
    /// Datagrams of QUIC connections, and ICMP errors about these, that were passed on.
    pub datagrams: u64,
    /// ICMP errors about connections that this host opens or about QUIC connections that belong to none of the sample.
    pub other_errors: u64,
    /// Packets that are not usable packets of the data set, in the order of [`Refusal::ALL`].
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

impl LiveCount {
    /// What was passed on of all data sets.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.packets + self.opened + self.datagrams
    }
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
    datagrams: Datagrams,
    settings: LiveSettings,
    seed: u32,
}

#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
impl Intake {
    pub(super) fn new(settings: &LiveSettings) -> io::Result<Self> {
        let keep = i64::try_from(settings.keep.as_nanos()).unwrap_or(i64::MAX);
        let seed = settings.seed.map_or_else(|| random::bytes().map(u32::from_ne_bytes), Ok)?;
        Ok(Self {
            packets: Vec::new(),
            opened: Vec::new(),
            counts: LiveCount::default(),
            sampler: Sampler::new(settings.limit, keep, settings.size),
            unstamped: Unstamped::default(),
            openers: Sampler::of_openers(settings.limit.saturating_add(OPENED_MORE), keep, settings.size),
            waiting: Waiting::default(),
            datagrams: Datagrams::new(settings, seed)?,
            seed,
            settings: settings.clone(),
        })
    }

    /// What was taken so far.
    pub(super) fn batch(&self) -> Batch<'_> {
        Batch { packets: &self.packets, opened: &self.opened, datagrams: &self.datagrams.rows }
    }

    /// Begins another batch.
    pub(super) fn clear(&mut self) {
        self.packets.clear();
        self.opened.clear();
        self.datagrams.rows.clear();
    }

    /// Takes a frame if it belongs to a connection that is chosen here. `outgoing` says that this host sends it.
    pub(super) fn take(&mut self, link: LinkType, frame: Frame<'_>, outgoing: bool) {
        let sets = self.settings.sets;
        let rate = self.settings.rate.get();
        let packet = match Packet::parse(link, frame) {
            Ok(packet) => Packet { sample_rate: rate, ..packet },
            Err(refusal) => return self.take_other(link, frame, outgoing, refusal),
        };
        if sets.has(LiveSets::ORIGIN) {
            self.take_opened(&packet, outgoing);
        }
        if sets.has(LiveSets::TCP) && !outgoing {
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

    /// Takes a frame that is no TCP packet, if it is something else of a data set.
    fn take_other(&mut self, link: LinkType, frame: Frame<'_>, outgoing: bool, refusal: Refusal) {
        let (sets, rate) = (self.settings.sets, self.settings.rate.get());
        if !outgoing && sets.has(LiveSets::ORIGIN) && self.take_error(link, frame, rate) {
            return;
        }
        match sets.has(LiveSets::QUIC) && !outgoing {
            true => {
                let taken = self.datagrams.take(link, frame);
                self.count_datagram(&taken);
            }
            false => self.counts.refused[refusal as usize] += 1,
        }
    }

    /// Takes an ICMP error about connections that this host opens, sampled at a rate. Returns whether a frame is one.
    fn take_error(&mut self, link: LinkType, frame: Frame<'_>, sample_rate: u32) -> bool {
        let Some(error) = Unreachable::parse(link, frame) else { return false };
        let row = Packet { sample_rate, ..error.row() };
        match self.openers.decide_error(&row) {
            Decision::Leave => self.counts.other_errors += 1,
            decision => self.put_opened(row, decision),
        }
        true
    }

    /// Takes a frame of a connection that the kernel's rules have chosen, at the rate that they
    /// tell. Counting is theirs too; where it fails (repeated SYNs, rules that were loaded anew)
    /// it is done here. Of a frame without `time` the caller says when it was received.
    pub(super) fn take_sampled(&mut self, link: LinkType, frame: Frame<'_>, how: Sampled) {
        let Some(mut packet) = self.parse(link, frame) else { return };
        packet.sample_rate = how.rate.unwrap_or(self.settings.rate.get());
        let decision = self.sampler.decide(&packet, |_| true).by_rules();
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
        let packet = match Packet::parse(link, frame) {
            Ok(packet) => Packet { sample_rate: rate, ..packet },
            Err(_) if !outgoing && self.take_error(link, frame, rate) => return,
            Err(refusal) => return self.counts.refused[refusal as usize] += 1,
        };
        // The rules log only what is a row.
        let row = if outgoing { packet } else { packet.received_row() };
        let decision = self.openers.decide(&row, |_| true).by_rules();
        if (decision, how.time) == (Decision::Take, Time::Receiver) {
            self.counts.without_time += 1;
            return self.waiting.hold(row);
        }
        self.put_opened(row, decision);
    }

    /// The same of a datagram of QUIC, or of an ICMP error that quotes one.
    pub(super) fn take_sampled_datagram(&mut self, link: LinkType, frame: Frame<'_>, how: Sampled) {
        let taken = self.datagrams.take_sampled(link, frame, how.rate);
        self.count_datagram(&taken);
    }

    fn count_datagram(&mut self, taken: &Result<Taken, Refusal>) {
        match taken {
            Ok(Taken::Datagram(Decision::Take, _)) => self.counts.datagrams += 1,
            Ok(Taken::Datagram(decision, ts)) => self.count_other(*ts, *decision),
            Ok(Taken::OtherError) => self.counts.other_errors += 1,
            Err(refusal) => self.counts.refused[*refusal as usize] += 1,
        }
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
            _ => self.count_other(packet.ts, decision),
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
            _ => self.count_other(row.ts, decision),
        }
    }

    fn count_other(&mut self, ts: i64, decision: Decision) {
        match decision {
            Decision::Take => {}
            Decision::Leave => self.counts.left += 1,
            Decision::Capped => self.counts.capped += 1,
            Decision::Full => self.counts.left_out.add(1, ts),
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
