//! An alert as it is sent.

use cutshort_api::answer::{FoundEvent, SelectedEvent};
use cutshort_api::page;
use cutshort_detect::{Channel, Event, SeriesPlace};
use cutshort_geo::Geo;
use cutshort_model::{Window, rfc3339};
use cutshort_report::events::sentence;
use cutshort_store::{Alert, AlertKind, KeptEvent};
use cutshort_verdict::DataSet;
use serde::Serialize;

/// An alert, or a test of a receiver, with all that senders need.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The same however often it is sent.
    pub(crate) key: String,
    /// What happened; none for a test.
    pub(crate) kind: Option<AlertKind>,
    /// The event in a sentence.
    pub(crate) summary: String,
    /// What happened to it, with times, in a sentence or two.
    pub(crate) description: String,
    pub(crate) data_set: DataSet,
    pub(crate) event: Event,
    /// Its address on the page; none without a public address of the page, and for a test.
    pub(crate) url: Option<String>,
    /// The JSON object that webhooks and commands get.
    pub(crate) json: String,
}

/// What webhooks and commands get.
#[derive(Serialize)]
struct Body<'a> {
    version: u8,
    key: &'a str,
    change: &'a str,
    test: bool,
    summary: &'a str,
    description: &'a str,
    url: Option<&'a str>,
    event: FoundEvent,
}

/// The name of a test among changes.
const TEST: &str = "test";

impl Message {
    /// The message of an alert. `page` is the public address of the page, without `/` at its end.
    pub(crate) fn new(alert: &Alert, data_set: DataSet, geo: &Geo, page: Option<&str>) -> Self {
        let event = &alert.event;
        let summary = sentence(event, data_set, geo);
        let description = format!("{} {summary}.", what(alert.kind, event));
        Self::build(
            alert.key(data_set),
            Some(alert.kind),
            (summary, description),
            (event, alert.at),
            data_set,
            geo,
            page.map(|page| format!("{page}/{}", page::of_event(event.id, data_set))),
        )
    }

    /// The message that tests a receiver, at a time in nanoseconds since the Unix epoch.
    pub(crate) fn test(now: i64, geo: &Geo) -> Self {
        let event = test_event(Window::containing(now).number());
        let summary = "TEST of a receiver of alarms: nothing has happened".to_owned();
        let description = "TEST. Sent by 'cutshort alerts test'; the event is invented.".to_owned();
        let key = format!("{TEST}-{now}");
        Self::build(key, None, (summary, description), (&event, now), DataSet::Tcp, geo, None)
    }

    fn build(
        key: String,
        kind: Option<AlertKind>,
        (summary, description): (String, String),
        (event, at): (&Event, i64),
        data_set: DataSet,
        geo: &Geo,
        url: Option<String>,
    ) -> Self {
        let kept = KeptEvent { event: event.clone(), found: event.id, updated: at };
        let body = Body {
            version: 1,
            key: &key,
            change: kind.map_or(TEST, AlertKind::name),
            test: kind.is_none(),
            summary: &summary,
            description: &description,
            url: url.as_deref(),
            event: FoundEvent::new(&SelectedEvent { data_set, kept, parts: Vec::new(), review: None }, geo),
        };
        // These types have nothing that JSON cannot have.
        let json = serde_json::to_string(&body).unwrap_or_default();
        Self { key, kind, summary, description, data_set, event: event.clone(), url, json }
    }

    /// The name of what happened: `opened`, `worse`, `ended`, `retracted`, `test`.
    pub(crate) fn change(&self) -> &'static str {
        self.kind.map_or(TEST, AlertKind::name)
    }
}

/// What happened to an event, and when.
fn what(kind: AlertKind, event: &Event) -> String {
    let begin = |window: i64| rfc3339(Window::from_number(window).start());
    let since = begin(event.onset);
    let severity = event.severity.name();
    match (kind, event.end) {
        (AlertKind::Opened, _) => format!("Began at {since} ({severity})."),
        (AlertKind::Worse, _) => format!("Now {severity}; began at {since}."),
        (AlertKind::Ended, Some(end)) => format!("Ended at {}; began at {since} ({severity}).", begin(end)),
        (AlertKind::Ended, None) => format!("Now usual; began at {since} ({severity})."),
        (AlertKind::Retracted, _) => {
            format!("Retracted, since counts were replaced; was said to begin at {since}.")
        }
    }
}

/// An event of the world that nobody found, in this window.
pub(crate) fn test_event(window: i64) -> Event {
    Event { alarm: Some(window), ..Event::new(SeriesPlace::World, Channel::Traffic, window) }
}

#[cfg(test)]
mod tests {
    use cutshort_detect::{EventState, Severity};
    use serde_json::Value;

    use super::*;

    fn iraq() -> Event {
        Event {
            place: SeriesPlace::Country(*b"IQ"),
            severity: Severity::Severe,
            size: 0.91,
            ..test_event(1_767_571_200 / 900)
        }
    }

    fn message(kind: AlertKind, event: Event) -> Message {
        let at = Window::from_number(event.opened).end();
        Message::new(
            &Alert { kind, event, at },
            DataSet::Tcp,
            &Geo::builtin(),
            Some("https://cutshort.example.org"),
        )
    }

    #[test]
    fn an_alert_has_the_event_as_the_api_has_it() {
        let message = message(AlertKind::Opened, iraq());
        let body: Value = serde_json::from_str(&message.json).unwrap();
        assert_eq!(body["change"], "opened");
        assert_eq!(body["test"], false);
        assert_eq!(body["summary"], "Iraq: 91 % fewer connections than usual");
        assert_eq!(body["event"]["place"], "country:IQ");
        let url = format!("https://cutshort.example.org/?view=events&event={}", iraq().id);
        assert_eq!((&body["url"], message.url.as_deref()), (&Value::from(url.clone()), Some(url.as_str())));
        assert_eq!(body["event"]["onset"], "2026-01-05T00:00:00Z");
        assert_eq!(body["key"], format!("tcp-{}-0-opened", iraq().id));
        assert_eq!(
            message.description,
            "Began at 2026-01-05T00:00:00Z (severe). Iraq: 91 % fewer connections than usual."
        );
    }

    #[test]
    fn ends_have_their_time_if_there_is_one() {
        let end = Some(iraq().onset + 4);
        let ended = message(AlertKind::Ended, Event { end, state: EventState::Closed, ..iraq() });
        assert!(ended.description.starts_with("Ended at 2026-01-05T01:00:00Z; began at"), "{ended:?}");
        let usual = message(AlertKind::Ended, Event { state: EventState::Usual, ..iraq() });
        assert!(usual.description.starts_with("Now usual;"), "{usual:?}");
    }

    #[test]
    fn a_test_says_that_it_is_one() {
        let message = Message::test(1_767_571_200_000_000_000, &Geo::builtin());
        let body: Value = serde_json::from_str(&message.json).unwrap();
        assert_eq!(body["url"], Value::Null);
        assert_eq!((&body["test"], &body["change"]), (&Value::Bool(true), &Value::from("test")));
        assert!(message.summary.starts_with("TEST") && message.description.starts_with("TEST"));
    }
}
