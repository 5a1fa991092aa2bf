//! Radar's endpoints of origins, for servers that the operator has named (setting `upstreams`).

use cutshort_model::ServerName;
use cutshort_verdict::DataSet;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};

use super::connections::{MOST_READ, is_too_long, too_many};
use super::{of, schema};
use crate::answer::{self, Meta, Metric, OriginList, OriginOne, OriginSeries, OriginsBy, OriginsQuery};
use crate::http::endpoint::{
    Access, Answers, Call, Endpoint, Group, Method, Parameter, Path, Schemas, Unknown,
};
use crate::http::parameters as p;
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::question::{self, Filters, Format, country, list};

const BASE: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::About(DataSet::Origin, "/client/v4/radar/origins"),
    id: "origins",
    title: "Names of servers",
    about: "Servers that the operator has named (setting 'upstreams'), with the countries in which the geo data places them. Radar lists cloud providers and their regions here.",
    group: Group::Origin,
    parameters: &[&p::LIMIT_ORIGINS, &p::OFFSET, &p::FORMAT_JSON],
    access: Access::Read,
    unknown: Unknown::Ignored,
    answers: Answers::Result { schema: of::<OriginList>(), csv: false },
    good: &[200],
    bad: &[],
    takes: None,
    store: false,
    run: all,
};

pub(super) const ORIGINS: Endpoint = BASE;

pub(super) const ORIGIN: Endpoint = Endpoint {
    path: Path::About(DataSet::Origin, "/client/v4/radar/origins/{slug}"),
    id: "originBySlug",
    title: "Servers with a name",
    about: "One name of servers, with the countries in which the geo data places them.",
    parameters: &[&p::SLUG, &p::FORMAT_JSON],
    answers: Answers::Result { schema: of::<OriginOne>(), csv: false },
    bad: &[404],
    run: by_slug,
    ..BASE
};

const ABOUT: &str = "Of servers that the operator has named (setting 'upstreams'). CONNECTION_FAILURES are connections that were refused, unreachable, timed out in the handshake, or were reset before an answer; REQUESTS are connections, since requests on them are not seen; TCP_HANDSHAKE_DURATION is the time from the SYN to the SYN+ACK, in milliseconds. Other metrics of Radar's need more than packets' headers. It reads single connections, of at most 31 days.";

pub(super) const TIMESERIES: Endpoint = Endpoint {
    path: Path::About(DataSet::Origin, "/client/v4/radar/origins/timeseries"),
    id: "originsTimeseries",
    title: "A metric of servers over time",
    about: "The share of connections that failed in percent, the number of connections, or the median of the handshake.",
    parameters: TIMESERIES_PARAMETERS,
    answers: Answers::Result { schema: timeseries_schema, csv: true },
    bad: &[404, 422],
    store: true,
    run: |call| run(call, None, true),
    ..BASE
};

pub(super) const SUMMARY: Endpoint = Endpoint {
    path: Path::About(DataSet::Origin, "/client/v4/radar/origins/summary/{dimension}"),
    id: "originsSummary",
    title: "A metric of servers by a dimension",
    about: ABOUT,
    parameters: SUMMARY_PARAMETERS,
    answers: Answers::Result { schema: summary_schema, csv: true },
    bad: &[404, 422],
    store: true,
    run: |call| run(call, Some(dimension(call)?), false),
    ..BASE
};

pub(super) const TIMESERIES_GROUPS: Endpoint = Endpoint {
    path: Path::About(DataSet::Origin, "/client/v4/radar/origins/timeseries_groups/{dimension}"),
    id: "originsTimeseriesGroups",
    title: "A metric of servers by a dimension over time",
    about: ABOUT,
    parameters: TIMESERIES_GROUPS_PARAMETERS,
    answers: Answers::Result { schema: timeseries_schema, csv: true },
    bad: &[404, 422],
    store: true,
    run: |call| run(call, Some(dimension(call)?), true),
    ..BASE
};

const TIMESERIES_PARAMETERS: &[&Parameter] = &[
    &p::NAME,
    &p::DATE_RANGE,
    &p::DATE_START,
    &p::DATE_END,
    &p::ORIGIN_NAMES,
    &p::METRIC,
    &p::REGION,
    &p::AGG_INTERVAL,
    &p::FORMAT,
];
const SUMMARY_PARAMETERS: &[&Parameter] = &[
    &p::DIMENSION_ORIGINS,
    &p::NAME,
    &p::DATE_RANGE,
    &p::DATE_START,
    &p::DATE_END,
    &p::ORIGIN_NAMES,
    &p::METRIC,
    &p::REGION,
    &p::FORMAT,
];
const TIMESERIES_GROUPS_PARAMETERS: &[&Parameter] = &[
    &p::DIMENSION_ORIGINS,
    &p::NAME,
    &p::DATE_RANGE,
    &p::DATE_START,
    &p::DATE_END,
    &p::ORIGIN_NAMES,
    &p::METRIC,
    &p::REGION,
    &p::AGG_INTERVAL,
    &p::FORMAT,
];

fn all(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let limit = question::number(&call.parameters, "limit", 100, 1..=1000)?;
    let offset = question::number(&call.parameters, "offset", 0, 0..=1_000_000)?;
    let names = &call.app.options.upstreams;
    Reply::result(&answer::origins(names, &call.geo.data, offset, limit), &call.messages)
}

fn by_slug(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let (names, slug) = (&call.app.options.upstreams, call.part("slug"));
    let Some(found) = answer::origin(names, &call.geo.data, slug) else {
        return Err(Problem::no_data(unknown(names, slug)));
    };
    Reply::result(&found, &call.messages)
}

fn unknown(names: &[ServerName], slug: &str) -> String {
    let mut known: Vec<&str> = names.iter().map(ServerName::name).collect();
    known.dedup();
    match known.is_empty() {
        true => format!("'{slug}': the operator has not named any servers (setting 'upstreams')"),
        false => format!("no servers are called '{slug}'; there are {}", known.join(", ")),
    }
}

fn dimension(call: &Call<'_>) -> Result<OriginsBy, Problem> {
    let name = call.part("dimension");
    match name.to_ascii_uppercase().as_str() {
        "REGION" => Ok(OriginsBy::Region),
        "PERCENTILE" => Ok(OriginsBy::Percentile),
        "SUCCESS_RATE" => Err(Problem::bad_input(
            "dimension: success rates need HTTP status codes, which cutshort does not read; ask for REGION, with metric=CONNECTION_FAILURES",
        )),
        _ => Err(Problem::bad_input(format!("dimension: '{name}' is neither REGION nor PERCENTILE"))),
    }
}

fn metric(call: &Call<'_>) -> Result<Metric, Problem> {
    let known = "CONNECTION_FAILURES, REQUESTS, TCP_HANDSHAKE_DURATION";
    let Some(name) = call.parameters.one("metric")? else {
        return Err(Problem::bad_input(format!("metric: missing; give one of {known}")));
    };
    match name.to_ascii_uppercase().as_str() {
        "CONNECTION_FAILURES" => Ok(Metric::Failures),
        "REQUESTS" => Ok(Metric::Connections),
        "TCP_HANDSHAKE_DURATION" => Ok(Metric::Handshake),
        "RESPONSE_HEADER_RECEIVE_DURATION" | "TCP_RTT" | "TLS_HANDSHAKE_DURATION" => {
            Err(Problem::bad_input(format!(
                "metric: {name} cannot be measured from the packets that cutshort keeps; give one of {known}"
            )))
        }
        _ => Err(Problem::bad_input(format!("metric: '{name}' is not one of {known}"))),
    }
}

fn run(call: &mut Call<'_>, by: Option<OriginsBy>, in_time: bool) -> Result<Reply, Problem> {
    let (metric, format) = (metric(call)?, question::format(&call.parameters)?);
    if (by == Some(OriginsBy::Percentile)) != (metric == Metric::Handshake) && by.is_some() {
        return Err(Problem::bad_input(
            "dimension: PERCENTILE goes with metric=TCP_HANDSHAKE_DURATION, and REGION with the others",
        ));
    }
    let series = series(call, if in_time { "serie" } else { "summary" })?;
    let plain: Vec<_> = series.iter().map(|series| series.series.clone()).collect();
    let bucket = if in_time { Some(question::bucket(&call.parameters, &plain)?) } else { None };
    check_size(call, &series)?;
    let facts = call.facts()?;
    let asked = OriginsQuery { series: &series, names: &call.app.options.upstreams, metric, by, bucket };
    let answer = answer::metric(call.store()?, &facts, &asked)?;
    let reply = match format {
        Format::Json => Reply::result(&answer, &call.messages)?,
        Format::Csv => Reply::csv(answer.csv(), "origins.csv"),
    };
    Ok(reply.keep(call.keep(&facts, &plain)))
}

fn series(call: &Call<'_>, default: &str) -> Result<Vec<OriginSeries>, Problem> {
    let parameters = &call.parameters;
    let all = question::series(parameters, default, Filters::Radar, call.now)?;
    let count = all.len();
    let one = |(at, series)| {
        // What is given for one series only is meant for it as a whole.
        let values = |key: &str| match count {
            1 => parameters.all(key).collect::<Vec<_>>().join(","),
            _ => parameters.at(key, at).or_else(|| parameters.at(key, 0)).unwrap_or_default().to_owned(),
        };
        let (origin, region) = (values("origin"), values("region"));
        let regions = list("region", Some(region.as_str()).filter(|text| !text.is_empty()), country)?;
        Ok(OriginSeries { series, origins: named(call, &origin)?, regions: regions.include })
    };
    all.into_iter().enumerate().map(one).collect()
}

fn named(call: &Call<'_>, origins: &str) -> Result<Vec<String>, Problem> {
    let names = &call.app.options.upstreams;
    let asked: Vec<String> =
        origins.split(',').map(str::trim).filter(|slug| !slug.is_empty()).map(str::to_owned).collect();
    if asked.is_empty() {
        return Err(Problem::bad_input(
            "origin: missing; give a name of servers, as /radar/origins lists them",
        ));
    }
    match asked.iter().find(|slug| !names.iter().any(|name| name.name() == slug.as_str())) {
        Some(slug) => Err(Problem::bad_input(format!("origin: {}", unknown(names, slug)))),
        None => Ok(asked),
    }
}

fn check_size(call: &Call<'_>, series: &[OriginSeries]) -> Result<(), Problem> {
    for OriginSeries { series, .. } in series {
        if is_too_long(call, &series.range)? {
            return Err(Problem::too_costly(
                "dateRange: metrics of origins are given for at most 31 days at once",
            ));
        }
        if let Some(sampled) = too_many(call, &series.range)? {
            return Err(Problem::too_costly(format!(
                "dateRange: this range has {sampled} connections; at most {MOST_READ} are read at once. Ask for a shorter range"
            )));
        }
    }
    Ok(())
}

/// A number as a string, or null where there is none.
fn number() -> ObjectBuilder {
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(types).description(Some("A number."))
}

fn summary_schema(schemas: &mut Schemas, _: DataSet) -> RefOr<Schema> {
    let groups = ObjectBuilder::new().additional_properties(Some(Schema::from(number().build()))).build();
    result(schemas, groups.into())
}

fn timeseries_schema(schemas: &mut Schemas, _: DataSet) -> RefOr<Schema> {
    let time = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    let column = ArrayBuilder::new().items(number().build()).build();
    let series = ObjectBuilder::new()
        .property("timestamps", ArrayBuilder::new().items(time.build()).build())
        .required("timestamps")
        .additional_properties(Some(Schema::from(column)))
        .build();
    result(schemas, series.into())
}

fn result(schemas: &mut Schemas, series: Schema) -> RefOr<Schema> {
    let meta = schema::<Meta>(schemas);
    let result = ObjectBuilder::new().property("meta", meta).required("meta");
    Schema::from(result.additional_properties(Some(series)).build()).into()
}
