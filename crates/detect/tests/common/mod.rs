#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]
//! The detector over a simulated benchmark.

use cutshort_detect::{Config, Detector, Event, Journal, ObservedNode, SeriesCounts, SeriesPlace, Window};
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

fn place(place: series::SimulatedPlace) -> SeriesPlace {
    match place {
        series::SimulatedPlace::World => SeriesPlace::World,
        series::SimulatedPlace::Country(country) => SeriesPlace::Country(code(country)),
        series::SimulatedPlace::Network(network) => SeriesPlace::Network(network as u32),
    }
}

fn position(place: &SeriesPlace) -> Option<series::SimulatedPlace> {
    match place {
        SeriesPlace::World => Some(series::SimulatedPlace::World),
        SeriesPlace::Country([a, b]) => {
            Some(series::SimulatedPlace::Country(usize::from(a - b'A') * 26 + usize::from(b - b'A')))
        }
        SeriesPlace::Network(network) => Some(series::SimulatedPlace::Network(*network as usize)),
        SeriesPlace::Server(_) | SeriesPlace::Node(_) => None,
    }
}

/// The counts of a window as the detector takes them: weighted.
fn counts(benchmark: &Benchmark, window: &WindowCounts) -> Vec<SeriesCounts> {
    let mut all = Vec::new();
    for (at, by_node) in benchmark.places().zip(&window.counts) {
        let country = match at {
            series::SimulatedPlace::Network(network) => Some(code(benchmark.country(network))),
            _ => None,
        };
        for (node, counts) in by_node.iter().enumerate() {
            all.push(SeriesCounts {
                place: place(at),
                country,
                network: None,
                node,
                all: counts.all() * window.rate,
                squares: counts.all() * window.rate * window.rate,
                stages: std::array::from_fn(|stage| counts.stages[stage] * window.rate),
                single: None,
            });
        }
    }
    all
}

/// Runs the detector.
pub fn detect(benchmark: Benchmark, alpha: f64) -> Outcome {
    let mut detector = Detector::new(Config { alpha, ..Config::default() });
    let mut journal = Journal::default();
    let mut volumes = vec![0.0; benchmark.places().count()];
    benchmark.run(|window| {
        for (volume, by_node) in volumes.iter_mut().zip(&window.counts) {
            *volume += by_node.iter().map(series::StageCounts::all).sum::<f64>();
        }
        let nodes: Vec<ObservedNode<'_>> = NAMES
            .iter()
            .zip(window.observed)
            .map(|(name, observed)| ObservedNode { name, coverage: f64::from(u8::from(observed)) })
            .collect();
        let counts = counts(&benchmark, window);
        let window = Window { number: window.number, nodes: &nodes, counts: &counts };
        journal.record(detector.add(&window).expect("windows in order"));
    });
    let events = journal.into_events();
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
