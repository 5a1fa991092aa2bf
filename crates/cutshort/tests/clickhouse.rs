//! The program with a store in a real ClickHouse.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "../../clickhouse/tests/server/server.rs"]
mod database;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use common::server::Server;
use common::{captures, run};

const NOTHING: &[&str] = &[];

fn lines(arguments: &str, files: &[std::path::PathBuf]) -> Vec<String> {
    let text = run(arguments, files).fine().stdout;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// An answer with its head.
fn whole_answer(server: &Server, path: &str) -> String {
    let host = server.address().trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A segment of the captures.
fn segment(folder: &Path) -> Vec<u8> {
    let data = folder.join("embedded");
    run(&format!("import --data {}", data.display()), &captures()[..1]).fine();
    let day = data.join("packets").read_dir().unwrap().next().unwrap().unwrap().path();
    std::fs::read(day.read_dir().unwrap().next().unwrap().unwrap().path()).unwrap()
}

/// Protected addresses are the same in both stores, and so is what is told of them.
fn protects_as_a_folder_does(port: u16, folder: &Path) {
    let store = format!("--store clickhouse://default@127.0.0.1:{port}/protected");
    run(&format!("clickhouse migrate {store}"), NOTHING).ended(0);
    let unnamed = run(&format!("import {store} --addresses truncated"), &captures()[..1]).ended(2);
    assert!(unnamed.stderr.contains("--address-key FILE"), "{unnamed:?}");
    let data = format!("--data {}", folder.join("protected").display());
    let key = folder.join("key");
    for how in ["truncated", "encrypted"] {
        for store in [&store, &data] {
            let kept = format!("--addresses {how} --address-key {}", key.display());
            run(&format!("import {store} {kept}"), &captures()).ended(0);
        }
        let found = lines(&format!("export connections --format jsonl {store}"), &[]);
        assert!(found.iter().any(|line| line.contains(&format!("\"addresses\":\"{how}\""))), "{how}");
        assert_eq!(found, lines(&format!("export connections --format jsonl {data}"), &[]), "{how}");
    }
    let full = run(&format!("import {store}"), &captures()[..1]).ended(0);
    assert!(full.stderr.contains("the store has protected addresses"), "{full:?}");
}

#[test]
fn a_store_in_clickhouse_does_what_a_folder_does() {
    let mut clickhouse = database::started(database::Server::start());
    let store = format!("clickhouse://default@127.0.0.1:{}/program", clickhouse.port);
    let missing = run(&format!("import --store {store}"), &captures()[..1]).ended(1);
    assert!(missing.stderr.contains("cutshort clickhouse migrate"), "{missing:?}");
    run(&format!("clickhouse migrate --store {store}"), NOTHING).ended(0);
    let schema = run(&format!("clickhouse schema --store {store} --cluster two"), NOTHING).fine().stdout;
    assert!(schema.contains("ON CLUSTER `two`") && schema.contains("`program`.packet_local"), "{schema}");

    // Totals and connections are those of classify.
    run(&format!("import --store {store}"), &captures()).ended(0);
    let classified = run("classify --format json", &captures()).json();
    let rollups = format!("export rollups --store {store} --every 1w --format jsonl");
    let totals = &run(&rollups, NOTHING).fine().lines()[0];
    for stage in ["post_syn", "post_ack", "post_psh", "later", "none"] {
        assert_eq!(totals[stage], classified["stages"][stage]["count"], "{stage}");
    }
    for exclusion in ["no_syn", "multiple_syn", "incomplete"] {
        assert_eq!(totals[exclusion], classified["excluded"][exclusion], "{exclusion}");
    }
    let connections = format!("export connections --format jsonl --store {store}");
    assert_eq!(lines(&connections, &[]), lines("classify --format jsonl", &captures()));
    let again = run(&format!("import --store {store}"), &captures()).ended(0);
    assert!(again.stdout.contains("nothing new"), "{again:?}");
    let range = "--from 2026-11-21 --to 2026-11-22";
    for classify in ["rust", "sql"] {
        run(&format!("recompute --store {store}?classify={classify} {range}"), NOTHING).ended(0);
        assert_eq!(lines(&connections, &[]), lines("classify --format jsonl", &captures()), "{classify}");
    }

    let folder = tempfile::tempdir().unwrap();
    protects_as_a_folder_does(clickhouse.port, folder.path());

    // The server says so while ClickHouse is away, and goes on when it is back.
    let segment = segment(folder.path());
    let server = Server::start(folder, &["--listen", "127.0.0.1:0", "--store", &store]);
    let summary = "/client/v4/radar/tcp_resets_timeouts/summary?dateStart=2026-11-21&dateEnd=2026-11-22";
    let before = server.send("GET", summary, &[]);
    assert_eq!(before.0, 200, "{}", before.1);
    clickhouse.tell("kill");
    let path = format!("{summary}&name=other");
    server.until("503", |server| server.send("GET", &path, &[]).0 == 503);
    let answer = whole_answer(&server, &path);
    assert!(answer.to_ascii_lowercase().contains("\r\nretry-after: "), "{answer}");
    assert!(answer.contains("cannot be reached"), "{answer}");
    assert_eq!(server.send("POST", "/ingest/v1/segments", &segment).0, 503);
    clickhouse.tell("start");
    server.until("200", |server| server.send("GET", &path, &[]).0 == 200);
    assert_eq!(server.send("GET", summary, &[]).1.len(), before.1.len());
    assert_eq!(server.send("POST", "/ingest/v1/segments", &segment).0, 200, "it was there before");
    assert!(server.terminate().success());
}

#[test]
fn a_password_is_never_shown() {
    let url = "clickhouse://u:topsecret@127.0.0.1:1/x";
    for arguments in [
        format!("query summary --store {url} --from -1d --to now"),
        format!("import --store {url}x:?"),
        format!("clickhouse migrate --store {url}"),
        format!("serve --store {url}"),
        format!("serve --store {url}?secret=topsecret"),
        format!("import --data a --store {url}"),
    ] {
        let ran = run(&arguments, &captures()[..1]);
        assert_ne!(ran.code, Some(0), "{ran:?}");
        assert!(!ran.stderr.contains("topsecret") && !ran.stdout.contains("topsecret"), "{ran:?}");
    }
}
