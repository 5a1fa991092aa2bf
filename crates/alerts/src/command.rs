//! Commands, run by a process of their own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::config;
use crate::message::Message;
use crate::runner::{Ended, Run, Setup};
use crate::sender::{Failure, Sender};

/// A command, and the process that runs it, which ends with this.
pub(crate) struct Runner {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// The arguments with which this program runs commands.
const ARGUMENTS: [&str; 2] = ["alerts", "run-commands"];

impl Runner {
    /// Starts the process.
    pub(crate) fn start(
        program: &Path,
        user: Option<&str>,
        config: &config::Command,
    ) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", program.display());
        let mut command = Command::new(program);
        command.args(ARGUMENTS).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Secrets of this program are no business of others.
        let own = |name: &std::ffi::OsString| name.to_str().is_some_and(|name| name.starts_with("CUTSHORT_"));
        for name in std::env::vars_os().map(|(name, _)| name).filter(own) {
            command.env_remove(name);
        }
        // Ctrl-C is for the server, which may still have something to send.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(failed)?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or_else(|| "its output is missing".to_owned())?;
        let mut runner = Self { child, input, output: BufReader::new(output) };
        let (user, argv) = (user.map(str::to_owned), config.argv.clone());
        runner.ask(&Setup { user, argv, timeout: config.timeout })?;
        Ok(runner)
    }

    fn ask(&mut self, line: &impl serde::Serialize) -> Result<(), String> {
        let gone = || "the process that runs commands has ended: restart the server".to_owned();
        let line = serde_json::to_string(line).map_err(|error| error.to_string())?;
        let input = self.input.as_mut().ok_or_else(gone)?;
        writeln!(input, "{line}").and_then(|()| input.flush()).map_err(|_| gone())?;
        let mut answer = String::new();
        self.output.read_line(&mut answer).map_err(|_| gone())?;
        let ended: Ended = serde_json::from_str(&answer).map_err(|_| gone())?;
        ended.failed.map_or(Ok(()), Err)
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // It ends when there is nothing more to run.
        self.input = None;
        let _ = self.child.wait();
    }
}

impl Sender for Runner {
    fn send(&mut self, messages: &[Message]) -> Result<(), Failure> {
        for message in messages {
            let run = Run { environment: environment(message), input: message.json.clone() };
            self.ask(&run).map_err(Failure::Later)?;
        }
        Ok(())
    }
}

/// What a command finds in its environment.
fn environment(message: &Message) -> BTreeMap<String, String> {
    let event = &message.event;
    let variables = [
        ("KEY", message.key.clone()),
        ("CHANGE", message.change().to_owned()),
        ("EVENT", event.id.to_string()),
        ("DATA_SET", message.data_set.name().to_owned()),
        ("PLACE", event.place.to_string()),
        ("CHANNEL", event.channel.name().to_owned()),
        ("SEVERITY", event.severity.name().to_owned()),
        ("SUMMARY", message.summary.clone()),
        ("URL", message.url.clone().unwrap_or_default()),
    ];
    variables.into_iter().map(|(name, value)| (format!("CUTSHORT_{name}"), value)).collect()
}
