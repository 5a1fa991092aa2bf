//! What would be noticed, and how soon.

use std::io::{self, Write};

use cutshort_detect::{Channel, Detector, SeriesPlace, SeriesStatus};
use cutshort_geo::Geo;
use cutshort_model::{Window, date_time, quantity};
use serde::Serialize;

use super::{place_name, stage_title};
use crate::table::Table;

/// The status of a series as a JSON object.
#[derive(Serialize)]
struct Line<'a> {
    place: String,
    channel: &'a str,
    /// `watched`, `learning` or `too_few`.
    status: &'a str,
    /// Minutes after which a loss of everything, or the smallest rise that counts, would be noticed.
    minutes: Option<u32>,
}

/// The name of a status, and the minutes after which a loss of everything, or the smallest rise that counts, would be noticed.
#[must_use]
pub const fn status_name(status: SeriesStatus) -> (&'static str, Option<u32>) {
    match status {
        SeriesStatus::Unknown => ("unknown", None),
        SeriesStatus::Learning => ("learning", None),
        SeriesStatus::TooFew => ("too_few", None),
        SeriesStatus::Watched { windows } => ("watched", Some(windows * 15)),
    }
}

/// Writes the status of each channel of places as lines of JSON.
pub fn write_watched_json(
    detector: &Detector,
    places: &[SeriesPlace],
    mut output: impl Write,
) -> io::Result<()> {
    for place in places {
        for channel in Channel::WATCHED {
            let (status, minutes) = status_name(detector.status(place, channel));
            let line = Line { place: place.to_string(), channel: channel.name(), status, minutes };
            serde_json::to_writer(&mut output, &line)?;
            writeln!(output)?;
        }
    }
    Ok(())
}

/// Writes a table of places, with how soon an event would be noticed in each channel; first, how many series that are.
pub fn write_watched(
    detector: &Detector,
    places: &[SeriesPlace],
    geo: &Geo,
    width: usize,
    mut output: impl Write,
) -> io::Result<()> {
    let (mut watched, mut learning, mut few) = (0, 0, 0);
    for place in detector.watched() {
        for channel in Channel::WATCHED {
            match detector.status(place, channel) {
                SeriesStatus::Watched { .. } => watched += 1,
                SeriesStatus::Learning => learning += 1,
                SeriesStatus::TooFew | SeriesStatus::Unknown => few += 1,
            }
        }
    }
    let as_of = detector.next().map_or(0, |next| Window::from_number(next).start());
    writeln!(
        output,
        "As of {} UTC: {}; {watched} series watched, {learning} learning, {few} with too few connections. The table says how soon \
         an event would be noticed.\n",
        date_time(as_of),
        quantity(detector.places() as u64, "place"),
    )?;
    let head = ["Place", "Name", "Connections", "Post-SYN", "Post-ACK", "Post-PSH", "Later"];
    debug_assert_eq!(head[2..], Channel::WATCHED.map(stage_title));
    let rows = places.iter().map(|place| {
        let status = |channel| soon(detector.status(place, channel));
        [place.to_string(), place_name(place, geo)].into_iter().chain(Channel::WATCHED.map(status)).collect()
    });
    Table::of_texts(&head, rows.collect()).write(width, output)
}

fn soon(status: SeriesStatus) -> String {
    match status {
        SeriesStatus::Watched { windows } if windows < 8 => format!("{} min", windows * 15),
        SeriesStatus::Watched { windows } => format!("{} h", windows.div_ceil(4)),
        SeriesStatus::Learning => "learning".to_owned(),
        SeriesStatus::TooFew => "too few".to_owned(),
        SeriesStatus::Unknown => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use cutshort_detect::{Config, ObservedNode, SeriesCounts, Window as DetectorWindow};

    use super::*;

    #[test]
    fn a_table_says_how_soon_an_event_would_be_noticed() {
        let mut detector = Detector::new(Config::default());
        let nodes = [ObservedNode { name: "a", coverage: 1.0 }];
        for number in 0..9 * 96 {
            let network = |number, all| SeriesCounts {
                place: SeriesPlace::Network(number),
                country: None,
                network: None,
                node: 0,
                all,
                squares: all,
                stages: [0.0; 4],
                single: None,
            };
            // One of them has hardly any connections, and one is new.
            let mut counts = vec![network(1, 100.0), network(2, if number % 40 == 0 { 1.0 } else { 0.0 })];
            counts.extend((number > 800).then(|| network(3, 50.0)));
            detector.add(&DetectorWindow { number, nodes: &nodes, counts: &counts }).unwrap();
        }
        let places: Vec<SeriesPlace> = detector.watched().cloned().collect();
        let mut text = Vec::new();
        write_watched(&detector, &places, &Geo::builtin(), 200, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("As of 1970-01-10 00:00:00 UTC: 3 places; "), "{text}");
        let row = |place: &str| text.lines().find(|line| line.starts_with(place)).unwrap().to_owned();
        assert!(row("as:1").contains(" min"), "{text}");
        assert!(row("as:2").contains("too few"), "{text}");
        assert!(row("as:3").contains("learning"), "{text}");
        let mut lines = Vec::new();
        write_watched_json(&detector, &places[2..], &mut lines).unwrap();
        let lines = String::from_utf8(lines).unwrap();
        let first = r#"{"place":"as:3","channel":"traffic","status":"learning","minutes":null}"#;
        assert_eq!((lines.lines().count(), lines.lines().next()), (5, Some(first)));
    }
}
