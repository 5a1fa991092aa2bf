//! The endpoint of servers to which connections are opened.

use cutshort_store::{ConnectionQuery, ServerTotals};
use cutshort_verdict::DataSet;

use super::connections::{MOST_READ, check_length, query_of_any_length, too_many};
use super::{damage, of};
use crate::answer::{self, Servers, ServersQuery};
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Unknown};
use crate::http::parameters as p;
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::question::{self, Format};

pub(super) const SERVERS: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::Of(DataSet::Origin, "/top/servers"),
    id: "topServers",
    title: "Servers to which connections fail",
    about: "Servers by how many connections to them were cut short or closed without an answer, with the shares of what happened and how long the handshake took. Questions about tags, signatures, stages or completed handshakes read single connections, of at most 31 days. Addresses are shown where single connections may be read (setting 'connections'); elsewhere servers of one network and port are counted together, except those that have a name (setting 'upstreams').",
    group: Group::Own,
    parameters: &[
        &p::LIMIT_SERVERS,
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
        &p::STAGE,
    ],
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: of::<Servers>(), csv: true },
    good: &[200],
    bad: &[404, 422],
    takes: None,
    store: true,
    run,
};

fn run(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let options = &call.app.options;
    let connections = query_of_any_length(call)?;
    let asked = ServersQuery {
        connections: &connections,
        names: &options.upstreams,
        addresses: options.connections,
        limit: question::number(&call.parameters, "limit", 20, 1..=1000)?,
    };
    let counted =
        if connections.needs_connections() { None } else { call.store()?.servers(&connections.range)? };
    let totals = match counted {
        Some(totals) => totals,
        None => from_connections(call, &connections)?,
    };
    let missing = call.store()?.lost_connections(&connections.range)?;
    let servers = answer::servers(&totals, &*call.facts()?, &asked);
    call.messages.extend(damage::missing(&missing));
    match question::format(&call.parameters)? {
        Format::Json => Reply::result(&servers, &call.messages),
        Format::Csv => Ok(Reply::csv(servers.csv(), "servers.csv").missing(&missing)),
    }
}

/// Counts single connections, if the counts of windows cannot answer the question.
fn from_connections(call: &Call<'_>, query: &ConnectionQuery) -> Result<Vec<ServerTotals>, Problem> {
    check_length(call, &query.range)?;
    if let Some(sampled) = too_many(call, &query.range)? {
        return Err(Problem::too_costly(format!(
            "dateRange: this range has {sampled} connections; at most {MOST_READ} are read at once. Ask for a shorter range"
        )));
    }
    answer::count_servers(call.store()?, query)
}
