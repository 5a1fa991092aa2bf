//! Events for people and programs.

use std::io::{self, Write};

use cutshort_detect::{Channel, Event};
use cutshort_model::{date_time, rfc3339, until};
use serde_json::{Map, Value, json};

use crate::table::Table;

/// Nanoseconds of a window.
const WINDOW: i64 = 900_000_000_000;

/// The beginning of a window, in nanoseconds since the Unix epoch.
const fn start(window: i64) -> i64 {
    window.saturating_mul(WINDOW)
}

/// Writes an event as a line of JSON. Times are those of RFC 3339; the time at which something was decided is the end of the
/// window with which it was.
pub fn write_json(event: &Event, mut output: impl Write) -> io::Result<()> {
    let time = |window: i64| Value::from(rfc3339(start(window)));
    let after = |window: Option<i64>| window.map_or(Value::Null, |window| time(window + 1));
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("id", json!(event.id.to_string()));
    put("place", json!(event.place.to_string()));
    put("channel", json!(event.channel.name()));
    put("onset", time(event.onset));
    put("opened", time(event.opened + 1));
    put("end", event.end.map_or(Value::Null, time));
    put("closed", after(event.closed));
    put("state", json!(event.state.name()));
    put("severity", json!(event.severity.name()));
    if event.channel.is_drop() {
        put("depth", json!(rounded(event.size, 1000.0)));
    } else {
        put("points", json!(rounded(100.0 * event.size, 10.0)));
    }
    put("evidence", json!(rounded(event.evidence, 10.0)));
    put("part_of", event.part_of.map_or(Value::Null, |id| json!(id.to_string())));
    put("episode", json!(event.episode.to_string()));
    put("alarm", after(event.alarm));
    writeln!(output, "{}", Value::Object(object))
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

/// Writes a table of events, with the columns that fit into `width`.
pub fn write_text(events: &[Event], width: usize, output: impl Write) -> io::Result<()> {
    let head = ["Time (UTC)", "Where", "What", "Severity", "Alarm", "Event", "Part of"];
    let rows = events.iter().map(|event| {
        let from = start(event.onset);
        let end = match (event.end, event.closed) {
            (Some(end), _) => format!(" to {}", until(from, start(end))),
            (None, Some(_)) => ", now usual".to_owned(),
            (None, None) => ", goes on".to_owned(),
        };
        let alarm = event.alarm.map(|window| until(from, start(window + 1)));
        vec![
            format!("{}{end}", date_time(from)),
            event.place.to_string(),
            what(event),
            event.severity.name().to_owned(),
            alarm.unwrap_or_default(),
            event.id.to_string(),
            event.part_of.map(|id| id.to_string()).unwrap_or_default(),
        ]
    });
    Table::of_texts(&head, rows.collect()).write(width, output)
}

/// What happened, in words.
fn what(event: &Event) -> String {
    let percent = (100.0 * event.size).round();
    match event.channel {
        Channel::Traffic => format!("traffic {percent} % lower"),
        Channel::Observer => format!("{percent} % not observed"),
        channel => format!("{channel} {:.1} points higher", 100.0 * event.size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutshort_detect::{EventId, Place, Severity, State};

    fn event() -> Event {
        let place = Place::Country(*b"IQ");
        let onset = 1_767_571_200 / 900;
        let id = EventId::new(&place, Channel::Traffic, onset);
        Event {
            id,
            place,
            channel: Channel::Traffic,
            onset,
            opened: onset + 1,
            end: Some(onset + 18),
            closed: Some(onset + 19),
            state: State::Closed,
            severity: Severity::Severe,
            size: 0.912_34,
            excess: 1000.0,
            evidence: 40.06,
            part_of: None,
            episode: id,
            alarm: Some(onset + 1),
            revision: 1,
        }
    }

    #[test]
    fn an_event_is_a_line_of_json() {
        let mut text = Vec::new();
        write_json(&event(), &mut text).unwrap();
        let value: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["onset"], "2026-01-05T00:00:00Z");
        assert_eq!(value["opened"], "2026-01-05T00:30:00Z", "the end of its second window");
        assert_eq!(value["end"], "2026-01-05T04:30:00Z");
        assert_eq!((&value["depth"], &value["evidence"]), (&json!(0.912), &json!(40.1)));
        assert_eq!((&value["part_of"], &value["points"]), (&Value::Null, &Value::Null));
        let share = Event { channel: Channel::PostPsh, size: 0.1234, end: None, closed: None, ..event() };
        text.clear();
        write_json(&share, &mut text).unwrap();
        let value: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!((&value["points"], &value["end"]), (&json!(12.3), &Value::Null));
    }

    #[test]
    fn a_table_says_what_happened() {
        let mut text = Vec::new();
        write_text(&[event()], 200, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains(
                "2026-01-05 00:00:00 to 04:30:00  country:IQ  traffic 91 % lower  severe    00:30:00"
            ),
            "{text}"
        );
    }
}
