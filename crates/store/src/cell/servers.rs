//! Counts by server, of the data set `origin`.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use cutshort_geo::Place;
use cutshort_model::ServerCounts;
use foldhash::fast::FixedState;

/// A server to which a node opened connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerKey {
    /// Address and port, IPv4 addresses as IPv4-mapped ones; none for all servers beyond the limit.
    pub server: Option<(Ipv6Addr, u16)>,
    /// The node: an index into [`Cells::nodes`](super::Cells::nodes).
    pub node: u16,
}

/// The connections to a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerCell {
    /// Its country and network.
    pub place: Place,
    /// The name of its network, if it is known.
    pub as_name: Option<String>,
    /// The counts.
    pub counts: ServerCounts,
}

impl ServerKey {
    /// Its address and port.
    #[must_use]
    pub fn address(&self) -> Option<(IpAddr, u16)> {
        self.server.map(|(address, port)| (address.to_canonical(), port))
    }
}

impl ServerCell {
    /// Notes where the server is, where that is known.
    pub fn locate(&mut self, place: Place, as_name: Option<&str>) {
        self.place = place;
        if self.as_name.as_deref() != as_name {
            self.as_name = as_name.map(str::to_owned);
        }
    }

    /// Adds the counts of another part of the connections to the server.
    pub fn merge(&mut self, other: &Self) {
        if other.place != Place::default() {
            self.locate(other.place, other.as_name.as_deref());
        }
        self.counts.merge(&other.counts);
    }
}

type Servers = HashMap<ServerKey, ServerCell, FixedState>;

/// Counts servers beyond the limit as one.
pub(super) fn fold(servers: Servers, limit: usize) -> Servers {
    let mut sums: HashMap<(Ipv6Addr, u16), u64, FixedState> = HashMap::default();
    for (key, cell) in &servers {
        if let Some(server) = key.server {
            *sums.entry(server).or_default() += cell.counts.group.all.sampled;
        }
    }
    if sums.len() <= limit {
        return servers;
    }
    let mut ranked: Vec<_> = sums.into_iter().collect();
    ranked.sort_unstable_by_key(|&(server, sampled)| (Reverse(sampled), server));
    let named: std::collections::HashSet<_> =
        ranked.into_iter().take(limit).map(|(server, _)| server).collect();
    let mut folded = Servers::default();
    for (key, cell) in servers {
        match key.server.filter(|server| named.contains(server)) {
            Some(_) => folded.entry(key).or_default().merge(&cell),
            None => {
                let other = folded.entry(ServerKey { server: None, ..key }).or_default();
                other.counts.merge(&cell.counts);
            }
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::super::{Cells, Limits};
    use super::*;
    use cutshort_verdict::WeightedCount;

    fn key(cells: &mut Cells, address: &str, node: &str) -> ServerKey {
        let address: IpAddr = address.parse().unwrap();
        let mapped = match address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        ServerKey { server: Some((mapped, 443)), node: cells.node(node) }
    }

    fn count(cells: &mut Cells, address: &str, node: &str, connections: u64) {
        let key = key(cells, address, node);
        let mut all = WeightedCount::default();
        (0..connections).for_each(|_| all.add(1));
        let mut counts = [WeightedCount::default(); ServerCounts::STORED.len()];
        counts[4] = all;
        cells.server(key).merge(&ServerCell {
            counts: ServerCounts::from_stored(&counts, cutshort_model::TimeHistogram::default()),
            ..ServerCell::default()
        });
    }

    #[test]
    fn servers_with_most_connections_of_all_nodes_keep_their_address() {
        let mut cells = Cells::default();
        count(&mut cells, "192.0.2.1", "a", 3);
        count(&mut cells, "192.0.2.1", "b", 3);
        count(&mut cells, "192.0.2.2", "a", 5);
        count(&mut cells, "2001:db8::3", "a", 4);
        count(&mut cells, "2001:db8::3", "b", 1);
        let mut merged = Cells::default();
        merged.node("b");
        merged.merge(&cells);
        let folded = merged.fold(&Limits { servers: 2, ..Limits::default() });
        let mut found: Vec<_> = folded
            .servers()
            .map(|(key, cell)| {
                let node = folded.nodes()[usize::from(key.node)].as_str();
                let address = key.address().map(|(address, _)| address.to_string());
                (address, node, cell.counts.group.all.sampled)
            })
            .collect();
        found.sort();
        let named = |address: &str| Some(address.to_owned());
        let expected = [
            (None, "a", 4),
            (None, "b", 1),
            (named("192.0.2.1"), "a", 3),
            (named("192.0.2.1"), "b", 3),
            (named("192.0.2.2"), "a", 5),
        ];
        assert_eq!(found, expected);
    }
}
