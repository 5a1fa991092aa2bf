//! Any frame that `etherparse` can build parses to what was put in, and to what `etherparse`
//! reads out of it; snapped anywhere, to the same packet or to the right refusal.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cutshort_packet::{FiveTuple, Flags, Frame, LinkType, Packet, Refusal, SynOptions};
use etherparse::{
    ArpHardwareId, EtherType, Ethernet2Header, IpAuthHeader, IpDscp, IpEcn, IpFragOffset, IpNumber,
    Ipv4Header, Ipv4Options, Ipv6FlowLabel, Ipv6FragmentHeader, Ipv6Header, Ipv6RawExtHeader, LinuxSllHeader,
    LinuxSllPacketType, LinuxSllProtocolType, NetSlice, SingleVlanHeader, SlicedPacket, TcpHeader, TcpSlice,
    TransportSlice, VlanId, VlanPcp, ip_number,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::bytes::{Order, PPPOE_SESSION, bsd, ethernet, nflog_of, pppoe, sll2, tagged};
use crate::options::{options, syn_options};

/// How to get from a packet to a frame.
#[derive(Clone, Debug)]
enum Link {
    /// Built, and read, by `etherparse`.
    Ethernet(Vec<u16>),
    Sll(Vec<u16>),
    /// Built here.
    Sll2(Vec<u16>),
    Pppoe(Vec<u16>),
    Raw,
    OfFamily,
    Bsd(LinkType, Order, u32),
    Nflog(Order),
}

impl Link {
    /// The frame of a packet.
    fn frame(&self, ip: &Ip, packet: &[u8]) -> (LinkType, Vec<u8>) {
        let v6 = matches!(ip, Ip::V6 { .. });
        let ethertype = if v6 { EtherType::IPV6 } else { EtherType::IPV4 };
        match self {
            Self::Ethernet(tags) => {
                let (ethertype, rest) = behind_tags(tags, ethertype, packet);
                let header = Ethernet2Header {
                    source: [2, 0, 0, 0, 0, 1],
                    destination: [2; 6],
                    ether_type: ethertype,
                };
                (LinkType::Ethernet, [&header.to_bytes()[..], &rest].concat())
            }
            Self::Sll(tags) => {
                let (ethertype, rest) = behind_tags(tags, ethertype, packet);
                let header = LinuxSllHeader {
                    packet_type: LinuxSllPacketType::HOST,
                    arp_hrd_type: ArpHardwareId::ETHERNET,
                    sender_address_valid_length: 6,
                    sender_address: [2; 8],
                    protocol_type: LinuxSllProtocolType::EtherType(ethertype),
                };
                (LinkType::LinuxSll, [&header.to_bytes()[..], &rest].concat())
            }
            Self::Sll2(tags) => {
                let (ethertype, rest) = tagged(tags, ethertype.0, packet);
                (LinkType::LinuxSll2, sll2(ethertype, &rest))
            }
            Self::Pppoe(tags) => {
                let session = pppoe(if v6 { 0x57 } else { 0x21 }, packet);
                let (ethertype, rest) = tagged(tags, PPPOE_SESSION, &session);
                (LinkType::Ethernet, ethernet(ethertype, &rest))
            }
            Self::Raw => (LinkType::Raw, packet.to_vec()),
            Self::OfFamily => (if v6 { LinkType::Ipv6 } else { LinkType::Ipv4 }, packet.to_vec()),
            Self::Bsd(link, order, af_inet6) => {
                let family = if v6 { *af_inet6 } else { 2 };
                let family = match order {
                    Order::Little => family.to_le_bytes(),
                    Order::Big => family.to_be_bytes(),
                };
                (*link, bsd(family, packet))
            }
            Self::Nflog(order) => (LinkType::Nflog, nflog_of(if v6 { 10 } else { 2 }, *order, packet)),
        }
    }
}

fn behind_tags(tags: &[u16], ethertype: EtherType, packet: &[u8]) -> (EtherType, Vec<u8>) {
    tags.iter().rev().fold((ethertype, packet.to_vec()), |(inner, rest), tag| {
        let header = SingleVlanHeader {
            pcp: VlanPcp::default(),
            drop_eligible_indicator: false,
            vlan_id: VlanId::try_new(100).unwrap(),
            ether_type: inner,
        };
        (EtherType(*tag), [&header.to_bytes()[..], &rest].concat())
    })
}

fn tags() -> impl Strategy<Value = Vec<u16>> {
    vec(select(&[0x8100, 0x88a8, 0x9100][..]), 0..=3)
}

fn link() -> impl Strategy<Value = Link> {
    let order = || select(&[Order::Little, Order::Big][..]);
    let af_inet6 = || select(&[10, 24, 28, 30][..]);
    prop_oneof![
        4 => tags().prop_map(Link::Ethernet),
        4 => tags().prop_map(Link::Sll),
        1 => tags().prop_map(Link::Sll2),
        1 => tags().prop_map(Link::Pppoe),
        1 => Just(Link::Raw),
        1 => Just(Link::OfFamily),
        1 => (order(), af_inet6()).prop_map(|(order, family)| Link::Bsd(LinkType::Null, order, family)),
        1 => af_inet6().prop_map(|family| Link::Bsd(LinkType::Loop, Order::Big, family)),
        1 => order().prop_map(Link::Nflog),
    ]
}

/// An IPv6 extension header.
#[derive(Clone, Debug)]
enum Extension {
    /// Hop-by-hop, routing or destination, and its length in units of 8 bytes behind the first 8.
    Raw(IpNumber, u8),
    /// The first, or only, fragment.
    Fragment { more: bool, identification: u32 },
    /// With that many words of integrity check value.
    Authentication(u8),
}

impl Extension {
    fn kind(&self) -> IpNumber {
        match self {
            Self::Raw(kind, _) => *kind,
            Self::Fragment { .. } => IpNumber::IPV6_FRAGMENTATION_HEADER,
            Self::Authentication(_) => IpNumber::AUTHENTICATION_HEADER,
        }
    }

    fn bytes(&self, next: IpNumber) -> Vec<u8> {
        match *self {
            Self::Raw(_, units) => {
                let payload = vec![0x55; 6 + usize::from(units) * 8];
                Ipv6RawExtHeader::new_raw(next, &payload).unwrap().to_bytes().to_vec()
            }
            Self::Fragment { more, identification } => {
                Ipv6FragmentHeader::new(next, IpFragOffset::ZERO, more, identification).to_bytes().to_vec()
            }
            Self::Authentication(words) => {
                let check_value = vec![0xaa; usize::from(words) * 4];
                IpAuthHeader::new(next, 1, 2, &check_value).unwrap().to_bytes().to_vec()
            }
        }
    }
}

fn extension(kind: IpNumber) -> BoxedStrategy<Extension> {
    match kind {
        IpNumber::IPV6_FRAGMENTATION_HEADER => (any::<bool>(), any::<u32>())
            .prop_map(|(more, identification)| Extension::Fragment { more, identification })
            .boxed(),
        IpNumber::AUTHENTICATION_HEADER => {
            prop_oneof![8 => 0..8_u8, 1 => Just(0xfe)].prop_map(Extension::Authentication).boxed()
        }
        kind => prop_oneof![8 => 0..4_u8, 1 => Just(0xff)]
            .prop_map(move |units| Extension::Raw(kind, units))
            .boxed(),
    }
}

/// The order that RFC 8200 recommends.
const RECOMMENDED: [IpNumber; 6] = [
    ip_number::IPV6_HOP_BY_HOP,
    ip_number::IPV6_DEST_OPTIONS,
    ip_number::IPV6_ROUTE,
    ip_number::IPV6_FRAG,
    ip_number::AUTH,
    ip_number::IPV6_DEST_OPTIONS,
];

/// Some of the extension headers in their recommended order, or any in any order.
fn chain() -> impl Strategy<Value = Vec<Extension>> {
    prop_oneof![
        RECOMMENDED
            .map(|kind| prop::option::weighted(0.4, extension(kind)))
            .prop_map(|chain| chain.into_iter().flatten().collect()),
        vec(select(&RECOMMENDED[..]).prop_flat_map(extension), 0..6),
    ]
}

#[derive(Clone, Debug)]
enum Ip {
    V4(Box<Ipv4Header>),
    V6 { header: Box<Ipv6Header>, chain: Vec<Extension> },
}

impl Ip {
    /// All headers before a segment of that length.
    fn bytes(&self, segment_len: usize) -> Vec<u8> {
        match self {
            Self::V4(header) => {
                let mut header = header.clone();
                header.set_payload_len(segment_len).unwrap();
                header.to_bytes().to_vec()
            }
            Self::V6 { header, chain } => {
                let mut next = IpNumber::TCP;
                let mut extensions = Vec::new();
                for extension in chain.iter().rev() {
                    extensions = [extension.bytes(next), extensions].concat();
                    next = extension.kind();
                }
                let mut header = header.clone();
                header.next_header = next;
                header.set_payload_length(extensions.len() + segment_len).unwrap();
                [&header.to_bytes()[..], &extensions].concat()
            }
        }
    }

    fn addresses(&self) -> (IpAddr, IpAddr) {
        match self {
            Self::V4(header) => (header.source.into(), header.destination.into()),
            Self::V6 { header, .. } => (header.source.into(), header.destination.into()),
        }
    }

    const fn id_and_ttl(&self) -> (u16, u8) {
        match self {
            Self::V4(header) => (header.identification, header.time_to_live),
            Self::V6 { header, .. } => (0, header.hop_limit),
        }
    }

    fn dont_fragment(&self) -> bool {
        matches!(self, Self::V4(header) if header.dont_fragment)
    }

    /// Whether `etherparse` has to find the TCP header. It does not look into fragments, and
    /// takes the hop-by-hop header only in its place.
    fn is_plain(&self) -> bool {
        match self {
            Self::V4(header) => !header.more_fragments,
            Self::V6 { chain, .. } => {
                let fragmented =
                    chain.iter().any(|ext| matches!(ext, Extension::Fragment { more: true, .. }));
                let behind = chain.iter().skip(1).any(|ext| ext.kind() == IpNumber::IPV6_HEADER_HOP_BY_HOP);
                !fragmented && !behind
            }
        }
    }
}

prop_compose! {
    fn ipv4()(
        dscp in 0..64_u8,
        ecn in 0..4_u8,
        identification: u16,
        dont_fragment: bool,
        more_fragments in prop::bool::weighted(0.2),
        time_to_live: u8,
        header_checksum: u16,
        source: [u8; 4],
        destination: [u8; 4],
        options in (0..=10_usize).prop_flat_map(|words| vec(any::<u8>(), words * 4)),
    ) -> Ip {
        Ip::V4(Box::new(Ipv4Header {
            dscp: IpDscp::try_new(dscp).unwrap(),
            ecn: IpEcn::try_new(ecn).unwrap(),
            identification,
            dont_fragment,
            more_fragments,
            time_to_live,
            protocol: IpNumber::TCP,
            header_checksum,
            source,
            destination,
            options: Ipv4Options::try_from(&options[..]).unwrap(),
            ..Ipv4Header::default()
        }))
    }
}

fn not_mapped() -> impl Strategy<Value = [u8; 16]> {
    any::<[u8; 16]>()
        .prop_filter("no IPv4-mapped address", |octets| Ipv6Addr::from(*octets).to_ipv4_mapped().is_none())
}

prop_compose! {
    fn ipv6()(
        traffic_class: u8,
        flow_label in 0..1_u32 << 20,
        hop_limit: u8,
        source in not_mapped(),
        destination in not_mapped(),
        chain in chain(),
    ) -> Ip {
        let header = Ipv6Header {
            traffic_class,
            flow_label: Ipv6FlowLabel::try_new(flow_label).unwrap(),
            hop_limit,
            source,
            destination,
            ..Ipv6Header::default()
        };
        Ip::V6 { header: Box::new(header), chain }
    }
}

prop_compose! {
    fn tcp()(
        ports: [u16; 2],
        numbers: [u32; 2],
        [fin, syn, rst, psh, ack, urg, ece, cwr, ns]: [bool; 9],
        window_size: u16,
        checksum: u16,
        urgent_pointer: u16,
        options in options(),
    ) -> TcpHeader {
        let mut header = TcpHeader::new(ports[0], ports[1], numbers[0], window_size);
        header.acknowledgment_number = numbers[1];
        (header.fin, header.syn, header.rst, header.psh) = (fin, syn, rst, psh);
        (header.ack, header.urg, header.ece, header.cwr, header.ns) = (ack, urg, ece, cwr, ns);
        (header.checksum, header.urgent_pointer) = (checksum, urgent_pointer);
        header.set_options_raw(&options).unwrap();
        header
    }
}

/// The nine bits of one of `etherparse`'s headers; a macro, since these have no common trait.
macro_rules! flags_of {
    ($header:expr $(, $call:tt)?) => {
        [
            (Flags::FIN, $header.fin $($call)?),
            (Flags::SYN, $header.syn $($call)?),
            (Flags::RST, $header.rst $($call)?),
            (Flags::PSH, $header.psh $($call)?),
            (Flags::ACK, $header.ack $($call)?),
            (Flags::URG, $header.urg $($call)?),
            (Flags::ECE, $header.ece $($call)?),
            (Flags::CWR, $header.cwr $($call)?),
            (Flags::AE, $header.ns $($call)?),
        ]
        .into_iter()
        .filter(|(_, set)| *set)
        .fold(Flags::default(), |flags, (flag, _)| flags | flag)
    };
}

/// A frame, and what has to come out of it.
#[derive(Clone, Debug)]
struct Built {
    ts: i64,
    link: Link,
    ip: Ip,
    link_type: LinkType,
    bytes: Vec<u8>,
    /// Where the IP header begins in it, and where TCP.
    ip_at: usize,
    tcp_at: usize,
    expected: Packet,
}

impl Built {
    /// What comes out if so many bytes were captured, at least 20 of the TCP header.
    fn snapped(&self, captured: usize) -> Packet {
        let cut = captured < self.tcp_at + 20 + usize::from(self.expected.options_len);
        let syn = if cut && self.expected.is_syn() { SynOptions::UNKNOWN } else { self.expected.syn };
        Packet { syn, ..self.expected }
    }

    fn parse(&self, captured: usize) -> Result<Packet, Refusal> {
        let wire_len = self.bytes.len() as u32;
        Packet::parse(self.link_type, Frame { ts: self.ts, wire_len, bytes: &self.bytes[..captured] })
    }
}

prop_compose! {
    fn built()(
        ts: i64,
        link in link(),
        ip in prop_oneof![ipv4(), ipv6()],
        tcp in tcp(),
        payload in vec(any::<u8>(), 0..300),
        padding in prop_oneof![Just(Vec::new()), vec(any::<u8>(), 0..46)],
    ) -> Built {
        let segment = [&tcp.to_bytes()[..], &payload].concat();
        let headers = ip.bytes(segment.len());
        let packet = [&headers[..], &segment].concat();
        let (link_type, mut bytes) = link.frame(&ip, &packet);
        // The netfilter log pads what it carries.
        let ip_at = bytes.windows(packet.len()).rposition(|window| window == packet).unwrap();
        bytes.extend(padding);
        let (src, dst) = ip.addresses();
        let (ip_id, ttl) = ip.id_and_ttl();
        let flags = flags_of!(tcp);
        let expected = Packet {
            ts,
            five_tuple: FiveTuple::new(src, tcp.source_port, dst, tcp.destination_port),
            ip_id,
            ttl,
            flags,
            seq: tcp.sequence_number,
            ack: tcp.acknowledgment_number,
            tcp_window: tcp.window_size,
            options_len: tcp.options.len() as u8,
            payload_len: payload.len() as u32,
            sample_rate: 1,
            df: ip.dont_fragment(),
            syn: if flags.is_syn() { syn_options(tcp.options.as_slice()) } else { SynOptions::NONE },
        };
        let tcp_at = ip_at + headers.len();
        Built { ts, link, ip, link_type, bytes, ip_at, tcp_at, expected }
    }
}

/// What `etherparse` reads out of a frame, if it finds a TCP header.
fn sliced(built: &Built) -> Option<Packet> {
    let sliced = match &built.link {
        Link::Ethernet(_) => SlicedPacket::from_ethernet(&built.bytes),
        Link::Sll(_) => SlicedPacket::from_linux_sll(&built.bytes),
        _ => SlicedPacket::from_ip(&built.bytes[built.ip_at..]),
    };
    let sliced = sliced.ok()?;
    let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else { return None };
    let (src, dst, ip_id, ttl, df): (IpAddr, IpAddr, _, _, _) = match &sliced.net {
        Some(NetSlice::Ipv4(ip)) => {
            let header = ip.header();
            let [src, dst] = [header.source(), header.destination()].map(Ipv4Addr::from);
            (src.into(), dst.into(), header.identification(), header.ttl(), header.dont_fragment())
        }
        Some(NetSlice::Ipv6(ip)) => {
            let header = ip.header();
            let [src, dst] = [header.source(), header.destination()].map(Ipv6Addr::from);
            (src.into(), dst.into(), 0, header.hop_limit(), false)
        }
        _ => return None,
    };
    let five_tuple = FiveTuple::new(src, tcp.source_port(), dst, tcp.destination_port());
    Some(Packet { five_tuple, ip_id, ttl, df, ..packet_of(built.ts, tcp) })
}

fn packet_of(ts: i64, tcp: &TcpSlice<'_>) -> Packet {
    let flags = flags_of!(tcp, ());
    Packet {
        ts,
        flags,
        seq: tcp.sequence_number(),
        ack: tcp.acknowledgment_number(),
        tcp_window: tcp.window_size(),
        options_len: tcp.options().len() as u8,
        payload_len: tcp.payload().len() as u32,
        sample_rate: 1,
        syn: if flags.is_syn() { syn_options(tcp.options()) } else { SynOptions::NONE },
        ..Packet::ZERO
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8192))]

    #[test]
    fn what_was_put_in_comes_out(built in built()) {
        prop_assert_eq!(built.parse(built.bytes.len()), Ok(built.expected));
    }

    #[test]
    fn etherparse_reads_the_same(built in built()) {
        match sliced(&built) {
            Some(packet) => prop_assert_eq!(built.parse(built.bytes.len()), Ok(packet)),
            None => prop_assert!(!built.ip.is_plain(), "etherparse found no TCP header"),
        }
    }
}

proptest! {
    // Each of them is parsed at hundreds of lengths.
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn snapped_anywhere(built in built()) {
        for captured in 0..=built.bytes.len() {
            let expected = match captured {
                _ if captured >= built.tcp_at + 20 => Ok(built.snapped(captured)),
                _ if captured >= built.tcp_at => Err(Refusal::Cut),
                _ => Err(Refusal::Malformed),
            };
            prop_assert_eq!(built.parse(captured), expected, "of {} captured bytes", captured);
        }
    }

    /// Without an IP length it is the length on the wire that tells the payload's.
    #[test]
    fn snapped_anywhere_without_an_ip_length(mut built in built()) {
        prop_assume!(!matches!(built.link, Link::Nflog(_)));
        let end = built.tcp_at + 20 + usize::from(built.expected.options_len);
        built.bytes.truncate(end + built.expected.payload_len as usize);
        let length = built.ip_at + if built.expected.five_tuple.is_ipv4() { 2 } else { 4 };
        built.bytes[length..length + 2].fill(0);
        for captured in built.tcp_at..=built.bytes.len() {
            let is_cut = captured < built.tcp_at + 20;
            let expected = if is_cut { Err(Refusal::Cut) } else { Ok(built.snapped(captured)) };
            prop_assert_eq!(built.parse(captured), expected, "of {} captured bytes", captured);
        }
    }
}
