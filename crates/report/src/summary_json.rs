//! The summary as JSON. Shares are from 0 to 1, intervals at 95 % (Wilson).

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;

use cutshort_geo::Geo;
use cutshort_model::{GroupCounts, ServerCounts, micros};
use cutshort_packet::{Refusal, Tunnel, Unread};
use cutshort_verdict::{DataSet, Signature, Stage, WeightedCount};
use serde::Serialize;

use crate::notes::notes;
use crate::rank::{self, Ranked};
use crate::summary::Summary;

#[derive(Serialize)]
struct Json<'a> {
    cutshort: &'static str,
    simulated: bool,
    selection: Option<&'a str>,
    first_us: Option<i64>,
    last_us: Option<i64>,
    records: u64,
    packets: u64,
    refused: BTreeMap<&'static str, u64>,
    unwrapped: BTreeMap<&'static str, u64>,
    unread: Vec<UnreadKind>,
    unsupported_link_types: BTreeMap<u32, u64>,
    late: u64,
    tail: u64,
    future: u64,
    dropped: Dropped,
    incomplete: Vec<Incomplete>,
    beyond_limit: u64,
    copies: u64,
    excluded: BTreeMap<&'static str, u64>,
    not_meant: u64,
    not_selected: u64,
    connections: u64,
    weight: u64,
    anomalous: WeightedShare,
    completed_handshakes: Completed,
    stages: BTreeMap<&'static str, WeightedShare>,
    terminations: BTreeMap<&'static str, WeightedShare>,
    tags: BTreeMap<&'static str, WeightedShare>,
    signatures: Vec<SignatureShare>,
    locations: Vec<PlaceCounts>,
    networks: Vec<PlaceCounts>,
    geo: Vec<String>,
    notes: Vec<String>,
    /// Not of the data set `tcp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset: Option<&'static str>,
    /// Of the data set `origin`.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    origin: Option<OriginCounts>,
}

/// What is said of connections that we opened, besides.
#[derive(Serialize)]
struct OriginCounts {
    one_direction: bool,
    servers: Vec<ServerShares>,
}

#[derive(Serialize)]
struct ServerShares {
    address: String,
    port: u16,
    connections: u64,
    weight: u64,
    anomalous: WeightedShare,
    refused: WeightedShare,
    unreachable: WeightedShare,
    timeouts: WeightedShare,
    gave_up: WeightedShare,
    empty_answers: WeightedShare,
    handshake_p50_us: Option<u64>,
    handshake_p95_us: Option<u64>,
}

impl From<(SocketAddr, &ServerCounts)> for ServerShares {
    fn from((address, server): (SocketAddr, &ServerCounts)) -> Self {
        let all = &server.group.all;
        let share = |count: &WeightedCount| WeightedShare::of(count, all);
        Self {
            address: address.ip().to_string(),
            port: address.port(),
            connections: all.sampled,
            weight: all.weight,
            anomalous: share(&server.group.anomalous),
            refused: share(&server.refused),
            unreachable: share(&server.unreachable),
            timeouts: share(&server.timeouts),
            gave_up: share(&server.gave_up),
            empty_answers: share(&server.empty_answers),
            handshake_p50_us: server.handshakes.quantile(0.5),
            handshake_p95_us: server.handshakes.quantile(0.95),
        }
    }
}

/// Records that could not be read.
#[derive(Serialize)]
struct UnreadKind {
    kind: &'static str,
    number: Option<u64>,
    name: Option<&'static str>,
    records: u64,
    may_hold_tcp: bool,
}

impl From<(Unread, u64)> for UnreadKind {
    fn from((unread, records): (Unread, u64)) -> Self {
        Self {
            kind: unread.kind(),
            number: unread.number(),
            name: unread.name(),
            records,
            may_hold_tcp: unread.may_hold_tcp(),
        }
    }
}

/// Lost packets that the capture reports.
#[derive(Serialize)]
struct Dropped {
    received: u64,
    interface: u64,
    system: u64,
    between: u64,
}

impl From<crate::Dropped> for Dropped {
    fn from(crate::Dropped { received, interface, system, between }: crate::Dropped) -> Self {
        Self { received, interface, system, between }
    }
}

/// A period in which sampled connections were left out because the table of connections was full.
#[derive(Serialize)]
struct Incomplete {
    first_us: i64,
    last_us: i64,
    connections: u64,
}

impl From<&crate::Incomplete> for Incomplete {
    fn from(crate::Incomplete { connections, from, to }: &crate::Incomplete) -> Self {
        Self { first_us: micros(*from), last_us: micros(*to), connections: *connections }
    }
}

#[derive(Serialize)]
struct WeightedShare {
    count: u64,
    weight: u64,
    share: f64,
    low: f64,
    high: f64,
}

impl WeightedShare {
    fn of(part: &WeightedCount, whole: &WeightedCount) -> Self {
        let (low, high) = part.interval_of(whole);
        Self { count: part.sampled, weight: part.weight, share: part.share_of(whole), low, high }
    }
}

#[derive(Serialize)]
struct Completed {
    connections: u64,
    weight: u64,
    anomalous: WeightedShare,
    stages: BTreeMap<&'static str, WeightedShare>,
}

#[derive(Serialize)]
struct SignatureShare {
    id: u8,
    name: &'static str,
    #[serde(flatten)]
    share: WeightedShare,
}

#[derive(Serialize)]
struct PlaceCounts {
    code: Option<String>,
    name: String,
    connections: u64,
    weight: u64,
    anomalous: WeightedShare,
    completed_handshakes: u64,
    completed_anomalous: WeightedShare,
}

impl From<Ranked> for PlaceCounts {
    fn from(Ranked { code, name, group }: Ranked) -> Self {
        let GroupCounts { all, anomalous, completed, completed_anomalous } = group;
        Self {
            code: Some(code).filter(|code| !code.is_empty()),
            name,
            connections: all.sampled,
            weight: all.weight,
            anomalous: WeightedShare::of(&anomalous, &all),
            completed_handshakes: completed.sampled,
            completed_anomalous: WeightedShare::of(&completed_anomalous, &completed),
        }
    }
}

impl Summary {
    /// Writes the summary as one JSON object.
    pub fn write_json(&self, geo: &Geo, mut output: impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut output, &self.json(geo))?;
        output.write_all(b"\n")
    }

    fn json(&self, geo: &Geo) -> Json<'_> {
        let GroupCounts { all, anomalous, completed, completed_anomalous } = &self.total;
        let set = self.data_set;
        let stages = |counts: &[WeightedCount; Stage::ALL.len()], all: &WeightedCount| {
            let share = |stage: &Stage| WeightedShare::of(&counts[*stage as usize], all);
            set.stages().iter().map(|stage| (set.stage_name(*stage), share(stage))).collect()
        };
        Json {
            cutshort: env!("CARGO_PKG_VERSION"),
            simulated: self.simulated,
            selection: self.selection.as_deref(),
            first_us: self.input.span().map(|(first, _)| micros(first)),
            last_us: self.input.span().map(|(_, last)| micros(last)),
            records: self.input.records,
            packets: self.input.packets,
            refused: self.refused(),
            unwrapped: Tunnel::ALL
                .iter()
                .zip(self.input.unwrapped)
                .filter(|(_, count)| *count > 0)
                .map(|(tunnel, count)| (tunnel.name(), count))
                .collect(),
            unread: self.input.unread.sorted().into_iter().map(UnreadKind::from).collect(),
            unsupported_link_types: self.unsupported_link_types(),
            late: self.input.late,
            tail: self.input.rows.tail,
            future: self.input.future(),
            dropped: self.input.dropped.into(),
            incomplete: self.input.incomplete.iter().map(Incomplete::from).collect(),
            beyond_limit: self.input.beyond_limit(),
            copies: self.input.rows.duplicates,
            excluded: set
                .exclusions()
                .iter()
                .map(|reason| (reason.name(), self.excluded[*reason as usize]))
                .collect(),
            not_meant: self.not_meant,
            not_selected: self.not_selected,
            connections: all.sampled,
            weight: all.weight,
            anomalous: WeightedShare::of(anomalous, all),
            completed_handshakes: Completed {
                connections: completed.sampled,
                weight: completed.weight,
                anomalous: WeightedShare::of(completed_anomalous, completed),
                stages: stages(&self.completed_stages, completed),
            },
            stages: stages(&self.stages, all),
            terminations: set
                .terminations()
                .iter()
                .map(|end| (end.name(), WeightedShare::of(&self.terminations[*end as usize], all)))
                .collect(),
            tags: set
                .tags()
                .iter()
                .map(|tag| (tag.name(), WeightedShare::of(&self.tags[usize::from(tag.number())], all)))
                .collect(),
            signatures: self.signature_shares(),
            locations: rank::locations(self).into_iter().map(PlaceCounts::from).collect(),
            networks: rank::networks(self, geo).into_iter().map(PlaceCounts::from).collect(),
            geo: geo.sources().iter().map(ToString::to_string).collect(),
            notes: notes(self),
            dataset: (set != DataSet::Tcp).then_some(set.name()),
            origin: (set == DataSet::Origin).then(|| OriginCounts {
                one_direction: self.one_direction,
                servers: self.servers.ranked().into_iter().map(ServerShares::from).collect(),
            }),
        }
    }

    /// By reason, without that of the other protocol.
    fn refused(&self) -> BTreeMap<&'static str, u64> {
        let other = if self.data_set == DataSet::Quic { Refusal::NotTcp } else { Refusal::NotQuic };
        let counts = Refusal::ALL.into_iter().zip(self.input.refused);
        counts
            .filter(|(refusal, _)| *refusal != other)
            .map(|(refusal, count)| (refusal.name(), count))
            .collect()
    }

    fn unsupported_link_types(&self) -> BTreeMap<u32, u64> {
        let link =
            |(unread, count)| if let Unread::Link(number) = unread { Some((number, count)) } else { None };
        self.input.unread.counts().filter_map(link).collect()
    }

    fn signature_shares(&self) -> Vec<SignatureShare> {
        let share = |signature: &Signature| SignatureShare {
            id: signature.id(),
            name: signature.name(),
            share: WeightedShare::of(&self.signatures[usize::from(signature.id())], &self.total.all),
        };
        self.data_set.signatures().iter().map(share).collect()
    }
}
