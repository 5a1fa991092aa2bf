//! What is watched for events, and which networks follow an event of their country.

use cutshort_detect::{Channel, Detector, SeriesPlace};
use cutshort_report::events::status_name;
use cutshort_verdict::DataSet;
use serde::Serialize;
use utoipa::ToSchema;

use super::events::{by_id, page};
use super::of;
use crate::answer::{NetworkName, begin_of_window, latest_detector};
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Unknown};
use crate::http::parameters as p;
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::question::EventFilter;

pub(super) const WATCHED: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::Whole("/client/v4/cutshort/watched"),
    id: "watched",
    title: "What is watched",
    about: "The series in which events are looked for, by place and channel, and how soon one would be noticed: that no event is listed means something only where the place is watched. A place is learnt for its first weeks; with too few connections nothing can be noticed.",
    group: Group::Events,
    parameters: &[
        &p::LIMIT_ANNOTATIONS,
        &p::OFFSET,
        &p::EVENT_LOCATION,
        &p::ONE_CONTINENT,
        &p::ONE_ASN,
        &p::EVENT_SERVER,
        &p::ONE_DATA_SET,
    ],
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: of::<Watched>(), csv: false },
    good: &[200],
    bad: &[404],
    takes: None,
    store: true,
    run: watched,
};

pub(super) const FOLLOWERS: Endpoint = Endpoint {
    path: Path::Whole("/client/v4/cutshort/events/{id}/followers"),
    id: "followers",
    title: "Networks that follow an event",
    about: "Which networks of a country show what an open event of the country is about, and which do not, although it would have been noticed there by now. Networks that are too small to tell are in neither list.",
    parameters: &[&p::EVENT_PATH],
    answers: Answers::Result { schema: of::<Followers>(), csv: false },
    run: followers,
    ..WATCHED
};

/// The series that are watched for events.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Watched {
    /// The end of the last 15 minutes that were looked at; none if there were none.
    #[schema(format = DateTime)]
    as_of: Option<String>,
    /// The number of places with a series.
    places: u64,
    /// The selected places, in order: the world, countries, networks.
    watched: Vec<WatchedPlace>,
}

/// A place, and how each of its series is watched.
#[derive(Serialize, ToSchema)]
struct WatchedPlace {
    /// `world`, `country:IQ`, `as:64500` or `server:NAME`.
    place: String,
    /// One for each channel.
    series: Vec<WatchedSeries>,
}

/// A series, and how it is watched.
#[derive(Serialize, ToSchema)]
struct WatchedSeries {
    /// As that of an event.
    channel: &'static str,
    /// `watched`, `learning`, `too_few` or `unknown`.
    status: &'static str,
    /// The minutes after which a loss of everything, or the smallest rise that counts, would be noticed.
    minutes: Option<u32>,
}

/// Networks that follow an event of their country, and networks that do not.
#[derive(Serialize, ToSchema)]
struct Followers {
    /// Those in which the same is seen.
    following: Vec<NetworkName>,
    /// Those in which it would have been noticed by now, and is not.
    exempt: Vec<NetworkName>,
}

fn watched(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let mut filter = EventFilter::read(&call.parameters, call.now)?;
    filter.hides_addresses = !call.app.options.connections;
    let data_set = filter.data_sets.include.first().copied().unwrap_or(DataSet::Tcp);
    let detector = detector(call, data_set)?;
    let places: Vec<&SeriesPlace> =
        detector.watched().filter(|place| filter.wants_place(place, &call.geo.data)).collect();
    let places = page(call, places, 100)?;
    let result = Watched {
        as_of: detector.next().map(begin_of_window),
        places: detector.places() as u64,
        watched: places.into_iter().map(|place| of_place(&detector, place)).collect(),
    };
    Ok(Reply::result(&result, &call.messages)?.keep(None))
}

fn of_place(detector: &Detector, place: &SeriesPlace) -> WatchedPlace {
    let series = Channel::WATCHED.map(|channel| {
        let (status, minutes) = status_name(detector.status(place, channel));
        WatchedSeries { channel: channel.name(), status, minutes }
    });
    WatchedPlace { place: place.to_string(), series: series.into() }
}

fn followers(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let one = by_id(call)?;
    let event = &one.kept.event;
    let found = match event.place {
        SeriesPlace::Country(country) => detector(call, one.data_set)?.followers(country, event.channel),
        _ => None,
    };
    let found = found.ok_or_else(|| {
        Problem::no_data(format!(
            "event {} is not an open event of a country: only these have followers",
            event.id
        ))
    })?;
    let networks = |places: &[SeriesPlace]| {
        let number = |place: &SeriesPlace| match place {
            SeriesPlace::Network(number) => Some(NetworkName::new(*number, &call.geo.data)),
            _ => None,
        };
        places.iter().filter_map(number).collect()
    };
    let result = Followers { following: networks(&found.following), exempt: networks(&found.exempt) };
    Ok(Reply::result(&result, &call.messages)?.keep(None))
}

fn detector(call: &Call<'_>, data_set: DataSet) -> Result<Detector, Problem> {
    let nothing =
        || Problem::no_data(format!("no events have been looked for in the data set '{data_set}' yet"));
    latest_detector(call.app.store_of(data_set)?)?.ok_or_else(nothing)
}
