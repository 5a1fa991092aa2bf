//! Censored Planet: rows of hyperquack, versions 1 and 2. Their servers are the vantage points: requests travel in the opposite direction
//! to ours. Of each row only counts are kept: how many were cut short while the answer was read.

use std::net::IpAddr;

use cutshort_detect::{Channel, SeriesPlace};
use serde::Deserialize;
use serde_json::Value;

use super::Read;
use crate::Reading;
use crate::error::ReadError;
use crate::fields::{Code, DAY, Moment};
use crate::found::Found;

pub(crate) const SOURCE: &str = "censored_planet";
/// The number of "connection reset by peer" on Linux.
const RESET: u64 = 104;

enum Row {
    Second(Second),
    First(First),
}

#[derive(Deserialize)]
struct Second {
    vp: IpAddr,
    location: Option<Location>,
    service: Option<String>,
    #[serde(default)]
    response: Vec<Response>,
    anomaly: bool,
    #[serde(default)]
    controls_failed: bool,
}

#[derive(Deserialize)]
struct Location {
    country_code: Option<Code>,
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    error: Value,
    start_time: Moment,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct First {
    server: IpAddr,
    #[serde(default)]
    results: Vec<Attempt>,
    blocked: bool,
    #[serde(default)]
    fail_sanity: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attempt {
    #[serde(default)]
    error: Value,
    start_time: Moment,
}

/// What counts of a row, whatever its version.
struct Tried {
    server: IpAddr,
    country: Option<[u8; 2]>,
    signal: String,
    is_sound: bool,
    is_cut: bool,
    at: Option<i64>,
}

pub(super) fn read(text: &str, reading: &Reading<'_>) -> Read {
    let mut found = Found::default();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let tried = tried(line).map_err(|error| ReadError::json(&error, line, number - 1))?;
        let Some(at) = tried.at.filter(|_| tried.is_sound) else {
            found.leave_out("rows whose control measurements failed, or without a response");
            continue;
        };
        let (country, network) = (reading.locate)(tried.server);
        let country = tried.country.or(country).map(SeriesPlace::Country);
        let day = at.div_euclid(DAY) * DAY;
        for place in country.into_iter().chain(network.map(SeriesPlace::Network)) {
            let count = (day, f64::from(u8::from(tried.is_cut)), 1.0);
            found.step(SOURCE, &tried.signal, &place, &[Channel::PostPsh], DAY);
            found.count(SOURCE, &tried.signal, &place, &[Channel::PostPsh], count);
        }
    }
    Ok(("hyperquack of Censored Planet", found))
}

fn tried(line: &str) -> Result<Tried, serde_json::Error> {
    let is_first = serde_json::from_str::<Value>(line)?.get("Server").is_some();
    let row = if is_first {
        Row::First(serde_json::from_str(line)?)
    } else {
        Row::Second(serde_json::from_str(line)?)
    };
    Ok(match row {
        Row::First(row) => Tried {
            server: row.server,
            country: None,
            signal: "hyperquack".to_owned(),
            is_sound: !row.fail_sanity,
            is_cut: row.blocked && row.results.iter().any(|one| is_cut(&one.error)),
            at: row.results.first().map(|one| one.start_time.ns),
        },
        Row::Second(row) => Tried {
            server: row.vp,
            country: row.location.and_then(|location| location.country_code).map(|code| code.0),
            signal: row.service.map_or("hyperquack".to_owned(), |service| format!("hyperquack {service}")),
            is_sound: !row.controls_failed,
            is_cut: row.anomaly && row.response.iter().any(|one| is_cut(&one.error)),
            at: row.response.first().map(|one| one.start_time.ns),
        },
    })
}

/// Whether an error is a reset or a timeout while an answer was read: `read/tcp.reset` and `read/timeout`.
fn is_cut(error: &Value) -> bool {
    match error {
        Value::String(text) => {
            let is_reading = text.starts_with("read ") || text.contains(" read: ");
            is_reading && ["connection reset", "timeout"].iter().any(|what| text.contains(what))
        }
        // As Go writes errors into JSON: a number of the system, or nothing for a timeout.
        Value::Object(error) => {
            let cause = error.get("Err");
            let is_known = |cause: &Value| {
                cause.as_u64() == Some(RESET) || cause.as_object().is_some_and(serde_json::Map::is_empty)
            };
            error.get("Op").and_then(Value::as_str) == Some("read") && cause.is_some_and(is_known)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn resets_and_timeouts_while_reading_count() {
        assert!(is_cut(&json!("read tcp 192.0.2.1:4000->203.0.113.9:443: read: connection reset by peer")));
        assert!(is_cut(&json!("read tcp 192.0.2.1:4000->203.0.113.9:443: i/o timeout")));
        assert!(is_cut(&json!({"Op": "read", "Net": "tcp", "Err": 104})));
        assert!(!is_cut(&json!("dial tcp 203.0.113.9:443: connect: connection refused")));
        assert!(!is_cut(&json!("dial tcp 203.0.113.9:443: i/o timeout")));
        assert!(!is_cut(&json!({"Op": "dial", "Err": {}})) && !is_cut(&Value::Null));
    }
}
