//! Writes the workload of `bench/compare.sh`: what a server receives of many TCP connections, as a pcap.
//!
//! ```text
//! workload OUT.pcap CONNECTIONS SEED SECONDS TRUTH.tsv [both] >TOTALS.tsv
//! ```
//!
//! With `both`, the capture also has the server's packets: an answer to each packet, except to a RST and to the last packet of a
//! connection that ends in silence. Whoever sent the SYN packet is then the host that captured (data set `origin`).
//!
//! Four of five connections are complete (5 to 18 packets); the others end early, by a reset or in silence, at each
//! stage. One in four uses IPv6. All packets have their whole length and valid checksums, and are in order of time.
//!
//! TRUTH has a line for each connection: number, class, shape of the reset, whether it is a scan by ZMap, whether a FIN
//! precedes the reset, packets, times of the first and the last packet in microseconds since the Unix epoch, and
//! source and destination with their ports. `bench/check_truth.py` reads it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;

/// Time of the first connection in seconds since the Unix epoch, at which a window of 15 minutes begins.
const START: u64 = 1_725_494_400;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("workload: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let (arguments, both) = match arguments {
        [arguments @ .., last] if last == "both" => (arguments, true),
        arguments => (arguments, false),
    };
    let [pcap, connections, seed, seconds, truth] = arguments else {
        return Err("usage: workload OUT.pcap CONNECTIONS SEED SECONDS TRUTH.tsv [both]".to_owned());
    };
    let connections: u64 = number(connections, "CONNECTIONS")?;
    let seconds: f64 = number(seconds, "SECONDS")?;
    let random = Random(number(seed, "SEED")?);
    let create = |path: &str| {
        let file = File::create(path).map_err(|error| format!("{path}: {error}"))?;
        Ok::<_, String>(BufWriter::with_capacity(1 << 20, file))
    };
    let (mut pcap, mut truth) = (create(pcap)?, create(truth)?);
    let plan = Plan { connections, seconds, both };
    let totals = write(&mut pcap, &mut truth, random, &plan).map_err(|error| error.to_string())?;
    for (name, count) in totals {
        println!("{name}\t{count}");
    }
    Ok(())
}

fn number<T: std::str::FromStr>(text: &str, name: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name}: '{text}' is not a number"))
}

/// The size of the workload.
struct Plan {
    connections: u64,
    seconds: f64,
    /// Whether servers answer.
    both: bool,
}

/// Writes both files, and returns the totals by name.
fn write(
    pcap: &mut impl Write,
    truth: &mut impl Write,
    mut random: Random,
    plan: &Plan,
) -> io::Result<BTreeMap<&'static str, u64>> {
    let Plan { connections, seconds, both } = *plan;
    pcap.write_all(&file_header())?;
    let step = ((seconds * 1e6 / connections as f64) as u64).max(1);
    let mut totals = BTreeMap::from([("connections", connections)]);
    let mut open = HashMap::new();
    // By the time of the next packet.
    let mut next = BinaryHeap::new();
    let (mut at, mut made) = (0, 0);
    while made < connections || !next.is_empty() {
        let first = next.peek().map(|Reverse((time, _))| *time);
        if made < connections && first.is_none_or(|first| first >= at) {
            let connection = Connection::random(&mut random, at);
            connection.describe(made, truth)?;
            connection.count(&mut totals);
            next.push(Reverse((at, made)));
            open.insert(made, connection);
            at += step / 2 + random.below(step + 1);
            made += 1;
            continue;
        }
        let Some(Reverse((time, id))) = next.pop() else { break };
        let Some(connection) = open.get_mut(&id) else { continue };
        let sent = connection.send(time);
        let answer = if both { connection.answer() } else { None };
        for frame in [Some(sent), answer].into_iter().flatten() {
            *totals.entry("packets").or_default() += 1;
            *totals.entry("bytes").or_default() += record(time, &frame, pcap)?;
        }
        match connection.next_time() {
            Some(time) => next.push(Reverse((time, id))),
            None => drop(open.remove(&id)),
        }
    }
    pcap.flush()?;
    truth.flush()?;
    Ok(totals)
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `limit - 1`.
    fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Syn,
    Ack,
    /// The request: the ClientHello or an HTTP request.
    Request,
    /// More data.
    Data,
    Fin,
    Rst,
    RstAck,
    /// With acknowledgment number 0.
    RstZero,
    /// With another acknowledgment number each time.
    RstOther,
}

impl Kind {
    const fn is_reset(self) -> bool {
        matches!(self, Self::Rst | Self::RstAck | Self::RstZero | Self::RstOther)
    }
}

struct Connection {
    class: &'static str,
    /// The shape of its reset; `-` without one.
    reset: &'static str,
    zmap: bool,
    fin: bool,
    packets: Vec<(u64, Kind)>,
    /// How many of them were sent.
    sent: usize,
    source: IpAddr,
    destination: IpAddr,
    ports: (u16, u16),
    seq: u32,
    ack: u32,
    ip_id: u16,
    window: u16,
    ttl: u8,
    timestamps: Option<u32>,
    /// By how much the TTL of its resets differs, as from a device on the path.
    injected: Option<u8>,
}

impl Connection {
    fn random(random: &mut Random, start: u64) -> Self {
        let v6 = random.percent(25);
        let (source, destination) = addresses(random, v6);
        let Script { class, reset, zmap, fin, kinds } = Script::random(random, v6);
        let port = match random.below(100) {
            0..70 => 443,
            70..95 => 80,
            _ => 8443,
        };
        let ttl = if random.below(3) == 0 { 128 } else { 64 };
        let injected = !zmap && reset != "-" && random.percent(30);
        Self {
            class,
            reset,
            zmap,
            fin,
            packets: times(random, start, &kinds),
            sent: 0,
            source,
            destination,
            ports: (1024 + random.below(64_000) as u16, port),
            seq: random.next() as u32,
            ack: random.next() as u32 | 1,
            ip_id: random.next() as u16,
            window: if zmap { 65_535 } else { 8192 + random.below(56_000) as u16 },
            ttl: ttl - 4 - random.below(22) as u8,
            timestamps: (!zmap && random.percent(70)).then(|| random.next() as u32),
            injected: injected.then(|| 12 + random.below(30) as u8),
        }
    }

    fn describe(&self, id: u64, truth: &mut impl Write) -> io::Result<()> {
        let Self { class, reset, zmap, fin, source, destination, ports, .. } = self;
        let time = |packet: Option<&(u64, Kind)>| START * 1_000_000 + packet.map_or(0, |packet| packet.0);
        let (first, last) = (time(self.packets.first()), time(self.packets.last()));
        let (zmap, fin, packets) = (u8::from(*zmap), u8::from(*fin), self.packets.len());
        write!(truth, "{id}\t{class}\t{reset}\t{zmap}\t{fin}\t{packets}\t{first}\t{last}\t")?;
        writeln!(truth, "{source}\t{}\t{destination}\t{}", ports.0, ports.1)
    }

    fn count(&self, totals: &mut BTreeMap<&'static str, u64>) {
        *totals.entry(self.class).or_default() += 1;
        *totals.entry("ipv6_connections").or_default() += u64::from(self.source.is_ipv6());
        *totals.entry("zmap").or_default() += u64::from(self.zmap);
        *totals.entry("fin_then_reset").or_default() += u64::from(self.fin);
        if let Some((_, tag)) = RESETS.iter().find(|(reset, _)| *reset == self.reset) {
            *totals.entry(tag).or_default() += 1;
        }
    }

    fn next_time(&self) -> Option<u64> {
        self.packets.get(self.sent).map(|packet| packet.0)
    }

    /// The frame of the next packet.
    fn send(&mut self, time: u64) -> Vec<u8> {
        let kind = self.packets[self.sent].1;
        let tcp = self.segment(kind, time);
        let frame = self.frame(kind, &tcp);
        self.sent += 1;
        self.ip_id = self.ip_id.wrapping_add(1);
        frame
    }

    /// The server's answer to the packet that was sent last.
    fn answer(&self) -> Option<Vec<u8>> {
        let kind = self.packets.get(self.sent.checked_sub(1)?)?.1;
        let is_silent = self.class.ends_with("_timeout") && self.sent == self.packets.len();
        if kind.is_reset() || is_silent {
            return None;
        }
        let (flags, seq, len) = match kind {
            Kind::Syn => (0x12, self.ack.wrapping_sub(1), 0),
            // As much as the next ACK acknowledges.
            Kind::Request | Kind::Data => (0x18, self.ack, 1000 + self.ack % 448),
            Kind::Fin => (0x11, self.ack, 0),
            _ => (0x10, self.ack, 0),
        };
        let mut tcp = [self.ports.1, self.ports.0].map(u16::to_be_bytes).concat();
        tcp.extend([seq, self.seq].map(u32::to_be_bytes).concat());
        tcp.extend([5 << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.resize(20 + len as usize, b'b');
        let sum = checksum(&tcp, self.pseudo_header(tcp.len()));
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        let (source, destination) = (self.destination, self.source);
        let server =
            Self { source, destination, injected: None, ttl: 57, zmap: false, packets: Vec::new(), ..*self };
        Some(server.frame(Kind::Ack, &tcp))
    }

    /// The TCP header with its options, and the payload; moves the sequence numbers on.
    fn segment(&mut self, kind: Kind, time: u64) -> Vec<u8> {
        if kind == Kind::Ack {
            self.ack = self.ack.wrapping_add(1000 + self.ack % 448);
        }
        let (flags, ack) = match kind {
            Kind::Syn => (0x02, 0),
            Kind::Ack => (0x10, self.ack),
            Kind::Request | Kind::Data => (0x18, self.ack),
            Kind::Fin => (0x11, self.ack),
            Kind::Rst => (0x04, self.ack),
            Kind::RstAck => (0x14, self.ack),
            Kind::RstZero => (0x04, 0),
            Kind::RstOther => (0x04, self.ack.wrapping_add(1460 * (1 + self.sent as u32))),
        };
        let options = self.options(kind, time);
        let payload = self.payload(kind);
        let window = if kind.is_reset() { 0 } else { self.window };
        let mut tcp = Vec::with_capacity(20 + options.len() + payload.len());
        tcp.extend(self.ports.0.to_be_bytes());
        tcp.extend(self.ports.1.to_be_bytes());
        tcp.extend(self.seq.to_be_bytes());
        tcp.extend(ack.to_be_bytes());
        tcp.extend([((20 + options.len() as u8) / 4) << 4, flags]);
        tcp.extend(window.to_be_bytes());
        tcp.extend([0; 4]);
        tcp.extend(&options);
        tcp.extend(&payload);
        let own = payload.len() as u32 + u32::from(flags & 0x03 != 0);
        self.seq = self.seq.wrapping_add(own);
        let sum = checksum(&tcp, self.pseudo_header(tcp.len()));
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        tcp
    }

    fn options(&self, kind: Kind, time: u64) -> Vec<u8> {
        // MSS 1460, SACK permitted, no-operation, window scale, timestamps (RFC 9293, 2018, 7323).
        let stamps =
            |value: u32, echo: u32| [[8, 10].as_slice(), &value.to_be_bytes(), &echo.to_be_bytes()].concat();
        match (kind, self.timestamps) {
            (Kind::Syn, _) if self.zmap => Vec::new(),
            (Kind::Syn, None) => vec![2, 4, 5, 180, 1, 1, 4, 2],
            (Kind::Syn, Some(value)) => {
                [[2, 4, 5, 180, 4, 2].as_slice(), &stamps(value, 0), &[1, 3, 3, 7]].concat()
            }
            (kind, Some(value)) if !kind.is_reset() => {
                let value = value.wrapping_add((time / 1000) as u32);
                [[1, 1].as_slice(), &stamps(value, value ^ 0x5a5a_5a5a)].concat()
            }
            _ => Vec::new(),
        }
    }

    fn payload(&self, kind: Kind) -> Vec<u8> {
        match kind {
            Kind::Request if self.ports.1 == 443 => client_hello(),
            Kind::Request => REQUEST.as_bytes().to_vec(),
            Kind::Data => vec![b'a'; 40 + (self.seq % 260) as usize],
            _ => Vec::new(),
        }
    }

    /// The sum of the pseudo-header (RFC 9293, 3.1; RFC 8200, 8.1).
    fn pseudo_header(&self, len: usize) -> u32 {
        let bytes = match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => [source.octets(), destination.octets()].concat(),
            (source, destination) => [v6(source).octets(), v6(destination).octets()].concat(),
        };
        sum(&bytes, 6 + len as u32)
    }

    /// The Ethernet frame of a segment.
    fn frame(&self, kind: Kind, tcp: &[u8]) -> Vec<u8> {
        let injected = self.injected.filter(|_| kind.is_reset());
        let ttl = match injected {
            Some(other) if self.ttl > 90 => self.ttl - other,
            Some(other) => self.ttl + other,
            None => self.ttl,
        };
        let ip_id = match kind {
            Kind::Syn if self.zmap => 54_321,
            _ if injected.is_some() => self.ip_id.wrapping_mul(31).wrapping_add(7),
            _ => self.ip_id,
        };
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                frame.extend([8, 0]);
                let mut ip = vec![0x45, 0];
                ip.extend((20 + tcp.len() as u16).to_be_bytes());
                ip.extend(ip_id.to_be_bytes());
                ip.extend(if self.zmap { [0, 0] } else { [0x40, 0] });
                ip.extend([ttl, 6, 0, 0]);
                ip.extend(source.octets());
                ip.extend(destination.octets());
                let sum = checksum(&ip, 0);
                ip[10..12].copy_from_slice(&sum.to_be_bytes());
                frame.extend(ip);
            }
            (source, destination) => {
                frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
                frame.extend((tcp.len() as u16).to_be_bytes());
                frame.extend([6, ttl]);
                frame.extend(v6(source).octets());
                frame.extend(v6(destination).octets());
            }
        }
        frame.extend(tcp);
        frame
    }
}

/// Writes the record of a frame, and returns how many bytes that took.
fn record(time: u64, frame: &[u8], pcap: &mut impl Write) -> io::Result<u64> {
    let seconds = (START + time / 1_000_000) as u32;
    let len = frame.len() as u32;
    for field in [seconds, (time % 1_000_000) as u32, len, len] {
        pcap.write_all(&field.to_le_bytes())?;
    }
    pcap.write_all(frame)?;
    Ok(16 + u64::from(len))
}

/// What a connection is meant to do.
struct Script {
    class: &'static str,
    reset: &'static str,
    zmap: bool,
    fin: bool,
    kinds: Vec<Kind>,
}

impl Script {
    fn random(random: &mut Random, v6: bool) -> Self {
        use Kind::{Ack, Data, Fin, Request, Syn};
        let opening = [Syn, Ack, Request];
        let share = random.below(1000);
        let zmap = !v6 && matches!(share, 800..820 | 870..880);
        let mut fin = false;
        let (class, mut kinds) = match share {
            0..800 => {
                let middle = if random.percent(60) { 1 + random.below(7) } else { 4 + random.below(10) };
                let middle = (0..middle).map(|_| if random.below(5) == 0 { Data } else { Ack });
                ("none_fin", opening.into_iter().chain(middle).chain([Fin, Ack]).collect())
            }
            800..870 => ("post_syn_timeout", vec![Syn]),
            870..885 => ("post_syn_reset", vec![Syn]),
            885..905 => ("post_ack_timeout", vec![Syn, Ack]),
            905..920 => ("post_ack_reset", vec![Syn, Ack]),
            920..940 => ("post_psh_timeout", opening.to_vec()),
            940..965 => ("post_psh_reset", opening.to_vec()),
            _ => {
                let mut kinds = [&opening[..], &[Ack, Data]].concat();
                kinds.extend((0..random.below(4)).map(|_| Ack));
                fin = share < 995 && random.below(3) == 0;
                kinds.extend(fin.then_some(Fin));
                (if share < 995 { "later_reset" } else { "later_timeout" }, kinds)
            }
        };
        let mut reset = "-";
        if class.ends_with("_reset") {
            let resets;
            (reset, resets) = if zmap { ("single_rst", vec![Kind::RstZero]) } else { random_reset(random) };
            kinds.extend(resets);
        }
        Self { class, reset, zmap, fin, kinds }
    }
}

/// Shapes of resets, and what their total is called.
const RESETS: [(&str, &str); 8] = [
    ("single_rst", "tag_single_rst"),
    ("single_rstack", "tag_single_rstack"),
    ("acknumsame", "tag_acknumsame"),
    ("acknumsame0", "tag_acknumsame0"),
    ("acknumdiff", "tag_acknumdiff"),
    ("acknumdiff0", "tag_acknumdiff0"),
    ("multiple_rstacks", "tag_multiple_rstacks"),
    ("rst_and_rstacks", "tag_rst_and_rstacks"),
];

fn random_reset(random: &mut Random) -> (&'static str, Vec<Kind>) {
    use Kind::{Rst, RstAck, RstOther, RstZero};
    let many = 2 + random.below(2) as usize;
    match random.below(100) {
        0..45 => ("single_rst", vec![Rst]),
        45..75 => ("single_rstack", vec![RstAck]),
        75..82 => ("acknumsame", vec![Rst; many]),
        82..87 => ("acknumsame0", vec![RstZero; many]),
        87..90 => ("acknumdiff", [vec![Rst], vec![RstOther; many - 1]].concat()),
        90..92 => ("acknumdiff0", vec![Rst, RstZero]),
        92..96 => ("multiple_rstacks", vec![RstAck; many]),
        _ => ("rst_and_rstacks", vec![Rst, RstAck]),
    }
}

/// When each packet is sent, in microseconds since the start. All gaps are shorter than two seconds.
fn times(random: &mut Random, start: u64, kinds: &[Kind]) -> Vec<(u64, Kind)> {
    let round_trip = 8000 + random.below(262_144);
    let mut at = start;
    let mut before = None;
    let time = |&kind: &Kind| {
        let gap = match (before, kind) {
            (None, _) => 0,
            (Some(Kind::Syn), Kind::Ack) => round_trip,
            (_, Kind::Request) => 300 + random.below(3000),
            (_, Kind::Data) => round_trip + random.below(400_000),
            (_, Kind::Fin) => round_trip / 2 + random.below(800_000),
            (Some(before), kind) if kind.is_reset() && before.is_reset() => 20 + random.below(300),
            (_, kind) if kind.is_reset() => round_trip / 3 + random.below(30_000),
            _ => round_trip / 4 + random.below(20_000),
        };
        before = Some(kind);
        at += gap;
        (at, kind)
    };
    kinds.iter().map(time).collect()
}

/// A client and a server: 240.0.0.0/4 and 3fff::/20 to 198.51.100.0/24 and 2001:db8::/32 (RFC 1112, 9637, 5737, 3849).
fn addresses(random: &mut Random, v6: bool) -> (IpAddr, IpAddr) {
    let server = random.below(250) as u8 + 1;
    if v6 {
        let random = (u128::from(random.next()) << 64 | u128::from(random.next())) >> 20;
        let source = Ipv6Addr::from_bits(0x3fff << 112 | random);
        return (source.into(), Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(server)).into());
    }
    let source = Ipv4Addr::from_bits(0xf000_0000 | random.below(0x0fff_ffff) as u32);
    (source.into(), Ipv4Addr::new(198, 51, 100, server).into())
}

const fn v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

const REQUEST: &str = "GET /index.html?id=1234567 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 \
    (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\nAccept: text/html,application/xhtml+xml\r\n\
    Accept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n";

/// A ClientHello of 250 bytes (RFC 8446, 4.1.2) with a random, a session id, two cipher suites and padding (RFC 7685).
fn client_hello() -> Vec<u8> {
    let mut hello = vec![22, 3, 1, 0, 245, 1, 0, 0, 241, 3, 3];
    hello.extend(0..32);
    hello.push(32);
    hello.extend(0..32);
    hello.extend([0, 4, 0x13, 1, 0x13, 2, 1, 0, 0, 164, 0, 21, 0, 160]);
    hello.resize(250, 0);
    hello
}

/// The header of a pcap with Ethernet frames and microseconds.
fn file_header() -> Vec<u8> {
    let fields: [u32; 6] = [0xa1b2_c3d4, 2 | 4 << 16, 0, 0, 65_535, 1];
    fields.iter().flat_map(|field| field.to_le_bytes()).collect()
}

fn sum(bytes: &[u8], start: u32) -> u32 {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
    bytes.chunks(2).map(word).sum::<u32>() + start
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8], start: u32) -> u16 {
    let mut sum = sum(bytes, start);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
