//! A program that samples in the kernel, where packets enter and leave an interface (tc ingress and egress), and hands them
//! over through a ring of memory. Its source is `ebpf/sample.bpf.c`.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, SystemTime};

use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::maps::{MapData, RingBuf};
use aya::programs::tc::TcAttachOptions;
use aya::programs::{LinkOrder, SchedClassifier, TcAttachType};
use aya::{EbpfError, EbpfLoader};
use cutshort_packet::{Frame, LinkType};
use ipnet::IpNet;
use rustix::net::{AddressFamily, SocketType};
use rustix::time::{ClockId, DynamicClockId, clock_gettime, clock_gettime_dynamic};

use super::intake::{Intake, Sampled, Time};
use super::{ALONE, LiveError, LiveSets, LiveSettings, OPENED_MORE, sys, wait};
use crate::random;

/// What `scripts/ebpf` compiles.
static OBJECT: &[u8] = aya::include_bytes_aligned!("../../ebpf/sample.bpf.o");
/// The functions in it that are attached.
const INGRESS: &str = "ingress";
const EGRESS: &str = "egress";
/// What is needed to load and attach it. Without CAP_PERFMON, the kernel refuses offsets in packets that are computed.
const CAPABILITIES: &str = "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON";

/// The size of the smallest record in the ring, with its header, in bytes.
const RECORD: usize = 8 + FIELDS + SNAPLEN;
/// The size of its fields in front of the packet's bytes, and of these.
const FIELDS: usize = 40;
const SNAPLEN: usize = 128;
/// The connections that are remembered of each data set, by IP version.
const MAPS: [(LiveSets, [&str; 2]); 3] = [
    (LiveSets::TCP, ["clients4", "clients6"]),
    (LiveSets::ORIGIN, ["opened4", "opened6"]),
    (LiveSets::QUIC, ["datagrams4", "datagrams6"]),
];
/// The number of connections of each IP version that are remembered: at least, as the kernel keeps some of them in
/// reserve for each processor, and at most, as it takes the memory for them at once.
const SIZES: (usize, usize) = (1 << 12, 1 << 17);
/// The size of the smallest ring, in bytes.
const SMALLEST: usize = 1 << 16;

pub(super) struct Ebpf {
    interface: String,
    index: u32,
    /// Finds the interface.
    socket: OwnedFd,
    ring: RingBuf<MapData>,
    /// The largest number of records that the ring has room for.
    room: usize,
    rate: u32,
    clock: Clock,
    /// The counts in the latest record.
    lost: u64,
    left_out: u64,
    /// Detached from the interface when it is dropped, or when the process ends.
    _program: aya::Ebpf,
}

impl Ebpf {
    pub(super) fn open(interface: &str, settings: &LiveSettings) -> Result<Self, LiveError> {
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None);
        let socket = socket.map_err(|error| LiveError::Io(error.into()))?;
        let index = rustix::net::netdevice::name_to_index(&socket, interface)
            .map_err(|_| LiveError::NoInterface(interface.to_owned()))?;
        let link = sys::link_header(socket.as_fd(), interface).map_err(LiveError::Io)?;
        let size = ring_size(settings.buffer);
        let mut program = load(settings, link, size)?;
        let ring = program.take_map("ring").ok_or(io::ErrorKind::NotFound).map_err(io::Error::from)?;
        let ring = RingBuf::try_from(ring).map_err(|error| refused(&error))?;
        attach(&mut program, interface, settings.sets).map_err(|error| refused(&error))?;
        Ok(Self {
            interface: interface.to_owned(),
            index,
            socket,
            ring,
            room: size as usize / RECORD,
            rate: settings.rate.get(),
            clock: Clock::default(),
            lost: 0,
            left_out: 0,
            _program: program,
        })
    }

    /// Waits briefly for packets, and takes those that have come.
    pub(super) fn receive(&mut self, intake: &mut Intake) -> Result<(), LiveError> {
        wait(self.ring.as_fd())?;
        // No more than the ring holds, so that packets are handed on under load too.
        if self.drain(intake) { Ok(()) } else { self.check() }
    }

    /// Takes the packets that have come.
    pub(super) fn close(&mut self, intake: &mut Intake) {
        self.drain(intake);
    }

    /// Takes what is in the ring. Returns whether there was anything.
    fn drain(&mut self, intake: &mut Intake) -> bool {
        self.clock.set();
        for taken in 0..self.room {
            let Some(item) = self.ring.next() else { return taken > 0 };
            let Some(record) = Record::of(&item) else {
                intake.counts.malformed += 1;
                continue;
            };
            let ts = self.clock.time_of(record.time);
            // Records of several processors may be slightly out of order.
            intake.counts.lost += record.lost.saturating_sub(self.lost);
            self.lost = self.lost.max(record.lost);
            if record.left_out > self.left_out {
                intake.counts.left_out.add(record.left_out - self.left_out, ts);
                self.left_out = record.left_out;
            }
            let frame = Frame { ts, wire_len: record.wire_len, bytes: record.bytes };
            let how = Sampled { rate: Some(self.rate), time: Time::Kernel };
            match record.kind {
                Kind::Client => intake.take_sampled(LinkType::Raw, frame, how),
                Kind::Sent => intake.take_sampled_opened(LinkType::Raw, frame, true, how),
                Kind::Received => intake.take_sampled_opened(LinkType::Raw, frame, false, how),
                Kind::Datagram => intake.take_sampled_datagram(LinkType::Raw, frame, how),
            }
        }
        true
    }

    /// Whether the interface is still there. When it is removed, the kernel detaches the program and says nothing, and
    /// attaching it to another one takes the privileges that the receiver has given up.
    fn check(&self) -> Result<(), LiveError> {
        match rustix::net::netdevice::name_to_index(&self.socket, &self.interface) {
            Ok(index) if index == self.index => Ok(()),
            _ => Err(LiveError::Removed(self.interface.clone())),
        }
    }
}

/// The size of the ring: the largest power of two up to the requested size.
fn ring_size(buffer: usize) -> u32 {
    let size = buffer.clamp(SMALLEST, 1 << 30);
    1 << size.ilog2()
}

/// Loads the program with its settings.
fn load(settings: &LiveSettings, link_header: u32, ring: u32) -> Result<aya::Ebpf, LiveError> {
    let seed = settings.seed.map_or_else(|| random::bytes().map(u32::from_ne_bytes), Ok)?;
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let (rate, keep) = (settings.rate.get(), nanoseconds(settings.keep));
    let (alone, wake) = (nanoseconds(ALONE).min(keep), u64::from(ring / 8));
    let datagrams_keep = nanoseconds(settings.datagrams_keep);
    let (ports, quic_ports) = (ports(&settings.ports), ports(settings.quic_ports()));
    let opened_limit = settings.limit.saturating_add(OPENED_MORE);
    let (sets, ahead) = (u32::from(settings.sets.bits()), atomic_time_ahead());
    let excludes = u8::from(!settings.exclude.is_empty());
    let mut loader = EbpfLoader::new();
    loader
        // The program reads nothing whose layout differs between kernels.
        .btf(None)
        .override_global("sets", &sets, true)
        .override_global("rate", &rate, true)
        .override_global("seed", &seed, true)
        .override_global("limit", &settings.limit, true)
        .override_global("opened_limit", &opened_limit, true)
        .override_global("datagrams_limit", &settings.datagrams, true)
        .override_global("link_header", &link_header, true)
        .override_global("keep", &keep, true)
        .override_global("alone", &alone, true)
        .override_global("datagrams_keep", &datagrams_keep, true)
        .override_global("ahead", &ahead, true)
        .override_global("wake", &wake, true)
        .override_global("ports", &ports[..], true)
        .override_global("quic_ports", &quic_ports[..], true)
        .override_global("excludes", &excludes, true)
        .map_max_entries("excluded", settings.exclude.len().max(1) as u32)
        .map_max_entries("ring", ring);
    for (set, maps) in MAPS {
        // The kernel takes the memory at once, so nothing is kept for a data set that is not sampled.
        let size = if settings.sets.has(set) { settings.size.clamp(SIZES.0, SIZES.1) } else { 1 };
        for map in maps {
            loader.map_max_entries(map, size as u32);
        }
    }
    let mut program = loader.load(OBJECT).map_err(|error| refused(&error))?;
    exclude(&mut program, &settings.exclude).map_err(|error| refused(&error))?;
    Ok(program)
}

/// One bit for each port; all of them if none are asked for.
fn ports(wanted: &[u16]) -> Vec<u8> {
    let mut bits = vec![if wanted.is_empty() { u8::MAX } else { 0 }; 1 << 13];
    for port in wanted {
        bits[usize::from(port >> 3)] |= 1 << (port & 7);
    }
    bits
}

fn exclude(program: &mut aya::Ebpf, nets: &[IpNet]) -> Result<(), EbpfError> {
    let Some(map) = program.map_mut("excluded") else { return Ok(()) };
    let mut excluded: LpmTrie<&mut MapData, [u8; 16], u8> = LpmTrie::try_from(map)?;
    for net in nets {
        excluded.insert(&prefix(net), 1, 0)?;
    }
    Ok(())
}

/// A network, that of IPv4 as one of IPv4-mapped addresses.
fn prefix(net: &IpNet) -> Key<[u8; 16]> {
    let (address, mapped) = match net.network() {
        IpAddr::V4(address) => (address.to_ipv6_mapped(), 96),
        IpAddr::V6(address) => (address, 0),
    };
    Key::new(mapped + u32::from(net.prefix_len()), address.octets())
}

/// How far CLOCK_TAI is ahead of the time of day, in nanoseconds: 37 s, or 0 if nothing has set its offset. The program in
/// the kernel cannot read the time of day, but needs the day to select QUIC connections.
fn atomic_time_ahead() -> u64 {
    let atomic = clock_gettime_dynamic(DynamicClockId::Tai).map_or(0, |time| time.tv_sec);
    let ahead = atomic.saturating_sub(clock_gettime(ClockId::Realtime).tv_sec);
    u64::try_from(ahead).unwrap_or(0) * 1_000_000_000
}

fn attach(program: &mut aya::Ebpf, interface: &str, sets: LiveSets) -> Result<(), EbpfError> {
    // The first of what comes in and the last of what goes out, so that it sees what is on the wire and not what other
    // programs leave of it.
    attach_to(program, INGRESS, interface, TcAttachType::Ingress, LinkOrder::first())?;
    if sets.has(LiveSets::ORIGIN) {
        attach_to(program, EGRESS, interface, TcAttachType::Egress, LinkOrder::last())?;
    }
    Ok(())
}

fn attach_to(
    program: &mut aya::Ebpf,
    name: &str,
    interface: &str,
    direction: TcAttachType,
    order: LinkOrder,
) -> Result<(), EbpfError> {
    let function = program.program_mut(name);
    let function = function.ok_or(aya::programs::ProgramError::UnexpectedProgramType)?;
    let function: &mut SchedClassifier = function.try_into()?;
    function.load()?;
    // A link (Linux 6.6) ends with the process, also when that is killed; a filter of clsact would stay.
    function.attach_with_options(interface, direction, TcAttachOptions::TcxOrder(order))?;
    Ok(())
}

/// Why the kernel refuses the program.
fn refused(error: &(dyn Error + 'static)) -> LiveError {
    let causes = || std::iter::successors(Some(error), |error| (*error).source());
    let cause = causes().find_map(|cause| cause.downcast_ref::<io::Error>());
    match cause {
        Some(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
            LiveError::NotPermitted(CAPABILITIES)
        }
        _ => LiveError::NoEbpf(cause.map_or_else(|| error.to_string(), ToString::to_string)),
    }
}

/// A packet in the ring.
#[derive(Debug, PartialEq, Eq)]
struct Record<'a> {
    /// Of the clock that counts from the start of the system, in nanoseconds.
    time: u64,
    /// The counts so far.
    lost: u64,
    left_out: u64,
    wire_len: u32,
    kind: Kind,
    bytes: &'a [u8],
}

/// What a packet is handed over as: `enum kind` in `ebpf/sample.bpf.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A packet of a client.
    Client,
    /// A packet of this host to a server to which it opens a connection.
    Sent,
    /// A packet of that server, or an ICMP error that quotes a packet to it.
    Received,
    /// A datagram of a client, or an ICMP error that quotes one to it.
    Datagram,
}

impl Kind {
    /// In the order of their numbers.
    const ALL: [Self; 4] = [Self::Client, Self::Sent, Self::Received, Self::Datagram];
}

impl<'a> Record<'a> {
    /// Reads `struct record`.
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (fields, bytes) = bytes.split_at_checked(FIELDS)?;
        let long = |at: usize| Some(u64::from_ne_bytes(*fields.get(at..)?.first_chunk()?));
        let word = |at: usize| Some(u32::from_ne_bytes(*fields.get(at..)?.first_chunk()?));
        Some(Self {
            time: long(0)?,
            lost: long(8)?,
            left_out: long(16)?,
            wire_len: word(24)?,
            kind: *Kind::ALL.get(word(32)? as usize)?,
            bytes: bytes.get(..word(28)? as usize)?,
        })
    }
}

/// The time of day when the system's other clock, which programs in the kernel can read, was 0.
#[derive(Default)]
struct Clock {
    /// In nanoseconds since the Unix epoch.
    zero: i64,
}

impl Clock {
    /// Clocks are read one after the other and adjusted all the time. If `zero` followed that, packets that came in quick
    /// succession could change places.
    const TOLERANCE: u64 = 1_000_000;

    fn set(&mut self) {
        let since_start = clock_gettime(ClockId::Monotonic);
        let since_start = since_start.tv_sec * 1_000_000_000 + since_start.tv_nsec;
        let since_epoch = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let zero = i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX) - since_start;
        if zero.abs_diff(self.zero) > Self::TOLERANCE {
            self.zero = zero;
        }
    }

    fn time_of(&self, since_start: u64) -> i64 {
        self.zero.saturating_add_unsigned(since_start)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_are_read() {
        let mut bytes = Vec::new();
        [7_u64, 2, 3].iter().for_each(|long| bytes.extend(long.to_ne_bytes()));
        [1500_u32, 4, 2, 0].iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
        bytes.extend(b"head of another packet");
        let record =
            Record { time: 7, lost: 2, left_out: 3, wire_len: 1500, kind: Kind::Received, bytes: b"head" };
        assert_eq!(Record::of(&bytes), Some(record));
        assert_eq!(Record::of(&bytes[..FIELDS + 3]), None, "shorter than it says");
        assert_eq!(Record::of(&bytes[..FIELDS - 1]), None);
        bytes[32] = 4;
        assert_eq!(Record::of(&bytes), None, "there is no such kind");
    }

    #[test]
    fn rings_are_powers_of_two() {
        let sizes = [0, SMALLEST, (1 << 17) - 1, 64 << 20, usize::MAX].map(ring_size);
        assert_eq!(sizes, [1 << 16, 1 << 16, 1 << 16, 64 << 20, 1 << 30]);
    }

    #[test]
    fn ports_are_bits() {
        let has = |bits: &[u8], port: u16| bits[usize::from(port / 8)] & 1 << (port % 8) != 0;
        let (all, two) = (ports(&[]), ports(&[443, 65_535]));
        assert!((0..=u16::MAX).all(|port| has(&all, port)));
        assert!((0..=u16::MAX).all(|port| has(&two, port) == (port == 443 || port == 65_535)));
    }

    #[test]
    fn networks_are_prefixes_of_ipv6() {
        let of = |net: &str| {
            let key = prefix(&net.parse().unwrap());
            (key.prefix_len(), std::net::Ipv6Addr::from(key.data()).to_string())
        };
        assert_eq!(of("192.0.2.7/24"), (120, "::ffff:192.0.2.0".to_owned()));
        assert_eq!(of("2001:db8::1/32"), (32, "2001:db8::".to_owned()));
    }

    #[test]
    fn the_clock_follows_steps_only() {
        let mut clock = Clock::default();
        clock.set();
        let zero = clock.zero;
        clock.zero += 900_000;
        clock.set();
        assert!((zero + 800_000..zero + 1_000_000).contains(&clock.zero), "an adjustment");
        clock.zero += 2_000_000;
        clock.set();
        assert!(clock.zero.abs_diff(zero) < 1_000_000, "a step");
        assert_eq!(clock.time_of(5), clock.zero + 5);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(record) = Record::of(&bytes) {
                prop_assert!(record.bytes.len() + FIELDS <= bytes.len());
            }
        }
    }
}
