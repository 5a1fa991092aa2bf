use std::collections::BTreeMap;

use cutshort_verdict::{DataSet, Tag};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const NODES: [&str; 3] = ["", "ams1", "fra2"];

fn outcomes() -> impl Strategy<Value = CellOutcome> {
    let signatures: Vec<_> =
        std::iter::once(None).chain(DataSet::Tcp.signatures().iter().copied().map(Some)).collect();
    let connection = (
        select(Stage::ALL.to_vec()),
        select(Termination::ALL.to_vec()),
        any::<bool>(),
        select(signatures),
        any::<u32>(),
    )
        .prop_map(|(stage, termination, completed, signature, tags)| CellOutcome::Connection {
            stage,
            termination,
            completed,
            signature,
            tags: Tags::from_bits(tags),
        });
    prop_oneof![4 => connection, 1 => select(Exclusion::ALL.to_vec()).prop_map(CellOutcome::Excluded)]
}

/// Any key at all.
fn any_key() -> impl Strategy<Value = CellKey> {
    let location = select(std::iter::once(None).chain(Country::all().map(Some)).collect::<Vec<_>>());
    let network =
        prop_oneof![any::<u32>().prop_map(Network::As), Just(Network::Unknown), Just(Network::Other)];
    let port = prop_oneof![any::<u16>().prop_map(Port::Number), Just(Port::Other)];
    (location, network, select(vec![4, 6]), port, any::<u16>(), outcomes()).prop_map(
        |(location, network, ip_version, port, node, outcome)| CellKey {
            location,
            network,
            ip_version,
            port,
            node,
            outcome,
        },
    )
}

/// A 5-tuple, of few networks and ports, with the name of its node.
fn one() -> impl Strategy<Value = (CellKey, &'static str, u32)> {
    let outcome = prop_oneof![
        3 => Just(CellOutcome::Connection {
            stage: Stage::None,
            termination: Termination::Fin,
            completed: true,
            signature: None,
            tags: [Tag::Answered].into_iter().collect(),
        }),
        1 => Just(CellOutcome::Excluded(Exclusion::NoSyn)),
    ];
    let network = prop_oneof![8 => (0..6_u32).prop_map(Network::As), 1 => Just(Network::Unknown), 1 => Just(Network::Other)];
    let port = prop_oneof![8 => (0..6_u16).prop_map(Port::Number), 1 => Just(Port::Other)];
    let location = select(vec![None, Country::from_alpha2("DE"), Country::from_alpha2("US")]);
    (location, network, select(vec![4, 6]), port, outcome, select(NODES.to_vec()), 1..4_u32).prop_map(
        |(location, network, ip_version, port, outcome, node, rate)| {
            (CellKey { location, network, ip_version, port, node: 0, outcome }, node, rate)
        },
    )
}

fn cells(all: &[(CellKey, &str, u32)]) -> Cells {
    let mut cells = Cells::default();
    for (key, node, rate) in all {
        let node = cells.node(node);
        cells.add(CellKey { node, ..*key }, *rate);
    }
    cells
}

/// Cells with the names of their nodes, in order.
fn named(cells: &Cells) -> BTreeMap<String, WeightedCount> {
    let named = cells.iter().map(|(key, count)| {
        let node = &cells.nodes()[usize::from(key.node)];
        (format!("{node} {:?}", CellKey { node: 0, ..key }), count)
    });
    named.collect()
}

fn merged(all: &[&Cells]) -> Cells {
    let mut sum = Cells::default();
    all.iter().for_each(|cells| sum.merge(cells));
    sum
}

/// Sums by everything but network and port.
fn sums_by_the_rest(cells: &Cells) -> BTreeMap<String, WeightedCount> {
    let mut sums: BTreeMap<String, WeightedCount> = BTreeMap::new();
    for (key, count) in cells.iter() {
        let rest = CellKey { network: Network::Other, port: Port::Other, ..key };
        sums.entry(format!("{rest:?}")).or_default().merge(&count);
    }
    sums
}

fn sampled_by<T: Ord + Copy>(cells: &Cells, of: impl Fn(&CellKey) -> Option<T>) -> BTreeMap<T, u64> {
    let mut sums = BTreeMap::new();
    for (key, count) in cells.iter() {
        let connections =
            if matches!(key.outcome, CellOutcome::Connection { .. }) { count.sampled } else { 0 };
        if let Some(value) = of(&key) {
            *sums.entry(value).or_default() += connections;
        }
    }
    sums
}

fn top<T: Ord + Copy>(sums: &BTreeMap<T, u64>, limit: usize) -> BTreeMap<T, u64> {
    let mut ranked: Vec<(T, u64)> = sums.iter().map(|(value, sampled)| (*value, *sampled)).collect();
    ranked.sort_by_key(|&(value, sampled)| (Reverse(sampled), value));
    ranked.into_iter().take(limit).collect()
}

fn network_of(key: &CellKey) -> Option<u32> {
    match key.network {
        Network::As(number) => Some(number),
        Network::Unknown | Network::Other => None,
    }
}

fn port_of(key: &CellKey) -> Option<u16> {
    match key.port {
        Port::Number(number) => Some(number),
        Port::Other => None,
    }
}

proptest! {
    #[test]
    fn a_packed_key_is_the_key(key in any_key()) {
        prop_assert_eq!(Packed::from(&key).key(), key);
    }

    #[test]
    fn packed_parts_are_put_together(key in any_key(), other in any_key()) {
        let (packed, other_packed) = (Packed::from(&key), Packed::from(&other));
        let expected = CellKey { location: other.location, network: other.network, ..key };
        prop_assert_eq!(packed.with_group(other_packed.group()).key(), expected);
        prop_assert_eq!(packed.with_node(other.node).key(), CellKey { node: other.node, ..key });
        prop_assert_eq!(packed.with_port(other.port).key(), CellKey { port: other.port, ..key });
        prop_assert_eq!(packed.with_network(other.network).key(), CellKey { network: other.network, ..key });
        prop_assert_eq!(Packed::new(packed.group(), packed.context(), packed.outcome()), packed);
    }

    #[test]
    fn merging_is_adding_in_any_order(a in vec(one(), 0..30), b in vec(one(), 0..30), c in vec(one(), 0..30)) {
        let parts = [cells(&a), cells(&b), cells(&c)];
        let whole = named(&cells(&[a, b, c].concat()));
        let [a, b, c] = parts.each_ref();
        prop_assert_eq!(named(&merged(&[a, b, c])), whole.clone());
        prop_assert_eq!(named(&merged(&[c, b, a])), whole.clone());
        prop_assert_eq!(named(&merged(&[a, &merged(&[b, c])])), whole);
    }

    #[test]
    fn folding_keeps_the_top_and_all_sums(all in vec(one(), 0..60), networks in 0..7_usize, ports in 0..7_usize) {
        let before = cells(&all);
        let after = before.clone().fold(&Limits { networks, ports, ..Limits::default() });
        prop_assert_eq!(sums_by_the_rest(&after), sums_by_the_rest(&before));
        let top_networks = top(&sampled_by(&before, network_of), networks);
        prop_assert_eq!(sampled_by(&after, network_of), top_networks);
        prop_assert_eq!(sampled_by(&after, port_of), top(&sampled_by(&before, port_of), ports));
        let unknown = |key: &CellKey| (key.network == Network::Unknown).then_some(());
        prop_assert_eq!(sampled_by(&after, unknown), sampled_by(&before, unknown));
    }

    #[test]
    fn folding_does_not_depend_on_the_order(
        (all, shuffled) in vec(one(), 0..60).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        limits in (0..7_usize, 0..7_usize).prop_map(|(networks, ports)| Limits { networks, ports, ..Limits::default() }),
    ) {
        prop_assert_eq!(named(&cells(&all).fold(&limits)), named(&cells(&shuffled).fold(&limits)));
    }
}

#[test]
fn too_many_nodes_are_counted_as_other() {
    let mut cells =
        Cells { nodes: (0..LAST_NODE).map(|node| format!("n{node}")).collect(), ..Cells::default() };
    assert_eq!(cells.node("n7"), 7);
    assert_eq!([cells.node("one more"), cells.node("and more")], [LAST_NODE; 2]);
    assert_eq!(cells.nodes().last().map(String::as_str), Some(LAST_NODE_NAME));
    assert_eq!(cells.nodes().len(), 65_536);
}
