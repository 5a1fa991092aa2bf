//! Compares an event with what other sources say about its place and time.

use std::ops::Range;

use cutshort_detect::{Channel, Event, SeriesPlace};
use cutshort_model::{Window, date_time, grouped, until};
use cutshort_store::{OutsidePoint, OutsideReport, OutsideSeries, OutsideSpan};

use crate::fields::{DAY, SECOND};

const HOUR: i64 = 3600 * SECOND;
const WEEK: i64 = 7 * DAY;
/// How far apart a report and an event may be.
const SLACK: i64 = HOUR;
/// The least change of a series that counts, and of the routes that BGP knows.
const LEAST_CHANGE: f64 = 0.10;
const LEAST_CHANGE_BGP: f64 = 0.01;
/// The least change of a counted share, and of how many measurements it must be.
const LEAST_POINTS: f64 = 0.05;
const LEAST_MEASUREMENTS: f64 = 20.0;
/// Values during an event from which on a series is silent if it shows nothing.
const ENOUGH: usize = 3;
/// So many signals of a source are told at most.
const MOST: usize = 12;

/// What a source says about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opinion {
    /// It reports something there and then, or its values change in the same direction.
    Agrees,
    /// Its values change in the other direction.
    Disagrees,
    /// It was watching, and shows nothing.
    Silent,
    /// It says nothing about this place, time, or kind of event.
    NoData,
}

impl Opinion {
    /// The name in data: `agrees`, `disagrees`, `silent`, `no_data`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Disagrees => "disagrees",
            Self::Silent => "silent",
            Self::NoData => "no_data",
        }
    }
}

/// What is stored of other sources about the place and time of an event.
#[derive(Clone, Copy, Debug)]
pub struct Testimony<'a> {
    /// The names of all sources.
    pub sources: &'a [String],
    /// Reports, also of other places.
    pub reports: &'a [OutsideReport],
    /// Times for which sources listed all their reports.
    pub spans: &'a [OutsideSpan],
    /// Series of the place and of its country.
    pub series: &'a [OutsideSeries],
}

/// One source and an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Corroboration {
    /// The source.
    pub source: String,
    /// What it says: the first of its signals decides.
    pub opinion: Opinion,
    /// What each of its signals says: what agrees first, then what disagrees.
    pub said: Vec<Said>,
}

/// One signal of a source and an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The signal.
    pub signal: String,
    /// The place that it is about: that of the event, or its country.
    pub place: SeriesPlace,
    /// What it says.
    pub opinion: Opinion,
    /// The same in words.
    pub text: String,
    /// Of a report: by how many minutes it begins later than the event (earlier, if negative).
    pub minutes: Option<i64>,
    /// Where to read more.
    pub url: Option<String>,
}

/// When an event was, in nanoseconds since the Unix epoch.
fn time_of(event: &Event, now: i64) -> Range<i64> {
    let start = |window: i64| Window::from_number(window).start();
    let from = start(event.onset);
    from..event.end.or(event.closed).map_or(now, start).max(from + 1)
}

/// A time, and the times of the same length before it with which it is compared: 24 hours and 7 days, or as many of them as
/// it takes not to overlap.
fn compared(time: &Range<i64>) -> [Range<i64>; 3] {
    let length = time.end - time.start;
    let before = |period: i64| {
        let shift = period * ((length + period - 1) / period).max(1);
        time.start - shift..time.end - shift
    };
    [time.clone(), before(DAY), before(WEEK)]
}

/// The times whose values [`compare`] needs.
#[must_use]
pub fn needed(event: &Event, now: i64) -> [Range<i64>; 3] {
    compared(&time_of(event, now))
}

/// What each source says about an event, in the order of sources. `country` is that of a network. Nothing for events of our own
/// servers, and for floods and scans.
#[must_use]
pub fn compare(
    event: &Event,
    country: Option<[u8; 2]>,
    testimony: &Testimony<'_>,
    now: i64,
) -> Vec<Corroboration> {
    if event.channel.watched() != Some(event.channel) {
        return Vec::new();
    }
    let time = time_of(event, now);
    let around = match event.place {
        SeriesPlace::Network(_) => country.map(SeriesPlace::Country),
        _ => None,
    };
    let here = |place: &SeriesPlace| *place == event.place || Some(place) == around.as_ref();
    let one = |source: &String| {
        let mut said: Vec<Said> = Vec::new();
        let reports = testimony.reports.iter().filter(|report| report.source == *source);
        said.extend(reports.filter_map(|report| agreeing(report, &time, &here)));
        let series = testimony.series.iter().filter(|series| series.source == *source);
        let series: Vec<&OutsideSeries> =
            series.filter(|series| series.about.contains(&event.channel) && here(&series.place)).collect();
        // What is about the network itself says more than what is about its country.
        let own = series.iter().any(|series| series.place == event.place);
        let series = series.into_iter().filter(|series| !own || series.place == event.place);
        said.extend(series.filter_map(|series| of_series(series, event.channel, &time)));
        let listed = |span: &&OutsideSpan| {
            let range = &span.range;
            span.source == *source && here(&span.place) && range.start <= time.start && range.end >= time.end
        };
        if event.channel == Channel::Traffic
            && said.iter().all(|said| said.minutes.is_none())
            && let Some(span) = testimony.spans.iter().find(listed)
        {
            said.push(Said {
                signal: "reports".to_owned(),
                place: span.place.clone(),
                opinion: Opinion::Silent,
                text: "no report of this place and time".to_owned(),
                minutes: None,
                url: None,
            });
        }
        said.sort_by_cached_key(|said| (said.opinion, said.minutes.map(i64::abs), said.signal.clone()));
        said.truncate(MOST);
        let opinion = said.first().map_or(Opinion::NoData, |said| said.opinion);
        Corroboration { source: source.clone(), opinion, said }
    };
    testimony.sources.iter().map(one).collect()
}

/// A report of the same place and time.
fn agreeing(report: &OutsideReport, time: &Range<i64>, here: &impl Fn(&SeriesPlace) -> bool) -> Option<Said> {
    let place = report.places.iter().find(|place| here(place))?;
    // One that had not ended is known until it was imported.
    let end = report.to.unwrap_or(report.imported).max(report.from);
    let meets = if report.whole_days {
        let day = |ns: i64| ns.div_euclid(DAY);
        day(report.from) <= day(time.end - 1) && day(time.start) <= day(end - 1).max(day(report.from))
    } else {
        report.from - SLACK < time.end && time.start < end + SLACK
    };
    let begin = date_time(report.from);
    let (begin, last) = match report.whole_days {
        true => (begin.split(' ').next().unwrap_or_default().to_owned(), None),
        false => (format!("{begin} UTC"), report.to.map(|to| until(report.from, to))),
    };
    let last = last.map(|last| format!(" to {last}")).unwrap_or_default();
    let note = if report.note.is_empty() { String::new() } else { format!(": {}", report.note) };
    meets.then(|| Said {
        signal: report.signal.clone(),
        place: place.clone(),
        opinion: Opinion::Agrees,
        text: format!("{} {begin}{last}{note}", report.signal),
        minutes: Some((report.from - time.start) / (60 * SECOND)),
        url: report.url.clone(),
    })
}

/// What the values of a series say; nothing if it has none at that time.
fn of_series(series: &OutsideSeries, channel: Channel, time: &Range<i64>) -> Option<Said> {
    let lasts_into = |range: &Range<i64>| {
        let points = series.points.iter();
        let inside =
            points.filter(|point| point.at < range.end && point.at + series.step.max(1) > range.start);
        inside.copied().collect::<Vec<OutsidePoint>>()
    };
    let [during, day, week] = compared(time).map(|range| lasts_into(&range));
    if during.is_empty() {
        return None;
    }
    let is_count = during.iter().all(|point| point.of.is_some());
    let (opinion, text) = if is_count {
        of_counts(&during, &day, &week, channel)
    } else {
        of_values(series, &during, &day, &week, channel)
    };
    Some(Said {
        signal: series.signal.clone(),
        place: series.place.clone(),
        opinion,
        text: format!("{}: {text}", series.signal),
        minutes: None,
        url: None,
    })
}

/// The opinion that two changes say, in the direction of a channel.
fn opinion(changes: [f64; 2], least: f64, channel: Channel, is_enough: bool) -> Opinion {
    let toward = if channel.is_drop() { -1.0 } else { 1.0 };
    // What is measured in steps of a percent reaches it.
    let reaches = |sign: f64| changes.iter().all(|change| sign * change >= least - 1e-9);
    if reaches(toward) {
        Opinion::Agrees
    } else if reaches(-toward) {
        Opinion::Disagrees
    } else if is_enough {
        Opinion::Silent
    } else {
        Opinion::NoData
    }
}

fn of_values(
    series: &OutsideSeries,
    during: &[OutsidePoint],
    day: &[OutsidePoint],
    week: &[OutsidePoint],
    channel: Channel,
) -> (Opinion, String) {
    let (Some(now), Some(day), Some(week)) = (median(during), median(day), median(week)) else {
        return (Opinion::NoData, "no values of a day and of a week before".to_owned());
    };
    let text =
        format!("{} instead of {} a day before and {} a week before", plain(now), plain(day), plain(week));
    if day <= 0.0 || week <= 0.0 {
        return (Opinion::NoData, text);
    }
    let least = if series.signal == "bgp" { LEAST_CHANGE_BGP } else { LEAST_CHANGE };
    (opinion([now / day - 1.0, now / week - 1.0], least, channel, during.len() >= ENOUGH), text)
}

fn of_counts(
    during: &[OutsidePoint],
    day: &[OutsidePoint],
    week: &[OutsidePoint],
    channel: Channel,
) -> (Opinion, String) {
    let [now, day, week] = [during, day, week].map(share);
    let (Some((now, of)), Some((day, _)), Some((week, _))) = (now, day, week) else {
        let text =
            format!("fewer than {LEAST_MEASUREMENTS} measurements then, a day before, or a week before");
        return (Opinion::NoData, text);
    };
    let text = format!(
        "{:.1} % of {} measurements instead of {:.1} % a day before and {:.1} % a week before",
        100.0 * now,
        plain(of),
        100.0 * day,
        100.0 * week
    );
    (opinion([now - day, now - week], LEAST_POINTS, channel, true), text)
}

/// The share of counts, and of how many; none if these are too few.
fn share(points: &[OutsidePoint]) -> Option<(f64, f64)> {
    let value: f64 = points.iter().map(|point| point.value).sum();
    let of: f64 = points.iter().filter_map(|point| point.of).sum();
    (of >= LEAST_MEASUREMENTS).then(|| (value / of, of))
}

fn median(points: &[OutsidePoint]) -> Option<f64> {
    let mut values: Vec<f64> = points.iter().map(|point| point.value).collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// A number as people write it.
fn plain(number: f64) -> String {
    if (100.0..1e15).contains(&number) {
        return grouped(number.round() as u64);
    }
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
