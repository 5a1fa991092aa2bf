//! Prometheus Alertmanager, by its API version 2.

use std::time::{Duration, SystemTime};

use cutshort_detect::EventState;
use cutshort_model::{Window, nanoseconds, rfc3339};
use cutshort_sandbox::Needs;
use cutshort_store::AlertKind;
use serde_json::{Value, json};

use super::Server;
use crate::config::Endpoint;
use crate::message::Message;
use crate::sender::{Failure, Sender};

/// How often firing alerts are sent again.
const REPEAT: Duration = Duration::from_mins(1);
/// How long an alert fires that is not sent again. This server may be away for a while, to be updated.
const LASTS: i64 = 15 * 60 * 1_000_000_000;
/// How many alerts are sent together.
const TOGETHER: usize = 100;

pub(crate) struct Alertmanager {
    server: Server,
}

impl Alertmanager {
    pub(crate) fn open(endpoint: &Endpoint) -> Result<Self, String> {
        let url = endpoint.url.trim_end_matches('/').to_owned();
        let server = Server::open(&Endpoint { url, ..endpoint.clone() }, "/api/v2/alerts")?;
        Ok(Self { server })
    }

    pub(crate) fn needs(&self) -> Needs {
        self.server.needs()
    }
}

impl Sender for Alertmanager {
    fn send(&mut self, messages: &[Message]) -> Result<(), Failure> {
        let now = nanoseconds(SystemTime::now());
        for some in messages.chunks(TOGETHER) {
            let alerts: Vec<Value> = some.iter().map(|message| alert(message, now)).collect();
            self.server.post(&[], &Value::from(alerts).to_string())?;
        }
        Ok(())
    }

    fn most(&self) -> usize {
        TOGETHER
    }

    fn repeat(&self) -> Option<Duration> {
        Some(REPEAT)
    }
}

/// Labels name an alert, so none of them may change while it fires.
fn alert(message: &Message, now: i64) -> Value {
    let event = &message.event;
    let start = Window::from_number(event.onset).start();
    let is_firing = message.kind != Some(AlertKind::Retracted) && event.state == EventState::Open;
    let end = match event.end {
        _ if is_firing => now + LASTS,
        Some(end) if event.state != EventState::Retracted => Window::from_number(end).start().min(now),
        _ => now,
    };
    let name = if message.kind.is_some() { "CutshortEvent" } else { "CutshortTest" };
    let mut alert = json!({
        "labels": {
            "alertname": name,
            "id": event.id.to_string(),
            "data_set": message.data_set.name(),
            "place": event.place.to_string(),
            "channel": event.channel.name(),
        },
        "annotations": {
            "summary": message.summary,
            "description": message.description,
            "severity": event.severity.name(),
        },
        "startsAt": rfc3339(start),
        "endsAt": rfc3339(end),
    });
    if let Some(url) = &message.url {
        alert["generatorURL"] = Value::from(url.as_str());
    }
    alert
}

#[cfg(test)]
mod tests {
    use cutshort_detect::{Event, Severity};
    use cutshort_geo::Geo;
    use cutshort_store::Alert;
    use cutshort_verdict::DataSet;

    use super::*;
    use crate::message::test_event;

    fn told(kind: AlertKind, event: Event, now: i64) -> Value {
        let page = Some("https://c.example");
        let message = Message::new(&Alert { kind, event, at: now }, DataSet::Tcp, &Geo::builtin(), page);
        alert(&message, now)
    }

    #[test]
    fn an_alert_has_the_same_labels_until_its_end() {
        let event = test_event(1_000_000);
        let now = Window::from_number(1_000_004).start();
        let opened = told(AlertKind::Opened, event.clone(), now);
        let later = Event { severity: Severity::Severe, revision: 7, ..event.clone() };
        let worse = told(AlertKind::Worse, later.clone(), now);
        let ended =
            told(AlertKind::Ended, Event { end: Some(1_000_003), state: EventState::Closed, ..later }, now);
        assert_eq!(opened["labels"], worse["labels"]);
        let url = opened["generatorURL"].as_str().unwrap();
        assert!(url.starts_with("https://c.example/?view=events&event="), "{url}");
        assert_eq!(alert(&Message::test(now, &Geo::builtin()), now)["generatorURL"], Value::Null);
        assert_eq!(opened["labels"], ended["labels"]);
        assert_eq!(opened["startsAt"], rfc3339(Window::from_number(1_000_000).start()));
        assert_eq!(opened["endsAt"], rfc3339(now + LASTS));
        assert_eq!(ended["endsAt"], rfc3339(Window::from_number(1_000_003).start()));
        assert_eq!(worse["annotations"]["severity"], "severe");
    }

    #[test]
    fn what_is_retracted_or_usual_is_resolved_now() {
        let now = Window::from_number(1_000_004).start();
        let usual = Event { state: EventState::Usual, ..test_event(1_000_000) };
        assert_eq!(told(AlertKind::Ended, usual, now)["endsAt"], rfc3339(now));
        let gone = Event { state: EventState::Retracted, end: Some(1_000_001), ..test_event(1_000_000) };
        assert_eq!(told(AlertKind::Retracted, gone, now)["endsAt"], rfc3339(now));
    }
}
