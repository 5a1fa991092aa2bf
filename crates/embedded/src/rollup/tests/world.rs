//! Random connections, changes and questions.

use cutshort_geo::{Continent, Country};
use cutshort_model::{Bucket, Dimension, Network, Port, Window};
use cutshort_store::cell::{CellKey, CellOutcome, Cells};
use cutshort_store::{Choice, HasAny, RollupQuery, Selection};
use cutshort_verdict::{DataSet, Exclusion, Stage, Tag, Tags, Termination};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

pub(super) const WINDOW: i64 = Window::LENGTH;
/// The start of a week: a Monday at midnight.
pub(super) const BASE: i64 = 20_000 * 96 * WINDOW + 4 * 96 * WINDOW;
pub(super) const DAY: i64 = 96 * WINDOW;
const NODES: [&str; 3] = ["", "ams1", "fra2"];
const NUMBERS: [u32; 5] = [1, 7, 65, 4_200_000_000, 0];
const PORTS: [u16; 3] = [443, 80, 0];

#[derive(Clone, Debug)]
pub(super) struct One {
    /// Its node is a position in this test's list of names.
    pub(super) key: CellKey,
    pub(super) node: &'static str,
    pub(super) rate: u32,
}

#[derive(Clone, Debug)]
/// With the beginning of a window.
pub(super) enum Change {
    Replace(i64, Vec<One>),
    Delete(i64),
    Roll,
}

pub(super) fn cells(connections: &[One]) -> Cells {
    let mut cells = Cells::default();
    for one in connections {
        let node = cells.node(one.node);
        cells.add(CellKey { node, ..one.key }, one.rate);
    }
    cells
}

/// So that nodes get the numbers that they get from these changes.
pub(super) fn one_of_each_node(changes: &[Change]) -> Vec<One> {
    let of = |change: &Change| match change {
        Change::Replace(_, connections) => connections.clone(),
        Change::Delete(_) | Change::Roll => Vec::new(),
    };
    changes.iter().flat_map(of).collect()
}

fn country(code: &str) -> Country {
    Country::from_alpha2(code).unwrap()
}

fn countries() -> Vec<Country> {
    ["DE", "US", "CN", "BR", "FR"].map(country).to_vec()
}

fn outcomes() -> impl Strategy<Value = CellOutcome> {
    let connection = (
        select(Stage::ALL.to_vec()),
        select(Termination::ALL.to_vec()),
        any::<bool>(),
        option::of(select(DataSet::Tcp.signatures()[..3].to_vec())),
        subsequence(vec![Tag::Timeout, Tag::Answered, Tag::ServerRst], 0..=3),
    )
        .prop_map(|(stage, termination, completed, signature, tags)| {
            let tags: Tags = tags.into_iter().collect();
            CellOutcome::Connection { stage, termination, completed, signature, tags }
        });
    prop_oneof![5 => connection, 1 => select(Exclusion::ALL.to_vec()).prop_map(CellOutcome::Excluded)]
}

pub(super) fn connections() -> impl Strategy<Value = One> {
    let network = prop_oneof![
        6 => select(NUMBERS.to_vec()).prop_map(Network::As),
        1 => Just(Network::Unknown),
        1 => Just(Network::Other),
    ];
    let port = prop_oneof![6 => select(PORTS.to_vec()).prop_map(Port::Number), 1 => Just(Port::Other)];
    let rate = prop_oneof![6 => Just(100_u32), 1 => select(vec![1, 7, u32::MAX])];
    let version = select(vec![4_u8, 6]);
    (option::of(select(countries())), network, version, port, select(NODES.to_vec()), outcomes(), rate)
        .prop_map(|(location, network, ip_version, port, node, outcome, rate)| {
            let key = CellKey { location, network, ip_version, port, node: 0, outcome };
            One { key, node, rate }
        })
}

/// Windows of a few days, often those of a few hours.
pub(super) fn windows() -> impl Strategy<Value = i64> {
    let quarter = prop_oneof![3 => 0..8_i64, 1 => 0..96_i64];
    (-3..6_i64, quarter).prop_map(|(day, quarter)| BASE + day * DAY + quarter * WINDOW)
}

pub(super) fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        8 => (windows(), vec(connections(), 1..12)).prop_map(|(window, all)| Change::Replace(window, all)),
        1 => windows().prop_map(Change::Delete),
        2 => Just(Change::Roll),
    ];
    vec(change, 1..24)
}

fn choice<T: Clone + std::fmt::Debug + 'static>(values: &[T]) -> impl Strategy<Value = Choice<T>> + use<T> {
    let most = values.len().min(3);
    let list = || subsequence(values.to_vec(), 1..=most);
    prop_oneof![
        12 => Just(Choice { include: Vec::new(), exclude: Vec::new() }),
        2 => list().prop_map(|include| Choice { include, exclude: Vec::new() }),
        2 => list().prop_map(|exclude| Choice { include: Vec::new(), exclude }),
        1 => (list(), list()).prop_map(|(include, exclude)| Choice { include, exclude }),
    ]
}

pub(super) fn selections() -> impl Strategy<Value = Selection> {
    let names: Vec<String> = NODES.iter().chain(&["nowhere"]).map(|name| (*name).to_owned()).collect();
    let places = (choice(&countries()), choice(&Continent::ALL), choice(&[&NUMBERS[..], &[9]].concat()));
    let verdicts = (
        choice(&[Tag::Timeout, Tag::Answered, Tag::Zmap]),
        choice(&DataSet::Tcp.signatures()[..4]),
        option::weighted(0.1, any::<bool>()),
        prop::bool::weighted(0.1),
        option::weighted(0.1, any::<bool>()),
    );
    let scanner = |wanted| HasAny { tags: DataSet::Tcp.scanners(), wanted };
    let contexts = (choice(&[4, 6]), choice(&[&PORTS[..], &[22]].concat()), choice(&names));
    (places, verdicts, contexts).prop_map(move |(places, verdicts, contexts)| Selection {
        locations: places.0,
        continents: places.1,
        asns: places.2,
        tags: verdicts.0,
        signatures: verdicts.1,
        answered: verdicts.2,
        completed: verdicts.3,
        scanner: verdicts.4.map(scanner),
        ip_versions: contexts.0,
        ports: contexts.1,
        nodes: contexts.2,
    })
}

pub(super) fn dimensions() -> impl Strategy<Value = Option<Dimension>> {
    use Dimension::{As, IpVersion, Location, Node, Port, Signature, Tag, Termination};
    option::of(select(vec![Tag, Signature, Termination, IpVersion, Location, As, Port, Node]))
}

pub(super) fn buckets() -> impl Strategy<Value = Option<Bucket>> {
    option::of(select(vec![Bucket::FifteenMinutes, Bucket::Hour, Bucket::Day, Bucket::Week]))
}

pub(super) fn queries() -> impl Strategy<Value = RollupQuery> {
    let edge = || {
        prop_oneof![
            3 => windows(),
            1 => (-4..8_i64).prop_map(|day| BASE + day * DAY),
            1 => (-4 * DAY..7 * DAY).prop_map(|from| BASE + from),
            1 => select(vec![i64::MIN, 0, i64::MAX]),
        ]
    };
    (edge(), edge(), buckets(), selections(), dimensions()).prop_map(|(a, b, bucket, selection, by)| {
        RollupQuery { range: a.min(b)..a.max(b), bucket, selection, by }
    })
}
