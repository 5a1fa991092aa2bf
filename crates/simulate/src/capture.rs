//! A simulation as a capture file.

use std::fmt;
use std::io::{self, Write};

use cutshort_packet::Packet;

use crate::pcapng::PcapngWriter;
use crate::quic::Clients;
use crate::{Simulation, Upstreams, WINDOW_NS, World};

/// Which connections a capture has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureKind {
    /// TCP connections of clients, in one direction.
    Clients,
    /// TCP connections that proxies open to servers, in both directions.
    Upstreams,
    /// QUIC connections of clients, in one direction.
    Quic,
}

/// What to simulate for a capture.
#[derive(Clone, Copy, Debug)]
pub struct CaptureSettings {
    /// Which connections.
    pub kind: CaptureKind,
    /// The beginning, in nanoseconds since the Unix epoch.
    pub from_ns: i64,
    /// The end, likewise.
    pub to_ns: i64,
    /// Mean number of new connections per second.
    pub rate: f64,
    /// Seed of the random numbers.
    pub seed: u64,
}

/// A simulation that can be written as a capture.
pub struct SimulatedCapture(Source);

enum Source {
    Clients(Box<Simulation>),
    Upstreams(Upstreams),
    Quic(Clients),
}

/// More connections were asked for than the ports of a window allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateTooHigh {
    of: &'static str,
    most: u64,
}

impl fmt::Display for RateTooHigh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too high for these {}: at most {} connections per second", self.of, self.most)
    }
}

impl std::error::Error for RateTooHigh {}

impl SimulatedCapture {
    /// Prepares it.
    ///
    /// # Errors
    /// [`RateTooHigh`].
    pub fn new(world: World, settings: &CaptureSettings) -> Result<Self, RateTooHigh> {
        let CaptureSettings { kind, from_ns, to_ns, rate, seed } = *settings;
        Ok(Self(match kind {
            CaptureKind::Clients => {
                let simulation = Simulation::new(world, from_ns, to_ns, rate, seed).whole_connections();
                Source::Clients(Box::new(simulation))
            }
            CaptureKind::Upstreams => {
                let count = per_window(rate, "proxies", Upstreams::MOST)?;
                Source::Upstreams(Upstreams::new(&world, from_ns, to_ns, count, seed))
            }
            CaptureKind::Quic => {
                let count = per_window(rate, "clients", Clients::MOST)?;
                Source::Quic(Clients::new(&world, from_ns, to_ns, count, seed))
            }
        }))
    }

    /// Writes its packets as pcapng, in order of time, at most `snaplen` bytes of each unless it is 0. Returns how many there are, and
    /// the output.
    ///
    /// # Errors
    /// Those of the output.
    pub fn write<W: Write>(self, out: W, snaplen: u32) -> io::Result<(u64, W)> {
        let mut capture = PcapngWriter::new(out, snaplen)?;
        let count = match self.0 {
            Source::Clients(simulation) => write_packets(&mut capture, simulation.packets())?,
            Source::Upstreams(upstreams) => {
                write_packets(&mut capture, upstreams.windows().flat_map(|window| upstreams.packets(window)))?
            }
            Source::Quic(clients) => write_datagrams(&mut capture, &clients)?,
        };
        Ok((count, capture.into_inner()?))
    }
}

/// Connections per window, at most `most`.
fn per_window(rate: f64, of: &'static str, most: u64) -> Result<u64, RateTooHigh> {
    let seconds = (WINDOW_NS / 1_000_000_000) as u64;
    let count = (rate * seconds as f64).ceil() as u64;
    if count > most {
        return Err(RateTooHigh { of, most: most / seconds });
    }
    Ok(count)
}

fn write_packets<W: Write>(
    capture: &mut PcapngWriter<W>,
    packets: impl Iterator<Item = Packet>,
) -> io::Result<u64> {
    let mut count = 0;
    for packet in packets {
        capture.write(&packet)?;
        count += 1;
    }
    Ok(count)
}

fn write_datagrams<W: Write>(capture: &mut PcapngWriter<W>, clients: &Clients) -> io::Result<u64> {
    let mut count = 0;
    for window in clients.windows() {
        let connections = clients.connections(window);
        let all = connections
            .iter()
            .flat_map(|one| one.datagrams.iter().map(|datagram| datagram.udp(one.five_tuple)));
        let mut datagrams: Vec<_> = all.collect();
        datagrams.sort_by_key(|datagram| datagram.ts);
        for datagram in &datagrams {
            capture.write_udp(datagram)?;
            count += 1;
        }
    }
    Ok(count)
}
