//! What receivers of alarms are told of events that have changed.

use std::collections::BTreeMap;

use cutshort_detect::{Event, EventId, EventState};
use cutshort_model::Window;
use cutshort_store::{Alert, AlertKind, KeptEvent};

/// The time of the changes that are told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recent {
    /// Now, in nanoseconds since the Unix epoch.
    pub(super) now: i64,
    /// How long ago a change may have been, in nanoseconds.
    pub(super) most: i64,
    /// The last window that was read.
    pub(super) last: i64,
}

/// The alerts about events that raise an alarm, of changes that are recent. Whoever begins with old counts, or computes them
/// again, tells nobody what happened long ago.
pub(super) fn alerts(published: &[KeptEvent], changed: &[KeptEvent], recent: Recent) -> Vec<Alert> {
    let known: BTreeMap<EventId, &Event> =
        published.iter().map(|kept| (kept.event.id, &kept.event)).collect();
    let mut alerts = Vec::new();
    for KeptEvent { event, .. } in changed {
        let before = known.get(&event.id).copied();
        let kinds = kinds(before, event, recent.last);
        let kinds = kinds.into_iter().flatten().filter(|(_, window)| recent.has(*window));
        alerts.extend(kinds.map(|(kind, _)| Alert { kind, event: event.clone(), at: recent.now }));
    }
    alerts
}

impl Recent {
    fn has(&self, window: i64) -> bool {
        Window::from_number(window).end() >= self.now.saturating_sub(self.most)
    }
}

/// What happened to an event, each with the window in which it was decided.
fn kinds(before: Option<&Event>, event: &Event, last: i64) -> [Option<(AlertKind, i64)>; 2] {
    let is_over = |event: &Event| matches!(event.state, EventState::Closed | EventState::Usual);
    let told = before.filter(|before| before.alarm.is_some() && before.state != EventState::Retracted);
    let Some(alarm) = event.alarm else { return [None, None] };
    if event.state == EventState::Retracted {
        let window = told.map(|told| told.closed.unwrap_or(last));
        return [window.map(|window| (AlertKind::Retracted, window)), None];
    }
    let begins = match told {
        None => Some((AlertKind::Opened, alarm)),
        Some(told) if is_over(told) => (!is_over(event)).then_some((AlertKind::Opened, last)),
        Some(told) => (event.severity > told.severity).then_some((AlertKind::Worse, last)),
    };
    let was_over = told.is_some_and(is_over);
    let ends = (is_over(event) && !was_over).then_some((AlertKind::Ended, event.closed.unwrap_or(last)));
    [begins, ends]
}

#[cfg(test)]
mod tests {
    use cutshort_detect::{Channel, SeriesPlace, Severity};

    use super::*;

    fn event() -> Event {
        let place = SeriesPlace::Country(*b"IQ");
        Event { size: 0.4, alarm: Some(101), ..Event::new(place, Channel::Traffic, 100) }
    }

    fn closed() -> Event {
        Event { state: EventState::Closed, end: Some(110), closed: Some(111), ..event() }
    }

    fn told_at(last: i64, before: Option<Event>, after: Event) -> Vec<&'static str> {
        let kept = |event: Event| KeptEvent { found: event.id, event, updated: 0 };
        let before: Vec<_> = before.into_iter().map(kept).collect();
        let now = Window::from_number(last).end();
        let recent = Recent { now, most: 24 * 900_000_000_000, last };
        alerts(&before, &[kept(after)], recent).iter().map(|alert| alert.kind.name()).collect()
    }

    #[test]
    fn changes_of_alarms_are_told_once() {
        let told = |before, after| told_at(112, before, after);
        assert_eq!(told(None, event()), ["opened"]);
        assert_eq!(told(None, closed()), ["opened", "ended"]);
        let silent = Event { alarm: None, ..event() };
        assert_eq!(told(None, silent.clone()), [""; 0], "an event that another explains");
        assert_eq!(told(Some(silent), event()), ["opened"], "it raised its alarm later");
        let larger = Event { size: 0.45, revision: 1, ..event() };
        assert_eq!(told(Some(event()), larger), [""; 0]);
        let worse = Event { severity: Severity::Severe, ..event() };
        assert_eq!(told(Some(event()), worse.clone()), ["worse"]);
        assert_eq!(told(Some(worse), event()), [""; 0]);
        assert_eq!(told(Some(event()), closed()), ["ended"]);
        let usual = Event { state: EventState::Usual, closed: Some(111), ..event() };
        assert_eq!(told(Some(event()), usual), ["ended"]);
        assert_eq!(told(Some(closed()), Event { end: Some(109), ..closed() }), [""; 0]);
        assert_eq!(told(Some(closed()), event()), ["opened"], "it continues after all");
        let gone = Event { state: EventState::Retracted, ..event() };
        assert_eq!(told(Some(event()), gone.clone()), ["retracted"]);
        assert_eq!(told(Some(gone.clone()), event()), ["opened"], "it is there again");
        let silent = Event { alarm: None, ..gone };
        assert_eq!(told(Some(Event { alarm: None, ..event() }), silent), [""; 0]);
    }

    #[test]
    fn what_happened_long_ago_is_not_told() {
        assert_eq!(told_at(126, None, closed()), ["ended"]);
        assert_eq!(told_at(140, None, closed()), [""; 0]);
        assert_eq!(told_at(140, None, event()), [""; 0]);
        let gone = Event { state: EventState::Retracted, ..closed() };
        assert_eq!(told_at(140, Some(closed()), gone), [""; 0]);
    }
}
