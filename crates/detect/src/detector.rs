use std::collections::BTreeMap;
use std::fmt;

use crate::common::{self, Rise};
use crate::config::{DAY, EPISODE, HOUR, WEEK, threshold};
use crate::event::{Change, Event, EventId, EventState, What};
use crate::grouping::OpenEvent;
use crate::math::exp;
use crate::observer::Observer;
use crate::place::CHANNELS;
use crate::series::{Episode, TurningPoint};
use crate::watched::{Now, WatchedSeries};
use crate::{Channel, Config, SeriesPlace, Window};

/// Days without a connection after which a place is forgotten.
const FORGET: i64 = 28 * DAY;

/// A node that has been seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeenNode {
    pub(crate) name: String,
    pub(crate) observer: Observer,
    /// The part of the current window that it covered.
    pub(crate) covered: f64,
}

/// Why a window cannot be added.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WindowError {
    /// It is not later than the last one: restore an earlier state instead.
    Past {
        /// The number of the window.
        number: i64,
        /// The first window that can be added.
        next: i64,
    },
    /// Counts are of a node that is not in the list, or there are more than 65,535 nodes.
    Node(usize),
    /// A number is negative, infinite or not a number.
    Number(SeriesPlace),
}

impl fmt::Display for WindowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Past { number, next } => {
                write!(f, "window {number} comes after later ones: the next one is {next}")
            }
            Self::Node(node) => write!(f, "no node has number {node}"),
            Self::Number(place) => write!(f, "the counts of {place} are negative or not finite"),
        }
    }
}

impl std::error::Error for WindowError {}

/// Finds events in counts: a fold over windows in the order of time.
///
/// Memory is about 9 kB per place.
#[derive(Clone, Debug)]
pub struct Detector {
    pub(crate) config: Config,
    /// The window that comes next; `None` before the first one.
    pub(crate) next: Option<i64>,
    pub(crate) nodes: Vec<SeenNode>,
    /// The drop that all places have in common.
    pub(crate) everywhere: Observer,
    pub(crate) places: Vec<WatchedSeries>,
    /// Positions in `places`.
    pub(crate) index: BTreeMap<SeriesPlace, usize>,
    /// Events that are open, or ended so recently that others may be grouped with them.
    pub(crate) live: BTreeMap<EventId, OpenEvent>,
    pub(crate) ignored: usize,
}

impl Detector {
    /// A detector that has seen nothing.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            next: None,
            nodes: Vec::new(),
            everywhere: Observer::default(),
            places: Vec::new(),
            index: BTreeMap::new(),
            live: BTreeMap::new(),
            ignored: 0,
        }
    }

    /// The window that comes next; `None` before the first one.
    #[must_use]
    pub const fn next(&self) -> Option<i64> {
        self.next
    }

    /// The number of places that are watched.
    #[must_use]
    pub fn places(&self) -> usize {
        self.places.len()
    }

    /// Counts of the last window that were left out, because [`Config::max_places`] others are watched.
    #[must_use]
    pub const fn ignored(&self) -> usize {
        self.ignored
    }

    /// The evidence at which an event opens.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        threshold(self.places.len(), self.config.alpha)
    }

    /// Events that are open, also those of our own: places in the order of ids, then nodes.
    pub fn open(&self) -> impl Iterator<Item = Event> {
        let places = self.live.values().map(|live| &live.event);
        let places = places.filter(|event| event.state == EventState::Open).cloned();
        let nodes =
            self.nodes.iter().filter_map(|node| node.observer.event(SeriesPlace::Node(node.name.clone())));
        places.chain(nodes).chain(self.everywhere.event(SeriesPlace::World))
    }

    /// Whether a place is watched.
    #[must_use]
    pub fn watches(&self, place: &SeriesPlace) -> bool {
        self.index.contains_key(place)
    }

    /// The places that are watched, in their order.
    pub fn watched(&self) -> impl Iterator<Item = &SeriesPlace> {
        self.index.keys()
    }

    /// Stops watching places, and drops what is known of their events.
    pub fn forget(&mut self, is_gone: impl Fn(&SeriesPlace) -> bool) {
        self.live.retain(|_, live| !is_gone(&live.event.place));
        self.retain(|watched| !is_gone(&watched.place));
    }

    /// Keeps watching only some of the places.
    fn retain(&mut self, is_kept: impl Fn(&WatchedSeries) -> bool) {
        if self.places.iter().all(&is_kept) {
            return;
        }
        self.places.retain(is_kept);
        self.index =
            self.places.iter().enumerate().map(|(at, watched)| (watched.place.clone(), at)).collect();
    }

    /// Adds a window. Windows since the last one that are missing count as not observed; after more than five weeks without
    /// any, the detector begins anew, because nothing is left that it could compare with.
    ///
    /// Returns what changed, in the order in which it was decided.
    ///
    /// # Errors
    /// If the window is not later than the last one, or names unknown nodes or impossible numbers. The detector is unchanged
    /// then.
    pub fn add(&mut self, window: &Window<'_>) -> Result<Vec<Change>, WindowError> {
        self.check(window)?;
        let mut changes = Vec::new();
        if let Some(next) = self.next {
            if window.number - next > 5 * WEEK {
                *self = Self::new(self.config);
            } else {
                for number in next..window.number {
                    self.advance(&Window { number, nodes: &[], counts: &[] }, &mut changes);
                }
            }
        }
        self.advance(window, &mut changes);
        Ok(changes)
    }

    fn check(&self, window: &Window<'_>) -> Result<(), WindowError> {
        if let Some(next) = self.next.filter(|&next| window.number < next) {
            return Err(WindowError::Past { number: window.number, next });
        }
        if self.nodes.len() + window.nodes.len() > usize::from(u16::MAX) {
            return Err(WindowError::Node(window.nodes.len()));
        }
        for counts in window.counts {
            if counts.node >= window.nodes.len() {
                return Err(WindowError::Node(counts.node));
            }
            let numbers = counts.stages.iter().chain([&counts.all, &counts.squares]);
            if !numbers.into_iter().all(|number| number.is_finite() && *number >= 0.0) {
                return Err(WindowError::Number(counts.place.clone()));
            }
        }
        Ok(())
    }

    fn advance(&mut self, window: &Window<'_>, changes: &mut Vec<Change>) {
        let t = window.number;
        let first_of_hour = t.rem_euclid(HOUR) == 0 || self.next.is_none();
        if first_of_hour {
            for watched in &mut self.places {
                watched.begin_hour(t.div_euclid(HOUR));
            }
        }
        let mut now = self.take(window);
        if self.nodes.iter().any(|node| node.covered > 0.0) {
            self.judge(&mut now, t, changes);
        } else {
            for position in 0..self.places.len() {
                for channel in 0..CHANNELS {
                    self.skip(position, channel);
                }
            }
        }
        if t.rem_euclid(HOUR) == HOUR - 1 {
            for watched in &mut self.places {
                watched.end_hour(t.div_euclid(HOUR));
            }
        }
        if t.rem_euclid(DAY) == DAY - 1 {
            self.end_day(t);
        }
        self.next = Some(t + 1);
        self.group(t, changes);
    }

    /// Takes in the counts: new nodes and places first, in the order of places.
    fn take(&mut self, window: &Window<'_>) -> Vec<Now> {
        for node in &mut self.nodes {
            node.covered = 0.0;
        }
        let positions: Vec<u16> =
            window.nodes.iter().map(|node| self.node(node.name, node.coverage)).collect();
        let mut counts: Vec<_> = window.counts.iter().collect();
        counts.sort_by(|one, other| (&one.place, one.node).cmp(&(&other.place, other.node)));
        for watched in &mut self.places {
            for carried in &mut watched.nodes {
                carried.now = 0.0;
            }
        }
        self.ignored = 0;
        let mut now = vec![Now::default(); self.places.len()];
        for counts in counts {
            let Some(position) = self.position(&counts.place, window.number) else {
                self.ignored += 1;
                continue;
            };
            now.resize(self.places.len(), Now::default());
            let watched = &mut self.places[position];
            watched.country = counts.country.or(watched.country);
            watched.network = counts.network.or(watched.network);
            watched.carry(positions[counts.node], counts.completed());
            now[position].take(counts);
        }
        if !window.counts.iter().any(|counts| matches!(counts.place, SeriesPlace::Server(_))) {
            for (watched, now) in self.places.iter().zip(&mut now) {
                now.is_unknown = matches!(watched.place, SeriesPlace::Server(_));
            }
        }
        now
    }

    /// The number of a node, which is new if its name is.
    fn node(&mut self, name: &str, coverage: f64) -> u16 {
        let position = self.nodes.iter().position(|node| node.name == name).unwrap_or_else(|| {
            self.nodes.push(SeenNode { name: name.to_owned(), observer: Observer::default(), covered: 0.0 });
            self.nodes.len() - 1
        });
        // NaN is no coverage.
        self.nodes[position].covered = if coverage > 0.0 { coverage.min(1.0) } else { 0.0 };
        u16::try_from(position).unwrap_or(u16::MAX)
    }

    /// The position of a place, which is new if there is room for it.
    fn position(&mut self, place: &SeriesPlace, window: i64) -> Option<usize> {
        if let Some(&position) = self.index.get(place) {
            return Some(position);
        }
        if self.places.len() >= self.config.max_places {
            return None;
        }
        self.index.insert(place.clone(), self.places.len());
        self.places.push(WatchedSeries::new(place.clone(), window));
        Some(self.places.len() - 1)
    }

    fn judge(&mut self, now: &mut [Now], t: i64, changes: &mut Vec<Change>) {
        for (watched, now) in self.places.iter_mut().zip(&mut *now) {
            watched.compare(now, t);
        }
        let everywhere = self.leave_out_ours(now, t, changes);
        let rises = self.leave_out_common_rises(now);
        let threshold = self.threshold();
        for (position, now) in now.iter().enumerate() {
            for (channel, &rose) in rises.iter().enumerate() {
                let watched = &mut self.places[position];
                // During a flood with forged sources, nobody's share of single SYNs says anything.
                let flooded =
                    rose && channel == Channel::PostSyn as usize && watched.place != SeriesPlace::World;
                watched.series[channel].masked |= flooded;
                let observed = t - watched.since >= WEEK && watched.is_observed(now, channel) && !flooded;
                let Some(reading) = now.readings[channel].filter(|_| observed) else {
                    self.skip(position, channel);
                    continue;
                };
                let turn = watched.series[channel].add(reading, now.unit, threshold, t, !rose);
                if turn == Some(TurningPoint::Opened) {
                    let name = match Channel::WATCHED[channel] {
                        Channel::PostSyn => now.kind_of_rise(&watched.place, rose),
                        name => name,
                    };
                    self.open_event(position, channel, name, t, changes);
                } else {
                    self.turn(position, channel, turn, t, changes);
                }
            }
            self.places[position].sum_up(now, now.kept * exp(everywhere));
        }
    }

    /// Lowers what is expected by what we did not see. Returns the logarithm of what is left everywhere.
    fn leave_out_ours(&mut self, now: &mut [Now], t: i64, changes: &mut Vec<Change>) -> f64 {
        let coverage: Vec<f64> = self.nodes.iter().map(|node| node.covered).collect();
        let lost = common::lost_by_node(&self.places, now, &coverage);
        common::keep(&self.places, now, &lost);
        let everywhere = common::drop_everywhere(&self.places, now);
        if everywhere < 0.0 {
            for now in now {
                common::lower(now, exp(everywhere));
            }
        }
        for (node, lost) in self.nodes.iter_mut().zip(lost) {
            let unknown = if node.covered > 0.0 { 1.0 - (1.0 - lost) / node.covered } else { 0.0 };
            let place = || SeriesPlace::Node(node.name.clone());
            node.observer.add(place, (unknown > 1e-9).then_some(unknown), t, changes);
        }
        let loss = (everywhere < 0.0).then(|| 1.0 - exp(everywhere));
        self.everywhere.add(|| SeriesPlace::World, loss, t, changes);
        everywhere
    }

    /// Raises what is expected of all places but the world, where a share rose in most networks. Says for which channels.
    fn leave_out_common_rises(&self, now: &mut [Now]) -> [bool; CHANNELS] {
        let mut rises = [false; CHANNELS];
        for (channel, found) in rises.iter_mut().enumerate().skip(1) {
            let Some(rise) = Rise::find(&self.places, now, channel) else { continue };
            *found = true;
            for (watched, now) in self.places.iter().zip(&mut *now) {
                if watched.place != SeriesPlace::World {
                    rise.raise(now, channel);
                }
            }
        }
        rises
    }

    /// Passes over a window in which a series was not observed.
    fn skip(&mut self, position: usize, channel: usize) {
        let series = &mut self.places[position].series[channel];
        series.skip();
        if let Some(live) = series.open.and_then(|id| self.live.get_mut(&id)) {
            live.trail.append(&mut series.trail);
        }
    }

    /// Follows or closes the event of a series.
    fn turn(
        &mut self,
        position: usize,
        channel: usize,
        turn: Option<TurningPoint>,
        t: i64,
        changes: &mut Vec<Change>,
    ) {
        let series = &mut self.places[position].series[channel];
        let Some(id) = series.open else { return };
        let Some(live) = self.live.get_mut(&id) else { return };
        live.trail.append(&mut series.trail);
        live.event.evidence = series.peak;
        if turn == Some(TurningPoint::Closed) {
            live.close(series.recovered, t);
            if let Some(episode) = &mut series.episode {
                episode.until = live.event.end.unwrap_or(t + 1);
            }
            series.rest(t + 1);
            changes.push(live.change(What::Closed));
        } else if live.grow() {
            changes.push(live.change(What::Worse));
        }
    }

    fn open_event(
        &mut self,
        position: usize,
        channel: usize,
        name: Channel,
        t: i64,
        changes: &mut Vec<Change>,
    ) {
        let watched = &mut self.places[position];
        let series = &mut watched.series[channel];
        series.hold = if matches!(name, Channel::Scan | Channel::Reflection) { EPISODE } else { 0 };
        let id = EventId::new(&watched.place, name, series.onset);
        let episode = match series.episode {
            Some(episode) if episode.goes_on(series.onset) => episode,
            _ => Episode { first: id, began: series.onset, until: t + 1, alarmed: false },
        };
        series.episode = Some(episode);
        series.open = Some(id);
        let event = Event {
            opened: t,
            evidence: series.peak,
            episode: episode.first,
            ..Event::new(watched.place.clone(), name, series.onset)
        };
        let mut live = OpenEvent { event, trail: std::mem::take(&mut series.trail) };
        live.grow();
        live.event.revision = 0;
        changes.push(Change { what: What::Opened, event: live.event.clone() });
        self.live.insert(id, live);
    }

    /// Events that have lasted for a week become usual; places without connections for four weeks are forgotten.
    fn end_day(&mut self, t: i64) {
        for watched in &mut self.places {
            watched.end_day();
        }
        let forgotten = |watched: &WatchedSeries| {
            t - watched.seen >= FORGET && watched.series.iter().all(|series| series.open.is_none())
        };
        self.retain(|watched| !forgotten(watched));
    }

    /// Makes events usual that have lasted for seven days, and with a scan what it explains: that pauses when it does, and never lasts
    /// as long. Returns whether there were any.
    pub(crate) fn make_usual(&mut self, t: i64, changes: &mut Vec<Change>) -> bool {
        let is_lasting = |event: &Event| event.state == EventState::Open && t - event.onset >= WEEK;
        let lasting: Vec<(EventId, i64)> = self
            .live
            .values()
            .filter(|live| is_lasting(&live.event))
            .flat_map(|live| {
                let Event { id, onset, channel, .. } = live.event;
                let is_explained =
                    move |one: &&OpenEvent| channel.is_of_syns() && one.event.part_of == Some(id);
                let explained = self.live.values().filter(is_explained).map(|one| one.event.id);
                std::iter::once(id).chain(explained).map(move |id| (id, onset))
            })
            .collect();
        for &(id, onset) in &lasting {
            let Some(live) = self.live.get_mut(&id) else { continue };
            if live.event.state == EventState::Open {
                live.event.state = EventState::Usual;
                live.event.closed = Some(t);
                changes.push(live.change(What::Usual));
            }
            let event = &live.event;
            let Some(&position) = self.index.get(&event.place) else { continue };
            let Some(channel) = event.channel.position() else { continue };
            let watched = &mut self.places[position];
            watched.adopt(channel, onset.min(event.onset), t);
            if let Some(episode) = &mut watched.series[channel].episode {
                episode.until = t + 1;
            }
        }
        !lasting.is_empty()
    }
}
