//! A process that is killed at any moment loses nothing that it has acknowledged.

use std::io::{BufRead, BufReader, Write, stdout};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use cutshort_store::{Added, Retention, Segment, Store};

use super::{files, open};
use crate::conformance::connections::everything;
use crate::conformance::{START, WINDOW, file, groups, made, packet, replace};

const FOLDER: &str = "CUTSHORT_KILLED_IN";
const TIMES: u64 = 12;

/// A packet of one of five clients in one of many windows.
fn segment(at: i64) -> Segment {
    let (window, client) = place(at);
    file(vec![packet(client, window + i64::from(client))])
}

fn place(at: i64) -> (i64, u8) {
    (START + at / 5 * WINDOW, (at % 5) as u8 + 1)
}

/// Appends segments, replaces results by as many connections as there are clients, deletes packets of windows
/// that have results, and says what was done, until it is killed.
#[test]
#[ignore = "run by the test below"]
fn until_killed() {
    let folder = std::env::var(FOLDER).unwrap();
    let store = open(Path::new(&folder));
    let retention = Retention {
        packets: Some(Duration::ZERO),
        connections: None,
        fifteen_minutes: None,
        hours: None,
        days: None,
    };
    for at in 0.. {
        if store.append(&segment(at)).unwrap() == Added::Known {
            continue;
        }
        writeln!(stdout(), "\nappended {at}").unwrap();
        let (window, clients) = place(at);
        let results: Vec<_> = (1..=clients).map(|client| made(client, window)).collect();
        replace(&store, window, &results);
        writeln!(stdout(), "\nreplaced {at}").unwrap();
        store.roll().unwrap();
        if at % 7 == 0 {
            store.retain(SystemTime::now(), &retention).unwrap();
        }
    }
}

#[test]
fn killed_at_any_moment() {
    let folder = super::new();
    let (mut appended, mut replaced) = (-1, -1);
    for time in 0..TIMES {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "folder::killed::until_killed", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(150 + time * 37));
        child.kill().unwrap();
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            let number = |text: &str| text.parse::<i64>().ok();
            appended = line.strip_prefix("appended ").and_then(number).unwrap_or(appended);
            replaced = line.strip_prefix("replaced ").and_then(number).unwrap_or(replaced);
        }
        child.wait().unwrap();
        check(folder.path(), appended, replaced);
    }
    assert!(replaced > 20, "only {replaced} results were made in all");
}

fn check(folder: &Path, appended: i64, replaced: i64) {
    let store = open(folder);
    let status = store.status().unwrap();
    assert!(status.damaged.is_empty(), "{:?}", status.damaged);
    for at in 0..=appended {
        assert_eq!(store.append(&segment(at)).unwrap(), Added::Known, "segment {at} of {appended}");
    }
    for state in store.windows(i64::MIN..i64::MAX).unwrap() {
        let groups = groups(&store, state.window.start(), 2);
        assert!(groups.iter().all(|(_, rows)| rows.len() == 1), "a packet came twice");
    }
    let connections = store.connections(&everything()).unwrap();
    assert_eq!(connections.len() as u64, status.counts.connections.min(everything().limit as u64));
    if replaced >= 0 {
        let window = START + replaced / 5 * WINDOW;
        let mut count = 0;
        store
            .each_connection(window..window + 1, &mut |_| {
                count += 1;
                true
            })
            .unwrap();
        // The one behind it may have been made without having been said.
        assert!(count == replaced % 5 + 1 || count == replaced % 5 + 2, "{count} at {replaced}");
    }
    let temporary = files(folder).into_iter().any(|path| path.to_string_lossy().ends_with(".tmp"));
    assert!(!temporary);
}
