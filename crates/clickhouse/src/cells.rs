//! Cells as rows.

use std::collections::HashMap;

use clickhouse::Row;
use cutshort_store::cell::{Cells, Key, Network, Outcome, Port};
use cutshort_verdict::Count;
use serde::Serialize;

use crate::results::Level;

/// A row of the table `cell`.
///
/// Each cell is there twice: told apart by networks, and without them, which are few rows and what most
/// questions are about.
#[derive(Row, Serialize)]
pub(crate) struct CellRow {
    level: u8,
    networks: u8,
    t: i64,
    generation: u64,
    location: &'static str,
    network: &'static str,
    asn: u32,
    ip_version: u8,
    port: i32,
    node: String,
    excluded: &'static str,
    stage: &'static str,
    termination: &'static str,
    completed: bool,
    signature_id: u8,
    tags: u32,
    sampled: u64,
    weight: u64,
    squares: u128,
}

/// The names of networks that have a number, and of those that have none.
pub(crate) const NETWORK: &str = "as";
pub(crate) const UNKNOWN_NETWORK: &str = "unknown";
pub(crate) const OTHER_NETWORKS: &str = "other";
/// The number of the ports that were folded.
pub(crate) const OTHER_PORTS: i32 = -1;

/// What was folded into `other`.
pub(crate) fn folded(cells: &Cells) -> (bool, bool) {
    cells.iter().fold((false, false), |(networks, ports), (key, _)| {
        (networks || key.network == Network::Other, ports || key.port == Port::Other)
    })
}

/// The rows of a window's cells.
pub(crate) fn rows(cells: &Cells, window: i64, generation: u64) -> Vec<CellRow> {
    let mut without: HashMap<Key, Count> = HashMap::new();
    for (key, count) in cells.iter() {
        without.entry(Key { network: Network::Unknown, ..key }).or_default().merge(&count);
    }
    let row = |networks| {
        move |(key, count): (Key, Count)| {
            let node = cells.nodes().get(usize::from(key.node)).map_or("other", String::as_str);
            CellRow::new(&key, &count, node, (networks, window, generation))
        }
    };
    cells.iter().map(row(1)).chain(without.into_iter().map(row(0))).collect()
}

impl CellRow {
    fn new(key: &Key, count: &Count, node: &str, (networks, t, generation): (u8, i64, u64)) -> Self {
        let (network, asn) = match key.network {
            Network::Unknown => (UNKNOWN_NETWORK, 0),
            Network::As(number) => (NETWORK, number),
            Network::Other => (OTHER_NETWORKS, 0),
        };
        let port = match key.port {
            Port::Number(number) => i32::from(number),
            Port::Other => OTHER_PORTS,
        };
        let row = Self {
            level: Level::Quarter as u8,
            networks,
            t,
            generation,
            location: key.location.map_or("", |country| country.alpha2()),
            network,
            asn,
            ip_version: key.ip_version,
            port,
            node: node.to_owned(),
            excluded: "",
            stage: "",
            termination: "",
            completed: false,
            signature_id: 0,
            tags: 0,
            sampled: count.sampled,
            weight: count.weight,
            squares: count.squares,
        };
        match key.outcome {
            Outcome::Excluded(reason) => Self { excluded: reason.name(), ..row },
            Outcome::Connection { stage, termination, completed, signature, tags } => Self {
                stage: stage.name(),
                termination: termination.name(),
                completed,
                signature_id: signature.map_or(0, cutshort_verdict::Signature::id),
                tags: tags.bits(),
                ..row
            },
        }
    }
}
