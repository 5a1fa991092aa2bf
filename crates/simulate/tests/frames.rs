//! Frames and files, read back by others.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions};
use cutshort_simulate::quic::Clients;
use cutshort_simulate::{COMMENT, PcapngWriter, Simulation, WINDOW_NS, World, frame};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use std::net::IpAddr;

fn packets() -> Vec<Packet> {
    let start = 1_980_020 * WINDOW_NS;
    Simulation::new(World::standard(), start, start + WINDOW_NS, 20.0, 4).packets().collect()
}

/// The packet in a frame, checksums verified.
fn parse(frame: &[u8]) -> Packet {
    let sliced = SlicedPacket::from_ethernet(frame).unwrap();
    let Some(TransportSlice::Tcp(tcp)) = sliced.transport else { panic!("no TCP") };
    let (src, dst, ip_id, ttl, df): (IpAddr, IpAddr, _, _, _) = match sliced.net.unwrap() {
        NetSlice::Ipv4(ip) => {
            let header = ip.header().to_header();
            assert_eq!(header.header_checksum, header.calc_header_checksum());
            assert_eq!(tcp.checksum(), tcp.calc_checksum_ipv4(header.source, header.destination).unwrap());
            let df = header.dont_fragment;
            (header.source.into(), header.destination.into(), header.identification, header.time_to_live, df)
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header().to_header();
            assert_eq!(tcp.checksum(), tcp.calc_checksum_ipv6(header.source, header.destination).unwrap());
            (header.source.into(), header.destination.into(), 0, header.hop_limit, false)
        }
        NetSlice::Arp(_) => panic!("ARP"),
    };
    assert!(tcp.options_iterator().all(|option| option.is_ok()));
    let packet = Packet {
        ts: 0,
        five_tuple: FiveTuple::new(src, tcp.source_port(), dst, tcp.destination_port()),
        ip_id,
        ttl,
        flags: Flags::from_bits(u16::from_be_bytes([tcp.slice()[12] & 1, tcp.slice()[13]])),
        seq: tcp.sequence_number(),
        ack: tcp.acknowledgment_number(),
        tcp_window: tcp.window_size(),
        options_len: tcp.options().len() as u8,
        payload_len: tcp.payload().len() as u32,
        sample_rate: 1,
        df,
        syn: SynOptions::NONE,
    };
    Packet {
        syn: if packet.is_syn() { SynOptions::parse(tcp.options()) } else { SynOptions::NONE },
        ..packet
    }
}

#[test]
fn frames_say_what_the_packets_say() {
    let mut buffer = Vec::new();
    for packet in packets() {
        let length = frame::write(&packet, usize::MAX, &mut buffer);
        assert_eq!(length, buffer.len());
        assert_eq!(parse(&buffer), Packet { ts: 0, ..packet });
    }
}

#[test]
fn any_options_length_and_flags_can_be_written() {
    let mut buffer = Vec::new();
    let packet = packets()[0];
    for options_len in (0..=40).step_by(4) {
        for bits in [0, 2, 4, 0x10, 0x1ff] {
            let packet = Packet { options_len, flags: Flags::from_bits(bits), payload_len: 3, ..packet };
            let packet = Packet { syn: frame::syn_options(&packet), ..packet };
            frame::write(&packet, usize::MAX, &mut buffer);
            assert_eq!(parse(&buffer), Packet { ts: 0, ..packet });
        }
    }
    let huge = Packet { payload_len: u32::MAX, options_len: 43, ..packet };
    assert!(frame::write(&huge, 100, &mut buffer) > 65_000);
    assert_eq!(buffer.len(), 100);
}

#[test]
fn snapped_frames_are_the_beginning_of_whole_ones() {
    let (mut whole, mut snapped) = (Vec::new(), Vec::new());
    for packet in packets().into_iter().take(500) {
        let length = frame::write(&packet, usize::MAX, &mut whole);
        assert_eq!(frame::write(&packet, 74, &mut snapped), length);
        assert_eq!(snapped, whole[..length.min(74)]);
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Type and body of each block; both lengths must agree.
fn blocks(mut file: &[u8]) -> Vec<(u32, &[u8])> {
    let mut blocks = Vec::new();
    while !file.is_empty() {
        let length = u32_at(file, 4) as usize;
        assert_eq!(length % 4, 0);
        assert_eq!(u32_at(file, length - 4) as usize, length);
        blocks.push((u32_at(file, 0), &file[8..length - 4]));
        file = &file[length..];
    }
    blocks
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|part| part == needle.as_bytes())
}

#[test]
fn pcapng_has_its_blocks() {
    let packets = packets();
    let mut writer = PcapngWriter::new(Vec::new(), 96).unwrap();
    packets.iter().for_each(|packet| writer.write(packet).unwrap());
    let file = writer.into_inner().unwrap();
    let blocks = blocks(&file);
    assert_eq!(blocks.len(), packets.len() + 2);
    let (section, interface) = (blocks[0], blocks[1]);
    assert_eq!((section.0, u32_at(section.1, 0)), (0x0a0d_0d0a, 0x1a2b_3c4d));
    assert!(contains(section.1, COMMENT) && contains(section.1, "cutshort simulate"));
    assert_eq!((interface.0, interface.1[0], u32_at(interface.1, 4)), (1, 1, 96));
    assert!(contains(interface.1, "\u{9}\0\u{1}\0\u{9}"), "if_tsresol is nanoseconds");
    let mut frame = Vec::new();
    for ((kind, body), packet) in blocks[2..].iter().zip(&packets) {
        let length = frame::write(packet, 96, &mut frame);
        let ts = u64::from(u32_at(body, 4)) << 32 | u64::from(u32_at(body, 8));
        assert_eq!((*kind, ts as i64), (6, packet.ts));
        assert_eq!((u32_at(body, 12) as usize, u32_at(body, 16) as usize), (frame.len(), length));
        assert_eq!(body[20..20 + frame.len()], frame);
    }
}

#[test]
fn frames_of_datagrams_have_right_checksums() {
    let start = 1_980_020 * WINDOW_NS;
    let clients = Clients::new(&World::standard(), start, start + WINDOW_NS, 200, 4);
    let (mut buffer, mut families) = (Vec::new(), [0, 0]);
    for connection in clients.connections(1_980_020) {
        for datagram in &connection.datagrams {
            let length = frame::write_udp(&datagram.udp(connection.five_tuple), usize::MAX, &mut buffer);
            assert_eq!(length, buffer.len());
            let sliced = SlicedPacket::from_ethernet(&buffer).unwrap();
            let Some(TransportSlice::Udp(udp)) = sliced.transport else { panic!("no UDP") };
            let header = udp.to_header();
            assert_eq!(udp.payload(), datagram.payload);
            assert_eq!((header.source_port, header.destination_port), (connection.five_tuple.src_port, 443));
            match sliced.net.unwrap() {
                NetSlice::Ipv4(ip) => {
                    let ip = ip.header().to_header();
                    assert_eq!(ip.header_checksum, ip.calc_header_checksum());
                    assert_eq!(IpAddr::from(ip.source), connection.five_tuple.src());
                    assert_eq!(header.checksum, header.calc_checksum_ipv4(&ip, udp.payload()).unwrap());
                    families[0] += 1;
                }
                NetSlice::Ipv6(ip) => {
                    let ip = ip.header().to_header();
                    assert_eq!(header.checksum, header.calc_checksum_ipv6(&ip, udp.payload()).unwrap());
                    families[1] += 1;
                }
                NetSlice::Arp(_) => panic!("ARP"),
            }
        }
    }
    assert!(families.iter().all(|count| *count > 50), "{families:?}");
}
