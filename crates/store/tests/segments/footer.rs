//! Footers whose schemas nest: the `parquet` crate follows them by recursion.

use proptest::prelude::*;

use super::*;

/// A file that ends with a footer.
fn file(footer: &[u8]) -> Vec<u8> {
    let len = (footer.len() as u32).to_le_bytes();
    [b"PAR1", footer, &len, b"PAR1"].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// An element of a schema: a required group with so many children, or a column of 32 bits.
fn element(name: &str, children: Option<u64>) -> Vec<u8> {
    let mut bytes = if children.is_none() { vec![0x15, 2, 0x25, 0] } else { vec![0x35, 0] };
    bytes.push(0x18);
    bytes.extend(varint(name.len() as u64));
    bytes.extend(name.as_bytes());
    if let Some(children) = children {
        bytes.push(0x15);
        bytes.extend(varint(children << 1));
    }
    bytes.push(0);
    bytes
}

/// The list of elements, as the value of a field.
fn schema(elements: &[Vec<u8>]) -> Vec<u8> {
    [vec![0xfc], varint(elements.len() as u64), elements.concat()].concat()
}

/// A whole footer: version 1, schema, no rows, no row groups.
fn footer(elements: &[Vec<u8>]) -> Vec<u8> {
    [vec![0x15, 2, 0x19], schema(elements), vec![0x16, 0, 0x19, 0x0c, 0]].concat()
}

/// Groups in groups, and a column in the innermost one.
fn deep(depth: usize) -> Vec<u8> {
    let mut elements = vec![element("g", Some(1)); depth];
    elements.push(element("c", None));
    file(&footer(&elements))
}

#[track_caller]
fn refused(bytes: Vec<u8>, expected: &str) {
    match Segment::parse(bytes) {
        Err(StoreError::Refused(why)) => assert!(why.contains(expected), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn deep_schemas_are_refused() {
    refused(deep(2), "its columns are not those of a segment");
    for depth in [60, 1000, 2625, 100_000, 1_000_000] {
        refused(deep(depth), "it");
    }
}

/// Room for as many children would be taken before the first is read.
#[test]
fn groups_that_claim_many_children_are_refused() {
    let most = i32::MAX as u64;
    refused(file(&footer(&[element("packet", Some(most))])), "its columns");
    let nested = [element("packet", Some(1)), element("g", Some(most))];
    refused(file(&footer(&nested)), "its columns");
}

/// A reader that takes any of these for the schema would see another one than was checked.
#[test]
fn a_second_schema_is_refused() {
    let nested = schema(&vec![element("g", Some(1)); 100_000]);
    let plain = schema(&[element("packet", Some(1)), element("c", None)]);
    let damaged = "its footer is damaged";
    // The same field again, in the long form; with a number that is the same in 16 bits; of another type.
    let again = |head: &[u8]| [vec![0x15, 2, 0x19], plain.clone(), head.to_vec(), nested.clone()].concat();
    for head in [vec![0x09, 4], [vec![0x09], varint((65_536 + 2) << 1)].concat(), vec![0x0c, 4]] {
        refused(file(&again(&head)), damaged);
    }
    // Bytes that are skipped if the type in the file is believed, and read if it is not.
    let hidden = [vec![0x18], varint(nested.len() as u64), nested.clone()].concat();
    refused(file(&[vec![0x15, 2], hidden.clone()].concat()), damaged);
    refused(file(&[hidden, vec![0x19], plain].concat()), damaged);
}

#[derive(Clone, Debug)]
enum Piece {
    Element(usize, Option<u64>),
    Bytes(Vec<u8>),
}

fn piece() -> impl Strategy<Value = Piece> {
    let children =
        prop_oneof![Just(None), (0..4_u64).prop_map(Some), any::<u32>().prop_map(|n| Some(n.into()))];
    prop_oneof![
        8 => (0..16_usize, children).prop_map(|(name, children)| Piece::Element(name, children)),
        1 => prop::collection::vec(any::<u8>(), 0..12).prop_map(Piece::Bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn random_schemas_are_refused(pieces in prop::collection::vec(piece(), 0..40), repeat in 1..200_usize) {
        let pieces = pieces.into_iter().map(|piece| match piece {
            Piece::Element(name, children) => element(&"abcdefghijklmnop"[name..], children),
            Piece::Bytes(bytes) => bytes,
        });
        let elements: Vec<_> = pieces.collect();
        prop_assert!(matches!(Segment::parse(file(&footer(&vec![elements; repeat].concat()))), Err(StoreError::Refused(_))));
    }

    #[test]
    fn random_footers_are_refused(footer in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(matches!(Segment::parse(file(&footer)), Err(StoreError::Refused(_))));
    }
}
