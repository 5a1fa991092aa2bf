//! How much of what clients open is QUIC.

use std::collections::BTreeMap;

use cutshort_model::Bucket;
use cutshort_store::{RollupQuery, Selection, Store};
use cutshort_verdict::DataSet;
use serde::Serialize;
use serde::ser::SerializeMap;
use utoipa::ToSchema;
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{RefOr, Schema};

use super::schema;
use crate::answer::{DateRange, Share, bucket_name};
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Schemas, Unknown};
use crate::http::parameters as p;
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::question::{self, Filters, Series, iso};

pub(super) const SHARE: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::Of(DataSet::Quic, "/share"),
    id: "share",
    title: "QUIC share",
    about: "The share of QUIC in all new connections of clients, over time: QUIC connections / (these + TCP connections to the same ports), both weighted. A filter that drops the first packet, UDP that is blocked at a firewall, and a browser that remembers that QUIC does not work here leave no connection to classify: they show only as a share that is missing. Without port: 443.",
    group: Group::Own,
    parameters: &[
        &p::NAME,
        &p::DATE_RANGE,
        &p::DATE_START,
        &p::DATE_END,
        &p::AGG_INTERVAL,
        &p::LOCATION,
        &p::CONTINENT,
        &p::ASN,
        &p::IP_VERSION,
        &p::PORT,
        &p::NODE,
    ],
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: share_schema, csv: false },
    good: &[200],
    bad: &[],
    takes: None,
    store: true,
    run,
};

/// The port of HTTP/3 and HTTPS.
const HTTPS: u16 = 443;

/// The metadata of an answer about shares of QUIC.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ShareMeta {
    /// The range of each series.
    date_range: Vec<DateRange>,
    /// The size of the intervals.
    agg_interval: &'static str,
}

/// The shares of one series: one value for each interval with connections.
#[derive(Default, Serialize, ToSchema)]
struct QuicShares {
    /// When each interval begins.
    timestamps: Vec<String>,
    /// The share of QUIC in percent.
    #[schema(value_type = Vec<String>)]
    value: Vec<Share>,
    /// QUIC connections, weighted.
    quic: Vec<u64>,
    /// TCP connections to the same ports, weighted.
    tcp: Vec<u64>,
}

struct Answer<'a> {
    meta: ShareMeta,
    series: Vec<(&'a str, QuicShares)>,
}

impl Serialize for Answer<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.series.len() + 1))?;
        map.serialize_entry("meta", &self.meta)?;
        self.series.iter().try_for_each(|(name, shares)| map.serialize_entry(name, shares))?;
        map.end()
    }
}

fn run(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let mut series = question::series(&call.parameters, "serie", Filters::Extended(call.data_set), call.now)?;
    for one in &mut series {
        if one.selection.ports.is_all() {
            one.selection.ports.include.push(HTTPS);
        }
    }
    let bucket = question::bucket(&call.parameters, &series)?;
    let (quic, tcp) = (call.store()?, call.app.store_of(DataSet::Tcp)?);
    let shares = |one: &Series| -> Result<_, Problem> {
        Ok(shares(&weights(quic, one, bucket)?, &weights(tcp, one, bucket)?))
    };
    let shares = series.iter().map(|one| Ok((one.name.as_str(), shares(one)?)));
    let result = Answer {
        series: shares.collect::<Result<_, Problem>>()?,
        meta: ShareMeta {
            date_range: series.iter().map(|series| DateRange::new(&series.range)).collect(),
            agg_interval: bucket_name(bucket),
        },
    };
    Reply::result(&result, &call.messages)
}

/// The weight of new connections in each interval that has some.
fn weights(store: &dyn Store, series: &Series, bucket: Bucket) -> Result<BTreeMap<i64, u64>, Problem> {
    let selection = Selection { tags: Default::default(), ..series.selection.clone() };
    let query = RollupQuery { range: series.range.clone(), bucket: Some(bucket), selection, by: None };
    let mut weights = BTreeMap::new();
    for row in store.rollups(&query)?.rows {
        *weights.entry(row.from).or_default() += row.total().weight;
    }
    Ok(weights)
}

fn shares(quic: &BTreeMap<i64, u64>, tcp: &BTreeMap<i64, u64>) -> QuicShares {
    let mut shares = QuicShares::default();
    let mut times: Vec<i64> = quic.keys().chain(tcp.keys()).copied().collect();
    times.sort_unstable();
    times.dedup();
    for time in times {
        let of = |weights: &BTreeMap<i64, u64>| weights.get(&time).copied().unwrap_or(0);
        let (quic, tcp) = (of(quic), of(tcp));
        if quic + tcp > 0 {
            shares.timestamps.push(iso(time));
            shares.value.push(Share::part(quic, quic + tcp));
            shares.quic.push(quic);
            shares.tcp.push(tcp);
        }
    }
    shares
}

fn share_schema(schemas: &mut Schemas, _: DataSet) -> RefOr<Schema> {
    let meta = schema::<ShareMeta>(schemas);
    ObjectBuilder::new()
        .property("meta", meta)
        .required("meta")
        .additional_properties(Some(schema::<QuicShares>(schemas)))
        .build()
        .into()
}
