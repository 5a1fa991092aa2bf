//! Captures made by hand: IPv4 packets in a pcap file.

use std::net::Ipv4Addr;

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;

/// Link type of packets that begin with their IP header.
const RAW: u32 = 101;

/// A TCP packet from a client to a server.
#[derive(Clone, Copy)]
pub(crate) struct Tcp {
    /// Milliseconds since the epoch.
    pub(crate) ms: u64,
    pub(crate) src: Ipv4Addr,
    pub(crate) src_port: u16,
    pub(crate) dst: Ipv4Addr,
    pub(crate) dst_port: u16,
    pub(crate) flags: u8,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) payload: usize,
    pub(crate) ttl: u8,
}

impl Default for Tcp {
    fn default() -> Self {
        Self {
            ms: 1_764_000_000_000,
            src: Ipv4Addr::new(198, 51, 100, 7),
            src_port: 40_000,
            dst: Ipv4Addr::new(203, 0, 113, 5),
            dst_port: 443,
            flags: SYN,
            seq: 1000,
            ack: 0,
            payload: 0,
            ttl: 57,
        }
    }
}

impl Tcp {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let total = u16::try_from(40 + self.payload).unwrap();
        let mut bytes = vec![0x45, 0];
        bytes.extend(total.to_be_bytes());
        bytes.extend([0, 9, 0x40, 0, self.ttl, 6, 0, 0]);
        bytes.extend(self.src.octets());
        bytes.extend(self.dst.octets());
        bytes.extend(self.src_port.to_be_bytes());
        bytes.extend(self.dst_port.to_be_bytes());
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.ack.to_be_bytes());
        bytes.extend([0x50, self.flags, 0x20, 0, 0, 0, 0, 0]);
        bytes.resize(usize::from(total), b'x');
        bytes
    }
}

/// The header of a pcap file.
pub(crate) fn header() -> Vec<u8> {
    let mut file = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend(65_535_u32.to_le_bytes());
    file.extend(RAW.to_le_bytes());
    file
}

/// A record of a pcap file.
pub(crate) fn record(ms: u64, bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap();
    let seconds = u32::try_from(ms / 1000).unwrap();
    let micros = u32::try_from(ms % 1000 * 1000).unwrap();
    let fields = [seconds, micros, len, len].into_iter().flat_map(u32::to_le_bytes);
    fields.chain(bytes.iter().copied()).collect()
}

/// A pcap file of the packets.
pub(crate) fn pcap(packets: &[Tcp]) -> Vec<u8> {
    let records = packets.iter().flat_map(|packet| record(packet.ms, &packet.bytes()));
    header().into_iter().chain(records).collect()
}

/// SYN, ACK and a request: a connection that waits for its answer.
pub(crate) fn request(first: Tcp) -> [Tcp; 3] {
    let ack = Tcp { ms: first.ms + 10, flags: ACK, seq: first.seq + 1, ack: 5000, ..first };
    [first, ack, Tcp { ms: first.ms + 20, flags: PSH | ACK, payload: 100, ..ack }]
}

/// Records of a pcap file: times in milliseconds, and what was captured.
pub(crate) fn raw_records(records: &[(u64, Vec<u8>)]) -> Vec<u8> {
    records.iter().flat_map(|(ms, bytes)| record(*ms, bytes)).collect()
}

/// A pcap file of frames of a link type.
pub(crate) fn frames(link: u8, records: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut file = header();
    file[20] = link;
    file.extend(raw_records(records));
    file
}
