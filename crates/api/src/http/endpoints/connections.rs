//! Single connections, if the configuration allows it.

use std::io;
use std::net::IpAddr;
use std::ops::Range;

use cutshort_model::{ADDRESSES, Addresses, ConnectionRecord, Window, parse_net};
use cutshort_report::connection::{Format as RecordFormat, Writer};
use cutshort_store::{Choice, ConnectionQuery, Order, OrderBy, RollupQuery, Selection};
use cutshort_verdict::{DataSet, Stage};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use super::{damage, schema};
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Schemas, Unknown};
use crate::http::parameters as p;
use crate::http::reply::{CSV, PARQUET, Reply};
use crate::problem::Problem;
use crate::question::{self, Filters, Parameters, list};

pub(super) const CONNECTIONS: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::OfDataSet("/connections"),
    id: "connections",
    title: "Single connections",
    about: "Connections one by one, the newest first, or in another order over the whole range. They show addresses of clients, so the operator has to allow it (setting 'connections'). Where these were truncated (/24, /48) or encrypted before they were kept, a connection has the field 'addresses', which says so; 'client' and 'server' then look for what is kept. At most 31 days at once.",
    group: Group::Own,
    parameters: &[
        &p::DATE_RANGE,
        &p::DATE_START,
        &p::DATE_END,
        &p::ASN,
        &p::LOCATION,
        &p::CONTINENT,
        &p::FORMAT_CONNECTIONS,
        &p::TAG,
        &p::SIGNATURE,
        &p::ANSWERED,
        &p::SCANNER,
        &p::IP_VERSION,
        &p::PORT,
        &p::NODE,
        &p::HANDSHAKE,
        &p::STAGE,
        &p::TERMINATION,
        &p::CLIENT,
        &p::SERVER,
        &p::ORDER_CONNECTIONS,
        &p::DIRECTION,
        &p::LIMIT_CONNECTIONS,
        &p::OFFSET,
    ],
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Records(connections_schema),
    good: &[200],
    bad: &[422],
    takes: None,
    store: true,
    run,
};

/// A part of the list of connections, and where to continue.
#[derive(Serialize)]
struct ConnectionList {
    connections: Vec<ConnectionRecord<'static>>,
    paging: Paging,
}

/// The part of a list that was returned.
#[derive(Serialize, ToSchema)]
struct Paging {
    /// The number of entries before this part.
    offset: usize,
    /// The maximum number of entries in this part.
    limit: usize,
    /// Whether there are more entries.
    more: bool,
}

const LONGEST: i64 = 31 * cutshort_model::Bucket::Day.nanoseconds();
/// In another order than that of time, the store holds so many connections, from the first to the last of a part.
const MOST_HELD: usize = 10_000;
/// For some answers the store reads all connections of the range: at most so many, which takes seconds.
pub(super) const MOST_READ: u64 = 5_000_000;

/// Whether single connections of a range are too many to read. Captures may lie years apart: what counts is how much of the
/// time has results.
pub(super) fn is_too_long(call: &Call<'_>, range: &Range<i64>) -> Result<bool, Problem> {
    if range.end - range.start <= LONGEST {
        return Ok(false);
    }
    let most = LONGEST / Window::LENGTH;
    Ok(call.facts()?.status.windows > most.unsigned_abs())
}

/// Checks that the configuration allows single connections.
pub(super) fn is_allowed(call: &Call<'_>) -> Result<(), Problem> {
    if call.app.options.connections {
        return Ok(());
    }
    Err(Problem::forbidden(
        "single connections show addresses of clients; the operator has not allowed it (setting 'connections')",
    ))
}

fn run(call: &mut Call<'_>) -> Result<Reply, Problem> {
    is_allowed(call)?;
    let (limit, query) = (limit(&call.parameters)?, query(call)?);
    check_order(call, &query)?;
    let mut connections = call.store()?.connections(&query)?;
    let missing = call.store()?.lost_connections(&query.range)?;
    call.messages.extend(damage::missing(&missing));
    let more = connections.len() > limit;
    connections.truncate(limit);
    match format(&call.parameters)? {
        Some(format) => {
            let protected = !call.facts()?.status.protected.is_empty();
            file(&connections, format, call.data_set, protected).map(|reply| reply.missing(&missing))
        }
        None => {
            let paging = Paging { offset: query.offset, limit, more };
            Reply::result(&ConnectionList { connections, paging }, &call.messages)
        }
    }
}

/// The format of a file; none for JSON.
fn format(parameters: &Parameters) -> Result<Option<RecordFormat>, Problem> {
    match parameters.one("format")?.map(str::to_ascii_uppercase).as_deref() {
        None | Some("JSON") => Ok(None),
        Some("CSV") => Ok(Some(RecordFormat::Csv)),
        Some("PARQUET") => Ok(Some(RecordFormat::Parquet)),
        Some(other) => Err(Problem::bad_input(format!("format: '{other}' is not JSON, CSV or PARQUET"))),
    }
}

/// Checks that an order does not read or hold too many connections.
fn check_order(call: &Call<'_>, query: &ConnectionQuery) -> Result<(), Problem> {
    if query.order.by == OrderBy::Time {
        return Ok(());
    }
    if query.offset + query.limit > MOST_HELD + 1 {
        return Err(Problem::too_costly(format!(
            "offset: in this order, only the first {MOST_HELD} connections are given; use orderBy=time, a filter, or a shorter range"
        )));
    }
    match too_many(call, &query.range)? {
        Some(sampled) => Err(Problem::too_costly(format!(
            "orderBy: this range has {sampled} connections; at most {MOST_READ} can be put into this order. Use orderBy=time, or a shorter range"
        ))),
        None => Ok(()),
    }
}

/// The number of connections of the range, if it is more than one answer reads.
pub(super) fn too_many(call: &Call<'_>, range: &Range<i64>) -> Result<Option<u64>, Problem> {
    let all = RollupQuery { range: range.clone(), bucket: None, selection: Selection::default(), by: None };
    let sampled: u64 = call.store()?.rollups(&all)?.rows.iter().map(|row| row.total().sampled).sum();
    Ok((sampled > MOST_READ).then_some(sampled))
}

fn order(parameters: &Parameters) -> Result<Order, Problem> {
    let by = match parameters.one("orderBy")? {
        None => OrderBy::Time,
        Some(text) => {
            OrderBy::ALL.into_iter().find(|by| by.name().eq_ignore_ascii_case(text)).ok_or_else(|| {
                let names = OrderBy::ALL.map(OrderBy::name).join(", ");
                Problem::bad_input(format!("orderBy: '{text}' is not one of {names}"))
            })?
        }
    };
    let descending = match parameters.one("direction")?.map(str::to_ascii_lowercase).as_deref() {
        None | Some("desc") => true,
        Some("asc") => false,
        Some(other) => {
            return Err(Problem::bad_input(format!("direction: '{other}' is neither asc nor desc")));
        }
    };
    Ok(Order { by, descending })
}

fn limit(parameters: &Parameters) -> Result<usize, Problem> {
    question::number(parameters, "limit", 100, 1..=1000)
}

/// Requests one entry more than is returned, to see whether there are more.
pub(super) fn query(call: &Call<'_>) -> Result<ConnectionQuery, Problem> {
    let query = query_of_any_length(call)?;
    check_length(call, &query.range)?;
    Ok(query)
}

/// Checks that a range is not too long to read its connections.
pub(super) fn check_length(call: &Call<'_>, range: &Range<i64>) -> Result<(), Problem> {
    if is_too_long(call, range)? {
        return Err(Problem::too_costly("dateRange: connections are given for at most 31 days at once"));
    }
    Ok(())
}

/// The same as [`query`], but of a range of any length.
pub(super) fn query_of_any_length(call: &Call<'_>) -> Result<ConnectionQuery, Problem> {
    let parameters = &call.parameters;
    let [series] =
        &question::series(parameters, "connections", Filters::Extended(call.data_set), call.now)?[..]
    else {
        return Err(Problem::bad_input(
            "connections are given for one series only: give each parameter once",
        ));
    };
    Ok(ConnectionQuery {
        range: series.range.clone(),
        selection: series.selection.clone(),
        stages: wanted(&Stage::ALL, &series.stages),
        terminations: wanted(
            call.data_set.terminations(),
            &list("termination", parameters.one("termination")?, |name| call.data_set.termination(name))?,
        ),
        clients: included("client", parameters, parse_net)?,
        servers: included("server", parameters, address)?,
        order: order(parameters)?,
        offset: question::number(parameters, "offset", 0, 0..=1_000_000)?,
        limit: limit(parameters)? + 1,
    })
}

/// The values that are selected; empty if all are.
fn wanted<T: PartialEq + Copy>(all: &[T], choice: &Choice<T>) -> Vec<T> {
    if choice.is_all() {
        Vec::new()
    } else {
        all.iter().copied().filter(|value| choice.has(Some(value))).collect()
    }
}

fn included<T>(
    key: &str,
    parameters: &Parameters,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Problem> {
    let choice = list(key, parameters.one(key)?, parse)?;
    if choice.exclude.is_empty() {
        return Ok(choice.include);
    }
    Err(Problem::bad_input(format!("{key}: addresses cannot be left out by '-'")))
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("'{text}' is not an IP address, such as 203.0.113.5"))
}

fn file(
    connections: &[ConnectionRecord<'static>],
    format: RecordFormat,
    data_set: DataSet,
    protected: bool,
) -> Result<Reply, Problem> {
    let mut bytes = Vec::new();
    write(connections, format.writer_of(&mut bytes, data_set, protected))
        .map_err(|error| Problem::internal(error.to_string()))?;
    Ok(match format {
        RecordFormat::Parquet => Reply::file(PARQUET, bytes, "connections.parquet"),
        _ => Reply::file(CSV, bytes, "connections.csv"),
    })
}

fn write(
    connections: &[ConnectionRecord<'static>],
    writer: io::Result<Box<dyn Writer + '_>>,
) -> io::Result<()> {
    let mut writer = writer?;
    connections.iter().try_for_each(|record| writer.write_record(record, &[]))?;
    writer.finish()
}

/// A connection has the fields of the exports.
fn connections_schema(schemas: &mut Schemas, set: DataSet) -> RefOr<Schema> {
    let typed = |field: &str, kind| {
        let kind = match field {
            "signature" | "signature_id" | "location" | "asn" | "as_name" | "rst_ttl_delta"
            | "rst_ip_id_delta" => SchemaType::Array(vec![kind, Type::Null]),
            _ => SchemaType::new(kind),
        };
        ObjectBuilder::new().schema_type(kind).build()
    };
    let kind = |field: &str| match field {
        "node" | "src_ip" | "dst_ip" | "stage" | "termination" | "signature" | "location" | "as_name" => {
            Type::String
        }
        "tags" => Type::Array,
        _ => Type::Integer,
    };
    // The other data sets have more, which are the same in all formats.
    let fields: Vec<&str> =
        cutshort_model::fields(set).filter(|field| cutshort_model::FIELDS.contains(field)).collect();
    let record = fields.iter().fold(ObjectBuilder::new(), |object, field| match kind(field) {
        Type::Array => object.property(*field, ArrayBuilder::new().items(typed(field, Type::String)).build()),
        kind => object.property(*field, typed(field, kind)),
    });
    let record = fields.into_iter().fold(record, ObjectBuilder::required);
    let addresses = ObjectBuilder::new().schema_type(Type::String);
    let addresses =
        addresses.enum_values(Some([Addresses::Truncated, Addresses::Encrypted].map(Addresses::name)));
    let addresses =
        addresses.description(Some("What of its addresses it has; not there where they are the real ones."));
    let record = record.property(ADDRESSES, addresses.build());
    ObjectBuilder::new()
        .property("connections", ArrayBuilder::new().items(record.build()).build())
        .property("paging", schema::<Paging>(schemas))
        .required("connections")
        .required("paging")
        .build()
        .into()
}
