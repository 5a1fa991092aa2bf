//! `cutshort query events` and `watched`: what was found in a store, and what would be.

use std::io::Write;
use std::ops::Range;

use clap::ColorChoice;
use cutshort_api::answer::{EventList, FoundEvent, Sources, latest_detector, select};
use cutshort_api::ask;
use cutshort_api::question::{EventFilter, Parameters};
use cutshort_detect::SeriesPlace;
use cutshort_geo::Geo;
use cutshort_model::rfc3339;
use cutshort_report::events::{place_name, write_text_with, write_watched, write_watched_json};
use cutshort_store::{Events, Store};

use super::{Format, Query, write_json};
use crate::error::{Done, Error};
use crate::terminal::{self, message};

/// So many are shown unless a limit is given.
const MOST: usize = 100;

pub(super) fn list(
    arguments: &Query,
    store: &dyn Store,
    geo: &Geo,
    (range, now): (Range<i64>, i64),
    color: ColorChoice,
) -> Result<Done, Error> {
    kept(store)?;
    // Events are few: all of them are shown unless a time is given.
    let times = [("dateStart", rfc3339(range.start)), ("dateEnd", rfc3339(range.end))];
    let times = times.into_iter().filter(|_| !arguments.time.is_default());
    let data_set = ("dataSet", store.data_set().name().to_owned());
    let filter = filter(arguments, times.chain([data_set]), now)?;
    let mut found = select(store, geo, &filter)?;
    let left = found.len().saturating_sub(limit(arguments));
    found.truncate(limit(arguments));
    let sources = Sources::read(store)?;
    if let Some(problem) = sources.problem() {
        message(&format!("what other sources say cannot be read: {problem}"));
    }
    let describe = |one| FoundEvent::corroborated(one, geo, &sources, now);
    let answer = EventList { events: found.iter().map(describe).collect::<Result<_, _>>()? };
    terminal::print(color, |text| {
        match arguments.format {
            Format::Json => write_json(&ask::json(&answer)?, text)?,
            Format::Csv => text.write_all(answer.csv().as_bytes())?,
            Format::Table if found.is_empty() => writeln!(text, "No events.")?,
            Format::Table => {
                let events: Vec<_> = found.iter().map(|one| one.kept.event.clone()).collect();
                let of_all = |text: fn(&FoundEvent) -> String| answer.events.iter().map(text).collect();
                let mut more: Vec<(&str, Vec<String>)> = Vec::new();
                if found.iter().any(|one| one.review.is_some()) {
                    more.push(("Review", of_all(FoundEvent::decision)));
                }
                if !sources.is_empty() {
                    more.push(("Other sources", of_all(FoundEvent::others)));
                }
                let name = |place: &SeriesPlace| place_name(place, geo);
                write_text_with(&events, &name, &more, terminal::widths().tables, &mut *text)?;
                if left > 0 {
                    writeln!(text, "{left} earlier ones are not shown (--limit).")?;
                }
            }
        }
        Ok(())
    })?;
    Ok(Done::Whole)
}

pub(super) fn watched(
    arguments: &Query,
    store: &dyn Store,
    geo: &Geo,
    now: i64,
    color: ColorChoice,
) -> Result<Done, Error> {
    kept(store)?;
    let Some(detector) = latest_detector(store)? else {
        return Err(Error::Failed(
            "events were not looked for yet: 'cutshort serve' does, and 'cutshort import' and 'cutshort recompute'"
                .to_owned(),
        ));
    };
    let filter = filter(arguments, std::iter::empty(), now)?;
    let places = detector.watched().filter(|place| filter.wants_place(place, geo));
    let places: Vec<SeriesPlace> = places.take(limit(arguments)).cloned().collect();
    terminal::print(color, |text| {
        match arguments.format {
            Format::Json => write_watched_json(&detector, &places, &mut *text),
            Format::Table => write_watched(&detector, &places, geo, terminal::widths().tables, &mut *text),
            Format::Csv => return Err(Error::Usage("--format csv: 'watched' is a table or JSON".to_owned())),
        }?;
        Ok(())
    })?;
    Ok(Done::Whole)
}

fn kept(store: &dyn Store) -> Result<&dyn Events, Error> {
    store
        .events()
        .ok_or_else(|| Error::Failed("this store keeps no events: those in directories do".to_owned()))
}

fn limit(arguments: &Query) -> usize {
    arguments.limit.map_or(MOST, |limit| limit as usize)
}

/// The filter that the options describe. Those that say nothing about events are refused.
fn filter(
    arguments: &Query,
    more: impl Iterator<Item = (&'static str, String)>,
    now: i64,
) -> Result<EventFilter, Error> {
    let filters: Vec<_> = arguments.filters.parameters().collect();
    if let Some((other, _)) = filters.iter().find(|(key, _)| !["location", "asn", "node"].contains(key)) {
        return Err(Error::Usage(format!(
            "{other}: events are selected by --location, --asn, --node, --server, --channel, --state and --alarms"
        )));
    }
    let own = [("channel", &arguments.channel), ("state", &arguments.state), ("server", &arguments.server)];
    let own = own.into_iter().filter_map(|(key, value)| Some((key, value.clone()?)));
    let alarms = arguments.alarms.then(|| ("alarm", "true".to_owned()));
    let parameters: Parameters = filters.into_iter().chain(own).chain(alarms).chain(more).collect();
    Ok(EventFilter::read(&parameters, now)?)
}
