use std::collections::BTreeMap;
use std::ops::Range;

use cutshort_detect::{Channel, Event, EventId, EventState, SeriesPlace};

use crate::{Alert, Outbox, Result, Review};

/// Events of a data set at rest, and what is needed to go on finding them. Times are numbers of windows.
///
/// Everything here follows from the counts, except which id an event was first published under, and what the operator
/// decided: it can be lost and is then found again.
pub trait Events: Send + Sync {
    /// The events that meet all conditions of a query, in order of onset, then id.
    fn list(&self, query: &EventQuery) -> Result<Vec<KeptEvent>>;

    /// Which windows the stored events were found in.
    fn folded(&self) -> Result<Folded>;

    /// The latest state of the detector that contains windows before `window` only.
    fn checkpoint(&self, window: i64) -> Result<Option<Checkpoint>>;

    /// Stores what a run has found, all of it or, if it fails, nothing. Events replace those with the same id. States that
    /// contain windows from the first of [`EventStep::windows`] on are deleted, and so are states and digests that are no longer needed.
    fn keep(&self, step: &EventStep<'_>) -> Result<()>;

    /// What the operator decided about events, by their published ids.
    fn reviews(&self) -> Result<BTreeMap<EventId, Review>>;

    /// Stores what the operator decided about an event, in place of what was decided before; with none, takes it back. Returns
    /// false if there is no such event. Processes that otherwise only read may do this, too.
    fn review(&self, id: EventId, review: Option<&Review>) -> Result<bool>;

    /// The alerts about these events; none where nobody can be told.
    fn outbox(&self) -> Option<&dyn Outbox> {
        None
    }
}

/// Windows for which digests of their inputs are kept. Windows that are replaced later than that are not looked at again.
pub const REPLAY_WINDOWS: i64 = 35 * 96;

/// Which events to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Those that were open in some of these windows; all if none are given.
    pub windows: Option<Range<i64>>,
    /// Those of these places; of all if empty.
    pub places: Vec<SeriesPlace>,
    /// Those of these channels; of all if empty.
    pub channels: Vec<Channel>,
    /// Those in these states; in all if empty.
    pub states: Vec<EventState>,
}

impl EventQuery {
    /// All events that were open in some of these windows.
    #[must_use]
    pub fn touching(windows: Range<i64>) -> Self {
        Self { windows: Some(windows), ..Self::default() }
    }

    /// Whether an event meets all conditions.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        fn is_among<T: PartialEq>(list: &[T], value: &T) -> bool {
            list.is_empty() || list.contains(value)
        }
        let touches = |windows: &Range<i64>| {
            event.onset < windows.end && event.end.or(event.closed).is_none_or(|end| end > windows.start)
        };
        self.windows.as_ref().is_none_or(touches)
            && is_among(&self.places, &event.place)
            && is_among(&self.channels, &event.channel)
            && is_among(&self.states, &event.state)
    }
}

/// An event at rest.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptEvent {
    /// The event, with the ids under which it and those that it names were first published.
    pub event: Event,
    /// The id that the detector gives it, which is another one if its onset has moved since.
    pub found: EventId,
    /// When it last changed, in nanoseconds since the Unix epoch.
    pub updated: i64,
}

/// Windows that events were found in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// From the first window to the one after the last; none if there are none.
    pub windows: Option<Range<i64>>,
    /// For each observed window of the last [`REPLAY_WINDOWS`], rising: a digest of what was read of it.
    pub digests: Vec<(i64, u64)>,
    /// The window up to which the latest state was stored; none if there is no state.
    pub checkpoint: Option<i64>,
}

/// A state of the detector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The window that comes next.
    pub next: i64,
    /// The state, as the detector saves it.
    pub state: Vec<u8>,
}

/// What a run has found.
#[derive(Clone, Debug)]
pub struct EventStep<'a> {
    /// The windows that were read, from the first to the one after the last.
    pub windows: Range<i64>,
    /// The digests of those of them that were observed, rising.
    pub digests: &'a [(i64, u64)],
    /// The events that are new or changed.
    pub events: &'a [KeptEvent],
    /// What receivers of alarms are told of them.
    pub alerts: &'a [Alert],
    /// The state after the last window, if it is to be stored.
    pub state: Option<&'a [u8]>,
}

impl EventStep<'_> {
    /// Whether a state is still needed after this step: those of the last three days, and those of the first windows of
    /// weeks within [`REPLAY_WINDOWS`]. `newer` is the next later state.
    #[must_use]
    pub fn needs(&self, next: i64, newer: Option<i64>) -> bool {
        const DAY: i64 = 96;
        const WEEK: i64 = 7 * DAY;
        let age = self.windows.end - next;
        let is_last_of_week = newer.is_none_or(|newer| newer.div_euclid(WEEK) != next.div_euclid(WEEK));
        age <= 3 * DAY || (is_last_of_week && age <= REPLAY_WINDOWS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_three_days_and_five_weeks_are_needed() {
        let step = EventStep { windows: 0..700 * 96, digests: &[], events: &[], alerts: &[], state: None };
        let states: Vec<i64> = (600..=700).map(|day| day * 96).collect();
        let needed =
            states.iter().enumerate().filter(|&(at, &state)| step.needs(state, states.get(at + 1).copied()));
        let needed: Vec<i64> = needed.map(|(_, state)| state / 96).collect();
        assert_eq!(needed, [671, 678, 685, 692, 697, 698, 699, 700]);
    }
}
