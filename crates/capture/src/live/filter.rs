//! The kernel filter of a packet socket (classic BPF; linux/filter.h): TCP that comes in, to some
//! ports; for connections that this host opens TCP in both directions, and ICMP errors; for QUIC
//! datagrams to some ports, and ICMP errors. What it lets through is still parsed and judged; it only spares the copying.
//!
//! The socket takes packets from the network header on, so there is no link layer to step over.

use super::LiveSets;

/// `sock_filter`: code, jump if true, jump if false, value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    pub(crate) jt: u8,
    pub(crate) jf: u8,
    pub(crate) k: u32,
}

const LOAD_BYTE: u16 = 0x30;
const LOAD_HALF: u16 = 0x28;
const LOAD_HALF_INDEXED: u16 = 0x48;
const LOAD_BYTE_INDEXED: u16 = 0x50;
/// Loads 4 times the low half of a byte into the index: the length of an IPv4 header.
const LOAD_INDEX_HEADER: u16 = 0xb1;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_SET: u16 = 0x45;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;

/// What the kernel knows beside the packet's bytes: the EtherType, and where it goes.
const PROTOCOL: u32 = 0xffff_f000;
const DIRECTION: u32 = 0xffff_f004;
const TO_OTHERS: u32 = 3;
pub(crate) const OUTGOING: u32 = 4;

const IPV4: u32 = 0x0800;
const IPV6: u32 = 0x86dd;
const TCP: u32 = 6;
const UDP: u32 = 17;
const ICMP: u32 = 1;
const ICMPV6: u32 = 58;
/// The types of messages that something is unreachable.
const UNREACHABLE: u32 = 3;
const UNREACHABLE_V6: u32 = 1;
/// IPv6 extension headers that may lead to TCP; walked outside the kernel.
const EXTENSIONS: [u32; 5] = [0, 43, 44, 51, 60];

/// What a program lets through.
pub(crate) struct Wanted<'a> {
    pub(crate) sets: LiveSets,
    /// Server ports of TCP; all if empty.
    pub(crate) ports: &'a [u16],
    /// The number of bytes that are kept of a packet.
    pub(crate) snaplen: u32,
    /// Server ports of QUIC.
    pub(crate) quic_ports: &'a [u16],
    /// The number of bytes that are kept of a datagram.
    pub(crate) datagram: u32,
}

impl Wanted<'_> {
    fn has_tcp(&self) -> bool {
        self.sets.has(LiveSets::TCP | LiveSets::ORIGIN)
    }

    fn has_errors(&self) -> bool {
        self.sets.has(LiveSets::ORIGIN | LiveSets::QUIC)
    }

    /// The number of bytes that are kept of what may be either.
    fn most(&self) -> u32 {
        if self.sets.has(LiveSets::QUIC) { self.snaplen.max(self.datagram) } else { self.snaplen }
    }
}

/// A program that lets through what is wanted.
pub(crate) fn program(wanted: &Wanted<'_>) -> Vec<Instruction> {
    let mut program = Program::default();
    program.load(LOAD_BYTE, DIRECTION);
    if !wanted.sets.has(LiveSets::ORIGIN) {
        program.drop_if(OUTGOING);
    }
    program.drop_if(TO_OTHERS);
    for (protocol, inside) in [(IPV4, ipv4(wanted)), (IPV6, ipv6(wanted))] {
        program.load(LOAD_HALF, PROTOCOL);
        program.only_if(protocol, inside);
    }
    program.push(RETURN, 0, 0, 0);
    program.0
}

#[derive(Default)]
struct Program(Vec<Instruction>);

impl Program {
    fn push(&mut self, code: u16, jt: u8, jf: u8, k: u32) {
        self.0.push(Instruction { code, jt, jf, k });
    }

    fn load(&mut self, code: u16, k: u32) {
        self.push(code, 0, 0, k);
    }

    fn drop_if(&mut self, value: u32) {
        self.return_if(value, 0);
    }

    fn return_if(&mut self, value: u32, len: u32) {
        self.push(JUMP_EQUAL, 0, 1, value);
        self.push(RETURN, 0, 0, len);
    }

    /// Steps over a part, unless this was loaded. The part may be longer than a jump with a condition reaches.
    fn only_if(&mut self, value: u32, inside: Self) {
        self.push(JUMP_EQUAL, 1, 0, value);
        self.push(JUMP, 0, 0, inside.0.len() as u32);
        self.0.extend(inside.0);
    }

    /// Ends with the packet if one of its ports, which `load` loads, is one of those.
    fn ports(&mut self, load: u16, at: &[u32], ports: &[u16], snaplen: u32) {
        for place in at {
            self.load(load, *place);
            ports.iter().for_each(|port| self.return_if(u32::from(*port), snaplen));
        }
        self.push(RETURN, 0, 0, if ports.is_empty() { snaplen } else { 0 });
    }

    /// Ends with an ICMP message that something is unreachable, or without any other. `load` loads its type.
    fn unreachable(&mut self, load: &[(u16, u32)], kind: u32, snaplen: u32) {
        load.iter().for_each(|(code, k)| self.load(*code, *k));
        self.return_if(kind, snaplen);
        self.push(RETURN, 0, 0, 0);
    }
}

/// Where the TCP ports are that count: the destination's, and of what comes back the source's.
fn places(wanted: &Wanted<'_>, header: u32) -> Vec<u32> {
    if wanted.sets.has(LiveSets::ORIGIN) { vec![header + 2, header] } else { vec![header + 2] }
}

fn ipv4(wanted: &Wanted<'_>) -> Program {
    let mut program = Program::default();
    program.load(LOAD_BYTE, 9);
    if wanted.has_errors() {
        let mut inside = Program::default();
        let load = [(LOAD_INDEX_HEADER, 0), (LOAD_BYTE_INDEXED, 0)];
        inside.unreachable(&load, UNREACHABLE, wanted.snaplen);
        program.only_if(ICMP, inside);
    }
    if wanted.has_tcp() {
        let mut inside = Program::default();
        // Later fragments have no ports; they are counted.
        inside.load(LOAD_HALF, 6);
        inside.push(JUMP_SET, 0, 1, 0x1fff);
        inside.push(RETURN, 0, 0, wanted.snaplen);
        inside.load(LOAD_INDEX_HEADER, 0);
        inside.ports(LOAD_HALF_INDEXED, &places(wanted, 0), wanted.ports, wanted.snaplen);
        program.only_if(TCP, inside);
    }
    if wanted.sets.has(LiveSets::QUIC) {
        let mut inside = Program::default();
        // Later fragments may be of any datagram.
        inside.load(LOAD_HALF, 6);
        inside.push(JUMP_SET, 0, 1, 0x1fff);
        inside.push(RETURN, 0, 0, 0);
        inside.load(LOAD_INDEX_HEADER, 0);
        inside.ports(LOAD_HALF_INDEXED, &[2], wanted.quic_ports, wanted.datagram);
        program.only_if(UDP, inside);
    }
    program.push(RETURN, 0, 0, 0);
    program
}

fn ipv6(wanted: &Wanted<'_>) -> Program {
    const HEADER: u32 = 40;
    let mut program = Program::default();
    program.load(LOAD_BYTE, 6);
    if wanted.has_errors() {
        let mut inside = Program::default();
        inside.unreachable(&[(LOAD_BYTE, HEADER)], UNREACHABLE_V6, wanted.snaplen);
        program.only_if(ICMPV6, inside);
    }
    EXTENSIONS.iter().for_each(|header| program.return_if(*header, wanted.most()));
    if wanted.has_tcp() {
        let mut inside = Program::default();
        inside.ports(LOAD_HALF, &places(wanted, HEADER), wanted.ports, wanted.snaplen);
        program.only_if(TCP, inside);
    }
    if wanted.sets.has(LiveSets::QUIC) {
        let mut inside = Program::default();
        inside.ports(LOAD_HALF, &[HEADER + 2], wanted.quic_ports, wanted.datagram);
        program.only_if(UDP, inside);
    }
    program.push(RETURN, 0, 0, 0);
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would do: bytes to keep of a packet.
    fn run(program: &[Instruction], direction: u32, protocol: u32, packet: &[u8]) -> u32 {
        let half = |at: usize| packet.get(at..at + 2).map(|b| u32::from(u16::from_be_bytes([b[0], b[1]])));
        let (mut a, mut x, mut at) = (0, 0, 0);
        loop {
            let Instruction { code, jt, jf, k } = program[at];
            at += 1;
            let loaded = match (code, k) {
                (LOAD_BYTE, DIRECTION) => Some(direction),
                (LOAD_HALF, PROTOCOL) => Some(protocol),
                (LOAD_BYTE, _) => packet.get(k as usize).map(|byte| u32::from(*byte)),
                (LOAD_HALF, _) => half(k as usize),
                (LOAD_HALF_INDEXED, _) => half(x + k as usize),
                (LOAD_BYTE_INDEXED, _) => packet.get(x + k as usize).map(|byte| u32::from(*byte)),
                _ => Some(a),
            };
            // A load outside the packet drops it.
            let Some(loaded) = loaded else { return 0 };
            a = loaded;
            match code {
                RETURN => return k,
                JUMP => at += k as usize,
                JUMP_EQUAL => at += usize::from(if a == k { jt } else { jf }),
                JUMP_SET => at += usize::from(if a & k != 0 { jt } else { jf }),
                LOAD_INDEX_HEADER => x = usize::from(packet.first().map_or(0, |byte| byte & 15)) * 4,
                _ => {}
            }
        }
    }

    fn ipv4_packet(header: u8, protocol: u8, fragment: u16, port: u16) -> Vec<u8> {
        let mut packet = vec![0; usize::from(header) * 4 + 20];
        packet[0] = 0x40 | header;
        packet[6..8].copy_from_slice(&fragment.to_be_bytes());
        packet[9] = protocol;
        let at = usize::from(header) * 4 + 2;
        packet[at..at + 2].copy_from_slice(&port.to_be_bytes());
        packet
    }

    fn ipv6_packet(next: u8, port: u16) -> Vec<u8> {
        let mut packet = vec![0; 60];
        packet[0] = 0x60;
        packet[6] = next;
        packet[42..44].copy_from_slice(&port.to_be_bytes());
        packet
    }

    fn program_for(ports: &[u16], snaplen: u32, sets: LiveSets) -> Vec<Instruction> {
        program(&Wanted { sets, ports, snaplen, quic_ports: &[443, 8443], datagram: 2048 })
    }

    #[test]
    fn tcp_to_the_ports_passes() {
        let program = program_for(&[80, 443], 128, LiveSets::TCP);
        for port in [80, 443] {
            assert_eq!(run(&program, 0, IPV4, &ipv4_packet(5, 6, 0, port)), 128);
            assert_eq!(run(&program, 0, IPV4, &ipv4_packet(15, 6, 0x4000, port)), 128);
            assert_eq!(run(&program, 0, IPV6, &ipv6_packet(6, port)), 128);
        }
        assert_eq!(run(&program, 0, IPV4, &ipv4_packet(5, 6, 0, 22)), 0);
        assert_eq!(run(&program, 0, IPV6, &ipv6_packet(6, 22)), 0);
    }

    #[test]
    fn what_cannot_be_decided_in_the_kernel_passes() {
        let program = program_for(&[80], 96, LiveSets::TCP);
        assert_eq!(run(&program, 0, IPV4, &ipv4_packet(5, 6, 0x0001, 0)), 96);
        for header in EXTENSIONS {
            assert_eq!(run(&program, 0, IPV6, &ipv6_packet(header as u8, 0)), 96);
        }
    }

    #[test]
    fn both_directions_and_errors_of_opened_connections_pass() {
        let program = program_for(&[80], 128, LiveSets::TCP | LiveSets::ORIGIN);
        let back = |mut packet: Vec<u8>, at: usize| {
            packet.swap(at, at + 2);
            packet.swap(at + 1, at + 3);
            packet
        };
        for direction in [0, OUTGOING] {
            assert_eq!(run(&program, direction, IPV4, &ipv4_packet(5, 6, 0, 80)), 128);
            assert_eq!(run(&program, direction, IPV4, &back(ipv4_packet(6, 6, 0, 80), 24)), 128);
            assert_eq!(run(&program, direction, IPV6, &back(ipv6_packet(6, 80), 40)), 128);
            assert_eq!(run(&program, direction, IPV4, &ipv4_packet(5, 6, 0, 22)), 0);
            assert_eq!(run(&program, direction, IPV6, &ipv6_packet(6, 22)), 0);
        }
        for (kind, kept) in [(3, 128), (8, 0)] {
            let mut message = ipv4_packet(7, 1, 0, 0);
            message[28] = kind;
            assert_eq!(run(&program, 0, IPV4, &message), kept);
        }
        for (kind, kept) in [(1, 128), (135, 0)] {
            let mut message = ipv6_packet(58, 0);
            message[40] = kind;
            assert_eq!(run(&program, 0, IPV6, &message), kept);
        }
        assert_eq!(run(&program, 0, IPV4, &ipv4_packet(5, 17, 0, 80)), 0);
        assert_eq!(run(&program, TO_OTHERS, IPV4, &ipv4_packet(5, 6, 0, 80)), 0);
    }

    #[test]
    fn datagrams_to_the_ports_and_errors_pass() {
        for sets in [LiveSets::QUIC, LiveSets::QUIC | LiveSets::TCP] {
            let program = program_for(&[80], 128, sets);
            for port in [443, 8443] {
                assert_eq!(run(&program, 0, IPV4, &ipv4_packet(6, 17, 0x4000, port)), 2048);
                assert_eq!(run(&program, 0, IPV6, &ipv6_packet(17, port)), 2048);
                assert_eq!(run(&program, OUTGOING, IPV4, &ipv4_packet(6, 17, 0, port)), 0);
            }
            assert_eq!(run(&program, 0, IPV4, &ipv4_packet(5, 17, 0, 80)), 0);
            assert_eq!(run(&program, 0, IPV4, &ipv4_packet(5, 17, 0x0001, 443)), 0, "a later fragment");
            let tcp = if sets.has(LiveSets::TCP) { 128 } else { 0 };
            assert_eq!(run(&program, 0, IPV4, &ipv4_packet(5, 6, 0, 80)), tcp);
            assert_eq!(run(&program, 0, IPV6, &ipv6_packet(6, 80)), tcp);
            assert_eq!(run(&program, 0, IPV6, &ipv6_packet(60, 80)), 2048, "an extension header");
            let mut message = ipv4_packet(7, 1, 0, 0);
            message[28] = 3;
            assert_eq!(run(&program, 0, IPV4, &message), 128);
            let mut message = ipv6_packet(58, 0);
            message[40] = 1;
            assert_eq!(run(&program, 0, IPV6, &message), 128);
        }
    }

    #[test]
    fn everything_else_is_dropped() {
        let program = program_for(&[], 128, LiveSets::TCP);
        assert_eq!(run(&program, 0, IPV4, &ipv4_packet(5, 6, 0, 22)), 128);
        assert_eq!(run(&program, 0, IPV4, &ipv4_packet(5, 17, 0, 22)), 0);
        assert_eq!(run(&program, 0, IPV6, &ipv6_packet(17, 22)), 0);
        assert_eq!(run(&program, OUTGOING, IPV4, &ipv4_packet(5, 6, 0, 22)), 0);
        assert_eq!(run(&program, TO_OTHERS, IPV6, &ipv6_packet(6, 22)), 0);
        assert_eq!(run(&program, 0, 0x0806, &[0; 60]), 0);
        assert_eq!(run(&program, 0, IPV4, &[]), 0);
    }
}
