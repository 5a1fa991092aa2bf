//! Clients that were made for Cloudflare Radar, and a fuzzer of descriptions, against the program as it runs.
//! They are installed from PyPI and npm, and said to be not run where these cannot be reached.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "../../clickhouse/tests/server/server.rs"]
mod database;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::clients::{done, installed, python};
use common::server::Server;
use common::{STAGES, captures, root, run};
use serde_json::{Value, json};

/// The compiled program.
fn typescript() -> Result<PathBuf, String> {
    static SCRIPT: std::sync::OnceLock<Result<PathBuf, String>> = std::sync::OnceLock::new();
    SCRIPT.get_or_init(compile).clone()
}

fn compile() -> Result<PathBuf, String> {
    let (folder, source) = (installed("typescript"), root().join("tests/sdk"));
    for file in ["package.json", "tsconfig.json", "radar.ts", "events.ts"] {
        std::fs::copy(source.join(file), folder.join(file)).unwrap();
    }
    let install = ["install", "--no-audit", "--no-fund", "--silent"];
    done(Command::new("npm").args(install).current_dir(&folder))?;
    let compiled = Command::new("node").arg("node_modules/typescript/bin/tsc").current_dir(&folder).output();
    let compiled = compiled.map_err(|error| format!("node: {error}"))?;
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stdout));
    Ok(folder.join("built/radar.js"))
}

/// What `classify` says of the captures, and the range that has all of them.
fn expected(folder: &Path) -> PathBuf {
    let summary: Value =
        serde_json::from_str(&run("classify --format json", &captures()).fine().stdout).unwrap();
    let share = |stage: &str| summary["stages"][stage]["share"].clone();
    let shares: serde_json::Map<_, _> =
        STAGES.iter().map(|(radar, own)| ((*radar).to_owned(), share(own))).collect();
    let day = |us: &Value, more: i64| {
        let time = jiff::Timestamp::from_microsecond(us.as_i64().unwrap() + more * 86_400_000_000).unwrap();
        time.strftime("%Y-%m-%dT00:00:00+00:00").to_string()
    };
    let expected = json!({ "start": day(&summary["first_us"], 0), "end": day(&summary["last_us"], 1), "shares": shares });
    let path = folder.join("expected.json");
    std::fs::write(&path, expected.to_string()).unwrap();
    path
}

/// The captures, and a note of every kind that touches all times.
fn of_captures_with_notes() -> Server {
    let server = Server::of_captures();
    annotate(&format!("--data {}", server.folder().display()));
    server
}

fn annotate(store: &str) {
    for kind in ["event", "general", "outage", "partial-projection", "pipeline", "traffic-anomaly"] {
        run(&format!("annotate add {kind} --kind {kind} --from 1990-01-01 {store}"), &[] as &[&str]).ended(0);
    }
}

/// The same captures, served from a ClickHouse.
fn in_clickhouse() -> Result<(database::Server, Server), String> {
    let clickhouse = database::Server::start()?;
    let store = format!("clickhouse://default@127.0.0.1:{}/sdk", clickhouse.port);
    run(&format!("clickhouse migrate --store {store}"), &[] as &[&str]).ended(0);
    run(&format!("import --store {store}"), &captures()).ended(0);
    annotate(&format!("--store {store}"));
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder, &["--listen", "127.0.0.1:0", "--store", &store]);
    Ok((clickhouse, server))
}

fn run_client(mut command: Command) {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
}

#[test]
fn the_python_sdk_reads_everything() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return common::not_run(&format!("the Python SDK cannot be installed here: {why}")),
    };
    let server = of_captures_with_notes();
    let mut command = Command::new(&python);
    command.arg(root().join("tests/sdk/radar.py")).arg(server.radar()).arg(expected(server.folder()));
    run_client(command);
    let events = Server::of_shutdown();
    let mut command = with(python, &root().join("tests/sdk/events.py"));
    command.arg(events.radar());
    run_client(command);
}

#[test]
fn the_typescript_sdk_reads_everything() {
    let script = match typescript() {
        Ok(script) => script,
        Err(why) => return common::not_run(&format!("the TypeScript SDK cannot be installed here: {why}")),
    };
    let server = of_captures_with_notes();
    let mut command = with("node", &script);
    command.arg(server.radar()).arg(expected(server.folder()));
    run_client(command);
    let events = Server::of_shutdown();
    let mut command = with("node", &script.with_file_name("events.js"));
    command.arg(events.radar());
    run_client(command);
}

#[test]
fn the_sdks_read_a_store_in_clickhouse() {
    let (_clickhouse, server) = match in_clickhouse() {
        Ok(servers) => servers,
        Err(why) => return common::not_run(&format!("the SDKs with ClickHouse: {why}")),
    };
    let expected = expected(server.folder());
    let run = |client: Result<Command, String>| match client {
        Ok(mut client) => {
            client.arg(server.radar()).arg(&expected);
            run_client(client);
        }
        Err(why) => common::not_run(&format!("an SDK with ClickHouse cannot be installed here: {why}")),
    };
    run(python().map(|python| with(python, &root().join("tests/sdk/radar.py"))));
    run(typescript().map(|script| with("node", &script)));
}

fn with(program: impl AsRef<std::ffi::OsStr>, script: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(script);
    command
}

/// What is answered is what is described, whatever is asked.
#[test]
fn a_fuzzer_finds_no_answer_that_is_not_described() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return common::not_run(&format!("schemathesis cannot be installed here: {why}")),
    };
    let server = Server::of_captures();
    let mut command = Command::new(python.with_file_name("schemathesis"));
    command.current_dir(server.folder());
    command.args([
        "run",
        "--no-color",
        "--seed=1",
        "--phases=examples,coverage,fuzzing",
        "--max-examples=15",
    ]);
    command.args(["--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"]);
    // The same endpoints answer for other data sets; one path of each shows that the data set is described.
    command.arg("--exclude-path-regex=^/client/v4/radar/(origin_resets|quic_closes)_timeouts/(connections|coverage|terms|timeseries|summary/|top/(ases|locations|[{]))");
    command.arg(format!("--header=Authorization: Bearer {}", server.token()));
    command.arg(format!("{}/openapi.json", server.address()));
    run_client(command);
}
