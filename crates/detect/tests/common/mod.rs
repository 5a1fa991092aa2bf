#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]
//! The detector over a simulated benchmark.

use std::collections::BTreeMap;

use cutshort_detect::{Config, Counts, Detector, Event, EventId, Node, Place, Window};
use cutshort_simulate::series::{self, Benchmark, CHANNELS, Found, NODES, Score, WINDOWS, WindowCounts};

const NAMES: [&str; NODES] = ["node-1", "node-2", "node-3", "node-4"];

/// What the detector found.
pub struct Outcome {
    pub benchmark: Benchmark,
    /// The last state of each event.
    pub events: Vec<Event>,
    pub score: Score,
}

/// The code of a country, made up.
fn code(country: usize) -> [u8; 2] {
    [b'A' + (country / 26) as u8, b'A' + (country % 26) as u8]
}

fn place(place: series::Place) -> Place {
    match place {
        series::Place::World => Place::World,
        series::Place::Country(country) => Place::Country(code(country)),
        series::Place::Network(network) => Place::Network(network as u32),
    }
}

fn position(place: &Place) -> Option<series::Place> {
    match place {
        Place::World => Some(series::Place::World),
        Place::Country([a, b]) => {
            Some(series::Place::Country(usize::from(a - b'A') * 26 + usize::from(b - b'A')))
        }
        Place::Network(network) => Some(series::Place::Network(*network as usize)),
        Place::Server(_) | Place::Node(_) => None,
    }
}

/// The counts of a window as the detector takes them: weighted.
fn counts(benchmark: &Benchmark, window: &WindowCounts) -> Vec<Counts> {
    let mut all = Vec::new();
    for (at, by_node) in benchmark.places().zip(&window.counts) {
        let country = match at {
            series::Place::Network(network) => Some(code(benchmark.country(network))),
            _ => None,
        };
        for (node, counts) in by_node.iter().enumerate() {
            all.push(Counts {
                place: place(at),
                country,
                node,
                all: counts.all() * window.rate,
                squares: counts.all() * window.rate * window.rate,
                stages: std::array::from_fn(|stage| counts.stages[stage] * window.rate),
            });
        }
    }
    all
}

/// Runs the detector.
pub fn detect(benchmark: Benchmark, alpha: f64) -> Outcome {
    let mut detector = Detector::new(Config { alpha, ..Config::default() });
    let mut last: BTreeMap<EventId, Event> = BTreeMap::new();
    let mut volumes = vec![0.0; benchmark.places().count()];
    benchmark.run(|window| {
        for (volume, by_node) in volumes.iter_mut().zip(&window.counts) {
            *volume += by_node.iter().map(series::Counts::all).sum::<f64>();
        }
        let nodes: Vec<Node<'_>> = NAMES
            .iter()
            .zip(window.observed)
            .map(|(name, observed)| Node { name, coverage: f64::from(u8::from(observed)) })
            .collect();
        let counts = counts(&benchmark, window);
        let window = Window { number: window.number, nodes: &nodes, counts: &counts };
        for change in detector.add(&window).expect("windows in order") {
            last.insert(change.event.id, change.event);
        }
    });
    let events: Vec<Event> = last.into_values().collect();
    let score = Score::new(&benchmark, &volumes, &found(&events));
    Outcome { benchmark, events, score }
}

/// Events as the benchmark judges them: those are told that raised an alarm.
fn found(events: &[Event]) -> Vec<Found> {
    let found = |event: &Event| {
        Some(Found {
            place: position(&event.place)?,
            channel: CHANNELS.iter().position(|name| *name == event.channel.name())?,
            onset: event.onset,
            end: event.end.or(event.closed).unwrap_or(WINDOWS),
            decided: event.opened,
            told: event.alarm.is_some(),
        })
    };
    events.iter().filter_map(found).collect()
}

/// The score as a line for people.
pub fn line(name: &str, score: &Score) -> String {
    let minutes = Score::minutes;
    format!(
        "{name}: recall {}/{} = {:.3}, precision {}/{} = {:.3}, false alarms {:.2} per 1,000 series-weeks, neutral {}, \
         delay {:.0} / {:.0} min, onset error {:.0} / {:.0} min, end error {:.0} / {:.0} min; {:?}",
        score.found,
        score.labels,
        score.recall(),
        score.right,
        score.right + score.wrong.len(),
        score.precision(),
        score.false_alarms(),
        score.neutral,
        minutes(&score.delay, 0.5),
        minutes(&score.delay, 0.9),
        minutes(&score.onset_error, 0.5),
        minutes(&score.onset_error, 0.9),
        minutes(&score.end_error, 0.5),
        minutes(&score.end_error, 0.9),
        score.kinds,
    )
}
