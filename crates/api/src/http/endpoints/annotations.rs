//! Annotations by operators.

use cutshort_geo::{Country, Geo};
use cutshort_store::{Annotation, AnnotationKind, NewAnnotation};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entities::written;
use super::of;
use crate::answer::DATA_SOURCE;
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Takes, Unknown};
use crate::http::parameters as p;
use crate::http::reply::{JSON, Reply};
use crate::http::tokens::Scope;
use crate::problem::Problem;
use crate::question::{self, Filters, asn, country, digits, iso, list, parse_time};

const BASE: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::Whole("/client/v4/radar/annotations/outages"),
    id: "annotationsOutages",
    title: "Annotations",
    about: "Notes of the operator, the latest first. Those that affect a series are part of its answer as well.",
    group: Group::Annotations,
    parameters: &[
        &p::LIMIT_ANNOTATIONS,
        &p::OFFSET,
        &p::RANGE,
        &p::START,
        &p::END,
        &p::ONE_ASN,
        &p::ONE_LOCATION,
        &p::EVENT_TYPE,
        &p::FORMAT,
    ],
    access: Access::Read,
    unknown: Unknown::Ignored,
    answers: Answers::Result { schema: of::<Annotations>(), csv: true },
    good: &[200],
    bad: &[],
    takes: None,
    store: true,
    run: get,
};

pub(super) const LIST: Endpoint = BASE;

pub(super) const ADD: Endpoint = Endpoint {
    method: Method::Post,
    id: "annotate",
    title: "Add an annotation",
    about: "Adds a note about a time. Without countries and networks it applies to all.",
    parameters: &[],
    access: Access::Token(Scope::Write),
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: of::<OneAnnotation>(), csv: false },
    good: &[201],
    bad: &[413, 507],
    takes: Some(Takes { kind: JSON, schema: Some(of::<AnnotationToKeep>()), most: |_| 64 << 10 }),
    store: true,
    run: add,
    ..BASE
};

pub(super) const REMOVE: Endpoint = Endpoint {
    method: Method::Delete,
    path: Path::Whole("/client/v4/radar/annotations/outages/{id}"),
    id: "removeAnnotation",
    title: "Remove an annotation",
    about: "Removes an annotation by its ID.",
    parameters: &[&p::ANNOTATION_PATH],
    access: Access::Token(Scope::Write),
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: of::<RemovedAnnotation>(), csv: false },
    bad: &[404, 507],
    run: remove,
    ..BASE
};

/// An annotation to store.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AnnotationToKeep {
    /// The text of the annotation.
    #[schema(min_length = 1, max_length = 2000)]
    description: String,
    /// Start, in ISO 8601.
    #[schema(format = DateTime)]
    start_date: String,
    /// End; none if it is ongoing, equal to startDate for an instant.
    #[schema(format = DateTime)]
    end_date: Option<String>,
    /// GENERAL (or EVENT, its older name), OUTAGE (default), PARTIAL_PROJECTION, PIPELINE or TRAFFIC_ANOMALY.
    event_type: Option<String>,
    /// A link to details: http or https.
    linked_url: Option<String>,
    /// Which part of a place is affected, in words.
    scope: Option<String>,
    /// The affected countries, two letters each.
    #[serde(default)]
    #[schema(max_items = 250)]
    locations: Vec<String>,
    /// The affected networks, by AS number.
    #[serde(default)]
    #[schema(max_items = 1000)]
    asns: Vec<u32>,
    /// Details of an outage.
    outage: Option<Outage>,
}

/// Details of an outage.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Outage {
    /// Its cause, such as `CABLE_CUT`.
    outage_cause: String,
    /// Its type, such as `NATIONWIDE`.
    outage_type: String,
}

/// A list of annotations.
#[derive(Serialize, ToSchema)]
struct Annotations {
    annotations: Vec<KeptAnnotation>,
}

/// A single annotation.
#[derive(Serialize, ToSchema)]
struct OneAnnotation {
    annotation: KeptAnnotation,
}

/// The confirmation that an annotation was removed.
#[derive(Serialize, ToSchema)]
struct RemovedAnnotation {
    /// The number of the annotation.
    id: String,
}

/// An annotation that is stored.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct KeptAnnotation {
    /// The number by which it can be removed.
    id: String,
    /// The data set that it is about.
    data_source: &'static str,
    /// The text of the annotation.
    description: String,
    /// Which part of a place is affected.
    scope: Option<String>,
    /// The start of the event.
    #[schema(format = DateTime)]
    start_date: String,
    /// The end of the event; none if it is ongoing.
    #[schema(format = DateTime)]
    end_date: Option<String>,
    /// The kind of event.
    event_type: &'static str,
    /// A link to details.
    linked_url: Option<String>,
    /// The affected networks, by AS number.
    asns: Vec<u32>,
    /// The affected networks with their names.
    asns_details: Vec<AsnConcerned>,
    /// The affected countries, two letters each.
    locations: Vec<&'static str>,
    /// The affected countries with their names.
    locations_details: Vec<AnnotatedLocation>,
    /// Details of an outage.
    outage: Option<Outage>,
    /// Always empty here.
    #[schema(value_type = Vec<String>)]
    entities: [String; 0],
    /// Always empty here.
    #[schema(value_type = Vec<String>)]
    geo_ids: [String; 0],
    /// Always empty here.
    #[schema(value_type = Vec<String>)]
    origins: [String; 0],
    /// Always empty here.
    #[schema(value_type = Vec<String>)]
    origins_details: [String; 0],
    /// Always empty here.
    #[schema(value_type = Vec<String>)]
    tags: [String; 0],
}

/// A network affected.
#[derive(Serialize, ToSchema)]
struct AsnConcerned {
    /// The AS number as text.
    asn: String,
    /// The network's name; empty if unknown.
    name: String,
}

/// A country affected.
#[derive(Serialize, ToSchema)]
struct AnnotatedLocation {
    /// The code of two letters (ISO 3166-1).
    code: &'static str,
    /// The country's name.
    name: &'static str,
}

fn get(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let parameters = &call.parameters;
    let countries = list("location", parameters.one("location")?, country)?;
    let numbers = list("asn", parameters.one("asn")?, asn)?;
    let wanted = parameters.one("eventType")?.map(kind).transpose()?;
    let timed = ["dateRange", "dateStart", "dateEnd"].iter().any(|key| parameters.count(key) > 0);
    let range = match question::series(parameters, "annotations", Filters::Radar, call.now)?.first() {
        Some(series) if timed => series.range.clone(),
        _ => i64::MIN..i64::MAX,
    };
    let has = |annotation: &Annotation| {
        let content = &annotation.content;
        wanted.is_none_or(|kind| kind == content.kind)
            && (countries.is_all() || content.locations.iter().any(|own| countries.has(Some(own))))
            && (numbers.is_all() || content.asns.iter().any(|own| numbers.has(Some(own))))
    };
    let mut found = call.store()?.annotations(range)?;
    found.retain(has);
    found.reverse();
    let limit = question::number(parameters, "limit", 100, 1..=1000)?;
    let offset = question::number(parameters, "offset", 0, 0..=1_000_000)?;
    let entries = found.into_iter().skip(offset).take(limit);
    let annotations: Vec<KeptAnnotation> =
        entries.map(|annotation| KeptAnnotation::new(annotation, &call.geo.data)).collect();
    let rows = annotations.iter().map(KeptAnnotation::fields).collect();
    Ok(written(call, &Annotations { annotations }, &KeptAnnotation::FIELDS, rows)?.keep(None))
}

fn add(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let new: AnnotationToKeep = serde_json::from_slice(&call.body)
        .map_err(|error| Problem::bad_input(format!("the body is not a valid annotation: {error}")))?;
    let annotation = call.store()?.annotate(&checked(new)?)?;
    call.app.forget_facts();
    let result = OneAnnotation { annotation: KeptAnnotation::new(annotation, &call.geo.data) };
    Ok(Reply::result(&result, &call.messages)?.status(201))
}

fn remove(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let id = call.part("id").to_owned();
    let wrong = || Problem::bad_input(format!("id: '{id}' is not an annotation's ID, which is a number"));
    let number = digits(&id).ok_or_else(wrong)?;
    if !call.store()?.remove_annotation(number)? {
        return Err(Problem::no_data(format!("there is no annotation {id}")));
    }
    call.app.forget_facts();
    Reply::result(&RemovedAnnotation { id }, &call.messages)
}

fn checked(new: AnnotationToKeep) -> Result<NewAnnotation, Problem> {
    let time = |key: &str, text: &str| {
        parse_time(text).map_err(|why| Problem::bad_input(format!("{key}: '{text}' {why}")))
    };
    let places = new.locations.iter().map(|code| country(code));
    let locations: Result<Vec<Country>, String> = places.collect();
    let checked = NewAnnotation {
        kind: new.event_type.as_deref().map_or(Ok(AnnotationKind::Outage), kind)?,
        start: time("startDate", &new.start_date)?,
        end: new.end_date.as_deref().map(|end| time("endDate", end)).transpose()?,
        description: new.description.trim().to_owned(),
        linked_url: new.linked_url.filter(|url| !url.is_empty()),
        scope: new.scope.filter(|scope| !scope.is_empty()),
        locations: locations.map_err(|why| Problem::bad_input(format!("locations: {why}")))?,
        asns: new.asns,
        outage: new.outage.map(|outage| (outage.outage_cause, outage.outage_type)),
    };
    checked.check()?;
    Ok(checked)
}

fn kind(name: &str) -> Result<AnnotationKind, Problem> {
    AnnotationKind::from_name(name).ok_or_else(|| {
        let names = AnnotationKind::ALL.map(AnnotationKind::name).join(", ");
        Problem::bad_input(format!("eventType: '{name}' is not one of {names}"))
    })
}

impl KeptAnnotation {
    const FIELDS: [&'static str; 9] =
        ["id", "eventType", "startDate", "endDate", "description", "scope", "linkedUrl", "locations", "asns"];

    fn new(annotation: Annotation, geo: &Geo) -> Self {
        let Annotation { id, content } = annotation;
        let network = |asn: &u32| AsnConcerned {
            asn: asn.to_string(),
            name: geo.as_name(*asn).unwrap_or_default().to_owned(),
        };
        let place = |country: &Country| AnnotatedLocation { code: country.alpha2(), name: country.name() };
        Self {
            id: id.to_string(),
            data_source: DATA_SOURCE,
            description: content.description,
            scope: content.scope,
            start_date: iso(content.start),
            end_date: content.end.map(iso),
            event_type: content.kind.name(),
            linked_url: content.linked_url,
            asns_details: content.asns.iter().map(network).collect(),
            asns: content.asns,
            locations_details: content.locations.iter().map(place).collect(),
            locations: content.locations.into_iter().map(Country::alpha2).collect(),
            outage: content.outage.map(|(outage_cause, outage_type)| Outage { outage_cause, outage_type }),
            entities: [],
            geo_ids: [],
            origins: [],
            origins_details: [],
            tags: [],
        }
    }

    fn fields(&self) -> Vec<String> {
        let asns: Vec<String> = self.asns.iter().map(ToString::to_string).collect();
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![
            self.id.clone(),
            self.event_type.to_owned(),
            self.start_date.clone(),
            or_empty(&self.end_date),
            self.description.clone(),
            or_empty(&self.scope),
            or_empty(&self.linked_url),
            self.locations.join(" "),
            asns.join(" "),
        ]
    }
}
