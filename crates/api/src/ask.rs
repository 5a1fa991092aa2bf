//! Answers requests given as parameters, for both the API and the command line.

use cutshort_geo::Geo;
use cutshort_model::Dimension;
use cutshort_store::{Selection, Store};
use cutshort_verdict::{DataSet, Stage};
use serde::Serialize;

use crate::answer::{self, Answer, AskedTop, By, Facts, Order, SeriesQuery, Top, Who};
use crate::cost;
use crate::problem::Problem;
use crate::question::{self, Filters, OWN_ARRAYS, Parameters, RADAR_ARRAYS, Series};

/// The store and settings with which requests are answered.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The store that is queried.
    pub store: &'a dyn Store,
    /// Facts that answers need in addition to counts.
    pub facts: &'a Facts,
    /// Names of networks.
    pub geo: &'a Geo,
    /// The end of relative ranges, in nanoseconds since the Unix epoch.
    pub now: i64,
    /// The maximum cost of an answer: the number of counts to read and give.
    pub cost: u64,
}

/// The kind of shares that are requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharesQuery {
    /// The property by which connections are grouped.
    pub by: By,
    /// Whether to return a time series, rather than one number.
    pub in_time: bool,
    /// Whether this is one of our own endpoints, rather than one of Radar's.
    pub own: bool,
}

/// Answers a request for shares, and returns the series that were requested.
///
/// # Errors
/// A [`Problem`] for invalid parameters, for requests that are too expensive or have no data, and for the store's
/// error.
pub fn shares(
    context: &Context<'_>,
    parameters: &Parameters,
    kind: SharesQuery,
) -> Result<(Answer, Vec<Series>), Problem> {
    let SharesQuery { by, in_time, own } = kind;
    let filters = if own { Filters::Extended(context.store.data_set()) } else { Filters::Radar };
    let name = if in_time { "serie" } else { "summary" };
    let series = question::series(parameters, name, filters, context.now)?;
    check_exclusion(by, &series)?;
    let bucket = if in_time { Some(question::bucket(parameters, &series)?) } else { None };
    let limit = limit(parameters, by, own)?;
    cost::check(&series, bucket, by, limit, context.facts.status.windows, context.cost)?;
    let counts = own && question::flag(parameters, "counts")?;
    let asked = SeriesQuery { series: &series, bucket, by, limit, counts, own };
    Ok((answer::answer(context.store, context.facts, &asked)?, series))
}

/// Refuses filters that do not apply to exclusions, such as stages.
fn check_exclusion(by: By, series: &[Series]) -> Result<(), Problem> {
    let fits = |series: &Series| {
        let of_connections = Selection {
            locations: Default::default(),
            continents: Default::default(),
            asns: Default::default(),
            ip_versions: Default::default(),
            ports: Default::default(),
            nodes: Default::default(),
            ..series.selection.clone()
        };
        series.stages.is_all() && of_connections == Selection::default()
    };
    if by != By::Exclusion || series.iter().all(fits) {
        return Ok(());
    }
    Err(Problem::bad_input(
        "exclusion: what is in no total has no stage, tag, signature or handshake; leave out these filters",
    ))
}

fn limit(parameters: &Parameters, by: By, own: bool) -> Result<usize, Problem> {
    /// More than the size of any set of values that is returned completely.
    const ALL: usize = 5000;
    let default = match by {
        By::Dimension(Dimension::Location | Dimension::As | Dimension::Port | Dimension::Node) => 10,
        _ => ALL,
    };
    if own { question::number(parameters, "limitPerGroup", default, 1..=ALL) } else { Ok(default) }
}

/// Answers a request for a ranking, and returns the series that were requested.
///
/// # Errors
/// The same as those of [`shares`].
pub fn ranking(
    context: &Context<'_>,
    parameters: &Parameters,
    who: Who,
) -> Result<(Top, Vec<Series>), Problem> {
    let parameters = with_stages(parameters, context.store.data_set());
    let series =
        question::series(&parameters, "top", Filters::Extended(context.store.data_set()), context.now)?;
    let limit = question::number(&parameters, "limit", 5, 1..=1000)?;
    let least = match parameters.one("minSample")? {
        Some(_) => Some(question::number(&parameters, "minSample", 1, 1..=1_000_000_000)? as u64),
        None => None,
    };
    let order = order(&parameters)?;
    // It is asked twice, the second time of completed handshakes.
    let (by, windows) = (By::Dimension(who.dimension()), context.facts.status.windows);
    cost::check(&series, None, by, limit, windows, context.cost / 2)?;
    let asked = AskedTop { series: &series, who, order, limit, least };
    let top = answer::top(context.store, context.facts, context.geo, &asked)?;
    Ok((top, series))
}

/// How many networks that rarely complete a handshake are listed.
const SCANNERS: usize = 4;

/// The networks whose connections mostly end before the handshake, of a ranking of completed handshakes.
///
/// # Errors
/// The same as those of [`shares`].
pub fn rarely_completed(context: &Context<'_>, parameters: &Parameters) -> Result<Top, Problem> {
    let first = question::stage_name(context.store.data_set(), Stage::PostSyn);
    let limit = SCANNERS.to_string();
    let asked = [("handshake", "all"), ("stage", first), ("limit", &limit)];
    let with = |parameters: Parameters, (key, value): (&'static str, &str)| {
        parameters.with(key, [value].into_iter())
    };
    let parameters = asked.into_iter().fold(parameters.clone(), with);
    Ok(ranking(context, &parameters, Who::Ases)?.0)
}

/// Replaces the stage `anomaly`, which is also the default, by all stages except `no_match`.
fn with_stages(parameters: &Parameters, set: DataSet) -> Parameters {
    let anomaly = set.stages().iter().filter(|stage| **stage != Stage::None);
    let anomaly: Vec<&str> = anomaly.map(|stage| question::stage_name(set, *stage)).collect();
    let anomaly = anomaly.join(",");
    let keys = RADAR_ARRAYS.iter().chain(&OWN_ARRAYS);
    let count = keys.map(|key| parameters.count(key)).max().unwrap_or(0).max(1);
    let stage = |at| match parameters.at("stage", at) {
        None => &anomaly,
        Some(stage) if stage.eq_ignore_ascii_case("anomaly") => &anomaly,
        Some(stage) => stage,
    };
    parameters.with("stage", (0..count).map(stage))
}

fn order(parameters: &Parameters) -> Result<Order, Problem> {
    match parameters.one("orderBy")?.map(str::to_ascii_lowercase).as_deref() {
        None | Some("low") => Ok(Order::Low),
        Some("value") => Ok(Order::Value),
        Some("count") => Ok(Order::Count),
        Some(other) => Err(Problem::bad_input(format!("orderBy: '{other}' is not one of low, value, count"))),
    }
}

/// The envelope of Radar's answers.
#[derive(Debug, Serialize)]
pub(crate) struct Envelope<'a, T> {
    pub(crate) success: bool,
    pub(crate) errors: &'a [Message],
    pub(crate) messages: &'a [Message],
    pub(crate) result: T,
}

/// A message about a request, in addition to the result.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Message {
    pub(crate) code: u32,
    pub(crate) message: String,
}

/// Serialises a result in Radar's envelope.
///
/// # Errors
/// A [`Problem`] if it cannot be serialised.
pub fn json(result: &impl Serialize) -> Result<Vec<u8>, Problem> {
    enveloped(result, &[])
}

pub(crate) fn enveloped(result: &impl Serialize, messages: &[Message]) -> Result<Vec<u8>, Problem> {
    let envelope = Envelope { success: true, errors: &[], messages, result };
    serde_json::to_vec(&envelope).map_err(|error| Problem::internal(error.to_string()))
}
