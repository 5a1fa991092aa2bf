use proptest::prelude::*;

use super::*;
use crate::layer::LayerNotes;

fn addr(bits: u32) -> std::net::IpAddr {
    std::net::IpAddr::V4(bits.into())
}

fn addr6(bits: u128) -> std::net::IpAddr {
    std::net::IpAddr::V6(bits.into())
}

fn sample() -> Layer {
    let mut notes = LayerNotes::default();
    let (au, nz) = (Country::from_alpha2("AU"), Country::from_alpha2("NZ"));
    notes.add(addr(0), addr(0), au, Some(64500)).unwrap();
    notes.add(addr(256), addr(511), None, Some(64501)).unwrap();
    notes.add(addr(u32::MAX), addr(u32::MAX), nz, None).unwrap();
    notes.add(addr6(1 << 64), addr6(u128::MAX), au, Some(64502)).unwrap();
    notes.name(64500, "Example, Ltd \u{e9}");
    let mut about = About::default();
    for line in ["source: Sample", "date: 2026-01-02", "licence: CC0", "url: a", "url: b"] {
        about.note(line);
    }
    notes.finish(about).unwrap()
}

fn assert_same(a: &Layer, b: &Layer) {
    assert_eq!((&a.v4, &a.v6, &a.names), (&b.v4, &b.v6, &b.names));
    assert_eq!(a.origins, b.origins);
}

#[test]
fn a_layer_comes_back_as_it_was() {
    let layer = sample();
    let bytes = write(&layer).unwrap();
    assert!(is_packed(&bytes));
    assert_same(&layer, &read(&bytes).unwrap());
}

#[test]
fn one_range_of_all_addresses_comes_back() {
    let mut notes = LayerNotes::default();
    notes.add(addr(0), addr(u32::MAX), None, Some(1)).unwrap();
    notes.add(addr6(0), addr6(u128::MAX), None, Some(2)).unwrap();
    let layer = notes.finish(About::default()).unwrap();
    assert_same(&layer, &read(&write(&layer).unwrap()).unwrap());
}

#[test]
fn every_cut_and_every_flipped_byte_of_the_frame_is_noticed() {
    let bytes = write(&sample()).unwrap();
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length]).is_err(), "cut to {length}");
    }
    let frame = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap() + 2;
    for at in frame..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x55;
        // A bit of the frame's header says only how much memory to take.
        assert!(read(&flipped).map_or(true, |layer| layer.v4 == sample().v4), "flipped {at}");
    }
}

#[test]
fn a_layer_of_several_sources_comes_back() {
    let mut notes = LayerNotes::default();
    notes.add(addr(256), addr(300), Country::from_alpha2("FR"), Some(64501)).unwrap();
    notes.name(64501, "Top");
    notes.name(64500, "Other name");
    let layer = notes.finish(About::default()).unwrap().over(sample());
    assert_eq!(layer.origins.len(), 2);
    assert_eq!(layer.names.get(64500), Some("Other name"));
    assert_same(&layer, &read(&write(&layer).unwrap()).unwrap());
}

#[test]
fn steps_beyond_the_reach_of_a_look_back_come_back() {
    let mut notes = LayerNotes::default();
    for round in 0..3 {
        for asn in 1..=260 {
            let at = round * 1000 + asn;
            notes.add(addr(at), addr(at), None, Some(asn)).unwrap();
            notes
                .add(addr6(u128::from(at) << 90), addr6(u128::from(at) << 90), None, Some(asn % 3 + 1))
                .unwrap();
        }
    }
    let layer = notes.finish(About::default()).unwrap();
    assert_same(&layer, &read(&write(&layer).unwrap()).unwrap());
}

#[test]
fn headers_of_nonsense_are_refused() {
    let header = |lines: &str| read_header(&[MAGIC, lines.as_bytes()].concat()).is_some();
    assert!(header("provides: both\n\n"));
    assert!(header("provides: country\nother: x\nprovides: network\nsource: A\n\n"));
    assert!(!header("provides: both\n"), "no end");
    assert!(!header("provides: names\n\n"), "no such kind");
    assert!(!header("source: A\nprovides: both\n\n"), "whose source is it?");
    assert!(!header("\n"), "no source");
}

/// Columns of a payload that is right: one cell, one name, one step of IPv4 and of IPv6.
fn columns() -> Vec<Vec<u8>> {
    let bytes = |bytes: &[u8]| [&[bytes.len() as u8, 0, 0, 0], bytes].concat();
    let numbers = |numbers: &[u8]| [&[numbers.len() as u8, 0, 0, 0, 1], numbers].concat();
    let cells = [bytes(b"AU"), numbers(&[5]), bytes(&[1])];
    let names = [numbers(&[5]), numbers(&[2]), bytes(b"Ab")];
    let steps = [numbers(&[]), numbers(&[]), bytes(&[0]), numbers(&[0])];
    [&cells[..], &names, &steps, &steps].concat()
}

#[test]
fn payloads_of_nonsense_are_refused() {
    let read = |columns: &[Vec<u8>]| read_payload(Vec::new(), &columns.concat());
    let layer = read(&columns()).unwrap();
    let au = Country::from_alpha2("AU");
    assert_eq!((layer.v4.get(9), layer.v6.get(9)), (Cell::new(au, Some(5)), Cell::new(au, Some(5))));
    assert_eq!(layer.names.get(5), Some("Ab"));
    let with = |changes: &[(usize, &[u8])]| {
        let mut columns = columns();
        for &(at, bytes) in changes {
            columns[at] = bytes.to_vec();
        }
        read(&columns)
    };
    let two_steps: [(usize, &[u8]); 3] =
        [(6, &[1, 0, 0, 0, 1, 7]), (7, &[1, 0, 0, 0, 1, 0]), (8, &[2, 0, 0, 0, 0, 1])];
    assert_eq!(with(&two_steps).unwrap().v4.starts(), [0, 8]);
    let refused = |at: usize, bytes: &[u8]| {
        let mut changes = two_steps.to_vec();
        changes.retain(|&(column, _)| column != at);
        changes.push((at, bytes));
        with(&changes).is_none()
    };
    assert!(refused(0, &[2, 0, 0, 0, b'Z', b'Z']), "no country");
    assert!(refused(0, &[1, 0, 0, 0, b'A']), "half a country");
    assert!(refused(2, &[1, 0, 0, 0, 2]), "no such country");
    assert!(refused(2, &[2, 0, 0, 0, 1, 1]), "more countries than AS numbers");
    assert!(refused(3, &[2, 0, 0, 0, 1, 255, 255]), "more AS numbers than lengths");
    assert!(refused(4, &[1, 0, 0, 0, 1, 3]), "lengths off");
    assert!(refused(5, &[2, 0, 0, 0, 0xff, 0xff]), "no text");
    assert!(refused(6, &[1, 0, 0, 0, 4, 255, 255, 255, 255]), "more than all of IPv4");
    assert!(refused(6, &[1, 0, 0, 0, 5, 1, 0, 0, 0, 0]), "too wide");
    assert!(refused(6, &[1, 0, 0, 0, 0]), "no width");
    assert!(refused(7, &[1, 0, 0, 0, 1, 1]), "no such length");
    assert!(refused(7, &[0, 0, 0, 0, 1]), "fewer starts than cells");
    assert!(refused(8, &[2, 0, 0, 0, 0, 2]), "back before the first step");
    assert!(refused(8, &[1, 0, 0, 0, 0]), "fewer cells than starts");
    assert!(refused(8, &[2, 0, 0, 0, 0, 0]), "more cells than are told");
    assert!(refused(9, &[1, 0, 0, 0, 1, 1]), "no such cell");
    assert!(refused(9, &[2, 0, 0, 0, 1, 0, 0]), "cells left over");
    assert!(refused(13, &[1, 0, 0, 0, 1, 0, 0]), "bytes left over");
    for length in 0..columns().concat().len() {
        assert!(read_payload(Vec::new(), &columns().concat()[..length]).is_none(), "cut to {length}");
    }
}

proptest! {
    #[test]
    fn numbers_come_back(numbers in prop::collection::vec(any::<u128>(), 0..5), shift in 0_u32..128) {
        let numbers: Vec<u128> = numbers.into_iter().map(|number| number >> shift).collect();
        let narrow: Vec<u32> = numbers.iter().map(|&number| number as u32).collect();
        let mut payload = Vec::new();
        put_numbers(&mut payload, &numbers);
        put_numbers(&mut payload, &narrow);
        let mut left = &payload[..];
        prop_assert_eq!(take_numbers(&mut left), Some(numbers));
        prop_assert_eq!(take_numbers(&mut left), Some(narrow));
        prop_assert!(left.is_empty());
    }

    #[test]
    fn random_ranges_answer_as_a_linear_search_does(
        cuts in prop::collection::btree_set(any::<u32>(), 2..60),
        kinds in prop::collection::vec(0_u32..5, 60),
        probes in prop::collection::vec(any::<u32>(), 20),
    ) {
        let cuts: Vec<u32> = cuts.into_iter().collect();
        let ranges: Vec<(u32, u32, u32)> =
            cuts.windows(2).zip(kinds).map(|(cut, kind)| (cut[0], cut[1] - 1, kind)).collect();
        let mut notes = LayerNotes::default();
        notes.add(addr6(0), addr6(0), None, Some(9)).unwrap();
        for &(first, last, kind) in &ranges {
            notes.add(addr(first), addr(last), None, Some(kind).filter(|&kind| kind != 0)).unwrap();
        }
        let layer = read(&write(&notes.finish(About::default()).unwrap()).unwrap()).unwrap();
        let index = crate::index::Index::new(layer.v4);
        let edges = cuts.iter().flat_map(|&cut| [cut.wrapping_sub(1), cut, cut.wrapping_add(1)]);
        for probe in edges.chain(probes) {
            let linear = ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&probe));
            let linear = linear.map(|range| range.2).filter(|&kind| kind != 0);
            prop_assert_eq!(index.get(probe).place().asn, linear);
        }
    }
}
