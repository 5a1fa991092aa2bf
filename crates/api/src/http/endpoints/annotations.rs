//! Annotations by operators.

use std::ops::Range;

use cutshort_detect::{EventState, SeriesPlace};
use cutshort_geo::{Country, Geo};
use cutshort_report::events::sentence;
use cutshort_store::{Annotation, AnnotationKind, Choice, Decision, NewAnnotation};
use cutshort_verdict::DataSet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::anomalies::CountryCount;
use super::entities::written;
use super::events::{page, selected};
use super::of;
use crate::answer::{
    DATA_SOURCE, NetworkName, PlaceName, SelectedEvent, begin_of_window, is_of_a_place, place_of_event,
};
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Takes, Unknown};
use crate::http::parameters as p;
use crate::http::reply::{JSON, Reply};
use crate::http::tokens::Scope;
use crate::problem::Problem;
use crate::question::{self, EventFilter, asn, country, data_set, digits, iso, list, parse_time};

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
        &p::ANNOTATION_DATA_SET,
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

pub(super) const ALL: Endpoint = Endpoint {
    path: Path::Whole("/client/v4/radar/annotations"),
    id: "annotations",
    title: "Annotations and events",
    about: "Notes of the operator, and events that raised an alarm, in one list, the latest first: events are of the kind TRAFFIC_ANOMALY, or PIPELINE if they are about what was not collected, and have the ID of the event.",
    parameters: &[
        &p::LIMIT_ANNOTATIONS,
        &p::OFFSET,
        &p::RANGE,
        &p::START,
        &p::END,
        &p::ONE_ASN,
        &p::ONE_LOCATION,
        &p::EVENT_TYPE,
        &p::OUTAGE_CAUSE,
        &p::OUTAGE_TYPE,
        &p::ANNOTATION_QUERY,
        &p::DATA_SOURCE,
        &p::EVENT_ORIGIN,
        &p::ANNOTATION_DATA_SET,
        &p::FORMAT,
    ],
    run: all,
    ..BASE
};

pub(super) const LOCATIONS: Endpoint = Endpoint {
    path: Path::Whole("/client/v4/radar/annotations/outages/locations"),
    id: "annotationsOutagesLocations",
    title: "Countries with outages",
    about: "Countries by the number of outages that the operator has noted.",
    parameters: &[&p::LIMIT_ENTITIES, &p::RANGE, &p::START, &p::END, &p::ANNOTATION_DATA_SET, &p::FORMAT],
    answers: Answers::Result { schema: of::<OutageCounts>(), csv: true },
    run: locations,
    ..BASE
};

pub(super) const ADD: Endpoint = Endpoint {
    method: Method::Post,
    id: "annotate",
    title: "Add an annotation",
    about: "Adds a note about a time. Without countries and networks it applies to all places, and without a data set to all data sets.",
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
    /// The data set that it is about: tcp, origin or quic; none if it applies to all.
    data_set: Option<String>,
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

/// How many outages countries have.
#[derive(Serialize, ToSchema)]
struct OutageCounts {
    annotations: Vec<CountryCount>,
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
    /// The number by which it can be removed; the ID of an event.
    id: String,
    /// Always CONNECTION_ANOMALY.
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
    asns_details: Vec<NetworkName>,
    /// The affected countries, two letters each.
    locations: Vec<&'static str>,
    /// The affected countries with their names.
    locations_details: Vec<PlaceName>,
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
    /// The data set that it is about: tcp, origin or quic; empty if it applies to all.
    #[schema(max_items = 1)]
    tags: Vec<&'static str>,
}

fn get(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let wanted = Wanted::read(call)?;
    let notes = wanted.notes(call)?;
    let annotations = notes.into_iter().map(|note| KeptAnnotation::new(note, &call.geo.data)).collect();
    reply(call, page(call, annotations, 100)?)
}

/// Notes of the operator, and events.
fn all(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let wanted = Wanted::read(call)?;
    let mut found = Vec::new();
    if !wanted.nothing {
        let geo = &call.geo.data;
        found.extend(wanted.notes(call)?.into_iter().map(|note| KeptAnnotation::new(note, geo)));
        let filter = EventFilter { alarm: Some(true), ..EventFilter::read(&call.parameters, call.now)? };
        let events = selected(call, &filter)?
            .into_iter()
            .filter(|one| one.kept.event.state != EventState::Retracted && !one.is(Decision::Dismissed));
        found.extend(
            events.map(|one| KeptAnnotation::of_event(&one, geo)).filter(|event| wanted.has_event(event)),
        );
    }
    // Times have the same form, so that their order is that of the texts.
    found.sort_by(|one, other| other.start_date.cmp(&one.start_date));
    reply(call, page(call, found, 100)?)
}

fn locations(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let wanted = Wanted { kind: Some(AnnotationKind::Outage), ..Wanted::read(call)? };
    let countries = wanted.notes(call)?.into_iter().flat_map(|note| note.content.locations);
    let annotations = page(call, CountryCount::all(countries), 5)?;
    let rows = annotations.iter().map(CountryCount::row).collect();
    Ok(written(call, &OutageCounts { annotations }, &CountryCount::FIELDS, rows)?.keep(None))
}

fn reply(call: &Call<'_>, annotations: Vec<KeptAnnotation>) -> Result<Reply, Problem> {
    let rows = annotations.iter().map(KeptAnnotation::fields).collect();
    Ok(written(call, &Annotations { annotations }, &KeptAnnotation::FIELDS, rows)?.keep(None))
}

/// Which annotations are asked for.
struct Wanted {
    range: Range<i64>,
    countries: Choice<Country>,
    numbers: Choice<u32>,
    data_sets: Choice<DataSet>,
    kind: Option<AnnotationKind>,
    cause: Option<String>,
    outage: Option<String>,
    text: Option<String>,
    /// Returns true if the filters ask for something that this server never has.
    nothing: bool,
}

impl Wanted {
    fn read(call: &Call<'_>) -> Result<Self, Problem> {
        let parameters = &call.parameters;
        let text = |key| Ok::<_, Problem>(parameters.one(key)?.map(str::to_ascii_lowercase));
        let source = text("dataSource")?;
        let is_elsewhere =
            source.is_some_and(|source| source != "all" && !source.eq_ignore_ascii_case(DATA_SOURCE));
        Ok(Self {
            range: question::time_range(parameters, call.now)?.unwrap_or(i64::MIN..i64::MAX),
            countries: list("location", parameters.one("location")?, country)?,
            numbers: list("asn", parameters.one("asn")?, asn)?,
            data_sets: list("dataSet", parameters.one("dataSet")?, data_set)?,
            kind: parameters.one("eventType")?.map(kind).transpose()?,
            cause: text("outageCause")?,
            outage: text("outageType")?,
            text: text("query")?,
            nothing: is_elsewhere || parameters.one("origin")?.is_some(),
        })
    }

    /// The operator's notes that are asked for, the latest first.
    fn notes(&self, call: &Call<'_>) -> Result<Vec<Annotation>, Problem> {
        let mut found = call.store()?.annotations(self.range.clone())?;
        found.retain(|annotation| self.has(annotation));
        found.reverse();
        Ok(found)
    }

    fn has(&self, annotation: &Annotation) -> bool {
        let content = &annotation.content;
        let same = |wanted: &Option<String>, own: Option<&String>| {
            wanted.as_ref().is_none_or(|wanted| own.is_some_and(|own| own.eq_ignore_ascii_case(wanted)))
        };
        self.kind.is_none_or(|kind| kind == content.kind)
            && content.data_set.is_none_or(|own| self.data_sets.has(Some(&own)))
            && (self.countries.is_all() || content.locations.iter().any(|own| self.countries.has(Some(own))))
            && (self.numbers.is_all() || content.asns.iter().any(|own| self.numbers.has(Some(own))))
            && same(&self.cause, content.outage.as_ref().map(|(cause, _)| cause))
            && same(&self.outage, content.outage.as_ref().map(|(_, kind)| kind))
            && self.has_text(&content.description)
    }

    /// Returns true if an event passes the filters. Its place and time already do.
    fn has_event(&self, event: &KeptAnnotation) -> bool {
        self.kind.is_none_or(|kind| kind.name() == event.event_type)
            && self.cause.is_none()
            && self.outage.is_none()
            && self.has_text(&event.description)
    }

    fn has_text(&self, description: &str) -> bool {
        self.text.as_ref().is_none_or(|text| description.to_ascii_lowercase().contains(text))
    }
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
    let data_set = new.data_set.as_deref().map(data_set).transpose();
    let checked = NewAnnotation {
        data_set: data_set.map_err(|why| Problem::bad_input(format!("dataSet: {why}")))?,
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
    const FIELDS: [&'static str; 10] = [
        "id",
        "eventType",
        "startDate",
        "endDate",
        "description",
        "scope",
        "linkedUrl",
        "locations",
        "asns",
        "dataSet",
    ];

    fn new(annotation: Annotation, geo: &Geo) -> Self {
        let Annotation { id, content } = annotation;
        Self {
            id: id.to_string(),
            data_source: DATA_SOURCE,
            description: content.description,
            scope: content.scope,
            start_date: iso(content.start),
            end_date: content.end.map(iso),
            event_type: content.kind.name(),
            linked_url: content.linked_url,
            asns_details: content.asns.iter().map(|asn| NetworkName::new(*asn, geo)).collect(),
            asns: content.asns,
            locations_details: content.locations.iter().copied().map(PlaceName::from).collect(),
            locations: content.locations.into_iter().map(Country::alpha2).collect(),
            outage: content.outage.map(|(outage_cause, outage_type)| Outage { outage_cause, outage_type }),
            entities: [],
            geo_ids: [],
            origins: [],
            origins_details: [],
            tags: content.data_set.map(DataSet::name).into_iter().collect(),
        }
    }

    fn of_event(one: &SelectedEvent, geo: &Geo) -> Self {
        let event = &one.kept.event;
        let is_ours = !is_of_a_place(event);
        let asn = match event.place {
            SeriesPlace::Network(number) => Some(number),
            _ => None,
        };
        let location = place_of_event(event, geo);
        Self {
            id: event.id.to_string(),
            data_source: DATA_SOURCE,
            description: sentence(event, one.data_set, geo),
            scope: None,
            start_date: begin_of_window(event.onset),
            end_date: event.end.map(begin_of_window),
            event_type: if is_ours { AnnotationKind::Pipeline } else { AnnotationKind::TrafficAnomaly }
                .name(),
            linked_url: None,
            asns_details: asn.into_iter().map(|asn| NetworkName::new(asn, geo)).collect(),
            asns: asn.into_iter().collect(),
            locations_details: location.into_iter().map(PlaceName::from).collect(),
            locations: location.into_iter().map(Country::alpha2).collect(),
            outage: None,
            entities: [],
            geo_ids: [],
            origins: [],
            origins_details: [],
            tags: vec![one.data_set.name()],
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
            self.tags.join(" "),
        ]
    }
}
