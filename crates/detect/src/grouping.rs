//! Which events are told: those of a network, its country and the world explain each other, a large drop of traffic explains
//! what the shares of the rest do, and one of an episode raises an alarm.

use std::collections::BTreeMap;

use crate::config::{EPISODE, HOUR};
use crate::detector::Detector;
use crate::event::{Change, Event, EventId, EventState, Severity, What};
use crate::series::{Advance, end, total};
use crate::{Channel, SeriesPlace};

/// Windows by which two events may miss each other and still overlap.
const SLACK: i64 = 4;
/// The part of the larger place's excess that an event must have to explain it.
const MOST: f64 = 0.7;
/// By how much its part of the excess must exceed its part of the connections.
const LIFT: f64 = 1.25;

/// The part of a place's traffic that must be missing for that to explain the shares of what is left.
const GONE: f64 = 0.5;
/// Of the connections that are missing, so many must not end early instead: then the shares tell what happened.
const INSTEAD: f64 = 0.5;
/// How well it explains them: less than the same event of a larger place does, if there is one.
const BY_DROP: f64 = f64::MAX;

/// An event with what happened in each of its windows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OpenEvent {
    pub(crate) event: Event,
    /// One step for each window since the onset; nothing in those that were not observed.
    pub(crate) trail: Vec<Advance>,
}

impl OpenEvent {
    /// Recomputes size and excess. Returns whether the severity grew.
    pub(crate) fn grow(&mut self) -> bool {
        let (excess, volume) = total(&self.trail);
        let event = &mut self.event;
        event.excess = excess;
        event.size = if volume > 0.0 { (excess / volume).clamp(0.0, 1.0) } else { 0.0 };
        let severity = Severity::of(event.channel, event.size);
        let worse = severity > event.severity;
        event.severity = event.severity.max(severity);
        worse
    }

    /// Ends the event. It has been over in the window `recovered` at the latest, apart from some noise.
    pub(crate) fn close(&mut self, recovered: i64, t: i64) {
        let recovered = usize::try_from(recovered - self.event.onset).unwrap_or(0);
        self.trail.truncate(end(&self.trail, recovered));
        self.grow();
        self.event.end = Some(self.event.onset + self.trail.len() as i64);
        self.event.closed = Some(t);
        self.event.state = EventState::Closed;
    }

    /// Counts a change.
    pub(crate) fn change(&mut self, what: What) -> Change {
        self.event.revision += 1;
        Change { what, event: self.event.clone() }
    }

    /// The first window after it. An open event may have been over for hours: it would end with its last excess so far.
    fn end(&self) -> i64 {
        let so_far = || self.event.onset + end(&self.trail, self.trail.len()) as i64;
        self.event.end.or(self.event.closed).unwrap_or_else(so_far)
    }

    /// Excess and volume of a part of it.
    fn within(&self, from: i64, to: i64) -> (f64, f64) {
        let at = |window: i64| usize::try_from(window - self.event.onset).unwrap_or(0).min(self.trail.len());
        total(&self.trail[at(from)..at(to).max(at(from))])
    }
}

/// Who explains whom.
enum Explained {
    Child,
    Parent,
}

/// Compares an event of a place with one of the country or world around it.
fn explained(child: &OpenEvent, parent: &OpenEvent) -> Option<Explained> {
    let from = child.event.onset.max(parent.event.onset);
    let to = child.end().min(parent.end());
    if from - SLACK >= to + SLACK {
        return None;
    }
    let common = (to - from) as f64;
    let length = |live: &OpenEvent| (live.end() - live.event.onset) as f64;
    // A scan lasts on through pauses, in which what it explains has ended.
    let least =
        if child.event.channel.is_of_syns() { length(child).min(length(parent)) } else { length(child) };
    if common < 0.5 * least {
        return None;
    }
    let (excess, volume) = child.within(from, to.max(from + 1));
    let (of_excess, of_volume) = parent.within(from, to.max(from + 1));
    // Those of a scan or flood are most of the connections. A server may be the only one of its network, and says more.
    let is_lifted = child.event.channel.is_of_syns()
        || matches!(child.event.place, SeriesPlace::Server(_))
        || excess * of_volume >= LIFT * volume * of_excess;
    let is_most = excess >= MOST * of_excess && is_lifted;
    Some(if is_most && common >= 0.5 * length(parent) { Explained::Parent } else { Explained::Child })
}

/// Whether a drop of a place's traffic explains an event of one of its shares, which begins during it: of the few connections
/// that are left, other shares end early. It does not if those that are missing end early instead, as of a server that no longer
/// answers. An event that lasts is told once the drop is forgotten.
fn is_of_drop(child: &OpenEvent, drop: &OpenEvent) -> bool {
    let is_during = (drop.event.onset - SLACK..drop.end()).contains(&child.event.onset);
    if child.event.channel.watched() == Some(Channel::Traffic) || drop.event.size < GONE || !is_during {
        return false;
    }
    let from = child.event.onset.max(drop.event.onset);
    let to = child.end().min(drop.end()).max(from + 1);
    let ((early, _), (missing, _)) = (child.within(from, to), drop.within(from, to));
    early < INSTEAD * missing
}

impl Detector {
    /// Groups events, and raises alarms for those that are told.
    pub(crate) fn group(&mut self, t: i64, changes: &mut Vec<Change>) {
        let last_of_hour = t.rem_euclid(HOUR) == HOUR - 1;
        let usual = last_of_hour && self.make_usual(t, changes);
        self.live.retain(|_, live| live.event.closed.is_none_or(|closed| t - closed <= EPISODE));
        if self.live.is_empty() {
            return;
        }
        if usual || last_of_hour || !changes.is_empty() {
            for (id, part_of) in self.explanations() {
                self.regroup(id, part_of, changes);
            }
        }
        self.alarm(t, changes);
    }

    /// For each live event, the one that explains it.
    fn explanations(&self) -> Vec<(EventId, Option<EventId>)> {
        // A flood or scan is in the same series as what it explains.
        let mut by_place: BTreeMap<(&SeriesPlace, Option<Channel>), Vec<&OpenEvent>> = BTreeMap::new();
        for live in self.live.values() {
            by_place.entry((&live.event.place, live.event.channel.watched())).or_default().push(live);
        }
        // What explains it, and how well: a parent first, then the child with the largest excess.
        let mut found: BTreeMap<EventId, (f64, EventId)> = BTreeMap::new();
        let mut keep = |id: EventId, weight: f64, by: EventId| {
            let best = found.entry(id).or_insert((weight, by));
            if weight > best.0 {
                *best = (weight, by);
            }
        };
        for child in self.live.values() {
            let drops = by_place.get(&(&child.event.place, Some(Channel::Traffic)));
            for drop in drops.into_iter().flatten().filter(|drop| is_of_drop(child, drop)) {
                keep(child.event.id, BY_DROP, drop.event.id);
            }
            for around in self.around(&child.event.place) {
                let parents = by_place.get(&(&around, child.event.channel.watched()));
                for parent in parents.into_iter().flatten() {
                    match explained(child, parent) {
                        Some(Explained::Child) => {
                            let weight = if around == SeriesPlace::World { 1e300 } else { f64::INFINITY };
                            keep(child.event.id, weight, parent.event.id);
                        }
                        Some(Explained::Parent) => keep(parent.event.id, child.event.excess, child.event.id),
                        None => {}
                    }
                }
            }
        }
        self.live.keys().map(|id| (*id, found.get(id).map(|&(_, by)| by))).collect()
    }

    /// The places around a place, the smallest first: its network, its country, and the world.
    fn around(&self, place: &SeriesPlace) -> Vec<SeriesPlace> {
        match place {
            SeriesPlace::World | SeriesPlace::Node(_) => Vec::new(),
            SeriesPlace::Country(_) => vec![SeriesPlace::World],
            SeriesPlace::Network(_) | SeriesPlace::Server(_) => {
                let watched = self.index.get(place).map(|&position| &self.places[position]);
                let network = watched.and_then(|watched| watched.network).map(SeriesPlace::Network);
                let country = watched.and_then(|watched| watched.country).map(SeriesPlace::Country);
                network.into_iter().chain(country).chain([SeriesPlace::World]).collect()
            }
        }
    }

    fn regroup(&mut self, id: EventId, part_of: Option<EventId>, changes: &mut Vec<Change>) {
        let Some(live) = self.live.get_mut(&id) else { return };
        // What ended long ago and is forgotten still explains what it explained.
        if live.event.part_of == part_of || (part_of.is_none() && live.event.state != EventState::Open) {
            return;
        }
        live.event.part_of = part_of;
        match changes.iter_mut().find(|change| change.event.id == id && change.what == What::Opened) {
            Some(opened) => opened.event.part_of = part_of,
            None => changes.push(live.change(What::Regrouped)),
        }
    }

    /// Raises an alarm for each open event that nothing explains, once per episode.
    fn alarm(&mut self, t: i64, changes: &mut Vec<Change>) {
        for live in self.live.values_mut() {
            let event = &live.event;
            if event.state != EventState::Open || event.part_of.is_some() || event.alarm.is_some() {
                continue;
            }
            let at = self.index.get(&event.place).copied().zip(event.channel.position());
            let Some((position, channel)) = at else { continue };
            let Some(episode) = &mut self.places[position].series[channel].episode else { continue };
            if episode.alarmed {
                continue;
            }
            episode.alarmed = true;
            live.event.alarm = Some(t);
            let id = live.event.id;
            match changes.iter_mut().find(|change| change.event.id == id && change.what == What::Opened) {
                Some(opened) => opened.event.alarm = Some(t),
                None => changes.push(live.change(What::Alarmed)),
            }
        }
    }
}
