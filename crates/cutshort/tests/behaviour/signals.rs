//! Ctrl-C while the input goes on.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use tempfile::TempDir;

use crate::common::{Ran, capture, cutshort, ended_within, spawn};

const PATIENCE: Duration = Duration::from_secs(5);
/// Long enough for the program to start and to read a few records.
const STARTING: Duration = Duration::from_millis(1500);

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

    /// Starts reading; the file that is given keeps the pipe open.
    fn read(&self, arguments: &[&str]) -> (Child, File) {
        let child = spawn(cutshort().arg("classify").args(arguments).arg(&self.fifo));
        let mut writer = File::options().write(true).open(&self.fifo).unwrap();
        writer.write_all(&std::fs::read(capture("https")).unwrap()).unwrap();
        std::thread::sleep(STARTING);
        (child, writer)
    }
}

fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

fn interrupted(arguments: &[&str]) -> Ran {
    let endless = Endless::new();
    let (child, _writer) = endless.read(arguments);
    interrupt(&child);
    ended_within(child, PATIENCE).ended(1)
}

#[test]
fn a_summary_of_what_was_read_is_shown() {
    let ran = interrupted(&[]);
    assert!(ran.stdout.starts_with("4 connections in 56 records\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Interrupted: only what was read up to then is counted."), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
}

#[test]
fn programs_are_told_as_well() {
    let summary = interrupted(&["--format", "json"]).json();
    assert_eq!((&summary["connections"], &summary["records"]), (&4.into(), &56.into()));
    assert!(summary["notes"].to_string().contains("Interrupted"));
}

#[test]
fn lines_are_whole() {
    assert_eq!(interrupted(&["--format", "jsonl"]).lines().len(), 4);
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
    interrupt(&child);
    ended_within(child, PATIENCE).ended(1);
    assert_eq!(std::fs::read_to_string(&output).unwrap().lines().count(), 5);
    assert_eq!(endless.folder.path().read_dir().unwrap().count(), 2);
}

/// What is asked to end politely (by `timeout`, systemd, a shutdown) ends as with Ctrl-C, and
/// leaves no file behind that nobody has named.
#[test]
fn termination_leaves_no_temporary_file() {
    let endless = Endless::new();
    let output = endless.folder.path().join("lines.csv");
    let (child, _writer) = endless.read(&["--format", "csv", "--output", output.to_str().unwrap()]);
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    ended_within(child, PATIENCE);
    let _ = std::fs::remove_file(&output);
    assert!(is_clean(endless.folder.path()), "a temporary file is left");
}
