use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use cutshort_geo::{Country, Place};
use cutshort_model::{Addresses, Window};
use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions};
use cutshort_store::{FlowKey, Protected, Protection, Provenance, Segment, SegmentSource, StoredRow};
use proptest::prelude::*;

use super::model::{self, Groups};
use super::{Backend, MINUTE, SECOND, START, WINDOW, file, flows, groups, live, packet};

pub(crate) fn packets_come_grouped_by_five_tuple<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    let seen = |client, second| packet(client, START + second * SECOND);
    store.append(&file(vec![seen(2, 3), seen(1, 1), seen(1, 9)])).unwrap();
    store.append(&live("edge", vec![seen(1, 5), seen(3, 4)], (START, START + MINUTE))).unwrap();
    for parts in [1, 2, 7] {
        let mut found = groups(store, START, parts);
        found.sort_by_key(|(tuple, _)| *tuple);
        let short = |(tuple, rows): &(FiveTuple, Vec<_>)| (tuple.src_ip.octets()[15], rows.len());
        assert_eq!(found.iter().map(short).collect::<Vec<_>>(), [(1, 3), (2, 1), (3, 1)]);
        let first: Vec<_> =
            found[0].1.iter().map(|(node, row)| (node.as_str(), (row.row.ts - START) / SECOND)).collect();
        assert_eq!(first, [("", 1), ("edge", 5), ("", 9)]);
    }
}

pub(crate) fn packets_on_the_edges_of_windows_are_in_one<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    let times = [START - 1, START, START + WINDOW - 1, START + WINDOW];
    store.append(&file(times.iter().map(|ts| packet(1, *ts)).collect())).unwrap();
    for (window, expected) in [(START - WINDOW, 1), (START, 2), (START + WINDOW, 1)] {
        let rows: usize = groups(store, window, 2).iter().map(|(_, rows)| rows.len()).sum();
        assert_eq!(rows, expected);
    }
    let windows: Vec<_> = store.windows(i64::MIN..i64::MAX).unwrap();
    assert_eq!(windows.len(), 3);
    assert!(groups(store, START + 5 * WINDOW, 2).is_empty());
}

/// Truncated and encrypted addresses may look alike, and like full ones.
pub(crate) fn connections_of_one_network_stay_apart<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    let place = |asn| Place { country: Country::from_alpha2("PE"), asn: Some(asn) };
    let five_tuple = FiveTuple::new([198, 51, 100, 0].into(), 40_000, [203, 0, 113, 0].into(), 443);
    let of = |addresses, flow, second| Protected {
        packet: Packet { five_tuple, ..packet(1, START + second * SECOND) },
        protection: Protection { addresses, flow, place: place(64_500 + second as u32) },
    };
    let keep = |node, packets| {
        let covers = (START, START + MINUTE);
        let segment =
            Segment::encode(packets, &SegmentSource::tcp(node, Provenance::Live, covers), None).unwrap();
        store.append(&segment).unwrap();
    };
    let (truncated, encrypted) = (Addresses::Truncated, Addresses::Encrypted);
    keep("a", vec![of(truncated, 7, 2), of(truncated, 9, 1), of(truncated, 7, 4)]);
    keep("b", vec![of(truncated, 7, 3)]);
    keep("a", vec![of(encrypted, 0, 5)]);
    store.append(&live("a", vec![Packet { five_tuple, ..packet(1, START) }], (START, START))).unwrap();
    let seconds = |rows: Vec<(String, StoredRow)>| -> Vec<(i64, Option<Place>)> {
        rows.iter().map(|(_, row)| ((row.row.ts - START) / SECOND, row.place)).collect()
    };
    let known = |second: i64| (second, Some(place(64_500 + second as u32)));
    for parts in [1, 3] {
        let found: BTreeMap<FlowKey, _> =
            flows(store, START, parts).into_iter().map(|(flow, rows)| (flow, seconds(rows))).collect();
        let flow = |addresses, flow| FlowKey { five_tuple, addresses, flow };
        let expected = [
            (flow(Addresses::Full, 0), vec![(0, None)]),
            (flow(truncated, 7), vec![known(2), known(3), known(4)]),
            (flow(truncated, 9), vec![known(1)]),
            (flow(encrypted, 0), vec![known(5)]),
        ];
        assert_eq!(found, expected.into());
    }
}

/// Few addresses, so that 5-tuples meet; both families; two windows.
pub(crate) fn any_packet() -> impl Strategy<Value = Packet> {
    let address = prop_oneof![
        (0..4_u8).prop_map(|last| IpAddr::from([10, 0, 0, last])),
        (0..4_u16).prop_map(|last| Ipv6Addr::from([0x2001, 0xdb8, last, 0, 0, 0, 0, last]).into()),
    ];
    let tuple = (address, 0..3_u16, 0..2_u8, 0..2_u16).prop_map(|(src, src_port, server, dst_port)| {
        let dst = match src {
            IpAddr::V4(_) => IpAddr::from([10, 1, 0, server]),
            IpAddr::V6(_) => Ipv6Addr::from([0x2001, 0xdb8, 9, 0, 0, 0, 0, server.into()]).into(),
        };
        FiveTuple::new(src, src_port * 20_000, dst, 443 + dst_port)
    });
    let numbers = (any::<u16>(), any::<u8>(), 0..0x200_u16, any::<u32>(), any::<u32>(), any::<u16>());
    let sizes = (0..=40_u8, any::<u32>(), 1..=u32::MAX);
    (0..2 * WINDOW, tuple, numbers, sizes)
        .prop_map(|(ts, five_tuple, numbers, sizes)| {
            let (ip_id, ttl, flags, seq, ack, window) = numbers;
            let (options_len, payload_len, sample_rate) = sizes;
            Packet {
                ts: START + ts,
                five_tuple,
                ip_id,
                ttl,
                flags: Flags::from_bits(flags),
                seq,
                ack,
                tcp_window: window,
                options_len,
                payload_len,
                sample_rate,
                df: ip_id & 1 == 0 && five_tuple.is_ipv4(),
                syn: SynOptions::NONE,
            }
        })
        .prop_map(|packet| match packet.is_syn() {
            true => Packet {
                syn: SynOptions { kinds: packet.seq.into(), mss: packet.ip_id, wscale: packet.ttl },
                ..packet
            },
            false => packet,
        })
}

fn any_segments() -> impl Strategy<Value = Vec<(String, Vec<Packet>)>> {
    let node = prop_oneof![Just(String::new()), Just("a".to_owned()), Just("b".to_owned())];
    prop::collection::vec((node, prop::collection::vec(any_packet(), 0..60)), 0..6)
}

pub(crate) fn grouping_is_that_of_the_model<B: Backend>() {
    proptest!(ProptestConfig::with_cases(24), |(segments in any_segments(), parts in 1..5_usize)| {
        let backend = B::new();
        let mut kept = Vec::new();
        for (node, packets) in &segments {
            let segment = live(node, packets.clone(), (START, START + 2 * WINDOW));
            // The same packets of the same node are the same segment.
            if backend.store().append(&segment).unwrap() == cutshort_store::Added::New {
                kept.push((node.clone(), packets.clone()));
            }
        }
        for window in [START, START + WINDOW] {
            let found = groups(backend.store(), window, parts);
            let count = found.len();
            let found: Groups = found
                .into_iter()
                .map(|(tuple, rows)| (tuple, rows.into_iter().map(|(node, row)| (row.row, node)).collect()))
                .collect();
            prop_assert_eq!(count, found.len(), "a 5-tuple came twice");
            prop_assert_eq!(found, model::groups(&kept, Window::containing(window)));
        }
    });
}
