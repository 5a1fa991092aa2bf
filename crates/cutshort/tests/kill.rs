//! Killed at any moment, or out of room: nothing that was kept is lost, no window is half replaced, nothing is
//! counted twice, and the next run goes on without a hand.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use common::server::{Sender, Server};
use common::{Ran, cutshort, not_run, run};
use cutshort_embedded::Embedded;
use cutshort_model::{Bucket, Window};
use cutshort_store::{RollupQuery, RollupRow, Selection, Store};

const KILLS: usize = 40;
/// For all kills together; on a slow machine there are fewer.
const TIME: Duration = Duration::from_secs(30);

/// Two captures of the same hour, so that the second changes what the first gave.
struct Captures {
    folder: tempfile::TempDir,
    first: PathBuf,
    second: PathBuf,
}

impl Captures {
    fn new(rate: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let capture = |seed: u32| {
            let path = folder.path().join(format!("{seed}.pcapng"));
            let arguments = format!("simulate --rate {rate} --duration 1h --seed {seed} --output");
            run(&arguments, &[&path]).ended(0);
            path
        };
        let (first, second) = (capture(1), capture(2));
        Self { folder, first, second }
    }
}

fn import(store: &Path, captures: &[&PathBuf]) -> Command {
    let mut command = cutshort();
    command.args(["import", "--data"]).arg(store).args(captures);
    command
}

/// The results of a window: all its counts, and its connections by a sum of their times.
#[derive(Clone, Debug, PartialEq)]
struct Results {
    rows: Vec<RollupRow>,
    connections: (u64, i64),
}

/// What a reader sees: results by window, and how many segments there are.
#[derive(Clone, Debug, Default, PartialEq)]
struct Look {
    windows: BTreeMap<Window, Results>,
    segments: u64,
}

fn look(folder: &Path) -> Look {
    // Killed before it was made, or while: nobody has been told of anything yet.
    let Ok(store) = Embedded::open_reader(folder) else { return Look::default() };
    let windows = store.windows(i64::MIN..i64::MAX).unwrap();
    let done = windows.iter().filter(|window| window.done.is_some()).map(|state| state.window);
    let segments = store.status().unwrap().segments;
    Look { windows: done.map(|window| (window, results(&store, window))).collect(), segments }
}

fn results(store: &Embedded, window: Window) -> Results {
    let query = |bucket| RollupQuery {
        range: window.range(),
        bucket: Some(bucket),
        selection: Selection::default(),
        by: None,
    };
    // Hours have the same, be they rolled or not.
    let rows = store.rollups(&query(Bucket::FifteenMinutes)).unwrap().rows;
    assert_eq!(store.rollups(&query(Bucket::Hour)).unwrap().rows, rows);
    let mut connections = (0, 0_i64);
    store
        .each_connection(window.range(), &mut |record| {
            assert_eq!(Window::containing(record.first_us * 1000), window);
            connections =
                (connections.0 + 1, connections.1.wrapping_add(record.first_us ^ record.last_us << 20));
            true
        })
        .unwrap();
    let counted: u64 = rows.iter().map(|row| row.total().sampled).sum();
    assert_eq!(counted, connections.0, "counts and connections of window {window}");
    Results { rows, connections }
}

/// Numbers that nobody chose.
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Self(now.as_nanos() as u64)
    }

    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, most: Duration) -> Duration {
        most.mul_f64(self.share())
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, (self.share() * (at + 1) as f64) as usize);
        }
    }
}

/// Kills imports until one ends by itself. What is seen in between are whole windows of these kinds.
fn kill_until_done(
    store: &Path,
    captures: &[&PathBuf],
    kinds: &[&Look],
    random: &mut Random,
    most: Duration,
) -> usize {
    let (mut kills, mut before) = (0, look(store));
    loop {
        let mut child = import(store, captures).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(random.below(most));
        child.kill().unwrap();
        let ended = child.wait().unwrap();
        let after = look(store);
        assert!(
            after.segments >= before.segments,
            "segments were lost: {} to {}",
            before.segments,
            after.segments
        );
        assert!(before.windows.keys().all(|window| after.windows.contains_key(window)), "a window was lost");
        for (window, results) in &after.windows {
            let known = kinds.iter().any(|kind| kind.windows.get(window) == Some(results));
            assert!(
                known,
                "after {kills} kills window {window} is neither as before nor as after: {results:#?}"
            );
        }
        if ended.success() {
            return kills;
        }
        assert!(ended.code().is_none(), "it failed by itself: {ended}");
        (kills, before) = (kills + 1, after);
    }
}

#[test]
fn killed_imports_leave_whole_windows_and_go_on() {
    let captures = Captures::new(8);
    let (first, both) = ([&captures.first], [&captures.first, &captures.second]);
    let undisturbed = captures.folder.path().join("undisturbed");
    let imported = |captures: &[&PathBuf]| {
        let since = Instant::now();
        Ran::from(import(&undisturbed, captures).output().unwrap()).ended(0);
        (look(&undisturbed), since.elapsed())
    };
    let (of_first, time_of_first) = imported(&first);
    let (of_both, time_of_both) = imported(&both);
    assert!(of_both.windows.len() >= 4 && of_both != of_first);
    let (since, mut random, mut kills) = (Instant::now(), Random::seeded(), 0);
    let seed = random.0;
    for round in 0.. {
        let store = captures.folder.path().join(format!("store-{round}"));
        kills += kill_until_done(&store, &first, &[&of_first], &mut random, time_of_first);
        kills += kill_until_done(&store, &both, &[&of_first, &of_both], &mut random, time_of_both);
        assert_eq!(look(&store), of_both, "in the end all is as if nothing had happened (seed {seed})");
        if kills >= KILLS || since.elapsed() > TIME {
            break;
        }
    }
    assert!(kills >= 5, "only {kills} kills: the machine is too slow for this test");
}

/// A segment's file, by its id.
type Files = BTreeMap<String, PathBuf>;

fn files(store: &Path) -> Files {
    let Ok(days) = store.join("packets").read_dir() else { return Files::new() };
    let files = days.flat_map(|day| day.unwrap().path().read_dir().unwrap().map(|file| file.unwrap().path()));
    let id =
        |file: &PathBuf| file.file_stem().unwrap().to_str().unwrap().rsplit('-').next().unwrap().to_owned();
    files
        .filter(|file| file.extension().is_some_and(|kind| kind == "parquet"))
        .map(|file| (id(&file), file))
        .collect()
}

/// Sends segments, each as often as it takes, until the server is gone. Takes those away that it acknowledged.
fn send(sender: &Sender, waiting: &mut Vec<(String, PathBuf)>) {
    while let Some((_, file)) = waiting.last() {
        match sender.send("POST", "/ingest/v1/segments", &std::fs::read(file).unwrap()) {
            Ok(Some((200 | 201, _))) => _ = waiting.pop(),
            Ok(Some((429 | 503, _))) => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) | Err(_) => return,
            Ok(Some(other)) => panic!("{other:?}"),
        }
    }
}

#[test]
fn killed_servers_keep_what_they_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (capture, source) = (folder.path().join("day.pcapng"), folder.path().join("source"));
    run("simulate --rate 1 --duration 6h --seed 3 --output", &[&capture]).ended(0);
    Ran::from(import(&source, &[&capture]).output().unwrap()).ended(0);
    let sent = files(&source);
    assert!(sent.len() >= 24, "{} segments", sent.len());
    let mut random = Random::seeded();
    let mut waiting: Vec<_> = sent.clone().into_iter().collect();
    random.shuffle(&mut waiting);
    let (mut store, mut kills, since) = (tempfile::tempdir().unwrap(), 0, Instant::now());
    while !waiting.is_empty() || kills < 10 && since.elapsed() < TIME {
        let server = Server::start(store, &[]);
        let sender = server.sender();
        let time = random.below(Duration::from_millis(400));
        store = std::thread::scope(|scope| {
            scope.spawn(|| send(&sender, &mut waiting));
            std::thread::sleep(time);
            server.kill()
        });
        kills += 1;
        let there = files(store.path());
        let acknowledged = sent.keys().filter(|id| waiting.iter().all(|(other, _)| other != *id));
        let lost: Vec<_> = acknowledged.filter(|id| !there.contains_key(*id)).collect();
        assert!(lost.is_empty(), "after {kills} kills these are lost: {lost:?}");
        // Whole windows, whichever they are: `look` compares their counts with their connections.
        let segments = look(store.path()).segments as usize;
        let acknowledged = sent.len() - waiting.len();
        assert!(segments >= acknowledged, "{segments} segments known of {acknowledged}");
    }
    let server = Server::start(store, &[]);
    server.until("all windows are computed", |server| server.result("/status")["windows"]["pending"] == 0);
    assert_eq!(look(server.folder()), look(&source), "in the end all is as if it had been there at once");
    assert!(kills >= 5, "only {kills} kills: the machine is too slow for this test");
}

#[test]
fn killed_retention_deletes_no_more_than_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let (capture, original) = (folder.path().join("day.pcapng"), folder.path().join("original"));
    run("simulate --rate 1 --duration 6h --seed 4 --output", &[&capture]).ended(0);
    Ran::from(import(&original, &[&capture]).output().unwrap()).ended(0);
    let (before, mut random) = (look(&original), Random::seeded());
    // A packet's time is long past; it came in a second ago.
    std::thread::sleep(Duration::from_secs(1));
    let mut store = tempfile::tempdir().unwrap();
    assert!(
        Command::new("cp").arg("-a").arg(original.join(".")).arg(store.path()).status().unwrap().success()
    );
    let serve = |store| {
        Server::start(
            store,
            &["--settings", folder.path().join("short.toml").to_str().unwrap(), "--listen", "127.0.0.1:0"],
        )
    };
    std::fs::write(folder.path().join("short.toml"), "keep_packets = '1s'\n").unwrap();
    for kills in 1..=10 {
        let server = serve(store);
        std::thread::sleep(random.below(Duration::from_millis(100)));
        store = server.kill();
        let seen = look(store.path());
        assert_eq!(seen.windows, before.windows, "after {kills} kills: results stay when packets go");
        assert!(files(store.path()).len() as u64 >= seen.segments, "a segment that is known has no file");
    }
    let server = serve(store);
    server.until("packets are deleted", |server| files(server.folder()).is_empty());
    assert_eq!(look(server.folder()), Look { segments: 0, ..before });
}

/// A file system of a few megabytes, which root may make.
struct Small {
    folder: PathBuf,
}

impl Small {
    fn mount(folder: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir(folder).unwrap();
        mount(folder, &format!("size={size}")).then(|| Self { folder: folder.to_owned() })
    }

    fn resize(&self, size: &str) {
        assert!(mount(&self.folder, &format!("remount,size={size}")));
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.folder).status();
    }
}

fn mount(folder: &Path, options: &str) -> bool {
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "-o", options, "cutshort-test"]).arg(folder).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn a_full_disk_stops_writing_and_no_more() {
    let captures = Captures::new(8);
    let (first, both) = ([&captures.first], [&captures.first, &captures.second]);
    let Some(small) = Small::mount(&captures.folder.path().join("small"), "64m") else {
        not_run("a full disk: mounting a small file system needs root");
        return;
    };
    let (store, roomy) = (small.folder.join("store"), captures.folder.path().join("roomy"));
    let import_into =
        |store: &Path, captures: &[&PathBuf]| Ran::from(import(store, captures).output().unwrap());
    import_into(&store, &first).ended(0);
    let before = look(&store);
    import_into(&roomy, &both).ended(0);
    let after = look(&roomy);
    let used = String::from_utf8(Command::new("du").arg("-sk").arg(&store).output().unwrap().stdout).unwrap();
    let used: u64 = used.split_whitespace().next().unwrap().parse().unwrap();
    let mut fails = 0;
    for room in [0, 100, 300, 600, 1000, 1500, 2500, 4000, 8000] {
        small.resize(&format!("{}k", used + room));
        let ran = import_into(&store, &both);
        if ran.code == Some(0) {
            break;
        }
        fails += 1;
        let ran = ran.ended(1);
        assert!(ran.stderr.contains("make room, and run this again"), "{ran:?}");
        let seen = look(&store);
        for (window, results) in &seen.windows {
            assert!([&before, &after].iter().any(|kind| kind.windows.get(window) == Some(results)));
        }
        assert_eq!(seen.windows.len(), before.windows.len());
    }
    assert!(fails > 0, "there was always room");
    small.resize("64m");
    import_into(&store, &both).ended(0);
    assert_eq!(look(&store), after);
}

#[test]
fn a_server_on_a_full_disk_says_so_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let (capture, source) = (folder.path().join("day.pcapng"), folder.path().join("source"));
    run("simulate --rate 4 --duration 3h --seed 5 --output", &[&capture]).ended(0);
    Ran::from(import(&source, &[&capture]).output().unwrap()).ended(0);
    let Some(small) = Small::mount(&folder.path().join("small"), "3m") else {
        not_run("a server on a full disk: mounting a small file system needs root");
        return;
    };
    let server = Server::start(tempfile::tempdir_in(&small.folder).unwrap(), &[]);
    let mut waiting: Vec<_> = files(&source).into_values().collect();
    let mut post = |server: &Server| {
        while let Some(file) = waiting.last() {
            match server.send("POST", "/ingest/v1/segments", &std::fs::read(file).unwrap()) {
                (201, _) => _ = waiting.pop(),
                (507, body) => return body,
                other => panic!("{other:?}"),
            }
        }
        String::new()
    };
    let message = post(&server);
    assert!(message.contains("No space left"), "{message}");
    let (status, reasons) = server.send("GET", "/readyz", &[]);
    assert!(status == 503 && reasons.contains("the store is full: free some space"), "{status} {reasons}");
    assert!(server.send("GET", "/metrics", &[]).1.contains("cutshort_store_full 1"));
    assert_eq!(server.send("GET", "/client/v4/radar/status", &[]).0, 200, "it goes on answering");
    small.resize("64m");
    assert_eq!(post(&server), "");
    server.until("all windows are computed", |server| {
        server.send("GET", "/readyz", &[]).0 == 200 && server.result("/status")["windows"]["pending"] == 0
    });
    assert!(server.send("GET", "/metrics", &[]).1.contains("cutshort_store_full 0"));
    assert_eq!(look(server.folder()), look(&source));
}
