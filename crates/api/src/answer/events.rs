//! Events as answers.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use cutshort_detect::{Channel, Config, Detector, Event, EventId, SeriesPlace};
use cutshort_geo::{Country, Geo};
use cutshort_model::Window;
use cutshort_report::events::{country, sentence};
use cutshort_store::{Decision, KeptEvent, Review, Store, StoreError};
use cutshort_verdict::DataSet;
use serde::Serialize;
use utoipa::ToSchema;

use super::corroboration::{FoundCorroboration, SourceLink, Sources, pages};
use crate::question::{EventFilter, iso};

/// An event: what began, and perhaps ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundEvent {
    /// 16 hexadecimal digits, which stay when counts are replaced.
    id: String,
    /// The data set in which it was found.
    data_set: &'static str,
    /// Where: `world`, `country:IQ`, `as:64500`, `server:NAME`, `server:ADDRESS:PORT` or `node:NAME`.
    place: String,
    /// The country; of a network, the one in which most of its addresses are.
    location: Option<PlaceName>,
    /// The network.
    asn: Option<NetworkName>,
    /// The server that did not collect packets.
    node: Option<String>,
    /// The server to which connections are opened: its name, or its address and port.
    server: Option<String>,
    /// In what: `traffic`, `post_syn`, `post_ack`, `post_psh`, `later`; `flood`, `scan` or `reflection` for single SYNs that say nothing about the
    /// connections of a place; or `observer` for what was not collected.
    channel: &'static str,
    /// `less` than usual, or `more`.
    direction: &'static str,
    /// The event in a sentence.
    summary: String,
    /// `open`, `closed`, `usual` after seven days, or `retracted` if it is gone since counts were replaced.
    state: &'static str,
    /// `minor`, `major` or `severe`, at worst.
    severity: &'static str,
    /// The beginning of its first 15 minutes.
    #[schema(format = DateTime)]
    onset: String,
    /// The end of its last 15 minutes; none while it continues.
    #[schema(format = DateTime)]
    end: Option<String>,
    /// When it was decided.
    #[schema(format = DateTime)]
    opened: String,
    /// When its end was decided, or that it is usual.
    #[schema(format = DateTime)]
    closed: Option<String>,
    /// The missing part of what was expected, 0 to 1, of events with less than usual.
    depth: Option<f64>,
    /// Points above the usual share, of events with more than usual.
    points: Option<f64>,
    /// Connections that are missing or too many, weighted.
    excess: f64,
    /// By the model, chance makes this in one of e^evidence cases.
    evidence: f64,
    /// The event that explains this one.
    part_of: Option<String>,
    /// The events that this one explains.
    parts: Vec<String>,
    /// The first event of its episode.
    episode: String,
    /// When it raised an alarm.
    #[schema(format = DateTime)]
    alarm: Option<String>,
    /// The number of changes.
    revision: u32,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated: String,
    /// What the operator decided about it, if anything.
    review: Option<FoundReview>,
    /// What each source says whose records were imported, one by one: they are never combined.
    corroboration: Vec<FoundCorroboration>,
    /// Pages of other sources about this place and time.
    links: Vec<SourceLink>,
}

/// What the operator decided about an event.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct FoundReview {
    /// `confirmed` or `dismissed`.
    decision: &'static str,
    /// Why, in words.
    note: Option<String>,
    /// When it was decided.
    #[schema(format = DateTime)]
    at: String,
}

impl From<&Review> for FoundReview {
    fn from(review: &Review) -> Self {
        Self { decision: review.decision.name(), note: review.note.clone(), at: iso(review.at) }
    }
}

/// A country with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlaceName {
    /// The code of two letters (ISO 3166-1).
    pub code: &'static str,
    /// The country's name.
    pub name: &'static str,
}

impl From<Country> for PlaceName {
    fn from(country: Country) -> Self {
        Self { code: country.alpha2(), name: country.name() }
    }
}

/// A network with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NetworkName {
    /// The AS number as text.
    pub asn: String,
    /// The network's name; empty if unknown.
    pub name: String,
    /// The country in which most of its addresses are.
    pub location: Option<PlaceName>,
}

impl NetworkName {
    /// Describes a network by its number.
    #[must_use]
    pub fn new(number: u32, geo: &Geo) -> Self {
        Self {
            asn: number.to_string(),
            name: geo.as_name(number).unwrap_or_default().to_owned(),
            location: home(number, geo).map(PlaceName::from),
        }
    }
}

/// The detector as it was after the last windows; none if events were not looked for yet.
///
/// # Errors
/// The store's.
pub fn latest_detector(store: &dyn Store) -> Result<Option<Detector>, StoreError> {
    let Some(events) = store.events() else { return Ok(None) };
    let checkpoint = events.checkpoint(i64::MAX)?;
    Ok(checkpoint.and_then(|checkpoint| Detector::restore(Config::default(), &checkpoint.state).ok()))
}

/// The country in which most of a network's addresses are.
#[must_use]
pub fn home(number: u32, geo: &Geo) -> Option<Country> {
    let networks = geo.networks();
    let at = networks.binary_search_by_key(&number, |network| network.asn).ok()?;
    networks[at].country
}

/// The country of an event's place.
pub(crate) fn location(event: &Event, geo: &Geo) -> Option<Country> {
    match event.place {
        SeriesPlace::Country(code) => country(code),
        SeriesPlace::Network(number) => home(number, geo),
        _ => None,
    }
}

/// The beginning of a window.
pub(crate) fn begin(window: i64) -> String {
    iso(Window::from_number(window).start())
}

/// The end of a window, when what it decides is known.
fn after(window: i64) -> String {
    begin(window + 1)
}

/// An event that was selected.
#[derive(Clone, Debug)]
pub struct SelectedEvent {
    /// Its data set.
    pub data_set: DataSet,
    /// The event itself.
    pub kept: KeptEvent,
    /// The events that it explains.
    pub parts: Vec<EventId>,
    /// What the operator decided about it.
    pub review: Option<Review>,
}

impl SelectedEvent {
    /// When it or the decision about it last changed, in nanoseconds since the Unix epoch.
    #[must_use]
    pub fn updated(&self) -> i64 {
        self.review.as_ref().map_or(self.kept.updated, |review| self.kept.updated.max(review.at))
    }

    /// Whether the operator has made this decision about it.
    #[must_use]
    pub fn is(&self, decision: Decision) -> bool {
        self.review.as_ref().is_some_and(|review| review.decision == decision)
    }
}

/// A list of events.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventList {
    /// The latest first.
    pub events: Vec<FoundEvent>,
}

impl EventList {
    /// The list as a table.
    #[must_use]
    pub fn csv(&self) -> String {
        let head = FoundEvent::FIELDS.map(str::to_owned).to_vec();
        let rows = self.events.iter().map(FoundEvent::row);
        super::csv_text(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
    }
}

/// The events of a store, and of the other data sets that it leads to, that a filter selects: the latest first.
///
/// # Errors
/// The store's error.
pub fn select(store: &dyn Store, geo: &Geo, filter: &EventFilter) -> Result<Vec<SelectedEvent>, StoreError> {
    let mut all = Vec::new();
    for data_set in DataSet::WITH_RULES.into_iter().filter(|set| filter.data_sets.has(Some(set))) {
        let Some(events) = store.find(data_set)?.and_then(Store::events) else { continue };
        let kept = events.list(&filter.query())?;
        let mut parts = parts(&kept);
        let mut reviews = events.reviews()?;
        let wanted = kept.into_iter().filter(|kept| filter.wants(&kept.event, geo));
        let selected = wanted.map(|kept| {
            let parts = parts.remove(&kept.event.id).unwrap_or_default();
            let review = reviews.remove(&kept.event.id);
            SelectedEvent { data_set, kept, parts, review }
        });
        all.extend(
            selected.filter(|one| filter.decisions.has(one.review.as_ref().map(|review| &review.decision))),
        );
    }
    all.sort_by_cached_key(|one| {
        let event = &one.kept.event;
        (Reverse(event.onset), one.data_set as usize, event.place.clone(), event.channel)
    });
    Ok(all)
}

/// The ids of the events that explain others, with those.
fn parts(events: &[KeptEvent]) -> BTreeMap<EventId, Vec<EventId>> {
    let mut parts: BTreeMap<EventId, Vec<EventId>> = BTreeMap::new();
    for KeptEvent { event, .. } in events {
        if let Some(whole) = event.part_of {
            parts.entry(whole).or_default().push(event.id);
        }
    }
    parts
}

impl FoundEvent {
    /// The columns of a table.
    pub const FIELDS: [&'static str; 17] = [
        "id",
        "dataSet",
        "place",
        "channel",
        "state",
        "severity",
        "onset",
        "end",
        "opened",
        "depth",
        "points",
        "partOf",
        "episode",
        "alarm",
        "summary",
        "review",
        "corroboration",
    ];

    /// Describes an event, with what other sources say about it. `now` is in nanoseconds since the Unix epoch.
    ///
    /// # Errors
    /// The store's error.
    pub fn corroborated(
        one: &SelectedEvent,
        geo: &Geo,
        sources: &Sources<'_>,
        now: i64,
    ) -> Result<Self, StoreError> {
        let event = &one.kept.event;
        let corroboration = sources.about(event, geo, now)?.into_iter().map(Into::into).collect();
        Ok(Self { corroboration, links: pages(event, now), ..Self::new(one, geo) })
    }

    /// What other sources say in short: `ioda agrees, ooni silent`.
    #[must_use]
    pub fn others(&self) -> String {
        let all: Vec<String> = self.corroboration.iter().map(FoundCorroboration::in_short).collect();
        all.join(", ")
    }

    /// What the operator decided about it: `confirmed`, `dismissed`, or empty.
    #[must_use]
    pub fn decision(&self) -> String {
        self.review.as_ref().map_or("", |review| review.decision).to_owned()
    }

    /// Describes an event by itself.
    #[must_use]
    pub fn new(one: &SelectedEvent, geo: &Geo) -> Self {
        let SelectedEvent { data_set, kept, parts, review } = one;
        let event = &kept.event;
        let is_drop = event.channel.is_drop();
        Self {
            id: event.id.to_string(),
            data_set: data_set.name(),
            place: event.place.to_string(),
            location: location(event, geo).map(PlaceName::from),
            asn: match event.place {
                SeriesPlace::Network(number) => Some(NetworkName::new(number, geo)),
                _ => None,
            },
            node: match &event.place {
                SeriesPlace::Node(name) => Some(name.clone()),
                _ => None,
            },
            server: match &event.place {
                SeriesPlace::Server(name) => Some(name.clone()),
                _ => None,
            },
            channel: event.channel.name(),
            direction: if is_drop { "less" } else { "more" },
            summary: sentence(event, *data_set, geo),
            state: event.state.name(),
            severity: event.severity.name(),
            onset: begin(event.onset),
            end: event.end.map(begin),
            opened: after(event.opened),
            closed: event.closed.map(after),
            depth: is_drop.then(|| rounded(event.size, 1000.0)),
            points: (!is_drop).then(|| rounded(100.0 * event.size, 10.0)),
            excess: rounded(event.excess, 1.0),
            evidence: rounded(event.evidence, 10.0),
            part_of: event.part_of.map(|id| id.to_string()),
            parts: parts.iter().map(EventId::to_string).collect(),
            episode: event.episode.to_string(),
            alarm: event.alarm.map(after),
            revision: event.revision,
            updated: iso(one.updated()),
            review: review.as_ref().map(FoundReview::from),
            corroboration: Vec::new(),
            links: Vec::new(),
        }
    }

    /// The row of a table.
    #[must_use]
    pub fn row(&self) -> Vec<String> {
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
        vec![
            self.id.clone(),
            self.data_set.to_owned(),
            self.place.clone(),
            self.channel.to_owned(),
            self.state.to_owned(),
            self.severity.to_owned(),
            self.onset.clone(),
            or_empty(&self.end),
            self.opened.clone(),
            number(self.depth),
            number(self.points),
            or_empty(&self.part_of),
            self.episode.clone(),
            or_empty(&self.alarm),
            self.summary.clone(),
            self.decision(),
            self.others(),
        ]
    }
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

/// Whether an event is about a place, and not about what we did not collect.
pub(crate) fn is_of_a_place(event: &Event) -> bool {
    event.channel != Channel::Observer
}
