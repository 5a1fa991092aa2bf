//! The last state of each event.

use std::collections::BTreeMap;

use crate::{Change, Event, EventId};

/// Events as they were last reported, in the order in which they were first.
///
/// A [`Detector`](crate::Detector) reports an event each time it changes. Who does not follow each change keeps a journal.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// With each event its position in the order of first reports.
    events: BTreeMap<EventId, (usize, Event)>,
}

impl Journal {
    /// Replaces the events that changed, and adds those that are new.
    pub fn record(&mut self, changes: impl IntoIterator<Item = Change>) {
        for Change { event, .. } in changes {
            let position = self.events.get(&event.id).map_or(self.events.len(), |&(position, _)| position);
            self.events.insert(event.id, (position, event));
        }
    }

    /// Returns the events, first reported first.
    #[must_use]
    pub fn into_events(self) -> Vec<Event> {
        let mut events: Vec<_> = self.events.into_values().collect();
        events.sort_by_key(|&(position, _)| position);
        events.into_iter().map(|(_, event)| event).collect()
    }
}
