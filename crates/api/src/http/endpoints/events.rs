//! Events: what began, and perhaps ended.

use cutshort_detect::EventId;
use cutshort_store::{Decision, Review};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entities::written;
use super::of;
use crate::answer::{EventList, FoundEvent, SelectedEvent, Sources, begin_of_window, select};
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Takes, Unknown};
use crate::http::html::escaped;
use crate::http::parameters as p;
use crate::http::reply::{JSON, Reply};
use crate::http::tokens::Scope;
use crate::problem::Problem;
use crate::question::{self, EventFilter, iso};

pub(super) const EVENTS: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::Whole("/client/v4/cutshort/events"),
    id: "events",
    title: "Events",
    about: "What began, and perhaps ended: fewer connections than usual from a place, or a larger share of them cut short at a stage; and what servers did not collect. Events of servers to which connections are opened are listed where these have a name (setting 'upstreams') or single connections may be read (setting 'connections'). The latest first, with what other sources say about the same place and time, as far as their files were imported. Nothing here says who did something, or why.",
    group: Group::Events,
    parameters: &[
        &p::LIMIT_ANNOTATIONS,
        &p::OFFSET,
        &p::RANGE,
        &p::START,
        &p::END,
        &p::EVENT_LOCATION,
        &p::ONE_CONTINENT,
        &p::ONE_ASN,
        &p::EVENT_NODE,
        &p::EVENT_SERVER,
        &p::EVENT_CHANNEL,
        &p::EVENT_STATE,
        &p::EVENT_SEVERITY,
        &p::EVENT_REVIEW,
        &p::EVENT_ALARM,
        &p::EVENT_DATA_SET,
        &p::FORMAT,
    ],
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: of::<EventList>(), csv: true },
    good: &[200],
    bad: &[],
    takes: None,
    store: true,
    run: list,
};

pub(super) const EVENT: Endpoint = Endpoint {
    path: Path::Whole("/client/v4/cutshort/events/{id}"),
    id: "event",
    title: "An event",
    about: "One event by its ID.",
    parameters: &[&p::EVENT_PATH],
    answers: Answers::Result { schema: of::<OneEvent>(), csv: false },
    bad: &[404],
    run: one,
    ..EVENTS
};

const REVIEW_PATH: Path = Path::Whole("/client/v4/cutshort/events/{id}/review");

pub(super) const REVIEW: Endpoint = Endpoint {
    method: Method::Post,
    path: REVIEW_PATH,
    id: "reviewEvent",
    title: "Confirm or dismiss an event",
    about: "Stores that the operator confirms an event or dismisses it, in place of an earlier decision. Dismissed events are still listed, as such. Decisions stay when counts are replaced.",
    access: Access::Token(Scope::Write),
    bad: &[404, 413, 507],
    takes: Some(Takes { kind: JSON, schema: Some(of::<ReviewToKeep>()), most: |_| 64 << 10 }),
    run: review,
    ..EVENT
};

pub(super) const WITHDRAW: Endpoint = Endpoint {
    method: Method::Delete,
    path: REVIEW_PATH,
    id: "withdrawReview",
    title: "Take back a decision about an event",
    about: "The event is neither confirmed nor dismissed then.",
    access: Access::Token(Scope::Write),
    bad: &[404, 507],
    run: withdraw,
    ..EVENT
};

pub(super) const FEED: Endpoint = Endpoint {
    path: Path::Whole("/client/v4/cutshort/events.atom"),
    id: "eventsFeed",
    title: "Feed of events",
    about: "Events as an Atom feed, the latest first, for the same selections: a feed for each place and channel. Only those that raised an alarm, unless 'alarm' says otherwise.",
    answers: Answers::Text(&[ATOM]),
    run: feed,
    ..EVENTS
};

const ATOM: &str = "application/atom+xml";
/// So many entries has a feed without a limit.
const ENTRIES: usize = 100;

/// What the operator decides about an event.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReviewToKeep {
    /// `confirmed` or `dismissed`.
    decision: String,
    /// Why, in words.
    #[schema(max_length = 2000)]
    note: Option<String>,
}

/// A single event.
#[derive(Serialize, ToSchema)]
struct OneEvent {
    event: FoundEvent,
}

/// The events of all data sets that are asked for, the latest first.
pub(super) fn selected(call: &Call<'_>, filter: &EventFilter) -> Result<Vec<SelectedEvent>, Problem> {
    let filter = EventFilter { hides_addresses: !call.app.options.connections, ..filter.clone() };
    Ok(select(call.app.store.as_ref(), &call.geo.data, &filter)?)
}

/// The requested part of a list.
pub(super) fn page<T>(call: &Call<'_>, all: Vec<T>, default: usize) -> Result<Vec<T>, Problem> {
    let limit = question::number(&call.parameters, "limit", default, 1..=1000)?;
    let offset = question::number(&call.parameters, "offset", 0, 0..=1_000_000)?;
    Ok(all.into_iter().skip(offset).take(limit).collect())
}

fn list(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let filter = EventFilter::read(&call.parameters, call.now)?;
    let selected = page(call, selected(call, &filter)?, ENTRIES)?;
    let sources = Sources::read(call.app.store.as_ref())?;
    let describe = |one| FoundEvent::corroborated(one, &call.geo.data, &sources, call.now);
    let events: Vec<FoundEvent> = selected.iter().map(describe).collect::<Result<_, _>>()?;
    let rows = events.iter().map(FoundEvent::row).collect();
    Ok(written(call, &EventList { events }, &FoundEvent::FIELDS, rows)?.keep(None))
}

fn one(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let sources = Sources::read(call.app.store.as_ref())?;
    let event = FoundEvent::corroborated(&by_id(call)?, &call.geo.data, &sources, call.now)?;
    Ok(Reply::result(&OneEvent { event }, &call.messages)?.keep(None))
}

fn review(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let ReviewToKeep { decision, note } = serde_json::from_slice(&call.body)
        .map_err(|error| Problem::bad_input(format!("the body is not a valid review: {error}")))?;
    let unknown = || Problem::bad_input(format!("decision: '{decision}' is neither confirmed nor dismissed"));
    let decision = Decision::from_name(&decision).ok_or_else(unknown)?;
    let review = Review::new(decision, note.as_deref(), call.now).map_err(Problem::bad_input)?;
    decide(call, Some(&review))
}

fn withdraw(call: &mut Call<'_>) -> Result<Reply, Problem> {
    decide(call, None)
}

fn decide(call: &mut Call<'_>, review: Option<&Review>) -> Result<Reply, Problem> {
    let SelectedEvent { data_set, kept, .. } = by_id(call)?;
    if let Some(events) = call.app.store_of(data_set)?.events() {
        events.review(kept.event.id, review)?;
    }
    one(call)
}

/// The event that the path names.
pub(super) fn by_id(call: &Call<'_>) -> Result<SelectedEvent, Problem> {
    let id = call.part("id").to_owned();
    let wrong = || Problem::bad_input(format!("id: '{id}' is not the ID of an event: 16 hexadecimal digits"));
    let wanted = EventId::from_hex(&id).ok_or_else(wrong)?;
    let mut all = selected(call, &EventFilter::default())?.into_iter();
    let one = all.find(|one| one.kept.event.id == wanted);
    one.ok_or_else(|| Problem::no_data(format!("there is no event {id}")))
}

fn feed(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let filter = EventFilter::read(&call.parameters, call.now)?;
    let filter = EventFilter { alarm: filter.alarm.or(Some(true)), ..filter };
    let selected = page(call, selected(call, &filter)?, ENTRIES)?;
    let entries: String = selected.iter().map(|one| entry(call, one)).collect();
    let updated = selected.iter().map(SelectedEvent::updated).max().unwrap_or(0);
    let of: Vec<String> = [
        "location",
        "continent",
        "asn",
        "node",
        "server",
        "channel",
        "state",
        "severity",
        "review",
        "dataSet",
    ]
    .iter()
    .filter_map(|key| Some(format!("{key}={}", call.parameters.at(key, 0)?)))
    .collect();
    let of = if of.is_empty() { "all places".to_owned() } else { of.join(", ") };
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <id>urn:x-cutshort:events:{of}</id>\n<title>Events: {of}</title>\n<updated>{}</updated>\n\
         <author><name>cutshort</name></author>\n{entries}</feed>\n",
        iso(updated),
        of = escaped(&of),
    );
    Ok(Reply::new(ATOM, text).keep(None))
}

/// An entry of a feed. Its id stays, so readers show changes in place.
fn entry(call: &Call<'_>, one: &SelectedEvent) -> String {
    let event = &one.kept.event;
    let sentence = cutshort_report::events::sentence(event, one.data_set, &call.geo.data);
    let decided = one.review.as_ref().map_or("", |review| match review.decision {
        Decision::Confirmed => " Confirmed by the operator.",
        Decision::Dismissed => " Dismissed by the operator.",
    });
    let time = match (event.state.name(), event.end) {
        ("retracted", _) => "Retracted: the counts were replaced, and do not show it any more.".to_owned(),
        (_, Some(end)) => format!("{} to {}", begin_of_window(event.onset), begin_of_window(end)),
        ("usual", _) => format!("Since {}; usual by now.", begin_of_window(event.onset)),
        _ => format!("Since {}.", begin_of_window(event.onset)),
    };
    format!(
        "<entry>\n<id>urn:x-cutshort:event:{id}</id>\n<title>{}</title>\n<updated>{}</updated>\n<published>{}</published>\n\
         <link href=\"/{}\"/>\n<category term=\"{}\"/><category term=\"{}\"/>\n\
         <summary>{}{decided}</summary>\n</entry>\n",
        escaped(&sentence),
        iso(one.updated()),
        begin_of_window(event.opened + 1),
        escaped(&crate::page::of_event(event.id, one.data_set)),
        event.channel.name(),
        event.severity.name(),
        escaped(&time),
        id = event.id,
    )
}
