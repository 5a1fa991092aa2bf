//! Stores with damaged files: what is kept, what is said, and what repairs them. And the backup of docs/operating.md.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::server::Server;
use common::{Ran, captures, root, run};
use serde_json::Value;
use tempfile::TempDir;

const NONE: &[&str] = &[];
const TIME: &str = "--from 2026-11-21 --to 2026-11-23";

fn data(folder: &TempDir) -> String {
    folder.path().join("store").display().to_string()
}

fn store() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(&format!("import --data {}", data(&folder)), &captures()).ended(0);
    folder
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let days = folder.read_dir().unwrap().map(|day| day.unwrap().path());
    let mut files: Vec<_> =
        days.flat_map(|day| day.read_dir().unwrap().map(|file| file.unwrap().path())).collect();
    files.sort();
    files
}

/// The largest file in a folder of days.
fn largest(folder: &TempDir, kind: &str) -> PathBuf {
    let files = files(&folder.path().join("store").join(kind));
    files.into_iter().max_by_key(|file| file.metadata().unwrap().len()).unwrap()
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn export(folder: &TempDir, what: &str) -> Ran {
    run(&format!("export {what} --format csv --data {}", data(folder)), NONE)
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// Connections and counts of everything.
fn all(folder: &TempDir) -> (Vec<String>, String) {
    let connections = export(folder, "connections").fine().stdout;
    let lines = sorted(&connections).into_iter().map(str::to_owned).collect();
    (lines, export(folder, "rollups --every 15m --by location --by as").ended(0).stdout)
}

#[test]
fn results_stay_when_packets_are_damaged() {
    let folder = store();
    let before = all(&folder);
    flip(&largest(&folder, "packets"));
    let recompute = format!("recompute {TIME} --data {}", data(&folder));
    for _ in 0..2 {
        let ran = run(&recompute, NONE).ended(1);
        assert!(ran.stderr.contains("1 window kept the earlier results: packets are damaged"), "{ran:?}");
        assert!(all(&folder) == before);
    }
    let verified = run(&format!("store verify --data {}", data(&folder)), NONE).ended(1);
    assert!(verified.stdout.contains("damaged/") && verified.stdout.contains("import"), "{verified:?}");
    // The captures are still there.
    run(&format!("import --data {}", data(&folder)), &captures()).ended(0);
    run(&recompute, NONE).fine();
    run(&format!("store verify --data {}", data(&folder)), NONE).fine();
    assert!(all(&folder) == before);
}

/// Another capture makes the window due.
#[test]
fn an_import_says_that_results_stay() {
    let folder = tempfile::tempdir().unwrap();
    let captures = captures();
    let (first, last) = captures.split_at(captures.len() - 1);
    run(&format!("import --data {}", data(&folder)), first).ended(0);
    let before = all(&folder);
    for file in files(&folder.path().join("store/packets")) {
        flip(&file);
    }
    let ran = run(&format!("import --data {}", data(&folder)), last).ended(1);
    assert!(ran.stderr.contains("kept the earlier results: packets are damaged"), "{ran:?}");
    assert!(all(&folder).0.len() >= before.0.len());
}

#[test]
fn damaged_connections_are_named_and_made_again() {
    let folder = store();
    let before = all(&folder);
    flip(&largest(&folder, "connections"));
    let ran = export(&folder, "connections").ended(1);
    assert!(ran.stderr.contains("the connections of 1 window are missing"), "{ran:?}");
    let rest = ran.stdout.lines().count();
    assert!(rest < before.0.len(), "{rest} of {}", before.0.len());
    run(&format!("store verify --data {}", data(&folder)), NONE).ended(1);
    let repaired = run(&format!("store repair --data {}", data(&folder)), NONE).ended(0);
    assert!(repaired.stdout.contains("1 window computed"), "{repaired:?}");
    assert!(all(&folder) == before);
}

/// The server goes on, says so, and makes the connections again by itself.
#[test]
fn a_server_makes_damaged_connections_again() {
    let folder = tempfile::tempdir().unwrap();
    run(&format!("import --data {}", folder.path().display()), &captures()).ended(0);
    let connections = files(&folder.path().join("connections"));
    let path = connections.into_iter().max_by_key(|file| file.metadata().unwrap().len()).unwrap();
    flip(&path);
    let server = Server::start(folder, &[]);
    let path =
        "/client/v4/radar/tcp_resets_timeouts/connections?dateStart=2026-11-21&dateEnd=2026-11-23&limit=1000";
    let (status, body) = server.send("GET", path, &[]);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["messages"][0]["code"]), (200, &1002.into()), "{body}");
    server.until("the connections are there again", |server| {
        let body = server.send("GET", path, &[]).1;
        serde_json::from_str::<Value>(&body).unwrap()["messages"].as_array().is_some_and(Vec::is_empty)
    });
    server.until("nothing is damaged", |server| {
        let store = &server.result("/status")["store"];
        store["damaged"] == Value::Array(Vec::new()) && store["impaired"] == Value::Array(Vec::new())
    });
}

#[test]
fn a_damaged_database_says_what_to_do_and_is_repaired() {
    let folder = store();
    let data = data(&folder);
    let before = all(&folder);
    let path = folder.path().join("store/rollup.sqlite");
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute("UPDATE segment SET path = CAST(x'80' AS TEXT) WHERE key = 1", []).unwrap();
    sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(sql);
    for command in [format!("import --data {data} -"), format!("serve --data {data} --listen 127.0.0.1:0")] {
        let ran = run(&command, NONE).ended(1);
        assert!(ran.stderr.contains("cutshort store repair --data"), "{ran:?}");
    }
    run(&format!("store verify --data {data}"), NONE).ended(1);
    let repaired = run(&format!("store repair --data {data}"), NONE);
    assert!(repaired.stdout.contains("set aside: damaged/rollup.sqlite"), "{repaired:?}");
    assert!(all(&folder) == before);
    let verified = run(&format!("store verify --data {data}"), NONE).fine();
    assert!(verified.stdout.contains("nothing is damaged"), "{verified:?}");
    // And once the file is no database at all.
    fs::write(&path, vec![7; 5000]).unwrap();
    let ran = run(&format!("query summary --data {data} {TIME}"), NONE).ended(1);
    assert!(ran.stderr.contains("cutshort store repair --data"), "{ran:?}");
    run(&format!("store repair --data {data}"), NONE).ended(1);
    assert!(all(&folder) == before);
}

/// A block of commands in docs/operating.md.
fn commands(name: &str) -> String {
    let page = fs::read_to_string(root().join("docs/operating.md")).unwrap();
    let block = page.split(&format!("<!-- test: {name} -->\n```\n")).nth(1).unwrap();
    block.split("\n```").next().unwrap().to_owned()
}

/// Runs a block word for word, but for where the folders are; `systemctl` and `chown` do nothing.
fn shell(folder: &TempDir, name: &str) {
    let bin = folder.path().join("bin");
    fs::create_dir_all(&bin).unwrap();
    for program in ["systemctl", "chown"] {
        fs::write(bin.join(program), "#!/bin/sh\n").unwrap();
        Command::new("chmod").arg("+x").arg(bin.join(program)).status().unwrap();
    }
    let _ = std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_cutshort"), bin.join("cutshort"));
    let root = folder.path().display();
    let script = commands(name)
        .replace("/var/lib/cutshort", &format!("{root}/store"))
        .replace("/var/backups/cutshort", &format!("{root}/backup"));
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let ran = Command::new("sh").args(["-ec", &script]).env("PATH", path).output().unwrap();
    assert!(ran.status.success(), "{script}\n{ran:?}");
}

#[test]
fn the_backup_of_the_documentation_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let captures = captures();
    let (first, second) = captures.split_at(20);
    run(&format!("import --data {data}"), first).ended(0);
    run(&format!("annotate add outage --data {data} --from 2026-11-21"), NONE).ended(0);
    run(&format!("token create test --scope read --data {data}"), NONE).ended(0);
    shell(&folder, "backup");
    // More comes, and the next backup has it, too; also while another program holds the store.
    run(&format!("import --data {data}"), second).ended(0);
    let writer = cutshort_embedded::Embedded::open(Path::new(&data), Default::default()).unwrap();
    shell(&folder, "backup");
    drop(writer);
    let before = all(&folder);
    // The disk dies.
    for file in [largest(&folder, "packets"), largest(&folder, "connections")] {
        flip(&file);
    }
    fs::write(folder.path().join("store/rollup.sqlite"), "dead").unwrap();
    shell(&folder, "restore");
    assert!(all(&folder) == before);
    shell(&folder, "verify");
    shell(&folder, "repair");
    assert!(folder.path().join("store/tokens.toml").exists());
    // One file comes back from the backup.
    let file = largest(&folder, "packets");
    flip(&file);
    run(&format!("recompute {TIME} --data {data}"), NONE).ended(1);
    let saved = folder.path().join("backup").join(file.strip_prefix(folder.path().join("store")).unwrap());
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::copy(saved, &file).unwrap();
    run(&format!("recompute {TIME} --data {data}"), NONE).fine();
    assert!(all(&folder) == before);
    shell(&folder, "verify");
}
