//! The kernel filter of a packet socket (classic BPF; linux/filter.h): TCP that comes in, to some
//! ports; for connections that this host opens TCP in both directions, and ICMP errors. What it lets
//! through is still parsed and judged; it only spares the copying.
//!
//! The socket takes packets from the network header on, so there is no link layer to step over.

use super::Sides;

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
const ICMP: u32 = 1;
const ICMPV6: u32 = 58;
/// The types of messages that something is unreachable.
const UNREACHABLE: u32 = 3;
const UNREACHABLE_V6: u32 = 1;
/// IPv6 extension headers that may lead to TCP; walked outside the kernel.
const EXTENSIONS: [u32; 5] = [0, 43, 44, 51, 60];

/// A program that keeps `snaplen` bytes of what it lets through. Without `ports`, all of them.
pub(crate) fn program(ports: &[u16], snaplen: u32, sides: Sides) -> Vec<Instruction> {
    let mut program = Program::default();
    program.load(LOAD_BYTE, DIRECTION);
    if !sides.has_opened() {
        program.drop_if(OUTGOING);
    }
    program.drop_if(TO_OTHERS);
    program.load(LOAD_HALF, PROTOCOL);
    let ipv4 = ipv4(ports, snaplen, sides);
    let ipv6 = ipv6(ports, snaplen, sides);
    // Of another protocol than IPv4: step over what is for that.
    program.push(JUMP_EQUAL, 1, 0, IPV4);
    program.push(JUMP, 0, 0, ipv4.len() as u32);
    program.0.extend(ipv4);
    program.load(LOAD_HALF, PROTOCOL);
    program.push(JUMP_EQUAL, 1, 0, IPV6);
    program.push(RETURN, 0, 0, 0);
    program.0.extend(ipv6);
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

    /// Ends with the packet if one of its ports, which `load` loads, is one of those.
    fn ports(&mut self, load: u16, at: &[u32], ports: &[u16], snaplen: u32) {
        for place in at {
            self.load(load, *place);
            ports.iter().for_each(|port| self.return_if(u32::from(*port), snaplen));
        }
        self.push(RETURN, 0, 0, if ports.is_empty() { snaplen } else { 0 });
    }

    /// Ends with an ICMP message that something is unreachable, or without any other. Its protocol was loaded, and `load`
    /// loads its type.
    fn unreachable(&mut self, protocol: u32, load: &[(u16, u32)], kind: u32, snaplen: u32) {
        // To behind the two returns.
        self.push(JUMP_EQUAL, 0, load.len() as u8 + 3, protocol);
        load.iter().for_each(|(code, k)| self.load(*code, *k));
        self.return_if(kind, snaplen);
        self.push(RETURN, 0, 0, 0);
    }
}

/// Where the ports are that count: the destination's, and of what comes back the source's.
fn places(sides: Sides, header: u32) -> Vec<u32> {
    if sides.has_opened() { vec![header + 2, header] } else { vec![header + 2] }
}

fn ipv4(ports: &[u16], snaplen: u32, sides: Sides) -> Vec<Instruction> {
    let mut program = Program::default();
    program.load(LOAD_BYTE, 9);
    if sides.has_opened() {
        let load = [(LOAD_INDEX_HEADER, 0), (LOAD_BYTE_INDEXED, 0)];
        program.unreachable(ICMP, &load, UNREACHABLE, snaplen);
    }
    program.push(JUMP_EQUAL, 1, 0, TCP);
    program.push(RETURN, 0, 0, 0);
    // Later fragments have no ports; they are counted.
    program.load(LOAD_HALF, 6);
    program.push(JUMP_SET, 0, 1, 0x1fff);
    program.push(RETURN, 0, 0, snaplen);
    program.load(LOAD_INDEX_HEADER, 0);
    program.ports(LOAD_HALF_INDEXED, &places(sides, 0), ports, snaplen);
    program.0
}

fn ipv6(ports: &[u16], snaplen: u32, sides: Sides) -> Vec<Instruction> {
    const HEADER: u32 = 40;
    let mut program = Program::default();
    program.load(LOAD_BYTE, 6);
    if sides.has_opened() {
        program.unreachable(ICMPV6, &[(LOAD_BYTE, HEADER)], UNREACHABLE_V6, snaplen);
    }
    EXTENSIONS.iter().for_each(|header| program.return_if(*header, snaplen));
    program.push(JUMP_EQUAL, 1, 0, TCP);
    program.push(RETURN, 0, 0, 0);
    program.ports(LOAD_HALF, &places(sides, HEADER), ports, snaplen);
    program.0
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

    #[test]
    fn tcp_to_the_ports_passes() {
        let program = program(&[80, 443], 128, Sides::Clients);
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
        let program = program(&[80], 96, Sides::Clients);
        assert_eq!(run(&program, 0, IPV4, &ipv4_packet(5, 6, 0x0001, 0)), 96);
        for header in EXTENSIONS {
            assert_eq!(run(&program, 0, IPV6, &ipv6_packet(header as u8, 0)), 96);
        }
    }

    #[test]
    fn both_directions_and_errors_of_opened_connections_pass() {
        let program = program(&[80], 128, Sides::Both);
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
    fn everything_else_is_dropped() {
        let program = program(&[], 128, Sides::Clients);
        assert_eq!(run(&program, 0, IPV4, &ipv4_packet(5, 6, 0, 22)), 128);
        assert_eq!(run(&program, 0, IPV4, &ipv4_packet(5, 17, 0, 22)), 0);
        assert_eq!(run(&program, 0, IPV6, &ipv6_packet(17, 22)), 0);
        assert_eq!(run(&program, OUTGOING, IPV4, &ipv4_packet(5, 6, 0, 22)), 0);
        assert_eq!(run(&program, TO_OTHERS, IPV6, &ipv6_packet(6, 22)), 0);
        assert_eq!(run(&program, 0, 0x0806, &[0; 60]), 0);
        assert_eq!(run(&program, 0, IPV4, &[]), 0);
    }
}
