//! IODA: signals, outage alerts, and outage events in both of their formats.

use cutshort_detect::{Channel, SeriesPlace};
use cutshort_model::rfc3339;
use cutshort_store::{OutsideReport, OutsideSpan};
use serde::Deserialize;
use serde_json::Value;

use super::{Read, items_have, typed};
use crate::Reading;
use crate::error::ReadError;
use crate::fields::{Asn, Code, Moment, Number, SECOND};
use crate::found::Found;

const SOURCE: &str = "ioda";
const OTHER_PLACES: &str = "of regions and of parts of networks";

/// An answer with what was asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<T> {
    data: T,
    #[serde(default)]
    request_parameters: Option<Request>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    entity_type: Option<String>,
    entity_code: Option<String>,
    from: Option<Moment>,
    until: Option<Moment>,
    datasource: Option<String>,
    limit: Option<Number>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signal {
    entity_type: String,
    entity_code: String,
    datasource: String,
    #[serde(default)]
    subtype: Option<String>,
    from: Moment,
    step: Number,
    values: Vec<Option<Number>>,
}

#[derive(Deserialize)]
struct Entity {
    #[serde(rename = "type")]
    kind: String,
    code: String,
}

#[derive(Deserialize)]
struct Alert {
    datasource: String,
    entity: Entity,
    time: Moment,
    level: String,
    #[serde(default)]
    value: Option<Number>,
    #[serde(default, rename = "historyValue")]
    history: Option<Number>,
    #[serde(default)]
    method: Option<String>,
}

/// An event as the common outage data format has it.
#[derive(Deserialize)]
struct Codf {
    location: String,
    start: Moment,
    duration: Number,
    datasource: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    score: Option<Number>,
}

/// An event in IODA's own format. Times are left out where they are 0.
#[derive(Deserialize)]
struct Own {
    entity: Entity,
    from: Option<Moment>,
    until: Option<Moment>,
    datasource: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    score: Option<Number>,
}

/// Reads a file if it is one of IODA's.
pub(super) fn read(first: &Value, text: &str, reading: &Reading<'_>) -> Option<Read> {
    let is_bare = first.is_array();
    let data = if is_bare { Some(first) } else { first.get("data") };
    let inner = data.and_then(Value::as_array).and_then(|data| data.first());
    let kind = first.get("type").and_then(Value::as_str).unwrap_or_default();
    let has = |field| items_have(data, field);
    let whole = |read: fn(&str, bool, &Reading<'_>) -> Read| Some(read(text, is_bare, reading));
    if kind == "signals" || items_have(inner, "datasource") {
        whole(signals)
    } else if kind == "outages.alerts" || (has("level") && has("entity")) {
        whole(alerts)
    } else if has("location") && has("duration") {
        whole(codf)
    } else if kind == "outages.events" || (has("entity") && has("datasource")) {
        whole(own)
    } else {
        None
    }
}

fn answer<T: serde::de::DeserializeOwned>(text: &str, is_bare: bool) -> Result<Answer<T>, ReadError> {
    match is_bare {
        true => Ok(Answer { data: typed(text)?, request_parameters: None }),
        false => typed(text),
    }
}

/// The place with a kind and code; none if it is neither a country nor a network.
fn place(kind: &str, code: &str) -> Result<Option<SeriesPlace>, String> {
    match kind {
        "country" => Code::parse(code).map(|code| Some(SeriesPlace::Country(code.0))),
        "asn" => Asn::parse(code).map(|asn| Some(SeriesPlace::Network(asn.0))),
        _ => Ok(None),
    }
}

fn signals(text: &str, is_bare: bool, _: &Reading<'_>) -> Read {
    let mut found = Found::default();
    let answer: Answer<Vec<Vec<Signal>>> = answer(text, is_bare)?;
    for (number, signal) in (1..).zip(answer.data.iter().flatten()) {
        let wrong = |problem| ReadError::item("data", number, problem);
        let Some(place) = place(&signal.entity_type, &signal.entity_code).map_err(wrong)? else {
            found.leave_out(OTHER_PLACES);
            continue;
        };
        let name = &signal.datasource;
        if name.ends_with("-loss") || name.ends_with("-latency") || name.starts_with("upstream-delay") {
            found.leave_out("signals of loss and delay");
            continue;
        }
        let step = (signal.step.0 * SECOND as f64) as i64;
        if step <= 0 {
            return Err(wrong("\"step\" must be more than 0 seconds".to_owned()));
        }
        let name = match signal.subtype.as_deref() {
            None | Some("") => name.clone(),
            Some(subtype) => format!("{name} {subtype}"),
        };
        let about = [Channel::Traffic];
        found.step(SOURCE, &name, &place, &about, step);
        for (at, value) in (0..).zip(&signal.values) {
            if let Some(Number(value)) = value {
                found.value(SOURCE, &name, &place, &about, (signal.from.ns + at * step, *value));
            }
        }
    }
    Ok(("signals of IODA", found))
}

/// The parts of a report that all three kinds have.
struct Outage<'a> {
    place: SeriesPlace,
    datasource: &'a str,
    method: Option<&'a str>,
    from: i64,
    to: Option<i64>,
    note: String,
}

impl Outage<'_> {
    fn report(self, now: i64) -> OutsideReport {
        let method = self.method.unwrap_or_default();
        OutsideReport {
            source: SOURCE.to_owned(),
            id: format!("{} {method} {} {}", self.datasource, self.place, rfc3339(self.from)),
            signal: self.datasource.to_owned(),
            places: vec![self.place],
            from: self.from,
            to: self.to,
            whole_days: false,
            note: self.note,
            url: None,
            imported: now,
        }
    }
}

fn score(score: Option<Number>) -> String {
    score.map(|score| format!("score {:.0}", score.0)).unwrap_or_default()
}

fn codf(text: &str, is_bare: bool, reading: &Reading<'_>) -> Read {
    let mut found = Found::default();
    let answer: Answer<Vec<Codf>> = answer(text, is_bare)?;
    for (number, event) in (1..).zip(&answer.data) {
        let wrong = |problem| ReadError::item("data", number, problem);
        let no_code =
            || wrong(format!("\"location\" is {:?}: country/IQ or asn/64500 was expected", event.location));
        let (kind, code) = event.location.split_once('/').ok_or_else(no_code)?;
        let Some(place) = place(kind, code).map_err(wrong)? else {
            found.leave_out(OTHER_PLACES);
            continue;
        };
        let outage = Outage {
            place,
            datasource: &event.datasource,
            method: event.method.as_deref(),
            from: event.start.ns,
            to: Some(event.start.ns + (event.duration.0 * SECOND as f64) as i64),
            note: score(event.score),
        };
        found.report(outage.report(reading.now));
    }
    span(answer.request_parameters, answer.data.len(), &mut found);
    Ok(("outage events of IODA", found))
}

fn own(text: &str, is_bare: bool, reading: &Reading<'_>) -> Read {
    let mut found = Found::default();
    let answer: Answer<Vec<Own>> = answer(text, is_bare)?;
    for (number, event) in (1..).zip(&answer.data) {
        let wrong = |problem| ReadError::item("data", number, problem);
        let Some(place) = place(&event.entity.kind, &event.entity.code).map_err(wrong)? else {
            found.leave_out(OTHER_PLACES);
            continue;
        };
        let Some(from) = event.from else {
            found.leave_out("events without a beginning");
            continue;
        };
        let outage = Outage {
            place,
            datasource: &event.datasource,
            method: event.method.as_deref(),
            from: from.ns,
            to: event.until.map(|until| until.ns),
            note: score(event.score),
        };
        found.report(outage.report(reading.now));
    }
    span(answer.request_parameters, answer.data.len(), &mut found);
    Ok(("outage events of IODA", found))
}

/// An outage lasts from an alert that is critical to the next one of the same series that is normal.
fn alerts(text: &str, is_bare: bool, reading: &Reading<'_>) -> Read {
    let mut found = Found::default();
    let mut answer: Answer<Vec<Alert>> = answer(text, is_bare)?;
    let number = answer.data.len();
    answer.data.sort_by_key(|alert| alert.time);
    let mut open: Vec<(&Alert, Outage<'_>)> = Vec::new();
    for alert in &answer.data {
        let wrong = |problem| ReadError::file(format!("an alert in \"data\": {problem}"));
        let Some(place) = place(&alert.entity.kind, &alert.entity.code).map_err(wrong)? else {
            found.leave_out(OTHER_PLACES);
            continue;
        };
        let is_same = |(first, outage): &(&Alert, Outage<'_>)| {
            first.datasource == alert.datasource && first.method == alert.method && outage.place == place
        };
        let position = open.iter().position(is_same);
        match (alert.level.as_str(), position) {
            ("critical", None) => {
                let note = match (alert.value, alert.history) {
                    (Some(value), Some(history)) => format!("{} instead of {}", value.0, history.0),
                    _ => String::new(),
                };
                let (datasource, method) = (alert.datasource.as_str(), alert.method.as_deref());
                let outage = Outage { place, datasource, method, from: alert.time.ns, to: None, note };
                open.push((alert, outage));
            }
            ("normal", Some(position)) => {
                let (_, outage) = open.swap_remove(position);
                found.report(Outage { to: Some(alert.time.ns), ..outage }.report(reading.now));
            }
            _ => {}
        }
    }
    open.into_iter().for_each(|(_, outage)| found.report(outage.report(reading.now)));
    span(answer.request_parameters, number, &mut found);
    Ok(("outage alerts of IODA", found))
}

/// An answer that is not cut off, and not limited to one source of data, says that nothing else was seen.
fn span(request: Option<Request>, items: usize, found: &mut Found) {
    let Some(request) = request else { return };
    let is_cut = request.limit.is_some_and(|limit| items as f64 >= limit.0);
    let (Some(kind), Some(code), Some(from), Some(until)) =
        (request.entity_type, request.entity_code, request.from, request.until)
    else {
        return;
    };
    if let Ok(Some(place)) = place(&kind, &code)
        && !is_cut
        && request.datasource.is_none()
    {
        found.span(OutsideSpan { source: SOURCE.to_owned(), place, range: from.ns..until.ns });
    }
}
