//! All parameters, with their documentation.

use cutshort_detect::{Channel, EventState, Severity};
use cutshort_geo::{Continent, Country};
use cutshort_pipeline::live::AgentCounts;
use cutshort_store::Decision;
use cutshort_verdict::DataSet;

use super::endpoint::{Parameter, ParameterKind, ParameterPlace};
use crate::answer::By;
use crate::question::pattern::{list_of, up_to};
use crate::question::{self, stage_names};

const fn series(
    name: &'static str,
    kind: ParameterKind,
    example: &'static str,
    about: &'static str,
) -> Parameter {
    Parameter { name, about, place: ParameterPlace::Series, kind, example }
}

const fn query(
    name: &'static str,
    kind: ParameterKind,
    example: &'static str,
    about: &'static str,
) -> Parameter {
    Parameter { name, about, place: ParameterPlace::Query, kind, example }
}

const fn path(
    name: &'static str,
    kind: ParameterKind,
    example: &'static str,
    about: &'static str,
) -> Parameter {
    Parameter { name, about, place: ParameterPlace::Path, kind, example }
}

fn asn_list() -> String {
    list_of(&question::asn_pattern())
}

fn port_list() -> String {
    list_of(&question::port_pattern())
}

fn ip_version_list() -> String {
    list_of(&question::ip_version_pattern())
}

fn asn_number() -> String {
    format!("^{}$", up_to(u32::MAX.into()))
}

fn annotation_number() -> String {
    format!("^{}$", up_to(u64::MAX))
}

fn alpha2() -> String {
    "^[A-Za-z]{2}$".to_owned()
}

fn countries(_: DataSet) -> Vec<&'static str> {
    Country::all().map(Country::alpha2).collect()
}

fn continents(_: DataSet) -> Vec<&'static str> {
    Continent::ALL.map(Continent::code).into()
}

fn tags(data_set: DataSet) -> Vec<&'static str> {
    data_set.tags().iter().map(|tag| tag.name()).collect()
}

fn channels(_: DataSet) -> Vec<&'static str> {
    Channel::ALL.map(Channel::name).into()
}

fn event_states(_: DataSet) -> Vec<&'static str> {
    EventState::ALL.map(EventState::name).into()
}

fn severities(_: DataSet) -> Vec<&'static str> {
    Severity::ALL.map(Severity::name).into()
}

fn decisions(_: DataSet) -> Vec<&'static str> {
    Decision::ALL.map(Decision::name).into()
}

fn data_sets(_: DataSet) -> Vec<&'static str> {
    DataSet::WITH_RULES.map(DataSet::name).into()
}

fn event_id() -> String {
    "^[0-9A-Fa-f]{16}$".to_owned()
}

/// Radar's names, and those of the rest of the product where they differ.
fn stages(set: DataSet) -> Vec<&'static str> {
    let own = set.stages().iter().map(|stage| set.stage_name(*stage));
    let own = own.filter(|name| !stage_names(set).any(|radar| radar == *name));
    stage_names(set).chain(own).collect()
}

fn terminations(data_set: DataSet) -> Vec<&'static str> {
    data_set.terminations().iter().map(|end| end.name()).collect()
}

const FORMATS: &[&str] = &["JSON", "CSV"];
/// What `dateRange` means.
const RANGE_ABOUT: &str = "The time before now, rounded down to 15 minutes: days (1d to 364d) or weeks (1w to 52w). With 'control' behind it, the window before it that is as long, shifted by whole weeks. Without any range: 7d. Given once, it holds for all series.";

pub(super) const NAME: Parameter = series(
    "name",
    ParameterKind::Text,
    "main",
    "The key of a series in the result. Default: summary_, serie_ or top_ with its position.",
);
pub(super) const DATE_RANGE: Parameter =
    series("dateRange", ParameterKind::Pattern(question::date_range_pattern), "7d", RANGE_ABOUT);
pub(super) const DATE_START: Parameter = series(
    "dateStart",
    ParameterKind::Time,
    "2026-01-05T00:00:00Z",
    "Instead of dateRange, together with dateEnd: ISO 8601, rounded down to 15 minutes; UTC without an offset.",
);
pub(super) const DATE_END: Parameter = series(
    "dateEnd",
    ParameterKind::Time,
    "2026-01-12T00:00:00Z",
    "The end of the range that dateStart begins; not included.",
);
pub(super) const ASN: Parameter = series(
    "asn",
    ParameterKind::Pattern(asn_list),
    "-174, 3356",
    "Networks of clients, a comma list; '-' in front excludes.",
);
pub(super) const LOCATION: Parameter = series(
    "location",
    ParameterKind::List(countries),
    "US,PT",
    "Countries of clients (ISO 3166-1, two letters), a comma list; '-' in front excludes.",
);
pub(super) const CONTINENT: Parameter = series(
    "continent",
    ParameterKind::List(continents),
    "-EU",
    "Continents of clients (AF, AN, AS, EU, NA, OC, SA), a comma list; '-' in front excludes.",
);
pub(super) const FORMAT: Parameter =
    query("format", ParameterKind::Choice(FORMATS), "JSON", "JSON, or a table with a header.");
pub(super) const FORMAT_CONNECTIONS: Parameter = query(
    "format",
    ParameterKind::Choice(&["JSON", "CSV", "PARQUET"]),
    "JSON",
    "JSON, a table with a header, or an Apache Parquet file.",
);
pub(super) const AGG_INTERVAL: Parameter = query(
    "aggInterval",
    ParameterKind::Choice(&["15m", "1h", "1d", "1w"]),
    "1h",
    "Size of buckets. Default: 15m up to a day, 1h up to a month, 1d beyond. At most 10,000 points.",
);

pub(super) const TAG: Parameter = series(
    "tag",
    ParameterKind::List(tags),
    "-syn_payload",
    "Tags, a comma list: connections with any of them; '-' in front: with none of them.",
);
pub(super) const SIGNATURE: Parameter = series(
    "signature",
    ParameterKind::Text,
    "11,13",
    "Signatures, by number or name, a comma list; '-' in front excludes.",
);
pub(super) const ANSWERED: Parameter = series(
    "answered",
    ParameterKind::Flag,
    "true",
    "Whether the client has acknowledged something that the server sent after its SYN+ACK.",
);
pub(super) const SCANNER: Parameter = series(
    "scanner",
    ParameterKind::Flag,
    "false",
    "Whether the SYN is that of a known scanner: any of the tags zmap, zmap4, masscan and mirai. false leaves them out; rankings say how many.",
);
pub(super) const IP_VERSION: Parameter =
    series("ipVersion", ParameterKind::Pattern(ip_version_list), "IPv6", "IPv4 or IPv6.");
pub(super) const PORT: Parameter = series(
    "port",
    ParameterKind::Pattern(port_list),
    "443",
    "Ports of servers, a comma list; '-' in front excludes.",
);
pub(super) const NODE: Parameter = series(
    "node",
    ParameterKind::Text,
    "edge1",
    "Names of servers, a comma list; '-' in front excludes. Imported captures are called 'file'.",
);
pub(super) const HANDSHAKE: Parameter = series(
    "handshake",
    ParameterKind::Choice(&["all", "completed"]),
    "completed",
    "Which connections count: all, or those that completed the handshake, whose addresses are not spoofed.",
);
pub(super) const RESETS: Parameter = series(
    "resets",
    ParameterKind::Choice(&["all", "unanswered"]),
    "unanswered",
    "Which resets count as cut short: all, or those before the client has acknowledged an answer. The others are in the total as no_match: many are ordinary ends of idle connections.",
);
pub(super) const STAGE: Parameter = series(
    "stage",
    ParameterKind::List(stages),
    "post_ack,post_psh",
    "Stages, a comma list; '-' in front excludes. Only connections at these stages are counted.",
);
pub(super) const COUNTS: Parameter = query(
    "counts",
    ParameterKind::Flag,
    "true",
    "Whether to give counts and 95 % intervals along with shares.",
);
pub(super) const LIMIT_PER_GROUP: Parameter = query(
    "limitPerGroup",
    ParameterKind::Number { bounds: 1..=5000, default: None },
    "10",
    "How many values, those with the most connections, are listed by name; the rest is 'other'. Default: 10 of countries, networks, ports and servers, all of others.",
);
pub(super) const DIMENSION: Parameter = path(
    "dimension",
    ParameterKind::Choice(&By::NAMES),
    "signature",
    "What connections are grouped by. 'exclusion': connections left out of all totals, by reason, next to those that count. A connection counts under each of its tags.",
);

pub(super) const RANKED: Parameter = series(
    "stage",
    ParameterKind::Text,
    "anomaly",
    "Rank by the share of connections at these stages, a comma list. 'anomaly' (default): all but no_match.",
);
pub(super) const DIMENSION_TOP: Parameter = path(
    "dimension",
    ParameterKind::Choice(&["node", "port", "ip_version", "signature"]),
    "node",
    "What is ranked: servers, their ports, IP versions or signatures.",
);
pub(super) const LIMIT_TOP: Parameter =
    query("limit", ParameterKind::Number { bounds: 1..=1000, default: Some(5) }, "10", "How many to list.");
pub(super) const MIN_SAMPLE: Parameter = query(
    "minSample",
    ParameterKind::Number { bounds: 1..=1_000_000_000, default: None },
    "100",
    "Only those with at least this many sampled connections. Default: a thousandth of all, at least 5 and at most 1000.",
);
pub(super) const ORDER_TOP: Parameter = query(
    "orderBy",
    ParameterKind::Choice(&["low", "value", "count"]),
    "low",
    "Ranked by the lower end of the 95 % interval of the share (default), the share, or the number of connections at these stages.",
);

pub(super) const TERMINATION: Parameter =
    query("termination", ParameterKind::List(terminations), "reset", "How connections ended, a comma list.");
pub(super) const CLIENT: Parameter = query(
    "client",
    ParameterKind::Text,
    "198.51.100.0/24",
    "Networks or addresses of clients, a comma list.",
);
pub(super) const SERVER: Parameter =
    query("server", ParameterKind::Text, "203.0.113.5", "Addresses of servers, a comma list.");
pub(super) const ORDER_CONNECTIONS: Parameter = query(
    "orderBy",
    ParameterKind::Choice(&["time", "packets", "stage", "signature", "location", "client", "server"]),
    "time",
    "What decides the order, over the whole range; the newest first among equal ones, unknown values last. Other orders than 'time' (default) are for ranges with at most 5,000,000 connections, and give the first 10,000.",
);
pub(super) const DIRECTION: Parameter = query(
    "direction",
    ParameterKind::Choice(&["asc", "desc"]),
    "desc",
    "Whether the lowest or the highest values (default) come first: 'orderBy=time&direction=asc' gives the oldest first.",
);
pub(super) const LIMIT_CONNECTIONS: Parameter = query(
    "limit",
    ParameterKind::Number { bounds: 1..=1000, default: Some(100) },
    "100",
    "How many are given.",
);
pub(super) const LIMIT_SERVERS: Parameter =
    query("limit", ParameterKind::Number { bounds: 1..=1000, default: Some(20) }, "20", "How many to list.");
pub(super) const LIMIT_ORIGINS: Parameter = query(
    "limit",
    ParameterKind::Number { bounds: 1..=1000, default: Some(100) },
    "100",
    "How many to list.",
);
pub(super) const FORMAT_JSON: Parameter =
    query("format", ParameterKind::Choice(&["JSON"]), "JSON", "JSON only.");
pub(super) const CHAPTER: Parameter = path("chapter", ParameterKind::Text, "live", "The name of a chapter.");
pub(super) const SLUG: Parameter = path("slug", ParameterKind::Text, "api", "A name of servers.");
pub(super) const ORIGIN_NAMES: Parameter = Parameter {
    name: "origin",
    about: "Names of servers, a comma list. Given several times, for one series each.",
    place: ParameterPlace::Needed,
    kind: ParameterKind::Text,
    example: "api",
};
pub(super) const METRIC: Parameter = Parameter {
    name: "metric",
    about: "What is measured.",
    place: ParameterPlace::Needed,
    kind: ParameterKind::Choice(&["CONNECTION_FAILURES", "REQUESTS", "TCP_HANDSHAKE_DURATION"]),
    example: "CONNECTION_FAILURES",
};
pub(super) const REGION: Parameter = series(
    "region",
    ParameterKind::List(countries),
    "US,PT",
    "Only servers in these countries (two letters), a comma list.",
);
pub(super) const DIMENSION_ORIGINS: Parameter = path(
    "dimension",
    ParameterKind::Choice(&["REGION", "PERCENTILE"]),
    "REGION",
    "REGION: the country of servers, for connections and failures. PERCENTILE: of the duration of handshakes.",
);
pub(super) const OFFSET: Parameter = query(
    "offset",
    ParameterKind::Number { bounds: 0..=1_000_000, default: Some(0) },
    "0",
    "How many are passed over before.",
);

pub(super) const LIMIT_ENTITIES: Parameter =
    query("limit", ParameterKind::Number { bounds: 1..=1000, default: Some(5) }, "10", "How many are given.");
pub(super) const LIMIT_ANNOTATIONS: Parameter = query(
    "limit",
    ParameterKind::Number { bounds: 1..=1000, default: Some(100) },
    "10",
    "How many are given.",
);
pub(super) const ASN_LIST: Parameter =
    query("asn", ParameterKind::Pattern(asn_list), "174,7922", "Only these networks, a comma list.");
pub(super) const ONE_LOCATION: Parameter = query(
    "location",
    ParameterKind::List(countries),
    "US",
    "Only these countries (two letters), a comma list.",
);
pub(super) const ONE_CONTINENT: Parameter =
    query("continent", ParameterKind::List(continents), "EU", "Only these continents, a comma list.");
pub(super) const ORDER_ASNS: Parameter = query(
    "orderBy",
    ParameterKind::Choice(&["ASN", "POPULATION"]),
    "ASN",
    "By number. POPULATION is understood, but how many people use a network is not known here: it orders by the number of IPv4 addresses.",
);
pub(super) const ASN_PATH: Parameter =
    path("asn", ParameterKind::Pattern(asn_number), "174", "The number of a network.");
pub(super) const ALPHA2_PATH: Parameter =
    path("alpha2", ParameterKind::Pattern(alpha2), "PT", "The two letters of a country (ISO 3166-1).");
pub(super) const IP: Parameter = Parameter {
    name: "ip",
    about: "An address, IPv4 or IPv6.",
    place: ParameterPlace::Needed,
    kind: ParameterKind::Text,
    example: "8.8.8.8",
};
pub(super) const SEARCH: Parameter = Parameter {
    name: "query",
    about: "A part of a name, a code or a number.",
    place: ParameterPlace::Needed,
    kind: ParameterKind::Text,
    example: "portugal",
};
pub(super) const INCLUDE: Parameter = query(
    "include",
    ParameterKind::Choice(&["LOCATIONS", "ASNS"]),
    "ASNS",
    "Search only these; it can come twice.",
);
pub(super) const EXCLUDE: Parameter = query(
    "exclude",
    ParameterKind::Choice(&["LOCATIONS", "ASNS"]),
    "LOCATIONS",
    "Do not search these; it can come twice.",
);
pub(super) const LIMIT_PER_KIND: Parameter = query(
    "limitPerGroup",
    ParameterKind::Number { bounds: 1..=1000, default: None },
    "5",
    "How many of each kind are given at most.",
);

pub(super) const RANGE: Parameter = query(
    "dateRange",
    ParameterKind::Pattern(question::date_range_pattern),
    "7d",
    "Only those that touch this time. Default: all.",
);
pub(super) const START: Parameter = query(
    "dateStart",
    ParameterKind::Time,
    "2026-01-05T00:00:00Z",
    "Only those that touch the time from then; together with dateEnd.",
);
pub(super) const END: Parameter = query(
    "dateEnd",
    ParameterKind::Time,
    "2026-01-12T00:00:00Z",
    "The end of the range that dateStart begins.",
);
pub(super) const ONE_ASN: Parameter =
    query("asn", ParameterKind::Pattern(asn_list), "174", "Only those that concern one of these networks.");
pub(super) const EVENT_TYPE: Parameter = query(
    "eventType",
    ParameterKind::Choice(&[
        "EVENT",
        "GENERAL",
        "OUTAGE",
        "PARTIAL_PROJECTION",
        "PIPELINE",
        "TRAFFIC_ANOMALY",
    ]),
    "OUTAGE",
    "Only those of this kind. EVENT is an older name of GENERAL.",
);
pub(super) const OUTAGE_CAUSE: Parameter =
    query("outageCause", ParameterKind::Text, "CABLE_CUT", "Only outages with this cause.");
pub(super) const OUTAGE_TYPE: Parameter =
    query("outageType", ParameterKind::Text, "NATIONWIDE", "Only outages of this type.");
pub(super) const ANNOTATION_QUERY: Parameter =
    query("query", ParameterKind::Text, "cable", "Only those whose text contains this.");
pub(super) const EVENT_LOCATION: Parameter = query(
    "location",
    ParameterKind::List(countries),
    "US",
    "Only events of these countries (two letters) and of networks there, a comma list; '-' in front excludes.",
);
pub(super) const EVENT_NODE: Parameter = query(
    "node",
    ParameterKind::Text,
    "edge1",
    "Only what these servers did not collect, a comma list; '-' in front excludes.",
);
pub(super) const EVENT_SERVER: Parameter = query(
    "server",
    ParameterKind::Text,
    "api",
    "Only events of these servers to which connections are opened, by name (setting 'upstreams') or else address and port, a comma list; '-' in front excludes.",
);
pub(super) const EVENT_CHANNEL: Parameter = query(
    "channel",
    ParameterKind::List(channels),
    "traffic,post_ack",
    "Only events of these channels, a comma list; '-' in front excludes. 'traffic': fewer connections; a stage: a larger share of connections cut short there; 'flood', 'scan' and 'reflection': single SYNs that say nothing about the connections of a place; 'observer': what was not collected.",
);
pub(super) const EVENT_STATE: Parameter = query(
    "state",
    ParameterKind::List(event_states),
    "open",
    "Only events in these states, a comma list; '-' in front excludes.",
);
pub(super) const EVENT_SEVERITY: Parameter = query(
    "severity",
    ParameterKind::List(severities),
    "major,severe",
    "Only events with these severities, a comma list; '-' in front excludes.",
);
pub(super) const EVENT_REVIEW: Parameter = query(
    "review",
    ParameterKind::List(decisions),
    "-dismissed",
    "Only events that the operator confirmed or dismissed, a comma list; '-' in front excludes.",
);
pub(super) const EVENT_ALARM: Parameter = query(
    "alarm",
    ParameterKind::Flag,
    "true",
    "Only events that raised an alarm, or only others. The first event of an episode does, unless another explains it.",
);
pub(super) const EVENT_DATA_SET: Parameter = query(
    "dataSet",
    ParameterKind::List(data_sets),
    "tcp",
    "Only events in these data sets, a comma list; '-' in front excludes.",
);
pub(super) const ANNOTATION_DATA_SET: Parameter = query(
    "dataSet",
    ParameterKind::List(data_sets),
    "tcp",
    "Only what concerns these data sets, a comma list; '-' in front excludes. Notes without a data set concern all.",
);
pub(super) const ONE_DATA_SET: Parameter =
    query("dataSet", ParameterKind::Choice(&["tcp", "origin", "quic"]), "tcp", "The data set; default: tcp.");
pub(super) const EVENT_PATH: Parameter =
    path("id", ParameterKind::Pattern(event_id), "00000000000000ff", "The ID of an event.");
pub(super) const ANOMALY_STATUS: Parameter = query(
    "status",
    ParameterKind::Choice(&["VERIFIED", "UNVERIFIED"]),
    "VERIFIED",
    "Only those that the operator or an imported source has confirmed, or only others.",
);
pub(super) const ANOMALY_TYPE: Parameter = query(
    "type",
    ParameterKind::Choice(&["LOCATION", "AS", "ORIGIN"]),
    "AS",
    "Only those of countries or of networks; it can come twice. There are none of origins.",
);
pub(super) const DATA_SOURCE: Parameter = query(
    "dataSource",
    ParameterKind::Text,
    "CONNECTION_ANOMALY",
    "CONNECTION_ANOMALY or ALL; of other data sources there are none here.",
);
pub(super) const EVENT_ORIGIN: Parameter =
    query("origin", ParameterKind::Text, "example", "An origin of Radar's. There are none of these here.");
pub(super) const ANNOTATION_PATH: Parameter =
    path("id", ParameterKind::Pattern(annotation_number), "1", "The number of an annotation.");
pub(super) const AGENT: Parameter = Parameter {
    name: AgentCounts::HEADER,
    about: "What the server that sends has counted since it began, so that this one can tell how much of it is lost: packets received, lost on receiving, unwritten, dropped from its spool, and waiting there; connections that it chose and left out, from when to when the latest were, in nanoseconds since the Unix epoch, and their data set. What is missing or unknown does no harm.",
    place: ParameterPlace::Header,
    kind: ParameterKind::Text,
    example: "received=5400, lost=0, unwritten=0, dropped=0, waiting=120, left_out=0",
};

const fn needed(
    name: &'static str,
    kind: ParameterKind,
    example: &'static str,
    about: &'static str,
) -> Parameter {
    Parameter { name, about, place: ParameterPlace::Needed, kind, example }
}

pub(super) const TRACE_CLIENT: Parameter =
    needed("client", ParameterKind::Text, "198.51.100.7", "The client's address.");
pub(super) const TRACE_CLIENT_PORT: Parameter = needed(
    "clientPort",
    ParameterKind::Number { bounds: 0..=65535, default: None },
    "40112",
    "The client's port.",
);
pub(super) const TRACE_SERVER: Parameter =
    needed("server", ParameterKind::Text, "203.0.113.5", "The server's address.");
pub(super) const TRACE_SERVER_PORT: Parameter = needed(
    "serverPort",
    ParameterKind::Number { bounds: 0..=65535, default: None },
    "443",
    "The server's port.",
);
pub(super) const TRACE_TIME: Parameter = needed(
    "time",
    ParameterKind::Time,
    "2026-01-05T00:00:00Z",
    "When it was seen: any time in its 15 minutes.",
);
