use std::collections::BTreeMap;

use crate::event::{Event, EventId, EventState};

/// Gives events that were found again, after counts were replaced, the ids under which they are known.
///
/// `published` are the events that others have seen, with the ids under which they did; `found` are those of the detector. Both
/// concern the same time, that since the state from which the windows were added again. Events of a series are matched by how
/// long they overlap: the longest overlap first, then the earliest onset. A matched event keeps its published id, and its
/// revision is one more if anything else changed. Published events without a match are [`EventState::Retracted`].
///
/// Returns all events with their published ids, in the order of `found`, and then those retracted, in the order of
/// `published`. `now` is the window up to which both were found.
#[must_use]
pub fn reconcile(published: &[Event], found: &[Event], now: i64) -> Vec<Event> {
    let matches = matches(published, found, now);
    let names: BTreeMap<EventId, EventId> = matches
        .iter()
        .map(|(&found_at, &published_at)| (found[found_at].id, published[published_at].id))
        .collect();
    let name = |id: EventId| names.get(&id).copied().unwrap_or(id);
    let mut events: Vec<Event> = found
        .iter()
        .enumerate()
        .map(|(at, event)| {
            let mut event = event.clone();
            event.id = name(event.id);
            event.episode = name(event.episode);
            event.part_of = event.part_of.map(name);
            if let Some(&old) = matches.get(&at) {
                let old = &published[old];
                event.alarm = old.alarm.or(event.alarm);
                event.revision = old.revision;
                if event != *old {
                    event.revision += 1;
                }
            }
            event
        })
        .collect();
    let kept: Vec<usize> = matches.values().copied().collect();
    let gone = published
        .iter()
        .enumerate()
        .filter(|(at, event)| !kept.contains(at) && event.state != EventState::Retracted);
    events.extend(gone.map(|(_, event)| Event {
        state: EventState::Retracted,
        revision: event.revision + 1,
        ..event.clone()
    }));
    events
}

/// For each found event, the published one that it is.
fn matches(published: &[Event], found: &[Event], now: i64) -> BTreeMap<usize, usize> {
    let end = |event: &Event| event.end.or(event.closed).unwrap_or(now + 1);
    let mut pairs = Vec::new();
    for (found_at, new) in found.iter().enumerate() {
        for (published_at, old) in published.iter().enumerate() {
            let overlap = end(new).min(end(old)) - new.onset.max(old.onset);
            if new.place == old.place && new.channel == old.channel && (overlap > 0 || new.id == old.id) {
                pairs.push((-overlap, new.onset, found_at, published_at));
            }
        }
    }
    pairs.sort_unstable();
    let mut matches = BTreeMap::new();
    let mut taken = Vec::new();
    for (_, _, found_at, published_at) in pairs {
        if !matches.contains_key(&found_at) && !taken.contains(&published_at) {
            matches.insert(found_at, published_at);
            taken.push(published_at);
        }
    }
    matches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Channel, SeriesPlace};

    fn event(onset: i64, end: i64) -> Event {
        let place = SeriesPlace::Network(64_500);
        Event {
            opened: onset + 1,
            end: Some(end),
            closed: Some(end + 1),
            state: EventState::Closed,
            alarm: Some(onset + 1),
            revision: 3,
            ..Event::new(place, Channel::Later, onset)
        }
    }

    #[test]
    fn an_event_that_moves_a_little_keeps_its_id() {
        let (old, new) = (event(100, 120), event(98, 121));
        let events = reconcile(std::slice::from_ref(&old), std::slice::from_ref(&new), 500);
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].id, events[0].episode, events[0].onset), (old.id, old.id, 98));
        assert_eq!((events[0].revision, events[0].alarm), (4, old.alarm), "no second alarm");
        assert_ne!(new.id, old.id);
    }

    #[test]
    fn nothing_changes_without_a_change() {
        let old = [event(100, 120), event(200, 220)];
        assert_eq!(reconcile(&old, &old, 500), old);
    }

    #[test]
    fn the_longest_overlap_is_matched_and_what_is_gone_is_retracted() {
        let old = [event(100, 120), event(200, 300)];
        let new = [event(110, 290)];
        let events = reconcile(&old, &new, 500);
        assert_eq!((events[0].id, events[0].onset), (old[1].id, 110));
        assert_eq!((events[1].id, events[1].state), (old[0].id, EventState::Retracted));
    }
}
