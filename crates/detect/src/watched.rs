//! A place that is watched: its series, its hours, and the nodes that see it.

use crate::SeriesPlace;
use crate::history::{Hours, WEEK};
use crate::input::{SeriesCounts, SingleSyns};
use crate::math::{ln, logit};
use crate::place::CHANNELS;
use crate::series::{Measured, Series, connections, share};

/// Effective connections of a window below which there is no traffic that could be missing. An hour without any counts as an eighth of one
/// per window, so that of a network that only scans would be missing forever.
const LEAST_TRAFFIC: f64 = 0.2;
/// Effective connections of a window below which a share says nothing.
const LEAST_FOR_SHARE: f64 = 1.0;
/// Effective connections of an hour below which its share is missing.
const LEAST_FOR_HOUR: f64 = 4.0;
/// The part of a place that must be observed: below, its traffic is not.
const LEAST_OBSERVED: f64 = 0.3;
/// The part of a place that must be observed to compare its shares: what is left of its networks and servers is another mix.
const LEAST_FOR_MIX: f64 = 0.6;
/// Days over which a node's part of a place is taken.
const NODE_DAYS: f64 = 14.0;
/// What is left of a window in the average weight of a connection, one window later.
const WEIGHT_MEMORY: f64 = 11.0 / 12.0;

/// What a node sees of a place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Carried {
    pub(crate) node: u16,
    /// Completed connections of the last days, weighted, older days less.
    pub(crate) past: f64,
    /// Those of this day.
    pub(crate) today: f64,
    /// Those of this window.
    pub(crate) now: f64,
}

/// Sums of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct HourSums {
    /// Weight of completed connections, divided by what was observed of the place.
    pub(crate) traffic: f64,
    /// Windows in it.
    pub(crate) windows: f64,
    /// Effective connections by stage.
    pub(crate) stages: [f64; 4],
    /// All effective connections, and those completed.
    pub(crate) all: f64,
    pub(crate) completed: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WatchedSeries {
    pub(crate) place: SeriesPlace,
    pub(crate) country: Option<[u8; 2]>,
    pub(crate) network: Option<u32>,
    /// The window in which it was first seen, and the last one in which anything came.
    pub(crate) since: i64,
    pub(crate) seen: i64,
    pub(crate) nodes: Vec<Carried>,
    /// Sums of weights and of their squares over the last three hours or so.
    pub(crate) weight: f64,
    pub(crate) squares: f64,
    pub(crate) hours: Hours,
    /// What traffic was usual at each hour of the week, when that hour last came.
    pub(crate) quiet: Vec<f32>,
    pub(crate) sums: HourSums,
    pub(crate) series: [Series; CHANNELS],
}

/// A place in the window that is being added. Counts are effective connections: weights divided by `unit`.
#[derive(Clone, Debug)]
pub(crate) struct Now {
    all: f64,
    squares: f64,
    stages: [f64; 4],
    pub(crate) single: Option<SingleSyns>,
    /// Whether it is not known what came.
    pub(crate) is_unknown: bool,
    /// The weight of an effective connection.
    pub(crate) unit: f64,
    /// The part that was observed.
    pub(crate) kept: f64,
    pub(crate) readings: [Option<Measured>; CHANNELS],
}

impl Default for Now {
    fn default() -> Self {
        Self {
            all: 0.0,
            squares: 0.0,
            stages: [0.0; 4],
            single: None,
            is_unknown: false,
            unit: 1.0,
            kept: 1.0,
            readings: [None; CHANNELS],
        }
    }
}

impl Now {
    pub(crate) fn take(&mut self, counts: &SeriesCounts) {
        self.all += counts.all;
        self.squares += counts.squares;
        for (sum, stage) in self.stages.iter_mut().zip(counts.stages) {
            *sum += stage;
        }
        if let Some(more) = counts.single {
            let single = self.single.get_or_insert_default();
            single.reset += more.reset;
            single.scanner += more.scanner;
            single.port += more.port;
        }
    }

    pub(crate) const fn all(&self) -> f64 {
        self.all
    }

    /// The weight of connections of Post-SYN.
    pub(crate) const fn syns(&self) -> f64 {
        self.stages[0]
    }

    pub(crate) fn completed(&self) -> f64 {
        (self.all - self.stages[0]).max(0.0)
    }
}

impl WatchedSeries {
    pub(crate) fn new(place: SeriesPlace, now: i64) -> Self {
        Self {
            place,
            country: None,
            network: None,
            since: now,
            seen: now,
            nodes: Vec::new(),
            weight: 0.0,
            squares: 0.0,
            hours: Hours::new(),
            quiet: vec![f32::NAN; WEEK as usize],
            sums: HourSums::default(),
            series: std::array::from_fn(|channel| Series::new(channel, now)),
        }
    }

    /// Adds what a node saw of it.
    pub(crate) fn carry(&mut self, node: u16, completed: f64) {
        let position = self.nodes.iter().position(|carried| carried.node == node).unwrap_or_else(|| {
            self.nodes.push(Carried { node, past: 0.0, today: 0.0, now: 0.0 });
            self.nodes.len() - 1
        });
        let carried = &mut self.nodes[position];
        carried.now += completed;
        carried.today += completed;
    }

    /// The part of the place that each of its nodes sees: of the last days, at first of this one. A node that never saw
    /// anything of it has no part.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&Carried, f64)> {
        let past: f64 = self.nodes.iter().map(|carried| carried.past).sum();
        let today: f64 = self.nodes.iter().map(|carried| carried.today).sum();
        self.nodes.iter().map(move |carried| {
            let part = if past > 0.0 {
                carried.past / past
            } else if today > 0.0 {
                carried.today / today
            } else {
                0.0
            };
            (carried, part)
        })
    }

    /// Sets what a channel's baselines are in an hour, from the hours before it.
    pub(crate) fn begin_hour(&mut self, hour: i64) {
        for (channel, series) in self.series.iter_mut().enumerate() {
            let usual = |hour| self.hours.usual(channel, hour).map_or(f32::NAN, |value| value as f32);
            let [_, one, two, three] = series.usual;
            series.usual = if three.is_nan() {
                [usual(hour - 2), usual(hour - 1), usual(hour), usual(hour + 1)]
            } else {
                [one, two, three, usual(hour + 1)]
            };
            series.next = self.hours.same_hour(channel, hour + 1).map_or(f32::NAN, |value| value as f32);
            series.masked = false;
        }
        let quiet = |days: i64| self.quiet[(hour - 24 * days).rem_euclid(WEEK) as usize];
        self.series[0].quietest = (1..=6).map(quiet).fold(f32::NAN, f32::min);
        self.quiet[hour.rem_euclid(WEEK) as usize] = self.series[0].usual[2];
        self.sums = HourSums::default();
    }

    /// Determines the weight of an effective connection, and what is usual for each channel.
    ///
    /// The weight is Σw²/Σw of this window or of the last three hours, whichever is greater: a greater sampling rate counts
    /// at once, and a smaller one gradually, so that what is known is never taken for more than it is.
    pub(crate) fn compare(&mut self, now: &mut Now, window: i64) {
        if now.is_unknown {
            return;
        }
        self.weight = self.weight * WEIGHT_MEMORY + now.all;
        self.squares = self.squares * WEIGHT_MEMORY + now.squares;
        let ratio = |squares: f64, weights: f64| if weights > 0.0 { squares / weights } else { 0.0 };
        let unit = ratio(now.squares, now.all).max(ratio(self.squares, self.weight));
        now.unit = if unit > 0.0 { unit } else { 1.0 };
        if now.all > 0.0 {
            self.seen = window;
        }
        let completed = now.completed() / now.unit;
        for (channel, series) in self.series.iter().enumerate() {
            now.readings[channel] = series.expected(channel, window).map(|(usual, extreme)| match channel {
                0 => Measured::Traffic {
                    seen: completed,
                    usual: connections(usual, now.unit),
                    least: connections(extreme, now.unit),
                },
                _ => Measured::Share {
                    seen: now.stages[channel - 1] / now.unit,
                    of: if channel == 1 { now.all / now.unit } else { completed },
                    usual: share(usual),
                    most: share(extreme),
                },
            });
        }
    }

    /// Whether a channel can be judged in this window.
    pub(crate) fn is_observed(&self, now: &Now, channel: usize) -> bool {
        match now.readings[channel] {
            Some(Measured::Traffic { usual, .. }) => now.kept > LEAST_OBSERVED && usual >= LEAST_TRAFFIC,
            Some(Measured::Share { of, .. }) => of >= LEAST_FOR_SHARE && now.kept > LEAST_FOR_MIX,
            None => false,
        }
    }

    /// Adds a window to the hour's sums. `kept` is what was observed of its traffic, all losses taken together.
    pub(crate) fn sum_up(&mut self, now: &Now, kept: f64) {
        let sums = &mut self.sums;
        if kept > LEAST_OBSERVED {
            sums.traffic += now.completed() / kept;
            sums.windows += 1.0;
        }
        for (sum, stage) in sums.stages.iter_mut().zip(now.stages) {
            *sum += stage / now.unit;
        }
        sums.all += now.all / now.unit;
        sums.completed += now.completed() / now.unit;
    }

    /// Keeps what the hour was like.
    pub(crate) fn end_hour(&mut self, hour: i64) {
        let sums = self.sums;
        let unit = if self.weight > 0.0 { self.squares / self.weight } else { 1.0 };
        let traffic = (sums.windows > 0.0).then(|| ln(sums.traffic / sums.windows + unit / 8.0));
        self.hours.set(0, hour, traffic, self.series[0].masked);
        for channel in 1..CHANNELS {
            let of = if channel == 1 { sums.all } else { sums.completed };
            let share = (sums.stages[channel - 1] + 0.25) / (of + 0.5);
            let value = (of >= LEAST_FOR_HOUR && share < 1.0).then(|| logit(share));
            self.hours.set(channel, hour, value, self.series[channel].masked);
        }
    }

    /// Ages what its nodes saw by a day.
    pub(crate) fn end_day(&mut self) {
        for carried in &mut self.nodes {
            carried.past = carried.past * (1.0 - 1.0 / NODE_DAYS) + carried.today;
            carried.today = 0.0;
        }
        self.nodes.retain(|carried| carried.past > 1e-6);
    }

    /// Takes what came since `onset` (a window) as usual in a channel.
    pub(crate) fn adopt(&mut self, channel: usize, onset: i64, window: i64) {
        self.hours.adopt(channel, onset.div_euclid(4), window.div_euclid(4));
        let series = &mut self.series[channel];
        series.rest(window + 1);
        series.level = 0.0;
        // Computed anew at the beginning of the next hour.
        series.usual = [f32::NAN; 4];
        if channel == 0 {
            self.quiet.fill(f32::NAN);
        }
    }
}
