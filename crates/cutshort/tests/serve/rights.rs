//! What a server may do, and who may read what it writes.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::server::Server;
use crate::common::{captures, cutshort, not_run, run};
use crate::{SEGMENTS, segments};

const NOBODY: u32 = 65_534;
const STATUS: &str = "/client/v4/radar/status";

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// A folder that others may enter, as those of tests are not.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

/// A folder and all that is in it.
fn below(path: &Path) -> Vec<(PathBuf, Metadata)> {
    let metadata = path.symlink_metadata().unwrap();
    let entries = path.read_dir().into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = entries.flat_map(|entry| below(&entry)).collect();
    all.push((path.to_owned(), metadata));
    all
}

/// A value of each thread's status.
fn of_threads(process: u32, key: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    tasks
        .map(|task| {
            let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(":"));
            line.unwrap().trim().to_owned()
        })
        .collect()
}

#[track_caller]
fn assert_fenced(server: &Server, capabilities: u64) {
    let capabilities = format!("{capabilities:016x}");
    let expected = [
        ("NoNewPrivs", "1"),
        ("Seccomp", "2"),
        ("CapEff", &capabilities),
        ("CapPrm", &capabilities),
        ("CapInh", "0000000000000000"),
        ("CapAmb", "0000000000000000"),
    ];
    for (key, value) in expected {
        let found = of_threads(server.id(), key);
        assert!(found.iter().all(|found| found == value), "{key}: {found:?}");
    }
    if is_root() {
        let bounds = of_threads(server.id(), "CapBnd");
        assert!(bounds.iter().all(|found| *found == capabilities), "{bounds:?}");
    }
}

fn segment() -> Vec<u8> {
    let source = tempfile::tempdir().unwrap();
    run(&format!("import --data {}", source.path().display()), &captures()).fine_with_unused();
    fs::read(&segments(source.path())[0]).unwrap()
}

#[test]
fn a_server_without_options_is_fenced_and_does_its_work() {
    let server = Server::start(tempfile::tempdir().unwrap(), &[]);
    assert_fenced(&server, 0);
    let (status, body) = server.send("POST", SEGMENTS, &segment());
    assert_eq!(status, 201, "{body}");
    // Tokens that are made while it runs hold.
    let data = server.folder().display().to_string();
    run(&format!("token create later --scope read --data {data}"), &[] as &[&str]).ended(0);
    assert_eq!(server.send("GET", STATUS, &[]).0, 200);
    assert_eq!(server.terminate().code(), Some(0));
}

/// Root cannot open files of others without a capability.
#[test]
fn root_serves_a_store_of_another_user() {
    if !is_root() {
        return not_run("a store of another user: needs root");
    }
    const CAP_DAC_OVERRIDE: u64 = 1 << 1;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    run(&format!("import --data {data}"), &captures()).fine_with_unused();
    for (path, metadata) in below(folder.path()) {
        chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        let mode = if metadata.is_dir() { 0o700 } else { 0o600 };
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    }
    let server = Server::start(folder, &[]);
    assert_fenced(&server, CAP_DAC_OVERRIDE);
    assert_eq!(server.send("GET", STATUS, &[]).0, 200);
    let (status, body) = server.send("POST", SEGMENTS, &segment());
    assert!([200, 201].contains(&status), "{body}");
}

/// A token that root revokes is no token for a server that runs as another user.
#[test]
fn what_root_revokes_is_revoked() {
    if !is_root() {
        return not_run("revoking as root: needs root");
    }
    let folder = open_folder();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    chown(&data, Some(NOBODY), Some(NOBODY)).unwrap();
    let token = |arguments: &str| {
        let ran = run(&format!("token {arguments} --data {}", data.display()), &[] as &[&str]).ended(0);
        ran.stdout.trim().to_owned()
    };
    let one = token("create one --scope read");
    let tokens = data.join("tokens.toml");
    assert_eq!(tokens.metadata().unwrap().uid(), NOBODY);
    let mut command = cutshort();
    command.args(["serve", "--listen", "127.0.0.1:0", "--user", "nobody", "--data"]).arg(&data);
    command.env("CUTSHORT_REQUIRE_TOKEN", "true");
    let mut server = Server::spawn(command, folder);
    server.use_token(&one);
    assert_eq!(server.send("GET", STATUS, &[]).0, 200);
    let two = token("create two --scope read");
    token("revoke one");
    assert_eq!(server.send("GET", STATUS, &[]).0, 401);
    server.use_token(&two);
    assert_eq!(server.send("GET", STATUS, &[]).0, 200);
    // Whoever replaces the file by one that the server cannot read closes it.
    chown(&tokens, Some(0), Some(0)).unwrap();
    assert_eq!(server.send("GET", STATUS, &[]).0, 503);
    let (status, body) = server.send("GET", "/readyz", &[]);
    assert!(status == 503 && body.contains("tokens"), "{body}");
    chown(&tokens, Some(NOBODY), Some(NOBODY)).unwrap();
    assert_eq!(server.send("GET", STATUS, &[]).0, 200);
}

/// Packets have clients' addresses.
#[test]
fn other_users_can_read_nothing_of_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder, &[]);
    let (status, body) = server.send("POST", SEGMENTS, &segment());
    assert_eq!(status, 201, "{body}");
    server.until("the window is computed", |server| {
        let status = server.result("/status");
        status["windows"]["done"] == 1 && status["windows"]["pending"] == 0
    });
    let connections = below(&server.folder().join("connections"));
    assert!(connections.iter().any(|(path, _)| path.is_file()));
    check_modes(server.folder());
    drop(server);
    // Also where the caller lets all that is new be read and written by everybody.
    let folder = open_folder();
    let data = folder.path().join("data");
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0; exec \"$0\" import --data \"$1\" \"$2\"", env!("CARGO_BIN_EXE_cutshort")]);
    shell.arg(&data).arg(&captures()[0]);
    let ran = shell.output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    check_modes(&data);
    assert_eq!(data.metadata().unwrap().mode() & 0o777, 0o750);
}

/// The folder itself may have been there before.
#[track_caller]
fn check_modes(folder: &Path) {
    let mut files = below(folder);
    files.pop();
    assert!(files.len() > 5, "{files:?}");
    for (path, metadata) in files {
        let mode = metadata.mode() & 0o777;
        assert_eq!(mode & 0o027, 0, "{}: {mode:o}", path.display());
        if path.file_name().is_some_and(|name| name == "tokens.toml") {
            assert_eq!(mode, 0o600);
        }
    }
}
