//! The formats. Which of them a file has is told from its content.

pub(crate) mod censored_planet;
mod ioda;
mod ooni;
mod radar;
mod table;

use cutshort_detect::SeriesPlace;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Reading;
use crate::error::ReadError;
use crate::found::Found;

/// What a reader returns: the format, and what it found.
pub(crate) type Read = Result<(&'static str, Found), ReadError>;

const UNKNOWN: &str = "not in a known format: files of IODA (signals, outage alerts and events), OONI (aggregation, \
                       changepoints, incidents), Radar (outages, traffic anomalies, time series), Censored Planet (hyperquack) \
                       and CenAlert are, and CSV with the columns time or start";

pub(crate) fn read(text: &str, reading: &Reading<'_>) -> Read {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.trim_start().chars().next() {
        None => Err(ReadError::file("the file is empty")),
        Some('{' | '[') => {
            if reading.source.is_some() {
                return Err(ReadError::file("--source is for CSV: other formats name their source"));
            }
            json(text, reading)
        }
        Some(_) => table::read(text, reading),
    }
}

fn json(text: &str, reading: &Reading<'_>) -> Read {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let first = values.next().transpose().map_err(|error| ReadError::json(&error, text, 0))?;
    let first = first.unwrap_or_default();
    if ["vp", "Server"].iter().any(|key| first.get(key).is_some()) {
        return censored_planet::read(text, reading);
    }
    if !text[values.byte_offset()..].trim().is_empty() {
        return Err(ReadError::file(UNKNOWN));
    }
    refuse_errors(&first)?;
    let readers = [ioda::read, ooni::read, radar::read];
    let read = readers.iter().find_map(|read| read(&first, text, reading));
    read.unwrap_or_else(|| Err(ReadError::file(UNKNOWN)))
}

/// An answer that says that the request failed is no data.
fn refuse_errors(answer: &Value) -> Result<(), ReadError> {
    let of_radar = answer.get("success") == Some(&Value::Bool(false));
    let of_ioda = answer.get("error").filter(|error| !error.is_null());
    if !of_radar && of_ioda.is_none() {
        return Ok(());
    }
    let why = of_ioda.or_else(|| answer.pointer("/errors/0/message")).map(Value::to_string);
    Err(ReadError::file(format!(
        "the answer is an error: {}",
        why.unwrap_or_else(|| "no reason given".to_owned())
    )))
}

/// Reads a text as a type.
fn typed<T: DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    serde_json::from_str(text).map_err(|error| ReadError::json(&error, text, 0))
}

/// Whether the first item of a list has a field.
fn items_have(list: Option<&Value>, field: &str) -> bool {
    let items = list.and_then(Value::as_array);
    items.and_then(|items| items.first()).is_some_and(|item| item.get(field).is_some())
}

/// What a file must be told whose records name no place.
fn no_place() -> String {
    "it does not say of which place it is: add --location or --asn".to_owned()
}

/// The place of a record that may name a network or a country; that of the option if it names none.
fn place_of(asn: Option<u32>, country: Option<[u8; 2]>, reading: &Reading<'_>) -> Option<SeriesPlace> {
    asn.map(SeriesPlace::Network)
        .or_else(|| country.map(SeriesPlace::Country))
        .or_else(|| reading.place.clone())
}
