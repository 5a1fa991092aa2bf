//! A world in time: how busy which network is when, and the way to its packets.
use crate::incident::{Incident, IncidentKind};
use crate::profile::{Behaviour, Rhythm};
use crate::rng::{Rng, mix};
use crate::truth::Truth;
use crate::window::{Event, Events};
use crate::world::{Network, World};
use cutshort_packet::Packet;
use std::ops::Range;

/// Length of a window in nanoseconds: 15 minutes.
pub const WINDOW_NS: i64 = 900_000_000_000;

/// A world over a range of time. Cheap to share among threads: everything is read only.
#[derive(Clone, Debug)]
pub struct Simulation {
    world: World,
    windows: Range<i64>,
    incidents: Vec<Incident>,
    /// A country, by its index, whose clocks go back by an hour, and the first window after that.
    clocks_back: Option<(usize, i64)>,
    rate: f64,
    seed: u64,
    sample_rate: u32,
    whole: bool,
}

/// Where clocks go back, and how many days before the end of the range. Nobody should take it for an incident.
const CLOCKS_BACK: ([u8; 2], i64) = (*b"PL", 11);

impl Simulation {
    /// Packets of `world` between two times, widened to whole windows. `rate` is the average number
    /// of new connections a second while nothing happens. Incidents are placed from the end of the
    /// range; all else depends on the seed, the rate and the time alone, so that simulations of
    /// overlapping ranges with the same end agree.
    #[must_use]
    pub fn new(world: World, from_ns: i64, to_ns: i64, rate: f64, seed: u64) -> Self {
        let first = from_ns.div_euclid(WINDOW_NS);
        let last = to_ns.div_euclid(WINDOW_NS) + i64::from(to_ns.rem_euclid(WINDOW_NS) > 0);
        let windows = first..last.max(first);
        let (start, end) = (windows.start * WINDOW_NS, windows.end * WINDOW_NS);
        let mut incidents: Vec<_> =
            world.plans().iter().flat_map(|plan| plan.occurrences(start, end)).collect();
        incidents.sort_by_key(|incident| incident.from_ns);
        let clocks_back = clocks_back(&world, &windows);
        Self { world, windows, incidents, clocks_back, rate, seed, sample_rate: 1, whole: false }
    }

    /// As [`new`](Self::new), with about `total` connections in all.
    #[must_use]
    pub fn with_total(world: World, from_ns: i64, to_ns: i64, total: u64, seed: u64) -> Self {
        let mut simulation = Self::new(world, from_ns, to_ns, 1.0, seed);
        let expected: f64 = simulation.windows().map(|window| simulation.expected(window)).sum();
        simulation.rate = if expected > 0.0 { total as f64 / expected } else { 0.0 };
        simulation
    }

    /// Sets the `sample_rate` of all packets: the rate is that of the connections that are left.
    #[must_use]
    pub fn sample_rate(mut self, n: u32) -> Self {
        self.sample_rate = n;
        self
    }

    /// All packets of a connection, as a capture file has them, and not only the first ten, as
    /// capturing takes them. The truth is the same.
    #[must_use]
    pub fn whole_connections(mut self) -> Self {
        self.whole = true;
        self
    }

    /// The windows of the range: number `k` begins at `k` times [`WINDOW_NS`].
    #[must_use]
    pub fn windows(&self) -> Range<i64> {
        self.windows.clone()
    }

    /// The networks and countries of the clients.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// What happens within the range, in order.
    #[must_use]
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// Connections and packets of one window, in order of time. Any window can be asked for, also in
    /// parallel.
    #[must_use]
    pub fn window(&self, window: i64) -> Events<'_> {
        Events::new(self, window)
    }

    /// Connections and packets of the whole range, in order of time.
    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        self.windows().flat_map(|window| self.window(window))
    }

    /// Packets of the whole range, in order of time.
    pub fn packets(&self) -> impl Iterator<Item = Packet> + '_ {
        self.events().filter_map(|event| if let Event::Packet(packet) = event { Some(packet) } else { None })
    }

    /// The truth about all connections, in order of their beginnings.
    pub fn truths(&self) -> impl Iterator<Item = Truth> + '_ {
        self.events()
            .filter_map(|event| if let Event::Connection(truth) = event { Some(truth) } else { None })
    }

    /// Calls `visit` with each connection and packet of the whole range, in order of time.
    pub fn for_each(&self, visit: impl FnMut(Event)) {
        self.events().for_each(visit);
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    pub(crate) fn packets_stand_for(&self) -> u32 {
        self.sample_rate
    }

    pub(crate) fn rng(&self, window: i64) -> Rng {
        Rng::new(self.seed, window as u64)
    }

    /// Expected number of connections in a window.
    fn expected(&self, window: i64) -> f64 {
        self.expected_of(&self.sources(window))
    }

    pub(crate) fn expected_of(&self, sources: &[ClientSource]) -> f64 {
        let busy = sources.last().map_or(0, |source| source.up_to);
        let seconds = WINDOW_NS as f64 / 1e9;
        self.rate * seconds * busy as f64 / (self.world.weight() * UNIT) as f64
    }

    /// Who is how busy in a window.
    pub(crate) fn sources(&self, window: i64) -> Vec<ClientSource> {
        let ts = window * WINDOW_NS;
        let now: Vec<_> = self.incidents.iter().filter(|incident| incident.covers(ts)).collect();
        let mut sources = Vec::with_capacity(self.world.networks().len() + 1);
        let mut up_to = 0;
        for (index, network) in self.world.networks().iter().enumerate() {
            let incident =
                now.iter().find(|incident| incident.concerns(network)).map(|incident| incident.kind);
            up_to += self.busy(network, incident, window);
            sources.push(ClientSource { up_to, network: Some(index as u32), incident });
        }
        for incident in now.iter().filter(|incident| incident.kind == IncidentKind::Flood) {
            up_to += self.world.weight() * UNIT / 1000 * incident.kind.effect().0;
            sources.push(ClientSource { up_to, network: None, incident: Some(incident.kind) });
        }
        sources
    }

    /// A network's weight in a window, in [`UNIT`]s.
    fn busy(&self, network: &Network, incident: Option<IncidentKind>, window: i64) -> u64 {
        let usual = match network.behaviour.rhythm() {
            Rhythm::Machines => UNIT,
            Rhythm::People => {
                let country = &self.world.countries()[network.country_index];
                let is_back = self
                    .clocks_back
                    .is_some_and(|(index, first)| index == network.country_index && window >= first);
                people(window + country.quarters_ahead - if is_back { 4 } else { 0 })
            }
        };
        let noise = mix(self.seed ^ mix(u64::from(network.asn) << 32 ^ window as u64)) % 101 + 950;
        let factor = incident.map_or(1000, |incident| incident.effect().0);
        u64::from(network.weight) * (usual * noise / 1000 * factor / 1000)
    }
}

/// The country whose clocks go back within the windows, at 01:00 UTC, and when; none in worlds where nothing happens.
fn clocks_back(world: &World, windows: &Range<i64>) -> Option<(usize, i64)> {
    let (code, days) = CLOCKS_BACK;
    let index = world.countries().iter().position(|country| country.code == code)?;
    let first = (windows.end.div_euclid(96) - days) * 96 + 4;
    (!world.plans().is_empty() && windows.contains(&first)).then_some((index, first))
}

/// One of the places that connections come from in a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientSource {
    /// Sum of the weights up to and including this one's.
    pub(crate) up_to: u64,
    /// The index of the network; none where sources are forged.
    pub(crate) network: Option<u32>,
    incident: Option<IncidentKind>,
}

impl ClientSource {
    /// What a connection from here is like.
    pub(crate) fn behaviour(&self, usual: Behaviour, rng: &mut Rng) -> Behaviour {
        match self.incident.map(IncidentKind::effect) {
            Some((_, share, behaviour)) if rng.permille(share) => behaviour,
            _ => usual,
        }
    }
}

/// What the factor 1 of traffic is written as.
const UNIT: u64 = 100_000;

/// Traffic of people by the hour of the day, average 100.
const HOURS: [u64; 24] = [
    55, 40, 30, 26, 27, 34, 50, 75, 98, 112, 120, 124, 128, 126, 122, 122, 125, 132, 142, 155, 165, 162, 138,
    92,
];

/// How busy people are in a quarter-hour since the epoch, by their own clock.
fn people(quarter: i64) -> u64 {
    let (hour, part) = (quarter.div_euclid(4).rem_euclid(24) as usize, quarter.rem_euclid(4) as u64);
    let usual = (HOURS[hour] * (4 - part) + HOURS[(hour + 1) % 24] * part) * UNIT / 400;
    // The epoch was a Thursday.
    let weekend = matches!(quarter.div_euclid(96).rem_euclid(7), 2 | 3);
    if weekend { usual * 110 / 100 } else { usual * 96 / 100 }
}
