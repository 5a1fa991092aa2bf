//! Detection of events: how well, beside the methods of others on the same counts, and how fast.
//!
//! `bench-events` prints a table for seed 51; `bench-events 51 52` for two. `bench-events speed` measures the time of a window
//! with 20,000 places, and `bench-events wrong 1 2` lists what the detector missed and what it found in vain.
//! `bench-events counts 1 as:20 country:AC` writes the counts of a seed for `cutshort detect`: of some places, or of all.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod counts;
mod ours;
mod peers;
mod speed;

use cutshort_simulate::series::{Benchmark, CHANNELS, Found, Label, NODES, Score, StageCounts, WINDOWS};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|argument| argument == "speed") {
        let places = arguments.get(1).and_then(|places| places.parse().ok());
        speed::measure(places.unwrap_or(20_000));
        return;
    }
    if arguments.first().is_some_and(|argument| argument == "counts") {
        let seed = arguments.get(1).and_then(|seed| seed.parse().ok());
        counts::write(seed.unwrap_or(1), &arguments[2.min(arguments.len())..]);
        return;
    }
    let wrong = arguments.first().is_some_and(|argument| argument == "wrong");
    let seeds: Option<Vec<u64>> =
        arguments.iter().skip(usize::from(wrong)).map(|seed| seed.parse().ok()).collect();
    match seeds {
        Some(seeds) if wrong => list_wrong(&seeds),
        Some(seeds) if seeds.is_empty() => compare(&[51]),
        Some(seeds) => compare(&seeds),
        None => eprintln!(
            "usage: bench-events [SEED...] | wrong SEED... | counts SEED [PLACE...] | speed [PLACES]"
        ),
    }
}

/// A benchmark with the series that the others see: weighted connections, and shares. Windows in which a node was known to be
/// away are marked for all of them.
pub(crate) struct Series {
    pub(crate) places: usize,
    /// By channel, place and window: weighted connections for traffic, then shares of all connections.
    pub(crate) values: Vec<f32>,
    /// Sampled connections by place and window.
    pub(crate) sampled: Vec<f32>,
    pub(crate) rate: Vec<f64>,
    pub(crate) bad: Vec<bool>,
}

impl Series {
    fn new(benchmark: &Benchmark) -> Self {
        let places = benchmark.places().count();
        let windows = WINDOWS as usize;
        let mut series = Self {
            places,
            values: vec![0.0; CHANNELS.len() * places * windows],
            sampled: vec![0.0; places * windows],
            rate: vec![0.0; windows],
            bad: vec![false; windows],
        };
        benchmark.run(|window| {
            let t = window.number as usize;
            series.rate[t] = window.rate;
            series.bad[t] = window.observed != [true; NODES];
            for (place, by_node) in window.counts.iter().enumerate() {
                let mut sum = StageCounts::default();
                for node in by_node {
                    for (sum, stage) in sum.stages.iter_mut().zip(node.stages) {
                        *sum += stage;
                    }
                }
                let all = sum.all();
                series.sampled[place * windows + t] = all as f32;
                for channel in 0..CHANNELS.len() {
                    let value = match channel {
                        0 => all * window.rate,
                        _ => sum.stages[channel - 1] / all.max(1.0),
                    };
                    let at = series.at(channel, place);
                    series.values[at + t] = value as f32;
                }
            }
        });
        series
    }

    fn at(&self, channel: usize, place: usize) -> usize {
        (channel * self.places + place) * WINDOWS as usize
    }

    /// The values of a channel of a place.
    pub(crate) fn of(&self, channel: usize, place: usize) -> &[f32] {
        let at = self.at(channel, place);
        &self.values[at..at + WINDOWS as usize]
    }

    /// Its sampled connections.
    pub(crate) fn sampled(&self, place: usize) -> &[f32] {
        let at = place * WINDOWS as usize;
        &self.sampled[at..at + WINDOWS as usize]
    }
}

/// Prints what the detector missed, and alarms that concern nothing.
fn list_wrong(seeds: &[u64]) {
    let mut all = Score::default();
    for &seed in seeds {
        let benchmark = Benchmark::standard(seed);
        let events = ours::detect(&benchmark, 0.1);
        let mut volumes = vec![0.0; benchmark.places().count()];
        benchmark.run(|window| {
            for (volume, by_node) in volumes.iter_mut().zip(&window.counts) {
                *volume += by_node.iter().map(StageCounts::all).sum::<f64>();
            }
        });
        let score = Score::new(&benchmark, &volumes, &events);
        for wrong in &score.wrong {
            let volume = volumes[benchmark.position(wrong.place)] / WINDOWS as f64;
            println!("wrong  {:?}, {volume:.0} connections per window: {wrong:?}", CHANNELS[wrong.channel]);
        }
        let found = |label: &Label| {
            events.iter().any(|event| {
                (event.place, event.channel) == (label.place, label.channel)
                    && event.onset < label.to + 4
                    && event.end > label.from - 4
            })
        };
        for label in benchmark.labels().iter().filter(|label| label.counts && !found(label)) {
            let volume = volumes[benchmark.position(label.place)] / WINDOWS as f64;
            println!("missed {volume:.0} connections per window: {label:?}");
        }
        println!(
            "seed {seed}: recall {:.3}, precision {:.3}, {:.2} false alarms per 1,000 series-weeks",
            score.recall(),
            score.precision(),
            score.false_alarms()
        );
        all.add(score);
    }
    println!(
        "all: recall {:.3}, precision {:.3}, {:.2} false alarms per 1,000 series-weeks; 90 %: delay {:.0} min, error of \
         onsets {:.0} min, of ends {:.0} min; {:?}",
        all.recall(),
        all.precision(),
        all.false_alarms(),
        Score::minutes(&all.delay, 0.9),
        Score::minutes(&all.onset_error, 0.9),
        Score::minutes(&all.end_error, 0.9),
        all.kinds
    );
}

type Method = (&'static str, fn(&Benchmark, &Series) -> Vec<Found>);

/// The methods in the order of the table. The first is the one that ratios refer to.
const METHODS: [Method; 8] = [
    ("cutshort", |benchmark, _| ours::detect(benchmark, 0.1)),
    ("cutshort, one false alarm a week", |benchmark, _| ours::detect(benchmark, 1.0)),
    ("Radar (blog), n ≥ 200", |benchmark, series| peers::radar(benchmark, series, 200.0)),
    ("Radar (blog), n ≥ 20", |benchmark, series| peers::radar(benchmark, series, 20.0)),
    ("IODA median, share × 3, 30 min, n ≥ 200", |benchmark, series| {
        peers::ioda(benchmark, series, 3.0, 2, 200.0)
    }),
    ("IODA median, share × 2, n ≥ 20", |benchmark, series| peers::ioda(benchmark, series, 2.0, 1, 20.0)),
    ("OONI CUSUM", |benchmark, series| peers::ooni(benchmark, series)),
    ("CenAlert z-score", |benchmark, series| peers::cenalert(benchmark, series)),
];

fn compare(seeds: &[u64]) {
    let mut scores: Vec<Score> = METHODS.iter().map(|_| Score::default()).collect();
    for &seed in seeds {
        let benchmark = Benchmark::standard(seed);
        let series = Series::new(&benchmark);
        let total = |place| series.sampled(place).iter().map(|&n| f64::from(n)).sum();
        let volumes: Vec<f64> = (0..series.places).map(total).collect();
        for ((name, method), score) in METHODS.iter().zip(&mut scores) {
            let begun = std::time::Instant::now();
            score.add(Score::new(&benchmark, &volumes, &method(&benchmark, &series)));
            eprintln!("seed {seed}: {name}: {:.1} s", begun.elapsed().as_secs_f64());
        }
    }
    let ours = scores[0].false_alarms().max(1e-9);
    println!(
        "| method | recall | precision | false alarms per 1,000 series-weeks | ratio | delay, median / 90 % | onset error, median / 90 % |"
    );
    println!("|---|---|---|---|---|---|---|");
    for ((name, _), score) in METHODS.iter().zip(&scores) {
        let minutes = |windows: &[i64]| {
            format!("{:.0} / {:.0} min", Score::minutes(windows, 0.5), Score::minutes(windows, 0.9))
        };
        println!(
            "| {name} | {}/{} = {:.3} | {:.3} | {:.2} | {:.1} | {} | {} |",
            score.found,
            score.labels,
            score.recall(),
            score.precision(),
            score.false_alarms(),
            score.false_alarms() / ours,
            minutes(&score.delay),
            minutes(&score.onset_error),
        );
    }
}
