//! What is selected is what the lines show.

use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{cutshort, run};

/// A simulated capture and its networks.
struct Simulated {
    _folder: TempDir,
    capture: PathBuf,
    geo: PathBuf,
}

static SIMULATED: LazyLock<Simulated> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("a.pcapng");
    run(&format!("simulate --duration 15m --rate 5 --snaplen 80 -o {}", capture.display()), &[] as &[&str])
        .ended(0);
    Simulated { geo: folder.path().join("a.geo.csv"), capture, _folder: folder }
});

/// All connections of it, without any filter.
static LINES: LazyLock<Vec<Value>> = LazyLock::new(|| classify("jsonl", &[]).1);

/// Runs with further arguments; gives the output and its lines.
fn classify(format: &str, arguments: &[&str]) -> (Value, Vec<Value>) {
    let Simulated { capture, geo, .. } = &*SIMULATED;
    let mut command = cutshort();
    command.args(["classify", "--format", format, "--geo"]).arg(geo).args(arguments).arg(capture);
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    let text = String::from_utf8(output.stdout).unwrap();
    match format {
        "jsonl" => (Value::Null, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()),
        _ => (serde_json::from_str(&text).unwrap(), Vec::new()),
    }
}

/// Asserts that exactly those connections are selected for which something holds: some, not all.
#[track_caller]
fn selects(arguments: &[&str], holds: impl Fn(&Value) -> bool) {
    let (_, found) = classify("jsonl", arguments);
    let expected: Vec<_> = LINES.iter().filter(|line| holds(line)).cloned().collect();
    assert!(!expected.is_empty() && expected.len() < LINES.len(), "{arguments:?} tests nothing");
    assert_eq!(found.len(), expected.len(), "{arguments:?}");
    assert!(found == expected, "{arguments:?}");
}

#[track_caller]
fn filter(filter: &str, holds: impl Fn(&Value) -> bool) {
    selects(&["--filter", filter], &holds);
    let negated = filter.replacen('=', "!=", 1);
    selects(&["--filter", &negated], |line| !holds(line));
}

fn has_tag(line: &Value, tag: &str) -> bool {
    line["tags"].as_array().unwrap().contains(&tag.into())
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_default()
}

#[test]
fn stages_and_terminations() {
    filter("stage=post_ack", |line| line["stage"] == "post_ack");
    filter("stage=post_syn,later", |line| ["post_syn", "later"].contains(&text(line, "stage")));
    filter("stage=none", |line| line["stage"] == "none");
    filter("termination=fin, open", |line| ["fin", "open"].contains(&text(line, "termination")));
}

#[test]
fn tags_and_signatures() {
    filter("tag=zmap", |line| has_tag(line, "zmap"));
    filter("tag=single_rst,single_rstack", |line| {
        has_tag(line, "single_rst") || has_tag(line, "single_rstack")
    });
    filter("signature=1,18", |line| [1, 18].map(Value::from).contains(&line["signature_id"]));
    filter("signature=SYN → RST", |line| line["signature_id"] == 2);
    filter("signature=SYN; ACK -> RST", |line| line["signature_id"] == 6);
}

#[test]
fn places() {
    filter("location=FR", |line| line["location"] == "FR");
    filter("location=fr,de", |line| ["FR", "DE"].contains(&text(line, "location")));
    let asn = LINES[0]["asn"].as_u64().unwrap();
    filter(&format!("asn={asn}"), |line| line["asn"] == asn);
    filter(&format!("asn=AS{asn},1"), |line| line["asn"] == asn);
}

#[test]
fn ports_and_prefixes() {
    let port = LINES[0]["dst_port"].as_u64().unwrap();
    filter(&format!("port={port}"), |line| line["dst_port"] == port);
    filter("prefix=3fff::/20", |line| text(line, "src_ip").starts_with("3fff:"));
    let address = text(&LINES[0], "src_ip");
    filter(&format!("prefix={address}"), |line| line["src_ip"] == address);
}

#[test]
fn several_filters_all_hold() {
    selects(&["--filter", "stage!=none", "--filter", "tag=reset", "--filter", "location!=DE"], |line| {
        line["stage"] != "none" && has_tag(line, "reset") && line["location"] != "DE"
    });
}

#[test]
fn servers_and_sources() {
    let port = LINES[0]["dst_port"].as_u64().unwrap();
    let v4 = |line: &Value| line["ip_version"] == 4;
    selects(&["--server-port", &port.to_string()], |line| line["dst_port"] == port);
    selects(&["--server-net", "203.0.113.0/24"], v4);
    selects(&["--server-net", "2001:db8:ffff::/48"], |line| !v4(line));
    selects(&["--ignore-src", "3fff::/20"], v4);
    let server = text(&LINES[0], "dst_ip");
    selects(&["--server-net", server], |line| line["dst_ip"] == server);
    selects(&["--server-net", server, "--ignore-src", text(&LINES[0], "src_ip")], |line| {
        line["dst_ip"] == server && line["src_ip"] != LINES[0]["src_ip"]
    });
}

#[test]
fn several_servers_are_any_of_them() {
    let all = LINES.len();
    let (_, found) =
        classify("jsonl", &["--server-net", "203.0.113.0/24", "--server-net", "2001:db8:ffff::/48"]);
    assert_eq!(found.len(), all);
    let mut ports: Vec<_> = LINES.iter().map(|line| line["dst_port"].to_string()).collect();
    ports.sort();
    ports.dedup();
    assert_eq!(classify("jsonl", &["--server-port", &ports.join(",")]).1.len(), all);
}

/// Every 5-tuple is counted once: selected, not selected, not meant, or left out.
#[test]
fn what_is_not_selected_is_counted() {
    let sum = |summary: &Value| {
        let excluded = summary["excluded"].as_object().unwrap().values();
        let others = ["connections", "not_meant", "not_selected"].map(|name| &summary[name]);
        excluded.chain(others).map(|count| count.as_u64().unwrap()).sum::<u64>()
    };
    let whole = classify("json", &[]).0;
    assert_eq!((&whole["not_meant"], &whole["not_selected"]), (&0.into(), &0.into()));
    for arguments in [
        vec!["--filter", "stage=later"],
        vec!["--server-net", "203.0.113.0/24"],
        vec!["--ignore-src", "240.0.0.0/6", "--filter", "tag!=zmap"],
    ] {
        let (summary, _) = classify("json", &arguments);
        assert_eq!(sum(&summary), sum(&whole), "{arguments:?}");
        assert_eq!(summary["connections"], classify("jsonl", &arguments).1.len());
        assert!(!summary["selection"].is_null());
    }
}

/// A filter of connections changes which are shown, never what is said of them, nor the counts of
/// what was left out.
#[test]
fn filters_leave_exclusions_alone() {
    let (whole, some) = (classify("json", &[]).0, classify("json", &["--filter", "stage=later"]).0);
    assert_eq!(whole["excluded"], some["excluded"]);
    assert_eq!(whole["records"], some["records"]);
}
