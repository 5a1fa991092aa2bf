//! The packets of one window: connections begin, overlap and end.
use crate::profile::Behaviour;
use crate::rng::{Rng, mix};
use crate::script::Script;
use crate::simulation::{ClientSource, Simulation, WINDOW_NS};
use crate::truth::{Outcome, Truth};
use crate::world::{Network, SERVERS};
use crate::{GUARD_NS, PACKET_LIMIT};
use cutshort_packet::{FiveTuple, Packet};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The start of a connection, or a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection begins; its first packet follows at once or soon.
    Connection(Truth),
    /// A packet from a client.
    Packet(Packet),
}

/// Ports of one window; those of the next are the ones between them, so that no 5-tuple comes again
/// within 15 minutes.
const PORTS: u64 = 32_256;
const FIRST_PORT: u16 = 1024;
/// Nothing begins in the last millisecond of a window.
const LAST_START: i64 = 1_000_000;

/// Connections and packets of one window, in order of time.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    simulation: &'a Simulation,
    sources: Vec<ClientSource>,
    window: i64,
    end: i64,
    next_start: i64,
    /// Average time between two beginnings; 0 if there are none.
    step: u64,
    started: u64,
    rng: Rng,
    /// Time of the next packet, and whose it is.
    queue: BinaryHeap<Reverse<(i64, u32)>>,
    open: Vec<OpenConnection>,
    free: Vec<u32>,
}

#[derive(Clone, Debug, Default)]
struct OpenConnection {
    packets: Vec<Packet>,
    next: usize,
}

impl<'a> Events<'a> {
    pub(crate) fn new(simulation: &'a Simulation, window: i64) -> Self {
        let sources = simulation.sources(window);
        let expected = simulation.expected_of(&sources);
        let (start, end) = (window * WINDOW_NS, (window + 1) * WINDOW_NS);
        let mut rng = simulation.rng(window);
        let step = if expected > 0.0 { (WINDOW_NS as f64 / expected) as u64 } else { 0 };
        let first = if step > 0 { start.saturating_add_unsigned(rng.below(step)) } else { end };
        Self {
            simulation,
            sources,
            window,
            end,
            next_start: first,
            step,
            started: 0,
            rng,
            queue: BinaryHeap::new(),
            open: Vec::new(),
            free: Vec::new(),
        }
    }

    fn starts_next(&self) -> bool {
        self.next_start < self.end - LAST_START
            && self.queue.peek().is_none_or(|Reverse((ts, _))| *ts >= self.next_start)
    }

    fn start(&mut self) -> Truth {
        let source = self.source();
        let (network, behaviour) = self.client(source);
        let five_tuple = self.five_tuple(network, behaviour);
        let slot = self.slot();
        let mut packets = std::mem::take(&mut self.open[slot as usize].packets);
        let scenario = behaviour.scenario(&mut self.rng);
        let client = behaviour.client(&mut self.rng);
        let facts =
            Script::play(scenario, client, (self.next_start, five_tuple), &mut self.rng, &mut packets);
        let attempts = usize::from(facts.after_attempt);
        self.finish(&mut packets, attempts);
        let own = &packets[attempts..];
        let last_ts = own[own.len().min(PACKET_LIMIT) - 1].ts;
        let waits = facts.waits();
        let incomplete = waits && last_ts > self.end - GUARD_NS;
        let truth = Truth {
            // Some scenarios have a port of their own.
            five_tuple: packets[0].five_tuple,
            after_attempt: facts.after_attempt,
            first_ts: own[0].ts,
            last_ts,
            packets: facts.packets,
            country: network.country,
            asn: network.asn,
            outcome: if incomplete { Outcome::Incomplete } else { facts.outcome() },
            waits,
        };
        self.queue.push(Reverse((packets[0].ts, slot)));
        self.open[slot as usize] = OpenConnection { packets, next: 0 };
        self.started += 1;
        let gap = self.step / 2 + self.rng.below(self.step + 1);
        self.next_start = self.next_start.saturating_add_unsigned(gap.max(1));
        truth
    }

    fn source(&mut self) -> ClientSource {
        let all = self.sources.last().map_or(0, |source| source.up_to);
        let at = self.rng.below(all);
        self.sources[self.sources.partition_point(|source| source.up_to <= at)]
    }

    fn client(&mut self, source: ClientSource) -> (&'a Network, Behaviour) {
        let networks = self.simulation.world().networks();
        let forged = || self.rng.below(networks.len() as u64) as usize;
        let index = source.network.map_or_else(forged, |index| index as usize);
        let network = &networks[index];
        (network, source.behaviour(network.behaviour, &mut self.rng))
    }

    /// A 5-tuple that is new in this window: of connections with the same port, no two have the same
    /// client and the same server, because the server moves on each time the ports are through.
    fn five_tuple(&mut self, network: &Network, behaviour: Behaviour) -> FiveTuple {
        let v6 = self.rng.permille(behaviour.ipv6_share());
        let src_ip = network.address(v6, self.rng.next_u64(), behaviour.hosts());
        let (round, nth) = (self.started / PORTS, self.started % PORTS);
        // 25,717 has no factor in common with the number of ports: a permutation.
        let port = (nth * 25_717 + mix(self.window as u64) % PORTS) % PORTS;
        let src_port = FIRST_PORT + 2 * port as u16 + self.window.rem_euclid(2) as u16;
        let usual = mix(u128::from(src_ip) as u64 ^ u64::from(src_port) << 48);
        let server = (usual % SERVERS + round) % SERVERS + 1;
        FiveTuple {
            src_ip,
            src_port,
            dst_ip: server_address(v6, server),
            dst_port: behaviour.port(&mut self.rng),
        }
    }

    fn slot(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.open.push(OpenConnection::default());
            self.open.len() as u32 - 1
        })
    }

    /// Plays a connection that is too long for the window faster, and leaves out what capturing does
    /// not take.
    fn finish(&self, packets: &mut Vec<Packet>, attempts: usize) {
        let start = self.next_start;
        let room = self.end - 1 - start;
        let length = packets.last().map_or(0, |packet| packet.ts - start);
        let sample_rate = self.simulation.packets_stand_for();
        for packet in packets.iter_mut() {
            packet.sample_rate = sample_rate;
            if length > room {
                let after = i128::from(packet.ts - start) * i128::from(room) / i128::from(length);
                packet.ts = start + after as i64;
            }
        }
        if !self.simulation.is_whole() {
            packets.truncate(attempts + PACKET_LIMIT);
        }
    }

    fn packet(&mut self) -> Option<Packet> {
        let mut top = self.queue.peek_mut()?;
        let Reverse((_, slot)) = *top;
        let open = &mut self.open[slot as usize];
        let packet = open.packets[open.next];
        open.next += 1;
        if let Some(next) = open.packets.get(open.next) {
            *top = Reverse((next.ts, slot));
        } else {
            PeekMut::pop(top);
            self.free.push(slot);
        }
        Some(packet)
    }
}

impl Iterator for Events<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.starts_next() {
            Some(Event::Connection(self.start()))
        } else {
            self.packet().map(Event::Packet)
        }
    }
}

/// 203.0.113.n or 2001:db8:ffff::n.
fn server_address(v6: bool, n: u64) -> Ipv6Addr {
    if v6 {
        Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, n as u16)
    } else {
        Ipv4Addr::new(203, 0, 113, n as u8).to_ipv6_mapped()
    }
}
