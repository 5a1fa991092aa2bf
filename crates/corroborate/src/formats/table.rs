//! CSV: of OONI, of CenAlert, and any with the columns `time` or `start`.

use std::collections::BTreeMap;

use cutshort_detect::{Channel, SeriesPlace};
use cutshort_store::OutsideReport;

use super::ooni::Aggregated;
use super::{Read, no_place, place_of};
use crate::Reading;
use crate::error::{ReadError, quoted};
use crate::fields::{Asn, Code, DAY, Moment, Number};
use crate::found::{Found, SHARES, id};

/// The name of a source that is not named.
const SOURCE: &str = "reports";
const CENALERT: &str = "cenalert";

/// A row with the names of its columns.
struct Line<'a> {
    number: u64,
    fields: BTreeMap<&'a str, &'a str>,
}

impl Line<'_> {
    /// A field that is not empty, under one of its names.
    fn text(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.fields.get(name)).copied().filter(|text| !text.is_empty())
    }

    /// The value of a field that may be empty.
    fn get<T>(&self, names: &[&str], parse: fn(&str) -> Result<T, String>) -> Result<Option<T>, ReadError> {
        let name = names.iter().find(|name| self.fields.contains_key(*name)).unwrap_or(&names[0]);
        let wrong = |problem| ReadError::field(self.number, name, problem);
        self.text(names).map(parse).transpose().map_err(wrong)
    }

    fn need<T>(&self, name: &str, parse: fn(&str) -> Result<T, String>) -> Result<T, ReadError> {
        let missing = || ReadError::field(self.number, name, "it is empty");
        self.get(&[name], parse)?.ok_or_else(missing)
    }
}

/// Takes a row of a format.
type TakeLine = fn(&Line<'_>, &Reading<'_>, &mut Found) -> Result<(), ReadError>;

pub(super) fn read(text: &str, reading: &Reading<'_>) -> Read {
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| of_csv(&error))?.clone();
    let names: Vec<String> = header.iter().map(str::to_ascii_lowercase).collect();
    let has = |all: &[&str]| all.iter().all(|name| names.iter().any(|known| known == name));
    let (format, take): (_, TakeLine) = if has(&[
        "anomaly_count",
        "measurement_count",
        "measurement_start_day",
    ]) {
        ("measurements of OONI", aggregated)
    } else if has(&["start", "peak", "score"]) {
        ("anomalies of CenAlert", cenalert_anomaly)
    } else if has(&["country_code", "start_date"]) {
        ("events of CenAlert", cenalert_event)
    } else if has(&["time"]) || has(&["start"]) {
        ("CSV", any)
    } else {
        let text = "no column \"time\" or \"start\": the first line must name the columns, such as start,end,location,asn,note";
        return Err(ReadError::line(1, text));
    };
    if format != "CSV" && reading.source.is_some() {
        return Err(ReadError::file(format!("--source is for other CSV files: this one has the {format}")));
    }
    let mut found = Found::of(reading.source);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| of_csv(&error))? {
        let number = record.position().map_or(0, csv::Position::line);
        let fields = names.iter().map(String::as_str).zip(&record).collect();
        take(&Line { number, fields }, reading, &mut found)?;
    }
    Ok((format, found))
}

fn of_csv(error: &csv::Error) -> ReadError {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            ReadError::line(line, format!("{len} columns instead of {expected_len}"))
        }
        _ => ReadError::line(line, "not CSV"),
    }
}

fn aggregated(line: &Line<'_>, reading: &Reading<'_>, found: &mut Found) -> Result<(), ReadError> {
    let row = Aggregated {
        anomaly_count: line.need("anomaly_count", Number::parse)?,
        confirmed_count: line.get(&["confirmed_count"], Number::parse)?,
        measurement_count: line.need("measurement_count", Number::parse)?,
        measurement_start_day: line.need("measurement_start_day", Moment::parse)?,
        probe_cc: line.get(&["probe_cc"], Code::parse)?,
        probe_asn: line.get(&["probe_asn"], Asn::parse)?,
        test_name: line.text(&["test_name"]).map(str::to_owned),
        domain: line.text(&["domain"]).map(str::to_owned),
        input: line.text(&["input"]).map(str::to_owned),
        category_code: line.text(&["category_code"]).map(str::to_owned),
    };
    row.take(reading, found).map_err(|problem| ReadError::line(line.number, problem))
}

/// The end of a day that is written as a day, and any other time as it is.
fn end_of(moment: Moment) -> i64 {
    moment.ns + if moment.is_day { DAY } else { 0 }
}

fn country_of(line: &Line<'_>) -> Result<Option<[u8; 2]>, ReadError> {
    Ok(line.get(&["country_code", "location", "country", "region"], Code::parse)?.map(|code| code.0))
}

fn cenalert_anomaly(line: &Line<'_>, reading: &Reading<'_>, found: &mut Found) -> Result<(), ReadError> {
    let (start, end) = (line.need("start", Moment::parse)?, line.get(&["end"], Moment::parse)?);
    let country = country_of(line)?;
    let place = place_of(None, country, reading).ok_or_else(|| ReadError::line(line.number, no_place()))?;
    let score = line.get(&["score"], Number::parse)?.map(|score| format!("score {:.1}", score.0));
    let words = [line.text(&["cause"]).map(str::to_owned), line.text(&["who"]).map(str::to_owned), score];
    let note = words.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let place_name = place.to_string();
    found.report(OutsideReport {
        source: CENALERT.to_owned(),
        id: id(&[&place_name, &start.ns.to_string()]),
        signal: "searches for VPNs".to_owned(),
        places: vec![place],
        from: start.ns,
        to: end.map(end_of),
        whole_days: true,
        note,
        url: None,
        imported: reading.now,
    });
    Ok(())
}

fn cenalert_event(line: &Line<'_>, reading: &Reading<'_>, found: &mut Found) -> Result<(), ReadError> {
    let country = line.need("country_code", Code::parse)?;
    let start = line.need("start_date", Moment::parse)?;
    let end = line.get(&["end_date"], Moment::parse)?.unwrap_or(start);
    let services = line.text(&["affected_services"]).unwrap_or_default();
    let place = SeriesPlace::Country(country.0);
    found.report(OutsideReport {
        source: CENALERT.to_owned(),
        id: id(&[&place.to_string(), &start.ns.to_string(), services]),
        signal: "event".to_owned(),
        places: vec![place],
        from: start.ns,
        to: Some(end_of(Moment { is_day: true, ..end })),
        whole_days: true,
        note: services.to_owned(),
        url: line.text(&["source", "url"]).filter(|url| url.starts_with("http")).map(str::to_owned),
        imported: reading.now,
    });
    Ok(())
}

/// What a signal of a CSV file is about: a channel that it names, or else traffic.
fn about(signal: &str) -> Vec<Channel> {
    match Channel::from_name(signal) {
        Some(channel) => vec![channel],
        None if signal == "blocking" => SHARES.to_vec(),
        None => vec![Channel::Traffic],
    }
}

/// A row with a time and a value is a point of a series, any other one a report.
fn any(line: &Line<'_>, reading: &Reading<'_>, found: &mut Found) -> Result<(), ReadError> {
    let start = line.get(&["start", "time"], Moment::parse)?;
    let start = start.ok_or_else(|| ReadError::field(line.number, "start", "it is empty"))?;
    let asn = line.get(&["asn"], Asn::parse)?.map(|asn| asn.0);
    let place = place_of(asn, country_of(line)?, reading).unwrap_or(SeriesPlace::World);
    let value = line.get(&["value", "fraction"], Number::parse)?;
    let signal = line.text(&["signal", "product"]);
    if let Some(Number(value)) = value.filter(|_| line.fields.contains_key("time")) {
        let signal = signal.unwrap_or("value");
        found.value(SOURCE, signal, &place, &about(signal), (start.ns, value));
        return Ok(());
    }
    let end = line.get(&["end"], Moment::parse)?;
    if end.is_some_and(|end| end_of(end) < start.ns) {
        let problem = format!("{} is before the beginning", quoted(line.text(&["end"]).unwrap_or_default()));
        return Err(ReadError::field(line.number, "end", problem));
    }
    let note = line.text(&["note"]).unwrap_or_default();
    let own_id = line.text(&["id"]).map(str::to_owned);
    let signal = signal.unwrap_or("report");
    found.report(OutsideReport {
        source: reading.source.unwrap_or(SOURCE).to_owned(),
        id: own_id.unwrap_or_else(|| id(&[&place.to_string(), &start.ns.to_string(), signal, note])),
        signal: signal.to_owned(),
        places: vec![place],
        from: start.ns,
        // A day without an end is that day.
        to: end.map(end_of).or(start.is_day.then(|| end_of(start))),
        whole_days: start.is_day,
        note: note.to_owned(),
        url: line.text(&["url"]).map(str::to_owned),
        imported: reading.now,
    });
    Ok(())
}
