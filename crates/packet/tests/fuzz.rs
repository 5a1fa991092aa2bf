//! No bytes make the parser panic or contradict itself.
//!
//! Runs for ten seconds a test; `BOLERO_RANDOM_TEST_TIME_MS` sets another time. A failure shows
//! its seed, with which `BOLERO_RANDOM_SEED` runs it again.

#[path = "parse/bytes.rs"]
mod bytes;
#[path = "parse/wraps.rs"]
#[allow(dead_code)]
mod wraps;

use std::net::Ipv6Addr;
use std::sync::LazyLock;
use std::time::Duration;

use bolero::TypeGenerator;
use bolero::generator::{ValueGenerator, produce};
use cutshort_packet::quic::{Datagram, Found, HashKey, Icmp, Kinds, ServerPorts, Udp};
use cutshort_packet::{Frame, Inner, LinkType, Packet, Refusal, SynOptions, Unreachable, Unread};

use bytes::{
    AUTHENTICATION, DESTINATION, FRAGMENT, HOP_BY_HOP, IPV4, IPV6, Order, PPPOE_SESSION, ROUTING, TCP,
    authentication, bsd, ethernet, extension, fragment, ipv4, ipv6, nflog_of, pppoe, sll, sll2, tagged, tcp,
};
use wraps::{LINKS, WRAPS};

const TEST_TIME: Duration = Duration::from_secs(10);

#[test]
fn any_bytes() {
    let link = (0..LinkType::ALL.len()).map_gen(|at| LinkType::ALL[at]);
    let bytes = produce::<Vec<u8>>().with().len(0..300_usize);
    bolero::check!()
        .with_generator((link, produce::<u32>(), bytes))
        .with_test_time(TEST_TIME)
        .for_each(|(link, wire_len, bytes)| check(*link, bytes, *wire_len));
}

#[test]
fn valid_frames_with_changes() {
    bolero::check!()
        .with_type::<Changed>()
        .with_test_time(TEST_TIME)
        .for_each(|changed| check(changed.link(), &changed.bytes(), changed.wire_len()));
}

/// A valid frame, changed.
#[derive(Debug, TypeGenerator)]
struct Changed {
    seed: u8,
    /// Parsed as of another link type than its own.
    other_link: Option<u8>,
    changes: [Option<Change>; 4],
    captured: Option<u16>,
    wire_len: Option<u32>,
}

/// What to do at a place of a frame.
#[derive(Debug, TypeGenerator)]
enum Change {
    Set(u16, u8),
    FlipBit(u16, u8),
    /// Lengths and offsets break where they are smallest and largest.
    Zeros(u16),
    Ones(u16),
    /// Of that many bytes.
    Remove(u16, u8),
    Repeat(u16, u8),
    /// Another valid frame.
    Insert(u16, u8),
}

impl Changed {
    fn seed(&self) -> &'static (LinkType, Vec<u8>) {
        &SEEDS[usize::from(self.seed) % SEEDS.len()]
    }

    fn link(&self) -> LinkType {
        self.other_link.map_or(self.seed().0, |at| LinkType::ALL[usize::from(at) % LinkType::ALL.len()])
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.seed().1.clone();
        for change in self.changes.iter().flatten() {
            change.apply(&mut bytes);
        }
        if let Some(captured) = self.captured {
            bytes.truncate(usize::from(captured) % (bytes.len() + 1));
        }
        bytes
    }

    fn wire_len(&self) -> u32 {
        self.wire_len.unwrap_or(self.seed().1.len() as u32)
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |at: u16| usize::from(at) % bytes.len().max(1);
        let range = |at: u16, len: u8| place(at)..(place(at) + usize::from(len)).min(bytes.len());
        match *self {
            Self::Insert(at, seed) => {
                let at = place(at);
                bytes.splice(at..at, SEEDS[usize::from(seed) % SEEDS.len()].1.iter().copied());
            }
            // There is nothing left to change.
            _ if bytes.is_empty() => {}
            Self::Set(at, value) => {
                let at = place(at);
                bytes[at] = value;
            }
            Self::FlipBit(at, bit) => {
                let at = place(at);
                bytes[at] ^= 1 << (bit % 8);
            }
            Self::Zeros(at) => {
                let range = range(at, 2);
                bytes[range].fill(0);
            }
            Self::Ones(at) => {
                let range = range(at, 2);
                bytes[range].fill(0xff);
            }
            Self::Remove(at, len) => {
                let range = range(at, len);
                bytes.drain(range);
            }
            Self::Repeat(at, len) => {
                let range = range(at, len);
                let repeated = bytes[range.clone()].to_vec();
                bytes.splice(range.start..range.start, repeated);
            }
        }
    }
}

/// Every link layer and every kind of header.
static SEEDS: LazyLock<Vec<(LinkType, Vec<u8>)>> = LazyLock::new(|| {
    let v4 = ipv4(TCP, &tcp(12, 40));
    let chain = [
        extension(ROUTING, 8),
        extension(DESTINATION, 16),
        extension(FRAGMENT, 8),
        fragment(AUTHENTICATION, 0, true),
        authentication(TCP, 24),
        tcp(40, 8),
    ];
    let v6 = ipv6(HOP_BY_HOP, &chain.concat());
    let (outer, tagged_v4) = tagged(&[0x88a8, 0x8100], IPV4, &v4);
    let (pppoe_outer, pppoe_v6) = tagged(&[0x9100], PPPOE_SESSION, &pppoe(0x57, &v6));
    vec![
        (LinkType::Ethernet, ethernet(IPV4, &v4)),
        (LinkType::Ethernet, ethernet(outer, &tagged_v4)),
        (LinkType::Ethernet, ethernet(pppoe_outer, &pppoe_v6)),
        (LinkType::LinuxSll, sll(IPV6, &v6)),
        (LinkType::LinuxSll, sll(PPPOE_SESSION, &pppoe(0x21, &v4))),
        (LinkType::LinuxSll2, sll2(outer, &tagged_v4)),
        (LinkType::Null, bsd(2_u32.to_le_bytes(), &v4)),
        (LinkType::Null, bsd(30_u32.to_be_bytes(), &v6)),
        (LinkType::Loop, bsd(24_u32.to_be_bytes(), &v6)),
        (LinkType::Nflog, nflog_of(2, Order::Little, &v4)),
        (LinkType::Nflog, nflog_of(10, Order::Big, &v6)),
        (LinkType::Nflog, nflog_of(7, Order::Big, &ipv4(TCP, &tcp(0, 3000)))),
        (LinkType::Raw, ipv4(TCP, &tcp(0, 0))),
        (LinkType::Raw, ipv4(1, &[&[3, 1, 0, 0, 0, 0, 0, 0][..], &ipv4(TCP, &tcp(0, 0))[..28]].concat())),
        (LinkType::Ipv6, ipv6(58, &[&[1, 0, 0, 0, 0, 0, 0, 0][..], &ipv6(TCP, &tcp(0, 0))[..48]].concat())),
        (LinkType::Raw, ipv4(17, &udp(&quic()))),
        (LinkType::Ethernet, ethernet(IPV6, &ipv6(17, &udp(&quic())))),
        (LinkType::Raw, ipv4(1, &[&[3, 3, 0, 0, 0, 0, 0, 0][..], &ipv4(17, &udp(&quic()))].concat())),
        (LinkType::Raw, ipv6(58, &[&[1, 4, 0, 0, 0, 0, 0, 0][..], &ipv6(17, &udp(&quic()))].concat())),
        (LinkType::Raw, v6.clone()),
        (LinkType::Ipv4, v4.clone()),
        (LinkType::Ipv6, v6),
    ]
    .into_iter()
    .chain(LINKS.iter().map(|(link, wrap)| (*link, wrap(IPV4, &v4))))
    .chain(WRAPS.iter().map(|(_, wrap)| {
        let (ethertype, rest) = wrap(IPV4, &v4);
        (LinkType::Ethernet, ethernet(ethertype, &rest))
    }))
    .chain(WRAPS.iter().map(|(_, wrap)| {
        let (ethertype, rest) = wrap(IPV4, &ipv4(17, &udp(&quic())));
        (LinkType::Ethernet, ethernet(ethertype, &rest))
    }))
    .collect()
});

/// A datagram from port 40112 to 443.
fn udp(payload: &[u8]) -> Vec<u8> {
    let len = (8 + payload.len() as u16).to_be_bytes();
    [&[0x9c, 0xb0, 0x01, 0xbb], &len[..], &[0, 0], payload].concat()
}

/// Packets with long headers in versions 1 and 2, with a token and without, and a short one.
fn quic() -> Vec<u8> {
    let initial =
        [&[0xc0, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 2, 9, 9, 3, 7, 7, 7, 0x40, 25][..], &[0xee; 25]];
    let handshake = [&[0xf0, 0x6b, 0x33, 0x43, 0xcf, 1, 5, 0, 22][..], &[0xee; 22]];
    [initial.concat(), handshake.concat(), vec![0x40; 30]].concat()
}

/// A frame has TCP or a UDP datagram or neither; and what is in a datagram fits together.
fn check_quic(link: LinkType, frame: Frame<'_>, ports: &ServerPorts, is_tcp: bool) {
    match Found::parse(link, frame, ports) {
        Ok(_) if is_tcp => panic!("TCP and UDP at once"),
        Ok(Found::Udp(udp)) => check_datagram(&udp, ports),
        Ok(Found::Icmp([to_client, to_server])) => {
            assert_eq!(to_client.five_tuple, to_server.five_tuple.reversed());
            assert_eq!(
                to_server,
                Datagram { icmp: Some(Icmp::Server), five_tuple: to_server.five_tuple, ..to_client }
            );
        }
        Err(Refusal::Encapsulated) => {
            if let Some(inner) = Inner::of_datagram(link, frame, ports) {
                assert!(frame.bytes.as_ptr_range().contains(&inner.frame.bytes.as_ptr()));
                check_quic(inner.link, inner.frame, ports, false);
            }
        }
        Err(Refusal::NotQuic) => {}
        Err(refusal) => assert_eq!(Unread::of(link, frame, refusal).refusal(), Some(refusal)),
    }
}

fn check_datagram(udp: &Udp<'_>, ports: &ServerPorts) {
    assert!(ports.has_either(&udp.five_tuple) && udp.captured.len() <= usize::from(udp.len));
    let row = udp.row(&HashKey::new([1; 16]));
    let is_whole = udp.captured.len() == usize::from(udp.len);
    assert!(!(is_whole && row.kinds.intersects(Kinds::CUT)), "{row:?}");
    assert!(!row.kinds.intersects(Kinds::ICMP) && row.icmp.is_none());
    assert!(row.version == 0 || row.kinds.intersects(Kinds::VERSIONED));
    assert!(row.dcid.is_none() || row.kinds.intersects(Kinds::LONG));
    assert!(row.dcid.is_some() == row.scid.is_some() && row.dcid_len <= 20);
    assert!(row.dcid.is_some() || row.dcid_len == 0);
    assert!(row.token.is_none() || row.kinds.intersects(Kinds::INITIAL));
    let (mut kinds, mut at) = (Kinds::default(), 0);
    for part in udp.parts() {
        kinds |= part.kinds;
        let Some(whole) = part.header.and_then(|header| header.whole) else { continue };
        assert_eq!(whole.bytes.as_ptr(), udp.captured[at..].as_ptr(), "one behind the other");
        assert!(whole.number_at <= whole.bytes.len());
        at += whole.bytes.len();
    }
    assert_eq!(kinds, row.kinds);
}

/// A packet inside tunnels, if there is one, is a part of the frame.
fn check_inner(link: LinkType, bytes: &[u8], wire_len: u32) {
    let Some(inner) = Inner::of(link, Frame { ts: -1, wire_len, bytes }) else { return };
    assert!((1..=4).contains(&inner.tunnels().len()));
    assert!(bytes.as_ptr_range().contains(&inner.frame.bytes.as_ptr()));
    assert!(inner.frame.bytes.len() < bytes.len() && inner.frame.wire_len <= wire_len);
    if let Ok(packet) = Packet::parse(inner.link, inner.frame) {
        check_packet(inner.link, &packet);
    }
}

/// Parses, and checks what holds of any bytes.
fn check(link: LinkType, bytes: &[u8], wire_len: u32) {
    let parse = |bytes: &[u8], wire_len| Packet::parse(link, Frame { ts: -1, wire_len, bytes });
    let parsed = parse(bytes, wire_len);
    assert_eq!(parsed, parse(bytes, wire_len), "parsed twice");
    if let Some(error) = Unreachable::parse(link, Frame { ts: -1, wire_len, bytes }) {
        assert_eq!(parsed, Err(Refusal::NotTcp), "an ICMP error");
        let is_mapped = |addr: Ipv6Addr| addr.to_ipv4_mapped().is_some();
        assert_eq!(is_mapped(error.five_tuple.src_ip), is_mapped(error.five_tuple.dst_ip));
    }
    for ports in [ServerPorts::default(), ServerPorts::ANY] {
        check_quic(link, Frame { ts: -1, wire_len, bytes }, &ports, parsed.is_ok());
    }
    let packet = match parsed {
        Ok(packet) => packet,
        Err(refusal) => {
            let unread = Unread::of(link, Frame { ts: -1, wire_len, bytes }, refusal);
            assert_eq!(unread.refusal(), Some(refusal), "{unread}");
            check_inner(link, bytes, wire_len);
            return;
        }
    };
    check_packet(link, &packet);
    let longest = u64::from(u16::MAX).max(u64::from(wire_len)).max(bytes.len() as u64);
    let segment = 20 + u64::from(packet.options_len) + u64::from(packet.payload_len);
    assert!(segment <= longest, "a segment longer than the frame");
    check_cuts(link, bytes, parse);
}

fn check_packet(link: LinkType, packet: &Packet) {
    assert_eq!((packet.ts, packet.sample_rate), (-1, 1));
    assert!(packet.options_len <= 40 && packet.options_len.is_multiple_of(4));
    assert!(packet.flags.bits() < 0x200);
    let is_mapped = |addr: Ipv6Addr| addr.to_ipv4_mapped().is_some();
    assert_eq!(is_mapped(packet.five_tuple.src_ip), is_mapped(packet.five_tuple.dst_ip));
    assert_eq!(is_mapped(packet.five_tuple.src_ip), packet.five_tuple.is_ipv4());
    match link {
        LinkType::Ipv4 => assert!(packet.five_tuple.is_ipv4()),
        LinkType::Ipv6 => assert!(!packet.five_tuple.is_ipv4()),
        _ => {}
    }
    if !packet.five_tuple.is_ipv4() {
        assert_eq!((packet.ip_id, packet.df), (0, false));
    }
    if !packet.is_syn() || packet.options_len == 0 {
        assert_eq!(packet.syn, SynOptions::NONE);
    }
}

/// Fewer captured bytes of the same frame are the same packet, perhaps without its options, or cut, or an incomplete
/// header.
fn check_cuts(link: LinkType, bytes: &[u8], parse: impl Fn(&[u8], u32) -> Result<Packet, Refusal>) {
    // Where an attribute of the netfilter log lies depends on how long the frame is.
    if link == LinkType::Nflog {
        return;
    }
    let wire_len = bytes.len() as u32;
    let whole = parse(bytes, wire_len);
    for captured in 0..bytes.len() {
        match parse(&bytes[..captured], wire_len) {
            Err(Refusal::Cut | Refusal::Malformed) => {}
            Ok(parsed) if parsed.syn == SynOptions::UNKNOWN => {
                let whole = whole.map(|whole| Packet { syn: SynOptions::UNKNOWN, ..whole });
                assert_eq!(Ok(parsed), whole, "of {captured} captured bytes");
            }
            parsed => assert_eq!(parsed, whole, "of {captured} captured bytes"),
        }
    }
}
