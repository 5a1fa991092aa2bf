//! Random flows with what the rules in Rust say of them.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use cutshort_clickhouse::{Address, ClickHouse};
use cutshort_model::Window;
use cutshort_packet::{FiveTuple, Flags, Packet};
use cutshort_store::{
    FlowKey, FlowVerdict, Inputs, Provenance, Segment, SegmentSource, Store, StoredRow, VerdictBatch,
};
use cutshort_verdict::{Connections, DataSet, FlowContext, Outcome, Part, Row, Rules, Split, duplicates};

use super::conformance::WINDOW;
use super::nasty::{NODES, Random, five_tuple, packets};

/// The same database, with the classification in SQL.
pub(crate) fn in_sql(address: &Address) -> ClickHouse {
    let text =
        format!("clickhouse://default@127.0.0.1:{}/{}?classify=sql", address.port(), address.database());
    ClickHouse::open(&Address::parse(&text).unwrap()).unwrap()
}

pub(crate) type Flows = HashMap<FiveTuple, Vec<(Packet, usize)>>;

pub(crate) fn some_flows(random: &mut Random, window: i64, count: usize) -> Flows {
    let mut flows = Flows::new();
    while flows.len() < count {
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

pub(crate) fn append(store: &dyn Store, flows: &Flows, window: i64) {
    let mut by_node: [Vec<Packet>; NODES.len()] = Default::default();
    for (packet, node) in flows.values().flatten() {
        by_node[*node].push(*packet);
    }
    for (node, packets) in NODES.iter().zip(by_node) {
        let origin = if node.is_empty() { Provenance::File } else { Provenance::Live };
        let segment =
            Segment::encode(packets, &SegmentSource::tcp(node, origin, (window, window + WINDOW)), None)
                .unwrap();
        store.append(&segment).unwrap();
    }
}

fn rows(packets: &[(Packet, usize)]) -> Vec<Row> {
    packets.iter().map(|(packet, _)| Row::from(packet)).collect()
}

/// What is said of the connections of each flow.
pub(crate) type ByFlow = HashMap<FlowKey, Vec<FlowVerdict>>;

/// In an order that does not depend on who says it.
pub(crate) fn by_flow(verdicts: Vec<FlowVerdict>) -> ByFlow {
    let mut all = ByFlow::new();
    for verdict in verdicts {
        all.entry(verdict.key).or_default().push(verdict);
    }
    all.values_mut().filter(|of_flow| of_flow.len() > 1).for_each(|of_flow| {
        of_flow.sort_by_cached_key(|verdict| format!("{verdict:?}"));
    });
    all
}

/// By the rules in Rust.
pub(crate) fn expected(flows: &Flows, window: i64) -> ByFlow {
    let judged = flows.iter().flat_map(|(five_tuple, packets)| {
        let other = flows.get(&five_tuple.reversed()).map_or(&[][..], Vec::as_slice);
        let other_rsts: Vec<i64> = rows(other).iter().filter(|row| row.has_rst()).map(|row| row.ts).collect();
        of_flow(*five_tuple, packets, &FlowContext { cutoff: window + WINDOW, other_rsts: &other_rsts })
    });
    by_flow(judged.collect())
}

fn of_flow(five_tuple: FiveTuple, packets: &[(Packet, usize)], around: &FlowContext<'_>) -> Vec<FlowVerdict> {
    let judged = Connections::from(rows(packets)).judge(&Rules::default(), around);
    let stored = |(packet, node): &(Packet, usize)| StoredRow {
        node: *node as u16,
        segment: 0,
        row: Row::from(packet),
        place: None,
        df: packet.df,
        syn: packet.syn,
    };
    let mut stored: Vec<StoredRow> = packets.iter().map(stored).collect();
    let split = Split::of(&mut stored, DataSet::Tcp);
    let verdict = |(number, (part, outcome)): (usize, (Part<'_, StoredRow>, Outcome))| {
        let (sample_rate, node) = origin(part.rows);
        let beside_the_first = |count: u32| if number == 0 { count } else { 0 };
        FlowVerdict {
            key: five_tuple.into(),
            sample_rate: outcome.map_or(sample_rate, |verdict| verdict.sample_rate),
            outcome: Some(outcome),
            node,
            packets: part.rows.len() as u32,
            duplicates: beside_the_first(duplicates(&rows(packets)) as u32),
            tail: beside_the_first(judged.tail),
        }
    };
    split.parts().zip(judged.outcomes.iter().copied()).enumerate().map(verdict).collect()
}

/// The same 5-tuple with an address of its own in the place of the one that all random cases have: below and above the other
/// end's address in turn.
pub(crate) fn between_others(five_tuple: &FiveTuple, number: u32) -> FiveTuple {
    let network = if number.is_multiple_of(2) { 10 << 24 } else { 210 << 24 };
    let [common, own] = [Ipv4Addr::new(198, 51, 100, 7), Ipv4Addr::from(network | number)]
        .map(|address| address.to_ipv6_mapped());
    let address = |address: Ipv6Addr| if address == common { own } else { address };
    FiveTuple { src_ip: address(five_tuple.src_ip), dst_ip: address(five_tuple.dst_ip), ..*five_tuple }
}

/// The sample rate of the earliest row, and the node of the SYN packet.
pub(crate) fn origin(rows: &[StoredRow]) -> (u32, u16) {
    let first = rows.iter().min_by_key(|row| (row.row.ts, row.row.sample_rate, row.node)).unwrap();
    let syns = rows.iter().filter(|row| row.row.is_syn());
    let order = |syn: &Row| {
        let marks = syn.flags.intersection(Flags::SCANNERS).bits();
        (syn.ts, syn.ip_id, syn.ttl, syn.tcp_window, syn.sample_rate, syn.options_len, marks)
    };
    let syn = syns.min_by_key(|syn| (order(&syn.row), syn.node));
    (first.row.sample_rate, syn.unwrap_or(first).node)
}

pub(crate) fn told(
    store: &dyn Store,
    window: i64,
    rules: &Rules,
    parts: usize,
) -> (Inputs, Vec<String>, Vec<FlowVerdict>) {
    let verdicts = store.read_verdicts(Window::containing(window), rules, parts).unwrap().expect("verdicts");
    let (mut all, mut some) = (Vec::new(), Vec::new());
    for mut part in verdicts.parts {
        while part.next_flows(&mut some).unwrap() == VerdictBatch::Flows {
            all.append(&mut some);
        }
    }
    (verdicts.inputs, verdicts.nodes, all)
}
