//! Events of our own: what was not seen, though something was to be seen.

use crate::config::HOUR;
use crate::event::{Change, Event, EventState, Severity, What};
use crate::{Channel, SeriesPlace};

/// What a node lost, or what all places lost at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Observer {
    /// The event that is open, without its id's place.
    pub(crate) open: Option<Loss>,
}

/// A loss that continues.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Loss {
    pub(crate) onset: i64,
    /// The window after the last one with a loss.
    pub(crate) until: i64,
    /// The largest part that was lost.
    pub(crate) largest: f64,
    pub(crate) revision: u32,
}

impl Observer {
    /// Adds a window, with the part that was lost in it. A loss ends after an hour without one.
    pub(crate) fn add(
        &mut self,
        place: impl Fn() -> SeriesPlace,
        lost: Option<f64>,
        t: i64,
        changes: &mut Vec<Change>,
    ) {
        match (&mut self.open, lost) {
            (None, None) => {}
            (None, Some(lost)) => {
                let loss = Loss { onset: t, until: t + 1, largest: lost, revision: 0 };
                changes.push(Change { what: What::Opened, event: loss.event(place(), None) });
                self.open = Some(loss);
            }
            (Some(loss), Some(lost)) => {
                let before = Severity::of(Channel::Observer, loss.largest);
                loss.until = t + 1;
                loss.largest = loss.largest.max(lost);
                if Severity::of(Channel::Observer, loss.largest) > before {
                    loss.revision += 1;
                    changes.push(Change { what: What::Worse, event: loss.event(place(), None) });
                }
            }
            (Some(loss), None) if t + 1 - loss.until >= HOUR => {
                loss.revision += 1;
                changes.push(Change { what: What::Closed, event: loss.event(place(), Some(t)) });
                self.open = None;
            }
            (Some(_), None) => {}
        }
    }
}

impl Observer {
    /// The event that is open, if there is one.
    pub(crate) fn event(&self, place: SeriesPlace) -> Option<Event> {
        self.open.as_ref().map(|loss| loss.event(place, None))
    }
}

impl Loss {
    fn event(&self, place: SeriesPlace, closed: Option<i64>) -> Event {
        Event {
            end: closed.map(|_| self.until),
            closed,
            state: if closed.is_some() { EventState::Closed } else { EventState::Open },
            severity: Severity::of(Channel::Observer, self.largest),
            size: self.largest,
            alarm: Some(self.onset),
            revision: self.revision,
            ..Event::new(place, Channel::Observer, self.onset)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_ends_after_an_hour_without_one() {
        let (mut observer, mut changes) = (Observer::default(), Vec::new());
        let lost = [None, Some(0.4), None, Some(0.9), None, None, None, None, None];
        for (t, lost) in lost.into_iter().enumerate() {
            observer.add(|| SeriesPlace::Node("n".into()), lost, t as i64, &mut changes);
        }
        let told: Vec<_> = changes.iter().map(|c| (c.what, c.event.onset, c.event.end)).collect();
        assert_eq!(told, [(What::Opened, 1, None), (What::Worse, 1, None), (What::Closed, 1, Some(4))]);
        assert!(changes.iter().all(|change| change.event.id == changes[0].event.id));
    }
}
