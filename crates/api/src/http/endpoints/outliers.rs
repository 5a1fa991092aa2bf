//! Networks that stick out of their peers.

use cutshort_verdict::DataSet;
use serde::Serialize;
use utoipa::ToSchema;

use super::of;
use crate::answer::{DateRange, FoundOutlier, outliers};
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Unknown};
use crate::http::parameters as p;
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::question::{self, Filters};

pub(super) const OUTLIERS: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::Whole("/client/v4/cutshort/outliers"),
    id: "outliers",
    title: "Networks that stick out",
    about: "Networks whose connections are cut short at a stage more often than those of other networks of their country, by more than networks differ anyway: about one in twenty of those listed is there by chance. Each with the signatures in which it differs. The number of connections above the usual decides the order. Sources of connections at post_syn may be spoofed.",
    group: Group::Events,
    parameters: &[
        &p::LIMIT_SERVERS,
        &p::DATE_RANGE,
        &p::DATE_START,
        &p::DATE_END,
        &p::ONE_LOCATION,
        &p::ONE_DATA_SET,
    ],
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: of::<OutlierList>(), csv: false },
    good: &[200],
    bad: &[404],
    takes: None,
    store: true,
    run,
};

/// Networks that stick out.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OutlierList {
    /// The time in which they were compared.
    date_range: DateRange,
    /// The largest excess first.
    outliers: Vec<FoundOutlier>,
}

fn run(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let parameters = &call.parameters;
    let data_set = parameters.one("dataSet")?.map_or(Ok(DataSet::Tcp), question::data_set);
    let data_set = data_set.map_err(|why| Problem::bad_input(format!("dataSet: {why}")))?;
    let locations = question::list("location", parameters.one("location")?, question::country)?;
    let limit = question::number(parameters, "limit", 20, 1..=1000)?;
    let series = question::series(parameters, "outliers", Filters::Radar, call.now)?;
    let [series] = &series[..] else {
        return Err(Problem::bad_input("one range is compared at a time"));
    };
    let store = call.app.store_of(data_set)?;
    let outliers = outliers(store, &call.geo.data, &series.range, &locations, limit)?;
    let (facts, _) = call.app.facts(data_set)?;
    let keep = call.keep(&facts, std::slice::from_ref(series));
    let date_range = DateRange {
        start_time: question::iso(series.range.start),
        end_time: question::iso(series.range.end),
    };
    let result = OutlierList { date_range, outliers };
    Ok(Reply::result(&result, &call.messages)?.keep(keep))
}
