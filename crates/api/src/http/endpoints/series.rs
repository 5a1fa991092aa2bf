//! Shares of stages and of everything else, as one number or over time.

use cutshort_verdict::DataSet;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};

use super::schema;
use crate::answer::{Answer, By, CountOfSeries, Meta, OwnMeta};
use crate::ask::{self, SharesQuery};
use crate::http::endpoint::{
    Access, Answers, Call, Endpoint, Group, Method, Parameter, Path, Schemas, Unknown, directory,
};
use crate::http::parameters as p;
use crate::http::reply::{self, Reply};
use crate::problem::Problem;
use crate::question::{self, Format};

const RADAR: &[&Parameter] = &[
    &p::NAME,
    &p::DATE_RANGE,
    &p::DATE_START,
    &p::DATE_END,
    &p::ASN,
    &p::LOCATION,
    &p::CONTINENT,
    &p::FORMAT,
];
const RADAR_TIMESERIES: &[&Parameter] = &[
    &p::NAME,
    &p::DATE_RANGE,
    &p::DATE_START,
    &p::DATE_END,
    &p::ASN,
    &p::LOCATION,
    &p::CONTINENT,
    &p::FORMAT,
    &p::AGG_INTERVAL,
];
const OWN: &[&Parameter] = &[
    &p::DIMENSION,
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
    &p::STAGE,
    &p::COUNTS,
    &p::LIMIT_PER_GROUP,
];
const OWN_TIMESERIES: &[&Parameter] = &[
    &p::DIMENSION,
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
    &p::STAGE,
    &p::COUNTS,
    &p::LIMIT_PER_GROUP,
    &p::AGG_INTERVAL,
];

pub(super) const SUMMARY: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::OfDataSet("/summary"),
    id: "summary",
    title: "Shares of stages",
    about: "Where connections were cut short, as shares of all connections in percent, which add up to 100. A series without a connection has no shares: it is left out of the result (its columns of CSV are empty), and `messages` names it. If it is the first series, the answer is 404.",
    group: Group::Radar,
    parameters: RADAR,
    access: Access::Read,
    unknown: Unknown::Ignored,
    answers: Answers::Result { schema: summary_schema, csv: true },
    good: &[200],
    bad: &[404, 422],
    takes: None,
    store: true,
    run: |call| run(call, By::Stage, false, false),
};

pub(super) const TIMESERIES: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::OfDataSet("/timeseries_groups"),
    id: "timeseriesGroups",
    title: "Shares of stages over time",
    about: "Arrays side by side, of equal length. Buckets without a connection are left out, so the arrays of a series without any are empty. Timestamps are the beginnings of buckets in UTC (weeks begin on Monday); the first one is the beginning of the range if that is later.",
    group: Group::Radar,
    parameters: RADAR_TIMESERIES,
    access: Access::Read,
    unknown: Unknown::Ignored,
    answers: Answers::Result { schema: timeseries_schema, csv: true },
    good: &[200],
    bad: &[422],
    takes: None,
    store: true,
    run: |call| run(call, By::Stage, true, false),
};

pub(super) const SUMMARY_BY: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::OfDataSet("/summary/{dimension}"),
    id: "summaryByDimension",
    title: "Shares by a dimension",
    about: "Shares in percent. They add up to 100, except those of tags, as a connection can have several tags or none. A series without connections is an empty object (its CSV columns are empty), and `messages` names it.",
    group: Group::Own,
    parameters: OWN,
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: summary_by_schema, csv: true },
    good: &[200],
    bad: &[422],
    takes: None,
    store: true,
    run: |call| run(call, dimension(call)?, false, true),
};

pub(super) const TIMESERIES_BY: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::OfDataSet("/timeseries_groups/{dimension}"),
    id: "timeseriesGroupsByDimension",
    title: "Shares by a dimension over time",
    about: "As timeseries_groups, by another dimension. Which values have a name is the same for the whole range.",
    group: Group::Own,
    parameters: OWN_TIMESERIES,
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: timeseries_by_schema, csv: true },
    good: &[200],
    bad: &[422],
    takes: None,
    store: true,
    run: |call| run(call, dimension(call)?, true, true),
};

fn dimension(call: &Call<'_>) -> Result<By, Problem> {
    By::from_name(call.part("dimension")).map_err(|why| Problem::bad_input(format!("dimension: {why}")))
}

fn run(call: &mut Call<'_>, by: By, in_time: bool, own: bool) -> Result<Reply, Problem> {
    let format = question::format(&call.parameters)?;
    let facts = call.facts()?;
    let (answer, series) =
        ask::shares(&call.context(&facts)?, &call.parameters, SharesQuery { by, in_time, own })?;
    Ok(written(call, &answer, format)?.keep(call.keep(&facts, &series)))
}

fn written(call: &Call<'_>, answer: &Answer, format: Format) -> Result<Reply, Problem> {
    match format {
        Format::Json => {
            let empty = answer.empty.iter().map(|what| reply::empty_series(what));
            let messages: Vec<_> = call.messages.iter().cloned().chain(empty).collect();
            Reply::result(answer, &messages)
        }
        Format::Csv => Ok(Reply::csv(answer.csv(), format!("{}.csv", directory(call.data_set)))),
    }
}

/// A share in percent.
fn share() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .pattern(Some(r"^(100|[0-9]{1,2}(\.[0-9]{1,6})?)$"))
        .description(Some("A share in percent."))
}

fn times() -> ArrayBuilder {
    let time = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    ArrayBuilder::new().items(time.build())
}

/// An object with the stages of a data set and nothing else.
fn stages(set: DataSet, value: impl Fn() -> Schema) -> ObjectBuilder {
    let object = question::stage_names(set)
        .fold(ObjectBuilder::new(), |object, name| object.property(name, value()).required(name));
    object.additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

/// A result with its metadata and series of a kind.
fn result(meta: RefOr<Schema>, series: Schema) -> ObjectBuilder {
    ObjectBuilder::new().property("meta", meta).required("meta").additional_properties(Some(series))
}

fn summary_schema(schemas: &mut Schemas, set: DataSet) -> RefOr<Schema> {
    let series = stages(set, || share().build().into());
    result(schema::<Meta>(schemas), series.build().into()).build().into()
}

fn timeseries_schema(schemas: &mut Schemas, set: DataSet) -> RefOr<Schema> {
    let series = stages(set, || ArrayBuilder::new().items(share().build()).build().into());
    let series = series.property("timestamps", times().build()).required("timestamps");
    result(schema::<Meta>(schemas), series.build().into()).build().into()
}

/// The metadata of our own endpoints.
pub(super) fn own_meta(schemas: &mut Schemas) -> RefOr<Schema> {
    let all =
        utoipa::openapi::AllOfBuilder::new().item(schema::<Meta>(schemas)).item(schema::<OwnMeta>(schemas));
    Schema::AllOf(all.build()).into()
}

fn counted(schemas: &mut Schemas, series: ObjectBuilder) -> RefOr<Schema> {
    let meta = own_meta(schemas);
    let counts = ObjectBuilder::new()
        .additional_properties(Some(schema::<CountOfSeries>(schemas)))
        .description(Some("With counts=true: the counts of each series."));
    result(meta, series.build().into()).property("counts", counts.build()).build().into()
}

fn summary_by_schema(schemas: &mut Schemas, _: DataSet) -> RefOr<Schema> {
    counted(schemas, ObjectBuilder::new().additional_properties(Some(Schema::from(share().build()))))
}

fn timeseries_by_schema(schemas: &mut Schemas, _: DataSet) -> RefOr<Schema> {
    let column = ArrayBuilder::new().items(share().build()).build();
    let series = ObjectBuilder::new()
        .property("timestamps", times().build())
        .required("timestamps")
        .additional_properties(Some(Schema::from(column)));
    counted(schemas, series)
}
