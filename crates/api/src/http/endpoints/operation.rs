//! Whether this server works, for those who run it.

use std::time::SystemTime;

use cutshort_model::nanoseconds;
use cutshort_pipeline::live::AgentCounts;
use cutshort_pipeline::{GeoState, ServiceState};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use serde::Serialize;
use utoipa::ToSchema;

use super::{damage, of};
use crate::answer::Facts;
use crate::http::agents::Heard;
use crate::http::app::App;
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Unknown};
use crate::http::reply::Reply;
use crate::http::room::Room;
use crate::problem::Problem;

const BASE: Endpoint = Endpoint {
    method: Method::Get,
    path: "/healthz",
    id: "healthz",
    title: "Alive",
    about: "Answers as long as the program lives.",
    group: Group::Operation,
    parameters: &[],
    access: Access::Open,
    unknown: Unknown::Ignored,
    answers: Answers::Json(of::<Health>()),
    good: &[200],
    bad: &[],
    takes: None,
    store: true,
    run: health,
};

pub(super) const HEALTH: Endpoint = BASE;

pub(super) const READY: Endpoint = Endpoint {
    path: "/readyz",
    id: "readyz",
    title: "Ready",
    about: "Whether the store and the tokens can be read, new packets can be kept, and results are computed; if not, why. Answers to questions go on as long as the store can be read.",
    answers: Answers::Json(of::<Ready>()),
    bad: &[503],
    run: ready,
    ..BASE
};

/// The format of Prometheus that others call OpenMetrics.
const METRICS_KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) const METRICS: Endpoint = Endpoint {
    path: "/metrics",
    id: "metrics",
    title: "Metrics",
    about: "Numbers for Prometheus.",
    access: Access::Read,
    answers: Answers::Text(METRICS_KIND),
    run: metrics,
    ..BASE
};

/// That the program lives.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
}

/// Whether everything works.
#[derive(Serialize, ToSchema)]
struct Ready {
    ready: bool,
    /// Why not.
    reasons: Vec<String>,
}

fn health(_call: &mut Call<'_>) -> Result<Reply, Problem> {
    Reply::json(&Health { status: "ok" })
}

fn ready(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let facts = call.facts();
    let state = call.app.service.as_ref().map(|service| service.state()).unwrap_or_default();
    let is_full = is_full(call.app);
    let unreadable = facts.as_ref().err().map(|problem| format!("the store cannot be read: {problem}"));
    let full = is_full.then(|| "the store is full: make room; it goes on by itself".to_owned());
    let trouble = state.trouble.filter(|_| full.is_none());
    let trouble = trouble.map(|trouble| format!("results cannot be computed: {}", trouble.what));
    let impaired: Vec<String> =
        facts.as_ref().map_or(Vec::new(), |facts| damage::sentences(&facts.status).collect());
    let damaged = facts.map_or(0, |facts| facts.status.damaged.len());
    let damaged =
        (damaged > 0).then(|| format!("{damaged} damaged files were set aside; see /client/v4/radar/status"));
    let undeleted = state.retention_trouble.map(|trouble| past_its_time(&trouble.what));
    // What was set aside, or could not be deleted, does not keep the rest from working.
    let tokens = call.app.tokens.trouble();
    let is_ready = unreadable.is_none() && full.is_none() && trouble.is_none() && tokens.is_none();
    let reasons = [unreadable, full, trouble, tokens, damaged, undeleted];
    let reasons = reasons.into_iter().flatten().chain(impaired).collect();
    let reply = Reply::json(&Ready { ready: is_ready, reasons })?;
    Ok(if is_ready { reply } else { reply.status(503) })
}

/// That something could not be deleted.
pub(super) fn past_its_time(why: &str) -> String {
    format!("Not all that is past its time can be deleted; it is tried again: {why}")
}

fn metrics(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let mut registry = Registry::with_prefix("cutshort");
    call.app.metrics.register(&mut registry);
    if let Ok(facts) = call.facts() {
        of_store(&mut registry, &facts);
    }
    if let Some(service) = &call.app.service {
        of_service(&mut registry, &service.state());
    }
    of_ingest(&mut registry, call);
    of_agents(&mut registry, call);
    of_geo(&mut registry, &call.geo);
    of_connections(&mut registry, &call.app.room);
    of_room(&mut registry, call);
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(Reply::new(METRICS_KIND, text))
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: f64) {
    registry.register(name, help, ConstGauge::new(value));
}

fn counter(registry: &mut Registry, name: &str, help: &str, value: u64) {
    registry.register(name, help, ConstCounter::new(value));
}

type Labels = [(&'static str, String); 1];

/// One gauge with a label.
fn gauges(registry: &mut Registry, name: &str, help: &str, values: impl Iterator<Item = (Labels, f64)>) {
    let family: Family<Labels, Gauge<f64, std::sync::atomic::AtomicU64>> = Family::default();
    values.for_each(|(labels, value)| {
        family.get_or_create(&labels).set(value);
    });
    registry.register(name, help, family);
}

/// One counter with a label.
fn counters(registry: &mut Registry, name: &str, help: &str, values: impl Iterator<Item = (Labels, u64)>) {
    let family: Family<Labels, Counter> = Family::default();
    values.for_each(|(labels, value)| {
        family.get_or_create(&labels).inc_by(value);
    });
    registry.register(name, help, family);
}

fn seconds(time: i64) -> f64 {
    time as f64 / 1e9
}

fn of_store(registry: &mut Registry, facts: &Facts) {
    let status = &facts.status;
    gauge(registry, "segments", "Segments that are kept", status.segments as f64);
    gauge(registry, "stored_packets", "Packets in them", status.packets as f64);
    gauge(registry, "packet_bytes", "Their bytes", status.packet_bytes as f64);
    gauge(
        registry,
        "undeleted_packets",
        "Packets past their time that are still on the disk",
        status.undeleted_packets as f64,
    );
    gauge(registry, "connection_bytes", "Bytes of single connections", status.connection_bytes as f64);
    gauge(registry, "rollup_bytes", "Bytes of counts", status.rollup_bytes as f64);
    gauge(registry, "windows", "Windows with results", status.windows as f64);
    gauge(
        registry,
        "windows_pending",
        "Windows that are over and whose results are missing or out of date",
        facts.pending.len() as f64,
    );
    gauge(registry, "damaged_files", "Files that were set aside", status.damaged.len() as f64);
    let impaired =
        damage::counts(status).map(|(how, count)| ([("how", how.name().to_owned())], count as f64));
    gauges(registry, "windows_impaired", "Windows that are concerned by damaged files", impaired);
    gauge(
        registry,
        "connections",
        "Connections in windows with results, sampled",
        status.counts.connections as f64,
    );
    gauge(registry, "packets", "Packets in windows with results", status.counts.packets as f64);
    gauge(
        registry,
        "copies",
        "Packets that equal another one in all but time and TTL",
        status.counts.copies as f64,
    );
    gauge(
        registry,
        "tail_packets",
        "Packets before the first SYN on their ports: the tail of an older connection",
        status.counts.tail as f64,
    );
    let excluded = cutshort_verdict::Exclusion::ALL.into_iter().zip(status.counts.excluded);
    let excluded = excluded.map(|(reason, count)| ([("reason", reason.name().to_owned())], count as f64));
    gauges(
        registry,
        "excluded",
        "Connections, and 5-tuples without a SYN, that are in no total, sampled",
        excluded,
    );
    let nodes = status.nodes.iter().map(|(name, latest)| ([("node", name.clone())], seconds(*latest)));
    gauges(registry, "node_latest_packet_timestamp_seconds", "Time of the latest packet of a server", nodes);
    if let Some(updated) = status.updated {
        gauge(registry, "updated_timestamp_seconds", "When results were computed last", seconds(updated));
    }
}

fn of_service(registry: &mut Registry, state: &ServiceState) {
    counter(registry, "window_job_windows", "Windows computed since the start", state.windows);
    counter(
        registry,
        "window_job_taken_over_windows",
        "Windows among them that other workers should have computed",
        state.taken_over,
    );
    counter(registry, "window_job_packets", "Packets in them", state.packets);
    let worker = [([("worker", state.share.to_string())], 1.0)];
    gauges(registry, "window_job_worker", "Which of several workers this is", worker.into_iter());
    counter(registry, "window_job_errors", "What went wrong in computing", state.errors);
    counter(
        registry,
        "retention_errors",
        "How often not all that is past its time could be deleted",
        state.retention_errors,
    );
    counter(
        registry,
        "retired",
        "Segments and results deleted because they were past their time",
        state.retired,
    );
    gauge(
        registry,
        "window_job_seconds_sum",
        "Time that computing took since the start",
        state.windows_took.as_secs_f64(),
    );
    gauge(
        registry,
        "window_job_last_seconds",
        "Time that the last window took",
        state.last_window_took.unwrap_or_default().as_secs_f64(),
    );
    gauge(registry, "window_job_due", "Windows that are due", state.due as f64);
    gauge(
        registry,
        "window_job_lag_seconds",
        "For how long the oldest due window has been over",
        state.lag(SystemTime::now()).as_secs_f64(),
    );
}

/// Whether results or segments find no room.
fn is_full(app: &App) -> bool {
    app.ingest.is_full() || app.service.as_ref().is_some_and(|service| service.state().full)
}

fn of_room(registry: &mut Registry, call: &Call<'_>) {
    let is_full = u8::from(is_full(call.app));
    gauge(registry, "store_full", "Whether the store is full", f64::from(is_full));
}

/// Connections of clients, so that somebody who takes all of them is seen.
fn of_connections(registry: &mut Registry, room: &Room) {
    gauge(registry, "http_connections", "Connections of clients that are open", room.open() as f64);
    let most = room.limits().connections as f64;
    gauge(registry, "http_connections_limit", "How many connections of clients may be open", most);
    let refused = room.refused().map(|(why, count)| ([("reason", why.name().to_owned())], count));
    let help = "Connections of clients that were refused, as there was no room or the client had its share";
    counters(registry, "http_connections_refused", help, refused.into_iter());
    let help = "Connections of clients that were ended, as nothing was asked on them for too long";
    counter(registry, "http_connections_idle", help, room.ended_idle());
}

/// Whether places are up to date: rules for alerts compare the times.
fn of_geo(registry: &mut Registry, geo: &GeoState) {
    let dates = geo.data.sources().iter().filter_map(|source| {
        let day: jiff::civil::Date = source.date.parse().ok()?;
        let time = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        Some(([("source", source.name.clone())], time.as_second() as f64))
    });
    gauges(registry, "geo_source_timestamp_seconds", "The day that a source of geo data is of", dates);
    let read = seconds(nanoseconds(geo.read));
    gauge(registry, "geo_read_timestamp_seconds", "When geo data was read, at the start or since", read);
    let trouble = f64::from(u8::from(geo.trouble.is_some()));
    let help = "Whether changed geo files cannot be read, so that older data stays in use";
    gauge(registry, "geo_trouble", help, trouble);
}

fn of_ingest(registry: &mut Registry, call: &Call<'_>) {
    let counts = call.app.ingest.counts();
    let answers = [
        ("new", counts.new),
        ("known", counts.known),
        ("refused", counts.refused),
        ("later", counts.later),
        ("failed", counts.failed),
    ];
    let answers = answers.into_iter().map(|(name, count)| ([("answer", name.to_owned())], count as f64));
    gauges(registry, "ingest_segments", "Segments that were sent since the start, by answer", answers);
    counter(registry, "ingest_packets", "Packets of new segments since the start", counts.packets);
    counter(registry, "ingest_bytes", "Bytes of new segments since the start", counts.bytes);
}

/// What servers that send packets say about themselves; their counts begin anew when they do.
fn of_agents(registry: &mut Registry, call: &Call<'_>) {
    let agents = call.app.agents.all();
    let mut of_each = |name: &str, help: &str, value: &dyn Fn(&Heard) -> f64| {
        let values = agents.iter().map(|(node, heard)| ([("node", node.clone())], value(heard)));
        gauges(registry, name, help, values);
    };
    of_each("node_heard_timestamp_seconds", "When a server has delivered last", &|heard| seconds(heard.at));
    of_each("node_lag_seconds", "How old the end of what a server has delivered is", &|heard| {
        heard.lag(call.now) as f64
    });
    type Count = fn(&AgentCounts) -> u64;
    let counts: [(&str, &str, Count); 6] = [
        ("node_received_packets", "Packets that a server has received since it began", |counts| {
            counts.received
        }),
        ("node_lost_packets", "Packets for which its kernel had no room", |counts| counts.lost),
        ("node_unwritten_packets", "Packets that it could not write", |counts| counts.unwritten),
        ("node_dropped_packets", "Packets that were dropped from its spool", |counts| counts.dropped),
        ("node_waiting_packets", "Packets that wait in its spool", |counts| counts.waiting),
        (
            "node_left_out_connections",
            "Connections that it chose, but did not record, as no more could be remembered (at least so many)",
            |counts| counts.left_out,
        ),
    ];
    for (name, help, count) in counts {
        of_each(name, help, &|heard| count(&heard.counts) as f64);
    }
}
