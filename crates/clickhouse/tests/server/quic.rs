//! Connections of the data set `quic` in ClickHouse are judged as in Rust, and as in a store in a directory.

use std::collections::{BTreeMap, HashMap};

use cutshort_clickhouse::{ClickHouse, Layout, migrate};
use cutshort_embedded::{Embedded, Options};
use cutshort_geo::Geo;
use cutshort_model::ConnectionRecord;
use cutshort_packet::FiveTuple;
use cutshort_packet::quic::{Datagram, Kinds, ServerPorts};
use cutshort_pipeline::{DatagramArrival, Importing, Privacy, import_datagrams, trace_datagrams};
use cutshort_store::{FlowVerdict, KeptDatagram, Provenance, Segment, SegmentSource, Store};
use cutshort_verdict::quic::{Context, Findings};
use cutshort_verdict::{DataSet, Exclusion, Rules};

use super::Database;
use super::classified::{connections, counts, do_all, windows};
use super::conformance::{SECOND, START, WINDOW};
use super::expected::{between_others, by_flow, in_sql, told};
use super::nasty::NODES;
use super::quic_random::{self, Case};
use super::server::is_available;
use super::splitmix::Random;

/// Pairs of sockets in a window.
const CASES: u32 = 20_000;

/// Rows with the positions of the servers that saw them.
type Flows = HashMap<FiveTuple, Vec<(Datagram, usize)>>;

/// The rows of a case between sockets that no other case has, so that it ends as far before the window's end as the case
/// says.
fn placed(case: &Case, number: u32, window: i64) -> impl Iterator<Item = Datagram> {
    // All are in the window.
    let latest = case.rows.iter().map(|row| row.ts).max().unwrap_or_default();
    let shift = window + WINDOW - case.cutoff.max(latest + 1);
    case.rows.clone().into_iter().map(move |row| {
        let five_tuple = between_others(&row.five_tuple, number);
        Datagram { ts: row.ts + shift, five_tuple, ..row }
    })
}

fn some_flows(random: &mut Random, window: i64) -> Flows {
    let mut flows = Flows::new();
    for number in 0..CASES {
        let case = quic_random::case(random);
        let one_node = random.one_of(&[Some(0), Some(0), Some(1), Some(2), None]);
        for row in placed(&case, number, window) {
            let node = one_node.unwrap_or_else(|| random.below(NODES.len() as u64) as usize);
            flows.entry(row.five_tuple).or_default().push((row, node));
        }
    }
    flows
}

fn append(store: &dyn Store, flows: &Flows, window: i64) {
    let mut by_node: [Vec<KeptDatagram>; NODES.len()] = Default::default();
    for (row, node) in flows.values().flatten() {
        by_node[*node].push(row.into());
    }
    for (node, rows) in NODES.into_iter().zip(by_node) {
        let origin = if node.is_empty() { Provenance::File } else { Provenance::Live };
        let covers = (window, window + WINDOW);
        let source = SegmentSource { data_set: DataSet::Quic, node, origin, covers };
        store.append(&Segment::encode(rows, &source, None).unwrap()).unwrap();
    }
}

/// The rules of a window: each with other settings.
fn rules(number: i64) -> Rules {
    let at = number as usize;
    let ports = [ServerPorts::default(), ServerPorts::ANY, ServerPorts::new(&[443, 8443]).unwrap()];
    Rules {
        packet_limit: [24, 4, 1, 2][at % 4],
        guard: [10, 5, 0][at % 3] * SECOND,
        server_ports: ports[at / 2 % 3],
        ..Rules::of(DataSet::Quic)
    }
}

/// What the rules in Rust say.
fn expected(flows: &Flows, window: i64, rules: &Rules) -> Vec<FlowVerdict> {
    let findings = |five_tuple: &FiveTuple| {
        let rows: Vec<Datagram> = flows.get(five_tuple)?.iter().map(|(row, _)| *row).collect();
        Findings::of(&rows)
    };
    let verdict = |(five_tuple, rows): (&FiveTuple, &Vec<(Datagram, usize)>)| {
        let datagrams = || rows.iter().filter(|(row, _)| !row.is_icmp());
        let order = |(row, node): &&(Datagram, usize)| (row.ts, row.sample_rate, *node);
        let first = datagrams().min_by_key(order);
        let initials = datagrams().filter(|(row, _)| row.kinds.intersects(Kinds::INITIAL));
        let own = findings(five_tuple);
        let other = findings(&five_tuple.reversed()).map(|other| other.as_other());
        let own = own.filter(|own| !own.counts_with_other(rules, other.as_ref()));
        let outcome = own.map(|own| own.judge(rules, &Context { cutoff: window + WINDOW, other }));
        FlowVerdict {
            key: (*five_tuple).into(),
            sample_rate: match outcome {
                Some(Ok(verdict)) => verdict.sample_rate,
                _ => first.map_or(0, |(row, _)| row.sample_rate),
            },
            outcome,
            node: initials.min_by_key(order).or(first).map_or(0, |(_, node)| *node as u16),
            packets: datagrams().count() as u32,
            duplicates: 0,
            tail: 0,
        }
    };
    flows.iter().map(verdict).collect()
}

#[test]
fn random_connections_are_judged_as_in_rust() {
    if !is_available() {
        return;
    }
    let database = Database::empty();
    migrate(&database, &Layout::default()).unwrap();
    let store = in_sql(&database);
    let store = store.of(DataSet::Quic).unwrap();
    let mut random = Random(3);
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for number in 0..windows(4) {
        let (window, rules) = (START + number * WINDOW, rules(number));
        let flows = some_flows(&mut random, window);
        append(store, &flows, window);
        let expected = by_flow(expected(&flows, window, &rules));
        let (inputs, _, found) = told(store, window, &rules, 2);
        assert_eq!(inputs.cutoff, window + WINDOW);
        let found = by_flow(found);
        for (key, of_flow) in &expected {
            assert_eq!(found.get(key), Some(of_flow), "window {number}: {:#?}", flows[&key.five_tuple]);
            for flow in of_flow {
                let Some(outcome) = flow.outcome else { continue };
                let what = outcome.map(|verdict| (verdict.termination, verdict.stage, verdict.signature));
                *seen.entry(format!("{what:?}")).or_default() += 1;
            }
        }
        assert_eq!(found.len(), expected.len(), "every flow");
    }
    let signatures = seen.keys().filter(|what| what.contains("Some(")).count();
    assert!(signatures >= 19, "{seen:#?}");
    let reasons = [
        Exclusion::NotClient,
        Exclusion::OtherVersion,
        Exclusion::NoInitial,
        Exclusion::MultipleConnections,
        Exclusion::Incomplete,
    ];
    for reason in reasons {
        assert!(seen.contains_key(&format!("Err({reason:?})")), "{reason:?}: {seen:#?}");
    }
}

/// Records of many clients over a window, in the order of time.
fn records(random: &mut Random, window: i64) -> Vec<DatagramArrival> {
    let rows = (0..800).flat_map(|number| {
        let case = quic_random::case(random);
        let limit = Rules::of(DataSet::Quic).packet_limit as usize;
        placed(&case, number, window).take(limit).collect::<Vec<_>>()
    });
    let mut rows: Vec<Datagram> = rows.collect();
    rows.sort_by_key(|row| row.ts);
    let arrival = |row: Datagram| DatagramArrival { ts: row.ts, rows: [Some(row), None], simulated: false };
    rows.into_iter().map(arrival).collect()
}

/// Random datagrams of several servers, a capture, and captures that overlap.
fn fill(store: &dyn Store) {
    let mut random = Random(5);
    let mut flows = some_flows(&mut random, START);
    flows.retain(|five_tuple, _| five_tuple.src_ip.octets()[15].is_multiple_of(8));
    append(store, &flows, START);
    let import = |records: &[DatagramArrival]| {
        let importing = Importing::all(DataSet::Quic);
        let records = records.iter().copied();
        import_datagrams(store, &importing, &Privacy::full(), records, || true).unwrap();
    };
    import(&records(&mut random, START + WINDOW));
    let overlapping = records(&mut random, START + 2 * WINDOW);
    import(&overlapping[..overlapping.len() * 2 / 3]);
    import(&overlapping[overlapping.len() / 3..]);
}

#[test]
fn quic_has_the_same_results_in_rust_in_sql_and_in_a_folder() {
    if !is_available() {
        return;
    }
    let database = Database::empty();
    migrate(&database, &Layout::default()).unwrap();
    let (rust, sql) = (ClickHouse::open(&database).unwrap(), in_sql(&database));
    let folder = tempfile::tempdir().unwrap();
    let embedded = Embedded::open(folder.path(), Options { durable: false }).unwrap();
    let geo = Geo::builtin();
    let results = |store: &dyn Store| {
        do_all(store, &geo);
        let store = store.find(DataSet::Quic).unwrap().unwrap();
        (connections(store), counts(store), store.status().unwrap().counts)
    };
    for store in [&rust as &dyn Store, &embedded] {
        fill(store.of(DataSet::Quic).unwrap());
    }
    let expected = results(&embedded);
    assert!(expected.0.len() > 1_000, "{}", expected.0.len());
    assert!(expected.0.iter().any(|record| record.version.is_some() && record.close_code.is_some()));
    for store in [&rust as &dyn Store, &sql] {
        let found = results(store);
        assert!(found.0 == expected.0, "{} connections, not {}", found.0.len(), expected.0.len());
        assert_eq!((found.1, found.2), (expected.1.clone(), expected.2));
    }
    let traced = |store: &dyn Store, record: &ConnectionRecord<'_>| {
        let store = store.find(DataSet::Quic).unwrap().unwrap();
        let rules = Rules::of(DataSet::Quic);
        trace_datagrams(store, &rules, &record.five_tuple, record.first_us * 1000).unwrap().unwrap()
    };
    for record in expected.0.iter().step_by(expected.0.len() / 20) {
        assert_eq!(traced(&rust, record), traced(&embedded, record));
    }
}
