//! The detector.

use std::collections::BTreeMap;

use cutshort_detect::{Config, Detector, ObservedNode, SeriesCounts, SeriesPlace, Window};
use cutshort_simulate::series::{self, Benchmark, CHANNELS, Found, NODES, WINDOWS};

pub(crate) const NAMES: [&str; NODES] = ["node-1", "node-2", "node-3", "node-4"];

pub(crate) fn code(country: usize) -> [u8; 2] {
    [b'A' + (country / 26) as u8, b'A' + (country % 26) as u8]
}

pub(crate) fn place(place: series::SimulatedPlace) -> SeriesPlace {
    match place {
        series::SimulatedPlace::World => SeriesPlace::World,
        series::SimulatedPlace::Country(country) => SeriesPlace::Country(code(country)),
        series::SimulatedPlace::Network(network) => SeriesPlace::Network(network as u32),
    }
}

/// Events of the detector, with their places by position.
pub(crate) fn detect(benchmark: &Benchmark, alpha: f64) -> Vec<Found> {
    let mut detector = Detector::new(Config { alpha, ..Config::default() });
    let places: Vec<(series::SimulatedPlace, SeriesPlace)> =
        benchmark.places().map(|at| (at, place(at))).collect();
    let position: BTreeMap<&SeriesPlace, series::SimulatedPlace> =
        places.iter().map(|(at, place)| (place, *at)).collect();
    let mut last = BTreeMap::new();
    benchmark.run(|window| {
        let nodes: Vec<ObservedNode<'_>> = NAMES
            .iter()
            .zip(window.observed)
            .map(|(name, observed)| ObservedNode { name, coverage: f64::from(u8::from(observed)) })
            .collect();
        let mut counts = Vec::new();
        for ((at, place), by_node) in places.iter().zip(&window.counts) {
            let country = match at {
                series::SimulatedPlace::Network(network) => Some(code(benchmark.country(*network))),
                _ => None,
            };
            counts.extend(by_node.iter().enumerate().map(|(node, counts)| SeriesCounts {
                place: place.clone(),
                country,
                network: None,
                node,
                all: counts.all() * window.rate,
                squares: counts.all() * window.rate * window.rate,
                stages: std::array::from_fn(|stage| counts.stages[stage] * window.rate),
                single: None,
            }));
        }
        let window = Window { number: window.number, nodes: &nodes, counts: &counts };
        for change in detector.add(&window).expect("windows are in order") {
            last.insert(change.event.id, change.event);
        }
    });
    let found = |event: &cutshort_detect::Event| {
        Some(Found {
            place: *position.get(&event.place)?,
            channel: CHANNELS.iter().position(|name| *name == event.channel.name())?,
            onset: event.onset,
            end: event.end.or(event.closed).unwrap_or(WINDOWS),
            decided: event.opened,
            told: event.alarm.is_some(),
        })
    };
    last.values().filter_map(found).collect()
}
