//! A packet socket on one interface, with a ring of memory shared with the kernel (TPACKET_V3).

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use cutshort_packet::{Frame, LinkType};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::ring::slots;
use super::sys::{self, Ring};
use super::{DATAGRAM_BYTES, Intake, LiveError, LiveSets, LiveSettings, filter, wait};

/// The size of a block of the ring, the unit in which kernel and program exchange it, in bytes.
const BLOCK: usize = 1 << 20;
/// The longest time for which the kernel fills a block, in milliseconds.
const GATHER: u32 = 50;
/// The minimum size of a packet in a block, which the kernel must know.
const SLOT: u32 = 2048;
/// `PACKET_IGNORE_OUTGOING`, supported since Linux 4.20.
const IGNORE_OUTGOING: i32 = 23;
/// The version of the ring: `TPACKET_V3`.
const VERSION: i32 = 2;

pub(super) struct AfPacket {
    interface: String,
    index: u32,
    socket: OwnedFd,
    ring: Ring,
    /// The block that the kernel hands over next.
    next: usize,
    /// Whether the interface was down and nothing has come since.
    down: bool,
}

impl AfPacket {
    pub(super) fn open(interface: &str, settings: &LiveSettings) -> Result<Self, LiveError> {
        let flags = SocketFlags::CLOEXEC;
        // Without a protocol, nothing comes before it is bound; and as datagrams, packets begin
        // with their IP header, whatever the interface.
        let socket = rustix::net::socket_with(AddressFamily::PACKET, SocketType::DGRAM, flags, None);
        let socket = socket.map_err(|error| match error.into() {
            error if io::Error::kind(&error) == io::ErrorKind::PermissionDenied => {
                LiveError::NotPermitted("CAP_NET_RAW")
            }
            error => LiveError::Io(error),
        })?;
        let index = rustix::net::netdevice::name_to_index(&socket, interface)
            .map_err(|_| LiveError::NoInterface(interface.to_owned()))?;
        let ring = set_up(&socket, index, settings).map_err(LiveError::Io)?;
        Ok(Self { interface: interface.to_owned(), index, socket, ring, next: 0, down: false })
    }

    /// Waits briefly for packets, and takes those that have come.
    pub(super) fn receive(&mut self, intake: &mut Intake) -> Result<(), LiveError> {
        let waited = wait(self.socket.as_fd()).map_err(LiveError::Io)?;
        // Each block is looked at once at most, so that packets are handed on under load too.
        for _ in 0..self.ring.blocks() {
            if !self.take_block(intake) {
                break;
            }
            self.down = false;
        }
        self.count_lost(intake).map_err(LiveError::Io)?;
        if waited {
            self.down |= self.take_error()?;
        }
        if self.down { self.check() } else { Ok(()) }
    }

    /// Takes the packets in the block that the kernel is still filling.
    pub(super) fn close(&mut self, intake: &mut Intake) -> Result<(), LiveError> {
        let until = Instant::now() + Duration::from_millis(2 * u64::from(GATHER));
        while Instant::now() < until {
            self.receive(intake)?;
        }
        Ok(())
    }

    fn take_block(&mut self, intake: &mut Intake) -> bool {
        let Some(block) = self.ring.block(self.next) else { return false };
        for slot in slots(block) {
            let frame = Frame { ts: slot.ts, wire_len: slot.wire_len, bytes: slot.bytes };
            intake.take(LinkType::Raw, frame, slot.outgoing);
        }
        self.ring.release(self.next);
        self.next = (self.next + 1) % self.ring.blocks();
        true
    }

    /// The number of packets that found no room in the ring; reading it resets the kernel's counter.
    fn count_lost(&self, intake: &mut Intake) -> io::Result<()> {
        let [_packets, dropped, _frozen] =
            sys::option(self.socket.as_fd(), libc::SOL_PACKET, libc::PACKET_STATISTICS)?;
        intake.counts.lost += u64::from(dropped);
        Ok(())
    }

    /// Whether the interface went down, which the kernel reports once.
    fn take_error(&self) -> Result<bool, LiveError> {
        let error = rustix::net::sockopt::socket_error(&self.socket);
        Ok(error.map_err(|error| LiveError::Io(error.into()))?.is_err())
    }

    /// An interface that is down may come back; one that is gone is another when it does. It goes down before it
    /// is gone, and the kernel says nothing of the latter.
    fn check(&self) -> Result<(), LiveError> {
        match rustix::net::netdevice::name_to_index(&self.socket, &self.interface) {
            Ok(index) if index == self.index => Ok(()),
            _ => Err(LiveError::NoInterface(self.interface.clone())),
        }
    }
}

fn set_up(socket: &OwnedFd, interface: u32, settings: &LiveSettings) -> io::Result<Ring> {
    let blocks = (settings.buffer / BLOCK).max(2);
    let packet = |name, value: &[u8]| sys::set_option(socket.as_fd(), libc::SOL_PACKET, name, value);
    let wanted = filter::Wanted {
        sets: settings.sets,
        ports: &settings.ports,
        snaplen: settings.snaplen,
        quic_ports: settings.quic_ports(),
        datagram: DATAGRAM_BYTES,
    };
    sys::attach(socket.as_fd(), &mut filter::program(&wanted))?;
    packet(libc::PACKET_VERSION, &VERSION.to_ne_bytes())?;
    if !settings.sets.has(LiveSets::ORIGIN) {
        // Spares a look at what goes out; an older kernel's filter drops it.
        let _ = packet(IGNORE_OUTGOING, &1_i32.to_ne_bytes());
    }
    packet(libc::PACKET_RX_RING, &ring_request(blocks))?;
    let ring = Ring::map(socket, BLOCK, blocks)?;
    sys::bind_packet(socket.as_fd(), interface)?;
    Ok(ring)
}

/// Encodes a `tpacket_req3`, the request for a ring.
fn ring_request(blocks: usize) -> Vec<u8> {
    let block = BLOCK as u32;
    let blocks = blocks as u32;
    let fields = [block, blocks, SLOT, block / SLOT * blocks, GATHER, 0, 0];
    fields.iter().flat_map(|field: &u32| field.to_ne_bytes()).collect()
}
