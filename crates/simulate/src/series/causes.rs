//! What happens: events that a detector should tell, and causes of changes that are none.

use super::random::Random;
use super::{DAY, JUDGED, Label, NODES, SimulatedPlace, WEEK, WINDOWS};

/// Something that changes counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Cause {
    /// Two countries are off during exams, nine mornings from 04:00 to 08:30, with more Post-ACK and Post-SYN in what is left.
    ExamShutdowns,
    /// In two countries, Post-ACK rises twice a day in exam hours, on five days; traffic does not change.
    ExamResets,
    /// Two countries begin to block for one to three days; every seventh network does not follow.
    CountryBlocking,
    /// Eight networks begin to block for 12 to 72 hours, and four small ones for one to three days.
    Blocking,
    /// Three networks begin to block for good.
    LevelShifts,
    /// In three networks blocking grows over 12 hours.
    Ramps,
    /// In six networks, resets for 45 minutes.
    Spikes,
    /// Six networks are off for 2 to 12 hours.
    Outages,
    /// Three networks of 4 to 12 connections per window are off for 8 to 18 hours.
    SmallOutages,
    /// 35 to 55 % of five networks are left, for 3 to 12 hours.
    PartialOutages,
    /// Two SYN floods with forged sources from everywhere, four times the traffic of the world.
    Floods,
    /// Four networks have a second cause while they block: two are off in between, two scan.
    Overlaps,
    /// Growth (by two thirds in 8 % of networks), and shares that double in four weeks (10 %).
    Drift,
    /// One in 20 connections is sampled, then one in 70 for six days, and one in 8 for two.
    SamplingRates,
    /// Clocks change in six countries.
    DaylightSaving,
    /// A working day is a holiday in four countries.
    Holidays,
    /// Five networks scan 18 hours a day from the beginning.
    Scanners,
    /// Two networks begin to scan. May be told for three days.
    NewScanners,
    /// A node is away, and says so, twice.
    KnownLosses,
    /// A node loses all or most of what it should see, and does not say so, twice.
    UnknownLosses,
}

impl Cause {
    /// All causes, in order.
    pub const ALL: [Self; 20] = [
        Self::ExamShutdowns,
        Self::ExamResets,
        Self::CountryBlocking,
        Self::Blocking,
        Self::LevelShifts,
        Self::Ramps,
        Self::Spikes,
        Self::Outages,
        Self::SmallOutages,
        Self::PartialOutages,
        Self::Floods,
        Self::Overlaps,
        Self::Drift,
        Self::SamplingRates,
        Self::DaylightSaving,
        Self::Holidays,
        Self::Scanners,
        Self::NewScanners,
        Self::KnownLosses,
        Self::UnknownLosses,
    ];
}

/// What changes in some networks from a window on until another.
#[derive(Clone, Debug)]
pub(super) struct Effect {
    pub(super) networks: Vec<usize>,
    pub(super) from: i64,
    pub(super) to: i64,
    /// What is left of traffic.
    pub(super) left: f64,
    /// What is added to the shares of the four stages.
    pub(super) added: [f64; 4],
    /// Windows over which the addition grows; 0 for at once.
    pub(super) grows: i64,
    /// SYNs that nothing follows, per window at the usual sampling rate.
    pub(super) syns: f64,
}

/// A node that does not see everything.
#[derive(Clone, Debug)]
pub(super) struct Loss {
    pub(super) node: usize,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) left: f64,
    pub(super) known: bool,
}

/// What is planned for a benchmark.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) labels: Vec<Label>,
    pub(super) effects: Vec<Effect>,
    pub(super) losses: Vec<Loss>,
    /// Sampling rates (one in n) with the windows in which they hold.
    pub(super) rates: Vec<(i64, i64, f64)>,
    pub(super) daylight_saving: Vec<usize>,
    /// Countries and the day of their holiday.
    pub(super) holidays: Vec<(usize, i64)>,
    pub(super) drift: bool,
}

/// What a plan is made for.
pub(super) struct Map<'a> {
    pub(super) seed: u64,
    /// Sampled connections per window, the country, of each network.
    pub(super) sizes: &'a [f64],
    pub(super) country: &'a [usize],
    /// Hours east of UTC, and whether the weekend begins on Friday, of each country.
    pub(super) zones: &'a [i64],
    pub(super) friday: &'a [bool],
}

/// Makes a plan: hands out networks and countries.
struct Planner<'a> {
    map: Map<'a>,
    random: Random,
    plan: Plan,
    used: Vec<bool>,
    free: Vec<usize>,
}

/// Plans causes. Each has random numbers of its own.
pub(super) fn plan(map: Map<'_>, causes: &[Cause]) -> Plan {
    let mut random = Random::new(map.seed, 1);
    let mut free: Vec<usize> = (0..map.zones.len()).collect();
    for last in (1..free.len()).rev() {
        free.swap(last, random.pick(last + 1));
    }
    let used = vec![false; map.sizes.len()];
    let mut planner = Planner { map, random, plan: Plan::default(), used, free };
    for cause in Cause::ALL.into_iter().filter(|cause| causes.contains(cause)) {
        planner.random = Random::new(planner.map.seed, 100 + cause as u64);
        planner.cause(cause);
    }
    planner.plan
}

impl Planner<'_> {
    fn cause(&mut self, cause: Cause) {
        match cause {
            Cause::ExamShutdowns => (0..2).for_each(|_| self.exam_shutdowns()),
            Cause::ExamResets => (0..2).for_each(|_| self.exam_resets()),
            Cause::CountryBlocking => (0..2).for_each(|_| self.country_blocking()),
            Cause::Blocking => {
                (0..8).for_each(|_| self.blocking("blocking", 40.0, 1e9, (DAY / 2, 3 * DAY), (0.06, 0.25)));
                (0..4).for_each(|_| self.blocking("blocking, small", 6.0, 30.0, (DAY, 3 * DAY), (0.12, 0.3)));
            }
            Cause::LevelShifts => (0..3).for_each(|_| self.level_shift()),
            Cause::Ramps => (0..3).for_each(|_| self.ramp()),
            Cause::Spikes => {
                (0..6).for_each(|_| self.blocking("short spike", 80.0, 1e9, (3, 4), (0.15, 0.4)));
            }
            Cause::Outages => (0..6).for_each(|_| self.outage("outage", 15.0, 1e9, (8, 48), (0.0, 0.05))),
            Cause::SmallOutages => {
                (0..3).for_each(|_| self.outage("outage, small", 4.0, 12.0, (32, 72), (0.0, 0.0)));
            }
            Cause::PartialOutages => {
                (0..5).for_each(|_| self.outage("partial outage", 100.0, 1e9, (12, 48), (0.35, 0.55)));
            }
            Cause::Floods => (0..2).for_each(|_| self.flood()),
            Cause::Overlaps => (0..4).for_each(|i| self.overlap(i >= 2)),
            Cause::Drift => self.plan.drift = true,
            Cause::SamplingRates => self.rates(),
            Cause::DaylightSaving => self.plan.daylight_saving = self.countries(6),
            Cause::Holidays => self.holidays(),
            Cause::Scanners => (0..5).for_each(|i| self.scanner(0, i % 2 == 1)),
            Cause::NewScanners => (0..2).for_each(|i| {
                let first = JUDGED / DAY + self.random.integer(3, 14);
                self.scanner(first, i % 2 == 1);
            }),
            Cause::KnownLosses => (0..2).for_each(|node| self.loss(node, 0.0, true)),
            Cause::UnknownLosses => {
                [0.0, 0.3].into_iter().enumerate().for_each(|(i, left)| self.loss(2 + i, left, false));
            }
        }
    }

    /// A time in the judged weeks, with this many days after it.
    fn when(&mut self, days: i64) -> i64 {
        JUDGED + self.random.integer(DAY, (27 - days) * DAY)
    }

    /// A network of this size in which nothing happens yet.
    fn network(&mut self, least: f64, most: f64) -> usize {
        let candidates: Vec<usize> = (0..self.used.len())
            .filter(|&n| !self.used[n] && (least..most).contains(&self.map.sizes[n]))
            .collect();
        // With few networks, the largest that is left has to do.
        let network = match candidates.len() {
            0 => (0..self.used.len())
                .max_by(|&a, &b| self.map.sizes[a].total_cmp(&self.map.sizes[b]))
                .unwrap_or(0),
            n => candidates[self.random.pick(n)],
        };
        self.used[network] = true;
        network
    }

    /// A country with this many connections per window in which nothing happens yet; its networks are taken, too.
    fn country(&mut self, least: f64) -> (usize, Vec<usize>) {
        let total = |country: usize| -> f64 {
            self.map
                .country
                .iter()
                .zip(self.map.sizes)
                .filter(|(c, _)| **c == country)
                .map(|(_, size)| size)
                .sum()
        };
        let position = self.free.iter().position(|&country| total(country) >= least).unwrap_or(0);
        let country = self.free.remove(position);
        let networks: Vec<usize> = (0..self.used.len()).filter(|&n| self.map.country[n] == country).collect();
        for &network in &networks {
            self.used[network] = true;
        }
        (country, networks)
    }

    fn countries(&mut self, n: usize) -> Vec<usize> {
        self.free.drain(..n.min(self.free.len())).collect()
    }

    fn label(&mut self, place: SimulatedPlace, channel: usize, from: i64, to: i64, kind: &'static str) {
        self.plan.labels.push(Label { place, channel, from, to, kind, counts: true });
    }

    fn effect(&mut self, networks: &[usize], from: i64, to: i64) -> &mut Effect {
        let networks = networks.to_vec();
        self.plan.effects.push(Effect {
            networks,
            from,
            to,
            left: 1.0,
            added: [0.0; 4],
            grows: 0,
            syns: 0.0,
        });
        let last = self.plan.effects.len() - 1;
        &mut self.plan.effects[last]
    }

    fn exam_shutdowns(&mut self) {
        let (country, networks) = self.country(60.0);
        let first = JUDGED / DAY + self.random.integer(1, 14);
        for exam in 0..9 {
            // No exam on the sixth day.
            let day = first + exam + i64::from(exam >= 5);
            let from = day * DAY + (4 - self.map.zones[country]) * 4;
            let left = self.random.uniform(0.05, 0.15);
            let effect = self.effect(&networks, from, from + 18);
            effect.left = left;
            effect.added[1] = 0.06;
            self.effect(&networks, from - 1, from + 2).added[0] = 0.12;
            self.label(SimulatedPlace::Country(country), 0, from, from + 18, "exam shutdown");
        }
    }

    fn exam_resets(&mut self) {
        let (country, networks) = self.country(60.0);
        let first = JUDGED / DAY + self.random.integer(1, 16);
        for exam in 0..5 {
            let start = (first + exam) * DAY + (8 - self.map.zones[country]) * 4;
            for (from, to) in [(start, start + 12), (start + 24, start + 34)] {
                let added = self.random.uniform(0.06, 0.12);
                self.effect(&networks, from, to).added[1] = added;
                self.label(SimulatedPlace::Country(country), 2, from, to, "exam resets");
            }
        }
    }

    fn country_blocking(&mut self) {
        let (country, networks) = self.country(60.0);
        let from = self.when(3);
        let to = from + self.random.integer(DAY, 3 * DAY);
        let added = self.random.uniform(0.06, 0.2);
        let follow: Vec<usize> =
            networks.into_iter().enumerate().filter(|(i, _)| i % 7 != 6).map(|(_, n)| n).collect();
        self.effect(&follow, from, to).added[2] = added;
        self.label(SimulatedPlace::Country(country), 3, from, to, "country blocking");
    }

    fn blocking(&mut self, kind: &'static str, least: f64, most: f64, length: (i64, i64), added: (f64, f64)) {
        let network = self.network(least, most);
        let from = self.when(3);
        let to = from + self.random.integer(length.0, length.1);
        let added = self.random.uniform(added.0, added.1);
        self.effect(&[network], from, to).added[2] = added;
        self.label(SimulatedPlace::Network(network), 3, from, to, kind);
    }

    fn level_shift(&mut self) {
        let network = self.network(60.0, 1e9);
        let from = JUDGED + self.random.integer(3 * DAY, 20 * DAY);
        let added = self.random.uniform(0.08, 0.2);
        self.effect(&[network], from, WINDOWS).added[3] = added;
        self.label(SimulatedPlace::Network(network), 4, from, WINDOWS, "level shift");
    }

    fn ramp(&mut self) {
        let network = self.network(80.0, 1e9);
        let from = self.when(3);
        let added = self.random.uniform(0.12, 0.25);
        let effect = self.effect(&[network], from, from + 2 * DAY);
        effect.added[2] = added;
        effect.grows = 48;
        self.label(SimulatedPlace::Network(network), 3, from, from + 2 * DAY, "ramp");
    }

    fn outage(&mut self, kind: &'static str, least: f64, most: f64, length: (i64, i64), left: (f64, f64)) {
        let network = self.network(least, most);
        let from = self.when(1);
        let to = from + self.random.integer(length.0, length.1);
        let left = self.random.uniform(left.0, left.1);
        self.effect(&[network], from, to).left = left;
        self.label(SimulatedPlace::Network(network), 0, from, to, kind);
    }

    fn flood(&mut self) {
        let from = self.when(1);
        let to = from + self.random.integer(3, 9);
        let total: f64 = 4.0 * self.map.sizes.iter().sum::<f64>();
        let networks = self.map.sizes.len();
        let space: Vec<f64> = (0..networks).map(|_| libm::exp(1.2 * self.random.normal())).collect();
        let whole: f64 = space.iter().sum();
        for (network, part) in space.iter().enumerate() {
            self.effect(&[network], from, to).syns = total * part / whole;
        }
        self.label(SimulatedPlace::World, 1, from, to, "SYN flood");
    }

    /// A network that blocks, and is off or begins to scan in between.
    fn overlap(&mut self, scans: bool) {
        let network = self.network(60.0, 1e9);
        let from = self.when(4);
        let added = self.random.uniform(0.1, 0.25);
        self.effect(&[network], from, from + 2 * DAY).added[2] = added;
        self.label(SimulatedPlace::Network(network), 3, from, from + 2 * DAY, "blocking, overlapped");
        let other = from + self.random.integer(DAY / 2, DAY);
        let to = other + self.random.integer(12, 32);
        if scans {
            let syns = 5.0 * self.map.sizes[network];
            self.effect(&[network], other, to).syns = syns;
            self.label(SimulatedPlace::Network(network), 1, other, to, "scan, overlapped");
        } else {
            self.effect(&[network], other, to).left = 0.02;
            self.label(SimulatedPlace::Network(network), 0, other, to, "outage, overlapped");
        }
    }

    fn rates(&mut self) {
        let first = self.when(8);
        self.plan.rates.push((first, first + 6 * DAY, 70.0));
        let second = self.when(3);
        self.plan.rates.push((second, second + 2 * DAY, 8.0));
    }

    fn holidays(&mut self) {
        for country in self.countries(4) {
            let mut day = self.random.integer(29, 53);
            while is_weekend(day, self.map.friday[country]) {
                day += 1;
            }
            self.plan.holidays.push((country, day));
        }
    }

    /// 18 hours a day from about 03:00 on, from a day on; `rests` on Sundays.
    fn scanner(&mut self, first: i64, rests: bool) {
        let network = self.network(8.0, 200.0);
        let syns = self.random.uniform(3.0, 8.0) * self.map.sizes[network];
        for day in (first..WINDOWS / DAY).filter(|day| !(rests && day % 7 == 6)) {
            let from = day * DAY + 12 + self.random.integer(-2, 3);
            let syns = syns * self.random.uniform(0.9, 1.1);
            self.effect(&[network], from, from + 72).syns = syns;
        }
        if first > 0 {
            let (from, to) = (first * DAY, (first + 3) * DAY);
            self.label(SimulatedPlace::Network(network), 1, from, to, "new scanner");
            if let Some(label) = self.plan.labels.last_mut() {
                label.counts = false;
            }
        }
    }

    fn loss(&mut self, node: usize, left: f64, known: bool) {
        let from = self.when(1);
        let to = from + self.random.integer(6, 30);
        self.plan.losses.push(Loss { node: node % NODES, from, to, left, known });
    }
}

/// Whether a day (counted from the Monday of the first week) is on a weekend: Friday and Saturday, or Saturday and Sunday.
pub(super) fn is_weekend(day: i64, friday: bool) -> bool {
    let day = day.rem_euclid(WEEK / DAY);
    if friday { day == 4 || day == 5 } else { day == 5 || day == 6 }
}
