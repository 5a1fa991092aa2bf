//! OONI: aggregated measurements, analysis, changepoints and incidents.

use std::collections::BTreeMap;

use cutshort_detect::SeriesPlace;
use cutshort_store::OutsideReport;
use serde::Deserialize;
use serde_json::Value;

use super::{Read, items_have, no_place, place_of, typed};
use crate::Reading;
use crate::error::ReadError;
use crate::fields::{Asn, Code, Moment, Number};
use crate::found::{Found, SHARES, id};

pub(super) const SOURCE: &str = "ooni";

/// A row of the aggregation: in JSON, and in CSV with the same names.
#[derive(Deserialize)]
pub(super) struct Aggregated {
    pub(super) anomaly_count: Number,
    #[serde(default)]
    pub(super) confirmed_count: Option<Number>,
    pub(super) measurement_count: Number,
    pub(super) measurement_start_day: Moment,
    #[serde(default)]
    pub(super) probe_cc: Option<Code>,
    #[serde(default)]
    pub(super) probe_asn: Option<Asn>,
    #[serde(default)]
    pub(super) test_name: Option<String>,
    #[serde(default)]
    pub(super) domain: Option<String>,
    #[serde(default)]
    pub(super) input: Option<String>,
    #[serde(default)]
    pub(super) category_code: Option<String>,
}

impl Aggregated {
    /// Adds the row, or says what is missing.
    pub(super) fn take(&self, reading: &Reading<'_>, found: &mut Found) -> Result<(), String> {
        let place = place_of(self.probe_asn.map(|asn| asn.0), self.probe_cc.map(|code| code.0), reading);
        let place = place.ok_or_else(no_place)?;
        let cut = self.anomaly_count.0 + self.confirmed_count.map_or(0.0, |count| count.0);
        let of = self.measurement_count.0;
        if cut > of || cut < 0.0 {
            return Err(format!("{cut} anomalies of {of} measurements"));
        }
        let test = self.test_name.as_deref().unwrap_or("measurements");
        let of_what = [&self.domain, &self.input, &self.category_code].into_iter().flatten().next();
        let signal = of_what.map_or_else(|| test.to_owned(), |what| format!("{test} {what}"));
        found.count(SOURCE, &signal, &place, &SHARES, (self.measurement_start_day.ns, cut, of));
        Ok(())
    }
}

#[derive(Deserialize)]
struct Aggregation<T> {
    result: T,
}

#[derive(Deserialize)]
struct Results<T> {
    results: Vec<T>,
}

#[derive(Deserialize)]
struct Analysed {
    count: Number,
    measurement_start_day: Moment,
    loni: Loni,
    #[serde(default)]
    domain: Option<String>,
    #[serde(default)]
    probe_cc: Option<Code>,
    #[serde(default)]
    probe_asn: Option<Asn>,
}

#[derive(Deserialize)]
struct Loni {
    #[serde(default)]
    blocked_max: Option<Number>,
}

#[derive(Deserialize)]
struct Changepoint {
    #[serde(default)]
    probe_asn: Option<Asn>,
    probe_cc: Code,
    domain: String,
    start_time: Moment,
    #[serde(default)]
    change_dir: Option<String>,
    #[serde(default)]
    block_type: Option<String>,
}

#[derive(Deserialize)]
struct Incidents {
    incidents: Vec<Incident>,
}

#[derive(Deserialize)]
struct Incident {
    id: String,
    start_time: Moment,
    #[serde(default)]
    end_time: Option<Moment>,
    title: String,
    #[serde(default, rename = "CCs")]
    countries: Vec<Code>,
    #[serde(default, rename = "ASNs")]
    asns: Vec<Asn>,
    #[serde(default)]
    links: Vec<String>,
}

/// Reads a file if it is one of OONI's.
pub(super) fn read(first: &Value, text: &str, reading: &Reading<'_>) -> Option<Read> {
    let result = first.get("result");
    let counted = "anomaly_count";
    if result.is_some_and(|result| result.get(counted).is_some()) {
        let one = typed::<Aggregation<Aggregated>>(text).map(|answer| vec![answer.result]);
        return Some(one.and_then(|rows| aggregation(&rows, reading)));
    }
    let is_empty = first.get("dimension_count").is_some() && result.is_some_and(Value::is_array);
    if items_have(result, counted) || is_empty {
        let rows = typed::<Aggregation<Vec<Aggregated>>>(text).map(|answer| answer.result);
        return Some(rows.and_then(|rows| aggregation(&rows, reading)));
    }
    if first.is_array() && items_have(Some(first), counted) {
        return Some(typed::<Vec<Aggregated>>(text).and_then(|rows| aggregation(&rows, reading)));
    }
    let results = first.get("results");
    if items_have(results, "loni") {
        Some(analysis(text, reading))
    } else if items_have(results, "start_time")
        || (results.is_some() && first.get("dimension_count").is_none())
    {
        Some(changepoints(text, reading))
    } else if first.get("incidents").is_some() {
        Some(incidents(text, reading))
    } else {
        None
    }
}

fn aggregation(rows: &[Aggregated], reading: &Reading<'_>) -> Read {
    let mut found = Found::default();
    for (number, row) in (1..).zip(rows) {
        row.take(reading, &mut found).map_err(|problem| ReadError::item("result", number, problem))?;
    }
    Ok(("measurements of OONI", found))
}

fn analysis(text: &str, reading: &Reading<'_>) -> Read {
    let mut found = Found::default();
    for (number, row) in (1..).zip(&typed::<Results<Analysed>>(text)?.results) {
        let place = place_of(row.probe_asn.map(|asn| asn.0), row.probe_cc.map(|code| code.0), reading);
        let place = place.ok_or_else(|| ReadError::item("results", number, no_place()))?;
        let Some(blocked) = row.loni.blocked_max else {
            found.leave_out("measurements without a result");
            continue;
        };
        let signal = format!("analysis {}", row.domain.as_deref().unwrap_or("of all domains"));
        let (at, of) = (row.measurement_start_day.ns, row.count.0);
        found.count(SOURCE, &signal, &place, &SHARES, (at, blocked.0.clamp(0.0, 1.0) * of, of));
    }
    Ok(("analysis of OONI", found))
}

/// A change up begins what the next change down of the same domain and network ends.
fn changepoints(text: &str, reading: &Reading<'_>) -> Read {
    let mut found = Found::default();
    let mut rows = typed::<Results<Changepoint>>(text)?.results;
    rows.sort_by_key(|row| row.start_time);
    let mut open: BTreeMap<(SeriesPlace, String), OutsideReport> = BTreeMap::new();
    for row in rows {
        let network = row.probe_asn.map(|asn| SeriesPlace::Network(asn.0));
        let place = network.unwrap_or(SeriesPlace::Country(row.probe_cc.0));
        let key = (place.clone(), row.domain.clone());
        match row.change_dir.as_deref() {
            Some("up") => {
                let kind = row.block_type.as_deref().unwrap_or("change");
                let report = OutsideReport {
                    source: SOURCE.to_owned(),
                    id: id(&[&place.to_string(), &row.domain, &row.start_time.ns.to_string()]),
                    signal: format!("{kind} {}", row.domain),
                    places: vec![place],
                    from: row.start_time.ns,
                    to: None,
                    whole_days: false,
                    note: String::new(),
                    url: None,
                    imported: reading.now,
                };
                open.entry(key).or_insert(report);
            }
            Some("down") => match open.remove(&key) {
                Some(report) => found.report(OutsideReport { to: Some(row.start_time.ns), ..report }),
                None => found.leave_out("changes down without one up"),
            },
            _ => found.leave_out("changes without a direction"),
        }
    }
    open.into_values().for_each(|report| found.report(report));
    Ok(("changepoints of OONI", found))
}

fn incidents(text: &str, reading: &Reading<'_>) -> Read {
    let mut found = Found::default();
    for incident in typed::<Incidents>(text)?.incidents {
        let networks = incident.asns.iter().map(|asn| SeriesPlace::Network(asn.0));
        let countries = incident.countries.iter().map(|code| SeriesPlace::Country(code.0));
        let mut places: Vec<SeriesPlace> = networks.collect();
        // The networks of an incident are those in which it was seen.
        if places.is_empty() {
            places.extend(countries);
        }
        if places.is_empty() {
            places.push(reading.place.clone().unwrap_or(SeriesPlace::World));
        }
        found.report(OutsideReport {
            source: SOURCE.to_owned(),
            id: incident.id,
            signal: "incident".to_owned(),
            places,
            from: incident.start_time.ns,
            to: incident.end_time.map(|end| end.ns),
            whole_days: false,
            note: incident.title,
            url: incident.links.into_iter().next(),
            imported: reading.now,
        });
    }
    Ok(("incidents of OONI", found))
}
