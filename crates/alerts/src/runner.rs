//! The process that runs a command. It is started before the server gives up its privileges, because what runs in the sandbox
//! can start no programs. It is told once what to run, so that a server that was taken over can run nothing else.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cutshort_sandbox::{User, become_user};
use serde::{Deserialize, Serialize};

/// What is told first.
#[derive(Deserialize, Serialize)]
pub(crate) struct Setup {
    /// The user to become.
    pub(crate) user: Option<String>,
    pub(crate) argv: Vec<String>,
    pub(crate) timeout: Duration,
}

/// A run of the command.
#[derive(Deserialize, Serialize)]
pub(crate) struct Run {
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) input: String,
}

/// How a run ended, or the setup.
#[derive(Deserialize, Serialize)]
pub(crate) struct Ended {
    /// Why it was no success.
    pub(crate) failed: Option<String>,
}

/// How much of what a command says about its failure is passed on, in bytes.
const SAID: u64 = 500;
/// How often to look whether a command has ended.
const LOOK: Duration = Duration::from_millis(10);

/// Runs a command as often as it is asked to: lines of JSON on the input, an answer to each on the output. Ends with the
/// input.
///
/// # Errors
/// Input or output failed.
pub fn run_commands(input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut lines = input.lines();
    let mut answer = |failed: Option<String>| {
        writeln!(output, "{}", serde_json::to_string(&Ended { failed })?)?;
        output.flush()
    };
    let Some(setup) = lines.next().transpose()? else { return Ok(()) };
    let setup: Setup = serde_json::from_str(&setup)?;
    let user = setup.user.as_deref().map(User::find).transpose();
    match user.and_then(|user| become_user(user.as_ref())) {
        Ok(()) => answer(None)?,
        Err(error) => return answer(Some(error.to_string())),
    }
    for line in lines {
        let run: Run = serde_json::from_str(&line?)?;
        answer(run_once(&setup, &run).err())?;
    }
    Ok(())
}

/// Runs a command to its end, or to the end of its time.
fn run_once(setup: &Setup, run: &Run) -> Result<(), String> {
    let [program, arguments @ ..] = setup.argv.as_slice() else {
        return Err("there is no command".to_owned());
    };
    let mut command = Command::new(program);
    command.args(arguments).envs(&run.environment);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        let input = run.input.clone();
        // It need not read it, and may end before.
        std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    }
    let said = listen(&mut child);
    let since = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if since.elapsed() < setup.timeout => std::thread::sleep(LOOK),
            Ok(None) => {
                end(&mut child);
                return Err(format!("{program} was ended after {} s", setup.timeout.as_secs()));
            }
            Err(error) => return Err(format!("{program}: {error}")),
        }
    };
    if status.success() {
        return Ok(());
    }
    // What it has left running may keep its standard error open.
    std::thread::sleep(LOOK);
    let said = said.lock().unwrap_or_else(PoisonError::into_inner);
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    Err(if said.is_empty() { format!("{program}: {status}") } else { format!("{program}: {status}: {said}") })
}

/// Collects the beginning of what a command says about its failure.
fn listen(child: &mut Child) -> Arc<Mutex<Vec<u8>>> {
    let said = Arc::new(Mutex::new(Vec::new()));
    if let Some(stderr) = child.stderr.take() {
        let said = Arc::clone(&said);
        std::thread::spawn(move || {
            let mut stderr = io::BufReader::new(stderr);
            let mut room = SAID;
            let mut piece = [0; 256];
            while let Ok(length @ 1..) = stderr.read(&mut piece) {
                let taken = length.min(usize::try_from(room).unwrap_or(length));
                room -= taken as u64;
                said.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&piece[..taken]);
            }
        });
    }
    said
}

/// Ends a command and what it has started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn run(script: &str, timeout: Duration) -> Result<(), String> {
        let argv = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let setup = Setup { user: None, argv, timeout };
        let environment = BTreeMap::from([("CUTSHORT_CHANGE".to_owned(), "opened".to_owned())]);
        run_once(&setup, &Run { environment, input: "{\"key\":1}".to_owned() })
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_command_gets_the_event() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("got");
        run(&format!("(cat; echo \" $CUTSHORT_CHANGE\") > {}", path.display()), LONG).unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "{\"key\":1} opened\n");
        // It need not read it.
        run("true", LONG).unwrap();
    }

    #[test]
    fn failures_say_what_the_command_said() {
        let error = run("echo no modem >&2; exit 3", LONG).unwrap_err();
        assert!(error.contains("exit status: 3") && error.ends_with("no modem"), "{error}");
        let setup = Setup { user: None, argv: vec!["/no/such".to_owned()], timeout: LONG };
        let none = Run { environment: BTreeMap::new(), input: String::new() };
        assert!(run_once(&setup, &none).unwrap_err().starts_with("/no/such: "));
    }

    #[test]
    fn a_command_that_hangs_is_ended_with_what_it_started() {
        let since = Instant::now();
        let error = run("sleep 60 & sleep 60", Duration::from_millis(200)).unwrap_err();
        assert!(error.contains("was ended after"), "{error}");
        assert!(since.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn lines_are_answered_by_lines() {
        let setup = Setup { user: None, argv: vec!["/bin/false".to_owned()], timeout: LONG };
        let run = Run { environment: BTreeMap::new(), input: String::new() };
        let text = [serde_json::to_string(&setup).unwrap(), serde_json::to_string(&run).unwrap()].join("\n");
        let mut output = Vec::new();
        run_commands(text.as_bytes(), &mut output).unwrap();
        let answers: Vec<Ended> = String::from_utf8(output)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(answers[0].failed.is_none());
        assert!(answers[1].failed.as_ref().unwrap().contains("exit status: 1"));
    }
}
