//! The program with a store in a real ClickHouse.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

#[path = "../../packet/tests/quic/builder.rs"]
#[allow(dead_code)]
mod builder;
#[path = "../../packet/tests/parse/bytes.rs"]
#[allow(dead_code)]
mod bytes;
mod common;
#[path = "../../clickhouse/tests/server/server.rs"]
mod database;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::packets;
use common::server::Server;
use common::{Ran, captures, cutshort, ended_within, run, spawn};

const NOTHING: &[&str] = &[];

fn lines(arguments: &str) -> Vec<String> {
    sorted(&run(arguments, NOTHING).fine().stdout)
}

/// The connections of all captures, some of which have packets that cannot be used.
fn connections_of_classify() -> Vec<String> {
    sorted(&run("classify --format jsonl", &captures()).fine_with_unused().stdout)
}

fn sorted(text: &str) -> Vec<String> {
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
        let found = lines(&format!("export connections --format jsonl {store}"));
        assert!(found.iter().any(|line| line.contains(&format!("\"addresses\":\"{how}\""))), "{how}");
        assert_eq!(found, lines(&format!("export connections --format jsonl {data}")), "{how}");
    }
    let full = run(&format!("import {store}"), &captures()[..1]).ended(0);
    assert!(full.stderr.contains("the store has protected addresses"), "{full:?}");
}

#[test]
fn a_store_in_clickhouse_does_what_a_folder_does() {
    let Some(mut clickhouse) = database::started(database::Server::start()) else { return };
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
    assert_eq!(lines(&connections), connections_of_classify());
    let again = run(&format!("import --store {store}"), &captures()).ended(0);
    assert!(again.stdout.contains("nothing new"), "{again:?}");
    let range = "--from 2026-11-21 --to 2026-11-22";
    for classify in ["rust", "sql"] {
        run(&format!("recompute --store {store}?classify={classify} {range}"), NOTHING).ended(0);
        assert_eq!(lines(&connections), connections_of_classify(), "{classify}");
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

/// Clients that repeat their Initial packets without an answer, at different times.
fn quic_capture(path: &Path) {
    let mut initial = builder::Long { body: 1170, ..builder::Long::default() }.bytes();
    initial.resize(1200, 0);
    let datagram = |port: u16| {
        let head = [port.to_be_bytes(), 443_u16.to_be_bytes(), 1208_u16.to_be_bytes(), [0, 0]].concat();
        bytes::ipv4(17, &[&head[..], &initial].concat())
    };
    let times = (0..40_u16).flat_map(|client| {
        (0..4).map(move |number| {
            (1_764_000_000_000 + u64::from(client) * 60_000 + number * 300, 40_000 + client)
        })
    });
    let mut records: Vec<(u64, Vec<u8>)> = times.map(|(time, port)| (time, datagram(port))).collect();
    // The last one is silent before the capture ends.
    records.push((1_764_000_000_000 + 41 * 60_000, bytes::ipv4(6, &bytes::tcp(0, 0))));
    std::fs::write(path, [packets::header(), packets::raw_records(&records)].concat()).unwrap();
}

#[test]
fn quic_is_kept_as_in_a_folder() {
    if !database::is_available() {
        return;
    }
    let address = format!("clickhouse://default@127.0.0.1:{}/with_quic", database::server().port);
    let store = format!("--store {address}");
    run(&format!("clickhouse migrate {store}"), NOTHING).ended(0);
    let folder = tempfile::tempdir().unwrap();
    let (capture, key) = (folder.path().join("a.pcap"), folder.path().join("key"));
    quic_capture(&capture);
    let unnamed = run(&format!("import {store} --quic"), &[&capture]).ended(2);
    assert!(unnamed.stderr.contains("--quic-key FILE"), "{unnamed:?}");
    let data = format!("--data {}", folder.path().join("data").display());
    let named = format!("--quic --quic-key {}", key.display());
    for store in [&store, &data] {
        run(&format!("import {store} {named}"), &[&capture]).ended(0);
    }
    let again = run(&format!("import {store} {named}"), &[&capture]).ended(0);
    assert!(again.stdout.contains("nothing new"), "{again:?}");
    let connections = |store: &str| lines(&format!("export connections --quic --format jsonl {store}"));
    let expected = connections(&data);
    assert_eq!(expected.len(), 40);
    assert!(expected[0].contains(r#""version":"1""#), "{}", expected[0]);
    assert_eq!(connections(&store), expected);
    let counts =
        |store: &str| lines(&format!("export rollups --quic --every 15m --by tag --format jsonl {store}"));
    assert_eq!(counts(&store), counts(&data));
    let server =
        Server::start(tempfile::tempdir().unwrap(), &["--listen", "127.0.0.1:0", "--store", &address]);
    let summary = "/client/v4/radar/quic_closes_timeouts/summary?dateStart=2025-11-24&dateEnd=2025-11-25";
    let (code, answer) = server.send("GET", summary, &[]);
    assert_eq!(code, 200, "{answer}");
    assert!(answer.contains(r#""post_initial":"100"#), "{answer}");
    // And into a folder.
    let copy = format!("{}", folder.path().join("copy").display());
    run(&format!("store copy --from {address} --to {copy}"), NOTHING).ended(0);
    assert_eq!(connections(&format!("--data {copy}")), expected);
}

/// Made-up packets of some hours, and the project's captures.
fn all_captures(folder: &Path) -> Vec<PathBuf> {
    let made = folder.join("made.pcapng");
    run("simulate --rate 2 --duration 3h --output", &[&made]).ended(0);
    captures().into_iter().chain([made]).collect()
}

/// All connections, and all counts told apart by everything.
fn exported(store: &str) -> Vec<Vec<String>> {
    let by = ["tag", "signature", "termination", "ip_version", "location", "as", "port", "node"];
    let by = by.map(|by| format!(" --by {by}")).concat();
    let exports = [
        "connections --format jsonl".to_owned(),
        format!("rollups --every 15m --format jsonl{by}"),
        format!("rollups --every 1h --format jsonl{by}"),
        "rollups --every 1d --format jsonl".to_owned(),
    ];
    exports
        .iter()
        .map(|what| {
            // It may say that something was folded.
            sorted(&run(&format!("export {what} {store}"), NOTHING).ended(0).stdout)
        })
        .collect()
}

/// The segments of a folder's store.
fn segments(data: &Path) -> Vec<Vec<u8>> {
    let days = data.join("packets").read_dir().unwrap();
    let mut files: Vec<PathBuf> = days
        .flat_map(|day| day.unwrap().path().read_dir().unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

#[test]
fn workers_share_one_store_and_one_that_is_killed_is_replaced() {
    if !database::is_available() {
        return;
    }
    let port = database::server().port;
    let store = format!("clickhouse://default@127.0.0.1:{port}/workers");
    run(&format!("clickhouse migrate --store {store}"), NOTHING).ended(0);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("alone");
    run(&format!("import --data {}", data.display()), &all_captures(folder.path())[40..]).ended(0);
    let settings = folder.path().join("settings.toml");
    std::fs::write(&settings, "takeover = \"3s\"\n").unwrap();
    let start = |share: &str| {
        let settings = settings.display().to_string();
        let arguments =
            ["--listen", "127.0.0.1:0", "--store", &store, "--worker", share, "--settings", &settings];
        Server::start(tempfile::tempdir().unwrap(), &arguments)
    };
    let [first, second, third] = ["1/3", "2/3", "3/3"].map(start);
    let segments = segments(&data);
    let (some, rest) = segments.split_at(segments.len() / 2);
    let deliver = |segment: &Vec<u8>| assert_eq!(first.send("POST", "/ingest/v1/segments", segment).0, 201);
    some.iter().for_each(deliver);
    second.kill();
    rest.iter().for_each(deliver);
    let state = |server: &Server| server.result("/status")["windows"].clone();
    assert_eq!(state(&third)["worker"], "3/3");
    first.until("nothing is due", |server| state(server)["pending"] == 0);
    let metric = |server: &Server, name: &str| {
        let text = server.send("GET", "/metrics", &[]).1;
        let line = text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let taken_over = |server| metric(server, "cutshort_window_job_taken_over_windows");
    assert!(taken_over(&first) + taken_over(&third) > 0.0);
    assert!(first.send("GET", "/metrics", &[]).1.contains("cutshort_window_job_worker{worker=\"1/3\"} 1"));
    assert_eq!(exported(&format!("--store {store}")), exported(&format!("--data {}", data.display())));
    assert!(first.terminate().success() && third.terminate().success());
    // Shares of a recomputation together are the whole.
    let windows = |share: &str| {
        let arguments =
            format!("recompute --store {store} --from 2026-01-01 --to 2026-12-31 --worker {share}");
        let text = run(&arguments, NOTHING).ended(0).stdout;
        text.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let all = windows("1/1");
    assert!(windows("1/2") + windows("2/2") == all && all > 10, "{all}");
    assert_eq!(exported(&format!("--store {store}")), exported(&format!("--data {}", data.display())));
}

#[test]
fn only_one_works_on_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display();
    for arguments in [
        format!("serve --data {data} --worker 2/3"),
        format!("recompute --data {data} --from -1d --to now --worker 1/2"),
    ] {
        let refused = run(&arguments, NOTHING).ended(2);
        assert!(refused.stderr.contains("needs a store to which several can write"), "{refused:?}");
    }
    let wrong = run(&format!("serve --data {data} --worker 4/3"), NOTHING).ended(2);
    assert!(wrong.stderr.contains("such as 2/3"), "{wrong:?}");
}

/// Passes requests on to a server, but for one and those after it, which wait until it is opened.
struct Gate {
    port: u16,
    /// How many requests may still pass.
    left: AtomicUsize,
    is_open: AtomicBool,
}

impl Gate {
    fn before(server: u16, left: usize) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let gate = Arc::new(Self { port, left: AtomicUsize::new(left), is_open: AtomicBool::new(false) });
        let own = Arc::clone(&gate);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (own, client) = (Arc::clone(&own), client.unwrap());
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                std::thread::spawn(move || own.pass(client, server));
            }
        });
        gate
    }

    fn pass(&self, mut client: TcpStream, mut server: TcpStream) {
        let mut buffer = [0; 1 << 16];
        while let Ok(length @ 1..) = client.read(&mut buffer) {
            let bytes = &buffer[..length];
            if (bytes.starts_with(b"POST /") || bytes.starts_with(b"GET /")) && !self.is_open() {
                let one_less = |left: usize| left.checked_sub(1);
                if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_err() {
                    self.wait_until("it is opened", Self::is_open);
                }
            }
            if server.write_all(bytes).is_err() {
                break;
            }
        }
        let _ = server.shutdown(Shutdown::Both);
    }

    fn is_open(&self) -> bool {
        self.is_open.load(Ordering::SeqCst)
    }

    fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        while !holds(self) {
            assert!(since.elapsed() < Duration::from_secs(60), "not in a minute: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Begins to copy, interrupts it at a request to a server, and gives what it left; the arguments get a port.
fn interrupted(server: u16, at: usize, arguments: impl Fn(u16) -> String) -> Ran {
    let gate = Gate::before(server, at);
    let child = spawn(cutshort().args(arguments(gate.port).split_whitespace()));
    gate.wait_until("the copy has come so far", |gate| gate.left.load(Ordering::SeqCst) == 0);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    // It takes the signal while its request waits.
    std::thread::sleep(Duration::from_secs(1));
    gate.is_open.store(true, Ordering::SeqCst);
    ended_within(child, Duration::from_secs(60))
}

#[test]
fn a_store_is_copied_there_and_back() {
    if !database::is_available() {
        return;
    }
    let port = database::server().port;
    let url_at = |port: u16| format!("clickhouse://default@127.0.0.1:{port}/moving");
    let url = url_at(port);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (from, back) = (path("from"), path("back"));
    let captures = all_captures(folder.path());
    run(&format!("import --data {from}"), &captures).ended(0);
    run(&format!("annotate add remark --data {from} --from 2026-01-05"), NOTHING).ended(0);
    let unmade = run(&format!("store copy --from {from} --to {url}"), NOTHING).ended(1);
    assert!(unmade.stderr.contains("cutshort clickhouse migrate"), "{unmade:?}");
    run(&format!("clickhouse migrate --store {url}"), NOTHING).ended(0);

    let there = format!("store copy --from {from} --to {url}");
    let ran = interrupted(port, 40, |port| format!("store copy --from {from} --to {}", url_at(port)));
    assert!(ran.code == Some(1) && ran.stderr.contains("run this again"), "{ran:?}");
    let ran = run(&there, NOTHING).ended(0);
    assert!(ran.stdout.contains("the same in both: ") && ran.stderr.is_empty(), "{ran:?}");
    assert!(ran.stdout.contains(" there already"), "what was copied before is not copied again: {ran:?}");
    let again = run(&there, NOTHING).fine();
    assert!(again.stdout.starts_with("segments: 0 copied, "), "{again:?}");
    let back_again = format!("store copy --from {url} --to {back}");
    let ran = interrupted(port, 40, |port| format!("store copy --from {} --to {back}", url_at(port)));
    assert!(ran.code == Some(1) && ran.stderr.contains("run this again"), "{ran:?}");
    let ran = run(&back_again, NOTHING).fine();
    let checked = |ran: &Ran| ran.stdout.lines().last().unwrap().to_owned();
    assert_eq!(checked(&ran), checked(&again));

    let (all, data) = (exported(&format!("--data {from}")), format!("--data {back}"));
    assert_eq!(exported(&format!("--store {url}")), all);
    assert_eq!(exported(&data), all);
    // Nothing is due in any of them, and the totals are those of classify.
    for store in [&format!("--store {url}"), &data] {
        let known = run(&format!("import {store}"), &captures).ended(0);
        assert!(
            known.stdout.contains("nothing new") && known.stdout.contains("0 windows computed"),
            "{known:?}"
        );
        let notes = run(&format!("annotate list {store}"), NOTHING).ended(0);
        assert!(notes.stdout.contains("remark"), "{notes:?}");
    }
    let classified = run("classify --format json", &captures).json();
    let rollups = run(&format!("export rollups {data} --every 1w --format jsonl"), NOTHING).fine().lines();
    for stage in ["post_syn", "post_ack", "post_psh", "later", "none"] {
        let sum: u64 = rollups.iter().map(|week| week[stage].as_u64().unwrap()).sum();
        assert_eq!(sum, classified["stages"][stage]["count"], "{stage}");
    }
}

#[test]
fn what_cannot_be_copied_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (empty, one) = (path("empty"), path("one"));
    let says = |arguments: &str, code: i32, words: &str| {
        let ran = run(arguments, NOTHING).ended(code);
        assert!(ran.stderr.contains(words), "{ran:?}");
    };
    says(&format!("store copy --from {empty} --to {one}"), 1, "there is no store in");
    says(&format!("store copy --from {empty} --to {empty}/."), 2, "are the same store");
    let url = "clickhouse://a:topsecret@127.0.0.1:1/x";
    says(&format!("store copy --from {url} --to clickhouse://b@127.0.0.1:1/x"), 2, "are the same store");
    says(&format!("store copy --from {url} --to {one}"), 1, "cannot be reached");
    run(&format!("import --data {one}"), &captures()[..1]).fine();
    drop(
        cutshort_embedded::Embedded::open(Path::new(&empty), cutshort_embedded::Options::default()).unwrap(),
    );
    says(&format!("store copy --from {empty} --to {one}"), 1, "is empty: nothing to copy");
    // Other data stays, and that is said.
    let two = path("two");
    run(&format!("import --data {two}"), &captures()[1..2]).fine();
    says(&format!("store copy --from {one} --to {two}"), 0, "has other data, too");
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

/// The server does not keep them.
#[test]
fn events_are_kept_by_the_one_who_finds_them() {
    if !database::is_available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (data, end) = (folder.path().join("embedded"), common::shutdown::end());
    // Two weeks: copying more takes long, and what is usual is known after one.
    common::shutdown::fill(&data, 2 * 672, end);
    let url = format!("clickhouse://default@127.0.0.1:{}/events", database::server().port);
    run(&format!("clickhouse migrate --store {url}"), NOTHING).ended(0);
    run(&format!("store copy --from {} --to {url}", data.display()), NOTHING).ended(0);
    let arguments = ["--listen", "127.0.0.1:0", "--store", &url];
    let server = Server::start(tempfile::tempdir().unwrap(), &arguments);
    let places = |server: &Server| {
        let (_, body) = server.send("GET", "/client/v4/cutshort/events", &[]);
        let listed: serde_json::Value = serde_json::from_str(&body).unwrap();
        let events = listed["result"]["events"].as_array().unwrap().clone();
        events.into_iter().map(|event| event["place"].clone()).collect::<Vec<_>>()
    };
    server.until("events", |server| places(server).len() >= 4);
    let found = places(&server);
    assert_eq!(found[0], "country:IQ");
    let server = Server::start(server.kill(), &arguments);
    assert_eq!(places(&server), found, "before anything is looked for again");
    let other = Server::start(
        tempfile::tempdir().unwrap(),
        &["--listen", "127.0.0.1:0", "--store", &url, "--worker", "2/2"],
    );
    assert!(places(&other).is_empty(), "they are in the directory of the first worker");
}
