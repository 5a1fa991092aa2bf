//! Reads a window's flows, judged by the server.

use std::net::Ipv6Addr;
use std::sync::{Arc, Mutex, PoisonError};

use clickhouse::Row as ClickHouseRow;
use clickhouse::query::RowCursor;
use cutshort_model::{Addresses, Window};
use cutshort_packet::{FiveTuple, Flags};
use cutshort_store::{FlowVerdict, Result, StoreError, VerdictBatch, Verdicts, WindowVerdicts};
use cutshort_verdict::{
    DataSet, Exclusion, Outcome, Progress, Rules, Signature, Stage, Tags, Termination, Verdict,
};
use serde::Deserialize;

use crate::classify::{Classified, Grain, NOWHERE, PacketRows};
use crate::packets::{SegmentOfWindow, SharedWindow, WindowSegments};
use crate::server::{Server, time};
use crate::windows;

/// If more than this share of a window is covered by several captures, the window job judges it from packets.
const MOST_SHARED: i64 = Window::LENGTH / 100;
/// The same applies if these times are in more pieces than this.
const MOST_PIECES: usize = 16;

/// A row of the answer: one connection.
#[derive(ClickHouseRow, Deserialize)]
struct VerdictRow {
    src_ip: Ipv6Addr,
    src_port: u16,
    dst_ip: Ipv6Addr,
    dst_port: u16,
    excluded: u8,
    progress: u8,
    termination: u8,
    stage: u8,
    tags: u32,
    signature_id: u8,
    rst_ttl_delta: Option<i16>,
    rst_ip_id_delta: Option<u16>,
    syn_ttl: u8,
    sample_rate: u32,
    node: u16,
    packets: u64,
    copies: u32,
    tail: u32,
    first_ns: i64,
    last_ns: i64,
    silent_ns: i64,
    unclear: u8,
    /// The number of rows that it stands for.
    all_rows: u64,
    quic_version: u32,
    close_code: Option<u64>,
    handshake_ns: Option<i64>,
    first_byte_ns: Option<i64>,
}

const COLUMNS: &str = "src_ip, src_port, dst_ip, dst_port, excluded, progress, termination, stage, tags, signature_id, rst_ttl_delta, rst_ip_id_delta, syn_ttl, sample_rate, node, packets, copies, tail, first_ns, last_ns, silent_ns, unclear, all_rows, quic_version, close_code, handshake_ns, first_byte_ns";

impl VerdictRow {
    fn flow(&self, data_set: DataSet) -> Result<FlowVerdict> {
        let Self { src_ip, src_port, dst_ip, dst_port, sample_rate, node, copies, tail, .. } = *self;
        Ok(FlowVerdict {
            key: FiveTuple { src_ip, src_port, dst_ip, dst_port }.into(),
            outcome: self.outcome(data_set)?,
            sample_rate,
            node,
            packets: self.packets(),
            duplicates: copies,
            tail,
        })
    }

    fn packets(&self) -> u32 {
        u32::try_from(self.packets).unwrap_or(u32::MAX)
    }

    fn outcome(&self, data_set: DataSet) -> Result<Option<Outcome>> {
        if self.excluded == NOWHERE {
            return Ok(None);
        }
        if let Some(reason) = self.excluded.checked_sub(1) {
            return Ok(Some(Err(of(&Exclusion::ALL, reason)?)));
        }
        Ok(Some(Ok(Verdict {
            data_set,
            progress: of(&Progress::ALL, self.progress)?,
            termination: of(&Termination::ALL, self.termination)?,
            stage: of(&Stage::ALL, self.stage)?,
            tags: Tags::from_bits(self.tags),
            signature: Signature::from_id(self.signature_id),
            rst_ttl_delta: self.rst_ttl_delta,
            rst_ip_id_delta: self.rst_ip_id_delta,
            syn_ttl: self.syn_ttl,
            sample_rate: self.sample_rate,
            packets: self.packets(),
            first_ts: self.first_ns,
            last_ts: self.last_ns,
            silent: self.silent_ns.max(0),
            handshake: self.handshake_ns,
            first_byte: self.first_byte_ns,
            version: self.quic_version,
            close_code: self.close_code,
        })))
    }
}

/// The value with a number.
fn of<T: Copy>(all: &[T], number: u8) -> Result<T> {
    let value = all.get(usize::from(number)).copied();
    value.ok_or_else(|| {
        StoreError::Failed(format!("ClickHouse gives {number}, which is no term of ours").into())
    })
}

/// None if the server cannot judge all flows as the rules do: with protected addresses, or with captures that may
/// have packets in common.
pub(crate) fn read_verdicts(
    server: &Arc<Server>,
    window: i64,
    rules: &Rules,
    parts: usize,
) -> Result<Option<WindowVerdicts<'static>>> {
    let window = WindowSegments::of(server, window)?;
    let mut addresses = window.segments.iter().map(SegmentOfWindow::addresses);
    if rules.window != Window::LENGTH || addresses.any(|addresses| !matches!(addresses, Ok(Addresses::Full)))
    {
        return Ok(None);
    }
    let Some(shared_times) = shared_times(&window.segments) else { return Ok(None) };
    let parts = if window.segments.is_empty() { 0 } else { parts.max(1) };
    let shared = Arc::new(window.shared(parts)?);
    let cursor = match parts {
        0 => None,
        _ => Some(ask(server, &window, &sql(&window, rules, &shared_times))?),
    };
    let cursor = Arc::new(Mutex::new(cursor));
    let part = |_| {
        let (server, cursor, shared) = (Arc::clone(server), Arc::clone(&cursor), Arc::clone(&shared));
        Box::new(SharedVerdicts { server, cursor, shared, ended: false }) as Box<dyn Verdicts + Send>
    };
    let parts = (0..parts).map(part).collect();
    Ok(Some(WindowVerdicts { inputs: window.inputs, nodes: window.nodes, parts }))
}

/// The times when several captures have packets; none if they are so long that most flows may have such packets.
fn shared_times(segments: &[SegmentOfWindow]) -> Option<Vec<(i64, i64)>> {
    let files = segments.iter().filter(|segment| segment.node.is_empty());
    let mut times: Vec<(i64, i64)> = files.filter_map(|segment| segment.first.zip(segment.last)).collect();
    times.sort_unstable();
    let mut shared: Vec<(i64, i64)> = Vec::new();
    let mut latest = i64::MIN;
    for (first, last) in times {
        if first <= latest {
            shared.push((first, last.min(latest)));
        }
        latest = latest.max(last);
    }
    let length: i64 = shared.iter().map(|(from, to)| to.saturating_sub(*from)).sum();
    (shared.len() <= MOST_PIECES && length <= MOST_SHARED).then_some(shared)
}

fn sql(window: &WindowSegments, rules: &Rules, shared_times: &[(i64, i64)]) -> String {
    let kept = windows::of_window("");
    let of_window =
        format!("window_start = {} AND segment GLOBAL IN (SELECT id FROM ({kept}))", time("window"));
    let source = PacketRows {
        rows: "packet".to_owned(),
        filter: of_window,
        addresses: "toUInt8(0)".to_owned(),
        node: match window.nodes.len() {
            1 => "toUInt16(0)".to_owned(),
            _ => node_position(),
        },
        marks: PacketRows::marks(),
        unclear: unclear(window, rules, shared_times),
    };
    let classified =
        Classified { grain: Grain::FiveTuple, sources: &[source], cutoff: "{cutoff:Int64}", rules };
    format!("SELECT {COLUMNS} FROM ({})", classified.sql())
}

/// The index of a packet's node among the names of [`WindowSegments::nodes`], which the server lists itself because
/// there may be many.
fn node_position() -> String {
    let of_window = windows::of_window("toString(any(node)) AS node");
    let names = format!(
        "(SELECT arraySort(arrayDistinct(arrayPushBack(groupUniqArray(node), ''))) FROM ({of_window}))"
    );
    format!("toUInt16(transform(toString(node), {names}, range(length({names})), 0))")
}

/// Whether several captures may have the same packets of a flow, or together more than the limit. Such flows are not
/// judged here.
fn unclear(window: &WindowSegments, rules: &Rules, shared_times: &[(i64, i64)]) -> String {
    const FILE: &str = "node = ''";
    const CAPTURE: &str = "cityHash64(segment)";
    if window.segments.iter().filter(|segment| segment.node.is_empty()).count() < 2 {
        return "0".to_owned();
    }
    let times =
        shared_times.iter().map(|(from, to)| format!("toUnixTimestamp64Nano(ts) BETWEEN {from} AND {to}"));
    let is_shared = times.chain(["0".to_owned()]).collect::<Vec<_>>().join(" OR ");
    let limit = rules.row_limit();
    let errors = match rules.data_set {
        DataSet::Quic => Some("icmp != 0".to_owned()),
        DataSet::Origin => Some(format!("bitAnd(flags, {}) != 0", Flags::ICMP.bits())),
        _ => None,
    };
    let errors = errors
        .map_or_else(String::new, |such| format!(" OR countIf({FILE} AND {such}) > {}", Rules::ICMP_LIMIT));
    format!(
        "countIf({FILE} AND ({is_shared})) > 1
   OR ((countIf({FILE}) > {limit}{errors}) AND minIf({CAPTURE}, {FILE}) != maxIf({CAPTURE}, {FILE}))"
    )
}

/// Sends the query at once, so that the answer is the present state. The server divides the work itself.
fn ask(server: &Server, window: &WindowSegments, sql: &str) -> Result<RowCursor<VerdictRow>> {
    let query = server
        .query(sql)
        .param("window", window.start)
        .param("cutoff", window.inputs.cutoff)
        // A 5-tuple is on one shard, so groups need not be merged.
        .with_setting("optimize_distributed_group_by_sharding_key", "1");
    server.wait(async { query.fetch::<VerdictRow>() })
}

/// One of several readers that share the flows of one answer.
struct SharedVerdicts {
    server: Arc<Server>,
    cursor: Arc<Mutex<Option<RowCursor<VerdictRow>>>>,
    shared: Arc<SharedWindow>,
    ended: bool,
}

impl SharedVerdicts {
    /// The next rows; none at the end.
    fn batch(&self) -> Result<Vec<VerdictRow>> {
        let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = cursor.as_mut() else { return Ok(Vec::new()) };
        let rows = self.server.batch(open);
        // A cursor that has ended or failed is not asked again.
        if rows.as_ref().map_or(true, Vec::is_empty) {
            *cursor = None;
        }
        rows
    }
}

impl Verdicts for SharedVerdicts {
    fn next_flows(&mut self, flows: &mut Vec<FlowVerdict>) -> Result<VerdictBatch> {
        flows.clear();
        let judged = self.batch()?;
        if judged.is_empty() {
            self.shared.end(&mut self.ended)?;
            return Ok(VerdictBatch::End);
        }
        self.shared.came(judged.iter().map(|flow| flow.all_rows).sum());
        if judged.iter().any(|flow| flow.unclear != 0) {
            return Ok(VerdictBatch::Undecidable);
        }
        for flow in &judged {
            flows.push(flow.flow(self.server.data_set)?);
        }
        Ok(VerdictBatch::Flows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(node: &str, times: Option<(i64, i64)>) -> SegmentOfWindow {
        SegmentOfWindow::new(node, times)
    }

    #[test]
    fn times_that_several_captures_have_are_found() {
        let of = |times: &[(i64, i64)]| {
            let segments: Vec<_> = times.iter().map(|times| segment("", Some(*times))).collect();
            shared_times(&segments)
        };
        assert_eq!(of(&[(0, 5), (6, 9)]), Some(vec![]));
        assert_eq!(of(&[(6, 9), (0, 6)]), Some(vec![(6, 6)]));
        assert_eq!(of(&[(0, 9), (1, 2), (2, 12)]), Some(vec![(1, 2), (2, 9)]));
        assert_eq!(of(&[(0, Window::LENGTH), (1, Window::LENGTH)]), None);
        let live = [
            segment("a", Some((0, Window::LENGTH))),
            segment("b", Some((0, Window::LENGTH))),
            segment("", None),
        ];
        assert_eq!(shared_times(&live), Some(vec![]));
    }
}
