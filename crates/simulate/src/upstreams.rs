//! Connections that proxies open to a few servers, with the truth about each of them.
use crate::rng::Rng;
use crate::simulation::WINDOW_NS;
use crate::world::World;
use cutshort_packet::{FiveTuple, Flags, Packet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

const MS: i64 = 1_000_000;
const SECOND: i64 = 1000 * MS;
/// The longest script, with the silence after it: connections begin early enough for it.
const LONGEST: i64 = 60 * SECOND;
const PSH_ACK: Flags = Flags::from_bits(Flags::PSH.bits() | Flags::ACK.bits());
const FIN_ACK: Flags = Flags::from_bits(Flags::FIN.bits() | Flags::ACK.bits());
const RST_ACK: Flags = Flags::from_bits(Flags::RST.bits() | Flags::ACK.bits());
const SYN_ACK: Flags = Flags::from_bits(Flags::SYN.bits() | Flags::ACK.bits());
/// Windows in a day.
const DAY: i64 = 96;

/// What becomes of a connection to a server (docs/origin.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Answered, and closed in the ordinary way.
    Answered,
    /// A RST answers the SYN: the port is closed.
    Refused,
    /// Nothing answers the SYN.
    Silent,
    /// Accepted, and then nothing: not even an acknowledgement. The proxy gives up.
    Stuck,
    /// The request is acknowledged, and no answer comes in time. The proxy gives up.
    TooSlow,
    /// The server closes after the request, without a byte of an answer.
    Empty,
    /// A RST comes in the middle of the answer.
    Cut,
}

/// A server, and how often connections to it end in which way.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// What the operator calls it.
    pub name: &'static str,
    /// Its address; one of IPv4 is mapped.
    pub address: Ipv6Addr,
    /// Its port.
    pub port: u16,
    /// From the SYN to the SYN+ACK, in milliseconds: the shortest and the longest.
    handshake: Range<u64>,
    /// Its share of all connections, relative to the others.
    weight: u64,
    trouble: Trouble,
}

/// What is wrong with a server.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// Nothing but rare accidents.
    None,
    /// It is restarted every night, for a quarter of an hour.
    Restarts,
    /// Its queue of new connections overflows in the evening, and what is accepted waits.
    Overloaded,
    /// It closes one in eight kept connections at the moment when they are used again.
    ClosesEmpty,
    /// It dies in the middle of one in twelve answers, in the last days.
    Crashes(i64),
}

/// Proxies and the servers behind them, over a range of time.
///
/// The truth holds for captures of both directions at the proxies. A connection ends in the window in which it begins.
#[derive(Clone, Debug)]
pub struct Upstreams {
    servers: Vec<Upstream>,
    windows: Range<i64>,
    per_window: u64,
    seed: u64,
    sample_rate: u32,
}

impl Upstreams {
    /// The maximum number of connections in a window: each has ports of its own.
    pub const MOST: u64 = 20_000;

    /// Servers in networks of `world` between two times, widened to whole windows, with so many connections in each window.
    #[must_use]
    pub fn new(world: &World, from_ns: i64, to_ns: i64, per_window: u64, seed: u64) -> Self {
        let first = from_ns.div_euclid(WINDOW_NS);
        let last = to_ns.div_euclid(WINDOW_NS) + i64::from(to_ns.rem_euclid(WINDOW_NS) > 0);
        let windows = first..last.max(first);
        Self { servers: servers(world, windows.end), windows, per_window, seed, sample_rate: 1 }
    }

    /// Sets the `sample_rate` of all packets.
    #[must_use]
    pub const fn sample_rate(mut self, n: u32) -> Self {
        self.sample_rate = n;
        self
    }

    /// The servers.
    #[must_use]
    pub fn servers(&self) -> &[Upstream] {
        &self.servers
    }

    /// The windows of the range: number `k` begins at `k` times [`WINDOW_NS`].
    #[must_use]
    pub fn windows(&self) -> Range<i64> {
        self.windows.clone()
    }

    /// The connections of a window with their packets of both directions, in order of their beginnings.
    #[must_use]
    pub fn connections(&self, window: i64) -> Vec<(FiveTuple, Fate, Vec<Packet>)> {
        let mut rng = Rng::new(self.seed ^ 0x0510, window as u64);
        let room = (WINDOW_NS - LONGEST) as u64;
        let mut starts: Vec<i64> = (0..self.per_window).map(|_| rng.below(room) as i64).collect();
        starts.sort_unstable();
        let one = |(at, start): (usize, i64)| {
            self.connection(window, (at as u64, window * WINDOW_NS + start), &mut rng)
        };
        starts.into_iter().enumerate().map(one).collect()
    }

    fn connection(&self, window: i64, (at, ts): (u64, i64), rng: &mut Rng) -> (FiveTuple, Fate, Vec<Packet>) {
        let all: u64 = self.servers.iter().map(|server| server.weight).sum();
        let mut chosen = rng.below(all);
        let server = self.servers.iter().find(|server| {
            let is_chosen = chosen < server.weight;
            chosen = chosen.saturating_sub(server.weight);
            is_chosen
        });
        let server = server.unwrap_or(&self.servers[0]);
        let proxy = rng.between(1, 3) as u8;
        // Ports differ within a window and from those of the window before.
        let port = 20_000 + (window.rem_euclid(2) as u64 * Self::MOST + at % Self::MOST) as u16;
        let five_tuple = FiveTuple::new(
            proxy_address(proxy, server.address),
            port,
            server.address.to_canonical(),
            server.port,
        );
        let fate = server.fate(window, rng);
        let mut script = Script::new(ts, five_tuple, self.sample_rate, server, rng);
        script.play(fate);
        (five_tuple, fate, script.packets)
    }

    /// Packets of both directions of a window, in order of time, as a capture at the proxies has them.
    #[must_use]
    pub fn packets(&self, window: i64) -> Vec<Packet> {
        let mut packets: Vec<Packet> =
            self.connections(window).into_iter().flat_map(|(_, _, packets)| packets).collect();
        packets.sort_by_key(|packet| packet.ts);
        packets
    }

    /// The same as rows of the data set `origin` (docs/origin.md#rows).
    #[must_use]
    pub fn rows(&self, window: i64) -> Vec<Packet> {
        let row = |opener: FiveTuple, packet: &Packet| {
            if packet.five_tuple == opener { packet.sent_row() } else { Some(packet.received_row()) }
        };
        let rows = |(opener, _, packets): (FiveTuple, Fate, Vec<Packet>)| {
            packets.into_iter().filter_map(move |packet| row(opener, &packet))
        };
        let mut rows: Vec<Packet> = self.connections(window).into_iter().flat_map(rows).collect();
        rows.sort_by_key(|packet| packet.ts);
        rows
    }
}

/// The address of a proxy, in the family of the server.
fn proxy_address(number: u8, server: Ipv6Addr) -> IpAddr {
    match server.to_canonical() {
        IpAddr::V4(_) => Ipv4Addr::new(203, 0, 113, number).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, number.into()).into(),
    }
}

fn servers(world: &World, end: i64) -> Vec<Upstream> {
    let networks = world.networks();
    let address = |at: usize, v6: bool, host: u64| networks[at % networks.len()].address(v6, host, 200);
    let server = |name, address, port, handshake, weight, trouble| Upstream {
        name,
        address,
        port,
        handshake,
        weight,
        trouble,
    };
    vec![
        server("web-1", address(0, false, 11), 8443, 1..4, 30, Trouble::None),
        server("web-2", address(0, false, 12), 8443, 1..4, 30, Trouble::Restarts),
        server("search", address(25, false, 21), 9200, 8..30, 15, Trouble::Overloaded),
        server("database", address(50, true, 31), 5432, 2..9, 20, Trouble::ClosesEmpty),
        server("images", address(75, false, 41), 443, 20..60, 20, Trouble::Crashes(end - 2 * DAY)),
        server("archive", address(100, false, 51), 443, 250..700, 5, Trouble::None),
    ]
}

impl Upstream {
    fn fate(&self, window: i64, rng: &mut Rng) -> Fate {
        let chance = rng.below(1000);
        let of_day = window.rem_euclid(DAY);
        match self.trouble {
            Trouble::Restarts if of_day == 12 && chance < 970 => Fate::Refused,
            Trouble::Overloaded if (76..84).contains(&of_day) && chance < 300 => match chance % 3 {
                0 => Fate::Silent,
                1 => Fate::Stuck,
                _ => Fate::TooSlow,
            },
            Trouble::ClosesEmpty if chance < 125 => Fate::Empty,
            Trouble::Crashes(since) if window >= since && chance < 83 => Fate::Cut,
            _ => match chance {
                997 => Fate::Silent,
                998 => Fate::TooSlow,
                999 => Fate::Cut,
                _ => Fate::Answered,
            },
        }
    }
}

/// A connection while it is played, with packets of both ends.
struct Script<'a> {
    rng: &'a mut Rng,
    packets: Vec<Packet>,
    opener: FiveTuple,
    ts: i64,
    sample_rate: u32,
    handshake: i64,
    ttl: u8,
    /// What comes next in each direction.
    seq: u32,
    server_seq: u32,
}

impl<'a> Script<'a> {
    fn new(ts: i64, opener: FiveTuple, sample_rate: u32, server: &Upstream, rng: &'a mut Rng) -> Self {
        let (seq, server_seq) = (rng.next_u32(), rng.next_u32());
        let handshake = rng.between(server.handshake.start * 1000, server.handshake.end * 1000) as i64 * 1000;
        let ttl = 64 - rng.between(1, 14) as u8;
        Self { rng, packets: Vec::new(), opener, ts, sample_rate, handshake, ttl, seq, server_seq }
    }

    fn packet(&self, five_tuple: FiveTuple, ttl: u8, flags: Flags) -> Packet {
        Packet {
            ts: self.ts,
            five_tuple,
            ttl,
            flags,
            tcp_window: 64_240,
            options_len: if flags.intersects(Flags::SYN) { 20 } else { 12 },
            sample_rate: self.sample_rate,
            ..Packet::ZERO
        }
    }

    fn send(&mut self, flags: Flags, payload_len: u32) {
        let ack = if flags.intersects(Flags::ACK) { self.server_seq } else { 0 };
        let ip_id = self.ip_id();
        let packet = self.packet(self.opener, 64, flags);
        self.packets.push(Packet { seq: self.seq, ack, payload_len, ip_id, ..packet });
        self.seq = self.seq.wrapping_add(payload_len + taken(flags));
    }

    fn receive(&mut self, flags: Flags, payload_len: u32) {
        let ip_id = self.ip_id();
        let packet = self.packet(self.opener.reversed(), self.ttl, flags);
        self.packets.push(Packet { seq: self.server_seq, ack: self.seq, payload_len, ip_id, ..packet });
        self.server_seq = self.server_seq.wrapping_add(payload_len + taken(flags));
    }

    fn ip_id(&mut self) -> u16 {
        if self.opener.is_ipv4() { self.rng.next_u32() as u16 | 1 } else { 0 }
    }

    fn wait_ms(&mut self, from: u64, to: u64) {
        self.ts += self.rng.between(from * 1000, to * 1000) as i64 * 1000;
    }

    fn play(&mut self, fate: Fate) {
        match fate {
            Fate::Silent => return self.insist_on_syn(),
            Fate::Refused => return self.refused(),
            _ => self.open(),
        }
        let request = self.rng.between(180, 900) as u32;
        if fate == Fate::Stuck {
            return self.stuck(request);
        }
        self.send(PSH_ACK, request);
        self.ts += self.handshake;
        self.receive(Flags::ACK, 0);
        match fate {
            Fate::TooSlow => self.give_up(),
            Fate::Empty => self.close_empty(),
            Fate::Cut => self.cut(),
            _ => self.answer(),
        }
    }

    fn open(&mut self) {
        self.send(Flags::SYN, 0);
        self.ts += self.handshake;
        self.receive(SYN_ACK, 0);
        self.ts += 40_000;
        self.send(Flags::ACK, 0);
        self.ts += 200_000;
    }

    /// The kernel repeats the SYN, and the proxy's own limit ends it unseen.
    fn insist_on_syn(&mut self) {
        let isn = self.seq;
        for wait in [1, 2, 4] {
            self.seq = isn;
            self.send(Flags::SYN, 0);
            self.ts += wait * SECOND;
        }
    }

    fn refused(&mut self) {
        self.send(Flags::SYN, 0);
        self.ts += self.handshake;
        self.server_seq = 0;
        self.receive(RST_ACK, 0);
    }

    /// The request is sent again and again, and never acknowledged.
    fn stuck(&mut self, request: u32) {
        let first = self.seq;
        for wait in [300, 600, 1200, 2400] {
            self.seq = first;
            self.send(PSH_ACK, request);
            self.ts += wait * MS;
        }
        self.wait_ms(500, 600);
        self.send(FIN_ACK, 0);
    }

    fn give_up(&mut self) {
        self.wait_ms(5000, 5010);
        self.send(FIN_ACK, 0);
        self.ts += self.handshake;
        self.receive(Flags::ACK, 0);
    }

    fn close_empty(&mut self) {
        self.wait_ms(1, 20);
        self.receive(FIN_ACK, 0);
        self.ts += 100_000;
        self.send(FIN_ACK, 0);
    }

    fn cut(&mut self) {
        self.wait_ms(20, 200);
        self.receive(PSH_ACK, 1400);
        self.ts += 100_000;
        self.send(Flags::ACK, 0);
        self.wait_ms(100, 2000);
        self.receive(RST_ACK, 0);
    }

    fn answer(&mut self) {
        self.wait_ms(5, 300);
        let length = self.rng.between(200, 1400) as u32;
        self.receive(PSH_ACK, length);
        self.ts += 100_000;
        self.send(Flags::ACK, 0);
        self.wait_ms(100, 4000);
        self.send(FIN_ACK, 0);
        self.ts += self.handshake;
        self.receive(FIN_ACK, 0);
        self.ts += 100_000;
        self.send(Flags::ACK, 0);
    }
}

/// How many sequence numbers flags take.
const fn taken(flags: Flags) -> u32 {
    if flags.intersects(Flags::SYN) || flags.intersects(Flags::FIN) { 1 } else { 0 }
}
