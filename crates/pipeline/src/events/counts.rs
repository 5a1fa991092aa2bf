//! Cells as the counts that the detector takes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use cutshort_detect::{Detector, ObservedNode, SeriesCounts, SeriesPlace, SingleSyns};
use cutshort_geo::Country;
use cutshort_model::{ConnectionRecord, Network, Port, ServerName};
use cutshort_store::FILE_NODE;
use cutshort_store::cell::{CellOutcome, Cells};
use cutshort_verdict::{DataSet, Stage, Tags, Termination, WeightedCount};
use foldhash::fast::FixedState;

/// Connections in one window that a network or server needs before it is watched. Most networks that are ever seen send a packet a week;
/// nothing could be noticed there.
const LEAST: u64 = 5;
/// Servers that are watched at most: whoever fetches pages opens connections to any number of them.
const MOST_SERVERS: usize = 1_000;

/// The counts of a window.
pub(super) struct Counted<'a> {
    pub(super) nodes: Vec<ObservedNode<'a>>,
    pub(super) counts: Vec<SeriesCounts>,
    /// Sampled connections.
    sampled: u64,
}

/// The sums of a place at a node.
#[derive(Clone, Default)]
struct Sums {
    all: WeightedCount,
    /// Weights, in the order of [`Stage::ALL`] but its last.
    stages: [u64; 4],
    /// Of single SYNs, the weights of those that a RST ended, and of those with marks of a scanner.
    reset: u64,
    scanner: u64,
    /// Of single SYNs, the weight of each port.
    ports: Vec<(u16, u64)>,
}

/// What is counted of a cell.
#[derive(Clone, Copy)]
struct Counting<'a> {
    stage: Stage,
    termination: Termination,
    is_scanner: bool,
    port: Port,
    count: &'a WeightedCount,
}

impl Sums {
    fn add(&mut self, cell: Counting<'_>) {
        let weight = cell.count.weight;
        self.all.merge(cell.count);
        if let Some(sum) = self.stages.get_mut(cell.stage as usize) {
            *sum += weight;
        }
        if cell.stage != Stage::PostSyn {
            return;
        }
        if cell.termination == Termination::Reset {
            self.reset += weight;
        }
        if cell.is_scanner {
            self.scanner += weight;
        }
        if let Port::Number(number) = cell.port {
            match self.ports.iter_mut().find(|(port, _)| *port == number) {
                Some((_, sum)) => *sum += weight,
                None => self.ports.push((number, weight)),
            }
        }
    }

    /// What single SYNs were like. Only of TCP connections of clients is it known what floods and scans look like.
    fn single(&self, data_set: DataSet) -> Option<SingleSyns> {
        let port = self.ports.iter().map(|(_, weight)| *weight).max().unwrap_or(0);
        (data_set == DataSet::Tcp).then_some(SingleSyns {
            reset: self.reset as f64,
            scanner: self.scanner as f64,
            port: port as f64,
        })
    }

    fn of(
        &self,
        place: SeriesPlace,
        country: Option<[u8; 2]>,
        node: usize,
        data_set: DataSet,
    ) -> SeriesCounts {
        SeriesCounts {
            place,
            country,
            network: None,
            node,
            all: self.all.weight as f64,
            squares: self.all.squares as f64,
            stages: self.stages.map(|weight| weight as f64),
            single: self.single(data_set),
        }
    }
}

type Map<K, V> = HashMap<K, V, FixedState>;

/// Adds up the cells of a window of a data set by place and node. `covered` are the nodes that observed it, and how much of it. A network that
/// `is_watched` does not know is left out until it has some connections.
pub(super) fn count<'a>(
    data_set: DataSet,
    cells: &'a Cells,
    covered: &[(&'a str, f64)],
    is_watched: impl Fn(u32) -> bool,
) -> Counted<'a> {
    // Between two captures, and within one that was merged from several, nothing tells silence from what was not captured.
    let captured = cells.nodes().iter().any(|node| named(node) == FILE_NODE);
    let mut nodes: Vec<ObservedNode<'a>> = covered
        .iter()
        .map(|&(name, coverage)| ObservedNode { name: named(name), coverage })
        .filter(|node| captured || node.name != FILE_NODE)
        .collect();
    let positions: Vec<usize> = cells.nodes().iter().map(|name| position(&mut nodes, named(name))).collect();
    let mut world: Map<usize, Sums> = Map::default();
    let mut countries: Map<(Country, usize), Sums> = Map::default();
    let mut networks: Map<(u32, usize), Sums> = Map::default();
    let mut homes: Map<u32, Map<Option<Country>, WeightedCount>> = Map::default();
    let scanners: Tags = data_set.scanners();
    let mut sampled = 0;
    for (key, count) in cells.iter() {
        let (CellOutcome::Connection { stage, termination, tags, .. }, Some(&node)) =
            (key.outcome, positions.get(usize::from(key.node)))
        else {
            continue;
        };
        sampled += count.sampled;
        let is_scanner = tags.intersects(scanners);
        let cell = Counting { stage, termination, is_scanner, port: key.port, count: &count };
        world.entry(node).or_default().add(cell);
        if let Some(country) = key.location {
            countries.entry((country, node)).or_default().add(cell);
        }
        if let Network::As(number) = key.network {
            networks.entry((number, node)).or_default().add(cell);
            homes.entry(number).or_default().entry(key.location).or_default().merge(&count);
        }
    }
    let mut counts: Vec<SeriesCounts> =
        world.into_iter().map(|(node, sums)| sums.of(SeriesPlace::World, None, node, data_set)).collect();
    counts.extend(
        countries.into_iter().map(|((country, node), sums)| {
            sums.of(SeriesPlace::Country(code(country)), None, node, data_set)
        }),
    );
    for ((number, node), sums) in networks {
        let home = homes.get(&number);
        let sampled: u64 = home.map_or(0, |home| home.values().map(|count| count.sampled).sum());
        if sampled >= LEAST || is_watched(number) {
            counts.push(sums.of(SeriesPlace::Network(number), home.and_then(country), node, data_set));
        }
    }
    Counted { nodes, counts, sampled }
}

/// Captures are a node like others.
fn named(node: &str) -> &str {
    if node.is_empty() { FILE_NODE } else { node }
}

/// The position of a node. One with connections was there, whatever is known of what it covered.
fn position<'a>(nodes: &mut Vec<ObservedNode<'a>>, name: &'a str) -> usize {
    let position = nodes.iter().position(|node| node.name == name).unwrap_or_else(|| {
        nodes.push(ObservedNode { name, coverage: 0.0 });
        nodes.len() - 1
    });
    let node = &mut nodes[position];
    if node.coverage <= 0.0 {
        node.coverage = 1.0;
    }
    position
}

/// The country of more than half of a network's connections.
fn country(home: &Map<Option<Country>, WeightedCount>) -> Option<[u8; 2]> {
    most(home).copied().flatten().map(code)
}

/// What more than half of the connections have.
fn most<K>(home: &Map<K, WeightedCount>) -> Option<&K> {
    let all: u64 = home.values().map(|count| count.weight).sum();
    home.iter().find(|(_, count)| count.weight * 2 > all).map(|(key, _)| key)
}

fn code(country: Country) -> [u8; 2] {
    let letters = country.alpha2().as_bytes();
    [letters[0], letters[1]]
}

/// The connections of a window by server.
#[derive(Default)]
pub(super) struct Servers {
    by_name: BTreeMap<String, ServerSums>,
    sampled: u64,
}

/// The sums of a server.
#[derive(Default)]
struct ServerSums {
    by_node: BTreeMap<String, Sums>,
    homes: Map<(Option<Country>, Option<u32>), WeightedCount>,
}

impl ServerSums {
    fn sampled(&self) -> u64 {
        self.by_node.values().map(|sums| sums.all.sampled).sum()
    }
}

impl Servers {
    pub(super) fn add(&mut self, record: &ConnectionRecord<'_>, naming: &Naming) {
        let mut count = WeightedCount::default();
        count.add(record.sample_rate);
        self.sampled += 1;
        let server = SocketAddr::new(record.five_tuple.dst(), record.five_tuple.dst_port);
        let server = self.by_name.entry(naming.name(server)).or_default();
        server.homes.entry((record.location, record.asn)).or_default().merge(&count);
        server.by_node.entry(named(&record.node).to_owned()).or_default().add(Counting {
            stage: record.stage,
            termination: record.termination,
            is_scanner: false,
            port: Port::Number(record.five_tuple.dst_port),
            count: &count,
        });
    }

    /// Adds the counts of servers to those of a window, if all of its connections are known; returns whether they are: single
    /// connections may be deleted sooner than counts. Of servers that are not watched yet, those with most connections are taken.
    pub(super) fn join(&self, counted: &mut Counted<'_>, data_set: DataSet, detector: &Detector) -> bool {
        if self.sampled != counted.sampled {
            return false;
        }
        let place = |name: &str| SeriesPlace::Server(name.to_owned());
        let (watched, mut new): (Vec<_>, Vec<_>) =
            self.by_name.iter().partition(|(name, _)| detector.watches(&place(name)));
        new.retain(|(_, sums)| sums.sampled() >= LEAST);
        new.sort_by_key(|(_, sums)| Reverse(sums.sampled()));
        let is_server = |place: &&SeriesPlace| matches!(place, SeriesPlace::Server(_));
        let known: Vec<&SeriesPlace> = detector.watched().filter(is_server).collect();
        new.truncate(MOST_SERVERS.saturating_sub(known.len()));
        // Without any row, servers would count as not observed.
        if watched.is_empty() && new.is_empty() && !counted.nodes.is_empty() {
            let nothing =
                known.first().map(|server| Sums::default().of((*server).clone(), None, 0, data_set));
            counted.counts.extend(nothing);
        }
        for (name, server) in watched.into_iter().chain(new) {
            let home = most(&server.homes);
            let country = home.and_then(|(country, _)| country.map(code));
            for (node, sums) in &server.by_node {
                let Some(node) = counted.nodes.iter().position(|known| known.name == node) else { continue };
                let row = sums.of(place(name), country, node, data_set);
                let network = home.and_then(|(_, network)| *network);
                counted.counts.push(SeriesCounts { network, ..row });
            }
        }
        true
    }
}

/// The names of servers.
#[derive(Clone, Debug, Default)]
pub(super) struct Naming {
    /// None if it is not known which there are.
    pub(super) names: Option<Vec<ServerName>>,
}

impl Naming {
    /// The name of a server, or else its address and port.
    fn name(&self, server: SocketAddr) -> String {
        let name = ServerName::find(self.names.as_deref().unwrap_or_default(), server.ip(), server.port());
        name.map_or_else(|| server.to_string(), str::to_owned)
    }

    /// Whether no connection counts under the name of a server that is watched, since names have changed.
    pub(super) fn is_gone(&self, place: &SeriesPlace) -> bool {
        let (Some(names), SeriesPlace::Server(server)) = (&self.names, place) else { return false };
        let has_name = names.iter().any(|name| name.name() == server);
        !has_name && place.server_address().is_none_or(|address| self.name(address) != *server)
    }

    /// Whether it is known under which names the servers count that are watched.
    pub(super) fn knows(&self, detector: &Detector) -> bool {
        let is_named =
            |place: &SeriesPlace| matches!(place, SeriesPlace::Server(_)) && place.server_address().is_none();
        self.names.is_some() || !detector.watched().any(is_named)
    }
}

#[cfg(test)]
mod tests {
    use cutshort_store::cell::CellKey;

    use super::*;

    fn cells(of: &[(&str, Network, Stage, &str, u32)]) -> Cells {
        let mut cells = Cells::default();
        for &(country, network, stage, node, rate) in of {
            let key = CellKey {
                location: Country::from_alpha2(country),
                network,
                ip_version: 4,
                port: Port::Number(443),
                node: cells.node(node),
                outcome: CellOutcome::Connection {
                    stage,
                    termination: Termination::Reset,
                    completed: stage != Stage::PostSyn,
                    signature: None,
                    tags: Tags::default(),
                },
            };
            cells.add(key, rate);
        }
        cells
    }

    #[test]
    fn captures_without_a_connection_have_observed_nothing() {
        let observed = |of: &[(&str, Network, Stage, &str, u32)]| {
            let cells = cells(of);
            let counted = count(DataSet::Tcp, &cells, &[("", 1.0), ("edge", 1.0)], |_| true);
            counted.nodes.iter().map(|node| node.name.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(observed(&[]), ["edge"]);
        assert_eq!(observed(&[("IQ", Network::As(1), Stage::None, "", 1)]), ["file", "edge"]);
    }

    #[test]
    fn connections_are_added_up_by_place_and_node() {
        let one = Network::As(1);
        let cells = cells(&[
            ("IQ", one, Stage::PostAck, "a", 20),
            ("IQ", one, Stage::None, "a", 20),
            ("IR", one, Stage::None, "b", 20),
            ("IQ", Network::As(2), Stage::PostSyn, "a", 1),
            ("", Network::Unknown, Stage::None, "", 1),
        ]);
        let counted = count(DataSet::Tcp, &cells, &[("a", 0.5), ("c", 1.0)], |number| number == 1);
        let nodes: Vec<_> = counted.nodes.iter().map(|node| (node.name, node.coverage)).collect();
        assert_eq!(nodes, [("a", 0.5), ("c", 1.0), ("b", 1.0), ("file", 1.0)]);
        let of = |place: SeriesPlace, node: usize| {
            let counts = counted.counts.iter().find(|counts| counts.place == place && counts.node == node);
            counts.map(|counts| (counts.country, counts.all, counts.squares, counts.stages))
        };
        assert_eq!(of(SeriesPlace::World, 0), Some((None, 41.0, 801.0, [1.0, 20.0, 0.0, 0.0])));
        assert_eq!(of(SeriesPlace::World, 3), Some((None, 1.0, 1.0, [0.0; 4])));
        assert_eq!(of(SeriesPlace::Country(*b"IQ"), 0), of(SeriesPlace::World, 0));
        let network = Some((Some(*b"IQ"), 40.0, 800.0, [0.0, 20.0, 0.0, 0.0]));
        assert_eq!(of(SeriesPlace::Network(1), 0), network);
        assert_eq!(of(SeriesPlace::Network(1), 2), Some((Some(*b"IQ"), 20.0, 400.0, [0.0; 4])));
        assert_eq!(of(SeriesPlace::Network(2), 0), None, "too few to be watched");
        let world = counted.counts.iter().find(|one| one.place == SeriesPlace::World && one.node == 0);
        let single = world.unwrap().single;
        assert_eq!(single, Some(SingleSyns { reset: 1.0, scanner: 0.0, port: 1.0 }));
        let other = count(DataSet::Origin, &cells, &[("a", 0.5)], |_| false);
        assert!(other.counts.iter().all(|counts| counts.single.is_none()));
        assert_eq!(counted.counts.len(), 7);
    }
}
