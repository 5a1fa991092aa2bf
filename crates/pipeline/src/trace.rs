//! Shows one connection packet by packet, from the packets of its window.

use cutshort_model::Window;
use cutshort_packet::quic::Datagram;
use cutshort_packet::{FiveTuple, Packet};
use cutshort_store::{FlowKey, Result, Store, StoredDatagram, StoredRow, WindowPackets};
use cutshort_verdict::{FlowContext, Row, Rules, Trace, quic};

use crate::{cap, datagrams};

/// The precision to which a packet's time is given, in nanoseconds.
const STEP: i64 = 1_000_000;

/// A connection packet by packet.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTrace {
    /// The packets and the verdict.
    pub trace: Trace,
    /// The SYN packet that counts, with its options.
    pub syn: Option<Packet>,
}

impl StoredTrace {
    fn new(trace: Trace, rows: &[StoredRow], five_tuple: &FiveTuple) -> Self {
        let syn = trace.syn().and_then(|syn| rows.iter().find(|stored| stored.row == *syn));
        let syn = syn.map(|stored| stored.packet(*five_tuple));
        Self { trace, syn }
    }
}

/// Shows the evidence for the verdict on the connection that began at `time` (nanoseconds since the Unix epoch, to
/// the millisecond). Reads the packets of its window; `None` if no packets of the connection are stored. If no
/// connection began at that time, it is the first on these ports; if addresses are truncated, several 5-tuples may
/// look the same.
pub fn trace(
    store: &dyn Store,
    rules: &Rules,
    five_tuple: &FiveTuple,
    time: i64,
) -> Result<Option<StoredTrace>> {
    let mut packets = store.read_window(Window::containing(time), 1)?;
    let groups = groups(&mut packets, five_tuple, rules)?;
    let others = |key: &FlowKey| groups.iter().find(|(other, _)| *other == key.reversed());
    let mut first = None;
    for (key, rows) in groups.iter().filter(|(key, _)| key.five_tuple == *five_tuple) {
        let other = others(key).map_or(&[][..], |(_, rows)| rows);
        let stored = counted(rows, other, rules);
        let rsts = counted(other, &stored, rules).into_iter().filter(|stored| stored.row.has_rst());
        let other_rsts: Vec<i64> = rsts.map(|stored| stored.row.ts).collect();
        let rows: Vec<Row> = stored.iter().map(|stored| stored.row).collect();
        let shown = |trace| StoredTrace::new(trace, &stored, five_tuple);
        let around = FlowContext { cutoff: packets.inputs.cutoff, other_rsts: &other_rsts };
        let mut traces = Trace::of(&rows, rules, &around);
        if let Some(at) = traces.iter().position(|trace| began_at(trace, time)) {
            return Ok(Some(shown(traces.swap_remove(at))));
        }
        let connection = traces.into_iter().find(|trace| trace.outcome.is_some());
        first = first.or(connection.map(shown));
    }
    Ok(first)
}

/// The packets of a 5-tuple and of its other direction, which may be the same.
fn groups(
    packets: &mut WindowPackets<'_>,
    five_tuple: &FiveTuple,
    rules: &Rules,
) -> Result<Vec<(FlowKey, Vec<StoredRow>)>> {
    let both = [*five_tuple, five_tuple.reversed()];
    let mut groups = Vec::new();
    let mut stored = Vec::new();
    for part in &mut packets.parts {
        while let Some(key) = part.next_group(&mut stored)? {
            if both.contains(&key.five_tuple) {
                cap::merge_files(&mut stored, rules);
                groups.push((key, std::mem::take(&mut stored)));
            }
        }
    }
    Ok(groups)
}

/// The rows that count, given those of the other direction.
fn counted(rows: &[StoredRow], other: &[StoredRow], rules: &Rules) -> Vec<StoredRow> {
    let mut rows = rows.to_vec();
    if cap::is_over(&rows, rules) {
        cap::cap_files(&mut rows, &cap::begins(&mut other.to_vec()), rules);
    }
    rows
}

fn began_at(trace: &Trace, time: i64) -> bool {
    let first = trace.steps.first().map(|step| step.row.ts.div_euclid(STEP));
    trace.outcome.is_some() && first == Some(time.div_euclid(STEP))
}

/// A connection of the data set `quic` datagram by datagram.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDatagrams {
    /// The datagrams that count, and the verdict.
    pub trace: quic::Trace,
    /// Those of the other direction, in the order of time, if it was captured and this one is the client's.
    pub other: Vec<quic::Step>,
}

/// The same as [`trace`] of a connection of the data set `quic`, of which a 5-tuple has one in a window.
pub fn trace_datagrams(
    store: &dyn Store,
    rules: &Rules,
    five_tuple: &FiveTuple,
    time: i64,
) -> Result<Option<StoredDatagrams>> {
    let mut packets = store.read_window(Window::containing(time), 1)?;
    let groups = datagram_groups(&mut packets, five_tuple, rules)?;
    let cutoff = packets.inputs.cutoff;
    let traced = |(key, rows): &(FlowKey, Vec<Datagram>)| {
        let reversed = key.reversed();
        let opposite = groups.iter().find(|(other, _)| *other == reversed);
        let opposite = opposite.map(|(_, rows)| rows);
        let findings = opposite.and_then(|rows| quic::Findings::of(rows));
        let other = findings.map(|findings| findings.as_other());
        let trace = quic::Trace::of(rows, rules, &quic::Context { cutoff, other })?;
        let is_client = trace.outcome.is_some_and(|outcome| outcome.is_ok());
        let opposite = opposite.filter(|_| is_client && reversed != *key);
        let other = opposite.map_or_else(Vec::new, |rows| quic::datagrams(rows));
        Some(StoredDatagrams { trace, other })
    };
    let mut own = groups.iter().filter(|(key, _)| key.five_tuple == *five_tuple).filter_map(traced);
    let Some(first) = own.next() else { return Ok(None) };
    let began = |traced: &StoredDatagrams| {
        let first = traced.trace.steps.first().map(|step| step.row.ts.div_euclid(STEP));
        first == Some(time.div_euclid(STEP))
    };
    Ok(Some(if began(&first) { first } else { own.find(began).unwrap_or(first) }))
}

/// The datagrams of a 5-tuple and of its other direction.
fn datagram_groups(
    packets: &mut WindowPackets<'_>,
    five_tuple: &FiveTuple,
    rules: &Rules,
) -> Result<Vec<(FlowKey, Vec<Datagram>)>> {
    let both = [*five_tuple, five_tuple.reversed()];
    let (mut groups, mut stored): (_, Vec<StoredDatagram>) = (Vec::new(), Vec::new());
    for part in &mut packets.parts {
        while let Some(key) = part.next_datagrams(&mut stored)? {
            if both.contains(&key.five_tuple) {
                datagrams::limit_files(&mut stored, rules);
                groups.push((key, stored.iter().map(|stored| stored.row).collect()));
            }
        }
    }
    Ok(groups)
}
