//! Signals while the input goes on.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::common::server::signal;
use crate::common::{Ran, capture, catches_interrupts, cutshort, ended_within, is_waiting, spawn, until};

const PATIENCE: Duration = Duration::from_secs(30);

/// The program as a terminal starts it: SIGHUP is not ignored, also where the tests run under `nohup`.
fn in_terminal() -> Command {
    let mut command = Command::new("env");
    let program = cutshort();
    command.arg("--default-signal=HUP").arg(program.get_program()).stdin(Stdio::null());
    for (variable, _) in program.get_envs() {
        command.env_remove(variable);
    }
    command
}

/// A pipe that stays open, with a whole capture written to it.
struct Endless {
    folder: TempDir,
    fifo: PathBuf,
}

impl Endless {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        Self { folder, fifo }
    }

    /// Has a command read all that there is; the file that is given keeps the pipe open.
    fn read_by(&self, command: &mut Command) -> (Child, File) {
        let child = spawn(command.arg(&self.fifo));
        let mut writer = File::options().write(true).open(&self.fifo).unwrap();
        writer.write_all(&std::fs::read(capture("https")).unwrap()).unwrap();
        until("all is read, and more is waited for", || {
            let id = child.id();
            rustix::io::ioctl_fionread(&writer).unwrap() == 0 && catches_interrupts(id) && is_waiting(id)
        });
        (child, writer)
    }

    fn read(&self, arguments: &[&str]) -> (Child, File) {
        self.read_by(in_terminal().arg("classify").args(arguments))
    }
}

fn interrupted_by(name: &str, arguments: &[&str]) -> Ran {
    let endless = Endless::new();
    let (child, _writer) = endless.read(arguments);
    signal(child.id(), name);
    ended_within(child, PATIENCE).ended(1)
}

#[test]
fn a_summary_of_what_was_read_is_shown() {
    // Also where the terminal is closed.
    for name in ["INT", "TERM", "HUP"] {
        let ran = interrupted_by(name, &[]);
        assert!(ran.stdout.starts_with("4 connections in 56 records\n"), "{}", ran.stdout);
        let note = "Interrupted: only what was read up to then is counted.";
        assert!(ran.stdout.contains(note), "{}", ran.stdout);
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn programs_are_told_as_well() {
    let summary = interrupted_by("INT", &["--format", "json"]).json();
    assert_eq!((&summary["connections"], &summary["records"]), (&4.into(), &56.into()));
    assert!(summary["notes"].to_string().contains("Interrupted"));
}

#[test]
fn lines_are_whole() {
    assert_eq!(interrupted_by("INT", &["--format", "jsonl"]).lines().len(), 4);
}

/// Whether a folder has anything but the pipe.
fn is_clean(folder: &Path) -> bool {
    folder.read_dir().unwrap().count() == 1
}

#[test]
fn an_output_is_put_in_its_place() {
    let endless = Endless::new();
    let output = endless.folder.path().join("lines.csv");
    let (child, _writer) = endless.read(&["--format", "csv", "--output", output.to_str().unwrap()]);
    assert!(!output.exists());
    signal(child.id(), "INT");
    ended_within(child, PATIENCE).ended(1);
    assert_eq!(std::fs::read_to_string(&output).unwrap().lines().count(), 5);
    assert_eq!(endless.folder.path().read_dir().unwrap().count(), 2);
}

/// What is asked to end politely (by `timeout`, systemd, a shutdown, a terminal that is closed) ends as with Ctrl-C, and
/// leaves no file behind that nobody has named.
#[test]
fn termination_leaves_no_temporary_file() {
    for name in ["TERM", "HUP"] {
        let endless = Endless::new();
        let output = endless.folder.path().join("lines.csv");
        let (child, _writer) = endless.read(&["--format", "csv", "--output", output.to_str().unwrap()]);
        signal(child.id(), name);
        ended_within(child, PATIENCE);
        let _ = std::fs::remove_file(&output);
        assert!(is_clean(endless.folder.path()), "{name}: a temporary file is left");
    }
}

#[test]
fn an_import_whose_terminal_is_closed_keeps_what_was_read() {
    let endless = Endless::new();
    let data = endless.folder.path().join("store");
    let (child, _writer) = endless.read_by(in_terminal().args(["import", "--data"]).arg(&data));
    signal(child.id(), "HUP");
    let ran = ended_within(child, PATIENCE).ended(1);
    assert!(ran.stderr.contains("interrupted") && ran.stderr.contains("run this again"), "{ran:?}");
}

/// Has a shell start a command so that it survives its terminal, as `nohup` does.
fn surviving(arguments: &[&str]) -> Command {
    let program = cutshort();
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(program.get_program()).args(arguments);
    command
}

#[test]
fn what_was_started_to_survive_its_terminal_does() {
    let endless = Endless::new();
    let store = endless.folder.path().join("store");
    let import = ["import", "--data", store.to_str().unwrap()];
    for arguments in [&["classify"][..], &import] {
        let (child, writer) = endless.read_by(&mut surviving(arguments));
        signal(child.id(), "HUP");
        drop(writer);
        let ran = ended_within(child, PATIENCE).ended(0);
        assert!(ran.stdout.contains("56 records"), "{ran:?}");
    }
}
