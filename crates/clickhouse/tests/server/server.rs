//! A server that all tests share, from `scripts/clickhouse`.
#![allow(dead_code)]
// Each test binary uses its part of it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use cutshort_clickhouse::Address;

/// A server. It ends with the process that holds it, which closes its standard input.
pub(crate) struct Server {
    _child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub(crate) port: u16,
}

impl Server {
    /// Starts one, or returns why it cannot be had here.
    ///
    /// # Panics
    /// Where the script fails for any other reason.
    pub(crate) fn start() -> Result<Self, String> {
        Self::of(Command::new("python3"), "run")
    }

    /// Starts two shards; commands are then for their ZooKeeper.
    pub(crate) fn cluster() -> Result<Self, String> {
        Self::of(Command::new("python3"), "cluster")
    }

    /// Starts one with a Python.
    pub(crate) fn of(mut python: Command, verb: &str) -> Result<Self, String> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/clickhouse");
        let command = python.args([script, verb]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("python3 cannot be started: {error}"))?;
        let commands = child.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let mut server = Self { _child: child, commands, answers, port: 0 };
        let answer = server.answer();
        let port = answer.split_once("http=").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        if let Some(why) = answer.strip_prefix("NOT RUN: ") {
            return Err(why.to_owned());
        }
        server.port = port.unwrap_or_else(|| panic!("scripts/clickhouse {verb}: '{answer}'"));
        Ok(server)
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// `kill`, `stop` or `start`.
    pub(crate) fn tell(&mut self, command: &str) {
        writeln!(self.commands, "{command}").unwrap();
        let answer = self.answer();
        assert!(answer.starts_with("ready") || answer == "ended", "{answer}");
    }

    pub(crate) fn address(&self, user: &str) -> Address {
        Address::parse(&format!("clickhouse://{user}@127.0.0.1:{}/default", self.port)).unwrap()
    }
}

/// The server of all tests; ask [`is_available`] first.
pub(crate) fn server() -> &'static Server {
    shared().expect("is_available() was asked first")
}

/// Whether ClickHouse can be fetched here; else each test returns at once, and the reason is printed.
pub(crate) fn is_available() -> bool {
    shared().is_some()
}

fn shared() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| started(Server::start())).as_ref()
}

/// The server, or none and the reason printed.
pub(crate) fn started(server: Result<Server, String>) -> Option<Server> {
    server.map_err(|why| not_run(&why)).ok()
}

/// Past the test harness, which shows the output of failed tests only.
pub(crate) fn not_run(why: &str) {
    let _ = writeln!(std::io::stderr(), "NOT RUN: tests with ClickHouse: {why}");
}
