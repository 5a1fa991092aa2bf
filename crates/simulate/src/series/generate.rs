//! Counts from a plan, window by window.

use std::f64::consts::TAU;

use super::causes::{Cause, Effect, Map, Plan, is_weekend, plan};
use super::random::{Random, Slow};
use super::{DAY, Label, NODES, SimulatedPlace, WEEK, WINDOWS};

/// The window and the local hour at which clocks change.
const CLOCKS_CHANGE: i64 = 5 * WEEK + 6 * DAY + 8;
/// The usual sampling rate: one in 20.
const RATE: f64 = 20.0;
const MEAN_SHARES: [f64; 4] = [0.07, 0.025, 0.03, 0.02];

/// A made-up internet with what happens in it. Deterministic in its seed, on every platform.
#[derive(Clone, Debug)]
pub struct Benchmark {
    seed: u64,
    networks: Vec<SimulatedNetwork>,
    countries: Vec<Country>,
    plan: Plan,
}

#[derive(Clone, Debug)]
struct Country {
    /// Hours east of UTC.
    zone: i64,
    friday: bool,
    daylight_saving: bool,
}

#[derive(Clone, Debug)]
struct SimulatedNetwork {
    country: usize,
    /// Sampled connections per window.
    size: f64,
    offices: bool,
    weekend: f64,
    /// On the logarithmic scale, per four weeks.
    growth: f64,
    /// Deviations of noise that lasts three hours and a day.
    noise: [f64; 2],
    /// Logits of the shares, their daily swing, its hour, and the deviation of their noise.
    shares: [f64; 4],
    swing: [f64; 4],
    peak: [f64; 4],
    share_noise: [f64; 4],
    /// Logits by which shares grow in four weeks.
    drift: f64,
    /// The precision of shares within a window.
    precision: f64,
    /// What each node sees of it.
    nodes: [f64; NODES],
}

/// Connections that were counted, not weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageCounts {
    /// Connections by stage: Post-SYN, Post-ACK, Post-PSH, Later, none.
    pub stages: [f64; 5],
}

impl StageCounts {
    /// Adds up all connections.
    #[must_use]
    pub fn all(&self) -> f64 {
        self.stages.iter().sum()
    }

    fn add(&mut self, other: &Self) {
        for (sum, stage) in self.stages.iter_mut().zip(other.stages) {
            *sum += stage;
        }
    }
}

/// The counts of one window.
#[derive(Clone, Debug, Default)]
pub struct WindowCounts {
    /// Its number from the beginning on.
    pub number: i64,
    /// One in so many connections was sampled: the weight of each.
    pub rate: f64,
    /// Which nodes say that they observed it.
    pub observed: [bool; NODES],
    /// What each node saw, of each place, in the order of [`Benchmark::places`].
    pub counts: Vec<[StageCounts; NODES]>,
}

impl Benchmark {
    /// Plans a benchmark of networks in countries (at most 300 and 40 make sense), with causes.
    #[must_use]
    pub fn new(seed: u64, networks: usize, countries: usize, causes: &[Cause]) -> Self {
        let mut random = Random::new(seed, 0);
        let mut countries: Vec<Country> = (0..countries)
            .map(|_| Country {
                zone: random.integer(-8, 10),
                friday: random.chance(0.5),
                daylight_saving: false,
            })
            .collect();
        let n = countries.len();
        let preferences: Vec<[f64; NODES]> =
            countries.iter().map(|_| nodes(&mut random, &[0.7; NODES])).collect();
        let mut networks: Vec<SimulatedNetwork> = (0..networks)
            .map(|i| {
                // Every country has a network.
                let country = if i < n { i } else { random.pick(n) };
                SimulatedNetwork::new(&mut random, country, &preferences[country])
            })
            .collect();
        let map = Map {
            seed,
            sizes: &networks.iter().map(|network| network.size).collect::<Vec<_>>(),
            country: &networks.iter().map(|network| network.country).collect::<Vec<_>>(),
            zones: &countries.iter().map(|country| country.zone).collect::<Vec<_>>(),
            friday: &countries.iter().map(|country| country.friday).collect::<Vec<_>>(),
        };
        let plan = plan(map, causes);
        for &country in &plan.daylight_saving {
            countries[country].daylight_saving = true;
        }
        if !plan.drift {
            for network in &mut networks {
                (network.growth, network.drift) = (0.0, 0.0);
            }
        }
        Self { seed, networks, countries, plan }
    }

    /// The benchmark that the documentation speaks of: 300 networks in 40 countries, with all causes.
    #[must_use]
    pub fn standard(seed: u64) -> Self {
        Self::new(seed, 300, 40, &Cause::ALL)
    }

    /// Lists what happens, with its time.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.plan.labels
    }

    /// All places: networks, countries, the world.
    pub fn places(&self) -> impl Iterator<Item = SimulatedPlace> {
        let networks = (0..self.networks.len()).map(SimulatedPlace::Network);
        networks.chain((0..self.countries.len()).map(SimulatedPlace::Country)).chain([SimulatedPlace::World])
    }

    /// The country of a network.
    #[must_use]
    pub fn country(&self, network: usize) -> usize {
        self.networks[network].country
    }

    /// The position of a place in [`places`](Self::places).
    #[must_use]
    pub fn position(&self, place: SimulatedPlace) -> usize {
        match place {
            SimulatedPlace::Network(network) => network,
            SimulatedPlace::Country(country) => self.networks.len() + country,
            SimulatedPlace::World => self.networks.len() + self.countries.len(),
        }
    }

    /// Makes the counts of all windows, one after the other.
    pub fn run(&self, mut window: impl FnMut(&WindowCounts)) {
        let mut random = Random::new(self.seed, 3);
        let mut slow: Vec<[Slow; 6]> = self
            .networks
            .iter()
            .map(|_| std::array::from_fn(|i| Slow::new(&mut random, if i == 1 { DAY as f64 } else { 12.0 })))
            .collect();
        let mut now = WindowCounts::default();
        for number in 0..WINDOWS {
            self.window(number, &mut slow, &mut now);
            window(&now);
        }
    }

    fn window(&self, t: i64, slow: &mut [[Slow; 6]], now: &mut WindowCounts) {
        now.number = t;
        now.rate = RATE;
        for &(from, to, rate) in &self.plan.rates {
            if (from..to).contains(&t) {
                now.rate = rate;
            }
        }
        let mut seen = [1.0; NODES];
        now.observed = [true; NODES];
        for loss in self.plan.losses.iter().filter(|loss| (loss.from..loss.to).contains(&t)) {
            seen[loss.node] = loss.left;
            now.observed[loss.node] = !loss.known;
        }
        let active: Vec<&Effect> =
            self.plan.effects.iter().filter(|effect| (effect.from..effect.to).contains(&t)).collect();
        let mut states = vec![NoiseState::default(); self.networks.len()];
        for effect in active {
            for &network in &effect.networks {
                states[network].add(effect, t);
            }
        }
        now.counts.clear();
        now.counts.resize(self.networks.len() + self.countries.len() + 1, Default::default());
        let world = now.counts.len() - 1;
        for (i, (network, slow)) in self.networks.iter().zip(slow).enumerate() {
            // Of its own, so that what happens in a window or a network changes nothing elsewhere.
            let mut random = Random::new(self.seed, 1000 + t as u64 * self.networks.len() as u64 + i as u64);
            let counts = self.counts(network, &states[i], t, &mut random, slow, now.rate, &seen);
            for (node, counts) in counts.iter().enumerate() {
                now.counts[self.networks.len() + network.country][node].add(counts);
                now.counts[world][node].add(counts);
            }
            now.counts[i] = counts;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all of them differ from window to window")]
    fn counts(
        &self,
        network: &SimulatedNetwork,
        state: &NoiseState,
        t: i64,
        random: &mut Random,
        slow: &mut [Slow; 6],
        rate: f64,
        seen: &[f64; NODES],
    ) -> [StageCounts; NODES] {
        let hours = self.local_hours(network.country, t);
        let noise: [f64; 6] = std::array::from_fn(|i| slow[i].next(random));
        // What all connections of a window have in common.
        let common = random.gamma(625.0) / 625.0;
        let log = network.growth * t as f64 / (4 * WEEK) as f64
            + network.noise[0] * noise[0]
            + network.noise[1] * noise[1];
        let level =
            network.size * self.usual(network, hours) * libm::exp(log) * state.left * common * RATE / rate;
        let shares = network.shares(hours, t, &noise, &state.added, random);
        let syns = state.syns * RATE / rate;
        std::array::from_fn(|node| {
            let part = network.nodes[node] * seen[node];
            let mut stages: [f64; 5] =
                std::array::from_fn(|stage| random.poisson(level * part * shares[stage]));
            stages[0] += random.poisson(syns * part);
            StageCounts { stages }
        })
    }

    /// Hours since the beginning, by the clocks of a country.
    fn local_hours(&self, country: usize, t: i64) -> f64 {
        let country = &self.countries[country];
        let summer = country.daylight_saving && t >= CLOCKS_CHANGE;
        t as f64 / 4.0 + (country.zone + i64::from(summer)) as f64
    }

    /// The usual level at this hour, day and holiday.
    fn usual(&self, network: &SimulatedNetwork, hours: f64) -> f64 {
        let day = (hours / 24.0).floor() as i64;
        let country = &self.countries[network.country];
        let of_day = if is_weekend(day, country.friday) {
            network.weekend
        } else if self.plan.holidays.contains(&(network.country, day)) {
            if network.offices { 0.45 } else { 0.74 }
        } else {
            1.0
        };
        let hour = hours.rem_euclid(24.0);
        let of_hour = if network.offices {
            let x = (hour - 13.0) / 3.6;
            0.15 + 1.6 * libm::exp(-x * x)
        } else {
            let x = TAU * (hour - 20.5) / 24.0;
            1.0 + 0.62 * libm::cos(x) + 0.18 * libm::cos(2.0 * x)
        };
        of_hour.max(0.12) * of_day
    }
}

/// What happens in a network in a window.
#[derive(Clone, Debug)]
struct NoiseState {
    left: f64,
    added: [f64; 4],
    syns: f64,
}

impl Default for NoiseState {
    fn default() -> Self {
        Self { left: 1.0, added: [0.0; 4], syns: 0.0 }
    }
}

impl NoiseState {
    fn add(&mut self, effect: &Effect, t: i64) {
        let grown =
            if effect.grows == 0 { 1.0 } else { ((t - effect.from) as f64 / effect.grows as f64).min(1.0) };
        self.left *= effect.left;
        self.syns += effect.syns;
        for (sum, added) in self.added.iter_mut().zip(effect.added) {
            *sum += grown * added;
        }
    }
}

impl SimulatedNetwork {
    fn new(random: &mut Random, country: usize, preferences: &[f64; NODES]) -> Self {
        let offices = random.chance(0.25);
        let often_cut = random.chance(0.08);
        let drifts = random.chance(0.1);
        let grows = random.chance(0.08);
        let logit = |p: f64| libm::log(p / (1.0 - p));
        Self {
            country,
            size: libm::exp(4.0 + 1.7 * random.normal()).clamp(1.5, 6000.0),
            offices,
            weekend: if offices { random.uniform(0.3, 0.5) } else { random.uniform(0.85, 1.12) },
            growth: 0.1 * random.normal() + if grows { 0.5 } else { 0.0 },
            noise: [random.uniform(0.04, 0.12), random.uniform(0.02, 0.06)],
            shares: std::array::from_fn(|stage| {
                let share = if often_cut && stage == 2 {
                    random.uniform(0.1, 0.3)
                } else {
                    MEAN_SHARES[stage] * libm::exp(0.5 * random.normal())
                };
                logit(share.clamp(0.003, 0.35))
            }),
            swing: std::array::from_fn(|_| random.uniform(0.0, 0.25)),
            peak: std::array::from_fn(|_| random.uniform(0.0, 24.0)),
            share_noise: std::array::from_fn(|_| random.uniform(0.05, 0.18)),
            drift: if drifts { 0.7 } else { 0.0 },
            precision: random.uniform(150.0, 800.0),
            nodes: nodes(random, &preferences.map(|part| 30.0 * part + 0.05)),
        }
    }

    /// The shares of the stages and of none in a window (a Dirichlet distribution around what is usual).
    fn shares(
        &self,
        hours: f64,
        t: i64,
        noise: &[f64; 6],
        added: &[f64; 4],
        random: &mut Random,
    ) -> [f64; 5] {
        let drift = self.drift * t as f64 / (4 * WEEK) as f64;
        let mut shares: [f64; 4] = std::array::from_fn(|stage| {
            let daily = self.swing[stage] * libm::cos(TAU * (hours - self.peak[stage]) / 24.0);
            let logit = self.shares[stage] + daily + drift + self.share_noise[stage] * noise[2 + stage];
            (1.0 / (1.0 + libm::exp(-logit)) + added[stage]).min(0.9)
        });
        let sum: f64 = shares.iter().sum();
        shares = shares.map(|share| share / (sum / 0.97).max(1.0));
        let none = 1.0 - shares.iter().sum::<f64>();
        let drawn: [f64; 5] = std::array::from_fn(|stage| {
            let share = if stage < 4 { shares[stage] } else { none };
            random.gamma((share * self.precision).max(1e-3))
        });
        let sum: f64 = drawn.iter().sum();
        drawn.map(|share| share / sum)
    }
}

/// What each node sees of a place (a Dirichlet distribution).
fn nodes(random: &mut Random, shapes: &[f64; NODES]) -> [f64; NODES] {
    let parts = shapes.map(|shape| random.gamma(shape));
    let sum: f64 = parts.iter().sum();
    parts.map(|part| part / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_counts() {
        let total = |seed| {
            let mut total = Vec::new();
            Benchmark::new(seed, 20, 5, &[]).run(|window| {
                if window.number < 50 {
                    total.push(window.counts[25][0].all());
                }
            });
            total
        };
        assert_eq!(total(1), total(1));
        assert_ne!(total(1), total(2));
    }

    #[test]
    fn an_outage_empties_its_network() {
        let benchmark = Benchmark::new(3, 60, 12, &[Cause::Outages]);
        let label = benchmark.labels()[0].clone();
        let (mut inside, mut before) = (0.0, 0.0);
        let length = label.to - label.from;
        benchmark.run(|window| {
            let all: f64 = window.counts[benchmark.position(label.place)].iter().map(StageCounts::all).sum();
            if (label.from..label.to).contains(&window.number) {
                inside += all;
            } else if (label.from - WEEK..label.from - WEEK + length).contains(&window.number) {
                before += all;
            }
        });
        assert!(inside < 0.15 * before, "{inside} of {before}");
    }

    #[test]
    fn holidays_are_on_working_days() {
        for seed in 0..20 {
            let benchmark = Benchmark::new(seed, 40, 10, &[Cause::Holidays]);
            for &(country, day) in &benchmark.plan.holidays {
                assert!(!is_weekend(day, benchmark.countries[country].friday));
            }
        }
    }
}
