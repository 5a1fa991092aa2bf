//! Running the program, and the captures to run it on.
#![allow(dead_code)] // Each test binary uses its part of it.

pub(crate) mod clients;
pub(crate) mod hook;
pub(crate) mod packets;
pub(crate) mod pcapng;
pub(crate) mod server;
pub(crate) mod shutdown;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    /// Itself, if it went well and said nothing on standard error.
    #[track_caller]
    pub(crate) fn fine(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""));
        self
    }

    /// Itself, if it went well and named nothing on standard error but packets that cannot be used, as two of
    /// [`captures`] have them.
    #[track_caller]
    pub(crate) fn fine_with_unused(self) -> Self {
        let unused =
            ["were cut before the TCP header was complete", "were not used: IP fragments without a whole"];
        let is_known = |line: &str| unused.iter().any(|text| line.contains(text));
        assert!(self.code == Some(0) && self.stderr.lines().all(is_known), "{self:?}");
        self
    }

    /// Itself, if it ended with this code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The program, in surroundings that are the same everywhere: no terminal, no input.
pub(crate) fn cutshort() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cutshort"));
    command.stdin(Stdio::null());
    for variable in ["COLUMNS", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM"] {
        command.env_remove(variable);
    }
    command
}

/// Runs it with the arguments, which are separated by spaces, and then with files.
#[track_caller]
pub(crate) fn run<P: AsRef<Path>>(arguments: &str, files: &[P]) -> Ran {
    let mut command = cutshort();
    command.args(arguments.split_whitespace()).args(files.iter().map(AsRef::as_ref));
    command.output().unwrap().into()
}

/// As [`run`], with something on the standard input.
#[track_caller]
pub(crate) fn run_with_input<P: AsRef<Path>>(arguments: &str, files: &[P], input: &[u8]) -> Ran {
    let mut command = cutshort();
    command.args(arguments.split_whitespace()).args(files.iter().map(AsRef::as_ref));
    let mut child = spawn(command.stdin(Stdio::piped()));
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // The program may end before it has read everything.
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().unwrap().into()
    })
}

/// Starts it with both outputs piped.
#[track_caller]
pub(crate) fn spawn(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for its end, but not for ever.
#[track_caller]
pub(crate) fn ended_within(mut child: Child, time: Duration) -> Ran {
    let since = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if since.elapsed() > time {
            child.kill().unwrap();
            panic!("still running after {time:?}: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap().into()
}

/// Waits until something holds: some seconds, or minutes on a busy machine.
#[track_caller]
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_secs(240), "not in four minutes: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process does something about Ctrl-C.
pub(crate) fn catches_interrupts(process: u32) -> bool {
    const SIGINT: u32 = 2;
    let caught = of_status(Path::new(&format!("/proc/{process}")), "SigCgt");
    u64::from_str_radix(&caught, 16).is_ok_and(|caught| caught & 1 << (SIGINT - 1) != 0)
}

/// Whether all threads of a process wait for something.
pub(crate) fn is_waiting(process: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    threads.map(|thread| of_status(&thread.path(), "State")).all(|state| state.starts_with('S'))
}

/// What the kernel says of a process or thread.
fn of_status(of: &Path, key: &str) -> String {
    let status = std::fs::read_to_string(of.join("status")).unwrap_or_default();
    let value = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    value.unwrap_or_default().trim().to_owned()
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// One of the captures in `tests/captures`.
pub(crate) fn capture(name: &str) -> PathBuf {
    root().join("tests/captures").join(name).with_extension("pcapng")
}

/// All of them, sorted by name.
pub(crate) fn captures() -> Vec<PathBuf> {
    let entries = root().join("tests/captures").read_dir().unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pcapng"));
    paths.sort();
    assert!(paths.len() > 40, "only {} captures are there", paths.len());
    paths
}

/// A file beside the tests.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli").join(name)
}

pub(crate) fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// Stages by what the API and what `classify` calls them.
#[allow(dead_code)] // Only some tests compare these two.
pub(crate) const STAGES: [(&str, &str); 5] = [
    ("post_syn", "post_syn"),
    ("post_ack", "post_ack"),
    ("post_psh", "post_psh"),
    ("later_in_flow", "later"),
    ("no_match", "none"),
];

/// Says that something was not tested. Past the test harness, which shows the output of failed
/// tests only.
pub(crate) fn not_run(why: &str) {
    let _ = writeln!(std::io::stderr(), "NOT RUN: {why}");
}

/// Whether a program can be started.
pub(crate) fn is_installed(program: &str) -> bool {
    let version = Command::new(program).arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}
