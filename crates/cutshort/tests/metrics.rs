//! What `/metrics` has, in both formats of Prometheus, and what reads it: Prometheus' own tools and the dashboard for
//! Grafana. Take over changed metrics after reading them: `SNAPSHOTS=overwrite cargo test -p cutshort --test metrics`.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::not_run;
use common::server::Server;
use cutshort_embedded::{Embedded, Options};
use cutshort_metrics::Format;
use cutshort_model::Window;
use cutshort_simulate::syn_packet;
use cutshort_store::{Provenance, Segment, SegmentSource, Store};
use serde_json::Value;

const HOUR: i64 = 3600 * 1_000_000_000;

/// A packet of a server, and silence for so long after it.
fn live_segment(ts: i64, silence: i64) -> Segment {
    let source = SegmentSource::tcp("edge", Provenance::Live, (ts, ts + silence));
    Segment::encode(vec![syn_packet(ts, 40_000)], &source, None).unwrap()
}

/// A server with a receiver of alarms, that has had a packet from a file, another from an agent, and the results of one window.
fn server() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), Options { durable: false }).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = now.as_nanos() as i64;
    // A connection of a window that is over: nothing follows its SYN.
    store.append(&live_segment(Window::containing(now - 2 * HOUR).start(), HOUR / 10)).unwrap();
    drop(store);
    let settings = folder.path().join("alerts.toml");
    let receiver = "[[alerts.receivers]]\nname = 'page'\nkind = 'command'\ncommand = ['/bin/true']\n";
    fs::write(&settings, receiver).unwrap();
    let server =
        Server::start(folder, &["--listen", "127.0.0.1:0", "--settings", settings.to_str().unwrap()]);
    assert_eq!(server.send("POST", "/ingest/v1/segments", live_segment(now, 0).bytes()).0, 201);
    server.until("a window is computed", |server| {
        server.send("GET", "/metrics", &[]).1.contains("\ncutshort_windows 1.0\n")
    });
    server
}

/// What the server says to who accepts a format.
fn of_server(server: &Server, format: Format) -> String {
    let (head, text) = server.accepting(format.media_type(), "/metrics");
    assert!(head.contains(&format!("content-type: {}\r\n", format.content_type())), "{head}");
    text
}

/// Texts by name: of a server and, where the program has it, of an agent.
fn texts(server: &Server, format: Format) -> Vec<(&'static str, String)> {
    let server = ("server", of_server(server, format));
    #[cfg(target_os = "linux")]
    let agent = [("agent", cutshort_agent::metrics::text(&cutshort_agent::StationState::default(), format))];
    #[cfg(not(target_os = "linux"))]
    let agent = [];
    std::iter::once(server).chain(agent).collect()
}

const fn extension(format: Format) -> &'static str {
    match format {
        Format::Text => "text",
        Format::OpenMetrics => "openmetrics",
    }
}

/// The text without the values of samples.
fn without_values(text: &str) -> String {
    let lines = text.lines().map(|line| match line.rsplit_once(' ') {
        Some((sample, _)) if !line.starts_with('#') => sample,
        _ => line,
    });
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn metrics_are_as_they_were_read() {
    let server = server();
    for format in Format::ALL {
        for (name, text) in texts(&server, format) {
            let file = format!("tests/metrics/{name}.{}", extension(format));
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            snapbox::assert_data_eq!(without_values(&text), snapbox::Data::read_from(&path, None).raw());
        }
    }
}

/// The linter of Prometheus, which reads the classic format.
#[test]
fn promtool_finds_nothing_to_complain_about() {
    if !common::is_installed("promtool") {
        return not_run("promtool is not installed (Debian: prometheus)");
    }
    for (name, text) in texts(&server(), Format::Text) {
        let mut command = Command::new("promtool");
        command
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && said.is_empty(), "{name}: {said}\n{text}");
    }
}

#[test]
fn the_python_client_of_prometheus_reads_both_formats() {
    let python = match common::clients::python() {
        Ok(python) => python,
        Err(why) => return not_run(&format!("the Python client of Prometheus cannot be installed: {why}")),
    };
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    for format in Format::ALL {
        for (name, text) in texts(&server, format) {
            fs::write(folder.path().join(name).with_extension(extension(format)), text).unwrap();
        }
    }
    let script = common::root().join("tests/sdk/metrics.py");
    let output = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Rules for alarms are read by Prometheus, and ask for metrics that exist.
#[test]
fn rules_are_those_of_prometheus() {
    let path = common::root().join("packaging/prometheus/cutshort.rules.yml");
    let text = fs::read_to_string(&path).unwrap();
    let there = of_server(&server(), Format::Text);
    let asked: BTreeSet<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).flat_map(names).collect();
    assert!(asked.len() >= 5, "{asked:?}");
    for name in asked {
        assert!(there.contains(&format!("\n# TYPE {name} ")), "{name} is not in\n{there}");
    }
    if !common::is_installed("promtool") {
        return not_run("promtool is not installed (Debian: prometheus)");
    }
    let output = Command::new("promtool").args(["check", "rules"]).arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("SUCCESS"), "{said}");
}

/// All expressions of the dashboard.
fn expressions() -> Vec<String> {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("expr").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| walk(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let path: PathBuf = common::root().join("packaging/grafana/cutshort.json");
    let mut found = Vec::new();
    walk(&serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap(), &mut found);
    found
}

/// Names of metrics in an expression.
fn names(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("cutshort_"))
}

#[test]
fn the_dashboard_asks_for_metrics_that_exist() {
    let server = server();
    let texts = texts(&server, Format::Text);
    let is_here = |name: &&str| texts.len() > 1 || !name.starts_with("cutshort_agent_");
    let there: BTreeSet<&str> = texts
        .iter()
        .flat_map(|(_, text)| text.lines().filter_map(|line| line.split(['{', ' ']).next()))
        .collect();
    let expressions = expressions();
    let asked: BTreeSet<&str> = expressions.iter().flat_map(|text| names(text)).filter(is_here).collect();
    assert!(asked.len() > 15 * texts.len(), "{asked:?}");
    let missing: Vec<_> = asked.difference(&there).collect();
    assert!(missing.is_empty(), "{missing:?} are not in\n{there:?}");
}

/// Gauges have no rate, and counters mean nothing without one.
#[test]
fn the_dashboard_takes_rates_of_counters_only() {
    let is_counter =
        |name: &str| ["_total", "_bucket", "_sum", "_count"].iter().any(|suffix| name.ends_with(suffix));
    for expression in expressions() {
        let parts: Vec<&str> = expression.split("rate(").collect();
        let rated: Vec<&str> = parts[1..].iter().filter_map(|part| names(part).next()).collect();
        let counters: Vec<&str> = names(&expression).filter(|name| is_counter(name)).collect();
        assert_eq!(rated, counters, "{expression}");
    }
}
