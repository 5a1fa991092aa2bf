//! Connections of the data set `origin` in ClickHouse are judged as in Rust, and as in a store in a directory.

use std::collections::{BTreeMap, HashMap};

use cutshort_clickhouse::{ClickHouse, Layout, migrate};
use cutshort_embedded::{Embedded, Options};
use cutshort_geo::Geo;
use cutshort_packet::{FiveTuple, Packet};
use cutshort_store::{FlowVerdict, Provenance, Segment, SegmentId, SegmentSource, Store, StoredRow};
use cutshort_verdict::{
    DataSet, Exclusion, Findings, FlowContext, OriginLimiter, Outcome, Row, Rules, Split, Termination,
    duplicates,
};

use super::Database;
use super::classified::{connections, counts, do_all, windows};
use super::conformance::{SECOND, START, WINDOW};
use super::expected::{between_others, by_flow, in_sql, origin, told};
use super::nasty::NODES;
use super::oracle::Record;
use super::origin_random::{self, Case};
use super::server::is_available;
use super::splitmix::Random;

/// Pairs of sockets in a window.
const CASES: u32 = 20_000;

/// Packets in the order of arrival, with the positions of the servers that saw them.
type Flows = HashMap<FiveTuple, Vec<(Packet, usize)>>;

/// The rows of a case in the order of arrival, between sockets that no other case has, so that it ends as far before the
/// window's end as the case says.
fn placed(case: &Case, number: u32, window: i64) -> impl Iterator<Item = Packet> {
    let mut limiter = OriginLimiter::new(case.rules);
    let mut rows: Vec<(FiveTuple, Row)> = Vec::new();
    for record in &case.records {
        match record {
            Record::Packet(packet) => rows.extend(limiter.record(packet.ts, Some(packet))),
            Record::Icmp(error) => {
                rows.extend(limiter.record(error.ts, None));
                rows.extend(limiter.unreachable(error));
            }
        }
    }
    rows.extend(limiter.take_all_unopened());
    // All are in the window.
    let latest = case.records.iter().map(Record::ts).max().unwrap_or_default();
    let shift = window + WINDOW - case.cutoff.max(latest + 1);
    rows.into_iter().map(move |(five_tuple, row)| {
        let row = Row { ts: row.ts + shift, ..row };
        row.packet(between_others(&five_tuple, number))
    })
}

fn some_flows(random: &mut Random, window: i64) -> Flows {
    let mut flows = Flows::new();
    for number in 0..CASES {
        let case = origin_random::case(random);
        let one_node = random.one_of(&[Some(0), Some(0), Some(1), Some(2), None]);
        let both_unopened = random.below(20) == 0;
        for packet in placed(&case, number, window) {
            let node = one_node.unwrap_or_else(|| random.below(NODES.len() as u64) as usize);
            flows.entry(packet.five_tuple).or_default().push((packet, node));
            // Two captures may have a row each of a pair in which nobody opened a connection.
            if both_unopened && !packet.is_syn() {
                let packet = Packet { five_tuple: packet.five_tuple.reversed(), ..packet };
                flows.entry(packet.five_tuple).or_default().push((packet, node));
            }
        }
    }
    flows
}

/// Appends the packets, and returns the rank of each server's segment among all of them by id.
fn append(store: &dyn Store, flows: &Flows, window: i64) -> [usize; NODES.len()] {
    let mut by_node: [Vec<Packet>; NODES.len()] = Default::default();
    for (packet, node) in flows.values().flatten() {
        by_node[*node].push(*packet);
    }
    let segment = |(node, packets): (&str, Vec<Packet>)| {
        let origin = if node.is_empty() { Provenance::File } else { Provenance::Live };
        let covers = (window, window + WINDOW);
        let source = SegmentSource { data_set: DataSet::Origin, node, origin, covers };
        Segment::encode(packets, &source, None).unwrap()
    };
    let segments: Vec<Segment> = NODES.into_iter().zip(by_node).map(segment).collect();
    segments
        .iter()
        .for_each(|segment| assert_eq!(store.append(segment).unwrap(), cutshort_store::Added::New));
    let ids: Vec<SegmentId> = segments.iter().map(|segment| segment.info().id).collect();
    std::array::from_fn(|node| ids.iter().filter(|id| **id < ids[node]).count())
}

/// The rules of a window: each with other settings.
fn rules(number: i64) -> Rules {
    let at = number as usize;
    let (packet_limit, guard) = ([10, 4, 1, 2, 3][at % 5], [10, 5, 0][at % 3] * SECOND);
    Rules { packet_limit, guard, ..Rules::of(DataSet::Origin) }
}

/// What the rules in Rust say of the connections of a 5-tuple.
fn of_flow(
    five_tuple: FiveTuple,
    packets: &[(Packet, usize)],
    ranks: &[usize],
    (cutoff, rules): (i64, &Rules),
) -> Vec<FlowVerdict> {
    let mut packets = packets.to_vec();
    packets.sort_by_key(|(packet, node)| (packet.ts, ranks[*node]));
    let all: Vec<Row> = packets.iter().map(|(packet, _)| Row::from(packet)).collect();
    let stored = |(packet, node): &(Packet, usize)| StoredRow {
        node: *node as u16,
        segment: 0,
        row: Row::from(packet),
        place: None,
        df: packet.df,
        syn: packet.syn,
    };
    let mut stored: Vec<StoredRow> = packets.iter().map(stored).collect();
    let split = Split::of(&mut stored, DataSet::Origin);
    let around = FlowContext { cutoff, other_rsts: &[] };
    let verdict = |(number, part): (usize, cutshort_verdict::Part<'_, StoredRow>)| {
        let rows: Vec<Row> = part.rows.iter().map(|stored| stored.row).collect();
        let mut findings = Findings::of(&rows, DataSet::Origin);
        if five_tuple == five_tuple.reversed() {
            findings = findings.of_itself();
        }
        let outcome: Outcome = findings.judge(rules, &around.around(part.next));
        let (sample_rate, node) = origin(part.rows);
        let of_first = |count: usize| if number == 0 { count as u32 } else { 0 };
        FlowVerdict {
            key: five_tuple.into(),
            sample_rate: outcome.map_or(sample_rate, |verdict| verdict.sample_rate),
            outcome: Some(outcome),
            node,
            packets: rows.len() as u32,
            duplicates: of_first(duplicates(&all) as usize),
            tail: of_first(split.tail().len()),
        }
    };
    split.parts().enumerate().map(verdict).collect()
}

fn expected(flows: &Flows, ranks: &[usize], window: i64, rules: &Rules) -> Vec<FlowVerdict> {
    let opens = |packets: &[(Packet, usize)]| packets.iter().any(|(packet, _)| Row::from(packet).is_syn());
    let verdicts = flows.iter().flat_map(|(five_tuple, packets)| {
        let mut verdicts = of_flow(*five_tuple, packets, ranks, (window + WINDOW, rules));
        let reversed = five_tuple.reversed();
        let other = flows.get(&reversed).filter(|_| reversed != *five_tuple && !opens(packets));
        if other.is_some_and(|other| opens(other) || reversed < *five_tuple) {
            verdicts.iter_mut().for_each(|verdict| verdict.outcome = None);
        }
        verdicts
    });
    verdicts.collect()
}

#[test]
fn random_opened_connections_are_judged_as_in_rust() {
    if !is_available() {
        return;
    }
    let database = Database::empty();
    migrate(&database, &Layout::default()).unwrap();
    let store = in_sql(&database);
    let store = store.of(DataSet::Origin).unwrap();
    let mut random = Random(4);
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for number in 0..windows(4) {
        let (window, rules) = (START + number * WINDOW, rules(number));
        let flows = some_flows(&mut random, window);
        let ranks = append(store, &flows, window);
        let expected = by_flow(expected(&flows, &ranks, window, &rules));
        let (_, _, found) = told(store, window, &rules, 2);
        let found = by_flow(found);
        for (key, of_flow) in &expected {
            let rows = || {
                flows[&key.five_tuple]
                    .iter()
                    .map(|(packet, node)| (Row::from(packet), node))
                    .collect::<Vec<_>>()
            };
            assert_eq!(found.get(key), Some(of_flow), "window {number}: {:#?}", rows());
            for outcome in of_flow.iter().filter_map(|flow| flow.outcome) {
                let what = outcome.map(|verdict| (verdict.termination, verdict.stage, verdict.signature));
                *seen.entry(format!("{what:?}")).or_default() += 1;
            }
        }
        assert_eq!(found.len(), expected.len(), "every flow");
    }
    let signatures = seen.keys().filter(|what| what.contains("Some(")).count();
    assert!(signatures >= 20, "{seen:#?}");
    for reason in [Exclusion::SelfConnected, Exclusion::NoSyn, Exclusion::MultipleSyn, Exclusion::Incomplete]
    {
        assert!(seen.contains_key(&format!("Err({reason:?})")), "{reason:?}: {seen:#?}");
    }
    for termination in DataSet::Origin.terminations() {
        let such = format!("Ok(({termination:?}");
        assert!(seen.keys().any(|what| what.starts_with(&such)), "{such}: {seen:#?}");
    }
    assert!(DataSet::Origin.terminations().contains(&Termination::GaveUp));
}

#[test]
fn origin_has_the_same_results_in_rust_in_sql_and_in_a_folder() {
    if !is_available() {
        return;
    }
    let database = Database::empty();
    migrate(&database, &Layout::default()).unwrap();
    let (rust, sql) = (ClickHouse::open(&database).unwrap(), in_sql(&database));
    let folder = tempfile::tempdir().unwrap();
    let embedded = Embedded::open(folder.path(), Options { durable: false }).unwrap();
    let mut flows = some_flows(&mut Random(8), START);
    flows.retain(|five_tuple, _| five_tuple.src_ip.octets()[15].is_multiple_of(8));
    let geo = Geo::builtin();
    let results = |store: &dyn Store| {
        do_all(store, &geo);
        let store = store.find(DataSet::Origin).unwrap().unwrap();
        (connections(store), counts(store), store.status().unwrap().counts)
    };
    for store in [&rust as &dyn Store, &embedded] {
        append(store.of(DataSet::Origin).unwrap(), &flows, START);
    }
    let expected = results(&embedded);
    assert!(expected.0.len() > 1_000, "{}", expected.0.len());
    for store in [&rust as &dyn Store, &sql] {
        let found = results(store);
        assert!(found.0 == expected.0, "{} connections, not {}", found.0.len(), expected.0.len());
        assert_eq!((found.1, found.2), (expected.1.clone(), expected.2));
    }
}
