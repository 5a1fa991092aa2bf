//! The packets of one connection, if the configuration allows it.

use std::net::IpAddr;

use cutshort_model::Window;
use cutshort_packet::{FiveTuple, Packet};
use cutshort_pipeline::{StoredTrace, trace};
use cutshort_verdict::{DataSet, Rules, Step};
use serde::Serialize;
use utoipa::ToSchema;

use super::connections::is_allowed;
use super::of;
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Unknown};
use crate::http::parameters as p;
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::question::parse_time;

pub(super) const TRACE: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::OfDataSet("/connections/trace"),
    id: "trace",
    title: "A connection packet by packet",
    about: "The packets that were taken of one connection, with what each means, and why the verdict is what it is. Packets are kept for a shorter time than connections (setting 'keep_packets').",
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
    answers: Answers::Result { schema: of::<Traced>(), csv: false },
    good: &[200],
    bad: &[404, 422],
    takes: None,
    store: true,
    run,
};

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

/// Windows with more bytes of packets are not searched for a connection.
const MOST_BYTES: u64 = 64 << 20;

fn run(call: &mut Call<'_>) -> Result<Reply, Problem> {
    is_allowed(call)?;
    let five_tuple = five_tuple(call)?;
    let time = needed(call, "time")?;
    let time = parse_time(time).map_err(|why| Problem::bad_input(format!("time: '{time}' {why}")))?;
    check_size(call, Window::containing(time))?;
    if call.data_set == DataSet::Quic {
        return Err(Problem::no_data(
            "connections of the data set 'quic' are not shown datagram by datagram here: run 'cutshort classify --quic --explain' on a capture",
        ));
    }
    let rules = Rules::default().in_data_set(call.data_set);
    let found = trace(call.store()?, &rules, &five_tuple, time)?;
    let found = found.ok_or_else(|| {
        Problem::no_data("no packet of this connection is kept: it is not of this time, or packets were kept for a shorter time")
    })?;
    Reply::result(&Traced::from(found), &call.messages)
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
