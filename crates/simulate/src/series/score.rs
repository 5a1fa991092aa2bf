//! How well events that were found match what happened.

use std::collections::BTreeMap;

use super::{Benchmark, CHANNELS, JUDGED, SimulatedPlace, WINDOWS};

/// Windows by which an event may miss a label.
const SLACK: i64 = 4;
/// Windows between the events of a place and channel within which they are one alarm: 26 hours.
const EPISODE: i64 = 104;

/// An event that a method found. Times are numbers of windows from the beginning of the benchmark.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Where it was found.
    pub place: SimulatedPlace,
    /// The position in [`CHANNELS`](super::CHANNELS).
    pub channel: usize,
    /// The first window.
    pub onset: i64,
    /// The first window after it.
    pub end: i64,
    /// The window with which it was decided.
    pub decided: i64,
    /// Whether it was told: an event that another one explains is not.
    pub told: bool,
}

/// How well events match labels.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// Labels that count, and those that were found before they were over (and an hour).
    pub labels: usize,
    /// How many of the labels were found.
    pub found: usize,
    /// Alarms that concern a label.
    pub right: usize,
    /// Alarms in another channel, or in a place around or within that of a label, at its time.
    pub neutral: usize,
    /// Alarms that match no label.
    pub wrong: Vec<Found>,
    /// Series times weeks that were judged.
    pub series_weeks: usize,
    /// Of labels that were found: windows from the beginning to the decision.
    pub delay: Vec<i64>,
    /// Of labels that were found: windows by which the onset is wrong.
    pub onset_error: Vec<i64>,
    /// Of labels that were found: windows by which the end is wrong.
    pub end_error: Vec<i64>,
    /// By kind: found, and all.
    pub kinds: BTreeMap<&'static str, (usize, usize)>,
}

impl Score {
    /// Scores events. `volumes` are all connections of each place.
    #[must_use]
    pub fn new(benchmark: &Benchmark, volumes: &[f64], events: &[Found]) -> Self {
        let places = benchmark.places().count();
        let mut score = Self { series_weeks: places * CHANNELS.len() * 4, ..Self::default() };
        score.alarms(benchmark, volumes, events);
        score.labels(benchmark, events);
        score
    }

    fn alarms(&mut self, benchmark: &Benchmark, volumes: &[f64], events: &[Found]) {
        // Nearly all connections of the larger place come from the smaller one.
        let same = |one: SimulatedPlace, other: SimulatedPlace| {
            let (inner, outer) = (one.max(other), one.min(other));
            one == other
                || (is_within(benchmark, inner, outer)
                    && volumes[benchmark.position(inner)] >= 0.7 * volumes[benchmark.position(outer)])
        };
        let related = |one: SimulatedPlace, other: SimulatedPlace| {
            one == other || is_within(benchmark, one, other) || is_within(benchmark, other, one)
        };
        for alarm in
            episodes(events).into_iter().filter(|alarm| alarm.decided >= JUDGED && alarm.end > JUDGED)
        {
            let labels = benchmark.labels();
            let right = labels.iter().any(|label| {
                label.counts
                    && label.channel == alarm.channel
                    && same(label.place, alarm.place)
                    && near(&alarm, label.from, label.to, SLACK)
            });
            let neutral = labels.iter().any(|label| {
                related(label.place, alarm.place) && alarm.onset < label.to + 24 && alarm.end > label.from - 8
            });
            match (right, neutral) {
                (true, _) => self.right += 1,
                (_, true) => self.neutral += 1,
                _ => self.wrong.push(alarm),
            }
        }
    }

    fn labels(&mut self, benchmark: &Benchmark, events: &[Found]) {
        for label in benchmark.labels().iter().filter(|label| label.counts) {
            let hits: Vec<&Found> = events
                .iter()
                .filter(|event| event.place == label.place && event.channel == label.channel)
                .filter(|event| near(event, label.from, label.to, SLACK))
                .collect();
            let delay = hits
                .iter()
                .filter(|event| event.decided <= label.to + 4)
                .map(|event| (event.decided + 1 - label.from).max(0))
                .min();
            let kind = self.kinds.entry(label.kind).or_default();
            kind.1 += 1;
            self.labels += 1;
            if let Some(delay) = delay {
                kind.0 += 1;
                self.found += 1;
                self.delay.push(delay);
                self.onset_error.extend(hits.iter().map(|event| (event.onset - label.from).abs()).min());
                self.end_error.extend(hits.iter().map(|event| (event.end - label.to).abs()).min());
            }
        }
    }

    /// Adds the score of another benchmark.
    pub fn add(&mut self, other: Self) {
        self.labels += other.labels;
        self.found += other.found;
        self.right += other.right;
        self.neutral += other.neutral;
        self.wrong.extend(other.wrong);
        self.series_weeks += other.series_weeks;
        self.delay.extend(other.delay);
        self.onset_error.extend(other.onset_error);
        self.end_error.extend(other.end_error);
        for (kind, (found, all)) in other.kinds {
            let sum = self.kinds.entry(kind).or_default();
            sum.0 += found;
            sum.1 += all;
        }
    }

    /// The part of labels that were found.
    #[must_use]
    pub fn recall(&self) -> f64 {
        self.found as f64 / self.labels.max(1) as f64
    }

    /// The part of alarms that are right, of those that are right or wrong.
    #[must_use]
    pub fn precision(&self) -> f64 {
        self.right as f64 / (self.right + self.wrong.len()).max(1) as f64
    }

    /// Wrong alarms in 1,000 weeks of a series.
    #[must_use]
    pub fn false_alarms(&self) -> f64 {
        1000.0 * self.wrong.len() as f64 / self.series_weeks.max(1) as f64
    }

    /// The `q`-quantile of windows, in minutes.
    #[must_use]
    pub fn minutes(windows: &[i64], q: f64) -> f64 {
        let mut sorted = windows.to_vec();
        sorted.sort_unstable();
        let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
        let at = q * last as f64;
        let (below, part) = (at as usize, at - at.floor());
        let above = (below + 1).min(last);
        15.0 * (sorted[below] as f64 + part * (sorted[above] - sorted[below]) as f64)
    }
}

/// Whether a place is part of another one.
fn is_within(benchmark: &Benchmark, inner: SimulatedPlace, outer: SimulatedPlace) -> bool {
    match (inner, outer) {
        (SimulatedPlace::Network(network), SimulatedPlace::Country(country)) => {
            benchmark.country(network) == country
        }
        (SimulatedPlace::Network(_) | SimulatedPlace::Country(_), SimulatedPlace::World) => true,
        _ => false,
    }
}

fn near(event: &Found, from: i64, to: i64, slack: i64) -> bool {
    event.onset < to + slack && event.end > from - slack
}

/// Alarms: the events that were told, those of a place and channel less than 26 hours apart as one.
fn episodes(events: &[Found]) -> Vec<Found> {
    let mut told: Vec<&Found> = events.iter().filter(|event| event.told).collect();
    told.sort_by_key(|event| (event.place, event.channel, event.onset));
    let mut alarms: Vec<Found> = Vec::new();
    for event in told {
        match alarms.last_mut() {
            Some(last)
                if (last.place, last.channel) == (event.place, event.channel)
                    && event.onset - last.end <= EPISODE =>
            {
                last.end = last.end.max(event.end).min(WINDOWS);
            }
            _ => alarms.push(event.clone()),
        }
    }
    alarms
}
