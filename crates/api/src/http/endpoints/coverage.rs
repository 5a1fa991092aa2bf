//! How much of a time was collected.

use cutshort_model::Bucket;
use cutshort_verdict::DataSet;
use serde::Serialize;
use serde::ser::SerializeMap;
use utoipa::ToSchema;
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{RefOr, Schema};

use super::schema;
use crate::answer::{Coverage, DateRange, bucket_name};
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Schemas, Unknown};
use crate::http::parameters as p;
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::question::{self, Filters, Series};

pub(super) const COVERAGE: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::OfDataSet("/coverage"),
    id: "coverage",
    title: "What was collected",
    about: "How much of a range was collected, in each bucket as well, and from which servers packets are missing. Answers of this API's own endpoints have the same in meta.coverage.",
    group: Group::Own,
    parameters: &[&p::NAME, &p::DATE_RANGE, &p::DATE_START, &p::DATE_END, &p::AGG_INTERVAL, &p::NODE],
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: coverage_schema, csv: false },
    good: &[200],
    bad: &[],
    takes: None,
    store: true,
    run,
};

/// The metadata of an answer about coverage.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CoverageMeta {
    /// The range of each series.
    date_range: Vec<DateRange>,
    /// The size of the intervals.
    agg_interval: &'static str,
}

/// The coverage of series side by side.
struct Covered<'a> {
    meta: CoverageMeta,
    series: Vec<(&'a str, Coverage)>,
}

impl Serialize for Covered<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.series.len() + 1))?;
        map.serialize_entry("meta", &self.meta)?;
        self.series.iter().try_for_each(|(name, coverage)| map.serialize_entry(name, coverage))?;
        map.end()
    }
}

fn run(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let series = question::series(&call.parameters, "coverage", Filters::Extended(call.data_set), call.now)?;
    let bucket: Bucket = question::bucket(&call.parameters, &series)?;
    let facts = call.facts()?;
    let covered = |one: &'_ Series| Coverage::of(&facts.coverage, one, Some(bucket));
    let result = Covered {
        meta: CoverageMeta {
            date_range: series.iter().map(|series| DateRange::new(&series.range)).collect(),
            agg_interval: bucket_name(bucket),
        },
        series: series.iter().map(|series| (series.name.as_str(), covered(series))).collect(),
    };
    Ok(Reply::result(&result, &call.messages)?.keep(call.keep(&facts, &series)))
}

fn coverage_schema(schemas: &mut Schemas, _: DataSet) -> RefOr<Schema> {
    let meta = schema::<CoverageMeta>(schemas);
    ObjectBuilder::new()
        .property("meta", meta)
        .required("meta")
        .additional_properties(Some(schema::<Coverage>(schemas)))
        .build()
        .into()
}
