//! Ranks the servers to which connections are opened (docs/origin.md), from single connections.

use std::collections::HashMap;
use std::net::IpAddr;

use cutshort_geo::Country;
use cutshort_model::{ConnectionRecord, ServerCounts, ServerName};
use cutshort_store::{ConnectionQuery, Store};
use cutshort_verdict::{DataSet, WeightedCount};
use serde::Serialize;
use utoipa::ToSchema;

use super::csv::text;
use super::top::DescribedStages;
use super::{DateRange, Facts, Share, StageShares};
use crate::problem::Problem;
use crate::question::iso;

/// A question about servers.
#[derive(Clone, Copy, Debug)]
pub struct ServersQuery<'a> {
    /// The connections to count; `offset` and `limit` do not apply.
    pub connections: &'a ConnectionQuery,
    /// Names of servers; the first that fits is used.
    pub names: &'a [ServerName],
    /// Whether addresses may be shown. Without, servers of one network and port are counted together, unless they have
    /// a name.
    pub addresses: bool,
    /// The maximum number of servers to list.
    pub limit: usize,
}

/// What connections are counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Address(IpAddr, u16),
    /// A name of the operator.
    Name(String, u16),
    Network(Option<u32>, u16),
}

/// Servers in the order of how many connections to them failed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Servers {
    meta: ServersMeta,
    /// The servers, at most as many as were asked for.
    servers: Vec<Server>,
}

/// The metadata of a ranking of servers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ServersMeta {
    /// The range that was asked for.
    date_range: Vec<DateRange>,
    /// The time when results were last computed.
    #[schema(format = DateTime)]
    last_updated: String,
    /// The number of windows in the range whose results are missing or out of date.
    pending_windows: usize,
    /// Whether addresses are shown. If not, servers of a network are counted together.
    addresses: bool,
    /// How the addresses of some packets were protected, `truncated` or `encrypted`; empty if all were full. Servers whose
    /// truncated addresses are the same are counted together.
    protected_addresses: Vec<&'static str>,
    /// The number of servers in the selection.
    servers: usize,
    /// Sampled connections to all of them.
    connections: u64,
}

/// A server, with connections that were opened to it. Shares are in percent of these.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Server {
    /// The name that the operator gave it.
    name: Option<String>,
    /// Its address; none where addresses are not shown.
    address: Option<String>,
    /// Its port number.
    port: u16,
    /// The country of its network, if it is known.
    location: Option<&'static str>,
    /// The number of its network, if it is known.
    asn: Option<u32>,
    /// The name of its network, if it is known.
    as_name: Option<String>,
    /// The shares of all stages, which add up to 100.
    #[schema(value_type = DescribedStages)]
    stages: StageShares,
    /// Connections that were cut short, at any stage.
    #[schema(value_type = String)]
    cut_short: Share,
    /// Connections that it refused.
    #[schema(value_type = String)]
    refused: Share,
    /// Connections that an ICMP error ended.
    #[schema(value_type = String)]
    unreachable: Share,
    /// Connections that ended in silence.
    #[schema(value_type = String)]
    timeouts: Share,
    /// Connections that this side gave up.
    #[schema(value_type = String)]
    gave_up: Share,
    /// Connections that it closed without a byte of an answer.
    #[schema(value_type = String)]
    empty_answers: Share,
    /// The median time from the SYN to the SYN+ACK in microseconds.
    handshake_p50_us: Option<u64>,
    /// The 95th percentile of that time in microseconds.
    handshake_p95_us: Option<u64>,
    /// The number of sampled connections.
    connections: u64,
    /// The number of connections that these stand for.
    weight: u64,
}

/// What is counted of one server.
#[derive(Default)]
struct Counted {
    counts: ServerCounts,
    location: Option<Country>,
    asn: Option<u32>,
    as_name: Option<String>,
}

/// Ranks servers.
///
/// # Errors
/// A [`Problem`] for the store's error.
pub fn servers(store: &dyn Store, facts: &Facts, asked: &ServersQuery<'_>) -> Result<Servers, Problem> {
    let mut found: HashMap<Key, Counted> = HashMap::new();
    store.each_connection(asked.connections.range.clone(), &mut |record| {
        if asked.connections.wants(&record) {
            let counted = found.entry(asked.key(&record)).or_default();
            counted.counts.add(&record);
            (counted.location, counted.asn) = (record.location, record.asn);
            counted.as_name = record.as_name.map(std::borrow::Cow::into_owned);
        }
        true
    })?;
    Ok(asked.ranked(facts, found))
}

impl ServersQuery<'_> {
    fn key(&self, record: &ConnectionRecord<'_>) -> Key {
        let (ip, port) = (record.five_tuple.dst(), record.five_tuple.dst_port);
        if self.addresses {
            return Key::Address(ip, port);
        }
        self.name(ip, port).map_or(Key::Network(record.asn, port), |name| Key::Name(name.to_owned(), port))
    }

    fn name(&self, ip: IpAddr, port: u16) -> Option<&str> {
        ServerName::find(self.names, ip, port)
    }

    fn ranked(&self, facts: &Facts, found: HashMap<Key, Counted>) -> Servers {
        let range = &self.connections.range;
        let meta = ServersMeta {
            date_range: vec![DateRange::new(range)],
            last_updated: iso(facts.status.updated.unwrap_or(0)),
            pending_windows: facts.pending_in(range),
            addresses: self.addresses,
            protected_addresses: facts.status.protected.iter().map(|how| how.name()).collect(),
            servers: found.len(),
            connections: found.values().map(|one| one.counts.group.all.sampled).sum(),
        };
        let mut found: Vec<(Key, Counted)> = found.into_iter().collect();
        let rank = |counts: &ServerCounts| std::cmp::Reverse((counts.failed(), counts.group.all.weight));
        found.sort_by(|(a, one), (b, two)| rank(&one.counts).cmp(&rank(&two.counts)).then_with(|| a.cmp(b)));
        found.truncate(self.limit);
        Servers { meta, servers: found.into_iter().map(|(key, counted)| self.server(key, counted)).collect() }
    }

    fn server(&self, key: Key, counted: Counted) -> Server {
        let (name, address, port) = match key {
            Key::Address(ip, port) => (self.name(ip, port).map(str::to_owned), Some(ip.to_string()), port),
            Key::Name(name, port) => (Some(name), None, port),
            Key::Network(_, port) => (None, None, port),
        };
        let Counted { counts, location, asn, as_name } = counted;
        let all = &counts.group.all;
        let share = |count: &WeightedCount| Share::part(count.weight, all.weight);
        Server {
            name,
            address,
            port,
            location: location.map(Country::alpha2),
            asn,
            as_name,
            stages: StageShares::new(DataSet::Origin, &counts.stages),
            cut_short: share(&counts.group.anomalous),
            refused: share(&counts.refused),
            unreachable: share(&counts.unreachable),
            timeouts: share(&counts.timeouts),
            gave_up: share(&counts.gave_up),
            empty_answers: share(&counts.empty_answers),
            handshake_p50_us: counts.handshakes.quantile(0.5),
            handshake_p95_us: counts.handshakes.quantile(0.95),
            connections: all.sampled,
            weight: all.weight,
        }
    }
}

impl Servers {
    /// Writes the servers as comma-separated values.
    #[must_use]
    pub fn csv(&self) -> String {
        let head = "name,address,port,location,asn,as_name,post_syn,post_ack,post_psh,later_in_flow,no_match,cut_short,refused,unreachable,timeouts,gave_up,empty_answers,handshake_p50_us,handshake_p95_us,connections,weight";
        let mut lines = vec![head.split(',').map(str::to_owned).collect()];
        lines.extend(self.servers.iter().map(Server::fields));
        text(&lines)
    }
}

impl Server {
    fn fields(&self) -> Vec<String> {
        fn or_empty(value: Option<impl ToString>) -> String {
            value.map_or_else(String::new, |value| value.to_string())
        }
        let own = [
            &self.cut_short,
            &self.refused,
            &self.unreachable,
            &self.timeouts,
            &self.gave_up,
            &self.empty_answers,
        ];
        let mut fields = vec![
            or_empty(self.name.as_ref()),
            or_empty(self.address.as_ref()),
            self.port.to_string(),
            or_empty(self.location),
            or_empty(self.asn),
            or_empty(self.as_name.as_ref()),
        ];
        fields.extend(self.stages.iter().chain(own).map(ToString::to_string));
        fields.extend([
            or_empty(self.handshake_p50_us),
            or_empty(self.handshake_p95_us),
            self.connections.to_string(),
            self.weight.to_string(),
        ]);
        fields
    }
}
