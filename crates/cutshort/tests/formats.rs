//! All formats tell the same connections, and the same as an implementation of its own.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use common::{Ran, capture, captures, fixture, is_installed, not_run, root, run};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value, json};

/// docs/spec.md#json, in its order.
const FIELDS: [&str; 21] = [
    "first_us",
    "last_us",
    "node",
    "src_ip",
    "src_port",
    "dst_ip",
    "dst_port",
    "ip_version",
    "packets",
    "stage",
    "termination",
    "tags",
    "signature",
    "signature_id",
    "location",
    "asn",
    "as_name",
    "rst_ttl_delta",
    "rst_ip_id_delta",
    "silent_us",
    "sample_rate",
];
/// Those that may be null.
const NULLABLE: [&str; 7] =
    ["signature", "signature_id", "location", "asn", "as_name", "rst_ttl_delta", "rst_ip_id_delta"];
const TEXTS: [&str; 8] =
    ["node", "src_ip", "dst_ip", "stage", "termination", "signature", "location", "as_name"];

type Connection = Map<String, Value>;

/// All own captures in one format, with some of the addresses in made-up networks.
fn all(format: &str) -> Ran {
    let geo = fixture("networks.csv");
    run(&format!("classify --format {format} --geo {}", geo.display()), &captures()).fine_with_unused()
}

/// As the JSON lines have them.
static CONNECTIONS: LazyLock<Vec<Connection>> = LazyLock::new(|| {
    let lines = all("jsonl").lines().into_iter();
    let connections: Vec<_> = lines.map(|line| line.as_object().unwrap().clone()).collect();
    assert!(connections.len() > 100, "only {} connections", connections.len());
    connections
});

#[track_caller]
fn assert_same_connections(found: &[Connection]) {
    assert_eq!(found.len(), CONNECTIONS.len());
    for (found, expected) in found.iter().zip(CONNECTIONS.iter()) {
        assert_eq!(found, expected);
    }
}

/// The names in an object, in the order in which they stand there.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Names, M::Error> {
        let mut names = Vec::new();
        while let Some((name, _)) = map.next_entry::<String, Value>()? {
            names.push(name);
        }
        Ok(Names(names))
    }
}

#[test]
fn json_lines_have_the_fields_of_the_specification_in_its_order() {
    let ran = all("jsonl");
    assert!(ran.stdout.ends_with("}\n"));
    for line in ran.stdout.lines() {
        let Names(names) = serde_json::from_str(line).unwrap();
        assert_eq!(names, FIELDS, "{line}");
    }
}

#[test]
fn json_lines_have_null_where_something_is_unknown_and_only_there() {
    let mut seen_null = BTreeSet::new();
    for connection in CONNECTIONS.iter() {
        let nulls = connection.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.as_str());
        seen_null.extend(nulls);
        assert_eq!(connection["signature"].is_null(), connection["signature_id"].is_null());
        assert_eq!(connection["asn"].is_null(), connection["as_name"].is_null());
        let reset = connection["termination"] == "reset";
        assert_eq!(connection["rst_ttl_delta"].is_null(), !reset, "{connection:?}");
    }
    assert_eq!(seen_null, BTreeSet::from(NULLABLE));
}

#[test]
fn json_lines_have_values_of_the_right_kind() {
    for connection in CONNECTIONS.iter() {
        for (name, value) in connection.iter().filter(|(_, value)| !value.is_null()) {
            let right = match name.as_str() {
                "tags" => value.is_array(),
                name if TEXTS.contains(&name) => value.is_string(),
                _ => value.is_i64() || value.is_u64(),
            };
            assert!(right, "{name}: {value}");
        }
        let version = if connection["src_ip"].as_str().unwrap().contains(':') { 6 } else { 4 };
        assert_eq!(connection["ip_version"], version);
        assert!(connection["first_us"].as_i64() <= connection["last_us"].as_i64());
        assert!(connection["silent_us"].as_i64().unwrap() >= 0);
    }
}

/// A connection of texts, as CSV has it: tags separated by spaces, nothing for null.
fn from_text(name: &str, text: &str) -> Value {
    match name {
        "tags" => text.split_whitespace().collect(),
        name if NULLABLE.contains(&name) && text.is_empty() => Value::Null,
        name if TEXTS.contains(&name) => text.into(),
        _ => text.parse::<i64>().unwrap().into(),
    }
}

#[test]
fn csv_tells_the_same_connections() {
    let ran = all("csv");
    let mut reader = csv::Reader::from_reader(ran.stdout.as_bytes());
    let header = reader.headers().unwrap().clone();
    assert_eq!(header.iter().collect::<Vec<_>>(), FIELDS);
    let read = |record: csv::StringRecord| {
        let fields = header.iter().zip(record.iter());
        fields.map(|(name, text)| (name.to_owned(), from_text(name, text))).collect()
    };
    let found: Vec<Connection> = reader.records().map(|record| read(record.unwrap())).collect();
    assert_same_connections(&found);
}

/// A value of a Parquet file as it would be in JSON.
fn from_parquet(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Str(text) => text.as_str().into(),
        Field::Long(value) | Field::TimestampMicros(value) => (*value).into(),
        Field::Short(value) => (*value).into(),
        Field::UByte(value) => (*value).into(),
        Field::UShort(value) => (*value).into(),
        Field::UInt(value) => (*value).into(),
        Field::ListInternal(list) => list.elements().iter().map(from_parquet).collect(),
        other => panic!("{other:?} is not expected"),
    }
}

fn parquet(path: &PathBuf) -> Vec<Connection> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
    let connection = |row: parquet::record::Row| {
        let fields: Vec<_> = row.into_columns();
        assert_eq!(fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), FIELDS);
        fields.iter().map(|(name, field)| (name.clone(), from_parquet(field))).collect()
    };
    rows.map(connection).collect()
}

#[test]
fn parquet_tells_the_same_connections() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("connections.parquet");
    let geo = fixture("networks.csv");
    let arguments = format!("classify -f parquet --geo {} -o {}", geo.display(), path.display());
    run(&arguments, &captures()).fine_with_unused();
    assert_same_connections(&parquet(&path));
}

#[test]
fn parquet_of_no_connection_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.parquet");
    let arguments = format!("classify -f parquet --filter termination=timeout -o {}", path.display());
    run(&arguments, &[capture("port-reuse")]).fine();
    assert!(parquet(&path).is_empty());
    assert!(std::fs::read(&path).unwrap().ends_with(b"PAR1"));
}

/// A log as its header says that it is to be read.
struct Zeek {
    /// Lines of the header, such as `unset_field`.
    header: BTreeMap<String, String>,
    fields: Vec<String>,
    types: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Zeek {
    fn read(text: &str) -> Self {
        let separator = text.lines().next().unwrap();
        assert_eq!(separator, "#separator \\x09");
        let split = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
        let (header, rows): (Vec<_>, Vec<_>) = text.lines().skip(1).partition(|line| line.starts_with('#'));
        let header: BTreeMap<_, _> = header
            .iter()
            .map(|line| line[1..].split_once('\t').unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (fields, types) = (split(&header["fields"]), split(&header["types"]));
        let rows: Vec<_> = rows.into_iter().map(split).collect();
        assert!(rows.iter().all(|row| row.len() == fields.len()) && types.len() == fields.len());
        Self { header, fields, types, rows }
    }

    /// The value of a field; `None` where it is unset.
    fn get<'a>(&'a self, row: &'a [String], name: &str) -> Option<&'a str> {
        let at = self.fields.iter().position(|field| field == name).unwrap();
        Some(row[at].as_str()).filter(|value| *value != self.header["unset_field"])
    }

    fn text(&self, row: &[String], name: &str) -> Value {
        self.get(row, name).into()
    }

    fn number(&self, row: &[String], name: &str) -> Value {
        self.get(row, name).map(|value| value.parse::<i64>().unwrap()).into()
    }

    /// Microseconds, from seconds with a fraction.
    fn micros(&self, row: &[String], name: &str) -> i64 {
        let (seconds, fraction) = self.get(row, name).unwrap().split_once('.').unwrap();
        assert_eq!(fraction.len(), 6);
        seconds.parse::<i64>().unwrap() * 1_000_000 + fraction.parse::<i64>().unwrap()
    }

    fn tags(&self, row: &[String]) -> Value {
        match self.get(row, "tags").unwrap() {
            empty if empty == self.header["empty_field"] => json!([]),
            tags => tags.split(&self.header["set_separator"]).collect(),
        }
    }

    /// What a row tells of the fields of the JSON lines.
    fn connection(&self, row: &[String]) -> Connection {
        let value = json!({
            "first_us": self.micros(row, "ts"),
            "src_ip": self.text(row, "id.orig_h"),
            "src_port": self.number(row, "id.orig_p"),
            "dst_ip": self.text(row, "id.resp_h"),
            "dst_port": self.number(row, "id.resp_p"),
            "packets": self.number(row, "orig_pkts"),
            "stage": self.text(row, "stage"),
            "termination": self.text(row, "termination"),
            "tags": self.tags(row),
            "signature": self.text(row, "signature"),
            "location": self.text(row, "orig_cc"),
            "asn": self.number(row, "orig_asn"),
            "rst_ttl_delta": self.number(row, "rst_ttl_delta"),
            "rst_ip_id_delta": self.number(row, "rst_ip_id_delta"),
        });
        value.as_object().unwrap().clone()
    }
}

#[test]
fn the_header_of_a_zeek_log_is_well_formed() {
    let log = Zeek::read(&all("zeek").stdout);
    let header = |name: &str| log.header[name].as_str();
    assert_eq!(
        [header("set_separator"), header("empty_field"), header("unset_field")],
        [",", "(empty)", "-"]
    );
    assert_eq!(header("path"), "cutshort");
    let types = ["time", "string", "addr", "port", "enum", "interval", "count", "int", "set[string]"];
    assert!(log.types.iter().all(|kind| types.contains(&kind.as_str())), "{:?}", log.types);
    let distinct: BTreeSet<_> = log.fields.iter().collect();
    assert_eq!(distinct.len(), log.fields.len());
}

#[test]
fn zeek_tells_the_same_connections() {
    let log = Zeek::read(&all("zeek").stdout);
    assert_eq!(log.rows.len(), CONNECTIONS.len());
    for (row, expected) in log.rows.iter().zip(CONNECTIONS.iter()) {
        let found = log.connection(row);
        let expected: Connection =
            found.keys().map(|name| (name.clone(), expected[name.as_str()].clone())).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn zeek_s_durations_lead_to_the_last_packet() {
    let log = Zeek::read(&all("zeek").stdout);
    for (row, expected) in log.rows.iter().zip(CONNECTIONS.iter()) {
        let last = log.micros(row, "ts") + log.micros(row, "duration");
        // Times are rounded down, and so is their difference.
        let off = expected["last_us"].as_i64().unwrap() - last;
        assert!((0..=1).contains(&off), "{off} µs in {row:?}");
    }
}

#[test]
fn zeek_s_history_and_uids_are_plausible() {
    let log = Zeek::read(&all("zeek").stdout);
    let mut uids = BTreeSet::new();
    for row in &log.rows {
        let uid = log.get(row, "uid").unwrap();
        assert!(uid.starts_with('C') && uid.chars().all(|c| c.is_ascii_alphanumeric()), "{uid}");
        assert!(uids.insert(uid), "{uid} is there twice");
        let history = log.get(row, "history").unwrap();
        let letters: BTreeSet<_> = history.chars().collect();
        assert_eq!(letters.len(), history.len(), "{history}");
        assert!(
            history.contains('S') && letters.iter().all(|letter| "SADFRIQ".contains(*letter)),
            "{history}"
        );
        let has = |tag: &str| log.tags(row).as_array().unwrap().contains(&tag.into());
        assert_eq!(history.contains(['R', 'I']), has("reset"), "{row:?}");
    }
}

/// A 5-tuple as `tshark` prints it.
fn endpoints(values: [&str; 4]) -> String {
    values.join(" ")
}

/// The community ids that tshark computes, by 5-tuple.
fn community_ids(path: &PathBuf) -> BTreeMap<String, String> {
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(path).args("-n -T fields -E occurrence=f --enable-protocol communityid".split(' '));
    for field in ["ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport", "communityid"] {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let row = |line: &str| {
        let [v4, v6, port, other_v4, other_v6, other_port, id] =
            line.split('\t').collect::<Vec<_>>()[..].try_into().unwrap();
        let tuple = endpoints([&format!("{v4}{v6}"), port, &format!("{other_v4}{other_v6}"), other_port]);
        (tuple, id.to_owned())
    };
    text.lines().map(row).collect()
}

#[test]
fn zeek_s_community_ids_are_tshark_s() {
    let path = capture("https");
    let log = Zeek::read(&run("classify --format zeek", &[&path]).fine().stdout);
    let found = log.rows.iter().map(|row| {
        let get = |name| log.get(row, name).unwrap();
        let tuple = ["id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"].map(get);
        (endpoints(tuple), get("community_id"))
    });
    let found: BTreeMap<_, _> = found.collect();
    assert_eq!(found.len(), 4);
    assert!(found.values().all(|id| id.starts_with("1:") && id.len() == 30 && id.ends_with('=')));
    if !is_installed("tshark") {
        return not_run("tshark, to compare community ids with, is not installed");
    }
    let expected = community_ids(&path);
    for (tuple, id) in found {
        assert_eq!(expected[&tuple], id, "{tuple}");
    }
}

/// How many connections have which value of a field; each tag counts.
fn counted(field: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let values = CONNECTIONS.iter().flat_map(|connection| match &connection[field] {
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    });
    for value in values.filter(|value| !value.is_null()) {
        let name = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// Counts of an object of shares, without those that are zero.
fn shares(shares: &Value) -> BTreeMap<String, u64> {
    let shares = shares.as_object().unwrap().iter();
    let counts = shares.map(|(name, share)| (name.clone(), share["count"].as_u64().unwrap()));
    counts.filter(|(_, count)| *count > 0).collect()
}

/// Counts of a list of named things, without those that are zero.
fn list(items: &Value, name: &str, count: &str) -> BTreeMap<String, u64> {
    let known = items.as_array().unwrap().iter().filter(|item| !item[name].is_null());
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let counts = known.map(|item| (text(&item[name]), item[count].as_u64().unwrap()));
    counts.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn the_summary_is_the_sum_of_the_lines() {
    let summary = all("json").json();
    assert_eq!(summary["connections"], CONNECTIONS.len());
    assert_eq!(summary["weight"], CONNECTIONS.len());
    assert_eq!(shares(&summary["stages"]), counted("stage"));
    assert_eq!(shares(&summary["terminations"]), counted("termination"));
    assert_eq!(shares(&summary["tags"]), counted("tags"));
    assert_eq!(list(&summary["signatures"], "id", "count"), counted("signature_id"));
    assert_eq!(list(&summary["signatures"], "name", "count"), counted("signature"));
    assert_eq!(list(&summary["locations"], "code", "connections"), counted("location"));
    let asns = counted("asn").into_iter().map(|(asn, count)| (format!("AS{asn}"), count)).collect();
    assert_eq!(list(&summary["networks"], "code", "connections"), asns);
    let anomalous = CONNECTIONS.iter().filter(|connection| connection["stage"] != "none").count();
    assert_eq!(summary["anomalous"]["count"], anomalous);
}

#[test]
fn shares_lie_within_their_intervals() {
    let summary = all("json").json();
    let stages = summary["stages"].as_object().unwrap().values();
    let places = [&summary["locations"], &summary["networks"]];
    let places =
        places.into_iter().flat_map(|list| list.as_array().unwrap()).map(|place| &place["anomalous"]);
    for share in stages.chain(places) {
        let [low, mid, high] = ["low", "share", "high"].map(|name| share[name].as_f64().unwrap());
        assert!(0.0 <= low && low <= mid && mid <= high && high <= 1.0, "{share}");
    }
    let sum: f64 =
        summary["stages"].as_object().unwrap().values().map(|share| share["share"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
}

/// The oracle knows nothing of places.
fn without_places(mut line: Value) -> String {
    let connection = line.as_object_mut().unwrap();
    for name in ["location", "asn", "as_name"] {
        connection.remove(name);
    }
    // Names in one order, whichever the oracle writes them in.
    connection.sort_keys();
    line.to_string()
}

#[test]
fn the_oracle_tells_the_same_connections() {
    if !(is_installed("tshark") && is_installed("python3")) {
        return not_run("the oracle needs python3 and tshark, which are not installed");
    }
    let mut oracle = Command::new("python3");
    oracle.arg(root().join("tests/captures/oracle.py")).arg("--jsonl").args(captures());
    let oracle = oracle.output().unwrap();
    assert!(oracle.status.success(), "{}", String::from_utf8_lossy(&oracle.stderr));
    let mut expected: Vec<_> = Ran::from(oracle).lines().into_iter().map(without_places).collect();
    let lines = |path| run("classify --format jsonl", &[path]).fine_with_unused().lines();
    let mut found: Vec<_> = captures().iter().flat_map(lines).map(without_places).collect();
    expected.sort();
    found.sort();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
}
