//! Ranks the servers to which connections are opened (docs/origin.md).

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use cutshort_geo::{Country, Place};
use cutshort_model::{Network, Port, ServerName, Window};
use cutshort_store::cell::ServerCell;
use cutshort_store::{ConnectionQuery, FILE_NODE, ServerTotals, Store};
use cutshort_verdict::{DataSet, WeightedCount};
use serde::Serialize;
use utoipa::ToSchema;

use super::csv::text;
use super::top::DescribedStages;
use super::{DateRange, Facts, OTHER, Share, StageShares};
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

/// What connections are counted by. What counts as other is last in rankings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Address(IpAddr, u16),
    /// A name of the operator.
    Name(String, u16),
    Network(Option<u32>, u16),
    Other,
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
    /// The name that the operator gave it; `other` for all servers beyond the 5,000 of a 15-minute window with the most connections.
    name: Option<String>,
    /// Its address; none where addresses are not shown.
    address: Option<String>,
    /// Its port number; none for `other`.
    port: Option<u16>,
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
    /// The start of the first 15-minute window in which a connection was cut short or closed without an answer.
    #[schema(value_type = Option<String>, format = DateTime)]
    first_failure: Option<String>,
    /// The start of the last 15-minute window in which a connection was neither.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success: Option<String>,
    /// The nodes from which connections were opened, by name.
    nodes: Vec<ServerNode>,
    /// The number of sampled connections.
    connections: u64,
    /// The number of connections that these stand for.
    weight: u64,
}

/// The connections from one node to a server.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ServerNode {
    /// The name of the node.
    node: String,
    /// Connections from this node that were cut short, in percent of all from it.
    #[schema(value_type = String)]
    cut_short: Share,
    /// The number of sampled connections from this node.
    connections: u64,
}

/// What is counted of one server.
#[derive(Default)]
struct Counted {
    totals: ServerTotals,
    nodes: BTreeMap<String, (WeightedCount, WeightedCount)>,
}

impl Counted {
    fn add(&mut self, totals: &ServerTotals) {
        self.totals.merge(totals);
        let node = if totals.node.is_empty() { FILE_NODE } else { &totals.node };
        let (all, cut_short) = self.nodes.entry(node.to_owned()).or_default();
        all.merge(&totals.cell.counts.group.all);
        cut_short.merge(&totals.cell.counts.group.anomalous);
    }
}

/// Ranks servers by what windows count of each.
#[must_use]
pub fn servers(totals: &[ServerTotals], facts: &Facts, asked: &ServersQuery<'_>) -> Servers {
    let mut found: HashMap<Key, Counted> = HashMap::new();
    for totals in totals.iter().filter(|totals| asked.wants(totals)) {
        found.entry(asked.key(totals)).or_default().add(totals);
    }
    asked.ranked(facts, found)
}

/// Counts single connections by server and node.
///
/// # Errors
/// A [`Problem`] for the store's error.
pub fn count_servers(store: &dyn Store, query: &ConnectionQuery) -> Result<Vec<ServerTotals>, Problem> {
    let mut found: HashMap<(IpAddr, u16, String), ServerTotals> = HashMap::new();
    store.each_connection(query.range.clone(), &mut |record| {
        if query.wants(&record) {
            let (ip, port) = (record.five_tuple.dst(), record.five_tuple.dst_port);
            let totals = found.entry((ip, port, record.node.clone().into_owned())).or_default();
            let mut cell = ServerCell::default();
            cell.counts.add(&record);
            totals.add(Window::containing(record.first_us.saturating_mul(1000)).start(), &cell);
            let place = Place { country: record.location, asn: record.asn };
            totals.cell.locate(place, record.as_name.as_deref());
        }
        true
    })?;
    let named = |((ip, port, node), totals)| ServerTotals { server: Some((ip, port)), node, ..totals };
    Ok(found.into_iter().map(named).collect())
}

impl ServersQuery<'_> {
    /// Whether the counts of a server are part of the selection. Where servers that count as other are is not known.
    fn wants(&self, totals: &ServerTotals) -> bool {
        let selection = &self.connections.selection;
        if !selection.nodes.has(Some(&totals.node)) {
            return false;
        }
        let place = totals.cell.place;
        match totals.server {
            None => {
                let is_whole = selection.locations.is_all() && selection.continents.is_all();
                is_whole
                    && selection.asns.is_all()
                    && selection.ports.is_all()
                    && selection.ip_versions.is_all()
            }
            Some((ip, port)) => {
                selection.has_location(place.country)
                    && selection.has_network(place.asn.map_or(Network::Unknown, Network::As))
                    && selection.has_context(if ip.is_ipv4() { 4 } else { 6 }, Port::Number(port))
            }
        }
    }

    fn key(&self, totals: &ServerTotals) -> Key {
        let Some((ip, port)) = totals.server else { return Key::Other };
        if self.addresses {
            return Key::Address(ip, port);
        }
        let asn = totals.cell.place.asn;
        self.name(ip, port).map_or(Key::Network(asn, port), |name| Key::Name(name.to_owned(), port))
    }

    fn name(&self, ip: IpAddr, port: u16) -> Option<&str> {
        ServerName::find(self.names, ip, port)
    }

    fn ranked(&self, facts: &Facts, found: HashMap<Key, Counted>) -> Servers {
        let range = &self.connections.range;
        let counts = |counted: &Counted| counted.totals.cell.counts.group.all.sampled;
        let meta = ServersMeta {
            date_range: vec![DateRange::new(range)],
            last_updated: iso(facts.status.updated.unwrap_or(0)),
            pending_windows: facts.pending_in(range),
            addresses: self.addresses,
            protected_addresses: facts.status.protected.iter().map(|how| how.name()).collect(),
            servers: found.keys().filter(|key| **key != Key::Other).count(),
            connections: found.values().map(counts).sum(),
        };
        let mut found: Vec<(Key, Counted)> = found.into_iter().collect();
        let rank = |(key, counted): &(Key, Counted)| {
            let counts = &counted.totals.cell.counts;
            (*key == Key::Other, Reverse((counts.failed(), counts.group.all.weight)))
        };
        found.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.0.cmp(&b.0)));
        found.truncate(self.limit);
        Servers { meta, servers: found.into_iter().map(|(key, counted)| self.server(key, counted)).collect() }
    }

    fn server(&self, key: Key, counted: Counted) -> Server {
        let (name, address, port) = match key {
            Key::Address(ip, port) => {
                (self.name(ip, port).map(str::to_owned), Some(ip.to_string()), Some(port))
            }
            Key::Name(name, port) => (Some(name), None, Some(port)),
            Key::Network(_, port) => (None, None, Some(port)),
            Key::Other => (Some(OTHER.to_owned()), None, None),
        };
        let Counted { totals, nodes } = counted;
        let ServerCell { place, as_name, counts } = totals.cell;
        let all = &counts.group.all;
        let share = |count: &WeightedCount| Share::part(count.weight, all.weight);
        Server {
            name,
            address,
            port,
            location: place.country.map(Country::alpha2),
            asn: place.asn,
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
            first_failure: totals.first_failure.map(iso),
            last_success: totals.last_success.map(iso),
            nodes: nodes.into_iter().map(ServerNode::from).collect(),
            connections: all.sampled,
            weight: all.weight,
        }
    }
}

impl From<(String, (WeightedCount, WeightedCount))> for ServerNode {
    fn from((node, (all, cut_short)): (String, (WeightedCount, WeightedCount))) -> Self {
        Self { node, cut_short: Share::part(cut_short.weight, all.weight), connections: all.sampled }
    }
}

impl Servers {
    /// Writes the servers as comma-separated values.
    #[must_use]
    pub fn csv(&self) -> String {
        let head = "name,address,port,location,asn,as_name,post_syn,post_ack,post_psh,later_in_flow,no_match,cut_short,refused,unreachable,timeouts,gave_up,empty_answers,handshake_p50_us,handshake_p95_us,first_failure,last_success,nodes,connections,weight";
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
            or_empty(self.port),
            or_empty(self.location),
            or_empty(self.asn),
            or_empty(self.as_name.as_ref()),
        ];
        fields.extend(self.stages.iter().chain(own).map(ToString::to_string));
        fields.extend([
            or_empty(self.handshake_p50_us),
            or_empty(self.handshake_p95_us),
            or_empty(self.first_failure.as_ref()),
            or_empty(self.last_success.as_ref()),
            self.nodes.iter().map(|node| node.node.as_str()).collect::<Vec<_>>().join(" "),
            self.connections.to_string(),
            self.weight.to_string(),
        ]);
        fields
    }
}
