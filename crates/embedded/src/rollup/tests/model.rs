//! What the answers should be, written down straightforwardly.

use std::collections::BTreeMap;

use cutshort_model::{Dimension, Network, Port, Value};
use cutshort_store::cell::CellOutcome;
use cutshort_store::{RollupAnswer, RollupQuery, RollupRow, Selection};
use cutshort_verdict::{DataSet, Stage, Tag, WeightedCount};

use super::world::One;

#[derive(Default)]
pub(super) struct Model {
    windows: BTreeMap<i64, Vec<One>>,
}

impl Model {
    pub(super) fn replace(&mut self, window: i64, connections: Vec<One>) {
        self.windows.insert(window, connections);
    }

    pub(super) fn windows(&self) -> Vec<(i64, Vec<One>)> {
        self.windows.clone().into_iter().collect()
    }

    pub(super) fn answer(&self, query: &RollupQuery) -> RollupAnswer {
        let mut answer = RollupAnswer::default();
        for (window, connections) in self.windows.range(query.range.clone()) {
            let start = query.bucket.map_or(query.range.start, |bucket| bucket.start(*window));
            let from = start.max(query.range.start);
            for one in connections {
                answer.networks_folded |= one.key.network == Network::Other;
                answer.ports_folded |= one.key.port == Port::Other;
                if matches(&query.selection, one) {
                    values(query.by, one).into_iter().for_each(|value| count(&mut answer, from, value, one));
                }
            }
        }
        answer
    }
}

fn count(answer: &mut RollupAnswer, from: i64, value: Value, one: &One) {
    let rows = &mut answer.rows;
    let found = rows.iter().position(|row| row.from == from && row.value == value);
    let row = found.unwrap_or_else(|| {
        let stages = [WeightedCount::default(); 5];
        rows.push(RollupRow { from, value, stages, excluded: Default::default() });
        rows.len() - 1
    });
    match one.key.outcome {
        CellOutcome::Connection { stage, .. } => {
            let at = Stage::ALL.iter().position(|other| *other == stage).unwrap();
            rows[row].stages[at].add(one.rate);
        }
        CellOutcome::Excluded(reason) => rows[row].excluded[reason as usize].add(one.rate),
    }
}

fn matches(selection: &Selection, one: &One) -> bool {
    let known = |include: bool, exclude: bool, empty: bool| (empty || include) && !exclude;
    let Selection { locations, continents, asns, ip_versions, ports, nodes, .. } = selection;
    let location = one.key.location;
    let by_country = match location {
        Some(country) => known(
            locations.include.contains(&country),
            locations.exclude.contains(&country),
            locations.include.is_empty(),
        ),
        None => locations.include.is_empty(),
    };
    let by_continent = match location.map(cutshort_geo::Country::continent) {
        Some(continent) => known(
            continents.include.contains(&continent),
            continents.exclude.contains(&continent),
            continents.include.is_empty(),
        ),
        None => continents.include.is_empty(),
    };
    let by_network = match one.key.network {
        Network::As(asn) => {
            known(asns.include.contains(&asn), asns.exclude.contains(&asn), asns.include.is_empty())
        }
        _ => asns.include.is_empty(),
    };
    let by_port = match one.key.port {
        Port::Number(port) => {
            known(ports.include.contains(&port), ports.exclude.contains(&port), ports.include.is_empty())
        }
        Port::Other => ports.include.is_empty(),
    };
    let version = one.key.ip_version;
    let by_version = known(
        ip_versions.include.contains(&version),
        ip_versions.exclude.contains(&version),
        ip_versions.include.is_empty(),
    );
    let node = one.node.to_owned();
    let by_node =
        known(nodes.include.contains(&node), nodes.exclude.contains(&node), nodes.include.is_empty());
    by_country && by_continent && by_network && by_port && by_version && by_node && judged(selection, one)
}

fn judged(selection: &Selection, one: &One) -> bool {
    let CellOutcome::Connection { completed, signature, tags, .. } = one.key.outcome else { return true };
    let tags: Vec<Tag> = tags.iter(DataSet::Tcp).collect();
    let included = &selection.tags.include;
    let signature_is_in =
        |list: &[cutshort_verdict::Signature]| signature.is_some_and(|it| list.contains(&it));
    (!selection.completed || completed)
        && selection.answered.is_none_or(|answered| answered == tags.contains(&Tag::Answered))
        && selection.scanner.is_none_or(|any| any.wanted == tags.contains(&Tag::Zmap))
        && (included.is_empty() || tags.iter().any(|tag| included.contains(tag)))
        && !tags.iter().any(|tag| selection.tags.exclude.contains(tag))
        && (selection.signatures.include.is_empty() || signature_is_in(&selection.signatures.include))
        && !signature_is_in(&selection.signatures.exclude)
}

fn values(by: Option<Dimension>, one: &One) -> Vec<Value> {
    let key = &one.key;
    let verdict = match key.outcome {
        CellOutcome::Connection { termination, signature, tags, .. } => Some((termination, signature, tags)),
        CellOutcome::Excluded(_) => None,
    };
    match by {
        None => vec![Value::All],
        Some(Dimension::Location) => vec![Value::Location(key.location)],
        Some(Dimension::As) => vec![Value::As(key.network)],
        Some(Dimension::IpVersion) => vec![Value::IpVersion(key.ip_version)],
        Some(Dimension::Port) => vec![Value::Port(key.port)],
        Some(Dimension::Node) => vec![Value::Node(one.node.to_owned())],
        Some(Dimension::Tag) => {
            verdict.map_or(Vec::new(), |(_, _, tags)| tags.iter(DataSet::Tcp).map(Value::Tag).collect())
        }
        Some(Dimension::Signature) => {
            verdict.map(|(_, signature, _)| Value::Signature(signature)).into_iter().collect()
        }
        Some(Dimension::Termination) => {
            verdict.map(|(termination, _, _)| Value::Termination(termination)).into_iter().collect()
        }
    }
}

/// Rows in an order that can be compared.
pub(super) fn sorted(answer: &RollupAnswer) -> Vec<String> {
    let mut rows: Vec<String> = answer.rows.iter().map(|row| format!("{row:?}")).collect();
    rows.sort_unstable();
    rows
}
