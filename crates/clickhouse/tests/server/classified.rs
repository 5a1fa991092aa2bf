//! What the server says of flows is what the rules say.

use std::collections::HashMap;

use cutshort_clickhouse::{Address, ClickHouse, Layout, migrate};
use cutshort_packet::{FiveTuple, Packet};
use cutshort_store::{FlowKey, FlowVerdict, Inputs, Origin, Segment, Store, Told, WINDOW};
use cutshort_verdict::{Findings, Row, Rules, Surroundings, copies};

use super::Database;
use super::conformance::START;
use super::nasty::{NODES, Random, five_tuple, packets};
use super::server::server;

/// Flows of a window.
const FLOWS: u32 = 50_000;

/// How many windows of random flows are compared; `CUTSHORT_CLASSIFY_WINDOWS` says otherwise.
fn windows() -> i64 {
    let windows = std::env::var("CUTSHORT_CLASSIFY_WINDOWS").ok();
    windows.map_or(20, |windows| windows.parse().expect("a number"))
}

/// The same database, with the classification in SQL.
fn in_sql(address: &Address) -> ClickHouse {
    let text =
        format!("clickhouse://default@127.0.0.1:{}/{}?classify=sql", server().port, address.database());
    ClickHouse::open(&Address::parse(&text).unwrap()).unwrap()
}

type Flows = HashMap<FiveTuple, Vec<(Packet, usize)>>;

fn flows(random: &mut Random, window: i64) -> Flows {
    let mut flows = Flows::new();
    while flows.len() < FLOWS as usize {
        let number = random.below(1 << 32) as u32;
        let five_tuple = five_tuple(random, number);
        flows.insert(five_tuple, packets(random, five_tuple, window));
        if random.below(5) == 0 {
            let reversed = five_tuple.reversed();
            flows.insert(reversed, packets(random, reversed, window));
        }
    }
    flows
}

fn append(store: &dyn Store, flows: &Flows, window: i64) {
    let mut by_node: [Vec<Packet>; NODES.len()] = Default::default();
    for (packet, node) in flows.values().flatten() {
        by_node[*node].push(*packet);
    }
    for (node, packets) in NODES.iter().zip(by_node) {
        let origin = if node.is_empty() { Origin::File } else { Origin::Live };
        let segment = Segment::encode(packets, node, origin, (window, window + WINDOW), None).unwrap();
        store.append(&segment).unwrap();
    }
}

fn rows(packets: &[(Packet, usize)]) -> Vec<Row> {
    packets.iter().map(|(packet, _)| Row::from(packet)).collect()
}

/// By the rules in Rust.
fn expected(flows: &Flows, window: i64) -> HashMap<FlowKey, FlowVerdict> {
    let rules = Rules::default();
    let findings: HashMap<FiveTuple, Findings> =
        flows.iter().map(|(five_tuple, packets)| (*five_tuple, Findings::of(&rows(packets)))).collect();
    let judged = flows.iter().map(|(five_tuple, packets)| {
        let other = findings.get(&five_tuple.reversed());
        let other_rst_ts = other.and_then(Findings::latest_rst_ts);
        let outcome =
            findings[five_tuple].judge(&rules, &Surroundings { cutoff: window + WINDOW, other_rst_ts });
        let first =
            packets.iter().min_by_key(|(packet, node)| (packet.ts, packet.sample_rate, *node)).unwrap();
        let syns = packets.iter().filter(|(packet, _)| Row::from(packet).is_syn());
        let syn =
            syns.min_by_key(|(syn, node)| (syn.ts, syn.ip_id, syn.ttl, syn.window, syn.sample_rate, *node));
        let key = FlowKey::from(*five_tuple);
        let verdict = FlowVerdict {
            key,
            sample_rate: outcome.map_or(first.0.sample_rate, |verdict| verdict.sample_rate),
            outcome,
            node: syn.unwrap_or(first).1 as u16,
            packets: packets.len() as u32,
            copies: copies(&rows(packets)) as u32,
        };
        (key, verdict)
    });
    judged.collect()
}

fn told(store: &dyn Store, window: i64, parts: usize) -> (Inputs, Vec<String>, Vec<FlowVerdict>) {
    let verdicts = store.read_verdicts(window, &Rules::default(), parts).unwrap().expect("verdicts");
    let (mut all, mut some) = (Vec::new(), Vec::new());
    for mut part in verdicts.parts {
        while part.next_flows(&mut some).unwrap() == Told::Flows {
            all.append(&mut some);
        }
    }
    (verdicts.inputs, verdicts.nodes, all)
}

#[test]
fn a_million_random_flows_are_judged_as_in_rust() {
    let database = Database::empty();
    migrate(&database, &Layout::default()).unwrap();
    let store = in_sql(&database);
    let mut random = Random(6);
    let mut seen = HashMap::<String, u64>::new();
    for number in 0..windows() {
        let window = START + number * WINDOW;
        let flows = flows(&mut random, window);
        append(&store, &flows, window);
        let expected = expected(&flows, window);
        let (inputs, nodes, found) = told(&store, window, 2);
        assert_eq!((inputs.cutoff, nodes), (window + WINDOW, NODES.map(str::to_owned).to_vec()));
        assert_eq!(found.len(), expected.len(), "every flow, once");
        for flow in &found {
            assert_eq!(Some(flow), expected.get(&flow.key), "of {:#?}", flows[&flow.key.five_tuple]);
            let what = match flow.outcome {
                Ok(verdict) => {
                    format!("{:?} {:?} {:?}", verdict.termination, verdict.stage, verdict.signature)
                }
                Err(exclusion) => format!("{exclusion:?}"),
            };
            *seen.entry(what).or_default() += 1;
        }
    }
    // All there is has been seen: what has no signature, three exclusions, and 19 signatures.
    assert!(seen.len() >= 30, "{seen:#?}");
    let signatures = seen.keys().filter(|what| what.contains("Some(")).count();
    assert_eq!(signatures, 19, "{seen:#?}");
}
