//! Cloudflare Radar: outages in both dialects, traffic anomalies, and time series.

use cutshort_detect::{Channel, SeriesPlace};
use cutshort_store::OutsideReport;
use serde::Deserialize;
use serde_json::Value;

use super::{Read, no_place, typed};
use crate::Reading;
use crate::error::ReadError;
use crate::fields::{Asn, Code, Moment, Number, Text};
use crate::found::Found;

const SOURCE: &str = "radar";
const PAGE: &str = "https://radar.cloudflare.com/outage-center";

#[derive(Deserialize)]
struct Answer<T> {
    result: T,
}

#[derive(Deserialize)]
struct Annotations {
    annotations: Vec<Annotation>,
}

/// Newer answers have more fields, and `location` in place of `locations` in the details of a network: neither is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Annotation {
    id: Text,
    start_date: Moment,
    end_date: Option<Moment>,
    description: Option<String>,
    #[serde(default)]
    asns: Vec<Asn>,
    #[serde(default)]
    locations: Vec<Code>,
    linked_url: Option<String>,
    event_type: Option<String>,
    outage: Option<Outage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outage {
    outage_cause: Option<String>,
    outage_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Anomalies {
    traffic_anomalies: Vec<Anomaly>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Anomaly {
    uuid: String,
    status: Option<String>,
    start_date: Moment,
    end_date: Option<Moment>,
    asn_details: Option<AsnDetails>,
    location_details: Option<LocationDetails>,
    #[serde(default)]
    visible_in_data_sources: Vec<String>,
}

#[derive(Deserialize)]
struct AsnDetails {
    asn: Asn,
}

#[derive(Deserialize)]
struct LocationDetails {
    code: Code,
}

#[derive(Deserialize)]
struct TimeSeries {
    serie_0: Serie,
}

#[derive(Deserialize)]
struct Serie {
    timestamps: Vec<Moment>,
    values: Option<Vec<Number>>,
    post_syn: Option<Vec<Number>>,
    post_ack: Option<Vec<Number>>,
    post_psh: Option<Vec<Number>>,
    #[serde(alias = "later")]
    later_in_flow: Option<Vec<Number>>,
}

/// Reads a file if it is one of Radar's.
pub(super) fn read(first: &Value, text: &str, reading: &Reading<'_>) -> Option<Read> {
    let is_bare = first.get("result").is_none();
    let result = first.get("result").unwrap_or(first);
    let has = |field| result.get(field).is_some();
    if has("annotations") {
        Some(inner(text, is_bare).and_then(|answer: Annotations| annotations(answer.annotations, reading)))
    } else if has("trafficAnomalies") {
        Some(inner(text, is_bare).and_then(|answer: Anomalies| anomalies(answer.traffic_anomalies, reading)))
    } else if has("serie_0") {
        let others =
            result.as_object().map_or(0, |all| all.keys().filter(|key| key.starts_with("serie_")).count());
        Some(inner(text, is_bare).and_then(|answer: TimeSeries| series(&answer.serie_0, others - 1, reading)))
    } else {
        None
    }
}

fn inner<T: serde::de::DeserializeOwned>(text: &str, is_bare: bool) -> Result<T, ReadError> {
    match is_bare {
        true => typed(text),
        false => typed(text).map(|answer: Answer<T>| answer.result),
    }
}

fn annotations(all: Vec<Annotation>, reading: &Reading<'_>) -> Read {
    let mut found = Found::default();
    for one in all {
        if one.event_type.as_deref().is_some_and(|kind| kind != "OUTAGE") {
            found.leave_out("annotations other than outages");
            continue;
        }
        let outage = one.outage.as_ref();
        let name = |name: fn(&Outage) -> &Option<String>| outage.and_then(|outage| name(outage).clone());
        let (cause, kind) = (name(|outage| &outage.outage_cause), name(|outage| &outage.outage_type));
        let mut places: Vec<SeriesPlace> = one.asns.iter().map(|asn| SeriesPlace::Network(asn.0)).collect();
        // An outage of networks is not one of their countries.
        if places.is_empty() || kind.as_deref() != Some("NETWORK") {
            places.extend(one.locations.iter().map(|code| SeriesPlace::Country(code.0)));
        }
        if places.is_empty() {
            found.leave_out("annotations without a country or network");
            continue;
        }
        let words = [one.description, cause, kind].into_iter().flatten().filter(|text| !text.is_empty());
        found.report(OutsideReport {
            source: SOURCE.to_owned(),
            id: format!("outage {}", one.id.0),
            signal: "outage".to_owned(),
            places,
            from: one.start_date.ns,
            to: one.end_date.map(|end| end.ns),
            whole_days: false,
            note: words.collect::<Vec<_>>().join(", "),
            url: one.linked_url.filter(|url| !url.is_empty()).or(Some(PAGE.to_owned())),
            imported: reading.now,
        });
    }
    Ok(("outages of Radar", found))
}

fn anomalies(all: Vec<Anomaly>, reading: &Reading<'_>) -> Read {
    let mut found = Found::default();
    for one in all {
        let network = one.asn_details.map(|details| SeriesPlace::Network(details.asn.0));
        let country = one.location_details.map(|details| SeriesPlace::Country(details.code.0));
        let Some(place) = network.or(country) else {
            found.leave_out("anomalies of origins");
            continue;
        };
        let status = one.status.map(|status| status.to_ascii_lowercase()).unwrap_or_default();
        found.report(OutsideReport {
            source: SOURCE.to_owned(),
            id: format!("anomaly {}", one.uuid),
            signal: "traffic anomaly".to_owned(),
            places: vec![place],
            from: one.start_date.ns,
            to: one.end_date.map(|end| end.ns),
            whole_days: false,
            note: [vec![status], one.visible_in_data_sources].concat().join(", "),
            url: Some(PAGE.to_owned()),
            imported: reading.now,
        });
    }
    Ok(("traffic anomalies of Radar", found))
}

fn series(serie: &Serie, others: usize, reading: &Reading<'_>) -> Read {
    let mut found = Found::default();
    let place = reading.place.clone().ok_or_else(|| ReadError::file(no_place()))?;
    let groups = [
        ("values", "traffic", &serie.values, Channel::Traffic),
        ("post_syn", "post_syn", &serie.post_syn, Channel::PostSyn),
        ("post_ack", "post_ack", &serie.post_ack, Channel::PostAck),
        ("post_psh", "post_psh", &serie.post_psh, Channel::PostPsh),
        ("later_in_flow", "later", &serie.later_in_flow, Channel::Later),
    ];
    if groups.iter().all(|(_, _, values, _)| values.is_none()) {
        return Err(ReadError::file(
            "\"serie_0\" has neither \"values\" nor the stages of tcp_resets_timeouts (post_syn, post_ack, ...)",
        ));
    }
    for (field, signal, values, channel) in groups {
        let Some(values) = values else { continue };
        if values.len() != serie.timestamps.len() {
            return Err(ReadError::file(format!(
                "\"serie_0\": {} of \"{field}\", but {} \"timestamps\"",
                values.len(),
                serie.timestamps.len()
            )));
        }
        for (at, value) in serie.timestamps.iter().zip(values) {
            found.value(SOURCE, signal, &place, &[channel], (at.ns, value.0));
        }
    }
    (0..others).for_each(|_| found.leave_out("series behind the first"));
    Ok(("time series of Radar", found))
}
