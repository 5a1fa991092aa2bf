//! The state of the data, for people who wonder why there are no numbers.

use std::collections::BTreeMap;

use cutshort_model::grouped;
use cutshort_pipeline::live::AgentCounts;
use cutshort_store::Status;
use cutshort_verdict::{DataSet, Exclusion};
use serde::Serialize;
use utoipa::ToSchema;

use super::damage::{self, ImpairedWindow};
use super::of;
use super::operation::past_its_time;
use crate::answer::{Facts, Share};
use crate::http::agents::Heard;
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Unknown, directory};
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::question::iso;

pub(super) const STATUS: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::Whole("/client/v4/radar/status"),
    id: "status",
    title: "How the data is",
    about: "What is stored, how recent it is, what is left out, the sources of geographic data, and what to do if something is missing.",
    group: Group::Operation,
    parameters: &[],
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: of::<StatusResult>(), csv: false },
    good: &[200],
    bad: &[],
    takes: None,
    store: true,
    run,
};

/// The state of the data.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StatusResult {
    /// The version of this program.
    version: &'static str,
    /// When the program was started.
    #[schema(format = DateTime)]
    started: String,
    /// Whether some of the data is simulated.
    simulated: bool,
    /// The contents of the store.
    store: Stored,
    /// Nodes that have sent packets, and those that report to this server but have not.
    nodes: Vec<Node>,
    /// The results of windows.
    windows: Windows,
    /// Connections, and 5-tuples without a SYN packet, that are in no total.
    exclusions: Vec<LeftOut>,
    /// The sources of countries and networks.
    geo: Vec<GeoSource>,
    /// When these were last loaded.
    #[schema(format = DateTime)]
    geo_read: String,
    /// Why they cannot be reloaded, if their files have changed since.
    geo_trouble: Option<String>,
    /// The data sets that this server has answers about.
    data_sets: Vec<KeptDataSet>,
    /// Whether single connections can be read here.
    connections_allowed: bool,
    /// What is wrong or missing, and what to do; empty if everything is fine.
    hints: Vec<String>,
}

/// The contents of the store.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Stored {
    /// The number of segments of packets.
    segments: u64,
    /// The number of packets in segments.
    packets: u64,
    /// The size of the segments in bytes.
    packet_bytes: u64,
    /// The size of single connections in bytes.
    connection_bytes: u64,
    /// The size of counts in bytes.
    rollup_bytes: u64,
    /// The start of the time that packets cover.
    #[schema(format = DateTime)]
    covered_from: Option<String>,
    /// The end of the time that packets cover.
    #[schema(format = DateTime)]
    covered_to: Option<String>,
    /// The time of the latest packet.
    #[schema(format = DateTime)]
    latest_packet: Option<String>,
    /// Packets that equal another one in all fields but time and TTL, in percent of the packets of windows.
    #[schema(value_type = String)]
    copies: Share,
    /// Packets before the first SYN on their ports, which are the tail of an earlier connection, in percent of the
    /// packets of windows.
    #[schema(value_type = String)]
    tail: Share,
    /// How the addresses of some packets were protected, `truncated` or `encrypted`; empty if all were full.
    protected_addresses: Vec<&'static str>,
    /// Files that could not be read and were set aside.
    damaged: Vec<Damaged>,
    /// Windows that are affected by damage.
    impaired: Vec<ImpairedWindow>,
}

/// A data set, with what is stored of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct KeptDataSet {
    /// The name, such as `tcp` or `origin`.
    name: &'static str,
    /// The part of paths in which it is asked about, such as `tcp_resets_timeouts`.
    directory: &'static str,
    /// The number of connections in its totals.
    connections: u64,
    /// The number of windows that are over and have no results yet.
    pending: usize,
    /// The start of the time that its packets cover.
    #[schema(format = DateTime)]
    covered_from: Option<String>,
    /// The end of the time that its packets cover.
    #[schema(format = DateTime)]
    covered_to: Option<String>,
}

/// A file that was set aside.
#[derive(Serialize, ToSchema)]
struct Damaged {
    /// Where the file is.
    name: String,
    /// Why it cannot be used.
    why: String,
}

/// A node: a server that captures packets.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Node {
    /// The node's name; `file` for imported captures.
    name: String,
    /// The time of its latest packet; none if there is none yet.
    #[schema(format = DateTime)]
    latest_packet: Option<String>,
    /// The number of seconds since then.
    seconds_ago: Option<i64>,
    /// What it has reported about itself since this server was started; none for imported captures.
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<Live>,
}

/// What a node reports about itself. Its counts are since it was started.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Live {
    /// When it last sent a segment.
    #[schema(format = DateTime)]
    heard: String,
    /// The time up to which all its packets have arrived.
    #[schema(format = DateTime)]
    covered_to: String,
    /// The number of seconds since then.
    lag_seconds: i64,
    /// Packets that it has received.
    received: u64,
    /// Packets that its kernel dropped because a buffer was full.
    lost: u64,
    /// Packets that it could not write to disk.
    unwritten: u64,
    /// Packets that it removed from its spool to make room.
    dropped: u64,
    /// Packets in its spool that have not been delivered.
    waiting: u64,
    /// Packets that are lost for good, in percent of all.
    #[schema(value_type = String)]
    loss: Share,
    /// Sampled connections that it did not record because its table was full: a lower bound.
    left_out: u64,
    /// The start of the latest period in which it left out connections; none if it left out none.
    #[schema(format = DateTime)]
    left_out_from: Option<String>,
    /// The end of that period.
    #[schema(format = DateTime)]
    left_out_to: Option<String>,
}

impl Live {
    fn new(heard: &Heard, now: i64) -> Self {
        let AgentCounts {
            received,
            lost,
            unwritten,
            dropped,
            waiting,
            left_out,
            left_out_times,
            left_out_of: _,
        } = heard.counts;
        Self {
            heard: iso(heard.at),
            covered_to: iso(heard.covered_to),
            lag_seconds: heard.lag(now),
            received,
            lost,
            unwritten,
            dropped,
            waiting,
            loss: Share::part(heard.counts.gone(), received.saturating_add(lost)),
            left_out,
            left_out_from: left_out_times.map(|(from, _)| iso(from)),
            left_out_to: left_out_times.map(|(_, to)| iso(to)),
        }
    }
}

/// The results of windows of 15 minutes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Windows {
    /// The number of windows that have results.
    done: u64,
    /// The start of the first of these.
    #[schema(format = DateTime)]
    from: Option<String>,
    /// The end of the last of these.
    #[schema(format = DateTime)]
    to: Option<String>,
    /// The number of windows that are over but have no results, or outdated ones.
    pending: usize,
    /// The start of the oldest of these.
    #[schema(format = DateTime)]
    oldest_pending: Option<String>,
    /// When results were last computed.
    #[schema(format = DateTime)]
    last_updated: Option<String>,
    /// The number of connections in all results.
    connections: u64,
    /// Which of several workers on the store this server is, such as `2/3`; `1/1` is the only one.
    worker: String,
    /// The latest problem with computing results, until it is solved.
    trouble: Option<String>,
}

/// The connections that are excluded for one reason.
#[derive(Serialize, ToSchema)]
struct LeftOut {
    /// The name of the reason in data.
    name: &'static str,
    /// The name for people.
    title: &'static str,
    /// The reason in words.
    about: &'static str,
    /// The number of excluded connections.
    count: u64,
    /// Their number in percent of these and all connections in totals.
    #[schema(value_type = String)]
    share: Share,
}

/// A source of countries or networks.
#[derive(Serialize, ToSchema)]
#[schema(as = Source)]
struct GeoSource {
    name: String,
    /// The date of the data, or `unknown`.
    date: String,
    licence: Option<String>,
    /// The links that its licence requires.
    urls: Vec<String>,
    /// Whether it has countries.
    country: bool,
    /// Whether it has networks.
    network: bool,
}

fn run(call: &mut Call<'_>) -> Result<Reply, Problem> {
    let facts = call.facts()?;
    let state = call.app.service.as_ref().map(|service| service.state());
    let state = state.unwrap_or_default();
    let (worker, trouble) = (state.share.to_string(), state.trouble.map(|trouble| trouble.what));
    let retention_trouble = state.retention_trouble.map(|trouble| trouble.what);
    let events_trouble =
        state.events_trouble.map(|trouble| format!("Events cannot be looked for: {}.", trouble.what));
    let agents = call.app.agents.all();
    let all = call.app.all_facts()?;
    let latest = latest_packets(all.iter().map(|(_, facts)| &facts.status));
    let is_empty = all.iter().all(|(_, facts)| facts.status.segments == 0 && facts.status.windows == 0);
    let result = StatusResult {
        version: env!("CARGO_PKG_VERSION"),
        started: iso(cutshort_model::nanoseconds(call.app.started)),
        simulated: facts.status.simulated,
        store: Stored::new(&facts),
        hints: hints(&facts, is_empty, trouble.as_deref())
            .into_iter()
            .chain(all.iter().flat_map(|(data_set, facts)| damaged(*data_set, facts)))
            .chain(undeleted(&facts, retention_trouble.as_deref()))
            .chain(events_trouble)
            .chain(silent(&latest, &agents).map(silence))
            .chain(agents.iter().filter_map(|(name, heard)| incomplete(name, heard, call.now)))
            .chain(call.geo.trouble.as_deref().map(old_geo))
            .collect(),
        nodes: nodes(&latest, &agents, call.now),
        windows: Windows::new(&facts, worker, trouble),
        exclusions: exclusions(&facts),
        geo: call.geo.data.sources().iter().map(GeoSource::from).collect(),
        geo_read: iso(cutshort_model::nanoseconds(call.geo.read)),
        geo_trouble: call.geo.trouble.clone(),
        data_sets: all.iter().map(|(data_set, facts)| KeptDataSet::new(*data_set, facts)).collect(),
        connections_allowed: call.app.options.connections,
    };
    Reply::result(&result, &call.messages)
}

impl KeptDataSet {
    fn new(data_set: DataSet, facts: &Facts) -> Self {
        Self {
            name: data_set.name(),
            directory: directory(data_set),
            connections: facts.status.counts.connections,
            pending: facts.pending.len(),
            covered_from: facts.status.covered.map(|(from, _)| iso(from)),
            covered_to: facts.status.covered.map(|(_, to)| iso(to)),
        }
    }
}

/// The hints about files that were set aside, and about windows that are affected by damage, of a data set.
fn damaged(data_set: DataSet, facts: &Facts) -> impl Iterator<Item = String> {
    let files = facts.status.damaged.len();
    let of = damage::of(data_set);
    let files = (files > 0)
        .then(|| format!("{files} files{of} could not be read and were set aside; the rest is used."));
    files.into_iter().chain(damage::sentences(data_set, &facts.status))
}

impl Stored {
    fn new(facts: &Facts) -> Self {
        let status = &facts.status;
        let damaged = status.damaged.iter();
        Self {
            segments: status.segments,
            packets: status.packets,
            packet_bytes: status.packet_bytes,
            connection_bytes: status.connection_bytes,
            rollup_bytes: status.rollup_bytes,
            covered_from: status.covered.map(|(from, _)| iso(from)),
            covered_to: status.covered.map(|(_, to)| iso(to)),
            latest_packet: status.latest_packet.map(iso),
            copies: Share::part(status.counts.duplicates, status.counts.packets),
            tail: Share::part(status.counts.tail, status.counts.packets),
            protected_addresses: status.protected.iter().map(|addresses| addresses.name()).collect(),
            damaged: damaged.map(|one| Damaged { name: one.name.clone(), why: one.why.clone() }).collect(),
            impaired: status.impaired.iter().map(ImpairedWindow::from).collect(),
        }
    }
}

/// The time of the latest packet of each node, of any data set: a node may sample only one.
fn latest_packets<'a>(all: impl Iterator<Item = &'a Status>) -> BTreeMap<&'a str, i64> {
    let mut latest: BTreeMap<&str, i64> = BTreeMap::new();
    for (name, ts) in all.flat_map(|status| &status.nodes) {
        let kept = latest.entry(name).or_insert(*ts);
        *kept = (*kept).max(*ts);
    }
    latest
}

fn nodes(latest: &BTreeMap<&str, i64>, agents: &BTreeMap<String, Heard>, now: i64) -> Vec<Node> {
    let node = |name: &str, latest: Option<i64>| Node {
        name: if name.is_empty() { cutshort_store::FILE_NODE.to_owned() } else { name.to_owned() },
        latest_packet: latest.map(iso),
        seconds_ago: latest.map(|latest| now.saturating_sub(latest) / 1_000_000_000),
        live: agents.get(name).map(|heard| Live::new(heard, now)),
    };
    let known = latest.iter().map(|(name, latest)| node(name, Some(*latest)));
    known.chain(silent(latest, agents).map(|name| node(name, None))).collect()
}

impl Windows {
    fn new(facts: &Facts, worker: String, trouble: Option<String>) -> Self {
        let status = &facts.status;
        Self {
            done: status.windows,
            from: status.window_range.map(|(first, _)| iso(first.start())),
            to: status.window_range.map(|(_, last)| iso(last.end())),
            pending: facts.pending.len(),
            oldest_pending: facts.pending.first().map(|window| iso(window.start())),
            last_updated: status.updated.map(iso),
            connections: status.counts.connections,
            worker,
            trouble,
        }
    }
}

fn exclusions(facts: &Facts) -> Vec<LeftOut> {
    let counts = &facts.status.counts;
    let all = counts.connections + counts.excluded.iter().sum::<u64>();
    let one = |reason: &Exclusion| {
        let count = counts.excluded[*reason as usize];
        LeftOut {
            name: reason.name(),
            title: reason.title(),
            about: reason.about(),
            count,
            share: Share::part(count, all),
        }
    };
    DataSet::Tcp.exclusions().iter().map(one).collect()
}

impl From<&cutshort_geo::Source> for GeoSource {
    fn from(source: &cutshort_geo::Source) -> Self {
        Self {
            name: source.name.clone(),
            date: source.date.clone(),
            licence: source.licence.clone(),
            urls: source.urls.clone(),
            country: source.provides.country(),
            network: source.provides.network(),
        }
    }
}

/// Nodes that report to this server but have never sent a packet.
fn silent<'a>(
    latest: &BTreeMap<&str, i64>,
    agents: &'a BTreeMap<String, Heard>,
) -> impl Iterator<Item = &'a str> {
    agents.keys().map(String::as_str).filter(|name| !latest.contains_key(name))
}

fn silence(name: &str) -> String {
    format!("{name} delivers, but no packet has come from it yet: 'cutshort doctor' there says why.")
}

/// How long incomplete sampling is worth a hint, in nanoseconds.
const RECENT: i64 = 86_400_000_000_000;

/// The hint that a node has left out connections lately.
fn incomplete(name: &str, heard: &Heard, now: i64) -> Option<String> {
    let (from, to) = heard.counts.left_out_times?;
    (now.saturating_sub(to) < RECENT).then(|| {
        format!(
            "Sampling at {name} was incomplete from {} to {}: it chose connections and left them out, at least {} since \
             it began, as no more could be remembered. 'cutshort doctor' there tells what to do.",
            iso(from),
            iso(to),
            grouped(heard.counts.left_out)
        )
    })
}

fn old_geo(trouble: &str) -> String {
    format!("Geo data cannot be read again, and what was read before stays in use: {trouble}")
}

/// The hint that data was kept long enough but not deleted.
fn undeleted(facts: &Facts, trouble: Option<&str>) -> impl Iterator<Item = String> {
    let packets = facts.status.undeleted_packets;
    let there = format!("{packets} expired packets are still on disk and are being deleted.");
    trouble.map(past_its_time).into_iter().chain((packets > 0).then_some(there))
}

/// From this share on, exclusions indicate a wrong set-up.
const MANY: f64 = 0.5;

/// All ways to import or receive packets, and how to find what is wrong.
const NOTHING: &str = "Nothing has come in yet. Packets of other servers: 'cutshort agent' there sends them here. Packets of this one: 'cutshort serve --capture SOURCE'. On both, 'cutshort doctor' says what prevents it. Captures: 'cutshort import --data DIR FILES' while no other program writes to the store.";

/// What there is to say of the data set `tcp`, and whether nothing has come in of any.
fn hints(facts: &Facts, is_empty: bool, trouble: Option<&str>) -> Vec<String> {
    let status = &facts.status;
    let counts = &status.counts;
    let left_out: u64 = counts.excluded.iter().sum();
    let many = left_out as f64 > MANY * (left_out + counts.connections) as f64;
    let all = [
        (is_empty, NOTHING.to_owned()),
        (status.segments > 0 && status.windows == 0, "There are packets, but no results yet: windows of 15 minutes are computed 30 s after their end.".to_owned()),
        (status.segments > 0 && counts.packets == 0 && status.windows > 0, "None of the packets that came in is a TCP packet.".to_owned()),
        (status.windows > 0 && many, "More than half of the connections are left out of all totals. Captures that begin in the middle of connections, or that show the servers' direction only, cause this.".to_owned()),
        (status.future_segments > 0, format!("{} segments are dated in the future: the time that they cover does not count. 'cutshort store segments' lists them, 'cutshort store forget' removes them.", status.future_segments)),
        (trouble.is_some(), format!("Results cannot be computed: {}", trouble.unwrap_or_default())),
        (status.simulated, "SIMULATED: some of the data is made up.".to_owned()),
    ];
    all.into_iter().filter(|(holds, _)| *holds).map(|(_, hint)| hint).collect()
}
