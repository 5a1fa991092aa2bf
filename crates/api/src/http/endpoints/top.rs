//! Rankings.

use cutshort_store::Dimension;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};
use utoipa::openapi::{RefOr, Schema};

use super::schema;
use super::series::own_meta;
use crate::answer::{AskedTop, By, Code, Numbers, Order, Ranked, Top, Who, WholeMeta, capitalized, csv_text, top};
use crate::cost;
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Parameter, Schemas, Unknown};
use crate::http::parameters as p;
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::question::{self, Filters, Format, Parameters};

const PARAMETERS: &[&Parameter] = &[
    &p::RANKED, &p::LIMIT_TOP, &p::MIN_SAMPLE, &p::ORDER_TOP, &p::NAME, &p::DATE_RANGE, &p::DATE_START,
    &p::DATE_END, &p::ASN, &p::LOCATION, &p::CONTINENT, &p::FORMAT, &p::TAG, &p::SIGNATURE, &p::ANSWERED,
    &p::IP_VERSION, &p::PORT, &p::NODE, &p::HANDSHAKE,
];

pub(super) const ASES: Endpoint = Endpoint {
    method: Method::Get,
    path: "/client/v4/radar/tcp_resets_timeouts/top/ases",
    id: "topAses",
    title: "Networks cut short most",
    about: "Networks of clients, ranked by the share of their connections at some stages, with counts, 95 % intervals (Wilson, with the effective sample size), the same over completed handshakes, and what is in no total.",
    group: Group::Own,
    parameters: PARAMETERS,
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: ases_schema, csv: true },
    good: &[200],
    bad: &[422],
    takes: None,
    run: |call| run(call, Who::Ases),
};

pub(super) const LOCATIONS: Endpoint = Endpoint {
    method: Method::Get,
    path: "/client/v4/radar/tcp_resets_timeouts/top/locations",
    id: "topLocations",
    title: "Countries cut short most",
    about: "Countries of clients, as top/ases.",
    group: Group::Own,
    parameters: PARAMETERS,
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: locations_schema, csv: true },
    good: &[200],
    bad: &[422],
    takes: None,
    run: |call| run(call, Who::Locations),
};

fn run(call: &mut Call<'_>, who: Who) -> Result<Reply, Problem> {
    let parameters = with_stages(&call.parameters)?;
    let series = question::series(&parameters, "top", Filters::Extended, call.now)?;
    let limit = question::number(&parameters, "limit", 5, 1..=1000)?;
    let least = parameters.one("minSample")?.is_some();
    let least = least.then(|| question::number(&parameters, "minSample", 1, 1..=1_000_000_000)).transpose()?;
    let order = order(&parameters)?;
    let format = question::format(&parameters)?;
    let by = if who == Who::Ases { Dimension::As } else { Dimension::Location };
    cost::check(&series, None, By::Dimension(by), limit, call.app.options.cost / 2)?;
    let asked = AskedTop { series: &series, who, order, limit, least: least.map(|least| least as u64) };
    let facts = call.facts()?;
    let answer = top(call.store(), &facts, &call.app.geo, &asked)?;
    let reply = match format {
        Format::Json => Reply::result(&InJson(&answer), &call.messages)?,
        Format::Csv => Reply::csv(csv(&answer), "top.csv"),
    };
    Ok(reply.keep(call.keep(&facts, &series)))
}

/// `anomaly`, also where nothing is said, are all stages but `no_match`.
fn with_stages(parameters: &Parameters) -> Result<Parameters, Problem> {
    const ANOMALY: &str = "post_syn,post_ack,post_psh,later_in_flow";
    let keys = question::RADAR_ARRAYS.iter().chain(&question::OWN_ARRAYS);
    let count = keys.map(|key| parameters.count(key)).max().unwrap_or(0).max(1);
    let stage = |at| match parameters.at("stage", at) {
        None => ANOMALY,
        Some(stage) if stage.eq_ignore_ascii_case("anomaly") => ANOMALY,
        Some(stage) => stage,
    };
    Ok(parameters.with("stage", (0..count).map(stage)))
}

fn order(parameters: &Parameters) -> Result<Order, Problem> {
    match parameters.one("orderBy")?.map(str::to_ascii_lowercase).as_deref() {
        None | Some("low") => Ok(Order::Low),
        Some("value") => Ok(Order::Value),
        Some("count") => Ok(Order::Count),
        Some(other) => Err(Problem::bad_input(format!("orderBy: '{other}' is none of low, value, count"))),
    }
}

/// A ranking in JSON.
struct InJson<'a>(&'a Top);

impl Serialize for InJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Top { meta, own, series } = self.0;
        let mut map = serializer.serialize_map(Some(series.len() + 1))?;
        map.serialize_entry("meta", &WholeMeta { meta, own: Some(own) })?;
        for (name, ranked) in series {
            let list: Vec<Entry<'_>> = ranked.iter().map(Entry::from).collect();
            map.serialize_entry(name, &list)?;
        }
        map.end()
    }
}

/// A network, named as in Radar's rankings.
#[derive(Serialize, ToSchema)]
struct As<'a> {
    /// Its number.
    #[serde(rename = "clientASN")]
    asn: u32,
    /// Its name; empty if unknown.
    #[serde(rename = "clientASName")]
    name: &'a str,
    #[serde(flatten)]
    numbers: &'a Numbers,
}

/// A country, named as in Radar's rankings.
#[derive(Serialize, ToSchema)]
struct Location<'a> {
    /// Its two letters.
    #[serde(rename = "clientCountryAlpha2")]
    alpha2: &'a str,
    /// Its name.
    #[serde(rename = "clientCountryName")]
    name: &'a str,
    #[serde(flatten)]
    numbers: &'a Numbers,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    As(As<'a>),
    Location(Location<'a>),
}

impl<'a> From<&'a Ranked> for Entry<'a> {
    fn from(Ranked { code, name, numbers }: &'a Ranked) -> Self {
        match code {
            Code::As(asn) => Self::As(As { asn: *asn, name, numbers }),
            Code::Location(country) => Self::Location(Location { alpha2: country.alpha2(), name, numbers }),
        }
    }
}

/// Rankings side by side.
fn csv(answer: &Top) -> String {
    const COLUMNS: [&str; 9] =
        ["code", "name", "value", "low", "high", "matching", "connections", "completed value", "completed connections"];
    let head = answer.series.iter().flat_map(|(name, _)| COLUMNS.map(|column| format!("{} {column}", capitalized(name))));
    let mut lines = vec![head.collect::<Vec<String>>()];
    let longest = answer.series.iter().map(|(_, ranked)| ranked.len()).max().unwrap_or(0);
    for at in 0..longest {
        let line = answer.series.iter().flat_map(|(_, ranked)| ranked.get(at).map_or_else(Default::default, fields));
        lines.push(line.collect());
    }
    csv_text(&lines)
}

fn fields(Ranked { code, name, numbers }: &Ranked) -> [String; 9] {
    let code = match code {
        Code::As(asn) => asn.to_string(),
        Code::Location(country) => country.alpha2().to_owned(),
    };
    [
        code,
        name.clone(),
        numbers.value.to_string(),
        numbers.low.to_string(),
        numbers.high.to_string(),
        numbers.matching.to_string(),
        numbers.connections.to_string(),
        numbers.completed.value.to_string(),
        numbers.completed.connections.to_string(),
    ]
}

fn ases_schema(schemas: &mut Schemas) -> RefOr<Schema> {
    list(schemas, schema::<As<'_>>)
}

fn locations_schema(schemas: &mut Schemas) -> RefOr<Schema> {
    list(schemas, schema::<Location<'_>>)
}

fn list(schemas: &mut Schemas, entry: fn(&mut Schemas) -> RefOr<Schema>) -> RefOr<Schema> {
    let meta = own_meta(schemas);
    let list = ArrayBuilder::new().items(entry(schemas)).build();
    ObjectBuilder::new().property("meta", meta).required("meta").additional_properties(Some(Schema::from(list))).build().into()
}
