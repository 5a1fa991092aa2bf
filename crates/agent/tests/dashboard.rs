//! The dashboard for Grafana asks for numbers that there are.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use cutshort_agent::{StationState, metrics};

#[test]
fn the_dashboard_asks_for_numbers_that_there_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/grafana/cutshort.json");
    let dashboard = std::fs::read_to_string(path).unwrap();
    let words = dashboard.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let asked: BTreeSet<&str> = words.filter(|word| word.starts_with("cutshort_agent_")).collect();
    let text = metrics::text(&StationState::default());
    let there: BTreeSet<&str> = text.lines().filter_map(|line| line.split(['{', ' ']).next()).collect();
    assert!(asked.len() > 15, "{asked:?}");
    assert!(asked.is_subset(&there), "{:?}", asked.difference(&there));
}
