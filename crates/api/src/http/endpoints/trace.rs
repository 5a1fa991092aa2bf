//! The packets of one connection, if the configuration allows it.

use std::net::IpAddr;

use cutshort_model::Window;
use cutshort_packet::quic::Version;
use cutshort_packet::{FiveTuple, Packet};
use cutshort_pipeline::{StoredDatagrams, StoredTrace, trace, trace_datagrams};
use cutshort_verdict::{DataSet, Rules, Step, quic};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::connections::is_allowed;
use super::schema;
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Schemas, Unknown};
use crate::http::parameters as p;
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::question::parse_time;

pub(super) const TRACE: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::OfDataSet("/connections/trace"),
    id: "trace",
    title: "A connection packet by packet",
    about: "The packets that were taken of one connection, with what each means, and why the verdict is what it is. Packets are kept for a shorter time than connections (setting 'keep_packets'). In the data set 'quic', its datagrams.",
    group: Group::Own,
    parameters: &[
        &p::TRACE_CLIENT,
        &p::TRACE_CLIENT_PORT,
        &p::TRACE_SERVER,
        &p::TRACE_SERVER_PORT,
        &p::TRACE_TIME,
    ],
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: traced, csv: false },
    good: &[200],
    bad: &[404, 422],
    takes: None,
    store: true,
    run,
};

/// The schema of an answer, which depends on what rows are.
fn traced(schemas: &mut Schemas, data_set: DataSet) -> RefOr<Schema> {
    match data_set {
        DataSet::Quic => schema::<TracedDatagrams>(schemas),
        _ => schema::<Traced>(schemas),
    }
}

/// A connection with its packets.
#[derive(Serialize, ToSchema)]
struct Traced {
    /// The packets in order of time.
    packets: Vec<TracedPacket>,
    /// The rules that led to the verdict, one sentence each.
    reasons: Vec<String>,
    /// The SYN in the notation of p0f, such as `4:64+0:0:1460:mss*44,7:mss,sok,ts,nop,ws:df:0`; none without a SYN, or if its
    /// options are not known.
    syn: Option<String>,
}

/// A packet that was classified.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TracedPacket {
    /// The time since the first packet, in seconds.
    seconds: f64,
    /// TCP flags by their letters, such as `SA` for SYN and ACK.
    flags: String,
    /// The sequence number, relative to that of the SYN; none without a SYN.
    seq: Option<i32>,
    /// The acknowledgement number, as it is in the packet.
    ack: u32,
    /// The length of the payload in bytes.
    payload: u32,
    /// IPv4 time to live or IPv6 hop limit.
    ttl: u8,
    /// IPv4 identification; 0 for IPv6.
    ip_id: u16,
    /// What the packet means for the connection.
    meaning: &'static str,
    /// Whether it repeats an earlier packet.
    is_repeat: bool,
    /// Whether it came from the server, or from a router on the way to it; only the data set `origin` has such packets.
    is_received: bool,
}

/// A QUIC connection with its datagrams.
#[derive(Serialize, ToSchema)]
struct TracedDatagrams {
    /// The datagrams and ICMP errors in order of time.
    datagrams: Vec<TracedDatagram>,
    /// The rules that led to the verdict, one sentence each.
    reasons: Vec<String>,
}

/// A datagram that was classified, or one of the other direction, or an ICMP error that quotes one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TracedDatagram {
    /// The time since the client's first datagram, in seconds; negative for an earlier one of the server.
    seconds: f64,
    /// Whether it came from the server: shown if both directions were captured, and never judged.
    is_received: bool,
    /// The types of the packets that it has: `Initial`, `0-RTT`, `Handshake`, `1-RTT`, `another version`, `no QUIC`, `cut`. Empty
    /// for an ICMP error.
    packets: Vec<&'static str>,
    /// The version of its first packet with a long header: `1`, `2`, `draft-29`, ...; none without one, or if it is not known.
    version: Option<&'static str>,
    /// The length of the UDP payload in bytes; 0 for an ICMP error. Datagrams may have been merged before they were captured (GRO).
    len: u16,
    /// Which destination connection id of this direction it has, counted from 0 in order of time; none without one.
    dcid: Option<usize>,
    /// The length of this id in bytes.
    dcid_len: u8,
    /// IPv4 time to live or IPv6 hop limit.
    ttl: u8,
    /// IPv4 identification; 0 for IPv6.
    ip_id: u16,
    /// Whether it is an ICMP error that quotes a datagram.
    is_icmp: bool,
    /// What it means for the connection.
    meaning: String,
}

/// Windows with more bytes of packets are not searched for a connection.
const MOST_BYTES: u64 = 64 << 20;

fn run(call: &mut Call<'_>) -> Result<Reply, Problem> {
    is_allowed(call)?;
    let five_tuple = five_tuple(call)?;
    let time = needed(call, "time")?;
    let time = parse_time(time).map_err(|why| Problem::bad_input(format!("time: '{time}' {why}")))?;
    check_size(call, Window::containing(time))?;
    let rules = Rules::default().in_data_set(call.data_set);
    let store = call.store()?;
    match call.data_set {
        DataSet::Quic => {
            let found = trace_datagrams(store, &rules, &five_tuple, time)?.ok_or_else(no_packets)?;
            Reply::result(&TracedDatagrams::from(found), &call.messages)
        }
        _ => {
            let found = trace(store, &rules, &five_tuple, time)?.ok_or_else(no_packets)?;
            Reply::result(&Traced::from(found), &call.messages)
        }
    }
}

fn no_packets() -> Problem {
    Problem::no_data(
        "no packet of this connection is kept: it is not of this time, or packets were kept for a shorter time",
    )
}

fn needed<'a>(call: &'a Call<'_>, key: &str) -> Result<&'a str, Problem> {
    call.parameters.one(key)?.ok_or_else(|| Problem::bad_input(format!("{key}: missing")))
}

fn five_tuple(call: &Call<'_>) -> Result<FiveTuple, Problem> {
    let address = |key| -> Result<IpAddr, Problem> {
        let text = needed(call, key)?;
        text.parse().map_err(|_| {
            Problem::bad_input(format!("{key}: '{text}' is not an IP address, such as 203.0.113.5"))
        })
    };
    let port = |key| -> Result<u16, Problem> {
        let text = needed(call, key)?;
        text.parse()
            .map_err(|_| Problem::bad_input(format!("{key}: '{text}' is not a port number from 0 to 65535")))
    };
    Ok(FiveTuple::new(address("client")?, port("clientPort")?, address("server")?, port("serverPort")?))
}

fn check_size(call: &Call<'_>, window: Window) -> Result<(), Problem> {
    let windows = call.store()?.windows(window.range())?;
    let bytes: u64 = windows.iter().map(|window| window.bytes).sum();
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    Err(Problem::too_costly(format!(
        "the packets of this window take {} MB, too many to look through; 'cutshort classify --explain' shows connections of captures",
        bytes >> 20
    )))
}

impl From<StoredTrace> for Traced {
    fn from(StoredTrace { trace, syn }: StoredTrace) -> Self {
        let first = trace.steps.first().map_or(0, |step| step.row.ts);
        let packets = trace.steps.iter().map(|step| TracedPacket::new(step, first)).collect();
        let syn = syn.as_ref().and_then(Packet::p0f).map(|p0f| p0f.to_string());
        Self { packets, reasons: trace.reasons, syn }
    }
}

impl TracedPacket {
    fn new(step: &Step, first: i64) -> Self {
        let row = &step.row;
        Self {
            seconds: (row.ts - first) as f64 / 1e9,
            flags: row.flags.to_string(),
            seq: step.rel.map(u32::cast_signed),
            ack: row.ack,
            payload: row.payload_len,
            ttl: row.ttl,
            ip_id: row.ip_id,
            meaning: step.meaning,
            is_repeat: step.is_repeat,
            is_received: row.is_received(),
        }
    }
}

impl From<StoredDatagrams> for TracedDatagrams {
    fn from(StoredDatagrams { trace, other }: StoredDatagrams) -> Self {
        let first = trace.steps.first().map_or(0, |step| step.row.ts);
        let own = trace.steps.iter().map(|step| (step, false));
        let mut all: Vec<(&quic::Step, bool)> = own.chain(other.iter().map(|step| (step, true))).collect();
        all.sort_by_key(|(step, _)| step.row.ts);
        let datagram =
            |(step, is_received): (&quic::Step, bool)| TracedDatagram::new(step, is_received, first);
        Self { datagrams: all.into_iter().map(datagram).collect(), reasons: trace.reasons }
    }
}

impl TracedDatagram {
    fn new(step: &quic::Step, is_received: bool, first: i64) -> Self {
        let row = &step.row;
        Self {
            seconds: (row.ts - first) as f64 / 1e9,
            is_received,
            packets: step.packets().collect(),
            version: row.known_version().map(Version::name),
            len: row.len,
            dcid: step.dcid,
            dcid_len: row.dcid_len,
            ttl: row.ttl,
            ip_id: row.ip_id,
            is_icmp: row.is_icmp(),
            meaning: step.meaning.clone(),
        }
    }
}
