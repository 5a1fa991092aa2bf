//! Counts are those that the embedded store answers, whose own tests hold it to a model.

use std::time::{Duration, SystemTime};

use cutshort_embedded::{Embedded, Options};
use cutshort_geo::{Continent, Country};
use cutshort_model::{Bucket, Dimension, Network, Port, Window};
use cutshort_store::cell::{CellKey, CellOutcome, Cells};
use cutshort_store::{
    Choice, HasAny, Inputs, Retention, RollupAnswer, RollupQuery, Selection, Store, WindowCounts,
};
use cutshort_verdict::{Exclusion, Signature, Stage, Tag, Tags, Termination};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::Database;
use super::conformance::{Backend, WINDOW};
use super::server::is_available;

const DAY: i64 = 96 * WINDOW;
/// A Monday.
const BASE: i64 = 20_004 * DAY;
const NODES: [&str; 3] = ["", "ams1", "fra2"];

/// A key, the name of its node, and for how many it stands.
type One = (CellKey, &'static str, u32);

fn countries() -> Vec<Country> {
    ["DE", "US", "CN"].map(|code| Country::from_alpha2(code).unwrap()).to_vec()
}

fn signatures() -> Vec<Signature> {
    (1..=3).filter_map(Signature::from_id).collect()
}

const TAGS: [Tag; 3] = [Tag::Timeout, Tag::Answered, Tag::ServerRst];

fn outcomes() -> impl Strategy<Value = CellOutcome> {
    let tags = subsequence(TAGS.to_vec(), 0..=3).prop_map(|tags| tags.into_iter().collect::<Tags>());
    let ends = (select(Stage::ALL.to_vec()), select(Termination::ALL.to_vec()), any::<bool>());
    let connection = (ends, option::of(select(signatures())), tags).prop_map(
        |((stage, termination, completed), signature, tags)| CellOutcome::Connection {
            stage,
            termination,
            completed,
            signature,
            tags,
        },
    );
    prop_oneof![5 => connection, 1 => select(Exclusion::ALL.to_vec()).prop_map(CellOutcome::Excluded)]
}

fn ones() -> impl Strategy<Value = One> {
    let network = prop_oneof![
        6 => select(vec![1, 65, 4_200_000_000]).prop_map(Network::As),
        1 => Just(Network::Unknown),
        1 => Just(Network::Other),
    ];
    let port = prop_oneof![6 => select(vec![443, 80]).prop_map(Port::Number), 1 => Just(Port::Other)];
    let place = (option::of(select(countries())), network, select(vec![4, 6]), port);
    (place, outcomes(), select(NODES.to_vec()), 1..3_u32).prop_map(|(place, outcome, node, rate)| {
        let (location, network, ip_version, port) = place;
        (CellKey { location, network, ip_version, port, node: 0, outcome }, node, rate)
    })
}

fn choice<T: Clone + std::fmt::Debug + 'static>(values: Vec<T>) -> BoxedStrategy<Choice<T>> {
    let some = subsequence(values, 0..=2);
    let choice = (some, any::<bool>()).prop_map(|(list, is_exclude)| match is_exclude {
        true => Choice { include: Vec::new(), exclude: list },
        false => Choice { include: list, exclude: Vec::new() },
    });
    prop_oneof![3 => Just(Choice { include: Vec::new(), exclude: Vec::new() }), 1 => choice].boxed()
}

fn selections() -> impl Strategy<Value = Selection> {
    let place = (choice(countries()), choice(vec![Continent::EU, Continent::AS]), choice(vec![1, 65, 7]));
    let any_of = [Tag::Timeout, Tag::ServerRst].into_iter().collect::<Tags>();
    let scanner = option::of(any::<bool>().prop_map(move |wanted| HasAny { tags: any_of, wanted }));
    let answered = option::of(any::<bool>());
    let verdict = (choice(TAGS.to_vec()), choice(signatures()), answered, any::<bool>(), scanner);
    let nodes = choice(NODES.map(str::to_owned).to_vec());
    (place, verdict, choice(vec![4, 6]), choice(vec![443, 22]), nodes).prop_map(
        |(
            (locations, continents, asns),
            (tags, signatures, answered, completed, scanner),
            ip_versions,
            ports,
            nodes,
        )| {
            Selection {
                locations,
                continents,
                asns,
                tags,
                signatures,
                ip_versions,
                ports,
                nodes,
                answered,
                scanner,
                completed,
            }
        },
    )
}

fn queries() -> impl Strategy<Value = RollupQuery> {
    let buckets = [Bucket::FifteenMinutes, Bucket::Hour, Bucket::Day, Bucket::Week].to_vec();
    let range = (-3..8 * 96_i64, 0..9 * 96_i64);
    (range, option::of(select(buckets)), selections(), option::of(select(Dimension::ALL.to_vec()))).prop_map(
        |((from, length), bucket, selection, by)| {
            let from = BASE - 2 * DAY + from * WINDOW;
            RollupQuery { range: from..from + length * WINDOW, bucket, selection, by }
        },
    )
}

/// Replaces a window's cells in a store.
fn replace(store: &dyn Store, window: i64, ones: &[One]) {
    let mut cells = Cells::default();
    for (key, node, rate) in ones {
        let node = cells.node(node);
        cells.add(CellKey { node, ..*key }, *rate);
    }
    let replacement = store.replace(Window::containing(window)).unwrap();
    replacement.sink().unwrap().finish().unwrap();
    replacement.commit(Inputs::default(), WindowCounts::default(), &cells).unwrap();
}

/// Rows in an order that can be compared.
fn sorted(answer: &RollupAnswer) -> Vec<String> {
    assert!(answer.rows.is_sorted_by_key(|row| row.from));
    let mut rows: Vec<String> = answer.rows.iter().map(|row| format!("{row:?}")).collect();
    rows.sort_unstable();
    rows.push(format!("{} {}", answer.networks_folded, answer.ports_folded));
    rows
}

/// Windows of some days, some of them replaced again, and from time to time hours and days are made.
fn changes() -> impl Strategy<Value = Vec<(i64, Vec<One>, bool)>> {
    let window = prop_oneof![0..8_i64, 0..6 * 96_i64].prop_map(|window| BASE + window * WINDOW);
    vec((window, vec(ones(), 0..12), proptest::bool::weighted(0.3)), 4..16)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_the_embedded_store(
        changes in changes(),
        later in changes(),
        queries in vec(queries(), 40),
    ) {
        if !is_available() {
            return Ok(());
        }
        let database = Database::new();
        let folder = tempfile::tempdir().unwrap();
        let embedded = Embedded::open(folder.path(), Options { durable: false }).unwrap();
        let apply = |changes: &[(i64, Vec<One>, bool)]| {
            for (window, ones, rolls) in changes {
                for store in [database.store(), &embedded as &dyn Store] {
                    replace(store, *window, ones);
                    if *rolls {
                        store.roll().unwrap();
                    }
                }
            }
        };
        let everything = RollupQuery {
            range: i64::MIN..i64::MAX,
            bucket: None,
            selection: Selection::default(),
            by: None,
        };
        let reader = database.reader();
        for changes in [&changes, &later] {
            apply(changes);
            // Another process knows of changes after it has read the status. Counts that are asked for again come from memory.
            reader.status().unwrap();
            for _ in 0..3 {
                for query in queries.iter().chain([&everything]) {
                    let expected = sorted(&embedded.rollups(query).unwrap());
                    for store in [database.store(), reader.as_ref()] {
                        prop_assert_eq!(&sorted(&store.rollups(query).unwrap()), &expected, "{:?}", query);
                    }
                }
            }
        }
    }
}

fn by_day() -> RollupQuery {
    RollupQuery {
        range: BASE..BASE + 4 * DAY,
        bucket: Some(Bucket::Day),
        selection: Selection::default(),
        by: Some(Dimension::Location),
    }
}

#[test]
fn days_go_on_counting_windows_whose_own_counts_were_deleted() {
    if !is_available() {
        return;
    }
    let database = Database::new();
    let store = database.store();
    let key = CellKey {
        location: countries().first().copied(),
        network: Network::As(1),
        ip_version: 4,
        port: Port::Number(443),
        node: 0,
        outcome: CellOutcome::Excluded(Exclusion::NoSyn),
    };
    for window in [BASE, BASE + 7 * WINDOW, BASE + DAY, BASE + 3 * DAY] {
        replace(store, window, &[(key, "", 2)]);
    }
    let before = sorted(&store.rollups(&by_day()).unwrap());
    let forever =
        Retention { packets: None, connections: None, fifteen_minutes: None, hours: None, days: None };
    let retention = Retention { fifteen_minutes: Some(Duration::from_secs(60)), ..forever };
    store.retain(SystemTime::now() + Duration::from_secs(3600), &retention).unwrap();
    assert_eq!(sorted(&store.rollups(&by_day()).unwrap()), before);
    let windows = RollupQuery { bucket: Some(Bucket::FifteenMinutes), ..by_day() };
    let left = store.rollups(&windows).unwrap().rows;
    assert!(left.is_empty(), "{left:?}");
    // Packets that come for such a window do not make its results those of less.
    let segment = super::conformance::file(vec![super::conformance::packet(1, BASE)]);
    store.append(&segment).unwrap();
    assert!(store.windows(BASE..BASE + 1).unwrap()[0].frozen);
}
