//! Search for countries and networks by name.

use cutshort_geo::{Country, Geo};
use serde::Serialize;
use utoipa::ToSchema;

use super::entities::written;
use super::of;
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Unknown};
use crate::http::fold::fold;
use crate::http::parameters as p;
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::question::{self, Parameters};

pub(super) const GLOBAL: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::Whole("/client/v4/radar/search/global"),
    id: "searchGlobal",
    title: "Search",
    about: "Countries and networks by name, code or number; those that begin with what is asked for come first.",
    group: Group::Entities,
    parameters: &[&p::SEARCH, &p::LIMIT_ENTITIES, &p::LIMIT_PER_KIND, &p::INCLUDE, &p::EXCLUDE, &p::FORMAT],
    access: Access::Read,
    unknown: Unknown::Ignored,
    answers: Answers::Result { schema: of::<SearchResult>(), csv: true },
    good: &[200],
    bad: &[],
    takes: None,
    store: false,
    run,
};

/// The results of a search.
#[derive(Serialize, ToSchema)]
#[schema(as = Found)]
struct SearchResult {
    search: Vec<Hit>,
}

/// A country or network.
#[derive(Clone, Serialize, ToSchema)]
struct Hit {
    /// The country code or AS number.
    code: String,
    /// The name of the country or network.
    name: String,
    /// The kind, `location` or `asn`.
    #[serde(rename = "type")]
    kind: &'static str,
}

fn run(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let missing = || Problem::bad_input("query: missing; give a part of a name, a code or a number");
    let wanted = call.parameters.one("query")?.ok_or_else(missing).map(fold)?;
    let limit = question::number(&call.parameters, "limit", 5, 1..=1000)?;
    let each = question::number(&call.parameters, "limitPerGroup", limit, 1..=1000)?;
    let mut hits = Vec::new();
    if is_wanted(&call.parameters, "LOCATIONS")? {
        hits.extend(best(countries(&wanted), each));
    }
    if is_wanted(&call.parameters, "ASNS")? {
        hits.extend(best(asns(&call.geo.data, &wanted), each));
    }
    hits.sort_by_key(|(rank, _)| *rank);
    let search: Vec<Hit> = hits.into_iter().take(limit).map(|(_, hit)| hit).collect();
    let rows =
        search.iter().map(|hit| vec![hit.code.clone(), hit.name.clone(), hit.kind.to_owned()]).collect();
    written(call, &SearchResult { search }, &["code", "name", "type"], rows)
}

/// Whether this kind is searched.
fn is_wanted(parameters: &Parameters, kind: &str) -> Result<bool, Problem> {
    const KINDS: [&str; 2] = ["LOCATIONS", "ASNS"];
    for key in ["include", "exclude"] {
        let mut given = parameters.all(key).flat_map(|list| list.split(',')).filter(|one| !one.is_empty());
        if let Some(other) = given.find(|one| !KINDS.iter().any(|kind| kind.eq_ignore_ascii_case(one.trim())))
        {
            return Err(Problem::bad_input(format!("{key}: '{other}' is neither LOCATIONS nor ASNS")));
        }
    }
    let names = |key| {
        parameters.all(key).any(|list| list.split(',').any(|one| one.trim().eq_ignore_ascii_case(kind)))
    };
    let any = parameters.all("include").any(|list| !list.is_empty());
    Ok((!any || names("include")) && !names("exclude"))
}

/// How well an entry matches: exactly, at its start, or in its middle.
type Rank = u8;

fn rank(wanted: &str, code: &str, name: &str) -> Option<Rank> {
    let (code, name) = (code.to_lowercase(), fold(name));
    match () {
        () if code == wanted || name == wanted => Some(0),
        () if name.starts_with(wanted) => Some(1),
        () if code.starts_with(wanted) => Some(2),
        () if name.contains(wanted) => Some(3),
        () => None,
    }
}

fn countries(wanted: &str) -> Vec<(Rank, Hit)> {
    let hit = |country: Country| {
        let names = [country.name()].into_iter().chain(country.other_names().iter().copied());
        let by_name = names.filter_map(|name| rank(wanted, country.alpha2(), name)).min();
        let rank = if country.alpha3().eq_ignore_ascii_case(wanted) { Some(0) } else { by_name }?;
        Some((rank, Hit { code: country.alpha2().into(), name: country.name().into(), kind: "location" }))
    };
    Country::all().filter_map(hit).collect()
}

fn asns(geo: &Geo, wanted: &str) -> Vec<(Rank, Hit)> {
    let number = wanted.strip_prefix("as").filter(|rest| rest.parse::<u32>().is_ok()).unwrap_or(wanted);
    let hit = |asn: u32| {
        let (code, name) = (asn.to_string(), geo.as_name(asn).unwrap_or_default());
        let rank = rank(number, &code, name)?;
        Some((rank, Hit { code, name: name.to_owned(), kind: "asn" }))
    };
    geo.networks().iter().filter_map(|network| hit(network.asn)).collect()
}

fn best(mut hits: Vec<(Rank, Hit)>, limit: usize) -> Vec<(Rank, Hit)> {
    hits.sort_by_key(|(rank, _)| *rank);
    hits.truncate(limit);
    hits
}
