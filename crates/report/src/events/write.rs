//! Events for people and programs.

use std::io::{self, Write};

use cutshort_detect::{Channel, Event, EventState, SeriesPlace};
use cutshort_model::{date_time, rfc3339, until};
use serde::Serialize;

use super::stage_title;
use crate::table::Table;

/// Where more columns are.
const MORE: usize = 4;
/// Nanoseconds of a window.
const WINDOW: i64 = 900_000_000_000;

/// The beginning of a window, in nanoseconds since the Unix epoch.
const fn start(window: i64) -> i64 {
    window.saturating_mul(WINDOW)
}

/// An event as a JSON object.
#[derive(Serialize)]
struct Line<'a> {
    id: String,
    place: String,
    channel: &'a str,
    onset: String,
    opened: String,
    end: Option<String>,
    closed: Option<String>,
    state: &'a str,
    severity: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<f64>,
    evidence: f64,
    part_of: Option<String>,
    episode: String,
    alarm: Option<String>,
}

/// Writes an event as a line of JSON. Times are those of RFC 3339; the time at which something was decided is the end of the
/// window with which it was.
pub fn write_json(event: &Event, mut output: impl Write) -> io::Result<()> {
    let time = |window: i64| rfc3339(start(window));
    let after = |window: i64| time(window + 1);
    let drop = event.channel.is_drop();
    let line = Line {
        id: event.id.to_string(),
        place: event.place.to_string(),
        channel: event.channel.name(),
        onset: time(event.onset),
        opened: after(event.opened),
        end: event.end.map(time),
        closed: event.closed.map(after),
        state: event.state.name(),
        severity: event.severity.name(),
        depth: drop.then(|| rounded(event.size, 1000.0)),
        points: (!drop).then(|| rounded(100.0 * event.size, 10.0)),
        evidence: rounded(event.evidence, 10.0),
        part_of: event.part_of.map(|id| id.to_string()),
        episode: event.episode.to_string(),
        alarm: event.alarm.map(after),
    };
    serde_json::to_writer(&mut output, &line)?;
    writeln!(output)
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

/// Writes a table of events, with the columns that fit into `width`.
pub fn write_text(events: &[Event], width: usize, output: impl Write) -> io::Result<()> {
    write_text_with(events, &SeriesPlace::to_string, &[], width, output)
}

/// The same with names of places, and with more columns, each with its title and a text for each event.
pub fn write_text_with(
    events: &[Event],
    place: &dyn Fn(&SeriesPlace) -> String,
    more: &[(&str, Vec<String>)],
    width: usize,
    output: impl Write,
) -> io::Result<()> {
    let mut head = vec!["Time (UTC)", "Where", "What", "Severity", "Alarm", "Event", "Part of"];
    head.splice(MORE..MORE, more.iter().map(|(title, _)| *title));
    let rows = events.iter().enumerate().map(|(at, event)| {
        let from = start(event.onset);
        let end = match (event.end, event.closed) {
            (Some(end), _) => format!(" to {}", until(from, start(end))),
            _ if event.state == EventState::Retracted => ", retracted".to_owned(),
            (None, Some(_)) => ", now usual".to_owned(),
            (None, None) => ", ongoing".to_owned(),
        };
        let alarm = event.alarm.map(|window| until(from, start(window + 1)));
        let mut row = vec![
            format!("{}{end}", date_time(from)),
            place(&event.place),
            what(event),
            event.severity.name().to_owned(),
            alarm.unwrap_or_default(),
            event.id.to_string(),
            event.part_of.map(|id| id.to_string()).unwrap_or_default(),
        ];
        row.splice(MORE..MORE, more.iter().filter_map(|(_, texts)| texts.get(at).cloned()));
        row
    });
    Table::of_texts(&head, rows.collect()).write(width, output)
}

/// What happened, in words.
fn what(event: &Event) -> String {
    let percent = (100.0 * event.size).round();
    match event.channel {
        Channel::Traffic => format!("traffic {percent} % lower"),
        Channel::Observer => format!("{percent} % not observed"),
        Channel::Flood => format!("flood of single SYNs, {:.1} points", 100.0 * event.size),
        Channel::Scan => format!("scan, single SYNs {:.1} points higher", 100.0 * event.size),
        Channel::Reflection => format!("reflected SYNs, {:.1} points higher", 100.0 * event.size),
        channel => format!("{} {:.1} points higher", stage_title(channel), 100.0 * event.size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::place_name;
    use cutshort_detect::Severity;
    use cutshort_geo::Geo;
    use serde_json::{Value, json};

    fn event() -> Event {
        let place = SeriesPlace::Country(*b"IQ");
        let onset = 1_767_571_200 / 900;
        Event {
            opened: onset + 1,
            end: Some(onset + 18),
            closed: Some(onset + 19),
            state: EventState::Closed,
            severity: Severity::Severe,
            size: 0.912_34,
            evidence: 40.06,
            alarm: Some(onset + 1),
            ..Event::new(place, Channel::Traffic, onset)
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

    #[test]
    fn a_table_names_places_and_stages() {
        let geo = Geo::builtin();
        let event = Event {
            place: SeriesPlace::Network(13335),
            channel: Channel::PostAck,
            size: 0.152,
            end: None,
            closed: None,
            ..event()
        };
        let mut text = Vec::new();
        let name = |place: &SeriesPlace| place_name(place, &geo);
        write_text_with(&[event], &name, &[], 200, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("AS13335 (Cloudflare"), "{text}");
        assert!(text.contains("Post-ACK 15.2 points higher"), "{text}");
    }
}
