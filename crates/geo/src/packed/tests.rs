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
    assert_eq!((&a.about, a.provides), (&b.about, b.provides));
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
fn payloads_of_nonsense_are_refused() {
    let payload = |bytes: &[u8]| read_payload(About::default(), bytes).is_some();
    let empty_ranges = [0; 10];
    assert!(payload(&[&[5][..], b"AU 1\n", &empty_ranges].concat()));
    assert!(!payload(&[&[5][..], b"AU 1\n", &empty_ranges, &[0]].concat()), "bytes left over");
    assert!(!payload(&[&[2][..], b"-\n", &empty_ranges].concat()), "tells nothing");
    assert!(!payload(&[&[3][..], b"ZZ\n", &empty_ranges].concat()), "no country");
    assert!(!payload(&[&[6][..], b"AU 1\n", &empty_ranges].concat()), "length off");
    let one_range = |gap: &[u8], length: &[u8], line: u8| {
        let columns = [&gap[..1], &gap[1..], &length[..1], &length[1..], &[line]];
        let columns = columns.map(|column| [&[column.len() as u8], column].concat()).concat();
        payload(&[&[3][..], b"AU\n", &columns, &[0; 5]].concat())
    };
    assert!(one_range(&[0], &[1, 0], 0));
    assert!(one_range(&[0], &[33, 0], 0), "all of IPv4");
    assert!(!one_range(&[0], &[34, 0], 0), "more than all of IPv4");
    assert!(!one_range(&[1, 0], &[33, 0], 0), "beyond the end");
    assert!(!one_range(&[0], &[1, 0], 1), "no such line");
    assert!(!one_range(&[0], &[200, 0], 0), "no such shift");
}

proptest! {
    #[test]
    fn numbers_come_back(number in any::<u128>(), shift in 0_u32..128) {
        let number = number >> shift << (shift / 2);
        let (mut zeros, mut rest) = (Vec::new(), Vec::new());
        put_number(&mut zeros, &mut rest, number);
        let mut left = &rest[..];
        prop_assert_eq!(take_number(zeros[0], &mut left), Some(number));
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
