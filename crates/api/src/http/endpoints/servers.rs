//! The endpoint of servers to which connections are opened.

use cutshort_verdict::DataSet;

use super::connections::{MOST_READ, query, too_many};
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
    about: "Servers by how many connections to them were cut short or closed without an answer, with the shares of what happened and how long the handshake took. It reads single connections, of at most 31 days. Addresses are shown where single connections may be read (setting 'connections'); elsewhere servers of one network and port are counted together, except those that have a name (setting 'upstreams').",
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
    let asked = ServersQuery {
        connections: &query(call)?,
        names: &options.upstreams,
        addresses: options.connections,
        limit: question::number(&call.parameters, "limit", 20, 1..=1000)?,
    };
    if let Some(sampled) = too_many(call, &asked.connections.range)? {
        return Err(Problem::too_costly(format!(
            "dateRange: this range has {sampled} connections; at most {MOST_READ} are read at once. Ask for a shorter range"
        )));
    }
    let facts = call.facts()?;
    let servers = answer::servers(call.store()?, &facts, &asked)?;
    let missing = call.store()?.lost_connections(&asked.connections.range)?;
    call.messages.extend(damage::missing(&missing));
    match question::format(&call.parameters)? {
        Format::Json => Reply::result(&servers, &call.messages),
        Format::Csv => Ok(Reply::csv(servers.csv(), "servers.csv").missing(&missing)),
    }
}
