//! What a person reads of the verbs that work on a store: `cli/store.txt` has commands and their output. To
//! take over changed output after reading it: `SNAPSHOTS=overwrite cargo test -p cutshort --test store`.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Ran, capture, captures, cutshort, ended_within, fixture, run, spawn};
use cutshort_embedded::{Embedded, Options};

/// A folder with some captures, in which commands are run.
struct Session {
    folder: tempfile::TempDir,
    text: String,
}

impl Session {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["http", "inject-rst", "drop-hello"] {
            let path = capture(name);
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
        let http = std::fs::read(capture("http")).unwrap();
        std::fs::write(folder.path().join("cut.pcapng"), &http[..http.len() - 10]).unwrap();
        std::fs::copy(fixture("networks.csv"), folder.path().join("networks.csv")).unwrap();
        Self { folder, text: String::new() }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn say(&mut self, title: &str) {
        let _ = writeln!(self.text, "# {title}\n");
    }

    /// Runs a command, of which the words are separated by spaces.
    fn run(&mut self, arguments: &str) -> Ran {
        let mut command = cutshort();
        command.current_dir(self.folder.path()).args(arguments.split_whitespace()).env("COLUMNS", "80");
        let ran: Ran = command.output().unwrap().into();
        let (code, out, err) = (ran.code.unwrap(), unnamed(&ran.stdout), &ran.stderr);
        let code = if code == 0 { String::new() } else { format!("? {code}\n") };
        let _ = writeln!(self.text, "$ cutshort {arguments}\n{code}{err}{out}");
        ran
    }
}

/// Without the times between which an import ran, which are its name.
fn unnamed(text: &str) -> String {
    let line = |line: &str| match line.split_once("cutshort store forget --data store ") {
        Some((before, _)) => format!("{before}cutshort store forget --data store [IMPORT]\n"),
        None => line.to_owned(),
    };
    text.split_inclusive('\n').map(line).collect()
}

#[test]
fn texts() {
    let mut session = Session::new();
    session.say("Import");
    session.run("import --data store http.pcapng inject-rst.pcapng");
    session.run("import --data store http.pcapng inject-rst.pcapng");
    session.run("import --data store --geo networks.csv http.pcapng drop-hello.pcapng");
    session.run("import --data store missing.pcapng cut.pcapng");
    session.run("import --data store missing.pcapng");
    session.run("import --data store networks.csv");
    session.run("import --data store -");
    session.run("import http.pcapng");
    session.run("import --data . http.pcapng");
    session.run("import --data http.pcapng http.pcapng");
    session.say("Recompute");
    session.run("recompute --data store --geo networks.csv --from 2026-11-21 --to 2026-11-22");
    session.run("recompute --data store --from 2020-01-01 --to 2020-01-02T00:00:00+01:00");
    session.run("recompute --data store --from now --to -7d");
    session.run("recompute --data store --from yesterday --to now");
    session.run("recompute --data store --from -7 --to now");
    session.run("recompute --data store");
    session.run("recompute --data nothing --from -1d --to now");
    session.say("Export");
    session.run("export connections --data store --from 2026-11-21T22:15:00Z --to 2026-11-21T22:30:00Z");
    session.run("export rollups --data store --every 1d --by location --by as");
    session.run("export rollups --data store --format jsonl");
    session.run("export rollups --data store --from 2020-01-01 --to 2020-01-02");
    session.run("export connections --data store --format parquet --output c.parquet");
    session.run("export rollups --data store --format parquet --output missing/r.parquet");
    session.run("export rollups --data nothing");
    session.run("export packets --data store");
    session.run("export rollups --data store --by continent");
    session.say("Demo");
    session.run("demo --data store");
    let folder = session.folder.path().to_str().unwrap().to_owned();
    let text = session.text.replace(&folder, "[FOLDER]");
    snapbox::assert_data_eq!(text, snapbox::Data::read_from(&fixture("store.txt"), None).raw());
}

/// The key is made once; who has it finds addresses again, and nobody else does.
#[test]
fn addresses_can_be_protected() {
    let mut session = Session::new();
    let run = |session: &mut Session, arguments: &str| session.run(arguments).ended(0);
    let made = run(&mut session, "import --data enc --addresses encrypted http.pcapng inject-rst.pcapng");
    assert!(made.stderr.contains("created a key for addresses: enc/address.key"), "{made:?}");
    let again = run(&mut session, "import --data enc --addresses encrypted http.pcapng inject-rst.pcapng");
    assert!(again.stderr.is_empty() && again.stdout.contains("nothing new"), "{again:?}");
    run(
        &mut session,
        "import --data cut --address-key enc/address.key --addresses truncated http.pcapng inject-rst.pcapng",
    );
    run(&mut session, "import --data full http.pcapng inject-rst.pcapng");
    let totals = |session: &mut Session, data: &str| {
        let exports = ["location", "as", "tag", "signature", "port"].map(|by| {
            run(session, &format!("export rollups --every 15m --format jsonl --by {by} --data {data}")).stdout
        });
        exports.concat()
    };
    let full = totals(&mut session, "full");
    assert_eq!((totals(&mut session, "enc"), totals(&mut session, "cut")), (full.clone(), full));
    let sources = |session: &mut Session, data: &str| -> Vec<(String, String)> {
        let lines = run(session, &format!("export connections --format jsonl --data {data}")).lines();
        let text =
            |line: &serde_json::Value, field: &str| line[field].as_str().unwrap_or_default().to_owned();
        lines.iter().map(|line| (text(line, "src_ip"), text(line, "addresses"))).collect()
    };
    let real = sources(&mut session, "full");
    assert!(real.iter().all(|(_, addresses)| addresses.is_empty()));
    let (encrypted, truncated) = (sources(&mut session, "enc"), sources(&mut session, "cut"));
    assert!(encrypted.iter().all(|(_, addresses)| addresses == "encrypted"));
    assert!(
        truncated
            .iter()
            .all(|(address, addresses)| addresses == "truncated" && address.ends_with(['0', ':']))
    );
    assert!(encrypted.iter().all(|(address, _)| real.iter().all(|(real, _)| real != address)));
    let kept = &encrypted[0].0;
    let decrypted = run(&mut session, &format!("address decrypt --address-key enc/address.key {kept}"));
    let address = decrypted.stdout.split_whitespace().last().unwrap().to_owned();
    assert!(real.iter().any(|(real, _)| *real == address), "{address}");
    let back = run(&mut session, &format!("address encrypt --address-key enc/address.key {address}"));
    assert_eq!(back.stdout, format!("{address}  {kept}\n"));
    let key = std::fs::read_to_string(session.path("enc/address.key")).unwrap();
    assert!(!session.text.contains(key.trim()), "the key was shown");
    let csv = run(&mut session, "export connections --format csv --data cut").stdout;
    assert!(csv.lines().next().unwrap().ends_with(",addresses"), "{csv}");
}

#[test]
fn keys_that_cannot_be_used_are_named() {
    let mut session = Session::new();
    std::fs::write(session.path("open.key"), "00".repeat(32)).unwrap();
    let ran =
        session.run("import --data s --addresses truncated --address-key open.key http.pcapng").ended(2);
    assert!(ran.stderr.contains("open.key: can be read by others"), "{ran:?}");
    let ran = session.run("address decrypt --address-key none.key 192.0.2.1").ended(2);
    assert!(ran.stderr.contains("none.key: "), "{ran:?}");
    session.run("import --data s --addresses truncated http.pcapng").ended(0);
    let ran = session.run("import --data s inject-rst.pcapng").ended(0);
    assert!(ran.stderr.contains("the store has protected addresses"), "{ran:?}");
}

/// Who writes holds the lock; who reads does not mind.
#[test]
fn one_program_at_a_time_writes() {
    let mut session = Session::new();
    session.run("import --data store http.pcapng").fine();
    let writer = Embedded::open(&session.path("store"), Options { durable: true }).unwrap();
    for arguments in ["import --data store inject-rst.pcapng", "recompute --data store --from -1d --to now"] {
        let ran = session.run(arguments).ended(1);
        assert!(ran.stderr.contains("One program at a time writes to a store"), "{ran:?}");
        assert!(ran.stderr.contains("cutshort serve"), "{ran:?}");
    }
    session.run("export rollups --data store").fine();
    drop(writer);
    session.run("import --data store inject-rst.pcapng").fine();
}

/// A store has the totals that `classify` prints.
#[test]
fn a_store_has_the_totals_of_classify() {
    let session = Session::new();
    let store = session.path("store");
    run(&format!("import --data {}", store.display()), &captures()).ended(0);
    let classified = run("classify --format json", &captures()).json();
    let export = format!("export rollups --data {} --every 1w --format jsonl", store.display());
    let totals = &run(&export, &[] as &[&Path]).fine().lines()[0];
    for stage in ["post_syn", "post_ack", "post_psh", "later", "none"] {
        assert_eq!(totals[stage], classified["stages"][stage]["count"], "{stage}");
    }
    for exclusion in ["no_syn", "multiple_syn", "incomplete"] {
        assert_eq!(totals[exclusion], classified["excluded"][exclusion], "{exclusion}");
    }
    let lines = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let export = format!("export connections --format jsonl --data {}", store.display());
    let exported = run(&export, &[] as &[&Path]).fine().stdout;
    assert_eq!(
        lines(&exported),
        lines(&run("classify --format jsonl", &captures()).fine_with_unused().stdout)
    );
}

/// Ctrl-C while a pipe gives nothing more: what a whole import would have kept too stays.
#[cfg(unix)]
#[test]
fn an_interrupted_import_says_how_to_go_on() {
    let session = Session::new();
    let mut command = cutshort();
    command.current_dir(session.folder.path()).args(["import", "--data", "store", "-"]);
    let mut child = spawn(command.stdin(Stdio::piped()));
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, &std::fs::read(capture("http")).unwrap()).unwrap();
    // It listens to signals before it opens the store.
    let end = Instant::now() + Duration::from_secs(30);
    while !session.path("store/rollup.sqlite").exists() {
        assert!(Instant::now() < end, "the store was not opened");
        std::thread::sleep(Duration::from_millis(5));
    }
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    let ran = ended_within(child, Duration::from_secs(10)).ended(1);
    assert!(ran.stderr.contains("interrupted") && ran.stderr.contains("run this again"), "{ran:?}");
    assert_eq!(ran.stdout, "");
}

/// Copies a directory with all it contains.
fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The order of connections within a window is not defined.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// A connection without the tags that the first version did not have.
fn without_later_tags(line: &str) -> String {
    const LATER: [&str; 7] =
        ["zmap4", "masscan", "mirai", "no_syn_options", "high_ttl", "zero_window", "rst_ttl_differs"];
    let field = |field: &str| {
        let tags: Vec<&str> = field.split(' ').filter(|tag| !LATER.contains(tag)).collect();
        tags.join(" ")
    };
    line.split(',').map(field).collect::<Vec<_>>().join(",")
}

/// Nothing that an earlier version stored is lost, not even when it is computed again.
#[test]
fn stores_of_earlier_versions_are_read_in_full() {
    let stores = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores");
    let versions: Vec<_> = std::fs::read_dir(&stores).unwrap().map(|entry| entry.unwrap().path()).collect();
    let versions: Vec<_> = versions.into_iter().filter(|path| path.is_dir()).collect();
    assert!(!versions.is_empty());
    for version in versions {
        let folder = tempfile::tempdir().unwrap();
        copy_all(&version.join("store"), &folder.path().join("store"));
        let cutshort = |arguments: &str| -> Ran {
            let mut command = cutshort();
            command.current_dir(folder.path()).args(arguments.split_whitespace());
            let ran: Ran = command.output().unwrap().into();
            ran.fine()
        };
        let read = |name: &str| std::fs::read_to_string(version.join(name)).unwrap();
        let connections = cutshort("export connections --data store --format csv").stdout;
        assert_eq!(connections, read("connections.csv"), "{version:?}");
        let counts = cutshort("export rollups --data store --format csv --by location").stdout;
        assert_eq!(counts, read("rollups.csv"), "{version:?}");
        cutshort("annotate add Later --data store --from 2026-01-05 --dataset quic");
        let notes = cutshort("annotate list --data store --dataset origin").stdout;
        assert!(notes.contains("Power cut at the site") && !notes.contains("Later"), "{notes}");
        assert!(cutshort("annotate list --data store --dataset quic").stdout.contains("Later"));
        assert!(cutshort("store verify --data store").stdout.contains("nothing is damaged"));

        let geo = version.join("networks.geo.csv");
        let again =
            format!("recompute --data store --from 2026-01-05 --to 2026-01-06 --geo {}", geo.display());
        cutshort(&again);
        // Today's rules may find more connections, such as one after a SYN that was not answered on the same ports.
        let connections = cutshort("export connections --data store --format csv").stdout;
        let earlier_tags: String = connections.split_inclusive('\n').map(without_later_tags).collect();
        let (now, before) = (sorted(&earlier_tags), read("connections.csv"));
        let lost: Vec<&str> = before.lines().filter(|line| now.binary_search(line).is_err()).collect();
        assert!(lost.is_empty(), "{lost:?}");
        let has = |tag: &str| connections.contains(tag);
        assert!(has("no_syn_options") && has("high_ttl") && has("masscan"), "{version:?}");
        assert!(!has("zmap4"), "{version:?}: the options of its SYN packets are unknown");

        // Packets that come in later join what is there.
        std::fs::copy(capture("http"), folder.path().join("http.pcapng")).unwrap();
        cutshort("import --data store http.pcapng");
        let more = cutshort("export connections --data store --format csv").stdout;
        assert!(more.lines().count() > now.len());
    }
}
