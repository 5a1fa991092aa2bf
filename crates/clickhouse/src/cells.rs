//! Cells as rows of a table.

use std::collections::HashMap;

use clickhouse::Row;
use cutshort_geo::Country;
use cutshort_model::{Network, Port};
use cutshort_store::cell::{CellKey, CellOutcome, Cells};
use cutshort_store::{Result, StoreError};
use cutshort_verdict::{Exclusion, Signature, Stage, Tags, Termination, WeightedCount};
use serde::{Deserialize, Serialize};

use crate::results::Level;

/// A row of the table `cell`.
///
/// Each cell is stored twice: by network, and without networks, which are few rows and enough for most queries.
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

/// The `dimension` of networks that have a number, and of those that have none.
pub(crate) const NETWORK: &str = "as";
pub(crate) const UNKNOWN_NETWORK: &str = "unknown";
pub(crate) const OTHER_NETWORKS: &str = "other";
/// The number that stands for ports counted as `other`.
pub(crate) const OTHER_PORTS: i32 = -1;

/// Whether networks and ports are counted as `other`.
pub(crate) fn folded(cells: &Cells) -> (bool, bool) {
    cells.iter().fold((false, false), |(networks, ports), (key, _)| {
        (networks || key.network == Network::Other, ports || key.port == Port::Other)
    })
}

/// The rows of cells of a window, an hour or a day.
pub(crate) fn rows(cells: &Cells, level: Level, t: i64, generation: u64) -> Vec<CellRow> {
    let mut without: HashMap<CellKey, WeightedCount> = HashMap::new();
    for (key, count) in cells.iter() {
        without.entry(CellKey { network: Network::Unknown, ..key }).or_default().merge(&count);
    }
    let row = |networks| {
        move |(key, count): (CellKey, WeightedCount)| {
            let node = cells.nodes().get(usize::from(key.node)).map_or("other", String::as_str);
            CellRow::new(&key, &count, node, (level, networks, t, generation))
        }
    };
    cells.iter().map(row(1)).chain(without.into_iter().map(row(0))).collect()
}

impl CellRow {
    fn new(
        key: &CellKey,
        count: &WeightedCount,
        node: &str,
        (level, networks, t, generation): (Level, u8, i64, u64),
    ) -> Self {
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
            level: level as u8,
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
            CellOutcome::Excluded(reason) => Self { excluded: reason.name(), ..row },
            CellOutcome::Connection { stage, termination, completed, signature, tags } => Self {
                stage: stage.name(),
                termination: termination.name(),
                completed,
                signature_id: signature.map_or(0, Signature::id),
                tags: tags.bits(),
                ..row
            },
        }
    }
}

/// The sums of the counts with one key.
#[derive(Row, Deserialize)]
pub(crate) struct SummedRow {
    /// The latest generation among the counts.
    pub(crate) of_result: u64,
    location: String,
    network: String,
    asn: u32,
    ip_version: u8,
    port: i32,
    node: String,
    excluded: String,
    stage: String,
    termination: String,
    completed: bool,
    signature_id: u8,
    tags: u32,
    sampled: u64,
    weight: u64,
    squares: u128,
}

pub(crate) fn unknown(what: &str, name: &str) -> StoreError {
    StoreError::Damaged(format!("a count in ClickHouse has the {what} '{name}', which is not known").into())
}

impl SummedRow {
    pub(crate) fn add_to(&self, cells: &mut Cells) -> Result<()> {
        let location = match self.location.as_str() {
            "" => None,
            code => Some(Country::from_alpha2(code).ok_or_else(|| unknown("location", code))?),
        };
        let network = match self.network.as_str() {
            UNKNOWN_NETWORK => Network::Unknown,
            OTHER_NETWORKS => Network::Other,
            _ => Network::As(self.asn),
        };
        let port = u16::try_from(self.port).map_or(Port::Other, Port::Number);
        let node = cells.node(&self.node);
        let key =
            CellKey { location, network, ip_version: self.ip_version, port, node, outcome: self.outcome()? };
        let Self { sampled, weight, squares, .. } = *self;
        cells.add_count(key, &WeightedCount { sampled, weight, squares });
        Ok(())
    }

    fn outcome(&self) -> Result<CellOutcome> {
        if !self.excluded.is_empty() {
            let reason = Exclusion::ALL.into_iter().find(|reason| reason.name() == self.excluded);
            return reason.map(CellOutcome::Excluded).ok_or_else(|| unknown("outcome", &self.excluded));
        }
        let stage = Stage::ALL.into_iter().find(|stage| stage.name() == self.stage);
        let termination = Termination::ALL.into_iter().find(|ending| ending.name() == self.termination);
        Ok(CellOutcome::Connection {
            stage: stage.ok_or_else(|| unknown("outcome", &self.stage))?,
            termination: termination.ok_or_else(|| unknown("termination", &self.termination))?,
            completed: self.completed,
            signature: Signature::from_id(self.signature_id),
            tags: Tags::from_bits(self.tags),
        })
    }
}
