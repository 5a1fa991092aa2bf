use proptest::prelude::*;

use super::*;

fn span(first: u128, last: u128, asn: u32) -> AddressSpan<u128> {
    AddressSpan { first, last, cell: Cell::new(None, Some(asn)) }
}

fn starts_and_asns(steps: &Steps<u128>) -> Vec<(u128, u32)> {
    steps.starts.iter().copied().zip(steps.cells.iter().map(|cell| cell.asn)).collect()
}

#[test]
fn neighbours_that_are_alike_become_one_step() {
    let steps = Steps::from_spans(&[span(0, 4, 1), span(5, 9, 1), span(20, u128::MAX, 2)]);
    assert_eq!(starts_and_asns(&steps), [(0, 1), (10, 0), (20, 2)]);
}

#[test]
fn the_later_of_overlapping_spans_counts() {
    let steps = Steps::from_spans(&[span(10, 90, 1), span(20, 30, 2), span(25, 40, 3), span(20, 22, 0)]);
    assert_eq!(starts_and_asns(&steps), [(0, 0), (10, 1), (20, 0), (23, 2), (25, 3), (41, 1), (91, 0)]);
    let steps = Steps::from_spans(&[span(20, 30, 2), span(10, u128::MAX, 1)]);
    assert_eq!(starts_and_asns(&steps), [(0, 0), (10, 1)]);
}

#[test]
fn what_lies_on_top_counts_field_by_field() {
    let au = Country::from_alpha2("AU");
    let top = Cell::new(au, None);
    let base = Cell::new(Country::from_alpha2("NZ"), Some(7));
    assert_eq!(top.over(base), Cell::new(au, Some(7)));
    assert_eq!(Cell::EMPTY.over(base), base);
    assert_eq!(size_of::<Cell>(), 8);
}

fn spans() -> impl Strategy<Value = Vec<AddressSpan<u32>>> {
    let span = (0_u32..300, 0_u32..80, 0_u32..4, 0_usize..3).prop_map(|(first, length, asn, country)| {
        let country = country.checked_sub(1).and_then(Country::from_index);
        AddressSpan { first, last: first + length, cell: Cell::new(country, Some(asn)) }
    });
    prop::collection::vec(span, 0..25)
}

fn linear(spans: &[AddressSpan<u32>], key: u32) -> Cell {
    let covers = |span: &&AddressSpan<u32>| (span.first..=span.last).contains(&key);
    spans.iter().rev().find(covers).map_or(Cell::EMPTY, |span| span.cell)
}

proptest! {
    #[test]
    fn overlapping_spans_answer_as_a_linear_search_does(spans in spans()) {
        let steps = Steps::from_spans(&spans);
        for key in 0..400 {
            prop_assert_eq!(steps.get(key), linear(&spans, key));
        }
        prop_assert!(steps.starts.is_sorted_by(|a, b| a < b));
        prop_assert!(steps.cells.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn merged_steps_answer_as_separate_ones_do(top in spans(), base in spans()) {
        let merged = Steps::from_spans(&top).over(&Steps::from_spans(&base));
        for key in 0..400 {
            prop_assert_eq!(merged.get(key), linear(&top, key).over(linear(&base, key)));
        }
        prop_assert!(merged.cells.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
