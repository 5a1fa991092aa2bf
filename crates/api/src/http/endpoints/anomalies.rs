//! Events as Radar's traffic anomalies.

use cutshort_detect::{Event, EventState, SeriesPlace};
use cutshort_geo::Country;
use cutshort_store::{Annotation, AnnotationKind, Decision};
use cutshort_verdict::DataSet;
use serde::Serialize;
use utoipa::ToSchema;

use super::entities::written;
use super::events::{page, selected};
use super::of;
use crate::answer::{
    DATA_SOURCE, NetworkName, PlaceName, Sources, begin_of_window, is_of_a_place, place_of_event,
};
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Unknown};
use crate::http::parameters as p;
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::question::{EventFilter, Parameters};

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::Whole("/client/v4/radar/traffic_anomalies"),
    id: "trafficAnomalies",
    title: "Traffic anomalies",
    about: "Events of countries and networks as Radar lists its anomalies, the latest first; those that another event explains are left out, and so are floods and scans. They are verified if the operator has confirmed them or added an annotation about the same place and time, or an imported source agrees; those that the operator has dismissed are not.",
    group: Group::Events,
    parameters: &[
        &p::LIMIT_ANNOTATIONS,
        &p::OFFSET,
        &p::RANGE,
        &p::START,
        &p::END,
        &p::ONE_ASN,
        &p::ONE_LOCATION,
        &p::ANOMALY_STATUS,
        &p::ANOMALY_TYPE,
        &p::DATA_SOURCE,
        &p::EVENT_ORIGIN,
        &p::FORMAT,
    ],
    access: Access::Read,
    unknown: Unknown::Ignored,
    answers: Answers::Result { schema: of::<Anomalies>(), csv: true },
    good: &[200],
    bad: &[],
    takes: None,
    store: true,
    run: list,
};

pub(super) const LOCATIONS: Endpoint = Endpoint {
    path: Path::Whole("/client/v4/radar/traffic_anomalies/locations"),
    id: "trafficAnomaliesLocations",
    title: "Countries with traffic anomalies",
    about: "Countries by the number of their traffic anomalies, those of their networks included.",
    parameters: &[&p::LIMIT_ENTITIES, &p::RANGE, &p::START, &p::END, &p::ANOMALY_STATUS, &p::FORMAT],
    answers: Answers::Result { schema: of::<AnomalyCounts>(), csv: true },
    run: locations,
    ..LIST
};

/// A list of anomalies.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Anomalies {
    traffic_anomalies: Vec<Anomaly>,
}

/// An event as Radar describes an anomaly.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Anomaly {
    /// The ID of the event.
    uuid: String,
    /// LOCATION or AS.
    #[serde(rename = "type")]
    kind: &'static str,
    /// VERIFIED or UNVERIFIED.
    status: &'static str,
    /// The beginning of the event.
    #[schema(format = DateTime)]
    start_date: String,
    /// The end of the event; none if it is ongoing.
    #[schema(format = DateTime)]
    end_date: Option<String>,
    /// The network.
    asn_details: Option<NetworkName>,
    /// The country.
    location_details: Option<PlaceName>,
    /// Always empty here.
    #[schema(value_type = Option<String>)]
    origin_details: Option<()>,
    /// Where it can be seen.
    #[schema(value_type = Vec<String>)]
    visible_in_data_sources: [&'static str; 1],
}

/// How many anomalies countries have.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AnomalyCounts {
    traffic_anomalies: Vec<CountryCount>,
}

/// A country with a number.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CountryCount {
    /// The code of two letters (ISO 3166-1).
    client_country_alpha2: &'static str,
    /// The country's name.
    client_country_name: &'static str,
    /// The number, as text.
    value: String,
}

impl CountryCount {
    pub(super) const FIELDS: [&'static str; 3] = ["clientCountryAlpha2", "clientCountryName", "value"];

    /// Counts countries, those that occur most often first.
    pub(super) fn all(countries: impl Iterator<Item = Country>) -> Vec<Self> {
        let mut counts: Vec<(Country, u64)> = Vec::new();
        for country in countries {
            match counts.iter_mut().find(|(known, _)| *known == country) {
                Some((_, count)) => *count += 1,
                None => counts.push((country, 1)),
            }
        }
        counts.sort_by_key(|(country, count)| (std::cmp::Reverse(*count), country.alpha2()));
        let one = |(country, count): (Country, u64)| Self {
            client_country_alpha2: country.alpha2(),
            client_country_name: country.name(),
            value: count.to_string(),
        };
        counts.into_iter().map(one).collect()
    }

    pub(super) fn row(&self) -> Vec<String> {
        vec![self.client_country_alpha2.to_owned(), self.client_country_name.to_owned(), self.value.clone()]
    }
}

/// Which anomalies are asked for, in addition to those that events have.
struct Wanted {
    verified: Option<bool>,
    kinds: Vec<String>,
    /// Returns true if the filters ask for something that this server never has.
    nothing: bool,
}

impl Wanted {
    fn read(parameters: &Parameters) -> Result<Self, Problem> {
        let verified = match parameters.one("status")?.map(str::to_ascii_uppercase).as_deref() {
            None => None,
            Some("VERIFIED") => Some(true),
            Some("UNVERIFIED") => Some(false),
            Some(other) => {
                return Err(Problem::bad_input(format!(
                    "status: '{other}' is neither VERIFIED nor UNVERIFIED"
                )));
            }
        };
        let kinds: Vec<String> = parameters.all("type").map(str::to_ascii_uppercase).collect();
        if let Some(other) = kinds.iter().find(|kind| !["LOCATION", "AS", "ORIGIN"].contains(&kind.as_str()))
        {
            return Err(Problem::bad_input(format!("type: '{other}' is not one of LOCATION, AS, ORIGIN")));
        }
        let source = parameters.one("dataSource")?.map(str::to_ascii_uppercase);
        let is_elsewhere = source.is_some_and(|source| source != "ALL" && source != DATA_SOURCE);
        Ok(Self { verified, kinds, nothing: is_elsewhere || parameters.one("origin")?.is_some() })
    }
}

/// The anomalies that are asked for, the latest first, with their countries.
fn anomalies(call: &Call<'_>) -> Result<Vec<(Anomaly, Option<Country>)>, Problem> {
    let wanted = Wanted::read(&call.parameters)?;
    let mut filter = EventFilter::read(&call.parameters, call.now)?;
    filter.data_sets.include = vec![DataSet::Tcp];
    if wanted.nothing {
        return Ok(Vec::new());
    }
    let geo = &call.geo.data;
    let notes = call.store()?.annotations(i64::MIN..i64::MAX)?;
    let sources = Sources::read(call.app.store.as_ref())?;
    let mut all = Vec::new();
    for one in selected(call, &filter)? {
        let event = &one.kept.event;
        if event.part_of.is_some()
            || event.state == EventState::Retracted
            || !is_of_a_place(event)
            || event.channel.is_of_syns()
        {
            continue;
        }
        let country = place_of_event(event, geo);
        let (kind, asn, location) = match event.place {
            SeriesPlace::Network(number) => ("AS", Some(NetworkName::new(number, geo)), None),
            SeriesPlace::Country(_) => ("LOCATION", None, country.map(PlaceName::from)),
            _ => continue,
        };
        let is_verified = match &one.review {
            Some(review) => review.decision == Decision::Confirmed,
            None => {
                notes.iter().any(|note| confirms(note, event, country))
                    || sources.confirm(event, geo, call.now)?
            }
        };
        let is_wanted = wanted.kinds.is_empty() || wanted.kinds.iter().any(|wanted| wanted == kind);
        if !is_wanted || wanted.verified.is_some_and(|verified| verified != is_verified) {
            continue;
        }
        let anomaly = Anomaly {
            uuid: event.id.to_string(),
            kind,
            status: if is_verified { "VERIFIED" } else { "UNVERIFIED" },
            start_date: begin_of_window(event.onset),
            end_date: event.end.map(begin_of_window),
            asn_details: asn,
            location_details: location,
            origin_details: None,
            visible_in_data_sources: [DATA_SOURCE],
        };
        all.push((anomaly, country));
    }
    Ok(all)
}

/// Whether an operator's note is about the place and time of an event, which is of the data set `tcp`.
fn confirms(note: &Annotation, event: &Event, country: Option<Country>) -> bool {
    let note = &note.content;
    let start = |window: i64| cutshort_model::Window::from_number(window).start();
    let range = start(event.onset)..event.end.or(event.closed).map_or(i64::MAX, start);
    let is_there = match event.place {
        SeriesPlace::Network(number) => note.asns.contains(&number),
        _ => note.asns.is_empty() && country.is_some_and(|country| note.locations.contains(&country)),
    };
    matches!(note.kind, AnnotationKind::Outage | AnnotationKind::TrafficAnomaly)
        && note.concerns(DataSet::Tcp)
        && note.touches(&range)
        && is_there
}

fn list(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let found = page(call, anomalies(call)?, 100)?;
    let traffic_anomalies: Vec<Anomaly> = found.into_iter().map(|(anomaly, _)| anomaly).collect();
    let head = ["uuid", "type", "status", "startDate", "endDate", "asn", "location"];
    let row = |anomaly: &Anomaly| {
        let asn = anomaly.asn_details.as_ref().map(|network| network.asn.clone());
        let location = anomaly.location_details.as_ref().map_or("", |place| place.code);
        vec![
            anomaly.uuid.clone(),
            anomaly.kind.to_owned(),
            anomaly.status.to_owned(),
            anomaly.start_date.clone(),
            anomaly.end_date.clone().unwrap_or_default(),
            asn.unwrap_or_default(),
            location.to_owned(),
        ]
    };
    let rows = traffic_anomalies.iter().map(row).collect();
    Ok(written(call, &Anomalies { traffic_anomalies }, &head, rows)?.keep(None))
}

fn locations(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let countries = anomalies(call)?.into_iter().filter_map(|(_, country)| country);
    let traffic_anomalies = page(call, CountryCount::all(countries), 5)?;
    let rows = traffic_anomalies.iter().map(CountryCount::row).collect();
    Ok(written(call, &AnomalyCounts { traffic_anomalies }, &CountryCount::FIELDS, rows)?.keep(None))
}
