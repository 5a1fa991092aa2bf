//! Health, readiness and metrics.

use std::sync::Arc;
use std::time::SystemTime;

use axum::http::header;
use cutshort_detect::{EventState, SeriesPlace};
use cutshort_metrics::{Exposition, Format};
use cutshort_model::{Window, nanoseconds};
use cutshort_pipeline::live::AgentCounts;
use cutshort_pipeline::{GeoState, ServiceState};
use cutshort_store::EventQuery;
use cutshort_verdict::DataSet;
use serde::Serialize;
use utoipa::ToSchema;

use super::{damage, of};
use crate::answer::Facts;
use crate::http::agents::Heard;
use crate::http::app::App;
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Unknown};
use crate::http::reply::Reply;
use crate::http::results;
use crate::http::room::Room;
use crate::problem::Problem;

const BASE: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::Whole("/healthz"),
    id: "healthz",
    title: "Alive",
    about: "Answers as long as the program runs.",
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
    path: Path::Whole("/readyz"),
    id: "readyz",
    title: "Ready",
    about: "Whether the store and the tokens can be read, new packets can be kept, and results are computed; if not, why. Queries are answered as long as the store can be read.",
    answers: Answers::Json(of::<Ready>()),
    bad: &[503],
    run: ready,
    ..BASE
};

pub(super) const METRICS: Endpoint = Endpoint {
    path: Path::Whole("/metrics"),
    id: "metrics",
    title: "Metrics",
    about: "Metrics for Prometheus: in its text format 0.0.4, or as OpenMetrics 1.0 where `Accept` asks for it.",
    access: Access::Read,
    answers: Answers::Text(&[Format::Text.media_type(), Format::OpenMetrics.media_type()]),
    run: metrics,
    ..BASE
};

/// The confirmation that the program runs.
#[derive(Serialize, ToSchema)]
struct Health {
    /// Always `ok`, because otherwise there is no response.
    status: &'static str,
}

/// Whether everything works.
#[derive(Serialize, ToSchema)]
struct Ready {
    ready: bool,
    /// The reasons why not.
    reasons: Vec<String>,
}

fn health(_call: &mut Call<'_>) -> Result<Reply, Problem> {
    Reply::json(&Health { status: "ok" })
}

fn ready(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let facts = call.app.all_facts();
    let state = call.app.service.as_ref().map(|service| service.state()).unwrap_or_default();
    let is_full = is_full(call.app);
    let unreadable = facts.as_ref().err().map(|problem| format!("the store cannot be read: {problem}"));
    let full =
        is_full.then(|| "the store is full: free some space, and writing resumes by itself".to_owned());
    let trouble = state.trouble.filter(|_| full.is_none());
    let trouble = trouble.map(|trouble| format!("results cannot be computed: {}", trouble.what));
    let facts = facts.unwrap_or_default();
    let impaired: Vec<String> =
        facts.iter().flat_map(|(data_set, facts)| damage::sentences(*data_set, &facts.status)).collect();
    let damaged: usize = facts.iter().map(|(_, facts)| facts.status.damaged.len()).sum();
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

/// The sentence about a deletion that failed.
pub(super) fn past_its_time(why: &str) -> String {
    format!("Some expired data cannot be deleted; another attempt follows: {why}")
}

fn metrics(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let accept = call.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let format = Format::accepted(accept);
    let mut text = Exposition::new(format, "cutshort");
    let exposition = &mut text;
    call.app.metrics.write(exposition);
    if let Ok(facts) = call.facts() {
        of_store(exposition, &facts);
    }
    if let Ok(facts) = call.app.all_facts() {
        of_data_sets(exposition, &facts);
        of_results(exposition, call.app, &facts);
    }
    if let Some(service) = &call.app.service {
        of_service(exposition, &service.state());
    }
    of_ingest(exposition, call);
    of_agents(exposition, call);
    of_events(exposition, call);
    if let Some(write) = &call.app.more_metrics {
        write(exposition);
    }
    of_geo(exposition, &call.geo);
    of_connections(exposition, &call.app.room);
    of_room(exposition, call);
    Ok(Reply::new(format.content_type(), text.finish()))
}

fn seconds(time: i64) -> f64 {
    time as f64 / 1e9
}

fn of_store(exposition: &mut Exposition, facts: &Facts) {
    of_files(exposition, facts);
    of_windows(exposition, facts);
    of_counts(exposition, facts);
    let mut latest = exposition
        .gauges("node_latest_packet_timestamp_seconds", "Time of the latest packet stored, by server");
    for (node, time) in &facts.status.nodes {
        latest.sample(&[("node", node)], seconds(*time));
    }
    if let Some(updated) = facts.status.updated {
        let help = "Time when results were last computed";
        exposition.gauge("updated_timestamp_seconds", help, seconds(updated));
    }
}

fn of_files(exposition: &mut Exposition, facts: &Facts) {
    let status = &facts.status;
    let mut gauge = |name: &str, help: &str, value: u64| exposition.gauge(name, help, value as f64);
    gauge("segments", "Segments stored", status.segments);
    gauge("stored_packets", "Packets in stored segments", status.packets);
    gauge("packet_bytes", "Size of stored segments, in bytes", status.packet_bytes);
    let help = "Packets past their retention time that are still on disk";
    gauge("undeleted_packets", help, status.undeleted_packets);
    gauge("connection_bytes", "Size of stored connections, in bytes", status.connection_bytes);
    gauge("rollup_bytes", "Size of stored counts, in bytes", status.rollup_bytes);
    gauge("damaged_files", "Damaged files that were set aside", status.damaged.len() as u64);
}

fn of_windows(exposition: &mut Exposition, facts: &Facts) {
    let status = &facts.status;
    exposition.gauge("windows", "Windows with results", status.windows as f64);
    let help = "Windows that have ended and whose results are missing or out of date";
    exposition.gauge("windows_pending", help, facts.pending.len() as f64);
    let mut impaired = exposition.gauges("windows_impaired", "Windows affected by damaged files, by effect");
    for (how, count) in damage::counts(status) {
        impaired.sample(&[("how", how.name())], count as f64);
    }
}

/// The counts of windows with results, which decrease when windows expire.
fn of_counts(exposition: &mut Exposition, facts: &Facts) {
    let counts = &facts.status.counts;
    let mut gauge = |name: &str, help: &str, value: u64| exposition.gauge(name, help, value as f64);
    gauge("connections", "Connections in windows with results, as sampled", counts.connections);
    gauge("packets", "Packets in windows with results", counts.packets);
    gauge("copies", "Packets that equal another one in all but time and TTL", counts.duplicates);
    let help = "Packets before the first SYN on their ports, which belong to an older connection";
    gauge("tail_packets", help, counts.tail);
    let help =
        "Connections, and 5-tuples without a SYN, that are left out of all totals, as sampled, by reason";
    let mut excluded = exposition.gauges("excluded", help);
    for reason in DataSet::Tcp.exclusions() {
        excluded.sample(&[("reason", reason.name())], counts.excluded[*reason as usize] as f64);
    }
}

/// What there is of each data set. Other metrics of the store are those of `tcp`, and have no label for it.
fn of_data_sets(exposition: &mut Exposition, facts: &[(DataSet, Arc<Facts>)]) {
    type Value = fn(&Facts) -> u64;
    let gauges: [(&str, &str, Value); 5] = [
        ("stored_packets", "Packets in stored segments, by data set", |facts| facts.status.packets),
        ("windows", "Windows with results, by data set", |facts| facts.status.windows),
        (
            "windows_pending",
            "Windows that have ended and whose results are missing or out of date, by data set",
            |facts| facts.pending.len() as u64,
        ),
        ("connections", "Connections in windows with results, as sampled, by data set", |facts| {
            facts.status.counts.connections
        }),
        ("damaged_files", "Damaged files that were set aside, by data set", |facts| {
            facts.status.damaged.len() as u64
        }),
    ];
    for (name, help, value) in gauges {
        let name = format!("data_set_{name}");
        let mut family = exposition.gauges(&name, help);
        for (data_set, facts) in facts {
            family.sample(&[("data_set", data_set.name())], value(facts) as f64);
        }
    }
}

/// The latest shares. Where they cannot be read, the other metrics say why.
fn of_results(exposition: &mut Exposition, app: &App, facts: &[(DataSet, Arc<Facts>)]) {
    let places = &app.options.metric_places;
    let read = facts.iter().filter_map(|(data_set, facts)| {
        app.metrics.latest.read(app.store_of(*data_set).ok()?, facts, places).ok()
    });
    results::write(exposition, places, &read.collect::<Vec<_>>());
}

fn of_service(exposition: &mut Exposition, state: &ServiceState) {
    of_window_job(exposition, state);
    let help = "Failed attempts to delete all expired data";
    exposition.counter("retention_errors", help, state.retention_errors);
    let help = "Segments and results deleted because they had expired";
    exposition.counter("retired", help, state.retired);
}

fn of_window_job(exposition: &mut Exposition, state: &ServiceState) {
    exposition.counter("window_job_windows", "Windows computed", state.windows);
    let help = "Windows computed here that another worker should have computed";
    exposition.counter("window_job_taken_over_windows", help, state.taken_over);
    exposition.counter("window_job_packets", "Packets in the windows computed", state.packets);
    let help = "Which of several workers this is, as its label says";
    exposition.gauges("window_job_worker", help).sample(&[("worker", &state.share.to_string())], 1.0);
    exposition.counter("window_job_errors", "Failed attempts to compute results", state.errors);
    let help = "Time spent computing windows, in seconds";
    exposition.counter("window_job_seconds", help, state.windows_took.as_secs_f64());
    let help = "Time spent computing the latest window, in seconds";
    let took = state.last_window_took.unwrap_or_default();
    exposition.gauge("window_job_last_seconds", help, took.as_secs_f64());
    exposition.gauge("window_job_due", "Windows due to be computed", state.due as f64);
    let help = "Time since the oldest due window ended, in seconds";
    exposition.gauge("window_job_lag_seconds", help, state.lag(SystemTime::now()).as_secs_f64());
}

/// Whether there is no room for results or segments.
fn is_full(app: &App) -> bool {
    app.ingest.is_full() || app.service.as_ref().is_some_and(|service| service.state().full)
}

fn of_room(exposition: &mut Exposition, call: &Call<'_>) {
    let is_full = u8::from(is_full(call.app));
    let help = "1 while nothing can be stored because the disk is full, else 0";
    exposition.gauge("store_full", help, f64::from(is_full));
}

/// Connections of clients, so that a client that takes all of them is noticed.
fn of_connections(exposition: &mut Exposition, room: &Room) {
    exposition.gauge("http_connections", "Open connections of HTTP clients", room.open() as f64);
    let help = "How many connections of HTTP clients may be open";
    exposition.gauge("http_connections_limit", help, room.limits().connections as f64);
    let help =
        "HTTP connections refused because the limit of all or of the client's address was reached, by reason";
    let mut refused = exposition.counters("http_connections_refused", help);
    for (why, count) in room.refused() {
        refused.sample(&[("reason", why.name())], count);
    }
    let help = "HTTP connections closed because no request came on them in time";
    exposition.counter("http_connections_idle", help, room.ended_idle());
}

/// Events that are open now, of stores that keep events.
fn of_events(exposition: &mut Exposition, call: &Call<'_>) {
    let now = Window::containing(call.now).number();
    let query = EventQuery { states: vec![EventState::Open], ..EventQuery::touching(now..i64::MAX) };
    let mut open = exposition.gauges("events_open", "Open events, by data set and kind of place");
    for data_set in DataSet::WITH_RULES {
        let Ok(Some(store)) = call.app.store.find(data_set) else { continue };
        let Some(Ok(events)) = store.events().map(|events| events.list(&query)) else { continue };
        for kind in SeriesPlace::KINDS {
            let count = events.iter().filter(|kept| kept.event.place.kind() == kind).count();
            open.sample(&[("data_set", data_set.name()), ("kind", kind)], count as f64);
        }
    }
}

/// The age of geo data, for alerts.
fn of_geo(exposition: &mut Exposition, geo: &GeoState) {
    let mut dates = exposition.gauges("geo_source_timestamp_seconds", "Date of the geo data, by source");
    for source in geo.data.sources() {
        let day: Result<jiff::civil::Date, _> = source.date.parse();
        let time = day.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC));
        if let Ok(time) = time {
            dates.sample(&[("source", &source.name)], time.timestamp().as_second() as f64);
        }
    }
    let read = seconds(nanoseconds(geo.read));
    exposition.gauge("geo_read_timestamp_seconds", "Time when geo data was read", read);
    let trouble = f64::from(u8::from(geo.trouble.is_some()));
    let help = "1 if changed geo files cannot be read, so that older data stays in use";
    exposition.gauge("geo_trouble", help, trouble);
}

fn of_ingest(exposition: &mut Exposition, call: &Call<'_>) {
    let counts = call.app.ingest.counts();
    let answers = [
        ("new", counts.new),
        ("known", counts.known),
        ("refused", counts.refused),
        ("later", counts.later),
        ("failed", counts.failed),
    ];
    let mut segments = exposition.counters("ingest_segments", "Segments sent to this server, by answer");
    for (answer, count) in answers {
        segments.sample(&[("answer", answer)], count);
    }
    exposition.counter("ingest_packets", "Packets in new segments taken in", counts.packets);
    exposition.counter("ingest_bytes", "Size of new segments taken in, in bytes", counts.bytes);
}

/// The counts that agents report about themselves; they start from zero when an agent does.
fn of_agents(exposition: &mut Exposition, call: &Call<'_>) {
    let agents = call.app.agents.all();
    let mut gauges = |name: &str, help: &str, value: &dyn Fn(&Heard) -> f64| {
        let mut family = exposition.gauges(name, help);
        agents.iter().for_each(|(node, heard)| family.sample(&[("node", node)], value(heard)));
    };
    let help = "Time of the latest delivery, by server";
    gauges("node_heard_timestamp_seconds", help, &|heard| seconds(heard.at));
    let help = "Time since the end of what was delivered, in seconds, by server";
    gauges("node_lag_seconds", help, &|heard| heard.lag(call.now) as f64);
    let help = "Packets waiting in the agent's spool, by server";
    gauges("node_waiting_packets", help, &|heard| heard.counts.waiting as f64);
    type Count = fn(&AgentCounts) -> u64;
    let counts: [(&str, &str, Count); 5] = [
        ("node_received_packets", "Packets received by the agent, by server", |counts| counts.received),
        (
            "node_lost_packets",
            "Packets the kernel dropped because the agent's buffer was full, by server",
            |counts| counts.lost,
        ),
        ("node_unwritten_packets", "Packets the agent could not write, by server", |counts| counts.unwritten),
        ("node_dropped_packets", "Packets dropped from the agent's spool, by server", |counts| {
            counts.dropped
        }),
        (
            "node_left_out_connections",
            "Chosen connections the agent left out because no more could be remembered (at least so many), by server",
            |counts| counts.left_out,
        ),
    ];
    for (name, help, count) in counts {
        let mut family = exposition.counters(name, help);
        agents.iter().for_each(|(node, heard)| family.sample(&[("node", node)], count(&heard.counts)));
    }
}
