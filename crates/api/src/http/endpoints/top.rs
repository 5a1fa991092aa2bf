//! The endpoints of rankings.

use cutshort_verdict::DataSet;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};
use utoipa::openapi::{RefOr, Schema};

use super::schema;
use super::series::own_meta;
use crate::answer::{RankedAs, RankedLocation, RankedValue, Who};
use crate::ask;
use crate::http::endpoint::{
    Access, Answers, Call, Endpoint, Group, Method, Parameter, Path, Schemas, Unknown,
};
use crate::http::parameters as p;
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::question::{self, Format};

/// Those of `/top/{dimension}`, whose last one the others do not have.
const ALL_PARAMETERS: &[&Parameter] = &[
    &p::RANKED,
    &p::LIMIT_TOP,
    &p::MIN_SAMPLE,
    &p::ORDER_TOP,
    &p::NAME,
    &p::DATE_RANGE,
    &p::DATE_START,
    &p::DATE_END,
    &p::ASN,
    &p::LOCATION,
    &p::CONTINENT,
    &p::FORMAT,
    &p::TAG,
    &p::SIGNATURE,
    &p::ANSWERED,
    &p::SCANNER,
    &p::IP_VERSION,
    &p::PORT,
    &p::NODE,
    &p::HANDSHAKE,
    &p::RESETS,
    &p::DIMENSION_TOP,
];
const PARAMETERS: &[&Parameter] = ALL_PARAMETERS.split_at(ALL_PARAMETERS.len() - 1).0;

pub(super) const ASES: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::OfDataSet("/top/ases"),
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
    store: true,
    run: |call| run(call, Who::Ases),
};

pub(super) const LOCATIONS: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::OfDataSet("/top/locations"),
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
    store: true,
    run: |call| run(call, Who::Locations),
};

pub(super) const BY: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::OfDataSet("/top/{dimension}"),
    id: "topByDimension",
    title: "Servers, ports, IP versions or signatures cut short most",
    about: "As top/ases, of another dimension. Signatures are ranked by their share of all connections in the selection, because every connection with one is cut short.",
    group: Group::Own,
    parameters: ALL_PARAMETERS,
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: values_schema, csv: true },
    good: &[200],
    bad: &[422],
    takes: None,
    store: true,
    run: |call| run(call, who(call)?),
};

/// Those that have no path of their own.
fn who(call: &Call<'_>) -> Result<Who, Problem> {
    let wrong = |why| Problem::bad_input(format!("dimension: {why}"));
    match Who::from_name(call.part("dimension")).map_err(wrong)? {
        Who::Ases => Err(wrong("networks are ranked by top/ases".to_owned())),
        Who::Locations => Err(wrong("countries are ranked by top/locations".to_owned())),
        who => Ok(who),
    }
}

fn run(call: &mut Call<'_>, who: Who) -> Result<Reply, Problem> {
    let format = question::format(&call.parameters)?;
    let facts = call.facts()?;
    let (top, series) = ask::ranking(&call.context(&facts)?, &call.parameters, who)?;
    let reply = match format {
        Format::Json => Reply::result(&top, &call.messages)?,
        Format::Csv => Reply::csv(top.csv(), "top.csv"),
    };
    Ok(reply.keep(call.keep(&facts, &series)))
}

fn ases_schema(schemas: &mut Schemas, _: DataSet) -> RefOr<Schema> {
    list(schemas, schema::<RankedAs<'_>>)
}

fn locations_schema(schemas: &mut Schemas, _: DataSet) -> RefOr<Schema> {
    list(schemas, schema::<RankedLocation<'_>>)
}

fn values_schema(schemas: &mut Schemas, _: DataSet) -> RefOr<Schema> {
    list(schemas, schema::<RankedValue<'_>>)
}

fn list(schemas: &mut Schemas, entry: fn(&mut Schemas) -> RefOr<Schema>) -> RefOr<Schema> {
    let meta = own_meta(schemas);
    let list = ArrayBuilder::new().items(entry(schemas)).build();
    ObjectBuilder::new()
        .property("meta", meta)
        .required("meta")
        .additional_properties(Some(Schema::from(list)))
        .build()
        .into()
}
