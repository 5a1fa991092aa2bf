//! Packets inside labels, tags and tunnels, and rare link layers.

use cutshort_packet::{Frame, Inner, LinkType, Packet, Refusal, Tunnel};
use proptest::prelude::*;
use proptest::sample::select;

use crate::bytes::{IPV4, IPV6, TCP, ethernet, ipv4, ipv6, tcp};
use crate::wraps::{LINKS, WRAPS, Wrap, Wrapped, in_ip, is_for_ip, needs_ethertype};
use crate::{packet_v4, packet_v6, parse};

fn frame(bytes: &[u8]) -> Frame<'_> {
    Frame { ts: 1_700_000_000_123_456_789, wire_len: bytes.len() as u32, bytes }
}

fn inner(bytes: &[u8]) -> Option<(Vec<Tunnel>, Result<Packet, Refusal>)> {
    let inner = Inner::of(LinkType::Ethernet, frame(bytes))?;
    Some((inner.tunnels().to_vec(), Packet::parse(inner.link, inner.frame)))
}

fn of_ip(v6: bool) -> Wrapped {
    if v6 { (IPV6, ipv6(TCP, &tcp(12, 34))) } else { (IPV4, ipv4(TCP, &tcp(12, 34))) }
}

fn expected(v6: bool) -> Packet {
    if v6 { packet_v6(12, 34) } else { packet_v4(12, 34) }
}

/// One step of wrapping: a row of the table, or IP in IP.
#[derive(Clone, Debug)]
enum Step {
    Table(usize),
    InIp(bool),
}

/// Wraps a packet, innermost step first, as far as the steps fit each other; with the tunnels, outermost first.
fn wrapped(v6: bool, steps: &[Step]) -> (Vec<Tunnel>, Wrapped) {
    let (mut tunnels, mut at) = (Vec::new(), of_ip(v6));
    for step in steps {
        let is_ip = matches!(at.0, IPV4 | IPV6);
        let (tunnel, next) = match step {
            Step::InIp(outer_v6) if is_ip => in_ip(at.0 == IPV6, *outer_v6, &at.1),
            Step::InIp(_) => continue,
            Step::Table(row) => {
                let wrap: &Wrap = &WRAPS[*row];
                if is_for_ip(*row) && !is_ip || needs_ethertype(*row) && at.0 < 0x600 {
                    continue;
                }
                (wrap.0, wrap.1(at.0, &at.1))
            }
        };
        tunnels.insert(0, tunnel);
        at = next;
    }
    (tunnels, at)
}

fn steps(most: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<Step>> {
    let row = (0..WRAPS.len()).prop_map(Step::Table);
    proptest::collection::vec(prop_oneof![6 => row, 1 => any::<bool>().prop_map(Step::InIp)], most)
}

#[test]
fn each_is_unwrapped() {
    for v6 in [false, true] {
        for (row, (tunnel, wrap)) in WRAPS.iter().enumerate() {
            let (ethertype, rest) = of_ip(v6);
            let (ethertype, rest) = wrap(ethertype, &rest);
            let bytes = ethernet(ethertype, &rest);
            assert_eq!(parse(LinkType::Ethernet, &bytes), Err(Refusal::Encapsulated), "{row} {tunnel}");
            assert_eq!(inner(&bytes), Some((vec![*tunnel], Ok(expected(v6)))), "{row} {tunnel}");
        }
        for outer_v6 in [false, true] {
            let (tunnel, (ethertype, rest)) = in_ip(v6, outer_v6, &of_ip(v6).1);
            assert_eq!(inner(&ethernet(ethertype, &rest)), Some((vec![tunnel], Ok(expected(v6)))));
        }
    }
}

#[test]
fn packets_that_are_not_inside_anything_have_no_inner_packet() {
    for (ethertype, rest) in [of_ip(false), of_ip(true), (IPV4, ipv4(17, &[0; 20])), (0x0806, vec![0; 28])] {
        assert!(inner(&ethernet(ethertype, &rest)).is_none());
    }
}

#[test]
fn later_fragments_of_a_tunnel_are_not_read() {
    let (_, (_, mut outer)) = in_ip(false, false, &of_ip(false).1);
    assert!(inner(&ethernet(IPV4, &outer)).is_some());
    outer[7] = 4;
    assert!(inner(&ethernet(IPV4, &outer)).is_none());
}

#[test]
fn rare_link_layers_are_read() {
    for v6 in [false, true] {
        for (row, (link, wrap)) in LINKS.iter().enumerate() {
            let (ethertype, rest) = of_ip(v6);
            assert_eq!(parse(*link, &wrap(ethertype, &rest)), Ok(expected(v6)), "{row} {}", link.name());
        }
    }
}

#[test]
fn frames_of_wireless_networks_that_carry_no_readable_ip_are_refused() {
    let data = |control: [u8; 2]| {
        let llc = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..], &of_ip(false).1].concat();
        parse(LinkType::Ieee80211, &[&control[..], &[2; 22], &llc].concat())
    };
    assert!(data([0x08, 0]).is_ok());
    for (control, what) in [([0x80, 0], "beacon"), ([0x08, 0x40], "encrypted"), ([0x48, 0], "no data")] {
        assert_eq!(data(control), Err(Refusal::NotIp), "{what}");
    }
}

proptest! {
    #[test]
    fn up_to_four_are_walked_in_any_order(v6: bool, steps in steps(1..=4)) {
        let (tunnels, (ethertype, rest)) = wrapped(v6, &steps);
        prop_assume!(!tunnels.is_empty());
        prop_assert_eq!(inner(&ethernet(ethertype, &rest)), Some((tunnels, Ok(expected(v6)))));
    }

    #[test]
    fn more_than_four_are_not_walked(v6: bool, steps in steps(5..=9)) {
        let (tunnels, (ethertype, rest)) = wrapped(v6, &steps);
        prop_assume!(tunnels.len() > 4);
        prop_assert_eq!(inner(&ethernet(ethertype, &rest)), None);
    }

    #[test]
    fn a_cut_packet_is_the_same_or_refused(v6: bool, steps in steps(1..=4), cut: proptest::sample::Index) {
        let (tunnels, (ethertype, rest)) = wrapped(v6, &steps);
        prop_assume!(!tunnels.is_empty());
        let bytes = ethernet(ethertype, &rest);
        let cut = Frame { bytes: &bytes[..cut.index(bytes.len())], ..frame(&bytes) };
        if let Some(inner) = Inner::of(LinkType::Ethernet, cut)
            && let Ok(packet) = Packet::parse(inner.link, inner.frame)
        {
            prop_assert_eq!(packet, expected(v6));
        }
    }

    #[test]
    fn links_lead_to_tunnels_as_well(v6: bool, row in 0..LINKS.len(), wrap in select(&WRAPS[..])) {
        let (link, outer) = LINKS[row];
        let (ethertype, rest) = of_ip(v6);
        let (ethertype, rest) = wrap.1(ethertype, &rest);
        // Those that carry only IP.
        prop_assume!(matches!(ethertype, IPV4 | IPV6));
        let bytes = outer(ethertype, &rest);
        let found = Inner::of(link, frame(&bytes)).map(|inner| Packet::parse(inner.link, inner.frame));
        prop_assert_eq!(found, Some(Ok(expected(v6))));
    }
}
