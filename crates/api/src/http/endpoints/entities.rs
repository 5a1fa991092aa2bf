//! Lists and descriptions of countries and networks.

use std::net::IpAddr;

use cutshort_geo::{Country, Geo, NetworkSize};
use serde::Serialize;
use utoipa::ToSchema;

use super::of;
use crate::answer::csv_text;
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Unknown};
use crate::http::parameters as p;
use crate::http::reply::{Keep, Reply};
use crate::problem::Problem;
use crate::question::{self, Format, Parameters, asn, continent, country, digits, list};

const BASE: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::Whole(""),
    id: "",
    title: "",
    about: "",
    group: Group::Entities,
    parameters: &[],
    access: Access::Read,
    unknown: Unknown::Ignored,
    answers: Answers::Result { schema: of::<AsnList<'_>>(), csv: false },
    good: &[200],
    bad: &[],
    takes: None,
    store: false,
    run: asns,
};

pub(super) const ASNS: Endpoint = Endpoint {
    path: Path::Whole("/client/v4/radar/entities/asns"),
    id: "entitiesAsns",
    title: "Networks",
    about: "Known networks, with the country of most of their addresses.",
    parameters: &[&p::LIMIT_ENTITIES, &p::OFFSET, &p::ASN_LIST, &p::ONE_LOCATION, &p::ORDER_ASNS, &p::FORMAT],
    answers: Answers::Result { schema: of::<AsnList<'_>>(), csv: true },
    ..BASE
};

pub(super) const ASN: Endpoint = Endpoint {
    path: Path::Whole("/client/v4/radar/entities/asns/{asn}"),
    id: "entitiesAsn",
    title: "A network",
    about: "One network by its number.",
    parameters: &[&p::ASN_PATH, &p::FORMAT],
    answers: Answers::Result { schema: of::<AsnOne<'_>>(), csv: true },
    bad: &[404],
    run: one_asn,
    ..BASE
};

pub(super) const ASN_OF_IP: Endpoint = Endpoint {
    path: Path::Whole("/client/v4/radar/entities/asns/ip"),
    id: "entitiesAsnOfIp",
    title: "The network of an address",
    about: "The network that announces an address.",
    parameters: &[&p::IP, &p::FORMAT],
    answers: Answers::Result { schema: of::<AsnOne<'_>>(), csv: true },
    bad: &[404],
    run: asn_of_ip,
    ..BASE
};

pub(super) const LOCATIONS: Endpoint = Endpoint {
    path: Path::Whole("/client/v4/radar/entities/locations"),
    id: "entitiesLocations",
    title: "Countries",
    about: "Countries and territories that have an ISO 3166-1 code.",
    parameters: &[&p::LIMIT_ENTITIES, &p::OFFSET, &p::ONE_LOCATION, &p::ONE_CONTINENT, &p::FORMAT],
    answers: Answers::Result { schema: of::<LocationList>(), csv: true },
    run: locations,
    ..BASE
};

pub(super) const LOCATION: Endpoint = Endpoint {
    path: Path::Whole("/client/v4/radar/entities/locations/{alpha2}"),
    id: "entitiesLocation",
    title: "A country",
    about: "One country by its two letters.",
    parameters: &[&p::ALPHA2_PATH, &p::FORMAT],
    answers: Answers::Result { schema: of::<LocationOne>(), csv: true },
    bad: &[404],
    run: one_location,
    ..BASE
};

/// The number of users of a network, which is never known here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EstimatedUsers {
    /// Always empty here.
    #[schema(value_type = Vec<String>)]
    locations: [String; 0],
}

/// A network in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Asn<'a> {
    /// The AS number.
    asn: u32,
    /// The network's name; empty if unknown.
    name: &'a str,
    /// The same as the name.
    org_name: &'a str,
    /// The country in which most of its addresses are; empty if unknown.
    country: &'static str,
    /// The name of the country.
    country_name: &'static str,
    /// Always empty here.
    estimated_users: EstimatedUsers,
    /// Always empty here.
    website: &'static str,
}

/// A network with details.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AsnDetails<'a> {
    #[serde(flatten)]
    asn: Asn<'a>,
    /// The confidence in these data, always 5.
    confidence_level: u8,
    /// Related networks; always empty here.
    #[schema(value_type = Vec<String>)]
    related: [String; 0],
    /// The source of these data.
    source: String,
}

/// A list of networks.
#[derive(Serialize, ToSchema)]
struct AsnList<'a> {
    asns: Vec<Asn<'a>>,
}

/// A single network.
#[derive(Serialize, ToSchema)]
struct AsnOne<'a> {
    asn: AsnDetails<'a>,
}

/// A country. The coordinates are those of a point in its middle.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Location {
    /// The code of two letters (ISO 3166-1).
    alpha2: &'static str,
    /// The country's name.
    name: &'static str,
    /// The code of its continent.
    continent: &'static str,
    /// The region according to UN M49.
    region: &'static str,
    /// The subregion according to UN M49.
    subregion: &'static str,
    /// Latitude in degrees north.
    latitude: String,
    /// Longitude in degrees east.
    longitude: String,
    /// The confidence in these data, always 5.
    confidence_level: u8,
}

/// A list of countries.
#[derive(Serialize, ToSchema)]
struct LocationList {
    locations: Vec<Location>,
}

/// A single country.
#[derive(Serialize, ToSchema)]
struct LocationOne {
    location: Location,
}

fn asns(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let chosen = list("asn", call.parameters.one("asn")?, asn)?;
    let countries = list("location", call.parameters.one("location")?, country)?;
    let has =
        |network: &&NetworkSize| chosen.has(Some(&network.asn)) && countries.has(network.country.as_ref());
    let mut found: Vec<&NetworkSize> = call.geo.data.networks().iter().filter(has).collect();
    if by_size(&call.parameters)? {
        found.sort_by_key(|network| (std::cmp::Reverse(network.v4_addresses), network.asn));
    }
    let geo = &call.geo.data;
    let asns: Vec<Asn<'_>> =
        page(&call.parameters, found)?.into_iter().map(|network| Asn::new(network, geo)).collect();
    let rows = asns.iter().map(Asn::fields).collect();
    written(call, &AsnList { asns }, &Asn::FIELDS, rows)
}

fn by_size(parameters: &Parameters) -> Result<bool, Problem> {
    match parameters.one("orderBy")?.map(str::to_ascii_uppercase).as_deref() {
        None | Some("ASN") => Ok(false),
        Some("POPULATION") => Ok(true),
        Some(other) => Err(Problem::bad_input(format!("orderBy: '{other}' is neither ASN nor POPULATION"))),
    }
}

/// The part of a list that is requested.
fn page<T>(parameters: &Parameters, all: Vec<T>) -> Result<Vec<T>, Problem> {
    let limit = question::number(parameters, "limit", 5, 1..=1000)?;
    let offset = question::number(parameters, "offset", 0, 0..=1_000_000)?;
    Ok(all.into_iter().skip(offset).take(limit).collect())
}

/// Writes a response as JSON or as a table.
pub(super) fn written(
    call: &Call<'_>,
    result: &impl Serialize,
    head: &[&str],
    rows: Vec<Vec<String>>,
) -> Result<Reply, Problem> {
    /// Names and places only change with new geo data.
    const SECONDS: u32 = 300;
    let reply = match question::format(&call.parameters)? {
        Format::Json => Reply::result(result, &call.messages)?,
        Format::Csv => {
            let head = head.iter().map(|name| (*name).to_owned()).collect();
            Reply::csv(csv_text(&std::iter::once(head).chain(rows).collect::<Vec<_>>()), "entities.csv")
        }
    };
    Ok(reply.keep(Some(Keep { seconds: SECONDS, modified: None })))
}

/// Radar's response if there is no such entity.
fn not_found() -> Result<Reply, Problem> {
    Reply::json(&serde_json::json!({ "error": "Not Found" })).map(|reply| reply.status(404))
}

fn one_asn(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let number = call.part("asn");
    match digits(number) {
        Some(number) => details(call, number),
        None => Err(Problem::bad_input(format!("asn: '{number}' is not an AS number, such as 13335"))),
    }
}

fn asn_of_ip(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let missing = || Problem::bad_input("ip: missing; give an address, such as 8.8.8.8");
    let text = call.parameters.one("ip")?.ok_or_else(missing)?;
    let wrong = |_| Problem::bad_input(format!("ip: '{text}' is not an IPv4 or IPv6 address"));
    let address: IpAddr = text.parse().map_err(wrong)?;
    call.geo.data.lookup(address).asn.map_or_else(not_found, |number| details(call, number))
}

fn details(call: &Call<'_>, number: u32) -> Result<Reply, Problem> {
    let geo = &call.geo.data;
    let all = call.geo.data.networks();
    let Ok(at) = all.binary_search_by_key(&number, |network| network.asn) else { return not_found() };
    let sources = geo.sources().iter().filter(|source| source.provides.network());
    let asn = AsnDetails {
        asn: Asn::new(&all[at], geo),
        confidence_level: 5,
        related: [],
        source: sources.map(|source| source.name.as_str()).collect::<Vec<_>>().join(", "),
    };
    let rows = vec![asn.asn.fields()];
    written(call, &AsnOne { asn }, &Asn::FIELDS, rows)
}

impl<'a> Asn<'a> {
    const FIELDS: [&'static str; 4] = ["asn", "name", "country", "countryName"];

    fn new(network: &NetworkSize, geo: &'a Geo) -> Self {
        let name = geo.as_name(network.asn).unwrap_or_default();
        Self {
            asn: network.asn,
            name,
            org_name: name,
            country: network.country.map_or("", Country::alpha2),
            country_name: network.country.map_or("", Country::name),
            estimated_users: EstimatedUsers { locations: [] },
            website: "",
        }
    }

    fn fields(&self) -> Vec<String> {
        vec![self.asn.to_string(), self.name.into(), self.country.into(), self.country_name.into()]
    }
}

fn locations(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let countries = list("location", call.parameters.one("location")?, country)?;
    let continents = list("continent", call.parameters.one("continent")?, continent)?;
    let has = |country: &Country| countries.has(Some(country)) && continents.has(Some(&country.continent()));
    let found = page(&call.parameters, Country::all().filter(has).collect())?;
    let locations: Vec<Location> = found.into_iter().map(Location::from).collect();
    let rows = locations.iter().map(Location::fields).collect();
    written(call, &LocationList { locations }, &Location::FIELDS, rows)
}

fn one_location(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let Some(country) = Country::from_alpha2(call.part("alpha2")) else { return not_found() };
    let location = Location::from(country);
    let rows = vec![location.fields()];
    written(call, &LocationOne { location }, &Location::FIELDS, rows)
}

impl Location {
    const FIELDS: [&'static str; 7] =
        ["alpha2", "name", "continent", "region", "subregion", "latitude", "longitude"];

    fn fields(&self) -> Vec<String> {
        let texts = [self.alpha2, self.name, self.continent, self.region, self.subregion];
        texts.map(str::to_owned).into_iter().chain([self.latitude.clone(), self.longitude.clone()]).collect()
    }
}

impl From<Country> for Location {
    fn from(country: Country) -> Self {
        Self {
            alpha2: country.alpha2(),
            name: country.name(),
            continent: country.continent().code(),
            region: country.region(),
            subregion: country.subregion(),
            latitude: country.latitude().to_string(),
            longitude: country.longitude().to_string(),
            confidence_level: 5,
        }
    }
}
