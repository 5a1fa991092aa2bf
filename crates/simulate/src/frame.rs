//! Ethernet frames of packets, with valid checksums and made-up options and payload.
use cutshort_packet::quic::Udp;
use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions};

const MACS: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
const MSS: [u8; 4] = [2, 4, 0x05, 0xb4];
const SACK: [u8; 2] = [4, 2];
const TCP: u8 = 6;
const UDP: u8 = 17;
/// The longest payload that still fits the length field of IPv4 beside all headers.
const MOST_PAYLOAD: u32 = 0xffff - 20 - 60;

/// Writes the frame of `packet` into `frame`, replacing what is there, cut to `snaplen` bytes.
/// Returns its length on the wire. Payload beyond what IPv4 can carry is left out.
pub fn write(packet: &Packet, snaplen: usize, frame: &mut Vec<u8>) -> usize {
    frame.clear();
    frame.extend(MACS);
    let v4 = packet.five_tuple.is_ipv4();
    let payload_len = packet.payload_len.min(MOST_PAYLOAD);
    let options_len = packet.options_len.min(40) & !3;
    let tcp_len = 20 + u32::from(options_len) + payload_len;
    let ip = if v4 { ipv4 } else { ipv6 };
    ip(packet, TCP, tcp_len, frame);
    let tcp = frame.len();
    header(packet, options_len, frame);
    options(packet, options_len, frame);
    payload(packet, payload_len as usize, frame);
    let addresses = if v4 { 8 } else { 32 };
    let sum = checksum(&frame[tcp - addresses..], u32::from(TCP) + tcp_len);
    frame[tcp + 16..tcp + 18].copy_from_slice(&sum);
    let length = frame.len();
    frame.truncate(snaplen);
    length
}

/// Writes the frame of a UDP datagram, as [`write()`] does.
pub fn write_udp(udp: &Udp<'_>, snaplen: usize, frame: &mut Vec<u8>) -> usize {
    frame.clear();
    frame.extend(MACS);
    let (FiveTuple { src_port, dst_port, .. }, v4) = (udp.five_tuple, udp.five_tuple.is_ipv4());
    let length = 8 + udp.captured.len();
    let head = Packet { five_tuple: udp.five_tuple, ip_id: udp.ip_id, ttl: udp.ttl, ..Packet::ZERO };
    let ip = if v4 { ipv4 } else { ipv6 };
    ip(&head, UDP, length as u32, frame);
    let begin = frame.len();
    frame.extend(src_port.to_be_bytes());
    frame.extend(dst_port.to_be_bytes());
    frame.extend((length as u16).to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(udp.captured);
    let addresses = if v4 { 8 } else { 32 };
    let sum = checksum(&frame[begin - addresses..], u32::from(UDP) + length as u32);
    // A sum of 0 means that there is none (RFC 768).
    let sum = if sum == [0, 0] { [0xff; 2] } else { sum };
    frame[begin + 6..begin + 8].copy_from_slice(&sum);
    let length = frame.len();
    frame.truncate(snaplen);
    length
}

fn ipv4(packet: &Packet, protocol: u8, payload_len: u32, frame: &mut Vec<u8>) {
    let fragment: u16 = if packet.df { 0x4000 } else { 0 };
    frame.extend([0x08, 0x00]);
    let ip = frame.len();
    frame.extend([0x45, 0]);
    frame.extend((20 + payload_len as u16).to_be_bytes());
    frame.extend(packet.ip_id.to_be_bytes());
    frame.extend(fragment.to_be_bytes());
    frame.extend([packet.ttl, protocol, 0, 0]);
    for address in [packet.five_tuple.src_ip, packet.five_tuple.dst_ip] {
        frame.extend(&address.octets()[12..]);
    }
    let sum = checksum(&frame[ip..], 0);
    frame[ip + 10..ip + 12].copy_from_slice(&sum);
}

fn ipv6(packet: &Packet, protocol: u8, payload_len: u32, frame: &mut Vec<u8>) {
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend((payload_len as u16).to_be_bytes());
    frame.extend([protocol, packet.ttl]);
    frame.extend(packet.five_tuple.src_ip.octets());
    frame.extend(packet.five_tuple.dst_ip.octets());
}

/// The 20 bytes; the checksum is filled in later.
fn header(packet: &Packet, options_len: u8, frame: &mut Vec<u8>) {
    let offset = u16::from(20 + options_len) << 10;
    frame.extend(packet.five_tuple.src_port.to_be_bytes());
    frame.extend(packet.five_tuple.dst_port.to_be_bytes());
    frame.extend(packet.seq.to_be_bytes());
    frame.extend(packet.ack.to_be_bytes());
    frame.extend((offset | packet.flags.bits()).to_be_bytes());
    frame.extend(packet.tcp_window.to_be_bytes());
    frame.extend([0; 4]);
}

/// What a row keeps of the options that [`write()`] gives a packet.
#[must_use]
pub fn syn_options(packet: &Packet) -> SynOptions {
    if !packet.is_syn() {
        return SynOptions::NONE;
    }
    let mut bytes = Vec::new();
    options(packet, packet.options_len.min(40) & !3, &mut bytes);
    SynOptions::parse(&bytes)
}

/// A window scale with this shift count.
const fn window_scale(shift: u8) -> [u8; 3] {
    [3, 3, shift]
}

/// Options as Windows (12 bytes), Linux (20) and BSD (24) order them where the length is a usual one, padded with
/// no-operations.
fn options(packet: &Packet, length: u8, frame: &mut Vec<u8>) {
    let end = frame.len() + usize::from(length);
    match (packet.flags.intersects(Flags::SYN), length) {
        (true, 4) => frame.extend(MSS),
        (true, 12) => frame.extend([&MSS[..], &[1], &window_scale(8), &[1, 1], &SACK].concat()),
        (true, 20) => {
            frame.extend([&MSS[..], &SACK].concat());
            timestamps(packet, frame);
            frame.extend([&[1], &window_scale(7)[..]].concat());
        }
        (true, 24) => {
            frame.extend([&MSS[..], &[1], &window_scale(6), &[1, 1]].concat());
            timestamps(packet, frame);
            frame.extend([&SACK[..], &[0, 0]].concat());
        }
        (false, 12) => {
            frame.extend([1, 1]);
            timestamps(packet, frame);
        }
        _ => {}
    }
    // 0 ends the list, 1 is no operation.
    frame.resize(end, 1);
}

fn timestamps(packet: &Packet, frame: &mut Vec<u8>) {
    let echo: u32 = if packet.ack == 0 { 0 } else { packet.ack ^ 0x5a5a_5a5a };
    frame.extend([8, 10]);
    frame.extend(((packet.ts / 1_000_000) as u32).to_be_bytes());
    frame.extend(echo.to_be_bytes());
}

/// A beginning as of TLS or HTTP, then zeros.
fn payload(packet: &Packet, length: usize, frame: &mut Vec<u8>) {
    let end = frame.len() + length;
    match packet.five_tuple.dst_port {
        // A keep-alive's byte.
        _ if length == 1 => {}
        80 => frame.extend(b"GET / HTTP/1.1\r\nHost: simulated.invalid\r\n\r\n"),
        _ if length >= 180 => client_hello(length as u16, frame),
        _ => frame.extend([&[23, 3, 3], &(length as u16).saturating_sub(5).to_be_bytes()[..]].concat()),
    }
    frame.resize(end, 0);
}

/// A ClientHello of `length` bytes for simulated.invalid, up to its padding.
fn client_hello(length: u16, frame: &mut Vec<u8>) {
    let rest = |headers: u16| (length - headers).to_be_bytes();
    frame.extend([&[22, 3, 1], &rest(5)[..]].concat());
    frame.extend([&[1, 0], &rest(9)[..], &[3, 3]].concat());
    frame.extend([b'.'; 32]);
    // No session, one cipher suite, no compression.
    frame.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
    frame.extend(rest(52));
    frame.extend(b"\0\0\0\x16\0\x14\0\0\x11simulated.invalid");
    frame.extend([&[0, 21], &rest(82)[..]].concat());
}

/// The internet checksum (RFC 1071) of `bytes`, beginning from `sum`.
fn checksum(bytes: &[u8], sum: u32) -> [u8; 2] {
    let (words, rest) = bytes.as_chunks::<2>();
    let mut sum = u64::from(sum) + words.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum::<u64>();
    sum += rest.first().map_or(0, |byte| u64::from(*byte) << 8);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}
