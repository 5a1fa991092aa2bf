//! The netfilter log: messages of one group, as rules with `log group` write them.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant, SystemTime};

use cutshort_packet::{Frame, LinkType};
use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use super::intake::{Intake, Sampled, Time};
use super::logged::Logged;
use super::{DATAGRAM_BYTES, Groups, LiveError, LiveSets, LiveSettings, sys, wait};
use crate::netlink::{ACK, Message, Request, messages};

/// `NFNL_SUBSYS_ULOG` in the high byte.
const PACKET: u16 = 4 << 8;
const CONFIG: u16 = PACKET | 1;
// Attributes of a configuration, and values of its command.
const COMMAND: u16 = 1;
const MODE: u16 = 2;
const BUFFER: u16 = 3;
const TIMEOUT: u16 = 4;
const THRESHOLD: u16 = 5;
const FLAGS: u16 = 6;
const BIND: u8 = 1;
const UNBIND: u8 = 2;
const COPY_PACKET: u8 = 2;
/// Packets are numbered.
const WITH_SEQUENCE: u16 = 1;

/// The most that the kernel puts into one datagram: room for a queue of short packets. It takes
/// that much memory for each.
const DATAGRAM: u32 = 32 << 10;
/// A single packet may be as large as a rule lets it be.
const LARGEST: usize = 256 << 10;
/// How long the kernel gathers packets, in hundredths of a second, and how many.
const GATHER: u32 = 10;
const QUEUE: u32 = 64;
/// Datagrams that are taken before the packets are handed on.
const DATAGRAMS: usize = 64;

pub(super) struct Nflog {
    socket: OwnedFd,
    buffer: Vec<u8>,
    /// What came while the answer to a request was awaited.
    early: Vec<Vec<u8>>,
    requests: u32,
    groups: Vec<Group>,
}

/// A group that is received.
struct Group {
    number: u16,
    /// The number that the next packet should have.
    next: u32,
}

impl Nflog {
    pub(super) fn open(groups: Groups, settings: &LiveSettings) -> Result<Self, LiveError> {
        let socket = socket(settings.buffer).map_err(LiveError::Io)?;
        let (buffer, early) = (vec![0; LARGEST], Vec::new());
        let mut nflog = Self { socket, buffer, early, requests: 0, groups: Vec::new() };
        groups.iter().try_for_each(|group| nflog.bind(group, settings))?;
        Ok(nflog)
    }

    fn bind(&mut self, number: u16, settings: &LiveSettings) -> Result<(), LiveError> {
        // In one message, so that no packet is logged with other settings.
        // Rules that take less of a packet say so; those for QUIC take more.
        let bytes = settings.snaplen.max(DATAGRAM_BYTES);
        let mode = [&bytes.to_be_bytes()[..], &[COPY_PACKET, 0]].concat();
        let bind = request(number)
            .attribute(COMMAND, &[BIND])
            .attribute(MODE, &mode)
            .attribute(BUFFER, &DATAGRAM.to_be_bytes())
            .attribute(TIMEOUT, &GATHER.to_be_bytes())
            .attribute(THRESHOLD, &QUEUE.to_be_bytes())
            .attribute(FLAGS, &WITH_SEQUENCE.to_be_bytes());
        self.groups.push(Group { number, next: 0 });
        self.ask(bind).map_err(|error| self.refused(number, error))
    }

    /// Sends a request and awaits how it went.
    fn ask(&mut self, request: Request) -> io::Result<()> {
        self.requests += 1;
        rustix::net::send(&self.socket, &request.finish(self.requests), SendFlags::empty())?;
        loop {
            if !wait(self.socket.as_fd())? {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let Some(datagram) = receive(&self.socket, &mut self.buffer)? else { continue };
            let answer = messages(datagram).find(|message| message.sequence == self.requests);
            match answer.and_then(|message| message.error()) {
                None => self.early.push(datagram.to_vec()),
                Some(0) => return Ok(()),
                Some(number) => return Err(io::Error::from_raw_os_error(number)),
            }
        }
    }

    /// Why the group was refused. The kernel gives one number for a missing privilege and for a group that is taken.
    fn refused(&mut self, group: u16, error: io::Error) -> LiveError {
        match error.raw_os_error() {
            Some(libc::EBUSY) => LiveError::Taken(group),
            Some(libc::EPERM) if self.is_allowed(group) => LiveError::Taken(group),
            Some(libc::EPERM) => LiveError::NotPermitted("CAP_NET_ADMIN"),
            _ => LiveError::Io(error),
        }
    }

    /// Whether the kernel takes requests of this process. What is requested here it never does, but
    /// it looks at the privilege before.
    fn is_allowed(&mut self, group: u16) -> bool {
        let answer = self.ask(Request::new(PACKET, ACK, 0, group));
        answer.is_err_and(|error| error.raw_os_error() != Some(libc::EPERM))
    }

    /// Waits for packets, not for long, and takes what has come.
    pub(super) fn receive(&mut self, intake: &mut Intake) -> io::Result<()> {
        for datagram in std::mem::take(&mut self.early) {
            take(&datagram, &mut self.groups, intake);
        }
        if wait(self.socket.as_fd())? {
            self.drain(DATAGRAMS, intake)?;
        }
        intake.release(now(), false);
        Ok(())
    }

    /// Ends logging to this socket. The kernel then sends what it has gathered, so nothing that
    /// was logged before is lost.
    pub(super) fn close(&mut self, intake: &mut Intake) -> io::Result<()> {
        let numbers: Vec<u16> = self.groups.iter().map(|group| group.number).collect();
        let unbound: io::Result<()> =
            numbers.into_iter().try_for_each(|group| self.ask(request(group).attribute(COMMAND, &[UNBIND])));
        match unbound {
            Ok(()) => {
                for datagram in std::mem::take(&mut self.early) {
                    take(&datagram, &mut self.groups, intake);
                }
                self.drain(usize::MAX, intake)?;
            }
            // Who has dropped the privilege waits for what is gathered; more may still come.
            Err(_) => {
                let until = Instant::now() + 2 * Duration::from_millis(10 * u64::from(GATHER));
                while Instant::now() < until {
                    self.receive(intake)?;
                }
            }
        }
        intake.release(now(), true);
        Ok(())
    }

    fn drain(&mut self, datagrams: usize, intake: &mut Intake) -> io::Result<()> {
        for _ in 0..datagrams {
            let Some(datagram) = receive(&self.socket, &mut self.buffer)? else { break };
            take(datagram, &mut self.groups, intake);
        }
        Ok(())
    }
}

fn request(group: u16) -> Request {
    Request::new(CONFIG, ACK, 0, group)
}

fn socket(buffer: usize) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let protocol = Some(netlink::NETFILTER);
    let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
    rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0))?;
    sys::set_receive_buffer(socket.as_fd(), buffer)?;
    // Errors about a full buffer would say nothing: gaps in the numbers tell what was lost.
    sys::set_option(socket.as_fd(), libc::SOL_NETLINK, libc::NETLINK_NO_ENOBUFS, &1_i32.to_ne_bytes())?;
    Ok(socket)
}

/// The next datagram, if there is one.
fn receive<'a>(socket: &OwnedFd, buffer: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
    loop {
        match rustix::net::recv(socket, &mut *buffer, RecvFlags::DONTWAIT) {
            Ok((len, _)) => return Ok(buffer.get(..len)),
            Err(Errno::AGAIN) => return Ok(None),
            Err(Errno::INTR | Errno::NOBUFS) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Takes the packets of a datagram.
fn take(datagram: &[u8], groups: &mut [Group], intake: &mut Intake) {
    for message in messages(datagram).filter(is_packet) {
        let Some(logged) = Logged::of(&message) else {
            intake.counts.malformed += 1;
            continue;
        };
        let group = groups.iter_mut().find(|group| message.resource() == Some(group.number));
        intake.counts.lost += group.map_or(0, |group| logged.gap(&mut group.next));
        if let Some(connections) = logged.left_out {
            intake.counts.left_out.add(connections, logged.ts.unwrap_or_else(now));
            continue;
        }
        let time = if logged.ts.is_some() { Time::Kernel } else { Time::Receiver };
        let ts = logged.ts.unwrap_or_else(now);
        let link = if logged.ipv6 { LinkType::Ipv6 } else { LinkType::Ipv4 };
        let wire_len = u32::try_from(logged.packet.len()).unwrap_or(u32::MAX);
        let frame = Frame { ts, wire_len, bytes: logged.packet };
        let how = Sampled { rate: logged.rate, time };
        match logged.set {
            LiveSets::ORIGIN => intake.take_sampled_opened(link, frame, logged.outgoing, how),
            LiveSets::QUIC => intake.take_sampled_datagram(link, frame, how),
            _ => intake.take_sampled(link, frame, how),
        }
    }
}

fn is_packet(message: &Message<'_>) -> bool {
    message.kind == PACKET
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
